"""sqlglot nodes with parentheses where SQL needs them and nowhere else.

Nodes may be shared while an expression grows; a lift copies its result once, at the end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal

from sqlglot import exp

from mdfsql.schema import Type, data_type

__all__ = [
    "both",
    "call",
    "case",
    "cast",
    "either",
    "error",
    "is_null",
    "literal",
    "negate",
    "not_null",
    "number",
    "operation",
    "words",
]

# How tightly an operator binds in DuckDB; what is not listed is an atom.
LEVELS: dict[type[exp.Expression], int] = {
    exp.Or: 1,
    exp.And: 2,
    exp.Not: 3,
    exp.EQ: 4,
    exp.NEQ: 4,
    exp.LT: 4,
    exp.LTE: 4,
    exp.GT: 4,
    exp.GTE: 4,
    exp.NullSafeEQ: 4,
    exp.NullSafeNEQ: 4,
    exp.Is: 4,
    exp.In: 4,
    exp.Between: 4,
    exp.DPipe: 5,
    exp.Add: 6,
    exp.Sub: 6,
    exp.Mul: 7,
    exp.Div: 7,
    exp.IntDiv: 7,
    exp.Mod: 7,
    exp.Neg: 8,
}
ATOM = 9

# Arguments that the reference's parser sets: a tree that is built must equal the tree that is parsed.
PARSED_ARGS: dict[type[exp.Expression], dict[str, object]] = {
    exp.Div: {"typed": False, "safe": False},
    exp.DPipe: {"safe": True},
}

OPPOSITES: dict[type[exp.Expression], type[exp.Expression]] = {
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
    exp.LT: exp.GTE,
    exp.LTE: exp.GT,
    exp.GT: exp.LTE,
    exp.GTE: exp.LT,
    exp.NullSafeEQ: exp.NullSafeNEQ,
    exp.NullSafeNEQ: exp.NullSafeEQ,
}


def operation(cls: type[exp.Expression], left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """Return ``left cls right``, with the parentheses that it needs.

    >>> a, b = exp.column("a"), exp.column("b")
    >>> operation(exp.Mul, operation(exp.Add, a, b), b).sql("duckdb")
    '(a + b) * b'
    """
    level = LEVELS[cls]
    # Chains of AND and OR read the same in either grouping; a - (b - c) does not.
    loose = cls in (exp.And, exp.Or)
    return cls(
        this=_wrap(left, level + (level == 4)),
        expression=_wrap(right, level if loose else level + 1),
        **PARSED_ARGS.get(cls, {}),
    )


def _wrap(node: exp.Expression, level: int) -> exp.Expression:
    return exp.Paren(this=node) if LEVELS.get(type(node), ATOM) < level else node


def negative(node: exp.Expression) -> exp.Expression:
    """Return ``-node``."""
    return exp.Neg(this=_wrap(node, ATOM))


def _constant(node: exp.Expression) -> bool | None:
    return bool(node.this) if isinstance(node, exp.Boolean) else None


def both(*nodes: exp.Expression) -> exp.Expression:
    """Return the nodes joined by AND; TRUE and FALSE are folded.

    >>> both(exp.true(), exp.column("a"), exp.column("b")).sql()
    'a AND b'
    """
    kept: list[exp.Expression] = []
    for node in nodes:
        if _constant(node) is False:
            return exp.false()
        if _constant(node) is None and node not in kept:
            kept.append(node)
    return _join(exp.And, kept) if kept else exp.true()


def either(*nodes: exp.Expression) -> exp.Expression:
    """Return the nodes joined by OR; TRUE and FALSE are folded."""
    kept: list[exp.Expression] = []
    for node in nodes:
        if _constant(node) is True:
            return exp.true()
        if _constant(node) is None and node not in kept:
            kept.append(node)
    return _join(exp.Or, kept) if kept else exp.false()


def _join(cls: type[exp.Expression], nodes: list[exp.Expression]) -> exp.Expression:
    result = nodes[0]
    for node in nodes[1:]:
        result = operation(cls, result, node)
    return result


def negate(node: exp.Expression) -> exp.Expression:
    """Return NOT ``node``, three-valued; a comparison is turned round instead.

    >>> negate(operation(exp.GT, exp.column("a"), exp.column("b"))).sql()
    'a <= b'
    """
    known = _constant(node)
    if known is not None:
        return exp.false() if known else exp.true()
    if isinstance(node, exp.Not):
        inner = node.this
        return inner.this if isinstance(inner, exp.Paren) else inner
    if type(node) in OPPOSITES:
        return OPPOSITES[type(node)](this=node.this, expression=node.expression)
    return exp.Not(this=_wrap(node, 3))


def is_null(node: exp.Expression) -> exp.Expression:
    """Return ``node IS NULL``."""
    return exp.Is(this=_wrap(node, 5), expression=exp.null())


def not_null(node: exp.Expression) -> exp.Expression:
    """Return ``NOT node IS NULL``."""
    return exp.Not(this=is_null(node))


def coalesce(node: exp.Expression, default: exp.Expression) -> exp.Expression:
    """Return ``COALESCE(node, default)``."""
    return exp.Coalesce(this=node, expressions=[default])


def within(node: exp.Expression, values: Iterable[exp.Expression]) -> exp.Expression:
    """Return ``node IN (values)``."""
    return exp.In(this=_wrap(node, 5), expressions=list(values))


def cast(node: exp.Expression, type_: Type) -> exp.Expression:
    """Return ``CAST(node AS type_)``."""
    return exp.Cast(this=node, to=data_type(type_))


def call(name: str, *arguments: exp.Expression) -> exp.Expression:
    """Return a call of a function that has no node of its own."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def number(value: int) -> exp.Expression:
    """Return an integer constant."""
    return literal(value, "BIGINT")


