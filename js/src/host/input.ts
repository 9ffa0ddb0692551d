// Network inputs made in the page: a picture in bytes, the part under the patch, and a picture of the reader's own. Pure.
import type { Answer } from "./occlusion.ts";

/** How bytes become a network input: value = scale * byte + offset, one of each for a channel. */
export interface InputForm {
  readonly shape: readonly [number, number, number];
  readonly scale: readonly number[];
  readonly offset: readonly number[];
}
type Window = readonly [number, number, number, number];

/** The network input (C, H, W) of RGB bytes, row by row; with one channel, the first of the bytes counts. */
export function inputOf(rgb: Uint8Array, { shape, scale, offset }: InputForm): Float32Array<ArrayBuffer> {
  const [channels, height, width] = shape;
  const area = height * width;
  const pixels = new Float32Array(channels * area);
  for (let channel = 0; channel < channels; channel++)
    for (let at = 0; at < area; at++)
      pixels[channel * area + at] = scale[channel]! * rgb[3 * at + channel]! + offset[channel]!;
  return pixels;
}

/** A copy of an input with a window filled from another. */
export function covered(
  pixels: Float32Array,
  filling: Float32Array,
  window: Window,
  { shape }: InputForm,
): Float32Array<ArrayBuffer> {
  const [channels, height, width] = shape;
  const [top, left, tall, wide] = window;
  const made = new Float32Array(pixels);
  for (let channel = 0; channel < channels; channel++)
    for (let row = top; row < top + tall; row++) {
      const from = (channel * height + row) * width + left;
      made.set(filling.subarray(from, from + wide), from);
    }
  return made;
}

/** A copy of an input with the pixels of a mask, one byte each, filled from another. */
export function masked(pixels: Float32Array, filling: Float32Array, mask: Uint8Array): Float32Array<ArrayBuffer> {
  return new Float32Array(pixels).map((value, at) => (mask[at % mask.length] ? filling[at]! : value));
}

/** What logits of all classes say together. */
export function answerOf(logits: Float32Array, scores: "softmax" | "sigmoid" | "none"): Answer {
  const highest = logits.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const sum = logits.reduce((total, value) => total + Math.exp(value - highest), 0);
  const logSum = highest + Math.log(sum);
  const bits = (share: number) => (share > 0 ? -share * Math.log2(share) : 0);
  let entropy = 0;
  for (const logit of logits) {
    if (scores === "softmax") entropy += bits(Math.exp(logit - logSum));
    else if (scores === "sigmoid") entropy += bits(1 / (1 + Math.exp(-logit))) + bits(1 / (1 + Math.exp(logit)));
  }
  return { logits, logSum, entropy };
}

/** The classes with the highest logits, best first; `index` takes the last place if it is none of them. */
export function bestClasses(logits: Float32Array, index: number, count = 5): number[] {
  const best = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]!).slice(0, count);
  if (!best.includes(index)) best[best.length - 1] = index;
  return best;
}

/** The square in the middle of a picture, or the part of the proportions of the network's input: x, y, width, height. */
export function middle(
  size: readonly [number, number],
  height: number,
  width: number,
): [number, number, number, number] {
  const [wide, tall] = size;
  const scale = Math.min(wide / width, tall / height);
  const [w, h] = [width * scale, height * scale];
  return [(wide - w) / 2, (tall - h) / 2, w, h];
}
