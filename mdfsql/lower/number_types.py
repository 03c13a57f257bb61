"""The type that numbers have together, as the reference gives it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from mdfsql.lower.rules import integer, kind, literal_text, refuse
from mdfsql.schema import value_type

__all__ = ["LEAST", "check_digits", "common_number", "counted", "digits", "product_of", "settled", "sum_of"]

T = exp.DataType.Type

# From the narrowest to the widest: what two numbers become together.
WIDTHS = [T.TINYINT, T.SMALLINT, T.INT, T.BIGINT, T.INT128, T.DECIMAL, T.FLOAT, T.DOUBLE]
# The smallest value of each integer type, and its decimal digits.
LEAST = {T.TINYINT: -(2**7), T.SMALLINT: -(2**15), T.INT: -(2**31), T.BIGINT: -(2**63)}
DIGITS = {T.TINYINT: 3, T.SMALLINT: 5, T.INT: 10, T.BIGINT: 19, T.INT128: 38}
MOST = 38  # digits of a DECIMAL
HELD = 18  # digits of a DECIMAL that 64 bits hold


def counted(precision: int, scale: int) -> exp.DataType:
    """Return DECIMAL(precision, scale), with no more digits than there may be."""
    return value_type(f"DECIMAL({min(precision, MOST)},{scale})")


def digits(dtype: exp.DataType) -> tuple[int, int]:
    """Return the precision and the scale of a decimal, or of an integer as one."""
    if dtype.this != T.DECIMAL:
        return DIGITS[dtype.this], 0
    given = [int(p.name) for p in dtype.expressions] or [18, 3]
    return given[0], given[1] if len(given) > 1 else 0


def common_number(left: exp.DataType, right: exp.DataType) -> exp.DataType | None:
    """Return the type of two numbers together; None where one is no number."""
    if left.this not in WIDTHS or right.this not in WIDTHS:
        return None
    wider = max(left, right, key=lambda t: WIDTHS.index(t.this))
    if wider.this != T.DECIMAL:
        return wider
    whole, scale = _parts(left, right)
    return counted(whole + scale, min(scale, MOST - whole))


def check_digits(nodes: Sequence[exp.Expr], what: str) -> None:
    """Refuse numbers that together have fewer digits after the point than one of them: a DECIMAL has 38 at most."""
    known = [node.type for node in nodes if node.type is not None]
    known = [dtype for dtype in known if dtype.this == T.DECIMAL or dtype.this in DIGITS]
    if not any(dtype.this == T.DECIMAL for dtype in known):
        return
    whole, scale = (max(parts) for parts in zip(*((p - s, s) for p, s in map(digits, known)), strict=True))
    if whole + scale > MOST:
        refuse(f"{what} of DECIMALs that need more than 38 digits together", "engines round them differently", "CAST")


def _parts(left: exp.DataType, right: exp.DataType) -> tuple[int, int]:
    """Return the most digits before and after the point."""
    (p1, s1), (p2, s2) = digits(left), digits(right)
    return max(p1 - s1, p2 - s2), max(s1, s2)


def sum_of(left: exp.DataType, right: exp.DataType) -> exp.DataType:
    """Return the type of a sum or difference of decimals."""
    whole, scale = _parts(left, right)
    return counted(whole + scale + 1, scale)


def rest_of(left: exp.DataType, right: exp.DataType) -> exp.DataType:
    """Return the type of the remainder of decimals."""
    whole, scale = _parts(left, right)
    return counted(whole + scale, scale) if whole + scale <= MOST else exp.DataType.build("DOUBLE")


def product_of(left: exp.DataType, right: exp.DataType) -> exp.DataType | None:
    """Return the type of a product of decimals: where 64 bits hold both and the scale, they hold it, or it raises."""
    (p1, s1), (p2, s2) = digits(left), digits(right)
    precision, scale = p1 + p2, s1 + s2
    if scale > MOST:
        return None
    return counted(HELD if max(p1, p2) <= HELD < precision and scale < HELD else precision, scale)


OF_DECIMALS = {exp.Add: sum_of, exp.Sub: sum_of, exp.Mul: product_of, exp.Mod: rest_of}


def settled(nodes: Sequence[Any]) -> list[exp.DataType | None]:
    """Return the types of nodes that meet: a written integer or text takes the type of the others."""
    types = [node.type for node in nodes]
    others = [t for t in types if t is not None and kind(t) not in ("text", "null")]
    if others:
        types = [others[0] if literal_text(n) is not None else t for n, t in zip(nodes, types, strict=True)]
    wholes = [t for node, t in zip(nodes, types, strict=True) if integer(node) is None and kind(t) == "int"]
    if not wholes or any(t.this not in WIDTHS for t in wholes):
        return types
    widest = max(wholes, key=lambda t: WIDTHS.index(t.this))
    least = LEAST.get(widest.this)
    return [
        widest if (value := integer(node)) is not None and least is not None and least <= value < -least else t
        for node, t in zip(nodes, types, strict=True)
    ]
