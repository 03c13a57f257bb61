"""Dates and timestamps: their arithmetic, their parts, and how they are written."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.date_parts import part_of
from mdfsql.lower.date_texts import formatted, parsed
from mdfsql.lower.intervals import added, compared_by, extracted, parts_of, shifted
from mdfsql.lower.moments import (
    DAY,
    MOMENTS,
    days_of,
    floored,
    micros_of,
    moment,
    of_days,
    of_micros,
    operated,
    stamp,
    unit_of,
    whole,
)  # fmt: skip
from mdfsql.lower.rules import (
    call,
    case,
    cast,
    each,
    integer,
    is_null,
    kind,
    literal_text,
    null,
    number,
    raised,
    refuse,
)
from mdfsql.lower.time_zones import at_time_zone
from mdfsql.trees import nodes

__all__ = ["exact_dates"]


def exact_dates(tree: exp.Expr) -> exp.Expr:
    """DATE + INTERVAL is a TIMESTAMP, DATE - DATE a number of days, and a difference counts the boundaries crossed."""
    tree = each(tree, RULES)
    for node in nodes(tree):
        if kind(node) == "interval":
            refuse(
                "a value of type INTERVAL",
                "Spark has no type that keeps months, days and time apart",
                "epoch(), date_diff() or date_sub()",
            )
    return tree


def _add(node: Any) -> exp.Expr | None:
    left, right = node.this, node.expression
    if kind(left) == "interval" and kind(right) in MOMENTS:
        left, right = right, left
    if kind(left) in MOMENTS and kind(right) == "interval":
        return shifted(left, right, 1)
    if kind(right) == "date" and kind(left) == "int":
        left, right = right, left
    if kind(left) == "date" and kind(right) == "int":
        return call("DATE_ADD", left, cast(right, "INTEGER"), type="DATE")
    _other(node, left, right)
    return None


def _sub(node: Any) -> exp.Expr | None:
    left, right = node.this, node.expression
    if kind(left) in MOMENTS and kind(right) == "interval":
        return shifted(left, right, -1)
    if kind(left) == "date" and kind(right) == "int":
        return call("DATE_SUB", left, cast(right, "INTEGER"), type="DATE")
    if (kind(left), kind(right)) == ("date", "date"):
        return whole(call("DATEDIFF", left, right))
    if kind(left) in MOMENTS and kind(right) in MOMENTS:
        return None  # an interval, for what uses it
    _other(node, left, right)
    return None


def _other(node: Any, left: exp.Expr, right: exp.Expr) -> None:
    kinds = {kind(left), kind(right)}
    if kinds & (MOMENTS | {"interval"}) and kinds != {"interval"}:
        names = f"{kind(left).upper()} {'+' if isinstance(node, exp.Add) else '-'} {kind(right).upper()}"
        refuse(names, "it is not shown to agree there", "date_diff('second', a, b)")


def _date_add(node: Any) -> exp.Expr:
    if kind(node.expression) == "interval":
        return shifted(node.this, node.expression, -1 if isinstance(node, exp.DateSub) else 1)
    if kind(node.this) == "date" and kind(node.expression) == "int" and isinstance(node, exp.DateAdd):
        # Days are written as an INTERVAL to the reference, which makes a TIMESTAMP of it.
        return cast(call("DATE_ADD", node.this, cast(node.expression, "INTEGER"), type="DATE"), "TIMESTAMP")
    refuse(f"date_add() of {kind(node.expression).upper()}", "it is not shown to agree there", "INTERVAL 1 DAY")


def _compared(node: Any) -> None:
    """Compare intervals by their totals: 1 month is 30 days, and 1 day 24 hours."""
    for name in ("this", "expression", "low", "high"):
        value = node.args.get(name)
        if isinstance(value, exp.Expr) and kind(value) == "interval":
            value.replace(compared_by(value))
    node.set("expressions", [compared_by(e) if kind(e) == "interval" else e for e in node.expressions] or None)


# Units of whole numbers of microseconds.
SIZES = {
    "MICROSECOND": 1, "MILLISECOND": 1000, "SECOND": 1_000_000, "MINUTE": 60_000_000, "HOUR": 3_600_000_000,
    "DAY": DAY, "WEEK": 7 * DAY,
}  # fmt: skip
MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12, "DECADE": 120, "CENTURY": 1200, "MILLENNIUM": 12_000}


def _difference(node: Any) -> exp.Expr:
    end, start = node.this, node.expression
    moment(end, "date_diff()")
    moment(start, "date_diff()")
    name = node.args["unit"].name if node.args.get("unit") else "DAY"
    unit = unit_of(name, (*SIZES, *MONTHS, "ISOYEAR"), "date_diff()")
    if unit in ("DAY", "WEEK"):
        days = whole(call("DATEDIFF", cast(end, "DATE"), cast(start, "DATE")))
        # Not the boundaries: whole weeks between the days.
        return days if unit == "DAY" else operated(exp.IntDiv, days, 7)
    if unit in MONTHS or unit == "ISOYEAR":
        return operated(exp.Sub, _counted(unit, end), _counted(unit, start))
    size = SIZES[unit]
    if size < 1_000_000:
        counts = [floored(micros_of(value), size) if size > 1 else micros_of(value) for value in (end, start)]
        return operated(exp.Sub, counts[0], counts[1])
    # Hours, minutes and seconds: whole ones between the boundaries.
    cut = [call("DATE_TRUNC", unit, stamp(value)) for value in (start, end)]
    return exp.Anonymous(this="TIMESTAMPDIFF", expressions=[exp.Var(this=unit), *cut])


def _counted(unit: str, value: exp.Expr) -> exp.Expr:
    """Return the number of years, months and so on since year 0."""
    year = part_of("ISOYEAR" if unit == "ISOYEAR" else "YEAR", value)
    if unit in ("MONTH", "QUARTER"):
        return operated(exp.Add, operated(exp.Mul, year, 12 // MONTHS[unit]), part_of(unit, value))
    years = MONTHS[unit] // 12 if unit in MONTHS else 1
    return year if years == 1 else operated(exp.IntDiv, year, years)


def completed(node: exp.Anonymous) -> exp.Expr:
    """Return date_sub(): the whole units that have passed from one moment to the other."""
    name, start, end = node.expressions
    constant = literal_text(name)
    if constant is None:
        refuse("date_sub() with a unit that is no constant", "the unit must be known before it runs")
    moment(end, "date_sub()")
    moment(start, "date_sub()")
    unit = unit_of(constant, (*SIZES, *MONTHS), "date_sub()")
    if unit in SIZES:
        span = operated(exp.Sub, micros_of(end), micros_of(start))
        return operated(exp.IntDiv, span, SIZES[unit])
    zoned = "timestamptz" in (kind(start), kind(end))
    start, end = (of_micros(micros_of(value), "TIMESTAMP") if zoned else stamp(value) for value in (start, end))
    forward = _months(start, end, 1)
    # Back in time, the months are counted from the earlier one, but from the later one where there are time zones.
    back = _months(start, end, -1) if zoned else operated(exp.Sub, 0, _months(end, start, 1))
    made = case((exp.GTE(this=end, expression=start), forward), default=back)
    return operated(exp.IntDiv, made, MONTHS[unit])


def _months(start: exp.Expr, end: exp.Expr, sign: int) -> exp.Expr:
    """Return the whole months from start to end, where a day beyond the month's end is its last."""
    count = operated(exp.Sub, _counted("MONTH", end), _counted("MONTH", start))
    reached = added("MONTH", cast(count, "INTEGER"), start, "TIMESTAMP")
    beyond = (exp.GT if sign > 0 else exp.LT)(this=reached, expression=end.copy())
    return case((beyond, operated(exp.Sub, count, sign)), default=count)


