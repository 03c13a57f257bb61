"""The 22 queries of TPC-H through ``mdf.sql``, against the engine's own API over the same files."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import sqlglot

import mdfsql as mdf
from benchmarks.measure import Result, Skipped, compare, timed
from mdfsql import queries

__all__ = ["tpch", "tpch_spark"]

TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")


def tpch(repeats: int, data: Path, scale: str) -> Iterator[Result]:
    """Run all 22 on DuckDB, fetched as Arrow, and add up their medians."""
    folder = prepared(data, scale)
    connection = duckdb.connect()
    for name in TABLES:
        connection.execute(f"CREATE VIEW {name} AS FROM '{folder / name}.parquet'")
    with mdf.set_backend("duckdb"):
        yield from queries_of(folder, scale, repeats, lambda text: connection.sql(text).to_arrow_table(), "DuckDB")


def tpch_spark(repeats: int, data: Path, scale: str) -> Iterator[Result]:
    """Run all 22 on Spark, against the session's own ``sql`` with the text as sqlglot transpiles it."""
    folder = prepared(data, scale)
    try:
        from pyspark.sql import SparkSession
    except ImportError as why:
        raise Skipped(str(why)) from why
    builder: Any = SparkSession.builder
    session = builder.config(map=SPARK).getOrCreate()
    for name in TABLES:
        session.read.parquet(str(folder / f"{name}.parquet")).createOrReplaceTempView(name)

    def peer(text: str) -> object:
        (own,) = sqlglot.transpile(text, read="duckdb", write="spark")
        return session.sql(own).toArrow()

    with mdf.set_backend("spark", spark_session=session):
        yield from queries_of(folder, scale, repeats, peer, "Spark")
    session.stop()


SPARK = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "4g",
    "spark.sql.shuffle.partitions": "8",
    "spark.ui.enabled": "false",
    "spark.log.level": "ERROR",
}


def queries_of(folder: Path, scale: str, repeats: int, peer: Callable[[str], object], engine: str) -> Iterator[Result]:
    """Measure the queries on the backend in force against what the peer does with each text."""
    tables: dict[str, Any] = {name: mdf.Dataset.read_parquet(folder / f"{name}.parquet") for name in TABLES}

    def ours(text: str) -> object:
        return mdf.sql(text, "duckdb", None, **tables).to_arrow()

    results = []
    for n in range(1, 23):
        text = queries.tpch(n)
        own, other = (functools.partial(timed, functools.partial(side, text)) for side in (ours, peer))
        results.append(compare(f"Q{n}", own, other, repeats))
    worst = max(results, key=lambda result: result.ratio)
    total, peers = sum(r.ours for r in results), sum(r.peer for r in results)
    yield Result(f"TPC-H SF {scale}, 22 queries / {engine}'s own API", total, peers, target=1.03)
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
