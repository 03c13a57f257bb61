"""mdfsql as a side that compiles: see ``compiling``."""

from __future__ import annotations

from typing import Any

import mdfsql as mdf
from benchmarks.sides.tpch_schema import TABLES
from mdfsql.queries import tpch_chains


def tables() -> dict[str, mdf.Dataset]:
    """Return the tables of TPC-H, without rows."""
    return {name: mdf.Dataset.from_items([], schema=columns) for name, columns in TABLES.items()}


def built(n: int, tables: dict[str, mdf.Dataset]) -> mdf.Dataset:
    """Return a query of TPC-H."""
    made: mdf.Dataset = getattr(tpch_chains, f"q{n:02}")(tables)
    return made


def written(made: mdf.Dataset, target: str) -> str:
    """Return its SQL."""
    return made.plan(target)[1].sql


def read(text: str, tables: dict[str, Any], target: str) -> str:
    """Return a text's SQL."""
    return written(mdf.sql(text, "duckdb", None, **tables), target)


def chained(length: int) -> mdf.Dataset:
    """Return filters and new columns in turn."""
    made = mdf.Dataset.from_items([], schema={"id": "BIGINT", "v": "DOUBLE"})
    for n in range(length // 2):
        made = made.filter(mdf.col("v") > n).with_columns(v=mdf.col("v") + 1)
    return made


def widened(columns: int) -> mdf.Dataset:
    """Return all columns computed anew, filtered and in order."""
    names = [f"c{n}" for n in range(columns)]
    made = mdf.Dataset.from_items([], schema=dict.fromkeys(names, "BIGINT")).filter(mdf.col("c0") > 0)
    return made.select(**{name: mdf.col(name) + 1 for name in names}).order_by("c0")


def joined(tables: int) -> mdf.Dataset:
    """Return many tables, each joined by its key."""
    made = mdf.Dataset.from_items([], schema={"k": "BIGINT", "v0": "BIGINT"})
    for n in range(1, tables):
        made = made.join(mdf.Dataset.from_items([], schema={"k": "BIGINT", f"v{n}": "BIGINT"}), on="k")
    return made
