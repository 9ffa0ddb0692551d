// The canvas: the picture, the occlusion window's crop of the baseline, the map over both, and the outlines.
import { toGrey, toRgba } from "../color/blend.ts";
import { element } from "../core/element.ts";
import type { View } from "../core/widget.ts";
import { edges, type Mask } from "../geometry/mask.ts";
import type { Rectangle } from "../geometry/rectangle.ts";
import { Viewport } from "../geometry/viewport.ts";
import type { Window } from "../geometry/window.ts";
import type { Pixel } from "./hand.ts";

/** What lies over the picture. */
export interface DrawState {
  readonly window: Window | null;
  /** What is covered in place of the window, and the brush over it, in pixels of the picture. */
  readonly mask?: Mask | null;
  readonly brush?: (Pixel & { readonly radius: number }) | null;
  /** top, left, bottom, right; may reach beyond the picture. */
  readonly box: readonly [number, number, number, number] | null;
  readonly marker: Pixel | null;
  readonly opacity: number;
  readonly cells: boolean;
  /** Which half is drawn where the picture and the map stand beside each other; both, if undefined. */
  readonly pane?: "photograph" | "map";
}

/** How faint a stale map is, as a share of its opacity, and for how long it may be so unnoticed, in milliseconds. */
const STALE = 0.38;
const SOON = 300;

/** Pictures kept as canvases at their own size, so that a frame is three `drawImage` calls. */
export class Drawing {
  readonly canvas = element("canvas", "cnnviz-picture-canvas", { "data-lm-suppress-shortcuts": "true" });
  /** null until there is a picture and room for it. */
  viewport: Viewport | null = null;
  private picture: HTMLCanvasElement | null = null;
  private grey: HTMLCanvasElement | null = null;
  private baseline: HTMLCanvasElement | null = null;
  private map: HTMLCanvasElement | null = null;
  private covered: { mask: Mask; filling: Uint8Array | null; layer: HTMLCanvasElement; outline: Path2D } | null = null;
  private filling: Uint8Array | null = null;
  private frame = 0;
  private fading: ReturnType<typeof setTimeout> | undefined;
  private faint = false;
  private readonly resizes = new ResizeObserver((entries) => this.measure(entries.at(-1)));

  /** `stateNow` tells what to draw, `onDraw` is called after each drawing. */
  constructor(
    view: Pick<View<unknown>, "listen">,
    private readonly stateNow: () => DrawState,
    private readonly onDraw: () => void,
  ) {
    try {
      this.resizes.observe(this.canvas, { box: "device-pixel-content-box" });
    } catch {
      this.resizes.observe(this.canvas); // Safari
    }
    view.listen(window, "resize", () => this.measure());
  }

  showPicture(rgb: Uint8Array, columns: number): void {
    this.picture = layer(toRgba(rgb), columns);
    this.grey = layer(toGrey(rgb), columns);
    this.canvas.style.aspectRatio = `${this.picture.width} / ${this.picture.height}`;
  }

  /** The picture as it is under the window; null: the window is grey. */
  showBaseline(rgb: Uint8Array | null): void {
    this.filling = rgb;
    this.baseline = rgb && this.picture && layer(toRgba(rgb), this.picture.width);
    this.schedule();
  }

  showMap(rgba: Uint8ClampedArray<ArrayBuffer> | null, columns: number): void {
    this.map = rgba && layer(rgba, columns);
    this.schedule();
  }

  /** Draw the map faintly, unless the next comes so soon that it would only flicker. */
  showStale(stale: boolean): void {
    clearTimeout(this.fading);
    const show = (): void => {
      this.faint = stale;
      this.schedule();
    };
    if (stale) this.fading = setTimeout(show, SOON);
    else show();
  }

  /** Make the backing store as large as the canvas is on the screen, and draw. */
  measure(entry?: ResizeObserverEntry): void {
    const { canvas, picture } = this;
    const { width, height } = entry?.contentRect ?? { width: canvas.clientWidth, height: canvas.clientHeight };
    if (width === 0 || height === 0 || picture === null) return;
    const exact = entry?.devicePixelContentBoxSize?.[0];
    const deviceWidth = devicePixels(width, exact?.inlineSize);
    const deviceHeight = devicePixels(height, exact?.blockSize);
    this.viewport = new Viewport(width, height, deviceWidth, deviceHeight, picture.height, picture.width);
    if (canvas.width !== deviceWidth || canvas.height !== deviceHeight) {
      canvas.width = deviceWidth;
      canvas.height = deviceHeight;
    }
    this.draw(); // at once: a resized canvas is blank
  }

