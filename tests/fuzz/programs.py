"""Generated programs: a predicate, and a map with an oracle for each of its columns."""

from __future__ import annotations

import importlib.util
import itertools
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlglot import exp

from mdfsql.errors import CannotLift
from mdfsql.lift import lift_predicate, lift_row
from tests.fuzz.grammar import PRELUDE, RESULTS, Grammar
from tests.fuzz.oracle import ERROR, POISON, Outcome, python
from tests.fuzz.rows import SCHEMA

__all__ = ["Case", "Program", "cases", "module"]

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
class Program:
    """The source of a predicate and of a map; ``number`` tells the programs of one module apart."""

    number: int
    body: Body
    test: str
    whole: bool  # statements that are not needed stand there, too
    columns: dict[str, str]
    made: str

    @staticmethod
    def draw(rng: random.Random, number: int = 0) -> Program:
        """Return a program of the grammar."""
        grammar = Grammar(rng)
        places = range(rng.choice([1, 2, 3]) if rng.random() < 0.5 else 0)
        body = [(f"n{place}", grammar.block(f"n{place}")) for place in places]
        depth = rng.choice([1, 2, 2, 3])
        names = rng.choice([["new"], ["v"], ["s"], ["new", "v"], ["s", "z"]])
        columns = {name: grammar.expression(rng.choice(RESULTS), depth) for name in names}
        text = ", ".join(f"{n!r}: {e}" for n, e in columns.items())
        made = f"{{**r, {text}}}"
        if rng.random() < 0.15:
            made = f"{{'id': r['id'], **{{'one': 1}}}} | {{{text}}}"
        return Program(number, body, grammar.expression("some", depth), rng.random() < 0.2, columns, made)

    @property
    def source(self) -> str:
        """The functions of the program."""
        parts = [self.predicate, self.function("row", self.needed(self.made, self.whole), self.made)]
        for name, value in self.columns.items():
            body = self.needed(value)
            parts.append(self.function(f"column_{name}", body, value))
            parts.append(self.function(f"free_{name}", attempted(body), value))
        return "\n".join(parts)

    @property
    def predicate(self) -> str:
        return self.function("predicate", self.needed(self.test, self.whole), self.test)

    def function(self, name: str, body: Body, result: str) -> str:
        if not body:
            return f"{name}_{self.number} = lambda r: {result}\n"
        lines = [line for _, block in body for line in block]
        return "\n".join([f"def {name}_{self.number}(r):", *(f"    {x}" for x in lines), f"    return {result}", ""])

    def needed(self, result: str, whole: bool = False) -> Body:
        """Leave out what a column does not depend on: a map stores None in the columns that do."""
        if whole:
            return self.body
        kept: Body = []
        text = result
        for name, block in reversed(self.body):
            if re.search(rf"\b{name}\b", text):
                kept.insert(0, (name, block))
                text += "\n" + "\n".join(block)
        return kept


def attempted(body: Body) -> Body:
    """Let statements fail: a result that does not come from them is not changed by that."""
    failed = "except (TypeError, AttributeError):"
    return [(n, ["try:", *(f"    {x}" for x in block), failed, f"    {n} = MISSING"]) for n, block in body]


@dataclass
class Case:
    """One lifted expression, and what Python gives on each row."""

    title: str
    text: str
    node: exp.Expression
    oracle: Callable[..., Any]
    free: Callable[..., Any] | None = None
    expected: list[Any] = field(default_factory=list)

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


def cases(programs: Sequence[Program], folder: Path, refused: Callable[[CannotLift], None]) -> list[Case]:
    """Return what the programs lift to; ``refused`` is told what does not."""
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
        for name, value in program.columns.items():
            free = getattr(made, f"free_{name}_{number}") if program.body else None
            text = program.function(f"column_{name}", program.needed(value), value)
            oracle = getattr(made, f"column_{name}_{number}")
            found.append(Case(f"map: {name}", text, outputs[name], oracle, free))
    return found
