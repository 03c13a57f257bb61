"""Random queries: projections, conditions, joins, groups, windows, set operations, subqueries, in one another."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlglot import exp

from tests.generator.tables import Column, Table
from tests.generator.templates import templates

__all__ = ["Query", "Writer"]


class Query(NamedTuple):
    """A query's text, and the kinds of its outputs by name."""

    sql: str
    outputs: tuple[Column, ...]


# An aggregate with holes: {x} of the kinds that follow, {id} for what orders the rows, and the kind that it gives.
ANY = ("int", "DOUBLE", "DECIMAL", "VARCHAR", "DATE", "TIMESTAMP", "BOOLEAN")
NUMBERS = ("int", "DOUBLE", "DECIMAL")
SAME = ""
AGGREGATES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("count(*)", ("int",), "int"),
    ("count({x})", ANY, "int"),
    ("count(DISTINCT {x})", ANY, "int"),
    ("sum({x})", ("int",), "HUGEINT"),
    ("sum({x})", ("DOUBLE",), "DOUBLE"),
    ("sum({x})", ("DECIMAL",), "DECIMAL"),
    ("avg({x})", NUMBERS, "DOUBLE"),
    ("min({x})", ANY, SAME),
    ("max({x})", ANY, SAME),
    ("bool_and({x})", ("BOOLEAN",), "BOOLEAN"),
    ("bool_or({x})", ("BOOLEAN",), "BOOLEAN"),
    ("count_if({x})", ("BOOLEAN",), "int"),
    ("stddev_samp({x})", ("int",), "DOUBLE"),
    ("var_pop({x})", ("int",), "DOUBLE"),
    ("median({x})", ("int", "DOUBLE"), "DOUBLE"),
    ("quantile_cont({x}, 0.25)", ("int", "DOUBLE"), "DOUBLE"),
    ("string_agg({x}, ',' ORDER BY {id})", ("VARCHAR",), "VARCHAR"),
    ("list({x} ORDER BY {id})", ("int", "VARCHAR"), "list"),
    ("arg_min({x}, {id})", ANY, SAME),
    ("arg_max({x}, {id})", ANY, SAME),
    ("first({x} ORDER BY {id})", ANY, SAME),
    ("any_value({x} ORDER BY {id})", ANY, SAME),
)
RANKS = ("row_number()", "rank()", "dense_rank()", "percent_rank()", "cume_dist()", "ntile(3)")
SHIFTS = ("lag({x})", "lead({x})", "lag({x}, 2)", "first_value({x})", "last_value({x})", "nth_value({x}, 2)")
OVER = ("count(*)", "count({x})", "min({x})", "max({x})")
FRAMES = (
    "",
    " ROWS BETWEEN 1 PRECEDING AND CURRENT ROW",
    " ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING",
    " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
    " ROWS BETWEEN CURRENT ROW AND 2 FOLLOWING",
    " RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
    " RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING",
)
JOINS = ("JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN")
SETS = ("UNION ALL", "UNION", "INTERSECT", "EXCEPT", "UNION ALL", "INTERSECT ALL", "EXCEPT ALL")
COMPARED = ("=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM")
CONSTANTS = {
    "int": ("0", "1", "-3", "7", "NULL"),
    "DOUBLE": ("0.5::DOUBLE", "-1e3", "'nan'::DOUBLE"),
    "DECIMAL": ("1.25", "-0.50"),
    "VARCHAR": ("''", "'a'", "'é👍'", "'it''s'"),
    "BOOLEAN": ("true", "false", "NULL::BOOLEAN"),
    "DATE": ("DATE '2024-02-29'",),
    "TIMESTAMP": ("TIMESTAMP '2023-12-31 23:59:59'",),
}


class Scope(NamedTuple):
    """What a SELECT reads: the FROM clause, the columns by the names that reach them, and what numbers the rows."""

    source: str
    columns: tuple[Column, ...]
    order: str


