// The hand on the canvas: pointer and keyboard become moves of the occlusion window, or a picked pixel.

import type { Grip, Viewport } from "../geometry/viewport.ts";
import { centre, fit, grow, type Room, resize, shift, type Window } from "../geometry/window.ts";
import type { Painting } from "./painting.ts";

export interface Pixel {
  readonly row: number;
  readonly column: number;
}

/** What the hand moves. */
export interface Subject {
  readonly mode: "view" | "window" | "point";
  readonly room: Room;
  readonly window: Window | null;
  /** Where Escape puts the window. */
  readonly start: Window;
  readonly marker: Pixel | null;
  /** Whether there is a brush, and what it covers: null while the window does. */
  readonly hasBrush: boolean;
  readonly mask: Uint8Array | null;
  readonly painting: Painting;
  /** Take the brush or the patch, take a stroke back, or all of them. */
  paint(act: "takeBrush" | "takePatch" | "undo" | "clear"): void;
  moveWindow(window: Window): void;
  pickPoint(pixel: Pixel): void;
  beginGesture(): void;
  endGesture(): void;
  /** The pixel under the pointer, or null. */
  hover(pixel: Pixel | null): void;
}

/** What the hand is on. */
export interface Surface {
  readonly canvas: HTMLCanvasElement;
  readonly viewport: Viewport | null;
}

interface Drag {
  readonly pointer: number;
  readonly origin: Window | null;
  readonly follow: (row: number, column: number) => void;
}

