"""TPC-DS: ``python -m tests.tpcds --engine spark`` holds the 99 queries against DuckDB's own API.

The tables and the queries come from an extension of an older DuckDB than ours, which gets an environment of its own. A
query whose answer is empty, or has nothing but NULL and 0, runs with so few of its conditions left out that it has one.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

import mdfsql as mdf
from mdfsql.engines import NAMES
from mdfsql.errors import MdfError
from mdfsql.schema import canonical
from tests.conformance import alike

COUNT = 99
SCALE = 0.1
TABLES = (
    "call_center", "catalog_page", "catalog_returns", "catalog_sales", "customer", "customer_address",
    "customer_demographics", "date_dim", "household_demographics", "income_band", "inventory", "item", "promotion",
    "reason", "ship_mode", "store", "store_returns", "store_sales", "time_dim", "warehouse", "web_page",
    "web_returns", "web_sales", "web_site",
)  # fmt: skip

PACKAGES = ("duckdb==1.5.5", "duckdb-extension-tpcds==1.5.5")
GENERATE = """
import sys
from pathlib import Path

import duckdb
import duckdb_extension_tpcds

folder, scale = Path(sys.argv[1]), sys.argv[2]
(extension,) = Path(duckdb_extension_tpcds.__file__).parent.rglob("*.duckdb_extension")
connection = duckdb.connect()
connection.execute(f"LOAD '{extension}'")
connection.execute(f"CALL dsdgen(sf = {scale})")
for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
    connection.execute(f"COPY {name} TO '{folder / name}.parquet'")
for number, text in connection.execute("FROM tpcds_queries()").fetchall():
    (folder / f"q{number:02}.sql").write_text(text)
"""


def make(folder: Path, scale: float = SCALE) -> None:
    """Make the tables and queries in a folder, unless it has them; raises OSError, with the reason, where it cannot."""
    done = folder / "complete"
    if done.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        python = Path(place, "bin", "python")
        for command in (
            [sys.executable, "-m", "venv", place],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES],
            [str(python), "-c", GENERATE, str(folder.resolve()), str(scale)],
        ):
            ran = subprocess.run(command, capture_output=True, text=True)
            if ran.returncode:
                raise OSError(f"{' '.join(command[1:4])}: {(ran.stderr or ran.stdout).strip().splitlines()[-1:]}")
    connection = connect(folder)
    for number in range(1, COUNT + 1):
        path = folder / f"q{number:02}.sql"
        text = path.read_text()
        if not answers(connection, text):
            path.write_text(loosened(text, connection))
    done.touch()


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """Return a connection that has the tables as views."""
    connection = duckdb.connect()
    for name in TABLES:
        connection.execute(f"CREATE VIEW {name} AS FROM '{folder / name}.parquet'")
    return connection


def cut(folder: Path, parts: int) -> Path:
    """Return a folder that holds each table in files of its own: an empty one, and so many with rows."""
    made = folder / f"parts-{parts}"
    if not made.exists():
        connection = connect(folder)
        for name in TABLES:
            (made / name).mkdir(parents=True)
            (count,) = connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0]
            size = -(-count // parts)
            for number in range(parts + 1):
                rows = f"SELECT * FROM {name} LIMIT {size if number else 0} OFFSET {size * max(0, number - 1)}"
                connection.execute(f"COPY ({rows}) TO '{made / name / f'{number:02}.parquet'}'")
    return made


MOST_LEFT_OUT = 4


def loosened(text: str, connection: duckdb.DuckDBPyConnection) -> str:
    """Return the query without the fewest conditions on single columns that leave it without an answer."""
    tree: Any = sqlglot.parse_one(text, read="duckdb")
    count = len(list(conditions(tree)))
    for size in range(1, MOST_LEFT_OUT + 1):
        for places in itertools.combinations(range(count), size):
            made = tree.copy()
            for place, condition in enumerate(list(conditions(made))):
                if place in places:
                    condition.replace(exp.true())
            if answers(connection, made.sql("duckdb")):
                return str(made.sql("duckdb", pretty=True))
    return text


def conditions(tree: exp.Expr) -> Iterator[exp.Expr]:
    """Yield what chooses rows or groups, but for joins and subqueries."""
    for clause in list(tree.find_all(exp.Where, exp.Having)):
        for part in list(clause.this.flatten()) if isinstance(clause.this, exp.And) else [clause.this]:
            joins = isinstance(part, exp.EQ) and all(isinstance(side, exp.Column) for side in (part.left, part.right))
            if not joins and (isinstance(clause, exp.Having) or not part.find(exp.Query)):
                yield part


def answers(connection: duckdb.DuckDBPyConnection, text: str) -> bool:
    """Tell whether the answer holds anything but NULL and 0."""
    try:
        rows = connection.execute(text).fetchall()
    except duckdb.Error:
        return False
    return any(value is not None and value != 0 for row in rows for value in row)


def decided(text: str) -> str:
    """Return the query with all its outputs after the keys of its ORDER BY, so that LIMIT leaves no choice."""
    tree: Any = sqlglot.parse_one(text, read="duckdb")
    for place in range(1, len(tree.selects) + 1):
        tree = tree.order_by(str(place), dialect="duckdb")
    return str(tree.sql("duckdb", pretty=True))


def difference(text: str, connection: duckdb.DuckDBPyConnection, tables: dict[str, mdf.Dataset]) -> str | None:
    """Return how the answer of the engine in force differs from DuckDB's, or None."""
    expected = connection.sql(text)
    made = mdf.sql(text, params=None, dialect="duckdb", **tables)
    types = [canonical(str(type_)) for type_ in expected.types]
    if list(made.schema.items()) != list(zip(expected.columns, types, strict=True)):
        return f"{made.schema} but {expected.columns} {types}"
    rows, found = expected.fetchall(), [tuple(row.values()) for row in made.collect()]
    pairs = zip(found, rows, strict=False)
    first = next((f"{one} but {two}" for one, two in pairs if not all(map(alike, one, two))), None)
    return first or (f"{len(found)} rows but {len(rows)}" if len(found) != len(rows) else None)


