// A widget's model without a kernel: it holds the state, tells of changes, and answers the hand in the page.
import type { Model } from "../core/model.ts";

type Listener = { event: string; callback: (...details: unknown[]) => void };
export type Entries = Record<string, unknown>;

/** What the hand did, as widgets send it. */
export type HandEvent = { kind: "event"; seq: number; final: boolean } & Record<string, unknown>;

export class HostModel implements Model {
  readonly state: Entries;
  listeners: Listener[] = [];
  /** The kernel's part: called with each event of the hand, which is acknowledged when what it returns has ended. */
  answer: (event: HandEvent, buffers: ArrayBuffer[]) => void | Promise<void> = () => {};

  constructor(state: Entries) {
    this.state = { ...state };
  }

  get(name: string): unknown {
    return this.state[name];
  }

  set(name: string | Entries, value?: unknown): void {
    this.write(typeof name === "string" ? { [name]: value } : name);
  }

  save_changes(): void {}

  /** What the hand did. A control takes over the state when it is acknowledged: so the answer comes first. */
  send(content: unknown, _callbacks?: unknown, buffers: ArrayBuffer[] = []): void {
    const event = content as HandEvent | null;
    if (event?.kind !== "event") return;
    const acknowledge = () => this.receive({ kind: "ack", seq: event.seq });
    let answered: unknown;
    try {
      answered = this.answer(event, buffers);
    } finally {
      if (answered instanceof Promise) void answered.finally(acknowledge);
      else queueMicrotask(acknowledge);
    }
  }

  on(events: string, callback: (...details: unknown[]) => void): void {
    for (const event of events.split(" ")) this.listeners.push({ event, callback });
  }

  off(event: string | null = null, callback: ((...details: unknown[]) => void) | null = null): void {
    this.listeners = this.listeners.filter(
      (listener) => (event && listener.event !== event) || (callback && listener.callback !== callback),
    );
  }

  /** A custom message, as from a kernel. */
  receive(content: unknown): void {
    this.emit("msg:custom", content, []);
  }

  /** New values of traits, as from a kernel. */
  write(entries: Entries): void {
    const changed = Object.keys(entries).filter((name) => !same(this.state[name], entries[name]));
    Object.assign(this.state, entries);
    for (const name of changed) this.emit(`change:${name}`, this, entries[name]);
    if (changed.length) this.emit("change", this);
  }

  emit(event: string, ...details: unknown[]): void {
    for (const listener of [...this.listeners]) if (listener.event === event) listener.callback(...details);
  }
}

/** Whether two values are equal; binary data that is not the same object is taken as different, unread. */
function same(a: unknown, b: unknown): boolean {
  let number = 0;
  const text = (value: unknown) =>
    JSON.stringify(value, (_, item) =>
      ArrayBuffer.isView(item) || item instanceof ArrayBuffer ? `binary ${number++}` : item,
    );
  return a === b || text(a) === text(b);
}
