import assert from "node:assert/strict";
import { test } from "node:test";
import { percent, points, short } from "../../src/host/numbers.ts";
import { probabilities, sentence, Table } from "../../src/host/occlusion.ts";

/** Logits of two classes that are linear in the place, so that interpolation between windows is exact. */
function table() {
  const [tops, lefts] = [
    [0, 4, 7],
    [0, 4],
  ];
  const cells = tops.flatMap((top) => lefts.map((left) => [top + 2 * left, 1 - top]));
  const floats = (values: number[]) => new DataView(Float32Array.from(values).buffer);
  return new Table({
    tops,
    lefts,
    window: [3, 3],
    names: ["cat", "dog"],
    indices: [0, 1],
    logits: floats(cells.flat()),
    log_sums: floats(cells.map(([a, b]) => Math.log(Math.exp(a!) + Math.exp(b!)))),
    entropies: floats(cells.map((_, at) => at)),
    whole: { logits: [1, 0], log_sum: Math.log(Math.E + 1), entropy: 0.5 },
    classes: [0, 1],
    bars: [
      [0, 1],
      [1, 0],
    ],
  });
}

test("a window of the table has its own numbers, one between has interpolated ones", () => {
  const known = table();
  assert.deepEqual([...known.answer([4, 4, 3, 3]).logits], [12, -3]);
  assert.equal(known.answer([4, 4, 3, 3]).entropy, 3);
  assert.deepEqual([...known.answer([7, 4, 3, 3]).logits], [15, -6]);
  const { logits } = known.answer([5, 1, 3, 3]);
  assert.ok(Math.abs(logits[0]! - 7) < 1e-5 && Math.abs(logits[1]! + 4) < 1e-5);
  assert.deepEqual(known.nearest([6, 1, 3, 3]), [7, 0, 3, 3]);
  assert.ok(known.has([7, 0, 3, 3]) && !known.has([6, 0, 3, 3]) && !known.has([7, 0, 2, 3]));
});

test("probabilities are of all classes, also of those that the table has not", () => {
  const answer = { logits: Float32Array.from([0]), logSum: Math.log(4), entropy: 0 };
  assert.ok(Math.abs(probabilities(answer, "softmax")[0]! - 0.25) < 1e-7);
  assert.equal(probabilities(answer, "sigmoid")[0], 0.5);
  assert.equal(probabilities(answer, "none")[0], 0);
});

test("the sentence says which class falls, and what it is now", () => {
  const said = {
    names: ["cat", "dog"],
    scores: "softmax" as const,
    scoreName: "logit",
    sentences: { en: { occlusion_flips: "**changes**: {class} {p0} → {p1} %, now {other}, {q1} %." } },
  };
  const of = (a: number, b: number, entropy: number) => ({
    logits: Float32Array.from([a, b]),
    logSum: Math.log(Math.exp(a) + Math.exp(b)),
    entropy,
  });
  const { answer, detail, text } = sentence(said, 0, of(2, 0, 0.53), of(0, 2, 0.5), " (exact)");
  assert.deepEqual(answer, {
    en: [
      ["changes", true],
      [": cat 88 → 12 %, now dog, 88 %.", false],
    ],
  });
  assert.ok(text.endsWith(` ${detail}`));
  assert.equal(
    text,
    "changes: cat 88 → 12 %, now dog, 88 %. cat: 88% → 12%, drop of the logit 2; entropy 0.53 → 0.50 bits; " +
      "now dog (exact)",
  );
});

test("numbers are written as Python writes them", () => {
  const numbers = [0, 1, 0.5, 12.345, 123.4, 999.6, 1234, 0.00012345, 0.000012345, -2.5, 100, 1e6];
  const written = ["0", "1", "0.5", "12.3", "123", "1e+03", "1.23e+03", "0.000123", "1.23e-05", "−2.5", "100", "1e+06"];
  assert.deepEqual(
    numbers.map(short),
    written.map((text) => text.replace("e-", "e−")),
  );
  assert.deepEqual([0, 0.004, 0.0996, 0.1, 0.987].map(percent), ["0%", "0.4%", "10.0%", "10%", "99%"]);
  assert.deepEqual([0, 3.14, 9.94, 9.96, 51.2].map(points), ["0", "3.1", "9.9", "10", "51"]);
});
