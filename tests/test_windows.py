"""Window expressions: over()."""

import pytest

import mdfsql as mdf

ROWS = [
    {"id": 1, "k": "a", "v": 3},
    {"id": 2, "k": "a", "v": 1},
    {"id": 3, "k": "a", "v": 3},
    {"id": 4, "k": "b", "v": None},
    {"id": 5, "k": None, "v": 9},
    {"id": 6, "k": "b", "v": 4},
]

# name -> (expression, answers for the ids 1 to 6)
WINDOWS = {
    "row_number": (mdf.row_number().over(partition_by="k", order_by="id"), [1, 2, 3, 1, 1, 2]),
    "row_number_desc": (mdf.row_number().over(order_by=mdf.desc("id")), [6, 5, 4, 3, 2, 1]),
    "rank": (mdf.rank().over(partition_by="k", order_by="v"), [2, 1, 2, 2, 1, 1]),
    "dense_rank": (mdf.dense_rank().over(order_by="v"), [2, 1, 2, 5, 4, 3]),
    "sum": (mdf.sum("v").over(partition_by="k"), [7, 7, 7, 4, 9, 4]),
    "running_sum": (mdf.sum("v").over(partition_by="k", order_by="id"), [3, 4, 7, None, 9, 4]),
    "running_with_ties": (mdf.sum("v").over(partition_by="k", order_by="v"), [7, 1, 7, 4, 9, 4]),
    "rows": (mdf.sum("v").over(order_by="id", rows=(-1, 0)), [3, 4, 4, 3, 9, 13]),
    "count": (mdf.count().over(partition_by="k"), [3, 3, 3, 2, 1, 2]),
    "avg": (mdf.avg("v").over(partition_by="k", order_by="id", rows=(None, 0)), [3.0, 2.0, 7 / 3, None, 9.0, 4.0]),
    "lag": (mdf.lag("v").over(partition_by="k", order_by="id"), [None, 3, 1, None, None, None]),
    "lag_default": (mdf.lag("v", 1, -1).over(partition_by="k", order_by="id"), [-1, 3, 1, -1, -1, None]),
    "lead": (mdf.lead("v").over(order_by="id"), [1, 3, None, 9, 4, None]),
    "first_value": (mdf.first_value("v").over(partition_by="k", order_by="id"), [3, 3, 3, None, 9, None]),
    "last_value": (
        mdf.last_value("v").over(partition_by="k", order_by="id", rows=(None, None)),
        [3, 3, 3, 4, 9, 4],
    ),
    "ntile": (mdf.ntile(2).over(order_by="id"), [1, 1, 1, 2, 2, 2]),
    "percent_rank": (mdf.percent_rank().over(order_by="id"), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
    "max": (mdf.max("v").over(partition_by="k"), [3, 3, 3, 4, 9, 4]),
}


@pytest.mark.parametrize("name", WINDOWS)
def test_window(engine, check, name):
    expression, expected = WINDOWS[name]
    rows = mdf.Dataset.from_items(ROWS).with_columns(w=expression).select("id", "w").order_by("id")
    check(rows, [{"id": i + 1, "w": w} for i, w in enumerate(expected)], ordered=True)


def test_filter_on_a_window(engine, check):
    best = mdf.row_number().over(partition_by="k", order_by=[mdf.desc("v"), mdf.asc("id")])
    rows = mdf.Dataset.from_items(ROWS).with_columns(n=best).filter("n = 1").select("k", "v")
    check(rows, [{"k": "a", "v": 3}, {"k": "b", "v": 4}, {"k": None, "v": 9}])
