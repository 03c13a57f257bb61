"""Spark gives DuckDB's answer or refuses: vectors over edge values, and what the engine itself promises."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from random import Random
from typing import Any

import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp

import mdfsql.dialects.spark
from mdfsql.arrow import read_schema
from mdfsql.catalog import ArrowSource
from mdfsql.compile import compile_relation, target_of
from mdfsql.dialects.spark import ALLOWED
from mdfsql.engines import open_engine
from mdfsql.engines.base import Engine
from mdfsql.errors import BackendError, EngineError, MdfError, Unsupported
from mdfsql.lower.exact_text import SAFE_LETTERS
from mdfsql.lower.few_parentheses import LEVELS, few_parentheses
from mdfsql.lower.known_forms import FORMS
from mdfsql.relation import Relation
from mdfsql.resolve import resolve
from tests.conformance import Case, difference, expressions, is_ordered, key_of, outcome, queries, relation, run
from tests.shown import PLACE, Triple, shown_by, text_of, typed


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
SHOWN_PASSED: set[Triple] = set()


def note(given: Relation) -> None:
    """Remember the classes of a case that agrees, as sent, and the parts of its constructs, as resolved."""
    plan = compile_relation(given, mdfsql.dialects.spark.target)
    PASSED.update(type(node) for node in plan.tree.walk())
    for node in resolve(given.assemble(), tuple(given.sources()), "spark").walk():
        FORMS_PASSED.setdefault(type(node).__name__, set()).update(k for k, v in node.args.items() if v)
    SHOWN_PASSED.update(shown_by(typed(given)))


def check(duck: Engine, spark: Engine, case: Case) -> str | None:
    """Return what is wrong with a case, or None."""
    try:
        given = relation(case.query)
    except MdfError as error:
        return f"{case.where}: {case.sql}: not bound: {error}"
    try:
        compile_relation(given, mdfsql.dialects.spark.target)
    except Unsupported as error:
        return None if case.expected == "refused" else f"{case.where}: {case.sql}: refused: {error}"
    if case.expected == "refused":
        return f"{case.where}: {case.sql}: not refused"
    reference, answer = outcome(duck, given), outcome(spark, given)
    if isinstance(answer, MdfError) and case.expected == "error":
        # What engines make of text may raise on Spark alone: an error, never another answer.
        SHOWN_PASSED.update(shown_by(typed(given)))
        return None if isinstance(answer, EngineError) and "\n" not in str(answer) else f"{case.where}: {answer!r}"
    if isinstance(reference, MdfError) or isinstance(answer, MdfError):
        return f"{case.where}: {case.sql}: {reference if isinstance(reference, MdfError) else 'fine'} | " + (
            str(answer) if isinstance(answer, MdfError) else f"fine {answer.to_pylist()[:4]}"
        )
    if case.expected == "error":
        return f"{case.where}: {case.sql}: no error"
    found = difference(reference, answer, ordered=is_ordered(case.query))
    if found is None:
        note(given)
    return found and f"{case.where}: {case.sql}: {found}"


def together(duck: Engine, spark: Engine, table: str, cases: list[Case]) -> list[str]:
    """Check expressions that must agree in one query; where that fails, one by one."""
    outputs = ", ".join(f"{case.sql} AS x{i}" for i, case in enumerate(cases))
    try:
        given = relation(f"SELECT {key_of(table)} AS row_, {outputs} FROM {table}")
        if difference(run(duck, given), run(spark, given), ordered=False) is None:
            note(given)
            return []
    except MdfError:
        pass
    return [found for case in cases if (found := check(duck, spark, case))]


AT_ONCE = 24


def groups() -> list[Any]:
    found = []
    same = [case for case in expressions() if case.expected == "same"]
    for table in dict.fromkeys(case.table for case in same):
        cases = [case for case in same if case.table == table]
        for at in range(0, len(cases), AT_ONCE):
            part = cases[at : at + AT_ONCE]
            found.append(pytest.param(table, part, id=f"{table}-{part[0].where}"))
    return found


@pytest.mark.many
@pytest.mark.parametrize(("table", "cases"), groups())
def test_expressions_agree(duck: Engine, spark: Engine, table: str, cases: list[Case]) -> None:
    assert together(duck, spark, table, cases) == []


@pytest.mark.parametrize("case", [c for c in expressions() if c.expected != "same"], ids=lambda c: c.where)
def test_expressions_that_do_not_agree_are_refused_or_raise(duck: Engine, spark: Engine, case: Case) -> None:
    assert check(duck, spark, case) is None


@pytest.mark.many
@pytest.mark.parametrize("case", list(queries()), ids=lambda c: c.where)
def test_queries_agree_or_are_refused(duck: Engine, spark: Engine, case: Case) -> None:
    assert check(duck, spark, case) is None


SAFE = re.compile(SAFE_LETTERS.replace(r"\A", "").replace(r"\z", "")[:-1])


def test_letters_that_are_let_through_have_the_same_partner(duck: Engine, spark: Engine) -> None:
    letters = [chr(i) for i in range(1, 0x10000) if not 0xD800 <= i < 0xE000 and SAFE.match(chr(i))]
    assert len(letters) > 10_000
    table = pa.table({"s": [f"{a}{b}" for a, b in zip(letters, letters[::-1], strict=True)]})
    given = ArrowSource(schema=read_schema(table.schema), table=table)
    tree = sqlglot.parse_one("SELECT s, upper(s) AS u, lower(s) AS l FROM t", read="duckdb")
    assert isinstance(tree, exp.Query)
    made = Relation(tree, {"t": given})
    assert difference(run(duck, made), run(spark, made), ordered=False) is None


def test_numbers_have_the_same_text(duck: Engine, spark: Engine) -> None:
    random = Random(1)
    bits = [struct.unpack("<d", random.randbytes(8))[0] for _ in range(20_000)]
    spread = [random.choice((1, -1)) * 10 ** random.uniform(-8, 24) for _ in range(20_000)]
    short = [random.randrange(10**7) / 10 ** random.randrange(8) for _ in range(10_000)]
    numbers = [x for x in bits + spread + short if not math.isnan(x) and (x == 0 or abs(x) > 1e-307)]
    table = pa.table({"d": [x for x in numbers if not 1.9e25 < abs(x) < 3.9e25]})
    given = ArrowSource(schema=read_schema(table.schema), table=table)
    tree = sqlglot.parse_one("SELECT CAST(d AS VARCHAR) AS s FROM t", read="duckdb")
    assert isinstance(tree, exp.Query)
    made = Relation(tree, {"t": given})
    assert difference(run(duck, made), run(spark, made), ordered=False) is None


def grown(random: Random, depth: int) -> exp.Expr:
    """Return a random expression whose every part stands in parentheses."""
    inner: Any = (lambda: exp.Paren(this=grown(random, depth - 1))) if depth else (lambda: leaf(random))
    kind = random.choice(BINARY + OTHERS)
    if kind in BINARY:
        return kind(this=inner(), expression=inner())
    if kind is exp.Is:
        return exp.Is(this=inner(), expression=exp.Null())
    if kind is exp.Between:
        return exp.Between(this=inner(), low=inner(), high=inner())
    if kind is exp.In:
        return exp.In(this=inner(), expressions=[inner(), inner()])
    if kind is exp.Case:
        return exp.Case(ifs=[exp.If(this=inner(), true=inner())], default=inner())
    if kind is exp.Cast:
        return exp.Cast(this=inner(), to=exp.DataType.build("INT"))
    if kind is exp.Anonymous:
        return exp.Anonymous(this="f", expressions=[inner(), inner()])
    return kind(this=inner())


BINARY: list[Any] = [kind for kinds in LEVELS for kind in kinds if issubclass(kind, (exp.Binary, exp.Connector))]
BINARY.remove(exp.Is)
OTHERS = [exp.Is, exp.Between, exp.In, exp.Case, exp.Cast, exp.Anonymous, exp.Not, exp.Neg, exp.BitwiseNot]


def leaf(random: Random) -> exp.Expr:
    return random.choice(
        [exp.column("a"), exp.column("x", "t"), exp.Literal.number(7), exp.Literal.string("s"), exp.Null(), exp.true()]
    ).copy()


def test_parentheses_that_are_left_out_change_nothing_to_spark(spark: Any) -> None:
    parser = spark._given._jsparkSession.sessionState().sqlParser()
    random = Random(11)
    shorter = 0
    for _ in range(400):
        tree = exp.select(exp.alias_(grown(random, random.randint(1, 3)), "x"))
        few = few_parentheses(tree.copy())
        texts = [made.sql("spark") for made in (tree, few)]
        shorter += len(texts[1]) < len(texts[0])
        plans = {re.sub(r"#\d+", "", parser.parsePlan(text).toString()) for text in texts}
        assert len(plans) == 1, (texts, plans)
    assert shorter > 300


def test_what_the_parser_has_learnt_is_forgotten_in_time(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    forms = spark._given._jvm.java.lang.Class.forName
    learnt = forms("org.apache.spark.sql.catalyst.parser.SqlBaseParser").getDeclaredField("_decisionToDFA")
    learnt.setAccessible(True)
    states = forms("org.antlr.v4.runtime.dfa.DFA").getField("states")
    parser = spark._given._jsparkSession.sessionState().sqlParser()

    def count() -> int:
        return sum(states.get(one).size() for one in learnt.get(None))

    for depth in range(1, 12):
        parser.parsePlan(f"SELECT {'(' * depth}a{' + b)' * depth} AS x")
    before = count()
    monkeypatch.setattr("mdfsql.engines.spark.REMEMBERED", 0)
    run(spark, relation("SELECT 1 AS x", {}))
    # From 4.1 on, Spark keeps it elsewhere, and forgets it by its own settings.
    assert count() < before or before == 0


def test_answers_do_not_go_by_the_session_that_is_active(duck: Engine, spark: Any) -> None:
    # Before Spark 4, digits of decimals and more go by the settings of whatever session the thread has.
    table = pa.table(
        {"k": [1, 1, 2], "c": pa.array([Decimal("1e-10"), Decimal("-12345.6789"), None], pa.decimal128(38, 10))}
    )
    given = ArrowSource(schema=read_schema(table.schema), table=table)
    texts = [
        "SELECT k, max(c) * max(c) AS x, min(c) * max(c) AS y, max(c) / 3 AS z FROM t GROUP BY k",
        "SELECT k, [n * n FOR n IN list(c ORDER BY c)] AS x FROM t WHERE c < 1 GROUP BY k",
    ]
    queries = [relation(text, {"t": given}) for text in texts]
    other = spark._given.newSession()
    other.conf.set("spark.sql.decimalOperations.allowPrecisionLoss", "true")
    other.conf.set("spark.sql.ansi.enabled", "false")
    handed = open_engine("spark", spark_session=other)
    with ThreadPoolExecutor(1) as elsewhere:
        for made in queries:
            wanted = run(duck, made)
            for answer in (
                run(spark, made), run(handed, made),
                elsewhere.submit(run, spark, made).result(), elsewhere.submit(run, handed, made).result(),
            ):  # fmt: skip
                assert difference(wanted, answer, ordered=False) is None
    handed.close()


def test_a_frame_has_the_answer_in_its_own_session_or_there_is_none(duck: Engine, spark: Any) -> None:
    table = pa.table({"c": pa.array([Decimal("1e-10"), Decimal("-12345.6789"), None], pa.decimal128(38, 10))})
    given = {"t": ArrowSource(schema=read_schema(table.schema), table=table)}
    made = relation("SELECT max(c) * max(c) AS x, min(c) * max(c) AS y FROM t", given)
    (wanted,) = run(duck, made).to_pylist()
    other = spark._given.newSession()
    other.conf.set("spark.sql.decimalOperations.allowPrecisionLoss", "true")
    handed: Any = open_engine("spark", spark_session=other)
    plan = compile_relation(made, target_of("spark"))
    if other.version < "4":
        with pytest.raises(Unsupported, match="arithmetic of DECIMALs in a DataFrame") as caught:
            handed.frame(plan)
        assert caught.value.instead == 'conf.set("spark.sql.decimalOperations.allowPrecisionLoss", "false") on it'
        other.conf.set("spark.sql.decimalOperations.allowPrecisionLoss", "false")
    with ThreadPoolExecutor(1) as elsewhere:
        frame = handed.frame(plan)
        for rows in (frame.collect(), elsewhere.submit(frame.collect).result()):
            assert [row.asDict() for row in rows] == [wanted]
    handed.close()


@pytest.mark.whole
def test_each_allowed_class_is_in_a_case_that_agrees(spark: Engine) -> None:
    assert sorted(cls.__name__ for cls in ALLOWED - PASSED) == []


@pytest.mark.whole
def test_each_known_form_is_in_a_case_that_agrees(spark: Engine) -> None:
    untried = {name: sorted(parts - FORMS_PASSED.get(name, set())) for name, parts in FORMS.items()}
    assert {name: parts for name, parts in untried.items() if parts} == {}


@pytest.mark.whole
def test_each_kind_shown_is_in_a_case_that_agrees(spark: Engine) -> None:
    assert text_of(SHOWN_PASSED) == PLACE.read_text(), "run: python -m tests.shown"
