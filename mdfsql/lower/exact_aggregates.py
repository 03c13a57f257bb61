"""Aggregates: what they do with NULL, with no rows, with an order, and the type that they give."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.collected import WHOLE, collected, filter_of, kept, spread_window, unordered, whole
from mdfsql.lower.exact_avg import exact_avg, is_wide
from mdfsql.lower.list_aggregates import spelled
from mdfsql.lower.ordered_aggregates import ORDERED_AGGREGATES
from mdfsql.lower.pair_aggregates import PAIR_AGGREGATES, product, standard_error
from mdfsql.lower.quantiles import mad
from mdfsql.lower.rules import call, cast, each, kind, literal_text, number, paren, refuse, there
from mdfsql.lower.shape_aggregates import SHAPES, entropy, histogram, population_kurtosis

__all__ = ["NAMED_AGGREGATES", "exact_aggregates"]


def exact_aggregates(tree: exp.Expr) -> exp.Expr:
    """list() keeps NULL and is NULL for no rows, an ORDER BY inside is kept, avg() of decimals is a DOUBLE."""
    return each(tree, RULES)


NUMBERS = frozenset({"int", "decimal", "double"})


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


def _avg(node: Any) -> exp.Expr | None:
    if not is_wide(node):
        plain: exp.Expr | None = _numeric("int", "decimal", "double", "float", double=True)(node)
        return plain
    value = _value(node)
    value.replace(kept(node, value))
    return whole(exact_avg(node))


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


def _list(node: Any) -> exp.Expr:
    value, keys, distinct = unordered(node)
    return collected(node, value, keys, distinct, filter_of(node), "list()")


def _joined(node: Any) -> exp.Expr:
    value, keys, distinct = unordered(node)
    separator = literal_text(node.args.get("separator")) if node.args.get("separator") else ","
    if separator is None:
        refuse("string_agg() with a separator that is no constant", "it is not shown to agree there")
    # NULL takes no part, and no separator with it.
    test: exp.Expr = there(value)
    condition = filter_of(node)
    if condition is not None:
        test = exp.And(this=test, expression=exp.Paren(this=condition.copy()))
    values = collected(node, value, keys, distinct, test, "string_agg()")
    made = call("ARRAY_JOIN", spelled(values, "string_agg()"), separator, type="VARCHAR")
    made.meta[WHOLE] = True
    return made


def _unfiltered(node: Any) -> exp.Expr | None:
    """The condition is inside of what is made already: what cannot take a FILTER loses it."""
    takes = isinstance(node.this, (exp.AggFunc, exp.Anonymous)) and not node.this.meta.get(WHOLE)
    return None if takes else node.this.copy()


def _respecting(node: Any) -> exp.Expr | None:
    """What passes over NULL by itself loses the word for it."""
    return None if isinstance(node.this, exp.AggFunc) else node.this.copy()


def _deviation(name: str) -> Any:
    def rule(node: Any) -> exp.Expr:
        value = node.this
        if kind(value) not in NUMBERS:
            refuse(f"{name.lower()}() of {kind(value).upper()}", "it is not shown to agree there", "CAST it to DOUBLE")
        return whole(call(name, cast(kept(node, value), "DOUBLE"), type="DOUBLE"))

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


def _named(node: exp.Anonymous) -> exp.Expr | None:
    build = NAMED_AGGREGATES.get(node.name.lower())
    made: exp.Expr | None = build(node) if build is not None else None
    return made


RULES: dict[type[exp.Expr], Any] = {
    exp.Count: _count,
    exp.CountIf: _count_if,
    exp.Sum: _numeric("bool", "int", "decimal", "double", "float"),
    exp.Avg: _avg,
    exp.ArrayAgg: _list,
    exp.GroupConcat: _joined,
    exp.Stddev: _deviation("STDDEV_SAMP"),
    exp.StddevSamp: _deviation("STDDEV_SAMP"),
    exp.StddevPop: _deviation("STDDEV_POP"),
    exp.Variance: _deviation("VAR_SAMP"),
    exp.VariancePop: _deviation("VAR_POP"),
    exp.Filter: _unfiltered,
    exp.Grouping: _grouping,
    exp.IgnoreNulls: _respecting,
    exp.Window: spread_window,
    exp.Anonymous: _named,
    **ORDERED_AGGREGATES,
    **PAIR_AGGREGATES,
    **SHAPES,
}

# Aggregates that the parser has no node for.
NAMED_AGGREGATES: dict[str, Any] = {
    "entropy": entropy,
    "histogram": histogram,
    "kurtosis_pop": population_kurtosis,
    "mad": mad,
    "product": product,
    "sem": standard_error,
}
