// Built from js/src by scripts/build-js: change it there.

// src/core/element.ts
function element(name, className, attributes = {}) {
  const made = document.createElement(name);
  made.className = className;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
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
    for (const end2 of this.endings.splice(0).reverse()) end2();
  };
  on(event, callback) {
    this.model.on(event, callback);
    this.onDispose(() => this.model.off(event, callback));
  }
};

// src/controls/upload/shrink.ts
function fitSize(width, height, limit) {
  const share = Math.min(1, limit / Math.max(width, height));
  return [Math.max(1, Math.round(width * share)), Math.max(1, Math.round(height * share))];
}

// src/controls/camera/camera.css
var camera_default = ':is(.cnnviz,.cnnviz-view,.cnnviz-explorer){--cnnviz-text: var(--vscode-foreground, var(--jp-ui-font-color1, #1b1f24));--cnnviz-text-quiet: var(--vscode-descriptionForeground, var(--jp-ui-font-color2, #57606a));--cnnviz-surface: var(--vscode-editor-background, var(--jp-layout-color1, #fff));--cnnviz-raised: var(--vscode-dropdown-background, var(--jp-layout-color1, #fff));--cnnviz-sunken: var(--vscode-input-background, var(--jp-layout-color2, #f4f6f8));--cnnviz-line: var(--vscode-input-border, var(--jp-border-color1, #d8dde3));--cnnviz-line-quiet: var(--vscode-widget-border, var(--jp-border-color2, #d8dde3));--cnnviz-accent: var(--vscode-focusBorder, var(--jp-brand-color1, #1769c9));--cnnviz-error: var(--vscode-errorForeground, var(--jp-error-color1, #b3261e));--cnnviz-hover: color-mix(in srgb, var(--cnnviz-accent) 12%, transparent);--cnnviz-chosen: color-mix(in srgb, var(--cnnviz-accent) 24%, transparent);--cnnviz-edge: #848d97;--cnnviz-ghost: #9aa4af;--cnnviz-shadow: 0 4px 16px rgb(0 0 0 / 24%);--cnnviz-font: var(--vscode-font-family, var(--jp-ui-font-family, system-ui, sans-serif));--cnnviz-size: 14px;--cnnviz-size-small: 12px;--cnnviz-radius: 6px;--cnnviz-height: 36px;box-sizing:border-box;min-width:0;color:var(--cnnviz-text);font:var(--cnnviz-size) / 1.4 var(--cnnviz-font)}.cnnviz-ruled::before{display:block;width:var(--cnnviz-width, 220px);height:0;content:""}.cnnviz[data-waiting]{cursor:progress;opacity:0.65}.cnnviz-view :is(.cnnviz-status,.cnnviz-picture,.cnnviz-tiles,.bqplot,.widget-html){transition:opacity 0.15s}[data-cnnviz-unanswered] .cnnviz-view :is(.cnnviz-status,.cnnviz-picture:not([data-waiting]),.cnnviz-tiles:not([data-waiting]),.bqplot,.widget-html){opacity:0.55}.cnnviz-picture[data-waiting]{opacity:1}[data-cnnviz-ended]:not([data-cnnviz-ended] *){opacity:0.55}[data-cnnviz-ended] .cnnviz[data-waiting]{cursor:auto;opacity:1}[data-cnnviz-ended] :is(button,input,select,textarea,canvas,svg,[role=slider],[role=listbox]){pointer-events:none}[data-cnnviz-ended].jupyter-widgets-disconnected::before,[data-cnnviz-ended] .jupyter-widgets-disconnected::before{display:none}.cnnviz-notice{position:fixed;bottom:16px;left:50%;z-index:1000;width:max-content;max-width:calc(100% - 32px);padding:10px 16px;color:var(--cnnviz-text);background:var(--cnnviz-raised);border:1px solid var(--cnnviz-line);border-left:4px solid var(--cnnviz-accent);border-radius:var(--cnnviz-radius);box-shadow:var(--cnnviz-shadow);font-weight:600;transform:translateX(-50%)}.cnnviz-notice[role=alert]{border-left-color:var(--cnnviz-error)}.jp-NotebookPanel>.cnnviz-notice,.jp-Document>.cnnviz-notice{position:absolute}.cnnviz *,.cnnviz *::before,.cnnviz *::after{box-sizing:border-box}@supports (color: light-dark(#000,#fff)){:is(.cnnviz,.cnnviz-view,.cnnviz-explorer){--cnnviz-text: var(--vscode-foreground, var(--jp-ui-font-color1, light-dark(#1b1f24, #e8eaed)));--cnnviz-text-quiet: var(--vscode-descriptionForeground, var(--jp-ui-font-color2, light-dark(#57606a, #a9b2bc)));--cnnviz-surface: var(--vscode-editor-background, var(--jp-layout-color1, light-dark(#fff, #14171b)));--cnnviz-raised: var(--vscode-dropdown-background, var(--jp-layout-color1, light-dark(#fff, #232930)));--cnnviz-sunken: var(--vscode-input-background, var(--jp-layout-color2, light-dark(#f4f6f8, #1c2126)));--cnnviz-line: var(--vscode-input-border, var(--jp-border-color1, light-dark(#d8dde3, #343b43)));--cnnviz-line-quiet: var(--vscode-widget-border, var(--jp-border-color2, light-dark(#d8dde3, #343b43)));--cnnviz-accent: var(--vscode-focusBorder, var(--jp-brand-color1, light-dark(#1769c9, #7ab7ff)));--cnnviz-error: var(--vscode-errorForeground, var(--jp-error-color1, light-dark(#b3261e, #ff9c93)));--cnnviz-edge: light-dark(#848d97, #6f7a86);--cnnviz-ghost: light-dark(#9aa4af, #7c8794)}}[data-jp-theme-light=true] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.vscode-light :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),[data-theme=light] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer){color-scheme:light}[data-jp-theme-light=false] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.vscode-dark :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.dark :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.dark-theme :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),[data-theme=dark] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),html[theme=dark] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.vscode-high-contrast:not(.vscode-high-contrast-light) :is(.cnnviz,.cnnviz-view,.cnnviz-explorer){color-scheme:dark}.cnnviz :focus-visible{outline:2px solid var(--cnnviz-accent);outline-offset:1px}.cnnviz-hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}@media(pointer:coarse){:is(.cnnviz,.cnnviz-view,.cnnviz-explorer){--cnnviz-height: 44px}}.cnnviz-icon{display:block;width:16px;height:16px;fill:none;stroke:currentcolor;stroke-width:1.5;stroke-linecap:round;stroke-linejoin:round;pointer-events:none}.cnnviz-icon-button{display:grid;flex:none;width:var(--cnnviz-height);height:var(--cnnviz-height);padding:0;color:var(--cnnviz-text-quiet);background:none;border:0;border-radius:var(--cnnviz-radius);cursor:pointer;place-items:center}.cnnviz-icon-button:hover:not(:disabled){color:var(--cnnviz-text);background:var(--cnnviz-hover)}.cnnviz-icon-button:disabled{cursor:default;opacity:0.4}.cnnviz-camera{display:flex;flex-direction:column;gap:6px;align-items:flex-start;padding:2px 4px}.cnnviz-camera [hidden]{display:none}.cnnviz-camera-video,.cnnviz-camera-still{width:320px;max-width:100%;background:var(--cnnviz-sunken);border:1px solid var(--cnnviz-line);border-radius:var(--cnnviz-radius);cursor:pointer}.cnnviz-camera-buttons{display:flex;gap:6px;align-items:center}.cnnviz-camera-button{height:var(--cnnviz-height);padding:0 12px;color:var(--cnnviz-text);font:inherit;white-space:nowrap;background:var(--cnnviz-sunken);border:1px solid var(--cnnviz-line);border-radius:var(--cnnviz-radius);cursor:pointer}.cnnviz-camera-button:hover:not(:disabled){border-color:var(--cnnviz-text-quiet)}.cnnviz-camera-button:disabled{cursor:default;opacity:0.5}.cnnviz-camera-line{max-width:320px;color:var(--cnnviz-text-quiet);font-size:var(--cnnviz-size-small);overflow-wrap:anywhere}.cnnviz-camera-failed{color:var(--cnnviz-error);font-size:var(--cnnviz-size)}\n';

