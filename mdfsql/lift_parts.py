"""The pieces that a lift is put together from: Python objects as values, rows, and results of several branches."""

from __future__ import annotations

import ast
import difflib
import enum
import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any, TypeAlias, TypeVar

from sqlglot import exp

from mdfsql.capture import is_frozen
from mdfsql.lift_constants import plain_member
from mdfsql.lift_nodes import cast
from mdfsql.lift_operators import compare, none_test
from mdfsql.lift_values import (
    Items,
    Refusal,
    Row,
    Test,
    Thing,
    Value,
    branch,
    choose,
    column,
    conjunction,
    constant,
    guarded,
    marked,
    opposite,
)
from mdfsql.schema import Type

__all__ = ["NEW_DICT", "REFUSED", "Binding", "Result", "Rows", "Thought", "Unbound"]

Thought: TypeAlias = "Value | Row | Thing | Items"
Result: TypeAlias = "Thought | Test | Rows"

Found = TypeVar("Found", "Value | Row | Thing | Items", Test)

NEW_DICT = 'build a new dict, as in {**item, "key": value}'

REFUSED: dict[type[ast.AST], tuple[str, str | None]] = {
    ast.NamedExpr: ("an assignment expression (:=) is not lifted", "assign in a def, on a line of its own"),
    ast.Lambda: ("a function made within a row function is not lifted", "define it outside"),
    ast.FunctionDef: ("a function made within a row function is not lifted", "define it outside"),
    ast.Try: ("try is not lifted", 'test for the case first, as in x if r["k"] is not None else y'),
    ast.While: ("a while loop is not lifted", "loop over a constant tuple"),
    ast.With: ("with is not lifted", None),
    ast.Global: ("global is not lifted: a row function only reads", None),
    ast.Nonlocal: ("nonlocal is not lifted: a row function only reads", None),
    ast.Delete: ("del is not lifted", "build a new dict without the key"),
    ast.Raise: ("raise is not lifted", None),
    ast.Assert: ("assert is not lifted", None),
    ast.Import: ("an import within a row function is not lifted", "import at the top of the file"),
    ast.ImportFrom: ("an import within a row function is not lifted", "import at the top of the file"),
    ast.Break: ("break is not lifted", None),
    ast.Continue: ("continue is not lifted", None),
    ast.Await: ("await is not lifted", None),
    ast.Yield: ("yield is not lifted", None),
    ast.Starred: ("unpacking with * is not lifted", None),
}


@dataclass(frozen=True)
class Rows:
    """Several rows for each row: one for each element of ``over``, or without it for each way.

    A way's test is true where its row is kept. With a list there is one way, in which the element is a column.
    """

    over: Value | None
    ways: tuple[tuple[Test, Row], ...]


@dataclass(frozen=True)
class Binding:
    """A loop variable's next value, among the statements."""

    target: ast.expr
    value: Thought
    node: ast.AST


@dataclass(frozen=True)
class Unbound:
    """A name that is assigned on some paths only."""

    name: str


def wrapped(value: Any) -> Thought:
    """Return a Python object: a constant where SQL has one, else a thing to look into or to call."""
    try:
        return constant(value)
    except Refusal:
        if isinstance(value, (int, float, str)) and not isinstance(value, enum.Enum):
            raise
        return Thing(value)


def as_scalar(value: Thought) -> Thought:
    """Return a member of an enum that compares as a str or an int as that scalar."""
    plain = plain_member(value.value) if isinstance(value, Thing) else None
    return constant(plain) if isinstance(plain, (int, str)) and not isinstance(plain, enum.Enum) else value


def flags(op: ast.operator, left: Thought, right: Thought) -> Thing:
    """Return ``left | right`` of the flags of a pattern and the like; Refusal for anything else."""
    one, other = (v.value if isinstance(v, Thing) else None for v in (left, right))
    if isinstance(one, enum.Flag) and isinstance(other, type(one)):
        return Thing(one | other if isinstance(op, ast.BitOr) else one & other)
    raise Refusal("& and | are not lifted", 'use "and" and "or"')


def items(parts: Iterable[Thought]) -> Thought:
    """Return a sequence: a constant one where all of its parts are."""
    found = tuple(parts)
    if all(isinstance(p, Thing) or (isinstance(p, Value) and p.is_const) for p in found):
        return Thing(tuple(p.value if isinstance(p, Thing) else p.const for p in found))  # type: ignore[union-attr]
    return Items(found)


def elements(value: Thought) -> Sequence[Thought]:
    """Return what a loop over ``value`` goes over; Refusal where that is data."""
    if isinstance(value, Items):
        return value.parts
    if isinstance(value, Row):
        return [constant(k) for k in value.columns]
    if isinstance(value, Thing) and type(value.value) in (tuple, list, dict, range):
        return [wrapped(v) for v in value.value]
    raise Refusal("only constants and the row's own keys are looped over", "loop over a constant tuple")


