// One view over the whole screen in large type, for a lecture: F or the button begins it, Escape ends it.

/** Controls in which letters or arrow keys mean something of their own. */
const OWN_KEYS = "input, textarea, select, canvas, [contenteditable], [role=slider], [role=listbox], [role=tab]";
const PRESENTING = "data-cnnviz-presenting";

/** Whether a key that is pressed on `target` is meant for what has the focus there. */
export function isTyped(target: { closest(selectors: string): unknown } | null): boolean {
  return target?.closest(OWN_KEYS) != null;
}

/** Presents `panel`; `onChange` hears whether it does. */
export class Presenter {
  private returnTo: Element | null = null;

  constructor(
    private readonly panel: HTMLElement,
    private readonly onChange: (presenting: boolean) => void,
    signal: AbortSignal,
  ) {
    document.addEventListener("keydown", (event) => this.press(event), { signal });
    // Where nothing of the view has the focus, before the host: JupyterLab has shortcuts of its own.
    window.addEventListener("keydown", (event) => this.pressAside(event), { signal, capture: true });
    document.addEventListener("fullscreenchange", () => this.followScreen(), { signal });
    signal.addEventListener("abort", () => this.stop());
  }

  get presenting(): boolean {
    return this.panel.hasAttribute(PRESENTING);
  }

  async start(): Promise<void> {
    if (this.presenting) return;
    const { panel } = this;
    this.returnTo = document.activeElement;
    panel.setAttribute(PRESENTING, "screen");
    panel.setAttribute("data-lm-suppress-shortcuts", "true");
    panel.tabIndex = -1;
    try {
      await panel.requestFullscreen();
    } catch {
      this.coverWindow();
    }
    if (!this.presenting) return; // left meanwhile
    panel.focus();
    this.onChange(true);
  }

  stop(): void {
    if (!this.presenting) return;
    const { panel } = this;
    panel.removeAttribute(PRESENTING);
    panel.removeAttribute("data-lm-suppress-shortcuts");
    panel.removeAttribute("tabindex");
    if (panel.hasAttribute("popover")) panel.removeAttribute("popover");
    if (document.fullscreenElement === panel) void document.exitFullscreen();
    (this.returnTo as HTMLElement | null)?.focus?.();
    this.onChange(false);
  }

  /** Where the whole screen is refused, as in some frames: all of the window, above whatever the host has. */
  private coverWindow(): void {
    if (!this.presenting) return;
    this.panel.setAttribute(PRESENTING, "window");
    if (typeof this.panel.showPopover !== "function") return;
    this.panel.setAttribute("popover", "manual");
    this.panel.showPopover();
  }

  /** The browser has left the whole screen: Escape is its key there. */
  private followScreen(): void {
    const onScreen = this.panel.getAttribute(PRESENTING) === "screen";
    if (onScreen && document.fullscreenElement !== this.panel) this.stop();
  }

  private press(event: KeyboardEvent): void {
    const target = event.target instanceof Element ? event.target : null;
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || isTyped(target)) {
      if (event.key === "Escape" && this.presenting && !event.defaultPrevented) this.stop();
      return;
    }
    if (this.handle(event.key, target)) event.preventDefault();
  }

  private pressAside(event: KeyboardEvent): void {
    if (!this.presenting || (event.target instanceof Node && this.panel.contains(event.target))) return;
    this.press(event);
    if (event.defaultPrevented) event.stopImmediatePropagation();
  }

  private handle(key: string, target: Element | null): boolean {
    if (!this.presenting) {
      const here = target !== null && (this.panel.contains(target) || (target === document.body && this.isAlone));
      if (!here || key.toLowerCase() !== "f") return false;
      void this.start();
      return true;
    }
    if (key === "Escape" || key.toLowerCase() === "f") this.stop();
    else if (key === "ArrowRight" || key === "ArrowLeft") return this.stepPicture(key);
    else if (key.toLowerCase() === "r") return this.reveal();
    else return false;
    return true;
  }

  /** Whether the page shows no other view, so that a key without a focus is meant for this one. */
  private get isAlone(): boolean {
    const shown = [...document.querySelectorAll(".cnnviz-view")].filter(
      (view) => view.getClientRects().length > 0 && view.querySelector(".cnnviz-head-present:not([hidden])") !== null,
    );
    return shown.length === 1 && shown[0] === this.panel;
  }

  /** The next or the previous picture of the app's strip. */
  private stepPicture(key: string): boolean {
    const strip = this.panel.closest(".cnnviz-explorer")?.querySelector(".cnnviz-top .cnnviz-tiles-scroll");
    if (!strip) return false;
    for (const each of [key, "Enter"]) strip.dispatchEvent(new KeyboardEvent("keydown", { key: each }));
    return true;
  }

  /** What is true, where a guess is open. */
  private reveal(): boolean {
    const button = this.panel.querySelector<HTMLButtonElement>(".cnnviz-guess .jupyter-button.mod-primary");
    if (button === null || button.disabled) return false;
    button.click();
    return true;
  }
}
