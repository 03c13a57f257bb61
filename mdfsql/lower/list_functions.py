"""Functions of lists and ranges: their types, and how they are written with what Spark has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlglot import exp

from mdfsql.lower.moment_series import moment_series, series_type
from mdfsql.lower.nested_values import ELEMENT, empty_list, lambda_, order_key, over, present, size, variable
from mdfsql.lower.rules import (
    call,
    case,
    cast,
    integer,
    is_null,
    kind,
    null,
    number,
    paren,
    raised,
    refuse,
    text,
    there,
)
from mdfsql.lower.value_types import common, element_type, list_of, same_type

__all__ = [
    "LISTS",
    "Function",
    "contains",
    "fixed",
    "item",
    "items_of",
    "joined_lists",
    "slice_of",
    "sort",
    "unsigned",
    "value_like",
]

Types = Callable[[list[Any]], "exp.DataType | None"]


class Function(NamedTuple):
    """A function: how many arguments it takes, its type by theirs, and what it becomes."""

    arity: tuple[int, ...]
    type: Types
    rule: Callable[[Any], exp.Expr]


BOOL, INT, BIGINT = (exp.DataType.build(name, dialect="duckdb") for name in ("BOOLEAN", "INTEGER", "BIGINT"))
UBIGINT = exp.DataType.build("UBIGINT", dialect="duckdb")


def items_of(node: Any, what: str, *kinds: str) -> exp.DataType:
    """Return the type of the elements of a list, which are of one of these kinds."""
    found = element_type(node)
    if found is None or kind(found) in ("unknown", "null"):
        refuse(f"{what} of {kind(node).upper()}", "it takes lists of values of a known type there", "CAST it")
    if kinds and kind(found) not in kinds:
        refuse(f"{what} of a list of {kind(found).upper()}", "it is not shown to agree there")
    return found


def value_like(value: exp.Expr, dtype: exp.DataType, what: str) -> exp.Expr:
    """Return a value as one of this type, where that is exact."""
    if kind(value) == "null":
        return cast(value, dtype.sql("duckdb"))
    if same_type(value.type, dtype):
        return value.copy()
    if kind(value) == kind(dtype) and same_type(common([value.type, dtype]), dtype):
        return cast(value, dtype.sql("duckdb"))
    refuse(f"{what} of values of different types", "engines convert one to the other each in its own way", "CAST one")


def _int(value: exp.Expr) -> exp.Expr:
    return cast(value, "INTEGER")


def _plus(left: exp.Expr, right: exp.Expr, cls: type[exp.Expr] = exp.Add) -> exp.Expr:
    made = cls(this=paren(left), expression=paren(right))
    made.type = BIGINT
    return made


def _between(low: exp.Expr, value: exp.Expr, high: exp.Expr) -> exp.Expr:
    return exp.Between(this=paren(value), low=paren(low), high=paren(high))


def _clamped(value: exp.Expr, low: exp.Expr, high: exp.Expr) -> exp.Expr:
    """Return a value within bounds; NULL if it is NULL."""
    below, above = (cls(this=paren(value), expression=paren(end)) for cls, end in ((exp.LT, low), (exp.GT, high)))
    made = case((below, low), (above, high), default=value)
    made.type = BIGINT
    return made


def _no_nested_floats(dtype: Any, what: str) -> None:
    if any(kind(part) in ("float", "double", "map", "interval") for part in dtype.find_all(exp.DataType)):
        refuse(f"{what} of such a list", "which of several equal values it gives is not the same everywhere")


# --- positions --------------------------------------------------------------------------------------------------------


def item(items: exp.Expr, place: exp.Expr) -> exp.Expr:
    """Return the element at a position, from the end if it is negative; NULL where there is none."""
    found = element_type(items)
    at = integer(place)
    if kind(place) == "null":
        made = call("GET", items, -1)
    elif at is not None:
        # Zero is no position, and what is beyond 32 bits is none either.
        plain = at != 0 and abs(at) < 2**31
        made = call("TRY_ELEMENT_AT", items, _small(at)) if plain else call("GET", items, _small(-1))
    else:
        if kind(place) != "int":
            refuse(f"a list's index of {kind(place).upper()}", "it is not shown to agree there", "CAST it to BIGINT")
        n = size(items)
        last = exp.Neg(this=n.copy())
        last.type = INT
        forward = (_between(number(1), place, n), _plus(place, number(1), exp.Sub))
        backward = (_between(last, place, number(-1)), _plus(n, place))
        made = call("GET", items, _int(case(forward, backward, default=number(-1))))
    made.type = found
    return made


def _small(value: int) -> exp.Expr:
    made = number(value)
    made.type = INT
    return made


def slice_of(node: Any) -> exp.Expr:
    items, first, last, step = node.expressions
    letters = kind(items) == "text"
    if not letters:
        items_of(items, "[a:b]")
    by = integer(step)
    if letters and by != 1:
        refuse("a slice of text with a step", "it is not shown to agree there")
    if not by:
        refuse("a slice's step that is no constant number but 0", "it is not shown to agree there")
    if by < 0:
        first, last = last, first
    if any(kind(end) not in ("int", "null") for end in (first, last)):
        refuse("a slice's ends that are no integers", "it is not shown to agree there", "CAST them to BIGINT")
    if "null" in (kind(first), kind(last)):
        return cast(null(), items.type.sql("duckdb"))
    n = call("CHAR_LENGTH", items, type="INTEGER") if letters else size(items)
    start = integer(first)
    if start is not None and start >= 0:
        low = _clamped(number(max(start - 1, 0)), number(0), n) if start > 1 else number(0)
    else:
        above = exp.GT(this=paren(first), expression=number(0))
        below = exp.LT(this=paren(first), expression=number(0))
        shifted = case((above, _plus(first, number(1), exp.Sub)), (below, _plus(n, first)), default=first)
        low = _clamped(shifted, number(0), n)
    end = integer(last)
    if end is not None and end >= 0:
        high = last
    else:
        behind = exp.LT(this=paren(last), expression=number(0))
        high = case((behind, _plus(_plus(n, last), number(1))), default=last)
    high = _clamped(high, low, n)
    function = "SUBSTRING" if letters else "SLICE"
    made = call(function, items, _int(_plus(low, number(1))), _int(_plus(high, low, exp.Sub)))
    if by < 0:
        made = call("REVERSE", made)
    made.type = items.type
    if abs(by) > 1:
        rest = exp.Mod(this=variable(INT, "_i"), expression=number(abs(by)))
        rest.type = INT
        kept = exp.EQ(this=rest, expression=number(0))
        made = exp.Anonymous(this="FILTER", expressions=[made, lambda_(kept, ELEMENT, "_i")])
    made.type = items.type
    return made


# --- what is in a list ------------------------------------------------------------------------------------------------


def _alike(items: exp.Expr, value: exp.Expr, what: str) -> tuple[exp.Expr, exp.Expr]:
    """Return a list and a value that is looked up in it, both of the type that they have together."""
    both = common([element_type(items), value.type])
    if both is None:
        refuse(f"{what} of another type", "engines convert one to the other each in its own way", "CAST the value")
    return value_like(items, list_of(both), what), value_like(value, both, what)


def contains(node: Any) -> exp.Expr:
    items, value = node.expressions
    items_of(items, "list_contains()")
    if kind(value) == "null":
        return cast(null(), "BOOLEAN")
    items, value = _alike(items, value, "list_contains()")
    either = exp.Or(
        this=is_null(items),
        expression=is_null(value),
    )
    found = exp.Coalesce(this=call("ARRAY_CONTAINS", items, value), expressions=[exp.false()])
    found.type = BOOL
    return case((either, null()), default=found)


def _position(node: Any) -> exp.Expr:
    items, value = node.expressions
    wanted = items_of(items, "list_position()")

    def at(items: exp.Expr, value: exp.Expr) -> exp.Expr:
        made = exp.Nullif(this=call("ARRAY_POSITION", items, value, type="BIGINT"), expression=number(0))
        made.type = BIGINT
        return _int(made)

    if kind(value) != "null":
        items, value = _alike(items, value, "list_position()")
    lost = at(over("TRANSFORM", items, exp.Is(this=variable(wanted), expression=exp.Null())), exp.true())
    if kind(value) == "null":
        return lost
    if isinstance(value, exp.Literal):
        return at(items, value)
    return case((is_null(value), lost), default=at(items, value))


def _pair(node: Any, what: str) -> tuple[exp.Expr, exp.Expr]:
    left, right = node.expressions
    items_of(left, what)
    items_of(right, what)
    both = common([left.type, right.type])
    if both is None:
        refuse(f"{what} of lists of different types", "engines convert one to the other each in its own way", "CAST")
    return value_like(left, both, what), value_like(right, both, what)


def _has_any(node: Any) -> exp.Expr:
    left, right = _pair(node, "list_has_any()")
    return call("ARRAYS_OVERLAP", present(left), present(right), type="BOOLEAN")


def _has_all(node: Any) -> exp.Expr:
    left, right = _pair(node, "list_has_all()")
    _no_nested_floats(left.type, "list_has_all()")
    # NULL in the second list is never missed.
    missed = call("ARRAY_EXCEPT", present(right), present(left))
    made = exp.EQ(this=size(missed), expression=number(0))
    made.type = BOOL
    return _within(made)


def _within(node: exp.Expr) -> exp.Expr:
    made = exp.Paren(this=node)
    made.type = node.type
    return made


# --- lists of lists ---------------------------------------------------------------------------------------------------


def _concat(node: Any) -> exp.Expr:
    both = common([part.type for part in node.expressions])
    if kind(both) != "list" or both is None or kind(element_type(both)) in ("null", "unknown"):
        refuse("list_concat() of different types", "engines convert one to the other each in its own way", "CAST one")
    parts = []
    for part in node.expressions:
        if kind(part) != "null":
            like = value_like(part, both, "list_concat()")
            filled = exp.Coalesce(this=like, expressions=[empty_list(both)])
            parts.append(filled)
    made = call("CONCAT", *parts)
    made.type = both
    return made


def joined_lists(node: Any) -> exp.Expr:
    """Return a || b of lists, which is NULL where one of them is."""
    holder = exp.Anonymous(this="list_concat", expressions=[node.this.copy(), node.expression.copy()])
    left, right = _pair(holder, "||")
    made = call("CONCAT", left, right)
    made.type = left.type
    return made


def _added(front: bool) -> Callable[[Any], exp.Expr]:
    def rule(node: Any) -> exp.Expr:
        items, value = node.expressions
        what = "list_prepend()" if front else "list_append()"
        wanted = items_of(items, what)
        if kind(value) == "null":
            value = cast(value, wanted.sql("duckdb"))
        both = common([wanted, value.type])
        if both is None:
            refuse(f"{what} of another type", "engines convert one to the other each in its own way", "CAST the value")
        whole = list_of(both)
        filled: exp.Expr = exp.Coalesce(this=value_like(items, whole, what), expressions=[empty_list(whole)])
        one = call("ARRAY", value_like(value, both, what))
        made = call("CONCAT", *((one, filled) if front else (filled, one)))
        made.type = whole
        return made

    return rule


def _flatten(node: Any) -> exp.Expr:
    (items,) = node.expressions
    items_of(items, "flatten()", "list")
    made = call("FLATTEN", present(items))
    made.type = element_type(items)
    return made


def _popped(back: bool) -> Callable[[Any], exp.Expr]:
    def rule(node: Any) -> exp.Expr:
        (items,) = node.expressions
        items_of(items, "array_pop_back()" if back else "array_pop_front()")
        rest = call("GREATEST", _plus(size(items), number(1), exp.Sub), number(0))
        zero = exp.EQ(this=size(items), expression=number(0))
        some = call("SLICE", items, _small(1 if back else 2), _int(rest))
        some.type = items.type
        return case((zero, items), default=some)

    return rule


def _reverse(node: Any) -> exp.Expr:
    (items,) = node.expressions
    items_of(items, "list_reverse()")
    return call("REVERSE", items)


def _resize(node: Any) -> exp.Expr:
    items, length, *value = node.expressions
    wanted = items_of(items, "list_resize()")
    if kind(length) not in ("int", "null"):
        refuse("list_resize() to what is no integer", "it is not shown to agree there", "CAST it to BIGINT")
    fill = value_like(value[0], wanted, "list_resize()") if value else cast(null(), wanted.sql("duckdb"))
    target = exp.Coalesce(this=paren(length), expressions=[number(0)])
    target.type = BIGINT
    more = _int(_clamped(_plus(target, size(items), exp.Sub), number(0), number(2**31 - 1)))
    filled = call("CONCAT", items, call("ARRAY_REPEAT", fill, more))
    made = call("SLICE", filled, _small(1), _int(target))
    made.type = items.type
    return made


def _where(node: Any) -> exp.Expr:
    items, masks = node.expressions
    wanted = items_of(items, "list_where()")
    flag = items_of(masks, "list_where()", "bool")
    pair = call("NAMED_STRUCT", text("v"), variable(wanted), text("m"), variable(flag, "_m"))
    pairs = exp.Anonymous(this="ZIP_WITH", expressions=[items.copy(), masks.copy(), lambda_(pair, ELEMENT, "_m")])
    kept = over("FILTER", pairs, _field("m"))
    lost = over("EXISTS", masks, exp.Is(this=variable(flag), expression=exp.Null()), BOOL)
    values = over("TRANSFORM", kept, _field("v"), items.type)
    return case((lost, raised("list_where(): NULL is no BOOLEAN")), default=values)


def _field(name: str) -> exp.Expr:
    return exp.Dot(this=variable(None), expression=exp.to_identifier(name, quoted=True))


# --- order ------------------------------------------------------------------------------------------------------------

SORTED = frozenset({"bool", "int", "decimal", "float", "double", "text", "date", "timestamp", "timestamptz", "blob"})


def sort(node: Any) -> exp.Expr:
    """Return list_sort() in the order and with NULL where the call says."""
    items = node.this
    wanted = items_of(items, "list_sort()", *SORTED, "list", "struct")
    ascending, first = (_flag(node, name, default) for name, default in (("asc", True), ("nulls_first", False)))
    if kind(wanted) in ("list", "struct"):
        return _sorted_by_key(items, wanted, ascending, first)
    if ascending != first:
        # Up with NULL last, or down with NULL first.
        made = call("ARRAY_SORT", items)
        made = made if ascending else call("REVERSE", made)
    else:
        made = call("SORT_ARRAY", items, exp.Boolean(this=ascending))
    made.type = items.type
    return made


def _flag(node: Any, name: str, default: bool) -> bool:
    value = node.args.get(name)
    if value is None:
        return default
    if not isinstance(value, exp.Boolean):
        refuse("list_sort() in an order that is no constant", "it is not shown to agree there")
    return bool(value.this)


def _sorted_by_key(items: exp.Expr, wanted: exp.DataType, ascending: bool, first: bool) -> exp.Expr:
    element = variable(wanted)
    # Whether NULL comes before the others turns with the direction.
    lost = exp.Is(this=element.copy(), expression=exp.Null())
    flag = lost if first != ascending else there(element)
    pair = call("NAMED_STRUCT", text("n"), flag, text("k"), order_key(element, wanted), text("v"), element)
    made = call("SORT_ARRAY", over("TRANSFORM", items, pair), exp.Boolean(this=ascending))
    return over("TRANSFORM", made, _field("v"), items.type)


# Where the order of a list does not show.
UNORDERED = frozenset({"list_contains", "list_count", "list_max", "list_min", "list_unique", "list_has_any"})


def _distinct(node: Any) -> exp.Expr:
    (items,) = node.expressions
    parent = node.parent
    if not isinstance(parent, (exp.ArraySort, exp.Length, exp.ArraySize)) and not (
        isinstance(parent, exp.Anonymous) and parent.name in UNORDERED
    ):
        refuse("list_distinct()", "the order of what it gives is not defined", "list_sort(list_distinct(...))")
    _no_nested_floats(items_of(items, "list_distinct()"), "list_distinct()")
    return call("ARRAY_DISTINCT", present(items))


def _unique(node: Any) -> exp.Expr:
    (items,) = node.expressions
    _no_nested_floats(items_of(items, "list_unique()"), "list_unique()")
    return unsigned(call("ARRAY_DISTINCT", present(items)))


def unsigned(items: exp.Expr) -> exp.Expr:
    """Return the size of a list or a map as the unsigned number that it is to the reference."""
    return call("SIZE", items, type="UBIGINT")


# --- ranges -----------------------------------------------------------------------------------------------------------


def _series(inclusive: bool) -> Callable[[Any], exp.Expr]:
    def rule(node: Any) -> exp.Expr:
        ends = node.expressions
        if kind(ends[2]) == "interval":
            return moment_series(node, inclusive)
        if any(kind(end) not in ("int", "null") for end in ends):
            refuse(f"{node.name}() of what is no integer", "it is not shown to agree there")
        if any(kind(end) == "null" for end in ends):
            return cast(null(), "BIGINT[]")
        first, last, step = (end.copy() if kind(end) == "int" and _is_big(end) else cast(end, "BIGINT") for end in ends)
        by = integer(ends[2])
        beyond = {True: (exp.LTE, exp.GTE), False: (exp.LT, exp.GT)}[inclusive]
        branches = []
        for sign, compare in ((1, beyond[0]), (-1, beyond[1])):
            if by is not None and by * sign <= 0:
                continue
            test: exp.Expr = compare(this=paren(first), expression=paren(last))
            if by is None:
                side = (exp.GT if sign > 0 else exp.LT)(this=paren(step), expression=number(0))
                test = exp.And(this=side, expression=test)
            end = last if inclusive else _plus(last, number(1), exp.Sub if sign > 0 else exp.Add)
            made = call("SEQUENCE", first, end, step)
            made.type = list_of(BIGINT)
            branches.append((test, made))
        known = exp.and_(*(there(end) for end in (first, last, step)), copy=False)
        branches.append((known, empty_list(list_of(BIGINT))))
        made = case(*branches, default=null())
        made.type = list_of(BIGINT)
        return made

    return rule


def _is_big(node: exp.Expr) -> bool:
    return node.type is not None and node.type.this == exp.DataType.Type.BIGINT and not isinstance(node, exp.Literal)


# --- the table --------------------------------------------------------------------------------------------------------


def _first(arguments: list[Any]) -> exp.DataType | None:
    found: exp.DataType | None = arguments[0].type
    return found


def _common(arguments: list[Any]) -> exp.DataType | None:
    return common([argument.type for argument in arguments])


def _longer(arguments: list[Any]) -> exp.DataType | None:
    wanted = element_type(arguments[0])
    if wanted is None:
        return None
    both = common([wanted, arguments[1].type])
    return None if both is None else list_of(both)


def fixed(dtype: exp.DataType) -> Types:
    return lambda arguments: dtype


LISTS: dict[str, Function] = {
    "array_slice": Function((4,), _first, slice_of),
    "list_contains": Function((2,), fixed(BOOL), contains),
    "list_position": Function((2,), fixed(INT), _position),
    "list_has_any": Function((2,), fixed(BOOL), _has_any),
    "list_has_all": Function((2,), fixed(BOOL), _has_all),
    "list_concat": Function(tuple(range(1, 9)), _common, _concat),
    "list_append": Function((2,), _longer, _added(front=False)),
    "list_prepend": Function((2,), _longer, _added(front=True)),
    "flatten": Function((1,), lambda arguments: element_type(arguments[0]), _flatten),
    "array_pop_back": Function((1,), _first, _popped(back=True)),
    "array_pop_front": Function((1,), _first, _popped(back=False)),
    "list_reverse": Function((1,), _first, _reverse),
    "list_resize": Function((2, 3), _first, _resize),
    "list_where": Function((2,), _first, _where),
    "list_distinct": Function((1,), _first, _distinct),
    "list_unique": Function((1,), fixed(UBIGINT), _unique),
    "range": Function((3,), series_type, _series(inclusive=False)),
    "generate_series": Function((3,), series_type, _series(inclusive=True)),
}
