"""Work that is larger than a worker's memory: a Dask cluster of two workers of 1 GiB, on this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

import mdfsql as mdf
from benchmarks.measure import Options, Result, Skipped

__all__ = ["cluster"]

FILES = 24
KEYS = 1_000_000

ROWS = """
COPY (
    SELECT i AS id, (hash(i) % {keys})::BIGINT AS k, (hash(i * 3 + 1) % 1000000)::BIGINT AS a,
        hash(i * 7 + 2)::DOUBLE AS b, (hash(i + 5) % 5000)::INTEGER AS g, (hash(i * 11) % 1000000007)::BIGINT AS c,
        substr(md5(i::VARCHAR), 1, 16) AS s
    FROM range({first}, {last}) AS t(i)
) TO '{path}' (ROW_GROUP_SIZE 500000)
"""
NAMES = "COPY (SELECT i AS k, 'name ' || i % 1000 AS name, i % 97 AS w FROM range({keys}) AS t(i)) TO '{path}'"

QUERIES = {
    "filter": "SELECT count(*) AS n, sum(a) AS s FROM rows_ WHERE g < 100 AND c > 1000",
    "group by": "SELECT k, count(*) AS n, sum(a) AS s, max(c) AS m FROM rows_ GROUP BY k ORDER BY n DESC, k LIMIT 5",
    "join": "SELECT d.name, count(*) AS n, sum(r.a * d.w) AS s FROM rows_ AS r JOIN names AS d ON r.k = d.k "
    "WHERE r.g < 2500 GROUP BY d.name ORDER BY s DESC LIMIT 5",
    "window": "SELECT g, count(*) AS n, sum(r) AS s FROM "
    "(SELECT g, row_number() OVER (PARTITION BY k ORDER BY id) AS r FROM rows_) "
    "WHERE r <= 3 GROUP BY g ORDER BY g LIMIT 5",
}


def cluster(options: Options) -> Iterator[Result]:
    """Run a filter, a join, groups and a window over ``--rows`` rows, once each; DuckDB has the answers."""
    try:
        yield from measured(options)
    except ImportError as why:
        raise Skipped(str(why)) from why


def measured(options: Options) -> Iterator[Result]:
    """Measure on a cluster of this run."""
    import mdfsql.engines.dask_setup  # noqa: F401 - Dask in the mode that dask-sql needs

    # isort: split
    from distributed import Client, LocalCluster

    folder = prepared(options)
    size = sum(path.stat().st_size for path in folder.glob("rows*.parquet"))
    tables: dict[str, Any] = {
        "rows_": mdf.Dataset.read_parquet(str(folder / "rows*.parquet")),
        "names": mdf.Dataset.read_parquet(folder / "names.parquet"),
    }
    two = LocalCluster(n_workers=2, threads_per_worker=1, memory_limit="1GiB", host="127.0.0.1", dashboard_address=None)
    with two, Client(two) as client, mdf.set_backend("dask", client=client) as dask, Peak() as peak:
        for name, sql in QUERIES.items():
            query = mdf.sql(sql, "duckdb", None, **tables)
            peak.bytes = 0
            start = time.perf_counter()
            ours = query.collect(dask)
            middle = time.perf_counter()
            theirs = query.collect("duckdb")
            end = time.perf_counter()
            if ours != theirs:
                raise Skipped(f"{name}: {ours} on Dask, {theirs} on DuckDB")
            what = f"{name}, {options.rows:,} rows in {size / 1e9:.1f} GB, on two workers of 1 GiB"
            remark = f"a worker has {peak.bytes / 2**20:,.0f} MiB at its peak"
            yield Result(name, what, "DuckDB, all memory", (middle - start,), (end - middle,), remark=remark)


def prepared(options: Options) -> Path:
    """Return the folder with the files, which are made where they are not there."""
    folder = options.data / f"cluster-{options.rows}"
    if not (folder / "names.parquet").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(FILES):
            first, last = (options.rows * place // FILES for place in (number, number + 1))
            path = folder / f"rows{number:02}.parquet"
            duckdb.execute(ROWS.format(keys=KEYS, first=first, last=last, path=path))
        duckdb.execute(NAMES.format(keys=KEYS, path=folder / "names.parquet"))
    return folder


class Peak:
    """The most memory that one process below this one has had at a time, in ``bytes``."""

    def __init__(self) -> None:
        self.bytes = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        import psutil  # comes with distributed

        while not self._done.wait(0.2):
            for child in psutil.Process().children(recursive=True):
                try:
                    self.bytes = max(self.bytes, child.memory_info().rss)
                except psutil.Error:
                    continue
