// A map of pictures as points, without a kernel: the pictures under the pointer and in a lasso, and true neighbours.

import { bytesOf } from "../core/model.ts";
import type { Points } from "./chart.ts";
import type { Page } from "./page.ts";

export interface PointsSpec {
  readonly kind: "points";
  /** Numbers of widgets: the chart, tiles for what is pointed at or selected, and a line of text. */
  readonly chart: number;
  readonly tiles: number;
  readonly status: number;
  /** A value: a thumbnail of each picture, its caption and its label, and the places of its nearest in the features. */
  readonly pictures: number;
  /** "{n} pictures: {labels}." and "The nearest of {name} in the features." */
  readonly lasso: string;
  readonly near: string;
}

interface Pictures {
  readonly sheet: { readonly pixels: unknown };
  readonly tile_size: [number, number];
  readonly captions: string[];
  readonly labels: string[];
  readonly neighbours: number[][];
}

type Point = readonly [number, number];

export function playPoints(page: Page, spec: PointsSpec): void {
  const chart = page.model(spec.chart);
  const pictures = page.value(spec.pictures) as Pictures;
  const path: Point[] = [];

  const show = (rows: number[], text: string) => {
    const part = chart.get("part") as Points;
    chart.write({ part: { ...part, selected: rows } });
    page.model(spec.tiles).write(tilesOf(pictures, rows, Number(page.model(spec.tiles).get("revision")) + 1));
    page.model(spec.status).write({ text, answer: {} });
  };
  const lassoed = () => {
    const xy = new Float32Array(bytesOf((chart.get("part") as Points).positions).slice().buffer);
    const rows = pictures.captions.map((_, row) => row).filter((row) => inside([xy[2 * row]!, xy[2 * row + 1]!], path));
    const labels = [...counts(rows.map((row) => pictures.labels[row]!))]
      .map(([label, n]) => `${label} ${n}`)
      .join(", ");
    show(rows, spec.lasso.replace("{n}", String(rows.length)).replace("{labels}", labels));
  };
  const clicked = (row: number) => {
    const near = pictures.neighbours[row] ?? [];
    show([row, ...near], spec.near.replace("{name}", pictures.captions[row] ?? ""));
  };

  const at = (event: PointerEvent): [SVGSVGElement, Point] | null => {
    const svg = (event.target as Element).closest<SVGSVGElement>(".chart-points");
    const matrix = svg?.getScreenCTM();
    if (!svg || !matrix) return null;
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    return [svg, [point.x, -point.y]];
  };
  // The chart is drawn anew while a lasso grows: the document hears the hand.
  document.addEventListener("pointerdown", (event) => {
    const found = at(event);
    path.length = 0;
    if (found === null || !isOf(chart, found[0])) return;
    event.preventDefault();
    path.push(found[1]);
  });
  document.addEventListener("pointermove", (event) => {
    const found = path.length ? at(event) : null;
    if (found === null) return;
    path.push(found[1]);
    drawLasso(found[0], path);
  });
  document.addEventListener("pointerup", (event) => {
    if (path.length === 0) return;
    const row = (event.target as Element).getAttribute("data-point");
    if (path.length < 4 && row !== null) clicked(Number(row));
    else if (path.length >= 4) lassoed();
    path.length = 0;
  });
}

/** Whether a drawing is of this chart: it has as many points. */
function isOf(chart: { get(name: string): unknown }, svg: SVGSVGElement): boolean {
  return svg.querySelectorAll("[data-point]").length === (chart.get("part") as Points | null)?.colours.length;
}

function drawLasso(svg: SVGSVGElement, path: Point[]): void {
  svg.querySelector(".chart-lasso")?.remove();
  const line = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
  line.setAttribute("class", "chart-lasso");
  line.setAttribute("points", path.map(([x, y]) => `${x},${-y}`).join(" "));
  svg.append(line);
}

/** Whether a point lies inside a closed path: by how often a ray crosses it. */
export function inside([x, y]: Point, path: readonly Point[]): boolean {
  let found = false;
  path.forEach(([x1, y1], at) => {
    const [x0, y0] = path[(at + path.length - 1) % path.length]!;
    if (y1 > y !== y0 > y && x < ((x0 - x1) * (y - y1)) / (y0 - y1) + x1) found = !found;
  });
  return found;
}

/** How often each text is there, the most frequent first. */
export function counts(texts: string[]): [string, number][] {
  const found = new Map<string, number>();
  for (const text of texts) found.set(text, (found.get(text) ?? 0) + 1);
  return [...found].sort(([, a], [, b]) => b - a);
}

function tilesOf({ sheet, tile_size, captions, labels }: Pictures, rows: number[], revision: number) {
  const bytes = bytesOf(sheet.pixels);
  const size = tile_size[0] * tile_size[1] * 3;
  const part = new Uint8Array(rows.length * size);
  for (const [at, row] of rows.entries()) part.set(bytes.subarray(row * size, (row + 1) * size), at * size);
  const texts = { labels: rows.map((row) => captions[row]!), badges: rows.map((row) => labels[row]!) };
  return { selected: null, count: rows.length, tile_size, channels: 3, sheet: part, ...texts, revision };
}
