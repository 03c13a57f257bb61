"""Regular expressions: from RE2, the reference's, to Java's."""

from __future__ import annotations

import re
import warnings
from typing import Any

from sqlglot import exp

from mdfsql.lower.rules import call, each, integer, kind, literal_text, number, refuse

__all__ = ["exact_regex", "java_pattern"]


def exact_regex(tree: exp.Expr) -> exp.Expr:
    """regexp_replace() replaces the first match only, and a pattern is written so that Java reads it as RE2 does."""
    return each(tree, RULES)


# What an escaped letter stands for outside and inside of a class; both engines take them alike when written so.
CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r "}
CONTROLS = frozenset("tnrfa")
SIGNS = frozenset(r"\.+*?()|[]{}^$-/_ :;,'\"#@!%&=<>~`")


def java_pattern(pattern: str, *, fold: bool = False, dotall: bool = False) -> str:
    """Return an RE2 pattern as Java's; Unsupported for what the two do not share.

    ``fold`` takes upper and lower case for one, ``dotall`` lets a dot be a newline.

    >>> print(java_pattern(r"^\\d+.$"))
    ^[0-9]+[^\\n]\\z
    """
    out, i = "", 0
    while i < len(pattern):
        sign, after = pattern[i], pattern[i + 1 : i + 2]
        if sign == "\\":
            out += _escaped(after, inside=False)
            i += 2
        elif sign == "[":
            if fold:
                _no("[...] without regard to case")
            made, i = _class(pattern, i)
            out += made
        elif sign == "(":
            if after == "?" and pattern[i + 2 : i + 3] != ":":
                _no("a group that begins with (?")
            out += sign
            i += 1
        elif sign == ".":
            out += "(?s:.)" if dotall else r"[^\n]"
            i += 1
        elif sign == "$":
            out += r"\z"
            i += 1
        elif sign in "*+?}":
            if after == "+":
                _no("a quantifier before +")
            out += sign
            i += 1
        elif sign == "{" and not re.match(r"\{\d+(,\d*)?\}", pattern[i:]):
            out += r"\{"
            i += 1
        else:
            out += _folded(sign) if fold else sign
            i += 1
    return out


# Signs beyond ASCII that are a letter of ASCII without regard to case.
PARTNERS = {"k": "\u212a", "s": "\u017f"}


def _folded(sign: str) -> str:
    if not sign.isascii():
        _no(f"{sign} without regard to case")
    return f"[{sign.lower()}{sign.upper()}{PARTNERS.get(sign.lower(), '')}]" if sign.isalpha() else sign


def _escaped(letter: str, *, inside: bool) -> str:
    if letter.lower() in CLASSES and letter:
        if letter.islower():
            return CLASSES[letter] if inside else f"[{CLASSES[letter]}]"
        if inside:
            _no(f"\\{letter} inside of [...]")
        return f"[^{CLASSES[letter.lower()]}]"
    if letter in CONTROLS or letter in SIGNS:
        return "\\" + letter
    return _no(f"\\{letter}")


def _class(pattern: str, start: int) -> tuple[str, int]:
    """Return a character class and where it ends."""
    i = start + 1
    out = "["
    if pattern[i : i + 1] == "^":
        out += "^"
        i += 1
    first = True
    while i < len(pattern) and (pattern[i] != "]" or first):
        first = False
        if pattern[i] == "\\":
            out += _escaped(pattern[i + 1 : i + 2], inside=True)
            i += 2
            continue
        if pattern[i] == "[":
            if pattern[i + 1 : i + 2] == ":":
                _no("[:class:]")
            out += r"\["
        elif pattern[i] in "&]":
            out += "\\" + pattern[i]
        else:
            out += pattern[i]
        i += 1
    return out + "]", i + 1


def _no(what: str) -> Any:
    refuse(f"{what} in a regular expression", "RE2 and Java read it each in its own way")


def _options(node: exp.Expr | None, known: str) -> str:
    found = "" if node is None else literal_text(node)
    if found is None or set(found) - set(known):
        refuse("a regular expression with these options", f"only {', '.join(known)} are shown to agree there")
    return found


def _pattern(node: exp.Expr | None, options: str = "") -> str:
    found = literal_text(node)
    if found is None:
        refuse("a regular expression that is no constant", "RE2 and Java read patterns each in its own way")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(found)
    except re.error as error:
        refuse(f"the regular expression {found!r}", f"it is no pattern that all engines share: {error}")
    return java_pattern(found, fold=_last(options, "ic") == "i", dotall="s" in options)


def _last(options: str, of: str) -> str:
    return next((sign for sign in reversed(options) if sign in of), "")


