"""Dataset.order_by, limit, offset, head, shuffle, sample, split, repartition."""

import pytest

import mdfsql as mdf


def column(dataset, name):
    return [row[name] for row in dataset.collect()]


NULLS = [{"id": i, "v": v, "s": s} for i, (v, s) in enumerate([(2, "b"), (None, "a"), (1, None), (2, "A"), (3, "é")])]


@pytest.fixture
def rows(engine):
    return mdf.Dataset.from_items(NULLS)


def test_nulls_come_last_either_way(rows):
    assert column(rows.order_by("v", "id"), "id") == [2, 0, 3, 4, 1]
    assert column(rows.order_by("v", "id", descending=[True, False]), "id") == [4, 0, 3, 2, 1]


def test_nulls_first(rows):
    assert column(rows.order_by("v", "id", nulls_first=True), "id") == [1, 2, 0, 3, 4]
    assert column(rows.order_by(mdf.desc("s", nulls_first=True)), "id") == [2, 4, 0, 1, 3]


def test_strings_by_code_point(rows):
    assert column(rows.order_by("s"), "id") == [3, 1, 0, 4, 2]


def test_by_expression_and_row_function(rows):
    assert column(rows.drop_null("v").order_by(-mdf.col("v"), "id"), "id") == [4, 0, 3, 2]
    assert column(rows.drop_null("v").order_by(lambda r: r["v"] % 2, "id"), "id") == [0, 3, 2, 4]


def test_nan_after_numbers_before_null(engine):
    made = mdf.Dataset.from_items([{"f": None}, {"f": float("nan")}, {"f": 1.0}, {"f": float("inf")}])
    assert [repr(v) for v in column(made.order_by("f"), "f")] == ["1.0", "inf", "nan", "None"]


def test_a_later_order_takes_the_place_of_an_earlier(rows):
    assert column(rows.order_by("v").order_by("id", descending=True), "id") == [4, 3, 2, 1, 0]


def test_row_steps_keep_the_order(rows):
    made = rows.order_by("id", descending=True)
    assert column(made.filter("id <> 2").with_columns(id="id + 10"), "id") == [14, 13, 11, 10]
    assert column(made.limit(3).filter("id <> 3"), "id") == [4, 2]
    assert column(made.select(x="id").filter("x > 1"), "x") == [4, 3, 2]


def test_limit_and_offset(rows):
    made = rows.order_by("id")
    assert column(made.limit(2), "id") == [0, 1]
    assert column(made.limit(2, offset=3), "id") == [3, 4]
    assert column(made.offset(4), "id") == [4]
    assert column(made.limit(3).limit(2), "id") == [0, 1]
    assert column(made.limit(0), "id") == []
    assert column(made.offset(99), "id") == []
    assert [row["id"] for row in made.head(2)] == [0, 1]


def test_aggregates_in_order(rows):
    made = rows.group_by("v").count().order_by("count", "v", descending=[True, False])
    assert column(made, "v") == [2, 1, 3, None]


def test_errors(people):
    with pytest.raises(mdf.errors.DataError, match="0 or more"):
        people.limit(-1)
    with pytest.raises(mdf.errors.BindError, match="2 values for 1 keys"):
        people.order_by("id", descending=[True, False])
    with pytest.raises(mdf.errors.BindError, match="needs a key"):
        people.order_by()


MANY = [{"id": i, "name": f"n{i % 50}"} for i in range(1000)]


def test_sample_takes_the_same_rows_everywhere(engine):
    made = mdf.Dataset.from_items(MANY)
    sampled = made.sample(0.2, seed=3, key="id")
    got = sorted(row["id"] for row in sampled.collect())
    assert 140 < len(got) < 260
    assert got == sorted(row["id"] for row in sampled.collect(engine="duckdb"))
    assert got != sorted(row["id"] for row in made.sample(0.2, seed=4, key="id").collect(engine="duckdb"))


def test_sample_by_key_keeps_groups_whole(engine):
    kept = {row["name"] for row in mdf.Dataset.from_items(MANY).sample(0.5, key="name").collect()}
    counts = mdf.Dataset.from_items(MANY).sample(0.5, key="name").group_by("name").count().collect()
    assert 10 < len(kept) < 40 and {row["count"] for row in counts} == {20}


def test_sample_all_and_none(engine, people):
    assert people.sample(1.0).count() == 5
    assert people.sample(0.0).count() == 0


def test_split_has_every_row_once(engine):
    parts = mdf.Dataset.from_items(MANY).split(0.6, 0.3, key="id")
    ids = [{row["id"] for row in part.collect()} for part in parts]
    assert len(parts) == 3 and sum(map(len, ids)) == 1000 and set.union(*ids) == set(range(1000))
    assert 530 < len(ids[0]) < 670


def test_split_errors(people):
    with pytest.raises(mdf.errors.DataError, match="at most 1"):
        people.split(0.8, 0.3)
    with pytest.raises(mdf.errors.BindError, match=r"cannot hash score \(DOUBLE\)"):
        people.sample(0.5, key="score")


def test_shuffle_is_the_same_order_everywhere(engine):
    shuffled = mdf.Dataset.from_items(MANY[:50]).shuffle(7, key="id")
    got = column(shuffled, "id")
    assert got != list(range(50)) and sorted(got) == list(range(50))
    assert got == [row["id"] for row in shuffled.collect(engine="duckdb")]


def test_repartition_changes_no_answer(engine, people):
    assert sorted(column(people.repartition(3, by="team").filter("id > 2"), "id")) == [3, 4, 5]
