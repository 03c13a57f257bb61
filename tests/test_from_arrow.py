"""Dataset.from_arrow and the ways back: to_arrow, to_pandas, to_polars, the Arrow C stream."""

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import mdfsql as mdf

WIDENED = {
    "u8": (pa.uint8(), 255, "SMALLINT"),
    "u16": (pa.uint16(), 65535, "INTEGER"),
    "u32": (pa.uint32(), 4294967295, "BIGINT"),
    "i8": (pa.int8(), -128, "TINYINT"),
    "f32": (pa.float32(), 0.5, "FLOAT"),
    "big_text": (pa.large_string(), "é", "VARCHAR"),
    "view": (pa.string_view(), "v", "VARCHAR"),
    "code": (pa.dictionary(pa.int8(), pa.string()), "d", "VARCHAR"),
}


def test_types_widen(engine, check):
    table = pa.table({name: pa.array([value, None], type_) for name, (type_, value, _) in WIDENED.items()})
    made = mdf.Dataset.from_arrow(table)
    assert dict(made.schema) == {name: wide for name, (_, _, wide) in WIDENED.items()}
    check(made, [{n: v for n, (_, v, _) in WIDENED.items()}, dict.fromkeys(WIDENED)])


def test_pandas_polars_duckdb(engine, check):
    rows = [{"i": 1, "s": "x"}, {"i": 2, "s": None}]
    relation = duckdb.sql("SELECT * FROM (VALUES (1, 'x'), (2, NULL)) t(i, s)")
    for data in (pd.DataFrame(rows), pl.DataFrame(rows), relation):
        made = mdf.Dataset.from_arrow(data).cast(i="BIGINT")
        check(made, rows)


def test_nanoseconds_that_would_be_lost_are_an_error():
    exact = pd.DataFrame({"t": pd.to_datetime(["2024-01-01 00:00:00.000001"])})
    assert mdf.Dataset.from_arrow(exact).schema["t"] == "TIMESTAMP"
    with pytest.raises(mdf.errors.DataError, match="column 't'"):
        mdf.Dataset.from_arrow(pd.DataFrame({"t": pd.to_datetime(["2024-01-01 00:00:00.000000001"])}))


def test_to_arrow_has_the_bound_types(engine, people):
    table = people.group_by("team").aggregate(n=mdf.count(), s=mdf.sum("id"), m=mdf.avg("score")).to_arrow()
    assert table.schema.types == [pa.string(), pa.int64(), pa.int64(), pa.float64()]


def test_to_pandas_keeps_null_apart_from_nan(engine, people):
    frame = people.order_by("id").to_pandas()
    assert frame["id"].dtype == pd.ArrowDtype(pa.int64())
    assert list(frame["score"].isna())[2] and frame["score"].array.__arrow_array__().null_count == 1


def test_to_polars(engine, people):
    frame = people.order_by("id").to_polars()
    assert frame.schema["id"] == pl.Int64 and frame["score"].null_count() == 1


def test_arrow_stream(engine, people):
    assert pa.table(people.select("id")).num_rows == 5
    assert pl.DataFrame(people.select("id")).height == 5


def test_not_arrow():
    with pytest.raises(mdf.errors.DataError, match="int has no __arrow_c_stream__"):
        mdf.Dataset.from_arrow(3)


def test_types_that_no_engine_holds():
    with pytest.raises(mdf.errors.DataError, match="column 'd' has the Arrow type duration"):
        mdf.Dataset.from_arrow(pa.table({"d": pa.array([1], pa.duration("s"))}))
    with pytest.raises(mdf.errors.DataError, match="'a' stands twice"):
        mdf.Dataset.from_arrow(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]))


@pytest.mark.parametrize("sign", [1, -1])
def test_infinite_dates_are_refused_where_spark_reads_them(spark, sign):
    day = pa.array([None, sign * (2**31 - 1)], pa.int32()).view(pa.date32())
    moment = pa.array([None, sign * (2**63 - 1)], pa.int64()).view(pa.timestamp("us"))
    inside = pa.array([None, [sign * (2**31 - 1)]], pa.list_(pa.int32())).cast(pa.list_(pa.date32()))
    for column in (day, moment, inside):
        rows = mdf.Dataset.from_arrow(pa.table({"id": [1, 2], "at": column}))
        with pytest.raises(mdf.errors.Unsupported, match="in column 'at'"):
            rows.select("id").collect()
    day = pa.array([2**31 - 2], pa.int32()).view(pa.date32())
    assert mdf.Dataset.from_arrow(pa.table({"id": [1], "at": day})).select("id").collect() == [{"id": 1}]
