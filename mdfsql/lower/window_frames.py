"""Frames of windows that not every engine has: GROUPS, and EXCLUDE."""

from __future__ import annotations

import math
from typing import Any

from sqlglot import exp

from mdfsql.lower.collected import count_of
from mdfsql.lower.number_types import digits
from mdfsql.lower.rules import cast, integer, kind, number, refuse
from mdfsql.lower.shapes import Names, column, derived, own_columns, source_names
from mdfsql.lower.split_selects import split_query
from mdfsql.schema import value_type

__all__ = ["is_other_frame", "window_frames"]


def window_frames(tree: exp.Expr, found: list[exp.Window], names: Names) -> None:
    """Make a frame of GROUPS one of RANGE over the group's number, and one without the current row two frames."""
    selects = {id(window.find_ancestor(exp.Select)) for window in found}
    for window in found:
        _excluding(window)
    for select in [select for select in tree.find_all(exp.Select) if id(select) in selects][::-1]:
        if any(_frame_kind(window) == "GROUPS" for window in select.find_all(exp.Window)):
            _named_out(select)
            split_query(select, names)
    for select in list(tree.find_all(exp.Select)):
        own = [window for output in select.selects for window in output.find_all(exp.Window)]
        grouped = [w for w in own if _frame_kind(w) == "GROUPS" and w.find_ancestor(exp.Select) is select]
        if grouped:
            _number_groups(select, grouped, names)


def _frame_kind(window: Any) -> str:
    spec = window.args.get("spec")
    return str(spec.args.get("kind") or "").upper() if spec is not None else ""


def is_other_frame(window: exp.Window) -> bool:
    """Tell whether a window has a frame of GROUPS, or one with EXCLUDE."""
    spec = window.args.get("spec")
    return spec is not None and (bool(spec.args.get("exclude")) or _frame_kind(window) == "GROUPS")


def _named_out(select: exp.Select) -> None:
    if select.args.get("windows"):
        refuse("a frame of GROUPS beside WINDOW w AS", "it is not shown to agree there", "OVER (...) written out")


# ---- GROUPS --------------------------------------------------------------------------------------------------------


def _number_groups(select: exp.Select, grouped: list[Any], names: Names) -> None:
    """Count the groups in a query below, and let the frames be of these numbers."""
    if select.args.get("group") or select.args.get("distinct"):
        refuse("a frame of GROUPS in a query of this form", "it is not shown to agree there", "a subquery")
    name = names.new()
    tables = source_names(select)
    read: dict[tuple[str, str], tuple[str, exp.Expr]] = {}
    for output in select.selects:
        for found in own_columns(output, tables):
            read.setdefault((found.table, found.name), (names.new(), found.copy()))
    numbers: dict[str, tuple[str, exp.Expr]] = {}
    for window in grouped:
        order = window.args.get("order")
        if order is None:
            refuse("a frame of GROUPS without ORDER BY", "it has no groups")
        function = exp.DenseRank()
        function.type = value_type("BIGINT")
        rank = exp.Window(
            this=function,
            partition_by=[key.copy() for key in window.args.get("partition_by") or ()],
            order=order.copy(),
        )
        numbers.setdefault(rank.sql("duckdb"), (names.new(), rank))
        as_ = numbers[rank.sql("duckdb")][0]
        key = exp.Ordered(this=cast(column(as_, name), "BIGINT"), nulls_first=False)
        window.set("order", exp.Order(expressions=[key]))
        window.args["spec"].set("kind", "RANGE")
    inner = exp.Select(
        expressions=[
            *(exp.alias_(found, as_, quoted=True) for as_, found in read.values()),
            *(exp.alias_(rank, as_, quoted=True) for as_, rank in numbers.values()),
        ],
        **{part: select.args.get(part) for part in ("from_", "joins", "where", "laterals")},
    )
    for part in ("joins", "where", "laterals"):
        select.set(part, None)
    for output in select.selects:
        for found in list(own_columns(output, tables)):
            if found.table != name:
                found.replace(column(read[found.table, found.name][0], name))
    select.set("from_", exp.From(this=derived(inner, name)))


# ---- EXCLUDE -------------------------------------------------------------------------------------------------------


