import assert from "node:assert/strict";
import { test } from "node:test";
import { canSendUntouched, fitSize, formatBytes, hasTransparency } from "../../../src/controls/upload/shrink.ts";

test("the longer side fits, the proportions stay, nothing is enlarged", () => {
  assert.deepEqual(fitSize(4000, 3000, 1024), [1024, 768]);
  assert.deepEqual(fitSize(3000, 4000, 1024), [768, 1024]);
  assert.deepEqual(fitSize(8, 8, 1024), [8, 8]);
  assert.deepEqual(fitSize(100000, 3, 1024), [1024, 1]);
});

test("only a small PNG or JPEG travels untouched", () => {
  const limits = { side: 1024, bytes: 1000 };
  assert.equal(canSendUntouched({ type: "image/png", size: 1000 }, 1024, 3, limits), true);
  assert.equal(canSendUntouched({ type: "image/jpeg", size: 10 }, 3, 1024, limits), true);
  assert.equal(canSendUntouched({ type: "image/png", size: 1001 }, 3, 3, limits), false);
  assert.equal(canSendUntouched({ type: "image/png", size: 10 }, 1025, 3, limits), false);
  assert.equal(canSendUntouched({ type: "image/webp", size: 10 }, 3, 3, limits), false);
  assert.equal(canSendUntouched({ type: "", size: 10 }, 3, 3, limits), false);
});

test("one pixel that is not opaque is enough", () => {
  const pixels = new Uint8ClampedArray(16).fill(255);
  assert.equal(hasTransparency(pixels), false);
  pixels[11] = 254;
  assert.equal(hasTransparency(pixels), true);
});

test("sizes are readable", () => {
  assert.equal(formatBytes(10), "1 KiB");
  assert.equal(formatBytes(700 * 1024), "700 KiB");
  assert.equal(formatBytes(8 * 2 ** 20), "8.0 MiB");
  assert.equal(formatBytes(50 * 2 ** 20), "50 MiB");
});
