// The main button of a view: what to do next, and Stop while the view works.
import { element } from "../core/element.ts";
import { textsIn } from "../core/language.ts";
import { define, type View } from "../core/widget.ts";
import css from "./step.css";

interface Traits {
  texts: Record<string, { step?: string; stop?: string }>;
  language: string | null;
  busy: boolean;
  disabled: boolean;
}

/** Milliseconds of work before the button says Stop: a quick answer does not flicker. */
const BLINK = 300;

function render(view: View<Traits>): void {
  const button = element("button", "cnnviz-step-button", { type: "button" });
  const queue = view.queue();
  let stops = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  view.root.append(button);

  const write = () => {
    const [language, texts] = textsIn(view.get("texts") ?? {}, view.get("language"));
    view.root.lang = language;
    button.textContent = (stops ? texts?.stop : texts?.step) ?? "";
    button.toggleAttribute("data-stop", stops);
  };
  const turn = (to: boolean) => {
    stops = to;
    write();
  };
  view.follow(["texts", "language"], write);
  view.follow(["disabled"], () => {
    button.disabled = view.get("disabled");
  });
  view.follow(["busy"], () => {
    clearTimeout(timer);
    if (view.get("busy")) timer = setTimeout(turn, BLINK, true);
    else turn(false);
  });
  view.onDispose(() => clearTimeout(timer));
  view.listen(button, "click", () => queue.offer({ stop: stops }, true));
}

export default define("step", css, render);
