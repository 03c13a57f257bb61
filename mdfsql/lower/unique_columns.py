"""A name of its own for every column of every inner query."""

from __future__ import annotations

import itertools

from sqlglot import exp

from mdfsql.lower.shapes import own_columns, queries, sources

__all__ = ["unique_columns"]


def unique_columns(tree: exp.Expr) -> exp.Expr:
    """Columns of inner queries get names of their own: dask-sql mixes up columns of one name in a join's two sides."""
    numbers = itertools.count(1)
    outputs: dict[int, dict[str, str]] = {}
    for query in queries(tree):
        if isinstance(query, exp.Select) and query is not tree:
            known = outputs[id(query)] = {}
            for projection in query.expressions:
                name = projection.alias_or_name
                # The first of two of one name is the one that can be read from outside.
                new = f"{name}_{next(numbers)}"
                known.setdefault(name, new)
                projection.replace(exp.alias_(projection.unalias(), new, quoted=True))
    shared = {cte.alias: cte.this for cte in tree.find_all(exp.CTE)}
    for query in queries(tree):
        if isinstance(query, exp.Select):
            for source in sources(query):
                inner = source.this if isinstance(source, exp.Subquery) else shared.get(source.name)
                known = outputs.get(id(_first(inner)), {})
                for needed in list(_columns(query, source.alias_or_name)):
                    if needed.name in known:
                        needed.set("this", exp.to_identifier(known[needed.name], quoted=True))
    return tree


def _first(query: exp.Expr | None) -> exp.Expr | None:
    """Return the SELECT that names a query's columns."""
    while isinstance(query, (exp.Subquery, exp.SetOperation)):
        query = query.this
    return query


def _columns(select: exp.Select, table: str) -> list[exp.Column]:
    places = [node for key, arg in select.args.items() if key not in ("from_", "joins", "with_") for node in _nodes(arg)]
    places += [join.args["on"] for join in select.args.get("joins") or () if join.args.get("on")]
    return [found for place in places for found in own_columns(place, {table})]


def _nodes(arg: object) -> list[exp.Expr]:
    if isinstance(arg, list):
        return [node for node in arg if isinstance(node, exp.Expr)]
    return [arg] if isinstance(arg, exp.Expr) else []
