// The toolbar's settings: they act at once, and are saved in the `view_state` trait so that a reload finds them.

import type { Model } from "./model.ts";
import { type ViewState, viewState } from "./view_state.ts";

const SAVE_AFTER = 300;

/** The settings of one view; other views of the model follow through the trait, the kernel's answer is not waited for. */
export class Settings {
  state: ViewState;
  private saving: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly model: Model,
    private readonly onChange: () => void,
    private readonly saveChanges: () => void,
  ) {
    this.state = viewState(model.get("view_state"));
  }

  /** The hand has changed a setting. */
  change(state: ViewState): void {
    this.state = state;
    this.onChange();
    this.model.set("view_state", { ...state });
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.save(), SAVE_AFTER);
  }

  /** The trait has changed: here, in another view, or in the kernel. */
  readonly read = (): void => {
    const state = viewState(this.model.get("view_state"));
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
    this.saveChanges();
  }
}
