"""set_backend, backend, Dataset.on."""

import asyncio
import threading

import pytest

import mdfsql as mdf


@pytest.fixture(autouse=True)
def as_before():
    before = mdf.backend()
    yield
    mdf.set_backend(before)


def test_default():
    assert mdf.backend().name == "duckdb"


def test_block_nests_and_restores():
    with mdf.set_backend("spark") as outer:
        assert mdf.backend() is outer
        with mdf.set_backend("dask"):
            assert mdf.backend().name == "dask"
        assert mdf.backend() is outer
        with pytest.raises(KeyError), mdf.set_backend("dask"):
            raise KeyError
        assert mdf.backend() is outer
    assert mdf.backend().name == "duckdb"


def test_statement_holds_for_the_process():
    seen = []
    mdf.set_backend("spark")
    assert mdf.backend().name == "spark"
    thread = threading.Thread(target=lambda: seen.append(mdf.backend().name))
    thread.start()
    thread.join()
    assert seen == ["spark"]


def test_statement_in_a_thread_holds_there_only():
    def inside():
        mdf.set_backend("dask")
        seen.append(mdf.backend().name)

    seen = []
    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert seen == ["dask"] and mdf.backend().name == "duckdb"


def test_statement_in_a_block_holds_to_its_end():
    with mdf.set_backend("dask"):
        mdf.set_backend("spark")
        assert mdf.backend().name == "spark"
    assert mdf.backend().name == "duckdb"


def test_threads_do_not_see_each_others_blocks():
    wrong = []

    def work(name):
        for _ in range(300):
            with mdf.set_backend(name):
                if mdf.backend().name != name:
                    wrong.append(name)

    def watch():
        for _ in range(3000):
            if mdf.backend().name != "duckdb":
                wrong.append("watcher")

    threads = [threading.Thread(target=work, args=(name,)) for name in ("spark", "dask", "duckdb")]
    threads.append(threading.Thread(target=watch))
    for thread in threads:
        thread.start()
    work("dask")
    for thread in threads:
        thread.join()
    assert not wrong


def test_tasks_do_not_see_each_others_blocks():
    async def work(name):
        for _ in range(50):
            with mdf.set_backend(name):
                await asyncio.sleep(0)
                assert mdf.backend().name == name
        assert mdf.backend().name == "duckdb"

    async def setter():
        mdf.set_backend("spark")
        await asyncio.sleep(0)
        assert mdf.backend().name == "spark"

    async def main():
        await asyncio.gather(work("spark"), work("dask"), setter())
        assert mdf.backend().name == "duckdb"

    asyncio.run(main())


def test_a_dataset_keeps_the_backend_it_was_made_under():
    with mdf.set_backend("spark"):
        made = mdf.Dataset.from_items([{"a": 1}])
    assert made.filter("a > 0").backend.name == "spark"
    assert made.on("duckdb").select("a").collect() == [{"a": 1}]
    assert made.collect(engine="duckdb") == [{"a": 1}]


def test_options(tmp_path):
    with mdf.set_backend("duckdb", threads=1, memory_limit="1GB") as backend:
        assert mdf.sql("SELECT current_setting('threads') AS n").collect() == [{"n": 1}]
        assert mdf.backend().options == {"threads": 1, "memory_limit": "1GB"}
    backend.close()


def test_database_has_its_own_tables(tmp_path):
    import duckdb

    path = tmp_path / "shop.db"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE orders AS SELECT 1 AS id, 'x' AS \"what\"")
    with mdf.set_backend("duckdb", database=path) as backend:
        assert mdf.sql("SELECT what FROM orders").collect() == [{"what": "x"}]
        assert mdf.sql("SELECT what FROM main.orders").collect() == [{"what": "x"}]
        assert mdf.table("orders").filter(lambda r: r["id"] == 1).count() == 1
    backend.close()


def test_errors(tmp_path):
    with pytest.raises(mdf.errors.BackendError, match="no engine 'polars'; the engines are duckdb, spark, dask"):
        mdf.set_backend("polars")
    with pytest.raises(mdf.errors.BackendError, match="no option 'thread'; the options are database, threads"):
        mdf.Dataset.from_items([{"a": 1}]).on("duckdb", thread=2).collect()
    (tmp_path / "no.db").write_text("no database " * 500)
    with pytest.raises(mdf.errors.BackendError, match=r"cannot open .*no\.db"):
        mdf.Dataset.from_items([{"a": 1}]).on("duckdb", database=tmp_path / "no.db").collect()
    assert mdf.backend().name == "duckdb"
