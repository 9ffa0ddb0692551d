"""`python -m benchmarks [--threads N] [row ...]`: print the table, and save it when all rows were run."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from benchmarks import collection, drag, gradcam, gradients, occlusion, startup
from benchmarks.table import Row, conditions, markdown, save

ROWS: dict[str, Callable[[], Iterable[Row]]] = {
    "gradcam": gradcam.rows,
    "occlusion": occlusion.rows,
    "gradients": gradients.rows,
    "collection": collection.rows,
    "drag": drag.rows,
    "startup": startup.rows,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="which groups of rows to run; default: all")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    chosen = arguments.rows or list(ROWS)
    rows = [row for name in chosen for row in ROWS[name]()]
    found = conditions(arguments.threads)
    print(markdown(rows, found))
    if set(chosen) == set(ROWS):
        save(rows, found, Path(__file__).parent)


if __name__ == "__main__":
    main()
