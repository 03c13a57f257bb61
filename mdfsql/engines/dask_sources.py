"""Sources as partitions: tables in memory, files, and Dask's own frames."""

from __future__ import annotations

import functools
import glob
import math
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from mdfsql.arrow import arrow_schema
from mdfsql.bind import scan
from mdfsql.catalog import FileSource
from mdfsql.engines import dask_worker
from mdfsql.engines.dask_frames import Frame, Graph
from mdfsql.errors import DataError
from mdfsql.lower.unique_columns import plain_name
from mdfsql.relation import column
from mdfsql.schema import Schema, data_type

if TYPE_CHECKING:
    import dask.dataframe as dd

__all__ = ["cut", "scan_files", "scan_frame", "scan_parts"]

# A table in memory is cut into partitions of about this many rows, files into parts of this many bytes.
ROWS = 250_000
BYTES = 64_000_000

DUMMY = "_"
"""The column that every table has beside its own, for expressions that read none."""


def cut(table: pa.Table) -> list[pa.Table]:
    """Return a table in memory as partitions."""
    size = max(1, math.ceil(len(table) / max(1, math.ceil(len(table) / ROWS))))
    return [_plain(table.slice(start, size)) for start in range(0, max(len(table), 1), size)]


def scan_parts(
    schema: Schema, graph: Graph, names: Sequence[str], parts: Sequence[Any], barrier: Sequence[Any] = ()
) -> Frame:
    """Return partitions with all columns of the schema: tables that are there already, or tasks that give them."""
    whole = graph.stored(graph.add("table", parts), [own_type(t) for t in schema.values()], barrier)
    lowered = [plain_name(name.lower()) for name in schema]
    return graph.select(whole, [exp.null() if n == DUMMY else exp.column(f"c{lowered.index(n)}") for n in names])


def scan_tasks(schema: Schema, graph: Graph, names: Sequence[str], tasks: Sequence[Any]) -> Frame:
    """Return tables that tasks give, which hold the named columns only."""
    frame = graph.stored(graph.add("read", tasks), _types(schema, names))
    real = [name for name in names if name != DUMMY]
    if real == list(names):
        return frame
    return graph.select(frame, [exp.null() if n == DUMMY else exp.column(f"c{real.index(n)}") for n in names])


def _plain(table: pa.Table) -> pa.Table:
    return table.rename_columns([f"c{number}" for number in range(table.num_columns)])


def _positions(schema: Schema, names: Sequence[str]) -> list[int]:
    lowered = [plain_name(name.lower()) for name in schema]
    # A table of no columns would have no rows.
    return [lowered.index(name) for name in names if name != DUMMY] or [0]


def _types(schema: Schema, names: Sequence[str]) -> list[str]:
    types = list(schema.values())
    return [own_type(types[n]) for n in _positions(schema, names)]


def own_type(type_: str) -> str:
    """Return DuckDB's own spelling of a canonical type, as it prints it."""
    return "TIMESTAMP WITH TIME ZONE" if type_ == "TIMESTAMPTZ" else type_


# ---- files -------------------------------------------------------------------------------------------------------


def scan_files(source: FileSource, graph: Graph, names: Sequence[str]) -> Frame:
    """Return files: one partition a file, several for large Parquet files; only the named columns are read."""
    wanted = [list(source.schema)[n] for n in _positions(source.schema, names)]
    # The cast makes every file's columns those of the whole, whatever a file by itself would be read as.
    outputs = [
        exp.alias_(exp.Cast(this=column(name), to=data_type(source.schema[name])), f"c{number}")
        for number, name in enumerate(wanted)
    ]
    options = dict(source.options)
    if source.format == "json" and source.own:
        options["columns"] = dict(source.own)
    tasks = []
    for path, where in _parts(source):
        files = scan(source.format, [path], options | _hive(source, path))
        if where is not None:
            by_row = exp.PropertyEQ(this=exp.to_identifier("file_row_number"), expression=exp.true())
            files.append("expressions", by_row)
        query = exp.select(*outputs).from_(files)
        if where is not None:
            query.where(where, copy=False)
        tasks.append(_read(source.format, path, query.sql("duckdb")))
    return scan_tasks(source.schema, graph, names, tasks)


