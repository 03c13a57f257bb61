"""Expressions for those who prefer them to lambdas: columns, literals, operators, aggregates and window functions.

They mean what SQL means in the reference: comparing with NULL gives NULL. Row functions, which mean what Python
means, are lifted elsewhere.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from sqlglot import exp

from mdfsql.errors import QueryError
from mdfsql.literals import literal
from mdfsql.reading import read_text
from mdfsql.schema import data_type, wanted_type

Operand: TypeAlias = "str | Expr | Callable[..., Any]"
"""A column's name, an expression, or a row function."""


class Expr:
    """An expression over the columns of a dataset; made by ``col``, ``lit``, ``expr`` and the functions here.

    >>> (col("price") * 2 > 10).sql()
    '("price" * 2) > 10'
    """

    __slots__ = ("node",)
    __hash__ = object.__hash__

    def __init__(self, node: exp.Expr) -> None:
        self.node = node

    def sql(self, dialect: str = "duckdb") -> str:
        """Return the expression as SQL text."""
        return self.node.sql(dialect)

    def __repr__(self) -> str:
        return f"<Expr {self.sql()}>"

    def __bool__(self) -> bool:
        raise TypeError("an expression has no truth value: use & | ~ in place of and, or, not")

    def _binary(self, cls: type[exp.Expr], other: Any, *, swap: bool = False) -> Expr:
        left, right = (value(other), self.node.copy()) if swap else (self.node.copy(), value(other))
        return Expr(cls(this=_wrap(left), expression=_wrap(right)))

    def __add__(self, other: Any) -> Expr:
        return self._binary(exp.Add, other)

    def __radd__(self, other: Any) -> Expr:
        return self._binary(exp.Add, other, swap=True)

    def __sub__(self, other: Any) -> Expr:
        return self._binary(exp.Sub, other)

    def __rsub__(self, other: Any) -> Expr:
        return self._binary(exp.Sub, other, swap=True)

    def __mul__(self, other: Any) -> Expr:
        return self._binary(exp.Mul, other)

    def __rmul__(self, other: Any) -> Expr:
        return self._binary(exp.Mul, other, swap=True)

    def __truediv__(self, other: Any) -> Expr:
        return self._binary(exp.Div, other)

    def __rtruediv__(self, other: Any) -> Expr:
        return self._binary(exp.Div, other, swap=True)

    def __mod__(self, other: Any) -> Expr:
        return self._binary(exp.Mod, other)

    def __rmod__(self, other: Any) -> Expr:
        return self._binary(exp.Mod, other, swap=True)

    def __eq__(self, other: object) -> Expr:  # type: ignore[override]
        return self._binary(exp.EQ, other)

    def __ne__(self, other: object) -> Expr:  # type: ignore[override]
        return self._binary(exp.NEQ, other)

    def __lt__(self, other: Any) -> Expr:
        return self._binary(exp.LT, other)

    def __le__(self, other: Any) -> Expr:
        return self._binary(exp.LTE, other)

    def __gt__(self, other: Any) -> Expr:
        return self._binary(exp.GT, other)

    def __ge__(self, other: Any) -> Expr:
        return self._binary(exp.GTE, other)

    def __and__(self, other: Any) -> Expr:
        return self._binary(exp.And, other)

    def __or__(self, other: Any) -> Expr:
        return self._binary(exp.Or, other)

    def __invert__(self) -> Expr:
        return Expr(exp.Not(this=_wrap(self.node.copy())))

    def __neg__(self) -> Expr:
        return Expr(exp.Neg(this=_wrap(self.node.copy())))

    def alias(self, name: str) -> Expr:
        """Give the expression an output name."""
        return Expr(exp.alias_(self.node.copy(), exp.to_identifier(name, quoted=True)))

    def cast(self, type_: str | type) -> Expr:
        """Cast to an SQL type; a value that does not fit raises when it runs."""
        return Expr(exp.Cast(this=self.node.copy(), to=data_type(wanted_type(type_))))

    def is_null(self) -> Expr:
        """Tell whether the value is NULL."""
        return Expr(exp.Is(this=_wrap(self.node.copy()), expression=exp.Null()))

    def is_not_null(self) -> Expr:
        """Tell whether the value is not NULL."""
        return ~self.is_null()

    def is_in(self, values: Sequence[Any]) -> Expr:
        """Tell whether the value is one of ``values``, with SQL's rules for NULL.

        >>> col("c").is_in(["a", "b"]).sql()
        '"c" IN (\\'a\\', \\'b\\')'
        """
        return Expr(exp.In(this=_wrap(self.node.copy()), expressions=[value(v) for v in values]))

    def between(self, low: Any, high: Any) -> Expr:
        """Tell whether the value is at least ``low`` and at most ``high``."""
        return Expr(exp.Between(this=_wrap(self.node.copy()), low=value(low), high=value(high)))

    def like(self, pattern: str) -> Expr:
        """Match an SQL LIKE pattern."""
        return self._binary(exp.Like, pattern)

    def asc(self, *, nulls_first: bool = False) -> Expr:
        """Order upwards, for ``order_by`` and windows."""
        return Expr(exp.Ordered(this=self.node.copy(), desc=False, nulls_first=nulls_first))

    def desc(self, *, nulls_first: bool = False) -> Expr:
        """Order downwards, for ``order_by`` and windows."""
        return Expr(exp.Ordered(this=self.node.copy(), desc=True, nulls_first=nulls_first))

    def filter(self, predicate: Operand) -> Expr:
        """Let an aggregate see only the rows for which the predicate is true."""
        return Expr(exp.Filter(this=self.node.copy(), expression=exp.Where(this=operand(predicate))))

    def over(
        self,
        *,
        partition_by: Operand | Sequence[Operand] = (),
        order_by: Operand | Sequence[Operand] = (),
        rows: tuple[int | None, int | None] | None = None,
    ) -> Expr:
        """Compute over a window; ``rows=(-2, 0)`` is a frame from two rows before to this one, None is unbounded.

        >>> row_number().over(partition_by="k", order_by=col("v").desc()).sql()
        'ROW_NUMBER() OVER (PARTITION BY "k" ORDER BY "v" DESC)'
        """
        keys = [ordered(key) for key in several(order_by)]
        window = exp.Window(
            this=self.node.copy(),
            partition_by=[operand(key) for key in several(partition_by)],
            order=exp.Order(expressions=keys) if keys else None,
            over="OVER",
        )
        if rows is not None:
            start, start_side = _bound(rows[0], "PRECEDING")
            end, end_side = _bound(rows[1], "FOLLOWING")
            spec = exp.WindowSpec(kind="ROWS", start=start, start_side=start_side, end=end, end_side=end_side)
            window.set("spec", spec)
        return Expr(window)


