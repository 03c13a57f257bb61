"""Queries inside of expressions: three-valued IN, ANY and ALL, and what a query may read from around it."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.quantifiers_to_tests import (
    COMPARED,
    any_row,
    bracketed,
    inner_query,
    is_one_row,
    quantified,
    value_of,
)
from mdfsql.lower.rules import BOOLEAN, call, each, integer, refuse, tests_typed, truth
from mdfsql.lower.shapes import (
    Names,
    aggregates,
    conjoin,
    conjuncts,
    function,
    of_no_rows,
    outer_columns,
    own_columns,
    shallow_columns,
    sources,
    windows,
)

__all__ = ["exact_subqueries"]


def exact_subqueries(tree: exp.Expr) -> exp.Expr:
    """IN, ANY and ALL over a query are NULL where a NULL leaves them open, and an aggregate inside is over no rows too.

    Queries that read columns from around them where not every engine lets them are refused.
    """
    names = Names(tree, "_q")
    for query in list(tree.find_all(exp.Subquery)):
        if _is_value(query):
            _unordered(query)
            _having(query)
    tree = each(tree, {exp.Exists: _exists, **dict.fromkeys(COMPARED, lambda node: quantified(node, names))})
    test: Any
    for test in list(tree.find_all(exp.In)):
        if test.args.get("query") is not None:
            _in(test, names)
    for test in list(tree.find_all(exp.Exists)):
        _asked(test)
    for value in list(tree.find_all(exp.Subquery)):
        if _is_value(value):
            _single(value)
            _aggregated(value)
    node: Any
    for node in list(tree.find_all(exp.Exists, exp.In, exp.Subquery)):
        if isinstance(node, exp.Exists) or (isinstance(node, exp.In) and node.args.get("query") is not None):
            _placed(node, "EXISTS or IN over a query")
        elif isinstance(node, exp.Subquery) and _is_value(node):
            _placed(node, "a query as a value")
    return tree


FILTERS = (exp.Where, exp.Having, exp.Join)


def _is_value(node: exp.Expr) -> bool:
    """Tell whether a query in parentheses stands for a value, and not for a table or a side of UNION."""
    place = node.parent
    if isinstance(place, exp.Subquery):
        return _is_value(place)
    return place is not None and not (
        isinstance(place, (exp.From, exp.Join, exp.SetOperation, exp.CTE, exp.Exists, exp.Any, exp.All, exp.Lateral))
        or (isinstance(place, exp.In) and node.arg_key == "query")
    )


def _with(query: exp.Select, output: exp.Expr) -> exp.Subquery:
    """Return the query as a value, with another output, and without HAVING or an order."""
    alone = query.copy()
    alone.set("expressions", [exp.alias_(output.copy(), "x")])
    for part in ("having", "order"):
        alone.set(part, None)
    made = exp.Subquery(this=alone)
    made.type = output.type
    return made


def _unordered(node: Any) -> None:
    """An order without a limit says nothing."""
    query = inner_query(node)
    if not any(query.args.get(part) for part in ("limit", "offset")):
        query.set("order", None)


def _having(node: Any) -> None:
    """Spark loses the group of no rows, and its HAVING with it: that becomes a query of its own."""
    query = inner_query(node)
    if not isinstance(query, exp.Select) or query.args.get("having") is None or not outer_columns(query):
        return
    if any(query.args.get(part) for part in ("group", "limit", "offset", "qualify")) or len(query.selects) != 1:
        return
    value = query.selects[0].unalias()
    made = exp.Case(ifs=[exp.If(this=_with(query, query.args["having"].this), true=_with(query, value))])
    made.type = value.type
    node.replace(made)


def _in(node: Any, names: Names) -> None:
    """Spark takes an open IN for false: right where only true counts, and for NOT IN as a condition of its own."""
    query = inner_query(node.args["query"])
    if is_one_row(query) and not isinstance(node.this, exp.Tuple):
        node.replace(tests_typed(exp.EQ(this=bracketed(node.this), expression=value_of(query))))
        return
    place: Any = node
    while isinstance(place.parent, exp.Paren):
        place = place.parent
    inverted = isinstance(place.parent, exp.Not)
    if inverted:
        place = place.parent
    while isinstance(place.parent, (exp.Paren, exp.And) if inverted else (exp.Paren, exp.And, exp.Or)):
        place = place.parent
    if isinstance(place.parent, FILTERS):
        return
    values = node.this.expressions if isinstance(node.this, exp.Tuple) else [node.this]
    node.replace(any_row(exp.EQ, values, query, names))


def _exists(node: Any) -> exp.Expr | None:
    query = inner_query(node.this)
    if not isinstance(query, exp.Select):
        return None
    limit, offset = query.args.get("limit"), query.args.get("offset")
    if is_one_row(query):
        return truth(True)
    having = query.args.get("having")
    if having is not None and not any(query.args.get(part) for part in ("group", "qualify", "limit", "offset")):
        made: exp.Expr = exp.Coalesce(this=_with(query, having.this), expressions=[truth(False)])
        made.type = BOOLEAN
        return made
    if limit is not None and offset is None and (integer(limit.expression) or 0) > 0:
        query.set("limit", None)
        query.set("order", None)
    return None


def _asked(node: Any) -> None:
    """Spark 3.5 fails on EXISTS as a value over groups: there it is the greatest of TRUE, or FALSE for no rows."""
    query, place = inner_query(node.this), node
    while place.parent is not None and not isinstance(place.parent, exp.Select):
        place = place.parent
    if place.arg_key != "expressions" or not outer_columns(query):
        return
    if not isinstance(query, exp.Select) or any(query.args.get(part) for part in ("having", "limit", "offset")):
        refuse("EXISTS as a value, of this form", "not every Spark runs it", "EXISTS (SELECT 1 FROM ... WHERE ...)")
    for part in ("distinct", "group"):
        query.set(part, None)
    found = exp.Max(this=truth(True))
    found.type = BOOLEAN
    made = exp.Coalesce(this=_with(query, found), expressions=[truth(False)])
    made.type = BOOLEAN
    node.replace(made)


def _single(node: Any) -> None:
    """Spark 3.5 takes an aggregate only: the rows of a query that reads from around it become a list, of one at most.

    An ORDER BY with LIMIT 1 is the order in that list.
    """
    query = inner_query(node)
    if not isinstance(query, exp.Select) or not query.args.get("from_") or not outer_columns(query):
        return
    if any(query.args.get(part) for part in ("group", "having", "offset", "distinct")) or len(query.selects) != 1:
        return
    value, limit = query.selects[0].unalias(), query.args.get("limit")
    if value.type is None or any(aggregates(value)) or any(windows(value)):
        return
    if limit is not None and integer(limit.expression) != 1:
        return
    order = query.args.get("order")
    keys = [_by_input(key, query) for key in order.expressions] if order is not None and limit is not None else []
    rows: exp.Expr = exp.ArrayAgg(this=exp.Order(this=value.copy(), expressions=keys) if keys else value.copy())
    rows.type = exp.DataType(this=exp.DataType.Type.LIST, expressions=[value.type.copy()], nested=True)
    query.set("expressions", [exp.alias_(rows, "x")])
    query.set("order", None)
    query.set("limit", None)
    whole = exp.Subquery(this=query.copy())
    whole.type = rows.type
    if limit is not None:
        made = call("TRY_ELEMENT_AT", whole, 1)
    else:
        # One value for one key: a map of more values than keys raises.
        made = call("TRY_ELEMENT_AT", call("MAP_FROM_ARRAYS", call("ARRAY", 1), whole), 1)
    made.type = value.type
    node.replace(made)


def _by_input(key: Any, query: exp.Select) -> exp.Expr:
    """Return a key of ORDER BY as what it reads, where it names an output."""
    made = key.copy()
    if isinstance(key.this, exp.Column) and not key.this.table:
        made.set("this", query.selects[0].unalias().copy())
    if isinstance(key.this, exp.Literal):
        made.set("this", query.selects[0].unalias().copy())
    return made


def _aggregated(node: Any) -> None:
    """Spark loses the count of no rows, and takes no outer column beside an aggregate: both go out of the query."""
    query = inner_query(node)
    if not isinstance(query, exp.Select) or not outer_columns(query) or len(query.selects) != 1:
        return
    if any(query.args.get(part) for part in ("group", "having", "limit", "offset", "distinct", "qualify")):
        return
    value = query.selects[0].unalias()
    found = list(aggregates(value))
    if not found or any(True for _ in windows(value)):
        return
    tables = {source.alias_or_name for source in sources(query)}
    apart = [part for part in value.find_all(exp.Column) if part.table in tables]
    inside = {id(part) for one in found for part in own_columns(one, tables)}
    if any(id(part) not in inside for part in apart):
        return
    if value is found[0] and of_no_rows(function(value)) is None:
        return
    holder = exp.Paren(this=value.copy())
    for one in list(aggregates(holder.this)):
        alone = query.copy()
        alone.set("expressions", [exp.alias_(one.copy(), "x")])
        made: exp.Expr = exp.Subquery(this=alone)
        made.type = one.type
        zero = of_no_rows(function(one))
        if zero is not None:
            zero.type = one.type
            made = exp.Coalesce(this=made, expressions=[zero])
            made.type = one.type
        one.replace(made)
    holder.type = value.type
    # An output column keeps its name by the alias around it.
    node.replace(holder)


def _placed(node: Any, what: str) -> None:
    """Refuse a query that reads from around it where not every Spark runs it."""
    select = node.find_ancestor(exp.Select)
    query = node.this if isinstance(node, (exp.Exists, exp.Subquery)) else node.args["query"]
    outer = outer_columns(query)
    place: Any = node
    while place.parent is not None and place.parent is not select:
        place = place.parent
    if place.arg_key == "order" and (outer or not isinstance(node, exp.Subquery)):
        refuse(f"{what} in ORDER BY", "Spark does not resolve it there", "select it under a name, and order by that")
    if select is None:
        return
    grouped = select.args.get("group") is not None or any(any(aggregates(s)) for s in select.selects)
    if place.arg_key == "group" and outer:
        refuse(
            f"{what} that reads from around it, in GROUP BY", "not every Spark runs it", "a subquery that selects it"
        )
    if grouped and place.arg_key == "expressions" and not isinstance(node, exp.Subquery):
        refuse(f"{what} beside aggregates", "not every Spark runs it", "the aggregates in a query of their own")
    if not outer:
        return
    if place.arg_key == "joins":
        refuse(f"{what} that reads from around it, in a join's ON", "not every Spark runs it", "a condition in WHERE")
    around = {source.alias_or_name for source in sources(select)}
    if any(found.table not in around for found in outer):
        refuse(f"{what} that reads from further out than the query around it", "Spark has no such thing", "a join")
    _correlated(query, what, isinstance(node, exp.Subquery))


def _correlated(query: Any, what: str, value: bool) -> None:
    inner = inner_query(query)
    part: Any
    name = f"{what} that reads from around it"
    for part in inner.find_all(exp.SetOperation):
        if outer_columns(part):
            refuse(f"{name}, with {part.key.upper()}", "not every Spark runs it", "a join")
    for part in inner.find_all(exp.Select):
        outer = outer_columns(part)
        if not outer:
            continue
        if not (value and part is inner) and not part.args.get("group") and _aggregates(part):
            # The row of no rows would be lost.
            refuse(f"{name}, and aggregates inside", "not every Spark runs it", "a join with GROUP BY")
        if any(part.args.get(key) for key in ("limit", "offset")):
            refuse(f"{name}, with LIMIT", "not every Spark runs it", "arg_min(value, order), or a join")
        if any(True for selected in part.selects for _ in windows(selected)):
            refuse(f"{name}, with a window", "not every Spark runs it", "a join")
        _in_where(part, name)
    if value and isinstance(inner, exp.Select):
        single = not inner.args.get("group") and any(any(aggregates(s)) for s in inner.selects)
        single = single or not inner.args.get("from_")
        if not single:
            refuse(f"{name}, without an aggregate", "not every Spark runs it", "max(value), or a join")


def _aggregates(select: exp.Select) -> bool:
    return select.args.get("having") is not None or any(any(aggregates(output)) for output in select.selects)


def _in_where(select: exp.Select, name: str) -> None:
    """Put the conditions of inner joins that read from around the query into WHERE; refuse outer columns elsewhere."""
    tables = {source.alias_or_name for source in sources(select)}
    joins = select.args.get("joins") or []
    for join in joins:
        on = join.args.get("on")
        outside = [part for part in conjuncts(on) if any(c.table not in tables for c in part.find_all(exp.Column))]
        if not outside:
            continue
        if any(other.side or other.kind.upper() not in ("", "INNER", "CROSS") for other in joins):
            refuse(f"{name}, in the ON of an outer join", "not every Spark runs it", "a condition in WHERE")
        join.set("on", conjoin([part for part in conjuncts(on) if part not in outside]) or exp.true())
        select.where(*outside, copy=False)
    for part in ("expressions", "group", "order"):
        given = select.args.get(part) or []
        for node in given if isinstance(given, list) else [given]:
            if any(c.table and c.table not in tables for c in shallow_columns(node)) and select.args.get("from_"):
                refuse(f"{name}, outside of WHERE", "Spark reads outer columns in WHERE only", "a join")
