import assert from "node:assert/strict";
import { test } from "node:test";
import { pageLanguage } from "../../src/core/language.ts";

test("a page's address comes before what the browser prefers", () => {
  assert.equal(pageLanguage("", "ko-KR"), "ko");
  assert.equal(pageLanguage("?lang=en", "ko-KR"), "en");
  assert.equal(pageLanguage("?token=1&lang=KO", "de"), "ko");
  assert.equal(pageLanguage("?lang=", "en-GB"), "en");
});
