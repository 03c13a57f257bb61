"""Dask: dask-sql plans the query, Dask runs it partition by partition, here in threads or on a cluster."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import mdfsql.engines.dask_setup  # noqa: F401 - before anything of Dask's DataFrame

# isort: split
import dask.dataframe as dd
import dask.threaded
import duckdb
import pandas as pd
import pyarrow as pa
from dask.highlevelgraph import HighLevelGraph
from dask.optimization import cull

from mdfsql.arrow import arrow_schema, read_schema
from mdfsql.bind import describe_files
from mdfsql.catalog import ArrowSource, CacheSource, EngineSource, FileSource, PythonSource, Source
from mdfsql.compile import Plan, compile_relation
from mdfsql.dialects.dask_sql import target
from mdfsql.engines import dask_sources, dask_worker
from mdfsql.engines.base import users_error
from mdfsql.engines.dask_frames import Frame, Graph, Key
from mdfsql.engines.dask_plan import Planner
from mdfsql.errors import BackendError, DataError, EngineError, MdfError, Unsupported
from mdfsql.lower.unique_columns import plain_name
from mdfsql.rowwise import Program, RowError, run
from mdfsql.schema import Schema, canonical

__all__ = ["DaskEngine", "schema_of"]

# How long to wait for a scheduler at an address.
TIMEOUT = "4s"

# How often, and how many seconds apart, what runs is interrupted until it stops.
INTERRUPTS, PAUSE = 100, 0.02

ONE_ROW = "one_row"


class DaskEngine:
    """Dask on threads of this process, or on the cluster of a ``client`` or at an ``address`` ("tcp://host:8786")."""

    name: ClassVar[str] = "dask"
    target = target

    def __init__(self, client: Any = None, address: str | None = None) -> None:
        if client is not None and address is not None:
            raise BackendError("dask: give client= or address=, not both")
        self._owned = address is not None
        self._client = _connect(address) if address is not None else client
        self._check()
        self._pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="mdfsql-dask")
        self._lock = threading.RLock()
        # The partitions of tables in memory and of caches, here or on the cluster, by the source's name.
        self._kept: dict[str, list[Any]] = {}
        self._futures: weakref.WeakSet[Any] = weakref.WeakSet()
        self._runs = 0
        self._cancelled_runs = 0
        self._active: set[object] = set()
        self._closed = False

    # ---- running -------------------------------------------------------------------------------------------------

    def batches(self, plan: Plan) -> Iterator[pa.RecordBatch]:
        """Run the plan and stream its rows, partition by partition, in order."""
        graph, frame, (count, offset) = self._lazy(plan)
        if count is None and not offset:
            for table in self._tables(graph, graph.keys(frame), frame.barrier):
                yield from table.to_batches()
            return
        # Only as many partitions run as the limit wants.
        for table in self._tables(graph, graph.keys(frame), frame.barrier, windowed=True):
            rows = table.slice(offset, count)
            offset -= min(offset, len(table))
            yield from rows.to_batches()
            if count is not None:
                count -= len(rows)
                if count == 0:
                    return

    def rows(self, plan: Plan) -> None:
        """Return None: Arrow is the fastest way here."""
        return

    def frame(self, plan: Plan) -> dd.DataFrame:
        """Return the plan as a lazy Dask DataFrame with the bound names, its columns Arrow-backed."""
        graph, frame = self._frame(plan)
        schema = arrow_schema(plan.schema)
        keys = graph.add("frame", [(to_pandas, key, schema) for key in graph.keys(frame)])
        name = str(keys[0][0])  # type: ignore[index]
        meta = to_pandas(schema.empty_table(), schema)
        tasks, _ = cull(graph.tasks, list(keys))
        layers = HighLevelGraph.from_collections(name, tasks)
        return dd.core.new_dd_object(layers, name, meta, (None,) * (len(keys) + 1))

    def write(self, plan: Plan, path: str, format: str, partition_by: tuple[str, ...]) -> None:
        """Write each partition to files of its own in the folder ``path``."""
        graph, frame = self._frame(plan)
        schema = arrow_schema(plan.schema)
        tasks = [
            (write_part, key, schema, path, number, format, partition_by)
            for number, key in enumerate(graph.keys(frame))
        ]
        if "://" not in path:
            os.makedirs(path, exist_ok=True)
        for _ in self._tables(graph, graph.add("write", tasks), frame.barrier):
            pass

    def explain(self, plan: Plan) -> str:
        """Return dask-sql's optimised logical plan, and what brings all rows of a table to one worker."""
        with planning():
            text = self._planner(plan).explain(plan.sql)
        graph, _, _ = self._lazy(plan)
        return "\n".join([text, *(f"-- {why}" for why in dict.fromkeys(graph.gathered))])

    def lookup(self, name: str) -> Schema | None:
        """Return None: Dask has no tables of its own."""
        return None

    def describe(self, format: str, paths: tuple[str, ...]) -> Schema:
        """Return the schema of files, also at URLs that fsspec reaches."""
        first = dask_sources.expand(paths)[0]
        if "://" not in first:
            return describe_files(format, paths, {})[0]
        with failures():
            table = dask_worker.describe_url(format, first)
        return read_schema(table.schema)

    def cancel(self) -> None:
        """Stop what runs now."""
        self._cancelled_runs = self._runs
        if self._client is not None:
            self._client.cancel(list(self._futures), force=True)
            return
        # A thread may be between two tasks: it is interrupted in the next one, but no run that begins meanwhile is.
        stopping = set(self._active)
        for _ in range(INTERRUPTS):
            if not stopping & self._active:
                break
            dask_worker.interrupt({thread.ident for thread in self._pool._threads})
            time.sleep(PAUSE)

    def close(self) -> None:
        """Release the threads, the kept tables, and the connection to a cluster if it was made here."""
        self._closed = True
        self._kept.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._owned and self._client is not None:
            self._client.close()

    # ---- from a plan to tasks -------------------------------------------------------------------------------------

    def _check(self) -> None:
        if getattr(self, "_closed", False):
            raise BackendError("dask: this engine is closed")
        if self._client is not None and self._client.status not in ("running", "connecting"):
            raise BackendError(f"dask: the client is {self._client.status}: its scheduler is gone")

    def _planner(self, plan: Plan) -> Planner:
        tables: dict[str, Any] = {}
        for source in plan.sources:
            names = [*(plain_name(name.lower()) for name in source.schema), dask_sources.DUMMY]
            tables[source.name] = (names, self._scan(source))
        one = pa.table({"c0": [0]})
        tables[ONE_ROW] = (
            ["c0", dask_sources.DUMMY],
            lambda graph, names: dask_sources.scan_parts(Schema({"c0": "BIGINT"}), graph, names, [one]),
        )
        return Planner(tables, plan.tree)

    def _frame(self, plan: Plan) -> tuple[Graph, Frame]:
        """Return the plan as a frame of the bound types; Unsupported where that cannot be had."""
        self._check()
        graph = Graph(spread_out=self._client is not None)
        try:
            return graph, self._settled(plan, graph)
        finally:
            graph.close()

    def _lazy(self, plan: Plan) -> tuple[Graph, Frame, tuple[int | None, int]]:
        """Return the same, with the LIMIT and OFFSET that are still to be applied."""
        self._check()
        graph = Graph(spread_out=self._client is not None)
        try:
            return graph, *self._planned(plan, graph)
        finally:
            graph.close()

    def _settled(self, plan: Plan, graph: Graph) -> Frame:
        """Return a plan as a frame of a graph."""
        frame, (count, offset) = self._planned(plan, graph)
        return graph.limit(frame, count, offset) if count is not None or offset else frame

    def _planned(self, plan: Plan, graph: Graph) -> tuple[Frame, tuple[int | None, int]]:
        with planning():
            frame, cut = self._planner(plan).frame(plan.sql, graph)
        for name, own, wanted in zip(plan.schema, frame.types, plan.schema.values(), strict=True):
            if canonical(own) != wanted:
                why = f"its column {name!r} comes out as {own} there, and is {wanted}"
                raise Unsupported("this query", self.name, why)
        return frame, cut

    def _scan(self, source: Source) -> Any:
        """Return what gives the source's frame."""

        def scan(graph: Graph, names: Sequence[str]) -> Frame:
            if isinstance(source, FileSource):
                return dask_sources.scan_files(source, graph, names)
            if isinstance(source, PythonSource):
                return self._run_rows(source, graph, names)
            if isinstance(source, EngineSource) and source.engine == self.name:
                return dask_sources.scan_frame(source.frame, source.schema, graph, names)
            if isinstance(source, EngineSource):
                raise BackendError(
                    f"dask: this dataset is made of a frame of {source.engine}, which Dask cannot read; "
                    f"run it there, or bring it over with Dataset.from_arrow(ds.to_arrow(engine={source.engine!r}))"
                )
            return dask_sources.scan_parts(source.schema, graph, names, self._parts(source))

        return scan

    def _run_rows(self, source: PythonSource, graph: Graph, names: Sequence[str]) -> Frame:
        """Return what a function gives for the rows of a relation, partition by partition."""
        plan = compile_relation(source.relation, target)
        schema = arrow_schema(plan.schema)
        frame = self._settled(plan, graph)
        tasks = [(run_rows, key, schema, source.program) for key in graph.keys(frame)]
        return dask_sources.scan_parts(source.schema, graph, names, tasks, frame.barrier)

    def _parts(self, source: Source) -> list[Any]:
        """Return the partitions of a table in memory or of a cache, kept while the source lives."""
        with self._lock:
            if source.name not in self._kept:
                if isinstance(source, ArrowSource):
                    parts: list[Any] = dask_sources.cut(source.table)
                    if self._client is not None:
                        with failures():
                            parts = self._client.scatter(parts)
                elif isinstance(source, CacheSource):
                    parts = self._computed(source)
                else:
                    raise TypeError(f"no way to read a {type(source).__name__}")
                self._kept[source.name] = parts
                weakref.finalize(source, self._kept.pop, source.name, None)
            return self._kept[source.name]

    def _computed(self, source: CacheSource) -> list[Any]:
        graph, frame = self._frame(compile_relation(source.relation, target))
        schema = arrow_schema(source.schema)
        keys = graph.add("cache", [(conformed, key, schema) for key in graph.keys(frame)])
        if self._client is None:
            return list(self._tables(graph, keys, frame.barrier))
        with failures():
            futures = self._submit(graph, keys)
            for future in futures:
                future.result()
        return futures

    # ---- from tasks to tables -------------------------------------------------------------------------------------

    def _submit(self, graph: Graph, keys: Sequence[Key]) -> list[Any]:
        tasks, _ = cull(graph.tasks, list(keys))
        futures: list[Any] = self._client.get(tasks, list(keys), sync=False)
        self._futures.update(futures)
        return futures

    def _tables(
        self, graph: Graph, keys: Sequence[Key], barrier: Sequence[Key], windowed: bool = False
    ) -> Iterator[Any]:
        """Yield what the keys give, in order, holding a few at a time; ``windowed`` runs no more than are read."""
        self._runs += 1
        run = self._runs
        width = os.cpu_count() or 1
        if self._client is not None:
            step = width if windowed else len(keys)
            for start in range(0, len(keys), step):
                with failures():
                    futures = self._submit(graph, keys[start : start + step])[::-1]
                while futures:
                    with failures():
                        table = futures.pop().result()
                    yield table
            return
        tasks = graph.tasks
        with failures():
            # What the last exchange made is held; the partitions after it are computed some at a time.
            if barrier:
                tasks = tasks | dict(zip(barrier, self._get(tasks, list(barrier)), strict=True))
        for start in range(0, len(keys), width):
            if self._cancelled_runs >= run:
                raise EngineError("the run was cancelled", engine=self.name)
            with failures():
                tables = self._get(tasks, list(keys[start : start + width]))
            yield from tables

    def _get(self, tasks: dict[Key, Any], keys: list[Key]) -> list[Any]:
        needed, _ = cull(tasks, keys)
        run = object()
        self._active.add(run)
        try:
            return list(dask.threaded.get(needed, keys, pool=self._pool))
        finally:
            self._active.discard(run)


