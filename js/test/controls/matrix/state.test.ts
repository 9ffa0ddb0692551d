import assert from "node:assert/strict";
import { test } from "node:test";
import { cellAfterKey, cellText, countOf, strength } from "../../../src/controls/matrix/state.ts";
import { Random } from "../../random.ts";

const NAMES = ["ant", "bee", "cat"];
const COUNTS = [5, 1, 0, 2, 7, 0, 0, 0, 9];

test("arrow keys go through cells and headers, and never into the empty corner or out of the table", () => {
  const random = new Random();
  for (let round = 0; round < 200; round++) {
    let cell = { row: 0, column: 0 };
    for (let step = 0; step < 50; step++) {
      const next = cellAfterKey(random.pick(["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"]), cell, 3);
      assert.ok(next !== null);
      assert.ok(Math.abs(next.row - cell.row) + Math.abs(next.column - cell.column) <= 1);
      assert.ok(next.row >= -1 && next.row < 3 && next.column >= -1 && next.column < 3);
      assert.ok(next.row >= 0 || next.column >= 0);
      cell = next;
    }
  }
  assert.equal(cellAfterKey("Tab", { row: 0, column: 0 }, 3), null);
});

test("headers count their row or column", () => {
  assert.equal(countOf(COUNTS, 3, { row: 0, column: 1 }), 1);
  assert.equal(countOf(COUNTS, 3, { row: 1, column: -1 }), 9);
  assert.equal(countOf(COUNTS, 3, { row: -1, column: 0 }), 7);
});

test("a cell says what it holds", () => {
  assert.equal(cellText(NAMES, { row: 0, column: 1 }, 1), "1 picture of ant, taken for bee");
  assert.equal(cellText(NAMES, { row: 2, column: 2 }, 9), "9 pictures of cat, right");
  assert.equal(cellText(NAMES, { row: 1, column: -1 }, 9), "9 pictures of bee");
  assert.equal(cellText(NAMES, { row: -1, column: 0 }, 7), "7 pictures taken for ant");
});

test("nothing is not coloured, one mistake of a thousand is", () => {
  assert.equal(strength(0, 1000), 0);
  assert.ok(strength(1, 1000) >= 8);
  assert.equal(strength(10, 10), 70);
  assert.equal(strength(0, 0), 0);
});
