"""The long run: ``python -m tests.fuzz --engine duckdb --programs 20000 --seed 1``."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import warnings
from pathlib import Path

from mdfsql.engines import NAMES
from tests.fuzz.engines import opened
from tests.fuzz.programs import Program
from tests.fuzz.rows import draw_table
from tests.fuzz.run import Tally, run_batch
from tests.fuzz.shrink import shrunk

MOST_SHOWN = 20


def main() -> int:
    """Run, show, and return 1 where there is a mismatch."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--engine", choices=NAMES, default="duckdb")
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=int, default=0, help="leave out so many: a mismatch tells where it was")
    parser.add_argument("--batch", type=int, default=50, help="programs in one query")
    options = parser.parse_args()
    # What Python thinks of "x is 1", and of "(1)()".
    warnings.simplefilter("ignore", SyntaxWarning)
    tally, begun = Tally(), time.monotonic()
    with opened(options.engine) as backend, tempfile.TemporaryDirectory() as folder:
        for first in range(options.start, options.programs, options.batch):
            rng = random.Random(options.seed * 1_000_003 + first)
            count = min(options.batch, options.programs - first)
            programs = [Program.draw(rng, number) for number in range(count)]
            shown = len(tally.mismatches)
            run_batch(backend, programs, Path(folder), tally, draw_table(rng))
            for mismatch in tally.mismatches[shown:MOST_SHOWN]:
                small = shrunk(mismatch, backend, Path(folder)) if mismatch.sql else mismatch
                print(f"\nMISMATCH in the programs from {first}: {small}\n", flush=True)
            if first // options.batch % max(options.programs // options.batch // 20, 1) == 0:
                done = f"{tally.programs} programs, {tally.cells} cells, {len(tally.mismatches)} mismatches"
                print(f"{time.monotonic() - begun:7.1f} s: {done}", flush=True)
    print(tally.summary())
    return 1 if tally.mismatches else 0


if __name__ == "__main__":
    sys.exit(main())
