"""Dataset.select, with_columns, rename, drop, cast, fill_null, drop_null."""

import datetime
import decimal

import duckdb
import pytest

import mdfsql as mdf


def test_select_names_and_expressions(engine, people, check):
    check(
        people.filter("id < 3").select(
            "name", mdf.col("id"), twice="id * 2", one=mdf.lit(1), half=lambda r: r["id"] + 5
        ),
        [
            {"name": "Ada", "id": 1, "twice": 2, "one": 1, "half": 6},
            {"name": "Bo", "id": 2, "twice": 4, "one": 1, "half": 7},
        ],
    )


def test_select_ignores_case_as_sql_does_and_keeps_the_columns_own(people):
    assert people.select("NAME").columns == ["name"]


def test_select_unknown_names_what_is_near(people):
    with pytest.raises(mdf.errors.BindError, match="no column 'scor'; did you mean 'score'"):
        people.select("scor")


def test_select_twice_is_an_error(people):
    with pytest.raises(mdf.errors.BindError, match="'id' stands twice"):
        people.select("id", "id")
    with pytest.raises(mdf.errors.BindError, match="'ID' stands twice"):
        people.select("id", ID="id + 1")


def test_select_without_a_name(people):
    with pytest.raises(mdf.errors.BindError, match="needs a name"):
        people.select(mdf.col("id") + 1)


def test_with_columns_replaces_in_place_and_adds_at_the_end(engine, people, check):
    made = people.filter("id <= 2").select("id", "team").with_columns(ID="id + 10", up=mdf.lit(True))
    assert made.columns == ["id", "team", "up"]
    check(made, [{"id": 11, "team": "x", "up": True}, {"id": 12, "team": "y", "up": True}])


def test_with_columns_sees_the_rows_before(engine, people, check):
    check(people.filter("id = 1").select("id").with_columns(id="id + 1", old="id"), [{"id": 2, "old": 1}])


def test_rename_swaps(engine, people, check):
    swapped = people.filter("id = 1").select("id", "name").rename({"id": "name", "name": "id"})
    assert dict(swapped.schema) == {"name": "BIGINT", "id": "VARCHAR"}
    check(swapped, [{"name": 1, "id": "Ada"}])


def test_rename_to_a_name_that_is_there(people):
    with pytest.raises(mdf.errors.DataError, match="stands twice"):
        people.rename(id="name")
    with pytest.raises(mdf.errors.DataError, match="differ only in case"):
        people.rename(id="NAME")


def test_drop(engine, people, check):
    check(people.filter("id = 5").drop("score", "Name"), [{"id": 5, "team": "y"}])
    with pytest.raises(mdf.errors.BindError, match="no column is left"):
        people.drop(*people.columns)


ODD = ["select", 'quo"te', "dot.ted", "sp ace", "back`tick", "Ünï", "a-b", "1st", "it's", "table", "_0", "x" * 70]


def test_odd_column_names(engine, check):
    row = {name: number for number, name in enumerate(ODD)}
    made = mdf.Dataset.from_items([row])
    check(made, [row])
    check(made.filter(lambda r: r["dot.ted"] == 2).drop("select"), [{k: v for k, v in row.items() if k != "select"}])
    check(made.group_by('quo"te').aggregate(**{"back`tick": mdf.sum("sp ace")}), [{'quo"te': 1, "back`tick": 3}])


def test_cast(engine, check):
    made = mdf.Dataset.from_items([{"a": "12", "b": 3, "c": True}]).cast(a=int, b="DOUBLE", c="INTEGER")
    assert dict(made.schema) == {"a": "BIGINT", "b": "DOUBLE", "c": "INTEGER"}
    check(made, [{"a": 12, "b": 3.0, "c": 1}])


def test_cast_to_what_is_no_type(people):
    for wrong in (lambda: people.cast(id="NUMERO"), lambda: mdf.col("id").cast(complex)):
        with pytest.raises(mdf.errors.DataError, match="is not a column type; name an SQL type"):
            wrong()


def test_cast_that_does_not_fit_raises_when_it_runs(engine, people):
    with pytest.raises(mdf.errors.EngineError):
        people.cast(name="BIGINT").collect()


def test_fill_null(engine, people, check):
    rows = people.select("id", "name", "score").filter("id >= 2").filter("id <= 4")
    nan = float("nan")
    check(
        rows.fill_null({"name": "?", "score": 0}),
        [
            {"id": 2, "name": "Bo", "score": nan},
            {"id": 3, "name": "", "score": 0.0},
            {"id": 4, "name": "?", "score": -2.0},
        ],
    )
    check(rows.fill_null("-", "name").select("name"), [{"name": "Bo"}, {"name": ""}, {"name": "-"}])


def test_drop_null(engine, people, check):
    check(people.drop_null("name").select("id"), [{"id": i} for i in (1, 2, 3, 5)])
    check(people.drop_null().select("id"), [{"id": i} for i in (1, 2, 5)])


def test_literals_of_every_kind(engine, check):
    values = {
        "text": "it's \\ \n ü",
        "whole": -(2**63),
        "real": -0.1,
        "day": datetime.date(2024, 2, 29),
        "when": datetime.datetime(1969, 12, 31, 23, 59, 59, 999999),
        "yes": True,
    }
    one = mdf.Dataset.from_items([{"id": 1}])
    check(one.with_columns(**{k: mdf.lit(v) for k, v in values.items()}), [{"id": 1, **values}])


def test_decimal_literal(check):
    one = mdf.Dataset.from_items([{"id": 1}]).with_columns(d=mdf.lit(decimal.Decimal("1.10")))
    assert one.schema["d"] == "DECIMAL(3,2)"
    check(one, [{"id": 1, "d": decimal.Decimal("1.10")}])


def test_fill_null_fits_the_type(people, check):
    check(
        people.filter("id IN (3, 4)").fill_null(0),
        [
            {"id": 3, "name": "", "team": "x", "score": 0.0},
            {"id": 4, "name": None, "team": None, "score": -2.0},
        ],
    )
    with pytest.raises(mdf.errors.BindError, match="'-' cannot stand in column 'score', which is DOUBLE"):
        people.fill_null("-", "score")


NAMELESS = [
    "'a'::BLOB",
    "date_part(['year', 'MONTH'], DATE '2024-05-06')",
    "datepart('year', DATE '2024-05-06')",
    "regexp_extract('ab', '(a)(b)', ['x', 'y'])",
    "extract('year' FROM DATE '2024-05-06')",
    "add(1, 2)",
]


@pytest.mark.parametrize("text", NAMELESS)
def test_an_output_without_a_name_is_called_as_the_reference_calls_it(engine, text):
    made = mdf.sql(f"SELECT {text}")
    assert made.columns == made.to_arrow().column_names == duckdb.sql(f"SELECT {text}").columns
