"""What the lifted functions and methods ask of their arguments."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable
from typing import Any

from mdfsql.lift_parts import Thought, wrapped
from mdfsql.lift_values import Refusal, Thing, Value

__all__ = ["const_of", "folding", "is_const", "string_of", "run"]


def string_of(value: Any, what: str) -> Value:
    """Return ``value``, a str; Refusal for anything else."""
    if isinstance(value, Value) and value.kind == "str":
        return value
    raise Refusal(f"{what} must be a str", "convert it with str(x)")


# Nothing of the user's own runs when Python computes with these.
SCALARS = (
    *(type(None), bool, int, float, str, decimal.Decimal),
    *(datetime.date, datetime.datetime, datetime.timedelta, datetime.timezone),
)
CONTAINERS = (tuple, list, set, frozenset, range, dict)


def is_const(value: Any) -> bool:
    """Return whether a value is known when the query is made, and of types whose methods Python itself has."""
    return _plain(value.value) if isinstance(value, Thing) else isinstance(value, Value) and value.is_const


def _plain(value: Any) -> bool:
    if type(value) in CONTAINERS:
        return all(map(_plain, value)) and (type(value) is not dict or all(map(_plain, value.values())))
    return type(value) in SCALARS


def const_of(value: Any, what: str, *types: type) -> Any:
    """Return the Python object that ``value`` is, of one of the types if there are any; Refusal where it is data."""
    if isinstance(value, Thing):
        found = value.value
    elif isinstance(value, Value) and value.is_const:
        found = value.const
    else:
        raise Refusal(f"{what} must be a constant")
    if types and type(found) not in types:
        raise Refusal(f"{what} must be {' or '.join(t.__name__ for t in types)}")
    return found


def run(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Return what Python makes of constants; Refusal where it raises."""
    try:
        return function(*arguments, **keywords)
    except Exception as error:
        raise Refusal(f"Python raises {type(error).__name__} here: {error}") from None


def folding(function: Callable[..., Any], lift: Callable[..., Any] | None) -> Callable[..., Thought]:
    """Let Python itself do what has only constants in it, and ``lift`` the rest."""

    def lifted(*arguments: Any, **keywords: Any) -> Thought:
        if all(map(is_const, (*arguments, *keywords.values()))):
            plain = [const_of(a, "") for a in arguments]
            return wrapped(run(function, *plain, **{k: const_of(v, "") for k, v in keywords.items()}))
        if lift is None:
            raise Refusal(f"{function.__name__}() is lifted for constants only")
        return applied(function.__name__, lift, arguments, keywords)

    return lifted


def applied(name: str, lift: Callable[..., Any], arguments: Any, keywords: Any) -> Any:
    """Call ``lift``; Refusal where it does not take these arguments."""
    try:
        return lift(*arguments, **keywords)
    except TypeError as error:
        if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
            raise
        given = f"{len(arguments)} arguments" if not keywords else f"the argument {', '.join(keywords)}"
        raise Refusal(f"{name}() is not lifted with {given}") from None
