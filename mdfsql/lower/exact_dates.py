"""Dates and timestamps: their arithmetic, their parts, and how they are written."""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from mdfsql.lower.rules import call, cast, each, integer, kind, literal_text, number, paren, refuse

__all__ = ["exact_dates"]


def exact_dates(tree: exp.Expr) -> exp.Expr:
    """DATE + INTERVAL is a TIMESTAMP, DATE - DATE a number of days, and a difference counts the boundaries crossed."""
    return each(tree, RULES)


MOMENTS = frozenset({"date", "timestamp", "timestamptz"})

# Interval units that both engines add alike.
UNITS = {
    "YEAR": "YEAR", "QUARTER": "QUARTER", "MONTH": "MONTH", "WEEK": "WEEK", "DAY": "DAY",
    "HOUR": "HOUR", "MINUTE": "MINUTE", "SECOND": "SECOND",
}  # fmt: skip


def _unit(name: str, known: Any, what: str) -> str:
    upper = name.upper()
    upper = upper if upper in known else upper.removesuffix("S")
    if upper not in known:
        refuse(f"{what} by {name.lower()}", "it is not shown to agree there")
    return upper


def stamp(node: exp.Expr) -> exp.Expr:
    """Return a copy of a date or timestamp as a TIMESTAMP."""
    return cast(node, "TIMESTAMP") if kind(node) == "date" else paren(node)


def _shifted(moment: exp.Expr, interval: exp.Expr, sign: int) -> exp.Expr:
    while isinstance(interval, exp.Paren):
        interval = interval.this
    if not isinstance(interval, exp.Interval) or interval.unit is None or isinstance(interval.unit, exp.IntervalSpan):
        refuse("an INTERVAL that is no number of one unit", "it is not shown to agree there", "INTERVAL 1 DAY")
    unit = _unit(interval.unit.name, (*UNITS, "MICROSECOND"), "INTERVAL")
    value = interval.this
    constant = literal_text(value)
    if constant is not None:
        if not constant.lstrip("-").isdigit():
            refuse(f"INTERVAL '{constant}' {unit}", "only whole numbers are shown to agree there")
        if abs(int(constant)) >= 2**31:
            refuse(f"INTERVAL '{constant}' {unit}", "the number must fit in 32 bits there", "a larger unit")
        value = number(sign * int(constant))
    elif integer(value) is not None:
        value = number(sign * int(integer(value) or 0))
    else:
        if kind(value) != "int":
            refuse(f"INTERVAL of {kind(value).upper()}", "only whole numbers are shown to agree there")
        value = cast(value, "INTEGER")
        if sign < 0:
            value = exp.Neg(this=paren(value))
    made = exp.Anonymous(this="TIMESTAMPADD", expressions=[exp.Var(this=unit), value, stamp(moment)])
    made.type = exp.DataType.build("TIMESTAMPTZ" if kind(moment) == "timestamptz" else "TIMESTAMP", dialect="duckdb")
    return made


def _add(node: Any) -> exp.Expr | None:
    left, right = node.this, node.expression
    if kind(left) == "interval" and kind(right) in MOMENTS:
        left, right = right, left
    if kind(left) in MOMENTS and kind(right) == "interval":
        return _shifted(left, right, 1)
    if kind(right) == "date" and kind(left) == "int":
        left, right = right, left
    if kind(left) == "date" and kind(right) == "int":
        return call("DATE_ADD", left, cast(right, "INTEGER"), type="DATE")
    _other(node, left, right)
    return None


def _sub(node: Any) -> exp.Expr | None:
    left, right = node.this, node.expression
    if kind(left) in MOMENTS and kind(right) == "interval":
        return _shifted(left, right, -1)
    if kind(left) == "date" and kind(right) == "int":
        return call("DATE_SUB", left, cast(right, "INTEGER"), type="DATE")
    if (kind(left), kind(right)) == ("date", "date"):
        return call("DATEDIFF", left, right, type="BIGINT")
    _other(node, left, right)
    return None


