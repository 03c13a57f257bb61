"""The queries 12 to 22 of TPC-H in PySpark's DataFrame API, as ``pyspark_tpch`` has the others."""

from __future__ import annotations

from datetime import date
from typing import Any

from benchmarks.sides.pyspark_tpch import Tables, between, revenue


def q12(t: Tables, F: Any) -> Any:  # noqa: N803
    high = F.col("o_orderpriority").isin("1-URGENT", "2-HIGH")
    return (
        t["lineitem"]
        .filter(F.col("l_shipmode").isin("MAIL", "SHIP"))
        .filter(between(F.col("l_receiptdate"), date(1994, 1, 1), date(1995, 1, 1)))
        .filter((F.col("l_shipdate") < F.col("l_commitdate")) & (F.col("l_commitdate") < F.col("l_receiptdate")))
        .join(t["orders"], F.col("l_orderkey") == F.col("o_orderkey"))
        .groupBy("l_shipmode")
        .agg(
            F.sum(F.when(high, 1).otherwise(0)).alias("high_line_count"),
            F.sum(F.when(~high, 1).otherwise(0)).alias("low_line_count"),
        )
        .orderBy("l_shipmode")
    )


def q13(t: Tables, F: Any) -> Any:  # noqa: N803
    plain = t["orders"].filter(~F.col("o_comment").like("%special%requests%"))
    return (
        t["customer"]
        .join(plain, F.col("c_custkey") == F.col("o_custkey"), "left")
        .groupBy("c_custkey")
        .agg(F.count("o_orderkey").alias("c_count"))
        .groupBy("c_count")
        .agg(F.count("*").alias("custdist"))
        .orderBy(F.desc("custdist"), F.desc("c_count"))
    )


def q14(t: Tables, F: Any) -> Any:  # noqa: N803
    promoted = F.when(F.col("p_type").like("PROMO%"), revenue(F)).otherwise(0)
    return (
        t["lineitem"]
        .filter(between(F.col("l_shipdate"), date(1995, 9, 1), date(1995, 10, 1)))
        .join(t["part"], F.col("l_partkey") == F.col("p_partkey"))
        .agg((100 * F.sum(promoted) / F.sum(revenue(F))).alias("promo_revenue"))
    )


def q15(t: Tables, F: Any) -> Any:  # noqa: N803
    totals = (
        t["lineitem"]
        .filter(between(F.col("l_shipdate"), date(1996, 1, 1), date(1996, 4, 1)))
        .groupBy("l_suppkey")
        .agg(F.sum(revenue(F)).alias("total_revenue"))
    )
    most = totals.agg(F.max("total_revenue").alias("total_revenue"))
    return (
        t["supplier"]
        .join(totals, F.col("s_suppkey") == F.col("l_suppkey"))
        .join(most, on=["total_revenue"], how="left_semi")
        .select("s_suppkey", "s_name", "s_address", "s_phone", "total_revenue")
        .orderBy("s_suppkey")
    )


def q16(t: Tables, F: Any) -> Any:  # noqa: N803
    wanted = (
        t["part"]
        .filter((F.col("p_brand") != "Brand#45") & ~F.col("p_type").startswith("MEDIUM POLISHED"))
        .filter(F.col("p_size").isin(49, 14, 23, 45, 19, 3, 36, 9))
    )
    blamed = t["supplier"].filter(F.col("s_comment").like("%Customer%Complaints%"))
    return (
        t["partsupp"]
        .join(wanted, F.col("ps_partkey") == F.col("p_partkey"))
        .join(blamed, F.col("ps_suppkey") == F.col("s_suppkey"), "left_anti")
        .groupBy("p_brand", "p_type", "p_size")
        .agg(F.countDistinct("ps_suppkey").alias("supplier_cnt"))
        .orderBy(F.desc("supplier_cnt"), "p_brand", "p_type", "p_size")
    )


def q17(t: Tables, F: Any) -> Any:  # noqa: N803
    usual = t["lineitem"].groupBy("l_partkey").agg(F.avg("l_quantity").alias("usual"))
    return (
        t["part"]
        .filter((F.col("p_brand") == "Brand#23") & (F.col("p_container") == "MED BOX"))
        .join(t["lineitem"], F.col("p_partkey") == F.col("l_partkey"))
        .join(usual, on=["l_partkey"])
        .filter(F.col("l_quantity") < 0.2 * F.col("usual"))
        .agg((F.sum("l_extendedprice") / 7).alias("avg_yearly"))
    )


