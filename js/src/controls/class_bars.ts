// A few classes as bars: what the network says now, and pale behind it what it said before. A press chooses one.
import { element } from "../core/element.ts";
import { textsIn } from "../core/language.ts";
import { define, type View } from "../core/widget.ts";
import css from "./class_bars.css";

interface Words {
  title?: string;
  tooltip?: string;
  now?: string;
  before?: string;
}

interface Traits {
  names: string[];
  now: number[];
  before: number[];
  texts: string[];
  ends: [number, number];
  chosen: number | null;
  words: Record<string, Words>;
  language: string | null;
}

interface Row {
  readonly button: HTMLButtonElement;
  readonly before: HTMLElement;
  readonly now: HTMLElement;
  readonly text: HTMLElement;
}

class ClassBars {
  private readonly title = element("span", "cnnviz-class-bars-title");
  private readonly list = element("div", "cnnviz-class-bars-list", { role: "radiogroup" });
  private readonly legend = element("div", "cnnviz-class-bars-legend", { "aria-hidden": "true" });
  private rows: Row[] = [];
  private listed = "";

  constructor(private readonly view: View<Traits>) {
    view.root.classList.add("cnnviz-ruled");
    this.title.id = `${view.id}-title`;
    this.list.setAttribute("aria-labelledby", this.title.id);
    view.root.append(this.title, this.list, this.legend);
    const queue = view.queue();
    view.listen(this.list, "click", (event) => {
      const index = this.rows.findIndex(({ button }) => button.contains(event.target as Node));
      const option = view.get("names")[index];
      // The name goes along: the kernel may have other rows by now.
      if (option !== undefined) queue.offer({ index, option }, true);
    });
    view.listen(this.list, "keydown", (event) => this.move(event));
    view.follow(["names", "now", "before", "texts", "ends", "chosen", "words", "language"], () => this.draw());
  }

  private draw(): void {
    const { view, list, legend } = this;
    const [language, words] = textsIn(view.get("words") ?? {}, view.get("language"));
    const names = view.get("names");
    view.root.lang = language;
    this.title.textContent = words?.title ?? "";
    if (names.join("\n") !== this.listed || names.length !== this.rows.length) {
      this.listed = names.join("\n");
      this.rows = names.map(row);
      list.replaceChildren(...this.rows.map(({ button }) => button));
    }
    const keys: [string, string | undefined][] = [
      ["now", words?.now],
      ["before", words?.before],
    ];
    const named = keys.filter((key): key is [string, string] => key[1] !== undefined);
    legend.replaceChildren(...named.map(([name, text]) => sample(name, text)));
    this.fill(words);
  }

  private fill(words: Words | undefined): void {
    const { view, rows } = this;
    const [now, before, texts, ends] = [view.get("now"), view.get("before"), view.get("texts"), view.get("ends")];
    const chosen = view.get("chosen");
    rows.forEach(({ button, ...parts }, index) => {
      lay(parts.before, before[index], ends);
      lay(parts.now, now[index], ends);
      parts.text.textContent = texts[index] ?? "";
      button.setAttribute("aria-checked", String(index === chosen));
      button.tabIndex = index === (chosen ?? 0) ? 0 : -1;
      button.title = [view.get("names")[index], words?.tooltip].filter(Boolean).join(": ");
    });
  }

  /** Arrow keys go through the rows; Enter or Space chooses. */
  private move(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const at = this.rows.findIndex(({ button }) => button === document.activeElement);
    this.rows[Math.max(0, Math.min(this.rows.length - 1, at + step))]?.button.focus();
  }
}

function row(name: string): Row {
  const button = element("button", "cnnviz-class-bars-row", {
    type: "button",
    role: "radio",
    "data-lm-suppress-shortcuts": "true",
  });
  const label = element("span", "cnnviz-class-bars-name", { title: name });
  label.textContent = name;
  const track = element("span", "cnnviz-class-bars-track");
  const before = element("span", "cnnviz-class-bars-before");
  const now = element("span", "cnnviz-class-bars-now");
  const text = element("span", "cnnviz-class-bars-value");
  track.append(before, now);
  button.append(label, track, text);
  return { button, before, now, text };
}

/** A bar from zero to `value`, on a scale with these ends. */
function lay(bar: HTMLElement, value: number | undefined, [low, high]: [number, number]): void {
  bar.hidden = value === undefined || !Number.isFinite(value);
  if (bar.hidden || value === undefined) return;
  const place = (at: number) => 100 * Math.max(0, Math.min(1, (at - low) / (high - low || 1)));
  const [left, right] = [place(Math.min(0, value)), place(Math.max(0, value))];
  bar.style.left = `${left}%`;
  bar.style.width = `${right - left}%`;
}

function sample(name: string, text: string): HTMLElement {
  const made = element("span", `cnnviz-class-bars-sample cnnviz-class-bars-sample-${name}`);
  made.textContent = text;
  return made;
}

export default define("class-bars", css, (view: View<Traits>) => new ClassBars(view));
