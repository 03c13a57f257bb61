"""The 22 queries of TPC-H on Dask: against dask-sql's own Context, and against dask.dataframe by hand."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import sqlglot

import mdfsql as mdf
from benchmarks.measure import Options, Result, Skipped, compare, timed, total
from benchmarks.tpch import TABLES, prepared
from mdfsql import queries

__all__ = ["tpch_dask"]

# dask-sql takes neither decimals nor dates out of Parquet: both sides read doubles and timestamps, in such parts.
ROWS = 524_288

CONTEXT = "dask-sql's `Context.sql` of the text as sqlglot transpiles it"
BY_HAND = "`dask.dataframe` by hand"

Frames = dict[str, Callable[..., Any]]


def tpch_dask(options: Options) -> Iterator[Result]:
    """Run all 22 on Dask's threads over the same files as the peers."""
    folder = plain(options)
    try:
        with mdf.set_backend("dask"):
            yield from measured(folder, options)
    except ImportError as why:
        raise Skipped(str(why)) from why


def measured(folder: Path, options: Options) -> Iterator[Result]:
    """Measure on the backend in force."""
    import mdfsql.engines.dask_setup  # noqa: F401 - Dask in the mode that dask-sql needs

    # isort: split
    import dask.dataframe as dd
    from dask_sql import Context

    frames: Frames = {
        name: functools.partial(dd.read_parquet, folder / f"{name}.parquet", split_row_groups=True) for name in TABLES
    }
    context = Context()
    for name in TABLES:
        context.create_table(name, frames[name]())
    reference = duckdb.connect()
    for name in TABLES:
        reference.execute(f"CREATE VIEW {name} AS FROM '{folder / name}.parquet'")
    tables: dict[str, Any] = {name: mdf.Dataset.read_parquet(folder / f"{name}.parquet") for name in TABLES}

    def ours(text: str) -> pa.Table:
        return mdf.sql(text, "duckdb", None, **tables).to_arrow()

    def peer(text: str) -> pd.DataFrame:
        (own,) = sqlglot.transpile(text, read="duckdb")
        return context.sql(own).compute()

    results, others = [], []
    for n in range(1, 23):
        text = queries.tpch(n)
        right = reference.sql(text).fetchall()
        if not alike(right, ours(text).to_pandas()):
            raise AssertionError(f"Q{n} is wrong")
        if not alike(right, attempt(peer, text)):
            others.append(n)
            continue
        own, other = (functools.partial(timed, functools.partial(side, text)) for side in (ours, peer))
        results.append(compare(f"q{n:02}", f"Q{n}", CONTEXT, own, other, options.repeats))
    what = f"{len(results)} queries of TPC-H, SF {options.scale}, on Dask through `mdf.sql`"
    remark = f"which has no right answer to {', '.join(f'Q{n}' for n in others)}" if others else ""
    yield total("total", what, CONTEXT, results, aim=0.7, remark=remark)
    worst = max(results, key=lambda result: result.ratio)
    yield dataclasses.replace(worst, key="worst", what=f"the worst of them, {worst.what}", aim=1.1)
    for n, hand in HAND.items():
        text = queries.tpch(n)
        if not alike(reference.sql(text).fetchall(), hand(frames)):
            raise AssertionError(f"Q{n} by hand is wrong")
        own = functools.partial(timed, functools.partial(ours, text))
        other = functools.partial(timed, functools.partial(hand, frames))
        what = f"Q{n} of TPC-H, SF {options.scale}, on Dask through `mdf.sql`"
        yield compare(f"hand{n:02}", what, BY_HAND, own, other, options.repeats, aim=1.2)


def plain(options: Options) -> Path:
    """Return the folder with the tables in types that dask-sql takes, made where it is not there yet."""
    source, folder = prepared(options), options.data / f"tpch-plain-{options.scale}"
    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    for name in TABLES:
        target = folder / f"{name}.parquet"
        if not target.is_file():
            columns = connection.execute(f"DESCRIBE FROM '{source / name}.parquet'").fetchall()
            plainly = ", ".join(f"{column}::{_plain(type_)} AS {column}" for column, type_, *_ in columns)
            rows = f"SELECT {plainly} FROM '{source / name}.parquet'"
            connection.execute(f"COPY ({rows}) TO '{target}' (ROW_GROUP_SIZE {ROWS})")
    return folder


def _plain(type_: str) -> str:
    return "DOUBLE" if type_.startswith("DECIMAL") else "TIMESTAMP" if type_ == "DATE" else type_


def attempt(peer: Callable[[str], pd.DataFrame], text: str) -> pd.DataFrame | None:
    """Return what the peer answers, None where it has no answer."""
    try:
        return peer(text)
    except Exception:  # whatever it raises
        return None


