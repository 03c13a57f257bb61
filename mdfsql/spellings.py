"""What the reference's dialect writes in several ways that mean the same."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import sqlglot
from sqlglot import exp

__all__ = ["plain_queries", "plain_values"]


def plain_queries(tree: exp.Query) -> None:
    """Write in a query, in place, what of its shape has several spellings in the one that is known everywhere."""
    _spell(tree, QUERIES)


def plain_values(tree: exp.Expr) -> None:
    """Write the same of its values, once it is bound: an output without a name is called by how it was written."""
    _spell(tree, VALUES)


def _spell(tree: exp.Expr, spellings: dict[type[exp.Expr], Any]) -> None:
    # What is inside of others first: some are written anew from their text.
    for node in list(tree.find_all(*spellings))[::-1]:
        # Others are of a class that is made of one of these, as TRY_CAST is of CAST.
        spelling = spellings.get(type(node))
        made = spelling(node) if spelling is not None else None
        if made is not None:
            node.replace(made)


def _text(node: Any) -> exp.Expr:
    return exp.Literal.string(str(node.this))


def _fetch(node: Any) -> exp.Expr | None:
    options = node.args.get("limit_options")
    if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
        return None
    return exp.Limit(expression=node.args.get("count") or exp.Literal.number(1))


def _extract(node: Any) -> exp.Expr | None:
    """EXTRACT('year' FROM x)"""
    if not isinstance(node.this, exp.Literal):
        return None
    return exp.Extract(this=exp.Var(this=node.this.name.upper()), expression=node.expression)


OPERATORS: dict[str, type[exp.Expr]] = {"add": exp.Add, "subtract": exp.Sub, "multiply": exp.Mul, "divide": exp.IntDiv}


def _called(node: Any) -> exp.Expr | None:
    name = node.name.lower()
    if name in ("date_part", "datepart") and len(node.expressions) == 2:
        part, value = node.expressions
        names = _names(part)
        if names and value.find(*ONCE) is None:
            return _struct(value, names, [_call("date_part", exp.Literal.string(n), value) for n in names])
        return _call("date_part", part, value) if name == "datepart" else None
    if name in OPERATORS and len(node.expressions) == 2:
        one, two = (exp.Paren(this=argument) for argument in node.expressions)
        return exp.Paren(this=OPERATORS[name](this=one, expression=two))
    return None


# What is not the same, or not as many rows, where it stands several times.
ONCE = (exp.Explode, exp.Unnest, exp.Rand, exp.Uuid)


def _names(node: exp.Expr) -> list[str]:
    """Return the different names that a list of constants gives to the fields of a struct, if it is one."""
    texts = [item.name for item in node.expressions if item.is_string] if isinstance(node, exp.Array) else []
    return texts if texts and len(set(texts)) == len(texts) == len(node.expressions) else []


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=[argument.copy() for argument in arguments])


def _struct(value: exp.Expr, names: list[str], fields: list[exp.Expr]) -> exp.Expr:
    """Return a struct, NULL where a value is."""
    pairs = [
        exp.PropertyEQ(this=exp.Literal.string(name), expression=field)
        for name, field in zip(names, fields, strict=True)
    ]
    empty = exp.Is(this=exp.Paren(this=value.copy()), expression=exp.null())
    return exp.Case(ifs=[exp.If(this=empty, true=exp.null())], default=exp.Struct(expressions=pairs))


def _groups(node: Any) -> exp.Expr | None:
    """regexp_extract(s, '(a)(b)', ['x', 'y'])"""
    group = node.args.get("group")
    names = _names(group) if group is not None else []
    if not names or node.this.find(*ONCE) is not None:
        return None
    fields = []
    for number in range(1, len(names) + 1):
        field = node.copy()
        field.set("group", exp.Literal.number(number))
        fields.append(field)
    return _struct(node.this, names, fields)


def _between(node: Any) -> exp.Expr | None:
    if not node.args.get("symmetric"):
        return None
    value, low, high = node.this, node.args["low"], node.args["high"]
    ways = [exp.Between(this=value.copy(), low=a.copy(), high=b.copy()) for a, b in ((low, high), (high, low))]
    return exp.Paren(this=exp.Or(this=ways[0], expression=ways[1]))


ESCAPED = re.compile(r"\\x([0-9A-Fa-f]{2})")


def _bytes(node: Any) -> exp.Expr | None:
    """'abc'::BLOB, where each sign that is none of ASCII's stands as \\xHH"""
    text = node.this.name if isinstance(node.this, exp.Literal) and node.this.is_string else None
    if text is None or node.to.this is not exp.DType.VARBINARY or not text.isascii() or "\\" in ESCAPED.sub("", text):
        return None
    whole = b"".join(bytes.fromhex(part) if at % 2 else part.encode() for at, part in enumerate(ESCAPED.split(text)))
    return exp.Unhex(this=exp.Literal.string(whole.hex().upper()))


def _pivot(node: Any) -> exp.Expr | None:
    """PIVOT and UNPIVOT as statements"""
    if node.this is None:
        return None
    on = node.expressions
    if node.args.get("unpivot"):
        into = node.args.get("into")
        name, values = (into.this, into.expressions) if into else (exp.column("name"), [exp.column("value")])
        inside = f"({_listed(values)}) FOR {_written(name)} IN ({_listed(on)})"
        return _query(f"SELECT * FROM {_written(node.this)} UNPIVOT ({inside})")
    if not all(isinstance(part, exp.In) and isinstance(part.this, exp.Column) for part in on):
        return None
    values = node.args.get("using") or [exp.Count(this=exp.Star())]
    keys = node.args.get("group")
    inside = f"{_listed(values)} FOR {' '.join(map(_written, on))} {_written(keys) if keys else ''}"
    return _query(f"SELECT * FROM {_written(node.this)} PIVOT ({inside})")


def _query(text: str) -> exp.Expr:
    return sqlglot.parse_one(text, read="duckdb")


def _written(node: exp.Expr) -> str:
    return node.sql("duckdb")


def _listed(nodes: Iterable[exp.Expr]) -> str:
    return ", ".join(map(_written, nodes))


QUERIES: dict[type[exp.Expr], Any] = {
    exp.ByteString: _text,
    exp.RawString: _text,
    exp.Fetch: _fetch,
    exp.Pivot: _pivot,
}

VALUES: dict[type[exp.Expr], Any] = {
    exp.Extract: _extract,
    exp.Anonymous: _called,
    exp.RegexpExtract: _groups,
    exp.Between: _between,
    exp.GroupingId: lambda node: exp.Grouping(expressions=node.expressions),
    exp.Cast: _bytes,
}
