import assert from "node:assert/strict";
import { test } from "node:test";
import { Viewport } from "../../src/geometry/viewport.ts";
import type { Window } from "../../src/geometry/window.ts";
import { Random } from "../random.ts";

const viewport = new Viewport(448, 448, 896, 896, 224, 224);
const window: Window = { top: 50, left: 100, height: 40, width: 60 }; // in CSS pixels: 100, 200, 80, 120

test("a pixel is where it is drawn", () => {
  const random = new Random();
  for (let round = 0; round < 500; round++) {
    const [rows, columns] = [random.whole(1, 300), random.whole(1, 300)];
    const [width, height] = [random.between(columns, 900), random.between(rows, 900)];
    const view = new Viewport(width, height, Math.round(width * 2), Math.round(height * 2), rows, columns);
    const [row, column] = [random.whole(0, rows - 1), random.whole(0, columns - 1)];
    const place = view.place(row, column, 1, 1);
    const middle = view.pixel((place.x + place.width / 2) / 2, (place.y + place.height / 2) / 2);
    assert.deepEqual(middle, { row, column });
  }
});

test("rectangles are whole device pixels and neighbours meet", () => {
  const view = new Viewport(333, 333, 500, 500, 7, 7);
  let end = 0;
  for (let column = 0; column < 7; column++) {
    const { x, width } = view.place(0, column, 1, 1);
    assert.equal(x, end);
    end = x + width;
  }
  assert.equal(end, 500);
});

test("outside the picture the nearest pixel counts", () => {
  assert.deepEqual(viewport.pixel(-5, 9999), { row: 223, column: 0 });
  assert.deepEqual(viewport.pixel(448, 448), { row: 223, column: 223 });
});

test("corners and sides are within reach from both sides of the line", () => {
  for (const miss of [-7, 0, 7]) {
    assert.deepEqual(viewport.grip(200 + miss, 100 + miss, window, 8), { vertical: -1, horizontal: -1 });
    assert.deepEqual(viewport.grip(320 + miss, 180 + miss, window, 8), { vertical: 1, horizontal: 1 });
    assert.deepEqual(viewport.grip(260, 180 + miss, window, 8), { vertical: 1, horizontal: 0 });
    assert.deepEqual(viewport.grip(200 + miss, 140, window, 8), { vertical: 0, horizontal: -1 });
  }
  assert.equal(viewport.grip(260, 140, window, 8), "inside");
  assert.equal(viewport.grip(260, 190, window, 8), "outside");
  assert.equal(viewport.grip(190, 140, window, 8), "outside");
});

test("a finger that covers a small window can still move it", () => {
  const small: Window = { top: 50, left: 50, height: 6, width: 6 };
  assert.equal(viewport.grip(106, 106, small, 18), "inside");
  assert.deepEqual(viewport.grip(95, 106, small, 18), { vertical: 0, horizontal: -1 });
});

test("pixels are magnified from four CSS pixels on, whatever the screen's density", () => {
  assert.ok(!viewport.magnified);
  assert.ok(new Viewport(448, 448, 448, 448, 28, 28).magnified);
  assert.equal(viewport.density, 2);
});
