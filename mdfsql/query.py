"""SQL text as a relation: read in any dialect, parameters bound as values, tables resolved by name."""

from __future__ import annotations

import difflib
import functools
import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from mdfsql.catalog import Source
from mdfsql.errors import BindError, QueryError
from mdfsql.literals import literal
from mdfsql.read import reader_of
from mdfsql.reading import read_text
from mdfsql.relation import Relation, identifier
from mdfsql.schema import Schema
from mdfsql.spellings import plain_queries

if TYPE_CHECKING:
    from mdfsql.read.meaning import Dialect

__all__ = ["Resolver", "parse_query", "read_query"]

Resolver: TypeAlias = Callable[[exp.Table], "Relation | Source | None"]
"""Finds what a table in a query names, or None."""


def read_query(
    text: str,
    resolve: Resolver,
    *,
    dialect: str = "duckdb",
    params: Mapping[str, Any] | None = None,
    known: Iterable[str] = (),
) -> Relation:
    """Return the relation of one query.

    ``known`` are table names to suggest when one is not found. Raises QueryError for text that does not read, is no
    query or lacks a parameter, and BindError for tables and columns that are not there.
    """
    reader = None if dialect == "duckdb" else reader_of(dialect, text)
    tree = _parse(text, dialect, reader is not None).copy()
    if reader is None:
        remember(tree, text)
    tree = bind_parameters(tree, params or {}, text)
    inputs: dict[str, Relation | Source] = {}
    taken = {node.name.lower() for node in tree.find_all(exp.Identifier)}
    free = (name for name in map("_{}".format, itertools.count()) if name not in taken)
    for table in list(tree.find_all(exp.Table)):
        if _is_local(table):
            continue
        found = resolve(table)
        if found is None:
            if isinstance(table.this, exp.Func) and (reader or not isinstance(table.this, exp.Anonymous)):
                # A table function such as range(): the binder knows it, and each target allows or refuses it.
                continue
            raise unknown_table(table, text, known)
        name = next((n for n, given in inputs.items() if given is found), None) or next(free)
        inputs[name] = found
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(_last_name(table), quoted=True)))
        for part in ("db", "catalog"):
            table.set(part, None)
        table.set("this", identifier(name))
    if reader is not None:
        tree = meant(tree, reader, {name: found.schema for name, found in inputs.items()}, text)
    return Relation(tree, inputs, text=text)


def remember(tree: exp.Expr, text: str) -> None:
    """Leave in the nodes of a tree the text that they were read from, so that a refusal can point at it."""
    for node in tree.walk():
        if node._meta and "start" in node._meta:
            node.meta["sql"] = text


def parse_query(text: str, dialect: str = "duckdb") -> exp.Query:
    """Return one query as a fresh tree of the reference dialect, as sqlglot writes it; QueryError for anything else."""
    tree = _parse(text, dialect, False).copy()
    return tree if dialect == "duckdb" else _again(tree, dialect, text)


@functools.lru_cache(maxsize=256)
def _parse(text: str, dialect: str, plain_calls: bool) -> exp.Query:
    trees = [tree for tree in read_text(text, dialect, plain_calls) if not _is_comment(tree)]
    if len(trees) != 1:
        what = "no query in the text" if not trees else f"one query a call, but the text holds {len(trees)} statements"
        raise QueryError(what, sql=text)
    tree = trees[0]
    if isinstance(tree, exp.Values):
        tree = exp.select("*").from_(tree)
    if isinstance(tree, exp.Pivot) and tree.this:
        # The statement of the reference's dialect, which is a query as well.
        tree.set("unpivot", bool(tree.args.get("unpivot")))
        tree = exp.select("*").from_(exp.Subquery(this=tree, alias=exp.TableAlias(this=exp.to_identifier("_pivot"))))
    tree = _without_parentheses(tree)
    if isinstance(tree, exp.Subquery) or not isinstance(tree, exp.Query):
        raise QueryError(f"{_statement_name(tree, text)} is refused: only queries run here", sql=text, line=1, column=1)
    if dialect == "duckdb":
        plain_queries(tree)
    for node in tree.find_all(exp.DML, exp.DDL, exp.Into):
        if not isinstance(node, exp.Query):
            raise QueryError(f"{node.key.upper()} is refused: only queries run here", sql=text)
    for pivot in tree.find_all(exp.Pivot):
        if pivot.this and not pivot.args.get("unpivot") and not all(isinstance(on, exp.In) for on in pivot.expressions):
            raise QueryError("PIVOT without IN is refused: its columns would depend on the data", sql=text)
    for hinted in tree.find_all(exp.Select):
        # A hint in the text is for the engine that the text was written for, and never changes the answer.
        hinted.set("hint", None)
    for column in list(tree.find_all(exp.Column)) if plain_calls else ():
        # Where $ may begin a name, a parameter reads as one.
        if column.name.startswith("$") and not column.this.quoted and not column.table:
            column.replace(exp.Parameter(this=exp.Var(this=column.name[1:])))
    return tree


