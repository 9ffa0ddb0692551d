import assert from "node:assert/strict";
import { test } from "node:test";
import { Choices } from "../../src/host/axes.ts";

const AXES = [
  { name: "picture", count: 2, start: 0, controls: [], resets: [1] },
  { name: "class", count: 3, start: 0, controls: [], resets: [] },
];

test("a trait has the value of the options of its own axes, the last one fastest", () => {
  const recorded = [
    { widget: 0, trait: "text", axes: [0, 1], values: [10, 11, 12, 13, 14, 15] },
    { widget: 0, trait: "label", axes: [0], values: [20, 21] },
    { widget: 1, trait: "text", axes: [1], values: [30, 31, 32] },
  ];
  const choices = new Choices(AXES, recorded);
  assert.deepEqual(choices.choose(1, 2), [1]);
  assert.deepEqual(
    [...choices.changes([1])].map(([widget, entries]) => [widget, ...entries]),
    [
      [0, ["text", 12]],
      [1, ["text", 32]],
    ],
  );
  assert.deepEqual(choices.choose(0, 1), [0, 1]);
  assert.deepEqual(choices.chosen, [1, 0]);
  assert.deepEqual(Object.fromEntries(choices.changes([0, 1]).get(0)!), { text: 13, label: 21 });
});

test("what is no option changes nothing", () => {
  const choices = new Choices(AXES, []);
  for (const option of [-1, 3, 0.5, Number.NaN]) assert.deepEqual(choices.choose(1, option), []);
  assert.deepEqual(choices.choose(7, 0), []);
  assert.deepEqual(choices.chosen, [0, 0]);
});
