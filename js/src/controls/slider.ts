// A slider over a list of labelled options. It moves with the hand; the kernel follows, one message at a time.
import { type ControlledValue, control } from "../core/controlled_value.ts";
import { element, iconButton, setTooltip } from "../core/element.ts";
import type { EventQueue } from "../core/event_queue.ts";
import { define, type View } from "../core/widget.ts";
import css from "./slider.css";

interface Traits {
  options: string[];
  details: string[];
  index: number;
  description: string;
  disabled: boolean;
  texts?: Record<string, Record<string, string>>;
  tooltip?: string | null;
}

class OptionSlider {
  private readonly description: HTMLLabelElement;
  private readonly range: HTMLInputElement;
  private readonly name = element("span", "cnnviz-slider-name");
  private readonly detail = element("span", "cnnviz-slider-detail");
  private readonly place = element("span", "cnnviz-slider-place");
  private readonly previous = iconButton("Previous", "M10 3 5 8l5 5");
  private readonly next = iconButton("Next", "m6 3 5 5-5 5");
  private readonly index: ControlledValue<number>;
  private readonly queue: EventQueue;
  private moved = false;

  constructor(private readonly view: View<Traits>) {
    this.description = element("label", "cnnviz-slider-description", { for: view.id });
    this.range = element("input", "cnnviz-slider-range", {
      type: "range",
      id: view.id,
      min: "0",
      step: "1",
      "data-lm-suppress-shortcuts": "true", // JupyterLab moves between cells with the arrow keys
    });
    const head = element("div", "cnnviz-slider-head");
    head.append(this.description, this.name, this.detail, this.place);
    const row = element("div", "cnnviz-slider-row");
    row.append(this.previous, this.range, this.next);
    view.root.classList.add("cnnviz-ruled");
    view.root.append(head, row);
    [this.index, this.queue] = control(view, "index", () => this.draw());
    this.listen();
    view.follow(["options", "details", "disabled", "texts"], () => this.draw());
    view.follow(["description", "texts"], () => this.describe());
    view.follow(["tooltip", "texts"], () => setTooltip(view.root, this.range, view.say(view.get("tooltip") ?? "")));
  }

  private get last(): number {
    return this.view.get("options").length - 1;
  }

  private draw(): void {
    const { view, range, last } = this;
    const options = view.get("options");
    const index = Math.min(this.index.value, last);
    const label = view.say(options[index] ?? "");
    const more = view.get("details")[index] ?? "";
    const idle = view.get("disabled") || options.length < 2;
    range.max = String(Math.max(0, last));
    range.value = String(Math.max(0, index));
    range.disabled = idle;
    range.style.setProperty("--share", `${last > 0 ? (100 * index) / last : 0}%`);
    const position = options.length ? `${index + 1} / ${options.length}` : "";
    range.setAttribute("aria-valuetext", [label, more, position.replace("/", "of")].filter(Boolean).join(", "));
    this.name.textContent = this.name.title = label;
    this.detail.textContent = this.detail.title = more;
    this.place.textContent = view.get("details").length ? position : "";
    this.previous.disabled = idle || index <= 0;
    this.next.disabled = idle || index >= last;
  }

  private describe(): void {
    const text = this.view.say(this.view.get("description"));
    this.description.textContent = text;
    this.description.hidden = text === "";
    if (text === "") this.range.setAttribute("aria-label", "Option");
    else this.range.removeAttribute("aria-label");
  }

  private listen(): void {
    const { view, range } = this;
    view.listen(range, "pointerdown", () => {
      this.index.hold();
      this.moved = false;
    });
    view.listen(range, "input", () => {
      this.moved = true;
      this.moveTo(range.valueAsNumber, !this.index.isHeld);
    });
    // The release may fall anywhere, and a browser may end a touch by `change` alone.
    for (const end of ["pointerup", "pointercancel"] as const) {
      view.listen(window, end, () => this.release(), { capture: true });
    }
    for (const end of ["change", "blur"] as const) view.listen(range, end, () => this.release());
    view.listen(this.previous, "click", () => this.moveTo(this.index.value - 1, true));
    view.listen(this.next, "click", () => this.moveTo(this.index.value + 1, true));
  }

  private moveTo(index: number, final: boolean): void {
    this.index.move(Math.max(0, Math.min(this.last, index)));
    this.draw();
    this.send(final);
  }

  private send(final: boolean): void {
    const index = this.index.value;
    const option = this.view.get("options")[index];
    // The label goes along: if the kernel has another list by now, the index means something else there.
    if (option !== undefined) this.queue.offer({ index, option }, final);
  }

  private release(): void {
    if (!this.index.isHeld) return;
    this.index.release();
    if (this.moved) this.send(true);
    else if (this.index.receive(this.view.get("index"))) this.draw();
  }
}

export default define("slider", css, (view: View<Traits>) => new OptionSlider(view));
