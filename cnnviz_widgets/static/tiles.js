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

// src/core/element.ts
function element(name, className, attributes = {}) {
  const made = document.createElement(name);
  made.className = className;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
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

// src/color/blend.ts
function paintTile(sheet, index, pixels, channels, table, out) {
  let from = index * pixels * channels;
  for (let to = 0; to < pixels * 4; to += 4) {
    if (channels === 1) {
      const row = 3 * (sheet[from] ?? 0);
      out[to] = table[row] ?? 0;
      out[to + 1] = table[row + 1] ?? 0;
      out[to + 2] = table[row + 2] ?? 0;
    } else {
      out[to] = sheet[from] ?? 0;
      out[to + 1] = sheet[from + 1] ?? 0;
      out[to + 2] = sheet[from + 2] ?? 0;
    }
    out[to + 3] = 255;
    from += channels;
  }
}

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

// src/geometry/grid.ts
var Grid = class {
  constructor(shape, available) {
    this.shape = shape;
    const { count, tileWidth, gap, margin } = shape;
    this.pitchX = tileWidth + gap;
    const fitting = Math.max(1, Math.floor((available - 2 * margin + gap) / this.pitchX));
    this.columns = Math.max(1, Math.min(shape.columns > 0 ? shape.columns : fitting, Math.max(1, count)));
    this.rows = Math.ceil(count / this.columns);
    this.tileHeight = Math.max(1, Math.round(tileWidth * shape.aspect));
    this.pitchY = this.tileHeight + shape.caption + gap;
    this.width = this.columns * this.pitchX - gap + 2 * margin;
    this.height = this.rows === 0 ? 0 : this.rows * this.pitchY - gap + 2 * margin;
  }
  shape;
  columns;
  rows;
  tileHeight;
  width;
  height;
  pitchX;
  pitchY;
  /** The picture of tile `index`, without its caption. */
  tile(index) {
    const { margin, tileWidth } = this.shape;
    return {
      x: margin + index % this.columns * this.pitchX,
      y: margin + Math.floor(index / this.columns) * this.pitchY,
      width: tileWidth,
      height: this.tileHeight
    };
  }
  /** Tile `index` with its caption. */
  cell(index) {
    const tile = this.tile(index);
    return { ...tile, height: tile.height + this.shape.caption };
  }
  /** The tile or caption at a point; null in a gap or outside. */
  at(x, y) {
    const { margin, tileWidth, caption, count } = this.shape;
    const column = Math.floor((x - margin) / this.pitchX);
    const row = Math.floor((y - margin) / this.pitchY);
    if (column < 0 || column >= this.columns || row < 0) return null;
    const beyond = x - margin - column * this.pitchX >= tileWidth;
    const below = y - margin - row * this.pitchY >= this.tileHeight + caption;
    const index = row * this.columns + column;
    return beyond || below || index >= count ? null : index;
  }
  /** Indices of the tiles that a rectangle touches. */
  touching(area) {
    const { margin, count } = this.shape;
    const first = (from, pitch) => Math.max(0, Math.floor((from - margin) / pitch));
    const firstColumn = first(area.x, this.pitchX);
    const lastColumn = Math.min(this.columns - 1, Math.floor((area.x + area.width - margin) / this.pitchX));
    const firstRow = first(area.y, this.pitchY);
    const lastRow = Math.min(this.rows - 1, Math.floor((area.y + area.height - margin) / this.pitchY));
    const indices = [];
    for (let row = firstRow; row <= lastRow; row++) {
      for (let column = firstColumn; column <= lastColumn; column++) {
        const index = row * this.columns + column;
        if (index < count) indices.push(index);
      }
    }
    return indices;
  }
  /** Where a key takes the cursor from `index`; `page` is the number of rows in sight. Null: not a key that moves. */
  keyTarget(index, key, page) {
    const last2 = this.shape.count - 1;
    if (last2 < 0) return null;
    const within = (to) => to < 0 || to > last2 ? index : to;
    switch (key) {
      case "ArrowLeft":
        return Math.max(0, index - 1);
      case "ArrowRight":
        return Math.min(last2, index + 1);
      case "ArrowUp":
        return within(index - this.columns);
      case "ArrowDown":
        return within(index + this.columns);
      case "PageUp":
        return Math.max(index % this.columns, index - page * this.columns);
      case "PageDown": {
        const rows = Math.min(page, Math.floor((last2 - index) / this.columns));
        return index + rows * this.columns;
      }
      case "Home":
        return 0;
      case "End":
        return last2;
      default:
        return null;
    }
  }
};

// src/geometry/rectangle.ts
function covers(outer, inner) {
  return outer.x <= inner.x && outer.y <= inner.y && outer.x + outer.width >= inner.x + inner.width && outer.y + outer.height >= inner.y + inner.height;
}
function band(view, content) {
  const stretch = (from, length, whole) => {
    const start = Math.max(0, Math.floor(from - length));
    return [start, Math.max(0, Math.min(whole, Math.ceil(from + 2 * length)) - start)];
  };
  const [x, width] = stretch(view.x, view.width, content.width);
  const [y, height] = stretch(view.y, view.height, content.height);
  return { x, y, width, height };
}
function clip(area, content) {
  return {
    ...area,
    width: Math.max(0, Math.min(area.width, content.width - area.x)),
    height: Math.max(0, Math.min(area.height, content.height - area.y))
  };
}

// src/tiles/state.ts
var GAP = 8;
var MARGIN = 6;
var CAPTION = 18;
var MODIFIERS = { shift: "shiftKey", ctrl: "ctrlKey", alt: "altKey", meta: "metaKey" };
var TileState = class {
  constructor(get, selected) {
    this.get = get;
    this.selected = selected;
    this.cursor = selected.value ?? 0;
    this.grid = new Grid(this.shape, 0);
  }
  get;
  selected;
  grid;
  hovered = null;
  /** The tile that keys act on. */
  cursor;
  drawn = null;
  /** The grid that the traits ask for. */
  get shape() {
    const [height, width] = this.get("tile_size");
    return {
      count: this.get("count"),
      columns: this.get("columns"),
      tileWidth: Math.max(8, this.get("tile_width")),
      aspect: width > 0 ? height / width : 1,
      caption: this.get("captions") && this.get("labels").length > 0 ? CAPTION : 0,
      gap: GAP,
      margin: MARGIN
    };
  }
  /** Whether all tiles stand in one row, which scrolls sideways: the selected one is kept in sight. */
  get inOneRow() {
    const { count, columns } = this.shape;
    return columns > 1 && count <= columns;
  }
  /** Lay the tiles out for `width` CSS pixels. */
  layOut(width) {
    this.grid = new Grid(this.shape, width);
    this.cursor = Math.max(0, Math.min(this.cursor, this.grid.shape.count - 1));
  }
  /** The area to draw around `sight`, and the tiles in it. */
  areaToDraw(sight) {
    const area = band(sight, this.grid);
    this.drawn = area;
    return { area, tiles: this.tilesDrawn };
  }
  /** The tiles in the area that was drawn last. */
  get tilesDrawn() {
    return this.drawn ? this.grid.touching(this.drawn) : [];
  }
  /** Whether `sight` reaches beyond what was drawn last. */
  needsDrawing(sight) {
    return this.drawn === null || !covers(this.drawn, clip(sight, this.grid));
  }
  isCurrent(index) {
    return index === this.selected.value;
  }
  get selection() {
    return this.selected.value;
  }
  /** The caption under a tile; empty where there is none. */
  caption(index) {
    return this.grid.shape.caption > 0 ? this.get("labels")[index] ?? "" : "";
  }
  badge(index) {
    return this.get("badges")[index] ?? "";
  }
  /** Label and badge of a tile, as one text. */
  text(index) {
    return [this.get("labels")[index], this.get("badges")[index]].filter(Boolean).join(" · ");
  }
  /** The pointer or the cursor is on tile `index`, or on none; returns the event for the kernel, null without news. */
  enter(index) {
    if (index === this.hovered) return null;
    this.hovered = index;
    return { name: "entered", index, revision: this.get("revision") };
  }
  /** Select tile `index`; returns the event for the kernel. */
  pick(index, keys) {
    const modifiers = Object.entries(MODIFIERS).flatMap(([name, key]) => keys[key] ? [name] : []);
    this.cursor = index;
    this.selected.move(index);
    return { name: "picked", index, revision: this.get("revision"), modifiers };
  }
  /** Move the cursor by a key, in a view `height` CSS pixels high; returns whether the key is one that moves. */
  moveCursor(key, height) {
    const rows = Math.max(1, Math.floor(height / this.grid.cell(0).height));
    const to = this.grid.keyTarget(this.cursor, key, rows);
    if (to === null) return false;
    this.cursor = to;
    return true;
  }
  /** Where to scroll so that the cursor's tile is in sight. */
  scrollTarget(sight) {
    const cell = this.grid.cell(this.cursor);
    return [
      startShowing(cell.x, cell.width, sight.x, sight.width),
      startShowing(cell.y, cell.height, sight.y, sight.height)
    ];
  }
};
function startShowing(from, length, start, size) {
  if (from - MARGIN < start) return from - MARGIN;
  const end = from + length + MARGIN;
  return end > start + size ? end - size : start;
}

// src/tiles/drawing.ts
var MOST_ASKED = 1600;
var TileDrawing = class {
  constructor(get, state, id, say) {
    this.get = get;
    this.state = state;
    this.say = say;
    this.option = element("div", "cnnviz-hidden", { role: "option", id: `${id}-option` });
    this.content.append(this.canvas, this.captions, this.hover, this.chosen, this.cursor, this.option);
    this.scroll.append(this.content);
  }
  get;
  state;
  say;
  description = element("div", "cnnviz-tiles-description");
  scroll = element("div", "cnnviz-tiles-scroll", {
    role: "listbox",
    tabindex: "0",
    "data-lm-suppress-shortcuts": "true"
  });
  empty = element("div", "cnnviz-tiles-empty");
  ruler = element("div", "cnnviz-tiles-ruler", { "aria-hidden": "true" });
  content = element("div", "cnnviz-tiles-content", { role: "presentation" });
  canvas = element("canvas", "cnnviz-tiles-canvas", { "aria-hidden": "true" });
  captions = element("div", "", { "aria-hidden": "true" });
  hover = element("div", "cnnviz-tiles-mark cnnviz-tiles-hovered");
  chosen = element("div", "cnnviz-tiles-mark cnnviz-tiles-selected");
  cursor = element("div", "cnnviz-tiles-mark cnnviz-tiles-cursor");
  /** The one option that exists for assistive technology: the tile under the keyboard's cursor. */
  option;
  scratch = document.createElement("canvas");
  /** The part of the content in view. */
  get sight() {
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.scroll;
    return { x: scrollLeft, y: scrollTop, width: clientWidth, height: clientHeight };
  }
  describe() {
    const text = this.say(this.get("description"));
    this.description.textContent = this.description.title = text;
    this.description.hidden = text === "";
    this.scroll.ariaLabel = text || "Pictures";
  }
  layOut() {
    const { get, scroll, empty } = this;
    const none = get("count") === 0;
    this.fillRuler();
    empty.textContent = this.say(get("placeholder"));
    empty.hidden = !none || get("placeholder") === "";
    scroll.hidden = none;
    scroll.style.maxHeight = `${get("height")}px`;
    this.layOutContent();
    if (scroll.clientWidth > 0 && get("columns") === 0) this.layOutContent();
    this.draw();
    this.mark();
  }
  /** Draw the tiles in sight and around it at the screen's own resolution. */
  draw() {
    const { state, canvas } = this;
    const { area, tiles } = state.areaToDraw(this.sight);
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(area.width * ratio));
    canvas.height = Math.max(1, Math.round(area.height * ratio));
    setPlace(canvas, area);
    this.paint(area, tiles, ratio);
    this.write();
  }
  drawIfNeeded() {
    if (this.state.needsDrawing(this.sight)) this.draw();
  }
  /** Write the captions and badges of the tiles that are drawn. */
  write() {
    this.captions.replaceChildren(...this.state.tilesDrawn.flatMap((index) => this.writing(index)));
  }
  /** Put the marks on their tiles, and say which one the cursor is on. */
  mark() {
    const { state, scroll, option } = this;
    const { cursor, hovered } = state;
    const { count } = state.grid.shape;
    this.placeMark(this.hover, hovered);
    this.placeMark(this.chosen, state.selection);
    this.placeMark(this.cursor, count > 0 ? cursor : null);
    scroll.style.cursor = hovered === null ? "" : "pointer";
    scroll.title = hovered === null ? "" : state.text(hovered);
    option.textContent = option.ariaLabel = state.text(cursor) || `Tile ${cursor + 1}`;
    option.ariaSelected = String(state.isCurrent(cursor));
    option.setAttribute("aria-posinset", String(cursor + 1));
    option.setAttribute("aria-setsize", String(count));
    if (count > 0) scroll.setAttribute("aria-activedescendant", option.id);
    else scroll.removeAttribute("aria-activedescendant");
  }
  /** The tile at a position of the page. */
  tileAt(clientX, clientY) {
    const box = this.content.getBoundingClientRect();
    return this.state.grid.at(clientX - box.left, clientY - box.top);
  }
  /** Scroll to the cursor. */
  reveal() {
    this.scroll.scrollTo(...this.state.scrollTarget(this.sight));
  }
  layOutContent() {
    this.state.layOut(this.scroll.clientWidth);
    this.content.style.width = `${this.state.grid.width}px`;
    this.content.style.height = `${this.state.grid.height}px`;
  }
  /** As many blanks as a row would have tiles: they wrap where there is less room. */
  fillRuler() {
    const { ruler } = this;
    const { count, columns, tileWidth, gap, margin } = this.state.shape;
    const wanted = Math.min(columns || count, Math.ceil(MOST_ASKED / tileWidth));
    ruler.style.padding = `0 ${margin}px`;
    while (ruler.childElementCount > wanted) ruler.lastChild?.remove();
    while (ruler.childElementCount < wanted) ruler.append(document.createElement("span"));
    for (const blank of ruler.children) blank.style.width = `${tileWidth + gap}px`;
  }
  paint(area, tiles, ratio) {
    const { get, scratch } = this;
    const [height, width] = get("tile_size");
    const channels = get("channels");
    const sheet = bytesOf(get("sheet"));
    const to = this.canvas.getContext("2d");
    const from = scratch.getContext("2d", { willReadFrequently: true });
    const size = height * width * channels;
    if (!to || !from || size <= 0) return;
    scratch.width = width;
    scratch.height = height;
    const pixels = new ImageData(width, height);
    const name = get("colormap");
    const table = colorTable(name, tableNames("diverging").includes(name) ? "diverging" : "sequential");
    to.imageSmoothingEnabled = !get("pixelated");
    to.imageSmoothingQuality = "high";
    for (const index of tiles) {
      if ((index + 1) * size > sheet.length) break;
      paintTile(sheet, index, height * width, channels, table, pixels.data);
      from.putImageData(pixels, 0, 0);
      const tile = this.state.grid.tile(index);
      const left = Math.round((tile.x - area.x) * ratio);
      const top = Math.round((tile.y - area.y) * ratio);
      to.drawImage(scratch, left, top, Math.round(tile.width * ratio), Math.round(tile.height * ratio));
    }
  }
  writing(index) {
    const { state } = this;
    const made = [];
    const tile = state.grid.tile(index);
    const label = state.caption(index);
    if (label) {
      const caption = element("div", "cnnviz-tiles-caption");
      caption.classList.toggle("cnnviz-tiles-current", state.isCurrent(index));
      caption.textContent = label;
      setPlace(caption, { ...tile, y: tile.y + tile.height + 2, height: CAPTION - 2 });
      made.push(caption);
    }
    const badge = state.badge(index);
    if (badge) {
      const pill = element("div", "cnnviz-tiles-badge");
      pill.textContent = badge;
      const right = state.grid.width - tile.x - tile.width + 2;
      pill.style.cssText = `right:${right}px;top:${tile.y + 2}px;max-width:${tile.width - 4}px`;
      made.push(pill);
    }
    return made;
  }
  placeMark(mark, index) {
    mark.hidden = index === null || index >= this.state.grid.shape.count;
    if (index !== null && !mark.hidden) setPlace(mark, this.state.grid.tile(index));
  }
};
function setPlace(target, { x, y, width, height }) {
  target.style.cssText = `left:${x}px;top:${y}px;width:${width}px;height:${height}px`;
}

