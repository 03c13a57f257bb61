"""verify: proof that two engines give the same answer, and where they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mdfsql.backend import Backend
from mdfsql.dataset import Dataset, as_dataset
from mdfsql.frontend import sql

if TYPE_CHECKING:
    from mdfsql.verify.comparison import Comparison

__all__ = ["diff", "verify"]


def verify(
    query: str | Dataset,
    engine: str | Backend | None = None,
    against: str | Backend = "duckdb",
    *,
    rtol: float = 1e-9,
    atol: float = 0.0,
    keys: str | Sequence[str] | None = None,
    sample: float | None = None,
    seed: int = 0,
    dialect: str = "duckdb",
    params: Mapping[str, Any] | None = None,
    **tables: Any,
) -> Comparison:
    """Run a query on two engines and return how their answers compare.

    The query is read as ``mdfsql.sql`` does; the rest is as for ``Dataset.verify``.

    >>> print(verify("SELECT a / 4 AS x FROM t ORDER BY x", t=[{"a": 2}, {"a": 1}]))
    equal: duckdb (1) and duckdb (2), 2 rows x 1 column
    <BLANKLINE>
    order: by x
    """
    dataset = query if isinstance(query, Dataset) else sql(query, dialect, params, **tables)
    return dataset.verify(engine, against, rtol, atol, keys, sample, seed)


def diff(
    left: Any,
    right: Any,
    *,
    engine: str | Backend | None = None,
    rtol: float = 1e-9,
    atol: float = 0.0,
    keys: str | Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    names: tuple[str, str] = ("left", "right"),
) -> Comparison:
    """Return how two tables compare: datasets, files, dicts, or anything else that ``register`` takes.

    Rows in any order; with ``keys``, those with the same keys are one row. ``columns`` are the ones to compare.

    >>> found = diff([{"id": 1, "s": "a"}], [{"id": 1, "s": "a "}])
    >>> found.equal, found.changed[0].cells[0].kind
    (False, 'space at the end')
    """
    from mdfsql.verify.run import Given, Options, compare  # what reads results is loaded when there are some

    datasets = [as_dataset(left), as_dataset(right)]
    if columns is not None:
        datasets = [dataset.select(*columns) for dataset in datasets]
    given = []
    for name, dataset in zip(names, datasets, strict=True):
        where, _ = dataset.plan(engine)
        given.append(Given(name, dataset._relation, where))
    own = [keys] if isinstance(keys, str) else list(keys or ())
    return compare(given[0], given[1], Options(rtol, atol, own))[0]
