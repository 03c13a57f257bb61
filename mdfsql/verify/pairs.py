"""Rows that are left over on both sides: which of them are one row with other values, and which stand alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mdfsql.verify.comparison import Cell, Changed, Column, Lone
from mdfsql.verify.tables import Aligned, Copies, Row, Rules
from mdfsql.verify.values import alike, difference_of

__all__ = ["Pairing", "pair"]

# A value that so many of the rows have tells nothing about which row it is.
MOST_ALIKE = 50

# So many changed and lone rows are kept, each; all are counted.
MOST_KEPT = 10_000


class Pairing:
    """What became of the rows that were left over."""

    def __init__(self, aligned: Aligned, rules: Rules, matched: int) -> None:
        self.aligned, self.rules, self.matched = aligned, rules, matched
        self.changed: list[Changed] = []
        self.changed_count = 0
        self.alone: tuple[list[Lone], list[Lone]] = ([], [])
        self.alone_counts = [0, 0]
        self._kinds: list[Counter[str]] = [Counter() for _ in aligned.names]
        self._largest: list[float | None] = [None for _ in aligned.names]

    def add_pair(self, left: Row, right: Row) -> None:
        """Take two rows for one."""
        cells = []
        for place, (one, two) in enumerate(zip(left, right, strict=True)):
            if alike(one, two, self.rules.rtol, self.rules.atol):
                continue
            kind = difference_of(one, two)
            self._kinds[place][_general(kind)] += 1
            self._note_size(place, one, two)
            cells.append(Cell(self.aligned.names[place], one, two, kind))
        self.changed_count += 1
        if len(self.changed) < MOST_KEPT:
            self.changed.append(Changed(self._row(left), tuple(cells)))

    def add_alone(self, side: int, row: Row, copies: int) -> None:
        """Note a row that only one side has."""
        self.alone_counts[side] += 1
        if len(self.alone[side]) < MOST_KEPT:
            self.alone[side].append(Lone(self._row(row), copies))

    def columns(self) -> tuple[Column, ...]:
        """Return how each column compares over the rows that were paired."""
        compared = self.matched + self.changed_count
        return tuple(
            Column(name, type_, compared, kinds.total(), dict(kinds.most_common()), largest)
            for name, type_, kinds, largest in zip(
                self.aligned.names, self.aligned.types, self._kinds, self._largest, strict=True
            )
        )

    def _row(self, row: Row) -> dict[str, Any]:
        return dict(zip(self.aligned.names, row, strict=True))

    def _note_size(self, place: int, one: Any, two: Any) -> None:
        if isinstance(one, bool) or not isinstance(one, (int, float)) or not isinstance(two, (int, float)):
            return
        larger = max(abs(one), abs(two))
        size = abs(one / larger - two / larger) if larger else 0.0
        if size == size:
            self._largest[place] = max(self._largest[place] or 0.0, size)


def _general(kind: str) -> str:
    """Return what a difference is called without how large it is, unless all of a column would be as large."""
    if kind.endswith(" relative") or kind.startswith("off by "):
        return "another number"
    return "another text" if kind.startswith("another text") else kind


def pair(
    pairing: Pairing, rows: tuple[dict[int, Row], dict[int, Row]], copies: tuple[dict[Row, Copies], dict[Row, Copies]]
) -> None:
    """Pair the rows of each side: by key columns where there are some, else by what agrees."""
    left, right = list(rows[0]), list(rows[1])
    if pairing.rules.keys:
        places = [pairing.aligned.names.index(name) for name in pairing.rules.keys]
        left, right = _by_columns(pairing, rows, left, right, places)
    else:
        width = len(pairing.aligned.names)
        if width > 1 and left and right:
            # Rows that differ in one column are found at once: by all the others.
            for place in range(width):
                others = [n for n in range(width) if n != place]
                left, right = _by_columns(pairing, rows, left, right, others)
        left, right = _by_votes(pairing, rows, left, right)
    for side, numbers in enumerate((left, right)):
        for number in numbers:
            row = rows[side][number]
            # All copies that the other side has are in common with this side.
            pairing.add_alone(side, row, copies[side][row].there)


def _by_columns(
    pairing: Pairing,
    rows: tuple[Mapping[int, Row], Mapping[int, Row]],
    left: Iterable[int],
    right: Sequence[int],
    places: Sequence[int],
) -> tuple[list[int], list[int]]:
    """Pair rows that have the same values in some columns; return what is left."""
    waiting: dict[Row, list[int]] = {}
    for number in reversed(right):
        waiting.setdefault(tuple(rows[1][number][n] for n in places), []).append(number)
    left_over, taken = [], set()
    for number in left:
        found = waiting.get(tuple(rows[0][number][n] for n in places))
        if found:
            other = found.pop()
            taken.add(other)
            pairing.add_pair(rows[0][number], rows[1][other])
        else:
            left_over.append(number)
    return left_over, [number for number in right if number not in taken]


def _by_votes(
    pairing: Pairing, rows: tuple[Mapping[int, Row], Mapping[int, Row]], left: Sequence[int], right: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Pair each row with the one that agrees with it in most columns, and in half of them at least."""
    width = len(pairing.aligned.names)
    index: list[dict[Any, list[int]]] = [{} for _ in range(width)]
    for number in right:
        for place, value in enumerate(rows[1][number]):
            index[place].setdefault(value, []).append(number)
    rtol, atol = pairing.rules.rtol, pairing.rules.atol
    offers = []
    for number in left:
        row = rows[0][number]
        votes: Counter[int] = Counter()
        for place, value in enumerate(row):
            found = index[place].get(value, ())
            if len(found) <= MOST_ALIKE:
                votes.update(found)
        # Common values cast no vote, so that the few best are looked at in full.
        for other, _ in votes.most_common(5):
            agreeing = sum(alike(a, b, rtol, atol) for a, b in zip(row, rows[1][other], strict=True))
            if 2 * agreeing >= width:
                offers.append((-agreeing, number, other))
    taken: tuple[set[int], set[int]] = (set(), set())
    for _, number, other in sorted(offers):
        if number not in taken[0] and other not in taken[1]:
            taken[0].add(number)
            taken[1].add(other)
            pairing.add_pair(rows[0][number], rows[1][other])
    return [n for n in left if n not in taken[0]], [n for n in right if n not in taken[1]]
