"""Random queries over random tables: engines answer as DuckDB does; ``python -m tests.generator`` asks more."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest

from tests.conftest import open_backend
from tests.generator.queries import Writer
from tests.generator.run import run
from tests.generator.tables import draw_table

SEED, QUERIES = 3, 60


@pytest.mark.parametrize("name", ["spark", "dask"])
def test_random_queries_agree(name: str, request: pytest.FixtureRequest) -> None:
    duck, other = (open_backend(request.config, engine).engine for engine in ("duckdb", name))
    *_, tally = run(SEED, QUERIES, duck, other)
    assert tally.findings == []
    assert tally.counts["right"] > QUERIES // 3, str(tally)


def written() -> str:
    rng = random.Random(SEED)
    writer = Writer(rng, [draw_table(rng, name) for name in "ab"])
    return "\n".join(writer.query().sql for _ in range(20))


def test_the_same_seed_gives_the_same_queries() -> None:
    # Texts have other hashes in another process, so that sets of them have another order.
    code = "from tests.test_generator import written; print(written())"
    environment = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONIOENCODING": "utf-8"}
    made = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, encoding="utf-8")
    assert made.stdout == written() + "\n", made.stderr
