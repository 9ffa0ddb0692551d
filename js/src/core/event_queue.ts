// The browser's half of the flow control: one event on the wire, the newest waiting, the last one always sent.

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

interface QueueOptions {
  /** Gets true when an answer is overdue, and false when answers come again. */
  readonly onBusy: (busy: boolean) => void;
  readonly clock?: Clock;
}

/** Milliseconds after which the next event leaves without an answer: a lost one must not stop the widget. */
const TIMEOUT = 1500;

/** Sends events one at a time: the next leaves when the kernel acknowledges the last, or after `TIMEOUT`. */
export class EventQueue {
  private sequence = 0;
  private inFlight: number | null = null;
  private pending: { payload: Payload; final: boolean; buffers: ArrayBuffer[] | undefined } | null = null;
  private timer: unknown = null;
  private busy = false;
  private readonly clock: Clock;
  private readonly onBusy: (busy: boolean) => void;

  constructor(
    private readonly send: Send,
    { onBusy, clock = browserClock }: QueueOptions,
  ) {
    this.clock = clock;
    this.onBusy = onBusy;
    // A random start: an acknowledgement meant for another view, or for an earlier page, must not match.
    this.sequence = Math.floor(Math.random() * 2 ** 48);
  }

  /** Send an event now, or keep it as the newest one waiting. `final` marks the end of a gesture. */
  offer(payload: Payload, final = false, buffers?: ArrayBuffer[]): void {
    this.pending = { payload, final, buffers };
    this.sendNext();
  }

  /** Pass every custom message of the kernel; returns whether it was an acknowledgement. */
  receive(message: unknown): boolean {
    if (typeof message !== "object" || message === null) return false;
    const { kind, seq } = message as { kind?: unknown; seq?: unknown };
    if (kind !== "ack") return false;
    this.setBusy(false);
    if (seq === this.inFlight) this.release();
    return true;
  }

  /** Whether an event is on the wire. */
  get waiting(): boolean {
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

  private sendNext(): void {
    if (this.inFlight !== null || this.pending === null) return;
    const event = this.pending;
    this.pending = null;
    this.timer = this.clock.set(() => {
      this.setBusy(true);
      this.release();
    }, TIMEOUT);
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
    this.sendNext();
  }

  private setBusy(busy: boolean): void {
    if (busy === this.busy) return;
    this.busy = busy;
    this.onBusy(busy);
  }
}
