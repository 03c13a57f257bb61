"""Time TPC-H Q1 as a Dataset chain to Spark SQL; prints JSON. Run by ``python -m benchmarks build``."""

from __future__ import annotations

import json
import time
from datetime import date, timedelta
from statistics import median

START = time.perf_counter()
import mdfsql as mdf  # noqa: E402 - timed

TIMES = 100
LINEITEM = {
    "l_orderkey": "BIGINT",
    "l_partkey": "BIGINT",
    "l_suppkey": "BIGINT",
    "l_linenumber": "INTEGER",
    "l_quantity": "DECIMAL(15,2)",
    "l_extendedprice": "DECIMAL(15,2)",
    "l_discount": "DECIMAL(15,2)",
    "l_tax": "DECIMAL(15,2)",
    "l_returnflag": "VARCHAR",
    "l_linestatus": "VARCHAR",
    "l_shipdate": "DATE",
    "l_commitdate": "DATE",
    "l_receiptdate": "DATE",
    "l_shipinstruct": "VARCHAR",
    "l_shipmode": "VARCHAR",
    "l_comment": "VARCHAR",
}


def q1(lineitem: mdf.Dataset, days: int) -> str:
    """Return Q1 as Spark SQL; another number of days each time, so that no cache knows the answer."""
    last = date(1998, 12, 1) - timedelta(days=days)
    revenue = mdf.col("l_extendedprice") * (1 - mdf.col("l_discount"))
    chain = (
        lineitem.filter(lambda item: item["l_shipdate"] <= last)
        .group_by("l_returnflag", "l_linestatus")
        .aggregate(
            sum_qty=mdf.sum("l_quantity"),
            sum_base_price=mdf.sum("l_extendedprice"),
            sum_disc_price=mdf.sum(revenue),
            sum_charge=mdf.sum(revenue * (1 + mdf.col("l_tax"))),
            avg_qty=mdf.avg("l_quantity"),
            avg_price=mdf.avg("l_extendedprice"),
            avg_disc=mdf.avg("l_discount"),
            count_order=mdf.count(),
        )
        .order_by("l_returnflag", "l_linestatus")
    )
    return chain.plan("spark")[1].sql


def main() -> None:
    """Print the seconds to the first SQL with and without the import, and the medians of those after it."""
    before = time.perf_counter()
    lineitem = mdf.Dataset.from_items([], schema=LINEITEM)
    q1(lineitem, 0)
    first = time.perf_counter()
    warm = []
    for days in range(1, TIMES + 1):
        start = time.perf_counter()
        q1(lineitem, days)
        warm.append(time.perf_counter() - start)
    again = []
    for _again in range(TIMES):
        start = time.perf_counter()
        q1(lineitem, 0)
        again.append(time.perf_counter() - start)
    print(json.dumps({"start": first - START, "first": first - before, "warm": median(warm), "again": median(again)}))


if __name__ == "__main__":
    main()
