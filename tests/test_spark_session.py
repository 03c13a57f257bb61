"""What Spark's engine promises: its session, its sources, how results come, and how it fails."""

from __future__ import annotations

import datetime as dt
import decimal
import gc
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlglot
from sqlglot import exp

import mdfsql.dialects.spark
from mdfsql.arrow import arrow_schema, conform, read_schema, table_from_items
from mdfsql.bind import describe_files
from mdfsql.catalog import ArrowSource, EngineSource, FileSource, Source
from mdfsql.compile import Plan, compile_relation, target_of
from mdfsql.engines import open_engine
from mdfsql.engines.base import Engine
from mdfsql.engines.spark_java import diagnose
from mdfsql.errors import BackendError, EngineError, Unsupported
from mdfsql.relation import Relation
from mdfsql.schema import Schema

D, T, UTC, Dec = dt.date, dt.datetime, dt.UTC, decimal.Decimal


def source(types: dict[str, str], rows: list[tuple[Any, ...]]) -> ArrowSource:
    table = table_from_items([dict(zip(types, row, strict=True)) for row in rows], types)
    return ArrowSource(schema=read_schema(table.schema), table=table)


TABLES: dict[str, Source] = {
    "num": source({"id": "BIGINT", "i": "INTEGER"}, [(1, None), (2, 0), (3, 7), (4, -7)]),
    "day": source({"t": "TIMESTAMP", "z": "TIMESTAMPTZ"}, [(T(2024, 2, 29, 12, 30), T(2024, 11, 3, 6, tzinfo=UTC))]),
    "left_": source({"k": "BIGINT", "a": "INTEGER"}, [(1, 1), (2, 2), (2, 3), (None, 4), (5, 1)]),
}


@pytest.fixture(scope="module")
def spark() -> Iterator[Engine]:
    pytest.importorskip("pyspark")
    try:
        engine = open_engine("spark")
    except BackendError as error:
        pytest.skip(str(error))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def duck() -> Iterator[Engine]:
    engine = open_engine("duckdb")
    yield engine
    engine.close()


def plan_of(sql: str, **inputs: Source) -> Plan:
    tree = sqlglot.parse_one(sql, read="duckdb")
    assert isinstance(tree, exp.Query)
    return compile_relation(Relation(tree, inputs), mdfsql.dialects.spark.target)


def read(engine: Engine, plan: Plan) -> list[dict[str, Any]]:
    batches = conform(engine.batches(plan), plan.schema, engine.name)
    return pa.Table.from_batches(batches, arrow_schema(plan.schema)).to_pylist()


def session_of(engine: Any) -> Any:
    return engine._given


def test_frame_has_the_bound_names_and_types_and_belongs_to_the_session(spark: Engine) -> None:
    frame = spark.frame(plan_of('SELECT k AS "Kept", sum(a) AS "Sum It" FROM t GROUP BY k', t=TABLES["left_"]))
    assert frame.dtypes == [("Kept", "bigint"), ("Sum It", "bigint")]
    assert frame.sparkSession is session_of(spark)
    frame.createOrReplaceTempView("of_the_user")
    assert session_of(spark).sql("SELECT count(*) AS n FROM of_the_user").collect()[0].n == 4
    session_of(spark).catalog.dropTempView("of_the_user")


def test_a_handed_session_keeps_its_settings_and_views(spark: Engine) -> None:
    session = session_of(spark)
    own = {"spark.sql.session.timeZone": "Asia/Tokyo", "spark.sql.ansi.enabled": "false"}
    before = {key: session.conf.get(key) for key in own}
    for key, value in own.items():
        session.conf.set(key, value)
    try:
        engine = open_engine("spark", spark_session=session)
        plan = plan_of("SELECT CAST(t AS VARCHAR) AS s, z, hour(t) AS h FROM t", t=TABLES["day"])
        assert read(engine, plan) == [{"s": "2024-02-29 12:30:00", "z": T(2024, 11, 3, 6, tzinfo=UTC), "h": 12}]
        with pytest.raises(EngineError):
            read(engine, plan_of("SELECT i + 2147483647 AS x FROM t", t=TABLES["num"]))
        assert {key: session.conf.get(key) for key in own} == own
        assert not [table for table in session.catalog.listTables() if table.name.startswith("items_")]
        engine.close()
        assert session.sql("SELECT 1 AS x").collect()[0].x == 1
    finally:
        for key, value in before.items():
            session.conf.set(key, value)


