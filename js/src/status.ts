// One line of plain text, with a progress bar while there is progress to show.
import { initialize } from "./hearing.ts";
import type { RenderContext } from "./model.ts";
import css from "./status.css";
import { View, element } from "./view.ts";

interface Traits {
  text: string;
  kind: "info" | "busy" | "error";
  progress: number;
}

function render(context: RenderContext): () => void {
  const view = new View<Traits>(context, "status", css);
  const bar = element("progress", "", { max: "1", "aria-label": "Progress" });
  const text = element("span", "");
  view.root.append(bar, text);
  view.follow(["text", "kind", "progress"], () => {
    const progress = view.get("progress");
    view.root.dataset.kind = view.get("kind");
    view.root.setAttribute("role", view.get("kind") === "error" ? "alert" : "status");
    text.textContent = view.get("text");
    bar.hidden = !(progress >= 0 && progress < 1);
    bar.value = Math.min(1, Math.max(0, progress));
  });
  return view.dispose;
}

export default { initialize, render };
