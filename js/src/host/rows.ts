// A press on the bar of a class explains that class, as the picker of classes beside it does.
import type { Page } from "./page.ts";

export interface RowsSpec {
  readonly kind: "rows";
  /** Numbers of widgets: the bars and the picker. */
  readonly bars: number;
  readonly picker: number;
  readonly axes: number[];
}

export function playRows(page: Page, spec: RowsSpec): void {
  page.model(spec.bars).answer = (event) => {
    const option = (page.model(spec.picker).get("options") as string[]).indexOf(String(event["option"]));
    page.choose(spec.axes[0]!, option);
  };
}
