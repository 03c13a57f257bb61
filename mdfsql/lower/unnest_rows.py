"""Lists that become rows: unnest() in SELECT, UNNEST, range() and generate_series() in FROM."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.moment_series import is_stepping
from mdfsql.lower.nested_values import empty_list, lambda_, variable
from mdfsql.lower.rules import call, case, cast, each, integer, kind, null, number, paren, refuse, text
from mdfsql.lower.value_types import element_type

__all__ = ["plain_generators", "plain_sources", "unnest_rows"]


def plain_sources(tree: exp.Expr) -> None:
    """Give range(), generate_series() and UNNEST in FROM the column names that the reference gives them."""
    for table in list(tree.find_all(exp.Table)):
        series = table.this
        # A step of 0 is an error in a table, and an empty list elsewhere: what may be one stays a table.
        step = (series.args.get("step") or number(1)) if isinstance(series, exp.GenerateSeries) else None
        if step is not None and (integer(step) or is_stepping(step)):
            made = exp.Unnest(expressions=[series], alias=table.args.get("alias"))
            table.replace(made)
            _name(made, "range" if series.args.get("is_end_exclusive") else "generate_series")
    for lateral in list(tree.find_all(exp.Lateral)):
        if isinstance(lateral.this, exp.Unnest):
            # Every UNNEST in FROM may read the tables before it.
            lateral.this.set("alias", lateral.args.get("alias"))
            lateral.replace(lateral.this)
    for unnest in list(tree.find_all(exp.Unnest)):
        _name(unnest, "unnest")
        if unnest.args.get("offset") and not isinstance(unnest.args["offset"], exp.Identifier):
            unnest.set("offset", exp.to_identifier("ordinality"))


def _name(unnest: exp.Unnest, name: str) -> None:
    alias = unnest.args.get("alias") or exp.TableAlias(this=exp.to_identifier(name))
    if not alias.columns:
        alias.set("columns", [exp.to_identifier(name)])
    unnest.set("alias", alias)


def unnest_rows(tree: exp.Expr) -> exp.Expr:
    """A list in FROM is spread by a function that is a table; lists beside each other in SELECT are paired by place."""
    tree = each(tree, {exp.Unnest: _spread, exp.Lateral: _lateral})
    for select in list(tree.find_all(exp.Select)):
        made = _unnested(select)
        if made is not None:
            if select is tree:
                tree = made
            else:
                select.replace(made)
    return tree


def plain_generators(tree: exp.Expr) -> exp.Expr:
    """NULLIF and BETWEEN in a list that becomes rows are written out: Spark 4 names parts apart, which fails there."""
    for lateral in tree.find_all(exp.Lateral):
        node: Any
        for node in reversed(list(lateral.find_all(exp.Nullif, exp.Between))):
            if isinstance(node, exp.Nullif):
                same = exp.EQ(this=paren(node.this), expression=paren(node.expression))
                made: exp.Expr = case((same, null()), default=node.this)
            else:
                above = exp.GTE(this=paren(node.this), expression=paren(node.args["low"]))
                below = exp.LTE(this=paren(node.this), expression=paren(node.args["high"]))
                made = exp.Paren(this=exp.And(this=above, expression=below))
            made.type = node.type
            node.replace(made)
    return tree


def _lateral(node: Any) -> None:
    select = node.this.this if isinstance(node.this, exp.Subquery) else None
    parts = [part for part, value in select.args.items() if value] if isinstance(select, exp.Select) else []
    if select is None or parts != ["expressions"] or select.find(exp.AggFunc, exp.Window):
        refuse("LATERAL but of unnest()", "it is not shown to agree there", "a join")


def _outside(select: exp.Select) -> list[exp.Column]:
    """Return the columns in a query that are of no table of its own."""
    own = [select.args.get("from_"), *(select.args.get("joins") or ())]
    names = {source.this.alias_or_name for source in own if source is not None}
    return [found for found in select.find_all(exp.Column) if found.table and found.table not in names]


def _reads_outside(items: exp.Expr) -> exp.Select | None:
    """Return the query that a list stands in, if the list reads columns of a query around it."""
    select = items.find_ancestor(exp.Select)
    if select is None:
        return None
    outside = {id(found) for found in _outside(select)}
    return select if any(id(found) in outside for found in items.find_all(exp.Column)) else None


def _spread(node: Any) -> exp.Expr:
    around = _reads_outside(node.expressions[0])
    if around is not None:
        place = around.parent
        alone = isinstance(place, exp.Subquery) and not isinstance(place.parent, (exp.From, exp.Join, exp.In))
        listed = {id(found) for found in node.expressions[0].find_all(exp.Column)}
        others = any(id(found) not in listed for found in _outside(around))
        if not alone or others or around.args.get("group") or not all(s.find(exp.AggFunc) for s in around.selects):
            refuse(
                "UNNEST of a list of another query", "only an aggregate of it is shown to agree there", "list_filter()"
            )
    if len(node.expressions) != 1:
        refuse("UNNEST of several lists", "DuckDB has no such thing", "unnest() of each in SELECT")
    (items,) = node.expressions
    alias = node.args["alias"].copy()
    place_name = node.args.get("offset")
    if place_name:
        alias.append("columns", exp.to_identifier(place_name.name, quoted=True))
        found = _listed(items)
        place = exp.Add(this=variable(None, "_i"), expression=number(1))
        place.type = place.this.type = exp.DataType.build("INT")
        pair = call("NAMED_STRUCT", text("v"), variable(found), text("o"), cast(place, "BIGINT"))
        pairs = exp.Anonymous(this="TRANSFORM", expressions=[items.copy(), lambda_(pair, "_e", "_i")])
        return exp.Lateral(this=call("INLINE", pairs), alias=alias)
    if isinstance(items, exp.Anonymous) and items.name in ("range", "generate_series"):
        ends = [integer(end) for end in items.expressions]
        first, last, step = ends
        more = 0 if items.name == "range" else 1 if (step or 0) > 0 else -1
        if first is not None and last is not None and step and abs(last + more) < 2**63:
            # The engine's own table of numbers is spread over the cluster, and never held as one list.
            made = exp.Anonymous(this="RANGE", expressions=[number(first), number(last + more), number(step)])
            return exp.Table(this=made, alias=alias)
    _listed(items)
    return exp.Lateral(this=call("EXPLODE", items), alias=alias)


def _listed(items: Any) -> exp.DataType:
    found = element_type(items)
    if found is None or kind(found) in ("unknown", "null"):
        refuse(f"UNNEST of {kind(items).upper()}", "it takes a list of values of a known type there", "CAST it")
    return found


# --- unnest() in SELECT -----------------------------------------------------------------------------------------------


def _unnested(select: exp.Select) -> exp.Expr | None:
    """Return the query with its lists unnested one level above it; None where the engine does that itself."""
    spread = [found for output in select.selects for found in _explodes(output)]
    if not spread:
        return None
    if any(found.expressions for found in spread):
        refuse("unnest() with recursive or max_depth", "its columns depend on the values", "unnest() level by level")
    group = select.args.get("group")
    named = {output.alias_or_name for output in select.selects if _explodes(output)}
    for key in group.expressions if group else ():
        if key.find(exp.Explode) or any(c.name in named and not c.table for c in key.find_all(exp.Column)):
            refuse("GROUP BY of unnest()", "it is not shown to agree there", "a subquery that unnests")
    for part in ("having", "qualify"):
        if select.args.get(part) is not None:
            refuse(f"unnest() beside {part.upper()}", "it is not shown to agree there", "a subquery")
    structs = [found for found in spread if kind(found.this) == "struct"]
    if structs:
        if any(select_.unalias() not in structs and _explodes(select_) for select_ in select.selects):
            refuse("unnest() of a struct beside that of a list", "it is not shown to agree there", "a subquery")
        select.set("expressions", [made for output in select.selects for made in _fields(output)])
        return None
    for found in spread:
        _listed(found.this)
        around = _reads_outside(found.this)
        if around is not None and not (around.parent is not None and isinstance(around.parent.parent, exp.Lateral)):
            refuse("unnest() of a list of another query", "it is not shown to agree there", "a join with UNNEST(list)")
    alone = len(spread) == 1 and any(output.unalias() is spread[0] for output in select.selects)
    plain = not any(select.args.get(part) for part in ("group", "distinct"))
    if alone and plain and not any(output.find(exp.Window, exp.AggFunc) for output in select.selects):
        return None
    return _above(select, spread)


def _explodes(node: exp.Expr) -> list[exp.Explode]:
    """Return the unnest() calls of an output, not those of a query in it."""
    if isinstance(node, exp.Explode):
        return [node]
    if isinstance(node, exp.Query):
        return []
    return [found for child in node.iter_expressions() for found in _explodes(child)]


def _fields(output: exp.Expr) -> list[exp.Expr]:
    struct = output.unalias()
    if not isinstance(struct, exp.Explode):
        return [output]
    made = []
    for field in struct.this.type.expressions:
        value = exp.Dot(this=struct.this.copy(), expression=exp.to_identifier(field.name, quoted=True))
        value.type = field.args["kind"]
        named = exp.alias_(value, field.name, quoted=True)
        named.type = value.type
        made.append(named)
    return made


def _column(name: str, table: str, type: exp.DataType | None) -> exp.Expr:
    made = exp.column(name, table=table, quoted=True)
    made.type = type
    return made


def _above(select: exp.Select, spread: list[exp.Explode]) -> exp.Expr:
    """Return SELECT outputs FROM (SELECT *, the pairs of the lists FROM (the query with lists as columns))."""
    outer = exp.Select()
    for part in ("distinct", "order", "limit", "offset"):
        outer.set(part, select.args.get(part))
    names = {output.alias_or_name for output in select.selects}
    for key in outer.args["order"].expressions if outer.args.get("order") else ():
        if any(found.table or found.name not in names for found in key.find_all(exp.Column)):
            refuse("unnest() with ORDER BY of what is no output", "it is not shown to agree there", "a subquery")
    inner = select.copy()
    for part in ("distinct", "order", "limit", "offset"):
        inner.set(part, None)
    kept: list[exp.Expr] = []
    outputs: list[exp.Expr] = []

    def keep(value: exp.Expr) -> exp.Expr:
        name = f"_c{len(kept)}"
        named = exp.alias_(value.copy(), name, quoted=True)
        named.type = value.type
        kept.append(named)
        return _column(name, "_u", value.type)

    lists: list[exp.Expr] = []
    for output in select.selects:
        value = output.unalias()
        found = _explodes(value)
        if not found:
            made = keep(value)
        else:
            if any(
                isinstance(part, (exp.Window, exp.AggFunc))
                and part.find(exp.Explode) is None
                and part.find_ancestor(exp.Explode) is None
                for part in value.walk()
            ):
                refuse("unnest() and an aggregate in one expression", "it is not shown to agree there", "a subquery")
            made = _replaced(value, lists, keep)
        named = exp.alias_(made, output.alias_or_name, quoted=True)
        named.type = value.type
        outputs.append(named)
    zipped = len(lists) > 1
    for i, items in enumerate(lists):
        named = exp.alias_(items.copy(), f"_l{i}", quoted=True)
        named.type = items.type
        kept.append(named)
    inner.set("expressions", kept)
    columns = [_column(k.alias, "_i", k.type) for k in kept]
    own, pairs = columns[: len(columns) - len(lists)], columns[len(columns) - len(lists) :]
    if zipped:
        filled = [exp.Coalesce(this=p, expressions=[empty_list(p.type)]) for p in pairs if p.type is not None]
        spread_: exp.Expr = call("INLINE", call("ARRAYS_ZIP", *filled))
    else:
        spread_ = call("EXPLODE", pairs[0])
    fields = [exp.to_identifier(f"_z{i}", quoted=True) for i in range(len(lists))]
    lateral = exp.Lateral(this=spread_, alias=exp.TableAlias(this=exp.to_identifier("_s", quoted=True), columns=fields))
    source = exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier("_i", quoted=True)))
    middle_outputs = [exp.alias_(c, c.name, quoted=True) for c in own] + [
        exp.alias_(_column(f.name, "_s", element_type(p)), f.name, quoted=True)
        for f, p in zip(fields, pairs, strict=True)
    ]
    middle = exp.Select(
        expressions=middle_outputs,
        from_=exp.From(this=source),
        joins=[exp.Join(this=lateral, kind="CROSS")],
    )
    outer.set("expressions", outputs)
    outer.set(
        "from_",
        exp.From(this=exp.Subquery(this=middle, alias=exp.TableAlias(this=exp.to_identifier("_u", quoted=True)))),
    )
    with_ = inner.args.get("with_")
    if with_ is not None:
        inner.set("with_", None)
        outer.set("with_", with_)
    return outer


def _replaced(value: exp.Expr, lists: list[exp.Expr], keep: Any) -> exp.Expr:
    """Return an output over the unnested rows: each unnest() and each column of the query is a column of those."""
    if isinstance(value, exp.Explode):
        lists.append(value.this)
        return _column(f"_z{len(lists) - 1}", "_u", element_type(value.this))
    if isinstance(value, exp.Column):
        made: exp.Expr = keep(value)
        return made
    if isinstance(value, exp.Query):
        refuse("unnest() and a query in one expression", "it is not shown to agree there", "a subquery")
    copied = value.copy()
    for own, new in zip(list(value.iter_expressions()), list(copied.iter_expressions()), strict=True):
        made = _replaced(own, lists, keep)
        if made is not own:
            new.replace(made)
    return copied
