"""UNION BY NAME, by place."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.rules import refuse
from mdfsql.lower.shapes import Names, column, derived

__all__ = ["name_sides"]


def name_sides(tree: exp.Expr) -> exp.Expr:
    """UNION BY NAME puts the columns of both sides in one order, with NULL where one has no such column."""
    names = Names(tree, "_n")
    for query in reversed(list(tree.find_all(exp.SetOperation))):
        if not query.args.get("by_name"):
            continue
        if not isinstance(query, exp.Union):
            refuse(f"{query.key.upper()} BY NAME", "it is not shown to agree there", "the columns in one order")
        sides = [query.this, query.expression]
        known = [{name.lower(): name for name in side.named_selects} for side in sides]
        together = known[1] | known[0]
        order = [*known[0], *(name for name in known[1] if name not in known[0])]
        side: Any
        for part, side, own in zip(("this", "expression"), sides, known, strict=True):
            name = names.new()
            outputs = [
                exp.alias_(column(own[key], name) if key in own else exp.Null(), together[key], quoted=True)
                for key in order
            ]
            inner: Any = side.unnest() if isinstance(side, exp.Subquery) else side
            query.set(part, exp.Select(expressions=outputs, from_=exp.From(this=derived(inner.copy(), name))))
        query.set("by_name", None)
    return tree