// src/controls/camera/state.ts
var PRIVACY = "Nothing is recorded: each frame takes the place of the one before.";
var OFF = { phase: "off", start: 0, said: PRIVACY, failed: false };
var ENDINGS = {
  hidden: "Stopped while the page was hidden.",
  "other picture": "Stopped: another picture was chosen.",
  "kernel gone": "Stopped: no kernel answers.",
  "camera gone": "The camera was taken away or switched off."
};
function after(state, event) {
  const { phase } = state;
  switch (event.kind) {
    case "start":
      if (phase === "asking" || phase === "live") return state;
      return { phase: "asking", start: state.start + 1, said: "Waiting for the camera…", failed: false };
    case "granted":
      if (phase !== "asking" || event.start !== state.start) return state;
      return { ...state, phase: "live", said: PRIVACY };
    case "refused":
      if (phase !== "asking" || event.start !== state.start) return state;
      return { ...state, phase: "off", said: event.reason, failed: true };
    case "freeze":
      return phase === "live" ? { ...state, phase: "frozen", said: "Frozen; the camera is off." } : state;
    case "stop":
      return { ...state, phase: "off", said: PRIVACY, failed: false };
    default:
      if (phase !== "asking" && phase !== "live") return state;
      return { ...state, phase: "off", said: ENDINGS[event.kind] ?? "", failed: event.kind === "camera gone" };
  }
}
function refusal(name) {
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return "The browser does not let this page use the camera; allow it beside the address, and start again.";
    case "NotFoundError":
    case "OverconstrainedError":
      return "The browser finds no camera; connect one, or upload a picture.";
    case "NotReadableError":
    case "AbortError":
      return "The camera does not start: another program may be using it; close that, and start again.";
    default:
      return "The camera does not start; upload a picture, or try another browser.";
  }
}
var INSECURE = "Browsers give the camera only to pages of this computer or over https; open this one at localhost or by https.";
var Rate = class {
  times = [];
  /** It happened, `now` in milliseconds. */
  add(now) {
    this.times.push(now);
    if (this.times.length > 9) this.times.shift();
  }
  clear() {
    this.times.length = 0;
  }
  /** Times a second, or null while there is too little to tell. */
  get perSecond() {
    const [first, last2] = [this.times[0], this.times.at(-1)];
    if (first === void 0 || last2 === void 0 || this.times.length < 3 || last2 <= first) return null;
    return 1e3 * (this.times.length - 1) / (last2 - first);
  }
};
function rateText(perSecond) {
  if (perSecond === null) return "";
  const number = perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond));
  return `${number} answers a second`;
}

