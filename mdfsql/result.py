"""Running a plan: an engine's batches, checked, as rows, Arrow, pandas or polars."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mdfsql.compile import Plan
from mdfsql.engines.base import Engine

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["batches", "reader", "rows"]


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
    """Run and yield rows as tuples of Python values."""
    own = engine.rows(plan)
    if own is not None:
        return itertools.chain.from_iterable(own)
    return itertools.chain.from_iterable(
        zip(*(column.to_pylist(maps_as_pydicts="strict") for column in batch.columns), strict=True)
        for batch in batches(engine, plan)
    )
