import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, EventQueue, type Payload } from "../../src/core/event_queue.ts";
import { Random } from "../random.ts";

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

function fakeQueue() {
  const sent: Payload[] = [];
  const clock = new Hours();
  const busyness: boolean[] = [];
  const queue = new EventQueue((message) => sent.push(message), { clock, onBusy: (busy) => busyness.push(busy) });
  const acknowledge = () => queue.receive({ kind: "ack", seq: sent.at(-1)?.["seq"] });
  return { queue, sent, clock, busyness, acknowledge };
}

test("one message on the wire, then the newest", () => {
  const { queue, sent, acknowledge } = fakeQueue();
  for (let at = 0; at < 100; at++) queue.offer({ at });
  assert.deepEqual(
    sent.map(({ at }) => at),
    [0],
  );
  acknowledge();
  assert.deepEqual(
    sent.map(({ at }) => at),
    [0, 99],
  );
  acknowledge();
  assert.equal(sent.length, 2);
  assert.ok(!queue.waiting);
});

test("messages say what they are, and count up", () => {
  const { queue, sent, acknowledge } = fakeQueue();
  queue.offer({ at: 1 });
  queue.offer({ at: 2, kind: "other", seq: -1 }, true);
  acknowledge();
  assert.deepEqual(
    sent.map(({ kind, final }) => [kind, final]),
    [
      ["event", false],
      ["event", true],
    ],
  );
  assert.equal(sent[1]?.["seq"], (sent[0]?.["seq"] as number) + 1);
});

test("in any order of moves, answers and silence: never two on the wire, and the last event arrives", () => {
  const random = new Random();
  for (let round = 0; round < 300; round++) {
    const { queue, sent, clock, acknowledge } = fakeQueue();
    let onWire = 0;
    let at = 0;
    for (let step = 0; step < 60; step++) {
      const before = sent.length;
      const act = random.pick(["move", "move", "end", "answer", "stale", "wait"]);
      if (act === "move" || act === "end") queue.offer({ at: ++at }, act === "end");
      if (act === "answer" && onWire > 0) {
        onWire = 0;
        acknowledge();
      }
      if (act === "stale") queue.receive({ kind: "ack", seq: -5 });
      if (act === "wait" && onWire > 0) {
        onWire = 0;
        clock.pass(1500);
      }
      onWire += sent.length - before;
      assert.ok(onWire <= 1);
    }
    queue.offer({ at: ++at }, true);
    for (let step = 0; step < 3; step++) acknowledge();
    assert.deepEqual([sent.at(-1)?.["at"], sent.at(-1)?.["final"], clock.waiting], [at, true, 0]);
  }
});

test("without an answer it goes on after the timeout", () => {
  const { queue, sent, clock, busyness } = fakeQueue();
  queue.offer({ at: 0 });
  queue.offer({ at: 1 });
  clock.pass(1499);
  assert.equal(sent.length, 1);
  clock.pass(1);
  assert.deepEqual(
    sent.map(({ at }) => at),
    [0, 1],
  );
  assert.deepEqual(busyness, [true]);
  clock.pass(1500);
  assert.ok(!queue.waiting);
  assert.equal(sent.length, 2);
});

test("silence is over with any answer, a late one too", () => {
  const { queue, sent, clock, busyness } = fakeQueue();
  queue.offer({});
  clock.pass(1500);
  queue.receive({ kind: "ack", seq: sent[0]?.["seq"] });
  assert.deepEqual(busyness, [true, false]);
});

test("a late answer does not release the message after it", () => {
  const { queue, sent, clock } = fakeQueue();
  queue.offer({ at: 0 });
  clock.pass(1500);
  queue.offer({ at: 1 });
  queue.receive({ kind: "ack", seq: sent[0]?.["seq"] });
  assert.ok(queue.waiting);
});

test("only acknowledgements are taken", () => {
  const { queue } = fakeQueue();
  queue.offer({});
  for (const message of [null, undefined, "ack", 5, {}, { kind: "event" }]) assert.ok(!queue.receive(message));
  assert.ok(queue.receive({ kind: "ack" }));
  assert.ok(queue.waiting);
});

test("dispose sends the end of a gesture at once, drops a mere move, and leaves no timer", () => {
  for (const final of [true, false]) {
    const { queue, sent, clock } = fakeQueue();
    queue.offer({ at: 0 });
    queue.offer({ at: 1 }, final);
    queue.dispose();
    assert.deepEqual(
      sent.map(({ at }) => at),
      final ? [0, 1] : [0],
    );
    assert.equal(clock.waiting, 0);
    queue.dispose();
    assert.equal(sent.length, final ? 2 : 1);
  }
});

test("two queues do not take each other's answers", () => {
  const [first, second] = [fakeQueue(), fakeQueue()];
  first.queue.offer({});
  second.queue.offer({});
  first.queue.receive({ kind: "ack", seq: second.sent[0]?.["seq"] });
  assert.ok(first.queue.waiting);
});
