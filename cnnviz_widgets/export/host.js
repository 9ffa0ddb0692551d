// Shows widgets without a kernel. The package's own scripts run over `Model`, which answers them in the page.

/** A widget's model in the sense of anywidget: it holds the state and tells of changes. */
export class Model {
  constructor(state) {
    this.state = { ...state };
    this.listeners = [];
    /** The kernel's part: called with each event of the hand, before that is acknowledged. */
    this.answer = () => {};
  }

  get(name) {
    return this.state[name];
  }

  set(name, value) {
    this.write(typeof name === "string" ? { [name]: value } : name);
  }

  save_changes() {}

  /** What the hand did. A control takes over the state when it is acknowledged: so the answer comes first. */
  send(content) {
    if (content?.kind !== "event") return;
    try {
      this.answer(content);
    } finally {
      queueMicrotask(() => this.receive({ kind: "ack", seq: content.seq }));
    }
  }

  on(events, callback) {
    for (const event of events.split(" ")) this.listeners.push({ event, callback });
  }

  off(event = null, callback = null) {
    this.listeners = this.listeners.filter(
      (listener) => (event && listener.event !== event) || (callback && listener.callback !== callback),
    );
  }

  /** A custom message, as from a kernel. */
  receive(content) {
    this.emit("msg:custom", content, []);
  }

  /** New values of traits, as from a kernel. */
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

/** Whether two values are equal; binary data that is not the same object is taken as different, unread. */
function same(a, b) {
  let number = 0;
  const text = (value) =>
    JSON.stringify(value, (_, item) =>
      ArrayBuffer.isView(item) || item instanceof ArrayBuffer ? `binary ${number++}` : item,
    );
  return a === b || text(a) === text(b);
}

/** JSON with {"$bytes": key} for binary values, which `binary(key)` gives. */
export function revived(value, binary) {
  if (Array.isArray(value)) return value.map((item) => revived(item, binary));
  if (value === null || typeof value !== "object") return value;
  if ("$bytes" in value) return binary(value.$bytes);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, revived(item, binary)]));
}