def words(value: str) -> exp.Expression:
    """Return a text constant."""
    return exp.Literal.string(value)


def error(message: str) -> exp.Expression:
    """Return the call that fails the query when it is evaluated; it belongs inside a CASE."""
    return exp.Anonymous(this="error", expressions=[exp.Literal.string(message)])


def case(*branches: tuple[exp.Expression, exp.Expression], default: exp.Expression | None = None) -> exp.Expression:
    """Return ``CASE WHEN condition THEN value ... ELSE default END``, shorter where a condition is constant.

    >>> case((exp.column("a"), exp.true()), default=exp.false()).sql()
    'CASE WHEN a THEN TRUE ELSE FALSE END'
    """
    kept: list[exp.Expression] = []
    for condition, value in branches:
        if _constant(condition) is False:
            continue
        if _constant(condition) is True:
            default = value
            break
        kept.append(exp.If(this=condition, true=value))
    if isinstance(default, exp.Case) and kept and default.args.get("this") is None:
        # ELSE CASE ... END reads as more branches.
        kept += default.args["ifs"]
        default = default.args.get("default")
    if not kept:
        return default or exp.null()
    result = exp.Case(ifs=kept)
    if default is not None and not isinstance(default, exp.Null):
        result.set("default", default)
    return result


def literal(value: object, type_: Type) -> exp.Expression:
    """Return a Python constant as SQL of the given type.

    >>> literal(1.5, "DOUBLE").sql("duckdb"), literal(-2, "BIGINT").sql("duckdb")
    ('CAST(1.5 AS DOUBLE)', '-2')
    """
    if value is None:
        return exp.null()
    if isinstance(value, bool):
        return exp.true() if value else exp.false()
    if isinstance(value, int):
        return negative(exp.Literal.number(str(-value))) if value < 0 else exp.Literal.number(str(value))
    if isinstance(value, float):
        if not math.isfinite(value):
            return cast(exp.Literal.string(str(value)), type_)
        text = repr(abs(value))
        if "e" not in text and len(text) > 16:
            # Past 15 digits the way through a decimal would round twice; an exponent makes it a double at once.
            text += "e0"
        number = exp.Literal.number(text)
        # The sign of -0.0 would be lost on a number: 0.0 is a decimal until it is cast.
        return negative(cast(number, type_)) if math.copysign(1, value) < 0 else cast(number, type_)
    if isinstance(value, str):
        return exp.Literal.string(value)
    if isinstance(value, Decimal):
        return cast(exp.Literal.string(format(value, "f")), type_)
    return cast(exp.Literal.string(str(value)), type_)
