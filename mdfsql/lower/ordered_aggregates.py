"""Aggregates that pick by an order: first and last, least and greatest."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.collected import SCALARS, collected, filter_of, unordered, whole
from mdfsql.lower.quantiles import QUANTILES, some, sorted_values
from mdfsql.lower.rules import call, integer, kind, refuse, there

__all__ = ["ORDERED_AGGREGATES"]


def _picked(place: int) -> Any:
    """Return a rule for the first (1) or the last (-1) row of an order."""

    def rule(node: Any) -> exp.Expr:
        what = "any_value()" if isinstance(node, exp.AnyValue) else f"{node.key}()"
        value, keys, distinct = unordered(node)
        if not keys:
            refuse(what, "which row it takes is not the same everywhere", f"{what[:-1]}x ORDER BY y), or min()")
        test = filter_of(node)
        if isinstance(node, exp.AnyValue) or isinstance(node.parent, exp.IgnoreNulls):
            test = _both(there(value), test)
        found = collected(node, value, keys, distinct, test, what)
        made = call("ELEMENT_AT", found, place)
        made.type = node.type
        return whole(made)

    return rule


def _both(test: exp.Expr, other: exp.Expr | None) -> exp.Expr:
    return test if other is None else exp.And(this=test, expression=exp.Paren(this=other.copy()))


# ---- least and greatest ------------------------------------------------------------------------------------------


def _count(node: Any, what: str) -> int | None:
    """Return how many values are asked for; None where it is one, which is no list."""
    given = node.args.get("count")
    if given is None:
        return None
    count = integer(given)
    if count is None or not 0 < count < 1_000_000:
        refuse(f"{what} of a number of values that is no constant", "it is not shown to agree there")
    return count


def _extreme(node: Any) -> exp.Expr | None:
    value, what = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this, f"{node.key}()"
    if node.expressions:
        refuse(f"{what} of several values", "it is not shown to agree there")
    if kind(value) not in SCALARS:
        refuse(f"{what} of {kind(value).upper()}", "it is not shown to agree there")
    count = _count(node, what)
    if count is None:
        return None
    items = sorted_values(node, node.this, what)
    ordered = items if isinstance(node, exp.Min) else call("REVERSE", items)
    made = call("SLICE", ordered, 1, count)
    made.type = items.type
    return whole(some(items, made))


def _best(name: str) -> Any:
    def rule(node: Any) -> exp.Expr:
        value, by = node.this, node.expression
        what = f"{node.sql_name().lower()}()"
        if kind(by) not in SCALARS:
            refuse(f"{what} by {kind(by).upper()}", "it is not shown to agree there")
        count = _count(node, what)
        if count is not None:
            return _best_many(node, count, what)
        # Rows whose value is NULL take no part in the reference.
        chosen = exp.Case(ifs=[exp.If(this=_both(there(value), filter_of(node)), true=by.copy())])
        made = call(name, value, chosen)
        made.type = node.type
        return whole(made)

    return rule


def _best_many(node: Any, count: int, what: str) -> exp.Expr:
    key = exp.Ordered(this=node.expression.copy(), desc=isinstance(node, exp.ArgMax), nulls_first=False)
    # As with one value, rows in which it is NULL take no part.
    test = _both(there(node.this), _both(there(node.expression), filter_of(node)))
    items = collected(node, node.this, [key], False, test, what)
    made = call("SLICE", items, 1, count)
    made.type = items.type
    return whole(made)


ORDERED_AGGREGATES: dict[type[exp.Expr], Any] = {
    exp.First: _picked(1),
    exp.Last: _picked(-1),
    exp.AnyValue: _picked(1),
    **QUANTILES,
    exp.Min: _extreme,
    exp.Max: _extreme,
    exp.ArgMin: _best("MIN_BY"),
    exp.ArgMax: _best("MAX_BY"),
}
