// The list of the picker: a thousand options, of which only the rows in sight exist.

import { element } from "../../core/element.ts";
import { markMatches } from "./search.ts";

export interface Row {
  index: number;
  label: string;
  hint: string;
  /** Whether a line parts it from the row above. */
  apart: boolean;
}

const MARGIN = 4;
const SPARE_ROWS = 4;

/** A listbox in the browser's top layer beside `anchor`; `id` prefixes the ids of its options. */
export class Listbox {
  readonly root = element("div", "cnnviz-picker-list", { role: "listbox", tabindex: "-1", popover: "manual" });
  private readonly space = element("div", "cnnviz-picker-space", { role: "presentation" });
  private readonly none = element("div", "cnnviz-picker-none", { role: "presentation" });
  private rows: Row[] = [];
  private query = "";
  private chosen: number | null = null;
  private at = -1;
  private rowHeight = 28;
  private shown = false;

  constructor(
    private readonly anchor: HTMLElement,
    private readonly id: string,
  ) {
    this.root.id = `${id}-list`;
    this.root.hidden = true;
    this.none.textContent = "Nothing matches.";
    this.root.append(this.space, this.none);
    this.root.addEventListener("scroll", () => this.draw(), { passive: true });
  }

  get open(): boolean {
    return this.shown;
  }

  get size(): number {
    return this.rows.length;
  }

  /** The row under the cursor. */
  get active(): Row | null {
    return this.rows[this.at] ?? null;
  }

  /** Id of the cursor's element, for aria-activedescendant. */
  get activeId(): string {
    return this.shown && this.active ? this.optionId(this.at) : "";
  }

  fill(rows: Row[], query: string, chosen: number | null, at: number): void {
    this.rows = rows;
    this.query = query;
    this.chosen = chosen;
    this.at = Math.min(at, rows.length - 1);
    if (this.shown) {
      this.place();
      this.reveal();
    }
  }

  show(): void {
    this.shown = true;
    this.root.hidden = false;
    // Hosts without popovers get a list that the output area may clip.
    if (typeof this.root.showPopover === "function" && !this.root.matches(":popover-open")) this.root.showPopover();
    this.rowHeight = this.anchor.offsetHeight >= 40 ? 40 : 28;
    this.place();
    this.reveal();
  }

  hide(): void {
    this.shown = false;
    if (typeof this.root.hidePopover === "function" && this.root.matches(":popover-open")) this.root.hidePopover();
    this.root.hidden = true;
    this.space.replaceChildren();
  }

  /** Put the cursor on row `at`, or on none in an empty list; `reveal` also scrolls to it. */
  moveTo(at: number, reveal = true): void {
    this.at = Math.min(this.rows.length - 1, Math.max(0, at));
    if (reveal) this.reveal();
    else this.draw();
  }

  moveBy(step: number): void {
    this.moveTo(this.at + step);
  }

  /** Rows of a page. */
  get page(): number {
    return Math.max(1, Math.floor(this.root.clientHeight / this.rowHeight) - 1);
  }

  /** The row that an event hit. */
  rowOf(event: Event): number | null {
    const option = event.target instanceof Element ? event.target.closest<HTMLElement>("[role=option]") : null;
    return option ? Number(option.dataset["row"]) : null;
  }

  /** Lie below the anchor, or above where there is more room; false when the anchor is out of sight. */
  place(): boolean {
    const box = this.anchor.getBoundingClientRect();
    if (box.bottom < 0 || box.top > innerHeight) return false;
    const below = innerHeight - box.bottom - 2 * MARGIN;
    const above = box.top - 2 * MARGIN;
    const wanted = Math.min(this.contentHeight() + 2, 12 * this.rowHeight);
    const upwards = below < wanted && above > below;
    const height = Math.max(this.rowHeight, Math.min(wanted, upwards ? above : below));
    const width = Math.min(Math.max(box.width, 220), innerWidth - 2 * MARGIN);
    Object.assign(this.root.style, {
      width: `${width}px`,
      height: `${height}px`,
      left: `${Math.max(MARGIN, Math.min(box.left, innerWidth - width - MARGIN))}px`,
      top: `${upwards ? box.top - MARGIN - height : box.bottom + MARGIN}px`,
    });
    return true;
  }

  private contentHeight(): number {
    return this.rows.length === 0 ? 38 : this.rows.length * this.rowHeight + 2 * MARGIN;
  }

  private reveal(): void {
    if (this.shown && this.at >= 0) {
      const top = MARGIN + this.at * this.rowHeight;
      const { scrollTop, clientHeight } = this.root;
      if (top < scrollTop + MARGIN) this.root.scrollTop = top - MARGIN;
      else if (top + this.rowHeight > scrollTop + clientHeight - MARGIN) {
        this.root.scrollTop = top + this.rowHeight + MARGIN - clientHeight;
      }
    }
    this.draw();
  }

  private draw(): void {
    if (!this.shown) return;
    const empty = this.rows.length === 0;
    this.none.hidden = !empty;
    this.space.hidden = empty;
    this.space.style.height = `${this.contentHeight()}px`;
    const { scrollTop, clientHeight } = this.root;
    const first = Math.max(0, Math.floor(scrollTop / this.rowHeight) - SPARE_ROWS);
    const end = Math.min(this.rows.length, Math.ceil((scrollTop + clientHeight) / this.rowHeight) + SPARE_ROWS);
    const visible = new Set<number>();
    for (let row = first; row < end; row++) visible.add(row);
    if (this.at >= 0) visible.add(this.at); // aria-activedescendant must name an element that exists
    this.space.replaceChildren(...[...visible].sort((a, b) => a - b).map((row) => this.option(row)));
  }

  private option(row: number): HTMLElement {
    const { index, label, hint, apart } = this.rows[row] as Row;
    const option = element("div", "cnnviz-picker-option", {
      role: "option",
      id: this.optionId(row),
      "aria-selected": String(index === this.chosen),
      "aria-posinset": String(row + 1),
      "aria-setsize": String(this.rows.length),
      "data-row": String(row),
    });
    option.classList.toggle("cnnviz-picker-active", row === this.at);
    option.classList.toggle("cnnviz-picker-apart", apart);
    option.style.top = `${MARGIN + row * this.rowHeight}px`;
    option.style.height = `${this.rowHeight}px`;
    const name = element("span", "cnnviz-picker-label");
    name.title = label;
    for (const { text, found } of markMatches(label, this.query)) {
      const part = found ? document.createElement("mark") : document.createElement("span");
      part.textContent = text;
      name.append(part);
    }
    option.append(name);
    if (hint) {
      const side = element("span", "cnnviz-picker-hint");
      side.textContent = hint;
      option.append(side);
    }
    return option;
  }

  private optionId(row: number): string {
    return `${this.id}-option-${row}`;
  }
}
