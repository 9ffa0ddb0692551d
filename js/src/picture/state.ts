// What the picture widget shows and what the hand has moved: sizes, map, scales, window and point. No DOM.
import { type HeatMap, heatMap, paint, resample } from "../color/blend.ts";
import { colorTable } from "../color/colormaps.ts";
import { type NamedScale, namedScales, type Quantity, scaleInUse, type ViewState } from "../color/scales.ts";
import { ControlledValue } from "../core/controlled_value.ts";
import type { Payload } from "../core/event_queue.ts";
import { bytesOf } from "../core/model.ts";
import { type Mask, pack, unpack } from "../geometry/mask.ts";
import { fit, type Room, sameWindow, type Window } from "../geometry/window.ts";
import type { BrushTexts } from "./brush.ts";
import type { DrawState } from "./drawing.ts";
import type { Pixel, Subject } from "./hand.ts";
import { Painting } from "./painting.ts";

type Four = [number, number, number, number];

export interface Traits {
  _picture: { pixels?: unknown; size?: [number, number] };
  _map: { values?: unknown; size?: [number, number]; quantity?: string; signed?: boolean; scales?: unknown };
  baseline: unknown;
  mode: Subject["mode"];
  box: Four | null;
  marker: [number, number] | null;
  window_start: Four;
  _window_final: Four;
  window_limits: [number, number];
  /** By language; empty where there is no brush. */
  brush: Record<string, BrushTexts>;
  language: string | null;
  /** `bits`: what is covered in place of the window, one a pixel. */
  _mask: { revision?: number; bits?: unknown };
  label: string;
  stale: boolean;
  display_width: number;
  view_state: unknown;
  /** Not a trait: how the views of one page show each other's hand. It is set and never saved. */
  _live: Live | undefined;
}

export interface Live {
  readonly by: string;
  readonly window: Four;
  readonly marker: Pixel | null;
  readonly mask: Mask | null;
}

/** What the state asks of its view. */
export interface Effects {
  /** The hand moves the window or the point, or paints: `event` is for the kernel. */
  onMove(event: Payload, buffers?: ArrayBuffer[]): void;
  /** A gesture ended, and `event` is its last. */
  onGestureEnd(event: Payload, buffers?: ArrayBuffer[]): void;
  /** What is said of the picture has changed, and nothing else. */
  onWords(): void;
  /** The kernel had something newer to show. */
  onChange(): void;
}

/** The map at the picture's size, with what the toolbar says of it. */
export interface ShownMap extends Quantity {
  readonly state: ViewState;
  readonly scales: NamedScale[];
  /** One for each pixel of the picture, row by row. */
  readonly values: Float32Array;
}

/** `get` reads a trait. The methods of `Subject` are the hand's, those with `receive` in their name the kernel's. */
export class PictureState implements Subject {
  /** Of the picture; 0 x 0 without one. */
  size = { rows: 0, columns: 0 };
  shown: ShownMap | null = null;
  /** The pixel under the pointer. */
  hovered: Pixel | null = null;
  /** Whether an answer of the kernel is overdue. */
  busy = false;
  private map: HeatMap | null = null;
  /** What the gesture under way has last reported. */
  private gesture: [Payload, ArrayBuffer[] | undefined] | null = null;
  /** The mask that the kernel last had, and what it was read of. */
  private readMask: [unknown, number, Mask | null] = [null, 0, null];
  readonly painting: Painting;
  private readonly heldWindow: ControlledValue<Window>;
  private readonly heldMarker: ControlledValue<Pixel | null>;

  constructor(
    private readonly get: <Name extends keyof Traits>(name: Name) => Traits[Name],
    private readonly effects: Effects,
  ) {
    this.heldWindow = new ControlledValue(this.kernelWindow, sameWindow);
    this.heldMarker = new ControlledValue(this.kernelMarker, samePixel);
    this.painting = new Painting(
      () => this.room,
      this.kernelMask,
      () => this.reportMask(),
    );
  }

