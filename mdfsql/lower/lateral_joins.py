"""LATERAL subqueries: what reads the row before it becomes a join with what is computed for all rows."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.rules import integer, number, refuse
from mdfsql.lower.shapes import (
    Names,
    aggregates,
    column,
    conjoin,
    conjuncts,
    contains_query,
    outer_columns,
    own_columns,
    source_names,
    windows,
)

__all__ = ["is_lateral", "lateral_join"]

WHAT = "LATERAL of a query of this form"
WHY = "only conditions in its WHERE, that name columns of both sides, are shown to agree there"


def is_lateral(join: Any) -> bool:
    """Tell whether a join is with a LATERAL query over tables; one without FROM is for unnest_rows."""
    inner = join.this.this if isinstance(join.this, exp.Lateral) else None
    return isinstance(inner, exp.Subquery) and not (
        isinstance(inner.this, exp.Select) and inner.this.args.get("from_") is None
    )


def lateral_join(join: Any, names: Names) -> None:
    """Make a LATERAL query a subquery that is joined ON the conditions that read the row before it, in place."""
    inner, select, alias = join.this.this.this, join.find_ancestor(exp.Select), join.this.args.get("alias")
    if not isinstance(inner, exp.Select) or select is None or alias is None or join.side.upper() not in ("", "LEFT"):
        refuse(WHAT, WHY, "a join")
    if any(inner.args.get(part) for part in ("with_", "qualify", "windows", "laterals")):
        refuse(WHAT, WHY, "a join")
    for place, name in zip(inner.selects, alias.columns, strict=False):
        place.replace(exp.alias_(place.unalias().copy(), name.name, quoted=True))
    table, tables = alias.name, source_names(inner)
    linking = _taken_out(inner, tables)
    outer = {id(found) for part in linking for found in outer_columns(part, frozenset(tables))}
    # The columns that the conditions read become outputs.
    read: dict[tuple[str, str], tuple[str, exp.Column]] = {}
    for part in linking:
        for found in own_columns(part, tables):
            if id(found) not in outer:
                read.setdefault((found.table, found.name), (names.new(), found.copy()))
    on = [part.copy() for part in linking]
    for part in on:
        for found in list(own_columns(part, tables)):
            found.replace(column(read[found.table, found.name][0], table))
    keys: list[exp.Expr] = [found for _, found in read.values()]
    outputs = [exp.alias_(found.copy(), as_, quoted=True) for as_, found in read.values()]
    given = conjuncts(join.args.get("on"))
    single = inner.args.get("group") is None and any(any(aggregates(output)) for output in inner.selects)
    if inner.args.get("limit") is not None or inner.args.get("offset") is not None:
        on += _numbered(inner, linking, keys, single, table, names)
    else:
        inner.set("order", None)
    if single:
        _grouped(select, join, inner, given, table)
    if single or inner.args.get("group") is not None or inner.args.get("distinct") is not None:
        _all_equal(linking, tables)
    if single or inner.args.get("group") is not None:
        group = inner.args.get("group") or exp.Group()
        if any(value for part, value in group.args.items() if part != "expressions" and value):
            refuse(WHAT, WHY, "a join")
        # A number there would be a place.
        inner.set("group", exp.Group(expressions=[*group.expressions, *(key.copy() for key in keys)]))
    for output in outputs:
        inner.append("expressions", output)
    join.set("this", exp.Subquery(this=inner.copy(), alias=exp.TableAlias(this=exp.to_identifier(table, quoted=True))))
    join.set("kind", None)
    join.set("on", conjoin([*on, *given]) or exp.true())


def _taken_out(inner: exp.Select, tables: set[str]) -> list[exp.Expr]:
    """Take the conditions that read from around a query out of its WHERE, and return them."""
    where = inner.args.get("where")
    parts = conjuncts(where.this if where is not None else None)
    linking = [part for part in parts if outer_columns(part, frozenset(tables))]
    rest = [part for part in parts if not any(part is one for one in linking)]
    if any(contains_query(part) for part in linking):
        refuse(WHAT, WHY, "a join")
    inner.set("where", exp.Where(this=conjoin([part.copy() for part in rest])) if rest else None)
    if not linking or outer_columns(inner) or any(any(windows(output)) for output in inner.selects):
        refuse(WHAT, WHY, "a join")
    return linking


def _all_equal(linking: list[exp.Expr], tables: set[str]) -> None:
    """Refuse conditions that are no equality of a column with what is around: only then is a group a row's own."""
    for part in linking:
        sides = (part.this, part.expression) if isinstance(part, exp.EQ) else ()
        own = [side for side in sides if isinstance(side, exp.Column) and side.table in tables]
        if len(own) != 1 or any(True for side in sides if side is not own[0] and any(own_columns(side, tables))):
            refuse("LATERAL with groups, LIMIT or DISTINCT, by what is no equality", WHY, "a join")


