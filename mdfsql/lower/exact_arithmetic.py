"""Operators on numbers, with the reference's types and its answers at the edges."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.number_types import LEAST, digits
from mdfsql.lower.rules import (
    call,
    case,
    cast,
    each,
    integer,
    is_null,
    kind,
    null,
    number,
    of_kind,
    paren,
    raised,
    refuse,
)
from mdfsql.trees import copied

__all__ = ["BEYOND", "divided", "double", "exact_arithmetic", "floated", "number_kind"]

# Doubles from here on are whole numbers already, and integers may not hold them.
WHOLE = float(2**53)
UNSIGNED = frozenset(exp.DataType.UNSIGNED_INTEGER_TYPES)
BEYOND = "a DOUBLE is out of range for BIGINT"


def exact_arithmetic(tree: exp.Expr) -> exp.Expr:
    """Division gives a DOUBLE and inf or nan for x/0, a FLOAT stays one, and what does not fit its type raises."""
    return each(each(tree, {exp.Cast: _whole_cast}), RULES)


def _whole_cast(node: Any) -> exp.Expr | None:
    """Write CAST(ceil(x) AS BIGINT) and the like at once: by way of a DOUBLE, x would stand there twice as often."""
    inner = node.this
    if node.to.this != exp.DataType.Type.BIGINT or type(inner) not in (exp.Ceil, exp.Floor, exp.Trunc):
        return None
    if kind(inner.this) != "double" or any(inner.args.get(name) is not None for name in ("decimals", "to")):
        return None
    value = double(inner.this)
    # The check there compares with 2**63 - 1 as a DOUBLE, which is 2**63: that one would be let through.
    beyond = (exp.GTE(this=value, expression=number(2.0**63)), raised(BEYOND))
    if isinstance(inner, exp.Trunc):
        return case(beyond, default=cast(value, "BIGINT"))
    near = exp.LT(this=call("ABS", value), expression=number(WHOLE))
    return case((near, call(inner.sql_name(), value, type="BIGINT")), beyond, default=cast(value, "BIGINT"))


def _signed(*nodes: exp.Expr) -> None:
    for node in nodes:
        if node.type is not None and node.type.this in UNSIGNED:
            refuse("arithmetic of unsigned numbers", "Spark has none, which fail below 0", "CAST it to BIGINT")


def number_kind(node: exp.Expr, what: str) -> str:
    """Return the kind of a number; refuse what is none."""
    _signed(node)
    instead = "CAST it to DOUBLE" if kind(node) == "text" else None
    return of_kind(node, what, "int", "decimal", "double", "float", "null", instead=instead)


def double(node: exp.Expr) -> exp.Expr:
    """Return a copy of a number as a DOUBLE."""
    return paren(node) if kind(node) == "double" else cast(node, "DOUBLE")


# Decimals of more digits may be rounded twice on the way to a FLOAT.
FLOATED = 15


def floated(node: Any) -> exp.Expr:
    """Return a copy of a number as a FLOAT, as it is next to one in the reference; elsewhere both become DOUBLE."""
    if kind(node) == "decimal" and digits(node.type)[0] > FLOATED:
        refuse("FLOAT with a DECIMAL of many digits", "its last digits differ", "CAST both to DOUBLE")
    return paren(node) if kind(node) in ("float", "double") else cast(node, "FLOAT")


def _binary(node: Any) -> exp.Expr | None:
    kinds = {kind(node.this), kind(node.expression)}
    if kinds & {"date", "timestamp", "timestamptz", "interval"}:
        return None  # for exact_dates
    number_kind(node.this, node.key.upper())
    number_kind(node.expression, node.key.upper())
    type_ = node.type
    if type_ is None:
        return None
    if kind(node) == "float" and kinds != {"float"}:
        return _of(node, floated(node.this), floated(node.expression))
    if type_.this in (exp.DType.TINYINT, exp.DType.SMALLINT):
        # A written integer is an INTEGER there, and so is the result.
        return cast(node, type_.sql("duckdb"))
    if isinstance(node, exp.Mul) and kind(node) == "decimal" and "null" not in kinds:
        # What 64 bits hold must not become more in the reference.
        (p1, _), (p2, _) = digits(node.this.type), digits(node.expression.type)
        return cast(node, type_.sql("duckdb")) if digits(type_)[0] < min(p1 + p2, 38) else None
    return None


def _of(node: exp.Expr, left: exp.Expr, right: exp.Expr) -> exp.Expr:
    made = type(node)(this=left, expression=right)
    made.type = node.type
    return made


def divided(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Return the quotient of two DOUBLEs, which is inf or nan where the divisor is zero."""
    plain = exp.Div(this=copied(left), expression=copied(right))
    plain.type = exp.DataType.build("DOUBLE")
    value: Any = right
    while isinstance(value, (exp.Paren, exp.Neg, exp.Cast)):
        value = value.this
    if isinstance(value, exp.Literal) and value.is_number and float(value.this) != 0:
        return plain
    # Division by zero raises there. A power of -1 gives the infinity of the right sign, and 0 * inf is nan.
    limit = exp.Mul(this=copied(left), expression=call("POWER", right, number(-1.0), type="DOUBLE"))
    limit.type = plain.type
    return case((exp.EQ(this=copied(right), expression=number(0.0)), limit), default=plain)


