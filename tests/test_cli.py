"""The command line: what it prints, where, and what it exits with."""

from __future__ import annotations

import decimal
import importlib
import importlib.util
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

import mdfsql
from mdfsql import formats
from mdfsql.cli import main
from mdfsql.cli_options import parameter

ROOT = Path(__file__).parent.parent
FLIGHTS = str(ROOT / "queries" / "flights" / "airlines.parquet")

# The module: as an attribute of the package, this is the function of the same name.
BACKEND = importlib.import_module("mdfsql.backend")

# Runs for hours where nothing stops it.
ENDLESS = "SELECT count(*) AS n FROM range(100000000000) a(x), range(1000000) b(y) WHERE x + y = -1"


def run(*args: str, stdin: str | None = None, **env: str) -> Result:
    result = CliRunner().invoke(main, args, input=stdin, env=env, prog_name="mdfsql")
    assert mdfsql.tables() == [], "a command leaves no table behind"
    return result


def out(*args: str, stdin: str | None = None) -> str:
    result = run(*args, stdin=stdin)
    assert (result.exit_code, result.exception) == (0, None), result.stderr
    return result.stdout


def process(*args: str, **options: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from mdfsql.cli import main; main(prog_name='mdfsql')", *args]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)  # type: ignore[call-overload]


@pytest.fixture
def csv_file(tmp_path: Path) -> str:
    path = tmp_path / "t.csv"
    path.write_text("id,name\n1,Ada\n2,Bo\n3,\n")
    return str(path)


# ---- the query -----------------------------------------------------------------------------------------------------


def test_a_query_is_an_argument_a_file_or_stdin(tmp_path: Path) -> None:
    path = tmp_path / "q.sql"
    path.write_text("\ufeffSELECT 1 AS a -- ok\n", encoding="utf-8")
    assert out("query", "SELECT 1 AS a") == "a\n1\n"
    assert out("query", "-f", str(path)) == "a\n1\n"
    assert out("query", "--file", "-", stdin="SELECT 1 AS a") == "a\n1\n"
    assert out("query", stdin="SELECT 1 AS a;\n") == "a\n1\n"
    assert out("query", "--", "-- a comment\nSELECT 1 AS a") == "a\n1\n"


def test_tables_are_files_by_name(csv_file: str, tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    folder.mkdir()
    (folder / "part.csv").write_text("id\n2\n")
    sql = "SELECT name FROM t JOIN u USING (id)"
    assert out("query", sql, "--table", f"t={csv_file}", "--table", f"U=csv:{folder}") == "name\nBo\n"
    # These are names of mdfsql.sql's own arguments too.
    assert out("query", "SELECT count(*) AS n FROM query", "--table", f"query={csv_file}") == "n\n3\n"
    assert "parquet:" in run("query", sql, "--table", f"t={folder}").stderr


def test_a_database_has_tables_of_its_own(tmp_path: Path) -> None:
    import duckdb

    path = str(tmp_path / "own.db")
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE t AS SELECT 7 AS a")
    assert out("query", "SELECT * FROM t", "--database", path) == "a\n7\n"
    assert run("query", "SELECT 1 AS a", "--database", path + "x").exit_code == 2


@pytest.mark.parametrize("option", ["--dialect", "--from"])
def test_dialect(option: str) -> None:
    assert out("query", "SELECT `a b` FROM (SELECT 1 AS `a b`)", option, "spark") == "a b\n1\n"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-3", -3),
        ("2.50", decimal.Decimal("2.50")),
        ("1e3", 1000.0),
        ("true", True),
        ("false", False),
        ("null", None),
        ('"7"', "7"),
        ("007", "007"),
        ("2024-01-31", "2024-01-31"),
        ("NaN", "NaN"),
        ("[1]", "[1]"),
        ("{", "{"),
        ("", ""),
        ("a=b", "a=b"),
    ],
)
def test_parameter(text: str, value: object) -> None:
    assert parameter(text) == value and type(parameter(text)) is type(value)


