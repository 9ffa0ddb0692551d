// The network in the page: ONNX Runtime Web in a worker, begun when the page is there.
import { decoded, unzipped } from "./binary.ts";

export class Network {
  /** Resolves when the network can answer. */
  readonly ready: Promise<void>;
  isReady = false;
  /** Milliseconds that the last answer took. */
  took = 0;
  private readonly worker: Worker;
  private readonly waiting = new Map<number, { resolve(logits: Float32Array): void; reject(error: Error): void }>();
  private count = 0;

  constructor(script: string, wasm: ArrayBuffer, model: ArrayBuffer) {
    const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    this.worker = new Worker(url);
    this.ready = new Promise((resolve, reject) => {
      this.worker.onerror = (event) => reject(new Error(event.message || "the worker ended"));
      this.worker.onmessage = ({ data }) => {
        if (data.ready) {
          this.isReady = true;
          URL.revokeObjectURL(url);
          resolve();
        } else if (data.error) {
          reject(new Error(data.error));
          this.waiting.get(data.id)?.reject(new Error(data.error));
        } else this.waiting.get(data.id)?.resolve(data.logits);
        this.waiting.delete(data.id);
      };
    });
    this.worker.postMessage({ wasm, model }, [wasm, model]);
  }

  /** The logits of one picture, network input of `shape` (1, C, H, W). */
  async logits(pixels: Float32Array, shape: number[]): Promise<Float32Array> {
    const id = ++this.count;
    const began = performance.now();
    const found = await new Promise<Float32Array>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, pixels, shape }, [pixels.buffer]);
    });
    this.took = performance.now() - began;
    return found;
  }
}

/** Whether a document holds a network. */
export function hasNetwork(page: Document): boolean {
  return page.getElementById("cnnviz-model") !== null;
}

/** The network that a document holds; null where it holds none. */
export async function networkIn(page: Document): Promise<Network | null> {
  const text = (id: string) => page.getElementById(id)?.textContent ?? null;
  const [script, wasm, model] = ["cnnviz-worker", "cnnviz-wasm", "cnnviz-model"].map(text);
  if (!script || !wasm || !model) return null;
  const [runtime, graph] = await Promise.all([wasm, model].map((part) => unzipped(decoded(part))));
  return new Network(script, runtime!, graph!);
}
