"""Dataset.group_by and aggregate."""

import math

import pytest

import mdfsql as mdf

ROWS = [
    {"k": "a", "v": 1, "f": 0.5, "s": "x"},
    {"k": "a", "v": 2, "f": None, "s": None},
    {"k": "a", "v": 2, "f": 2.0, "s": "y"},
    {"k": None, "v": None, "f": None, "s": None},
    {"k": "b", "v": 7, "f": -1.0, "s": "z"},
]


@pytest.fixture
def rows(engine):
    return mdf.Dataset.from_items(ROWS)


def test_count(rows, check):
    check(rows.group_by("k").count(), [{"k": "a", "count": 3}, {"k": None, "count": 1}, {"k": "b", "count": 1}])


# name -> (aggregate, answers for the groups a, NULL and b)
AGGREGATES = {
    "sum": (mdf.sum("v"), 5, None, 7),
    "sum_float": (mdf.sum("f"), 2.5, None, -1.0),
    "count": (mdf.count("f"), 2, 0, 1),
    "count_all": (mdf.count(), 3, 1, 1),
    "count_distinct": (mdf.count_distinct("v"), 2, 0, 1),
    "avg": (mdf.avg("v"), 5 / 3, None, 7.0),
    "min": (mdf.min("v"), 1, None, 7),
    "max": (mdf.max("s"), "y", None, "z"),
    "stddev": (mdf.stddev("v"), math.sqrt(1 / 3), None, None),
    "var": (mdf.var("v"), 1 / 3, None, None),
    "median": (mdf.median("v"), 2.0, None, 7.0),
    "quantile": (mdf.quantile("v", 0.25), 1.5, None, 7.0),
    "list": (mdf.list("v", order_by="v"), [1, 2, 2], [None], [7]),
    "string_agg": (mdf.string_agg("s", "; ", order_by="s"), "x; y", None, "z"),
    "arg_min": (mdf.arg_min("s", "f"), "x", None, "z"),
    "arg_max": (mdf.arg_max("s", "f"), "y", None, "z"),
    "sum_filter": (mdf.sum("v").filter(mdf.col("v") > 1), 4, None, 7),
    "count_filter": (mdf.count().filter(mdf.col("v") > 1), 2, 0, 1),
    "sum_of_function": (mdf.sum(lambda r: r["v"] * 10), 50, None, 70),
    "ratio": (mdf.sum("v") / mdf.count(), 5 / 3, None, 7.0),
}


@pytest.mark.parametrize("name", AGGREGATES)
def test_aggregate(rows, check, name):
    expression, a, null, b = AGGREGATES[name]
    check(rows.group_by("k").aggregate(x=expression), [{"k": "a", "x": a}, {"k": None, "x": null}, {"k": "b", "x": b}])


EMPTY = {name: (e, null) for name, (e, _, null, _) in AGGREGATES.items() if name not in ("count_all", "list", "ratio")}


@pytest.mark.parametrize("name", EMPTY)
def test_aggregate_of_no_rows_gives_one_row(rows, check, name):
    expression, expected = EMPTY[name]
    check(rows.filter("v > 99").aggregate(x=expression), [{"x": expected}])


def test_several_at_once(rows, check):
    check(
        rows.aggregate(n=mdf.count(), total=mdf.sum("v"), d=mdf.count_distinct("k"), top=mdf.max("f")),
        [{"n": 5, "total": 12, "d": 2, "top": 2.0}],
    )


def test_computed_key(rows, check):
    check(
        rows.filter("v IS NOT NULL").group_by(big=lambda r: r["v"] > 1).count(),
        [{"big": False, "count": 1}, {"big": True, "count": 3}],
    )


def test_no_aggregate_gives_the_keys(rows, check):
    check(rows.group_by("k").aggregate(), [{"k": "a"}, {"k": None}, {"k": "b"}])


def test_nan_is_one_group(engine, check):
    nan = math.nan
    made = mdf.Dataset.from_items([{"f": nan}, {"f": nan}, {"f": None}, {"f": 0.0}, {"f": -0.0}])
    check(
        made.group_by("f").count().with_columns(f="f + 0.0"),
        [{"f": nan, "count": 2}, {"f": None, "count": 1}, {"f": 0.0, "count": 2}],
    )


def test_integer_sums_are_integers_and_overflow_raises(engine):
    big = mdf.Dataset.from_items([{"v": 2**62}, {"v": 2**62}])
    assert big.limit(1).aggregate(x=mdf.sum("v")).schema["x"] == "BIGINT"
    with pytest.raises(mdf.errors.EngineError):
        big.aggregate(x=mdf.sum("v")).collect()


def test_errors(people):
    with pytest.raises(mdf.errors.BindError, match="no column 'temperature'"):
        people.group_by("temperature")
    with pytest.raises(mdf.errors.BindError, match="'team' stands twice"):
        people.group_by("team").aggregate(team=mdf.count())
    with pytest.raises(mdf.errors.BindError, match="needs an aggregate"):
        people.group_by("team").aggregate(x=3)
    with pytest.raises(mdf.errors.BindError, match="GROUP BY"):
        people.group_by("team").aggregate(x=mdf.col("id"))
    with pytest.raises(ValueError, match="from 0 to 1"):
        mdf.quantile("id", 50)