def as_columns(value: Thought) -> Mapping[str, Value]:
    """Return the columns that ``**value`` adds."""
    if isinstance(value, Row):
        return value.columns
    if isinstance(value, Thing) and type(value.value) is dict and all(type(k) is str for k in value.value):
        columns = {k: wrapped(v) for k, v in value.value.items()}
        if all(isinstance(v, Value) for v in columns.values()):
            return columns  # type: ignore[return-value]
    raise Refusal("only a row or a constant dict of scalars is unpacked into a row")


class TableColumns(Mapping[str, Value]):
    """The columns of a table, each made when it is asked for: a function reads few of many."""

    def __init__(self, schema: Mapping[str, Type], table: str | None) -> None:
        self._schema, self._table = schema, table
        self._made: dict[str, Value] = {}

    def __getitem__(self, name: str) -> Value:
        if name not in self._made:
            self._made[name] = column(name, self._schema[name], self._table)
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._schema

    def __iter__(self) -> Iterator[str]:
        return iter(self._schema)

    def __len__(self) -> int:
        return len(self._schema)


def computed(row: Row) -> Iterable[Value]:
    """Return what may be an error: columns of a table are none."""
    return () if isinstance(row.columns, TableColumns) else row.columns.values()


def cell(row: Row, key: Value) -> Value:
    """Return ``row[key]``; Refusal, with the near names, where there is no such column."""
    if not key.is_const:
        raise Refusal("which column is read must not depend on the row")
    if type(key.const) is str and key.const in row.columns:
        if (error := row.columns[key.const].unlifted) is not None:
            raise error
        found = alone(row.columns[key.const], computed(row))
        assert isinstance(found, Value)
        return found
    near = difflib.get_close_matches(str(key.const), row.columns, 3)
    there = " or ".join(repr(n) for n in near) if near else f"one of {', '.join(list(row.columns)[:20])}"
    raise Refusal(
        f"KeyError: there is no column {key.const!r}", f"{'did you mean ' if near else ''}{there}", mistake=True
    )


def overwrite(columns: dict[str, Value], new: Mapping[str, Value]) -> None:
    """Put ``new`` into ``columns``, as dict.update() does; an error must not get lost."""
    for name, value in new.items():
        if name in columns and (columns[name].raises or columns[name].unlifted):
            raise Refusal(f"the value of {name!r} may raise, and is overwritten")
        columns[name] = value


def alone(value: Thought, evaluated: Iterable[Thought]) -> Thought:
    """Return ``value``, which is used alone of all that was evaluated with it."""
    return settled_all(evaluated, value)


def settled_all(evaluated: Iterable[Thought], result: Found) -> Found:
    """Return ``result`` as it is after everything in ``evaluated``."""
    for value in evaluated:
        if value is result or not isinstance(value, Value) or not (value.poison or value.raises):
            continue
        if not isinstance(result, (Value, Test)):
            raise Refusal("a value that may be an error is computed but not used")
        if None not in value.poison | result.poison and value.poison <= result.poison and not value.raises:
            continue  # an error of the one is an error of the other
        if not (value.mark and value.mark in result.strict):
            result = guarded(value, result)  # type: ignore[assignment]
    return result


def identical(left: Value, right: Value) -> Test:
    """Return ``left is right``, for the constants that Python has one of."""
    if left.type == "NULL":
        left, right = right, left
    if right.type == "NULL":
        return none_test(left)
    if right.is_const and left.type == right.type == "BOOLEAN":
        return compare(ast.Eq(), left, right)
    raise Refusal("is tells objects apart, which SQL does not have", "use ==")


def merged(test: Test, yes: Result, no: Result) -> Result:
    """Return ``yes if test else no``: for rows, column by column."""
    if test.const is not None:
        return yes if test.const else no
    yes, no = _empty_as(yes, no), _empty_as(no, yes)
    if isinstance(yes, Test) and isinstance(no, Test):
        return branch(test, yes, no)
    if isinstance(yes, Value) and isinstance(no, Value):
        return choose(test, yes, no)
    if isinstance(yes, Row) and isinstance(no, Row):
        if list(yes.columns) != list(no.columns):
            raise Refusal(
                f"one branch gives the keys {', '.join(yes.columns)}, the other {', '.join(no.columns)}",
                "give every branch the same keys in the same order",
            )
        if test.raises and all(_alike(v, no.columns[n]) for n, v in yes.columns.items()):
            raise Refusal("a value that may raise decides between two equal rows", "leave the test out")
        return Row({n: _merged_cell(test, n, v, no.columns[n]) for n, v in yes.columns.items()})
    if isinstance(yes, Rows) and isinstance(no, Rows):
        return _merged_rows(test, yes, no)
    if yes == no:
        return yes
    raise Refusal("the branches give different kinds of value", "give both a scalar, or both a dict")


def _merged_rows(test: Test, yes: Rows, no: Rows) -> Rows:
    if yes.over is None and no.over is None:
        ways = ((test, yes), (opposite(test), no))
        return Rows(None, tuple((conjunction(here, kept), row) for here, side in ways for kept, row in side.ways))
    if yes.ways and no.ways:
        raise Refusal("one branch goes over a list, the other gives other rows", "two datasets, and union()")
    # A list that is None gives no rows.
    none = constant(None)
    return Rows(choose(test, yes.over or none, no.over or none), yes.ways or no.ways)


