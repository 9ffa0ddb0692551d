// The widgets of this package by the names of their bundles, but for those that are for a kernel alone.
import class_bars from "../controls/class_bars.ts";
import head from "../controls/head.ts";
import matrix from "../controls/matrix/index.ts";
import pace from "../controls/pace.ts";
import picker from "../controls/picker/index.ts";
import slider from "../controls/slider.ts";
import status from "../controls/status.ts";
import tabs from "../controls/tabs.ts";
import type { RenderContext } from "../core/model.ts";
import picture from "../picture/index.ts";
import tiles from "../tiles/index.ts";

/** What a widget's module exports, as anywidget takes it. */
export interface Definition {
  initialize?(context: { model: unknown }): unknown;
  render?(context: RenderContext): unknown;
}

export const WIDGETS: Record<string, Definition> = {
  class_bars,
  head,
  matrix,
  pace,
  picker,
  picture,
  slider,
  status,
  tabs,
  tiles,
} as Record<string, Definition>;

/** What a widget's script at `url` exports. */
export async function definitionAt(url: string): Promise<Definition> {
  const { default: exported } = (await import(url)) as { default: Definition | (() => Promise<Definition>) };
  return typeof exported === "function" ? await exported() : exported;
}

/** What a widget's script exports, of a widget that is none of this package. */
export async function definitionOf(script: string): Promise<Definition> {
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  try {
    return await definitionAt(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Draw a view of `model` into `el`; returns a function that takes it away. */
export async function rendered(definition: Definition, model: unknown, el: HTMLElement): Promise<() => Promise<void>> {
  const controller = new AbortController();
  const context = { model, el, signal: controller.signal } as RenderContext;
  const cleanup = (await definition.render?.(context)) as (() => unknown) | undefined;
  return async () => {
    controller.abort();
    await cleanup?.();
    el.remove();
  };
}
