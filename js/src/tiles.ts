// A grid of small images. Only the tiles in sight, and one view's length around them, are ever drawn.
import { initialize } from "./hearing.ts";
import { band, covers, Grid, type Rectangle } from "./grid.ts";
import { Held } from "./held.ts";
import type { RenderContext } from "./model.ts";
import { CAPTION, clipped, MARGIN, paint, place, rule, shape, type Traits, words } from "./tile_drawing.ts";
import css from "./tiles.css";
import { element, View } from "./view.ts";

const MODIFIERS = { shift: "shiftKey", ctrl: "ctrlKey", alt: "altKey", meta: "metaKey" } as const;

function render(context: RenderContext): () => void {
  const view = new View<Traits>(context, "tiles", css);

  const description = element("div", "cnnviz-tiles-description");
  const scroll = element("div", "cnnviz-tiles-scroll", {
    role: "listbox",
    tabindex: "0",
    "data-lm-suppress-shortcuts": "true",
  });
  const content = element("div", "cnnviz-tiles-content", { role: "presentation" });
  const canvas = element("canvas", "cnnviz-tiles-canvas", { "aria-hidden": "true" });
  const captions = element("div", "", { "aria-hidden": "true" });
  const hover = element("div", "cnnviz-tiles-mark cnnviz-tiles-hovered");
  const chosen = element("div", "cnnviz-tiles-mark cnnviz-tiles-selected");
  const cursor = element("div", "cnnviz-tiles-mark cnnviz-tiles-cursor");
  // The one option that exists for assistive technology: the tile under the keyboard's cursor.
  const option = element("div", "cnnviz-hidden", { role: "option", id: `${view.id}-option` });
  const empty = element("div", "cnnviz-tiles-empty");
  const ruler = element("div", "cnnviz-tiles-ruler", { "aria-hidden": "true" });
  content.append(canvas, captions, hover, chosen, cursor, option);
  scroll.append(content);
  view.root.append(description, scroll, empty, ruler);

  const scratch = document.createElement("canvas");
  const selected = new Held(view.get("selected"));
  const picks = view.channel((seq) => selected.sent(seq));
  const hovers = view.channel();
  let grid = new Grid(shape(view), 0);
  let drawn: Rectangle | null = null;
  let hovered: number | null = null;
  let at = selected.value ?? 0;
  let laidFor = "";
  let pointer: { x: number; y: number } | null = null;

  const sight = (): Rectangle => ({
    x: scroll.scrollLeft,
    y: scroll.scrollTop,
    width: scroll.clientWidth,
    height: scroll.clientHeight,
  });

  const draw = () => {
    const area = band(sight(), grid);
    drawn = area;
    const visible = grid.touching(area);
    paint(view, grid, area, visible, canvas, scratch);
    captions.replaceChildren(...visible.flatMap((index) => writing(index)));
  };

  const writing = (index: number): HTMLElement[] => {
    const made: HTMLElement[] = [];
    const tile = grid.tile(index);
    const label = view.get("labels")[index];
    if (grid.shape.caption > 0 && label) {
      const caption = element("div", "cnnviz-tiles-caption");
      caption.classList.toggle("cnnviz-tiles-current", index === selected.value);
      caption.textContent = label;
      place(caption, { ...tile, y: tile.y + tile.height + 2, height: CAPTION - 2 });
      made.push(caption);
    }
    const badge = view.get("badges")[index];
    if (badge) {
      const pill = element("div", "cnnviz-tiles-badge");
      pill.textContent = badge;
      pill.style.cssText = `right:${grid.width - tile.x - tile.width + 2}px;top:${tile.y + 2}px;max-width:${tile.width - 4}px`;
      made.push(pill);
    }
    return made;
  };

  const mark = () => {
    const show = (element: HTMLElement, index: number | null) => {
      element.hidden = index === null || index >= grid.shape.count;
      if (!element.hidden) place(element, grid.tile(index as number));
    };
    show(hover, hovered);
    show(chosen, selected.value);
    show(cursor, grid.shape.count > 0 ? at : null);
    scroll.style.cursor = hovered === null ? "" : "pointer";
    scroll.title = hovered === null ? "" : words(view, hovered);
    option.textContent = option.ariaLabel = words(view, at) || `Tile ${at + 1}`;
    option.ariaSelected = String(at === selected.value);
    option.setAttribute("aria-posinset", String(at + 1));
    option.setAttribute("aria-setsize", String(grid.shape.count));
    if (grid.shape.count > 0) scroll.setAttribute("aria-activedescendant", option.id);
    else scroll.removeAttribute("aria-activedescendant");
  };

  const drawIfNeeded = () => {
    if (!drawn || !covers(drawn, clipped(sight(), grid))) draw();
  };

  const room = () => `${view.root.clientWidth} ${devicePixelRatio}`;

  const lay = () => {
    laidFor = room();
    const none = view.get("count") === 0;
    rule(ruler, view);
    empty.textContent = view.get("placeholder");
    empty.hidden = !none || view.get("placeholder") === "";
    scroll.hidden = none;
    scroll.style.maxHeight = `${view.get("height")}px`;
    // A scroll bar takes width, which may change the columns: lay out for the width that remains with it.
    grid = new Grid(shape(view), scroll.clientWidth);
    content.style.width = `${grid.width}px`;
    content.style.height = `${grid.height}px`;
    if (scroll.clientWidth > 0 && view.get("columns") === 0) {
      grid = new Grid(shape(view), scroll.clientWidth);
      content.style.width = `${grid.width}px`;
      content.style.height = `${grid.height}px`;
    }
    at = Math.max(0, Math.min(at, grid.shape.count - 1));
    draw();
    mark();
  };

  const enter = (index: number | null) => {
    if (index === hovered) return;
    hovered = index;
    mark();
    // With the revision the kernel knows which sheet the index means.
    hovers.offer({ name: "entered", index, revision: view.get("revision") }, index === null);
  };

  const pick = (index: number, event: MouseEvent | KeyboardEvent) => {
    const modifiers = Object.entries(MODIFIERS).flatMap(([name, key]) => (event[key] ? [name] : []));
    at = index;
    select(index);
    picks.offer({ name: "picked", index, revision: view.get("revision"), modifiers }, true);
  };

  const select = (index: number | null) => {
    selected.move(index);
    captions.replaceChildren(...(drawn ? grid.touching(drawn) : []).flatMap((tile) => writing(tile)));
    mark();
  };

  const under = (event: { clientX: number; clientY: number }) => {
    const box = content.getBoundingClientRect();
    return grid.at(event.clientX - box.left, event.clientY - box.top);
  };

  const reveal = (index: number) => {
    const cell = grid.cell(index);
    const area = sight();
    const into = (from: number, length: number, start: number, size: number) =>
      from - MARGIN < start ? from - MARGIN : from + length + MARGIN > start + size ? from + length + MARGIN - size : start;
    scroll.scrollTo(into(cell.x, cell.width, area.x, area.width), into(cell.y, cell.height, area.y, area.height));
  };

  view.listen(scroll, "scroll", () => {
    drawIfNeeded();
    if (pointer) enter(under({ clientX: pointer.x, clientY: pointer.y }));
  });
  view.listen(scroll, "pointermove", (event) => {
    if (event.pointerType === "touch") return; // a finger that scrolls points at nothing
    pointer = { x: event.clientX, y: event.clientY };
    enter(under(event));
  });
  view.listen(scroll, "pointerleave", () => {
    pointer = null;
    enter(null);
  });
  view.listen(scroll, "click", (event) => {
    const index = under(event);
    if (index !== null) pick(index, event);
  });
  view.listen(scroll, "keydown", (event) => {
    if (grid.shape.count === 0) return;
    if (event.key === "Enter" || event.key === " ") pick(at, event);
    else {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const rows = Math.max(1, Math.floor(scroll.clientHeight / grid.cell(0).height));
      const to = grid.moved(at, event.key, rows);
      if (to === null) return;
      at = to;
      pointer = null;
      reveal(at);
      enter(at);
      mark();
    }
    event.preventDefault();
    event.stopPropagation();
  });
  view.listen(scroll, "blur", () => {
    if (pointer === null) enter(null);
  });

  view.hear((message) => {
    if (selected.acknowledged(message, view.get("selected"))) select(selected.value);
  });
  view.follow(["selected"], () => {
    if (selected.offered(view.get("selected"))) select(selected.value);
    if (selected.value !== null && document.activeElement !== scroll) at = selected.value;
  });
  view.follow(["description"], () => {
    description.textContent = description.title = view.get("description");
    description.hidden = view.get("description") === "";
    scroll.ariaLabel = view.get("description") || "Pictures";
  });

  // One layout however many traits change together, and one whenever the size or the screen's resolution changes.
  let laying = 0;
  const layLater = () => {
    laying ||= requestAnimationFrame(() => {
      laying = 0;
      lay();
    });
  };
  view.onDispose(() => cancelAnimationFrame(laying));
  view.follow(["sheet", "revision"], () => {
    hovered = null; // the tile under the pointer is another one now
    layLater();
  });
  const laid = ["tile_size", "channels", "count", "colormap", "labels", "badges", "columns", "tile_width", "height"] as const;
  view.follow([...laid, "pixelated", "captions", "placeholder"], layLater);
  const layIfResized = () => {
    if (room() !== laidFor) layLater();
  };
  const sizes = new ResizeObserver(layIfResized);
  sizes.observe(view.root);
  view.onDispose(() => sizes.disconnect());
  view.listen(window, "resize", layIfResized);
  return view.dispose;
}

export default { initialize, render };
