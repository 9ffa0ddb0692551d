import assert from "node:assert/strict";
import { test } from "node:test";
import { asItIs, fitted, readable, transparent } from "../src/shrink.ts";

test("the longer side fits, the proportions stay, nothing is enlarged", () => {
  assert.deepEqual(fitted(4000, 3000, 1024), [1024, 768]);
  assert.deepEqual(fitted(3000, 4000, 1024), [768, 1024]);
  assert.deepEqual(fitted(8, 8, 1024), [8, 8]);
  assert.deepEqual(fitted(100000, 3, 1024), [1024, 1]);
});

test("only a small PNG or JPEG travels untouched", () => {
  const limits = { side: 1024, bytes: 1000 };
  assert.equal(asItIs({ type: "image/png", size: 1000 }, 1024, 3, limits), true);
  assert.equal(asItIs({ type: "image/jpeg", size: 10 }, 3, 1024, limits), true);
  assert.equal(asItIs({ type: "image/png", size: 1001 }, 3, 3, limits), false);
  assert.equal(asItIs({ type: "image/png", size: 10 }, 1025, 3, limits), false);
  assert.equal(asItIs({ type: "image/webp", size: 10 }, 3, 3, limits), false);
  assert.equal(asItIs({ type: "", size: 10 }, 3, 3, limits), false);
});

test("one pixel that is not opaque is enough", () => {
  const pixels = new Uint8ClampedArray(16).fill(255);
  assert.equal(transparent(pixels), false);
  pixels[11] = 254;
  assert.equal(transparent(pixels), true);
});

test("sizes are readable", () => {
  assert.equal(readable(10), "1 KiB");
  assert.equal(readable(700 * 1024), "700 KiB");
  assert.equal(readable(8 * 2 ** 20), "8.0 MiB");
  assert.equal(readable(50 * 2 ** 20), "50 MiB");
});
