"""The engines by name; each is imported when it is first used."""

from __future__ import annotations

import importlib
from typing import Any

from mdfsql.engines.base import Engine
from mdfsql.errors import BackendError

__all__ = ["NAMES", "open_engine"]

# Name -> the class that opens it, and the extra that installs it.
ENGINES = {
    "duckdb": ("mdfsql.engines.duckdb", "DuckDBEngine", None),
    "spark": ("mdfsql.engines.spark", "SparkEngine", "spark"),
    "dask": ("mdfsql.engines.dask", "DaskEngine", "dask"),
}
NAMES = tuple(ENGINES)


def open_engine(name: str, **options: Any) -> Engine:
    """Return a new engine; BackendError where its package is missing or an option is not one of its own."""
    module, cls, extra = ENGINES[name]
    try:
        engine = getattr(importlib.import_module(module), cls)
    except ImportError as error:
        if extra is None or (error.name or "").startswith("mdfsql"):
            raise
        raise BackendError(
            f"{name}: the Python package {error.name!r} is missing; install it with: pip install 'mdfsql[{extra}]'"
        ) from error
    try:
        return engine(**options)  # type: ignore[no-any-return]
    except TypeError as error:
        if "unexpected keyword argument" not in str(error) or error.__traceback__.tb_next is not None:
            raise
        raise BackendError(f"{name}: {str(error).rpartition(') ')[2].replace('.__init__()', '')}") from error
