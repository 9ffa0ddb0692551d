// A table of counts, true classes by predicted ones; a click on a cell, or on a header, is told to the kernel.
import { element } from "../../core/element.ts";
import { define, type View } from "../../core/widget.ts";
import css from "./matrix.css";
import { type Cell, cellAfterKey, cellText, countOf, strength } from "./state.ts";

interface Traits {
  names: string[];
  counts: number[];
  selected: [number, number] | null;
  revision: number;
  placeholder: string;
}

function render(view: View<Traits>): void {
  const table = element("table", "cnnviz-matrix-table", { "aria-label": "true classes by predicted ones" });
  const empty = element("div", "cnnviz-matrix-empty");
  view.root.append(empty, table);
  const queue = view.queue();
  let buttons = new Map<string, HTMLButtonElement>();
  let cursor: Cell = { row: 0, column: 0 };

  const pick = ({ row, column }: Cell): void => queue.offer({ row, column, revision: view.get("revision") }, true);
  const moveTo = (cell: Cell): void => {
    const next = buttons.get(key(cell));
    if (!next) return;
    const before = buttons.get(key(cursor));
    if (before) before.tabIndex = -1;
    cursor = cell;
    next.tabIndex = 0;
  };
  const buttonFor = (cell: Cell, text: string, count: number): HTMLButtonElement => {
    const button = element("button", "cnnviz-matrix-cell", { type: "button", tabindex: "-1" });
    button.textContent = text;
    button.title = cellText(view.get("names"), cell, count);
    button.setAttribute("aria-label", button.title);
    button.addEventListener("click", () => {
      moveTo(cell);
      pick(cell);
    });
    button.addEventListener("keydown", (event) => {
      const next = event.ctrlKey || event.metaKey || event.altKey ? null : cellAfterKey(event.key, cell, size());
      if (next === null) return;
      event.preventDefault();
      event.stopPropagation();
      moveTo(next);
      buttons.get(key(next))?.focus();
    });
    buttons.set(key(cell), button);
    return button;
  };
  const size = (): number => view.get("names").length;
  const header = (cell: Cell, scope: string): HTMLElement => {
    const held = element("th", `cnnviz-matrix-${scope}`, { scope });
    const name = view.get("names")[Math.max(cell.row, cell.column)] ?? "";
    held.append(buttonFor(cell, name, countOf(view.get("counts"), size(), cell)));
    return held;
  };
  const mark = (): void => {
    const selected = view.get("selected");
    for (const [name, button] of buttons) {
      button.setAttribute(
        "aria-pressed",
        String(selected !== null && name === key({ row: selected[0], column: selected[1] })),
      );
    }
  };
  const draw = (): void => {
    const [focused, counts] = [view.root.contains(document.activeElement), view.get("counts")];
    buttons = new Map();
    const head = element("tr", "");
    head.append(element("td", ""), ...view.get("names").map((_, column) => header({ row: -1, column }, "col")));
    const rows = view.get("names").map((_, row) => {
      const line = element("tr", "");
      const whole = countOf(counts, size(), { row, column: -1 });
      line.append(header({ row, column: -1 }, "row"));
      for (let column = 0; column < size(); column++) {
        const count = counts[row * size() + column] ?? 0;
        const held = element("td", row === column ? "cnnviz-matrix-right" : "cnnviz-matrix-wrong");
        held.style.setProperty("--strength", `${strength(count, whole)}%`);
        held.append(buttonFor({ row, column }, count > 0 ? String(count) : "", count));
        line.append(held);
      }
      return line;
    });
    table.replaceChildren(head, ...rows);
    table.hidden = size() === 0;
    empty.hidden = size() > 0;
    empty.textContent = view.get("placeholder");
    const place = { row: Math.min(cursor.row, size() - 1), column: Math.min(cursor.column, size() - 1) };
    cursor = buttons.has(key(place)) ? place : { row: 0, column: 0 };
    moveTo(cursor);
    if (focused) buttons.get(key(cursor))?.focus();
    mark();
  };
  view.follow(["revision", "placeholder"], draw);
  view.follow(["selected"], mark);
}

function key({ row, column }: Cell): string {
  return `${row} ${column}`;
}

export default define("matrix", css, render);
