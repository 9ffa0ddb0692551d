// What every view of a widget needs: a root with its style, listeners that go with the view, one message in flight.
import { Link } from "./link.ts";
import type { Model, RenderContext } from "./model.ts";
import { OneInFlight } from "./one_in_flight.ts";

/** One view of one model. Everything begun through it ends with `dispose`, however often that is called. */
export class View<Traits> {
  readonly root: HTMLElement;
  /** Unique in the page: two views of one model must not share element ids. */
  readonly id = `cnnviz-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
  readonly link: Link;
  private readonly model: Model;
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

  get<Name extends keyof Traits & string>(name: Name): Traits[Name] {
    return this.model.get(name) as Traits[Name];
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
  hear(callback: (message: unknown) => void): void {
    this.on("msg:custom", callback);
  }

  /**
   * A channel to the kernel with one message in flight; `sent` learns the number of each message that leaves, `busy`
   * whether an answer is overdue. While it is, the view says so: the kernel is busy, or gone.
   */
  channel(sent: (seq: unknown) => void = () => {}, busy: (silent: boolean) => void = () => {}): OneInFlight {
    const send = (message: Record<string, unknown>, buffers?: ArrayBuffer[]) => {
      sent(message["seq"]);
      this.link.send(message, buffers);
    };
    const silence = (silent: boolean) => {
      this.root.toggleAttribute("data-waiting", silent);
      this.link.silence(channel, silent);
      busy(silent);
    };
    const channel = new OneInFlight(send, undefined, undefined, silence);
    this.hear((message) => channel.receive(message));
    this.onDispose(() => channel.dispose());
    return channel;
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

/** An element with a class. Text only ever enters through `textContent`: labels come from data sets and uploads. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className: string,
  attributes: Record<string, string> = {},
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  made.className = className;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** A line icon of 16 x 16. */
export function icon(path: string): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "cnnviz-icon");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}
