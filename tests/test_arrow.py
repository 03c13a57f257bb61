"""What is cast on the way out of an engine, and what is not."""

import decimal

import pyarrow as pa
import pytest

from mdfsql.arrow import conform
from mdfsql.errors import EngineError

KEPT = {
    "int64 as double": ([1.0, None], pa.float64(), "BIGINT", [1, None]),
    "hugeint as decimal": ([decimal.Decimal(7)], pa.decimal128(38, 0), "BIGINT", [7]),
    "decimal of another scale": (
        [decimal.Decimal("1.500")],
        pa.decimal128(10, 3),
        "DECIMAL(5,1)",
        [decimal.Decimal("1.5")],
    ),
    "large string": (["a"], pa.large_string(), "VARCHAR", ["a"]),
    "only NULL": ([None], pa.null(), "DOUBLE", [None]),
    "list with another element name": ([[1]], pa.list_(pa.field("item", pa.int32())), "BIGINT[]", [[1]]),
}
REFUSED = {
    "struct with another name": ([{"y": 1}], pa.struct([("y", pa.int64())]), 'STRUCT("x" BIGINT)'),
    "fraction": ([1.5], pa.float64(), "BIGINT"),
    "too large": ([decimal.Decimal(2**63)], pa.decimal128(38, 0), "BIGINT"),
    "digits lost": ([decimal.Decimal("1.25")], pa.decimal128(10, 2), "DECIMAL(5,1)"),
    "decimal for double": ([decimal.Decimal("1.5")], pa.decimal128(10, 1), "DOUBLE"),
    "float for double": ([0.1], pa.float32(), "DOUBLE"),
    "text for a number": (["1"], pa.string(), "BIGINT"),
    "timestamp for a date": ([0], pa.timestamp("us"), "DATE"),
    "number for a truth value": ([1], pa.int64(), "BOOLEAN"),
    "number for text in a struct": ([{"x": 1}], pa.struct([("x", pa.int64())]), 'STRUCT("x" VARCHAR)'),
}


@pytest.mark.parametrize("case", KEPT)
def test_kept(case):
    values, own, bound, expected = KEPT[case]
    batch = pa.RecordBatch.from_arrays([pa.array(values, own)], names=["whatever"])
    (out,) = conform([batch], {"v": bound}, "spark")
    assert out.schema.names == ["v"] and out.column(0).to_pylist() == expected


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    values, own, bound = REFUSED[case]
    batch = pa.RecordBatch.from_arrays([pa.array(values, own)], names=["v"])
    with pytest.raises(EngineError, match="spark: column 'v' came as"):
        list(conform([batch], {"v": bound}, "spark"))


def test_number_of_columns():
    batch = pa.RecordBatch.from_arrays([pa.array([1]), pa.array([2])], names=["a", "b"])
    with pytest.raises(EngineError, match="gave 2 columns where 1 were bound"):
        list(conform([batch], {"a": "BIGINT"}, "dask"))
