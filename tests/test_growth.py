"""Long chains of steps, and what stands for a source in the query that they become."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

import mdfsql as mdf
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
