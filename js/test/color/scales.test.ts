import assert from "node:assert/strict";
import { test } from "node:test";
import { formatNumber, namedScales, parseViewState, scaleInUse, tickLabels } from "../../src/color/scales.ts";

const values = Float32Array.of(-1, 2);
const drop = { quantity: "drop", signed: false };

test("anything at all is read as settings, part by part", () => {
  const usual = parseViewState(undefined);
  for (const odd of [
    null,
    3,
    "x",
    [],
    { opacity: "1", threshold: Number.NaN, cells: 1, colors: 7, held: { low: "0" } },
  ]) {
    assert.deepEqual(parseViewState(odd), usual);
  }
  assert.equal(parseViewState({ opacity: 1.5 }).opacity, usual.opacity);
  assert.equal(parseViewState({ opacity: 0.25, cells: "yes" }).opacity, 0.25);
  const held = { quantity: "drop", signed: true, low: -1, high: 1 };
  assert.deepEqual(parseViewState({ held }).held, held);
  assert.deepEqual(parseViewState(parseViewState({ held, cells: true })), parseViewState({ held, cells: true }));
});

test("without scales the map's own extent is used, ill-formed ones are left out", () => {
  assert.deepEqual(namedScales(undefined, values), [{ label: "this map", low: -1, high: 2 }]);
  assert.deepEqual(namedScales([["a", 0, Number.POSITIVE_INFINITY], 5, ["b", 0, 1]], values), [
    { label: "b", low: 0, high: 1 },
  ]);
});

test("the chosen scale is used where the map has it, else the first; a held one wins for its quantity alone", () => {
  const scales = namedScales(
    [
      ["this", 0, 1],
      ["all", 0, 9],
    ],
    values,
  );
  assert.equal(scaleInUse(parseViewState({ scale: "all" }), scales, drop).high, 9);
  assert.equal(scaleInUse(parseViewState({ scale: "gone" }), scales, drop).label, "this");
  const state = parseViewState({ scale: "all", held: { ...drop, low: 0, high: 4 } });
  assert.deepEqual(scaleInUse(state, scales, drop), { label: "fixed", low: 0, high: 4 });
  assert.equal(scaleInUse(state, scales, { quantity: "activation", signed: false }).high, 9);
  assert.equal(scaleInUse(state, scales, { quantity: "drop", signed: true }).high, 9);
});

test("figures have three digits and a true minus sign", () => {
  const cases: [number, string][] = [
    [0, "0"],
    [2.6, "2.6"],
    [-0.12345, "\u22120.123"],
    [1234.5, "1230"],
    [0.0001234, "1.2e\u22124"],
    [123456, "1.2e+5"],
    [Number.NaN, "no value"],
  ];
  for (const [value, text] of cases) assert.equal(formatNumber(value), text);
});

test("the bar's ends say where the map goes beyond them", () => {
  assert.deepEqual(tickLabels({ low: 0, high: 2 }, false, values), ["≤ 0", "2"]);
  assert.deepEqual(tickLabels({ low: -1, high: 1 }, true, values), ["\u22121", "≥ 1"]);
  assert.deepEqual(tickLabels({ low: -1, high: 2 }, true, values), ["\u22122", "2"]);
});
