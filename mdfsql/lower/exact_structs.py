"""Functions of structs and maps: their types, and how they are written with what Spark has."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.list_functions import BOOL, UBIGINT, Function, fixed, item, items_of, slice_of, unsigned, value_like
from mdfsql.lower.nested_values import empty_list, over, variable
from mdfsql.lower.rules import (
    call,
    case,
    is_null,
    kind,
    literal_text,
    null,
    number,
    of_kind,
    paren,
    raised,
    refuse,
    text,
)
from mdfsql.lower.value_types import common, element_type, list_of, map_of, struct_of

__all__ = ["STRUCTS", "packed", "struct_type"]


# --- structs ----------------------------------------------------------------------------------------------------------


def _fields(dtype: exp.DataType | None) -> list[tuple[str, exp.DataType]]:
    if dtype is None or kind(dtype) != "struct":
        return []
    return [(field.name, field.args["kind"]) for field in dtype.expressions if isinstance(field, exp.ColumnDef)]


def _named(node: Any) -> list[tuple[str, Any]] | None:
    """Return the fields that a call writes out, a := 1; None where one has no name."""
    found = [(part.this.name, part.expression) for part in node if isinstance(part, exp.PropertyEQ)]
    return found if len(found) == len(node) else None


def struct_type(node: Any) -> exp.DataType | None:
    """Return the type of {'a': 1, ...}."""
    fields = _named(node.expressions)
    if not fields or any(value.type is None for _, value in fields):
        return None
    return struct_of([(name, value.type) for name, value in fields])


def packed(node: Any) -> exp.Expr:
    """Return {'a': 1, ...} as the engine writes it."""
    fields = _named(node.expressions)
    if not fields:
        refuse("a struct without names", "it is not shown to agree there", "{'a': ...}")
    return _struct(fields, node.type)


def _struct(fields: list[tuple[str, exp.Expr]], dtype: exp.DataType | None) -> exp.Expr:
    for name, value in fields:
        if kind(value) == "unknown":
            refuse(f"the field {name} of no known type", "it is not the same everywhere", "CAST the value")
    made = call("NAMED_STRUCT", *(part for name, value in fields for part in (text(name), value)))
    made.type = dtype
    return made


def field(struct: exp.Expr, name: str, dtype: exp.DataType | None = None) -> exp.Expr:
    """Return a field of a struct."""
    made = exp.Dot(this=paren(struct), expression=exp.to_identifier(name, quoted=True))
    made.type = dtype
    return made


def _taken(struct: exp.Expr) -> list[tuple[str, exp.Expr]]:
    return [(name, field(struct, name, dtype)) for name, dtype in _fields(struct.type)]


def _extended(arguments: list[Any]) -> list[tuple[str, exp.Expr]] | None:
    """Return the fields of a struct with those that are added or take the place of one."""
    added = _named(arguments[1:])
    if added is None or kind(arguments[0]) != "struct":
        return None
    fields: dict[str, tuple[str, Any]] = {name.lower(): (name, value) for name, value in _taken(arguments[0])}
    for name, value in added:
        fields[name.lower()] = (fields.get(name.lower(), (name, value))[0], value)
    return list(fields.values())


def _extended_type(arguments: list[Any]) -> exp.DataType | None:
    fields = _extended(arguments)
    if fields is None or any(value.type is None for _, value in fields):
        return None
    return struct_of([(name, value.type) for name, value in fields if value.type is not None])


def _insert(node: Any) -> exp.Expr:
    fields = _extended(node.expressions)
    if fields is None:
        refuse(f"{node.name}() of this", "it is not shown to agree there")
    return _struct(fields, node.type)


def _joined(arguments: list[Any]) -> list[tuple[str, exp.Expr]]:
    return [field for struct in arguments for field in _taken(struct)]


def _joined_type(arguments: list[Any]) -> exp.DataType | None:
    if any(kind(struct) != "struct" for struct in arguments):
        return None
    return struct_of([(name, value.type) for name, value in _joined(arguments) if value.type is not None])


def _concat(node: Any) -> exp.Expr:
    if any(kind(struct) != "struct" for struct in node.expressions):
        refuse("struct_concat() of what is no struct", "it is not shown to agree there")
    return _struct(_joined(node.expressions), node.type)


def _keys(node: Any) -> exp.Expr:
    (struct,) = node.expressions
    names = call("ARRAY", *(text(name) for name, _ in _fields(struct.type)))
    if kind(struct) != "struct":
        refuse("struct_keys() of what is no struct", "it is not shown to agree there")
    names.type = node.type
    return case((is_null(struct), null()), default=names)


# --- a part of a value ------------------------------------------------------------------------------------------------


def _part_type(arguments: list[Any]) -> exp.DataType | None:
    value, place = arguments
    if kind(value) == "struct":
        name = (literal_text(place) or "").lower()
        return next((dtype for found, dtype in _fields(value.type) if found.lower() == name), None)
    if kind(value) == "map" and len(value.type.expressions) == 2:
        made: exp.DataType = value.type.expressions[1]
        return made
    if kind(value) == "list" and kind(place) == "null":
        return exp.DataType(this=exp.DataType.Type.NULL)
    return value.type if kind(value) == "text" else element_type(value)


def _part(node: Any) -> exp.Expr:
    value, place = node.expressions
    if kind(value) == "list":
        return item(value, place)
    if kind(value) == "text":
        # One letter, and none where there is none.
        return slice_of(call("array_slice", value, place, place, number(1), type="VARCHAR"))
    if kind(value) == "map":
        return _looked_up(value, place)
    name = literal_text(place)
    if kind(value) == "struct" and name is not None:
        found = next((own for own, _ in _fields(value.type) if own.lower() == name.lower()), None)
        if found is not None:
            return field(value, found, node.type)
    refuse(f"[...] of {kind(value).upper()}", "it is not shown to agree there", "substring() of text, a field's name")


# --- maps -------------------------------------------------------------------------------------------------------------

# -0.0 is another key than 0.0 to one engine, and the same to another.
KEYS = frozenset({"bool", "int", "text", "date", "timestamp"})


def _map_types(node: Any, what: str) -> tuple[exp.DataType, exp.DataType]:
    dtype = node if isinstance(node, exp.DataType) else node.type
    if kind(dtype) != "map" or len(dtype.expressions) != 2:
        refuse(f"{what} of {kind(dtype).upper()}", "it is not shown to agree there")
    key, value = dtype.expressions
    if kind(key) not in KEYS or kind(value) in ("null", "unknown"):
        refuse(f"{what} of a map of {kind(key).upper()} to {kind(value).upper()}", "it is not shown to agree there")
    return key, value


def _looked_up(value: exp.Expr, key: exp.Expr) -> exp.Expr:
    own, found = _map_types(value, "[...]")
    made = call("TRY_ELEMENT_AT", value, value_like(key, own, "a key of a map"))
    made.type = found
    return made


def _pair_type(arguments: list[Any]) -> exp.DataType | None:
    key, value = (common([part.type for part in arguments[side::2]]) for side in (0, 1))
    return None if key is None or value is None else map_of(key, value)


def _pairs(node: Any) -> exp.Expr:
    if kind(node.type) != "map":
        refuse("MAP of values of different types", "engines convert one to the other each in its own way", "CAST them")
    types = _map_types(node.type, "MAP {...}")
    made = call("MAP", *(value_like(part, types[i % 2], "MAP {...}") for i, part in enumerate(node.expressions)))
    made.type = node.type
    return made


def _lists_type(arguments: list[Any]) -> exp.DataType | None:
    key, value = (element_type(part) for part in arguments)
    return None if key is None or value is None else map_of(key, value)


def _from_lists(node: Any) -> exp.Expr:
    for part in node.expressions:
        items_of(part, "MAP()")
    _map_types(node.type, "MAP()")
    return call("MAP_FROM_ARRAYS", *node.expressions)


def _entries_type(arguments: list[Any]) -> exp.DataType | None:
    fields = _fields(element_type(arguments[0]))
    return map_of(fields[0][1], fields[1][1]) if len(fields) == 2 else None


def _from_entries(node: Any) -> exp.Expr:
    (items,) = node.expressions
    if kind(node.type) != "map":
        refuse("map_from_entries() but of a list of structs of two fields", "it is not shown to agree there")
    _map_types(node.type, "map_from_entries()")
    lost = over("EXISTS", items, exp.Is(this=variable(element_type(items)), expression=exp.Null()), BOOL)
    made = call("MAP_FROM_ENTRIES", items)
    made.type = node.type
    return case((lost, raised("map keys can not be NULL")), default=made)


def _side_type(side: int) -> Any:
    return lambda arguments: list_of(arguments[0].type.expressions[side]) if kind(arguments[0]) == "map" else None


def _entry_type(arguments: list[Any]) -> exp.DataType | None:
    if kind(arguments[0]) != "map":
        return None
    key, value = arguments[0].type.expressions
    return list_of(struct_of([("key", key), ("value", value)]))


def _of_map(name: str) -> Any:
    def rule(node: Any) -> exp.Expr:
        (value,) = node.expressions
        _map_types(value, f"{node.name}()")
        return call(name, value)

    return rule


def _cardinality(node: Any) -> exp.Expr:
    (value,) = node.expressions
    of_kind(value, "cardinality()", "map", "list")
    return unsigned(value)


def has_key(node: Any) -> exp.Expr:
    """Return map_contains(), which is NULL for a key that is NULL."""
    value, key = node.expressions
    own, _ = _map_types(value, "map_contains()")
    return call("MAP_CONTAINS_KEY", value, value_like(key, own, "a key of a map"))


def _extract(node: Any) -> exp.Expr:
    value, key = node.expressions
    own, found = _map_types(value, "map_extract()")
    key = value_like(key, own, "a key of a map")
    one = call("ARRAY", _looked_up(value, key))
    one.type = list_of(found)
    lost = is_null(value)
    return case((lost, null()), (call("MAP_CONTAINS_KEY", value, key), one), default=empty_list(list_of(found)))


STRUCTS: dict[str, Function] = {
    "array_extract": Function((2,), _part_type, _part),
    "struct_insert": Function(tuple(range(2, 20)), _extended_type, _insert),
    "struct_update": Function(tuple(range(2, 20)), _extended_type, _insert),
    "struct_concat": Function((2, 3, 4), _joined_type, _concat),
    "struct_keys": Function((1,), fixed(exp.DataType.build("TEXT[]", dialect="duckdb")), _keys),
    "map_pack": Function(tuple(range(2, 200, 2)), _pair_type, _pairs),
    "map_from_lists": Function((2,), _lists_type, _from_lists),
    "map_from_entries": Function((1,), _entries_type, _from_entries),
    "map_keys": Function((1,), _side_type(0), _of_map("MAP_KEYS")),
    "map_values": Function((1,), _side_type(1), _of_map("MAP_VALUES")),
    "map_entries": Function((1,), _entry_type, _of_map("MAP_ENTRIES")),
    "map_extract": Function((2,), _side_type(1), _extract),
    "map_contains": Function((2,), fixed(BOOL), has_key),
    "cardinality": Function((1,), fixed(UBIGINT), _cardinality),
}