def _empty_as(value: Result, other: Result) -> Result:
    """Return an empty list or tuple as a list of the type that ``other`` has; any other value as it is."""
    if isinstance(value, Thing) and isinstance(other, Value) and other.kind == "list" and value.value in ((), []):
        return Value(cast(exp.Array(expressions=[], value_constructor=False), other.type), other.type)
    return value


def _alike(yes: Value, no: Value) -> bool:
    return bool(yes.sql == no.sql and yes.type == no.type)


def _merged_cell(test: Test, name: str, yes: Value, no: Value) -> Value:
    if yes.unlifted or no.unlifted:
        return replace(yes if yes.unlifted else no, type=yes.type if yes.type == no.type else "?")
    # A column that both branches leave alone does not depend on the test, not even where the test is an error.
    if _alike(yes, no):
        return yes
    try:
        return choose(test, yes, no)
    except Refusal as refusal:
        raise Refusal(f"the column {name!r}: {refusal.reason}", refusal.suggestion) from None


def remembered(value: Thought, pending: list[Value]) -> Thought:
    """Return ``value`` with a mark, and note it in ``pending``, where evaluating it can go wrong in Python."""
    if isinstance(value, Items):
        return Items(tuple(remembered(part, pending) for part in value.parts))
    if not isinstance(value, Value) or not (value.poison or value.raises):
        return value
    value = marked(value)
    pending.append(value)
    return value


def settled(value: Value, result: Result) -> Result:
    """Return ``result`` as it is after ``value`` was evaluated: where that is an error, so is this."""
    if isinstance(result, (Value, Test)):
        return result if value.mark in result.strict else guarded(value, result)
    if isinstance(result, Row):
        # Each column for itself: the others keep their values.
        touched = {n: v for n, v in result.columns.items() if value.mark in v.uses}
        if not touched and not any(v.unlifted for v in result.columns.values()):
            raise Refusal("a value that may be an error is computed but not used")
        done = {n: settled(value, v) for n, v in touched.items()}
        return Row({**result.columns, **done})  # type: ignore[dict-item]
    if isinstance(result, Rows):
        return _settled_rows(value, result)
    raise Refusal("a value that may be an error is computed on the way to something that is no scalar")


def _settled_rows(value: Value, result: Rows) -> Rows:
    mark, over = value.mark, result.over
    if over is not None and mark in over.uses:
        over = settled(value, over)  # type: ignore[assignment]
    ways: list[Any] = []
    for kept, row in result.ways:
        used = any(mark in v.uses for v in row.columns.values())
        ways.append((settled(value, kept) if mark in kept.uses else kept, settled(value, row) if used else row))
    if over is result.over and all(a is c and b is d for (a, b), (c, d) in zip(ways, result.ways, strict=True)):
        raise Refusal("a value that may be an error is computed but not used")
    return Rows(over, tuple(ways))


def static_attribute(thing: Any, name: str) -> Any:
    """Return an attribute that is there without running any code; Refusal for others."""
    if isinstance(thing, ModuleType):
        if hasattr(thing, name):
            return getattr(thing, name)
        raise Refusal(f"the module {thing.__name__} has no attribute {name}")
    if isinstance(thing, enum.EnumMeta) and name in thing.__members__:
        return thing.__members__[name]
    try:
        found = inspect.getattr_static(thing, name)
    except AttributeError:
        raise Refusal(f"{type(thing).__name__} has no attribute {name}") from None
    if isinstance(thing, enum.Enum) and name in ("name", "value") and found is vars(enum.Enum)[name]:
        return getattr(thing, f"_{name}_")
    if isinstance(found, staticmethod):
        return found.__func__
    if isinstance(found, classmethod) and isinstance(found.__func__, FunctionType):
        return MethodType(found.__func__, thing if isinstance(thing, type) else type(thing))
    if isinstance(found, FunctionType) and not isinstance(thing, type) and name not in getattr(thing, "__dict__", ()):
        if not is_frozen(thing):
            raise Refusal(
                f"a method of a {type(thing).__name__}, which may change between rows, is not lifted",
                "make it a dataclass(frozen=True)",
            )
        return MethodType(found, thing)
    if isinstance(found, MemberDescriptorType):
        return found.__get__(thing)
    if isinstance(thing, tuple) and name in getattr(type(thing), "_fields", ()):
        return tuple.__getitem__(thing, type(thing)._fields.index(name))  # type: ignore[attr-defined]
    if hasattr(type(found), "__get__") and not isinstance(found, FunctionType):
        raise Refusal(f"the attribute {name} runs code", "put its value into a variable first")
    return found


def returns(body: Iterable[ast.stmt]) -> bool:
    """Return whether a return stands in these statements."""
    return any(isinstance(n, ast.Return) for statement in body for n in ast.walk(statement))
