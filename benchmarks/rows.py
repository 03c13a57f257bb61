"""Row functions at work: against the engine's own SQL by hand, and against what people would write without mdfsql.

One pipeline, filter, map and aggregate, over one Parquet file, everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

import mdfsql as mdf
from benchmarks.measure import Options, Result, compare, timed
from benchmarks.sides.pipelines import SQL, kept, priced

__all__ = ["checked", "fallback", "lifted", "peers", "pipeline", "prepared"]

BY_HAND = SQL.replace("sales", "{sales}")


def pipeline(path: Path, engine: mdf.Backend) -> mdf.Dataset:
    """Return the pipeline as its author writes it."""
    with mdf.set_backend(engine):
        sales = mdf.Dataset.read_parquet(path).filter(kept).map(priced)
        return sales.group_by("category").aggregate(n=mdf.count(), total=mdf.sum("total"))


def prepared(options: Options) -> Path:
    """Return a Parquet file of sales, written where it is not there yet."""
    data, rows = options.data, options.rows
    path = data / f"sales-{rows}.parquet"
    if not path.is_file():
        data.mkdir(parents=True, exist_ok=True)
        query = f"""
            SELECT i AS id, (hash(i) % 10000) / 100 AS price, (hash(i + 7) % 60)::BIGINT AS qty,
                'category ' || hash(i + 13) % 50 AS category, 'note ' || i AS note
            FROM range({rows}) AS t(i)
        """
        duckdb.sql(f"COPY ({query}) TO '{path}' (ROW_GROUP_SIZE 200000)")
    return path


def checked(rows: list[dict[str, Any]]) -> list[tuple[str, int, float]]:
    """Return the groups in order, to be compared."""
    return sorted((row["category"], row["n"], round(row["total"], 2)) for row in rows)


def lifted(options: Options) -> Iterator[Result]:
    """Run the lifted pipeline against SQL written by hand, in the same session of each engine."""
    path = prepared(options)
    what = f"filter, map, aggregate of {options.rows:,} rows with row functions, on {{}}"

    def beside(engine: str, ours: mdf.Dataset, other: Callable[[], object], times: int) -> Result:
        own = lambda: timed(ours.to_arrow)  # noqa: E731
        key, peer = engine.lower(), "the same in SQL by hand"
        return compare(key, what.format(engine), peer, own, lambda: timed(other), times * options.repeats, aim=1.05)

    duck = mdf.Backend("duckdb")
    own, connection = pipeline(path, duck), duckdb.connect()
    text = BY_HAND.format(sales=f"'{path}'")
    assert checked(own.collect()) == checked(connection.sql(text).to_arrow_table().to_pylist())
    yield beside("DuckDB", own, lambda: connection.sql(text).to_arrow_table(), 3)

    spark = mdf.Backend("spark")
    own = pipeline(path, spark)
    session = spark.engine._given  # type: ignore[attr-defined]
    session.read.parquet(str(path)).createOrReplaceTempView("sales")
    frame = session.sql(BY_HAND.format(sales="sales"))
    assert checked(own.collect()) == checked([row.asDict() for row in frame.collect()])
    yield beside("Spark", own, lambda: session.sql(BY_HAND.format(sales="sales")).toArrow(), 2)
    spark.close()

    dask = mdf.Backend("dask")
    own = pipeline(path, dask)
    with mdf.set_backend(dask):
        hand = mdf.sql(BY_HAND.format(sales="sales"), sales=mdf.Dataset.read_parquet(path))
    assert checked(own.collect()) == checked(hand.collect())
    yield beside("Dask", own, hand.to_arrow, 1)
    dask.close()


def peers(options: Options) -> Iterator[Result]:
    """Run the lifted pipeline against the same functions called by Spark, pandas and Dask for each row."""
    path = prepared(options)
    expected = checked(pipeline(path, mdf.Backend("duckdb")).collect())

    def against(peer: str, own: mdf.Dataset, other: Callable[[], Any], aim: float | None = None) -> Result:
        assert checked(other()) == expected, peer
        what = f"the same, on {own.backend.name}"
        times = max(options.repeats // 2, 1)
        return compare(
            peer.replace(" ", "_"), what, peer, lambda: timed(own.to_arrow), lambda: timed(other), times, aim=aim
        )

    from pyspark.sql import functions as sf  # engines are loaded when their turn comes

    spark = mdf.Backend("spark")
    own = pipeline(path, spark)
    session = spark.engine._given  # type: ignore[attr-defined]
    sales = session.read.parquet(str(path))

    def rdd() -> list[dict[str, Any]]:
        pairs = sales.rdd.filter(kept).map(priced).map(lambda r: (r["category"], (1, r["total"])))
        found = pairs.reduceByKey(lambda a, b: (a[0] + b[0], a[1] + b[1])).collect()
        return [{"category": k, "n": n, "total": total} for k, (n, total) in found]

    def udf(arrow: bool) -> Callable[[], list[dict[str, Any]]]:
        keep = sf.udf(lambda price, qty: kept({"price": price, "qty": qty}), "boolean", useArrow=arrow)
        total = sf.udf(
            lambda price, qty: priced({"price": price, "qty": qty, "category": ""})["total"], "double", useArrow=arrow
        )

        def run() -> list[dict[str, Any]]:
            frame = sales.filter(keep("price", "qty")).withColumn("total", total("price", "qty"))
            grouped = frame.groupBy("category").agg(sf.count("*").alias("n"), sf.sum("total").alias("total"))
            return [row.asDict() for row in grouped.collect()]

        return run

    yield against("Spark RDD lambdas", own, rdd, 1 / 20)
    yield against("Spark Python UDFs", own, udf(arrow=False))
    yield against("Spark Arrow UDFs", own, udf(arrow=True))
    spark.close()

    def grouped(frame: pd.DataFrame) -> pd.DataFrame:
        found = frame[frame.apply(kept, axis=1)]
        found = pd.DataFrame(found.apply(priced, axis=1).tolist(), columns=["category", "total"])
        return found.groupby("category").agg(n=("total", "size"), total=("total", "sum")).reset_index()

    columns = ["price", "qty", "category"]
    yield against(
        "pandas apply",
        pipeline(path, mdf.Backend("duckdb")),
        lambda: grouped(pd.read_parquet(path, columns=columns)).to_dict("records"),
    )

    dask = mdf.Backend("dask")
    own = pipeline(path, dask)
    own.collect()
    import dask.dataframe as dd

    def mapped() -> Any:
        frame = dd.read_parquet(path, columns=columns, split_row_groups=True)
        found = frame.map_partitions(grouped, meta={"category": "str", "n": "i8", "total": "f8"}).compute()
        return found.groupby("category").agg({"n": "sum", "total": "sum"}).reset_index().to_dict("records")

    yield against("Dask map_partitions(apply)", own, mapped)
    dask.close()


def fallback(options: Options, rows: int = 1_000_000) -> Iterator[Result]:
    """Run what has no SQL as Python on DuckDB, against the bare loop over dicts that are there already."""
    values = range(rows)
    table = pa.table({"id": values, "price": [i * 0.37 for i in values], "name": [f"name {i % 1000}" for i in values]})
    dicts = table.to_pylist()
    function = lambda row: {**row, "price": round(row["price"], 2)}  # noqa: E731
    dataset = mdf.Dataset.from_arrow(table).map(function, on_unliftable="fallback")
    assert dataset.head(1000) == [function(row) for row in dicts[:1000]]
    yield compare(
        "python",
        f"a column that runs as Python, of {rows:,} rows of three, on DuckDB",
        "the bare loop over ready dicts",
        lambda: timed(dataset.to_arrow),
        lambda: timed(lambda: [function(row) for row in dicts]),
        options.repeats,
        aim=2,
    )
