"""Window functions: an order where the answer needs one, and a condition inside of the aggregate."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.collected import own_aggregates
from mdfsql.lower.exact_avg import exact_avg, is_wide
from mdfsql.lower.intervals import parts_of
from mdfsql.lower.moments import DAY, MOMENTS, micros_of, stamp
from mdfsql.lower.rules import call, case, cast, each, integer, is_null, kind, number, paren, raised, refuse, text
from mdfsql.lower.shapes import function as inner_function
from mdfsql.lower.shapes import is_aggregate

__all__ = ["exact_windows"]


def exact_windows(tree: exp.Expr) -> exp.Expr:
    """FILTER before OVER becomes a CASE inside of the aggregate; what depends on an order must be given one."""
    return each(tree, {exp.Window: _window})


NEED_ORDER = (
    exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile, exp.Lag, exp.Lead,
    exp.FirstValue, exp.LastValue, exp.NthValue,
)  # fmt: skip
# What a row's place alone decides, whatever the frame.
PLACES = (
    exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile, exp.Lag, exp.Lead,
)  # fmt: skip
AGGREGATES = (exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Count, exp.CountIf, exp.LogicalAnd, exp.LogicalOr)


def _window(node: Any) -> exp.Expr | None:
    function = node.this
    if is_several(function):
        # Written with other aggregates, each of which exact_aggregates puts over the window.
        _frame(node, inner_function(function))
        return None
    if isinstance(function, exp.Filter):
        function = _folded(function)
        node.set("this", function)
    inner = function.this if isinstance(function, (exp.IgnoreNulls, exp.RespectNulls)) else function
    name = inner.sql_name().lower() if isinstance(inner, exp.Func) else inner.key
    if isinstance(inner, NEED_ORDER):
        if node.args.get("order") is None:
            refuse(
                f"{name}() OVER a window without ORDER BY",
                "which row comes first is not the same everywhere",
                "add ORDER BY",
            )
    elif not isinstance(inner, AGGREGATES):
        refuse(f"{name}() OVER a window", "it is not shown to agree there")
    if isinstance(inner.this, exp.Order):
        refuse(f"ORDER BY within {name}() OVER a window", "Spark has no such thing", "ORDER BY of the window")
    _arguments(inner, name)
    _frame(node, inner)
    if isinstance(inner.this, exp.Distinct):
        _distinct(node, inner, name)
    return exact_avg(inner, lambda made: _over(node, made)) if is_wide(inner) else None


def is_several(function: Any) -> bool:
    """Tell whether an aggregate is none of the engine's own over a window."""
    bare = inner_function(function)
    if isinstance(bare, (*NEED_ORDER, *AGGREGATES)):
        return False
    return is_aggregate(bare) or any(True for _ in own_aggregates(bare))


def _over(node: Any, function: exp.Expr) -> exp.Expr:
    made = node.copy()
    made.set("this", function)
    made.type = function.type
    return made


def _frame(node: Any, inner: Any) -> None:
    spec = node.args.get("spec")
    if spec is None:
        return
    for part, value in spec.args.items():
        if isinstance(value, str):
            spec.set(part, value.upper())
    if isinstance(inner, PLACES):
        node.set("spec", None)
        return
    if spec.args.get("exclude"):
        refuse("EXCLUDE in a window's frame", "Spark has no such thing")
    if (spec.text("kind") or "").upper() == "GROUPS":
        refuse("a window's frame of GROUPS", "Spark has no such thing")
    if (spec.text("kind") or "").upper() == "RANGE":
        _distances(node, spec)
    elif any(isinstance(v := spec.args.get(s), exp.Expr) and integer(v) is None for s in ("start", "end")):
        refuse("a window's frame of a distance that is no constant", "it is not shown to agree there")
    for side in ("start", "end"):
        value = spec.args.get(side)
        if isinstance(value, exp.Expr) and not isinstance(value, exp.Cast) and _number(value) is None:
            refuse("a window's frame of a distance that is no constant", "it is not shown to agree there")
    if _bound(spec, "start") > _bound(spec, "end"):
        refuse("a window's frame that ends before it starts", "Spark has no such thing")


