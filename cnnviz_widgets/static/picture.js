// Built from js/src by scripts/build-js: change it there.

// src/color/blend.ts
var FADE = 0.7;
function heatMap(bytes, rows, columns) {
  if (!(rows > 0 && columns > 0) || bytes.byteLength !== rows * columns * 4) return null;
  return { values: new Float32Array(bytes.slice().buffer), rows, columns };
}
function resample(map, rows, columns, cells) {
  const across = interpolationWeights(columns, map.columns, cells);
  const down = interpolationWeights(rows, map.rows, cells);
  const wide = new Float32Array(map.rows * columns);
  for (let row = 0; row < map.rows; row++) {
    for (let column = 0; column < columns; column++) {
      const from = row * map.columns;
      wide[row * columns + column] = interpolate(
        map.values[from + across.first[column]],
        map.values[from + across.second[column]],
        across.weight[column]
      );
    }
  }
  const result = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const first = down.first[row] * columns;
    const second = down.second[row] * columns;
    const weight = down.weight[row];
    for (let column = 0; column < columns; column++) {
      result[row * columns + column] = interpolate(wide[first + column], wide[second + column], weight);
    }
  }
  return result;
}
function scaleEnds({ low, high }, signed) {
  if (!signed) return { low, high };
  const reach2 = Math.max(Math.abs(low), Math.abs(high));
  return { low: -reach2, high: reach2 };
}
function position(value, scale, signed) {
  const { low, high } = scaleEnds(scale, signed);
  if (!(high > low)) return signed ? 0.5 : 0;
  return Math.max(0, Math.min(1, (value - low) / (high - low)));
}
function belowThreshold(position2, threshold, signed) {
  return (signed ? Math.abs(position2 - 0.5) * 2 : position2) < threshold;
}
function strength(position2, signed) {
  return (signed ? Math.abs(position2 - 0.5) * 2 : position2) ** FADE;
}
function tableRow(position2) {
  return Math.floor(position2 * 255 + 0.5);
}
function paint(values, columns, table, scale, signed, threshold, even = true) {
  const rgba = new Uint8ClampedArray(values.length * 4);
  const period = 2 * Math.max(1, Math.round(columns / 56));
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (!Number.isFinite(value)) {
      const stripe = (Math.floor(index / columns) + index % columns) % period;
      if (stripe < period / 4) rgba.set([128, 128, 128, 255], index * 4);
      continue;
    }
    const at = position(value, scale, signed);
    if (belowThreshold(at, threshold, signed)) continue;
    const from = tableRow(at) * 3;
    rgba[index * 4] = table[from];
    rgba[index * 4 + 1] = table[from + 1];
    rgba[index * 4 + 2] = table[from + 2];
    rgba[index * 4 + 3] = even ? 255 : Math.round(255 * strength(at, signed));
  }
  return rgba;
}
function toGrey(rgb) {
  const rgba = new Uint8ClampedArray(rgb.length / 3 * 4).fill(255);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    rgba.fill(0.2126 * rgb[from] + 0.7152 * rgb[from + 1] + 0.0722 * rgb[from + 2], to, to + 3);
  }
  return rgba;
}
function toRgba(rgb) {
  const rgba = new Uint8ClampedArray(rgb.length / 3 * 4).fill(255);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    rgba[to] = rgb[from];
    rgba[to + 1] = rgb[from + 1];
    rgba[to + 2] = rgb[from + 2];
  }
  return rgba;
}
function extent(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? { low, high } : { low: 0, high: 0 };
}
function interpolationWeights(length, cells, whole) {
  const result = { first: new Int32Array(length), second: new Int32Array(length), weight: new Float64Array(length) };
  for (let index = 0; index < length; index++) {
    const at = (index + 0.5) * cells / length;
    const centre2 = Math.max(0, at - 0.5);
    const first = Math.min(cells - 1, Math.floor(whole ? at : centre2));
    result.first[index] = first;
    result.second[index] = whole ? first : Math.min(cells - 1, first + 1);
    result.weight[index] = whole ? 0 : centre2 - first;
  }
  return result;
}
function interpolate(first, second, weight) {
  return weight === 0 || first === second ? first : first * (1 - weight) + second * weight;
}

// src/color/scales.ts
function parseViewState(value) {
  const given = record(value);
  return {
    opacity: fraction(given["opacity"], 0.95),
    threshold: fraction(given["threshold"], 0),
    colors: text(given["colors"]),
    diverging: text(given["diverging"]),
    cells: given["cells"] === true,
    even: given["even"] === true,
    scale: text(given["scale"]),
    held: fixedScale(given["held"])
  };
}
function namedScales(value, values) {
  const scales = (Array.isArray(value) ? value : []).flatMap((item) => {
    const [label, low, high] = Array.isArray(item) ? item : [];
    return Number.isFinite(low) && Number.isFinite(high) ? [{ label: String(label), low, high }] : [];
  });
  return scales.length ? scales : [{ label: "this map", ...extent(values) }];
}
function scaleInUse(state, scales, quantity) {
  if (isFixed(state, quantity)) return { label: "fixed", low: state.held.low, high: state.held.high };
  return scales.find(({ label }) => label === state.scale) ?? scales[0];
}
function isFixed(state, { quantity, signed }) {
  return state.held !== null && state.held.quantity === quantity && state.held.signed === signed;
}
function formatNumber(value) {
  if (!Number.isFinite(value)) return "no value";
  const size = Math.abs(value);
  const digits = size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(1) : String(Number(value.toPrecision(3)));
  return digits.replaceAll("-", "−");
}
function tickLabels(scale, signed, values) {
  const { low, high } = scaleEnds(scale, signed);
  const reached = extent(values);
  const slack = 1e-5 * (high - low);
  return [
    (reached.low < low - slack ? "≤ " : "") + formatNumber(low),
    (reached.high > high + slack ? "≥ " : "") + formatNumber(high)
  ];
}
function record(value) {
  return typeof value === "object" && value !== null ? value : {};
}
function fraction(value, otherwise) {
  return typeof value === "number" && value >= 0 && value <= 1 ? value : otherwise;
}
function text(value) {
  return typeof value === "string" ? value : "";
}
function fixedScale(value) {
  const { low, high, quantity, signed } = record(value);
  if (!Number.isFinite(low) || !Number.isFinite(high)) return null;
  return { low, high, quantity: text(quantity), signed: signed === true };
}

// src/core/popover.ts
function closeOnLeaving(view, details) {
  view.listen(document, "pointerdown", (event) => {
    if (details.open && !event.composedPath().includes(details)) details.open = false;
  });
  view.listen(details, "keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    event.stopPropagation();
    event.preventDefault();
    details.open = false;
    details.querySelector("summary")?.focus();
  });
}

// src/core/settings.ts
var SAVE_AFTER = 300;
var Settings = class {
  /** `trait` holds the settings, and `parse` makes sense of whatever it holds. */
  constructor(view, trait, parse, onChange) {
    this.view = view;
    this.trait = trait;
    this.parse = parse;
    this.onChange = onChange;
    this.state = parse(view.model.get(trait));
  }
  view;
  trait;
  parse;
  onChange;
  state;
  saving;
  /** The hand has changed a setting. */
  change(state) {
    this.state = state;
    this.onChange();
    this.view.model.set(this.trait, { ...state });
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.save(), SAVE_AFTER);
  }
  /** The trait has changed: here, in another view, or in the kernel. */
  read = () => {
    const state = this.parse(this.view.model.get(this.trait));
    if (JSON.stringify(state) === JSON.stringify(this.state)) return;
    this.state = state;
    this.onChange();
  };
  dispose() {
    if (this.saving !== void 0) this.save();
  }
  save() {
    clearTimeout(this.saving);
    this.saving = void 0;
    this.view.link.save();
  }
};

// src/core/model.ts
async function hostModel(model) {
  return modelOf(model, String(model.get("_host_id")));
}
async function modelOf(model, id) {
  return await model.widget_manager?.get_model?.(id) ?? null;
}
function bytesOf(value) {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return new Uint8Array(0);
}

// src/core/answer.ts
var last = Promise.resolve();
function takeAnswers(model) {
  model.on("msg:custom", (content, buffers) => {
    const { kind, parts } = content ?? {};
    if (kind !== "answer" || !Array.isArray(parts)) return;
    last = last.then(() => handOn(model, parts, buffers ?? [])).catch(warn);
  });
}
async function handOn(model, parts, buffers) {
  const hosts = await Promise.all(parts.map(({ id }) => modelOf(model, id).catch(() => null)));
  let changing = [];
  let taken = 0;
  for (const [index, { data, buffers: count2 }] of parts.entries()) {
    const own = buffers.slice(taken, taken + count2);
    taken += count2;
    const host = hosts[index];
    if (host === null) continue;
    if (data.method !== "update") {
      await Promise.all(changing);
      changing = [];
    }
    changing.push(host._handle_comm_msg({ content: { data }, buffers: own }).catch(warn));
  }
  await Promise.all(changing);
}
function warn(error) {
  console.warn("cnnviz: part of an answer was lost", error);
}

// src/core/element.ts
function element(name, className, attributes = {}) {
  const made = document.createElement(name);
  made.className = className;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "cnnviz-icon");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}
function iconButton(label, path) {
  const button = element("button", "cnnviz-icon-button", { type: "button", "aria-label": label, title: label });
  button.append(icon(path));
  return button;
}

// src/core/event_queue.ts
var browserClock = {
  set: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clear: (handle) => clearTimeout(handle)
};
var TIMEOUT = 1500;
var EventQueue = class {
  constructor(send, { onBusy, clock = browserClock }) {
    this.send = send;
    this.clock = clock;
    this.onBusy = onBusy;
    this.sequence = Math.floor(Math.random() * 2 ** 48);
  }
  send;
  sequence = 0;
  inFlight = null;
  pending = null;
  timer = null;
  busy = false;
  clock;
  onBusy;
  /** Send an event now, or keep it as the newest one waiting. `final` marks the end of a gesture. */
  offer(payload, final = false, buffers) {
    this.pending = { payload, final, buffers };
    this.sendNext();
  }
  /** Pass every custom message of the kernel; returns whether it was an acknowledgement. */
  receive(message) {
    if (typeof message !== "object" || message === null) return false;
    const { kind, seq } = message;
    if (kind !== "ack") return false;
    this.setBusy(false);
    if (seq === this.inFlight) this.release();
    return true;
  }
  /** Whether an event is on the wire. */
  get waiting() {
    return this.inFlight !== null;
  }
  /** Stop; what a gesture ended with still leaves, whether or not an answer is due. */
  dispose() {
    if (this.pending?.final) this.dispatch(this.pending);
    this.pending = null;
    if (this.timer !== null) this.clock.clear(this.timer);
    this.timer = null;
    this.inFlight = null;
  }
  sendNext() {
    if (this.inFlight !== null || this.pending === null) return;
    const event = this.pending;
    this.pending = null;
    this.timer = this.clock.set(() => {
      this.setBusy(true);
      this.release();
    }, TIMEOUT);
    this.inFlight = this.sequence + 1;
    this.dispatch(event);
  }
  dispatch({ payload, final, buffers }) {
    this.send({ ...payload, kind: "event", seq: ++this.sequence, final }, buffers);
  }
  release() {
    if (this.timer !== null) this.clock.clear(this.timer);
    this.timer = null;
    this.inFlight = null;
    this.sendNext();
  }
  setBusy(busy) {
    if (busy === this.busy) return;
    this.busy = busy;
    this.onBusy(busy);
  }
};

// src/core/language.ts
function pageLanguage(search, preferred) {
  const asked = new URLSearchParams(search).get("lang") || preferred;
  return (asked.split("-")[0] ?? "").toLowerCase();
}
function textsIn(texts, language) {
  const wanted = language ?? pageLanguage(location.search, navigator.language);
  for (const name of [wanted, "en", ...Object.keys(texts)]) {
    if (Object.hasOwn(texts, name)) return [name, texts[name]];
  }
  return ["en", void 0];
}

// src/core/standing.ts
var STANDINGS = ["answers", "late", "reconnecting", "cut off", "absent", "ended"];
var GONE = /* @__PURE__ */ new Set(["dead", "terminating", "restarting", "autorestarting"]);
function standing({ live, lived, kernel, connection, overdue }) {
  if (live === false) return lived ? "ended" : "absent";
  if (kernel !== void 0 && GONE.has(kernel)) return "ended";
  if (connection === "disconnected") return "cut off";
  if (connection === "connecting") return "reconnecting";
  return overdue ? "late" : "answers";
}
function worst(standings) {
  let found = 0;
  for (const each of standings) found = Math.max(found, STANDINGS.indexOf(each));
  return STANDINGS[found];
}
var SENTENCES = {
  late: everywhere("The kernel has not answered yet: it is busy, or the connection is lost."),
  reconnecting: everywhere("The connection to the kernel is lost: trying to get it back."),
  "cut off": everywhere("The connection to the kernel is lost: reload the page."),
  absent: {
    page: "This page has no kernel: reload it to get one.",
    notebook: "The pale panels have no kernel: run their cells to use them.",
    elsewhere: "This page has no kernel: it shows what was computed before, and its controls do nothing."
  },
  ended: {
    page: "The kernel has ended: reload the page.",
    notebook: "The kernel of the pale panels has ended: run their cells again.",
    elsewhere: "The kernel has ended: run the notebook again."
  }
};
function notice(found, place) {
  if (found === "answers") return null;
  const urgent = found === "ended" || found === "cut off";
  return { text: SENTENCES[found][place], urgent, after: found === "late" ? 5e3 : 1e3 };
}
function everywhere(text2) {
  return { page: text2, notebook: text2, elsewhere: text2 };
}

