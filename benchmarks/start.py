"""What it costs to begin: the import, and a query on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Options, Result, compare_all, process

__all__ = ["start"]

# What the console script does, whether it is installed or not.
COMMAND = "import sys; from mdfsql.cli import main; sys.argv[0] = 'mdfsql'; sys.exit(main())"
BARE = """
import duckdb, sqlglot
for row in duckdb.sql(sqlglot.parse_one("select 1", read="duckdb").sql("duckdb")).fetchall():
    print(*row, sep=",")
"""
DUCKDB = "import duckdb; print(duckdb.sql('select 1').fetchall())"
IBIS = "import ibis; print(ibis.duckdb.connect().raw_sql('select 1').fetchall())"
SQLFRAME = "from sqlframe.duckdb import DuckDBSession; print(DuckDBSession().sql('select 1').collect())"
DASK_SQL = "from dask_sql import Context; print(Context().sql('select 1').compute())"


def start(options: Options) -> Iterator[Result]:
    """Import mdfsql, and run ``mdfsql query "select 1"``, each a process of its own from cold."""
    python, times = options.python_of(), 2 * options.repeats
    sqlframe = options.python_of("peers-sqlframe")
    own = {
        "import duckdb": "import duckdb",
        "import sqlglot, click": "import sqlglot, click",
        "import dask_sql": "import dask_sql",
    }
    theirs = {
        "import ibis; ibis.duckdb": "import ibis; ibis.duckdb",
        "import fugue": "import fugue",
        "import narwhals": "import narwhals",
        "import datafusion": "import datafusion",
    }
    yield from compare_all(
        "import",
        "`import mdfsql`",
        process(["-c", "import mdfsql"]),
        {f"`{name}`": process(["-c", code]) for name, code in own.items()}
        | {f"`{name}`": process(["-c", code], python) for name, code in theirs.items()}
        | {"`import sqlframe`, its DuckDB": process(["-c", "from sqlframe.duckdb import DuckDBSession"], sqlframe)},
        times,
    )
    command = '`mdfsql query "select 1"`'
    ours = process(["-c", COMMAND, "query", "select 1"])
    bare = {"Python with sqlglot and DuckDB": process(["-c", BARE])}
    yield from compare_all("command", command, ours, bare, 3 * options.repeats, aim=1.2)
    peers = {
        "Python with DuckDB": process(["-c", DUCKDB]),
        "DuckDB's own command": process(["-c", "select 1"], str(Path(python).with_name("duckdb"))),
        "ibis": process(["-c", IBIS], python),
        "sqlframe": process(["-c", SQLFRAME], sqlframe),
        "dask-sql": process(["-c", DASK_SQL]),
    }
    yield from compare_all("command", command, ours, peers, times)
