import assert from "node:assert/strict";
import { test } from "node:test";
import { Grid, type GridShape } from "../../src/geometry/grid.ts";
import { band, covers } from "../../src/geometry/rectangle.ts";

const grid = (shape: Partial<GridShape> = {}, available = 400) =>
  new Grid({ count: 23, columns: 0, tileWidth: 50, aspect: 1.5, caption: 18, gap: 8, margin: 6, ...shape }, available);

test("as many columns as fit, at least one, never more than tiles", () => {
  assert.equal(grid().columns, 6); // 6 * 50 + 5 * 8 + 2 * 6 = 352; a seventh needs 410
  assert.equal(grid({}, 410).columns, 7);
  assert.equal(grid({}, 409).columns, 6);
  assert.equal(grid({}, 10).columns, 1);
  assert.equal(grid({ count: 3 }).columns, 3);
  assert.equal(grid({ columns: 10 }).columns, 10);
  assert.equal(grid({ count: 0 }).height, 0);
});

test("a point inside a tile or its caption finds it, a point in a gap finds none", () => {
  const g = grid();
  for (let index = 0; index < 23; index++) {
    const cell = g.cell(index);
    assert.equal(g.at(cell.x, cell.y), index);
    assert.equal(g.at(cell.x + cell.width - 1, cell.y + cell.height - 1), index);
    assert.equal(g.at(cell.x + cell.width, cell.y), null);
    assert.equal(g.at(cell.x, cell.y + cell.height), null);
  }
  assert.equal(g.at(0, 0), null);
  assert.equal(g.at(g.tile(17).x, g.cell(17).y + 101), null); // the last row is not full
});

test("the content encloses every cell", () => {
  const g = grid();
  for (let index = 0; index < 23; index++) {
    assert.ok(covers({ x: 0, y: 0, width: g.width, height: g.height }, g.cell(index)));
  }
});

test("the tiles that touch an area are those that a search of all tiles finds", () => {
  const g = grid({ count: 200 }, 700);
  for (const area of [
    { x: 0, y: 0, width: 700, height: 300 },
    { x: 130, y: 411, width: 90, height: 57 },
    { x: 300, y: 1500, width: 1000, height: 4000 },
    { x: 0, y: 90000, width: 10, height: 10 },
  ]) {
    const touching = g.touching(area);
    const overlap = [...Array(200).keys()].filter((index) => {
      const cell = g.cell(index);
      const apart =
        cell.x >= area.x + area.width ||
        cell.y >= area.y + area.height ||
        cell.x + cell.width <= area.x ||
        cell.y + cell.height <= area.y;
      return !apart;
    });
    for (const index of overlap) assert.ok(touching.includes(index), `${index} is missing`);
    assert.ok(touching.length <= overlap.length + 2 * g.columns + 2 * g.rows, "far too many");
    assert.equal(new Set(touching).size, touching.length);
  }
});

test("keys move the cursor and never out of the grid", () => {
  const g = grid(); // 6 columns, rows 0..3, the last with 5 tiles
  assert.equal(g.keyTarget(0, "ArrowLeft", 2), 0);
  assert.equal(g.keyTarget(5, "ArrowRight", 2), 6);
  assert.equal(g.keyTarget(22, "ArrowRight", 2), 22);
  assert.equal(g.keyTarget(3, "ArrowUp", 2), 3);
  assert.equal(g.keyTarget(9, "ArrowUp", 2), 3);
  assert.equal(g.keyTarget(16, "ArrowDown", 2), 22);
  assert.equal(g.keyTarget(17, "ArrowDown", 2), 17);
  assert.equal(g.keyTarget(4, "PageDown", 2), 16);
  assert.equal(g.keyTarget(17, "PageDown", 2), 17);
  assert.equal(g.keyTarget(11, "PageDown", 2), 17);
  assert.equal(g.keyTarget(16, "PageUp", 2), 4);
  assert.equal(g.keyTarget(9, "PageUp", 2), 3);
  assert.equal(g.keyTarget(9, "Home", 2), 0);
  assert.equal(g.keyTarget(9, "End", 2), 22);
  assert.equal(g.keyTarget(9, "a", 2), null);
  assert.equal(grid({ count: 0 }).keyTarget(0, "End", 2), null);
});

test("the band covers the view and one more on either side, within the content", () => {
  const content = { width: 700, height: 9000 };
  assert.deepEqual(band({ x: 0, y: 0, width: 700, height: 300 }, content), { x: 0, y: 0, width: 700, height: 600 });
  assert.deepEqual(band({ x: 0, y: 4000, width: 700, height: 300 }, content), {
    x: 0,
    y: 3700,
    width: 700,
    height: 900,
  });
  assert.deepEqual(band({ x: 0, y: 8700, width: 700, height: 300 }, content), {
    x: 0,
    y: 8400,
    width: 700,
    height: 600,
  });
});
