// Between CSS pixels of the canvas, its backing store and network-input pixels. Pure.

import type { Rectangle } from "./rectangle.ts";
import type { Sides, Window } from "./window.ts";

export type Grip = Sides | "inside" | "outside";

/** A picture of `rows` x `columns` over the whole of a canvas of `width` x `height` CSS pixels. */
export class Viewport {
  constructor(
    readonly width: number,
    readonly height: number,
    /** Of the backing store, in device pixels. */
    readonly deviceWidth: number,
    readonly deviceHeight: number,
    readonly rows: number,
    readonly columns: number,
  ) {}

  /** Device pixels to a CSS pixel. */
  get density(): number {
    return this.deviceWidth / this.width;
  }

  /** Whether picture pixels are so large that they should be seen as squares. */
  get magnified(): boolean {
    return this.width / this.columns >= 4;
  }

  /** Continuous picture coordinates of a CSS position; pixel r spans r to r + 1. */
  locate(x: number, y: number): { row: number; column: number } {
    return { row: (y * this.rows) / this.height, column: (x * this.columns) / this.width };
  }

  /** The picture pixel under a CSS position, the nearest one when it is outside. */
  pixel(x: number, y: number): { row: number; column: number } {
    const { row, column } = this.locate(x, y);
    return {
      row: Math.min(this.rows - 1, Math.max(0, Math.floor(row))),
      column: Math.min(this.columns - 1, Math.max(0, Math.floor(column))),
    };
  }

  /** Picture rows and columns as whole device pixels, so that outlines are sharp and neighbours meet. */
  place(top: number, left: number, height: number, width: number): Rectangle {
    const x = Math.round((left * this.deviceWidth) / this.columns);
    const y = Math.round((top * this.deviceHeight) / this.rows);
    return {
      x,
      y,
      width: Math.round(((left + width) * this.deviceWidth) / this.columns) - x,
      height: Math.round(((top + height) * this.deviceHeight) / this.rows) - y,
    };
  }

  /** What a press at a CSS position takes hold of; `reach` is how far (CSS pixels) a finger or mouse may miss. */
  grip(x: number, y: number, window: Window, reach: number): Grip {
    const vertical = side(y, (window.top * this.height) / this.rows, (window.height * this.height) / this.rows, reach);
    const horizontal = side(
      x,
      (window.left * this.width) / this.columns,
      (window.width * this.width) / this.columns,
      reach,
    );
    if (vertical === null || horizontal === null) return "outside";
    return vertical === 0 && horizontal === 0 ? "inside" : { vertical, horizontal };
  }
}

/** -1 near the start, 1 near the end, 0 between them, null beyond reach; a small window keeps half of itself for moving. */
function side(at: number, start: number, size: number, reach: number): -1 | 0 | 1 | null {
  const inward = Math.min(reach, size / 4);
  if (at < start - reach || at > start + size + reach) return null;
  if (at < start + inward) return -1;
  return at > start + size - inward ? 1 : 0;
}
