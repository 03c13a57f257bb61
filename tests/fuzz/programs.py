"""Generated programs: a predicate, and a map, with a function of its own for each of its columns."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

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
        return "\n".join([self.predicate, self.map, *map(self.column, self.columns)])

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

    def column(self, name: str) -> str:
        """Return the function of one column of the map."""
        return self.function(f"column_{name}", self.columns[name], self.early.columns[name] if self.early else None)

    def lesser(self) -> Iterator[Program]:
        """Yield the program without its early return, without some of its statements; the shortest first."""
        for count in range(len(self.body) + 1):
            for body in itertools.combinations(self.body, count):
                for early in (None, self.early) if self.early else (None,):
                    if early or self.early or count < len(self.body):
                        yield replace(self, early=early, body=list(body))

    def function(self, name: str, result: str, early: str | None, *, whole: bool = False) -> str:
        """Return a function with the statements that its result needs, or with the whole body."""
        returns = [f"return {result}"]
        if self.early is not None and early is not None:
            returns[:0] = [f"if {self.early.when}:", f"    return {early}"]
        body = self.body if whole else self.needed("\n".join(returns))
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
