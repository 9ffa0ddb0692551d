// An answer of the kernel: what an event changed, in all widgets, and its acknowledgement, as one message to the widget
// that the event came from. Each part is handed to its widget as if it had come alone, all before the next frame.
import { type HostedModel, type HostModel, modelOf } from "./model.ts";

interface Part {
  readonly id: string;
  readonly data: { readonly method: string };
  /** How many of the message's binary buffers are its own. */
  readonly buffers: number;
}

/** The last answer of this bundle's widgets that is being taken in. */
let last: Promise<void> = Promise.resolve();

/** Take in the answers that come to `model`. */
export function takeAnswers(model: HostedModel): void {
  model.on("msg:custom", (content, buffers) => {
    const { kind, parts } = (content ?? {}) as { kind?: unknown; parts?: Part[] };
    if (kind !== "answer" || !Array.isArray(parts)) return;
    last = last.then(() => handOn(model, parts, (buffers ?? []) as ArrayBuffer[])).catch(warn);
  });
}

async function handOn(model: HostedModel, parts: Part[], buffers: ArrayBuffer[]): Promise<void> {
  const hosts = await Promise.all(parts.map(({ id }) => modelOf(model, id).catch(() => null)));
  let changing: Promise<void>[] = [];
  let taken = 0;
  for (const [index, { data, buffers: count }] of parts.entries()) {
    const own = buffers.slice(taken, taken + count);
    taken += count;
    const host: HostModel | null = hosts[index]!;
    if (host === null) continue; // closed meanwhile
    if (data.method !== "update") {
      await Promise.all(changing); // what is said of the changes comes after them
      changing = [];
    }
    changing.push(host._handle_comm_msg({ content: { data }, buffers: own }).catch(warn));
  }
  await Promise.all(changing);
}

function warn(error: unknown): void {
  console.warn("cnnviz: part of an answer was lost", error);
}
