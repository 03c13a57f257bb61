"""What is shown of a comparison: text, a notebook's fragment, one page, JSON; and the commands that print it."""

from __future__ import annotations

import json
import math
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

import mdfsql as mdf
from mdfsql.cli import main

ROWS = [{"k": n // 4, "v": n} for n in range(20)]


def large(rows: int, columns: int) -> mdf.Comparison:
    names = [f"column_{n}" for n in range(columns)]
    left = pa.table({"id": range(rows), **{name: [f"{name} <b>&\"' </script>" for _ in range(rows)] for name in names}})
    changed = pa.array([f"x{'y' * 3000 if n == 5 else ''}" for n in range(rows)])
    return mdf.diff(left, left.set_column(1, names[0], changed), keys="id", names=("duckdb", "<spark>"))


class Page(HTMLParser):
    """What a browser would load, and the elements that stay open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.texts: dict[str, str] = {}
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [
            f"{name}={value}" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")
        ]
        if tag not in ("meta", "br", "input", "link", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        tag = self.open[-1] if self.open else ""
        self.texts[tag] = self.texts.get(tag, "") + data


def test_the_page_stands_alone(tmp_path: Path) -> None:
    found = large(10_000, 60)
    path = tmp_path / "found.html"
    path.write_text("before")
    found.to_html(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["found.html"]
    text = path.read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert page.open == [] and page.loads == []
    assert "http" not in text.replace("Content-Security-Policy", "").replace("http-equiv", "")
    data = json.loads(text.partition('id="data">')[2].partition("</script>")[0])
    assert len(data["changed"]) == 10_000 and data["sides"] == ["duckdb", "<spark>"]
    values, cells = data["changed"][5]
    assert values[0] == "5" and cells == {"1": [repr("x" + "y" * 3000), "another text from character 1 on"]}
    # The rows are data: what a browser lays out at once stays small.
    assert page.tags.count("tr") < 100
    assert "SELECT" in page.texts["pre"] and "&lt;spark&gt;" in text and "<spark>" not in text.partition('id="data"')[0]


def test_a_page_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    found = mdf.diff([{"a": 1}], [{"a": 2}])
    with pytest.raises(OSError):
        found.to_html(tmp_path / "no folder" / "x.html")
    assert list(tmp_path.iterdir()) == []


def test_a_notebook_shows_the_first_differences() -> None:
    html = large(500, 3)._repr_html_()
    page = Page()
    page.feed(html)
    assert page.open == [] and "500 changed rows" in html and html.count("<tr") < 30
    assert "</script>" not in html and len(html) < 20_000
    assert "2 differences of schema" in mdf.diff([{"a": 1}], [{"b": "x"}])._repr_html_()


def test_json_has_all_of_it(tmp_path: Path) -> None:
    found = mdf.diff([{"id": 1, "v": None}, {"id": 2, "v": 0.5}], [{"id": 1, "v": math.nan}], keys="id")
    text = found.to_json(tmp_path / "found.json")
    made = json.loads((tmp_path / "found.json").read_text())
    assert made == json.loads(text) == found.to_dict()
    assert made["equal"] is False and made["left"]["rows"] == 2
    assert made["changed"] == [
        {
            "row": {"id": "1", "v": "NULL"},
            "cells": [{"column": "v", "left": "NULL", "right": "NaN", "kind": "NULL against NaN"}],
        }
    ]
    assert made["left_only"] == [{"row": {"id": "2", "v": "0.5"}, "copies": 0}]
    assert made["columns"][1]["match_rate"] == 0.0


def test_the_sql_and_the_passes_of_each_engine_are_told(dask: mdf.Backend) -> None:
    found = mdf.verify("SELECT k, v // 2 AS h FROM t QUALIFY row_number() OVER (ORDER BY v) < 3", t=ROWS)
    assert found.equal and "QUALIFY" in found.left.sql and "QUALIFY" not in found.right.sql
    assert found.right.passes and all(name and why for name, why in found.right.passes)
    assert all(why in str(found.to_json()) for _, why in found.right.passes)


def test_text_is_short_however_much_differs() -> None:
    lines = str(large(5000, 200)).splitlines()
    assert len(lines) < 60 and max(map(len, lines)) < 1500
    assert lines[0] == "different: duckdb and <spark>: 5,000 changed rows"
    assert "  and 4,990 more" in lines
    assert repr(large(5, 1)) == "<Comparison of duckdb and <spark>: different>"


# ---- on the command line -----------------------------------------------------------------------------------------


def run(*args: str) -> Result:
    result = CliRunner().invoke(main, args, prog_name="mdfsql")
    assert mdf.tables() == [], "a command leaves no table behind"
    return result


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    before, after = tmp_path / "before.csv", tmp_path / "after.csv"
    before.write_text("id,v,s\n1,1.5,a\n2,2.5,b\n3,3.5,c\n")
    after.write_text("id,v,s\n3,3.5000035,c\n1,1.5,a \n")
    return str(before), str(after)


def test_diff_of_two_files(files: tuple[str, str]) -> None:
    before, after = files
    found = run("diff", before, after, "--keys", "id")
    assert found.exit_code == 1 and found.stderr == ""
    lines = found.stdout.splitlines()
    assert lines[0] == "different: before.csv and after.csv: 3 rows against 2, 2 changed rows, 1 only in before.csv"
    assert "      s: 'a' | 'a '  space at the end" in lines and "  id=2, v=2.5, s='b'" in lines
    same = run("diff", before, before)
    assert (same.exit_code, same.stdout.splitlines()[0].startswith("equal: ")) == (0, True)
    assert run("diff", before, after, "--columns", "id").exit_code == 1
    assert "2 changed rows" not in run("diff", before, after, "--keys", "id", "--rtol", "1e-3").stdout
    limited = run("diff", before, after, "--keys", "id", "--limit", "1").stdout
    assert "  and 1 more" in limited and "id=3" not in limited


def test_diff_writes_json_and_html(files: tuple[str, str], tmp_path: Path) -> None:
    found = run("diff", *files, "--format", "json")
    made = json.loads(found.stdout)
    assert found.exit_code == 1 and made["equal"] is False and found.stderr.startswith("different: ")
    path = tmp_path / "found.html"
    written = run("diff", *files, "-o", str(path), "--quiet")
    assert (written.exit_code, written.stdout, written.stderr) == (1, "", "")
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_diff_of_what_there_is_not(files: tuple[str, str], tmp_path: Path) -> None:
    assert run("diff", files[0], "nothing").exit_code == 1
    assert "no table 'nothing'" in run("diff", files[0], "nothing").stderr
    assert "no column 'ID2'" in run("diff", *files, "--keys", "ID2").stderr
    assert run("diff", files[0]).exit_code == 2
    assert run("diff", *files, "--rtol", "-1").exit_code == 2


def test_diff_of_tables_of_a_database(tmp_path: Path) -> None:
    import duckdb

    path = str(tmp_path / "own.db")
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE a AS SELECT 1 AS x; CREATE TABLE b AS SELECT 2 AS x")
    assert run("diff", "a", "a", "--database", path).exit_code == 0
    found = run("diff", "a", "b", "--database", path)
    assert found.exit_code == 1 and "only in a" in found.stdout


def test_verify_a_query(files: tuple[str, str], dask: mdf.Backend) -> None:
    query = f"SELECT s, sum(v) AS v FROM '{files[0]}' GROUP BY s ORDER BY s"
    found = run("verify", query, "--engine", "dask", "--keys", "s")
    assert (found.exit_code, found.stdout) == (0, "equal: duckdb and dask, 3 rows x 2 columns\n\norder: by s\n")
    assert "of a sample" in run("verify", query, "--sample", "0.9", "--seed", "3").stdout
    assert run("verify", "SELECT random() AS r").exit_code == 1
    refused = run("verify", "SELECT random() AS r FROM t", "--table", f"t={files[0]}", "--engine", "dask")
    assert refused.exit_code == 5 and refused.stdout == ""
    assert run("verify", query, "--sample", "0").exit_code == 2


def test_a_query_that_is_verified_prints_its_rows_or_what_differs(files: tuple[str, str]) -> None:
    found = run("query", f"SELECT id, v FROM '{files[0]}' ORDER BY id", "--verify", "--format", "csv")
    assert (found.exit_code, found.stdout) == (0, "id,v\n1,1.5\n2,2.5\n3,3.5\n")
    chance = run("query", "SELECT random() AS r", "--verify", "--format", "csv")
    assert (chance.exit_code, chance.stdout) == (1, "")
    assert chance.stderr.startswith("error: different: duckdb (1) and duckdb (2): 1 only in duckdb (1)")
