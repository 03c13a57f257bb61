"""Values of two results side by side: when they are the same, what their difference is called, how they are shown."""

from __future__ import annotations

import datetime
import decimal
import math
import unicodedata
from collections.abc import Mapping
from typing import Any

__all__ = ["alike", "difference_of", "exact", "has_float", "is_float", "shown"]

NAN = math.nan
NUMBERS = (int, float, decimal.Decimal)


def exact(value: Any) -> Any:
    """Return a value in a form that can be a key of a dict: every NaN is one NaN, lists and dicts become tuples.

    >>> exact([1, {"a": None}])
    (1, (('a', None),))
    >>> {exact(float("nan")): 1}[exact(float("nan"))]
    1
    """
    if isinstance(value, float):
        return NAN if value != value else value
    if isinstance(value, (list, tuple)):
        return tuple(map(exact, value))
    if isinstance(value, Mapping):
        return tuple((key, exact(one)) for key, one in value.items())
    return value


def alike(left: Any, right: Any, rtol: float, atol: float) -> bool:
    """Tell whether two exact values are the same; floats to a tolerance, NaN like NaN, -0.0 like 0.0, NULL like NULL.

    >>> alike(1.0, 1.0 + 1e-12, 1e-9, 0), alike(math.nan, None, 1e-9, 0), alike(0.0, -0.0, 0, 0), alike(1, "1", 1, 1)
    (True, False, True, False)
    """
    if left is right:
        return True
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(alike(a, b, rtol, atol) for a, b in zip(left, right, strict=True))
    if isinstance(left, bool) is not isinstance(right, bool):
        return False
    if isinstance(left, NUMBERS) and isinstance(right, NUMBERS):
        if isinstance(left, float) or isinstance(right, float):
            one, two = float(left), float(right)
            if math.isnan(one) or math.isnan(two):
                return math.isnan(one) and math.isnan(two)
            return one == two or math.isclose(one, two, rel_tol=rtol, abs_tol=atol)
        return left == right
    return type(left) is type(right) and bool(left == right)


def is_float(type_: str) -> bool:
    """Tell whether a canonical type is a float, as a whole."""
    return type_ in ("FLOAT", "DOUBLE")


def has_float(type_: str) -> bool:
    """Tell whether values of a canonical type are floats or hold some: only those are compared to a tolerance.

    >>> has_float("DOUBLE[]"), has_float("DECIMAL(9,2)")
    (True, False)
    """
    return "FLOAT" in type_ or "DOUBLE" in type_


def difference_of(left: Any, right: Any) -> str:
    """Return what the difference of two exact values is called.

    >>> difference_of(None, math.nan), difference_of("a", "a "), difference_of("a", "A")
    ('NULL against NaN', 'space at the end', 'letter case')
    >>> difference_of(1.0, 1.000001), difference_of(3, 5)
    ('1e-06 relative', 'off by 2')
    """
    if left is None or right is None:
        other = right if left is None else left
        return "NULL against NaN" if isinstance(other, float) and math.isnan(other) else "NULL against a value"
    if isinstance(left, bool) or isinstance(right, bool):
        return "another value"
    if isinstance(left, NUMBERS) and isinstance(right, NUMBERS):
        return _numbers(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return _texts(left, right)
    if isinstance(left, datetime.datetime) and isinstance(right, datetime.datetime):
        if (left.tzinfo is None) is not (right.tzinfo is None):
            return "with a time zone against without"
        return _shift(right - left)
    if isinstance(left, datetime.date) and isinstance(right, datetime.date):
        days = (right - left).days
        return f"{abs(days)} day{'' if abs(days) == 1 else 's'} {'later' if days > 0 else 'earlier'}"
    if isinstance(left, tuple) and isinstance(right, tuple):
        if len(left) != len(right):
            return "another number of elements"
        return "order of elements" if sorted(map(repr, left)) == sorted(map(repr, right)) else "another element"
    return "another value" if type(left) is type(right) else "another type"


def _numbers(left: Any, right: Any) -> str:
    if isinstance(left, float) or isinstance(right, float):
        one, two = float(left), float(right)
        if math.isnan(one) or math.isnan(two):
            return "NaN against a number"
        if math.isinf(one) or math.isinf(two):
            return "infinity against another number"
        if one == -two:
            return "the sign"
        largest = max(abs(one), abs(two))
        if math.ulp(largest) == abs(one - two):
            return "1 ulp"
        # Divided first, as the difference of two large floats may not be one.
        return f"{abs(one / largest - two / largest):.0e} relative"
    if left == -right:
        return "the sign"
    return f"off by {abs(right - left)}"


def _texts(left: str, right: str) -> str:
    if left.rstrip() == right.rstrip():
        return "space at the end"
    if left.strip() == right.strip():
        return "space around"
    if left.casefold() == right.casefold():
        return "letter case"
    if unicodedata.normalize("NFC", left) == unicodedata.normalize("NFC", right):
        return "Unicode form"
    if max(len(left), len(right)) <= LONG:
        return "another text"
    pairs = enumerate(zip(left, right, strict=False), 1)
    first = next((at for at, (a, b) in pairs if a != b), min(len(left), len(right)) + 1)
    return f"another text from character {first:,} on"


# Longer texts are not seen at a glance: where they begin to differ is said.
LONG = 40

LARGEST_OFFSET = datetime.timedelta(hours=14)
QUARTER = datetime.timedelta(minutes=15)


def _shift(by: datetime.timedelta) -> str:
    way = "later" if by > datetime.timedelta(0) else "earlier"
    if abs(by) <= LARGEST_OFFSET and not by % QUARTER:
        # Offsets of time zones are whole quarters of an hour.
        return f"{abs(by)} {way}, as by a time zone"
    return f"{abs(by)} {way}"


def shown(value: Any) -> str:
    r"""Return an exact value as text that tells apart what differs.

    >>> shown(None), shown("a "), shown(1.0), shown(math.nan), shown(b"\x00")
    ('NULL', "'a '", '1.0', 'NaN', "b'\\x00'")
    """
    if value is None:
        return "NULL"
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, (str, bytes)) else str(value)
