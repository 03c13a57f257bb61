"""Large values that stand many times in an expression."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlglot import exp

from mdfsql.lower.rules import call, refuse
from mdfsql.lower.shapes import Names, is_aggregate
from mdfsql.trees import nodes

__all__ = ["LARGE", "is_reached", "is_value", "share_repeats"]

# Nodes of an expression, a column being one, from which on it is looked at, and those that sharing has to save: Spark's
# parser takes about a millisecond, and ten kilobytes, for each letter of values that stand in each other several times.
LARGE, SAVED = 350, 50
# What stays larger would take it minutes and gigabytes.
MOST = 5_000

KEYS = (exp.Group, exp.GroupingSets, exp.Rollup, exp.Cube, exp.Tuple, exp.Paren, exp.Column)


def share_repeats(tree: exp.Expr) -> exp.Expr:
    """A large value that an expression names several times is computed once, and given a name by a lambda.

    No query may stand within a function that takes a lambda: it is refused.
    """
    names = Names(tree, "_v")
    for step in tree.find_all(exp.Lambda):
        if step.parent is not None and step.parent.find(exp.Query):
            why = "Spark takes no query within a function that takes a lambda, as lists and maps are computed by"
            refuse("a query as a value in a list or map", why, "a join with that query", node=step.parent)
    if len(nodes(tree)) < LARGE:
        return tree
    for select in list(tree.find_all(exp.Select)):
        # A key and what SELECT says of it have to be alike, and two lambdas never are.
        group = select.args.get("group")
        alike = group is not None and not all(isinstance(node, KEYS) for node in nodes(group))
        where = select.args.get("where")
        for root in [*select.expressions, *([where] if where is not None else [])]:
            while (size := len(nodes(root))) >= LARGE and not alike and _share(root, select, names):
                pass
            if size > MOST:
                why = f"it becomes an expression of {size} parts, for which Spark's parser takes minutes and gigabytes"
                refuse(f"the column {root.alias_or_name!r}", why, "parts of it as columns of a query inside", node=root)
    return tree


def _share(root: exp.Expr, select: exp.Select, names: Names) -> bool:
    """Share the value whose repetition costs most, if there is one."""
    sizes: dict[int, int] = {}
    places: dict[tuple[int, int], list[exp.Expr]] = defaultdict(list)
    inside = nodes(root)
    for node in reversed(inside):
        sizes[id(node)] = 1 + sum(sizes.get(id(child), 0) for child in node.iter_expressions())
    for node in inside:
        if 2 * sizes[id(node)] > SAVED and is_value(node):
            around = _around(node)
            if around is select or not isinstance(around, exp.Query):
                places[hash(node), id(around)].append(node)
    repeated = [found for found in places.values() if (len(found) - 1) * sizes[id(found[0])] >= SAVED]
    for found in sorted(repeated, key=lambda found: -(len(found) - 1) * sizes[id(found[0])]):
        whole = _common(found)
        if whole is None or not any(is_reached(node, whole) for node in found):
            continue
        if _has_closed(whole, found[0]):
            continue
        _write(whole, found, names.new())
        return True
    return False


def _write(whole: exp.Expr, found: list[exp.Expr], name: str) -> None:
    value = found[0].copy()
    for node in found:
        node.replace(exp.to_identifier(name, quoted=True))
    body = whole.copy()
    one = exp.Transform(
        this=exp.Array(expressions=[value]),
        expression=exp.Lambda(this=body, expressions=[exp.to_identifier(name, quoted=True)]),
    )
    made = call("ELEMENT_AT", one, exp.Literal.number(1))
    made.type = whole.type
    whole.replace(made)


# What is no value of its own: parts of a call, of a CASE, of a window, and names.
PARTS = (exp.If, exp.Alias, exp.Ordered, exp.Order, exp.Where, exp.WindowSpec, exp.DataType, exp.Identifier, exp.Tuple)


def is_value(node: exp.Expr) -> bool:
    """Tell whether a node is a value, and no part of a call, of a CASE or of a window."""
    return isinstance(node, (exp.Condition, exp.Func)) and not isinstance(node, (*PARTS, exp.Lambda))


def _is_closed(node: exp.Expr) -> bool:
    """Tell whether what stands within a node is computed over other rows than what stands around it."""
    return is_aggregate(node) or isinstance(node, (exp.Window, exp.Query, exp.Filter))


def _has_closed(node: exp.Expr, value: exp.Expr) -> bool:
    """Tell whether an aggregate or a window stands in a node, outside of a value."""
    return any(_is_closed(inner) for inner in node.walk(prune=lambda inner: inner == value) if inner != value)


def _around(node: exp.Expr) -> exp.Expr | None:
    """Return the innermost aggregate, window or lambda that a node is within."""
    place = node.parent
    while place is not None and not _is_closed(place) and not isinstance(place, exp.Lambda):
        place = place.parent
    return place


def _common(found: list[exp.Expr]) -> exp.Expr | None:
    """Return the innermost value that all of some nodes are within."""
    around: list[exp.Expr] = []
    for node in found:
        path = []
        place = node.parent
        while place is not None:
            path.append(place)
            place = place.parent
        around = path if not around else [place for place in around if any(place is other for other in path)]
    return next((place for place in around if is_value(place)), None)


def is_reached(node: exp.Expr, whole: exp.Expr) -> bool:
    """Tell whether a value is computed whenever the whole is: what a branch alone computes may raise."""
    while node is not whole:
        parent: Any = node.parent
        if isinstance(parent, exp.Case):
            first = parent.this or parent.args["ifs"][0]
        elif isinstance(parent, (exp.If, exp.Connector, exp.Coalesce)):
            first = parent.this
        elif isinstance(parent, exp.Filter):
            first = parent.expression
        elif isinstance(parent, exp.Anonymous) and parent.name.upper() == "IF":
            first = parent.expressions[0]
        else:
            first = node
        if node is not first:
            return False
        node = parent
    return True
