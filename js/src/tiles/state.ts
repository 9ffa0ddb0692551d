// What the tile grid shows and where the hand is on it: layout, cursor, hovered and selected tile. No DOM.
import type { ControlledValue } from "../core/controlled_value.ts";
import type { Payload } from "../core/event_queue.ts";
import { Grid, type GridShape } from "../geometry/grid.ts";
import { band, clip, covers, type Rectangle } from "../geometry/rectangle.ts";

export interface Traits {
  sheet: unknown;
  tile_size: [number, number];
  channels: number;
  count: number;
  revision: number;
  colormap: string;
  labels: string[];
  badges: string[];
  selected: number | null;
  columns: number;
  tile_width: number;
  height: number;
  pixelated: boolean;
  captions: boolean;
  description: string;
  placeholder: string;
  texts?: Record<string, Record<string, string>>;
  stale?: boolean;
}

export type ReadTrait = <Name extends keyof Traits>(name: Name) => Traits[Name];

/** CSS pixels between tiles, around all of them (for focus rings), and under each for its caption. */
const GAP = 8;
const MARGIN = 6;
export const CAPTION = 18;

const MODIFIERS = { shift: "shiftKey", ctrl: "ctrlKey", alt: "altKey", meta: "metaKey" } as const;
export type ModifierKeys = { readonly [Key in (typeof MODIFIERS)[keyof typeof MODIFIERS]]: boolean };

/** `get` reads a trait. Rectangles are in CSS pixels of the scrolled content; `sight` is the part of it in view. */
export class TileState {
  grid: Grid;
  hovered: number | null = null;
  /** The tile that keys act on. */
  cursor: number;
  private drawn: Rectangle | null = null;

  constructor(
    private readonly get: ReadTrait,
    private readonly selected: ControlledValue<number | null>,
  ) {
    this.cursor = selected.value ?? 0;
    this.grid = new Grid(this.shape, 0);
  }

  /** The grid that the traits ask for. */
  get shape(): GridShape {
    const [height, width] = this.get("tile_size");
    return {
      count: this.get("count"),
      columns: this.get("columns"),
      tileWidth: Math.max(8, this.get("tile_width")),
      aspect: width > 0 ? height / width : 1,
      caption: this.get("captions") && this.get("labels").length > 0 ? CAPTION : 0,
      gap: GAP,
      margin: MARGIN,
    };
  }

  /** Whether all tiles stand in one row, which scrolls sideways: the selected one is kept in sight. */
  get inOneRow(): boolean {
    const { count, columns } = this.shape;
    return columns > 1 && count <= columns;
  }

  /** Lay the tiles out for `width` CSS pixels. */
  layOut(width: number): void {
    this.grid = new Grid(this.shape, width);
    this.cursor = Math.max(0, Math.min(this.cursor, this.grid.shape.count - 1));
  }

  /** The area to draw around `sight`, and the tiles in it. */
  areaToDraw(sight: Rectangle): { area: Rectangle; tiles: number[] } {
    const area = band(sight, this.grid);
    this.drawn = area;
    return { area, tiles: this.tilesDrawn };
  }

  /** The tiles in the area that was drawn last. */
  get tilesDrawn(): number[] {
    return this.drawn ? this.grid.touching(this.drawn) : [];
  }

  /** Whether `sight` reaches beyond what was drawn last. */
  needsDrawing(sight: Rectangle): boolean {
    return this.drawn === null || !covers(this.drawn, clip(sight, this.grid));
  }

  isCurrent(index: number): boolean {
    return index === this.selected.value;
  }

  get selection(): number | null {
    return this.selected.value;
  }

  /** The caption under a tile; empty where there is none. */
  caption(index: number): string {
    return this.grid.shape.caption > 0 ? (this.get("labels")[index] ?? "") : "";
  }

  badge(index: number): string {
    return this.get("badges")[index] ?? "";
  }

  /** Label and badge of a tile, as one text. */
  text(index: number): string {
    return [this.get("labels")[index], this.get("badges")[index]].filter(Boolean).join(" · ");
  }

  /** The pointer or the cursor is on tile `index`, or on none; returns the event for the kernel, null without news. */
  enter(index: number | null): Payload | null {
    if (index === this.hovered) return null;
    this.hovered = index;
    // With the revision the kernel knows which sheet the index means.
    return { name: "entered", index, revision: this.get("revision") };
  }

  /** Select tile `index`; returns the event for the kernel. */
  pick(index: number, keys: ModifierKeys): Payload {
    const modifiers = Object.entries(MODIFIERS).flatMap(([name, key]) => (keys[key] ? [name] : []));
    this.cursor = index;
    this.selected.move(index);
    return { name: "picked", index, revision: this.get("revision"), modifiers };
  }

  /** Move the cursor by a key, in a view `height` CSS pixels high; returns whether the key is one that moves. */
  moveCursor(key: string, height: number): boolean {
    const rows = Math.max(1, Math.floor(height / this.grid.cell(0).height));
    const to = this.grid.keyTarget(this.cursor, key, rows);
    if (to === null) return false;
    this.cursor = to;
    return true;
  }

  /** Where to scroll so that the cursor's tile is in sight. */
  scrollTarget(sight: Rectangle): [number, number] {
    const cell = this.grid.cell(this.cursor);
    return [
      startShowing(cell.x, cell.width, sight.x, sight.width),
      startShowing(cell.y, cell.height, sight.y, sight.height),
    ];
  }
}

/** The start nearest to `start` of a view of `size` that shows `length` from `from` on, with a margin. */
function startShowing(from: number, length: number, start: number, size: number): number {
  if (from - MARGIN < start) return from - MARGIN;
  const end = from + length + MARGIN;
  return end > start + size ? end - size : start;
}
