"""DuckDB, embedded: the default engine and the reference."""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import duckdb
from sqlglot import exp

from mdfsql.bind import canonical_schema, describe_files, scan
from mdfsql.catalog import ArrowSource, CacheSource, EngineSource, FileSource, PythonSource, Source
from mdfsql.compile import Plan, compile_relation
from mdfsql.dialects.duckdb import target
from mdfsql.engines.base import users_error
from mdfsql.errors import BackendError, DataError, EngineError
from mdfsql.relation import column, identifier, same_type
from mdfsql.schema import Schema, data_type, quote

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["DuckDBEngine", "write_stream"]

BATCH_ROWS = 65_536

# A connection that has shown so many sources is let go, with its views.
MOST_VIEWS = 256

# Types whose Python values DuckDB itself makes as Arrow would. Not dates: it gives 'infinity' as 9999-12-31.
PLAIN = frozenset({"BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "DOUBLE", "VARCHAR"})

COPY_OPTIONS = {"parquet": "FORMAT parquet, COMPRESSION zstd", "csv": "FORMAT csv, HEADER", "json": "FORMAT json"}


class DuckDBEngine:
    """An embedded DuckDB: in memory, or the file ``database``; ``threads`` and ``memory_limit`` ("4GB") as there."""

    name: ClassVar[str] = "duckdb"
    target = target

    def __init__(
        self, database: str | None = None, threads: int | None = None, memory_limit: str | None = None
    ) -> None:
        config = {"threads": threads, "memory_limit": memory_limit}
        try:
            self._connection = duckdb.connect(
                str(database or ":memory:"), config={k: v for k, v in config.items() if v is not None}
            )
        except duckdb.Error as error:
            raise BackendError(
                f"duckdb: cannot open {database or 'a database in memory'}: {sentence(error)}"
            ) from error
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
        self._connection.execute("ATTACH ':memory:' AS mdf_cache")
        self._lock = threading.Lock()
        self._filling: dict[str, threading.Lock] = {}
        self._running: weakref.WeakSet[Any] = weakref.WeakSet()
        self._cached: set[str] = set()
        self._idle: list[tuple[duckdb.DuckDBPyConnection, set[str]]] = []

    def batches(self, plan: Plan) -> Iterator[pa.RecordBatch]:
        """Run the plan and stream its rows as Arrow batches."""
        with self._lent(plan) as cursor:
            with failures():
                reader = cursor.sql(plan.sql).to_arrow_reader(BATCH_ROWS)
            while True:
                with failures(), _arrow_failures():
                    batch = next(reader, None)
                if batch is None:
                    return
                yield batch

    def rows(self, plan: Plan) -> Iterator[list[tuple[Any, ...]]] | None:
        """Run the plan and stream lists of Python rows; None where a type needs Arrow."""
        if not all(
            type_ in PLAIN or (type_.startswith("DECIMAL") and type_[-1] == ")") for type_ in plan.schema.values()
        ):
            return None
        return self._rows(plan)

    def _rows(self, plan: Plan) -> Iterator[list[tuple[Any, ...]]]:
        with self._lent(plan) as cursor:
            with failures():
                cursor.execute(plan.sql)
            while True:
                with failures():
                    rows = cursor.fetchmany(BATCH_ROWS)
                if not rows:
                    return
                yield rows

    def frame(self, plan: Plan) -> duckdb.DuckDBPyRelation:
        """Return the plan as a DuckDB relation on a connection of its own."""
        with failures():
            return self._show_all(self._cursor(), plan, set(), []).sql(plan.sql)

    def write(self, plan: Plan, path: str, format: str, partition_by: tuple[str, ...]) -> None:
        """Write the rows with COPY: to a file, or to a folder of files for ``partition_by``."""
        with self._lent(plan) as cursor, failures():
            cursor.execute(copy_statement(plan.sql, path, format, partition_by))

    def explain(self, plan: Plan) -> str:
        """Return DuckDB's physical plan."""
        with self._lent(plan) as cursor, failures():
            rows = cursor.execute(f"EXPLAIN {plan.sql}").fetchall()
        return "\n".join(row[1] for row in rows)

    def lookup(self, name: str) -> Schema | None:
        """Return the schema of a table or view of the database, or None."""
        cursor = self._connection.cursor()
        try:
            relation = cursor.sql(f"SELECT * FROM {name_text(name)}")
        except duckdb.CatalogException:
            return None
        return canonical_schema(dict(zip(relation.columns, map(str, relation.types), strict=True)), f"the table {name}")

    def describe(self, format: str, paths: tuple[str, ...]) -> Schema:
        """Return the schema of files."""
        return describe_files(format, paths, {})[0]

    def cancel(self) -> None:
        """Interrupt every query that runs on this engine."""
        for cursor in list(self._running):
            with contextlib.suppress(duckdb.Error):
                cursor.interrupt()

    def close(self) -> None:
        """Close the database."""
        while self._idle:
            self._idle.pop()[0].close()
        self._connection.close()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        try:
            with self._lock:
                cursor = self._connection.cursor()
        except duckdb.Error as error:
            raise BackendError(f"duckdb: the database is closed: {sentence(error)}") from error
        self._running.add(cursor)
        return cursor

    @contextlib.contextmanager
    def _lent(self, plan: Plan) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lend a connection in which the plan's sources stand as views; the next query finds those of files there."""
        try:
            cursor, shown = self._idle.pop()
        except IndexError:
            cursor, shown = self._cursor(), set()
        streams: list[_PythonStream] = []
        with failures():
            self._show_all(cursor, plan, shown, streams)
        try:
            yield cursor
        except Exception:
            # DuckDB, and Arrow behind it, keep only the text of what went wrong in a stream.
            for stream in streams:
                if stream.error is not None:
                    raise stream.error from stream.error.__cause__
            raise
        # Not reached where the query failed or was not read to its end: such a connection is not used again.
        for source in plan.sources:
            if isinstance(source, (ArrowSource, PythonSource)):
                # Its rows may be large, and must go when the source does.
                cursor.unregister(source.name)
                shown.discard(source.name)
        if len(shown) < MOST_VIEWS:
            self._idle.append((cursor, shown))

    def _show_all(
        self, cursor: duckdb.DuckDBPyConnection, plan: Plan, shown: set[str], streams: list[_PythonStream]
    ) -> duckdb.DuckDBPyConnection:
        for source in plan.sources:
            if isinstance(source, PythonSource):
                streams.append(_PythonStream(self, source))
                cursor.register(source.name, streams[-1])
            elif source.name in plan.inlined:
                continue
            elif source.name not in shown:
                self._show(cursor, source)
            shown.add(source.name)
        return cursor

    def _show(self, cursor: duckdb.DuckDBPyConnection, source: Source) -> None:
        if isinstance(source, ArrowSource):
            cursor.register(source.name, source.table)
            return
        if isinstance(source, FileSource):
            own = source.own or tuple(source.schema.items())
            columns = [_canonical_column(n, t, source.schema[n]) for n, t in own]
            text = exp.select(*columns).from_(scan(source.format, source.paths, dict(source.options))).sql("duckdb")
        elif isinstance(source, CacheSource):
            self._fill(source)
            text = f"SELECT * FROM mdf_cache.{quote(source.name)}"
        elif isinstance(source, EngineSource) and source.engine == self.name:
            text = f"SELECT * FROM {name_text(source.frame)}"
        elif isinstance(source, EngineSource):
            raise BackendError(
                f"duckdb: this dataset is made of a frame of {source.engine}, which DuckDB cannot read; "
                f"run it there, or bring it over with Dataset.from_arrow(ds.to_arrow(engine={source.engine!r}))"
            )
        else:
            raise TypeError(f"no way to show a {type(source).__name__}")
        cursor.execute(f"CREATE OR REPLACE TEMP VIEW {quote(source.name)} AS {text}")

    def _fill(self, source: CacheSource) -> None:
        # One thread computes while the others wait. A cached relation may itself read cached ones, in threads of
        # DuckDB's where it runs functions: so each has a lock of its own.
        with self._filling.setdefault(source.name, threading.Lock()):
            if source.name in self._cached:
                return
            plan = compile_relation(source.relation, target)
            with self._lent(plan) as cursor:
                cursor.execute(f"CREATE TABLE mdf_cache.{quote(source.name)} AS {plan.sql}")
            self._cached.add(source.name)
        weakref.finalize(source, _drop, weakref.ref(self), source.name)


class _PythonStream:
    """What a function gives for the rows of a relation, as a table that DuckDB scans: each scan runs it anew."""

    def __init__(self, engine: DuckDBEngine, source: PythonSource) -> None:
        self._engine, self._source = engine, source
        self.error: BaseException | None = None

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the rows as they are asked for: nothing runs before the first."""
        import pyarrow as pa  # loaded when Arrow is first wanted

        reader = pa.RecordBatchReader.from_batches(self._source.program.schema, self._batches())
        return reader.__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        from mdfsql.arrow import conform  # as above
        from mdfsql.rowwise import RowError, run

        try:
            plan = compile_relation(self._source.relation, target)
            yield from run(self._source.program, conform(self._engine.batches(plan), plan.schema, self._engine.name))
        except RowError as error:
            self.error = users_error(error)
            raise
        except GeneratorExit:  # who reads wants no more
            raise
        except BaseException as error:  # KeyboardInterrupt, too
            self.error = error
            raise


def _drop(engine: weakref.ref[DuckDBEngine], name: str) -> None:
    alive = engine()
    if alive is not None:
        alive._filling.pop(name, None)
        with contextlib.suppress(duckdb.Error):
            alive._connection.cursor().execute(f"DROP TABLE IF EXISTS mdf_cache.{quote(name)}")


def _canonical_column(name: str, own: str, wanted: str) -> exp.Expr:
    if same_type(own, wanted):
        return column(name)
    return exp.alias_(exp.Cast(this=column(name), to=data_type(wanted)), identifier(name))


def name_text(name: str) -> str:
    """Return a dotted table name, quoted part by part."""
    return ".".join(quote(part) for part in name.split("."))


def copy_statement(query: str, path: str, format: str, partition_by: tuple[str, ...] = ()) -> str:
    """Return the COPY that writes a query to a local path."""
    options = COPY_OPTIONS[format]
    if format == "csv" and ".tsv" in path[-7:].lower():
        options += ", DELIMITER '\t'"
    if partition_by:
        options += f", PARTITION_BY ({', '.join(quote(name) for name in partition_by)})"
    quoted = path.replace("'", "''")
    return f"COPY ({query}) TO '{quoted}' ({options})"


def write_stream(reader: pa.RecordBatchReader, path: str, format: str) -> None:
    """Write a stream of Arrow batches to one local file, as DuckDB writes its own results."""
    connection = duckdb.connect(":memory:")
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("stream", reader)
        with failures():
            connection.execute(copy_statement("SELECT * FROM stream", path, format))
    finally:
        connection.close()


@contextlib.contextmanager
def failures() -> Iterator[None]:
    """Turn DuckDB's errors into ours, the first sentences first."""
    try:
        yield
    except duckdb.IOException as error:
        raise DataError(f"duckdb: {sentence(error)}") from error
    except duckdb.Error as error:
        raise EngineError(sentence(error), engine="duckdb", cause=error) from error


@contextlib.contextmanager
def _arrow_failures() -> Iterator[None]:
    """Turn what a reader raises, once it has begun, into DuckDB's own error, which it was."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise duckdb.Error(str(error)) from error


def sentence(error: duckdb.Error) -> str:
    """Return the first paragraph of DuckDB's message, without its class and its picture of the query."""
    text = str(error).partition("\n\nLINE ")[0].partition("\nLINE ")[0]
    return " ".join(text.removeprefix("Invalid Input Error: ").split())
