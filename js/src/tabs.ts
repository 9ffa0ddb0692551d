// A row of tabs: arrow keys move, the opened one is told to the kernel.
import { initialize } from "./hearing.ts";
import { Held } from "./held.ts";
import type { RenderContext } from "./model.ts";
import css from "./tabs.css";
import { View, element } from "./view.ts";

interface Traits {
  titles: string[];
  index: number;
}

function render(context: RenderContext): () => void {
  const view = new View<Traits>(context, "tabs", css);
  view.root.setAttribute("role", "tablist");
  const opened = new Held(view.get("index"));
  const channel = view.channel((seq) => opened.sent(seq));
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
    channel.offer({ index }, true);
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
  view.follow(["index"], () => {
    if (opened.offered(view.get("index"))) mark();
  });
  view.hear((message) => {
    if (opened.acknowledged(message, view.get("index"))) mark();
  });
  view.listen(view.root, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return; // the browser's own: back, say
    const last = buttons.length - 1;
    const steps: Record<string, number> = {
      ArrowLeft: Math.max(0, opened.value - 1),
      ArrowRight: Math.min(last, opened.value + 1),
      Home: 0,
      End: last,
    };
    const next = steps[event.key];
    if (next === undefined || last < 0) return;
    event.preventDefault();
    event.stopPropagation();
    open(next);
    buttons[next]?.focus();
  });
  return view.dispose;
}

export default { initialize, render };
