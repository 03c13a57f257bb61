"""Lists and structs: an index that is not there gives NULL, one list is unnested at a time."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.rules import call, case, each, integer, kind, paren, refuse

__all__ = ["exact_lists"]


def exact_lists(tree: exp.Expr) -> exp.Expr:
    """An index outside of a list gives NULL, and a NULL in a list does not hide that a value is not there."""
    return each(tree, RULES)


def _index(node: Any) -> exp.Expr:
    if kind(node.this) != "list" or len(node.expressions) != 1:
        refuse(f"[...] of {kind(node.this).upper()}", "it is not shown to agree there", "substring()")
    at = integer(node.expressions[0])
    if at is None:
        refuse("a list's index that is no constant", "it is not shown to agree there")
    # The parser counts from 0, and lets negative ones go one further.
    at += 1
    if at == 0:
        refuse("the list index 0", "positions begin at 1")
    made = call("TRY_ELEMENT_AT", node.this, at)
    made.type = node.type
    return made


def _contains(node: Any) -> exp.Expr:
    items, value = node.this, node.expression
    if kind(items) != "list" or kind(value) in ("null", "unknown") or kind(items.type.expressions[0]) != kind(value):
        refuse("list_contains() of values of another type", "it is not shown to agree there", "CAST the value")
    null = exp.Null()
    null.type = exp.DataType(this=exp.DataType.Type.NULL)
    either = exp.Or(
        this=exp.Is(this=paren(items), expression=exp.Null()),
        expression=exp.Is(this=paren(value), expression=exp.Null()),
    )
    found = exp.Coalesce(this=call("ARRAY_CONTAINS", items, value), expressions=[exp.false()])
    made = case((either, null), default=found)
    made.type = node.type
    return made


def _size(node: Any) -> exp.Expr:
    if node.expression is not None:
        refuse("array_length() with a dimension", "it is not shown to agree there")
    return call("SIZE", node.this, type="BIGINT")


def _explode(node: Any) -> None:
    place = node.parent.parent if isinstance(node.parent, exp.Alias) else node.parent
    if not isinstance(place, exp.Select) or kind(node.this) != "list":
        refuse("unnest() inside of an expression, or of no list", "Spark unnests lists that stand alone", "a subquery")
    if sum(1 for select in place.selects if isinstance(select.unalias(), exp.Explode)) > 1:
        refuse("two unnest() in one SELECT", "Spark pairs every value of one list with every one of the other")
    if place.args.get("group") or place.args.get("distinct") or place.args.get("having"):
        refuse("unnest() with GROUP BY or DISTINCT", "it is not shown to agree there", "a subquery")
    if any(select.find(exp.Window, exp.AggFunc) for select in place.selects):
        refuse("unnest() beside aggregates or windows", "it is not shown to agree there", "a subquery")


def _array(node: Any) -> None:
    if not node.expressions and isinstance(node.parent, exp.Cast):
        # What is cast has the type that it is cast to: exact_casts sees no cast of a list at all.
        node.parent.meta["exact"] = True
        return
    kinds = {kind(item) for item in node.expressions} - {"null"}
    if len(kinds) != 1:
        refuse("a list of no values, or of mixed types", "its type is not the same everywhere", "CAST it")


def _dot(node: Any) -> None:
    if kind(node.this) != "struct":
        refuse("a field of what is no struct", "it is not shown to agree there")


def _extracted(node: Any) -> exp.Expr:
    name = getattr(node.expression, "name", "")
    if kind(node.this) != "struct" or not name:
        refuse("struct_extract() of this", "it is not shown to agree there")
    made = exp.Dot(this=paren(node.this), expression=exp.to_identifier(name, quoted=True))
    made.type = node.type
    return made


def _body(node: Any) -> exp.Expr:
    """Return what a lambda computes of each element."""
    made = node.expression
    if kind(node.this) != "list" or not isinstance(made, exp.Lambda) or len(made.expressions) != 1:
        refuse("a lambda with an index", "positions begin at 0 there")
    if made.find(exp.Query, exp.AggFunc, exp.Window):
        refuse("a query or an aggregate within a lambda", "it is not shown to agree there")
    (parameter,) = made.expressions
    if any(found.table == parameter.name for found in made.find_all(exp.Column)):
        refuse("a lambda whose parameter has a table's name", "its columns would be hidden there", "another name")
    body: exp.Expr = made.this
    return body


def _transform(node: Any) -> None:
    if kind(_body(node)) in ("unknown", "null"):
        refuse("list_transform() to values of no known type", "it is not shown to agree there", "CAST the value")


def _filter(node: Any) -> None:
    if kind(_body(node)) != "bool":
        refuse("list_filter() by what is no BOOLEAN", "it is not shown to agree there", "compare it")


# What has one order everywhere.
ORDERED = frozenset({"int", "text", "bool", "date", "timestamp", "decimal"})


def _extreme(name: str) -> Any:
    def rule(node: Any) -> exp.Expr:
        if kind(node.this) != "list" or kind(node.this.type.expressions[0]) not in ORDERED:
            refuse(f"{name.lower()}() of such a list", "it is not shown to agree there")
        made = call(name, node.this)
        made.type = node.type
        return made

    return rule


def _joined(node: Any) -> exp.Expr:
    if kind(node.this) != "list" or kind(node.this.type.expressions[0]) != "text":
        refuse("array_to_string() of what is no text", "it is not shown to agree there", "CAST the values")
    return call("ARRAY_JOIN", node.this, node.expression, type="VARCHAR")


RULES: dict[type[exp.Expr], Any] = {
    exp.Bracket: _index,
    exp.ArrayContains: _contains,
    exp.ArraySize: _size,
    exp.ArrayFilter: _filter,
    exp.ArrayMax: _extreme("ARRAY_MAX"),
    exp.ArrayMin: _extreme("ARRAY_MIN"),
    exp.ArrayToString: _joined,
    exp.Explode: _explode,
    exp.Transform: _transform,
    exp.Array: _array,
    exp.Dot: _dot,
    exp.StructExtract: _extracted,
}
