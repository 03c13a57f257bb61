"""One row for each element of a list, as a join."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.shapes import Names, aggregates, column, conjoin, conjuncts, derived, identity, own_columns, windows

__all__ = ["SPREAD", "explode_to_joins"]

SPREAD = "spread"
"""The table, and the condition, by which dask-sql sees one row for each element as a join."""

# The clauses of a SELECT that spreads lists; what has others does so in a SELECT around.
PLAIN = frozenset({"expressions", "from_", "joins", "where", "with_", "order", "limit", "offset", "kind", "distinct"})
AROUND = ("with_", "order", "limit", "offset", "kind", "distinct")

LISTS = (exp.Explode, exp.Unnest)


def explode_to_joins(tree: exp.Expr) -> exp.Expr:
    """UNNEST becomes a join with a table of elements, since to dask-sql a row of a SELECT is one row.

    Of several lists, and of WITH ORDINALITY, the positions are spread, and each list is read at those.
    """
    names = Names(tree, "_e")
    for select in list(tree.find_all(exp.Select)):
        _spread_tables(select, names)
    for select in list(tree.find_all(exp.Select)):
        _spread_outputs(select, names)
    return tree


# ---- SELECT unnest(...) ------------------------------------------------------------------------------------------


def _spread_outputs(select: exp.Select, names: Names) -> None:
    found = _own(select, *select.expressions)
    lists = [_list(node) for node in found]
    if not found or any(value is None or _own(select, value) for value in lists):
        return
    if (select.args.get("distinct") or exp.Distinct()).args.get("on"):
        return
    held = {key for key, arg in select.args.items() if arg}
    computed = any(True for p in select.expressions for _ in (*aggregates(p), *windows(p)))
    if not held <= PLAIN or computed or (len(found) > 1 and not all(isinstance(v, exp.Column) for v in lists)):
        rest = [node for key in held - {"expressions", "order"} for node in _nodes(select.args[key])]
        if not _own(select, *rest):
            _wrap(select, names)
        return
    _cross(select)
    name, known = names.new(), [value for value in lists if value is not None]
    if len(found) == 1:
        select.append("joins", _join(known[0].copy(), name))
        found[0].replace(column("element", name))
        return
    select.append("joins", _join(_positions(known), name))
    for node, value in zip(found, known, strict=True):
        node.replace(_at(value, name))


def _wrap(select: exp.Select, names: Names) -> None:
    """Compute all but the rows of lists in a SELECT inside."""
    rows = names.new()
    read: dict[int, exp.Expr] = {}

    def moved(node: exp.Expr) -> exp.Column:
        same = identity(node)
        if same not in read:
            read[same] = exp.alias_(node.copy(), names.new(), quoted=True)
        return column(read[same].alias, rows)

    def shifted(node: exp.Expr) -> exp.Expr:
        if isinstance(node, LISTS):
            value = _list(node)
            assert value is not None
            return exp.Explode(this=moved(value))
        whole = isinstance(node, (exp.Column, exp.Subquery, exp.Window)) or any(node is a for a in aggregates(node))
        if whole or not node.find(*LISTS):
            return node if isinstance(node, (exp.Literal, exp.DataType)) else moved(node)
        for child in list(node.iter_expressions()):
            child.replace(shifted(child))
        return node

    outputs = {p.alias_or_name: p.unalias() for p in select.expressions}
    by_identity = {identity(node): name for name, node in outputs.items() if name}
    keys = []
    order = select.args.get("order")
    for key in order.expressions if order else ():
        if identity(key.this) in by_identity:
            key.set("this", exp.column(by_identity[identity(key.this)], quoted=True))
        elif key.this.find(*LISTS):
            return
        elif not (isinstance(key.this, exp.Literal) or (isinstance(key.this, exp.Column) and not key.this.table)):
            keys.append(key)
    for key in keys:
        key.set("this", moved(key.this))
    expressions = [
        exp.alias_(shifted(p.unalias().copy()), p.alias_or_name or names.new(), quoted=True) for p in select.expressions
    ]
    inner = exp.Select(**{key: arg for key, arg in select.args.items() if arg and key not in AROUND})
    inner.set("expressions", list(read.values()))
    for key in list(select.args):
        if key not in AROUND:
            select.set(key, None)
    select.set("expressions", expressions)
    select.set("from_", exp.From(this=derived(inner, rows)))
    _spread_outputs(select, names)


# ---- FROM unnest(...) --------------------------------------------------------------------------------------------


def _spread_tables(select: exp.Select, names: Names) -> None:
    """Do the same for ``FROM t, UNNEST(t.list) AS u(x)``."""
    from_ = select.args.get("from_")
    if from_ is not None and isinstance(from_.this, exp.Unnest):
        # One row, to which the elements are joined.
        one = exp.Select(expressions=[exp.alias_(exp.Literal.number(1), names.new(), quoted=True)])
        first = exp.Join(this=from_.this)
        select.set("from_", exp.From(this=derived(one, names.new())))
        select.set("joins", [first, *(select.args.get("joins") or [])])
    for join in list(select.args.get("joins") or ()):
        node = join.this
        value = _list(node) if isinstance(node, exp.Unnest) else None
        alias = node.args.get("alias")
        if value is None or not isinstance(alias, exp.TableAlias) or len(alias.columns) != 1 or _own(select, value):
            continue
        place = node.args.get("offset")
        name, counted = alias.columns[0].name, isinstance(place, exp.Identifier)
        if join.side or join.kind.upper() not in ("", "INNER", "CROSS"):
            # The list as a query, which is joined as any other is.
            outputs = [exp.alias_(exp.Explode(this=value.copy()), name, quoted=True)]
            if counted:
                places = exp.Explode(this=_positions([value]))
                outputs.append(exp.alias_(places, place.name, quoted=True))
            query = exp.Subquery(this=exp.Select(expressions=outputs))
            own = exp.TableAlias(this=exp.to_identifier(alias.name, quoted=True))
            join.set("this", exp.Lateral(this=query, alias=own))
            continue
        _cross(select)
        for child in select.iter_expressions():
            for needed in list(own_columns(child, {alias.name})):
                if counted and needed.name == name:
                    needed.replace(_at(value, alias.name))
                else:
                    needed.set("this", exp.to_identifier("element", quoted=True))
        made = _join(_positions([value]) if counted else value.copy(), alias.name)
        made.set("on", conjoin([made.args["on"], *conjuncts(join.args.get("on"))]))
        join.replace(made)


# ---- parts -------------------------------------------------------------------------------------------------------


def _own(select: exp.Select, *nodes: exp.Expr) -> list[exp.Expr]:
    """Return the calls in the nodes that make rows of the SELECT itself."""
    return [n for node in nodes for n in node.find_all(*LISTS) if n.find_ancestor(exp.Select) is select]


def _nodes(arg: Any) -> list[exp.Expr]:
    return [node for node in (arg if isinstance(arg, list) else [arg]) if isinstance(node, exp.Expr)]


def _cross(select: exp.Select) -> None:
    """Make joins of commas, after which a join would not see the tables before them."""
    for join in select.args.get("joins") or ():
        if not (join.side or join.kind or join.method or join.args.get("on")):
            join.set("kind", "CROSS")


def _list(node: exp.Expr) -> exp.Expr | None:
    """Return the list that a call spreads, None where it does more than that."""
    if isinstance(node, exp.Explode):
        return None if node.expressions else node.this
    return node.expressions[0] if len(node.expressions) == 1 else None


def _positions(lists: list[exp.Expr]) -> exp.Expr:
    """Return the positions of the longest of lists."""
    zero, one = exp.Literal.number(0), exp.Literal.number(1)
    sizes = [exp.func("coalesce", exp.Length(this=v.copy()), zero.copy()) for v in lists]
    longest = sizes[0] if len(sizes) == 1 else exp.Greatest(this=sizes[0], expressions=sizes[1:])
    return exp.Anonymous(this="range", expressions=[one.copy(), exp.Add(this=longest, expression=one)])


def _at(value: exp.Expr, name: str) -> exp.Expr:
    return exp.Anonymous(this="list_extract", expressions=[value.copy(), column("element", name)])


def _join(value: exp.Expr, name: str) -> exp.Join:
    table = exp.to_table(SPREAD)
    table.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
    match = exp.Anonymous(this=SPREAD, expressions=[value, column("element", name)])
    return exp.Join(this=table, kind="INNER", on=match)
