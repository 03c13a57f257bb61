"""What it costs to begin: the import, and a query on the command line."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.measure import Result, compare, process

__all__ = ["command", "imports"]

# What the console script does, whether it is installed or not.
COMMAND = "import sys; from mdfsql.cli import main; sys.argv[0] = 'mdfsql'; sys.exit(main())"
BARE = """
import duckdb, sqlglot
for row in duckdb.sql(sqlglot.parse_one("select 1", read="duckdb").sql("duckdb")).fetchall():
    print(*row, sep=",")
"""


def imports(repeats: int) -> Iterator[Result]:
    """Import mdfsql, against importing what it stands on."""
    yield compare(
        "import mdfsql / import sqlglot, click",
        process(["-c", "import mdfsql"]),
        process(["-c", "import sqlglot, click"]),
        3 * repeats,
    )
    yield compare(
        "import mdfsql / import sqlglot, duckdb",
        process(["-c", "import mdfsql"]),
        process(["-c", "import sqlglot, duckdb"]),
        3 * repeats,
    )


def command(repeats: int) -> Iterator[Result]:
    """Run ``mdfsql query "select 1"``, against bare Python with sqlglot and DuckDB."""
    yield compare(
        'mdfsql query "select 1" / bare Python with sqlglot and duckdb',
        process(["-c", COMMAND, "query", "select 1"]),
        process(["-c", BARE]),
        3 * repeats,
        target=1.3,
    )