def _other(node: Any, left: exp.Expr, right: exp.Expr) -> None:
    if {kind(left), kind(right)} & (MOMENTS | {"interval"}):
        names = f"{kind(left).upper()} {'+' if isinstance(node, exp.Add) else '-'} {kind(right).upper()}"
        refuse(names, "it is not shown to agree there", "date_diff('second', a, b)")


def _date_add(node: Any) -> exp.Expr:
    return _shifted(node.this, node.expression, -1 if isinstance(node, exp.DateSub) else 1)


def _moment(node: exp.Expr, what: str) -> None:
    if kind(node) not in MOMENTS:
        refuse(f"{what} of {kind(node).upper()}", "it is not shown to agree there", "CAST it to DATE or TIMESTAMP")


def _year(value: exp.Expr) -> exp.Expr:
    return call("YEAR", value, type="BIGINT")


def _difference(node: Any) -> exp.Expr:
    end, start = node.this, node.expression
    _moment(end, "date_diff()")
    _moment(start, "date_diff()")
    unit = _unit(node.args["unit"].name if node.args.get("unit") else "DAY", UNITS, "date_diff()")
    if unit == "DAY":
        return call("DATEDIFF", cast(end, "DATE"), cast(start, "DATE"), type="BIGINT")
    if unit == "WEEK":
        # Not the boundaries: whole weeks between the days.
        days = call("DATEDIFF", cast(end, "DATE"), cast(start, "DATE"), type="BIGINT")
        return exp.Paren(this=exp.IntDiv(this=days, expression=number(7)))
    if unit in ("YEAR", "QUARTER", "MONTH"):
        size, part = {"YEAR": (1, None), "QUARTER": (4, "QUARTER"), "MONTH": (12, "MONTH")}[unit]
        counts = []
        for value in (end, start):
            years: exp.Expr = _year(value)
            if part:
                years = exp.Add(this=exp.Mul(this=years, expression=number(size)), expression=call(part, value))
            counts.append(exp.Paren(this=years))
        return exp.Paren(this=exp.Sub(this=counts[0], expression=counts[1]))
    # Hours, minutes and seconds: whole ones between the boundaries.
    cut = [call("DATE_TRUNC", unit, stamp(value)) for value in (start, end)]
    return exp.Anonymous(this="TIMESTAMPDIFF", expressions=[exp.Var(this=unit), *cut])


PARTS = frozenset({"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"})


def _truncated(node: Any) -> exp.Expr:
    _moment(node.this, "date_trunc()")
    unit = _unit(node.args["unit"].name, PARTS, "date_trunc()")
    if node.args.get("zone"):
        refuse("date_trunc() in a time zone", "it is not shown to agree there")
    made = call("DATE_TRUNC", unit, stamp(node.this), type="TIMESTAMPTZ")
    return made if kind(node.this) == "timestamptz" else cast(made, "TIMESTAMP")


def _simple(name: str) -> Any:
    def rule(node: Any) -> exp.Expr:
        _moment(node.this, f"{name.lower()}()")
        return part(name, node.this)

    return rule


# Part -> the function that gives it, and what is added to that.
FUNCTIONS = {
    "YEAR": ("YEAR", 0), "QUARTER": ("QUARTER", 0), "MONTH": ("MONTH", 0), "WEEK": ("WEEKOFYEAR", 0), "DAY": ("DAY", 0),
    "DOY": ("DAYOFYEAR", 0), "DAYOFYEAR": ("DAYOFYEAR", 0), "DOW": ("DAYOFWEEK", -1), "DAYOFWEEK": ("DAYOFWEEK", -1),
    "WEEKDAY": ("DAYOFWEEK", -1), "ISODOW": ("WEEKDAY", 1), "HOUR": ("HOUR", 0), "MINUTE": ("MINUTE", 0),
    "SECOND": ("SECOND", 0),
}  # fmt: skip


