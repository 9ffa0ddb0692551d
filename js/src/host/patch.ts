// A patch on a picture that the hand moves: scores, bars and sentence follow without a kernel.
import { bytesOf } from "../core/model.ts";
import { unpack } from "../geometry/mask.ts";
import { answerOf, bestClasses, covered, type InputForm, inputOf, masked } from "./input.ts";
import type { HandEvent } from "./model.ts";
import type { Network } from "./network.ts";
import { percent, short } from "./numbers.ts";
import { type Answer, probabilities, type Said, type Scores, sentence, Table, type TableData } from "./occlusion.ts";
import { ownPicture } from "./own.ts";
import type { Page } from "./page.ts";

export interface PatchSpec {
  readonly kind: "patch";
  /** Numbers of widgets. */
  readonly canvas: number;
  readonly status: number;
  readonly bars: number;
  /** The axes by which the tables are told apart, and the places of these among the values. */
  readonly axes: number[];
  readonly tables: number[];
  /** The axis of the explained class; none where it is always the same. */
  readonly class_axes: number[];
  readonly scores: Scores;
  readonly score_name: string;
  readonly sentences: Record<string, Record<string, string>>;
  /** What is said of an answer that is exact, interpolated, or computed in {ms}; and what the network cannot do. */
  readonly words: Record<"exact" | "interpolated" | "live" | "failed" | "own", string>;
  /** All classes, and how inputs are made; null where the network is not on the page. */
  readonly network: { readonly form: InputForm; readonly names: string[]; readonly own: boolean } | null;
  readonly inputs: number[];
  /** The texts of the brush, which needs the network: what it covers is of any shape. */
  readonly brush: unknown;
}

type Window = readonly [number, number, number, number];

/** A picture as the network takes it, what fills the patch, and what the network says of the whole. */
interface Subject {
  readonly pixels: Float32Array;
  readonly filling: Float32Array;
  whole?: Answer;
}

export function playPatch(page: Page, spec: PatchSpec): void {
  new PatchPlayer(page, spec);
}

class PatchPlayer {
  private window: Window;
  private network: Network | null = null;
  private readonly tables = new Map<number, Table>();
  private readonly subjects = new Map<number, Subject>();
  /** The reader's own picture, and the class that is explained there. */
  private own: (Subject & { index: number }) | null = null;
  private readonly limits: unknown;
  /** What the brush has covered; null where the window covers. */
  private mask: Uint8Array | null = null;

  constructor(
    private readonly page: Page,
    private readonly spec: PatchSpec,
  ) {
    const canvas = page.model(spec.canvas);
    this.window = canvas.get("_window_final") as Window;
    this.limits = canvas.get("window_limits");
    const [height, width] = this.table.data.window;
    if (height === width) canvas.write({ window_limits: [height, width] }); // the table is of one size
    canvas.answer = (event, buffers) => this.answer(event, buffers);
    page.followers.push((axes) => this.follow(axes));
    if (spec.network !== null && page.network !== null) void this.await(page.network);
  }

  private get table(): Table {
    const place = this.spec.tables[this.page.choices.place(this.spec.axes)]!;
    const known = this.tables.get(place) ?? new Table(this.page.value(place) as TableData);
    this.tables.set(place, known);
    return known;
  }

  /** Take the network when it is there. */
  private async await(coming: Promise<Network | null>): Promise<void> {
    const { page, spec } = this;
    try {
      const network = await coming;
      await network?.ready;
      this.network = network;
      page.model(spec.canvas).write({ window_limits: this.limits, brush: spec.brush });
      document.documentElement.dataset["cnnvizNetwork"] = "ready";
      if (spec.network!.own)
        page.extras.get(spec.canvas)?.(ownPicture(spec.words.own, spec.network!.form, (rgb) => this.look(rgb)));
    } catch (error) {
      const text = spec.words.failed.replace("{reason}", (error as Error).message);
      page.model(spec.status).write({ text, answer: {}, kind: "error" });
    }
  }

  private answer(event: HandEvent, buffers: ArrayBuffer[]): void | Promise<void> {
    const { page, spec } = this;
    if (event["name"] === "painted" && this.network !== null && buffers[0] !== undefined) {
      const [, height, width] = spec.network!.form.shape;
      this.mask = unpack(new Uint8Array(buffers[0]), height * width);
      const bits = new DataView(buffers[0]);
      if (event.final) page.model(spec.canvas).write({ _mask: { revision: event["revision"], bits } });
      return this.compute();
    }
    if (event["name"] !== "moved") return;
    this.uncover();
    this.window = event["window"] as Window;
    if (this.network !== null) {
      if (event.final) page.model(spec.canvas).write({ _window_final: [...this.window] });
      return this.compute();
    }
    if (event.final) {
      this.window = this.table.nearest(this.window); // the hand rests: the patch goes where the answer is exact
      page.model(spec.canvas).write({ _window_final: [...this.window] });
    }
    this.tell();
  }

  /** The window covers again. */
  private uncover(): void {
    if (this.mask === null) return;
    this.mask = null;
    const canvas = this.page.model(this.spec.canvas);
    canvas.write({ _mask: { revision: (canvas.get("_mask") as { revision: number }).revision } });
  }

