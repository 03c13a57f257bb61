"""A comparison as text."""

from __future__ import annotations

from mdfsql.verify.comparison import Changed, Column, Comparison, Lone
from mdfsql.verify.values import shown

__all__ = ["headline", "text"]

# So many differences of each kind and columns of a row are shown; values are cut to so many letters.
MOST_SHOWN = 10
MOST_COLUMNS = 12
LONGEST = 60


def text(found: Comparison, most: int | None = MOST_SHOWN) -> str:
    """Return what was found: the verdict first, then what differs, then what was not compared."""
    left, right = found.left.name, found.right.name
    lines = [headline(found)]
    for side in (found.left, found.right):
        if side.error:
            lines.append(f"{side.name} failed: {side.error}")
    if found.schema_differences:
        lines += ["", f"schema ({left} | {right})"]
        lines += [f"  {one}" for one in found.schema_differences]
    different = [column for column in found.columns if column.different]
    if different:
        lines += ["", f"columns that differ, of {len(found.columns)}"]
        lines += [f"  {_column(column)}" for column in different]
    if found.changed:
        lines += ["", f"changed rows: {found.changed_count:,} ({left} | {right})"]
        for row in found.changed[:most]:
            lines += _changed(row, found.keys)
        lines += _more(found.changed_count, len(found.changed[:most]))
    for name, count, rows in (
        (left, found.left_only_count, found.left_only),
        (right, found.right_only_count, found.right_only),
    ):
        if count:
            lines += ["", f"only in {name}: {count:,}"]
            lines += [f"  {_lone(row)}" for row in rows[:most]]
            lines += _more(count, len(rows[:most]))
    if found.misplaced:
        where = f"the first is row {(found.first_misplaced or 0) + 1:,}"
        lines += ["", f"order ({found.order}): {found.misplaced:,} places hold other keys; {where}"]
    elif found.order:
        lines += ["", f"order: {found.order}"]
    if found.sampled:
        lines += ["", f"sampled: {found.sampled}"]
    lines += [f"note: {note}" for note in found.notes]
    return "\n".join(lines)


def headline(found: Comparison) -> str:
    """Return the verdict in one line."""
    left, right = found.left, found.right
    if left.error or right.error:
        failed, other = (left, right) if left.error else (right, left)
        return f"different: {failed.name} failed, {other.name} did not"
    rows = [side.rows or 0 for side in (left, right)]
    if found.equal:
        size = f"{_count(rows[0], 'row')} x {_count(left.columns or 0, 'column')}"
        return f"equal: {left.name} and {right.name}, {size}" + (" of a sample" if found.sampled else "")
    parts = [
        (len(found.schema_differences), f"{_count(len(found.schema_differences), 'difference')} of schema"),
        (rows[0] != rows[1], f"{rows[0]:,} rows against {rows[1]:,}"),
        (found.changed_count, f"{_count(found.changed_count, 'changed row')}"),
        (found.left_only_count, f"{found.left_only_count:,} only in {left.name}"),
        (found.right_only_count, f"{found.right_only_count:,} only in {right.name}"),
        (found.misplaced, "another order"),
    ]
    at_least = "" if found.complete else " (at least)"
    return f"different{at_least}: {left.name} and {right.name}: {', '.join(said for there, said in parts if there)}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _column(column: Column) -> str:
    kinds = ", ".join(f"{kind} ({count:,})" for kind, count in column.kinds.items())
    largest = f"; at most {column.largest:.1e} relative" if column.largest else ""
    return f"{column.name} {column.type}: {column.match_rate:.4%} match, {column.different:,} differ: {kinds}{largest}"


def _changed(row: Changed, keys: tuple[str, ...]) -> list[str]:
    differing = {cell.column for cell in row.cells}
    # What tells which row it is: its keys, else what agrees.
    names = keys or [name for name in row.row if name not in differing]
    which = ", ".join(f"{name}={cut(row.row[name])}" for name in list(names)[:MOST_COLUMNS])
    cells = [f"      {cell.column}: {cut(cell.left)} | {cut(cell.right)}  {cell.kind}" for cell in row.cells]
    return [f"  {which or 'a row'}", *cells]


def _lone(row: Lone) -> str:
    values = ", ".join(f"{name}={cut(value)}" for name, value in list(row.row.items())[:MOST_COLUMNS])
    more = len(row.row) - MOST_COLUMNS
    said = values + (f", and {more} more columns" if more > 0 else "")
    return said + (f"  (the same row is {row.copies:,} more times on both sides)" if row.copies > 1 else _doubled(row))


def _doubled(row: Lone) -> str:
    return "  (a copy: both sides have this row once more)" if row.copies else ""


def _more(count: int, shown_: int) -> list[str]:
    return [f"  and {count - shown_:,} more"] if count > shown_ else []


def cut(value: object) -> str:
    """Return a value as text of a length that fits a line."""
    made = shown(value)
    return made if len(made) <= LONGEST else made[: LONGEST - 1] + "…"
