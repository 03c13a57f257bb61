"""INTERSECT and EXCEPT, as GROUP BY over UNION ALL."""

from __future__ import annotations

from sqlglot import exp

from mdfsql.lower.shapes import Names, column, derived, queries

__all__ = ["compounds_to_groups"]


def compounds_to_groups(tree: exp.Expr) -> exp.Expr:
    """INTERSECT and EXCEPT count how often each row stands on each side, since dask-sql has neither with NULLs.

    With ALL, the copies of a row are numbered on each side, so that the n-th meets the n-th.
    """
    names = Names(tree, "_g")
    holder = exp.Subquery(this=tree) if isinstance(tree, exp.SetOperation) else None
    # Inner ones first: an outer one copies them.
    for query in reversed(list(queries(tree))):
        if isinstance(query, (exp.Intersect, exp.Except)) and not query.args.get("by_name"):
            query.replace(_grouped(query, names))
    return holder.this if holder is not None else tree


def _grouped(query: exp.SetOperation, names: Names) -> exp.Select:
    outputs = [s.alias_or_name for s in query.selects]
    made = [names.new() for _ in outputs]
    side, number = names.new(), names.new()
    branches = []
    for mark, branch in ((1, query.this), (2, query.expression)):
        own = names.new()
        inner = branch.unnest() if isinstance(branch, exp.Subquery) else branch
        assert isinstance(inner, exp.Query)
        named = [s.alias_or_name for s in inner.selects]
        columns = [column(n, own) for n in named]
        select = exp.Select(
            expressions=[
                *(exp.alias_(c, m, quoted=True) for c, m in zip(columns, made, strict=True)),
                exp.alias_(exp.Literal.number(mark), side, quoted=True),
            ],
            from_=exp.From(this=derived(inner.copy(), own)),
        )
        branches.append(select)
    both: exp.Query = exp.Union(this=branches[0], expression=branches[1], distinct=False)
    if not query.args.get("distinct", True):
        # Numbered in the types that both sides share: values that differ in their own may be one there.
        own = names.new()
        columns = [column(m, own) for m in (*made, side)]
        window = exp.Window(this=exp.RowNumber(), partition_by=[c.copy() for c in columns], over="OVER")
        both = exp.Select(
            expressions=[*columns, exp.alias_(window, number, quoted=True)],
            from_=exp.From(this=derived(both, own)),
        )
    name = names.new()

    def count(mark: int) -> exp.Expr:
        mine = exp.EQ(this=column(side, name), expression=exp.Literal.number(mark))
        return exp.CountIf(this=mine)

    zero = exp.Literal.number(0)
    right: exp.Expr = exp.GT(this=count(2), expression=zero.copy())
    if isinstance(query, exp.Except):
        right = exp.EQ(this=count(2), expression=zero.copy())
    keys = [column(m, name) for m in made]
    group = keys if query.args.get("distinct", True) else [*keys, column(number, name)]
    return exp.Select(
        expressions=[exp.alias_(k.copy(), o, quoted=True) for k, o in zip(keys, outputs, strict=True)],
        from_=exp.From(this=derived(both, name)),
        group=exp.Group(expressions=group),
        having=exp.Having(this=exp.and_(exp.GT(this=count(1), expression=zero), right)),
        with_=query.args.get("with_"),
        order=query.args.get("order"),
        limit=query.args.get("limit"),
        offset=query.args.get("offset"),
    )
