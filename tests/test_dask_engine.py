"""Dask gives DuckDB's answer or refuses, over several partitions; and what the engine itself promises."""

from __future__ import annotations

import importlib.util
import math
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlglot
from sqlglot import exp

import mdfsql as mdf
from mdfsql.catalog import ArrowSource
from mdfsql.compile import compile_relation
from mdfsql.dialects.dask_sql import ROW_MAKERS, DaskSQL, refuse_unsteady, target
from mdfsql.engines import Engine, open_engine
from mdfsql.errors import BackendError, EngineError, MdfError, Unsupported
from mdfsql.lower.shapes import aggregates
from tests.conformance import (
    FIXTURES,
    difference,
    expressions,
    is_ordered,
    key_of,
    outcome,
    queries,
    relation,
    run,
    tables,
)

if importlib.util.find_spec("dask_sql") is None:
    # Not importorskip: it would import Dask before the engine has put it into its mode.
    pytest.skip("dask-sql is not installed", allow_module_level=True)

# Few rows a partition, so that every case runs over several, some of them empty after a filter.
ROWS = 7

# Not the same from one partition, or one run, to the next.
UNSTEADY = re.compile(r"\b(random|now|approx_\w+)\(")


@pytest.fixture(scope="module", autouse=True)
def small_partitions() -> Iterator[None]:
    from mdfsql.engines import dask_sources

    before, dask_sources.ROWS = dask_sources.ROWS, ROWS
    yield
    dask_sources.ROWS = before


@pytest.fixture(scope="module")
def duck() -> Iterator[Engine]:
    engine = open_engine("duckdb")
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def dask() -> Iterator[Engine]:
    engine = open_engine("dask")
    yield engine
    engine.close()


PASSED: set[type[exp.Expr]] = set()


def wrong(duck: Engine, dask: Engine, sql: str, given: dict[str, ArrowSource] | None = None) -> str | None:
    """Return what is wrong with a query, or None: the same answer, a refusal, or an error on both sides is right."""
    made = relation(sql, given)
    answer = outcome(dask, made)
    if isinstance(answer, Unsupported):
        return None
    reference = outcome(duck, made)
    if isinstance(reference, MdfError) or isinstance(answer, MdfError):
        both = isinstance(reference, MdfError) and isinstance(answer, MdfError)
        return None if both else f"{sql}: {reference!r:.200} but {answer!r:.300}"
    found = difference(reference, answer, ordered=is_ordered(sql))
    if found is None:
        PASSED.update(type(node) for node in compile_relation(made, target).tree.walk())
    return found and f"{sql}: {found}"


# ---- the answers -------------------------------------------------------------------------------------------------


def own_cases() -> tuple[list[str], list[str]]:
    text = (FIXTURES / "dask.sql").read_text().partition("\n\n")[2]
    same, _, refused = text.partition("-- refused\n")
    return [line for line in same.splitlines() if line], [line for line in refused.splitlines() if line]


SAME, REFUSED = own_cases()


@pytest.mark.parametrize("sql", SAME)
def test_own_queries_agree(duck: Engine, dask: Engine, sql: str) -> None:
    assert not isinstance(outcome(dask, relation(sql)), Unsupported)
    assert wrong(duck, dask, sql) is None


@pytest.mark.parametrize("sql", SAME[::2])
def test_own_queries_agree_over_no_rows(duck: Engine, dask: Engine, sql: str) -> None:
    assert wrong(duck, dask, sql, tables() | {"t": tables()["empty"]}) is None


@pytest.mark.parametrize("sql", REFUSED)
def test_refused_before_anything_runs(sql: str) -> None:
    with pytest.raises(Unsupported, match=r"^dask: "):
        compile_relation(relation(sql), target)


def shared_expressions() -> dict[str, list[str]]:
    """Return the expressions that all engines share, by table; what another engine makes of them is no matter here."""
    found: dict[str, list[str]] = {}
    for case in expressions():
        if not UNSTEADY.search(case.sql):
            found.setdefault(case.table or "", []).append(case.sql)
    return found


AT_ONCE = 30
GROUPS = [
    pytest.param(table, lines[at : at + AT_ONCE], id=f"{table}-{at}")
    for table, lines in shared_expressions().items()
    for at in range(0, len(lines), AT_ONCE)
]


