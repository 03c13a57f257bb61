"""Functions that give several rows for each row: lists of dicts, written out or made for each element of a list."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import FunctionType

from sqlglot import exp

from mdfsql import lift_nodes as sql
from mdfsql.lift_calls import inlined
from mdfsql.lift_function import Lifter
from mdfsql.lift_lists import filtered, is_list, none_of
from mdfsql.lift_operators import compare
from mdfsql.lift_parts import Rows, Thought, elements, merged
from mdfsql.lift_values import (
    Node,
    Refusal,
    Row,
    Test,
    Thing,
    Value,
    branch,
    column,
    conjunction,
    constant,
    decided,
    finished,
)

__all__ = ["MAX_ROWS", "Unnested", "lift_block", "unnested"]

IN_LIST = "_each"  # what an element is called while it is in its list
MAX_ROWS = 256  # that are written out for one row
WANTED = "flat_map needs a list of dicts for every row"
WRITE = 'return a list, as in [{"id": item["id"], "tag": t} for t in item["tags"]]'


@dataclass(frozen=True)
class Unnested:
    """Several rows for each row, as columns over its own and, where ``over`` is unnested, its ``element``.

    Rows that are not ``sound`` give none: Python would raise for them, because a value is None.
    """

    sound: Node | None
    over: Node | None
    element: str
    kept: Node | None
    columns: Mapping[str, Node]

    def conditions(self) -> tuple[tuple[str, Node | None], ...]:
        """Return what decides on the rows, with a word for each."""
        return (("of rows where", self.sound), ("over", self.over), ("where", self.kept))


def lift_block(lifter: Lifter, element: str) -> Rows:
    """Return what a function gives for a row; an element of a list is called ``element``."""
    found = lifter.run(partial(_rows, element=element))
    assert isinstance(found, Rows)
    return found


def _rows(lifter: Lifter, node: ast.expr, element: str) -> Rows:
    with lifter.placed(node):
        if isinstance(node, ast.IfExp):
            test = lifter.test(node.test)
            if test.const is not None:
                return _rows(lifter, node.body if test.const else node.orelse, element)
            yes = _rows(lifter.at(test.nonnull_true), node.body, element)
            no = _rows(lifter.at(test.nonnull_false), node.orelse, element)
            made = merged(test, yes, no)
            assert isinstance(made, Rows)
            return made
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = _rows(lifter, node.left, element), _rows(lifter, node.right, element)
            if left.over is not None or right.over is not None:
                raise Refusal("a list of data and another one are not put together", "two datasets, and union()")
            return Rows(None, left.ways + right.ways)
        if isinstance(node, (ast.ListComp, ast.GeneratorExp)):
            return _each(lifter, node, element)
        if isinstance(node, (ast.List, ast.Tuple)):
            return Rows(None, tuple((decided(True), _row(lifter, part)) for part in node.elts))
        if isinstance(node, ast.Call):
            function = lifter.expression(node.func)
            if isinstance(function, Thing) and isinstance(function.value, FunctionType):
                made = inlined(lifter, function.value, node, partial(_rows, element=element))
                assert isinstance(made, Rows)
                return made
        raise Refusal(WANTED, WRITE)


def _row(lifter: Lifter, node: ast.expr) -> Row:
    found = lifter.expression(node)
    if not isinstance(found, Row):
        raise lifter.captured.refuse(WANTED, node, WRITE)
    return found


def _each(lifter: Lifter, node: ast.ListComp | ast.GeneratorExp, element: str) -> Rows:
    first, *others = node.generators
    if others or first.is_async:
        raise Refusal("a comprehension with two for is not lifted", "two calls of flat_map(), one for each")
    over = lifter.expression(first.iter)
    if not is_list(over):
        return Rows(None, tuple(_way(lifter, node, item) for item in elements(over)))
    assert isinstance(over, Value)
    return Rows(over, (_way(lifter, node, column(element, over.type.removesuffix("[]"))),))


def _way(lifter: Lifter, node: ast.ListComp | ast.GeneratorExp, item: Thought) -> tuple[Test, Row]:
    here = lifter.at(frozenset())
    here.bind(node.generators[0].target, item, [])
    kept = decided(True)
    for condition in node.generators[0].ifs:
        test = here.test(condition)
        kept, here = conjunction(kept, test), here.at(test.nonnull_true)
    return kept, _row(here, node.elt)


def _sound(rows: Rows, ways: list[tuple[Test, Row]], element: str) -> Node | None:
    """Return the condition that no way is an error because a value is None; None where none ever is."""
    sound = [node for node in (_way_sound(kept, row) for kept, row in ways) if node != exp.true()]
    if not sound:
        return None
    if rows.over is None:
        return sql.both(*sound)

    def in_list(node: Node) -> Node:
        own = isinstance(node, exp.Column) and node.name == element and not node.table
        return exp.to_identifier(IN_LIST, quoted=True) if own else node

    # Of a list that is None there is nothing to test, and nothing to unnest.
    return none_of(filtered(rows.over.sql, IN_LIST, sql.negate(sound[0].transform(in_list))))


def _way_sound(kept: Test, row: Row) -> Node:
    values = [value for value in row.columns.values() if value.poison]
    if any(value.mixed for value in values):
        raise Refusal("this may be None, or an error because something else is None: SQL cannot tell which")
    fine = sql.both(*(sql.not_null(value.sql) for value in values))
    if fine == exp.true() and not kept.poison:
        return fine
    return sql.case((kept.true(), fine), (kept.false(), exp.true()), default=exp.false())


def unnested(rows: Rows, element: str) -> Unnested:
    """Return the rows as SQL; of those that are written out, ``element`` is the number."""
    ways = [(kept, row) for kept, row in rows.ways if kept.const is not False]
    if not ways:
        raise Refusal("this gives no row, whatever it is given")
    if len(ways) > MAX_ROWS:
        raise Refusal(f"{len(ways)} rows for each row are too many to write out", "put them into a dataset and join")
    over = rows.over.sql if rows.over is not None else None
    if over is None and len(ways) > 1:
        numbers = [sql.literal(i, "BIGINT") for i in range(len(ways))]
        over = exp.Array(expressions=numbers, value_constructor=False)
    number = replace(column(element, "INTEGER"), none=False, column=None, bounds=(0, len(ways) - 1))
    kept, row = ways[-1]
    for i, (test, other) in reversed(list(enumerate(ways[:-1]))):
        here = compare(ast.Eq(), number, constant(i))
        kept = branch(here, test, kept)
        both = merged(here, other, row)
        assert isinstance(both, Row)
        row = both
    if not row.columns:
        raise Refusal("this gives a dict without keys: a dataset has at least one column")
    for name, value in row.columns.items():
        if value.type == "NULL":
            raise Refusal(f"the column {name!r} is only ever None: its type is not known", "give it with schema=")
    kept_node = None if kept.const is True else kept.true()
    tested = kept_node.find_all(exp.Column) if kept_node is not None else ()
    if over is not None and kept.raises and not any(found.name == element for found in tested):
        # An engine may test that before it unnests, and then on rows whose list is empty too.
        raise Refusal("a condition that may raise does not depend on the element", "filter() first")
    return Unnested(
        _sound(rows, ways, element), over, element, kept_node, {n: finished(v) for n, v in row.columns.items()}
    )
