"""Keys that are whole numbers."""

from __future__ import annotations

from sqlglot import exp

from mdfsql.lower.rules import cast

__all__ = ["constant_keys"]


def constant_keys(tree: exp.Expr) -> exp.Expr:
    """A key that is, or has become, a whole number is cast to its type: Spark would take it for a position."""
    for place in tree.find_all(exp.Group, exp.Ordered):
        for key in place.expressions if isinstance(place, exp.Group) else [place.this]:
            value = key.unnest()
            if isinstance(value, exp.Literal) and value.is_int:
                key.replace(cast(value, "BIGINT" if abs(int(value.name)) >= 2**31 else "INTEGER"))
    return tree
