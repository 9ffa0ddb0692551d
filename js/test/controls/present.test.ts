import assert from "node:assert/strict";
import { test } from "node:test";
import { isTyped } from "../../src/controls/present.ts";

test("keys in a field, on a picture or on a slider are its own", () => {
  const inside = (own: string) => ({
    closest: (selectors: string) => (selectors.split(", ").includes(own) ? {} : null),
  });
  for (const own of ["input", "canvas", "[role=slider]", "[role=listbox]"]) assert.equal(isTyped(inside(own)), true);
  assert.equal(isTyped(inside("button")), false);
  assert.equal(isTyped(null), false);
});