PARTS = frozenset({"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND"})
YEARS = {"DECADE": 10, "CENTURY": 100, "MILLENNIUM": 1000}


def _truncated(node: Any) -> exp.Expr:
    moment(node.this, "date_trunc()")
    unit = unit_of(node.args["unit"].name, (*PARTS, *YEARS, "ISOYEAR"), "date_trunc()")
    if node.args.get("zone"):
        refuse("date_trunc() in a time zone", "it is not shown to agree there")
    zoned = kind(node.this) == "timestamptz"
    if unit in PARTS:
        made = call("DATE_TRUNC", unit, stamp(node.this), type="TIMESTAMPTZ")
        return made if zoned else cast(made, "TIMESTAMP")
    if unit == "ISOYEAR":
        # January 4th is in the first week of each.
        fourth = call("MAKE_DATE", part_of(unit, node.this), number(1), number(4), type="DATE")
        made = call("DATE_TRUNC", "WEEK", fourth, type="TIMESTAMPTZ")
    else:
        size = YEARS[unit]
        first = operated(exp.Mul, operated(exp.IntDiv, part_of("YEAR", node.this), size), size)
        made = call("MAKE_DATE", cast(first, "INTEGER"), number(1), number(1), type="DATE")
    return cast(made, "TIMESTAMPTZ" if zoned else "TIMESTAMP")


# Where months are counted from, and all shorter widths: a Monday.
MONTHS_FROM, DAYS_FROM = 2000 * 12, 946_857_600_000_000


