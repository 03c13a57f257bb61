"""The functions, methods and operators that are lifted, each against CPython on rows with edge values."""

from __future__ import annotations

import contextlib
import datetime
import functools
import importlib.util
import math
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import pytest
from sqlglot import exp

from mdfsql import lift_regex
from mdfsql import lift_values as values
from mdfsql.arrow import arrow_schema, conform, read_schema, table_from_items
from mdfsql.catalog import ArrowSource
from mdfsql.compile import compile_relation, target_of
from mdfsql.engines import open_engine
from mdfsql.engines.base import Engine
from mdfsql.errors import BackendError, CannotLift, MdfError, Unsupported
from mdfsql.lift import lift_predicate, lift_value
from mdfsql.relation import Relation
from mdfsql.schema import Schema

FUNCTIONS = Path(__file__).parent / "fixtures" / "lift" / "functions.txt"
UTC = datetime.UTC
D, T = datetime.date, datetime.datetime

SCHEMA = Schema(
    {
        "id": "BIGINT",
        "v": "BIGINT",
        "i": "INTEGER",
        "k": "TINYINT",
        "x": "DOUBLE",
        "y": "DOUBLE",
        "s": "VARCHAR",
        "t": "VARCHAR",
        "q": "VARCHAR",
        "b": "BOOLEAN",
        "d": "DATE",
        "e": "DATE",
        "ts": "TIMESTAMP",
        "us": "TIMESTAMP",
        "z": "TIMESTAMPTZ",
        "m": "DECIMAL(10,2)",
        "n": "DECIMAL(18,4)",
    }
)

DATES = [
    *(D(1, 1, 1), D(9999, 12, 31), D(1970, 1, 1), D(2024, 2, 29), D(2023, 2, 28), D(2024, 1, 31), D(1900, 3, 1)),
    *(D(999, 12, 31), D(2024, 3, 7), D(2024, 12, 30), D(1, 1, 2), D(9999, 12, 30), D(1582, 10, 10)),
]
TIMES = [
    *(T(1, 1, 1), T(9999, 12, 31, 23, 59, 59, 999999), T(1970, 1, 1), T(2024, 2, 29, 12, 30), T(1969, 12, 31, 23, 59)),
    *(T(2024, 2, 29, 12, 30, 15, 500000), T(2023, 12, 31, 23, 59, 59, 999999), T(2024, 1, 1, 0, 0, 0, 1)),
    *(T(999, 1, 2, 3, 4, 5, 60), T(2024, 2, 29, 11, 30, 0, 7), T(1900, 3, 1, 12)),
]
POOLS: dict[str, list[Any]] = {
    "v": [0, 1, -1, 2, 7, -7, 30, 1000, 2**31, -(2**31), 2**53 + 1, 3 * 10**9, 10**12, 2**63 - 1, -(2**63)],
    "i": [0, 1, -1, 3, -3, 10, 1290, 2**31 - 1, -(2**31)],
    "k": [0, 1, -1, 5, 24, -25, 127, -128],
    "x": [
        *(
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            1.5,
            -1.5,
            2.5,
            0.1,
            30.0,
            709.0,
            710.0,
            -750.0,
            1e16,
            1e-7,
            1e300,
            -1e155,
            5e-324,
        ),
        *(math.nan, math.inf, -math.inf, 4.0, 458.43425413466514, -0.7, 1.7976931348623157e308),
    ],
    "y": [0.0, -0.0, 0.5, 1.5, 2.0, -2.0, 3.0, -1.0, 123456789.125, math.nan, math.inf, -math.inf],
    "s": [
        *("", "a", "A", "ab", "aab", "abab", " a b ", "a,b", "a,b,c", ",", "a,", ",ab", "\u00e9", "e\u0301b", "\u00df"),
        *("\u65e5\u672c\u8a9e", "\U0001f926\U0001f3fc\u200d\u2642\ufe0f", "\U0001f44db", "ab\U0001f44d", "b\n", "a\n"),
        *(
            "a\nb",
            "ab\n",
            "\n",
            "\r\n",
            "a\tb",
            "\ta",
            "\u2003x\u00a0",
            "12",
            "+7",
            "-42",
            "\u0663",
            "\u00b2",
            "\u00bd",
        ),
        *("1_0", " 12 ", "1.5", "-inf", "nan", "1e5", "0x1f", "k", "K", "\u212a", "\u017fs", "S", "ks", "red", "blue"),
        *("dark", "one", "A.B*C$", "a]b", "[^&-\\]", "x{y", "_", "aXa", "\u0130", "\u0131", "\x1c", "\x85", "Ab"),
    ],
    "t": ["", "a", "b", "ab", "\U0001f44d", "\u00e9", ",", "x"],
    "q": [
        *("0", "12", " 12 ", "+5", "-7", "007", "1.5", "-.5", "5.", "1e3", "1E-400", "1e400", "abc", "", "1_000"),
        *("9223372036854775807", "9223372036854775808", "\u00a05", "1 2", "--1", "+", ".", "inf", "Infinity", "NaN"),
        *("0.1", "2.2250738585072011e-308", "9007199254740993", "12,3", "3\n", "7\x0b", "1e", "17976931348623157e292"),
        *("0x10", "\u0661\u0662"),
    ],
    "b": [True, False],
    "d": DATES,
    "e": DATES,
    "ts": TIMES,
    "us": TIMES,
    "z": [time.replace(tzinfo=UTC) for time in TIMES],
    "m": [Decimal(c) for c in ("0.00", "1.50", "-7.25", "30.00", "99999999.99", "-99999999.99", "0.01", "2.00")],
    "n": [Decimal(c) for c in ("0.0000", "1.5000", "-7.2500", "99999999999999.9999", "-0.0001", "10.0000")],
}
ROWS = 140
TRIED = 6


