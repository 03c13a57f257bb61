"""Row functions that run as Python, over Arrow batches: alike on every engine.

It needs pyarrow and nothing else of the package, so that it can be sent to workers that do not have the package.
"""

from __future__ import annotations

import contextlib
import datetime
import decimal
import functools
import itertools
import operator
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from types import NoneType
from typing import Any

import pyarrow as pa

__all__ = ["Misfit", "Program", "RowError", "run", "values"]

# The first rows come soon, for who only looks at some; later batches are larger, for speed.
FIRST_ROWS = 1_000
MOST_ROWS = 65_536

SHOWN = 500  # characters of a row in an error


class RowError(Exception):
    """What a user's function raised, with the row that caused it: ``error`` is the function's own exception."""

    def __init__(self, error: BaseException, note: str) -> None:
        super().__init__(error, note)
        self.error, self.note = error, note

    def __str__(self) -> str:
        return f"{type(self.error).__name__}: {self.error}\n{self.note}"

    def original(self) -> BaseException:
        """Return the function's own exception, with a note that shows the row."""
        if self.note not in getattr(self.error, "__notes__", ()):
            self.error.add_note(self.note)
        return self.error


class Misfit(Exception):
    """A function's result that is not what the schema says."""


@dataclass(frozen=True)
class Program:
    """A function, and what it takes to run it over batches.

    ``kind`` says what the function takes and gives:

    - ``filter``: a row, and whether it is kept;
    - ``cells``: a row, and a tuple of functions without arguments that give the computed columns, each for itself;
    - ``values``: ``function`` is a tuple of functions, each takes a row and gives one of the computed columns;
    - ``truth``: a row, and the one computed column, as a bool;
    - ``row``: a row, and a dict or dataclass of the computed columns;
    - ``rows``: a row, and a list of such dicts;
    - ``batches``: a record batch, and a record batch or table of the computed columns.

    ``reads`` are the input columns, by position, that the function is given under their names. ``outputs`` says for
    each column of ``schema`` which input column it is, or that it is computed (None). ``place`` is for messages.
    """

    function: Any
    kind: str
    reads: tuple[tuple[int, str], ...]
    outputs: tuple[int | None, ...]
    schema: pa.Schema
    place: str

    @property
    def functions(self) -> tuple[Callable[[Any], Any], ...]:
        """The functions of a program of ``values``."""
        return tuple(self.function)

    @property
    def computed(self) -> list[pa.Field]:
        """The output columns that the function computes."""
        return [field for field, kept in zip(self.schema, self.outputs, strict=True) if kept is None]