def _subject(node: exp.Expr) -> None:
    if kind(node) not in ("text", "null"):
        refuse(f"a regular expression on {kind(node).upper()}", "it is not shown to agree there", "CAST it to VARCHAR")


def _matches(node: Any) -> exp.Expr:
    _subject(node.this)
    options = _options(node.args.get("flag"), "ics")
    return call("RLIKE", node.this, _pattern(node.expression, options), type="BOOLEAN")


def _full(node: Any) -> exp.Expr:
    _subject(node.this)
    options = _options(node.args.get("options"), "ics")
    return call("RLIKE", node.this, rf"\A(?:{_pattern(node.expression, options)})\z", type="BOOLEAN")


def _replacement(node: exp.Expr | None, shift: int) -> str:
    found = literal_text(node)
    if found is None:
        refuse("a replacement that is no constant", "a backslash in it has another meaning there")
    out, i = "", 0
    while i < len(found):
        if found[i] == "\\":
            after = found[i + 1 : i + 2]
            if after.isdigit():
                # Braces are no part of Java's numbered groups, so a digit after one must not join it.
                if found[i + 2 : i + 3].isdigit():
                    refuse("a group before a digit in a replacement", "Java takes the digits together")
                out += f"${int(after) + shift}"
            elif after == "\\":
                out += "\\\\"
            else:
                refuse(f"\\{after} in a replacement", "RE2 and Java read it each in its own way")
            i += 2
            continue
        out += "\\$" if found[i] == "$" else found[i]
        i += 1
    return out


def _replace(node: Any) -> exp.Expr:
    _subject(node.this)
    options = _options(node.args.get("modifiers"), "gics")
    pattern = _pattern(node.expression, options)
    if "g" in options:
        if re.search(str(literal_text(node.expression)), ""):
            refuse("regexp_replace() of all matches with a pattern that matches ''", "the empty matches differ")
        arguments = (pattern, _replacement(node.args["replacement"], 0))
    else:
        # All that comes before the first match is taken with it and put back.
        before = r"\A((?s:.*?))"
        kept = "$1" + _replacement(node.args["replacement"], 1)
        if "\\0" in str(literal_text(node.args["replacement"])):
            pattern, kept = f"({pattern})", "$1" + _replacement(node.args["replacement"], 2)
        arguments = (f"{before}(?:{pattern})", kept)
    return call("REGEXP_REPLACE", node.this, *arguments, type="VARCHAR")


def _extract(node: Any) -> exp.Expr:
    _subject(node.this)
    if node.args.get("position") or node.args.get("occurrence"):
        refuse("regexp_extract() from a position", "it is not shown to agree there")
    group = integer(node.args.get("group")) if node.args.get("group") is not None else 0
    pattern = _pattern(node.expression, _options(node.args.get("parameters"), "ics"))
    if group is None or not 0 <= group <= re.compile(str(literal_text(node.expression))).groups:
        refuse("regexp_extract() of a group that is no constant or not there", "it is not shown to agree there")
    return call("REGEXP_EXTRACT", node.this, pattern, number(group), type="VARCHAR")


def _extract_all(node: Any) -> exp.Expr:
    _subject(node.this)
    # A group that took no part is NULL in the reference and '' there.
    if integer(node.args.get("group")) not in (None, 0) or node.args.get("parameters"):
        refuse("regexp_extract_all() of a group, or with options", "they are not shown to agree there")
    _not_empty(node.expression, "regexp_extract_all()")
    return call("REGEXP_EXTRACT_ALL", node.this, _pattern(node.expression), number(0), type="VARCHAR[]")


def _split(node: Any) -> exp.Expr:
    _subject(node.this)
    _not_empty(node.expression, "regexp_split_to_array()")
    return call("SPLIT", node.this, _pattern(node.expression), type="VARCHAR[]")


def _not_empty(node: exp.Expr | None, what: str) -> None:
    pattern = _pattern(node)
    # A pattern of what stands around a match, like ^, takes nothing either.
    if re.search(str(literal_text(node)), "") or re.search(r"[\^$|?*{]|\\[zAbB]", pattern.replace(r"[^\n]", "")):
        refuse(f"{what} with a pattern that may match ''", "the empty matches differ")


RULES: dict[type[exp.Expr], Any] = {
    exp.RegexpLike: _matches,
    exp.RegexpFullMatch: _full,
    exp.RegexpReplace: _replace,
    exp.RegexpExtract: _extract,
    exp.RegexpExtractAll: _extract_all,
    exp.RegexpSplit: _split,
    exp.SimilarTo: _full,
}
