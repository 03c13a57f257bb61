"""Parts of dates and timestamps: extract() of each."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from mdfsql.lower.moments import DAY, days_of, floored, micros_of, moment, operated, rounded, stamp, unit_of, whole
from mdfsql.lower.rules import call, case, cast, kind, number, refuse

__all__ = ["part_of"]


def part_of(name: str, value: exp.Expr) -> exp.Expr:
    """Return a part of a date or timestamp as the reference's extract() gives it."""
    moment(value, "extract()")
    name = unit_of(name, PARTS, "extract()")
    if kind(value) == "date" and name.startswith("TIMEZONE"):
        refuse(f"extract({name.lower()}) of DATE", "DuckDB has no such thing")
    return PARTS[name](value)


Part = Callable[[exp.Expr], exp.Expr]


def _called(function: str, plus: int = 0) -> Part:
    def part(value: exp.Expr) -> exp.Expr:
        made = whole(call(function, value))
        return operated(exp.Add, made, plus) if plus else made

    return part


def _clock(function: str) -> Part:
    return lambda value: whole(call(function, stamp(value)))


def _year(value: exp.Expr) -> exp.Expr:
    return whole(call("YEAR", value))


def _counted(size: int) -> Part:
    """Return centuries and millennia, of which the first begins in year 1, and the one before it is the -1st."""

    def part(value: exp.Expr) -> exp.Expr:
        year = _year(value)
        after = operated(exp.Add, operated(exp.IntDiv, operated(exp.Sub, year, 1), size), 1)
        before = operated(exp.Sub, operated(exp.IntDiv, year, size), 1)
        return case((exp.GT(this=year, expression=number(0)), after), default=before)

    return part


def _iso_year(value: exp.Expr) -> exp.Expr:
    return whole(call("DATE_PART", "YEAROFWEEK", value))


def _year_week(value: exp.Expr) -> exp.Expr:
    year, week = _iso_year(value), whole(call("WEEKOFYEAR", value))
    sign = case((exp.GT(this=year, expression=number(0)), week), default=operated(exp.Sub, 0, week))
    return operated(exp.Add, operated(exp.Mul, year, 100), sign)


def _era(value: exp.Expr) -> exp.Expr:
    year = _year(value)
    none = exp.Null()
    none.type = year.type
    return case(
        (exp.GT(this=year, expression=number(0)), whole(number(1))),
        (exp.LTE(this=year, expression=number(0)), whole(number(0))),
        default=none,
    )


def _in_minute(value: exp.Expr) -> exp.Expr:
    return call("PMOD", micros_of(value), 60_000_000, type="BIGINT")


def _double(value: exp.Expr, size: float) -> exp.Expr:
    return operated(exp.Div, cast(value, "DOUBLE"), number(size), "DOUBLE")


def _epoch(value: exp.Expr) -> exp.Expr:
    micros = micros_of(value)
    if kind(value) != "timestamptz":
        return _double(micros, 1e6)
    # There the reference divides thousandths and the rest apart.
    rest = call("PMOD", micros, 1000, type="BIGINT")
    return operated(exp.Add, _double(floored(micros, 1000), 1e3), _double(rest, 1e6), "DOUBLE")


def _julian(value: exp.Expr) -> exp.Expr:
    noon = operated(exp.Add, cast(days_of(value), "DOUBLE"), number(2440588.0), "DOUBLE")
    if kind(value) == "date":
        return noon
    return operated(exp.Add, noon, _double(call("PMOD", micros_of(value), DAY, type="BIGINT"), float(DAY)), "DOUBLE")


def _no_offset(value: exp.Expr) -> exp.Expr:
    """Return 0, as the session is in UTC, and NULL for NULL."""
    return operated(exp.Mul, _year(value), 0)


PARTS: dict[str, Part] = {
    "YEAR": _year,
    "QUARTER": _called("QUARTER"),
    "MONTH": _called("MONTH"),
    "WEEK": _called("WEEKOFYEAR"),
    "DAY": _called("DAY"),
    "DOY": _called("DAYOFYEAR"),
    "DOW": _called("DAYOFWEEK", -1),
    "ISODOW": _called("WEEKDAY", 1),
    "HOUR": _clock("HOUR"),
    "MINUTE": _clock("MINUTE"),
    "SECOND": _clock("SECOND"),
    "MILLISECOND": lambda value: operated(exp.IntDiv, _in_minute(value), 1000),
    "MICROSECOND": _in_minute,
    "NANOSECOND": lambda value: operated(exp.Mul, _in_minute(value), 1000),
    "DECADE": lambda value: operated(exp.IntDiv, _year(value), 10),
    "CENTURY": _counted(100),
    "MILLENNIUM": _counted(1000),
    "ISOYEAR": _iso_year,
    "YEARWEEK": _year_week,
    "ERA": _era,
    "EPOCH": _epoch,
    "EPOCH_MS": lambda value: rounded(micros_of(value), 1000),
    "EPOCH_US": micros_of,
    "EPOCH_NS": lambda value: operated(exp.Mul, micros_of(value), 1000),
    "JULIAN": _julian,
    "TIMEZONE": _no_offset,
    "TIMEZONE_HOUR": _no_offset,
    "TIMEZONE_MINUTE": _no_offset,
}
