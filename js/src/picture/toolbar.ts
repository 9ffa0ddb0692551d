// The controls under the picture: colour bar, opacity, threshold, colours, scale, cells. They need no kernel.

import { belowThreshold, position, type Scale, strength } from "../color/blend.ts";
import { colorTable, tableNames } from "../color/colormaps.ts";
import { formatNumber, isFixed, scaleInUse, tickLabels, type ViewState } from "../color/scales.ts";
import { element, icon } from "../core/element.ts";
import type { ShownMap } from "./state.ts";

/** The grey that stands for the picture under the colours of the bar. */
const GROUND = 200;

/** `root` shows what `update` was last given; `onChange` hears each change the hand makes to it. */
export class Toolbar {
  readonly root = element("div", "cnnviz-picture-tools");
  /** What the map is drawn with, behind a button. */
  readonly more = element("details", "cnnviz-picture-more");
  private readonly quantity = element("span", "cnnviz-picture-quantity");
  private readonly bar = element("canvas", "cnnviz-picture-bar", { role: "img" });
  private readonly needle = element("div", "cnnviz-picture-needle", { "aria-hidden": "true" });
  private readonly low = element("span", "cnnviz-picture-tick");
  private readonly zero = element("span", "cnnviz-picture-tick");
  private readonly high = element("span", "cnnviz-picture-tick");
  private readonly opacity = slider("Opacity of the map");
  private readonly threshold = slider("Hide weak values");
  private readonly cutoff = element("output", "cnnviz-picture-cutoff");
  private readonly colors = select("Colours");
  private readonly scale = select("Scale");
  private readonly hold = toggleButton("Hold", "Keep this scale, so that the next maps can be compared with this one");
  private readonly cells = toggleButton("Cells", "Show the map's own cells instead of a smooth blend");
  private readonly even = toggleButton("Even", "Show weak values as opaque as strong ones");
  private shown: ShownMap | null = null;

  constructor(private readonly onChange: (state: ViewState) => void) {
    this.bar.width = 256;
    this.bar.height = 1;
    const head = element("div", "cnnviz-picture-line");
    const settings = element("div", "cnnviz-picture-settings");
    this.more.append(moreButton(), settings);
    head.append(this.quantity, this.more);
    const bar = element("div", "cnnviz-picture-barbox");
    bar.append(this.bar, this.needle);
    const ticks = element("div", "cnnviz-picture-ticks");
    ticks.append(this.low, this.zero, this.high);
    const choices = element("div", "cnnviz-picture-line");
    choices.append(this.colors, this.scale, this.hold);
    const line = element("div", "cnnviz-picture-line");
    line.append(this.cells, this.even);
    settings.append(
      choices,
      withLabel("Opacity", this.opacity),
      withLabel("Hide weak", this.threshold, this.cutoff),
      line,
    );
    this.root.append(head, bar, ticks);

    this.opacity.addEventListener("input", () => this.change({ opacity: this.opacity.valueAsNumber / 100 }));
    this.threshold.addEventListener("input", () => this.change({ threshold: this.threshold.valueAsNumber / 100 }));
    this.cells.addEventListener("click", () => this.change({ cells: !this.shown?.state.cells }));
    this.even.addEventListener("click", () => this.change({ even: !this.shown?.state.even }));
    this.colors.addEventListener("change", () =>
      this.change(this.shown?.signed ? { diverging: this.colors.value } : { colors: this.colors.value }),
    );
    this.scale.addEventListener("change", () => this.change({ scale: this.scale.value, held: null }));
    this.hold.addEventListener("click", () => this.toggleHold());
  }

