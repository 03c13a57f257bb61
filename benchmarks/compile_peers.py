"""Building and compiling against ibis, sqlframe and bare sqlglot: each side in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

from benchmarks.measure import Options, Result, compare_all
from benchmarks.side import Side
from mdfsql import queries

__all__ = ["compile_sql", "compile_tpch", "opened", "sides_of"]

TARGET = "spark"
AIMS = {"ibis": 1 / 5, "sqlframe": 1 / 10}


def sides_of(options: Options) -> dict[str, tuple[str, str]]:
    """Return by what a side is called its module and its Python."""
    return {
        "mdfsql": ("mdfsql_compile", sys.executable),
        "ibis": ("ibis_compile", options.python_of()),
        "sqlframe": ("sqlframe_compile", options.python_of("peers-sqlframe")),
    }


def opened(stack: ExitStack, module: str, python: str, target: str = TARGET) -> Side:
    """Return a side that compiles, in a process that ends with the stack."""
    side = stack.enter_context(Side("compiling", python))
    side("use", module, target)
    return side


def summed(ask: Callable[[], list[float]]) -> Callable[[], float]:
    """Return a measure of all queries together."""
    return lambda: sum(ask())


def first(module: str, python: str, target: str) -> float:
    """Return what the queries take in a process that has not built any."""
    with ExitStack() as stack:
        return sum(opened(stack, module, python, target)("tpch"))


def aimed(results: list[Result]) -> Iterator[Result]:
    """Give each result the aim that goes with its peer."""
    for result in results:
        yield Result(**vars(result) | {"aim": AIMS.get(result.peer)})


def compile_tpch(options: Options) -> Iterator[Result]:
    """Build the 22 queries of TPC-H as chains and write them as Spark's SQL and as DuckDB's."""
    found = sides_of(options)
    for target, name in (("spark", "Spark SQL"), ("duckdb", "DuckDB's")):
        what = f"22 queries of TPC-H as chains, to {name}"
        cold = {name: partial(first, module, python, target) for name, (module, python) in found.items()}
        times = max(options.repeats // 2, 1)
        results = compare_all(f"{target}/first", f"{what}, the first in a process", cold.pop("mdfsql"), cold, times)
        yield from aimed(results)
        with ExitStack() as stack:
            opens = {name: opened(stack, module, python, target) for name, (module, python) in found.items()}
            for key, of, function in (
                ("new", "over new tables each time", "tpch"),
                ("again", "built again over the same tables", "tpch_again"),
                ("same", "written once more, built before", "tpch_same"),
            ):
                ours, *others = (summed(partial(side, function)) for side in opens.values())
                peers = dict(zip(list(found)[1:], others, strict=True))
                results = compare_all(f"{target}/{key}", f"the same, {of}", ours, peers, options.repeats)
                for result in aimed(results):
                    # 0.1 ms an action, 22 of them.
                    yield Result(**vars(result) | ({"limit": 22 * 0.0001} if key == "same" else {}))


def compile_sql(options: Options) -> Iterator[Result]:
    """Read the 22 texts of TPC-H and write them as Spark's SQL."""
    texts = [queries.tpch(n) for n in range(1, 23)]
    found: dict[str, tuple[str, str]] = sides_of(options) | {"`sqlglot.transpile`": ("sqlglot_compile", sys.executable)}
    del found["ibis"]  # reads SQL only where an engine tells what its columns are
    with ExitStack() as stack:
        opens = [opened(stack, module, python) for module, python in found.values()]
        ours, *others = (summed(partial(side, "texts", texts)) for side in opens)
        peers = dict(zip(list(found)[1:], others, strict=True))
        what = "22 texts of TPC-H, over new tables each time, to Spark SQL"
        yield from compare_all("sql", what, ours, peers, options.repeats)
