// The host of pages without a kernel, one classic script: `cnnvizHost` for tests, and it shows the page it is in.
export { decoded, revived } from "./binary.ts";
export { HostModel as Model } from "./model.ts";
export { definitionAt, rendered } from "./widgets.ts";

import frame from "../core/frame.css";
import theme from "../core/theme.css";
import { type Page, showPage } from "./page.ts";

const shared = document.createElement("style");
shared.textContent = theme + frame;
document.head.append(shared);

/** The page that is shown, for tests. */
export let page: Page | undefined;
if (document.querySelector("[data-cnnviz-root]"))
  void showPage((shown) => {
    page = shown;
  });