  private follow(axes: readonly number[]): void {
    const { page, spec } = this;
    const concerns = (mine: number[]) => axes.some((axis) => mine.includes(axis));
    if (concerns([...spec.axes, ...spec.class_axes])) this.own = null;
    if (concerns(spec.axes)) this.mask = null; // the mask was of the picture before
    if (concerns(spec.axes)) this.window = page.model(spec.canvas).get("_window_final") as Window;
    if (!concerns([...spec.axes, ...spec.class_axes])) return;
    if (this.network !== null) void this.compute();
    else this.tell();
  }

  /** What the table says of the window. */
  private tell(): void {
    const { table, window, spec } = this;
    const option = this.option;
    const { names, classes, bars } = table.data;
    const note = table.has(window) ? spec.words.exact : spec.words.interpolated;
    this.show(names, classes[option]!, bars[option]!, table.whole, table.answer(window), note);
  }

  private get option(): number {
    return this.page.choices.chosen[this.spec.class_axes[0] ?? -1] ?? 0;
  }

  /** The picture that is looked at, for the network. */
  private get subject(): Subject {
    if (this.own !== null) return this.own;
    const place = this.page.choices.place(this.spec.axes);
    const known = this.subjects.get(place);
    if (known !== undefined) return known;
    const { pixels, filling } = this.page.value(this.spec.inputs[place]!) as { pixels: unknown; filling: unknown };
    const fill = new Float32Array(bytesOf(filling).slice().buffer);
    const made = { pixels: inputOf(bytesOf(pixels), this.spec.network!.form), filling: fill };
    this.subjects.set(place, made);
    return made;
  }

  /** What the network says of what is covered. */
  private async compute(): Promise<void> {
    const { spec, network, subject, window, mask } = this;
    const { form, names } = spec.network!;
    const said = async (pixels: Float32Array) =>
      answerOf(await network!.logits(new Float32Array(pixels), [1, ...form.shape]), spec.scores);
    subject.whole ??= await said(subject.pixels);
    const { pixels, filling } = subject;
    const answer = await said(mask ? masked(pixels, filling, mask) : covered(pixels, filling, window, form));
    if (subject !== this.subject) return; // another picture was chosen meanwhile
    const { data } = this.table;
    const index = this.own?.index ?? data.indices[data.classes[this.option]!]!;
    const note = spec.words.live.replace("{ms}", network!.took.toFixed(0));
    this.show(names, index, bestClasses(subject.whole.logits, index), subject.whole, answer, note);
  }

  /** Look at a picture of the reader's own: RGB bytes of the size of the network's input. */
  private async look(rgb: Uint8Array): Promise<void> {
    const { page, spec } = this;
    const { form } = spec.network!;
    const pixels = inputOf(rgb, form);
    const [, height, width] = form.shape;
    const filling = pixels.map((_, at) => meanOf(pixels, Math.floor(at / (height * width)), height * width));
    const whole = answerOf(await this.network!.logits(new Float32Array(pixels), [1, ...form.shape]), spec.scores);
    this.own = { pixels, filling, whole, index: whole.logits.indexOf(Math.max(...whole.logits)) };
    const baseline = bytesFrom(filling, form);
    const picture = { _picture: { pixels: rgb, size: [height, width] }, _map: {}, baseline };
    page.model(spec.canvas).write({ ...picture, label: spec.words.own });
    this.uncover();
    await this.compute();
  }

  private show(
    names: string[],
    index: number,
    rows: readonly number[],
    before: Answer,
    after: Answer,
    note: string,
  ): void {
    const { page, spec } = this;
    const said: Said = { names, scores: spec.scores, scoreName: spec.score_name, sentences: spec.sentences };
    page.model(spec.status).write({ ...sentence(said, index, before, after, ` ${note}`), kind: "info", progress: -1 });
    const [pale, solid] = [before, after].map((of) => {
      const values = probabilities(of, spec.scores);
      return rows.map((row) => values[row]!);
    }) as [number[], number[]];
    const texts = solid.map((value) => (spec.scores === "none" ? short(value) : percent(value)));
    const ends = endsOf(spec.scores, [...pale, ...solid]);
    const named = this.own === null ? {} : { names: rows.map((row) => names[row]!), chosen: rows.indexOf(index) };
    page.model(spec.bars).write({ now: solid, before: pale, texts, ends, ...named });
  }
}

function meanOf(pixels: Float32Array, channel: number, area: number): number {
  let sum = 0;
  for (let at = channel * area; at < (channel + 1) * area; at++) sum += pixels[at]!;
  return sum / area;
}

/** An input as RGB bytes, row by row. */
function bytesFrom(pixels: Float32Array, { shape, scale, offset }: InputForm): Uint8Array {
  const area = shape[1] * shape[2];
  const bytes = new Uint8ClampedArray(3 * area);
  for (let band = 0; band < 3; band++) {
    const channel = Math.min(band, shape[0] - 1);
    for (let at = 0; at < area; at++)
      bytes[3 * at + band] = (pixels[channel * area + at]! - offset[channel]!) / scale[channel]!;
  }
  return new Uint8Array(bytes.buffer);
}

/** A scale that holds what is to be shown. */
function endsOf(scores: Scores, values: number[]): [number, number] {
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  return scores === "none" && high > low ? [low, high] : [0, 1];
}
