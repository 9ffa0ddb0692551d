// What a reader of a page chooses, and what was recorded for each choice. Pure: what changes is returned.

/** One thing that is chosen: the class, the layer. `controls` are the widgets by which, with the trait that shows it. */
export interface Axis {
  readonly name: string;
  readonly count: number;
  readonly start: number;
  readonly controls: readonly { readonly widget: number; readonly trait: string }[];
  /** The axes that begin anew when this one changes. */
  readonly resets: readonly number[];
}

/** A trait with a value for each combination of options of the axes that it depends on, the last one fastest. */
export interface Recorded {
  readonly widget: number;
  readonly trait: string;
  readonly axes: readonly number[];
  readonly values: readonly number[];
}

/** New values by widget and trait: places in the table of values. */
export type Changes = Map<number, Map<string, number>>;

export class Choices {
  readonly chosen: number[];

  constructor(
    private readonly axes: readonly Axis[],
    private readonly recorded: readonly Recorded[],
  ) {
    this.chosen = axes.map((axis) => axis.start);
  }

  /** Choose an option; returns the axes that have changed, none if there is no such option. */
  choose(axis: number, option: number): number[] {
    const known = this.axes[axis];
    if (known === undefined || !Number.isInteger(option) || option < 0 || option >= known.count) return [];
    const changed = [axis];
    this.chosen[axis] = option;
    for (const other of known.resets) {
      if (this.chosen[other] !== this.axes[other]!.start) changed.push(other);
      this.chosen[other] = this.axes[other]!.start;
    }
    return changed;
  }

  /** What was recorded for what is chosen now, of the traits that depend on one of `axes`. */
  changes(axes: readonly number[]): Changes {
    const found: Changes = new Map();
    for (const recorded of this.recorded) {
      if (!recorded.axes.some((axis) => axes.includes(axis))) continue;
      const value = recorded.values[this.place(recorded.axes)];
      if (value === undefined) continue;
      const entries = found.get(recorded.widget) ?? new Map<string, number>();
      found.set(recorded.widget, entries.set(recorded.trait, value));
    }
    return found;
  }

  /** The place of the chosen options among all combinations of these axes. */
  place(axes: readonly number[]): number {
    return axes.reduce((place, axis) => place * this.axes[axis]!.count + this.chosen[axis]!, 0);
  }
}
