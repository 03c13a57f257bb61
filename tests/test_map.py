"""Dataset.map."""

import pytest

import mdfsql as mdf


def test_adds_and_overwrites(engine, people, check):
    small = people.select("id", "score")
    check(
        small.map(lambda r: {**r, "score": 0.0 if r["score"] is None else r["score"], "big": r["id"] > 3}),
        [
            {"id": 1, "score": 1.5, "big": False},
            {"id": 2, "score": float("nan"), "big": False},
            {"id": 3, "score": 0.0, "big": False},
            {"id": 4, "score": -2.0, "big": True},
            {"id": 5, "score": 8.25, "big": True},
        ],
    )


def test_none_where_python_would_raise(engine, people, check):
    check(
        people.filter("id >= 3").map(lambda r: {"id": r["id"], "n": len(r["name"])}),
        [{"id": 3, "n": 0}, {"id": 4, "n": None}, {"id": 5, "n": 3}],
    )


def test_closures_are_read_when_map_is_called(engine, people, check):
    made = []
    for factor in (10, 100):
        made.append(people.limit(5).map(lambda r: {"v": r["id"] * factor}))  # noqa: B023
    check(made[0], [{"v": v} for v in (10, 20, 30, 40, 50)])
    check(made[1], [{"v": v} for v in (100, 200, 300, 400, 500)])


def test_is_lifted_not_run_as_python(people):
    text = people.map(lambda r: {"double": r["id"] * 2}).explain()
    assert "row functions, lifted" in text and 'map: double = "id" * 2' in text


def test_keeps_order(engine, people, check):
    check(
        people.order_by("id", descending=True).map(lambda r: {"x": r["id"] + 1}),
        [{"x": v} for v in (6, 5, 4, 3, 2)],
        ordered=True,
    )


def test_what_cannot_be_lifted_points_at_the_source(people):
    with pytest.raises(mdf.errors.CannotLift, match=r"test_map\.py, line \d+, column \d+:\n.*\n +\^"):
        people.map(lambda r: {"x": sorted(r["name"])}, on_unliftable="error")
