"""Lifted SQL against CPython: generated row functions on generated rows, transcripts, and refusals."""

from __future__ import annotations

import datetime
import functools
import importlib.util
import itertools
import math
import os
import random
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from mdfsql.errors import CannotLift
from mdfsql.lift import lift_join, lift_predicate, lift_row, lift_value
from mdfsql.schema import Schema

SCHEMA = Schema(
    {
        "id": "BIGINT",
        "v": "BIGINT",
        "i": "INTEGER",
        "k": "TINYINT",
        "x": "DOUBLE",
        "y": "DOUBLE",
        "f": "FLOAT",
        "s": "VARCHAR",
        "t": "VARCHAR",
        "b": "BOOLEAN",
        "d": "DATE",
        "m": "DECIMAL(10,2)",
    }
)

POOLS: dict[str, list[Any]] = {
    "v": [None, 0, 1, -1, 2, 7, -7, 30, 31, 45, 2**31, -(2**31), 2**53 + 1, 2**62, 2**63 - 1, -(2**63)],
    "i": [None, 0, 1, -1, 3, -3, 10, 2**31 - 1, -(2**31)],
    "k": [None, 0, 1, -1, 5, 127, -128],
    "x": [None, 0.0, -0.0, 1.5, -1.5, 2.5, 0.1, 30.0, 1e16, 1e-7, 1e300, math.nan, math.inf, -math.inf],
    "y": [None, 0.0, -0.0, 0.5, 1.5, 2.675, -30.0, 123456789.125, math.nan, math.inf],
    "f": [None, 0.0, 0.1, -2.5, math.nan, 3.4e38],
    "s": [None, "", "a", "A", "ab", " a b ", "abc", "é", "ß", "日本語", "a\u0301", "\u00a0x\t", "🤦🏼", "None", "it's"],
    "t": [None, "", "a", "b", "B", "zz", "é", "\u2003", "ab"],
    "b": [None, True, False],
    "d": [None, datetime.date(1970, 1, 1), datetime.date(2024, 2, 29), datetime.date(1, 1, 1)],
    "m": [None, Decimal("0.00"), Decimal("1.50"), Decimal("-7.25"), Decimal("30.00")],
}
ROWS = 60

# --- the oracle -------------------------------------------------------------------------------------------------------


