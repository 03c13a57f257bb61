"""What typed passes share: the kind of a node's value, a walk that rewrites by class, refusals, and short builders."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from sqlglot import exp

from mdfsql.errors import Unsupported
from mdfsql.schema import data_type, value_type
from mdfsql.trees import copied, nodes

__all__ = [
    "call",
    "case",
    "cast",
    "construct_name",
    "each",
    "integer",
    "is_null",
    "kind",
    "literal_text",
    "located",
    "null",
    "number",
    "of_kind",
    "paren",
    "raised",
    "refuse",
    "tests_typed",
    "text",
    "there",
    "truth",
]

T = exp.DataType.Type

# The engine's name in a refusal that a pass raises; compile puts the target's there.
HERE = "this engine"

KINDS: dict[exp.DType, str] = {
    T.BOOLEAN: "bool",
    T.TINYINT: "int",
    T.SMALLINT: "int",
    T.INT: "int",
    T.BIGINT: "int",
    T.INT128: "int",
    T.UTINYINT: "int",
    T.USMALLINT: "int",
    T.UINT: "int",
    T.UBIGINT: "int",
    T.DECIMAL: "decimal",
    T.FLOAT: "float",
    T.DOUBLE: "double",
    T.TEXT: "text",
    T.VARCHAR: "text",
    T.CHAR: "text",
    T.NCHAR: "text",
    T.NVARCHAR: "text",
    T.VARBINARY: "blob",
    T.BLOB: "blob",
    T.BINARY: "blob",
    T.DATE: "date",
    T.TIMESTAMP: "timestamp",
    T.TIMESTAMPNTZ: "timestamp",
    T.DATETIME: "timestamp",
    T.TIMESTAMP_S: "timestamp",
    T.TIMESTAMP_MS: "timestamp",
    T.TIMESTAMP_NS: "timestamp",
    T.TIMESTAMPTZ: "timestamptz",
    T.TIMESTAMPLTZ: "timestamptz",
    T.TIME: "time",
    T.INTERVAL: "interval",
    T.LIST: "list",
    T.ARRAY: "list",
    T.STRUCT: "struct",
    T.MAP: "map",
    T.NULL: "null",
}


def kind(node: Any) -> str:
    """Return the kind of a node's value ("int", "text", ...), or "unknown"."""
    dtype = node if isinstance(node, exp.DataType) else getattr(node, "type", None)
    return KINDS.get(dtype.this, "unknown") if dtype is not None else "unknown"


BOOLEAN, VARCHAR, BIGINT = map(value_type, ("BOOLEAN", "VARCHAR", "BIGINT"))

Rule = Callable[[Any], "exp.Expr | None"]


def each(tree: exp.Expr, rules: Mapping[type[exp.Expr], Rule]) -> exp.Expr:
    """Return the tree with each node of the classes replaced by what its rule gives; inner nodes go first.

    A rule gives None to leave the node as it is; what it gives takes over the node's type.
    """
    for node in reversed([found for found in nodes(tree) if type(found) in rules]):
        try:
            made = rules[type(node)](node)
        except Unsupported as error:
            raise error if error.sql else located(error, node) from None
        if made is None or made is node:
            continue
        if made.type is None or kind(made) == "unknown":
            made.type = node.type
        tests_typed(made)
        if node is tree:
            tree = made
        else:
            node.replace(made)
    return tree


def tests_typed(node: exp.Expr) -> exp.Expr:
    """Return the node, with the type of its tests set: a later pass asks for the kind of what an earlier one wrote."""
    for inner in reversed(list(node.walk())):
        if inner.type is None and isinstance(inner, (exp.Predicate, exp.Connector, exp.Not)):
            inner.type = BOOLEAN
        elif inner.type is None and isinstance(inner, exp.Paren):
            inner.type = inner.this.type
    return node


def located(error: Unsupported, node: exp.Expr) -> Unsupported:
    """Return a refusal that points at where a node was written, if it was: at the first of its parts that says so."""
    places = [n._meta for n in node.walk() if n._meta and "sql" in n._meta]
    if not places:
        return error
    first = min(places, key=lambda meta: int(meta["start"]))
    before = first["sql"][: first["start"]]
    line, column = before.count("\n") + 1, first["start"] - (before.rfind("\n") + 1) + 1
    construct = error.construct
    if construct.endswith("()") and first is node._meta:
        # By the name that it was written with, of the several that it has.
        written = re.match(r"\w+(?=\s*\()", first["sql"][first["start"] :])
        construct = f"{written.group().lower()}()" if written else construct
    return Unsupported(construct, error.engine, error.why, error.instead, sql=first["sql"], line=line, column=column)


