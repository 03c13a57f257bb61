"""sqlframe as a side that compiles: see ``compiling``."""

from __future__ import annotations

from typing import Any

from sqlframe.standalone import StandaloneSession
from sqlframe.standalone import functions as F  # noqa: N812 - as PySpark's users write it

from benchmarks.sides import pyspark_tpch, pyspark_tpch_more
from benchmarks.sides.tpch_schema import TABLES

session = StandaloneSession()


def table(name: str, columns: dict[str, str]) -> Any:
    """Return a table whose columns are told, not asked for."""
    session.catalog.add_table(name, columns)
    return session.table(name)


def tables() -> dict[str, Any]:
    """Return the tables of TPC-H, without rows."""
    return {name: table(name, columns) for name, columns in TABLES.items()}


def built(n: int, tables: dict[str, Any]) -> Any:
    """Return a query of TPC-H."""
    return getattr(pyspark_tpch if n < 12 else pyspark_tpch_more, f"q{n:02}")(tables, F)


def written(made: Any, target: str) -> str:
    """Return its SQL."""
    return str(made.sql(dialect=target))


def read(text: str, tables: dict[str, Any], target: str) -> str:
    """Return a text's SQL."""
    return written(session.sql(text, dialect="duckdb"), target)


def chained(length: int) -> Any:
    """Return filters and new columns in turn."""
    made = table("chain", {"id": "BIGINT", "v": "DOUBLE"})
    for n in range(length // 2):
        made = made.filter(F.col("v") > n).withColumn("v", F.col("v") + 1)
    return made


def widened(columns: int) -> Any:
    """Return all columns computed anew, filtered and in order."""
    names = [f"c{n}" for n in range(columns)]
    made = table(f"w{columns}", dict.fromkeys(names, "BIGINT")).filter(F.col("c0") > 0)
    return made.select(*[(F.col(name) + 1).alias(name) for name in names]).orderBy("c0")


def joined(tables: int) -> Any:
    """Return many tables, each joined by its key."""
    made = table("joined0", {"k": "BIGINT", "v0": "BIGINT"})
    for n in range(1, tables):
        made = made.join(table(f"joined{n}", {"k": "BIGINT", f"v{n}": "BIGINT"}), on="k")
    return made