def make_rows() -> list[dict[str, Any]]:
    """Return rows in which each column has each of its values, and now and then None."""
    rng = random.Random(11)
    columns: dict[str, list[Any]] = {}
    for name, pool in POOLS.items():
        values = [*pool, None, *(rng.choice([*pool, None]) for _ in range(ROWS))][:ROWS]
        rng.shuffle(values)
        columns[name] = values
    return [{"id": place, **{n: v[place] for n, v in columns.items()}} for place in range(ROWS)]


ALL = make_rows()

PRELUDE = """import datetime
import enum
import math
import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

DAY = datetime.date(2024, 2, 29)
NOON = datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.timezone.utc)
EAST = datetime.datetime(2024, 3, 1, 1, tzinfo=datetime.timezone(timedelta(hours=2)))
WEEK = timedelta(days=7)
WORD = re.compile(r"^\\s*(?P<word>[a-z]+)(,)?")
PRICE = Decimal("2.50")


@dataclass(frozen=True)
class Config:
    limit: int = 30
    column: str = "v"

    def keep(self, row):
        return row[self.column] > self.limit

    def scale(self, value, by=2):
        return value * by + self.limit

    @staticmethod
    def double(value):
        return value * 2

    @classmethod
    def made(cls):
        return cls()

    @property
    def size(self):
        return 3


@dataclass(frozen=True, slots=True)
class Slots:
    factor: int

    def scaled(self, value):
        return value * self.factor


class Mutable:
    def __init__(self):
        self.limit = 3

    def scale(self, value):
        return value * self.limit


class Point(NamedTuple):
    x: int
    y: int

    def moved(self, value):
        return self.x + value


class Color(str, enum.Enum):
    RED = "red"
    BLUE = "blue"


class Shade(enum.StrEnum):
    DARK = "dark"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 7


class Plain(enum.Enum):
    ONE = "one"


CONFIG, SLOTS, MUTABLE, POINT, PROPERTY = Config(), Slots(4), Mutable(), Point(5, 6), Config()


def first_word(text):
    found = WORD.match(text)
    if found is None:
        return "none"
    return found.group("word")

"""


class Case(NamedTuple):
    body: str
    expected: str
    subject: str
    function: Callable[[dict[str, Any]], Any]