def test_frames_and_tables_of_the_session_are_sources(spark: Any) -> None:
    session = session_of(spark)
    frame = session.sql("SELECT 1L AS Id, TIMESTAMP_NTZ '2024-01-01 00:00:00' AS t, 1.50BD AS `a.b`, array(1, 2) AS l")
    given = spark.source(frame)
    assert dict(given.schema) == {"Id": "BIGINT", "t": "TIMESTAMP", "a.b": "DECIMAL(3,2)", "l": "INTEGER[]"}
    row = read(spark, plan_of('SELECT id, "a.b" * 2 AS x, l[2] AS y FROM f', f=given))
    assert row == [{"Id": 1, "x": Dec("3.00"), "y": 2}] or row == [{"id": 1, "x": Dec("3.00"), "y": 2}]
    frame.createOrReplaceTempView("made_here")
    assert spark.lookup("made_here") == given.schema
    assert read(spark, plan_of("SELECT count(*) AS n FROM f", f=spark.source("made_here"))) == [{"n": 1}]
    assert spark.lookup("nothing_here") is None
    session.catalog.dropTempView("made_here")


def test_a_source_is_shown_once_and_dropped_with_it(spark: Any) -> None:
    given = source({"x": "BIGINT"}, [(1,)])
    name = given.name
    read(spark, plan_of("SELECT x FROM t", t=given))
    read(spark, plan_of("SELECT x + 1 AS x FROM t", t=given))
    assert name in spark._shown
    del given
    gc.collect()
    read(spark, plan_of("SELECT k FROM t", t=TABLES["left_"]))
    assert name not in spark._shown


