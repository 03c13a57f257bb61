"""Aggregates that pick by an order: first and last, least and greatest, and those between."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from sqlglot import exp

from mdfsql.lower.collected import SCALARS, collected, filter_of, kept, no_window, unordered, whole
from mdfsql.lower.moments import operated
from mdfsql.lower.nested_values import size
from mdfsql.lower.rules import call, case, cast, integer, is_null, kind, null, number, refuse, there
from mdfsql.lower.value_types import list_of

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


def _sorted(node: Any, value: Any, what: str) -> exp.Expr:
    """Return the values that are not NULL, from the least to the greatest."""
    no_window(node, what)
    if isinstance(value, exp.Distinct) or kind(value) not in SCALARS:
        refuse(f"{what} of {kind(value).upper()}", "it is not shown to agree there")
    made = call("ARRAY_SORT", call("COLLECT_LIST", kept(node, value)))
    made.type = list_of(value.type)
    return made


def _some(items: exp.Expr, made: exp.Expr) -> exp.Expr:
    """Return what is made of a list, or NULL where it is empty."""
    none = exp.EQ(this=size(items), expression=number(0))
    result = case((none, null()), default=made)
    result.type = made.type
    return result


# ---- quantiles ---------------------------------------------------------------------------------------------------


def _share(node: Any, what: str) -> Fraction:
    plain = isinstance(node, exp.Literal) and not node.is_string and "e" not in node.this.lower()
    if not plain or not 0 <= Fraction(node.this) <= 1:
        refuse(f"{what} at a share that is no constant between 0 and 1", "it is not shown to agree there")
    return Fraction(node.this)


def _shares(node: Any, share: Any, what: str, one: Any) -> exp.Expr:
    """Return what ``one`` makes of a share, or the list of it for a list of shares."""
    if not isinstance(share, exp.Array):
        return whole(one(_share(share, what)))
    parts = [one(_share(part, what)) for part in share.expressions]
    if not parts:
        refuse(f"{what} at no share", "it is not shown to agree there")
    made = call("ARRAY", *parts)
    made.type = list_of(parts[0].type)
    # Of no values, the list itself is NULL.
    result = case((is_null(parts[0]), null()), default=made)
    result.type = made.type
    return whole(result)


def _counted(items: exp.Expr, share: Fraction) -> exp.Expr:
    """Return max(1, ceil(share * n))."""
    scaled = operated(exp.Mul, cast(size(items), "BIGINT"), share.numerator)
    place = operated(exp.IntDiv, operated(exp.Add, scaled, share.denominator - 1), share.denominator)
    return cast(call("GREATEST", place, number(1), type="BIGINT"), "INTEGER")


def _discrete(node: Any, value: Any, share: Any, what: str) -> exp.Expr:
    items = _sorted(node, value, what)

    def one(at: Fraction) -> exp.Expr:
        made = call("ELEMENT_AT", items, _counted(items, at))
        made.type = value.type
        return _some(items, made)

    return _shares(node, share, what, one)


def _continuous(node: Any, value: Any, share: Any, what: str) -> exp.Expr:
    found = kind(value)
    if found in ("text", "bool"):
        refuse(f"{what} of {found.upper()}", "it is not shown to agree there", "quantile_disc(x, q)")
    if found not in ("int", "double"):
        refuse(f"{what} of {found.upper()}", "it is not shown to agree there", "CAST it to DOUBLE, or quantile_disc()")

    if not isinstance(share, exp.Array):
        _share(share, what)
        return call("PERCENTILE", value, share, type="DOUBLE")
    no_window(node, what)
    given = kept(node, value)
    written = {_share(part, what): part for part in share.expressions}
    return _shares(node, share, what, lambda at: call("PERCENTILE", given, written[at], type="DOUBLE"))


HALF = exp.Literal.number("0.5")


def _median(node: Any) -> exp.Expr:
    if kind(node.this) in ("text", "bool"):
        return _discrete(node, node.this, HALF, "median()")
    if kind(node.this) in ("date", "timestamp"):
        return _middle(node)
    return _continuous(node, node.this, HALF, "median()")


def _middle(node: Any) -> exp.Expr:
    """Return the moment halfway between the two in the middle."""
    items = _sorted(node, node.this, "median()")
    ends = []
    for more in (1, 2):
        place = operated(exp.IntDiv, operated(exp.Add, cast(size(items), "BIGINT"), more), 2)
        made = call("ELEMENT_AT", items, cast(place, "INTEGER"))
        made.type = node.this.type
        ends.append(call("UNIX_MICROS", cast(cast(made, "TIMESTAMP"), "TIMESTAMPTZ"), type="BIGINT"))
    # As DOUBLEs, as the reference does it, and rounded half away from zero.
    low, high = (operated(exp.Mul, cast(end, "DOUBLE"), number(0.5), "DOUBLE") for end in ends)
    near = cast(call("ROUND", operated(exp.Add, low, high, "DOUBLE"), type="DOUBLE"), "BIGINT")
    odd = exp.EQ(this=call("PMOD", size(items), number(2), type="BIGINT"), expression=number(1))
    half = case((odd, ends[0]), default=near)
    made = cast(call("TIMESTAMP_MICROS", half, type="TIMESTAMPTZ"), "TIMESTAMP")
    return whole(_some(items, made))


def _percentile(node: Any) -> exp.Expr | None:
    if isinstance(node.parent, exp.WithinGroup):
        return None
    if isinstance(node, exp.PercentileCont):
        return _continuous(node, node.this, node.expression, "quantile_cont()")
    return _discrete(node, node.this, node.args.get("quantile") or node.expression, "quantile_disc()")


def _within(node: Any) -> exp.Expr:
    function = node.this
    if not isinstance(function, (exp.PercentileCont, exp.PercentileDisc)):
        refuse("WITHIN GROUP of this function", "it is not shown to agree there")
    what = f"{function.sql_name().lower()}()"
    (key,) = node.expression.expressions
    if key.args.get("desc"):
        refuse(f"{what} in descending order", "it is not shown to agree there", "another share, in ascending order")
    made = _continuous if isinstance(function, exp.PercentileCont) else _discrete
    return made(node, key.this, function.this, what)


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
    items = _sorted(node, node.this, what)
    ordered = items if isinstance(node, exp.Min) else call("REVERSE", items)
    made = call("SLICE", ordered, 1, count)
    made.type = items.type
    return whole(_some(items, made))


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
        chosen = exp.Case(ifs=[exp.If(this=there(value), true=by.copy())])
        made = call(name, value, chosen)
        made.type = node.type
        return made

    return rule


def _best_many(node: Any, count: int, what: str) -> exp.Expr:
    key = exp.Ordered(this=node.expression.copy(), desc=isinstance(node, exp.ArgMax), nulls_first=False)
    test = _both(there(node.expression), filter_of(node))
    items = collected(node, node.this, [key], False, test, what)
    made = call("SLICE", items, 1, count)
    made.type = items.type
    return whole(made)


ORDERED_AGGREGATES: dict[type[exp.Expr], Any] = {
    exp.First: _picked(1),
    exp.Last: _picked(-1),
    exp.AnyValue: _picked(1),
    exp.Median: _median,
    exp.PercentileCont: _percentile,
    exp.PercentileDisc: _percentile,
    exp.Quantile: _percentile,
    exp.WithinGroup: _within,
    exp.Min: _extreme,
    exp.Max: _extreme,
    exp.ArgMin: _best("MIN_BY"),
    exp.ArgMax: _best("MAX_BY"),
}
