"""Intervals: no engine has the reference's, so the months, days and microseconds of one are expressions apart."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, NamedTuple

from sqlglot import exp

from mdfsql.lower.moments import DAY, micros_of, of_micros, operated, stamp, unit_of, whole
from mdfsql.lower.rules import call, case, cast, integer, kind, literal_text, number, paren, refuse

__all__ = ["Parts", "added", "compared_by", "extracted", "parts_of", "shifted"]


class Parts(NamedTuple):
    """Months, days and microseconds as BIGINT expressions; None for one that is 0."""

    months: exp.Expr | None = None
    days: exp.Expr | None = None
    micros: exp.Expr | None = None


# Unit -> which of the parts, and how many of it.
UNITS = {
    "MILLENNIUM": (0, 12_000), "CENTURY": (0, 1200), "DECADE": (0, 120), "YEAR": (0, 12), "QUARTER": (0, 3),
    "MONTH": (0, 1), "WEEK": (1, 7), "DAY": (1, 1), "HOUR": (2, 3_600_000_000), "MINUTE": (2, 60_000_000),
    "SECOND": (2, 1_000_000), "MILLISECOND": (2, 1000), "MICROSECOND": (2, 1),
}  # fmt: skip
# What the engine adds by that name as the reference does.
ADDED = ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "MICROSECOND")
MOST = 2**31


def parts_of(node: Any) -> Parts:
    """Return the parts of an INTERVAL; refuse one that is not computed from what has parts."""
    if isinstance(node, exp.Paren):
        return parts_of(node.this)
    if isinstance(node, exp.Interval):
        return _written(node)
    if isinstance(node, (exp.Cast, exp.TryCast)) and literal_text(node.this) is not None:
        return _spelled(str(node.this.this))
    if isinstance(node, exp.Neg):
        return _each(lambda value: _scaled(value, number(-1)), parts_of(node.this))
    if isinstance(node, (exp.Add, exp.Sub)):
        return _combined(node)
    if isinstance(node, exp.Mul):
        one, other = (node.this, node.expression) if kind(node.this) == "interval" else (node.expression, node.this)
        if kind(other) == "int":
            return _each(lambda value: _scaled(value, whole(other)), parts_of(one))
        refuse(f"INTERVAL * {kind(other).upper()}", "only whole numbers are shown to agree there", "CAST it to BIGINT")
    if isinstance(node, exp.Case) and node.this is None:
        return _branches(node)
    if isinstance(node, exp.Anonymous) and node.name == "age":
        return _age(*node.expressions)
    refuse(
        "a value of type INTERVAL, other than computed where it is used,",
        "Spark has no type that keeps months, days and time apart",
        "epoch(), date_diff() or date_sub()",
    )


def _each(change: Any, parts: Parts) -> Parts:
    return Parts(*(None if value is None else change(value) for value in parts))


def _scaled(value: exp.Expr, by: exp.Expr) -> exp.Expr:
    one, two = integer(value), integer(by)
    return number(one * two) if one is not None and two is not None else operated(exp.Mul, value, by)


def _sum(one: exp.Expr | None, other: exp.Expr | None, cls: type[exp.Binary] = exp.Add) -> exp.Expr | None:
    if other is None:
        return one
    return operated(cls, 0 if one is None else one, other)


def _combined(node: Any) -> Parts:
    left, right = node.this, node.expression
    if kind(left) == kind(right) == "interval":
        pairs = zip(parts_of(left), parts_of(right), strict=True)
        return Parts(*(_sum(one, other, type(node)) for one, other in pairs))
    # The difference of two timestamps: days, and what remains of the last.
    span = operated(exp.Sub, micros_of(left), micros_of(right))
    days = operated(exp.IntDiv, span, DAY)
    return Parts(None, days, operated(exp.Mod, span, DAY))


def _written(node: exp.Interval) -> Parts:
    value, unit = node.this, node.args.get("unit")
    constant = literal_text(value)
    if unit is None and constant is not None:
        return _spelled(constant)
    if unit is None or isinstance(unit, exp.IntervalSpan):
        refuse("an INTERVAL of this form", "it is not shown to agree there", "INTERVAL 1 DAY")
    name = unit_of(unit.name, UNITS, "INTERVAL")
    at, size = UNITS[name]
    if constant is not None or integer(value) is not None:
        return _one(at, number(_constant(constant if constant is not None else str(integer(value)), name)))
    if kind(value) == "int":
        return _one(at, _scaled(whole(value), number(size)))
    if name in ("SECOND", "MILLISECOND") and kind(value) in ("double", "decimal"):
        scaled = operated(exp.Mul, cast(value, "DOUBLE"), number(float(size)), "DOUBLE")
        return _one(at, whole(call("RINT", scaled)))
    refuse(f"INTERVAL of {kind(value).upper()} {name}", "only whole numbers are shown to agree there")


def _one(at: int, value: exp.Expr) -> Parts:
    return Parts(*(value if i == at else None for i in range(3)))


def _constant(text: str, name: str) -> int:
    size = UNITS[name][1]
    if re.fullmatch(r"-?\d{1,18}" + (r"(\.\d{1,6})?" if name == "SECOND" else ""), text):
        return int(Decimal(text) * size)
    refuse(f"INTERVAL '{text}' {name}", "only whole numbers are shown to agree there")


SPELLED = r" *([+-]?\d{1,18}) +([A-Za-z]+)"
CLOCK = r" *([+-]?)(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?"


def _spelled(text: str) -> Parts:
    found = re.fullmatch(rf"((?:{SPELLED})*)((?:{CLOCK})?) *", text)
    if not found or not text.strip():
        refuse(f"INTERVAL '{text}'", "only whole numbers of units are shown to agree there", "INTERVAL '1 day 2 hours'")
    sums = [0, 0, 0]
    for count, unit in re.findall(SPELLED, found[1]):
        at, size = UNITS[unit_of(unit, UNITS, "INTERVAL")]
        sums[at] += int(count) * size
    for sign, hours, minutes, seconds, rest in re.findall(CLOCK, found[4]):
        clock = (int(hours) * 60 + int(minutes)) * 60 + int(seconds or 0)
        sums[2] += (-1 if sign == "-" else 1) * (clock * 1_000_000 + int(rest.ljust(6, "0") if rest else 0))
    return Parts(*(number(value) if value else None for value in sums))


def _branches(node: exp.Case) -> Parts:
    default = node.args.get("default")
    values = [branch.args["true"] for branch in node.args["ifs"]] + ([default] if default is not None else [])
    apart = [None if kind(value) == "null" else parts_of(value) for value in values]
    made: list[exp.Expr | None] = []
    for at in range(3):
        if all(parts is None or parts[at] is None for parts in apart) and at < 2:
            made.append(None)
            continue
        column = [_null() if parts is None else whole(parts[at] or number(0)) for parts in apart]
        tests = [branch.this for branch in node.args["ifs"]]
        last = column[-1] if default is not None else _null()
        made.append(case(*zip(tests, column, strict=False), default=last))
    return Parts(*made)


def _null() -> exp.Expr:
    return cast(exp.Null(), "BIGINT")


def _age(one: exp.Expr, other: exp.Expr) -> Parts:
    """Return the whole months between two moments, and the days and time that remain, as the calendar has them."""
    zoned = "timestamptz" in (kind(one), kind(other))
    one, other = (of_micros(micros_of(value), "TIMESTAMP") if zoned else stamp(value) for value in (one, other))
    before = exp.LT(this=one, expression=other)
    low, high = case((before, one), default=other), case((before, other), default=one)
    sign = case((before, whole(number(-1))), default=whole(number(1)))
    times = [call("PMOD", micros_of(value), DAY, type="BIGINT") for value in (high, low)]
    days = [whole(call("DAY", value)) for value in (high, low)]
    months = [
        operated(exp.Add, operated(exp.Mul, whole(call("YEAR", value)), 12), whole(call("MONTH", value)))
        for value in (high, low)
    ]
    zero, one_ = whole(number(0)), whole(number(1))
    borrowed = case((exp.LT(this=times[0], expression=times[1]), one_), default=zero)
    day = operated(exp.Sub, operated(exp.Sub, days[0], days[1]), borrowed)
    short = exp.LT(this=day, expression=number(0))
    length = whole(call("DAY", call("LAST_DAY", cast(low, "DATE"))))
    month = operated(exp.Sub, operated(exp.Sub, months[0], months[1]), case((short, one_), default=zero))
    rest = case((short, operated(exp.Add, day, length)), default=day)
    time = call("PMOD", operated(exp.Sub, times[0], times[1]), DAY, type="BIGINT")
    return Parts(*(operated(exp.Mul, value, sign) for value in (month, rest, time)))


def shifted(moment: exp.Expr, interval: exp.Expr, sign: int) -> exp.Expr:
    """Return a moment plus or minus an interval: months first, where a day beyond the month's end is its last."""
    type_ = "TIMESTAMPTZ" if kind(moment) == "timestamptz" else "TIMESTAMP"
    plain = _plain(interval, sign)
    if plain is not None:
        unit, value = plain
        return added(unit, value, stamp(moment), type_)
    parts = parts_of(interval)
    if sign < 0:
        parts = _each(lambda value: _scaled(value, number(-1)), parts)
    made: exp.Expr = stamp(moment)
    for unit, part in (("MONTH", parts.months), ("DAY", parts.days)):
        if part is None:
            continue
        count = integer(part)
        if count is not None and abs(count) >= MOST:
            refuse(f"an INTERVAL of {count} {unit.lower()}s", "the number must fit in 32 bits there", "a larger unit")
        made = added(unit, part if count is not None else cast(part, "INTEGER"), made, type_)
    if parts.micros is not None:
        made = of_micros(operated(exp.Add, micros_of(made), parts.micros), type_)
    return made


