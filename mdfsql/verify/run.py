"""Running both sides and judging what they give: collected where that is small, by buckets where it is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from mdfsql import result
from mdfsql.arrow import arrow_schema
from mdfsql.backend import Backend
from mdfsql.catalog import Source
from mdfsql.compile import Plan, compile_relation, target_of, trace
from mdfsql.errors import DataError, EngineError, Unsupported, VerificationError
from mdfsql.relation import Relation
from mdfsql.schema import Schema
from mdfsql.steps import own_name
from mdfsql.verify.buckets import Undecided, by_buckets
from mdfsql.verify.carry import reachable
from mdfsql.verify.comparison import Comparison, Side
from mdfsql.verify.order import Defined, defined, misplaced, unlimited
from mdfsql.verify.pairs import Pairing, pair
from mdfsql.verify.sample import Part, sampled
from mdfsql.verify.tables import (
    Aligned,
    Row,
    Rules,
    Unmatched,
    align,
    in_any_order,
    match,
    python_rows,
    python_values,
    same_column,
)
from mdfsql.verify.ties import settle
from mdfsql.verify.values import alike

__all__ = ["Given", "Options", "compare", "verified_rows", "verify_relation"]

# Results of up to so many rows and bytes are collected; larger ones are hashed by the engines, bucket by bucket.
MOST_ROWS = 1_000_000
MOST_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Given:
    """A side before it runs."""

    name: str
    relation: Relation
    where: Backend


@dataclass(frozen=True)
class Options:
    """How to compare."""

    rtol: float = 1e-9
    atol: float = 0.0
    keys: Sequence[str] = ()
    sample: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value in (("rtol", self.rtol), ("atol", self.atol)):
            if not 0 <= value < float("inf"):
                raise DataError(f"{name}= is a tolerance of 0 or more, not {value!r}")
        if self.rtol >= 1:
            raise DataError(f"rtol= is a share of a value, such as 1e-9, not {self.rtol!r}")
        if self.sample is not None and not 0 < self.sample <= 1:
            raise DataError(f"sample= is a share of the rows, more than 0 and at most 1, not {self.sample!r}")


def verify_relation(
    relation: Relation, where: Backend, against: Backend, options: Options
) -> tuple[Comparison, pa.Table | None]:
    """Return how one query compares on two engines, and what the first gave where that was collected."""
    names = (against.name, where.name)
    if against.name == where.name:
        names = (f"{against.name} (1)", f"{where.name} (2)")
    part: Part = whole
    said = ""
    if options.sample is not None and options.sample < 1:
        part, said = sampled(relation, options.sample, options.keys, options.seed)
    return compare(Given(names[0], relation, against), Given(names[1], relation, where), options, part, said)


def verified_rows(relation: Relation, where: Backend, against: Backend, options: Options) -> list[dict[str, Any]]:
    """Return the rows that an engine gives, as dicts; VerificationError where the reference's differ."""
    found, table = verify_relation(relation, where, against, options)
    found.raise_for_difference()
    plan = compile_relation(relation, target_of(where.name))
    names = tuple(plan.schema)
    rows = result.rows(where.engine, plan) if table is None else result.rows_of(table.to_batches())
    return [dict(zip(names, row, strict=True)) for row in rows]


def whole(source: Source) -> Relation | Source:
    """Return all of a source."""
    return source


def compare(
    left: Given, right: Given, options: Options, part: Part = whole, said: str = ""
) -> tuple[Comparison, pa.Table | None]:
    """Return how two queries compare, each on its engine, and the right one's table where it was collected.

    ``part`` gives what is read of each source, and ``said`` is what there is to say about that.
    """
    keys = tuple(own_name(name, left.relation.schema) for name in options.keys)
    for name in keys:
        own_name(name, right.relation.schema, right.name)
    rules = Rules(options.rtol, options.atol, keys)
    # Refusals come before anything runs.
    for given in (left, right):
        compile_relation(given.relation, target_of(given.where.name))
    # What only another engine reaches is fetched from where it is.
    owners = (left.where, right.where)
    left = Given(left.name, reachable(left.relation, left.where, owners, part), left.where)
    right = Given(right.name, reachable(right.relation, right.where, owners, part), right.where)
    aligned = align(left.relation.schema.items(), right.relation.schema.items())
    made = _Made(left, right, aligned, rules, said)
    made.order = defined(left.relation) if left.relation is right.relation or _same_tree(left, right) else Defined()
    return made.run()


