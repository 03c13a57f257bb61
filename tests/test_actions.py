"""collect, iter_rows, iter_batches, count, head, show, schema, print_schema, explain, cache, HTML."""

import gc
import subprocess
import sys
import threading

import pyarrow as pa
import pytest

import mdfsql as mdf


def test_collect_gives_dicts(engine, people):
    rows = people.order_by("id").collect()
    assert rows[0] == {"id": 1, "name": "Ada", "team": "x", "score": 1.5}
    assert type(rows[0]["id"]) is int and rows[3]["name"] is None


def test_count_and_columns(engine, people):
    assert people.count() == 5 and people.columns == ["id", "name", "team", "score"]
    assert people.filter("id > 9").count() == 0


def test_iter_rows_and_batches(engine, people):
    rows = people.order_by("id").iter_rows()
    assert next(rows)["id"] == 1 and [row["id"] for row in rows] == [2, 3, 4, 5]
    batches = list(people.iter_batches())
    assert sum(batch.num_rows for batch in batches) == 5
    assert all(batch.schema.field("score").type == pa.float64() for batch in batches)


READ_10M = """
import resource, sys
import mdfsql as mdf

if __name__ == "__main__":
    engine, path = sys.argv[1:]
    with mdf.set_backend(engine):
        rows = mdf.Dataset.read_parquet(path).with_columns(n="i + 1")
        assert next(rows.iter_rows())["n"] == 1
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert sum(batch.num_rows for batch in rows.iter_batches()) == 10_000_000
        assert sum(1 for row in rows.filter("i % 5 = 0").iter_rows()) == 2_000_000
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.fixture(scope="module")
def ten_million(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "i.parquet"
    mdf.sql("SELECT range AS i, range % 1000 / 7 AS x FROM range(10000000)").write_parquet(path)
    return path


def test_streaming_keeps_memory_flat(engine, ten_million, tmp_path):
    (tmp_path / "read.py").write_text(READ_10M)
    command = [sys.executable, str(tmp_path / "read.py"), engine, str(ten_million)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    # The rows take 160 MB as Arrow and more as Python objects.
    assert int(done.stdout.split()[-1]) < 100


def test_show_and_print_schema(people, capsys):
    people.order_by("id").show(2)
    shown = capsys.readouterr().out
    assert "Ada" in shown and "BIGINT" in shown and "Zoë" not in shown and "there are more" in shown
    people.print_schema()
    assert capsys.readouterr().out == (
        "root\n |-- id: long (nullable = true)\n |-- name: string (nullable = true)\n"
        " |-- team: string (nullable = true)\n |-- score: double (nullable = true)\n"
    )


def test_explain(engine, people):
    text = people.filter(lambda r: r["id"] > 3).select("name").explain()
    for part in (
        "query (reference dialect)",
        '"id" > 3',
        "lifted",
        f"passes for {engine}",
        f"sent to {engine}",
        "'s plan",
    ):
        assert part in text, text


def test_cache_computes_once(engine, people):
    cached = people.filter("id > 1").cache()
    assert cached.count() == 4 and sorted(r["id"] for r in cached.collect()) == [2, 3, 4, 5]
    assert cached.filter("id = 2").collect()[0]["name"] == "Bo"


def test_cache_is_dropped_with_the_dataset(people):
    cached = people.cache()
    cached.count()
    engine = cached.backend.engine
    held = len(engine._connection.execute("SELECT * FROM duckdb_tables() WHERE database_name = 'mdf_cache'").fetchall())
    del cached
    gc.collect()
    left = len(engine._connection.execute("SELECT * FROM duckdb_tables() WHERE database_name = 'mdf_cache'").fetchall())
    assert left == held - 1


def test_html_runs_nothing(people):
    page = people._repr_html_()
    assert "Ada" in page and "<i>NULL</i>" in page and "BIGINT" in page
    with mdf.set_backend("spark", master="spark://nowhere:1"):
        lazy = mdf.Dataset.from_items([{"a": "<b>"}]).filter("a > ''")
    assert "<table>" in lazy._repr_html_() and "not run" in lazy._repr_mimebundle_()["text/html"]
    assert repr(lazy) == "<Dataset a VARCHAR>"


def test_actions_from_many_threads(engine, people):
    wrong = []

    def work(n):
        for _ in range(3):
            got = people.filter(f"id > {n}").count()
            if got != 5 - n:
                wrong.append((n, got))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_operations_do_not_change_what_they_start_from(people):
    before = repr(people.collect())
    people.filter("id > 3").drop("name").order_by("id").limit(1)
    assert repr(people.collect()) == before and people.columns == ["id", "name", "team", "score"]


def test_a_chain_of_300_steps(people):
    made = people
    for _ in range(300):
        made = made.with_columns(id="id + 1")
    assert made.aggregate(m=mdf.min("id")).collect() == [{"m": 301}]


def test_errors_say_the_engine_and_one_sentence(engine, people):
    with pytest.raises(mdf.errors.EngineError) as caught:
        people.with_columns(n="CAST(name AS INTEGER)").collect()
    error = caught.value
    assert error.engine == engine and str(error).startswith(f"{engine}: ") and error.cause is not None
    assert len(str(error)) < 400 and "\tat " not in str(error)
