"""Generated row functions on generated rows: engines give what CPython gives; ``python -m tests.fuzz`` runs more."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mdfsql as mdf
from mdfsql.backend import backend
from mdfsql.lift_methods import FUNCTIONS
from tests.fuzz.cases import Case, cases, module
from tests.fuzz.engines import RUNNERS
from tests.fuzz.oracle import ERROR, POISON, judge, python, same
from tests.fuzz.programs import Program
from tests.fuzz.rows import SCHEMA, draw_table, rows_of
from tests.fuzz.run import Tally, run_batch, run_cases
from tests.fuzz.shrink import lifted, shrunk

pytestmark = pytest.mark.filterwarnings("ignore::SyntaxWarning")

SEED = 7
REFERENCE = mdf.Backend("duckdb", {"threads": 1})


def report(tally: Tally) -> str:
    return "\n\n".join(map(str, tally.mismatches))


@settings(derandomize=True, max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(rng=st.randoms(use_true_random=False))
def test_generated_programs_agree_with_python(rng: random.Random, tmp_path_factory: pytest.TempPathFactory) -> None:
    tally = Tally()
    run_batch(REFERENCE, [Program.draw(rng)], tmp_path_factory.getbasetemp(), tally)
    assert not tally.mismatches, report(tally)


def test_generated_programs_agree_on_every_engine(engine: str, tmp_path: Path) -> None:
    rng, tally = random.Random(SEED), Tally()
    run_batch(backend(), [Program.draw(rng, number) for number in range(40)], tmp_path, tally, draw_table(rng))
    assert not tally.mismatches, report(tally)
    assert tally.lifted > 60, tally.summary()


def test_generated_programs_agree_through_datasets(engine: str, tmp_path: Path) -> None:
    rng = random.Random(SEED + 1)
    drawn = [Program.draw(rng, number) for number in range(8)]
    found, _ = cases(drawn, tmp_path, lambda error: None)
    table = draw_table(rng)
    runner = RUNNERS[engine](backend(), table)
    taken = [one for one in found if runner.refusal(one) is None][:8]
    assert len(taken) == 8
    for one, skip in zip(taken, runner.raising(taken), strict=True):
        kept = table.filter(pa.array([i not in skip for i in range(table.num_rows)]))
        dataset, rows = mdf.Dataset.from_arrow(kept), rows_of(kept)
        one.ask(rows)
        if one.is_filter:
            got = [r["id"] for r in dataset.filter(one.oracle).order_by("id").collect()]
            assert got == [r["id"] for r, value in zip(rows, one.expected, strict=True) if value is True], one.text
        else:
            got = [r["it"] for r in dataset.select("id", it=one.oracle).order_by("id").collect()]
            expected = [python(one.essential(tmp_path), row) for row in rows]
            for wanted, value, row in zip(expected, got, rows, strict=True):
                assert judge(wanted, value, None, one.has_none(row)) is None, one.text


# --- the fuzzer itself ------------------------------------------------------------------------------------------------

WRONG: list[tuple[str, str, Any]] = [
    # Python, SQL that is not the same, what Python gives where it shows
    ("r['x'] > 1.5", "x > 1.5", False),  # NaN
    ("r['v'] // 2", "v // 2", -1),
    ("not r['s']", "s = ''", True),
    ("len(r['s']) > 100", "length(s) > 100 OR s IS NULL", POISON),
    ("1 // r['v']", "CASE WHEN v <> 0 THEN CASE WHEN v = 1 THEN 1 WHEN v < 0 THEN -1 ELSE 0 END END", ERROR),
    ("r['i'] * 1", "CASE WHEN i = 3 THEN error('no') ELSE i::BIGINT END", 3),
    ("r['x'] + 0.0", "x", 0.0),
]


@pytest.mark.parametrize(("text", "sql", "expected"), WRONG)
def test_what_is_wrong_is_found(text: str, sql: str, expected: Any, tmp_path: Path) -> None:
    function = module(f"it = lambda r: {text}\n", tmp_path).it
    node: Any = sqlglot.parse_one(sql, read="duckdb")
    case, tally = Case("map: it", text, node, function), Tally()
    run_cases(REFERENCE, [case], tmp_path, draw_table(random.Random(SEED)), tally)
    (mismatch,) = tally.mismatches
    assert same(mismatch.expected, expected), mismatch


def test_a_mismatch_shrinks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FUNCTIONS, abs, lambda value: value)
    text = "it = lambda r: (3 if r['b'] else len(r['s'] or 'a')) + (abs(r['v'] - 1) if r['v'] else r['k'])\n"
    tally = Tally()
    run_cases(REFERENCE, list(lifted(text, False, tmp_path)), tmp_path, draw_table(random.Random(SEED)), tally)
    small = shrunk(tally.mismatches[0], REFERENCE, tmp_path)
    assert small.case.text == "it = lambda r: abs(r['v'])\n"
    assert "abs(r['v'])" in str(small) and "row:" in str(small)


def test_rows_have_edges() -> None:
    rows = rows_of(draw_table(random.Random(SEED), 500))
    assert list(rows[0]) == list(SCHEMA)
    assert all(any(r[name] is None for r in rows) for name in list(SCHEMA)[1:])