  get mode(): Traits["mode"] {
    return this.get("mode");
  }

  get room(): Room {
    const [smallest, largest] = this.get("window_limits");
    return { ...this.size, smallest, largest };
  }

  /** The occlusion window; null where there is none to move. */
  get window(): Window | null {
    const { value } = this.heldWindow;
    return this.mode === "window" && this.size.rows > 0 && value.height > 0 ? fit(value, this.room) : null;
  }

  /** Whether there is a brush to cover with. */
  get hasBrush(): boolean {
    return this.mode === "window" && this.size.rows > 0 && Object.keys(this.get("brush") ?? {}).length > 0;
  }

  /** What the brush has covered; null while the window covers. */
  get mask(): Mask | null {
    return this.hasBrush ? this.painting.mask : null;
  }

  get start(): Window {
    return fit(windowOf(this.get("window_start")), this.room);
  }

  get marker(): Pixel | null {
    return this.heldMarker.value;
  }

  get label(): string {
    return this.get("label");
  }

  /** The value of the map at a pixel; null without a map. */
  valueAt(pixel: Pixel | null): number | null {
    return this.shown && pixel ? (this.shown.values[pixel.row * this.size.columns + pixel.column] ?? null) : null;
  }

  moveWindow(next: Window): void {
    if (sameWindow(next, this.heldWindow.value)) return;
    this.heldWindow.move(next);
    this.reportWindow();
  }

  /** Cover with the brush, or with the patch; undo, clear: `act` is one gesture. */
  paint(act: "takeBrush" | "takePatch" | "undo" | "clear"): void {
    if (!this.hasBrush || (act === "takePatch" && this.mask === null)) return;
    this.beginGesture();
    this.painting[act]();
    if (act === "takePatch") this.reportWindow();
    this.endGesture();
  }

  pickPoint(pixel: Pixel): void {
    if (samePixel(pixel, this.marker)) return;
    this.heldMarker.move(pixel);
    this.report({ name: "picked", point: [pixel.row, pixel.column] });
  }

  beginGesture(): void {
    this.heldWindow.hold();
    this.heldMarker.hold();
    this.painting.held.hold();
    this.painting.begin();
  }

  endGesture(): void {
    this.heldWindow.release();
    this.heldMarker.release();
    this.painting.held.release();
    this.painting.end();
    if (this.gesture !== null) this.effects.onGestureEnd(...this.gesture);
    else if (this.receiveTraits()) this.effects.onChange();
    this.gesture = null;
  }

  hover(pixel: Pixel | null): void {
    this.hovered = pixel;
    if (this.mask)
      this.effects.onChange(); // the brush is drawn where the pointer is
    else this.effects.onWords();
  }

  setBusy(busy: boolean): void {
    this.busy = busy;
    this.effects.onWords();
  }

  /** An event left for the kernel. */
  sent(seq: number): void {
    this.heldWindow.sent(seq);
    this.heldMarker.sent(seq);
    this.painting.held.sent(seq);
  }

  /** The kernel wrote the window or the marker; returns whether to draw. */
  receiveTraits(): boolean {
    const windowMoved = this.heldWindow.receive(this.kernelWindow);
    const painted = this.painting.held.receive(this.kernelMask);
    return this.heldMarker.receive(this.kernelMarker) || windowMoved || painted;
  }

  /** A custom message came; returns whether to draw. */
  receiveAck(message: unknown): boolean {
    const windowMoved = this.heldWindow.receiveAck(message, this.kernelWindow);
    const painted = this.painting.held.receiveAck(message, this.kernelMask);
    return this.heldMarker.receiveAck(message, this.kernelMarker) || windowMoved || painted;
  }

  /** Where the hand has put things, for the other views of the page; `id` is this view's. */
  live(id: string): Live {
    const { top, left, height, width } = this.heldWindow.value;
    return { by: id, window: [top, left, height, width], marker: this.marker, mask: this.painting.held.value };
  }

