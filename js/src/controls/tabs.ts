// A row of tabs, in groups: arrow keys move, the opened one is told to the kernel.
import { control } from "../core/controlled_value.ts";
import { element } from "../core/element.ts";
import { textsIn } from "../core/language.ts";
import { define, type View } from "../core/widget.ts";
import css from "./tabs.css";

interface Traits {
  titles: string[];
  /** By language: what stands on the tabs, and groups, each with the number of its tabs. */
  labels: Record<string, { titles: string[]; groups: [string, number][] }>;
  language: string | null;
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
      if (chosen) button.scrollIntoView({ block: "nearest", inline: "nearest" });
    });
  };
  const open = (index: number): void => {
    if (index === opened.value) return;
    opened.move(index);
    mark();
    queue.offer({ index }, true);
  };

  view.follow(["titles", "labels", "language"], () => {
    const [language, labels] = textsIn(view.get("labels") ?? {}, view.get("language"));
    view.root.lang = language;
    buttons = view.get("titles").map((title, index) => {
      const button = element("button", "cnnviz-tab", { type: "button", role: "tab" });
      button.textContent = labels?.titles[index] ?? title;
      view.listen(button, "click", () => open(index));
      return button;
    });
    view.root.replaceChildren(...buttons);
    let first = 0;
    for (const [name, count] of labels?.groups ?? []) {
      const group = element("span", "cnnviz-tabs-group", { "aria-hidden": "true" });
      group.textContent = name;
      buttons[first]?.before(group);
      first += count;
    }
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