def test_parameters_are_bound_as_values() -> None:
    text = "'; DROP TABLE t; --"
    given = ("--param", "a=2.50", "--param", f"b={text}", "--param", "c=2024-01-31")
    sql = "SELECT $a AS a, $b AS b, DATE '2024-02-01' > $c AS c, typeof($a) AS t"
    assert json.loads(out("query", sql, *given, "--format", "jsonl")) == {
        "a": 2.5,
        "b": text,
        "c": True,
        "t": "DECIMAL(3,2)",
    }


def test_limit() -> None:
    sql = "SELECT range AS a FROM range(9) ORDER BY a DESC"
    assert out("query", sql, "--limit", "2", "--no-header") == "8\n7\n"
    assert out("query", sql, "--limit", "0") == "a\n"


def test_query_on(engine: str, csv_file: str) -> None:
    sql = "SELECT id, name, CAST(id AS DECIMAL(9, 2)) AS d, id > 1 AS b FROM t WHERE id > $k ORDER BY id"
    got = out("query", sql, "--engine", engine, "--table", f"t={csv_file}", "--param", "k=1")
    assert got == "id,name,d,b\n2,Bo,2.00,true\n3,,3.00,true\n"


# ---- values and formats --------------------------------------------------------------------------------------------

VALUES = """
    SELECT NULL::INTEGER AS a, '' AS b, 'x,"y"' || chr(10) || 'z' AS c, 0::DECIMAL(9, 8) AS d, 'nan'::DOUBLE AS e,
        '-inf'::DOUBLE AS f, true AS g, DATE '2024-01-31' AS h, TIMESTAMP '2024-01-31 12:00:00' AS i,
        TIMESTAMPTZ '2024-01-31 12:00:00+01' AS j, '\\x00a'::BLOB AS k, INTERVAL '1 month 2 days 3.5 seconds' AS l,
        [1, NULL] AS m, {'x': 1.50, 'y': DATE '2024-01-31'} AS n, MAP {1: 'x'} AS o, 0.1::FLOAT AS p
"""

AS_CSV = (
    "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p\n"
    ',"","x,""y""\nz",0.00000000,NaN,-Infinity,true,2024-01-31,2024-01-31 12:00:00,2024-01-31 11:00:00+00:00,'
    '\\x00a,1 month 2 days 00:00:03.5,"[1,null]","{""x"":1.50,""y"":""2024-01-31""}","{""1"":""x""}",0.1\n'
)

AS_JSON = (
    '{"a":null,"b":"","c":"x,\\"y\\"\\nz","d":0.00000000,"e":"NaN","f":"-Infinity","g":true,"h":"2024-01-31",'
    '"i":"2024-01-31T12:00:00","j":"2024-01-31T11:00:00+00:00","k":"\\\\x00a","l":"1 month 2 days 00:00:03.5",'
    '"m":[1,null],"n":{"x":1.50,"y":"2024-01-31"},"o":{"1":"x"},"p":0.1}'
)


@pytest.mark.parametrize(
    ("format", "expected"),
    [("csv", AS_CSV), ("jsonl", AS_JSON + "\n"), ("json", f"[\n{AS_JSON}\n]\n")],
)
def test_values(format: str, expected: str) -> None:
    assert out("query", VALUES, "--format", format) == expected


def test_what_csv_holds_is_read_back_the_same(tmp_path: Path) -> None:
    path = str(tmp_path / "o.csv")
    sql = "SELECT * FROM (VALUES (1, 'a'), (2, ''), (3, NULL), (4, ' b,\"\n')) t(id, v) ORDER BY id"
    out("query", sql, "-o", path)
    assert mdfsql.Dataset.read_csv(path, allow_quoted_nulls=False).collect() == mdfsql.sql(sql).collect()


