// Built from js/src by scripts/build-js: change it there.

// src/model.ts
async function hostModel(model) {
  return await model.widget_manager?.get_model?.(String(model.get("_host_id"))) ?? null;
}

// src/hearing.ts
function initialize({ model }) {
  void listenAgain(model).catch((error) => console.warn("cnnviz: a widget may not hear the kernel", error));
}
async function listenAgain(model) {
  const host = await hostModel(model);
  const comm = host?.comm;
  if (!host || !comm || await hears(host)) return;
  const anywidgets = Object.getPrototypeOf(host);
  const original = Object.getPrototypeOf(anywidgets);
  comm.on_msg((message) => original._handle_comm_msg.call(host, message));
  model.send({ kind: "state" });
}
async function hears(host) {
  try {
    await host._handle_comm_msg({ content: { data: { method: "none" } } });
    return true;
  } catch {
    return false;
  }
}

// src/search.ts
var MARKS = /\p{M}/gu;
var WORD_CHARACTER = /[\p{L}\p{N}]/u;
function fold(text) {
  return text.normalize("NFKD").replace(MARKS, "").toLowerCase();
}
function words(query) {
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
    const wanted = words(query);
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
function marked(label, query) {
  const characters = [...label];
  const origin = [];
  let folded = "";
  characters.forEach((character, index) => {
    const piece = fold(character);
    folded += piece;
    for (let i = 0; i < piece.length; i++) origin.push(index);
  });
  const found = new Array(characters.length).fill(false);
  for (const word of words(query)) {
    for (let at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + word.length)) {
      for (let i = at; i < at + word.length; i++) found[origin[i] ?? 0] = true;
    }
  }
  const parts = [];
  characters.forEach((character, index) => {
    const last = parts.at(-1);
    if (last && last.found === found[index]) last.text += character;
    else parts.push({ text: character, found: found[index] ?? false });
  });
  return parts;
}

// src/standing.ts
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

// src/notice.ts
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
  return container[KEY] ??= new Notice(container, placeOf(notebook));
}
function placeOf(notebook) {
  if (notebook !== null) return "notebook";
  return document.getElementById("jupyter-config-data") === null ? "elsewhere" : "page";
}

