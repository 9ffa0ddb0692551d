// What the kernel sends to be taken away: a file to save, or a text for the clipboard.
import { element } from "./element.ts";

/** More is no figure, table or page of one view. */
const MOST = 64 * 2 ** 20;

interface Message {
  kind?: unknown;
  view?: unknown;
  name?: unknown;
  type?: unknown;
  text?: unknown;
}

/** Save or copy what a message for the view `id` holds; returns what was done, or null for any other message. */
export function takeAway(message: unknown, buffers: DataView[], id: string): "saved" | "copied" | null {
  if (typeof message !== "object" || message === null) return null;
  const { kind, view, name, type, text } = message as Message;
  if (view !== id) return null;
  if (kind === "copy" && typeof text === "string") {
    copy(text);
    return "copied";
  }
  const data = buffers[0];
  if (kind !== "download" || typeof name !== "string" || typeof type !== "string" || !data) return null;
  if (data.byteLength > MOST) return null;
  download(name, new Blob([data as BlobPart], { type }));
  return "saved";
}

function download(name: string, blob: Blob): void {
  const link = element("a", "", { download: name });
  link.href = URL.createObjectURL(blob);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser may begin to read it later
}

/** Browsers refuse the clipboard on pages without https, and too long after a press: then the text is a file. */
function copy(text: string): void {
  const refused = () => download("view.py", new Blob([text], { type: "text/x-python" }));
  if (navigator.clipboard === undefined) refused();
  else navigator.clipboard.writeText(text).catch(refused);
}
