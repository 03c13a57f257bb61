"""What a call means: tables of signatures, each with the type of the answer and its form in the reference's dialect."""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import sqlglot
from sqlglot import exp

__all__ = [
    "ANY",
    "Call",
    "Dialect",
    "Refused",
    "Rule",
    "build",
    "construct_name",
    "kind",
    "literal",
    "meanings",
    "same_kind",
    "wider",
]

T = exp.DataType.Type

KINDS: dict[Any, str] = {
    T.BOOLEAN: "bool",
    **dict.fromkeys((T.TINYINT, T.SMALLINT, T.INT, T.BIGINT, T.INT128, T.UTINYINT, T.USMALLINT, T.UINT), "int"),
    T.DECIMAL: "decimal",
    **dict.fromkeys((T.FLOAT, T.DOUBLE), "real"),
    **dict.fromkeys((T.TEXT, T.VARCHAR), "text"),
    T.DATE: "date",
    **dict.fromkeys((T.TIMESTAMP, T.TIMESTAMPNTZ, T.DATETIME, T.DATETIME2), "timestamp"),
    **dict.fromkeys((T.TIMESTAMPTZ, T.TIMESTAMPLTZ), "instant"),
    T.INTERVAL: "interval",
    T.TIME: "time",
    **dict.fromkeys((T.VARBINARY, T.BLOB, T.BINARY), "blob"),
    T.MAP: "map",
    **dict.fromkeys((T.LIST, T.ARRAY), "list"),
    T.STRUCT: "struct",
    T.NULL: "null",
}

# What one word of a signature stands for.
FAMILIES: dict[str, frozenset[str]] = {
    "number": frozenset({"int", "decimal", "real"}),
    "exact": frozenset({"int", "decimal"}),
    "moment": frozenset({"timestamp", "instant"}),
    "day": frozenset({"date", "timestamp", "instant"}),
}
ANY = frozenset(KINDS.values())
WIDTHS = [T.TINYINT, T.SMALLINT, T.INT, T.BIGINT, T.DECIMAL, T.FLOAT, T.DOUBLE]


class Refused(Exception):
    """A construct whose meaning is not shown to be that of any form in the reference's dialect."""

    def __init__(self, node: exp.Expr, why: str, construct: str | None = None) -> None:
        self.node, self.why, self.construct = node, why, construct
        super().__init__(why)


@functools.cache
def _built(text: str) -> exp.DataType:
    return exp.DataType.build(text, dialect="duckdb")


def build(text: str) -> exp.DataType:
    """Return a type of the reference's as a fresh node."""
    return _built(text).copy()


def kind(node: Any) -> str:
    """Return the kind of a node's value, or "unknown"."""
    dtype = node if isinstance(node, exp.DataType) else getattr(node, "type", None)
    return KINDS.get(dtype.this, "unknown") if dtype is not None else "unknown"


def literal(node: Any) -> str | None:
    """Return the value of a text literal, or None."""
    node = node.unnest() if isinstance(node, exp.Paren) else node
    return str(node.this) if isinstance(node, exp.Literal) and node.is_string else None


def digits(dtype: exp.DataType) -> tuple[int, int]:
    """Return how many digits a number has before and after the point."""
    if kind(dtype) == "decimal":
        numbers = [int(p.name) for p in dtype.expressions] or [18, 3]
        scale = numbers[1] if len(numbers) > 1 else 0
        return numbers[0] - scale, scale
    return {T.TINYINT: 3, T.SMALLINT: 5, T.INT: 10}.get(dtype.this, 19), 0


def wider(types: Iterable[exp.DataType | None]) -> exp.DataType | None:
    """Return the type that values of these types have together; None where it is not known or not the same to all.

    >>> wider([build("INTEGER"), build("DECIMAL(5,2)")]).sql("duckdb")
    'DECIMAL(12, 2)'
    """
    made: exp.DataType | None = None
    for dtype in types:
        if dtype is None:
            return None
        if kind(dtype) == "null":
            continue
        if made is None or made == dtype:
            made = dtype
        elif made.this in WIDTHS and dtype.this in WIDTHS:
            if T.FLOAT in (made.this, dtype.this) and T.DOUBLE not in (made.this, dtype.this):
                return None  # FLOAT in some dialects, DOUBLE in others
            if "decimal" in (kind(made), kind(dtype)) and "real" not in (kind(made), kind(dtype)):
                (a, b), (c, d) = digits(made), digits(dtype)
                made = build(f"DECIMAL({min(max(a, c) + max(b, d), 38)},{max(b, d)})")
            else:
                made = max(made, dtype, key=lambda t: WIDTHS.index(t.this))
        elif kind(made) == kind(dtype) == "list":
            item = wider([made.expressions[0], dtype.expressions[0]])
            if item is None:
                return None
            made = exp.DataType(this=T.LIST, expressions=[item.copy()], nested=True)
        elif kind(made) == kind(dtype) in ("text", "timestamp", "instant"):
            continue
        elif {kind(made), kind(dtype)} <= FAMILIES["day"]:
            made = build("TIMESTAMPTZ" if "instant" in (kind(made), kind(dtype)) else "TIMESTAMP")
        else:
            return None
    return made or exp.DataType(this=T.NULL)


