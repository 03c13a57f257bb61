"""Keys that are whole numbers."""

from __future__ import annotations

from sqlglot import exp

from mdfsql.lower.rules import cast, integer, number

__all__ = ["constant_keys"]


def constant_keys(tree: exp.Expr) -> exp.Expr:
    """A key that is, or has become, a whole number is cast to its type: Spark would take it for a position."""
    for place in tree.find_all(exp.Group, exp.Ordered):
        for key in place.expressions if isinstance(place, exp.Group) else [place.this]:
            value = integer(key)
            if value is not None:
                key.replace(cast(number(value), "INTEGER" if -(2**31) <= value < 2**31 else "BIGINT"))
    return tree
