"""Layers that become one SELECT: pipelines give what they give when each of their steps is a query of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mdfsql as mdf
from mdfsql.errors import BindError
from mdfsql.verify import diff

# Names that are also those of the sides of a join, of what they are called next, and of each other but for a suffix.
TABLES: dict[str, list[dict[str, Any]]] = {
    "one": [{"k": n % 4, "v": n % 3, "l": f"l{n % 2}", "r_2": n} for n in range(7)] + [
        {"k": None, "v": None, "l": None, "r_2": None}
    ],
    "two": [{"k": n % 5, "v": n % 2, "r": f"r{n % 3}", "a b": n} for n in range(6)] + [
        {"k": None, "v": 1, "r": None, "a b": 0}
    ],
    "three": [{"K": n, "l": f"l{n}", "_0": n % 2} for n in range(3)],
    "none": [],
}  # fmt: skip
SCHEMAS = {"none": {"k": "BIGINT", "v": "BIGINT", "x": "VARCHAR"}}

Step = Callable[[mdf.Dataset], mdf.Dataset]


def table(name: str) -> mdf.Dataset:
    return mdf.Dataset.from_items(TABLES[name], schema=SCHEMAS.get(name))


@st.composite
def steps(draw: Any) -> list[Step]:
    """Return steps of a pipeline, which look at the columns that they find."""

    def one() -> Step:
        kind = draw(st.sampled_from(["join"] * 5 + list(OTHERS)))
        number, other = draw(st.integers(0, 30)), draw(st.sampled_from(sorted(TABLES)))
        if kind != "join":
            return lambda given: OTHERS[kind](given, number)
        how = draw(st.sampled_from(["inner", "left", "right", "full", "semi", "anti", "cross"]))
        filtered, by_name = draw(st.booleans()), draw(st.booleans())

        def joined(given: mdf.Dataset) -> mdf.Dataset:
            right = table(other)
            if filtered:
                right = right.filter(mdf.col(right.columns[0]) > 0)
            if how == "cross":
                return given.limit(3).join(right, how=how)
            if by_name and given.schema.get("k") == "BIGINT":
                return given.join(right, on=["k"], how=how)
            left = column(given, number)
            keys = [name for name, type_ in right.schema.items() if type_ == given.schema[left]]
            return given.join(right, on=f'l."{left}" = r."{keys[0]}"', how=how) if keys else given

        return joined

    return [one() for _ in range(draw(st.integers(2, 7)))]


def column(given: mdf.Dataset, number: int) -> str:
    return given.columns[number % len(given.columns)]


def turned(given: mdf.Dataset, number: int) -> mdf.Dataset:
    """Return the columns, each under the name of the next."""
    names = given.columns[: 2 + number % 3]
    return given.select(**dict(zip(names, [*names[1:], names[0]], strict=True)))


def in_order(given: mdf.Dataset, number: int) -> mdf.Dataset:
    return given.order_by(*given.columns).limit(1 + number)


def counted(given: mdf.Dataset, number: int) -> mdf.Dataset:
    """Return how many rows a value has."""
    name = column(given, number)
    return given.group_by(name).aggregate(**{column(given, number + 1) + "_": mdf.count(), "v_": mdf.max(name)})


def as_text(given: mdf.Dataset, number: int) -> mdf.Dataset:
    """Return a query as text whose two outputs are called as each other's columns, and its order goes by them."""
    first, second = column(given, number), column(given, number + 1)
    if first == second:
        return given
    text = f'SELECT "{first}" AS "{second}", "{second}" AS "{first}" FROM given ORDER BY "{second}", "{first}" LIMIT 9'
    return mdf.sql(text, given=given)


OTHERS: dict[str, Callable[[mdf.Dataset, int], mdf.Dataset]] = {
    "filter": lambda given, n: given.filter(mdf.col(column(given, n)).is_not_null()),
    "turned": turned,
    "computed": lambda given, n: given.with_columns(**{column(given, n): mdf.col(column(given, n + 1))}),
    "order": in_order,
    "sorted": lambda given, n: given.order_by(column(given, n)),
    "grouped": counted,
    "distinct": lambda given, n: given.distinct(),
    "text": as_text,
}


def made(name: str, drawn: list[Step]) -> mdf.Dataset:
    """Return the pipeline, without the steps that make no query."""
    given = table(name)
    for step in drawn:
        try:
            given = step(given)
        except BindError:
            continue
    return given


def is_same(name: str, drawn: list[Step]) -> None:
    merged = made(name, drawn)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mdfsql.relation.merge_layers", lambda *_: False)
        apart = made(name, drawn)
        expected = apart.to_arrow(mdf.Backend("duckdb"))
    assert merged.schema == apart.schema
    diff(merged.to_arrow(), expected).raise_for_difference()