def same_kind(nodes: Sequence[exp.Expr]) -> bool:
    """Tell whether values can be compared, or be in one column, by the same rules everywhere."""
    return wider([node.type if kind(node) != "unknown" else None for node in nodes]) is not None


@dataclass(frozen=True)
class Meaning:
    """A signature, the type of its answer, and its form: None where the reference writes it the same."""

    name: str
    specs: tuple[str, ...]
    more: bool
    result: str
    form: str | None


@dataclass(frozen=True)
class Call:
    """A call as a rule sees it: its node, its name, and its arguments, which are read already."""

    node: exp.Expr
    name: str
    arguments: list[exp.Expr]

    def refuse(self, why: str) -> NoReturn:
        raise Refused(self.node, why, construct=shown(self.name))


Rule = Callable[[Call], "exp.Expr | None"]
"""What a call means; None leaves it to the table."""


@dataclass(frozen=True)
class Dialect:
    """A dialect that is read: its tables of meanings, rules in code for what a line cannot say, and what is refused."""

    name: str
    table: Mapping[str, Sequence[Meaning]]
    rules: Mapping[str, Rule] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    # How text compares: "binary" as in the reference; "collated" where the order depends on a collation that the text
    # does not name; "folded" where equality does too.
    sorts: str = "binary"
    collations: frozenset[str] = frozenset()
    # Whether NaN equals itself, and whether it is less than all numbers.
    nan_equal: bool = True
    nan_first: bool = False
    # Whether lists and structs with NULL in them are equal as in the reference, and rows are such values too.
    nested_equal: bool = False
    rows_are_structs: bool = False
    # Whether NULL IN (SELECT ...), as a value, is FALSE.
    in_forgets_null: bool = False
    # The clauses, besides ORDER BY, that see the names of outputs; "place" if GROUP BY takes places.
    aliases: frozenset[str] = frozenset({"group", "place"})
    # What the column of a function of rows is called, if not as its alias.
    column_of_rows: str = ""
    # DECIMAL where no digits are named; None if it keeps all.
    decimal: tuple[int, int] | None = None
    # How many digits of a second a moment keeps.
    of_seconds: int = 6
    # Whether what the parser takes for bytes is text with escapes.
    bytes_are_text: bool = False
    # What units of time are called besides their names.
    units: Mapping[str, str] = field(default_factory=dict)
    # Whether a number that is not zero is true.
    numbers_are_true: bool = False
    # Whether text that is no plain whole number raises where it is cast to one.
    digits_only: bool = False
    # The aggregates that may leave out NULL.
    without_nulls: frozenset[str] = frozenset()
    # From which number the places of the items of a list are counted, as rows.
    place_of_rows: int = 1
    # What stands between a day and a time of day.
    between: str = " T"


LINE = re.compile(r"(\S+?)\((.*?)\) (\S+)(?: = (.*))?")


def meanings(*tables: str) -> dict[str, list[Meaning]]:
    """Return tables of lines ``name(kind, ...) type = form`` by name; those of an earlier table are tried first.

    What is indented goes on with the line before.
    """
    found: dict[str, list[Meaning]] = {}
    for line in re.sub(r"\n +", " ", "\n".join(tables)).splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        read = LINE.fullmatch(line.strip())
        assert read is not None, line
        names, specs, result, form = read.groups()
        words = tuple(word.strip() for word in specs.split(",")) if specs else ()
        more = bool(words) and words[-1].endswith("...")
        for name in names.split("/") if names != "/" else ["/"]:
            made = Meaning(name, tuple(w.removesuffix("...") for w in words), more, result, form)
            found.setdefault(name, []).append(made)
    return found