const ARROWS: Record<string, readonly [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** Follows the pointer once a frame; ends every gesture with `endGesture`. */
export class Hand {
  private drag: Drag | null = null;
  private at: { x: number; y: number } | null = null;
  private frame = 0;
  private typing = false;
  /** Whether the space bar is down. */
  private pressing = false;
  /** A finger beside the window, which may be about to scroll the page. */
  private tap: { pointer: number; x: number; y: number } | null = null;

  constructor(
    private readonly surface: Surface,
    private readonly subject: Subject,
    signal: AbortSignal,
  ) {
    const on = <Name extends keyof HTMLElementEventMap>(
      name: Name,
      listener: (event: HTMLElementEventMap[Name]) => void,
    ) => surface.canvas.addEventListener(name, listener, { signal });
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", (event) => this.abandon(event));
    on("lostpointercapture", (event) => this.abandon(event));
    on("pointerleave", () => this.leave());
    // Elsewhere a finger scrolls the page.
    surface.canvas.addEventListener("touchstart", (event) => this.touch(event), { signal, passive: false });
    // A finger that holds still half-way through a drag wants no menu.
    on("contextmenu", (event) => this.drag !== null && event.preventDefault());
    on("keydown", (event) => this.pressKey(event));
    on("keyup", (event) => this.releaseKey(event.key));
    on("blur", () => this.releaseKey(" "));
    signal.addEventListener("abort", () => {
      cancelAnimationFrame(this.frame);
      this.releaseKey(" ");
      this.end();
    });
  }

  private press(event: PointerEvent): void {
    const { mode } = this.subject;
    const { viewport } = this.surface;
    if (viewport === null || mode === "view" || event.button !== 0 || !event.isPrimary || this.drag !== null) return;
    this.endTyping();
    this.at = this.locate(event);
    const { row, column } = viewport.locate(this.at.x, this.at.y);
    if (event.pointerType === "touch" && !this.takesHold(this.at, 18)) {
      this.tap = { pointer: event.pointerId, ...this.at };
      return;
    }
    this.subject.beginGesture();
    const origin = this.subject.window;
    const follow =
      mode === "point" ? this.picking() : this.subject.mask ? this.brushing() : this.holding(row, column, reach(event));
    this.drag = { pointer: event.pointerId, origin, follow };
    try {
      this.surface.canvas.setPointerCapture(event.pointerId);
    } catch {
      // The pointer is already gone: its pointerup ends the gesture all the same.
    }
    follow(row, column);
    this.surface.canvas.focus({ preventScroll: true });
  }

  /** Follows with the pixel under the pointer. */
  private picking(): Drag["follow"] {
    return () => {
      const { viewport } = this.surface;
      if (viewport && this.at) this.subject.pickPoint(viewport.pixel(this.at.x, this.at.y));
    };
  }

  /** Follows with the brush. */
  private brushing(): Drag["follow"] {
    this.subject.painting.cursor = null;
    return (row, column) => this.subject.painting.paintTo(row, column);
  }

  /** Whether a press at a CSS position takes hold of something; `miss` is how far a finger may miss. */
  private takesHold({ x, y }: { x: number; y: number }, miss: number): boolean {
    const { mode, mask, window } = this.subject;
    if (mode !== "window" || mask) return mode !== "view";
    return window !== null && this.surface.viewport?.grip(x, y, window, miss) !== "outside";
  }

  private touch(event: TouchEvent): void {
    const [finger] = event.touches;
    if (event.touches.length === 1 && finger && this.takesHold(this.locate(finger), 18)) event.preventDefault();
  }

  /** Follows with the part of the window that was taken hold of; a press beside the window fetches it. */
  private holding(row: number, column: number, miss: number): Drag["follow"] {
    const { room } = this.subject;
    const { viewport } = this.surface;
    let window = this.subject.window ?? this.subject.start;
    const grip: Grip = viewport!.grip(this.at!.x, this.at!.y, window, miss);
    if (grip === "inside" || grip === "outside") {
      if (grip === "outside") window = centre(window, row, column, room);
      const down = window.top - row;
      const right = window.left - column;
      return (toRow, toColumn) =>
        this.subject.moveWindow(fit({ ...window, top: toRow + down, left: toColumn + right }, room));
    }
    const down = window.top + (grip.vertical > 0 ? window.height : 0) - row;
    const right = window.left + (grip.horizontal > 0 ? window.width : 0) - column;
    return (toRow, toColumn) => this.subject.moveWindow(resize(window, grip, toRow + down, toColumn + right, room));
  }

  private move(event: PointerEvent): void {
    if (this.drag !== null && event.pointerId !== this.drag.pointer) return;
    this.at = this.locate(event);
    if (this.drag === null) this.pointAt(event);
    if (this.frame === 0) {
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.follow();
      });
    }
  }

  private follow(): void {
    const { viewport } = this.surface;
    if (viewport === null || this.at === null) return;
    if (this.drag !== null) {
      const { row, column } = viewport.locate(this.at.x, this.at.y);
      this.drag.follow(row, column);
    }
    this.subject.hover(viewport.pixel(this.at.x, this.at.y));
  }

  private release(event: PointerEvent): void {
    const { tap } = this;
    this.tap = null;
    if (tap?.pointer === event.pointerId) this.fetch(tap, this.locate(event));
    if (event.pointerId !== this.drag?.pointer) return;
    this.at = this.locate(event);
    this.follow();
    this.end();
    if (event.pointerType === "touch") this.leave();
  }

  /** A finger that tapped beside the window, and did not scroll, fetches it. */
  private fetch(from: { x: number; y: number }, to: { x: number; y: number }): void {
    const { viewport } = this.surface;
    if (viewport === null || Math.hypot(to.x - from.x, to.y - from.y) > 10) return;
    const { row, column } = viewport.locate(to.x, to.y);
    this.subject.beginGesture();
    this.subject.moveWindow(centre(this.subject.window ?? this.subject.start, row, column, this.subject.room));
    this.subject.endGesture();
  }

  /** The system took the pointer away: the window stays where the hand last had it. */
  private abandon(event: PointerEvent): void {
    if (event.pointerId === this.tap?.pointer) this.tap = null;
    if (event.pointerId === this.drag?.pointer) this.end();
  }

  private end(): void {
    if (this.drag === null) return;
    const { pointer } = this.drag;
    this.drag = null;
    if (this.surface.canvas.hasPointerCapture(pointer)) this.surface.canvas.releasePointerCapture(pointer);
    this.subject.endGesture();
  }

  private leave(): void {
    if (this.drag !== null) return;
    this.at = null;
    this.subject.hover(null);
  }

  private pressKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (!this.handleKey(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  private handleKey(event: KeyboardEvent): boolean {
    const { mode, room, window, painting, mask } = this.subject;
    if (this.drag !== null && mask && mode === "window") {
      if (event.key !== "Escape") return false;
      painting.drop();
      this.end();
      return true;
    }
    if (this.drag !== null) {
      // Half-way through a drag only Escape means something: as if it had not begun.
      if (event.key !== "Escape" || this.drag.origin === null || mode !== "window") return false;
      this.subject.moveWindow(this.drag.origin);
      this.end();
      return true;
    }
    if (mode === "point") return this.steer(event);
    if (mode !== "window" || window === null) return false;
    if (this.subject.hasBrush && (event.key === "m" || event.key === "M")) {
      this.endTyping();
      this.subject.paint(mask ? "takePatch" : "takeBrush");
      return true;
    }
    if (mask) return this.paintByKey(event);
    const moved = windowAfterKey(event, window, room, this.subject.start);
    if (moved === null) return false;
    this.type(() => this.subject.moveWindow(moved));
    return true;
  }

  private steer(event: KeyboardEvent): boolean {
    const { room, marker } = this.subject;
    const arrow = ARROWS[event.key];
    const middle = { row: Math.floor(room.rows / 2), column: Math.floor(room.columns / 2) };
    if (!arrow && event.key !== "Home") return false;
    const step = event.shiftKey ? 10 : 1;
    const to =
      arrow && marker
        ? {
            row: Math.max(0, Math.min(room.rows - 1, marker.row + arrow[0] * step)),
            column: Math.max(0, Math.min(room.columns - 1, marker.column + arrow[1] * step)),
          }
        : middle;
    this.type(() => this.subject.pickPoint(to));
    return true;
  }

  private paintByKey({ key, shiftKey }: KeyboardEvent): boolean {
    const { painting, room } = this.subject;
    const arrow = ARROWS[key];
    const at = painting.cursor ?? { row: Math.floor(room.rows / 2), column: Math.floor(room.columns / 2) };
    if (arrow || key === " ") {
      const step = arrow ? (shiftKey ? 3 : 1) * Math.max(1, Math.round(painting.radius / 2)) : 0;
      const row = Math.max(0, Math.min(room.rows - 1, at.row + (arrow?.[0] ?? 0) * step));
      const column = Math.max(0, Math.min(room.columns - 1, at.column + (arrow?.[1] ?? 0) * step));
      painting.cursor = { row, column };
      this.pressing ||= key === " ";
      if (this.pressing) this.type(() => painting.paintTo(row + 0.5, column + 0.5));
    } else if (key === "+" || key === "=") painting.radius += 1;
    else if (key === "-" || key === "_") painting.radius -= 1;
    else if (key === "x" || key === "X") painting.restores = !painting.restores;
    else if (key === "u" || key === "U") this.subject.paint("undo");
    else if (key === "Delete" || key === "Backspace") this.subject.paint("clear");
    else if (key === "Escape" && this.typing) painting.drop();
    else return false;
    this.subject.hover(null);
    return true;
  }

  private releaseKey(key: string): void {
    if (key === " ") this.pressing = false;
    // With the space bar down arrow keys go on with one stroke.
    if (!this.pressing) this.endTyping();
  }

  /** Keys held down are one gesture, which ends with the key. */
  private type(change: () => void): void {
    if (!this.typing) this.subject.beginGesture();
    this.typing = true;
    change();
  }

  private endTyping(): void {
    if (!this.typing) return;
    this.typing = false;
    this.subject.endGesture();
  }

  private pointAt(event: PointerEvent): void {
    const { mode, window } = this.subject;
    const { viewport } = this.surface;
    if (mode !== "window" || window === null || viewport === null || this.subject.mask) {
      this.surface.canvas.style.cursor = mode === "view" ? "" : "crosshair";
      return;
    }
    const { x, y } = this.locate(event);
    this.surface.canvas.style.cursor = cursor(viewport.grip(x, y, window, reach(event)));
  }

  private locate(event: { clientX: number; clientY: number }): { x: number; y: number } {
    const bounds = this.surface.canvas.getBoundingClientRect();
    const { width = bounds.width, height = bounds.height } = this.surface.viewport ?? {};
    // The ratio is 1 unless the page is scaled by a CSS transform.
    return {
      x: ((event.clientX - bounds.left) * width) / bounds.width,
      y: ((event.clientY - bounds.top) * height) / bounds.height,
    };
  }
}

/** The window after a key, or null for a key that means nothing here. */
function windowAfterKey({ key, shiftKey }: KeyboardEvent, window: Window, room: Room, start: Window): Window | null {
  const arrow = ARROWS[key];
  if (arrow) {
    const [down, right] = shiftKey ? [Math.ceil(window.height / 2), Math.ceil(window.width / 2)] : [1, 1];
    return shift(window, arrow[0] * down, arrow[1] * right, room);
  }
  if (key === "+" || key === "=") return grow(window, 2, room);
  if (key === "-" || key === "_") return grow(window, -2, room);
  if (key === "Home") return centre(window, room.rows / 2, room.columns / 2, room);
  return key === "Escape" ? start : null;
}

function reach(event: PointerEvent): number {
  return event.pointerType === "touch" ? 18 : 8;
}

function cursor(grip: Grip): string {
  if (grip === "inside") return "move";
  if (grip === "outside") return "crosshair";
  const { vertical, horizontal } = grip;
  if (vertical === 0) return "ew-resize";
  if (horizontal === 0) return "ns-resize";
  return vertical === horizontal ? "nwse-resize" : "nesw-resize";
}
