// Settings that act at once, and are saved in a trait so that a reload finds them.
import type { Link } from "./link.ts";
import type { Model } from "./model.ts";

/** Milliseconds: a slider that is pulled saves once. */
const SAVE_AFTER = 300;

/** The settings of one view; other views of the model follow through the trait, the kernel's answer is not waited for. */
export class Settings<State extends object> {
  state: State;
  private saving: ReturnType<typeof setTimeout> | undefined;

  /** `trait` holds the settings, and `parse` makes sense of whatever it holds. */
  constructor(
    private readonly view: { readonly model: Model; readonly link: Link },
    private readonly trait: string,
    private readonly parse: (value: unknown) => State,
    private readonly onChange: () => void,
  ) {
    this.state = parse(view.model.get(trait));
  }

  /** The hand has changed a setting. */
  change(state: State): void {
    this.state = state;
    this.onChange();
    this.view.model.set(this.trait, { ...state });
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.save(), SAVE_AFTER);
  }

  /** The trait has changed: here, in another view, or in the kernel. */
  readonly read = (): void => {
    const state = this.parse(this.view.model.get(this.trait));
    if (JSON.stringify(state) === JSON.stringify(this.state)) return;
    this.state = state;
    this.onChange();
  };

  dispose(): void {
    if (this.saving !== undefined) this.save();
  }

  private save(): void {
    clearTimeout(this.saving);
    this.saving = undefined;
    this.view.link.save();
  }
}
