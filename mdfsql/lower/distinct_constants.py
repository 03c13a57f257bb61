"""DISTINCT aggregates of what is the same in all rows, over rows of which there may be none."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from mdfsql.lower.nested_values import lambda_, variable
from mdfsql.lower.rules import call
from mdfsql.lower.shapes import branches, contains_query, sources
from mdfsql.trees import nodes

__all__ = ["distinct_constants"]


def distinct_constants(tree: exp.Expr) -> exp.Expr:
    """Constants in DISTINCT aggregates without GROUP BY are hidden from Spark 3.5, which counts them once over no rows.

    It groups by the values first, and groups of constants alone are one group, even if no row is there.
    """
    found = [node for node in nodes(tree) if isinstance(node, exp.Distinct) and not isinstance(node.parent, exp.Select)]
    shared = {cte.alias: cte for cte in tree.find_all(exp.CTE)} if found else {}
    for node in found:
        select = node.find_ancestor(exp.Select)
        if select is None or select.args.get("group") is not None:
            continue
        if all(_is_constant(value, select, shared) for value in node.expressions):
            value = node.expressions[0]
            hidden = lambda_(variable(value.type))
            items = exp.Anonymous(this="TRANSFORM", expressions=[call("ARRAY", value), hidden])
            value.replace(call("ELEMENT_AT", items, 1))
    return tree


# Spark never finds that these are constant where what is in them is not.
KEEPING = (exp.Paren, exp.Cast, exp.TryCast, exp.Neg)
BOTH = (exp.Add, exp.Sub, exp.Mul, exp.Div)
MOST_TRACED = 30


def _is_constant(value: exp.Expr, select: exp.Select, shared: Mapping[str, exp.Expr], left: int = MOST_TRACED) -> bool:
    """Tell whether Spark may know a value before it reads a row; it does not know a column of a table."""
    while isinstance(value, KEEPING):
        value = value.this
    if isinstance(value, BOTH):
        return all(_is_constant(side, select, shared, left) for side in (value.this, value.expression))
    if not isinstance(value, exp.Column) or left == 0:
        return not contains_query(value)
    source = next((found for found in sources(select) if found.alias_or_name == value.table), None)
    if isinstance(source, exp.Table):
        source = shared.get(source.name, source)
    if not isinstance(source, (exp.Subquery, exp.CTE)):
        return source is None
    names = [name.name for name in source.args["alias"].columns] or source.this.named_selects
    if value.name not in names:
        return True
    place = names.index(value.name)
    return any(
        place >= len(made.selects) or _is_constant(made.selects[place].unalias(), made, shared, left - 1)
        for made in branches(source.this)
    )
