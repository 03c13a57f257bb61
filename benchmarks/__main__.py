"""Run the benchmarks that are named, or all: ``python -m benchmarks imports items``."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.build import build
from benchmarks.compile import compile
from benchmarks.items import items
from benchmarks.lift import lift
from benchmarks.measure import Result, Skipped
from benchmarks.rows import fallback, lifted, peers
from benchmarks.start import command, imports
from benchmarks.tpch import tpch, tpch_spark
from benchmarks.verify import verify, verify_large

CASES: dict[str, Callable[[argparse.Namespace], Iterator[Result]]] = {
    "imports": lambda given: imports(given.repeats),
    "command": lambda given: command(given.repeats),
    "build": lambda given: build(given.repeats, given.peer_python),
    "compile": lambda given: compile(given.repeats, given.data),
    "lift": lambda given: lift(given.repeats),
    "lifted": lambda given: lifted(given.repeats, given.data, given.rows),
    "peers": lambda given: peers(max(given.repeats // 2, 1), given.data, given.rows),
    "fallback": lambda given: fallback(given.repeats),
    "tpch": lambda given: tpch(given.repeats, given.data, given.scale),
    "tpch_spark": lambda given: tpch_spark(given.repeats, given.data, given.scale),
    "items": lambda given: items(given.repeats),
    "verify": lambda given: verify(given.repeats, given.data, given.scale),
    "verify_large": verify_large,
}


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    made = argparse.ArgumentParser(prog="python -m benchmarks", description="Ratios to peers, measured in one run.")
    made.add_argument(
        "cases", nargs="*", metavar="CASE", help=f"what to run, of {', '.join(CASES)}; all if none is named"
    )
    made.add_argument("--repeats", type=int, default=5, help="how often each side is measured (%(default)s)")
    made.add_argument("--peer-python", help="a Python that has ibis-framework 12, for the case build")
    made.add_argument("--rows", type=int, default=5_000_000, help="of lifted, peers and verify_large (%(default)s)")
    made.add_argument("--scale", default="1", help="the scale factor of TPC-H (%(default)s)")
    made.add_argument(
        "--data",
        type=Path,
        default=Path(tempfile.gettempdir(), "mdfsql-benchmarks"),
        help="where the tables of TPC-H are kept, or are put (%(default)s)",
    )
    return made


def line(result: Result) -> str:
    """Return a row of the table."""
    target = f"{result.target:.2f}" if result.target is not None else ""
    missed = "  missed" if result.target is not None and result.ratio > result.target else ""
    times = f"{result.ours * 1000:>10,.1f} ms {result.peer * 1000:>10,.1f} ms"
    return f"{result.what:<64} {times} {result.ratio:>7.2f} {target:>7}{missed}"


def main() -> None:
    """Print a line for each result as soon as it is there."""
    made = parser()
    given = made.parse_args()
    unknown = [case for case in given.cases if case not in CASES]
    if unknown:
        made.error(f"there is no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    print(f"{'ours / peer, medians':<64} {'ours':>13} {'peer':>13} {'ratio':>7} {'target':>7}")
    for case in given.cases or CASES:
        try:
            for result in CASES[case](given):
                print(line(result), flush=True)
        except Skipped as why:
            print(f"{case}: not measured: {why}", flush=True)


if __name__ == "__main__":
    main()
