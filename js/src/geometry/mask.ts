// Which pixels of a picture are covered: one byte a pixel, 1 where it is. Pure.

export type Mask = Uint8Array;

interface Size {
  readonly rows: number;
  readonly columns: number;
}
/** Continuous picture coordinates; pixel r spans r to r + 1. */
interface Place {
  readonly row: number;
  readonly column: number;
}

/** One bit a pixel, as numpy.packbits has them. */
export function pack(mask: Mask): Uint8Array<ArrayBuffer> {
  const bits = new Uint8Array(Math.ceil(mask.length / 8));
  for (let pixel = 0; pixel < mask.length; pixel++) {
    if (mask[pixel]) bits[pixel >> 3]! |= 128 >> (pixel & 7);
  }
  return bits;
}

/** The mask of `count` pixels; null where there are not as many bits. */
export function unpack(bits: Uint8Array, count: number): Mask | null {
  if (count === 0 || bits.length !== Math.ceil(count / 8)) return null;
  const mask = new Uint8Array(count);
  for (let pixel = 0; pixel < count; pixel++) mask[pixel] = (bits[pixel >> 3]! >> (7 - (pixel & 7))) & 1;
  return mask;
}

/** Set the pixels whose middle is at most `radius` from the line between two places, and the one under its end. */
export function stroke(mask: Mask, size: Size, from: Place, to: Place, radius: number, value: 0 | 1): void {
  const { rows, columns } = size;
  const across = to.column - from.column;
  const down = to.row - from.row;
  const length = across * across + down * down;
  const clampRow = (row: number) => Math.max(0, Math.min(rows - 1, Math.floor(row)));
  const clampColumn = (column: number) => Math.max(0, Math.min(columns - 1, Math.floor(column)));
  for (let r = clampRow(Math.min(from.row, to.row) - radius); r <= clampRow(Math.max(from.row, to.row) + radius); r++) {
    const last = clampColumn(Math.max(from.column, to.column) + radius);
    for (let c = clampColumn(Math.min(from.column, to.column) - radius); c <= last; c++) {
      const y = r + 0.5 - from.row;
      const x = c + 0.5 - from.column;
      const along = length === 0 ? 0 : Math.max(0, Math.min(1, (x * across + y * down) / length));
      if ((x - along * across) ** 2 + (y - along * down) ** 2 <= radius * radius) mask[r * columns + c] = value;
    }
  }
  const inside = to.row >= 0 && to.row < rows && to.column >= 0 && to.column < columns;
  if (inside) mask[Math.floor(to.row) * columns + Math.floor(to.column)] = value;
}

export function count(mask: Mask): number {
  let covered = 0;
  for (const pixel of mask) covered += pixel;
  return covered;
}

export function sameMask(a: Mask | null, b: Mask | null): boolean {
  if (a === null || b === null || a === b) return a === b;
  return a.length === b.length && a.every((pixel, place) => pixel === b[place]);
}

/** Calls `edge(row, column, row, column)` for each run of pixel sides between what is covered and what is not. */
export function edges(
  mask: Mask,
  { rows, columns }: Size,
  edge: (fromRow: number, fromColumn: number, toRow: number, toColumn: number) => void,
): void {
  const at = (r: number, c: number) => (r >= 0 && r < rows && c >= 0 && c < columns ? mask[r * columns + c]! : 0);
  for (let r = 0; r <= rows; r++) {
    for (let c = 0, from = -1; c <= columns; c++) {
      const differs = c < columns && at(r - 1, c) !== at(r, c);
      if (differs && from < 0) from = c;
      if (!differs && from >= 0) {
        edge(r, from, r, c);
        from = -1;
      }
    }
  }
  for (let c = 0; c <= columns; c++) {
    for (let r = 0, from = -1; r <= rows; r++) {
      const differs = r < rows && at(r, c - 1) !== at(r, c);
      if (differs && from < 0) from = r;
      if (!differs && from >= 0) {
        edge(from, c, r, c);
        from = -1;
      }
    }
  }
}