drawn = settings(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@settings(drawn, max_examples=150)
@given(name=st.sampled_from(sorted(TABLES)), drawn=steps())
def test_pipelines_give_what_their_steps_give(name: str, drawn: list[Step]) -> None:
    is_same(name, drawn)


@settings(drawn, max_examples=8)
@given(name=st.sampled_from(sorted(TABLES)), drawn=steps())
def test_pipelines_give_it_on_every_engine(engine: str, name: str, drawn: list[Step]) -> None:
    is_same(name, drawn)


def nested(given: mdf.Dataset) -> int:
    return given.plan("duckdb")[1].sql.count("(SELECT ")


def test_a_chain_of_joins_is_one_query() -> None:
    joined = table("one").join(table("two"), on="k").join(table("none"), on=["k", "v"], how="left")
    chain = joined.filter(mdf.col("r_2") > 1).group_by("l").aggregate(n=mdf.count()).order_by(mdf.desc("n")).limit(3)
    assert nested(chain) == 0


def test_what_would_mean_another_thing_stays_nested() -> None:
    joined = table("one").join(table("two"), on="k")
    # NULL of the right side, where a row was left out before the join, and not after it.
    assert nested(joined.filter(mdf.col("r_2") > 1).join(table("three"), on=["l"], how="left")) == 1
    # An output of a name that is one of a joined table's columns too.
    assert nested(mdf.sql('SELECT r_2 AS "a b", count(*) AS n FROM joined GROUP BY "a b", r_2', joined=joined)) == 1
    # Every name of the query below.
    assert nested(mdf.sql("SELECT max(joined) AS row_ FROM joined", joined=joined)) == 1
    # A FROM that is long enough.
    many = table("one")
    for _ in range(25):
        many = many.join(table("three").select(l="l"), on="l")
    assert nested(many) == 26


# Over g, which is a join, and a table h: names and places in which what stands in the FROM could be taken for another.
TEXTS = """
SELECT g.k, t.y FROM g, (SELECT g.v + 1 AS y) AS t
SELECT g.k, t.range AS y FROM g, range(g.k) AS t
SELECT g.k, h.l FROM g POSITIONAL JOIN h
SELECT g.k, h.l FROM g ASOF JOIN h ON g.v >= h."K"
SELECT g.k, h.l FROM g JOIN (SELECT * FROM h WHERE "K" > 1) AS h ON g.v = h."K"
SELECT g.k, h.l FROM g, h
SELECT g.k, (SELECT max(v) FROM g) AS m FROM g
SELECT -v AS v, k FROM g ORDER BY v, k, "a b" LIMIT 5
SELECT -v AS v, k FROM g ORDER BY v + 1, k, "a b" LIMIT 5
SELECT k, count(*) AS n FROM g GROUP BY ALL ORDER BY ALL
SELECT k, sum(v) OVER (PARTITION BY k ORDER BY r_2, "a b") AS v FROM g ORDER BY v, k
SELECT v + 1 AS w, k FROM g WHERE w > 2
SELECT k, sum(v) AS v FROM g GROUP BY k HAVING v > 1
SELECT list_transform([1, 2], k -> k + 1) AS l, k FROM g
SELECT k, s.a AS a FROM g ORDER BY s.a LIMIT 4
SELECT * FROM g ORDER BY s.k, r_2, "a b" LIMIT 4
SELECT DISTINCT ON (k) k, r_2 FROM g ORDER BY k, r_2 DESC
"""


@pytest.mark.parametrize("text", TEXTS.strip().splitlines())
def test_texts_over_a_join_mean_what_they_mean(text: str) -> None:
    def query() -> mdf.Dataset:
        left = table("one").with_columns(s="{'a': -r_2, 'k': -r_2}")
        return mdf.sql(text, g=left.join(table("two").select("k", "a b"), on="k"), h=table("three"))

    found = query().to_arrow()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mdfsql.relation.merge_layers", lambda *_: False)
        expected = query().to_arrow()
    diff(found, expected).raise_for_difference()
    if "LIMIT" in text:
        assert found.equals(expected)


def test_a_join_to_tables_with_commas_between_them() -> None:
    both = mdf.sql("SELECT a.k, b.v FROM a, b", a=table("one"), b=table("two"))
    joined = both.join(table("none"), on="k", how="left")
    assert nested(joined) == 1 and joined.count() == 56


def test_an_order_by_the_field_of_a_struct() -> None:
    rows = [{"k": n % 3, "a": n, "s": {"a": -n}} for n in range(6)]
    grouped = mdf.Dataset.from_items(rows).group_by("k", "s", "a").aggregate(n=mdf.count())
    assert [row["a"] for row in mdf.sql("SELECT * FROM g ORDER BY s.a", g=grouped).collect()] == [5, 4, 3, 2, 1, 0]


def test_a_field_of_a_struct_is_no_column_of_a_table_of_that_name() -> None:
    rows = [{"k": n, "s": {"a": -n}} for n in range(1, 4)]
    fields = mdf.sql("SELECT g.k, s.a AS x FROM g JOIN h ON g.k = h.k", g=rows, h=[{"k": n} for n in range(1, 4)])
    made = mdf.sql(
        "SELECT b.x FROM b JOIN s ON b.k = s.k ORDER BY b.x", b=fields, s=[{"k": 1, "a": 7}, {"k": 2, "a": 8}]
    )
    assert made.collect() == [{"x": -2}, {"x": -1}]
