"""The conformance cases: vectors over edge values that every engine answers as DuckDB does, or refuses.

``fixtures/conformance/tables.sql`` makes the tables; ``expressions/*.sql`` hold an expression a line, ``queries/*.sql``
whole queries. What stands beside a case ("refused", "error") is what must become of it on Spark.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from mdfsql.arrow import arrow_schema, canonical_table, conform, read_schema
from mdfsql.catalog import ArrowSource
from mdfsql.compile import compile_relation, target_of
from mdfsql.engines import Engine
from mdfsql.errors import EngineError, MdfError
from mdfsql.query import parse_query
from mdfsql.relation import Relation

FIXTURES = Path(__file__).parent / "fixtures" / "conformance"

# What no two runs answer alike.
CHANCE = re.compile(r"random\(|now\(|uuid\(|current_|today\(|SAMPLE")


class Case(NamedTuple):
    """A case: the query, the table of an expression or None, and what must become of it on Spark."""

    sql: str
    table: str | None
    expected: str  # "same", "refused", "error", or "error" and Spark's name of one that DuckDB does not raise
    where: str

    @property
    def query(self) -> str:
        if self.table is None:
            return self.sql
        return f"SELECT {key_of(self.table)} AS row_, {self.sql} AS x FROM {self.table}"


def key_of(table: str) -> str:
    return "k" if table == "nest" else "id"


def expressions() -> Iterator[Case]:
    """Yield the expressions, each over the table of the last ``-- from``."""
    for path in sorted((FIXTURES / "expressions").glob("*.sql")):
        table = ""
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if found := re.fullmatch(r"-- from (\w+)", line):
                table = found.group(1)
            elif line and not line.startswith("-- "):
                text, _, expected = line.partition(" -- ")
                yield Case(text, table, expected or "same", f"{path.name}:{number}")


def queries() -> Iterator[Case]:
    """Yield the whole queries, each up to a semicolon at the end of a line."""
    for path in sorted((FIXTURES / "queries").glob("*.sql")):
        head, _, text = path.read_text().partition("\n\n")
        number = head.count("\n") + 3
        for part in text.split(";\n"):
            lines = part.strip().splitlines()
            expected = next((line[3:] for line in lines if line.startswith("-- ")), "same")
            sql = "\n".join(line for line in lines if not line.startswith("-- "))
            if sql:
                yield Case(sql, None, expected, f"{path.name}:{number + len(part) - len(part.lstrip())}")
            number += part.count("\n") + 1


@functools.cache
def tables() -> dict[str, ArrowSource]:
    """Return the tables of the cases."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute((FIXTURES / "tables.sql").read_text())
    found = {}
    for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
        table = canonical_table(connection.table(name).to_arrow_table())
        found[name] = ArrowSource(schema=read_schema(table.schema), table=table)
    return found


HINT = re.compile(r"/\*\+ REPARTITION\((\d+)(?:, (\w+))?\) \*/")


def relation(sql: str, given: dict[str, ArrowSource] | None = None) -> Relation:
    """Return a query over the tables of the cases, or over those that are given."""
    tree = parse_query(HINT.sub("", sql))
    if found := HINT.search(sql):
        # The reference's parser takes a hint for a comment; Dataset.repartition() sets it on the tree.
        parts = [exp.Literal.number(found.group(1)), *([exp.column(found.group(2))] if found.group(2) else [])]
        tree.set("hint", exp.Hint(expressions=[exp.Anonymous(this="REPARTITION", expressions=parts)]))
    names = {table.name for table in tree.find_all(exp.Table)}
    return Relation(tree, {name: source for name, source in (given or tables()).items() if name in names})


def run(engine: Engine, given: Relation) -> pa.Table:
    plan = compile_relation(given, target_of(engine.name))
    return pa.Table.from_batches(conform(engine.batches(plan), plan.schema, engine.name), arrow_schema(plan.schema))


def outcome(engine: Engine, given: Relation) -> pa.Table | MdfError:
    try:
        return run(engine, given)
    except MdfError as error:
        return error


# Of Spark 4, and of Spark 3.
RAISED = r"USER_RAISED_EXCEPTION|java\.lang\.RuntimeException: "


def is_raised(error: MdfError) -> bool:
    """Tell whether an error is one that our own SQL raises at a value on which engines disagree."""
    return isinstance(error, EngineError) and re.search(RAISED, str(error.cause)) is not None


def is_ordered(sql: str) -> bool:
    return bool(sqlglot.parse_one(sql, read="duckdb").args.get("order"))


def alike(left: Any, right: Any) -> bool:
    """Tell whether two values are the same: of one type, floats to a relative 1e-9 with a zero's sign, nan like nan."""
    if isinstance(left, float) and isinstance(right, float):
        if left == right == 0:
            return math.copysign(1, left) == math.copysign(1, right)
        return (math.isnan(left) and math.isnan(right)) or math.isclose(left, right, rel_tol=1e-9)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(alike, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(alike(left[k], right[k]) for k in left)
    return type(left) is type(right) and left == right


def plain(column: pa.ChunkedArray) -> list[Any]:
    """Return the values of a column; moments as numbers, as Python has no year 0 and none after 9999."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    if pa.types.is_list(column.type) and pa.types.is_timestamp(column.type.value_type):
        column = column.cast(pa.list_(pa.int64()))
    if pa.types.is_list(column.type) and pa.types.is_date32(column.type.value_type):
        column = column.cast(pa.list_(pa.int32()))
    return list(column.to_pylist())


def key(row: tuple[Any, ...]) -> list[str]:
    return [f"{value:.6g}" if isinstance(value, float) else repr(value) for value in row]


def unsigned(value: Any) -> Any:
    """Return a value whose zeros have no sign."""
    if isinstance(value, float):
        return value + 0.0
    if isinstance(value, (list, tuple)):
        return type(value)(map(unsigned, value))
    return {name: unsigned(part) for name, part in value.items()} if isinstance(value, dict) else value


def difference(reference: pa.Table, other: pa.Table, *, ordered: bool, signs: bool = True) -> str | None:
    """Return how two results differ, or None; without ``signs`` 0.0 and -0.0 are one, as they are in a group."""
    assert reference.schema == other.schema
    left, right = (list(zip(*map(plain, table.columns), strict=True)) for table in (reference, other))
    if not signs:
        left, right = unsigned(left), unsigned(right)
    if not ordered:
        left, right = sorted(left, key=key), sorted(right, key=key)
    pairs = zip(left, right, strict=False)
    found = next((f"{one} but {two}" for one, two in pairs if not alike(one, two)), None)
    return found or (f"{len(left)} rows but {len(right)}" if len(left) != len(right) else None)
