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

/** The model that anywidget wraps, as far as ipywidgets and its hosts agree on it. */
export interface HostModel {
  comm?: HostComm;
  comm_live?: boolean;
  _handle_comm_msg(message: unknown): Promise<void>;
}

export interface HostComm {
  on_msg(callback: (message: unknown) => Promise<void>): void;
  jsServicesComm?: { readonly isDisposed?: boolean };
}

export interface WidgetManager {
  get_model?(id: string): Promise<HostModel> | undefined;
  /** In JupyterLab, Notebook and Voila. */
  readonly kernel?: { readonly status?: string; readonly connectionStatus?: string } | null;
}

/** What anywidget passes on to widgets, in hosts that have it. */
export type HostedModel = Model & { widget_manager?: WidgetManager };

/** The host's own model; null in hosts without one. */
export async function hostModel(model: HostedModel): Promise<HostModel | null> {
  return modelOf(model, String(model.get("_host_id")));
}

/** The host's model `id` in the page of `model`; null in hosts without one. */
export async function modelOf(model: HostedModel, id: string): Promise<HostModel | null> {
  return (await model.widget_manager?.get_model?.(id)) ?? null;
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
