"""Layout hints, for engines that have no partitions."""

from __future__ import annotations

from sqlglot import exp

__all__ = ["drop_hints"]


def drop_hints(tree: exp.Expr) -> exp.Expr:
    """REPARTITION is a hint about layout and never changes the answer, so it is left out here."""
    for select in tree.find_all(exp.Select):
        select.set("hint", None)
    return tree