@pytest.mark.parametrize(("table", "lines"), GROUPS)
def test_shared_expressions_agree(duck: Engine, dask: Engine, table: str, lines: list[str]) -> None:
    name = key_of(table)
    singles = {line: f"SELECT {name} AS row_, {line} AS x FROM {table}" for line in lines}
    good = [line for line, sql in singles.items() if not isinstance(outcome(duck, relation(sql)), MdfError)]
    together = ", ".join(f"{line} AS x{number}" for number, line in enumerate(good))
    sql = f"SELECT {name} AS row_, {together} FROM {table}"
    given = relation(sql)
    if not isinstance(outcome(dask, given), MdfError) and wrong(duck, dask, sql) is None:
        singles = {line: sql for line, sql in singles.items() if line not in good}
    assert [found for sql in singles.values() if (found := wrong(duck, dask, sql))] == []


def shared_queries() -> list[str]:
    shared = [case for case in queries() if not UNSTEADY.search(case.sql) and not case.sql.startswith("PIVOT")]
    # Functions are DuckDB's own here, whatever they are over: of those over each kind of value, one in four.
    kinds = [case for case in shared if case.where.startswith("kinds.sql")]
    return [case.sql for case in shared if case not in kinds or kinds.index(case) % 4 == 0]


@pytest.mark.parametrize("sql", shared_queries())
def test_shared_queries_agree(duck: Engine, dask: Engine, sql: str) -> None:
    assert wrong(duck, dask, sql) is None


def test_most_shared_queries_run() -> None:
    refused = []
    # The other files each go to the edges of one subject.
    for case in queries():
        if not case.where.startswith("basic.sql") or case.sql not in shared_queries():
            continue
        try:
            compile_relation(relation(case.sql), target)
        except Unsupported:
            refused.append(case.sql)
    assert len(refused) <= 15, refused


def functions_of_the_reference(where: str) -> Iterator[tuple[str, exp.Expr]]:
    """Yield the calls, of each number of arguments, of the reference's functions for which a condition holds."""
    connection = duckdb.connect()
    sql = f"SELECT DISTINCT function_name FROM duckdb_functions() WHERE {where} ORDER BY 1"
    for (name,) in connection.execute(sql).fetchall():
        for count in range(4):
            try:
                select = sqlglot.parse_one(f"SELECT {name}({', '.join('abc'[:count])})", read="duckdb")
            except sqlglot.ParseError:
                continue
            yield name, select.expressions[0].unalias()


# Macros of the reference that are aggregates; others call one for the elements of a list.
AGGREGATE_MACROS = [
    "geomean",
    "geometric_mean",
    "json_group_array",
    "json_group_object",
    "variant_group_array",
    "wavg",
    "weighted_avg",
]


def test_every_aggregate_of_the_reference_is_known_as_one() -> None:
    named = ", ".join(f"'{name}'" for name in AGGREGATE_MACROS)
    calls = functions_of_the_reference(f"function_type = 'aggregate' OR function_name IN ({named})")
    # What no name stands for is no call.
    plain = {name for name, call in calls if isinstance(call, exp.Func) and not list(aggregates(call))}
    assert plain == set()


def test_every_macro_of_the_reference_with_an_aggregate_is_known() -> None:
    connection = duckdb.connect()
    macros = connection.execute(
        "SELECT function_name, macro_definition FROM duckdb_functions() WHERE function_type = 'macro'"
    ).fetchall()
    names = connection.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'"
    ).fetchall()
    called = re.compile(rf"(?<!\w)({'|'.join(re.escape(name) for (name,) in names if name.isidentifier())})\(")
    found = {name for name, definition in macros if definition and called.search(definition)}
    assert found <= {*AGGREGATE_MACROS}
    makers = {name for name, definition in macros if definition and "unnest(" in definition}
    assert makers == set(ROW_MAKERS)


def test_every_unsteady_function_of_the_reference_is_refused() -> None:
    for name, call in functions_of_the_reference("stability <> 'CONSISTENT' AND function_type <> 'table'"):
        if name not in ("error", "assert_true") and isinstance(call, exp.Func):
            with pytest.raises(Unsupported):
                refuse_unsteady(call)


