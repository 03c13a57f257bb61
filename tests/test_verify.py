"""verify and diff: every kind of difference is found and named, and what SQL leaves undefined is none."""

from __future__ import annotations

import datetime
import decimal
import importlib
import math
import struct
from collections import Counter
from random import Random
from typing import Any

import pyarrow as pa
import pytest

import mdfsql as mdf
from mdfsql.errors import BindError, DataError, EngineError, Unsupported, VerificationError
from mdfsql.verify.buckets import row_text
from mdfsql.verify.order import defined
from mdfsql.verify.run import Given, Options, compare, verify_relation
from mdfsql.verify.sources import over
from mdfsql.verify.tables import Rules
from tests.conformance import CHANCE, expressions, queries, relation

# The modules: attributes of these names are functions.
RUN = importlib.import_module("mdfsql.verify.run")
BUCKETS = importlib.import_module("mdfsql.verify.buckets")
CARRY = importlib.import_module("mdfsql.verify.carry")


@pytest.fixture(params=["collected", "hashed"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to compare: as tables here, and by buckets in the engine."""
    if request.param == "hashed":
        monkeypatch.setattr(RUN, "MOST_ROWS", 0)
    return str(request.param)


def table(**columns: Any) -> pa.Table:
    return pa.table(
        {name: values if isinstance(values, pa.Array) else pa.array(values) for name, values in columns.items()}
    )


def kinds(found: mdf.Comparison) -> list[tuple[str, str]]:
    return [(cell.column, cell.kind) for row in found.changed for cell in row.cells]


def hour(n: int) -> datetime.datetime:
    return datetime.datetime(2024, 1, 31, n)


# ---- one difference of each kind ---------------------------------------------------------------------------------

CELLS: dict[str, tuple[Any, Any, str]] = {
    "a number": (pa.array([5]), pa.array([7]), "off by 2"),
    "NULL against NaN": (pa.array([None], pa.float64()), pa.array([math.nan]), "NULL against NaN"),
    "NULL against a value": (pa.array([None], pa.string()), pa.array([""]), "NULL against a value"),
    "a trailing space": (pa.array(["tea"]), pa.array(["tea "]), "space at the end"),
    "letter case": (pa.array(["Tea"]), pa.array(["tea"]), "letter case"),
    "Unicode form": (pa.array(["\u00e9"]), pa.array(["e\u0301"]), "Unicode form"),
    "1e-6 relative": (pa.array([3e200]), pa.array([3e200 * (1 + 1e-6)]), "1e-06 relative"),
    "sign": (pa.array([2.5]), pa.array([-2.5]), "the sign"),
    "a time zone": (pa.array([hour(3)]), pa.array([hour(4)]), "1:00:00 later, as by a time zone"),
    "a moment": (pa.array([hour(3)]), pa.array([datetime.datetime(2024, 1, 31, 2, 59, 59)]), "0:00:01 earlier"),
    "a day": (pa.array([datetime.date(2024, 2, 1)]), pa.array([datetime.date(2024, 1, 31)]), "1 day earlier"),
    "a bool": (pa.array([True]), pa.array([False]), "another value"),
    "a decimal": (pa.array([decimal.Decimal("1.50")]), pa.array([decimal.Decimal("1.51")]), "off by 0.01"),
    "bytes": (pa.array([b"a"]), pa.array([b"a\0"]), "another value"),
    "order in a list": (pa.array([[1, 2]]), pa.array([[2, 1]]), "order of elements"),
    "a list's length": (pa.array([[1]]), pa.array([[1, None]]), "another number of elements"),
    "a field": (pa.array([{"a": 1, "b": "x"}]), pa.array([{"a": 1, "b": None}]), "another element"),
}


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("keys", [(), ("id",)], ids=["by what agrees", "by keys"])
def test_a_cell_that_differs_is_found_and_named(name: str, keys: tuple[str, ...], way: str) -> None:
    one, two, kind = CELLS[name]
    two = two.cast(one.type) if name == "a field" else two
    left, right = (
        table(id=range(100), s=[f"row {n}" for n in range(100)], v=pa.concat_arrays([*[one] * 57, value, *[one] * 42]))
        for value in (one, two)
    )
    assert mdf.diff(left, left, keys=keys).equal
    found = mdf.diff(left, right, keys=keys)
    assert not found.equal and kinds(found) == [("v", kind)]
    assert found.changed[0].row["id"] == 57
    assert (found.left_only_count, found.right_only_count, found.matched, found.schema_differences) == (0, 0, 99, ())
    assert {c.name: c.match_rate for c in found.columns} == {"id": 1.0, "s": 1.0, "v": 0.99}
    assert kind in str(found) and "id=57" in str(found)
    with pytest.raises(VerificationError, match="1 changed row") as raised:
        found.raise_for_difference()
    assert raised.value.comparison is found


def test_one_ulp_is_within_the_tolerance_and_named_without_it(way: str) -> None:
    left, right = ({"id": [1, 2], "v": [0.1, value]} for value in (0.3, math.nextafter(0.3, 1)))
    assert mdf.diff(table(**left), table(**right)).equal
    found = mdf.diff(table(**left), table(**right), rtol=0)
    assert kinds(found) == [("v", "1 ulp")]


@pytest.mark.parametrize("size", [5e-324, 1e-300, 0.1, 0.9999999999999999, 1.0, 2.0, 12345.678, 1e22, 1.7e308])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_tolerance_has_one_meaning_both_ways(size: float, sign: int, way: str) -> None:
    def equal(factor: float, rtol: float = 1e-9) -> bool:
        return mdf.diff(table(v=[sign * size]), table(v=[sign * size * factor]), rtol=rtol).equal

    assert equal(1.0) and equal(1 + 5e-10) and equal(1 - 9e-10)
    if size > 1e-320:
        assert not equal(1 + 2e-9) and not equal(1 - 2e-9) and not equal(-1.0)
        assert not equal(1 + 1e-15, rtol=0)
        assert equal(1 + 5e-4, rtol=1e-3) and not equal(1 + 2e-3, rtol=1e-3)


def test_an_absolute_tolerance(way: str) -> None:
    def equal(one: float, two: float, atol: float = 0.0, rtol: float = 1e-9) -> bool:
        return mdf.diff(table(v=[one]), table(v=[two]), atol=atol, rtol=rtol).equal

    assert not equal(0.0, 1e-17) and equal(0.0, 1e-17, atol=1e-12) and equal(-1e-13, 1e-13, atol=1e-12)
    assert not equal(0.0, 2e-12, atol=1e-12) and not equal(5.0, 5.1, atol=0.01)
    assert equal(5.0, 5.005, atol=0.01) and equal(5.0, 5.005, atol=0.01, rtol=0)
    assert equal(1e20, 1e20 * (1 + 1e-10), atol=1e-3) and not equal(1e20, 1e20 * (1 + 1e-10), atol=1e-3, rtol=0)


def test_what_is_no_difference(way: str) -> None:
    left = table(v=[math.nan, 0.0, math.inf, None, 1.0], s=["a", None, "", "x", "y"])
    right = table(v=[1.0, None, math.inf, -0.0, math.nan], s=["y", "x", "", None, "a"])
    assert mdf.diff(left, right).equal
    assert not mdf.diff(left, table(v=[1.0, None, -math.inf, 0.0, math.nan], s=["y", "x", "", None, "a"])).equal


def test_no_texts_of_two_rows_are_one() -> None:
    # What one column holds must not look like the border to the next.
    left = table(a=["x,1:y", "", None, "N"], b=["z", "0:", "N", None])
    right = table(a=["x", "0:", "N", None], b=["1:y,z", "", None, "N"])
    text = row_text({"c0": "VARCHAR", "c1": "VARCHAR"}, Rules(0, 0))
    rows = [
        mdf.Dataset.from_arrow(side.rename_columns(["c0", "c1"])).select(t=mdf.Expr(text.copy())).collect()
        for side in (left, right)
    ]
    assert len({row["t"] for side in rows for row in side}) == 6  # ("N", None) and (None, "N") stand on both sides


@pytest.mark.parametrize(
    ("left", "right", "kind", "shown"),
    [
        ({"v": pa.array([1, 2])}, {"v": pa.array([1.0, 2.0])}, "type", ("BIGINT", "DOUBLE")),
        ({"v": pa.array([1, 2])}, {"v": pa.array([1, 2], pa.int32())}, "type", ("BIGINT", "INTEGER")),
        (
            {"v": pa.array([decimal.Decimal("1.5")], pa.decimal128(9, 1))},
            {"v": pa.array([decimal.Decimal("1.5")], pa.decimal128(9, 2))},
            "type",
            ("DECIMAL(9,1)", "DECIMAL(9,2)"),
        ),
        (
            {"v": pa.array([hour(1)], pa.timestamp("us"))},
            {"v": pa.array([hour(1)], pa.timestamp("us", "UTC"))},
            "type",
            ("TIMESTAMP", "TIMESTAMPTZ"),
        ),
        ({"v": pa.array([1]), "w": pa.array(["a"])}, {"v": pa.array([1]), "x": pa.array(["a"])}, "name", ("w", "x")),
        ({"v": pa.array([1])}, {"V": pa.array([1])}, "name", ("v", "V")),
        ({"v": pa.array([1]), "w": pa.array(["a"])}, {"v": pa.array([1])}, "missing", ("VARCHAR", "no such column")),
        ({"v": pa.array([1])}, {"v": pa.array([1]), "w": pa.array(["a"])}, "missing", ("no such column", "VARCHAR")),
        (
            {"v": pa.array([1]), "w": pa.array(["a"])},
            {"w": pa.array(["a"]), "v": pa.array([1])},
            "place",
            ("v, w", "w, v"),
        ),
    ],
)
def test_a_schema_that_differs(left: Any, right: Any, kind: str, shown: tuple[str, str], way: str) -> None:
    found = mdf.diff(pa.table(left), pa.table(right))
    assert not found.equal
    assert [(d.kind, (d.left, d.right)) for d in found.schema_differences] == [(kind, shown)]
    if (kind, shown) != ("type", ("TIMESTAMP", "TIMESTAMPTZ")):
        # The values are the same, and no row is said to differ for its type.
        assert (found.changed_count, found.left_only_count, found.right_only_count) == (0, 0, 0)


def test_a_missing_and_a_doubled_row(way: str) -> None:
    rows = [{"id": n, "s": f"row {n}"} for n in range(50)]
    missing = mdf.diff(rows, rows[:20] + rows[21:])
    assert [dict(lone.row) for lone in missing.left_only] == [rows[20]] and missing.left_only[0].copies == 0
    assert (missing.right_only, missing.changed, missing.equal) == ((), (), False)
    assert "50 rows against 49" in str(missing)
    doubled = mdf.diff(rows, [*rows, rows[7]])
    assert [(dict(lone.row), lone.copies) for lone in doubled.right_only] == [(rows[7], 1)]
    assert (doubled.left_only, doubled.changed, doubled.equal) == ((), (), False)
    assert "a copy" in str(doubled)


def test_rows_are_paired_by_keys_though_another_row_is_more_alike(way: str) -> None:
    left = [{"id": 1, "a": 1, "b": 1, "c": 1}, {"id": 2, "a": 2, "b": 2, "c": 2}]
    right = [{"id": 2, "a": 1, "b": 1, "c": 1}, {"id": 1, "a": 2, "b": 2, "c": 2}]
    by_keys = mdf.diff(left, right, keys="id")
    assert by_keys.changed_count == 2 and {column for column, _ in kinds(by_keys)} == {"a", "b", "c"}
    assert by_keys.keys == ("id",)
    by_most = mdf.diff(left, right)
    assert {column for column, _ in kinds(by_most)} == {"id"}


def test_a_row_with_several_changes_is_paired_with_the_most_alike() -> None:
    left = [{"id": n, "a": n * 3, "b": f"b{n}", "c": n / 8, "d": 1} for n in range(200)]
    right = [dict(row) for row in left]
    right[10] |= {"a": -1, "c": 7.0}
    right[90] |= {"b": "other", "id": -5}
    found = mdf.diff(left, right)
    assert {frozenset(cell.column for cell in row.cells) for row in found.changed} == {
        frozenset({"a", "c"}),
        frozenset({"b", "id"}),
    }
    assert found.matched == 198 and (found.left_only_count, found.right_only_count) == (0, 0)


def test_floats_that_are_almost_the_same_are_no_rows_of_their_own() -> None:
    values = [n / 7 for n in range(500)]
    left = table(v=values, w=[v * 3 for v in values])
    right = table(v=[v * (1 + 1e-12) for v in reversed(values)], w=[v * 3 * (1 - 1e-12) for v in reversed(values)])
    assert mdf.diff(left, right).equal
    shorter = mdf.diff(left, right.slice(1))
    assert (shorter.left_only_count, shorter.right_only_count, shorter.changed_count) == (1, 0, 0)


# ---- order and limits --------------------------------------------------------------------------------------------


def sides(sql: str, left: list[dict[str, Any]], right: list[dict[str, Any]]) -> mdf.Comparison:
    """Compare what one query gives over two tables, as if one engine had got it wrong."""
    datasets = [mdf.sql(sql, t=rows) for rows in (left, right)]
    where = mdf.backend()
    given = [Given(name, ds._relation, where) for name, ds in zip(("one", "two"), datasets, strict=True)]
    return compare(given[0], given[1], Options())[0]


ROWS = [{"k": n // 4, "v": n} for n in range(20)]


def test_order_is_compared_where_it_is_defined() -> None:
    # The order is computed from a column that is not shown: as an engine that sorts otherwise would do it.
    ours = [{"k": row["k"], "v": row["v"], "h": row["v"]} for row in ROWS]
    within_ties = [{**row, "h": row["v"] // 4 * 4 + 3 - row["v"] % 4} for row in ours]
    elsewhere = [{**row, "h": {2: 17, 17: 2}.get(row["v"], row["v"])} for row in ours]
    # max(h) is a constant by group: it makes the rows come in the order of h, which ORDER BY k alone does not name.
    unordered = "SELECT k, v FROM (SELECT * FROM t ORDER BY h) AS s"
    assert sides(unordered, ours, elsewhere).equal
    for rows, equal in ((within_ties, True), (elsewhere, False)):
        one, two = (mdf.sql("SELECT k, v FROM t ORDER BY h", t=side).to_arrow() for side in (ours, rows))
        found = judged(one, two, order="k")
        assert found.equal is equal
        if not equal:
            assert (found.misplaced, found.first_misplaced) == (2, 2)
            assert "order (by k): 2 places hold other keys; the first is row 3" in str(found)
            assert (found.changed_count, found.left_only_count) == (0, 0)


def judged(left: pa.Table, right: pa.Table, order: str, limit: int | None = None, of: Any = None) -> mdf.Comparison:
    """Judge two tables as what ``SELECT * FROM of ORDER BY order LIMIT limit`` gave on two engines."""
    dataset = mdf.sql(
        f"SELECT * FROM t {f'ORDER BY {order}' if order else ''} {f'LIMIT {limit}' if limit is not None else ''}",
        t=left if of is None else of,
    )
    given = Given("one", dataset._relation, mdf.backend())
    aligned = RUN.align(dataset.schema.items(), dataset.schema.items())
    made = RUN._Made(given, given, aligned, Rules(1e-9, 0), "")
    made.order = defined(dataset._relation)
    found = made._judged(left, right)
    assert isinstance(found, mdf.Comparison)
    return found


def test_an_order_by_a_field_of_a_struct() -> None:
    made = mdf.sql("SELECT {'a': x}['a'] AS y, x AS z FROM t ORDER BY {'a': x}['a'] DESC", t=[{"x": 1}, {"x": 2}])
    found = made.verify()
    assert found.equal and found.order == "by y"
    assert made.filter("z > 0").collect() == [{"y": 2, "z": 2}, {"y": 1, "z": 1}]


def test_ties_at_a_limit_are_no_difference() -> None:
    whole = pa.Table.from_pylist(ROWS)
    first, other = whole.slice(0, 6), pa.concat_tables([whole.slice(0, 4), whole.slice(6, 2)])
    found = judged(first, other, "k", 6, whole)
    assert found.equal and found.matched == 6
    assert "LIMIT may keep rows with equal k: 2 rows of one differ" in str(found)
    # With a total order nothing may differ, and neither may what is not at the cut.
    assert not judged(first, other, "k, v", 6, whole).equal
    assert not judged(first, pa.concat_tables([whole.slice(1, 4), whole.slice(6, 2)]), "k", 6, whole).equal


def test_a_wrong_row_at_a_limit_is_not_taken_for_a_tie() -> None:
    whole = pa.Table.from_pylist(ROWS)
    wrong = pa.Table.from_pylist([*ROWS[:5], {"k": 1, "v": 99}])
    found = judged(whole.slice(0, 6), wrong, "k", 6, whole)
    assert not found.equal and kinds(found) == [("v", "off by 94")]
    # A row that there is once may not stand twice either.
    twice = pa.Table.from_pylist([*ROWS[:5], ROWS[4]])
    assert not judged(whole.slice(0, 6), twice, "k", 6, whole).equal
    # The last row of a limit, alone with its key: its value is defined.
    single = pa.Table.from_pylist([*ROWS[:5], {"k": 1, "v": 5}])
    assert not judged(whole.slice(0, 6), pa.Table.from_pylist([*ROWS[:5], {"k": 1, "v": 6}]), "v", 6, whole).equal
    assert judged(whole.slice(0, 6), single, "v", 6, whole).equal


def test_a_limit_without_an_order_may_keep_any_rows_that_there_are() -> None:
    whole = pa.Table.from_pylist(ROWS)
    found = judged(whole.slice(0, 3), whole.slice(9, 3), "", 3, whole)
    assert found.equal and "LIMIT without ORDER BY" in str(found)
    assert not judged(whole.slice(0, 3), whole.slice(9, 2), "", 3, whole).equal
    assert not judged(whole.slice(0, 3), pa.Table.from_pylist([*ROWS[:2], {"k": 9, "v": 9}]), "", 3, whole).equal


@pytest.mark.parametrize(
    ("sql", "keys", "hidden", "limit", "offset"),
    [
        ("SELECT k, v FROM t ORDER BY k, v DESC", ("k", "v"), False, None, 0),
        ("SELECT k AS a, v FROM t ORDER BY k LIMIT 3 OFFSET 2", ("a",), False, 3, 2),
        ("SELECT k, v FROM t ORDER BY 2, k + 1", ("v",), True, None, 0),
        ("SELECT v FROM t ORDER BY k LIMIT 3", (), True, 3, 0),
        ("SELECT k FROM t UNION ALL SELECT v FROM t ORDER BY k", ("k",), False, None, 0),
        ("SELECT * FROM (SELECT * FROM t ORDER BY k LIMIT 3) AS s", (), False, None, 0),
        ("SELECT k, count(*) AS n FROM t GROUP BY k ORDER BY n DESC, k", ("n", "k"), False, None, 0),
    ],
)
def test_what_the_top_of_a_query_defines(sql: str, keys: Any, hidden: bool, limit: int | None, offset: int) -> None:
    found = defined(mdf.sql(sql, t=ROWS)._relation)
    assert (found.keys, found.hidden, found.limit, found.offset) == (keys, hidden, limit, offset)


def test_elements_without_an_order_are_compared_in_any() -> None:
    sql = "SELECT k, list(v) AS l, string_agg(v, '; ') AS s FROM t GROUP BY k ORDER BY k"
    found = sides(sql, ROWS, ROWS[::-1])
    assert found.equal and "the elements of l have no defined order" in str(found)
    ordered = "SELECT k, list(v ORDER BY h) AS l FROM t GROUP BY k"
    with_h = [{**row, "h": row["v"]} for row in ROWS]
    assert not sides(ordered, with_h, [{**row, "h": -row["v"]} for row in ROWS]).equal
    fewer = [{**row, "v": 3 if row["v"] == 4 else row["v"]} for row in ROWS]
    assert not sides(sql, ROWS, fewer).equal


def test_a_limit_within_the_query_and_chance_are_said() -> None:
    sql = "SELECT sum(v) AS s FROM (SELECT v FROM t ORDER BY k LIMIT 3) AS q"
    assert "a LIMIT within the query" in str(mdf.verify(sql, t=ROWS))
    found = mdf.verify("SELECT random() AS r")
    assert not found.equal and "moment or for chance" in str(found)


# ---- engines -----------------------------------------------------------------------------------------------------


def test_verify_on_each_engine(engine: str, way: str) -> None:
    rows = [{"id": n, "g": f"g{n % 3}", "v": n / 7, "l": [n, None], "s": {"a": n, "b": [f"{n}"]}} for n in range(40)]
    dataset = mdf.Dataset.from_items(rows)
    found = dataset.filter(lambda row: row["id"] > 4).verify()
    assert found.equal and found.matched == 35
    assert found.right.name.startswith(engine) and found.right.sql
    summed = mdf.sql("SELECT g, sum(v) AS s, avg(id) AS a FROM t GROUP BY g ORDER BY g", t=dataset)
    assert summed.verify().equal and (way == "hashed" or summed.verify().order == "by g")
    assert summed.collect(verify=True) == summed.collect()


TYPES: dict[str, list[Any]] = {
    "BOOLEAN": [True, False, None],
    "TINYINT": [-128, 127, None],
    "BIGINT": [-(2**63), 2**63 - 1, None],
    "FLOAT": [0.1, -0.0, None],
    "DOUBLE": [math.nan, -math.inf, 5e-324],
    "DECIMAL(38,10)": [decimal.Decimal("-0.0000000001"), decimal.Decimal("12345678901234567890.5"), None],
    "VARCHAR": ["", "é👍\0\t,N", None],
    "BLOB": [b"", b"\0\xff", None],
    "DATE": [datetime.date(1, 1, 1), datetime.date(9999, 12, 31), None],
    "TIMESTAMP": [datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59, 999999), None],
    "BIGINT[]": [[], [None, 1], None],
    "DOUBLE[]": [[0.1, math.nan], [None], []],
    "VARCHAR[]": [["", None, "a,b"], ["a", "b"], None],
    "STRUCT(a BIGINT, b VARCHAR)": [{"a": 1, "b": None}, {"a": None, "b": ""}, None],
}


@pytest.mark.parametrize("type_", TYPES)
def test_every_type_has_one_text_on_every_engine(type_: str, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RUN, "MOST_ROWS", 0)
    dataset = mdf.Dataset.from_items(
        [{"id": n, "v": value} for n, value in enumerate(TYPES[type_])], schema={"id": "BIGINT", "v": type_}
    )
    found = dataset.verify()
    assert found.equal and "4,096 of 4,096 buckets agree" in str(found), str(found)


def test_an_engine_that_answers_otherwise_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    # The real engine, but for one number that it is made to get wrong.
    where, dataset = wrong_engine(monkeypatch)
    found = dataset.verify(where)
    assert not found.equal
    assert kinds(found) == [("v", "off by 1")] and found.changed[0].row["id"] == 3
    with pytest.raises(VerificationError, match="1 changed row"):
        dataset.collect(where, verify=True)


def wrong_engine(monkeypatch: pytest.MonkeyPatch) -> tuple[mdf.Backend, mdf.Dataset]:
    """Return a backend whose engine reads 31 where there is 30, and a dataset in which there is."""
    where = mdf.Backend("duckdb", {"threads": 1})
    own = where.engine.batches
    dataset = mdf.Dataset.from_items([{"id": n, "v": n * 10} for n in range(9)])

    def batches(plan: Any) -> Any:
        for batch in own(plan):
            for place, name in enumerate(batch.schema.names):
                if name == "v":
                    values = [31 if v == 30 else v for v in batch.column(place).to_pylist()]
                    batch = batch.set_column(place, batch.schema.field(place), pa.array(values, pa.int64()))
            yield batch

    monkeypatch.setattr(where.engine, "batches", batches)
    return where, dataset


def test_an_error_on_one_side_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    where = mdf.Backend("duckdb", {"threads": 1})

    def batches(plan: Any) -> Any:
        raise EngineError("out of luck", engine="duckdb")
        yield

    monkeypatch.setattr(where.engine, "batches", batches)
    found = mdf.verify("SELECT 1 AS a", where)
    assert not found.equal and found.right.error == "duckdb: out of luck" and found.left.rows == 1
    assert "duckdb (2) failed, duckdb (1) did not" in str(found)
    monkeypatch.setattr(RUN, "MOST_ROWS", 0)
    hashed = mdf.verify("SELECT 1 AS a", where)
    assert not hashed.equal and hashed.right.error == "duckdb: out of luck" and hashed.left.rows == 1
    with pytest.raises(EngineError, match="Could not convert"):
        mdf.verify("SELECT CAST(s AS BIGINT) AS a FROM t", t=[{"s": "x"}])


def test_arguments_that_are_wrong() -> None:
    dataset = mdf.Dataset.from_items([{"id": 1}])
    wrong: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"keys": "ID2"}, BindError, "did you mean 'id'"),
        ({"rtol": -1}, DataError, "rtol="),
        ({"rtol": 1.5}, DataError, "rtol= is a share"),
        ({"atol": math.nan}, DataError, "atol="),
        ({"sample": 0}, DataError, "sample="),
        ({"sample": 2.0}, DataError, "sample="),
    ]
    for given, error, said in wrong:
        with pytest.raises(error, match=said):
            dataset.verify(**given)
    with pytest.raises(Unsupported, match="rand"):
        mdf.sql("SELECT random() AS r FROM t", t=dataset).verify("dask")


# ---- large results -----------------------------------------------------------------------------------------------


def test_only_buckets_that_differ_are_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RUN, "MOST_ROWS", 1000)
    fetched: list[int] = []
    own = BUCKETS._Rows.rows_of

    def rows_of(self: Any, buckets: Any) -> Any:
        made = own(self, buckets)
        fetched.append(made.num_rows)
        return made

    monkeypatch.setattr(BUCKETS._Rows, "rows_of", rows_of)
    sql = "SELECT range AS id, range % 77 AS g, range / 7 AS v FROM range(200000)"
    whole = mdf.sql(sql)
    assert mdf.diff(whole, whole).equal and fetched == []
    other = mdf.sql(f"SELECT id, g, CASE WHEN id = 4711 THEN v * 1.000001 ELSE v END AS v FROM ({sql})")
    for keys in ((), ("id",)):
        fetched.clear()
        found = mdf.diff(whole, other, keys=keys)
        assert kinds(found) == [("v", "1e-06 relative")] and found.changed[0].row["id"] == 4711
        assert found.matched == 199_999 and found.complete
        assert max(fetched) < 200


def test_many_differences_in_a_large_result_end_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RUN, "MOST_ROWS", 10)
    monkeypatch.setattr(BUCKETS, "FETCHED", 500)
    monkeypatch.setattr(BUCKETS, "MOST_ALONE", 300)
    left = mdf.sql("SELECT range AS id, range * 2 AS v FROM range(5000)")
    found = mdf.diff(left, left.with_columns(v="v + 1"), keys="id")
    assert not found.equal and not found.complete and "at least" in str(found)
    assert 300 < found.changed_count < 5000
    # Without keys, a float might have put its row into a bucket that was not looked at.
    floats = mdf.sql("SELECT range / 7 AS v FROM range(5000)")
    with pytest.raises(VerificationError, match="keys="):
        mdf.diff(floats, floats.with_columns(v="v * 1.5"))


def test_what_has_no_common_text_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RUN, "MOST_ROWS", 0)
    dataset = mdf.sql("SELECT MAP {'a': 1} AS m UNION ALL SELECT MAP {'b': 2} AS m")
    found = dataset.verify()
    assert found.equal and "collected whole" in str(found)


def test_floats_of_every_size_are_hashed_in_lists_too(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RUN, "MOST_ROWS", 0)
    random = Random(3)
    powers = [2.0**n for n in range(-1074, 1024, 11)]
    found: list[float | None] = [struct.unpack("<d", random.randbytes(8))[0] for _ in range(200)]
    found += [*powers, *(math.nextafter(power, 0) for power in powers), 0.0, -0.0, math.nan, math.inf, -math.inf, None]
    items: list[dict[str, Any]] = [{"x": x, "s": {"a": x}, "l": None, "f": None} for x in found]
    items.append({"x": 1.0, "s": None, "l": found, "f": [1e-45, 3.4e38, None]})
    schema = {"x": "DOUBLE", "s": "STRUCT(a DOUBLE)", "l": "DOUBLE[]", "f": "FLOAT[]"}
    dataset = mdf.Dataset.from_items(items, schema=schema)
    dataset.verify(rtol=0.0).raise_for_difference()
    # Of one bit, and of none but in the tolerance.
    items[-1]["l"] = [math.nextafter(x, math.inf) if x == powers[99] else x for x in found]
    other = mdf.Dataset.from_items(items, schema=schema)
    assert mdf.diff(dataset, other).equal and not mdf.diff(dataset, other, rtol=0.0).equal


# ---- samples, and sources of one engine --------------------------------------------------------------------------


def test_a_sample_keeps_what_joins_together() -> None:
    orders = mdf.Dataset.from_items([{"order_id": n, "customer": n % 5} for n in range(1000)])
    lines = mdf.Dataset.from_items([{"id": n // 3, "n": n} for n in range(3000)])
    customers = [{"customer": n, "name": f"c{n}"} for n in range(5)]
    sql = """
        SELECT o.order_id, count(*) AS lines, min(c.name) AS name
        FROM orders AS o JOIN lines AS l ON o.order_id = l.id JOIN customers AS c ON c.customer = o.customer
        GROUP BY o.order_id
    """
    dataset = mdf.sql(sql, orders=orders, lines=lines, customers=customers)
    found = dataset.verify(sample=0.1)
    assert found.equal and 50 < (found.left.rows or 0) < 200
    assert "whole: c;" in found.sampled and "o by order_id" in found.sampled and "l by id" in found.sampled
    rows = sampled_rows(dataset, 0.1)
    assert {row["lines"] for row in rows} == {3}, "an order is there with all its lines"
    assert {row["order_id"] for row in sampled_rows(dataset, 0.1, seed=1)} != {row["order_id"] for row in rows}


def sampled_rows(dataset: mdf.Dataset, share: float, keys: tuple[str, ...] = (), seed: int = 0) -> list[dict[str, Any]]:
    part, _ = RUN.sampled(dataset._relation, share, keys, seed)
    return mdf.Dataset(over(dataset._relation, part)).collect()


def test_a_sample_of_one_table_goes_by_the_keys() -> None:
    dataset = mdf.Dataset.from_items([{"k": n % 100, "v": n} for n in range(1000)]).filter(lambda row: row["v"] >= 0)
    found = dataset.verify(sample=0.3, keys="k")
    assert "by k" in found.sampled and found.equal
    counted = Counter(row["k"] for row in sampled_rows(dataset, 0.3, ("k",)))
    assert set(counted.values()) == {10} and 10 < len(counted) < 60
    assert dataset.verify(sample=1.0).sampled == ""
    empty = mdf.Dataset.from_items([{"k": 1}]).verify(sample=1e-9)
    assert "the sample gives no rows" in str(empty) and "of a sample" in str(empty)


def test_a_frame_of_one_engine_is_carried_over(dask: mdf.Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = mdf.Dataset.from_items([{"id": n, "v": n / 7} for n in range(30)]).to_dask()
    dataset = mdf.Dataset.from_dask(frame).filter("id > 3")
    found = dataset.verify()
    assert found.equal and (found.left.name, found.right.name, found.matched) == ("duckdb", "dask", 26)
    monkeypatch.setattr(CARRY, "MOST_BYTES", 100)
    with pytest.raises(DataError, match=r"only on dask(?s:.*)sample="):
        dataset.verify()
    # Of a sample, no more than the sample is carried.
    assert dataset.verify(sample=0.1, keys="id").equal


# ---- no false alarms ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", range(4))
def test_the_conformance_cases_are_equal(engine: str, part: int) -> None:
    # A sample of the cases, another for each part; what asks for chance differs, and so it should.
    where = mdf.backend() if engine != "duckdb" else mdf.Backend("duckdb", {"threads": 1})
    cases = [*expressions(), *queries()][part :: 60 if engine == "duckdb" else 160]
    wrong, compared = [], 0
    for case in cases:
        if CHANCE.search(case.query):
            continue
        try:
            found, _ = verify_relation(relation(case.query), where, mdf.Backend("duckdb", {"threads": 2}), Options())
        except (Unsupported, EngineError, DataError):
            continue
        compared += 1
        if not found.equal and not (found.right.error and case.expected != "same"):
            wrong.append(f"{case.where}: {case.query}\n{found}")
    assert wrong == [] and compared > 10
