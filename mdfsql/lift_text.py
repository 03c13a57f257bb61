"""Methods of str, and what becomes text."""

from __future__ import annotations

import functools
import itertools
import math
import operator
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlglot import exp

from mdfsql import lift_nodes as sql
from mdfsql.lift_arguments import const_of, run, string_of
from mdfsql.lift_constants import Raises
from mdfsql.lift_dates import MOMENTS, formatted_date, isoformat
from mdfsql.lift_nodes import number, words
from mdfsql.lift_operators import as_float
from mdfsql.lift_regex import character_class, every, group
from mdfsql.lift_values import INT64, Items, Node, Refusal, Thing, Value, constant, flag, simple, strict

__all__ = ["STRINGS", "formatted", "item_of", "repeated", "sliced", "text"]

# What str.strip() takes away: every character whose isspace() is true.
WHITESPACE = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + ("\u2028\u2029\u202f\u205f\u3000")
)
MAX_REPEAT = 100
MAX_WIDTH = 1000  # to which text is filled


def text(value: Value) -> Value:
    """Return ``str(value)``."""
    if value.is_const:
        return constant(str(value.const))
    if value.kind == "str":
        node = value.sql
    elif value.kind == "bool":
        true, false = exp.Literal.string("True"), exp.Literal.string("False")
        node = sql.case((value.sql, true), (sql.negate(value.sql), false))
    elif value.kind in ("int", "date"):
        node = sql.cast(value.sql, "VARCHAR")
    elif value.kind == "float":
        node = _nan_text(as_float(value).sql, sql.cast(as_float(value).sql, "VARCHAR"))
    elif value.kind == "decimal" and value.column and int(value.type.rstrip(")").split(",")[1]) <= 6:
        node = sql.cast(value.sql, "VARCHAR")
    elif value.kind in ("timestamp", "timestamptz"):
        node = isoformat(value, constant(" ")).sql
    else:
        raise Refusal(f"the text of a {value.type} is written differently in Python and in SQL")
    if value.none:
        if value.mixed:
            raise Refusal("this may be None, or an error because something else is None")
        node = sql.coalesce(node, exp.Literal.string("None"))
    return replace(value, sql=node, type="VARCHAR", none=False, bounds=None, natural=None, column=None, test=None)


def _nan_text(number_: Node, node: Node) -> Node:
    # The reference writes the sign of a NaN, as in -nan; Python does not.
    return sql.case((exp.IsNan(this=number_), exp.Literal.string("nan")), default=node)


def formatted(value: Value, spec: str) -> Value:
    """Return ``format(value, spec)``."""
    if value.is_const:
        try:
            return constant(format(value.const, spec))
        except ValueError as error:
            raise Refusal(f"Python raises ValueError: {error}") from None
    if not spec:
        return text(value)
    if value.kind in MOMENTS:
        return formatted_date(value, spec)
    if value.kind in ("float", "int") and (found := re.fullmatch(r"\.(\d{1,2})f", spec)) and int(found[1]) <= 15:
        number_ = as_float(value).sql
        node = exp.Format(this=exp.Literal.string("{:" + spec + "}"), expressions=[number_])
        limit = 10 ** (15 - int(found[1]))
        if value.kind == "int" and max(map(abs, value.bounds or INT64)) < limit:
            return strict(node, "VARCHAR", value)
        size = exp.Abs(this=number_)
        # Past 15 digits SQL writes what it likes; NaN and infinity are written alike.
        beyond = sql.both(
            sql.operation(exp.GTE, size, sql.literal(float(limit), "DOUBLE")),
            sql.operation(exp.LT, size, sql.literal(math.inf, "DOUBLE")),
        )
        failure = sql.error(f"format {spec}: a number with more than 15 digits, beyond what SQL writes exactly")
        return strict(sql.case((beyond, failure), default=_nan_text(number_, node)), "VARCHAR", value, risky=True)
    raise Refusal(f"the format {spec!r} is not lifted for {value.name}", 'only "" and ".2f" and the like are')


