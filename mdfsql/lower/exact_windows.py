"""Window functions: an order where the answer needs one, and a condition inside of the aggregate."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.rules import each, refuse

__all__ = ["exact_windows"]


def exact_windows(tree: exp.Expr) -> exp.Expr:
    """FILTER before OVER becomes a CASE inside of the aggregate; what depends on an order must be given one."""
    return each(tree, {exp.Window: _window})


NEED_ORDER = (
    exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile, exp.Lag, exp.Lead,
    exp.FirstValue, exp.LastValue, exp.NthValue,
)  # fmt: skip
AGGREGATES = (exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Count, exp.CountIf, exp.LogicalAnd, exp.LogicalOr)


def _window(node: Any) -> None:
    function = node.this
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
    if isinstance(inner.this, exp.Distinct):
        refuse(f"{name}(DISTINCT ...) OVER a window", "Spark has no such thing")
    spec = node.args.get("spec")
    if spec is None:
        return
    if spec.args.get("exclude"):
        refuse("EXCLUDE in a window's frame", "Spark has no such thing")
    if (spec.text("kind") or "").upper() == "GROUPS":
        refuse("a window's frame of GROUPS", "Spark has no such thing")
    if (spec.text("kind") or "").upper() == "RANGE":
        for side in ("start", "end"):
            value = spec.args.get(side)
            if value is not None and not isinstance(value, str):
                refuse("RANGE with a distance in a window's frame", "it is not shown to agree there", "ROWS")
    for side in ("start", "end"):
        value = spec.args.get(side)
        if isinstance(value, exp.Expr) and not (isinstance(value, exp.Literal) and value.this.isdigit()):
            refuse("a window's frame of a distance that is no constant", "it is not shown to agree there")


def _folded(node: Any) -> exp.Expr:
    """Return the aggregate of a FILTER with the condition inside."""
    function, test = node.this.copy(), node.expression.this
    if not isinstance(function, AGGREGATES) or isinstance(function.this, exp.Distinct):
        refuse("FILTER OVER a window of this function", "Spark has no such thing")
    star = isinstance(function.this, exp.Star) or function.this is None
    value = exp.Literal.number(1) if star else function.this.copy()
    function.set("this", exp.Case(ifs=[exp.If(this=test.copy(), true=value)]))
    function.this.type = exp.DataType.build("INTEGER") if star else node.this.this.type
    if isinstance(function, exp.Count):
        function.set("big_int", None)
    function.type = node.type
    return function
