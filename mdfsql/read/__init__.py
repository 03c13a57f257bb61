"""Queries that are written in other dialects: what they mean, in the reference's."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from sqlglot import Dialect as Parser

from mdfsql.errors import QueryError

if TYPE_CHECKING:
    from mdfsql.read.meaning import Dialect

__all__ = ["DIALECTS", "reader_of"]

# Name -> the module that says what it means.
DIALECTS = {
    "spark": "spark",
    "databricks": "spark",
    "postgres": "postgres",
    "snowflake": "snowflake",
    "bigquery": "bigquery",
    "trino": "trino",
    "presto": "trino",
    "tsql": "tsql",
    "mysql": "mysql",
}


def reader_of(name: str, text: str) -> Dialect:
    """Return what is known of a dialect's meaning; QueryError for one that is not read."""
    module = DIALECTS.get(name.lower())
    if module is None:
        try:
            Parser.get_or_raise(name)
        except ValueError as error:
            raise QueryError(f"there is no dialect {name!r}: {error}", sql=text) from error
        known = ", ".join(["duckdb", *DIALECTS])
        raise QueryError(
            f"the dialect {name!r} is not read, for what it means is not settled here: {known} are", sql=text
        )
    dialect: Dialect = importlib.import_module(f"mdfsql.read.{module}").dialect
    return dialect
