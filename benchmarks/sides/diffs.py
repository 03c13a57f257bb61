"""What other packages do to compare two tables: a function each, given two Parquet files with the key ``id``.

Each returns how many rows changed, and how many only one side has.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.measure import timed

RTOL = 1e-9  # as verify has it


def seconds(name: str, left: str, right: str) -> float:
    """Return what one of the functions takes; a database is filled before."""
    if name.startswith("reladiff"):
        _database(left, right)
    return timed(lambda: globals()[name](left, right))


def found(name: str, left: str, right: str) -> list[int]:
    """Return what one of the functions finds."""
    if name.startswith("reladiff"):
        _database(left, right)
    return [int(count) for count in globals()[name](left, right)]


def datacompy_pandas(left: str, right: str) -> tuple[int, int, int]:
    """datacompy over pandas frames."""
    import datacompy
    import pandas as pd

    return _counts(datacompy.PandasCompare(pd.read_parquet(left), pd.read_parquet(right), "id", rel_tol=RTOL))


def datacompy_polars(left: str, right: str) -> tuple[int, int, int]:
    """datacompy over polars frames."""
    import datacompy
    import polars as pl

    return _counts(datacompy.PolarsCompare(pl.read_parquet(left), pl.read_parquet(right), "id", rel_tol=RTOL))


def _counts(made: Any) -> tuple[int, int, int]:
    made.report()  # the rows that differ are looked for when they are told
    both = len(made.intersect_rows)
    return both - made.count_matching_rows(), len(made.df1_unq_rows), len(made.df2_unq_rows)


def reladiff_join(left: str, right: str) -> tuple[int, int, int]:
    """reladiff by an outer join of two tables of one database."""
    return _reladiff(left, "joindiff")


def reladiff_hash(left: str, right: str) -> tuple[int, int, int]:
    """reladiff by hashes of halves of halves, as between two databases."""
    return _reladiff(left, "hashdiff")


def _reladiff(left: str, algorithm: str) -> tuple[int, int, int]:
    import reladiff

    database = {"driver": "duckdb", "filepath": str(_path(left))}
    columns = ("g", "v", "s", "d")
    tables = [reladiff.connect_to_table(database, name, "id", extra_columns=columns) for name in ("l", "r")]
    signs: dict[str, set[str]] = {}
    for sign, row in reladiff.diff_tables(*tables, algorithm=reladiff.Algorithm(algorithm), skip_sort_results=True):
        signs.setdefault(row[0], set()).add(sign)
    kinds = list(signs.values())
    return kinds.count({"-", "+"}), kinds.count({"-"}), kinds.count({"+"})


def _path(left: str) -> Path:
    return Path(left).with_suffix(".duckdb")


def _database(left: str, right: str) -> None:
    import duckdb

    if not _path(left).exists():
        with duckdb.connect(str(_path(left))) as connection:
            for name, path in (("l", left), ("r", right)):
                connection.execute(f"CREATE TABLE {name} AS FROM '{path}'")
