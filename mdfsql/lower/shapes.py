"""What passes ask about a query: the SELECTs below FROM, the parts of a condition, whose column a column is."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence

from sqlglot import exp

__all__ = [
    "Names",
    "aggregates",
    "branches",
    "column",
    "conjoin",
    "conjuncts",
    "contains_query",
    "derived",
    "outer_columns",
    "own_columns",
    "queries",
    "source_names",
    "sources",
    "identity",
    "is_fixed",
    "of_no_rows",
    "windows",
]

# DuckDB's aggregates that sqlglot reads as plain functions.
PLAIN_AGGREGATES = frozenset(
    [
        "arbitrary",
        "arg_max_null",
        "arg_max_nulls_last",
        "arg_min_null",
        "arg_min_nulls_last",
        "bitstring_agg",
        "combine_aggr",
        "count_star",
        "decimal_average",
        "entropy",
        "favg",
        "fsum",
        "geomean",
        "geometric_mean",
        "histogram",
        "histogram_exact",
        "json_group_array",
        "json_group_object",
        "kahan_sum",
        "kurtosis_pop",
        "lttb",
        "mad",
        "mean",
        "product",
        "reservoir_quantile",
        "sem",
        "sum_no_overflow",
        "sumkahan",
        "variant_group_array",
        "variant_group_object",
        "wavg",
        "weighted_avg",
    ]
)


class Names:
    """Gives names that the query does not use yet."""

    def __init__(self, tree: exp.Expr, prefix: str) -> None:
        self._tree = tree
        self._made = (f"{prefix}{number}" for number in itertools.count(1))

    def new(self) -> str:
        """Return a new name."""
        return next(name for name in self._made if name not in self._taken)

    @functools.cached_property
    def _taken(self) -> set[str]:
        return {node.name for node in self._tree.root().find_all(exp.Identifier)}


def column(name: str, table: str) -> exp.Column:
    """Return a quoted column of a table."""
    return exp.column(name, table, quoted=True)


def identity(node: exp.Expr) -> int:
    """Return a number that two expressions share where they are the same in all their parts, comments aside.

    Their text will not do: sqlglot leaves out parts for which a dialect has no form, such as the order of list_sort().
    """
    return hash(node)


def is_fixed(node: exp.Expr) -> bool:
    """Tell whether a constant has to stay as it is, though it is a key too: after IS, and inside an aggregate."""
    if not isinstance(node, (exp.Literal, exp.Null, exp.Boolean)):
        return False
    if isinstance(node.parent, exp.Is) and node.arg_key == "expression":
        return True
    above = node.parent
    while above is not None and not isinstance(above, exp.Query):
        if not isinstance(above, exp.Grouping) and is_aggregate(function(above)):
            return True
        above = above.parent
    return False


def derived(query: exp.Query, name: str) -> exp.Subquery:
    """Return a query as a table with a name."""
    return exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier(name, quoted=True)))


def queries(tree: exp.Expr) -> Iterator[exp.Query]:
    """Yield the SELECTs and set operations that make the rows of a query, outermost first.

    Queries inside expressions are not among them.
    """
    if isinstance(tree, exp.Subquery):
        yield from queries(tree.this)
        return
    if not isinstance(tree, exp.Query):
        return
    yield tree
    with_ = tree.args.get("with_")
    for cte in with_.expressions if with_ else ():
        yield from queries(cte.this)
    if isinstance(tree, exp.SetOperation):
        yield from queries(tree.this)
        yield from queries(tree.expression)
    elif isinstance(tree, exp.Select):
        for source in sources(tree):
            if isinstance(source, exp.Subquery):
                yield from queries(source)


def branches(query: exp.Expr) -> Iterator[exp.Select]:
    """Yield the SELECTs whose rows are those of a query: itself, or the sides of a set operation."""
    if isinstance(query, exp.Subquery):
        yield from branches(query.this)
    elif isinstance(query, exp.SetOperation):
        yield from branches(query.this)
        yield from branches(query.expression)
    elif isinstance(query, exp.Select):
        yield query


def sources(select: exp.Select) -> list[exp.Expr]:
    """Return the tables of FROM and its joins."""
    from_ = select.args.get("from_")
    return ([from_.this] if from_ else []) + [join.this for join in select.args.get("joins") or ()]


def source_names(select: exp.Select) -> set[str]:
    """Return the names under which the tables of FROM and its joins are known."""
    return {source.alias_or_name for source in sources(select)}


def conjuncts(condition: exp.Expr | None) -> list[exp.Expr]:
    """Return the parts of a condition that all must hold."""
    if condition is None:
        return []
    inner = condition
    while isinstance(inner, exp.Paren):
        inner = inner.this
    if isinstance(inner, exp.And):
        return conjuncts(inner.this) + conjuncts(inner.expression)
    return [inner]


def conjoin(parts: Sequence[exp.Expr]) -> exp.Expr | None:
    """Return the condition that all parts hold, None for no parts."""
    # A query is no condition to the parser's library.
    tests = [part if isinstance(part, exp.Condition) else exp.Paren(this=part) for part in parts]
    return exp.and_(*tests, copy=False) if tests else None


def own_columns(node: exp.Expr, tables: set[str]) -> Iterator[exp.Column]:
    """Yield the columns of ``tables``, also where a query inside the expression reads them from outside."""
    if isinstance(node, exp.Column):
        if node.table in tables:
            yield node
        return
    if isinstance(node, exp.Select):
        # A table inside hides one of the same name outside.
        tables = tables - source_names(node)
    for child in node.iter_expressions():
        yield from own_columns(child, tables)


def shallow_columns(node: exp.Expr) -> list[exp.Column]:
    """Return the columns of an expression that no query inside of it reads."""
    if isinstance(node, exp.Query):
        return []
    if isinstance(node, exp.Column):
        return [node]
    return [found for part in node.iter_expressions() for found in shallow_columns(part)]


def outer_columns(node: exp.Expr, known: frozenset[str] = frozenset()) -> list[exp.Column]:
    """Return the columns that a query reads from around it."""
    if isinstance(node, exp.Column):
        return [node] if node.table and node.table not in known else []
    if isinstance(node, exp.Select):
        known |= source_names(node) | {lateral.alias_or_name for lateral in node.args.get("laterals") or ()}
    return [found for part in node.iter_expressions() for found in outer_columns(part, known)]


def contains_query(node: exp.Expr) -> bool:
    """Tell whether an expression holds a query."""
    return node.find(exp.Query, exp.Exists) is not None


# Aggregates by the engine's own names, in what the passes write.
OWN_AGGREGATES = frozenset(
    {
        "AVG", "BIT_AND", "BIT_OR", "BIT_XOR", "COLLECT_LIST", "COVAR_POP", "COVAR_SAMP", "KURTOSIS", "MAX_BY",
        "MIN_BY", "PERCENTILE", "SKEWNESS", "STDDEV_POP", "STDDEV_SAMP", "VAR_POP", "VAR_SAMP",
    }
)  # fmt: skip


def is_aggregate(node: exp.Expr) -> bool:
    """Tell whether a node is a call of an aggregate function."""
    if isinstance(node, exp.Anonymous):
        return node.name.lower() in PLAIN_AGGREGATES or node.name in OWN_AGGREGATES
    return isinstance(node, exp.AggFunc)


def of_no_rows(aggregate: exp.Expr) -> exp.Expr | None:
    """Return the value over no rows of the few aggregates for which it is not NULL."""
    name = aggregate.name.lower() if isinstance(aggregate, exp.Anonymous) else ""
    if isinstance(aggregate, (exp.Count, exp.RegrCount)) or name == "count_star":
        return exp.Literal.number(0)
    return exp.Literal.number("0e0") if name == "entropy" else None


# What may stand around the function of an aggregate or of a window.
AROUND = (exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)


def function(node: exp.Expr) -> exp.Expr:
    """Return the function inside FILTER, WITHIN GROUP and IGNORE NULLS."""
    while isinstance(node, AROUND):
        node = node.this
    return node


def aggregates(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the aggregate calls of an expression that are no window functions, with what stands around them."""
    if isinstance(node, exp.Query):
        return
    if isinstance(node, exp.Window):
        inner = node.this
        while isinstance(inner, AROUND):
            if inner.expression:
                yield from aggregates(inner.expression)
            inner = inner.this
        for child in [*inner.iter_expressions(), *(c for c in node.iter_expressions() if c is not node.this)]:
            yield from aggregates(child)
        return
    if is_aggregate(function(node)):
        yield node
        return
    for child in node.iter_expressions():
        yield from aggregates(child)


def windows(node: exp.Expr) -> Iterator[exp.Window]:
    """Yield the window functions of an expression."""
    if isinstance(node, exp.Query):
        return
    if isinstance(node, exp.Window):
        yield node
        return
    for child in node.iter_expressions():
        yield from windows(child)
