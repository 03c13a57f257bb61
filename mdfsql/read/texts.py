"""Rules of text that several dialects share: places before the first letter, patterns, case, and pieces."""

from __future__ import annotations

import re

from sqlglot import exp

from mdfsql.lower.exact_text import SAFE_LETTERS
from mdfsql.read.common import whole
from mdfsql.read.meaning import Call, Rule, build, kind, literal, written

__all__ = ["CASE", "REVERSED", "ilike", "padded", "pieces", "places", "re2", "re2_extract", "re2_replace"]

# The letters of which engines make the same, as the reference's library of patterns writes them.
SAFE = re.sub(r"\\u([0-9A-F]{4})", r"\\x{\1}", SAFE_LETTERS)


def of_safe_letters(name: str, form: str, what: str) -> str:
    """Return the line of a function of text, which raises for letters that engines disagree on."""
    return rf"""
{name}(text) VARCHAR = CASE WHEN NOT regexp_matches($1, '{SAFE}')
    THEN error('{what}(): engines disagree on a letter of ' || $1) ELSE {form} END"""


CASE = "".join(of_safe_letters(name, f"{name}($1)", name) for name in ("upper", "lower"))
REVERSED = of_safe_letters("reverse", "reverse($1)", "reverse")


def constant(node: exp.Expr | None) -> int | None:
    """Return a whole number that is written out, with or without a sign, or None."""
    if isinstance(node, exp.Paren):
        return constant(node.this)
    if isinstance(node, exp.Neg):
        inner = constant(node.this)
        return None if inner is None else -inner
    return None if node is None else whole(node)


def places(zero: str, below: str, beyond: str = "") -> Rule:
    """Return the rule of substring() with constant places.

    ``zero`` and ``below`` say what a place before the first letter is: "empty" text; "first", the first letter;
    "before", as many letters before it, which are none; "end", counted from the end, where ``beyond`` says what is
    left of the first letter.
    """

    def rule(call: Call) -> exp.Expr:
        value, *given = call.arguments
        if kind(value) not in ("text", "null") or len(given) not in (1, 2):
            call.refuse("it is read for text, a place, and a length")
        start, length = constant(given[0]), constant(given[1]) if len(given) == 2 else None
        if start is None or (len(given) == 2 and (length is None or length < 0)):
            call.refuse("it is read with constant places and lengths, none of them below zero but the first")
        made = written(_taken(start, length, zero if start == 0 else below if start < 0 else "", beyond), [value])
        made.type = build("VARCHAR")
        return made

    return rule


def _taken(start: int, length: int | None, what: str, beyond: str) -> str:
    """Return the form of the letters from a place on."""
    if what == "empty":
        return "substring($1, 1, 0)"
    if what == "before" and length is not None:
        start, length = 1, max(start + length - 1, 0)
    if what == "end":
        size = -start
        rest = "" if length is None else f", {length}"
        short = {"empty": "substring($1, 1, 0)", "first": f"substring($1, 1{rest})"}[beyond]
        return f"CASE WHEN length($1) < {size} THEN {short} ELSE substring($1, length($1) - {size - 1}{rest}) END"
    return f"substring($1, {max(start, 1)}{'' if length is None else f', {length}'})"


def padded(call: Call) -> exp.Expr:
    """Return lpad() or rpad() to a constant width with a constant that is not empty, a blank where none is given."""
    value, *given = call.arguments
    width, fill = constant(given[0]) if given else None, literal(given[1]) if len(given) == 2 else " "
    if kind(value) not in ("text", "null") or width is None or width < 0 or not fill or len(given) > 2:
        call.refuse("it is read for text, a constant width, and a constant to fill with, which is not empty")
    made = written(f"{call.name}($1, $2, $3)", [value, exp.Literal.number(width), exp.Literal.string(fill)])
    made.type = build("VARCHAR")
    return made


def pieces(form: str, of: str) -> Rule:
    """Return the rule of a function of text and a constant to split it by, which is not empty."""

    def rule(call: Call) -> exp.Expr:
        value, by, *place = call.arguments if len(call.arguments) > 1 else [call.node, call.node]
        if kind(value) not in ("text", "null") or not literal(by) or len(place) != int("$3" in form):
            call.refuse("it is read for text and a constant that is not empty")
        if place and not constant(place[0]):
            call.refuse("it is read with a constant place, which is not zero")
        if place and (constant(place[0]) or 0) < 0 and "len(" in form:
            call.refuse("places are counted from 1 there")
        made = written(form, call.arguments)
        made.type = build(of)
        return made

    return rule


def ilike(call: Call) -> exp.Expr:
    """Return LIKE of letters in any case: of those that have the same two cases everywhere."""
    value, pattern = call.arguments if len(call.arguments) == 2 else (call.node, call.node)
    text = literal(pattern)
    if kind(value) not in ("text", "null") or text is None or not text.isascii() or "\\" in text:
        call.refuse("it is read for text and a constant pattern of ASCII without a backslash")
    form = (
        f"CASE WHEN NOT regexp_matches($1, '{SAFE}') "
        "THEN error('engines disagree on a letter of ' || $1) ELSE lower($1) LIKE $2 END"
    )
    made = written(form, [value, exp.Literal.string(text.lower())])
    made.type = build("BOOLEAN")
    return made


# ---- patterns of RE2, which the reference has too ------------------------------------------------------------------


def _re2(call: Call, count: int) -> tuple[exp.Expr, str, int]:
    """Return the text that is searched, the constant pattern, and how many groups it has."""
    if len(call.arguments) != count or kind(call.arguments[0]) not in ("text", "null"):
        call.refuse("it is read for text and a constant pattern")
    text = literal(call.arguments[1])
    try:
        groups = re.compile(text).groups if text is not None else -1
    except re.error:
        groups = -1
    if text is None or groups < 0 or not text.isascii():
        call.refuse("it is read for a constant pattern, of ASCII")
    return call.arguments[0], text, groups


def re2(call: Call) -> exp.Expr:
    """Return whether a text holds a pattern."""
    _re2(call, 2)
    made = written("regexp_matches($1, $2)", call.arguments)
    made.type = build("BOOLEAN")
    return made


def re2_extract(call: Call) -> exp.Expr:
    """Return the first match, or that of the one group in it; NULL where there is none."""
    _, text, groups = _re2(call, 2)
    if groups > 1 or (groups and re.search(r"\|{1}|\)[?*]|\)\{0", text)):
        call.refuse("it is read for a pattern with one group at most, which is in each match")
    form = f"CASE WHEN regexp_matches($1, $2) THEN regexp_extract($1, $2, {groups}) END"
    made = written(form, call.arguments)
    made.type = build("VARCHAR")
    return made


def re2_replace(call: Call) -> exp.Expr:
    """Return a text with all matches replaced."""
    _, text, _ = _re2(call, 3)
    by = literal(call.arguments[2])
    if by is None or "\\" in by or re.fullmatch(text, ""):
        call.refuse("it is read for a pattern that does not match nothing, and a constant without a backslash")
    made = written("regexp_replace($1, $2, $3, 'g')", call.arguments)
    made.type = build("VARCHAR")
    return made
