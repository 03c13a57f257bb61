"""What expressions are made of: those of the conformance cases, with holes where they have columns and constants.

So that a function which is let through, and so has a case, is tried within others without a line about it here.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

import duckdb
import sqlglot
from sqlglot import exp

from mdfsql.dialects.spark_shown import SHOWN
from tests.conformance import expressions, key_of, tables

__all__ = ["Template", "base", "closed", "columns", "kind_of", "templates"]


class Template(NamedTuple):
    """The text of an expression with holes, ``$hole_x``, for any value of a kind, or for a constant that was there."""

    text: str
    holes: dict[str, str]  # name -> kind
    constants: dict[str, str]  # name -> what stands there in the case

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the expression with its holes filled, in brackets where it needs them."""
        return closed(re.sub(r"\$hole_(\w+)", lambda hole: values[hole.group(1)], self.text))


CALL = re.compile(r"(?!CASE|NOT\b)\w*\(|\[")


def closed(text: str) -> str:
    """Return the text of an expression so that it may stand anywhere: a name, a call, or in brackets.

    >>> closed("a.b"), closed("abs(a)"), closed("abs(a) + (b)"), closed("'it''s'")
    ('a.b', 'abs(a)', '(abs(a) + (b))', "'it''s'")
    """
    if re.fullmatch(r"[\w.]+|'([^']|'')*'", text):
        return text
    if CALL.match(text):
        depth = 0
        for at, sign in enumerate(re.sub(r"'([^']|'')*'|\"[^\"]*\"", lambda quoted: "_" * len(quoted.group()), text)):
            depth += (sign in "([") - (sign in ")]")
            if not depth and sign in ")]":
                return text if at == len(text) - 1 else f"({text})"
    return f"({text})"


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


# These are no expressions over one row; queries have forms of their own for them.
NEVER = (exp.Query, exp.Explode, exp.Unnest, exp.Star, exp.Grouping, exp.Window, exp.AggFunc)

# What makes a value as long as it is told to, which may take all memory: it is told small numbers.
LONG = (exp.GenerateSeries, exp.Repeat, exp.Pad)
LONG_NAMES = ("range", "generate_series", "list_resize", "array_resize")


def is_long(tree: exp.Expr) -> bool:
    return tree.find(*LONG) is not None or any(n.name.lower() in LONG_NAMES for n in tree.find_all(exp.Anonymous))


def free_constants(tree: exp.Expr) -> dict[int, str]:
    """Return the constants, by their ids, in whose place a value of each row is shown to agree, with their kinds."""
    found = {}
    for literal in tree.find_all(exp.Literal):
        parent = literal.parent
        if not isinstance(parent, (exp.Func, exp.Binary)):
            continue
        anonymous = isinstance(parent, exp.Anonymous)
        part = str((literal.index or 0) + 1) if anonymous else str(literal.arg_key)
        known = SHOWN.get(parent.name.lower() if anonymous else parent.key, {}).get(part, "").split()
        name, kind = ("text", "VARCHAR") if literal.is_string else ("int", "int")
        if name in known and (literal.is_string or literal.is_int):
            found[id(literal)] = kind
    return found


def template(tree: exp.Expr, types: Mapping[str, str]) -> Template:
    """Return a case's expression, over columns of these types, as a template."""
    constants: dict[str, str] = {}
    holes, free = {name: kind_of(type_) for name, type_ in types.items()}, free_constants(tree)
    for node in list(tree.find_all(exp.Column, exp.Literal)):
        name = node.name
        if isinstance(node, exp.Literal):
            if id(node) not in free:
                continue
            name = f"constant{len(constants)}"
            holes[name], constants[name] = free[id(node)], node.sql("duckdb")
        # Holes become parameters, which no text of the case looks like.
        made = exp.Placeholder(this=f"hole_{name}")
        tree = made if node is tree else (node.replace(made) and tree)
    if is_long(tree):
        holes = {name: "small" if kind == "int" else kind for name, kind in holes.items()}
    return Template(tree.sql("duckdb"), holes, constants)


@functools.cache
def templates() -> dict[str, list[Template]]:
    """Return the expressions that Spark answers as DuckDB does, by the kind of their values."""
    found: dict[str, list[Template]] = defaultdict(list)
    types = columns()
    for case in expressions():
        tree = sqlglot.parse_one(case.sql, read="duckdb")
        if case.expected != "same" or case.table is None or tree.find(*NEVER):
            continue
        # In order: the same seed has to give the same queries.
        names = sorted({column.name for column in tree.find_all(exp.Column)})
        if any((case.table, name) not in types for name in names) or not (names or tree.find(exp.Func)):
            continue
        ((type_,),) = base().execute(f"SELECT typeof({tree.sql('duckdb')}) FROM {case.table} LIMIT 1").fetchall()
        found[kind_of(type_)].append(template(tree, {name: types[case.table, name] for name in names}))
    return found
