// Says in words where the window and the pointer are: a line to see, a label and a polite line to hear.

import { element } from "../core/element.ts";
import type { Words } from "./words.ts";

const ANNOUNCE_AFTER = 500;

export const KEYS = {
  view: "",
  window:
    "Arrow keys move the window, with Shift by half its size; plus and minus resize it; Home centres it; Escape puts it back.",
  point: "Arrow keys move the point, with Shift by ten pixels; Home centres it.",
};

/** The words about `canvas`; `root` and `spoken` go into the view. */
export class Readout {
  readonly root = element("div", "cnnviz-picture-readout");
  readonly spoken = element("div", "cnnviz-hidden");
  private readonly keys = element("div", "");
  private readonly live = element("div", "", { "aria-live": "polite" });
  private readonly left = element("span", "cnnviz-picture-where");
  private readonly right = element("span", "cnnviz-picture-value");
  private words = "";
  private announcing: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    id: string,
  ) {
    this.keys.id = `${id}-keys`;
    this.spoken.append(this.keys, this.live);
    this.root.append(this.left, this.right);
    canvas.setAttribute("aria-describedby", this.keys.id);
  }

  /** Only a canvas that takes keys can be tabbed to; `more` are further keys. */
  mode(mode: keyof typeof KEYS, more = ""): void {
    this.canvas.setAttribute("role", mode === "view" ? "img" : "application");
    this.keys.textContent = [KEYS[mode], more].filter(Boolean).join(" ");
    if (mode === "view") this.canvas.removeAttribute("tabindex");
    else this.canvas.tabIndex = 0;
  }

  /** Show the words and name the canvas with them; they are not spoken. */
  say({ label, where, hovered, spoken }: Words): void {
    this.words = spoken;
    if (this.canvas.getAttribute("aria-label") !== label) this.canvas.setAttribute("aria-label", label);
    this.left.textContent = this.left.title = where;
    this.right.textContent = this.right.title = hovered;
  }

  /** Speak what is said once the hand rests: every step of a drag would be a flood. */
  announce(): void {
    clearTimeout(this.announcing);
    this.announcing = setTimeout(() => {
      this.live.textContent = this.words;
    }, ANNOUNCE_AFTER);
  }

  dispose(): void {
    clearTimeout(this.announcing);
  }
}
