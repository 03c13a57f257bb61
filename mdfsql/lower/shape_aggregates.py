"""Aggregates of the shape of values: how skewed they are, and which of them are frequent."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.collected import SCALARS, collected, count_of, filter_of, kept, unordered, whole
from mdfsql.lower.moments import operated
from mdfsql.lower.nested_values import lambda_, named, size, variable
from mdfsql.lower.quantiles import sorted_values
from mdfsql.lower.rules import call, case, cast, kind, null, number, of_kind, raised, refuse, text, there, truth
from mdfsql.lower.value_types import element_type, list_of, map_of, struct_of

__all__ = ["SHAPES", "entropy", "histogram", "histogram_type", "population_kurtosis"]

NUMBERS = ("int", "decimal", "double", "float")
BIGINT, DOUBLE, INT = (exp.DataType.build(name) for name in ("BIGINT", "DOUBLE", "INT"))


def _times(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return operated(exp.Mul, left, right, "DOUBLE")


# ---- skewness and kurtosis: the engine's are of all values, the reference's of a sample ----------------------------


def _moments(node: Any, value: Any, what: str) -> tuple[exp.Expr, exp.Expr]:
    """Return the values as DOUBLEs, and their number as one."""
    of_kind(value, what, *NUMBERS, instead="CAST it to DOUBLE")
    given = kept(node, cast(value, "DOUBLE"))
    return given, cast(count_of(given), "DOUBLE")


def _minus(value: exp.Expr, less: float) -> exp.Expr:
    return operated(exp.Sub, value, number(less), "DOUBLE")


def _finite(value: exp.Expr, count: exp.Expr, least: int, made: exp.Expr, what: str) -> exp.Expr:
    """Return a measure of values, NULL where they are too few or all the same; the reference raises where it is none.

    NaN is greater than the infinity.
    """
    few = exp.LT(this=count.copy(), expression=number(float(least)))
    same = exp.EQ(this=call("VAR_POP", value, type="DOUBLE"), expression=number(0.0))
    good = exp.LT(this=call("ABS", call("VAR_POP", value), type="DOUBLE"), expression=number(float("inf")))
    out = exp.Not(this=exp.Paren(this=good))
    return whole(case((few, null()), (out, raised(f"{what} is out of range")), (same, null()), default=made))


def _skewness(node: Any) -> exp.Expr:
    value, count = _moments(node, node.this, "skewness()")
    root = call("SQRT", _times(count, _minus(count, 1.0)), type="DOUBLE")
    # Of two values or fewer there is none: the divisor is not 0 where this is reached.
    by = operated(exp.Div, root, call("NULLIF", _minus(count, 2.0), number(0.0), type="DOUBLE"), "DOUBLE")
    return _finite(value, count, 3, _times(by, call("SKEWNESS", value, type="DOUBLE")), "skewness()")


def _kurtosis(node: Any) -> exp.Expr:
    value, count = _moments(node, node.this, "kurtosis()")
    fourth = operated(exp.Add, call("KURTOSIS", value, type="DOUBLE"), number(3.0), "DOUBLE")
    more = operated(exp.Add, count, number(1.0), "DOUBLE")
    less = _times(number(3.0), _minus(count, 1.0))
    below = call("NULLIF", _times(_minus(count, 2.0), _minus(count, 3.0)), number(0.0), type="DOUBLE")
    ratio = operated(exp.Div, _minus(count, 1.0), below, "DOUBLE")
    made = _times(ratio, operated(exp.Sub, _times(more, fourth), less, "DOUBLE"))
    return _finite(value, count, 4, made, "kurtosis()")


def population_kurtosis(node: exp.Anonymous) -> exp.Expr:
    """Return the kurtosis of all values, NULL of one."""
    (given,) = node.expressions
    value, count = _moments(node, given, "kurtosis_pop()")
    return _finite(value, count, 2, call("KURTOSIS", value, type="DOUBLE"), "kurtosis_pop()")


# ---- how often each value occurs -----------------------------------------------------------------------------------


def _runs(items: exp.Expr, differ: Any, made: Any) -> exp.Expr:
    """Return what is made of each run of equal values of a sorted list: of its place, and of the number of values."""
    here = variable(INT, "_i")
    first = exp.EQ(this=here.copy(), expression=number(1))
    before = operated(exp.Sub, here, 1, "INT")
    starts_run = case((first, truth(True)), default=differ(here, cast(before, "INTEGER")))
    places = call("SEQUENCE", cast(number(1), "INTEGER"), size(items))
    starts = exp.Anonymous(this="FILTER", expressions=[places, lambda_(starts_run, "_i")])
    starts.type = list_of(INT)

    def counted(begins: exp.Expr) -> exp.Expr:
        at = operated(exp.Add, variable(INT, "_j"), 2, "INT")
        after = call("TRY_ELEMENT_AT", begins, cast(at, "INTEGER"), type="INT")
        end = exp.Coalesce(this=after, expressions=[operated(exp.Add, size(items), 1, "INT")])
        end.type = INT
        count = cast(operated(exp.Sub, end, variable(INT, "_s"), "INT"), "BIGINT")
        body = made(variable(INT, "_s"), count)
        result = exp.Anonymous(this="TRANSFORM", expressions=[begins.copy(), lambda_(body, "_s", "_j")])
        result.type = list_of(body.type)
        return result

    whole_type = made(variable(INT, "_s"), variable(BIGINT)).type
    return named(starts, counted, list_of(whole_type), "_b")


def _at(items: exp.Expr, place: exp.Expr, dtype: Any) -> exp.Expr:
    made = call("ELEMENT_AT", items, cast(place, "INTEGER"))
    made.type = dtype
    return made


def _pair(first: exp.Expr, second: exp.Expr, *more: exp.Expr) -> exp.Expr:
    parts = [part for name, value in zip("abc", (first, second, *more), strict=False) for part in (text(name), value)]
    made = call("NAMED_STRUCT", *parts)
    fields = [(name, value.type) for name, value in zip("abc", (first, second, *more), strict=False)]
    made.type = struct_of([(name, dtype) for name, dtype in fields if dtype is not None])
    return made


def _counts(items: exp.Expr, dtype: Any) -> exp.Expr:
    """Return pairs of a value of a sorted list and how often it occurs."""

    def differ(one: exp.Expr, other: exp.Expr) -> exp.Expr:
        return exp.NEQ(this=_at(items, one, dtype), expression=_at(items, other, dtype))

    return _runs(items, differ, lambda place, count: _pair(_at(items, place, dtype), count))


def histogram_type(value: Any) -> exp.DataType | None:
    """Return the type of a histogram of a value: the counts are unsigned to the reference."""
    return map_of(value.type, exp.DataType.build("UBIGINT", dialect="duckdb")) if value.type is not None else None


def histogram(node: exp.Anonymous) -> exp.Expr:
    """Return a map of each value, from the least, to how often it occurs; NULL for no values."""
    (value,) = node.expressions
    items = sorted_values(node, value, "histogram()")
    assert value.type is not None

    def made(values: exp.Expr) -> exp.Expr:
        none = exp.EQ(this=size(values), expression=number(0))
        entries = call("MAP_FROM_ENTRIES", _counts(values, value.type))
        entries.type = histogram_type(value)
        return case((none, null()), default=entries)

    return whole(named(items, made, histogram_type(value), "_l"))


def entropy(node: exp.Anonymous) -> exp.Expr:
    """Return the entropy of the values in bits, 0 for no values."""
    (value,) = node.expressions
    items = sorted_values(node, value, "entropy()")

    def made(values: exp.Expr) -> exp.Expr:
        counts, total = _counts(values, value.type), variable(DOUBLE, "_t")
        count = exp.Dot(this=variable(element_type(counts)), expression=exp.to_identifier("b"))
        count.type = BIGINT
        share = operated(exp.Div, cast(count, "DOUBLE"), cast(size(values), "DOUBLE"), "DOUBLE")
        bits = _times(share, call("LOG2", share, type="DOUBLE"))
        body = lambda_(operated(exp.Sub, total, bits, "DOUBLE"), "_t", "_e")
        result = exp.Anonymous(this="AGGREGATE", expressions=[counts, number(0.0), body])
        result.type = DOUBLE
        none = exp.EQ(this=size(values), expression=number(0))
        return case((none, number(0.0)), default=result)

    return whole(named(items, made, DOUBLE, "_l"))


def _mode(node: Any) -> exp.Expr:
    value, keys, distinct = unordered(node)
    if not keys:
        why = "of values that occur as often as each other it takes the first row's, and rows have no order there"
        refuse("mode()", why, "mode(x ORDER BY x)")
    if kind(value) not in SCALARS:
        refuse(f"mode() of {kind(value).upper()}", "it is not shown to agree there")
    test: exp.Expr = there(value)
    if (condition := filter_of(node)) is not None:
        test = exp.And(this=test, expression=exp.Paren(this=condition.copy()))
    items = collected(node, value, keys, distinct, test, "mode()")
    dtype = value.type

    # Pairs of a value and its place in the order, sorted: a run of a value begins with the first place that it has.
    pair = _pair(variable(dtype), variable(INT, "_i"))
    pairs = exp.Anonymous(this="TRANSFORM", expressions=[items, lambda_(pair, "_e", "_i")])
    ordered = call("ARRAY_SORT", pairs)
    ordered.type = list_of(pair.type) if pair.type is not None else None

    def made(rows: exp.Expr) -> exp.Expr:
        def part(at: exp.Expr, name: str, type_: Any) -> exp.Expr:
            result = exp.Dot(this=_at(rows, at, None), expression=exp.to_identifier(name))
            result.type = type_
            return result

        def differ(one: exp.Expr, other: exp.Expr) -> exp.Expr:
            return exp.NEQ(this=part(one, "a", dtype), expression=part(other, "a", dtype))

        def run(place: exp.Expr, count: exp.Expr) -> exp.Expr:
            return _pair(count, operated(exp.Sub, 0, part(place, "b", INT), "INT"), part(place, "a", dtype))

        best = exp.Dot(this=call("ARRAY_MAX", _runs(rows, differ, run)), expression=exp.to_identifier("c"))
        best.type = dtype
        result = case((exp.Is(this=rows.copy(), expression=exp.Null()), null()), default=best)
        result.type = dtype
        return result

    return whole(named(ordered, made, dtype, "_l"))


SHAPES: dict[type[exp.Expr], Any] = {
    exp.Skewness: _skewness,
    exp.Kurtosis: _kurtosis,
    exp.Mode: _mode,
}
