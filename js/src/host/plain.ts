// How widgets of ipywidgets itself are drawn without a kernel. Text only ever enters through `textContent`.
import { element } from "../core/element.ts";
import type { HostModel } from "./model.ts";

export function follow(model: HostModel, names: string[], callback: () => void): void {
  for (const name of names) model.on(`change:${name}`, callback);
  callback();
}

export const PLAIN: Record<string, (model: HostModel, el: HTMLElement) => void> = {
  html(model, el) {
    const name = el.appendChild(element("span", ""));
    const body = el.appendChild(element("div", ""));
    follow(model, ["description", "value"], () => {
      name.textContent = String(model.get("description") ?? "");
      body.replaceChildren(...harmless(String(model.get("value") ?? "")));
    });
  },
  label: labelled,
  field: labelled,
  image(model, el) {
    const image = el.appendChild(element("img", ""));
    follow(model, ["source"], () => {
      image.src = String(model.get("source"));
    });
  },
};

function labelled(model: HostModel, el: HTMLElement): void {
  const name = el.appendChild(element("span", ""));
  const value = el.appendChild(element("span", ""));
  follow(model, ["description", "value"], () => {
    name.textContent = String(model.get("description") ?? "");
    value.textContent = String(model.get("value"));
  });
}

/** What text with tags may consist of. Of other elements the text stays, but for scripts and styles. */
const ELEMENTS = new Set([
  ..."a abbr b br code dd div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd".split(" "),
  ..."li ol p pre s small span strong sub sup table tbody td th thead tr u ul".split(" "),
  ..."svg g line path polyline rect circle text title".split(" "),
]);
const DROPPED = new Set(["script", "style", "template"]);
const ATTRIBUTES = new Set([
  ..."alt class colspan height href role rowspan src style title width aria-label aria-hidden".split(" "),
  ..."viewBox d x y x1 y1 x2 y2 cx cy r rx fill stroke stroke-width points opacity transform".split(" "),
  ..."text-anchor font-size stroke-dasharray stroke-opacity stroke-linecap vector-effect preserveAspectRatio".split(
    " ",
  ),
]);
const ADDRESSES: Record<string, RegExp> = { href: /^(https?:|mailto:|#)/i, src: /^data:image\//i };

/** The nodes that `source` means, made anew of elements and attributes that run nothing and load nothing. */
function harmless(source: string): Node[] {
  const copy = (node: Node): Node[] => {
    if (node.nodeType === Node.TEXT_NODE) return [document.createTextNode((node as Text).data)];
    if (!(node instanceof Element) || DROPPED.has(node.localName)) return [];
    const inside = [...node.childNodes].flatMap(copy);
    if (!ELEMENTS.has(node.localName)) return inside;
    const made = document.createElementNS(node.namespaceURI, node.localName);
    for (const { name, value } of node.attributes) if (isAllowed(name, value)) made.setAttribute(name, value);
    made.append(...inside);
    return [made];
  };
  return [...new DOMParser().parseFromString(source, "text/html").body.childNodes].flatMap(copy);
}

function isAllowed(name: string, value: string): boolean {
  if (!ATTRIBUTES.has(name)) return false;
  // It may load nothing, nor hide in escapes that it does.
  if (name !== "href" && name !== "src" && /url|image|\\/i.test(value)) return false;
  return ADDRESSES[name]?.test(value.trim()) ?? true;
}