def q18(t: Tables, F: Any) -> Any:  # noqa: N803
    large = t["lineitem"].groupBy("l_orderkey").agg(F.sum("l_quantity").alias("sum_qty")).filter(F.col("sum_qty") > 300)
    return (
        t["orders"]
        .join(large, F.col("o_orderkey") == F.col("l_orderkey"))
        .join(t["customer"], F.col("o_custkey") == F.col("c_custkey"))
        .select("c_name", "c_custkey", "o_orderkey", "o_orderdate", "o_totalprice", "sum_qty")
        .orderBy(F.desc("o_totalprice"), "o_orderdate")
        .limit(100)
    )


def q19(t: Tables, F: Any) -> Any:  # noqa: N803
    kinds = (
        ("Brand#12", ("SM CASE", "SM BOX", "SM PACK", "SM PKG"), 1, 5),
        ("Brand#23", ("MED BAG", "MED BOX", "MED PKG", "MED PACK"), 10, 10),
        ("Brand#34", ("LG CASE", "LG BOX", "LG PACK", "LG PKG"), 20, 15),
    )
    parts = F.lit(False)
    for brand, containers, quantity, size in kinds:
        parts = parts | (
            (F.col("p_brand") == brand)
            & F.col("p_container").isin(*containers)
            & F.col("l_quantity").between(quantity, quantity + 10)
            & F.col("p_size").between(1, size)
        )
    return (
        t["lineitem"]
        .filter(F.col("l_shipmode").isin("AIR", "AIR REG") & (F.col("l_shipinstruct") == "DELIVER IN PERSON"))
        .join(t["part"], F.col("l_partkey") == F.col("p_partkey"))
        .filter(parts)
        .agg(F.sum(revenue(F)).alias("revenue"))
    )


def q20(t: Tables, F: Any) -> Any:  # noqa: N803
    forest = t["part"].filter(F.col("p_name").startswith("forest"))
    shipped = (
        t["lineitem"]
        .filter(between(F.col("l_shipdate"), date(1994, 1, 1), date(1995, 1, 1)))
        .groupBy(F.col("l_partkey").alias("ps_partkey"), F.col("l_suppkey").alias("ps_suppkey"))
        .agg(F.sum("l_quantity").alias("shipped"))
    )
    surplus = (
        t["partsupp"]
        .join(forest, F.col("ps_partkey") == F.col("p_partkey"), "left_semi")
        .join(shipped, on=["ps_partkey", "ps_suppkey"])
        .filter(F.col("ps_availqty") > 0.5 * F.col("shipped"))
    )
    return (
        t["supplier"]
        .join(t["nation"], F.col("s_nationkey") == F.col("n_nationkey"))
        .filter(F.col("n_name") == "CANADA")
        .join(surplus, F.col("s_suppkey") == F.col("ps_suppkey"), "left_semi")
        .select("s_name", "s_address")
        .orderBy("s_name")
    )


def q21(t: Tables, F: Any) -> Any:  # noqa: N803
    late = t["lineitem"].filter(F.col("l_receiptdate") > F.col("l_commitdate"))
    ends = F.min("l_suppkey").alias("low"), F.max("l_suppkey").alias("high")
    shared = t["lineitem"].groupBy("l_orderkey").agg(*ends).filter(F.col("low") < F.col("high"))
    one_late = late.groupBy("l_orderkey").agg(*ends).filter(F.col("low") == F.col("high"))
    finished = t["orders"].filter(F.col("o_orderstatus") == "F")
    return (
        late.join(shared, on=["l_orderkey"], how="left_semi")
        .join(one_late, on=["l_orderkey"], how="left_semi")
        .join(finished, F.col("l_orderkey") == F.col("o_orderkey"), "left_semi")
        .join(t["supplier"], F.col("l_suppkey") == F.col("s_suppkey"))
        .join(t["nation"], F.col("s_nationkey") == F.col("n_nationkey"))
        .filter(F.col("n_name") == "SAUDI ARABIA")
        .groupBy("s_name")
        .agg(F.count("*").alias("numwait"))
        .orderBy(F.desc("numwait"), "s_name")
        .limit(100)
    )


def q22(t: Tables, F: Any) -> Any:  # noqa: N803
    customers = (
        t["customer"]
        .withColumn("cntrycode", F.substring(F.col("c_phone"), 1, 2))
        .filter(F.col("cntrycode").isin("13", "31", "23", "29", "30", "18", "17"))
    )
    mean = customers.filter(F.col("c_acctbal") > 0).agg(F.avg("c_acctbal").alias("mean"))
    return (
        customers.crossJoin(mean)
        .filter(F.col("c_acctbal") > F.col("mean"))
        .join(t["orders"], F.col("c_custkey") == F.col("o_custkey"), "left_anti")
        .groupBy("cntrycode")
        .agg(F.count("*").alias("numcust"), F.sum("c_acctbal").alias("totacctbal"))
        .orderBy("cntrycode")
    )