// src/tiles/tiles.css
var tiles_default = ':is(.cnnviz,.cnnviz-view,.cnnviz-explorer){--cnnviz-text: var(--vscode-foreground, var(--jp-ui-font-color1, #1b1f24));--cnnviz-text-quiet: var(--vscode-descriptionForeground, var(--jp-ui-font-color2, #57606a));--cnnviz-surface: var(--vscode-editor-background, var(--jp-layout-color1, #fff));--cnnviz-raised: var(--vscode-dropdown-background, var(--jp-layout-color1, #fff));--cnnviz-sunken: var(--vscode-input-background, var(--jp-layout-color2, #f4f6f8));--cnnviz-line: var(--vscode-input-border, var(--jp-border-color1, #d8dde3));--cnnviz-line-quiet: var(--vscode-widget-border, var(--jp-border-color2, #d8dde3));--cnnviz-accent: var(--vscode-focusBorder, var(--jp-brand-color1, #1769c9));--cnnviz-error: var(--vscode-errorForeground, var(--jp-error-color1, #b3261e));--cnnviz-hover: color-mix(in srgb, var(--cnnviz-accent) 12%, transparent);--cnnviz-chosen: color-mix(in srgb, var(--cnnviz-accent) 24%, transparent);--cnnviz-edge: #848d97;--cnnviz-ghost: #9aa4af;--cnnviz-shadow: 0 4px 16px rgb(0 0 0 / 24%);--cnnviz-font: var(--vscode-font-family, var(--jp-ui-font-family, system-ui, sans-serif));--cnnviz-size: 14px;--cnnviz-size-small: 12px;--cnnviz-radius: 6px;--cnnviz-height: 36px;box-sizing:border-box;min-width:0;color:var(--cnnviz-text);font:var(--cnnviz-size) / 1.4 var(--cnnviz-font)}.cnnviz-ruled::before{display:block;width:var(--cnnviz-width, 220px);height:0;content:""}.cnnviz[data-waiting]{cursor:progress;opacity:0.65}.cnnviz-view :is(.cnnviz-status,.cnnviz-picture,.cnnviz-tiles,.bqplot,.widget-html){transition:opacity 0.15s}[data-cnnviz-unanswered] .cnnviz-view :is(.cnnviz-status,.cnnviz-picture:not([data-waiting]),.cnnviz-tiles:not([data-waiting]),.bqplot,.widget-html){opacity:0.55}.cnnviz-picture[data-waiting]{opacity:1}[data-cnnviz-ended]:not([data-cnnviz-ended] *){opacity:0.55}[data-cnnviz-ended] .cnnviz[data-waiting]{cursor:auto;opacity:1}[data-cnnviz-ended] :is(button,input,select,textarea,canvas,svg,[role=slider],[role=listbox]){pointer-events:none}[data-cnnviz-ended].jupyter-widgets-disconnected::before,[data-cnnviz-ended] .jupyter-widgets-disconnected::before{display:none}.cnnviz-notice{position:fixed;bottom:16px;left:50%;z-index:1000;width:max-content;max-width:calc(100% - 32px);padding:10px 16px;color:var(--cnnviz-text);background:var(--cnnviz-raised);border:1px solid var(--cnnviz-line);border-left:4px solid var(--cnnviz-accent);border-radius:var(--cnnviz-radius);box-shadow:var(--cnnviz-shadow);font-weight:600;transform:translateX(-50%)}.cnnviz-notice[role=alert]{border-left-color:var(--cnnviz-error)}.jp-NotebookPanel>.cnnviz-notice,.jp-Document>.cnnviz-notice{position:absolute}.cnnviz *,.cnnviz *::before,.cnnviz *::after{box-sizing:border-box}@supports (color: light-dark(#000,#fff)){:is(.cnnviz,.cnnviz-view,.cnnviz-explorer){--cnnviz-text: var(--vscode-foreground, var(--jp-ui-font-color1, light-dark(#1b1f24, #e8eaed)));--cnnviz-text-quiet: var(--vscode-descriptionForeground, var(--jp-ui-font-color2, light-dark(#57606a, #a9b2bc)));--cnnviz-surface: var(--vscode-editor-background, var(--jp-layout-color1, light-dark(#fff, #14171b)));--cnnviz-raised: var(--vscode-dropdown-background, var(--jp-layout-color1, light-dark(#fff, #232930)));--cnnviz-sunken: var(--vscode-input-background, var(--jp-layout-color2, light-dark(#f4f6f8, #1c2126)));--cnnviz-line: var(--vscode-input-border, var(--jp-border-color1, light-dark(#d8dde3, #343b43)));--cnnviz-line-quiet: var(--vscode-widget-border, var(--jp-border-color2, light-dark(#d8dde3, #343b43)));--cnnviz-accent: var(--vscode-focusBorder, var(--jp-brand-color1, light-dark(#1769c9, #7ab7ff)));--cnnviz-error: var(--vscode-errorForeground, var(--jp-error-color1, light-dark(#b3261e, #ff9c93)));--cnnviz-edge: light-dark(#848d97, #6f7a86);--cnnviz-ghost: light-dark(#9aa4af, #7c8794)}}[data-jp-theme-light=true] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.vscode-light :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),[data-theme=light] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer){color-scheme:light}[data-jp-theme-light=false] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.vscode-dark :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.dark :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.dark-theme :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),[data-theme=dark] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),html[theme=dark] :is(.cnnviz,.cnnviz-view,.cnnviz-explorer),.vscode-high-contrast:not(.vscode-high-contrast-light) :is(.cnnviz,.cnnviz-view,.cnnviz-explorer){color-scheme:dark}.cnnviz :focus-visible{outline:2px solid var(--cnnviz-accent);outline-offset:1px}.cnnviz-hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}@media(pointer:coarse){:is(.cnnviz,.cnnviz-view,.cnnviz-explorer){--cnnviz-height: 44px}}.cnnviz-icon{display:block;width:16px;height:16px;fill:none;stroke:currentcolor;stroke-width:1.5;stroke-linecap:round;stroke-linejoin:round;pointer-events:none}.cnnviz-icon-button{display:grid;flex:none;width:var(--cnnviz-height);height:var(--cnnviz-height);padding:0;color:var(--cnnviz-text-quiet);background:none;border:0;border-radius:var(--cnnviz-radius);cursor:pointer;place-items:center}.cnnviz-icon-button:hover:not(:disabled){color:var(--cnnviz-text);background:var(--cnnviz-hover)}.cnnviz-icon-button:disabled{cursor:default;opacity:0.4}.cnnviz-tiles[data-waiting]{opacity:1}.cnnviz-tiles[data-stale]{opacity:0.4;transition:opacity 0s 0.3s}.cnnviz-tiles-description{padding:0 6px;overflow:hidden;color:var(--cnnviz-text-quiet);font-size:var(--cnnviz-size-small);line-height:18px;text-overflow:ellipsis;white-space:nowrap}.cnnviz-tiles-scroll{position:relative;overflow:auto;border-radius:var(--cnnviz-radius);contain:inline-size;overscroll-behavior-x:contain;scrollbar-width:thin}.cnnviz .cnnviz-tiles-scroll:focus-visible{outline:none;box-shadow:inset 0 0 0 1px var(--cnnviz-accent)}.cnnviz-tiles-content{position:relative;overflow:hidden}.cnnviz-tiles-ruler{height:0;overflow:hidden;line-height:0}.cnnviz-tiles-ruler span{display:inline-block}.cnnviz-tiles-canvas{position:absolute;display:block}.cnnviz-tiles-caption,.cnnviz-tiles-badge{position:absolute;overflow:hidden;font-size:var(--cnnviz-size-small);line-height:16px;text-align:center;text-overflow:ellipsis;white-space:nowrap;pointer-events:none}.cnnviz-tiles-caption{color:var(--cnnviz-text-quiet)}.cnnviz-tiles-caption.cnnviz-tiles-current{color:var(--cnnviz-text);font-weight:600}.cnnviz-tiles-badge{padding:0 4px;color:#fff;font-variant-numeric:tabular-nums;line-height:14px;background:rgb(0 0 0 / 66%);border-radius:3px}.cnnviz-tiles-mark{position:absolute;border-radius:2px;pointer-events:none}.cnnviz-tiles-hovered{box-shadow:0 0 0 1px #000,0 0 0 2px #fff}.cnnviz-tiles-selected{box-shadow:0 0 0 1px var(--cnnviz-surface),0 0 0 4px var(--cnnviz-accent)}.cnnviz-tiles-cursor{outline:2px solid #fff;outline-offset:-2px;box-shadow:inset 0 0 0 3px #000}.cnnviz-tiles-scroll:not(:focus-visible) .cnnviz-tiles-cursor{display:none}.cnnviz-tiles-mark[hidden]{display:none}.cnnviz-tiles-empty{padding:12px;color:var(--cnnviz-text-quiet);text-align:center}\n';

