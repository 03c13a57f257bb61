"""The queries 12 to 22 of TPC-H as ibis expressions, as ``ibis_tpch`` has the others."""

from __future__ import annotations

from datetime import date
from typing import Any

import ibis
from ibis import _

from benchmarks.sides.ibis_tpch import REVENUE, Tables


def q12(t: Tables) -> Any:
    high = _.o_orderpriority.isin(["1-URGENT", "2-HIGH"])
    return (
        t["lineitem"]
        .filter(_.l_shipmode.isin(["MAIL", "SHIP"]))
        .filter(_.l_receiptdate >= date(1994, 1, 1), _.l_receiptdate < date(1995, 1, 1))
        .filter(_.l_shipdate < _.l_commitdate, _.l_commitdate < _.l_receiptdate)
        .join(t["orders"], _.l_orderkey == t["orders"].o_orderkey)
        .group_by("l_shipmode")
        .aggregate(high_line_count=high.ifelse(1, 0).sum(), low_line_count=(~high).ifelse(1, 0).sum())
        .order_by("l_shipmode")
    )


def q13(t: Tables) -> Any:
    plain = t["orders"].filter(~_.o_comment.like("%special%requests%"))
    return (
        t["customer"]
        .join(plain, t["customer"].c_custkey == plain.o_custkey, how="left")
        .group_by("c_custkey")
        .aggregate(c_count=_.o_orderkey.count())
        .group_by("c_count")
        .aggregate(custdist=_.count())
        .order_by(ibis.desc("custdist"), ibis.desc("c_count"))
    )


def q14(t: Tables) -> Any:
    promoted = ibis.cases((_.p_type.like("PROMO%"), REVENUE), else_=0)
    return (
        t["lineitem"]
        .filter(_.l_shipdate >= date(1995, 9, 1), _.l_shipdate < date(1995, 10, 1))
        .join(t["part"], _.l_partkey == t["part"].p_partkey)
        .aggregate(promo_revenue=100 * promoted.sum() / REVENUE.sum())
    )


def q15(t: Tables) -> Any:
    revenue = (
        t["lineitem"]
        .filter(_.l_shipdate >= date(1996, 1, 1), _.l_shipdate < date(1996, 4, 1))
        .group_by("l_suppkey")
        .aggregate(total_revenue=REVENUE.sum())
    )
    most = revenue.aggregate(total_revenue=_.total_revenue.max())
    return (
        t["supplier"]
        .join(revenue, t["supplier"].s_suppkey == revenue.l_suppkey)
        .join(most, "total_revenue", how="semi")
        .select("s_suppkey", "s_name", "s_address", "s_phone", "total_revenue")
        .order_by("s_suppkey")
    )


def q16(t: Tables) -> Any:
    wanted = t["part"].filter(
        _.p_brand != "Brand#45",
        ~_.p_type.startswith("MEDIUM POLISHED"),
        _.p_size.isin([49, 14, 23, 45, 19, 3, 36, 9]),
    )
    blamed = t["supplier"].filter(_.s_comment.like("%Customer%Complaints%"))
    return (
        t["partsupp"]
        .join(wanted, t["partsupp"].ps_partkey == wanted.p_partkey)
        .join(blamed, _.ps_suppkey == blamed.s_suppkey, how="anti")
        .group_by("p_brand", "p_type", "p_size")
        .aggregate(supplier_cnt=_.ps_suppkey.nunique())
        .order_by(ibis.desc("supplier_cnt"), "p_brand", "p_type", "p_size")
    )


def q17(t: Tables) -> Any:
    usual = t["lineitem"].group_by("l_partkey").aggregate(usual=_.l_quantity.mean())
    return (
        t["part"]
        .filter(_.p_brand == "Brand#23", _.p_container == "MED BOX")
        .join(t["lineitem"], _.p_partkey == t["lineitem"].l_partkey)
        .join(usual, "l_partkey")
        .filter(_.l_quantity < 0.2 * _.usual)
        .aggregate(avg_yearly=_.l_extendedprice.sum() / 7)
    )


