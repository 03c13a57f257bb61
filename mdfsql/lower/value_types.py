"""What types are the same, and which one values of several types have together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from mdfsql.lower.number_types import common_number
from mdfsql.lower.rules import kind

__all__ = ["common", "element_type", "list_of", "map_of", "same_type", "struct_of", "united"]

T = exp.DataType.Type

NULL = exp.DataType(this=T.NULL)
TIMESTAMP, TIMESTAMPTZ, TEXT = (
    exp.DataType.build(name, dialect="duckdb") for name in ("TIMESTAMP", "TIMESTAMPTZ", "VARCHAR")
)
MOMENTS = frozenset({"date", "timestamp", "timestamptz"})
MERGED = MOMENTS | {"bool", "int", "decimal", "float", "double", "text"}


def common(types: Sequence[exp.DataType | None]) -> exp.DataType | None:
    """Return the type that values of these types have together; None where that is not known."""
    made: exp.DataType | None = None
    for dtype in types:
        if dtype is None:
            return None
        if kind(dtype) == "null":
            continue
        if made is None or made == dtype:
            made = dtype
        elif number := common_number(made, dtype):
            made = number
        elif {kind(made), kind(dtype)} == {"date", "timestamp"}:
            made = TIMESTAMP
        elif kind(made) == kind(dtype) and kind(made) in ("text", "blob", "timestamp", "timestamptz"):
            continue
        else:
            made = _common_parts(made, dtype)
            if made is None:
                return None
    return made or NULL


def united(types: Sequence[exp.DataType | None]) -> exp.DataType | None:
    """Return the type of a column that UNION and its kin make of these types; None where that is not known."""
    made = common(types)
    kinds = {kind(dtype) for dtype in types} - {"null"}
    if made is not None or not kinds <= MERGED:
        return made
    if "text" in kinds:
        return TEXT
    if kinds <= MOMENTS:
        return TIMESTAMPTZ
    if "bool" in kinds and not kinds & MOMENTS:
        return common([dtype for dtype in types if kind(dtype) != "bool"])
    return None


def _common_parts(left: exp.DataType, right: exp.DataType) -> exp.DataType | None:
    """Return the type of two nested types together: of integers the wider one, else what is the same in both."""
    if kind(left) != kind(right):
        return None
    if same_type(left, right):
        # Which of two spellings the fields keep is for the reference to know.
        return left if _names(left) == _names(right) else None
    if kind(left) == "list":
        inner = _part(left.expressions[0], right.expressions[0])
        return None if inner is None else list_of(inner)
    if kind(left) != "struct" or len(left.expressions) != len(right.expressions):
        return None
    fields = []
    for one, other in zip(left.expressions, right.expressions, strict=True):
        inner = _part(one.args["kind"], other.args["kind"])
        if inner is None or one.name != other.name:
            return None
        fields.append((one.name, inner))
    return struct_of(fields)


def _names(dtype: exp.DataType) -> list[str]:
    return [name.this for name in dtype.find_all(exp.Identifier)]


def _part(left: exp.DataType, right: exp.DataType) -> exp.DataType | None:
    if same_type(left, right):
        return left
    found = {kind(left), kind(right)} - {"null"}
    return common([left, right]) if len(found) == 1 and found <= {"int", "list", "struct"} else None


def same_type(left: exp.DataType | None, right: exp.DataType | None) -> bool:
    """Tell whether two types are the same but for the case of the names in them."""
    return left is not None and right is not None and _quoted(left) == _quoted(right)


def _quoted(dtype: exp.DataType) -> str:
    made = dtype.copy()
    for name in made.find_all(exp.Identifier):
        name.set("this", name.this.lower())
        name.set("quoted", True)
    return made.sql("duckdb")


def element_type(node: Any) -> exp.DataType | None:
    """Return the type of the elements of a list, or of a list's type."""
    dtype = node if isinstance(node, exp.DataType) else node.type
    return dtype.expressions[0] if kind(dtype) == "list" and dtype.expressions else None


def list_of(dtype: exp.DataType) -> exp.DataType:
    """Return the type of a list of values of a type."""
    return exp.DataType(this=T.ARRAY, expressions=[dtype.copy()], nested=True)


def struct_of(fields: Sequence[tuple[str, exp.DataType]]) -> exp.DataType:
    """Return the type of a struct."""
    made = [exp.ColumnDef(this=exp.to_identifier(name, quoted=True), kind=dtype.copy()) for name, dtype in fields]
    return exp.DataType(this=T.STRUCT, expressions=made, nested=True)


def map_of(key: exp.DataType, value: exp.DataType) -> exp.DataType:
    """Return the type of a map."""
    return exp.DataType(this=T.MAP, expressions=[key.copy(), value.copy()], nested=True)
