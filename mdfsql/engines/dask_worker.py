"""What runs on a Dask worker: Arrow tables in, one DuckDB query, an Arrow table out.

Importable without Dask, and needs nothing of the rest of the package: a task names a function here and its SQL text.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

__all__ = [
    "CONFIG",
    "Scan",
    "assemble",
    "concat",
    "describe_url",
    "interrupt",
    "piece",
    "read_files",
    "run",
    "split",
    "split_ranges",
    "write",
]

# Each thread's own DuckDB.
_connections: dict[int, duckdb.DuckDBPyConnection] = {}
_readers: dict[int, tuple[tuple[str, ...], duckdb.DuckDBPyConnection]] = {}

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "threads": 1,
    "autoload_known_extensions": False,
}


def connection() -> duckdb.DuckDBPyConnection:
    """Return this thread's own DuckDB: one thread, since Dask runs a partition on each core; no access to files."""
    found = _connections.get(threading.get_ident())
    if found is None:
        found = _connections[threading.get_ident()] = duckdb.connect(":memory:", config=CONFIG)
        found.execute("SET TimeZone = 'UTC'")
    return found


def interrupt(threads: set[int | None]) -> None:
    """Stop the queries that these threads of this process run."""
    for thread in threads & set(_connections):
        _connections[thread].interrupt()  # type: ignore[index]


@dataclass(frozen=True)
class Scan:
    """A query that reads one file here: it is read as part of the query over it, and only as far as that needs."""

    sql: str
    path: str


def run(sql: str, *tables: pa.Table | Scan) -> pa.Table:
    """Return the rows of a query over ``tables``, which it calls i0, i1, ..."""
    with _reaching(tuple(table.path for table in tables if isinstance(table, Scan))) as here:
        names = [f"i{number}" for number in range(len(tables))]
        try:
            for name, table in zip(names, tables, strict=True):
                if isinstance(table, Scan):
                    here.execute(f"CREATE TEMP VIEW {name} AS {table.sql}")
                else:
                    here.register(name, table)
            return here.sql(sql).to_arrow_table()
        finally:
            for name, table in zip(names, tables, strict=True):
                if isinstance(table, Scan):
                    here.execute(f"DROP VIEW IF EXISTS {name}")
                else:
                    here.unregister(name)


@contextlib.contextmanager
def _reaching(paths: tuple[str, ...]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give this thread's own DuckDB, or its reader of these files, which is then the one to interrupt."""
    if not paths:
        yield connection()
        return
    thread, own = threading.get_ident(), connection()
    _connections[thread] = _reader(paths)
    try:
        yield _connections[thread]
    finally:
        _connections[thread] = own


def _reader(paths: tuple[str, ...]) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB that reads these files and no others; a thread keeps its last one."""
    thread = threading.get_ident()
    known, found = _readers.get(thread, ((), None))
    if found is not None and known == paths:
        return found
    if found is not None:
        found.close()
    # Which files may be read is said once for a database, so other files need another one.
    found = duckdb.connect(":memory:", config={k: v for k, v in CONFIG.items() if k != "enable_external_access"})
    _readers[thread] = (paths, found)
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    found.execute(f"SET allowed_paths = [{listed}]")
    found.execute("SET enable_external_access = false")
    # What was read is not kept: it would stay in memory as long as the thread.
    found.execute("SET enable_external_file_cache = false")
    found.execute("SET TimeZone = 'UTC'")
    return found


def concat(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the rows of all tables in their order; their schemas are the same."""
    return pa.concat_tables(tables)


def split(sql: str, pieces: int, *tables: pa.Table) -> list[pa.Table]:
    """Run a query whose last column is a piece's number, and return the rows of each piece, in their order."""
    result = run(sql, *tables)
    numbers = result.column(result.num_columns - 1)
    rows = result.remove_column(result.num_columns - 1)
    # A stable sort: rows of a piece keep the order that they had.
    order = pc.sort_indices(numbers)
    counts = {pair["values"]: pair["counts"] for pair in pc.value_counts(numbers).to_pylist()}
    parts, start = [], 0
    for number in range(pieces):
        size = counts.get(number, 0)
        parts.append(rows.take(order.slice(start, size)))
        start += size
    return parts


def piece(parts: Sequence[pa.Table], number: int) -> pa.Table:
    """Return one of the parts that ``split`` made."""
    return parts[number]


def assemble(number: int, parts: Sequence[Sequence[pa.Table]]) -> pa.Table:
    """Return the pieces of one number of all parts, in their order."""
    return pa.concat_tables([part[number] for part in parts])


def split_ranges(sql: str, samples: Sequence[pa.Table], table: pa.Table) -> list[pa.Table]:
    """Split rows by ranges of their sort key; ``samples`` are key samples of all partitions.

    ``sql`` gives the rows with their key as the last column; there are as many ranges as samples.
    """
    keys = sorted(key for sample in samples for key in sample.column(0).to_pylist())
    wanted = len(samples)
    bounds = [keys[len(keys) * number // wanted] for number in range(1, wanted)] if keys else []
    result = run(sql, table)
    last = result.num_columns - 1
    key = result.column(last)
    rows = result.remove_column(last)
    parts, rest = [], pa.array([True] * len(rows), pa.bool_())
    for bound in bounds:
        below = pc.and_(rest, pc.less(key, pa.scalar(bound, key.type)))
        parts.append(rows.filter(below))
        rest = pc.and_not(rest, below)
    parts.append(rows.filter(rest))
    return parts + [rows.slice(0, 0)] * (wanted - len(parts))


def read_files(sql: str, protocol: str | None) -> pa.Table:
    """Return the rows of a query over files, reached through fsspec where there is a ``protocol``."""
    with _files(protocol) as here:
        return here.sql(sql).to_arrow_table()


def describe_url(format: str, path: str) -> pa.Table:
    """Return an empty table with the columns of a file at a URL."""
    with _files(path.partition("://")[0]) as here:
        reader = {"parquet": here.read_parquet, "csv": here.read_csv, "json": here.read_json}[format]
        return reader(path).limit(0).to_arrow_table()  # type: ignore[operator]


COPY_OPTIONS = {
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "csv": "FORMAT csv, HEADER",
    "json": "FORMAT json",
}


def write(table: pa.Table, path: str, number: int, format: str, partition_by: Sequence[str]) -> None:
    """Write a partition as file ``number`` of the folder ``path``, or as files in folders below it."""
    name = f"part-{number:05d}"
    with _files(path.partition("://")[0] if "://" in path else None) as here:
        here.register("part", table)
        options = COPY_OPTIONS[format]
        file = f"{path}/{name}.{format}"
        if partition_by:
            keys = ", ".join('"' + key.replace('"', '""') + '"' for key in partition_by)
            options += f", PARTITION_BY ({keys}), OVERWRITE_OR_IGNORE, FILENAME_PATTERN '{name}-{{i}}'"
            file = path
        quoted = file.replace("'", "''")
        here.execute(f"COPY part TO '{quoted}' ({options})")


@contextlib.contextmanager
def _files(protocol: str | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB that reaches files."""
    here = duckdb.connect(":memory:", config={"threads": 1})
    try:
        here.execute("SET TimeZone = 'UTC'")
        if protocol:
            import fsspec  # type: ignore[import-untyped]  # needed for URLs only

            here.register_filesystem(fsspec.filesystem(protocol))
        yield here
    finally:
        here.close()
