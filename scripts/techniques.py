"""Write the table of techniques into README.md, from what the techniques say of themselves; `--check` only looks."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from cnnviz_widgets.explain import TECHNIQUES, Explainer

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- scripts/techniques.py writes what follows -->\n", "<!-- until here -->\n"
VIEWS = {"occlusion": "OcclusionView", "cam": "CAMView", "gradient": "SaliencyView"}

_PAPER = re.compile(r"([A-Z][\w-]+(?: et al\.| and [A-Z][\w-]+)? \d{4}) \(([^)]*)\)")


def row(technique: type[Explainer]) -> str:
    """A technique's label, its view, what its map is and who published it, as a line of a table."""
    text = inspect.getdoc(technique) or ""
    what = text.partition("\n")[0].removeprefix(f"{technique.label}: ").rstrip(".").replace("|", "\\|")
    who, where = _PAPER.findall(" ".join(text.split()))[-1]
    arxiv = re.search(r"arXiv ([\d.]+)", where)
    paper = f"[{who}](https://arxiv.org/abs/{arxiv[1]})" if arxiv else f"{who} ({where})"
    return f"| {technique.label} | `{technique.__name__}` | `{VIEWS[technique.family]}` | {what} | {paper} |\n"


def table(techniques: Sequence[type[Explainer]] = TECHNIQUES) -> str:
    """These techniques, by default all, in the order of the panels."""
    head = "| technique | class | view | a value of the map | source |\n|---|---|---|---|---|\n"
    return head + "".join(map(row, techniques))


def with_table(text: str) -> str:
    """The text of a README with the table as it should be."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    old = README.read_text()
    new = with_table(old)
    if "--check" in sys.argv[1:]:
        sys.exit(new != old)
    README.write_text(new)
