// What the brush has covered: mask, radius, strokes to take back. No DOM.
import { ControlledValue } from "../core/controlled_value.ts";
import { count, type Mask, sameMask, stroke } from "../geometry/mask.ts";
import { clamp, type Room } from "../geometry/window.ts";
import type { Pixel } from "./hand.ts";

/** Strokes that can be taken back. */
const MOST = 50;
/** Radius of the brush at first, and how it grows, as shares of the picture's shorter side. */
const RADIUS = 0.05;
const LARGEST = 0.25;

/** The mask takes the place of the occlusion window while it is not null. Places are in pixels of the picture. */
export class Painting {
  restores = false;
  /** Where the keys have the brush; null before they were used. */
  cursor: Pixel | null = null;
  readonly held: ControlledValue<Mask | null>;
  private ownRadius: number | null = null;
  private past: Mask[] = [];
  /** What was painted before the patch was taken. */
  private left: Mask | null = null;
  /** Where the stroke under way has come to, and what was covered before it. */
  private last: { row: number; column: number } | null = null;
  private before: Mask | null = null;

  constructor(
    private readonly room: () => Room,
    start: Mask | null,
    private readonly onPaint: () => void,
  ) {
    this.held = new ControlledValue(start, sameMask);
  }

  /** Null while the window covers. */
  get mask(): Mask | null {
    const { value } = this.held;
    return value?.length === this.pixels ? value : null;
  }

  get covered(): number {
    return this.mask ? count(this.mask) : 0;
  }

  get radius(): number {
    const { rows, columns } = this.room();
    return this.ownRadius ?? Math.max(1, Math.round(RADIUS * Math.min(rows, columns)));
  }

  set radius(radius: number) {
    this.ownRadius = clamp(Math.round(radius), 1, this.largest);
  }

  get largest(): number {
    const { rows, columns } = this.room();
    return Math.max(1, Math.round(LARGEST * Math.min(rows, columns)));
  }

  get canUndo(): boolean {
    return this.mask !== null && this.past.length > 0;
  }

  /** Cover with the brush from now on, with what it had covered before. */
  takeBrush(): void {
    if (this.mask !== null) return;
    this.put(this.left?.length === this.pixels ? this.left : new Uint8Array(this.pixels));
  }

  /** Cover with the window from now on. */
  takePatch(): void {
    this.left = this.mask;
    this.held.move(null);
  }

  /** A stroke begins; what follows until `end` is one step to take back. */
  begin(): void {
    this.before = this.mask;
    this.last = null;
  }

  /** The brush is at a place, continuous: the stroke goes on to there. */
  paintTo(row: number, column: number): void {
    if (this.mask === null) return;
    const next = this.mask.slice();
    stroke(next, this.room(), this.last ?? { row, column }, { row, column }, this.radius, this.restores ? 0 : 1);
    this.last = { row, column };
    if (!sameMask(next, this.mask)) this.put(next);
  }

  end(): void {
    if (this.before && this.mask && !sameMask(this.before, this.mask))
      this.past = [...this.past, this.before].slice(-MOST);
    this.before = this.last = null;
  }

  /** As if the stroke under way had not begun. */
  drop(): void {
    if (this.before && this.mask && !sameMask(this.before, this.mask)) this.put(this.before);
    this.before = this.last = null;
  }

  undo(): void {
    const mask = this.mask && this.past.pop();
    if (mask?.length === this.pixels) this.put(mask);
  }

  clear(): void {
    if (this.covered === 0) return;
    this.begin();
    this.put(new Uint8Array(this.pixels));
    this.end();
  }

  /** Another picture: what was painted was of the one before. */
  forget(): void {
    this.past = [];
    this.left = this.before = this.last = this.cursor = null;
  }

  private get pixels(): number {
    const { rows, columns } = this.room();
    return rows * columns;
  }

  private put(mask: Mask): void {
    this.held.move(mask);
    this.onPaint();
  }
}
