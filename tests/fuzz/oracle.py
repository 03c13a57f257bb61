"""What CPython gives for a row, and whether what SQL gives is that."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

__all__ = ["ERROR", "POISON", "Failure", "Outcome", "judge", "python", "same"]


@dataclass(frozen=True)
class Outcome:
    """What Python gives for a row that is no value."""

    name: str

    def __repr__(self) -> str:
        return self.name


POISON = Outcome("raises because of None")
ERROR = Outcome("raises")


@dataclass(frozen=True)
class Failure:
    """SQL fails on the row; the engine's message where it was asked for."""

    message: str = ""

    def __repr__(self) -> str:
        return f"fails: {self.message}"


# What SQL refuses loudly though Python has an answer. Anything else that fails is a mismatch.
LOUD: dict[str, str] = {
    "past 64 bits": r"overflow|(?<!date value )(?<!index )out of range|CAST_OVERFLOW|can't be cast|beyond 64 bits"
    r"|convert string '[\s+-]*\d{19,}\s*' to INT64|The value '[\s+-]*\d{19,}\s*' .* cannot be cast to \"BIGINT\"",
    "int past 2**53 meets a float": r"beyond 2\*\*53",
    "letters": r"that SQL and Python change differently|engines disagree on a letter",
    "digits": r"beyond what SQL writes exactly",
    "text of a number": r"beyond what SQL reads as Python does",
    "digits of a Decimal": r"beyond what Python's context keeps",
    "years below 1000": r"beyond what all platforms write alike",
    "complex": r"complex, beyond what SQL has",
}


def loud(message: str) -> str | None:
    """Return the kind of a failure that SQL may have where Python has an answer."""
    return next((kind for kind, pattern in LOUD.items() if re.search(pattern, message, re.I)), None)


def python(function: Callable[..., Any], *rows: dict[str, Any]) -> Any:
    """Return what Python gives, with its two ways of giving nothing told apart."""
    try:
        return function(*(dict(r) for r in rows))
    except (TypeError, AttributeError):
        return POISON  # generated programs are well typed but for None
    except (ArithmeticError, ValueError, LookupError):
        return ERROR


def plain(value: Any) -> Any:
    """Return a value as a column holds it: UTC, and no Decimal of -0."""
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.UTC)
    if isinstance(value, Decimal) and not value:
        return abs(value)
    return value


def same(expected: Any, found: Any) -> bool:
    """Return whether two values are of one type, and equal; NaN is NaN, and -0.0 is not 0.0."""
    expected, found = plain(expected), plain(found)
    return type(expected) is type(found) and repr(expected) == repr(found)


def judge(expected: Any, found: Any, dropped: Any, has_none: bool) -> str | None:
    """Return None where a cell is what the policy says, "loud" where SQL alone fails, else "mismatch".

    ``dropped`` is what SQL gives where Python raises because of a None; ``has_none`` tells that what the function
    reads of the row has one: SQL may then meet it before another error.
    """
    if isinstance(found, Failure):
        return None if expected in (ERROR, POISON) else "loud"
    if expected is ERROR:
        return None if has_none and (found is None or found is False) else "mismatch"
    return None if same(dropped if expected is POISON else expected, found) else "mismatch"
