"""What the reference's dialect writes in several ways that mean the same."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

__all__ = ["one_spelling"]


def one_spelling(tree: exp.Query) -> exp.Query:
    """Write in a query, in place, what has several spellings in the one that is known everywhere."""
    for node in list(tree.find_all(*SPELLINGS)):
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


SPELLINGS: dict[type[exp.Expr], Any] = {
    exp.ByteString: _text,
    exp.RawString: _text,
    exp.Fetch: _fetch,
    exp.Extract: _extract,
    exp.Anonymous: _called,
}