def _sides(node: Any, what: str) -> tuple[exp.Expr, exp.Expr]:
    """Return both operands as DOUBLEs; a number next to a FLOAT becomes one first."""
    number_kind(node.this, what)
    number_kind(node.expression, what)
    if kind(node) == "float":
        return double(floated(node.this)), double(floated(node.expression))
    return double(node.this), double(node.expression)


def _as_typed(node: Any, made: exp.Expr) -> exp.Expr:
    return cast(made, "FLOAT") if kind(node) == "float" else made


def _divide(node: Any) -> exp.Expr:
    # The quotient of two FLOATs, rounded from DOUBLE to FLOAT, is the quotient as a FLOAT.
    return _as_typed(node, divided(*_sides(node, "division")))


def _int_divide(node: Any) -> exp.Expr:
    _signed(node.this, node.expression)
    if kind(node) == "int" and "null" in (kind(node.this), kind(node.expression)):
        return cast(null(), node.type.sql("duckdb"))
    if kind(node.this) != "int" or kind(node.expression) != "int":
        # The reference does not round it, but raises where / does not: for a divisor of zero.
        left, right = _sides(node, "//")
        share = exp.Div(this=left, expression=right)
        share.type = exp.DataType.build("DOUBLE")
        return _as_typed(node, share)
    # The engine's result is BIGINT, and a smaller type must overflow as the reference's does.
    made = exp.IntDiv(this=copied(node.this), expression=copied(node.expression))
    made.type = exp.DataType.build("BIGINT")
    return cast(made, node.type.sql("duckdb")) if kind(node) == "int" else made


def _modulo(node: Any) -> exp.Expr | None:
    number_kind(node.this, "%")
    number_kind(node.expression, "%")
    if kind(node) == "int":
        divisor, least = integer(node.expression), LEAST.get(node.type.this)
        if least is None or divisor not in (None, -1):
            return None
        # The rest is zero there; in the reference the quotient overflows.
        beyond = exp.And(
            this=exp.EQ(this=paren(node.expression), expression=number(-1)),
            expression=exp.EQ(this=paren(node.this), expression=number(least)),
        )
        return case((beyond, raised("overflow in %")), default=node)
    if kind(node) == "decimal":
        return None
    return _rest(node)


def _rest(node: Any) -> exp.Expr:
    left, right = _sides(node, "%")
    plain = exp.Mod(this=left, expression=right)
    plain.type = exp.DataType.build("DOUBLE")
    zero = exp.EQ(this=copied(right), expression=number(0.0))
    nan = exp.Mul(this=paren(left), expression=number(float("nan")))
    nan.type = plain.type
    return _as_typed(node, case((zero, nan), default=plain))


# Beyond these digits, the engine rounds a decimal whose sign it changes.
SIGNED = 34


def _negative(value: Any) -> exp.Expr:
    made = exp.Mul(this=paren(value), expression=number(-1))
    made.type = value.type
    return cast(made, value.type.sql("duckdb"))


