"""Python's regular expressions, written so that every engine reads them alike.

Python itself says which characters a part of a pattern matches: the SQL has the characters, never ``\\d`` or a flag.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]
from typing import Any

from sqlglot import exp

from mdfsql import lift_nodes as sql
from mdfsql.lift_arguments import const_of, string_of
from mdfsql.lift_constants import Raises
from mdfsql.lift_nodes import number, words
from mdfsql.lift_values import SOMETIMES, Refusal, Value, simple, strict

__all__ = ["PATTERNS", "REGEX_FUNCTIONS", "character_class", "group"]

MAX_REPEAT = 1000  # the most that the reference's library takes
MAX_RANGES = 1000
GAP = 0xD800, 0xE000  # surrogates, which no text in SQL has
SPECIAL = frozenset(r"\.+*?()|[]{}^$")
CONTROLS = {"\n": r"\n", "\t": r"\t", "\r": r"\r", "\f": r"\f"}
KNOWN_FLAGS = re.ASCII | re.IGNORECASE | re.DOTALL | re.VERBOSE | re.UNICODE
UNKNOWN = "RE2 and Java have no such thing, or read it in another way"


@functools.cache
def every() -> str:
    """Return a text of every character there is, in order."""
    return "".join(map(chr, itertools.chain(range(GAP[0]), range(GAP[1], 0x110000))))


def character_class(spans: Iterable[tuple[int, int]]) -> str:
    """Return the pattern of one character out of spans of places in the text of every character.

    >>> print(character_class([(48, 58), (97, 98)]), character_class([(0, 10), (11, 0x110000 - 2048)]))
    [0-9a] [^\\n]
    """
    found = list(spans)
    size = len(every())
    if found == [(0, size)]:
        return r"(?:\n|[^\n])"
    if len(found) > MAX_RANGES:
        raise Refusal(f"characters in {len(found)} ranges are too many for one pattern")
    if not found:
        raise Refusal("a pattern that no character matches")
    sign = ""
    if found[0][0] == 0:
        # Written without the character 0, which no SQL takes.
        edges = [*(place for span in found for place in span), size][1:]
        found = [span for span in list(itertools.pairwise(edges))[::2] if span[0] < span[1]]
        sign = "^"
    if not sign and len(found) == 1 and found[0][1] - found[0][0] == 1:
        return _escaped(_character(found[0][0]), SPECIAL)
    return f"[{sign}{''.join(_range(_character(a), _character(b - 1)) for a, b in found)}]"


def _character(place: int) -> str:
    return chr(place if place < GAP[0] else place + GAP[1] - GAP[0])


def _range(first: str, last: str) -> str:
    ends = [_escaped(sign, frozenset("\\[]^-&")) for sign in (first, last)]
    if first == last:
        return ends[0]
    return ends[0] + ("-" if ord(last) - ord(first) > 1 else "") + ends[1]


def _escaped(sign: str, special: frozenset[str]) -> str:
    if sign in CONTROLS:
        return CONTROLS[sign]
    return "\\" + sign if sign in special else sign


_classes: dict[tuple[str, int], str] = {}


def _one(node: Any, flags: int) -> str:
    """Return the pattern of one character, with exactly those that Python finds."""
    key = (repr(node), flags)
    if key not in _classes:
        state = _parser.State()
        state.flags, state.str = flags, ""
        run = (_constants.MAX_REPEAT, (1, _constants.MAXREPEAT, _parser.SubPattern(state, [node])))
        compiled = _compiler.compile(_parser.SubPattern(state, [run]), flags)
        _classes[key] = character_class(m.span() for m in compiled.finditer(every()))
    return _classes[key]


@dataclass
class Translation:
    """A pattern on its way from Python's syntax, and what is known of it."""

    flags: int
    whole: bool = False  # it must match all of a text
    once: set[int] = field(default_factory=set)  # groups that each match has exactly once
    tail: bool = False  # it may take a line's end that Python's $ leaves
    loops: bool = False  # something that may be empty is repeated

    def sequence(self, nodes: Sequence[Any], *, last: bool, sure: bool, size: int = 1) -> str:
        parts = []
        for place, node in enumerate(nodes):
            parts.append(self.node(node, last=last and place == len(nodes) - 1, sure=sure, size=size))
        return "".join(parts)

    def node(self, node: Any, *, last: bool, sure: bool, size: int) -> str:
        kind, value = node
        name = kind.name
        if name == "LITERAL" and not self.flags & re.IGNORECASE:
            return _escaped(chr(value), SPECIAL)
        if name in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
            return _one(node, self.flags)
        if name == "BRANCH":
            ways = [self.sequence(way, last=last, sure=False, size=size) for way in value[1]]
            return f"(?:{'|'.join(ways)})"
        if name == "SUBPATTERN":
            number_, added, removed, inner = value
            if added or removed:
                raise Refusal("a flag for a part of a pattern is not lifted", "give it to the whole pattern")
            if number_ and sure:
                self.once.add(number_)
            made = self.sequence(inner, last=last, sure=sure, size=size)
            return f"({made})" if number_ else f"(?:{made})"
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            return self.repeat(name, *value, size=size)
        if name == "AT":
            return self.anchor(value.name, last=last)
        raise Refusal(f"{name.lower().replace('_', ' ')} in a pattern is not lifted: {UNKNOWN}")

    def repeat(self, name: str, low: Any, high: Any, inner: Any, *, size: int) -> str:
        endless = high is _constants.MAXREPEAT or high == _constants.MAXREPEAT
        size *= max(int(low), 1 if endless else int(high), 1)
        if size > MAX_REPEAT:
            raise Refusal(f"a pattern that repeats something {size} times is not lifted")
        if inner.getwidth()[0] == 0:
            self.loops = True
        made = self.sequence(inner, last=False, sure=False, size=size)
        single = len(inner) == 1 and inner[0][0].name in ("LITERAL", "NOT_LITERAL", "ANY", "IN", "SUBPATTERN")
        if not single:
            made = f"(?:{made})"
        exact = f"{{{low}}}" if low == high else f"{{{low},{high}}}"
        count = {0: "*", 1: "+"}.get(low, f"{{{low},}}") if endless else "?" if (low, high) == (0, 1) else exact
        return made + count + ("?" if name == "MIN_REPEAT" else "")

    def anchor(self, name: str, *, last: bool) -> str:
        if name in ("AT_BEGINNING", "AT_BEGINNING_STRING"):
            return "^"
        if name == "AT_END_STRING" or (name == "AT_END" and self.whole and last):
            return "$"
        if name == "AT_END":
            # Python's $ also matches before a line's end that ends the text.
            if not last:
                raise Refusal("$ before more of the pattern is not lifted")
            self.tail = True
            return r"\n?$"
        if name == "AT_BOUNDARY" and self.flags & re.ASCII:
            return r"\b"
        raise Refusal(r"\b and \B depend on what Unicode calls a letter", r"compile the pattern with re.ASCII")


