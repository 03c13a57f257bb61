"""Aggregates: what they do with NULL, with no rows, with an order, and the type that they give."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.rules import call, cast, each, kind, literal_text, null, number, paren, refuse, there

__all__ = ["exact_aggregates"]


def exact_aggregates(tree: exp.Expr) -> exp.Expr:
    """list() keeps NULL and is NULL for no rows, an ORDER BY inside is kept, avg() of decimals is a DOUBLE."""
    return each(tree, RULES)


NUMBERS = frozenset({"int", "decimal", "double"})
SCALARS = frozenset({"bool", "int", "decimal", "float", "double", "text", "date", "timestamp", "timestamptz", "null"})


def _numeric(*kinds: str, double: bool = False) -> Any:
    """Return a rule for an aggregate of numbers of these kinds, as a DOUBLE where asked."""

    def rule(node: Any) -> exp.Expr | None:
        value = _value(node)
        if kind(value) not in kinds:
            refuse(
                f"{node.sql_name().lower()}() of {kind(value).upper()}",
                "it is not shown to agree there",
                "CAST it to DOUBLE",
            )
        if kind(value) == "bool":
            value.replace(cast(value, "INTEGER"))
        elif double and kind(value) == "decimal":
            value.replace(cast(value, "DOUBLE"))
        return None

    return rule


def _value(node: Any) -> Any:
    inner = node.this
    if isinstance(inner, exp.Distinct):
        if len(inner.expressions) != 1 or inner.args.get("on"):
            refuse(f"{node.sql_name().lower()}(DISTINCT a, b)", "rows with NULL count in another way there")
        return inner.expressions[0]
    if isinstance(inner, exp.Order):
        refuse(f"ORDER BY in {node.sql_name().lower()}()", "it is not shown to agree there")
    return inner


def _count(node: Any) -> None:
    if node.expressions:
        refuse("count() of several values", "rows with NULL count in another way there")
    if not isinstance(node.this, exp.Star):
        value = _value(node)
        if isinstance(value, exp.Tuple):
            # A row is there even if all in it is NULL, which it is not to Spark's count(DISTINCT a, b).
            value.replace(call("STRUCT", *value.expressions, type="STRUCT(a BIGINT)"))


def _count_if(node: Any) -> exp.Expr:
    value = _value(node)
    if kind(value) not in ("bool", "null"):
        refuse(f"count_if() of {kind(value).upper()}", "it is not shown to agree there", "CAST it to BOOLEAN")
    value.replace(cast(value, "INTEGER"))
    # Of no rows, and of NULL alone, it is NULL in the reference, as a sum is; its own is 0.
    made = exp.Sum(this=node.this.copy())
    made.type = node.type
    return made


def _extreme(node: Any) -> None:
    if node.expressions:
        refuse(f"{node.key}() of several values", "it is not shown to agree there")
    if kind(_value(node)) not in SCALARS:
        refuse(f"{node.key}() of {kind(node.this).upper()}", "it is not shown to agree there")


def _filter(node: Any) -> exp.Expr | None:
    """Return the condition of the FILTER that an aggregate stands in, if any."""
    return node.parent.expression.this if isinstance(node.parent, exp.Filter) else None


def _unordered(node: Any) -> tuple[Any, list[Any], bool]:
    """Return what an aggregate takes, its ORDER BY, and whether it is DISTINCT."""
    inner, keys, distinct = node.this, [], False
    if isinstance(inner, exp.Order):
        keys, inner = inner.expressions, inner.this
    if isinstance(inner, exp.Distinct):
        (inner,), distinct = inner.expressions, True
        if isinstance(inner, exp.Order):
            keys, inner = inner.expressions, inner.this
    return inner, keys, distinct


def _collected(
    node: Any, value: exp.Expr, keys: list[Any], distinct: bool, test: exp.Expr | None, what: str
) -> exp.Expr:
    """Return the list of the values in order, NULL where there is none.

    collect_list() drops NULL, so that it collects structs, which are not NULL, and NULL where the test fails.
    """
    _no_window(node, what)
    if distinct and any(key.this != value for key in keys):
        refuse(f"{what} of DISTINCT values in another order than their own", "it is not shown to agree there")
    for key in keys:
        if kind(key.this) not in SCALARS:
            refuse(f"{what} ordered by {kind(key.this).upper()}", "it is not shown to agree there")
    fields = [exp.alias_(value.copy(), "v"), *(exp.alias_(key.this.copy(), f"k{i}") for i, key in enumerate(keys))]
    made: exp.Expr = call("STRUCT", *fields)
    if test is not None:
        made = exp.Case(ifs=[exp.If(this=test.copy(), true=made)])
    made = call("COLLECT_LIST", made)
    if distinct:
        made = call("ARRAY_DISTINCT", made)
    none = exp.EQ(this=call("SIZE", made), expression=exp.Literal.number(0))
    if keys:
        made = exp.Anonymous(this="ARRAY_SORT", expressions=[made, _comparator(keys)])
    values = exp.Anonymous(this="TRANSFORM", expressions=[made, _lambda(["v"], _field("v", "v"))])
    values.type = node.type
    return exp.Case(ifs=[exp.If(this=none, true=null())], default=values)


def _lambda(names: list[str], body: exp.Expr) -> exp.Expr:
    return exp.Lambda(this=body, expressions=[exp.to_identifier(name) for name in names])


def _field(name: str, field: str) -> exp.Expr:
    return exp.Dot(this=exp.to_identifier(name), expression=exp.to_identifier(field))


def _comparator(keys: list[Any]) -> exp.Expr:
    """Return the lambda that compares two structs by their keys as ORDER BY does."""
    ifs: list[exp.If] = []

    def branch(test: exp.Expr, result: int) -> None:
        value: exp.Expr = exp.Literal.number(abs(result))
        ifs.append(exp.If(this=test, true=exp.Neg(this=value) if result < 0 else value))

    for i, key in enumerate(keys):
        left, right = _field("a", f"k{i}"), _field("b", f"k{i}")
        down = bool(key.args.get("desc"))
        nulls = -1 if key.args.get("nulls_first") else 1
        left_null = exp.Is(this=left.copy(), expression=exp.Null())
        right_null = exp.Is(this=right.copy(), expression=exp.Null())
        some = exp.Not(this=exp.Is(this=right.copy(), expression=exp.Null()))
        branch(exp.And(this=left_null.copy(), expression=some), nulls)
        branch(exp.And(this=exp.Not(this=left_null), expression=right_null), -nulls)
        branch(exp.LT(this=left.copy(), expression=right.copy()), 1 if down else -1)
        branch(exp.GT(this=left, expression=right), -1 if down else 1)
    return _lambda(["a", "b"], exp.Case(ifs=ifs, default=exp.Literal.number(0)))


def _no_window(node: Any, what: str) -> None:
    parent = node.parent.parent if isinstance(node.parent, exp.Filter) else node.parent
    if isinstance(parent, exp.Window):
        refuse(f"{what} OVER a window", "it is not shown to agree there")


def _list(node: Any) -> exp.Expr:
    value, keys, distinct = _unordered(node)
    return _collected(node, value, keys, distinct, _filter(node), "list()")


def _joined(node: Any) -> exp.Expr:
    value, keys, distinct = _unordered(node)
    separator = literal_text(node.args.get("separator")) if node.args.get("separator") else ","
    if separator is None:
        refuse("string_agg() with a separator that is no constant", "it is not shown to agree there")
    if kind(value) not in ("text", "null"):
        refuse(f"string_agg() of {kind(value).upper()}", "it is not shown to agree there", "CAST it to VARCHAR")
    # NULL takes no part, and no separator with it.
    test: exp.Expr = there(value)
    condition = _filter(node)
    if condition is not None:
        test = exp.And(this=test, expression=exp.Paren(this=condition.copy()))
    values = _collected(node, value, keys, distinct, test, "string_agg()")
    return call("ARRAY_JOIN", values, separator, type="VARCHAR")


def _unfiltered(node: Any) -> exp.Expr | None:
    """The condition is inside of the list already: what cannot take a FILTER loses it."""
    return node.this.copy() if not isinstance(node.this, (exp.AggFunc, exp.Anonymous)) or _is_made(node.this) else None


def _is_made(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and node.name == "ARRAY_JOIN"


def _best(name: str) -> Any:
    def rule(node: Any) -> exp.Expr:
        value, by = node.this, node.expression
        if node.args.get("count") is not None:
            refuse(f"{name.lower()}() of several rows", "it is not shown to agree there")
        if kind(by) not in SCALARS:
            refuse(f"{name.lower()}() by {kind(by).upper()}", "it is not shown to agree there")
        # Rows whose value is NULL take no part in the reference.
        chosen = exp.Case(ifs=[exp.If(this=there(value), true=by.copy())])
        made = call(name, value, chosen)
        made.type = node.type
        return made

    return rule


def _median(node: Any) -> exp.Expr:
    return _quantile(node, node.this, exp.Literal.number("0.5"), "median()")


def _quantile(node: Any, value: exp.Expr, share: exp.Expr, what: str) -> exp.Expr:
    if kind(value) not in ("int", "double"):
        refuse(f"{what} of {kind(value).upper()}", "it is not shown to agree there", "CAST it to DOUBLE")
    if not isinstance(share, exp.Literal) or share.is_string or not 0 <= float(share.this) <= 1:
        refuse(f"{what} at a share that is no constant between 0 and 1", "it is not shown to agree there")
    return call("PERCENTILE", value, share, type="DOUBLE")


def _percentile(node: Any) -> exp.Expr | None:
    if isinstance(node.parent, exp.WithinGroup):
        return None
    return _quantile(node, node.this, node.expression, "quantile_cont()")


def _within(node: Any) -> exp.Expr:
    if not isinstance(node.this, exp.PercentileCont):
        refuse("WITHIN GROUP of this function", "it is not shown to agree there")
    (key,) = node.expression.expressions
    if key.args.get("desc"):
        refuse("percentile_cont() in descending order", "it is not shown to agree there")
    return _quantile(node, key.this, node.this.this, "percentile_cont()")


def _deviation(name: str) -> Any:
    def rule(node: Any) -> exp.Expr:
        value = node.this
        if kind(value) not in NUMBERS:
            refuse(f"{name.lower()}() of {kind(value).upper()}", "it is not shown to agree there", "CAST it to DOUBLE")
        return call(name, cast(value, "DOUBLE"), type="DOUBLE")

    return rule


def _grouping(node: Any) -> exp.Expr:
    """Return the bits as a BIGINT, the first column's in front; Spark's grouping() is a TINYINT of one column."""
    query = node.find_ancestor(exp.Select)
    group = query.args.get("group") if query is not None else None
    if group is None or not group.find(exp.GroupingSets, exp.Cube, exp.Rollup):
        return number(0)
    bits = [exp.Grouping(expressions=[key.copy()]) for key in node.expressions]
    made = cast(bits[0], "BIGINT")
    for bit in bits[1:]:
        made = exp.Add(this=exp.Mul(this=paren(made), expression=number(2)), expression=cast(bit, "BIGINT"))
        made.type = made.left.type = node.type
    return paren(made)


def _any(node: Any) -> None:
    refuse(f"{node.key}()", "which row it takes is not the same everywhere", "min(), max() or arg_min(x, order)")


RULES: dict[type[exp.Expr], Any] = {
    exp.Count: _count,
    exp.CountIf: _count_if,
    exp.Sum: _numeric("bool", "int", "decimal", "double", "float"),
    exp.Avg: _numeric("int", "decimal", "double", "float", double=True),
    exp.Min: _extreme,
    exp.Max: _extreme,
    exp.ArrayAgg: _list,
    exp.GroupConcat: _joined,
    exp.ArgMin: _best("MIN_BY"),
    exp.ArgMax: _best("MAX_BY"),
    exp.Median: _median,
    exp.PercentileCont: _percentile,
    exp.WithinGroup: _within,
    exp.Stddev: _deviation("STDDEV_SAMP"),
    exp.StddevSamp: _deviation("STDDEV_SAMP"),
    exp.StddevPop: _deviation("STDDEV_POP"),
    exp.Variance: _deviation("VAR_SAMP"),
    exp.VariancePop: _deviation("VAR_POP"),
    exp.Filter: _unfiltered,
    exp.Grouping: _grouping,
    exp.First: _any,
    exp.Last: _any,
    exp.AnyValue: _any,
}
