"""Columns that nobody reads are not listed, and the answer stays what it was."""

from __future__ import annotations

from typing import Any

import pytest

import mdfsql as mdf
from mdfsql.compile import compile_relation, target_of

ITEMS: list[dict[str, Any]] = [
    {"id": 1, "a": 10, "b": "x", "c": None, "Up": 1.5},
    {"id": 2, "a": None, "b": "y", "c": 3, "Up": -0.5},
    {"id": 3, "a": 30, "b": None, "c": 4, "Up": None},
]
OTHERS: list[dict[str, Any]] = [{"id": 1, "a": 7, "d": "p"}, {"id": 3, "a": 9, "d": "q"}, {"id": 4, "a": 30, "d": "r"}]


def layers() -> tuple[mdf.Dataset, mdf.Dataset]:
    """Return datasets of several layers each, that list all of their columns."""
    left = mdf.Dataset.from_items(ITEMS).filter("id < 9").rename({"c": "cc"})
    return left.select("id", "a", "b", "cc", "Up"), mdf.Dataset.from_items(OTHERS).filter("id > 0")


# With what each reads of t and u that it does not name.
QUERIES = [
    "SELECT b FROM t",
    "SELECT count(*) AS n FROM t",
    "SELECT 1 AS x FROM t, u",
    "SELECT UP, cC FROM t WHERE A IS NOT NULL",
    "SELECT t FROM t",
    "SELECT u.d, t FROM t JOIN u ON t.id = u.id",
    "SELECT count(DISTINCT t) AS n FROM t",
    "SELECT t.b, u.d FROM t NATURAL JOIN u",
    "SELECT b, d FROM t JOIN u USING (id)",
    "SELECT x FROM t AS s(w, x, y)",
    "SELECT y FROM (SELECT * FROM t) AS s(v, w, y)",
    "SELECT COLUMNS('^[ab]$') FROM t",
    "SELECT * EXCLUDE (b) FROM t",
    "SELECT * REPLACE (a + 1 AS a) FROM t",
    "SELECT t.* FROM t JOIN u ON t.id = u.id",
    "SELECT id, a FROM t UNION BY NAME SELECT * FROM u",
    "SELECT * FROM (SELECT id, a FROM t) UNION ALL SELECT id, a FROM u",
    "SELECT DISTINCT * FROM t",
    "SELECT b FROM (SELECT DISTINCT * FROM t)",
    "SELECT b, sum(a) AS x FROM t GROUP BY ALL ORDER BY ALL",
    "SELECT id FROM t ORDER BY b NULLS LAST LIMIT 1",
    "SELECT id FROM (SELECT * FROM t ORDER BY a DESC NULLS LAST LIMIT 1)",
    "SELECT id, (SELECT max(u.a) FROM u WHERE u.id = t.id) AS x FROM t",
    "SELECT id FROM t WHERE EXISTS (SELECT * FROM u WHERE u.a = t.a)",
    "SELECT id, row_number() OVER (PARTITION BY b ORDER BY cc) AS x FROM t",
    "SELECT b FROM (SELECT b, row_number() OVER (ORDER BY id) AS x FROM t) WHERE x = 2",
    "SELECT * FROM (t JOIN (SELECT id AS i, d FROM u) AS v ON t.id = v.i)",
    "SELECT * FROM (SELECT t.id, u.id, b FROM t JOIN u ON t.id = u.id)",
    "SELECT * FROM t, (SELECT id AS i FROM u) AS v WHERE t.id < v.i",
    "SELECT x.id FROM t AS x JOIN t AS y ON x.a = y.a",
    "WITH w AS (SELECT * FROM t) SELECT w.b FROM w JOIN t ON w.id = t.id",
    "SELECT id FROM t SEMI JOIN u ON t.id = u.id",
    "SELECT d FROM t POSITIONAL JOIN u",
    "SELECT * FROM (SELECT id, b FROM t) PIVOT (count(*) FOR b IN ('x', 'y'))",
    "SELECT v FROM (SELECT id, a, cc FROM t) UNPIVOT (v FOR n IN (a, cc))",
]


@pytest.mark.parametrize("text", QUERIES)
def test_the_answer_is_that_of_whole_tables(text: str) -> None:
    with mdf.set_backend("duckdb"):
        t, u = layers()
        all_of_t, all_of_u = (mdf.Dataset.from_arrow(layer.to_arrow()) for layer in (t, u))
        over, wanted = mdf.sql(text, t=t, u=u), mdf.sql(text, t=all_of_t, u=all_of_u)
        # Read by another query as well, which names some of its columns.
        for made in (
            lambda ds: ds,
            lambda ds: ds.select(ds.columns[-1]),
            lambda ds: ds.select(ds.columns[len(ds.columns) // 2]),
            lambda ds: ds.filter("true").distinct(),
        ):
            one, two = made(over), made(wanted)
            assert one.columns == two.columns
            key = [sorted(map(repr, ds.collect())) for ds in (one, two)]
            assert key[0] == key[1]


def test_joins_list_what_is_read_later() -> None:
    t, u = layers()
    made = t.join(u, on="id").join(u, on="id", suffixes=("", "_2")).filter("Up > 0").select("d")
    for engine in ("duckdb", "spark", "dask"):
        text = compile_relation(made._relation, target_of(engine)).sql
        # On Dask columns have names of their own, which end in numbers.
        assert "cc" not in text and (engine == "dask" or "d_2" not in text), text
