"""Python's functions and methods as SQL: two tables, and what each entry needs."""

from __future__ import annotations

import ast
import builtins
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlglot import exp

from mdfsql import lift_nodes as sql
from mdfsql.lift_operators import _order, as_float, number
from mdfsql.lift_values import (
    INT64,
    Items,
    Node,
    Refusal,
    Row,
    Test,
    Thing,
    Value,
    choose,
    constant,
    flag,
    simple,
    strict,
    truth,
)

__all__ = ["FUNCTIONS", "METHODS"]

# What str.strip() takes away: every character whose isspace() is true.
WHITESPACE = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + ("\u2028\u2029\u202f\u205f\u3000")
)
MAX_LOOKUP = 500  # entries of a dict that becomes a CASE
MAX_REPEAT = 100


def _string(value: Any, what: str) -> Value:
    if isinstance(value, Value) and value.kind == "str":
        return value
    raise Refusal(f"{what} must be a str", "convert it with str(x)")


def _const(value: Any, what: str) -> Any:
    if isinstance(value, Value) and value.is_const:
        return value.const
    if isinstance(value, Thing):
        return value.value
    raise Refusal(f"{what} must be a constant")


def _several(arguments: tuple[Any, ...], least: int, most: int) -> None:
    if not least <= len(arguments) <= most:
        raise Refusal(f"{len(arguments)} arguments are not lifted here")


# --- text -------------------------------------------------------------------------------------------------------------


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
    elif value.kind == "decimal" and int(value.type.rstrip(")").split(",")[1]) <= 6:
        node = sql.cast(value.sql, "VARCHAR")
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
    low, high = (None if end is None else _const(end, "the end of a slice") for end in (start, stop))
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
        what = None if chars is None else _const(chars, "what to strip")
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
        part = _string(part, "what a string starts or ends with")
        return flag(simple(cls(this=value.sql, expression=part.sql), value, part))

    return affix


def _holds(value: Value, part: Any) -> Value:
    """``part in value`` for strings."""
    if value.kind != "str":
        raise Refusal(f"in a {value.name} is not lifted")
    part = _string(part, "what is looked for in a string")
    return flag(simple(exp.Contains(this=value.sql, expression=part.sql), value, part))


def _replaced(value: Value, old: Any, new: Any) -> Value:
    old, new = _string(old, "what is replaced"), _string(new, "the replacement")
    if not old.is_const or old.const == "":
        raise Refusal("replace() needs a constant that is not empty to look for")
    node = exp.Replace(this=value.sql, expression=old.sql, replacement=new.sql)
    return strict(node, "VARCHAR", value, new)


# Characters whose case Python changes into several, or by what stands around them; the reference does neither.
# Found by comparing every code point on Python 3.10 - 3.13 with DuckDB 2.0.
# Letters newer than Python 3.10.
RECENT = "\u2c2f\u2c5f\ua7c0\ua7c1\ua7d0-\ua7d9\U00010570-\U000105bc"
SPECIAL_UPPER = "[ß\u0149\u01f0\u0390\u03b0\u0587\u1e96-\u1e9a\u1f50-\u1fff\ufb00-\ufb17" + RECENT + "]"
SPECIAL_LOWER = "[\u0130\u03a3" + RECENT + "]"


def _cased(cls: type[exp.Expression], word: str, special: str) -> Callable[[Value], Value]:
    def change(value: Value) -> Value:
        beyond = exp.RegexpLike(this=value.sql, expression=exp.Literal.string(special))
        failure = sql.error(f"{word}() of a letter beyond what SQL and Python change alike, such as {special[1]}")
        return strict(sql.case((beyond, failure), default=cls(this=value.sql)), "VARCHAR", value, risky=True)

    return change


def lookup(table: Mapping[Any, Any], key: Value, default: Value | None, equal: Callable[[Any], Test]) -> Value:
    """Return ``table[key]``, or ``table.get(key, default)``, for a constant dict."""
    if len(table) > MAX_LOOKUP:
        raise Refusal(f"a dict of {len(table)} entries is too long for one expression", "make it a dataset and join")
    if default is None:
        raise Refusal("table[key] raises KeyError where the key is missing", "use table.get(key, default)")
    result = default
    for k, v in reversed(list(table.items())):
        result = choose(equal(k), constant(v), result)
    return result


# --- numbers ----------------------------------------------------------------------------------------------------------


def length(value: Any) -> Value:
    if isinstance(value, Row):
        return constant(len(value.columns))
    if isinstance(value, Items):
        return constant(len(value.parts))
    if isinstance(value, Thing) and type(value.value) in (tuple, list, dict, set, frozenset, range):
        return constant(len(value.value))
    value = _string(value, "what len() measures")
    if value.is_const:
        return constant(len(value.const))
    return strict(exp.Length(this=value.sql), "BIGINT", value, bounds=(0, 2**32))


def integer(value: Any = None) -> Value:
    if not isinstance(value, Value) or value.kind not in ("int", "float", "bool"):
        raise Refusal("int() is lifted for numbers only")
    if value.is_const:
        return constant(_python(int, value.const))
    if value.kind == "float":
        node = sql.cast(exp.Trunc(this=as_float(value).sql), "BIGINT")
        # NaN, inf and what is past 64 bits fail, as in Python all but the last do.
        return strict(node, "BIGINT", value, raises=True, bounds=INT64)
    return strict(
        number(value).sql, "BIGINT", value, bounds=value.bounds, natural=number(value).natural or number(value).type
    )


def real(value: Any = None) -> Value:
    if not isinstance(value, Value) or value.kind not in ("int", "float", "bool"):
        raise Refusal("float() is lifted for numbers only")
    if value.is_const:
        return as_float(value)
    return strict(as_float(value).sql, "DOUBLE", value)


