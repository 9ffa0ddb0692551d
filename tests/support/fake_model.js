// The model of a page without a kernel (js/src/host), except that a test plays the kernel: this one records what leaves
// the browser, and acknowledges events only when it is told to.
const { Model, decoded, definitionAt, rendered, revived } = globalThis.cnnvizHost;

class FakeModel extends Model {
  constructor(state) {
    super(state);
    this.sent = []; // contents of custom messages
    this.buffers = []; // sizes of their buffers, one list a message
    this.bytes = []; // the buffers themselves
    this.saved = []; // what each save_changes sent
    this.unsaved = {};
    this.acknowledging = false;
  }

  set(name, value) {
    Object.assign(this.unsaved, typeof name === "string" ? { [name]: value } : name);
    super.set(name, value);
  }

  save_changes() {
    if (Object.keys(this.unsaved).length === 0) return;
    this.saved.push(this.unsaved);
    this.unsaved = {};
  }

  send(content, _callbacks, buffers = []) {
    this.sent.push(structuredClone(content));
    this.bytes.push(buffers);
    this.buffers.push(buffers.map((buffer) => buffer.byteLength));
    if (this.acknowledging) setTimeout(() => this.receive({ kind: "ack", seq: content.seq }));
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

/** JSON from the test, with {"$bytes": base64} for binary traits. */
const fromTest = (value) => revived(value, (text) => new DataView(decoded(text).buffer));

globalThis.mount = async (widget, state, views, host) => {
  const definition = await definitionAt(`/${widget}.js`);
  const model = new FakeModel(fromTest(state));
  globalThis.model = model;
  globalThis.host = host === "none" ? null : new FakeHost(model, host === "kernel");
  globalThis.views = [];
  const life = new AbortController();
  await definition.initialize?.({ model, signal: life.signal });
  model.withoutViews = model.listeners.length;
  for (let index = 0; index < views; index++) {
    const el = document.createElement("div");
    el.className = "view";
    document.getElementById("views").append(el);
    globalThis.views.push({ el, unmount: await rendered(definition, model, el) });
  }
};

globalThis.unmount = (index) => globalThis.views[index].unmount();

globalThis.update = (state) => globalThis.model.write(fromTest(state));
