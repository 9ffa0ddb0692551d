// Built from js/src by scripts/build-js: change it there.

// src/core/element.ts
function element(name, className, attributes = {}) {
  const made = document.createElement(name);
  made.className = className;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
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

// src/controls/step.css
var step_default = ':is(.cnnviz,.cnnviz-view,.cnnviz-explorer){--cnnviz-text: var(--vscode-foreground, var(--jp-ui-font-color1, #1b1f24));--cnnviz-text-quiet: var(--vscode-descriptionForeground, var(--jp-ui-font-color2, #57606a));--cnnviz-surface: var(--vscode-editor-background, var(--jp-layout-color1, #fff));--cnnviz-raised: var(--vscode-dropdown-background, var(--jp-layout-color1, #fff));--cnnviz-sunken: var(--vscode-input-background, var(--jp-layout-color2, #f4f6f8));--cnnviz-line: var(--vscode-input-border, var(--jp-border-color1, #d8dde3));--cnnviz-line-quiet: var(--vscode-widget-border, var(--jp-border-color2, #d8dde3));--cnnviz-accent: var(--vscode-focusBorder, var(--jp-brand-color1, #1769c9));--cnnviz-error: var(--vscode-errorForeground, var(--jp-error-color1, #b3261e));--cnnviz-hover: color-mix(in srgb, var(--cnnviz-accent) 12%, transparent);--cnnviz-chosen: color-mix(in srgb, var(--cnnviz-accent) 24%, transparent);--cnnviz-edge: #848d97;--cnnviz-ghost: #9aa4af;--cnnviz-shadow: 0 4px 16px rgb(0 0 0 / 24%);--cnnviz-font: var(--vscode-font-family, var(--jp-ui-font-family, system-ui, sans-serif));--cnnviz-size: 14px;--cnnviz-size-small: 12px;--cnnviz-radius: 6px;--cnnviz-height: 36px;box-sizing:border-box;min-width:0;color:var(--cnnviz-text);font:var(--cnnviz-size) / 1.4 var(--cnnviz-font)}.cnnviz-ruled::before{display:block;width:var(--cnnviz-width, 220px);height:0;content:""}.cnnviz[data-waiting]{cursor:progress;opacity:0.65}.cnnviz-view :is(.cnnviz-status,.cnnviz-picture,.cnnviz-tiles,.bqplot,.widget-html){transition:opacity 0.15s}[data-cnnviz-unanswered] .cnnviz-view :is(.cnnviz-status,.cnnviz-picture:not([data-waiting]),.cnnviz-tiles:not([data-waiting]),.bqplot,.widget-html){opacity:0.55}.cnnviz-picture[data-waiting]{opacity:1}[data-cnnviz-ended]:not([data-cnnviz-ended] *){opacity:0.55}[data-cnnviz-ended] .cnnviz[data-waiting]{cursor:auto;opacity:1}[data-cnnviz-ended] :is(button,input,select,textarea,canvas,svg,[role=slider],[role=listbox]){pointer-events:none}[data-cnnviz-ended].jupyter-widgets-disconnected::before,[data-cnnviz-ended] .jupyter-widgets-disconnected::before{display:none}.cnnviz-notice{position:fixed;bottom:16px;left:50%;z-index:1000;width:max-content;max-width:calc(100% - 32px);padding:10px 16px;color:var(--cnnviz-text);background:var(--cnnviz-raised);border:1px solid var(--cnnviz-line);border-left:4px solid var(--cnnviz-accent);border-radius:var(--cnnviz-radius);box-shadow:var(--cnnviz-shadow);font-weight:600;transform:translateX(-50%)}.cnnviz-notice[role=alert]{border-left-color:var(--cnnviz-error)}.jp-NotebookPanel>.cnnviz-notice,.jp-Document>.cnnviz-notice{position:absolute}.cnnviz *,.cnnviz *::before,.cnnviz *::after{box-sizing:border-box}@supports (color: light-dark(#000,#fff)){:is(.cnnviz,.cnnviz-view,.cnnviz-explorer){--cnnviz-text: var(--vscode-foreground, var(--jp-ui-font-color1, light-dark(#1b1f24, #e8eaed)));--cnnviz-text-quiet: var(--vscode-descriptionForeground, var(--jp-ui-font-color2, light-dark(#57606a, #a9b2bc)));--cnnviz-surface: var(--vscode-editor-background, var(--jp-layout-color1, light-dark(#fff, #14171b)));--cnnviz-raised: var(--vscode-dropdown-background, var(--jp-layout-color1, light-dark(#fff, #232930)));--cnnviz-sunken: var(--vscode-input-background, var(--jp-layout-color2, light-dark(#f4f6f8, #1c2126)));--cnnviz-line: var(--vscode-input-border, var(--jp-border-color1, light-dark(#d8dde3, #343b43)));--cnnviz-line-quiet: var(--vscode-widget-border, var(--jp-border-color2, light-dark(#d8dde3, #343b43)));--cnnviz-accent: var(--vscode-focusBorder, var(--jp-brand-color1, light-dark(#1769c9, #7ab7ff)));--cnnviz-error: var(--vscode-errorForeground, var(--jp-error-color1, light-dark(#b3261e, #ff9c93)));--cnnviz-edge: light-dark(#848d97, #6f7a86);--cnnviz-ghost: light-dark(#9aa4af, #7c8794)}}[data-jp-theme-light=true] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.vscode-light :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),[data-theme=light] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer){color-scheme:light}[data-jp-theme-light=false] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.vscode-dark :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.dark :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.dark-theme :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),[data-theme=dark] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),html[theme=dark] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.vscode-high-contrast:not(.vscode-high-contrast-light) :is(.cnnviz,.cnnviz-view,.cnnviz-explorer){color-scheme:dark}.cnnviz :focus-visible{outline:2px solid var(--cnnviz-accent);outline-offset:1px}.cnnviz-hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}@media(pointer:coarse){:is(.cnnviz,.cnnviz-view,.cnnviz-explorer){--cnnviz-height: 44px}}.cnnviz-icon{display:block;width:16px;height:16px;fill:none;stroke:currentcolor;stroke-width:1.5;stroke-linecap:round;stroke-linejoin:round;pointer-events:none}.cnnviz-icon-button{display:grid;flex:none;width:var(--cnnviz-height);height:var(--cnnviz-height);padding:0;color:var(--cnnviz-text-quiet);background:none;border:0;border-radius:var(--cnnviz-radius);cursor:pointer;place-items:center}.cnnviz-icon-button:hover:not(:disabled){color:var(--cnnviz-text);background:var(--cnnviz-hover)}.cnnviz-icon-button:disabled{cursor:default;opacity:0.4}.cnnviz-step{padding:4px}.cnnviz-step .cnnviz-step-button{width:100%;min-height:max(40px,var(--cnnviz-height));padding:4px 12px;color:light-dark(#fff,#0b1b2d);font:600 14px / 20px var(--cnnviz-font);background:var(--cnnviz-accent);border:0;border-radius:var(--cnnviz-radius);cursor:pointer}.cnnviz-step-button:hover:not(:disabled){filter:brightness(0.92)}.cnnviz-step-button:disabled{cursor:default;opacity:0.4}.cnnviz-view .lm-Widget:has(>.cnnviz-step){position:sticky;bottom:0;z-index:3;flex:none;width:auto;overflow:visible;background:var(--jp-layout-color0, var(--cnnviz-surface, transparent))}.cnnviz-view .lm-Widget:has(>.cnnviz-step):has(>.cnnviz-step[lang]>:empty){display:none}.cnnviz-pane .lm-Widget:has(>.cnnviz-step){display:none}\n';

// src/controls/step.ts
var BLINK = 300;
function render(view) {
  const button = element("button", "cnnviz-step-button", { type: "button" });
  const queue = view.queue();
  let stops = false;
  let timer;
  view.root.append(button);
  const write = () => {
    const [language, texts] = textsIn(view.get("texts") ?? {}, view.get("language"));
    view.root.lang = language;
    button.textContent = (stops ? texts?.stop : texts?.step) ?? "";
    button.toggleAttribute("data-stop", stops);
  };
  const turn = (to) => {
    stops = to;
    write();
  };
  view.follow(["texts", "language"], write);
  view.follow(["disabled"], () => {
    button.disabled = view.get("disabled");
  });
  view.follow(["busy"], () => {
    clearTimeout(timer);
    if (view.get("busy")) timer = setTimeout(turn, BLINK, true);
    else turn(false);
  });
  view.onDispose(() => clearTimeout(timer));
  view.listen(button, "click", () => queue.offer({ stop: stops }, true));
}
var step_default2 = define("step", step_default, render);
export {
  step_default2 as default
};
