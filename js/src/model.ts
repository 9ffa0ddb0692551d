// What the widgets use of anywidget's front-end contract.

/** The browser's copy of the Python widget. */
export interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  on(event: string, callback: (...details: unknown[]) => void): void;
  off(event?: string | null, callback?: ((...details: unknown[]) => void) | null): void;
}

export interface RenderContext {
  model: Model;
  el: HTMLElement;
  /** Absent in hosts older than anywidget 0.11. */
  signal?: AbortSignal;
}

/** A `Bytes` trait: hosts deliver a DataView, an ArrayBuffer or a Uint8Array. */
export function bytesOf(value: unknown): Uint8Array {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return new Uint8Array(0);
}
