"""Python objects as SQL constants, and the refusal of what has none."""

from __future__ import annotations

import datetime
import decimal
import enum
from typing import Any

from sqlglot import exp

from mdfsql.lift_nodes import cast, literal, number
from mdfsql.schema import Type

__all__ = ["Raises", "Refusal", "constant_sql", "plain_member"]


class Refusal(Exception):
    """What has no exact SQL; the lifter adds the place.

    ``mistake`` tells that the function is wrong, so that running it as Python would help no more.
    """

    def __init__(self, reason: str, suggestion: str | None = None, *, mistake: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.suggestion, self.mistake = reason, suggestion, mistake


class Raises(Refusal):
    """What Python raises for every row that comes to it: a mistake, unless it stands in a branch."""


def constant_sql(value: Any) -> tuple[exp.Expression, Type]:
    """Return a str, Decimal, date, datetime or timedelta as SQL, with its type; Refusal for anything else."""
    if type(value) is str:
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Refusal("a string with a lone surrogate is not valid in SQL") from None
        return literal(value, "VARCHAR"), "VARCHAR"
    if type(value) is datetime.datetime:
        if value.fold:
            raise Refusal("a datetime with fold=1 has no SQL")
        if value.tzinfo is None:
            return literal(value, "TIMESTAMP"), "TIMESTAMP"
        try:
            utc = value.astimezone(datetime.UTC).replace(tzinfo=None)
        except OverflowError:
            raise Refusal(f"{value} is out of range in UTC") from None
        return cast(literal(f"{utc}+00", "VARCHAR"), "TIMESTAMPTZ"), "TIMESTAMPTZ"
    if type(value) is datetime.timedelta:
        micros = value // datetime.timedelta(microseconds=1)
        if abs(micros) >= 2**63:
            raise Refusal(f"{value!r} has more microseconds than fit in 64 bits")
        return number(micros), "TIMEDELTA"
    if type(value) is decimal.Decimal:
        return _decimal(value)
    if type(value) is datetime.date:
        return literal(value, "DATE"), "DATE"
    shown = getattr(type(value), "__name__", "")
    hint = f"convert it first, as in {'int' if 'int' in shown else 'float'}(x)" if hasattr(value, "item") else None
    raise Refusal(f"a {shown} is not a value that SQL has", hint)


def _decimal(value: decimal.Decimal) -> tuple[exp.Expression, Type]:
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or exponent > 0 or (sign and not value):
        raise Refusal(f"Decimal({str(value)!r}) is written in a way that SQL does not keep", "write all of its digits")
    precision = max(len(digits), -exponent, 1)
    if precision > 38:
        raise Refusal(f"a Decimal of {precision} digits does not fit into 38")
    type_ = f"DECIMAL({precision},{-exponent})"
    return literal(value, type_), type_


def plain_member(value: Any) -> Any:
    """Return a member of an enum that is a str or an int, and compares as one, as that; anything else as it is."""
    for kind in (int, str):
        if isinstance(value, enum.Enum) and isinstance(value, kind) and type(value).__eq__ is kind.__eq__:
            return kind.__str__(value) if kind is str else int(value)
    return value
