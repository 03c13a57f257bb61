"""Python values as typed SQL literals: the only way a value enters a query."""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Mapping
from typing import Any

from sqlglot import exp

from mdfsql.errors import DataError
from mdfsql.schema import FLOATS, INTEGERS, data_type

__all__ = ["fits", "literal"]


def literal(value: Any) -> exp.Expr:
    """Return a Python value as a literal of its canonical type; DataError for a value that has none.

    None, bool, int (64 bits), float, str, bytes, Decimal, date, time, datetime (aware ones in UTC), and lists,
    tuples and dicts of these.

    >>> [literal(v).sql("duckdb") for v in (None, True, -3, 1.5, "it's", datetime.date(2024, 2, 29))]
    ['NULL', 'TRUE', '-3', 'CAST(1.5 AS DOUBLE)', "'it''s'", "CAST('2024-02-29' AS DATE)"]
    """
    item = getattr(value, "item", None)
    if item is not None and type(value).__module__ == "numpy":
        value = item()
    if value is None:
        return exp.Null()
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, int):
        return _integer(int(value))
    if isinstance(value, float):
        # A bare 1.5 is a DECIMAL in the reference; repr gives the shortest text that reads back as the same double.
        if not math.isfinite(value):
            return _cast(exp.Literal.string(str(value)), "DOUBLE")
        sign = math.copysign(1.0, value)
        number: exp.Expr = exp.Literal.number(repr(abs(value)))
        if value == 0 and sign < 0:
            # -0.0 written as a negated DECIMAL zero would lose its sign.
            return _cast(exp.Literal.string("-0.0"), "DOUBLE")
        return _cast(exp.Neg(this=number) if sign < 0 else number, "DOUBLE")
    if isinstance(value, str):
        return exp.Literal.string(value)
    if isinstance(value, bytes):
        return exp.Unhex(this=exp.Literal.string(value.hex()))
    if isinstance(value, decimal.Decimal):
        return _decimal(value)
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            utc = value.astimezone(datetime.UTC)
            return _cast(exp.Literal.string(utc.isoformat(" ")), "TIMESTAMPTZ")
        return _cast(exp.Literal.string(value.isoformat(" ")), "TIMESTAMP")
    if isinstance(value, datetime.date):
        return _cast(exp.Literal.string(value.isoformat()), "DATE")
    if isinstance(value, datetime.time):
        return _cast(exp.Literal.string(value.isoformat()), "TIME")
    if isinstance(value, (list, tuple)):
        return exp.Array(expressions=[literal(v) for v in value])
    if isinstance(value, Mapping):
        pairs = [
            exp.PropertyEQ(this=exp.to_identifier(str(k), quoted=True), expression=literal(v)) for k, v in value.items()
        ]
        return exp.Struct(expressions=pairs)
    raise DataError(f"a {type(value).__name__} cannot stand in a query: {value!r:.80}")


def fits(value: Any, type_: str) -> bool:
    """Tell whether a Python value can stand in a column of a type without changing what it is.

    >>> fits(0, "DOUBLE"), fits(0.5, "BIGINT"), fits("x", "DATE"), fits(True, "BIGINT")
    (True, False, False, False)
    """
    if value is None:
        return True
    if isinstance(value, bool):
        return type_ == "BOOLEAN"
    if isinstance(value, (int, decimal.Decimal)):
        whole = value == int(value)
        return type_ in FLOATS or type_.startswith("DECIMAL(") or (type_ in INTEGERS and whole)
    if isinstance(value, float):
        return type_ in FLOATS or (type_ in INTEGERS and value.is_integer())
    kinds: dict[type, str] = {str: "VARCHAR", bytes: "BLOB", datetime.time: "TIME", datetime.date: "DATE"}
    if isinstance(value, datetime.datetime):
        return type_ == ("TIMESTAMPTZ" if value.tzinfo else "TIMESTAMP")
    return any(isinstance(value, kind) and type_ == name for kind, name in kinds.items()) or (
        isinstance(value, (list, tuple, Mapping)) and type_[-1] in ")]"
    )


def _cast(value: exp.Expr, type_: str) -> exp.Cast:
    return exp.Cast(this=value, to=data_type(type_))


def _integer(value: int) -> exp.Expr:
    if not -(2**63) <= value < 2**63:
        raise DataError(f"the integer {value} does not fit 64 bits")
    if value == -(2**63):
        # Its absolute value alone does not fit, so it cannot be written as a negated number.
        return _cast(exp.Literal.string(str(value)), "BIGINT")
    number: exp.Expr = exp.Literal.number(abs(value))
    return exp.Neg(this=number) if value < 0 else number


def _decimal(value: decimal.Decimal) -> exp.Cast:
    if not value.is_finite():
        raise DataError(f"the decimal {value} is not finite")
    _, digits, exponent = value.as_tuple()
    scale = max(-int(exponent), 0)
    precision = max(len(digits) + max(int(exponent), 0), scale, 1)
    if precision > 38:
        raise DataError(f"the decimal {value} needs {precision} digits; 38 is the most")
    return _cast(exp.Literal.string(format(value, "f")), f"DECIMAL({precision},{scale})")
