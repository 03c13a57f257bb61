"""What the reference's dialect writes in several ways that mean the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlglot
from sqlglot import exp

__all__ = ["one_spelling"]


def one_spelling(tree: exp.Query) -> exp.Query:
    """Write in a query, in place, what has several spellings in the one that is known everywhere."""
    # What is inside of others first: some are written anew from their text.
    for node in list(tree.find_all(*SPELLINGS))[::-1]:
        made = SPELLINGS[type(node)](node)
        if made is not None:
            node.replace(made)
    return tree


def _text(node: Any) -> exp.Expr:
    return exp.Literal.string(str(node.this))


def _fetch(node: Any) -> exp.Expr | None:
    options = node.args.get("limit_options")
    if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
        return None
    return exp.Limit(expression=node.args.get("count") or exp.Literal.number(1))


def _extract(node: Any) -> exp.Expr | None:
    """EXTRACT('year' FROM x)"""
    if not isinstance(node.this, exp.Literal):
        return None
    return exp.Extract(this=exp.Var(this=node.this.name), expression=node.expression)


OPERATORS: dict[str, type[exp.Expr]] = {"add": exp.Add, "subtract": exp.Sub, "multiply": exp.Mul, "divide": exp.IntDiv}


def _called(node: Any) -> exp.Expr | None:
    name = node.name.lower()
    if name == "datepart":
        return exp.Anonymous(this="date_part", expressions=node.expressions)
    if name in OPERATORS and len(node.expressions) == 2:
        one, two = (exp.Paren(this=argument) for argument in node.expressions)
        return exp.Paren(this=OPERATORS[name](this=one, expression=two))
    return None


def _pivot(node: Any) -> exp.Expr | None:
    """PIVOT and UNPIVOT as statements"""
    if node.this is None:
        return None
    on = node.expressions
    if node.args.get("unpivot"):
        into = node.args.get("into")
        name, values = (into.this, into.expressions) if into else (exp.column("name"), [exp.column("value")])
        inside = f"({_listed(values)}) FOR {_written(name)} IN ({_listed(on)})"
        return _query(f"SELECT * FROM {_written(node.this)} UNPIVOT ({inside})")
    if not all(isinstance(part, exp.In) and isinstance(part.this, exp.Column) for part in on):
        return None
    values = node.args.get("using") or [exp.Count(this=exp.Star())]
    keys = node.args.get("group")
    inside = f"{_listed(values)} FOR {' '.join(map(_written, on))} {_written(keys) if keys else ''}"
    return _query(f"SELECT * FROM {_written(node.this)} PIVOT ({inside})")


def _query(text: str) -> exp.Expr:
    return sqlglot.parse_one(text, read="duckdb")


def _written(node: exp.Expr) -> str:
    return node.sql("duckdb")


def _listed(nodes: Iterable[exp.Expr]) -> str:
    return ", ".join(map(_written, nodes))


SPELLINGS: dict[type[exp.Expr], Any] = {
    exp.ByteString: _text,
    exp.RawString: _text,
    exp.Fetch: _fetch,
    exp.Extract: _extract,
    exp.Anonymous: _called,
    exp.Pivot: _pivot,
}
