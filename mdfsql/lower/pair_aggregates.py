"""Aggregates of pairs of numbers, of bits, and products."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.collected import count_of, filter_of, kept, whole
from mdfsql.lower.exact_arithmetic import divided
from mdfsql.lower.moments import operated
from mdfsql.lower.nested_values import lambda_, size, variable
from mdfsql.lower.rules import call, case, cast, null, number, of_kind, paren, there

__all__ = ["PAIR_AGGREGATES", "product", "standard_error"]

NUMBERS = ("int", "decimal", "double", "float")
DOUBLE = exp.DataType.build("DOUBLE")


def _pair(node: Any, what: str) -> tuple[exp.Expr, exp.Expr]:
    """Return both numbers as DOUBLEs, NULL where the other is NULL or the FILTER's condition does not hold."""
    test: exp.Expr = exp.And(this=there(node.this), expression=there(node.expression))
    if (condition := filter_of(node)) is not None:
        test = exp.And(this=test, expression=exp.Paren(this=condition.copy()))
    made = []
    for side in (node.this, node.expression):
        of_kind(side, what, *NUMBERS, instead="CAST it to DOUBLE")
        part = exp.Case(ifs=[exp.If(this=test.copy(), true=cast(side, "DOUBLE"))])
        part.type = DOUBLE
        made.append(part)
    return made[0], made[1]


def _call(name: str, *values: exp.Expr) -> exp.Expr:
    return call(name, *values, type="DOUBLE")


def _times(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return operated(exp.Mul, left, right, "DOUBLE")


def _is(value: exp.Expr, other: exp.Expr) -> exp.Expr:
    return exp.EQ(this=value.copy(), expression=other)


def _corr(y: exp.Expr, x: exp.Expr) -> exp.Expr:
    # Spark 3 divides by zero where one of them does not vary.
    return divided(_call("COVAR_POP", y, x), _times(_call("STDDEV_POP", y), _call("STDDEV_POP", x)))


def _slope(y: exp.Expr, x: exp.Expr) -> exp.Expr:
    return divided(_call("COVAR_POP", y, x), _call("VAR_POP", x))


def _intercept(y: exp.Expr, x: exp.Expr) -> exp.Expr:
    made = exp.Sub(this=_call("AVG", y), expression=_times(_slope(y, x), _call("AVG", x)))
    made.type = DOUBLE
    whole_ = paren(made)
    # NaN is greater than the infinity.
    finite = exp.LT(this=_call("ABS", whole_), expression=number(float("inf")))
    return case((finite, whole_), default=null())


def _r2(y: exp.Expr, x: exp.Expr) -> exp.Expr:
    flat = (_is(_call("VAR_POP", side), number(0.0)) for side in (x, y))
    corr = exp.Paren(this=_corr(y, x))
    corr.type = DOUBLE
    return case(
        (_is(count_of(x), number(0)), null()),
        (next(flat), null()),
        (next(flat), number(1.0)),
        default=_times(corr, corr),
    )


PAIRS: dict[type[exp.Expr], Any] = {
    exp.Corr: _corr,
    exp.CovarPop: lambda y, x: _call("COVAR_POP", y, x),
    exp.CovarSamp: lambda y, x: _call("COVAR_SAMP", y, x),
    exp.RegrCount: lambda y, x: count_of(x),
    exp.RegrAvgx: lambda y, x: _call("AVG", x),
    exp.RegrAvgy: lambda y, x: _call("AVG", y),
    exp.RegrSxx: lambda y, x: _times(_call("VAR_POP", x), count_of(x)),
    exp.RegrSyy: lambda y, x: _times(_call("VAR_POP", y), count_of(x)),
    exp.RegrSxy: lambda y, x: _times(_call("COVAR_POP", y, x), count_of(x)),
    exp.RegrSlope: _slope,
    exp.RegrIntercept: _intercept,
    exp.RegrR2: _r2,
}


def _of_pairs(node: Any) -> exp.Expr:
    made = PAIRS[type(node)](*_pair(node, f"{node.sql_name().lower()}()"))
    made.type = node.type
    return whole(paren(made))


def _bits(name: str) -> Any:
    def rule(node: Any) -> exp.Expr:
        of_kind(node.this, f"{name.lower()}()", "int", instead="CAST it to BIGINT")
        made = call(name, kept(node, node.this))
        made.type = node.type
        return whole(made)

    return rule


def _alone(node: exp.Anonymous) -> exp.Expr:
    """Return the number that an aggregate takes, as a DOUBLE, NULL where the FILTER's condition does not hold."""
    (value,) = node.expressions
    of_kind(value, f"{node.name.lower()}()", *NUMBERS, instead="CAST it to DOUBLE")
    return kept(node, cast(value, "DOUBLE"))


def product(node: exp.Anonymous) -> exp.Expr:
    """Return the product of the values, NULL where there is none."""
    items = call("COLLECT_LIST", _alone(node))
    both = exp.Mul(this=variable(DOUBLE, "_t"), expression=variable(DOUBLE))
    both.type = DOUBLE
    times = lambda_(both, "_t", "_e")
    made = exp.Anonymous(this="AGGREGATE", expressions=[items, number(1.0), times])
    made.type = DOUBLE
    none = _is(size(items), number(0))
    return whole(case((none, null()), default=made))


def standard_error(node: exp.Anonymous) -> exp.Expr:
    """Return the standard deviation over the root of the number of values."""
    value = _alone(node)
    root = _call("SQRT", cast(count_of(value), "DOUBLE"))
    deviation = _call("STDDEV_POP", value)
    made = exp.Div(this=deviation, expression=call("NULLIF", root, number(0.0), type="DOUBLE"))
    made.type = DOUBLE
    return whole(exp.Paren(this=made))


PAIR_AGGREGATES: dict[type[exp.Expr], Any] = {
    **dict.fromkeys(PAIRS, _of_pairs),
    exp.BitwiseAndAgg: _bits("BIT_AND"),
    exp.BitwiseOrAgg: _bits("BIT_OR"),
    exp.BitwiseXorAgg: _bits("BIT_XOR"),
}
