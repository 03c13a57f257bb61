"""Casts that convert as the reference does."""

from __future__ import annotations

import datetime
import decimal
import re
from typing import Any

from sqlglot import exp

from mdfsql.lower.exact_arithmetic import BEYOND, double, floated
from mdfsql.lower.nested_values import ELEMENT, lambda_, over, variable
from mdfsql.lower.rules import (
    call,
    case,
    cast,
    each,
    is_null,
    kind,
    literal_text,
    null,
    number,
    paren,
    raised,
    refuse,
    text,
)
from mdfsql.lower.strict_types import BLANK, SPELLED, _dated
from mdfsql.lower.value_texts import value_text
from mdfsql.lower.value_types import element_type, same_type

__all__ = ["exact_casts"]


def exact_casts(tree: exp.Expr) -> exp.Expr:
    """A DOUBLE is rounded half to even when it becomes an integer, and text is read as DuckDB reads it, or raises."""
    tree = each(tree, {exp.Cast: _cast, exp.TryCast: _try_cast})
    for dtype in tree.find_all(exp.DataType):
        if dtype.this == exp.DataType.Type.TIMESTAMPTZ:
            # TIMESTAMP alone would be read as the one without a time zone.
            dtype.set("this", exp.DataType.Type.TIMESTAMPLTZ)
    return tree


# (from, to) that mean the same as they stand.
SAME = frozenset(
    {
        *(
            (k, k)
            for k in ("bool", "int", "float", "double", "text", "date", "timestamp", "timestamptz", "blob", "decimal")
        ),
        *(
            ("null", k)
            for k in ("bool", "int", "float", "double", "text", "date", "timestamp", "decimal", "timestamptz")
        ),
        *(("null", k) for k in ("blob", "list", "struct", "map")),
        *(("int", k) for k in ("bool", "decimal", "float", "double", "text")),
        *(("bool", k) for k in ("int", "decimal", "float", "double", "text")),
        *(("decimal", k) for k in ("bool", "double", "text")),
        *(("float", k) for k in ("bool", "double")),
        *(("double", k) for k in ("bool", "float")),
        ("date", "timestamp"),
        *(("timestamp", k) for k in ("date", "timestamptz")),
        *(("timestamptz", k) for k in ("date", "timestamp")),
    }
)

# What the reference makes a value of though it is not spelled so; elsewhere it is NULL in a TRY_CAST.
_NUMBERLIKE = rf"^{BLANK}[+-]?\.?[0-9][0-9a-fA-FxX_.+-]*{BLANK}$"
DOUBTFUL = {
    "int": _NUMBERLIKE,
    "decimal": _NUMBERLIKE,
    "double": _NUMBERLIKE,
    "date": r"^[ ]*[+-]?[0-9]{1,7}[-/ .\\]|(?i:inf|epoch)",
    "timestamp": r"^[ ]*[+-]?[0-9]{1,7}[-/ .\\]|(?i:inf|epoch)",
}


NOT_THERE = (exp.DType.INT128, exp.DType.UBIGINT, exp.DType.UINT128)


def _cast(node: Any) -> exp.Expr | None:
    if node.meta.get("exact"):
        return None
    source, target, value = kind(node.this), kind(node.to), node.this
    if any(part.this in NOT_THERE for part in node.to.find_all(exp.DataType)):
        refuse(f"CAST to {node.to.sql('duckdb')}", "Spark has no such type", "CAST to DECIMAL(38,0)")
    if node.to.this in (exp.DataType.Type.UTINYINT, exp.DataType.Type.USMALLINT, exp.DataType.Type.UINT):
        refuse(f"CAST to {node.to.sql('duckdb')}", "Spark has no unsigned types", "CAST to a wider signed type")
    if "time" in (source, target):
        refuse(
            "a value of type TIME", "Spark has that type from 4.1 on only", "a TIMESTAMP, or strftime(t, '%H:%M:%S')"
        )
    constant = literal_text(value)
    if target in ("date", "timestamp") and _dated(constant, target):
        return None
    if target == "timestamptz" and isinstance(value, exp.Literal):
        return _zoned(node)
    if source == "unknown" and isinstance(value, exp.Anonymous):
        return None
    if (source, target) in SAME:
        return None
    if (source, target) == ("date", "timestamptz"):
        return cast(cast(value, "TIMESTAMP"), "TIMESTAMPTZ")
    if (source, target) == ("decimal", "float"):
        return floated(value)
    if source == target and source in ("list", "struct", "map"):
        return _nested(value, node.to)
    if target == "text":
        return value_text(value)
    if source == "float":
        value, source = cast(value, "DOUBLE"), "double"
    to = node.to.sql("duckdb")
    if (source, target) == ("double", "int"):
        whole = value.copy() if isinstance(value, exp.Anonymous) and value.name == "RINT" else call("RINT", value)
        made = cast(whole, to)
        if node.to.this != exp.DataType.Type.BIGINT:
            return made
        beyond = exp.GTE(this=paren(value), expression=number(2.0**63))
        return case((beyond, raised(BEYOND)), default=made)
    if (source, target) == ("decimal", "int"):
        return cast(call("ROUND", value), to)
    if (source, target) == ("double", "decimal"):
        return _decimal(node, value)
    if source == "text" and target in SPELLED:
        if constant is not None and (known := _constant(constant, target, node.to)) is not None:
            return known
        message = exp.Concat(
            expressions=[text(f"cannot cast to {to}: '"), value.copy(), text("'")], safe=False, coalesce=False
        )
        digits = _digits(value) if target == "int" else None
        if digits is not None:
            good = call("RLIKE", digits, r"^[0-9a-fA-F]{1,15}\z", type="BOOLEAN")
            made = cast(call("CONV", digits.copy(), 16, 10), to)
            return case((good, made), (is_null(digits), null()), default=raised(message))
        good = call("RLIKE", value, SPELLED[target], type="BOOLEAN")
        empty = is_null(value)
        if target == "double":
            good = exp.Or(this=good, expression=_is_word(value))
        rounded = [_rounded(value, to)] if target == "int" else []
        return case((exp.Or(this=good, expression=empty), cast(value, to)), *rounded, default=raised(message))
    refuse(
        f"CAST of {(source if source != 'unknown' else 'an untyped value').upper()} to {to}",
        "engines spell and round it each in its own way",
        "CAST it to DECIMAL first" if source == "double" else None,
    )