BITS = {exp.DType.INT: 32, exp.DType.BIGINT: 64}
APART = "RANGE with a distance, over what is no INTEGER, BIGINT, DOUBLE, date or timestamp"


def _distances(node: Any, spec: Any) -> None:
    """Write distances as the engine takes them, with an error where the reference has one."""
    far = {s: v for s in ("start", "end") if isinstance(v := spec.args.get(s), exp.Expr)}
    if not far:
        return
    keys = node.args["order"].expressions if node.args.get("order") else []
    if len(keys) != 1:
        refuse(APART, "it is not shown to agree there", "ROWS")
    if kind(keys[0].this) in MOMENTS:
        _times(keys[0], spec, far)
    elif kind(keys[0].this) == "double":
        if any(_number(distance) is None for distance in far.values()):
            refuse(APART, "it is not shown to agree there", "ROWS")
    else:
        _whole(keys[0], spec, {side: integer(distance) for side, distance in far.items()})


def _number(node: Any) -> float | None:
    """Return the value of a literal number of 0 or more."""
    return float(node.this) if isinstance(node, exp.Literal) and not node.is_string else None


def _times(key: Any, spec: Any, far: dict[str, exp.Expr]) -> None:
    """Count in microseconds what has no months; months go as an interval, over timestamps."""
    found = {side: _apart(distance, kind(key.this)) for side, distance in far.items()}
    if any(months < 0 or micros < 0 for months, micros in found.values()):
        refuse("RANGE with a distance below 0", "it is an error in the reference")
    if not any(months for months, _ in found.values()):
        for side, (_, micros) in found.items():
            spec.set(side, exp.Literal.number(micros))
        key.set("this", micros_of(key.this))
        return
    if any(micros for _, micros in found.values()):
        refuse("RANGE with months, and days or times", "the engine takes one of them only", "a window for each")
    for side, (months, _) in found.items():
        spec.set(side, _months(months))
    key.set("this", stamp(key.this))


# The engine's name of a type; a node of an interval would be the reference's, which is refused by then.
MONTHS = exp.DataType.build("INTERVAL MONTH", dialect="spark", udt=True)


def _months(count: int) -> exp.Expr:
    """Return a constant number of months, as an interval."""
    made = exp.Cast(this=text(str(count)), to=MONTHS.copy())
    made.meta["exact"] = True
    return made


def _apart(distance: exp.Expr, of: str) -> tuple[int, int]:
    """Return the months and the microseconds of a constant distance between moments."""
    if of == "date" and (days := integer(distance)) is not None:
        return 0, days * DAY
    if kind(distance) != "interval":
        refuse(APART, "it is not shown to agree there", "RANGE INTERVAL 1 DAY PRECEDING")
    parts = [0 if part is None else integer(part) for part in parts_of(distance)]
    if any(part is None for part in parts):
        refuse("a window's frame of a distance that is no constant", "it is not shown to agree there")
    months, days, micros = (part or 0 for part in parts)
    return months, days * DAY + micros


def _whole(key: Any, spec: Any, far: dict[str, int | None]) -> None:
    """Let RANGE n PRECEDING or FOLLOWING raise as the reference does: where key - n or key + n is no such number."""
    bits = BITS.get(key.this.type.this) if key.this.type is not None else None
    if bits is None or any(distance is None or distance >= 2 ** (bits - 1) for distance in far.values()):
        refuse(APART, "it is not shown to agree there", "ROWS")
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    for side, distance in far.items():
        assert distance is not None
        if (spec.args[f"{side}_side"] == "PRECEDING") != bool(key.args.get("desc")):
            low = max(low, distance - 2 ** (bits - 1))
        else:
            high = min(high, 2 ** (bits - 1) - 1 - distance)
    fits = exp.Between(this=paren(key.this), low=number(low), high=number(high))
    wide = cast(key.this, "BIGINT")
    made = case((exp.Or(this=fits, expression=is_null(key.this)), wide), default=raised("a RANGE that overflows"))
    made.type = wide.type
    key.set("this", made)


