// The camera of the browser as the picture: live, one frame on the wire at a time, or frozen.
import { element } from "../../core/element.ts";
import type { EventQueue } from "../../core/event_queue.ts";
import { define, type View } from "../../core/widget.ts";
import { fitSize } from "../upload/shrink.ts";
import css from "./camera.css";
import { after, type CameraEvent, type CameraState, INSECURE, OFF, Rate, rateText, refusal } from "./state.ts";

interface Traits {
  max_side: number;
  max_bytes: number;
  halted: number;
}

const JPEG_QUALITY = 0.9;

class Camera {
  private readonly video = element("video", "cnnviz-camera-video", { "aria-label": "camera", tabindex: "0" });
  private readonly still = element("canvas", "cnnviz-camera-still", { role: "img", "aria-label": "frozen picture" });
  private readonly startButton = element("button", "cnnviz-camera-button", { type: "button" });
  private readonly stopButton = element("button", "cnnviz-camera-button", { type: "button" });
  private readonly line = element("span", "cnnviz-camera-line", { role: "status" });
  private readonly rateLine = element("span", "cnnviz-camera-line");
  private readonly canvas = document.createElement("canvas");
  private readonly queue: EventQueue;
  private readonly rate = new Rate();
  private state: CameraState = OFF;
  private stream: MediaStream | null = null;
  /** Tells the kernel the frames of one start from those of others, of other pages too. */
  private run = 0;
  private encoding = false;
  private lastTime = -1;
  private looking: number | undefined;

  constructor(private readonly view: View<Traits>) {
    this.video.muted = this.video.autoplay = this.video.playsInline = true;
    this.stopButton.textContent = "Stop";
    const buttons = element("div", "cnnviz-camera-buttons");
    buttons.append(this.startButton, this.stopButton, this.rateLine);
    view.root.append(this.video, this.still, buttons, this.line);
    this.queue = view.queue();
    view.onMessage((message) => this.answered(message));
    view.onDispose(() => this.tell({ kind: "stop" }));
    this.listen();
    view.follow(["halted"], () => {
      if (this.run !== 0 && view.get("halted") === this.run) this.tell({ kind: "other picture" });
    });
    this.show();
  }

  private listen(): void {
    const { view } = this;
    view.listen(this.startButton, "click", () => (this.state.phase === "live" ? this.freeze() : void this.start()));
    view.listen(this.stopButton, "click", () => this.tell({ kind: "stop" }));
    view.listen(this.video, "click", () => this.freeze());
    view.listen(this.still, "click", () => void this.start());
    view.listen(this.video, "keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      this.freeze();
    });
    view.listen(document, "visibilitychange" as "change", () => document.hidden && this.tell({ kind: "hidden" }));
    view.listen(window, "pagehide" as "change", () => this.tell({ kind: "stop" }));
  }

  /** Only ever called by a click. */
  private async start(): Promise<void> {
    this.tell({ kind: "start" });
    const { start, phase } = this.state;
    if (phase !== "asking") return;
    if (!window.isSecureContext || navigator.mediaDevices === undefined) {
      this.tell({ kind: "refused", start, reason: INSECURE });
      return;
    }
    try {
      const side = { ideal: Math.max(640, this.view.get("max_side")) };
      const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { width: side } });
      this.tell({ kind: "granted", start });
      if (this.state.phase !== "live" || this.state.start !== start) end(stream);
      else await this.take(stream);
    } catch (error) {
      this.tell({ kind: "refused", start, reason: refusal(error instanceof DOMException ? error.name : "") });
    }
  }

  private async take(stream: MediaStream): Promise<void> {
    this.stream = stream;
    this.run = 1 + Math.floor(Math.random() * (2 ** 31 - 2));
    this.lastTime = -1;
    for (const track of stream.getVideoTracks()) {
      this.view.listen(track, "ended", () => this.stream === stream && this.tell({ kind: "camera gone" }));
    }
    this.video.srcObject = stream;
    this.look();
    await this.video.play().catch(() => {}); // it was stopped meanwhile
  }

  /** Look at each frame of the page whether the last picture is answered and there is a new one. */
  private readonly look = (): void => {
    if (this.state.phase !== "live") return;
    this.looking = requestAnimationFrame(this.look);
    if (this.view.link.isOver) this.tell({ kind: "kernel gone" });
    else if (this.view.root.getClientRects().length === 0) this.tell({ kind: "hidden" });
    else if (!this.queue.waiting && !this.encoding && this.video.currentTime !== this.lastTime) void this.send(false);
  };

  private freeze(): void {
    if (this.state.phase !== "live" || !this.draw()) return;
    this.still.width = this.canvas.width;
    this.still.height = this.canvas.height;
    this.still.getContext("2d")?.drawImage(this.canvas, 0, 0);
    this.tell({ kind: "freeze" });
    void this.encode(this.still, true);
  }

  private async send(final: boolean): Promise<void> {
    if (this.draw()) await this.encode(this.canvas, final);
  }

  /** Draw what the camera shows, small; false while it shows nothing. */
  private draw(): boolean {
    const { videoWidth, videoHeight, currentTime } = this.video;
    const drawing = this.canvas.getContext("2d");
    if (videoWidth === 0 || drawing === null) return false;
    const [width, height] = fitSize(videoWidth, videoHeight, this.view.get("max_side"));
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    drawing.imageSmoothingQuality = "high";
    drawing.drawImage(this.video, 0, 0, width, height);
    this.lastTime = currentTime;
    return true;
  }

  private async encode(canvas: HTMLCanvasElement, final: boolean): Promise<void> {
    const { run } = this;
    const expected = final ? "frozen" : "live";
    this.encoding = true;
    try {
      const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
      const bytes = await blob?.arrayBuffer();
      if (bytes === undefined || bytes.byteLength > this.view.get("max_bytes")) return;
      if (run === this.run && this.state.phase === expected) this.queue.offer({ run }, final, [bytes]);
    } finally {
      this.encoding = false;
    }
  }

  private answered(message: unknown): void {
    if ((message as { kind?: unknown } | null)?.kind !== "ack" || this.state.phase !== "live") return;
    this.rate.add(performance.now());
    this.rateLine.textContent = rateText(this.rate.perSecond);
  }

  private tell(event: CameraEvent): void {
    const before = this.state;
    this.state = after(before, event);
    if (this.state === before) return;
    if (this.state.phase !== "live") this.release();
    this.show();
  }

  /** The camera goes off, its light too. */
  private release(): void {
    if (this.looking !== undefined) cancelAnimationFrame(this.looking);
    this.looking = undefined;
    if (this.stream !== null) end(this.stream);
    this.stream = null;
    this.video.srcObject = null;
    this.rate.clear();
    this.rateLine.textContent = "";
  }

  private show(): void {
    const { phase, said, failed } = this.state;
    this.view.root.dataset["phase"] = phase;
    this.video.hidden = phase !== "live";
    this.still.hidden = phase !== "frozen";
    const words = { off: "Start the camera", asking: "Start the camera", live: "Freeze", frozen: "Go on" };
    this.startButton.textContent = words[phase];
    this.startButton.disabled = phase === "asking";
    this.stopButton.hidden = phase === "off" || phase === "frozen";
    this.line.textContent = said;
    this.line.classList.toggle("cnnviz-camera-failed", failed);
  }
}

function end(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

export default define("camera", css, (view: View<Traits>) => new Camera(view));
