"""What a Python expression is while it is lifted: SQL, a type, and what its NULL means in Python."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

from sqlglot import exp

from mdfsql.errors import CannotLift
from mdfsql.lift_constants import Refusal, constant_sql
from mdfsql.lift_nodes import both, case, cast, coalesce, either, is_null, literal, negate, not_null, operation
from mdfsql.schema import FLOATS, INTEGERS, Type

__all__ = ["Items", "Refusal", "Row", "Test", "Thing", "Value", "choose", "constant", "flag", "truth"]

Node: TypeAlias = exp.Expression
Key: TypeAlias = "tuple[str | None, str]"
"""The table, if it is named, and the column."""

Sources: TypeAlias = "frozenset[Key | None]"
"""Columns that make an expression NULL where Python raises. With None among them there are further conditions."""

NEVER: Sources = frozenset()
SOMETIMES: Sources = frozenset({None})
UNKNOWN = object()

ELEMENT = ""
"""The table, in a key, of what is no column but an element of a list."""

INT64 = (-(2**63), 2**63 - 1)
EXACT = 2**53  # every whole number up to here is a DOUBLE
BOUNDS: dict[Type, tuple[int, int]] = {
    "BOOLEAN": (0, 1),
    "TINYINT": (-(2**7), 2**7 - 1),
    "SMALLINT": (-(2**15), 2**15 - 1),
    "INTEGER": (-(2**31), 2**31 - 1),
    "BIGINT": INT64,
}
WIDTHS = ["TINYINT", "SMALLINT", "INTEGER", "BIGINT"]

PYTHON_NAMES = {"BOOLEAN": "bool", "VARCHAR": "str", "DATE": "date", "NULL": "None", "TIMESTAMP": "naive datetime"}


# Kinds that a function computes with and that no column holds.
INNER = {
    "match": 'take a group of it, or test it with "is not None"',
    "timedelta": "take its days or its total_seconds()",
}


class Mark(NamedTuple):
    """An evaluation that Python does at one place, and whose value is used at others."""

    number: int
    raises: bool


@dataclass(frozen=True, slots=True)
class Value:
    """One Python value per row. Where ``sql`` is NULL, Python has None (``none``) or raises (``poison``)."""

    sql: Node
    type: Type  # what Python sees; NULL for None alone
    none: bool = False
    poison: Sources = NEVER
    raises: bool = False  # fails where Python fails
    risky: bool = False  # fails where SQL alone fails: past 64 bits
    bounds: tuple[int, int] | None = None
    natural: Type | None = None  # the reference's own type, where it is not ``type``
    column: Key | None = None  # this is NULL exactly where that column is
    const: Any = UNKNOWN
    zero: Node | None = None  # shorter than ``sql``, and 0 exactly where that is
    test: Test | None = field(default=None, compare=False)
    strict: frozenset[Mark] = frozenset()  # evaluated whenever this is: assignments that poison this
    uses: frozenset[Mark] = frozenset()  # assignments that this depends on in any way
    mark: Mark | None = None  # the assignment that this is the value of
    unlifted: CannotLift | None = None  # why there is no SQL; ``type`` is then what is certain of it, or "?"

    @property
    def kind(self) -> str:
        """int, float, bool, str, decimal, null, date, ...: what Python can do with it."""
        return kind_of(self.type)

    @property
    def is_const(self) -> bool:
        return self.const is not UNKNOWN

    @property
    def mixed(self) -> bool:
        """Its NULL may be None or an error: nothing that tells them apart is possible."""
        return self.none and bool(self.poison)

    @property
    def sources(self) -> Sources:
        """What makes an operation on this value raise in Python, were None not allowed there."""
        own: Sources = frozenset({self.column}) if self.column else SOMETIMES if self.none else NEVER
        return own | self.poison

    @property
    def fails(self) -> bool:
        return self.raises or self.risky

    @property
    def name(self) -> str:
        """What a Python programmer calls the type."""
        return PYTHON_NAMES.get(self.type) or (self.kind if self.kind != self.type else self.type)


@dataclass(frozen=True, slots=True)
class Row:
    """A dict with known keys."""

    columns: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Thing:
    """A Python object that is no scalar, with its value at the time of capture."""

    value: Any


@dataclass(frozen=True, slots=True)
class Items:
    """A tuple or list, some part of which is computed from the row."""

    parts: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Test:
    """A truth value: three ways to write it, each made only when asked for, since one may be impossible.

    ``true`` (``false``) is TRUE exactly where Python finds it true (false), else FALSE or NULL. ``exact`` is TRUE and
    FALSE as Python has it, and NULL where Python raises.
    """

    true: Callable[[], Node]
    false: Callable[[], Node]
    exact: Callable[[], Node]
    poison: Sources = NEVER
    raises: bool = False
    risky: bool = False
    const: bool | None = None
    nonnull_true: frozenset[Key] = frozenset()  # columns that are not None where this is true
    nonnull_false: frozenset[Key] = frozenset()
    strict: frozenset[Mark] = frozenset()
    uses: frozenset[Mark] = frozenset()
    none_of: Value | None = None  # the test is: this value is None

    __test__ = False  # not a test class for pytest

    @property
    def fails(self) -> bool:
        return self.raises or self.risky


def kind_of(type_: Type) -> str:
    if type_ in INTEGERS:
        return "int"
    if type_ in FLOATS:
        return "float"
    if type_.endswith("]"):
        return "list"
    if type_.startswith(("STRUCT", "MAP")):
        return type_.partition("(")[0].lower()
    if type_.startswith("DECIMAL"):
        return "decimal"
    return {"BOOLEAN": "bool", "VARCHAR": "str", "NULL": "null"}.get(type_, type_.lower())


_marks = itertools.count(1)


def marked(value: Value) -> Value:
    """Return ``value`` with a mark of its own, by which to see what depends on it."""
    mark = Mark(next(_marks), value.raises)
    # What asks for its truth depends on it as well.
    test = value.test and replace(value.test, strict=value.test.strict | {mark}, uses=value.test.uses | {mark})
    return replace(value, strict=value.strict | {mark}, uses=value.uses | {mark}, mark=mark, test=test)


def constant(value: Any) -> Value:
    """Return a Python constant; Refusal for one that is no scalar of SQL."""
    if value is None:
        return Value(exp.null(), "NULL", none=True, const=None)
    kind = type(value)
    if kind is bool:
        return Value(literal(value, "BOOLEAN"), "BOOLEAN", const=value, bounds=(int(value), int(value)))
    if kind is int:
        if not INT64[0] <= value <= INT64[1]:
            raise Refusal(f"the integer {value} does not fit in 64 bits")
        small = BOUNDS["INTEGER"][0] <= value <= BOUNDS["INTEGER"][1]
        return Value(
            literal(value, "BIGINT"),
            "BIGINT",
            const=value,
            bounds=(value, value),
            natural="INTEGER" if small else None,
        )
    if kind is float:
        return Value(literal(value, "DOUBLE"), "DOUBLE", const=value)
    return Value(*constant_sql(value), const=value)


def column(name: str, type_: Type, table: str | None = None) -> Value:
    """Return a column as Python sees it: any value may be None."""
    return Value(node_of((table, name)), type_, none=True, bounds=BOUNDS.get(type_), column=(table, name))


def node_of(key: Key) -> Node:
    table, name = key
    if table == ELEMENT:
        return exp.to_identifier(name, quoted=True)
    return exp.column(name, table=table, quoted=True)


def known(value: Value, nonnull: frozenset[Key]) -> Value:
    """Return ``value`` without the NULLs that a condition around it has ruled out."""
    none = value.none and value.column not in nonnull
    poison = value.poison - nonnull
    return value if (none, poison) == (value.none, value.poison) else replace(value, none=none, poison=poison)


def present(*values: Value) -> frozenset[Key]:
    """Return columns that are not None where none of ``values`` is NULL."""
    return union({v.column} if v.column else NEVER if None in v.sources else v.sources for v in values)


def strict(sql: Node, type_: Type, *parts: Value | Test, **more: Any) -> Value:
    """Return the result of an operation that raises in Python where any of ``parts`` is None."""
    return Value(
        sql,
        type_,
        poison=union(p.sources if isinstance(p, Value) and p.none else p.poison for p in parts),
        raises=more.pop("raises", False) or any(p.raises for p in parts),
        risky=more.pop("risky", False) or any(p.risky for p in parts),
        strict=union(p.strict for p in parts),
        uses=union(p.uses for p in parts),
        **more,
    )


def union(sets: Any) -> frozenset[Any]:
    return frozenset().union(*sets)


# --- truth values -----------------------------------------------------------------------------------------------------


def decided(value: bool) -> Test:
    """Return the test that is the same on every row."""
    yes, no = (exp.true(), exp.false()) if value else (exp.false(), exp.true())
    return Test(lambda: yes, lambda: no, lambda: yes, const=value)


def simple(sql: Node, *parts: Value, false: Node | None = None) -> Test:
    """Return the test ``sql``, which is NULL exactly where Python raises, as it does where a part is NULL."""
    made = strict(sql, "BOOLEAN", *parts)
    opposite = false if false is not None else negate(sql)
    nonnull = present(*parts)
    return Test(
        lambda: sql,
        lambda: opposite,
        lambda: sql,
        poison=made.poison,
        raises=made.raises,
        risky=made.risky,
        nonnull_true=nonnull,
        nonnull_false=nonnull,
        strict=made.strict,
        uses=made.uses,
    )


def by_cases(true: Node, false: Node) -> Node:
    return case((true, exp.true()), (false, exp.false()))


def truth(value: Value) -> Test:
    """Return what ``bool(value)`` is."""
    if value.test is not None:
        return value.test
    if value.is_const:
        return decided(bool(value.const))
    sql, kind = value.zero or value.sql, value.kind
    if kind in ("int", "float", "decimal", "timedelta"):
        yes, no = (operation(cls, sql, literal(0, "BIGINT")) for cls in (exp.NEQ, exp.EQ))
    elif kind == "str":
        yes, no = (operation(cls, sql, exp.Literal.string("")) for cls in (exp.NEQ, exp.EQ))
    elif kind == "bool":
        yes, no = sql, negate(sql)
    elif kind in ("date", "timestamp", "timestamptz"):
        yes, no = not_null(sql), exp.false()
    elif kind == "list":
        yes, no = (operation(cls, exp.ArraySize(this=sql), literal(0, "BIGINT")) for cls in (exp.GT, exp.EQ))
    else:
        raise Refusal(f"the truth of a {value.type} is not lifted", "compare it with something")
    if not value.none:
        if kind in ("date", "timestamp", "timestamptz") and value.poison:
            raise Refusal("the truth of a date that may be an error is not lifted")
        return simple(yes, value, false=no)

    def false() -> Node:
        if value.mixed:
            raise Refusal("this may be None, or an error because something else is None: SQL cannot tell which")
        return is_null(sql) if no == exp.false() else coalesce(no, exp.true())

    def exact() -> Node:
        false()
        return yes if no == exp.false() else coalesce(yes, exp.false())

    return Test(
        lambda: yes,
        false,
        exact,
        poison=value.poison,
        raises=value.raises,
        risky=value.risky,
        nonnull_true=present(value),
        strict=value.strict,
        uses=value.uses,
    )


def flag(test: Test) -> Value:
    """Return a test as a bool value."""
    if test.const is not None:
        return constant(test.const)
    return Value(
        test.exact(),
        "BOOLEAN",
        poison=test.poison,
        raises=test.raises,
        risky=test.risky,
        bounds=(0, 1),
        test=test,
        strict=test.strict,
        uses=test.uses,
    )


def opposite(test: Test) -> Test:
    """Return ``not test``."""
    return replace(
        test,
        true=test.false,
        false=test.true,
        exact=lambda: negate(test.exact()),
        const=None if test.const is None else not test.const,
        nonnull_true=test.nonnull_false,
        nonnull_false=test.nonnull_true,
        none_of=None,
    )


def conjunction(left: Test, right: Test) -> Test:
    """Return ``left and right``; ``right`` is evaluated only where ``left`` is true."""
    if left.const is not None:
        return right if left.const else left
    if right.const is True and not left.poison:
        return left

    # AND promises no order: what may fail on the right must not be evaluated first, on the left not skipped.
    ordered = right.fails or left.raises

    def true() -> Node:
        return case((left.true(), right.true())) if ordered else both(left.true(), right.true())

    def false() -> Node:
        if ordered:
            return case((left.true(), right.false()), (left.false(), exp.true()))
        if not left.poison:
            return either(left.false(), right.false()) if not right.poison else negate(exact())
        return either(left.false(), both(left.true(), right.false()))

    def exact() -> Node:
        # SQL has NULL AND FALSE = FALSE where Python has raised already; harmless if the right is NULL as well.
        if not ordered and (not left.poison or (None not in right.poison and left.poison <= right.poison)):
            return both(left.exact(), right.exact())
        return case((left.true(), right.exact()), (left.false(), exp.false()))

    return Test(
        true,
        false,
        exact,
        poison=_junction_poison(left, right),
        raises=left.raises or right.raises,
        risky=left.risky or right.risky,
        nonnull_true=left.nonnull_true | right.nonnull_true,
        nonnull_false=left.nonnull_false & (left.nonnull_true | right.nonnull_false),
        strict=left.strict,
        uses=left.uses | right.uses,
    )


def _junction_poison(left: Test, right: Test) -> Sources:
    # What is an error on the right is one only where the right is evaluated.
    extra = right.poison - left.poison
    return left.poison | extra | SOMETIMES if extra else left.poison


def _ran(test: Test) -> Node:
    """Return the condition that ``test`` is no error."""
    if None in test.poison:
        return either(test.true(), test.false())
    # Sorted, so that the same function gives the same SQL.
    return both(*(not_null(node_of(key)) for key in sorted(test.poison, key=str) if key is not None))


def disjunction(left: Test, right: Test) -> Test:
    """Return ``left or right``; ``right`` is evaluated only where ``left`` is false."""
    made = opposite(conjunction(opposite(left), opposite(right)))
    if made.const is not None or right.fails or left.raises:
        return made
    if left.poison:
        # True on the right counts only where the left is no error.
        return replace(made, true=lambda: either(left.true(), both(_ran(left), right.true())))
    # Without poison on the left, the plain OR says the same and reads better.
    return replace(
        made,
        true=lambda: either(left.true(), right.true()),
        exact=lambda: either(left.exact(), right.exact()),
    )


def branch(test: Test, yes: Test, no: Test) -> Test:
    """Return ``yes if test else no``, as a truth value."""
    if test.const is not None:
        return yes if test.const else no
    if yes.const is True and no.const is False:
        return replace(test, none_of=None)
    if yes.const is False and no.const is True:
        return opposite(test)
    if no.const is False:
        return conjunction(test, yes)
    if yes.const is False:
        return conjunction(opposite(test), no)
    if yes.const is True:
        return disjunction(test, no)
    if no.const is True:
        return disjunction(opposite(test), yes)

    def pick(part: Callable[[Test], Node]) -> Node:
        if test.poison:
            return case((test.true(), part(yes)), (test.false(), part(no)))
        return case((test.true(), part(yes)), default=part(no))

    return Test(
        lambda: pick(lambda t: t.true()),
        lambda: pick(lambda t: t.false()),
        lambda: pick(lambda t: t.exact()),
        poison=_branch_poison(test, yes, no),
        raises=test.raises or yes.raises or no.raises,
        risky=test.risky or yes.risky or no.risky,
        nonnull_true=yes.nonnull_true & no.nonnull_true,
        nonnull_false=yes.nonnull_false & no.nonnull_false,
        strict=test.strict | _lasting(test, yes.strict & no.strict),
        uses=test.uses | yes.uses | no.uses,
    )


def _branch_poison(test: Test, yes: Value | Test, no: Value | Test) -> Sources:
    if yes.poison == no.poison and not test.poison:
        return yes.poison
    everything = test.poison | yes.poison | no.poison
    return everything | SOMETIMES if everything else NEVER


def _lasting(test: Value | Test, marks: frozenset[Mark]) -> frozenset[Mark]:
    # Where the test is an error no branch runs: what would raise there is not seen.
    return frozenset(m for m in marks if not m.raises) if test.poison else marks


# --- choices between values -------------------------------------------------------------------------------------------


def choose(test: Test, yes: Value, no: Value) -> Value:
    """Return ``yes if test else no``."""
    if test.const is not None:
        return yes if test.const else no
    for value in (yes, no):
        in_utc(value)
    if yes.type == no.type == "BOOLEAN" and not yes.none and not no.none:
        return flag(branch(test, truth(yes), truth(no)))
    type_ = unify(yes, no)
    same = yes.sql == no.sql and not yes.fails and not test.poison and not test.fails
    if same:
        return replace(yes, none=yes.none or no.none, poison=yes.poison | no.poison, strict=yes.strict & no.strict)
    natural = _natural(yes, no, type_)
    yes_sql, no_sql = (_widened(v, type_) for v in (yes, no))
    if _is_default(test, yes, no):
        sql = coalesce(no_sql, yes_sql)
    elif yes.type == "NULL":
        sql = case((test.false(), no_sql))
    elif no.type == "NULL":
        sql = case((test.true(), yes_sql))
    elif test.poison:
        sql = case((test.true(), yes_sql), (test.false(), no_sql))
    else:
        sql = case((test.true(), yes_sql), default=no_sql)
    bounds = (min(yes.bounds[0], no.bounds[0]), max(yes.bounds[1], no.bounds[1])) if yes.bounds and no.bounds else None
    return Value(
        sql,
        type_,
        none=yes.none or no.none,
        poison=_branch_poison(test, yes, no),
        raises=test.raises or yes.raises or no.raises,
        risky=test.risky or yes.risky or no.risky,
        bounds=bounds or BOUNDS.get(type_),
        natural=natural if natural != type_ else None,
        strict=test.strict | _lasting(test, yes.strict & no.strict),
        uses=test.uses | yes.uses | no.uses,
    )


def in_utc(value: Value) -> None:
    """Refuse a constant of another time zone where it becomes data: SQL keeps the moment, not the zone."""
    if value.is_const and isinstance(value.const, datetime.datetime) and value.const.utcoffset():
        raise Refusal("a datetime of another zone than UTC is only compared and subtracted", "convert it to UTC")


def _is_default(test: Test, yes: Value, no: Value) -> bool:
    """``yes if x is None else x``: what COALESCE says shorter."""
    of = test.none_of
    return of is not None and no.column is not None and no.column == of.column and not yes.fails


def unify(one: Value, other: Value) -> Type:
    """Return the type that holds both values unchanged; Refusal where Python's would differ from row to row."""
    if one.type == other.type or other.type == "NULL":
        return one.type
    if one.type == "NULL":
        return other.type
    if one.kind == other.kind == "int":
        return max(one.type, other.type, key=WIDTHS.index)
    if one.kind == other.kind == "float":
        return "DOUBLE"
    hint = None
    if {one.kind, other.kind} == {"int", "float"}:
        hint = "make both float, as in 0.0 for 0 or float(x)"
    elif {one.kind, other.kind} == {"int", "bool"}:
        hint = "make both int, as in int(x)"
    raise Refusal(f"one branch gives {one.name}, the other {other.name}: a column has one type", hint)


