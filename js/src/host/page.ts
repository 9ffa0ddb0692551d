// Shows the widgets of a document without a kernel: the recorded ones and those that are worked out in the page.
import { element } from "../core/element.ts";
import { type Axis, Choices, type Recorded } from "./axes.ts";
import { decoded, pixelsOf, revived, split, unzipped } from "./binary.ts";
import { drawChart, type Part } from "./chart.ts";
import { HostModel } from "./model.ts";
import { hasNetwork, type Network, networkIn } from "./network.ts";
import { type PatchSpec, playPatch } from "./patch.ts";
import { follow, PLAIN } from "./plain.ts";
import { type PointsSpec, playPoints } from "./points.ts";
import { playRows, type RowsSpec } from "./rows.ts";
import { type Definition, definitionOf, rendered, WIDGETS } from "./widgets.ts";

interface Widget {
  readonly kind: string;
  readonly name: string;
  readonly children?: number[];
  /** The name of a bundle of this package, or the place of another script. */
  readonly script?: string | number;
  readonly state: Record<string, unknown>;
}

/** What cnnviz_widgets/export/packing.py writes. */
export interface Content {
  readonly widgets: Widget[];
  readonly axes: Axis[];
  readonly recorded: Recorded[];
  readonly values: unknown[];
  readonly scripts: string[];
  readonly buffers: [number, number][];
  /** Which of the binary values are pictures in files. */
  readonly images: number[];
  readonly players: Player[];
}
export type Player = PatchSpec | PointsSpec | RowsSpec;

/** The classes that widgets have in notebooks. */
const CLASSES: Record<string, string> = {
  hosted: "",
  column: "widget-box widget-vbox",
  row: "widget-box widget-hbox",
  grid: "widget-box widget-gridbox",
  html: "widget-html",
  label: "widget-label",
  field: "widget-field",
  image: "widget-image",
  chart: "widget-chart",
  absent: "",
};

/** Draw what a document holds (page.py): each place with the number of a widget gets that with all inside it. */
export async function showPage(made: (page: Page) => void): Promise<void> {
  const places = [...document.querySelectorAll<HTMLElement>("[data-cnnviz-root]")];
  try {
    const block = await unzipped(decoded(document.getElementById("cnnviz-block")?.textContent ?? ""));
    const { content, values } = split(block);
    let begin = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const loading = hasNetwork(document) ? begun.then(() => networkIn(document)) : null;
    const page = new Page(content as Content, values, await picturesIn(content as Content, values), loading);
    made(page);
    for (const place of places) {
      place.replaceChildren();
      await page.draw(Number(place.dataset["cnnvizRoot"]), place);
    }
    // What was recorded is there at once; the network takes seconds, and comes when that has been painted.
    requestAnimationFrame(() => setTimeout(begin));
  } catch (error) {
    const text = `This page could not be shown: ${(error as Error).message}. A newer browser may show it.`;
    for (const place of places) place.append(sentence(text));
    throw error;
  } finally {
    document.documentElement.dataset["cnnviz"] = "drawn";
  }
}

async function picturesIn({ images, buffers }: Content, block: ArrayBuffer): Promise<Map<number, DataView>> {
  const read = async (key: number) => [key, await pixelsOf(new DataView(block, ...buffers[key]!))] as const;
  return new Map(await Promise.all(images.map(read)));
}

function sentence(text: string): HTMLElement {
  const made = element("p", "widget-absent");
  made.textContent = text;
  return made;
}

/** The widgets of a page: a model for each, and a view wherever it is drawn. */
export class Page {
  readonly models: HostModel[];
  readonly choices: Choices;
  private readonly values: unknown[];
  private readonly definitions: Promise<Definition>[];
  private readonly begun = new Map<number, unknown>();
  /** Called with the axes that have changed, after what was recorded has been written. */
  readonly followers: ((axes: readonly number[]) => void)[] = [];
  /** By widget: puts a further element below it. */
  readonly extras = new Map<number, (made: HTMLElement) => void>();

