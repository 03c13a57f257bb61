"""Types of nodes, as the reference gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from mdfsql.lower.exact_lists import NESTED
from mdfsql.lower.exact_structs import struct_type
from mdfsql.lower.number_types import OF_DECIMALS, common_number, counted, digits, settled
from mdfsql.lower.rules import integer, kind
from mdfsql.lower.shape_aggregates import histogram_type
from mdfsql.lower.value_types import common, element_type, list_of, united
from mdfsql.schema import value_type

__all__ = ["settle_types"]

T = exp.DataType.Type


def settle_types(tree: exp.Expr) -> exp.Expr:
    """Every node gets the reference's type, since what an operator means depends on it; nothing is rewritten."""
    for scope in traverse_scope(tree):
        for node in reversed(list(scope.walk())):
            made = _type(node, scope)
            if made is not None:
                node.type = made
    return tree


BOOL, INT, BIGINT, FLOAT, DOUBLE = map(value_type, ("BOOLEAN", "INTEGER", "BIGINT", "FLOAT", "DOUBLE"))
TEXT, DATE, TIMESTAMP, TIMESTAMPTZ = map(value_type, ("VARCHAR", "DATE", "TIMESTAMP", "TIMESTAMPTZ"))
INTERVAL, NULL = value_type("INTERVAL"), exp.DataType(this=T.NULL)


def _arithmetic(node: Any) -> exp.DataType | None:
    left, right = node.this, node.expression
    kinds = (kind(left), kind(right))
    if kinds == ("date", "date"):
        return BIGINT if isinstance(node, exp.Sub) else None
    if kinds in (("date", "int"), ("int", "date")):
        return DATE
    if "interval" in kinds:
        other = left if kinds[1] == "interval" else right
        if kind(other) not in ("date", "timestamp", "timestamptz"):
            return INTERVAL
        return TIMESTAMP if kind(other) == "date" else other.type
    if set(kinds) <= {"date", "timestamp", "timestamptz"}:
        return INTERVAL
    if "null" in kinds:
        return left.type if kinds[1] == "null" else right.type
    if "decimal" in kinds and common_number(left.type, right.type) is not None and set(kinds) <= {"int", "decimal"}:
        return OF_DECIMALS[type(node)](left.type, right.type)
    return _both(node)


def _both(node: Any) -> exp.DataType | None:
    return common(settled([node.this, node.expression]))


def _divided(node: Any) -> exp.DataType:
    kinds = {kind(node.this), kind(node.expression)}
    return FLOAT if "float" in kinds and "double" not in kinds else DOUBLE


def _floored(node: Any) -> exp.DataType | None:
    return _both(node) if {kind(node.this), kind(node.expression)} <= {"int", "null"} else _divided(node)


def _same(node: Any) -> exp.DataType | None:
    return node.this.type if node.this is not None else None


def _argument(node: Any) -> exp.DataType | None:
    inner = node.this
    while isinstance(inner, (exp.Order, exp.Distinct)):
        inner = inner.this if isinstance(inner, exp.Order) else inner.expressions[0]
    return inner.type if inner is not None else None


def _rounded(node: Any) -> exp.DataType | None:
    return DOUBLE if kind(node.this) in ("int", "double") else _shortened(node.this, None)


def _to_places(node: Any) -> exp.DataType | None:
    return _shortened(node.this, node.args.get("decimals"))


def _shortened(value: Any, places: Any) -> exp.DataType | None:
    """Return the type of a number rounded to some places: a decimal keeps its precision."""
    if kind(value) != "decimal":
        return _type_of(value)
    precision, scale = digits(value.type)
    return counted(precision, min(max(integer(places) or 0, 0), scale))


def _sum(node: Any) -> exp.DataType | None:
    inner = _argument(node)
    if inner is not None and kind(inner) == "decimal":
        return counted(38, digits(inner)[1])
    return {"bool": BIGINT, "int": BIGINT, "float": DOUBLE, "double": DOUBLE}.get(kind(inner))


def _list(node: Any) -> exp.DataType | None:
    inner = _argument(node)
    return list_of(inner) if inner is not None else None


def _middle(node: Any) -> exp.DataType | None:
    one = {"int": DOUBLE, "double": DOUBLE, "date": TIMESTAMP}.get(kind(node.this)) or _type_of(node.this)
    return _for_each(node.expression, one)


