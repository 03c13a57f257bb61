"""The long run: ``python -m tests.generator --engine spark --queries 5000 --seed 1``."""

from __future__ import annotations

import argparse
import sys
import time

from mdfsql.engines import NAMES, open_engine
from tests.generator.run import Tally, run


def main() -> int:
    """Run, show each finding, and return 1 where there is one."""
    parser = argparse.ArgumentParser(prog="python -m tests.generator", description=__doc__)
    parser.add_argument("--engine", choices=NAMES, default="spark")
    parser.add_argument("--queries", type=int, default=1000, help="queries to which DuckDB has an answer")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the batch to begin with, to go on with an earlier run")
    options = parser.parse_args()
    duck, other = open_engine("duckdb"), open_engine(options.engine)
    begun, shown, tally = time.monotonic(), 0, Tally()
    for tally in run(options.seed, options.queries, duck, other, options.first):
        print(f"{tally}, {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
        for finding in tally.findings[shown:]:
            print(f"\n{finding}\n", flush=True)
        shown = len(tally.findings)
    print(f"{options.engine}: {tally}, {time.monotonic() - begun:.0f} s")
    for construct, count in sorted(tally.refusals.items(), key=lambda item: -item[1])[:20]:
        print(f"{count:6} refused: {construct[:120]}")
    other.close()
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