def added(unit: str, value: exp.Expr, moment: exp.Expr, type_: str) -> exp.Expr:
    """Return a timestamp plus a 32-bit number of a unit."""
    made = exp.Anonymous(this="TIMESTAMPADD", expressions=[exp.Var(this=unit), value.copy(), moment.copy()])
    made.type = exp.DataType.build(type_, dialect="duckdb")
    return made


def _plain(interval: Any, sign: int) -> tuple[str, exp.Expr] | None:
    """Return the unit and the 32-bit number of an INTERVAL of one unit, as the engine adds it; None for any other."""
    while isinstance(interval, exp.Paren):
        interval = interval.this
    if not isinstance(interval, exp.Interval) or not isinstance(interval.args.get("unit"), exp.Var):
        return None
    unit, value = unit_of(interval.args["unit"].name, UNITS, "INTERVAL"), interval.this
    constant = literal_text(value)
    count = integer(value) if constant is None else int(constant) if re.fullmatch(r"-?\d{1,9}", constant) else None
    if unit not in ADDED:
        return None
    if count is not None:
        return (unit, number(sign * count)) if abs(count) < MOST else None
    narrow = value.type is not None and value.type.this in (exp.DType.INT, exp.DType.SMALLINT, exp.DType.TINYINT)
    if constant is not None or kind(value) != "int" or not narrow or unit == "QUARTER":
        return None
    made = cast(value, "INTEGER")
    return unit, made if sign > 0 else operated(exp.Sub, 0, made, "INTEGER")


