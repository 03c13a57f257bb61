"""Functions of numbers: conversions, the math module, powers, and Decimal arithmetic."""

from __future__ import annotations

import ast
import decimal
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from sqlglot import exp

from mdfsql import lift_nodes as sql
from mdfsql.lift_arguments import const_of, run, string_of
from mdfsql.lift_nodes import words
from mdfsql.lift_operators import _order, arithmetic, as_float
from mdfsql.lift_operators import number as plain
from mdfsql.lift_values import (
    BOUNDS,
    INT64,
    Items,
    Node,
    Refusal,
    Row,
    Thing,
    Value,
    choose,
    constant,
    flag,
    simple,
    strict,
)

__all__ = ["MATH", "absolute", "decimals", "extreme", "integer", "length", "power", "real", "rounded"]

NUMERIC = ("int", "float", "bool")
MAX_POWER = 8  # of an int, written as a product


def length(value: Any) -> Value:
    if isinstance(value, Row):
        return constant(len(value.columns))
    if isinstance(value, Items):
        return constant(len(value.parts))
    if isinstance(value, Thing) and type(value.value) in (tuple, list, dict, set, frozenset, range):
        return constant(len(value.value))
    if not (isinstance(value, Value) and isinstance(value.sql, exp.Split)):
        value = string_of(value, "what len() measures")
    return strict(exp.Length(this=value.sql), "BIGINT", value, bounds=(0, 2**32))


def integer(value: Any = None) -> Value:
    if isinstance(value, Value) and value.kind == "str":
        return _read(value, "int", "BIGINT")
    if not isinstance(value, Value) or value.kind not in NUMERIC:
        raise Refusal("int() is lifted for numbers and text only")
    if value.kind == "float":
        node = sql.cast(exp.Trunc(this=as_float(value).sql), "BIGINT")
        # NaN, inf and what is past 64 bits fail, as in Python all but the last do.
        return strict(node, "BIGINT", value, raises=True, bounds=INT64)
    return strict(
        plain(value).sql, "BIGINT", value, bounds=value.bounds, natural=plain(value).natural or plain(value).type
    )


def real(value: Any = None) -> Value:
    if isinstance(value, Value) and value.kind == "str":
        return _read(value, "float", "DOUBLE")
    if not isinstance(value, Value) or value.kind not in NUMERIC:
        raise Refusal("float() is lifted for numbers and text only")
    return strict(as_float(value).sql, "DOUBLE", value)


def absolute(value: Any) -> Value:
    if not isinstance(value, Value) or value.kind not in NUMERIC:
        raise Refusal("abs() is lifted for numbers only")
    if value.kind == "float":
        return strict(exp.Abs(this=as_float(value).sql), "DOUBLE", value)
    value = plain(value)
    low, high = value.bounds or INT64
    node = value.sql if (value.natural or value.type) == "BIGINT" else sql.cast(value.sql, "BIGINT")
    bounds = (0, min(max(-low, high), INT64[1]))
    return strict(exp.Abs(this=node), "BIGINT", value, bounds=bounds, risky=low == INT64[0])


def rounded(value: Any, digits: Any = None) -> Value:
    if digits is not None:
        raise Refusal("round(x, n) rounds a binary fraction, which no SQL does alike", 'format it: f"{x:.2f}"')
    if not isinstance(value, Value) or value.kind not in NUMERIC:
        raise Refusal("round() is lifted for numbers only")
    if value.kind != "float":
        return integer(value)
    half_even = exp.Anonymous(this="round_even", expressions=[as_float(value).sql, sql.literal(0, "BIGINT")])
    return strict(sql.cast(half_even, "BIGINT"), "BIGINT", value, raises=True, bounds=INT64)


def _toward(cls: type[exp.Expression]) -> Callable[[Any], Value]:
    def whole(value: Any) -> Value:
        if not isinstance(value, Value) or value.kind not in NUMERIC:
            raise Refusal("floor(), ceil() and trunc() are lifted for numbers only")
        if value.kind != "float":
            return integer(value)
        node = sql.cast(cls(this=as_float(value).sql), "BIGINT")
        return strict(node, "BIGINT", value, raises=True, bounds=INT64)

    return whole


def extreme(order: type[ast.cmpop]) -> Callable[..., Value]:
    def lift(*values: Any) -> Value:
        if len(values) < 2 or not all(isinstance(v, Value) for v in values):
            raise Refusal("min() and max() are lifted for two or more scalars")
        result = values[0]
        for value in values[1:]:
            # What Python does: a later one wins only where it is strictly better.
            result = choose(_order(order, value, result), value, result)
        return result

    return lift


# --- the math module --------------------------------------------------------------------------------------------------

# The reference calls the C library that Python calls: every bit of these agreed on 180,000 values each. They stand
# under names that no other engine is shown to answer to the last bit.
Guard: TypeAlias = Callable[[Node, Node], Node]


def _double(value: float) -> Node:
    return sql.literal(value, "DOUBLE")


def _infinite(node: Node) -> Node:
    return exp.IsInf(this=node)


