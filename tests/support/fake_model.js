// A widget's model without a kernel: it records what leaves the browser and lets a test play the kernel.
class FakeModel {
  constructor(state) {
    this.state = { ...state };
    this.listeners = [];
    this.sent = []; // contents of custom messages
    this.buffers = []; // sizes of their buffers, one list a message
    this.saved = []; // what each save_changes sent
    this.unsaved = {};
    this.acknowledging = false;
  }

  get(name) {
    return this.state[name];
  }

  set(name, value) {
    const entries = typeof name === "string" ? { [name]: value } : name;
    Object.assign(this.unsaved, entries);
    this.write(entries);
  }

  save_changes() {
    if (Object.keys(this.unsaved).length === 0) return;
    this.saved.push(this.unsaved);
    this.unsaved = {};
  }

  send(content, _callbacks, buffers = []) {
    this.sent.push(structuredClone(content));
    this.buffers.push(buffers.map((buffer) => buffer.byteLength));
    if (this.acknowledging) setTimeout(() => this.receive({ kind: "ack", seq: content.seq }));
  }

  on(events, callback) {
    for (const event of events.split(" ")) this.listeners.push({ event, callback });
  }

  off(event = null, callback = null) {
    this.listeners = this.listeners.filter(
      (listener) => (event && listener.event !== event) || (callback && listener.callback !== callback),
    );
  }

  /** A custom message from the kernel. */
  receive(content) {
    this.emit("msg:custom", content, []);
  }

  /** A state update from the kernel. */
  write(entries) {
    const changed = Object.keys(entries).filter((name) => !same(this.state[name], entries[name]));
    Object.assign(this.state, entries);
    for (const name of changed) this.emit(`change:${name}`, this, entries[name]);
    if (changed.length) this.emit("change", this);
  }

  emit(event, ...details) {
    for (const listener of [...this.listeners]) if (listener.event === event) listener.callback(...details);
  }
}

/** A host like JupyterLab or Voila around the model; without a comm it is a saved page. */
class FakeHost {
  constructor(model, connected) {
    this.model = model;
    this.comm_live = connected;
    if (connected) this.comm = { on_msg() {} };
    model.widget_manager = {
      get_model: async () => this,
      kernel: connected ? { status: "idle", connectionStatus: "connected" } : null,
    };
  }

  async _handle_comm_msg() {}

  /** The kernel has gone. */
  end() {
    this.comm_live = false;
    this.model.send = () => {
      throw new Error("Cannot send");
    };
    this.model.emit("comm_live_update");
  }
}

/** Binary data is never the same: comparing it is not what a test of a widget needs. */
function same(a, b) {
  let number = 0;
  const text = (value) =>
    JSON.stringify(value, (_, item) =>
      ArrayBuffer.isView(item) || item instanceof ArrayBuffer ? `binary ${number++}` : item,
    );
  return a === b || text(a) === text(b);
}

/** JSON from the test, with {"$bytes": base64} for binary traits. */
function revived(value) {
  if (Array.isArray(value)) return value.map(revived);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.$bytes === "string") {
    return new DataView(Uint8Array.from(atob(value.$bytes), (character) => character.charCodeAt(0)).buffer);
  }
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, revived(item)]));
}

globalThis.mount = async (widget, state, views, host) => {
  const { default: exported } = await import(`/${widget}.js`);
  const definition = typeof exported === "function" ? await exported() : exported;
  const model = new FakeModel(revived(state));
  globalThis.model = model;
  globalThis.host = host === "none" ? null : new FakeHost(model, host === "kernel");
  globalThis.views = [];
  const life = new AbortController();
  await definition.initialize?.({ model, signal: life.signal });
  for (let index = 0; index < views; index++) {
    const el = document.createElement("div");
    el.className = "view";
    document.getElementById("views").append(el);
    const controller = new AbortController();
    const cleanup = await definition.render?.({ model, el, signal: controller.signal });
    globalThis.views.push({ el, controller, cleanup });
  }
};

globalThis.unmount = async (index) => {
  const { el, controller, cleanup } = globalThis.views[index];
  controller.abort();
  await cleanup?.();
  el.remove();
};

globalThis.update = (state) => globalThis.model.write(revived(state));