def _negated(node: Any) -> exp.Expr | None:
    _signed(node.this)
    long = kind(node.this) == "decimal" and digits(node.this.type)[0] > SIGNED
    return _negative(node.this) if long else None


def _absolute(node: Any) -> exp.Expr | None:
    _signed(node.this)
    if kind(node.this) != "decimal" or digits(node.this.type)[0] <= SIGNED:
        return None
    below = exp.LT(this=paren(node.this), expression=number(0))
    return case((below, _negative(node.this)), default=paren(node.this))


# ---- bits --------------------------------------------------------------------------------------------------------

BITS = {exp.DType.TINYINT: 8, exp.DType.SMALLINT: 16, exp.DType.INT: 32, exp.DType.BIGINT: 64}


def _whole(node: Any, what: str) -> None:
    _signed(node)
    of_kind(node, what, "int", "null")


def _bitwise(node: Any) -> exp.Expr:
    _whole(node.this, "a bit operation")
    _whole(node.expression, "a bit operation")
    # In the reference all of them bind alike, from left to right.
    made = exp.Paren(this=_of(node, paren(node.this), paren(node.expression)))
    made.type = node.type
    return made


def _bits_of(node: Any) -> int:
    _whole(node.this, "a shift")
    _whole(node.expression, "a shift")
    if node.type.this not in BITS:
        refuse("a shift of what has no known size", "it is not shown to agree there", "CAST it")
    return BITS[node.type.this]


def _shift(node: Any) -> exp.Expr:
    """Shift a BIGINT by a number of places that the engine takes; raise, or give 0, where the reference does."""
    bits, type_ = _bits_of(node), node.type.sql("duckdb")
    value, by = cast(node.this, "BIGINT"), cast(node.expression, "BIGINT")
    within = exp.Between(this=copied(by), low=number(0), high=number(bits - 1))
    if isinstance(node, exp.BitwiseRightShift):
        shifted = call("SHIFTRIGHT", value, cast(by, "INTEGER"), type="BIGINT")
        # NULL stays NULL, all else is shifted out.
        none = exp.Mul(
            this=exp.Paren(this=exp.Mod(this=value, expression=number(1))),
            expression=exp.Paren(this=exp.Mod(this=by, expression=number(1))),
        )
        none.type = shifted.type
        return cast(case((within, shifted), default=none), type_)
    shifted = call("SHIFTLEFT", value, cast(by, "INTEGER"), type="BIGINT")
    room = exp.Sub(this=number(bits - 1), expression=by)
    room.type = by.type
    over = exp.GT(this=call("SHIFTRIGHT", value, cast(room, "INTEGER")), expression=number(0))
    good = exp.And(
        this=within,
        expression=exp.And(
            this=exp.GTE(this=copied(value), expression=number(0)), expression=exp.Not(this=exp.Paren(this=over))
        ),
    )
    zero = exp.And(
        this=exp.EQ(this=copied(value), expression=number(0)),
        expression=exp.GTE(this=copied(by), expression=number(bits)),
    )
    missing = exp.Or(this=is_null(value), expression=is_null(by))
    return case(
        (missing, null()),
        (good, cast(shifted, type_)),
        (zero, cast(number(0), type_)),
        default=raised("overflow in <<"),
    )


def _inverted(node: Any) -> exp.Expr:
    _whole(node.this, "~")
    made = exp.BitwiseNot(this=paren(node.this))
    made.type = node.type
    outer = exp.Paren(this=made)
    outer.type = node.type
    return outer


RULES: dict[type[exp.Expr], Any] = {
    exp.Add: _binary,
    exp.Sub: _binary,
    exp.Mul: _binary,
    exp.Div: _divide,
    exp.IntDiv: _int_divide,
    exp.Mod: _modulo,
    exp.Neg: _negated,
    exp.Abs: _absolute,
    exp.BitwiseAnd: _bitwise,
    exp.BitwiseOr: _bitwise,
    exp.BitwiseXor: _bitwise,
    exp.BitwiseLeftShift: _shift,
    exp.BitwiseRightShift: _shift,
    exp.BitwiseNot: _inverted,
}
