// The picture in words, to be read and to be heard. Pure.
import { formatNumber } from "../color/scales.ts";
import type { Pixel } from "./hand.ts";
import type { PictureState } from "./state.ts";

export interface Words {
  /** Where the window or the point is. */
  readonly where: string;
  /** The pixel under the pointer. */
  readonly hovered: string;
  /** The whole, as the name of the picture. */
  readonly label: string;
  /** What to speak once the hand rests. */
  readonly spoken: string;
}

/** `painted` says what the brush has covered, where it has. */
export function describe(state: PictureState, painted = ""): Words {
  const { hovered } = state;
  const window = state.mask ? null : state.window;
  const marker = state.mode === "point" ? state.marker : null;
  const centre = window && { row: window.top + (window.height >> 1), column: window.left + (window.width >> 1) };
  const where = state.mask
    ? painted
    : window
      ? `window ${window.height} by ${window.width} at row ${window.top}, column ${window.left}`
      : marker
        ? `point at row ${marker.row}, column ${marker.column}`
        : "";
  const value = valueInWords(state, centre ?? marker);
  const under = hovered ? [`row ${hovered.row}, col ${hovered.column}`, valueInWords(state, hovered)] : [];
  return {
    where: state.busy ? "waiting for the kernel" : where.replace(" by ", " × ").replace("column", "col"),
    hovered: under.filter(Boolean).join(" · "),
    label: [state.label, where, value].filter(Boolean).join(". "),
    spoken: [where, value].filter(Boolean).join(", "),
  };
}

function valueInWords(state: PictureState, pixel: Pixel | null): string {
  const value = state.valueAt(pixel);
  return state.shown && value !== null ? `${state.shown.quantity} ${formatNumber(value)}` : "";
}
