"""Sources as Spark DataFrames: columns under lower-case names, of canonical types."""

from __future__ import annotations

import glob
import os
import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import types as st

from mdfsql.catalog import ArrowSource, EngineSource, FileSource, Source
from mdfsql.engines.spark_csv import read_csv
from mdfsql.engines.spark_session import functions, is_connect
from mdfsql.engines.spark_types import column_type, schema_of, spark_struct, spark_type
from mdfsql.errors import BackendError, DataError, Unsupported
from mdfsql.schema import Schema

__all__ = ["as_source", "read_files", "rebind", "source_frame"]

URL = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def source_frame(session: Any, given: Any, source: Source) -> DataFrame:
    """Return a source as a DataFrame of ``session``; ``given`` is the session that native frames and tables are of."""
    if isinstance(source, ArrowSource):
        return arrow_frame(session, source.table, source.schema)
    if isinstance(source, FileSource):
        return file_frame(session, source)
    if isinstance(source, EngineSource) and source.engine == "spark":
        frame = given.table(source.frame) if isinstance(source.frame, str) else source.frame
        _check_own(given, frame)
        return canonical_frame(rebind(frame, session), source.schema)
    if isinstance(source, EngineSource):
        raise BackendError(
            f"spark: this dataset is made of a frame of {source.engine}, which Spark cannot read; "
            f"run it there, or bring it over with Dataset.from_arrow(ds.to_arrow(engine={source.engine!r}))"
        )
    raise TypeError(f"no way to show a {type(source).__name__}")


def as_source(given: Any, frame: DataFrame | str) -> EngineSource:
    """Return a DataFrame, or the name of a table of the session, as a source."""
    if not isinstance(frame, str):
        if not hasattr(frame, "sparkSession"):
            raise DataError(f"spark: not a Spark DataFrame but {type(frame).__name__}")
        _check_own(given, frame)
    schema = schema_of(given.table(frame) if isinstance(frame, str) else frame)
    return EngineSource(schema=schema, engine="spark", frame=frame)


def _check_own(given: Any, frame: Any) -> None:
    other = frame.sparkSession
    same = other is given or (not is_connect(given) and not is_connect(other) and other._sc is given._sc)
    if not same:
        raise BackendError(
            "spark: this DataFrame belongs to another Spark session than the backend's; "
            "pass that session: set_backend('spark', spark_session=frame.sparkSession)"
        )


def rebind(frame: DataFrame, session: Any) -> DataFrame:
    """Return a frame as one of another session of the same SparkContext: its meaning is fixed, its views are there."""
    if is_connect(session) or frame.sparkSession is session:
        return frame
    jvm = session._jvm
    sql = jvm.org.apache.spark.sql
    # Spark 4 split Dataset into an interface and its classic and Connect kinds.
    package = sql.classic if type(frame).__module__.startswith("pyspark.sql.classic") else sql
    return DataFrame(package.Dataset.ofRows(session._jsparkSession, frame._jdf.queryExecution().analyzed()), session)


def canonical_frame(frame: DataFrame, schema: Schema) -> DataFrame:
    """Return a frame with the columns of a schema by position: names in lower case, types cast where they differ."""
    fields = frame.schema.fields
    if len(fields) != len(schema):
        raise DataError(f"the frame has {len(fields)} columns now, {len(schema)} when it was read")
    names = [name.lower() for name in schema]
    frame = frame.toDF(*names)
    sf = functions(frame)
    columns = []
    for name, field, wanted in zip(names, fields, schema.values(), strict=True):
        column = sf.col(f"`{name.replace('`', '``')}`")
        if getattr(field.dataType, "collation", "UTF8_BINARY") != "UTF8_BINARY":
            column = sf.collate(column, "UTF8_BINARY")
        if field.dataType.typeName() == "void" or column_type(field.dataType, name) != wanted:
            column = column.cast(spark_type(wanted))
        columns.append(column.alias(name))
    return frame.select(*columns)


# ---- Arrow -------------------------------------------------------------------------------------------------------