def absolute(value: Any) -> Value:
    if not isinstance(value, Value) or value.kind not in ("int", "float", "bool"):
        raise Refusal("abs() is lifted for numbers only")
    if value.is_const:
        return constant(abs(value.const))
    if value.kind == "float":
        return strict(exp.Abs(this=as_float(value).sql), "DOUBLE", value)
    value = number(value)
    low, high = value.bounds or INT64
    node = value.sql if (value.natural or value.type) == "BIGINT" else sql.cast(value.sql, "BIGINT")
    bounds = (0, min(max(-low, high), INT64[1]))
    return strict(exp.Abs(this=node), "BIGINT", value, bounds=bounds, risky=low == INT64[0])


def rounded(value: Any, digits: Any = None) -> Value:
    if digits is not None:
        raise Refusal("round(x, n) rounds a binary fraction, which no SQL does alike", 'format it: f"{x:.2f}"')
    if not isinstance(value, Value) or value.kind not in ("int", "float", "bool"):
        raise Refusal("round() is lifted for numbers only")
    if value.kind != "float":
        return integer(value)
    if value.is_const:
        return constant(_python(round, value.const))
    half_even = exp.Anonymous(this="round_even", expressions=[as_float(value).sql, sql.literal(0, "BIGINT")])
    return strict(sql.cast(half_even, "BIGINT"), "BIGINT", value, raises=True, bounds=INT64)


def _toward(cls: type[exp.Expression], function: Callable[[float], int]) -> Callable[[Any], Value]:
    def whole(value: Any) -> Value:
        if not isinstance(value, Value) or value.kind not in ("int", "float", "bool"):
            raise Refusal("math.floor() and math.ceil() are lifted for numbers only")
        if value.is_const:
            return constant(_python(function, value.const))
        if value.kind != "float":
            return integer(value)
        node = sql.cast(cls(this=as_float(value).sql), "BIGINT")
        return strict(node, "BIGINT", value, raises=True, bounds=INT64)

    return whole


def _python(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Exception as error:
        raise Refusal(f"Python raises {type(error).__name__} here: {error}") from None


def is_nan(value: Any) -> Value:
    if not isinstance(value, Value) or value.kind != "float":
        raise Refusal("math.isnan() is lifted for floats only")
    if value.is_const:
        return constant(math.isnan(value.const))
    return flag(simple(exp.IsNan(this=as_float(value).sql), value))


def _extreme(order: type[ast.cmpop]) -> Callable[..., Value]:
    def extreme(*values: Any) -> Value:
        if len(values) < 2 or not all(isinstance(v, Value) for v in values):
            raise Refusal("min() and max() are lifted for two or more scalars")
        result = values[0]
        for value in values[1:]:
            # What Python does: a later one wins only where it is strictly better.
            result = choose(_order(order, value, result), value, result)
        return result

    return extreme


def boolean(value: Any = None) -> Value:
    if not isinstance(value, Value):
        raise Refusal("bool() is lifted for scalars only")
    return flag(truth(value))


def string(value: Any = None) -> Value:
    if not isinstance(value, Value):
        raise Refusal("str() is lifted for scalars only")
    return text(value)


FIELDS: dict[str, type[exp.Expression]] = {"year": exp.Year, "month": exp.Month, "day": exp.Day}


def date_part(value: Value, name: str) -> Value:
    """Return an attribute of a date."""
    if value.kind in ("date", "timestamp") and name in FIELDS and not value.is_const:
        return strict(FIELDS[name](this=value.sql), "BIGINT", value, bounds=(0, 9999))
    raise Refusal(f"the attribute {name} of a {value.name} is not lifted")


def _constants(name: str, lift: Callable[..., Value]) -> Callable[..., Value]:
    """Let Python itself do what has only constants in it."""

    def method(value: Value, *arguments: Any) -> Value:
        if value.is_const and all(isinstance(a, Thing) or (isinstance(a, Value) and a.is_const) for a in arguments):
            plain = [a.value if isinstance(a, Thing) else a.const for a in arguments]
            return constant(_python(getattr(value.const, name), *plain))
        if any(isinstance(a, Value) and a.type == "NULL" for a in arguments) and "strip" not in name:
            raise Refusal("None is given to a method of str: Python raises on every row", mistake=True)
        try:
            return lift(value, *arguments)
        except TypeError:
            raise Refusal(f"{name}() is not lifted with {len(arguments)} arguments") from None

    return method


STRINGS: dict[str, Callable[..., Value]] = {
    "__contains__": _holds,
    "endswith": _affix(exp.EndsWith),
    "lower": _cased(exp.Lower, "lower", SPECIAL_LOWER),
    "lstrip": _stripped("LEADING"),
    "replace": _replaced,
    "rstrip": _stripped("TRAILING"),
    "startswith": _affix(exp.StartsWith),
    "strip": _stripped(None),
    "upper": _cased(exp.Upper, "upper", SPECIAL_UPPER),
}

METHODS: dict[str, dict[str, Callable[..., Value]]] = {
    "str": {name: _constants(name, lift) for name, lift in STRINGS.items()},
}

FUNCTIONS: dict[Any, Callable[..., Any]] = {
    builtins.abs: absolute,
    builtins.all: truth,
    builtins.any: truth,
    builtins.bool: boolean,
    builtins.float: real,
    builtins.int: integer,
    builtins.len: length,
    builtins.max: _extreme(ast.Gt),
    builtins.min: _extreme(ast.Lt),
    builtins.round: rounded,
    builtins.str: string,
    math.ceil: _toward(exp.Ceil, math.ceil),
    math.floor: _toward(exp.Floor, math.floor),
    math.isnan: is_nan,
}