  /** Show where the hand is in another view; returns whether to draw. */
  receiveLive(live: Live | undefined, id: string): boolean {
    if (live === undefined || live.by === id || this.heldWindow.isHeld) return false;
    this.heldWindow.move(windowOf(live.window));
    this.heldMarker.move(live.marker);
    this.painting.held.move(live.mask);
    return true;
  }

  /** The picture's raw RGB; null, and no size, where it is not as long as its size says. */
  receivePicture(): Uint8Array | null {
    const { pixels, size: [rows, columns] = [0, 0] } = this.get("_picture");
    const rgb = bytesOf(pixels);
    const valid = rows > 0 && columns > 0 && rgb.length === rows * columns * 3;
    this.size = valid ? { rows, columns } : { rows: 0, columns: 0 };
    if (valid) this.hovered = null;
    this.painting.forget();
    this.painting.held.receive(this.kernelMask);
    return valid ? rgb : null;
  }

  /** The wholly occluded picture; null where it is not of the picture's size. */
  get baseline(): Uint8Array | null {
    const rgb = bytesOf(this.get("baseline"));
    return rgb.length > 0 && rgb.length === this.size.rows * this.size.columns * 3 ? rgb : null;
  }

  receiveMap(): void {
    const { values, size: [rows, columns] = [0, 0] } = this.get("_map");
    this.map = heatMap(bytesOf(values), rows, columns);
  }

  /** The map's colours, RGBA at the picture's size, and `shown` with them; null without a map or a picture. */
  paintMap(state: ViewState): Uint8ClampedArray<ArrayBuffer> | null {
    const { map, size } = this;
    this.shown = null;
    if (map === null || size.rows === 0) return null;
    const { quantity = "", signed = false, scales: given } = this.get("_map");
    const values = resample(map, size.rows, size.columns, state.cells);
    const scales = namedScales(given, map.values);
    this.shown = { state, quantity, signed, scales, values };
    const table = signed ? colorTable(state.diverging, "diverging") : colorTable(state.colors, "sequential");
    const scale = scaleInUse(state, scales, this.shown);
    return paint(values, size.columns, table, scale, signed, state.threshold, state.even);
  }

  /** What to draw over the picture. */
  drawState({ opacity, cells }: ViewState): DrawState {
    const mask = this.mask;
    const brush = mask && (this.hovered ?? this.painting.cursor);
    return {
      window: mask ? null : this.window,
      box: this.get("box"),
      marker: this.marker,
      opacity,
      cells,
      mask,
      brush: brush && { ...brush, radius: this.painting.radius },
    };
  }

  private get kernelWindow(): Window {
    return windowOf(this.get("_window_final"));
  }

  private get kernelMarker(): Pixel | null {
    const marker = this.get("marker");
    return marker && { row: marker[0], column: marker[1] };
  }

  private get kernelMask(): Mask | null {
    const { bits } = this.get("_mask") ?? {};
    const pixels = this.size.rows * this.size.columns;
    if (bits === undefined) return null;
    if (this.readMask[0] !== bits || this.readMask[1] !== pixels) {
      this.readMask = [bits, pixels, unpack(bytesOf(bits), pixels)];
    }
    return this.readMask[2];
  }

  private reportWindow(): void {
    const { top, left, height, width } = this.heldWindow.value;
    this.report({ name: "moved", window: [top, left, height, width] });
  }

  private reportMask(): void {
    const { mask } = this.painting;
    if (mask) this.report({ name: "painted", revision: this.get("_mask").revision }, [pack(mask).buffer]);
  }

  private report(event: Payload, buffers?: ArrayBuffer[]): void {
    this.gesture = [event, buffers];
    this.effects.onMove(event, buffers);
  }
}

function windowOf([top, left, height, width]: Four): Window {
  return { top, left, height, width };
}

function samePixel(a: Pixel | null, b: Pixel | null): boolean {
  return a?.row === b?.row && a?.column === b?.column;
}
