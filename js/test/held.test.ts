import assert from "node:assert/strict";
import { test } from "node:test";
import { Held } from "../src/held.ts";

const ack = (seq: number) => ({ kind: "ack", seq });

test("the kernel's value is shown while nobody holds the control", () => {
  const held = new Held(3);
  assert.equal(held.offered(5), true);
  assert.equal(held.value, 5);
  assert.equal(held.offered(5), false);
});

test("a hand on the control keeps its value", () => {
  const held = new Held(3);
  held.grip();
  held.move(7);
  assert.equal(held.offered(1), false);
  assert.equal(held.value, 7);
  held.letGo();
  assert.equal(held.offered(1), true);
});

test("what the kernel says of older events does not pull the value back", () => {
  const held = new Held(0);
  held.move(3);
  held.sent(1);
  held.move(5);
  assert.equal(held.offered(3), false);
  held.sent(2); // the next event leaves on the first one's acknowledgement, before `held` hears of it
  assert.equal(held.acknowledged(ack(1), 3), false);
  assert.equal(held.value, 5);
  assert.equal(held.acknowledged(ack(2), 5), false);
  assert.equal(held.offered(2), true);
});

test("a refused event falls back to the kernel's value", () => {
  const held = new Held<number | null>(null);
  held.move(9);
  held.sent(4);
  assert.equal(held.acknowledged(ack(4), null), true);
  assert.equal(held.value, null);
});

test("a lost acknowledgement does not make the control deaf once its effect was seen", () => {
  const held = new Held(0);
  held.move(6);
  held.sent(1);
  held.offered(6);
  assert.equal(held.offered(2), true);
});

test("other messages and other views' acknowledgements change nothing", () => {
  const held = new Held(0);
  held.move(6);
  held.sent(1);
  for (const message of [null, 7, "ack", {}, ack(2), { kind: "ack" }, { kind: "else", seq: 1 }]) {
    assert.equal(held.acknowledged(message, 2), false);
  }
  assert.equal(held.value, 6);
});
