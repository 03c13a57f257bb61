"""Parentheses that change nothing."""

from __future__ import annotations

from sqlglot import exp

from mdfsql.trees import nodes

__all__ = ["few_parentheses"]


def few_parentheses(tree: exp.Expr) -> exp.Expr:
    """Parentheses that change nothing are left out: they cost Spark's parser most of its time and memory.

    It reads on to the end of a pair, and of each pair in it, to tell it from a row and from a lambda's parameters.
    """
    for node in reversed(nodes(tree)):
        if type(node) is exp.Paren and _is_free(node.this, node.parent, node.arg_key):
            node.replace(node.this)
    return tree


# What binds weaker comes first, as in Spark's grammar (booleanExpression and valueExpression in SqlBaseParser.g4).
LEVELS: tuple[tuple[type[exp.Expr], ...], ...] = (
    (exp.Or,),
    (exp.And,),
    (exp.Not,),
    (
        exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ,
        exp.Is, exp.In, exp.Between, exp.Like,
    ),
    (exp.BitwiseOr,),
    (exp.BitwiseXor,),
    (exp.BitwiseAnd,),
    (exp.Add, exp.Sub),
    (exp.Mul, exp.Div, exp.IntDiv, exp.Mod),
    (exp.Neg, exp.BitwiseNot),
)  # fmt: skip
LEVEL = {kind: level for level, kinds in enumerate(LEVELS) for kind in kinds}
TESTS = LEVEL[exp.EQ]
WHOLE = (exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren)
# Each value in these has a place of its own. In ORDER BY and GROUP BY a number without parentheses is a position.
HOLDING = (exp.Paren, exp.Alias, exp.Where, exp.Having, exp.Join, exp.Lambda, exp.Tuple)


def _is_free(inner: exp.Expr, place: exp.Expr | None, part: str | None) -> bool:
    """Tell whether a value means the same without parentheses where it stands."""
    own = len(LEVELS) if isinstance(inner, WHOLE) or _is_call(inner) else LEVEL.get(type(inner))
    if own is None or place is None:
        return False
    if isinstance(place, HOLDING) or _is_call(place):
        return True
    around = LEVEL.get(type(place))
    if around is None or (isinstance(place, exp.Neg) and isinstance(inner, exp.Literal)):
        return False  # the least BIGINT is no negated number
    return own > around or (own == around > TESTS and part == "this") or part == "expressions"


def _is_call(node: exp.Expr | None) -> bool:
    return isinstance(node, exp.Func) and not isinstance(node, (exp.Binary, exp.Unary, exp.Predicate, exp.Connector))
