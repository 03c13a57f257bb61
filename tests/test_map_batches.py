"""Dataset.map_batches: functions over Arrow batches, on every engine."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import mdfsql as mdf
from mdfsql.errors import DataError
from tests.test_fallback import ROWS, expected


@pytest.fixture
def rows(engine: str) -> mdf.Dataset:
    return mdf.Dataset.from_items(ROWS)


def test_map_batches(rows: mdf.Dataset, check: Any) -> None:
    def lengths(batch: pa.RecordBatch) -> pa.Table:
        columns = [batch["id"], pc.cast(pc.utf8_length(batch["s"]), pa.int64())]
        return pa.table(columns, names=["id", "n"])

    made = rows.map_batches(lengths, schema={"id": int, "n": int})
    check(made, expected(lambda r: {"id": r["id"], "n": None if r["s"] is None else len(r["s"])}))
    check(rows.map_batches(lambda batch: batch), ROWS)


def test_map_batches_is_held_to_its_schema(rows: mdf.Dataset) -> None:
    with pytest.raises(DataError, match=r"gives \(id int64\), its schema is \(id int32\)"):
        rows.map_batches(lambda batch: batch.select(["id"]), schema={"id": "INTEGER"}).collect()
    with pytest.raises(DataError, match="gives int, no Arrow batch"):
        rows.map_batches(len).collect()
    with pytest.raises(ZeroDivisionError) as caught:
        rows.map_batches(lambda batch: 1 / 0).collect()
    assert "for a batch of" in caught.value.__notes__[0]