def _bucket(node: Any) -> exp.Expr:
    """Return time_bucket(): the start of the width that a moment falls into."""
    width, value, third = node.this, node.expression, node.args.get("unit")
    moment(value, "time_bucket()")
    months, days, micros = parts_of(width)
    if third is not None or node.args.get("zone"):
        refuse("time_bucket() with an origin or an offset", "it is not shown to agree there")
    type_ = {"date": "DATE", "timestamp": "TIMESTAMP", "timestamptz": "TIMESTAMPTZ"}[kind(value)]
    if months is not None:
        size = integer(months)
        if days is not None or micros is not None or size is None or size <= 0:
            refuse("time_bucket() of months that are no constant", "it is not shown to agree there")
        since = operated(exp.Sub, operated(exp.Sub, _counted("MONTH", value), 1), MONTHS_FROM)
        month = operated(exp.Add, operated(exp.Mul, floored(since, size), size), MONTHS_FROM)
        year, rest = floored(month, 12), call("PMOD", month, 12, type="BIGINT")
        first = [cast(part, "INTEGER") for part in (year, operated(exp.Add, rest, 1))]
        return cast(call("MAKE_DATE", *first, number(1), type="DATE"), type_)
    sizes = [(integer(part) or 0) * size for part, size in ((days, DAY), (micros, 1)) if part is not None]
    if len(sizes) != 1 or sizes[0] <= 0:
        refuse("time_bucket() of a width that is no constant number of one unit", "it is not shown to agree there")
    since = operated(exp.Sub, micros_of(value), DAYS_FROM)
    start = operated(exp.Sub, micros_of(value), call("PMOD", since, sizes[0], type="BIGINT"))
    made = of_micros(start, "TIMESTAMPTZ" if type_ == "TIMESTAMPTZ" else "TIMESTAMP")
    return cast(made, "DATE") if type_ == "DATE" else made


def _part(name: str, value: exp.Expr) -> exp.Expr:
    return extracted(name, value) if kind(value) == "interval" else part_of(name, value)


def _simple(name: str) -> Any:
    return lambda node: _part(name, node.this)


def _extract(node: Any) -> exp.Expr:
    return _part(node.this.name, node.expression)


def _unix(node: Any) -> exp.Expr:
    """Return epoch_ms() of a moment, or the moment of a number of seconds, thousandths or microseconds."""
    value, scale = node.this, integer(node.args.get("scale")) if node.args.get("scale") else 0
    if scale == 3 and kind(value) in (*MOMENTS, "interval"):
        return _part("EPOCH_MS", value)
    if scale == 0 and kind(value) in ("double", "decimal", "int"):
        seconds = operated(exp.Mul, cast(value, "DOUBLE"), number(1e6), "DOUBLE")
        # A NaN is no number of microseconds to either.
        return of_micros(whole(call("RINT", seconds)), "TIMESTAMPTZ")
    if scale in (3, 6) and kind(value) == "int":
        micros = whole(value) if scale == 6 else operated(exp.Mul, whole(value), 1000)
        return of_micros(micros, "TIMESTAMP")
    refuse(f"a timestamp of {kind(value).upper()}", "it is not shown to agree there", "CAST it to BIGINT")


def _last(node: Any) -> exp.Expr:
    moment(node.this, "last_day()")
    return call("LAST_DAY", cast(node.this, "DATE"), type="DATE")


def _made(node: Any) -> exp.Expr:
    parts = [node.args.get(name) for name in ("year", "month", "day")]
    given = [value for value in parts if value is not None]
    if any(kind(value) not in ("int", "null") for value in given):
        refuse("make_date() of this", "it is not shown to agree there")
    if len(given) == 1:
        return of_days(given[0])
    return call("MAKE_DATE", *(cast(value, "INTEGER") for value in given), type="DATE")


def _within(value: exp.Expr, low: int, high: int) -> exp.Expr:
    return exp.Between(this=value.copy(), low=number(low), high=number(high))