// src/link.ts
var LOOK_EVERY = 1e3;
var PANEL = ".cnnviz-view";
var links = /* @__PURE__ */ new Set();
var looking;
var Link = class {
  constructor(model, root, id) {
    this.model = model;
    this.root = root;
    this.id = id;
    links.add(this);
    looking ??= setInterval(() => links.forEach((link) => link.look()), LOOK_EVERY);
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
      return this.mark();
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
  /** An answer to `channel` is overdue, or has come. */
  silence(channel, silent) {
    if (silent) this.overdue.add(channel);
    else this.overdue.delete(channel);
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

// src/one_in_flight.ts
var browserClock = {
  set: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clear: (handle) => clearTimeout(handle)
};
var OneInFlight = class {
  /** `onSilence` hears when an answer is overdue (true), and when answers come again (false). */
  constructor(send, timeout = 1500, clock = browserClock, onSilence = () => {
  }) {
    this.send = send;
    this.timeout = timeout;
    this.clock = clock;
    this.onSilence = onSilence;
    this.sequence = Math.floor(Math.random() * 2 ** 48);
  }
  send;
  timeout;
  clock;
  onSilence;
  sequence = 0;
  inFlight = null;
  pending = null;
  timer = null;
  silent = false;
  /** Send an event now, or keep it as the newest one waiting. `final` marks the end of a gesture. */
  offer(payload, final = false, buffers) {
    this.pending = { payload, final, buffers };
    this.pump();
  }
  /** Feed every custom message of the kernel here; returns whether it was an acknowledgement. */
  receive(message) {
    if (typeof message !== "object" || message === null) return false;
    const { kind, seq } = message;
    if (kind !== "ack") return false;
    this.heard(false);
    if (seq === this.inFlight) this.release();
    return true;
  }
  get busy() {
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
  pump() {
    if (this.inFlight !== null || this.pending === null) return;
    const event = this.pending;
    this.pending = null;
    this.timer = this.clock.set(() => {
      this.heard(true);
      this.release();
    }, this.timeout);
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
    this.pump();
  }
  heard(silent) {
    if (silent === this.silent) return;
    this.silent = silent;
    this.onSilence(silent);
  }
};

// src/view.ts
var View = class {
  root;
  /** Unique in the page: two views of one model must not share element ids. */
  id = `cnnviz-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
  link;
  model;
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
  get(name) {
    return this.model.get(name);
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
  hear(callback) {
    this.on("msg:custom", callback);
  }
  /**
   * A channel to the kernel with one message in flight; `sent` learns the number of each message that leaves, `busy`
   * whether an answer is overdue. While it is, the view says so: the kernel is busy, or gone.
   */
  channel(sent = () => {
  }, busy = () => {
  }) {
    const send = (message, buffers) => {
      sent(message["seq"]);
      this.link.send(message, buffers);
    };
    const silence = (silent) => {
      this.root.toggleAttribute("data-waiting", silent);
      this.link.silence(channel, silent);
      busy(silent);
    };
    const channel = new OneInFlight(send, void 0, void 0, silence);
    this.hear((message) => channel.receive(message));
    this.onDispose(() => channel.dispose());
    return channel;
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

// src/listbox.ts
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
    for (const { text, found } of marked(label, this.query)) {
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

// src/combobox.ts
function combobox(view, box, pick) {
  const input = element("input", "cnnviz-picker-input", {
    type: "text",
    role: "combobox",
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "data-lm-suppress-shortcuts": "true"
  });
  const hint = element("span", "cnnviz-picker-hint");
  const list = new Listbox(box, view.id);
  input.setAttribute("aria-controls", list.root.id);
  box.append(hint);
  view.root.append(list.root);
  let search = new OptionSearch([]);
  let searched = [];
  let index = null;
  let query = null;
  const announce = () => {
    hint.hidden = query !== null;
    input.setAttribute("aria-expanded", String(list.open));
    input.setAttribute("aria-activedescendant", list.activeId);
  };
  const restore = () => {
    query = null;
    input.value = index === null ? "" : view.get("options")[index] ?? "";
  };
  const fill = () => {
    const options = view.get("options");
    const hints = view.get("hints");
    if (options !== searched) {
      search = new OptionSearch(options);
      searched = options;
    }
    const order = view.get("order");
    const rows = search.matches(query ?? "", order).map((at2, row) => ({
      index: at2,
      label: options[at2] ?? "",
      hint: hints[at2] ?? "",
      apart: !query && row > 0 && row === order.length
    }));
    const at = query === null ? rows.findIndex((row) => row.index === index) : 0;
    list.fill(rows, query ?? "", index, Math.max(0, at));
    announce();
  };
  const open = () => {
    if (list.open || input.disabled) return;
    fill();
    list.show();
    announce();
  };
  const close = () => {
    list.hide();
    restore();
    announce();
  };
  const choose = (row) => {
    if (row === null) return;
    list.hide();
    pick(row.index);
    input.select();
    announce();
  };
  view.listen(input, "input", () => {
    query = input.value;
    list.open ? fill() : open();
  });
  view.listen(box, "mousedown", (event) => {
    if (input.disabled || event.button !== 0) return;
    const inText = event.target === input;
    const entering = document.activeElement !== input;
    if (!inText || entering) event.preventDefault();
    if (list.open && !inText) return close();
    input.focus();
    if (entering) input.select();
    open();
  });
  view.listen(input, "blur", () => {
    if (document.activeElement !== input) close();
  });
  view.listen(list.root, "mousedown", (event) => event.preventDefault());
  view.listen(list.root, "click", (event) => {
    const row = list.rowOf(event);
    if (row === null) return;
    list.moveTo(row);
    choose(list.active);
  });
  view.listen(list.root, "pointermove", (event) => {
    const row = list.rowOf(event);
    if (row === null || event.movementX === 0 && event.movementY === 0) return;
    list.moveTo(row, false);
    announce();
  });
  view.listen(input, "keydown", (event) => {
    if (event.isComposing) return;
    const keys = list.open ? {
      ArrowDown: () => event.altKey ? close() : list.moveBy(1),
      ArrowUp: () => event.altKey ? close() : list.moveBy(-1),
      PageDown: () => list.moveBy(list.page),
      PageUp: () => list.moveBy(-list.page),
      Enter: () => choose(list.active),
      Escape: () => {
        close();
        input.select();
      }
    } : { ArrowDown: open, ArrowUp: open, Enter: open };
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    act();
    announce();
  });
  const follow = (event) => {
    if (list.open && event.target !== list.root && !list.place()) close();
  };
  view.listen(document, "scroll", follow, { capture: true, passive: true });
  view.listen(window, "resize", follow);
  return {
    input,
    draw(chosen) {
      index = chosen;
      input.placeholder = view.get("placeholder");
      if (query === null || !list.open) restore();
      hint.textContent = (index === null ? "" : view.get("hints")[index]) ?? "";
      if (list.open) fill();
    }
  };
}

// src/held.ts
var Held = class {
  constructor(current, same = Object.is) {
    this.current = current;
    this.same = same;
  }
  current;
  same;
  gripped = false;
  unconfirmed = null;
  get value() {
    return this.current;
  }
  /** Whether the hand is on the control. */
  get inHand() {
    return this.gripped;
  }
  grip() {
    this.gripped = true;
  }
  letGo() {
    this.gripped = false;
  }
  /** The hand has moved to `value`. */
  move(value) {
    this.current = value;
  }
  /** An event left for the kernel; `seq` is the number it will acknowledge. */
  sent(seq) {
    if (typeof seq === "number") this.unconfirmed = seq;
  }
  /** The kernel says `value`; returns whether to show it. */
  offered(value) {
    if (this.same(value, this.current)) {
      this.unconfirmed = null;
      return false;
    }
    if (this.gripped || this.unconfirmed !== null) return false;
    this.current = value;
    return true;
  }
  /** A custom message came; with the acknowledgement of the newest event, take over the kernel's value `value`. */
  acknowledged(message, value) {
    const { kind, seq } = message ?? {};
    if (kind !== "ack" || seq !== this.unconfirmed) return false;
    this.unconfirmed = null;
    return this.offered(value);
  }
};

// src/picker.css
var picker_default = '/* src/theme.css */\n.cnnviz {\n  --cnnviz-text: var(--vscode-foreground, var(--jp-ui-font-color1, #1f2328));\n  --cnnviz-text-quiet: var(--vscode-descriptionForeground, var(--jp-ui-font-color2, #59636e));\n  --cnnviz-surface: var(--vscode-editor-background, var(--jp-layout-color1, #fff));\n  --cnnviz-raised: var(--vscode-dropdown-background, var(--jp-layout-color1, #fff));\n  --cnnviz-sunken: var(--vscode-input-background, var(--jp-layout-color2, #f0f2f5));\n  --cnnviz-line: var(--vscode-input-border, var(--jp-border-color1, #b8bfc8));\n  --cnnviz-line-quiet: var(--vscode-widget-border, var(--jp-border-color2, #dde1e6));\n  --cnnviz-accent: var(--vscode-focusBorder, var(--jp-brand-color1, #1976d2));\n  --cnnviz-error: var(--vscode-errorForeground, var(--jp-error-color1, #c62828));\n  --cnnviz-hover: color-mix(in srgb, var(--cnnviz-accent) 12%, transparent);\n  --cnnviz-chosen: color-mix(in srgb, var(--cnnviz-accent) 24%, transparent);\n  --cnnviz-shadow: 0 4px 16px rgb(0 0 0 / 24%);\n  --cnnviz-font: var(--vscode-font-family, var(--jp-ui-font-family, system-ui, sans-serif));\n  --cnnviz-size: var(--jp-ui-font-size1, 13px);\n  --cnnviz-size-small: var(--jp-ui-font-size0, 11px);\n  --cnnviz-radius: 4px;\n  --cnnviz-height: 28px;\n  box-sizing: border-box;\n  min-width: 0;\n  color: var(--cnnviz-text);\n  font: var(--cnnviz-size) / 1.4 var(--cnnviz-font);\n}\n.cnnviz-ruled::before {\n  display: block;\n  width: var(--cnnviz-width, 220px);\n  height: 0;\n  content: "";\n}\n.cnnviz[data-waiting] {\n  cursor: progress;\n  opacity: 0.65;\n}\n.cnnviz-view :is(.cnnviz-status, .cnnviz-picture, .cnnviz-tiles, .bqplot, .widget-html) {\n  transition: opacity 0.15s;\n}\n[data-cnnviz-unanswered] .cnnviz-view :is(.cnnviz-status, .cnnviz-picture:not([data-waiting]), .cnnviz-tiles:not([data-waiting]), .bqplot, .widget-html) {\n  opacity: 0.55;\n}\n.cnnviz-picture[data-waiting] {\n  opacity: 1;\n}\n[data-cnnviz-ended]:not([data-cnnviz-ended] *) {\n  opacity: 0.55;\n}\n[data-cnnviz-ended] .cnnviz[data-waiting] {\n  cursor: auto;\n  opacity: 1;\n}\n[data-cnnviz-ended] :is(button, input, select, textarea, canvas, svg, [role=slider], [role=listbox]) {\n  pointer-events: none;\n}\n[data-cnnviz-ended].jupyter-widgets-disconnected::before,\n[data-cnnviz-ended] .jupyter-widgets-disconnected::before {\n  display: none;\n}\n.cnnviz-notice {\n  position: fixed;\n  bottom: 16px;\n  left: 50%;\n  z-index: 1000;\n  width: max-content;\n  max-width: calc(100% - 32px);\n  padding: 10px 16px;\n  color: var(--cnnviz-text);\n  background: var(--cnnviz-raised);\n  border: 1px solid var(--cnnviz-line);\n  border-left: 4px solid var(--cnnviz-accent);\n  border-radius: var(--cnnviz-radius);\n  box-shadow: var(--cnnviz-shadow);\n  font-weight: 600;\n  transform: translateX(-50%);\n}\n.cnnviz-notice[role=alert] {\n  border-left-color: var(--cnnviz-error);\n}\n.jp-NotebookPanel > .cnnviz-notice,\n.jp-Document > .cnnviz-notice {\n  position: absolute;\n}\n.cnnviz *,\n.cnnviz *::before,\n.cnnviz *::after {\n  box-sizing: border-box;\n}\n@supports (color: light-dark(#000, #fff)) {\n  .cnnviz {\n    --cnnviz-text: var(--vscode-foreground, var(--jp-ui-font-color1, light-dark(#1f2328, #e6e9ed)));\n    --cnnviz-text-quiet: var( --vscode-descriptionForeground, var(--jp-ui-font-color2, light-dark(#59636e, #9aa4af)) );\n    --cnnviz-surface: var(--vscode-editor-background, var(--jp-layout-color1, light-dark(#fff, #16191d)));\n    --cnnviz-raised: var(--vscode-dropdown-background, var(--jp-layout-color1, light-dark(#fff, #22272e)));\n    --cnnviz-sunken: var(--vscode-input-background, var(--jp-layout-color2, light-dark(#f0f2f5, #22272e)));\n    --cnnviz-line: var(--vscode-input-border, var(--jp-border-color1, light-dark(#b8bfc8, #4b545e)));\n    --cnnviz-line-quiet: var(--vscode-widget-border, var(--jp-border-color2, light-dark(#dde1e6, #343b43)));\n    --cnnviz-accent: var(--vscode-focusBorder, var(--jp-brand-color1, light-dark(#1976d2, #64b5f6)));\n    --cnnviz-error: var(--vscode-errorForeground, var(--jp-error-color1, light-dark(#c62828, #ff8a80)));\n  }\n}\n[data-jp-theme-light=true] .cnnviz,\n.vscode-light .cnnviz,\n[data-theme=light] .cnnviz {\n  color-scheme: light;\n}\n[data-jp-theme-light=false] .cnnviz,\n.vscode-dark .cnnviz,\n.vscode-high-contrast:not(.vscode-high-contrast-light) .cnnviz,\n.dark .cnnviz,\n.dark-theme .cnnviz,\nhtml[theme=dark] .cnnviz,\n[data-theme=dark] .cnnviz {\n  color-scheme: dark;\n}\n.cnnviz :focus-visible {\n  outline: 2px solid var(--cnnviz-accent);\n  outline-offset: 1px;\n}\n.cnnviz-hidden {\n  position: absolute;\n  width: 1px;\n  height: 1px;\n  overflow: hidden;\n  clip-path: inset(50%);\n  white-space: nowrap;\n}\n@media (pointer: coarse) {\n  .cnnviz {\n    --cnnviz-height: 40px;\n  }\n}\n.cnnviz-icon {\n  display: block;\n  width: 16px;\n  height: 16px;\n  fill: none;\n  stroke: currentcolor;\n  stroke-width: 1.5;\n  stroke-linecap: round;\n  stroke-linejoin: round;\n  pointer-events: none;\n}\n.cnnviz-icon-button {\n  display: grid;\n  flex: none;\n  width: var(--cnnviz-height);\n  height: var(--cnnviz-height);\n  padding: 0;\n  color: var(--cnnviz-text-quiet);\n  background: none;\n  border: 0;\n  border-radius: var(--cnnviz-radius);\n  cursor: pointer;\n  place-items: center;\n}\n.cnnviz-icon-button:hover:not(:disabled) {\n  color: var(--cnnviz-text);\n  background: var(--cnnviz-hover);\n}\n.cnnviz-icon-button:disabled {\n  cursor: default;\n  opacity: 0.4;\n}\n\n/* src/picker.css */\n.cnnviz-picker {\n  padding: 2px 4px;\n}\n.cnnviz-picker-description {\n  display: block;\n  overflow: hidden;\n  color: var(--cnnviz-text-quiet);\n  font-size: var(--cnnviz-size-small);\n  line-height: 18px;\n  contain: inline-size;\n  text-overflow: ellipsis;\n  white-space: nowrap;\n}\n.cnnviz-picker-field {\n  position: relative;\n  display: flex;\n  align-items: center;\n  height: var(--cnnviz-height);\n  background: var(--cnnviz-raised);\n  border: 1px solid var(--cnnviz-line);\n  border-radius: var(--cnnviz-radius);\n  contain: inline-size;\n}\n.cnnviz-picker-field:hover:not(.cnnviz-picker-disabled) {\n  border-color: var(--cnnviz-text-quiet);\n}\n.cnnviz-picker-field:focus-within {\n  border-color: var(--cnnviz-accent);\n  box-shadow: 0 0 0 1px var(--cnnviz-accent);\n}\n.cnnviz-picker-disabled {\n  opacity: 0.5;\n}\n.cnnviz-picker .cnnviz-picker-input {\n  flex: 1;\n  min-width: 0;\n  height: 100%;\n  margin: 0;\n  padding: 0 0 0 8px;\n  overflow: hidden;\n  color: inherit;\n  font: inherit;\n  text-overflow: ellipsis;\n  background: none;\n  border: 0;\n}\n.cnnviz .cnnviz-picker-input:focus-visible {\n  outline: none;\n}\n.cnnviz-picker-input::placeholder {\n  color: var(--cnnviz-text-quiet);\n  opacity: 1;\n}\n.cnnviz-picker select.cnnviz-picker-input {\n  padding: 0 24px 0 8px;\n  cursor: pointer;\n  appearance: none;\n}\n.cnnviz-picker select option {\n  color: var(--cnnviz-text);\n  background: var(--cnnviz-raised);\n}\n.cnnviz-picker-hint {\n  flex: none;\n  padding-left: 12px;\n  color: var(--cnnviz-text-quiet);\n  font-size: var(--cnnviz-size-small);\n  font-variant-numeric: tabular-nums;\n}\n.cnnviz-picker-arrow {\n  display: grid;\n  flex: none;\n  width: 26px;\n  height: 100%;\n  color: var(--cnnviz-text-quiet);\n  place-items: center;\n  pointer-events: none;\n}\nselect + .cnnviz-picker-arrow {\n  margin-left: -26px;\n}\n.cnnviz-picker-list {\n  position: fixed;\n  inset: auto;\n  z-index: 1000;\n  margin: 0;\n  padding: 0;\n  overflow: hidden auto;\n  color: var(--cnnviz-text);\n  background: var(--cnnviz-raised);\n  border: 1px solid var(--cnnviz-line);\n  border-radius: var(--cnnviz-radius);\n  box-shadow: var(--cnnviz-shadow);\n  overscroll-behavior: contain;\n}\n.cnnviz-picker-list[hidden] {\n  display: none;\n}\n.cnnviz-picker-space {\n  position: relative;\n}\n.cnnviz-picker-option {\n  position: absolute;\n  right: 4px;\n  left: 4px;\n  display: flex;\n  align-items: center;\n  padding: 0 8px;\n  border-radius: var(--cnnviz-radius);\n  cursor: pointer;\n}\n.cnnviz-picker-label {\n  flex: 1;\n  min-width: 0;\n  overflow: hidden;\n  text-overflow: ellipsis;\n  white-space: nowrap;\n}\n.cnnviz-picker-label mark {\n  color: inherit;\n  font-weight: 700;\n  background: none;\n}\n.cnnviz-picker-option[aria-selected=true] {\n  box-shadow: inset 3px 0 0 var(--cnnviz-accent);\n}\n.cnnviz-picker-apart::before {\n  position: absolute;\n  inset: 0 4px auto;\n  border-top: 1px solid var(--cnnviz-line-quiet);\n  content: "";\n}\n.cnnviz-picker-active {\n  background: var(--cnnviz-chosen);\n}\n.cnnviz-picker-none {\n  padding: 8px 12px;\n  color: var(--cnnviz-text-quiet);\n}\n';

// src/picker.ts
var FEW = 12;
function render(props) {
  const view = new View(props, "picker", picker_default);
  view.root.classList.add("cnnviz-ruled");
  const held = new Held(view.get("index"));
  const channel = view.channel((seq) => held.sent(seq));
  const pick = (index) => {
    const option = view.get("options")[index];
    if (option === void 0) return;
    held.move(index);
    channel.offer({ index, option }, true);
    field.draw(index);
  };
  const description = element("label", "cnnviz-picker-description", { for: view.id });
  const box = element("div", "cnnviz-picker-field");
  const searchable = view.get("searchable") ?? view.get("options").length > FEW;
  const field = searchable ? combobox(view, box, pick) : choice(view, pick);
  field.input.id = view.id;
  const arrow = element("span", "cnnviz-picker-arrow");
  arrow.append(icon("m4 6 4 4 4-4"));
  box.prepend(field.input);
  box.append(arrow);
  view.root.prepend(description, box);
  const draw = () => field.draw(held.value);
  view.hear((message) => {
    if (held.acknowledged(message, view.get("index"))) draw();
  });
  view.follow(["index"], () => {
    if (held.offered(view.get("index"))) draw();
  });
  view.follow(["options", "hints", "order", "placeholder"], draw);
  view.follow(["disabled"], () => {
    field.input.disabled = view.get("disabled");
    box.classList.toggle("cnnviz-picker-disabled", view.get("disabled"));
  });
  view.follow(["description"], () => {
    const text = view.get("description");
    description.textContent = description.title = text;
    description.hidden = text === "";
    if (text === "") field.input.setAttribute("aria-label", view.get("placeholder") || "Option");
    else field.input.removeAttribute("aria-label");
  });
  return view.dispose;
}
function choice(view, pick) {
  const input = element("select", "cnnviz-picker-input", { "data-lm-suppress-shortcuts": "true" });
  view.listen(input, "change", () => pick(Number(input.value)));
  return {
    input,
    draw(index) {
      const hints = view.get("hints");
      const made = view.get("options").map((label, at) => {
        const hint = hints[at];
        return new Option(hint ? `${label}  (${hint})` : label, String(at));
      });
      if (index === null) {
        const blank = new Option(view.get("placeholder"), "");
        blank.disabled = blank.hidden = true;
        made.unshift(blank);
      }
      input.replaceChildren(...made);
      input.value = index === null ? "" : String(index);
    }
  };
}
var picker_default2 = { initialize, render };
export {
  picker_default2 as default
};