def sliced(value: Value, start: Value | None = None, stop: Value | None = None) -> Value:
    """Return ``value[start:stop]`` of a string, by code points."""
    if value.kind != "str":
        raise Refusal("only strings are sliced")
    low, high = (None if end is None else const_of(end, "the end of a slice") for end in (start, stop))
    for end in (low, high):
        if end is not None and type(end) is not int:
            raise Refusal("the end of a slice must be an int")
    if value.is_const:
        return constant(value.const[low:high])
    node: Node = value.sql
    length = exp.Length(this=node)
    if low is not None and low < 0:
        # The last so many, or all of them where there are fewer.
        begin: Node = exp.Greatest(
            this=sql.operation(exp.Sub, length, sql.literal(-low - 1, "BIGINT")),
            expressions=[sql.literal(1, "BIGINT")],
            ignore_nulls=True,
        )
    else:
        begin = sql.literal((low or 0) + 1, "BIGINT")
    if high is None:
        if low is None:
            return strict(node, "VARCHAR", value)
        return strict(exp.Substring(this=node, start=begin), "VARCHAR", value)
    if high >= 0 and (low is None or low >= 0):
        count: Node = sql.literal(max(high - (low or 0), 0), "BIGINT")
    else:
        last = length if high >= 0 else sql.operation(exp.Sub, length, sql.literal(-high, "BIGINT"))
        if high >= 0:
            last = exp.Least(this=length, expressions=[sql.literal(high, "BIGINT")], ignore_nulls=True)
        shift = (
            sql.operation(exp.Sub, begin, sql.literal(1, "BIGINT"))
            if low and low < 0
            else sql.literal(low or 0, "BIGINT")
        )
        wide = sql.operation(exp.Sub, last, shift) if low else last
        count = exp.Greatest(this=wide, expressions=[sql.literal(0, "BIGINT")], ignore_nulls=True)
    return strict(exp.Substring(this=node, start=begin, length=count), "VARCHAR", value)


def _stripped(position: str | None) -> Callable[..., Value]:
    def strip(value: Value, chars: Any = None) -> Value:
        what = None if chars is None else const_of(chars, "what to strip")
        what = WHITESPACE if what is None else what
        if type(what) is not str:
            raise Refusal("what to strip must be a str")
        if not what:
            return strict(value.sql, "VARCHAR", value)
        trim = exp.Trim(this=value.sql, expression=exp.Literal.string(what))
        if position:
            trim.set("position", position)
        return strict(trim, "VARCHAR", value)

    return strip


def _affix(cls: type[exp.Expression]) -> Callable[..., Value]:
    def affix(value: Value, part: Any) -> Value:
        if isinstance(part, Thing) and type(part.value) is tuple:
            tests = [affix(value, constant(p)) for p in part.value]
            if not tests:
                raise Refusal("an empty tuple of affixes")
            nodes = [t.sql for t in tests]
            return flag(simple(sql.either(*nodes), value))
        part = string_of(part, "what a string starts or ends with")
        return flag(simple(cls(this=value.sql, expression=part.sql), value, part))

    return affix


def _holds(value: Value, part: Any) -> Value:
    """``part in value`` for strings, and for what split() gives."""
    if isinstance(value.sql, exp.Split):
        wanted = words(const_of(part, "what is looked for in a list", str))
        return flag(simple(exp.ArrayContains(this=value.sql, expression=wanted), value))
    if value.kind != "str":
        raise Refusal(f"in a {value.name} is not lifted")
    part = string_of(part, "what is looked for in a string")
    return flag(simple(exp.Contains(this=value.sql, expression=part.sql), value, part))


def _replaced(value: Value, old: Any, new: Any) -> Value:
    old, new = string_of(old, "what is replaced"), string_of(new, "the replacement")
    if not old.is_const or old.const == "":
        raise Refusal("replace() needs a constant that is not empty to look for")
    node = exp.Replace(this=value.sql, expression=old.sql, replacement=new.sql)
    return strict(node, "VARCHAR", value, new)


def _found(value: Value, part: Any) -> Value:
    part = string_of(part, "what is looked for")
    place = exp.StrPosition(this=value.sql, substr=part.sql)
    return strict(sql.operation(exp.Sub, place, number(1)), "BIGINT", value, part, bounds=(-1, 2**32))


def _index(value: Value, part: Any) -> Value:
    result = _found(value, part)
    missing = sql.operation(exp.EQ, result.sql, number(-1))
    return replace(result, sql=sql.case((missing, sql.error("substring not found")), default=result.sql), raises=True)