COUNTED = frozenset({"bool", "int", "decimal", "text", "date", "timestamp"})


def _distinct(node: Any, inner: Any, name: str) -> None:
    """Write count(DISTINCT x) OVER as the size of a set, and leave DISTINCT out where it means nothing."""
    values = inner.this.expressions
    if len(values) != 1 or not isinstance(inner, (exp.Count, exp.Min, exp.Max)):
        refuse(f"{name}(DISTINCT ...) OVER a window", "Spark has no such thing", "a subquery with GROUP BY")
    if not isinstance(inner, exp.Count):
        inner.set("this", values[0].copy())
        return
    if kind(values[0]) not in COUNTED:
        # A set takes 0.0 and -0.0 for two.
        refuse(f"count(DISTINCT ...) OVER a window, of {kind(values[0]).upper()}", "it is not shown to agree there")
    node.set("this", call("COLLECT_SET", values[0]))
    size = call("SIZE", node.copy())
    size.type = exp.DataType.build("INT")
    node.replace(cast(size, "BIGINT"))


def _arguments(inner: Any, name: str) -> None:
    """Spark takes constants only where the reference takes a value of each row."""
    if isinstance(inner, exp.Ntile):
        if (integer(inner.this) or 0) < 1:
            refuse("ntile() of what is no constant of 1 or more", "Spark takes a constant only")
    elif isinstance(inner, exp.NthValue):
        if (integer(inner.args.get("offset")) or 0) < 1:
            refuse("nth_value() at what is no constant of 1 or more", "Spark takes a constant only")
    elif isinstance(inner, (exp.Lag, exp.Lead)):
        offset, default = inner.args.get("offset"), inner.args.get("default")
        if offset is not None and integer(offset) is None:
            refuse(f"{name}() by what is no constant number", "Spark takes a constant only", "a join on row_number()")
        if default is not None and kind(default) != "null" and default.type != inner.this.type:
            if integer(default) is None or kind(inner.this) == "decimal":
                # It is cast in every row, needed or not; the scale of a computed decimal is not known here.
                refuse(
                    f"{name}() with a default of another type", "there it is cast where it is needed only", "CAST it"
                )
            made = exp.Cast(this=default.copy(), to=inner.this.type.copy())
            made.type = made.to
            default.replace(made)


def _bound(spec: Any, side: str) -> float:
    """Return how far after the current row a frame starts or ends."""
    value = spec.args.get(side)
    if value == "CURRENT ROW":
        return 0
    sign = -1 if spec.args.get(f"{side}_side") == "PRECEDING" else 1
    if isinstance(value, str) or value is None:
        return sign * float("inf")
    return sign * float(value.this.this if isinstance(value, exp.Cast) else value.this)


def _folded(node: Any) -> exp.Expr:
    """Return the aggregate of a FILTER with the condition inside."""
    function, test = node.this.copy(), node.expression.this
    if not isinstance(function, AGGREGATES):
        refuse("FILTER OVER a window of this function", "Spark has no such thing")
    if isinstance(function.this, exp.Distinct):
        (value,) = function.this.expressions
        chosen = exp.Case(ifs=[exp.If(this=test.copy(), true=value.copy())])
        chosen.type = value.type
        function.this.set("expressions", [chosen])
        return function
    star = isinstance(function.this, exp.Star) or function.this is None
    value = exp.Literal.number(1) if star else function.this.copy()
    function.set("this", exp.Case(ifs=[exp.If(this=test.copy(), true=value)]))
    function.this.type = exp.DataType.build("INTEGER") if star else node.this.this.type
    if isinstance(function, exp.Count):
        function.set("big_int", None)
    function.type = node.type
    return function
