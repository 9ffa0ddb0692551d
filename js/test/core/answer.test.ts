import assert from "node:assert/strict";
import { test } from "node:test";
import { takeAnswers } from "../../src/core/answer.ts";
import type { HostedModel, HostModel } from "../../src/core/model.ts";

interface Message {
  content: { data: { method: string } };
  buffers: ArrayBuffer[];
}

/** A page of widgets that note what reaches them; `slow` ones take their time over it. */
function page(slow: string[] = []) {
  const log: string[] = [];
  const buffers: number[] = [];
  let hear: (...details: unknown[]) => void = () => {};
  const host = (id: string): HostModel => ({
    async _handle_comm_msg(message: unknown) {
      const { content, buffers: own } = message as Message;
      if (slow.includes(id)) await new Promise((resolve) => setTimeout(resolve, 5));
      log.push(`${id} ${content.data.method}`);
      buffers.push(...own.map((buffer) => buffer.byteLength));
      if (id === "broken") throw new Error("broken");
    },
  });
  const model = {
    on: (_: string, callback: (...details: unknown[]) => void) => {
      hear = callback;
    },
    widget_manager: {
      get_model: (id: string) => (id === "gone" ? Promise.reject(new Error(id)) : Promise.resolve(host(id))),
    },
  } as unknown as HostedModel;
  takeAnswers(model);
  return { log, buffers, say: (content: unknown, own?: ArrayBuffer[]) => hear(content, own) };
}

const part = (id: string, method: string, buffers = 0) => ({ id, data: { method }, buffers });
const passed = (milliseconds = 0) => new Promise((resolve) => setTimeout(resolve, milliseconds));

test("each part reaches its widget, with its own buffers, before the next task of the page", async () => {
  const { log, buffers, say } = page();
  const parts = [part("a", "update", 2), part("b", "update"), part("c", "update", 1), part("a", "custom")];
  say(
    { kind: "answer", parts },
    [1, 2, 3].map((size) => new ArrayBuffer(size)),
  );
  await passed();
  assert.deepEqual(log, ["a update", "b update", "c update", "a custom"]);
  assert.deepEqual(buffers, [1, 2, 3]);
});

test("the acknowledgement waits for all changes, the next answer for the last", async () => {
  const { log, say } = page(["slow"]);
  say({ kind: "answer", parts: [part("slow", "update"), part("a", "update"), part("a", "custom")] });
  say({ kind: "answer", parts: [part("b", "update")] });
  await passed(30);
  assert.deepEqual(log, ["a update", "slow update", "a custom", "b update"]);
});

test("a widget that is gone or fails takes nothing from the others", async () => {
  const { log, buffers, say } = page();
  const warn = console.warn;
  const warned: unknown[] = [];
  console.warn = (text: unknown) => warned.push(text);
  const parts = [part("gone", "update", 1), part("broken", "update"), part("a", "update", 1), part("a", "custom")];
  say({ kind: "answer", parts }, [new ArrayBuffer(7), new ArrayBuffer(8)]);
  await passed();
  console.warn = warn;
  assert.deepEqual(log, ["broken update", "a update", "a custom"]);
  assert.deepEqual(buffers, [8]);
  assert.equal(warned.length, 1);
});

test("other messages are left to the views", async () => {
  const { log, say } = page();
  for (const content of [null, 3, {}, { kind: "ack", seq: 1 }, { kind: "answer" }]) say(content);
  await passed();
  assert.deepEqual(log, []);
});
