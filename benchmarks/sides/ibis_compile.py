"""ibis as a side that compiles: see ``compiling``."""

from __future__ import annotations

from typing import Any

import ibis
from ibis import _

from benchmarks.sides import ibis_tpch, ibis_tpch_more
from benchmarks.sides.tpch_schema import TABLES

TYPES = {"BIGINT": "int64", "INTEGER": "int32", "VARCHAR": "string", "DATE": "date", "DECIMAL(15,2)": "decimal(15, 2)"}
DIALECTS = {"spark": "pyspark", "duckdb": "duckdb"}


class PySpark(ibis.config.Config):
    """What ibis asks of its options when it writes for Spark; where pyspark is installed, it has this by itself."""

    treat_nan_as_null: bool = False


ibis.options.pyspark = PySpark()


def tables() -> dict[str, Any]:
    """Return the tables of TPC-H, without rows."""
    return {
        name: ibis.table({column: TYPES[type_] for column, type_ in columns.items()}, name=name)
        for name, columns in TABLES.items()
    }


def built(n: int, tables: dict[str, Any]) -> Any:
    """Return a query of TPC-H."""
    return getattr(ibis_tpch if n < 12 else ibis_tpch_more, f"q{n:02}")(tables)


def written(made: Any, target: str) -> str:
    """Return its SQL."""
    return str(ibis.to_sql(made, dialect=DIALECTS[target]))


def chained(length: int) -> Any:
    """Return filters and new columns in turn."""
    made = ibis.table({"id": "int64", "v": "float64"}, name="t")
    for n in range(length // 2):
        made = made.filter(_.v > n).mutate(v=_.v + 1)
    return made


def widened(columns: int) -> Any:
    """Return all columns computed anew, filtered and in order."""
    names = [f"c{n}" for n in range(columns)]
    made = ibis.table(dict.fromkeys(names, "int64"), name="t").filter(_.c0 > 0)
    return made.select(**{name: _[name] + 1 for name in names}).order_by("c0")


def joined(tables: int) -> Any:
    """Return many tables, each joined by its key."""
    made = ibis.table({"k": "int64", "v0": "int64"}, name="t0")
    for n in range(1, tables):
        made = made.join(ibis.table({"k": "int64", f"v{n}": "int64"}, name=f"t{n}"), "k")
    return made