def _below_zero(x: Node, _: Node) -> Node:
    return sql.operation(exp.LT, x, _double(0.0))


def _up_to_zero(x: Node, _: Node) -> Node:
    return sql.operation(exp.LTE, x, _double(0.0))


def _beyond_one(x: Node, _: Node) -> Node:
    above = sql.both(sql.operation(exp.GT, x, _double(1.0)), sql.negate(exp.IsNan(this=x)))
    return sql.either(sql.operation(exp.LT, x, sql.negative(_double(1.0))), above)


def _is_infinite(x: Node, _: Node) -> Node:
    return _infinite(x)


def _became_infinite(x: Node, result: Node) -> Node:
    return sql.both(_infinite(result), sql.negate(_infinite(x)))


DOMAIN, RANGE = "math domain error", "math range error"

# Python's function -> the reference's, where Python raises, and what it says then.
REAL: dict[Callable[..., float], tuple[str, Guard | None, str]] = {
    math.acos: ("acos", _beyond_one, DOMAIN),
    math.asin: ("asin", _beyond_one, DOMAIN),
    math.atan: ("atan", None, ""),
    math.cbrt: ("cbrt", None, ""),
    math.cos: ("cos", _is_infinite, DOMAIN),
    math.cosh: ("cosh", _became_infinite, RANGE),
    math.degrees: ("degrees", None, ""),
    math.exp: ("exp", _became_infinite, RANGE),
    math.log10: ("log10", _up_to_zero, DOMAIN),
    math.log2: ("log2", _up_to_zero, DOMAIN),
    math.radians: ("radians", None, ""),
    math.sin: ("sin", _is_infinite, DOMAIN),
    math.sinh: ("sinh", _became_infinite, RANGE),
    math.sqrt: ("sqrt", _below_zero, DOMAIN),
    math.tan: ("tan", _is_infinite, DOMAIN),
    math.tanh: ("tanh", None, ""),
}


def _float(value: Any, name: str) -> Value:
    if not isinstance(value, Value) or value.kind not in NUMERIC:
        raise Refusal(f"{name}() is lifted for numbers only")
    return as_float(value)


def _real(name: str, guard: Guard | None, message: str) -> Callable[..., Value]:
    def lift(value: Any) -> Value:
        value = _float(value, f"math.{name}")
        # IEEE 754 fixes every bit of a square root: all engines have the same.
        node: Node = exp.Sqrt(this=value.sql) if name == "sqrt" else sql.call(name, value.sql)
        if guard is None:
            return strict(node, "DOUBLE", value)
        made = sql.case((guard(value.sql, node), sql.error(message)), default=node)
        return strict(made, "DOUBLE", value, raises=True)

    return lift


def _log(value: Any, base: Any = None) -> Value:
    result = _real("ln", _up_to_zero, DOMAIN)(value)
    if base is None:
        return result
    return arithmetic(ast.Div(), result, constant(run(math.log, const_of(base, "the base of a logarithm"))))


def _pow(left: Any, right: Any) -> Value:
    left, right = _float(left, "math.pow"), _float(right, "math.pow")
    node = sql.call("pow", left.sql, right.sql)
    nan = sql.both(exp.IsNan(this=node), *(sql.negate(exp.IsNan(this=v.sql)) for v in (left, right)))
    infinite = sql.both(_infinite(node), *(sql.negate(_infinite(v.sql)) for v in (left, right)))
    made = sql.case((sql.either(nan, infinite), sql.error(RANGE)), default=node)
    return strict(made, "DOUBLE", left, right, raises=True)


def _atan2(left: Any, right: Any) -> Value:
    left, right = _float(left, "math.atan2"), _float(right, "math.atan2")
    return strict(sql.call("atan2", left.sql, right.sql), "DOUBLE", left, right)


def _fmod(left: Any, right: Any) -> Value:
    left, right = _float(left, "math.fmod"), _float(right, "math.fmod")
    wrong = sql.either(_infinite(left.sql), sql.operation(exp.EQ, right.sql, _double(0.0)))
    free = sql.both(wrong, *(sql.negate(exp.IsNan(this=v.sql)) for v in (left, right)))
    made = sql.case((free, sql.error(DOMAIN)), default=sql.operation(exp.Mod, left.sql, right.sql))
    return strict(made, "DOUBLE", left, right, raises=True)


def _fabs(value: Any) -> Value:
    value = _float(value, "math.fabs")
    return strict(exp.Abs(this=value.sql), "DOUBLE", value)


def _is(name: str, make: Callable[[Node], Node]) -> Callable[[Any], Value]:
    def lift(value: Any) -> Value:
        if not isinstance(value, Value) or value.kind != "float":
            raise Refusal(f"math.{name}() is lifted for floats only")
        return flag(simple(make(as_float(value).sql), value))

    return lift