def test_every_allowed_construct_was_in_a_passing_case() -> None:
    if not PASSED:
        pytest.skip("the cases did not run")
    assert target.allowed is not None
    assert target.allowed - PASSED == set()


# ---- the engine --------------------------------------------------------------------------------------------------


@pytest.fixture
def rows() -> mdf.Dataset:
    return mdf.Dataset.from_items([{"k": n % 3 if n % 5 else None, "v": n, "s": f"é{n}"} for n in range(30)])


def test_null_stays_apart_from_nan_in_a_frame(dask: Engine) -> None:
    made = mdf.Dataset.from_items([{"Id": 1, "f": math.nan}, {"Id": None, "f": None}])
    with mdf.set_backend("dask"):
        frame = made.to_dask()
    assert list(frame.columns) == ["Id", "f"]
    assert [str(dtype) for dtype in frame.dtypes] == ["int64[pyarrow]", "double[pyarrow]"]
    back = pa.Table.from_pandas(frame.compute(), preserve_index=False)
    assert back.column("Id").to_pylist() == [1, None]
    assert str(back.column("f").to_pylist()) == "[nan, None]"


def test_dask_frames_come_in(dask: Engine) -> None:
    import dask.dataframe as dd
    import pandas as pd

    pandas = pd.DataFrame({"A": [1, 2, None, 4], "s": ["x", None, "z", ""], "i": pd.array([1, None, 3, 4], "Int64")})
    with mdf.set_backend("dask"):
        made = mdf.Dataset.from_dask(dd.from_pandas(pandas, npartitions=2))
        assert dict(made.schema) == {"A": "DOUBLE", "s": "VARCHAR", "i": "BIGINT"}
        assert made.filter("A > 1").collect() == [{"A": 2.0, "s": None, "i": None}, {"A": 4.0, "s": "", "i": 4}]
    with pytest.raises(BackendError, match="frame of dask"):
        made.collect(engine="duckdb")


def test_written_files_read_back(rows: mdf.Dataset, tmp_path: Path) -> None:
    for format in ("parquet", "csv", "json"):
        path = tmp_path / format
        with mdf.set_backend("dask"):
            getattr(rows, f"write_{format}")(str(path))
        back = getattr(mdf.Dataset, f"read_{format}")(str(path))
        for engine in ("duckdb", "dask"):
            assert sorted(back.select("v").collect(engine=engine), key=lambda r: r["v"]) == [
                {"v": n} for n in range(30)
            ]


def test_partitioned_files_read_back(rows: mdf.Dataset, tmp_path: Path) -> None:
    rows.filter("k IS NOT NULL").write_parquet(str(tmp_path / "out"), partition_by="k", engine="dask")
    assert sorted(os.listdir(tmp_path / "out")) == ["k=0", "k=1", "k=2"]
    back = mdf.Dataset.read_parquet(str(tmp_path / "out"))
    expected = sorted(r["v"] for r in back.filter("k = 1").collect(engine="duckdb"))
    assert sorted(r["v"] for r in back.filter("k = 1").collect(engine="dask")) == expected


def test_large_parquet_files_are_cut_by_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mdfsql.engines import dask_sources

    pq.write_table(pa.table({"x": list(range(1000))}), tmp_path / "a.parquet", row_group_size=100)
    monkeypatch.setattr(dask_sources, "BYTES", 1)
    made = mdf.Dataset.read_parquet(tmp_path / "a.parquet")
    assert made.to_dask().npartitions == 10
    assert [r["x"] for r in made.filter("x % 250 = 0").collect(engine="dask")] == [0, 250, 500, 750]


