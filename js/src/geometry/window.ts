// The occlusion window, in whole network-input pixels. Pure.

export interface Window {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Where a window may be: a picture of `rows` x `columns`, and sides of `smallest` to `largest` pixels. */
export interface Room {
  readonly rows: number;
  readonly columns: number;
  readonly smallest: number;
  readonly largest: number;
}

/** Which sides of the window a drag pulls; -1 is top or left, 1 is bottom or right, 0 neither. */
export interface Sides {
  readonly vertical: -1 | 0 | 1;
  readonly horizontal: -1 | 0 | 1;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}

export function sameWindow(a: Window, b: Window): boolean {
  return a.top === b.top && a.left === b.left && a.height === b.height && a.width === b.width;
}

/** The allowed window nearest to `window`: whole pixels, inside the picture, of an allowed size. */
export function fit(window: Window, room: Room): Window {
  const height = clamp(Math.round(window.height), ...sizes(room, room.rows));
  const width = clamp(Math.round(window.width), ...sizes(room, room.columns));
  return {
    top: clamp(Math.round(window.top), 0, room.rows - height),
    left: clamp(Math.round(window.left), 0, room.columns - width),
    height,
    width,
  };
}

/** The window with its centre as near to (row, column) as the picture's border allows. */
export function centre(window: Window, row: number, column: number, room: Room): Window {
  return fit({ ...window, top: row - window.height / 2, left: column - window.width / 2 }, room);
}

export function shift(window: Window, rows: number, columns: number, room: Room): Window {
  return fit({ ...window, top: window.top + rows, left: window.left + columns }, room);
}

/** The window `by` pixels taller and wider (smaller if negative) about its centre, as far as there is room. */
export function grow(window: Window, by: number, room: Room): Window {
  const size = fit({ ...window, height: window.height + by, width: window.width + by }, room);
  const down = (window.height - size.height) / 2;
  const right = (window.width - size.width) / 2;
  return fit({ ...size, top: window.top + down, left: window.left + right }, room);
}

/** The window with the pulled sides at (row, column) and the others where they are. */
export function resize(window: Window, sides: Sides, row: number, column: number, room: Room): Window {
  const [top, height] = span(window.top, window.height, sides.vertical, row, room.rows, room);
  const [left, width] = span(window.left, window.width, sides.horizontal, column, room.columns, room);
  return { top, left, height, width };
}

function span(start: number, size: number, side: number, to: number, length: number, room: Room): [number, number] {
  if (side === 0) return [start, size];
  const [least, most] = sizes(room, length);
  const end = start + size;
  if (side < 0) {
    const moved = clamp(Math.round(to), Math.max(0, end - most), end - least);
    return [moved, end - moved];
  }
  return [start, clamp(Math.round(to), start + least, Math.min(length, start + most)) - start];
}

function sizes(room: Room, length: number): [number, number] {
  return [Math.min(Math.max(1, room.smallest), length), Math.min(Math.max(1, room.largest), length)];
}