def _digits(value: exp.Expr) -> exp.Expr | None:
    """Return the hexadecimal digits of '0x' || digits, as they are written to make a number of a part of a hash."""
    if isinstance(value, exp.Anonymous) and value.name == "CONCAT" and len(value.expressions) == 2:
        first, digits = value.expressions
        return digits if literal_text(first) == "0x" else None
    return None


def _constant(constant: str, target: str, to: exp.DataType) -> exp.Expr | None:
    """Return what the reference reads a constant as; None for what is no such value there either."""
    if re.search(SPELLED[target], constant):
        return cast(text(constant), to.sql("duckdb"))
    if target == "int" and (found := re.fullmatch(NUMBER, constant.strip())):
        whole = decimal.Decimal(found[0].replace("_", "")).quantize(decimal.Decimal(1), decimal.ROUND_HALF_UP)
        return cast(text(str(whole)), to.sql("duckdb"))
    if target == "double" and constant.strip().lower() in WORDS:
        return cast(text(constant), "DOUBLE")
    if target in DOUBTFUL and re.search(DOUBTFUL[target], constant):
        refuse(f"{constant!r} as {to.sql('duckdb')}", "engines read it each in its own way", "write it plainly")
    return None


NUMBER = r"[+-]?(?=\.?[0-9])(?:[0-9]+(?:_[0-9]+)*)?(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,2})?"
WORDS = ("nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity")


def _is_word(value: exp.Expr) -> exp.Expr:
    """Return whether a text is one of the floats that have no digits."""
    return exp.In(this=call("LOWER", call("TRIM", value)), expressions=[text(word) for word in WORDS])


def _rounded(value: exp.Expr, to: str) -> tuple[exp.Expr, exp.Expr]:
    """Return the whole number that a text with a point is rounded to, by its first digit after it."""
    tenths = call("REGEXP_EXTRACT", value, rf"^{BLANK}([+-]?[0-9]*\.?[0-9]?)", 1)
    whole = call("ROUND", cast(tenths, "DECIMAL(38,1)"))
    fits = rf"^{BLANK}[+-]?([0-9]{{1,30}}\.?[0-9]*|\.[0-9]+){BLANK}$"
    return call("RLIKE", value, fits, type="BOOLEAN"), cast(whole, to)


def _converted(value: exp.Expr, dtype: exp.DataType) -> exp.Expr:
    """Return a part of a nested value, cast."""
    made = exp.Cast(this=value.copy(), to=dtype.copy())
    made.type = dtype
    return _cast(made) or made


