"""Rows of edge values: a column of each type, and the values that it draws from."""

from __future__ import annotations

import datetime as dt
import math
import random
from decimal import Decimal
from typing import Any

import pyarrow as pa

from mdfsql.arrow import arrow_schema
from mdfsql.schema import Schema

__all__ = ["ROWS", "SCHEMA", "draw_table", "rows_of"]

ROWS = 60

# Column -> type, values. Each column may be None as well.
COLUMNS: dict[str, tuple[str, list[Any]]] = {
    "v": ("BIGINT", [0, 1, -1, 2, 7, -7, 30, 31, 45, 2**31, -(2**31), 2**53 + 1, 2**62, 2**63 - 1, -(2**63)]),
    "i": ("INTEGER", [0, 1, -1, 3, -3, 10, 2**31 - 1, -(2**31)]),
    "k": ("TINYINT", [0, 1, -1, 5, 127, -128]),
    "x": ("DOUBLE", [0.0, -0.0, 1.5, -1.5, 2.5, 0.1, 30.0, 1e16, 1e-7, 1e300, math.nan, math.inf, -math.inf]),
    "y": (
        "DOUBLE",
        [0.0, -0.0, 0.5, 1.5, 2.675, -30.0, 123456789.125, 5e-324, -0.001, 1.005, 1e22, math.nan, math.inf],
    ),
    "f": ("FLOAT", [0.0, 0.1, -2.5, math.nan, 3.4e38]),
    "s": (
        "VARCHAR",
        [
            "",
            "a",
            "A",
            "ab",
            " a b ",
            "abc",
            "é",
            "ß",
            "日本語",
            "a\u0301",
            "\u00a0x\t",
            "🤦🏼",
            "None",
            "it's",
            "İΣ",
            "a,b",
            "12",
        ],
    ),
    "t": (
        "VARCHAR",
        [
            "",
            "a",
            "b",
            "B",
            "zz",
            "é",
            "\u2003",
            "ab",
            "a\\b%_",
            "1",
            "-0.5",
            "a\x00b",
            "\x1cz\x85",
            "b\r\n",
            ",a,",
            "+7",
            "red",
        ],
    ),
    "b": ("BOOLEAN", [True, False]),
    "d": ("DATE", [dt.date(1970, 1, 1), dt.date(2024, 2, 29), dt.date(1, 1, 1), dt.date(9999, 12, 31)]),
    "u": (
        "TIMESTAMP",
        [
            dt.datetime(1970, 1, 1),
            dt.datetime(2024, 2, 29, 23, 59, 59, 999999),
            dt.datetime(1969, 12, 31, 23, 59, 59, 1),
            dt.datetime(1, 1, 1),
            dt.datetime(9999, 12, 31, 12),
        ],
    ),
    "e": ("DATE", [dt.date(2024, 3, 7), dt.date(2023, 12, 31), dt.date(999, 12, 31), dt.date(1, 1, 1)]),
    "w": (
        "TIMESTAMP",
        [
            dt.datetime(2024, 3, 1),
            dt.datetime(2024, 2, 29, 12, 30, 15, 500000),
            dt.datetime(999, 1, 2, 3, 4, 5, 60),
            dt.datetime(9999, 12, 31, 23, 59, 59, 999999),
        ],
    ),
    "tz": (
        "TIMESTAMPTZ",
        [
            dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
            dt.datetime(2024, 2, 29, 12, 30, tzinfo=dt.UTC),
            dt.datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=dt.UTC),
            dt.datetime(9999, 12, 31, 12, tzinfo=dt.UTC),
        ],
    ),
    "q": (
        "VARCHAR",
        ["0", "12", " 7 ", "-5", "+30", "1.5", "1e3", "-.5", "", "a", "1_0", "9223372036854775808", "\u0663", "nan"],
    ),
    "m": ("DECIMAL(10,2)", [Decimal(c) for c in ("0.00", "1.50", "-7.25", "30.00", "99999999.99")]),
    "n": ("DECIMAL(18,4)", [Decimal(c) for c in ("0.0000", "1.5000", "-0.0001", "99999999999999.9999")]),
    "vs": ("BIGINT[]", [[], [None], [1], [1, 2, 30], [7, None, -7], [0, 0], [2**63 - 1, 1], [None, 3], [2, 2, 1]]),
    "ns": ("INTEGER[]", [[], [None], [0], [5, 3], [-1, None], [2**31 - 1, 2**31 - 1]]),
    "fs": ("DOUBLE[]", [[], [None], [0.0, -0.0], [1.5, None], [math.nan], [2.5, math.inf, math.nan]]),
    "ss": (
        "VARCHAR[]",
        [
            [],
            [None],
            [""],
            ["a", "b"],
            ["ab", None, "é"],
            ["a", "a"],
            ["日本語", "🤦🏼"],
            ["b,", "None"],
            ["", "", "x"],
        ],
    ),
    "bs": ("BOOLEAN[]", [[], [None], [True], [False, None], [True, False], [None, True]]),
    "st": (
        'STRUCT("a" BIGINT, "t" VARCHAR, "xs" BIGINT[])',
        [
            {"a": None, "t": None, "xs": None},
            {"a": 1, "t": "a", "xs": [1, None]},
            {"a": -7, "t": "", "xs": []},
            {"a": 2**53 + 1, "t": "é", "xs": [3]},
        ],
    ),
    "sts": (
        'STRUCT("k" BIGINT, "w" VARCHAR)[]',
        [[], [None], [{"k": 1, "w": "a"}], [{"k": None, "w": "b"}, {"k": 7, "w": None}], [{"k": 2, "w": ""}] * 2],
    ),
}

SCHEMA = Schema({"id": "BIGINT", **{name: type_ for name, (type_, _) in COLUMNS.items()}})


def draw_table(rng: random.Random, count: int = ROWS) -> pa.Table:
    """Return rows with ids from 0; the first is None throughout."""
    data: dict[str, list[Any]] = {"id": list(range(count))}
    for name, (_, values) in COLUMNS.items():
        data[name] = [None] + [rng.choice([None, *values]) for _ in range(count - 1)]
    return pa.table(data, schema=arrow_schema(SCHEMA))


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    """Return the rows as a row function gets them."""
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows
