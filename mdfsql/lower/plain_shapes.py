"""The shape of a query: joins, limits, literals and names that engines share."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.plain_limits import limit, rows
from mdfsql.lower.rules import each, kind, number, refuse
from mdfsql.lower.shapes import identity
from mdfsql.lower.split_selects import keys_of_all
from mdfsql.lower.value_types import common

__all__ = ["plain_shapes"]


def plain_shapes(tree: exp.Expr) -> exp.Expr:
    """Joins and limits that not every engine has are refused; hints about layout stay."""
    return each(tree, RULES)


JOIN_KINDS = frozenset({"", "INNER", "CROSS", "OUTER", "SEMI", "ANTI"})
JOIN_SIDES = frozenset({"", "LEFT", "RIGHT", "FULL"})


def _join(node: Any) -> exp.Expr | None:
    if node.method.upper() == "POSITIONAL":
        why = "rows stand beside each other by their order, which a table does not have there"
        refuse("POSITIONAL JOIN", why, "a join ON row_number() OVER (ORDER BY ...)")
    if node.method:
        refuse(f"{node.method.upper()} JOIN", "Spark has no such join", "a join ON what the rows share")
    strange = node.is_semi_or_anti_join and node.side.upper() not in ("", "LEFT")
    if strange or node.kind.upper() not in JOIN_KINDS or node.side.upper() not in JOIN_SIDES:
        refuse(f"{node.side} {node.kind} JOIN", "it is not shown to agree there")
    if node.args.get("using"):
        refuse("JOIN USING of this form", "its columns could not be resolved", "JOIN ... ON")
    if node.args.get("pivots") or node.args.get("match_condition"):
        refuse("PIVOT in a join", "it is not shown to agree there")
    return None


def _count(node: Any) -> exp.Expr | None:
    return exp.Count(this=exp.Star(), big_int=True) if node.this is None and not node.expressions else None


def _alone(node: Any) -> exp.Expr | None:
    return None if node.expressions else node.this.copy()


def _with(node: Any) -> None:
    if node.recursive:
        refuse("WITH RECURSIVE", "Spark has it from 4.1 on only, for 100 levels", "the levels one by one, or range()")


def _cte(node: Any) -> None:
    node.set("materialized", None)
    _distinct_names(node.this)


def _subquery(node: Any) -> None:
    if isinstance(node.parent, (exp.From, exp.Join)):
        _distinct_names(node.this)


def _distinct_names(query: Any) -> None:
    names = [name.lower() for name in query.named_selects] if isinstance(query, exp.Query) else []
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        refuse(f"two columns of the name {double} in an inner query", "Spark takes them for one", "AS, for one of them")


def _values(node: Any) -> None:
    alias = node.args.get("alias")
    if alias is None or not alias.columns:
        refuse("VALUES without column names", "Spark names them in another way", "(VALUES ...) AS t(a, b)")
    if node.find(exp.Column, exp.Query):
        refuse("VALUES of what is no constant", "Spark takes constants only", "SELECT ... UNION ALL SELECT ...")
    for column in zip(*(row.expressions for row in node.expressions), strict=True):
        kinds = {kind(value) for value in column} - {"null"}
        if len(kinds) < 2:
            continue
        together = common([value.type for value in column])
        if together is None or not kinds <= NUMBERS:
            why = "engines convert one to the other each in its own way"
            refuse("VALUES of mixed types in one column", why, "CAST", node=column[0])
        for value in column:
            made = exp.Cast(this=value.copy(), to=together.copy())
            made.type = together
            value.replace(made)


NUMBERS = {"int", "decimal", "float", "double"}


def _tuple(node: Any) -> None:
    parent = node.parent
    if isinstance(parent, (exp.Values, exp.GroupingSets, exp.Cube, exp.Rollup)):
        return
    if isinstance(parent, exp.In) and parent.args.get("query") is not None:
        return
    if isinstance(parent, exp.Count) or (isinstance(parent, exp.Distinct) and isinstance(parent.parent, exp.Count)):
        return
    if isinstance(parent, exp.Group) and not node.expressions:
        return
    refuse("a row of values (a, b)", "it is not shown to agree there", "compare the columns one by one")


def _is(node: Any) -> exp.Expr | None:
    """IS TRUE of a number, which is a truth in the reference alone."""
    found = kind(node.this)
    if not isinstance(node.expression, exp.Boolean) or found in ("bool", "null"):
        return None
    if found != "int":
        refuse(f"IS TRUE of {found.upper()}", "it is not shown to agree there", "a comparison")
    truth = exp.NEQ(this=node.this.copy(), expression=number(0))
    truth.type = node.type
    return exp.Is(this=exp.Paren(this=truth), expression=node.expression.copy())


def _literal(node: Any) -> None:
    if not node.is_string and kind(node) == "unknown":
        refuse(f"the number {node.this}", "it has more digits than 64 bits hold")


def _ordered(node: Any) -> None:
    if kind(node.this) in ("map", "interval"):
        refuse(f"ORDER BY of {kind(node.this).upper()}", "it is not shown to agree there")
    if node.args.get("with_fill"):
        refuse("ORDER BY WITH FILL", "it is not shown to agree there")


def _table(node: Any) -> None:
    if not isinstance(node.this, exp.Identifier):
        refuse(f"{node.this.sql('duckdb')[:60]} as a table", "it is not shown to agree there")
    if node.args.get("when") or node.args.get("version"):
        refuse("a version of a table", "it is not shown to agree there")


def _select(node: Any) -> None:
    _named_windows(node)
    _distinct_order(node)
    _order_of_aggregates(node)
    group = node.args.get("group")
    if group is not None and group.args.get("all") is True and not keys_of_all(node.selects):
        node.set("group", None)
    for name in ("sample", "into", "locks", "connect", "match", "cluster", "distribute", "sort"):
        if node.args.get(name):
            refuse(f"{name.upper()} in SELECT", "it is not shown to agree there")


def _order_of_aggregates(node: Any) -> None:
    """Order by an output's name where its aggregate is written again: what it becomes may be no single call."""
    order, having = node.args.get("order"), node.args.get("having")
    if order is None:
        return
    outputs = {identity(output.unalias()): output for output in node.selects if output.find(exp.AggFunc)}
    for key in order.expressions:
        found = outputs.get(identity(key.this))
        if found is not None:
            made = exp.column(found.alias_or_name, quoted=True)
            made.type = found.type
            key.set("this", made)
        elif having is not None and key.find(exp.AggFunc):
            why = "Spark does not find its columns after HAVING"
            refuse("ORDER BY of an aggregate that is no output", why, "SELECT it, and ORDER BY its name", node=key)


