// The colour tables, the very file that paint.py reads.

import file from "../../../cnnviz_widgets/static/colormaps.json" with { type: "json" };

type Kind = "sequential" | "diverging";
const entries = Object.entries(file as Record<string, { kind: string; rgb: string }>);

/** Names of the tables for quantities without (sequential) or with a sign (diverging); the first is the default. */
export function tableNames(kind: Kind): string[] {
  return entries.filter(([, table]) => table.kind === kind).map(([name]) => name);
}

/** 256 RGB triples. An unknown name, or one of the other kind, gives the default of `kind`. */
export function colorTable(name: string, kind: Kind): Uint8Array {
  const candidates = entries.filter(([, table]) => table.kind === kind);
  const [, { rgb }] = candidates.find(([candidate]) => candidate === name) ?? candidates[0]!;
  return Uint8Array.from({ length: rgb.length / 2 }, (_, index) =>
    Number.parseInt(rgb.slice(index * 2, index * 2 + 2), 16),
  );
}