def _at_shares(node: Any) -> exp.DataType | None:
    return _for_each(node.args.get("quantile") or node.expression, _type_of(node.this))


def _for_each(share: Any, one: exp.DataType | None) -> exp.DataType | None:
    """Return the type of a quantile at a share, or of the list of those at a list of shares."""
    return list_of(one) if isinstance(share, exp.Array) and one is not None else one


def _within(node: Any) -> exp.DataType | None:
    value = node.expression.expressions[0].this
    one = _type_of(value)
    if isinstance(node.this, exp.PercentileCont):
        one = {"int": DOUBLE, "double": DOUBLE, "date": TIMESTAMP}.get(kind(value)) or one
    return _for_each(node.this.this, one)


def _few(rule: Any) -> Any:
    """Return the rule for an aggregate that gives a list where it is asked for several values."""

    def typed(node: Any) -> exp.DataType | None:
        one = rule(node)
        return list_of(one) if node.args.get("count") is not None and one is not None else one

    return typed


def _case(node: Any) -> exp.DataType | None:
    default = node.args.get("default")
    return common(settled([branch.args["true"] for branch in node.args["ifs"]] + ([default] if default else [])))


def _if(node: Any) -> exp.DataType | None:
    if isinstance(node.parent, exp.Case):
        return _type_of(node.args["true"])
    false = node.args.get("false")
    return common(settled([node.args["true"], *([false] if false else [])]))


def _type_of(node: Any) -> exp.DataType | None:
    return node.type


def _all(node: Any) -> exp.DataType | None:
    return common(settled([node.this, *node.expressions]))


def _extract(node: Any) -> exp.DataType:
    return DOUBLE if node.name.upper() in ("EPOCH", "JULIAN") else BIGINT


def _truncated(node: Any) -> exp.DataType | None:
    return TIMESTAMP if kind(node.this) == "date" else _same(node)


def _literal(node: Any) -> exp.DataType | None:
    if node.is_string:
        return TEXT
    if "e" in node.this.lower():
        return DOUBLE
    if "." in node.this:
        whole, _, part = node.this.partition(".")
        count = max(len(whole) + len(part), 1)
        return counted(count, len(part)) if count <= 38 else DOUBLE
    return INT if int(node.this) < 2**31 else BIGINT if int(node.this) < 2**63 else None


def _element(node: Any) -> exp.DataType | None:
    return element_type(node.this)


def _mapped(node: Any) -> exp.DataType | None:
    inner = node.expression.this.type
    return list_of(inner) if inner is not None else None


def _listed(node: Any) -> exp.DataType | None:
    inner = common([item.type for item in node.expressions])
    return list_of(inner) if inner is not None else None


def _dotted(node: Any) -> exp.DataType | None:
    fields = node.this.type.expressions if kind(node.this) == "struct" else ()
    found = (f.args["kind"] for f in fields if f.name.lower() == node.expression.name.lower())
    return next(found, None) or _type_of(node)


def _piped(node: Any) -> exp.DataType | None:
    return (
        common([node.this.type, node.expression.type]) if "list" in (kind(node.this), kind(node.expression)) else TEXT
    )


def _query(node: Any) -> exp.DataType | None:
    inner = node.unnest() if isinstance(node, exp.Subquery) else node
    return inner.selects[0].type if isinstance(inner, exp.Query) and inner.selects else None