def _bound(offset: int | None, unbounded: str) -> tuple[str | exp.Expr, str | None]:
    if offset is None:
        return "UNBOUNDED", unbounded
    if offset == 0:
        return "CURRENT ROW", None
    return exp.Literal.number(abs(offset)), "PRECEDING" if offset < 0 else "FOLLOWING"


def _wrap(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node) if isinstance(node, (exp.Binary, exp.Not, exp.Between, exp.In)) else node


def several(given: Operand | Sequence[Operand]) -> Sequence[Operand]:
    """Return one operand or a sequence of them as a sequence."""
    return given if isinstance(given, (builtins.list, tuple)) else (given,)


def value(given: Any) -> exp.Expr:
    """Return an expression's node, or a Python value as a literal."""
    return given.node.copy() if isinstance(given, Expr) else literal(given)


# Under this key a placeholder keeps the row function that is lifted once the schema is known.
FUNCTION = "mdf_function"


def operand(given: Operand) -> exp.Expr:
    """Return the node of a column's name, an expression, or a row function (as a placeholder until it is lifted)."""
    if isinstance(given, str):
        return exp.Column(this=exp.Identifier(this=given, quoted=True))
    if isinstance(given, Expr):
        return given.node.copy()
    if callable(given):
        placeholder = exp.Placeholder(this="lambda")
        placeholder.meta[FUNCTION] = given
        return placeholder
    raise TypeError(f"expected a column name, an expression or a function, not {type(given).__name__}: {given!r:.60}")


