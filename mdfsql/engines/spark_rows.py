"""Row functions on Spark: mapInArrow runs them in Python workers, and what they raise comes back whole."""

from __future__ import annotations

import base64
import pickle
import re
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
from pyspark import cloudpickle
from pyspark.sql import DataFrame

from mdfsql import rowwise
from mdfsql.catalog import PythonSource
from mdfsql.engines.base import users_error
from mdfsql.engines.spark_types import spark_struct

__all__ = ["raised", "run_rows"]

# The workers of a cluster need pyarrow, and not this package: its one module that they run is sent along.
cloudpickle.register_pickle_by_value(rowwise)

MARK = "mdfsql-row-error:"
PAYLOAD = re.compile(MARK + r"([A-Za-z0-9+/=]+)")


def run_rows(frame: DataFrame, schema: pa.Schema, source: PythonSource) -> DataFrame:
    """Return what a function gives for the rows of a frame, of the Arrow types of ``schema``."""
    return frame.mapInArrow(_worker(source.program, schema, rowwise.run, rowwise.RowError), spark_struct(source.schema))


def _worker(
    program: rowwise.Program, schema: pa.Schema, run: Any, row_error: type[rowwise.RowError]
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    # All that the function needs is its own: a global of this module would send the module's name, not its code.
    mark, names = MARK, [name.lower() for name in program.schema.names]

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import base64
        import pickle

        import pyarrow as pa

        def conformed() -> Iterator[pa.RecordBatch]:
            for batch in batches:
                columns = [c.cast(f.type) for c, f in zip(batch.columns, schema, strict=True)]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)

        try:
            for made in run(program, conformed()):
                yield pa.RecordBatch.from_arrays(made.columns, names=names)
        except row_error as error:
            try:
                from pyspark import cloudpickle

                payload = cloudpickle.dumps((error.error, error.note))
                pickle.loads(payload)
            except Exception:
                raise error from None
            # Java hands on nothing but text.
            raise RuntimeError(mark + base64.b64encode(payload).decode()) from None

    return work


def raised(text: str) -> BaseException | None:
    """Return what a user's function raised in a worker, from the text of Spark's error; None where it is no such."""
    found = PAYLOAD.search(text)
    if found is None:
        return None
    try:
        error, note = pickle.loads(base64.b64decode(found[1]))
    except Exception:
        # The exception's class is not to be had here: the text is all there is.
        return None
    return users_error(rowwise.RowError(error, note))
