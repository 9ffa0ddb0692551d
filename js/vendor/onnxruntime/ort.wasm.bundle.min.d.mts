/** What of ONNX Runtime Web is used here. */
export const env: { wasm: { wasmBinary?: ArrayBuffer; numThreads?: number } };
export class Tensor {
  constructor(type: "float32", data: Float32Array, dims: readonly number[]);
  readonly data: Float32Array;
}
export class InferenceSession {
  static create(model: Uint8Array, options: { executionProviders: string[] }): Promise<InferenceSession>;
  run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>>;
}
