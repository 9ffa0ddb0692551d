// Built from js/src by scripts/build-js: change it there.

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
function control(view, name, show) {
  const value = new ControlledValue(view.get(name));
  const queue = view.queue({ onSent: (seq) => value.sent(seq) });
  view.onMessage((message) => value.receiveAck(message, view.get(name)) && show());
  view.follow([name], () => value.receive(view.get(name)) && show());
  return [value, queue];
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
function setTooltip(root, control2, text) {
  if (text) {
    root.title = text;
    control2.setAttribute("aria-description", text);
  } else {
    root.removeAttribute("title");
    control2.removeAttribute("aria-description");
  }
}

// src/core/model.ts
async function hostModel(model) {
  return modelOf(model, String(model.get("_host_id")));
}
async function modelOf(model, id) {
  return await model.widget_manager?.get_model?.(id) ?? null;
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
  for (const [index, { data, buffers: count }] of parts.entries()) {
    const own = buffers.slice(taken, taken + count);
    taken += count;
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
function everywhere(text) {
  return { page: text, notebook: text, elsewhere: text };
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
  say(standing2, { text, urgent }) {
    this.shown = standing2;
    this.line.setAttribute("role", urgent ? "alert" : "status");
    this.container.append(this.line);
    this.line.textContent = text;
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
    return (text) => Object.hasOwn(texts, text) ? texts[text] ?? text : text;
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

// src/controls/picker/search.ts
var MARKS = /\p{M}/gu;
var WORD_CHARACTER = /[\p{L}\p{N}]/u;
function fold(text) {
  return text.normalize("NFKD").replace(MARKS, "").toLowerCase();
}
function splitWords(query) {
  return fold(query).split(/\s+/u).filter((word) => word !== "");
}
function startsWord(text, at) {
  return at === 0 || !WORD_CHARACTER.test(text[at - 1] ?? "");
}
function hasWordStart(text, word) {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (startsWord(text, at)) return true;
  }
  return false;
}
var OptionSearch = class {
  folded;
  constructor(options) {
    this.folded = options.map(fold);
  }
  /**
   * Indices of the options that contain every word of `query`, in any order: first those that begin with the query, then
   * those where each word begins a word, then the rest. Within a rank, and for an empty query, `order` comes first.
   */
  matches(query, order = []) {
    const wanted = splitWords(query);
    const whole = wanted.join(" ");
    const ranks = [[], [], []];
    for (const index of this.ordered(order)) {
      const text = this.folded[index] ?? "";
      if (!wanted.every((word) => text.includes(word))) continue;
      const rank = text.startsWith(whole) ? 0 : wanted.every((word) => hasWordStart(text, word)) ? 1 : 2;
      ranks[rank].push(index);
    }
    return ranks.flat();
  }
  ordered(order) {
    const first = new Set(order.filter((index) => Number.isInteger(index) && index >= 0 && index < this.folded.length));
    const rest = this.folded.map((_, index) => index).filter((index) => !first.has(index));
    return [...first, ...rest];
  }
};
function markMatches(label, query) {
  const characters = [...label];
  const origin = [];
  let folded = "";
  characters.forEach((character, index) => {
    const piece = fold(character);
    folded += piece;
    for (let i = 0; i < piece.length; i++) origin.push(index);
  });
  const found = new Array(characters.length).fill(false);
  for (const word of splitWords(query)) {
    for (let at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + word.length)) {
      for (let i = at; i < at + word.length; i++) found[origin[i] ?? 0] = true;
    }
  }
  const parts = [];
  characters.forEach((character, index) => {
    const last2 = parts.at(-1);
    if (last2 && last2.found === found[index]) last2.text += character;
    else parts.push({ text: character, found: found[index] ?? false });
  });
  return parts;
}

// src/controls/picker/listbox.ts
var MARGIN = 4;
var SPARE_ROWS = 4;
var Listbox = class {
  constructor(anchor, id) {
    this.anchor = anchor;
    this.id = id;
    this.root.id = `${id}-list`;
    this.root.hidden = true;
    this.none.textContent = "Nothing matches.";
    this.root.append(this.space, this.none);
    this.root.addEventListener("scroll", () => this.draw(), { passive: true });
  }
  anchor;
  id;
  root = element("div", "cnnviz-picker-list", { role: "listbox", tabindex: "-1", popover: "manual" });
  space = element("div", "cnnviz-picker-space", { role: "presentation" });
  none = element("div", "cnnviz-picker-none", { role: "presentation" });
  rows = [];
  query = "";
  chosen = null;
  at = -1;
  rowHeight = 28;
  shown = false;
  get open() {
    return this.shown;
  }
  get size() {
    return this.rows.length;
  }
  /** The row under the cursor. */
  get active() {
    return this.rows[this.at] ?? null;
  }
  /** Id of the cursor's element, for aria-activedescendant. */
  get activeId() {
    return this.shown && this.active ? this.optionId(this.at) : "";
  }
  fill(rows, query, chosen, at) {
    this.rows = rows;
    this.query = query;
    this.chosen = chosen;
    this.at = Math.min(at, rows.length - 1);
    if (this.shown) {
      this.place();
      this.reveal();
    }
  }
  show() {
    this.shown = true;
    this.root.hidden = false;
    if (typeof this.root.showPopover === "function" && !this.root.matches(":popover-open")) this.root.showPopover();
    this.rowHeight = this.anchor.offsetHeight >= 40 ? 40 : 28;
    this.place();
    this.reveal();
  }
  hide() {
    this.shown = false;
    if (typeof this.root.hidePopover === "function" && this.root.matches(":popover-open")) this.root.hidePopover();
    this.root.hidden = true;
    this.space.replaceChildren();
  }
  /** Put the cursor on row `at`, or on none in an empty list; `reveal` also scrolls to it. */
  moveTo(at, reveal = true) {
    this.at = Math.min(this.rows.length - 1, Math.max(0, at));
    if (reveal) this.reveal();
    else this.draw();
  }
  moveBy(step) {
    this.moveTo(this.at + step);
  }
  /** Rows of a page. */
  get page() {
    return Math.max(1, Math.floor(this.root.clientHeight / this.rowHeight) - 1);
  }
  /** The row that an event hit. */
  rowOf(event) {
    const option = event.target instanceof Element ? event.target.closest("[role=option]") : null;
    return option ? Number(option.dataset["row"]) : null;
  }
  /** Lie below the anchor, or above where there is more room; false when the anchor is out of sight. */
  place() {
    const box = this.anchor.getBoundingClientRect();
    if (box.bottom < 0 || box.top > innerHeight) return false;
    const below = innerHeight - box.bottom - 2 * MARGIN;
    const above = box.top - 2 * MARGIN;
    const wanted = Math.min(this.contentHeight() + 2, 12 * this.rowHeight);
    const upwards = below < wanted && above > below;
    const height = Math.max(this.rowHeight, Math.min(wanted, upwards ? above : below));
    const width = Math.min(Math.max(box.width, 220), innerWidth - 2 * MARGIN);
    Object.assign(this.root.style, {
      width: `${width}px`,
      height: `${height}px`,
      left: `${Math.max(MARGIN, Math.min(box.left, innerWidth - width - MARGIN))}px`,
      top: `${upwards ? box.top - MARGIN - height : box.bottom + MARGIN}px`
    });
    return true;
  }
  contentHeight() {
    return this.rows.length === 0 ? 38 : this.rows.length * this.rowHeight + 2 * MARGIN;
  }
  reveal() {
    if (this.shown && this.at >= 0) {
      const top = MARGIN + this.at * this.rowHeight;
      const { scrollTop, clientHeight } = this.root;
      if (top < scrollTop + MARGIN) this.root.scrollTop = top - MARGIN;
      else if (top + this.rowHeight > scrollTop + clientHeight - MARGIN) {
        this.root.scrollTop = top + this.rowHeight + MARGIN - clientHeight;
      }
    }
    this.draw();
  }
  draw() {
    if (!this.shown) return;
    const empty = this.rows.length === 0;
    this.none.hidden = !empty;
    this.space.hidden = empty;
    this.space.style.height = `${this.contentHeight()}px`;
    const { scrollTop, clientHeight } = this.root;
    const first = Math.max(0, Math.floor(scrollTop / this.rowHeight) - SPARE_ROWS);
    const end = Math.min(this.rows.length, Math.ceil((scrollTop + clientHeight) / this.rowHeight) + SPARE_ROWS);
    const visible = /* @__PURE__ */ new Set();
    for (let row = first; row < end; row++) visible.add(row);
    if (this.at >= 0) visible.add(this.at);
    this.space.replaceChildren(...[...visible].sort((a, b) => a - b).map((row) => this.option(row)));
  }
  option(row) {
    const { index, label, hint, apart } = this.rows[row];
    const option = element("div", "cnnviz-picker-option", {
      role: "option",
      id: this.optionId(row),
      "aria-selected": String(index === this.chosen),
      "aria-posinset": String(row + 1),
      "aria-setsize": String(this.rows.length),
      "data-row": String(row)
    });
    option.classList.toggle("cnnviz-picker-active", row === this.at);
    option.classList.toggle("cnnviz-picker-apart", apart);
    option.style.top = `${MARGIN + row * this.rowHeight}px`;
    option.style.height = `${this.rowHeight}px`;
    const name = element("span", "cnnviz-picker-label");
    name.title = label;
    for (const { text, found } of markMatches(label, this.query)) {
      const part = found ? document.createElement("mark") : document.createElement("span");
      part.textContent = text;
      name.append(part);
    }
    option.append(name);
    if (hint) {
      const side = element("span", "cnnviz-picker-hint");
      side.textContent = hint;
      option.append(side);
    }
    return option;
  }
  optionId(row) {
    return `${this.id}-option-${row}`;
  }
};

// src/controls/picker/combobox.ts
var OPENING_KEYS = /* @__PURE__ */ new Set(["ArrowDown", "ArrowUp", "Enter"]);
var Combobox = class {
  constructor(view, box, pick) {
    this.view = view;
    this.box = box;
    this.pick = pick;
    this.list = new Listbox(box, view.id);
    this.input.setAttribute("aria-controls", this.list.root.id);
    box.append(this.hint);
    view.root.append(this.list.root);
    this.listenToText();
    this.listenToList();
  }
  view;
  box;
  pick;
  input = element("input", "cnnviz-picker-input", {
    type: "text",
    role: "combobox",
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "data-lm-suppress-shortcuts": "true"
  });
  hint = element("span", "cnnviz-picker-hint");
  list;
  search = new OptionSearch([]);
  searched = [];
  searchedIn;
  labels = [];
  index = null;
  /** What is being searched for; null while the text is the chosen option's. */
  query = null;
  draw(chosen) {
    const { view, list } = this;
    this.index = chosen;
    this.input.placeholder = view.say(view.get("placeholder"));
    if (this.query === null || !list.open) this.restore();
    this.hint.textContent = (chosen === null ? "" : view.get("hints")[chosen]) ?? "";
    if (list.open) this.fill();
  }
  listenToText() {
    const { view, input, list } = this;
    view.listen(input, "input", () => {
      this.query = input.value;
      if (list.open) this.fill();
      else this.open();
    });
    view.listen(this.box, "mousedown", (event) => this.press(event));
    view.listen(input, "blur", () => {
      if (document.activeElement !== input) this.close();
    });
    view.listen(input, "keydown", (event) => this.handleKey(event));
  }
  listenToList() {
    const { view, list } = this;
    view.listen(list.root, "mousedown", (event) => event.preventDefault());
    view.listen(list.root, "click", (event) => {
      const row = list.rowOf(event);
      if (row === null) return;
      list.moveTo(row);
      this.choose(list.active);
    });
    view.listen(list.root, "pointermove", (event) => {
      const row = list.rowOf(event);
      if (row === null || event.movementX === 0 && event.movementY === 0) return;
      list.moveTo(row, false);
      this.announce();
    });
    const follow = (event) => {
      if (list.open && event.target !== list.root && !list.place()) this.close();
    };
    view.listen(document, "scroll", follow, { capture: true, passive: true });
    view.listen(window, "resize", follow);
  }
  press(event) {
    const { input, list } = this;
    if (input.disabled || event.button !== 0) return;
    const inText = event.target === input;
    const entering = document.activeElement !== input;
    if (!inText || entering) event.preventDefault();
    if (list.open && !inText) {
      this.close();
      return;
    }
    input.focus();
    if (entering) input.select();
    this.open();
  }
  handleKey(event) {
    if (event.isComposing) return;
    const act = this.list.open ? this.openListKeys(event)[event.key] : OPENING_KEYS.has(event.key) && this.open;
    if (!act || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    act();
    this.announce();
  }
  openListKeys({ altKey }) {
    const { list } = this;
    return {
      ArrowDown: () => altKey ? this.close() : list.moveBy(1),
      ArrowUp: () => altKey ? this.close() : list.moveBy(-1),
      PageDown: () => list.moveBy(list.page),
      PageUp: () => list.moveBy(-list.page),
      Enter: () => this.choose(list.active),
      Escape: () => {
        this.close();
        this.input.select();
      }
    };
  }
  open = () => {
    if (this.list.open || this.input.disabled) return;
    this.fill();
    this.list.show();
    this.announce();
  };
  close() {
    this.list.hide();
    this.restore();
    this.announce();
  }
  choose(row) {
    if (row === null) return;
    this.list.hide();
    this.pick(row.index);
    this.input.select();
    this.announce();
  }
  fill() {
    const { view, query } = this;
    const options = view.get("options");
    const hints = view.get("hints");
    const texts = view.get("texts");
    if (options !== this.searched || texts !== this.searchedIn) {
      this.labels = options.map(view.say);
      this.search = new OptionSearch(this.labels);
      this.searched = options;
      this.searchedIn = texts;
    }
    const order = view.get("order");
    const rows = this.search.matches(query ?? "", order).map((at2, row) => ({
      index: at2,
      label: this.labels[at2] ?? "",
      hint: hints[at2] ?? "",
      apart: !query && row > 0 && row === order.length
    }));
    const at = query === null ? rows.findIndex((row) => row.index === this.index) : 0;
    this.list.fill(rows, query ?? "", this.index, Math.max(0, at));
    this.announce();
  }
  restore() {
    this.query = null;
    this.input.value = this.index === null ? "" : this.view.say(this.view.get("options")[this.index] ?? "");
  }
  announce() {
    this.hint.hidden = this.query !== null;
    this.input.setAttribute("aria-expanded", String(this.list.open));
    this.input.setAttribute("aria-activedescendant", this.list.activeId);
  }
};

// src/controls/picker/picker.css
var picker_default = ':is(.cnnviz,.cnnviz-view,.cnnviz-explorer){--cnnviz-text: var(--vscode-foreground, var(--jp-ui-font-color1, #1b1f24));--cnnviz-text-quiet: var(--vscode-descriptionForeground, var(--jp-ui-font-color2, #57606a));--cnnviz-surface: var(--vscode-editor-background, var(--jp-layout-color1, #fff));--cnnviz-raised: var(--vscode-dropdown-background, var(--jp-layout-color1, #fff));--cnnviz-sunken: var(--vscode-input-background, var(--jp-layout-color2, #f4f6f8));--cnnviz-line: var(--vscode-input-border, var(--jp-border-color1, #d8dde3));--cnnviz-line-quiet: var(--vscode-widget-border, var(--jp-border-color2, #d8dde3));--cnnviz-accent: var(--vscode-focusBorder, var(--jp-brand-color1, #1769c9));--cnnviz-error: var(--vscode-errorForeground, var(--jp-error-color1, #b3261e));--cnnviz-hover: color-mix(in srgb, var(--cnnviz-accent) 12%, transparent);--cnnviz-chosen: color-mix(in srgb, var(--cnnviz-accent) 24%, transparent);--cnnviz-edge: #848d97;--cnnviz-ghost: #9aa4af;--cnnviz-shadow: 0 4px 16px rgb(0 0 0 / 24%);--cnnviz-font: var(--vscode-font-family, var(--jp-ui-font-family, system-ui, sans-serif));--cnnviz-size: 14px;--cnnviz-size-small: 12px;--cnnviz-radius: 6px;--cnnviz-height: 36px;box-sizing:border-box;min-width:0;color:var(--cnnviz-text);font:var(--cnnviz-size) / 1.4 var(--cnnviz-font)}.cnnviz-ruled::before{display:block;width:var(--cnnviz-width, 220px);height:0;content:""}.cnnviz[data-waiting]{cursor:progress;opacity:0.65}.cnnviz-view :is(.cnnviz-status,.cnnviz-picture,.cnnviz-tiles,.bqplot,.widget-html){transition:opacity 0.15s}[data-cnnviz-unanswered] .cnnviz-view :is(.cnnviz-status,.cnnviz-picture:not([data-waiting]),.cnnviz-tiles:not([data-waiting]),.bqplot,.widget-html){opacity:0.55}.cnnviz-picture[data-waiting]{opacity:1}[data-cnnviz-ended]:not([data-cnnviz-ended] *){opacity:0.55}[data-cnnviz-ended] .cnnviz[data-waiting]{cursor:auto;opacity:1}[data-cnnviz-ended] :is(button,input,select,textarea,canvas,svg,[role=slider],[role=listbox]){pointer-events:none}[data-cnnviz-ended].jupyter-widgets-disconnected::before,[data-cnnviz-ended] .jupyter-widgets-disconnected::before{display:none}.cnnviz-notice{position:fixed;bottom:16px;left:50%;z-index:1000;width:max-content;max-width:calc(100% - 32px);padding:10px 16px;color:var(--cnnviz-text);background:var(--cnnviz-raised);border:1px solid var(--cnnviz-line);border-left:4px solid var(--cnnviz-accent);border-radius:var(--cnnviz-radius);box-shadow:var(--cnnviz-shadow);font-weight:600;transform:translateX(-50%)}.cnnviz-notice[role=alert]{border-left-color:var(--cnnviz-error)}.jp-NotebookPanel>.cnnviz-notice,.jp-Document>.cnnviz-notice{position:absolute}.cnnviz *,.cnnviz *::before,.cnnviz *::after{box-sizing:border-box}@supports (color: light-dark(#000,#fff)){:is(.cnnviz,.cnnviz-view,.cnnviz-explorer){--cnnviz-text: var(--vscode-foreground, var(--jp-ui-font-color1, light-dark(#1b1f24, #e8eaed)));--cnnviz-text-quiet: var(--vscode-descriptionForeground, var(--jp-ui-font-color2, light-dark(#57606a, #a9b2bc)));--cnnviz-surface: var(--vscode-editor-background, var(--jp-layout-color1, light-dark(#fff, #14171b)));--cnnviz-raised: var(--vscode-dropdown-background, var(--jp-layout-color1, light-dark(#fff, #232930)));--cnnviz-sunken: var(--vscode-input-background, var(--jp-layout-color2, light-dark(#f4f6f8, #1c2126)));--cnnviz-line: var(--vscode-input-border, var(--jp-border-color1, light-dark(#d8dde3, #343b43)));--cnnviz-line-quiet: var(--vscode-widget-border, var(--jp-border-color2, light-dark(#d8dde3, #343b43)));--cnnviz-accent: var(--vscode-focusBorder, var(--jp-brand-color1, light-dark(#1769c9, #7ab7ff)));--cnnviz-error: var(--vscode-errorForeground, var(--jp-error-color1, light-dark(#b3261e, #ff9c93)));--cnnviz-edge: light-dark(#848d97, #6f7a86);--cnnviz-ghost: light-dark(#9aa4af, #7c8794)}}[data-jp-theme-light=true] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.vscode-light :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),[data-theme=light] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer){color-scheme:light}[data-jp-theme-light=false] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.vscode-dark :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.dark :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.dark-theme :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),[data-theme=dark] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),html[theme=dark] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.vscode-high-contrast:not(.vscode-high-contrast-light) :is(.cnnviz,.cnnviz-view,.cnnviz-explorer){color-scheme:dark}.cnnviz :focus-visible{outline:2px solid var(--cnnviz-accent);outline-offset:1px}.cnnviz-hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}@media(pointer:coarse){:is(.cnnviz,.cnnviz-view,.cnnviz-explorer){--cnnviz-height: 44px}}.cnnviz-icon{display:block;width:16px;height:16px;fill:none;stroke:currentcolor;stroke-width:1.5;stroke-linecap:round;stroke-linejoin:round;pointer-events:none}.cnnviz-icon-button{display:grid;flex:none;width:var(--cnnviz-height);height:var(--cnnviz-height);padding:0;color:var(--cnnviz-text-quiet);background:none;border:0;border-radius:var(--cnnviz-radius);cursor:pointer;place-items:center}.cnnviz-icon-button:hover:not(:disabled){color:var(--cnnviz-text);background:var(--cnnviz-hover)}.cnnviz-icon-button:disabled{cursor:default;opacity:0.4}.cnnviz-picker{padding:2px 4px}.cnnviz-picker-description{display:block;overflow:hidden;color:var(--cnnviz-text-quiet);font-size:var(--cnnviz-size-small);line-height:18px;contain:inline-size;text-overflow:ellipsis;white-space:nowrap}.cnnviz-picker-field{position:relative;display:flex;align-items:center;height:var(--cnnviz-height);background:var(--cnnviz-raised);border:1px solid var(--cnnviz-edge);border-radius:var(--cnnviz-radius);contain:inline-size}.cnnviz-picker-field:hover:not(.cnnviz-picker-disabled){border-color:var(--cnnviz-text-quiet)}.cnnviz-picker-field:focus-within{border-color:var(--cnnviz-accent);box-shadow:0 0 0 1px var(--cnnviz-accent)}.cnnviz-picker-disabled{opacity:0.5}.cnnviz-picker .cnnviz-picker-input{flex:1;min-width:0;height:100%;margin:0;padding:0 0 0 8px;overflow:hidden;color:inherit;font:inherit;text-overflow:ellipsis;background:none;border:0}.cnnviz .cnnviz-picker-input:focus-visible{outline:none}.cnnviz-picker-input::placeholder{color:var(--cnnviz-text-quiet);opacity:1}.cnnviz-picker select.cnnviz-picker-input{padding:0 24px 0 8px;cursor:pointer;appearance:none}.cnnviz-picker select option{color:var(--cnnviz-text);background:var(--cnnviz-raised)}.cnnviz-picker-hint{flex:none;padding-left:12px;color:var(--cnnviz-text-quiet);font-size:var(--cnnviz-size-small);font-variant-numeric:tabular-nums}.cnnviz-picker-arrow{display:grid;flex:none;width:26px;height:100%;color:var(--cnnviz-text-quiet);place-items:center;pointer-events:none}select+.cnnviz-picker-arrow{margin-left:-26px}.cnnviz-picker-list{position:fixed;inset:auto;z-index:1000;margin:0;padding:0;overflow:hidden auto;color:var(--cnnviz-text);background:var(--cnnviz-raised);border:1px solid var(--cnnviz-edge);border-radius:var(--cnnviz-radius);box-shadow:var(--cnnviz-shadow);overscroll-behavior:contain}.cnnviz-picker-list[hidden]{display:none}.cnnviz-picker-space{position:relative}.cnnviz-picker-option{position:absolute;right:4px;left:4px;display:flex;align-items:center;padding:0 8px;border-radius:var(--cnnviz-radius);cursor:pointer}.cnnviz-picker-label{flex:1;min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}.cnnviz-picker-label mark{color:inherit;font-weight:700;background:none}.cnnviz-picker-option[aria-selected=true]{box-shadow:inset 3px 0 0 var(--cnnviz-accent)}.cnnviz-picker-apart::before{position:absolute;inset:0 4px auto;border-top:1px solid var(--cnnviz-line-quiet);content:""}.cnnviz-picker-active{background:var(--cnnviz-chosen)}.cnnviz-picker-none{padding:8px 12px;color:var(--cnnviz-text-quiet)}\n';

// src/controls/picker/index.ts
var FEW = 12;
function render(view) {
  view.root.classList.add("cnnviz-ruled");
  const draw = () => field.draw(chosen.value);
  const [chosen, queue] = control(view, "index", draw);
  const pick = (index) => {
    const option = view.get("options")[index];
    if (option === void 0) return;
    chosen.move(index);
    queue.offer({ index, option }, true);
    draw();
  };
  const description = element("label", "cnnviz-picker-description", { for: view.id });
  const box = element("div", "cnnviz-picker-field");
  const searchable = view.get("searchable") ?? view.get("options").length > FEW;
  const field = searchable ? new Combobox(view, box, pick) : nativeList(view, pick);
  field.input.id = view.id;
  const arrow = element("span", "cnnviz-picker-arrow");
  arrow.append(icon("m4 6 4 4 4-4"));
  box.prepend(field.input);
  box.append(arrow);
  view.root.prepend(description, box);
  view.follow(["options", "hints", "order", "placeholder", "texts"], draw);
  view.follow(["disabled"], () => {
    field.input.disabled = view.get("disabled");
    box.classList.toggle("cnnviz-picker-disabled", view.get("disabled"));
  });
  view.follow(["description", "texts"], () => {
    const text = view.say(view.get("description"));
    description.textContent = description.title = text;
    description.hidden = text === "";
    if (text === "") field.input.setAttribute("aria-label", view.say(view.get("placeholder")) || "Option");
    else field.input.removeAttribute("aria-label");
  });
  view.follow(["tooltip", "texts"], () => setTooltip(view.root, field.input, view.say(view.get("tooltip") ?? "")));
}
function nativeList(view, pick) {
  const input = element("select", "cnnviz-picker-input", { "data-lm-suppress-shortcuts": "true" });
  view.listen(input, "change", () => pick(Number(input.value)));
  return {
    input,
    draw(index) {
      const { say } = view;
      const hints = view.get("hints");
      const made = view.get("options").map((option, at) => {
        const [label, hint] = [say(option), hints[at]];
        return new Option(hint ? `${label}  (${hint})` : label, String(at));
      });
      if (index === null) {
        const blank = new Option(say(view.get("placeholder")), "");
        blank.disabled = blank.hidden = true;
        made.unshift(blank);
      }
      input.replaceChildren(...made);
      input.value = index === null ? "" : String(index);
    }
  };
}
var picker_default2 = define("picker", picker_default, render);
export {
  picker_default2 as default
};
