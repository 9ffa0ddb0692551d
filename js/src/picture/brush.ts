// The tools under the picture: patch or brush, and with the brush cover or restore, its radius, undo, clear.
import { element, iconButton } from "../core/element.ts";
import { textsIn } from "../core/language.ts";
import type { Painting } from "./painting.ts";

export interface BrushTexts {
  patch?: string;
  brush?: string;
  cover?: string;
  restore?: string;
  radius?: string;
  undo?: string;
  clear?: string;
  painted?: string;
  keys?: string;
}

const UNDO = "M6.5 3 3 6.5 6.5 10M3 6.5h6.5a3.5 3.5 0 0 1 0 7H7";
const CLEAR = "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5";

/** `root` shows the painting as `update` finds it; `act` and `changed` hear what the hand wants. */
export class BrushTools {
  readonly root = element("div", "cnnviz-picture-brush", { role: "toolbar" });
  private readonly patch = choice();
  private readonly brush = choice();
  private readonly cover = choice();
  private readonly restore = choice();
  private readonly radius = element("input", "cnnviz-picture-slider", {
    type: "range",
    min: "1",
    step: "1",
    "data-lm-suppress-shortcuts": "true",
  });
  private readonly undo = iconButton("", UNDO);
  private readonly clear = iconButton("", CLEAR);
  private readonly own = element("div", "cnnviz-picture-brush-own");
  private texts: BrushTexts = {};

  constructor(
    private readonly painting: Painting,
    act: (act: "takePatch" | "takeBrush" | "undo" | "clear") => void,
    changed: () => void,
  ) {
    this.own.append(group(this.cover, this.restore), this.radius, this.undo, this.clear);
    this.root.append(group(this.patch, this.brush), this.own);
    const on = (button: HTMLElement, press: () => void) => button.addEventListener("click", press);
    on(this.patch, () => act("takePatch"));
    on(this.brush, () => act("takeBrush"));
    on(this.undo, () => act("undo"));
    on(this.clear, () => act("clear"));
    for (const [button, restores] of [
      [this.cover, false],
      [this.restore, true],
    ] as const) {
      on(button, () => {
        painting.restores = restores;
        changed();
      });
    }
    this.radius.addEventListener("input", () => {
      painting.radius = this.radius.valueAsNumber;
      changed();
    });
  }

  /** What it is called, by language; without texts there is no brush. Returns them in the page's language. */
  write(texts: Record<string, BrushTexts>, language: string | null): BrushTexts {
    const [found, own] = textsIn(texts, language);
    this.texts = own ?? {};
    this.root.lang = found;
    this.root.hidden = own === undefined;
    this.root.setAttribute("aria-label", this.texts.brush ?? "");
    for (const name of ["patch", "brush", "cover", "restore"] as const) {
      this[name].textContent = this[name].title = this.texts[name] ?? "";
    }
    for (const name of ["radius", "undo", "clear"] as const) {
      this[name].title = this.texts[name] ?? "";
      this[name].setAttribute("aria-label", this.texts[name] ?? "");
    }
    this.update();
    return this.texts;
  }

  /** The tools below what is read. */
  below(readout: HTMLElement): HTMLElement {
    const foot = element("div", "cnnviz-picture-foot");
    foot.append(readout, this.root);
    return foot;
  }

  update(): void {
    const { painting } = this;
    const brushed = painting.mask !== null;
    this.own.hidden = !brushed;
    press(this.patch, !brushed);
    press(this.brush, brushed);
    press(this.cover, !painting.restores);
    press(this.restore, painting.restores);
    this.radius.max = String(painting.largest);
    this.radius.value = String(painting.radius);
    this.undo.disabled = !painting.canUndo;
    this.clear.disabled = painting.covered === 0;
  }

  /** What was painted, in words. */
  describe(): string {
    const { covered, mask } = this.painting;
    const share = mask ? (100 * covered) / mask.length : 0;
    return (this.texts.painted ?? "").replace("{a}", share.toFixed(share >= 9.95 || share === 0 ? 0 : 1));
  }
}

function choice(): HTMLButtonElement {
  return element("button", "cnnviz-picture-toggle", { type: "button", "aria-pressed": "false" });
}

function group(...buttons: HTMLElement[]): HTMLElement {
  const box = element("div", "cnnviz-picture-choice", { role: "group" });
  box.append(...buttons);
  return box;
}

function press(button: HTMLElement, pressed: boolean): void {
  button.setAttribute("aria-pressed", String(pressed));
}
