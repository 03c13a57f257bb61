"""Long chains of steps, and what stands for a source in the query that they become."""

from __future__ import annotations

import sys
import tracemalloc
from collections import OrderedDict
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from sqlglot import exp

import mdfsql as mdf
from benchmarks.sides import mdfsql_compile as compiled
from mdfsql import bind, queries
from mdfsql import compile as compiling
from mdfsql.compile import compile_relation, target_of
from mdfsql.schema import value_type

ITEMS: list[dict[str, Any]] = [{"id": 1, "v": 2.0, "s": "a"}, {"id": 2, "v": None, "s": None}]


def upon_each_other(count: int) -> mdf.Dataset:
    made = mdf.Dataset.from_items(ITEMS)
    for _ in range(count):
        made = mdf.sql("SELECT id, v + 1 AS v, s FROM ds WHERE v > 0", ds=made)
    return made


def test_many_queries_upon_each_other(engine: str, check: Any) -> None:
    # More than Spark's analyzer takes rounds by its own settings.
    count = 110 if engine == "spark" else 60
    check(upon_each_other(count), [{"id": 1, "v": 2.0 + count, "s": "a"}])


def test_a_thousand_queries_upon_each_other() -> None:
    with mdf.set_backend("duckdb"):
        assert upon_each_other(1000).collect() == [{"id": 1, "v": 1002.0, "s": "a"}]
    for engine in ("spark", "dask"):
        assert len(compile_relation(upon_each_other(1000)._relation, target_of(engine)).sql) < 200_000


def test_many_filters(engine: str, check: Any) -> None:
    items: list[dict[str, Any]] = [{"id": n} for n in range(100)]
    made = mdf.Dataset.from_items(items)
    for n in range(70):
        made = made.filter(f"id <> {n}")
    check(made, [{"id": n} for n in range(70, 100)])


def test_each_filter_is_bound_with_few_others() -> None:
    made = mdf.Dataset.from_items(ITEMS)
    for _ in range(100):
        made = made.filter("v > 0")
    assert len(list(made._relation.tree.find_all(exp.GT))) <= 20


def test_a_source_stands_as_a_table() -> None:
    ds = mdf.Dataset.from_items(ITEMS)
    tree = mdf.sql("SELECT a.id FROM ds AS a JOIN ds AS b ON a.id = b.id", ds=ds)._relation.assemble()
    assert [table.alias for table in tree.find_all(exp.Table)] == ["a", "b"]
    assert tree.find(exp.Subquery, exp.CTE) is None


def test_a_query_of_some_columns_is_no_source(engine: str, check: Any) -> None:
    ds = mdf.Dataset.from_items([{"a": 1, "b": 2}, {"a": 1, "b": 3}])
    inner = mdf.sql("SELECT * FROM (SELECT DISTINCT a FROM ds)", ds=ds)
    check(mdf.sql("SELECT * FROM x", x=inner), [{"a": 1}])
    renamed = mdf.sql("SELECT * FROM ds AS t(x, y)", ds=ds)
    check(mdf.sql("SELECT y FROM x", x=renamed), [{"y": 2}, {"y": 3}])
    without = mdf.sql("SELECT * EXCLUDE (a) FROM ds", ds=ds)
    check(mdf.sql("SELECT * FROM x", x=without), [{"b": 2}, {"b": 3}])


def test_what_a_function_gives_is_computed_once_for_two_readers() -> None:
    ds = mdf.Dataset.from_items([{"id": 1}]).map(lambda row: {"id": row["id"]}, lift=False)
    tree = mdf.sql("SELECT a.id FROM ds AS a, ds AS b", ds=ds)._relation.assemble()
    assert len(list(tree.find_all(exp.CTE))) == 1


def test_types_of_values_are_shared_and_stay_as_they_are() -> None:
    types = ["BIGINT", "DOUBLE", "VARCHAR", "DECIMAL(15,2)", "BIGINT[]", 'STRUCT("a" BIGINT)', "MAP(VARCHAR, BIGINT)"]
    for engine in ("spark", "dask"):
        for type_ in types[:4]:
            ds = mdf.sql(f"SELECT CAST(NULL AS {type_}) AS v, [CAST(NULL AS {type_})] AS l, {{'a': 1}} AS s")
            made = mdf.sql("SELECT v, l, s, count(*) AS n FROM ds GROUP BY ALL", ds=ds)
            try:
                compile_relation(made._relation, target_of(engine))
            except mdf.errors.Unsupported:
                continue
    for type_ in types:
        assert value_type(type_) is value_type(type_)
        assert value_type(type_) == exp.DataType.build(type_, dialect="duckdb")


