// The charts of panels, drawn without a kernel from what is in their figures (cnnviz_widgets/views/take/parts.py).
import { element } from "../core/element.ts";
import { bytesOf } from "../core/model.ts";
import { short } from "./numbers.ts";

export interface Bars {
  readonly kind: "bars";
  readonly caption: string;
  readonly names: string[];
  readonly values: number[];
  readonly behind: number[];
  readonly low: number;
  readonly high: number;
}
export interface Curves {
  readonly kind: "curves";
  readonly caption: string;
  readonly across: string;
  readonly up: string;
  readonly lines: [number, number][][];
  readonly colours: string[];
  readonly ends: [number, number] | null;
}
export interface Points {
  readonly kind: "points";
  readonly caption: string;
  /** x, y of each point, -1..1, upwards, float32. */
  readonly positions: unknown;
  readonly colours: string[];
  readonly selected: number[];
  readonly legend: [string, string][];
}
export type Part = Bars | Curves | Points;

export function drawChart(part: Part | null, place: HTMLElement): void {
  if (part === null) place.replaceChildren();
  else if (part.kind === "bars") place.replaceChildren(...bars(part));
  else if (part.kind === "curves") place.replaceChildren(...curves(part));
  else place.replaceChildren(...points(part));
}

function bars({ caption, names, values, behind, low, high }: Bars): HTMLElement[] {
  const list = element("div", "chart-bars", { role: "list" });
  const share = (value: number) => (100 * (value - low)) / (high - low || 1);
  names.forEach((name, at) => {
    const value = values[at] ?? 0;
    const row = element("div", "chart-row", { role: "listitem", "aria-label": `${name}: ${short(value)}` });
    const label = element("span", "chart-name");
    label.textContent = label.title = name;
    const track = element("span", "chart-track");
    const ends = [behind[at], value].map((end) => (end === undefined ? null : end));
    ends.forEach((end, number) => {
      if (end === null) return;
      const bar = track.appendChild(element("span", number === 0 ? "chart-bar chart-ghost" : "chart-bar"));
      const [from, to] = [share(Math.min(0, end)), share(Math.max(0, end))];
      bar.style.left = `${from}%`;
      bar.style.width = `${Math.max(0, to - from)}%`;
    });
    row.append(label, track);
    list.append(row);
  });
  return [list, axis(caption, low, high)];
}

function axis(caption: string, low: number, high: number): HTMLElement {
  const line = element("div", "chart-axis");
  for (const text of [short(low), caption, short(high)]) line.appendChild(element("span", "")).textContent = text;
  return line;
}

const SVG = "http://www.w3.org/2000/svg";

function svg(name: string, attributes: Record<string, string>): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function curves({ across, up, lines, colours, ends }: Curves): Element[] {
  const all = lines.flat();
  if (all.length === 0) return [];
  const [left, right] = extent(all.map(([x]) => x));
  const [low, high] = ends ?? extent(all.map(([, y]) => y));
  const chart = svg("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", class: "chart-curves", role: "img" });
  chart.setAttribute("aria-label", `${up} by ${across}`);
  lines.forEach((line, at) => {
    const place = ([x, y]: [number, number]) =>
      `${(100 * (x - left)) / (right - left || 1)},${100 - (100 * (y - low)) / (high - low || 1)}`;
    const style = { fill: "none", stroke: colours[at % colours.length] ?? "currentColor", "stroke-width": "2" };
    chart.append(
      svg("polyline", { points: line.map(place).join(" "), ...style, "vector-effect": "non-scaling-stroke" }),
    );
  });
  const title = element("div", "chart-axis");
  title.append(`${up}, ${short(low)} to ${short(high)}`);
  return [title, chart, axis(across, left, right)];
}

function extent(values: number[]): [number, number] {
  return [Math.min(...values), Math.max(...values)];
}

/** The points as circles; where some are selected, the others are paler. */
function points({ caption, positions, colours, selected, legend }: Points): Element[] {
  const bytes = bytesOf(positions);
  const xy = new Float32Array(bytes.slice().buffer);
  const chart = svg("svg", { viewBox: "-1.04 -1.04 2.08 2.08", class: "chart-points", role: "img" });
  chart.setAttribute("aria-label", `${colours.length} points`);
  const chosen = new Set(selected);
  colours.forEach((colour, at) => {
    const place = { cx: String(xy[2 * at]), cy: String(-xy[2 * at + 1]!), r: "0.018", fill: colour };
    const dot = svg("circle", { ...place, "data-point": String(at) });
    if (chosen.size && !chosen.has(at)) dot.setAttribute("opacity", "0.25");
    chart.append(dot);
  });
  const names = element("div", "chart-legend");
  for (const [colour, name] of legend) {
    const entry = names.appendChild(element("span", "chart-key"));
    const sample = entry.appendChild(element("i", ""));
    sample.style.background = colour;
    entry.append(name);
  }
  const said = element("p", "chart-caption");
  said.textContent = caption;
  return [chart, names, said];
}
