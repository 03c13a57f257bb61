"""The dict that a function gives, column by column: one may have no SQL while the others are lifted."""

from __future__ import annotations

import ast

from sqlglot import exp

from mdfsql.errors import CannotLift
from mdfsql.lift_calls import dictcall
from mdfsql.lift_function import Lifter
from mdfsql.lift_guess import guess
from mdfsql.lift_parts import Thought, as_columns, merged, overwrite
from mdfsql.lift_values import Row, Thing, Value

__all__ = ["columns"]


def columns(lifter: Lifter, node: ast.expr) -> Thought:
    """Return a function's result; where that is a dict, a value in it may be without SQL."""
    with lifter.placed(node):
        if isinstance(node, ast.IfExp):
            test = lifter.test(node.test)
            if test.const is not None:
                return columns(lifter, node.body if test.const else node.orelse)
            yes = columns(lifter.at(test.nonnull_true), node.body)
            return merged(test, yes, columns(lifter.at(test.nonnull_false), node.orelse))  # type: ignore[return-value]
        if isinstance(node, ast.Dict):
            return lifter.mapping(node, lambda value: _cell(lifter, value))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            made = dict(as_columns(columns(lifter, node.left)))
            overwrite(made, as_columns(columns(lifter, node.right)))
            return Row(made)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and lifter.expression(node.func) == Thing(dict)
        ):
            return dictcall(lifter, node, lambda value: _cell(lifter, value))
        return lifter.expression(node)


def _cell(lifter: Lifter, node: ast.expr) -> Value:
    try:
        return lifter.value(node)
    except CannotLift as error:
        if error.mistake:
            raise
        return Value(exp.null(), guess(lifter, node) or "?", unlifted=error)
