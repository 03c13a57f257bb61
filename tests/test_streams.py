"""Functions that run as Python while rows are read: when they run, and what goes wrong on the way."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

import mdfsql as mdf

pytestmark = pytest.mark.filterwarnings("ignore::mdfsql.errors.NotLifted")


@pytest.mark.parametrize("action", ["collect", "to_arrow", "iter_batches", "to_reader"])
def test_an_exception_comes_late(engine: str, action: str) -> None:
    def late(row: dict[str, Any]) -> dict[str, Any]:
        return {"x": math.ulp(1 / (250_000 - row["id"]))}

    many = mdf.Dataset.from_items([{"id": n} for n in range(260_000)]).map(late, schema={"x": float})
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        for _ in getattr(many, action)():
            pass


@pytest.mark.parametrize("action", ["collect", "to_arrow"])
def test_what_is_no_exception_is_not_held_back(engine: str, action: str) -> None:
    if engine == "spark":
        pytest.skip("it would end a worker")

    def interrupted(row: dict[str, Any]) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        getattr(mdf.Dataset.from_items([{"id": 1}]).filter(interrupted), action)()


# --- DuckDB's streams -------------------------------------------------------------------------------------------------


def test_nothing_runs_before_it_is_asked_for() -> None:
    calls: list[int] = []

    class Noting:
        def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
            calls.append(batch.num_rows)
            return batch

    made = mdf.Dataset.from_items([{"id": n} for n in range(100_000)]).map_batches(Noting())
    assert calls == []
    assert made.count() == 100_000 and sum(calls) == 100_000


def test_the_first_rows_do_not_wait_for_the_others() -> None:
    seen: list[int] = []

    class Counting:
        def __call__(self, row: dict[str, Any]) -> bool:
            seen.append(row["id"])
            return True

    rows = mdf.Dataset.from_items([{"id": n} for n in range(500_000)])
    assert len(rows.filter(Counting()).head(5)) == 5
    assert len(seen) < 100_000


@pytest.fixture
def threads() -> Iterator[mdf.Backend]:
    backend = mdf.Backend("duckdb", {"threads": 2})
    yield backend
    backend.close()


def test_queries_within_queries_do_not_wait_for_each_other(threads: mdf.Backend) -> None:
    rows = mdf.Dataset.from_items([{"id": n, "k": n % 5000} for n in range(200_000)])
    below = rows.group_by("k").aggregate(n=mdf.sum("id")).order_by("n")
    made = below.filter(lambda r: hex(r["n"])[-1] in "13579bdf02468ace")
    joined = made.join(made.map(lambda r: {"k": r["k"], "t": hex(r["k"])}), on="k").group_by("t").count()
    assert joined.on("duckdb").count(threads) == 5000


def test_a_cache_below_a_function_below_a_cache(engine: str) -> None:
    ds = mdf.Dataset.from_items([{"id": n} for n in range(10)])
    for _ in range(3):
        ds = ds.cache().filter(lambda r: hex(r["id"])[-1] != "0").cache()
    assert ds.union(ds.filter(lambda r: hex(r["id"])[-1] != "1")).count() == 17
