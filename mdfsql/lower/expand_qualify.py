"""QUALIFY, DISTINCT ON, windows in ORDER BY and queries beside aggregates, each in a query around."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.rules import refuse
from mdfsql.lower.shapes import Names, aggregates, outer_columns, source_names, windows
from mdfsql.lower.split_selects import split_query

__all__ = ["expand_qualify"]


def expand_qualify(tree: exp.Expr) -> exp.Expr:
    """QUALIFY becomes WHERE over a query that computes the windows; DISTINCT ON the first row of each by row_number().

    So does a window that orders. DISTINCT is over what is left. A query inside an expression over groups is asked
    around the query that groups.
    """
    names = Names(tree, "_s")
    for query in reversed(list(tree.find_all(exp.Select))):
        distinct: Any = query.args.get("distinct")
        order = query.args.get("order")
        first = distinct is not None and distinct.args.get("on")
        if first and order is None:
            refuse("DISTINCT ON without ORDER BY", "which row comes first is not the same everywhere", "add ORDER BY")
        ordered = order is not None and any(True for _ in windows(order))
        if first or ordered or query.args.get("qualify") or _asks_beside_groups(query):
            split_query(query, names)
    return tree


def _asks_beside_groups(select: exp.Select) -> bool:
    """Tell whether an expression over groups holds a query that not every engine runs there."""
    over = [*select.selects, *(select.args[part] for part in ("having", "order") if select.args.get(part))]
    asked = [found for node in over for found in node.find_all(exp.Query)]
    if not asked or (not select.args.get("group") and not any(any(aggregates(node)) for node in over)):
        return False
    tables = source_names(select)
    for found in asked:
        read = {id(outer) for outer in outer_columns(found) if outer.table in tables}
        inside = (inner for one in found.find_all(exp.AggFunc) for inner in one.find_all(exp.Column))
        if any(id(inner) in read for inner in inside):
            refuse(
                "an aggregate of a query around",
                "it is not shown to agree there",
                "the aggregates in a query of their own",
            )
    return any(outer_columns(found) or _is_predicate(found.parent) for found in asked)


def _is_predicate(place: exp.Expr | None) -> bool:
    return isinstance(place, (exp.Exists, exp.In, exp.Any, exp.All))
