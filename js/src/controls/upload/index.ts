// Choose, drop or paste a picture.
import { element, icon } from "../../core/element.ts";
import type { EventQueue } from "../../core/event_queue.ts";
import { define, type View } from "../../core/widget.ts";
import { prepare, Refusal } from "./prepare.ts";
import css from "./upload.css";

interface Traits {
  description: string;
  message: string;
  failed: boolean;
  disabled: boolean;
  max_side: number;
  max_bytes: number;
}

const INVITATION = "or drop a picture here, or paste one";
/** Milliseconds after which the line says that a picture has not been answered. */
const ANSWER_AFTER = 8000;

class Upload {
  private readonly button = element("button", "cnnviz-upload-button", { type: "button" });
  private readonly caption = document.createElement("span");
  private readonly line = element("span", "cnnviz-upload-line", { role: "status" });
  private readonly chooser = element("input", "", {
    type: "file",
    accept: "image/*",
    tabindex: "-1",
    "aria-hidden": "true",
  });
  private readonly zone = element("div", "cnnviz-upload-zone", { "data-lm-suppress-shortcuts": "true" });
  private readonly queue: EventQueue;
  private sent: number | null = null;
  private newest = 0;
  private answerTimer: ReturnType<typeof setTimeout> | undefined;
  private depth = 0; // dragenter and dragleave come for every element inside

  constructor(private readonly view: View<Traits>) {
    this.button.append(icon("M8 10.5v-8M4.5 6 8 2.5 11.5 6M2.5 10.5v3h11v-3"), this.caption);
    this.chooser.hidden = true;
    this.zone.append(this.button, this.line, this.chooser);
    view.root.append(this.zone);
    this.queue = view.queue({
      onSent: (seq) => {
        this.sent = seq;
      },
    });
    view.onDispose(() => {
      clearTimeout(this.answerTimer);
      this.newest++;
    });
    this.listenToButton();
    this.listenToZone();
    this.followKernel();
  }

  private listenToButton(): void {
    const { view, chooser } = this;
    view.listen(this.button, "click", () => chooser.click());
    view.listen(chooser, "change", () => {
      const file = chooser.files?.[0];
      if (file) void this.take(file);
      chooser.value = ""; // so that the same file can be chosen again
    });
  }

  private listenToZone(): void {
    const { view, zone } = this;
    const isWelcome = (event: DragEvent) => !view.get("disabled") && event.dataTransfer?.types.includes("Files");
    view.listen(zone, "dragenter", (event) => {
      if (isWelcome(event)) this.setDepth(this.depth + 1);
    });
    view.listen(zone, "dragleave", () => this.setDepth(this.depth - 1));
    view.listen(zone, "dragover", (event) => {
      if (!isWelcome(event)) return;
      event.preventDefault();
      event.stopPropagation();
      if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
    });
    view.listen(zone, "drop", (event) => {
      this.setDepth(0);
      if (!isWelcome(event)) return;
      event.preventDefault();
      event.stopPropagation();
      const file = pictureIn(event.dataTransfer);
      if (file) void this.take(file);
    });
    view.listen(zone, "paste", (event) => {
      const file = pictureIn(event.clipboardData);
      if (view.get("disabled")) return;
      event.preventDefault();
      if (file) void this.take(file);
      else this.say("There is no picture on the clipboard.", true);
    });
  }

  private followKernel(): void {
    const { view } = this;
    view.onMessage((message) => {
      const { kind, seq } = (message ?? {}) as { kind?: unknown; seq?: unknown };
      if (kind !== "ack" || seq !== this.sent) return;
      this.sent = null;
      this.sayKernel();
    });
    view.follow(["message", "failed"], () => this.sayKernel());
    view.follow(["disabled"], () => {
      this.button.disabled = view.get("disabled");
    });
    view.follow(["description"], () => {
      this.caption.textContent = this.button.title = view.get("description");
    });
  }

  private async take(file: File): Promise<void> {
    const { view } = this;
    const turn = ++this.newest;
    const name = shortName(file.name);
    this.say(`Reading ${name}…`);
    try {
      const picture = await prepare(file, { side: view.get("max_side"), bytes: view.get("max_bytes") });
      const bytes = await picture.arrayBuffer();
      if (turn !== this.newest) return;
      this.queue.offer({ name: file.name.slice(-200) }, true, [bytes]);
      this.say(`Sending ${name}…`);
      clearTimeout(this.answerTimer);
      this.answerTimer = setTimeout(() => this.say("Sent; the kernel has not answered yet."), ANSWER_AFTER);
    } catch (error) {
      if (turn !== this.newest) return;
      this.say(error instanceof Refusal ? error.message : "The browser could not read this file.", true);
    }
  }

  private setDepth(depth: number): void {
    this.depth = Math.max(0, depth);
    this.zone.classList.toggle("cnnviz-upload-over", this.depth > 0);
  }

  private say(text: string, failed = false): void {
    this.line.textContent = text;
    this.line.classList.toggle("cnnviz-upload-failed", failed);
  }

  private sayKernel(): void {
    const message = this.view.get("message");
    clearTimeout(this.answerTimer);
    this.say(message || INVITATION, message !== "" && this.view.get("failed"));
  }
}

/** The first picture among the files that were dropped or pasted, or the first file. */
function pictureIn(data: DataTransfer | null): File | null {
  const files = [...(data?.files ?? [])];
  return files.find((file) => file.type.startsWith("image/")) ?? files[0] ?? null;
}

function shortName(name: string): string {
  return name.length > 40 ? `${name.slice(0, 24)}…${name.slice(-14)}` : name;
}

export default define("upload", css, (view: View<Traits>) => new Upload(view));
