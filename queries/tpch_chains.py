"""The TPC-H queries as Dataset code: each function takes the tables and gives the same answer as the SQL text.

Row functions where the test is about one row in Python's terms, ``mdf.col`` where it is arithmetic in SQL's, SQL text
where that is shortest: they are all one tree. ``EXISTS`` is a semi join here, ``NOT EXISTS`` an anti join, and a
subquery that gives one value is a cross join with its one row.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import mdfsql as mdf

Tables = Mapping[str, mdf.Dataset]

REVENUE = mdf.col("l_extendedprice") * (1 - mdf.col("l_discount"))


def q01(tables: Tables) -> mdf.Dataset:
    """Sum up what was billed, shipped and discounted for each return flag and line status."""
    last = date(1998, 12, 1) - timedelta(days=90)
    return (
        tables["lineitem"]
        .filter(lambda i: i["l_shipdate"] <= last)
        .group_by("l_returnflag", "l_linestatus")
        .aggregate(
            sum_qty=mdf.sum("l_quantity"),
            sum_base_price=mdf.sum("l_extendedprice"),
            sum_disc_price=mdf.sum(REVENUE),
            sum_charge=mdf.sum(REVENUE * (1 + mdf.col("l_tax"))),
            avg_qty=mdf.avg("l_quantity"),
            avg_price=mdf.avg("l_extendedprice"),
            avg_disc=mdf.avg("l_discount"),
            count_order=mdf.count(),
        )
        .order_by("l_returnflag", "l_linestatus")
    )


def q02(tables: Tables) -> mdf.Dataset:
    """Find the European suppliers that offer a brass part of size 15 at the lowest cost in the region."""
    offers = (
        tables["partsupp"]
        .join(tables["supplier"], on=lambda ps, s: ps["ps_suppkey"] == s["s_suppkey"])
        .join(tables["nation"], on=lambda s, n: s["s_nationkey"] == n["n_nationkey"])
        .join(tables["region"], on=lambda n, r: n["n_regionkey"] == r["r_regionkey"])
        .filter(lambda r: r["r_name"] == "EUROPE")
    )
    lowest = offers.group_by("ps_partkey").aggregate(ps_supplycost=mdf.min("ps_supplycost"))
    return (
        tables["part"]
        .filter(lambda p: p["p_size"] == 15 and p["p_type"].endswith("BRASS"))
        .join(offers, on=lambda p, o: p["p_partkey"] == o["ps_partkey"])
        .join(lowest, on=["ps_partkey", "ps_supplycost"], how="semi")
        .select("s_acctbal", "s_name", "n_name", "p_partkey", "p_mfgr", "s_address", "s_phone", "s_comment")
        .order_by(mdf.desc("s_acctbal"), "n_name", "s_name", "p_partkey")
        .limit(100)
    )


def q03(tables: Tables) -> mdf.Dataset:
    """List the ten unshipped orders of the building segment that are worth the most."""
    today = date(1995, 3, 15)
    return (
        tables["customer"]
        .filter(lambda c: c["c_mktsegment"] == "BUILDING")
        .join(tables["orders"], on=lambda c, o: c["c_custkey"] == o["o_custkey"])
        .join(tables["lineitem"], on=lambda o, i: o["o_orderkey"] == i["l_orderkey"])
        .filter(lambda r: r["o_orderdate"] < today < r["l_shipdate"])
        .group_by("l_orderkey", "o_orderdate", "o_shippriority")
        .aggregate(revenue=mdf.sum(REVENUE))
        .select("l_orderkey", "revenue", "o_orderdate", "o_shippriority")
        .order_by(mdf.desc("revenue"), "o_orderdate")
        .limit(10)
    )


def q04(tables: Tables) -> mdf.Dataset:
    """Count the orders of each priority that had a line received after its committed date."""
    start, end = date(1993, 7, 1), date(1993, 10, 1)
    late = tables["lineitem"].filter(lambda i: i["l_commitdate"] < i["l_receiptdate"])
    return (
        tables["orders"]
        .filter(lambda o: start <= o["o_orderdate"] < end)
        .join(late, on=lambda o, i: o["o_orderkey"] == i["l_orderkey"], how="semi")
        .group_by("o_orderpriority")
        .aggregate(order_count=mdf.count())
        .order_by("o_orderpriority")
    )


def q05(tables: Tables) -> mdf.Dataset:
    """Sum up the revenue of each Asian nation from suppliers selling to customers of the same nation."""
    start, end = date(1994, 1, 1), date(1995, 1, 1)
    return (
        tables["customer"]
        .join(tables["orders"], on=lambda c, o: c["c_custkey"] == o["o_custkey"])
        .join(tables["lineitem"], on=lambda o, i: o["o_orderkey"] == i["l_orderkey"])
        .join(
            tables["supplier"],
            on=lambda i, s: i["l_suppkey"] == s["s_suppkey"] and i["c_nationkey"] == s["s_nationkey"],
        )
        .join(tables["nation"], on=lambda s, n: s["s_nationkey"] == n["n_nationkey"])
        .join(tables["region"], on=lambda n, r: n["n_regionkey"] == r["r_regionkey"])
        .filter(lambda r: r["r_name"] == "ASIA" and start <= r["o_orderdate"] < end)
        .group_by("n_name")
        .aggregate(revenue=mdf.sum(REVENUE))
        .order_by("revenue", descending=True)
    )


def q06(tables: Tables) -> mdf.Dataset:
    """Sum up what small orders would have earned more without their discounts."""
    start, end = date(1994, 1, 1), date(1995, 1, 1)
    return (
        tables["lineitem"]
        .filter(lambda i: start <= i["l_shipdate"] < end and i["l_quantity"] < 24)
        .filter(mdf.col("l_discount").between(Decimal("0.05"), Decimal("0.07")))
        .aggregate(revenue=mdf.sum(mdf.col("l_extendedprice") * mdf.col("l_discount")))
    )


def q07(tables: Tables) -> mdf.Dataset:
    """Sum up what was shipped between France and Germany, in each direction and year."""
    start, end = date(1995, 1, 1), date(1996, 12, 31)
    sellers = tables["nation"].select(supp_key="n_nationkey", supp_nation="n_name")
    buyers = tables["nation"].select(cust_key="n_nationkey", cust_nation="n_name")
    return (
        tables["lineitem"]
        .filter(lambda i: start <= i["l_shipdate"] <= end)
        .join(tables["supplier"], on=lambda i, s: i["l_suppkey"] == s["s_suppkey"])
        .join(tables["orders"], on=lambda i, o: i["l_orderkey"] == o["o_orderkey"])
        .join(tables["customer"], on=lambda o, c: o["o_custkey"] == c["c_custkey"])
        .join(sellers, on=lambda s, n: s["s_nationkey"] == n["supp_key"])
        .join(buyers, on=lambda c, n: c["c_nationkey"] == n["cust_key"])
        .filter(
            lambda r: (
                (r["supp_nation"] == "FRANCE" and r["cust_nation"] == "GERMANY")
                or (r["supp_nation"] == "GERMANY" and r["cust_nation"] == "FRANCE")
            )
        )
        .group_by("supp_nation", "cust_nation", l_year="EXTRACT(YEAR FROM l_shipdate)")
        .aggregate(revenue=mdf.sum(REVENUE))
        .order_by("supp_nation", "cust_nation", "l_year")
    )


def q08(tables: Tables) -> mdf.Dataset:
    """Work out the share of Brazil's suppliers in the American market for economy anodized steel."""
    start, end = date(1995, 1, 1), date(1996, 12, 31)
    sellers = tables["nation"].select(supp_key="n_nationkey", nation="n_name")
    brazilian = mdf.when(mdf.col("nation") == "BRAZIL", REVENUE, 0)
    return (
        tables["part"]
        .filter(lambda p: p["p_type"] == "ECONOMY ANODIZED STEEL")
        .join(tables["lineitem"], on=lambda p, i: p["p_partkey"] == i["l_partkey"])
        .join(tables["supplier"], on=lambda i, s: i["l_suppkey"] == s["s_suppkey"])
        .join(tables["orders"], on=lambda i, o: i["l_orderkey"] == o["o_orderkey"])
        .join(tables["customer"], on=lambda o, c: o["o_custkey"] == c["c_custkey"])
        .join(tables["nation"], on=lambda c, n: c["c_nationkey"] == n["n_nationkey"])
        .join(tables["region"], on=lambda n, r: n["n_regionkey"] == r["r_regionkey"])
        .join(sellers, on=lambda s, n: s["s_nationkey"] == n["supp_key"])
        .filter(lambda r: r["r_name"] == "AMERICA" and start <= r["o_orderdate"] <= end)
        .group_by(o_year="EXTRACT(YEAR FROM o_orderdate)")
        .aggregate(mkt_share=mdf.sum(brazilian) / mdf.sum(REVENUE))
        .order_by("o_year")
    )


