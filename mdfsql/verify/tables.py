"""Two Arrow tables against each other: which rows are the same, which are left over, and in which order they stand."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from mdfsql.verify.comparison import SchemaDifference
from mdfsql.verify.unequal import countable, unequal
from mdfsql.verify.values import alike, exact, has_float, is_float

__all__ = [
    "Aligned",
    "Copies",
    "Rules",
    "Unmatched",
    "align",
    "in_any_order",
    "match",
    "match_rows",
    "python_rows",
    "python_values",
    "same_column",
]

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Rules:
    """When two values are the same, and what tells which row is which."""

    rtol: float
    atol: float
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Aligned:
    """The columns that both sides have, by their places in each, with one name and one type; and what differs."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    same_types: bool
    differences: tuple[SchemaDifference, ...]


def align(left: Iterable[tuple[str, str]], right: Iterable[tuple[str, str]]) -> Aligned:
    """Return which columns belong together: those of one name; else those of one place and type, which were renamed.

    >>> print(*align([("a", "BIGINT"), ("b", "DOUBLE")], [("a", "INTEGER"), ("c", "DOUBLE")]).differences, sep="\\n")
    a: type: BIGINT | INTEGER
    b: name: b | c
    """
    ours, theirs = list(left), list(right)
    places = {name.lower(): place for place, (name, _) in enumerate(theirs)}
    pairs = {here: places.pop(name.lower()) for here, (name, _) in enumerate(ours) if name.lower() in places}
    found = []
    for here, (name, type_) in enumerate(ours):
        if here in pairs:
            other, other_type = theirs[pairs[here]]
            if other != name:
                found.append(SchemaDifference("name", name, name, other))
            if other_type != type_:
                found.append(SchemaDifference("type", name, type_, other_type))
            continue
        there = next((p for p in places.values() if p == here and theirs[p][1] == type_), None)
        if there is None:
            found.append(SchemaDifference("missing", name, type_, "no such column"))
            continue
        pairs[here] = there
        del places[theirs[there][0].lower()]
        found.append(SchemaDifference("name", name, name, theirs[there][0]))
    found += [SchemaDifference("missing", theirs[p][0], "no such column", theirs[p][1]) for p in places.values()]
    order = sorted(pairs)
    if [pairs[here] for here in order] != sorted(pairs.values()):
        names = ", ".join(ours[here][0] for here in order)
        others = ", ".join(ours[here][0] for here in sorted(pairs, key=lambda here: pairs[here]))
        found.append(SchemaDifference("place", "all columns", names, others))
    return Aligned(
        names=tuple(ours[here][0] for here in order),
        types=tuple(ours[here][1] for here in order),
        left=tuple(order),
        right=tuple(pairs[here] for here in order),
        same_types=all(ours[here][1] == theirs[pairs[here]][1] for here in order),
        differences=tuple(found),
    )


class Copies(NamedTuple):
    """How often a row stands in its own table, and in the other."""

    here: int
    there: int


@dataclass
class Unmatched:
    """The rows that have no counterpart, of each side by their numbers, and how many rows have one.

    ``copies`` has the same rows of each side; of equal rows the last are those without a counterpart.
    """

    rows: tuple[dict[int, Row], dict[int, Row]]
    copies: tuple[dict[Row, Copies], dict[Row, Copies]]
    matched: int


def match(left: pa.Table, right: pa.Table, aligned: Aligned, rules: Rules) -> Unmatched:
    """Return which rows of two tables, as often as they occur, have no counterpart in the other; any order."""
    both = (left.select(list(aligned.left)), right.select(list(aligned.right)))
    none_left = Unmatched(({}, {}), ({}, {}), min(left.num_rows, right.num_rows))
    if not aligned.names or (aligned.same_types and _same(both, rules)):
        return none_left
    numbers: tuple[Sequence[int], Sequence[int]] = (range(left.num_rows), range(right.num_rows))
    times = None
    if aligned.same_types and all(map(countable, aligned.types)):
        apart = unequal(*both)
        numbers = (apart[0]["n"].to_pylist(), apart[1]["n"].to_pylist())
        both = (both[0].take(apart[0]["n"]), both[1].take(apart[1]["n"]))
        if _same((_sorted(both[0], aligned), _sorted(both[1], aligned)), rules):
            return none_left
        times = [list(map(Copies, part["here"].to_pylist(), part["there"].to_pylist())) for part in apart]
    rows = python_rows(*both)
    alone = match_rows(rows, aligned, rules)
    if times is None:
        held = (Counter(rows[0]), Counter(rows[1]))
        times = [[Copies(held[side][row], held[1 - side][row]) for row in rows[side]] for side in (0, 1)]
    left_rows, right_rows = ({numbers[side][n]: rows[side][n] for n in alone[side]} for side in (0, 1))
    left_copies, right_copies = ({rows[side][n]: times[side][n] for n in alone[side]} for side in (0, 1))
    return Unmatched((left_rows, right_rows), (left_copies, right_copies), left.num_rows - len(alone[0]))


