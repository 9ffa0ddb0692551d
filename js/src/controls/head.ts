// The head of a view: its question, buttons for its actions, and the help behind a question mark.
import { element, icon } from "../core/element.ts";
import { textsIn } from "../core/language.ts";
import { define, type View } from "../core/widget.ts";
import css from "./head.css";

interface Texts {
  name?: string;
  question?: string;
  help?: string;
  parts?: [string, string][];
}

interface Traits {
  texts: Record<string, Texts>;
  language: string | null;
  actions: { id: string; label: string; tooltip: string }[];
}

const QUESTION_MARK =
  "M6 6.2a2 2 0 1 1 2.8 1.9c-.6.3-.8.7-.8 1.4M8 11.8v.2M8 1.7a6.3 6.3 0 1 0 0 12.6A6.3 6.3 0 0 0 8 1.7";

class Head {
  private readonly question = element("h2", "cnnviz-head-question");
  private readonly actions = element("div", "cnnviz-head-actions", { role: "group" });
  private readonly toggle = element("button", "cnnviz-icon-button cnnviz-head-toggle", {
    type: "button",
    "aria-expanded": "false",
  });
  private readonly drawer: HTMLElement;

  constructor(private readonly view: View<Traits>) {
    this.question.id = `${view.id}-question`;
    this.drawer = element("section", "cnnviz-head-help", { id: `${view.id}-help`, tabindex: "-1" });
    this.drawer.hidden = true;
    this.toggle.append(icon(QUESTION_MARK));
    this.toggle.setAttribute("aria-controls", this.drawer.id);
    view.root.append(this.question, this.actions, this.toggle, this.drawer);
    view.follow(["texts", "language"], () => this.write());
    const queue = view.queue();
    view.follow(["actions"], () => this.list((id) => queue.offer({ id }, true)));
    this.listen();
  }

  private write(): void {
    const { view, drawer, toggle } = this;
    const [language, texts] = textsIn(view.get("texts") ?? {}, view.get("language"));
    view.root.lang = language;
    this.question.textContent = texts?.question ?? "";
    const help = texts?.help ?? "Help";
    toggle.title = help;
    toggle.setAttribute("aria-label", `${texts?.name ?? ""}: ${help}`);
    drawer.setAttribute("aria-label", toggle.getAttribute("aria-label")!);
    this.actions.setAttribute("aria-labelledby", this.question.id);
    const title = element("h3", "cnnviz-head-title");
    title.textContent = texts?.name ?? "";
    const list = element("dl", "cnnviz-head-parts");
    for (const [heading, text] of texts?.parts ?? []) {
      const term = element("dt", "");
      const detail = element("dd", "");
      term.textContent = heading;
      detail.textContent = text;
      list.append(term, detail);
    }
    drawer.replaceChildren(title, list);
    toggle.hidden = !texts?.parts?.length;
  }

  private list(press: (id: string) => void): void {
    const buttons = this.view.get("actions").map(({ id, label, tooltip }) => {
      const button = element("button", "cnnviz-head-action", { type: "button", title: tooltip });
      button.dataset["action"] = id;
      button.setAttribute("aria-description", tooltip);
      button.textContent = label;
      this.view.listen(button, "click", () => press(id));
      return button;
    });
    this.actions.replaceChildren(...buttons);
  }

  private listen(): void {
    const { view, toggle, drawer } = this;
    view.listen(toggle, "click", () => this.open(drawer.hidden === true));
    view.listen(view.root, "keydown", (event) => {
      if (event.key !== "Escape" || drawer.hidden) return;
      event.stopPropagation();
      event.preventDefault();
      this.open(false);
    });
    view.listen(document, "pointerdown", (event) => {
      if (!drawer.hidden && !event.composedPath().includes(view.root)) this.open(false, false);
    });
  }

  /** Show the help and go into it, or hide it and go back to the button. */
  private open(open: boolean, focus = true): void {
    this.drawer.hidden = !open;
    this.toggle.setAttribute("aria-expanded", String(open));
    if (focus) (open ? this.drawer : this.toggle).focus();
  }
}

export default define("head", css, (view: View<Traits>) => new Head(view));
