"""GROUPING SETS, as GROUP BY over one copy of each row for each set."""

from __future__ import annotations

from sqlglot import exp

from mdfsql.lower.shapes import Names, aggregates, column, derived, identity, is_fixed, own_columns, source_names
from mdfsql.lower.split_selects import grouping_keys

__all__ = ["sets_to_rows"]


def sets_to_rows(tree: exp.Expr) -> exp.Expr:
    """GROUPING SETS copy each row for each set, and group by the set's number and the keys that it has.

    SELECT k, sum(x) ... GROUP BY GROUPING SETS ((k), ()) groups by CASE WHEN set = 0 THEN k END, whose other sets are
    NULL. The sets are written out already, with the total of no rows.
    """
    names = Names(tree, "_r")
    for select in list(tree.find_all(exp.Select)):
        group = select.args.get("group")
        if group is not None and group.find(exp.GroupingSets):
            _spread(select, group, names)
    return tree


def _spread(select: exp.Select, group: exp.Group, names: Names) -> None:
    (sets,) = group.expressions
    wanted = [[identity(key) for key in keys.expressions] for keys in sets.expressions]
    keys = grouping_keys(group)
    rows, number = names.new(), names.new()
    read: dict[int, exp.Expr] = {}
    tables = source_names(select)

    def moved(node: exp.Expr) -> exp.Column:
        same = identity(node)
        if same not in read:
            read[same] = exp.alias_(node.copy(), names.new(), quoted=True)
        return column(read[same].alias, rows)

    def among(numbers: list[int]) -> exp.Expr:
        return exp.In(this=column(number, rows), expressions=[exp.Literal.number(n) for n in numbers])

    def masked(key: exp.Expr) -> exp.Expr:
        holding = [n for n, keys in enumerate(wanted) if identity(key) in keys]
        return exp.Case(ifs=[exp.If(this=among(holding), true=moved(key))])

    def bits(call: exp.Expr) -> exp.Expr:
        """Return what GROUPING gives: a bit for each key, set where the key is left out."""
        asked = [identity(key.unnest()) for key in call.expressions]
        values = [sum(1 << k for k, key in enumerate(reversed(asked)) if key not in keys) for keys in wanted]
        branches = [
            exp.If(this=among([n for n, own in enumerate(values) if own == value]), true=exp.Literal.number(value))
            for value in sorted(set(values))
        ]
        return exp.Paren(this=exp.Cast(this=exp.Case(ifs=branches), to=exp.DataType.build("BIGINT")))

    of_key = {identity(key): masked(key) for key in keys}

    def change(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Grouping):
            return bits(node)
        if any(node is found for found in aggregates(node)):
            for needed in list(own_columns(node, tables)):
                needed.replace(moved(needed))
            return node
        key = of_key.get(identity(node)) if not is_fixed(node) else None
        return key.copy() if key is not None else node

    outputs = [
        exp.alias_(p.unalias().copy().transform(change), p.alias_or_name, quoted=True) for p in select.expressions
    ]
    inner = exp.Select(**{part: select.args.get(part) for part in ("from_", "joins", "where", "laterals")})
    numbers = exp.Array(expressions=[exp.Literal.number(n) for n in range(len(wanted))])
    inner.set("expressions", [*read.values(), exp.alias_(exp.Explode(this=numbers), number, quoted=True)])
    for part in ("joins", "where", "laterals"):
        select.set(part, None)
    select.set("expressions", outputs)
    select.set("from_", exp.From(this=derived(inner, rows)))
    select.set("group", exp.Group(expressions=[column(number, rows), *of_key.values()]))
