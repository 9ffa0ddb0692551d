// What the camera does, and what is said of it. Pure.

/** "asking": the browser asks its user. The camera is on in "live" only: a frozen picture needs none. */
export type Phase = "off" | "asking" | "live" | "frozen";

export interface CameraState {
  readonly phase: Phase;
  /** Grows with every start: what a start before it was given is given back. */
  readonly start: number;
  readonly said: string;
  readonly failed: boolean;
}

export type CameraEvent =
  | { readonly kind: "start" | "freeze" | "stop" | "hidden" | "other picture" | "kernel gone" | "camera gone" }
  | { readonly kind: "granted"; readonly start: number }
  | { readonly kind: "refused"; readonly start: number; readonly reason: string };

export const PRIVACY = "Nothing is recorded: each frame takes the place of the one before.";

export const OFF: CameraState = { phase: "off", start: 0, said: PRIVACY, failed: false };

/** Sentences for what ends it by itself. */
const ENDINGS: Record<string, string> = {
  hidden: "Stopped while the page was hidden.",
  "other picture": "Stopped: another picture was chosen.",
  "kernel gone": "Stopped: no kernel answers.",
  "camera gone": "The camera was taken away or switched off.",
};

export function after(state: CameraState, event: CameraEvent): CameraState {
  const { phase } = state;
  switch (event.kind) {
    case "start":
      if (phase === "asking" || phase === "live") return state;
      return { phase: "asking", start: state.start + 1, said: "Waiting for the camera…", failed: false };
    case "granted":
      if (phase !== "asking" || event.start !== state.start) return state;
      return { ...state, phase: "live", said: PRIVACY };
    case "refused":
      if (phase !== "asking" || event.start !== state.start) return state;
      return { ...state, phase: "off", said: event.reason, failed: true };
    case "freeze":
      return phase === "live" ? { ...state, phase: "frozen", said: "Frozen; the camera is off." } : state;
    case "stop":
      return { ...state, phase: "off", said: PRIVACY, failed: false };
    default:
      if (phase !== "asking" && phase !== "live") return state;
      return { ...state, phase: "off", said: ENDINGS[event.kind] ?? "", failed: event.kind === "camera gone" };
  }
}

/** What is to be done where the browser gives no camera; `name` is that of its exception. */
export function refusal(name: string): string {
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return "The browser does not let this page use the camera; allow it beside the address, and start again.";
    case "NotFoundError":
    case "OverconstrainedError":
      return "The browser finds no camera; connect one, or upload a picture.";
    case "NotReadableError":
    case "AbortError":
      return "The camera does not start: another program may be using it; close that, and start again.";
    default:
      return "The camera does not start; upload a picture, or try another browser.";
  }
}

/** Browsers give cameras to such pages only. */
export const INSECURE =
  "Browsers give the camera only to pages of this computer or over https; open this one at localhost or by https.";

/** How many times a second something happens, by when it happened last. */
export class Rate {
  private readonly times: number[] = [];

  /** It happened, `now` in milliseconds. */
  add(now: number): void {
    this.times.push(now);
    if (this.times.length > 9) this.times.shift();
  }

  clear(): void {
    this.times.length = 0;
  }

  /** Times a second, or null while there is too little to tell. */
  get perSecond(): number | null {
    const [first, last] = [this.times[0], this.times.at(-1)];
    if (first === undefined || last === undefined || this.times.length < 3 || last <= first) return null;
    return (1000 * (this.times.length - 1)) / (last - first);
  }
}

/** A rate for a person. */
export function rateText(perSecond: number | null): string {
  if (perSecond === null) return "";
  const number = perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond));
  return `${number} answers a second`;
}
