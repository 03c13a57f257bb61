"""What passes over dates share: units, whole-number arithmetic, and moments as microseconds since 1970."""

from __future__ import annotations

from sqlglot import exp

from mdfsql.lower.rules import call, case, cast, kind, number, paren, refuse

__all__ = [
    "DAY",
    "MOMENTS",
    "days_of",
    "floored",
    "of_days",
    "of_micros",
    "micros_of",
    "moment",
    "operated",
    "rounded",
    "stamp",
    "unit_of",
    "whole",
]

MOMENTS = frozenset({"date", "timestamp", "timestamptz"})
DAY = 86_400_000_000

# The reference's other names of a unit.
ALIASES = {
    "YR": "YEAR", "Y": "YEAR", "MON": "MONTH", "D": "DAY", "DAYOFMONTH": "DAY", "DECADES": "DECADE", "DEC": "DECADE",
    "CENTURIES": "CENTURY", "CENT": "CENTURY", "C": "CENTURY", "MILLENNIA": "MILLENNIUM", "MIL": "MILLENNIUM",
    "US": "MICROSECOND", "USEC": "MICROSECOND", "MS": "MILLISECOND", "MSEC": "MILLISECOND", "SEC": "SECOND",
    "S": "SECOND", "MIN": "MINUTE", "M": "MINUTE", "HR": "HOUR", "H": "HOUR", "W": "WEEK", "WEEKOFYEAR": "WEEK",
    "DAYOFWEEK": "DOW", "WEEKDAY": "DOW", "DAYOFYEAR": "DOY",
}  # fmt: skip


def unit_of(name: str, known: object, what: str) -> str:
    """Return a unit's or a part's one name; refuse one that is not known.

    >>> unit_of("yrs", {"YEAR"}, "date_diff()"), unit_of("Days", {"DAY"}, "date_diff()")
    ('YEAR', 'DAY')
    """
    upper = name.upper()
    for found in (upper, upper.removesuffix("S")):
        found = ALIASES.get(found, found)
        if found in known:  # type: ignore[operator]
            return found
    refuse(f"{what} by {name.lower()}", "it is not shown to agree there")


def moment(node: exp.Expr, what: str) -> None:
    """Refuse what is no date or timestamp."""
    if kind(node) not in MOMENTS:
        refuse(f"{what} of {kind(node).upper()}", "it is not shown to agree there", "CAST it to DATE or TIMESTAMP")


def operated(cls: type[exp.Binary], left: exp.Expr | int, right: exp.Expr | int, type: str = "BIGINT") -> exp.Expr:
    """Return an operation on copies, typed, in parentheses."""
    sides = [number(side) if isinstance(side, int) else paren(side) for side in (left, right)]
    made = exp.Paren(this=cls(this=sides[0], expression=sides[1]))
    made.type = made.this.type = exp.DataType.build(type)
    return made


def whole(node: exp.Expr) -> exp.Expr:
    """Return a number as a BIGINT, in which the engine's arithmetic then is."""
    return cast(node, "BIGINT")


def floored(node: exp.Expr, size: int) -> exp.Expr:
    """Return the largest whole number of ``size`` that is not above a BIGINT: DIV alone would round to zero."""
    rest = call("PMOD", node, size, type="BIGINT")
    return operated(exp.IntDiv, operated(exp.Sub, node, rest), size)


def rounded(node: exp.Expr, size: int) -> exp.Expr:
    """Return a BIGINT in units of ``size``, halves away from zero."""
    below = exp.LT(this=paren(node), expression=number(0))
    half = case((below, whole(number(-(size // 2)))), default=whole(number(size // 2)))
    return operated(exp.IntDiv, operated(exp.Add, node, half), size)


def stamp(node: exp.Expr) -> exp.Expr:
    """Return a copy of a date or timestamp as a TIMESTAMP."""
    return cast(node, "TIMESTAMP") if kind(node) == "date" else paren(node)


def micros_of(node: exp.Expr) -> exp.Expr:
    """Return the microseconds of a date or timestamp since 1970."""
    return call("UNIX_MICROS", cast(stamp(node), "TIMESTAMPTZ"), type="BIGINT")


def of_micros(micros: exp.Expr, type: str) -> exp.Expr:
    """Return the TIMESTAMP or TIMESTAMPTZ of microseconds since 1970."""
    made = call("TIMESTAMP_MICROS", micros, type="TIMESTAMPTZ")
    return made if type == "TIMESTAMPTZ" else cast(made, type)


def days_of(node: exp.Expr) -> exp.Expr:
    """Return the days of a date or timestamp since 1970."""
    return whole(call("UNIX_DATE", node if kind(node) == "date" else cast(node, "DATE")))


def of_days(days: exp.Expr) -> exp.Expr:
    """Return the DATE of days since 1970."""
    return call("DATE_FROM_UNIX_DATE", cast(days, "INTEGER"), type="DATE")
