// What the tile grid draws from its traits.
import { colorTable, tableNames } from "./colormaps.ts";
import { type Grid, type GridShape, paintTile, type Rectangle } from "./grid.ts";
import { bytesOf } from "./model.ts";
import type { View } from "./view.ts";

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
}

const GAP = 8;
export const MARGIN = 6;
export const CAPTION = 18;
const MOST_ASKED = 1600;

/** The grid that the traits ask for. */
export function shape(view: View<Traits>): GridShape {
  const [height, width] = view.get("tile_size");
  return {
    count: view.get("count"),
    columns: view.get("columns"),
    tileWidth: Math.max(8, view.get("tile_width")),
    aspect: width > 0 ? height / width : 1,
    caption: view.get("captions") && view.get("labels").length > 0 ? CAPTION : 0,
    gap: GAP,
    margin: MARGIN,
  };
}

/** As many blanks as a row would have tiles: they wrap where there is less room. */
export function rule(ruler: HTMLElement, view: View<Traits>): void {
  const { count, columns, tileWidth } = shape(view);
  const wanted = Math.min(columns || count, Math.ceil(MOST_ASKED / tileWidth));
  ruler.style.padding = `0 ${MARGIN}px`;
  while (ruler.childElementCount > wanted) ruler.lastChild?.remove();
  while (ruler.childElementCount < wanted) ruler.append(document.createElement("span"));
  for (const blank of ruler.children) (blank as HTMLElement).style.width = `${tileWidth + GAP}px`;
}

/** Label and badge of a tile, as one text. */
export function words(view: View<Traits>, index: number): string {
  return [view.get("labels")[index], view.get("badges")[index]].filter(Boolean).join(" · ");
}

export function place(target: HTMLElement, { x, y, width, height }: Rectangle): void {
  target.style.cssText = `left:${x}px;top:${y}px;width:${width}px;height:${height}px`;
}

export function clipped(area: Rectangle, content: { width: number; height: number }): Rectangle {
  return {
    ...area,
    width: Math.max(0, Math.min(area.width, content.width - area.x)),
    height: Math.max(0, Math.min(area.height, content.height - area.y)),
  };
}

/** Draw the tiles `visible` of `area` at the screen's own resolution. */
export function paint(
  view: View<Traits>,
  grid: Grid,
  area: Rectangle,
  visible: number[],
  canvas: HTMLCanvasElement,
  scratch: HTMLCanvasElement,
): void {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(area.width * ratio));
  canvas.height = Math.max(1, Math.round(area.height * ratio));
  place(canvas, area);
  const [height, width] = view.get("tile_size");
  const channels = view.get("channels");
  const sheet = bytesOf(view.get("sheet"));
  const to = canvas.getContext("2d");
  const from = scratch.getContext("2d", { willReadFrequently: true });
  const size = height * width * channels;
  if (!to || !from || size <= 0) return;
  scratch.width = width;
  scratch.height = height;
  const pixels = new ImageData(width, height);
  const name = view.get("colormap");
  const table = colorTable(name, tableNames("diverging").includes(name) ? "diverging" : "sequential");
  to.imageSmoothingEnabled = !view.get("pixelated");
  to.imageSmoothingQuality = "high";
  for (const index of visible) {
    if ((index + 1) * size > sheet.length) break; // a count that runs ahead of its sheet
    paintTile(sheet, index, height * width, channels, table, pixels.data);
    from.putImageData(pixels, 0, 0);
    const tile = grid.tile(index);
    // Whole device pixels, or the edges blur.
    const left = Math.round((tile.x - area.x) * ratio);
    const top = Math.round((tile.y - area.y) * ratio);
    to.drawImage(scratch, left, top, Math.round(tile.width * ratio), Math.round(tile.height * ratio));
  }
}