def power(base: Value, exponent: Value) -> Value:
    """Return ``base ** exponent`` for a constant exponent."""
    times = const_of(exponent, "an exponent", int, float)
    if base.kind == "float" or type(times) is float:
        x = _float(base, "pow").sql
        node = sql.call("pow", x, _double(float(times)))
        if times == 0.5:
            failure = sql.error("a negative number to the power of 0.5 is complex, beyond what SQL has")
            return strict(sql.case((_below_zero(x, node), failure), default=node), "DOUBLE", base, risky=True)
        if times < 1 or times != int(times):
            raise Refusal("** is lifted for an exponent that is 0.5 or a positive whole number")
        made = sql.case((_became_infinite(x, node), sql.error("Result too large")), default=node)
        return strict(made, "DOUBLE", base, raises=True)
    if base.kind not in ("int", "bool") or type(times) is not int or not 1 <= times <= MAX_POWER:
        raise Refusal(f"** is lifted for exponents from 1 to {MAX_POWER}", "multiply, or use a float: float(x) ** n")
    base = plain(base)
    result = strict(base.sql, base.type, base, bounds=base.bounds, natural=base.natural)
    for _ in range(times - 1):
        result = arithmetic(ast.Mult(), result, base)
    return result


# --- text that is a number --------------------------------------------------------------------------------------------

# What both languages read alike: Python also takes other digits and underscores, SQL other words.
BLANK = r"[\t\n\f\r ]*"
SPELLED = {
    "int": rf"^{BLANK}[+-]?[0-9]+{BLANK}$",
    "float": rf"^{BLANK}[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?{BLANK}$",
}


def _read(value: Value, name: str, type_: str) -> Value:
    spelled = exp.RegexpLike(this=value.sql, expression=words(SPELLED[name]))
    failure = sql.error(f"{name}() of a text that is no number, or one beyond what SQL reads as Python does")
    made = sql.case((sql.negate(spelled), failure), default=sql.cast(value.sql, type_))
    return strict(made, type_, value, raises=True, risky=True, bounds=BOUNDS.get(type_))


# --- Decimal ----------------------------------------------------------------------------------------------------------

DIGITS = {"TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19}
NARROW = 18  # digits that fit in 64 bits
MOST = 38  # digits of a DECIMAL
EXACT: dict[type[ast.operator], type[exp.Expression]] = {ast.Add: exp.Add, ast.Sub: exp.Sub, ast.Mult: exp.Mul}


def _digits(value: Value) -> tuple[int, int]:
    if value.kind == "int":
        return DIGITS[value.natural or value.type], 0
    precision, scale = value.type[len("DECIMAL(") : -1].split(",")
    return int(precision), int(scale)


def decimals(op: ast.operator, left: Value, right: Value) -> Value:
    """Return ``left op right`` for Decimals, or a Decimal and an int, where no digit is rounded away."""
    kind = type(op)
    if kind not in EXACT:
        raise Refusal("Decimal division rounds by Python's context, SQL's by its own", "convert with SQL first")
    left, right = (constant(decimal.Decimal(v.const)) if v.kind == "int" and v.is_const else v for v in (left, right))
    (digits, scale), (more, places) = _digits(left), _digits(right)
    if kind is ast.Mult:
        needed = digits + more
        if needed > NARROW and max(digits, more) <= NARROW:
            # The reference multiplies short ones within 18 digits.
            digits = NARROW + 1
            left = replace(left, sql=sql.cast(left.sql, f"DECIMAL({digits},{scale})"))
        precision, scale = digits + more, scale + places
    else:
        whole = max(digits - scale, more - places) + 1
        scale = max(scale, places)
        needed = precision = whole + scale
    node = sql.operation(EXACT[kind], left.sql, right.sql)
    # An engine may count one digit more for each product.
    if precision + sum(1 for _ in node.find_all(exp.Mul)) > MOST:
        raise Refusal(f"a Decimal of {precision} digits may be rounded", "convert the columns to shorter DECIMALs")
    type_ = f"DECIMAL({precision},{scale})"
    context = decimal.getcontext().prec
    if needed <= context:
        return strict(node, type_, left, right)
    if context - scale < 1:
        raise Refusal(f"Python's decimal context rounds to {context} digits")
    limit = sql.literal(decimal.Decimal(10 ** (context - scale)), f"DECIMAL({MOST},{scale})")
    beyond = sql.operation(exp.GTE, exp.Abs(this=node), limit)
    failure = sql.error(f"a Decimal of more than {context} digits, beyond what Python's context keeps")
    return strict(sql.case((beyond, failure), default=node), type_, left, right, risky=True)


MATH: dict[Any, Callable[..., Any]] = {
    **{function: _real(*entry) for function, entry in REAL.items()},
    math.atan2: _atan2,
    math.ceil: _toward(exp.Ceil),
    math.fabs: _fabs,
    math.floor: _toward(exp.Floor),
    math.fmod: _fmod,
    math.isfinite: _is("isfinite", lambda node: sql.call("isfinite", node)),
    math.isinf: _is("isinf", _infinite),
    math.isnan: _is("isnan", lambda node: exp.IsNan(this=node)),
    math.log: _log,
    math.pow: _pow,
    math.trunc: _toward(exp.Trunc),
}