def _excluding(window: Any) -> None:
    spec = window.args["spec"]
    exclude = spec.args.get("exclude")
    what = exclude.name.upper() if isinstance(exclude, exp.Expr) else str(exclude or "").upper()
    spec.set("exclude", None)
    if what in ("", "NO OTHERS"):
        return
    of = _frame_kind(window)
    bounds = (_bound(spec, "start"), _bound(spec, "end"))
    if of == "RANGE" and all(bound in (0, -math.inf, math.inf) for bound in bounds):
        of = "GROUPS"
    if (of, what) not in (("ROWS", "CURRENT ROW"), ("GROUPS", "GROUP")):
        why = "only rows without the current one, and groups without its own, are shown to agree there"
        refuse(f"EXCLUDE {what} in a frame of {of or 'RANGE'}", why, "another frame")
    start, end = bounds
    ranges = [(start, min(end, -1)), (max(start, 1), end)]
    pieces = [_piece(window, of, low, high) for low, high in ranges if low <= high]
    if not pieces:
        refuse("a window's frame that is empty", "it is not shown to agree there")
    made = exp.Paren(this=_together(window.this, pieces))
    window.replace(made)


def _bound(spec: Any, side: str) -> float:
    value = spec.args.get(side)
    if value is None or (isinstance(value, str) and value.upper() == "CURRENT ROW"):
        return 0
    sign = -1 if str(spec.args.get(f"{side}_side") or "").upper() == "PRECEDING" else 1
    distance = math.inf if isinstance(value, str) else integer(value)
    if distance is None:
        refuse("EXCLUDE in a frame of a distance that is no constant", "it is not shown to agree there")
    return sign * distance


def _piece(window: Any, of: str, low: float, high: float) -> exp.Window:
    made: exp.Window = window.copy()
    parts: dict[str, Any] = {"kind": of}
    for side, bound in (("start", low), ("end", high)):
        parts[side] = "UNBOUNDED" if math.isinf(bound) else exp.Literal.number(abs(int(bound)))
        parts[f"{side}_side"] = "PRECEDING" if bound < 0 else "FOLLOWING"
    made.set("spec", exp.WindowSpec(**parts))
    return made


def _together(function: Any, pieces: list[exp.Window]) -> exp.Expr:
    """Return the aggregate of all pieces of a frame."""
    bare = function.this if isinstance(function, exp.Filter) else function
    if type(bare) not in (exp.Sum, exp.Count, exp.Min, exp.Max, exp.Avg) or isinstance(bare.this, exp.Distinct):
        refuse(f"{bare.key}() over a frame with EXCLUDE", "it is not shown to agree there", "another frame")
    if isinstance(bare, exp.Avg):
        return _mean(bare, function, pieces)
    if len(pieces) == 1:
        return pieces[0]
    one, other = pieces
    if isinstance(bare, (exp.Min, exp.Max)):
        cls = exp.Least if isinstance(bare, exp.Min) else exp.Greatest
        return cls(this=one, expressions=[other], ignore_nulls=True)
    both = exp.Add(this=one, expression=other)
    if isinstance(bare, exp.Count):
        return both
    if kind(bare.this) == "decimal" and digits(bare.this.type)[1] > 6:
        refuse("sum() of a DECIMAL with many digits over a frame with EXCLUDE", "the engine rounds it")
    return exp.Coalesce(this=both, expressions=[one.copy(), other.copy()])


def _mean(bare: Any, function: Any, pieces: list[exp.Window]) -> exp.Expr:
    of = bare.this.type.this if bare.this.type is not None else None
    if of not in (exp.DType.INT, exp.DType.SMALLINT, exp.DType.TINYINT, exp.DType.DOUBLE, exp.DType.FLOAT):
        refuse("avg() of this type over a frame with EXCLUDE", "it is not shown to agree there", "CAST it to DOUBLE")
    sides = []
    for made in (exp.Sum(this=bare.this.copy()), count_of(bare.this)):
        whole = exp.Filter(this=made, expression=function.expression.copy()) if function is not bare else made
        own = []
        for piece in pieces:
            window = piece.copy()
            window.set("this", whole.copy())
            own.append(window)
        sides.append(cast(_together(whole, own), "DOUBLE"))
    return exp.Div(this=sides[0], expression=exp.Nullif(this=sides[1], expression=number(0.0)))
