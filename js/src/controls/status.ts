// One line of plain text, with a progress bar while there is progress to show.
import { element } from "../core/element.ts";
import { define, type View } from "../core/widget.ts";
import css from "./status.css";

interface Traits {
  text: string;
  kind: "info" | "busy" | "error";
  progress: number;
}

function render(view: View<Traits>): void {
  const bar = element("progress", "", { max: "1", "aria-label": "Progress" });
  const text = element("span", "");
  view.root.append(bar, text);
  view.follow(["text", "kind", "progress"], () => {
    const progress = view.get("progress");
    view.root.dataset["kind"] = view.get("kind");
    view.root.setAttribute("role", view.get("kind") === "error" ? "alert" : "status");
    text.textContent = view.get("text");
    bar.hidden = !(progress >= 0 && progress < 1);
    bar.value = Math.min(1, Math.max(0, progress));
  });
}

export default define("status", css, render);
