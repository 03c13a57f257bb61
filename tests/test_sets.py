"""Dataset.union, union_by_name, intersect, except_, distinct."""

import pytest

import mdfsql as mdf


def items(*values):
    return mdf.Dataset.from_items([{"v": v} for v in values], schema={"v": "BIGINT"})


def values(dataset):
    return sorted((row["v"] for row in dataset.collect()), key=lambda v: (v is None, v))


def test_union_keeps_all(engine):
    assert values(items(1, 1, None).union(items(1, None), items(3))) == [1, 1, 1, 3, None, None]


def test_union_distinct(engine):
    assert values(items(1, 1, None).union(items(1, None, 2), all=False)) == [1, 2, None]


def test_distinct(engine, people):
    assert values(items(2, None, 2, None).distinct()) == [2, None]
    assert people.union(people).distinct().count() == 5


def test_intersect(engine):
    assert values(items(1, 1, 2, None).intersect(items(1, 1, 1, None, 3))) == [1, None]


def test_except(engine):
    assert values(items(1, 1, 2, None, 4, 4).except_(items(2, 3, None))) == [1, 4]


def test_intersect_all(engine):
    assert values(items(1, 1, 2, None).intersect(items(1, 1, 1, None, 3), all=True)) == [1, 1, None]


def test_except_all(engine):
    assert values(items(1, 1, 1, None, None).except_(items(1, None, 2), all=True)) == [1, 1, None]


def test_types_unite_as_in_the_reference(engine, check):
    whole = mdf.Dataset.from_items([{"v": 1}])
    real = mdf.Dataset.from_items([{"w": 0.5}])
    assert dict(whole.union(real).schema) == {"v": "DOUBLE"}
    check(whole.union(real), [{"v": 1.0}, {"v": 0.5}])


def test_by_name_fills_with_null(engine, check):
    a = mdf.Dataset.from_items([{"x": 1, "y": "p"}])
    b = mdf.Dataset.from_items([{"z": 0.5, "X": 2}])
    check(a.union_by_name(b), [{"x": 1, "y": "p", "z": None}, {"x": 2, "y": None, "z": 0.5}])


def test_after_a_union_steps_go_on(engine, check):
    check(items(1, 2).union(items(3)).filter("v > 1").aggregate(s=mdf.sum("v")), [{"s": 5}])


def test_number_of_columns(people):
    with pytest.raises(mdf.errors.BindError, match=r"same number of columns: 4 .* and 1 "):
        people.union(people.select("id"))
