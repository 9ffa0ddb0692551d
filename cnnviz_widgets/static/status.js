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

// src/status.css
var status_default = '/* src/theme.css */\n.cnnviz {\n  --cnnviz-text: var(--vscode-foreground, var(--jp-ui-font-color1, #1f2328));\n  --cnnviz-text-quiet: var(--vscode-descriptionForeground, var(--jp-ui-font-color2, #59636e));\n  --cnnviz-surface: var(--vscode-editor-background, var(--jp-layout-color1, #fff));\n  --cnnviz-raised: var(--vscode-dropdown-background, var(--jp-layout-color1, #fff));\n  --cnnviz-sunken: var(--vscode-input-background, var(--jp-layout-color2, #f0f2f5));\n  --cnnviz-line: var(--vscode-input-border, var(--jp-border-color1, #b8bfc8));\n  --cnnviz-line-quiet: var(--vscode-widget-border, var(--jp-border-color2, #dde1e6));\n  --cnnviz-accent: var(--vscode-focusBorder, var(--jp-brand-color1, #1976d2));\n  --cnnviz-error: var(--vscode-errorForeground, var(--jp-error-color1, #c62828));\n  --cnnviz-hover: color-mix(in srgb, var(--cnnviz-accent) 12%, transparent);\n  --cnnviz-chosen: color-mix(in srgb, var(--cnnviz-accent) 24%, transparent);\n  --cnnviz-shadow: 0 4px 16px rgb(0 0 0 / 24%);\n  --cnnviz-font: var(--vscode-font-family, var(--jp-ui-font-family, system-ui, sans-serif));\n  --cnnviz-size: var(--jp-ui-font-size1, 13px);\n  --cnnviz-size-small: var(--jp-ui-font-size0, 11px);\n  --cnnviz-radius: 4px;\n  --cnnviz-height: 28px;\n  box-sizing: border-box;\n  min-width: 0;\n  color: var(--cnnviz-text);\n  font: var(--cnnviz-size) / 1.4 var(--cnnviz-font);\n}\n.cnnviz-ruled::before {\n  display: block;\n  width: var(--cnnviz-width, 220px);\n  height: 0;\n  content: "";\n}\n.cnnviz[data-waiting] {\n  cursor: progress;\n  opacity: 0.65;\n}\n.cnnviz-view :is(.cnnviz-status, .cnnviz-picture, .cnnviz-tiles, .bqplot, .widget-html) {\n  transition: opacity 0.15s;\n}\n[data-cnnviz-unanswered] .cnnviz-view :is(.cnnviz-status, .cnnviz-picture:not([data-waiting]), .cnnviz-tiles:not([data-waiting]), .bqplot, .widget-html) {\n  opacity: 0.55;\n}\n.cnnviz-picture[data-waiting] {\n  opacity: 1;\n}\n[data-cnnviz-ended]:not([data-cnnviz-ended] *) {\n  opacity: 0.55;\n}\n[data-cnnviz-ended] .cnnviz[data-waiting] {\n  cursor: auto;\n  opacity: 1;\n}\n[data-cnnviz-ended] :is(button, input, select, textarea, canvas, svg, [role=slider], [role=listbox]) {\n  pointer-events: none;\n}\n[data-cnnviz-ended].jupyter-widgets-disconnected::before,\n[data-cnnviz-ended] .jupyter-widgets-disconnected::before {\n  display: none;\n}\n.cnnviz-notice {\n  position: fixed;\n  bottom: 16px;\n  left: 50%;\n  z-index: 1000;\n  width: max-content;\n  max-width: calc(100% - 32px);\n  padding: 10px 16px;\n  color: var(--cnnviz-text);\n  background: var(--cnnviz-raised);\n  border: 1px solid var(--cnnviz-line);\n  border-left: 4px solid var(--cnnviz-accent);\n  border-radius: var(--cnnviz-radius);\n  box-shadow: var(--cnnviz-shadow);\n  font-weight: 600;\n  transform: translateX(-50%);\n}\n.cnnviz-notice[role=alert] {\n  border-left-color: var(--cnnviz-error);\n}\n.jp-NotebookPanel > .cnnviz-notice,\n.jp-Document > .cnnviz-notice {\n  position: absolute;\n}\n.cnnviz *,\n.cnnviz *::before,\n.cnnviz *::after {\n  box-sizing: border-box;\n}\n@supports (color: light-dark(#000, #fff)) {\n  .cnnviz {\n    --cnnviz-text: var(--vscode-foreground, var(--jp-ui-font-color1, light-dark(#1f2328, #e6e9ed)));\n    --cnnviz-text-quiet: var( --vscode-descriptionForeground, var(--jp-ui-font-color2, light-dark(#59636e, #9aa4af)) );\n    --cnnviz-surface: var(--vscode-editor-background, var(--jp-layout-color1, light-dark(#fff, #16191d)));\n    --cnnviz-raised: var(--vscode-dropdown-background, var(--jp-layout-color1, light-dark(#fff, #22272e)));\n    --cnnviz-sunken: var(--vscode-input-background, var(--jp-layout-color2, light-dark(#f0f2f5, #22272e)));\n    --cnnviz-line: var(--vscode-input-border, var(--jp-border-color1, light-dark(#b8bfc8, #4b545e)));\n    --cnnviz-line-quiet: var(--vscode-widget-border, var(--jp-border-color2, light-dark(#dde1e6, #343b43)));\n    --cnnviz-accent: var(--vscode-focusBorder, var(--jp-brand-color1, light-dark(#1976d2, #64b5f6)));\n    --cnnviz-error: var(--vscode-errorForeground, var(--jp-error-color1, light-dark(#c62828, #ff8a80)));\n  }\n}\n[data-jp-theme-light=true] .cnnviz,\n.vscode-light .cnnviz,\n[data-theme=light] .cnnviz {\n  color-scheme: light;\n}\n[data-jp-theme-light=false] .cnnviz,\n.vscode-dark .cnnviz,\n.vscode-high-contrast:not(.vscode-high-contrast-light) .cnnviz,\n.dark .cnnviz,\n.dark-theme .cnnviz,\nhtml[theme=dark] .cnnviz,\n[data-theme=dark] .cnnviz {\n  color-scheme: dark;\n}\n.cnnviz :focus-visible {\n  outline: 2px solid var(--cnnviz-accent);\n  outline-offset: 1px;\n}\n.cnnviz-hidden {\n  position: absolute;\n  width: 1px;\n  height: 1px;\n  overflow: hidden;\n  clip-path: inset(50%);\n  white-space: nowrap;\n}\n@media (pointer: coarse) {\n  .cnnviz {\n    --cnnviz-height: 40px;\n  }\n}\n.cnnviz-icon {\n  display: block;\n  width: 16px;\n  height: 16px;\n  fill: none;\n  stroke: currentcolor;\n  stroke-width: 1.5;\n  stroke-linecap: round;\n  stroke-linejoin: round;\n  pointer-events: none;\n}\n.cnnviz-icon-button {\n  display: grid;\n  flex: none;\n  width: var(--cnnviz-height);\n  height: var(--cnnviz-height);\n  padding: 0;\n  color: var(--cnnviz-text-quiet);\n  background: none;\n  border: 0;\n  border-radius: var(--cnnviz-radius);\n  cursor: pointer;\n  place-items: center;\n}\n.cnnviz-icon-button:hover:not(:disabled) {\n  color: var(--cnnviz-text);\n  background: var(--cnnviz-hover);\n}\n.cnnviz-icon-button:disabled {\n  cursor: default;\n  opacity: 0.4;\n}\n\n/* src/status.css */\n.cnnviz-status {\n  display: flex;\n  min-height: 1.6em;\n  gap: 0.6em;\n  align-items: center;\n  overflow-wrap: anywhere;\n}\n.cnnviz-status progress {\n  flex: none;\n  width: 8em;\n  accent-color: var(--cnnviz-accent);\n}\n.cnnviz-status[data-kind=error] {\n  color: var(--cnnviz-error);\n  font-weight: 600;\n}\n.cnnviz-status[data-kind=error]::before {\n  content: "\\26a0";\n}\n';

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

// src/status.ts
function render(context) {
  const view = new View(context, "status", status_default);
  const bar = element("progress", "", { max: "1", "aria-label": "Progress" });
  const text = element("span", "");
  view.root.append(bar, text);
  view.follow(["text", "kind", "progress"], () => {
    const progress = view.get("progress");
    view.root.dataset.kind = view.get("kind");
    view.root.setAttribute("role", view.get("kind") === "error" ? "alert" : "status");
    text.textContent = view.get("text");
    bar.hidden = !(progress >= 0 && progress < 1);
    bar.value = Math.min(1, Math.max(0, progress));
  });
  return view.dispose;
}
var status_default2 = { initialize, render };
export {
  status_default2 as default
};
