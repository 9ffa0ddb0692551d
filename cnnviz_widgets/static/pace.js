// Built from js/src by scripts/build-js: change it there.

// src/core/model.ts
async function hostModel(model) {
  return modelOf(model, String(model.get("_host_id")));
}
async function modelOf(model, id) {
  return await model.widget_manager?.get_model?.(id) ?? null;
}

// src/core/reconnect.ts
function reconnect({ model }) {
  void listenAgain(model).catch((error) => console.warn("cnnviz: a widget may not hear the kernel", error));
}
async function listenAgain(model) {
  const host = await hostModel(model);
  const comm = host?.comm;
  if (!host || !comm || await isListening(host)) return;
  const anywidgets = Object.getPrototypeOf(host);
  const original = Object.getPrototypeOf(anywidgets);
  host._handle_comm_msg = (message) => original._handle_comm_msg.call(host, message);
  comm.on_msg((message) => host._handle_comm_msg(message));
  model.send({ kind: "state" });
}
async function isListening(host) {
  try {
    await host._handle_comm_msg({ content: { data: { method: "none" } } });
    return true;
  } catch {
    return false;
  }
}

// src/controls/pace.ts
function initialize({ model }) {
  reconnect({ model });
  model.on("msg:custom", (content) => {
    const message = content;
    if (message?.kind !== "frame") return;
    requestAnimationFrame(() => setTimeout(() => model.send({ kind: "drawn", frame: message.frame }), 0));
  });
}
function render({ model }) {
  model.send({ kind: "here" });
}
var pace_default = { initialize, render };
export {
  pace_default as default
};
