// A picture, a heatmap over it, and an occlusion window that follows the hand without the kernel.

import { initialize } from "./hearing.ts";
import { heatMap, type HeatMap, painted, resampled } from "./blend.ts";
import { colorTable } from "./colormaps.ts";
import { Drawing } from "./drawing.ts";
import { Hand, type Pixel, type Subject } from "./hand.ts";
import { Held } from "./held.ts";
import { bytesOf, type RenderContext } from "./model.ts";
import { fitted, type Room, same, type Window } from "./occlusion_window.ts";
import type { Payload } from "./one_in_flight.ts";
import css from "./picture.css";
import { Readout } from "./readout.ts";
import { Settings } from "./settings.ts";
import { type Shown, Toolbar } from "./toolbar.ts";
import { element, View } from "./view.ts";
import { figure, namedScales, scaleInUse } from "./view_state.ts";
import { Viewport } from "./viewport.ts";

type Four = [number, number, number, number];

interface Traits {
  _picture: { pixels?: unknown; size?: [number, number] };
  _map: { values?: unknown; size?: [number, number]; quantity?: string; signed?: boolean; scales?: unknown };
  baseline: unknown;
  mode: Subject["mode"];
  box: Four | null;
  marker: [number, number] | null;
  window_start: Four;
  _window_final: Four;
  window_limits: [number, number];
  label: string;
  display_width: number;
  view_state: unknown;
  /** Not a trait: how the views of one page show each other's hand. It is set and never saved. */
  _live: { by: string; window: Four; marker: Pixel | null } | undefined;
}

