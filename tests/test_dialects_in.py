"""Queries of other dialects mean here what they mean there: Spark is asked itself, for others its documentation is."""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import mdfsql as mdf
from mdfsql.errors import EngineError, MdfError, QueryError, Unsupported
from mdfsql.read import DIALECTS, reader_of
from tests import conformance

FIXTURES = Path(__file__).parent / "fixtures" / "dialects"


class Case(NamedTuple):
    """A case: an expression over a table, or a whole query; what must become of it; where it stands."""

    sql: str
    table: str
    expected: str
    where: str

    @property
    def query(self) -> str:
        if re.match(r"SELECT|WITH", self.sql):
            return self.sql
        of = f" FROM {self.table}" if self.table else ""
        key = f"{conformance.key_of(self.table)} AS row_, " if self.table else ""
        return f"SELECT {key}{self.sql} AS x{of}"


def cases(dialect: str) -> list[Case]:
    found, table = [], ""
    for number, line in enumerate((FIXTURES / f"{dialect}.sql").read_text().splitlines(), 1):
        if named := re.fullmatch(r"-- from (\w+)", line):
            table = named.group(1)
        elif line and not line.startswith("-- "):
            text, _, expected = line.partition(" -- ")
            found.append(Case(text, table, expected, f"{dialect}.sql:{number}"))
    return found


@functools.cache
def tables() -> dict[str, Any]:
    return {name: mdf.Dataset.from_arrow(source.table) for name, source in conformance.tables().items()}


def read(case: Case, dialect: str) -> mdf.Dataset:
    return mdf.sql(case.query, dialect=dialect, **tables())


Row = tuple[Any, ...]


def plain(value: Any) -> Any:
    """Return a value as all engines give it: moments in UTC, without saying so."""
    if isinstance(value, datetime.datetime) and value.tzinfo:
        return value.astimezone(datetime.UTC).replace(tzinfo=None)
    return [plain(item) for item in value] if isinstance(value, list) else value


def rows(table: Any) -> list[Row]:
    return [tuple(plain(value) for value in row.values()) for row in table.to_pylist()]


def difference(case: Case, left: list[Row], right: list[Row]) -> str | None:
    if " ORDER BY " not in case.query.rpartition(")")[2]:
        left, right = sorted(left, key=conformance.key), sorted(right, key=conformance.key)
    found = next((f"{a} but {b}" for a, b in zip(left, right, strict=False) if not conformance.alike(a, b)), None)
    return found or (f"{len(left)} rows but {len(right)}" if len(left) != len(right) else None)


# ---- Spark ---------------------------------------------------------------------------------------------------------


SETTINGS = {
    "ansi.enabled": "true",
    "session.timeZone": "UTC",
    # Small tables are faster so.
    "shuffle.partitions": "1",
    "adaptive.enabled": "false",
    "codegen.wholeStage": "false",
}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A session as Spark 4 begins one, in UTC, with the tables of the cases."""
    version = pytest.importorskip("pyspark").__version__
    if version.startswith("3"):
        pytest.skip("what Spark 4 means counts")
    import pyarrow.parquet

    from mdfsql.engines import open_engine

    engine: Any = open_engine("spark")
    made = engine._given.newSession()
    for name, value in SETTINGS.items():
        made.conf.set(f"spark.sql.{name}", value)
    folder = tmp_path_factory.mktemp("tables")
    for name, source in conformance.tables().items():
        path = folder / f"{name}.parquet"
        pyarrow.parquet.write_table(source.table, path)
        made.read.parquet(str(path)).createOrReplaceTempView(name)
    yield made
    engine.close()


def on_spark(session: Any, query: str) -> list[Row] | Exception:
    try:
        frame = session.sql(query)
        batches = frame._collect_as_arrow()
    except Exception as error:  # whatever Java raises
        return error
    return [tuple(plain(v) for v in row.values()) for batch in batches for row in batch.to_pylist()]


def check(session: Any, case: Case) -> str | None:
    """Return what is wrong with a case of Spark's, or None."""
    try:
        made = read(case, "spark")
    except QueryError as error:
        return None if case.expected == "refused" else f"{case.where}: {case.sql}: {error}"
    if case.expected == "refused":
        return f"{case.where}: {case.sql}: not refused"
    there = on_spark(session, case.query)
    found = None
    for engine in ("duckdb", "spark"):
        try:
            here: list[Row] | MdfError = rows(made.to_arrow(engine=engine))
        except Unsupported:
            continue
        except MdfError as error:
            here = error
        if isinstance(here, MdfError) or isinstance(there, Exception):
            if isinstance(here, EngineError) and case.expected == (
                "error" if isinstance(there, Exception) else "stops"
            ):
                continue
            found = f"there {str(there)[:150]!r}, here {str(here)[:250]!r}"
        elif case.expected:
            found = f"no error: there {there[:3]}, here {here[:3]}"
        else:
            found = difference(case, there, here)
        if found:
            return f"{case.where}: {case.sql}: {engine}: {found}"
    return None