  constructor(
    private readonly content: Content,
    block: ArrayBuffer,
    pictures: ReadonlyMap<number, DataView>,
    /** The network that is being loaded; null where the page has none. */
    readonly network: Promise<Network | null> | null,
  ) {
    const known = new Map<unknown, unknown>();
    const binary = (key: number) => new DataView(block, ...content.buffers[key]!);
    const image = (key: number) => pictures.get(key)!;
    const stateOf = ({ state }: Widget) => revived(state, binary, image) as Record<string, unknown>;
    this.models = content.widgets.map((widget) => new HostModel(stateOf(widget)));
    this.values = content.values;
    this.value = (place) => {
      if (!known.has(place)) known.set(place, revived(this.values[place], binary, image));
      return known.get(place);
    };
    this.choices = new Choices(content.axes, content.recorded);
    this.definitions = content.scripts.map((script) => definitionOf(script));
    content.axes.forEach((axis, number) => {
      for (const { widget } of axis.controls) {
        const model = this.models[widget]!;
        model.answer = (event) => {
          if (event["name"] !== "entered") this.choose(number, event["index"] as number);
        };
      }
    });
    for (const player of content.players) {
      if (player.kind === "patch") playPatch(this, player);
      else if (player.kind === "rows") playRows(this, player);
      else playPoints(this, player);
    }
  }

  /** What stands at a place of the table of values. */
  readonly value: (place: number) => unknown;

  model(number: number): HostModel {
    return this.models[number]!;
  }

  /** The hand has chosen an option of an axis. */
  choose(axis: number, option: number): void {
    const changed = this.choices.choose(axis, option);
    for (const [widget, entries] of this.choices.changes(changed)) {
      this.model(widget).write(Object.fromEntries([...entries].map(([name, place]) => [name, this.value(place)])));
    }
    for (const number of changed) {
      const option = this.choices.chosen[number];
      for (const { widget, trait } of this.content.axes[number]!.controls)
        this.model(widget).write({ [trait]: option });
    }
    if (changed.length) for (const follower of this.followers) follower(changed);
  }

  /** Draw widget `number` as the last in `parent`. */
  async draw(number: number, parent: HTMLElement): Promise<void> {
    const { kind, name } = this.content.widgets[number]!;
    const el = parent.appendChild(element("div", `jupyter-widgets ${CLASSES[kind] ?? ""}`));
    const model = this.model(number);
    try {
      el.classList.add(...((model.get("_dom_classes") as string[] | undefined) ?? []));
      follow(model, ["layout"], layOut(model, el));
      await this.fill(number, el);
      this.extras.set(number, (made) => el.append(made));
    } catch (error) {
      console.error(error);
      el.append(sentence(`${name} could not be drawn: ${(error as Error).message}.`));
    }
  }

  private async fill(number: number, el: HTMLElement): Promise<void> {
    const { kind, name, children = [], script = "" } = this.content.widgets[number]!;
    const model = this.model(number);
    if (kind === "hosted") {
      const definition = typeof script === "string" ? WIDGETS[script]! : await this.definitions[script]!;
      if (!this.begun.has(number)) this.begun.set(number, definition.initialize?.({ model }));
      await this.begun.get(number);
      await rendered(definition, model, el);
    } else if (kind === "chart") {
      follow(model, ["part"], () => drawChart(model.get("part") as Part | null, el));
    } else if (kind === "absent") {
      el.append(sentence(`This part needs a kernel: ${name}.`));
    } else {
      PLAIN[kind]?.(model, el);
    }
    for (const child of children) await this.draw(child, el);
  }
}

/** Sets the CSS properties of a model's layout on `el`, in place of those before. */
function layOut(model: HostModel, el: HTMLElement): () => void {
  let before: string[] = [];
  return () => {
    for (const name of before) el.style.removeProperty(name);
    const layout = (model.get("layout") ?? {}) as Record<string, string>;
    before = Object.keys(layout);
    for (const [name, value] of Object.entries(layout)) el.style.setProperty(name, value);
  };
}
