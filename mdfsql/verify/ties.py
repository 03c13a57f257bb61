"""Rows among which a LIMIT may choose: whether those that differ are all rows that it may keep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from mdfsql.verify.order import Defined
from mdfsql.verify.tables import Aligned, Row, Rules, Unmatched
from mdfsql.verify.values import alike, has_float

__all__ = ["settle"]


def settle(
    found: Unmatched,
    aligned: Aligned,
    rules: Rules,
    order: Defined,
    cuts: Sequence[Row],
    candidates: Iterable[list[Row]],
) -> tuple[Unmatched, int]:
    """Return what is left unmatched but for ties at the LIMIT, and how many rows were ties.

    ``cuts`` are the rows of the reference at which others were left out, and ``candidates`` all the rows that its
    LIMIT chooses from. A row of the right side is a tie if its order keys are those at a cut and it is among the
    candidates as often as on the right side.
    """
    left, right = found.rows
    places = [aligned.names.index(name) for name in order.keys if name in aligned.names]

    def is_open(row: Row) -> bool:
        # Rows with these keys may stand on either side of a cut.
        return any(all(alike(row[n], cut[n], rules.rtol, rules.atol) for n in places) for cut in cuts)

    ours = [number for number, row in left.items() if is_open(row)]
    theirs = [number for number, row in right.items() if is_open(row)]
    if not ours or not theirs:
        return found, 0
    need = Counter({right[number]: found.copies[1][right[number]].here for number in theirs})
    _look_for(need, aligned, rules, candidates)
    settled = []
    for number in theirs:
        if need[right[number]] > 0:
            need[right[number]] -= 1
        else:
            settled.append(number)
    ties = min(len(settled), len(ours))
    gone = (set(ours[:ties]), set(settled[:ties]))
    rows = tuple({n: row for n, row in found.rows[side].items() if n not in gone[side]} for side in (0, 1))
    return Unmatched((rows[0], rows[1]), found.copies, found.matched + ties), ties


def _look_for(need: Counter[Row], aligned: Aligned, rules: Rules, candidates: Iterable[list[Row]]) -> None:
    """Take from ``need`` the rows that are among the candidates; floats to the tolerance."""
    fixed = [n for n, type_ in enumerate(aligned.types) if not has_float(type_)]
    loose = len(fixed) < len(aligned.types)
    near: dict[Row, list[Row]] = {}
    for row in need:
        near.setdefault(tuple(row[n] for n in fixed), []).append(row)
    missing = need.total()
    for rows in candidates:
        for row in rows:
            wanted = row if need[row] > 0 else None
            if wanted is None and loose:
                those = near.get(tuple(row[n] for n in fixed), ())
                wanted = next((one for one in those if need[one] > 0 and alike(one, row, rules.rtol, rules.atol)), None)
            if wanted is not None:
                need[wanted] -= 1
                missing -= 1
        if not missing:
            return
