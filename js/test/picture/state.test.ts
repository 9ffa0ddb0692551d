import assert from "node:assert/strict";
import { test } from "node:test";
import { tableRow } from "../../src/color/blend.ts";
import { colorTable } from "../../src/color/colormaps.ts";
import { parseViewState } from "../../src/color/scales.ts";
import type { Payload } from "../../src/core/event_queue.ts";
import { PictureState, type Traits } from "../../src/picture/state.ts";
import { describe } from "../../src/picture/words.ts";

const ROWS = 10;
const COLUMNS = 20;

/** A state over `traits` that the test may change, and what it asked of its view. */
function fakePicture(changes: Partial<Traits> = {}) {
  const traits: Traits = {
    _picture: { pixels: new Uint8Array(ROWS * COLUMNS * 3), size: [ROWS, COLUMNS] },
    _map: {},
    baseline: new Uint8Array(0),
    mode: "window",
    box: null,
    marker: null,
    window_start: [0, 0, 4, 4],
    _window_final: [2, 3, 4, 5],
    window_limits: [2, 8],
    brush: {},
    language: null,
    _mask: {},
    label: "a cat",
    stale: false,
    display_width: 448,
    view_state: {},
    _live: undefined,
    ...changes,
  };
  const moves: Payload[] = [];
  const ends: Payload[] = [];
  const calls = { changes: 0, words: 0 };
  const state = new PictureState((name) => traits[name], {
    onMove: (event, sent) => moves.push(sent ? { ...event, bits: new Uint8Array(sent[0]!) } : event),
    onGestureEnd: (event, sent) => ends.push(sent ? { ...event, bits: new Uint8Array(sent[0]!) } : event),
    onChange: () => calls.changes++,
    onWords: () => calls.words++,
  });
  state.receivePicture();
  return { state, traits, moves, ends, calls };
}

const at = (top: number, left: number, height = 4, width = 5) => ({ top, left, height, width });
const ack = (seq: number) => ({ kind: "ack", seq });

function mapOf(values: number[], size: [number, number], signed = false): Traits["_map"] {
  return { values: new Uint8Array(Float32Array.from(values).buffer), size, quantity: "drop", signed };
}

test("a picture that is not as long as its size says is none, and has no window", () => {
  const { state, traits } = fakePicture();
  assert.deepEqual(state.size, { rows: ROWS, columns: COLUMNS });
  assert.deepEqual(state.window, at(2, 3));
  for (const size of [[ROWS, COLUMNS + 1], [0, 0], undefined] as const) {
    traits._picture = { pixels: new Uint8Array(ROWS * COLUMNS * 3), ...(size && { size: [...size] }) };
    assert.equal(state.receivePicture(), null);
    assert.deepEqual(state.size, { rows: 0, columns: 0 });
    assert.equal(state.window, null);
  }
});

test("the window shown fits the picture and the limits, in window mode alone", () => {
  const { state, traits } = fakePicture({ _window_final: [9, 19, 1, 50] });
  assert.deepEqual(state.window, at(8, 12, 2, 8));
  assert.deepEqual(state.start, at(0, 0, 4, 4));
  traits.mode = "point";
  assert.equal(state.window, null);
  const empty = fakePicture({ _window_final: [0, 0, 0, 0] });
  assert.equal(empty.state.window, null);
});

test("a gesture reports each move and ends with the last", () => {
  const { state, moves, ends } = fakePicture();
  state.beginGesture();
  state.moveWindow(at(3, 3));
  state.moveWindow(at(3, 3)); // no news
  state.moveWindow(at(4, 3));
  state.endGesture();
  assert.deepEqual(moves, [
    { name: "moved", window: [3, 3, 4, 5] },
    { name: "moved", window: [4, 3, 4, 5] },
  ]);
  assert.deepEqual(ends, [moves[1]]);
  state.beginGesture();
  state.endGesture();
  assert.equal(ends.length, 1);
});

test("in point mode a pixel is picked once", () => {
  const { state, moves } = fakePicture({ mode: "point" });
  state.pickPoint({ row: 1, column: 2 });
  state.pickPoint({ row: 1, column: 2 });
  assert.deepEqual(moves, [{ name: "picked", point: [1, 2] }]);
  assert.deepEqual(state.marker, { row: 1, column: 2 });
});

test("the kernel does not pull the window from the hand, and has the last word", () => {
  const { state, traits, calls } = fakePicture();
  state.beginGesture();
  state.moveWindow(at(5, 5));
  traits._window_final = [1, 1, 4, 5];
  assert.equal(state.receiveTraits(), false);
  assert.deepEqual(state.window, at(5, 5));
  state.sent(7);
  state.endGesture();
  assert.equal(state.receiveTraits(), false); // still unanswered
  assert.equal(state.receiveAck(ack(6)), false);
  assert.equal(state.receiveAck(ack(7)), true); // refused: the kernel kept its own
  assert.deepEqual(state.window, at(1, 1));
  assert.equal(calls.changes, 0);
});

test("a press that moved nothing shows what the kernel said meanwhile, window and marker alike", () => {
  const { state, traits, calls, ends } = fakePicture();
  state.beginGesture();
  traits._window_final = [1, 1, 4, 5];
  traits.marker = [3, 4];
  assert.equal(state.receiveTraits(), false);
  state.endGesture();
  assert.deepEqual([calls.changes, ends.length], [1, 0]);
  assert.deepEqual(state.window, at(1, 1));
  assert.deepEqual(state.marker, { row: 3, column: 4 });
});

