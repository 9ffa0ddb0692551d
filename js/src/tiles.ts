// A grid of small images. Only the tiles in sight, and one view's length around them, are ever drawn.
import { colorTable, tableNames } from "./colormaps.ts";
import { band, covers, Grid, paintTile, type Rectangle } from "./grid.ts";
import { Held } from "./held.ts";
import { bytesOf, type RenderContext } from "./model.ts";
import css from "./tiles.css";
import { element, View } from "./view.ts";

interface Traits {
  sheet: unknown;
  tile_size: [number, number];
  channels: number;
  count: number;
  revision: number;
  colormap: string;
  labels: string[];
  badges: string[];
  selected: number | null;
  columns: number;
  tile_width: number;
  height: number;
  pixelated: boolean;
  captions: boolean;
  description: string;
  placeholder: string;
}

const GAP = 8;
const MARGIN = 6;
const CAPTION = 18;
const MOST_ASKED = 1600;
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

  const lay = () => {
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
  const sizes = new ResizeObserver(layLater);
  sizes.observe(view.root);
  view.onDispose(() => sizes.disconnect());
  view.listen(window, "resize", layLater);
  return view.dispose;
}

function shape(view: View<Traits>) {
  const [height, width] = view.get("tile_size");
  return {
    count: view.get("count"),
    columns: view.get("columns"),
    tileWidth: Math.max(8, view.get("tile_width")),
    aspect: width > 0 ? height / width : 1,
    caption: view.get("captions") && view.get("labels").length > 0 ? CAPTION : 0,
    gap: GAP,
    margin: MARGIN,
  };
}

/** As many blanks as a row would have tiles: they wrap where there is less room. */
function rule(ruler: HTMLElement, view: View<Traits>): void {
  const { count, columns, tileWidth } = shape(view);
  const wanted = Math.min(columns || count, Math.ceil(MOST_ASKED / tileWidth));
  ruler.style.padding = `0 ${MARGIN}px`;
  while (ruler.childElementCount > wanted) ruler.lastChild?.remove();
  while (ruler.childElementCount < wanted) ruler.append(document.createElement("span"));
  for (const blank of ruler.children) (blank as HTMLElement).style.width = `${tileWidth + GAP}px`;
}

/** Label and badge of a tile, as one text. */
function words(view: View<Traits>, index: number): string {
  return [view.get("labels")[index], view.get("badges")[index]].filter(Boolean).join(" · ");
}

function place(target: HTMLElement, { x, y, width, height }: Rectangle): void {
  target.style.cssText = `left:${x}px;top:${y}px;width:${width}px;height:${height}px`;
}

function clipped(area: Rectangle, content: { width: number; height: number }): Rectangle {
  return {
    ...area,
    width: Math.max(0, Math.min(area.width, content.width - area.x)),
    height: Math.max(0, Math.min(area.height, content.height - area.y)),
  };
}

/** Draw the tiles `visible` of `area` at the screen's own resolution. */
function paint(
  view: View<Traits>,
  grid: Grid,
  area: Rectangle,
  visible: number[],
  canvas: HTMLCanvasElement,
  scratch: HTMLCanvasElement,
): void {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(area.width * ratio));
  canvas.height = Math.max(1, Math.round(area.height * ratio));
  place(canvas, area);
  const [height, width] = view.get("tile_size");
  const channels = view.get("channels");
  const sheet = bytesOf(view.get("sheet"));
  const to = canvas.getContext("2d");
  const from = scratch.getContext("2d", { willReadFrequently: true });
  const size = height * width * channels;
  if (!to || !from || size <= 0) return;
  scratch.width = width;
  scratch.height = height;
  const pixels = new ImageData(width, height);
  const name = view.get("colormap");
  const table = colorTable(name, tableNames("diverging").includes(name) ? "diverging" : "sequential");
  to.imageSmoothingEnabled = !view.get("pixelated");
  to.imageSmoothingQuality = "high";
  for (const index of visible) {
    if ((index + 1) * size > sheet.length) break; // a count that runs ahead of its sheet
    paintTile(sheet, index, height * width, channels, table, pixels.data);
    from.putImageData(pixels, 0, 0);
    const tile = grid.tile(index);
    // Whole device pixels, or the edges blur.
    const left = Math.round((tile.x - area.x) * ratio);
    const top = Math.round((tile.y - area.y) * ratio);
    to.drawImage(scratch, left, top, Math.round(tile.width * ratio), Math.round(tile.height * ratio));
  }
}

export default { render };