ENGINES = ("duckdb", "spark", "dask")


def calls(function: Callable[[], object]) -> int:
    """Return how many calls of Python functions a call makes: the same on every machine, however busy."""
    made = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal made
        made += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(before)
    return made


# By what grows: how much more the work and the text may be for twice as much of it. A join lists the columns of all
# tables before it, and looks at their conditions, so that its cost is not that of the tables alone.
GROWTH = {
    "chained": (compiled.chained, 50, 2.1),
    "widened": (compiled.widened, 100, 2.1),
    "joined": (compiled.joined, 10, 3.4),
}


@pytest.mark.parametrize("name", GROWTH)
@pytest.mark.parametrize("target", ENGINES)
def test_twice_as_much_costs_twice(target: str, name: str) -> None:
    build, size, most = GROWTH[name]
    compiled.written(build(4), target)  # what is done once in a process is done now
    built = [calls(lambda n=n: build(n)) for n in (size, 2 * size)]  # type: ignore[misc]
    small, large = build(size), build(2 * size)
    written = [calls(lambda made=made: compiled.written(made, target)) for made in (small, large)]  # type: ignore[misc]
    texts = [len(compiled.written(made, target)) for made in (small, large)]
    for counts in (built, written, texts):
        assert counts[1] / counts[0] <= most


@pytest.mark.parametrize("target", ENGINES)
def test_steps_become_no_longer_a_query_than_text(target: str) -> None:
    tables = compiled.tables()
    steps = sum(len(compiled.written(compiled.built(n, tables), target)) for n in range(1, 23))
    texts = sum(len(compiled.read(queries.tpch(n), tables, target)) for n in range(1, 23))
    assert steps / texts <= 1.2


@pytest.mark.parametrize("target", ENGINES)
def test_an_action_again_compiles_nothing(target: str) -> None:
    made = compiled.chained(100)
    compiled.written(made, target)
    assert calls(lambda: compiled.written(made, target)) <= 20


@pytest.mark.parametrize("target", ENGINES)
def test_the_same_text_is_lowered_once(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = compiled.tables()
    compiled.written(compiled.built(3, tables), target)
    monkeypatch.setattr("mdfsql.compile.lower", lambda *_: pytest.fail("lowered twice"))
    compiled.written(compiled.built(3, tables), target)


def test_a_chain_is_bound_once_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []
    describe = bind._describe

    def noted(sql: str) -> Any:
        texts.append(sql)
        return describe(sql)

    monkeypatch.setattr(bind, "_describe", noted)
    monkeypatch.setattr(bind, "_bound", OrderedDict())
    compiled.written(compiled.chained(100), "duckdb")
    assert len(texts) <= 100
    # Each with few of the steps before it.
    assert max(map(len, texts)) <= 4 * min(map(len, texts)) + 2000


@pytest.mark.parametrize("target", ENGINES)
def test_each_pass_runs_once(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    passed = compiling._passed

    def noted(tree: Any, passes: Any, *rest: Any) -> Any:
        ran.extend(f"{one.__module__}.{one.__name__}" for one in passes)
        return passed(tree, passes, *rest)

    monkeypatch.setattr("mdfsql.compile._passed", noted)
    compile_relation(compiled.built(9, compiled.tables())._relation, target_of(target))
    assert len(ran) == len(set(ran))


def test_dicts_are_read_without_a_copy_of_them() -> None:
    items = [{"id": n, "v": n * 0.5, "s": f"name {n % 100}"} for n in range(50_000)]
    mdf.Dataset.from_items(items[:10])
    tracemalloc.start()
    try:
        made = mdf.Dataset.from_items(items)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Objects of Python's own: less than a reference to each value at once.
    assert made.count() == len(items)
    assert peak <= 8 * 3 * len(items)
