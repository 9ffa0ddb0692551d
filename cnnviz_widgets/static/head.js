// Built from js/src by scripts/build-js: change it there.

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

// src/core/reveal.ts
var COMING = 2e4;
var GROWING = 3e3;
function show(element2) {
  const { top, bottom } = element2.getBoundingClientRect();
  if (top >= 0 && (bottom <= innerHeight || top <= innerHeight / 2)) return;
  element2.scrollIntoView({ block: bottom - top <= innerHeight ? "nearest" : "start" });
}
function revealNext(root, selectors, signal) {
  const before = new Set(root.querySelectorAll(selectors));
  const done = new AbortController();
  const end = () => done.abort();
  signal.addEventListener("abort", end, { signal: done.signal });
  for (const name of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    window.addEventListener(name, end, { capture: true, passive: true, signal: done.signal });
  }
  let seen = false;
  const grown = new ResizeObserver((entries) => {
    const entry = entries.find(({ contentRect, target }) => target.isConnected && contentRect.height > 0);
    if (entry === void 0) return;
    show(entry.target);
    if (!seen) setTimeout(end, GROWING);
    seen = true;
  });
  const coming = new MutationObserver(() => {
    for (const each of root.querySelectorAll(selectors)) {
      if (!before.has(each)) grown.observe(each);
      before.add(each);
    }
  });
  coming.observe(root, { childList: true, subtree: true });
  setTimeout(end, COMING);
  done.signal.addEventListener("abort", () => {
    coming.disconnect();
    grown.disconnect();
  });
}

