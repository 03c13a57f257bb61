"""Generated programs: a predicate, and a map with an oracle for each of its columns."""

from __future__ import annotations

import importlib.util
import itertools
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlglot import exp

from mdfsql.errors import CannotLift
from mdfsql.lift import lift_predicate, lift_row, lift_value
from tests.fuzz.grammar import FORMS, PRELUDE, RESULTS, Grammar
from tests.fuzz.oracle import ERROR, POISON, Outcome, python
from tests.fuzz.rows import SCHEMA

__all__ = ["Case", "Program", "Whole", "cases", "module"]

_numbers = itertools.count()


def module(source: str, folder: Path) -> ModuleType:
    """Return a module made of ``source``, with a file behind it."""
    name = f"generated_{next(_numbers)}"
    path = folder / f"{name}.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


Body = list[tuple[str, list[str]]]


@dataclass
class Early:
    """A return before the last one: where it is taken, and what is given then."""

    when: str
    test: str
    columns: dict[str, str]


@dataclass
class Program:
    """The source of a predicate and of a map; ``number`` tells the programs of one module apart."""

    number: int
    body: Body
    test: str
    whole: bool  # statements that are not needed stand there, too
    columns: dict[str, str]
    form: str
    early: Early | None = None

    @staticmethod
    def draw(rng: random.Random, number: int = 0) -> Program:
        """Return a program of the grammar."""
        grammar = Grammar(rng)
        places = range(rng.choice([1, 2, 3]) if rng.random() < 0.5 else 0)
        body = [(f"n{place}", grammar.block(f"n{place}")) for place in places]
        depth = rng.choice([1, 2, 2, 3])
        names = rng.choice([["new"], ["v"], ["s"], ["new", "v"], ["s", "z"]])
        types = {name: rng.choice(RESULTS) for name in names}
        columns = {name: grammar.expression(type_, depth) for name, type_ in types.items()}
        early = None
        if rng.random() < 0.15:
            others = {name: grammar.expression(type_, 1) for name, type_ in types.items()}
            early = Early(grammar.expression("some", 1), grammar.expression("some", 1), others)
        test, form = grammar.expression("some", depth), rng.choice(FORMS)
        return Program(number, body, test, rng.random() < 0.2, columns, form, early)

    @property
    def source(self) -> str:
        """The functions of the program."""
        parts = [self.predicate, self.map]
        for name in self.columns:
            parts.append(self.column(name))
            parts += [self.column(name, "late")] if self.early else []
            parts += [self.column(name, "free")] if self.body else []
        return "\n".join(parts)

    def row(self, columns: Mapping[str, str]) -> str:
        return self.form.replace("<columns>", ", ".join(f"{n!r}: {e}" for n, e in columns.items()))

    @property
    def predicate(self) -> str:
        """The condition."""
        return self.function("predicate", self.test, self.early and self.early.test, whole=self.whole)

    @property
    def map(self) -> str:
        """The map."""
        early = self.row(self.early.columns) if self.early else None
        return self.function("row", self.row(self.columns), early, whole=self.whole)

    def column(self, name: str, how: str = "column") -> str:
        """Return the function of one column of the map.

        A "late" one has no early return, a "free" one goes on where a statement fails.
        """
        early = self.early.columns[name] if self.early and how == "column" else None
        return self.function(f"{how}_{name}", self.columns[name], early, free=how == "free")

    def function(self, name: str, result: str, early: str | None, *, whole: bool = False, free: bool = False) -> str:
        """Return a function with the statements that its result needs, or with the whole body."""
        returns = [f"return {result}"]
        if self.early is not None and early is not None:
            returns[:0] = [f"if {self.early.when}:", f"    return {early}"]
        body = self.body if whole else self.needed("\n".join(returns))
        if free:
            body = attempted(body)
        lines = [line for _, block in body for line in block] + returns
        if len(lines) == 1:
            return f"{name}_{self.number} = lambda r: {result}\n"
        return "\n".join([f"def {name}_{self.number}(r):", *(f"    {x}" for x in lines), ""])

    def needed(self, result: str) -> Body:
        """Leave out what a column does not depend on: a map stores None in the columns that do."""
        kept: Body = []
        text = result
        for name, block in reversed(self.body):
            if re.search(rf"\b{name}\b", text):
                kept.insert(0, (name, block))
                text += "\n" + "\n".join(block)
        return kept


