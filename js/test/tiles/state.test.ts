import assert from "node:assert/strict";
import { test } from "node:test";
import { ControlledValue } from "../../src/core/controlled_value.ts";
import { TileState, type Traits } from "../../src/tiles/state.ts";

const NO_KEYS = { shiftKey: false, ctrlKey: false, altKey: false, metaKey: false };

/** A state over `traits` that the test may change, laid out for 400 pixels: six columns. */
function fakeTiles(changes: Partial<Traits> = {}) {
  const traits: Traits = {
    sheet: new Uint8Array(0),
    tile_size: [30, 20],
    channels: 1,
    count: 23,
    revision: 5,
    colormap: "gray",
    labels: ["cat", "dog"],
    badges: ["", "98 %"],
    selected: null,
    columns: 0,
    tile_width: 50,
    height: 300,
    pixelated: false,
    captions: true,
    description: "",
    placeholder: "",
    ...changes,
  };
  const selected = new ControlledValue(traits.selected);
  const state = new TileState((name) => traits[name], selected);
  state.layOut(400);
  return { state, traits, selected };
}

const sightAt = (y: number) => ({ x: 0, y, width: 400, height: 150 });

test("the traits give the grid its shape", () => {
  const { state, traits } = fakeTiles();
  assert.deepEqual([state.grid.columns, state.grid.tileHeight, state.shape.caption], [6, 75, 18]);
  traits.captions = false;
  assert.equal(state.shape.caption, 0);
  assert.equal(fakeTiles({ labels: [] }).state.shape.caption, 0);
  traits.tile_size = [0, 0];
  traits.tile_width = 1;
  assert.deepEqual([state.shape.aspect, state.shape.tileWidth], [1, 8]);
});

test("the cursor begins at the selected tile and stays within the tiles", () => {
  const { state, traits } = fakeTiles({ selected: 20 });
  assert.equal(state.cursor, 20);
  traits.count = 4;
  state.layOut(400);
  assert.equal(state.cursor, 3);
  traits.count = 0;
  state.layOut(400);
  assert.equal(state.cursor, 0);
});

test("keys move the cursor, by pages of the rows in sight", () => {
  const { state } = fakeTiles();
  assert.equal(state.moveCursor("ArrowRight", 150), true);
  assert.equal(state.cursor, 1);
  assert.equal(state.moveCursor("PageDown", 250), true); // rows of 93 pixels: two in sight
  assert.equal(state.cursor, 13);
  assert.equal(state.moveCursor("x", 150), false);
  assert.equal(state.cursor, 13);
});

test("it is drawn anew only when the sight leaves what was drawn", () => {
  const { state } = fakeTiles({ count: 2000 });
  assert.equal(state.needsDrawing(sightAt(0)), true);
  assert.deepEqual(state.tilesDrawn, []);
  const { area, tiles } = state.areaToDraw(sightAt(1000));
  assert.deepEqual([area.y, area.height], [850, 450]);
  assert.deepEqual(tiles, state.tilesDrawn);
  assert.ok(tiles.length > 0 && tiles.length < 60);
  for (const y of [850, 1000, 1150]) assert.equal(state.needsDrawing(sightAt(y)), false);
  for (const y of [840, 1160]) assert.equal(state.needsDrawing(sightAt(y)), true);
});

test("scrolling shows the cursor's tile with a margin, and only as far as needed", () => {
  const { state } = fakeTiles({ count: 2000 });
  const target = (cursor: number, y: number) => {
    state.cursor = cursor;
    return state.scrollTarget(sightAt(y));
  };
  const { y, height } = state.grid.cell(60);
  assert.deepEqual(target(60, y - 10), [0, y - 10]);
  assert.deepEqual(target(60, y + 50), [0, y - 6]);
  assert.deepEqual(target(60, 0), [0, y + height + 6 - 150]);
});

test("entering is told once, with the revision of the sheet", () => {
  const { state } = fakeTiles();
  assert.deepEqual(state.enter(3), { name: "entered", index: 3, revision: 5 });
  assert.equal(state.enter(3), null);
  assert.deepEqual(state.enter(null), { name: "entered", index: null, revision: 5 });
  assert.equal(state.enter(null), null);
});

test("a pick selects, takes the cursor along, and names the keys that were held", () => {
  const { state, selected } = fakeTiles();
  const event = state.pick(4, { ...NO_KEYS, shiftKey: true, metaKey: true });
  assert.deepEqual(event, { name: "picked", index: 4, revision: 5, modifiers: ["shift", "meta"] });
  assert.deepEqual([selected.value, state.selection, state.cursor], [4, 4, 4]);
  assert.ok(state.isCurrent(4) && !state.isCurrent(3));
  assert.deepEqual(state.pick(1, NO_KEYS)["modifiers"], []);
});

test("captions, badges and both in one text", () => {
  const { state, traits } = fakeTiles();
  assert.deepEqual([state.caption(0), state.badge(0), state.text(0)], ["cat", "", "cat"]);
  assert.deepEqual([state.caption(1), state.badge(1), state.text(1)], ["dog", "98 %", "dog · 98 %"]);
  assert.deepEqual([state.caption(9), state.badge(9), state.text(9)], ["", "", ""]);
  traits.captions = false;
  state.layOut(400);
  assert.deepEqual([state.caption(1), state.text(1)], ["", "dog · 98 %"]);
});

test("all tiles are in one row where there are columns for each", () => {
  assert.equal(fakeTiles().state.inOneRow, false);
  assert.equal(fakeTiles({ columns: 22 }).state.inOneRow, false);
  assert.equal(fakeTiles({ columns: 23 }).state.inOneRow, true);
});