def compared_by(interval: exp.Expr) -> exp.Expr:
    """Return what intervals are compared by: their microseconds, a DECIMAL where a BIGINT may not hold them."""
    days, micros = _days_of(interval)
    node = interval.unnest()
    is_span = isinstance(node, exp.Sub) and kind(node.this) != "interval"
    if days is None or is_span or days.find(exp.Column) is None:
        return _total(days, micros)
    made = operated(exp.Mul, cast(paren(days), "DECIMAL(20,0)"), DAY, "DECIMAL(38,0)")
    return cast(made if micros is None else operated(exp.Add, made, micros, "DECIMAL(38,0)"), "DECIMAL(38,0)")


def _days_of(interval: exp.Expr) -> tuple[exp.Expr | None, exp.Expr | None]:
    """Return the days of an interval, of which a month has 30, and its microseconds."""
    months, days, micros = parts_of(interval)
    return _sum(None if months is None else _scaled(months, number(30)), days), micros


def _total(days: exp.Expr | None, micros: exp.Expr | None) -> exp.Expr:
    """Return days and microseconds as microseconds, a BIGINT: what is beyond those is an error."""
    made = _sum(None if days is None else _scaled(days, number(DAY)), micros)
    return number(0) if made is None else whole(made)


# Part -> which of the parts, within how many, and of how many of it.
EXTRACTED = {
    "YEAR": (0, None, 12), "MONTH": (0, 12, 1), "DAY": (1, None, 1), "DECADE": (0, None, 120),
    "CENTURY": (0, None, 1200), "MILLENNIUM": (0, None, 12_000), "HOUR": (2, None, 3_600_000_000),
    "MINUTE": (2, 3_600_000_000, 60_000_000), "SECOND": (2, 60_000_000, 1_000_000),
    "MILLISECOND": (2, 60_000_000, 1000), "MICROSECOND": (2, 60_000_000, 1),
}  # fmt: skip


def extracted(name: str, interval: exp.Expr) -> exp.Expr:
    """Return a part of an interval as the reference's extract() gives it."""
    upper = name.upper()
    if upper.startswith("EPOCH_"):
        total = _total(*_days_of(interval))
        if upper == "EPOCH_NS":
            return operated(exp.Mul, total, 1000)
        return total if upper == "EPOCH_US" else operated(exp.IntDiv, total, 1000)
    parts = [value if value is not None else whole(number(0)) for value in parts_of(interval)]
    if upper == "EPOCH":
        return _seconds(*parts)
    at, within, size = EXTRACTED[unit_of(name, EXTRACTED, "extract() of INTERVAL")]
    value = parts[at] if within is None else operated(exp.Mod, parts[at], within)
    made = value if size == 1 else operated(exp.IntDiv, value, size)
    # A part that is 0 for every value is NULL yet where the interval is.
    return case((exp.Is(this=compared_by(interval), expression=exp.Null()), _null()), default=whole(made))


def _seconds(months: exp.Expr, days: exp.Expr, micros: exp.Expr) -> exp.Expr:
    # Twelve months are a year of 365.25 days there, and one is 30 days.
    years = operated(exp.Mul, operated(exp.IntDiv, months, 12), 31_557_600)
    rest = operated(exp.Mul, operated(exp.Mod, months, 12), 2_592_000)
    days = operated(exp.Mul, days, 86_400)
    seconds = operated(exp.Add, operated(exp.Add, years, rest), days)
    fraction = operated(exp.Div, cast(micros, "DOUBLE"), number(1e6), "DOUBLE")
    return operated(exp.Add, cast(seconds, "DOUBLE"), fraction, "DOUBLE")
