import assert from "node:assert/strict";
import { test } from "node:test";
import {
  belowThreshold,
  extent,
  type HeatMap,
  heatMap,
  paint,
  paintTile,
  position,
  resample,
  scaleEnds,
  tableRow,
  toGrey,
  toRgba,
} from "../../src/color/blend.ts";
import { colorTable, tableNames } from "../../src/color/colormaps.ts";
import { Random } from "../random.ts";

function mapOf(rows: number, columns: number, values: number[]): HeatMap {
  return { rows, columns, values: Float32Array.from(values) };
}

/** The textbook: four neighbours, half-pixel centres, coordinates clamped to the map. */
function bilinear(map: HeatMap, row: number, column: number, rows: number, columns: number): number {
  const at = (r: number, c: number) => {
    const inside = (value: number, size: number) => Math.max(0, Math.min(size - 1, value));
    return map.values[inside(r, map.rows) * map.columns + inside(c, map.columns)]!;
  };
  const y = ((row + 0.5) * map.rows) / rows - 0.5;
  const x = ((column + 0.5) * map.columns) / columns - 0.5;
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [down, right] = [y - top, x - left];
  return (
    (1 - down) * ((1 - right) * at(top, left) + right * at(top, left + 1)) +
    down * ((1 - right) * at(top + 1, left) + right * at(top + 1, left + 1))
  );
}

test("bytes become a map only if their number fits, at any offset", () => {
  const bytes = new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer);
  const shifted = new Uint8Array([9, ...bytes]).subarray(1);
  assert.deepEqual(heatMap(shifted, 2, 2)?.values, Float32Array.of(1, 2, 3, 4));
  assert.equal(heatMap(bytes, 2, 3), null);
  assert.equal(heatMap(bytes, 0, 0), null);
  assert.equal(heatMap(new Uint8Array(0), 0, 0), null);
});

test("the blend is bilinear with half-pixel centres", () => {
  const random = new Random();
  for (let round = 0; round < 60; round++) {
    const [h, w, rows, columns] = [random.whole(1, 9), random.whole(1, 9), random.whole(1, 30), random.whole(1, 30)];
    const map = mapOf(
      h,
      w,
      Array.from({ length: h * w }, () => random.between(-5, 5)),
    );
    const values = resample(map, rows, columns, false);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const expected = bilinear(map, row, column, rows, columns);
        assert.ok(Math.abs(values[row * columns + column]! - expected) < 1e-5);
      }
    }
  }
});

test("the values of torch's interpolate(align_corners=False)", () => {
  const map = mapOf(2, 2, [0, 1, 2, 3]);
  assert.deepEqual(
    [...resample(map, 4, 4, false)],
    [0, 0.25, 0.75, 1, 0.5, 0.75, 1.25, 1.5, 1.5, 1.75, 2.25, 2.5, 2, 2.25, 2.75, 3],
  );
});

test("cell i covers the pixels from i*H/h to (i+1)*H/h", () => {
  const map = mapOf(1, 3, [10, 20, 30]);
  assert.deepEqual([...resample(map, 1, 7, true)], [10, 10, 20, 20, 20, 30, 30]);
  assert.deepEqual([...resample(mapOf(2, 1, [1, 2]), 4, 1, true)], [1, 1, 2, 2]);
});

test("a map of the picture's size is shown as it is, and NaN stays in its pixel", () => {
  const map = mapOf(2, 2, [1, Number.NaN, Number.POSITIVE_INFINITY, 4]);
  for (const cells of [true, false]) assert.deepEqual(resample(map, 2, 2, cells), map.values);
});

test("positions: the scale's ends, clamped; a signed scale reaches equally far; no extent is no colour", () => {
  assert.equal(position(3, { low: 1, high: 5 }, false), 0.5);
  assert.equal(position(-9, { low: 1, high: 5 }, false), 0);
  assert.equal(position(9, { low: 1, high: 5 }, false), 1);
  assert.deepEqual(scaleEnds({ low: -1, high: 4 }, true), { low: -4, high: 4 });
  assert.equal(position(0, { low: -1, high: 4 }, true), 0.5);
  assert.equal(position(-1, { low: -1, high: 4 }, true), 0.375);
  assert.equal(position(7, { low: 0, high: 0 }, false), 0);
  assert.equal(position(7, { low: 0, high: 0 }, true), 0.5);
});