def _counted(value: Value, part: Any) -> Value:
    found = const_of(part, "what is counted", str)
    if not found:
        raise Refusal("count() of an empty string is not lifted", "write len(s) + 1")
    without = exp.Replace(this=value.sql, expression=words(found), replacement=words(""))
    node = sql.operation(exp.Sub, exp.Length(this=value.sql), exp.Length(this=without))
    if len(found) > 1:
        node = sql.operation(exp.IntDiv, node, number(len(found)))
    return strict(node, "BIGINT", value, bounds=(0, 2**32))


def _without(cls: type[exp.Expression]) -> Callable[..., Value]:
    def without(value: Value, part: Any) -> Value:
        part = string_of(part, "the part to remove")
        size = number(len(part.const)) if part.is_const else exp.Length(this=part.sql)
        if cls is exp.StartsWith:
            begin = number(len(part.const) + 1) if part.is_const else sql.operation(exp.Add, size, number(1))
            rest = exp.Substring(this=value.sql, start=begin)
        else:
            kept = sql.operation(exp.Sub, exp.Length(this=value.sql), size)
            rest = exp.Substring(this=value.sql, start=number(1), length=kept)
        there = cls(this=value.sql, expression=part.sql)
        if part.is_const:
            return strict(sql.case((there, rest), default=value.sql), "VARCHAR", value)
        return strict(sql.case((there, rest), (sql.negate(there), value.sql)), "VARCHAR", value, part)

    return without


def _width(width: Any) -> int:
    found: int = const_of(width, "a width", int)
    if found > MAX_WIDTH:
        raise Refusal(f"a width of more than {MAX_WIDTH} is not lifted")
    return found


def _padded(node: Node, width: int, fill: str, left: bool) -> Node:
    return exp.Pad(this=node, expression=number(max(width, 0)), fill_pattern=words(fill), is_left=left)


def _justified(left: bool) -> Callable[..., Value]:
    def justified(value: Value, width: Any, fill: Any = None) -> Value:
        size, sign = _width(width), " " if fill is None else const_of(fill, "what to fill with", str)
        if len(sign) != 1:
            raise Raises("Python raises TypeError on every row: one character fills")
        return strict(_filled(value.sql, size, _padded(value.sql, size, sign, left)), "VARCHAR", value)

    return justified


def _filled(node: Node, width: int, filled: Node) -> Node:
    long = sql.operation(exp.GTE, exp.Length(this=node), number(width))
    return sql.case((long, node), default=filled)


def _zeros(value: Value, width: Any) -> Value:
    node, size = value.sql, _width(width)
    signed = sql.either(*(exp.StartsWith(this=node, expression=words(sign)) for sign in "-+"))
    rest = _padded(exp.Substring(this=node, start=number(2)), size - 1, "0", True)
    moved = sql.operation(exp.DPipe, exp.Substring(this=node, start=number(1), length=number(1)), rest)
    filled = sql.case((signed, moved), default=_padded(node, size, "0", True))
    return strict(_filled(node, size, filled), "VARCHAR", value)


def _separator(sep: Any) -> str:
    found: str = const_of(sep, "what separates", str)
    if not found:
        raise Raises("Python raises ValueError on every row: an empty separator")
    return found


def _split(value: Value, sep: Any) -> Value:
    return strict(exp.Split(this=value.sql, expression=words(_separator(sep))), "VARCHAR[]", value)


def _partition(value: Value, sep: Any) -> Items:
    found = _separator(sep)
    there = exp.Contains(this=value.sql, expression=words(found))
    place = exp.StrPosition(this=value.sql, substr=words(found))
    before = exp.Substring(this=value.sql, start=number(1), length=sql.operation(exp.Sub, place, number(1)))
    after = exp.Substring(this=value.sql, start=sql.operation(exp.Add, place, number(len(found))))
    nothing = words("")
    parts = (
        sql.case((there, before), default=value.sql),
        sql.case((there, words(found)), (sql.negate(there), nothing)),
        sql.case((there, after), (sql.negate(there), nothing)),
    )
    return Items(tuple(strict(part, "VARCHAR", value) for part in parts))


def repeated(value: Value, times: Value) -> Value:
    """Return ``value * times`` for a constant number of times."""
    count: int = const_of(times, "how often a string is repeated", int)
    if count > MAX_REPEAT:
        raise Refusal(f"a string is repeated {MAX_REPEAT} times at most")
    return strict(exp.Repeat(this=value.sql, times=number(max(count, 0))), "VARCHAR", value)


