import assert from "node:assert/strict";
import { test } from "node:test";
import { ControlledValue } from "../../src/core/controlled_value.ts";

const ack = (seq: number) => ({ kind: "ack", seq });

test("the kernel's value is shown while nobody holds the control", () => {
  const control = new ControlledValue(3);
  assert.equal(control.receive(5), true);
  assert.equal(control.value, 5);
  assert.equal(control.receive(5), false);
});

test("a hand on the control keeps its value", () => {
  const control = new ControlledValue(3);
  control.hold();
  control.move(7);
  assert.equal(control.receive(1), false);
  assert.equal(control.value, 7);
  control.release();
  assert.equal(control.receive(1), true);
});

test("what the kernel says of older events does not pull the value back", () => {
  const control = new ControlledValue(0);
  control.move(3);
  control.sent(1);
  control.move(5);
  assert.equal(control.receive(3), false);
  control.sent(2); // the next event leaves on the first one's acknowledgement, before `control` hears of it
  assert.equal(control.receiveAck(ack(1), 3), false);
  assert.equal(control.value, 5);
  assert.equal(control.receiveAck(ack(2), 5), false);
  assert.equal(control.receive(2), true);
});

test("a refused event falls back to the kernel's value", () => {
  const control = new ControlledValue<number | null>(null);
  control.move(9);
  control.sent(4);
  assert.equal(control.receiveAck(ack(4), null), true);
  assert.equal(control.value, null);
});

test("a lost acknowledgement does not make the control deaf once its effect was seen", () => {
  const control = new ControlledValue(0);
  control.move(6);
  control.sent(1);
  control.receive(6);
  assert.equal(control.receive(2), true);
});

test("other messages and other views' acknowledgements change nothing", () => {
  const control = new ControlledValue(0);
  control.move(6);
  control.sent(1);
  for (const message of [null, 7, "ack", {}, ack(2), { kind: "ack" }, { kind: "else", seq: 1 }]) {
    assert.equal(control.receiveAck(message, 2), false);
  }
  assert.equal(control.value, 6);
});
