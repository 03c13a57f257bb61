"""Compiling for Spark: the 99 queries of TPC-DS against sqlglot's bare transpiling, and chains that grow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import sqlglot

import mdfsql as mdf
from benchmarks.measure import Options, Result, Skipped, compare, timed, total
from mdfsql import compile as compiling
from mdfsql.relation import Relation
from tests import tpcds

__all__ = ["compile_chains", "compile_tpcds"]

TARGET = "spark"
LENGTHS = (10, 100, 1000)


def compile_tpcds(options: Options) -> Iterator[Result]:
    """Compile what was parsed and bound, as if it were never compiled before; seconds are of the processor."""
    folder = options.data / "tpcds-0.01"
    try:
        tpcds.make(folder, 0.01)
    except OSError as why:
        raise Skipped(str(why)) from why
    tables = {name: mdf.Dataset.read_parquet(folder / f"{name}.parquet") for name in tpcds.TABLES}
    results = []
    for path in sorted(folder.glob("q*.sql")):
        text = path.read_text()
        own, other = compiled(mdf.sql(text, "duckdb", None, **tables)._relation), transpiled(text)
        results.append(compare(path.stem, path.stem, "", own, other, options.repeats))
    what = "99 queries of TPC-DS that are parsed and bound, to Spark SQL"
    yield total("tpcds", what, "`sqlglot.transpile` of the texts", results)


def compile_chains(options: Options) -> Iterator[Result]:
    """Compile chains of ten times as many steps: what each step costs should stay the same."""
    for what, step in STEPS.items():
        seconds = {length: compiled(chain(step, length)) for length in LENGTHS}
        taken = {length: tuple(run() / length for _ in range(options.repeats)) for length, run in seconds.items()}
        for length, shorter in zip(LENGTHS[1:], LENGTHS, strict=False):
            key = f"{what}/{length}".replace(" ", "_")
            yield Result(key, f"{length:,} {what}, each", f"{shorter}, each", taken[length], taken[shorter], aim=1.5)


def compiled(relation: Relation) -> Callable[[], float]:
    """Return a measure of compiling a relation for the first time."""
    target = compiling.target_of(TARGET)

    def run() -> float:
        relation.plans.clear()
        compiling._lowered.clear()
        return timed(lambda: compiling.compile_relation(relation, target), clock=time.process_time)

    return run


def transpiled(text: str) -> Callable[[], float]:
    """Return a measure of parsing and writing a text, with nothing known of its tables."""

    def run() -> float:
        return timed(lambda: sqlglot.transpile(text, read="duckdb", write=TARGET), clock=time.process_time)

    return run


STEPS: dict[str, Callable[[mdf.Dataset], mdf.Dataset]] = {
    "queries upon each other": lambda ds: mdf.sql("SELECT id, v + 1 AS v, s FROM ds WHERE v > 0", ds=ds),
    "filters": lambda ds: ds.filter("v > 0"),
    "maps": lambda ds: ds.map(lambda row: {**row, "v": row["v"] + 1}),
}


def chain(step: Callable[[mdf.Dataset], mdf.Dataset], length: int) -> Relation:
    """Return a table with a step done upon it many times."""
    made = mdf.Dataset.from_items([{"id": 1, "v": 2.0, "s": "a"}])
    for _ in range(length):
        made = step(made)
    return made._relation