/** The bytes that base64 `text` means. */
export function decoded(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** What a widget's script at `url` exports: `initialize` and `render`. */
export async function definitionAt(url) {
  const { default: exported } = await import(url);
  return typeof exported === "function" ? await exported() : exported;
}

/** Draw a view of `model` into `el`; returns a function that takes it away. */
export async function rendered(definition, model, el) {
  const controller = new AbortController();
  const cleanup = await definition.render?.({ model, el, signal: controller.signal });
  return async () => {
    controller.abort();
    await cleanup?.();
    el.remove();
  };
}

/** Draw what a document holds (page.py): the widgets in its content, the first of them with all inside it. */
export async function showPage(document) {
  const place = document.getElementById("cnnviz-widgets");
  const text = (id) => document.getElementById(id).textContent;
  try {
    const content = JSON.parse(text("cnnviz-content"));
    await new Shown(document, content, await unzipped(decoded(text("cnnviz-block")))).draw(0, place);
  } catch (error) {
    place.append(sentence(document, `This page could not be shown: ${error.message}. A newer browser may show it.`));
    throw error;
  } finally {
    document.documentElement.dataset.cnnviz = "drawn";
  }
}

async function unzipped(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

function sentence(document, text) {
  const made = document.createElement("p");
  made.className = "widget-absent";
  made.textContent = text;
  return made;
}

/** The classes that widgets have in notebooks. */
const CLASSES = {
  hosted: "",
  column: "widget-box widget-vbox",
  row: "widget-box widget-hbox",
  grid: "widget-box widget-gridbox",
  html: "widget-html",
  label: "widget-label",
  button: "widget-button",
  field: "widget-field",
  absent: "",
};

/** The widgets of a page: a model for each, and a view wherever it is drawn. */
class Shown {
  constructor(document, { widgets, recordings, scripts, buffers }, block) {
    const binary = (key) => new DataView(block, ...buffers[key]);
    this.document = document;
    this.widgets = widgets;
    this.models = widgets.map(({ state }) => new Model(revived(state, binary)));
    this.definitions = scripts.map((script) => moduleOf(script));
    this.begun = new Map();
    for (const { control, states } of recordings) this.play(control, revived(states, binary));
  }

  /** From now on the model `control` answers the hand with what was recorded. */
  play(control, states) {
    const model = this.models[control];
    model.answer = ({ index }) => {
      const state = states[index];
      if (state === undefined) return;
      model.write({ index });
      for (const [number, entries] of Object.entries(state)) this.models[number].write(entries);
    };
  }

  /** Draw widget `number` as the last in `parent`. */
  async draw(number, parent) {
    const { kind, name, inert = false } = this.widgets[number];
    const el = parent.appendChild(this.document.createElement("div"));
    el.className = `jupyter-widgets ${CLASSES[kind]}`;
    el.inert = inert;
    try {
      el.classList.add(...this.models[number].get("_dom_classes"));
      follow(this.models[number], ["layout"], layOut(el));
      await this.fill(number, el);
    } catch (error) {
      console.error(error);
      el.append(sentence(this.document, `${name} could not be drawn: ${error.message}.`));
    }
  }

  async fill(number, el) {
    const { kind, name, children = [], script } = this.widgets[number];
    const model = this.models[number];
    if (kind === "hosted") {
      const definition = await this.definitions[script];
      if (!this.begun.has(number)) this.begun.set(number, definition.initialize?.({ model }));
      await this.begun.get(number);
      await rendered(definition, model, el);
    } else if (kind === "absent") {
      el.append(sentence(this.document, `This part needs a kernel: ${name}.`));
    } else if (kind in PLAIN) {
      PLAIN[kind](this.document, model, el);
    }
    for (const child of children) await this.draw(child, el);
  }
}

function follow(model, names, callback) {
  for (const name of names) model.on(`change:${name}`, callback);
  callback(model);
}

async function moduleOf(script) {
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  try {
    return await definitionAt(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Sets the CSS properties of a model's layout on `el`, in place of those before. */
function layOut(el) {
  let before = [];
  return (model) => {
    for (const name of before) el.style.removeProperty(name);
    const layout = model.get("layout");
    before = Object.keys(layout);
    for (const [name, value] of Object.entries(layout)) el.style.setProperty(name, value);
  };
}

/** How widgets of ipywidgets itself are drawn. Text only ever enters through `textContent`. */
const PLAIN = {
  html(document, model, el) {
    const name = el.appendChild(document.createElement("span"));
    const body = el.appendChild(document.createElement("div"));
    follow(model, ["description", "value"], () => {
      name.textContent = model.get("description");
      body.replaceChildren(...harmless(document, model.get("value")));
    });
  },
  label: labelled,
  field: labelled,
  button(document, model, el) {
    const button = el.appendChild(document.createElement("button"));
    button.className = "jupyter-button";
    button.type = "button";
    button.disabled = true;
    button.title = "This needs a kernel.";
    follow(model, ["description"], () => {
      button.textContent = model.get("description");
    });
  },
};

function labelled(document, model, el) {
  const [name, value] = [0, 1].map(() => el.appendChild(document.createElement("span")));
  follow(model, ["description", "value"], () => {
    name.textContent = model.get("description");
    value.textContent = String(model.get("value"));
  });
}

/** What text with tags may consist of. Of other elements the text stays, but for scripts and styles. */
const ELEMENTS = new Set([
  ..."a abbr b br code dd div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd".split(" "),
  ..."li ol p pre s small span strong sub sup table tbody td th thead tr u ul".split(" "),
]);
const DROPPED = new Set(["script", "style", "template"]);
const ATTRIBUTES = new Set("alt class colspan height href role rowspan src style title width".split(" "));
const ADDRESSES = { href: /^(https?:|mailto:|#)/i, src: /^data:image\//i };

/** The nodes that `source` means, made anew of elements and attributes that run nothing and load nothing. */
function harmless(document, source) {
  const copy = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return [document.createTextNode(node.data)];
    if (node.nodeType !== Node.ELEMENT_NODE || DROPPED.has(node.localName)) return [];
    const inside = [...node.childNodes].flatMap(copy);
    if (!ELEMENTS.has(node.localName)) return inside;
    const made = document.createElement(node.localName);
    for (const { name, value } of node.attributes) if (allowed(name, value)) made.setAttribute(name, value);
    made.append(...inside);
    return [made];
  };
  return [...new DOMParser().parseFromString(source, "text/html").body.childNodes].flatMap(copy);
}

function allowed(name, value) {
  if (!ATTRIBUTES.has(name)) return false;
  if (name === "style") return !/url|image|\\/i.test(value); // it may load nothing, nor hide in escapes that it does
  return ADDRESSES[name]?.test(value.trim()) ?? true;
}
