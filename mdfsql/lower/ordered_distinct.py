"""The order of lists of DISTINCT values."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.collected import unordered
from mdfsql.lower.rules import each, refuse

__all__ = ["ordered_distinct"]


def ordered_distinct(tree: exp.Expr) -> exp.Expr:
    """Lists of DISTINCT values have an order that is chance, unless one is given: they are refused where it shows."""
    return each(tree, {exp.ArrayAgg: _distinct, exp.GroupConcat: _distinct})


# What gives the same for any order of a list.
OF_ANY_ORDER = (exp.ArraySort, exp.ArraySize, exp.ArrayContains, exp.ArrayMax, exp.ArrayMin, exp.Length)


def _distinct(node: Any) -> None:
    _, keys, distinct = unordered(node)
    around = node.parent
    while isinstance(around, (exp.Paren, exp.Filter)):
        around = around.parent
    sums = isinstance(around, exp.Anonymous) and around.name.lower() in ("list_sum", "list_unique")
    if distinct and not keys and not sums and not isinstance(around, OF_ANY_ORDER):
        what = "list()" if isinstance(node, exp.ArrayAgg) else "string_agg()"
        refuse(f"{what} of DISTINCT values", "their order is chance", f"{what[:-1]}DISTINCT x ORDER BY x)")