@pytest.mark.parametrize("format", ["csv", "tsv", "json", "jsonl", "markdown", "table"])
def test_no_rows(format: str) -> None:
    sql = "SELECT 1 AS a, 'x' AS b WHERE false"
    expected = {
        "csv": "a,b\n",
        "tsv": "a\tb\n",
        "json": "[]\n",
        "jsonl": "",
        "markdown": "| a | b |\n| ---: | --- |\n",
        "table": "a  b\n-  -\n",
    }
    assert out("query", sql, "--format", format) == expected[format]


def test_null_and_what_looks_like_it() -> None:
    sql = "SELECT v FROM (VALUES (1, NULL), (2, 'NA'), (3, '')) t(i, v) ORDER BY i"
    assert out("query", sql, "--null", "NA", "--no-header") == 'NA\n"NA"\n""\n'
    assert out("query", sql, "--null", "-", "--no-header", "--format", "table") == "-\nNA\n\n"
    assert out("query", "SELECT NULL::INTEGER AS a, 0 AS b", "--null", "0", "--no-header") == '0,"0"\n'


def test_tsv_and_markdown() -> None:
    sql = "SELECT 'a|b' AS \"x|y\", chr(9) AS t, 1 AS n, 'c' || chr(10) || 'd' AS l, NULL::INTEGER AS e"
    assert out("query", sql, "--format", "tsv") == 'x|y\tt\tn\tl\te\na|b\t"\t"\t1\t"c\nd"\t\n'
    assert out("query", sql, "--format", "markdown").splitlines() == [
        "| x\\|y | t | n | l | e |",
        "| --- | --- | ---: | --- | ---: |",
        "| a\\|b | \t | 1 | c<br>d | NULL |",
    ]


def test_a_table_is_aligned_and_sends_no_control_characters() -> None:
    sql = "SELECT * FROM (VALUES (1, '漢字', 1.5), (20, chr(27) || '[31m', NULL)) t(id, text, d) ORDER BY id"
    assert out("query", sql, "--format", "table").splitlines() == [
        "id  text         d",
        "--  --------  ----",
        " 1  漢字       1.5",
        "20  \\x1b[31m  NULL",
    ]


def test_a_table_says_what_it_leaves_out() -> None:
    result = run("query", "SELECT range AS a FROM range(1001)", "--format", "table")
    assert len(result.stdout.splitlines()) == 2 + formats.MOST_ROWS
    assert result.stderr.startswith("the first 1,000 rows; there are more")
    whole = run("query", "SELECT range AS a FROM range(1001)", "--format", "table", "--limit", "2000")
    assert len(whole.stdout.splitlines()) == 2 + 1001 and whole.stderr == "1,001 rows\n"
    text, cut = formats.table({"a": "VARCHAR", "b": "VARCHAR"}, [[("x" * 50, "yy")]], width=30)
    assert cut and text.splitlines()[2] == "x" * 25 + "…  yy"


def test_notes_go_to_stderr_unless_quiet(tmp_path: Path) -> None:
    path = str(tmp_path / "o.csv")
    assert run("query", "SELECT 1 AS a", "--format", "table").stderr == "1 row\n"
    assert run("query", "SELECT 1 AS a", "--format", "table", "-q").stderr == ""
    assert run("query", "SELECT 1 AS a", "-o", path).stderr == f"1 row in {path}\n"
    assert run("query", "SELECT 1 AS a", "-o", path, "--quiet").stderr == ""
    assert run("query", "SELECT 1 AS a").stderr == ""


@pytest.mark.parametrize(
    ("value", "type_", "text"),
    [
        (0.1, "DOUBLE", "0.1"),
        (1e22, "DOUBLE", "1e+22"),
        (-0.0, "DOUBLE", "-0.0"),
        (math.inf, "DOUBLE", "Infinity"),
        (16777216.0, "FLOAT", "16777216.0"),
        (0.10000000149011612, "FLOAT", "0.1"),
        (3.4028234663852886e38, "FLOAT", "3.4028235e+38"),
        (decimal.Decimal("1E+3"), "DECIMAL(9,0)", "1000"),
        ((0, 0, 0), "INTERVAL", "00:00:00"),
        ((-1, 1, -90_000_000_000), "INTERVAL", "-1 month 1 day -00:01:30"),
    ],
)
def test_text_of_a_value(value: object, type_: str, text: str) -> None:
    assert formats.text_cells(type_)(value) == text


