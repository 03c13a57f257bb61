"""Regular expressions as Java means them, in the words of the reference's library."""

from __future__ import annotations

import re

__all__ = ["groups", "java"]

ENDS = r"\n\r\x{85}\x{2028}\x{2029}"  # of lines
BLANKS = r"\t\n\x0B\f\r "
PLAIN = r"[A-Za-z0-9 _,;:/@#%&=<>!~'\"-]"
ESCAPED = r"\\[.^$*+?()\[\]{}|\\/-]"
# Within brackets && and [ are more than themselves.
IN_CLASS = rf"(?:[A-Za-z0-9 _,;:/@#%=<>!~'\"+*.?$(){{}}|-]|\\[dws]|{ESCAPED})"

TOKEN = re.compile(
    rf"""
    (?P<atom>{PLAIN} | {ESCAPED} | \\[dDwWsS] | \. | \[\^?{IN_CLASS}+\])
    | (?P<count>[*+?] | \{{\d{{1,3}}(?:,\d{{0,3}})?\}})
    | (?P<open>\((?:\?:)?)
    | (?P<close>\))
    | (?P<bar>\|)
    | (?P<start>\^)
    | (?P<end>\$)
    """.replace(" |", "|").replace("| ", "|"),
    re.VERBOSE,
)  # fmt: skip
# What may stand before each: a pattern that could be cut into other parts by another library is not read.
BEFORE = {
    "atom": {"", "atom", "count", "open", "close", "bar", "start"},
    "count": {"atom", "close"},
    "open": {"", "atom", "count", "open", "close", "bar", "start"},
    "close": {"atom", "count", "close"},
    "bar": {"atom", "count", "close"},
    "start": {""},
    "end": {"atom", "count", "close"},
}


def java(text: str, *, to_the_end: bool = False) -> str | None:
    """Return a pattern of Java's with the same matches here, or None; ``$`` is read where no match is taken out.

    Java ends lines at more letters than the reference does, and has one more blank.

    >>> java("a.c")
    'a[^\\\\n\\\\r\\\\x{85}\\\\x{2028}\\\\x{2029}]c'
    >>> java("(?=a)")
    """
    made, last, place, depth = "", "", 0, 0
    while place < len(text):
        found = TOKEN.match(text, place)
        kind = found.lastgroup if found else None
        if found is None or kind is None or last not in BEFORE[kind]:
            return None
        if kind == "end" and not (to_the_end and found.end() == len(text) and not depth):
            return None
        depth += (kind == "open") - (kind == "close")
        if depth < 0:
            return None
        made += _here(found.group())
        last, place = kind, found.end()
    return made if last not in ("", "open", "bar", "start") and not depth else None


def _here(token: str) -> str:
    if token == ".":
        return f"[^{ENDS}]"
    if token == "$":
        return rf"(?:\r\n|[{ENDS}])?\z"
    if token in (r"\s", r"\S"):
        return f"[{BLANKS}]" if token == r"\s" else f"[^{BLANKS}]"
    return token.replace(r"\s", BLANKS) if token.startswith("[") else token


def groups(text: str) -> int:
    """Return how many groups a pattern has that ``java`` reads.

    >>> groups(r"(a)(?:b)[(]\\(")
    1
    """
    return sum(found.group() == "(" for found in TOKEN.finditer(text))
