// Draws the picture, the occlusion window's crop of the baseline, the map over both, and the outlines.

import { opaque } from "./blend.ts";
import type { Window } from "./occlusion_window.ts";
import type { Rectangle, Viewport } from "./viewport.ts";

export interface Scene {
  readonly viewport: Viewport;
  readonly window: Window | null;
  /** top, left, bottom, right; may reach beyond the picture. */
  readonly box: readonly [number, number, number, number] | null;
  readonly marker: readonly [number, number] | null;
  readonly opacity: number;
  readonly cells: boolean;
}

/** Pictures kept as canvases at their own size, so that a frame is three `drawImage` calls. */
export class Drawing {
  private picture: HTMLCanvasElement | null = null;
  private baseline: HTMLCanvasElement | null = null;
  private map: HTMLCanvasElement | null = null;

  showPicture(rgb: Uint8Array, columns: number): void {
    this.picture = layer(opaque(rgb), columns);
  }

  /** The picture as it is under the window, or null: then the window is grey. */
  showBaseline(rgb: Uint8Array | null, columns: number): void {
    this.baseline = rgb && layer(opaque(rgb), columns);
  }

  showMap(rgba: Uint8ClampedArray<ArrayBuffer> | null, columns: number): void {
    this.map = rgba && layer(rgba, columns);
  }

  draw(context: CanvasRenderingContext2D, scene: Scene): void {
    const { viewport, window, box, marker } = scene;
    const { deviceWidth, deviceHeight, density } = viewport;
    context.clearRect(0, 0, deviceWidth, deviceHeight);
    if (this.picture === null) return;
    context.imageSmoothingQuality = "high";
    context.imageSmoothingEnabled = !viewport.magnified;
    context.drawImage(this.picture, 0, 0, deviceWidth, deviceHeight);
    if (window !== null) this.occlude(context, window, viewport.place(window.top, window.left, window.height, window.width));
    if (this.map !== null) {
      context.globalAlpha = scene.opacity;
      const enlarged = deviceWidth >= this.map.width;
      context.imageSmoothingEnabled = !viewport.magnified && !(scene.cells && enlarged);
      context.drawImage(this.map, 0, 0, deviceWidth, deviceHeight);
      context.globalAlpha = 1;
    }
    if (box !== null) outlineBox(context, viewport, box);
    if (marker !== null) outlineMarker(context, viewport, marker);
    if (window !== null) {
      const place = viewport.place(window.top, window.left, window.height, window.width);
      twoTone(context, density, (inset) => context.strokeRect(...inner(place, inset)));
      drawHandles(context, place, density);
    }
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

function layer(rgba: Uint8ClampedArray<ArrayBuffer>, columns: number): HTMLCanvasElement {
  const image = new ImageData(rgba, columns);
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d")!.putImageData(image, 0, 0);
  return canvas;
}

/** Black under white: one of the two is seen on any picture. `stroke` gets the line's inset in device pixels. */
function twoTone(context: CanvasRenderingContext2D, density: number, stroke: (inset: number) => void): void {
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

function inner({ x, y, width, height }: Rectangle, inset: number): [number, number, number, number] {
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
function outlineBox(context: CanvasRenderingContext2D, viewport: Viewport, box: NonNullable<Scene["box"]>): void {
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

/** A pixel's own outline where it is large enough to be seen, else a ring around it. */
function outlineMarker(context: CanvasRenderingContext2D, viewport: Viewport, [row, column]: NonNullable<Scene["marker"]>): void {
  const { density } = viewport;
  const place = viewport.place(row, column, 1, 1);
  if (viewport.width / viewport.columns >= 8) {
    twoTone(context, density, () => context.strokeRect(place.x, place.y, place.width, place.height));
    return;
  }
  twoTone(context, density, () => {
    context.beginPath();
    context.arc(place.x + place.width / 2, place.y + place.height / 2, 6 * density, 0, 2 * Math.PI);
    context.stroke();
  });
}
