"""The table as Markdown, and its figures in a file to which each run adds its own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.groups import GROUPS
from benchmarks.table import Measured, Row

_HEAD = """# Benchmark results

Made by `python -m benchmarks --save`; do not edit. Both sides are timed in turns, in one process where they can be;
medians of five, unless a section says another number. A ratio above 1 x: ours is faster, or takes less. "Should be"
is what was aimed at.
"""
_TABLE = """| what | ours | rival | rival's | ratio | should be | met |
|---|---|---|---|---|---|---|"""


def markdown(measured: Sequence[Measured]) -> str:
    """A section for each group, with what its figures depend on at the end."""
    runs: list[Mapping[str, str]] = []
    parts = [_HEAD]
    for name, group in GROUPS.items():
        entries = [entry for entry in measured if entry.group == name]
        if not entries:
            continue
        parts.append(f"## {group.title}\n\n{group.about}\n\n{_TABLE}")
        parts[-1] += "".join(f"\n{_line(entry.row)}" for entry in entries)
        first = entries[0]
        if first.conditions not in runs:
            runs.append(first.conditions)
        number = runs.index(first.conditions) + 1
        parts.append(f"`python -m benchmarks {name}`: run {number}; load of the machine before it {first.load:.1f}.\n")
    for number, found in enumerate(runs, start=1):
        parts.append(f"Run {number}: " + ", ".join(f"{key} {value}" for key, value in found.items()) + ".")
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _line(row: Row) -> str:
    bound = "" if row.bound is None else f"{row.bound:.2g} x"
    met = {None: "", True: "yes", False: "**no**"}[row.met]
    name = f"{row.name} ({row.note})" if row.note else row.name
    ours, rival = (_shown(value, row.unit) for value in (row.ours, row.rival))
    return f"| {name} | {ours} | {row.rival_name} | {rival} | {row.ratio:.2f} x | {bound} | {met} |"


def _shown(value: float, unit: str) -> str:
    if unit != "s":
        return f"{value:.0f} {unit}"
    return f"{value:.2f} s" if value >= 1 else f"{1000 * value:.1f} ms"


def save(rows: Sequence[Measured], folder: Path) -> None:
    """Put the rows of groups in place of their older ones in results.json, and write RESULTS.md anew."""
    file = folder / "results.json"
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    replaced = {entry.group for entry in rows}
    measured = [Measured(**{**entry, "row": Row(**entry["row"])}) for entry in kept if entry["group"] not in replaced]
    measured += rows
    (folder / "RESULTS.md").write_text(markdown(measured), encoding="utf-8")
    file.write_text(json.dumps([asdict(entry) for entry in measured], indent=2) + "\n", encoding="utf-8")
