"""Functions of numbers, with the reference's types and its answers at the edges."""

from __future__ import annotations

import math
from typing import Any

from sqlglot import exp

from mdfsql.lower.exact_arithmetic import BITS, divided, double, number_kind
from mdfsql.lower.number_types import digits
from mdfsql.lower.rules import call, case, cast, each, integer, kind, number, of_kind, paren, raised, refuse
from mdfsql.trees import copied

__all__ = ["exact_math", "named_numbers"]


def exact_math(tree: exp.Expr) -> exp.Expr:
    """Rounding works on the DOUBLE itself and keeps its type, logarithms of 0 are -inf, and so on as in DuckDB."""
    return each(tree, {cls: _closed(rule) for cls, rule in RULES.items()})


def _closed(rule: Any) -> Any:
    """Return the rule with what it gives in parentheses: an operator may stand around the function."""

    def closed(node: Any) -> exp.Expr | None:
        made = rule(node)
        return paren(made) if made is not None else None

    return closed


INF, NAN = float("inf"), float("nan")
DOUBLE, BIGINT = exp.DataType.build("DOUBLE"), exp.DataType.build("BIGINT")


def _typed(node: exp.Expr, type_: exp.DataType | None = None) -> exp.Expr:
    node.type = type_ or DOUBLE
    return node