def refuse(construct: str, why: str, instead: str | None = None, node: exp.Expr | None = None) -> NoReturn:
    """Raise Unsupported for the engine that is compiled for; ``node`` is at fault, if not the one a rule is given."""
    error = Unsupported(construct, HERE, why, instead)
    raise error if node is None else located(error, node)


def call(name: str, *arguments: exp.Expr | str | int | float, type: str | None = None) -> exp.Expr:
    """Return a call of a function by the engine's own name, copies of the arguments in it."""
    made = exp.Anonymous(this=name, expressions=[_argument(a) for a in arguments])
    if type is not None:
        made.type = value_type(type)
    return made


def _argument(value: exp.Expr | str | int | float) -> exp.Expr:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, (int, float)):
        return number(value)
    return copied(value)


def text(value: str) -> exp.Expr:
    """Return a string literal, typed."""
    made = exp.Literal.string(value)
    made.type = VARCHAR
    return made


def number(value: int | float) -> exp.Expr:
    """Return a number literal, typed: a float as a DOUBLE, never a decimal."""
    if isinstance(value, float):
        plain = math.isfinite(value)
        return cast(exp.Literal.number(repr(value)) if plain else exp.Literal.string(repr(value)), "DOUBLE")
    made: exp.Expr = exp.Literal.number(abs(value))
    made.type = BIGINT
    if value < 0:
        made = exp.Neg(this=made)
        made.type = BIGINT
    return made


def cast(node: exp.Expr, type_: str) -> exp.Expr:
    """Return a typed cast of a copy of the node."""
    made = exp.Cast(this=copied(node), to=data_type(type_))
    made.type = made.to
    # Casts that passes make are exact already.
    made.meta["exact"] = True
    return made


def case(*branches: tuple[exp.Expr, exp.Expr], default: exp.Expr) -> exp.Expr:
    """Return CASE WHEN ... THEN ... ELSE ... END of copies."""
    made = exp.Case(
        ifs=[exp.If(this=copied(test), true=copied(value)) for test, value in branches], default=copied(default)
    )
    made.type = default.type if kind(default) != "null" else branches[0][1].type
    return made


def raised(message: str | exp.Expr) -> exp.Expr:
    """Return an expression that raises when it is reached."""
    return call("RAISE_ERROR", message, type="NULL")


def null() -> exp.Expr:
    """Return a bare NULL, typed."""
    made = exp.Null()
    made.type = exp.DataType(this=T.NULL)
    return made


def truth(value: bool) -> exp.Expr:
    """Return TRUE or FALSE, typed."""
    made = exp.Boolean(this=value)
    made.type = BOOLEAN
    return made


def is_null(node: exp.Expr) -> exp.Expr:
    """Return the condition that a value is NULL."""
    return exp.Is(this=paren(node), expression=exp.Null())


def there(node: exp.Expr) -> exp.Expr:
    """Return the condition that a value is not NULL."""
    return exp.Not(this=is_null(node))


def of_kind(node: exp.Expr, what: str, *kinds: str, instead: str | None = None) -> str:
    """Return the kind of a node's value, which is one of these; refuse any other."""
    found = kind(node)
    if found not in kinds:
        refuse(f"{what} of {found.upper()}", "it is not shown to agree there", instead)
    return found


def paren(node: exp.Expr) -> exp.Expr:
    """Return a copy of the node, in parentheses where it is an operator."""
    made = exp.Paren(this=copied(node)) if isinstance(node, (exp.Binary, exp.Unary)) else copied(node)
    made.type = node.type
    return made


def integer(node: exp.Expr | None) -> int | None:
    """Return the value of an integer literal, or None."""
    if isinstance(node, exp.Paren):
        return integer(node.this)
    if isinstance(node, exp.Neg):
        inner = integer(node.this)
        return None if inner is None else -inner
    if isinstance(node, exp.Literal) and not node.is_string and node.this.isdigit():
        return int(node.this)
    return None


def literal_text(node: exp.Expr | None) -> str | None:
    """Return the value of a string literal, or None."""
    return str(node.this) if isinstance(node, exp.Literal) and node.is_string else None


def construct_name(node: exp.Expr) -> str:
    """Return what a reader calls a node: a function's name, or the construct's."""
    if isinstance(node, exp.Anonymous):
        return f"{node.name}()"
    if isinstance(node, exp.Func):
        return f"{node.sql_name().lower()}()"
    return node.key.upper().replace("_", " ")
