"""The mean of BIGINTs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from mdfsql.lower.collected import count_of
from mdfsql.lower.rules import call, cast, integer

__all__ = ["exact_avg", "is_wide"]


def is_wide(node: Any) -> bool:
    """Tell whether an aggregate is a mean of BIGINTs: Spark adds them up as DOUBLEs, which cancel out near 2^63."""
    if not isinstance(node, exp.Avg):
        return False
    inner = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
    return inner.type is not None and inner.type.this == exp.DType.BIGINT and integer(inner) is None


def exact_avg(node: Any, over: Callable[[exp.Expr], exp.Expr] = lambda made: made) -> exp.Expr:
    """Return the mean as the exact sum by the count, each within ``over``, which may put it into a window."""
    total = exp.Sum(this=node.this.copy())
    inner = total.this.expressions[0] if isinstance(total.this, exp.Distinct) else total.this
    inner.replace(cast(inner, "DECIMAL(38, 0)"))
    total.type = exp.DataType.build("DECIMAL(38, 0)", dialect="duckdb")
    count = cast(over(count_of(node.this)), "DOUBLE")
    return call("TRY_DIVIDE", cast(over(total), "DOUBLE"), count, type="DOUBLE")