class Outcome:
    """What Python gives for a row that is no value."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


POISON = Outcome("raises because of None")
ERROR = Outcome("raises")

# What SQL refuses loudly though Python has an answer.
LOUD = re.compile(r"overflow|out of range|beyond 2\*\*53|beyond ASCII|beyond what", re.I)


def python(function: Callable[..., Any], *rows: dict[str, Any]) -> Any:
    """Return what Python gives, with its two ways of giving nothing told apart."""
    try:
        return function(*(dict(r) for r in rows))
    except (TypeError, AttributeError):
        return POISON  # generated programs are well typed but for None
    except (ZeroDivisionError, ValueError, OverflowError):
        return ERROR


def same(expected: Any, found: Any) -> bool:
    """Return whether two values are of one type, and equal; NaN is NaN, and -0.0 is not 0.0."""
    return type(expected) is type(found) and repr(expected) == repr(found)


class Table:
    """The rows, in DuckDB and as Python sees them."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        self.connection = duckdb.connect()
        self.connection.execute("SET threads = 1")
        columns = ", ".join(f'"{n}" {t}' for n, t in SCHEMA.items())
        self.connection.execute(f"CREATE TABLE rows ({columns})")
        for place in range(ROWS):
            row = [place, *(rng.choice(POOLS[n]) for n in list(SCHEMA)[1:])]
            self.connection.execute(f"INSERT INTO rows VALUES ({', '.join('?' * len(row))})", row)
        self.rows = self.fetch("FROM rows ORDER BY id")

    def fetch(self, query: str) -> list[dict[str, Any]]:
        found = self.connection.execute(query)
        names = [d[0] for d in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def each(self, select: str, where: str = "TRUE") -> Iterator[dict[str, Any] | str | None]:
        """Yield for every row what the query gives: columns, None for a dropped row, or the error's text."""
        try:
            found = {r["id_"]: r for r in self.fetch(f"SELECT id AS id_, {select} FROM rows WHERE {where}")}
            yield from (found.get(place) for place in range(ROWS))
        except duckdb.Error:
            for place in range(ROWS):
                try:
                    # Materialized, lest the optimizer learn the row's values and decide without evaluating.
                    one = self.fetch(
                        f"WITH one AS MATERIALIZED (FROM rows WHERE id = {place})"
                        f"SELECT id AS id_, {select} FROM one WHERE {where}"
                    )
                    yield one[0] if one else None
                except duckdb.Error as error:
                    yield str(error)


@functools.cache
def table() -> Table:
    return Table(7)


_numbers = itertools.count()


def module(source: str, folder: Path) -> ModuleType:
    """Return a module made of ``source``, with a file behind it."""
    name = f"generated_{next(_numbers)}"
    path = folder / f"{name}.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


# --- generated programs -----------------------------------------------------------------------------------------------


INT_SETS = ["(1, 2, 30)", "{0, 7}", "[None, 3]", "()", "range(0, 31)", "(1.0, 2.5)", "(True, 5)"]
STR_SETS = ["('a', 'ab')", "('',)", "WORDS", "['é', None]"]


class Grammar:
    """Random well-typed programs over the schema; ``names`` are local variables by type."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.names: dict[str, list[str]] = {}

    def pick(self, *options: str) -> str:
        return self.rng.choice(options)

    def leaf(self, type_: str) -> str:
        columns = {"int": "vik", "float": "xyf", "str": "st", "bool": "b", "date": "d", "decimal": "m"}[type_]
        constants = {
            "int": ["0", "1", "-1", "2", "3", "7", "30", "-7", "True", "LIMIT", "4611686018427387904"],
            "float": ["0.0", "1.5", "-2.5", "0.1", "30.0", "1e16", "RATE", "0.30000000000000004"],
            "str": ["''", "'a'", "'é'", "'ab'", "WORD", "'x y '"],
            "bool": ["True", "False"],
            "date": ["DAY"],
            "decimal": ["30", "0", "-7"],
        }[type_]
        local = self.names.get(type_, [])
        if local and self.rng.random() < 0.6:
            return self.rng.choice(local)
        if self.rng.random() < 0.65:
            return f"r[{self.rng.choice(columns)!r}]" if self.rng.random() < 0.9 else f"r.get({columns[0]!r})"
        return self.rng.choice(constants)

    def expr(self, type_: str, depth: int) -> str:
        if depth <= 0 or self.rng.random() < 0.15:
            return self.leaf(type_)
        return getattr(self, f"{type_}_expr")(depth - 1)

    def some(self, depth: int) -> str:
        """A value of any type, for its truth."""
        return self.expr(self.pick("int", "float", "str", "bool", "bool", "bool", "date"), depth)

    def choice(self, type_: str, depth: int) -> str:
        a, b = self.expr(type_, depth), self.expr(type_, depth)
        if self.rng.random() < 0.15:
            b = "None"
        return self.pick(f"({a} if {self.some(depth)} else {b})", f"({a} or {b})", f"({a} and {b})")

    def int_expr(self, depth: int) -> str:
        a, b = (lambda: self.expr("int", depth)), (lambda: self.expr("int", depth))
        return self.rng.choice(
            [
                lambda: f"({a()} {self.pick('+', '-', '*')} {b()})",
                lambda: f"({a()} {self.pick('//', '%')} {self.pick('2', '3', '-3', '7')})",
                lambda: f"({a()} {self.pick('//', '%')} {b()})",
                lambda: f"(-{a()})",
                lambda: f"len({self.expr('str', depth)})",
                lambda: f"abs({a()})",
                lambda: f"{self.pick('min', 'max')}({a()}, {b()})",
                lambda: f"int({self.pick(self.expr('float', depth), self.expr('bool', depth))})",
                lambda: f"round({self.expr('float', depth)})",
                lambda: f"math.{self.pick('floor', 'ceil')}({self.expr('float', depth)})",
                lambda: f"r['d'].{self.pick('year', 'month', 'day')}",
                lambda: f"TABLE.get({self.expr('str', depth)}, {b()})",
                lambda: f"double({a()})",
                lambda: f"clamp({a()}, {b()})",
                lambda: self.choice("int", depth),
            ]
        )()

    def float_expr(self, depth: int) -> str:
        a, b = (lambda: self.expr("float", depth)), (lambda: self.expr("float", depth))
        number = lambda: self.expr(self.pick("int", "float"), depth)  # noqa: E731
        return self.rng.choice(
            [
                lambda: f"({a()} {self.pick('+', '-', '*')} {number()})",
                lambda: f"({number()} {self.pick('+', '-', '*')} {b()})",
                lambda: f"({number()} / {number()})",
                lambda: f"({number()} / {self.pick('2', '4', '0.5', '3', '100')})",
                lambda: f"(-{a()})",
                lambda: f"abs({a()})",
                lambda: f"float({number()})",
                lambda: f"{self.pick('min', 'max')}({a()}, {b()})",
                lambda: self.choice("float", depth),
            ]
        )()

    def str_expr(self, depth: int) -> str:
        a, b = (lambda: self.expr("str", depth)), (lambda: self.expr("str", depth))
        return self.rng.choice(
            [
                lambda: f"({a()} + {b()})",
                lambda: f"{a()}.{self.pick('strip()', 'lstrip()', 'rstrip()')}",
                lambda: (
                    f"{a()}.{self.pick('strip', 'lstrip', 'rstrip')}({self.pick(chr(39) + 'ab' + chr(39), 'None')})"
                ),
                lambda: f"{a()}.{self.pick('upper', 'lower')}()",
                lambda: f"{a()}.replace({self.pick(repr('a'), repr('é'), 'WORD')}, {b()})",
                lambda: (
                    f"{a()}[{self.pick('', '0', '1', '2', '-1', '-2', '5')}:{self.pick('', '0', '1', '2', '-1', '4')}]"
                ),
                lambda: f"str({self.expr(self.pick('int', 'bool', 'str', 'float', 'date', 'decimal'), depth)})",
                lambda: "f'{" + self.expr(self.pick("int", "bool", "str", "float"), 0).replace("'", '"') + "}-{LIMIT}'",
                lambda: "f'{" + self.leaf("float").replace("'", '"') + self.pick(":.2f", ":.0f", ":.3f") + "}'",
                lambda: self.choice("str", depth),
            ]
        )()

    def date_expr(self, depth: int) -> str:
        return self.choice("date", depth)

    def decimal_expr(self, depth: int) -> str:
        return "r['m']"

    def bool_expr(self, depth: int) -> str:
        options: list[Callable[[], str]]
        order = lambda: self.pick("<", "<=", ">", ">=", "==", "!=")  # noqa: E731
        some = lambda: self.some(depth)  # noqa: E731

        def pair() -> tuple[str, str]:
            one = self.pick("int", "int", "float", "str", "bool", "date", "decimal", "number")
            if one == "number":
                return self.expr("int", depth), self.expr("float", depth)
            return self.expr(one, depth), self.expr(one, depth)

        def compared() -> str:
            a, b = pair()
            return f"({a} {order()} {b})"

        def chained() -> str:
            one = self.pick("int", "float", "str")
            a, b, c = (self.expr(one, depth) for _ in range(3))
            return f"({a} {order()} {b} {order()} {c})"

        def is_none() -> str:
            one = self.pick("int", "float", "str", "bool", "date")
            return f"({self.expr(one, self.rng.choice([0, 0, depth]))} {self.pick('is', 'is not', '==', '!=')} None)"

        options = [
            compared,
            compared,
            compared,
            chained,
            is_none,
            is_none,
            lambda: f"({some()} and {some()})",
            lambda: f"({some()} or {some()})",
            lambda: f"({some()} and {some()} and {some()})",
            lambda: f"(not {some()})",
            lambda: f"(not {self.expr('bool', depth)})",
            lambda: f"({some()} if {some()} else {self.expr('bool', depth)})",
            lambda: f"bool({some()})",
            lambda: f"({self.expr('int', depth)} {self.pick('in', 'not in')} {self.pick(*INT_SETS)})",
            lambda: f"({self.expr('str', depth)} {self.pick('in', 'not in')} {self.pick(*STR_SETS)})",
            lambda: f"({self.expr('float', depth)} {self.pick('in', 'not in')} {self.pick('(0.0, 1.5)', '(0, 30)')})",
            lambda: f"({self.expr('str', depth)} in {self.expr('str', depth)})",
            lambda: (
                f"{self.expr('str', depth)}.{self.pick('startswith', 'endswith')}"
                f"({self.pick(repr('a'), repr(('a', 'é')), self.expr('str', depth))})"
            ),
            lambda: f"math.isnan({self.expr('float', depth)})",
            lambda: f"is_big({self.expr('int', depth)})",
            lambda: f"any({self.pick('r[c] is None', 'r[c] == 0', 'r[c] > 1')} for c in ('v', 'i'))",
            lambda: "all(r[c] is not None for c in ('v', 's'))",
        ]
        return self.rng.choice(options)()


PRELUDE = """import datetime
import math

LIMIT = 45
RATE = 0.75
WORD = "ab"
WORDS = frozenset(["a", "", "日本語"])
TABLE = {"a": 1, "ab": 2, "": 3}
DAY = datetime.date(2024, 2, 29)


class Missing:
    def __bool__(self):
        raise TypeError


MISSING = Missing()


def double(n):
    return n * 2


def clamp(n, top):
    if n > top:
        return top
    return n


def is_big(n, limit=LIMIT):
    return n > limit

"""


class Program:
    """A generated predicate, and a generated map with an oracle for each of its columns."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.grammar = Grammar(rng)
        body = self.statements() if rng.random() < 0.5 else []
        depth = rng.choice([1, 2, 2, 3])
        columns = {
            name: self.grammar.expr(rng.choice(["int", "float", "str", "bool", "date"]), depth)
            for name in rng.sample(["new", "v", "s", "z"], rng.choice([1, 2]))
        }
        test = self.grammar.some(depth)
        self.columns = list(columns)
        made = "{**r, " + ", ".join(f"{n!r}: {e}" for n, e in columns.items()) + "}"
        if rng.random() < 0.15:
            made = f"{{'id': r['id'], **{{'one': 1}}}} | {{{', '.join(f'{n!r}: {e}' for n, e in columns.items())}}}"
        parts = [PRELUDE]
        if body:
            parts.append(self.define("predicate", body, test))
            parts.append(self.define("row", body, made))
            parts += [self.define(f"column_{n}", self.needed(body, e), e) for n, e in columns.items()]
            parts += [self.define(f"free_{n}", self.attempted(self.needed(body, e)), e) for n, e in columns.items()]
        else:
            parts.append(f"predicate = lambda r: {test}\n")
            parts.append(f"row = lambda r: {made}\n")
            parts += [f"column_{n} = lambda r: {e}\n" for n, e in columns.items()]
        self.source = "\n".join(parts)

    def define(self, name: str, body: list[tuple[str, list[str]]], result: str) -> str:
        lines = [line for _, block in body for line in block]
        return "\n".join([f"def {name}(r):", *(f"    {line}" for line in lines), f"    return {result}", ""])

    def needed(self, body: list[tuple[str, list[str]]], result: str) -> list[tuple[str, list[str]]]:
        """Leave out what a column does not depend on: a map stores None in the columns that do."""
        kept: list[tuple[str, list[str]]] = []
        text = result
        for name, block in reversed(body):
            if re.search(rf"\b{name}\b", text):
                kept.insert(0, (name, block))
                text += "\n" + "\n".join(block)
        return kept

    def attempted(self, body: list[tuple[str, list[str]]]) -> list[tuple[str, list[str]]]:
        """Let statements fail: a result that does not come from them is not changed by that."""
        failed = "except (TypeError, AttributeError):"
        return [(n, ["try:", *(f"    {x}" for x in block), failed, f"    {n} = MISSING"]) for n, block in body]

    def statements(self) -> list[tuple[str, list[str]]]:
        grammar, rng, blocks = self.grammar, self.rng, []
        for place in range(rng.choice([1, 2, 3])):
            type_ = rng.choice(["int", "int", "float", "str", "bool"])
            name = f"n{place}"
            value = grammar.expr(type_, 2)
            kind = rng.random()
            if kind < 0.4:
                block = [f"{name} = {value}"]
            elif kind < 0.6:
                block = [
                    f"if {grammar.some(1)}:",
                    f"    {name} = {value}",
                    "else:",
                    f"    {name} = {grammar.expr(type_, 1)}",
                ]
            elif kind < 0.8:
                block = [f"{name} = {grammar.leaf(type_)}", f"if {grammar.some(1)}:", f"    {name} = {value}"]
            elif type_ in ("int", "float", "str"):
                block = [f"{name} = {grammar.leaf(type_)}", f"{name} += {grammar.expr(type_, 1)}"]
            else:
                block = [f"{name} = False", "for c in ('v', 'i', 'x'):", f"    {name} = {name} or r[c] is None"]
            blocks.append((name, block))
            grammar.names.setdefault(type_, []).append(name)
        return blocks


class Tally:
    """What a run of programs came to."""

    def __init__(self) -> None:
        self.lifted = self.refused = self.rows = self.loud = 0
        self.reasons: dict[str, int] = {}

    def refuse(self, error: CannotLift) -> None:
        self.refused += 1
        self.reasons[error.reason] = self.reasons.get(error.reason, 0) + 1


def check_cell(
    expected: Any, found: Any, tally: Tally, dropped: Any = None, source: str = "", row: dict[str, Any] | None = None
) -> bool:
    """Return whether a cell is what the policy says; ``found`` is a str in a tuple where SQL failed."""
    tally.rows += 1
    if isinstance(found, tuple):
        tally.loud += bool(LOUD.search(found[0]))
        return expected in (ERROR, POISON) or bool(LOUD.search(found[0]))
    if expected is ERROR:
        # Only where the row has a None as well may SQL have met that first.
        met = any(v is None and f"'{n}'" in source for n, v in (row or {}).items())
        return met and found in (None, False)
    return same(dropped if expected is POISON else expected, found)


def check(program: Program, folder: Path, tally: Tally) -> None:
    made = module(program.source, folder)
    data = table()
    try:
        condition = lift_predicate(made.predicate, SCHEMA)
        tally.lifted += 1
    except CannotLift as error:
        tally.refuse(error)
    else:
        where = condition.sql("duckdb")
        for row, found in zip(data.rows, data.each("1 AS one", where), strict=True):
            value = python(made.predicate, row)
            expected = value if isinstance(value, Outcome) else bool(value)
            got = (found,) if isinstance(found, str) else found is not None
            assert check_cell(expected, got, tally, False, program.source, row), (
                expected,
                got,
                row,
                where,
                program.source[len(PRELUDE) :],
            )
    try:
        columns = lift_row(made.row, SCHEMA)
        tally.lifted += 1
    except CannotLift as error:
        tally.refuse(error)
        return
    for name in program.columns:
        node = columns[name].sql("duckdb")
        oracle = getattr(made, f"column_{name}")
        for row, found in zip(data.rows, data.each(f"{node} AS it"), strict=True):
            expected = python(oracle, row)
            assert found is not None
            got = (found,) if isinstance(found, str) else found["it"]
            if expected is POISON and got is not None and not columns[name].find(exp.Case):
                # What the text mentions and the value does not depend on, as in DAY or n1.
                expected = python(getattr(made, f"free_{name}", oracle), row)
            assert check_cell(expected, got, tally, None, program.source, row), (
                name,
                expected,
                got,
                row,
                node,
                program.source[len(PRELUDE) :],
            )


@settings(derandomize=True, max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@given(seed=st.integers(0, 2**32))
def test_generated_programs_agree_with_python(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    check(Program(random.Random(seed)), tmp_path_factory.getbasetemp(), Tally())


# --- transcripts ------------------------------------------------------------------------------------------------------

IMPORTS = "import datetime\nimport math\nimport re\nfrom decimal import Decimal\n\n"
TRANSCRIPTS = Path(__file__).parent / "fixtures" / "lift" / "transcripts.txt"
LIFTS: dict[str, Callable[[Callable[..., Any], Schema], Any]] = {
    "filter": lift_predicate,
    "map": lift_row,
    "value": lift_value,
}


def transcript(how: str, function: Callable[..., Any]) -> list[str]:
    found = LIFTS[how](function, SCHEMA)
    if not isinstance(found, dict):
        return [found.sql("duckdb")]
    plain = {n: f'"{n}"' for n in SCHEMA}
    lines = [f"{n}: {e.sql('duckdb')}" for n, e in found.items() if e.sql("duckdb") != plain.get(n)]
    return lines or [", ".join(found)]


def test_transcripts(tmp_path: Path) -> None:
    source = TRANSCRIPTS.read_text(encoding="utf-8")
    kept = [line for line in source.splitlines() if not line.startswith("    ->")]
    cases = [line.split(None, 1) for line in kept if line and not line.startswith("#")]
    made = module(
        IMPORTS + "functions = [\n" + "".join(f"    lambda r: {body},\n" for _, body in cases) + "]\n", tmp_path
    )
    functions = iter(made.functions)
    lines = []
    for line in kept:
        lines.append(line)
        if line and not line.startswith("#"):
            lines += [f"    -> {sql}" for sql in transcript(line.split()[0], next(functions))]
    written = "\n".join(lines) + "\n"
    if os.environ.get("REWRITE_FIXTURES"):
        TRANSCRIPTS.write_text(written, encoding="utf-8")
    assert written == source


# --- joins ------------------------------------------------------------------------------------------------------------

KEYS = itertools.product([None, 0, 1, 2], [None, 0.5, math.nan])
LEFT = [{"id": i, "key": k, "x": x} for i, (k, x) in enumerate(KEYS)]


@pytest.mark.parametrize(
    "predicate",
    [
        lambda a, b: a["key"] == b["key"],
        lambda a, b: a["key"] is not None and a["key"] == b["key"],
        lambda a, b: a["key"] != b["key"],
        lambda a, b: a["x"] == b["x"],
        lambda a, b: a["key"] == b["key"] and a["x"] > b["x"],
        lambda a, b: a["key"] == b["key"] + 1,
        lambda a, b: not (a["key"] < b["key"]),
        lambda a, b: a["key"] == b["key"] or a["x"] < b["x"],
    ],
)
def test_join_agrees_with_python(predicate: Callable[..., Any]) -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE one (id BIGINT, key BIGINT, x DOUBLE)")
    connection.executemany("INSERT INTO one VALUES (?, ?, ?)", [list(row.values()) for row in LEFT])
    schema = Schema({"id": "BIGINT", "key": "BIGINT", "x": "DOUBLE"})
    condition = lift_join(predicate, schema, schema, "a", "b").sql("duckdb")
    query = f"SELECT a.id, b.id FROM one a JOIN one b ON {condition}"
    expected = {(a["id"], b["id"]) for a in LEFT for b in LEFT if python(predicate, a, b) is True}
    assert set(connection.execute(query).fetchall()) == expected


# --- refusals ---------------------------------------------------------------------------------------------------------


def unused(r: dict[str, Any]) -> Any:
    n = r["v"] + 1  # noqa: F841
    return {**r, "y": 1}


def caught(r: dict[str, Any]) -> Any:
    try:
        return r["v"] > 1
    except TypeError:
        return False


def changed(r: dict[str, Any]) -> Any:
    r["v"] = 1
    return r


def endless(r: dict[str, Any]) -> Any:
    return endless(r)


REFUSALS: list[tuple[Callable[..., Any], Callable[..., Any], str, str, str]] = [
    # how, function, a part of the reason, a part of the suggestion, what stands at the caret
    (lift_predicate, lambda r: r["vv"] > 1, "no column 'vv'", "did you mean 'v'", 'r["vv"]'),
    (lift_predicate, lambda r: r.v > 1, "no attribute v", 'write r["v"]', "r.v"),
    (lift_predicate, lambda r: (r["v"] + 1) is None, "never compared with None", "item['value'] is None", "(r["),
    (lift_predicate, lambda r: r["v"] > "1", "never equal", "str(x)", 'r["v"] > "1"'),
    (lift_predicate, lambda r: r["m"] > 1.5, "never equal", "", 'r["m"]'),
    (lift_predicate, lambda r: r["m"] / 2 > 1, "Decimal division", "", 'r["m"] / 2'),
    (lift_predicate, lambda r: r["x"] // 2 > 1, "on floats", "", 'r["x"] // 2'),
    (lift_predicate, lambda r: r["v"] // 0 > 1, "division by zero", "", 'r["v"] // 0'),
    (lift_predicate, lambda r: r["v"] + 2**64 > 1, "64 bits", "", "2**64"),
    (lift_predicate, lambda r: (r["v"] > 1) & (r["i"] > 1), "& and |", '"and"', '(r["v"] > 1) &'),
    (lift_predicate, lambda r: (n := r["v"]) > 1, ":=", "def", "n := "),  # noqa: F841
    (lift_predicate, lambda r: [c + "x" for c in r["s"]], "looped over", "constant tuple", "[c + "),
    (lift_predicate, lambda r: r["s"].title(), "title", "", 'r["s"].title'),
    (lift_predicate, lambda r: sorted(r["s"]), "sorted() is not lifted", "", "sorted("),
    (lift_predicate, lambda r: unknown_name > r["v"], "unknown_name is not defined", "", "unknown_name"),  # type: ignore[name-defined]  # noqa: F821
    (lift_predicate, lambda r: r["vv"] == "é", "no column 'vv'", "", 'r["vv"]'),
    (lift_predicate, caught, "try is not lifted", "test for the case", "try:"),
    (lift_predicate, endless, "too deep", "", "endless(r)"),
    (lift_row, changed, "plain names", "new dict", 'r["v"] = 1'),
    (lift_row, unused, "computed but not used", "", "return"),
    (lift_row, lambda r: r["v"], "needs a dict", "", 'r["v"]'),
    (lift_row, lambda r: {**r, "n": None}, "only ever None", "schema=", ""),
    (lift_row, lambda r: {**r, "n": 1 if r["b"] else 1.5}, "int, the other float", "0.0", "1 if"),
    (lift_row, lambda r: {"a": 1} if r["b"] else {"b": 1}, "keys a, the other b", "same keys", '{"a"'),
    (lift_row, lambda r: {r["s"]: 1}, "constant string", "", 'r["s"]'),
    (lift_row, lambda r: {**r, "n": round(r["x"], 2)}, "binary fraction", ".2f", "round("),
    (lift_value, lambda r: r, "this gives a dict", "", "r"),
    (lift_value, lambda r, q: 1, "called with one row", "", "lambda"),
]


@pytest.mark.parametrize(("how", "function", "reason", "suggestion", "place"), REFUSALS)
def test_refusals(
    how: Callable[..., Any], function: Callable[..., Any], reason: str, suggestion: str, place: str
) -> None:
    with pytest.raises(CannotLift) as caught:
        how(function, SCHEMA)
    error = caught.value
    assert reason in error.reason, error.reason
    assert suggestion in (error.suggestion or "")
    assert error.filename == __file__
    assert error.line is not None and error.column is not None and error.text is not None
    assert error.text == Path(__file__).read_text(encoding="utf-8").splitlines()[error.line - 1]
    assert error.text[error.column - 1 :].startswith(place)


def test_refusal_points_with_a_caret() -> None:
    with pytest.raises(CannotLift) as caught:
        lift_predicate(lambda r: r["ss"] == "a", SCHEMA)
    reason, place, text, caret, remedy = str(caught.value).splitlines()
    assert reason == "KeyError: there is no column 'ss'"
    assert place.startswith(__file__) and text.index('r["ss"]') == caret.index("^")
    assert remedy == "  did you mean 's'"


# --- values at the time of the call -----------------------------------------------------------------------------------

LIMIT = 1


def test_names_mean_what_they_mean_when_lifted() -> None:
    global LIMIT
    function = lambda r: r["v"] > LIMIT  # noqa: E731
    assert lift_predicate(function, SCHEMA).sql("duckdb") == '"v" > 1'
    LIMIT = 2
    try:
        assert lift_predicate(function, SCHEMA).sql("duckdb") == '"v" > 2'
    finally:
        LIMIT = 1
    found = [lift_predicate(lambda r, n=n: r["v"] > n + LIMIT, SCHEMA).sql("duckdb") for n in (3, 4)]
    assert found == ['"v" > 4', '"v" > 5']


def above(r: dict[str, Any], column: str, limit: int = 10) -> bool:
    return r[column] > limit


def test_partial_and_defaults() -> None:
    assert lift_predicate(functools.partial(above, column="i"), SCHEMA).sql("duckdb") == '"i" > 10'
    both = functools.partial(functools.partial(above, column="i"), limit=3, column="v")
    assert lift_predicate(both, SCHEMA).sql("duckdb") == '"v" > 3'
