"""A subquery that reads the rows outside, computed for all that they hold at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from mdfsql.lower.shapes import (
    Names,
    aggregates,
    column,
    conjoin,
    contains_query,
    derived,
    identity,
    of_no_rows,
    own_columns,
    queries,
    source_names,
    sources,
    windows,
)
from mdfsql.lower.split_selects import keys_of_all

__all__ = ["Dependent", "dependent", "over_nothing", "same_row"]


@dataclass(frozen=True)
class Dependent:
    """A subquery's rows beside ``keys``, the outputs that say for which rows outside they are.

    ``outside`` are the columns that the keys are of. A ``total``, an aggregate of no group without HAVING, has one row
    for each.
    """

    rows: exp.Query
    outside: tuple[exp.Column, ...]
    keys: tuple[str, ...]
    total: bool

    def outputs(self) -> list[str]:
        """Return the names of the subquery's own outputs."""
        return [s.alias_or_name for s in self.rows.selects][len(self.keys) :]


def dependent(query: exp.Query, rows: dict[str, Any], names: Names) -> Dependent | None:
    """Return a subquery for all rows outside, whose FROM, joins and WHERE are ``rows``; None where that has no form.

    The different values that it reads are joined to its tables, and it is grouped, numbered and cut by them.
    """
    outer = source_names(exp.Select(**rows))
    outer -= source_names(query) if isinstance(query, exp.Select) else set()
    read = {identity(found): found.copy() for found in own_columns(query, outer)}
    if not read or any(found.find(exp.Lateral) for found in _nodes(rows)):
        return None
    made = _Pushing(read, [names.new() for _ in read], rows, names)
    total = isinstance(query, exp.Select) and made.is_total(query)
    pushed = made.total(query) if isinstance(query, exp.Select) and total else made.query(query)
    total = total and not query.args.get("having")
    return None if pushed is None else Dependent(pushed, tuple(read.values()), tuple(made.keys), total)


def same_row(left: Sequence[exp.Expr], right: Sequence[exp.Expr]) -> exp.Expr:
    """Return the condition that values are the same one by one, NULLs too, which are equal within a struct."""
    sides = [
        exp.Struct(
            expressions=[
                exp.PropertyEQ(this=exp.to_identifier(f"k{number}"), expression=value.copy())
                for number, value in enumerate(values)
            ]
        )
        for values in (left, right)
    ]
    return exp.EQ(this=sides[0], expression=sides[1])


def over_nothing(output: exp.Expr) -> exp.Expr:
    """Return the value of an aggregate expression over no rows."""

    def change(node: exp.Expr) -> exp.Expr:
        if any(node is found for found in aggregates(node)):
            inner = node.this if isinstance(node, exp.Filter) else node
            return of_no_rows(inner) or exp.Null()
        return node

    return output.copy().transform(change)


def _nodes(rows: dict[str, Any]) -> list[exp.Expr]:
    return [node for arg in rows.values() for node in (arg if isinstance(arg, list) else [arg]) if node is not None]