def match_rows(rows: tuple[list[Row], list[Row]], aligned: Aligned, rules: Rules) -> tuple[list[int], list[int]]:
    """Return the numbers of the rows of each side that have no counterpart on the other."""
    alone = _exact(rows)
    if any(map(has_float, aligned.types)) or not aligned.same_types:
        alone = _near(rows, alone, aligned, rules)
    return alone


# ---- whole columns at a time -------------------------------------------------------------------------------------


def _sorted(table: pa.Table, aligned: Aligned) -> pa.Table:
    """Return the rows in an order of their values; floats, which may be a little off, decide last."""
    names = [str(place) for place in range(table.num_columns)]
    places = [name for name, type_ in zip(names, table.schema.types, strict=True) if _sorts(type_)]
    places.sort(key=lambda place: is_float(aligned.types[int(place)]))
    if not places:
        return table
    keys = [(place, "ascending") for place in places]
    return table.take(pc.sort_indices(table.rename_columns(names), sort_keys=keys))


def _sorts(type_: pa.DataType) -> bool:
    return not pa.types.is_nested(type_) and not pa.types.is_interval(type_)


def _same(both: tuple[pa.Table, pa.Table], rules: Rules) -> bool:
    left, right = both
    if left.num_rows != right.num_rows:
        return False
    return all(same_column(a, b, rules) for a, b in zip(left.columns, right.columns, strict=True))


def same_column(left: pa.ChunkedArray, right: pa.ChunkedArray, rules: Rules) -> bool:
    """Tell whether two columns of one type are the same from top to bottom."""
    if pa.types.is_floating(left.type):
        return _same_floats(left, right, rules)
    if "float" in str(left.type) or "double" in str(left.type) or pa.types.is_nested(left.type):
        pairs = zip(python_values(left), python_values(right), strict=True)
        return all(alike(a, b, rules.rtol, rules.atol) for a, b in pairs)
    return bool(left.equals(right))


def _same_floats(left: pa.ChunkedArray, right: pa.ChunkedArray, rules: Rules) -> bool:
    if not pc.is_null(left).equals(pc.is_null(right)):
        return False
    one, two = left.cast(pa.float64()), right.cast(pa.float64())
    bound = pc.multiply(pc.max_element_wise(pc.abs(one), pc.abs(two)), rules.rtol)
    near = pc.less_equal(pc.abs(pc.subtract(one, two)), pc.max_element_wise(bound, rules.atol))
    # Infinities are near to all there is, by this reckoning.
    near = pc.and_(near, pc.and_(pc.is_finite(one), pc.is_finite(two)))
    nan = pc.and_(pc.is_nan(one), pc.is_nan(two))
    good = pc.or_(pc.or_(pc.equal(one, two), near), nan)
    return pc.all(good, min_count=0).as_py() is not False


def in_any_order(column: pa.ChunkedArray, separator: str | None) -> pa.ChunkedArray:
    """Return lists, or texts that are joined by a separator, with their elements sorted.

    >>> in_any_order(pa.chunked_array([["b,a", None]]), ",").to_pylist()
    ['a,b', None]
    """
    made: list[Any] = []
    for value in column.to_pylist():
        if value is None:
            made.append(None)
        elif separator is None:
            made.append(sorted(value, key=lambda one: (one is None, repr(one))))
        else:
            made.append(separator.join(sorted(value.split(separator) if separator else value)))
    return pa.chunked_array([pa.array(made, column.type)])


# ---- row by row --------------------------------------------------------------------------------------------------


def python_values(column: pa.ChunkedArray | pa.Array) -> list[Any]:
    """Return a column's values in exact form; moments that Python has not as numbers of microseconds or days."""
    try:
        return _values(column)
    except (OverflowError, ValueError):
        return python_values(column.cast(_as_numbers(column.type)))


def _values(column: pa.ChunkedArray | pa.Array) -> list[Any]:
    values = column.to_pylist()
    if pa.types.is_floating(column.type) or pa.types.is_nested(column.type):
        return list(map(exact, values))
    return list(values)