def q18(t: Tables) -> Any:
    large = t["lineitem"].group_by("l_orderkey").aggregate(sum_qty=_.l_quantity.sum()).filter(_.sum_qty > 300)
    return (
        t["orders"]
        .join(large, t["orders"].o_orderkey == large.l_orderkey)
        .join(t["customer"], _.o_custkey == t["customer"].c_custkey)
        .select("c_name", "c_custkey", "o_orderkey", "o_orderdate", "o_totalprice", "sum_qty")
        .order_by(ibis.desc("o_totalprice"), "o_orderdate")
        .limit(100)
    )


def q19(t: Tables) -> Any:
    kinds = (
        ("Brand#12", ("SM CASE", "SM BOX", "SM PACK", "SM PKG"), 1, 5),
        ("Brand#23", ("MED BAG", "MED BOX", "MED PKG", "MED PACK"), 10, 10),
        ("Brand#34", ("LG CASE", "LG BOX", "LG PACK", "LG PKG"), 20, 15),
    )
    parts = ibis.literal(False)
    for brand, containers, quantity, size in kinds:
        parts |= (
            (_.p_brand == brand)
            & _.p_container.isin(containers)
            & _.l_quantity.between(quantity, quantity + 10)
            & _.p_size.between(1, size)
        )
    return (
        t["lineitem"]
        .filter(_.l_shipmode.isin(["AIR", "AIR REG"]), _.l_shipinstruct == "DELIVER IN PERSON")
        .join(t["part"], _.l_partkey == t["part"].p_partkey)
        .filter(parts)
        .aggregate(revenue=REVENUE.sum())
    )


def q20(t: Tables) -> Any:
    forest = t["part"].filter(_.p_name.startswith("forest"))
    shipped = (
        t["lineitem"]
        .filter(_.l_shipdate >= date(1994, 1, 1), _.l_shipdate < date(1995, 1, 1))
        .group_by(ps_partkey=_.l_partkey, ps_suppkey=_.l_suppkey)
        .aggregate(shipped=_.l_quantity.sum())
    )
    surplus = (
        t["partsupp"]
        .join(forest, t["partsupp"].ps_partkey == forest.p_partkey, how="semi")
        .join(shipped, ["ps_partkey", "ps_suppkey"])
        .filter(_.ps_availqty > 0.5 * _.shipped)
    )
    return (
        t["supplier"]
        .join(t["nation"], t["supplier"].s_nationkey == t["nation"].n_nationkey)
        .filter(_.n_name == "CANADA")
        .join(surplus, _.s_suppkey == surplus.ps_suppkey, how="semi")
        .select("s_name", "s_address")
        .order_by("s_name")
    )


def q21(t: Tables) -> Any:
    late = t["lineitem"].filter(_.l_receiptdate > _.l_commitdate)
    ends = {"low": _.l_suppkey.min(), "high": _.l_suppkey.max()}
    shared = t["lineitem"].group_by("l_orderkey").aggregate(**ends).filter(_.low < _.high)
    one_late = late.group_by("l_orderkey").aggregate(**ends).filter(_.low == _.high)
    finished = t["orders"].filter(_.o_orderstatus == "F")
    return (
        late.join(shared, "l_orderkey", how="semi")
        .join(one_late, "l_orderkey", how="semi")
        .join(finished, _.l_orderkey == finished.o_orderkey, how="semi")
        .join(t["supplier"], _.l_suppkey == t["supplier"].s_suppkey)
        .join(t["nation"], _.s_nationkey == t["nation"].n_nationkey)
        .filter(_.n_name == "SAUDI ARABIA")
        .group_by("s_name")
        .aggregate(numwait=_.count())
        .order_by(ibis.desc("numwait"), "s_name")
        .limit(100)
    )


def q22(t: Tables) -> Any:
    codes = ("13", "31", "23", "29", "30", "18", "17")
    customers = t["customer"].mutate(cntrycode=_.c_phone.substr(0, 2)).filter(_.cntrycode.isin(codes))
    mean = customers.filter(_.c_acctbal > 0).aggregate(mean=_.c_acctbal.mean())
    return (
        customers.cross_join(mean)
        .filter(_.c_acctbal > _.mean)
        .join(t["orders"], _.c_custkey == t["orders"].o_custkey, how="anti")
        .group_by("cntrycode")
        .aggregate(numcust=_.count(), totacctbal=_.c_acctbal.sum())
        .order_by("cntrycode")
    )
