// Numbers for a person, as cnnviz_widgets/views/parts writes them.

/** Three significant digits and a real minus sign, as Python's ".3g". */
export function short(value: number): string {
  return general(value, 3).replaceAll("-", "\u2212");
}

/** A number as Python's format "g" with so many significant digits. */
function general(value: number, digits: number): string {
  if (value === 0 || !Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value);
  const exponent = Number(value.toExponential(digits - 1).split("e")[1]);
  if (exponent < -4 || exponent >= digits) {
    const [mantissa, power] = value.toExponential(digits - 1).split("e") as [string, string];
    const shown = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
    return `${shown}e${power[0]}${power.slice(1).padStart(2, "0")}`;
  }
  const text = value.toFixed(Math.max(0, digits - 1 - exponent));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** A probability. */
export function percent(share: number): string {
  return share >= 0.1 || share === 0 ? `${(100 * share).toFixed(0)}%` : `${(100 * share).toFixed(1)}%`;
}

/** A percentage, or percentage points, without the sign: without decimals from 10 up, with one below. */
export function points(value: number): string {
  const text = Math.abs(value) >= 9.95 || value === 0 ? value.toFixed(0) : value.toFixed(1);
  return text.replaceAll("-", "\u2212");
}
