import assert from "node:assert/strict";
import { test } from "node:test";
import { fromLevels, revived, split } from "../../src/host/binary.ts";

test("values refer to bytes, levels and pictures", () => {
  const bytes = new DataView(Uint8Array.of(0, 127, 254, 255).buffer);
  const value = { a: [{ $bytes: 1 }], map: { $levels: 1, low: -1, high: 1 }, picture: { $image: 2 }, rest: null };
  const found = revived(
    value,
    () => bytes,
    () => new DataView(Uint8Array.of(7).buffer),
  ) as Record<string, unknown>;
  assert.deepEqual((found["a"] as unknown[])[0], bytes);
  assert.deepEqual([...new Float32Array((found["map"] as DataView).buffer)], [-1, 0, 1, Number.NaN]);
  assert.equal((found["picture"] as DataView).getUint8(0), 7);
  assert.equal(fromLevels(bytes, 0, 254).byteLength, 16);
});

test("the block has the JSON first, and the values at a multiple of eight", () => {
  const json = new TextEncoder().encode('{"a":1}');
  const block = new Uint8Array(16 + 2);
  new DataView(block.buffer).setUint32(0, json.length, true);
  block.set(json, 4);
  block.set([8, 9], 16);
  const { content, values } = split(block.buffer);
  assert.deepEqual(content, { a: 1 });
  assert.deepEqual([...new Uint8Array(values)], [8, 9]);
});
