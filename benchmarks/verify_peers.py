"""Two tables with differences known beforehand: what others find, and what it costs them, beside ``mdf.diff``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import duckdb

import mdfsql as mdf
from benchmarks.measure import Options, Result, Skipped, compare, timed
from benchmarks.side import Side

__all__ = ["verify_peers"]

PEERS = {
    "datacompy_pandas": "datacompy, on pandas",
    "datacompy_polars": "datacompy, on polars",
    "reladiff_join": "reladiff, joined in DuckDB",
    "reladiff_hash": "reladiff, by hashes in DuckDB",
}
SIZES = (100_000, 1_000_000)

LEFT = """
SELECT range AS id, range % 1000 AS g, range / 7 AS v, 'name ' || range % 99991 AS s,
    DATE '2000-01-01' + CAST(range % 9000 AS INTEGER) AS d
FROM range({rows})
"""
# Of each thousand rows one has another number and one is missing; of ten thousand one has a space at the end of a text,
# and one NULL for a text. Numbers that differ by less than the tolerance are the same. Ten rows are new.
RIGHT = """
SELECT id, g,
    CASE WHEN id % 1000 = 7 THEN v + 1 WHEN id % 1000 = 8 THEN v * (1 + 1e-13) ELSE v END AS v,
    CASE WHEN id % 10000 = 12 THEN s || ' ' WHEN id % 10000 = 13 THEN NULL ELSE s END AS s,
    d
FROM ({left}) WHERE id % 1000 <> 3
UNION ALL SELECT -1 - range, 0, 0, 'new', DATE '2000-01-01' FROM range(10)
"""


def prepared(options: Options, rows: int) -> tuple[Path, Path]:
    """Return the two files, written where they are not there yet."""
    left, right = (options.data / f"diff-{rows}-{side}.parquet" for side in ("left", "right"))
    if not (left.is_file() and right.is_file()):
        options.data.mkdir(parents=True, exist_ok=True)
        text = LEFT.format(rows=rows)
        duckdb.sql(f"COPY ({text}) TO '{left}'")
        duckdb.sql(f"COPY ({RIGHT.format(left=text)}) TO '{right}'")
    return left, right


def told(changed: int, left: int, right: int) -> str:
    """Return findings in words."""
    return f"finds {changed:,} changed, {left:,} and {right:,} on one side"


def verify_peers(options: Options) -> Iterator[Result]:
    """Compare by key, files as they are read; what each finds stands beside it."""
    for rows in [size for size in SIZES if size <= 2 * options.rows]:
        left, right = prepared(options, rows)

        def ours(left: Path = left, right: Path = right) -> mdf.Comparison:
            return mdf.diff(mdf.Dataset.read_parquet(left), mdf.Dataset.read_parquet(right), keys="id")

        own = ours()
        counts = own.changed_count, own.left_only_count, own.right_only_count
        assert counts == (2 * rows // 10000 + rows // 1000, rows // 1000, 10), counts
        what = f"`mdf.diff` of {rows:,} rows by key ({told(*counts)})"
        for name, peer in PEERS.items():
            try:
                with Side("diffs", options.python_of()) as side:
                    findings = told(*side("found", name, str(left), str(right)))
                    other = partial(side, "seconds", name, str(left), str(right))
                    times = (options.repeats + 1) // 2
                    made = compare(f"{name}/{rows}", what, peer, lambda: timed(ours), other, times)
                    yield dataclasses.replace(made, remark=findings)
            except Skipped as why:
                print(f"         left out: {why}"[:300], flush=True)
