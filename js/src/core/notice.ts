// One sentence for all widgets of a page, or of a notebook in JupyterLab, when their kernel does not answer.
import { notice, type Place, type Standing, worst } from "./standing.ts";

const KEY = Symbol.for("cnnviz.notice");
/** What is shown may be of before, and may yet be answered. */
const UNANSWERED = new Set<Standing>(["late", "reconnecting", "cut off"]);
const NOTEBOOK = ".jp-NotebookPanel, .jp-Document";

/** Where the sentence about the widgets below it stands, and what each of them reported. */
class Notice {
  private readonly line = document.createElement("div");
  private readonly reported = new Map<string, Standing>();
  private shown: Standing = "answers";
  private next: Standing = "answers";
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly container: HTMLElement,
    private readonly place: Place,
  ) {
    this.line.className = "cnnviz cnnviz-notice";
  }

  report(id: string, standing: Standing | null): void {
    if (standing === null) this.reported.delete(id);
    else this.reported.set(id, standing);
    const found = worst(this.reported.values());
    this.container.toggleAttribute("data-cnnviz-unanswered", UNANSWERED.has(found));
    if (found === this.next) return;
    this.next = found;
    clearTimeout(this.timer);
    const said = notice(found, this.place);
    if (said === null) this.hide();
    else if (found !== this.shown) this.timer = setTimeout(() => this.say(found, said), said.after);
  }

  private say(standing: Standing, { text, urgent }: { text: string; urgent: boolean }): void {
    this.shown = standing;
    this.line.setAttribute("role", urgent ? "alert" : "status");
    this.container.append(this.line);
    this.line.textContent = text; // after it is there: only a change is read out
  }

  private hide(): void {
    this.shown = "answers";
    this.line.textContent = "";
    this.line.remove();
  }
}

/** The notice for widgets inside `element`. Each widget is a bundle of its own; they meet at the container. */
export function noticeOf(element: Element): Notice {
  const notebook = element.closest<HTMLElement>(NOTEBOOK);
  const container = (notebook ?? document.body) as HTMLElement & { [KEY]?: Notice };
  container[KEY] ??= new Notice(container, placeOf(notebook));
  return container[KEY];
}

function placeOf(notebook: HTMLElement | null): Place {
  if (notebook !== null) return "notebook";
  return document.getElementById("jupyter-config-data") === null ? "elsewhere" : "page";
}
