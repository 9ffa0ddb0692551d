import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, OneInFlight, type Payload } from "../src/one_in_flight.ts";
import { Random } from "./random.ts";

/** Time that passes when the test says so. */
class Hours implements Clock {
  private now = 0;
  private alarms: { at: number; callback: () => void }[] = [];

  set(callback: () => void, milliseconds: number): unknown {
    const alarm = { at: this.now + milliseconds, callback };
    this.alarms.push(alarm);
    return alarm;
  }

  clear(handle: unknown): void {
    this.alarms = this.alarms.filter((alarm) => alarm !== handle);
  }

  pass(milliseconds: number): void {
    this.now += milliseconds;
    for (const alarm of this.alarms.filter(({ at }) => at <= this.now)) {
      this.clear(alarm);
      alarm.callback();
    }
  }

  get waiting(): number {
    return this.alarms.length;
  }
}

function channel() {
  const sent: Payload[] = [];
  const clock = new Hours();
  const silences: boolean[] = [];
  const flow = new OneInFlight((message) => sent.push(message), 1500, clock, (silent) => silences.push(silent));
  const acknowledge = () => flow.receive({ kind: "ack", seq: sent.at(-1)?.["seq"] });
  return { flow, sent, clock, silences, acknowledge };
}

test("one message on the wire, then the newest", () => {
  const { flow, sent, acknowledge } = channel();
  for (let at = 0; at < 100; at++) flow.offer({ at });
  assert.deepEqual(sent.map(({ at }) => at), [0]);
  acknowledge();
  assert.deepEqual(sent.map(({ at }) => at), [0, 99]);
  acknowledge();
  assert.equal(sent.length, 2);
  assert.ok(!flow.busy);
});

test("messages say what they are, and count up", () => {
  const { flow, sent, acknowledge } = channel();
  flow.offer({ at: 1 });
  flow.offer({ at: 2, kind: "other", seq: -1 }, true);
  acknowledge();
  assert.deepEqual(sent.map(({ kind, final }) => [kind, final]), [["event", false], ["event", true]]);
  assert.equal(sent[1]?.["seq"], (sent[0]?.["seq"] as number) + 1);
});

test("in any order of moves, answers and silence: never two on the wire, and the last event arrives", () => {
  const random = new Random();
  for (let round = 0; round < 300; round++) {
    const { flow, sent, clock, acknowledge } = channel();
    let onWire = 0;
    let at = 0;
    for (let step = 0; step < 60; step++) {
      const before = sent.length;
      const act = random.pick(["move", "move", "end", "answer", "stale", "wait"]);
      if (act === "move" || act === "end") flow.offer({ at: ++at }, act === "end");
      if (act === "answer" && onWire > 0) {
        onWire = 0;
        acknowledge();
      }
      if (act === "stale") flow.receive({ kind: "ack", seq: -5 });
      if (act === "wait" && onWire > 0) {
        onWire = 0;
        clock.pass(1500);
      }
      onWire += sent.length - before;
      assert.ok(onWire <= 1);
    }
    flow.offer({ at: ++at }, true);
    for (let step = 0; step < 3; step++) acknowledge();
    assert.deepEqual([sent.at(-1)?.["at"], sent.at(-1)?.["final"], clock.waiting], [at, true, 0]);
  }
});

test("without an answer it goes on after the timeout", () => {
  const { flow, sent, clock, silences } = channel();
  flow.offer({ at: 0 });
  flow.offer({ at: 1 });
  clock.pass(1499);
  assert.equal(sent.length, 1);
  clock.pass(1);
  assert.deepEqual(sent.map(({ at }) => at), [0, 1]);
  assert.deepEqual(silences, [true]);
  clock.pass(1500);
  assert.ok(!flow.busy);
  assert.equal(sent.length, 2);
});

test("silence is over with any answer, a late one too", () => {
  const { flow, sent, clock, silences } = channel();
  flow.offer({});
  clock.pass(1500);
  flow.receive({ kind: "ack", seq: sent[0]?.["seq"] });
  assert.deepEqual(silences, [true, false]);
});

test("a late answer does not release the message after it", () => {
  const { flow, sent, clock } = channel();
  flow.offer({ at: 0 });
  clock.pass(1500);
  flow.offer({ at: 1 });
  flow.receive({ kind: "ack", seq: sent[0]?.["seq"] });
  assert.ok(flow.busy);
});

test("only acknowledgements are taken", () => {
  const { flow } = channel();
  flow.offer({});
  for (const message of [null, undefined, "ack", 5, {}, { kind: "event" }]) assert.ok(!flow.receive(message));
  assert.ok(flow.receive({ kind: "ack" }));
  assert.ok(flow.busy);
});

test("dispose sends the end of a gesture at once, drops a mere move, and leaves no timer", () => {
  for (const final of [true, false]) {
    const { flow, sent, clock } = channel();
    flow.offer({ at: 0 });
    flow.offer({ at: 1 }, final);
    flow.dispose();
    assert.deepEqual(sent.map(({ at }) => at), final ? [0, 1] : [0]);
    assert.equal(clock.waiting, 0);
    flow.dispose();
    assert.equal(sent.length, final ? 2 : 1);
  }
});

test("two channels do not take each other's answers", () => {
  const [first, second] = [channel(), channel()];
  first.flow.offer({});
  second.flow.offer({});
  first.flow.receive({ kind: "ack", seq: second.sent[0]?.["seq"] });
  assert.ok(first.flow.busy);
});