def _same_tree(left: Given, right: Given) -> bool:
    """Tell whether both sides run the same query, though over sources that were brought to each."""
    return bool(left.relation.tree == right.relation.tree)


class _Made:
    """A comparison in the making."""

    def __init__(self, left: Given, right: Given, aligned: Aligned, rules: Rules, said: str) -> None:
        self.left, self.right, self.aligned, self.rules = left, right, aligned, rules
        self.said = said
        self.order = Defined()
        self.notes: list[str] = []

    def run(self) -> tuple[Comparison, pa.Table | None]:
        """Run both sides and judge."""
        errors: list[EngineError | None] = [None, None]
        tables: list[pa.Table | None] = [None, None]
        most = None if self.order.cuts or self.order.loose else MOST_ROWS
        for side, given in enumerate((self.left, self.right)):
            try:
                tables[side] = collected(given, most)
            except EngineError as error:
                errors[side] = error
            if tables[0] is None and errors[0] is None:
                # Too large: the other side need not start.
                return self._hashed(), None
        if errors[0] is not None and errors[1] is not None:
            raise errors[0]
        if errors[0] is not None or errors[1] is not None:
            return self._failed(errors, [None if table is None else table.num_rows for table in tables]), tables[1]
        if tables[1] is None:
            return self._hashed(), None
        assert tables[0] is not None
        return self._judged(tables[0], tables[1]), tables[1]

    def _failed(self, errors: Sequence[EngineError | None], rows: Sequence[int | None]) -> Comparison:
        self.notes.append("one side failed where the other gave rows: nothing else was compared")
        return self._comparison(rows, Pairing(self.aligned, self.rules, 0), errors=errors)

    def _judged(self, left: pa.Table, right: pa.Table) -> Comparison:
        left, right = self._in_any_order(left, right)
        found = match(left, right, self.aligned, self.rules)
        if self.order.cuts:
            found = self._settled(left, found)
        pairing = Pairing(self.aligned, self.rules, found.matched)
        pair(pairing, found.rows, found.copies)
        wrong = self._misplaced(left, right, found)
        return self._comparison([left.num_rows, right.num_rows], pairing, wrong)

    def _in_any_order(self, left: pa.Table, right: pa.Table) -> tuple[pa.Table, pa.Table]:
        """Return the tables with the elements sorted whose order is not defined."""
        for name, separator in self.order.loose:
            place = list(self.left.relation.schema).index(name)
            if left.column(place).equals(right.column(place)):
                continue
            left, right = (
                table.set_column(place, table.schema.field(place), in_any_order(table.column(place), separator))
                for table in (left, right)
            )
            self.notes.append(f"the elements of {name} have no defined order: they are compared, and shown, sorted")
        return left, right

    def _settled(self, left: pa.Table, found: Unmatched) -> Unmatched:
        keys = ", ".join(self.order.keys)
        if not keys:
            by = "by what is no output column" if self.order.hidden else "without ORDER BY"
            self.notes.append(f"LIMIT {by}: any rows will do that it may keep, as long as they are as many")
        if not all(found.rows):
            return found
        ends = ([left.num_rows - 1] if self.order.limit is not None else []) + ([0] if self.order.offset else [])
        cuts = self._rows(left.take(ends))
        found, ties = settle(found, self.aligned, self.rules, self.order, cuts, self._candidates())
        if ties:
            where = f"rows with equal {keys}" if keys else "any rows"
            self.notes.append(
                f"LIMIT may keep {where}: {ties:,} row{'' if ties == 1 else 's'} of {self.right.name} differ from "
                f"those of {self.left.name}, and each is one that it may keep"
            )
        return found

    def _candidates(self) -> Iterator[list[Row]]:
        """Yield the rows that the reference's LIMIT chooses from."""
        relation = unlimited(self.left.relation)
        plan = compile_relation(relation, target_of(self.left.where.name))
        for batch in result.batches(self.left.where.engine, plan):
            yield self._rows(pa.Table.from_batches([batch]))

    def _rows(self, left: pa.Table) -> list[Row]:
        return list(zip(*map(python_values, left.select(list(self.aligned.left)).columns), strict=True))

    def _misplaced(self, left: pa.Table, right: pa.Table, found: Unmatched) -> tuple[int, int | None]:
        """Return how many rows stand where the order does not have them, and the first of them."""
        keys = [name for name in self.order.keys if name in self.aligned.names]
        if not keys:
            return 0, None
        places = [self.aligned.names.index(name) for name in keys]
        ours = left.select([self.aligned.left[n] for n in places])
        theirs = right.select([self.aligned.right[n] for n in places])
        if not any(found.rows):
            pairs = zip(ours.columns, theirs.columns, strict=True)
            if all(one.type == two.type and same_column(one, two, self.rules) for one, two in pairs):
                return 0, None
        one, two = (
            [row for number, row in enumerate(own) if number not in unmatched]
            for own, unmatched in zip(python_rows(ours, theirs), found.rows, strict=True)
        )
        return misplaced(one, two, lambda a, b: alike(a, b, self.rules.rtol, self.rules.atol))

    def _hashed(self) -> Comparison:
        """Compare results that are too large to collect."""
        if self.order.keys:
            self.notes.append("the order is not compared: the result is too large to be collected")
        try:
            found = by_buckets(self.left, self.right, self.aligned, self.rules)
        except Undecided as undecided:
            raise VerificationError(str(undecided)) from None
        except Unsupported as refusal:
            self.notes.append(f"collected whole, as it cannot be hashed there ({refusal.engine}: {refusal.construct})")
            left, right = collected(self.left, None), collected(self.right, None)
            assert left is not None and right is not None
            return self._judged(left, right)
        if any(found.errors):
            return self._failed(found.errors, found.counts)
        self.notes += found.notes
        pairing = Pairing(self.aligned, self.rules, found.matched)
        pair(pairing, (dict(enumerate(found.rows[0])), dict(enumerate(found.rows[1]))), found.copies)
        return self._comparison(list(found.counts), pairing, complete=found.complete)

    def _comparison(
        self,
        rows: Sequence[int | None],
        pairing: Pairing,
        wrong: tuple[int, int | None] = (0, None),
        errors: Sequence[EngineError | None] = (None, None),
        complete: bool = True,
    ) -> Comparison:
        if self.order.inner_limit:
            self.notes.append(
                "a LIMIT within the query may choose among rows that tie, and then what follows from it may differ too"
            )
        if self.order.chance:
            self.notes.append("the query asks for the moment or for chance, which no two runs answer alike")
        if self.said:
            none = "the sample gives no rows, so that nothing is shown: take a larger one"
            some = "rows that were not sampled, and what depends on all rows together, were not compared"
            self.notes.append(some if rows[0] or rows[1] else none)
        return Comparison(
            left=_side(self.left, rows[0], errors[0]),
            right=_side(self.right, rows[1], errors[1]),
            schema_differences=self.aligned.differences,
            columns=pairing.columns(),
            matched=pairing.matched,
            changed=tuple(pairing.changed),
            changed_count=pairing.changed_count,
            left_only=tuple(pairing.alone[0]),
            left_only_count=pairing.alone_counts[0],
            right_only=tuple(pairing.alone[1]),
            right_only_count=pairing.alone_counts[1],
            order=self.order.text,
            misplaced=wrong[0],
            first_misplaced=wrong[1],
            keys=self.rules.keys,
            rtol=self.rules.rtol,
            atol=self.rules.atol,
            sampled=self.said,
            notes=tuple(self.notes),
            complete=complete,
        )


def _side(given: Given, rows: int | None, error: EngineError | None) -> Side:
    target = target_of(given.where.name)
    _, plan, notes = trace(given.relation, target)
    return Side(
        name=given.name,
        rows=rows,
        columns=len(given.relation.schema),
        sql=plan.tree.sql(target.dialect, pretty=True),
        passes=tuple((note.name, note.why) for note in notes),
        error=None if error is None else str(error),
    )


def collected(given: Given, most: int | None) -> pa.Table | None:
    """Run a side and return its table; None, without the rest, where it has more rows than ``most`` or is large."""
    plan: Plan = compile_relation(given.relation, target_of(given.where.name))
    batches, rows, size = [], 0, 0
    for batch in result.batches(given.where.engine, plan):
        batches.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if most is not None and (rows > most or size > MOST_BYTES):
            return None
    schema: Schema = plan.schema
    return pa.Table.from_batches(batches, schema=arrow_schema(schema))