ANONYMOUS: dict[str, exp.DataType | Callable[[Any], exp.DataType | None]] = {
    "error": NULL,
    "count_star": BIGINT,
    "octet_length": BIGINT,
    "printf": TEXT,
    "product": DOUBLE,
    **dict.fromkeys(("sem", "entropy", "kurtosis_pop"), DOUBLE),
    "histogram": lambda node: histogram_type(node.expressions[0]),
    "mad": lambda node: _type_of(node.expressions[0]) if kind(node.expressions[0]) == "float" else DOUBLE,
    **dict.fromkeys(("strlen", "hamming", "mismatches"), BIGINT),
    **dict.fromkeys(("url_encode", "url_decode", "to_base"), TEXT),
    "prefix": BOOL,
    "suffix": BOOL,
    "isfinite": BOOL,
    "regexp_full_match": BOOL,
    "date_part": BIGINT,
    "microsecond": BIGINT,
    **dict.fromkeys(("epoch_us", "epoch_ns", "millisecond", "nanosecond", "isoyear", "yearweek", "century"), BIGINT),
    **dict.fromkeys(("decade", "millennium", "era", "timezone", "timezone_hour", "timezone_minute"), BIGINT),
    **dict.fromkeys(("age", "to_millennia", "to_centuries", "to_decades", "to_years", "to_quarters"), INTERVAL),
    **dict.fromkeys(("to_months", "to_weeks", "to_hours", "to_minutes", "to_seconds", "to_milliseconds"), INTERVAL),
    "to_microseconds": INTERVAL,
    "julian": DOUBLE,
    "make_timestamp_ms": TIMESTAMP,
    "try_strptime": TIMESTAMP,
    "weekday": BIGINT,
    "datepart": BIGINT,
    "date_sub": BIGINT,
    "datesub": BIGINT,
    "round_even": lambda node: _shortened(*node.expressions),
    "roundbankers": lambda node: _shortened(*node.expressions),
    "gcd": BIGINT,
    "greatest_common_divisor": BIGINT,
    "lcm": BIGINT,
    "least_common_multiple": BIGINT,
    "bit_count": value_type("TINYINT"),
    "ord": INT,
    "bin": TEXT,
    "base64": TEXT,
    "regexp_split_to_array": value_type("VARCHAR[]"),
}


def _anonymous(node: Any) -> exp.DataType | None:
    if node.name.lower() in ("date_part", "datepart") and node.expressions[0].name.lower() in ("epoch", "julian"):
        return DOUBLE
    if node.name == "list_reduce":
        return element_type(node.expressions[0])
    found = NESTED.get(node.name)
    if found is not None and len(node.expressions) in found.arity:
        return found.type(node.expressions)
    given = ANONYMOUS.get(node.name.lower())
    return given if given is None or isinstance(given, exp.DataType) else given(node)


def _fixed(dtype: exp.DataType) -> Callable[[Any], exp.DataType]:
    return lambda node: dtype


def _unix(node: Any) -> exp.DataType:
    if kind(node.this) in ("date", "timestamp", "timestamptz", "interval"):
        return BIGINT
    return TIMESTAMP if node.args.get("scale") else TIMESTAMPTZ


def _shifted(node: Any) -> exp.DataType | None:
    return TIMESTAMP if kind(node.this) == "date" else _type_of(node.this)


def _zoned(node: Any) -> exp.DataType:
    return TIMESTAMP if kind(node.this) == "timestamptz" else TIMESTAMPTZ


def _bucket(node: Any) -> exp.DataType | None:
    return _type_of(node.expression)


TO_DOUBLE = (
    exp.Sqrt, exp.Cbrt, exp.Exp, exp.Ln, exp.Log, exp.Pow, exp.Sin, exp.Cos, exp.Tan, exp.Cot, exp.Asin, exp.Acos,
    exp.Atan, exp.Atan2, exp.Sinh, exp.Cosh, exp.Tanh, exp.Asinh, exp.Acosh, exp.Atanh, exp.Degrees, exp.Radians,
    exp.Pi, exp.Corr, exp.CovarPop, exp.CovarSamp, exp.RegrAvgx, exp.RegrAvgy, exp.RegrSxx, exp.RegrSyy, exp.RegrSxy,
    exp.RegrSlope, exp.RegrIntercept, exp.RegrR2, exp.Skewness, exp.Kurtosis,
)  # fmt: skip

