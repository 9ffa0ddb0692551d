"""`python -m benchmarks [--threads N] [--save] [group ...]`: print the table; `--save` puts it into RESULTS.md."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import torch

from benchmarks.groups import GROUPS
from benchmarks.report import markdown, save
from benchmarks.table import Measured, conditions, load


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="group", help=f"of {', '.join(GROUPS)}; default: all")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--save", action="store_true", help="into RESULTS.md and results.json, in place of older figures"
    )
    arguments = parser.parse_args()
    unknown = [name for name in arguments.groups if name not in GROUPS]
    if unknown:
        parser.error(f"there is no group {unknown[0]}; there are {', '.join(GROUPS)}")
    torch.set_num_threads(arguments.threads)
    # For the interpreters and kernels that some groups start.
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    found = conditions(arguments.threads)
    for name in arguments.groups or GROUPS:
        before, begin = load(), time.perf_counter()
        rows = [Measured(name, found, before, row) for row in GROUPS[name].rows()]
        print(markdown(rows), f"{name}: {time.perf_counter() - begin:.0f} s\n", sep="\n", flush=True)
        if arguments.save:
            save(rows, Path(__file__).parent)


if __name__ == "__main__":
    main()
