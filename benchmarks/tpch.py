"""The 22 queries of TPC-H through ``mdf.sql``, against the engine's own API over the same files."""

from __future__ import annotations

import dataclasses
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
from benchmarks.measure import Options, Result, Skipped, compare, timed, total
from mdfsql import queries

__all__ = ["prepared", "spark_session", "tpch", "tpch_spark"]

TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")


def tpch(options: Options) -> Iterator[Result]:
    """Run all 22 on DuckDB, fetched as Arrow, and add up their medians."""
    folder = prepared(options)
    connection = duckdb.connect()
    for name in TABLES:
        connection.execute(f"CREATE VIEW {name} AS FROM '{folder / name}.parquet'")
    with mdf.set_backend("duckdb"):
        peer = lambda text: connection.sql(text).to_arrow_table()  # noqa: E731
        yield from queries_of(folder, options, peer, "DuckDB", "its own API, same files")


def tpch_spark(options: Options) -> Iterator[Result]:
    """Run all 22 on Spark, against the session's own ``sql`` with the text as sqlglot transpiles it."""
    folder = prepared(options)
    session = spark_session()
    for name in TABLES:
        session.read.parquet(str(folder / f"{name}.parquet")).createOrReplaceTempView(name)

    def peer(text: str) -> object:
        (own,) = sqlglot.transpile(text, read="duckdb", write="spark")
        return session.sql(own).toArrow()

    with mdf.set_backend("spark", spark_session=session):
        yield from queries_of(folder, options, peer, "Spark", "`spark.sql` of the text as sqlglot transpiles it")
    session.stop()


def spark_session() -> Any:
    """Return a session of some size, on this machine alone; Skipped where there is no Spark."""
    try:
        from pyspark.sql import SparkSession
    except ImportError as why:
        raise Skipped(str(why)) from why
    builder: Any = SparkSession.builder
    return builder.config(map=SPARK).getOrCreate()


SPARK = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "4g",
    "spark.sql.shuffle.partitions": "8",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}


def queries_of(
    folder: Path, options: Options, peer: Callable[[str], object], engine: str, api: str
) -> Iterator[Result]:
    """Measure the queries on the backend in force against what the peer does with each text."""
    tables: dict[str, Any] = {name: mdf.Dataset.read_parquet(folder / f"{name}.parquet") for name in TABLES}

    def ours(text: str) -> object:
        return mdf.sql(text, "duckdb", None, **tables).to_arrow()

    results = []
    for n in range(1, 23):
        text = queries.tpch(n)
        own, other = (functools.partial(timed, functools.partial(side, text)) for side in (ours, peer))
        results.append(compare(f"q{n:02}", f"Q{n}", api, own, other, options.repeats))
    what = f"22 queries of TPC-H, SF {options.scale}, on {engine} through `mdf.sql`"
    yield total("total", what, api, results, aim=1.02)
    worst = max(results, key=lambda result: result.ratio)
    yield dataclasses.replace(worst, key="worst", what=f"the worst of them, {worst.what}")


def prepared(options: Options) -> Path:
    """Return the folder with the tables, made with tpchgen-cli where it is not there yet."""
    data, scale = options.data, options.scale
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