def _read(format: str, path: str, sql: str) -> Any:
    """Return what stands for the rows of a file: for Parquet, of which parts can be read, the query that reads it."""
    if format == "parquet" and "://" not in path and not any(c in path for c in "*?["):
        return dask_worker.Scan(sql, path)
    return (dask_worker.read_files, sql, path.partition("://")[0] if "://" in path else None)


def _hive(source: FileSource, path: str) -> dict[str, Any]:
    """Return the option that gives the columns in a path, such as year=2024, the types that they have in the whole."""
    own = dict(source.own)
    types = {k: own[k] for k in re.findall(r"[\\/]([^\\/=]+)=[^\\/]*(?=[\\/])", path) if k in own}
    return {"hive_types": types} if types else {}


def _parts(source: FileSource) -> list[tuple[str, exp.Expr | None]]:
    """Return the path of each part, and the condition that picks its rows."""
    parts: list[tuple[str, exp.Expr | None]] = []
    for path in expand(source.paths):
        # Only a large file's metadata is worth reading while planning.
        if source.format != "parquet" or "://" in path or os.path.getsize(path) < BYTES:
            parts.append((path, None))
            continue
        groups = _row_groups(path)
        if len(groups) < 2:
            parts.append((path, None))
            continue
        row = exp.column("file_row_number")
        for start, end in groups:
            low = exp.GTE(this=row.copy(), expression=exp.Literal.number(start))
            parts.append((path, exp.and_(low, exp.LT(this=row.copy(), expression=exp.Literal.number(end)))))
    return parts


@functools.lru_cache(maxsize=1024)
def _row_groups(path: str) -> list[tuple[int, int]]:
    """Return the ranges of rows of a Parquet file's parts, each some whole row groups of about BYTES bytes."""
    metadata = pq.read_metadata(path)
    ranges: list[tuple[int, int]] = []
    start = end = size = 0
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        end += group.num_rows
        size += group.total_byte_size
        if size >= BYTES:
            ranges.append((start, end))
            start, size = end, 0
    if end > start:
        ranges.append((start, end))
    return ranges


def expand(paths: Sequence[str]) -> list[str]:
    """Return the files that paths and globs name, each glob's in order."""
    files: list[str] = []
    for path in paths:
        if "://" in path:
            files += _expand_url(path)
            continue
        literal = not any(c in path for c in "*?[") or os.path.exists(path)
        found = [path] if literal else sorted(glob.glob(path, recursive=True))
        if not found:
            raise DataError(f"no file found at {path!r}")
        files += found
    return files


def _expand_url(path: str) -> list[str]:
    if not any(c in path for c in "*?["):
        return [path]
    import fsspec  # type: ignore[import-untyped]  # needed for URLs only

    protocol = path.partition("://")[0]
    return [f"{protocol}://{found}" for found in sorted(fsspec.filesystem(protocol).glob(path))]


# ---- Dask's own frames -------------------------------------------------------------------------------------------


def scan_frame(frame: dd.DataFrame, schema: Schema, graph: Graph, names: Sequence[str]) -> Frame:
    """Return a Dask DataFrame: its partitions as Arrow tables of the schema's types."""
    wanted = [list(schema)[n] for n in _positions(schema, names)]
    picked = frame.rename(columns=dict(zip(frame.columns, map(str, frame.columns), strict=True)))[wanted]
    graph.tasks.update(picked.__dask_graph__())
    types = arrow_schema({name: schema[name] for name in wanted})
    tasks = [(from_pandas, key, types) for key in picked.__dask_keys__()]
    return scan_tasks(schema, graph, names, tasks)


def from_pandas(part: Any, schema: pa.Schema) -> pa.Table:
    """Return a pandas partition as Arrow; None, NaT and pandas' NaN for a missing value become NULL."""
    return _plain(pa.Table.from_pandas(part, schema=schema, preserve_index=False).replace_schema_metadata(None))
