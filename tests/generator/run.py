"""Running random queries on DuckDB and another engine, and telling what came of each."""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from mdfsql.catalog import ArrowSource
from mdfsql.engines.base import Engine
from mdfsql.errors import MdfError, Unsupported
from mdfsql.relation import Relation
from tests.conformance import difference, is_ordered, is_raised, outcome, relation
from tests.generator.queries import Writer
from tests.generator.tables import Table, draw_table

__all__ = ["Tally", "judge", "run"]

TABLES = 3
QUERIES = 25
AT_ONCE = 2
# "raised" is an error that our own SQL raises at a value on which engines disagree.
OUTCOMES = ("right", "refused", "raised", "wrong", "late", "no answer")

# What keeps one of several equal values, of zeros either.
MERGES = re.compile(r" BY | DISTINCT |\bUNION\b(?! ALL)|\b(?:INTERSECT|EXCEPT)\b")


@dataclass
class Tally:
    """How many queries were right, refused, wrong, late, and how many DuckDB itself cannot answer."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    refusals: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)

    @property
    def asked(self) -> int:
        """The queries to which DuckDB has an answer."""
        return sum(self.counts.values()) - self.counts["no answer"]

    def __str__(self) -> str:
        return ", ".join(f"{count} {name}" for name, count in self.counts.items())


def judge(sql: str, tables: list[Table], duck: Engine, other: Engine) -> tuple[str, str]:
    """Return what came of a query, one of OUTCOMES, and what is to be said about it."""
    sources = {table.name: table.source for table in tables}
    try:
        given = relation(sql, sources)
        reference = outcome(duck, given)
    except MdfError as error:
        return "no answer", str(error)
    if isinstance(reference, MdfError):
        return "no answer", str(reference)
    answer = outcome(other, given)
    if isinstance(answer, Unsupported) and answer.__cause__ is None:
        return "refused", answer.construct
    if isinstance(answer, MdfError):
        if raises_in_order(given):
            return "no answer", str(answer)
        return ("raised" if is_raised(answer) else "late"), str(answer)
    assert isinstance(answer, pa.Table)
    found = functools.partial(difference, reference, ordered=is_ordered(sql), signs=not MERGES.search(sql))
    said = found(answer)
    if not said:
        return "right", ""
    # As where rounding is all that is left of a sum: of the same rows in another order the reference has another.
    turned = outcome(duck, relation(sql, {table.name: backwards(table.source) for table in tables}))
    return ("wrong", said) if isinstance(turned, pa.Table) and not found(turned) else ("no answer", said)


def backwards(source: ArrowSource) -> ArrowSource:
    """Return a table whose rows come last first."""
    return ArrowSource(schema=source.schema, table=source.table[::-1].combine_chunks())


def raises_in_order(given: Relation) -> bool:
    """Tell whether DuckDB raises as well when it computes all that is written: it leaves out what nobody reads."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'; PRAGMA disable_optimizer")
        for source in given.sources():
            assert isinstance(source, ArrowSource)
            connection.register(source.name, source.table)
        try:
            connection.execute(given.assemble().sql("duckdb")).fetchall()
        except duckdb.Error:
            return True
        return False


def run(seed: int, count: int, duck: Engine, other: Engine, first: int = 0) -> Iterator[Tally]:
    """Yield the tally after each batch of queries over tables of their own, until there are so many.

    ``first`` is the batch to begin with, for a run that goes on with another.
    """
    tally = Tally()
    for batch in range(first, first + -(-count // QUERIES)):
        rng = random.Random(seed * 1_000_003 + batch)
        tables = [draw_table(rng, f"t{number}") for number in range(TABLES)]
        writer, judged = Writer(rng, tables), functools.partial(judge, tables=tables, duck=duck, other=other)
        while (missing := min((batch - first + 1) * QUERIES, count) - tally.asked) > 0:
            asked = [writer.query().sql for _ in range(missing)]
            with ThreadPoolExecutor(AT_ONCE) as pool:
                # One query is compiled while another runs.
                found = list(pool.map(judged, asked))
            for sql, (name, said) in zip(asked, found, strict=True):
                tally.counts[name] += 1
                if name in ("refused", "raised"):
                    tally.refusals[said] = tally.refusals.get(said, 0) + 1
                if name in ("wrong", "late"):
                    tally.findings.append(f"{name} in batch {batch} of seed {seed}: {said}\n{sql}")
        yield tally