class Writer:
    """Writes queries over tables; the same random numbers give the same queries."""

    def __init__(self, rng: random.Random, tables: Sequence[Table]) -> None:
        self.rng, self.tables = rng, tables

    def query(self, depth: int = 2) -> Query:
        """Return a query."""
        shapes = [self.plain, self.plain, self.grouped, self.grouped, self.windowed]
        if depth:
            shapes += [self.compound, self.within]
        return self.rng.choice(shapes)(depth)

    def plain(self, depth: int) -> Query:
        scope = self.scope(depth)
        made = self.outputs(self.items(scope, self.rng.randint(2, 5)))
        distinct = "DISTINCT " if self.rng.random() < 0.2 else ""
        sql = f"SELECT {distinct}{listed(made)} FROM {scope.source}{self.where(scope, depth)}"
        return self.limited(Query(sql, names(made)))

    def grouped(self, depth: int) -> Query:
        scope, rng = self.scope(depth), self.rng
        keys = [
            (self.expression(scope, kind, 1), kind)
            for kind in rng.sample(("int", "VARCHAR", "BOOLEAN"), rng.randint(0, 2))
        ]
        made = self.outputs([*keys, *(self.aggregate(scope) for _ in range(rng.randint(1, 4)))])
        places = ", ".join(str(i) for i in range(1, len(keys) + 1))
        group = f" GROUP BY {places}" if keys else ""
        having = f" HAVING count(*) {rng.choice(('>', '<'))} {rng.randint(0, 3)}" if rng.random() < 0.2 else ""
        return self.limited(
            Query(f"SELECT {listed(made)} FROM {scope.source}{self.where(scope, depth)}{group}{having}", names(made))
        )

    def windowed(self, depth: int) -> Query:
        scope, rng = self.scope(depth), self.rng
        found = self.items(scope, rng.randint(1, 3))
        for _ in range(rng.randint(1, 3)):
            form, kind = rng.choice((*RANKS, *SHIFTS, *OVER)), rng.choice(ANY)
            part = (
                f"PARTITION BY {self.expression(scope, rng.choice(('int', 'VARCHAR')), 0)} "
                if rng.random() < 0.6
                else ""
            )
            frame = rng.choice(FRAMES) if form not in RANKS and not form.startswith(("lag", "lead")) else ""
            if "RANGE BETWEEN 1" in frame and "," in scope.order:
                frame = ""
            text = form.format(x=self.expression(scope, kind, 1))
            gives = kind if form in SHIFTS or form.startswith("m") else "int"
            found.append(
                (
                    f"{text} OVER ({part}ORDER BY {scope.order}{frame})",
                    "DOUBLE" if "_rank" in form or "cume" in form else gives,
                )
            )
        made = self.outputs(found)
        return self.limited(Query(f"SELECT {listed(made)} FROM {scope.source}{self.where(scope, depth)}", names(made)))

    def compound(self, depth: int) -> Query:
        kinds = [self.rng.choice(ANY) for _ in range(self.rng.randint(1, 3))]
        sides = []
        for _ in range(2):
            scope = self.scope(depth - 1)
            made = self.outputs([(self.expression(scope, kind, 1), kind) for kind in kinds])
            sides.append(f"SELECT {listed(made)} FROM {scope.source}{self.where(scope, 0)}")
        return self.limited(Query(f" {self.rng.choice(SETS)} ".join(sides), names(made)))

    def within(self, depth: int) -> Query:
        inner = self.query(depth - 1)
        name = f"q{depth}"
        scope = Scope(name, inner.outputs, "")
        made = self.outputs(self.items(scope, self.rng.randint(1, 3)))
        sql = f"WITH {name} AS ({inner.sql}) SELECT {listed(made)} FROM {name}{self.where(scope, 0)}"
        return Query(sql, names(made))

    def limited(self, query: Query) -> Query:
        """Order a query by all its outputs, and limit it, or do not."""
        rng = self.rng
        if rng.random() > 0.25 or any(column.kind == "list" for column in query.outputs):
            return query
        ways = ("", " DESC", " NULLS FIRST", " DESC NULLS LAST", " ASC NULLS LAST", " DESC NULLS FIRST")
        order = ", ".join(f"{i}{rng.choice(ways)}" for i in range(1, len(query.outputs) + 1))
        offset = f" OFFSET {rng.randint(0, 3)}" if rng.random() < 0.3 else ""
        sql = f"SELECT * FROM ({query.sql}) AS o ORDER BY {order} LIMIT {rng.randint(0, 8)}{offset}"
        return Query(sql, query.outputs)

    def scope(self, depth: int) -> Scope:
        rng, table = self.rng, self.rng.choice(self.tables)
        chance = rng.random()
        left = Scope(f"{table.name} AS a", qualified("a", table.columns), "a.id")
        if chance < 0.6 or not depth:
            return left
        other = rng.choice(self.tables)
        right = qualified("b", other.columns)
        join = rng.choice(JOINS)
        key = rng.choice((("k", "k"), ("id", "k"), ("g", "g")))
        condition = f"a.{key[0]} = b.{key[1]}"
        both = Scope("", (*left.columns, *right), "a.id, b.id")
        if rng.random() < 0.3:
            condition += f" AND {self.expression(both, 'BOOLEAN', 1)}"
        source = f"{left.source} {join} {other.name} AS b ON {condition}"
        return (
            Scope(source, left.columns, left.order) if join in JOINS[-2:] else Scope(source, both.columns, both.order)
        )

    def where(self, scope: Scope, depth: int) -> str:
        rng = self.rng
        if rng.random() < 0.5:
            return ""
        if not depth or rng.random() < 0.7:
            return f" WHERE {self.expression(scope, 'BOOLEAN', 2)}"
        other = rng.choice(self.tables)
        key = self.expression(scope, "int", 0)
        inner = Scope(f"{other.name} AS s", qualified("s", other.columns), "s.id")
        condition = self.where(inner, 0)
        tests = (
            f"{key} IN (SELECT s.k FROM {inner.source}{condition})",
            f"{key} NOT IN (SELECT s.k FROM {inner.source}{condition})",
            f"EXISTS (SELECT 1 FROM {inner.source} WHERE s.k = {key})",
            f"NOT EXISTS (SELECT 1 FROM {inner.source} WHERE s.k = {key})",
            f"{key} > (SELECT min(s.k) FROM {inner.source}{condition})",
            f"{key} <= (SELECT count(*) FROM {inner.source} WHERE s.k = {key})",
        )
        return f" WHERE {rng.choice(tests)}"

    def items(self, scope: Scope, count: int) -> list[tuple[str, str]]:
        kinds = [*templates(), *(column.kind for column in scope.columns)]
        return [(self.expression(scope, kind, 2), kind) for kind in self.rng.choices(kinds, k=count)]

    def outputs(self, found: Iterable[tuple[str, str]]) -> list[tuple[str, Column]]:
        return [(text, Column(f"x{i}", kind)) for i, (text, kind) in enumerate(found)]

    def aggregate(self, scope: Scope) -> tuple[str, str]:
        rng = self.rng
        form, kinds, gives = rng.choice(AGGREGATES)
        kind = rng.choice(kinds)
        if form.startswith("arg_") and "," in scope.order:
            return "count(*)", "int"  # several rows have the least id
        text = form.format(x=self.expression(scope, kind, 1), id=scope.order)
        kept = f" FILTER (WHERE {self.expression(scope, 'BOOLEAN', 1)})" if rng.random() < 0.2 else ""
        return f"{text}{kept}", gives or kind

    def expression(self, scope: Scope, kind: str, depth: int) -> str:
        """Return an expression of a kind: a column, a constant, a choice, or a case's with its holes filled."""
        rng = self.rng
        own = [column.name for column in scope.columns if column.kind == kind]
        made = templates().get(kind, [])
        chance = rng.random()
        if not depth or not made or chance < 0.2:
            return rng.choice(own) if own and rng.random() < 0.85 else self.constant(scope, kind)
        if kind == "BOOLEAN" and chance < 0.5:
            of = rng.choice(ANY)
            left, right = (self.expression(scope, of, depth - 1) for _ in range(2))
            return rng.choice(
                (f"({left} {rng.choice(COMPARED)} {right})", f"({left} IS NULL)", f"({left} IN ({right}, {left}))")
            )
        if chance < 0.3:
            test = self.expression(scope, "BOOLEAN", depth - 1)
            left, right = (self.expression(scope, kind, depth - 1) for _ in range(2))
            return rng.choice((f"CASE WHEN {test} THEN {left} ELSE {right} END", f"coalesce({left}, {right})"))
        template = rng.choice(made)
        tree = template.tree
        filled = {name: self.expression(scope, of, depth - 1) for name, of in template.holes.items()}
        # Holes become parameters, which no text of the case looks like.
        tree = tree.transform(
            lambda node: exp.Placeholder(this=f"hole_{node.name}") if isinstance(node, exp.Column) else node
        )
        text = re.sub(r"\$hole_(\w+)", lambda hole: f"({filled[hole.group(1)]})", tree.sql("duckdb"))
        return f"({text})"

    def constant(self, scope: Scope, kind: str) -> str:
        return (
            self.rng.choice(CONSTANTS[kind])
            if kind in CONSTANTS
            else f"CAST(NULL AS {kind})"
            if kind != "list"
            else "NULL"
        )


def qualified(name: str, columns: Iterable[Column]) -> tuple[Column, ...]:
    return tuple(Column(f"{name}.{column.name}", column.kind) for column in columns)


def listed(made: Iterable[tuple[str, Column]]) -> str:
    return ", ".join(f"{text} AS {column.name}" for text, column in made)


def names(made: Iterable[tuple[str, Column]]) -> tuple[Column, ...]:
    return tuple(column for _, column in made)
