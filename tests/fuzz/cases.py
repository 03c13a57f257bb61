"""What programs lift to, beside what CPython gives: the cases that an engine is asked about."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlglot import exp

from mdfsql.errors import CannotLift
from mdfsql.lift import Unlifted, lift_predicate, lift_row, lift_value
from mdfsql.schema import Schema
from tests.fuzz.grammar import PRELUDE
from tests.fuzz.oracle import Outcome, python
from tests.fuzz.programs import Program
from tests.fuzz.rows import SCHEMA

__all__ = ["Case", "Whole", "cases", "module"]

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


@dataclass
class Case:
    """One lifted expression, and what Python gives on each row."""

    title: str
    text: str
    node: exp.Expression
    oracle: Callable[..., Any]
    program: Program | None = None
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

    def has_none(self, row: dict[str, Any]) -> bool:
        """Tell whether a column that the text mentions is None, or the text makes a None."""
        return self.makes_none or any(_has_none(row[name]) for name in self.mentions if name in row)

    @functools.cached_property
    def mentions(self) -> list[str]:
        """The strings in the text: among them are the columns that it reads."""
        return re.findall(r"'(\w+)'", self.text) + (["v"] if "CONFIG" in self.text else [])

    @functools.cached_property
    def makes_none(self) -> bool:
        """The text makes a None."""
        return bool(MAKES_NONE.search(self.text))

    def essential(self, folder: Path) -> Callable[..., Any]:
        """Return the function without what the value does not depend on, as it lifts to the same SQL without it.

        An error there is one of the whole row, see Whole: a map stores None in the columns that depend on it.
        """
        name = self.title.removeprefix("map: ")
        for lesser in self.program.lesser() if self.program else ():
            made = module(PRELUDE + lesser.column(name), folder)
            found: Callable[..., Any] = getattr(made, f"column_{name}_{lesser.number}")
            with contextlib.suppress(CannotLift):
                if lift_value(found, SCHEMA) == self.node:
                    return found
        return self.oracle


# A search that finds nothing gives None, too.
MAKES_NONE = re.compile(r"(?:\bor|\belse|\breturn|,|(?<![=!])=) None\b|\.(?:search|match|fullmatch)\(|first_word\(")


def _has_none(value: Any) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or any(map(_has_none, parts))


@dataclass
class Whole:
    """A whole map: where Python raises, one of the columns does."""

    text: str
    oracle: Callable[..., Any]
    columns: list[Case]


def lift_columns(function: Callable[..., Any], schema: Schema) -> dict[str, exp.Expression]:
    """Lift every column, or raise what stands in the way of the first that has no SQL."""
    columns: dict[str, exp.Expression] = {}
    for name, found in lift_row(function, schema).items():
        if isinstance(found, Unlifted):
            raise found.error
        columns[name] = found
    return columns


def cases(
    programs: Sequence[Program], folder: Path, refused: Callable[[CannotLift], None]
) -> tuple[list[Case], list[Whole]]:
    """Return what the programs lift to; ``refused`` is told what does not."""
    made = module(PRELUDE + "\n".join(p.source for p in programs), folder)
    found, wholes = list[Case](), list[Whole]()
    for program in programs:
        number = program.number
        try:
            function = getattr(made, f"predicate_{number}")
            found.append(Case("filter", program.predicate, lift_predicate(function, SCHEMA), function))
        except CannotLift as error:
            refused(error)
        try:
            outputs = lift_columns(getattr(made, f"row_{number}"), SCHEMA)
        except CannotLift as error:
            refused(error)
            continue
        whole = Whole(program.map, getattr(made, f"row_{number}"), [])
        wholes.append(whole)
        for name in program.columns:
            oracle = getattr(made, f"column_{name}_{number}")
            one = Case(f"map: {name}", program.column(name), outputs[name], oracle, program)
            whole.columns.append(one)
            found.append(one)
    return found, wholes