// src/core/notice.ts
var KEY = /* @__PURE__ */ Symbol.for("cnnviz.notice");
var UNANSWERED = /* @__PURE__ */ new Set(["late", "reconnecting", "cut off"]);
var NOTEBOOK = ".jp-NotebookPanel, .jp-Document";
var Notice = class {
  constructor(container, place) {
    this.container = container;
    this.place = place;
    this.line.className = "cnnviz cnnviz-notice";
  }
  container;
  place;
  line = document.createElement("div");
  reported = /* @__PURE__ */ new Map();
  shown = "answers";
  next = "answers";
  timer;
  report(id, standing2) {
    if (standing2 === null) this.reported.delete(id);
    else this.reported.set(id, standing2);
    const found = worst(this.reported.values());
    this.container.toggleAttribute("data-cnnviz-unanswered", UNANSWERED.has(found));
    if (found === this.next) return;
    this.next = found;
    clearTimeout(this.timer);
    const said = notice(found, this.place);
    if (said === null) this.hide();
    else if (found !== this.shown) this.timer = setTimeout(() => this.say(found, said), said.after);
  }
  say(standing2, { text: text2, urgent }) {
    this.shown = standing2;
    this.line.setAttribute("role", urgent ? "alert" : "status");
    this.container.append(this.line);
    this.line.textContent = text2;
  }
  hide() {
    this.shown = "answers";
    this.line.textContent = "";
    this.line.remove();
  }
};
function noticeOf(element2) {
  const notebook = element2.closest(NOTEBOOK);
  const container = notebook ?? document.body;
  container[KEY] ??= new Notice(container, placeOf(notebook));
  return container[KEY];
}
function placeOf(notebook) {
  if (notebook !== null) return "notebook";
  return document.getElementById("jupyter-config-data") === null ? "elsewhere" : "page";
}

// src/core/link.ts
var LOOK_EVERY = 1e3;
var PANEL = ".cnnviz-view";
var links = /* @__PURE__ */ new Set();
var looking;
function lookAtAll() {
  for (const link of links) link.look();
}
var Link = class {
  constructor(model, root, id) {
    this.model = model;
    this.root = root;
    this.id = id;
    links.add(this);
    looking ??= setInterval(lookAtAll, LOOK_EVERY);
    model.on("comm_live_update", this.look);
    const found = (host) => {
      this.host = host;
      this.look();
    };
    hostModel(model).then(found, () => {
    });
  }
  model;
  root;
  id;
  host = null;
  lived = false;
  failed = false;
  overdue = /* @__PURE__ */ new Set();
  current = "answers";
  notice = null;
  /** Send, if there is a kernel; what it cannot take is dropped, and the page says why. */
  send = (content, buffers) => {
    this.look();
    if (this.isOver && this.host !== null) {
      this.root.setAttribute("data-unsent", "");
      this.mark();
      return;
    }
    try {
      this.model.send(content, void 0, buffers);
      this.failed = false;
    } catch (error) {
      this.failed = true;
      this.look();
      if (!this.isOver) throw error;
    }
  };
  /** Save what was set, if there is a kernel. */
  save = () => {
    if (!this.isOver) this.model.save_changes();
  };
  /** Whether nothing that is sent can reach a kernel any more. */
  get isOver() {
    return this.current === "ended" || this.current === "absent";
  }
  /** An answer to the events of `queue` is overdue, or has come. */
  setOverdue(queue, overdue) {
    if (overdue) this.overdue.add(queue);
    else this.overdue.delete(queue);
    this.look();
  }
  dispose() {
    this.model.off("comm_live_update", this.look);
    links.delete(this);
    if (links.size === 0) {
      clearInterval(looking);
      looking = void 0;
    }
    this.notice?.report(this.id, null);
  }
  look = () => {
    if (!links.has(this)) return;
    this.current = standing(this.circumstances());
    if (this.current === "answers") this.root.removeAttribute("data-unsent");
    if (!this.root.isConnected) return;
    this.notice ??= noticeOf(this.root);
    this.notice.report(this.id, this.current);
    this.mark();
  };
  circumstances() {
    const { host, model } = this;
    const kernel = model.widget_manager?.kernel;
    const disposed = host?.comm?.jsServicesComm?.isDisposed === true;
    const live = host === null ? void 0 : host.comm !== void 0 && host.comm_live !== false && !disposed;
    this.lived ||= live === true;
    return {
      live: host === null && this.failed ? false : live,
      lived: this.lived || this.failed,
      kernel: kernel?.status,
      connection: kernel?.connectionStatus,
      overdue: this.overdue.size > 0
    };
  }
  /** Make pale what no kernel stands behind: its panel, or the widget where it is in none. */
  mark() {
    const panel = this.root.closest(PANEL) ?? this.root;
    const inNotebook = this.root.closest(".jp-NotebookPanel") !== null;
    const dead = this.current === "ended" || this.current === "absent" && inNotebook;
    panel.toggleAttribute("data-cnnviz-ended", dead || this.isOver && this.root.hasAttribute("data-unsent"));
  }
};

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

