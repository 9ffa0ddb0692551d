// A slider over a list of labelled options. It moves with the hand; the kernel follows, one message at a time.
import { initialize } from "./hearing.ts";
import { Held } from "./held.ts";
import type { RenderContext } from "./model.ts";
import css from "./scrubber.css";
import { element, icon, View } from "./view.ts";

interface Traits {
  options: string[];
  details: string[];
  index: number;
  description: string;
  disabled: boolean;
}

function render(props: RenderContext): () => void {
  const view = new View<Traits>(props, "scrubber", css);
  view.root.classList.add("cnnviz-ruled");

  const description = element("label", "cnnviz-scrubber-description", { for: view.id });
  const name = element("span", "cnnviz-scrubber-name");
  const detail = element("span", "cnnviz-scrubber-detail");
  const place = element("span", "cnnviz-scrubber-place");
  const head = element("div", "cnnviz-scrubber-head");
  head.append(description, name, detail, place);
  const previous = step("Previous", "M10 3 5 8l5 5");
  const next = step("Next", "m6 3 5 5-5 5");
  const range = element("input", "cnnviz-scrubber-range", {
    type: "range",
    id: view.id,
    min: "0",
    step: "1",
    "data-lm-suppress-shortcuts": "true", // JupyterLab moves between cells with the arrow keys
  });
  const row = element("div", "cnnviz-scrubber-row");
  row.append(previous, range, next);
  view.root.append(head, row);

  const held = new Held(view.get("index"));
  const channel = view.channel((seq) => held.sent(seq));
  let moved = false;

  const last = () => view.get("options").length - 1;

  const draw = () => {
    const options = view.get("options");
    const index = Math.min(held.value, last());
    const label = options[index] ?? "";
    const more = view.get("details")[index] ?? "";
    const idle = view.get("disabled") || options.length < 2;
    range.max = String(Math.max(0, last()));
    range.value = String(Math.max(0, index));
    range.disabled = idle;
    range.style.setProperty("--share", `${last() > 0 ? (100 * index) / last() : 0}%`);
    const position = options.length ? `${index + 1} / ${options.length}` : "";
    range.setAttribute("aria-valuetext", [label, more, position.replace("/", "of")].filter(Boolean).join(", "));
    name.textContent = name.title = label;
    detail.textContent = detail.title = more;
    place.textContent = view.get("details").length ? position : "";
    previous.disabled = idle || index <= 0;
    next.disabled = idle || index >= last();
  };

  const send = (final: boolean) => {
    const option = view.get("options")[held.value];
    // The label goes along: if the kernel has another list by now, the index means something else there.
    if (option !== undefined) channel.offer({ index: held.value, option }, final);
  };

  const moveTo = (index: number, final: boolean) => {
    held.move(Math.max(0, Math.min(last(), index)));
    draw();
    send(final);
  };

  const letGo = () => {
    if (!held.inHand) return;
    held.letGo();
    if (moved) send(true);
    else if (held.offered(view.get("index"))) draw();
  };

  view.listen(range, "pointerdown", () => {
    held.grip();
    moved = false;
  });
  view.listen(range, "input", () => {
    moved = true;
    moveTo(range.valueAsNumber, !held.inHand);
  });
  // The release may fall anywhere, and a browser may end a touch by `change` alone.
  for (const end of ["pointerup", "pointercancel"] as const) view.listen(window, end, letGo, { capture: true });
  for (const end of ["change", "blur"] as const) view.listen(range, end, letGo);
  view.listen(previous, "click", () => moveTo(held.value - 1, true));
  view.listen(next, "click", () => moveTo(held.value + 1, true));

  view.hear((message) => {
    if (held.acknowledged(message, view.get("index"))) draw();
  });
  view.follow(["index"], () => {
    if (held.offered(view.get("index"))) draw();
  });
  view.follow(["options", "details", "disabled"], draw);
  view.follow(["description"], () => {
    const text = view.get("description");
    description.textContent = text;
    description.hidden = text === "";
    if (text === "") range.setAttribute("aria-label", "Option");
    else range.removeAttribute("aria-label");
  });
  return view.dispose;
}

function step(label: string, path: string): HTMLButtonElement {
  const button = element("button", "cnnviz-icon-button", { type: "button", "aria-label": label, title: label });
  button.append(icon(path));
  return button;
}

export default { initialize, render };
