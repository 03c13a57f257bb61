"""ANY and ALL over a query."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.nested_values import over, variable
from mdfsql.lower.rules import BOOLEAN, case, each, kind, null, refuse, tests_typed, truth
from mdfsql.lower.shapes import Names, aggregates, column, conjoin, derived
from mdfsql.lower.value_types import element_type

__all__ = [
    "COMPARED",
    "any_row",
    "bracketed",
    "inner_query",
    "is_one_row",
    "quantified",
    "quantifiers_to_tests",
    "value_of",
]


def quantifiers_to_tests(tree: exp.Expr) -> exp.Expr:
    """ANY and ALL over a query become IN and EXISTS, which become joins; those over a list are functions."""
    names = Names(tree, "_q")

    def rule(node: Any) -> exp.Expr | None:
        over = node.expression.this if isinstance(node.expression, (exp.Any, exp.All)) else None
        return quantified(node, names) if isinstance(over, exp.Query) else None

    return each(tree, dict.fromkeys(COMPARED, rule))


# Each comparison, and the one that is true where it is false.
COMPARED: dict[type[exp.Expr], type[exp.Binary]] = {
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
    exp.LT: exp.GTE,
    exp.LTE: exp.GT,
    exp.GT: exp.LTE,
    exp.GTE: exp.LT,
}


def quantified(node: Any, names: Names) -> exp.Expr | None:
    """Return a comparison with ANY or ALL of a query as IN or EXISTS, None where there is neither."""
    if isinstance(node.this, (exp.Any, exp.All)):
        refuse("ANY or ALL on the left", "it is not shown to agree there", "write it on the right")
    quantifier = node.expression
    if not isinstance(quantifier, (exp.Any, exp.All)):
        return None
    if kind(quantifier.this) == "list":
        return _any_element(node, quantifier)
    query = inner_query(quantifier.this)
    if is_one_row(query):
        return type(node)(this=bracketed(node.this), expression=value_of(query))
    if isinstance(quantifier, exp.Any):
        if isinstance(node, exp.EQ):
            made: exp.Expr = exp.In(this=node.this.copy(), query=exp.Subquery(this=query.copy()))
            made.type = BOOLEAN
            return made
        return any_row(type(node), [node.this], query, names)
    if isinstance(node, exp.NEQ):
        inside = exp.In(this=node.this.copy(), query=exp.Subquery(this=query.copy()))
        return tests_typed(exp.Not(this=inside))
    return tests_typed(exp.Not(this=any_row(COMPARED[type(node)], [node.this], query, names)))


def _any_element(node: Any, quantifier: Any) -> exp.Expr:
    """Compare with each element of a list; a list that is NULL has none."""
    items = quantifier.this.unnest() if isinstance(quantifier.this, exp.Paren) else quantifier.this
    body = type(node)(this=bracketed(node.this), expression=variable(element_type(items)))
    every = isinstance(quantifier, exp.All)
    made = over("FORALL" if every else "EXISTS", items, tests_typed(body), BOOLEAN)
    return case((exp.Is(this=bracketed(items), expression=null()), truth(every)), default=made)


def value_of(query: exp.Query) -> exp.Subquery:
    made = exp.Subquery(this=query.copy())
    made.type = query.selects[0].type
    return made


def any_row(operator: type[exp.Binary], values: list[exp.Expr], query: exp.Query, names: Names) -> exp.Expr:
    """Return whether the values compare so with any row: true, NULL where only a NULL may, else false."""
    name = names.new()
    rows = query.selects
    if len(rows) != len(values) or any(any(aggregates(value)) for value in values):
        refuse("IN, ANY or ALL of an aggregate or a row over a query", "it is not shown to agree there", "a subquery")
    parts: list[exp.Expr] = []
    for value, row in zip(values, rows, strict=True):
        other = column(row.alias_or_name, name)
        other.type = row.type
        parts.append(operator(this=bracketed(value), expression=other))
    test = conjoin(parts)
    assert test is not None
    open_ = exp.Is(this=exp.Paren(this=test.copy()), expression=null())
    made = exp.Case(
        ifs=[
            exp.If(this=_found(query, test, name), true=truth(True)),
            exp.If(this=_found(query, open_, name), true=null()),
        ],
        default=truth(False),
    )
    made.type = BOOLEAN
    return tests_typed(made)


def _found(query: exp.Query, test: exp.Expr, name: str) -> exp.Expr:
    """Return EXISTS of the rows of the query, under the name, that pass the test."""
    one = exp.select(exp.alias_(exp.Literal.number(1), "x")).from_(derived(query.copy(), name)).where(test)
    return exp.Exists(this=one)


def is_one_row(query: exp.Query) -> bool:
    """Tell whether a query is an aggregate without groups: one row, whatever it is over."""
    return (
        isinstance(query, exp.Select)
        and not any(query.args.get(part) for part in ("group", "having", "qualify", "limit", "offset"))
        and any(any(aggregates(output)) for output in query.selects)
    )


def inner_query(node: Any) -> exp.Query:
    made = node.unnest() if isinstance(node, exp.Subquery) else node
    if not isinstance(made, exp.Query):
        refuse(f"{node.sql('duckdb')[:60]} after ANY or ALL", "only a query is shown to agree there")
    return made


def bracketed(value: exp.Expr) -> exp.Expr:
    made = exp.Paren(this=value.copy()) if isinstance(value, (exp.Binary, exp.Unary)) else value.copy()
    made.type = value.type
    return made