def attempted(body: Body) -> Body:
    """Let statements fail: a result that does not come from them is not changed by that."""
    return [(name, attempt(block, f"{name} = MISSING")) for name, block in body]


def attempt(lines: list[str], otherwise: str) -> list[str]:
    """Return statements that may fail because of None."""
    return ["try:", *(f"    {line}" for line in lines), "except (TypeError, AttributeError):", f"    {otherwise}"]


@dataclass
class Case:
    """One lifted expression, and what Python gives on each row."""

    title: str
    text: str
    node: exp.Expression
    oracle: Callable[..., Any]
    free: Callable[..., Any] | None = None
    expected: list[Any] = field(default_factory=list)
    found: list[Any] = field(default_factory=list)

    @property
    def is_filter(self) -> bool:
        """It is a condition; its answer for a row is whether the row is kept."""
        return self.title == "filter"

    def ask(self, rows: Sequence[dict[str, Any]]) -> None:
        """Note what Python gives."""
        self.expected = [self.answer(python(self.oracle, row)) for row in rows]

    def answer(self, value: Any) -> Any:
        """Return Python's answer as SQL should have it."""
        return value if isinstance(value, Outcome) or not self.is_filter else bool(value)

    def wanted(self, place: int, found: Any, row: dict[str, Any]) -> Any:
        """Return what Python gives where SQL gives ``found``."""
        expected = self.expected[place]
        if expected is POISON and found is not None and self.free is not None and not self.node.find(exp.Case):
            # What the text mentions and the value does not depend on, as in DAY or n1.
            return python(self.free, row)
        return expected

    def has_none(self, row: dict[str, Any]) -> bool:
        """Tell whether a column that the text mentions is None."""
        return any(v is None and f"'{n}'" in self.text for n, v in row.items())

    @property
    def raising(self) -> set[int]:
        """The rows on which Python raises otherwise than because of None."""
        return {place for place, value in enumerate(self.expected) if value is ERROR}


@dataclass
class Whole:
    """A whole map: where Python raises, one of the columns does."""

    text: str
    oracle: Callable[..., Any]
    columns: list[Case]


def cases(
    programs: Sequence[Program], folder: Path, refused: Callable[[CannotLift], None]
) -> tuple[list[Case], list[Whole]]:
    """Return what the programs lift to; ``refused`` is told what does not."""
    wholes: list[Whole] = []
    made = module(PRELUDE + "\n".join(p.source for p in programs), folder)
    found: list[Case] = []
    for program in programs:
        number = program.number
        try:
            function = getattr(made, f"predicate_{number}")
            found.append(Case("filter", program.predicate, lift_predicate(function, SCHEMA), function))
        except CannotLift as error:
            refused(error)
        try:
            outputs = lift_row(getattr(made, f"row_{number}"), SCHEMA)
        except CannotLift as error:
            refused(error)
            continue
        whole = Whole(program.map, getattr(made, f"row_{number}"), [])
        wholes.append(whole)
        for name in program.columns:
            # Which of two equal values a column gets does not matter, not even where that cannot be told.
            how = "late" if program.early and _same(made, f"late_{name}_{number}", outputs[name]) else "column"
            oracle, free = (getattr(made, f"{h}_{name}_{number}", None) for h in (how, "free"))
            assert oracle is not None
            one = Case(f"map: {name}", program.column(name, how), outputs[name], oracle, free)
            whole.columns.append(one)
            found.append(one)
    return found, wholes


def _same(made: ModuleType, name: str, node: exp.Expression) -> bool:
    try:
        return bool(lift_value(getattr(made, name), SCHEMA) == node)
    except CannotLift:
        return False
