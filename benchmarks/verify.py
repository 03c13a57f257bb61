"""What verify costs beside the two runs that it compares, and a large table against itself without being collected."""

from __future__ import annotations

import dataclasses
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mdfsql as mdf
from benchmarks.measure import Options, Result, Skipped, compare, environment, timed, total
from benchmarks.tpch import TABLES, prepared
from mdfsql import queries

__all__ = ["verify", "verify_large"]


def verify(options: Options) -> Iterator[Result]:
    """Verify the 22 queries of TPC-H on DuckDB, with one thread against two, against both runs fetched as Arrow."""
    folder = prepared(options)
    tables: dict[str, Any] = {name: mdf.Dataset.read_parquet(folder / f"{name}.parquet") for name in TABLES}
    one, two = mdf.Backend("duckdb", {"threads": 1}), mdf.Backend("duckdb", {"threads": 2})
    results = []
    for n in range(1, 23):
        dataset = mdf.sql(queries.tpch(n), "duckdb", None, **tables)

        def both(dataset: mdf.Dataset = dataset) -> object:
            return dataset.to_arrow(two), dataset.to_arrow(one)

        def ours(dataset: mdf.Dataset = dataset) -> object:
            return dataset.verify(one, two).raise_for_difference()

        own, other = (functools.partial(timed, side) for side in (ours, both))
        results.append(compare(f"q{n:02}", f"Q{n}", "both runs", own, other, options.repeats))
    what = f"`verify` of the 22 queries of TPC-H, SF {options.scale}"
    yield total("tpch", what, "both runs, each fetched as Arrow", results, aim=1.15)


# A process of its own, so that the memory at its peak is its own: that of Python with DuckDB, and that of Java.
LARGE = """
import os, pathlib, sys, time
import mdfsql as mdf
path, engine, column = sys.argv[1:]
table = mdf.Dataset.read_parquet(path)
mdf.set_backend(engine)
mdf.sql("SELECT 1 AS x").collect()
start = time.perf_counter()
if column:
    table.aggregate(n=mdf.count_distinct(column)).collect()
else:
    table.verify().raise_for_difference()
seconds = time.perf_counter() - start
own = java = 0
# Not getrusage(): to that the peak of the process that started this one counts too.
for status in pathlib.Path("/proc").glob("[0-9]*/status"):
    told = dict(line.split(":", 1) for line in status.read_text().splitlines())
    if int(told["Pid"]) == os.getpid():
        own = int(told["VmHWM"].split()[0])
    elif int(told["PPid"]) == os.getpid() and told["Name"].strip() == "java":
        java += int(told["VmHWM"].split()[0])
print(seconds, own, java)
"""


def verify_large(options: Options) -> Iterator[Result]:
    """Verify a table of ``--rows`` rows on DuckDB and on Spark: two passes of hashing, against one count of its ids."""
    path = options.data / f"verify-{options.rows}.parquet"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        sql = (
            "SELECT range AS id, range % 1000 AS g, range / 7 AS v, 'name ' || range % 99991 AS s, "
            f"DATE '2000-01-01' + CAST(range % 9000 AS INTEGER) AS d FROM range({options.rows})"
        )
        mdf.sql(sql).write_parquet(path)
    for engine, shown in (("duckdb", "DuckDB"), ("spark", "Spark")):
        peaks: list[tuple[int, int]] = []
        made = compare(
            f"large/{engine}",
            f"`verify` of {options.rows:,} rows, DuckDB and {shown}",
            f"`count_distinct` of their ids on {shown}",
            functools.partial(measured, path, engine, "", peaks),
            functools.partial(measured, path, engine, "id", []),
            (options.repeats + 1) // 2,
        )
        own, java = (max(side) / 1024 for side in zip(*peaks, strict=True))
        said = f"at its peak {own:,.0f} MB" + (f", and {java:,.0f} MB of Java" if java else "")
        yield dataclasses.replace(made, remark=said)


def measured(path: Path, engine: str, column: str, peaks: list[tuple[int, int]]) -> float:
    """Run LARGE, note its peaks in KB, and return the seconds that it tells."""
    done = subprocess.run(
        [sys.executable, "-c", LARGE, str(path), engine, column],
        env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Skipped(done.stderr.strip().splitlines()[-1])
    seconds, own, java = done.stdout.split()
    peaks.append((int(own), int(java)))
    return float(seconds)