def _widened(value: Value, type_: Type) -> Node:
    return cast(value.sql, "DOUBLE") if value.type == "FLOAT" and type_ == "DOUBLE" else value.sql


def _natural(yes: Value, no: Value, type_: Type) -> Type:
    if kind_of(type_) != "int":
        return type_
    types = [v.natural or v.type for v in (yes, no) if v.type != "NULL"]
    return max(types, key=WIDTHS.index)


def finished(value: Value) -> Node:
    """Return the SQL of a result, cast where the reference would give it another type than Python's."""
    if value.kind in INNER:
        raise Refusal(f"a {value.name} is no value of a column", INNER[value.kind])
    if value.natural is not None and value.natural != value.type:
        return cast(value.sql, value.type)
    return value.sql


def guarded(value: Value, result: Value | Test) -> Value | Test:
    """Return ``result`` where an earlier ``value`` was evaluated without an error."""
    if value.raises:
        raise Refusal("a value that may raise is computed but not used on every path", "compute it where it is used")
    if value.mixed:
        raise Refusal("a value that may be None or an error is computed but not used on every path")
    ran = not_null(value.sql)
    if isinstance(result, Test):
        gate = Test(
            lambda: ran,
            exp.false,
            lambda: case((ran, exp.true())),
            poison=value.poison | SOMETIMES,
            strict=value.strict,
            uses=value.uses,
        )
        return conjunction(gate, result)
    return replace(
        result,
        sql=case((ran, result.sql)),
        poison=result.poison | value.poison | SOMETIMES,
        strict=_lasting(value, result.strict) | value.strict,
        uses=result.uses | value.uses,
        column=None,
        test=None,
        const=UNKNOWN,
    )
