"""mdf.sql and the registered tables."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from sqlglot import exp

from mdfsql.backend import backend
from mdfsql.catalog import EngineSource, Source
from mdfsql.dataset import Dataset, as_dataset
from mdfsql.errors import BindError
from mdfsql.files import file_source, format_of
from mdfsql.query import read_query
from mdfsql.relation import Relation

__all__ = ["register", "sql", "table", "tables", "unregister"]

_registered: dict[str, tuple[str, Dataset]] = {}
_lock = threading.Lock()


def register(name: str, data: Any) -> Dataset:
    """Make data known under a name to ``sql`` and ``table``, in place of what had the name; returns it as a Dataset.

    ``data`` is a Dataset, a list of dicts, a path, an engine's frame, or anything with ``__arrow_c_stream__``.
    Names do not tell upper from lower case.

    >>> register("numbers", [{"n": 1}, {"n": 2}]).columns
    ['n']
    >>> sql("SELECT sum(n) AS total FROM numbers").collect()
    [{'total': 3}]
    >>> unregister("numbers")
    """
    if not isinstance(name, str) or not name:
        raise BindError(f"a table's name is a non-empty string, not {name!r}")
    dataset = as_dataset(data)
    with _lock:
        _registered[name.lower()] = (name, dataset)
    return dataset


def unregister(name: str) -> None:
    """Forget a registered table; BindError where there is none of the name. Datasets made of it go on working."""
    with _lock:
        if _registered.pop(name.lower(), None) is None:
            raise BindError(f"there is no registered table {name!r}; there are: {', '.join(_names()) or 'none'}")


def tables() -> list[str]:
    """Return the names of the registered tables, in the order of their registration."""
    with _lock:
        return _names()


def _names() -> list[str]:
    return [name for name, _ in _registered.values()]


def table(name: str) -> Dataset:
    """Return a table by its name: a registered one, else one that the engine in force has itself.

    Raises BindError where there is neither.
    """
    with _lock:
        found = _registered.get(name.lower())
    if found is not None:
        return found[1]
    own = _engine_table(name)
    if own is None:
        raise BindError(f"there is no table {name!r}; registered are: {', '.join(tables()) or 'none'}")
    return Dataset(Relation(exp.select("*").from_(exp.Table(this=exp.to_identifier("_0", quoted=True))), {"_0": own}))


def _engine_table(name: str) -> Source | None:
    where = backend()
    if where.name == "duckdb" and "database" not in where.options:
        # An embedded database in memory has no tables of its own.
        return None
    schema = where.engine.lookup(name)
    return None if schema is None else EngineSource(schema=schema, engine=where.name, frame=name)


def sql(query: str, dialect: str = "duckdb", params: Mapping[str, Any] | None = None, **tables: Any) -> Dataset:
    """Return one query, which means what it means in its ``dialect``, as a Dataset.

    A table in it is a keyword argument (whatever ``register`` takes), a registered table, a file
    (``FROM 'flights.parquet'``), or a table of the engine in force. ``$name`` parameters are bound as values, never
    spliced into the text. Raises QueryError for text that does not read and for anything but one query, BindError for
    names and types that do not fit.

    >>> sql("SELECT n * $k AS n FROM t", params={"k": 3}, t=[{"n": 2}]).collect()
    [{'n': 6}]
    """
    given = {name.lower(): as_dataset(data) for name, data in tables.items()}
    files: dict[tuple[str, str], Source] = {}

    def resolve(found: exp.Table) -> Relation | Source | None:
        name = ".".join(part.name for part in found.parts) if isinstance(found.this, exp.Identifier) else ""
        if name.lower() in given:
            return given[name.lower()]._relation
        with _lock:
            registered = _registered.get(name.lower())
        if registered is not None:
            return registered[1]._relation
        as_file = _file(found, name)
        if as_file is not None:
            if as_file not in files:
                files[as_file] = file_source(as_file[0], as_file[1], {}, backend())
            return files[as_file]
        return _engine_table(name) if name else None

    known = [*given, *_registered]
    return Dataset(read_query(query, resolve, dialect=dialect, params=params, known=known))


# Table functions that read files, as sqlglot names them.
READERS: dict[type[exp.Expr] | str, str] = {
    exp.ReadCSV: "csv",
    exp.ReadParquet: "parquet",
    "read_parquet": "parquet",
    "parquet_scan": "parquet",
    "read_csv": "csv",
    "read_csv_auto": "csv",
    "read_json": "json",
    "read_json_auto": "json",
    "read_ndjson": "json",
}


def _file(found: exp.Table, name: str) -> tuple[str, str] | None:
    """Return the format and path of a table that names a file, or None."""
    if isinstance(found.this, exp.Identifier):
        format = format_of(name)
        return (format, name) if format else None
    if not isinstance(found.this, exp.Func):
        return None
    key = found.this.name.lower() if isinstance(found.this, exp.Anonymous) else type(found.this)
    format = READERS.get(key)
    if format is None:
        return None
    arguments = list(found.this.expressions)
    if not isinstance(found.this, exp.Anonymous) and isinstance(found.this.this, exp.Expr):
        arguments.insert(0, found.this.this)
    if len(arguments) != 1 or not arguments[0].is_string:
        raise BindError(f"{format} files in a query take one path; for options use Dataset.read_{format}")
    return format, arguments[0].name
