"""The engines by name; each is imported when it is first used."""

from __future__ import annotations

import importlib
import inspect
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
    own = inspect.signature(engine).parameters
    for option in options:
        if option not in own:
            raise BackendError(f"{name}: there is no option {option!r}; the options are {', '.join(own)}")
    opened: Engine = engine(**options)
    return opened
