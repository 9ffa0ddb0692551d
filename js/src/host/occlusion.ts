// What a patch on a picture does to the scores, read off a table of windows, and said as the panel says it. Pure.
import type { Pieces } from "../core/language.ts";
import { bytesOf } from "../core/model.ts";
import { percent, points, short } from "./numbers.ts";

type Window = readonly [number, number, number, number];
export type Scores = "softmax" | "sigmoid" | "none";

/** What a network says of a picture: scores of some classes, and of all classes what is asked of them together. */
export interface Answer {
  /** Logits of the named classes. */
  readonly logits: Float32Array;
  /** log of the sum of exp(logit) of all classes. */
  readonly logSum: number;
  /** In bits, of all classes. */
  readonly entropy: number;
}

/** As cnnviz_widgets/views/take/pages writes it; binary values are float32. */
export interface TableData {
  readonly tops: number[];
  readonly lefts: number[];
  readonly window: [number, number];
  /** The classes that count somewhere: names, and logits of (rows, columns, classes). */
  readonly names: string[];
  /** Which classes of the network these are. */
  readonly indices: number[];
  readonly logits: unknown;
  readonly log_sums: unknown;
  readonly entropies: unknown;
  readonly whole: { readonly logits: number[]; readonly log_sum: number; readonly entropy: number };
  /** What the options of the axis of the class are among `names`, and which have bars then. */
  readonly classes: number[];
  readonly bars: number[][];
}

function floats(value: unknown): Float32Array {
  return new Float32Array(bytesOf(value).slice().buffer);
}

export class Table {
  readonly whole: Answer;
  private readonly logits: Float32Array;
  private readonly logSums: Float32Array;
  private readonly entropies: Float32Array;

  constructor(readonly data: TableData) {
    this.logits = floats(data.logits);
    this.logSums = floats(data.log_sums);
    this.entropies = floats(data.entropies);
    const { logits, log_sum, entropy } = data.whole;
    this.whole = { logits: Float32Array.from(logits), logSum: log_sum, entropy };
  }

  /** The window of the table that is nearest to one. */
  nearest([top, left]: Window): Window {
    const { tops, lefts, window } = this.data;
    return [tops[nearest(tops, top)]!, lefts[nearest(lefts, left)]!, ...window];
  }

  has(window: Window): boolean {
    return this.nearest(window).every((side, at) => side === window[at]);
  }

  /** Exact for windows of the table, else interpolated between the four around. */
  answer([top, left]: Window): Answer {
    const { tops, lefts, names } = this.data;
    const [row, down] = between(tops, top);
    const [column, across] = between(lefts, left);
    const logits = new Float32Array(names.length);
    let [logSum, entropy] = [0, 0];
    for (const [r, share] of [[row, 1 - down] as const, [row + 1, down] as const]) {
      for (const [c, part] of [[column, 1 - across] as const, [column + 1, across] as const]) {
        const weight = share * part;
        if (weight === 0) continue;
        const cell = r * lefts.length + c;
        for (let k = 0; k < logits.length; k++) logits[k]! += weight * this.logits[cell * logits.length + k]!;
        logSum += weight * this.logSums[cell]!;
        entropy += weight * this.entropies[cell]!;
      }
    }
    return { logits, logSum, entropy };
  }
}

function nearest(places: number[], at: number): number {
  let best = 0;
  places.forEach((place, index) => {
    if (Math.abs(place - at) < Math.abs(places[best]! - at)) best = index;
  });
  return best;
}

/** The place before `at`, and how far it is from there to the next, 0 to 1. */
function between(places: number[], at: number): [number, number] {
  const last = places.length - 1;
  if (at >= places[last]!) return [last, 0];
  const next = places.findIndex((place) => place > at);
  if (next <= 0) return [0, 0];
  const [low, high] = [places[next - 1]!, places[next]!];
  return [next - 1, (at - low) / (high - low)];
}

export function probabilities({ logits, logSum }: Answer, scores: Scores): Float32Array {
  if (scores === "softmax") return logits.map((logit) => Math.exp(logit - logSum));
  return scores === "sigmoid" ? logits.map((logit) => 1 / (1 + Math.exp(-logit))) : logits;
}

