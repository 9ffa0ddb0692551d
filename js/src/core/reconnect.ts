// anywidget 0.11 gives up on a widget whose module is not ready within 2 s of the page asking for it, as happens while a
// slow machine loads a large page: from then on the model drops every message of the kernel, for good. Once our
// module does run, this takes the messages again and asks the kernel for what was missed.
import { type HostedModel, type HostModel, hostModel } from "./model.ts";

export function reconnect({ model }: { model: HostedModel }): void {
  // Not awaited: the host waits for this function before it lets messages through.
  void listenAgain(model).catch((error: unknown) => console.warn("cnnviz: a widget may not hear the kernel", error));
}

async function listenAgain(model: HostedModel): Promise<void> {
  const host = await hostModel(model);
  const comm = host?.comm;
  if (!host || !comm || (await isListening(host))) return;
  const anywidgets = Object.getPrototypeOf(host) as HostModel;
  const original = Object.getPrototypeOf(anywidgets) as HostModel;
  host._handle_comm_msg = (message) => original._handle_comm_msg.call(host, message);
  comm.on_msg((message) => host._handle_comm_msg(message));
  model.send({ kind: "state" });
}

/** Whether a message of the kernel, here one that means nothing, gets through. */
async function isListening(host: HostModel): Promise<boolean> {
  try {
    await host._handle_comm_msg({ content: { data: { method: "none" } } });
    return true;
  } catch {
    return false;
  }
}
