"""Subqueries in conditions and expressions, as joins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlglot import exp

from mdfsql.lower.dependent_rows import Dependent, dependent, over_nothing, same_row
from mdfsql.lower.shapes import (
    Names,
    aggregates,
    column,
    conjoin,
    conjuncts,
    contains_query,
    derived,
    identity,
    own_columns,
    queries,
    source_names,
    sources,
)
from mdfsql.lower.split_selects import split_query

__all__ = ["subqueries_to_joins"]


def subqueries_to_joins(tree: exp.Expr) -> exp.Expr:
    """EXISTS, IN and scalar subqueries become joins, which dask-sql cannot be relied on to make of them.

    EXISTS and IN become SEMI joins, NOT EXISTS and NOT IN become ANTI joins that heed NULLs, a scalar subquery a join
    with one row for each key. What has no such form is left, and refused by the target's list.
    """
    names = Names(tree, "_j")
    waiting = list(queries(tree))
    while waiting:
        query = waiting.pop()
        if isinstance(query, exp.Select):
            for made in _Joins(query, names).run():
                for inner in list(queries(made)):
                    split_query(inner, names)
                waiting += queries(made)
    return tree


class _Joins:
    """One SELECT whose subqueries become joins."""

    def __init__(self, select: exp.Select, names: Names) -> None:
        self.select, self.names = select, names
        self.made: list[exp.Query] = []

    def run(self) -> list[exp.Query]:
        select = self.select
        for join in select.args.get("joins") or ():
            on = join.args.get("on")
            if on is not None and contains_query(on) and not join.side and join.kind in ("", "INNER"):
                # Of an inner join, conditions hold as well after it.
                join.set("on", None)
                join.set("kind", "CROSS")
                select.where(on, copy=False)
            elif on is not None and contains_query(on):
                self._before_join(join, on)
        self._laterals()
        where = select.args.get("where")
        if not any(contains_query(node) for node in [*select.expressions, *([where] if where else [])]):
            return self.made
        self._cross()
        parts = conjuncts(where.this if where else None)
        plain = conjoin([part.copy() for part in parts if not contains_query(part)])
        self.rows = {
            "from_": select.args.get("from_"),
            "joins": list(select.args.get("joins") or ()),
            "where": exp.Where(this=plain) if plain is not None else None,
        }
        kept = []
        for part in parts:
            if not self._filtering(part):
                kept.append(part)
        select.set("where", None)
        condition = conjoin(kept)
        if condition is not None:
            select.set("where", exp.Where(this=condition))
        places = [*select.expressions, *([select.args["where"]] if condition is not None else [])]
        for place in places:
            for test in _tests(place):
                self._value_of(test)
            for subquery in _outermost(place):
                self._scalar(subquery)
        return self.made

    def _cross(self) -> None:
        for join in self.select.args.get("joins") or ():
            # After a comma, a join would not see the tables before it.
            if not (join.side or join.kind or join.method or join.args.get("on") or join.args.get("using")):
                join.set("kind", "CROSS")

    def _before_join(self, join: exp.Join, on: exp.Expr) -> None:
        """Compute a subquery in the condition of an outer join beside the one table that it reads."""
        found = {source.alias_or_name: source for source in sources(self.select)}
        for test in [*_tests(on), *_outermost(on)]:
            names = {c.table for c in own_columns(test, set(found))} or {join.this.alias_or_name}
            source = found[min(names)]
            alias = source.args.get("alias")
            # What an earlier join fills with NULLs is not what stands in the table.
            if len(names) > 1 or names & self._filled(join) or isinstance(source, exp.Lateral):
                continue
            if isinstance(alias, exp.TableAlias) and alias.columns:
                continue
            name, flag = min(names), self.names.new()
            value = exp.alias_(exp.Paren(this=test.copy()), flag, quoted=True)
            test.replace(column(flag, name))
            read = {
                c.name: exp.alias_(c.copy(), c.name, quoted=True)
                for child in self.select.iter_expressions()
                for c in own_columns(child, {name})
                if c.name != flag
            }
            inner = exp.Select(expressions=[*read.values(), value], from_=exp.From(this=source.copy()))
            found[name] = derived(inner, name)
            source.replace(found[name])
            self.made.append(inner)

    def _filled(self, join: exp.Join) -> set[str]:
        """Return the tables that joins before this one fill with NULLs."""
        seen, filled = {sources(self.select)[0].alias_or_name}, set()
        for one in self.select.args["joins"]:
            if one is join:
                break
            side = one.side.upper()
            filled |= seen if side in ("RIGHT", "FULL") else set()
            seen.add(one.this.alias_or_name)
            filled |= {one.this.alias_or_name} if side in ("LEFT", "FULL") else set()
        return filled

    def _laterals(self) -> None:
        """Join a query in FROM that reads the tables before it by what it reads."""
        select = self.select
        joins: list[exp.Join] = select.args.get("joins") or []
        for place, join in enumerate(joins):
            inner = join.this.this if isinstance(join.this, exp.Lateral) else join.this
            alias = join.this.args.get("alias")
            if not isinstance(inner, exp.Subquery) or not isinstance(alias, exp.TableAlias):
                continue
            before: dict[str, Any] = {"from_": select.args.get("from_"), "joins": joins[:place]}
            tables = source_names(exp.Select(**before))
            query = _unwrapped(exp.Subquery(this=inner.this))
            if not any(True for _ in own_columns(query, tables)):
                if isinstance(join.this, exp.Lateral):
                    join.set("this", exp.Subquery(this=query, alias=alias))
                continue
            self._cross()
            where = select.args.get("where")
            known = [
                part.copy()
                for part in conjuncts(where.this if where else None)
                if not contains_query(part) and all(c.table in tables for c in part.find_all(exp.Column))
            ]
            if known:
                before["where"] = exp.Where(this=conjoin(known))
            made = dependent(query, {part: arg for part, arg in before.items() if arg}, self.names)
            if made is None or join.side.upper() not in ("", "LEFT") or join.kind.upper() not in ("", "INNER", "CROSS"):
                continue
            for column_, output in zip(alias.columns, made.rows.selects[len(made.keys) :], strict=False):
                output.set("alias", exp.to_identifier(column_.name, quoted=True))
            same = same_row(made.outside, [column(key, alias.name) for key in made.keys])
            on = join.args.get("on")
            join.set("this", derived(made.rows, alias.name))
            join.set("kind", None)
            join.set("on", conjoin([*conjuncts(on), same]))
            self.made.append(made.rows)

    def _outer(self, query: exp.Query) -> set[str]:
        """Return the names of tables outside that a subquery sees: its own hide those of the same name."""
        own = source_names(query) if isinstance(query, exp.Select) else set()
        return source_names(self.select) - own

    def _dependent(self, query: exp.Query) -> Dependent | None:
        return dependent(query, {part: arg for part, arg in self.rows.items() if arg}, self.names)

    def _join(self, query: exp.Query, name: str, kind: str, on: exp.Expr | None, side: str = "") -> None:
        self.select.append("joins", exp.Join(this=derived(query, name), side=side or None, kind=kind or None, on=on))
        self.made.append(query)

    # ---- EXISTS and IN -------------------------------------------------------------------------------------------

    def _filtering(self, part: exp.Expr) -> bool:
        """Make a condition that keeps or drops rows by a subquery a join; tell whether that was possible."""
        negated = False
        while isinstance(part, (exp.Not, exp.Paren)):
            negated ^= isinstance(part, exp.Not)
            part = part.this
        if isinstance(part, exp.Exists):
            return self._exists(_unwrapped(part.this), negated)
        if isinstance(part, exp.In) and part.args.get("query"):
            return self._in(part.this, _unwrapped(part.args["query"]), negated)
        return False

    def _exists(self, query: exp.Query, negated: bool) -> bool:
        query = _any_row(query)
        name = self.names.new()
        parts = self._parts(query, name, [])
        if parts is None:
            return False
        inner, on, _ = parts
        if not inner.expressions:
            inner.set("expressions", [exp.alias_(exp.true(), self.names.new(), quoted=True)])
        if not on:
            inner.set("limit", exp.Limit(expression=exp.Literal.number(1)))
        self._join(inner, name, "ANTI" if negated else "SEMI", conjoin(on) or exp.true(), "LEFT")
        return True

    def _in(self, value: exp.Expr, query: exp.Query, negated: bool) -> bool:
        values = value.unnest().expressions if isinstance(value.unnest(), exp.Tuple) else [value]
        if any(contains_query(v) for v in values) or len(query.selects) != len(values):
            return False
        name = self.names.new()
        parts = self._parts(query, name, [s.unalias() for s in query.selects])
        if parts is None:
            return False
        inner, on, found = parts
        equal = [exp.EQ(this=_paren(a), expression=b) for a, b in zip(values, found, strict=True)]
        if not negated:
            self._join(inner, name, "SEMI", conjoin([*equal, *on]), "LEFT")
            return True
        if len(values) > 1:
            # Rows are compared value by value: one that may be equal is enough.
            every = exp.Paren(this=conjoin(equal))
            self._join(inner, name, "ANTI", conjoin([exp.func("coalesce", every, exp.true()), *on]), "LEFT")
            return True
        # x NOT IN (...) holds for no x where the rows have a NULL, and for a NULL only where there are no rows.
        unknown = [
            exp.Is(this=found[0].copy(), expression=exp.Null()),
            exp.Is(this=_paren(value), expression=exp.Null()),
        ]
        for position, test in enumerate([equal[0], *unknown]):
            rows, own = (inner, name) if position == 0 else (inner.copy(), self.names.new())
            condition = conjoin([test.copy(), *(c.copy() for c in on)])
            assert condition is not None
            for needed in list(own_columns(condition, {name})):
                needed.set("table", exp.to_identifier(own, quoted=True))
            if position and not on:
                # One such row is enough.
                if position == 1:
                    source = rows.selects[0].unalias()
                    null = exp.Is(this=_paren(source), expression=exp.Null())
                    rows = _filtered(rows, null, self.names)
                rows = exp.Select(
                    expressions=[
                        exp.alias_(column(s.alias_or_name, own), s.alias_or_name, quoted=True) for s in rows.selects
                    ],
                    from_=exp.From(this=derived(rows, own)),
                    limit=exp.Limit(expression=exp.Literal.number(1)),
                )
            self._join(rows, own, "ANTI", condition, "LEFT")
        return True

    def _parts(
        self, query: exp.Query, name: str, outputs: list[exp.Expr]
    ) -> tuple[exp.Select, list[exp.Expr], list[exp.Column]] | None:
        """Return a subquery's rows without what it reads from outside, the conditions that join them, its outputs."""
        apart = self._apart(query, name, outputs)
        if apart is not None:
            return apart
        made = self._dependent(query)
        if made is None:
            return None
        own = self.names.new()
        named = [*made.keys, *(made.outputs() if outputs else [])]
        inner = exp.Select(
            expressions=[exp.alias_(column(n, own), n, quoted=True) for n in named],
            from_=exp.From(this=derived(made.rows, own)),
        )
        found = [column(n, name) for n in named[len(made.keys) :]]
        return inner, [same_row(made.outside, [column(key, name) for key in made.keys])], found

    def _apart(
        self, query: exp.Query, name: str, outputs: list[exp.Expr]
    ) -> tuple[exp.Select, list[exp.Expr], list[exp.Column]] | None:
        """Return the same, where the conditions of the subquery itself join it."""
        outer = self._outer(query)
        if not isinstance(query, exp.Select) or not _is_plain(query):
            if any(True for _ in own_columns(query, outer)) or query.args.get("with_"):
                return None
            own = self.names.new()
            renamed = [s.alias_or_name for s in query.selects]
            if outputs and not all(renamed):
                return None
            inner = exp.Select(
                expressions=[exp.alias_(column(o, own), o, quoted=True) for o in renamed],
                from_=exp.From(this=derived(query.copy(), own)),
            )
            return inner, [], [column(o, name) for o in renamed]
        local: list[exp.Expr] = []
        joining: list[exp.Expr] = []
        for part in conjuncts(query.args["where"].this if query.args.get("where") else None):
            (joining if any(True for _ in own_columns(part, outer)) else local).append(part)
        if any(contains_query(part) for part in joining):
            return None
        inner = exp.Select(from_=query.args["from_"].copy() if query.args.get("from_") else None)
        for join in query.args.get("joins") or ():
            inner.append("joins", join.copy())
        condition = conjoin([part.copy() for part in local])
        if condition is not None:
            inner.set("where", exp.Where(this=condition))
        expressions: list[exp.Expr] = []
        found: list[exp.Column] = []
        for node in outputs:
            if any(True for _ in own_columns(node, outer)):
                return None
            as_ = self.names.new()
            expressions.append(exp.alias_(node.copy(), as_, quoted=True))
            found.append(column(as_, name))
        on, known = [], {}
        tables = source_names(query)
        for part in joining:
            part = part.copy()
            for needed in list(own_columns(part, tables)):
                if identity(needed) not in known:
                    as_ = self.names.new()
                    known[identity(needed)] = as_
                    expressions.append(exp.alias_(needed.copy(), as_, quoted=True))
                new = column(known[identity(needed)], name)
                if needed is part:
                    part = new
                else:
                    needed.replace(new)
            on.append(part)
        inner.set("expressions", expressions)
        if any(
            True
            for source in (inner.args.get("from_"), *(inner.args.get("joins") or ()))
            if source
            for _ in own_columns(source, outer)
        ):
            return None
        return inner, on, found

    # ---- EXISTS and IN inside an expression ----------------------------------------------------------------------

    def _value_of(self, test: exp.Expr) -> None:
        """Write a test whose value is wanted, not only whether a row stays, with counts of rows."""
        if isinstance(test, exp.Exists):
            query = _any_row(_unwrapped(test.this))
            if isinstance(query, exp.Select) and _is_plain(query):
                query = query.copy()
                query.set("expressions", [_count()])
                query.set("distinct", None)
            else:
                query = exp.Select(expressions=[_count()], from_=exp.From(this=derived(query.copy(), self.names.new())))
            test.replace(exp.Paren(this=exp.GT(this=exp.Subquery(this=query), expression=exp.Literal.number(0))))
            return
        query, value = _unwrapped(test.args["query"]), test.this
        values = value.unnest().expressions if isinstance(value.unnest(), exp.Tuple) else [value]
        named = [s.alias_or_name for s in query.selects]
        if len(named) != len(values) or contains_query(value) or not all(named):
            return
        if len(values) > 1:
            test.replace(self._value_of_row(values, query, named))
            return

        def count(condition: Callable[[exp.Column], exp.Expr] | None) -> exp.Expr:
            name = self.names.new()
            select = exp.Select(expressions=[_count()], from_=exp.From(this=derived(query.copy(), name)))
            if condition is not None:
                select.set("where", exp.Where(this=condition(column(query.selects[0].alias_or_name, name))))
            return exp.Subquery(this=select)

        zero = exp.Literal.number(0)
        hits = exp.GT(this=count(lambda own: exp.EQ(this=own, expression=_paren(value))), expression=zero.copy())
        none = exp.EQ(this=count(None), expression=zero.copy())
        nulls = exp.GT(this=count(lambda own: exp.Is(this=own, expression=exp.Null())), expression=zero)
        unknown = exp.Or(this=exp.Is(this=_paren(value), expression=exp.Null()), expression=nulls)
        branches = [(hits, exp.true()), (none, exp.false()), (unknown, exp.Null())]
        case = exp.Case(ifs=[exp.If(this=when, true=then) for when, then in branches], default=exp.false())
        test.replace(exp.Paren(this=case))

    def _value_of_row(self, values: Sequence[exp.Expr], query: exp.Query, named: Sequence[str]) -> exp.Expr:
        """Return whether a row of values is among rows: NULL where none is equal, and one may be."""

        def count(open_: bool) -> exp.Expr:
            name = self.names.new()
            equal = conjoin(
                [exp.EQ(this=column(n, name), expression=_paren(v)) for n, v in zip(named, values, strict=True)]
            )
            test = exp.Is(this=exp.Paren(this=equal), expression=exp.Null()) if open_ else equal
            rows = exp.Select(expressions=[_count()], from_=exp.From(this=derived(query.copy(), name)))
            some = exp.GT(this=exp.Subquery(this=rows.where(test)), expression=exp.Literal.number(0))
            return exp.Paren(this=some)

        branches = [(count(False), exp.true()), (count(True), exp.Null())]
        return exp.Paren(
            this=exp.Case(ifs=[exp.If(this=when, true=then) for when, then in branches], default=exp.false())
        )

    # ---- scalar subqueries ---------------------------------------------------------------------------------------

    def _scalar(self, subquery: exp.Subquery) -> None:
        query = subquery.this
        outer = source_names(self.select)
        if not isinstance(query, exp.Query) or len(query.selects) != 1 or not isinstance(subquery.parent, exp.Expr):
            return
        if not any(True for _ in own_columns(query, outer)):
            self._once(subquery, query)
        elif not (isinstance(query, exp.Select) and _is_plain(query, may_aggregate=True)) or not self._for_each(
            subquery, query
        ):
            self._for_all(subquery, query)

    def _once(self, subquery: exp.Subquery, query: exp.Query) -> None:
        """Join the one row of a subquery that reads nothing from outside; more rows than one raise when it runs."""
        name, own, as_ = self.names.new(), self.names.new(), self.names.new()
        output = query.selects[0]
        if not output.alias_or_name or (isinstance(query, exp.Select) and not isinstance(output, exp.Column)):
            if not isinstance(query, exp.Select):
                return
            query = query.copy()
            output = query.selects[0]
            output.replace(exp.alias_(output.unalias().copy(), own + "v", quoted=True))
            output = query.selects[0]
        value = column(output.alias_or_name, own)
        rows = exp.Select(
            expressions=[exp.alias_(_single(value), as_, quoted=True)], from_=exp.From(this=derived(query.copy(), own))
        )
        self._join(rows, name, "CROSS", None)
        _stand_for(subquery, column(as_, name))

    def _for_each(self, subquery: exp.Subquery, query: exp.Select) -> bool:
        """Join a subquery's value for each key by which it reads the rows outside, where those are equalities.

        Tell whether they are.
        """
        outer = self._outer(query)
        name, value, seen = self.names.new(), self.names.new(), self.names.new()
        output = query.selects[0].unalias()
        grouped = any(True for _ in aggregates(output))
        local: list[exp.Expr] = []
        keys: list[tuple[exp.Expr, exp.Expr]] = []
        for part in conjuncts(query.args["where"].this if query.args.get("where") else None):
            if not any(True for _ in own_columns(part, outer)):
                local.append(part)
                continue
            sides = [part.this, part.expression] if isinstance(part, exp.EQ) else []
            inside = [s for s in sides if not any(True for _ in own_columns(s, outer))]
            outside = [s for s in sides if s not in inside]
            if len(inside) != 1 or any(True for s in outside for _ in own_columns(s, source_names(query))):
                return False
            if any(contains_query(s) for s in sides):
                return False
            keys.append((inside[0], outside[0]))
        if not keys or any(True for _ in own_columns(output, outer)):
            return False
        inner = exp.Select(from_=query.args["from_"].copy())
        for join in query.args.get("joins") or ():
            inner.append("joins", join.copy())
        if any(True for _ in own_columns(inner, outer)):
            return False
        condition = conjoin([part.copy() for part in local])
        if condition is not None:
            inner.set("where", exp.Where(this=condition))
        made = [self.names.new() for _ in keys]
        inner.set(
            "expressions",
            [
                *(exp.alias_(k.copy(), as_, quoted=True) for (k, _), as_ in zip(keys, made, strict=True)),
                exp.alias_(output.copy() if grouped else exp.First(this=output.copy()), value, quoted=True),
                exp.alias_(exp.Count(this=exp.Star(), big_int=True), seen, quoted=True),
            ],
        )
        inner.set("group", exp.Group(expressions=[k.copy() for k, _ in keys]))
        on = [exp.EQ(this=column(as_, name), expression=_paren(k)) for (_, k), as_ in zip(keys, made, strict=True)]
        self._join(inner, name, "", conjoin(on), "LEFT")
        count = column(seen, name)
        if grouped:
            ifs = [exp.If(this=exp.Is(this=count, expression=exp.Null()), true=over_nothing(output))]
        else:
            ifs = [exp.If(this=exp.GT(this=count, expression=exp.Literal.number(1)), true=_too_many())]
        _stand_for(subquery, exp.Paren(this=exp.Case(ifs=ifs, default=column(value, name))))
        return True

    def _for_all(self, subquery: exp.Subquery, query: exp.Query) -> None:
        """Join a subquery's value for all that it reads of the rows outside."""
        made = self._dependent(query)
        if made is None:
            return
        name = self.names.new()
        (value,) = made.outputs()
        rows, test = made.rows, None
        if not made.total:
            own, one, seen = self.names.new(), self.names.new(), self.names.new()
            rows = exp.Select(
                expressions=[
                    *(exp.alias_(column(key, own), key, quoted=True) for key in made.keys),
                    exp.alias_(exp.First(this=column(value, own)), one, quoted=True),
                    exp.alias_(_count(), seen, quoted=True),
                ],
                from_=exp.From(this=derived(rows, own)),
                group=exp.Group(expressions=[column(key, own) for key in made.keys]),
            )
            test, value = exp.GT(this=column(seen, name), expression=exp.Literal.number(1)), one
        self._join(rows, name, "", same_row(made.outside, [column(key, name) for key in made.keys]), "LEFT")
        found: exp.Expr = column(value, name)
        if test is not None:
            found = exp.Paren(this=exp.Case(ifs=[exp.If(this=test, true=_too_many())], default=found))
        _stand_for(subquery, found)


