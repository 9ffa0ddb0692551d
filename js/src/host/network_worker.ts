// Runs the network of a page in a classic worker: module workers do not run in pages that are opened from disk.
import { env, InferenceSession, Tensor } from "../../vendor/onnxruntime/ort.wasm.bundle.min.mjs";

interface Begin {
  readonly wasm: ArrayBuffer;
  readonly model: ArrayBuffer;
}
interface Run {
  readonly id: number;
  readonly pixels: Float32Array;
  readonly shape: number[];
}

let session: Promise<InferenceSession> | undefined;

self.onmessage = async ({ data }: MessageEvent<Begin | Run>) => {
  try {
    if ("wasm" in data) {
      env.wasm.wasmBinary = data.wasm;
      env.wasm.numThreads = 1; // more need headers that a file on a disk has not
      session = InferenceSession.create(new Uint8Array(data.model), { executionProviders: ["wasm"] });
      await session;
      postMessage({ ready: true });
    } else {
      const { logits } = await (await session!).run({ pixels: new Tensor("float32", data.pixels, data.shape) });
      postMessage({ id: data.id, logits: logits!.data });
    }
  } catch (error) {
    postMessage({ id: "id" in data ? data.id : -1, error: String(error) });
  }
};
