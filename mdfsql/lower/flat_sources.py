"""Joins in parentheses, UNION BY NAME, and WITH inside of a query."""

from __future__ import annotations

from sqlglot import exp

from mdfsql.lower.shapes import Names, column, derived, identity, outer_columns, own_columns

__all__ = ["flat_sources"]


def flat_sources(tree: exp.Expr) -> exp.Expr:
    """Joins in parentheses become queries, or the first of the joins; UNION BY NAME lists its columns in one order.

    A common table of an inner query gets a name of its own, and goes into the outermost query.
    """
    names = Names(tree, "_p")
    for with_ in reversed(list(tree.find_all(exp.With))):
        _own_names(with_, names)
        if isinstance(tree, exp.Query):
            _outwards(with_, tree)
    for union in reversed(list(tree.find_all(exp.Union))):
        if union.args.get("by_name"):
            _in_order(union, names)
    for select in list(tree.find_all(exp.Select)):
        _flat(select, names)
    return tree


def _own_names(with_: exp.With, names: Names) -> None:
    for number, cte in enumerate(with_.expressions):
        cte.set("materialized", None)
        if with_.parent is None or with_.parent.parent is None or with_.args.get("recursive"):
            continue
        old, new = cte.alias, names.new()
        # Up to its own definition, the name is that of another table.
        before = {id(table) for one in with_.expressions[: number + 1] for table in one.find_all(exp.Table)}
        for table in with_.parent.find_all(exp.Table):
            if table.name == old and id(table) not in before:
                if not table.alias:
                    table.set("alias", exp.TableAlias(this=exp.to_identifier(old, quoted=True)))
                table.set("this", exp.to_identifier(new, quoted=True))
        cte.set("alias", exp.TableAlias(this=exp.to_identifier(new, quoted=True), columns=cte.args["alias"].columns))


def _outwards(with_: exp.With, tree: exp.Query) -> None:
    """Move common tables that read nothing around them to the outermost query, before the one that they are in."""
    if with_.parent is tree or with_.args.get("recursive") or any(outer_columns(cte.this) for cte in with_.expressions):
        return
    first: exp.Expr | None = with_.find_ancestor(exp.CTE)
    while first is not None and first.find_ancestor(exp.CTE) is not None:
        first = first.find_ancestor(exp.CTE)
    assert with_.parent is not None
    with_.parent.set("with_", None)
    outermost = tree.args.get("with_")
    known = outermost.expressions if outermost is not None else []
    place = known.index(first) if first is not None and first in known else len(known)
    ctes = [*known[:place], *with_.expressions, *known[place:]]
    recursive = outermost.args.get("recursive") if outermost is not None else None
    tree.set("with_", exp.With(expressions=ctes, recursive=recursive))


def _in_order(union: exp.Union, names: Names) -> None:
    sides = [[s.alias_or_name for s in side.selects] for side in (union.this, union.expression)]
    if any(len({name.lower() for name in own}) != len(own) for own in sides):
        return
    wanted = list(dict.fromkeys([*sides[0], *sides[1]]))
    for part, own in zip(("this", "expression"), sides, strict=True):
        name = names.new()
        outputs = [column(output, name) if output in own else exp.Null() for output in wanted]
        query = union.args[part]
        rows = query.this if isinstance(query, exp.Subquery) else query
        select = exp.Select(
            expressions=[exp.alias_(node, output, quoted=True) for node, output in zip(outputs, wanted, strict=True)],
            from_=exp.From(this=derived(rows, name)),
        )
        union.set(part, select)
    union.set("by_name", None)


def _flat(select: exp.Select, names: Names) -> None:
    from_ = select.args.get("from_")
    inner = _joined(from_.this) if from_ is not None else None
    while from_ is not None and inner is not None:
        joins = inner.args.pop("joins")
        from_.set("this", inner)
        select.set("joins", [*joins, *(select.args.get("joins") or [])])
        inner = _joined(from_.this)
    for join in select.args.get("joins") or ():
        inner = _joined(join.this)
        if inner is None:
            continue
        joins = inner.args.pop("joins")
        name = names.new()
        rows = exp.Select(from_=exp.From(this=inner), joins=joins)
        tables = {source.alias_or_name for source in (inner, *(one.this for one in joins))}
        join.set("this", derived(rows, name))
        read: dict[int, exp.Expr] = {}
        for child in list(select.iter_expressions()):
            for found in list(own_columns(child, tables)):
                same = identity(found)
                if same not in read:
                    read[same] = exp.alias_(found.copy(), names.new(), quoted=True)
                found.replace(column(read[same].alias, name))
        rows.set("expressions", list(read.values()) or [exp.alias_(exp.true(), names.new(), quoted=True)])
        _flat(rows, names)


def _joined(source: exp.Expr) -> exp.Expr | None:
    """Return the first of the tables in parentheses that are joined there, None where there are none."""
    inner = source.this if isinstance(source, exp.Subquery) and not source.alias else None
    return inner if inner is not None and not isinstance(inner, exp.Select) and inner.args.get("joins") else None
