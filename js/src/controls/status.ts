// One line of plain text, with a progress bar while there is progress to show; or an answer, with its details below.
import { element } from "../core/element.ts";
import { type Pieces, textsIn } from "../core/language.ts";
import { define, type View } from "../core/widget.ts";
import css from "./status.css";

interface Traits {
  text: string;
  answer: Record<string, Pieces>;
  detail: string;
  language: string | null;
  kind: "info" | "busy" | "error";
  progress: number;
}

function render(view: View<Traits>): void {
  const bar = element("progress", "", { max: "1", "aria-label": "Progress" });
  const text = element("span", "");
  view.root.append(bar, text);
  view.follow(["text", "answer", "detail", "language", "kind", "progress"], () => {
    const progress = view.get("progress");
    view.root.dataset["kind"] = view.get("kind");
    view.root.setAttribute("role", view.get("kind") === "error" ? "alert" : "status");
    const [language, pieces] = textsIn(view.get("answer") ?? {}, view.get("language"));
    if (pieces === undefined) text.textContent = view.get("text");
    else text.replaceChildren(...said(language, pieces, view.get("detail")));
    bar.hidden = !(progress >= 0 && progress < 1);
    bar.value = Math.min(1, Math.max(0, progress));
  });
}

function said(language: string, pieces: Pieces, detail: string): (HTMLElement | string)[] {
  const answer = element("span", "cnnviz-status-answer");
  answer.lang = language;
  for (const [piece, bold] of pieces) {
    const node = element(bold ? "strong" : "span", "");
    node.textContent = piece;
    answer.append(node);
  }
  const more = element("span", "cnnviz-status-detail");
  more.textContent = detail;
  return [answer, " ", more];
}

export default define("status", css, render);