def _again(tree: exp.Query, dialect: str, text: str) -> exp.Query:
    """Return a tree rendered and read again, so that the passes see one flavour of tree only."""
    try:
        made = sqlglot.parse_one(tree.sql("duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE), read="duckdb")
    except SqlglotError as error:
        raise QueryError(f"this {dialect} query has no form in the reference dialect: {error}", sql=text) from error
    if not isinstance(made, exp.Query):
        raise QueryError(f"this {dialect} query has no form in the reference dialect", sql=text)
    return made


def meant(tree: exp.Query, reader: Dialect, tables: Mapping[str, Schema], text: str) -> exp.Query:
    """Return what a query of another dialect means, in the reference's; QueryError, with the place, if not known."""
    from mdfsql.read.meaning import Refused, construct_name  # loaded for the texts of other dialects
    from mdfsql.read.queries import read_query_tree

    try:
        return _again(read_query_tree(tree, reader, tables), reader.name, text)
    except Refused as error:
        line, column = place(error.node)
        construct = error.construct or construct_name(error.node)
        message = f"{reader.name} query: {construct} is refused: {error.why}"
        raise QueryError(message, sql=text, line=line, column=column) from None
    except RecursionError as error:
        raise QueryError("the query is nested too deeply to be read", sql=text) from error


def place(node: exp.Expr) -> tuple[int | None, int | None]:
    """Return the line and column at which the first word of a node stands, if the parser has noted them."""
    noted = [n.meta for n in node.walk() if n.meta.get("line") and n.meta.get("start") is not None]
    first = min(noted, key=lambda meta: meta["start"], default=None)
    return (first["line"], max(first["col"] - (first["end"] - first["start"]), 1)) if first else (None, None)


def _is_comment(tree: exp.Expr) -> bool:
    return isinstance(tree, exp.Semicolon)


def _statement_name(tree: exp.Expr, text: str) -> str:
    words = sqlglot.tokenize(text, read="duckdb")
    return words[0].text.upper() if words else tree.key.upper()


def parameters_of(tree: exp.Query) -> list[exp.Expr]:
    """Return the nodes that stand for a parameter."""
    return list(tree.find_all(exp.Placeholder, exp.Parameter))


def bind_parameters(tree: exp.Query, params: Mapping[str, Any], text: str) -> exp.Query:
    """Return the query with each ``$name`` replaced by its value; QueryError for one missing or not used."""
    used: set[str] = set()
    for node in parameters_of(tree):
        name = node.name
        if name in ("", "?"):
            raise QueryError("a parameter has no name: write $name, and pass params={'name': value}", sql=text)
        if name not in params:
            near = difflib.get_close_matches(name, list(params), 1)
            hint = f"; did you mean ${near[0]}?" if near else ""
            at = text.find(f"${name}")
            line, column = (text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)) if at >= 0 else (None, None)
            raise QueryError(
                f"parameter ${name} has no value: pass it in params{hint}", sql=text, line=line, column=column
            )
        used.add(name)
        node.replace(given := literal(params[name]))
        # What a value is made of is written in the reference's dialect already.
        given.meta["given"] = True
    unused = sorted(set(params) - used)
    if unused:
        raise QueryError(f"parameter{'s' if len(unused) > 1 else ''} not in the query: {', '.join(unused)}", sql=text)
    return tree


def _without_parentheses(tree: exp.Expr) -> exp.Expr:
    """Return the query that stands in parentheses; what stands after them becomes that of a query over it."""
    for inner in list(tree.find_all(exp.Subquery)):
        after = {part: inner.args[part] for part in AFTER if inner.args.get(part)}
        if after and isinstance(inner.this, exp.Query):
            rows = exp.Subquery(this=inner.this, alias=exp.TableAlias(this=exp.to_identifier("_all", quoted=True)))
            made = exp.select("*").from_(rows, copy=False)
            inner.set("this", made)
            for part, value in after.items():
                inner.set(part, None)
                made.set(part, value)
    while isinstance(tree, exp.Subquery) and isinstance(tree.this, exp.Query):
        tree = tree.this
    return tree


# What may stand after a query in parentheses, or before it.
AFTER = ("with_", "order", "limit", "offset")


def unknown_table(table: exp.Table, text: str, known: Iterable[str]) -> BindError:
    """Return the error for a table that nothing has, with the names that are near."""
    if table.this is None:
        return BindError("rows from that are not read", sql=text)
    name = ".".join(part.name for part in table.parts) if isinstance(table.this, exp.Identifier) else table.this.name
    near = difflib.get_close_matches(name.lower(), [k.lower() for k in known], 3)
    hint = f"; did you mean {' or '.join(near)}?" if near else "; register it, pass it as an argument, or name a file"
    meta = table.this.meta if table.this else {}
    line, column = meta.get("line"), meta.get("col")
    if column is not None:
        column = max(column - len(name) + 1, 1)
    if line is None or column is None or text.splitlines()[line - 1][column - 1 :][: len(name)].lower() != name.lower():
        at = text.lower().find(name.lower())
        line, column = (text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)) if at >= 0 else (None, None)
    what = "function" if isinstance(table.this, exp.Anonymous) else "table"
    return BindError(f"there is no {what} {name!r}{hint}", sql=text, line=line, column=column)


def _is_local(table: exp.Table) -> bool:
    """Tell whether a table names a CTE in whose scope it stands."""
    if not isinstance(table.this, exp.Identifier) or table.args.get("db"):
        return False
    name = table.name.lower()
    node: exp.Expr | None = table
    inside: list[exp.Expr] = []
    while node is not None:
        with_ = node.args.get("with_")
        if with_ is not None:
            for cte in with_.expressions:
                # A CTE is seen by those after it, by itself when recursive, and by the body.
                own = any(cte is i for i in inside)
                if cte.alias.lower() == name and (not own or with_.args.get("recursive")):
                    return True
                if own:
                    break
        inside.append(node)
        node = node.parent
    return False


def _last_name(table: exp.Table) -> str:
    if isinstance(table.this, exp.Identifier):
        name = table.name
        # As in the reference, a file's table is called by the file's stem.
        return name.replace("\\", "/").rsplit("/", 1)[-1].split(".", 1)[0] if "." in name or "/" in name else name
    return "files"