def _add(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return _typed(exp.Add(this=copied(left), expression=copied(right)))


def _mul(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return _typed(exp.Mul(this=paren(left), expression=paren(right)))


def _neg(value: exp.Expr) -> exp.Expr:
    return _typed(exp.Neg(this=paren(value)))


def _compare(cls: type[exp.Expr], value: exp.Expr, other: float) -> exp.Expr:
    return cls(this=copied(value), expression=number(other))


# ---- rounding ----------------------------------------------------------------------------------------------------
# Of DOUBLEs, all by rint(), which keeps the sign of zero, and NaN and the infinities as they are.


def _rint(value: exp.Expr) -> exp.Expr:
    return call("RINT", value, type="DOUBLE")


def _floor(value: exp.Expr) -> exp.Expr:
    near = _rint(value)
    below = _typed(exp.Sub(this=copied(near), expression=number(1.0)))
    return case((exp.GT(this=copied(near), expression=copied(value)), below), default=near)


def _ceil(value: exp.Expr) -> exp.Expr:
    return _neg(_floor(_neg(value)))


def _trunc(value: exp.Expr) -> exp.Expr:
    return _mul(call("SIGN", value, type="DOUBLE"), _floor(call("ABS", value, type="DOUBLE")))


def _half_away(value: exp.Expr) -> exp.Expr:
    near = _rint(value)
    off = call("ABS", _typed(exp.Sub(this=copied(value), expression=copied(near))), type="DOUBLE")
    away = _add(value, _mul(call("SIGN", value, type="DOUBLE"), number(0.5)))
    return case((_compare(exp.EQ, off, 0.5), away), default=near)


def _scaled(value: exp.Expr, places: int, rounded: Any) -> exp.Expr:
    """Round to places as the reference does: the DOUBLE is scaled and rounded, not its shortest decimal text."""
    if places == 0:
        return rounded(value)
    power = number(float(10 ** abs(places)))
    up, down = (exp.Mul, exp.Div) if places > 0 else (exp.Div, exp.Mul)
    made = _typed(down(this=paren(rounded(_typed(up(this=paren(value), expression=copied(power))))), expression=power))
    return case((_compare(exp.GT, call("ABS", value, type="DOUBLE"), 1e290), value), default=made)


def _places(node: Any, digits: Any, name: str) -> int:
    places = 0 if digits is None else integer(digits)
    if places is None or abs(places) > 15:
        refuse(f"{name} to a number of places that is not a constant", "it is not shown to agree there")
    return places


def _rounding(name: str, exactly: str, rounded: Any) -> Any:
    """Return a rule: integers and decimals by the engine's own function ``exactly``, floats by ``rounded``."""

    def rule(node: Any, value: Any = None, digits: Any = None) -> exp.Expr:
        value, digits = (value, digits) if value is not None else (node.this, node.args.get("decimals"))
        found = number_kind(value, name)
        places = _places(node, digits, name)
        if found in ("int", "null"):
            return paren(value) if places >= 0 else _whole_to(value, places, exactly)
        if found == "decimal":
            _check_digits(value, places, exactly, name)
            return _decimal_to(value, places, exactly, node.type)
        if found == "float" and places != 0:
            refuse(f"{name} of FLOAT to places", "the reference scales the FLOAT itself", "CAST it to DOUBLE")
        made = _scaled(double(value), places, rounded)
        return cast(made, "FLOAT") if found == "float" else made

    return rule


def _check_digits(value: Any, places: int, exactly: str, name: str) -> None:
    """Refuse to round all digits of a DECIMAL away, where the reference takes a NULL in a column for 0 as well."""
    precision, scale = digits(value.type)
    if precision - scale < -places + (exactly == "TRUNC"):
        refuse(f"{name} of all digits of a DECIMAL", "the reference gives 0 for some NULLs too", "CAST it to DOUBLE")


def _whole_to(value: Any, places: int, exactly: str) -> exp.Expr:
    type_ = value.type.sql("duckdb")
    if exactly != "TRUNC":
        return cast(call(exactly, value, number(places)), type_)
    power = number(10**-places)
    whole = exp.IntDiv(this=paren(value), expression=power)
    return cast(exp.Mul(this=exp.Paren(this=whole), expression=copied(power)), type_)


def _decimal_to(value: Any, places: int, exactly: str, type_: exp.DataType) -> exp.Expr:
    if exactly != "TRUNC":
        return _typed(call(exactly, value, number(places)), type_)
    below = exp.LT(this=paren(value), expression=number(0))
    ceil, floor = (call(name, value, number(places)) for name in ("CEIL", "FLOOR"))
    return _typed(case((below, ceil), default=floor), type_)


def _whole(name: str, rounded: Any) -> Any:
    def rule(node: Any) -> exp.Expr | None:
        if node.args.get("decimals") is not None or node.args.get("to") is not None:
            refuse(f"{name.lower()}() with places", "it is not shown to agree there")
        found = number_kind(node.this, f"{name.lower()}()")
        if found in ("int", "null"):
            return cast(node.this, "DOUBLE")
        if found == "decimal":
            return None
        made = rounded(double(node.this))
        return cast(made, "FLOAT") if found == "float" else made

    return rule


# ---- one number to another ---------------------------------------------------------------------------------------

SAME: dict[type[exp.Expr], str] = {
    exp.Sqrt: "SQRT",
    exp.Cbrt: "CBRT",
    exp.Exp: "EXP",
    exp.Sin: "SIN",
    exp.Cos: "COS",
    exp.Tan: "TAN",
    exp.Cot: "COT",
    exp.Asin: "ASIN",
    exp.Acos: "ACOS",
    exp.Atan: "ATAN",
    exp.Sinh: "SINH",
    exp.Cosh: "COSH",
    exp.Tanh: "TANH",
    exp.Degrees: "DEGREES",
    exp.Radians: "RADIANS",
}


def _one(name: str) -> Any:
    def rule(node: Any) -> exp.Expr:
        number_kind(node.this, f"{name.lower()}()")
        return call(name, double(node.this), type="DOUBLE")

    return rule


def _logarithm(name: str, value: exp.Expr) -> exp.Expr:
    # Its own is NULL where there is none.
    return case(
        (_compare(exp.EQ, value, 0.0), number(-INF)),
        (_compare(exp.LT, value, 0.0), number(NAN)),
        default=call(name, value, type="DOUBLE"),
    )


def _ln(node: Any) -> exp.Expr:
    number_kind(node.this, "ln()")
    return _logarithm("LN", double(node.this))


def _log(node: Any) -> exp.Expr:
    base, value = (node.this, node.expression) if node.expression is not None else (number(10), node.this)
    number_kind(base, "log()")
    number_kind(value, "log()")
    known = {2: "LOG2", 10: "LOG10"}.get(integer(base) or 0)
    if known is not None:
        return _logarithm(known, double(value))
    return divided(_logarithm("LOG10", double(value)), _logarithm("LOG10", double(base)))


def _asinh(node: Any) -> exp.Expr:
    number_kind(node.this, "asinh()")
    # Its own loses the digits of small and of negative numbers; so does the formula, where the square overflows.
    value = double(node.this)
    size = call("ABS", value, type="DOUBLE")
    root = call("SQRT", _add(_mul(size, size), number(1.0)), type="DOUBLE")
    above = _typed(exp.Div(this=_mul(size, size), expression=exp.Paren(this=_add(root, number(1.0)))))
    near = call("LOG1P", _add(size, above), type="DOUBLE")
    made = case((_compare(exp.GT, size, 1e8), _large(size)), default=near)
    return _mul(call("SIGN", value, type="DOUBLE"), made)


def _acosh(node: Any) -> exp.Expr:
    number_kind(node.this, "acosh()")
    value = double(node.this)
    above = _typed(exp.Paren(this=_typed(exp.Sub(this=copied(value), expression=number(1.0)))))
    root = call("SQRT", _mul(above, _add(above, number(2.0))), type="DOUBLE")
    near = call("LOG1P", _add(above, root), type="DOUBLE")
    return case(
        (_compare(exp.LT, value, 1.0), number(NAN)), (_compare(exp.GT, value, 1e8), _large(value)), default=near
    )


def _large(value: exp.Expr) -> exp.Expr:
    return _add(call("LN", value, type="DOUBLE"), number(math.log(2)))


def _atanh(node: Any) -> exp.Expr:
    number_kind(node.this, "atanh()")
    value = double(node.this)
    up, down = call("LOG1P", value, type="DOUBLE"), call("LOG1P", _neg(value), type="DOUBLE")
    made = _mul(number(0.5), _typed(exp.Sub(this=up, expression=down)))
    return case(
        (_compare(exp.EQ, value, 1.0), number(INF)),
        (_compare(exp.EQ, value, -1.0), number(-INF)),
        (_compare(exp.GT, call("ABS", value, type="DOUBLE"), 1.0), number(NAN)),
        default=made,
    )


def _power(node: Any) -> exp.Expr:
    number_kind(node.this, "pow()")
    number_kind(node.expression, "pow()")
    base, to = double(node.this), double(node.expression)
    plain = call("POWER", base, to, type="DOUBLE")
    if isinstance(node.expression, exp.Literal):
        return plain
    # C has 1 for 1 to any power, and for -1 to an infinite one; Java has nan.
    one = exp.And(
        this=_compare(exp.EQ, base, 1.0), expression=exp.Not(this=exp.Is(this=copied(to), expression=exp.Null()))
    )
    infinite = _compare(exp.EQ, call("ABS", to, type="DOUBLE"), INF)
    other = exp.And(this=_compare(exp.EQ, base, -1.0), expression=infinite)
    return case((exp.Or(this=exp.Paren(this=one), expression=exp.Paren(this=other)), number(1.0)), default=plain)


def _sign(node: Any) -> exp.Expr:
    made = cast(call("SIGN", node.this), "TINYINT")
    if number_kind(node.this, "sign()") not in ("double", "float"):
        return made
    return case((_compare(exp.GT, double(node.this), INF), cast(number(0), "TINYINT")), default=made)


def _is_nan(node: Any) -> exp.Expr:
    number_kind(node.this, "isnan()")
    # Of NULL, its own isnan() says that it is none. NaN is greater than all else, and NULL stays NULL.
    return _typed(exp.Paren(this=_typed(_compare(exp.GT, double(node.this), INF), node.type)), node.type)


def _is_infinite(node: Any) -> exp.Expr:
    number_kind(node.this, "isinf()")
    ends = [_compare(exp.EQ, double(node.this), end) for end in (INF, -INF)]
    return exp.Paren(this=exp.Or(this=ends[0], expression=ends[1]))


# ---- integers ----------------------------------------------------------------------------------------------------


def _integer(node: Any, what: str) -> exp.Expr:
    of_kind(node, what, "int", "null")
    return cast(node, "BIGINT")


def _factorial(node: Any) -> exp.Expr:
    value = _integer(node.this, "factorial()")
    below = exp.LT(this=copied(value), expression=number(0))
    above = exp.GT(this=copied(value), expression=number(20))
    return case(
        (exp.Or(this=below, expression=above), raised("factorial() does not fit BIGINT")),
        default=call("FACTORIAL", cast(value, "INTEGER"), type="BIGINT"),
    )


def _literal(node: Any) -> exp.Expr | None:
    """A number of more digits than decimals have is a DOUBLE, and inf where that ends."""
    if node.is_string or kind(node) != "double" or (INF > float(node.this) > 0 and "e" in node.this.lower()):
        return None
    return number(float(node.this))


RULES: dict[type[exp.Expr], Any] = {
    exp.Literal: _literal,
    exp.Round: _rounding("round()", "ROUND", _half_away),
    exp.Trunc: _rounding("trunc()", "TRUNC", _trunc),
    exp.Ceil: _whole("CEIL", _ceil),
    exp.Floor: _whole("FLOOR", _floor),
    **{cls: _one(name) for cls, name in SAME.items()},
    exp.Ln: _ln,
    exp.Log: _log,
    exp.Asinh: _asinh,
    exp.Acosh: _acosh,
    exp.Atanh: _atanh,
    exp.Pi: lambda node: call("PI", type="DOUBLE"),
    exp.Pow: _power,
    exp.Sign: _sign,
    exp.IsInf: _is_infinite,
    exp.IsNan: _is_nan,
    exp.Factorial: _factorial,
}

# ---- functions that the parser has no node for -------------------------------------------------------------------

_rounded_even = _rounding("round_even()", "BROUND", _rint)


def _half_even(node: exp.Anonymous) -> exp.Expr:
    return _rounded_even(node, *node.expressions)


def _bit_count(node: exp.Anonymous) -> exp.Expr:
    (value,) = node.expressions
    whole = _integer(value, "bit_count()")
    bits = BITS.get(value.type.this, 64)
    # A negative number has 64 bits there, whatever its type.
    seen = exp.BitwiseAnd(this=whole, expression=number(2**bits - 1)) if bits < 64 else whole
    return cast(call("BIT_COUNT", seen), "TINYINT")


def _divisor(node: exp.Anonymous) -> exp.Expr:
    left, right = (call("ABS", _integer(e, node.name.lower() + "()"), type="BIGINT") for e in node.expressions)
    return _euclid(left, right)


def _euclid(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    # Two integers of 64 bits have their greatest common divisor after 92 divisions at most.
    a, b = (call("ELEMENT_AT", exp.to_identifier("_s"), i, type="BIGINT") for i in (1, 2))
    rest = call("ARRAY", b, call("MOD", a, b))
    done = exp.EQ(this=copied(b), expression=number(0))
    step = call("IF", done, exp.to_identifier("_s"), rest)
    fold = exp.Lambda(this=step, expressions=[exp.to_identifier("_s"), exp.to_identifier("_i")])
    last = exp.Lambda(this=copied(a), expressions=[exp.to_identifier("_s")])
    return call("AGGREGATE", call("SEQUENCE", 1, 92), call("ARRAY", left, right), fold, last, type="BIGINT")


def _multiple(node: exp.Anonymous) -> exp.Expr:
    left, right = (call("ABS", _integer(e, node.name.lower() + "()"), type="BIGINT") for e in node.expressions)
    signs = (call("SIGN", value, type="DOUBLE") for value in (left, right))
    zero = exp.EQ(this=_mul(*signs), expression=number(0))
    parts = _typed(exp.IntDiv(this=left, expression=_euclid(left, right)), BIGINT)
    made = _typed(exp.Mul(this=_typed(exp.Paren(this=parts), BIGINT), expression=copied(right)), BIGINT)
    return case((zero, number(0)), default=made)


named_numbers: dict[str, tuple[int, Any]] = {
    "round_even": (2, _half_even),
    "roundbankers": (2, _half_even),
    "bit_count": (1, _bit_count),
    "gcd": (2, _divisor),
    "greatest_common_divisor": (2, _divisor),
    "lcm": (2, _multiple),
    "least_common_multiple": (2, _multiple),
}
