// One ES module per widget, its CSS inside, for anywidget's `_esm`: WIDGETS below -> <out>/<widget>.js
//   node build.mjs [--out DIR]   the bundles (default ../cnnviz_widgets/static)
//   node build.mjs --test        run test/**/*.test.ts, built into .build/test
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
/** The source of each widget. */
const WIDGETS = {
  picture: "src/picture/index.ts",
  tiles: "src/tiles/index.ts",
  slider: "src/controls/slider.ts",
  picker: "src/controls/picker/index.ts",
  upload: "src/controls/upload/index.ts",
  camera: "src/controls/camera/index.ts",
  matrix: "src/controls/matrix/index.ts",
  class_bars: "src/controls/class_bars.ts",
  step: "src/controls/step.ts",
  head: "src/controls/head.ts",
  status: "src/controls/status.ts",
  tabs: "src/controls/tabs.ts",
  pace: "src/controls/pace.ts",
};
/** Classic scripts, which also run in a page that is opened from disk. */
const SCRIPTS = { host: "src/host/index.ts", network_worker: "src/host/network_worker.ts" };

/** `import css from "./x.css"` is the stylesheet as text; `plugins` say what its @imports are. */
const stylesheet = (plugins) => ({
  name: "stylesheet",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { outputFiles } = await esbuild.build({
        entryPoints: [path],
        absWorkingDir: here,
        bundle: true,
        minifyWhitespace: true, // each widget on a page carries its own copy
        write: false,
        plugins,
      });
      return { contents: outputFiles[0].text, loader: "text" };
    });
  },
});

/** What widgets share is in a page without a kernel once, put there by its host, and not again with each widget. */
const sharedOnce = {
  name: "shared-once",
  setup(build) {
    build.onResolve({ filter: /\.css$/ }, ({ kind }) =>
      kind === "import-rule" ? { path: "shared", namespace: "shared" } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: "shared" }, () => ({ contents: "", loader: "css" }));
  },
};

const common = {
  absWorkingDir: here,
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  plugins: [stylesheet([])],
  logLevel: "warning",
};

const { values } = parseArgs({ options: { test: { type: "boolean" }, out: { type: "string" } } });
if (values.test) {
  const out = join(here, ".build", "test");
  rmSync(out, { recursive: true, force: true });
  const tests = readdirSync(join(here, "test"), { recursive: true }).filter((file) => file.endsWith(".test.ts"));
  await esbuild.build({
    ...common,
    entryPoints: tests.map((file) => join("test", file)),
    outbase: "test",
    outdir: out,
    outExtension: { ".js": ".mjs" },
    platform: "node",
    sourcemap: "inline",
  });
  const built = tests.map((file) => join(out, file.replace(/ts$/, "mjs")));
  process.exitCode = spawnSync(process.execPath, ["--test", ...built], { stdio: "inherit" }).status ?? 1;
} else {
  const built = {
    ...common,
    outdir: resolve(values.out ?? join(here, "..", "cnnviz_widgets", "static")),
    banner: { js: "// Built from js/src by scripts/build-js: change it there." },
  };
  await esbuild.build({ ...built, entryPoints: WIDGETS });
  await esbuild.build({
    ...built,
    entryPoints: SCRIPTS,
    format: "iife",
    globalName: "cnnvizHost",
    minify: true,
    plugins: [stylesheet([sharedOnce])],
    define: { "import.meta.url": "self.location.href" }, // a script without an address, in a worker
  });
}
