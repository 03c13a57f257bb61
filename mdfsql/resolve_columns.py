"""COLUMNS(...), PIVOT and UNPIVOT, written out over the columns that are there."""

from __future__ import annotations

import itertools
import re
from typing import Any

from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from mdfsql.lower.rules import refuse
from mdfsql.lower.shapes import Names, derived

__all__ = ["expand_columns"]


def expand_columns(tree: exp.Expr, schema: MappingSchema) -> None:
    """Write COLUMNS out column by column, PIVOT as aggregates with FILTER, and UNPIVOT as a UNION of its columns."""
    names = Names(tree, "_p")
    for select in reversed(list(tree.find_all(exp.Select))):
        for source in [part.this for part in [select.args.get("from_"), *(select.args.get("joins") or ())] if part]:
            pivots = source.args.get("pivots") or []
            if len(pivots) == 1:
                _spread(select, source, pivots[0], schema, names)
        select.set("expressions", [made for output in select.expressions for made in _expanded(output, select, schema)])
    left = tree.find(exp.Columns)
    if left is not None:
        refuse("COLUMNS outside of what SELECT lists", "it is not shown to agree there", "the columns by name", left)


def _known(select: exp.Select, star: exp.Expr, source: exp.Expr | None, schema: MappingSchema) -> list[exp.Expr]:
    """Return what a star stands for in a SELECT, or over one of its sources alone."""
    probe: Any = exp.Select(expressions=[star.copy()])
    if source is not None:
        alone = source.copy()
        alone.set("pivots", None)
        probe.set("from_", exp.From(this=alone))
    else:
        for part in ("from_", "joins", "laterals"):
            value = select.args.get(part)
            probe.set(part, [v.copy() for v in value] if isinstance(value, list) else value.copy() if value else None)
    # The common tables that can be seen from here.
    tables: list[exp.Expr] = []
    inner: exp.Expr | None = select
    while inner is not None:
        with_ = inner.args.get("with_") if isinstance(inner, exp.Query) else None
        seen = itertools.takewhile(lambda cte: cte not in _around(select), with_.expressions if with_ else ())
        tables = [cte.copy() for cte in seen] + tables
        inner = inner.parent
    if tables:
        probe.set("with_", exp.With(expressions=tables))
    if any(found for found in probe.find_all(exp.Pivot, exp.Columns) if found.find_ancestor(exp.Select) is not probe):
        refuse("COLUMNS or PIVOT over another one", "it is not shown to agree there", "the columns by name")
    qualified: Any = qualify(probe, schema=schema, dialect="duckdb", validate_qualify_columns=False)
    if any(isinstance(output.unalias(), exp.Star) or output.find(exp.Star) for output in qualified.selects):
        refuse("COLUMNS or PIVOT over these tables", "their columns are not known here", "the columns by name")
    return list(qualified.selects)


def _around(node: exp.Expr) -> list[exp.CTE]:
    found, place = [], node.parent
    while place is not None:
        if isinstance(place, exp.CTE):
            found.append(place)
        place = place.parent
    return found


# ---- COLUMNS ---------------------------------------------------------------------------------------------------------

# Letters of a pattern that mean the same everywhere.
PATTERN = re.compile(r"[A-Za-z0-9_.*+?^$|()-]*")


def _expanded(output: exp.Expr, select: exp.Select, schema: MappingSchema) -> list[exp.Expr]:
    found = [one for one in output.find_all(exp.Columns) if one.find_ancestor(exp.Select) is select]
    if not found:
        return [output]
    if any(one.args.get("unpack") or one != found[0] for one in found):
        refuse("*COLUMNS", "it is not shown to agree there", "the columns by name")
    made: list[exp.Expr] = []
    for column in _chosen(found[0], select, schema):
        alone = exp.Alias(this=output.unalias().copy())
        for one in list(alone.find_all(exp.Columns)):
            one.replace(column.unalias().copy())
        alone.set("alias", exp.to_identifier(output.alias or column.alias_or_name, quoted=True))
        made.append(alone)
    return made


def _chosen(columns: exp.Columns, select: exp.Select, schema: MappingSchema) -> list[exp.Expr]:
    what = columns.this
    if isinstance(what, exp.Star) or (isinstance(what, exp.Column) and isinstance(what.this, exp.Star)):
        return _known(select, what, None, schema)
    known = _known(select, exp.Star(), None, schema)
    if isinstance(what, exp.Array) and all(isinstance(name, exp.Literal) for name in what.expressions):
        asked = {name.name.lower() for name in what.expressions}
        return [column for column in known if column.alias_or_name.lower() in asked]
    if isinstance(what, exp.Literal) and what.is_string and PATTERN.fullmatch(what.name):
        if what.name != what.name.lower():
            refuse("COLUMNS of a pattern with capital letters", "names have no case here", "the columns by name")
        return [column for column in known if re.search(what.name, column.alias_or_name)]
    refuse(f"{columns.sql('duckdb')[:60]}", "it is not shown to agree there", "COLUMNS(['a', 'b'])")


