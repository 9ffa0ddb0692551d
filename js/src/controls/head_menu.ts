// A button of the head that opens a menu below it, after the ARIA pattern "menu button".
import { element, icon } from "../core/element.ts";
import type { View } from "../core/widget.ts";

const ARROW = "m4 6 4 4 4-4";

/** A menu of `items`, pairs of an id and a label, for `button`; `choose` hears what is chosen. */
export function menuOf<Traits>(
  view: View<Traits>,
  button: HTMLButtonElement,
  items: [string, string][],
  choose: (id: string) => void,
): HTMLElement {
  const list = element("div", "cnnviz-head-menu", { role: "menu" });
  list.hidden = true;
  button.setAttribute("aria-haspopup", "menu");
  button.append(icon(ARROW));
  const open = (shown: boolean, focus = true) => {
    list.hidden = !shown;
    button.setAttribute("aria-expanded", String(shown));
    if (focus) (shown ? (list.firstElementChild as HTMLElement | null) : button)?.focus();
  };
  open(false, false);
  for (const [id, label] of items) {
    const item = element("button", "cnnviz-head-item", { type: "button", role: "menuitem", tabindex: "-1" });
    item.dataset["action"] = id;
    item.textContent = label;
    view.listen(item, "click", () => {
      open(false);
      choose(id);
    });
    list.append(item);
  }
  view.listen(button, "click", () => open(list.hidden === true));
  view.listen(document, "pointerdown", (event) => {
    const path = event.composedPath();
    if (!list.hidden && !path.includes(list) && !path.includes(button)) open(false, false);
  });
  view.listen(list, "keydown", (event) => {
    const all = [...list.children] as HTMLElement[];
    const at = all.indexOf(document.activeElement as HTMLElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") open(false, event.key === "Escape");
    else if (next !== undefined) all[(next + all.length) % all.length]?.focus();
    else return;
    event.stopPropagation();
    if (event.key !== "Tab") event.preventDefault();
  });
  return list;
}
