"""Rows on their way in and out, against each engine's own way: dicts, Arrow, pandas, batches, files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa

import mdfsql as mdf
from benchmarks.measure import Options, Result, compare, compare_all, timed
from benchmarks.tpch import spark_session

__all__ = ["in_out", "in_out_dask", "in_out_spark"]

SIZES = (10_000, 1_000_000, 10_000_000)
MOST_DICTS = 1_000_000  # ten times as many fill the memory, whoever makes them
DICTS = ("from_items", "collect")

# What is called, with what is added to it that the peer's way does, too.
Way = Callable[[Any], object]


def sizes_of(options: Options) -> list[int]:
    """Return how many rows there are, twice ``--rows`` at most."""
    return [size for size in SIZES if size <= 2 * options.rows]


def dicts_of(size: int) -> list[dict[str, Any]]:
    """Return rows with an integer, a float, a string and a flag."""
    return [{"id": i, "value": i * 0.5, "name": f"name {i % 1000}", "even": i % 2 == 0} for i in range(size)]


def file_of(options: Options, size: int) -> Path:
    """Return a Parquet file of the same rows, written where it is not there yet."""
    path = options.data / f"in-out-{size}.parquet"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = "i AS id, i * 0.5::DOUBLE AS value, 'name ' || i % 1000 AS name, i % 2 = 0 AS even"
        duckdb.sql(f"COPY (SELECT {columns} FROM range({size}) AS t(i)) TO '{path}' (ROW_GROUP_SIZE 200000)")
    return path


def written(path: Path) -> Path:
    """Return a path to be written, where nothing is."""
    shutil.rmtree(path, ignore_errors=True)
    path.unlink(missing_ok=True)
    return path


def beside(
    options: Options, engine: str, ours: dict[str, Way], peers: dict[str, tuple[str, Way, float | None]], frame: Any
) -> Iterator[Result]:
    """Measure what goes out of a file's rows: ours of a Dataset, the peer's of what ``frame`` makes of the path."""
    for size in sizes_of(options):
        path = file_of(options, size)
        dataset, other = mdf.Dataset.read_parquet(path), frame(path)
        for name, (peer, way, aim) in peers.items():
            if name in DICTS and size > MOST_DICTS:
                continue
            own = ours[name]
            yield compare(
                f"{name}/{size}",
                f"`{name}` of {size:,} rows from {engine}",
                peer,
                lambda own=own, dataset=dataset: timed(lambda: own(dataset)),  # type: ignore[misc]
                lambda way=way, other=other: timed(lambda: way(other)),  # type: ignore[misc]
                options.repeats,
                aim=aim if size == MOST_DICTS else None,
            )


def outputs(target: Path) -> dict[str, Way]:
    """Return what a Dataset has for it; batches are counted, so that they are all made."""
    return {
        "collect": lambda ds: ds.collect(),
        "to_arrow": lambda ds: ds.to_arrow(),
        "to_pandas": lambda ds: ds.to_pandas(),
        "iter_batches": lambda ds: sum(batch.num_rows for batch in ds.iter_batches()),
        "write_parquet": lambda ds: ds.write_parquet(written(target / "ours.parquet")),
    }


def in_out(options: Options) -> Iterator[Result]:
    """Measure on DuckDB; what comes in against what others make of dicts."""
    connection = duckdb.connect()
    for size in [size for size in sizes_of(options) if size <= MOST_DICTS]:
        dicts = dicts_of(size)
        makers: dict[str, Callable[[], object]] = {
            "`pyarrow.Table.from_pylist`": lambda dicts=dicts: pa.Table.from_pylist(dicts),  # type: ignore[misc]
            "`pandas.DataFrame`": lambda dicts=dicts: pd.DataFrame(dicts),  # type: ignore[misc]
            "`polars.DataFrame`": lambda dicts=dicts: pl.DataFrame(dicts),  # type: ignore[misc]
        }
        for result in compare_all(
            f"from_items/{size}",
            f"`Dataset.from_items` of {size:,} dicts",
            lambda dicts=dicts: timed(lambda: mdf.Dataset.from_items(dicts)),  # type: ignore[misc]
            {name: lambda make=make: timed(make) for name, make in makers.items()},  # type: ignore[misc]
            options.repeats,
        ):
            aim = 1.2 if "pyarrow" in result.peer and size == MOST_DICTS else None
            yield Result(**vars(result) | {"aim": aim})

    def dicts_from(relation: Any) -> object:
        return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]

    target = options.data / "in-out"
    target.mkdir(parents=True, exist_ok=True)
    peers = {
        "collect": ("`fetchall`, and a dict of each row", lambda text: dicts_from(connection.sql(text)), None),
        "to_arrow": ("`to_arrow_table`", lambda text: connection.sql(text).to_arrow_table(), 1.05),
        "to_pandas": ("`df`", lambda text: connection.sql(text).df(), None),
        "iter_batches": (
            "`to_arrow_reader`",
            lambda text: sum(batch.num_rows for batch in connection.sql(text).to_arrow_reader(100_000)),
            1.05,
        ),
        "write_parquet": (
            "`COPY TO`, compressed alike",
            lambda text: connection.execute(
                f"COPY ({text}) TO '{written(target / 'peer.parquet')}' (FORMAT parquet, COMPRESSION zstd)"
            ),
            1.05,
        ),
    }
    with mdf.set_backend("duckdb"):
        yield from beside(options, "DuckDB", outputs(target), peers, lambda path: f"SELECT * FROM '{path}'")


def in_out_spark(options: Options) -> Iterator[Result]:
    """Measure on Spark, in one session."""
    session = spark_session()
    target = options.data / "in-out-spark"
    target.mkdir(parents=True, exist_ok=True)
    peers = {
        "collect": ("`collect`, `asDict` of each row", lambda df: [row.asDict() for row in df.collect()], 1 / 3),
        "to_arrow": ("`toArrow`", lambda df: df.toArrow(), 1.05),
        "to_pandas": ("`toPandas`", lambda df: df.toPandas(), None),
        "iter_batches": ("`toLocalIterator`", lambda df: sum(1 for _ in df.toLocalIterator()), None),
        "write_parquet": (
            "`write.parquet`, compressed alike",
            lambda df: df.write.option("compression", "zstd").parquet(str(written(target / "peer"))),
            1.05,
        ),
    }
    ours = outputs(target) | {"write_parquet": lambda ds: ds.write_parquet(written(target / "ours"))}
    with mdf.set_backend("spark", spark_session=session):
        yield from sums(
            options,
            "Spark",
            "`createDataFrame`",
            lambda dicts: session.createDataFrame(dicts).agg({"value": "sum"}).collect(),
            1 / 5,
        )
        yield from beside(options, "Spark", ours, peers, lambda path: session.read.parquet(str(path)))
    session.stop()


def in_out_dask(options: Options) -> Iterator[Result]:
    """Measure on Dask, without a cluster."""
    dask = mdf.Backend("dask")
    _ = dask.engine  # settles how Dask plans, before its frames are loaded
    import dask.dataframe as dd

    target = options.data / "in-out-dask"
    target.mkdir(parents=True, exist_ok=True)
    peers = {
        "collect": ("`compute().to_dict`", lambda df: df.compute().to_dict("records"), 1.05),
        "to_arrow": ("`compute`, and Arrow of it", lambda df: pa.Table.from_pandas(df.compute()), 1.05),
        "to_pandas": ("`compute`", lambda df: df.compute(), None),
        "iter_batches": ("`partitions`, in turn", lambda df: sum(len(p.compute()) for p in df.partitions), None),
        "write_parquet": (
            "`to_parquet`, compressed alike",
            lambda df: df.to_parquet(str(written(target / "peer")), compression="zstd"),
            1.05,
        ),
    }
    ours = outputs(target) | {"write_parquet": lambda ds: ds.write_parquet(written(target / "ours"))}
    with mdf.set_backend(dask):
        yield from sums(
            options,
            "Dask",
            "`from_pandas` of a `DataFrame`",
            lambda dicts: dd.from_pandas(pd.DataFrame(dicts), npartitions=2)["value"].sum().compute(),
            1.05,
        )
        yield from beside(options, "Dask", ours, peers, lambda path: dd.read_parquet(path, split_row_groups=True))


def sums(options: Options, engine: str, peer: str, way: Way, aim: float) -> Iterator[Result]:
    """Measure dicts on their way into an engine, which adds one of their columns up."""
    for size in [size for size in sizes_of(options) if size <= MOST_DICTS]:
        dicts = dicts_of(size)
        yield compare(
            f"from_items/{size}",
            f"`from_items` of {size:,} dicts and a sum on {engine}",
            peer,
            lambda dicts=dicts: timed(  # type: ignore[misc]
                lambda: mdf.Dataset.from_items(dicts).aggregate(total=mdf.sum("value")).collect()
            ),
            lambda dicts=dicts: timed(lambda: way(dicts)),  # type: ignore[misc]
            options.repeats,
            aim=aim if size == MOST_DICTS else None,
        )
