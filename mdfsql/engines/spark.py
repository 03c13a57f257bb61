"""Spark: a session that is handed over, a cluster, or a local one; results stream as Arrow, partition by partition."""

from __future__ import annotations

import collections
import contextlib
import threading
import uuid
import weakref
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
from pyspark.errors import AnalysisException
from pyspark.java_gateway import local_connect_and_auth
from pyspark.sql import DataFrame

from mdfsql.arrow import arrow_schema
from mdfsql.catalog import CacheSource, EngineSource, PythonSource, Source
from mdfsql.compile import Plan, compile_relation
from mdfsql.dialects.spark import target
from mdfsql.engines.spark_errors import failures
from mdfsql.engines.spark_rows import run_rows
from mdfsql.engines.spark_session import (
    REMEMBERED,
    acting,
    check_alive,
    check_decimals,
    connect_settings,
    forget,
    is_connect,
    open_session,
    private_copy,
    properties,
    release,
    remembers,
)
from mdfsql.engines.spark_sources import as_source, read_files, rebind, source_frame
from mdfsql.engines.spark_types import column_type, schema_of, spark_type
from mdfsql.errors import BackendError, EngineError
from mdfsql.schema import Schema

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["SparkEngine", "schema_of"]

# As much of a result as the driver holds at a time, unless one partition is more.
HELD_BYTES = 64 << 20

EAGER = "org.apache.spark.sql.catalyst.optimizer.ConvertToLocalRelation"

# How results are written, so that what reads them back finds the same values.
WRITE_OPTIONS: dict[str, dict[str, str]] = {
    "parquet": {"compression": "zstd"},
    "csv": {
        "header": "true",
        "escape": '"',
        "timestampFormat": "yyyy-MM-dd HH:mm:ss[.SSSSSS]XXX",
        "timestampNTZFormat": "yyyy-MM-dd HH:mm:ss[.SSSSSS]",
    },
    "json": {
        "ignoreNullFields": "false",
        "timestampFormat": "yyyy-MM-dd HH:mm:ss[.SSSSSS]XXX",
        "timestampNTZFormat": "yyyy-MM-dd HH:mm:ss[.SSSSSS]",
    },
}


