"""Dataset.from_items."""

import datetime
import decimal

import pytest

import mdfsql as mdf

from_items = mdf.Dataset.from_items


def test_missing_keys_are_none_and_numbers_unite(engine, check):
    made = from_items([{"a": 1}, {"b": 2.5, "a": 2}, {"b": 3}])
    assert dict(made.schema) == {"a": "BIGINT", "b": "DOUBLE"}
    check(made, [{"a": 1, "b": None}, {"a": 2, "b": 2.5}, {"a": None, "b": 3.0}])


VALUES = {
    "BOOLEAN": [True, False, None],
    "BIGINT": [-(2**63), 2**63 - 1, 0, None],
    "DOUBLE": [float("nan"), float("inf"), float("-inf"), 5e-324, 1.7976931348623157e308, None],
    "VARCHAR": ["", "a\x00b", "line\nbreak", "ünï\U0001f600", "NULL", " pad ", None],
    "DATE": [datetime.date(1, 1, 1), datetime.date(1582, 10, 4), datetime.date(9999, 12, 31), None],
    "TIMESTAMP": [
        datetime.datetime(1, 1, 1),
        datetime.datetime(1899, 12, 31, 23, 59, 59, 999999),
        datetime.datetime(2024, 3, 31, 2, 30),
        datetime.datetime(9999, 12, 31, 23, 59, 59, 999999),
        None,
    ],
    "TIMESTAMPTZ": [datetime.datetime(2024, 3, 31, 2, 30, tzinfo=datetime.UTC), None],
    "DECIMAL(5,2)": [decimal.Decimal("-123.45"), decimal.Decimal("0.10"), None],
    "BLOB": [b"", b"\x00\xff", None],
    "TIME": [datetime.time(23, 59, 59, 999999), None],
    "BIGINT[]": [[1, None], [], None],
    'STRUCT("x" BIGINT, "y" VARCHAR)': [{"x": 1, "y": "q"}, {"x": None, "y": None}, None],
}

# Types that an engine refuses, with a word of the reason.
REFUSED = {("spark", "TIME")}


@pytest.mark.parametrize("type_", VALUES)
def test_values_come_back_as_they_went_in(engine, check, type_):
    made = from_items([{"id": i, "v": v} for i, v in enumerate(VALUES[type_])])
    assert made.schema["v"] == type_
    if (engine, type_) in REFUSED:
        with pytest.raises(mdf.errors.Unsupported):
            made.collect()
        return
    check(made, [{"id": i, "v": v} for i, v in enumerate(VALUES[type_])])


def test_schema_gives_types_and_order(check):
    made = from_items([{"b": 1, "a": None}], schema={"a": "DATE", "b": int})
    assert dict(made.schema) == {"a": "DATE", "b": "BIGINT"}
    check(made, [{"a": None, "b": 1}])


def test_no_rows_with_a_schema(engine):
    made = from_items([], schema={"a": "BIGINT", "b": str})
    assert made.collect() == [] and made.columns == ["a", "b"]
    assert made.aggregate(n=mdf.count(), s=mdf.sum("a")).collect() == [{"n": 0, "s": None}]


def test_a_generator_will_do():
    assert from_items({"i": i} for i in range(3)).count() == 3


BAD = {
    "no rows": ([], {}, "got no rows, .* pass schema="),
    "not dicts": ([{"a": 1}, 7], {}, "row 1 is int: 7"),
    "only None": ([{"a": 1, "b": None}], {}, "'b' is None in every row.*pass schema="),
    "mixed": ([{"a": 1}, {"a": None}, {"a": "x"}], {}, r"'a' mixes int \(first in row 0: 1\) and str \(first in row 2"),
    "bool and int": ([{"a": True}, {"a": 1}], {}, "mixes bool .* and int"),
    "date and datetime": (
        [{"a": datetime.date(2024, 1, 1)}, {"a": datetime.datetime(2024, 1, 1)}],
        {},
        "mixes date .* and datetime",
    ),
    "too large": ([{"a": 1}, {"a": 2**63}], {}, "'a', row 1"),
    "case": ([{"a": 1, "A": 2}], {}, "'a' and 'A' differ only in case"),
    "name": ([{1: 2}], {}, "column name 1 is not a non-empty string"),
    "empty name": ([{"": 2}], {}, "column name '' is not"),
    "does not fit schema": ([{"a": "x"}], {"schema": {"a": int}}, "'a', row 0: 'x'"),
    "schema type": ([{"a": 1}], {"schema": {"a": "NUMERO"}}, "'NUMERO' is not a column type"),
    "schema kind": ([{"a": 1}], {"schema": ["a"]}, "takes a mapping"),
    "object": ([{"a": object()}], {}, "column 'a'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    items, options, message = BAD[case]
    with pytest.raises(mdf.errors.DataError, match=message):
        from_items(items, **options)


def test_schema_of_some_columns_leaves_the_order():
    assert from_items([{"b": 1, "a": None}], schema={"a": "DATE"}).columns == ["b", "a"]
    assert from_items([{"b": 1}, {"c": 2}], schema={"a": "DATE"}).columns == ["b", "c", "a"]