def alike(right: list[tuple[Any, ...]], answer: pd.DataFrame | None) -> bool:
    """Tell whether an answer has the right rows, in any order, floats to a millionth."""
    if answer is None:
        return False
    ours, theirs = (sorted((tuple(map(_value, row)) for row in rows), key=_key) for rows in (right, answer.to_numpy()))
    return len(ours) == len(theirs) and all(
        len(one) == len(two) and all(map(_equal, one, two)) for one, two in zip(ours, theirs, strict=True)
    )


def _value(value: Any) -> Any:
    """Return a value as Python has it: numbers as floats, what is missing as None."""
    if pd.isna(value):
        return None
    if isinstance(value, (str, bool)):
        return value
    return pd.Timestamp(value).to_pydatetime() if hasattr(value, "year") else float(value)


def _key(row: tuple[Any, ...]) -> list[str]:
    return [f"{value:.4g}" if isinstance(value, float) else str(value) for value in row]


def _equal(one: Any, two: Any) -> bool:
    if isinstance(one, float) and isinstance(two, float):
        return math.isclose(one, two, rel_tol=1e-6)
    return bool(one == two)


# ---- by hand -----------------------------------------------------------------------------------------------------


def q01(read: Frames) -> pd.DataFrame:
    """Group, sum and count."""
    keys, values = ["l_returnflag", "l_linestatus"], ["l_quantity", "l_extendedprice", "l_discount"]
    rows = read["lineitem"](columns=[*keys, *values, "l_tax", "l_shipdate"])
    rows = rows[rows.l_shipdate <= pd.Timestamp("1998-09-02")]
    rows = rows.assign(disc_price=rows.l_extendedprice * (1 - rows.l_discount))
    rows = rows.assign(charge=rows.disc_price * (1 + rows.l_tax))
    sums = rows.groupby(keys).agg(
        {
            "l_quantity": ["sum", "mean"],
            "l_extendedprice": ["sum", "mean"],
            "disc_price": "sum",
            "charge": "sum",
            "l_discount": ["mean", "count"],
        }
    )
    made = sums.compute().reset_index().sort_values(keys)
    made.columns = ["_".join(filter(None, column)) for column in made.columns]
    wanted = ["l_quantity_sum", "l_extendedprice_sum", "disc_price_sum", "charge_sum"]
    return made[[*keys, *wanted, *(f"{value}_mean" for value in values), "l_discount_count"]]


def q03(read: Frames) -> pd.DataFrame:
    """Join three tables, group, and take the first ten."""
    customer = read["customer"](columns=["c_custkey", "c_mktsegment"])
    orders = read["orders"](columns=["o_orderkey", "o_custkey", "o_orderdate", "o_shippriority"])
    items = read["lineitem"](columns=["l_orderkey", "l_extendedprice", "l_discount", "l_shipdate"])
    day = pd.Timestamp("1995-03-15")
    customer = customer[customer.c_mktsegment == "BUILDING"][["c_custkey"]]
    orders = orders[orders.o_orderdate < day]
    items = items[items.l_shipdate > day]
    items = items.assign(revenue=items.l_extendedprice * (1 - items.l_discount))[["l_orderkey", "revenue"]]
    joined = orders.merge(customer, left_on="o_custkey", right_on="c_custkey")
    joined = joined.merge(items, left_on="o_orderkey", right_on="l_orderkey")
    sums = joined.groupby(["l_orderkey", "o_orderdate", "o_shippriority"]).revenue.sum().compute().reset_index()
    sums = sums.sort_values(["revenue", "o_orderdate"], ascending=[False, True]).head(10)
    return sums[["l_orderkey", "revenue", "o_orderdate", "o_shippriority"]]


def q06(read: Frames) -> pd.DataFrame:
    """Filter and sum."""
    rows = read["lineitem"](columns=["l_shipdate", "l_discount", "l_quantity", "l_extendedprice"])
    rows = rows[
        (rows.l_shipdate >= pd.Timestamp("1994-01-01"))
        & (rows.l_shipdate < pd.Timestamp("1995-01-01"))
        & (rows.l_discount >= 0.05)
        & (rows.l_discount <= 0.07)
        & (rows.l_quantity < 24)
    ]
    return pd.DataFrame({"revenue": [(rows.l_extendedprice * rows.l_discount).sum().compute()]})


def q13(read: Frames) -> pd.DataFrame:
    """Join outwards, and group twice."""
    orders = read["orders"](columns=["o_orderkey", "o_custkey", "o_comment"])
    orders = orders[~orders.o_comment.str.contains("special.*requests")][["o_orderkey", "o_custkey"]]
    customer = read["customer"](columns=["c_custkey"])
    joined = customer.merge(orders, left_on="c_custkey", right_on="o_custkey", how="left")
    counts = joined.groupby("c_custkey").o_orderkey.count().compute()
    made = counts.value_counts().rename_axis("c_count").reset_index(name="custdist")
    return made.sort_values(["custdist", "c_count"], ascending=False)


HAND: dict[int, Callable[[Frames], pd.DataFrame]] = {1: q01, 3: q03, 6: q06, 13: q13}