def test_files_are_read_by_name_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mdfsql.engines import dask_worker

    (tmp_path / "it's a").mkdir()
    for number in range(3):
        pq.write_table(pa.table({"x": [number, None]}), tmp_path / "it's a" / f"{number} b.parquet")
    monkeypatch.chdir(tmp_path)
    made = mdf.Dataset.read_parquet("it's a/*.parquet")
    assert made.filter("x > 0").order_by("x").collect(engine="dask") == [{"x": 1}, {"x": 2}]
    other = str(tmp_path / "other.parquet")
    pq.write_table(pa.table({"x": [1]}), other)
    scan = dask_worker.Scan("SELECT x AS c0 FROM read_parquet(['it''s a/0 b.parquet'])", "it's a/0 b.parquet")
    assert dask_worker.run("SELECT c0 FROM i0", scan).column(0).to_pylist() == [0, None]
    with pytest.raises(duckdb.PermissionException):
        dask_worker.run(f"SELECT x FROM i0, read_parquet('{other}')", scan)
    assert dask_worker.run("SELECT c0 FROM i0", pa.table({"c0": [7]})).column(0).to_pylist() == [7]
    os.remove("it's a/0 b.parquet")
    with pytest.raises(MdfError):
        made.collect(engine="dask")


def test_a_limit_runs_no_more_partitions_than_it_needs(tmp_path: Path) -> None:
    for number in range(40):
        pq.write_table(pa.table({"x": [number]}), tmp_path / f"{number:02}.parquet")
    made = mdf.Dataset.read_parquet(str(tmp_path))
    for number in range(30, 40):
        (tmp_path / f"{number:02}.parquet").write_bytes(b"not parquet any more")
    assert made.limit(3).collect(engine="dask") == [{"x": 0}, {"x": 1}, {"x": 2}]
    assert made.limit(2, offset=5).collect(engine="dask") == [{"x": 5}, {"x": 6}]
    with pytest.raises(MdfError):
        made.limit(39).collect(engine="dask")


def test_cancel_stops_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    from mdfsql.engines import dask_sources

    monkeypatch.setattr(dask_sources, "ROWS", 1000)
    with mdf.set_backend("dask") as backend:
        made = mdf.Dataset.from_items([{"x": n} for n in range(3000)])
        slow = mdf.sql(
            "SELECT count(*) FILTER (WHERE md5(a.x || ' ' || b.x || ' ' || c.x) < 'f') AS n "
            "FROM made a, made b, made c",
            made=made,
        )
        timer = threading.Timer(3, backend.engine.cancel)
        timer.start()
        with pytest.raises(EngineError, match="cancelled"):
            slow.collect()
        # What begins after it is not stopped by it.
        for _ in range(50):
            assert made.limit(1).collect() == [{"x": 0}]


def test_a_cache_is_kept_while_its_dataset_lives() -> None:
    with mdf.set_backend("dask") as backend:
        cached = mdf.Dataset.from_items([{"v": n} for n in range(30)]).filter("v > 3").cache()
        assert cached.count() == 26 and cached.count() == 26
        kept = backend.engine._kept  # type: ignore[attr-defined]
        assert any(name.startswith("cached") for name in kept)
        del cached
        assert not any(name.startswith("cached") for name in kept)


def test_an_error_while_it_runs_is_one_sentence(dask: Engine) -> None:
    with pytest.raises(EngineError, match=r"^dask: too big$"):
        run(dask, relation("SELECT CASE WHEN x > 50 THEN error('too big') ELSE x END AS y FROM t"))
    with pytest.raises(EngineError, match="More than one row"):
        run(dask, relation("SELECT x FROM t WHERE x = (SELECT x FROM t)"))


def test_explain_shows_the_plan_and_runs_nothing(dask: Engine) -> None:
    given = relation("SELECT error('ran') AS e, k FROM t ORDER BY k")
    text = dask.explain(compile_relation(given, target))
    assert "TableScan" in text and "Sort" in text


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT rank() OVER (ORDER BY x) r FROM t", "rank() OVER without PARTITION BY: all rows in one partition"),
        ("SELECT median(x) FROM t", "median() without GROUP BY: all rows in one partition"),
        ("SELECT x FROM t OFFSET 3", None),
        ("SELECT a.x FROM t a JOIN t b ON a.x < b.x", "a join without equal keys of one type"),
        ("SELECT a.x FROM t a FULL JOIN t b ON a.x < b.x", "FULL JOIN without equal keys of one type"),
        ("SELECT s, sum(x), rank() OVER (PARTITION BY s ORDER BY sum(x)) FROM t GROUP BY s ORDER BY 1 LIMIT 3", None),
        ("SELECT sum(x) FROM t", None),
    ],
)
def test_explain_says_what_comes_to_one_worker(dask: Engine, sql: str, said: str | None) -> None:
    lines = [line for line in dask.explain(compile_relation(relation(sql), target)).splitlines() if line[:3] == "-- "]
    assert [said in line for line in lines if said] == ([True] if said else [])
    assert said or not lines


