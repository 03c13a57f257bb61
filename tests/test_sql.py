"""mdf.sql, Dataset.sql and the registered tables."""

import datetime
import decimal

import pytest

import mdfsql as mdf

ROWS = [{"id": 1, "name": "Ada", "v": 0.5}, {"id": 2, "name": "Bo", "v": None}, {"id": 3, "name": None, "v": 4.0}]


@pytest.fixture
def t(engine):
    return mdf.Dataset.from_items(ROWS)


QUERIES = {
    "projection": ("SELECT id + 1 AS x FROM t WHERE id > 1", [{"x": 3}, {"x": 4}]),
    "aggregate": ("SELECT count(*) AS n, sum(id) AS s, max(name) AS m FROM t", [{"n": 3, "s": 6, "m": "Bo"}]),
    "cte": (
        "WITH a AS (SELECT * FROM t WHERE id < 3) SELECT a.name FROM a JOIN t USING (id)",
        [{"name": "Ada"}, {"name": "Bo"}],
    ),
    "cte that hides a table": ("WITH t AS (SELECT 7 AS id) SELECT id FROM t", [{"id": 7}]),
    "subquery": ("SELECT id FROM t WHERE id = (SELECT max(id) FROM t)", [{"id": 3}]),
    "in": ("SELECT id FROM t WHERE id IN (SELECT id + 1 FROM t)", [{"id": 2}, {"id": 3}]),
    "case": (
        "SELECT CASE WHEN v > 1 THEN 'big' ELSE 'small' END AS c FROM t",
        [{"c": "small"}, {"c": "small"}, {"c": "big"}],
    ),
    "no table": ("SELECT 1 AS one, 'x' AS t", [{"one": 1, "t": "x"}]),
    "union": ("SELECT id FROM t WHERE id = 1 UNION ALL SELECT 9", [{"id": 1}, {"id": 9}]),
    "self join": ("SELECT a.id FROM t a JOIN t b ON a.id = b.id + 1", [{"id": 2}, {"id": 3}]),
    "comments": ("-- first\nSELECT /* in */ id FROM t WHERE id = 1 -- last", [{"id": 1}]),
    "semicolon": ("SELECT id FROM t WHERE id = 1;", [{"id": 1}]),
    "group by all": (
        "SELECT name IS NULL AS none, count(*) AS n FROM t GROUP BY ALL",
        [{"none": False, "n": 2}, {"none": True, "n": 1}],
    ),
    "case of names": ("SELECT ID, T.Name FROM T WHERE iD = 1", [{"id": 1, "name": "Ada"}]),
    "from first": ("FROM t SELECT id WHERE id = 2", [{"id": 2}]),
}


@pytest.mark.parametrize("name", QUERIES)
def test_query(t, check, name):
    query, expected = QUERIES[name]
    made = mdf.sql(query, t=t)
    names = list(mdf.sql(query, t=t).collect(engine="duckdb")[0])
    check(made, [dict(zip(names, row.values(), strict=True)) for row in expected])


def test_goes_on_as_a_dataset(t, check):
    made = mdf.sql("SELECT id, v FROM t ORDER BY id DESC", t=t).filter(lambda r: r["v"] is not None).select("id")
    check(made, [{"id": 3}, {"id": 1}], ordered=True)


def test_self(t, check):
    check(t.filter("id > 1").sql("SELECT count(*) AS n FROM self"), [{"n": 2}])


PARAMETERS = {
    "whole": (7, "BIGINT"),
    "text": ("it's; DROP TABLE t --", "VARCHAR"),
    "real": (0.1, "DOUBLE"),
    "day": (datetime.date(2024, 2, 29), "DATE"),
    "when": (datetime.datetime(2024, 2, 29, 1, 2, 3, 4), "TIMESTAMP"),
    "yes": (True, "BOOLEAN"),
}


def test_parameters_are_values(t, check):
    columns = ", ".join(f"${name} AS {name}" for name in PARAMETERS)
    params = {name: value for name, (value, _) in PARAMETERS.items()}
    check(mdf.sql(f"SELECT {columns} FROM t WHERE id = $whole - 6", params=params, t=t), [params])


def test_a_parameter_can_be_none_or_a_decimal():
    made = mdf.sql("SELECT $n IS NULL AS none, $d AS d", params={"n": None, "d": decimal.Decimal("1.50")})
    assert made.collect() == [{"none": True, "d": decimal.Decimal("1.50")}]


@pytest.mark.parametrize("dialect", ["duckdb", "spark", "postgres", "snowflake", "databricks"])
def test_parameters_in_other_dialects(dialect):
    assert mdf.sql("SELECT $n + 1 AS x", dialect=dialect, params={"n": 2}).collect() == [{"x": 3}]