def main() -> int:
    """Run, show what is not right, and return 1 where there is anything."""
    parser = argparse.ArgumentParser(prog="python -m tests.tpcds", description=__doc__)
    parser.add_argument("--engine", choices=NAMES, default="spark")
    parser.add_argument("--scale", type=float, default=SCALE)
    parser.add_argument("--folder", type=Path, help="where the data is or shall be; without it, a new one each time")
    parser.add_argument("--parts", type=int, help="cut each table into so many files, and one without rows")
    parser.add_argument("--query", type=int, action="append", help="only this one; may be given again")
    options = parser.parse_args()
    count = {"right": 0, "refused": 0, "wrong": 0, "late": 0}
    with tempfile.TemporaryDirectory() as given, mdf.set_backend(options.engine) as backend:
        folder = options.folder or Path(given)
        make(folder, options.scale)
        connection, begun = connect(folder), time.monotonic()
        place = cut(folder, options.parts) if options.parts else None
        tables = {
            name: mdf.Dataset.read_parquet(place / name if place else folder / f"{name}.parquet") for name in TABLES
        }
        for number in options.query or range(1, COUNT + 1):
            try:
                found = difference(decided((folder / f"q{number:02}.sql").read_text()), connection, tables)
                outcome = "wrong" if found else "right"
            except MdfError as error:
                found, outcome = str(error), "refused" if isinstance(error, mdf.errors.Unsupported) else "late"
            count[outcome] += 1
            if found:
                print(f"q{number:02} {outcome}: {found}", flush=True)
        backend.close()
    print(f"TPC-DS on {options.engine}: {count}, {time.monotonic() - begun:.0f} s")
    return 0 if count["right"] == sum(count.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
