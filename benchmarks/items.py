"""A million dicts as a dataset, against pyarrow's own reading of them."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

import mdfsql as mdf
from benchmarks.measure import Options, Result, compare, timed

__all__ = ["items"]


def items(options: Options, rows: int = 1_000_000) -> Iterator[Result]:
    """Make a dataset of dicts with an integer, a float, a string and a flag."""
    dicts = [{"id": i, "value": i * 0.5, "name": f"name {i % 1000}", "even": i % 2 == 0} for i in range(rows)]
    yield compare(
        "from_items",
        f"`Dataset.from_items` of {rows:,} dicts",
        "`pyarrow.Table.from_pylist`",
        lambda: timed(lambda: mdf.Dataset.from_items(dicts)),
        lambda: timed(lambda: pa.Table.from_pylist(dicts)),
        options.repeats,
        aim=1.2,
    )
