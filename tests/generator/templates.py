"""What expressions are made of: those of the conformance cases, with holes where they have columns.

So that a function which is let through, and so has a case, is tried within others without a line about it here.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from typing import NamedTuple

import duckdb
import sqlglot
from sqlglot import exp

from tests.conformance import expressions, key_of, tables

__all__ = ["Template", "base", "columns", "kind_of", "templates"]


class Template(NamedTuple):
    """An expression of a kind, whose columns stand for any value of their kinds."""

    tree: exp.Expr
    holes: dict[str, str]  # column -> kind


WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")


def kind_of(type_: str) -> str:
    """Return what values may stand in each other's place: the type, but for a number's width."""
    if type_ in WHOLE:
        return "int"
    return "DECIMAL" if type_.startswith("DECIMAL") and not type_.endswith("]") else type_


@functools.cache
def base() -> duckdb.DuckDBPyConnection:
    """Return a connection that has the tables of the cases."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET TimeZone = 'UTC'")
    for name, source in tables().items():
        connection.register("given", source.table)
        connection.execute(f'CREATE TABLE "{name}" AS FROM given')
    return connection


@functools.cache
def columns() -> dict[tuple[str, str], str]:
    """Return the columns of the cases' tables of expressions, with their types."""
    rows = base().execute("SELECT table_name, column_name, data_type FROM duckdb_columns()").fetchall()
    used = {case.table for case in expressions()}
    return {(table, name): type_ for table, name, type_ in rows if table in used and name != key_of(table)}


# What makes a value as long as it is told to may take all memory; the others are no expressions over one row.
NEVER = (
    exp.GenerateSeries,
    exp.Repeat,
    exp.Pad,
    exp.Query,
    exp.Explode,
    exp.Unnest,
    exp.Star,
    exp.Grouping,
    exp.Window,
    exp.AggFunc,
)


LONG = ("range", "repeat", "list_resize", "array_resize", "bar")


@functools.cache
def templates() -> dict[str, list[Template]]:
    """Return the expressions that Spark answers as DuckDB does, by the kind of their values."""
    found: dict[str, list[Template]] = defaultdict(list)
    types = columns()
    for case in expressions():
        tree = sqlglot.parse_one(case.sql, read="duckdb")
        if case.expected != "same" or case.table is None or tree.find(*NEVER):
            continue
        if any(call.name.lower() in LONG for call in tree.find_all(exp.Anonymous)):
            continue
        names = {column.name for column in tree.find_all(exp.Column)}
        if not names or any((case.table, name) not in types for name in names):
            continue
        ((type_,),) = base().execute(f"SELECT typeof({tree.sql('duckdb')}) FROM {case.table} LIMIT 1").fetchall()
        found[kind_of(type_)].append(Template(tree, {name: kind_of(types[case.table, name]) for name in names}))
    return found