def _stand_for(subquery: exp.Subquery, value: exp.Expr) -> None:
    """Put a value where a subquery stands, under the name that it has."""
    subquery.replace(exp.alias_(value, subquery.alias, quoted=True) if subquery.alias else value)


def _unwrapped(node: exp.Expr) -> exp.Query:
    while isinstance(node, exp.Subquery) and not node.alias:
        node = node.this
    return node  # type: ignore[return-value]


def _any_row(query: exp.Query) -> exp.Query:
    """Return a query without the order and the limit that do not matter to EXISTS."""
    limit = query.args.get("limit")
    some = limit is None or (isinstance(limit.expression, exp.Literal) and limit.expression.name != "0")
    if some and not query.args.get("offset"):
        query = query.copy()
        query.set("limit", None)
        if not (query.args.get("distinct") and query.args["distinct"].args.get("on")):
            query.set("order", None)
    return query


def _paren(node: exp.Expr) -> exp.Expr:
    return node.copy() if isinstance(node, (exp.Column, exp.Paren)) else exp.Paren(this=node.copy())


def _outermost(node: exp.Expr) -> list[exp.Subquery]:
    """Return the scalar subqueries of an expression, none of them inside another query."""
    if isinstance(node, exp.Subquery):
        return [node]
    if isinstance(node, (exp.Exists, exp.Query)) or (isinstance(node, exp.In) and node.args.get("query")):
        return []
    return [found for child in node.iter_expressions() for found in _outermost(child)]


