// A `details` that lies over the page, such as a small panel of settings.
import type { View } from "./widget.ts";

/** Close `details` on a press elsewhere and on Escape, which gives the focus back to what opened it. */
export function closeOnLeaving<Traits>(view: View<Traits>, details: HTMLDetailsElement): void {
  view.listen(document, "pointerdown", (event) => {
    if (details.open && !event.composedPath().includes(details)) details.open = false;
  });
  view.listen(details, "keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    event.stopPropagation();
    event.preventDefault();
    details.open = false;
    details.querySelector("summary")?.focus();
  });
}
