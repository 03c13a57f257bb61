"""Quantiles: of the values in order, the one at a share, or what lies between two."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from sqlglot import exp

from mdfsql.lower.collected import SCALARS, kept, whole
from mdfsql.lower.moments import MOMENTS, micros_of, of_micros, operated
from mdfsql.lower.nested_values import named, over, size, variable
from mdfsql.lower.number_types import digits
from mdfsql.lower.rules import call, case, cast, is_null, kind, null, number, refuse
from mdfsql.lower.value_types import list_of

__all__ = ["QUANTILES", "between", "mad", "some", "sorted_values"]

DOUBLE = exp.DataType.build("DOUBLE")


def sorted_values(node: Any, value: Any, what: str, down: bool = False) -> exp.Expr:
    """Return the values that are not NULL, from the least to the greatest, or down from that."""
    if isinstance(value, exp.Distinct) or kind(value) not in SCALARS:
        refuse(f"{what} of {kind(value).upper()}", "it is not shown to agree there")
    made = call("ARRAY_SORT", call("COLLECT_LIST", kept(node, value)))
    if down:
        made = call("REVERSE", made)
    made.type = list_of(value.type)
    return made


def some(items: exp.Expr, made: exp.Expr) -> exp.Expr:
    """Return what is made of a list, or NULL where it is empty."""
    none = exp.EQ(this=size(items), expression=number(0))
    result = case((none, null()), default=made)
    result.type = made.type
    return result


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


def _discrete(node: Any, value: Any, share: Any, what: str, down: bool = False) -> exp.Expr:
    items = sorted_values(node, value, what, down)

    def one(at: Fraction) -> exp.Expr:
        made = call("ELEMENT_AT", items, _counted(items, at))
        made.type = value.type
        return some(items, made)

    return _shares(node, share, what, one)


HELD = 18  # digits of a DECIMAL that the reference computes as an integer of 64 bits
EXACT = 15  # digits of which a quarter is exact in a DOUBLE


def _continuous(node: Any, value: Any, share: Any, what: str, down: bool = False) -> exp.Expr:
    found = kind(value)
    if found not in BETWEEN:
        refuse(f"{what} of {found.upper()}", "it is not shown to agree there", "quantile_disc(x, q)")
    if found == "decimal" and digits(value.type)[0] > HELD:
        refuse(f"{what} of a DECIMAL of more than {HELD} digits", "it needs more than 64 bits", "CAST it to DOUBLE")
    if found == "decimal" or found in MOMENTS:
        _halved(value, share, what)
    if found == "int" and not down:
        if not isinstance(share, exp.Array):
            _share(share, what)
            return whole(call("PERCENTILE", kept(node, value), share, type="DOUBLE"))
        given = kept(node, value)
        written = {_share(part, what): part for part in share.expressions}
        return _shares(node, share, what, lambda at: call("PERCENTILE", given, written[at], type="DOUBLE"))
    items = sorted_values(node, value, what, down)
    return _shares(node, share, what, lambda at: between(items, value.type, at))


def _halved(value: Any, share: Any, what: str) -> None:
    """Refuse a share at which processors differ: what is between is cut off or rounded, to a cent or a microsecond."""
    quarters = kind(value) == "decimal" and digits(value.type)[0] <= EXACT
    for part in share.expressions if isinstance(share, exp.Array) else [share]:
        if (_share(part, what) * (4 if quarters else 2)).denominator != 1:
            why = "processors compute what is between two values to another last digit, and that is cut off or rounded"
            instead = "CAST it to DOUBLE, or quantile_disc()" if kind(value) == "decimal" else "quantile_disc()"
            refuse(f"{what} of {kind(value).upper()} at {part.this}", why, instead)


def between(items: exp.Expr, dtype: exp.DataType | None, share: Fraction) -> exp.Expr:
    """Return what lies at a share of the way from the first of the values in order to the last, NULL for none."""
    made_type = TIMESTAMP if kind(dtype) == "date" else DOUBLE if kind(dtype) == "int" else dtype

    def made(values: exp.Expr) -> exp.Expr:
        last = cast(operated(exp.Sub, cast(size(values), "BIGINT"), 1), "DOUBLE")
        place = operated(exp.Mul, last, number(float(share)), "DOUBLE")
        below = cast(call("FLOOR", place), "BIGINT")
        low, high = (_item(values, at, dtype) for at in (below, cast(call("CEIL", place), "BIGINT")))
        rest = operated(exp.Sub, place, cast(below, "DOUBLE"), "DOUBLE")
        one = exp.EQ(this=rest, expression=number(0.0))
        compute, ends = BETWEEN[kind(dtype)], (low, high)
        result = case((one, _alone(low)), default=compute(*ends, rest))
        result.type = made_type
        return some(values, result)

    return named(items, made, made_type)


TIMESTAMP = exp.DataType.build("TIMESTAMP", dialect="duckdb")


def _item(items: exp.Expr, place: exp.Expr, dtype: exp.DataType | None) -> exp.Expr:
    made = call("ELEMENT_AT", items, cast(operated(exp.Add, place, 1), "INTEGER"))
    made.type = dtype
    return made


def _alone(value: exp.Expr) -> exp.Expr:
    return cast(value, {"date": "TIMESTAMP", "int": "DOUBLE"}[kind(value)]) if kind(value) in ("date", "int") else value


def _weighted(low: exp.Expr, high: exp.Expr, share: exp.Expr) -> exp.Expr:
    rest = operated(exp.Sub, number(1.0), share, "DOUBLE")
    below, above = (operated(exp.Mul, cast(end, "DOUBLE"), by, "DOUBLE") for end, by in ((low, rest), (high, share)))
    return operated(exp.Add, below, above, "DOUBLE")


def _moment(low: exp.Expr, high: exp.Expr, share: exp.Expr) -> exp.Expr:
    """Return the moment between, to the nearest microsecond: half of one away from 1970."""
    near = call("ROUND", _weighted(micros_of(low), micros_of(high), share), type="DOUBLE")
    return of_micros(cast(near, "BIGINT"), "TIMESTAMPTZ" if kind(low) == "timestamptz" else "TIMESTAMP")


def _further(low: exp.Expr, apart: exp.Expr, share: exp.Expr) -> exp.Expr:
    more = operated(exp.Mul, cast(apart, "DOUBLE"), share, "DOUBLE")
    return operated(exp.Add, cast(low, "DOUBLE"), more, "DOUBLE")


def _float(low: exp.Expr, high: exp.Expr, share: exp.Expr) -> exp.Expr:
    return cast(_further(low, operated(exp.Sub, high, low, "FLOAT"), share), "FLOAT")


def _decimal(low: exp.Expr, high: exp.Expr, share: exp.Expr) -> exp.Expr:
    """Return the decimal between, computed without its point, and cut off towards 0, as the reference does it."""
    assert low.type is not None
    precision, scale = digits(low.type)
    ends = [cast(_scaled(end, 10**scale, precision, scale), "BIGINT") for end in (low, high)]
    cut = cast(_further(ends[0], operated(exp.Sub, ends[1], ends[0]), share), "BIGINT")
    point = f"{10.0**-scale:.{scale}f}"
    back = _scaled(cast(cut, f"DECIMAL({HELD},0)"), point, HELD, scale)
    return cast(back, f"DECIMAL({precision},{scale})")


def _scaled(value: exp.Expr, by: int | str, precision: int, scale: int) -> exp.Expr:
    factor = cast(exp.Literal.string(str(by)), f"DECIMAL({scale + 1},{scale if isinstance(by, str) else 0})")
    return operated(exp.Mul, value, factor, f"DECIMAL({precision + scale + 1},{scale})")


BETWEEN: dict[str, Callable[[exp.Expr, exp.Expr, exp.Expr], exp.Expr]] = {
    "int": _weighted,
    "double": _weighted,
    "float": _float,
    "decimal": _decimal,
    "date": _moment,
    "timestamp": _moment,
    "timestamptz": _moment,
}


HALF = exp.Literal.number("0.5")


def _median(node: Any) -> exp.Expr:
    made = _discrete if kind(node.this) in ("text", "bool") else _continuous
    return made(node, node.this, HALF, "median()")


def mad(node: exp.Anonymous) -> exp.Expr:
    """Return the median of how far the values are from their median."""
    (value,) = node.expressions
    if kind(value) not in ("int", "double", "float"):
        refuse(f"mad() of {kind(value).upper()}", "it is not shown to agree there", "CAST it to DOUBLE")
    values = sorted_values(node, value, "mad()")
    dtype = value.type if kind(value) == "float" else DOUBLE

    def made(items: exp.Expr) -> exp.Expr:
        middle = between(items, value.type, Fraction(1, 2))

        def deviations(at: exp.Expr) -> exp.Expr:
            name = kind(dtype).upper()
            apart = operated(exp.Sub, cast(variable(value.type), name), cast(at, name), name)
            far = over("TRANSFORM", items, call("ABS", apart), list_of(dtype))
            ordered = call("ARRAY_SORT", far)
            ordered.type = far.type
            return between(ordered, dtype, Fraction(1, 2))

        return named(middle, deviations, dtype, "_m")

    return whole(named(values, made, dtype, "_v"))


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
    made = _continuous if isinstance(function, exp.PercentileCont) else _discrete
    return made(node, key.this, function.this, what, bool(key.args.get("desc")))


QUANTILES: dict[type[exp.Expr], Any] = {
    exp.Median: _median,
    exp.PercentileCont: _percentile,
    exp.PercentileDisc: _percentile,
    exp.Quantile: _percentile,
    exp.WithinGroup: _within,
}
