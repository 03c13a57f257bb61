"""Dates, datetimes and timedeltas: their parts, their methods, their arithmetic.

A difference of two dates has no type of its own in SQL that every engine has: it is lifted as its microseconds.
"""

from __future__ import annotations

import ast
import datetime
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from sqlglot import exp

from mdfsql import lift_nodes as sql
from mdfsql.lift_arguments import const_of, run
from mdfsql.lift_constants import Raises
from mdfsql.lift_nodes import number, words
from mdfsql.lift_operators import arithmetic
from mdfsql.lift_values import INT64, Node, Refusal, Value, constant, in_utc, strict

__all__ = ["ATTRIBUTES", "DATES", "DELTAS", "attribute", "formatted_date", "isoformat", "moved", "timedelta"]

MOMENTS = ("date", "timestamp", "timestamptz")
DAY = 86_400_000_000  # microseconds
DAYS = 3_652_058  # from date.min to date.max
SPAN = (DAYS + 1) * DAY
UNITS = {"DAY": DAY, "HOUR": 3_600_000_000, "MINUTE": 60_000_000, "SECOND": 1_000_000, "MICROSECOND": 1}
PASSED = "date value out of range"


def _part(make: Callable[[Node], Node], low: int, high: int) -> Callable[[Value], Value]:
    return lambda value: strict(make(value.sql), "BIGINT", value, bounds=(low, high))


def _microsecond(node: Node) -> Node:
    # The reference counts them within the minute.
    return sql.operation(exp.Mod, sql.call("microsecond", node), number(1_000_000))


def _weekday(node: Node) -> Node:
    return sql.operation(exp.Sub, exp.DayOfWeekIso(this=node), number(1))


DAY_PARTS: dict[str, Callable[[Value], Value]] = {
    "day": _part(lambda node: exp.Day(this=node), 1, 31),
    "month": _part(lambda node: exp.Month(this=node), 1, 12),
    "year": _part(lambda node: exp.Year(this=node), 1, 9999),
}
TIME_PARTS: dict[str, Callable[[Value], Value]] = {
    "hour": _part(lambda node: exp.Hour(this=node), 0, 23),
    "microsecond": _part(_microsecond, 0, 999_999),
    "minute": _part(lambda node: exp.Minute(this=node), 0, 59),
    "second": _part(lambda node: exp.Second(this=node), 0, 59),
}


def _rest(modulus: int, divisor: int) -> Callable[[Value], Value]:
    def part(value: Value) -> Value:
        rest = arithmetic(ast.Mod(), micros_of(value), constant(modulus))
        return arithmetic(ast.FloorDiv(), rest, constant(divisor))

    return part


ATTRIBUTES: dict[str, dict[str, Callable[[Value], Value]]] = {
    "date": DAY_PARTS,
    "timestamp": {**DAY_PARTS, **TIME_PARTS},
    "timestamptz": {**DAY_PARTS, **TIME_PARTS},
    "timedelta": {
        "days": lambda value: _days(value),
        "microseconds": _rest(1_000_000, 1),
        "seconds": _rest(DAY, 1_000_000),
    },
}


def attribute(value: Value, name: str) -> Value:
    """Return an attribute of a date, a datetime or a timedelta."""
    lift = ATTRIBUTES.get(value.kind, {}).get(name)
    if lift is None:
        raise Refusal(f"the attribute {name} of a {value.name} is not lifted")
    return constant(getattr(value.const, name)) if value.is_const else lift(value)


# --- text -------------------------------------------------------------------------------------------------------------

# What strftime() writes alike; the names only while the locale is English.
NUMBERS = frozenset("%YmdHMSfjyI")
NAMES = frozenset("aAbBp")
ENGLISH = datetime.datetime(2024, 1, 1), "Mon Monday Jan January AM"


