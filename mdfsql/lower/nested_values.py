"""Short builders for lists, and the order of nested values."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from mdfsql.lower.rules import call, case, cast, is_null, kind, null, paren, text, there

__all__ = [
    "ELEMENT",
    "empty_list",
    "lambda_",
    "named",
    "order_key",
    "over",
    "present",
    "ranked",
    "size",
    "variable",
]

# What a pass calls an element: no column of the query is ever inside of such a lambda, so that none can be hidden.
ELEMENT = "_e"


def empty_list(dtype: exp.DataType) -> exp.Expr:
    """Return an empty list of a list's type."""
    return cast(exp.Array(expressions=[]), dtype.sql("duckdb"))


def variable(dtype: exp.DataType | None, name: str = ELEMENT) -> exp.Expr:
    made = exp.to_identifier(name, quoted=True)
    made.type = dtype
    return made


def lambda_(body: exp.Expr, *names: str) -> exp.Lambda:
    return exp.Lambda(this=body, expressions=[exp.to_identifier(name, quoted=True) for name in names or (ELEMENT,)])


def named(
    value: exp.Expr, made: Callable[[exp.Expr], exp.Expr], type: exp.DataType | None, name: str = "_n"
) -> exp.Expr:
    """Return what is made of a value, which stands there many times, but is computed once."""
    if isinstance(value, (exp.Column, exp.Identifier)):
        return made(value)
    body = lambda_(made(variable(value.type, name)), name)
    items = exp.Anonymous(this="TRANSFORM", expressions=[call("ARRAY", value), body])
    result = call("ELEMENT_AT", items, 1)
    result.type = type
    return result


def over(name: str, items: exp.Expr, body: exp.Expr, type: exp.DataType | None = None) -> exp.Expr:
    """Return a call of a function of a list and of what is computed of each element."""
    made = exp.Anonymous(this=name, expressions=[items.copy(), lambda_(body)])
    made.type = type if type is not None else items.type
    return made


def present(items: exp.Expr) -> exp.Expr:
    """Return the list of the values that are not NULL."""
    return over("FILTER", items, there(variable(None)))


def size(items: exp.Expr) -> exp.Expr:
    return call("SIZE", items, type="INTEGER")


def order_key(node: exp.Expr, dtype: exp.DataType | None) -> exp.Expr:
    """Return what orders a value as the reference does: inside of a value, NULL is the greatest."""
    found = kind(dtype)
    if dtype is None or found not in ("list", "struct"):
        return node.copy()
    if found == "list":
        element = variable(dtype.expressions[0])
        return over("TRANSFORM", node, ranked(element, dtype.expressions[0]), dtype)
    fields = []
    for i, field in enumerate(dtype.expressions):
        part = exp.Dot(this=paren(node), expression=exp.to_identifier(field.name, quoted=True))
        fields += [text(f"f{i}"), ranked(part, field.args["kind"])]
    return case((is_null(node), null()), default=call("NAMED_STRUCT", *fields))


def ranked(node: exp.Expr, dtype: exp.DataType | None) -> exp.Expr:
    """Return a value with whether it is NULL before it, so that NULL is the greatest of all."""
    lost = exp.Is(this=node.copy(), expression=exp.Null())
    return call("NAMED_STRUCT", text("n"), lost, text("v"), order_key(node, dtype))
