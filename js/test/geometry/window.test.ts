import assert from "node:assert/strict";
import { test } from "node:test";
import {
  centre,
  fit,
  grow,
  type Room,
  resize,
  type Sides,
  sameWindow,
  shift,
  type Window,
} from "../../src/geometry/window.ts";
import { Random } from "../random.ts";

const room: Room = { rows: 100, columns: 200, smallest: 4, largest: 50 };
const window: Window = { top: 10, left: 20, height: 30, width: 40 };

function allowed({ top, left, height, width }: Window, { rows, columns, smallest, largest }: Room): boolean {
  const side = (size: number, length: number) =>
    size >= Math.min(smallest, length) && size <= Math.min(largest, length);
  return (
    [top, left, height, width].every(Number.isInteger) &&
    top >= 0 &&
    left >= 0 &&
    top + height <= rows &&
    left + width <= columns &&
    side(height, rows) &&
    side(width, columns)
  );
}

test("whatever the hand does, the window is whole pixels, inside the picture and of an allowed size", () => {
  const random = new Random();
  for (let round = 0; round < 3000; round++) {
    const smallest = random.whole(1, 60);
    const room = {
      rows: random.whole(1, 80),
      columns: random.whole(1, 80),
      smallest,
      largest: random.whole(smallest, 90),
    };
    const wild = () => random.between(-200, 200);
    let window = fit({ top: wild(), left: wild(), height: wild(), width: wild() }, room);
    for (let step = 0; step < 6; step++) {
      const sides: Sides = { vertical: random.pick([-1, 0, 1]), horizontal: random.pick([-1, 0, 1]) };
      window = random.pick([
        () => centre(window, wild(), wild(), room),
        () => shift(window, random.whole(-100, 100), random.whole(-100, 100), room),
        () => grow(window, random.whole(-9, 9), room),
        () => resize(window, sides, wild(), wild(), room),
      ])();
      assert.ok(allowed(window, room), JSON.stringify({ window, room }));
    }
  }
});

test("a window that is allowed stays as it is", () => {
  assert.deepEqual(fit(window, room), window);
});

test("the pulled corner follows and the opposite one stays", () => {
  const random = new Random(2);
  for (let round = 0; round < 1000; round++) {
    const sides: Sides = { vertical: random.pick([-1, 1]), horizontal: random.pick([-1, 1]) };
    const moved = resize(window, sides, random.between(-50, 150), random.between(-50, 250), room);
    if (sides.vertical < 0) assert.equal(moved.top + moved.height, 40);
    else assert.equal(moved.top, 10);
    if (sides.horizontal < 0) assert.equal(moved.left + moved.width, 60);
    else assert.equal(moved.left, 20);
  }
  assert.deepEqual(resize(window, { vertical: -1, horizontal: 0 }, 5.4, 0, room), { ...window, top: 5, height: 35 });
});

test("one side alone leaves the other direction alone", () => {
  assert.deepEqual(resize(window, { vertical: 0, horizontal: 1 }, 99, 43.6, room), { ...window, width: 24 });
});

test("growing and shrinking keep the centre and undo each other", () => {
  const larger = grow(window, 2, room);
  assert.deepEqual(larger, { top: 9, left: 19, height: 32, width: 42 });
  assert.deepEqual(grow(larger, -2, room), window);
});

test("at the border the window is pushed in, not cut", () => {
  assert.deepEqual(shift(window, -99, 999, room), { top: 0, left: 160, height: 30, width: 40 });
  assert.deepEqual(centre(window, 100, 0, room), { top: 70, left: 0, height: 30, width: 40 });
});

test("a picture smaller than the least window is covered by it", () => {
  assert.deepEqual(fit(window, { rows: 3, columns: 2, smallest: 8, largest: 50 }), {
    top: 0,
    left: 0,
    height: 3,
    width: 2,
  });
});

test("same compares all four", () => {
  assert.ok(sameWindow(window, { ...window }));
  for (const name of ["top", "left", "height", "width"] as const)
    assert.ok(!sameWindow(window, { ...window, [name]: 99 }));
});