test("the threshold is a share of the scale, on both sides of zero if signed", () => {
  assert.ok(belowThreshold(0.19, 0.2, false) && !belowThreshold(0.2, 0.2, false) && !belowThreshold(0, 0, false));
  assert.ok(
    belowThreshold(0.45, 0.2, true) &&
      belowThreshold(0.55, 0.2, true) &&
      !belowThreshold(0.35, 0.2, true) &&
      !belowThreshold(0.65, 0.2, true),
  );
});

test("painting: table colours, clear below the threshold, a hatch where there is no number", () => {
  const table = colorTable("viridis", "sequential");
  const values = Float32Array.of(0, 0.5, 1, 2);
  const rgba = paint(values, 4, table, { low: 0, high: 1 }, false, 0.25);
  assert.deepEqual([...rgba.subarray(0, 4)], [0, 0, 0, 0]);
  assert.deepEqual([...rgba.subarray(4, 8)], [...table.subarray(tableRow(0.5) * 3, tableRow(0.5) * 3 + 3), 255]);
  for (const from of [8, 12]) assert.deepEqual([...rgba.subarray(from, from + 4)], [253, 231, 37, 255]);

  const missing = paint(new Float32Array(64 * 64).fill(Number.NaN), 64, table, { low: 0, high: 1 }, false, 0);
  const inked = Array.from({ length: 64 * 64 }, (_, index) => missing[index * 4 + 3]! > 0).filter(Boolean).length;
  assert.ok(inked > 0 && inked < 64 * 64);
});

test("raw RGB becomes opaque", () => {
  assert.deepEqual([...toRgba(Uint8Array.of(1, 2, 3, 4, 5, 6))], [1, 2, 3, 255, 4, 5, 6, 255]);
});

test("the extent ignores what is not finite", () => {
  assert.deepEqual(extent(Float32Array.of(Number.NaN, 3, -1, Number.POSITIVE_INFINITY)), { low: -1, high: 3 });
  assert.deepEqual(extent(Float32Array.of(Number.NaN)), { low: 0, high: 0 });
});

test("colour tables: known ends; a name that does not fit gives the default of its kind", () => {
  assert.deepEqual([...colorTable("viridis", "sequential").subarray(0, 3)], [68, 1, 84]);
  assert.equal(tableNames("sequential")[0], "viridis");
  for (const kind of ["sequential", "diverging"] as const) {
    for (const name of tableNames(kind)) assert.equal(colorTable(name, kind).length, 768);
    assert.deepEqual(colorTable("constructor", kind), colorTable(tableNames(kind)[0]!, kind));
  }
  assert.deepEqual(colorTable("viridis", "diverging"), colorTable("blue-white-red", "diverging"));
});

test("one channel goes through the colour table, three are taken as they are", () => {
  const table = Uint8Array.from({ length: 768 }, (_, at) => (at % 3) * 50 + Math.floor(at / 3) / 4);
  const grey = Uint8Array.from([9, 9, 0, 255]);
  const out = new Uint8ClampedArray(8);
  paintTile(grey, 1, 2, 1, table, out);
  assert.deepEqual([...out], [...[0, 50, 100], 255, ...table.slice(765), 255]);
  const rgb = Uint8Array.from([1, 2, 3, 4, 5, 6]);
  paintTile(rgb, 1, 1, 3, table, out.subarray(0, 4));
  assert.deepEqual([...out.subarray(0, 4)], [4, 5, 6, 255]);
});

test("a map is as opaque as its values are large, and clear at zero", () => {
  const table = new Uint8Array(768).fill(9);
  const alphas = (values: number[], signed: boolean) =>
    [
      ...paint(new Float32Array(values), values.length, table, { low: signed ? -1 : 0, high: 1 }, signed, 0, false),
    ].filter((_, index) => index % 4 === 3);
  const [none, weak, half, full] = alphas([0, 0.1, 0.5, 1], false) as [number, number, number, number];
  assert.equal(none, 0);
  assert.equal(full, 255);
  assert.ok(0 < weak && weak < half && half < full);
  assert.deepEqual(alphas([-1, -0.5, 0, 0.5, 1], true), [full, half, 0, half, full]);
});

test("grey keeps the brightness of the colours", () => {
  assert.deepEqual([...toGrey(new Uint8Array([255, 0, 0, 80, 80, 80]))], [54, 54, 54, 255, 80, 80, 80, 255]);
});
