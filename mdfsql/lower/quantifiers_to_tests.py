"""ANY and ALL over a query."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.exact_subqueries import COMPARED, quantified
from mdfsql.lower.rules import each
from mdfsql.lower.shapes import Names

__all__ = ["quantifiers_to_tests"]


def quantifiers_to_tests(tree: exp.Expr) -> exp.Expr:
    """ANY and ALL over a query become IN and EXISTS, which become joins; those over a list are functions."""
    names = Names(tree, "_q")

    def rule(node: Any) -> exp.Expr | None:
        over = node.expression.this if isinstance(node.expression, (exp.Any, exp.All)) else None
        return quantified(node, names) if isinstance(over, exp.Query) else None

    return each(tree, dict.fromkeys(COMPARED, rule))
