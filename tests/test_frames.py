"""from_spark, from_dask, to_spark, to_dask, and files at URLs."""

import pandas as pd
import pytest

import mdfsql as mdf


def test_from_spark(spark, people, check):
    session = people.to_spark().sparkSession
    frame = session.sql("SELECT 1 AS Id, 'a' AS name, CAST(2.50 AS DECIMAL(5,2)) AS d UNION ALL SELECT 2, NULL, NULL")
    made = mdf.Dataset.from_spark(frame)
    assert dict(made.schema) == {"Id": "INTEGER", "name": "VARCHAR", "d": "DECIMAL(5,2)"}
    check(made.filter(lambda r: r["Id"] > 1).select("Id", "name"), [{"Id": 2, "name": None}])
    assert mdf.sql("SELECT count(*) AS n FROM f WHERE name IS NOT NULL", f=frame).collect() == [{"n": 1}]


def test_to_spark(spark, people):
    frame = people.filter("id > 3").select("id", Name="name").to_spark()
    assert frame.columns == ["id", "Name"] and frame.schema["id"].dataType.typeName() == "long"
    assert sorted(tuple(row) for row in frame.collect()) == [(4, None), (5, "Zoë")]


def test_a_spark_frame_runs_on_spark_only(spark, people):
    made = mdf.Dataset.from_spark(people.to_spark().sparkSession.range(3))
    with pytest.raises(mdf.errors.BackendError, match="made of a frame of spark"):
        made.collect(engine="duckdb")


def test_from_dask(dask, check):
    import dask.dataframe as dd

    table = pd.DataFrame({"Id": [1, 2, 3], "name": ["a", None, "c"], "x": [0.5, None, 2.0]})
    frame = dd.from_pandas(table, npartitions=2)
    made = mdf.Dataset.from_dask(frame)
    assert dict(made.schema) == {"Id": "BIGINT", "name": "VARCHAR", "x": "DOUBLE"}
    check(made.filter(lambda r: r["Id"] > 1).select("Id", "name"), [{"Id": 2, "name": None}, {"Id": 3, "name": "c"}])
    assert mdf.sql("SELECT count(*) AS n FROM f WHERE name IS NOT NULL", f=frame).collect() == [{"n": 2}]


def test_to_dask(dask, people):
    frame = people.filter("id > 3").select("id", Name="name").to_dask()
    assert list(frame.columns) == ["id", "Name"]
    assert sorted(frame.compute()["id"].tolist()) == [4, 5]


def test_a_dask_frame_runs_on_dask_only(dask):
    import dask.dataframe as dd

    made = mdf.Dataset.from_dask(dd.from_pandas(pd.DataFrame({"a": [1]}), npartitions=1))
    with pytest.raises(mdf.errors.BackendError, match="made of a frame of dask"):
        made.collect(engine="duckdb")


def test_urls_are_the_engines_own(engine, people, check, tmp_path):
    people.select("id", "name").write_parquet(tmp_path / "people.parquet")
    url = f"file://{tmp_path}/people.parquet"
    check(mdf.Dataset.read_parquet(url).filter("id = 1"), [{"id": 1, "name": "Ada"}])
    check(mdf.sql(f"SELECT count(*) AS n FROM '{url}'"), [{"n": 5}])