def test_a_closed_engine_says_so() -> None:
    engine = open_engine("dask")
    engine.close()
    with pytest.raises(BackendError, match="closed"):
        run(engine, relation("SELECT * FROM t"))


def test_a_dead_address_is_an_error_within_seconds() -> None:
    start = time.monotonic()
    with pytest.raises(BackendError, match=r"no scheduler answers at 'tcp://127.0.0.1:9'"):
        open_engine("dask", address="tcp://127.0.0.1:9")
    assert time.monotonic() - start < 15
    with pytest.raises(BackendError, match="not both"):
        open_engine("dask", address="tcp://127.0.0.1:9", client=object())


def test_query_planning_that_is_on_already_is_an_error_that_says_what_to_set() -> None:
    program = (
        "import dask; dask.config.set({'dataframe.query-planning': True}); import dask.dataframe\n"
        "import mdfsql as mdf\n"
        "try: mdf.Dataset.from_items([{'a': 1}]).collect(engine='dask')\n"
        "except mdf.errors.BackendError as error: print(error)\n"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DASK_")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, env=environment
    )
    assert "DASK_DATAFRAME__QUERY_PLANNING=False" in done.stdout, done.stderr


class Odd(Exception):
    """An exception of a user's own."""


def without_sevens(row: dict[str, Any]) -> bool:
    if row["v"] == 7:
        raise Odd("no sevens")
    return True


def test_on_a_cluster(tmp_path: Path) -> None:
    from distributed import Client, LocalCluster

    for number in range(4):
        keys = [n % 3 if n % 5 else None for n in range(1000)]
        values = {"K": pa.array(keys, pa.int64()), "v": [float(n) for n in range(1000)]}
        pq.write_table(pa.table(values), tmp_path / f"{number}.parquet", row_group_size=100)

    def build() -> mdf.Dataset:
        names = mdf.Dataset.from_items([{"K": 1, "name": "one"}, {"K": 2, "name": None}])
        joined = mdf.Dataset.read_parquet(str(tmp_path / "?.parquet")).join(names, on=["K"], how="left")
        grouped = joined.group_by("name")
        return grouped.aggregate(n=mdf.count(), s=mdf.sum("v"), m=mdf.median("v")).order_by("s")

    expected = build().collect(engine="duckdb")
    options: dict[str, Any] = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    with LocalCluster(host="127.0.0.1", dashboard_address=None, **options) as cluster:
        with Client(cluster) as client, mdf.set_backend("dask", client=client) as backend:
            made = build()
            assert made.collect() == expected
            cached = made.cache()
            assert cached.count() == len(expected) and cached.limit(1).collect() == expected[:1]
            with pytest.raises(EngineError, match=r"^dask: too big$"):
                made.select(x=mdf.expr("CASE WHEN n > 0 THEN error('too big') END")).collect()
            rows = mdf.Dataset.read_parquet(str(tmp_path / "?.parquet"))
            text = rows.map(
                lambda r: {"v": r["v"], "t": float.hex(r["v"])}, schema={"t": str}, on_unliftable="fallback"
            )
            assert text.group_by("t").count().count() == 1000
            with pytest.raises(Odd, match="no sevens") as caught:
                rows.filter(without_sevens, on_unliftable="fallback").collect()
            assert "'v': 7.0" in caught.value.__notes__[0]
            made.write_parquet(str(tmp_path / "out"))
            assert mdf.Dataset.read_parquet(str(tmp_path / "out")).count() == len(expected)
            backend.close()
            assert client.status == "running"
        with mdf.set_backend("dask", address=cluster.scheduler_address) as backend:
            assert build().collect() == expected
            backend.close()


def test_the_dialect_is_one_of_sqlglots() -> None:
    sql = "SELECT a FROM t ORDER BY a DESC NULLS LAST"
    assert sqlglot.transpile("SELECT a FROM t ORDER BY a DESC", read="duckdb", write=DaskSQL) == [sql]