def q09(tables: Tables) -> mdf.Dataset:
    """Sum up the profit of each nation's suppliers each year on parts with green in their name."""
    return (
        tables["part"]
        .filter(lambda p: "green" in p["p_name"])
        .join(tables["lineitem"], on=lambda p, i: p["p_partkey"] == i["l_partkey"])
        .join(
            tables["partsupp"],
            on=lambda i, ps: i["l_partkey"] == ps["ps_partkey"] and i["l_suppkey"] == ps["ps_suppkey"],
        )
        .join(tables["supplier"], on=lambda i, s: i["l_suppkey"] == s["s_suppkey"])
        .join(tables["orders"], on=lambda i, o: i["l_orderkey"] == o["o_orderkey"])
        .join(tables["nation"], on=lambda s, n: s["s_nationkey"] == n["n_nationkey"])
        .group_by(nation="n_name", o_year="EXTRACT(YEAR FROM o_orderdate)")
        .aggregate(sum_profit=mdf.sum(REVENUE - mdf.col("ps_supplycost") * mdf.col("l_quantity")))
        .order_by("nation", mdf.desc("o_year"))
    )


def q10(tables: Tables) -> mdf.Dataset:
    """List the twenty customers that cost the most revenue by returning parts."""
    start, end = date(1993, 10, 1), date(1994, 1, 1)
    return (
        tables["customer"]
        .join(tables["orders"], on=lambda c, o: c["c_custkey"] == o["o_custkey"])
        .join(tables["lineitem"], on=lambda o, i: o["o_orderkey"] == i["l_orderkey"])
        .join(tables["nation"], on=lambda c, n: c["c_nationkey"] == n["n_nationkey"])
        .filter(lambda r: start <= r["o_orderdate"] < end and r["l_returnflag"] == "R")
        .group_by("c_custkey", "c_name", "c_acctbal", "c_phone", "n_name", "c_address", "c_comment")
        .aggregate(revenue=mdf.sum(REVENUE))
        .select("c_custkey", "c_name", "revenue", "c_acctbal", "n_name", "c_address", "c_phone", "c_comment")
        .order_by("revenue", descending=True)
        .limit(20)
    )


