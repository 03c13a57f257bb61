"""Spark's types and the canonical ones, both ways."""

from __future__ import annotations

from typing import Any

from pyspark.sql import types as st
from sqlglot import exp

from mdfsql.errors import DataError, Unsupported
from mdfsql.schema import Schema, Type, data_type, quote

__all__ = ["column_type", "schema_of", "spark_struct", "spark_type"]

T = exp.DataType.Type

SCALARS: dict[exp.DType, st.DataType] = {
    T.BOOLEAN: st.BooleanType(),
    T.TINYINT: st.ByteType(),
    T.SMALLINT: st.ShortType(),
    T.INT: st.IntegerType(),
    T.BIGINT: st.LongType(),
    T.FLOAT: st.FloatType(),
    T.DOUBLE: st.DoubleType(),
    T.TEXT: st.StringType(),
    T.VARCHAR: st.StringType(),
    T.VARBINARY: st.BinaryType(),
    T.BLOB: st.BinaryType(),
    T.DATE: st.DateType(),
    T.TIMESTAMP: st.TimestampNTZType(),
    T.TIMESTAMPNTZ: st.TimestampNTZType(),
    T.DATETIME: st.TimestampNTZType(),
    T.TIMESTAMPTZ: st.TimestampType(),
    T.TIMESTAMPLTZ: st.TimestampType(),
}

CANONICAL: dict[str, Type] = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "binary": "BLOB",
    "date": "DATE",
    "timestamp_ntz": "TIMESTAMP",
    "timestamp": "TIMESTAMPTZ",
    "void": "INTEGER",
}


def spark_type(type_: Type) -> st.DataType:
    """Return Spark's type for a canonical type; Unsupported for TIME and INTERVAL.

    >>> spark_type("STRUCT(a BIGINT[])").simpleString()
    'struct<a:array<bigint>>'
    """
    return _spark_type(data_type(type_))


def _spark_type(dtype: exp.DataType) -> st.DataType:
    kind = dtype.this
    if kind in SCALARS:
        return SCALARS[kind]
    if kind == T.DECIMAL:
        precision, scale = (int(p.name) for p in dtype.expressions)
        return st.DecimalType(precision, scale)
    if kind in (T.LIST, T.ARRAY):
        return st.ArrayType(_spark_type(dtype.expressions[0]))
    if kind == T.STRUCT:
        return st.StructType([st.StructField(f.name, _spark_type(f.args["kind"])) for f in dtype.expressions])
    if kind == T.MAP:
        return st.MapType(_spark_type(dtype.expressions[0]), _spark_type(dtype.expressions[1]))
    raise Unsupported(
        f"the column type {dtype.sql('duckdb')}",
        "spark",
        "Spark has no such type that keeps its values",
        "CAST the column to VARCHAR, or to a number",
    )


def spark_struct(schema: Schema) -> st.StructType:
    """Return Spark's schema of a source: canonical types under the names that queries use."""
    return st.StructType([st.StructField(name.lower(), spark_type(type_)) for name, type_ in schema.items()])


def column_type(dtype: st.DataType, column: str) -> Type:
    """Return the canonical type of a Spark type; DataError where there is none."""
    if isinstance(dtype, st.StringType) or dtype.typeName() in ("char", "varchar"):
        return "VARCHAR"
    if isinstance(dtype, st.DecimalType):
        return f"DECIMAL({dtype.precision},{dtype.scale})"
    if isinstance(dtype, st.ArrayType):
        return column_type(dtype.elementType, column) + "[]"
    if isinstance(dtype, st.MapType):
        return f"MAP({column_type(dtype.keyType, column)}, {column_type(dtype.valueType, column)})"
    if isinstance(dtype, st.StructType) and dtype.fields:
        parts = (f"{quote(f.name)} {column_type(f.dataType, f'{column}.{f.name}')}" for f in dtype.fields)
        return f"STRUCT({', '.join(parts)})"
    name = CANONICAL.get(dtype.simpleString())
    if name is None:
        raise DataError(
            f"column {column!r} has Spark's type {dtype.simpleString()}, which not every engine has; "
            "cast or drop it first"
        )
    return name


def schema_of(frame: Any) -> Schema:
    """Return the canonical schema of a Spark DataFrame; DataError for doubled names and types that cannot be held."""
    seen: set[str] = set()
    for field in frame.schema.fields:
        if field.name.lower() in seen:
            raise DataError(f"column name {field.name!r} stands twice in the frame (case does not count); rename one")
        seen.add(field.name.lower())
    return Schema({field.name: column_type(field.dataType, field.name) for field in frame.schema.fields})