def _numbered(
    inner: exp.Select, linking: list[exp.Expr], keys: list[exp.Expr], single: bool, table: str, names: Names
) -> list[exp.Expr]:
    """Number the rows of each key, and return the conditions that LIMIT and OFFSET are."""
    counts = [inner.args.get(part) for part in ("limit", "offset")]
    most, skipped = (integer(part.expression) if part is not None else None for part in counts)
    order = inner.args.get("order")
    bad = single or inner.args.get("group") or inner.args.get("distinct") or order is None
    if bad or any(part is not None and integer(part.expression) is None for part in counts):
        refuse("LATERAL with LIMIT, of this form", "only rows in an order, and constants, are shown to agree there")
    _all_equal(linking, source_names(inner))
    by_name = {output.alias_or_name: output.unalias() for output in inner.selects}
    by = [key.copy() for key in order.expressions] if order is not None else []
    for key in by:
        for found in list(key.find_all(exp.Column)):
            if not found.table and found.name in by_name:
                found.replace(exp.Paren(this=by_name[found.name].copy()))
    place = names.new()
    numbered = exp.Window(
        this=exp.RowNumber(), partition_by=[key.copy() for key in keys], order=exp.Order(expressions=by)
    )
    inner.append("expressions", exp.alias_(numbered, place, quoted=True))
    for part in ("limit", "offset", "order"):
        inner.set(part, None)
    tests: list[exp.Expr] = []
    if skipped:
        tests.append(exp.GT(this=column(place, table), expression=number(skipped)))
    if most is not None:
        tests.append(exp.LTE(this=column(place, table), expression=number(most + (skipped or 0))))
    return tests


# Aggregates that are NULL of no rows.
NULL_OF_NONE = (exp.Sum, exp.Min, exp.Max, exp.Avg, exp.ArrayAgg, exp.GroupConcat, exp.ArgMin, exp.ArgMax, exp.Median)


def _grouped(select: exp.Select, join: Any, inner: exp.Select, given: list[exp.Expr], table: str) -> None:
    """Let a row without others have the aggregates of no rows: NULL, and 0 for a count."""
    plain = all(isinstance(part, exp.Boolean) and part.this for part in given)
    if not plain or inner.args.get("having") is not None:
        refuse("LATERAL of aggregates, with HAVING or ON", WHY, "a join")
    zeros = set()
    for output in inner.selects:
        bare: Any = output.unalias()
        bare = bare.this if isinstance(bare, exp.Filter) else bare
        if isinstance(bare, exp.Count):
            zeros.add(output.alias_or_name)
        elif type(bare) not in NULL_OF_NONE:
            refuse("LATERAL of what is computed of aggregates", WHY, "the aggregates alone, and the rest around")
    for part in list(select.iter_expressions()):
        if part is join:
            continue
        for found in list(own_columns(part, {table})):
            if found.name in zeros:
                zero = exp.Coalesce(this=found.copy(), expressions=[number(0)])
                found.replace(zero)
    join.set("side", "LEFT")
