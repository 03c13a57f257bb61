"""Forms of joins, limits and windows that are rare: looked for in one walk, each written by a module of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from mdfsql.lower.asof_joins import asof_join, is_asof
from mdfsql.lower.lateral_joins import is_lateral, lateral_join
from mdfsql.lower.percent_limits import is_percent, percent_limit
from mdfsql.lower.shapes import Names
from mdfsql.lower.window_frames import is_other_frame, window_frames
from mdfsql.trees import nodes

__all__ = ["rare_forms"]


def rare_forms(tree: exp.Expr) -> exp.Expr:
    """ASOF and LATERAL joins, LIMIT n%, and frames of GROUPS or with EXCLUDE are written with what every engine has."""
    found: dict[type[exp.Expr], list[Any]] = {}
    for node in nodes(tree):
        test = RARE.get(type(node))
        if test is not None and test(node):
            found.setdefault(type(node), []).append(node)
    if not found:
        return tree
    names = Names(tree, "_n")
    # Of queries in each other, the inner one first.
    for join in reversed(found.get(exp.Join, ())):
        (asof_join if is_asof(join) else lateral_join)(join, names)
    if exp.Window in found:
        window_frames(tree, found[exp.Window], names)
    for limit in reversed(found.get(exp.Limit, ())):
        query, made = limit.parent, percent_limit(limit, names)
        if query is tree:
            tree = made
        else:
            query.replace(made)
    return tree


RARE: dict[type[exp.Expr], Callable[[Any], bool]] = {
    exp.Join: lambda join: is_asof(join) or is_lateral(join),
    exp.Limit: is_percent,
    exp.Window: is_other_frame,
}
