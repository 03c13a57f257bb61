"""ROLLUP, CUBE and GROUPING SETS: a list of sets, in a query of their own, with the total of no rows."""

from __future__ import annotations

import functools
import itertools
from typing import Any

from sqlglot import exp

from mdfsql.lower.rules import null, number, refuse, truth
from mdfsql.lower.shapes import (
    Names,
    aggregates,
    column,
    contains_query,
    derived,
    identity,
    is_fixed,
    shallow_columns,
    source_names,
)
from mdfsql.lower.split_selects import grouping_keys, split_query
from mdfsql.trees import copied

__all__ = ["exact_groups"]


def exact_groups(tree: exp.Expr) -> exp.Expr:
    """ROLLUP, CUBE and GROUPING SETS become one list of sets; a total stands there for no rows too.

    One more row is grouped for it, which no aggregate counts. HAVING, windows and ORDER BY go into queries around.
    """
    names = Names(tree, "_g")
    for select in reversed(list(tree.find_all(exp.Select))):
        group = select.args.get("group")
        if group is None or not group.find(*SETS, exp.Tuple):
            continue
        sets = _listed(group)
        if sets == [[]]:
            if not any(any(aggregates(output)) for output in select.selects):
                refuse("GROUP BY () without an aggregate", "it is not shown to agree there", "LIMIT 1")
            select.set("group", None)
            continue
        listed = [exp.Tuple(expressions=[copied(key) for key in keys]) for keys in sets]
        select.set("group", exp.Group(expressions=[exp.GroupingSets(expressions=listed)]))
        split_query(select, names)
        if [] in sets:
            _total(next(inner for inner in select.find_all(exp.Select) if inner.args.get("group")), names)
    return tree


SETS = (exp.Rollup, exp.Cube, exp.GroupingSets)
MOST = 512  # sets: Spark copies each row for each of them


def _listed(group: exp.Group) -> list[list[exp.Expr]]:
    """Return the keys of each set: those of the parts of GROUP BY, each with each."""
    parts = [_sets(part) for key, value in group.args.items() if key != "all" for part in value or ()]
    whole = [[key for keys in chosen for key in keys] for chosen in itertools.product(*parts)]
    if len(whole) > MOST:
        refuse(f"{len(whole)} grouping sets", "they would take too long", "fewer keys in CUBE")
    return [list({identity(key): key for key in keys}.values()) for keys in whole]


def _sets(node: exp.Expr) -> list[list[exp.Expr]]:
    if isinstance(node, exp.GroupingSets):
        return [keys for part in node.expressions for keys in _sets(part)]
    if isinstance(node, (exp.Rollup, exp.Cube)):
        parts = [_keys(part) for part in node.expressions]
        sizes = range(len(parts), -1, -1)
        if isinstance(node, exp.Rollup):
            chosen: list[Any] = [parts[:size] for size in sizes]
        else:
            chosen = [some for size in sizes for some in itertools.combinations(parts, size)]
        return [[key for keys in some for key in keys] for some in chosen]
    return [_keys(node)]


def _keys(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Tuple):
        return [key for part in node.expressions for key in _keys(part)]
    if isinstance(node, exp.Paren):
        return _keys(node.this)
    return [node]


def _total(select: exp.Select, names: Names) -> None:
    """Group one more row, which no aggregate sees, and keep those groups that hold another, or are the total."""
    keys = grouping_keys(select.args["group"])
    rows_name, groups_name, real, some, level = (names.new() for _ in range(5))
    tables = source_names(select)
    outputs: dict[int, exp.Expr] = {}
    for place in [*keys, *select.selects]:
        if contains_query(place):
            refuse("a query in a key or an aggregate of GROUPING SETS", "it is not shown to agree there", "a subquery")
    read_by = [*keys, *select.selects]
    read_by += [node for part in ("where", "joins", "laterals") for node in _nodes(select.args.get(part))]
    if any(found.table and found.table not in tables for node in read_by for found in shallow_columns(node)):
        refuse(
            "ROLLUP, CUBE or GROUPING SETS over what reads an outer column", "it is not shown to agree there", "a join"
        )

    def moved(node: exp.Expr) -> exp.Column:
        same = identity(node)
        if same not in outputs:
            outputs[same] = exp.alias_(copied(node), names.new(), quoted=True)
        return column(outputs[same].alias, rows_name)

    known = {identity(key) for key in keys}

    def read(node: exp.Expr) -> exp.Expr:
        return moved(node) if (identity(node) in known and not is_fixed(node)) or isinstance(node, exp.Column) else node

    selected = [output.transform(read) for output in select.selects]
    sets = select.args["group"].transform(read)
    for one in [found for output in selected for found in aggregates(output)]:
        _only(one, column(real, rows_name))
    rows = exp.Select(
        expressions=[*outputs.values(), exp.alias_(truth(True), real, quoted=True)],
        **{part: select.args.get(part) for part in ("from_", "joins", "where", "laterals")},
    )
    nulls = [exp.alias_(null(), output.alias, quoted=True) for output in outputs.values()]
    more = exp.Select(expressions=[*nulls, exp.alias_(truth(False), real, quoted=True)])
    left_out: list[exp.Expr] = [exp.Grouping(expressions=[moved(key)]) for key in keys] or [number(0)]
    groups = exp.Select(
        expressions=[
            *selected,
            exp.alias_(exp.LogicalOr(this=column(real, rows_name)), some, quoted=True),
            exp.alias_(functools.reduce(_plus, left_out), level, quoted=True),
        ],
        from_=exp.From(this=derived(exp.Union(this=rows, expression=more, distinct=False), rows_name)),
        group=sets,
    )
    total = exp.EQ(this=column(level, groups_name), expression=number(len(keys)))
    for part in list(select.args):
        select.set(part, None)
    named = [output.alias_or_name for output in selected]
    select.set("expressions", [exp.alias_(column(name, groups_name), name, quoted=True) for name in named])
    select.set("from_", exp.From(this=derived(groups, groups_name)))
    select.set("where", exp.Where(this=exp.Or(this=column(some, groups_name), expression=total)))


def _plus(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return exp.Add(this=left, expression=right)


def _nodes(value: Any) -> list[exp.Expr]:
    return value if isinstance(value, list) else [value] if value is not None else []


def _only(aggregate: exp.Expr, real: exp.Expr) -> None:
    """Let an aggregate see the rows that are there."""
    if isinstance(aggregate, exp.Grouping):
        return
    if isinstance(aggregate, exp.Filter):
        where = aggregate.expression
        where.set("this", exp.And(this=real, expression=exp.Paren(this=where.this)))
        return
    aggregate.replace(exp.Filter(this=copied(aggregate), expression=exp.Where(this=real)))