def part(name: str, value: exp.Expr) -> exp.Expr:
    """Return a part of a date or timestamp as an integer."""
    if name == "EPOCH":
        micros = call("UNIX_MICROS", cast(cast(value, "TIMESTAMP") if kind(value) == "date" else value, "TIMESTAMPTZ"))
        made: exp.Expr = exp.Div(this=cast(micros, "DOUBLE"), expression=number(1e6))
        made.type = exp.DataType.build("DOUBLE")
        return made
    if name not in FUNCTIONS:
        refuse(f"extract({name.lower()})", "it is not shown to agree there")
    function, plus = FUNCTIONS[name]
    inner = stamp(value) if name in ("HOUR", "MINUTE", "SECOND") else value
    made = call(function, inner, type="BIGINT")
    if plus:
        op = exp.Add if plus > 0 else exp.Sub
        made = exp.Paren(this=op(this=made, expression=number(abs(plus))))
        made.type = exp.DataType.build("BIGINT")
    return made


def _extract(node: Any) -> exp.Expr:
    _moment(node.expression, "extract()")
    return part(node.this.name.upper(), node.expression)


def _last(node: Any) -> exp.Expr:
    _moment(node.this, "last_day()")
    return call("LAST_DAY", cast(node.this, "DATE"), type="DATE")


def _made(node: Any) -> exp.Expr:
    parts = [node.args.get(name) for name in ("year", "month", "day")]
    if any(value is None or kind(value) not in ("int", "null") for value in parts):
        refuse("make_date() of this", "it is not shown to agree there")
    return call("MAKE_DATE", *(cast(value, "INTEGER") for value in parts if value is not None), type="DATE")


def _named(pattern: str) -> Any:
    def rule(node: Any) -> exp.Expr:
        _moment(node.this, f"{node.key}()")
        return call("DATE_FORMAT", stamp(node.this), pattern, type="VARCHAR")

    return rule


# strftime's directives in Java's letters.
JAVA = {
    "%Y": "yyyy", "%m": "MM", "%d": "dd", "%H": "HH", "%M": "mm", "%S": "ss", "%f": "SSSSSS", "%y": "yy", "%b": "MMM",
    "%B": "MMMM", "%a": "EEE", "%A": "EEEE", "%p": "a", "%I": "hh", "%j": "DDD", "%-d": "d", "%-m": "M", "%-H": "H",
    "%-I": "h", "%-M": "m", "%-S": "s", "%-j": "D", "%%": "%",
}  # fmt: skip


def _formatted(node: Any) -> exp.Expr:
    _moment(node.this, "strftime()")
    found = literal_text(node.args.get("format"))
    if found is None:
        refuse("strftime() with a format that is no constant", "Java spells formats in another way")
    return call("DATE_FORMAT", stamp(node.this), java_format(found), type="VARCHAR")


def java_format(found: str) -> str:
    """Return a strftime format in Java's letters.

    >>> java_format("%Y at %H")
    "yyyy' at 'HH"
    >>> java_format("100%% %d")
    "'100% 'dd"
    """
    out, plain = "", ""
    # Two quoted texts side by side would be a quoted quote, so %% joins the text around it.
    for directive, sign in re.findall(r"(%-?.)|(.)", found + "\0", re.DOTALL):
        if (sign and sign != "\0") or directive == "%%":
            plain += sign or "%"
            continue
        if plain:
            out += "'" + plain.replace("'", "''") + "'"
            plain = ""
        if directive and directive not in JAVA:
            refuse(f"{directive} in strftime()", "it is not shown to agree there")
        out += JAVA.get(directive, "")
    return out


RULES: dict[type[exp.Expr], Any] = {
    exp.Add: _add,
    exp.Sub: _sub,
    exp.DateAdd: _date_add,
    exp.DateSub: _date_add,
    exp.DateDiff: _difference,
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
    exp.TimeToStr: _formatted,
}