class SparkEngine:
    """Spark on the ``spark_session`` handed over, on ``master`` with ``config``, at ``remote``, or else a local one.

    A session that is handed over keeps its settings and views: queries run in a copy of it. ``config`` holds
    Spark's own settings by name; ``remote`` is the address of a Spark Connect server ("sc://host:port").
    """

    name: ClassVar[str] = "spark"
    target = target

    def __init__(
        self,
        spark_session: SparkSession | None = None,
        master: str | None = None,
        config: Mapping[str, Any] | None = None,
        remote: str | None = None,
    ) -> None:
        if spark_session is not None and (master or config or remote):
            raise BackendError("spark: a spark_session has its master and config already; pass it alone")
        if remote is not None and master is not None:
            raise BackendError("spark: pass either master or remote, not both")
        if spark_session is not None:
            if not hasattr(spark_session, "createDataFrame"):
                raise BackendError(f"spark: spark_session is no SparkSession but {type(spark_session).__name__}")
            self._given, self._made = spark_session, False
        else:
            self._given, self._made = open_session(master, config, remote)
        self._connect = is_connect(self._given)
        self._session = private_copy(self._given)
        self._settings = None if self._connect else properties(self._session)
        # Of a session that others use, the parser is theirs.
        self._remembers = self._made and not self._connect and remembers(self._given)
        self._parsed = 0
        self._lock = threading.RLock()
        self._shown: set[str] = set()
        self._dropped: collections.deque[tuple[str, Any]] = collections.deque()
        self._tag = f"mdfsql-{uuid.uuid4().hex}"
        self._cancels = 0
        self._closed = False

    # ---- what an engine does -------------------------------------------------------------------------------------

    def batches(self, plan: Plan) -> Iterator[pa.RecordBatch]:
        """Run the plan and stream its rows as Arrow batches; the driver holds a few partitions at a time."""
        cancels = self._cancels
        with self._running():
            frame = self._frame(plan)
        yield from (
            self._stream_connect(frame) if self._connect else self._stream(frame, arrow_schema(plan.schema), cancels)
        )

    def rows(self, plan: Plan) -> Iterator[list[tuple[Any, ...]]] | None:
        """Return None: Arrow is the fastest way out of Spark."""
        return None

    def frame(self, plan: Plan) -> DataFrame:
        """Return the plan as a DataFrame of the session that was handed over, with the bound names and types.

        Raises Unsupported before Spark 4 for arithmetic of DECIMALs, unless that session computes it as ours do.
        """
        with self._running():
            if not self._connect:
                check_decimals(plan.tree, self._given)
            made = self._bound(plan)
            return made if self._connect else rebind(made, self._given)

    def write(self, plan: Plan, path: str, format: str, partition_by: tuple[str, ...]) -> None:
        """Write the rows as a folder of files, each partition its own."""
        with self._running():
            writer = self._bound(plan).write.format(format).mode("error").options(**WRITE_OPTIONS[format])
            if partition_by:
                writer = writer.partitionBy(*partition_by)
            writer.save(path)

    def explain(self, plan: Plan) -> str:
        """Return Spark's formatted plan; nothing runs."""
        with self._running():
            frame = self._frame(plan)
            if self._connect:
                return str(frame._explain_string(mode="formatted")).strip()
            # The optimizer computes what it knows of small tables, which an explanation must not.
            aside = self._session._jsparkSession.cloneSession()
            aside.conf().set("spark.sql.optimizer.excludedRules", EAGER)
            mode = self._session._jvm.org.apache.spark.sql.execution.ExplainMode.fromString("formatted")
            return str(aside.sql(plan.sql).queryExecution().explainString(mode)).strip()

    def lookup(self, name: str) -> Schema | None:
        """Return the schema of a table or view that the session has, or None."""
        self._check()
        with failures():
            try:
                return schema_of(self._given.table(name))
            except AnalysisException:
                return None

    def describe(self, format: str, paths: tuple[str, ...]) -> Schema:
        """Return the schema of files at URLs as Spark infers it."""
        with self._running():
            return schema_of(read_files(self._session, format, paths))

    def source(self, frame: DataFrame | str) -> EngineSource:
        """Return a DataFrame, or the name of a table of the session, as a source of queries."""
        self._check()
        with failures():
            return as_source(self._given, frame)

    def cancel(self) -> None:
        """Cancel the jobs of this engine that run now; they raise EngineError."""
        self._check()
        self._cancels += 1
        with failures():
            if self._connect:
                self._given.interruptTag(self._tag)
            else:
                self._given._sc.cancelJobsWithTag(self._tag)

    def close(self) -> None:
        """Drop what was registered; stop the session if mdfsql made it."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            with contextlib.suppress(Exception):
                check_alive(self._given)
                self._dropped.extend((name, None) for name in self._shown)
                self._sweep()
        if self._made:
            release(self._given)

    # ---- how -----------------------------------------------------------------------------------------------------

    def _check(self) -> None:
        if self._closed:
            raise BackendError("spark: this engine is closed; open a new one with set_backend('spark')")
        check_alive(self._given)

    @contextlib.contextmanager
    def _running(self) -> Iterator[None]:
        """Run a step that may start jobs: checked, tagged for cancel(), its errors made ours."""
        self._check()
        with failures(), contextlib.ExitStack() as stack:
            if self._connect:
                stack.enter_context(connect_settings(self._given, self._lock))
                self._given.addTag(self._tag)
                stack.callback(self._given.removeTag, self._tag)
            else:
                stack.enter_context(acting(self._session, self._settings))
                context = self._given._sc
                context.addJobTag(self._tag)
                stack.callback(context.removeJobTag, self._tag)
            yield

    def _frame(self, plan: Plan) -> DataFrame:
        with self._lock:
            self._sweep()
            for source in plan.sources:
                self._show(source)
            self._parsed += len(plan.sql)
            if self._remembers and self._parsed > REMEMBERED:
                self._parsed = 0
                forget(self._session)
        return self._session.sql(plan.sql)

    def _bound(self, plan: Plan) -> DataFrame:
        """Return the plan as a DataFrame whose columns have the bound names, in their own case, and types."""
        frame = self._frame(plan).toDF(*(f"c{i}" for i in range(len(plan.schema))))
        own = [column_type(field.dataType, field.name) for field in frame.schema.fields]
        columns = []
        for i, (name, wanted) in enumerate(plan.schema.items()):
            column = frame[f"c{i}"]
            columns.append((column if own[i] == wanted else column.cast(spark_type(wanted))).alias(name))
        return frame.select(*columns)

    def _show(self, source: Source) -> None:
        """Make a source a temporary view, once; it goes when the source does."""
        if source.name in self._shown:
            return
        kept = None
        if isinstance(source, CacheSource):
            frame = kept = self._bound(compile_relation(source.relation, target)).persist()
            frame = frame.toDF(*(name.lower() for name in source.schema))
        elif isinstance(source, PythonSource):
            plan = compile_relation(source.relation, target)
            frame = run_rows(self._bound(plan), arrow_schema(plan.schema), source)
        else:
            frame = source_frame(self._session, self._given, source)
        frame.createOrReplaceTempView(source.name)
        self._shown.add(source.name)
        weakref.finalize(source, self._dropped.append, (source.name, kept))

    def _sweep(self) -> None:
        # The garbage collector may run inside any call to Java, so it only notes what is to be dropped.
        while self._dropped:
            name, kept = self._dropped.popleft()
            self._shown.discard(name)
            with contextlib.suppress(Exception):
                self._session.catalog.dropTempView(name)
                if kept is not None:
                    kept.unpersist()

    def _stream(self, frame: DataFrame, wanted: pa.Schema, cancels: int) -> Iterator[pa.RecordBatch]:
        """Yield the batches of a frame, in its order; a job computes as many partitions as fit in HELD_BYTES."""
        with self._running():
            schema = _arrow_schema(frame, wanted)
            context = self._session._sc
            rdd = frame._jdf.toArrowBatchRdd().toJavaRDD()
            count = rdd.getNumPartitions()
            # How large a partition is shows only once there is one: begin with few.
            at_once = max(min(context.defaultParallelism, 4), 1)
        done = held = 0
        while done < count:
            if cancels != self._cancels:
                # A cancel() between two jobs found nothing to stop.
                raise EngineError("the query was cancelled", engine=self.name)
            with self._running():
                part = list(range(done, min(done + at_once, count)))
                answer = context._jvm.PythonRDD.runJob(context._jsc.sc(), rdd, part)
                messages = _messages(answer)
            done += len(part)
            while True:
                with failures():
                    message = next(messages, None)
                if message is None:
                    break
                held += len(message)
                yield pa.ipc.read_record_batch(pa.py_buffer(message), schema)
            at_once = max(1, min(2 * at_once, HELD_BYTES * done // max(held, 1)))

    def _stream_connect(self, frame: Any) -> Iterator[pa.RecordBatch]:
        with self._running():
            query = frame._plan.to_proto(self._session.client)
            parts = self._session.client.to_table_as_iterator(query, frame._plan.observations)
            part = next(parts, None)
        while part is not None:
            if isinstance(part, pa.Table):
                yield from part.to_batches()
            with failures():
                part = next(parts, None)


def _messages(answer: Any) -> Iterator[bytes]:
    """Yield the Arrow messages that Java serves on a local socket, as they come."""
    file, sock = local_connect_and_auth(answer[0], answer[1])
    try:
        sock.settimeout(None)
        while True:
            length = file.read(4)
            if len(length) < 4 or (size := int.from_bytes(length, "big", signed=True)) < 0:
                return
            yield file.read(size)
    finally:
        file.close()
        sock.close()


def _arrow_schema(frame: DataFrame, wanted: pa.Schema) -> pa.Schema:
    """Return the Arrow schema of the batches of a frame: Spark's own types, under the wanted names."""
    fields = []
    for want, field in zip(wanted, frame.schema.fields, strict=True):
        void = field.dataType.typeName() == "void"
        own = pa.null() if void else arrow_schema({"c": column_type(field.dataType, field.name)}).field(0).type
        fields.append(pa.field(want.name, _named(own, want.type)))
    return pa.schema(fields)


def _named(own: pa.DataType, wanted: pa.DataType) -> pa.DataType:
    """Return a type with the field names of another of its shape: names in a query's structs lose their case."""
    if pa.types.is_struct(own) and pa.types.is_struct(wanted) and own.num_fields == wanted.num_fields:
        return pa.struct([pa.field(w.name, _named(o.type, w.type)) for o, w in zip(own, wanted, strict=True)])
    if pa.types.is_list(own) and pa.types.is_list(wanted):
        return pa.list_(pa.field("element", _named(own.value_type, wanted.value_type)))
    if pa.types.is_map(own) and pa.types.is_map(wanted):
        return pa.map_(_named(own.key_type, wanted.key_type), _named(own.item_type, wanted.item_type))
    return own
