"""The 22 TPC-H queries, as SQL and as Dataset code, on every engine: what DuckDB's own API answers to the text."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import pytest

import mdfsql as mdf
from mdfsql import queries
from mdfsql.queries import tpch_chains
from mdfsql.schema import canonical

TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")
NUMBERS = range(1, 23)
CHAINS: dict[int, Callable[[Mapping[str, mdf.Dataset]], mdf.Dataset]] = {
    n: getattr(tpch_chains, f"q{n:02}") for n in NUMBERS
}

Answer = tuple[dict[str, str], list[tuple[object, ...]]]


def generated(folder: Path) -> Path:
    """Write the tables to a folder that there is, and return it."""
    tool = Path(sys.executable).parent / "tpchgen-cli"
    subprocess.run([str(tool), "parquet", "-s", "0.01", "-o", str(folder), "--quiet"], check=True)
    return folder


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the TPC-H tables at scale factor 0.01."""
    return generated(tmp_path_factory.mktemp("tpch"))


@pytest.fixture(scope="session")
def answers(folder: Path) -> Callable[[int], Answer]:
    """The names, types and rows that DuckDB itself gives for a query's text."""
    connection = duckdb.connect()
    for name in TABLES:
        connection.execute(f"CREATE VIEW {name} AS FROM '{folder / name}.parquet'")

    def answer(n: int) -> Answer:
        relation = connection.sql(queries.tpch(n))
        types = [canonical(str(type_)) for type_ in relation.types]
        return dict(zip(relation.columns, types, strict=True)), relation.fetchall()

    return answer


@pytest.fixture
def tables(engine: str, folder: Path) -> dict[str, mdf.Dataset]:
    """The tables as datasets of the engine."""
    return {name: mdf.Dataset.read_parquet(folder / f"{name}.parquet") for name in TABLES}


def same(made: mdf.Dataset, answer: Answer) -> None:
    types, rows = answer
    assert dict(made.schema) == types
    expected = [tuple(pytest.approx(v, rel=1e-9) if isinstance(v, float) else v for v in row) for row in rows]
    assert [tuple(row.values()) for row in made.collect()] == expected


@pytest.mark.parametrize("n", NUMBERS)
def test_text(n: int, tables: dict[str, mdf.Dataset], answers: Callable[[int], Answer]) -> None:
    same(mdf.sql(queries.tpch(n), params=None, dialect="duckdb", **tables), answers(n))


@pytest.mark.many
@pytest.mark.parametrize("n", NUMBERS)
def test_chain(n: int, tables: dict[str, mdf.Dataset], answers: Callable[[int], Answer]) -> None:
    same(CHAINS[n](tables), answers(n))
