import assert from "node:assert/strict";
import { test } from "node:test";
import { count, edges, pack, sameMask, stroke, unpack } from "../../src/geometry/mask.ts";
import { Random } from "../random.ts";

const SIZE = { rows: 9, columns: 13 };
const PIXELS = SIZE.rows * SIZE.columns;

test("a mask is packed as numpy.packbits does, and comes back", () => {
  assert.deepEqual([...pack(Uint8Array.from([1, 0, 0, 0, 0, 0, 1, 1, 1]))], [0b10000011, 0b10000000]);
  const chance = new Random(5);
  const mask = Uint8Array.from({ length: PIXELS }, () => Number(chance.share() < 0.5));
  assert.deepEqual(unpack(pack(mask), PIXELS), mask);
  assert.equal(unpack(pack(mask), PIXELS + 8), null);
  assert.equal(unpack(new Uint8Array(0), 0), null);
});

test("a stroke covers what is as near to its line as the radius, wherever it goes", () => {
  const chance = new Random(7);
  for (let run = 0; run < 200; run++) {
    const [from, to] = [0, 1].map(() => ({ row: chance.share() * 13 - 2, column: chance.share() * 17 - 2 })) as [
      Place,
      Place,
    ];
    const radius = 0.5 + 4 * chance.share();
    const mask = new Uint8Array(PIXELS);
    stroke(mask, SIZE, from, to, radius, 1);
    for (let pixel = 0; pixel < PIXELS; pixel++) {
      const [r, c] = [Math.floor(pixel / SIZE.columns), pixel % SIZE.columns];
      const under = r === Math.floor(to.row) && c === Math.floor(to.column);
      const near = nearest(r + 0.5, c + 0.5, from, to) <= radius;
      assert.equal(mask[pixel], Number(near || under), `${r}, ${c}`);
    }
  }
});

type Place = { row: number; column: number };

/** The distance to the line between two places. */
function nearest(row: number, column: number, from: Place, to: Place): number {
  const [down, across] = [to.row - from.row, to.column - from.column];
  const length = Math.hypot(down, across);
  const along = length === 0 ? 0 : ((row - from.row) * down + (column - from.column) * across) / length;
  const share = length === 0 ? 0 : Math.max(0, Math.min(length, along)) / length;
  return Math.hypot(from.row + share * down - row, from.column + share * across - column);
}

test("restoring undoes what the same stroke covered", () => {
  const mask = new Uint8Array(PIXELS);
  const [from, to] = [
    { row: 2, column: 3 },
    { row: 7.5, column: 9.2 },
  ];
  stroke(mask, SIZE, from, to, 2, 1);
  assert.ok(count(mask) > 10);
  stroke(mask, SIZE, from, to, 2, 0);
  assert.equal(count(mask), 0);
});

test("the edges of a mask are all sides between covered and not, each once", () => {
  const chance = new Random(9);
  const mask = Uint8Array.from({ length: PIXELS }, () => Number(chance.share() < 0.4));
  const at = (r: number, c: number) =>
    r >= 0 && r < SIZE.rows && c >= 0 && c < SIZE.columns ? mask[r * SIZE.columns + c]! : 0;
  const expected = new Set<string>();
  for (let r = 0; r <= SIZE.rows; r++) {
    for (let c = 0; c <= SIZE.columns; c++) {
      if (at(r, c) !== at(r - 1, c)) expected.add(`${r},${c} across`);
      if (at(r, c) !== at(r, c - 1)) expected.add(`${r},${c} down`);
    }
  }
  const found: string[] = [];
  edges(mask, SIZE, (fromRow, fromColumn, toRow, toColumn) => {
    assert.ok((fromRow === toRow) !== (fromColumn === toColumn));
    for (let c = fromColumn; c < toColumn; c++) found.push(`${fromRow},${c} across`);
    for (let r = fromRow; r < toRow; r++) found.push(`${r},${fromColumn} down`);
  });
  assert.equal(found.length, expected.size);
  assert.deepEqual(new Set(found), expected);
});

test("masks are the same by what they cover", () => {
  const [one, other] = [Uint8Array.from([1, 0]), Uint8Array.from([1, 0])];
  assert.ok(sameMask(one, other) && sameMask(null, null));
  assert.ok(!sameMask(one, null) && !sameMask(one, Uint8Array.from([1, 1])) && !sameMask(one, Uint8Array.from([1])));
});
