"""Large values that aggregates are given, and name several times."""

from __future__ import annotations

from collections import defaultdict

from sqlglot import exp

from mdfsql.lower.shapes import (
    Names,
    aggregates,
    column,
    contains_query,
    derived,
    function,
    identity,
    shallow_columns,
    source_names,
    windows,
)
from mdfsql.lower.share_repeats import LARGE, is_reached, is_value
from mdfsql.trees import copied, nodes

__all__ = ["large_arguments"]

SMALL = 5  # nodes of a value that is as well written again


def large_arguments(tree: exp.Expr) -> exp.Expr:
    """Values that an aggregate is computed of in several steps become columns of a query inside, computed once a row.

    They stay where they are if some branch alone computes them, and where a query, a window or a column of a table
    further out stands beside.
    """
    if len(nodes(tree)) < LARGE:
        return tree
    names = Names(tree, "_a")
    for select in reversed(list(tree.find_all(exp.Select))):
        read_by = [node for part in READING for node in _listed(select.args.get(part))]
        if select.args.get("from_") is None or sum(len(nodes(node)) for node in read_by) < LARGE:
            continue
        values = _repeated([one for node in read_by for one in aggregates(node)])
        tables = {"", *source_names(select)}
        if values and not any(_has_others(node, tables) for node in read_by):
            _compute_inside(select, values, names)
    return tree


def _has_others(node: exp.Expr, tables: set[str]) -> bool:
    """Tell whether an expression holds a query, a window, or a column of a table further out."""
    outer = any(found.table not in tables for found in shallow_columns(node))
    return outer or contains_query(node) or any(True for _ in windows(node))


READING = ("expressions", "group", "having", "order")
ROWS = ("from_", "joins", "laterals", "where", "hint")


def _listed(value: object) -> list[exp.Expr]:
    return value if isinstance(value, list) else [value] if isinstance(value, exp.Expr) else []


def _repeated(found: list[exp.Expr]) -> set[int]:
    """Return the identities of values of a row that stand several times in some aggregates."""
    places: dict[int, list[tuple[exp.Expr, exp.Expr]]] = defaultdict(list)
    for one in found:
        inner = function(one)
        for node in nodes(one):
            if node is not one and node is not inner and is_value(node) and not isinstance(node, exp.Column):
                places[identity(node)].append((node, one))
    return {
        same
        for same, at in places.items()
        if len(at) > 1 and _is_worth_a_column(at[0][0]) and any(is_reached(node, one) for node, one in at)
    }


def _is_worth_a_column(value: exp.Expr) -> bool:
    found = nodes(value)
    # A name outside of a column may be a lambda's.
    return len(found) >= SMALL and not any(isinstance(node, (exp.Identifier, exp.Lambda)) for node in found)


def _compute_inside(select: exp.Select, values: set[int], names: Names) -> None:
    """Let a SELECT that groups read its columns, and the values, from a query of its rows."""
    tables, rows_name = source_names(select), names.new()
    outputs: dict[int, exp.Expr] = {}

    def read(node: exp.Expr) -> exp.Expr:
        if identity(node) not in values and not (isinstance(node, exp.Column) and node.table in tables):
            return node
        made = outputs.setdefault(identity(node), exp.alias_(copied(node), f"{rows_name}_{len(outputs)}", quoted=True))
        return column(made.alias, rows_name)

    select.set("expressions", [_named(output).transform(read) for output in select.selects])
    for part in READING[1:]:
        if select.args.get(part) is not None:
            select.set(part, select.args[part].transform(read))
    rows = exp.Select(**{part: select.args.get(part) for part in ROWS})
    rows.set("expressions", list(outputs.values()))
    for part in ROWS:
        select.set(part, None)
    select.set("from_", exp.From(this=derived(rows, rows_name)))


def _named(output: exp.Expr) -> exp.Expr:
    return exp.alias_(output, output.name, quoted=True) if isinstance(output, exp.Column) else output