  update(shown: ShownMap | null): void {
    this.root.hidden = shown === null;
    this.shown = shown;
    if (shown === null) return;
    const { state, scales, quantity, signed, values } = shown;
    const scale = scaleInUse(state, scales, shown);
    const fixed = isFixed(state, shown);
    this.quantity.textContent = this.quantity.title = quantity;
    this.opacity.value = String(Math.round(state.opacity * 100));
    this.threshold.value = String(Math.round(state.threshold * 100));
    this.cells.setAttribute("aria-pressed", String(state.cells));
    this.even.setAttribute("aria-pressed", String(state.even));
    this.hold.setAttribute("aria-pressed", String(fixed));
    const kind = signed ? "diverging" : "sequential";
    const table = colorTable(signed ? state.diverging : state.colors, kind);
    setOptions(this.colors, tableNames(kind), signed ? state.diverging : state.colors);
    setOptions(this.scale, [...(fixed ? ["fixed"] : []), ...scales.map(({ label }) => label)], scale.label);
    const [low, high] = tickLabels(scale, signed, values);
    this.low.textContent = low;
    this.high.textContent = high;
    this.zero.textContent = signed ? "0" : "";
    this.cutoff.textContent = cutoffText(state.threshold, scale, signed);
    this.bar.setAttribute("aria-label", `${quantity}: ${low} to ${high}, ${scale.label}`);
    this.paintBar(table, state, signed);
  }

  /** Point at `value` on the colour bar. */
  point(value: number | null): void {
    const visible = this.shown !== null && value !== null && Number.isFinite(value);
    this.needle.hidden = !visible;
    if (!visible || this.shown === null || value === null) return;
    const { state, scales, signed } = this.shown;
    this.needle.style.left = `${100 * position(value, scaleInUse(state, scales, this.shown), signed)}%`;
  }

  private change(part: Partial<ViewState>): void {
    if (this.shown === null) return;
    this.onChange({ ...this.shown.state, ...part });
  }

  private toggleHold(): void {
    if (this.shown === null) return;
    const { state, scales, quantity, signed } = this.shown;
    const { low, high } = scaleInUse(state, scales, this.shown);
    this.change({ held: isFixed(state, this.shown) ? null : { low, high, quantity, signed } });
  }

  private paintBar(table: Uint8Array, { threshold, even }: ViewState, signed: boolean): void {
    const image = new ImageData(256, 1);
    for (let index = 0; index < 256; index++) {
      const share = even ? 1 : strength(index / 255, signed);
      for (let part = 0; part < 3; part++) {
        image.data[index * 4 + part] = share * table[index * 3 + part]! + (1 - share) * GROUND;
      }
      image.data[index * 4 + 3] = belowThreshold(index / 255, threshold, signed) ? 0 : 255;
    }
    this.bar.getContext("2d")?.putImageData(image, 0, 0);
  }
}

function cutoffText(threshold: number, { low, high }: Scale, signed: boolean): string {
  if (threshold === 0) return "";
  return signed
    ? `±${formatNumber(threshold * Math.max(Math.abs(low), Math.abs(high)))}`
    : `< ${formatNumber(low + threshold * (high - low))}`;
}

function moreButton(): HTMLElement {
  const label = "How the map is drawn";
  const button = element("summary", "cnnviz-icon-button", { "aria-label": label, title: label });
  button.append(icon("M3.5 8h.01M8 8h.01M12.5 8h.01"));
  return button;
}

function slider(label: string): HTMLInputElement {
  // JupyterLab moves between cells with the arrow keys.
  return element("input", "cnnviz-picture-slider", {
    type: "range",
    min: "0",
    max: "100",
    step: "1",
    "aria-label": label,
    title: label,
    "data-lm-suppress-shortcuts": "true",
  });
}

function select(label: string): HTMLSelectElement {
  return element("select", "cnnviz-picture-select", {
    "aria-label": label,
    title: label,
    "data-lm-suppress-shortcuts": "true",
  });
}

function toggleButton(text: string, title: string): HTMLButtonElement {
  const button = element("button", "cnnviz-picture-toggle", { type: "button", title, "aria-pressed": "false" });
  button.textContent = text;
  return button;
}

function withLabel(text: string, ...content: HTMLElement[]): HTMLElement {
  const label = element("label", "cnnviz-picture-label");
  const caption = element("span", "");
  caption.textContent = text;
  label.append(caption, ...content);
  return label;
}

function setOptions(select: HTMLSelectElement, names: string[], chosen: string): void {
  const present = [...select.options].map(({ value }) => value);
  if (present.join("\n") !== names.join("\n")) {
    select.replaceChildren(...names.map((name) => new Option(name, name)));
  }
  select.value = names.includes(chosen) ? chosen : (names[0] ?? "");
}
