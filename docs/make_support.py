"""Write docs/support.md from the tables that queries are held against; run it after a change to them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mdfsql.support import Support, functions, operators

PAGE = Path(__file__).with_name("support.md")

HEAD = """\
# What each engine runs

<!-- Written by docs/make_support.py from the tables that queries are held against; a test holds the two together. -->

DuckDB is the reference, and runs all. Each entry below is in a conformance case that the engine answers as DuckDB
does, in value, type, name and order, or in which it raises an error, never another answer; what is in none is refused
before anything runs. `mdfsql check` says so for a query, `mdfsql functions` for a function.

Kinds of values: `int` is TINYINT to BIGINT, `decimal` any DECIMAL, `text` VARCHAR, `x[]` a list. A kind that begins
with `=` must be a constant; `unit` is a word such as `month` or `epoch`. The arguments stand in their order; where a
function takes any number of them, the last stands for the rest.
"""

DASK = """\
## Dask

dask-sql plans joins, groups and order; every expression runs as DuckDB's own inside a partition, so all functions
are there but those whose value would not be the same in every partition. `first`, `last` and `any_value` are there with
an ORDER BY inside. Without one they are refused, and so are:
"""


def page() -> str:
    """Return the text of docs/support.md."""
    spark = list(functions(["spark"]))
    dask = [one for one in functions(["dask"]) if not one.ok]
    parts = [
        HEAD,
        "## Spark: operators and clauses\n",
        table(operators("spark")),
        "## Spark: functions\n",
        table(one for one in spark if one.ok),
        "## Spark: functions that are refused\n",
        ", ".join(f"`{one.name}`" for one in spark if not one.ok) + "\n",
        DASK,
        ", ".join(f"`{one.name}`" for one in dask) + "\n",
    ]
    return "\n".join(parts)


def table(rows: Iterable[Support]) -> str:
    """Return rows of a name and its arguments as a table."""
    lines = ["| | Over |", "| --- | --- |"]
    for one in rows:
        name = one.name.replace("|", "\\|")
        lines.append(f"| `{name}` | {'; '.join(one.arguments)} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
