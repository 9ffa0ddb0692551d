// From a map of numbers to the colours that lie over the picture. Pure; the sizes are (rows, columns).

/** Of opacity over the share of the scale: 1 is in proportion; the lower, the more is seen of weak values. */
const FADE = 0.7;

export interface HeatMap {
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

export interface Scale {
  readonly low: number;
  readonly high: number;
}

/** The map in `bytes` (float32, little endian, row by row), or null where there is none or the sizes disagree. */
export function heatMap(bytes: Uint8Array, rows: number, columns: number): HeatMap | null {
  if (!(rows > 0 && columns > 0) || bytes.byteLength !== rows * columns * 4) return null;
  // A copy: hosts hand over views that need not start at a multiple of four.
  return { values: new Float32Array(bytes.slice().buffer), rows, columns };
}

/** The map at each pixel of a picture: bilinear with half-pixel centres and clamped edges, or the cells themselves. */
export function resample(map: HeatMap, rows: number, columns: number, cells: boolean): Float32Array {
  const across = interpolationWeights(columns, map.columns, cells);
  const down = interpolationWeights(rows, map.rows, cells);
  const wide = new Float32Array(map.rows * columns);
  for (let row = 0; row < map.rows; row++) {
    for (let column = 0; column < columns; column++) {
      const from = row * map.columns;
      wide[row * columns + column] = interpolate(
        map.values[from + across.first[column]!]!,
        map.values[from + across.second[column]!]!,
        across.weight[column]!,
      );
    }
  }
  const result = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const first = down.first[row]! * columns;
    const second = down.second[row]! * columns;
    const weight = down.weight[row]!;
    for (let column = 0; column < columns; column++) {
      result[row * columns + column] = interpolate(wide[first + column]!, wide[second + column]!, weight);
    }
  }
  return result;
}

/** The scale's ends as they are drawn: a signed quantity reaches equally far to both sides of zero. */
export function scaleEnds({ low, high }: Scale, signed: boolean): Scale {
  if (!signed) return { low, high };
  const reach = Math.max(Math.abs(low), Math.abs(high));
  return { low: -reach, high: reach };
}

/** Where `value` lies between the ends, 0 to 1. A scale without extent puts everything at its low end, or at zero. */
export function position(value: number, scale: Scale, signed: boolean): number {
  const { low, high } = scaleEnds(scale, signed);
  if (!(high > low)) return signed ? 0.5 : 0;
  return Math.max(0, Math.min(1, (value - low) / (high - low)));
}

/** Whether a value at `position` is too weak to be shown; `threshold` is a share of the scale (of one half if signed). */
export function belowThreshold(position: number, threshold: number, signed: boolean): boolean {
  return (signed ? Math.abs(position - 0.5) * 2 : position) < threshold;
}

/** How opaque a value at `position` is, 0 to 1: zero is clear, and large values are strong without hiding weak ones. */
export function strength(position: number, signed: boolean): number {
  return (signed ? Math.abs(position - 0.5) * 2 : position) ** FADE;
}

/** The row of the colour table for a position. */
export function tableRow(position: number): number {
  return Math.floor(position * 255 + 0.5);
}

/** RGBA for each value: as opaque as it is strong, or all opaque if `even`; clear where the value is below the threshold; values that are not finite become a hatch. */
export function paint(
  values: Float32Array,
  columns: number,
  table: Uint8Array,
  scale: Scale,
  signed: boolean,
  threshold: number,
  even = true,
): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray(values.length * 4);
  const period = 2 * Math.max(1, Math.round(columns / 56));
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (!Number.isFinite(value)) {
      const stripe = (Math.floor(index / columns) + (index % columns)) % period;
      if (stripe < period / 4) rgba.set([128, 128, 128, 255], index * 4);
      continue;
    }
    const at = position(value, scale, signed);
    if (belowThreshold(at, threshold, signed)) continue;
    const from = tableRow(at) * 3;
    rgba[index * 4] = table[from]!;
    rgba[index * 4 + 1] = table[from + 1]!;
    rgba[index * 4 + 2] = table[from + 2]!;
    rgba[index * 4 + 3] = even ? 255 : Math.round(255 * strength(at, signed));
  }
  return rgba;
}

/** Opaque RGBA of the brightness of raw RGB bytes (Rec. 709). */
export function toGrey(rgb: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray((rgb.length / 3) * 4).fill(255);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    rgba.fill(0.2126 * rgb[from]! + 0.7152 * rgb[from + 1]! + 0.0722 * rgb[from + 2]!, to, to + 3);
  }
  return rgba;
}

/** Opaque RGBA of raw RGB bytes. */
export function toRgba(rgb: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray((rgb.length / 3) * 4).fill(255);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    rgba[to] = rgb[from]!;
    rgba[to + 1] = rgb[from + 1]!;
    rgba[to + 2] = rgb[from + 2]!;
  }
  return rgba;
}

/** The least and the greatest finite value; 0 to 0 where there is none. */
export function extent(values: Float32Array): Scale {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? { low, high } : { low: 0, high: 0 };
}

interface InterpolationWeights {
  first: Int32Array;
  second: Int32Array;
  weight: Float64Array;
}

/** For each of `length` pixels: the two of `cells` cells it lies between, and the weight of the second. */
function interpolationWeights(length: number, cells: number, whole: boolean): InterpolationWeights {
  const result = { first: new Int32Array(length), second: new Int32Array(length), weight: new Float64Array(length) };
  for (let index = 0; index < length; index++) {
    const at = ((index + 0.5) * cells) / length;
    const centre = Math.max(0, at - 0.5);
    const first = Math.min(cells - 1, Math.floor(whole ? at : centre));
    result.first[index] = first;
    result.second[index] = whole ? first : Math.min(cells - 1, first + 1);
    result.weight[index] = whole ? 0 : centre - first;
  }
  return result;
}

function interpolate(first: number, second: number, weight: number): number {
  // Without the shortcut a NaN would spread through a weight of zero, Infinity too.
  return weight === 0 || first === second ? first : first * (1 - weight) + second * weight;
}

/** Paint tile `index` of a sheet (n, h, w, c) into `out`, RGBA (h, w, 4); one channel goes through `table` (256, 3). */
export function paintTile(
  sheet: Uint8Array,
  index: number,
  pixels: number,
  channels: number,
  table: Uint8Array,
  out: Uint8ClampedArray,
): void {
  let from = index * pixels * channels;
  for (let to = 0; to < pixels * 4; to += 4) {
    if (channels === 1) {
      const row = 3 * (sheet[from] ?? 0);
      out[to] = table[row] ?? 0;
      out[to + 1] = table[row + 1] ?? 0;
      out[to + 2] = table[row + 2] ?? 0;
    } else {
      out[to] = sheet[from] ?? 0;
      out[to + 1] = sheet[from + 1] ?? 0;
      out[to + 2] = sheet[from + 2] ?? 0;
    }
    out[to + 3] = 255;
    from += channels;
  }
}
