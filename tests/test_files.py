"""Reading and writing files: read_parquet, read_csv, read_json, write_parquet, write_csv, write_json."""

import os
import pathlib

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mdfsql as mdf

Dataset = mdf.Dataset
ROWS = [
    {"id": 1, "name": "Ada", "day": "2024-02-29", "x": 1.5},
    {"id": 2, "name": 'a,b"c\nd', "day": None, "x": None},
    {"id": 3, "name": None, "day": "1999-12-31", "x": -0.25},
]


@pytest.fixture
def rows():
    return Dataset.from_items(ROWS).cast(day="DATE")


WRITERS = {"parquet": "write_parquet", "csv": "write_csv", "json": "write_json"}
READERS = {"parquet": Dataset.read_parquet, "csv": Dataset.read_csv, "json": Dataset.read_json}


@pytest.mark.parametrize("format", WRITERS)
@pytest.mark.parametrize("folder", [False, True], ids=["file", "folder"])
def test_round_trip(engine, rows, check, tmp_path, format, folder):
    path = tmp_path / ("out" if folder else f"out.{format}")
    getattr(rows, WRITERS[format])(path)
    assert path.is_dir() == folder
    back = READERS[format](path)
    assert dict(back.schema) == dict(rows.schema)
    check(back, rows.collect(engine="duckdb"))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_partitioned(engine, check, tmp_path):
    rows = Dataset.from_items([{"k": k, "n": n} for n, k in enumerate(["a", "b", None, "a", "x/y=z"])])
    rows.write_parquet(tmp_path / "out", partition_by="k")
    assert (tmp_path / "out" / "k=a").is_dir()
    back = Dataset.read_parquet(tmp_path / "out")
    assert dict(back.schema) == {"n": "BIGINT", "k": "VARCHAR"}
    check(back.select("k", "n"), rows.collect(engine="duckdb"))
    check(back.filter("k = 'a'").select("n"), [{"n": 0}, {"n": 3}])


def test_modes(engine, rows, tmp_path):
    path = tmp_path / "out"
    rows.write_parquet(path)
    with pytest.raises(mdf.errors.DataError, match="exists; pass mode="):
        rows.write_parquet(path)
    rows.write_parquet(path, mode="append")
    assert Dataset.read_parquet(path).count() == 6
    rows.filter("id = 1").write_parquet(path, mode="overwrite")
    assert Dataset.read_parquet(path).count() == 1
    with pytest.raises(mdf.errors.DataError, match="no mode 'replace'"):
        rows.write_parquet(path, mode="replace")


def test_append_to_one_file_is_an_error(rows, tmp_path):
    with pytest.raises(mdf.errors.DataError, match="cannot append to the single file"):
        rows.write_csv(tmp_path / "a.csv", mode="append")


@pytest.mark.parametrize("name", ["out", "out.parquet"])
def test_a_write_that_fails_leaves_the_old(engine, rows, tmp_path, name):
    path = tmp_path / name
    rows.write_parquet(path)
    before = Dataset.read_parquet(path).count()
    bad = rows.with_columns(n="CAST(name AS INTEGER)")
    with pytest.raises(mdf.errors.EngineError):
        bad.write_parquet(path, mode="overwrite")
    assert Dataset.read_parquet(path).count() == before
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_dataset_can_overwrite_what_it_reads(engine, rows, tmp_path):
    path = tmp_path / "t.parquet"
    rows.write_parquet(path)
    Dataset.read_parquet(path).filter("id > 1").write_parquet(path, mode="overwrite")
    assert Dataset.read_parquet(path).count() == 2


def test_glob_and_list(engine, tmp_path):
    for i in range(3):
        Dataset.from_items([{"i": i}]).write_parquet(tmp_path / f"p{i}.parquet")
    assert Dataset.read_parquet(str(tmp_path / "p*.parquet")).count() == 3
    assert Dataset.read_parquet([tmp_path / "p0.parquet", tmp_path / "p2.parquet"]).aggregate(
        s=mdf.sum("i")
    ).collect() == [{"s": 2}]