def _timestamp(node: Any) -> exp.Expr:
    """Return make_timestamp() of parts: the day, and the time of it, which may be 24:00 and have 60 seconds."""
    names = ("year", "month", "day", "hour", "min", "sec")
    given = [node.args.get(name) for name in names]
    if any(value is None or kind(value) not in ("int", "null") for value in given[:5]) or set(node.args) - set(names):
        refuse("make_timestamp() of this", "it is not shown to agree there", "whole numbers and a DOUBLE of seconds")
    if kind(given[5]) not in ("int", "double", "decimal", "null"):
        refuse("make_timestamp() of this", "it is not shown to agree there", "a DOUBLE of seconds")
    day = days_of(call("MAKE_DATE", *(cast(value, "INTEGER") for value in given[:3]), type="DATE"))
    hour, minute, second = whole(given[3]), whole(given[4]), cast(given[5], "DOUBLE")
    # Toward zero, and the rest rounded to microseconds, halves up: the engine's own round() takes a DOUBLE's text.
    seconds = whole(second)
    rest = call("ABS", operated(exp.Mul, operated(exp.Sub, second, seconds, "DOUBLE"), number(1e6), "DOUBLE"))
    half = exp.GTE(this=exp.Sub(this=rest, expression=call("FLOOR", rest)), expression=number(0.5))
    micros = operated(exp.Add, whole(call("FLOOR", rest)), case((half, whole(number(1))), default=whole(number(0))))
    total = operated(exp.Add, operated(exp.Mul, hour, 60), minute)
    total = operated(
        exp.Add, operated(exp.Mul, operated(exp.Add, operated(exp.Mul, total, 60), seconds), 1_000_000), micros
    )
    day_long = exp.EQ(this=total, expression=number(DAY))
    early = exp.And(this=_within(hour, 0, 23), expression=exp.LTE(this=total, expression=number(DAY)))
    good = exp.and_(
        _within(minute, 0, 59),
        _within(call("RINT", second), 0, 60),
        exp.Or(this=exp.GTE(this=second, expression=number(0)), expression=exp.EQ(this=micros, expression=number(0))),
        exp.Or(this=early, expression=exp.And(this=_within(hour, 24, 24), expression=day_long)),
    )
    return case(
        (exp.or_(*map(is_null, given)), cast(null(), "TIMESTAMP")),
        (good, of_micros(operated(exp.Add, operated(exp.Mul, day, DAY), total), "TIMESTAMP")),
        default=raised("make_timestamp(): no such time of day"),
    )


def _named(pattern: str) -> Any:
    def rule(node: Any) -> exp.Expr:
        moment(node.this, f"{node.key}()")
        return call("DATE_FORMAT", stamp(node.this), pattern, type="VARCHAR")

    return rule


RULES: dict[type[exp.Expr], Any] = {
    exp.Add: _add,
    exp.Sub: _sub,
    exp.DateAdd: _date_add,
    exp.DateSub: _date_add,
    exp.DateDiff: _difference,
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.In), _compared),
    **dict.fromkeys((exp.NullSafeEQ, exp.NullSafeNEQ, exp.Is, exp.Ordered), _compared),
    exp.DateBin: _bucket,
    exp.UnixToTime: _unix,
    exp.TimestampFromParts: _timestamp,
    exp.DateTrunc: _truncated,
    exp.TimestampTrunc: _truncated,
    exp.Extract: _extract,
    exp.Year: _simple("YEAR"),
    exp.Quarter: _simple("QUARTER"),
    exp.Month: _simple("MONTH"),
    exp.Week: _simple("WEEK"),
    exp.WeekOfYear: _simple("WEEK"),
    exp.Day: _simple("DAY"),
    exp.DayOfMonth: _simple("DAY"),
    exp.DayOfYear: _simple("DOY"),
    exp.DayOfWeek: _simple("DOW"),
    exp.DayOfWeekIso: _simple("ISODOW"),
    exp.Hour: _simple("HOUR"),
    exp.Minute: _simple("MINUTE"),
    exp.Second: _simple("SECOND"),
    exp.TimeToUnix: _simple("EPOCH"),
    exp.LastDay: _last,
    exp.DateFromParts: _made,
    exp.Dayname: _named("EEEE"),
    exp.Monthname: _named("MMMM"),
    exp.TimeToStr: formatted,
    exp.AtTimeZone: at_time_zone,
    exp.StrToTime: lambda node: parsed(node.this, node.args.get("format"), trying=False),
}

# Functions that the parser has no node for, as extract() of a part.
NAMED_PARTS = (
    "isoyear", "yearweek", "century", "decade", "millennium", "era", "julian", "millisecond", "microsecond",
    "nanosecond", "epoch_us", "epoch_ns", "timezone", "timezone_hour", "timezone_minute",
)  # fmt: skip
# Functions that make intervals, and their units.
NAMED_UNITS = {
    "to_millennia": "MILLENNIUM", "to_centuries": "CENTURY", "to_decades": "DECADE", "to_years": "YEAR",
    "to_quarters": "QUARTER", "to_months": "MONTH", "to_weeks": "WEEK", "to_days": "DAY", "to_hours": "HOUR",
    "to_minutes": "MINUTE", "to_seconds": "SECOND", "to_milliseconds": "MILLISECOND",
    "to_microseconds": "MICROSECOND",
}  # fmt: skip
