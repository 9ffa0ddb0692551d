// The head of a view: its question, buttons for its actions, and the help behind a question mark.
import { element, icon } from "../core/element.ts";
import { textsIn } from "../core/language.ts";
import { revealNext } from "../core/reveal.ts";
import { takeAway } from "../core/takeaway.ts";
import { define, type View } from "../core/widget.ts";
import css from "./head.css";
import { menuOf } from "./head_menu.ts";
import { Presenter } from "./present.ts";

interface Texts {
  name?: string;
  question?: string;
  help?: string;
  parts?: [string, string][];
  labels?: Record<string, string>;
  tooltips?: Record<string, string>;
}

interface Action {
  id: string;
  icon?: boolean;
  disabled?: boolean;
  pressed?: boolean;
  items?: string[];
}

interface Traits {
  texts: Record<string, Texts>;
  language: string | null;
  actions: Action[];
}

const QUESTION_MARK =
  "M6 6.2a2 2 0 1 1 2.8 1.9c-.6.3-.8.7-.8 1.4M8 11.8v.2M8 1.7a6.3 6.3 0 1 0 0 12.6A6.3 6.3 0 0 0 8 1.7";
const SCREEN = "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10";
const LEAVE = "M4 4l8 8M12 4l-8 8";
/** By the ids of actions. */
const ICONS: Record<string, string> = {
  back: "M6.5 3 3 6.5 6.5 10M3 6.5h6a4 4 0 0 1 0 8H6",
  reset: "M3 4v3.5h3.5M3.4 7.2A5.2 5.2 0 1 1 3 9",
  guess: "M6 12h4M6.5 14h3M5.8 10.2a4 4 0 1 1 4.4 0c-.5.4-.6.8-.6 1.3H6.4c0-.5-.1-.9-.6-1.3",
  test: "M6.5 2h3M7 2v4.2L3.4 13a.7.7 0 0 0 .6 1h8a.7.7 0 0 0 .6-1L9 6.2V2M5 10.5h6",
  compare: "M2.5 3h4.5v10H2.5zM9 3h4.5v10H9z",
  save: "M8 2.5v7.5M5 7.3 8 10.3l3-3M2.8 11.5V13.5h10.4v-2",
};
/** What these actions open on the page. */
const OPENED: Record<string, string> = {
  guess: ".cnnviz-guess",
  test: ".cnnviz-below > *",
  compare: ".cnnviz-comparison",
};

class Head {
  private readonly question = element("h2", "cnnviz-head-question");
  private readonly actions = element("div", "cnnviz-head-actions", { role: "group" });
  private readonly toggle = element("button", "cnnviz-icon-button cnnviz-head-toggle", {
    type: "button",
    "aria-expanded": "false",
  });
  private readonly present = element("button", "cnnviz-icon-button cnnviz-head-present", { type: "button" });
  private presenter: Presenter | null = null;
  private readonly drawer: HTMLElement;
  /** What was done with what was taken away. */
  private readonly said = element("span", "cnnviz-head-said", { role: "status" });
  private revealing = new AbortController();

  constructor(private readonly view: View<Traits>) {
    this.question.id = `${view.id}-question`;
    this.drawer = element("section", "cnnviz-head-help", { id: `${view.id}-help`, tabindex: "-1" });
    this.drawer.hidden = true;
    this.toggle.append(icon(QUESTION_MARK));
    this.toggle.setAttribute("aria-controls", this.drawer.id);
    view.root.append(this.question, this.said, this.actions, this.present, this.toggle);
    view.follow(["texts", "language"], () => this.write());
    const queue = view.queue();
    view.follow(["actions", "texts", "language"], () => this.list((id) => queue.offer({ id, view: view.id }, true)));
    view.onMessage((message, buffers) => {
      const done = takeAway(message, buffers, view.id);
      if (done !== null) this.say(done);
    });
    view.onDispose(() => this.revealing.abort());
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
    const helps = (texts?.parts?.length ?? 0) > 0;
    toggle.hidden = !helps;
    if (helps) view.root.append(drawer);
    else drawer.remove();
    this.question.hidden = this.present.hidden = !texts?.question;
    this.writePresent();
  }

