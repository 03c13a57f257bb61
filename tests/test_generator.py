"""Random queries over random tables: engines answer as DuckDB does; ``python -m tests.generator`` asks more."""

from __future__ import annotations

import pytest

from tests.conftest import open_backend
from tests.generator.run import run

SEED, QUERIES = 3, 60


@pytest.mark.parametrize("name", ["spark", "dask"])
def test_random_queries_agree(name: str, request: pytest.FixtureRequest) -> None:
    duck, other = (open_backend(request.config, engine).engine for engine in ("duckdb", name))
    *_, tally = run(SEED, QUERIES, duck, other)
    assert tally.findings == []
    assert tally.counts["right"] > QUERIES // 3, str(tally)
