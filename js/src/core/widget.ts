// What every widget is made of: a view with its root and style, listeners that end with it, and events for the kernel.
import { takeAnswers } from "./answer.ts";
import { element } from "./element.ts";
import { EventQueue } from "./event_queue.ts";
import { textsIn } from "./language.ts";
import { Link } from "./link.ts";
import type { HostedModel, Model, RenderContext } from "./model.ts";
import { reconnect } from "./reconnect.ts";

/** The module that anywidget loads; `render` fills each view of the widget `name`. */
export function define<Traits>(name: string, css: string, render: (view: View<Traits>) => void) {
  return {
    initialize({ model }: { model: HostedModel }): void {
      takeAnswers(model);
      reconnect({ model });
    },
    render(context: RenderContext): () => void {
      const view = new View<Traits>(context, name, css);
      render(view);
      return view.dispose;
    },
  };
}

interface QueueHooks {
  /** Gets the number of each event that leaves. */
  readonly onSent?: (seq: number) => void;
  /** Gets whether an answer of the kernel is overdue. */
  readonly onBusy?: (busy: boolean) => void;
}

/** One view of one model. Everything begun through it ends with `dispose`, however often that is called. */
export class View<Traits> {
  readonly root: HTMLElement;
  /** Unique in the page: two views of one model must not share element ids. */
  readonly id = `cnnviz-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
  readonly model: Model;
  readonly link: Link;
  private readonly ending = new AbortController();
  private readonly endings: (() => void)[] = [];

  constructor({ model, el, signal }: RenderContext, name: string, css: string) {
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

  readonly get = <Name extends keyof Traits & string>(name: Name): Traits[Name] => this.model.get(name) as Traits[Name];

  /** What the page shows for a text of the kernel: what `texts` has for it in the page's language, or the text. */
  get say(): (text: string) => string {
    const [, texts = {}] = textsIn((this.model.get("texts") ?? {}) as Record<string, Record<string, string>>, null);
    return (text) => (Object.hasOwn(texts, text) ? (texts[text] ?? text) : text);
  }

  /** Listen to `target` until the view ends. */
  listen<Name extends keyof HTMLElementEventMap>(
    target: EventTarget,
    name: Name,
    callback: (event: HTMLElementEventMap[Name]) => void,
    options: AddEventListenerOptions = {},
  ): void {
    target.addEventListener(name, callback as EventListener, { ...options, signal: this.ending.signal });
  }

  /** Call `callback` now and whenever one of the traits changes. */
  follow(names: (keyof Traits & string)[], callback: () => void): void {
    for (const name of names) this.on(`change:${name}`, callback);
    callback();
  }

  /** Call `callback` with each custom message. */
  onMessage(callback: (message: unknown, buffers: DataView[]) => void): void {
    this.on("msg:custom", (message, buffers) => callback(message, Array.isArray(buffers) ? buffers : []));
  }

  /** A queue of events for the kernel. While an answer is overdue, the view says so: the kernel is busy, or gone. */
  queue({ onSent, onBusy }: QueueHooks = {}): EventQueue {
    const send = (message: Record<string, unknown>, buffers?: ArrayBuffer[]) => {
      onSent?.(message["seq"] as number);
      this.link.send({ ...message, takes_answers: this.takesAnswers }, buffers);
    };
    const showBusy = (busy: boolean) => {
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
  private get takesAnswers(): boolean {
    return (this.model as HostedModel).widget_manager?.get_model !== undefined;
  }

  onDispose(callback: () => void): void {
    this.endings.push(callback);
  }

  readonly dispose = (): void => {
    this.ending.abort();
    for (const end of this.endings.splice(0).reverse()) end();
  };

  private on(event: string, callback: (...details: unknown[]) => void): void {
    this.model.on(event, callback);
    this.onDispose(() => this.model.off(event, callback));
  }
}
