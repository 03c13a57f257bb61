"""Each TPC-H query as Dataset code gives the answer of its SQL text, run by DuckDB itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

import mdfsql as mdf
from mdfsql import queries
from mdfsql.queries import tpch_chains
from mdfsql.schema import canonical

TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")
CHAINS: dict[int, Callable[[Mapping[str, mdf.Dataset]], mdf.Dataset]] = {
    n: getattr(tpch_chains, f"q{n:02}") for n in range(1, 23)
}


@pytest.fixture(scope="session")
def tpch_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the TPC-H tables at scale factor 0.01."""
    tool = shutil.which("tpchgen-cli", path=str(Path(sys.executable).parent)) or shutil.which("tpchgen-cli")
    if tool is None:
        pytest.skip("tpchgen-cli makes the data, and is not installed")
    folder = tmp_path_factory.mktemp("tpch")
    subprocess.run([tool, "parquet", "-s", "0.01", "-o", str(folder), "--quiet"], check=True)
    return folder


@pytest.fixture(scope="module")
def tables(tpch_folder: Path) -> dict[str, mdf.Dataset]:
    """The tables as datasets."""
    return {name: mdf.Dataset.read_parquet(tpch_folder / f"{name}.parquet") for name in TABLES}


@pytest.fixture(scope="module")
def connection(tpch_folder: Path) -> duckdb.DuckDBPyConnection:
    """The tables as DuckDB's own views."""
    connection = duckdb.connect()
    for name in TABLES:
        connection.execute(f"CREATE VIEW {name} AS FROM '{tpch_folder / name}.parquet'")
    return connection


def close(rows: list[tuple[Any, ...]]) -> list[Any]:
    """Return rows to compare with: floats within 1e-9 of their size, all else exactly."""
    return [tuple(pytest.approx(v, rel=1e-9) if isinstance(v, float) else v for v in row) for row in rows]


@pytest.mark.parametrize("n", CHAINS)
def test_chain_gives_the_answer_of_the_text(
    n: int, tables: dict[str, mdf.Dataset], connection: duckdb.DuckDBPyConnection
) -> None:
    relation = connection.sql(queries.tpch(n))
    types = {name: canonical(str(kind)) for name, kind in zip(relation.columns, relation.types, strict=True)}
    expected = relation.fetchall()
    chain = CHAINS[n](tables)
    assert chain.schema == types
    assert [tuple(row.values()) for row in chain.collect()] == close(expected)