def q11(tables: Tables) -> mdf.Dataset:
    """List the parts that make up more than a ten-thousandth of the stock of German suppliers."""
    worth = mdf.sum(mdf.col("ps_supplycost") * mdf.col("ps_availqty"))
    stock = (
        tables["partsupp"]
        .join(tables["supplier"], on=lambda ps, s: ps["ps_suppkey"] == s["s_suppkey"])
        .join(tables["nation"], on=lambda s, n: s["s_nationkey"] == n["n_nationkey"])
        .filter(lambda n: n["n_name"] == "GERMANY")
    )
    return (
        stock.group_by("ps_partkey")
        .aggregate(value=worth)
        .join(stock.aggregate(total=worth), how="cross")
        .filter("value > total * 0.0001")
        .drop("total")
        .order_by("value", descending=True)
    )


def q12(tables: Tables) -> mdf.Dataset:
    """Count the late lines of orders of high and of low priority by shipping mode."""
    start, end = date(1994, 1, 1), date(1995, 1, 1)
    high = mdf.col("o_orderpriority").is_in(["1-URGENT", "2-HIGH"])
    return (
        tables["lineitem"]
        .filter(lambda i: i["l_shipmode"] in ("MAIL", "SHIP") and start <= i["l_receiptdate"] < end)
        .filter(lambda i: i["l_shipdate"] < i["l_commitdate"] < i["l_receiptdate"])
        .join(tables["orders"], on=lambda i, o: i["l_orderkey"] == o["o_orderkey"])
        .group_by("l_shipmode")
        .aggregate(high_line_count=mdf.sum(mdf.when(high, 1, 0)), low_line_count=mdf.sum(mdf.when(~high, 1, 0)))
        .order_by("l_shipmode")
    )


def q13(tables: Tables) -> mdf.Dataset:
    """Count the customers by how many orders they have placed, those without any among them."""
    plain = tables["orders"].filter(~mdf.col("o_comment").like("%special%requests%"))
    return (
        tables["customer"]
        .join(plain, on=lambda c, o: c["c_custkey"] == o["o_custkey"], how="left")
        .group_by("c_custkey")
        .aggregate(c_count=mdf.count("o_orderkey"))
        .group_by("c_count")
        .aggregate(custdist=mdf.count())
        .order_by("custdist", "c_count", descending=True)
    )


