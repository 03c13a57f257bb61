"""Rows meet by keys of every type that Dask exchanges rows by: over several partitions, with NULLs and twins."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest
from sqlglot import exp

from mdfsql.arrow import read_schema
from mdfsql.catalog import ArrowSource
from mdfsql.compile import compile_relation, target_of
from mdfsql.engines import Engine, open_engine
from mdfsql.errors import Unsupported
from tests.conformance import difference, is_ordered, relation, run

if importlib.util.find_spec("dask_sql") is None:
    pytest.skip("dask-sql is not installed", allow_module_level=True)

ROWS = 3

# Values of each type, some of them equal though they are not written alike.
VALUES = {
    "BOOLEAN": ("true", "false", "t", "1"),
    "TINYINT": ("1", "-128", "127", "01"),
    "SMALLINT": ("1", "-32768", "300", "01"),
    "INTEGER": ("1", "-2147483648", "70000", "01"),
    "BIGINT": ("1", "-9223372036854775808", "5000000000", "01"),
    "HUGEINT": ("1", "-170141183460469231731687303715884105727", "99999999999999999999", "01"),
    "UTINYINT": ("1", "255", "0", "01"),
    "USMALLINT": ("1", "65535", "0", "01"),
    "UINTEGER": ("1", "4294967295", "0", "01"),
    "UBIGINT": ("1", "18446744073709551615", "0", "01"),
    "FLOAT": ("0.0", "-0.0", "nan", "-nan", "inf", "0.1", "1e-1"),
    "DOUBLE": ("0.0", "-0.0", "nan", "-nan", "-inf", "0.1", "1e-1"),
    "DECIMAL(9,2)": ("1.5", "1.50", "-0.01", "0"),
    "DECIMAL(38,10)": ("1.5", "1.50", "-9999999999999999999999999999.9999999999", "0"),
    "VARCHAR": ("a", "A", "", "é", "é", "a "),
    "BLOB": ("a", "\\x61", "\\x00", ""),
    "DATE": ("2024-02-29", "2024-2-29", "0001-01-01", "infinity"),
    "TIME": ("12:00:00", "12:00:00.000000", "23:59:59.999999", "00:00:00"),
    "TIMESTAMP": ("2024-02-29 00:00:00", "2024-02-29", "0001-01-01", "-infinity"),
    "TIMESTAMPTZ": ("2024-02-29 12:00:00+00", "2024-02-29 13:00:00+01", "1969-01-01 00:00:00+00"),
    "INTERVAL": ("1 month", "30 days", "720 hours", "-1 day", "0 days"),
    "UUID": ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"),
    "DOUBLE[]": ("[0.0]", "[-0.0]", "[nan, NULL]", "[NULL]", "[]"),
    "INTERVAL[][]": ("[[1 month]]", "[[30 days], NULL]", "[[30 days]]", "[]"),
    "STRUCT(a INTEGER, b DOUBLE)": ("{'a': 1, 'b': 0.0}", "{'a': 1, 'b': -0.0}", "{'a': NULL, 'b': nan}"),
    "MAP(VARCHAR, INTEGER)": ("{a=1, b=2}", "{b=2, a=1}", "{}", "{a=NULL}"),
}

QUERIES = (
    "SELECT min(id) AS a, count(*) AS n, sum(id) AS s FROM keys GROUP BY {key}",
    "SELECT min(id) AS a, median(id) AS m FROM keys GROUP BY {key}",
    "SELECT count(*) AS n FROM (SELECT DISTINCT {key} AS k FROM keys)",
    "SELECT count(DISTINCT {key}) AS n FROM keys",
    "SELECT a.id AS x, b.id AS y FROM keys AS a JOIN keys AS b ON {a} = {b}",
    "SELECT a.id AS x, b.id AS y FROM keys AS a FULL JOIN (SELECT * FROM keys WHERE id % 3 = 0) AS b ON {a} = {b}",
    "SELECT id FROM keys AS a WHERE NOT EXISTS (SELECT 1 FROM keys AS b WHERE {a} = {b} AND a.id <> b.id)",
    "SELECT id, (SELECT max(b.id) FROM keys AS b WHERE {a} >= {b}) AS m FROM keys AS a",
    "SELECT id, row_number() OVER (PARTITION BY {key} ORDER BY id) AS r FROM keys",
    "SELECT id, rank() OVER (ORDER BY {key}) AS r FROM keys",
    "SELECT count(*) AS n FROM (SELECT {key} AS k FROM keys EXCEPT ALL SELECT {key} FROM keys WHERE id > 5)",
    "SELECT id FROM keys ORDER BY {key} DESC NULLS FIRST, id",
    "SELECT id FROM keys ORDER BY {key}, id DESC",
)


@pytest.fixture(scope="module")
def engines() -> Iterator[tuple[Engine, Engine]]:
    duck, dask = open_engine("duckdb"), open_engine("dask")
    from mdfsql.engines import dask_sources

    before, dask_sources.ROWS = dask_sources.ROWS, ROWS
    yield duck, dask
    dask_sources.ROWS = before
    duck.close()
    dask.close()


def test_all_types_of_keys_are_asked_for() -> None:
    from mdfsql.engines.dask_frames import KEYS, type_node

    asked = {inner.this for type_ in VALUES for inner in type_node(type_).find_all(exp.DataType)}
    assert asked == KEYS


@pytest.mark.many
@pytest.mark.parametrize("type_", VALUES)
def test_rows_meet_by_keys(engines: tuple[Engine, Engine], type_: str) -> None:
    values = [None, *VALUES[type_], *VALUES[type_], None, *VALUES[type_]]
    table = pa.table({"id": range(len(values)), "v": pa.array(values, pa.string())})
    given = {"keys": ArrowSource(schema=read_schema(table.schema), table=table)}
    found = []
    for query in QUERIES:
        key = f"CAST({{}}v AS {type_})"
        sql = query.format(key=key.format(""), a=key.format("a."), b=key.format("b."))
        reference, answer = (run(engine, relation(sql, given)) for engine in engines)
        wrong = difference(reference, answer, ordered=is_ordered(sql))
        found += [f"{sql}: {wrong}"] if wrong else []
    assert found == []


def test_rows_of_other_keys_come_together(engines: tuple[Engine, Engine]) -> None:
    values = ["2024-02-29 00:00:00.000000001", "2024-02-29", None] * 3
    table = pa.table({"id": range(len(values)), "v": pa.array(values, pa.string())})
    given = {"keys": ArrowSource(schema=read_schema(table.schema), table=table)}
    for sql in (
        "SELECT count(*) AS n FROM keys GROUP BY v::TIMESTAMP_NS",
        "SELECT id FROM keys ORDER BY v::TIMESTAMP_NS, id",
    ):
        reference, answer = (run(engine, relation(sql, given)) for engine in engines)
        assert difference(reference, answer, ordered=is_ordered(sql)) is None
        text = engines[1].explain(compile_relation(relation(sql, given), target_of("dask")))
        assert "-- a key of type TIMESTAMP_NS" in text


@pytest.mark.parametrize(("type_", "value"), [("TIMETZ", "12:00:00+01"), ("BIT", "101"), ("UHUGEINT", "1")])
def test_what_arrow_cannot_carry_is_refused(engines: tuple[Engine, Engine], type_: str, value: str) -> None:
    table = pa.table({"id": range(9), "v": pa.array([value] * 9, pa.string())})
    given = {"keys": ArrowSource(schema=read_schema(table.schema), table=table)}
    with pytest.raises(Unsupported, match="Arrow"):
        run(engines[1], relation(f"SELECT id FROM keys ORDER BY v::{type_}, id", given))


def test_the_values_are_of_the_types() -> None:
    connection = duckdb.connect()
    for type_, values in VALUES.items():
        for value in values:
            connection.execute(f"SELECT CAST(? AS {type_})", [value]).fetchall()
