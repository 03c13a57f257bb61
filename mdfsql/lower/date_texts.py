"""Dates and timestamps as text in a format, and back: strftime() and strptime()."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from mdfsql.lower.date_parts import part_of
from mdfsql.lower.moments import moment, operated, stamp
from mdfsql.lower.rules import (
    call,
    case,
    cast,
    is_null,
    kind,
    literal_text,
    null,
    number,
    of_kind,
    raised,
    refuse,
    text,
)

__all__ = ["TO_TEXT", "formatted", "parsed"]


def _padded(value: exp.Expr, width: int) -> exp.Expr:
    return call("LPAD", cast(value, "VARCHAR"), width, "0", type="VARCHAR")


def _year(part: str) -> Callable[[exp.Expr], exp.Expr]:
    """Return a year as text: Java would write one before the first by its era, and a plus before those of 5 digits."""

    def made(value: exp.Expr) -> exp.Expr:
        year = part_of(part, value)
        four = exp.Between(this=year, low=number(0), high=number(9999))
        return case((four, _padded(year, 4)), default=cast(year, "VARCHAR"))

    return made


def _short_year(value: exp.Expr) -> exp.Expr:
    return operated(exp.Mod, call("ABS", part_of("YEAR", value), type="BIGINT"), 100)


def _week(first: str, shift: int) -> Callable[[exp.Expr], exp.Expr]:
    """Return the week of the year, of which the first begins with the year's first Sunday or Monday."""

    def made(value: exp.Expr) -> exp.Expr:
        weekday = operated(exp.Sub, part_of(first, value), shift)
        days = operated(exp.Sub, operated(exp.Add, part_of("DOY", value), 6), weekday)
        return _padded(operated(exp.IntDiv, days, 7), 2)

    return made


def _zone(value: exp.Expr) -> exp.Expr:
    return text("UTC" if kind(value) == "timestamptz" else "")


# strftime's directives: Java's letters, or what makes the text where those would be wrong for some year or missing.
TO_TEXT: dict[str, str | Callable[[exp.Expr], exp.Expr]] = {
    "%m": "MM", "%d": "dd", "%H": "HH", "%M": "mm", "%S": "ss", "%f": "SSSSSS", "%g": "SSS",
    "%b": "MMM", "%h": "MMM", "%B": "MMMM", "%a": "EEE", "%A": "EEEE", "%p": "a", "%I": "hh", "%j": "DDD", "%-d": "d",
    "%-m": "M", "%-H": "H", "%-I": "h", "%-M": "m", "%-S": "s", "%-j": "D",
    "%Y": _year("YEAR"),
    "%G": _year("ISOYEAR"),
    "%y": lambda value: _padded(_short_year(value), 2),
    "%-y": lambda value: cast(_short_year(value), "VARCHAR"),
    "%w": lambda value: cast(part_of("DOW", value), "VARCHAR"),
    "%u": lambda value: cast(part_of("ISODOW", value), "VARCHAR"),
    "%V": lambda value: _padded(part_of("WEEK", value), 2),
    "%U": _week("DOW", 0),
    "%W": _week("ISODOW", 1),
    "%z": lambda value: text("+00"),
    "%Z": _zone,
}  # fmt: skip
# Directives that stand for several.
LONG = {"%c": "%Y-%m-%d %H:%M:%S", "%x": "%Y-%m-%d", "%X": "%H:%M:%S"}


