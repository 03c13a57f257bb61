"""Arrow on both edges: Python items and Arrow streams in, an engine's batches checked and cast on the way out."""

from __future__ import annotations

import datetime
import decimal
import itertools
import numbers
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from mdfsql.errors import DataError, EngineError
from mdfsql.schema import Schema, Type, canonical, check_names, data_type, quote, type_name

__all__ = ["arrow_schema", "conform", "read_schema", "table_from_items", "table_from_stream"]

ARROW_TYPES: dict[Type, pa.DataType] = {
    "BOOLEAN": pa.bool_(),
    "TINYINT": pa.int8(),
    "SMALLINT": pa.int16(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "VARCHAR": pa.string(),
    "BLOB": pa.binary(),
    "DATE": pa.date32(),
    "TIME": pa.time64("us"),
    "TIMESTAMP": pa.timestamp("us"),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
    "INTERVAL": pa.month_day_nano_interval(),
}

# Arrow types that are not the Arrow form of a canonical type, and the canonical type that holds all their values.
WIDENED: dict[pa.DataType, Type] = {
    pa.uint8(): "SMALLINT",
    pa.uint16(): "INTEGER",
    pa.uint32(): "BIGINT",
    pa.uint64(): "DECIMAL(20,0)",
    pa.float16(): "FLOAT",
    pa.large_string(): "VARCHAR",
    pa.string_view(): "VARCHAR",
    pa.large_binary(): "BLOB",
    pa.binary_view(): "BLOB",
    pa.date64(): "DATE",
    pa.time32("s"): "TIME",
    pa.time32("ms"): "TIME",
    pa.time64("ns"): "TIME",
}

CANONICAL_OF: dict[pa.DataType, Type] = {arrow: name for name, arrow in ARROW_TYPES.items()} | WIDENED


def arrow_type(type_: Type) -> pa.DataType:
    """Return the Arrow type that carries a canonical type.

    >>> arrow_type("DECIMAL(15,2)[]")
    ListType(list<element: decimal128(15, 2)>)
    """
    return ARROW_TYPES.get(type_) or _nested(data_type(type_))


def _nested(dtype: exp.DataType) -> pa.DataType:
    text = canonical(dtype.sql("duckdb"))
    if text in ARROW_TYPES:
        return ARROW_TYPES[text]
    kind = dtype.this
    if kind in (exp.DataType.Type.LIST, exp.DataType.Type.ARRAY):
        return pa.list_(pa.field("element", _nested(dtype.expressions[0])))
    if kind == exp.DataType.Type.STRUCT:
        return pa.struct([pa.field(f.name, _nested(f.args["kind"])) for f in dtype.expressions])
    if kind == exp.DataType.Type.MAP:
        return pa.map_(_nested(dtype.expressions[0]), _nested(dtype.expressions[1]))
    precision, scale = (int(p.name) for p in data_type(text).expressions)
    return pa.decimal128(precision, scale)


def arrow_schema(schema: Mapping[str, Type]) -> pa.Schema:
    """Return the Arrow schema of a schema.

    >>> arrow_schema({"id": "BIGINT"}).field("id").type
    DataType(int64)
    """
    return pa.schema([pa.field(name, arrow_type(type_)) for name, type_ in schema.items()])


def type_of(dtype: pa.DataType, column: str) -> Type:
    """Return the canonical type that holds every value of an Arrow type; DataError where there is none."""
    if (name := CANONICAL_OF.get(dtype)) is not None:
        return name
    if pa.types.is_timestamp(dtype):
        return "TIMESTAMPTZ" if dtype.tz else "TIMESTAMP"
    if pa.types.is_decimal(dtype) and dtype.precision <= 38 and 0 <= dtype.scale <= dtype.precision:
        return f"DECIMAL({dtype.precision},{dtype.scale})"
    if pa.types.is_dictionary(dtype) or pa.types.is_run_end_encoded(dtype):
        return type_of(dtype.value_type, column)
    if pa.types.is_map(dtype):
        return f"MAP({type_of(dtype.key_type, column)}, {type_of(dtype.item_type, column)})"
    if pa.types.is_nested(dtype) and hasattr(dtype, "value_type"):
        return type_of(dtype.value_type, column) + "[]"
    if pa.types.is_struct(dtype) and dtype.num_fields:
        parts = (f"{quote(f.name)} {type_of(f.type, column + '.' + f.name)}" for f in dtype)
        return f"STRUCT({', '.join(parts)})"
    if pa.types.is_null(dtype):
        raise DataError(f"column {column!r} is None in every row: its type is unknown; pass schema= with its type")
    raise DataError(
        f"column {column!r} has the Arrow type {dtype}, which no engine here can hold; cast or drop it first"
    )


def read_schema(schema: pa.Schema) -> Schema:
    """Return the canonical schema of an Arrow schema; DataError for doubled names and types that cannot be held."""
    check_names(schema.names)
    return Schema({field.name: type_of(field.type, field.name) for field in schema})


def given_schema(schema: object) -> Schema:
    """Return what a ``schema=`` argument means: a mapping of names to SQL or Python types, or an Arrow schema."""
    if isinstance(schema, pa.Schema):
        return read_schema(schema)
    if not isinstance(schema, Mapping):
        raise DataError(f"schema= takes a mapping of column names to types, not {type(schema).__name__}")
    check_names(list(schema))
    types = {}
    for name, type_ in schema.items():
        try:
            types[name] = type_name(type_)
        except ValueError as error:
            raise DataError(f"schema= column {name!r}: {type_!r} is not a column type") from error
    return Schema(types)


# ---- in ----------------------------------------------------------------------------------------------------------


def table_from_items(items: Iterable[Mapping[str, Any]], schema: object = None) -> pa.Table:
    """Return the rows as an Arrow table of canonical types; columns stand in the order of their first appearance.

    Missing keys are None, ints and floats in one column become DOUBLE, dicts STRUCT and lists LIST. ``schema`` gives
    the types of some columns, or the types and the order of all. Raises DataError for no rows without a schema, rows
    that are not dicts, a column that is only None, mixed types (naming the first row of each) and values out of range.

    >>> table_from_items([{"id": 1}, {"id": 2, "x": 0.5}]).to_pydict()
    {'id': [1, 2], 'x': [None, 0.5]}
    """
    rows = items if isinstance(items, list) else list(items)
    given = given_schema(schema) if schema is not None else Schema({})
    if not rows and not given:
        raise DataError("from_items got no rows, so no column is known; pass schema={'name': 'TYPE', ...}")
    if not rows:
        # Not as empty_table(), which imports pandas where it is installed.
        return pa.Table.from_batches([], schema=arrow_schema(given))
    regular = _regular(rows, given)
    if regular is not None:
        return regular
    values = _columns(rows, given)
    if not values:
        raise DataError("from_items got rows without keys, so there is no column")
    check_names(list(values))
    return canonical_table(pa.table({name: _column(name, values[name], given.get(name)) for name in values}))


def _ordered(given: Mapping[str, Type], keys: Iterable[str]) -> list[str]:
    """Return the columns' names: in the schema's order where it has them all, else as they come, the schema's last."""
    keys = list(keys)
    return list(given) if given.keys() >= set(keys) else list(dict.fromkeys(itertools.chain(keys, given)))


# So many rows are read column by column at a time: their values stay in the processor's cache.
CHUNK_ROWS = 8_192

# Inference gives these only where every value is of the one Python type; a float column may hide ints and bools.
UNMIXED = frozenset({pa.bool_(), pa.int64(), pa.string(), pa.binary()})
NUMBERS = frozenset({int, float, type(None)})


def _regular(rows: list[Mapping[str, Any]], given: Mapping[str, Type]) -> pa.Table | None:
    """Return the table of dicts that all have the same keys and plain values of one type in each; None for others."""
    if type(rows[0]) is not dict:
        return None
    names = _ordered(given, rows[0])
    getters = [operator.itemgetter(name) for name in names]
    types = [arrow_type(given[name]) if name in given else None for name in names]
    chunks: list[list[pa.Array]] = [[] for _ in names]
    for start in range(0, len(rows), CHUNK_ROWS):
        some = rows[start : start + CHUNK_ROWS]
        if set(map(type, some)) != {dict} or set(map(len, some)) != {len(names)}:
            return None
        for place, getter in enumerate(getters):
            try:
                values = list(map(getter, some))
                array = pa.array(values, types[place])
            except (KeyError, pa.ArrowException, OverflowError, TypeError, ValueError):
                return None
            plain = types[place] is not None or array.type in UNMIXED
            if not plain and (array.type != pa.float64() or not NUMBERS.issuperset(map(type, values))):
                return None
            chunks[place].append(array)
    if not names or any(array.type != parts[0].type for parts in chunks for array in parts):
        return None
    check_names(names)
    return canonical_table(pa.table([pa.chunked_array(parts) for parts in chunks], names=names))


def _columns(rows: list[Mapping[str, Any]], given: Mapping[str, Type]) -> dict[str, list[Any]]:
    """Return the values of each column; DataError for a row that is no dict."""
    for kind in set(map(type, rows)):
        if not issubclass(kind, Mapping):
            at = next(i for i, row in enumerate(rows) if type(row) is kind)
            raise DataError(f"from_items takes dicts, but row {at} is {kind.__name__}: {rows[at]!r:.80}")
    names = _ordered(given, dict.fromkeys(itertools.chain.from_iterable(rows)))
    return {name: [row.get(name) for row in rows] for name in names}


def _column(name: str, values: list[Any], given: Type | None) -> pa.Array:
    want = arrow_type(given) if given else None
    try:
        array = pa.array(values, want)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        if given is None:
            _check_unmixed(name, values)
        row = next((i for i, v in enumerate(values) if not _fits(v, want)), None)
        where = f", row {row}: {values[row]!r:.60}" if row is not None else ""
        raise DataError(f"column {name!r}{where}: {' '.join(str(error).split())}") from error
    if given is None and array.type not in UNMIXED:
        _check_unmixed(name, values)
    return array


# What counts as one type: the first of these that a value's type is a kind of (NumPy's scalars are numbers, too).
KINDS: tuple[tuple[type, type], ...] = (
    (bool, bool),
    (decimal.Decimal, decimal.Decimal),
    (numbers.Integral, int),
    (numbers.Real, float),
    (str, str),
    (bytes, bytes),
    (datetime.datetime, datetime.datetime),
    (datetime.date, datetime.date),
    (Mapping, dict),
    (Sequence, list),
)


def _kind(of: type) -> type:
    return next((kind for base, kind in KINDS if issubclass(of, base)), of)


def _check_unmixed(name: str, values: list[Any]) -> None:
    kinds = {type_: _kind(type_) for type_ in set(map(type, values)) - {type(None)}}
    if len(set(kinds.values())) > 1 and set(kinds.values()) != {int, float}:
        first = {kind: next(i for i, v in enumerate(values) if kinds.get(type(v)) is kind) for kind in kinds.values()}
        (a, row_a), (b, row_b) = sorted(first.items(), key=lambda pair: pair[1])[:2]
        raise DataError(
            f"column {name!r} mixes {a.__name__} (first in row {row_a}: {values[row_a]!r:.60}) and {b.__name__} "
            f"(first in row {row_b}: {values[row_b]!r:.60}); make them one type, or pass schema="
        )


def _fits(value: Any, want: pa.DataType | None) -> bool:
    try:
        pa.array([value], want)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return False
    return True


def table_from_stream(data: Any) -> pa.Table:
    """Return anything with ``__arrow_c_stream__`` (Arrow, pandas, polars, DuckDB) as a table of canonical types."""
    if isinstance(data, pa.Table):
        table = data
    elif isinstance(data, pa.RecordBatch):
        table = pa.Table.from_batches([data])
    elif type(data).__module__.partition(".")[0] == "pandas":
        # The stream that pandas exports turns a NaN of its float columns into NaN; None and NaT must become NULL.
        table = pa.Table.from_pandas(data, preserve_index=False).replace_schema_metadata(None)
    elif hasattr(data, "__arrow_c_stream__"):
        table = pa.RecordBatchReader.from_stream(data).read_all()
    else:
        raise DataError(f"{type(data).__name__} has no __arrow_c_stream__; pass an Arrow, pandas or polars table")
    return canonical_table(table)


def canonical_table(table: pa.Table) -> pa.Table:
    """Return the table with its columns cast to the Arrow form of their canonical types; DataError where that loses."""
    schema = read_schema(table.schema)
    wanted = arrow_schema(schema)
    columns = []
    for field, column in zip(wanted, table.columns, strict=True):
        try:
            columns.append(column if column.type == field.type else decode(column).cast(field.type))
        except pa.ArrowException as error:
            raise DataError(f"column {field.name!r}: {column.type} to {schema[field.name]}: {error}") from error
    return pa.table(columns, schema=wanted)


def decode(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a dictionary- or run-end-encoded column as plain values, since Arrow casts only those to all types."""
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    if pa.types.is_run_end_encoded(column.type):
        return pa.chunked_array([pc.run_end_decode(chunk) for chunk in column.chunks], column.type.value_type)
    return column


# ---- out ---------------------------------------------------------------------------------------------------------


def conform(batches: Iterable[pa.RecordBatch], schema: Mapping[str, Type], engine: str) -> Iterator[pa.RecordBatch]:
    """Yield the batches with the bound names and types, column by position.

    Values are converted only where nothing can be lost; EngineError names the column where something would be.
    """
    wanted = arrow_schema(schema)
    for batch in batches:
        if batch.num_columns != len(wanted):
            raise EngineError(f"gave {batch.num_columns} columns where {len(wanted)} were bound", engine=engine)
        if batch.schema.equals(wanted):
            yield batch
            continue
        arrays = [_convert(array, field, engine) for array, field in zip(batch.columns, wanted, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=wanted)


def _convert(array: pa.Array, field: pa.Field, engine: str) -> pa.Array:
    if array.type == field.type:
        return array
    if not _may_become(array.type, field.type):
        # Anything further apart was computed differently on the way: a pass is missing.
        raise EngineError(f"column {field.name!r} came as {array.type}, bound as {field.type}", engine=engine)
    try:
        return array.cast(field.type)
    except (pa.ArrowException, NotImplementedError) as error:
        reason = f"column {field.name!r} came as {array.type} and does not fit {field.type}: {error}"
        raise EngineError(reason, engine=engine, cause=error) from error


def _whole(dtype: pa.DataType) -> bool:
    return pa.types.is_integer(dtype) or pa.types.is_decimal(dtype)


def _text(dtype: pa.DataType) -> bool:
    return pa.types.is_string(dtype) or pa.types.is_large_string(dtype) or pa.types.is_string_view(dtype)


def _bytes(dtype: pa.DataType) -> bool:
    return pa.types.is_binary(dtype) or pa.types.is_large_binary(dtype) or pa.types.is_binary_view(dtype)


# Kinds between which a cast keeps the value or raises: integers come as decimals or as whole floats, and so on.
CASTS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.DataType], bool]], ...] = (
    (_whole, _whole),
    (pa.types.is_float64, pa.types.is_integer),
    (pa.types.is_integer, pa.types.is_floating),
    (_text, _text),
    (_bytes, _bytes),
    (pa.types.is_date, pa.types.is_date),
    (pa.types.is_date, pa.types.is_timestamp),
    (pa.types.is_timestamp, pa.types.is_timestamp),
    (pa.types.is_time, pa.types.is_time),
    (pa.types.is_null, lambda wanted: True),
)


def _may_become(own: pa.DataType, wanted: pa.DataType) -> bool:
    if own == wanted:
        return True
    if pa.types.is_dictionary(own):
        return _may_become(own.value_type, wanted)
    if pa.types.is_struct(own) and pa.types.is_struct(wanted):
        # By name, for where the names differ pyarrow casts to NULL.
        return own.names == wanted.names and all(_may_become(a.type, b.type) for a, b in zip(own, wanted, strict=True))
    if pa.types.is_map(own) and pa.types.is_map(wanted):
        return _may_become(own.key_type, wanted.key_type) and _may_become(own.item_type, wanted.item_type)
    if pa.types.is_list(wanted) and (pa.types.is_list(own) or pa.types.is_large_list(own)):
        return _may_become(own.value_type, wanted.value_type)
    return any(kind(own) and other(wanted) for kind, other in CASTS)