  /** Draw with the next frame. */
  schedule(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.draw());
  }

  draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const context = this.canvas.getContext("2d");
    if (context === null || this.viewport === null) return;
    this.paint(context, this.viewport, this.stateNow());
    this.onDraw();
  }

  /** Whether the canvas takes up room on the page. */
  get shown(): boolean {
    return this.canvas.clientWidth > 0;
  }

  dispose(): void {
    this.resizes.disconnect();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.fading);
  }

  private paint(context: CanvasRenderingContext2D, viewport: Viewport, state: DrawState): void {
    const { window, box, marker } = state;
    const map = state.pane === "photograph" || state.opacity === 0 ? null : this.map;
    const { deviceWidth, deviceHeight, density } = viewport;
    context.clearRect(0, 0, deviceWidth, deviceHeight);
    // Colour belongs to the map.
    const under = map === null ? this.picture : this.grey;
    if (under === null) return;
    context.imageSmoothingQuality = "high";
    context.imageSmoothingEnabled = !viewport.magnified;
    context.drawImage(under, 0, 0, deviceWidth, deviceHeight);
    if (map !== null) {
      context.globalAlpha = state.opacity * (this.faint ? STALE : 1);
      const enlarged = deviceWidth >= map.width;
      context.imageSmoothingEnabled = !viewport.magnified && !(state.cells && enlarged);
      context.drawImage(map, 0, 0, deviceWidth, deviceHeight);
      context.globalAlpha = 1;
      context.imageSmoothingEnabled = !viewport.magnified;
    }
    const place = window && viewport.place(window.top, window.left, window.height, window.width);
    if (window !== null && place !== null && state.pane !== "map") this.occlude(context, window, place);
    if (state.mask) this.cover(context, viewport, state.mask, state.pane !== "map");
    if (state.brush && state.pane !== "map") outlineBrush(context, viewport, state.brush);
    if (box !== null) outlineBox(context, viewport, box);
    if (marker !== null) outlineMarker(context, viewport, marker);
    if (place !== null) {
      strokeTwice(context, density, (inset) => context.strokeRect(...shrink(place, inset)));
      if (state.pane !== "map") drawHandles(context, place, density);
    }
  }

  /** What the brush has covered, filled on the picture and outlined on the map. */
  private cover(context: CanvasRenderingContext2D, viewport: Viewport, mask: Mask, filled: boolean): void {
    const { rows, columns, deviceWidth, deviceHeight, density } = viewport;
    if (mask.length !== rows * columns) return;
    if (this.covered?.mask !== mask || this.covered.filling !== this.filling) {
      const outline = new Path2D();
      edges(mask, { rows, columns }, (fromRow, fromColumn, toRow, toColumn) => {
        outline.moveTo(fromColumn, fromRow);
        outline.lineTo(toColumn, toRow);
      });
      const rgba = new Uint8ClampedArray(4 * mask.length);
      for (let pixel = 0; pixel < mask.length; pixel++) {
        for (let part = 0; part < 3; part++) rgba[4 * pixel + part] = this.filling?.[3 * pixel + part] ?? 128;
        rgba[4 * pixel + 3] = 255 * mask[pixel]!;
      }
      this.covered = { mask, filling: this.filling, layer: layer(rgba, columns), outline };
    }
    context.imageSmoothingEnabled = false;
    if (filled) context.drawImage(this.covered.layer, 0, 0, deviceWidth, deviceHeight);
    const scale = deviceWidth / columns;
    context.save();
    context.scale(scale, deviceHeight / rows);
    context.lineCap = "square";
    for (const [color, width] of [
      ["#000", 3],
      ["#fff", 1.25],
    ] as const) {
      context.strokeStyle = color;
      context.lineWidth = (width * density) / scale;
      context.stroke(this.covered.outline);
    }
    context.restore();
  }

  private occlude(context: CanvasRenderingContext2D, window: Window, place: Rectangle): void {
    const { x, y, width, height } = place;
    if (this.baseline === null) {
      context.fillStyle = "#808080";
      context.fillRect(x, y, width, height);
    } else {
      context.drawImage(this.baseline, window.left, window.top, window.width, window.height, x, y, width, height);
    }
  }
}

/** A CSS length in device pixels: what the browser says, where it knows how it rounds. */
function devicePixels(length: number, exact: number | undefined): number {
  const computed = length * devicePixelRatio;
  return exact !== undefined && Math.abs(exact - computed) < 1 ? exact : Math.round(computed);
}

