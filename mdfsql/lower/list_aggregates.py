"""Aggregates of a list's values: NULL takes no part, and without a value there is none."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from sqlglot import exp

from mdfsql.lower.list_functions import Function, fixed, item, items_of
from mdfsql.lower.nested_values import ELEMENT, lambda_, over, present, size, variable
from mdfsql.lower.quantiles import between
from mdfsql.lower.rules import call, case, cast, kind, null, number, text
from mdfsql.lower.value_texts import value_text
from mdfsql.lower.value_types import element_type

__all__ = ["LIST_AGGREGATES", "spelled"]

BIGINT, DOUBLE, TEXT, BOOL = (exp.DataType.build(n, dialect="duckdb") for n in ("BIGINT", "DOUBLE", "TEXT", "BOOLEAN"))
NUMBERS = ("int", "decimal", "double", "float")
ORDERED = ("int", "decimal", "double", "float", "text", "bool", "date", "timestamp", "timestamptz")
# What is joined as text.
SPELLED = ("text", "int", "bool", "date", "decimal", "double", "float", "timestamp", "timestamptz")


def _total_type(dtype: exp.DataType | None) -> exp.DataType | None:
    """Return the type of a sum of values of a type."""
    if kind(dtype) == "decimal" and dtype is not None:
        scale = dtype.expressions[1].name if len(dtype.expressions) > 1 else "0"
        return exp.DataType.build(f"DECIMAL(38,{scale})", dialect="duckdb")
    return {"int": BIGINT, "bool": BIGINT, "double": DOUBLE, "float": DOUBLE}.get(kind(dtype))


def folded(items: exp.Expr, start: exp.Expr, dtype: exp.DataType, cls: type[exp.Expr] = exp.Add) -> exp.Expr:
    """Return the sum, or product, of values that are not NULL, as one of this type."""
    name = dtype.sql("duckdb")
    wanted = element_type(items)
    value, total = cast(variable(wanted), name), cast(variable(dtype, "_t"), name)
    if kind(wanted) == "bool":
        value = cast(cast(variable(wanted), "INTEGER"), name)
    added = cls(this=total, expression=value)
    added.type = dtype
    # A sum of decimals has a digit more at each step.
    body = lambda_(cast(added, name) if kind(dtype) == "decimal" else added, "_t", ELEMENT)
    made = exp.Anonymous(this="AGGREGATE", expressions=[items.copy(), cast(start, name), body])
    made.type = dtype
    return made


def _some(items: exp.Expr, made: exp.Expr) -> exp.Expr:
    """Return what is made of the values, or NULL where there is none."""
    none = exp.EQ(this=size(items), expression=number(0))
    return case((none, null()), default=made)


def _sum(node: Any) -> exp.Expr:
    (items,) = node.expressions
    wanted = _total_type(items_of(items, "list_sum()", *NUMBERS, "bool"))
    assert wanted is not None
    kept = present(items)
    return _some(kept, folded(kept, number(0), wanted))


def _average(node: Any) -> exp.Expr:
    (items,) = node.expressions
    found = items_of(items, "list_avg()", *NUMBERS)
    kept = present(items)
    # The sum of integers may need more than 64 bits.
    wide = exp.DataType.build("DECIMAL(38,0)", dialect="duckdb")
    total = folded(kept, number(0), wide if kind(found) == "int" else _total_type(found) or DOUBLE)
    made = exp.Div(this=cast(total, "DOUBLE"), expression=cast(size(kept), "DOUBLE"))
    made.type = DOUBLE
    return _some(kept, made)


def _product(node: Any) -> exp.Expr:
    (items,) = node.expressions
    items_of(items, "list_product()", *NUMBERS)
    kept = present(items)
    return _some(kept, folded(kept, number(1), DOUBLE, exp.Mul))


def _median(node: Any) -> exp.Expr:
    (items,) = node.expressions
    wanted = items_of(items, "list_median()", "int", "double")
    ordered = call("ARRAY_SORT", present(items))
    ordered.type = items.type
    return between(ordered, wanted, Fraction(1, 2))


def _extreme(name: str) -> Callable[[Any], exp.Expr]:
    def rule(node: Any) -> exp.Expr:
        (items,) = node.expressions
        found = items_of(items, f"{node.name}()", *ORDERED)
        made = call(name, items)
        made.type = found
        return made

    return rule


def _count(node: Any) -> exp.Expr:
    (items,) = node.expressions
    items_of(items, "list_count()")
    return cast(size(present(items)), "BIGINT")


def _at(place: int, kept: bool = False) -> Callable[[Any], exp.Expr]:
    def rule(node: Any) -> exp.Expr:
        (items,) = node.expressions
        items_of(items, f"{node.name}()")
        return item(present(items) if kept else items, number(place))

    return rule


def _truth(function: str) -> Callable[[Any], exp.Expr]:
    def rule(node: Any) -> exp.Expr:
        (items,) = node.expressions
        wanted = items_of(items, f"{node.name}()", "bool")
        kept = present(items)
        return _some(kept, over(function, kept, variable(wanted), BOOL))

    return rule


def spelled(items: exp.Expr, what: str) -> exp.Expr:
    """Return a list of the values as text."""
    found = items_of(items, what, *SPELLED)
    if kind(found) == "text":
        return items.copy()
    return over("TRANSFORM", items, value_text(variable(found)), exp.DataType.build("TEXT[]", dialect="duckdb"))


def _string_agg(node: Any) -> exp.Expr:
    (items,) = node.expressions
    kept = present(spelled(items, "list_string_agg()"))
    return _some(kept, call("ARRAY_JOIN", kept, text(","), type="VARCHAR"))


def _element(arguments: list[Any]) -> exp.DataType | None:
    return element_type(arguments[0])


LIST_AGGREGATES: dict[str, Function] = {
    "list_sum": Function((1,), lambda arguments: _total_type(element_type(arguments[0])), _sum),
    "list_avg": Function((1,), fixed(DOUBLE), _average),
    "list_product": Function((1,), fixed(DOUBLE), _product),
    "list_median": Function((1,), fixed(DOUBLE), _median),
    "list_min": Function((1,), _element, _extreme("ARRAY_MIN")),
    "list_max": Function((1,), _element, _extreme("ARRAY_MAX")),
    "list_count": Function((1,), fixed(BIGINT), _count),
    "list_any_value": Function((1,), _element, _at(1, kept=True)),
    "list_first": Function((1,), _element, _at(1)),
    "list_last": Function((1,), _element, _at(-1)),
    "list_bool_and": Function((1,), fixed(BOOL), _truth("FORALL")),
    "list_bool_or": Function((1,), fixed(BOOL), _truth("EXISTS")),
    "list_string_agg": Function((1,), fixed(TEXT), _string_agg),
}
