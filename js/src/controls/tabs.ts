// A row of tabs: arrow keys move, the opened one is told to the kernel.
import { control } from "../core/controlled_value.ts";
import { element } from "../core/element.ts";
import { define, type View } from "../core/widget.ts";
import css from "./tabs.css";

interface Traits {
  titles: string[];
  index: number;
}

function render(view: View<Traits>): void {
  view.root.setAttribute("role", "tablist");
  const [opened, queue] = control(view, "index", () => mark());
  let buttons: HTMLButtonElement[] = [];

  const mark = (): void => {
    buttons.forEach((button, index) => {
      const chosen = index === opened.value;
      button.setAttribute("aria-selected", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    });
  };
  const open = (index: number): void => {
    if (index === opened.value) return;
    opened.move(index);
    mark();
    queue.offer({ index }, true);
  };

  view.follow(["titles"], () => {
    buttons = view.get("titles").map((title, index) => {
      const button = element("button", "cnnviz-tab", { type: "button", role: "tab" });
      button.textContent = title;
      view.listen(button, "click", () => open(index));
      return button;
    });
    view.root.replaceChildren(...buttons);
    mark();
  });
  view.listen(view.root, "keydown", (event) => {
    const next = tabAfterKey(event, opened.value, buttons.length - 1);
    if (next === null) return;
    event.preventDefault();
    event.stopPropagation();
    open(next);
    buttons[next]?.focus();
  });
}

/** The tab that a key opens, of 0..last; null for a key that means nothing here, as those of the browser. */
function tabAfterKey(event: KeyboardEvent, index: number, last: number): number | null {
  if (event.ctrlKey || event.metaKey || event.altKey || last < 0) return null;
  if (event.key === "ArrowLeft") return Math.max(0, index - 1);
  if (event.key === "ArrowRight") return Math.min(last, index + 1);
  if (event.key === "Home") return 0;
  return event.key === "End" ? last : null;
}

export default define("tabs", css, render);