def q14(tables: Tables) -> mdf.Dataset:
    """Work out the percentage of a month's revenue that came from parts on promotion."""
    start, end = date(1995, 9, 1), date(1995, 10, 1)
    promoted = mdf.when(mdf.col("p_type").like("PROMO%"), REVENUE, 0)
    return (
        tables["lineitem"]
        .filter(lambda i: start <= i["l_shipdate"] < end)
        .join(tables["part"], on=lambda i, p: i["l_partkey"] == p["p_partkey"])
        .aggregate(promo_revenue=100 * mdf.sum(promoted) / mdf.sum(REVENUE))
    )


def q15(tables: Tables) -> mdf.Dataset:
    """Find the supplier, or the suppliers, that brought in the most revenue in a quarter."""
    start, end = date(1996, 1, 1), date(1996, 4, 1)
    revenue = (
        tables["lineitem"]
        .filter(lambda i: start <= i["l_shipdate"] < end)
        .group_by("l_suppkey")
        .aggregate(total_revenue=mdf.sum(REVENUE))
    )
    most = revenue.aggregate(total_revenue=mdf.max("total_revenue"))
    return (
        tables["supplier"]
        .join(revenue, on=lambda s, r: s["s_suppkey"] == r["l_suppkey"])
        .join(most, on="total_revenue", how="semi")
        .select("s_suppkey", "s_name", "s_address", "s_phone", "total_revenue")
        .order_by("s_suppkey")
    )


def q16(tables: Tables) -> mdf.Dataset:
    """Count the suppliers without complaints that can deliver each brand, type and size."""
    sizes = (49, 14, 23, 45, 19, 3, 36, 9)
    wanted = tables["part"].filter(
        lambda p: p["p_brand"] != "Brand#45" and not p["p_type"].startswith("MEDIUM POLISHED") and p["p_size"] in sizes
    )
    blamed = tables["supplier"].filter(mdf.col("s_comment").like("%Customer%Complaints%"))
    return (
        tables["partsupp"]
        .join(wanted, on=lambda ps, p: ps["ps_partkey"] == p["p_partkey"])
        .join(blamed, on=lambda ps, s: ps["ps_suppkey"] == s["s_suppkey"], how="anti")
        .group_by("p_brand", "p_type", "p_size")
        .aggregate(supplier_cnt=mdf.count_distinct("ps_suppkey"))
        .order_by(mdf.desc("supplier_cnt"), "p_brand", "p_type", "p_size")
    )


def q17(tables: Tables) -> mdf.Dataset:
    """Work out the revenue a year from orders below a fifth of the usual quantity of a part."""
    usual = tables["lineitem"].group_by("l_partkey").aggregate(usual=mdf.avg("l_quantity"))
    return (
        tables["part"]
        .filter(lambda p: p["p_brand"] == "Brand#23" and p["p_container"] == "MED BOX")
        .join(tables["lineitem"], on=lambda p, i: p["p_partkey"] == i["l_partkey"])
        .join(usual, on="l_partkey")
        .filter("l_quantity < 0.2 * usual")
        .aggregate(avg_yearly=mdf.sum("l_extendedprice") / 7)
    )


def q18(tables: Tables) -> mdf.Dataset:
    """List the hundred most expensive orders of more than 300 units, and who placed them."""
    large = (
        tables["lineitem"]
        .group_by("l_orderkey")
        .aggregate(sum_qty=mdf.sum("l_quantity"))
        .filter(lambda i: i["sum_qty"] > 300)
    )
    return (
        tables["orders"]
        .join(large, on=lambda o, i: o["o_orderkey"] == i["l_orderkey"])
        .join(tables["customer"], on=lambda o, c: o["o_custkey"] == c["c_custkey"])
        .select("c_name", "c_custkey", "o_orderkey", "o_orderdate", "o_totalprice", "sum_qty")
        .order_by(mdf.desc("o_totalprice"), "o_orderdate")
        .limit(100)
    )


