// Where the tiles of a grid lie, and which of them a view shows. Pure; every length is in CSS pixels.

import type { Rectangle } from "./rectangle.ts";

export interface GridShape {
  count: number;
  /** Tiles per row; 0: as many as fit. */
  columns: number;
  tileWidth: number;
  /** Height of a tile over its width. */
  aspect: number;
  /** Height of the caption under each tile. */
  caption: number;
  gap: number;
  /** Space around the whole grid, for focus rings. */
  margin: number;
}

export class Grid {
  readonly columns: number;
  readonly rows: number;
  readonly tileHeight: number;
  readonly width: number;
  readonly height: number;
  private readonly pitchX: number;
  private readonly pitchY: number;

  constructor(
    readonly shape: GridShape,
    available: number,
  ) {
    const { count, tileWidth, gap, margin } = shape;
    this.pitchX = tileWidth + gap;
    const fitting = Math.max(1, Math.floor((available - 2 * margin + gap) / this.pitchX));
    this.columns = Math.max(1, Math.min(shape.columns > 0 ? shape.columns : fitting, Math.max(1, count)));
    this.rows = Math.ceil(count / this.columns);
    this.tileHeight = Math.max(1, Math.round(tileWidth * shape.aspect));
    this.pitchY = this.tileHeight + shape.caption + gap;
    this.width = this.columns * this.pitchX - gap + 2 * margin;
    this.height = this.rows === 0 ? 0 : this.rows * this.pitchY - gap + 2 * margin;
  }

  /** The picture of tile `index`, without its caption. */
  tile(index: number): Rectangle {
    const { margin, tileWidth } = this.shape;
    return {
      x: margin + (index % this.columns) * this.pitchX,
      y: margin + Math.floor(index / this.columns) * this.pitchY,
      width: tileWidth,
      height: this.tileHeight,
    };
  }

  /** Tile `index` with its caption. */
  cell(index: number): Rectangle {
    const tile = this.tile(index);
    return { ...tile, height: tile.height + this.shape.caption };
  }

  /** The tile or caption at a point; null in a gap or outside. */
  at(x: number, y: number): number | null {
    const { margin, tileWidth, caption, count } = this.shape;
    const column = Math.floor((x - margin) / this.pitchX);
    const row = Math.floor((y - margin) / this.pitchY);
    if (column < 0 || column >= this.columns || row < 0) return null;
    const beyond = x - margin - column * this.pitchX >= tileWidth;
    const below = y - margin - row * this.pitchY >= this.tileHeight + caption;
    const index = row * this.columns + column;
    return beyond || below || index >= count ? null : index;
  }

  /** Indices of the tiles that a rectangle touches. */
  touching(area: Rectangle): number[] {
    const { margin, count } = this.shape;
    const first = (from: number, pitch: number) => Math.max(0, Math.floor((from - margin) / pitch));
    const firstColumn = first(area.x, this.pitchX);
    const lastColumn = Math.min(this.columns - 1, Math.floor((area.x + area.width - margin) / this.pitchX));
    const firstRow = first(area.y, this.pitchY);
    const lastRow = Math.min(this.rows - 1, Math.floor((area.y + area.height - margin) / this.pitchY));
    const indices: number[] = [];
    for (let row = firstRow; row <= lastRow; row++) {
      for (let column = firstColumn; column <= lastColumn; column++) {
        const index = row * this.columns + column;
        if (index < count) indices.push(index);
      }
    }
    return indices;
  }

  /** Where a key takes the cursor from `index`; `page` is the number of rows in sight. Null: not a key that moves. */
  keyTarget(index: number, key: string, page: number): number | null {
    const last = this.shape.count - 1;
    if (last < 0) return null;
    const within = (to: number) => (to < 0 || to > last ? index : to);
    switch (key) {
      case "ArrowLeft":
        return Math.max(0, index - 1);
      case "ArrowRight":
        return Math.min(last, index + 1);
      case "ArrowUp":
        return within(index - this.columns);
      case "ArrowDown":
        return within(index + this.columns);
      case "PageUp":
        return Math.max(index % this.columns, index - page * this.columns);
      case "PageDown": {
        const rows = Math.min(page, Math.floor((last - index) / this.columns));
        return index + rows * this.columns;
      }
      case "Home":
        return 0;
      case "End":
        return last;
      default:
        return null;
    }
  }
}
