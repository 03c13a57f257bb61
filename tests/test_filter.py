"""Dataset.filter."""

import pytest

import mdfsql as mdf


def ids(dataset):
    return sorted(row["id"] for row in dataset.collect())


def test_sql_text(engine, people):
    assert ids(people.filter("id > 2 AND team = 'x'")) == [3]


def test_expression(engine, people):
    assert ids(people.filter((mdf.col("id") > 3) | (mdf.col("team") == "x"))) == [1, 3, 4, 5]


def test_row_function_keeps_none_of_inequality(engine, people):
    assert ids(people.filter(lambda r: r["team"] != "x")) == [2, 4, 5]


def test_row_function_where_python_would_raise_drops_the_row(engine, people):
    assert ids(people.filter(lambda r: r["score"] > 0)) == [1, 5]
    assert ids(people.filter(lambda r: not (r["score"] > 0))) == [2, 4]


def test_nan_is_greater_than_any_number_in_sql_and_not_in_python(engine, people):
    assert ids(people.filter("score > 100")) == [2]
    assert ids(people.filter(lambda r: r["score"] > 100)) == []


def test_several_predicates_all_hold(engine, people):
    assert ids(people.filter("id > 1", mdf.col("id") < 5, lambda r: r["team"] == "y")) == [2]


def test_or_keeps_its_parentheses_when_filters_meet(engine, people):
    assert ids(people.filter("id = 1 OR id = 2").filter("team = 'y' OR team = 'z'")) == [2]


def test_null_tests_and_membership(engine, people):
    assert ids(people.filter("name IS NULL")) == [4]
    assert ids(people.filter(mdf.col("team").is_not_null() & mdf.col("id").is_in([1, 4, 5]))) == [1, 5]
    assert ids(people.filter(mdf.col("id").between(2, 3))) == [2, 3]
    assert ids(people.filter(mdf.col("name").like("%o%"))) == [2, 5]


def test_after_a_limit_the_limit_comes_first(engine, people):
    assert ids(people.order_by("id").limit(2).filter("id > 1")) == [2]


def test_no_rows_left(engine, people):
    assert people.filter("id > 99").collect() == []


def test_unknown_column_is_an_error_where_it_is_written(people):
    with pytest.raises(mdf.errors.BindError, match=r'"nmae" not found.*\n.*"name"'):
        people.filter("nmae = 'Ada'")
    with pytest.raises(mdf.errors.CannotLift, match="nmae"):
        people.filter(lambda r: r["nmae"] == "Ada")


def test_text_that_does_not_read(people):
    with pytest.raises(mdf.errors.QueryError, match=r"line 1, column"):
        people.filter("id >")
    with pytest.raises(mdf.errors.BindError, match="a window function"):
        people.filter(mdf.row_number().over(order_by="id") > 1)


def test_a_later_filter_sees_only_what_an_earlier_one_left(engine):
    rows = mdf.Dataset.from_items([{"id": i, "b": i % 3} for i in range(3000)])
    kept = rows.filter(lambda r: r["b"] != 0).filter(lambda r: 10 // r["b"] > 5)
    assert kept.count() == 1000
    with pytest.raises(mdf.errors.EngineError, match="division"):
        rows.filter(lambda r: 10 // r["b"] > 5).count()


def test_what_a_filter_leaves_is_known_to_be_there(engine, check):
    rows = [{"id": n, "v": v} for n, v in enumerate([None, -1, 0, 7, None])]
    kept = mdf.Dataset.from_items(rows).filter(lambda r: r["v"] > -1).order_by("id")
    check(kept.map(lambda r: {"big": "y" if r["v"] > 3 else "n"}), [{"big": "n"}, {"big": "y"}], ordered=True)
    assert "ELSE" in str(kept.map(lambda r: {"big": "y" if r["v"] > 3 else "n"}).plan("duckdb")[1].sql)
    # Not of a column that has taken the name since.
    changed = kept.with_columns(v=lambda r: r["v"] if r["id"] != 2 else None)
    check(changed.map(lambda r: {"big": "y" if r["v"] > 3 else "n"}), [{"big": None}, {"big": "y"}], ordered=True)
