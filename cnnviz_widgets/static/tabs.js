// Built from js/src by scripts/build-js: change it there.

// src/hearing.ts
function initialize({ model }) {
  void listenAgain(model).catch((error) => console.warn("cnnviz: a widget may not hear the kernel", error));
}
async function listenAgain(model) {
  const host = await model.widget_manager?.get_model?.(String(model.get("_host_id")));
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

// src/tabs.css
var tabs_default = '/* src/theme.css */\n.cnnviz {\n  --cnnviz-text: var(--vscode-foreground, var(--jp-ui-font-color1, #1f2328));\n  --cnnviz-text-quiet: var(--vscode-descriptionForeground, var(--jp-ui-font-color2, #59636e));\n  --cnnviz-surface: var(--vscode-editor-background, var(--jp-layout-color1, #fff));\n  --cnnviz-raised: var(--vscode-dropdown-background, var(--jp-layout-color1, #fff));\n  --cnnviz-sunken: var(--vscode-input-background, var(--jp-layout-color2, #f0f2f5));\n  --cnnviz-line: var(--vscode-input-border, var(--jp-border-color1, #b8bfc8));\n  --cnnviz-line-quiet: var(--vscode-widget-border, var(--jp-border-color2, #dde1e6));\n  --cnnviz-accent: var(--vscode-focusBorder, var(--jp-brand-color1, #1976d2));\n  --cnnviz-error: var(--vscode-errorForeground, var(--jp-error-color1, #c62828));\n  --cnnviz-hover: color-mix(in srgb, var(--cnnviz-accent) 12%, transparent);\n  --cnnviz-chosen: color-mix(in srgb, var(--cnnviz-accent) 24%, transparent);\n  --cnnviz-shadow: 0 4px 16px rgb(0 0 0 / 24%);\n  --cnnviz-font: var(--vscode-font-family, var(--jp-ui-font-family, system-ui, sans-serif));\n  --cnnviz-size: var(--jp-ui-font-size1, 13px);\n  --cnnviz-size-small: var(--jp-ui-font-size0, 11px);\n  --cnnviz-radius: 4px;\n  --cnnviz-height: 28px;\n  box-sizing: border-box;\n  min-width: 0;\n  color: var(--cnnviz-text);\n  font: var(--cnnviz-size) / 1.4 var(--cnnviz-font);\n}\n.cnnviz-ruled::before {\n  display: block;\n  width: var(--cnnviz-width, 220px);\n  height: 0;\n  content: "";\n}\n.cnnviz[data-waiting] {\n  cursor: progress;\n  opacity: 0.65;\n}\n.cnnviz *,\n.cnnviz *::before,\n.cnnviz *::after {\n  box-sizing: border-box;\n}\n@supports (color: light-dark(#000, #fff)) {\n  .cnnviz {\n    --cnnviz-text: var(--vscode-foreground, var(--jp-ui-font-color1, light-dark(#1f2328, #e6e9ed)));\n    --cnnviz-text-quiet: var( --vscode-descriptionForeground, var(--jp-ui-font-color2, light-dark(#59636e, #9aa4af)) );\n    --cnnviz-surface: var(--vscode-editor-background, var(--jp-layout-color1, light-dark(#fff, #16191d)));\n    --cnnviz-raised: var(--vscode-dropdown-background, var(--jp-layout-color1, light-dark(#fff, #22272e)));\n    --cnnviz-sunken: var(--vscode-input-background, var(--jp-layout-color2, light-dark(#f0f2f5, #22272e)));\n    --cnnviz-line: var(--vscode-input-border, var(--jp-border-color1, light-dark(#b8bfc8, #4b545e)));\n    --cnnviz-line-quiet: var(--vscode-widget-border, var(--jp-border-color2, light-dark(#dde1e6, #343b43)));\n    --cnnviz-accent: var(--vscode-focusBorder, var(--jp-brand-color1, light-dark(#1976d2, #64b5f6)));\n    --cnnviz-error: var(--vscode-errorForeground, var(--jp-error-color1, light-dark(#c62828, #ff8a80)));\n  }\n}\n[data-jp-theme-light=true] .cnnviz,\n.vscode-light .cnnviz,\n[data-theme=light] .cnnviz {\n  color-scheme: light;\n}\n[data-jp-theme-light=false] .cnnviz,\n.vscode-dark .cnnviz,\n.vscode-high-contrast:not(.vscode-high-contrast-light) .cnnviz,\n.dark .cnnviz,\n.dark-theme .cnnviz,\nhtml[theme=dark] .cnnviz,\n[data-theme=dark] .cnnviz {\n  color-scheme: dark;\n}\n.cnnviz :focus-visible {\n  outline: 2px solid var(--cnnviz-accent);\n  outline-offset: 1px;\n}\n.cnnviz-hidden {\n  position: absolute;\n  width: 1px;\n  height: 1px;\n  overflow: hidden;\n  clip-path: inset(50%);\n  white-space: nowrap;\n}\n@media (pointer: coarse) {\n  .cnnviz {\n    --cnnviz-height: 40px;\n  }\n}\n.cnnviz-icon {\n  display: block;\n  width: 16px;\n  height: 16px;\n  fill: none;\n  stroke: currentcolor;\n  stroke-width: 1.5;\n  stroke-linecap: round;\n  stroke-linejoin: round;\n  pointer-events: none;\n}\n.cnnviz-icon-button {\n  display: grid;\n  flex: none;\n  width: var(--cnnviz-height);\n  height: var(--cnnviz-height);\n  padding: 0;\n  color: var(--cnnviz-text-quiet);\n  background: none;\n  border: 0;\n  border-radius: var(--cnnviz-radius);\n  cursor: pointer;\n  place-items: center;\n}\n.cnnviz-icon-button:hover:not(:disabled) {\n  color: var(--cnnviz-text);\n  background: var(--cnnviz-hover);\n}\n.cnnviz-icon-button:disabled {\n  cursor: default;\n  opacity: 0.4;\n}\n\n/* src/tabs.css */\n.cnnviz-tabs {\n  display: flex;\n  flex-wrap: wrap;\n  gap: 2px;\n  border-bottom: 1px solid var(--cnnviz-line);\n}\n.cnnviz-tab {\n  min-height: var(--cnnviz-height);\n  padding: 6px 14px;\n  color: var(--cnnviz-text-quiet);\n  font: inherit;\n  background: none;\n  border: 0;\n  border-bottom: 3px solid transparent;\n  border-radius: var(--cnnviz-radius) var(--cnnviz-radius) 0 0;\n  cursor: pointer;\n}\n.cnnviz-tab:hover {\n  background: var(--cnnviz-hover);\n}\n.cnnviz-tab[aria-selected=true] {\n  color: var(--cnnviz-text);\n  font-weight: 600;\n  border-bottom-color: var(--cnnviz-accent);\n}\n';

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
   * A channel to the kernel with one message in flight; `sent` learns the number of each message that leaves.
   * While an answer is overdue the view says so: the kernel is busy, or gone.
   */
  channel(sent = () => {
  }) {
    const send = (message, buffers) => {
      sent(message["seq"]);
      this.model.send(message, void 0, buffers);
    };
    const busy = (silent) => this.root.toggleAttribute("data-waiting", silent);
    const channel = new OneInFlight(send, void 0, void 0, busy);
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

// src/tabs.ts
function render(context) {
  const view = new View(context, "tabs", tabs_default);
  view.root.setAttribute("role", "tablist");
  const opened = new Held(view.get("index"));
  const channel = view.channel((seq) => opened.sent(seq));
  let buttons = [];
  const mark = () => {
    buttons.forEach((button, index) => {
      const chosen = index === opened.value;
      button.setAttribute("aria-selected", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    });
  };
  const open = (index) => {
    if (index === opened.value) return;
    opened.move(index);
    mark();
    channel.offer({ index }, true);
  };
  view.follow(["titles"], () => {
    buttons = view.get("titles").map((title, index) => {
      const button = element("button", "cnnviz-tab", { type: "button", role: "tab" });
      button.textContent = title;
      view.listen(button, "click", () => open(index));
      return button;
    });
    view.root.replaceChildren(...buttons);
    mark();
  });
  view.follow(["index"], () => {
    if (opened.offered(view.get("index"))) mark();
  });
  view.hear((message) => {
    if (opened.acknowledged(message, view.get("index"))) mark();
  });
  view.listen(view.root, "keydown", (event) => {
    const last = buttons.length - 1;
    const steps = {
      ArrowLeft: Math.max(0, opened.value - 1),
      ArrowRight: Math.min(last, opened.value + 1),
      Home: 0,
      End: last
    };
    const next = steps[event.key];
    if (next === void 0) return;
    event.preventDefault();
    event.stopPropagation();
    open(next);
    buttons[next]?.focus();
  });
  return view.dispose;
}
var tabs_default2 = { initialize, render };
export {
  tabs_default2 as default
};
