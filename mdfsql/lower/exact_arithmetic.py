"""Arithmetic, with the reference's types and its answers at the edges."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.rules import call, case, cast, each, integer, kind, number, paren, raised, refuse

__all__ = ["exact_arithmetic"]

# Doubles from here on are whole numbers already, and integers may not hold them.
WHOLE = float(2**53)
UNSIGNED = frozenset(exp.DataType.UNSIGNED_INTEGER_TYPES)
BEYOND = "a DOUBLE is out of range for BIGINT"


def exact_arithmetic(tree: exp.Expr) -> exp.Expr:
    """Division gives a DOUBLE and inf or nan for x/0, rounding works on the DOUBLE itself, and so on as in DuckDB."""
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


def _number(node: exp.Expr, what: str) -> str:
    found = kind(node)
    _signed(node)
    if found not in ("int", "decimal", "double", "null"):
        instead = "CAST it to DOUBLE" if found in ("float", "text") else None
        refuse(f"{what} of {found.upper()}", "it is not shown to agree there", instead)
    return found


def double(node: exp.Expr) -> exp.Expr:
    """Return a copy of a number as a DOUBLE."""
    return paren(node) if kind(node) == "double" else cast(node, "DOUBLE")


def _binary(node: Any) -> exp.Expr | None:
    kinds = {kind(node.this), kind(node.expression)}
    if kinds & {"date", "timestamp", "timestamptz", "interval"}:
        return None  # for exact_dates
    if kinds == {"float"}:
        return None
    _number(node.this, node.key.upper())
    _number(node.expression, node.key.upper())
    return None


def _divide(node: Any) -> exp.Expr:
    left, right = node.this, node.expression
    _number(left, "division")
    _number(right, "division")
    plain = exp.Div(this=double(left), expression=double(right))
    plain.type = exp.DataType.build("DOUBLE")
    value = right
    while isinstance(value, (exp.Paren, exp.Neg, exp.Cast)):
        value = value.this
    if isinstance(value, exp.Literal) and value.is_number and float(value.this) != 0:
        return plain
    # Division by zero raises there. A power of -1 gives the infinity of the right sign, and 0 * inf is nan.
    limit = exp.Mul(this=double(left), expression=call("POWER", double(right), number(-1.0)))
    limit.type = plain.type
    return case((exp.EQ(this=double(right), expression=number(0.0)), limit), default=plain)


def _int_divide(node: Any) -> exp.Expr | None:
    _signed(node.this, node.expression)
    if kind(node.this) != "int" or kind(node.expression) != "int":
        refuse("// of other numbers than integers", "DuckDB does not round it, and Spark has no such operator")
    # The engine's result is BIGINT, and a smaller type must overflow as the reference's does.
    made = exp.IntDiv(this=node.this.copy(), expression=node.expression.copy())
    made.type = exp.DataType.build("BIGINT")
    return cast(made, node.type.sql("duckdb")) if kind(node) == "int" else made


def _modulo(node: Any) -> exp.Expr | None:
    _signed(node.this, node.expression)
    if kind(node.this) == kind(node.expression) == "int":
        return None
    kinds = {_number(node.this, "%"), _number(node.expression, "%")}
    if "double" in kinds:
        right = double(node.expression)
        plain = exp.Mod(this=double(node.this), expression=right)
        plain.type = exp.DataType.build("DOUBLE")
        zero = exp.EQ(this=right, expression=number(0.0))
        nan = exp.Mul(this=paren(plain.this), expression=cast(exp.Literal.string("NaN"), "DOUBLE"))
        nan.type = plain.type
        return case((zero, nan), default=plain)
    return None


def _round(node: Any) -> exp.Expr | None:
    found = _number(node.this, "round()")
    digits = node.args.get("decimals")
    places = 0 if digits is None else integer(digits)
    if places is None or abs(places) > 15:
        refuse("round() to a number of places that is not a constant", "it is not shown to agree there")
    if found == "int":
        return node.this.copy() if places >= 0 else None
    if found != "double" or places == 0:
        return None
    # The reference scales the DOUBLE and rounds that; there the shortest decimal text of it is rounded.
    value, power = double(node.this), number(float(10 ** abs(places)))
    up, down = (exp.Mul, exp.Div) if places > 0 else (exp.Div, exp.Mul)
    scaled = exp.Round(this=up(this=value.copy(), expression=power.copy()))
    made = down(this=scaled, expression=power.copy())
    made.type = exp.DataType.build("DOUBLE")
    return case((exp.GT(this=call("ABS", value), expression=number(1e290)), value), default=made)


def _whole(name: str) -> Any:
    def rule(node: Any) -> exp.Expr | None:
        if node.args.get("decimals") is not None or node.args.get("to") is not None:
            refuse(f"{name.lower()}() with places", "it is not shown to agree there")
        found = _number(node.this, f"{name.lower()}()")
        if found == "int":
            return cast(node.this, "DOUBLE")
        if found == "decimal":
            return None
        near = exp.LT(this=call("ABS", double(node.this)), expression=number(WHOLE))
        return case((near, cast(call(name, node.this), "DOUBLE")), default=double(node.this))

    return rule


def _trunc(node: Any) -> exp.Expr:
    found = _number(node.this, "trunc()")
    if found == "int" and node.args.get("decimals") is None:
        return node.this.copy()
    if found != "double" or node.args.get("decimals") is not None:
        refuse("trunc() of a decimal or with places", "it is not shown to agree there", "CAST it to DOUBLE first")
    near = exp.LT(this=call("ABS", double(node.this)), expression=number(WHOLE))
    return case((near, cast(cast(node.this, "BIGINT"), "DOUBLE")), default=double(node.this))


def _sign(node: Any) -> exp.Expr:
    if _number(node.this, "sign()") == "double":
        refuse("sign() of a DOUBLE", "it is not shown to agree there for nan", "CASE WHEN x > 0 THEN 1 ... END")
    return cast(call("SIGN", node.this), "TINYINT")


def _guarded(name: str, test: type[exp.Expr], message: str, limit: float | None = None) -> Any:
    """Return a rule for a function of one DOUBLE that raises outside of its domain, as the reference's does."""

    def rule(node: Any) -> exp.Expr:
        _number(node.this, f"{name.lower()}()")
        value = double(node.this)
        branches = [(test(this=value.copy(), expression=number(0.0)), raised(message))]
        if limit is not None:
            branches.append((exp.EQ(this=value.copy(), expression=number(0.0)), number(limit)))
        return case(*branches, default=call(name, value, type="DOUBLE"))

    return rule