// src/tiles/index.ts
function render(view) {
  const [selected, picks] = control(view, "selected", showSelected);
  const hovers = view.queue();
  const state = new TileState(view.get, selected);
  const drawing = new TileDrawing(view.get, state, view.id, (text) => view.say(text));
  const { scroll } = drawing;
  let pointer = null;
  view.root.append(drawing.description, scroll, drawing.empty, drawing.ruler);
  function showSelected() {
    drawing.write();
    drawing.mark();
  }
  function enter(index) {
    const event = state.enter(index);
    if (event === null) return;
    drawing.mark();
    hovers.offer(event, index === null);
  }
  function pick(index, keys) {
    const event = state.pick(index, keys);
    showSelected();
    picks.offer(event, true);
  }
  function moveCursor(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !state.moveCursor(event.key, scroll.clientHeight))
      return false;
    pointer = null;
    drawing.reveal();
    enter(state.cursor);
    drawing.mark();
    return true;
  }
  view.listen(scroll, "scroll", () => {
    drawing.drawIfNeeded();
    if (pointer) enter(drawing.tileAt(pointer.x, pointer.y));
  });
  view.listen(scroll, "pointermove", (event) => {
    if (event.pointerType === "touch") return;
    pointer = { x: event.clientX, y: event.clientY };
    enter(drawing.tileAt(pointer.x, pointer.y));
  });
  view.listen(scroll, "pointerleave", () => {
    pointer = null;
    enter(null);
  });
  view.listen(scroll, "click", (event) => {
    const index = drawing.tileAt(event.clientX, event.clientY);
    if (index !== null) pick(index, event);
  });
  view.listen(scroll, "keydown", (event) => {
    if (state.grid.shape.count === 0) return;
    if (event.key === "Enter" || event.key === " ") pick(state.cursor, event);
    else if (!moveCursor(event)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  view.listen(scroll, "blur", () => pointer === null && enter(null));
  view.follow(["selected"], () => {
    if (selected.value === null || document.activeElement === scroll) return;
    state.cursor = selected.value;
    if (state.inOneRow) drawing.reveal();
  });
  view.follow(["stale"], () => view.root.toggleAttribute("data-stale", view.get("stale") === true));
  view.follow(["description", "texts"], () => drawing.describe());
  view.follow(["sheet", "revision"], () => {
    state.hovered = null;
  });
  layOutWhenNeeded(view, drawing, state);
}
var LAYOUT = [
  "sheet",
  "revision",
  "tile_size",
  "channels",
  "count",
  "colormap",
  "labels",
  "badges",
  "columns"
];
function layOutWhenNeeded(view, drawing, state) {
  let frame = 0;
  let laidFor = "";
  const room = () => `${view.root.clientWidth} ${devicePixelRatio}`;
  const schedule = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      laidFor = room();
      drawing.layOut();
      if (state.inOneRow && document.activeElement !== drawing.scroll) drawing.reveal();
    });
  };
  const scheduleIfResized = () => room() !== laidFor && schedule();
  view.onDispose(() => cancelAnimationFrame(frame));
  view.follow([...LAYOUT, "tile_width", "height", "pixelated", "captions", "placeholder", "texts"], schedule);
  const sizes = new ResizeObserver(scheduleIfResized);
  sizes.observe(view.root);
  view.onDispose(() => sizes.disconnect());
  view.listen(window, "resize", scheduleIfResized);
}
var tiles_default2 = define("tiles", tiles_default, render);
export {
  tiles_default2 as default
};
