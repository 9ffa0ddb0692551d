// A choice among labelled options: a combobox with search, or the browser's own list where there are few.
import { initialize } from "./hearing.ts";
import { combobox, type Field, type Traits } from "./combobox.ts";
import { Held } from "./held.ts";
import type { RenderContext } from "./model.ts";
import css from "./picker.css";
import { element, icon, View } from "./view.ts";

/** Up to this many options the browser's own list is best. */
const FEW = 12;

function render(props: RenderContext): () => void {
  const view = new View<Traits>(props, "picker", css);
  view.root.classList.add("cnnviz-ruled");
  const held = new Held(view.get("index"));
  const channel = view.channel((seq) => held.sent(seq));

  const pick = (index: number) => {
    const option = view.get("options")[index];
    if (option === undefined) return;
    held.move(index);
    // The label goes along: if the kernel has another list by now, the index means something else there.
    channel.offer({ index, option }, true);
    field.draw(index);
  };

  const description = element("label", "cnnviz-picker-description", { for: view.id });
  const box = element("div", "cnnviz-picker-field");
  const searchable = view.get("searchable") ?? view.get("options").length > FEW;
  const field = searchable ? combobox(view, box, pick) : choice(view, pick);
  field.input.id = view.id;
  const arrow = element("span", "cnnviz-picker-arrow");
  arrow.append(icon("m4 6 4 4 4-4"));
  box.prepend(field.input);
  box.append(arrow);
  view.root.prepend(description, box);

  const draw = () => field.draw(held.value);
  view.hear((message) => {
    if (held.acknowledged(message, view.get("index"))) draw();
  });
  view.follow(["index"], () => {
    if (held.offered(view.get("index"))) draw();
  });
  view.follow(["options", "hints", "order", "placeholder"], draw);
  view.follow(["disabled"], () => {
    field.input.disabled = view.get("disabled");
    box.classList.toggle("cnnviz-picker-disabled", view.get("disabled"));
  });
  view.follow(["description"], () => {
    const text = view.get("description");
    description.textContent = description.title = text;
    description.hidden = text === "";
    if (text === "") field.input.setAttribute("aria-label", view.get("placeholder") || "Option");
    else field.input.removeAttribute("aria-label");
  });
  return view.dispose;
}

function choice(view: View<Traits>, pick: (index: number) => void): Field {
  const input = element("select", "cnnviz-picker-input", { "data-lm-suppress-shortcuts": "true" });
  view.listen(input, "change", () => pick(Number(input.value)));
  return {
    input,
    draw(index) {
      const hints = view.get("hints");
      const made = view.get("options").map((label, at) => {
        const hint = hints[at];
        return new Option(hint ? `${label}  (${hint})` : label, String(at));
      });
      if (index === null) {
        const blank = new Option(view.get("placeholder"), "");
        blank.disabled = blank.hidden = true;
        made.unshift(blank);
      }
      input.replaceChildren(...made);
      input.value = index === null ? "" : String(index);
    },
  };
}

export default { initialize, render };
