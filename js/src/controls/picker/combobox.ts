// The searchable form of the picker, after the ARIA pattern "editable combobox with list autocomplete".
import { element } from "../../core/element.ts";
import type { View } from "../../core/widget.ts";
import { Listbox, type Row } from "./listbox.ts";
import { OptionSearch } from "./search.ts";

/** They open the list. */
const OPENING_KEYS = new Set(["ArrowDown", "ArrowUp", "Enter"]);

export interface Traits {
  options: string[];
  hints: string[];
  order: number[];
  index: number | null;
  placeholder: string;
  description: string;
  searchable: boolean | null;
  disabled: boolean;
  texts?: Record<string, Record<string, string>>;
  tooltip?: string | null;
}

/** The part of a picker that differs between its two forms. */
export interface Field {
  readonly input: HTMLInputElement | HTMLSelectElement;
  /** Show `index` and the options as they are now. */
  draw(index: number | null): void;
}

/** A text field with a list: what is typed filters, Enter or a click picks. */
export class Combobox implements Field {
  readonly input = element("input", "cnnviz-picker-input", {
    type: "text",
    role: "combobox",
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "data-lm-suppress-shortcuts": "true",
  });
  private readonly hint = element("span", "cnnviz-picker-hint");
  private readonly list: Listbox;
  private search = new OptionSearch([]);
  private searched: string[] = [];
  private searchedIn: Traits["texts"];
  private labels: string[] = [];
  private index: number | null = null;
  /** What is being searched for; null while the text is the chosen option's. */
  private query: string | null = null;

  constructor(
    private readonly view: View<Traits>,
    private readonly box: HTMLElement,
    private readonly pick: (index: number) => void,
  ) {
    this.list = new Listbox(box, view.id);
    this.input.setAttribute("aria-controls", this.list.root.id);
    box.append(this.hint);
    view.root.append(this.list.root);
    this.listenToText();
    this.listenToList();
  }

  draw(chosen: number | null): void {
    const { view, list } = this;
    this.index = chosen;
    this.input.placeholder = view.say(view.get("placeholder"));
    if (this.query === null || !list.open) this.restore();
    this.hint.textContent = (chosen === null ? "" : view.get("hints")[chosen]) ?? "";
    if (list.open) this.fill();
  }

  private listenToText(): void {
    const { view, input, list } = this;
    view.listen(input, "input", () => {
      this.query = input.value;
      if (list.open) this.fill();
      else this.open();
    });
    view.listen(this.box, "mousedown", (event) => this.press(event));
    view.listen(input, "blur", () => {
      if (document.activeElement !== input) this.close(); // not when only the window lost the focus
    });
    view.listen(input, "keydown", (event) => this.handleKey(event));
  }

  private listenToList(): void {
    const { view, list } = this;
    view.listen(list.root, "mousedown", (event) => event.preventDefault()); // the focus stays in the text
    view.listen(list.root, "click", (event) => {
      const row = list.rowOf(event);
      if (row === null) return;
      list.moveTo(row);
      this.choose(list.active);
    });
    view.listen(list.root, "pointermove", (event) => {
      const row = list.rowOf(event);
      if (row === null || (event.movementX === 0 && event.movementY === 0)) return; // the list moved, not the hand
      list.moveTo(row, false);
      this.announce();
    });
    // A list in the top layer does not scroll with the page.
    const follow = (event: Event) => {
      if (list.open && event.target !== list.root && !list.place()) this.close();
    };
    view.listen(document, "scroll", follow, { capture: true, passive: true });
    view.listen(window, "resize", follow);
  }

  private press(event: MouseEvent): void {
    const { input, list } = this;
    if (input.disabled || event.button !== 0) return;
    const inText = event.target === input;
    const entering = document.activeElement !== input;
    if (!inText || entering) event.preventDefault(); // the arrow must not take the focus from the text
    if (list.open && !inText) {
      this.close();
      return;
    }
    input.focus();
    if (entering) input.select(); // typing replaces what was chosen
    this.open();
  }

  private handleKey(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const act = this.list.open ? this.openListKeys(event)[event.key] : OPENING_KEYS.has(event.key) && this.open;
    if (!act || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    act();
    this.announce();
  }

  private openListKeys({ altKey }: KeyboardEvent): Record<string, () => void> {
    const { list } = this;
    return {
      ArrowDown: () => (altKey ? this.close() : list.moveBy(1)),
      ArrowUp: () => (altKey ? this.close() : list.moveBy(-1)),
      PageDown: () => list.moveBy(list.page),
      PageUp: () => list.moveBy(-list.page),
      Enter: () => this.choose(list.active),
      Escape: () => {
        this.close();
        this.input.select();
      },
    };
  }

  private readonly open = (): void => {
    if (this.list.open || this.input.disabled) return;
    this.fill();
    this.list.show();
    this.announce();
  };

  private close(): void {
    this.list.hide();
    this.restore();
    this.announce();
  }

  private choose(row: Row | null): void {
    if (row === null) return;
    this.list.hide();
    this.pick(row.index);
    this.input.select();
    this.announce();
  }

  private fill(): void {
    const { view, query } = this;
    const options = view.get("options");
    const hints = view.get("hints");
    const texts = view.get("texts");
    if (options !== this.searched || texts !== this.searchedIn) {
      this.labels = options.map(view.say);
      this.search = new OptionSearch(this.labels);
      this.searched = options;
      this.searchedIn = texts;
    }
    const order = view.get("order");
    const rows: Row[] = this.search.matches(query ?? "", order).map((at, row) => ({
      index: at,
      label: this.labels[at] ?? "",
      hint: hints[at] ?? "",
      apart: !query && row > 0 && row === order.length,
    }));
    const at = query === null ? rows.findIndex((row) => row.index === this.index) : 0;
    this.list.fill(rows, query ?? "", this.index, Math.max(0, at));
    this.announce();
  }

  private restore(): void {
    this.query = null;
    this.input.value = this.index === null ? "" : this.view.say(this.view.get("options")[this.index] ?? "");
  }

  private announce(): void {
    this.hint.hidden = this.query !== null; // it belongs to the option whose text is being replaced
    this.input.setAttribute("aria-expanded", String(this.list.open));
    this.input.setAttribute("aria-activedescendant", this.list.activeId);
  }
}