class _Pushing:
    def __init__(self, read: dict[int, exp.Column], keys: list[str], rows: dict[str, Any], names: Names) -> None:
        self.read, self.keys, self.rows, self.names = read, keys, rows, names
        self.tables = {found.table for found in read.values()}

    def is_total(self, select: exp.Select) -> bool:
        """Tell whether a SELECT gives one row over no rows."""
        return not select.args.get("group") and (
            bool(select.args.get("having")) or any(True for s in select.selects for _ in aggregates(s))
        )

    def total(self, query: exp.Select) -> exp.Query | None:
        """Return one row for each of the values outside, also for those that have no rows."""
        limit = query.args.get("limit")
        if any(query.args.get(part) for part in ("qualify", "offset", "with_")) or (
            limit is not None and not (isinstance(limit.expression, exp.Literal) and int(limit.expression.name) > 0)
        ):
            return None
        if any(contains_query(s) or any(True for _ in windows(s)) for s in query.selects):
            return None
        query = query.copy()
        having = query.args.get("having")
        for part in ("order", "limit", "having"):
            query.set(part, None)
        if having is not None:
            if contains_query(having):
                return None
            query.append("expressions", exp.alias_(having.this, self.names.new(), quoted=True))
        pushed = self._select(query)
        if pushed is None:
            return None
        own = pushed.selects[len(self.keys) :]
        seen, rows = self.names.new(), self.names.new()
        domain = str(pushed.selects[0].unalias().args["table"].name)
        pushed.append("expressions", exp.alias_(exp.Count(this=exp.Star(), big_int=True), seen, quoted=True))
        none = exp.Is(this=column(seen, rows), expression=exp.Null())
        keys = [column(key, domain) for key in self.keys]
        outputs = [exp.alias_(key.copy(), key.name, quoted=True) for key in keys]
        for output in own:
            branch = exp.If(this=none.copy(), true=over_nothing(output.unalias()))
            value = exp.Case(ifs=[branch], default=column(output.alias, rows))
            outputs.append(exp.alias_(value, output.alias, quoted=True))
        where = exp.Where(this=outputs.pop().this) if having is not None else None
        same = same_row(keys, [column(key, rows) for key in self.keys])
        return exp.Select(
            expressions=outputs,
            from_=exp.From(this=derived(self._domain(), domain)),
            joins=[exp.Join(this=derived(pushed, rows), side="LEFT", on=same)],
            where=where,
        )

    def query(self, query: exp.Query) -> exp.Query | None:
        if isinstance(query, exp.Subquery):
            return self.query(query.this)
        if query.args.get("with_"):
            return None
        if isinstance(query, exp.SetOperation):
            return self._set_operation(query)
        return self._select(query.copy()) if isinstance(query, exp.Select) else None

    def _set_operation(self, query: exp.SetOperation) -> exp.Query | None:
        if any(query.args.get(part) for part in ("order", "limit", "offset", "by_name")):
            return None
        sides = [query.this, query.expression]
        if any(isinstance(inner, exp.Select) and self.is_total(inner) for side in sides for inner in queries(side)):
            return None
        pushed = [self.query(side) for side in sides]
        if pushed[0] is None or pushed[1] is None:
            return None
        return type(query)(this=pushed[0], expression=pushed[1], distinct=query.args.get("distinct"))

    def _domain(self) -> exp.Select:
        outputs = [exp.alias_(c.copy(), key, quoted=True) for c, key in zip(self.read.values(), self.keys, strict=True)]
        rows = {
            part: [node.copy() for node in arg] if isinstance(arg, list) else arg.copy()
            for part, arg in self.rows.items()
            if arg
        }
        return exp.Select(expressions=outputs, distinct=exp.Distinct(), **rows)

    def _select(self, select: exp.Select) -> exp.Select | None:
        domain = self.names.new()
        joins = select.args.get("joins") or []
        inside: list[exp.Expr] = []
        for source in sources(select):
            if any(True for _ in own_columns(source, self.tables)):
                pushed = self._source(source, select, domain, inside)
                if not pushed:
                    return None
        known = {text: column(key, domain) for text, key in zip(self.read, self.keys, strict=True)}
        early = any(True for join in joins if join.args.get("on") for _ in own_columns(join.args["on"], self.tables))
        if early and any(join.side.upper() in ("RIGHT", "FULL") for join in joins):
            return None
        for child in list(select.iter_expressions()):
            for found in list(own_columns(child, self.tables)):
                found.replace(known[identity(found)].copy())
        for join in joins:
            # After a comma, a join would not see the tables before it.
            if not (join.side or join.kind or join.method or join.args.get("on") or join.args.get("using")):
                join.set("kind", "CROSS")
        table, from_ = derived(self._domain(), domain), select.args.get("from_")
        if from_ is None:
            select.set("from_", exp.From(this=table))
        elif early:
            select.set("from_", exp.From(this=table))
            select.set("joins", [exp.Join(this=from_.this, kind="CROSS"), *joins])
        else:
            select.append("joins", exp.Join(this=table, kind="CROSS"))
        for condition in inside:
            select.where(condition, copy=False)
        keys = [column(key, domain) for key in self.keys]
        if not self._cut(select, keys):
            return None
        self._group(select, keys)
        named = [exp.alias_(key.copy(), name, quoted=True) for key, name in zip(keys, self.keys, strict=True)]
        own = [
            exp.alias_(s.unalias().copy(), s.alias_or_name or self.names.new(), quoted=True) for s in select.expressions
        ]
        select.set("expressions", [*named, *own])
        return select

    def _source(self, source: exp.Expr, select: exp.Select, domain: str, inside: list[exp.Expr]) -> bool:
        """Push into a table of FROM, which is joined by the keys then."""
        join = source.parent
        plain = not isinstance(join, exp.Join) or join.side.upper() in ("", "LEFT")
        if not isinstance(source, exp.Subquery) or not plain or not isinstance(source.this, exp.Query):
            return False
        inner = source.this
        alias = source.args.get("alias")
        if isinstance(alias, exp.TableAlias) and alias.columns:
            return False
        pushed = _Pushing(self.read, [self.names.new() for _ in self.keys], self.rows, self.names)
        total = isinstance(inner, exp.Select) and pushed.is_total(inner)
        rows = pushed.total(inner) if isinstance(inner, exp.Select) and total else pushed.query(inner)
        if rows is None:
            return False
        source.set("this", rows)
        keys = [column(key, source.alias_or_name) for key in pushed.keys]
        same = same_row([column(key, domain) for key in self.keys], keys)
        if isinstance(join, exp.Join) and join.side.upper() == "LEFT":
            return False
        inside.append(same)
        return True

    def _cut(self, select: exp.Select, keys: list[exp.Column]) -> bool:
        """Write ORDER BY and LIMIT as numbers of rows for each key; tell whether that was possible."""
        order, limit, offset = (select.args.get(part) for part in ("order", "limit", "offset"))
        for part in ("order", "limit", "offset"):
            select.set(part, None)
        for window in [w for place in self._places(select) for w in windows(place)]:
            if not window.alias:
                window.set("partition_by", [*(k.copy() for k in keys), *(window.args.get("partition_by") or [])])
        for window in select.args.get("windows") or ():
            if not window.alias:
                window.set("partition_by", [*(k.copy() for k in keys), *(window.args.get("partition_by") or [])])
        distinct = select.args.get("distinct")
        if distinct is not None and distinct.args.get("on") is not None:
            on = distinct.args["on"]
            on.set("expressions", [*(k.copy() for k in keys), *on.expressions])
        if limit is None and offset is None:
            if order is not None and distinct is not None and distinct.args.get("on") is not None:
                select.set("order", order)
            return True
        bounds = [part.expression if part is not None else None for part in (limit, offset)]
        if (
            order is None
            or distinct is not None
            or any(bound is not None and not (isinstance(bound, exp.Literal) and bound.is_int) for bound in bounds)
        ):
            return False
        first = int(bounds[1].name) if bounds[1] is not None else 0
        number = exp.Window(
            this=exp.RowNumber(), partition_by=[k.copy() for k in keys], order=order.copy(), over="OVER"
        )
        tests: list[exp.Expr] = [exp.GT(this=number, expression=exp.Literal.number(first))]
        if bounds[0] is not None:
            tests.append(exp.LTE(this=number.copy(), expression=exp.Literal.number(first + int(bounds[0].name))))
        qualify = select.args.get("qualify")
        condition = conjoin([*([exp.Paren(this=qualify.this)] if qualify else []), *tests])
        select.set("qualify", exp.Qualify(this=condition))
        return True

    def _places(self, select: exp.Select) -> list[exp.Expr]:
        qualify = select.args.get("qualify")
        return [*select.expressions, *([qualify] if qualify else [])]

    def _group(self, select: exp.Select, keys: list[exp.Column]) -> None:
        group = select.args.get("group")
        if group is None and not self.is_total(select):
            return
        own = list(group.expressions) if group is not None else []
        if group is not None and group.args.get("all") is True:
            own = keys_of_all(s.unalias() for s in select.expressions)
        select.set("group", exp.Group(expressions=[*(k.copy() for k in keys), *own]))