def formatted(node: Any) -> exp.Expr:
    """Return strftime(): the text of a moment in a format that is known before it runs."""
    value, format = node.this, node.args.get("format")
    if literal_text(value) is not None:
        value, format = format, value  # either may stand first
    moment(value, "strftime()")
    pieces: list[exp.Expr] = []
    java = plain = ""

    def flush(*, all: bool = True) -> None:
        nonlocal java, plain
        if plain:
            java += "'" + plain.replace("'", "''") + "'"
            plain = ""
        if java and all:
            pieces.append(call("DATE_FORMAT", stamp(value), java, type="VARCHAR"))
            java = ""

    for part in directives(_format(format, "strftime()")):
        made = TO_TEXT.get(part)
        if part == "%%" or not part.startswith("%"):
            # Two quoted texts side by side would be a quoted quote, so a sign joins the text around it.
            plain += part[0]
        elif isinstance(made, str):
            flush(all=False)
            java += made
        elif made is not None:
            flush()
            pieces.append(made(value))
        else:
            refuse(f"{part} in strftime()", "it is not shown to agree there")
    flush()
    whole = pieces[0] if len(pieces) == 1 else call("CONCAT", *pieces, type="VARCHAR")
    if all(isinstance(piece, exp.Literal) for piece in pieces):
        return case((is_null(value), cast(null(), "VARCHAR")), default=whole)
    return whole


def _format(node: exp.Expr | None, what: str) -> str:
    found = literal_text(node)
    if found is None:
        refuse(f"{what} with a format that is no constant", "Java spells formats in another way")
    return found


def directives(format: str) -> list[str]:
    """Return the directives and the characters of a format.

    >>> directives("%Y at %-H")
    ['%Y', ' ', 'a', 't', ' ', '%-H']
    """
    for short, long in LONG.items():
        format = re.sub(rf"(?<!%)((?:%%)*){short}", rf"\1{long}", format)
    return re.findall(r"%-?.|.", format, re.DOTALL)


DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
SPACE = r"[ \t\n\x0B\f\r]"


def _names(names: list[str], length: int | None = None) -> str:
    return f"((?i:{'|'.join(name[:length] for name in names)}))"


# Of two digits both are taken, so that one alone stands before no other.
ONE = "(?![0-9])"
# strptime's directives: the field, and the pattern of its text.
FROM_TEXT: dict[str, tuple[str, str]] = {
    "%Y": ("year", "([0-9]{1,4}+)"),
    "%y": ("short", "([0-9]{1,2}+)"),
    "%m": ("month", f"(0[1-9]|1[0-2]|[1-9]{ONE})"),
    "%d": ("day", f"(0[1-9]|[12][0-9]|3[01]|[1-9]{ONE})"),
    "%H": ("hour", f"([01][0-9]|2[0-3]|[0-9]{ONE})"),
    "%I": ("hour", f"(0[1-9]|1[0-2]|[1-9]{ONE})"),
    "%M": ("minute", f"([0-5][0-9]|[0-9]{ONE})"),
    "%S": ("second", f"([0-5][0-9]|[0-9]{ONE})"),
    "%f": ("fraction", "([0-9]{1,6}+)"),
    "%g": ("fraction", "([0-9]{1,3}+)"),
    "%p": ("half", "([AaPp])[Mm]"),
    "%b": ("name", _names(MONTHS, 3)),
    "%B": ("name", _names(MONTHS)),
    "%a": ("weekday", _names(DAYS, 3)),
    "%A": ("weekday", _names(DAYS)),
}
FROM_TEXT |= {f"%-{part[1]}": FROM_TEXT[part] for part in ("%d", "%m", "%y", "%H", "%I", "%M", "%S")}


def pattern(format: str, what: str = "strptime()") -> tuple[str, list[str]]:
    """Return the pattern of the texts that have a format, and the fields of its groups.

    >>> pattern("%Y!")[1]
    ['year']
    """
    made, fields = "", []
    parts = directives(format)
    for i, part in enumerate(parts):
        if part in FROM_TEXT:
            field, shape = FROM_TEXT[part]
            if field in fields:
                refuse(f"{what} with {part} beside another of its kind", "it is not shown to agree there")
            fields.append(field)
            made += shape
        elif part.startswith("%") and part != "%%":
            refuse(f"{part} in {what}", "it is not shown to agree there")
        elif re.fullmatch(SPACE, part):
            # A run of spaces stands for any run of them.
            made += "" if i and re.fullmatch(SPACE, parts[i - 1]) else f"{SPACE}++"
        else:
            made += part[0] if part[0].isalnum() or ord(part[0]) > 127 else "\\" + part[0]
    if "half" in fields and "%I" not in format and "%-I" not in format:
        refuse(f"{what} with %p and without %I", "it is not shown to agree there")
    return rf"^{SPACE}*+{made}{SPACE}*+\z", fields