def fits(meaning: Meaning, arguments: Sequence[exp.Expr]) -> bool:
    """Tell whether a call's arguments are those of a signature."""
    specs = list(meaning.specs)
    if meaning.more:
        specs += [specs[-1]] * (len(arguments) - len(specs))
    if len(specs) != len(arguments):
        return False
    alike: list[exp.Expr] = []
    for spec, argument in zip(specs, arguments, strict=True):
        if spec in ("*", "lambda"):
            if not isinstance(argument, exp.Star if spec == "*" else exp.Lambda):
                return False
            continue
        word = spec.removesuffix("!")
        inner = unwrapped(argument)
        if spec.endswith("!") and not isinstance(inner, exp.Literal):
            return False
        if word == "single":
            if inner.type is None or inner.type.this != T.FLOAT:
                return False
        elif word == "long":
            if inner.type is None or inner.type.this not in (T.BIGINT, T.INT128):
                return False
        elif word == "same":
            alike.append(inner)
        elif kind(inner) != "null" and kind(inner) not in FAMILIES.get(word, ANY if word == "any" else {word}):
            return False
    return not alike or same_kind(alike)


def unwrapped(node: exp.Expr) -> exp.Expr:
    while isinstance(node, (exp.Distinct, exp.Order)):
        node = node.expressions[0] if isinstance(node, exp.Distinct) else node.this
    return node


def result_type(meaning: Meaning, arguments: Sequence[exp.Expr], to: exp.DataType | None) -> exp.DataType | None:
    """Return the type of a call's answer."""
    inner = [unwrapped(a) for a in arguments]
    word = meaning.result
    if word == "$to":
        return to
    if word == "wider":
        same = "same" in meaning.specs
        specs = list(meaning.specs) + [meaning.specs[-1]] * (len(inner) - len(meaning.specs))
        return wider([a.type for a, spec in zip(inner, specs, strict=True) if not same or spec == "same"])
    if word in ("sum", "product", "total"):
        return arithmetic(word, [a.type for a in inner if a.type is not None])
    if found := re.fullmatch(r"(\[?)\$(\d)(\]?)", word):
        dtype = inner[int(found.group(2)) - 1].type
        if found.group(1):
            return exp.DataType(this=T.LIST, expressions=[dtype.copy()], nested=True) if dtype else None
        return dtype
    if found := re.fullmatch(r"item\$(\d)", word):
        dtype = inner[int(found.group(1)) - 1].type
        return dtype.expressions[0] if dtype is not None and dtype.expressions else None
    return build(word)


MOST_DIGITS = 38
# Up to this scale every dialect keeps all digits of a decimal, and raises where there are too many before the point.
SAFE_SCALE = 6


def arithmetic(word: str, types: Sequence[exp.DataType]) -> exp.DataType | None:
    """Return the type of a sum or product; None where decimals would lose digits in some dialect."""
    made = wider(types)
    if made is None or kind(made) != "decimal":
        return made
    before, after = zip(*(digits(t) for t in types if kind(t) != "null"), strict=True)
    if word == "total":
        return build(f"DECIMAL({MOST_DIGITS},{max(after)})")
    scale = sum(after) if word == "product" else max(after)
    width = (sum(before) if word == "product" else max(before)) + scale + 1
    return build(f"DECIMAL({min(width, MOST_DIGITS)},{scale})") if scale <= SAFE_SCALE or width <= MOST_DIGITS else None


CONSTANTS = {
    "bool": r"true|false",
    "int": r"[+-]?\d{1,18}",
    "decimal": r"[+-]?\d{1,20}(\.\d{1,10})?",
    "real": r"[+-]?\d{1,17}(\.\d{1,17})?([eE][+-]?\d{1,2})?",
    "date": r"\d{4}-\d{2}-\d{2}",
    "timestamp": r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}:\d{2}(\.\d{1,6})?)?",
    "instant": r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}:\d{2}(\.\d{1,6})?( ?(Z|UTC|[+-]\d{2}(:?\d{2})?))?)?",
}
# How a line that reads text tells what is written plainly.
PLAIN = re.compile(r"regexp_full_match\(\$1, '([^']*)'\)")


def is_constant(dialect: Dialect, call: Call, to: exp.DataType) -> bool:
    """Tell whether a text literal is one value of a type in every dialect that reads it."""
    text = literal(call.arguments[0]) or ""
    plain = re.fullmatch(CONSTANTS[kind(to)], text) is not None
    if kind(to) in ("timestamp", "instant"):
        plain = plain and text[10:11] in dialect.between
    if plain and kind(to) == "decimal" and to.expressions:
        plain = len(text.partition(".")[2]) <= digits(to)[1]
    if plain and kind(to) == "instant" and (moved := _in_utc(text)) != text:
        constant = exp.Literal.string(moved)
        constant.type = build("VARCHAR")
        call.arguments[0].replace(constant)
    return plain