/** Percentage points below which a change is next to nothing, and the share of the range where there are none. */
const LEAST_POINTS = 0.5;
const LEAST_SHARE = 0.005;

export interface Said {
  readonly names: string[];
  readonly scores: Scores;
  readonly scoreName: string;
  /** By language, the templates of the catalogue that views/parts/answers.py fills, by their names. */
  readonly sentences: Record<string, Record<string, string>>;
}

/** The sentences below the picture, as answers.occluded and probe_sentences.effect_of make them. */
export function sentence(said: Said, index: number, before: Answer, after: Answer, note: string) {
  const fill = occluded(said, index, before, after);
  const answer = Object.fromEntries(Object.entries(said.sentences).map(([language, texts]) => [language, fill(texts)]));
  const detail = `${effect(said, index, before, after)}${note}`;
  const plain = (Object.values(answer)[0] ?? []).map(([piece]) => piece).join("");
  return { answer, detail, text: `${plain} ${detail}` };
}

type Filled = (texts: Record<string, string>) => Pieces;

/** Pieces of a template with words put in, each with whether it is bold; cut first: words may hold any characters. */
function filled(name: string, words: Record<string, string>): Filled {
  const put = (piece: string) => piece.replaceAll(/\{(\w+)\}/g, (_, word: string) => words[word] ?? "");
  return (texts) =>
    (texts[name] ?? "")
      .split("**")
      .map((piece, at): [string, boolean] => [put(piece), at % 2 === 1])
      .filter(([piece]) => piece !== "");
}

function occluded(said: Said, index: number, before: Answer, after: Answer): Filled {
  const { names, scores } = said;
  const [p, q] = [before, after].map((answer) => probabilities(answer, scores)) as [Float32Array, Float32Array];
  if (scores === "none") {
    const [change, scale] = [q[index]! - p[index]!, Math.max(...p) - Math.min(...p) || Math.abs(p[index]!)];
    const kind = Math.abs(change) < LEAST_SHARE * scale ? "same" : change < 0 ? "falls" : "rises";
    return filled(`occlusion_score_${kind}`, { class: names[index]!, z0: short(p[index]!), z1: short(q[index]!) });
  }
  const [from, to] = [100 * p[index]!, 100 * q[index]!];
  const words = { class: names[index]!, n: points(Math.abs(from - to)), p0: points(from), p1: points(to) };
  const winner = best(after.logits);
  if (scores === "softmax" && best(before.logits) === index && winner !== index)
    return filled("occlusion_flips", { ...words, other: names[winner]!, q1: points(100 * q[winner]!) });
  if (Math.abs(from - to) < LEAST_POINTS) return filled("occlusion_same", words);
  if (to > from) return filled("occlusion_rises", words);
  const other = best(q.map((value, at) => value - p[at]!));
  if (100 * (q[other]! - p[other]!) < LEAST_POINTS) return filled("occlusion_falls_alone", words);
  const gains = { other: names[other]!, q0: points(100 * p[other]!), q1: points(100 * q[other]!) };
  return filled("occlusion_falls", { ...words, ...gains });
}

function effect({ names, scores, scoreName }: Said, index: number, before: Answer, after: Answer): string {
  const [whole, now] = [before, after].map((answer) => probabilities(answer, scores)) as [Float32Array, Float32Array];
  const amount = (value: number) => (scores === "none" ? short(value) : percent(value));
  const drop = short(before.logits[index]! - after.logits[index]!);
  let text = `${names[index]}: ${amount(whole[index]!)} \u2192 ${amount(now[index]!)}, drop of the ${scoreName} ${drop}`;
  if (scores !== "none") text += `; entropy ${before.entropy.toFixed(2)} \u2192 ${after.entropy.toFixed(2)} bits`;
  const winner = best(after.logits);
  if (winner !== best(before.logits)) text += `; ${scores === "softmax" ? "" : "highest "}now ${names[winner]}`;
  return text;
}

function best(values: Float32Array): number {
  let found = 0;
  values.forEach((value, at) => {
    if (value > values[found]!) found = at;
  });
  return found;
}
