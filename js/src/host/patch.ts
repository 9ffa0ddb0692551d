// A patch on a picture that the hand moves: scores, bars and sentence follow without a kernel.
import type { HandEvent } from "./model.ts";
import { percent, short } from "./numbers.ts";
import { type Answer, probabilities, type Said, type Scores, sentence, Table, type TableData } from "./occlusion.ts";
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
  readonly sentences: Record<string, string>;
  /** What is said of an answer that is exact, and of one that is interpolated. */
  readonly exact: string;
  readonly interpolated: string;
}

type Window = readonly [number, number, number, number];

export function playPatch(page: Page, spec: PatchSpec): void {
  const canvas = page.model(spec.canvas);
  const tables = new Map<number, Table>();
  const table = (): Table => {
    const place = spec.tables[page.choices.place(spec.axes)]!;
    if (!tables.has(place)) tables.set(place, new Table(page.value(place) as TableData));
    return tables.get(place)!;
  };
  let window = canvas.get("_window_final") as Window;
  const [height, width] = table().data.window;
  if (height === width) canvas.write({ window_limits: [height, width] }); // the table is of one size

  const show = (known: Table, answer: Answer, note: string) => {
    const option = page.choices.chosen[spec.class_axes[0] ?? -1] ?? 0;
    const { names, classes, bars } = known.data;
    const said: Said = { names, scores: spec.scores, scoreName: spec.score_name, sentences: spec.sentences };
    const text = sentence(said, classes[option]!, known.whole, answer, ` ${note}`);
    page.model(spec.status).write({ text, kind: "info", progress: -1 });
    const [before, now] = [known.whole, answer].map((of) => probabilities(of, spec.scores)) as [
      Float32Array,
      Float32Array,
    ];
    const [pale, solid] = [before, now].map((of) => bars[option]!.map((row) => of[row]!)) as [number[], number[]];
    const texts = solid.map((value) => (spec.scores === "none" ? short(value) : percent(value)));
    page.model(spec.bars).write({ now: solid, before: pale, texts, ends: endsOf(spec.scores, [...pale, ...solid]) });
  };
  const tell = () => {
    const known = table();
    const answer = known.answer(window);
    show(known, answer, known.has(window) ? spec.exact : spec.interpolated);
  };

  canvas.answer = (event: HandEvent) => {
    if (event["name"] !== "moved") return;
    window = event["window"] as Window;
    if (event.final) {
      window = table().nearest(window); // the hand rests: the patch goes where the answer is exact
      canvas.write({ _window_final: [...window] });
    }
    tell();
  };
  page.followers.push((axes) => {
    const concerns = (mine: number[]) => axes.some((axis) => mine.includes(axis));
    if (concerns(spec.axes)) window = canvas.get("_window_final") as Window;
    if (concerns([...spec.axes, ...spec.class_axes])) tell();
  });
}

/** A scale that holds what is to be shown. */
function endsOf(scores: Scores, values: number[]): [number, number] {
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  return scores === "none" && high > low ? [low, high] : [0, 1];
}
