"""The 22 queries of TPC-H in PySpark's DataFrame API, each as ``mdfsql.queries.tpch_chains`` has it.

``F`` is PySpark's ``functions`` module or that of a peer with the same API; the tables are its frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

Tables = Mapping[str, Any]


def revenue(F: Any) -> Any:  # noqa: N803 - as PySpark's users write it
    return F.col("l_extendedprice") * (1 - F.col("l_discount"))


def between(column: Any, start: date, end: date) -> Any:
    return (column >= start) & (column < end)


def q01(t: Tables, F: Any) -> Any:  # noqa: N803
    return (
        t["lineitem"]
        .filter(F.col("l_shipdate") <= date(1998, 9, 2))
        .groupBy("l_returnflag", "l_linestatus")
        .agg(
            F.sum("l_quantity").alias("sum_qty"),
            F.sum("l_extendedprice").alias("sum_base_price"),
            F.sum(revenue(F)).alias("sum_disc_price"),
            F.sum(revenue(F) * (1 + F.col("l_tax"))).alias("sum_charge"),
            F.avg("l_quantity").alias("avg_qty"),
            F.avg("l_extendedprice").alias("avg_price"),
            F.avg("l_discount").alias("avg_disc"),
            F.count("*").alias("count_order"),
        )
        .orderBy("l_returnflag", "l_linestatus")
    )


def q02(t: Tables, F: Any) -> Any:  # noqa: N803
    offers = (
        t["partsupp"]
        .join(t["supplier"], F.col("ps_suppkey") == F.col("s_suppkey"))
        .join(t["nation"], F.col("s_nationkey") == F.col("n_nationkey"))
        .join(t["region"], F.col("n_regionkey") == F.col("r_regionkey"))
        .filter(F.col("r_name") == "EUROPE")
    )
    lowest = offers.groupBy("ps_partkey").agg(F.min("ps_supplycost").alias("ps_supplycost"))
    return (
        t["part"]
        .filter((F.col("p_size") == 15) & F.col("p_type").endswith("BRASS"))
        .join(offers, F.col("p_partkey") == F.col("ps_partkey"))
        .join(lowest, on=["ps_partkey", "ps_supplycost"], how="left_semi")
        .select("s_acctbal", "s_name", "n_name", "p_partkey", "p_mfgr", "s_address", "s_phone", "s_comment")
        .orderBy(F.desc("s_acctbal"), "n_name", "s_name", "p_partkey")
        .limit(100)
    )


def q03(t: Tables, F: Any) -> Any:  # noqa: N803
    today = date(1995, 3, 15)
    return (
        t["customer"]
        .filter(F.col("c_mktsegment") == "BUILDING")
        .join(t["orders"], F.col("c_custkey") == F.col("o_custkey"))
        .join(t["lineitem"], F.col("o_orderkey") == F.col("l_orderkey"))
        .filter((F.col("o_orderdate") < today) & (F.col("l_shipdate") > today))
        .groupBy("l_orderkey", "o_orderdate", "o_shippriority")
        .agg(F.sum(revenue(F)).alias("revenue"))
        .select("l_orderkey", "revenue", "o_orderdate", "o_shippriority")
        .orderBy(F.desc("revenue"), "o_orderdate")
        .limit(10)
    )


def q04(t: Tables, F: Any) -> Any:  # noqa: N803
    late = t["lineitem"].filter(F.col("l_commitdate") < F.col("l_receiptdate"))
    return (
        t["orders"]
        .filter(between(F.col("o_orderdate"), date(1993, 7, 1), date(1993, 10, 1)))
        .join(late, F.col("o_orderkey") == F.col("l_orderkey"), "left_semi")
        .groupBy("o_orderpriority")
        .agg(F.count("*").alias("order_count"))
        .orderBy("o_orderpriority")
    )


def q05(t: Tables, F: Any) -> Any:  # noqa: N803
    orders = t["orders"].filter(between(F.col("o_orderdate"), date(1994, 1, 1), date(1995, 1, 1)))
    return (
        t["customer"]
        .join(orders, F.col("c_custkey") == F.col("o_custkey"))
        .join(t["lineitem"], F.col("o_orderkey") == F.col("l_orderkey"))
        .join(
            t["supplier"],
            (F.col("l_suppkey") == F.col("s_suppkey")) & (F.col("c_nationkey") == F.col("s_nationkey")),
        )
        .join(t["nation"], F.col("s_nationkey") == F.col("n_nationkey"))
        .join(t["region"], F.col("n_regionkey") == F.col("r_regionkey"))
        .filter(F.col("r_name") == "ASIA")
        .groupBy("n_name")
        .agg(F.sum(revenue(F)).alias("revenue"))
        .orderBy(F.desc("revenue"))
    )


def q06(t: Tables, F: Any) -> Any:  # noqa: N803
    return (
        t["lineitem"]
        .filter(between(F.col("l_shipdate"), date(1994, 1, 1), date(1995, 1, 1)) & (F.col("l_quantity") < 24))
        .filter(F.expr("l_discount BETWEEN 0.05 AND 0.07"))
        .agg(F.sum(F.col("l_extendedprice") * F.col("l_discount")).alias("revenue"))
    )


def q07(t: Tables, F: Any) -> Any:  # noqa: N803
    sellers = t["nation"].select(F.col("n_nationkey").alias("supp_key"), F.col("n_name").alias("supp_nation"))
    buyers = t["nation"].select(F.col("n_nationkey").alias("cust_key"), F.col("n_name").alias("cust_nation"))
    return (
        t["lineitem"]
        .filter((F.col("l_shipdate") >= date(1995, 1, 1)) & (F.col("l_shipdate") <= date(1996, 12, 31)))
        .join(t["supplier"], F.col("l_suppkey") == F.col("s_suppkey"))
        .join(t["orders"], F.col("l_orderkey") == F.col("o_orderkey"))
        .join(t["customer"], F.col("o_custkey") == F.col("c_custkey"))
        .join(sellers, F.col("s_nationkey") == F.col("supp_key"))
        .join(buyers, F.col("c_nationkey") == F.col("cust_key"))
        .filter(
            ((F.col("supp_nation") == "FRANCE") & (F.col("cust_nation") == "GERMANY"))
            | ((F.col("supp_nation") == "GERMANY") & (F.col("cust_nation") == "FRANCE"))
        )
        .groupBy("supp_nation", "cust_nation", F.year("l_shipdate").alias("l_year"))
        .agg(F.sum(revenue(F)).alias("revenue"))
        .orderBy("supp_nation", "cust_nation", "l_year")
    )


def q08(t: Tables, F: Any) -> Any:  # noqa: N803
    sellers = t["nation"].select(F.col("n_nationkey").alias("supp_key"), F.col("n_name").alias("nation"))
    brazilian = F.when(F.col("nation") == "BRAZIL", revenue(F)).otherwise(0)
    return (
        t["part"]
        .filter(F.col("p_type") == "ECONOMY ANODIZED STEEL")
        .join(t["lineitem"], F.col("p_partkey") == F.col("l_partkey"))
        .join(t["supplier"], F.col("l_suppkey") == F.col("s_suppkey"))
        .join(t["orders"], F.col("l_orderkey") == F.col("o_orderkey"))
        .join(t["customer"], F.col("o_custkey") == F.col("c_custkey"))
        .join(t["nation"], F.col("c_nationkey") == F.col("n_nationkey"))
        .join(t["region"], F.col("n_regionkey") == F.col("r_regionkey"))
        .join(sellers, F.col("s_nationkey") == F.col("supp_key"))
        .filter(F.col("r_name") == "AMERICA")
        .filter((F.col("o_orderdate") >= date(1995, 1, 1)) & (F.col("o_orderdate") <= date(1996, 12, 31)))
        .groupBy(F.year("o_orderdate").alias("o_year"))
        .agg((F.sum(brazilian) / F.sum(revenue(F))).alias("mkt_share"))
        .orderBy("o_year")
    )


def q09(t: Tables, F: Any) -> Any:  # noqa: N803
    return (
        t["part"]
        .filter(F.col("p_name").contains("green"))
        .join(t["lineitem"], F.col("p_partkey") == F.col("l_partkey"))
        .join(
            t["partsupp"],
            (F.col("l_partkey") == F.col("ps_partkey")) & (F.col("l_suppkey") == F.col("ps_suppkey")),
        )
        .join(t["supplier"], F.col("l_suppkey") == F.col("s_suppkey"))
        .join(t["orders"], F.col("l_orderkey") == F.col("o_orderkey"))
        .join(t["nation"], F.col("s_nationkey") == F.col("n_nationkey"))
        .groupBy(F.col("n_name").alias("nation"), F.year("o_orderdate").alias("o_year"))
        .agg(F.sum(revenue(F) - F.col("ps_supplycost") * F.col("l_quantity")).alias("sum_profit"))
        .orderBy("nation", F.desc("o_year"))
    )


def q10(t: Tables, F: Any) -> Any:  # noqa: N803
    orders = t["orders"].filter(between(F.col("o_orderdate"), date(1993, 10, 1), date(1994, 1, 1)))
    return (
        t["customer"]
        .join(orders, F.col("c_custkey") == F.col("o_custkey"))
        .join(t["lineitem"], F.col("o_orderkey") == F.col("l_orderkey"))
        .join(t["nation"], F.col("c_nationkey") == F.col("n_nationkey"))
        .filter(F.col("l_returnflag") == "R")
        .groupBy("c_custkey", "c_name", "c_acctbal", "c_phone", "n_name", "c_address", "c_comment")
        .agg(F.sum(revenue(F)).alias("revenue"))
        .select("c_custkey", "c_name", "revenue", "c_acctbal", "n_name", "c_address", "c_phone", "c_comment")
        .orderBy(F.desc("revenue"))
        .limit(20)
    )


def q11(t: Tables, F: Any) -> Any:  # noqa: N803
    worth = F.sum(F.col("ps_supplycost") * F.col("ps_availqty"))
    stock = (
        t["partsupp"]
        .join(t["supplier"], F.col("ps_suppkey") == F.col("s_suppkey"))
        .join(t["nation"], F.col("s_nationkey") == F.col("n_nationkey"))
        .filter(F.col("n_name") == "GERMANY")
    )
    return (
        stock.groupBy("ps_partkey")
        .agg(worth.alias("value"))
        .crossJoin(stock.agg(worth.alias("total")))
        .filter(F.col("value") > F.col("total") * 0.0001)
        .select("ps_partkey", "value")
        .orderBy(F.desc("value"))
    )
