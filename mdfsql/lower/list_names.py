"""One name for each function of lists, structs and maps, and what the reference writes with other functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types

from mdfsql.lower.rules import each, integer, number, paren, there
from mdfsql.schema import value_type

__all__ = ["list_names"]


def list_names(tree: exp.Expr) -> exp.Expr:
    """Functions of lists, structs and maps have many names, of which one is kept; positions count from 1.

    What the reference itself writes with other functions is written so.
    """
    for bracket in tree.find_all(exp.Bracket):
        # Asked of what was parsed: the names of what is in it are about to change.
        bracket.meta[SHIFTED] = _shifted(bracket)
    return each(tree, RULES)


SHIFTED = "mdf_shifted"


# Other names of functions that the parser has no node for.
NAMES: dict[str, str] = {
    "array_aggr": "list_aggregate",
    "array_aggregate": "list_aggregate",
    "array_apply": "list_transform",
    "array_cat": "list_concat",
    "array_has_any": "list_has_any",
    "array_indexof": "list_position",
    "array_pack": "list_value",
    "array_push_back": "list_append",
    "array_push_front": "list_prepend",
    "array_resize": "list_resize",
    "array_select": "list_select",
    "array_transform": "list_transform",
    "array_unique": "list_unique",
    "array_where": "list_where",
    "list_aggr": "list_aggregate",
    "list_apply": "list_transform",
    "list_cat": "list_concat",
    "list_element": "array_extract",
    "list_extract": "array_extract",
    "list_indexof": "list_position",
    "list_pack": "list_value",
    "list_slice": "array_slice",
    "map_extract_value": "array_extract",
    "element_at": "map_extract",
    "array_reduce": "list_reduce",
}


def _weighted(value: exp.Expr, weight: exp.Expr) -> exp.Expr:
    kept = exp.Case(ifs=[exp.If(this=there(value), true=weight)], default=number(0))
    total = exp.Sum(this=exp.Mul(this=paren(value), expression=paren(weight)))
    return exp.Paren(this=exp.Div(this=total, expression=exp.Sum(this=kept)))


def _mean(value: exp.Expr) -> exp.Expr:
    made = exp.Avg(this=value)
    made.type = value_type("DOUBLE")
    return made


def _days(date: exp.Expr) -> exp.Expr:
    last = exp.LastDay(this=date)
    last.type = value_type("DATE")
    made = exp.Day(this=last)
    made.type = value_type("BIGINT")
    return made


def _geometric(value: exp.Expr) -> exp.Expr:
    return exp.Exp(this=_mean(exp.Ln(this=value)))


def _floored(x: exp.Expr, y: exp.Expr) -> exp.Expr:
    return exp.Floor(this=exp.Div(this=paren(x), expression=paren(y)))


def _rest(x: exp.Expr, y: exp.Expr) -> exp.Expr:
    return exp.Paren(this=exp.Sub(this=paren(x), expression=exp.Mul(this=paren(y), expression=_floored(x, y))))


# What the reference itself writes with other functions.
MACROS: dict[str, tuple[int, Callable[..., exp.Expr]]] = {
    "days_in_month": (1, _days),
    "fdiv": (2, _floored),
    "fmod": (2, _rest),
    "geomean": (1, _geometric),
    "geometric_mean": (1, _geometric),
    "wavg": (2, _weighted),
    "weighted_avg": (2, _weighted),
}


def _call(name: str, *arguments: exp.Expr | None) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=[a.copy() for a in arguments if a is not None])


def _anonymous(node: Any) -> exp.Expr | None:
    name = node.name.lower()
    if name in MACROS and not isinstance(node.parent, (exp.Filter, exp.Window)):
        arity, write = MACROS[name]
        return write(*(a.copy() for a in node.expressions)) if len(node.expressions) == arity else None
    if name == "all" and len(node.expressions) == 1:
        # x > ALL (a list), which the parser has no node for.
        return exp.All(this=exp.Paren(this=node.expressions[0].copy()))
    if name == "mean" and len(node.expressions) == 1:
        return _mean(node.expressions[0].copy())
    name = NAMES.get(name, name)
    arguments = node.expressions
    if name == "list_transform" and len(arguments) == 2:
        return exp.Transform(this=arguments[0].copy(), expression=arguments[1].copy())
    if name == "list_filter" and len(arguments) == 2:
        return exp.ArrayFilter(this=arguments[0].copy(), expression=arguments[1].copy())
    if name == "list_value":
        return exp.Array(expressions=[a.copy() for a in arguments])
    if name == "list_aggregate" and len(arguments) == 2 and isinstance(arguments[1], exp.Literal):
        return _call(f"list_{arguments[1].name.lower()}", arguments[0])
    if name == "array_slice" and len(arguments) in (3, 4):
        return _call(name, *arguments, *([number(1)] if len(arguments) == 3 else []))
    return _call(name, *arguments) if name != node.name else None


def _bracket(node: Any) -> exp.Expr | None:
    if len(node.expressions) != 1:
        return None
    (place,) = node.expressions
    if isinstance(place, exp.Slice):
        step = place.args.get("step")
        down = (integer(step) or 0) < 0
        ends = [part.copy() if part is not None else None for part in (place.this, place.expression)]
        first, last = (-1, 1) if down else (1, -1)
        return _call("array_slice", node.this, ends[0] or number(first), ends[1] or number(last), step or number(1))
    if not node.meta[SHIFTED]:
        return _call("array_extract", node.this, place)
    return _call("array_extract", node.this, _counted(place))


def _counted(place: exp.Expr) -> exp.Expr:
    """Return a position that the parser made count from 0 as it was written."""
    at = integer(place)
    if at is not None:
        return number(at + 1)
    more = integer(place.expression) if isinstance(place, (exp.Add, exp.Sub)) else None
    made: exp.Expr
    if more is None:
        made = exp.Add(this=paren(place), expression=number(1))
    else:
        more = more + 1 if isinstance(place, exp.Add) else more - 1
        if more == 0:
            return place.this.copy()
        made = type(place)(this=place.this.copy(), expression=number(more))
    made.type = place.type
    return made


def _shifted(node: Any) -> bool:
    """Tell whether the parser has made a position count from 0: it does where it sees that it is an integer."""
    of, place = node.this.copy(), node.expressions[0].copy()
    for part in (*of.walk(), *place.walk()):
        part.type = None
    known = annotate_types(of, dialect="duckdb").type
    if known is not None and known.this not in (exp.DataType.Type.UNKNOWN, exp.DataType.Type.ARRAY):
        return False
    found = annotate_types(place, dialect="duckdb").type
    return found is not None and found.this in exp.DataType.INTEGER_TYPES


def _in(node: Any) -> exp.Expr | None:
    field = node.args.get("field")
    return None if field is None else _call("list_contains", field, node.this)


def _series(node: Any) -> exp.Expr:
    name = "range" if node.args.get("is_end_exclusive") else "generate_series"
    return _call(name, node.args["start"], node.args["end"], node.args.get("step") or number(1))


def _pairs(node: Any) -> exp.Expr | None:
    """Return MAP {...} as a call; the parser takes MAP {...}[key] for the MAP of what is in brackets."""
    inner = node.this
    while isinstance(inner, exp.Anonymous) and inner.name in ("array_extract", "array_slice"):
        inner = inner.expressions[0]
    pairs = inner.expressions if isinstance(inner, exp.Struct) else ()
    if not all(isinstance(pair, exp.PropertyEQ) for pair in pairs):
        return None
    made = _call("map_pack", *(part for pair in pairs for part in (pair.this, pair.expression)))
    if inner is node.this:
        return made
    inner.replace(made)
    whole: exp.Expr = node.this.copy()
    return whole


def _parts(name: str, *parts: str) -> Callable[[Any], exp.Expr]:
    """Return a rule that names a node's parts in this order."""

    def rule(node: Any) -> exp.Expr:
        found = [node.args.get(part) for part in parts]
        return _call(name, *(a for part in found for a in (part if isinstance(part, list) else [part])))

    return rule