def q19(tables: Tables) -> mdf.Dataset:
    """Sum up what three kinds of parts earned, each a brand with its containers, quantities and sizes."""
    kinds = (
        ("Brand#12", ("SM CASE", "SM BOX", "SM PACK", "SM PKG"), 1, 5),
        ("Brand#23", ("MED BAG", "MED BOX", "MED PKG", "MED PACK"), 10, 10),
        ("Brand#34", ("LG CASE", "LG BOX", "LG PACK", "LG PKG"), 20, 15),
    )
    parts = mdf.lit(False)
    for brand, containers, quantity, size in kinds:
        parts |= (
            (mdf.col("p_brand") == brand)
            & mdf.col("p_container").is_in(containers)
            & mdf.col("l_quantity").between(quantity, quantity + 10)
            & mdf.col("p_size").between(1, size)
        )
    return (
        tables["lineitem"]
        .filter(lambda i: i["l_shipmode"] in ("AIR", "AIR REG") and i["l_shipinstruct"] == "DELIVER IN PERSON")
        .join(tables["part"], on=lambda i, p: i["l_partkey"] == p["p_partkey"])
        .filter(parts)
        .aggregate(revenue=mdf.sum(REVENUE))
    )


def q20(tables: Tables) -> mdf.Dataset:
    """List the Canadian suppliers that hold more than half of what they shipped in a year of some forest part."""
    start, end = date(1994, 1, 1), date(1995, 1, 1)
    forest = tables["part"].filter(lambda p: p["p_name"].startswith("forest"))
    shipped = (
        tables["lineitem"]
        .filter(lambda i: start <= i["l_shipdate"] < end)
        .group_by(ps_partkey="l_partkey", ps_suppkey="l_suppkey")
        .aggregate(shipped=mdf.sum("l_quantity"))
    )
    surplus = (
        tables["partsupp"]
        .join(forest, on=lambda ps, p: ps["ps_partkey"] == p["p_partkey"], how="semi")
        .join(shipped, on=["ps_partkey", "ps_suppkey"])
        .filter("ps_availqty > 0.5 * shipped")
    )
    return (
        tables["supplier"]
        .join(tables["nation"], on=lambda s, n: s["s_nationkey"] == n["n_nationkey"])
        .filter(lambda n: n["n_name"] == "CANADA")
        .join(surplus, on=lambda s, ps: s["s_suppkey"] == ps["ps_suppkey"], how="semi")
        .select("s_name", "s_address")
        .order_by("s_name")
    )


def q21(tables: Tables) -> mdf.Dataset:
    """Count for each Saudi supplier the finished orders of several suppliers in which it alone was late."""
    late = tables["lineitem"].filter(lambda i: i["l_receiptdate"] > i["l_commitdate"])
    ends = {"low": mdf.min("l_suppkey"), "high": mdf.max("l_suppkey")}
    shared = tables["lineitem"].group_by("l_orderkey").aggregate(**ends).filter(lambda o: o["low"] < o["high"])
    one_late = late.group_by("l_orderkey").aggregate(**ends).filter(lambda o: o["low"] == o["high"])
    finished = tables["orders"].filter(lambda o: o["o_orderstatus"] == "F")
    return (
        late.join(shared, on="l_orderkey", how="semi")
        .join(one_late, on="l_orderkey", how="semi")
        .join(finished, on=lambda i, o: i["l_orderkey"] == o["o_orderkey"], how="semi")
        .join(tables["supplier"], on=lambda i, s: i["l_suppkey"] == s["s_suppkey"])
        .join(tables["nation"], on=lambda s, n: s["s_nationkey"] == n["n_nationkey"])
        .filter(lambda n: n["n_name"] == "SAUDI ARABIA")
        .group_by("s_name")
        .aggregate(numwait=mdf.count())
        .order_by(mdf.desc("numwait"), "s_name")
        .limit(100)
    )


def q22(tables: Tables) -> mdf.Dataset:
    """Count the customers of seven country codes with more money than most and without any order."""
    codes = ("13", "31", "23", "29", "30", "18", "17")
    customers = (
        tables["customer"].with_columns(cntrycode=lambda c: c["c_phone"][:2]).filter(lambda c: c["cntrycode"] in codes)
    )
    mean = customers.filter(lambda c: c["c_acctbal"] > 0).aggregate(mean=mdf.avg("c_acctbal"))
    return (
        customers.join(mean, how="cross")
        .filter("c_acctbal > mean")
        .join(tables["orders"], on=lambda c, o: c["c_custkey"] == o["o_custkey"], how="anti")
        .group_by("cntrycode")
        .aggregate(numcust=mdf.count(), totacctbal=mdf.sum("c_acctbal"))
        .order_by("cntrycode")
    )