// src/core/takeaway.ts
var MOST = 64 * 2 ** 20;
function takeAway(message, buffers, id) {
  if (typeof message !== "object" || message === null) return null;
  const { kind, view, name, type, text } = message;
  if (view !== id) return null;
  if (kind === "copy" && typeof text === "string") {
    copy(text);
    return "copied";
  }
  const data = buffers[0];
  if (kind !== "download" || typeof name !== "string" || typeof type !== "string" || !data) return null;
  if (data.byteLength > MOST) return null;
  download(name, new Blob([data], { type }));
  return "saved";
}
function download(name, blob) {
  const link = element("a", "", { download: name });
  link.href = URL.createObjectURL(blob);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 6e4);
}
function copy(text) {
  const refused = () => download("view.py", new Blob([text], { type: "text/x-python" }));
  if (navigator.clipboard === void 0) refused();
  else navigator.clipboard.writeText(text).catch(refused);
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
function define(name, css, render) {
  return {
    initialize({ model }) {
      takeAnswers(model);
      reconnect({ model });
    },
    render(context) {
      const view = new View(context, name, css);
      render(view);
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

// src/controls/head.css
var head_default = ':is(.cnnviz,.cnnviz-view,.cnnviz-explorer){--cnnviz-text: var(--vscode-foreground, var(--jp-ui-font-color1, #1b1f24));--cnnviz-text-quiet: var(--vscode-descriptionForeground, var(--jp-ui-font-color2, #57606a));--cnnviz-surface: var(--vscode-editor-background, var(--jp-layout-color1, #fff));--cnnviz-raised: var(--vscode-dropdown-background, var(--jp-layout-color1, #fff));--cnnviz-sunken: var(--vscode-input-background, var(--jp-layout-color2, #f4f6f8));--cnnviz-line: var(--vscode-input-border, var(--jp-border-color1, #d8dde3));--cnnviz-line-quiet: var(--vscode-widget-border, var(--jp-border-color2, #d8dde3));--cnnviz-accent: var(--vscode-focusBorder, var(--jp-brand-color1, #1769c9));--cnnviz-error: var(--vscode-errorForeground, var(--jp-error-color1, #b3261e));--cnnviz-hover: color-mix(in srgb, var(--cnnviz-accent) 12%, transparent);--cnnviz-chosen: color-mix(in srgb, var(--cnnviz-accent) 24%, transparent);--cnnviz-edge: #848d97;--cnnviz-ghost: #9aa4af;--cnnviz-shadow: 0 4px 16px rgb(0 0 0 / 24%);--cnnviz-font: var(--vscode-font-family, var(--jp-ui-font-family, system-ui, sans-serif));--cnnviz-size: 14px;--cnnviz-size-small: 12px;--cnnviz-radius: 6px;--cnnviz-height: 36px;box-sizing:border-box;min-width:0;color:var(--cnnviz-text);font:var(--cnnviz-size) / 1.4 var(--cnnviz-font)}.cnnviz-ruled::before{display:block;width:var(--cnnviz-width, 220px);height:0;content:""}.cnnviz[data-waiting]{cursor:progress;opacity:0.65}.cnnviz-view :is(.cnnviz-status,.cnnviz-picture,.cnnviz-tiles,.bqplot,.widget-html){transition:opacity 0.15s}[data-cnnviz-unanswered] .cnnviz-view :is(.cnnviz-status,.cnnviz-picture:not([data-waiting]),.cnnviz-tiles:not([data-waiting]),.bqplot,.widget-html){opacity:0.55}.cnnviz-picture[data-waiting]{opacity:1}[data-cnnviz-ended]:not([data-cnnviz-ended] *){opacity:0.55}[data-cnnviz-ended] .cnnviz[data-waiting]{cursor:auto;opacity:1}[data-cnnviz-ended] :is(button,input,select,textarea,canvas,svg,[role=slider],[role=listbox]){pointer-events:none}[data-cnnviz-ended].jupyter-widgets-disconnected::before,[data-cnnviz-ended] .jupyter-widgets-disconnected::before{display:none}.cnnviz-notice{position:fixed;bottom:16px;left:50%;z-index:1000;width:max-content;max-width:calc(100% - 32px);padding:10px 16px;color:var(--cnnviz-text);background:var(--cnnviz-raised);border:1px solid var(--cnnviz-line);border-left:4px solid var(--cnnviz-accent);border-radius:var(--cnnviz-radius);box-shadow:var(--cnnviz-shadow);font-weight:600;transform:translateX(-50%)}.cnnviz-notice[role=alert]{border-left-color:var(--cnnviz-error)}.jp-NotebookPanel>.cnnviz-notice,.jp-Document>.cnnviz-notice{position:absolute}.cnnviz *,.cnnviz *::before,.cnnviz *::after{box-sizing:border-box}@supports (color: light-dark(#000,#fff)){:is(.cnnviz,.cnnviz-view,.cnnviz-explorer){--cnnviz-text: var(--vscode-foreground, var(--jp-ui-font-color1, light-dark(#1b1f24, #e8eaed)));--cnnviz-text-quiet: var(--vscode-descriptionForeground, var(--jp-ui-font-color2, light-dark(#57606a, #a9b2bc)));--cnnviz-surface: var(--vscode-editor-background, var(--jp-layout-color1, light-dark(#fff, #14171b)));--cnnviz-raised: var(--vscode-dropdown-background, var(--jp-layout-color1, light-dark(#fff, #232930)));--cnnviz-sunken: var(--vscode-input-background, var(--jp-layout-color2, light-dark(#f4f6f8, #1c2126)));--cnnviz-line: var(--vscode-input-border, var(--jp-border-color1, light-dark(#d8dde3, #343b43)));--cnnviz-line-quiet: var(--vscode-widget-border, var(--jp-border-color2, light-dark(#d8dde3, #343b43)));--cnnviz-accent: var(--vscode-focusBorder, var(--jp-brand-color1, light-dark(#1769c9, #7ab7ff)));--cnnviz-error: var(--vscode-errorForeground, var(--jp-error-color1, light-dark(#b3261e, #ff9c93)));--cnnviz-edge: light-dark(#848d97, #6f7a86);--cnnviz-ghost: light-dark(#9aa4af, #7c8794)}}[data-jp-theme-light=true] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.vscode-light :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),[data-theme=light] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer){color-scheme:light}[data-jp-theme-light=false] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.vscode-dark :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.dark :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.dark-theme :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),[data-theme=dark] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),html[theme=dark] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.vscode-high-contrast:not(.vscode-high-contrast-light) :is(.cnnviz,.cnnviz-view,.cnnviz-explorer){color-scheme:dark}.cnnviz :focus-visible{outline:2px solid var(--cnnviz-accent);outline-offset:1px}.cnnviz-hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}@media(pointer:coarse){:is(.cnnviz,.cnnviz-view,.cnnviz-explorer){--cnnviz-height: 44px}}.cnnviz-icon{display:block;width:16px;height:16px;fill:none;stroke:currentcolor;stroke-width:1.5;stroke-linecap:round;stroke-linejoin:round;pointer-events:none}.cnnviz-icon-button{display:grid;flex:none;width:var(--cnnviz-height);height:var(--cnnviz-height);padding:0;color:var(--cnnviz-text-quiet);background:none;border:0;border-radius:var(--cnnviz-radius);cursor:pointer;place-items:center}.cnnviz-icon-button:hover:not(:disabled){color:var(--cnnviz-text);background:var(--cnnviz-hover)}.cnnviz-icon-button:disabled{cursor:default;opacity:0.4}.cnnviz-view{width:100%;container-type:inline-size}.cnnviz-view .cnnviz-picture{max-width:min(100%,var(--pic, 424px))}.cnnviz-explorer,.cnnviz-explorer>.widget-box,.cnnviz-view{min-width:0;overflow:visible}.jp-Notebook .cnnviz-view{--pic: clamp(280px, 100vh - 434px, 424px)}.jp-OutputArea-output:has(>.cnnviz-explorer,>.cnnviz-view),:not(.jp-mod-outputsScrolled) .jp-OutputArea:has(>.jp-OutputArea-child>.jp-OutputArea-output>:is(.cnnviz-explorer,.cnnviz-view)),.jp-OutputArea-child:has(>.jp-OutputArea-output>:is(.cnnviz-explorer,.cnnviz-view)){overflow:visible}#rendered_cells .cnnviz-view{--pic: clamp(280px, 100vh - 322px, 424px)}.cnnviz-explorer>.cnnviz-top{display:grid;grid-template-columns:minmax(112px,1fr) auto auto minmax(0,380px);gap:8px;align-items:center;min-height:56px;overflow:visible}.cnnviz-top .cnnviz-upload-zone{padding:0;border:0}.cnnviz-top .cnnviz-upload-button{width:var(--cnnviz-height);padding:0;justify-content:center}.cnnviz-top .cnnviz-upload-button span,.cnnviz-top .cnnviz-upload-line:not(.cnnviz-upload-failed){position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}.cnnviz-top .cnnviz-upload-line{position:absolute;z-index:3;width:260px;margin-top:56px;padding:8px;background:var(--cnnviz-raised);border-radius:var(--cnnviz-radius)}.cnnviz-top .jupyter-button{width:auto;height:var(--cnnviz-height);border-radius:var(--cnnviz-radius)}@media(max-width:760px){.cnnviz-explorer>.cnnviz-top{grid-template-columns:minmax(0,1fr) auto auto}.cnnviz-top>.cnnviz-view{grid-column:1 / -1}}.cnnviz-view>.cnnviz-top-row{display:flex;flex-flow:row wrap;gap:8px;align-items:center;overflow:visible}.cnnviz-top-row>.lm-Widget{flex:1 1 240px;width:auto;min-width:0}.cnnviz-pane .cnnviz-head-question{display:none}.cnnviz-pane .cnnviz-top-row{min-height:calc(var(--cnnviz-height) + 8px)}.cnnviz-bar{flex:none;flex-flow:row wrap;gap:4px;overflow:visible}.cnnviz-view .jupyter-button{flex:0 1 auto;width:auto;min-width:72px;height:var(--cnnviz-height);line-height:20px;border-radius:var(--cnnviz-radius)}.cnnviz-view .cnnviz-row,.cnnviz-view .cnnviz-column,.cnnviz-body{min-width:0;overflow:visible}.cnnviz-body{display:grid;flex:none;grid-template:"stage" auto "answer" auto "side" auto "rest" auto "below" auto / minmax(0,1fr);gap:4px 24px;align-content:start;align-items:start}.cnnviz-body>*{grid-area:rest;min-width:0;max-width:100%}.cnnviz-body>.cnnviz-below{grid-area:below}.cnnviz-body>.cnnviz-row{display:contents}.cnnviz-body>.cnnviz-row>*{grid-area:side}.cnnviz-body>.cnnviz-answer>:last-child{order:-1}.cnnviz-body>.cnnviz-row>:first-child,.cnnviz-of-filters>.cnnviz-body>.cnnviz-row>:last-child{grid-area:stage}.cnnviz-of-filters>.cnnviz-body>.cnnviz-row>:first-child{grid-area:side}.cnnviz-body>.cnnviz-answer{grid-area:answer;overflow:visible}.cnnviz-body>.cnnviz-answer .cnnviz-status{font-size:16px;line-height:24px}.cnnviz-explorer>.cnnviz-top .cnnviz-body .cnnviz-status{max-height:48px;overflow:hidden;font-size:12px;line-height:16px}.cnnviz-column>.cnnviz-row:has(>.jupyter-button){position:sticky;bottom:0;z-index:2;padding:4px 0;background:var(--jp-layout-color0, var(--cnnviz-surface, transparent))}.cnnviz-body .cnnviz-picker{display:grid;grid-template-columns:88px minmax(0,1fr);column-gap:8px;align-items:center}.cnnviz-body .cnnviz-picker>*{min-width:0}.cnnviz-body .cnnviz-picker::before{grid-column:1 / -1}.cnnviz-body .cnnviz-picker>.cnnviz-picker-description[hidden]+*{grid-column:1 / -1}.cnnviz-view .bqplot{max-width:100%;margin:0}.cnnviz-view .bqplot.figure svg :is(text,.axislabel,.tick text){fill:var(--jp-ui-font-color2, #57606a)}@container (min-width: 640px){.cnnviz-body{grid-template-areas:"stage side" "answer side" "rest side" "below below";grid-template-rows:auto auto 1fr auto;grid-template-columns:minmax(0,1fr) minmax(276px,352px)}.cnnviz-body:not(:has(>.cnnviz-row)){grid-template:"rest" auto "answer" auto / minmax(0,1fr)}.cnnviz-of-neighbours>.cnnviz-body>.cnnviz-row{display:grid;grid-area:stage;grid-template-columns:minmax(200px,260px) minmax(0,1fr) minmax(0,1fr);gap:16px}.cnnviz-of-neighbours>.cnnviz-body>.cnnviz-row>:nth-child(n){grid-area:auto}.cnnviz-of-neighbours>.cnnviz-body{grid-template:"stage" auto "answer" auto "rest" 1fr / minmax(0,1fr)}}@container (min-width: 1100px){:is(.cnnviz-of-occlusion,.cnnviz-of-cam,.cnnviz-of-saliency)>.cnnviz-body .cnnviz-picture[data-map]{display:grid;grid-template-columns:repeat(2,minmax(0,var(--pic, 424px)));gap:4px 24px;align-items:start;width:auto;max-width:none}}@container (min-width: 1000px){.cnnviz-of-activations>.cnnviz-body{grid-template:"stage rest side" auto "answer answer side" 1fr / auto minmax(0,1fr) minmax(276px,352px)}}.cnnviz-view[data-cnnviz-presenting]{--pic: clamp(240px, 100vh - 312px, 720px);position:fixed;inset:0;z-index:10000;box-sizing:border-box;width:100vw;max-width:none;height:100vh;max-height:none;margin:0;padding:16px 32px;overflow:auto;color:var(--cnnviz-text);background:var(--cnnviz-surface);border:0;outline:none}.cnnviz-view[data-cnnviz-presenting] .cnnviz-head-question{font-size:32px;line-height:40px}.cnnviz-view[data-cnnviz-presenting]>.cnnviz-body>.cnnviz-answer .cnnviz-status{font-size:26px;line-height:36px}.cnnviz-view[data-cnnviz-presenting] :is(.cnnviz-class-bars,.cnnviz-guess){font-size:22px}.cnnviz-view[data-cnnviz-presenting] .jupyter-button{height:56px;font-size:18px}.cnnviz-head{position:relative;display:flex;flex-wrap:wrap;gap:8px;align-items:center;min-height:calc(var(--cnnviz-height) + 8px)}.lm-Widget:has(>.cnnviz-head){z-index:5;overflow:visible}.cnnviz-head-question{flex:1 1 200px;min-width:0;margin:0;padding:0;color:var(--cnnviz-text);font:600 16px / 24px var(--cnnviz-font);overflow-wrap:anywhere}.cnnviz-head:lang(ko){word-break:keep-all}.cnnviz-head-actions{display:flex;flex:none;gap:4px}.cnnviz-head .cnnviz-head-action{display:flex;gap:6px;align-items:center;min-width:var(--cnnviz-height);height:var(--cnnviz-height);padding:0 10px;color:var(--cnnviz-text);font:inherit;background:none;border:0;border-radius:var(--cnnviz-radius);cursor:pointer}.cnnviz-head-action:disabled{cursor:default;opacity:0.4}.cnnviz-head-said{flex:none;color:var(--cnnviz-text-quiet);font-size:var(--cnnviz-size-small)}.cnnviz-head-menubox{position:relative;display:block}.cnnviz-head-menu{position:absolute;top:100%;right:0;z-index:21;min-width:100%;padding:4px;background:var(--cnnviz-raised);border:1px solid var(--cnnviz-edge);border-radius:var(--cnnviz-radius);box-shadow:var(--cnnviz-shadow)}.cnnviz-head-menu[hidden]{display:none}.cnnviz-head .cnnviz-head-item{display:block;width:100%;min-height:var(--cnnviz-height);padding:0 12px;color:var(--cnnviz-text);font:inherit;text-align:left;white-space:nowrap;background:none;border:0;border-radius:var(--cnnviz-radius);cursor:pointer}.cnnviz-head-item:hover,.cnnviz-head-item:focus{background:var(--cnnviz-hover)}@container (max-width: 860px){.cnnviz-head-label,.cnnviz-head-menubox .cnnviz-icon:last-child{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}.cnnviz-head .cnnviz-head-action{padding:0;justify-content:center}}.cnnviz-head-action:hover:not(:disabled),.cnnviz-head-action[aria-pressed=true],.cnnviz-head-toggle[aria-expanded=true]{background:var(--cnnviz-hover)}.cnnviz-head-toggle{color:var(--cnnviz-accent)}.cnnviz-head-toggle .cnnviz-icon{width:20px;height:20px}.cnnviz-pane .cnnviz-head-present,.cnnviz-head-present[hidden],.cnnviz-head-toggle[hidden],.cnnviz-head-help[hidden]{display:none}.cnnviz-head-help{position:absolute;top:100%;right:0;z-index:20;width:min(352px,100%);max-height:min(556px,80vh);padding:12px 16px;overflow:auto;color:var(--cnnviz-text);background:var(--cnnviz-raised);border:1px solid var(--cnnviz-edge);border-radius:10px;box-shadow:var(--cnnviz-shadow)}.cnnviz-head-title{margin:0 0 8px;font:600 16px / 24px var(--cnnviz-font)}.cnnviz-head-parts{margin:0}.cnnviz-head .cnnviz-head-parts dt{float:none;clear:none;width:auto;margin-top:8px;color:var(--cnnviz-text-quiet);font-size:12px;font-weight:600;line-height:16px}.cnnviz-head .cnnviz-head-parts dd{float:none;margin:0;font-size:14px;line-height:20px}\n';

// src/controls/head_menu.ts
var ARROW = "m4 6 4 4 4-4";
function menuOf(view, button, items, choose) {
  const list = element("div", "cnnviz-head-menu", { role: "menu" });
  list.hidden = true;
  button.setAttribute("aria-haspopup", "menu");
  button.append(icon(ARROW));
  const open = (shown, focus = true) => {
    list.hidden = !shown;
    button.setAttribute("aria-expanded", String(shown));
    if (focus) (shown ? list.firstElementChild : button)?.focus();
  };
  open(false, false);
  for (const [id, label] of items) {
    const item = element("button", "cnnviz-head-item", { type: "button", role: "menuitem", tabindex: "-1" });
    item.dataset["action"] = id;
    item.textContent = label;
    view.listen(item, "click", () => {
      open(false);
      choose(id);
    });
    list.append(item);
  }
  view.listen(button, "click", () => open(list.hidden === true));
  view.listen(document, "pointerdown", (event) => {
    const path = event.composedPath();
    if (!list.hidden && !path.includes(list) && !path.includes(button)) open(false, false);
  });
  view.listen(list, "keydown", (event) => {
    const all = [...list.children];
    const at = all.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") open(false, event.key === "Escape");
    else if (next !== void 0) all[(next + all.length) % all.length]?.focus();
    else return;
    event.stopPropagation();
    if (event.key !== "Tab") event.preventDefault();
  });
  return list;
}

// src/controls/present.ts
var OWN_KEYS = "input, textarea, select, canvas, [contenteditable], [role=slider], [role=listbox], [role=tab]";
var PRESENTING = "data-cnnviz-presenting";
function isTyped(target) {
  return target?.closest(OWN_KEYS) != null;
}
var Presenter = class {
  constructor(panel, onChange, signal) {
    this.panel = panel;
    this.onChange = onChange;
    document.addEventListener("keydown", (event) => this.press(event), { signal });
    window.addEventListener("keydown", (event) => this.pressAside(event), { signal, capture: true });
    document.addEventListener("fullscreenchange", () => this.followScreen(), { signal });
    signal.addEventListener("abort", () => this.stop());
  }
  panel;
  onChange;
  returnTo = null;
  get presenting() {
    return this.panel.hasAttribute(PRESENTING);
  }
  async start() {
    if (this.presenting) return;
    const { panel } = this;
    this.returnTo = document.activeElement;
    panel.setAttribute(PRESENTING, "screen");
    panel.setAttribute("data-lm-suppress-shortcuts", "true");
    panel.tabIndex = -1;
    try {
      await panel.requestFullscreen();
    } catch {
      this.coverWindow();
    }
    if (!this.presenting) return;
    panel.focus();
    this.onChange(true);
  }
  stop() {
    if (!this.presenting) return;
    const { panel } = this;
    panel.removeAttribute(PRESENTING);
    panel.removeAttribute("data-lm-suppress-shortcuts");
    panel.removeAttribute("tabindex");
    if (panel.hasAttribute("popover")) panel.removeAttribute("popover");
    if (document.fullscreenElement === panel) void document.exitFullscreen();
    this.returnTo?.focus?.();
    this.onChange(false);
  }
  /** Where the whole screen is refused, as in some frames: all of the window, above whatever the host has. */
  coverWindow() {
    if (!this.presenting) return;
    this.panel.setAttribute(PRESENTING, "window");
    if (typeof this.panel.showPopover !== "function") return;
    this.panel.setAttribute("popover", "manual");
    this.panel.showPopover();
  }
  /** The browser has left the whole screen: Escape is its key there. */
  followScreen() {
    const onScreen = this.panel.getAttribute(PRESENTING) === "screen";
    if (onScreen && document.fullscreenElement !== this.panel) this.stop();
  }
  press(event) {
    const target = event.target instanceof Element ? event.target : null;
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || isTyped(target)) {
      if (event.key === "Escape" && this.presenting && !event.defaultPrevented) this.stop();
      return;
    }
    if (this.handle(event.key, target)) event.preventDefault();
  }
  pressAside(event) {
    if (!this.presenting || event.target instanceof Node && this.panel.contains(event.target)) return;
    this.press(event);
    if (event.defaultPrevented) event.stopImmediatePropagation();
  }
  handle(key, target) {
    if (!this.presenting) {
      const here = target !== null && (this.panel.contains(target) || target === document.body && this.isAlone);
      if (!here || key.toLowerCase() !== "f") return false;
      void this.start();
      return true;
    }
    if (key === "Escape" || key.toLowerCase() === "f") this.stop();
    else if (key === "ArrowRight" || key === "ArrowLeft") return this.stepPicture(key);
    else if (key.toLowerCase() === "r") return this.reveal();
    else return false;
    return true;
  }
  /** Whether the page shows no other view, so that a key without a focus is meant for this one. */
  get isAlone() {
    const shown = [...document.querySelectorAll(".cnnviz-view")].filter(
      (view) => view.getClientRects().length > 0 && view.querySelector(".cnnviz-head-present:not([hidden])") !== null
    );
    return shown.length === 1 && shown[0] === this.panel;
  }
  /** The next or the previous picture of the app's strip. */
  stepPicture(key) {
    const strip = this.panel.closest(".cnnviz-explorer")?.querySelector(".cnnviz-top .cnnviz-tiles-scroll");
    if (!strip) return false;
    for (const each of [key, "Enter"]) strip.dispatchEvent(new KeyboardEvent("keydown", { key: each }));
    return true;
  }
  /** What is true, where a guess is open. */
  reveal() {
    const button = this.panel.querySelector(".cnnviz-guess .jupyter-button.mod-primary");
    if (button === null || button.disabled) return false;
    button.click();
    return true;
  }
};

// src/controls/head.ts
var QUESTION_MARK = "M6 6.2a2 2 0 1 1 2.8 1.9c-.6.3-.8.7-.8 1.4M8 11.8v.2M8 1.7a6.3 6.3 0 1 0 0 12.6A6.3 6.3 0 0 0 8 1.7";
var SCREEN = "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10";
var LEAVE = "M4 4l8 8M12 4l-8 8";
var ICONS = {
  back: "M6.5 3 3 6.5 6.5 10M3 6.5h6a4 4 0 0 1 0 8H6",
  reset: "M3 4v3.5h3.5M3.4 7.2A5.2 5.2 0 1 1 3 9",
  guess: "M6 12h4M6.5 14h3M5.8 10.2a4 4 0 1 1 4.4 0c-.5.4-.6.8-.6 1.3H6.4c0-.5-.1-.9-.6-1.3",
  test: "M6.5 2h3M7 2v4.2L3.4 13a.7.7 0 0 0 .6 1h8a.7.7 0 0 0 .6-1L9 6.2V2M5 10.5h6",
  compare: "M2.5 3h4.5v10H2.5zM9 3h4.5v10H9z",
  save: "M8 2.5v7.5M5 7.3 8 10.3l3-3M2.8 11.5V13.5h10.4v-2"
};
var OPENED = {
  guess: ".cnnviz-guess",
  test: ".cnnviz-below > *",
  compare: ".cnnviz-comparison"
};
var Head = class {
  constructor(view) {
    this.view = view;
    this.question.id = `${view.id}-question`;
    this.drawer = element("section", "cnnviz-head-help", { id: `${view.id}-help`, tabindex: "-1" });
    this.drawer.hidden = true;
    this.toggle.append(icon(QUESTION_MARK));
    this.toggle.setAttribute("aria-controls", this.drawer.id);
    view.root.append(this.question, this.said, this.actions, this.present, this.toggle);
    view.follow(["texts", "language"], () => this.write());
    const queue = view.queue();
    view.follow(["actions", "texts", "language"], () => this.list((id) => queue.offer({ id, view: view.id }, true)));
    view.onMessage((message, buffers) => {
      const done = takeAway(message, buffers, view.id);
      if (done !== null) this.say(done);
    });
    view.onDispose(() => this.revealing.abort());
    this.listen();
  }
  view;
  question = element("h2", "cnnviz-head-question");
  actions = element("div", "cnnviz-head-actions", { role: "group" });
  toggle = element("button", "cnnviz-icon-button cnnviz-head-toggle", {
    type: "button",
    "aria-expanded": "false"
  });
  present = element("button", "cnnviz-icon-button cnnviz-head-present", { type: "button" });
  presenter = null;
  drawer;
  /** What was done with what was taken away. */
  said = element("span", "cnnviz-head-said", { role: "status" });
  revealing = new AbortController();
  write() {
    const { view, drawer, toggle } = this;
    const [language, texts] = textsIn(view.get("texts") ?? {}, view.get("language"));
    view.root.lang = language;
    this.question.textContent = texts?.question ?? "";
    const help = texts?.help ?? "Help";
    toggle.title = help;
    toggle.setAttribute("aria-label", `${texts?.name ?? ""}: ${help}`);
    drawer.setAttribute("aria-label", toggle.getAttribute("aria-label"));
    this.actions.setAttribute("aria-labelledby", this.question.id);
    const title = element("h3", "cnnviz-head-title");
    title.textContent = texts?.name ?? "";
    const list = element("dl", "cnnviz-head-parts");
    for (const [heading, text] of texts?.parts ?? []) {
      const term = element("dt", "");
      const detail = element("dd", "");
      term.textContent = heading;
      detail.textContent = text;
      list.append(term, detail);
    }
    drawer.replaceChildren(title, list);
    const helps = (texts?.parts?.length ?? 0) > 0;
    toggle.hidden = !helps;
    if (helps) view.root.append(drawer);
    else drawer.remove();
    this.question.hidden = this.present.hidden = !texts?.question;
    this.writePresent();
  }
  writePresent() {
    const [, texts] = textsIn(this.view.get("texts") ?? {}, this.view.get("language"));
    const presenting = this.presenter?.presenting === true;
    this.present.replaceChildren(icon(presenting ? LEAVE : SCREEN));
    this.present.setAttribute("aria-label", texts?.labels?.[presenting ? "leave" : "present"] ?? "");
    this.present.title = presenting ? `${texts?.labels?.["leave"] ?? ""} (Esc)` : texts?.tooltips?.["present"] ?? "";
  }
  /** The view that this is the head of; it is known once both are on the page. */
  presenterOf() {
    const panel = this.view.root.closest(".cnnviz-view");
    if (this.presenter === null && panel !== null) {
      const life = new AbortController();
      this.view.onDispose(() => life.abort());
      this.presenter = new Presenter(panel, () => this.writePresent(), life.signal);
    }
    return this.presenter;
  }
  list(press) {
    const { view, actions } = this;
    const [, texts] = textsIn(view.get("texts") ?? {}, view.get("language"));
    const label = (id) => texts?.labels?.[id] ?? id;
    const focused = document.activeElement?.dataset["action"];
    const had = actions.contains(document.activeElement);
    const made = view.get("actions").flatMap((action) => {
      const button = buttonOf(action, label(action.id), texts?.tooltips?.[action.id] ?? "");
      const items = (action.items ?? []).map((id) => [id, label(id)]);
      const pressed = (id) => {
        this.reveal(action.id);
        press(id);
      };
      if (items.length) {
        const box = element("span", "cnnviz-head-menubox");
        box.append(button, menuOf(view, button, items, pressed));
        return [box];
      }
      view.listen(button, "click", () => pressed(action.id));
      return [button];
    });
    actions.replaceChildren(...made);
    if (had) actions.querySelector(`[data-action="${focused}"]`)?.focus();
  }
  /** Bring into view what the action opens. */
  reveal(id) {
    const opened = OPENED[id];
    const panel = this.view.root.closest(".cnnviz-view");
    this.revealing.abort();
    this.revealing = new AbortController();
    if (opened !== void 0 && panel !== null) revealNext(panel, opened, this.revealing.signal);
  }
  say(done) {
    const [, texts] = textsIn(this.view.get("texts") ?? {}, this.view.get("language"));
    this.said.textContent = texts?.labels?.[done] ?? "";
    setTimeout(() => {
      this.said.textContent = "";
    }, 3e3);
  }
  listen() {
    const { view, toggle, drawer } = this;
    view.listen(toggle, "click", () => this.open(drawer.hidden === true));
    const appeared = new ResizeObserver(() => this.presenterOf() !== null && appeared.disconnect());
    appeared.observe(view.root);
    view.onDispose(() => appeared.disconnect());
    view.listen(this.present, "click", () => {
      const presenter = this.presenterOf();
      if (presenter?.presenting) presenter.stop();
      else void presenter?.start();
    });
    view.listen(view.root, "keydown", (event) => {
      if (event.key !== "Escape" || drawer.hidden) return;
      event.stopPropagation();
      event.preventDefault();
      this.open(false);
    });
    view.listen(document, "pointerdown", (event) => {
      if (!drawer.hidden && !event.composedPath().includes(view.root)) this.open(false, false);
    });
  }
  /** Show the help and go into it, or hide it and go back to the button. */
  open(open, focus = true) {
    this.drawer.hidden = !open;
    this.toggle.setAttribute("aria-expanded", String(open));
    if (focus) (open ? this.drawer : this.toggle).focus();
  }
};
function buttonOf(action, label, tooltip) {
  const button = element("button", "cnnviz-head-action", { type: "button", title: tooltip || label });
  const drawn = ICONS[action.id];
  if (drawn !== void 0) button.append(icon(drawn));
  const text = element("span", action.icon ? "cnnviz-hidden" : "cnnviz-head-label");
  text.textContent = label;
  button.append(text);
  button.dataset["action"] = action.id;
  button.disabled = action.disabled === true;
  if (tooltip) button.setAttribute("aria-description", tooltip);
  if (action.pressed !== void 0) button.setAttribute("aria-pressed", String(action.pressed));
  return button;
}
var head_default2 = define("head", head_default, (view) => new Head(view));
export {
  head_default2 as default
};
