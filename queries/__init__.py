"""The queries that come with the package: examples, test cases and benchmark at once.

>>> len(names())
28
>>> print(text("flights/busiest_hours").splitlines()[0])
-- Which hours of the day have the most departures planned from each airport?
"""

from __future__ import annotations

from importlib.resources import files

__all__ = ["names", "text", "tpch"]

FOLDERS = ("flights", "tpch")


def names() -> list[str]:
    """Return the names of all queries, as ``folder/query``, sorted.

    >>> names()[0], names()[-1]
    ('flights/busiest_hours', 'tpch/q22')
    """
    found = ((folder, file.name) for folder in FOLDERS for file in files(__name__).joinpath(folder).iterdir())
    return sorted(f"{folder}/{name.removesuffix('.sql')}" for folder, name in found if name.endswith(".sql"))


def text(name: str) -> str:
    """Return the SQL text of the query called ``name``; KeyError for a name that is not in ``names()``.

    >>> text("tpch/q06").splitlines()[1]
    'SELECT sum(l_extendedprice * l_discount) AS revenue'
    """
    if name not in names():
        raise KeyError(f"no query called {name!r}; names() lists them")
    return files(__name__).joinpath(f"{name}.sql").read_text(encoding="utf-8")


def tpch(n: int) -> str:
    """Return the SQL text of the TPC-H query number ``n``, 1 to 22.

    >>> tpch(6) == text("tpch/q06")
    True
    """
    return text(f"tpch/q{n:02}")
