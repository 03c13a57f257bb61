"""A side that does nothing: the tests of ``benchmarks.side`` call it."""

from __future__ import annotations

from typing import Any


def value(given: Any) -> Any:
    """Return what was given."""
    print("what is printed is no answer")
    return given


def fails(why: str) -> None:
    """Raise."""
    raise ValueError(why)
