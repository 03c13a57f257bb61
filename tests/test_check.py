"""What engines make of a query is told without them: mdf.check, ``mdfsql check``, and where refusals point."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import mdfsql as mdf
import mdfsql.files
from mdfsql.bind import describe_files
from mdfsql.check import statements
from mdfsql.cli import main
from mdfsql.errors import BackendError, BindError, QueryError, Unsupported

T = mdf.Schema({"a": "INTEGER", "b": "VARCHAR"})

QUERIES = """\
-- the first
SELECT a, count(*) AS n FROM t GROUP BY a;

SELECT a,
\thash(b) AS h
FROM t; SELECT 'a;b' AS x, a FROM t WHERE a > $k
"""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "q.sql").write_text(QUERIES)
    (tmp_path / "schema.sql").write_text("CREATE TABLE t (a INTEGER PRIMARY KEY, b VARCHAR NOT NULL);")
    return tmp_path


def run(*args: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, ["check", *args], input=stdin)


def test_each_engine_has_a_finding() -> None:
    found = mdf.check("SELECT hash(a) AS h FROM t", ["duckdb", "spark", "dask"], t=T)
    assert [(f.engine, f.ok) for f in found] == [("duckdb", True), ("spark", False), ("dask", True)]
    refusal = found[1].refusal
    assert refusal is not None and refusal.construct == "hash()"
    assert (refusal.line, refusal.column, refusal.sql) == (1, 8, "SELECT hash(a) AS h FROM t")


def test_passes_say_why() -> None:
    (found,) = mdf.check("SELECT a / a AS x FROM t", ["spark"], t=T)
    assert found.ok and any("0" in why or "zero" in why.lower() for why in found.passes), found.passes


def test_a_dataset_is_checked() -> None:
    made = mdf.Dataset.from_items([{"a": 1}]).filter("a > 0").select(h="hash(a)")
    assert [f.ok for f in mdf.check(made, ["duckdb", "spark"])] == [True, False]


def test_tables_may_be_data_too() -> None:
    assert all(f.ok for f in mdf.check("SELECT a FROM t", t=[{"a": 1}]))


def test_bad_input() -> None:
    with pytest.raises(BackendError, match=r"there is no engine 'spork'; there are duckdb, spark, dask"):
        mdf.check("SELECT 1 AS a", ["spork"])
    with pytest.raises(BindError, match="nope"):
        mdf.check("SELECT nope FROM t", t=T)
    with pytest.raises(QueryError, match="no value"):
        mdf.check("SELECT $k AS k")


# ---- where refusals point ----------------------------------------------------------------------------------------

PLACES = [
    ("SELECT a,\n  hash(a) AS h FROM t", 2, 3),
    ("SELECT a FROM (\n  SELECT a, approx_count_distinct(a) OVER () AS n FROM t\n) AS x", 2, 13),
    ("WITH x AS (SELECT hash(b) AS h FROM t)\nSELECT * FROM x", 1, 19),
    ("SELECT a FROM t WHERE a::UUID IS NULL", 1, 23),
    ("SELECT 'é👍' AS e, hash(a) AS h FROM t", 1, 19),
    ("SELECT a FROM t ORDER BY hash(a)", 1, 26),
]


@pytest.mark.parametrize(("sql", "line", "column"), PLACES)
def test_a_refusal_points_at_what_was_written(sql: str, line: int, column: int) -> None:
    (found,) = mdf.check(sql, ["spark"], t=T)
    assert found.refusal is not None
    assert (found.refusal.line, found.refusal.column) == (line, column)
    assert str(found.refusal).endswith("\n  " + sql.splitlines()[line - 1] + "\n  " + " " * (column - 1) + "^")


def test_a_refusal_raised_by_an_action_points_too() -> None:
    with pytest.raises(Unsupported, match=r"(?s)^spark: hash\(\) is refused.*line 1, column 8:"):
        mdf.sql("SELECT hash(a) AS h FROM t", t=[{"a": 1}]).plan("spark")


def test_what_was_not_written_as_text_has_no_place() -> None:
    refusal = mdf.check(mdf.Dataset.from_items([{"a": 1}]).select(h=mdf.expr("hash(a)")), ["spark"])[0].refusal
    assert refusal is not None and refusal.line is None and "\n" not in str(refusal)


# ---- the command -------------------------------------------------------------------------------------------------


def test_the_command_tells_each_query_and_engine(files: Path) -> None:
    result = run("q.sql", "--schema", "schema.sql", "--param", "k=3", "--engines", "duckdb,spark")
    assert result.exit_code == 5
    assert result.stdout.splitlines() == [
        "q.sql:1: duckdb: ok",
        "q.sql:1: spark: ok",
        "q.sql:4: duckdb: ok",
        "q.sql:5:2: spark: hash() is refused: it is not shown to answer there as DuckDB does",
        "  \thash(b) AS h",
        "  \t^",
        "q.sql:6: duckdb: ok",
        "q.sql:6: spark: ok",
    ]
    assert result.stderr == "5 ok, 1 refused, 0 failed\n"


def test_json_is_for_machines(files: Path) -> None:
    result = run("q.sql", "--schema", "schema.sql", "--param", "k=3", "--engines", "spark", "--format", "json", "-q")
    rows = json.loads(result.stdout)
    assert [(row["line"], row["column"], row["status"]) for row in rows] == [
        (1, None, "ok"),
        (5, 2, "refused"),
        (6, None, "ok"),
    ]
    assert rows[1]["construct"] == "hash()" and rows[1]["why"] and "instead" in rows[1]
    assert result.exit_code == 5 and result.stderr == ""


def test_exit_codes(files: Path) -> None:
    assert run("-", "--schema", "schema.sql", stdin="SELECT a FROM t").exit_code == 0
    failed = run("-", "--schema", "schema.sql", stdin="SELECT 1 AS a;\n SELECT nope FROM t")
    assert failed.exit_code == 1
    assert failed.stdout.startswith("-:1: spark: ok\n-:1: dask: ok\n-:2:9: ")
    assert run("-", stdin="").exit_code == 1
    assert run("-", "--engines", "spork", stdin="SELECT 1 AS a").exit_code == 2
    assert run("nope.sql").exit_code == 1
    assert run().exit_code == 2
    (files / "schema.sql").write_text("CREATE TABLE t (a NOTYPE)")
    bad = run("q.sql", "--schema", "schema.sql")
    assert bad.exit_code == 1 and "the tables cannot be declared" in bad.stderr


def test_a_type_that_no_result_may_have_is_named(files: Path) -> None:
    (files / "schema.sql").write_text("CREATE TABLE t (a INTEGER, b BIT)")
    bad = run("q.sql", "--schema", "schema.sql")
    assert bad.exit_code == 1 and "the table t: type BIT is not supported" in bad.stderr


def test_any_table_name_is_a_good_name(files: Path) -> None:
    (files / "schema.sql").write_text('CREATE TABLE "engines" (a INTEGER); CREATE TABLE query (b INTEGER)')
    assert run("-", "--schema", "schema.sql", stdin="SELECT a, b FROM engines JOIN query ON a = b").exit_code == 0
    assert run("-", "--schema", "schema.sql", stdin="SELECT table_name FROM pg_tables").exit_code == 1
    assert mdf.tables() == []


def test_each_query_takes_its_own_parameters(files: Path) -> None:
    queries = "SELECT $kk AS a;\nSELECT '$k' AS a;\nSELECT $k AS a, $kk AS b"
    assert run("-", "--param", "k=1", "--param", "kk=2", stdin=queries).exit_code == 0
    assert "parameter $kk has no value" in run("-", "--param", "k=1", stdin=queries).stdout


def test_files_are_looked_at_once(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (files / "t.csv").write_text("a,b\n1,x\n")
    looked: list[Any] = []

    def look(*given: Any) -> Any:
        looked.append(given)
        return describe_files(*given)

    monkeypatch.setattr(mdfsql.files, "describe_files", look)
    assert run("-", "--table", "t=t.csv", stdin="SELECT a FROM t; SELECT b FROM t").exit_code == 0
    assert len(looked) == 1


def test_a_schema_reaches_no_file(files: Path) -> None:
    (files / "schema.sql").write_text("CREATE TABLE t AS SELECT * FROM read_text('q.sql')")
    bad = run("q.sql", "--schema", "schema.sql")
    assert bad.exit_code == 1 and "the tables cannot be declared" in bad.stderr


def test_neither_java_nor_an_engine_is_needed(files: Path) -> None:
    code = (
        "import sys\n"
        "for name in ('pyspark', 'py4j', 'dask', 'dask_sql', 'distributed', 'pandas'): sys.modules[name] = None\n"
        "from mdfsql.cli import main\nmain()"
    )
    command = [sys.executable, "-c", code, "check", "q.sql", "--schema", "schema.sql", "--param", "k=1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONPATH": sys.path[0]})
    assert done.returncode == 5, done.stderr
    assert "spark: ok" in done.stdout and "dask: ok" in done.stdout


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", []),
        (" ; ;", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1; -- two\nSELECT ';' -- ;\n;", ["SELECT 1", "-- two\nSELECT ';' -- ;"]),
    ],
)
def test_statements_keep_their_places(text: str, wanted: list[str]) -> None:
    found = list(statements(text))
    assert [part.strip() for part in found] == wanted
    assert all(text.startswith(part.strip(), len(part) - len(part.lstrip())) for part in found)