def _connect(address: str) -> Any:
    from distributed import Client  # only where there is a cluster

    try:
        return Client(address, timeout=TIMEOUT, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise BackendError(f"dask: no scheduler answers at {address!r}: {error}") from error


def schema_of(frame: dd.DataFrame) -> Schema:
    """Return the schema of a Dask DataFrame's columns; DataError for types that no engine here holds."""
    meta = frame._meta.rename(columns=str)
    table = pa.Table.from_pandas(meta, preserve_index=False)
    # An object column is text unless it says otherwise: Dask's frames are lazy, so there are no values to ask.
    fields = [f.with_type(pa.string()) if pa.types.is_null(f.type) else f for f in table.schema]
    return read_schema(pa.schema(fields))


# ---- tasks that need pandas, or the package ----------------------------------------------------------------------


def conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a partition with the bound types, its columns called by position."""
    return table.cast(pa.schema([f.with_name(n) for f, n in zip(schema, table.column_names, strict=True)]))


def run_rows(table: pa.Table, schema: pa.Schema, program: Program) -> pa.Table:
    """Return what a function gives for a partition, its columns called by position."""
    batches = run(program, conformed(table, schema).to_batches())
    made = pa.Table.from_batches(batches, schema=program.schema)
    return made.rename_columns([f"c{number}" for number in range(made.num_columns)])


def to_pandas(table: pa.Table, schema: pa.Schema) -> pd.DataFrame:
    """Return a partition as pandas, Arrow-backed: NULL stays apart from NaN, integers stay integers."""
    return (
        conformed(table, schema.with_metadata(None)).rename_columns(schema.names).to_pandas(types_mapper=pd.ArrowDtype)
    )


def write_part(
    table: pa.Table, schema: pa.Schema, path: str, number: int, format: str, partition_by: tuple[str, ...]
) -> int:
    """Write one partition into the folder ``path``; return its number of rows."""
    # A partition without rows leaves no file, but a result without rows leaves one, with its columns.
    if len(table) or (number == 0 and not partition_by):
        rows = conformed(table, schema).rename_columns(schema.names)
        dask_worker.write(rows, path, number, format, partition_by)
    return len(table)


# ---- errors ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def planning() -> Iterator[None]:
    """Turn what dask-sql says while it plans into a refusal: nothing has run yet."""
    try:
        yield
    except MdfError:
        raise
    except OSError as error:
        raise DataError(f"dask: {sentence(error)}") from error
    except Exception as error:
        raise Unsupported("this query", DaskEngine.name, f"dask-sql cannot plan it ({sentence(error)})") from error


@contextlib.contextmanager
def failures() -> Iterator[None]:
    """Turn errors of a run into ours, the root cause first."""
    try:
        yield
    except (MdfError, GeneratorExit, KeyboardInterrupt):
        raise
    except RowError as error:
        raise users_error(error) from error.error.__cause__
    except BaseException as error:
        name = type(error).__name__
        if isinstance(error, duckdb.IOException):
            raise DataError(f"dask: {sentence(error)}") from error
        if name in ("CommClosedError", "ClosedClientError", "TimeoutError"):
            raise BackendError(f"dask: the scheduler is gone: {sentence(error)}") from error
        if name in ("CancelledError", "FutureCancelledError", "InterruptException"):
            raise EngineError("the run was cancelled", engine=DaskEngine.name, cause=error) from error
        if not isinstance(error, Exception):
            raise
        raise EngineError(sentence(error), engine=DaskEngine.name, cause=error) from error


def sentence(error: BaseException) -> str:
    """Return the first paragraph of an error's message."""
    text = str(error).partition("\n\nLINE ")[0].partition("\nLINE ")[0]
    if isinstance(error, duckdb.Error):
        text = text.removeprefix("Invalid Input Error: ")
    return " ".join(text.split()) or type(error).__name__