# Texts that the reference takes for a moment whatever the format.
SPECIAL = rf"^{SPACE}*+-?(?i:infinity|epoch)"


def parsed(value: exp.Expr, format: exp.Expr | None, *, trying: bool) -> exp.Expr:
    """Return strptime() of a text, or try_strptime(), which is NULL where the other raises."""
    what = "try_strptime()" if trying else "strptime()"
    of_kind(value, what, "text", "null")
    if isinstance(format, exp.Array) and format.expressions:
        return _first_parsed(value, format.expressions, what, trying)
    shape, fields = pattern(_format(format, what), what)
    got = {
        field: call("REGEXP_EXTRACT", value, shape, i, type="VARCHAR") for i, field in enumerate(fields, 1)
    }  # fmt: skip
    pieces: list[exp.Expr | str] = [
        _year_of(got), "-", _month_of(got), "-", got.get("day", text("1")), " ", _hour_of(got), ":",
        got.get("minute", text("0")), ":", got.get("second", text("0")), ".", got.get("fraction", text("0")),
    ]  # fmt: skip
    made = exp.TryCast(
        this=call("CONCAT", *pieces, type="VARCHAR"), to=exp.DataType.build("TIMESTAMP", "duckdb"), safe=True
    )
    made.type = made.to
    # The pattern has held the text already, save for the length of the month.
    made.meta["exact"] = True
    bad = raised(call("CONCAT", f"{what}: no such moment: '", value, "'", type="VARCHAR"))
    return case(
        (is_null(value), cast(null(), "TIMESTAMP")),
        (call("RLIKE", value, SPECIAL, type="BOOLEAN"), bad),
        (call("RLIKE", value, shape, type="BOOLEAN"), made if trying else exp.Coalesce(this=made, expressions=[bad])),
        default=cast(null(), "TIMESTAMP") if trying else bad,
    )


def _first_parsed(value: exp.Expr, formats: list[exp.Expr], what: str, trying: bool) -> exp.Expr:
    """Return what the first of the formats that fits makes of a text."""
    tried = [parsed(value, format, trying=True) for format in formats]
    bad = raised(call("CONCAT", f"{what}: no such moment: '", value, "'", type="VARCHAR"))
    none = case((is_null(value), cast(null(), "TIMESTAMP")), default=cast(null(), "TIMESTAMP") if trying else bad)
    made = exp.Coalesce(this=tried[0], expressions=[*tried[1:], none])
    made.type = tried[0].type
    return made


def _year_of(got: dict[str, exp.Expr]) -> exp.Expr:
    if "short" in got:
        late = exp.GTE(this=cast(got["short"], "INTEGER"), expression=number(69))
        return call("CONCAT", case((late, text("19")), default=text("20")), _padded(got["short"], 2), type="VARCHAR")
    return _padded(got["year"], 4) if "year" in got else text("1900")


def _month_of(got: dict[str, exp.Expr]) -> exp.Expr:
    if "name" not in got:
        return got.get("month", text("1"))
    start = call("LOWER", call("SUBSTRING", got["name"], 1, 3, type="VARCHAR"), type="VARCHAR")
    short = "".join(name[:3].lower() for name in MONTHS)
    at = call("LOCATE", start, short, type="INTEGER")
    return cast(operated(exp.IntDiv, operated(exp.Add, at, 2), 3), "VARCHAR")


def _hour_of(got: dict[str, exp.Expr]) -> exp.Expr:
    if "half" not in got or "hour" not in got:
        return got.get("hour", text("0"))
    hour = operated(exp.Mod, cast(got["hour"], "INTEGER"), 12)
    late = exp.EQ(this=call("LOWER", got["half"], type="VARCHAR"), expression=text("p"))
    return cast(operated(exp.Add, hour, case((late, number(12)), default=number(0))), "VARCHAR")
