"""What is sent to Spark means, read back as SQL of Spark's, what it meant: on DuckDB both give the same answer."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import pyarrow.parquet
import pytest
from sqlglot import exp

from mdfsql import queries
from mdfsql.arrow import canonical_table, read_schema
from mdfsql.catalog import ArrowSource, Source
from mdfsql.compile import compile_relation, target_of
from mdfsql.errors import QueryError, Unsupported
from mdfsql.query import read_query
from mdfsql.read import reader_of
from mdfsql.read.meaning import Refused, construct_name
from mdfsql.read.queries import read_query_tree
from mdfsql.reading import read_text
from mdfsql.relation import Relation
from tests import conformance
from tests.test_queries_text import FLIGHTS, TPCH_TABLES
from tests.test_tpch import generated

# Of a hundred cases so many may be refused on the way back.
EXPRESSIONS, QUERIES, PACKAGE = 40, 46, 0
AT_ONCE = 24
# Of the expressions and of the queries each so many-th with --every 1: neighbours show much the same.
EACH, EACH_QUERY = 4, 2
SPARK = target_of("spark")
# Why a query is refused on the way back, and how its answer differs.
Found = tuple[str | None, str | None]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    made = duckdb.connect()
    made.execute("SET TimeZone = 'UTC'")
    yield made
    made.close()


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ArrowSource]:
    """The tables of the queries that come with the package."""
    folder = generated(tmp_path_factory.mktemp("tpch"))
    files = [*(folder / f"{name}.parquet" for name in TPCH_TABLES), *FLIGHTS.glob("*.parquet")]
    tables = {path.stem: canonical_table(pyarrow.parquet.read_table(path)) for path in files}
    return {name: ArrowSource(schema=read_schema(table.schema), table=table) for name, table in tables.items()}


def answer(connection: duckdb.DuckDBPyConnection, given: Relation) -> list[tuple[Any, ...]]:
    for source in given.sources():
        assert isinstance(source, ArrowSource)
        connection.register(source.name, source.table)
    table = connection.sql(given.assemble().sql("duckdb")).to_arrow_table()
    return list(zip(*map(conformance.plain, table.columns), strict=True))


def read_back(sql: str, sources: Sequence[Source]) -> Relation:
    names = {source.name: source for source in sources}
    return read_query(sql, lambda table: names.get(table.name), dialect="spark")


def difference(connection: duckdb.DuckDBPyConnection, given: Relation, back: Relation, ordered: bool) -> str | None:
    try:
        left, right = answer(connection, given), answer(connection, back)
    except duckdb.Error as error:
        return str(error)
    if not ordered:
        left, right = sorted(left, key=conformance.key), sorted(right, key=conformance.key)
    found = next((f"{a} but {b}" for a, b in zip(left, right, strict=False) if not conformance.alike(a, b)), None)
    return found or (f"{len(left)} rows but {len(right)}" if len(left) != len(right) else None)


def check(connection: duckdb.DuckDBPyConnection, sql: str, tables: dict[str, ArrowSource] | None = None) -> Found:
    given = conformance.relation(sql, tables)
    plan = compile_relation(given, SPARK)
    try:
        back = read_back(plan.sql, plan.sources)
    except QueryError as error:
        return str(error).partition("\n")[0], None
    found = difference(connection, given, back, conformance.is_ordered(sql))
    return None, f"{sql}: {found}: {plan.sql}" if found else None


def together(connection: duckdb.DuckDBPyConnection, table: str, group: Sequence[str]) -> list[Found]:
    """Check expressions at once, which costs less; where that does not do, one by one."""
    key = conformance.key_of(table)

    def query(texts: Sequence[str]) -> str:
        return f"SELECT {key} AS row_, {', '.join(f'{text} AS x{i}' for i, text in enumerate(texts))} FROM {table}"

    try:
        plan = compile_relation(conformance.relation(query(group)), SPARK)
    except Unsupported:
        return [check(connection, query([text])) for text in group]
    tree, schemas = plan.tree, {source.name: source.schema for source in plan.sources}
    if not isinstance(tree, exp.Select) or tree.args.get("joins") or tree.find(exp.Subquery, exp.Explode):
        return [check(connection, query([text])) for text in group]
    row, *values = tree.expressions
    found: list[Found] = []
    read = []
    for text, value in zip(group, values, strict=True):
        alone = exp.select(row, value).from_(tree.args["from_"].this).sql(SPARK.dialect)
        (parsed,) = read_text(alone, "spark", plain_calls=True)
        try:
            assert isinstance(parsed, exp.Query)
            read_query_tree(parsed, reader_of("spark", alone), schemas)
            read.append((text, value))
        except Refused as error:
            found.append((f"{construct_name(error.node)}: {error.why}", None))
    given = conformance.relation(query([text for text, _ in read]))
    sql = exp.select(row, *(value for _, value in read)).from_(tree.args["from_"].this).sql(SPARK.dialect)
    different = difference(connection, given, read_back(sql, plan.sources), False)
    if different:
        return [check(connection, query([text])) for text in group]
    return found + [(None, None)] * len(read)


def few(found: Sequence[Found], most: int) -> None:
    assert [different for _, different in found if different] == []
    refused = [why for why, _ in found if why]
    assert len(refused) * 100 <= most * len(found), collections.Counter(refused).most_common()


def test_expressions(connection: duckdb.DuckDBPyConnection, pytestconfig: pytest.Config) -> None:
    each = EACH * pytestconfig.getoption("--every")
    same = sorted((case for case in conformance.expressions() if case.expected == "same"), key=lambda c: str(c.table))
    found = []
    for table, cases in itertools.groupby(same, key=lambda case: str(case.table)):
        texts = [case.sql for case in cases][::each]
        for i in range(0, len(texts), AT_ONCE):
            found += together(connection, table, texts[i : i + AT_ONCE])
    few(found, EXPRESSIONS)


def test_queries(connection: duckdb.DuckDBPyConnection, pytestconfig: pytest.Config) -> None:
    each = EACH_QUERY * pytestconfig.getoption("--every")
    same = [case.sql for case in conformance.queries() if case.expected == "same"]
    few([check(connection, sql) for sql in same[::each]], QUERIES)


def test_queries_of_the_package(connection: duckdb.DuckDBPyConnection, shipped: dict[str, ArrowSource]) -> None:
    few([check(connection, queries.text(name), shipped) for name in queries.names()], PACKAGE)
