"""DuckDB, the reference: it runs the tree as it stands."""

from __future__ import annotations

from mdfsql.dialects.base import Target
from mdfsql.lower.drop_hints import drop_hints

__all__ = ["target"]

target = Target(name="duckdb", dialect="duckdb", passes=(drop_hints,), resolve=False, inlines=True)
