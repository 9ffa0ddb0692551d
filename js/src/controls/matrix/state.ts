// How the cursor goes over a table of counts, and how strongly a cell is coloured. Pure.

/** A cell; -1 is the header: all of a row, or of a column. Not both. */
export interface Cell {
  readonly row: number;
  readonly column: number;
}

/** Where a key takes the cursor in a table of `size` rows and columns; null for a key that means nothing here. */
export function cellAfterKey(key: string, { row, column }: Cell, size: number): Cell | null {
  const steps: Record<string, [number, number]> = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
  };
  const step = steps[key];
  if (step === undefined) return null;
  const next = { row: within(row + step[0], size), column: within(column + step[1], size) };
  return next.row < 0 && next.column < 0 ? { row, column } : next;
}

function within(index: number, size: number): number {
  return Math.min(Math.max(index, -1), size - 1);
}

/** Percent of colour for `count` of `whole` pictures: few mistakes of many are to be seen, so by the square root. */
export function strength(count: number, whole: number): number {
  return count > 0 && whole > 0 ? Math.round(8 + 62 * Math.sqrt(Math.min(1, count / whole))) : 0;
}

/** What a cell says to a screen reader, and under the pointer. */
export function cellText(names: readonly string[], { row, column }: Cell, count: number): string {
  const pictures = count === 1 ? "1 picture" : `${count} pictures`;
  if (row < 0) return `${pictures} taken for ${names[column]}`;
  if (column < 0) return `${pictures} of ${names[row]}`;
  return row === column
    ? `${pictures} of ${names[row]}, right`
    : `${pictures} of ${names[row]}, taken for ${names[column]}`;
}

/** Counts of rows, columns or a cell in a flat table, row by row. */
export function countOf(counts: readonly number[], size: number, { row, column }: Cell): number {
  let sum = 0;
  for (let r = 0; r < size; r++) {
    for (let c = 0; c < size; c++) {
      if ((row < 0 || r === row) && (column < 0 || c === column)) sum += counts[r * size + c] ?? 0;
    }
  }
  return sum;
}