def module(source: str, folder: Path, name: str) -> ModuleType:
    path = folder / f"{name}.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def lines() -> Iterator[tuple[str, str, str]]:
    subject = ""
    for line in FUNCTIONS.read_text(encoding="utf-8").splitlines()[3:]:
        if line.startswith("# "):
            subject = line[2:]
        elif line:
            body, _, expected = line.partition(" -- ")
            yield body.strip(), expected, subject


LINES = list(lines())
SUBJECTS = list(dict.fromkeys(subject for _, _, subject in LINES))


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    bodies = "".join(f"    lambda r: {body},\n" for body, _, _ in LINES)
    made = module(f"{PRELUDE}\nfunctions = [\n{bodies}]\n", tmp_path_factory.mktemp("functions"), "row_functions")
    return [Case(*line, function) for line, function in zip(LINES, made.functions, strict=True)]


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
LOUD = re.compile(r"overflow|out of range|beyond|could not convert|cannot cast|engines disagree", re.I)


def python(case: Case, row: dict[str, Any]) -> Any:
    """Return what Python gives, with its two ways of giving nothing told apart."""
    try:
        return case.function(dict(row))
    except (TypeError, AttributeError):
        return POISON  # every function here is well typed but for None
    except (ArithmeticError, ValueError, LookupError):
        return ERROR


def plain(value: Any) -> Any:
    """Return a value as a column holds it: UTC, and no Decimal of -0."""
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if isinstance(value, Decimal) and not value:
        return abs(value)
    return value


def same(expected: Any, found: Any) -> bool:
    """Return whether two values are of one type, and equal; NaN is NaN, and -0.0 is not 0.0."""
    expected, found = plain(expected), plain(found)
    return type(expected) is type(found) and repr(expected) == repr(found)


def wrong(case: Case, row: dict[str, Any], expected: Any, found: Any) -> str | None:
    """Return what is wrong with a row, or None; ``found`` is a str in a tuple where SQL failed."""
    if isinstance(found, tuple):
        good = expected is ERROR or bool(LOUD.search(found[0]))
    elif expected is ERROR:
        # Where the row has a None as well, SQL may have met that first.
        good = found is None and any(v is None and f'"{n}"' in case.body for n, v in row.items())
    else:
        good = same(None if expected is POISON else expected, found)
    used = {n: v for n, v in row.items() if f'"{n}"' in case.body or f"'{n}'" in case.body}
    return None if good else f"{case.body}: {used} gives {expected!r} in Python, {found!r} in SQL"


# --- the reference ----------------------------------------------------------------------------------------------------


def source(rows: list[dict[str, Any]]) -> ArrowSource:
    table = table_from_items(rows, dict(SCHEMA))
    return ArrowSource(schema=read_schema(table.schema), table=table)


@functools.cache
def connection() -> Any:
    made = duckdb.connect()
    made.execute("SET threads = 1")
    made.execute("SET TimeZone = 'UTC'")
    made.register("given", source(ALL).table)
    made.execute("CREATE TABLE rows AS FROM given")
    return made


