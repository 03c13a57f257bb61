"""The pipeline of ``benchmarks.rows`` as users of other packages write it: a function a package, given the file's path.

Each returns the groups as rows of category, count and total. The row functions are the same that mdfsql lifts.
"""

from __future__ import annotations

import functools
from typing import Any

from benchmarks.measure import timed

COLUMNS = ["price", "qty", "category"]
SQL = """
SELECT category, count(*) AS n, sum(CASE WHEN qty < 40 THEN price * qty ELSE price * 40 END) AS total
FROM sales WHERE price > 10 AND qty % 3 <> 0 GROUP BY category
"""


def kept(sale: Any) -> bool:
    """The row function of the filter."""
    return bool(sale["price"] > 10 and sale["qty"] % 3 != 0)


def priced(sale: Any) -> dict[str, Any]:
    """The row function of the map."""
    return {
        "category": sale["category"],
        "total": sale["price"] * sale["qty"] if sale["qty"] < 40 else sale["price"] * 40,
    }


def seconds(name: str, path: str) -> float:
    """Return what one of the functions takes."""
    return timed(lambda: globals()[name](path))


def answer(name: str, path: str) -> list[list[Any]]:
    """Return what one of the functions answers, to be compared."""
    return sorted([category, int(n), round(float(total), 2)] for category, n, total in globals()[name](path))


# What is opened stays open, as mdfsql's own DuckDB does.
@functools.cache
def _ibis() -> Any:
    import ibis

    return ibis.duckdb.connect()


@functools.cache
def _sqlframe() -> Any:
    from sqlframe.duckdb import DuckDBSession

    return DuckDBSession()


@functools.cache
def _datafusion(path: str) -> Any:
    import datafusion

    context = datafusion.SessionContext()
    context.register_parquet("sales", path)
    return context


def _groups(frame: Any) -> list[tuple[Any, ...]]:
    found = frame.groupby("category").agg(n=("total", "size"), total=("total", "sum")).reset_index()
    return list(found.itertuples(index=False, name=None))


def datasets_map(path: str) -> list[tuple[Any, ...]]:
    """Filter and map of Hugging Face's datasets, without its cache on disk."""
    import datasets
    import pyarrow.parquet as pq

    datasets.disable_caching()
    datasets.disable_progress_bars()
    data = datasets.Dataset(pq.read_table(path, columns=COLUMNS))
    mapped = data.filter(kept, keep_in_memory=True).map(priced, remove_columns=["price", "qty"], keep_in_memory=True)
    return _groups(mapped.to_pandas())


def fugue_transform(path: str) -> list[tuple[Any, ...]]:
    """A row generator by fugue, on pandas."""
    import fugue.api as fa
    import pandas as pd

    found = fa.transform(pd.read_parquet(path, columns=COLUMNS), _rows, schema="category:str,total:double")
    return _groups(fa.as_pandas(found))


def _rows(sales: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [priced(sale) for sale in sales if kept(sale)]


def polars_elements(path: str) -> list[tuple[Any, ...]]:
    """``map_elements`` of polars over structs of the columns that are read."""
    import polars as pl

    frame = pl.read_parquet(path, columns=COLUMNS)
    row = pl.struct(COLUMNS)
    kept_rows = frame.filter(row.map_elements(kept, return_dtype=pl.Boolean))
    totals = kept_rows.with_columns(total=row.map_elements(lambda s: priced(s)["total"], return_dtype=pl.Float64))
    return totals.group_by("category").agg(pl.len().alias("n"), pl.col("total").sum()).rows()


def polars_sql(path: str) -> list[tuple[Any, ...]]:
    """The pipeline in SQL, by polars."""
    import polars as pl

    return pl.SQLContext(sales=pl.scan_parquet(path)).execute(SQL).collect().rows()


def datafusion_sql(path: str) -> list[tuple[Any, ...]]:
    """The pipeline in SQL, by DataFusion."""
    return [tuple(row.values()) for row in _datafusion(path).sql(SQL).to_arrow_table().to_pylist()]


def ibis_duckdb(path: str) -> list[tuple[Any, ...]]:
    """The pipeline as ibis expressions, on DuckDB."""
    from ibis import _

    sales = _ibis().read_parquet(path).filter(_.price > 10, _.qty % 3 != 0)
    totals = sales.select("category", total=(_.qty < 40).ifelse(_.price * _.qty, _.price * 40))
    found = totals.group_by("category").aggregate(n=_.count(), total=_.total.sum())
    return [tuple(row.values()) for row in found.to_pyarrow().to_pylist()]


def narwhals_polars(path: str) -> list[tuple[Any, ...]]:
    """The pipeline as narwhals expressions, on polars."""
    import narwhals as nw

    sales = nw.scan_parquet(path, backend="polars").filter(nw.col("price") > 10, nw.col("qty") % 3 != 0)
    dear = nw.when(nw.col("qty") < 40).then(nw.col("price") * nw.col("qty")).otherwise(nw.col("price") * 40)
    totals = sales.select("category", total=dear)
    found = totals.group_by("category").agg(nw.len().alias("n"), nw.col("total").sum())
    return list(found.collect().rows())


def sqlframe_duckdb(path: str) -> list[tuple[Any, ...]]:
    """The pipeline in PySpark's API by sqlframe, on DuckDB."""
    from sqlframe.duckdb import functions as F  # noqa: N812 - as PySpark's users write it

    sales = _sqlframe().read.parquet(path).filter((F.col("price") > 10) & (F.col("qty") % 3 != 0))
    dear = F.when(F.col("qty") < 40, F.col("price") * F.col("qty")).otherwise(F.col("price") * 40)
    totals = sales.select("category", dear.alias("total"))
    found = totals.groupBy("category").agg(F.count("*").alias("n"), F.sum("total").alias("total"))
    return [tuple(row) for row in found.collect()]
