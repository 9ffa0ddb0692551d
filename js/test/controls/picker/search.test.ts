import assert from "node:assert/strict";
import { test } from "node:test";
import { fold, markMatches, OptionSearch } from "../../../src/controls/picker/search.ts";

const NAMES = ["tiger cat", "Egyptian cat", "catamaran", "Café au lait", "school bus", "bobcat", "cat, tiger-like"];
const found = (query: string, order: number[] = []) =>
  new OptionSearch(NAMES).matches(query, order).map((i) => NAMES[i]);

test("case, diacritics and compatibility forms are folded", () => {
  assert.equal(fold("Ünïcode ﬁ É"), "unicode fi e");
  assert.deepEqual(found("CAFE"), ["Café au lait"]);
  assert.deepEqual(found("café"), ["Café au lait"]);
});

test("every word must occur, in any order", () => {
  assert.deepEqual(found("cat tig"), ["tiger cat", "cat, tiger-like"]);
  assert.deepEqual(found("cat zebra"), []);
});

test("options that begin with the query come first, then beginnings of words, then the rest", () => {
  assert.deepEqual(found("cat"), ["catamaran", "cat, tiger-like", "tiger cat", "Egyptian cat", "bobcat"]);
});

test("without a query the given order leads and nothing is lost or doubled", () => {
  const search = new OptionSearch(NAMES);
  assert.deepEqual(search.matches("", [4, 1, 4]), [4, 1, 0, 2, 3, 5, 6]);
  assert.deepEqual(search.matches("   ", [9, -1, 0.5]), [0, 1, 2, 3, 4, 5, 6]);
});

test("within a rank the given order leads", () => {
  assert.deepEqual(found("cat", [1]).slice(2, 4), ["Egyptian cat", "tiger cat"]);
});

test("a query is text, not a pattern", () => {
  assert.deepEqual(new OptionSearch(["a.c", "abc", "<b>"]).matches("a.c"), [0]);
  assert.deepEqual(new OptionSearch(["a.c", "abc", "<b>"]).matches("<B>"), [2]);
});

test("what was found is marked and the label stays whole", () => {
  const parts = (label: string, query: string) =>
    markMatches(label, query)
      .map(({ text, found }) => (found ? `[${text}]` : text))
      .join("");
  assert.equal(parts("Egyptian cat", "cat egy"), "[Egy]ptian [cat]");
  assert.equal(parts("Café ﬁt", "cafe fi"), "[Café] [ﬁ]t");
  assert.equal(parts("Cafe\u0301 x", "cafe"), "[Cafe]\u0301 x");
  assert.equal(parts("🐱 cat", "cat"), "🐱 [cat]");
  assert.equal(parts("plain", ""), "plain");
  assert.deepEqual(markMatches("", "x"), []);
});
