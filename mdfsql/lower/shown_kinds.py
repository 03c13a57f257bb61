"""Over which kinds of values a construct is shown to agree."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from sqlglot import exp

from mdfsql.errors import Unsupported
from mdfsql.lower.rules import HERE, construct_name, kind, located
from mdfsql.trees import nodes

__all__ = ["PLAIN", "Shown", "constructs", "kind_name", "unshown"]

Shown = Mapping[str, Mapping[str, str]]
"""Construct -> part -> the kinds of values, with spaces between, that some case has in it."""


def unshown(tree: exp.Expr, shown: Shown) -> Unsupported | None:
    """Return the refusal of the first construct over a kind of value that no case has shown to agree, if there is one.

    The nodes have the reference's types.
    """
    for node in nodes(tree):
        for construct, part, found in constructs(node):
            if found == "null" and isinstance(node, OF_NULL):
                continue
            if not _is_among(found, _split(shown.get(construct, {}).get(part, ""))):
                what = construct_name(node) if isinstance(node, exp.Func) else named(construct)
                of = f" of {found.removeprefix(CONSTANT).upper()}" if found != NO_PARTS[1] else ""
                return located(Unsupported(f"{what}{of}", HERE, "it is not shown to agree there", None), node)
    return None


# To these a bare NULL is a value of any kind.
OF_NULL = (
    exp.Binary, exp.Predicate, exp.Cast, exp.TryCast, exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Greatest,
    exp.Least, exp.Tuple,
)  # fmt: skip


_split = functools.cache(str.split)


def _is_among(found: str, known: list[str]) -> bool:
    """Tell whether a kind is known: as it is, as a column's, or as lists of what is known beside other lists."""
    plain = found.removeprefix(CONSTANT)
    if plain == "unknown" or found in known or plain in known:
        return plain != "unknown"
    lists = any(kind.endswith("[]") for kind in known)
    return lists and found.endswith("[]") and _is_among(found.removesuffix("[]"), known)


def named(construct: str) -> str:
    """Return what a reader calls a construct of the table."""
    return construct.replace("_", " ").upper()


CONSTANT = "="


def constructs(node: exp.Expr) -> Iterator[tuple[str, str, str]]:
    """Yield a node's name in the table with each of its parts and the kind of the value in it.

    A constant's kind begins with ``=``: a column of it may still be unknown.

    >>> from sqlglot import parse_one
    >>> from sqlglot.optimizer.annotate_types import annotate_types
    >>> list(constructs(annotate_types(parse_one("abs(CAST(x AS DOUBLE))"))))
    [('abs', 'this', 'double')]
    """
    if isinstance(node, (exp.Cast, exp.TryCast)):
        yield f"cast to {kind_name(node.to)}", "this", _kind(node.this)
    elif isinstance(node, exp.Tuple) and (node.arg_key == "on" or isinstance(node.parent, exp.Values)):
        return  # what is in it is told where it is made
    elif isinstance(node, exp.SetOperation):
        if node.args.get("distinct") or not isinstance(node, exp.Union):
            yield from ((f"{node.key} distinct", "columns", kind_name(output)) for output in node.selects)
    elif isinstance(node, exp.Select):
        if node.args.get("distinct"):
            yield from (("distinct", "columns", kind_name(output)) for output in node.selects)
    elif isinstance(node, exp.Anonymous):
        if not isinstance(node.parent, exp.Hint):
            found = [(str(i), _kind(value)) for i, value in enumerate(node.expressions, 1)]
            yield from ((node.name.lower(), *one) for one in found or [NO_PARTS])
    elif isinstance(node, (exp.Func, exp.Binary, exp.Unary, exp.Predicate, *TYPED)) and not isinstance(node, PLAIN):
        found = [
            (part, _kind(one))
            for part, value in node.args.items()
            for one in (value if isinstance(value, list) else [value])
            if isinstance(one, exp.Expr) and part not in UNTYPED.get(type(node), ())
        ]
        yield from ((node.key, *one) for one in found or ([NO_PARTS] if isinstance(node, exp.Func) else []))


NO_PARTS = ("", "nothing")

TYPED = (
    exp.Group, exp.Rollup, exp.Cube, exp.GroupingSets, exp.Tuple, exp.Ordered, exp.Distinct, exp.Filter, exp.Window,
)  # fmt: skip
# What is in their parts is told by those parts.
PLAIN = (
    exp.Paren, exp.Dot, exp.Exists, exp.Array, exp.Struct, exp.Subquery, exp.Unnest, exp.Values, exp.Alias, exp.Table,
    exp.All, exp.Any, exp.PropertyEQ,
)  # fmt: skip
UNTYPED: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.Window: ("this", "order", "spec", "alias"),
    exp.Filter: ("this", "expression"),
    exp.Group: ("cube", "rollup", "grouping_sets"),
    exp.Distinct: ("on",),
}


def _kind(value: exp.Expr) -> str:
    while isinstance(value, INSIDE) and _first(value):
        value = _first(value)
    if isinstance(value, exp.Var):
        return "unit"  # which ones there are is for the passes of dates
    if isinstance(value, exp.PropertyEQ):
        value = value.expression
    if isinstance(value, (exp.Lambda, exp.Star, exp.DataType, exp.Tuple, exp.All, exp.Any, *GROUPINGS)):
        return value.key
    if isinstance(value, exp.Interval):
        return "interval"
    inner = value.this if isinstance(value, exp.Neg) else value
    found = kind_name(value)
    return f"{CONSTANT}{found}" if isinstance(inner, (exp.Literal, exp.Boolean)) else found


GROUPINGS = (exp.Rollup, exp.Cube, exp.GroupingSets)
INSIDE = (exp.Paren, exp.Ordered, exp.Order, exp.Distinct)


def _first(value: exp.Expr) -> Any:
    return value.this if value.this is not None else next(iter(value.expressions), None)


# Kinds that the passes treat as one, and of which one is not shown by another.
APART: dict[exp.DType, str] = {
    exp.DataType.Type.INT128: "hugeint",
    exp.DataType.Type.UBIGINT: "ubigint",
    exp.DataType.Type.TIMESTAMP_S: "timestamp_s",
    exp.DataType.Type.TIMESTAMP_MS: "timestamp_ms",
    exp.DataType.Type.TIMESTAMP_NS: "timestamp_ns",
}


def kind_name(node: Any) -> str:
    """Return the kind of a node's value or of a type, that of a list's elements with it: ``int``, ``text[]``."""
    dtype = node if isinstance(node, exp.DataType) else getattr(node, "type", None)
    found = kind(dtype)
    if dtype is None:
        return found
    if found == "list" and dtype.expressions:
        return f"{kind_name(dtype.expressions[0])}[]"
    return APART.get(dtype.this, found)
