"""Aggregates by way of a list: what an aggregate takes, in the order that it asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlglot import exp

from mdfsql.lower.rules import call, kind, null, refuse
from mdfsql.lower.shapes import is_aggregate
from mdfsql.lower.value_types import list_of

__all__ = [
    "SCALARS",
    "WHOLE",
    "collected",
    "count_of",
    "filter_of",
    "kept",
    "own_aggregates",
    "spread_window",
    "unordered",
    "whole",
]

SCALARS = frozenset({"bool", "int", "decimal", "float", "double", "text", "date", "timestamp", "timestamptz", "null"})

# Under this key an aggregate that was written with others keeps that the condition of its FILTER is inside.
WHOLE = "mdf_whole"


def whole(made: exp.Expr) -> exp.Expr:
    """Return what was made of an aggregate, which takes no FILTER any more."""
    made.meta[WHOLE] = True
    return made


def filter_of(node: Any) -> exp.Expr | None:
    """Return the condition of the FILTER that an aggregate stands in, if any."""
    parent = node.parent.parent if isinstance(node.parent, exp.IgnoreNulls) else node.parent
    return parent.expression.this if isinstance(parent, exp.Filter) else None


def kept(node: Any, value: exp.Expr) -> exp.Expr:
    """Return the value, NULL where the condition of the FILTER that an aggregate stands in does not hold."""
    test = filter_of(node)
    if test is None:
        return value.copy()
    made = exp.Case(ifs=[exp.If(this=test.copy(), true=value.copy())])
    made.type = value.type
    return made


def count_of(value: exp.Expr) -> exp.Expr:
    """Return count(), typed."""
    made = exp.Count(this=value.copy(), big_int=True)
    made.type = exp.DataType.build("BIGINT")
    return made


def unordered(node: Any) -> tuple[Any, list[Any], bool]:
    """Return what an aggregate takes, its ORDER BY, and whether it is DISTINCT."""
    inner, keys, distinct = node.this, [], False
    if isinstance(inner, exp.Order):
        keys, inner = inner.expressions, inner.this
    if isinstance(inner, exp.Distinct):
        (inner,), distinct = inner.expressions, True
        if isinstance(inner, exp.Order):
            keys, inner = inner.expressions, inner.this
    return inner, keys, distinct


def collected(
    node: Any, value: exp.Expr, keys: list[Any], distinct: bool, test: exp.Expr | None, what: str
) -> exp.Expr:
    """Return the list of the values in order, NULL where there is none.

    collect_list() drops NULL, so that it collects structs, which are not NULL, and NULL where the test fails.
    """
    if distinct and any(key.this != value for key in keys):
        refuse(f"{what} of DISTINCT values in another order than their own", "it is not shown to agree there")
    for key in keys:
        if kind(key.this) not in SCALARS:
            refuse(f"{what} ordered by {kind(key.this).upper()}", "it is not shown to agree there")
    fields = [exp.alias_(value.copy(), "v"), *(exp.alias_(key.this.copy(), f"k{i}") for i, key in enumerate(keys))]
    made: exp.Expr = call("STRUCT", *fields)
    if test is not None:
        made = exp.Case(ifs=[exp.If(this=test.copy(), true=made)])
    made = call("COLLECT_LIST", made)
    if distinct:
        made = call("ARRAY_DISTINCT", made)
    none = exp.EQ(this=call("SIZE", made), expression=exp.Literal.number(0))
    if keys:
        made = exp.Anonymous(this="ARRAY_SORT", expressions=[made, _comparator(keys)])
    values = exp.Anonymous(this="TRANSFORM", expressions=[made, _lambda(["_e"], _field("_e", "v"))])
    values.type = list_of(value.type) if value.type is not None else None
    whole = exp.Case(ifs=[exp.If(this=none, true=null())], default=values)
    whole.type = values.type
    return whole


def _lambda(names: list[str], body: exp.Expr) -> exp.Expr:
    return exp.Lambda(this=body, expressions=[exp.to_identifier(name) for name in names])


def _field(name: str, field: str) -> exp.Expr:
    return exp.Dot(this=exp.to_identifier(name), expression=exp.to_identifier(field))


def _comparator(keys: list[Any]) -> exp.Expr:
    """Return the lambda that compares two structs by their keys as ORDER BY does."""
    ifs: list[exp.If] = []

    def branch(test: exp.Expr, result: int) -> None:
        value: exp.Expr = exp.Literal.number(abs(result))
        ifs.append(exp.If(this=test, true=exp.Neg(this=value) if result < 0 else value))

    for i, key in enumerate(keys):
        left, right = _field("_a", f"k{i}"), _field("_b", f"k{i}")
        down = bool(key.args.get("desc"))
        nulls = -1 if key.args.get("nulls_first") else 1
        left_null = exp.Is(this=left.copy(), expression=exp.Null())
        right_null = exp.Is(this=right.copy(), expression=exp.Null())
        some = exp.Not(this=exp.Is(this=right.copy(), expression=exp.Null()))
        branch(exp.And(this=left_null.copy(), expression=some), nulls)
        branch(exp.And(this=exp.Not(this=left_null), expression=right_null), -nulls)
        branch(exp.LT(this=left.copy(), expression=right.copy()), 1 if down else -1)
        branch(exp.GT(this=left, expression=right), -1 if down else 1)
    return _lambda(["_a", "_b"], exp.Case(ifs=ifs, default=exp.Literal.number(0)))


def own_aggregates(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the aggregates that the engine has itself, as the passes write them, outermost only."""
    if is_aggregate(node):
        yield node
        return
    for child in node.iter_expressions():
        yield from own_aggregates(child)


def spread_window(node: Any) -> exp.Expr | None:
    """Put what an aggregate over a window was written with over that window, each by itself."""
    found = list(own_aggregates(node.this))
    if not found or found[0] is node.this or isinstance(node.this, (exp.IgnoreNulls, exp.RespectNulls)):
        return None
    holder = exp.Paren(this=node.this.copy())
    for one in list(own_aggregates(holder)):
        window = node.copy()
        window.set("this", one.copy())
        window.type = one.type
        one.replace(window)
    holder.type = node.type
    return holder
