// Whose value counts: the hand's or the kernel's.
import type { EventQueue } from "./event_queue.ts";
import type { View } from "./widget.ts";

/**
 * A value that the hand moves at once and the kernel confirms.
 *
 * The kernel writes the trait after each event, so what arrives while the hand moves is the past: it must not pull the
 * control back. Yet the kernel has the last word: once it has acknowledged the newest event, its value is shown.
 */
export class ControlledValue<T> {
  private inHand = false;
  private unconfirmed: number | null = null;

  constructor(
    private current: T,
    private readonly same: (a: T, b: T) => boolean = Object.is,
  ) {}

  get value(): T {
    return this.current;
  }

  /** Whether the hand is on the control. */
  get isHeld(): boolean {
    return this.inHand;
  }

  hold(): void {
    this.inHand = true;
  }

  release(): void {
    this.inHand = false;
  }

  /** The hand has moved to `value`. */
  move(value: T): void {
    this.current = value;
  }

  /** An event left for the kernel; `seq` is the number it will acknowledge. */
  sent(seq: number): void {
    this.unconfirmed = seq;
  }

  /** The kernel says `value`; returns whether to show it. */
  receive(value: T): boolean {
    if (this.same(value, this.current)) {
      this.unconfirmed = null; // an acknowledgement may be lost, its effect is not
      return false;
    }
    if (this.inHand || this.unconfirmed !== null) return false;
    this.current = value;
    return true;
  }

  /** A custom message came; with the acknowledgement of the newest event, take over the kernel's value `value`. */
  receiveAck(message: unknown, value: T): boolean {
    const { kind, seq } = (message ?? {}) as { kind?: unknown; seq?: unknown };
    if (kind !== "ack" || seq !== this.unconfirmed) return false;
    this.unconfirmed = null;
    return this.receive(value);
  }
}

/** The trait `name` as the hand moves it, and the queue of its events; `show` is called when the kernel moves it. */
export function control<Traits, Name extends keyof Traits & string>(
  view: View<Traits>,
  name: Name,
  show: () => void,
): [ControlledValue<Traits[Name]>, EventQueue] {
  const value = new ControlledValue(view.get(name));
  const queue = view.queue({ onSent: (seq) => value.sent(seq) });
  view.onMessage((message) => value.receiveAck(message, view.get(name)) && show());
  view.follow([name], () => value.receive(view.get(name)) && show());
  return [value, queue];
}