function layer(rgba: Uint8ClampedArray<ArrayBuffer>, columns: number): HTMLCanvasElement {
  const image = new ImageData(rgba, columns);
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d")!.putImageData(image, 0, 0);
  return canvas;
}

/** Black under white: one of the two is seen on any picture. `stroke` gets the line's inset in device pixels. */
function strokeTwice(context: CanvasRenderingContext2D, density: number, stroke: (inset: number) => void): void {
  const line = Math.max(1, Math.round(1.5 * density));
  const edge = Math.max(1, Math.round(density));
  context.lineJoin = "miter";
  context.strokeStyle = "#000";
  context.lineWidth = line + 2 * edge;
  context.setLineDash([]);
  stroke(line / 2);
  context.strokeStyle = "#fff";
  context.lineWidth = line;
  stroke(line / 2);
}

function shrink({ x, y, width, height }: Rectangle, inset: number): [number, number, number, number] {
  return [x + inset, y + inset, Math.max(0, width - 2 * inset), Math.max(0, height - 2 * inset)];
}

function drawHandles(context: CanvasRenderingContext2D, { x, y, width, height }: Rectangle, density: number): void {
  const half = Math.round(Math.min(4 * density, Math.max(2 * density, Math.min(width, height) / 6)));
  const edge = Math.max(1, Math.round(density));
  for (const cornerX of [x, x + width]) {
    for (const cornerY of [y, y + height]) {
      context.fillStyle = "#000";
      context.fillRect(cornerX - half - edge, cornerY - half - edge, 2 * (half + edge), 2 * (half + edge));
      context.fillStyle = "#fff";
      context.fillRect(cornerX - half, cornerY - half, 2 * half, 2 * half);
    }
  }
}

/** Sides inside the picture are dashed; a side beyond it is dotted along the border. */
function outlineBox(context: CanvasRenderingContext2D, viewport: Viewport, box: NonNullable<DrawState["box"]>): void {
  const { density, deviceWidth, deviceHeight } = viewport;
  const [top, left, bottom, right] = box;
  const place = viewport.place(top, left, bottom - top, right - left);
  const pad = 2 * density;
  const x = Math.max(pad, place.x);
  const y = Math.max(pad, place.y);
  const endX = Math.min(deviceWidth - pad, place.x + place.width);
  const endY = Math.min(deviceHeight - pad, place.y + place.height);
  const sides = [
    [x, y, endX, y, place.y < 0],
    [endX, y, endX, endY, place.x + place.width > deviceWidth],
    [endX, endY, x, endY, place.y + place.height > deviceHeight],
    [x, endY, x, y, place.x < 0],
  ] as const;
  for (const [fromX, fromY, toX, toY, beyond] of sides) {
    context.beginPath();
    context.moveTo(fromX, fromY);
    context.lineTo(toX, toY);
    context.lineCap = "butt";
    context.setLineDash([]);
    context.strokeStyle = "rgb(0 0 0 / 80%)";
    context.lineWidth = 4 * density;
    if (!beyond) context.stroke();
    context.setLineDash((beyond ? [2, 6] : [7, 4]).map((length) => length * density));
    context.strokeStyle = "#ffd54a";
    context.lineWidth = (beyond ? 3 : 2) * density;
    context.stroke();
  }
  context.setLineDash([]);
}

function outlineBrush(
  context: CanvasRenderingContext2D,
  viewport: Viewport,
  { row, column, radius }: NonNullable<DrawState["brush"]>,
): void {
  const place = viewport.place(row, column, 1, 1);
  strokeTwice(context, viewport.density, () => {
    context.beginPath();
    const reach = Math.max(3 * viewport.density, (radius * viewport.deviceWidth) / viewport.columns);
    context.arc(place.x + place.width / 2, place.y + place.height / 2, reach, 0, 2 * Math.PI);
    context.stroke();
  });
}

/** A pixel's own outline where it is large enough to be seen, else a ring around it. */
function outlineMarker(context: CanvasRenderingContext2D, viewport: Viewport, { row, column }: Pixel): void {
  const { density } = viewport;
  const place = viewport.place(row, column, 1, 1);
  if (viewport.width / viewport.columns >= 8) {
    strokeTwice(context, density, () => context.strokeRect(place.x, place.y, place.width, place.height));
    return;
  }
  strokeTwice(context, density, () => {
    context.beginPath();
    context.arc(place.x + place.width / 2, place.y + place.height / 2, 6 * density, 0, 2 * Math.PI);
    context.stroke();
  });
}