def _letters(value: Value, pattern: str) -> str:
    """Return the letters after % in a format; Refusal for one that is not written alike everywhere."""
    letters = "".join(pattern[place + 1 : place + 2] or " " for place in _places(pattern))
    clock = frozenset("HMSfIp") if value.kind == "date" else frozenset()
    if set(letters) - ((NUMBERS | NAMES) - clock) or not (pattern.isascii() and pattern.isprintable()):
        raise Refusal(f"the format {pattern!r} is not lifted", "numbers like %Y-%m-%d and %H:%M:%S are")
    if set(letters) & NAMES and ENGLISH[0].strftime("%a %A %b %B %p") != ENGLISH[1]:
        raise Refusal("the names of days and months depend on the locale")
    return letters


def _places(pattern: str) -> Iterator[int]:
    place = pattern.find("%")
    while place >= 0:
        yield place
        place = pattern.find("%", place + 2)


def formatted_date(value: Value, pattern: str) -> Value:
    """Return ``value.strftime(pattern)``."""
    if not pattern:
        raise Refusal("an empty format is not lifted")
    letters = _letters(value, pattern)
    node: Node = exp.TimeToStr(this=value.sql, format=words(pattern))
    risky = "Y" in letters
    if risky:
        # How years below 1000 are filled depends on the platform.
        early = sql.operation(exp.LT, exp.Year(this=value.sql), number(1000))
        failure = sql.error("%Y of a year below 1000, beyond what all platforms write alike")
        node = sql.case((early, failure), default=node)
    return strict(node, "VARCHAR", value, risky=risky)


def isoformat(value: Value, sep: Any = None) -> Value:
    """Return ``value.isoformat()``; with " ", what ``str(value)`` is."""
    between = "T" if sep is None else const_of(sep, "what stands between date and time", str)
    if value.kind == "date":
        if sep is not None:
            raise Raises("date.isoformat() takes no argument")
        return strict(sql.cast(value.sql, "VARCHAR"), "VARCHAR", value)
    if between not in ("T", " "):
        raise Refusal('only "T" and " " stand between date and time')
    zone = "+00:00" if value.kind == "timestamptz" else ""
    plain = f"%Y-%m-%d{between}%H:%M:%S"
    # Python leaves out microseconds of 0, and writes all six digits of others.
    zero = sql.operation(exp.EQ, _microsecond(value.sql), number(0))
    short, long = (exp.TimeToStr(this=value.sql, format=words(f)) for f in (plain + zone, plain + ".%f" + zone))
    return strict(sql.case((zero, short), default=long), "VARCHAR", value)


# --- methods ----------------------------------------------------------------------------------------------------------


def _date(value: Value) -> Value:
    if value.kind == "date":
        raise Raises("a date has no method date()")
    return strict(sql.cast(value.sql, "DATE"), "DATE", value)


def _ordinal(value: Value) -> Value:
    days = _since_first(value.sql if value.kind == "date" else sql.cast(value.sql, "DATE"))
    return strict(sql.operation(exp.Add, days, number(1)), "BIGINT", value, bounds=(1, DAYS + 1))


# What replace() sets to the start of, and what is left of the moment then.
STARTS = {
    "SECOND": {"microsecond": 0},
    "MINUTE": {"microsecond": 0, "second": 0},
    "HOUR": {"microsecond": 0, "second": 0, "minute": 0},
    "DAY": {"microsecond": 0, "second": 0, "minute": 0, "hour": 0},
    "MONTH": {"microsecond": 0, "second": 0, "minute": 0, "hour": 0, "day": 1},
    "YEAR": {"microsecond": 0, "second": 0, "minute": 0, "hour": 0, "day": 1, "month": 1},
}


def _replaced(value: Value, **parts: Any) -> Value:
    given = {name: const_of(part, f"the new {name}", int) for name, part in parts.items()}
    if value.kind == "date":
        given = {**STARTS["DAY"], **given} if set(given) <= {"day", "month"} else {}
    unit = next((unit for unit, start in STARTS.items() if start == given), None)
    if unit is None:
        raise Refusal(
            "replace() is lifted where it gives the start of a year, month, day, hour, minute or second",
            "as in replace(day=1), or replace(hour=0, minute=0, second=0, microsecond=0) of a datetime",
        )
    cut: Node = exp.TimestampTrunc(this=value.sql, unit=exp.Var(this=unit))
    return strict(sql.cast(cut, value.type) if value.kind == "date" else cut, value.type, value)


