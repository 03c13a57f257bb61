"""Puts Dask into the mode that dask-sql needs; imported before anything of Dask's DataFrame."""

from __future__ import annotations

import sys

import dask

from mdfsql.errors import BackendError

__all__: list[str] = []

if "dask.dataframe" in sys.modules and sys.modules["dask.dataframe"]._dask_expr_enabled():
    raise BackendError(
        "dask: dask.dataframe was imported with query planning on, which dask-sql cannot use; set "
        "DASK_DATAFRAME__QUERY_PLANNING=False, or dask.config.set({'dataframe.query-planning': False}), "
        "before dask.dataframe is imported"
    )

dask.config.set({"dataframe.query-planning": False})
