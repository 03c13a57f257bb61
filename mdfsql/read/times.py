"""Rules of days and moments that several dialects share: parts, whole units, weeks from any day on, formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sqlglot import exp

from mdfsql.read.common import moment_of, weeks_between
from mdfsql.read.meaning import Call, Dialect, Rule, build, kind, literal, meaning_of, written

__all__ = [
    "DATE_OF_PARTS",
    "FIRST_DAYS",
    "elapsed",
    "last_day",
    "moved_moment",
    "part",
    "weekly_diff",
    "weekly_trunc",
]

MOMENTS = ("date", "timestamp", "instant")
# Months and days beyond those that there are go on into the next.
DATE_OF_PARTS = "CAST(make_date($1, 1, 1) + to_months($2 - 1) + to_days($3 - 1) AS DATE)"
MICROSECONDS = {"day": 86_400_000_000, "hour": 3_600_000_000, "minute": 60_000_000, "second": 1_000_000}
MICROSECONDS |= {"week": 7 * MICROSECONDS["day"], "millisecond": 1000, "microsecond": 1}


def part(dialect: Callable[[], Dialect], names: Mapping[str, str], of: str | None = None) -> Rule:
    """Return the rule of a function of the name of a part and a moment: what EXTRACT gives, as another type perhaps."""

    def rule(call: Call) -> exp.Expr:
        if len(call.arguments) != 2:
            call.refuse("it is read with the name of a part, and a day or moment")
        name, value = call.arguments[0], moment_of(call.arguments[1])
        known = (literal(name) or "").lower()
        made = meaning_of(dialect(), Call(call.node, f"extract:{names.get(known, known)}", [value]))
        if of is None:
            return made
        made = written(f"CAST($1 AS {of})", [made])
        made.type = build(of)
        return made

    return rule


def elapsed(units: Iterable[str], names: tuple[int, int, int], finest: str = "") -> Rule:
    """Return the rule of how many whole units lie between two moments, at the places that ``names`` tells.

    ``finest`` is the unit beyond which a moment is cut off first.
    """

    def rule(call: Call) -> exp.Expr:
        if len(call.arguments) != 3:
            call.refuse("it is read with a unit and two more arguments")
        unit, one, two = (call.arguments[names[0]], *(moment_of(call.arguments[place]) for place in names[1:]))
        known = (literal(unit) or "").lower()
        if known not in units or not {kind(one), kind(two)} <= set(MOMENTS):
            call.refuse(f"it is read for the units {', '.join(units)}, and days or moments")
        if {kind(one), kind(two)} == {"date"} and known in ("day", "week"):
            form = "date_diff('day', $1, $2)" + (" // 7" if known == "week" else "")
        else:
            of = "epoch_us(CAST({} AS TIMESTAMP))"
            of = of.format(f"date_trunc('{finest}', CAST({{}} AS TIMESTAMP))") if finest else of
            form = f"({of.format('$2')} - {of.format('$1')}) // {MICROSECONDS[known]}"
        made = written(form, [one, two])
        made.type = build("BIGINT")
        return made

    return rule


def moved_moment(call: Call) -> exp.Expr:
    """Return TIMESTAMP_ADD and its like: a moment and an INTERVAL."""
    value, interval = call.arguments if len(call.arguments) == 2 else (call.node, call.node)
    if kind(value) not in ("timestamp", "instant") or kind(interval) != "interval":
        call.refuse("it is read for a moment and an INTERVAL")
    made = written(f"$1 {'+' if call.name.endswith('add') else '-'} $2", [value, interval])
    made.type = value.type
    return made


# ---- weeks that begin on any day ------------------------------------------------------------------------------------

FIRST_DAYS = {"week": 7, "isoweek": 1} | {
    f"week({name})": day
    for day, name in enumerate(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), 1)
}


def weekly_trunc(other: Rule) -> Rule:
    """Return the rule of a day or moment at the beginning of its week; ``other`` has the other units."""

    def rule(call: Call) -> exp.Expr | None:
        value, unit = call.arguments if len(call.arguments) == 2 else (call.node, call.node)
        first = FIRST_DAYS.get((literal(unit) or "").lower())
        if first is None or kind(value) not in MOMENTS:
            return other(call)
        back = f"(isodow($1) + {7 - first}) % 7"
        if kind(value) == "date":
            made = written(f"$1 - CAST({back} AS INTEGER)", [value])
        else:
            made = written(f"date_trunc('day', $1) - to_days(CAST({back} AS INTEGER))", [value])
        made.type = value.type
        return made

    return rule


def weekly_diff(other: Rule) -> Rule:
    """Return the rule of how many times a week begins from the second day on to the first."""

    def rule(call: Call) -> exp.Expr | None:
        one, two, unit = call.arguments if len(call.arguments) == 3 else [call.node] * 3
        one, two = moment_of(one), moment_of(two)
        first = FIRST_DAYS.get((literal(unit) or "").lower())
        if first is None or not {kind(one), kind(two)} <= {"date", "timestamp"}:
            return other(call)
        made = written(weeks_between((8 - first) % 7), [two, one])
        made.type = build("BIGINT")
        return made

    return rule


def last_day(call: Call) -> exp.Expr | None:
    """Return the last day of a date's month, quarter, year or week."""
    if len(call.arguments) != 2 or kind(call.arguments[0]) != "date":
        return None
    unit = (literal(call.arguments[1]) or "").lower()
    first = FIRST_DAYS.get(unit)
    forms = {
        "year": "make_date(year($1), 12, 31)",
        "quarter": "last_day(CAST(date_trunc('quarter', $1) + to_months(2) AS DATE))",
        "month": "last_day($1)",
    }
    if first is not None:
        forms[unit] = f"$1 + CAST(6 - (isodow($1) + {7 - first}) % 7 AS INTEGER)"
    if unit not in forms:
        call.refuse(f"it is read for the units {', '.join(('month', 'quarter', 'year', *FIRST_DAYS))}")
    made = written(forms[unit], call.arguments[:1])
    made.type = build("DATE")
    return made