function render(context: RenderContext): () => void {
  const view = new View<Traits>(context, "picture", css);
  const canvas = element("canvas", "cnnviz-picture-canvas", { "data-lm-suppress-shortcuts": "true" });
  const readout = new Readout(canvas, view.id);
  const toolbar = new Toolbar((state) => settings.change(state));
  const settings = new Settings(context.model, () => showMap(), view.link.save);
  const drawing = new Drawing();
  view.root.append(canvas, readout.root, toolbar.root, readout.spoken);

  const kernelWindow = () => windowOf(view.get("_window_final"));
  const kernelMarker = () => pixelOf(view.get("marker"));
  const window = new Held<Window>(kernelWindow(), same);
  const marker = new Held<Pixel | null>(kernelMarker(), (a, b) => a?.row === b?.row && a?.column === b?.column);
  let gesture: Payload | null = null; // what the gesture under way has last reported
  let size = { rows: 0, columns: 0 };
  let map: HeatMap | null = null;
  let shown: Shown | null = null; // the map as the toolbar has it
  let hovered: Pixel | null = null;
  let viewport: Viewport | null = null;
  let silent = false;
  let frame = 0;

  const channel = view.channel(
    (seq) => {
      for (const held of [window, marker]) held.sent(seq);
    },
    (overdue) => {
      silent = overdue;
      describe();
    },
  );

  const room = (): Room => {
    const [smallest, largest] = view.get("window_limits");
    return { ...size, smallest, largest };
  };
  const currentWindow = () =>
    view.get("mode") === "window" && size.rows > 0 && window.value.height > 0 ? fitted(window.value, room()) : null;

  const valueAt = (pixel: Pixel | null): number | null =>
    shown && pixel ? (shown.values[pixel.row * size.columns + pixel.column] ?? null) : null;

  const words = (pixel: Pixel | null): string => {
    const value = valueAt(pixel);
    return shown && value !== null ? `${shown.quantity} ${figure(value)}` : "";
  };

  const describe = () => {
    const at = currentWindow();
    const picked = view.get("mode") === "point" ? marker.value : null;
    const centre = at && { row: at.top + (at.height >> 1), column: at.left + (at.width >> 1) };
    const where = at
      ? `window ${at.height} by ${at.width} at row ${at.top}, column ${at.left}`
      : picked
        ? `point at row ${picked.row}, column ${picked.column}`
        : "";
    const value = words(centre ?? picked);
    readout.where(silent ? "waiting for the kernel" : where.replace(" by ", " × ").replace("column", "col"));
    const under = hovered ? [`row ${hovered.row}, col ${hovered.column}`, words(hovered)] : [];
    readout.value(under.filter(Boolean).join(" · "));
    readout.label([view.get("label"), where, value].filter(Boolean).join(". "));
    toolbar.point(valueAt(hovered));
    return [where, value].filter(Boolean).join(", ");
  };

  const draw = () => {
    cancelAnimationFrame(frame);
    frame = 0;
    const pen = canvas.getContext("2d");
    if (pen === null || viewport === null) return;
    drawing.draw(pen, {
      viewport,
      window: currentWindow(),
      box: view.get("box"),
      marker: marker.value && [marker.value.row, marker.value.column],
      opacity: settings.state.opacity,
      cells: settings.state.cells,
    });
    describe();
  };
  const schedule = () => {
    if (frame === 0) frame = requestAnimationFrame(draw);
  };

  const measure = (entry?: ResizeObserverEntry) => {
    const { width, height } = entry?.contentRect ?? { width: canvas.clientWidth, height: canvas.clientHeight };
    if (width === 0 || height === 0 || size.rows === 0) return;
    const exact = entry?.devicePixelContentBoxSize?.[0];
    const deviceWidth = devicePixels(width, exact?.inlineSize);
    const deviceHeight = devicePixels(height, exact?.blockSize);
    viewport = new Viewport(width, height, deviceWidth, deviceHeight, size.rows, size.columns);
    if (canvas.width !== deviceWidth || canvas.height !== deviceHeight) {
      canvas.width = deviceWidth;
      canvas.height = deviceHeight;
    }
    draw(); // at once: a resized canvas is blank
  };

  const showMap = () => {
    const { quantity = "", signed = false, scales } = view.get("_map");
    toolbar.root.hidden = map === null || size.rows === 0;
    shown = null;
    if (map === null || size.rows === 0) {
      drawing.showMap(null, 1);
      return schedule();
    }
    const { state } = settings;
    const values = resampled(map, size.rows, size.columns, state.cells);
    shown = { state, quantity, signed, scales: namedScales(scales, map.values), values };
    const table = signed ? colorTable(state.diverging, "diverging") : colorTable(state.colors, "sequential");
    const scale = scaleInUse(state, shown.scales, shown);
    drawing.showMap(painted(values, size.columns, table, scale, signed, state.threshold), size.columns);
    toolbar.update(shown);
    schedule();
  };

  const showBaseline = () => {
    const rgb = bytesOf(view.get("baseline"));
    drawing.showBaseline(rgb.length > 0 && rgb.length === size.rows * size.columns * 3 ? rgb : null, size.columns);
    schedule();
  };

  view.follow(["_map"], () => {
    const { values, size: [rows, columns] = [0, 0] } = view.get("_map");
    map = heatMap(bytesOf(values), rows, columns);
    showMap();
  });
  view.follow(["_picture"], () => {
    const { pixels, size: [rows, columns] = [0, 0] } = view.get("_picture");
    const rgb = bytesOf(pixels);
    const valid = rows > 0 && columns > 0 && rgb.length === rows * columns * 3;
    size = valid ? { rows, columns } : { rows: 0, columns: 0 };
    canvas.hidden = !valid;
    if (!valid) return;
    canvas.style.aspectRatio = `${columns} / ${rows}`;
    drawing.showPicture(rgb, columns);
    hovered = null;
    showBaseline();
    showMap();
    measure();
  });
  view.follow(["baseline"], showBaseline);
  view.follow(["mode"], () => {
    readout.mode(view.get("mode"));
    canvas.dataset.mode = view.get("mode");
    canvas.style.cursor = "";
  });
  view.follow(["mode", "box", "label", "window_start", "window_limits"], schedule);
  view.follow(["display_width"], () => {
    canvas.style.width = view.root.style.width = `${view.get("display_width")}px`;
  });
  view.follow(["_window_final", "marker"], () => {
    window.offered(kernelWindow());
    marker.offered(kernelMarker());
    schedule();
  });
  view.follow(["view_state"], settings.read);
  view.follow(["_live"], () => {
    const live = view.get("_live");
    if (live === undefined || live.by === view.id || window.inHand) return;
    window.move(windowOf(live.window));
    marker.move(live.marker);
    schedule();
  });
  view.hear((message) => {
    const windowMoved = window.acknowledged(message, kernelWindow());
    const markerMoved = marker.acknowledged(message, kernelMarker());
    if (windowMoved || markerMoved) schedule();
  });

  const moved = (payload: Payload) => {
    gesture = payload;
    channel.offer(payload);
    const { top, left, height, width } = window.value;
    context.model.set("_live", { by: view.id, window: [top, left, height, width], marker: marker.value });
    draw();
    readout.announce(describe);
  };

  const subject: Subject = {
    get mode() {
      return view.get("mode");
    },
    get viewport() {
      return viewport;
    },
    get room() {
      return room();
    },
    get window() {
      return currentWindow();
    },
    get start() {
      return fitted(windowOf(view.get("window_start")), room());
    },
    get marker() {
      return marker.value;
    },
    place(next) {
      if (same(next, window.value)) return;
      window.move(next);
      moved({ name: "moved", window: [next.top, next.left, next.height, next.width] });
    },
    mark(pixel) {
      if (pixel.row === marker.value?.row && pixel.column === marker.value.column) return;
      marker.move(pixel);
      moved({ name: "picked", point: [pixel.row, pixel.column] });
    },
    grip() {
      window.grip();
      marker.grip();
    },
    letGo() {
      window.letGo();
      marker.letGo();
      if (gesture !== null) channel.offer(gesture, true);
      else if (window.offered(kernelWindow()) || marker.offered(kernelMarker())) schedule();
      gesture = null;
    },
    hover(pixel) {
      hovered = pixel;
      describe();
    },
  };

  const resizes = new ResizeObserver((entries) => measure(entries.at(-1)));
  try {
    resizes.observe(canvas, { box: "device-pixel-content-box" });
  } catch {
    resizes.observe(canvas); // Safari
  }
  view.listen(globalThis as unknown as EventTarget, "resize", () => measure());
  const hand = new AbortController();
  new Hand(canvas, subject, hand.signal);

  // The first to go, before the channel: the hand ends its gesture, and its last event still leaves.
  view.onDispose(() => {
    hand.abort();
    resizes.disconnect();
    cancelAnimationFrame(frame);
    readout.dispose();
    settings.dispose();
  });
  return view.dispose;
}

/** A CSS length in device pixels: what the browser says, where it knows how it rounds. */
function devicePixels(length: number, exact: number | undefined): number {
  const computed = length * devicePixelRatio;
  return exact !== undefined && Math.abs(exact - computed) < 1 ? exact : Math.round(computed);
}

function windowOf([top, left, height, width]: Four): Window {
  return { top, left, height, width };
}

function pixelOf(marker: [number, number] | null): Pixel | null {
  return marker && { row: marker[0], column: marker[1] };
}

export default { initialize, render };