def _strftime(value: Value, pattern: Any) -> Value:
    return formatted_date(value, const_of(pattern, "a format", str))


def _total_seconds(value: Value) -> Value:
    if _is_days(value):
        seconds = arithmetic(ast.Mult(), _days(value), constant(86_400))
        return arithmetic(ast.Div(), seconds, constant(1))
    return arithmetic(ast.Div(), micros_of(value), constant(1_000_000))


DATES: dict[str, Callable[..., Value]] = {
    "date": _date,
    "isoformat": isoformat,
    "isoweekday": _part(lambda node: exp.DayOfWeekIso(this=node), 1, 7),
    "replace": _replaced,
    "strftime": _strftime,
    "toordinal": _ordinal,
    "weekday": _part(_weekday, 0, 6),
}
DELTAS: dict[str, Callable[..., Value]] = {"total_seconds": _total_seconds}


# --- arithmetic -------------------------------------------------------------------------------------------------------


def micros_of(value: Value) -> Value:
    """Return a timedelta as the int of its microseconds."""
    if value.is_const:
        return constant(value.const // datetime.timedelta(microseconds=1))
    return replace(value, type="BIGINT", bounds=value.bounds or INT64, test=None)


def _delta(micros: Value) -> Value:
    return replace(micros, type="TIMEDELTA", natural=None, test=None)


def _is_days(value: Value) -> bool:
    """Return whether a timedelta was made of whole days, and no more of them than Python has room for."""
    low, high = value.bounds or INT64
    days = isinstance(value.sql, exp.Mul) and bool(value.sql.expression == number(DAY))
    return days and low >= -SPAN and high <= SPAN


def _days(value: Value) -> Value:
    """Return the days of a timedelta, rounded down."""
    if not _is_days(value):
        return arithmetic(ast.FloorDiv(), micros_of(value), constant(DAY))
    days, (low, high) = value.sql.this, value.bounds or INT64
    days = days.this if isinstance(days, exp.Paren) else days
    bounds = (low // DAY, high // DAY)
    return replace(value, sql=days, type="BIGINT", natural="INTEGER", bounds=bounds, test=None)


def _since_first(node: Node) -> Node:
    return sql.operation(exp.Sub, node, sql.literal(datetime.date.min, "DATE"))


def _difference(left: Value, right: Value) -> Value:
    if left.kind == "date":
        days = sql.operation(exp.Sub, left.sql, right.sql)
        node = sql.operation(exp.Mul, days, number(DAY))
    else:
        node = sql.operation(exp.Sub, sql.call("epoch_us", left.sql), sql.call("epoch_us", right.sql))
    return strict(node, "TIMEDELTA", left, right, bounds=(-SPAN, SPAN))


def _shifted(moment: Value, delta: Value, sign: int) -> Value:
    """Return a date or datetime that lies ``delta`` later, or with -1 earlier."""
    in_utc(moment)
    node = _by_constant(moment, delta.const, sign) if delta.is_const else _by_value(moment, delta, sign)
    return strict(node, moment.type, moment, delta, raises=True)


def _by_constant(moment: Value, delta: datetime.timedelta, sign: int) -> Node:
    day = moment.kind == "date"
    # A date takes the days of a timedelta, rounded down, and only then their sign.
    delta = sign * (datetime.timedelta(days=delta.days) if day else delta)
    if not delta:
        return moment.sql
    zone = {"tzinfo": datetime.UTC} if moment.kind == "timestamptz" else {}
    kind: Any = datetime.date if day else datetime.datetime
    ends = [kind.min, kind.max] if day else [end.replace(**zone) for end in (kind.min, kind.max)]
    end = ends[1] if delta > datetime.timedelta() else ends[0]
    limit = constant(run(lambda: end - delta))
    passed = sql.operation(exp.GT if end is ends[1] else exp.LT, moment.sql, limit.sql)
    way = exp.Add if end is ends[1] else exp.Sub
    size = abs(delta)
    if day:
        step: Node = number(size.days)
    else:
        micros = size // datetime.timedelta(microseconds=1)
        unit, length = next((u, n) for u, n in UNITS.items() if micros % n == 0)
        step = exp.Interval(this=words(str(micros // length)), unit=exp.Var(this=unit))
    return sql.case((passed, sql.error(PASSED)), default=sql.operation(way, moment.sql, step))


def _by_value(moment: Value, delta: Value, sign: int) -> Node:
    by = _days(delta) if moment.kind == "date" else micros_of(delta)
    if sign < 0:
        by = arithmetic(ast.Sub(), constant(0), by)
    if moment.kind == "date":
        since, last = _since_first(moment.sql), DAYS
        made = sql.operation(exp.Add, moment.sql, sql.cast(by.sql, "INTEGER"))
    else:
        first = constant(datetime.datetime.min.replace(tzinfo=datetime.UTC if moment.kind == "timestamptz" else None))
        since = sql.operation(exp.Sub, sql.call("epoch_us", moment.sql), sql.call("epoch_us", first.sql))
        last, made = SPAN - 1, sql.operation(exp.Add, moment.sql, sql.call("to_microseconds", by.sql))
    place = sql.operation(exp.Add, since, by.sql)
    passed = sql.either(
        sql.operation(exp.LT, place, number(0)),
        sql.operation(exp.GT, place, number(last)),
    )
    return sql.case((passed, sql.error(PASSED)), default=made)


def moved(op: ast.operator, left: Value, right: Value) -> Value | None:
    """Return ``left op right`` where a date, a datetime or a timedelta is one of them; None where Python has none."""
    kind, kinds = type(op), (left.kind, right.kind)
    if kind is ast.Sub and left.kind == right.kind and left.kind in MOMENTS:
        return _difference(left, right)
    if kind in (ast.Add, ast.Sub) and left.kind in MOMENTS and right.kind == "timedelta":
        return _shifted(left, right, 1 if kind is ast.Add else -1)
    if kind is ast.Add and left.kind == "timedelta" and right.kind in MOMENTS:
        return _shifted(right, left, 1)
    if kinds == ("timedelta", "timedelta"):
        if kind in (ast.Add, ast.Sub):
            return _delta(arithmetic(op, micros_of(left), micros_of(right)))
        if kind in (ast.Div, ast.FloorDiv):
            return arithmetic(op, micros_of(left), micros_of(right))
    if kind is ast.Mult and set(kinds) == {"timedelta", "int"}:
        return _delta(arithmetic(op, *(micros_of(v) if v.kind == "timedelta" else v for v in (left, right))))
    return None


LENGTHS = {"weeks": 7 * DAY, "days": DAY, "hours": UNITS["HOUR"], "minutes": UNITS["MINUTE"]}
LENGTHS |= {"seconds": UNITS["SECOND"], "milliseconds": 1000, "microseconds": 1}
ORDER = ("days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks")


def _length(count: Value, unit: int) -> Value:
    """Return a number of units in microseconds; an error beyond 64 bits, where Python may raise as well."""
    most, (low, high) = INT64[1] // unit, count.bounds or INT64
    result = arithmetic(ast.Mult(), replace(count, bounds=(max(low, -most), min(high, most))), constant(unit))
    if count.is_const or (low >= -most and high <= most):
        return result
    beyond = sql.either(
        sql.operation(exp.LT, count.sql, number(-most)),
        sql.operation(exp.GT, count.sql, number(most)),
    )
    failure = sql.error("a timedelta beyond 64 bits of microseconds")
    return replace(result, sql=sql.case((beyond, failure), default=result.sql), raises=True, risky=True)


def timedelta(*parts: Any, **named: Any) -> Value:
    """Return ``timedelta(days=...)`` of ints."""
    given: Mapping[str, Any] = {**dict(zip(ORDER, parts, strict=False)), **named}
    if not set(given) <= set(LENGTHS) or len(given) != len(parts) + len(named):
        raise Raises("timedelta() takes days, seconds and so on, each once")
    total: Value | None = None
    for name, part in given.items():
        if not isinstance(part, Value) or part.kind != "int":
            raise Refusal("timedelta() is lifted for ints", "convert with int(x)")
        micros = _length(part, LENGTHS[name])
        total = micros if total is None else arithmetic(ast.Add(), total, micros)
    assert total is not None
    return _delta(total)