test("views of one page show each other's hand, but not over their own", () => {
  const [first, second] = [fakePicture().state, fakePicture().state];
  first.moveWindow(at(6, 7));
  const live = first.live("first");
  assert.equal(first.receiveLive(live, "first"), false);
  assert.equal(second.receiveLive(undefined, "second"), false);
  assert.equal(second.receiveLive(live, "second"), true);
  assert.deepEqual(second.window, at(6, 7));
  second.beginGesture();
  first.moveWindow(at(0, 0));
  assert.equal(second.receiveLive(first.live("first"), "second"), false);
  assert.deepEqual(second.window, at(6, 7));
});

test("the map is shown at the picture's size, on its own extent or on the scale in use", () => {
  const { state, traits } = fakePicture();
  const settings = parseViewState({ cells: true });
  assert.equal(state.paintMap(settings), null);
  assert.equal(state.valueAt({ row: 0, column: 0 }), null);
  traits._map = mapOf([0, 1, 2, 3], [2, 2]);
  state.receiveMap();
  const rgba = state.paintMap(settings);
  assert.equal(rgba?.length, ROWS * COLUMNS * 4);
  assert.deepEqual(state.shown?.scales, [{ label: "this map", low: 0, high: 3 }]);
  assert.equal(state.valueAt({ row: 0, column: 0 }), 0);
  assert.equal(state.valueAt({ row: 9, column: 19 }), 3);
  assert.equal(state.valueAt(null), null);
  traits._map = { ...traits._map, scales: [["all layers", 0, 30]] };
  assert.notDeepEqual(state.paintMap(settings), rgba);
  traits._map = mapOf([1, 2, 3], [2, 2]); // too short
  state.receiveMap();
  assert.equal(state.paintMap(settings), null);
});

test("a signed map is painted with the diverging colours", () => {
  const { state, traits } = fakePicture();
  traits._map = mapOf([0, 0, 0, 0], [2, 2], true);
  state.receiveMap();
  const table = colorTable("", "diverging");
  const middle = table.subarray(3 * tableRow(0.5), 3 * tableRow(0.5) + 3);
  assert.deepEqual([...(state.paintMap(parseViewState({ even: true })) ?? []).slice(0, 4)], [...middle, 255]);
});

test("the baseline counts only at the picture's size", () => {
  const { state, traits } = fakePicture();
  const length = () => state.baseline?.length;
  assert.equal(length(), undefined);
  traits.baseline = new DataView(new ArrayBuffer(ROWS * COLUMNS * 3));
  assert.equal(length(), ROWS * COLUMNS * 3);
  traits.baseline = new Uint8Array(3);
  assert.equal(length(), undefined);
});

test("what is drawn over the picture", () => {
  const { state } = fakePicture({ box: [-1, 0, 5, 6], marker: [2, 2] });
  assert.deepEqual(state.drawState(parseViewState({ opacity: 0.25, cells: true })), {
    window: at(2, 3),
    box: [-1, 0, 5, 6],
    marker: { row: 2, column: 2 },
    mask: null,
    brush: null,
    opacity: 0.25,
    cells: true,
  });
});

test("in words: where the window or the point is, its value, and a kernel that does not answer", () => {
  const { state, traits } = fakePicture();
  assert.deepEqual(describe(state), {
    where: "window 4 × 5 at row 2, col 3",
    hovered: "",
    label: "a cat. window 4 by 5 at row 2, column 3",
    spoken: "window 4 by 5 at row 2, column 3",
  });
  traits._map = mapOf([1, 2], [1, 2]);
  state.receiveMap();
  state.paintMap(parseViewState({ cells: true }));
  state.hover({ row: 0, column: 19 });
  assert.equal(describe(state).hovered, "row 0, col 19 · drop 2");
  assert.equal(describe(state).spoken, "window 4 by 5 at row 2, column 3, drop 1");
  state.setBusy(true);
  assert.equal(describe(state).where, "waiting for the kernel");
  traits.mode = "point";
  state.pickPoint({ row: 1, column: 15 });
  assert.equal(describe(state).label, "a cat. point at row 1, column 15. drop 2");
  traits.mode = "view";
  assert.equal(describe(state).label, "a cat");
});

test("what is painted goes to the kernel as bits, of the picture it was painted on", () => {
  const { state, moves, ends } = fakePicture({ brush: { en: {} }, _mask: { revision: 3 } });
  assert.equal(state.mask, null);
  state.paint("takeBrush");
  assert.deepEqual(ends, [{ name: "painted", revision: 3, bits: new Uint8Array(25) }]);
  state.beginGesture();
  state.painting.paintTo(0.5, 1.5);
  assert.equal(moves.length, 2);
  state.endGesture();
  assert.equal((ends[1]!["bits"] as Uint8Array)[0], 0b11100000); // a radius of one: beside and below, too
  assert.equal(state.drawState(parseViewState({})).window, null);
  state.paint("takePatch");
  assert.deepEqual(ends[2], { name: "moved", window: [2, 3, 4, 5] });
  assert.deepEqual(state.drawState(parseViewState({})).window, at(2, 3));
});

test("the kernel has the last word about the mask, and nothing is painted where no brush is offered", () => {
  const { state, traits, ends } = fakePicture({ brush: { en: {} }, _mask: { revision: 0 } });
  state.paint("takeBrush");
  state.sent(1);
  traits._mask = { revision: 0, bits: new Uint8Array(25).fill(255) };
  assert.equal(state.receiveTraits(), false); // of before
  assert.equal(state.painting.covered, 0);
  assert.equal(state.receiveAck(ack(1)), true);
  assert.equal(state.painting.covered, ROWS * COLUMNS);
  traits._mask = { revision: 0, bits: new Uint8Array(24) };
  state.receiveTraits();
  assert.equal(state.mask, null); // not as many bits as pixels
  traits.brush = {};
  state.paint("takeBrush");
  assert.equal(ends.length, 1);
});
