// A picture, a heatmap over it, and an occlusion window that follows the hand without the kernel.
import { parseViewState } from "../color/scales.ts";
import { closeOnLeaving } from "../core/popover.ts";
import { Settings } from "../core/settings.ts";
import { define, type View } from "../core/widget.ts";
import { BrushTools } from "./brush.ts";
import { Drawing, type DrawState } from "./drawing.ts";
import { Hand } from "./hand.ts";
import css from "./picture.css";
import { Readout } from "./readout.ts";
import { PictureState, type Traits } from "./state.ts";
import { Toolbar } from "./toolbar.ts";
import { describe } from "./words.ts";

/** The map beside the picture, where the stylesheet finds room for both; the hand stays on the first. */
function mapBeside(view: View<Traits>, drawState: () => DrawState): Drawing {
  const pane = new Drawing(view, drawState, () => {});
  pane.canvas.className = "cnnviz-picture-second";
  pane.canvas.setAttribute("aria-hidden", "true");
  return pane;
}

/** Where the kernel, and the hand in another view, have put window, point and mask. */
function followHands(view: View<Traits>, state: PictureState, draw: () => void): void {
  view.follow(["_window_final", "marker", "_mask"], () => {
    state.receiveTraits();
    draw();
  });
  view.follow(["_live"], () => state.receiveLive(view.get("_live"), view.id) && draw());
  view.onMessage((message) => state.receiveAck(message) && draw());
}

function render(view: View<Traits>): void {
  const drawing = new Drawing(view, () => drawState(second.shown ? "photograph" : undefined), drawn);
  const second = mapBeside(view, () => drawState("map"));
  const readout = new Readout(drawing.canvas, view.id);
  const toolbar = new Toolbar((changed) => settings.change(changed));
  closeOnLeaving(view, toolbar.more);
  const settings = new Settings(view, "view_state", parseViewState, showMap);
  const state = new PictureState(view.get, {
    onMove(event, buffers) {
      queue.offer(event, false, buffers);
      view.model.set("_live", state.live(view.id));
      drawing.draw();
      readout.announce();
    },
    onGestureEnd: (event, buffers) => queue.offer(event, true, buffers),
    onChange: () => drawing.schedule(),
    onWords: say,
  });
  const brush = new BrushTools(
    state.painting,
    (act) => state.paint(act),
    () => drawing.schedule(),
  );
  const queue = view.queue({ onSent: (seq) => state.sent(seq), onBusy: (busy) => state.setBusy(busy) });
  view.root.append(drawing.canvas, second.canvas, brush.below(readout.root), toolbar.root, readout.spoken);

  const appearing = new ResizeObserver(() => drawing.schedule());
  appearing.observe(second.canvas);

  function drawState(pane: DrawState["pane"]): DrawState {
    const now = state.drawState(settings.state);
    return pane === undefined ? now : { ...now, pane };
  }
  function drawn(): void {
    if (second.shown) second.draw();
    say();
  }
  function say(): void {
    brush.update();
    drawing.canvas.toggleAttribute("data-brush", state.mask !== null);
    readout.say(describe(state, brush.describe()));
    toolbar.point(state.valueAt(state.hovered));
  }
  function showMap(): void {
    const map = state.paintMap(settings.state);
    for (const pane of [second, drawing]) pane.showMap(map, state.size.columns);
    view.root.toggleAttribute("data-map", map !== null);
    toolbar.update(state.shown);
  }
  function showPicture(): void {
    const rgb = state.receivePicture();
    drawing.canvas.hidden = rgb === null;
    if (rgb === null) return;
    for (const pane of [second, drawing]) pane.showPicture(rgb, state.size.columns);
    drawing.showBaseline(state.baseline);
    showMap();
    second.measure();
    drawing.measure();
  }

  view.follow(["_map"], () => {
    state.receiveMap();
    showMap();
  });
  view.follow(["_picture"], showPicture);
  view.follow(["baseline"], () => drawing.showBaseline(state.baseline));
  view.follow(["view_state"], settings.read);
  view.follow(["mode", "brush", "language"], () => {
    const texts = brush.write(view.get("brush") ?? {}, view.get("language") ?? null);
    readout.mode(state.mode, state.mode === "window" ? texts.keys : "");
    drawing.canvas.dataset["mode"] = state.mode;
    drawing.canvas.style.cursor = "";
  });
  view.follow(["display_width"], () => {
    view.root.style.setProperty("--cnnviz-side", `${view.get("display_width")}px`);
  });
  view.follow(["stale"], () => {
    for (const pane of [second, drawing]) pane.showStale(view.get("stale"));
  });
  view.follow(["mode", "box", "label", "window_start", "window_limits"], () => drawing.schedule());
  followHands(view, state, () => drawing.schedule());

  const hand = new AbortController();
  new Hand(drawing, state, hand.signal);
  // The first to go, before the queue: the hand ends its gesture, and its last event still leaves.
  view.onDispose(() => {
    hand.abort();
    appearing.disconnect();
    second.dispose();
    drawing.dispose();
    readout.dispose();
    settings.dispose();
  });
}

export default define("picture", css, render);
