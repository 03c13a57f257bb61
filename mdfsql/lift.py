"""From a Python row function to SQL with the same answer on every row, or CannotLift.

Where Python would raise only because a value is None, a filter drops the row and any other use gives NULL. Where a row
has both a None and another error, as a division by zero, either may win: no SQL engine promises an order.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from mdfsql.capture import Captured, capture
from mdfsql.errors import CannotLift
from mdfsql.lift_columns import columns
from mdfsql.lift_function import Lifter
from mdfsql.lift_guess import guess
from mdfsql.lift_nodes import cast
from mdfsql.lift_parts import TableColumns
from mdfsql.lift_rows import Unnested, lift_block, unnested
from mdfsql.lift_values import Refusal, Row, Value, finished
from mdfsql.schema import Schema, Type
from mdfsql.trees import copied

__all__ = [
    "Unlifted",
    "guess_types",
    "lift_filter",
    "lift_join",
    "lift_predicate",
    "lift_row",
    "lift_rows",
    "lift_value",
]

MAX_NODES = 20_000  # of a finished expression: engines take long over more


def lift_predicate(
    function: Callable[..., Any] | Captured, schema: Schema, present: Collection[str] = ()
) -> exp.Expression:
    """Return the condition that is TRUE exactly on the rows for which ``function`` gives something true.

    ``present`` are columns that are not None in any row, here and in the other functions.

    >>> lift_predicate(lambda item: item["value"] > 30, Schema({"value": "BIGINT"})).sql("duckdb")
    '"value" > 30'
    """
    lifter, captured = _start(function, [_row(schema)], present)
    return _copied(captured, lambda: lifter.predicate().true())


def lift_filter(
    function: Callable[..., Any] | Captured, schema: Schema, present: Collection[str] = ()
) -> tuple[exp.Expression, frozenset[str]]:
    """Return the same condition, with the columns that are not None where it is true."""
    lifter, captured = _start(function, [_row(schema)], present)
    test = lifter.predicate()
    return _copied(captured, test.true), frozenset(name for table, name in test.nonnull_true if table is None)


@dataclass(frozen=True)
class Unlifted:
    """A column that has no SQL, with the reason, and its type where that is certain."""

    error: CannotLift
    type: Type | None


def lift_row(
    function: Callable[..., Any] | Captured,
    schema: Schema,
    types: Mapping[str, Type] | None = None,
    present: Collection[str] = (),
) -> dict[str, exp.Expression | Unlifted]:
    """Return the columns of the dict that ``function`` gives, in its order; untouched columns are plain columns.

    A column may be Unlifted while the others are lifted. ``types`` are those that the caller gives: a column that is
    only ever None needs its own.

    >>> found = lift_row(lambda item: {**item, "big": item["value"] > 45}, Schema({"value": "BIGINT"}))
    >>> {name: node.sql("duckdb") for name, node in found.items()}
    {'value': '"value"', 'big': '"value" > 45'}
    """
    lifter, captured = _start(function, [_row(schema)], present)
    result = lifter.result(columns)
    if not isinstance(result, Row):
        kind = result.name if isinstance(result, Value) else "something else"
        raise captured.refuse(f"map needs a dict for every row, this gives {kind}", lifter.body, mistake=True)
    if not result.columns:
        raise captured.refuse(
            "this gives a dict without keys: a dataset has at least one column", lifter.body, mistake=True
        )
    made: dict[str, exp.Expression | Unlifted] = {}
    for name, value in result.columns.items():
        if value.unlifted is not None:
            made[name] = Unlifted(value.unlifted, None if value.type == "?" else value.type)
            continue
        try:
            made[name] = _copied(captured, functools.partial(_output, name, value, types or {}))
        except CannotLift as error:
            if error.mistake:
                raise
            made[name] = Unlifted(error, value.type)
    return made


def lift_rows(function: Callable[..., Any] | Captured, schema: Schema) -> Unnested:
    r"""Return the rows that ``function`` gives for a row, as a list to unnest and columns over its elements.

    >>> schema = Schema({"id": "BIGINT", "tags": "VARCHAR[]"})
    >>> found = lift_rows(lambda item: [{"id": item["id"], "tag": t} for t in item["tags"] if t], schema)
    >>> found.over.sql("duckdb"), found.kept.sql("duckdb"), found.columns["tag"].sql("duckdb")
    ('"tags"', '"element" <> \'\'', '"element"')
    """
    element, taken = "element", {name.lower() for name in schema}
    while element in taken:
        element += "_"
    lifter, captured = _start(function, [_row(schema)])
    rows = lift_block(lifter, element)
    try:
        found = unnested(rows, element)
    except Refusal as refusal:
        raise captured.refuse(refusal.reason, lifter.body, refusal.suggestion, mistake=refusal.mistake) from None
    sound, over, kept = (
        node and _copied(captured, functools.partial(_same, node)) for node in (found.sound, found.over, found.kept)
    )
    made = {name: _copied(captured, functools.partial(_same, node)) for name, node in found.columns.items()}
    return Unnested(sound, over, element, kept, made)


def _same(node: exp.Expression) -> exp.Expression:
    return node


def lift_value(
    function: Callable[..., Any] | Captured, schema: Schema, present: Collection[str] = ()
) -> exp.Expression:
    """Return the one scalar that ``function`` gives for a row.

    >>> lift_value(lambda item: item["value"] * 2, Schema({"value": "BIGINT"})).sql("duckdb")
    '"value" * 2'
    """
    lifter, captured = _start(function, [_row(schema)], present)
    result = lifter.result()
    if not isinstance(result, Value):
        kind = "a dict" if isinstance(result, Row) else "no scalar"
        raise captured.refuse(f"one value for each row is wanted here, this gives {kind}", lifter.body)
    return _copied(captured, lambda: finished(result))


def lift_join(
    function: Callable[..., Any] | Captured, left: Schema, right: Schema, left_name: str, right_name: str
) -> exp.Expression:
    """Return the condition that is TRUE exactly on the pairs of rows that ``function`` finds true.

    None equals None in Python, so a plain ``==`` joins the rows without a key as well; excluding them with
    ``is not None`` first gives SQL's ``=``.

    >>> ids = Schema({"id": "BIGINT"})
    >>> lift_join(lambda l, r: l["id"] == r["id"], ids, ids, "a", "b").sql("duckdb")
    '"a"."id" IS NOT DISTINCT FROM "b"."id"'
    >>> lift_join(lambda l, r: l["id"] is not None and l["id"] == r["id"], ids, ids, "a", "b").sql("duckdb")
    'NOT "a"."id" IS NULL AND "a"."id" = "b"."id"'
    """
    lifter, captured = _start(function, [_row(left, left_name), _row(right, right_name)])
    return _copied(captured, lambda: lifter.predicate().true())


def guess_types(function: Callable[..., Any] | Captured, schema: Schema, nodes: Iterable[ast.expr]) -> Type | None:
    """Return the type that expressions of a function without SQL have in common, where that is certain; else None."""
    lifter, captured = _start(function, [_row(schema)])
    changed = {n.id for n in ast.walk(captured.node) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    for name in changed & lifter.names.keys():
        del lifter.names[name]
    there = [node for node in nodes if not (isinstance(node, ast.Constant) and node.value is None)]
    types = {guess(lifter, node) for node in there}
    return types.pop() if len(types) == 1 else None


def _start(
    function: Callable[..., Any] | Captured, rows: list[Row], present: Collection[str] = ()
) -> tuple[Lifter, Captured]:
    captured = function if isinstance(function, Captured) else capture(function)
    if len(captured.rows) != len(rows):
        wanted = "one row" if len(rows) == 1 else f"{len(rows)} rows"
        raise captured.refuse(f"this is called with {wanted}, but takes {len(captured.rows)} arguments", mistake=True)
    nonnull = frozenset((None, name) for name in present)
    return Lifter(captured, dict(zip(captured.rows, rows, strict=True)), nonnull), captured


def _row(schema: Schema, table: str | None = None) -> Row:
    return Row(TableColumns(schema, table))


def _output(name: str, value: Value, types: Mapping[str, Type]) -> exp.Expression:
    if value.type == "NULL" and name in types:
        return cast(value.sql, types[name])
    if value.type == "NULL":
        reason = f"the column {name!r} is only ever None: its type is not known"
        raise Refusal(reason, f"give it with schema={{{name!r}: ...}}", mistake=True)
    return finished(value)


def _copied(captured: Captured, make: Callable[[], exp.Expression]) -> exp.Expression:
    """Return a tree of its own: while it grew, its nodes were shared."""
    try:
        node = make()
    except Refusal as refusal:
        raise captured.refuse(refusal.reason, None, refusal.suggestion, mistake=refusal.mistake) from None
    count, stack = 0, [node]
    while stack:
        count += 1
        if count > MAX_NODES:
            raise captured.refuse(
                f"the SQL would have more than {MAX_NODES} nodes", None, "split it into several steps"
            )
        stack.extend(stack.pop().iter_expressions())
    return copied(node)
