"""Rows of values, compared column by column."""

from __future__ import annotations

import functools
from typing import Any

from sqlglot import exp

from mdfsql.lower.rules import BOOLEAN, each, null, refuse, tests_typed

__all__ = ["rows_to_columns"]


def rows_to_columns(tree: exp.Expr) -> exp.Expr:
    """(a, b) < (c, d) is written out column by column: within a row, NULL equals NULL and comes after all else."""
    return each(tree, {exp.In: _in, **dict.fromkeys(COMPARED, _compared)})


COMPARED = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)


def _pairs(left: Any, right: Any) -> list[tuple[exp.Expr, exp.Expr]]:
    if not isinstance(right, exp.Tuple) or len(left.expressions) != len(right.expressions):
        refuse("a row compared with what is no row of as many values", "it is not shown to agree there")
    found = list(zip(left.expressions, right.expressions, strict=True))
    if any(isinstance(part, exp.Tuple) for pair in found for part in pair):
        refuse("a row within a row", "it is not shown to agree there")
    return found


def _typed(node: exp.Expr) -> exp.Expr:
    return tests_typed(exp.Paren(this=node))


def _all(parts: list[exp.Expr]) -> exp.Expr:
    return functools.reduce(lambda a, b: exp.And(this=a, expression=b), parts)


def _same(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return exp.NullSafeEQ(this=left.copy(), expression=right.copy())


def _less(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    there = exp.Not(this=exp.Is(this=left.copy(), expression=null()))
    gone = exp.Is(this=right.copy(), expression=null())
    last = exp.And(this=there, expression=gone)
    less = exp.LT(this=left.copy(), expression=right.copy())
    made = exp.Coalesce(this=tests_typed(less), expressions=[tests_typed(last)])
    made.type = BOOLEAN
    return made


def _before(pairs: list[tuple[exp.Expr, exp.Expr]]) -> exp.Expr:
    """Return whether the first row comes before the second."""
    (left, right), *rest = pairs
    first = _less(left, right)
    if not rest:
        return first
    then = exp.And(this=_same(left, right), expression=exp.Paren(this=_before(rest)))
    return exp.Or(this=first, expression=exp.Paren(this=then))


def _compared(node: Any) -> exp.Expr | None:
    if not isinstance(node.this, exp.Tuple):
        if isinstance(node.expression, exp.Tuple):
            refuse("a row compared with what is no row", "it is not shown to agree there")
        return None
    if isinstance(node.expression, (exp.Any, exp.All)):
        refuse("a row compared with ANY or ALL", "it is not shown to agree there", "(a, b) IN (SELECT ...)")
    pairs = _pairs(node.this, node.expression)
    turned = [(right, left) for left, right in pairs]
    if isinstance(node, (exp.EQ, exp.NullSafeEQ)):
        return _typed(_all([_same(*pair) for pair in pairs]))
    if isinstance(node, (exp.NEQ, exp.NullSafeNEQ)):
        return _typed(exp.Not(this=exp.Paren(this=_all([_same(*pair) for pair in pairs]))))
    if isinstance(node, exp.LT):
        return _typed(_before(pairs))
    if isinstance(node, exp.GT):
        return _typed(_before(turned))
    return _typed(exp.Not(this=exp.Paren(this=_before(turned if isinstance(node, exp.LTE) else pairs))))


def _in(node: Any) -> exp.Expr | None:
    if not isinstance(node.this, exp.Tuple) or node.args.get("query") is not None:
        return None
    tests: list[exp.Expr] = [
        exp.Paren(this=_all([_same(*pair) for pair in _pairs(node.this, row)])) for row in node.expressions
    ]
    return _typed(functools.reduce(lambda a, b: exp.Or(this=a, expression=b), tests))
