"""range() and generate_series() of dates and timestamps."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.errors import Unsupported
from mdfsql.lower.intervals import added, parts_of
from mdfsql.lower.moments import DAY, MOMENTS, micros_of, of_micros, operated, stamp, whole
from mdfsql.lower.nested_values import empty_list, lambda_, over, variable
from mdfsql.lower.rules import call, case, cast, integer, kind, null, number, refuse, there
from mdfsql.lower.value_types import list_of

__all__ = ["is_stepping", "moment_series", "series_type"]

BIGINT, INT = exp.DataType.build("BIGINT"), exp.DataType.build("INT")
TIMESTAMP, TIMESTAMPTZ = (exp.DataType.build(name, dialect="duckdb") for name in ("TIMESTAMP", "TIMESTAMPTZ"))


def series_type(arguments: list[Any]) -> exp.DataType | None:
    """Return the type of range() or generate_series(): of integers, or of moments an interval apart."""
    if kind(arguments[-1]) != "interval":
        return list_of(BIGINT)
    return list_of(TIMESTAMPTZ if any(kind(end) == "timestamptz" for end in arguments[:2]) else TIMESTAMP)


def is_stepping(step: exp.Expr) -> bool:
    """Tell whether a step is a constant interval that is not 0, which a table of moments must have."""
    try:
        return any(_constants(step)) if _is_interval(step) else False
    except Unsupported:
        return False


def _is_interval(step: Any) -> bool:
    if isinstance(step, (exp.Paren, exp.Neg)):
        return _is_interval(step.this)
    return isinstance(step, exp.Interval) or (isinstance(step, exp.Cast) and kind(step.to) == "interval")


def _constants(step: exp.Expr) -> tuple[int, int, int]:
    """Return the months, days and microseconds of a constant interval."""
    parts = [0 if part is None else integer(part) for part in parts_of(step)]
    if any(part is None for part in parts):
        refuse("a series by an INTERVAL that is no constant", "it is not shown to agree there")
    months, days, micros = (part or 0 for part in parts)
    return months, days, micros


def moment_series(node: exp.Anonymous, inclusive: bool) -> exp.Expr:
    """Return the list of the moments from one to another, an interval apart; NULL where an end is."""
    first, last, step = node.expressions
    what, type_ = f"{node.name}()", series_type(node.expressions)
    kinds = {kind(first), kind(last)} - {"null"}
    if not kinds <= MOMENTS or ("timestamptz" in kinds and len(kinds) > 1):
        refuse(f"{what} of {' and '.join(sorted(k.upper() for k in kinds))}", "it is not shown to agree there")
    assert type_ is not None
    if len(kinds) == 0 or "null" in (kind(first), kind(last)):
        return cast(null(), type_.sql("duckdb"))
    months, days, micros = _constants(step)
    if months and (days or micros):
        refuse(f"{what} by months, and days or times", "each step would depend on the one before", "two series")
    if days * micros < 0:
        refuse(f"{what} by an INTERVAL of both signs", "the reference has no such thing")
    by = months or days * DAY + micros
    if by == 0:
        listed: exp.Expr = empty_list(type_)
    elif months:
        listed = _by_months(first, last, months, inclusive, type_)
    else:
        listed = _by_micros(micros_of(first), micros_of(last), by, inclusive, type_)
    known = exp.and_(there(first), there(last), copy=False)
    made = case((known, listed), default=null())
    made.type = type_
    return made


def _by_micros(first: exp.Expr, last: exp.Expr, by: int, inclusive: bool, type_: exp.DataType) -> exp.Expr:
    compare = {(True, True): exp.LTE, (True, False): exp.LT, (False, True): exp.GTE, (False, False): exp.GT}
    test = compare[by > 0, inclusive](this=first.copy(), expression=last.copy())
    end = last if inclusive else operated(exp.Sub, last, 1 if by > 0 else -1)
    numbers = call("SEQUENCE", first, end, cast(number(by), "BIGINT"))
    numbers.type = list_of(BIGINT)
    inner = type_.expressions[0].sql("duckdb")
    made = over("TRANSFORM", numbers, of_micros(variable(BIGINT), inner), type_)
    return case((test, made), default=empty_list(type_))


# After so many months, the lengths of months are as before: 400 years.
CYCLE = 4800


def _by_months(first: exp.Expr, last: exp.Expr, by: int, inclusive: bool, type_: exp.DataType) -> exp.Expr:
    """Return the moments some months apart: a day that a month on the way lacks is not taken up again."""
    inner = type_.expressions[0].sql("duckdb")
    start, end = stamp(first), stamp(last)
    counts = [
        operated(exp.Add, operated(exp.Mul, whole(call("YEAR", value)), 12), whole(call("MONTH", value)))
        for value in (start, end)
    ]
    steps = operated(exp.IntDiv, operated(exp.Sub, counts[1], counts[0]), by)
    most = cast(call("GREATEST", operated(exp.Add, steps, 1), number(0), type="BIGINT"), "INTEGER")

    def after(place: exp.Expr) -> exp.Expr:
        return added("MONTH", operated(exp.Mul, place, cast(number(by), "INTEGER"), "INT"), start, inner)

    here, before = variable(INT, "_k"), variable(INT, "_j")
    places = call("SEQUENCE", cast(number(0), "INTEGER"), call("LEAST", here, cast(number(CYCLE), "INTEGER")))
    days = exp.Anonymous(this="TRANSFORM", expressions=[places, lambda_(call("DAY", after(before)), "_j")])
    less = operated(exp.Sub, call("ARRAY_MIN", days, type="INT"), call("DAY", after(here), type="INT"), "INT")
    moment = added("DAY", less, after(here), inner)
    numbers = call("SEQUENCE", cast(number(0), "INTEGER"), most)
    moments = exp.Anonymous(this="TRANSFORM", expressions=[numbers, lambda_(moment, "_k")])
    moments.type = type_
    compare = {(True, True): exp.LTE, (True, False): exp.LT, (False, True): exp.GTE, (False, False): exp.GT}
    test = compare[by > 0, inclusive](this=variable(type_.expressions[0]), expression=end)
    return over("FILTER", moments, test, type_)
