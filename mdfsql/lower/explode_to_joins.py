"""One row for each element of a list, as a join."""

from __future__ import annotations

from sqlglot import exp

from mdfsql.lower.shapes import Names, aggregates, column, derived, own_columns, queries, source_names, windows

__all__ = ["SPREAD", "explode_to_joins"]

SPREAD = "spread"
"""The table, and the condition, by which dask-sql sees one row for each element as a join."""


def explode_to_joins(tree: exp.Expr) -> exp.Expr:
    """UNNEST in a SELECT becomes a join with a table of elements, since dask-sql takes a row of a SELECT for one row."""
    names = Names(tree, "_e")
    for query in list(queries(tree)):
        if isinstance(query, exp.Select):
            _explode(query, names)
    return tree


# The clauses of a SELECT that spreads a list.
PLAIN = frozenset({"expressions", "from_", "joins", "where", "with_", "order", "limit", "offset", "kind"})


def _explode(select: exp.Select, names: Names) -> None:
    found = [node for p in select.expressions for node in p.find_all(exp.Explode, exp.Unnest)]
    held = {key for key, arg in select.args.items() if arg}
    if len(found) != 1 or not held <= PLAIN or any(p for p in select.expressions for _ in (*aggregates(p), *windows(p))):
        return
    node = found[0]
    if node.expressions and len(node.expressions) > 1 or (node.args.get("expressions") and isinstance(node, exp.Explode)):
        return
    value = node.this if isinstance(node, exp.Explode) else node.expressions[0]
    inner_name, list_name, element = names.new(), names.new(), names.new()
    tables = source_names(select)
    made: dict[str, str] = {}
    outputs: list[exp.Expr] = []
    order = select.args.get("order")
    aliases = {p.alias_or_name: p for p in select.expressions}
    node_text = node.sql()
    new = column("element", element)
    if node.parent is None:
        return
    for place in [*select.expressions, *(order.expressions if order else ())]:
        for needed in [c for c in own_columns(place, tables) if c.find_ancestor(type(node)) is not node]:
            if needed.sql() not in made:
                made[needed.sql()] = names.new()
                outputs.append(exp.alias_(needed.copy(), made[needed.sql()], quoted=True))
    outputs.append(exp.alias_(value.copy(), list_name, quoted=True))
    inner = exp.Select(
        expressions=outputs, **{key: select.args[key] for key in ("from_", "joins", "where") if select.args.get(key)}
    )
    node.replace(new)
    for place in [*select.expressions, *(order.expressions if order else ())]:
        for needed in list(own_columns(place, tables)):
            if needed.sql() in made:
                needed.replace(column(made[needed.sql()], inner_name))
    for name, projection in aliases.items():
        # A column that had no alias was called by its own name.
        if not isinstance(projection, exp.Alias):
            for position, p in enumerate(select.expressions):
                if p is projection or (not isinstance(p, exp.Alias) and p.parent is select and position == list(aliases).index(name)):
                    select.expressions[position].replace(exp.alias_(p.copy(), name, quoted=True))
    del node_text
    for key in ("joins", "where"):
        select.set(key, None)
    select.set("from_", exp.From(this=derived(inner, inner_name)))
    match = exp.Anonymous(this=SPREAD, expressions=[column(list_name, inner_name), column("element", element)])
    table = exp.to_table(SPREAD)
    table.set("alias", exp.TableAlias(this=exp.to_identifier(element, quoted=True)))
    select.append("joins", exp.Join(this=table, kind="INNER", on=match))
