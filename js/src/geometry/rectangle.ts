// Rectangles: device pixels of a canvas, or CSS pixels of a scrolled content. Pure.

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Sides of what a rectangle lies in, from (0, 0). */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Whether `outer` covers `inner`. */
export function covers(outer: Rectangle, inner: Rectangle): boolean {
  return (
    outer.x <= inner.x &&
    outer.y <= inner.y &&
    outer.x + outer.width >= inner.x + inner.width &&
    outer.y + outer.height >= inner.y + inner.height
  );
}

/** The part of the content to draw for a view: the view and its surroundings, so that scrolling seldom draws. */
export function band(view: Rectangle, content: Size): Rectangle {
  const stretch = (from: number, length: number, whole: number): [number, number] => {
    const start = Math.max(0, Math.floor(from - length));
    return [start, Math.max(0, Math.min(whole, Math.ceil(from + 2 * length)) - start)];
  };
  const [x, width] = stretch(view.x, view.width, content.width);
  const [y, height] = stretch(view.y, view.height, content.height);
  return { x, y, width, height };
}

/** The part of `area` that lies in the content. */
export function clip(area: Rectangle, content: Size): Rectangle {
  return {
    ...area,
    width: Math.max(0, Math.min(area.width, content.width - area.x)),
    height: Math.max(0, Math.min(area.height, content.height - area.y)),
  };
}
