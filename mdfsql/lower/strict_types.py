"""Values of one type only are compared and merged."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from mdfsql.lower.exact_arithmetic import floated
from mdfsql.lower.moments import MOMENTS
from mdfsql.lower.number_types import check_digits
from mdfsql.lower.rules import cast, each, kind, literal_text, refuse, text
from mdfsql.lower.united_columns import unite
from mdfsql.lower.value_types import common, same_type

__all__ = ["BLANK", "SPELLED", "strict_types"]

CONVERT = "engines convert one to the other each in its own way"
NUMBERS = frozenset({"int", "decimal", "double"})
NESTED = frozenset({"list", "struct", "map"})
ORDERED = frozenset(
    {
        "bool",
        "int",
        "decimal",
        "float",
        "double",
        "text",
        "date",
        "timestamp",
        "timestamptz",
        "blob",
        "interval",
        "list",
        "struct",
    }
)


def strict_types(tree: exp.Expr) -> exp.Expr:
    """Engines differ in what text is as a number or a date, so only values of one type are compared and merged."""
    return each(tree, RULES)


def _merge(nodes: Sequence[exp.Expr], what: str) -> None:
    """Check that the values have one type, casting dates written as text; refuse what engines convert their own way."""
    kinds = {kind(node) for node in nodes} - {"null"}
    if "unknown" in kinds:
        bad = next(node for node in nodes if kind(node) == "unknown")
        refuse(f"{what} of {_shown(bad)}", "its type is not known before it runs", "CAST it")
    if kinds & NESTED:
        _unify(nodes, what)
        return
    if kinds <= {"int", "decimal"} and what not in COMPARING:
        check_digits(nodes, what)
    if len(kinds) <= 1 or kinds <= NUMBERS or kinds == {"date", "timestamp"}:
        return
    if kinds == {"bool", "int"} and what in COMPARING:
        for node in nodes:
            if kind(node) == "bool":
                node.replace(cast(node, "INTEGER"))
        return
    if "timestamptz" in kinds and kinds <= MOMENTS | {"text"} and what in COMPARING:
        for node in nodes:
            _to_instant(node, what)
        return
    if "text" in kinds and len(kinds) == 2:
        (other,) = kinds - {"text"}
        texts = [node for node in nodes if kind(node) == "text"]
        if other in ("date", "timestamp") and all(_dated(literal_text(node), other) for node in texts):
            for node in texts:
                node.replace(cast(node, "DATE" if other == "date" else "TIMESTAMP"))
            return
        if other in READ and (what in COMPARING or all(literal_text(node) is not None for node in texts)):
            _read(texts, common([node.type for node in nodes if kind(node) != "text"]))
            return
    if "float" in kinds and kinds <= NUMBERS | {"float"}:
        for node in nodes:
            if "double" not in kinds and kind(node) in ("int", "decimal"):
                node.replace(floated(node))
        return
    names = " and ".join(sorted(k.upper() for k in kinds))
    refuse(f"{what} of {names}", "engines convert one to the other each in its own way", "CAST one of them")


def _to_instant(node: exp.Expr, what: str) -> None:
    """Replace a date, a timestamp or its text by the TIMESTAMPTZ that it is in UTC."""
    if kind(node) == "text":
        found = (literal_text(node) or "").removesuffix("+00")
        if not _dated(found, "timestamp"):
            refuse(f"{what} of TEXT and TIMESTAMPTZ", CONVERT, "a constant such as '2024-01-31 10:00:00', or CAST")
        node.replace(cast(cast(text(found), "TIMESTAMP"), "TIMESTAMPTZ"))
    elif kind(node) in ("date", "timestamp"):
        node.replace(cast(cast(node, "TIMESTAMP"), "TIMESTAMPTZ"))


# How text is written that all engines read alike.
BLANK = r"[ \t\n\f\r]*"
SPELLED = {
    "int": rf"^{BLANK}[+-]?[0-9]+{BLANK}$",
    "decimal": rf"^{BLANK}[+-]?([0-9]+\.?[0-9]*|\.[0-9]+){BLANK}$",
    "double": rf"^{BLANK}[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?{BLANK}$",
    "bool": r"^(?i:true|false|t|f|yes|no|y|n|0|1)$",
    "date": r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?)?$",
    "timestamp": r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T]([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?)?$",
}

# Text next to one of these is read as one, or raises.
READ = frozenset({"int", "decimal", "double", "bool", "date", "timestamp"})
COMPARING = frozenset({"comparison", "IN", "BETWEEN"})


def _read(texts: list[exp.Expr], to: exp.DataType | None) -> None:
    """Cast text to the type of what it stands next to, as a query would: for exact_casts to read."""
    for node in texts:
        if to is None:
            refuse("text next to values of several types", "which one it is read as is not known", "CAST it", node)
        constant = literal_text(node)
        if constant is not None and not re.search(SPELLED[kind(to)], constant):
            refuse(f"{constant!r} as {to.sql('duckdb')}", "engines read it each in its own way", node=node)
        made = exp.Cast(this=node.copy(), to=to.copy())
        made.type = to
        node.replace(made)


def _unify(nodes: Sequence[exp.Expr], what: str) -> None:
    """Cast nested values to the type that they have together."""
    both = common([node.type for node in nodes])
    if both is None:
        refuse(f"{what} of nested values of different types", "engines convert one to the other each in its own way")
    for node in nodes:
        if kind(node) != "null" and not same_type(node.type, both):
            made = exp.Cast(this=node.copy(), to=both.copy())
            made.type = both
            node.replace(made)


def _shown(node: exp.Expr) -> str:
    return f"{node.sql('duckdb')[:60]}"


def _dated(value: str | None, other: str) -> bool:
    """Tell whether a text constant is a date or a timestamp to every engine."""
    if value is None or not re.fullmatch(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d{1,6})?)?", value):
        return False
    if other == "date" and len(value) > 10:
        return False
    try:
        datetime.datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _compare(node: Any) -> None:
    _merge([node.this, node.expression], "comparison")
    _comparable(node.this)


def _comparable(node: exp.Expr) -> None:
    if kind(node) not in ORDERED and kind(node) not in ("null", "unknown"):
        refuse(f"comparison of {kind(node).upper()} values", "it is not shown to agree there")


def _in(node: Any) -> None:
    query = node.args.get("query")
    if query is not None:
        inner: Any = query.unnest() if isinstance(query, exp.Subquery) else query
        asked = node.this.expressions if isinstance(node.this, exp.Tuple) else [node.this]
        for left, right in zip(asked, inner.selects, strict=True):
            if (kind(left) == "float") != (kind(right) == "float"):
                refuse("IN of FLOAT and another type", "it is not shown to agree there", "CAST both to DOUBLE")
        if isinstance(node.this, exp.Tuple):
            for left, right in zip(node.this.expressions, inner.selects, strict=True):
                if {kind(left), kind(right)} - NUMBERS and kind(left) != kind(right):
                    _merge([left, right], "IN")
            return
        if kind(node.this) in NESTED and not same_type(node.this.type, inner.selects[0].type):
            refuse(
                "IN of nested values of different types", "engines convert one to the other each in its own way", "CAST"
            )
        if {kind(node.this), kind(inner.selects[0])} - NUMBERS and kind(node.this) != kind(inner.selects[0]):
            _merge([node.this, inner.selects[0]], "IN")
        return
    _merge([node.this, *node.expressions], "IN")
    _comparable(node.this)


def _between(node: Any) -> None:
    _merge([node.this, node.args["low"], node.args["high"]], "BETWEEN")
    _comparable(node.this)


def _many(node: Any) -> None:
    if isinstance(node, (exp.Greatest, exp.Least)) and kind(node.this) in NESTED:
        refuse(f"{node.key}() of {kind(node.this).upper()}", "it is not shown to agree there", "CASE WHEN a < b ...")
    _merge([node.this, *node.expressions], f"{node.sql_name().lower()}()")


def _nullif(node: Any) -> None:
    if kind(node.expression) == "float" and kind(node.this) in ("int", "decimal"):
        refuse(
            "nullif() of another type than FLOAT with a FLOAT", "it is not shown to agree there", "CAST both to DOUBLE"
        )
    _merge([node.this, node.expression], "nullif()")


def _case(node: Any) -> None:
    default = node.args.get("default")
    values = [branch.args["true"] for branch in node.args["ifs"]] + ([default] if default is not None else [])
    _merge(values, "CASE")
    if node.this is not None:
        _merge([node.this, *(branch.this for branch in node.args["ifs"])], "CASE")


def _if(node: Any) -> None:
    if not (isinstance(node.parent, exp.Case) and node.parent.this is not None):
        _boolean("this")(node)
    if not isinstance(node.parent, exp.Case):
        false = node.args.get("false")
        _merge([node.args["true"]] + ([false] if false is not None else []), "if()")


def _lag(node: Any) -> None:
    default = node.args.get("default")
    if default is not None:
        _merge([node.this, default], f"{node.key}()")


def _is(node: Any) -> None:
    """IS TRUE and IS FALSE ask for a condition; IS NULL takes any value."""
    if isinstance(node.expression, exp.Boolean):
        _boolean("this")(node)


def _boolean(*names: str) -> Any:
    def check(node: Any) -> None:
        for name in names:
            value = node.args.get(name)
            if value is not None and kind(value) in ("null", "int"):
                made = exp.Cast(this=value.copy(), to=exp.DataType.build("BOOLEAN"))
                made.type = made.to
                value.replace(made)
            elif value is not None and kind(value) != "bool":
                refuse(f"{kind(value).upper()} as a condition", "not every engine takes it for one", "compare it")

    return check


RULES: dict[type[exp.Expr], Any] = {
    exp.EQ: _compare,
    exp.NEQ: _compare,
    exp.LT: _compare,
    exp.LTE: _compare,
    exp.GT: _compare,
    exp.GTE: _compare,
    exp.NullSafeEQ: _compare,
    exp.NullSafeNEQ: _compare,
    exp.In: _in,
    exp.Between: _between,
    exp.Is: _is,
    exp.Coalesce: _many,
    exp.Greatest: _many,
    exp.Least: _many,
    exp.Nullif: _nullif,
    exp.Case: _case,
    exp.If: _if,
    **dict.fromkeys((exp.Union, exp.Except, exp.Intersect), unite),
    exp.Lag: _lag,
    exp.Lead: _lag,
    exp.And: _boolean("this", "expression"),
    exp.Or: _boolean("this", "expression"),
    exp.Not: _boolean("this"),
    exp.Where: _boolean("this"),
    exp.Having: _boolean("this"),
    exp.Join: _boolean("on"),
}
