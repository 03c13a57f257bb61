"""Spark gives DuckDB's answer or refuses: vectors over edge values, and what the engine itself promises."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp

import mdfsql.dialects.spark
from mdfsql.arrow import arrow_schema, conform, read_schema, table_from_items
from mdfsql.catalog import ArrowSource, Source
from mdfsql.compile import compile_relation, target_of
from mdfsql.dialects.spark import ALLOWED
from mdfsql.engines import open_engine
from mdfsql.engines.base import Engine
from mdfsql.errors import BackendError, EngineError, MdfError, Unsupported
from mdfsql.lower.exact_text import SAFE_LETTERS
from mdfsql.lower.known_forms import FORMS
from mdfsql.relation import Relation
from mdfsql.resolve import resolve

FIXTURES = Path(__file__).parent / "fixtures" / "conformance"
D, T = dt.date, dt.datetime
UTC = dt.UTC
NAN, INF = math.nan, math.inf
Dec = decimal.Decimal

NUM_TYPES = {
    "id": "BIGINT", "i": "INTEGER", "b": "BIGINT", "d": "DOUBLE", "c": "DECIMAL(10,2)", "c2": "DECIMAL(12,4)",
    "bo": "BOOLEAN", "f": "FLOAT", "e": "DOUBLE",
}  # fmt: skip
NUM = [
    (1, None, None, None, None, None, None, None, None),
    (2, 0, 0, 0.0, "0.00", "0.0000", True, 0.0, 0.0),
    (3, -1, -1, -0.0, "-0.01", "-0.0050", False, -0.5, 0.5),
    (4, 1, 1, 0.5, "0.01", "0.0050", True, 0.5, -0.5),
    (5, 7, 10**12, 1.5, "1.15", "1.1550", True, 1.5, 1.5),
    (6, -7, -(10**12), 2.5, "-2.50", "-2.4450", False, -2.5, 2.5),
    (7, 7, 9, -2.5, "2.50", "2.4450", None, 0.1, -2.5),
    (8, 46340, 2**62 - 1, 1.005, "99999.99", "99999.9999", True, 16777216.0, 1.005),
    (9, -46340, -(2**62), 2.675, "-99999.99", "-99999.9999", False, None, 2.675),
    (10, 2, 3, 1e10, "12.34", "12.3456", True, 3.0, 99999.5),
    (11, 3, 2, 1e-5, "3.33", "3.3333", False, 3.25, -99999.5),
    (12, 12, 8, NAN, "0.50", "0.5555", True, NAN, 1e-5),
    (13, -12, 6, INF, "-0.50", "-0.5555", False, INF, 0.125),
    (14, 100, 4, -INF, "100.00", "100.0000", None, -INF, 0.375),
    (15, 1000, 5, 123456.789, "33.33", "33.3333", True, 2.5, 1234.565),
]

WORD_TYPES = {
    "id": "BIGINT", "s": "VARCHAR", "n": "INTEGER", "a": "VARCHAR", "t": "VARCHAR", "w": "VARCHAR", "x": "VARCHAR",
    "y": "VARCHAR", "z": "VARCHAR", "u": "VARCHAR",
}  # fmt: skip
WORD = [
    (1, None, None, None, None, None, None, None, None, None),
    (2, "", 0, "", "1.7", "0", "abc", "true", "2024-02-29", "nan"),
    (3, "hello", 1, "Hello", "12", "12", "", "f", "2024-1-5", "inf"),
    (4, "a b,c.d", 2, "A B", "12", " 12 ", "x", "1", "0001-01-01", "-Infinity"),
    (5, " padded ", 3, "Àé", "12", "-7", "-", "0", "1970-01-01", "1e3"),
    (6, "ß", 1, "Привет", "12", "+5", "no", "t", "2000-12-31", "1e-3"),
    (7, "İstanbul ΑΣ", 2, "ŽLUŤ", "12", "007", "--", "false", "1582-10-10", "2.5"),
    (8, "a\\b", 3, "ab\\c", "12", "42", "n/a", "TRUE", "1600-02-29", "-.5"),
    (9, "100%", 4, "x%y_z", "12", "99", "z", "F", "9999-12-31", "5."),
    (10, "line\nbreak", 5, "tab\tx", "12", "3", "q", "T", "1999-09-09", "1E5"),
    (11, "👍🏽 é", 1, "日本語", "12", "8", "?", "0", "2024-12-01", " 7 "),
    (12, "aaa", 2, "lll", "12", "1", "!", "1", "2023-03-31", "+1"),
    (13, "hello\n", 1, "LL", "12", "2", "ab c", "f", "2024-02-28", "0"),
    (14, "$1 'q' \"d\"", 7, "$", "12", "5", "e", "t", "1900-01-01", "12"),
]

DAY_TYPES = {
    "id": "BIGINT", "d": "DATE", "d2": "DATE", "t": "TIMESTAMP", "t2": "TIMESTAMP", "z": "TIMESTAMPTZ",
    "z2": "TIMESTAMPTZ", "n": "INTEGER", "s": "VARCHAR",
}  # fmt: skip
DAY = [
    (1, None, None, None, None, None, None, None, None),
    (
        2,
        D(2024, 1, 31),
        D(2024, 2, 1),
        T(2024, 1, 31, 23, 59, 59, 999999),
        T(2024, 2, 1),
        T(2024, 3, 10, 7),
        T(2024, 3, 10, 8),
        1,
        "",
    ),
    (
        3,
        D(2024, 2, 29),
        D(2023, 2, 28),
        T(2024, 2, 29, 12, 30),
        T(2023, 2, 28, 13),
        T(2024, 11, 3, 6),
        T(2024, 11, 3, 6),
        -1,
        "x",
    ),
    (
        4,
        D(1970, 1, 1),
        D(1969, 12, 31),
        T(1970, 1, 1),
        T(1969, 12, 31, 23, 59, 59, 500000),
        T(1970, 1, 1),
        T(1969, 1, 1),
        0,
        "x",
    ),
    (
        5,
        D(2023, 12, 31),
        D(2024, 1, 1),
        T(2023, 12, 31, 23, 59),
        T(2024, 1, 1, 0, 1),
        T(2023, 12, 31, 23),
        T(2024, 1, 1),
        12,
        "x",
    ),
    (
        6,
        D(1582, 10, 4),
        D(1582, 10, 15),
        T(1582, 10, 10, 1, 2, 3, 456),
        T(1600, 1, 1),
        T(1850, 1, 1),
        T(1850, 1, 2),
        3,
        "x",
    ),
    (
        7,
        D(1900, 2, 28),
        D(1900, 3, 1),
        T(1883, 11, 18, 12, 3, 58),
        T(1900, 3, 1),
        T(1899, 12, 31),
        T(1900, 1, 1),
        -13,
        "x",
    ),
    (
        8,
        D(2021, 1, 3),
        D(2020, 12, 28),
        T(2021, 1, 3, 4, 5, 6, 7),
        T(2020, 12, 28),
        T(2021, 1, 3),
        T(2021, 1, 3),
        31,
        "x",
    ),
    (9, D(1200, 3, 1), D(1, 1, 2), T(1200, 3, 1), T(1, 2, 2), T(1200, 3, 1), T(1200, 3, 1), 5, "x"),
    (
        10,
        D(2024, 12, 30),
        D(2025, 1, 5),
        T(2024, 12, 30, 10),
        T(2025, 1, 5, 9),
        T(2024, 12, 30),
        T(2025, 1, 5),
        24,
        "x",
    ),
]

NEST_TYPES = {"k": "BIGINT", "l": "BIGINT[]", "ls": "VARCHAR[]", "st": 'STRUCT(A BIGINT, "b" VARCHAR)'}
NEST = [
    (1, [1, 2, None], ["a", None], {"A": 1, "b": "x"}),
    (2, [], [], {"A": None, "b": None}),
    (3, None, None, None),
    (4, [9], ["", "a"], {"A": 2, "b": ""}),
    (None, [None], ["z"], {"A": 1, "b": "x"}),
]
LEFT = [(1, 1, 5), (2, 2, 6), (2, 3, None), (None, 4, 7), (5, 1, 8)]
RIGHT = [(1, 1), (2, 2), (2, 5), (None, 3), (7, 1)]


def source(types: dict[str, str], rows: list[tuple[Any, ...]]) -> ArrowSource:
    items = []
    for row in rows:
        item = dict(zip(types, row, strict=True))
        for name, type_ in types.items():
            if type_.startswith("DECIMAL") and item[name] is not None:
                item[name] = Dec(item[name])
            if type_ == "TIMESTAMPTZ" and item[name] is not None:
                item[name] = item[name].replace(tzinfo=UTC)
        items.append(item)
    table = table_from_items(items, types)
    return ArrowSource(schema=read_schema(table.schema), table=table)


TABLES: dict[str, Source] = {
    "num": source(NUM_TYPES, NUM),
    "word": source(WORD_TYPES, WORD),
    "day": source(DAY_TYPES, DAY),
    "nest": source(NEST_TYPES, NEST),
    "left_": source({"k": "BIGINT", "a": "INTEGER", "b_": "INTEGER"}, LEFT),
    "right_": source({"k": "BIGINT", "c": "INTEGER"}, RIGHT),
}


class Case(NamedTuple):
    """A vector: the query, the table of an expression or None, and what must become of it."""

    sql: str
    table: str | None
    expected: str  # "same", "refused" or "error"
    where: str


def scalars() -> Iterator[Case]:
    table = ""
    for number, line in enumerate((FIXTURES / "scalars.sql").read_text().splitlines(), 1):
        if found := re.fullmatch(r"-- from (\w+)", line):
            table = found.group(1)
        elif line and not line.startswith("-- "):
            text, _, expected = line.partition(" -- ")
            yield Case(text, table, expected or "same", f"scalars.sql:{number}")


def queries() -> Iterator[Case]:
    text = (FIXTURES / "queries.sql").read_text().partition("\n\n")[2]
    number = (FIXTURES / "queries.sql").read_text().partition("\n\n")[0].count("\n") + 3
    for part in text.split(";\n"):
        lines = part.strip().splitlines()
        expected = next((line[3:] for line in lines if line.startswith("-- ")), "same")
        sql = "\n".join(line for line in lines if not line.startswith("-- "))
        if sql:
            yield Case(sql, None, expected, f"queries.sql:{number}")
        number += part.count("\n") + 1


HINT = re.compile(r"/\*\+ REPARTITION\((\d+)(?:, (\w+))?\) \*/")


def relation(sql: str) -> Relation:
    tree = sqlglot.parse_one(HINT.sub("", sql), read="duckdb")
    if found := HINT.search(sql):
        # The reference's parser takes a hint for a comment; Dataset.repartition() sets it on the tree.
        parts = [exp.Literal.number(found.group(1)), *([exp.column(found.group(2))] if found.group(2) else [])]
        tree.set("hint", exp.Hint(expressions=[exp.Anonymous(this="REPARTITION", expressions=parts)]))
    assert isinstance(tree, exp.Query), sql
    names = {table.name for table in tree.find_all(exp.Table)}
    return Relation(tree, {name: given for name, given in TABLES.items() if name in names})


def run(engine: Engine, given: Relation) -> pa.Table:
    plan = compile_relation(given, target_of(engine.name))
    return pa.Table.from_batches(conform(engine.batches(plan), plan.schema, engine.name), arrow_schema(plan.schema))


def alike(left: Any, right: Any) -> bool:
    """Tell whether two values are the same: floats to a relative 1e-9, nan like nan, all else exactly."""
    if isinstance(left, float) and isinstance(right, float):
        return (math.isnan(left) and math.isnan(right)) or left == right or math.isclose(left, right, rel_tol=1e-9)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(alike, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(alike(left[k], right[k]) for k in left)
    return type(left) is type(right) and left == right


def key(row: tuple[Any, ...]) -> list[str]:
    return [f"{value:.6g}" if isinstance(value, float) else repr(value) for value in row]


def difference(reference: pa.Table, other: pa.Table, *, ordered: bool) -> str | None:
    """Return how two results differ, or None."""
    assert reference.schema == other.schema
    left, right = ([tuple(row.values()) for row in table.to_pylist()] for table in (reference, other))
    if len(left) != len(right):
        return f"{len(left)} rows, {len(right)} rows: {left[:5]} {right[:5]}"
    if not ordered:
        left, right = sorted(left, key=key), sorted(right, key=key)
    for one, two in zip(left, right, strict=True):
        if not all(map(alike, one, two)):
            return f"{one} but {two}"
    return None


@pytest.fixture(scope="session")
def duck() -> Iterator[Engine]:
    engine = open_engine("duckdb")
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def spark() -> Iterator[Engine]:
    pytest.importorskip("pyspark")
    try:
        engine = open_engine("spark")
    except BackendError as error:
        pytest.skip(str(error))
    yield engine
    engine.close()


PASSED: set[type[exp.Expr]] = set()
FORMS_PASSED: dict[str, set[str]] = {}


def note(given: Relation) -> None:
    """Remember the classes of a case that agrees, as sent, and the parts of its constructs, as resolved."""
    plan = compile_relation(given, mdfsql.dialects.spark.target)
    PASSED.update(type(node) for node in plan.tree.walk())
    for node in resolve(given.assemble(), tuple(given.sources()), "spark").walk():
        FORMS_PASSED.setdefault(type(node).__name__, set()).update(k for k, v in node.args.items() if v)


def as_query(case: Case) -> str:
    if case.table is None:
        return case.sql
    name = "k" if case.table == "nest" else "id"
    return f"SELECT {name} AS row_, {case.sql} AS x FROM {case.table}"


def outcome(engine: Engine, case: Case) -> pa.Table | MdfError:
    try:
        return run(engine, relation(as_query(case)))
    except MdfError as error:
        return error


def check(duck: Engine, spark: Engine, case: Case) -> str | None:
    """Return what is wrong with a case, or None."""
    try:
        given = relation(as_query(case))
    except MdfError as error:
        return f"{case.where}: {case.sql}: not bound: {error}"
    try:
        compile_relation(given, mdfsql.dialects.spark.target)
    except Unsupported as error:
        return None if case.expected == "refused" else f"{case.where}: {case.sql}: refused: {error}"
    if case.expected == "refused":
        return f"{case.where}: {case.sql}: not refused"
    reference, answer = outcome(duck, case), outcome(spark, case)
    if isinstance(answer, MdfError) and case.expected == "error":
        # What engines make of text may raise on Spark alone: an error, never another answer.
        return None if isinstance(answer, EngineError) and "\n" not in str(answer) else f"{case.where}: {answer!r}"
    if isinstance(reference, MdfError) or isinstance(answer, MdfError):
        return f"{case.where}: {case.sql}: {reference if isinstance(reference, MdfError) else 'fine'} | " + (
            str(answer) if isinstance(answer, MdfError) else f"fine {answer.to_pylist()[:4]}"
        )
    if case.expected == "error":
        return f"{case.where}: {case.sql}: no error"
    ordered = bool(sqlglot.parse_one(case.sql, read="duckdb").args.get("order")) if case.table is None else False
    found = difference(reference, answer, ordered=ordered)
    if found is None:
        note(given)
    return found and f"{case.where}: {case.sql}: {found}"


def together(duck: Engine, spark: Engine, table: str, cases: list[Case]) -> list[str]:
    """Check expressions that must agree in one query; where that fails, one by one."""
    name = "k" if table == "nest" else "id"
    outputs = ", ".join(f"{case.sql} AS x{i}" for i, case in enumerate(cases))
    try:
        given = relation(f"SELECT {name} AS row_, {outputs} FROM {table}")
        if difference(run(duck, given), run(spark, given), ordered=False) is None:
            note(given)
            return []
    except MdfError:
        pass
    return [found for case in cases if (found := check(duck, spark, case))]


AT_ONCE = 24


def groups() -> list[Any]:
    found = []
    for table in ("num", "word", "day", "nest"):
        cases = [case for case in scalars() if case.table == table and case.expected == "same"]
        for at in range(0, len(cases), AT_ONCE):
            part = cases[at : at + AT_ONCE]
            found.append(pytest.param(table, part, id=f"{table}-{part[0].where.rpartition(':')[2]}"))
    return found


@pytest.mark.parametrize(("table", "cases"), groups())
def test_expressions_agree(duck: Engine, spark: Engine, table: str, cases: list[Case]) -> None:
    assert together(duck, spark, table, cases) == []


@pytest.mark.parametrize("case", [c for c in scalars() if c.expected != "same"], ids=lambda c: c.where)
def test_expressions_that_do_not_agree_are_refused_or_raise(duck: Engine, spark: Engine, case: Case) -> None:
    assert check(duck, spark, case) is None


@pytest.mark.parametrize("case", list(queries()), ids=lambda c: c.where)
def test_queries_agree_or_are_refused(duck: Engine, spark: Engine, case: Case) -> None:
    assert check(duck, spark, case) is None


SAFE = re.compile(SAFE_LETTERS.replace(r"\A", "").replace(r"\z", "")[:-1])


def test_letters_that_are_let_through_have_the_same_partner(duck: Engine, spark: Engine) -> None:
    letters = [chr(i) for i in range(1, 0x10000) if not 0xD800 <= i < 0xE000 and SAFE.match(chr(i))]
    assert len(letters) > 10_000
    given = source({"s": "VARCHAR"}, [(f"{a}{b}",) for a, b in zip(letters, letters[::-1], strict=True)])
    tree = sqlglot.parse_one("SELECT s, upper(s) AS u, lower(s) AS l FROM t", read="duckdb")
    assert isinstance(tree, exp.Query)
    made = Relation(tree, {"t": given})
    assert difference(run(duck, made), run(spark, made), ordered=False) is None


def test_each_allowed_class_is_in_a_case_that_agrees(spark: Engine) -> None:
    assert sorted(cls.__name__ for cls in ALLOWED - PASSED) == []


def test_each_known_form_is_in_a_case_that_agrees(spark: Engine) -> None:
    untried = {name: sorted(parts - FORMS_PASSED.get(name, set())) for name, parts in FORMS.items()}
    assert {name: parts for name, parts in untried.items() if parts} == {}
