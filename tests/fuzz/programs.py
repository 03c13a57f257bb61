"""Generated programs: a predicate, and a map, with a function of its own for each of its columns."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests.fuzz.grammar import FORMS, RESULTS, Grammar

__all__ = ["Program"]

# A name, and the statements that assign it.
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
            if self.body or self.early:
                parts += [self.column(name, "late"), self.column(name, "free")]
        return "\n".join(parts)

    def row(self, columns: Mapping[str, str]) -> str:
        return self.form.replace("<columns>", ", ".join(f"{n!r}: {e}" for n, e in columns.items()))

    @property
    def predicate(self) -> str:
        """The condition."""
        return self.function("predicate", self.test, self.early.test if self.early else None, whole=self.whole)

    @property
    def map(self) -> str:
        """The map."""
        early = self.row(self.early.columns) if self.early else None
        return self.function("row", self.row(self.columns), early, whole=self.whole)

    def column(self, name: str, how: str = "column") -> str:
        """Return the function of one column of the map.

        A "late" one has no early return, a "free" one neither that, nor an error in the statements.
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
    """Return statements that may fail."""
    return ["try:", *(f"    {line}" for line in lines), "except Exception:", f"    {otherwise}"]
