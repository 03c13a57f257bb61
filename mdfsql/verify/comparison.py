"""What verify found: a Comparison, and its parts."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mdfsql.errors import VerificationError

__all__ = ["Cell", "Changed", "Column", "Comparison", "Lone", "SchemaDifference", "Side"]


@dataclass(frozen=True)
class Side:
    """One of the two results: what it is called, its rows, the SQL that made it and the passes that made the SQL.

    ``error`` is what the engine raised in place of a result.
    """

    name: str
    rows: int | None = None
    columns: int | None = None
    sql: str = ""
    passes: tuple[tuple[str, str], ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class SchemaDifference:
    """A column whose name, type or place differs: ``kind`` is name, type, place or missing."""

    kind: str
    column: str
    left: str
    right: str

    def __str__(self) -> str:
        return f"{self.column}: {self.kind}: {self.left} | {self.right}"


@dataclass(frozen=True)
class Column:
    """How a column that both sides have compares over the rows that were paired.

    ``kinds`` counts what its differences are called; ``largest`` is the largest relative difference of its numbers.
    """

    name: str
    type: str
    compared: int
    different: int
    kinds: Mapping[str, int] = field(default_factory=dict)
    largest: float | None = None

    @property
    def match_rate(self) -> float:
        """The share of the paired rows in which the column is the same; 1.0 where no row was paired."""
        return 1.0 - self.different / self.compared if self.compared else 1.0


@dataclass(frozen=True)
class Cell:
    """A value that differs, and what the difference is called."""

    column: str
    left: Any
    right: Any
    kind: str


@dataclass(frozen=True)
class Changed:
    """A row that both sides have with different values: what tells which one it is, and the cells that differ."""

    row: Mapping[str, Any]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Lone:
    """A row of one side without a counterpart; ``copies`` tells how often both sides have the very same row beside."""

    row: Mapping[str, Any]
    copies: int = 0


@dataclass(frozen=True)
class Comparison:
    """What two runs have in common and where they differ: the reference is ``left``, the engine in question ``right``.

    ``changed``, ``left_only`` and ``right_only`` hold the first 10,000 of each; the ``..._count`` have all of them.
    ``notes`` say what was not compared, and why; ``order`` says which order was.
    """

    left: Side
    right: Side
    schema_differences: tuple[SchemaDifference, ...] = ()
    columns: tuple[Column, ...] = ()
    matched: int = 0
    changed: tuple[Changed, ...] = ()
    changed_count: int = 0
    left_only: tuple[Lone, ...] = ()
    left_only_count: int = 0
    right_only: tuple[Lone, ...] = ()
    right_only_count: int = 0
    order: str = ""
    misplaced: int = 0
    first_misplaced: int | None = None
    keys: tuple[str, ...] = ()
    rtol: float = 1e-9
    atol: float = 0.0
    sampled: str = ""
    notes: tuple[str, ...] = ()
    complete: bool = True

    @property
    def equal(self) -> bool:
        """Whether nothing differs but what SQL leaves undefined and what the tolerance allows."""
        return not (
            self.schema_differences
            or self.changed_count
            or self.left_only_count
            or self.right_only_count
            or self.misplaced
            or self.left.error
            or self.right.error
            or self.left.rows != self.right.rows
        )

    def raise_for_difference(self) -> Comparison:
        """Return the comparison itself; raises VerificationError with its text where something differs."""
        if not self.equal:
            raise VerificationError(str(self), comparison=self)
        return self

    def __str__(self) -> str:
        from mdfsql.verify.text import text  # what shows it is loaded when it is shown

        return text(self)

    def __repr__(self) -> str:
        return f"<Comparison of {self.left.name} and {self.right.name}: {'equal' if self.equal else 'different'}>"

    def _repr_html_(self) -> str:
        from mdfsql.verify.html import fragment  # as above

        return fragment(self)

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write one page that needs nothing beside it; it appears when it is complete."""
        from mdfsql.verify.html import write  # as above

        write(self, path)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as dicts, lists, numbers and texts; values as text that tells apart what differs."""
        from mdfsql.verify.values import shown

        def plain(given: Any) -> Any:
            if isinstance(given, (Changed, Lone)):
                row = {name: shown(value) for name, value in given.row.items()}
                if isinstance(given, Lone):
                    return {"row": row, "copies": given.copies}
                return {"row": row, "cells": [plain(cell) for cell in given.cells]}
            if isinstance(given, Cell):
                return {
                    "column": given.column,
                    "left": shown(given.left),
                    "right": shown(given.right),
                    "kind": given.kind,
                }
            if dataclasses.is_dataclass(given) and not isinstance(given, type):
                made = {part.name: plain(getattr(given, part.name)) for part in dataclasses.fields(given)}
                if isinstance(given, Column):
                    made["match_rate"] = given.match_rate
                return made
            if isinstance(given, Mapping):
                return dict(given)
            return [plain(one) for one in given] if isinstance(given, (list, tuple)) else given

        made: dict[str, Any] = {"equal": self.equal, **plain(self)}
        return made

    def to_json(self, path: str | os.PathLike[str] | None = None, indent: int | None = 2) -> str:
        """Return all of it as JSON; with ``path``, it is written there too."""
        import json  # loaded when it is wanted

        text = json.dumps(self.to_dict(), indent=indent, ensure_ascii=False)
        if path is not None:
            write_text(path, text + "\n")
        return text


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file that is there whole or not at all."""
    from mdfsql.write import staged  # loaded when there is something to write

    real = os.path.realpath(os.path.expanduser(os.fspath(path)))
    with staged(real) as stage:
        with open(stage, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.replace(stage, real)
