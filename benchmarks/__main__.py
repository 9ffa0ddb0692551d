"""`python -m benchmarks [--threads N] [--save] [group ...]`: print the table; `--save` puts it into RESULTS.md."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from benchmarks import collection, drag, gradcam, gradients, occlusion, startup
from benchmarks.table import Measured, Row, conditions, markdown, save

ROWS: dict[str, Callable[[], Iterable[Row]]] = {
    "gradcam": gradcam.rows,
    "occlusion": occlusion.rows,
    "occlusion-large": occlusion.large_rows,
    "gradients": gradients.rows,
    "collection": collection.rows,
    "drag": drag.rows,
    "startup": startup.rows,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="which groups of rows to run; default: all")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--save", action="store_true", help="into RESULTS.md and results.json, in place of older figures"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    found = conditions(arguments.threads)
    for name in arguments.rows or ROWS:
        rows = list(ROWS[name]())
        print(markdown([Measured(name, found, row) for row in rows]), flush=True)
        if arguments.save:
            save(name, rows, found, Path(__file__).parent)


if __name__ == "__main__":
    main()