TYPES: dict[type[exp.Expr], Callable[[Any], exp.DataType | None]] = {
    exp.Add: _arithmetic,
    exp.Sub: _arithmetic,
    exp.Mul: _arithmetic,
    exp.Mod: _arithmetic,
    exp.Div: _divided,
    exp.IntDiv: _floored,
    exp.Neg: _same,
    exp.Abs: _same,
    exp.Paren: _same,
    exp.Alias: _same,
    exp.Filter: _same,
    exp.Window: _same,
    exp.IgnoreNulls: _same,
    exp.RespectNulls: _same,
    exp.Ordered: _same,
    exp.Nullif: _same,
    exp.Round: _to_places,
    exp.Ceil: _rounded,
    exp.Floor: _rounded,
    exp.Trunc: _to_places,
    exp.Factorial: _fixed(BIGINT),
    exp.BitwiseAnd: _both,
    exp.BitwiseOr: _both,
    exp.BitwiseXor: _both,
    exp.BitwiseLeftShift: _both,
    exp.BitwiseRightShift: _both,
    exp.BitwiseNot: _same,
    **dict.fromkeys(TO_DOUBLE, _fixed(DOUBLE)),
    exp.Sign: _fixed(value_type("TINYINT")),
    exp.Literal: _literal,
    exp.Null: _fixed(NULL),
    exp.Coalesce: _all,
    exp.Greatest: _all,
    exp.Least: _all,
    exp.Case: _case,
    exp.If: _if,
    exp.Extract: _extract,
    exp.DateTrunc: _truncated,
    exp.TimestampTrunc: _truncated,
    exp.Sum: _sum,
    exp.Min: _few(_argument),
    exp.Max: _few(_argument),
    exp.Median: _middle,
    exp.PercentileCont: _middle,
    exp.PercentileDisc: _at_shares,
    exp.Quantile: _at_shares,
    exp.WithinGroup: _within,
    exp.ArgMin: _few(_same),
    exp.ArgMax: _few(_same),
    exp.First: _argument,
    exp.Last: _argument,
    exp.AnyValue: _argument,
    exp.BitwiseAndAgg: _same,
    exp.BitwiseOrAgg: _same,
    exp.BitwiseXorAgg: _same,
    exp.RegrCount: _fixed(BIGINT),
    exp.FirstValue: _same,
    exp.LastValue: _same,
    exp.NthValue: _same,
    exp.RowNumber: _fixed(BIGINT),
    exp.Lag: _same,
    exp.Lead: _same,
    exp.Mode: _argument,
    exp.ArrayAgg: _list,
    exp.CountIf: _fixed(BIGINT),
    exp.Grouping: _fixed(BIGINT),
    exp.Left: _fixed(TEXT),
    exp.Right: _fixed(TEXT),
    exp.Replace: _fixed(TEXT),
    exp.RegexpReplace: _fixed(TEXT),
    exp.RegexpExtract: _fixed(TEXT),
    exp.Pad: _fixed(TEXT),
    exp.SplitPart: _fixed(TEXT),
    exp.Split: _fixed(value_type("VARCHAR[]")),
    exp.Format: _fixed(TEXT),
    exp.Hex: _fixed(TEXT),
    exp.Translate: _fixed(TEXT),
    exp.Ascii: _fixed(INT),
    exp.Unicode: _fixed(INT),
    exp.Chr: _fixed(TEXT),
    exp.Levenshtein: _fixed(BIGINT),
    **dict.fromkeys((exp.Encode, exp.FromBase64, exp.Unhex), _fixed(value_type("BLOB"))),
    exp.Decode: _fixed(TEXT),
    exp.ToBase64: _fixed(TEXT),
    exp.SHA: _fixed(TEXT),
    exp.BitLength: _fixed(BIGINT),
    exp.RegexpExtractAll: _fixed(value_type("VARCHAR[]")),
    exp.RegexpSplit: _fixed(value_type("VARCHAR[]")),
    exp.SimilarTo: _fixed(BOOL),
    exp.Glob: _fixed(BOOL),
    exp.StrToTime: _fixed(TIMESTAMP),
    exp.UnixToTime: _unix,
    exp.TimeToUnix: _fixed(DOUBLE),
    exp.ToDays: _fixed(INTERVAL),
    exp.Interval: _fixed(INTERVAL),
    exp.AtTimeZone: _zoned,
    exp.DateBin: _bucket,
    exp.DateAdd: _shifted,
    exp.DateSub: _shifted,
    exp.DateDiff: _fixed(BIGINT),
    exp.TimestampFromParts: _fixed(TIMESTAMP),
    exp.DateFromParts: _fixed(DATE),
    exp.Explode: _element,
    exp.Transform: _mapped,
    exp.ArrayFilter: _same,
    exp.ArraySort: _same,
    exp.Array: _listed,
    exp.Struct: struct_type,
    exp.Dot: _dotted,
    exp.DPipe: _piped,
    exp.ArrayToString: _fixed(TEXT),
    exp.Subquery: _query,
    exp.Anonymous: _anonymous,
}


TESTS = (exp.Predicate, exp.Connector, exp.Not, exp.LogicalAnd, exp.LogicalOr)


