"""The types of expressions that have no SQL but of which Python's own type is plain."""

from __future__ import annotations

import ast
import builtins
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mdfsql.errors import CannotLift
from mdfsql.lift_values import Refusal, Thing, Value
from mdfsql.schema import FLOATS, INTEGERS, Type
from mdfsql.unlifted import value_type

if TYPE_CHECKING:
    from mdfsql.lift_function import Lifter

__all__ = ["guess"]

TEXT, WHOLE, REAL, FLAG = "VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN"

FUNCTIONS: dict[Any, Type] = {
    **dict.fromkeys((ascii, bin, chr, format, hex, oct, repr, str), TEXT),
    **dict.fromkeys((hash, int, len, ord), WHOLE),
    **dict.fromkeys((all, any, bool, callable, hasattr, isinstance, issubclass), FLAG),
    float: REAL,
    **{getattr(math, name): FLAG for name in ("isclose", "isfinite", "isinf", "isnan")},
    **{getattr(math, n): WHOLE for n in ("ceil", "comb", "factorial", "floor", "gcd", "isqrt", "lcm", "perm", "trunc")},
    **{
        getattr(math, name): REAL
        for name in (
            *("acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "copysign", "cos", "cosh", "degrees"),
            *("dist", "erf", "erfc", "exp", "exp2", "expm1", "fabs", "fmod", "fsum", "gamma", "hypot", "ldexp"),
            *("lgamma", "log", "log10", "log1p", "log2", "pow", "radians", "remainder", "sin", "sinh", "sqrt"),
            *("tan", "tanh"),
        )
    },
}

METHODS: dict[str, Type] = {
    **dict.fromkeys(
        (
            *("capitalize", "casefold", "center", "expandtabs", "format", "join", "ljust", "lower", "lstrip"),
            *("removeprefix", "removesuffix", "replace", "rjust", "rstrip", "strip", "swapcase", "title"),
            *("translate", "upper", "zfill"),
        ),
        TEXT,
    ),
    **dict.fromkeys(("count", "find", "index", "rfind", "rindex"), WHOLE),
    **dict.fromkeys(
        (
            *("endswith", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower"),
            *("isnumeric", "isprintable", "isspace", "istitle", "isupper", "startswith"),
        ),
        FLAG,
    ),
    **dict.fromkeys(("rsplit", "split", "splitlines"), f"{TEXT}[]"),
}


def guess(lifter: Lifter, node: ast.expr) -> Type | None:
    """Return the type of the values of an expression, as far as it is certain; None where it is not."""
    try:
        found = lifter.expression(node)
    except (CannotLift, Refusal):
        rule = RULES.get(type(node))
        return rule(lifter, node) if rule is not None else None
    return found.type if isinstance(found, Value) and found.type != "NULL" else None


def _number(*types: Type | None) -> Type | None:
    """Return the type of arithmetic on these."""
    if any(t is None or t not in INTEGERS | FLOATS | {FLAG} for t in types):
        return None
    return REAL if any(t in FLOATS for t in types) else WHOLE


def _binary(lifter: Lifter, node: ast.BinOp) -> Type | None:
    left, right = guess(lifter, node.left), guess(lifter, node.right)
    if isinstance(node.op, (ast.Add, ast.Mod)) and left == TEXT:
        return TEXT
    if isinstance(node.op, ast.Mult) and TEXT in (left, right):
        return TEXT
    found = _number(left, right)
    if isinstance(node.op, ast.Div):
        return REAL if found else None
    if isinstance(node.op, ast.Pow) and found == WHOLE:
        power = node.right.value if isinstance(node.right, ast.Constant) else None
        return WHOLE if isinstance(power, int) and power >= 0 else None
    if isinstance(node.op, ast.Pow):
        return None  # a negative float to a broken power is complex
    return found if isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod)) else None


def _call(lifter: Lifter, node: ast.Call) -> Type | None:
    try:
        function = lifter.expression(node.func)
    except (CannotLift, Refusal):
        function = None
    if isinstance(function, Thing):
        called = function.value
        if called is builtins.round and node.args:
            of = _number(guess(lifter, node.args[0]))
            return WHOLE if len(node.args) == 1 and not node.keywords else of
        if called is abs and len(node.args) == 1:
            return _number(guess(lifter, node.args[0]))
        if called in (min, max) and len(node.args) > 1 and not node.keywords:
            return _same(*(guess(lifter, a) for a in node.args))
        try:
            return FUNCTIONS.get(called) or (value_type(called) if not isinstance(called, type) else None)
        except TypeError:  # what cannot be hashed is in no table
            return None
    if isinstance(node.func, ast.Attribute) and guess(lifter, node.func.value) == TEXT:
        return METHODS.get(node.func.attr)
    return None


def _same(*types: Type | None) -> Type | None:
    return types[0] if len(set(types)) == 1 else None


def _unary(lifter: Lifter, node: ast.UnaryOp) -> Type | None:
    return FLAG if isinstance(node.op, ast.Not) else _number(guess(lifter, node.operand))


def _part(lifter: Lifter, node: ast.Subscript) -> Type | None:
    of = guess(lifter, node.value)
    if of == TEXT:
        return TEXT
    if of is not None and of.endswith("[]"):
        return of if isinstance(node.slice, ast.Slice) else of[:-2]
    return None


RULES: Mapping[type[ast.expr], Callable[[Any, Any], Type | None]] = {
    ast.BinOp: _binary,
    ast.BoolOp: lambda lifter, node: _same(*(guess(lifter, value) for value in node.values)),
    ast.Call: _call,
    ast.Compare: lambda lifter, node: FLAG,
    ast.IfExp: lambda lifter, node: _same(guess(lifter, node.body), guess(lifter, node.orelse)),
    ast.JoinedStr: lambda lifter, node: TEXT,
    ast.Subscript: _part,
    ast.UnaryOp: _unary,
}