def _nested(value: exp.Expr, to: exp.DataType) -> exp.Expr:
    """Return a nested value with each part of it cast; keys of a map stay as they are."""
    if same_type(value.type, to):
        return value.copy()
    if kind(to) == "list":
        own, wanted = element_type(value), element_type(to)
        if own is not None and wanted is not None:
            return over("TRANSFORM", value, _converted(variable(own), wanted), to)
    if kind(to) == "struct" and value.type is not None:
        own_fields = {field.name.lower(): field for field in value.type.expressions}
        parts: list[exp.Expr] = []
        for field in to.expressions:
            found = own_fields.get(field.name.lower())
            if found is None:
                refuse("CAST of a STRUCT to one of other fields", "it is not shown to agree there")
            part = exp.Dot(this=paren(value), expression=exp.to_identifier(found.name, quoted=True))
            part.type = found.args["kind"]
            parts += [text(field.name), _converted(part, field.args["kind"])]
        made = call("NAMED_STRUCT", *parts)
        made.type = to
        return case((is_null(value), null()), default=made)
    if kind(to) == "map" and value.type is not None and same_type(value.type.expressions[0], to.expressions[0]):
        inner = _converted(variable(value.type.expressions[1]), to.expressions[1])
        made = exp.Anonymous(this="TRANSFORM_VALUES", expressions=[value.copy(), lambda_(inner, "_k", ELEMENT)])
        made.type = to
        return made
    refuse(f"CAST of {kind(value).upper()} to {to.sql('duckdb')}", "it is not shown to agree there")


def _zoned(node: Any) -> exp.Expr | None:
    moment = _in_utc(str(node.this.this))
    if not _dated(moment, "timestamp"):
        refuse("a TIMESTAMPTZ literal with an offset", "it is not shown to agree there", "write it in UTC, with +00")
    # A day alone takes no zone there.
    return cast(text(f"{moment}{'' if ':' in moment else ' 00:00:00'}Z"), "TIMESTAMPTZ")


def _in_utc(text_: str) -> str:
    """Return a moment that is written in full, with an offset, without it."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,6})?)([+-])(\d\d)(?::?(\d\d))?", text_)
    if found is None:
        return text_.removesuffix("+00").removesuffix("Z")
    offset = datetime.timedelta(hours=int(found[4]), minutes=int(found[5] or 0))
    try:
        moment = datetime.datetime.fromisoformat(f"{found[1]} {found[2]}")
        return str(moment + offset if found[3] == "-" else moment - offset)
    except (ValueError, OverflowError):
        return text_


def _decimal(node: Any, value: exp.Expr) -> exp.Expr:
    precision, scale = ([int(p.name) for p in node.to.expressions] + [0])[:2] if node.to.expressions else (18, 3)
    if precision > 18:
        refuse("CAST of DOUBLE to a DECIMAL of more than 18 digits", "its last digits differ", "DECIMAL(18, s)")
    # The reference scales the DOUBLE and rounds that; there its shortest decimal text is rounded.
    scaled = call("ROUND", exp.Mul(this=double(value), expression=number(float(10**scale))))
    whole = cast(cast(scaled, "BIGINT"), "DECIMAL(19,0)")
    if scale == 0:
        return cast(whole, f"DECIMAL({precision},0)")
    unit = cast(text("0." + "0" * (scale - 1) + "1"), f"DECIMAL({scale},{scale})")
    return cast(exp.Mul(this=whole, expression=unit), f"DECIMAL({precision},{scale})")


def _try_cast(node: Any) -> exp.Expr | None:
    if node.meta.get("exact"):
        return None
    source, target, value = kind(node.this), kind(node.to), node.this
    nested = source in ("list", "struct", "map")
    if target == "text" and source != "text":
        return value_text(value)
    if (source == target and not nested) or (source, target) in (
        ("int", "double"),
        ("null", target),
    ):
        return cast(value, node.to.sql("duckdb")) if source != "int" or target != "int" else _safe(node)
    if source == "text" and target in SPELLED:
        constant = literal_text(value)
        if constant is not None and (known := _constant(constant, target, node.to)) is not None:
            return _safe(exp.TryCast(this=known.this, to=node.to.copy()))
        good = call("RLIKE", value, SPELLED[target], type="BOOLEAN")
        if target == "double":
            good = exp.Or(this=good, expression=_is_word(value))
        branches = [(good, _safe(node))]
        if target == "int":
            spelled, whole = _rounded(value, "BIGINT")
            branches.append((spelled, _safe(exp.TryCast(this=whole.this, to=node.to.copy()))))
        if target not in DOUBTFUL or constant is not None:
            made = case(*branches, default=null())
            made.type = node.type
            return made
        doubtful = call("RLIKE", value, DOUBTFUL[target], type="BOOLEAN")
        message = exp.Concat(
            expressions=[text("TRY_CAST: engines disagree on what this text is: '"), value.copy(), text("'")],
            safe=False,
            coalesce=False,
        )
        made = case(*branches, (doubtful, raised(message)), default=null())
        made.type = node.type
        return made
    refuse(f"TRY_CAST of {source.upper()} to {node.to.sql('duckdb')}", "it is not shown to agree there")


def _safe(node: Any) -> exp.Expr:
    made = exp.TryCast(this=node.this.copy(), to=node.to.copy(), safe=True)
    made.type = node.to
    return made
