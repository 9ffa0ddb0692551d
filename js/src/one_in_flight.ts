// The browser's half of the flow control: one message on the wire, the newest waiting, the last one always sent.

export type Payload = Record<string, unknown>;
type Send = (message: Payload, buffers?: ArrayBuffer[]) => void;

export interface Clock {
  set(callback: () => void, milliseconds: number): unknown;
  clear(handle: unknown): void;
}

const browserClock: Clock = {
  set: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clear: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
};

/** Sends events one at a time: the next leaves when the kernel acknowledges the last, or after `timeout` ms. */
export class OneInFlight {
  private sequence = 0;
  private inFlight: number | null = null;
  private pending: { payload: Payload; final: boolean; buffers: ArrayBuffer[] | undefined } | null = null;
  private timer: unknown = null;
  private silent = false;

  /** `onSilence` hears when an answer is overdue (true), and when answers come again (false). */
  constructor(
    private readonly send: Send,
    private readonly timeout = 1500,
    private readonly clock: Clock = browserClock,
    private readonly onSilence: (silent: boolean) => void = () => {},
  ) {
    // A random start: an acknowledgement meant for another view, or for an earlier page, must not match.
    this.sequence = Math.floor(Math.random() * 2 ** 48);
  }

  /** Send an event now, or keep it as the newest one waiting. `final` marks the end of a gesture. */
  offer(payload: Payload, final = false, buffers?: ArrayBuffer[]): void {
    this.pending = { payload, final, buffers };
    this.pump();
  }

  /** Feed every custom message of the kernel here; returns whether it was an acknowledgement. */
  receive(message: unknown): boolean {
    if (typeof message !== "object" || message === null) return false;
    const { kind, seq } = message as { kind?: unknown; seq?: unknown };
    if (kind !== "ack") return false;
    this.heard(false);
    if (seq === this.inFlight) this.release();
    return true;
  }

  get busy(): boolean {
    return this.inFlight !== null;
  }

  /** Stop; what a gesture ended with still leaves, whether or not an answer is due. */
  dispose(): void {
    if (this.pending?.final) this.dispatch(this.pending);
    this.pending = null;
    if (this.timer !== null) this.clock.clear(this.timer);
    this.timer = null;
    this.inFlight = null;
  }

  private pump(): void {
    if (this.inFlight !== null || this.pending === null) return;
    const event = this.pending;
    this.pending = null;
    this.timer = this.clock.set(() => {
      this.heard(true);
      this.release();
    }, this.timeout);
    this.inFlight = this.sequence + 1;
    this.dispatch(event);
  }

  private dispatch({ payload, final, buffers }: NonNullable<typeof this.pending>): void {
    this.send({ ...payload, kind: "event", seq: ++this.sequence, final }, buffers);
  }

  private release(): void {
    if (this.timer !== null) this.clock.clear(this.timer);
    this.timer = null;
    this.inFlight = null;
    this.pump();
  }

  private heard(silent: boolean): void {
    if (silent === this.silent) return;
    this.silent = silent;
    this.onSilence(silent);
  }
}