def _in_utc(text: str) -> str:
    """Return a moment that may have an offset from UTC without it."""
    found = re.fullmatch(r"(.{10})[ T](.*?) ?(Z|UTC|[+-]\d\d:?\d*)?", text)
    if found is None or found.group(3) is None:
        return text.replace("T", " ")
    day, time, zone = found.groups()
    hours, minutes = (int(zone[1:3]), int(zone[3:].strip(":") or 0)) if zone[0] in "+-" else (0, 0)
    offset = datetime.timedelta(hours=hours, minutes=minutes)
    try:
        moment = datetime.datetime.fromisoformat(f"{day} {time}")
    except ValueError:
        return text
    return str(moment + offset if zone[0] == "-" else moment - offset)


def may_be(dialect: Dialect, name: str, meaning: Meaning, value: exp.Expr) -> bool:
    """Tell whether a value may be text that a line reads: of a constant it is known before anything runs."""
    text, plain = literal(value), PLAIN.search(meaning.form or "")
    if text is None or plain is None or (name == "cast:int" and dialect.digits_only):
        return True
    return re.fullmatch(plain.group(1), text) is not None


@functools.cache
def template(form: str) -> exp.Expr:
    # A type that no form has a use for stands for the type of the cast.
    made = sqlglot.parse_one(re.sub(r"\$(\d)", r"_arg\1", form.replace("$to", "BIT")), read="duckdb")
    # Where a constant stands in brackets, the parser and the writer count from places of their own.
    assert not made.find(exp.Bracket), form
    return made


def written(form: str, arguments: Sequence[exp.Expr], to: exp.DataType | None = None) -> exp.Expr:
    """Return a form with copies of the arguments in their places."""
    made = exp.Paren(this=template(form).copy())
    for node in list(made.walk()):
        node.meta["read"] = True
    for node in list(made.walk()):
        if isinstance(node, exp.Column) and node.name.startswith("_arg"):
            argument = arguments[int(node.name[-1]) - 1].copy()
            operator = isinstance(argument, (exp.Binary, exp.Unary, exp.Not, exp.Predicate, exp.Interval))
            node.replace(exp.Paren(this=argument) if operator else argument)
        elif isinstance(node, exp.DataType) and node.this == T.BIT and to is not None:
            node.replace(to.copy())
    return made if isinstance(made.this, (exp.Binary, exp.Unary, exp.Predicate)) else made.this


def construct_name(node: exp.Expr) -> str:
    """Return what a reader calls a node."""
    return shown(str(node.this).partition(":")[2]) if isinstance(node, exp.Anonymous) else node.key.upper()


def shown(name: str) -> str:
    """Return what a reader calls an operator or a function."""
    if name.startswith(("cast:", "try_cast:")):
        how, _, to = name.partition(":")
        return f"{how.upper()} AS {to.upper()}"
    return f"{name}()" if re.fullmatch(r"\w+", name) and name not in WORDS else name.upper()


WORDS = {"like", "ilike", "is", "not", "and", "div", "in", "between", "case"}


def meaning_of(dialect: Dialect, call: Call, to: exp.DataType | None = None) -> exp.Expr:
    """Return what a call means, typed; Refused for one that no line and no rule of the dialect knows."""
    name, arguments = call.name, call.arguments
    rule = dialect.rules.get(name)
    made = rule(call) if rule is not None else None
    if made is not None:
        return made
    if any(isinstance(a, exp.Kwarg) for a in arguments):
        call.refuse("arguments by name are not read")
    for meaning in dialect.table.get(name, ()):
        if not fits(meaning, arguments):
            continue
        if meaning.result == "constant" and (to is None or not is_constant(dialect, call, to)):
            continue
        if name.startswith("cast:") and not may_be(dialect, name, meaning, arguments[0]):
            break
        if meaning.result == "refused":
            call.refuse(meaning.form or "")
        if meaning.form is None:
            made = call.node
        else:
            if any(isinstance(a, (exp.Distinct, exp.Order)) for a in arguments):
                call.refuse("DISTINCT and ORDER BY are not shown to mean the same in it")
            made = written(meaning.form, arguments, to)
        made.type = to if meaning.result == "constant" else result_type(meaning, arguments, to)
        if made.type is None:
            call.refuse("of these types its answer has another type, or other digits, in each dialect")
        return made
    if name in dialect.reasons:
        call.refuse(dialect.reasons[name])
    text = literal(arguments[0]) if arguments else None
    if "cast:" in name and text is not None:
        call.refuse(f"the text {text!r} is not read as the same {name.partition(':')[2]} in every dialect")
    kinds = ", ".join(kind(unwrapped(a)) for a in arguments)
    if name in dialect.table:
        call.refuse(f"of ({kinds}) it is not shown to mean in the reference's dialect what it means in this one")
    call.refuse("it is not shown to mean in the reference's dialect what it means in this one")