RULES: dict[type[exp.Expr], Any] = {
    exp.Anonymous: _anonymous,
    exp.Bracket: _bracket,
    exp.In: _in,
    exp.GenerateSeries: _series,
    exp.ToMap: _pairs,
    exp.Map: _parts("map_from_lists", "keys", "values"),
    exp.MapKeys: _parts("map_keys", "this"),
    exp.MapFromEntries: _parts("map_from_entries", "this"),
    exp.StructExtract: _parts("array_extract", "this", "expression"),
    exp.ArraySlice: lambda node: _call(
        "array_slice", node.this, node.args["start"], node.args["end"], node.args.get("step") or number(1)
    ),
    exp.ArrayAppend: _parts("list_append", "this", "expression"),
    exp.ArrayPrepend: _parts("list_prepend", "this", "expression"),
    exp.ArrayConcat: _parts("list_concat", "this", "expressions"),
    exp.ArrayContains: _parts("list_contains", "this", "expression"),
    exp.ArrayContainedBy: _parts("list_has_all", "expression", "this"),
    exp.ArrayContainsAll: _parts("list_has_all", "this", "expression"),
    exp.ArrayDistinct: _parts("list_distinct", "this"),
    exp.ArrayIntersect: _parts("list_intersect", "expressions"),
    exp.ArrayMax: _parts("list_max", "this"),
    exp.ArrayMin: _parts("list_min", "this"),
    exp.ArrayOverlaps: _parts("list_has_any", "this", "expression"),
    exp.ArrayPosition: _parts("list_position", "this", "expression"),
    exp.ArrayReverse: _parts("list_reverse", "this"),
    exp.Flatten: _parts("flatten", "this"),
}