def _log(node: Any) -> exp.Expr:
    base = node.this
    if node.expression is None:
        return _LOG10(node)
    if integer(base) not in (2, 10):
        refuse("log() to another base than 2 or 10", "it is not shown to agree there", "ln(x) / ln(base)")
    rule = _LOG10 if integer(base) == 10 else _LOG2
    return rule(exp.Log(this=node.expression.copy()))


def _one(name: str) -> Any:
    def rule(node: Any) -> exp.Expr:
        _number(node.this, f"{name.lower()}()")
        return call(name, double(node.this), type="DOUBLE")

    return rule


def _is_nan(node: Any) -> exp.Expr:
    if kind(node.this) not in ("double", "float"):
        refuse("isnan() of what is not a float", "it is not shown to agree there")
    # Of NULL, its own isnan() says that it is none. NaN is greater than all else, and NULL stays NULL.
    infinity = cast(exp.Literal.string("Infinity"), "DOUBLE")
    above = exp.GT(this=double(node.this), expression=infinity)
    above.type = node.type
    made = exp.Paren(this=above)
    made.type = node.type
    return made


def _is_infinite(node: Any) -> exp.Expr:
    if kind(node.this) not in ("double", "float"):
        refuse("isinf() of what is not a float", "it is not shown to agree there")
    ends = [exp.EQ(this=paren(node.this), expression=number(end)) for end in (float("inf"), float("-inf"))]
    return exp.Paren(this=exp.Or(this=ends[0], expression=ends[1]))


def _power(node: Any) -> exp.Expr:
    _number(node.this, "pow()")
    _number(node.expression, "pow()")
    return call("POWER", double(node.this), double(node.expression), type="DOUBLE")


NEGATIVE = "cannot take logarithm of a negative number"
_LOG10 = _guarded("LOG10", exp.LT, NEGATIVE, float("-inf"))
_LOG2 = _guarded("LOG2", exp.LT, NEGATIVE, float("-inf"))

RULES: dict[type[exp.Expr], Any] = {
    exp.Add: _binary,
    exp.Sub: _binary,
    exp.Mul: _binary,
    exp.Neg: lambda node: _signed(node.this),
    exp.Div: _divide,
    exp.IntDiv: _int_divide,
    exp.Mod: _modulo,
    exp.Round: _round,
    exp.Ceil: _whole("CEIL"),
    exp.Floor: _whole("FLOOR"),
    exp.Trunc: _trunc,
    exp.Sign: _sign,
    exp.Sqrt: _guarded("SQRT", exp.LT, "cannot take square root of a negative number"),
    exp.Ln: _guarded("LN", exp.LT, NEGATIVE, float("-inf")),
    exp.Log: _log,
    exp.Exp: _one("EXP"),
    exp.Pow: _power,
    exp.IsInf: _is_infinite,
    exp.IsNan: _is_nan,
}