def holds_function(given: Any) -> bool:
    """Tell whether an argument is a row function, or an expression with one in it."""
    if isinstance(given, Expr):
        return any(FUNCTION in node.meta for node in given.node.find_all(exp.Placeholder))
    return callable(given)


def ordered(given: Operand) -> exp.Ordered:
    """Return an ordering key; ascending with NULLs last unless it says otherwise, as in the reference."""
    node = operand(given)
    return node if isinstance(node, exp.Ordered) else exp.Ordered(this=node, desc=False, nulls_first=False)


def parse_expression(text: str) -> exp.Expr:
    """Return SQL text in the reference dialect as a node; QueryError with a caret where it does not read."""
    nodes = read_text(text, "duckdb")
    if len(nodes) != 1:
        raise QueryError(f"one expression is wanted here, not {len(nodes)}", sql=text)
    node = nodes[0]
    if isinstance(node, (exp.Query, exp.DDL, exp.DML, exp.Command)):
        raise QueryError("an expression is wanted here, not a statement", sql=text)
    return node


# ---- the names that people call ----------------------------------------------------------------------------------


def col(name: str) -> Expr:
    """Return a column by its name."""
    return Expr(operand(name))


def lit(value: Any) -> Expr:
    """Return a Python value as an expression."""
    return Expr(literal(value))


def expr(sql: str) -> Expr:
    """Return an expression written as SQL in the reference dialect.

    >>> expr("a % 2 = 0").sql()
    'a % 2 = 0'
    """
    return Expr(parse_expression(sql))


def desc(key: Operand, *, nulls_first: bool = False) -> Expr:
    """Order downwards by a column or an expression."""
    return Expr(operand(key)).desc(nulls_first=nulls_first)


def asc(key: Operand, *, nulls_first: bool = False) -> Expr:
    """Order upwards by a column or an expression."""
    return Expr(operand(key)).asc(nulls_first=nulls_first)


def coalesce(*operands: Operand) -> Expr:
    """Return the first operand that is not NULL."""
    first, *rest = (operand(o) for o in operands)
    return Expr(exp.Coalesce(this=first, expressions=rest))


def when(condition: Expr, then: Any, otherwise: Any = None) -> Expr:
    """Return ``then`` where the condition is true, else ``otherwise``.

    >>> when(col("v") > 3, "big", "small").sql()
    'CASE WHEN "v" > 3 THEN \\'big\\' ELSE \\'small\\' END'
    """
    branch = exp.If(this=operand(condition), true=value(then))
    return Expr(exp.Case(ifs=[branch], default=value(otherwise)))


def count(operand_: Operand | None = None) -> Expr:
    """Count rows, or the rows in which the operand is not NULL."""
    return Expr(exp.Count(this=exp.Star() if operand_ is None else operand(operand_), big_int=True))


def count_distinct(operand_: Operand) -> Expr:
    """Count the distinct values that are not NULL."""
    return Expr(exp.Count(this=exp.Distinct(expressions=[operand(operand_)]), big_int=True))


def sum(operand_: Operand) -> Expr:
    """Sum; BIGINT for integers (overflow raises), NULL for no values."""
    return Expr(exp.Sum(this=operand(operand_)))


def avg(operand_: Operand) -> Expr:
    """Mean as DOUBLE, NULL for no values."""
    return Expr(exp.Avg(this=operand(operand_)))


def min(operand_: Operand) -> Expr:
    """Smallest value; NaN is greater than any number."""
    return Expr(exp.Min(this=operand(operand_)))


def max(operand_: Operand) -> Expr:
    """Greatest value; NaN is greater than any number."""
    return Expr(exp.Max(this=operand(operand_)))


def stddev(operand_: Operand) -> Expr:
    """Sample standard deviation, NULL for fewer than two values."""
    return Expr(exp.Stddev(this=operand(operand_)))


def var(operand_: Operand) -> Expr:
    """Sample variance, NULL for fewer than two values."""
    return Expr(exp.Variance(this=operand(operand_)))


