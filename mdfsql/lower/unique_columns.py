"""A plain name of its own for every column of every inner query."""

from __future__ import annotations

import itertools
import re

from sqlglot import exp

from mdfsql.lower.shapes import own_columns, queries, sources

__all__ = ["plain_name", "unique_columns"]


# No column is called so, and every table is: dask-sql takes "t"."x" for a part of a column "t" where there is one.
TABLE = "_t_"


def plain_name(name: str) -> str:
    """Return a column's name in letters that dask-sql reads in any place; other names get a name of digits.

    >>> plain_name("total"), plain_name("a.b")
    ('total', '_x612e62')
    """
    if re.fullmatch(r"[a-z_][a-z0-9_]*", name) and not name.startswith(("_x", TABLE)) and name != "_":
        return name
    # A name is written in one case or another: the reference takes them for one.
    return f"_x{name.lower().encode().hex()}"


def unique_columns(tree: exp.Expr) -> exp.Expr:
    """Columns of inner queries get names of their own: dask-sql mixes up columns of one name in a join's two sides.

    Names with dots, quotes and the like are written in digits.
    """
    numbers = itertools.count(1)
    outputs: dict[int, dict[str, str]] = {}
    for query in queries(tree):
        if isinstance(query, exp.Select):
            known = outputs[id(query)] = {}
            for projection in query.expressions:
                name = projection.alias_or_name
                # The first of two of one name is the one that can be read from outside.
                new = plain_name(name)
                if query is not tree or new in known.values():
                    new = f"{new}_{next(numbers)}"
                known.setdefault(name, new)
                projection.replace(exp.alias_(projection.unalias(), new, quoted=True))
    shared = {cte.alias: cte.this for cte in tree.find_all(exp.CTE)}
    for query in queries(tree):
        if not isinstance(query, exp.Select):
            continue
        for source in sources(query):
            alias = source.alias_or_name
            inner = source.this if isinstance(source, exp.Subquery) else shared.get(source.name)
            renamed = outputs.get(id(_first(inner)), {}) if inner is not None else None
            new = TABLE + plain_name(alias)
            for needed in list(_columns(query, alias)):
                name = plain_name(needed.name) if renamed is None else renamed.get(needed.name, needed.name)
                needed.set("this", exp.to_identifier(name, quoted=True))
                needed.set("table", exp.to_identifier(new, quoted=True))
            source.set("alias", exp.TableAlias(this=exp.to_identifier(new, quoted=True)))
    return tree


def _first(query: exp.Expr | None) -> exp.Expr | None:
    """Return the SELECT that names a query's columns."""
    while isinstance(query, (exp.Subquery, exp.SetOperation)):
        query = query.this
    return query


def _columns(select: exp.Select, table: str) -> list[exp.Column]:
    places = [
        node for key, arg in select.args.items() if key not in ("from_", "joins", "with_") for node in _nodes(arg)
    ]
    places += [join.args["on"] for join in select.args.get("joins") or () if join.args.get("on")]
    return [found for place in places for found in own_columns(place, {table})]


def _nodes(arg: object) -> list[exp.Expr]:
    if isinstance(arg, list):
        return [node for node in arg if isinstance(node, exp.Expr)]
    return [arg] if isinstance(arg, exp.Expr) else []