def each(select: str, answers: list[Any]) -> Iterator[Any]:
    """Yield for every row what an expression gives, or the error's text in a tuple."""
    raising = [place for place, answer in enumerate(answers) if answer is ERROR]
    # Of the rows on which Python raises, some are enough; each needs a query of its own.
    tried = set(raising[:: len(raising) // TRIED + 1])
    try:
        rest = column(f"SELECT {select} AS it FROM (FROM rows WHERE id NOT IN {(-1, *raising)} ORDER BY id)")
        good = dict(zip((p for p in range(ROWS) if p not in raising), rest, strict=True))
    except duckdb.Error:
        good = {}
    for place in range(ROWS):
        if place in good:
            yield good[place]
        elif place in raising and place not in tried:
            yield ("not tried",)
        else:
            yield alone(select, place)


def alone(select: str, place: int) -> Any:
    try:
        # Materialized, lest the optimizer learn the row's values and decide without evaluating.
        return column(f"WITH one AS MATERIALIZED (FROM rows WHERE id = {place}) SELECT {select} AS it FROM one")[0]
    except duckdb.Error as error:
        return (str(error),)


def column(query: str) -> list[Any]:
    found: list[Any] = connection().sql(query).to_arrow_table().column("it").to_pylist()
    return found


def lifted(case: Case) -> exp.Expression | None:
    try:
        return lift_value(case.function, SCHEMA)
    except CannotLift:
        return None


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_functions_agree_with_python(subject: str, cases: list[Case]) -> None:
    failures = []
    for case in cases:
        if case.subject != subject:
            continue
        node = lifted(case)
        if (node is None) is not (case.expected == "refused"):
            failures.append(f"{case.body}: {'refused' if node is None else 'not refused'}")
        if node is None:
            continue
        answers = [python(case, row) for row in ALL]
        found = [wrong(case, *parts) for parts in zip(ALL, answers, each(node.sql("duckdb"), answers), strict=True)]
        failures += [f for f in found if f][:3]
        # As a filter: the rows for which it is true, and no others.
        try:
            where = lift_predicate(case.function, SCHEMA).sql("duckdb")
        except CannotLift:
            continue
        for row, expected, kept in zip(ALL, answers, each(f"CASE WHEN {where} THEN TRUE END", answers), strict=True):
            truth = expected if expected is ERROR else expected is not POISON and bool(expected)
            got: Any = kept if isinstance(kept, tuple) else bool(kept)
            if expected is ERROR and got is False:
                got = None
            if problem := wrong(case, row, truth, got):
                failures.append(f"filter {problem}")
                break
    assert failures == []


@dataclass(frozen=True)
class Limit:
    low: int

    def keep(self, row: dict[str, Any]) -> bool:
        return bool(row["v"] > self.low)


class Loose:
    low = 3

    def keep(self, row: dict[str, Any]) -> bool:
        return bool(row["v"] > self.low)


def test_a_method_of_a_frozen_object_is_a_row_function() -> None:
    assert lift_predicate(Limit(3).keep, SCHEMA).sql("duckdb") == '"v" > 3'
    with pytest.raises(CannotLift, match="may change"):
        lift_predicate(Loose().keep, SCHEMA)


def test_functions_of_floats_agree_on_every_bit() -> None:
    rng = random.Random(3)
    values = [rng.uniform(-20, 20) for _ in range(2000)] + [rng.lognormvariate(0, 40) for _ in range(1000)]
    connection().execute("CREATE OR REPLACE TEMP TABLE floats AS SELECT unnest(?::DOUBLE[]) AS x", [values])
    one = {"acos": 1 / 21, "asin": 1 / 21}
    for name in (
        *("acos", "asin", "atan", "cbrt", "cos", "cosh", "degrees", "exp", "log", "log10", "log2", "radians", "sin"),
        *("sinh", "sqrt", "tan", "tanh"),
    ):
        function, scale = getattr(math, name), one.get(name, 1.0)
        for value in values:
            try:
                function(value * scale)
            except (ValueError, OverflowError):
                continue
        found = connection().execute(
            f"SELECT x, TRY({'ln' if name == 'log' else name}(x * {scale!r}::DOUBLE)) FROM floats"
        )
        for value, got in found.fetchall():
            try:
                expected = function(value * scale)
            except (ValueError, OverflowError):
                continue
            assert repr(got) == repr(expected), (name, value)
    found = connection().execute("SELECT x, TRY(pow(x, 2)), TRY(pow(x, 0.5)) FROM floats")
    for value, square, root in found.fetchall():
        assert repr(square) == repr(math.pow(value, 2))
        assert value < 0 or repr(root) == repr(value**0.5)


# --- generated patterns -----------------------------------------------------------------------------------------------

ATOMS = [
    "a",
    "b",
    "A",
    "\u00e9",
    r"\n",
    ".",
    "[ab]",
    "[^a]",
    r"\d",
    r"\s",
    r"[^\s]",
    "k",
    "\u00df",
    "\U0001f44d",
    r"\.",
    "x",
]
SIGNS = [*"abAkKx1 .c\n\r", "\u00e9", "\u212a", "\u00df", "\u1e9e", "\U0001f44d", "\u0663", "\u2003", "aa", "ab"]
FLAGS = [0, 0, 0, re.I, re.A, re.S, re.I | re.A]


def pattern(rng: random.Random, depth: int) -> str:
    one = lambda: pattern(rng, depth - 1)  # noqa: E731
    kind = rng.random()
    if depth <= 0 or kind < 0.3:
        return rng.choice(ATOMS)
    if kind < 0.55:
        return one() + one()
    if kind < 0.7:
        return f"({one()}|{rng.choice([one(), ''])})"
    if kind < 0.8:
        return f"(?:{one()}){rng.choice(['*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}', '{0,2}?'])}"
    return rng.choice(ATOMS) + rng.choice(["*", "+", "?", "*?", "+?", "{2,}"]) if kind < 0.9 else f"({one()})"


def pattern_uses(seed: int, count: int) -> Iterator[tuple[str, Callable[[str], Any], exp.Expression]]:
    """Yield what is done with a generated pattern, by Python and as SQL."""
    rng = random.Random(seed)
    subject = values.column("s", "VARCHAR")
    for _ in range(count):
        text = rng.choice(["", "", "", "^"]) + pattern(rng, 3) + rng.choice(["", "", "", "$", r"\Z"])
        compiled = re.compile(text, rng.choice(FLAGS))
        thing = values.Thing(compiled)
        for how in ("search", "match", "fullmatch"):
            found = lift_regex.PATTERNS[how](thing, subject)
            call = getattr(compiled, how)
            yield f"{how} {compiled}", functools.partial(matched, call), found.sql
            for number in range(compiled.groups + 1):
                with contextlib.suppress(values.Refusal):
                    node = lift_regex.group(found, values.constant(number)).sql
                    yield f"{how} {compiled} group {number}", functools.partial(grouped, call, number), node
        with contextlib.suppress(values.Refusal):
            node = lift_regex.PATTERNS["sub"](thing, values.constant("<>"), subject).sql
            yield f"sub {compiled}", functools.partial(compiled.sub, "<>"), node


def matched(call: Callable[[str], Any], text: str) -> bool:
    return call(text) is not None


def grouped(call: Callable[[str], Any], number: int, text: str) -> Any:
    found = call(text)
    return found and found.group(number)


def generated_texts(seed: int) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    texts = sorted({"".join(rng.choice(SIGNS) for _ in range(rng.randrange(7))) for _ in range(150)})
    return [{**dict.fromkeys(SCHEMA), "id": place, "s": text} for place, text in enumerate(texts)]


def test_generated_patterns_agree_with_python() -> None:
    rows = generated_texts(1)
    connection().register("texts", source(rows).table)
    for name, function, node in pattern_uses(2, 150):
        found = column(f"SELECT {node.sql('duckdb')} AS it FROM texts ORDER BY id")
        assert [function(row["s"]) for row in rows] == found, name


# --- the other engines ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spark() -> Iterator[Engine]:
    pytest.importorskip("pyspark")
    try:
        engine = open_engine("spark")
    except BackendError as error:
        pytest.skip(str(error))
    yield engine
    engine.close()


def relation(nodes: dict[str, exp.Expression], rows: list[dict[str, Any]]) -> Relation:
    outputs = [exp.column("id", quoted=True), *(exp.alias_(n, name, quoted=True) for name, n in nodes.items())]
    return Relation(exp.select(*outputs).from_("t"), {"t": source(rows)})


def run(engine: Engine, given: Relation) -> list[dict[str, Any]]:
    plan = compile_relation(given, target_of(engine.name))
    batches = conform(engine.batches(plan), plan.schema, engine.name)
    found: list[dict[str, Any]] = pa.Table.from_batches(batches, arrow_schema(plan.schema)).to_pylist()
    return sorted(found, key=lambda row: row["id"])


def native(node: exp.Expression) -> bool:
    """Return whether Spark's passes let an expression through."""
    try:
        compile_relation(relation({"it": node}, ALL[:1]), target_of("spark"))
    except Unsupported:
        return False
    return True


@pytest.mark.parametrize("subject", SUBJECTS)
def test_functions_are_native_on_spark(subject: str, cases: list[Case]) -> None:
    found = {c.body: native(n) for c in cases if c.subject == subject and (n := lifted(c)) is not None}
    expected = {c.body: c.expected != "not on spark" for c in cases if c.subject == subject and c.body in found}
    assert {b: n for b, n in found.items() if n is not expected[b]} == {}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_functions_agree_on_spark(subject: str, cases: list[Case], spark: Engine) -> None:
    failures = []
    nodes = {}
    for place, case in enumerate(cases):
        if case.subject == subject and (node := lifted(case)) is not None and native(node):
            nodes[place] = node
    answers = {place: [python(cases[place], row) for row in ALL] for place in nodes}
    for part in chunks(list(nodes), 20):
        # Rows on which the reference fails, as Python does or loudly, are left out here.
        good = {}
        for place in part:
            node = nodes[place]
            reference = each(node.sql("duckdb"), answers[place])
            bad = [row["id"] for row, found in zip(ALL, reference, strict=True) if isinstance(found, tuple)]
            guard = exp.In(this=exp.column("id", quoted=True), expressions=[exp.Literal.number(i) for i in bad])
            good[f"x{place}"] = exp.Case(ifs=[exp.If(this=exp.Not(this=guard), true=node)]) if bad else node
        failures += compared(spark, cases, good, answers)
    for place, node in nodes.items():
        bad = [row for row, answer in zip(ALL, answers[place], strict=True) if answer is ERROR]
        # One of the rows on which Python raises, and which has nothing else that could go wrong.
        full = [row for row in bad if all(row[n] is not None for n in SCHEMA if f'"{n}"' in cases[place].body)]
        if full:
            try:
                got = run(spark, relation({"it": node}, full[:1]))
                failures.append(f"{cases[place].body}: raises in Python, gives {got[0]['it']!r} for {full[0]}")
            except MdfError:
                continue
    assert failures == []


def chunks(places: list[int], size: int) -> Iterator[list[int]]:
    for at in range(0, len(places), size):
        yield places[at : at + size]


def compared(
    engine: Engine, cases: list[Case], nodes: dict[str, exp.Expression], answers: dict[int, list[Any]]
) -> list[str]:
    """Return what differs from Python; where a query fails, for each expression and row by itself."""
    try:
        rows = run(engine, relation(nodes, ALL))
    except MdfError as error:
        if len(nodes) > 1:
            return [f for name, n in nodes.items() for f in compared(engine, cases, {name: n}, answers)]
        (name,) = nodes
        loud = LOUD.search(str(error))
        return [] if loud else [f"{cases[int(name[1:])].body}: {error}"]
    failures = []
    for name in nodes:
        place = int(name[1:])
        found = [
            wrong(cases[place], row, expected, got[name])
            for row, expected, got in zip(ALL, answers[place], rows, strict=True)
            if expected is not ERROR and row["id"] not in left_out(nodes[name])
        ]
        failures += [f for f in found if f][:3]
    return failures


def left_out(node: exp.Expression) -> set[int]:
    """Return the rows that the guard around an expression leaves out."""
    guard = node.args["ifs"][0].this if isinstance(node, exp.Case) else None
    inside = guard.this if isinstance(guard, exp.Not) else None
    listed = inside.expressions if isinstance(inside, exp.In) and inside.this.name == "id" else []
    return {int(literal.name) for literal in listed}


def test_generated_patterns_agree_on_spark(spark: Engine) -> None:
    rows = generated_texts(3)
    uses = [use for use in pattern_uses(4, 40) if native(use[2])]
    assert len(uses) > 100
    for at in range(0, len(uses), 40):
        part = uses[at : at + 40]
        found = run(spark, relation({f"x{place}": node for place, (_, _, node) in enumerate(part)}, rows))
        for place, (name, function, _) in enumerate(part):
            assert [function(row["s"]) for row in rows] == [row[f"x{place}"] for row in found], name