def test_parquet_of_other_writers(spark: Engine, duck: Engine, tmp_path: Path) -> None:
    stamps = [T(1500, 1, 1, 1, 2, 3, 456789), T(1969, 12, 31, 23, 59, 59, 999999), T(2024, 2, 29)]
    table = pa.table(
        {
            "ns": pa.array([*stamps[1:], None], pa.timestamp("ns")),
            "ms": pa.array([s.replace(microsecond=0) for s in stamps], pa.timestamp("ms")),
            "us": pa.array(stamps, pa.timestamp("us")),
            "utc": pa.array(stamps, pa.timestamp("us", tz="UTC")),
            "u8": pa.array([0, 255, None], pa.uint8()),
            "u64": pa.array([0, 2**64 - 1, None], pa.uint64()),
            "d": pa.array([D(1, 1, 1), D(1582, 10, 10), None]),
            "S": pa.array([{"A": 1, "b": "x"}, None, {"A": None, "b": ""}]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    schema, own, options = describe_files("parquet", [str(tmp_path / "a.parquet")], {})
    given = FileSource(
        schema=schema,
        format="parquet",
        paths=(str(tmp_path / "a.parquet"),),
        own=tuple(own.items()),
        options=tuple(options.items()),
    )
    tree = sqlglot.parse_one("SELECT * FROM t", read="duckdb")
    assert isinstance(tree, exp.Query)
    made = Relation(tree, {"t": given})
    assert read(spark, compile_relation(made, target_of("spark"))) == read(
        duck, compile_relation(made, target_of("duckdb"))
    )


def test_files_that_spark_would_skip_are_refused(spark: Engine, tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), tmp_path / "_a.parquet")
    given = FileSource(schema=Schema({"x": "BIGINT"}), format="parquet", paths=(str(tmp_path / "_a.parquet"),))
    with pytest.raises(Unsupported, match="begin with _"):
        read(spark, plan_of("SELECT x FROM t", t=given))


def test_types_that_spark_lacks_are_refused(spark: Engine) -> None:
    given = source({"t": "TIME"}, [(dt.time(1, 2),)])
    with pytest.raises(Unsupported, match="TIME"):
        read(spark, plan_of("SELECT count(*) AS n FROM t", t=given))


def test_a_frame_of_another_engine_is_an_error(spark: Engine) -> None:
    given = EngineSource(schema=Schema({"x": "BIGINT"}), engine="dask", frame=object())
    with pytest.raises(BackendError, match="dask"):
        read(spark, plan_of("SELECT x FROM t", t=given))


def test_errors_are_one_sentence(spark: Engine) -> None:
    big = ArrowSource(schema=Schema({"i": "BIGINT"}), table=pa.table({"i": list(range(300_000))}))
    for sql in (
        "SELECT 1 // (i - 5) AS x FROM t",
        "SELECT CASE WHEN i = 299999 THEN error('told') ELSE i END AS x FROM t",
    ):
        with pytest.raises(EngineError) as caught:
            read(spark, plan_of(sql, t=big))
        assert "\n" not in str(caught.value) and "Exception" not in str(caught.value) and len(str(caught.value)) < 200
        assert "Division by zero" in str(caught.value) or "told" in str(caught.value)


def test_cancel_stops_what_runs(spark: Engine) -> None:
    numbers = ArrowSource(schema=Schema({"i": "BIGINT"}), table=pa.table({"i": list(range(60_000))}))
    plan = plan_of("SELECT count(*) AS n FROM t a JOIN t b ON a.i + b.i < -1 JOIN t c ON b.i + c.i < a.i", t=numbers)
    timer = threading.Timer(2, spark.cancel)
    timer.start()
    with pytest.raises(EngineError, match="cancelled"):
        read(spark, plan)
    timer.cancel()
    assert read(spark, plan_of("SELECT count(*) AS n FROM t", t=TABLES["left_"])) == [{"n": 5}]


def test_threads_share_an_engine(spark: Engine) -> None:
    plans = [plan_of(f"SELECT sum(i) + {n} AS s FROM t", t=TABLES["num"]) for n in range(6)]
    with ThreadPoolExecutor(3) as pool:
        sums = [rows[0]["s"] for rows in pool.map(lambda plan: read(spark, plan), plans)]
    assert [s - sums[0] for s in sums] == list(range(6))


def test_many_partitions_come_in_order_and_empty_ones_are_nothing(spark: Engine) -> None:
    big = ArrowSource(schema=Schema({"i": "BIGINT"}), table=pa.table({"i": list(range(250_000))}))
    rows = read(spark, plan_of("SELECT i FROM t WHERE i % 2 = 0 ORDER BY i DESC", t=big))
    assert [row["i"] for row in rows] == list(range(249_998, -1, -2))
    assert read(spark, plan_of("SELECT i FROM t WHERE i < 0", t=big)) == []


def test_explain_shows_the_plan_and_runs_nothing(spark: Engine) -> None:
    assert "Physical Plan" in spark.explain(plan_of("SELECT error('no') AS x FROM t", t=TABLES["left_"]))


@pytest.mark.parametrize("format", ["parquet", "csv", "json"])
def test_write(spark: Engine, tmp_path: Path, format: str) -> None:
    path = str(tmp_path / "out")
    spark.write(plan_of('SELECT k, a AS "Aa" FROM t', t=TABLES["left_"]), path, format, ())
    schema, _, _ = describe_files(format, sorted(map(str, Path(path).glob(f"*.{format}"))), {})
    assert list(schema) == ["k", "Aa"]


def test_what_spark_needs_is_looked_at_without_pyspark() -> None:
    findings = {what: problem for what, _, problem in diagnose()}
    assert set(findings) == {"Python", "pyspark", "py4j", "Java", "SPARK_HOME", "PYSPARK_PYTHON"}


def test_no_java_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    problem = {what: problem for what, _, problem in diagnose()}["Java"]
    assert problem is not None and "JAVA_HOME" in problem and "install" in problem


def test_an_old_java_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.7.0_80\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    problem = {what: problem for what, _, problem in diagnose()}["Java"]
    assert problem is not None and "Java 7" in problem


def test_another_spark_in_spark_home_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "RELEASE").write_text("Spark 2.4.8 built for Hadoop 2.7\n")
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    problem = {what: problem for what, _, problem in diagnose()}["SPARK_HOME"]
    assert problem is not None and "2.4.8" in problem


def test_a_closed_engine_says_so(spark: Engine) -> None:
    engine = open_engine("spark", spark_session=session_of(spark))
    engine.close()
    with pytest.raises(BackendError, match="closed"):
        read(engine, plan_of("SELECT k FROM t", t=TABLES["left_"]))


def test_connect_without_a_server_is_an_error() -> None:
    with pytest.raises(BackendError, match="Connect"):
        open_engine("spark", remote="sc://127.0.0.1:1")
