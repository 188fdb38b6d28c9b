"""`python -m bench [NAME ...]`: runs the benches, all of them without a name, and prints one table.

A bench is a module of this package with a function `figures()`, which returns rows for the table: what was measured
and its figure, and where there is one its target and the ratio of the two. It is named in `BENCHES`.
"""

from __future__ import annotations

import importlib
import sys

from bench.figure import Figure

BENCHES = ("compiling", "proving", "routing")


def main(names: list[str]) -> None:
    """Run benches one after the other; each prints its rows when it is done."""
    print(f"{'figure':50} {'value':>20}  {'target':40} {'ratio':>6}")
    for name in names or BENCHES:
        if name not in BENCHES:
            sys.exit(f"there is no bench `{name}`; there are {', '.join(BENCHES)}")
        for row in importlib.import_module(f"bench.{name}").figures():
            figure = Figure(*row)
            print(f"{figure.what:50} {figure.value:>20}  {figure.target:40} {figure.ratio:>6}".rstrip(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