def _as_numbers(type_: pa.DataType) -> pa.DataType:
    """Return a type with numbers in place of its moments."""
    if pa.types.is_timestamp(type_):
        return pa.int64()
    if pa.types.is_date32(type_):
        return pa.int32()
    if pa.types.is_struct(type_):
        return pa.struct([pa.field(part.name, _as_numbers(part.type)) for part in type_])
    if pa.types.is_map(type_):
        return pa.map_(_as_numbers(type_.key_type), _as_numbers(type_.item_type))
    return pa.list_(_as_numbers(type_.value_type)) if pa.types.is_list(type_) else type_


EPOCH = datetime.date(1970, 1, 1)


def python_rows(left: pa.Table, right: pa.Table) -> tuple[list[Row], list[Row]]:
    """Return the rows of two tables as tuples of exact values, each column in one form on both sides."""
    columns: tuple[list[list[Any]], list[list[Any]]] = ([], [])
    for one, two in zip(left.columns, right.columns, strict=True):
        try:
            pair = _values(one), _values(two)
        except (OverflowError, ValueError):
            if one.type == two.type:
                wanted = _as_numbers(one.type)
                one, two = one.cast(wanted), two.cast(wanted)
            pair = python_values(one), python_values(two)
        columns[0].append(pair[0])
        columns[1].append(pair[1])
    return list(zip(*columns[0], strict=True)), list(zip(*columns[1], strict=True))


def _exact(rows: tuple[list[Row], list[Row]]) -> tuple[list[int], list[int]]:
    """Return the numbers of the rows that are not in the other table as often; of doubled ones the last."""
    return _without(rows[0], Counter(rows[1])), _without(rows[1], Counter(rows[0]))


def _without(rows: list[Row], others: Counter[Row]) -> list[int]:
    alone = []
    for number, row in enumerate(rows):
        if others[row] > 0:
            others[row] -= 1
        else:
            alone.append(number)
    return alone


def _near(
    rows: tuple[list[Row], list[Row]], alone: tuple[list[int], list[int]], aligned: Aligned, rules: Rules
) -> tuple[list[int], list[int]]:
    """Return which of the rows have none in the other table that is the same to the tolerance either."""
    loose = [n for n, type_ in enumerate(aligned.types) if has_float(type_) or not aligned.same_types]
    fixed = [n for n in range(len(aligned.types)) if n not in set(loose)]
    groups: dict[Row, tuple[list[int], list[int]]] = {}
    for side in (0, 1):
        for number in alone[side]:
            key = tuple(rows[side][number][n] for n in fixed)
            groups.setdefault(key, ([], []))[side].append(number)
    left_over: tuple[list[int], list[int]] = ([], [])
    for ours, theirs in groups.values():
        if ours and theirs:
            ours, theirs = _pair_near(rows, ours, theirs, loose, rules)
        left_over[0].extend(ours)
        left_over[1].extend(theirs)
    return sorted(left_over[0]), sorted(left_over[1])


def _pair_near(
    rows: tuple[list[Row], list[Row]], ours: list[int], theirs: list[int], loose: Sequence[int], rules: Rules
) -> tuple[list[int], list[int]]:
    """Return what is left of rows that agree in all but floats, once those that are near enough are paired."""

    def place(value: Any) -> tuple[int, float]:
        number = float(value) if isinstance(value, (int, float)) else 0.0
        return (0, number) if number == number else (1, 0.0)

    def lead(row: Row) -> tuple[tuple[int, float], ...]:
        return tuple(place(row[n]) for n in loose)

    ours = sorted(ours, key=lambda number: lead(rows[0][number]))
    theirs = sorted(theirs, key=lambda number: lead(rows[1][number]))
    first = loose[0]
    left_over, taken, start = [], set(), 0
    for number in ours:
        row = rows[0][number]
        here = place(row[first])
        bound = max(abs(here[1]) * 2 * rules.rtol, rules.atol) if here[1] not in (float("inf"), float("-inf")) else 0.0
        while start < len(theirs) and _before(place(rows[1][theirs[start]][first]), here, bound):
            start += 1
        for at in range(start, len(theirs)):
            there = place(rows[1][theirs[at]][first])
            if _before(here, there, bound):
                left_over.append(number)
                break
            other = rows[1][theirs[at]]
            if at not in taken and all(alike(row[n], other[n], rules.rtol, rules.atol) for n in loose):
                taken.add(at)
                break
        else:
            left_over.append(number)
    return left_over, [number for at, number in enumerate(theirs) if at not in taken]


def _before(one: tuple[int, float], two: tuple[int, float], bound: float) -> bool:
    """Tell whether a place stands before another by more than the bound."""
    return one[0] < two[0] or (one[0] == two[0] and two[1] - one[1] > bound)
