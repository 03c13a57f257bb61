"""Row functions that run as Python, over Arrow batches: alike on every engine.

It needs pyarrow and nothing else of the package, so that it can be sent to workers that do not have the package.
"""

from __future__ import annotations

import datetime
import decimal
import itertools
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import pyarrow as pa

__all__ = ["Misfit", "Program", "RowError", "run"]

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
    - ``value``: a row, and the one computed column; ``truth``: the same, as a bool;
    - ``row``: a row, and a dict or dataclass of the computed columns;
    - ``rows``: a row, and a list of such dicts;
    - ``batches``: a record batch, and a record batch or table of the computed columns.

    ``reads`` are the input columns, by position, that the function is given under their names. ``outputs`` says for
    each column of ``schema`` which input column it is, or that it is computed (None). ``place`` is for messages.
    """

    function: Callable[..., Any]
    kind: str
    reads: tuple[tuple[int, str], ...]
    outputs: tuple[int | None, ...]
    schema: pa.Schema
    place: str

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
    rows: list[dict[str, Any]] = _given(program, batch).to_pylist(maps_as_pydicts="strict")
    return rows


def _results(program: Program, rows: list[dict[str, Any]], finish: Callable[[Any], Any] | None = None) -> list[Any]:
    """Return what the function gives for each row; None where it raises only because a value of the row is None."""
    function = program.function
    results: list[Any] = []
    append = results.append
    # A short loop with one call: most functions are short, too.
    for row in rows:
        try:
            append(function(row) if finish is None else finish(function(row.copy())))
        except Exception as error:
            append(_settled(program, error, row))
    return results


def _settled(program: Program, error: Exception, row: dict[str, Any]) -> Any:
    """Return None for an error that is only about a None of the row; raise the others."""
    if isinstance(error, (TypeError, AttributeError)) and _is_about_none(program, error, row):
        return None
    raise _failed(program, error, row) from error


def _failed(program: Program, error: BaseException, row: Mapping[str, Any]) -> RowError:
    frames = traceback.extract_tb(error.__traceback__)
    last = next((f for f in reversed(frames) if f.filename != __file__), None)
    where = f"; {last.filename}, line {last.lineno}: {last.line}" if last is not None else ""
    return RowError(error, f"{program.place}, for the row {_shown(row)}{where}")


def _shown(row: Any) -> str:
    text = repr(row)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


NAMES_NONE = re.compile(r"\bNone(Type)?\b")


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


def _is_about_none(program: Program, error: Exception, row: dict[str, Any]) -> bool:
    """Tell whether an error speaks of None, and the function read a None of the row before it was raised."""
    if not NAMES_NONE.search(str(error)) or not any(map(_holds_none, row.values())):
        return False
    watched = _Watched(row)
    try:
        found = program.function(watched)
        if program.kind == "cells":
            for cell in found:
                cell()
    except Exception:
        return watched.none_was_read
    return watched.none_was_read


# ---- results out -------------------------------------------------------------------------------------------------


def _filter(program: Program, batch: pa.RecordBatch) -> pa.RecordBatch:
    kept = [truth is True for truth in _results(program, _rows(program, batch), bool)]
    found = batch.filter(pa.array(kept, pa.bool_()))
    return pa.RecordBatch.from_arrays([found.column(place) for place in program.outputs], schema=program.schema)


def _value(program: Program, batch: pa.RecordBatch) -> pa.RecordBatch:
    rows = _rows(program, batch)
    return _joined(program, batch, [_results(program, rows, bool if program.kind == "truth" else None)], rows)


def _cells(program: Program, batch: pa.RecordBatch) -> pa.RecordBatch:
    function, rows = program.function, _rows(program, batch)
    columns: list[list[Any]] = [[] for _ in program.computed]
    for row in rows:
        try:
            cells = function(row)
        except Exception as error:
            _settled(program, error, row)
            cells = (_nothing,) * len(columns)
        for column, cell in zip(columns, cells, strict=True):
            try:
                column.append(cell())
            except Exception as error:
                column.append(_settled(program, error, row))
    return _joined(program, batch, columns, rows)


def _nothing() -> None:
    return None


def _row(program: Program, batch: pa.RecordBatch) -> pa.RecordBatch:
    rows = _rows(program, batch)
    return _joined(program, batch, _turned(program, _results(program, rows, _as_dict), rows), rows)


def _flat(program: Program, batch: pa.RecordBatch) -> pa.RecordBatch:
    rows = _rows(program, batch)
    lists = [found or () for found in _results(program, rows, _listed)]
    origins = [number for number, found in enumerate(lists) for _ in found]
    expanded = batch.take(pa.array(origins, pa.int64()))
    given = [rows[number] for number in origins]
    return _joined(program, expanded, _turned(program, list(itertools.chain(*lists)), given), given)


def _listed(found: Any) -> list[Mapping[Any, Any]]:
    if isinstance(found, (Mapping, str, bytes)) or is_dataclass(found):
        raise Misfit(f"gives {type(found).__name__}, where a list of dicts is wanted")
    return [_as_dict(item) for item in found]


def _as_dict(found: Any) -> Mapping[Any, Any]:
    if is_dataclass(found) and not isinstance(found, type):
        return {field.name: getattr(found, field.name) for field in fields(found)}
    if not isinstance(found, Mapping):
        raise Misfit(f"gives {type(found).__name__}, where a dict is wanted")
    return found


def _turned(program: Program, found: Sequence[Mapping[Any, Any] | None], rows: Sequence[Any]) -> list[list[Any]]:
    """Return dicts as columns, None as a row of None; Misfit where the keys are not those of the schema."""
    nothing = dict.fromkeys(field.name for field in program.computed)
    for number, item in enumerate(found):
        if item is not None and item.keys() != nothing.keys():
            absent = [repr(name) for name in nothing if name not in item]
            extra = [repr(name) for name in item if name not in nothing]
            parts = [f"{what} {', '.join(which)}" for what, which in (("lacks", absent), ("has also", extra)) if which]
            raise _misfit(program, f"gives a dict that {' and '.join(parts)}, by its schema", rows[number])
    return [[(nothing if item is None else item)[name] for item in found] for name in nothing]


def _joined(
    program: Program, batch: pa.RecordBatch, columns: Sequence[list[Any]], rows: Sequence[Any]
) -> pa.RecordBatch:
    computed = iter(columns)
    arrays = [
        batch.column(kept) if kept is not None else _array(program, field, next(computed), rows)
        for kept, field in zip(program.outputs, program.schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=program.schema)


def _misfit(program: Program, what: str, row: Any) -> RowError:
    return RowError(Misfit(f"{program.place}: {what}"), f"for the row {_shown(row)}")


def _array(program: Program, field: pa.Field, values: list[Any], rows: Sequence[Any]) -> pa.Array:
    """Return values as a column of exactly this type: nothing is converted on the way."""
    wrong = _wrong(values, field.type)
    if wrong is not None:
        number = next(i for i, value in enumerate(values) if _wrong([value], field.type) is not None)
        what = f"column {field.name!r} is {field.type}, this gives {wrong}: {_shown(values[number])}"
        raise _misfit(program, what, rows[number])
    try:
        return pa.array(values, field.type)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        for number, value in enumerate(values):
            try:
                pa.array([value], field.type)
            except (pa.ArrowException, OverflowError, TypeError, ValueError):
                what = f"column {field.name!r} is {field.type}, which cannot hold {_shown(value)}"
                raise _misfit(program, what, rows[number]) from error
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
    wanted = [f"{f.name} {f.type}" for f in program.schema]
    own = [f"{f.name} {f.type}" for f in found.schema]
    if own != wanted:
        raise RowError(Misfit(f"{program.place}: gives ({', '.join(own)}), its schema is ({', '.join(wanted)})"), "")
    for part in found.to_batches() if isinstance(found, pa.Table) else [found]:
        yield pa.RecordBatch.from_arrays(part.columns, schema=program.schema)


STEPS: dict[str, Callable[[Program, pa.RecordBatch], pa.RecordBatch]] = {
    "filter": _filter,
    "cells": _cells,
    "value": _value,
    "truth": _value,
    "row": _row,
    "rows": _flat,
}
