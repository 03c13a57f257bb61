"""LIMIT n%: as many rows as that is of all."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.collected import count_of
from mdfsql.lower.moments import operated
from mdfsql.lower.rules import cast, integer, number, refuse, truth
from mdfsql.lower.shapes import Names, column, derived, windows

__all__ = ["is_percent", "percent_limit"]


def is_percent(limit: exp.Limit) -> bool:
    """Tell whether a limit is a percentage."""
    options = limit.args.get("limit_options")
    return options is not None and bool(options.args.get("percent")) and not options.args.get("with_ties")


def percent_limit(limit: exp.Limit, names: Names) -> exp.Select:
    """Return the query of a LIMIT n% with conditions on the row's number and on the number of all rows."""
    query: Any = limit.parent
    share = _share(limit.expression)
    order, offset, with_ = query.args.get("order"), query.args.get("offset"), query.args.get("with_")
    skipped = integer(offset.expression) if offset is not None else 0
    if skipped is None or not isinstance(query, exp.Query):
        refuse("OFFSET of what is no constant number", "it is not shown to agree there")
    inner = query.copy()
    for part in ("order", "limit", "offset", "with_"):
        inner.set(part, None)
    name, place, total = names.new(), names.new(), names.new()
    outputs = [output.alias_or_name for output in query.selects]
    keys = [key.copy() for key in order.expressions] if order is not None else []
    if not isinstance(inner, exp.Select) or inner.args.get("distinct"):
        rows = names.new()
        for key in keys:
            for found in list(key.find_all(exp.Column)):
                found.replace(column(found.name, rows))
        inner = exp.Select(
            expressions=[exp.alias_(column(output, rows), output, quoted=True) for output in outputs],
            from_=exp.From(this=derived(inner, rows)),
        )
    else:
        by_name = {output.alias_or_name: output.unalias() for output in inner.selects}
        for key in keys:
            for found in list(key.find_all(exp.Column)):
                if not found.table and found.name in by_name:
                    found.replace(exp.Paren(this=by_name[found.name].copy()))
    if any(True for key in keys for _ in windows(key)):
        refuse("LIMIT n% in the order of a window function", "windows are not nested there", "a subquery")
    over = exp.Order(expressions=keys or [exp.Ordered(this=truth(True), nulls_first=False)])
    numbered = exp.Window(this=exp.RowNumber(), order=over)
    counted = exp.Window(this=count_of(exp.Star()))
    inner.append("expressions", exp.alias_(numbered, place, quoted=True))
    inner.append("expressions", exp.alias_(counted, total, quoted=True))
    # The reference rounds down what it computes as a DOUBLE.
    scaled = operated(exp.Mul, cast(column(total, name), "DOUBLE"), number(share / 100), "DOUBLE")
    most = cast(exp.Floor(this=scaled), "BIGINT")
    test = exp.LTE(this=column(place, name), expression=operated(exp.Add, most, skipped))
    made = exp.Select(
        expressions=[exp.alias_(column(output, name), output, quoted=True) for output in outputs],
        from_=exp.From(this=derived(inner, name)),
        where=exp.Where(this=exp.and_(test, exp.GT(this=column(place, name), expression=number(skipped)), copy=False)),
    )
    if keys:
        made.set("order", exp.Order(expressions=[exp.Ordered(this=column(place, name), nulls_first=False)]))
    made.set("with_", with_)
    return made


def _share(value: Any) -> float:
    plain = isinstance(value, exp.Literal) and not value.is_string
    if not plain or not 0 <= float(value.this) <= 100:
        refuse("LIMIT of a percentage that is no constant from 0 to 100", "it is not shown to agree there")
    return float(value.this)
