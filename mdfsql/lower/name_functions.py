"""Functions that the parser has no node for."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from mdfsql.lower.date_texts import parsed
from mdfsql.lower.exact_aggregates import NAMED_AGGREGATES
from mdfsql.lower.exact_arithmetic import double, number_kind
from mdfsql.lower.exact_dates import NAMED_PARTS, NAMED_UNITS, completed
from mdfsql.lower.exact_lists import NESTED
from mdfsql.lower.exact_math import named_numbers
from mdfsql.lower.format_text import printf_text
from mdfsql.lower.rules import call, cast, each, kind, literal_text, number, of_kind, raised, refuse
from mdfsql.lower.text_encodings import NAMED_ENCODINGS

__all__ = ["name_functions"]


def name_functions(tree: exp.Expr) -> exp.Expr:
    """A function without a node of its own is written under the engine's own name, and refused if there is none."""
    return each(tree, {exp.Anonymous: _named, exp.ToDays: _days})


def _error(node: exp.Anonymous) -> exp.Expr:
    (message,) = node.expressions
    return raised(message if kind(message) == "text" else cast(message, "VARCHAR"))


def _finite(node: exp.Anonymous) -> exp.Expr:
    (value,) = node.expressions
    number_kind(value, "isfinite()")
    value = double(value)
    # NaN equals itself and is the greatest of all, so one comparison on each side excludes NaN and both infinities.
    infinity = cast(exp.Literal.string("Infinity"), "DOUBLE")
    below = exp.LT(this=value.copy(), expression=infinity)
    above = exp.GT(this=value.copy(), expression=cast(exp.Literal.string("-Infinity"), "DOUBLE"))
    return exp.Paren(this=exp.And(this=below, expression=above))


def _part(node: exp.Anonymous) -> exp.Expr:
    unit, value = node.expressions
    name = literal_text(unit)
    if name is None:
        refuse("date_part() with a unit that is no constant", "the unit must be known before it runs")
    return exp.Extract(this=exp.Var(this=name.upper()), expression=value.copy())


def _weekday(node: exp.Anonymous) -> exp.Expr:
    return exp.DayOfWeek(this=node.expressions[0].copy())


def _extracted(name: str) -> Callable[[exp.Anonymous], exp.Expr]:
    return lambda node: exp.Extract(this=exp.Var(this=name.upper()), expression=node.expressions[0].copy())


def _interval(unit: str) -> Callable[[exp.Anonymous], exp.Expr]:
    return lambda node: exp.Interval(this=node.expressions[0].copy(), unit=exp.Var(this=unit))


def _days(node: exp.ToDays) -> exp.Expr:
    return exp.Interval(this=node.this.copy(), unit=exp.Var(this="DAY"))


def _since(node: exp.Anonymous) -> exp.Expr:
    return exp.UnixToTime(this=node.expressions[0].copy(), scale=number(3))


def _kept(node: exp.Anonymous) -> exp.Expr:
    return node


def _text_binary(cls: type[exp.Expr]) -> Callable[[exp.Anonymous], exp.Expr]:
    return lambda node: cls(this=node.expressions[0].copy(), expression=node.expressions[1].copy())


def _bytes(node: exp.Anonymous) -> exp.Expr:
    return call("OCTET_LENGTH", node.expressions[0], type="BIGINT")


def _text_unary(cls: type[exp.Expr]) -> Callable[[exp.Anonymous], exp.Expr]:
    return lambda node: cls(this=node.expressions[0].copy())


def _bits(node: exp.Anonymous) -> exp.Expr:
    (value,) = node.expressions
    of_kind(value, "bin()", "int")
    return call("BIN", cast(value, "BIGINT"), type="VARCHAR")


def _blob_size(node: exp.Anonymous) -> exp.Expr:
    of_kind(node.expressions[0], "octet_length()", "blob", instead="strlen() of text")
    return _bytes(node)


def _rows(node: exp.Anonymous) -> exp.Expr:
    return exp.Count(this=exp.Star(), big_int=True)


NAMES: dict[str, tuple[int | tuple[int, ...], Callable[[exp.Anonymous], exp.Expr | None]]] = {
    "error": (1, _error),
    "octet_length": (1, _blob_size),
    "count_star": (0, _rows),
    # Aggregates stay as they are until queries as values have been looked at.
    **{name: (1, lambda _: None) for name in NAMED_AGGREGATES},
    "isfinite": (1, _finite),
    "date_part": (2, _part),
    "datepart": (2, _part),
    **{name: (1, _extracted(name)) for name in NAMED_PARTS},
    **{name: (1, _interval(unit)) for name, unit in NAMED_UNITS.items()},
    "age": (2, _kept),
    "date_sub": (3, completed),
    "datesub": (3, completed),
    "make_timestamp_ms": (1, _since),
    "try_strptime": (2, lambda node: parsed(*node.expressions, trying=True)),
    "weekday": (1, _weekday),
    "prefix": (2, _text_binary(exp.StartsWith)),
    "suffix": (2, _text_binary(exp.EndsWith)),
    "strlen": (1, _bytes),
    **named_numbers,
    **NAMED_ENCODINGS,
    "ord": (1, _text_unary(exp.Unicode)),
    "base64": (1, _text_unary(exp.ToBase64)),
    "bin": (1, _bits),
    "regexp_split_to_array": (2, _text_binary(exp.RegexpSplit)),
}

# What the moment of the run decides.
MOMENT_OF_RUN = frozenset(["now", "get_current_timestamp", "get_current_time", "transaction_timestamp", "ago"])

# Names of layout hints, which stand where a function may.
HINTS = ("REPARTITION", "COALESCE", "REPARTITION_BY_RANGE")


def _named(node: exp.Anonymous) -> exp.Expr | None:
    if isinstance(node.parent, exp.Hint) and node.name.upper() in HINTS:
        return None
    if node.name in NESTED or node.name == "list_reduce":
        return None
    if node.name.lower() == "printf" and node.expressions:
        return printf_text(node)
    arity, build = NAMES.get(node.name.lower(), (None, None))
    if node.name.lower() in MOMENT_OF_RUN:
        refuse(f"{node.name.lower()}()", "it is another on each run", "a parameter, $now")
    if build is None:
        refuse(f"{node.name.lower()}()", "it is not shown to answer there as DuckDB does")
    if len(node.expressions) not in (arity if isinstance(arity, tuple) else (arity,)):
        refuse(f"{node.name.lower()}() with {len(node.expressions)} arguments", "that form is not shown to agree there")
    return build(node)
