"""LIMIT and OFFSET, as numbers."""

from __future__ import annotations

import operator
from typing import Any

from sqlglot import exp

from mdfsql.lower.rules import each, integer, refuse

__all__ = ["limit", "plain_limits", "rows"]


def plain_limits(tree: exp.Expr) -> exp.Expr:
    """LIMIT and OFFSET of NULL or ALL are none, and sums of constants are computed; others but numbers are refused."""
    return each(tree, {exp.Limit: limit, exp.Offset: rows})


COMPUTED: dict[type[exp.Expr], Any] = {exp.Add: operator.add, exp.Sub: operator.sub, exp.Mul: operator.mul}


def limit(node: Any) -> None:
    """The same for LIMIT; one of a percentage, or with ties, is refused."""
    if node.args.get("limit_options") is not None:
        refuse(
            "LIMIT with a percentage or ties, of this form",
            "there is no such thing",
            "QUALIFY row_number() OVER (...) <= n",
        )
    rows(node)


def rows(node: Any) -> None:
    """LIMIT and OFFSET of NULL or ALL are none; sums and products of constants are computed."""
    value = node.expression
    if isinstance(value, exp.Null) or (isinstance(value, exp.Var) and value.name.upper() == "ALL"):
        node.parent.set(node.key, None)
        return
    found = _constant(value)
    if found is None or not 0 <= found < 2**31:
        refuse(f"{node.key.upper()} of what is no constant number", "it is not shown to agree there")
    node.set("expression", exp.Literal.number(found))


def _constant(value: Any) -> int | None:
    compute = COMPUTED.get(type(value))
    if compute is None:
        return integer(value)
    left, right = _constant(value.this), _constant(value.expression)
    return None if left is None or right is None else int(compute(left, right))