def run(program: Program, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the function's results for batches of input rows, in order; RowError for what goes wrong in a row."""
    if program.kind == "batches":
        for batch in batches:
            yield from _whole(program, batch)
        return
    step = STEPS[program.kind]
    size = FIRST_ROWS
    for batch in batches:
        start = 0
        while start < batch.num_rows:
            yield step(program, batch.slice(start, size))
            start += size
            size = min(size * 4, MOST_ROWS)


# ---- rows in -----------------------------------------------------------------------------------------------------


def _given(program: Program, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the columns that the function is given, under their names."""
    columns = [batch.column(place) for place, _ in program.reads]
    return pa.RecordBatch.from_arrays(columns, names=[name for _, name in program.reads])


def _rows(program: Program, batch: pa.RecordBatch) -> list[dict[str, Any]]:
    if not program.reads:
        return [{} for _ in range(batch.num_rows)]
    names = [name for _, name in program.reads]
    columns = [values(batch.column(place)) for place, _ in program.reads]
    return list(map(dict, map(zip, itertools.repeat(names), zip(*columns, strict=True))))


def values(column: pa.Array) -> list[Any]:
    """Return the Python values of a column, maps as dicts."""
    # Asked for dicts, pyarrow makes each value on its own: ten times the work where there is no map.
    made: list[Any] = column.to_pylist(maps_as_pydicts="strict") if _has_map(column.type) else column.to_pylist()
    return made


def _has_map(type_: pa.DataType) -> bool:
    return bool(pa.types.is_map(type_)) or any(_has_map(type_.field(place).type) for place in range(type_.num_fields))


def _results(program: Program, function: Callable[[Any], Any], batch: pa.RecordBatch, poison: Any) -> list[Any]:
    """Return what a function gives for each row; ``poison`` where it raises only because a value of the row is None."""
    results: list[Any] = []
    append = results.append
    # A short loop with one call: most functions are short, too.
    for row in _rows(program, batch):
        try:
            append(function(row))
        except Exception as error:
            append(_settled(program, function, error, batch, len(results), poison))
    return results


def _settled(
    program: Program, function: Callable[[Any], Any], error: Exception, batch: pa.RecordBatch, number: int, poison: Any
) -> Any:
    """Return ``poison`` for an error that is only about a None of the row; raise the others."""
    one = _given(program, batch.slice(number, 1))
    if isinstance(error, ABOUT_TYPES) and _is_about_none(function, error, one):
        return poison
    raise _failed(program, error, _row_at(program, batch, number)) from error


def _row_at(program: Program, batch: pa.RecordBatch, number: int) -> dict[str, Any]:
    """Return a row as it was given: the function may have changed its own."""
    return _rows(program, batch.slice(number, 1))[0]


def _failed(program: Program, error: BaseException, row: Mapping[str, Any]) -> RowError:
    frames = traceback.extract_tb(error.__traceback__)
    last = next((f for f in reversed(frames) if f.filename != __file__), None)
    where = f"; {last.filename}, line {last.lineno}: {last.line}" if last is not None else ""
    return RowError(error, f"{program.place}, for the row {_shown(row)}{where}")


def _shown(row: Any) -> str:
    text = repr(row)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


ABOUT_TYPES = (TypeError, AttributeError)

# As Python says it: "'NoneType' object has no attribute 'strip'", "argument 1 must be str, not None".
ABOUT_NONE = re.compile(r"\bNoneType\b|, not None\b")

# An error that names the type of what it refuses, and that is not None: "object of type 'int' has no len()".
ABOUT_OTHERS = re.compile(r"type '(?!None)|'(?!None)\w+' (object|and '(?!None))|(, not |: )'?(?!None)\w+'?$")


class _Watched(dict[str, Any]):
    """A row that notes whether a None is read from it. A copy of it, as in {**row}, reads nothing."""

    none_was_read = False

    def _note(self, value: Any) -> Any:
        self.none_was_read = self.none_was_read or _holds_none(value)
        return value

    def __getitem__(self, key: Any) -> Any:
        return self._note(super().__getitem__(key))

    def get(self, key: Any, default: Any = None) -> Any:
        return self._note(super().__getitem__(key)) if key in self else default

    def pop(self, key: Any, *default: Any) -> Any:
        return self._note(super().pop(key, *default))

    def values(self) -> Any:
        self._note(list(super().values()))
        return super().values()

    def items(self) -> Any:
        self._note(list(super().values()))
        return super().items()


def _holds_none(value: Any) -> bool:
    if isinstance(value, Mapping):
        value = list(value.values())
    return value is None or (isinstance(value, list) and any(map(_holds_none, value)))


def _is_about_none(function: Callable[[Any], Any], error: Exception, one: pa.RecordBatch) -> bool:
    """Tell whether an error is raised only because a value is None.

    Most say so. Of one that says nothing, it is so where the function has read a None of the row before, and raises no
    error of this kind for another value in its place.
    """
    if ABOUT_NONE.search(str(error)):
        return True
    if ABOUT_OTHERS.search(str(error)) or not one.num_columns:
        return False
    (row,) = one.to_pylist(maps_as_pydicts="strict")
    if not any(map(_holds_none, row.values())):
        return False
    watched = _Watched(row)
    with contextlib.suppress(Exception):
        function(watched)
    if not watched.none_was_read:
        return False
    (row,) = one.to_pylist(maps_as_pydicts="strict")
    try:
        function({field.name: _without_none(row[field.name], field.type) for field in one.schema})
    except ABOUT_TYPES:
        return False
    except Exception:
        return True
    return True


# Arrow's type, and a value that can stand in the place of None.
VALUES: tuple[tuple[Callable[[pa.DataType], bool], Any], ...] = (
    (pa.types.is_boolean, False),
    (pa.types.is_integer, 1),
    (pa.types.is_floating, 1.0),
    (pa.types.is_string, "1"),
    (pa.types.is_binary, b"1"),
    (pa.types.is_date, datetime.date(2000, 1, 1)),
    (pa.types.is_time, datetime.time(1)),
    (pa.types.is_decimal, decimal.Decimal(1)),
)


def _without_none(value: Any, dtype: pa.DataType) -> Any:
    """Return a value with each None in it replaced by a value of its type."""
    if pa.types.is_list(dtype):
        return [_without_none(item, dtype.value_type) for item in value or ()]
    if pa.types.is_struct(dtype):
        return {field.name: _without_none(value and value[field.name], field.type) for field in dtype}
    if pa.types.is_map(dtype):
        return {key: _without_none(item, dtype.item_type) for key, item in (value or {}).items()}
    if value is not None:
        return value
    if pa.types.is_timestamp(dtype):
        return datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC if dtype.tz else None)
    return next((instead for test, instead in VALUES if test(dtype)), None)


# ---- results out -------------------------------------------------------------------------------------------------


def _filter(program: Program, batch: pa.RecordBatch) -> pa.RecordBatch:
    found = batch.filter(pa.array(_truths(program, batch, poison=False), pa.bool_()))
    return pa.RecordBatch.from_arrays([found.column(place) for place in program.outputs], schema=program.schema)


def _truths(program: Program, batch: pa.RecordBatch, poison: bool | None) -> list[bool | None]:
    """Return whether Python finds what the function gives true."""
    found = _results(program, program.function, batch, poison)
    if not set(map(type, found)) <= {bool, NoneType}:
        for number, value in enumerate(found):
            try:
                found[number] = bool(value)
            except Exception as error:
                raise _failed(program, error, _row_at(program, batch, number)) from error
    return found


def _truth(program: Program, batch: pa.RecordBatch) -> pa.RecordBatch:
    return _joined(program, batch, [_truths(program, batch, poison=None)])


def _values(program: Program, batch: pa.RecordBatch) -> pa.RecordBatch:
    return _joined(program, batch, [_results(program, function, batch, None) for function in program.functions])


def _cells(program: Program, batch: pa.RecordBatch) -> pa.RecordBatch:
    nothing = (_nothing,) * len(program.computed)
    columns: list[list[Any]] = [[] for _ in program.computed]
    for number, cells in enumerate(_results(program, program.function, batch, nothing)):
        for place, (column, cell) in enumerate(zip(columns, cells, strict=True)):
            try:
                column.append(cell())
            except Exception as error:
                again = functools.partial(_cell, program.function, place)
                column.append(_settled(program, again, error, batch, number, None))
    return _joined(program, batch, columns)


def _nothing() -> None:
    return None


def _cell(function: Callable[[Any], Any], place: int, row: Any) -> Any:
    return function(row)[place]()


def _row(program: Program, batch: pa.RecordBatch) -> pa.RecordBatch:
    nothing = dict.fromkeys(field.name for field in program.computed)
    found = _results(program, program.function, batch, nothing)
    return _joined(program, batch, _turned(program, found, batch))


def _flat(program: Program, batch: pa.RecordBatch) -> pa.RecordBatch:
    lists = []
    for number, found in enumerate(_results(program, program.function, batch, ())):
        try:
            if isinstance(found, (Mapping, str, bytes)):
                raise TypeError(f"a list of dicts is wanted, not {type(found).__name__}")
            lists.append(list(found))
        except Exception as error:
            # A generator fails here, and not where it was called.
            again = lambda row: list(program.function(row))  # noqa: E731
            lists.append(_settled(program, again, error, batch, number, []))
    origins = [number for number, found in enumerate(lists) for _ in found]
    expanded = batch.take(pa.array(origins, pa.int64()))
    return _joined(program, expanded, _turned(program, list(itertools.chain(*lists)), expanded))


def _turned(program: Program, found: list[Any], batch: pa.RecordBatch) -> list[list[Any]]:
    """Return dicts as columns; Misfit for what is no dict, or has other keys than the schema."""
    names = [field.name for field in program.computed]
    if set(map(type, found)) - {dict}:
        found = [
            {field.name: getattr(item, field.name) for field in fields(item)}
            if is_dataclass(item) and not isinstance(item, type)
            else item
            for item in found
        ]
    try:
        if set(map(len, found)) <= {len(names)}:
            return [list(map(operator.itemgetter(name), found)) for name in names]
    except (KeyError, TypeError, IndexError):
        pass  # which one it is, is found below
    for number, item in enumerate(found):
        if not isinstance(item, Mapping):
            raise _misfit(program, f"gives {type(item).__name__}, where a dict is wanted", batch, number)
        absent = [repr(name) for name in names if name not in item]
        extra = [repr(name) for name in item if name not in names]
        if absent or extra:
            parts = [f"{what} {', '.join(which)}" for what, which in (("lacks", absent), ("has also", extra)) if which]
            raise _misfit(program, f"gives a dict that {' and '.join(parts)}, by its schema", batch, number)
    return [[item[name] for item in found] for name in names]


def _joined(program: Program, batch: pa.RecordBatch, columns: Sequence[list[Any]]) -> pa.RecordBatch:
    """Return the output of a batch: the columns that it keeps, and those that were computed."""
    computed = iter(columns)
    arrays = [
        batch.column(kept) if kept is not None else _array(program, field, next(computed), batch)
        for kept, field in zip(program.outputs, program.schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=program.schema)


def _misfit(program: Program, what: str, batch: pa.RecordBatch, number: int) -> RowError:
    return RowError(Misfit(f"{program.place}: {what}"), f"for the row {_shown(_row_at(program, batch, number))}")


def _array(program: Program, field: pa.Field, values: list[Any], batch: pa.RecordBatch) -> pa.Array:
    """Return values as a column of exactly this type: nothing is converted on the way."""
    wrong = _wrong(values, field.type)
    if wrong is not None:
        number = next(i for i, value in enumerate(values) if _wrong([value], field.type) is not None)
        what = f"column {field.name!r} is {field.type}, this gives {wrong}: {_shown(values[number])}"
        raise _misfit(program, what, batch, number)
    try:
        return pa.array(values, field.type)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        for number, value in enumerate(values):
            try:
                pa.array([value], field.type)
            except (pa.ArrowException, OverflowError, TypeError, ValueError):
                what = f"column {field.name!r} is {field.type}, which cannot hold {_shown(value)}"
                raise _misfit(program, what, batch, number) from error
        raise


# Arrow's type, and the Python types of its values: a kind of the first, and none of the second.
KINDS: tuple[tuple[Callable[[pa.DataType], bool], type | tuple[type, ...], tuple[type, ...]], ...] = (
    (pa.types.is_boolean, bool, ()),
    (pa.types.is_integer, int, (bool,)),
    (pa.types.is_floating, float, ()),
    (pa.types.is_string, str, ()),
    (pa.types.is_binary, bytes, ()),
    (pa.types.is_date, datetime.date, (datetime.datetime,)),
    (pa.types.is_time, datetime.time, ()),
    (pa.types.is_timestamp, datetime.datetime, ()),
    (pa.types.is_decimal, decimal.Decimal, ()),
    (pa.types.is_map, Mapping, ()),
    (pa.types.is_list, (list, tuple), ()),
    (pa.types.is_struct, Mapping, ()),
    (pa.types.is_interval, object, ()),
)


def _wrong(values: Iterable[Any], dtype: pa.DataType) -> str | None:
    """Return the Python type of a value that does not belong in a column of this type, or None."""
    there = [value for value in values if value is not None]
    of, but = next((of, but) for test, of, but in KINDS if test(dtype))
    for kind in set(map(type, there)):
        if not issubclass(kind, of) or issubclass(kind, but):
            return kind.__name__
    if pa.types.is_timestamp(dtype):
        zoned = dtype.tz is not None
        if any((value.tzinfo is not None) != zoned for value in there):
            return "a naive datetime" if zoned else "a datetime with a time zone"
        if any(getattr(value, "nanosecond", 0) for value in there):  # pandas' own kind of datetime
            return "a datetime with nanoseconds"
    elif pa.types.is_time(dtype) and any(value.tzinfo is not None for value in there):
        return "a time with a time zone"
    elif pa.types.is_float32(dtype):
        single = pa.array(there, dtype).to_pylist()
        if any(a != b and a == a for a, b in zip(there, single, strict=True)):
            return "a float that needs 64 bits"
    elif pa.types.is_map(dtype):
        inner = _wrong([k for v in there for k in v], dtype.key_type)
        return inner or _wrong([i for v in there for i in v.values()], dtype.item_type)
    elif pa.types.is_list(dtype):
        return _wrong(itertools.chain.from_iterable(there), dtype.value_type)
    elif pa.types.is_struct(dtype):
        names = dict.fromkeys(field.name for field in dtype).keys()
        for value in there:
            if value.keys() != names:
                return f"a dict with the keys {', '.join(map(str, value))}"
        found = (_wrong([value[f.name] for value in there], f.type) for f in dtype)
        return next((inner for inner in found if inner is not None), None)
    return None


def _whole(program: Program, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield what a function of batches gives, which must have the columns of the schema, by name."""
    try:
        found = program.function(_given(program, batch))
    except Exception as error:
        raise RowError(error, f"{program.place}, for a batch of {batch.num_rows} rows") from error
    if not isinstance(found, (pa.RecordBatch, pa.Table)):
        raise RowError(Misfit(f"{program.place}: gives {type(found).__name__}, no Arrow batch or table"), "")
    if [(f.name, f.type) for f in found.schema] != [(f.name, f.type) for f in program.schema]:
        own, wanted = (", ".join(f"{f.name} {f.type}" for f in schema) for schema in (found.schema, program.schema))
        raise RowError(Misfit(f"{program.place}: gives ({own}), its schema is ({wanted})"), "")
    for part in found.to_batches() if isinstance(found, pa.Table) else [found]:
        yield pa.RecordBatch.from_arrays(part.columns, schema=program.schema)


STEPS: dict[str, Callable[[Program, pa.RecordBatch], pa.RecordBatch]] = {
    "filter": _filter,
    "cells": _cells,
    "values": _values,
    "truth": _truth,
    "row": _row,
    "rows": _flat,
}