def _tests(node: exp.Expr) -> list[exp.Expr]:
    """Return the EXISTS and IN over queries in an expression, none of them inside another query."""
    if isinstance(node, exp.Exists) or (isinstance(node, exp.In) and node.args.get("query")):
        return [node]
    if isinstance(node, exp.Query):
        return []
    return [found for child in node.iter_expressions() for found in _tests(child)]


def _count() -> exp.Expr:
    return exp.Count(this=exp.Star(), big_int=True)


# The clauses of a subquery that can be taken apart.
PLAIN = frozenset({"expressions", "from_", "joins", "where", "kind", "distinct"})


def _is_plain(query: exp.Select, *, may_aggregate: bool = False) -> bool:
    held = {key for key, arg in query.args.items() if arg}
    if not held <= PLAIN or (may_aggregate and "distinct" in held) or "from_" not in held:
        return False
    if (query.args.get("distinct") or exp.Distinct()).args.get("on"):
        return False
    if any(s.find(exp.Window) for s in query.selects):
        return False
    return may_aggregate or not any(True for s in query.selects for _ in aggregates(s))


def _filtered(query: exp.Select, condition: exp.Expr, names: Names) -> exp.Select:
    """Return a SELECT of expressions over rows, with a condition more."""
    return query.where(condition, copy=True)


def _too_many() -> exp.Expr:
    message = "More than one row returned by a subquery used as an expression"
    return exp.Anonymous(this="error", expressions=[exp.Literal.string(message)])


def _single(value: exp.Expr) -> exp.Expr:
    many = exp.GT(this=exp.Count(this=exp.Star(), big_int=True), expression=exp.Literal.number(1))
    return exp.Case(ifs=[exp.If(this=many, true=_too_many())], default=exp.First(this=value))
