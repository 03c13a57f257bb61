"""Batches of programs through an engine: what comes out, counted, and each mismatch as a transcript."""

from __future__ import annotations

import random
import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlglot import exp

import mdfsql as mdf
from mdfsql.errors import CannotLift, MdfError
from tests.fuzz.cases import Case, Whole, cases
from tests.fuzz.engines import RUNNERS, Runner
from tests.fuzz.oracle import ERROR, POISON, Failure, Outcome, judge, loud, python
from tests.fuzz.programs import Program
from tests.fuzz.rows import draw_table, rows_of

__all__ = ["Mismatch", "Tally", "run_batch", "run_cases"]

MOST_MESSAGES = 8  # asked for in a batch: on some engines each is a job


@dataclass(frozen=True)
class Mismatch:
    """A cell that is not what the policy says."""

    case: Case
    engine: str
    sql: str
    row: dict[str, Any]
    expected: Any
    found: Any

    def __str__(self) -> str:
        reads = {n: v for n, v in self.row.items() if f"'{n}'" in self.case.text}
        lines = [
            f"{self.case.title}, {self.engine}",
            textwrap.indent(self.case.text.rstrip(), "  "),
            f"  SQL:      {self.sql}",
            f"  row:      {reads}",
            f"  expected: {self.expected!r}",
            f"  found:    {self.found!r}",
        ]
        return "\n".join(lines)


@dataclass
class Tally:
    """What a run came to."""

    programs: int = 0
    lifted: int = 0
    cells: int = 0
    not_lifted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    loud: Counter[str] = field(default_factory=Counter)
    mismatches: list[Mismatch] = field(default_factory=list)

    def cannot_lift(self, error: CannotLift) -> None:
        """Count what was not lifted, by reason."""
        self.not_lifted[re.sub(r"'.*?'|[0-9.]+", "_", error.reason)] += 1

    def summary(self, top: int = 15) -> str:
        """Return the counts as text."""
        lines = [
            f"{self.programs} programs: {self.lifted} expressions ran, {self.not_lifted.total()} functions were not "
            f"lifted, {self.refused.total()} expressions were refused by the engine",
            f"{self.cells} cells compared, {self.loud.total()} failed loudly, {len(self.mismatches)} mismatches",
        ]
        for name, counter in (
            ("not lifted", self.not_lifted),
            ("refused by the engine", self.refused),
            ("loud", self.loud),
        ):
            lines += [f"  {name}: {count:6} {reason}" for reason, count in counter.most_common(top)]
        return "\n".join(lines)


def run_batch(
    backend: mdf.Backend, programs: Sequence[Program], folder: Path, tally: Tally, table: pa.Table | None = None
) -> None:
    """Lift the programs, run them on the rows of ``table``, and count."""
    tally.programs += len(programs)
    table = draw_table(random.Random(7)) if table is None else table
    found, wholes = cases(programs, folder, tally.cannot_lift)
    run_cases(backend, found, folder, table, tally)
    for whole in wholes:
        if all(one.found for one in whole.columns):
            tally.mismatches.extend(_unseen(backend, whole, rows_of(table)))


def _unseen(backend: mdf.Backend, whole: Whole, rows: Sequence[dict[str, Any]]) -> Iterator[Mismatch]:
    """Yield a mismatch where Python raises for a row, and none of the columns of the map does."""
    one = replace(whole.columns[0], title="map: the whole row", text=whole.text)
    for place, row in enumerate(rows):
        found = [column.found[place] for column in whole.columns]
        if (
            not one.has_none(row)
            and not any(isinstance(v, Failure) for v in found)
            and python(whole.oracle, row) is ERROR
        ):
            yield Mismatch(one, backend.name, "", row, ERROR, found)
            return


def run_cases(backend: mdf.Backend, found: Sequence[Case], folder: Path, table: pa.Table, tally: Tally) -> None:
    """Run what was lifted and compare each cell."""
    runner, rows = RUNNERS[backend.name](backend, table), rows_of(table)
    taken = []
    for one, refusal in zip(found, runner.refusals(found) if found else [], strict=True):
        if refusal is not None:
            tally.refused[f"{refusal.construct}: {refusal.why}"] += 1
            continue
        one.ask(rows)
        taken.append(one)
    tally.lifted += len(taken)
    asking = Asking(runner)
    for one, values in zip(taken, _answers(runner, taken), strict=True):
        one.found, whys = values, dict[str, str]()
        for place, value in enumerate(values):
            tally.cells += 1
            row, dropped = rows[place], False if one.is_filter else None
            expected = one.expected[place]
            verdict = judge(expected, value, dropped, one.has_none(row))
            if isinstance(value, Failure) and expected is POISON:
                tally.loud["where Python raises because of None"] += 1
            kind = verdict or ("raises" if expected is ERROR else "")
            if isinstance(value, Failure) and kind in ("loud", "raises"):
                # What fails in a batch must fail alone, and say why; asked once for an expression.
                if not value.message and kind not in whys:
                    value = asking.alone(one, place)
                    verdict = judge(expected, value, dropped, one.has_none(row))
                if isinstance(value, Failure) and value.message:
                    whys[kind] = loud(value.message) or "unknown"
                if verdict == "loud":
                    why = whys.setdefault(kind, "not asked")
                    tally.loud[why] += 1
                    verdict = "mismatch" if why == "unknown" else None
            if verdict == "mismatch" and one.program is not None and isinstance(expected, Outcome):
                expected = python(one.essential(folder), row)
                verdict = judge(expected, value, dropped, one.has_none(row))
            if verdict == "mismatch":
                tally.mismatches.append(Mismatch(one, backend.name, _sql(runner, one), row, expected, value))
                break


class Asking:
    """Asks for single cells, as often as the engine does that quickly."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.left = 1000 if runner.engine.name == "duckdb" else MOST_MESSAGES

    def alone(self, one: Case, place: int) -> Any:
        """Return what a case gives on one row, or a Failure without a message."""
        if not self.left:
            return Failure()
        self.left -= 1
        return self.runner.alone(one, place)


def _answers(runner: Runner, taken: Sequence[Case]) -> list[list[Any]]:
    """Return what each case gives; a batch that fails in spite of all is halved."""
    if not taken:
        return []
    try:
        return runner.run(taken)
    except MdfError:
        if len(taken) == 1:
            return [_by_halves(runner, taken[0], list(range(runner.count)))]
        half = len(taken) // 2
        return _answers(runner, taken[:half]) + _answers(runner, taken[half:])


def _by_halves(runner: Runner, one: Case, places: list[int]) -> list[Any]:
    """Return what a case gives, where more rows fail than were told: those that do are found by halving."""
    found: list[Any] = [None] * runner.count
    for half in (places[: len(places) // 2], places[len(places) // 2 :]):
        others = set(range(runner.count)) - set(half)
        try:
            made = runner.run_without([one], [others])[0]
        except MdfError as error:
            made = [Failure(str(error))] * runner.count
            if len(half) > 1:
                made = _by_halves(runner, one, half)
        for place in half:
            found[place] = made[place]
    return found


def _sql(runner: Runner, one: Case) -> str:
    plan = runner.plan([one])
    own = one.node.sql("duckdb")
    lowered = plan.tree.selects[1].unalias().sql(runner.target.dialect)
    return own if isinstance(one.node, exp.Column) or lowered == own else f"{own}\n  sent:     {lowered}"
