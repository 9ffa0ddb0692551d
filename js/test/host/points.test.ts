import assert from "node:assert/strict";
import { test } from "node:test";
import { counts, inside } from "../../src/host/points.ts";

test("a point is inside a lasso whatever its shape", () => {
  const path = [
    [0, 0],
    [4, 0],
    [4, 4],
    [2, 1],
    [0, 4],
  ] as const;
  assert.ok(inside([0.5, 1], path) && inside([3.5, 1], path) && inside([2, 0.5], path));
  assert.ok(!inside([2, 3], path) && !inside([5, 1], path) && !inside([-1, 1], path));
});

test("labels are counted, the most frequent first", () => {
  assert.deepEqual(counts(["a", "b", "b", "a", "b"]), [
    ["b", 3],
    ["a", 2],
  ]);
});