def test_csv_types_are_the_same_everywhere(engine, check, tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("id;when;price;note\n1;2024-02-29 10:30:00;1,5;x\n2;;2,5;\n7;1999-01-01 00:00:00;;'q'\n")
    made = Dataset.read_csv(path)
    expected = made.collect(engine="duckdb")
    assert dict(made.schema) == {"id": "BIGINT", "when": "TIMESTAMP", "price": "VARCHAR", "note": "VARCHAR"}
    assert expected[0]["price"] == "1,5" and expected[1]["when"] is None and expected[2]["id"] == 7
    check(made, expected)


def test_csv_options(engine, check, tmp_path):
    path = tmp_path / "bare.txt"
    path.write_text("1|NA\n2|x\n")
    made = Dataset.read_csv(path, delim="|", header=False, nullstr="NA")
    check(made.rename(column0="n", column1="s"), [{"n": 1, "s": None}, {"n": 2, "s": "x"}])


def test_json_array_and_lines(engine, check, tmp_path):
    (tmp_path / "a.json").write_text('[{"a": 1, "b": {"c": [1, 2]}}, {"a": 2.5}]')
    (tmp_path / "l.jsonl").write_text('{"a": 1, "b": "x"}\n{"a": 2, "b": null}\n')
    array = Dataset.read_json(tmp_path / "a.json")
    check(array, [{"a": 1.0, "b": {"c": [1, 2]}}, {"a": 2.5, "b": None}])
    check(Dataset.read_json(tmp_path / "l.jsonl"), [{"a": 1, "b": "x"}, {"a": 2, "b": None}])


def test_unsigned_columns_widen(engine, check, tmp_path):
    pq.write_table(pa.table({"u": pa.array([4294967295, None], pa.uint32())}), tmp_path / "u.parquet")
    made = Dataset.read_parquet(tmp_path / "u.parquet")
    assert dict(made.schema) == {"u": "BIGINT"}
    check(made, [{"u": 4294967295}, {"u": None}])


def test_odd_file_names(engine, rows, tmp_path):
    path = tmp_path / "it's a 100% [odd] näme.parquet"
    rows.write_parquet(path)
    assert Dataset.read_parquet(path).count() == 3


def test_bad_files(tmp_path):
    with pytest.raises(mdf.errors.DataError, match=r"no file .*nowhere.parquet"):
        Dataset.read_parquet(tmp_path / "nowhere.parquet")
    with pytest.raises(mdf.errors.DataError, match="no file matches"):
        Dataset.read_parquet(str(tmp_path / "*.parquet"))
    with pytest.raises(mdf.errors.DataError, match="empty list of paths"):
        Dataset.read_csv([])
    for name in ("empty.parquet", "empty.csv", "empty.json"):
        (tmp_path / name).touch()
        with pytest.raises(mdf.errors.DataError, match="is empty"):
            READERS[name.partition(".")[2]](tmp_path / name)
    (tmp_path / "text.parquet").write_text("this is no parquet file at all")
    with pytest.raises(mdf.errors.DataError, match="cannot read parquet"):
        Dataset.read_parquet(tmp_path / "text.parquet")
    (tmp_path / "bad.json").write_text('{"a": ')
    with pytest.raises(mdf.errors.DataError, match="cannot read json"):
        Dataset.read_json(tmp_path / "bad.json")
    with pytest.raises(mdf.errors.DataError, match=r"folder .* does not exist"):
        Dataset.from_items([{"a": 1}]).write_csv(tmp_path / "no" / "where.csv")


def test_a_file_that_goes_away_is_an_error_when_it_runs(engine, rows, tmp_path):
    path = tmp_path / "gone.parquet"
    rows.write_parquet(path)
    made = Dataset.read_parquet(path)
    os.remove(path)
    with pytest.raises((mdf.errors.DataError, mdf.errors.EngineError)):
        made.collect()


def test_paths_are_read_where_the_dataset_was_made(rows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows.write_parquet(pathlib.Path("here.parquet"))
    made = Dataset.read_parquet("here.parquet")
    monkeypatch.chdir("/")
    assert made.count() == 3


def test_suffixes_mean_what_they_say(rows, tmp_path):
    rows.write_csv(tmp_path / "a.tsv")
    assert (tmp_path / "a.tsv").read_text().startswith("id\tname\tday\tx\n")
    for name in ("a.csv.gz", "a.json.gz"):
        getattr(rows, "write_csv" if "csv" in name else "write_json")(tmp_path / name)
        assert (tmp_path / name).read_bytes()[:2] == b"\x1f\x8b"
    assert Dataset.read_csv(tmp_path / "a.csv.gz").count() == Dataset.read_csv(tmp_path / "a.tsv").count() == 3


def test_links_stay_and_devices_are_refused(rows, tmp_path):
    rows.write_csv(tmp_path / "real.csv")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    rows.limit(1).write_csv(tmp_path / "link.csv", mode="overwrite")
    assert (tmp_path / "link.csv").is_symlink() and Dataset.read_csv(tmp_path / "real.csv").count() == 1
    with pytest.raises(mdf.errors.DataError, match="neither a file nor a folder"):
        rows.write_csv("/dev/null", mode="overwrite")


def test_a_file_that_changes_is_read_by_the_names_that_it_had(tmp_path):
    path = tmp_path / "t.parquet"

    def write(query):
        duckdb.sql(f"COPY ({query}) TO '{path}'")

    write("SELECT 1 AS a, 2 AS b")
    whole = mdf.Dataset.read_parquet(path)
    queries = [
        (whole, [{"a": 1, "b": 2}]),
        (whole.filter("a > 0"), [{"a": 1, "b": 2}]),
        (whole.select("b"), [{"b": 2}]),
        (mdf.sql("SELECT b, a FROM t WHERE a > 0", t=whole), [{"b": 2, "a": 1}]),
        (mdf.sql("SELECT count(*) AS n, sum(b) AS s FROM t", t=whole), [{"n": 1, "s": 2}]),
        (mdf.sql("SELECT x.a, y.b FROM t AS x JOIN t AS y USING (a)", t=whole), [{"a": 1, "b": 2}]),
        (mdf.sql("SELECT a FROM t UNION ALL SELECT b FROM (SELECT * FROM t)", t=whole), [{"a": 1}, {"a": 2}]),
    ]
    for columns in ("2 AS b, 1 AS a", "0 AS z, 1 AS a, 9 AS b_, 2 AS b"):
        write(f"SELECT {columns}")
        for dataset, rows in queries:
            assert dataset.collect() == rows
            assert dataset.to_arrow().to_pylist() == rows


def test_a_filter_reaches_the_scan_of_a_file(tmp_path):
    path = tmp_path / "t.parquet"
    duckdb.sql(f"COPY (SELECT 1 AS a, 2 AS b) TO '{path}'")
    text = mdf.Dataset.read_parquet(path).filter("a > 0").select("b").explain()
    sent = "".join(text.partition("-- sent to duckdb")[2].split())  # a long path stands on a line of its own
    assert f"FROMREAD_PARQUET(['{path}'])" in sent
