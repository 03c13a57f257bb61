"""How cost grows: with rows where a pipeline runs; with operations, columns and tables where a query is compiled."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import duckdb

import mdfsql as mdf
from benchmarks.compile_peers import opened, sides_of
from benchmarks.measure import Options, Result, Skipped, compare_all, timed
from benchmarks.rows import BY_HAND, pipeline, prepared
from benchmarks.sides.pipelines import polars_sql

__all__ = ["growth_columns", "growth_operations", "growth_rows", "growth_tables"]

# Three to ten of each: a slope needs no more.
ROWS = (10_000, 100_000, 1_000_000, 10_000_000)
LENGTHS = (10, 30, 100, 300, 1000)
COLUMNS = (10, 30, 100, 300, 1000)
TABLES = (2, 5, 10, 20, 50)
LONGEST = 1.0  # seconds: a peer that takes longer is not asked for more


def growth_rows(options: Options) -> Iterator[Result]:
    """Run the pipeline of row functions over more and more rows, on DuckDB."""
    connection = duckdb.connect()
    for rows in [size for size in ROWS if size <= 2 * options.rows]:
        path = prepared(dataclasses.replace(options, rows=rows))
        own, text = pipeline(path, mdf.Backend("duckdb")), BY_HAND.format(sales=f"'{path}'")
        peers: dict[str, Callable[[], object]] = {
            "the same in SQL by hand": partial(lambda text: connection.sql(text).to_arrow_table(), text),
            "SQL in polars": partial(polars_sql, str(path)),
        }
        measures = {peer: partial(timed, run) for peer, run in peers.items()}
        what = f"filter, map, aggregate of {rows:,} rows with row functions, on DuckDB"
        ours = partial(timed, own.to_arrow)
        yield from compare_all(f"rows/{rows}", what, ours, measures, options.repeats, size=rows)


def growth_operations(options: Options) -> Iterator[Result]:
    """Build and write longer and longer chains."""
    yield from growing(options, "chain", "a chain of {} operations, to Spark SQL", LENGTHS)


def growth_columns(options: Options) -> Iterator[Result]:
    """Build and write a query that computes every column of wider and wider tables."""
    yield from growing(options, "wide", "{} columns, filtered, each computed and in order, to Spark SQL", COLUMNS)


def growth_tables(options: Options) -> Iterator[Result]:
    """Build and write joins of more and more tables."""
    yield from growing(options, "joined", "a join of {} tables, to Spark SQL", TABLES)


def growing(options: Options, function: str, what: str, sizes: tuple[int, ...]) -> Iterator[Result]:
    """Measure a function of the sides at each size, without the peers that fail or take too long at the one before."""
    with ExitStack() as stack:
        opens = {name: opened(stack, *side) for name, side in sides_of(options).items()}
        for size in sizes:
            for name in [name for name in opens if name != "mdfsql"]:
                if not bearable(partial(opens[name], function, size)):
                    del opens[name]
            if len(opens) == 1:
                return
            ours, *others = (partial(side, function, size) for side in opens.values())
            peers = dict(zip(list(opens)[1:], others, strict=True))
            key = f"{function}/{size}"
            found = compare_all(key, what.format(f"{size:,}"), ours, peers, max(options.repeats // 2, 2), size=size)
            for result in found:
                yield Result(**vars(result) | {"key": f"{key}/{result.peer}"})
            slow = {result.peer for result in found if min(result.others) > LONGEST}
            opens = {name: side for name, side in opens.items() if name not in slow}


def bearable(ask: Callable[[], Any]) -> bool:
    """Tell whether a peer does what it is asked for at all."""
    try:
        ask()
    except Skipped as why:
        print(f"         left out: {why}"[:200], flush=True)
        return False
    return True
