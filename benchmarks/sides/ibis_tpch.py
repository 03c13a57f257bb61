"""The 22 queries of TPC-H as ibis expressions, each as ``mdfsql.queries.tpch_chains`` has it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import ibis
from ibis import _

Tables = Mapping[str, Any]

REVENUE = _.l_extendedprice * (1 - _.l_discount)


def q01(t: Tables) -> Any:
    return (
        t["lineitem"]
        .filter(_.l_shipdate <= date(1998, 9, 2))
        .group_by("l_returnflag", "l_linestatus")
        .aggregate(
            sum_qty=_.l_quantity.sum(),
            sum_base_price=_.l_extendedprice.sum(),
            sum_disc_price=REVENUE.sum(),
            sum_charge=(REVENUE * (1 + _.l_tax)).sum(),
            avg_qty=_.l_quantity.mean(),
            avg_price=_.l_extendedprice.mean(),
            avg_disc=_.l_discount.mean(),
            count_order=_.count(),
        )
        .order_by("l_returnflag", "l_linestatus")
    )


def q02(t: Tables) -> Any:
    offers = (
        t["partsupp"]
        .join(t["supplier"], _.ps_suppkey == t["supplier"].s_suppkey)
        .join(t["nation"], _.s_nationkey == t["nation"].n_nationkey)
        .join(t["region"], _.n_regionkey == t["region"].r_regionkey)
        .filter(_.r_name == "EUROPE")
    )
    lowest = offers.group_by("ps_partkey").aggregate(ps_supplycost=_.ps_supplycost.min())
    parts = t["part"].filter(_.p_size == 15, _.p_type.endswith("BRASS"))
    return (
        parts.join(offers, parts.p_partkey == offers.ps_partkey)
        .join(lowest, ["ps_partkey", "ps_supplycost"], how="semi")
        .select("s_acctbal", "s_name", "n_name", "p_partkey", "p_mfgr", "s_address", "s_phone", "s_comment")
        .order_by(ibis.desc("s_acctbal"), "n_name", "s_name", "p_partkey")
        .limit(100)
    )


def q03(t: Tables) -> Any:
    today = date(1995, 3, 15)
    return (
        t["customer"]
        .filter(_.c_mktsegment == "BUILDING")
        .join(t["orders"], _.c_custkey == t["orders"].o_custkey)
        .join(t["lineitem"], _.o_orderkey == t["lineitem"].l_orderkey)
        .filter(_.o_orderdate < today, _.l_shipdate > today)
        .group_by("l_orderkey", "o_orderdate", "o_shippriority")
        .aggregate(revenue=REVENUE.sum())
        .select("l_orderkey", "revenue", "o_orderdate", "o_shippriority")
        .order_by(ibis.desc("revenue"), "o_orderdate")
        .limit(10)
    )


def q04(t: Tables) -> Any:
    late = t["lineitem"].filter(_.l_commitdate < _.l_receiptdate)
    orders = t["orders"].filter(_.o_orderdate >= date(1993, 7, 1), _.o_orderdate < date(1993, 10, 1))
    return (
        orders.join(late, orders.o_orderkey == late.l_orderkey, how="semi")
        .group_by("o_orderpriority")
        .aggregate(order_count=_.count())
        .order_by("o_orderpriority")
    )


def q05(t: Tables) -> Any:
    supplier = t["supplier"]
    return (
        t["customer"]
        .join(t["orders"], _.c_custkey == t["orders"].o_custkey)
        .join(t["lineitem"], _.o_orderkey == t["lineitem"].l_orderkey)
        .join(supplier, [_.l_suppkey == supplier.s_suppkey, _.c_nationkey == supplier.s_nationkey])
        .join(t["nation"], _.s_nationkey == t["nation"].n_nationkey)
        .join(t["region"], _.n_regionkey == t["region"].r_regionkey)
        .filter(_.r_name == "ASIA", _.o_orderdate >= date(1994, 1, 1), _.o_orderdate < date(1995, 1, 1))
        .group_by("n_name")
        .aggregate(revenue=REVENUE.sum())
        .order_by(ibis.desc("revenue"))
    )


def q06(t: Tables) -> Any:
    return (
        t["lineitem"]
        .filter(_.l_shipdate >= date(1994, 1, 1), _.l_shipdate < date(1995, 1, 1), _.l_quantity < 24)
        .filter(_.l_discount.between(0.05, 0.07))
        .aggregate(revenue=(_.l_extendedprice * _.l_discount).sum())
    )


def q07(t: Tables) -> Any:
    sellers = t["nation"].select(supp_key="n_nationkey", supp_nation="n_name")
    buyers = t["nation"].select(cust_key="n_nationkey", cust_nation="n_name")
    return (
        t["lineitem"]
        .filter(_.l_shipdate.between(date(1995, 1, 1), date(1996, 12, 31)))
        .join(t["supplier"], _.l_suppkey == t["supplier"].s_suppkey)
        .join(t["orders"], _.l_orderkey == t["orders"].o_orderkey)
        .join(t["customer"], _.o_custkey == t["customer"].c_custkey)
        .join(sellers, _.s_nationkey == sellers.supp_key)
        .join(buyers, _.c_nationkey == buyers.cust_key)
        .filter(
            ((_.supp_nation == "FRANCE") & (_.cust_nation == "GERMANY"))
            | ((_.supp_nation == "GERMANY") & (_.cust_nation == "FRANCE"))
        )
        .group_by("supp_nation", "cust_nation", l_year=_.l_shipdate.year())
        .aggregate(revenue=REVENUE.sum())
        .order_by("supp_nation", "cust_nation", "l_year")
    )


def q08(t: Tables) -> Any:
    sellers = t["nation"].select(supp_key="n_nationkey", nation="n_name")
    brazilian = ibis.cases((_.nation == "BRAZIL", REVENUE), else_=0)
    return (
        t["part"]
        .filter(_.p_type == "ECONOMY ANODIZED STEEL")
        .join(t["lineitem"], _.p_partkey == t["lineitem"].l_partkey)
        .join(t["supplier"], _.l_suppkey == t["supplier"].s_suppkey)
        .join(t["orders"], _.l_orderkey == t["orders"].o_orderkey)
        .join(t["customer"], _.o_custkey == t["customer"].c_custkey)
        .join(t["nation"], _.c_nationkey == t["nation"].n_nationkey)
        .join(t["region"], _.n_regionkey == t["region"].r_regionkey)
        .join(sellers, _.s_nationkey == sellers.supp_key)
        .filter(_.r_name == "AMERICA", _.o_orderdate.between(date(1995, 1, 1), date(1996, 12, 31)))
        .group_by(o_year=_.o_orderdate.year())
        .aggregate(mkt_share=brazilian.sum() / REVENUE.sum())
        .order_by("o_year")
    )


def q09(t: Tables) -> Any:
    partsupp = t["partsupp"]
    return (
        t["part"]
        .filter(_.p_name.contains("green"))
        .join(t["lineitem"], _.p_partkey == t["lineitem"].l_partkey)
        .join(partsupp, [_.l_partkey == partsupp.ps_partkey, _.l_suppkey == partsupp.ps_suppkey])
        .join(t["supplier"], _.l_suppkey == t["supplier"].s_suppkey)
        .join(t["orders"], _.l_orderkey == t["orders"].o_orderkey)
        .join(t["nation"], _.s_nationkey == t["nation"].n_nationkey)
        .group_by(nation=_.n_name, o_year=_.o_orderdate.year())
        .aggregate(sum_profit=(REVENUE - _.ps_supplycost * _.l_quantity).sum())
        .order_by("nation", ibis.desc("o_year"))
    )


def q10(t: Tables) -> Any:
    return (
        t["customer"]
        .join(t["orders"], _.c_custkey == t["orders"].o_custkey)
        .join(t["lineitem"], _.o_orderkey == t["lineitem"].l_orderkey)
        .join(t["nation"], _.c_nationkey == t["nation"].n_nationkey)
        .filter(_.o_orderdate >= date(1993, 10, 1), _.o_orderdate < date(1994, 1, 1), _.l_returnflag == "R")
        .group_by("c_custkey", "c_name", "c_acctbal", "c_phone", "n_name", "c_address", "c_comment")
        .aggregate(revenue=REVENUE.sum())
        .select("c_custkey", "c_name", "revenue", "c_acctbal", "n_name", "c_address", "c_phone", "c_comment")
        .order_by(ibis.desc("revenue"))
        .limit(20)
    )


def q11(t: Tables) -> Any:
    worth = (_.ps_supplycost * _.ps_availqty).sum()
    stock = (
        t["partsupp"]
        .join(t["supplier"], _.ps_suppkey == t["supplier"].s_suppkey)
        .join(t["nation"], _.s_nationkey == t["nation"].n_nationkey)
        .filter(_.n_name == "GERMANY")
    )
    return (
        stock.group_by("ps_partkey")
        .aggregate(value=worth)
        .cross_join(stock.aggregate(total=worth))
        .filter(_.value > _.total * 0.0001)
        .drop("total")
        .order_by(ibis.desc("value"))
    )