def together(session: Any, group: list[Case]) -> list[str]:
    """Check expressions that agree in one query; where that fails, one by one."""
    table = group[0].table
    outputs = ", ".join(f"{case.sql} AS x{i}" for i, case in enumerate(group))
    key = conformance.key_of(table)
    if check(session, Case(f"SELECT {key} AS row_, {outputs} FROM {table}", table, "", group[0].where)) is None:
        return []
    return [found for case in group if (found := check(session, case))]


SPARK = cases("spark")
ALIKE = [
    case for case in SPARK if not case.expected and not case.query.startswith(case.sql) and "explode" not in case.sql
]
OTHERS = [case for case in SPARK if case not in ALIKE]
GROUPS = [
    part
    for table in dict.fromkeys(case.table for case in ALIKE)
    for same in [[case for case in ALIKE if case.table == table]]
    for part in (same[i : i + 24] for i in range(0, len(same), 24))
]


@pytest.mark.many
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group[0].where)
def test_spark_expressions(session: Any, group: list[Case]) -> None:
    assert together(session, group) == []


@pytest.mark.many
@pytest.mark.parametrize("case", OTHERS, ids=lambda case: case.where)
def test_spark(session: Any, case: Case) -> None:
    assert check(session, case) is None


# ---- what is not there to be asked ----------------------------------------------------------------------------------

DOCUMENTED = [
    pytest.param(name, case, id=case.where)
    for name in ("postgres", "trino", "snowflake", "bigquery", "tsql", "mysql")
    for case in cases(name)
]


@pytest.mark.parametrize(("dialect", "case"), DOCUMENTED)
def test_as_documented(dialect: str, case: Case) -> None:
    whole = case.query == case.sql
    if case.expected == "refused":
        with pytest.raises(QueryError):
            print(read(case, dialect).collect())
        return
    if case.expected == "error":
        with pytest.raises((EngineError, mdf.errors.BindError)):
            print(read(case, dialect).collect())
        return
    found = rows(read(case, dialect).to_arrow(engine="duckdb"))
    wanted = mdf.sql(f"SELECT {case.expected} AS x").collect()[0]["x"]
    values = [row[0] for row in found]
    assert conformance.alike(values if whole else values[0], plain(wanted))


def test_each_dialect_has_cases() -> None:
    assert {path.stem for path in FIXTURES.glob("*.sql")} == set(DIALECTS.values())


def test_a_dialect_that_is_not_read_is_refused() -> None:
    with pytest.raises(QueryError, match="'oracle' is not read"):
        mdf.sql("SELECT 1 AS x", dialect="oracle")


def test_a_refusal_shows_the_place() -> None:
    with pytest.raises(QueryError) as caught:
        mdf.sql("SELECT id,\n  soundex(s) AS x FROM word", dialect="spark", **tables())
    assert (caught.value.line, caught.value.column) == (2, 3)
    assert "soundex() is refused" in str(caught.value)


def test_each_name_of_a_table_is_one_that_the_reader_asks_for() -> None:
    for name, module in DIALECTS.items():
        table = reader_of(name, "").table
        assert all(found for found in table.values()), module
