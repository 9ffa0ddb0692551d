// The elements of the tile grid: a scrolled canvas with captions and marks over it.
import { paintTile } from "../color/blend.ts";
import { colorTable, tableNames } from "../color/colormaps.ts";
import { element } from "../core/element.ts";
import { bytesOf } from "../core/model.ts";
import type { Rectangle } from "../geometry/rectangle.ts";
import { CAPTION, type ReadTrait, type TileState } from "./state.ts";

/** CSS pixels: the width a host is asked for, however many tiles there are. */
const MOST_ASKED = 1600;

/** Shows `state`; the elements go into the view, `scroll` takes the events. */
export class TileDrawing {
  readonly description = element("div", "cnnviz-tiles-description");
  readonly scroll = element("div", "cnnviz-tiles-scroll", {
    role: "listbox",
    tabindex: "0",
    "data-lm-suppress-shortcuts": "true",
  });
  readonly empty = element("div", "cnnviz-tiles-empty");
  readonly ruler = element("div", "cnnviz-tiles-ruler", { "aria-hidden": "true" });
  private readonly content = element("div", "cnnviz-tiles-content", { role: "presentation" });
  private readonly canvas = element("canvas", "cnnviz-tiles-canvas", { "aria-hidden": "true" });
  private readonly captions = element("div", "", { "aria-hidden": "true" });
  private readonly hover = element("div", "cnnviz-tiles-mark cnnviz-tiles-hovered");
  private readonly chosen = element("div", "cnnviz-tiles-mark cnnviz-tiles-selected");
  private readonly cursor = element("div", "cnnviz-tiles-mark cnnviz-tiles-cursor");
  /** The one option that exists for assistive technology: the tile under the keyboard's cursor. */
  private readonly option: HTMLElement;
  private readonly scratch = document.createElement("canvas");

  constructor(
    private readonly get: ReadTrait,
    private readonly state: TileState,
    id: string,
    private readonly say: (text: string) => string,
  ) {
    this.option = element("div", "cnnviz-hidden", { role: "option", id: `${id}-option` });
    this.content.append(this.canvas, this.captions, this.hover, this.chosen, this.cursor, this.option);
    this.scroll.append(this.content);
  }

  /** The part of the content in view. */
  get sight(): Rectangle {
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.scroll;
    return { x: scrollLeft, y: scrollTop, width: clientWidth, height: clientHeight };
  }

  describe(): void {
    const text = this.say(this.get("description"));
    this.description.textContent = this.description.title = text;
    this.description.hidden = text === "";
    this.scroll.ariaLabel = text || "Pictures";
  }

  layOut(): void {
    const { get, scroll, empty } = this;
    const none = get("count") === 0;
    this.fillRuler();
    empty.textContent = this.say(get("placeholder"));
    empty.hidden = !none || get("placeholder") === "";
    scroll.hidden = none;
    scroll.style.maxHeight = `${get("height")}px`;
    this.layOutContent();
    // A scroll bar takes width, which may change the columns: lay out for the width that remains with it.
    if (scroll.clientWidth > 0 && get("columns") === 0) this.layOutContent();
    this.draw();
    this.mark();
  }

  /** Draw the tiles in sight and around it at the screen's own resolution. */
  draw(): void {
    const { state, canvas } = this;
    const { area, tiles } = state.areaToDraw(this.sight);
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(area.width * ratio));
    canvas.height = Math.max(1, Math.round(area.height * ratio));
    setPlace(canvas, area);
    this.paint(area, tiles, ratio);
    this.write();
  }

  drawIfNeeded(): void {
    if (this.state.needsDrawing(this.sight)) this.draw();
  }

  /** Write the captions and badges of the tiles that are drawn. */
  write(): void {
    this.captions.replaceChildren(...this.state.tilesDrawn.flatMap((index) => this.writing(index)));
  }

  /** Put the marks on their tiles, and say which one the cursor is on. */
  mark(): void {
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
  tileAt(clientX: number, clientY: number): number | null {
    const box = this.content.getBoundingClientRect();
    return this.state.grid.at(clientX - box.left, clientY - box.top);
  }

  /** Scroll to the cursor. */
  reveal(): void {
    this.scroll.scrollTo(...this.state.scrollTarget(this.sight));
  }

  private layOutContent(): void {
    this.state.layOut(this.scroll.clientWidth);
    this.content.style.width = `${this.state.grid.width}px`;
    this.content.style.height = `${this.state.grid.height}px`;
  }

  /** As many blanks as a row would have tiles: they wrap where there is less room. */
  private fillRuler(): void {
    const { ruler } = this;
    const { count, columns, tileWidth, gap, margin } = this.state.shape;
    const wanted = Math.min(columns || count, Math.ceil(MOST_ASKED / tileWidth));
    ruler.style.padding = `0 ${margin}px`;
    while (ruler.childElementCount > wanted) ruler.lastChild?.remove();
    while (ruler.childElementCount < wanted) ruler.append(document.createElement("span"));
    for (const blank of ruler.children) (blank as HTMLElement).style.width = `${tileWidth + gap}px`;
  }

  private paint(area: Rectangle, tiles: number[], ratio: number): void {
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
      if ((index + 1) * size > sheet.length) break; // a count that runs ahead of its sheet
      paintTile(sheet, index, height * width, channels, table, pixels.data);
      from.putImageData(pixels, 0, 0);
      const tile = this.state.grid.tile(index);
      // Whole device pixels, or the edges blur.
      const left = Math.round((tile.x - area.x) * ratio);
      const top = Math.round((tile.y - area.y) * ratio);
      to.drawImage(scratch, left, top, Math.round(tile.width * ratio), Math.round(tile.height * ratio));
    }
  }

  private writing(index: number): HTMLElement[] {
    const { state } = this;
    const made: HTMLElement[] = [];
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

  private placeMark(mark: HTMLElement, index: number | null): void {
    mark.hidden = index === null || index >= this.state.grid.shape.count;
    if (index !== null && !mark.hidden) setPlace(mark, this.state.grid.tile(index));
  }
}

function setPlace(target: HTMLElement, { x, y, width, height }: Rectangle): void {
  target.style.cssText = `left:${x}px;top:${y}px;width:${width}px;height:${height}px`;
}
