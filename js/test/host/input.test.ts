import assert from "node:assert/strict";
import { test } from "node:test";
import { answerOf, bestClasses, covered, inputOf, masked, middle } from "../../src/host/input.ts";

const FORM = { shape: [2, 2, 3], scale: [1, 0.5], offset: [0, -1] } as const;

test("bytes become a network input, a channel after the other", () => {
  const rgb = Uint8Array.from({ length: 18 }, (_, at) => at);
  assert.deepEqual([...inputOf(rgb, FORM)], [0, 3, 6, 9, 12, 15, -0.5, 1, 2.5, 4, 5.5, 7]);
});

test("a window is filled in every channel, and the input stays as it is", () => {
  const [pixels, filling] = [new Float32Array(12), Float32Array.from({ length: 12 }, (_, at) => at + 1)];
  const made = covered(pixels, filling, [1, 1, 1, 2], FORM);
  assert.deepEqual([...made], [0, 0, 0, 0, 5, 6, 0, 0, 0, 0, 11, 12]);
  assert.ok(pixels.every((value) => value === 0));
});

test("a mask of any shape is filled in every channel", () => {
  const [pixels, filling] = [new Float32Array(12), Float32Array.from({ length: 12 }, (_, at) => at + 1)];
  assert.deepEqual(
    [...masked(pixels, filling, Uint8Array.of(1, 0, 0, 0, 0, 1))],
    [1, 0, 0, 0, 0, 6, 7, 0, 0, 0, 0, 12],
  );
});

test("of all logits the sum and the entropy are known", () => {
  const { logSum, entropy } = answerOf(Float32Array.of(0, 0, 0, 0), "softmax");
  assert.ok(Math.abs(logSum - Math.log(4)) < 1e-6 && Math.abs(entropy - 2) < 1e-6);
  assert.ok(Math.abs(answerOf(Float32Array.of(0, 0), "sigmoid").entropy - 2) < 1e-6);
  assert.equal(answerOf(Float32Array.of(3, 4), "none").entropy, 0);
});

test("the class that is explained has a row", () => {
  const logits = Float32Array.of(1, 5, 3, 2, 4, 0);
  assert.deepEqual(bestClasses(logits, 1, 3), [1, 4, 2]);
  assert.deepEqual(bestClasses(logits, 5, 3), [1, 4, 5]);
});

test("a picture is cut in the middle to the proportions of the input", () => {
  assert.deepEqual(middle([200, 100], 50, 50), [50, 0, 100, 100]);
  assert.deepEqual(middle([100, 200], 50, 100), [0, 75, 100, 50]);
});
