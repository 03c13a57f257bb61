"""Sources: the tables that a query can read, each with a unique name and a canonical schema."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mdfsql.schema import Schema

if TYPE_CHECKING:
    import pyarrow as pa

    from mdfsql.relation import Relation
    from mdfsql.rowwise import Program

__all__ = ["ArrowSource", "CacheSource", "EngineSource", "FileSource", "PythonSource", "Source"]

_numbers = itertools.count(1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Source:
    """A table that engines read: its name in a query is unique in the process, its schema canonical.

    Engines show the columns of a source under ``name.lower()``, since a query's identifiers are normalised to that.
    """

    schema: Schema
    kind: str = "table"
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"{self.kind}_{next(_numbers)}")


@dataclass(frozen=True, eq=False, kw_only=True)
class ArrowSource(Source):
    """A table in memory; its columns already have the Arrow form of their canonical types."""

    table: pa.Table
    kind: str = "items"


@dataclass(frozen=True, eq=False, kw_only=True)
class FileSource(Source):
    """Files that every engine scans itself: one format, files or URLs, and the reference's reading of them.

    ``options`` are what the reference decided for CSV (delim, quote, escape, header, dateformat, ...), as pairs;
    ``own`` are the types that the reference itself gives the columns, before they are made canonical;
    ``hive`` are the columns that stand in the paths, as folders ``name=value``.
    """

    format: str
    paths: tuple[str, ...]
    own: tuple[tuple[str, str], ...] = ()
    hive: tuple[str, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()
    kind: str = "files"


@dataclass(frozen=True, eq=False, kw_only=True)
class EngineSource(Source):
    """A table or frame that belongs to one engine: ``frame`` is a native frame, or the table's name there."""

    engine: str
    frame: Any
    kind: str = "frame"


@dataclass(frozen=True, eq=False, kw_only=True)
class CacheSource(Source):
    """The result of a relation, computed once by each engine that reads it and kept while this source lives."""

    relation: Relation
    kind: str = "cached"


@dataclass(frozen=True, eq=False, kw_only=True)
class PythonSource(Source):
    """What a function gives for the rows of a relation: the engine computes those, and runs the function over them.

    ``note`` says for ``explain()`` what runs as Python, and why.
    """

    relation: Relation
    program: Program
    note: str
    kind: str = "python"
