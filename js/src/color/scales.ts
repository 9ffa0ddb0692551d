// The scale a map is drawn on, and what else the toolbar is set to, as kept in the `view_state` trait. Pure.

import { extent, type Scale, scaleEnds } from "./blend.ts";

/** A scale that the hand keeps for the next maps. */
export interface FixedScale extends Scale {
  /** It means something only for the quantity it was taken from. */
  readonly quantity: string;
  readonly signed: boolean;
}

export interface ViewState {
  readonly opacity: number;
  readonly threshold: number;
  readonly colors: string;
  readonly diverging: string;
  readonly cells: boolean;
  /** Whether weak values are as opaque as strong ones. */
  readonly even: boolean;
  readonly scale: string;
  readonly held: FixedScale | null;
}

export interface NamedScale extends Scale {
  readonly label: string;
}

export interface Quantity {
  readonly quantity: string;
  readonly signed: boolean;
}

/** `value` with each part that is missing or of a wrong type replaced by its default. */
export function parseViewState(value: unknown): ViewState {
  const given = record(value);
  return {
    opacity: fraction(given["opacity"], 0.95),
    threshold: fraction(given["threshold"], 0),
    colors: text(given["colors"]),
    diverging: text(given["diverging"]),
    cells: given["cells"] === true,
    even: given["even"] === true,
    scale: text(given["scale"]),
    held: fixedScale(given["held"]),
  };
}

/** The scales a map may be drawn on, as [label, low, high] from the kernel; its own extent where there is none. */
export function namedScales(value: unknown, values: Float32Array): NamedScale[] {
  const scales = (Array.isArray(value) ? value : []).flatMap((item) => {
    const [label, low, high] = Array.isArray(item) ? (item as unknown[]) : [];
    return Number.isFinite(low) && Number.isFinite(high)
      ? [{ label: String(label), low: low as number, high: high as number }]
      : [];
  });
  return scales.length ? scales : [{ label: "this map", ...extent(values) }];
}

/** The scale in use: the fixed one if it fits the quantity, else the chosen one, else the first. */
export function scaleInUse(state: ViewState, scales: NamedScale[], quantity: Quantity): NamedScale {
  if (isFixed(state, quantity)) return { label: "fixed", low: state.held!.low, high: state.held!.high };
  return scales.find(({ label }) => label === state.scale) ?? scales[0]!;
}

export function isFixed(state: ViewState, { quantity, signed }: Quantity): boolean {
  return state.held !== null && state.held.quantity === quantity && state.held.signed === signed;
}

/** A number to three figures, with a true minus sign. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "no value";
  const size = Math.abs(value);
  const digits =
    size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(1) : String(Number(value.toPrecision(3)));
  return digits.replaceAll("-", "\u2212");
}

/** The numbers at the colour bar's ends, marked where the map goes beyond them. */
export function tickLabels(scale: Scale, signed: boolean, values: Float32Array): [string, string] {
  const { low, high } = scaleEnds(scale, signed);
  const reached = extent(values);
  // Beyond by more than the rounding of float32.
  const slack = 1e-5 * (high - low);
  return [
    (reached.low < low - slack ? "≤ " : "") + formatNumber(low),
    (reached.high > high + slack ? "≥ " : "") + formatNumber(high),
  ];
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function fraction(value: unknown, otherwise: number): number {
  return typeof value === "number" && value >= 0 && value <= 1 ? value : otherwise;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function fixedScale(value: unknown): FixedScale | null {
  const { low, high, quantity, signed } = record(value);
  if (!Number.isFinite(low) || !Number.isFinite(high)) return null;
  return { low: low as number, high: high as number, quantity: text(quantity), signed: signed === true };
}
