"""Which rows one table has more often than another: against a plain count of Python's rows."""

from __future__ import annotations

import datetime
import decimal
import math
from collections import Counter
from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from mdfsql.verify.tables import Rules, align, match, python_rows
from mdfsql.verify.unequal import unequal

# Few values of each type, so that rows are equal often: those that are equal and look otherwise, and their neighbours.
VALUES: list[tuple[pa.DataType, list[Any]]] = [
    (pa.int64(), [None, 0, 1, -(2**63)]),
    (pa.float64(), [None, 0.0, -0.0, math.nan, -math.nan, math.inf, 1.0, math.nextafter(1.0, 2.0)]),
    (pa.float32(), [None, -0.0, 0.0, math.nan]),
    (pa.string(), [None, "", " ", "a", "A", "a ", "ä", "a\u0308", "\x00", "a\x00"]),
    (pa.binary(), [None, b"", b"\x00", b"\x00\x00"]),
    (pa.bool_(), [None, True, False]),
    (pa.decimal128(38, 2), [None, decimal.Decimal("0.00"), decimal.Decimal("-0.01"), decimal.Decimal(10**35)]),
    (pa.date32(), [None, datetime.date.min, datetime.date.max]),
    (pa.timestamp("us"), [None, 2**62, -(2**62), 0]),
    (pa.timestamp("us", "UTC"), [None, 0, 1]),
    (pa.time64("us"), [None, datetime.time.min, datetime.time.max]),
    (pa.list_(pa.float64()), [None, [], [None], [0.0], [-0.0], [math.nan], [None, None]]),
    (pa.struct([("a", pa.int64()), ("b", pa.list_(pa.string()))]), [None, {"a": None, "b": None}, {"a": 1, "b": []}]),
    (pa.map_(pa.string(), pa.float64()), [None, [], [("k", None)], [("k", math.nan)]]),
]


@st.composite
def tables(draw: st.DrawFn) -> tuple[pa.Table, pa.Table]:
    columns = draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=3))
    rows = st.lists(st.tuples(*(st.sampled_from(values) for _, values in columns)), max_size=12)

    def table(made: list[Any]) -> pa.Table:
        arrays = [
            pa.chunked_array([pa.array([row[n] for row in part], type_) for part in (made[:5], made[5:])], type_)
            for n, (type_, _) in enumerate(columns)
        ]
        return pa.table(arrays, names=[f"x{n}" for n in range(len(arrays))])

    return table(draw(rows)), table(draw(rows))


@given(tables())
def test_what_duckdb_counts_is_what_python_counts(both: tuple[pa.Table, pa.Table]) -> None:
    rows = python_rows(*both)
    held = (Counter(rows[0]), Counter(rows[1]))
    for side, found in enumerate(unequal(*both)):
        seen: Counter[Any] = Counter()
        wanted = []
        for number, row in enumerate(rows[side]):
            seen[row] += 1
            if seen[row] > held[1 - side][row]:
                wanted.append({"n": number, "here": held[side][row], "there": held[1 - side][row]})
        assert found.to_pylist() == wanted


@given(tables())
def test_rows_are_matched_alike_whether_types_are_the_same_or_not(both: tuple[pa.Table, pa.Table]) -> None:
    # A column of another type on each side, whose values are equal, has all rows looked at one by one.
    plain = [(name, "VARCHAR") for name in both[0].schema.names]
    same = align([*plain, ("n", "BIGINT")], [*plain, ("n", "BIGINT")])
    other = align([*plain, ("n", "BIGINT")], [*plain, ("n", "INTEGER")])
    left, right = (table.append_column("n", pa.array([0] * table.num_rows, pa.int64())) for table in both)
    one, two = (match(left, right, aligned, Rules(0.0, 0.0)) for aligned in (same, other))
    assert one == two


def test_a_month_is_not_thirty_days() -> None:
    connection = duckdb.connect()
    left, right = (
        connection.sql(f"SELECT INTERVAL '{text}' AS i, 1 AS n FROM range(3)").to_arrow_table()
        for text in ("1 month", "30 days")
    )
    columns = [("i", "INTERVAL"), ("n", "INTEGER")]
    found = match(left, right, align(columns, columns), Rules(1e-9, 0.0))
    assert found.matched == 0 and [len(rows) for rows in found.rows] == [3, 3]