def item_of(value: Value, key: Value) -> Value:
    """Return ``value[key]`` of a string, of what split() gives, or of a match."""
    if value.kind == "match":
        return group(value, key)
    place: int = const_of(key, "the place of an item", int)
    if value.is_const:
        return constant(run(operator.getitem, value.const, place))
    if isinstance(value.sql, exp.Split):
        # As the parser has it: counted from 0, and one less from the end.
        found: Node = exp.Bracket(this=value.sql, expressions=[number(place if place >= 0 else place - 1)])
        sure, what = place in (0, -1), "list index out of range"
    elif value.kind == "str":
        start = number(place + 1) if place >= 0 else _from_end(value.sql, place)
        found = exp.Substring(this=value.sql, start=start, length=number(1))
        sure, what = False, "string index out of range"
    else:
        raise Refusal(f"an item of a {value.name} is not lifted")
    if sure:
        return strict(found, "VARCHAR", value)
    least = place + 1 if place >= 0 else -place
    missing = sql.operation(exp.LT, exp.Length(this=value.sql), number(least))
    return strict(sql.case((missing, sql.error(what)), default=found), "VARCHAR", value, raises=True)


def _from_end(node: Node, place: int) -> Node:
    length = exp.Length(this=node)
    return length if place == -1 else sql.operation(exp.Sub, length, number(-place - 1))


@functools.cache
def _all_of(name: str) -> str:
    """Return the pattern of a text whose every character has a property, as Python has it."""
    spans, place = [], 0
    for is_one, run_ in itertools.groupby(getattr(str, name)(sign) for sign in every()):
        size = sum(1 for _ in run_)
        if is_one:
            spans.append((place, place + size))
        place += size
    return f"^{character_class(spans)}{'*' if getattr('', name)() else '+'}$"


def _only(name: str) -> Callable[..., Value]:
    def only(value: Value) -> Value:
        return flag(simple(exp.RegexpLike(this=value.sql, expression=words(_all_of(name))), value))

    return only


# Characters whose case Python changes into several, or by what stands around them; the reference does neither.
# Found by comparing every code point on Python 3.10 - 3.13 with DuckDB 2.0.
# Letters newer than Python 3.10.
RECENT = "\u2c2f\u2c5f\ua7c0\ua7c1\ua7d0-\ua7d9\U00010570-\U000105bc"
SPECIAL_UPPER = "[\u0149\u01f0\u0390\u03b0\u0587\u1e96-\u1e9a\u1f50-\u1fff\ufb00-\ufb17" + RECENT + "]"
SPECIAL_LOWER = "[\u0130\u03a3" + RECENT + "]"


def _cased(cls: type[exp.Expression], word: str, special: str) -> Callable[[Value], Value]:
    def change(value: Value) -> Value:
        beyond = exp.RegexpLike(this=value.sql, expression=exp.Literal.string(special))
        failure = sql.error(
            f"{word}() of a letter that SQL and Python change differently, such as {special[1]}: use lift=False"
        )
        text = value.sql
        if cls is exp.Upper:  # the one such letter that many texts have
            text = exp.Replace(this=text, expression=exp.Literal.string("ß"), replacement=exp.Literal.string("SS"))
        return strict(sql.case((beyond, failure), default=cls(this=text)), "VARCHAR", value, risky=True)

    return change


STRINGS: dict[str, Callable[..., Any]] = {
    "__contains__": _holds,
    "count": _counted,
    "endswith": _affix(exp.EndsWith),
    "find": _found,
    "index": _index,
    "isalnum": _only("isalnum"),
    "isalpha": _only("isalpha"),
    "isascii": _only("isascii"),
    "isdecimal": _only("isdecimal"),
    "isdigit": _only("isdigit"),
    "isnumeric": _only("isnumeric"),
    "isspace": _only("isspace"),
    "ljust": _justified(left=False),
    "lower": _cased(exp.Lower, "lower", SPECIAL_LOWER),
    "lstrip": _stripped("LEADING"),
    "partition": _partition,
    "removeprefix": _without(exp.StartsWith),
    "removesuffix": _without(exp.EndsWith),
    "replace": _replaced,
    "rjust": _justified(left=True),
    "rstrip": _stripped("TRAILING"),
    "split": _split,
    "startswith": _affix(exp.StartsWith),
    "strip": _stripped(None),
    "upper": _cased(exp.Upper, "upper", SPECIAL_UPPER),
    "zfill": _zeros,
}