# ---- files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "jsonl", "ndjson", "md", "txt", "parquet", "arrow"])
def test_output_by_suffix(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"o.{suffix}"
    path.write_text("old")
    assert out("query", "SELECT 1 AS a UNION ALL SELECT 2 ORDER BY a", "--output", str(path)) == ""
    texts = {
        "csv": "a\n1\n2\n",
        "tsv": "a\n1\n2\n",
        "json": '[\n{"a":1},\n{"a":2}\n]\n',
        "jsonl": '{"a":1}\n{"a":2}\n',
        "ndjson": '{"a":1}\n{"a":2}\n',
        "md": "| a |\n| ---: |\n| 1 |\n| 2 |\n",
        "txt": "a\n-\n1\n2\n",
    }
    if suffix == "parquet":
        assert mdfsql.Dataset.read_parquet(str(path)).collect() == [{"a": 1}, {"a": 2}]
    elif suffix == "arrow":
        assert pa.ipc.open_file(path).read_all().to_pydict() == {"a": [1, 2]}
    else:
        assert path.read_text() == texts[suffix]
    assert os.listdir(tmp_path) == [path.name], "nothing else is left there"


def test_format_goes_before_suffix_and_output_minus_is_stdout(tmp_path: Path) -> None:
    path = tmp_path / "o.data"
    out("query", "SELECT 1 AS a", "-o", str(path), "--format", "jsonl")
    assert path.read_text() == '{"a":1}\n'
    assert out("query", "SELECT 1 AS a", "-o", "-") == "a\n1\n"


@pytest.mark.parametrize("suffix", ["csv", "parquet", "arrow", "txt"])
def test_a_query_that_fails_leaves_the_file_as_it_was(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"o.{suffix}"
    path.write_text("old")
    # The last of many rows fails, when the first are written already.
    sql = "SELECT CAST(CASE WHEN range = 299999 THEN 'x' ELSE '1' END AS INTEGER) AS a FROM range(300000)"
    assert run("query", sql, "-o", str(path), "--limit", "300000").exit_code == 1
    assert path.read_text() == "old" and os.listdir(tmp_path) == [path.name]


def test_output_keeps_links_modes_and_devices(tmp_path: Path) -> None:
    real, link, pipe = tmp_path / "real.csv", tmp_path / "link.csv", tmp_path / "pipe.csv"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    out("query", "SELECT 1 AS a", "-o", str(link))
    assert link.is_symlink() and real.read_text() == "a\n1\n" and real.stat().st_mode & 0o777 == 0o640
    os.mkfifo(pipe)
    with process("query", "SELECT 1 AS a", "-o", str(pipe)) as writer:
        assert pipe.read_text() == "a\n1\n"
        assert writer.wait(20) == 0
    assert pipe.is_fifo()
    assert run("query", "SELECT 1 AS a", "-o", str(tmp_path), "--format", "csv").exit_code == 1
    assert run("query", "SELECT 1 AS a", "-o", str(tmp_path / "no" / "x.csv")).exit_code == 1


# ---- errors and exit codes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "said", "args"),
    [
        (1, "syntax error", ["query", "SELEC 1"]),
        (1, "         ^", ["query", "SELECT nope"]),
        (1, "no query in the text", ["query", ""]),
        (1, "2 statements", ["query", "SELECT 1 AS a; SELECT 2 AS a"]),
        (1, "DROP is refused", ["query", "DROP TABLE t"]),
        (1, "no table 'nope'", ["query", "SELECT * FROM nope"]),
        (1, "no file", ["query", "SELECT 1 AS a", "--table", "t=/nope.csv"]),
        (1, "not in the query: k", ["query", "SELECT 1 AS a", "--param", "k=1"]),
        (1, "Could not convert string 'x'", ["query", "SELECT CAST('x' AS INTEGER) AS a"]),
        (2, "Missing", ["transpile", "SELECT 1 AS a"]),
        (2, "not both", ["query", "SELECT 1 AS a", "-f", "-"]),
        (2, "No such file", ["query", "-f", "/nope.sql"]),
        (2, "'--engine'", ["query", "SELECT 1 AS a", "--engine", "nope"]),
        (2, "--engine spark", ["query", "SELECT 1 AS a", "--master", "local"]),
        (2, "--engine spark", ["query", "SELECT 1 AS a", "--remote", "sc://x"]),
        (2, "--engine dask", ["query", "SELECT 1 AS a", "--address", "tcp://x"]),
        (2, "Unknown dialect 'nope'", ["query", "SELECT 1 AS a", "--dialect", "nope"]),
        (2, "Unknown dialect 'nope'", ["transpile", "SELECT 1 AS a", "--to", "nope"]),
        (2, "'k' is not NAME=VALUE", ["query", "SELECT 1 AS a", "--param", "k"]),
        (2, "given twice", ["query", "SELECT 1 AS a", "--param", "k=1", "--param", "k=2"]),
        (2, "--limit", ["query", "SELECT 1 AS a", "--limit", "-1"]),
        (2, "--timeout", ["query", "SELECT 1 AS a", "--timeout", "0"]),
        (2, "'--format'", ["query", "SELECT 1 AS a", "--format", "nope"]),
        (2, "give --output", ["query", "SELECT 1 AS a", "--format", "parquet"]),
        (2, "give --format", ["query", "SELECT 1 AS a", "-o", "x.nope"]),
        (2, "--null has no meaning", ["query", "SELECT 1 AS a", "--format", "json", "--null", "x"]),
        (2, "--no-header has no meaning", ["query", "SELECT 1 AS a", "--format", "jsonl", "--no-header"]),
        (2, "goes after a --", ["query", "-- comment\nSELECT 1 AS a"]),
        (2, "No such command", ["nope"]),
        (
            5,
            "is refused",
            ["transpile", "SELECT 1 AS a FROM range(3) ASOF JOIN range(2) USING (range)", "--to", "spark"],
        ),
    ],
)
def test_errors(code: int, said: str, args: list[str]) -> None:
    result = run(*args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith("error: ") and said in result.stderr and "Traceback" not in result.stderr


def test_an_engine_that_is_not_there_exits_with_3(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, **options: object) -> None:
        assert (name, options) == ("dask", {"address": "tcp://x:1"})
        raise mdfsql.errors.BackendError("dask: no scheduler at tcp://x:1")

    monkeypatch.setattr(BACKEND, "open_engine", refuse)
    result = run("query", "SELECT 1 AS a", "--engine", "dask", "--address", "tcp://x:1")
    assert (result.exit_code, result.stderr) == (3, "error: dask: no scheduler at tcp://x:1\n")


@pytest.mark.parametrize(("option", "value"), [("master", "local[1]"), ("remote", "sc://x")])
def test_spark_options_reach_the_engine(monkeypatch: pytest.MonkeyPatch, option: str, value: str) -> None:
    seen = []

    def refuse(name: str, **options: object) -> None:
        seen.append((name, options))
        raise mdfsql.errors.BackendError("no")

    monkeypatch.setattr(BACKEND, "open_engine", refuse)
    assert run("query", "SELECT 1 AS a", "--engine", "spark", f"--{option}", value).exit_code == 3
    assert seen == [("spark", {option: value})]


def test_a_traceback_is_shown_when_asked_for() -> None:
    for args, env in ((["--traceback"], {}), ([], {"MDFSQL_TRACEBACK": "1"})):
        assert isinstance(run(*args, "query", "SELECT nope", **env).exception, mdfsql.errors.BindError)


def test_our_own_mistakes_are_called_that(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr("mdfsql.sql", broken)
    result = run("query", "SELECT 1 AS a")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: KeyError: 'x'\n(this is a mistake in mdfsql")


# ---- processes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("output", [None, "o.csv", "o.parquet"])
def test_a_timeout_exits_with_4(tmp_path: Path, output: str | None) -> None:
    started = time.monotonic()
    where = [] if output is None else ["-o", str(tmp_path / output)]
    result = run("query", ENDLESS, "--timeout", "0.3", *where)
    assert (result.exit_code, result.stderr) == (4, "error: timed out after 0.3 seconds\n")
    assert time.monotonic() - started < 10 and os.listdir(tmp_path) == []
    assert out("query", "SELECT 1 AS a", "--timeout", "1e300") == "a\n1\n"


def test_ctrl_c_exits_with_130(tmp_path: Path) -> None:
    pipe = tmp_path / "query.sql"
    os.mkfifo(pipe)
    with process("query", "--timeout", "60", "-f", str(pipe)) as running:
        # Writing waits until the command reads: then it is up.
        pipe.write_text(ENDLESS)
        time.sleep(1)
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 130
        assert running.stderr is not None and running.stderr.read() == b"error: interrupted\n"


@pytest.mark.parametrize("format", ["csv", "jsonl", "arrow"])
def test_a_closed_pipe_is_no_error(format: str) -> None:
    # The rows come at once though there are more than a machine could hold.
    with process("query", "SELECT * FROM range(100000000000)", "--format", format) as running:
        assert running.stdout is not None and running.stderr is not None
        assert len(running.stdout.read(10)) == 10
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(20) == 141


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("no_color", [None, "1"])
def test_on_a_terminal(no_color: str | None) -> None:
    import pty

    env = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {"TERM": "xterm", "COLUMNS": "30"}
    if no_color:
        env["NO_COLOR"] = no_color

    def shown(*args: str) -> str:
        ours, theirs = pty.openpty()
        command = [sys.executable, "-c", "from mdfsql.cli import main; main()", *args]
        running = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
        running.wait(20)
        os.close(theirs)
        return os.read(ours, 10_000).decode().replace("\r\n", "\n")

    assert shown("query", "SELECT 1 AS a, repeat('x', 50) AS b").startswith("a  b\n-  -----")
    assert "…" in shown("query", "SELECT repeat('x', 50) AS b")
    label = "error:" if no_color else "\x1b[31m\x1b[1merror:\x1b[0m"
    assert shown("query", "SELECT nope").startswith(label)
    assert "not for a terminal" in shown("query", "SELECT 1 AS a", "--format", "arrow")
    assert "no query" in shown("query")


def test_a_simple_query_loads_no_more_than_it_needs() -> None:
    heavy = ("pyarrow", "pandas", "numpy", "rich", "pyspark", "dask")
    code = (
        "import sys\nfrom mdfsql.cli import main\n"
        "main(['query', 'SELECT 1 AS a', '--format', 'table', '-q'], standalone_mode=False)\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "a\n-\n1\n[]\n"


# ---- the other commands --------------------------------------------------------------------------------------------


def test_explain() -> None:
    for args in (["explain", "SELECT 1 AS a"], ["query", "SELECT 1 AS a", "--explain"]):
        assert "-- sent to duckdb\nSELECT\n  1 AS a" in out(*args)


def test_transpile_for_an_engine() -> None:
    result = run("transpile", "SELECT count(*) AS n FROM t", "--table", f"t={FLIGHTS}", "--to", "spark")
    name = re.search(r"`(files_\d+)`", result.stdout)
    assert result.exit_code == 0 and name is not None
    assert result.stdout.startswith("SELECT\n  COUNT(*) AS `n`\nFROM ") and result.stdout.endswith(";\n")
    assert result.stderr == f"{name.group(1)}: {FLIGHTS}\n"
    assert run("transpile", "SELECT a FROM unknown", "--to", "spark").exit_code == 1


def test_transpile_for_a_dialect() -> None:
    given = ["--from", "duckdb", "--param", "k=1"]
    result = run("transpile", "SELECT a FROM unknown WHERE b ILIKE 'x' AND c = $k", *given, "--to", "snowflake")
    assert result.stdout == "SELECT\n  a\nFROM unknown\nWHERE\n  b ILIKE 'x' AND c = 1;\n"
    assert "no engine of mdfsql" in result.stderr
    assert run("transpile", "SELECT 1 AS a", "--to", "mysql", "-q").stderr == ""


def test_schema(csv_file: str) -> None:
    tree = "root\n |-- id: long (nullable = true)\n |-- name: string (nullable = true)\n"
    assert out("schema", csv_file) == tree
    assert out("schema", f"csv:{csv_file}") == tree
    assert out("schema", f"SELECT * FROM '{csv_file}'") == tree
    assert out("schema", "-f", "-", "--table", f"t={csv_file}", stdin="SELECT * FROM t") == tree
    assert json.loads(out("schema", csv_file, "--format", "json")) == {"id": "BIGINT", "name": "VARCHAR"}
    table = "column  type\n------  -------\nid      BIGINT\nname    VARCHAR\n"
    assert out("schema", csv_file, "--format", "table") == table
    assert run("schema", "nope.csv").exit_code == 1
    assert run("schema", csv_file, "--param", "k=1").exit_code == 2


@pytest.fixture
def old_dask(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    versions = {"dask-sql": "2024.5.0", "dask": "2025.1.0", "distributed": "2024.5.0", "duckdb": "2.0.0"}
    monkeypatch.setattr("mdfsql.doctor._version", versions.get)
    yield


@pytest.mark.usefixtures("old_dask")
def test_engines() -> None:
    report = json.loads(out("engines", "duckdb", "dask", "--format", "json"))
    assert [(engine["engine"], engine["ready"]) for engine in report] == [("duckdb", True), ("dask", False)]
    problems = {found["what"]: found["problem"] for found in report[1]["findings"]}
    assert problems["dask"] == "dask-sql 2024.5.0 needs dask 2024.5.0: pip install 'mdfsql[dask]'"
    assert problems["pandas"] == "pandas is not installed; install it with: pip install 'mdfsql[dask]'"
    assert problems["dask-sql"] is None
    assert run("engines", "duckdb", "--strict").exit_code == 0
    assert run("engines", "dask", "--strict").exit_code == 3
    assert "dask-sql 2024.5.0 needs" in out("engines", "dask")


def test_engines_looks_at_spark_too() -> None:
    assert "Java" in out("engines", "spark")


def test_version_and_help() -> None:
    assert out("--version") == f"mdfsql, version {mdfsql.__version__}\n"
    for args in ([], *([name] for name in main.commands)):
        assert out(*args, "-h") == out(*args, "--help") and "Usage: mdfsql" in out(*args, "--help")


@pytest.mark.parametrize("name", ["make_cli", "make_support"])
def test_the_pages_in_docs_are_current(name: str) -> None:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert made.PAGE.read_text(encoding="utf-8") == made.page(), f"run: python docs/{name}.py"


def test_functions() -> None:
    found = json.loads(out("functions", "sqrt", "HASH", "--engine", "spark", "--format", "json"))
    assert [(one["function"], one["ok"]) for one in found] == [("hash", False), ("sqrt", True)]
    assert "double" in found[1]["arguments"][0] and "DuckDB" in found[0]["refusal"]
    assert out("functions", "abs").count("\n") == 5
    # By name: add() is no +, and DuckDB runs what partitions cannot; a function that is refused is one nonetheless.
    told = json.loads(out("functions", "add", "random", "regexp_escape", "--format", "json"))
    ran = {(one["function"], one["engine"]) for one in told if one["ok"]}
    assert ("add", "spark") not in ran and ("random", "dask") not in ran and ("regexp_escape", "spark") not in ran
    assert {name for name, engine in ran if engine == "duckdb"} == {"add", "random", "regexp_escape"}
    assert "there is no function 'no_such'" in run("functions", "no_such").stderr
