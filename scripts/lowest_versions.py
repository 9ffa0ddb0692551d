"""Print constraints with the lowest versions that pyproject.toml declares, one package a line.

They are named one by one, since an installer's "lowest" means nothing for a package that is given by its path.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"

#: What users install; the tools of developers are the newest.
EXTRAS = ("demo", "dev", "lab", "scale")


def lowest(project: dict[str, object], extras: tuple[str, ...] = EXTRAS) -> dict[str, str]:
    """The lower bound of each package that `project`, a [project] table, depends on; the highest where it has two."""
    optional = project["optional-dependencies"]
    assert isinstance(optional, dict)
    required = [*project["dependencies"], *(line for extra in extras for line in optional[extra])]  # type: ignore[misc]
    bounds: dict[str, str] = {}
    for line in required:
        found = re.match(r"([\w.-]+)(?:\[[\w,-]+\])?\s*>=\s*([\w.]+)", line)
        if found is None:
            raise ValueError(f"{line!r} declares no lowest version")
        name = re.sub(r"[-_.]+", "-", found[1]).lower()
        bounds[name] = max(bounds.get(name, "0"), found[2], key=_parts)
    return bounds


def _parts(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


if __name__ == "__main__":
    for name, version in lowest(tomllib.loads(PYPROJECT.read_text())["project"]).items():
        print(f"{name}=={version}")