# ---- PIVOT and UNPIVOT -----------------------------------------------------------------------------------------------


def _spread(select: exp.Select, source: Any, pivot: Any, schema: MappingSchema, names: Names) -> None:
    known = [output.alias_or_name for output in _known(select, exp.Star(), source, schema)]
    fields = pivot.args.get("fields") or []
    if any(not isinstance(field, exp.In) or field.args.get("query") for field in fields) or not fields:
        refuse("PIVOT without its values", "its columns depend on the data", "PIVOT (... FOR k IN (1, 2))")
    alias = pivot.args.get("alias") or source.args.get("alias")
    if alias is None:
        alias = exp.TableAlias(this=exp.to_identifier(source.alias_or_name or names.new(), quoted=True))
    rows = source.copy()
    rows.set("pivots", None)
    made = _unpivoted(rows, pivot, fields, known) if pivot.args.get("unpivot") else _pivoted(rows, pivot, fields, known)
    table = derived(made, "_")
    table.set("alias", alias.copy())
    source.replace(table)


def _named(value: Any) -> tuple[Any, str | None]:
    """Return a value of IN, and the name it is given."""
    if isinstance(value, exp.PivotAlias):
        return value.this, value.args["alias"].name
    return value, None


def _quoted(name: str) -> exp.Expr:
    return exp.column(name, quoted=True)


def _pivoted(rows: exp.Expr, pivot: Any, fields: list[Any], known: list[str]) -> exp.Select:
    """Return the groups with an aggregate for each value: NULL is a value too."""
    used = {column.name.lower() for node in [*pivot.expressions, *fields] for column in node.find_all(exp.Column)}
    group = pivot.args.get("group")
    keys = [_quoted(name) for name in known if name.lower() not in used]
    if group is not None:
        keys = [key.copy() for key in group.expressions]
    if any(not isinstance(key, exp.Column) for key in keys) or any(not isinstance(f.this, exp.Column) for f in fields):
        refuse("PIVOT over expressions", "it is not shown to agree there", "a subquery that names them")
    many = len(pivot.expressions) > 1
    outputs: list[exp.Expr] = [key.copy() for key in keys]
    for chosen in itertools.product(*(field.expressions for field in fields)):
        tests, words = [], []
        for field, value in zip(fields, chosen, strict=True):
            plain, name = _named(value)
            if not isinstance(plain, (exp.Literal, exp.Null, exp.Boolean)):
                refuse("PIVOT by what is no constant", "it is not shown to agree there", "constants in IN (...)")
            tests.append(exp.NullSafeEQ(this=field.this.copy(), expression=plain.copy()))
            words.append(name or ("NULL" if isinstance(plain, exp.Null) else plain.name))
        for one in pivot.expressions:
            aggregate = one.unalias()
            if not isinstance(aggregate, exp.AggFunc):
                refuse("PIVOT of this aggregate", "it is not shown to agree there", "the aggregate with FILTER")
            added = [one.alias] if one.alias else [aggregate.sql("duckdb").lower()] if many else []
            where = exp.Where(this=exp.and_(*(test.copy() for test in tests)))
            filtered = exp.Filter(this=aggregate.copy(), expression=where)
            outputs.append(exp.alias_(filtered, "_".join([*words, *added]), quoted=True))
    made = exp.Select(expressions=outputs, from_=exp.From(this=rows))
    if keys:
        made.set("group", exp.Group(expressions=keys))
    return made


def _unpivoted(rows: exp.Expr, pivot: Any, fields: list[Any], known: list[str]) -> exp.Query:
    """Return a row for each of the columns, of every row."""
    (field, *more), (value, *others) = fields, pivot.expressions
    if more or others or not all(isinstance(_named(part)[0], exp.Column) for part in field.expressions):
        refuse("UNPIVOT into several columns", "it is not shown to agree there", "UNION ALL")
    original = {name.lower(): name for name in known}
    read = [_named(part) for part in field.expressions]
    listed = {column.name.lower() for column, _ in read}
    kept = [_quoted(name) for name in known if name.lower() not in listed]
    made: list[exp.Query] = []
    for column, name in read:
        text = exp.Literal.string(name or original.get(column.name.lower(), column.name))
        alone = exp.Select(
            expressions=[
                *(key.copy() for key in kept),
                exp.alias_(text, field.this.name, quoted=True),
                exp.alias_(column.copy(), value.name, quoted=True),
            ],
            from_=exp.From(this=rows.copy()),
        )
        if not pivot.args.get("include_nulls"):
            alone.set("where", exp.Where(this=exp.Not(this=exp.Is(this=column.copy(), expression=exp.Null()))))
        made.append(alone)
    whole = made[0]
    for side in made[1:]:
        whole = exp.Union(this=whole, expression=side, distinct=False)
    return whole