def _distinct_order(node: Any) -> None:
    """Order the rows of SELECT DISTINCT by their names: all else is gone by then."""
    order = node.args.get("order")
    if order is None or not node.args.get("distinct"):
        return
    outputs = {identity(output.unalias().unnest()): output for output in node.selects}

    def named(part: exp.Expr) -> exp.Expr:
        found = outputs.get(identity(part))
        if found is None:
            return part
        made = exp.column(found.alias_or_name, quoted=True)
        made.type = found.type
        return made

    for key in order.expressions:
        key.set("this", key.this.transform(named))
        if any(found.table for found in key.this.find_all(exp.Column)):
            refuse("DISTINCT ordered by what is no output", "which row it is of is not said", "GROUP BY and min()")


def _named_windows(node: Any) -> None:
    """Write what a named window means where its name stands: Spark reads WINDOW, its typed passes need not."""
    named = {window.name.lower(): window for window in node.args.get("windows") or []}
    if not named:
        return
    for window in node.find_all(exp.Window):
        given = named.get(window.args["alias"].name.lower()) if window.args.get("alias") else None
        if given is not None:
            for part in ("partition_by", "order", "spec"):
                value = given.args.get(part)
                if value and not window.args.get(part):
                    window.set(part, [v.copy() for v in value] if isinstance(value, list) else value.copy())
            window.set("alias", None)
    node.set("windows", None)


RULES: dict[type[exp.Expr], Any] = {
    exp.Select: _select,
    exp.Join: _join,
    exp.Limit: limit,
    exp.Offset: rows,
    exp.Count: _count,
    exp.Greatest: _alone,
    exp.Least: _alone,
    exp.With: _with,
    exp.CTE: _cte,
    exp.Values: _values,
    exp.Tuple: _tuple,
    exp.Is: _is,
    exp.Literal: _literal,
    exp.Subquery: _subquery,
    exp.Ordered: _ordered,
    exp.Table: _table,
}
