// Makes elements.

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

/** What a control is for: seen when the pointer rests on `root`, heard when `control` has the focus. */
export function setTooltip(root: HTMLElement, control: HTMLElement, text: string | null | undefined): void {
  if (text) {
    root.title = text;
    control.setAttribute("aria-description", text);
  } else {
    root.removeAttribute("title");
    control.removeAttribute("aria-description");
  }
}

/** A button with a line icon and no text. */
export function iconButton(label: string, path: string): HTMLButtonElement {
  const button = element("button", "cnnviz-icon-button", { type: "button", "aria-label": label, title: label });
  button.append(icon(path));
  return button;
}
