"""Grouping, windows and order, each in a SELECT of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlglot import exp

from mdfsql.lower.shapes import (
    Names,
    aggregates,
    column,
    derived,
    identity,
    is_fixed,
    outer_columns,
    own_columns,
    queries,
    source_names,
    windows,
)
from mdfsql.trees import copied

__all__ = ["grouping_keys", "keys_of_all", "split_query", "split_selects"]


def split_selects(tree: exp.Expr) -> exp.Expr:
    """GROUP BY, windows and ORDER BY run over columns, not expressions, so each gets a SELECT of its own.

    SELECT f(sum(x)) FROM t GROUP BY k HAVING ... ORDER BY g(k) becomes three SELECTs, one inside the other.
    """
    names = Names(tree, "_s")
    holder = exp.Subquery(this=tree)
    for query in list(queries(tree)):
        split_query(query, names)
    return holder.this.pop()


def split_query(query: exp.Query, names: Names) -> None:
    """Split one SELECT, or the ORDER BY of one set operation, in place."""
    if isinstance(query, exp.SetOperation):
        _split_set_operation(query, names)
    elif isinstance(query, exp.Select):
        _Split(query, names).run()


def _become(query: exp.Query, other: exp.Select) -> None:
    """Make a query another one, in place; the common table expressions stay outermost."""
    with_ = query.args.get("with_")
    if isinstance(query, exp.Select):
        for key in list(query.args):
            query.set(key, None)
        for key, arg in other.args.items():
            query.set(key, arg)
        query.set("with_", with_)
    else:
        other.set("with_", with_)
        query.replace(other)


def _split_set_operation(query: exp.SetOperation, names: Names) -> None:
    order, limit, offset = (query.args.get(key) for key in ("order", "limit", "offset"))
    if not (order or limit or offset) or query.parent is None:
        return
    for key in ("order", "limit", "offset"):
        query.set(key, None)
    outer = exp.Select()
    _become(query, outer)
    query.set("with_", None)
    name = names.new()
    outputs = [s.alias_or_name for s in query.selects]
    outer.set("from_", exp.From(this=derived(query, name)))
    outer.set("expressions", [exp.alias_(column(o, name), o, quoted=True) for o in outputs])
    for key in order.expressions if order else ():
        this = key.this
        if isinstance(this, exp.Literal) and this.is_int:
            key.set("this", column(outputs[int(this.name) - 1], name))
        for found in key.this.find_all(exp.Column):
            if not found.table:
                found.set("table", exp.to_identifier(name, quoted=True))
    outer.set("order", order)
    outer.set("limit", limit)
    outer.set("offset", offset)
    if any(not isinstance(key.this, exp.Column) for key in (order.expressions if order else ())):
        _Split(outer, names).run()


def keys_of_all(outputs: Iterable[exp.Expr]) -> list[exp.Expr]:
    """Return what GROUP BY ALL groups by: a constant is no key of it."""
    return [copied(node) for node in outputs if not any(True for _ in aggregates(node)) and outer_columns(node)]


def grouping_keys(group: exp.Group) -> list[exp.Expr]:
    """Return the keys of GROUP BY, each once: those of all sets, where GROUPING SETS are written as tuples."""
    found = []
    for key in group.expressions:
        sets = key.expressions if isinstance(key, exp.GroupingSets) else [exp.Tuple(expressions=[copied(key)])]
        found += [one for keys in sets for one in keys.expressions]
    return list({identity(one): one for one in found}.values())


class _Split:
    """One SELECT: what it puts out, and the FROM clause that it is computed over so far."""

    def __init__(self, select: exp.Select, names: Names) -> None:
        self.select, self.names = select, names
        self.outputs = [(p.alias_or_name, p.unalias()) for p in select.expressions]
        self.order: list[exp.Ordered] = list(select.args["order"].expressions) if select.args.get("order") else []
        qualify = select.args.get("qualify")
        self.qualify: exp.Expr | None = qualify.this if qualify else None
        self.rows = {key: select.args.get(key) for key in ("from_", "joins", "where", "laterals")}
        self.changed = False

    def run(self) -> None:
        select = self.select
        group = select.args.get("group")
        if group and group.args.get("all") is True:
            keys = keys_of_all(node for _, node in self.outputs)
            group = exp.Group(expressions=keys) if keys else None
        if group and any(v for k, v in group.args.items() if k != "expressions"):
            return
        self._named_windows()
        if len(self.order) == 1 and self.order[0].this.sql("duckdb") == "ALL":
            (every,) = self.order
            self.order = [copied(every) for _ in self.outputs]
            for key, (_, node) in zip(self.order, self.outputs, strict=True):
                key.set("this", copied(node))
        aliases = dict(self.outputs)
        for key in self.order:
            key.set("this", _without_aliases(key.this, aliases))
        if self.qualify is not None:
            self.qualify = _without_aliases(self.qualify, aliases)
        # A key that stands twice orders nothing the second time, and dask-sql takes a name once.
        known = [identity(key.this) for key in self.order]
        self.order = [key for place, key in enumerate(self.order) if known.index(known[place]) == place]
        self._distinct_on()
        self._aggregate(group)
        self._windows()
        self._finish()

    # ---- expressions over the rows so far ------------------------------------------------------------------------

    def _change(self, change: Callable[[exp.Expr], exp.Expr]) -> None:
        """Rewrite all that is still to be computed."""
        self.outputs = [(name, change(node)) for name, node in self.outputs]
        self.qualify = change(self.qualify) if self.qualify is not None else None
        for key in self.order:
            key.set("this", change(key.this))

    def _pending(self) -> Iterable[exp.Expr]:
        yield from (node for _, node in self.outputs)
        if self.qualify is not None:
            yield self.qualify
        yield from (key.this for key in self.order)

    def _wrap(self, inner: exp.Select, name: str, where: exp.Expr | None) -> None:
        self.rows = {"from_": exp.From(this=derived(inner, name))}
        if where is not None:
            self.rows["where"] = exp.Where(this=where)
        self.changed = True

    def _named_windows(self) -> None:
        """Write out OVER w, which the WINDOW clause says."""
        known = {window.name: window for window in self.select.args.get("windows") or ()}
        places = list(self._pending()) if known else []
        for window in [w for node in places for w in node.find_all(exp.Window)]:
            named = known.get(window.alias)
            while named is not None:
                for key in ("partition_by", "order", "spec"):
                    if not window.args.get(key) and named.args.get(key):
                        arg = named.args[key]
                        window.set(key, [copied(a) for a in arg] if isinstance(arg, list) else copied(arg))
                window.set("alias", None)
                named = known.get(named.alias)
        if known:
            self.changed = True

    def _distinct_on(self) -> None:
        distinct = self.select.args.get("distinct")
        if distinct is None or distinct.args.get("on") is None:
            return
        aliases = dict(self.outputs)
        keys = [_without_aliases(key, aliases) for key in distinct.args["on"].expressions]
        number = exp.Window(this=exp.RowNumber(), partition_by=keys, over="OVER")
        if self.order:
            number.set("order", exp.Order(expressions=[copied(key) for key in self.order]))
        first = exp.EQ(this=number, expression=exp.Literal.number(1))
        self.qualify = first if self.qualify is None else exp.and_(self.qualify, first)
        self.select.set("distinct", None)

    def _aggregate(self, group: exp.Group | None) -> None:
        having = self.select.args.get("having")
        having = _without_aliases(having.this, dict(self.outputs)) if having else None
        found = [a for node in [*self._pending(), *([having] if having else [])] for a in aggregates(node)]
        if group is None and not found and having is None:
            return
        name = self.names.new()
        keys = grouping_keys(group) if group else []
        computed: dict[int, exp.Column] = {}
        outputs: list[exp.Expr] = []
        for node in [*keys, *found]:
            if identity(node) not in computed:
                as_ = self.names.new()
                computed[identity(node)] = _stand_in(as_, name, node)
                outputs.append(exp.alias_(copied(node), as_, quoted=True))

        def change(node: exp.Expr) -> exp.Expr:
            return _replaced(node, computed)

        if not outputs:
            # HAVING alone: one group of all rows.
            outputs.append(exp.alias_(exp.Count(this=exp.Star(), big_int=True), self.names.new(), quoted=True))
        inner = exp.Select(expressions=outputs, **self.rows)
        if group and group.expressions:
            inner.set("group", exp.Group(expressions=[copied(key) for key in group.expressions]))
        self._change(change)
        self._wrap(inner, name, change(having) if having is not None else None)

    def _windows(self) -> None:
        while True:
            found = [w for node in self._pending() for w in windows(node)]
            if not found:
                break
            together = _partition(found[0])
            now = {identity(w): w for w in found if _partition(w) == together}
            name = self.names.new()
            computed: dict[int, exp.Column] = {}
            outputs: list[exp.Expr] = []

            def take(node: exp.Expr) -> None:
                if identity(node) not in computed:  # noqa: B023 - called at once
                    as_ = self.names.new()
                    computed[identity(node)] = _stand_in(as_, name, node)  # noqa: B023
                    outputs.append(exp.alias_(copied(node), as_, quoted=True))  # noqa: B023

            tables = source_names(exp.Select(**self.rows).copy())
            for node in self._pending():
                rest = _replaced(copied(node), {same: _stand_in("_", "", w) for same, w in now.items()})
                for needed in own_columns(rest, tables):
                    take(needed)
            for window in now.values():
                take(window)
            inner = exp.Select(expressions=outputs, **self.rows)
            self._change(lambda node: _replaced(node, computed))  # noqa: B023 - called at once
            self._wrap(inner, name, None)
        if self.qualify is not None:
            self.rows["where"] = exp.Where(this=self.qualify)
            self.changed = True

    def _finish(self) -> None:
        limit, offset = self.select.args.get("limit"), self.select.args.get("offset")
        distinct = self.select.args.get("distinct")
        if not self.changed and not self.order and not _is_zero(limit):
            return
        outputs = [exp.alias_(node, name, quoted=True) for name, node in self.outputs]
        known = {identity(node): name for name, node in reversed(self.outputs)}
        hidden: dict[int, str] = {}
        for key in self.order:
            same = identity(key.this)
            if same not in known and same not in hidden:
                hidden[same] = self.names.new()
                outputs.append(exp.alias_(copied(key.this), hidden[same], quoted=True))
        result = exp.Select(expressions=outputs, distinct=distinct, **self.rows)
        if self.order or _is_zero(limit):
            name = self.names.new()
            keys = [
                exp.Ordered(
                    this=column((known | hidden)[identity(key.this)], name),
                    desc=key.args.get("desc"),
                    nulls_first=key.args.get("nulls_first"),
                )
                for key in self.order
            ]
            result = exp.Select(
                expressions=[exp.alias_(column(o, name), o, quoted=True) for o, _ in self.outputs],
                from_=exp.From(this=derived(result, name)),
            )
            if keys:
                result.set("order", exp.Order(expressions=keys))
        if _is_zero(limit):
            # dask-sql takes a limit of 0 for no limit.
            result.set("where", exp.Where(this=exp.false()))
        else:
            result.set("limit", limit)
            result.set("offset", offset)
        _become(self.select, result)


# Under this key a column keeps what it stands for.
OF = "mdf_of"


def _stand_in(name: str, table: str, node: exp.Expr) -> exp.Column:
    made = column(name, table)
    made.meta[OF] = copied(node)
    return made


def _is_zero(limit: exp.Expr | None) -> bool:
    return isinstance(limit, exp.Limit) and limit.expression.sql("duckdb") == "0"


def _partition(window: exp.Window) -> tuple[int, ...]:
    return tuple(identity(key) for key in window.args.get("partition_by") or ())


def _without_aliases(node: exp.Expr, aliases: dict[str, exp.Expr]) -> exp.Expr:
    """Return an expression in which the names of output columns stand for what they are computed from."""

    def change(part: exp.Expr) -> exp.Expr:
        if isinstance(part, exp.Column) and not part.table and part.name in aliases:
            value = copied(aliases[part.name])
            return value if isinstance(value, exp.Column) or part is node else exp.Paren(this=value)
        return part

    return node.transform(change)


def _replaced(node: exp.Expr, columns: dict[int, exp.Column]) -> exp.Expr:
    """Return an expression in which what is computed already is read from a column."""
    found = columns.get(identity(node)) if columns else None
    if found is not None:
        return copied(found)
    if isinstance(node, exp.Select) and columns:
        # A query inside has aggregates of its own, and its tables hide those of the same name outside.
        hidden = source_names(node)
        columns = {
            same: value
            for same, value in columns.items()
            if not any(True for _ in aggregates(value.meta[OF]))
            and not any(c.table in hidden for c in value.meta[OF].find_all(exp.Column))
        }
    for child in list(node.iter_expressions()):
        new = child if is_fixed(child) else _replaced(child, columns)
        if new is not child:
            child.replace(new)
    return node
