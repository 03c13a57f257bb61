"""Building and compiling, timed: what ``use`` names, ours or a peer's, does the work.

Such a module has ``tables()``, ``built(n, tables)`` and ``written(made, target)`` for TPC-H, ``read(text, tables,
target)`` for SQL where it reads any, and ``chained(length)``, ``widened(columns)`` and ``joined(tables)``.
"""

from __future__ import annotations

import functools
import importlib
import time
from collections.abc import Callable
from typing import Any

from benchmarks import measure

NUMBERS = range(1, 23)
SHORT, FEW = 0.001, 20  # calls that are timed together where one takes less than this

given: dict[str, Any] = {}
timed = functools.partial(measure.timed, clock=time.process_time)


def use(name: str, target: str) -> None:
    """Choose the module that does the work, and the dialect that it writes."""
    given.update(side=importlib.import_module(f"benchmarks.sides.{name}"), target=target)


def tpch() -> list[float]:
    """Return for each query what building it over new tables and writing it takes."""
    return [_taken(n, given["side"].tables()) for n in NUMBERS]


def tpch_again() -> list[float]:
    """Return the same over tables that are the same each time."""
    if "tables" not in given:
        given["tables"] = given["side"].tables()
    return [_taken(n, given["tables"]) for n in NUMBERS]


def tpch_same() -> list[float]:
    """Return for each query what writing it once more takes, when it was built and written before."""
    if "made" not in given:
        tables = given["side"].tables()
        given["made"] = [given["side"].built(n, tables) for n in NUMBERS]
        for made in given["made"]:
            given["side"].written(made, given["target"])
    return [_more(functools.partial(given["side"].written, made, given["target"])) for made in given["made"]]


def texts(queries: list[str]) -> list[float]:
    """Return for each text what reading it over new tables and writing it takes."""
    side, taken = given["side"], []
    for text in queries:
        tables = side.tables()
        taken.append(timed(functools.partial(side.read, text, tables, given["target"])))
    return taken


def chain(length: int) -> float:
    """Return what building and writing a chain takes."""
    return _whole(functools.partial(given["side"].chained, length))


def wide(columns: int) -> float:
    """Return what building and writing a query of all columns of a table takes."""
    return _whole(functools.partial(given["side"].widened, columns))


def joined(tables: int) -> float:
    """Return what building and writing a join of many tables takes."""
    return _whole(functools.partial(given["side"].joined, tables))


def _more(function: Callable[[], Any]) -> float:
    taken = timed(function)
    return taken if taken > SHORT else timed(function, times=FEW)


def _taken(n: int, tables: Any) -> float:
    return _whole(lambda: given["side"].built(n, tables))


def _whole(build: Callable[[], Any]) -> float:
    return timed(lambda: given["side"].written(build(), given["target"]))
