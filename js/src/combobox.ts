// The searchable form of the picker, after the ARIA pattern "editable combobox with list autocomplete".
import { Listbox, type Row } from "./listbox.ts";
import { OptionSearch } from "./search.ts";
import { element, type View } from "./view.ts";

export interface Traits {
  options: string[];
  hints: string[];
  order: number[];
  index: number | null;
  placeholder: string;
  description: string;
  searchable: boolean | null;
  disabled: boolean;
}

/** The part of a picker that differs between its two forms. */
export interface Field {
  input: HTMLInputElement | HTMLSelectElement;
  /** Show `index` and the options as they are now. */
  draw(index: number | null): void;
}

/** A text field with a list: what is typed filters, Enter or a click picks. */
export function combobox(view: View<Traits>, box: HTMLElement, pick: (index: number) => void): Field {
  const input = element("input", "cnnviz-picker-input", {
    type: "text",
    role: "combobox",
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "data-lm-suppress-shortcuts": "true",
  });
  const hint = element("span", "cnnviz-picker-hint");
  const list = new Listbox(box, view.id);
  input.setAttribute("aria-controls", list.root.id);
  box.append(hint);
  view.root.append(list.root);

  let search = new OptionSearch([]);
  let searched: string[] = [];
  let index: number | null = null;
  /** What is being searched for; null while the text is the chosen option's. */
  let query: string | null = null;

  const announce = () => {
    hint.hidden = query !== null; // it belongs to the option whose text is being replaced
    input.setAttribute("aria-expanded", String(list.open));
    input.setAttribute("aria-activedescendant", list.activeId);
  };
  const restore = () => {
    query = null;
    input.value = index === null ? "" : (view.get("options")[index] ?? "");
  };
  const fill = () => {
    const options = view.get("options");
    const hints = view.get("hints");
    if (options !== searched) {
      search = new OptionSearch(options);
      searched = options;
    }
    const order = view.get("order");
    const rows: Row[] = search.matches(query ?? "", order).map((at, row) => ({
      index: at,
      label: options[at] ?? "",
      hint: hints[at] ?? "",
      apart: !query && row > 0 && row === order.length,
    }));
    const at = query === null ? rows.findIndex((row) => row.index === index) : 0;
    list.fill(rows, query ?? "", index, Math.max(0, at));
    announce();
  };
  const open = () => {
    if (list.open || input.disabled) return;
    fill();
    list.show();
    announce();
  };
  const close = () => {
    list.hide();
    restore();
    announce();
  };
  const choose = (row: Row | null) => {
    if (row === null) return;
    list.hide();
    pick(row.index);
    input.select();
    announce();
  };

  view.listen(input, "input", () => {
    query = input.value;
    list.open ? fill() : open();
  });
  view.listen(box, "mousedown", (event) => {
    if (input.disabled || event.button !== 0) return;
    const inText = event.target === input;
    const entering = document.activeElement !== input;
    if (!inText || entering) event.preventDefault(); // the arrow must not take the focus from the text
    if (list.open && !inText) return close();
    input.focus();
    if (entering) input.select(); // typing replaces what was chosen
    open();
  });
  view.listen(input, "blur", () => {
    if (document.activeElement !== input) close(); // not when only the window lost the focus
  });
  view.listen(list.root, "mousedown", (event) => event.preventDefault()); // the focus stays in the text
  view.listen(list.root, "click", (event) => {
    const row = list.rowOf(event);
    if (row === null) return;
    list.moveTo(row);
    choose(list.active);
  });
  view.listen(list.root, "pointermove", (event) => {
    const row = list.rowOf(event);
    if (row === null || (event.movementX === 0 && event.movementY === 0)) return; // the list moved, not the hand
    list.moveTo(row, false);
    announce();
  });
  view.listen(input, "keydown", (event) => {
    if (event.isComposing) return;
    const keys: Record<string, () => void> = list.open
      ? {
          ArrowDown: () => (event.altKey ? close() : list.moveBy(1)),
          ArrowUp: () => (event.altKey ? close() : list.moveBy(-1)),
          PageDown: () => list.moveBy(list.page),
          PageUp: () => list.moveBy(-list.page),
          Enter: () => choose(list.active),
          Escape: () => {
            close();
            input.select();
          },
        }
      : { ArrowDown: open, ArrowUp: open, Enter: open };
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    act();
    announce();
  });
  // A list in the top layer does not scroll with the page.
  const follow = (event: Event) => {
    if (list.open && event.target !== list.root && !list.place()) close();
  };
  view.listen(document, "scroll", follow, { capture: true, passive: true });
  view.listen(window, "resize", follow);

  return {
    input,
    draw(chosen) {
      index = chosen;
      input.placeholder = view.get("placeholder");
      if (query === null || !list.open) restore();
      hint.textContent = (index === null ? "" : view.get("hints")[index]) ?? "";
      if (list.open) fill();
    },
  };
}
