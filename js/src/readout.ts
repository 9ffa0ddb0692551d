// Says in words where the window and the pointer are: a line to see, a label and a polite line to hear.

import { element } from "./view.ts";

const ANNOUNCE_AFTER = 500;

export const KEYS = {
  view: "",
  window: "Arrow keys move the window, with Shift by half its size; plus and minus resize it; Home centres it; Escape puts it back.",
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

  /** Only a canvas that takes keys can be tabbed to. */
  mode(mode: keyof typeof KEYS): void {
    this.canvas.setAttribute("role", mode === "view" ? "img" : "application");
    this.keys.textContent = KEYS[mode];
    if (mode === "view") this.canvas.removeAttribute("tabindex");
    else this.canvas.tabIndex = 0;
  }

  label(text: string): void {
    if (this.canvas.getAttribute("aria-label") !== text) this.canvas.setAttribute("aria-label", text);
  }

  where(text: string): void {
    this.left.textContent = this.left.title = text;
  }

  value(text: string): void {
    this.right.textContent = this.right.title = text;
  }

  /** Speak once the hand rests: every step of a drag would be a flood. */
  announce(text: () => string): void {
    clearTimeout(this.announcing);
    this.announcing = setTimeout(() => {
      this.live.textContent = text();
    }, ANNOUNCE_AFTER);
  }

  dispose(): void {
    clearTimeout(this.announcing);
  }
}
