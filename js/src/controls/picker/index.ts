// A choice among labelled options: a combobox with search, or the browser's own list where there are few.
import { control } from "../../core/controlled_value.ts";
import { element, icon, setTooltip } from "../../core/element.ts";
import { define, type View } from "../../core/widget.ts";
import { Combobox, type Field, type Traits } from "./combobox.ts";
import css from "./picker.css";

/** Up to this many options the browser's own list is best. */
const FEW = 12;

function render(view: View<Traits>): void {
  view.root.classList.add("cnnviz-ruled");
  const draw = () => field.draw(chosen.value);
  const [chosen, queue] = control(view, "index", draw);

  const pick = (index: number) => {
    const option = view.get("options")[index];
    if (option === undefined) return;
    chosen.move(index);
    // The label goes along: if the kernel has another list by now, the index means something else there.
    queue.offer({ index, option }, true);
    draw();
  };

  const description = element("label", "cnnviz-picker-description", { for: view.id });
  const box = element("div", "cnnviz-picker-field");
  const searchable = view.get("searchable") ?? view.get("options").length > FEW;
  const field = searchable ? new Combobox(view, box, pick) : nativeList(view, pick);
  field.input.id = view.id;
  const arrow = element("span", "cnnviz-picker-arrow");
  arrow.append(icon("m4 6 4 4 4-4"));
  box.prepend(field.input);
  box.append(arrow);
  view.root.prepend(description, box);

  view.follow(["options", "hints", "order", "placeholder", "texts"], draw);
  view.follow(["disabled"], () => {
    field.input.disabled = view.get("disabled");
    box.classList.toggle("cnnviz-picker-disabled", view.get("disabled"));
  });
  view.follow(["description", "texts"], () => {
    const text = view.say(view.get("description"));
    description.textContent = description.title = text;
    description.hidden = text === "";
    if (text === "") field.input.setAttribute("aria-label", view.say(view.get("placeholder")) || "Option");
    else field.input.removeAttribute("aria-label");
  });
  view.follow(["tooltip", "texts"], () => setTooltip(view.root, field.input, view.say(view.get("tooltip") ?? "")));
}

/** The browser's own list. */
function nativeList(view: View<Traits>, pick: (index: number) => void): Field {
  const input = element("select", "cnnviz-picker-input", { "data-lm-suppress-shortcuts": "true" });
  view.listen(input, "change", () => pick(Number(input.value)));
  return {
    input,
    draw(index) {
      const { say } = view;
      const hints = view.get("hints");
      const made = view.get("options").map((option, at) => {
        const [label, hint] = [say(option), hints[at]];
        return new Option(hint ? `${label}  (${hint})` : label, String(at));
      });
      if (index === null) {
        const blank = new Option(say(view.get("placeholder")), "");
        blank.disabled = blank.hidden = true;
        made.unshift(blank);
      }
      input.replaceChildren(...made);
      input.value = index === null ? "" : String(index);
    },
  };
}

export default define("picker", css, render);
