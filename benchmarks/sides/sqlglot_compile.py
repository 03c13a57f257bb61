"""sqlglot alone as a side that compiles: texts to texts, with nothing known of tables; see ``compiling``."""

from __future__ import annotations

from typing import Any

import sqlglot


def tables() -> None:
    """It needs none."""


def read(text: str, tables: Any, target: str) -> str:
    """Return a text's SQL."""
    return sqlglot.transpile(text, read="duckdb", write=target)[0]
