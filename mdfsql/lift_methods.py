"""Python's functions and methods as SQL: the index, by Python's own names."""

from __future__ import annotations

import ast
import builtins
import datetime
import decimal
from collections.abc import Callable, Mapping
from typing import Any

from mdfsql import lift_operators
from mdfsql.lift_arguments import folding
from mdfsql.lift_dates import DATES, DELTAS, moved, timedelta
from mdfsql.lift_dates import attribute as date_part
from mdfsql.lift_numbers import MATH, absolute, decimals, extreme, integer, length, power, real, rounded
from mdfsql.lift_operators import NUMBERS, folded
from mdfsql.lift_parts import Thought, items
from mdfsql.lift_regex import PATTERNS, REGEX_FUNCTIONS, group
from mdfsql.lift_text import STRINGS, formatted, item_of, repeated, sliced, text
from mdfsql.lift_values import Refusal, Test, Value, choose, constant, flag, truth

__all__ = [
    "FUNCTIONS",
    "METHODS",
    "PATTERNS",
    "arithmetic",
    "date_part",
    "formatted",
    "item_of",
    "lookup",
    "sliced",
    "text",
]

MAX_LOOKUP = 500  # entries of a dict that becomes a CASE
MAX_EXPONENT = 1024  # of a constant power: Python itself computes it


def arithmetic(op: ast.operator, left: Value, right: Value) -> Value:
    """Return ``left op right``."""
    kinds, kind = {left.kind, right.kind}, type(op)
    if left.is_const and right.is_const:
        return _computed(op, left, right)
    if "null" in kinds:
        return lift_operators.arithmetic(op, left, right)
    if kinds & {"date", "timestamp", "timestamptz", "timedelta"}:
        result = moved(op, left, right)
        if result is None:
            raise Refusal(f"{left.name} {SYMBOLS.get(kind, kind.__name__)} {right.name} is not lifted")
        return result
    if "decimal" in kinds and kinds <= {"decimal", "int"} and kind is not ast.Pow:
        return decimals(op, left, right)
    if kind is ast.Mult and kinds == {"str", "int"}:
        return repeated(left, right) if left.kind == "str" else repeated(right, left)
    if kind is ast.Pow and kinds <= NUMBERS:
        return power(left, right)
    return lift_operators.arithmetic(op, left, right)


SYMBOLS = lift_operators.SYMBOLS


def _computed(op: ast.operator, left: Value, right: Value) -> Value:
    if isinstance(op, ast.Pow) and not (type(right.const) in (int, float) and abs(right.const) <= MAX_EXPONENT):
        raise Refusal("a power as high as this is not lifted")
    if isinstance(op, ast.Mult) and isinstance(left.const, str) | isinstance(right.const, str):
        return repeated(left, right) if isinstance(left.const, str) else repeated(right, left)
    return constant(folded(type(op), left.const, right.const))


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


def boolean(value: Any = None) -> Value:
    if not isinstance(value, Value):
        raise Refusal("bool() is lifted for scalars only")
    return flag(truth(value))


def string(value: Any = None) -> Value:
    if not isinstance(value, Value):
        raise Refusal("str() is lifted for scalars only")
    return text(value)


def both_parts(left: Any, right: Any) -> Thought:
    if not isinstance(left, Value) or not isinstance(right, Value):
        raise Refusal("divmod() is lifted for scalars only")
    return items([arithmetic(ast.FloorDiv(), left, right), arithmetic(ast.Mod(), left, right)])


def to_power(base: Any, exponent: Any) -> Value:
    if not isinstance(base, Value) or not isinstance(exponent, Value):
        raise Refusal("pow() is lifted for scalars only")
    return arithmetic(ast.Pow(), base, exponent)


def _method(name: str, function: Callable[..., Any], lift: Callable[..., Any]) -> Callable[..., Thought]:
    made = folding(function, lift)

    def method(value: Value, *arguments: Any, **keywords: Any) -> Thought:
        if any(isinstance(a, Value) and a.type == "NULL" for a in arguments) and "strip" not in name:
            raise Refusal(f"None is given to {name}()", mistake=name != "split")
        return made(value, *arguments, **keywords)

    return method


def _methods(kind: type, table: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Thought]]:
    return {n: _method(n, getattr(kind, n), lift) for n, lift in table.items() if hasattr(kind, n)}


METHODS: dict[str, dict[str, Callable[..., Any]]] = {
    "date": _methods(datetime.date, DATES),
    "match": {"group": group},
    "str": _methods(str, STRINGS),
    "timedelta": _methods(datetime.timedelta, DELTAS),
    "timestamp": _methods(datetime.datetime, DATES),
    "timestamptz": _methods(datetime.datetime, DATES),
}

FUNCTIONS: dict[Any, Callable[..., Any]] = {
    builtins.all: truth,
    builtins.any: truth,
    **REGEX_FUNCTIONS,
    **{
        function: folding(function, lift)
        for function, lift in {
            builtins.abs: absolute,
            builtins.bool: boolean,
            builtins.divmod: both_parts,
            builtins.float: real,
            builtins.int: integer,
            builtins.len: length,
            builtins.max: extreme(ast.Gt),
            builtins.min: extreme(ast.Lt),
            builtins.pow: to_power,
            builtins.round: rounded,
            builtins.str: string,
            datetime.date: None,
            datetime.datetime: None,
            datetime.timedelta: timedelta,
            datetime.timezone: None,
            decimal.Decimal: None,
            **MATH,
        }.items()
    },
}
