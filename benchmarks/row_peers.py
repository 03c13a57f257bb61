"""The pipeline of ``benchmarks.rows`` on DuckDB, against what users of other packages write for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial

import mdfsql as mdf
from benchmarks.measure import Options, Result, Skipped, compare, timed
from benchmarks.rows import checked, pipeline, prepared
from benchmarks.side import Side

__all__ = ["packages", "row_packages"]

ROW_FUNCTIONS = {
    "datasets_map": "Hugging Face datasets, `filter` and `map`",
    "fugue_transform": "fugue `transform`, on pandas",
    "polars_elements": "polars `map_elements`",
}
EXPRESSIONS = {
    "ibis_duckdb": "ibis, on DuckDB",
    "sqlframe_duckdb": "sqlframe, on DuckDB",
    "narwhals_polars": "narwhals, on polars",
    "polars_sql": "SQL in polars",
    "datafusion_sql": "SQL in DataFusion",
}


def row_packages(options: Options) -> Iterator[Result]:
    """Lift the row functions, against packages that call them for each row."""
    yield from against(options, ROW_FUNCTIONS, max(options.repeats // 2, 1))


def packages(options: Options) -> Iterator[Result]:
    """Lift the row functions, against the same pipeline in expressions or SQL that others compile."""
    yield from against(options, EXPRESSIONS, options.repeats)


def against(options: Options, names: dict[str, str], times: int) -> Iterator[Result]:
    """Measure beside each of the functions of ``benchmarks/sides/pipelines.py``."""
    path = prepared(options)
    own = pipeline(path, mdf.Backend("duckdb"))
    expected = [list(row) for row in checked(own.collect())]
    what = f"filter, map, aggregate of {options.rows:,} rows with row functions, on DuckDB"
    for name, peer in names.items():
        if name.startswith("polars"):
            python = sys.executable
        else:
            python = options.python_of("peers-sqlframe" if name.startswith("sqlframe") else "peers")
        try:
            with Side("pipelines", python) as side:
                assert side("answer", name, str(path)) == expected, peer
                other = partial(side, "seconds", name, str(path))
                yield compare(name, what, peer, lambda: timed(own.to_arrow), other, times)
        except Skipped as why:
            print(f"         left out: {why}"[:300], flush=True)
