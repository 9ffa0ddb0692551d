// Whose value counts: the hand's or the kernel's. Pure, shared by the controls.

/**
 * A value that the hand moves at once and the kernel confirms.
 *
 * The kernel writes the trait after each event, so what arrives while the hand moves is the past: it must not pull the
 * control back. Yet the kernel has the last word: once it has acknowledged the newest event, its value is shown.
 */
export class Held<T> {
  private gripped = false;
  private unconfirmed: number | null = null;

  constructor(
    private current: T,
    private readonly same: (a: T, b: T) => boolean = Object.is,
  ) {}

  get value(): T {
    return this.current;
  }

  /** Whether the hand is on the control. */
  get inHand(): boolean {
    return this.gripped;
  }

  grip(): void {
    this.gripped = true;
  }

  letGo(): void {
    this.gripped = false;
  }

  /** The hand has moved to `value`. */
  move(value: T): void {
    this.current = value;
  }

  /** An event left for the kernel; `seq` is the number it will acknowledge. */
  sent(seq: unknown): void {
    if (typeof seq === "number") this.unconfirmed = seq;
  }

  /** The kernel says `value`; returns whether to show it. */
  offered(value: T): boolean {
    if (this.same(value, this.current)) {
      this.unconfirmed = null; // an acknowledgement may be lost, its effect is not
      return false;
    }
    if (this.gripped || this.unconfirmed !== null) return false;
    this.current = value;
    return true;
  }

  /** A custom message came; with the acknowledgement of the newest event, take over the kernel's value `value`. */
  acknowledged(message: unknown, value: T): boolean {
    const { kind, seq } = (message ?? {}) as { kind?: unknown; seq?: unknown };
    if (kind !== "ack" || seq !== this.unconfirmed) return false;
    this.unconfirmed = null;
    return this.offered(value);
  }
}
