"""format() and printf(), and the patterns of GLOB."""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from mdfsql.lower.rules import call, case, cast, is_null, kind, literal_text, null, number, paren, raised, refuse, text
from mdfsql.lower.value_texts import value_text

__all__ = ["format_text", "glob_pattern", "printf_text"]

# What stands for a value: {} and {:spec}, or %spec; a doubled sign stands for itself.
BRACES = re.compile(r"(\{\{|\}\})|\{(?::([^{}]*))?\}|([{}])")
PERCENT = re.compile(r"(%%)|%([-+,0 ]?[0-9]*(?:\.[0-9]+)?[a-zA-Z])|(%)")

PLACES = re.compile(r"\.([0-9]{1,2})f")


def format_text(node: Any) -> exp.Expr:
    """Return format() with its values where {} stands."""
    return _filled(node.this, node.expressions, BRACES, "format()")


def printf_text(node: exp.Anonymous) -> exp.Expr:
    """Return printf() with its values where %d and the like stand."""
    return _filled(node.expressions[0], node.expressions[1:], PERCENT, "printf()")


def _filled(given: Any, values: list[Any], signs: re.Pattern[str], what: str) -> exp.Expr:
    pattern, parts, left, at = literal_text(given), [], list(values), 0
    if pattern is None:
        refuse(f"{what} with a format that is no constant", "it must be known before it runs")
    for found in signs.finditer(pattern):
        parts.append(text(pattern[at : found.start()]))
        at = found.end()
        doubled, spec, stray = found.groups()
        if doubled:
            parts.append(text(doubled[0]))
        elif stray or not left:
            refuse(f"{what} with this format", "it is not shown to agree there", "||")
        else:
            parts.append(_spelled(left.pop(0), spec or "", what))
    parts.append(text(pattern[at:]))
    if left:
        refuse(f"{what} of more values than it writes", "it is not shown to agree there")
    # NULL anywhere makes all of it NULL.
    return call("CONCAT", *(part for part in parts if literal_text(part) != ""), text(""), type="VARCHAR")


def _spelled(value: exp.Expr, spec: str, what: str) -> exp.Expr:
    found = kind(value)
    plain = spec == "s" if what == "printf()" else spec == ""
    if plain and found in ("text", "bool", "date", "timestamp", "null"):
        return value_text(value)
    if plain and what == "format()" and found in ("int", "double"):
        return value_text(value)
    if found == "int" and _whole(spec, what):
        # NULL would be written as null.
        sign = spec.rstrip("di")
        made = cast(value, "VARCHAR") if not sign else call("FORMAT_STRING", f"%{sign}d", value, type="VARCHAR")
        return case((is_null(value), null()), default=made)
    if found == "double" and (places := PLACES.fullmatch(spec)) and int(places[1]) <= 15:
        return _fixed(value, int(places[1]))
    return refuse(f"{what} of {found.upper()} as {spec or '{}'}", "it is not shown to agree there", "||, or strftime()")


def _whole(spec: str, what: str) -> bool:
    """Tell whether a format is that of an integer, which Java has too."""
    found = re.fullmatch(r"([-+,0]?)([1-9][0-9]?)?([di]?)", spec)
    if found is None or (what == "printf()" and not found[3]) or (what == "format()" and found[3] == "i"):
        return False
    # A width of format() without a sign, and both with - and 0, need one.
    return bool(found[2]) if found[1] in ("-", "0") else not (what == "format()" and found[1] == "+")


def _fixed(value: exp.Expr, places: int) -> exp.Expr:
    """Return a DOUBLE with so many places."""
    # Both round the binary value itself, half to even. Past 15 digits there are zeros there, and DuckDB has digits.
    size = call("ABS", value, type="DOUBLE")
    infinite = exp.EQ(this=size, expression=number(float("inf")))
    unsafe = exp.GTE(this=size.copy(), expression=number(float(10 ** (15 - places))))
    sign = case((exp.LT(this=paren(value), expression=number(0.0)), text("-inf")), default=text("inf"))
    made = call("FORMAT_NUMBER", value, f"{0:.{places}f}", type="VARCHAR")
    message = "format(): a NaN, or a number of more than 15 digits, is written in another way there"
    return case((infinite, sign), (unsafe, raised(message)), default=made)


# ---- GLOB --------------------------------------------------------------------------------------------------------


def glob_pattern(pattern: str) -> str:
    """Return a GLOB pattern as Java's, over one sign for each byte.

    >>> glob_pattern("a*[!b-d]?")
    '\\\\A(?s:a.*[^b-d].)\\\\z'
    """
    out, i, data = "", 0, pattern.encode().decode("latin-1")
    while i < len(data):
        sign = data[i]
        if sign in "*?":
            out += ".*" if sign == "*" else "."
        elif sign == "[":
            found = re.compile(r"\[(!?)((?:[0-9A-Za-z_.](?:-[0-9A-Za-z])?)+)\]").match(data, i)
            if found is None or any(a > b for a, b in re.findall(r"(.)-(.)", found[2])):
                refuse(f"GLOB {pattern!r}", "only letters, digits and ranges of them in [...] are shown to agree there")
            out += f"[{'^' if found[1] else ''}{found[2]}]"
            i = found.end() - 1
        elif sign == "\\":
            i += 1
            if i == len(data):
                refuse(f"GLOB {pattern!r}", "it ends in the middle of an escape")
            out += _literal(data[i])
        else:
            out += _literal(sign)
        i += 1
    return rf"\A(?s:{out})\z"


def _literal(sign: str) -> str:
    return sign if sign.isalnum() and sign.isascii() else f"\\x{ord(sign):02x}"
