"""The table of the benchmarks: what is said of a row, and what a run puts in place of what."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from benchmarks import report, table
from benchmarks.groups import GROUPS
from benchmarks.table import Measured, Rival, Row, compare

FOLDER = Path(table.__file__).parent


def measured(group: str, row: Row, **conditions: str) -> Measured:
    return Measured(group, {"date": "today", **conditions}, 0.0, row)


def test_a_row_says_whether_its_bound_is_met() -> None:
    assert Row("x", 1.0, 2.5, "r", 2.5).met is True
    assert Row("x", 1.0, 2.4, "r", 2.5).met is False
    assert Row("x", 1.0, 2.4, "r").met is None
    text = report.markdown([measured("scan", Row("x", 0.0125, 2, "peer", 200, "a note"))])
    assert "| x (a note) | 12.5 ms | peer | 2.00 s | 160.00 x | 2e+02 x | **no** |" in text
    assert "| x | 700 MiB | peer | 350 MiB | 0.50 x |  |  |" in report.markdown(
        [measured("visitor", Row("x", 700, 350, "peer", unit="MiB"))]
    )


def test_all_ways_are_timed_in_turns_and_a_slow_one_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    clock = iter(range(1000))
    monkeypatch.setattr(table.time, "perf_counter", lambda: next(clock))
    rivals = [Rival("b", lambda: calls.append("b"), 3), Rival("c", lambda: calls.append("c"), once=True)]
    rows = compare("x", lambda: calls.append("a"), *rivals, repeats=2)
    assert calls == ["a", "b", "a", "b", "a", "b", "c"]
    assert [(row.rival_name, row.ours, row.rival, row.bound) for row in rows] == [
        ("b", 1, 1, 3),
        ("c (one run)", 1, 1, None),
    ]
    calls.clear()
    compare("x", lambda: calls.append("a"), rivals[0], repeats=1, warm=True)
    assert calls == ["a", "a", "b"]


def test_a_run_replaces_the_rows_of_its_groups_only(tmp_path: Path) -> None:
    old = [measured("scan", Row("old scan", 1, 1, "r")), measured("drag", Row("a drag", 1, 1, "r"))]
    report.save(old, tmp_path)
    report.save([measured("scan", Row("new scan", 1, 1, "r"), threads="1")], tmp_path)
    text = (tmp_path / "RESULTS.md").read_text()
    assert "old scan" not in text and text.index("new scan") < text.index("a drag"), "in the order of the groups"
    assert "Run 1: date today, threads 1." in text and "Run 2: date today." in text
    assert len(json.loads((tmp_path / "results.json").read_text())) == 2


def test_the_results_are_those_of_the_figures(tmp_path: Path) -> None:
    kept = json.loads((FOLDER / "results.json").read_text())
    rows = [Measured(**{**entry, "row": Row(**entry["row"])}) for entry in kept]
    assert (FOLDER / "RESULTS.md").read_text() == report.markdown(rows)


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_has_what_makes_its_rows(name: str) -> None:
    tree = ast.parse((FOLDER / f"{GROUPS[name].module}.py").read_text())
    assert GROUPS[name].function in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