DIALECTS = {
    "mysql": "SELECT `name` FROM t WHERE `id` = 1",
    "bigquery": "SELECT `name` FROM t WHERE id = 1",
    "postgres": "SELECT name FROM t WHERE id::text = '1'",
    "tsql": "SELECT TOP 1 [name] FROM t ORDER BY id",
    "snowflake": "SELECT name FROM t QUALIFY row_number() OVER (ORDER BY id) = 1",
    "spark": "SELECT name FROM t WHERE id <=> 1",
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_other_dialects(t, check, dialect):
    check(mdf.sql(DIALECTS[dialect], dialect=dialect, t=t), [{"name": "Ada"}])


def test_files_as_tables(engine, t, check, tmp_path):
    t.write_parquet(tmp_path / "people.parquet")
    t.write_csv(tmp_path / "people.csv")
    check(mdf.sql(f"SELECT people.name FROM '{tmp_path}/people.parquet' WHERE id = 2"), [{"name": "Bo"}])
    check(mdf.sql(f"SELECT count(*) AS n FROM read_csv('{tmp_path}/people.csv')"), [{"n": 3}])
    check(mdf.sql("SELECT count(*) AS n FROM p", p=tmp_path / "people.parquet"), [{"n": 3}])


def test_registered_tables(engine, t, check):
    assert mdf.register("Staff", t) is t
    try:
        assert "Staff" in mdf.tables()
        check(mdf.sql("SELECT name FROM staff WHERE id = 1"), [{"name": "Ada"}])
        check(mdf.table("STAFF").select("id").filter("id = 3"), [{"id": 3}])
        check(mdf.sql("SELECT id FROM staff", staff=[{"id": 9}]), [{"id": 9}])
    finally:
        mdf.unregister("staff")
    assert "Staff" not in mdf.tables()
    with pytest.raises(mdf.errors.BindError, match="no registered table 'staff'"):
        mdf.unregister("staff")
    with pytest.raises(mdf.errors.BindError, match="no table 'staff'"):
        mdf.table("staff")


REFUSED = {
    "CREATE TABLE x AS SELECT 1": "CREATE is refused",
    "INSERT INTO t VALUES (1)": "INSERT is refused",
    "UPDATE t SET id = 1": "UPDATE is refused",
    "DELETE FROM t": "DELETE is refused",
    "DROP TABLE t": "DROP is refused",
    "COPY t TO 'x.csv'": "COPY is refused",
    "ATTACH 'x.db'": "ATTACH is refused",
    "PRAGMA database_size": "PRAGMA is refused",
    "SET threads = 1": "SET is refused",
    "INSTALL httpfs": "INSTALL is refused",
    "MERGE INTO t USING t AS s ON t.id = s.id WHEN MATCHED THEN DELETE": "MERGE is refused",
    "SELECT 1; SELECT 2": "holds 2 statements",
    "": "no query in the text",
    "-- nothing": "no query in the text",
    "1 + 1": "is refused",
}


@pytest.mark.parametrize("query", REFUSED)
def test_only_queries(query):
    with pytest.raises(mdf.errors.QueryError, match=REFUSED[query]):
        mdf.sql(query, t=ROWS)


WRONG = {
    "SELECT id FROM t WHERE": (mdf.errors.QueryError, r"line 1, column"),
    "SELECT (1": (mdf.errors.QueryError, r"syntax error: Expecting \)"),
    "SELECT 'x": (mdf.errors.QueryError, "line 1"),
    "SELECT id\nFROM t\nWHERE nmae = 1": (
        mdf.errors.BindError,
        '"nmae" not found(.|\n)*line 3, column 7:\n  WHERE nmae = 1\n        \\^',
    ),
    "SELECT * FROM tt": (mdf.errors.BindError, r"no table 'tt'; did you mean t\?\nline 1, column 15"),
    "SELECT nofun(id) FROM t": (mdf.errors.BindError, "nofun.*does not exist"),
    "SELECT name + 1 FROM t WHERE name < DATE '2024-01-01'": (mdf.errors.BindError, "compare|type"),
    "SELECT id, name AS ID FROM t": (mdf.errors.BindError, "'ID' stands twice"),
    "SELECT id FROM t GROUP BY name": (mdf.errors.BindError, "GROUP BY"),
    "SELECT $x FROM t": (mdf.errors.QueryError, r"\$x has no value(.|\n)*line 1, column 8"),
    "SELECT ? FROM t": (mdf.errors.QueryError, "has no name"),
}


@pytest.mark.parametrize("query", WRONG)
def test_wrong_queries(query):
    kind, message = WRONG[query]
    with pytest.raises(kind, match=message):
        mdf.sql(query, t=ROWS)


def test_parameters_too_many_and_dialects_unknown():
    with pytest.raises(mdf.errors.QueryError, match="not in the query: b"):
        mdf.sql("SELECT $a AS a", params={"a": 1, "b": 2})
    with pytest.raises(mdf.errors.QueryError, match="no dialect 'sparc'"):
        mdf.sql("SELECT 1", dialect="sparc")


def test_local_files_cannot_be_read_by_stealth():
    for query in ("SELECT * FROM glob('/etc/*')", "SELECT * FROM read_text('/etc/hosts')", "SELECT getenv('HOME')"):
        with pytest.raises(mdf.errors.MdfError):
            mdf.sql(query).collect()


ORDERS = {
    "bare name is the output": ("SELECT -id AS id FROM t ORDER BY id", [-3, -2, -1]),
    "name in an expression is the input": ("SELECT -id AS id FROM t ORDER BY id + 0", [-1, -2, -3]),
    "qualified name is the input": ("SELECT -id AS id FROM t ORDER BY t.id", [-1, -2, -3]),
    "ordinal": ("SELECT -id AS id FROM t ORDER BY 1", [-3, -2, -1]),
    "output in an expression": ("SELECT -id AS x FROM t ORDER BY x * 2", [-3, -2, -1]),
    "column that is not an output": ("SELECT id AS x FROM t ORDER BY v DESC NULLS LAST", [3, 1, 2]),
}


@pytest.mark.parametrize("name", ORDERS)
def test_order(t, name):
    query, expected = ORDERS[name]
    made = mdf.sql(query, t=t)
    assert [next(iter(row.values())) for row in made.collect()] == expected
    assert [next(iter(row.values())) for row in made.filter("1 = 1").collect()] == expected or name.startswith("column")


def test_a_cte_may_have_any_name(t, check):
    query = "WITH _0 AS (SELECT id FROM t WHERE id = 1) SELECT _0.id FROM _0, t AS _1 WHERE _1.id = 2"
    check(mdf.sql(query, t=t), [{"id": 1}])


def test_values_alone_are_a_query():
    assert [tuple(row.values()) for row in mdf.sql("VALUES (1, 'a'), (2, 'b')").collect()] == [(1, "a"), (2, "b")]


def test_values_that_python_has_not():
    for query in ("SELECT DATE 'infinity' AS d", "SELECT DATE '20000-01-01' AS d", "SELECT map {[1]: 2} AS d"):
        made = mdf.sql(query)
        assert made.to_arrow().num_rows == 1
        with pytest.raises(mdf.errors.DataError, match="column 'd' holds a value that Python has not"):
            made.collect()


@pytest.mark.parametrize("text", ["3 days ago", "1 day 01:00:00", "- 3 days", "1_0 days", "01:00:00 2 hours"])
def test_intervals_that_are_not_read_in_full(text):
    with pytest.raises(mdf.errors.QueryError, match=r"is not read in full(.|\n)*line 1, column 37"):
        mdf.sql(f"SELECT DATE '2024-01-31' + INTERVAL '{text}' AS d")


@pytest.mark.parametrize("text", ["3 days", " +3 days ", "72:00:00", "2 days 24 hours", "1 day 1 day 24:00:00"])
def test_intervals_that_are_read_in_full(text):
    (row,) = mdf.sql(f"SELECT DATE '2024-01-31' + INTERVAL '{text}' AS d").collect()
    assert row["d"] == datetime.datetime(2024, 2, 3)


def test_depth_and_empty_lists():
    with pytest.raises(mdf.errors.QueryError, match="nested more than 1000 levels"):
        mdf.sql("SELECT " + "(" * 5000 + "1" + ")" * 5000)
    assert mdf.sql("SELECT [] AS l, NULL AS n").schema == {"l": "INTEGER[]", "n": "INTEGER"}


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("(SELECT v FROM t) ORDER BY v DESC LIMIT 1", [{"v": 3}]),
        ("((SELECT v FROM t) ORDER BY v LIMIT 2) ORDER BY v DESC", [{"v": 2}, {"v": 1}]),
        ("(SELECT v FROM t UNION ALL SELECT 0 AS v) ORDER BY v LIMIT 1 OFFSET 1", [{"v": 1}]),
        ("WITH u AS (SELECT 5 AS v) (SELECT v FROM u)", [{"v": 5}]),
        ("((SELECT 1 AS v))", [{"v": 1}]),
    ],
)
@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "snowflake"])
def test_what_stands_after_parentheses(query, rows, dialect):
    assert mdf.sql(query, dialect=dialect, t=[{"v": 1}, {"v": 3}, {"v": 2}]).collect() == rows


def test_pivot_as_a_statement():
    t = [{"a": 1, "d": 2, "s": "x"}, {"a": 2, "d": 3, "s": "x"}]
    found = mdf.sql("PIVOT t ON a IN (1, 2) USING sum(d) GROUP BY s", t=t).collect()
    assert found == [{"s": "x", "1": 2, "2": 3}]
    found = mdf.sql("UNPIVOT t ON a, d INTO NAME n VALUE v", t=t[:1]).collect()
    assert sorted(found, key=str) == [{"s": "x", "n": "a", "v": 1}, {"s": "x", "n": "d", "v": 2}]
    with pytest.raises(mdf.errors.QueryError, match="PIVOT without IN is refused"):
        mdf.sql("PIVOT t ON a USING sum(d)", t=t)