def arrow_frame(session: Any, table: pa.Table, schema: Schema) -> DataFrame:
    """Return an Arrow table as a DataFrame, without one Python object a value."""
    struct = spark_struct(schema)
    for name, column in zip(schema, table.columns, strict=True):
        if any(_is_infinite(chunk) for chunk in column.chunks):
            raise Unsupported(
                f"an infinite {schema[name]} in column {name!r}",
                "spark",
                "it is a far day there, with which it computes",
                "replace it, or drop its rows",
            )
    table = table.rename_columns(struct.names)
    if is_connect(session):
        return session.createDataFrame(table, schema=struct)
    context = session._sc
    rows = max(10_000, min(1_000_000, -(-table.num_rows // (2 * max(context.defaultParallelism, 1)))))
    batches = table.combine_chunks().to_batches(max_chunksize=rows)
    utils = session._jvm.PythonSQLUtils
    messages = context._serialize_to_jvm(
        batches, _ArrowStream(table.schema), utils.readArrowStreamFromFile, session._jvm.ArrowIteratorServer
    )
    frame = DataFrame(utils.toDataFrame(messages, struct.json(), session._jsparkSession), session)
    return frame


def _is_infinite(array: pa.Array) -> bool:
    """Tell whether a date or a moment in an array is one of those that the reference takes for infinite."""
    dtype = array.type
    if pa.types.is_struct(dtype):
        return any(map(_is_infinite, array.flatten()))
    if pa.types.is_map(dtype):
        return _is_infinite(array.keys) or _is_infinite(array.items)
    if pa.types.is_list(dtype) or pa.types.is_large_list(dtype):
        return _is_infinite(array.flatten())
    if not (pa.types.is_date32(dtype) or pa.types.is_timestamp(dtype)):
        return False
    bits = dtype.bit_width
    ends = pc.min_max(array.view(pa.int32() if bits == 32 else pa.int64())).as_py()
    most = 2 ** (bits - 1) - 1
    return ends["max"] == most or ends["min"] == -most


class _ArrowStream:
    """Writes batches as an Arrow stream: what pyspark's own serializer does, in every version and for no batches."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema

    def dump_stream(self, batches: list[pa.RecordBatch], stream: Any) -> None:
        with pa.RecordBatchStreamWriter(stream, self.schema) as writer:
            for batch in batches:
                writer.write_batch(batch)


# ---- files -------------------------------------------------------------------------------------------------------


def file_frame(session: Any, source: FileSource) -> DataFrame:
    """Return files as a DataFrame that reads only the columns and rows that a query asks for."""
    spark_struct(source.schema)  # refuses types that Spark does not have
    paths = local_paths(source.paths)
    if source.format == "parquet":
        return _parquet(session, source, paths)
    if source.format == "csv":
        return read_csv(session, source, paths)
    if source.format == "json":
        return _json(session, source, paths)
    raise Unsupported(f"files of format {source.format}", "spark", "there is no reader for them")


def read_files(session: Any, format: str, paths: tuple[str, ...]) -> DataFrame:
    """Return files at URLs as Spark itself reads them."""
    reader = session.read.format(format)
    if format == "csv":
        reader = reader.options(header="true", inferSchema="true")
    return reader.load(list(paths))


def local_paths(paths: tuple[str, ...]) -> list[str]:
    """Return the files that patterns stand for, as the reference lists them, escaped for Spark; URLs as they are."""
    found: list[str] = []
    for path in paths:
        if URL.match(path):
            found.append(path)
            continue
        files = sorted(glob.glob(path, recursive=True)) if glob.has_magic(path) else [path]
        if os.path.exists(path):
            files = [path]
        for file in files:
            if os.path.basename(file.rstrip("/")).startswith(("_", ".")):
                raise Unsupported(
                    f"the file {file!r}", "spark", "Spark skips names that begin with _ or .", "rename it"
                )
            # Spark would read these signs as a pattern.
            found.append(re.sub(r"([\\*?\[\]{}])", r"\\\1", os.path.abspath(file)))
    if not found:
        raise DataError(f"no file found at {paths[0]!r}")
    return found


# A type of a Parquet file as Spark reads it, and the canonical type: how to get from one to the other without loss.
# All others are cast; where Spark's own cast means something else, the pair is refused.
TO_TEXT = ("binary",)


def _parquet(session: Any, source: FileSource, paths: list[str]) -> DataFrame:
    reader = session.read.option("mergeSchema", "false")
    base = _hive_base(paths) if any("=" in path for path in paths) else None
    if base is not None:
        reader = reader.option("basePath", base)
    frame = reader.parquet(*paths)
    sf = functions(frame)
    fields = {field.name.lower(): field for field in frame.schema.fields}
    columns = []
    for name, wanted in source.schema.items():
        field = fields.get(name.lower())
        if field is None:
            raise DataError(f"parquet {source.paths[0]!r}: Spark finds no column {name!r}")
        column = sf.col(f"`{field.name.replace('`', '``')}`")
        own = dict(source.own).get(name, wanted)
        if own == "UUID":
            raise Unsupported(
                f"the UUID column {name!r} of a Parquet file", "spark", "Spark reads its bytes, not its text"
            )
        columns.append(_read_as(sf, column, field.dataType, wanted, own, name).alias(name.lower()))
    return frame.select(*columns)


def _hive_base(paths: list[str]) -> str | None:
    """Return the folder above the first ``key=value`` part of the paths."""
    found = re.match(r"(.*?)/[^/=]+=[^/]*/", paths[0])
    return found.group(1) if found else None


def _read_as(sf: Any, column: Any, dtype: st.DataType, wanted: str, own: str, name: str) -> Any:
    if isinstance(dtype, st.LongType) and wanted == "TIMESTAMP" and own == "TIMESTAMP_NS":
        return sf.timestamp_micros(sf.floor(column / sf.lit(1000)).cast("bigint")).cast("timestamp_ntz")
    have = column_type(dtype, name)
    if have == wanted:
        return column
    if have in ("BLOB",) or wanted in ("BLOB",) or "TIMESTAMP_NS" in own:
        raise Unsupported(f"the {own} column {name!r} of a Parquet file", "spark", f"Spark reads it as {have}")
    return column.cast(spark_type(wanted))


def _json(session: Any, source: FileSource, paths: list[str]) -> DataFrame:
    options = dict(source.options)
    form = options.pop("format", "auto")
    if options:
        raise Unsupported(f"read_json's option {next(iter(options))!r}", "spark", "there is no such option there")
    if form == "unstructured":
        raise Unsupported(
            "JSON of format 'unstructured'", "spark", "Spark reads one document a line, or one array a file"
        )
    arrays = {_begins_with_array(path) for path in paths} if form == "auto" else {form == "array"}
    if len(arrays) > 1:
        raise Unsupported("JSON files of two formats at once", "spark", "some hold an array, some one document a line")
    own = dict(source.own)
    # Text is read as text and cast after: the reader's own ways with dates and numbers are not the reference's.
    struct = st.StructType(
        [st.StructField(name, _json_type(type_, own.get(name, type_))) for name, type_ in source.schema.items()]
    )
    reader = session.read.schema(struct).options(mode="FAILFAST", multiLine=str(arrays.pop()).lower())
    return canonical_frame(reader.json(paths), source.schema)


PLAIN_JSON = frozenset({"BOOLEAN", "BIGINT", "DOUBLE", "VARCHAR"})


def _json_type(wanted: str, own: str) -> st.DataType:
    if wanted in ("DATE", "TIMESTAMP"):
        return st.StringType()
    if own == "JSON":
        raise Unsupported(
            "JSON values of mixed types", "spark", "their text is not the same there", "read them with DuckDB"
        )
    return spark_type(wanted)


def _begins_with_array(path: str) -> bool:
    if URL.match(path):
        raise Unsupported(
            "JSON at a URL without format=", "spark", "it cannot be seen from here", "pass format='newline_delimited'"
        )
    real = re.sub(r"\\([\\*?\[\]{}])", r"\1", path)
    if os.path.isdir(real):
        return False
    if real.endswith((".gz", ".zst", ".bz2")):
        return False
    with open(real, "rb") as file:
        return file.read(4096).lstrip()[:1] == b"["
