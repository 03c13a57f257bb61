"""Spark SQL under ANSI rules and UTC: its passes, and the constructs shown to answer as the reference does."""

from __future__ import annotations

from sqlglot import exp

from mdfsql.dialects.base import Target
from mdfsql.dialects.spark_shown import SHOWN
from mdfsql.lower.constant_keys import constant_keys
from mdfsql.lower.distinct_constants import distinct_constants
from mdfsql.lower.exact_aggregates import exact_aggregates
from mdfsql.lower.exact_arithmetic import exact_arithmetic
from mdfsql.lower.exact_casts import exact_casts
from mdfsql.lower.exact_dates import exact_dates
from mdfsql.lower.exact_groups import exact_groups
from mdfsql.lower.exact_lists import exact_lists
from mdfsql.lower.exact_math import exact_math
from mdfsql.lower.exact_regex import exact_regex
from mdfsql.lower.exact_subqueries import exact_subqueries
from mdfsql.lower.exact_text import exact_text
from mdfsql.lower.exact_windows import exact_windows
from mdfsql.lower.expand_qualify import expand_qualify
from mdfsql.lower.few_parentheses import few_parentheses
from mdfsql.lower.known_forms import known_forms
from mdfsql.lower.large_arguments import large_arguments
from mdfsql.lower.list_names import list_names
from mdfsql.lower.name_functions import name_functions
from mdfsql.lower.name_sides import name_sides
from mdfsql.lower.ordered_distinct import ordered_distinct
from mdfsql.lower.plain_shapes import plain_shapes
from mdfsql.lower.rare_forms import rare_forms
from mdfsql.lower.rows_to_columns import rows_to_columns
from mdfsql.lower.settle_types import settle_types
from mdfsql.lower.share_repeats import share_repeats
from mdfsql.lower.strict_types import strict_types
from mdfsql.lower.text_functions import text_functions
from mdfsql.lower.unnest_rows import plain_generators, unnest_rows
from mdfsql.lower.values_to_selects import raising_values_to_selects

__all__ = ["target"]

# Each class here occurs in a case of tests/fixtures/conformance that both engines answer alike; a test holds that.
ALLOWED: frozenset[type[exp.Expr]] = frozenset(
    {
        # the shape of a query
        exp.Select, exp.From, exp.Table, exp.TableAlias, exp.Alias, exp.Subquery, exp.Where, exp.Group, exp.Having,
        exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Distinct, exp.Join, exp.With, exp.CTE,
        exp.Union, exp.Intersect, exp.Except, exp.Values, exp.Tuple, exp.Exists, exp.Star, exp.Hint, exp.Lateral,
        exp.Column, exp.Identifier, exp.Var, exp.Literal, exp.Boolean, exp.Null, exp.Paren,
        exp.GroupingSets, exp.Grouping,
        # types
        exp.Cast, exp.TryCast, exp.DataType, exp.DataTypeParam, exp.ColumnDef,
        # logic
        exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is, exp.In, exp.Between,
        exp.NullSafeEQ, exp.NullSafeNEQ, exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least,
        # numbers
        exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg, exp.Abs, exp.Ceil, exp.Floor,
        exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseNot,
        # text
        exp.Like, exp.Escape, exp.Contains, exp.StartsWith, exp.EndsWith, exp.Concat,
        # aggregates and windows
        exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.LogicalAnd, exp.LogicalOr, exp.Filter,
        exp.Window, exp.WindowSpec, exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile,
        exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue, exp.IgnoreNulls, exp.Lambda,
        # lists and structs
        exp.Array, exp.Dot, exp.Explode, exp.Transform, exp.ArrayFilter,
        # what the passes write under Spark's own names: every name from outside was replaced or refused by then
        exp.Anonymous,
    }
)  # fmt: skip

target = Target(
    name="spark",
    dialect="spark",
    typed=(known_forms, list_names, name_sides, exact_groups, expand_qualify, rare_forms, settle_types),
    shown=SHOWN,
    passes=(
        rows_to_columns,
        plain_shapes,
        name_functions,
        unnest_rows,
        exact_subqueries,
        strict_types,
        exact_windows,
        ordered_distinct,
        exact_lists,
        exact_aggregates,
        exact_arithmetic,
        exact_math,
        exact_dates,
        text_functions,
        exact_text,
        exact_regex,
        # late, as it checks the casts of the others too
        exact_casts,
        raising_values_to_selects,
        plain_generators,
        distinct_constants,
        constant_keys,
        large_arguments,
        share_repeats,
        few_parentheses,
    ),
    allowed=ALLOWED,
    refused={
        exp.Pivot: ("its columns depend on the data", "one aggregate with FILTER for each column"),
        exp.TableSample: ("a sample is not the same twice", "Dataset.sample()"),
        exp.Rand: ("it is not the same twice", None),
        exp.Interval: ("only DATE and TIMESTAMP +- INTERVAL are shown to agree there", "date_diff('second', a, b)"),
        exp.Typeof: ("there the types are not all the reference's own", "the dataset's schema"),
        **dict.fromkeys(
            (exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentTime, exp.Localtime, exp.Localtimestamp),
            ("it is another on each run", "a parameter, $now"),
        ),
        exp.Atan2: ("it loses the sign of a zero there", "atan(y / x), and the signs of both"),
        exp.ApproxDistinct: ("an estimate is not the same everywhere", "count(DISTINCT x)"),
        exp.ApproxQuantile: ("an estimate is not the same everywhere", "quantile_cont(x, q)"),
    },
)
