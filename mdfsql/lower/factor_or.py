"""Conditions that every branch of an OR has."""

from __future__ import annotations

from sqlglot import exp

from mdfsql.lower.shapes import conjoin, conjuncts, queries

__all__ = ["factor_or"]


def factor_or(tree: exp.Expr) -> exp.Expr:
    """(a = b AND x) OR (a = b AND y) becomes a = b AND (x OR y), so that a join by a = b is seen."""
    for query in queries(tree):
        where = query.args.get("where")
        if where is not None:
            parts = [found for part in conjuncts(where.this) for found in _factored(part)]
            where.set("this", conjoin(parts))
    return tree


def _branches(node: exp.Expr) -> list[exp.Expr]:
    inner = node.unnest()
    return _branches(inner.this) + _branches(inner.expression) if isinstance(inner, exp.Or) else [inner]


def _factored(part: exp.Expr) -> list[exp.Expr]:
    branches = [conjuncts(branch) for branch in _branches(part)]
    if len(branches) < 2:
        return [part]
    shared: list[exp.Expr] = [
        p for p in branches[0] if isinstance(p, exp.EQ) and all(p in branch for branch in branches[1:])
    ]
    rest = [conjoin([p for p in branch if p not in shared]) for branch in branches]
    if not shared:
        return [part]
    if any(r is None for r in rest):
        # A branch that is only what all share: it holds wherever they do.
        return shared
    return [*shared, exp.Paren(this=exp.or_(*[r for r in rest if r is not None]))]
