// Choose, drop or paste a picture. The browser decodes, turns and shrinks it, so that little travels.
import { initialize } from "./hearing.ts";
import type { RenderContext } from "./model.ts";
import { asItIs, fitted, readable, transparent } from "./shrink.ts";
import css from "./upload.css";
import { element, icon, View } from "./view.ts";

interface Traits {
  description: string;
  message: string;
  failed: boolean;
  disabled: boolean;
  max_side: number;
  max_bytes: number;
}

const INVITATION = "or drop a picture here, or paste one";
const JPEG_QUALITY = 0.95;
const PATIENCE = 8000;

/** A sentence for the user. */
class Refusal extends Error {}

function render(context: RenderContext): () => void {
  const view = new View<Traits>(context, "upload", css);

  const button = element("button", "cnnviz-upload-button", { type: "button" });
  const caption = document.createElement("span");
  button.append(icon("M8 10.5v-8M4.5 6 8 2.5 11.5 6M2.5 10.5v3h11v-3"), caption);
  const line = element("span", "cnnviz-upload-line", { role: "status" });
  const chooser = element("input", "", { type: "file", accept: "image/*", tabindex: "-1", "aria-hidden": "true" });
  chooser.hidden = true;
  const zone = element("div", "cnnviz-upload-zone", { "data-lm-suppress-shortcuts": "true" });
  zone.append(button, line, chooser);
  view.root.append(zone);

  let sent: unknown = null;
  let newest = 0;
  let patience: ReturnType<typeof setTimeout> | undefined;
  const channel = view.channel((seq) => {
    sent = seq;
  });
  view.onDispose(() => clearTimeout(patience));
  view.onDispose(() => newest++);

  const say = (text: string, failed = false) => {
    line.textContent = text;
    line.classList.toggle("cnnviz-upload-failed", failed);
  };
  const sayKernel = () => say(view.get("message") || INVITATION, view.get("message") !== "" && view.get("failed"));

  const take = async (file: File) => {
    const turn = ++newest;
    say(`Reading ${shortened(file.name)}…`);
    try {
      const picture = await prepared(file, { side: view.get("max_side"), bytes: view.get("max_bytes") });
      const bytes = await picture.arrayBuffer();
      if (turn !== newest) return;
      channel.offer({ name: file.name.slice(-200) }, true, [bytes]);
      say(`Sending ${shortened(file.name)}…`);
      clearTimeout(patience);
      patience = setTimeout(() => say("Sent; the kernel has not answered yet."), PATIENCE);
    } catch (error) {
      if (turn !== newest) return;
      say(error instanceof Refusal ? error.message : "The browser could not read this file.", true);
    }
  };

  const offered = (data: DataTransfer | null): File | null => {
    const files = [...(data?.files ?? [])];
    return files.find((file) => file.type.startsWith("image/")) ?? files[0] ?? null;
  };

  view.listen(button, "click", () => chooser.click());
  view.listen(chooser, "change", () => {
    const file = chooser.files?.[0];
    if (file) void take(file);
    chooser.value = ""; // so that the same file can be chosen again
  });
  let depth = 0; // dragenter and dragleave come for every element inside
  const over = (change: number) => {
    depth = Math.max(0, depth + change);
    zone.classList.toggle("cnnviz-upload-over", depth > 0);
  };
  const welcome = (event: DragEvent) => !view.get("disabled") && event.dataTransfer?.types.includes("Files");
  view.listen(zone, "dragenter", (event) => {
    if (welcome(event)) over(1);
  });
  view.listen(zone, "dragleave", () => over(-1));
  view.listen(zone, "dragover", (event) => {
    if (!welcome(event)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
  });
  view.listen(zone, "drop", (event) => {
    over(-depth);
    if (!welcome(event)) return;
    event.preventDefault();
    event.stopPropagation();
    const file = offered(event.dataTransfer);
    if (file) void take(file);
  });
  view.listen(zone, "paste", (event) => {
    const file = offered(event.clipboardData);
    if (view.get("disabled")) return;
    event.preventDefault();
    if (file) void take(file);
    else say("There is no picture on the clipboard.", true);
  });

  view.hear((message) => {
    const { kind, seq } = (message ?? {}) as { kind?: unknown; seq?: unknown };
    if (kind !== "ack" || seq !== sent) return;
    sent = null;
    clearTimeout(patience);
    sayKernel();
  });
  view.follow(["message", "failed"], () => {
    clearTimeout(patience);
    sayKernel();
  });
  view.follow(["disabled"], () => {
    button.disabled = view.get("disabled");
  });
  view.follow(["description"], () => {
    caption.textContent = view.get("description");
  });
  return view.dispose;
}

/** The bytes to send for `file`, upright and within `limits`. */
async function prepared(file: File, limits: { side: number; bytes: number }): Promise<Blob> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    // Python may read what the browser cannot (TIFF, say), but a message has its limits.
    if (file.size === 0) throw new Refusal("This file is empty.");
    if (file.size <= limits.bytes) return file;
    const size = `${readable(file.size)} is over the limit of ${readable(limits.bytes)}`;
    throw new Refusal(`The browser cannot decode this file to shrink it, and ${size}: save it as PNG or JPEG.`);
  }
  try {
    if (asItIs(file, bitmap.width, bitmap.height, limits)) return file;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = fitted(bitmap.width, bitmap.height, limits.side);
    const drawing = canvas.getContext("2d");
    if (!drawing) throw new Refusal("The browser could not shrink this picture.");
    drawing.imageSmoothingQuality = "high";
    drawing.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const { data } = drawing.getImageData(0, 0, canvas.width, canvas.height);
    const lossless = file.type === "image/png" || transparent(data);
    const first = await encoded(canvas, lossless ? "image/png" : "image/jpeg");
    if (first.size <= limits.bytes) return first;
    drawing.globalCompositeOperation = "destination-over"; // JPEG has no alpha: white behind, not black
    drawing.fillStyle = "#fff";
    drawing.fillRect(0, 0, canvas.width, canvas.height);
    const second = await encoded(canvas, "image/jpeg");
    if (second.size <= limits.bytes) return second;
    throw new Refusal(`This picture is over the limit of ${readable(limits.bytes)} even when shrunk.`);
  } finally {
    bitmap.close();
  }
}

function encoded(canvas: HTMLCanvasElement, type: string): Promise<Blob> {
  return new Promise((resolve, reject) => {
    const finish = (blob: Blob | null) =>
      blob ? resolve(blob) : reject(new Refusal("The browser could not encode this picture."));
    canvas.toBlob(finish, type, JPEG_QUALITY);
  });
}

function shortened(name: string): string {
  return name.length > 40 ? `${name.slice(0, 24)}…${name.slice(-14)}` : name;
}

export default { initialize, render };
