"""UNION, EXCEPT and INTERSECT of columns of several types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from mdfsql.lower.number_types import check_digits
from mdfsql.lower.rules import each, kind, paren, refuse
from mdfsql.lower.shapes import Names, column, derived
from mdfsql.lower.value_types import same_type, united

__all__ = ["unite", "united_columns"]

NUMBERS = frozenset({"int", "decimal", "double"})
NESTED = frozenset({"list", "struct", "map"})


def united_columns(tree: exp.Expr) -> exp.Expr:
    """Columns of UNION and its kin are cast to the type they have together: a condition on it may go below the cast."""
    return each(tree, dict.fromkeys((exp.Union, exp.Except, exp.Intersect), _where_known))


def _where_known(node: Any) -> None:
    kinds = {kind(output) for side in (node.left, node.right) for output in side.selects}
    if not kinds & (NESTED | {"unknown"}):
        unite(node)


def unite(node: Any) -> None:
    """Cast the columns of both sides of a set operation; refuse types of which it is not known what they become."""
    pairs = [] if node.args.get("by_name") else list(zip(node.left.selects, node.right.selects, strict=False))
    wanted = [_together(left, right, node.key.upper()) for left, right in pairs]
    for side in (node.left, node.right) if any(wanted) else ():
        _cast_outputs(side, wanted)


def _together(left: Any, right: Any, what: str) -> exp.DataType | None:
    """Return the type that two columns are to be cast to; None for what engines join alike."""
    kinds = {kind(left), kind(right)} - {"null"}
    if kinds <= {"int", "decimal"}:
        check_digits([left, right], what)
    mixed = kind(left) == kind(right) and bool(kinds & NESTED) and not same_type(left.type, right.type)
    if not mixed and (len(kinds) < 2 or kinds <= NUMBERS):
        return None
    made = None if kinds & NESTED else united([left.type, right.type])
    if made is None:
        names = " and ".join(sorted(k.upper() for k in kinds))
        refuse(f"{what} of {names}", "engines convert one to the other each in its own way", "CAST one")
    return made


def _cast_outputs(side: Any, wanted: Sequence[exp.DataType | None]) -> None:
    """Cast the outputs of a query, those of one that orders them, or leaves equal ones out, in a query around it."""
    query: Any = side.unnest() if isinstance(side, exp.Subquery) else side
    around = not isinstance(query, exp.Select) or any(output.find(exp.Explode) for output in query.selects)
    if around or any(query.args.get(part) for part in ("distinct", "order", "limit", "offset")):
        name = Names(side.root(), "_u").new()
        names = [output.alias_or_name for output in query.selects]
        types = [output.type for output in query.selects]
        query = exp.Select(from_=exp.From(this=derived(query.copy(), name)))
        for output, dtype in zip(names, types, strict=True):
            made = column(output, name)
            made.type = dtype
            query.append("expressions", exp.alias_(made, output, quoted=True))
        side.replace(query)
    for output, to in zip(list(query.selects), wanted, strict=True):
        value = output.unalias()
        if to is not None and not same_type(value.type or output.type, to):
            cast_ = exp.Cast(this=paren(value), to=to.copy())
            cast_.type = to
            result = exp.alias_(cast_, output.alias_or_name, quoted=True)
            result.type = to
            output.replace(result)