  private writePresent(): void {
    const [, texts] = textsIn(this.view.get("texts") ?? {}, this.view.get("language"));
    const presenting = this.presenter?.presenting === true;
    this.present.replaceChildren(icon(presenting ? LEAVE : SCREEN));
    this.present.setAttribute("aria-label", texts?.labels?.[presenting ? "leave" : "present"] ?? "");
    this.present.title = presenting ? `${texts?.labels?.["leave"] ?? ""} (Esc)` : (texts?.tooltips?.["present"] ?? "");
  }

  /** The view that this is the head of; it is known once both are on the page. */
  private presenterOf(): Presenter | null {
    const panel = this.view.root.closest<HTMLElement>(".cnnviz-view");
    if (this.presenter === null && panel !== null) {
      const life = new AbortController();
      this.view.onDispose(() => life.abort());
      this.presenter = new Presenter(panel, () => this.writePresent(), life.signal);
    }
    return this.presenter;
  }

  private list(press: (id: string) => void): void {
    const { view, actions } = this;
    const [, texts] = textsIn(view.get("texts") ?? {}, view.get("language"));
    const label = (id: string) => texts?.labels?.[id] ?? id;
    const focused = (document.activeElement as HTMLElement | null)?.dataset["action"];
    const had = actions.contains(document.activeElement);
    const made = view.get("actions").flatMap((action) => {
      const button = buttonOf(action, label(action.id), texts?.tooltips?.[action.id] ?? "");
      const items = (action.items ?? []).map((id): [string, string] => [id, label(id)]);
      const pressed = (id: string) => {
        this.reveal(action.id);
        press(id);
      };
      if (items.length) {
        const box = element("span", "cnnviz-head-menubox");
        box.append(button, menuOf(view, button, items, pressed));
        return [box];
      }
      view.listen(button, "click", () => pressed(action.id));
      return [button];
    });
    actions.replaceChildren(...made);
    // The button that was pressed may be another by now, but the hand is still on it.
    if (had) actions.querySelector<HTMLElement>(`[data-action="${focused}"]`)?.focus();
  }

  /** Bring into view what the action opens. */
  private reveal(id: string): void {
    const opened = OPENED[id];
    const panel = this.view.root.closest(".cnnviz-view");
    this.revealing.abort();
    this.revealing = new AbortController();
    if (opened !== undefined && panel !== null) revealNext(panel, opened, this.revealing.signal);
  }

  private say(done: "saved" | "copied"): void {
    const [, texts] = textsIn(this.view.get("texts") ?? {}, this.view.get("language"));
    this.said.textContent = texts?.labels?.[done] ?? "";
    setTimeout(() => {
      this.said.textContent = "";
    }, 3000);
  }

  private listen(): void {
    const { view, toggle, drawer } = this;
    view.listen(toggle, "click", () => this.open(drawer.hidden === true));
    const appeared = new ResizeObserver(() => this.presenterOf() !== null && appeared.disconnect());
    appeared.observe(view.root);
    view.onDispose(() => appeared.disconnect());
    view.listen(this.present, "click", () => {
      const presenter = this.presenterOf();
      if (presenter?.presenting) presenter.stop();
      else void presenter?.start();
    });
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

function buttonOf(action: Action, label: string, tooltip: string): HTMLButtonElement {
  const button = element("button", "cnnviz-head-action", { type: "button", title: tooltip || label });
  const drawn = ICONS[action.id];
  if (drawn !== undefined) button.append(icon(drawn));
  const text = element("span", action.icon ? "cnnviz-hidden" : "cnnviz-head-label");
  text.textContent = label;
  button.append(text);
  button.dataset["action"] = action.id;
  button.disabled = action.disabled === true;
  if (tooltip) button.setAttribute("aria-description", tooltip);
  if (action.pressed !== undefined) button.setAttribute("aria-pressed", String(action.pressed));
  return button;
}

export default define("head", css, (view: View<Traits>) => new Head(view));
