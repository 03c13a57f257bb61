"""Dataset.join."""

import pytest

import mdfsql as mdf

LEFT = [{"k": 1, "a": "x"}, {"k": 2, "a": "y"}, {"k": 2, "a": "z"}, {"k": None, "a": "n"}]
RIGHT = [{"k": 2, "b": 20}, {"k": 3, "b": 30}, {"k": None, "b": 0}, {"k": 2, "b": 21}]

PAIRS = [{"k": 2, "a": a, "b": b} for a in "yz" for b in (20, 21)]
LEFT_ONLY = [{"k": 1, "a": "x", "b": None}, {"k": None, "a": "n", "b": None}]
RIGHT_ONLY = [{"k": 3, "a": None, "b": 30}, {"k": None, "a": None, "b": 0}]

ANSWERS = {
    "inner": PAIRS,
    "left": PAIRS + LEFT_ONLY,
    "right": PAIRS + RIGHT_ONLY,
    "full": PAIRS + LEFT_ONLY + RIGHT_ONLY,
    "semi": [{"k": 2, "a": "y"}, {"k": 2, "a": "z"}],
    "anti": [{"k": 1, "a": "x"}, {"k": None, "a": "n"}],
}


@pytest.fixture
def left(engine):
    return mdf.Dataset.from_items(LEFT)


@pytest.fixture
def right(engine):
    return mdf.Dataset.from_items(RIGHT)


@pytest.mark.parametrize("how", ANSWERS)
def test_by_name(left, right, check, how):
    check(left.join(right, on="k", how=how), ANSWERS[how])


@pytest.mark.parametrize("how", ANSWERS)
def test_with_an_empty_side(left, right, check, how):
    none = right.filter("b > 99")
    expected = {
        "left": [{**row, "b": None} for row in LEFT],
        "full": [{**row, "b": None} for row in LEFT],
        "anti": LEFT,
    }
    check(left.join(none, on="k", how=how), expected.get(how, []))


def test_cross(left, right, check):
    check(
        left.select("a").join(right.select("b"), how="cross"),
        [{"a": row["a"], "b": other["b"]} for row in LEFT for other in RIGHT],
    )


def test_two_row_function_means_what_python_means(left, right, check):
    check(
        left.join(right, on=lambda l, r: l["k"] == r["k"]).select("a", "b"),  # noqa: E741
        [{"a": row["a"], "b": row["b"]} for row in PAIRS] + [{"a": "n", "b": 0}],
    )


def test_expression_over_both_sides(left, right, check):
    check(
        left.join(right, on=mdf.expr("l.k = r.k AND r.b > 20")).select("a", "b"),
        [{"a": a, "b": 21} for a in "yz"],
    )


def test_several_keys(engine, check):
    rows = mdf.Dataset.from_items([{"a": 1, "b": "x", "v": 1}, {"a": 1, "b": "y", "v": 2}])
    check(
        rows.join(rows.filter("v = 2"), on=["a", "b"], suffixes=("_l", "_r")),
        [{"a": 1, "b": "y", "v_l": 2, "v_r": 2}],
    )


def test_with_itself(left, check):
    check(
        left.filter("k = 2").join(left.filter("k = 2"), on="k").select("a", "a_right"),
        [{"a": a, "a_right": b} for a in "yz" for b in "yz"],
    )


def test_errors(left, right):
    with pytest.raises(mdf.errors.BindError, match="no join 'outer'; the joins are inner, left"):
        left.join(right, on="k", how="outer")
    with pytest.raises(mdf.errors.BindError, match="needs on="):
        left.join(right)
    with pytest.raises(mdf.errors.BindError, match="takes no on="):
        left.join(right, on="k", how="cross")
    with pytest.raises(mdf.errors.BindError, match="the right dataset has no column 'a'"):
        left.join(right, on="a")
