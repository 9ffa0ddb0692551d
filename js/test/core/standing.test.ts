import assert from "node:assert/strict";
import { test } from "node:test";
import { type Circumstances, notice, type Place, STANDINGS, standing, worst } from "../../src/core/standing.ts";

const WELL: Circumstances = { live: true, lived: true, kernel: "idle", connection: "connected", overdue: false };
const SILENT: Circumstances = {
  live: undefined,
  lived: false,
  kernel: undefined,
  connection: undefined,
  overdue: false,
};

test("a host that says nothing is believed to answer, and one that answers does", () => {
  assert.equal(standing(SILENT), "answers");
  assert.equal(standing(WELL), "answers");
  for (const kernel of ["busy", "starting", "unknown"]) assert.equal(standing({ ...WELL, kernel }), "answers");
});

test("a widget that lost its kernel has ended, one that never had one is absent", () => {
  assert.equal(standing({ ...WELL, live: false }), "ended");
  assert.equal(standing({ ...SILENT, live: false }), "absent");
});

test("the kernel's end counts for more than the connection's, and that for more than a late answer", () => {
  const worse = { ...WELL, connection: "connecting", overdue: true };
  for (const kernel of ["dead", "terminating", "restarting", "autorestarting"]) {
    assert.equal(standing({ ...worse, kernel }), "ended");
  }
  assert.equal(standing(worse), "reconnecting");
  assert.equal(standing({ ...worse, connection: "disconnected" }), "cut off");
  assert.equal(standing({ ...WELL, overdue: true }), "late");
});

test("one sentence stands for the worst of all widgets", () => {
  assert.equal(worst([]), "answers");
  assert.equal(worst(["answers", "late", "answers"]), "late");
  assert.equal(worst(STANDINGS), "ended");
  assert.equal(worst([...STANDINGS].reverse()), "ended");
});

test("whatever is wrong is said in one sentence, and nothing is said when all is well", () => {
  for (const place of ["page", "notebook", "elsewhere"] satisfies Place[]) {
    assert.equal(notice("answers", place), null);
    for (const found of STANDINGS.slice(1)) assert.match(notice(found, place)?.text ?? "", /^(The|This) [^.]+\.$/);
  }
  assert.equal(notice("ended", "page")?.text, "The kernel has ended: reload the page.");
  assert.equal(notice("ended", "page")?.urgent, true);
  assert.equal(notice("late", "page")?.urgent, false);
});
