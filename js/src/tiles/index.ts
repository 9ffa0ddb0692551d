// A grid of small images. Only the tiles in sight, and one view's length around them, are ever drawn.
import { control } from "../core/controlled_value.ts";
import { define, type View } from "../core/widget.ts";
import { TileDrawing } from "./drawing.ts";
import { type ModifierKeys, TileState, type Traits } from "./state.ts";
import css from "./tiles.css";

function render(view: View<Traits>): void {
  const [selected, picks] = control(view, "selected", showSelected);
  const hovers = view.queue();
  const state = new TileState(view.get, selected);
  const drawing = new TileDrawing(view.get, state, view.id, (text) => view.say(text));
  const { scroll } = drawing;
  let pointer: { x: number; y: number } | null = null;
  view.root.append(drawing.description, scroll, drawing.empty, drawing.ruler);

  function showSelected(): void {
    drawing.write();
    drawing.mark();
  }
  function enter(index: number | null): void {
    const event = state.enter(index);
    if (event === null) return;
    drawing.mark();
    hovers.offer(event, index === null);
  }
  function pick(index: number, keys: ModifierKeys): void {
    const event = state.pick(index, keys);
    showSelected();
    picks.offer(event, true);
  }
  function moveCursor(event: KeyboardEvent): boolean {
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
    if (event.pointerType === "touch") return; // a finger that scrolls points at nothing
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
    state.hovered = null; // the tile under the pointer is another one now
  });
  layOutWhenNeeded(view, drawing, state);
}

const LAYOUT = [
  "sheet",
  "revision",
  "tile_size",
  "channels",
  "count",
  "colormap",
  "labels",
  "badges",
  "columns",
] as const;

/** One layout however many traits change together, and one whenever the size or the screen's resolution changes. */
function layOutWhenNeeded(view: View<Traits>, drawing: TileDrawing, state: TileState): void {
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

export default define("tiles", css, render);
