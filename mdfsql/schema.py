"""Column names and types, in the reference's spelling, with the types that not every engine has mapped once."""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import ItemsView, Iterator, Mapping, Sequence, ValuesView
from typing import TypeAlias

from sqlglot import exp
from sqlglot.errors import SqlglotError

from mdfsql.errors import DataError
from mdfsql.trees import copied

__all__ = [
    "Schema",
    "canonical",
    "check_names",
    "data_type",
    "tree_text",
    "type_name",
    "value_type",
    "wanted_type",
]

Type: TypeAlias = str
"""A canonical type in DuckDB's spelling: ``BIGINT``, ``DECIMAL(15,2)``, ``BIGINT[]``, ``STRUCT(a BIGINT)``."""

T = exp.DType

# Types that not every engine has become one that every engine has. Widening loses nothing; HUGEINT (which DuckDB
# gives for sums of integers) becomes BIGINT, checked: a value outside it raises, never wraps.
CANONICAL: dict[exp.DType, str] = {
    T.UTINYINT: "SMALLINT",
    T.USMALLINT: "INTEGER",
    T.UINT: "BIGINT",
    T.UBIGINT: "DECIMAL(20,0)",
    T.INT128: "BIGINT",
    T.UINT128: "BIGINT",
    T.TIMESTAMP_S: "TIMESTAMP",
    T.TIMESTAMP_MS: "TIMESTAMP",
    T.TIMESTAMP_NS: "TIMESTAMP",
    T.ENUM: "VARCHAR",
    T.UUID: "VARCHAR",
    T.JSON: "VARCHAR",
    T.NULL: "INTEGER",
}

# exp.DataType.Type -> the one spelling used here.
NAMES: dict[exp.DType, str] = {
    T.BOOLEAN: "BOOLEAN",
    T.TINYINT: "TINYINT",
    T.SMALLINT: "SMALLINT",
    T.INT: "INTEGER",
    T.BIGINT: "BIGINT",
    T.FLOAT: "FLOAT",
    T.DOUBLE: "DOUBLE",
    T.TEXT: "VARCHAR",
    T.VARCHAR: "VARCHAR",
    T.CHAR: "VARCHAR",
    T.BLOB: "BLOB",
    T.VARBINARY: "BLOB",
    T.BINARY: "BLOB",
    T.DATE: "DATE",
    T.TIME: "TIME",
    T.TIMESTAMP: "TIMESTAMP",
    T.TIMESTAMPNTZ: "TIMESTAMP",
    T.DATETIME: "TIMESTAMP",
    T.TIMESTAMPTZ: "TIMESTAMPTZ",
    T.TIMESTAMPLTZ: "TIMESTAMPTZ",
    T.INTERVAL: "INTERVAL",
}

INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT"})
FLOATS = frozenset({"FLOAT", "DOUBLE"})


def quote(name: str) -> str:
    """Return ``name`` as a quoted SQL identifier.

    >>> print(quote('a"b'))
    "a""b"
    """
    return '"' + name.replace('"', '""') + '"'


@functools.cache
def canonical(text: str) -> Type:
    """Return the canonical spelling of a DuckDB type; ValueError for one that no result may have.

    >>> canonical("HUGEINT"), canonical("text"), canonical("UINTEGER[]"), canonical('STRUCT(A int, "b c" varchar)')
    ('BIGINT', 'VARCHAR', 'BIGINT[]', 'STRUCT("A" INTEGER, "b c" VARCHAR)')
    """
    try:
        return _spell(read_type(text))
    except SqlglotError as error:
        raise ValueError(f"{text!r} is not a column type") from error


def read_type(text: str) -> exp.DataType:
    """Return a type as DuckDB writes it as a node."""
    # DuckDB writes the type of a bare NULL as a quoted name.
    plain = re.sub(r'"NULL"(?=[\[,)]|$)', "NULL", text.strip())
    return exp.DataType.build(plain, dialect="duckdb")


def _spell(dtype: exp.Expression) -> Type:
    if not isinstance(dtype, exp.DataType):
        raise ValueError(f"{dtype.sql('duckdb')} is not a column type")
    kind = dtype.this
    if kind in (T.LIST, T.ARRAY):
        # A fixed-size array is a list everywhere but in DuckDB.
        return _spell(dtype.expressions[0]) + "[]"
    if kind == T.STRUCT:
        parts = (f"{quote(f.name)} {_spell(f.args['kind'])}" for f in dtype.expressions)
        return f"STRUCT({', '.join(parts)})"
    if kind == T.MAP:
        key, value = dtype.expressions
        return f"MAP({_spell(key)}, {_spell(value)})"
    if kind == T.DECIMAL:
        numbers = [int(p.name) for p in dtype.expressions] or [18, 3]
        return f"DECIMAL({numbers[0]},{numbers[1] if len(numbers) > 1 else 0})"
    name = CANONICAL.get(kind) or NAMES.get(kind)
    if name is None:
        raise ValueError(f"type {dtype.sql('duckdb')} is not supported as a column type")
    return name


