import assert from "node:assert/strict";
import { test } from "node:test";
import { count } from "../../src/geometry/mask.ts";
import { Painting } from "../../src/picture/painting.ts";

function fakePainting() {
  const room = { rows: 20, columns: 40, smallest: 1, largest: 20 };
  let painted = 0;
  const painting = new Painting(
    () => room,
    null,
    () => painted++,
  );
  return { painting, room, painted: () => painted };
}

function dab(painting: Painting, row: number, column: number): void {
  painting.begin();
  painting.paintTo(row, column);
  painting.end();
}

test("the brush takes the place of the window, and what it covered comes back with it", () => {
  const { painting, painted } = fakePainting();
  assert.equal(painting.mask, null);
  dab(painting, 5, 5);
  assert.equal(painting.mask, null); // without the brush nothing is painted
  painting.takeBrush();
  assert.equal(painting.covered, 0);
  assert.equal(painted(), 1);
  painting.radius = 3;
  dab(painting, 10, 10);
  const { covered } = painting;
  assert.ok(covered > 20 && covered < 40);
  painting.takePatch();
  assert.equal(painting.mask, null);
  painting.takeBrush();
  assert.equal(painting.covered, covered);
});

test("strokes are taken back one by one, clearing too", () => {
  const { painting } = fakePainting();
  painting.takeBrush();
  const steps = [0];
  for (const column of [5, 15, 25]) {
    dab(painting, 10, column);
    steps.push(painting.covered);
  }
  dab(painting, 10, 25); // changes nothing, and is no step
  painting.clear();
  assert.equal(painting.covered, 0);
  for (const covered of steps.reverse()) {
    assert.ok(painting.canUndo);
    painting.undo();
    assert.equal(painting.covered, covered);
  }
  assert.ok(!painting.canUndo);
});

test("a stroke that is dropped has not been", () => {
  const { painting } = fakePainting();
  painting.takeBrush();
  dab(painting, 10, 5);
  const { covered } = painting;
  painting.begin();
  painting.paintTo(10, 20);
  painting.paintTo(10, 30);
  painting.drop();
  painting.end();
  assert.equal(painting.covered, covered);
  painting.undo();
  assert.equal(painting.covered, 0);
});

test("cover and restore", () => {
  const { painting } = fakePainting();
  painting.takeBrush();
  dab(painting, 10, 20);
  painting.restores = true;
  dab(painting, 10, 20);
  assert.equal(painting.covered, 0);
});

test("the radius is whole, at least a pixel and at most a quarter of the shorter side", () => {
  const { painting } = fakePainting();
  assert.equal(painting.radius, 1);
  for (const [asked, has] of [
    [0, 1],
    [2.4, 2],
    [99, 5],
  ] as const) {
    painting.radius = asked;
    assert.equal(painting.radius, has);
  }
});

test("a mask of another size is none, and another picture begins anew", () => {
  const { painting, room } = fakePainting();
  painting.takeBrush();
  dab(painting, 10, 20);
  const mask = painting.mask!;
  room.rows = 10;
  assert.equal(painting.mask, null);
  painting.forget();
  painting.takeBrush();
  assert.equal(painting.covered, 0);
  assert.ok(count(mask) > 0 && !painting.canUndo);
});
