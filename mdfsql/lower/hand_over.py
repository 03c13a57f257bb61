"""Expressions as templates that the reference computes inside each partition."""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from mdfsql.lower.explode_to_joins import SPREAD
from mdfsql.lower.shapes import aggregates, column, conjoin, conjuncts, contains_query, identity, queries, sources

__all__ = ["hand_over"]

ONE_ROW = "one_row"

# A partition's columns are called so: a lambda's parameter of such a name would hide one.
CAPTURED = re.compile(r"c\d+", re.IGNORECASE)

# The column that every source has beside its own.
DUMMY = "_"


def hand_over(tree: exp.Expr) -> exp.Expr:
    """Expressions are handed to DuckDB inside each partition: dask-sql's own differ for NULL, NaN, text and dates.

    duckdb('"$1" + 1', x) computes a value, duckdb_is(...) a condition, duckdb_agg(...) an aggregate or a window. Joins
    by equal columns, grouping, order and limits stay dask-sql's to plan.
    """
    shared = {cte.alias: cte.this for cte in tree.find_all(exp.CTE)}
    for query in list(queries(tree)):
        if isinstance(query, exp.Select):
            _Handing(query, shared).run()
    return tree


class _Handing:
    def __init__(self, select: exp.Select, shared: dict[str, exp.Query]) -> None:
        self.select, self.shared = select, shared

    def run(self) -> None:
        select = self.select
        if select.args.get("from_") is None:
            select.set("from_", exp.From(this=exp.to_table(ONE_ROW)))
        select.set("expressions", [self._output(p) for p in select.expressions])
        where = select.args.get("where")
        if where is not None:
            where.set("this", conjoin([self._condition(part) for part in conjuncts(where.this)]))
        group = select.args.get("group")
        if group is not None:
            group.set("expressions", [self._value(key) for key in group.expressions])
        seen = {sources(select)[0].alias_or_name}
        for join in select.args.get("joins") or ():
            self._join(join, seen)
            seen.add(join.this.alias_or_name)

    def _output(self, projection: exp.Expr) -> exp.Expr:
        name, node = projection.alias_or_name, projection.unalias()
        if isinstance(node, exp.Window):
            made: exp.Expr = exp.Window(this=self._call("duckdb_agg", node), over="OVER")
        elif any(True for _ in aggregates(node)):
            made = self._call("duckdb_agg", node)
        else:
            made = self._value(node)
        return exp.alias_(made, name, quoted=True)

    def _value(self, node: exp.Expr) -> exp.Expr:
        return node if isinstance(node, exp.Column) else self._call("duckdb", node)

    def _condition(self, part: exp.Expr) -> exp.Expr:
        # An equality of columns of two tables is a join that dask-sql must see.
        sides = (part.this, part.expression) if isinstance(part, exp.EQ) else ()
        if sides and all(isinstance(s, exp.Column) for s in sides) and sides[0].table != sides[1].table:
            return part
        return self._call("duckdb_is", part)

    def _join(self, join: exp.Join, seen: set[str]) -> None:
        if join.kind in ("SEMI", "ANTI"):
            join.set("side", "LEFT")
        on = join.args.get("on")
        if on is None:
            return
        own = {join.this.alias_or_name}
        parts = []
        for part in conjuncts(on):
            sides = [part.this, part.expression] if isinstance(part, exp.EQ) else []
            tables = [{c.table for c in side.find_all(exp.Column)} for side in sides]
            if (
                sides
                and all(tables)
                and (tables[0] <= own) != (tables[1] <= own)
                and not own & tables[tables[0] <= own]
            ):
                part = exp.EQ(this=self._value(sides[0].unnest()), expression=self._value(sides[1].unnest()))
            elif isinstance(part, exp.Anonymous) and part.name == SPREAD:
                part.set("expressions", [self._value(part.expressions[0]), part.expressions[1]])
            else:
                part = self._call("duckdb_is", part, join.this)
            parts.append(part)
        join.set("on", conjoin(parts))

    def _call(self, name: str, node: exp.Expr, source: exp.Expr | None = None) -> exp.Expr:
        """Return a node as a call with its text and its columns, or as it is where a query is left in it."""
        if contains_query(node):
            return node
        if any(CAPTURED.fullmatch(p.name) for found in node.find_all(exp.Lambda) for p in found.expressions):
            return node
        body = node.copy()
        arguments: dict[int, exp.Column] = {}
        numbers: dict[int, str] = {}
        for found in list(body.find_all(exp.Column)):
            same = identity(found)
            if same not in arguments:
                arguments[same] = found.copy()
                numbers[same] = str(len(arguments))
            # Quoted, since a bare $ may begin a string in the reference's dialect.
            hole: exp.Expr = exp.column(f"${numbers[same]}", quoted=True)
            if isinstance(found.parent, exp.Dot):
                # A part of a struct, not a column of a table.
                hole = exp.Paren(this=hole)
            if found is body:
                body = hole
            else:
                found.replace(hole)
        for part in body.walk():
            # The reference writes a tree without types; with them, some functions are written in another way.
            part.type = None
        text = body.sql("duckdb", comments=False)
        if _again(text) != text:
            # Written from the text that is read again, it would be another expression.
            return node
        if not arguments and name != "duckdb_agg":
            dummy = self._dummy(source or sources(self.select)[0])
            arguments[0] = dummy
        return exp.Anonymous(this=name, expressions=[exp.Literal.string(text), *arguments.values()])

    def _dummy(self, source: exp.Expr) -> exp.Column:
        """Return any column: dask-sql tries to compute a call without columns while it plans."""
        query = source.this if isinstance(source, exp.Subquery) else self.shared.get(source.name)
        if isinstance(query, exp.Query):
            alias = source.args.get("alias")
            named = alias.columns if isinstance(alias, exp.TableAlias) else []
            return column(named[0].name if named else query.selects[0].alias_or_name, source.alias_or_name)
        return column(DUMMY, source.alias_or_name)


def _again(text: str) -> str | None:
    try:
        return sqlglot.parse_one(text, read="duckdb").sql("duckdb")
    except SqlglotError:
        return None
