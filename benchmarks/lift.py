"""Row functions to SQL: the first of a long file, one more of a file that was seen, and a dataset that is run again."""

from __future__ import annotations

import ast
import importlib.util
import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mdfsql as mdf
from benchmarks.measure import Options, Result, compare, timed
from mdfsql.lift import lift_predicate
from mdfsql.schema import Schema

__all__ = ["lift"]

SCHEMA = Schema({"a": "BIGINT"})


def lift(options: Options, functions: int = 3000) -> Iterator[Result]:
    """Lift out of generated files, against Python's own parsing: 60 ms or so, and the aims are 60 ms and 1 ms."""
    text = "".join(f"f{n} = lambda item: item['a'] > {n}\n" for n in range(functions))
    lift_predicate(lambda item: item["a"] > 0, SCHEMA)  # what is loaded when it is first used is loaded now
    with tempfile.TemporaryDirectory() as folder:
        names = (Path(folder, f"m{n}.py") for n in itertools.count())

        def first() -> float:
            row = module(next(names), text)[f"f{functions // 2}"]
            return timed(lambda: lift_predicate(row, SCHEMA))

        def parse() -> float:
            return timed(lambda: ast.parse(text))

        of_file = "`ast.parse` of the file"
        what = f"the first lambda out of a file of {functions:,}"
        yield compare("first", what, of_file, first, parse, options.repeats, aim=1)

        seen = module(next(names), text)
        lift_predicate(seen["f0"], SCHEMA)
        others = iter(range(1, functions))

        def further() -> float:
            row = seen[f"f{next(others)}"]
            return timed(lambda: lift_predicate(row, SCHEMA))

        yield compare("further", "another one of that file", of_file, further, parse, options.repeats, aim=1 / 60)

    items = mdf.Dataset.from_items([{"a": n} for n in range(1000)])
    lifted, written = items.filter(lambda item: item["a"] > 30), items.filter(mdf.col("a") > 30)

    def run(dataset: mdf.Dataset) -> Callable[[], float]:
        return lambda: timed(dataset.to_arrow)

    what, peer = "a dataset with a lambda, run again", "the same with `mdf.col`"
    yield compare("run_again", what, peer, run(lifted), run(written), 10 * options.repeats, aim=1.1)


def module(path: Path, text: str) -> dict[str, Any]:
    """Return the names of a new module."""
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return vars(made)