def _pattern(given: Any, flags: Any = None) -> re.Pattern[str]:
    found = const_of(given, "a pattern")
    extra = 0 if flags is None else int(const_of(flags, "a pattern's flags"))
    if isinstance(found, re.Pattern) and not extra:
        if not isinstance(found.pattern, str):
            raise Refusal("a pattern of bytes is not lifted")
        return found
    if type(found) is not str:
        raise Refusal("a pattern must be a constant str")
    try:
        return re.compile(found, extra)
    except (re.error, ValueError) as error:
        raise Raises(f"Python raises {type(error).__name__} on every row: {error}") from None


def _translated(pattern: re.Pattern[str], how: str) -> tuple[str, Translation]:
    if pattern.flags & ~KNOWN_FLAGS:
        raise Refusal("only the flags ASCII, IGNORECASE, DOTALL and VERBOSE are lifted")
    state = Translation(pattern.flags & ~re.VERBOSE, whole=how == "fullmatch")
    made = state.sequence(_parser.parse(pattern.pattern, pattern.flags), last=True, sure=True)
    if how == "search":
        return made, state
    return f"^(?:{made})" + ("$" if how == "fullmatch" else ""), state


def _finder(how: str) -> Callable[..., Value]:
    def find(pattern: Any, value: Any, flags: Any = None) -> Value:
        compiled = _pattern(pattern, flags)
        value = string_of(value, "what a pattern is looked for in")
        made, _ = _translated(compiled, how)
        found = exp.RegexpLike(this=value.sql, expression=words(made))
        # A match is always true, and nothing else is known of it but the pattern.
        found.meta["pattern"] = (compiled, how)
        return strict(found, "MATCH", value, test=simple(found, value))

    return find


def group(match: Value, which: Any = None) -> Value:
    """Return ``match.group(which)``; NULL where there is no match, as Python raises on None."""
    if not isinstance(match.sql, exp.RegexpLike):
        raise Refusal("a group of one of several matches is not lifted", "take the group where the match is found")
    pattern, how = match.sql.meta["pattern"]
    key = 0 if which is None else const_of(which, "the number or name of a group", int, str)
    index = pattern.groupindex.get(key) if type(key) is str else key
    if index is None or not 0 <= index <= pattern.groups:
        raise Refusal(f"Python raises IndexError on every match: no such group as {key!r}")
    _, state = _translated(pattern, how)
    if state.loops:
        raise Refusal("a group of a pattern that repeats what may be empty is not lifted")
    if index == 0 and state.tail:
        raise Refusal("$ takes in no line's end, which the SQL would", r"write \Z, or take a group that ends before it")
    if index and index not in state.once:
        raise Refusal(f"the group {key!r} may be None, or repeated: not lifted")
    found = exp.RegexpExtract(this=match.sql.this, expression=match.sql.expression, group=number(index))
    result = strict(sql.case((match.sql, found)), "VARCHAR", match)
    return replace(result, poison=result.poison | SOMETIMES)


def substituted(pattern: Any, replacement: Any, value: Any, count: Any = None, flags: Any = None) -> Value:
    """Return ``re.sub(pattern, replacement, value)``."""
    if count is not None:
        raise Refusal("re.sub() with a count is not lifted")
    compiled = _pattern(pattern, flags)
    value = string_of(value, "what re.sub() changes")
    new = const_of(replacement, "the replacement", str)
    made, state = _translated(compiled, "search")
    if "\\" in new:
        raise Refusal("a backslash in a replacement is not lifted")
    if state.tail:
        raise Refusal("$ in re.sub() leaves a line's end alone, which SQL does not", r"write \Z")
    if state.loops or _parser.parse(compiled.pattern, compiled.flags).getwidth()[0] == 0:
        raise Refusal("re.sub() of a pattern that may match nothing is not lifted", "as in + for *")
    node = exp.RegexpReplace(
        this=value.sql,
        expression=words(made),
        replacement=words(new),
        modifiers=words("g"),
        single_replace=True,
    )
    return strict(node, "VARCHAR", value)


REGEX_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    re.fullmatch: _finder("fullmatch"),
    re.match: _finder("match"),
    re.search: _finder("search"),
    re.sub: substituted,
}

# Methods of a compiled pattern: the same with the pattern in front.
PATTERNS: dict[str, Callable[..., Any]] = {f.__name__: lift for f, lift in REGEX_FUNCTIONS.items()}
