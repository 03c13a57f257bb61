"""The 22 queries of TPC-H on DuckDB through ``mdf.sql``, against DuckDB's own Python API over the same files."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

import mdfsql as mdf
from benchmarks.measure import Result, Skipped, compare, timed
from mdfsql import queries

__all__ = ["tpch"]

TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")


def tpch(repeats: int, data: Path, scale: str) -> Iterator[Result]:
    """Run all 22, fetched as Arrow, and add up their medians."""
    folder = prepared(data, scale)
    tables: dict[str, Any] = {name: mdf.Dataset.read_parquet(folder / f"{name}.parquet") for name in TABLES}
    connection = duckdb.connect()
    for name in TABLES:
        connection.execute(f"CREATE VIEW {name} AS FROM '{folder / name}.parquet'")

    def ours(text: str) -> object:
        return mdf.sql(text, "duckdb", None, **tables).to_arrow()

    def peer(text: str) -> object:
        return connection.sql(text).to_arrow_table()

    results = []
    for n in range(1, 23):
        text = queries.tpch(n)
        own, other = (functools.partial(timed, functools.partial(side, text)) for side in (ours, peer))
        results.append(compare(f"Q{n}", own, other, repeats))
    worst = max(results, key=lambda result: result.ratio)
    yield Result(
        f"TPC-H SF {scale}, 22 queries / DuckDB's own API",
        sum(r.ours for r in results),
        sum(r.peer for r in results),
        target=1.03,
    )
    yield Result(f"TPC-H SF {scale}, the worst of them, {worst.what}", worst.ours, worst.peer)


def prepared(data: Path, scale: str) -> Path:
    """Return the folder with the tables, made with tpchgen-cli where it is not there yet."""
    folder = data / f"tpch-{scale}"
    if all((data / f"{name}.parquet").is_file() for name in TABLES):
        return data
    if not all((folder / f"{name}.parquet").is_file() for name in TABLES):
        tool = shutil.which("tpchgen-cli", path=str(Path(sys.executable).parent)) or shutil.which("tpchgen-cli")
        if tool is None:
            raise Skipped("tpchgen-cli makes the data, and is not installed")
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([tool, "parquet", "-s", scale, "-o", str(folder), "--quiet"], check=True)
    return folder