def median(operand_: Operand) -> Expr:
    """Median, interpolated between the two middle values."""
    return Expr(exp.Median(this=operand(operand_)))


def quantile(operand_: Operand, fraction: float) -> Expr:
    """Quantile, interpolated as by ``quantile_cont``; ``fraction`` is from 0 to 1."""
    if not 0 <= fraction <= 1:
        raise ValueError(f"a quantile's fraction is from 0 to 1, not {fraction}")
    return Expr(exp.PercentileCont(this=operand(operand_), expression=exp.Literal.number(repr(float(fraction)))))


def list(operand_: Operand, *, order_by: Operand | Sequence[Operand] = ()) -> Expr:
    """Collect the values into a list, NULLs too; without ``order_by`` their order is not defined."""
    return Expr(exp.ArrayAgg(this=_with_order(operand(operand_), order_by)))


def string_agg(operand_: Operand, separator: str = ",", *, order_by: Operand | Sequence[Operand] = ()) -> Expr:
    """Join the strings that are not NULL; without ``order_by`` their order is not defined."""
    node = _with_order(operand(operand_), order_by)
    return Expr(exp.GroupConcat(this=node, separator=exp.Literal.string(separator)))


def _with_order(node: exp.Expr, order_by: Operand | Sequence[Operand]) -> exp.Expr:
    keys = [ordered(key) for key in several(order_by)]
    return exp.Order(this=node, expressions=keys) if keys else node


def arg_min(operand_: Operand, by: Operand) -> Expr:
    """Value of ``operand_`` in the row where ``by`` is smallest."""
    return Expr(exp.ArgMin(this=operand(operand_), expression=operand(by)))


def arg_max(operand_: Operand, by: Operand) -> Expr:
    """Value of ``operand_`` in the row where ``by`` is greatest."""
    return Expr(exp.ArgMax(this=operand(operand_), expression=operand(by)))


def row_number() -> Expr:
    """Number of the row in its window, from 1."""
    return Expr(exp.RowNumber())


def rank() -> Expr:
    """Rank of the row in its window, with gaps after ties."""
    return Expr(exp.Rank())


def dense_rank() -> Expr:
    """Rank of the row in its window, without gaps."""
    return Expr(exp.DenseRank())


def percent_rank() -> Expr:
    """Relative rank of the row in its window, from 0 to 1."""
    return Expr(exp.PercentRank())


def ntile(buckets: int) -> Expr:
    """Number of the bucket that the row falls in, from 1."""
    return Expr(exp.Ntile(this=exp.Literal.number(buckets)))


def lag(operand_: Operand, offset: int = 1, default: Any = None) -> Expr:
    """Value some rows before this one in its window."""
    return Expr(_shift(exp.Lag, operand_, offset, default))


def lead(operand_: Operand, offset: int = 1, default: Any = None) -> Expr:
    """Value some rows after this one in its window."""
    return Expr(_shift(exp.Lead, operand_, offset, default))


def _shift(cls: type[exp.Expr], operand_: Operand, offset: int, default: Any) -> exp.Expr:
    args: dict[str, Any] = {"this": operand(operand_), "offset": literal(offset)}
    if default is not None:
        args["default"] = value(default)
    return cls(**args)


def first_value(operand_: Operand) -> Expr:
    """First value of the window's frame."""
    return Expr(exp.FirstValue(this=operand(operand_)))


def last_value(operand_: Operand) -> Expr:
    """Last value of the window's frame."""
    return Expr(exp.LastValue(this=operand(operand_)))


__all__ = [
    "Expr",
    "Operand",
    "arg_max",
    "arg_min",
    "asc",
    "avg",
    "coalesce",
    "col",
    "count",
    "count_distinct",
    "dense_rank",
    "desc",
    "expr",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "list",
    "lit",
    "max",
    "median",
    "min",
    "ntile",
    "percent_rank",
    "quantile",
    "rank",
    "row_number",
    "stddev",
    "string_agg",
    "sum",
    "var",
    "when",
]
