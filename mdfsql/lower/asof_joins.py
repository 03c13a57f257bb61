"""ASOF joins: each row beside the one of the other table that comes nearest before it."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.collected import count_of
from mdfsql.lower.rules import is_null, number, refuse, text, there, truth
from mdfsql.lower.shapes import Names, column, conjoin, conjuncts, contains_query, derived, own_columns

__all__ = ["asof_join", "is_asof"]


def is_asof(join: exp.Join) -> bool:
    """Tell whether a join is an ASOF JOIN."""
    return join.method.upper() == "ASOF"


# Each comparison with its sides turned round.
TURNED: dict[type[exp.Expr], type[exp.Binary]] = {exp.GTE: exp.LTE, exp.GT: exp.LT, exp.LTE: exp.GTE, exp.LT: exp.GT}
# Under this key a join keeps that it was USING, whose last column is then one that is compared.
MERGES = "mdf_merges"

TIE = "ASOF JOIN: rows that differ are equally near, and which one is taken is not said; leave one, by QUALIFY"


def asof_join(join: Any, names: Names) -> None:
    """Make an ASOF JOIN one with the rows up to whose next one a value reaches, in place.

    Of rows that are equally near, the reference takes any: where they differ in what the query reads, it raises.
    """
    if join.side.upper() not in ("", "LEFT") or join.kind.upper() not in ("", "INNER", "OUTER"):
        refuse(f"ASOF {join.side or join.kind} JOIN", "it is not shown to agree there", "ASOF JOIN or ASOF LEFT JOIN")
    table = join.this.alias_or_name
    select = join.find_ancestor(exp.Select)
    if (
        not isinstance(join.this, (exp.Table, exp.Subquery, exp.Values))
        or select is None
        or join.this.args.get("joins")
    ):
        refuse("ASOF JOIN with what is no table", "it is not shown to agree there", "a subquery")
    equal, nearest, own, others = _conditions(join, table)
    operator, at, there_ = nearest
    read = {found.name: found.copy() for part in select.iter_expressions() for found in own_columns(part, {table})}
    key_names = [names.new() for _ in equal]
    at_name, next_name, tied_name, inner = (names.new() for _ in range(4))
    source = exp.Select(
        expressions=[
            *(exp.alias_(found, name, quoted=True) for name, found in read.items()),
            *(exp.alias_(right.copy(), name, quoted=True) for (_, right), name in zip(equal, key_names, strict=True)),
            exp.alias_(there_.copy(), at_name, quoted=True),
        ],
        from_=exp.From(this=join.this.copy()),
        where=exp.Where(this=conjoin([there(there_), *own])),
        distinct=exp.Distinct(),
    )
    keys = [column(name, inner) for name in key_names]
    down = issubclass(operator, (exp.LT, exp.LTE))
    order = exp.Order(expressions=[exp.Ordered(this=column(at_name, inner), desc=down, nulls_first=False)])
    following = exp.Window(
        this=exp.Lead(this=column(at_name, inner)), partition_by=[key.copy() for key in keys], order=order
    )
    same = exp.Window(
        this=count_of(exp.Star()),
        partition_by=[*(key.copy() for key in keys), column(at_name, inner)],
    )
    outputs = [*read, *key_names, at_name]
    ranged = exp.Select(
        expressions=[
            *(exp.alias_(column(name, inner), name, quoted=True) for name in outputs),
            exp.alias_(following, next_name, quoted=True),
            exp.alias_(same, tied_name, quoted=True),
        ],
        from_=exp.From(this=derived(source, inner)),
    )
    beyond = column(next_name, table)
    reaches = exp.And(
        this=operator(this=at.copy(), expression=column(at_name, table)),
        expression=exp.Paren(
            this=exp.Or(
                this=is_null(beyond),
                expression=exp.Not(this=exp.Paren(this=operator(this=at.copy(), expression=beyond.copy()))),
            )
        ),
    )
    tied = exp.GT(this=column(tied_name, table), expression=number(1))
    message = exp.Anonymous(this="error", expressions=[text(TIE)])
    chosen = exp.Case(ifs=[exp.If(this=tied, true=message)], default=truth(True))
    near = exp.Case(ifs=[exp.If(this=reaches, true=chosen)], default=truth(False))
    pairs = zip(equal, key_names, strict=True)
    on = [exp.EQ(this=left.copy(), expression=column(name, table)) for (left, _), name in pairs]
    join.set("method", None)
    join.set("on", conjoin([*on, *others, near]))
    join.set("this", derived(ranged, table))


Sides = tuple[exp.Expr, exp.Expr]


def _conditions(join: Any, table: str) -> tuple[list[Sides], tuple[Any, exp.Expr, exp.Expr], list[Any], list[Any]]:
    """Return the sides that are equal, the comparison with its sides, and what is of one side alone."""
    parts = conjuncts(join.args.get("on"))
    if join.meta.get(MERGES) and parts:
        last: Any = parts.pop()
        parts.append(exp.GTE(this=last.this.copy(), expression=last.expression.copy()))
    equal: list[Sides] = []
    nearest: list[tuple[Any, exp.Expr, exp.Expr]] = []
    own: list[exp.Expr] = []
    others: list[exp.Expr] = []
    for part in parts:
        if contains_query(part):
            refuse("a query in the ON of an ASOF JOIN", "it is not shown to agree there", node=part)
        sides = (part.this, part.expression) if isinstance(part, (exp.EQ, *TURNED)) else ()
        apart = [_side(side, table) for side in sides]
        if _side(part, table) != "both":
            (own if _side(part, table) == "right" else others).append(part.copy())
        elif "both" in apart or not sides:
            refuse("this condition in the ON of an ASOF JOIN", "it is not shown to agree there", "WHERE", node=part)
        else:
            left, right = sides if apart[1] == "right" else (sides[1], sides[0])
            if isinstance(part, exp.EQ):
                equal.append((left, right))
            else:
                nearest.append((type(part) if apart[1] == "right" else TURNED[type(part)], left, right))
    if len(nearest) != 1:
        refuse("ASOF JOIN without one comparison of both tables", "it is not shown to agree there")
    return equal, nearest[0], own, others


def _side(node: exp.Expr, table: str) -> str:
    tables = {found.table == table for found in node.find_all(exp.Column)}
    return "both" if len(tables) == 2 else "right" if tables == {True} else "left"
