"""Which columns of a relation the query over it needs: the others need not be listed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlglot import exp

__all__ = ["needed"]

Names = frozenset[str]


def needed(
    tree: exp.Expr, wanted: Names | None, columns: Collection[str]
) -> tuple[list[exp.Expr] | None, Names | None]:
    """Return the outputs that a query of these ``columns`` has to list, and the names of all that it reads below.

    ``wanted`` are the names of the outputs that are read, in lower case; None stands for all, here and in what is
    returned. Names may be more than are columns: those of tables and functions are among them.

    >>> from sqlglot import parse_one
    >>> outputs, names = needed(parse_one("SELECT a, b + c AS d, e FROM t WHERE F > 0"), frozenset({"a"}), "ade")
    >>> [output.sql() for output in outputs], sorted(names)
    (['a', 'b + c AS d'], ['a', 'b', 'c', 'd', 'f', 't'])
    >>> outputs, names = needed(parse_one("SELECT * FROM t WHERE F > 0"), frozenset({"a"}), "abcdef")
    >>> [output.sql() for output in outputs], sorted(names)
    (['"a"'], ['a', 'f', 't'])
    >>> needed(parse_one("SELECT DISTINCT * FROM t"), frozenset({"a"}), "abc")
    (None, None)
    """
    if not isinstance(tree, exp.Select) or wanted is None:
        return None, _names([tree])
    parts = [value for part, value in tree.args.items() if value and part != "expressions"]
    held = {part for part, value in tree.args.items() if value}
    outputs: list[exp.Expr] = tree.expressions
    if held <= PASSING and len(outputs) == 1 and _is_star(outputs[0]) and _is_alone(tree.args["from_"].this):
        names = _names(parts)
        if names is None:
            return None, None
        if "order" in held:
            wanted |= names  # not every engine orders by what is not listed
        listed = [name for name in columns if name.lower() in wanted] or list(columns)[:1]
        names |= {name.lower() for name in listed}
        kept: list[exp.Expr] = [exp.Column(this=exp.Identifier(this=name, quoted=True)) for name in listed]
        return kept if len(kept) < len(columns) else None, names
    if held <= LISTING:
        some = [output for output in outputs if output.alias_or_name.lower() in wanted or not _is_plain(output)]
        if len(some) < len(outputs):
            outputs = some or outputs[:1]
    return outputs if outputs is not tree.expressions else None, _names([*parts, outputs])


# What a SELECT may hold so that its rows are the same without some of its outputs; and one that is all of its table.
LISTING = frozenset({"expressions", "from_", "joins", "where", "limit", "offset"})
PASSING = frozenset({"expressions", "from_", "where", "order", "limit", "offset"})

# What reads columns that it does not name.
WHOLE = frozenset({exp.Star, exp.Columns, exp.Pivot})


def _is_star(output: exp.Expr) -> bool:
    return type(output) is exp.Star and not any(output.args.values())


def _is_alone(source: exp.Expr) -> bool:
    """Tell whether a source is a table whose columns have the names that its query gives them."""
    return type(source) is exp.Table and not any(
        value for part, value in source.args.items() if part not in ("this", "alias", "db", "catalog")
    )


def _is_plain(output: exp.Expr) -> bool:
    """Tell whether an output is a column, perhaps under another name or type, or the first of some that is there."""
    if isinstance(output, exp.Alias):
        output = output.this
    if isinstance(output, exp.Coalesce):
        return all(map(_is_plain, [output.this, *output.expressions]))
    if isinstance(output, exp.Cast):
        output = output.this
    return type(output) is exp.Column and not isinstance(output.this, exp.Star)


def _names(parts: Iterable[object]) -> Names | None:
    """Return the names in some parts of a query; None if they read columns by none."""
    found = [one for part in parts for one in (part if isinstance(part, list) else [part]) if isinstance(one, exp.Expr)]
    names: set[str] = set()
    alone: set[str] = set()
    tables: set[str] = set()
    node: Any
    for top in found:
        for node in top.walk():
            kind = type(node)
            if kind is exp.Identifier:
                names.add(node.this.lower())
            elif kind is exp.Column:
                if not node.args.get("table"):
                    alone.add(node.name.lower())
            elif kind is exp.Table or kind is exp.Subquery:
                tables.add(node.alias_or_name.lower())
            elif kind is exp.Join:
                if node.method.upper() == "NATURAL":
                    return None
            elif kind is exp.TableAlias:
                if node.columns:
                    return None
            elif kind in WHOLE and not isinstance(node.parent, exp.Count):
                return None
    # A table's name alone is a row of it.
    return None if alone & tables else frozenset(names)
