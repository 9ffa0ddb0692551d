import assert from "node:assert/strict";
import { test } from "node:test";
import {
  after,
  type CameraEvent,
  type CameraState,
  OFF,
  PRIVACY,
  Rate,
  rateText,
  refusal,
} from "../../../src/controls/camera/state.ts";
import { Random } from "../../random.ts";

const run = (...events: CameraEvent[]): CameraState => events.reduce(after, OFF);
const LIVE: CameraEvent[] = [{ kind: "start" }, { kind: "granted", start: 1 }];

test("it is off until it is started, and live once the browser grants it", () => {
  assert.equal(OFF.phase, "off");
  assert.equal(run({ kind: "start" }).phase, "asking");
  assert.deepEqual([run(...LIVE).phase, run(...LIVE).said], ["live", PRIVACY]);
});

test("freezing is for a live picture, and from there it can go on", () => {
  assert.equal(run({ kind: "freeze" }).phase, "off");
  const frozen = run(...LIVE, { kind: "freeze" });
  assert.equal(frozen.phase, "frozen");
  assert.equal(after(after(frozen, { kind: "start" }), { kind: "granted", start: 2 }).phase, "live");
});

test("what was stopped while the browser asked is not begun by a late permission", () => {
  assert.equal(run({ kind: "start" }, { kind: "stop" }, { kind: "granted", start: 1 }).phase, "off");
  assert.equal(
    run({ kind: "start" }, { kind: "stop" }, { kind: "start" }, { kind: "granted", start: 1 }).phase,
    "asking",
  );
});

test("a refusal is said, and a late one is not", () => {
  const reason = refusal("NotAllowedError");
  const refused = run({ kind: "start" }, { kind: "refused", start: 1, reason });
  assert.deepEqual([refused.phase, refused.said, refused.failed], ["off", reason, true]);
  assert.equal(after(run(...LIVE), { kind: "refused", start: 1, reason }).phase, "live");
});

test("hiding ends a live picture with a sentence, and leaves a frozen one", () => {
  for (const kind of ["hidden", "other picture", "kernel gone", "camera gone"] as const) {
    const ended = run(...LIVE, { kind });
    assert.equal(ended.phase, "off");
    assert.match(ended.said, /^(Stopped|The camera)/);
    assert.equal(run(...LIVE, { kind: "freeze" }, { kind }).phase, "frozen");
    assert.equal(run({ kind }), OFF);
  }
});

test("in any order it is live only by a start of its own that was granted", () => {
  const random = new Random();
  for (let round = 0; round < 500; round++) {
    let state = OFF;
    let granted = false;
    for (let step = 0; step < 40; step++) {
      const kind = random.pick(["start", "freeze", "stop", "hidden", "granted", "stale", "refused", "camera gone"]);
      const before = state;
      if (kind === "granted") state = after(state, { kind, start: state.start });
      else if (kind === "stale") state = after(state, { kind: "granted", start: state.start - 1 });
      else if (kind === "refused") state = after(state, { kind, start: state.start, reason: "no" });
      else state = after(state, { kind } as CameraEvent);
      granted = kind === "granted" && before.phase === "asking" ? true : state.phase === "live" && granted;
      assert.equal(state.phase === "live", granted);
      assert.ok(state.said.length > 0);
    }
  }
});

test("every way to have no camera has a sentence that says what to do", () => {
  const names = ["NotAllowedError", "NotFoundError", "NotReadableError", "TypeError", ""];
  const said = names.map(refusal);
  for (const sentence of said) assert.match(sentence, /[;:] .*\.$/);
  assert.equal(new Set(said).size, 4);
});

test("the rate is that of the last answers", () => {
  const rate = new Rate();
  assert.equal(rateText(rate.perSecond), "");
  for (let at = 0; at < 40; at++) rate.add(at < 20 ? at * 1000 : 20000 + at * 100);
  assert.equal(rateText(rate.perSecond), "10 answers a second");
  rate.clear();
  assert.equal(rate.perSecond, null);
  for (const at of [0, 400, 800]) rate.add(at);
  assert.equal(rateText(rate.perSecond), "2.5 answers a second");
});