def data_type(text: Type) -> exp.DataType:
    """Return a canonical type as a fresh sqlglot node.

    >>> data_type("DECIMAL(15,2)").sql("spark")
    'DECIMAL(15, 2)'
    """
    return copied(value_type(text))


@functools.cache
def value_type(text: Type) -> exp.DataType:
    """Return a canonical type as what values have, one node for all of them; what stands in a tree needs its own."""
    return exp.DataType.build(text, dialect="duckdb")


PYTHON_TYPES: dict[type, Type] = {
    bool: "BOOLEAN",
    int: "BIGINT",
    float: "DOUBLE",
    str: "VARCHAR",
    bytes: "BLOB",
    datetime.date: "DATE",
    datetime.time: "TIME",
    datetime.datetime: "TIMESTAMP",
}


def type_name(given: object) -> Type:
    """Return the canonical type of an SQL type's name or a Python type; ValueError for anything else.

    >>> type_name(float), type_name("int8")
    ('DOUBLE', 'BIGINT')
    """
    if isinstance(given, type):
        if given not in PYTHON_TYPES:
            raise ValueError(f"{given.__name__} is not a column type")
        return PYTHON_TYPES[given]
    return canonical(str(given))


def wanted_type(given: object) -> Type:
    """Return the canonical type that a caller names; DataError, with what would do, for what is none."""
    try:
        return type_name(given)
    except ValueError as error:
        raise DataError(f"{error}; name an SQL type such as BIGINT or VARCHAR, or int, float, str, bool") from error


def check_names(names: Sequence[str]) -> None:
    """Raise DataError where two names are the same to an engine that does not tell upper from lower case."""
    seen: dict[str, str] = {}
    for name in names:
        if not isinstance(name, str) or not name:
            raise DataError(f"column name {name!r} is not a non-empty string; rename the column first")
        if name.lower() in seen:
            other = seen[name.lower()]
            if other == name:
                raise DataError(f"column name {name!r} stands twice; rename one")
            raise DataError(f"column names {other!r} and {name!r} differ only in case, which SQL does not tell apart")
        seen[name.lower()] = name


class Schema(Mapping[str, Type]):
    """Ordered column names and their canonical types; immutable, compared by names, types and order.

    >>> Schema({"id": "BIGINT", "name": "VARCHAR"})
    Schema(id BIGINT, name VARCHAR)
    """

    __slots__ = ("_types",)

    def __init__(self, types: Mapping[str, Type]) -> None:
        self._types = dict(types)

    def __getitem__(self, name: str) -> Type:
        return self._types[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

    # Those of Mapping look each name up.
    def __contains__(self, name: object) -> bool:
        return name in self._types

    def items(self) -> ItemsView[str, Type]:
        return self._types.items()

    def values(self) -> ValuesView[Type]:
        return self._types.values()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Mapping):
            return self is other or list(self.items()) == list(other.items())
        return NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self.items()))

    def __repr__(self) -> str:
        return f"Schema({', '.join(f'{n} {t}' for n, t in self.items())})"


# Spark's names for scalar types, as its printSchema() writes them.
TREE_NAMES = {
    "BOOLEAN": "boolean",
    "TINYINT": "byte",
    "SMALLINT": "short",
    "INTEGER": "integer",
    "BIGINT": "long",
    "FLOAT": "float",
    "DOUBLE": "double",
    "VARCHAR": "string",
    "BLOB": "binary",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "timestamp_ntz",
    "TIMESTAMPTZ": "timestamp",
    "INTERVAL": "interval",
}


def tree_text(schema: Mapping[str, Type]) -> str:
    """Return the schema as the tree that Spark's ``printSchema`` prints.

    >>> print(tree_text({"id": "BIGINT", "tags": "VARCHAR[]"}))
    root
     |-- id: long (nullable = true)
     |-- tags: array (nullable = true)
     |    |-- element: string (containsNull = true)
    """
    lines = ["root"]
    for name, type_ in schema.items():
        _branch(lines, " |", name, value_type(type_), "nullable")
    return "\n".join(lines)


def _branch(lines: list[str], indent: str, name: str, dtype: exp.DataType, null: str) -> None:
    kind = dtype.this
    if kind in (T.LIST, T.ARRAY):
        label = "array"
        children = [("element", dtype.expressions[0], "containsNull")]
    elif kind == T.MAP:
        label = "map"
        children = [("key", dtype.expressions[0], ""), ("value", dtype.expressions[1], "valueContainsNull")]
    elif kind == T.STRUCT:
        label = "struct"
        children = [(f.name, f.args["kind"], "nullable") for f in dtype.expressions]
    else:
        label = TREE_NAMES.get(_spell(dtype)) or _spell(dtype).lower()
        children = []
    lines.append(f"{indent}-- {name}: {label}" + (f" ({null} = true)" if null else ""))
    for child, child_type, child_null in children:
        _branch(lines, indent + "    |", child, child_type, child_null)
