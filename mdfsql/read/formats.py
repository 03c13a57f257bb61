"""Rules of moments as text, and of text as moments, by constant patterns."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlglot import exp

from mdfsql.read.meaning import Call, Rule, build, kind, literal, written

__all__ = ["C_LETTERS", "LETTERS", "NUMBERED", "formatted", "parsed", "spelled"]

MOMENTS = ("date", "timestamp", "instant")
# What is written alike in C and in the reference.
LETTERS = {letter: f"%{letter}" for letter in "YymdHMSjBbAa"}
# Those of date_format() in MySQL, and where its letters came to.
C_LETTERS = {
    **{letter: f"%{letter}" for letter in "YymdHSjbapf"},
    "M": "%B",
    "W": "%A",
    "i": "%M",
    "s": "%S",
    "I": "%I",
    "h": "%I",
    "T": "%H:%M:%S",
}


def formatted(letters: Mapping[str, str], value_at: int) -> Rule:
    """Return the rule of a day or moment as text, by a constant pattern of % and a letter."""

    def rule(call: Call) -> exp.Expr:
        if len(call.arguments) != 2:
            call.refuse("it is read with a pattern and a day or moment")
        value, pattern = call.arguments[value_at], literal(call.arguments[1 - value_at])
        if pattern is None or kind(value) not in MOMENTS:
            call.refuse("it is read for a day or moment and a constant pattern")
        unknown = [f"%{letter}" for letter in re.findall(r"%(.?)", pattern, re.DOTALL) if letter not in letters]
        if unknown:
            call.refuse(f"{unknown[0]} in a pattern is not read: {' '.join(f'%{letter}' for letter in letters)} are")
        shape = re.sub(r"%(.)", lambda found: letters[found.group(1)], pattern)
        made = written("strftime(CAST($1 AS TIMESTAMP), $2)", [value, exp.Literal.string(shape)])
        made.type = build("VARCHAR")
        return made

    return rule


def spelled(words: Mapping[str, str], *, any_case: bool) -> Rule:
    """Return the rule of a moment as text, by a constant pattern of words as YYYY and MM."""
    cut = re.compile("|".join(sorted(words, key=len, reverse=True)), re.IGNORECASE if any_case else 0)

    def rule(call: Call) -> exp.Expr | None:
        if len(call.arguments) != 2:
            return None
        value, pattern = call.arguments[0], literal(call.arguments[1])
        if pattern is None or kind(value) not in MOMENTS:
            call.refuse("it is read for a day or moment and a constant pattern")
        if unknown := re.search(r"[^ ,.:/_-]", cut.sub("", pattern)):
            call.refuse(f"{unknown[0]!r} in its pattern is not read: {' '.join(words)} are")
        shape = cut.sub(lambda found: words[found[0].upper() if any_case else found[0]], pattern)
        made = written("strftime(CAST($1 AS TIMESTAMP), $2)", [value, exp.Literal.string(shape)])
        made.type = build("VARCHAR")
        return made

    return rule


# Words that are written alike where patterns are made of them.
NUMBERED = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "HH24": "%H", "HH12": "%I", "MI": "%M", "SS": "%S"}

# What is read by a pattern, and how it is written in full.
FULL = {
    "%Y-%m-%d": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "%Y%m%d": r"[0-9]{8}",
    "%Y-%m-%d %H:%M:%S": r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}",
}


def parsed(of: str, value_at: int, letters: Mapping[str, str]) -> Rule:
    """Return the rule of text that is read by a constant pattern: what is not written in full raises."""

    def rule(call: Call) -> exp.Expr:
        if len(call.arguments) != 2:
            call.refuse("it is read with text and a pattern")
        value, pattern = call.arguments[value_at], literal(call.arguments[1 - value_at])
        shape = re.sub(r"%(.)", lambda found: letters.get(found[1], found[0]), pattern or "")
        if shape not in FULL or kind(value) not in ("text", "null"):
            call.refuse("it is read for text and a constant pattern of whole days and seconds, as %Y-%m-%d")
        constant = literal(value)
        if constant is not None and not re.fullmatch(FULL[shape], constant):
            call.refuse(f"the text {constant!r} is not written in full by its pattern")
        plain = f"$1 IS NULL OR regexp_full_match($1, '{FULL[shape]}')"
        form = f"CASE WHEN {plain} THEN CAST(strptime($1, $2) AS {of}) ELSE error('not so written: ' || $1) END"
        made = written(form, [value, exp.Literal.string(shape)])
        made.type = build(of)
        return made

    return rule
