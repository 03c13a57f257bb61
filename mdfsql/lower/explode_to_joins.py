"""One row for each element of a list, as a join."""

from __future__ import annotations

from sqlglot import exp

from mdfsql.lower.shapes import Names, aggregates, column, own_columns, queries, windows

__all__ = ["SPREAD", "explode_to_joins"]

SPREAD = "spread"
"""The table, and the condition, by which dask-sql sees one row for each element as a join."""

# The clauses of a SELECT that spreads a list.
PLAIN = frozenset({"expressions", "from_", "joins", "where", "with_", "order", "limit", "offset", "kind"})


def explode_to_joins(tree: exp.Expr) -> exp.Expr:
    """UNNEST becomes a join with a table of elements, since to dask-sql a row of a SELECT is one row."""
    names = Names(tree, "_e")
    for query in list(queries(tree)):
        if isinstance(query, exp.Select):
            _spread_output(query, names)
            _spread_tables(query)
    return tree


def _spread_output(select: exp.Select, names: Names) -> None:
    found = [node for p in select.expressions for node in p.find_all(exp.Explode, exp.Unnest)]
    held = {key for key, arg in select.args.items() if arg}
    if (
        len(found) != 1
        or not held <= PLAIN
        or any(True for p in select.expressions for _ in (*aggregates(p), *windows(p)))
    ):
        return
    (node,) = found
    value = _list(node)
    if value is None or node.find_ancestor(exp.Select) is not select:
        return
    for join in select.args.get("joins") or ():
        if not (join.side or join.kind or join.method or join.args.get("on")):
            join.set("kind", "CROSS")
    name = names.new()
    node.replace(column("element", name))
    select.append("joins", _join(value.copy(), name))


def _spread_tables(select: exp.Select) -> None:
    """Do the same for ``FROM t, UNNEST(t.list) AS u(x)``."""
    for join in select.args.get("joins") or ():
        node = join.this.this if isinstance(join.this, exp.Lateral) else join.this
        value = _list(node) if isinstance(node, exp.Unnest) else None
        alias = join.this.args.get("alias")
        if value is None or join.side or join.args.get("on") or not isinstance(alias, exp.TableAlias):
            continue
        for child in select.iter_expressions():
            for needed in list(own_columns(child, {alias.name})):
                needed.set("this", exp.to_identifier("element", quoted=True))
        join.replace(_join(value.copy(), alias.name))


def _list(node: exp.Expr) -> exp.Expr | None:
    """Return the list that a call spreads, None where it does more than that."""
    if isinstance(node, exp.Explode):
        return None if node.expressions else node.this
    return node.expressions[0] if len(node.expressions) == 1 and not node.args.get("offset") else None


def _join(value: exp.Expr, name: str) -> exp.Join:
    table = exp.to_table(SPREAD)
    table.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
    match = exp.Anonymous(this=SPREAD, expressions=[value, column("element", name)])
    return exp.Join(this=table, kind="INNER", on=match)
