"""Dataset.explode and nested columns."""

import pytest

import mdfsql as mdf

ROWS = [
    {"id": 1, "tags": ["a", None, "b"], "at": {"x": 1, "y": None}},
    {"id": 2, "tags": [], "at": {"x": 2, "y": "q"}},
    {"id": 3, "tags": None, "at": None},
]


def test_explode(engine, check):
    rows = mdf.Dataset.from_items(ROWS).select("id", "tags").explode("tags")
    assert dict(rows.schema) == {"id": "BIGINT", "tags": "VARCHAR"}
    check(rows, [{"id": 1, "tags": "a"}, {"id": 1, "tags": None}, {"id": 1, "tags": "b"}])


def test_nested_values_come_back(engine, check):
    check(mdf.Dataset.from_items(ROWS), ROWS)


def test_explode_needs_a_list(people):
    with pytest.raises(mdf.errors.BindError, match="needs a LIST column, but 'name' is VARCHAR"):
        people.explode("name")
