// One ES module per widget, its CSS inside, for anywidget's `_esm`:  src/<widget>.ts -> <out>/<widget>.js
//   node build.mjs [--out DIR]   the bundles (default ../cnnviz_widgets/static)
//   node build.mjs --test        test/*.test.ts -> .build/test/*.test.mjs, for `node --test`
import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const widgets = ["picture", "tiles", "scrubber", "picker", "upload", "status", "tabs", "pace"];

/** `import css from "./x.css"` is the stylesheet as text, its @imports resolved. */
const stylesheet = {
  name: "stylesheet",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { outputFiles } = await esbuild.build({
        entryPoints: [path],
        absWorkingDir: here,
        bundle: true,
        write: false,
      });
      return { contents: outputFiles[0].text, loader: "text" };
    });
  },
};

const common = {
  absWorkingDir: here,
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  plugins: [stylesheet],
  logLevel: "warning",
};

const { values } = parseArgs({ options: { test: { type: "boolean" }, out: { type: "string" } } });
if (values.test) {
  const out = join(here, ".build", "test");
  rmSync(out, { recursive: true, force: true });
  const tests = readdirSync(join(here, "test")).filter((file) => file.endsWith(".test.ts"));
  await esbuild.build({
    ...common,
    entryPoints: tests.map((file) => join("test", file)),
    outdir: out,
    outExtension: { ".js": ".mjs" },
    platform: "node",
    sourcemap: "inline",
  });
} else {
  const entries = widgets.map((name) => join("src", `${name}.ts`)).filter((path) => existsSync(join(here, path)));
  await esbuild.build({
    ...common,
    entryPoints: entries,
    outdir: resolve(values.out ?? join(here, "..", "cnnviz_widgets", "static")),
    banner: { js: "// Built from js/src by scripts/build-js: change it there." },
  });
}
