"""Time TPC-H Q1 as an ibis expression to Spark SQL; prints JSON. Run by the peer's Python, without mdfsql."""

from __future__ import annotations

import json
import time
from datetime import date, timedelta
from statistics import median
from typing import Any

START = time.perf_counter()
import ibis  # noqa: E402 - timed
from ibis import _  # noqa: E402

TIMES = 20
LINEITEM = {
    "l_orderkey": "int64",
    "l_partkey": "int64",
    "l_suppkey": "int64",
    "l_linenumber": "int32",
    "l_quantity": "decimal(15, 2)",
    "l_extendedprice": "decimal(15, 2)",
    "l_discount": "decimal(15, 2)",
    "l_tax": "decimal(15, 2)",
    "l_returnflag": "string",
    "l_linestatus": "string",
    "l_shipdate": "date",
    "l_commitdate": "date",
    "l_receiptdate": "date",
    "l_shipinstruct": "string",
    "l_shipmode": "string",
    "l_comment": "string",
}


def q1(lineitem: Any, days: int) -> str:
    """Return Q1 as Spark SQL; another number of days each time."""
    last = date(1998, 12, 1) - timedelta(days=days)
    revenue = _.l_extendedprice * (1 - _.l_discount)
    expression = (
        lineitem.filter(_.l_shipdate <= last)
        .group_by("l_returnflag", "l_linestatus")
        .aggregate(
            sum_qty=_.l_quantity.sum(),
            sum_base_price=_.l_extendedprice.sum(),
            sum_disc_price=revenue.sum(),
            sum_charge=(revenue * (1 + _.l_tax)).sum(),
            avg_qty=_.l_quantity.mean(),
            avg_price=_.l_extendedprice.mean(),
            avg_disc=_.l_discount.mean(),
            count_order=_.count(),
        )
        .order_by("l_returnflag", "l_linestatus")
    )
    return str(ibis.to_sql(expression, dialect="pyspark"))


def main() -> None:
    """Print the seconds to the first SQL with and without the import, and the median of those after it."""
    before = time.perf_counter()
    lineitem = ibis.table(LINEITEM, name="lineitem")
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
