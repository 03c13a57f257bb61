"""Random queries: projections, conditions, joins, groups, windows, set operations, subqueries, in one another."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tests.generator.forms import (
    AGGREGATES,
    COMMON,
    COMPARED,
    CONSTANTS,
    DIRECTIONS,
    FRAMES,
    JOINS,
    LEFT_ONLY,
    LIST_OF,
    OVER,
    SAME,
    SETS,
    Form,
    is_shown,
    pick,
)
from tests.generator.tables import Column, Table
from tests.generator.templates import closed, kind_of, templates

__all__ = ["Query", "Writer"]


class Query(NamedTuple):
    """A query's text, and the kinds of its outputs by name."""

    sql: str
    outputs: tuple[Column, ...]


class Scope(NamedTuple):
    """What a SELECT reads: the FROM clause, the columns by the names that reach them, what numbers the rows or ""."""

    source: str
    columns: tuple[Column, ...]
    order: str


Item = tuple[str, str]  # an expression and its kind


class Writer:
    """Writes queries over tables; the same random numbers give the same queries."""

    def __init__(self, rng: random.Random, tables: Sequence[Table]) -> None:
        self.rng, self.tables = rng, tables

    def query(self, depth: int = 2) -> Query:
        """Return a query."""
        shapes = [self.plain] * 3 + [self.grouped] * 3 + [self.windowed] * 2 + [self.sets, self.unnested, self.firsts]
        if depth:
            shapes += [self.compound] * 2 + [self.within] * 2
        return self.rng.choice(shapes)(depth)

    # ---- shapes --------------------------------------------------------------------------------------------------

    def plain(self, depth: int) -> Query:
        scope, rng = self.scope(depth), self.rng
        found = self.items(scope, rng.randint(2, 5))
        if depth and rng.random() < 0.15:
            found.append(self.looked_up(scope))
        distinct = rng.random() < 0.2 and all(is_shown("distinct", "columns", kind) for _, kind in found)
        return self.limited(self.select(scope, found, depth, word="DISTINCT " if distinct else ""))

    def grouped(self, depth: int) -> Query:
        scope, rng = self.scope(depth), self.rng
        keys = [
            (self.expression(scope, kind, 1), kind)
            for kind in (pick(rng, "group", "expressions") for _ in range(rng.randint(0, 2)))
        ]
        found = [*keys, *(self.aggregate(scope) for _ in range(rng.randint(1, 4)))]
        group = f" GROUP BY {', '.join(str(i) for i in range(1, len(keys) + 1))}" if keys else ""
        if rng.random() < 0.2:
            group += f" HAVING count(*) {rng.choice(('>', '<'))} {rng.randint(0, 3)}"
        return self.limited(self.select(scope, found, depth, after=group))

    def sets(self, depth: int) -> Query:
        """Group by several sets of keys."""
        scope, rng = self.scope(depth), self.rng
        kinds = [rng.choice(("int", "VARCHAR", "BOOLEAN")) for _ in range(rng.randint(1, 2))]
        keys = list(dict.fromkeys((self.expression(scope, kind, 1), kind) for kind in kinds))
        texts = [text for text, _ in keys]
        way = rng.choice(
            ("ROLLUP ({0})", "CUBE ({0})", "GROUPING SETS (({0}), ())", "GROUPING SETS (({1}), ({0}), ())")
        )
        found = [*keys, (f"grouping({', '.join(texts)})", "int")]
        found += [self.aggregate(scope) for _ in range(rng.randint(1, 2))]
        return self.limited(
            self.select(scope, found, depth, after=f" GROUP BY {way.format(', '.join(texts), texts[-1])}")
        )

    def windowed(self, depth: int) -> Query:
        scope, rng = self.scope(depth), self.rng
        if not scope.order:
            return self.plain(depth)
        found = self.items(scope, rng.randint(1, 2)) + [self.over(scope) for _ in range(rng.randint(1, 3))]
        after = ""
        if rng.random() < 0.15:
            rank = f"row_number() OVER ({self.partition(scope)}ORDER BY {self.ordering(scope)})"
            after = f" QUALIFY {rank} <= {rng.randint(1, 3)}"
        return self.limited(self.select(scope, found, depth, after=after))

    def unnested(self, depth: int) -> Query:
        """Make a row of each element of a list."""
        rng, table = self.rng, self.rng.choice(self.tables)
        scope = self.of(table, "a")
        kind = rng.choice(("VARCHAR[]", "BIGINT[]", "INTEGER[]", "BIGINT[][]", "STRUCT(x BIGINT, y VARCHAR)[]"))
        items, inner = self.expression(scope, kind, 1), kind_of(kind[:-2])
        if rng.random() < 0.5:
            return self.select(scope, [("a.id", "int"), (f"unnest({items})", inner)], 0)
        source = f"{scope.source}, unnest({items}) AS u(x)"
        whole = Scope(source, (*scope.columns, Column("u.x", inner)), "")
        found = [("u.x", inner), *(self.items(whole, 2) if rng.random() < 0.6 else [self.aggregate(whole)])]
        group = " GROUP BY 1" if found[1][0].startswith("count") and is_shown("group", "expressions", inner) else ""
        return self.select(whole, found[:2] if not group else found, 0, after=group)

    def firsts(self, depth: int) -> Query:
        """Take the first row of each key."""
        scope, rng = self.scope(depth), self.rng
        if not scope.order:
            return self.grouped(depth)
        kind = pick(rng, "ordered")
        key = self.expression(scope, kind, 1)
        found = [(key, kind), *self.items(scope, 2)]
        order = f" ORDER BY {key}{rng.choice(DIRECTIONS)}, {self.ordering(scope)}"
        return self.select(scope, found, depth, word=f"DISTINCT ON ({key}) ", after=order)

    def compound(self, depth: int) -> Query:
        rng = self.rng
        kinds = [pick(rng, "union distinct", "columns") for _ in range(rng.randint(1, 3))]
        sides = []
        for _ in range(2):
            scope = self.scope(depth - 1)
            sides.append(self.select(scope, [(self.expression(scope, kind, 1), kind) for kind in kinds], 0))
        operation = rng.choice(SETS) + (" BY NAME" if rng.random() < 0.1 else "")
        if not operation.startswith("UNION"):
            operation = operation.removesuffix(" BY NAME")
        return self.limited(Query(f" {operation} ".join(side.sql for side in sides), sides[0].outputs))

    def within(self, depth: int) -> Query:
        inner, rng = self.query(depth - 1), self.rng
        name = f"q{depth}"
        scope = Scope(name, inner.outputs, "")
        found = self.items(scope, rng.randint(1, 3))
        if rng.random() < 0.3:
            found = [self.aggregate(scope) for _ in range(2)]
        made = self.select(scope, found, 0)
        return Query(f"WITH {name} AS ({inner.sql}) {made.sql}", made.outputs)

    # ---- clauses -------------------------------------------------------------------------------------------------

    def select(self, scope: Scope, found: Iterable[Item], depth: int, *, word: str = "", after: str = "") -> Query:
        made = [(text, Column(f"x{i}", kind)) for i, (text, kind) in enumerate(found)]
        listed = ", ".join(f"{text} AS {column.name}" for text, column in made)
        sql = f"SELECT {word}{listed} FROM {scope.source}{self.where(scope, depth)}{after}"
        return Query(sql, tuple(column for _, column in made))

    def limited(self, query: Query) -> Query:
        """Order a query by all its outputs, and limit it, or do not."""
        rng = self.rng
        if rng.random() > 0.25 or not all(
            column.kind != "list" and is_shown("ordered", "this", column.kind) for column in query.outputs
        ):
            return query
        order = ", ".join(f"{i}{rng.choice(DIRECTIONS)}" for i in range(1, len(query.outputs) + 1))
        offset = f" OFFSET {rng.randint(0, 3)}" if rng.random() < 0.3 else ""
        sql = f"SELECT * FROM ({query.sql}) AS o ORDER BY {order} LIMIT {rng.randint(0, 8)}{offset}"
        return Query(sql, query.outputs)

    def scope(self, depth: int) -> Scope:
        rng = self.rng
        whole = self.of(rng.choice(self.tables), "a") if rng.random() < 0.9 else self.rows("a")
        for name in ("b", "c")[: rng.choices((0, 1, 2), (60, 32, 8))[0] if depth else 0]:
            whole = self.joined(whole, name, depth)
        return whole

    def of(self, table: Table, name: str) -> Scope:
        return Scope(f"{table.name} AS {name}", qualified(name, table.columns), f"{name}.id")

    def rows(self, name: str) -> Scope:
        """Read rows that stand in the query itself."""
        ids = (Column(f"{name}.id", "int"), Column(f"{name}.k", "int"), Column(f"{name}.g", "VARCHAR"))
        if self.rng.random() < 0.5:
            return Scope(f"generate_series(0, {self.rng.randint(0, 6)}) AS {name}(id)", ids[:1], f"{name}.id")
        values = [f"({i}, {self.rng.randint(0, 4)}, {self.constant('VARCHAR')})" for i in range(self.rng.randint(1, 5))]
        return Scope(f"(VALUES {', '.join(values)}) AS {name}(id, k, g)", ids, f"{name}.id")

    def joined(self, left: Scope, name: str, depth: int) -> Scope:
        rng, join = self.rng, self.rng.choice(JOINS)
        right = self.of(rng.choice(self.tables), name)
        if rng.random() < 0.15:
            inner = self.query(depth - 1)
            right = Scope(f"({inner.sql}) AS {name}", qualified(name, inner.outputs), "")
        order = f"{left.order}, {right.order}" if left.order and right.order else ""
        both = Scope(f"{left.source} {join} {right.source}", (*left.columns, *right.columns), order)
        if join != "CROSS JOIN":
            both = both._replace(source=f"{both.source} ON {self.condition(left, right, both)}")
        return Scope(both.source, left.columns, left.order) if join in LEFT_ONLY else both

    def condition(self, left: Scope, right: Scope, both: Scope) -> str:
        rng = self.rng
        pairs = [(one.name, two.name) for one in left.columns for two in right.columns if one.kind == two.kind]
        keys = [pair for pair in pairs if pair[0][-2:] in (".k", ".g", "id") and pair[1][-2:] in (".k", ".g", "id")]
        chance = rng.random()
        if not pairs or chance < 0.05:
            return rng.choice(("true", self.expression(both, "BOOLEAN", 1)))
        one, two = rng.choice(keys if keys and chance < 0.8 else pairs)
        sign = rng.choice(COMPARED) if rng.random() < 0.15 else "="
        more = f" AND {self.expression(both, 'BOOLEAN', 1)}" if rng.random() < 0.3 else ""
        return f"{one} {sign} {two}{more}"

    def where(self, scope: Scope, depth: int) -> str:
        rng = self.rng
        if rng.random() < 0.5:
            return ""
        if not depth or rng.random() < 0.7:
            return f" WHERE {self.expression(scope, 'BOOLEAN', 2)}"
        return f" WHERE {self.looked_for(scope)}"

    def looked_for(self, scope: Scope) -> str:
        """Return a condition with a subquery in it."""
        rng = self.rng
        key = self.expression(scope, "int", 0)
        inner = self.of(rng.choice(self.tables), "s")
        kind = pick(rng, "in", "query")
        one, other = self.expression(scope, kind, 1), self.expression(inner, kind, 1)
        source, condition = inner.source, self.where(inner, 0)
        tests = (
            f"{key} {rng.choice(('IN', 'NOT IN'))} (SELECT s.k FROM {source}{condition})",
            f"{one} {rng.choice(('IN', 'NOT IN'))} (SELECT {other} FROM {source}{condition})",
            f"({key}, {key}) IN (SELECT s.k, s.id FROM {source}{condition})",
            f"{rng.choice(('', 'NOT '))}EXISTS (SELECT 1 FROM {source} WHERE s.k = {key})",
            f"{key} {rng.choice(COMPARED[:6])} {rng.choice(('ANY', 'ALL'))} (SELECT s.k FROM {source}{condition})",
            f"{key} > (SELECT min(s.k) FROM {source}{condition})",
            f"{key} <= (SELECT count(*) FROM {source} WHERE s.k = {key})",
        )
        return rng.choice(tests)

    def looked_up(self, scope: Scope) -> Item:
        """Return a subquery as a value."""
        rng = self.rng
        if rng.random() < 0.3:
            return self.looked_for(scope), "BOOLEAN"
        inner = self.of(rng.choice(self.tables), "s")
        text, kind = self.aggregate(inner)
        test = rng.choice(("", f" WHERE s.k = {self.expression(scope, 'int', 0)}"))
        return f"(SELECT {text} FROM {inner.source}{test})", kind

    # ---- expressions ---------------------------------------------------------------------------------------------

    def items(self, scope: Scope, count: int) -> list[Item]:
        kinds = [pick(self.rng, "count") for _ in range(count)]
        return [(self.expression(scope, kind, 2), kind) for kind in kinds]

    def ordering(self, scope: Scope) -> str:
        """Return an order in which no two rows are the same."""
        rng = self.rng
        if rng.random() < 0.6:
            return scope.order
        return f"{self.expression(scope, pick(rng, 'ordered'), 1)}{rng.choice(DIRECTIONS)}, {scope.order}"

    def partition(self, scope: Scope) -> str:
        rng = self.rng
        kind = pick(rng, "window", "partition_by")
        return f"PARTITION BY {self.expression(scope, kind, 1)} " if rng.random() < 0.6 else ""

    def form(self, scope: Scope, form: Form) -> Item:
        """Return an aggregate, or a window's function, with its holes filled."""
        rng = self.rng
        part = "expressions" if form.x == "distinct" else "this"
        kind = pick(rng, form.x, part) if isinstance(form.x, str) else rng.choice(form.x)
        text = form.text.format(
            x=self.expression(scope, kind, 1),
            y=self.expression(scope, "small", 1),
            id=self.ordering(scope) if "{id}" in form.text else "",
            one=scope.order,
        )
        kind = "int" if kind == "small" else kind
        if form.gives == LIST_OF:
            return text, f"{kind}[]" if f"{kind}[]" in templates() else "list"
        return text, kind if form.gives == SAME else form.gives

    def aggregate(self, scope: Scope) -> Item:
        rng, form = self.rng, self.rng.choice(AGGREGATES)
        if ("{id}" in form.text or "{one}" in form.text) and not scope.order:
            return "count(*)", "int"  # nothing tells the rows apart
        if "{one}" in form.text and "," in scope.order:
            return "count(*)", "int"
        text, kind = self.form(scope, form)
        kept = f" FILTER (WHERE {self.expression(scope, 'BOOLEAN', 1)})" if rng.random() < 0.2 else ""
        return f"{text}{kept}", kind

    def over(self, scope: Scope) -> Item:
        rng, form = self.rng, self.rng.choice(OVER)
        text, kind = self.form(scope, form)
        order, frame = self.ordering(scope), ""
        places = "{x}" not in form.text or form.text.startswith(("lag", "lead"))
        if not places or form.text == "count(*)":
            frame = rng.choice(FRAMES)
            if "RANGE" in frame and "UNBOUNDED PRECEDING" not in frame:
                order = "a.id" if "," not in scope.order else order
                frame = frame if "," not in order else ""
        aggregate = form in OVER[: [f.text for f in OVER].index("first_value({x})")]
        kept = f" FILTER (WHERE {self.expression(scope, 'BOOLEAN', 1)})" if aggregate and rng.random() < 0.15 else ""
        if aggregate and not frame and rng.random() < 0.2:
            return f"{text}{kept} OVER ({self.partition(scope)})", kind
        return f"{text}{kept} OVER ({self.partition(scope)}ORDER BY {order}{frame})", kind

    def expression(self, scope: Scope, kind: str, depth: int) -> str:
        """Return an expression of a kind: a column, a constant, a choice, or a case's with its holes filled."""
        rng = self.rng
        if kind == "small":
            return rng.choice((self.constant(kind), f"({self.expression(scope, 'int', depth)} % 5)"))
        own = [column.name for column in scope.columns if column.kind == kind]
        made = templates().get(kind, [])
        chance = rng.random()
        if not depth or not made or chance < 0.2:
            return rng.choice(own) if own and rng.random() < 0.85 else self.constant(kind)
        if kind == "BOOLEAN" and chance < 0.5:
            of = rng.choice(COMMON)
            left, right = (self.expression(scope, of, depth - 1) for _ in range(2))
            return rng.choice(
                (f"({left} {rng.choice(COMPARED)} {right})", f"({left} IS NULL)", f"({left} IN ({right}, {left}))")
            )
        if chance < 0.3:
            test = self.expression(scope, "BOOLEAN", depth - 1)
            left, right = (self.expression(scope, kind, depth - 1) for _ in range(2))
            return rng.choice((f"(CASE WHEN {test} THEN {left} ELSE {right} END)", f"coalesce({left}, {right})"))
        template = rng.choice(made)
        return template.filled(
            {
                name: template.constants[name]
                if name in template.constants and rng.random() < 0.8
                else self.expression(scope, of, depth - 1)
                for name, of in template.holes.items()
            }
        )

    def constant(self, kind: str) -> str:
        if kind in CONSTANTS:
            return closed(self.rng.choice(CONSTANTS[kind]))
        return "NULL" if kind == "list" else f"CAST(NULL AS {kind})"


def qualified(name: str, columns: Iterable[Column]) -> tuple[Column, ...]:
    return tuple(Column(f"{name}.{column.name}", column.kind) for column in columns)
