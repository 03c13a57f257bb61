"""Running a plan: an engine's batches, checked, as rows, Arrow, pandas or polars."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from mdfsql.compile import Plan
from mdfsql.engines.base import Engine
from mdfsql.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["batches", "reader", "rows", "rows_of"]


def batches(engine: Engine, plan: Plan) -> Iterator[pa.RecordBatch]:
    """Run and yield Arrow batches with the bound names and types."""
    from mdfsql.arrow import conform  # pyarrow is imported when Arrow is first wanted

    return conform(engine.batches(plan), plan.schema, engine.name)


def reader(engine: Engine, plan: Plan) -> pa.RecordBatchReader:
    """Run and return a streaming Arrow reader."""
    import pyarrow as pa  # as above

    from mdfsql.arrow import arrow_schema

    return pa.RecordBatchReader.from_batches(arrow_schema(plan.schema), batches(engine, plan))


def rows(engine: Engine, plan: Plan) -> Iterator[tuple[Any, ...]]:
    """Run and yield rows as tuples of Python values; DataError for a value that Python has not."""
    own = engine.rows(plan)
    if own is not None:
        return itertools.chain.from_iterable(own)
    return rows_of(batches(engine, plan))


def rows_of(found: Iterable[pa.RecordBatch]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of batches as tuples of Python values; DataError for a value that Python has not."""
    return itertools.chain.from_iterable(map(_tuples, found))


def _tuples(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    return zip(*map(_values, batch.schema.names, batch.columns), strict=True)


def _values(name: str, column: pa.Array) -> list[Any]:
    from mdfsql.rowwise import values  # as above

    try:
        return values(column)
    except (OverflowError, TypeError, ValueError) as error:
        raise DataError(
            f"column {name!r} holds a value that Python has not ({error}): a date beyond the year 9999 or a map with "
            "keys that cannot be hashed; read it with to_arrow(), or cast it to VARCHAR"
        ) from error
