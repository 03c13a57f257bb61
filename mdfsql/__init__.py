"""A SQL-first embedded DSL for dataset work: write it once, run it on DuckDB, Spark or Dask with the same answer."""

import typing

from mdfsql import errors
from mdfsql.backend import Backend, backend, set_backend
from mdfsql.check import Finding, check
from mdfsql.dataset import Dataset, GroupedDataset
from mdfsql.frontend import register, sql, table, tables, unregister
from mdfsql.functions import (
    Expr,
    arg_max,
    arg_min,
    asc,
    avg,
    coalesce,
    col,
    count,
    count_distinct,
    dense_rank,
    desc,
    expr,
    first_value,
    lag,
    last_value,
    lead,
    list,
    lit,
    max,
    median,
    min,
    ntile,
    percent_rank,
    quantile,
    rank,
    row_number,
    stddev,
    string_agg,
    sum,
    var,
    when,
)
from mdfsql.schema import Schema
from mdfsql.verify import diff, verify
from mdfsql.version import __version__

if typing.TYPE_CHECKING:
    from mdfsql.verify.comparison import Comparison

__all__ = [
    "Backend",
    "Comparison",
    "Dataset",
    "Expr",
    "Finding",
    "GroupedDataset",
    "Schema",
    "__version__",
    "arg_max",
    "arg_min",
    "asc",
    "avg",
    "backend",
    "check",
    "coalesce",
    "col",
    "count",
    "count_distinct",
    "dense_rank",
    "desc",
    "diff",
    "errors",
    "expr",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "list",
    "lit",
    "max",
    "median",
    "min",
    "ntile",
    "percent_rank",
    "quantile",
    "rank",
    "register",
    "row_number",
    "set_backend",
    "sql",
    "stddev",
    "string_agg",
    "sum",
    "table",
    "tables",
    "unregister",
    "var",
    "verify",
    "when",
]


def __getattr__(name: str) -> typing.Any:
    if name == "Comparison":  # its many records take longer to make than all else here
        from mdfsql.verify.comparison import Comparison

        return Comparison
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
