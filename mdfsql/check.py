"""What each engine makes of a query, found out without running it: neither the engine nor the rows need be there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.errors import SqlglotError

from mdfsql.catalog import Source
from mdfsql.compile import TARGETS, target_of, trace
from mdfsql.dataset import Dataset
from mdfsql.errors import BackendError, Unsupported
from mdfsql.frontend import sql
from mdfsql.relation import Relation
from mdfsql.schema import Schema

__all__ = ["Finding", "check", "declared", "statements"]


@dataclass(frozen=True)
class Finding:
    """What one engine makes of one query: the reasons of the passes that change it, or its refusal."""

    engine: str
    passes: tuple[str, ...] = ()
    refusal: Unsupported | None = None

    @property
    def ok(self) -> bool:
        """Whether the engine runs the query, and so answers as the reference does."""
        return self.refusal is None

    def __str__(self) -> str:
        return f"{self.engine}: ok" if self.refusal is None else str(self.refusal)


def check(
    query: str | Dataset,
    engines: Iterable[str] = ("spark", "dask"),
    dialect: str = "duckdb",
    params: Mapping[str, Any] | None = None,
    **tables: Any,
) -> list[Finding]:
    """Return what each engine makes of a query or a dataset; runs nothing, and needs no engine to be installed.

    The query is read as ``mdfsql.sql`` does; a table may also be given as a Schema alone. Raises what ``sql`` raises
    for text that does not read or bind, and BackendError for an engine that there is not.

    >>> found = check("SELECT hash(a) AS h FROM t", ["duckdb", "spark"], t=Schema({"a": "INTEGER"}))
    >>> print(*found, sep="\\n")
    duckdb: ok
    spark: hash() is refused: it is not shown to answer there as DuckDB does
    line 1, column 8:
      SELECT hash(a) AS h FROM t
             ^
    """
    wanted = list(engines)
    for engine in wanted:
        if engine not in TARGETS:
            raise BackendError(f"there is no engine {engine!r}; there are {', '.join(TARGETS)}")
    if not isinstance(query, Dataset):
        given = {name: declared(data) if isinstance(data, Schema) else data for name, data in tables.items()}
        query = sql(query, dialect, params, **given)
    return [_finding(query._relation, engine) for engine in wanted]


def declared(schema: Schema) -> Dataset:
    """Return a dataset of these columns whose rows are not here: it can be checked, and not run."""
    rows = Source(schema=schema)
    return Dataset(Relation(exp.select("*").from_(exp.to_table("_0")), {"_0": rows}, schema=schema))


def _finding(relation: Relation, engine: str) -> Finding:
    try:
        _, _, notes = trace(relation, target_of(engine))
    except Unsupported as refusal:
        return Finding(engine, refusal=refusal)
    return Finding(engine, tuple(note.why for note in notes))


def statements(text: str, dialect: str = "duckdb") -> Iterator[str]:
    r"""Yield each statement of a text alone, at the place where it stands: all before it is blank.

    >>> [part.split() for part in statements("SELECT 1;\n\nSELECT ';';")]
    [['SELECT', '1'], ['SELECT', "';'"]]
    """
    try:
        tokens = sqlglot.tokenize(text, read=dialect)
    except SqlglotError:
        yield text  # whoever reads it says what is wrong, and where
        return
    start, used = 0, False
    for token in tokens:
        if token.token_type != TokenType.SEMICOLON:
            used = True
            continue
        if used:
            yield _blank(text[:start]) + text[start : token.start]
        start, used = token.end + 1, False
    if used:
        yield _blank(text[:start]) + text[start:]


def _blank(text: str) -> str:
    return "".join(c if c in "\r\n\t" else " " for c in text)