def _type(node: Any, scope: Scope) -> exp.DataType | None:
    if isinstance(node, exp.Column):
        return _column(node, scope)
    if isinstance(node, exp.Identifier):
        return _parameter(node, scope)
    rule = TYPES.get(type(node))
    if rule is None:
        # A test that a pass wrote has no type yet.
        return BOOL if node.type is None and isinstance(node, TESTS) else None
    return rule(node) or exp.DataType(this=T.UNKNOWN)


def _parameter(node: exp.Identifier, scope: Scope) -> exp.DataType | None:
    """Return the type of a lambda's parameter, which is that of the list's elements; None for any other name."""
    field = isinstance(node.parent, exp.Dot) and node.arg_key == "expression"
    if field or isinstance(node.parent, (exp.Column, exp.TableAlias, exp.Alias, exp.Table)):
        return None
    found: exp.Expr | None = node.find_ancestor(exp.Lambda, exp.Query)
    while isinstance(found, exp.Lambda) and node.name.lower() not in (p.name.lower() for p in found.expressions):
        found = found.find_ancestor(exp.Lambda, exp.Query)
    if not isinstance(found, exp.Lambda):
        return None
    call: Any = found.parent
    reduces = isinstance(call, exp.Anonymous) and call.name == "list_reduce"
    if not reduces and not isinstance(call, (exp.Transform, exp.ArrayFilter)):
        return None
    items = call.expressions[0] if reduces else call.this
    if [p.name.lower() for p in found.expressions].index(node.name.lower()) == (2 if reduces else 1):
        return BIGINT
    _settle(items, scope)
    return element_type(items)


def _settle(node: exp.Expr, scope: Scope) -> None:
    """Settle the types of what stands beside the node whose type is asked for, and may not have its own yet."""
    for part in reversed(list(node.walk())):
        made = _type(part, scope)
        if made is not None:
            part.type = made


def _column(node: exp.Column, scope: Scope | None) -> exp.DataType | None:
    """Return the type that the column has where it comes from: this scope, one around it, or its own outputs."""
    if not node.table and scope is not None and node.find_ancestor(exp.Ordered):
        output_ = next((s for s in scope.expression.args.get("expressions", ()) if s.alias_or_name == node.name), None)
        if output_ is not None:
            _settle(output_, scope)
            return output_.type
    while scope is not None:
        source = scope.sources.get(node.table)
        if isinstance(source, Scope):
            return output(source.expression, node.name, scope, node.table)
        if source is not None:
            return None
        scope = scope.parent
    return None


def output(query: exp.Expr, name: str, scope: Scope, table: str) -> exp.DataType | None:
    """Return the type of an output column of a query, by name; None leaves what is known already."""
    if isinstance(query, exp.SetOperation):
        types = [
            _positional(side, i) for side in (query.left, query.right) if (i := _position(query, name)) is not None
        ]
        return united(types) if types else None
    if isinstance(query, exp.Unnest):
        offset = query.args.get("offset")
        if offset and offset.name == name:
            return BIGINT
        items = query.expressions[0]
        _settle(items, scope)
        return element_type(items)
    if isinstance(query, exp.Values):
        alias = query.args.get("alias")
        names = [c.name for c in alias.columns] if alias else []
        if name in names:
            at = names.index(name)
            return common([row.expressions[at].type for row in query.expressions])
        return None
    if isinstance(query, exp.Query):
        # A subquery or CTE may rename its columns: t(a, b).
        renamed = _renamed(scope, table)
        if name in renamed:
            return _positional(query, renamed.index(name))
        for select in query.selects:
            if select.alias_or_name == name:
                return select.type
    return None


def _renamed(scope: Scope, table: str) -> list[str]:
    for cte in scope.ctes:
        if cte.alias == table:
            return [c.name for c in cte.args["alias"].columns]
    return []


def _position(query: exp.Query, name: str) -> int | None:
    return next((i for i, select in enumerate(query.selects) if select.alias_or_name == name), None)


def _positional(query: exp.Expr, i: int) -> exp.DataType | None:
    if isinstance(query, exp.Subquery):
        return _positional(query.this, i)
    if isinstance(query, exp.SetOperation):
        return united([_positional(query.left, i), _positional(query.right, i)])
    return query.selects[i].type if isinstance(query, exp.Query) and i < len(query.selects) else None