// src/core/widget.ts
function define(name, css, render2) {
  return {
    initialize({ model }) {
      takeAnswers(model);
      reconnect({ model });
    },
    render(context) {
      const view = new View(context, name, css);
      render2(view);
      return view.dispose;
    }
  };
}
var View = class {
  root;
  /** Unique in the page: two views of one model must not share element ids. */
  id = `cnnviz-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
  model;
  link;
  ending = new AbortController();
  endings = [];
  constructor({ model, el, signal }, name, css) {
    this.model = model;
    this.root = element("div", `cnnviz cnnviz-${name}`);
    const style = document.createElement("style");
    style.textContent = css;
    el.append(style, this.root);
    this.onDispose(() => {
      style.remove();
      this.root.remove();
    });
    this.link = new Link(model, this.root, this.id);
    this.onDispose(() => this.link.dispose());
    signal?.addEventListener("abort", () => this.dispose(), { once: true });
  }
  get = (name) => this.model.get(name);
  /** What the page shows for a text of the kernel: what `texts` has for it in the page's language, or the text. */
  get say() {
    const [, texts = {}] = textsIn(this.model.get("texts") ?? {}, null);
    return (text2) => Object.hasOwn(texts, text2) ? texts[text2] ?? text2 : text2;
  }
  /** Listen to `target` until the view ends. */
  listen(target, name, callback, options = {}) {
    target.addEventListener(name, callback, { ...options, signal: this.ending.signal });
  }
  /** Call `callback` now and whenever one of the traits changes. */
  follow(names, callback) {
    for (const name of names) this.on(`change:${name}`, callback);
    callback();
  }
  /** Call `callback` with each custom message. */
  onMessage(callback) {
    this.on("msg:custom", (message, buffers) => callback(message, Array.isArray(buffers) ? buffers : []));
  }
  /** A queue of events for the kernel. While an answer is overdue, the view says so: the kernel is busy, or gone. */
  queue({ onSent, onBusy } = {}) {
    const send = (message, buffers) => {
      onSent?.(message["seq"]);
      this.link.send({ ...message, takes_answers: this.takesAnswers }, buffers);
    };
    const showBusy = (busy) => {
      this.root.toggleAttribute("data-waiting", busy);
      this.link.setOverdue(queue, busy);
      onBusy?.(busy);
    };
    const queue = new EventQueue(send, { onBusy: showBusy });
    this.onMessage((message) => queue.receive(message));
    this.onDispose(() => queue.dispose());
    return queue;
  }
  /** Whether this page can hand the parts of an answer to other widgets. */
  get takesAnswers() {
    return this.model.widget_manager?.get_model !== void 0;
  }
  onDispose(callback) {
    this.endings.push(callback);
  }
  dispose = () => {
    this.ending.abort();
    for (const end of this.endings.splice(0).reverse()) end();
  };
  on(event, callback) {
    this.model.on(event, callback);
    this.onDispose(() => this.model.off(event, callback));
  }
};

// src/picture/brush.ts
var UNDO = "M6.5 3 3 6.5 6.5 10M3 6.5h6.5a3.5 3.5 0 0 1 0 7H7";
var CLEAR = "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5";
var BrushTools = class {
  constructor(painting, act, changed) {
    this.painting = painting;
    this.own.append(group(this.cover, this.restore), this.radius, this.undo, this.clear);
    this.root.append(group(this.patch, this.brush), this.own);
    const on = (button, press2) => button.addEventListener("click", press2);
    on(this.patch, () => act("takePatch"));
    on(this.brush, () => act("takeBrush"));
    on(this.undo, () => act("undo"));
    on(this.clear, () => act("clear"));
    for (const [button, restores] of [
      [this.cover, false],
      [this.restore, true]
    ]) {
      on(button, () => {
        painting.restores = restores;
        changed();
      });
    }
    this.radius.addEventListener("input", () => {
      painting.radius = this.radius.valueAsNumber;
      changed();
    });
  }
  painting;
  root = element("div", "cnnviz-picture-brush", { role: "toolbar" });
  patch = choice();
  brush = choice();
  cover = choice();
  restore = choice();
  radius = element("input", "cnnviz-picture-slider", {
    type: "range",
    min: "1",
    step: "1",
    "data-lm-suppress-shortcuts": "true"
  });
  undo = iconButton("", UNDO);
  clear = iconButton("", CLEAR);
  own = element("div", "cnnviz-picture-brush-own");
  texts = {};
  /** What it is called, by language; without texts there is no brush. Returns them in the page's language. */
  write(texts, language) {
    const [found, own] = textsIn(texts, language);
    this.texts = own ?? {};
    this.root.lang = found;
    this.root.hidden = own === void 0;
    this.root.setAttribute("aria-label", this.texts.brush ?? "");
    for (const name of ["patch", "brush", "cover", "restore"]) {
      this[name].textContent = this[name].title = this.texts[name] ?? "";
    }
    for (const name of ["radius", "undo", "clear"]) {
      this[name].title = this.texts[name] ?? "";
      this[name].setAttribute("aria-label", this.texts[name] ?? "");
    }
    this.update();
    return this.texts;
  }
  /** The tools below what is read. */
  below(readout) {
    const foot = element("div", "cnnviz-picture-foot");
    foot.append(readout, this.root);
    return foot;
  }
  update() {
    const { painting } = this;
    const brushed = painting.mask !== null;
    this.own.hidden = !brushed;
    press(this.patch, !brushed);
    press(this.brush, brushed);
    press(this.cover, !painting.restores);
    press(this.restore, painting.restores);
    this.radius.max = String(painting.largest);
    this.radius.value = String(painting.radius);
    this.undo.disabled = !painting.canUndo;
    this.clear.disabled = painting.covered === 0;
  }
  /** What was painted, in words. */
  describe() {
    const { covered, mask } = this.painting;
    const share = mask ? 100 * covered / mask.length : 0;
    return (this.texts.painted ?? "").replace("{a}", share.toFixed(share >= 9.95 || share === 0 ? 0 : 1));
  }
};
function choice() {
  return element("button", "cnnviz-picture-toggle", { type: "button", "aria-pressed": "false" });
}
function group(...buttons) {
  const box = element("div", "cnnviz-picture-choice", { role: "group" });
  box.append(...buttons);
  return box;
}
function press(button, pressed) {
  button.setAttribute("aria-pressed", String(pressed));
}

// src/geometry/mask.ts
function pack(mask) {
  const bits = new Uint8Array(Math.ceil(mask.length / 8));
  for (let pixel = 0; pixel < mask.length; pixel++) {
    if (mask[pixel]) bits[pixel >> 3] |= 128 >> (pixel & 7);
  }
  return bits;
}
function unpack(bits, count2) {
  if (count2 === 0 || bits.length !== Math.ceil(count2 / 8)) return null;
  const mask = new Uint8Array(count2);
  for (let pixel = 0; pixel < count2; pixel++) mask[pixel] = bits[pixel >> 3] >> 7 - (pixel & 7) & 1;
  return mask;
}
function stroke(mask, size, from, to, radius, value) {
  const { rows, columns } = size;
  const across = to.column - from.column;
  const down = to.row - from.row;
  const length = across * across + down * down;
  const clampRow = (row) => Math.max(0, Math.min(rows - 1, Math.floor(row)));
  const clampColumn = (column) => Math.max(0, Math.min(columns - 1, Math.floor(column)));
  for (let r = clampRow(Math.min(from.row, to.row) - radius); r <= clampRow(Math.max(from.row, to.row) + radius); r++) {
    const last2 = clampColumn(Math.max(from.column, to.column) + radius);
    for (let c = clampColumn(Math.min(from.column, to.column) - radius); c <= last2; c++) {
      const y = r + 0.5 - from.row;
      const x = c + 0.5 - from.column;
      const along = length === 0 ? 0 : Math.max(0, Math.min(1, (x * across + y * down) / length));
      if ((x - along * across) ** 2 + (y - along * down) ** 2 <= radius * radius) mask[r * columns + c] = value;
    }
  }
  const inside = to.row >= 0 && to.row < rows && to.column >= 0 && to.column < columns;
  if (inside) mask[Math.floor(to.row) * columns + Math.floor(to.column)] = value;
}
function count(mask) {
  let covered = 0;
  for (const pixel of mask) covered += pixel;
  return covered;
}
function sameMask(a, b) {
  if (a === null || b === null || a === b) return a === b;
  return a.length === b.length && a.every((pixel, place) => pixel === b[place]);
}
function edges(mask, { rows, columns }, edge) {
  const at = (r, c) => r >= 0 && r < rows && c >= 0 && c < columns ? mask[r * columns + c] : 0;
  for (let r = 0; r <= rows; r++) {
    for (let c = 0, from = -1; c <= columns; c++) {
      const differs = c < columns && at(r - 1, c) !== at(r, c);
      if (differs && from < 0) from = c;
      if (!differs && from >= 0) {
        edge(r, from, r, c);
        from = -1;
      }
    }
  }
  for (let c = 0; c <= columns; c++) {
    for (let r = 0, from = -1; r <= rows; r++) {
      const differs = r < rows && at(r, c - 1) !== at(r, c);
      if (differs && from < 0) from = r;
      if (!differs && from >= 0) {
        edge(from, c, r, c);
        from = -1;
      }
    }
  }
}

// src/geometry/viewport.ts
var Viewport = class {
  constructor(width, height, deviceWidth, deviceHeight, rows, columns) {
    this.width = width;
    this.height = height;
    this.deviceWidth = deviceWidth;
    this.deviceHeight = deviceHeight;
    this.rows = rows;
    this.columns = columns;
  }
  width;
  height;
  deviceWidth;
  deviceHeight;
  rows;
  columns;
  /** Device pixels to a CSS pixel. */
  get density() {
    return this.deviceWidth / this.width;
  }
  /** Whether picture pixels are so large that they should be seen as squares. */
  get magnified() {
    return this.width / this.columns >= 4;
  }
  /** Continuous picture coordinates of a CSS position; pixel r spans r to r + 1. */
  locate(x, y) {
    return { row: y * this.rows / this.height, column: x * this.columns / this.width };
  }
  /** The picture pixel under a CSS position, the nearest one when it is outside. */
  pixel(x, y) {
    const { row, column } = this.locate(x, y);
    return {
      row: Math.min(this.rows - 1, Math.max(0, Math.floor(row))),
      column: Math.min(this.columns - 1, Math.max(0, Math.floor(column)))
    };
  }
  /** Picture rows and columns as whole device pixels, so that outlines are sharp and neighbours meet. */
  place(top, left, height, width) {
    const x = Math.round(left * this.deviceWidth / this.columns);
    const y = Math.round(top * this.deviceHeight / this.rows);
    return {
      x,
      y,
      width: Math.round((left + width) * this.deviceWidth / this.columns) - x,
      height: Math.round((top + height) * this.deviceHeight / this.rows) - y
    };
  }
  /** What a press at a CSS position takes hold of; `reach` is how far (CSS pixels) a finger or mouse may miss. */
  grip(x, y, window2, reach2) {
    const vertical = side(y, window2.top * this.height / this.rows, window2.height * this.height / this.rows, reach2);
    const horizontal = side(
      x,
      window2.left * this.width / this.columns,
      window2.width * this.width / this.columns,
      reach2
    );
    if (vertical === null || horizontal === null) return "outside";
    return vertical === 0 && horizontal === 0 ? "inside" : { vertical, horizontal };
  }
};
function side(at, start, size, reach2) {
  const inward = Math.min(reach2, size / 4);
  if (at < start - reach2 || at > start + size + reach2) return null;
  if (at < start + inward) return -1;
  return at > start + size - inward ? 1 : 0;
}

// src/picture/drawing.ts
var STALE = 0.38;
var SOON = 300;
var Drawing = class {
  /** `stateNow` tells what to draw, `onDraw` is called after each drawing. */
  constructor(view, stateNow, onDraw) {
    this.stateNow = stateNow;
    this.onDraw = onDraw;
    try {
      this.resizes.observe(this.canvas, { box: "device-pixel-content-box" });
    } catch {
      this.resizes.observe(this.canvas);
    }
    view.listen(window, "resize", () => this.measure());
  }
  stateNow;
  onDraw;
  canvas = element("canvas", "cnnviz-picture-canvas", { "data-lm-suppress-shortcuts": "true" });
  /** null until there is a picture and room for it. */
  viewport = null;
  picture = null;
  grey = null;
  baseline = null;
  map = null;
  covered = null;
  filling = null;
  frame = 0;
  fading;
  faint = false;
  resizes = new ResizeObserver((entries2) => this.measure(entries2.at(-1)));
  showPicture(rgb, columns) {
    this.picture = layer(toRgba(rgb), columns);
    this.grey = layer(toGrey(rgb), columns);
    this.canvas.style.aspectRatio = `${this.picture.width} / ${this.picture.height}`;
  }
  /** The picture as it is under the window; null: the window is grey. */
  showBaseline(rgb) {
    this.filling = rgb;
    this.baseline = rgb && this.picture && layer(toRgba(rgb), this.picture.width);
    this.schedule();
  }
  showMap(rgba, columns) {
    this.map = rgba && layer(rgba, columns);
    this.schedule();
  }
  /** Draw the map faintly, unless the next comes so soon that it would only flicker. */
  showStale(stale) {
    clearTimeout(this.fading);
    const show = () => {
      this.faint = stale;
      this.schedule();
    };
    if (stale) this.fading = setTimeout(show, SOON);
    else show();
  }
  /** Make the backing store as large as the canvas is on the screen, and draw. */
  measure(entry) {
    const { canvas, picture } = this;
    const { width, height } = entry?.contentRect ?? { width: canvas.clientWidth, height: canvas.clientHeight };
    if (width === 0 || height === 0 || picture === null) return;
    const exact = entry?.devicePixelContentBoxSize?.[0];
    const deviceWidth = devicePixels(width, exact?.inlineSize);
    const deviceHeight = devicePixels(height, exact?.blockSize);
    this.viewport = new Viewport(width, height, deviceWidth, deviceHeight, picture.height, picture.width);
    if (canvas.width !== deviceWidth || canvas.height !== deviceHeight) {
      canvas.width = deviceWidth;
      canvas.height = deviceHeight;
    }
    this.draw();
  }
  /** Draw with the next frame. */
  schedule() {
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.draw());
  }
  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const context = this.canvas.getContext("2d");
    if (context === null || this.viewport === null) return;
    this.paint(context, this.viewport, this.stateNow());
    this.onDraw();
  }
  /** Whether the canvas takes up room on the page. */
  get shown() {
    return this.canvas.clientWidth > 0;
  }
  dispose() {
    this.resizes.disconnect();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.fading);
  }
  paint(context, viewport, state) {
    const { window: window2, box, marker } = state;
    const map = state.pane === "photograph" || state.opacity === 0 ? null : this.map;
    const { deviceWidth, deviceHeight, density } = viewport;
    context.clearRect(0, 0, deviceWidth, deviceHeight);
    const under = map === null ? this.picture : this.grey;
    if (under === null) return;
    context.imageSmoothingQuality = "high";
    context.imageSmoothingEnabled = !viewport.magnified;
    context.drawImage(under, 0, 0, deviceWidth, deviceHeight);
    if (map !== null) {
      context.globalAlpha = state.opacity * (this.faint ? STALE : 1);
      const enlarged = deviceWidth >= map.width;
      context.imageSmoothingEnabled = !viewport.magnified && !(state.cells && enlarged);
      context.drawImage(map, 0, 0, deviceWidth, deviceHeight);
      context.globalAlpha = 1;
      context.imageSmoothingEnabled = !viewport.magnified;
    }
    const place = window2 && viewport.place(window2.top, window2.left, window2.height, window2.width);
    if (window2 !== null && place !== null && state.pane !== "map") this.occlude(context, window2, place);
    if (state.mask) this.cover(context, viewport, state.mask, state.pane !== "map");
    if (state.brush && state.pane !== "map") outlineBrush(context, viewport, state.brush);
    if (box !== null) outlineBox(context, viewport, box);
    if (marker !== null) outlineMarker(context, viewport, marker);
    if (place !== null) {
      strokeTwice(context, density, (inset) => context.strokeRect(...shrink(place, inset)));
      if (state.pane !== "map") drawHandles(context, place, density);
    }
  }
  /** What the brush has covered, filled on the picture and outlined on the map. */
  cover(context, viewport, mask, filled) {
    const { rows, columns, deviceWidth, deviceHeight, density } = viewport;
    if (mask.length !== rows * columns) return;
    if (this.covered?.mask !== mask || this.covered.filling !== this.filling) {
      const outline = new Path2D();
      edges(mask, { rows, columns }, (fromRow, fromColumn, toRow, toColumn) => {
        outline.moveTo(fromColumn, fromRow);
        outline.lineTo(toColumn, toRow);
      });
      const rgba = new Uint8ClampedArray(4 * mask.length);
      for (let pixel = 0; pixel < mask.length; pixel++) {
        for (let part = 0; part < 3; part++) rgba[4 * pixel + part] = this.filling?.[3 * pixel + part] ?? 128;
        rgba[4 * pixel + 3] = 255 * mask[pixel];
      }
      this.covered = { mask, filling: this.filling, layer: layer(rgba, columns), outline };
    }
    context.imageSmoothingEnabled = false;
    if (filled) context.drawImage(this.covered.layer, 0, 0, deviceWidth, deviceHeight);
    const scale = deviceWidth / columns;
    context.save();
    context.scale(scale, deviceHeight / rows);
    context.lineCap = "square";
    for (const [color, width] of [
      ["#000", 3],
      ["#fff", 1.25]
    ]) {
      context.strokeStyle = color;
      context.lineWidth = width * density / scale;
      context.stroke(this.covered.outline);
    }
    context.restore();
  }
  occlude(context, window2, place) {
    const { x, y, width, height } = place;
    if (this.baseline === null) {
      context.fillStyle = "#808080";
      context.fillRect(x, y, width, height);
    } else {
      context.drawImage(this.baseline, window2.left, window2.top, window2.width, window2.height, x, y, width, height);
    }
  }
};
function devicePixels(length, exact) {
  const computed = length * devicePixelRatio;
  return exact !== void 0 && Math.abs(exact - computed) < 1 ? exact : Math.round(computed);
}
function layer(rgba, columns) {
  const image = new ImageData(rgba, columns);
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
function strokeTwice(context, density, stroke2) {
  const line = Math.max(1, Math.round(1.5 * density));
  const edge = Math.max(1, Math.round(density));
  context.lineJoin = "miter";
  context.strokeStyle = "#000";
  context.lineWidth = line + 2 * edge;
  context.setLineDash([]);
  stroke2(line / 2);
  context.strokeStyle = "#fff";
  context.lineWidth = line;
  stroke2(line / 2);
}
function shrink({ x, y, width, height }, inset) {
  return [x + inset, y + inset, Math.max(0, width - 2 * inset), Math.max(0, height - 2 * inset)];
}
function drawHandles(context, { x, y, width, height }, density) {
  const half = Math.round(Math.min(4 * density, Math.max(2 * density, Math.min(width, height) / 6)));
  const edge = Math.max(1, Math.round(density));
  for (const cornerX of [x, x + width]) {
    for (const cornerY of [y, y + height]) {
      context.fillStyle = "#000";
      context.fillRect(cornerX - half - edge, cornerY - half - edge, 2 * (half + edge), 2 * (half + edge));
      context.fillStyle = "#fff";
      context.fillRect(cornerX - half, cornerY - half, 2 * half, 2 * half);
    }
  }
}
function outlineBox(context, viewport, box) {
  const { density, deviceWidth, deviceHeight } = viewport;
  const [top, left, bottom, right] = box;
  const place = viewport.place(top, left, bottom - top, right - left);
  const pad = 2 * density;
  const x = Math.max(pad, place.x);
  const y = Math.max(pad, place.y);
  const endX = Math.min(deviceWidth - pad, place.x + place.width);
  const endY = Math.min(deviceHeight - pad, place.y + place.height);
  const sides = [
    [x, y, endX, y, place.y < 0],
    [endX, y, endX, endY, place.x + place.width > deviceWidth],
    [endX, endY, x, endY, place.y + place.height > deviceHeight],
    [x, endY, x, y, place.x < 0]
  ];
  for (const [fromX, fromY, toX, toY, beyond] of sides) {
    context.beginPath();
    context.moveTo(fromX, fromY);
    context.lineTo(toX, toY);
    context.lineCap = "butt";
    context.setLineDash([]);
    context.strokeStyle = "rgb(0 0 0 / 80%)";
    context.lineWidth = 4 * density;
    if (!beyond) context.stroke();
    context.setLineDash((beyond ? [2, 6] : [7, 4]).map((length) => length * density));
    context.strokeStyle = "#ffd54a";
    context.lineWidth = (beyond ? 3 : 2) * density;
    context.stroke();
  }
  context.setLineDash([]);
}
function outlineBrush(context, viewport, { row, column, radius }) {
  const place = viewport.place(row, column, 1, 1);
  strokeTwice(context, viewport.density, () => {
    context.beginPath();
    const reach2 = Math.max(3 * viewport.density, radius * viewport.deviceWidth / viewport.columns);
    context.arc(place.x + place.width / 2, place.y + place.height / 2, reach2, 0, 2 * Math.PI);
    context.stroke();
  });
}
function outlineMarker(context, viewport, { row, column }) {
  const { density } = viewport;
  const place = viewport.place(row, column, 1, 1);
  if (viewport.width / viewport.columns >= 8) {
    strokeTwice(context, density, () => context.strokeRect(place.x, place.y, place.width, place.height));
    return;
  }
  strokeTwice(context, density, () => {
    context.beginPath();
    context.arc(place.x + place.width / 2, place.y + place.height / 2, 6 * density, 0, 2 * Math.PI);
    context.stroke();
  });
}

// src/geometry/window.ts
function clamp(value, low, high) {
  return Math.max(low, Math.min(high, value));
}
function sameWindow(a, b) {
  return a.top === b.top && a.left === b.left && a.height === b.height && a.width === b.width;
}
function fit(window2, room) {
  const height = clamp(Math.round(window2.height), ...sizes(room, room.rows));
  const width = clamp(Math.round(window2.width), ...sizes(room, room.columns));
  return {
    top: clamp(Math.round(window2.top), 0, room.rows - height),
    left: clamp(Math.round(window2.left), 0, room.columns - width),
    height,
    width
  };
}
function centre(window2, row, column, room) {
  return fit({ ...window2, top: row - window2.height / 2, left: column - window2.width / 2 }, room);
}
function shift(window2, rows, columns, room) {
  return fit({ ...window2, top: window2.top + rows, left: window2.left + columns }, room);
}
function grow(window2, by, room) {
  const size = fit({ ...window2, height: window2.height + by, width: window2.width + by }, room);
  const down = (window2.height - size.height) / 2;
  const right = (window2.width - size.width) / 2;
  return fit({ ...size, top: window2.top + down, left: window2.left + right }, room);
}
function resize(window2, sides, row, column, room) {
  const [top, height] = span(window2.top, window2.height, sides.vertical, row, room.rows, room);
  const [left, width] = span(window2.left, window2.width, sides.horizontal, column, room.columns, room);
  return { top, left, height, width };
}
function span(start, size, side2, to, length, room) {
  if (side2 === 0) return [start, size];
  const [least, most] = sizes(room, length);
  const end = start + size;
  if (side2 < 0) {
    const moved = clamp(Math.round(to), Math.max(0, end - most), end - least);
    return [moved, end - moved];
  }
  return [start, clamp(Math.round(to), start + least, Math.min(length, start + most)) - start];
}
function sizes(room, length) {
  return [Math.min(Math.max(1, room.smallest), length), Math.min(Math.max(1, room.largest), length)];
}

// src/picture/hand.ts
var ARROWS = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1]
};
var Hand = class {
  constructor(surface, subject, signal) {
    this.surface = surface;
    this.subject = subject;
    const on = (name, listener) => surface.canvas.addEventListener(name, listener, { signal });
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", (event) => this.abandon(event));
    on("lostpointercapture", (event) => this.abandon(event));
    on("pointerleave", () => this.leave());
    surface.canvas.addEventListener("touchstart", (event) => this.touch(event), { signal, passive: false });
    on("contextmenu", (event) => this.drag !== null && event.preventDefault());
    on("keydown", (event) => this.pressKey(event));
    on("keyup", (event) => this.releaseKey(event.key));
    on("blur", () => this.releaseKey(" "));
    signal.addEventListener("abort", () => {
      cancelAnimationFrame(this.frame);
      this.releaseKey(" ");
      this.end();
    });
  }
  surface;
  subject;
  drag = null;
  at = null;
  frame = 0;
  typing = false;
  /** Whether the space bar is down. */
  pressing = false;
  /** A finger beside the window, which may be about to scroll the page. */
  tap = null;
  press(event) {
    const { mode } = this.subject;
    const { viewport } = this.surface;
    if (viewport === null || mode === "view" || event.button !== 0 || !event.isPrimary || this.drag !== null) return;
    this.endTyping();
    this.at = this.locate(event);
    const { row, column } = viewport.locate(this.at.x, this.at.y);
    if (event.pointerType === "touch" && !this.takesHold(this.at, 18)) {
      this.tap = { pointer: event.pointerId, ...this.at };
      return;
    }
    this.subject.beginGesture();
    const origin = this.subject.window;
    const follow = mode === "point" ? this.picking() : this.subject.mask ? this.brushing() : this.holding(row, column, reach(event));
    this.drag = { pointer: event.pointerId, origin, follow };
    try {
      this.surface.canvas.setPointerCapture(event.pointerId);
    } catch {
    }
    follow(row, column);
    this.surface.canvas.focus({ preventScroll: true });
  }
  /** Follows with the pixel under the pointer. */
  picking() {
    return () => {
      const { viewport } = this.surface;
      if (viewport && this.at) this.subject.pickPoint(viewport.pixel(this.at.x, this.at.y));
    };
  }
  /** Follows with the brush. */
  brushing() {
    this.subject.painting.cursor = null;
    return (row, column) => this.subject.painting.paintTo(row, column);
  }
  /** Whether a press at a CSS position takes hold of something; `miss` is how far a finger may miss. */
  takesHold({ x, y }, miss) {
    const { mode, mask, window: window2 } = this.subject;
    if (mode !== "window" || mask) return mode !== "view";
    return window2 !== null && this.surface.viewport?.grip(x, y, window2, miss) !== "outside";
  }
  touch(event) {
    const [finger] = event.touches;
    if (event.touches.length === 1 && finger && this.takesHold(this.locate(finger), 18)) event.preventDefault();
  }
  /** Follows with the part of the window that was taken hold of; a press beside the window fetches it. */
  holding(row, column, miss) {
    const { room } = this.subject;
    const { viewport } = this.surface;
    let window2 = this.subject.window ?? this.subject.start;
    const grip = viewport.grip(this.at.x, this.at.y, window2, miss);
    if (grip === "inside" || grip === "outside") {
      if (grip === "outside") window2 = centre(window2, row, column, room);
      const down2 = window2.top - row;
      const right2 = window2.left - column;
      return (toRow, toColumn) => this.subject.moveWindow(fit({ ...window2, top: toRow + down2, left: toColumn + right2 }, room));
    }
    const down = window2.top + (grip.vertical > 0 ? window2.height : 0) - row;
    const right = window2.left + (grip.horizontal > 0 ? window2.width : 0) - column;
    return (toRow, toColumn) => this.subject.moveWindow(resize(window2, grip, toRow + down, toColumn + right, room));
  }
  move(event) {
    if (this.drag !== null && event.pointerId !== this.drag.pointer) return;
    this.at = this.locate(event);
    if (this.drag === null) this.pointAt(event);
    if (this.frame === 0) {
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.follow();
      });
    }
  }
  follow() {
    const { viewport } = this.surface;
    if (viewport === null || this.at === null) return;
    if (this.drag !== null) {
      const { row, column } = viewport.locate(this.at.x, this.at.y);
      this.drag.follow(row, column);
    }
    this.subject.hover(viewport.pixel(this.at.x, this.at.y));
  }
  release(event) {
    const { tap } = this;
    this.tap = null;
    if (tap?.pointer === event.pointerId) this.fetch(tap, this.locate(event));
    if (event.pointerId !== this.drag?.pointer) return;
    this.at = this.locate(event);
    this.follow();
    this.end();
    if (event.pointerType === "touch") this.leave();
  }
  /** A finger that tapped beside the window, and did not scroll, fetches it. */
  fetch(from, to) {
    const { viewport } = this.surface;
    if (viewport === null || Math.hypot(to.x - from.x, to.y - from.y) > 10) return;
    const { row, column } = viewport.locate(to.x, to.y);
    this.subject.beginGesture();
    this.subject.moveWindow(centre(this.subject.window ?? this.subject.start, row, column, this.subject.room));
    this.subject.endGesture();
  }
  /** The system took the pointer away: the window stays where the hand last had it. */
  abandon(event) {
    if (event.pointerId === this.tap?.pointer) this.tap = null;
    if (event.pointerId === this.drag?.pointer) this.end();
  }
  end() {
    if (this.drag === null) return;
    const { pointer } = this.drag;
    this.drag = null;
    if (this.surface.canvas.hasPointerCapture(pointer)) this.surface.canvas.releasePointerCapture(pointer);
    this.subject.endGesture();
  }
  leave() {
    if (this.drag !== null) return;
    this.at = null;
    this.subject.hover(null);
  }
  pressKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (!this.handleKey(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }
  handleKey(event) {
    const { mode, room, window: window2, painting, mask } = this.subject;
    if (this.drag !== null && mask && mode === "window") {
      if (event.key !== "Escape") return false;
      painting.drop();
      this.end();
      return true;
    }
    if (this.drag !== null) {
      if (event.key !== "Escape" || this.drag.origin === null || mode !== "window") return false;
      this.subject.moveWindow(this.drag.origin);
      this.end();
      return true;
    }
    if (mode === "point") return this.steer(event);
    if (mode !== "window" || window2 === null) return false;
    if (this.subject.hasBrush && (event.key === "m" || event.key === "M")) {
      this.endTyping();
      this.subject.paint(mask ? "takePatch" : "takeBrush");
      return true;
    }
    if (mask) return this.paintByKey(event);
    const moved = windowAfterKey(event, window2, room, this.subject.start);
    if (moved === null) return false;
    this.type(() => this.subject.moveWindow(moved));
    return true;
  }
  steer(event) {
    const { room, marker } = this.subject;
    const arrow = ARROWS[event.key];
    const middle = { row: Math.floor(room.rows / 2), column: Math.floor(room.columns / 2) };
    if (!arrow && event.key !== "Home") return false;
    const step = event.shiftKey ? 10 : 1;
    const to = arrow && marker ? {
      row: Math.max(0, Math.min(room.rows - 1, marker.row + arrow[0] * step)),
      column: Math.max(0, Math.min(room.columns - 1, marker.column + arrow[1] * step))
    } : middle;
    this.type(() => this.subject.pickPoint(to));
    return true;
  }
  paintByKey({ key, shiftKey }) {
    const { painting, room } = this.subject;
    const arrow = ARROWS[key];
    const at = painting.cursor ?? { row: Math.floor(room.rows / 2), column: Math.floor(room.columns / 2) };
    if (arrow || key === " ") {
      const step = arrow ? (shiftKey ? 3 : 1) * Math.max(1, Math.round(painting.radius / 2)) : 0;
      const row = Math.max(0, Math.min(room.rows - 1, at.row + (arrow?.[0] ?? 0) * step));
      const column = Math.max(0, Math.min(room.columns - 1, at.column + (arrow?.[1] ?? 0) * step));
      painting.cursor = { row, column };
      this.pressing ||= key === " ";
      if (this.pressing) this.type(() => painting.paintTo(row + 0.5, column + 0.5));
    } else if (key === "+" || key === "=") painting.radius += 1;
    else if (key === "-" || key === "_") painting.radius -= 1;
    else if (key === "x" || key === "X") painting.restores = !painting.restores;
    else if (key === "u" || key === "U") this.subject.paint("undo");
    else if (key === "Delete" || key === "Backspace") this.subject.paint("clear");
    else if (key === "Escape" && this.typing) painting.drop();
    else return false;
    this.subject.hover(null);
    return true;
  }
  releaseKey(key) {
    if (key === " ") this.pressing = false;
    if (!this.pressing) this.endTyping();
  }
  /** Keys held down are one gesture, which ends with the key. */
  type(change) {
    if (!this.typing) this.subject.beginGesture();
    this.typing = true;
    change();
  }
  endTyping() {
    if (!this.typing) return;
    this.typing = false;
    this.subject.endGesture();
  }
  pointAt(event) {
    const { mode, window: window2 } = this.subject;
    const { viewport } = this.surface;
    if (mode !== "window" || window2 === null || viewport === null || this.subject.mask) {
      this.surface.canvas.style.cursor = mode === "view" ? "" : "crosshair";
      return;
    }
    const { x, y } = this.locate(event);
    this.surface.canvas.style.cursor = cursor(viewport.grip(x, y, window2, reach(event)));
  }
  locate(event) {
    const bounds = this.surface.canvas.getBoundingClientRect();
    const { width = bounds.width, height = bounds.height } = this.surface.viewport ?? {};
    return {
      x: (event.clientX - bounds.left) * width / bounds.width,
      y: (event.clientY - bounds.top) * height / bounds.height
    };
  }
};
function windowAfterKey({ key, shiftKey }, window2, room, start) {
  const arrow = ARROWS[key];
  if (arrow) {
    const [down, right] = shiftKey ? [Math.ceil(window2.height / 2), Math.ceil(window2.width / 2)] : [1, 1];
    return shift(window2, arrow[0] * down, arrow[1] * right, room);
  }
  if (key === "+" || key === "=") return grow(window2, 2, room);
  if (key === "-" || key === "_") return grow(window2, -2, room);
  if (key === "Home") return centre(window2, room.rows / 2, room.columns / 2, room);
  return key === "Escape" ? start : null;
}
function reach(event) {
  return event.pointerType === "touch" ? 18 : 8;
}
function cursor(grip) {
  if (grip === "inside") return "move";
  if (grip === "outside") return "crosshair";
  const { vertical, horizontal } = grip;
  if (vertical === 0) return "ew-resize";
  if (horizontal === 0) return "ns-resize";
  return vertical === horizontal ? "nwse-resize" : "nesw-resize";
}

// src/picture/picture.css
var picture_default = ':is(.cnnviz,.cnnviz-view,.cnnviz-explorer){--cnnviz-text: var(--vscode-foreground, var(--jp-ui-font-color1, #1b1f24));--cnnviz-text-quiet: var(--vscode-descriptionForeground, var(--jp-ui-font-color2, #57606a));--cnnviz-surface: var(--vscode-editor-background, var(--jp-layout-color1, #fff));--cnnviz-raised: var(--vscode-dropdown-background, var(--jp-layout-color1, #fff));--cnnviz-sunken: var(--vscode-input-background, var(--jp-layout-color2, #f4f6f8));--cnnviz-line: var(--vscode-input-border, var(--jp-border-color1, #d8dde3));--cnnviz-line-quiet: var(--vscode-widget-border, var(--jp-border-color2, #d8dde3));--cnnviz-accent: var(--vscode-focusBorder, var(--jp-brand-color1, #1769c9));--cnnviz-error: var(--vscode-errorForeground, var(--jp-error-color1, #b3261e));--cnnviz-hover: color-mix(in srgb, var(--cnnviz-accent) 12%, transparent);--cnnviz-chosen: color-mix(in srgb, var(--cnnviz-accent) 24%, transparent);--cnnviz-edge: #848d97;--cnnviz-ghost: #9aa4af;--cnnviz-shadow: 0 4px 16px rgb(0 0 0 / 24%);--cnnviz-font: var(--vscode-font-family, var(--jp-ui-font-family, system-ui, sans-serif));--cnnviz-size: 14px;--cnnviz-size-small: 12px;--cnnviz-radius: 6px;--cnnviz-height: 36px;box-sizing:border-box;min-width:0;color:var(--cnnviz-text);font:var(--cnnviz-size) / 1.4 var(--cnnviz-font)}.cnnviz-ruled::before{display:block;width:var(--cnnviz-width, 220px);height:0;content:""}.cnnviz[data-waiting]{cursor:progress;opacity:0.65}.cnnviz-view :is(.cnnviz-status,.cnnviz-picture,.cnnviz-tiles,.bqplot,.widget-html){transition:opacity 0.15s}[data-cnnviz-unanswered] .cnnviz-view :is(.cnnviz-status,.cnnviz-picture:not([data-waiting]),.cnnviz-tiles:not([data-waiting]),.bqplot,.widget-html){opacity:0.55}.cnnviz-picture[data-waiting]{opacity:1}[data-cnnviz-ended]:not([data-cnnviz-ended] *){opacity:0.55}[data-cnnviz-ended] .cnnviz[data-waiting]{cursor:auto;opacity:1}[data-cnnviz-ended] :is(button,input,select,textarea,canvas,svg,[role=slider],[role=listbox]){pointer-events:none}[data-cnnviz-ended].jupyter-widgets-disconnected::before,[data-cnnviz-ended] .jupyter-widgets-disconnected::before{display:none}.cnnviz-notice{position:fixed;bottom:16px;left:50%;z-index:1000;width:max-content;max-width:calc(100% - 32px);padding:10px 16px;color:var(--cnnviz-text);background:var(--cnnviz-raised);border:1px solid var(--cnnviz-line);border-left:4px solid var(--cnnviz-accent);border-radius:var(--cnnviz-radius);box-shadow:var(--cnnviz-shadow);font-weight:600;transform:translateX(-50%)}.cnnviz-notice[role=alert]{border-left-color:var(--cnnviz-error)}.jp-NotebookPanel>.cnnviz-notice,.jp-Document>.cnnviz-notice{position:absolute}.cnnviz *,.cnnviz *::before,.cnnviz *::after{box-sizing:border-box}@supports (color: light-dark(#000,#fff)){:is(.cnnviz,.cnnviz-view,.cnnviz-explorer){--cnnviz-text: var(--vscode-foreground, var(--jp-ui-font-color1, light-dark(#1b1f24, #e8eaed)));--cnnviz-text-quiet: var(--vscode-descriptionForeground, var(--jp-ui-font-color2, light-dark(#57606a, #a9b2bc)));--cnnviz-surface: var(--vscode-editor-background, var(--jp-layout-color1, light-dark(#fff, #14171b)));--cnnviz-raised: var(--vscode-dropdown-background, var(--jp-layout-color1, light-dark(#fff, #232930)));--cnnviz-sunken: var(--vscode-input-background, var(--jp-layout-color2, light-dark(#f4f6f8, #1c2126)));--cnnviz-line: var(--vscode-input-border, var(--jp-border-color1, light-dark(#d8dde3, #343b43)));--cnnviz-line-quiet: var(--vscode-widget-border, var(--jp-border-color2, light-dark(#d8dde3, #343b43)));--cnnviz-accent: var(--vscode-focusBorder, var(--jp-brand-color1, light-dark(#1769c9, #7ab7ff)));--cnnviz-error: var(--vscode-errorForeground, var(--jp-error-color1, light-dark(#b3261e, #ff9c93)));--cnnviz-edge: light-dark(#848d97, #6f7a86);--cnnviz-ghost: light-dark(#9aa4af, #7c8794)}}[data-jp-theme-light=true] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.vscode-light :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),[data-theme=light] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer){color-scheme:light}[data-jp-theme-light=false] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.vscode-dark :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.dark :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.dark-theme :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),[data-theme=dark] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),html[theme=dark] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.vscode-high-contrast:not(.vscode-high-contrast-light) :is(.cnnviz,.cnnviz-view,.cnnviz-explorer){color-scheme:dark}.cnnviz :focus-visible{outline:2px solid var(--cnnviz-accent);outline-offset:1px}.cnnviz-hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}@media(pointer:coarse){:is(.cnnviz,.cnnviz-view,.cnnviz-explorer){--cnnviz-height: 44px}}.cnnviz-icon{display:block;width:16px;height:16px;fill:none;stroke:currentcolor;stroke-width:1.5;stroke-linecap:round;stroke-linejoin:round;pointer-events:none}.cnnviz-icon-button{display:grid;flex:none;width:var(--cnnviz-height);height:var(--cnnviz-height);padding:0;color:var(--cnnviz-text-quiet);background:none;border:0;border-radius:var(--cnnviz-radius);cursor:pointer;place-items:center}.cnnviz-icon-button:hover:not(:disabled){color:var(--cnnviz-text);background:var(--cnnviz-hover)}.cnnviz-icon-button:disabled{cursor:default;opacity:0.4}.cnnviz-picture{display:flex;flex-direction:column;gap:4px;box-sizing:content-box;width:var(--cnnviz-side);max-width:calc(100% - 6px);padding:3px;container-type:inline-size}.cnnviz-picture-canvas{display:block;width:var(--cnnviz-side);max-width:100%;border-radius:2px;user-select:none;-webkit-touch-callout:none}.cnnviz-picture-canvas[hidden],.cnnviz-picture-tools[hidden],.cnnviz-picture-needle[hidden]{display:none}.cnnviz-picture-second{display:none;width:100%;border-radius:2px}@container (min-width: 700px){.cnnviz-picture-second{display:block}}.cnnviz-picture-canvas[data-mode=window]{touch-action:pan-y pinch-zoom}.cnnviz-picture-canvas[data-mode=window][data-brush],.cnnviz-picture-canvas[data-mode=point]{touch-action:none}.cnnviz-picture-readout{display:flex;justify-content:space-between;gap:12px;height:1.4em;color:var(--cnnviz-text-quiet);font-size:var(--cnnviz-size-small);font-variant-numeric:tabular-nums;white-space:nowrap}.cnnviz-picture-readout span{overflow:hidden;text-overflow:ellipsis}.cnnviz-picture-value{flex:none;max-width:100%;margin-left:auto;color:var(--cnnviz-text)}@container (max-width: 400px){.cnnviz-picture-readout{flex-direction:column;gap:0;height:2.8em}.cnnviz-picture-value{margin-left:0}}.cnnviz-picture-tools{display:flex;flex-direction:column}.cnnviz-picture-more{position:relative;flex:none}.cnnviz-picture-more>summary{list-style:none}.cnnviz-picture-settings{position:absolute;right:0;bottom:100%;z-index:10;display:flex;flex-direction:column;gap:4px;width:min(280px,90cqi);padding:8px 12px;background:var(--cnnviz-raised);border:1px solid var(--cnnviz-edge);border-radius:10px;box-shadow:var(--cnnviz-shadow)}.cnnviz-picture-line{display:flex;flex-wrap:wrap;gap:4px 8px;align-items:center;min-height:var(--cnnviz-height)}.cnnviz-picture-quantity{flex:1 1 7em;overflow:hidden;font-weight:600;text-overflow:ellipsis;white-space:nowrap}.cnnviz-picture-barbox{position:relative;height:14px;border:1px solid var(--cnnviz-edge);border-radius:2px;background:repeating-linear-gradient(135deg,var(--cnnviz-line) 0 1px,transparent 1px 5px)}.cnnviz-picture-bar{display:block;width:100%;height:100%}.cnnviz-picture-needle{position:absolute;top:-3px;bottom:-3px;width:4px;margin-left:-2px;border:1px solid #000;border-radius:2px;background:#fff;pointer-events:none}.cnnviz-picture-ticks{display:flex;justify-content:space-between;font-size:var(--cnnviz-size-small);font-variant-numeric:tabular-nums}.cnnviz-picture-tick{flex:1}.cnnviz-picture-tick:nth-child(2){text-align:center}.cnnviz-picture-tick:last-child{text-align:right}.cnnviz-picture-label{display:flex;flex:1 1 8em;gap:6px;align-items:center;color:var(--cnnviz-text-quiet);font-size:var(--cnnviz-size-small);white-space:nowrap}.cnnviz-picture-settings>.cnnviz-picture-label{flex:none;min-height:28px}.cnnviz-picture-slider{flex:1;width:3em;min-width:3em;margin:0;accent-color:var(--cnnviz-accent)}.cnnviz-picture-cutoff{min-width:4em;font-variant-numeric:tabular-nums}.cnnviz-picture-cutoff:empty{display:none}.cnnviz-picture-select,.cnnviz-picture-toggle{height:calc(var(--cnnviz-height) - 4px);max-width:11em;padding:0 6px;border:1px solid var(--cnnviz-edge);border-radius:var(--cnnviz-radius);background:var(--cnnviz-raised);color:var(--cnnviz-text);font:inherit;font-size:var(--cnnviz-size-small)}.cnnviz-picture-toggle{cursor:pointer}.cnnviz-picture-toggle:hover{background:var(--cnnviz-hover)}.cnnviz-picture-toggle[aria-pressed=true]{border-color:var(--cnnviz-accent);background:var(--cnnviz-chosen)}.cnnviz-picture-brush,.cnnviz-picture-brush-own{display:flex;flex-wrap:wrap;gap:0 8px;align-items:center;min-width:0}.cnnviz-picture-brush[hidden],.cnnviz-picture-brush-own[hidden]{display:none}.cnnviz-picture-brush-own{flex:1 1 0}.cnnviz-picture-brush .cnnviz-picture-slider{flex:1 1 56px;width:56px;min-width:0}.cnnviz-picture-brush button{height:var(--cnnviz-height)}.cnnviz-picture-choice{display:flex}.cnnviz-picture-choice>:first-child{border-start-end-radius:0;border-end-end-radius:0}.cnnviz-picture-choice>:last-child{margin-inline-start:-1px;border-start-start-radius:0;border-end-start-radius:0}\n';

// src/picture/readout.ts
var ANNOUNCE_AFTER = 500;
var KEYS = {
  view: "",
  window: "Arrow keys move the window, with Shift by half its size; plus and minus resize it; Home centres it; Escape puts it back.",
  point: "Arrow keys move the point, with Shift by ten pixels; Home centres it."
};
var Readout = class {
  constructor(canvas, id) {
    this.canvas = canvas;
    this.keys.id = `${id}-keys`;
    this.spoken.append(this.keys, this.live);
    this.root.append(this.left, this.right);
    canvas.setAttribute("aria-describedby", this.keys.id);
  }
  canvas;
  root = element("div", "cnnviz-picture-readout");
  spoken = element("div", "cnnviz-hidden");
  keys = element("div", "");
  live = element("div", "", { "aria-live": "polite" });
  left = element("span", "cnnviz-picture-where");
  right = element("span", "cnnviz-picture-value");
  words = "";
  announcing;
  /** Only a canvas that takes keys can be tabbed to; `more` are further keys. */
  mode(mode, more = "") {
    this.canvas.setAttribute("role", mode === "view" ? "img" : "application");
    this.keys.textContent = [KEYS[mode], more].filter(Boolean).join(" ");
    if (mode === "view") this.canvas.removeAttribute("tabindex");
    else this.canvas.tabIndex = 0;
  }
  /** Show the words and name the canvas with them; they are not spoken. */
  say({ label, where, hovered, spoken }) {
    this.words = spoken;
    if (this.canvas.getAttribute("aria-label") !== label) this.canvas.setAttribute("aria-label", label);
    this.left.textContent = this.left.title = where;
    this.right.textContent = this.right.title = hovered;
  }
  /** Speak what is said once the hand rests: every step of a drag would be a flood. */
  announce() {
    clearTimeout(this.announcing);
    this.announcing = setTimeout(() => {
      this.live.textContent = this.words;
    }, ANNOUNCE_AFTER);
  }
  dispose() {
    clearTimeout(this.announcing);
  }
};

// ../cnnviz_widgets/static/colormaps.json
var colormaps_default = {
  viridis: { kind: "sequential", rgb: "44015444025645045745055946075a46085c460a5d460b5e470d60470e6147106347116447136548146748166848176948186a481a6c481b6d481c6e481d6f481f70482071482173482374482475482576482677482878482979472a7a472c7a472d7b472e7c472f7d46307e46327e46337f463480453581453781453882443983443a83443b84433d84433e85423f854240864241864142874144874045884046883f47883f48893e49893e4a893e4c8a3d4d8a3d4e8a3c4f8a3c508b3b518b3b528b3a538b3a548c39558c39568c38588c38598c375a8c375b8d365c8d365d8d355e8d355f8d34608d34618d33628d33638d32648e32658e31668e31678e31688e30698e306a8e2f6b8e2f6c8e2e6d8e2e6e8e2e6f8e2d708e2d718e2c718e2c728e2c738e2b748e2b758e2a768e2a778e2a788e29798e297a8e297b8e287c8e287d8e277e8e277f8e27808e26818e26828e26828e25838e25848e25858e24868e24878e23888e23898e238a8d228b8d228c8d228d8d218e8d218f8d21908d21918c20928c20928c20938c1f948c1f958b1f968b1f978b1f988b1f998a1f9a8a1e9b8a1e9c891e9d891f9e891f9f881fa0881fa1881fa1871fa28720a38620a48621a58521a68522a78522a88423a98324aa8325ab8225ac8226ad8127ad8128ae8029af7f2ab07f2cb17e2db27d2eb37c2fb47c31b57b32b67a34b67935b77937b87838b9773aba763bbb753dbc743fbc7340bd7242be7144bf7046c06f48c16e4ac16d4cc26c4ec36b50c46a52c56954c56856c66758c7655ac8645cc8635ec96260ca6063cb5f65cb5e67cc5c69cd5b6ccd5a6ece5870cf5773d05675d05477d1537ad1517cd2507fd34e81d34d84d44b86d54989d5488bd6468ed64590d74393d74195d84098d83e9bd93c9dd93ba0da39a2da37a5db36a8db34aadc32addc30b0dd2fb2dd2db5de2bb8de29bade28bddf26c0df25c2df23c5e021c8e020cae11fcde11dd0e11cd2e21bd5e21ad8e219dae319dde318dfe318e2e418e5e419e7e419eae51aece51befe51cf1e51df4e61ef6e620f8e621fbe723fde725" },
  magma: { kind: "sequential", rgb: "00000401000501010601010802010902020b02020d03030f03031204041405041606051806051a07061c08071e0907200a08220b09240c09260d0a290e0b2b100b2d110c2f120d31130d34140e36150e38160f3b180f3d19103f1a10421c10441d11471e114920114b21114e22115024125325125527125829115a2a115c2c115f2d11612f116331116533106734106936106b38106c390f6e3b0f703d0f713f0f72400f74420f75440f764510774710784910784a10794c117a4e117b4f127b51127c52137c54137d56147d57157e59157e5a167e5c167f5d177f5f187f601880621980641a80651a80671b80681c816a1c816b1d816d1d816e1e81701f81721f817320817521817621817822817922827b23827c23827e24828025828125818326818426818627818827818928818b29818c29818e2a81902a81912b81932b80942c80962c80982d80992d809b2e7f9c2e7f9e2f7fa02f7fa1307ea3307ea5317ea6317da8327daa337dab337cad347cae347bb0357bb2357bb3367ab5367ab73779b83779ba3878bc3978bd3977bf3a77c03a76c23b75c43c75c53c74c73d73c83e73ca3e72cc3f71cd4071cf4070d0416fd2426fd3436ed5446dd6456cd8456cd9466bdb476adc4869de4968df4a68e04c67e24d66e34e65e44f64e55064e75263e85362e95462ea5661eb5760ec5860ed5a5fee5b5eef5d5ef05f5ef1605df2625df2645cf3655cf4675cf4695cf56b5cf66c5cf66e5cf7705cf7725cf8745cf8765cf9785df9795df97b5dfa7d5efa7f5efa815ffb835ffb8560fb8761fc8961fc8a62fc8c63fc8e64fc9065fd9266fd9467fd9668fd9869fd9a6afd9b6bfe9d6cfe9f6dfea16efea36ffea571fea772fea973feaa74feac76feae77feb078feb27afeb47bfeb67cfeb77efeb97ffebb81febd82febf84fec185fec287fec488fec68afec88cfeca8dfecc8ffecd90fecf92fed194fed395fed597fed799fed89afdda9cfddc9efddea0fde0a1fde2a3fde3a5fde5a7fde7a9fde9aafdebacfcecaefceeb0fcf0b2fcf2b4fcf4b6fcf6b8fcf7b9fcf9bbfcfbbdfcfdbf" },
  cividis: { kind: "sequential", rgb: "00224e00234f00245100255300255400265600275800285900285b00295d002a5f002a61002b62002c64002c66002d68002e6a002e6c002f6d00306f0030700031700031710132710533710833700c34700f357012357014367016377018376f1a386f1c396f1e3a6f203a6f213b6e233c6e243c6e263d6e273e6e293f6e2a3f6d2b406d2d416d2e416d2f426d31436d32436d33446d34456c35456c36466c38476c39486c3a486c3b496c3c4a6c3d4a6c3e4b6c3f4c6c404c6c414d6c424e6c434e6c444f6c45506c46516c47516c48526c49536c4a536c4b546c4c556c4d556c4e566c4f576c50576c51586d52596d535a6d545a6d555b6d555c6d565c6d575d6d585e6d595e6e5a5f6e5b606e5c616e5d616e5e626e5e636f5f636f60646f61656f62656f636670646770656870656870666970676a71686a71696b716a6c716b6d726c6d726c6e726d6f726e6f736f70737071737172747272747273747374757474757575757676767777767777777878777979777a7a787b7a787c7b787d7c787e7c787e7d787f7e78807f78817f788280798381798482798582798683798784788885788985788a86788b87788c88788d88788e89788f8a78908b78918b78928c78928d78938e78948e77958f779690779791779892779992779a93769b94769c95769d95769e96769f9775a09875a19975a29975a39a74a49b74a59c74a69c74a79d73a89e73a99f73aaa073aba072aca172ada272aea371afa471b0a571b1a570b3a670b4a76fb5a86fb6a96fb7a96eb8aa6eb9ab6dbaac6dbbad6dbcae6cbdae6cbeaf6bbfb06bc0b16ac1b26ac2b369c3b369c4b468c5b568c6b667c7b767c8b866c9b965cbb965ccba64cdbb63cebc63cfbd62d0be62d1bf61d2c060d3c05fd4c15fd5c25ed6c35dd7c45cd9c55cdac65bdbc75adcc859ddc858dec958dfca57e0cb56e1cc55e2cd54e4ce53e5cf52e6d051e7d150e8d24fe9d34eead34cebd44bedd54aeed649efd748f0d846f1d945f2da44f3db42f5dc41f6dd3ff7de3ef8df3cf9e03afbe138fce236fde334fee434fee535fee636fee838" },
  grey: { kind: "sequential", rgb: "0000000101010202020303030404040505050606060707070808080909090a0a0a0b0b0b0c0c0c0d0d0d0e0e0e0f0f0f1010101111111212121313131414141515151616161717171818181919191a1a1a1b1b1b1c1c1c1d1d1d1e1e1e1f1f1f2020202121212222222323232424242525252626262727272828282929292a2a2a2b2b2b2c2c2c2d2d2d2e2e2e2f2f2f3030303131313232323333333434343535353636363737373838383939393a3a3a3b3b3b3c3c3c3d3d3d3e3e3e3f3f3f4040404141414242424343434444444545454646464747474848484949494a4a4a4b4b4b4c4c4c4d4d4d4e4e4e4f4f4f5050505151515252525353535454545555555656565757575858585959595a5a5a5b5b5b5c5c5c5d5d5d5e5e5e5f5f5f6060606161616262626363636464646565656666666767676868686969696a6a6a6b6b6b6c6c6c6d6d6d6e6e6e6f6f6f7070707171717272727373737474747575757676767777777878787979797a7a7a7b7b7b7c7c7c7d7d7d7e7e7e7f7f7f8080808181818282828383838484848585858686868787878888888989898a8a8a8b8b8b8c8c8c8d8d8d8e8e8e8f8f8f9090909191919292929393939494949595959696969797979898989999999a9a9a9b9b9b9c9c9c9d9d9d9e9e9e9f9f9fa0a0a0a1a1a1a2a2a2a3a3a3a4a4a4a5a5a5a6a6a6a7a7a7a8a8a8a9a9a9aaaaaaabababacacacadadadaeaeaeafafafb0b0b0b1b1b1b2b2b2b3b3b3b4b4b4b5b5b5b6b6b6b7b7b7b8b8b8b9b9b9babababbbbbbbcbcbcbdbdbdbebebebfbfbfc0c0c0c1c1c1c2c2c2c3c3c3c4c4c4c5c5c5c6c6c6c7c7c7c8c8c8c9c9c9cacacacbcbcbcccccccdcdcdcecececfcfcfd0d0d0d1d1d1d2d2d2d3d3d3d4d4d4d5d5d5d6d6d6d7d7d7d8d8d8d9d9d9dadadadbdbdbdcdcdcdddddddedededfdfdfe0e0e0e1e1e1e2e2e2e3e3e3e4e4e4e5e5e5e6e6e6e7e7e7e8e8e8e9e9e9eaeaeaebebebecececedededeeeeeeefefeff0f0f0f1f1f1f2f2f2f3f3f3f4f4f4f5f5f5f6f6f6f7f7f7f8f8f8f9f9f9fafafafbfbfbfcfcfcfdfdfdfefefeffffff" },
  "blue-white-red": { kind: "diverging", rgb: "0250ae0451af0652b10853b20a55b30d56b50f57b61159b7135ab8155bba165cbb185ebc1a5fbd1c60bf1d61c01f63c12164c22265c32467c42668c52769c7296ac82b6cc92c6dca2e6ecb3070cc3171cd3372ce3474cf3675d03876d13978d23b79d33d7ad43e7bd5407dd6427ed6437fd74581d84782d94983da4a85db4c86db4e87dc4f89dd518ade538bdf558ddf568ee0588fe15a91e15c92e25d93e35f95e36196e46397e56599e5669ae6689be76a9de76c9ee86e9fe870a0e971a2e973a3ea75a4ea77a6eb79a7eb7ba8ec7daaec7fabed81aced82aeee84afee86b0ee88b2ef8ab3ef8cb4f08eb6f090b7f092b8f194b9f196bbf198bcf19abdf29cbff29ec0f2a0c1f3a2c3f3a4c4f3a6c5f3a8c6f3aac8f4acc9f4aecaf4b0ccf4b2cdf4b4cef4b6cff5b8d1f5bbd2f5bdd3f5bfd5f5c1d6f5c3d7f5c5d8f5c7daf5c9dbf5cbdcf5cddef5cfdff6d2e0f6d4e1f6d6e3f6d8e4f6dae5f6dce6f6dee8f6e1e9f6e3eaf5e5ecf5e7edf5e9eef5ebeff5edf1f5f0f2f5f2f3f5f4f4f5f5f4f4f5f2f2f5f0f0f5efeef5edecf5ebeaf5e9e8f5e7e6f5e5e4f5e4e2f5e2e0f5e0def5dedcf5dcdaf5dbd8f5d9d6f5d7d4f4d5d2f4d3d0f4d2cef4d0ccf4cecaf4ccc8f3cac6f3c9c4f3c7c2f3c5c0f2c3bef2c1bcf2c0baf2beb9f1bcb7f1bab5f1b8b3f0b7b1f0b5aff0b3adefb1abefafa9efaea8eeaca6eeaaa4eda8a2eda7a0eca59eeca39ceba19beba099ea9e97ea9c95e99a93e99992e89790e8958ee7938ce7928be69089e58e87e58c85e48b84e38982e38780e2857ee1847de1827be08079df7f78de7d76de7b74dd7973dc7871db766fda746eda736cd9716ad86f69d76e67d66c66d56a64d46962d36761d3655fd2645ed1625cd0605bcf5f59ce5d58cd5b56cc5a55cb5853ca5752c95550c8534fc7524dc6504cc44e4ac34d49c24b47c14a46c04845bf4643be4542bd4340bb413fba403eb93e3cb83d3bb73b3ab53938b43837b33636b23534b03333af3132ae3030ad2e2fab2c2eaa2b2da9292ba7282aa62629a52428a32226a22125a11f249f1d239e1b219c1a20" },
  "green-white-purple": { kind: "diverging", rgb: "00672c00692d036a2e066b30096c310c6d320f6f331170341471351672371873381a75391c763a1e773c20783d22793e247a3f267c41287d422a7e432b7f442d80462f824731834832844a34854b36864c38874e39894f3b8a503d8b523f8c53408d55428e5644905746915947925a49935c4b945d4d955e4e9760509861529963549a64559b66579c67599d695b9f6a5ca06c5ea16d60a26f62a37064a47265a57367a67569a8766ba9786daa7a6eab7b70ac7d72ad7e74ae8076af8177b18379b2857bb3867db4887fb58a81b68b83b78d84b88e86b99088ba928abc938cbd958ebe9790bf9891c09a93c19c95c29d97c39f99c4a19bc5a39dc6a49fc7a6a1c9a8a3caa9a5cbaba7ccada8cdafaaceb0accfb2aed0b4b0d1b6b2d2b8b4d3b9b6d4bbb8d5bdbad6bfbcd7c0bed8c2c0dac4c2dbc6c4dcc8c6ddc9c8decbcadfcdcce0cfcee1d1d0e2d3d2e3d4d4e4d6d6e5d8d8e6dadae7dcdce8dedee9dfe0eae1e2ebe3e4ece5e6ede7e8eee9eaefebecf0edeef1eef0f2f0f2f3f2f4f4f4f4f4f5f3f3f4f2f1f4f1eff3f0eef3efecf2eeebf1ede9f1ece7f0ebe6f0eae4efe9e3efe8e1eee7dfeee6deede5dcece4dbece3d9ebe2d7ebe1d6eae0d4e9dfd3e9ded1e8ddd0e8dccee7dbcce6dacbe6d9c9e5d8c8e5d7c6e4d6c5e3d4c3e3d3c1e2d2c0e1d1bee1d0bde0cfbbdfcebadfcdb8deccb7ddcbb5ddcab4dcc9b2dbc8b1dbc7afdac6add9c5acd8c4aad8c3a9d7c2a7d6c1a6d6c0a4d5bea3d4bda1d3bca0d3bb9ed2ba9dd1b99bd0b89acfb798cfb697ceb596cdb494ccb393cbb291cab190caaf8ec9ae8dc8ad8bc7ac8ac6ab88c5aa87c4a986c4a884c3a783c2a681c1a580c0a37ebfa27dbea17cbda07abc9f79bb9e77ba9d76b99c75b89b73b79a72b69871b5976fb4966eb3956cb2946bb1936ab09268af9167ae8f66ad8e64ac8d63ab8c62aa8b60a98a5fa8895ea7875ca6865ba5855aa48459a28357a18256a081559f7f539e7e529d7d519c7c509a7b4e997a4d98784c97774b96764a9475489374479273469171459070448e6f428d6e418c6d408b6c3f896a3e88" }
};

// src/color/colormaps.ts
var entries = Object.entries(colormaps_default);
function tableNames(kind) {
  return entries.filter(([, table]) => table.kind === kind).map(([name]) => name);
}
function colorTable(name, kind) {
  const candidates = entries.filter(([, table]) => table.kind === kind);
  const [, { rgb }] = candidates.find(([candidate]) => candidate === name) ?? candidates[0];
  return Uint8Array.from(
    { length: rgb.length / 2 },
    (_, index) => Number.parseInt(rgb.slice(index * 2, index * 2 + 2), 16)
  );
}

// src/core/controlled_value.ts
var ControlledValue = class {
  constructor(current, same = Object.is) {
    this.current = current;
    this.same = same;
  }
  current;
  same;
  inHand = false;
  unconfirmed = null;
  get value() {
    return this.current;
  }
  /** Whether the hand is on the control. */
  get isHeld() {
    return this.inHand;
  }
  hold() {
    this.inHand = true;
  }
  release() {
    this.inHand = false;
  }
  /** The hand has moved to `value`. */
  move(value) {
    this.current = value;
  }
  /** An event left for the kernel; `seq` is the number it will acknowledge. */
  sent(seq) {
    this.unconfirmed = seq;
  }
  /** The kernel says `value`; returns whether to show it. */
  receive(value) {
    if (this.same(value, this.current)) {
      this.unconfirmed = null;
      return false;
    }
    if (this.inHand || this.unconfirmed !== null) return false;
    this.current = value;
    return true;
  }
  /** A custom message came; with the acknowledgement of the newest event, take over the kernel's value `value`. */
  receiveAck(message, value) {
    const { kind, seq } = message ?? {};
    if (kind !== "ack" || seq !== this.unconfirmed) return false;
    this.unconfirmed = null;
    return this.receive(value);
  }
};

// src/picture/painting.ts
var MOST = 50;
var RADIUS = 0.05;
var LARGEST = 0.25;
var Painting = class {
  constructor(room, start, onPaint) {
    this.room = room;
    this.onPaint = onPaint;
    this.held = new ControlledValue(start, sameMask);
  }
  room;
  onPaint;
  restores = false;
  /** Where the keys have the brush; null before they were used. */
  cursor = null;
  held;
  ownRadius = null;
  past = [];
  /** What was painted before the patch was taken. */
  left = null;
  /** Where the stroke under way has come to, and what was covered before it. */
  last = null;
  before = null;
  /** Null while the window covers. */
  get mask() {
    const { value } = this.held;
    return value?.length === this.pixels ? value : null;
  }
  get covered() {
    return this.mask ? count(this.mask) : 0;
  }
  get radius() {
    const { rows, columns } = this.room();
    return this.ownRadius ?? Math.max(1, Math.round(RADIUS * Math.min(rows, columns)));
  }
  set radius(radius) {
    this.ownRadius = clamp(Math.round(radius), 1, this.largest);
  }
  get largest() {
    const { rows, columns } = this.room();
    return Math.max(1, Math.round(LARGEST * Math.min(rows, columns)));
  }
  get canUndo() {
    return this.mask !== null && this.past.length > 0;
  }
  /** Cover with the brush from now on, with what it had covered before. */
  takeBrush() {
    if (this.mask !== null) return;
    this.put(this.left?.length === this.pixels ? this.left : new Uint8Array(this.pixels));
  }
  /** Cover with the window from now on. */
  takePatch() {
    this.left = this.mask;
    this.held.move(null);
  }
  /** A stroke begins; what follows until `end` is one step to take back. */
  begin() {
    this.before = this.mask;
    this.last = null;
  }
  /** The brush is at a place, continuous: the stroke goes on to there. */
  paintTo(row, column) {
    if (this.mask === null) return;
    const next = this.mask.slice();
    stroke(next, this.room(), this.last ?? { row, column }, { row, column }, this.radius, this.restores ? 0 : 1);
    this.last = { row, column };
    if (!sameMask(next, this.mask)) this.put(next);
  }
  end() {
    if (this.before && this.mask && !sameMask(this.before, this.mask))
      this.past = [...this.past, this.before].slice(-MOST);
    this.before = this.last = null;
  }
  /** As if the stroke under way had not begun. */
  drop() {
    if (this.before && this.mask && !sameMask(this.before, this.mask)) this.put(this.before);
    this.before = this.last = null;
  }
  undo() {
    const mask = this.mask && this.past.pop();
    if (mask?.length === this.pixels) this.put(mask);
  }
  clear() {
    if (this.covered === 0) return;
    this.begin();
    this.put(new Uint8Array(this.pixels));
    this.end();
  }
  /** Another picture: what was painted was of the one before. */
  forget() {
    this.past = [];
    this.left = this.before = this.last = this.cursor = null;
  }
  get pixels() {
    const { rows, columns } = this.room();
    return rows * columns;
  }
  put(mask) {
    this.held.move(mask);
    this.onPaint();
  }
};

// src/picture/state.ts
var PictureState = class {
  constructor(get, effects) {
    this.get = get;
    this.effects = effects;
    this.heldWindow = new ControlledValue(this.kernelWindow, sameWindow);
    this.heldMarker = new ControlledValue(this.kernelMarker, samePixel);
    this.painting = new Painting(
      () => this.room,
      this.kernelMask,
      () => this.reportMask()
    );
  }
  get;
  effects;
  /** Of the picture; 0 x 0 without one. */
  size = { rows: 0, columns: 0 };
  shown = null;
  /** The pixel under the pointer. */
  hovered = null;
  /** Whether an answer of the kernel is overdue. */
  busy = false;
  map = null;
  /** What the gesture under way has last reported. */
  gesture = null;
  /** The mask that the kernel last had, and what it was read of. */
  readMask = [null, 0, null];
  painting;
  heldWindow;
  heldMarker;
  get mode() {
    return this.get("mode");
  }
  get room() {
    const [smallest, largest] = this.get("window_limits");
    return { ...this.size, smallest, largest };
  }
  /** The occlusion window; null where there is none to move. */
  get window() {
    const { value } = this.heldWindow;
    return this.mode === "window" && this.size.rows > 0 && value.height > 0 ? fit(value, this.room) : null;
  }
  /** Whether there is a brush to cover with. */
  get hasBrush() {
    return this.mode === "window" && this.size.rows > 0 && Object.keys(this.get("brush") ?? {}).length > 0;
  }
  /** What the brush has covered; null while the window covers. */
  get mask() {
    return this.hasBrush ? this.painting.mask : null;
  }
  get start() {
    return fit(windowOf(this.get("window_start")), this.room);
  }
  get marker() {
    return this.heldMarker.value;
  }
  get label() {
    return this.get("label");
  }
  /** The value of the map at a pixel; null without a map. */
  valueAt(pixel) {
    return this.shown && pixel ? this.shown.values[pixel.row * this.size.columns + pixel.column] ?? null : null;
  }
  moveWindow(next) {
    if (sameWindow(next, this.heldWindow.value)) return;
    this.heldWindow.move(next);
    this.reportWindow();
  }
  /** Cover with the brush, or with the patch; undo, clear: `act` is one gesture. */
  paint(act) {
    if (!this.hasBrush || act === "takePatch" && this.mask === null) return;
    this.beginGesture();
    this.painting[act]();
    if (act === "takePatch") this.reportWindow();
    this.endGesture();
  }
  pickPoint(pixel) {
    if (samePixel(pixel, this.marker)) return;
    this.heldMarker.move(pixel);
    this.report({ name: "picked", point: [pixel.row, pixel.column] });
  }
  beginGesture() {
    this.heldWindow.hold();
    this.heldMarker.hold();
    this.painting.held.hold();
    this.painting.begin();
  }
  endGesture() {
    this.heldWindow.release();
    this.heldMarker.release();
    this.painting.held.release();
    this.painting.end();
    if (this.gesture !== null) this.effects.onGestureEnd(...this.gesture);
    else if (this.receiveTraits()) this.effects.onChange();
    this.gesture = null;
  }
  hover(pixel) {
    this.hovered = pixel;
    if (this.mask)
      this.effects.onChange();
    else this.effects.onWords();
  }
  setBusy(busy) {
    this.busy = busy;
    this.effects.onWords();
  }
  /** An event left for the kernel. */
  sent(seq) {
    this.heldWindow.sent(seq);
    this.heldMarker.sent(seq);
    this.painting.held.sent(seq);
  }
  /** The kernel wrote the window or the marker; returns whether to draw. */
  receiveTraits() {
    const windowMoved = this.heldWindow.receive(this.kernelWindow);
    const painted = this.painting.held.receive(this.kernelMask);
    return this.heldMarker.receive(this.kernelMarker) || windowMoved || painted;
  }
  /** A custom message came; returns whether to draw. */
  receiveAck(message) {
    const windowMoved = this.heldWindow.receiveAck(message, this.kernelWindow);
    const painted = this.painting.held.receiveAck(message, this.kernelMask);
    return this.heldMarker.receiveAck(message, this.kernelMarker) || windowMoved || painted;
  }
  /** Where the hand has put things, for the other views of the page; `id` is this view's. */
  live(id) {
    const { top, left, height, width } = this.heldWindow.value;
    return { by: id, window: [top, left, height, width], marker: this.marker, mask: this.painting.held.value };
  }
  /** Show where the hand is in another view; returns whether to draw. */
  receiveLive(live, id) {
    if (live === void 0 || live.by === id || this.heldWindow.isHeld) return false;
    this.heldWindow.move(windowOf(live.window));
    this.heldMarker.move(live.marker);
    this.painting.held.move(live.mask);
    return true;
  }
  /** The picture's raw RGB; null, and no size, where it is not as long as its size says. */
  receivePicture() {
    const { pixels, size: [rows, columns] = [0, 0] } = this.get("_picture");
    const rgb = bytesOf(pixels);
    const valid = rows > 0 && columns > 0 && rgb.length === rows * columns * 3;
    this.size = valid ? { rows, columns } : { rows: 0, columns: 0 };
    if (valid) this.hovered = null;
    this.painting.forget();
    this.painting.held.receive(this.kernelMask);
    return valid ? rgb : null;
  }
  /** The wholly occluded picture; null where it is not of the picture's size. */
  get baseline() {
    const rgb = bytesOf(this.get("baseline"));
    return rgb.length > 0 && rgb.length === this.size.rows * this.size.columns * 3 ? rgb : null;
  }
  receiveMap() {
    const { values, size: [rows, columns] = [0, 0] } = this.get("_map");
    this.map = heatMap(bytesOf(values), rows, columns);
  }
  /** The map's colours, RGBA at the picture's size, and `shown` with them; null without a map or a picture. */
  paintMap(state) {
    const { map, size } = this;
    this.shown = null;
    if (map === null || size.rows === 0) return null;
    const { quantity = "", signed = false, scales: given } = this.get("_map");
    const values = resample(map, size.rows, size.columns, state.cells);
    const scales = namedScales(given, map.values);
    this.shown = { state, quantity, signed, scales, values };
    const table = signed ? colorTable(state.diverging, "diverging") : colorTable(state.colors, "sequential");
    const scale = scaleInUse(state, scales, this.shown);
    return paint(values, size.columns, table, scale, signed, state.threshold, state.even);
  }
  /** What to draw over the picture. */
  drawState({ opacity, cells }) {
    const mask = this.mask;
    const brush = mask && (this.hovered ?? this.painting.cursor);
    return {
      window: mask ? null : this.window,
      box: this.get("box"),
      marker: this.marker,
      opacity,
      cells,
      mask,
      brush: brush && { ...brush, radius: this.painting.radius }
    };
  }
  get kernelWindow() {
    return windowOf(this.get("_window_final"));
  }
  get kernelMarker() {
    const marker = this.get("marker");
    return marker && { row: marker[0], column: marker[1] };
  }
  get kernelMask() {
    const { bits } = this.get("_mask") ?? {};
    const pixels = this.size.rows * this.size.columns;
    if (bits === void 0) return null;
    if (this.readMask[0] !== bits || this.readMask[1] !== pixels) {
      this.readMask = [bits, pixels, unpack(bytesOf(bits), pixels)];
    }
    return this.readMask[2];
  }
  reportWindow() {
    const { top, left, height, width } = this.heldWindow.value;
    this.report({ name: "moved", window: [top, left, height, width] });
  }
  reportMask() {
    const { mask } = this.painting;
    if (mask) this.report({ name: "painted", revision: this.get("_mask").revision }, [pack(mask).buffer]);
  }
  report(event, buffers) {
    this.gesture = [event, buffers];
    this.effects.onMove(event, buffers);
  }
};
function windowOf([top, left, height, width]) {
  return { top, left, height, width };
}
function samePixel(a, b) {
  return a?.row === b?.row && a?.column === b?.column;
}

// src/picture/toolbar.ts
var GROUND = 200;
var Toolbar = class {
  constructor(onChange) {
    this.onChange = onChange;
    this.bar.width = 256;
    this.bar.height = 1;
    const head = element("div", "cnnviz-picture-line");
    const settings = element("div", "cnnviz-picture-settings");
    this.more.append(moreButton(), settings);
    head.append(this.quantity, this.more);
    const bar = element("div", "cnnviz-picture-barbox");
    bar.append(this.bar, this.needle);
    const ticks = element("div", "cnnviz-picture-ticks");
    ticks.append(this.low, this.zero, this.high);
    const choices = element("div", "cnnviz-picture-line");
    choices.append(this.colors, this.scale, this.hold);
    const line = element("div", "cnnviz-picture-line");
    line.append(this.cells, this.even);
    settings.append(
      choices,
      withLabel("Opacity", this.opacity),
      withLabel("Hide weak", this.threshold, this.cutoff),
      line
    );
    this.root.append(head, bar, ticks);
    this.opacity.addEventListener("input", () => this.change({ opacity: this.opacity.valueAsNumber / 100 }));
    this.threshold.addEventListener("input", () => this.change({ threshold: this.threshold.valueAsNumber / 100 }));
    this.cells.addEventListener("click", () => this.change({ cells: !this.shown?.state.cells }));
    this.even.addEventListener("click", () => this.change({ even: !this.shown?.state.even }));
    this.colors.addEventListener(
      "change",
      () => this.change(this.shown?.signed ? { diverging: this.colors.value } : { colors: this.colors.value })
    );
    this.scale.addEventListener("change", () => this.change({ scale: this.scale.value, held: null }));
    this.hold.addEventListener("click", () => this.toggleHold());
  }
  onChange;
  root = element("div", "cnnviz-picture-tools");
  /** What the map is drawn with, behind a button. */
  more = element("details", "cnnviz-picture-more");
  quantity = element("span", "cnnviz-picture-quantity");
  bar = element("canvas", "cnnviz-picture-bar", { role: "img" });
  needle = element("div", "cnnviz-picture-needle", { "aria-hidden": "true" });
  low = element("span", "cnnviz-picture-tick");
  zero = element("span", "cnnviz-picture-tick");
  high = element("span", "cnnviz-picture-tick");
  opacity = slider("Opacity of the map");
  threshold = slider("Hide weak values");
  cutoff = element("output", "cnnviz-picture-cutoff");
  colors = select("Colours");
  scale = select("Scale");
  hold = toggleButton("Hold", "Keep this scale, so that the next maps can be compared with this one");
  cells = toggleButton("Cells", "Show the map's own cells instead of a smooth blend");
  even = toggleButton("Even", "Show weak values as opaque as strong ones");
  shown = null;
  update(shown) {
    this.root.hidden = shown === null;
    this.shown = shown;
    if (shown === null) return;
    const { state, scales, quantity, signed, values } = shown;
    const scale = scaleInUse(state, scales, shown);
    const fixed = isFixed(state, shown);
    this.quantity.textContent = this.quantity.title = quantity;
    this.opacity.value = String(Math.round(state.opacity * 100));
    this.threshold.value = String(Math.round(state.threshold * 100));
    this.cells.setAttribute("aria-pressed", String(state.cells));
    this.even.setAttribute("aria-pressed", String(state.even));
    this.hold.setAttribute("aria-pressed", String(fixed));
    const kind = signed ? "diverging" : "sequential";
    const table = colorTable(signed ? state.diverging : state.colors, kind);
    setOptions(this.colors, tableNames(kind), signed ? state.diverging : state.colors);
    setOptions(this.scale, [...fixed ? ["fixed"] : [], ...scales.map(({ label }) => label)], scale.label);
    const [low, high] = tickLabels(scale, signed, values);
    this.low.textContent = low;
    this.high.textContent = high;
    this.zero.textContent = signed ? "0" : "";
    this.cutoff.textContent = cutoffText(state.threshold, scale, signed);
    this.bar.setAttribute("aria-label", `${quantity}: ${low} to ${high}, ${scale.label}`);
    this.paintBar(table, state, signed);
  }
  /** Point at `value` on the colour bar. */
  point(value) {
    const visible = this.shown !== null && value !== null && Number.isFinite(value);
    this.needle.hidden = !visible;
    if (!visible || this.shown === null || value === null) return;
    const { state, scales, signed } = this.shown;
    this.needle.style.left = `${100 * position(value, scaleInUse(state, scales, this.shown), signed)}%`;
  }
  change(part) {
    if (this.shown === null) return;
    this.onChange({ ...this.shown.state, ...part });
  }
  toggleHold() {
    if (this.shown === null) return;
    const { state, scales, quantity, signed } = this.shown;
    const { low, high } = scaleInUse(state, scales, this.shown);
    this.change({ held: isFixed(state, this.shown) ? null : { low, high, quantity, signed } });
  }
  paintBar(table, { threshold, even }, signed) {
    const image = new ImageData(256, 1);
    for (let index = 0; index < 256; index++) {
      const share = even ? 1 : strength(index / 255, signed);
      for (let part = 0; part < 3; part++) {
        image.data[index * 4 + part] = share * table[index * 3 + part] + (1 - share) * GROUND;
      }
      image.data[index * 4 + 3] = belowThreshold(index / 255, threshold, signed) ? 0 : 255;
    }
    this.bar.getContext("2d")?.putImageData(image, 0, 0);
  }
};
function cutoffText(threshold, { low, high }, signed) {
  if (threshold === 0) return "";
  return signed ? `±${formatNumber(threshold * Math.max(Math.abs(low), Math.abs(high)))}` : `< ${formatNumber(low + threshold * (high - low))}`;
}
function moreButton() {
  const label = "How the map is drawn";
  const button = element("summary", "cnnviz-icon-button", { "aria-label": label, title: label });
  button.append(icon("M3.5 8h.01M8 8h.01M12.5 8h.01"));
  return button;
}
function slider(label) {
  return element("input", "cnnviz-picture-slider", {
    type: "range",
    min: "0",
    max: "100",
    step: "1",
    "aria-label": label,
    title: label,
    "data-lm-suppress-shortcuts": "true"
  });
}
function select(label) {
  return element("select", "cnnviz-picture-select", {
    "aria-label": label,
    title: label,
    "data-lm-suppress-shortcuts": "true"
  });
}
function toggleButton(text2, title) {
  const button = element("button", "cnnviz-picture-toggle", { type: "button", title, "aria-pressed": "false" });
  button.textContent = text2;
  return button;
}
function withLabel(text2, ...content) {
  const label = element("label", "cnnviz-picture-label");
  const caption = element("span", "");
  caption.textContent = text2;
  label.append(caption, ...content);
  return label;
}
function setOptions(select2, names, chosen) {
  const present = [...select2.options].map(({ value }) => value);
  if (present.join("\n") !== names.join("\n")) {
    select2.replaceChildren(...names.map((name) => new Option(name, name)));
  }
  select2.value = names.includes(chosen) ? chosen : names[0] ?? "";
}

// src/picture/words.ts
function describe(state, painted = "") {
  const { hovered } = state;
  const window2 = state.mask ? null : state.window;
  const marker = state.mode === "point" ? state.marker : null;
  const centre2 = window2 && { row: window2.top + (window2.height >> 1), column: window2.left + (window2.width >> 1) };
  const where = state.mask ? painted : window2 ? `window ${window2.height} by ${window2.width} at row ${window2.top}, column ${window2.left}` : marker ? `point at row ${marker.row}, column ${marker.column}` : "";
  const value = valueInWords(state, centre2 ?? marker);
  const under = hovered ? [`row ${hovered.row}, col ${hovered.column}`, valueInWords(state, hovered)] : [];
  return {
    where: state.busy ? "waiting for the kernel" : where.replace(" by ", " × ").replace("column", "col"),
    hovered: under.filter(Boolean).join(" · "),
    label: [state.label, where, value].filter(Boolean).join(". "),
    spoken: [where, value].filter(Boolean).join(", ")
  };
}
function valueInWords(state, pixel) {
  const value = state.valueAt(pixel);
  return state.shown && value !== null ? `${state.shown.quantity} ${formatNumber(value)}` : "";
}

// src/picture/index.ts
function mapBeside(view, drawState) {
  const pane = new Drawing(view, drawState, () => {
  });
  pane.canvas.className = "cnnviz-picture-second";
  pane.canvas.setAttribute("aria-hidden", "true");
  return pane;
}
function followHands(view, state, draw) {
  view.follow(["_window_final", "marker", "_mask"], () => {
    state.receiveTraits();
    draw();
  });
  view.follow(["_live"], () => state.receiveLive(view.get("_live"), view.id) && draw());
  view.onMessage((message) => state.receiveAck(message) && draw());
}
function render(view) {
  const drawing = new Drawing(view, () => drawState(second.shown ? "photograph" : void 0), drawn);
  const second = mapBeside(view, () => drawState("map"));
  const readout = new Readout(drawing.canvas, view.id);
  const toolbar = new Toolbar((changed) => settings.change(changed));
  closeOnLeaving(view, toolbar.more);
  const settings = new Settings(view, "view_state", parseViewState, showMap);
  const state = new PictureState(view.get, {
    onMove(event, buffers) {
      queue.offer(event, false, buffers);
      view.model.set("_live", state.live(view.id));
      drawing.draw();
      readout.announce();
    },
    onGestureEnd: (event, buffers) => queue.offer(event, true, buffers),
    onChange: () => drawing.schedule(),
    onWords: say
  });
  const brush = new BrushTools(
    state.painting,
    (act) => state.paint(act),
    () => drawing.schedule()
  );
  const queue = view.queue({ onSent: (seq) => state.sent(seq), onBusy: (busy) => state.setBusy(busy) });
  view.root.append(drawing.canvas, second.canvas, brush.below(readout.root), toolbar.root, readout.spoken);
  const appearing = new ResizeObserver(() => drawing.schedule());
  appearing.observe(second.canvas);
  function drawState(pane) {
    const now = state.drawState(settings.state);
    return pane === void 0 ? now : { ...now, pane };
  }
  function drawn() {
    if (second.shown) second.draw();
    say();
  }
  function say() {
    brush.update();
    drawing.canvas.toggleAttribute("data-brush", state.mask !== null);
    readout.say(describe(state, brush.describe()));
    toolbar.point(state.valueAt(state.hovered));
  }
  function showMap() {
    const map = state.paintMap(settings.state);
    for (const pane of [second, drawing]) pane.showMap(map, state.size.columns);
    view.root.toggleAttribute("data-map", map !== null);
    toolbar.update(state.shown);
  }
  function showPicture() {
    const rgb = state.receivePicture();
    drawing.canvas.hidden = rgb === null;
    if (rgb === null) return;
    for (const pane of [second, drawing]) pane.showPicture(rgb, state.size.columns);
    drawing.showBaseline(state.baseline);
    showMap();
    second.measure();
    drawing.measure();
  }
  view.follow(["_map"], () => {
    state.receiveMap();
    showMap();
  });
  view.follow(["_picture"], showPicture);
  view.follow(["baseline"], () => drawing.showBaseline(state.baseline));
  view.follow(["view_state"], settings.read);
  view.follow(["mode", "brush", "language"], () => {
    const texts = brush.write(view.get("brush") ?? {}, view.get("language") ?? null);
    readout.mode(state.mode, state.mode === "window" ? texts.keys : "");
    drawing.canvas.dataset["mode"] = state.mode;
    drawing.canvas.style.cursor = "";
  });
  view.follow(["display_width"], () => {
    view.root.style.setProperty("--cnnviz-side", `${view.get("display_width")}px`);
  });
  view.follow(["stale"], () => {
    for (const pane of [second, drawing]) pane.showStale(view.get("stale"));
  });
  view.follow(["mode", "box", "label", "window_start", "window_limits"], () => drawing.schedule());
  followHands(view, state, () => drawing.schedule());
  const hand = new AbortController();
  new Hand(drawing, state, hand.signal);
  view.onDispose(() => {
    hand.abort();
    appearing.disconnect();
    second.dispose();
    drawing.dispose();
    readout.dispose();
    settings.dispose();
  });
}
var picture_default2 = define("picture", picture_default, render);
export {
  picture_default2 as default
};