// src/controls/camera/index.ts
var JPEG_QUALITY = 0.9;
var Camera = class {
  constructor(view) {
    this.view = view;
    this.video.muted = this.video.autoplay = this.video.playsInline = true;
    this.stopButton.textContent = "Stop";
    const buttons = element("div", "cnnviz-camera-buttons");
    buttons.append(this.startButton, this.stopButton, this.rateLine);
    view.root.append(this.video, this.still, buttons, this.line);
    this.queue = view.queue();
    view.onMessage((message) => this.answered(message));
    view.onDispose(() => this.tell({ kind: "stop" }));
    this.listen();
    view.follow(["halted"], () => {
      if (this.run !== 0 && view.get("halted") === this.run) this.tell({ kind: "other picture" });
    });
    this.show();
  }
  view;
  video = element("video", "cnnviz-camera-video", { "aria-label": "camera", tabindex: "0" });
  still = element("canvas", "cnnviz-camera-still", { role: "img", "aria-label": "frozen picture" });
  startButton = element("button", "cnnviz-camera-button", { type: "button" });
  stopButton = element("button", "cnnviz-camera-button", { type: "button" });
  line = element("span", "cnnviz-camera-line", { role: "status" });
  rateLine = element("span", "cnnviz-camera-line");
  canvas = document.createElement("canvas");
  queue;
  rate = new Rate();
  state = OFF;
  stream = null;
  /** Tells the kernel the frames of one start from those of others, of other pages too. */
  run = 0;
  encoding = false;
  lastTime = -1;
  looking;
  listen() {
    const { view } = this;
    view.listen(this.startButton, "click", () => this.state.phase === "live" ? this.freeze() : void this.start());
    view.listen(this.stopButton, "click", () => this.tell({ kind: "stop" }));
    view.listen(this.video, "click", () => this.freeze());
    view.listen(this.still, "click", () => void this.start());
    view.listen(this.video, "keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      this.freeze();
    });
    view.listen(document, "visibilitychange", () => document.hidden && this.tell({ kind: "hidden" }));
    view.listen(window, "pagehide", () => this.tell({ kind: "stop" }));
  }
  /** Only ever called by a click. */
  async start() {
    this.tell({ kind: "start" });
    const { start, phase } = this.state;
    if (phase !== "asking") return;
    if (!window.isSecureContext || navigator.mediaDevices === void 0) {
      this.tell({ kind: "refused", start, reason: INSECURE });
      return;
    }
    try {
      const side = { ideal: Math.max(640, this.view.get("max_side")) };
      const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { width: side } });
      this.tell({ kind: "granted", start });
      if (this.state.phase !== "live" || this.state.start !== start) end(stream);
      else await this.take(stream);
    } catch (error) {
      this.tell({ kind: "refused", start, reason: refusal(error instanceof DOMException ? error.name : "") });
    }
  }
  async take(stream) {
    this.stream = stream;
    this.run = 1 + Math.floor(Math.random() * (2 ** 31 - 2));
    this.lastTime = -1;
    for (const track of stream.getVideoTracks()) {
      this.view.listen(track, "ended", () => this.stream === stream && this.tell({ kind: "camera gone" }));
    }
    this.video.srcObject = stream;
    this.look();
    await this.video.play().catch(() => {
    });
  }
  /** Look at each frame of the page whether the last picture is answered and there is a new one. */
  look = () => {
    if (this.state.phase !== "live") return;
    this.looking = requestAnimationFrame(this.look);
    if (this.view.link.isOver) this.tell({ kind: "kernel gone" });
    else if (this.view.root.getClientRects().length === 0) this.tell({ kind: "hidden" });
    else if (!this.queue.waiting && !this.encoding && this.video.currentTime !== this.lastTime) void this.send(false);
  };
  freeze() {
    if (this.state.phase !== "live" || !this.draw()) return;
    this.still.width = this.canvas.width;
    this.still.height = this.canvas.height;
    this.still.getContext("2d")?.drawImage(this.canvas, 0, 0);
    this.tell({ kind: "freeze" });
    void this.encode(this.still, true);
  }
  async send(final) {
    if (this.draw()) await this.encode(this.canvas, final);
  }
  /** Draw what the camera shows, small; false while it shows nothing. */
  draw() {
    const { videoWidth, videoHeight, currentTime } = this.video;
    const drawing = this.canvas.getContext("2d");
    if (videoWidth === 0 || drawing === null) return false;
    const [width, height] = fitSize(videoWidth, videoHeight, this.view.get("max_side"));
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    drawing.imageSmoothingQuality = "high";
    drawing.drawImage(this.video, 0, 0, width, height);
    this.lastTime = currentTime;
    return true;
  }
  async encode(canvas, final) {
    const { run } = this;
    const expected = final ? "frozen" : "live";
    this.encoding = true;
    try {
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
      const bytes = await blob?.arrayBuffer();
      if (bytes === void 0 || bytes.byteLength > this.view.get("max_bytes")) return;
      if (run === this.run && this.state.phase === expected) this.queue.offer({ run }, final, [bytes]);
    } finally {
      this.encoding = false;
    }
  }
  answered(message) {
    if (message?.kind !== "ack" || this.state.phase !== "live") return;
    this.rate.add(performance.now());
    this.rateLine.textContent = rateText(this.rate.perSecond);
  }
  tell(event) {
    const before = this.state;
    this.state = after(before, event);
    if (this.state === before) return;
    if (this.state.phase !== "live") this.release();
    this.show();
  }
  /** The camera goes off, its light too. */
  release() {
    if (this.looking !== void 0) cancelAnimationFrame(this.looking);
    this.looking = void 0;
    if (this.stream !== null) end(this.stream);
    this.stream = null;
    this.video.srcObject = null;
    this.rate.clear();
    this.rateLine.textContent = "";
  }
  show() {
    const { phase, said, failed } = this.state;
    this.view.root.dataset["phase"] = phase;
    this.video.hidden = phase !== "live";
    this.still.hidden = phase !== "frozen";
    const words = { off: "Start the camera", asking: "Start the camera", live: "Freeze", frozen: "Go on" };
    this.startButton.textContent = words[phase];
    this.startButton.disabled = phase === "asking";
    this.stopButton.hidden = phase === "off" || phase === "frozen";
    this.line.textContent = said;
    this.line.classList.toggle("cnnviz-camera-failed", failed);
  }
};
function end(stream) {
  for (const track of stream.getTracks()) track.stop();
}
var camera_default2 = define("camera", camera_default, (view) => new Camera(view));
export {
  camera_default2 as default
};
