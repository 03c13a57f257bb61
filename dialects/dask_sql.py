"""dask-sql: its dialect, and the target that runs on Dask.

dask-sql plans joins, grouping, order and limits; every expression runs as DuckDB's own inside a partition, so it agrees
by construction. What is refused is what depends on more than its row or its group of rows.
"""

from __future__ import annotations

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect, NormalizationStrategy

from mdfsql.dialects.base import Target
from mdfsql.errors import Unsupported
from mdfsql.lower.compounds_to_groups import compounds_to_groups
from mdfsql.lower.drop_hints import drop_hints
from mdfsql.lower.exact_groups import exact_groups
from mdfsql.lower.explode_to_joins import explode_to_joins
from mdfsql.lower.factor_or import factor_or
from mdfsql.lower.flat_sources import flat_sources
from mdfsql.lower.hand_over import hand_over
from mdfsql.lower.ordered_distinct import ordered_distinct
from mdfsql.lower.plain_limits import plain_limits
from mdfsql.lower.quantifiers_to_tests import quantifiers_to_tests
from mdfsql.lower.rules import construct_name
from mdfsql.lower.sets_to_rows import sets_to_rows
from mdfsql.lower.split_selects import split_selects
from mdfsql.lower.subqueries_to_joins import subqueries_to_joins
from mdfsql.lower.unique_columns import unique_columns
from mdfsql.lower.united_columns import united_columns
from mdfsql.lower.values_to_selects import values_to_selects

__all__ = ["DaskSQL", "target"]


class DaskSQL(Dialect):
    """The SQL that dask-sql reads: DataFusion's, with names as they are written."""

    NULL_ORDERING = "nulls_are_large"
    NORMALIZATION_STRATEGY = NormalizationStrategy.CASE_SENSITIVE
    # dask-sql knows functions by the case in which they were registered.
    NORMALIZE_FUNCTIONS = False
    TYPED_DIVISION = True


# Functions whose value depends on the moment, the session or chance: partitions would not agree with each other.
UNSTEADY: dict[type[exp.Expr], str] = {
    exp.Rand: "Dataset.sample, or md5 of a key",
    exp.Uuid: "md5 of a key",
    exp.CurrentDate: "pass the date as a parameter",
    exp.CurrentTimestamp: "pass the time as a parameter",
    exp.CurrentTime: "pass the time as a parameter",
    exp.CurrentDatetime: "pass the time as a parameter",
    exp.Localtime: "pass the time as a parameter",
    exp.Localtimestamp: "pass the time as a parameter",
    exp.ApproxDistinct: "count(DISTINCT ...)",
    exp.ApproxQuantile: "quantile_cont(...)",
    exp.ApproxTopK: "GROUP BY, ORDER BY count(*) DESC, LIMIT",
}
UNSTEADY_NAMES = frozenset(
    [
        "approx_quantile",
        "approx_top_k",
        "reservoir_quantile",
        "current_connection_id",
        "current_database",
        "current_query",
        "current_query_id",
        "current_schema",
        "current_schemas",
        "current_setting",
        "current_transaction_id",
        "current_catalog",
        "currval",
        "gen_random_uuid",
        "get_current_time",
        "get_current_timestamp",
        "getenv",
        "getvariable",
        "in_search_path",
        "nextval",
        "now",
        "pg_sleep",
        "random",
        "setseed",
        "setval",
        "sleep_ms",
        "stats",
        "today",
        "transaction_timestamp",
        "txid_current",
        "uuid",
        "uuidv4",
        "uuidv7",
        "vector_type",
        "write_log",
    ]
)

# Aggregates that depend on the order of the rows, which only an ORDER BY inside the call makes the same everywhere.
UNORDERED = (exp.First, exp.Last, exp.AnyValue)

# Functions that make several rows of one under a name that is not unnest().
ROW_MAKERS = {
    "generate_subscripts": "unnest(range(1, len(list) + 1))",
    "regexp_split_to_table": "unnest(regexp_split_to_array(...))",
}

# Constructs that dask-sql has not, or not so.
MISSING: dict[type[exp.Expr], str] = {
    exp.TableSample: "a sample is not the same on two engines",
    exp.Pivot: "dask-sql has no PIVOT",
    exp.Collate: "dask-sql sorts and groups text by its letters as they are",
}


def _names(node: exp.Expr) -> set[str]:
    """Return the names that a call of a function may have."""
    if isinstance(node, exp.Anonymous):
        return {node.name.lower()}
    return {name.lower() for name in node.sql_names()} if isinstance(node, exp.Func) else set()


def _is_alone(node: exp.Expr) -> bool:
    """Tell whether a call has one argument: age(x) is the time from x to this day."""
    return len(list(node.iter_expressions())) == 1


def _is_query(values: list[exp.Expr]) -> bool:
    return len(values) == 1 and isinstance(values[0].unnest(), exp.Query)


def refuse_unsteady(tree: exp.Expr) -> exp.Expr:
    """Functions of chance, of the moment and of the session are refused: no two partitions would agree."""
    for node in tree.walk():
        if type(node) in UNSTEADY or _names(node) & UNSTEADY_NAMES or (_names(node) == {"age"} and _is_alone(node)):
            why = "its value is not the same in every partition"
            raise Unsupported(construct_name(node), "dask", why, UNSTEADY.get(type(node)))
        if isinstance(node, UNORDERED) and node.find(exp.Order) is None and not isinstance(node.parent, exp.Window):
            why = "which row comes first is not the same everywhere"
            raise Unsupported(construct_name(node), "dask", why, "add ORDER BY inside the call, or use min()")
        if isinstance(node, exp.Anonymous) and node.name.lower() in ROW_MAKERS:
            why = "a row of a SELECT is one row to dask-sql"
            raise Unsupported(construct_name(node), "dask", why, ROW_MAKERS[node.name.lower()])
        if isinstance(node, exp.Array) and not node.args.get("value_constructor") and _is_query(node.expressions):
            # Without brackets it is a list of all rows, in any order.
            why, instead = "which row comes first is not the same everywhere", "(SELECT list(x ORDER BY x) FROM ...)"
            raise Unsupported("ARRAY over a query", "dask", why, instead)
        if isinstance(node, exp.Mode):
            raise Unsupported("mode()", "dask", "which of two equally frequent values it gives is not defined")
        if type(node) in MISSING:
            raise Unsupported(construct_name(node), "dask", MISSING[type(node)])
        if isinstance(node, exp.Table) and not isinstance(node.this, exp.Identifier):
            raise Unsupported(construct_name(node.this), "dask", "a table function has no form in dask-sql")
    return tree


def refuse_lists(tree: exp.Expr) -> exp.Expr:
    """UNNEST that did not become a join is refused: one row of a SELECT is one row to dask-sql."""
    for _ in tree.find_all(exp.Unnest, exp.Explode):
        why = "only lists in what SELECT lists or in FROM, without depth, become a join"
        raise Unsupported("UNNEST", "dask", why)
    return tree


def refuse_shapes(tree: exp.Expr) -> exp.Expr:
    """What the passes left as it was has no form that is shown to agree, so it is refused."""
    for node in tree.walk():
        if isinstance(node, exp.Join) and (node.method or node.args.get("using") or node.kind not in JOINS):
            raise Unsupported(f"{node.method or node.kind or 'USING'} JOIN", "dask", "dask-sql has no such join")
        if isinstance(node, exp.SetOperation) and node.args.get("by_name"):
            raise Unsupported("UNION BY NAME", "dask", "dask-sql has none", "select the columns in one order")
        if isinstance(node, exp.Lateral):
            why = "only a query that reads whole rows of the tables before it becomes a join"
            raise Unsupported("LATERAL", "dask", why, "write it as a join")
        if isinstance(node, exp.With) and node.args.get("recursive"):
            raise Unsupported("WITH RECURSIVE", "dask", "dask-sql has none")
        if isinstance(node, exp.Subquery) and not isinstance(node.parent, (exp.From, exp.Join, exp.SetOperation)):
            why = "only one that stands alone, or compares keys for equality, becomes a join"
            raise Unsupported("this correlated subquery", "dask", why, "write it as a join")
        if isinstance(node, exp.Group) and any(v for k, v in node.args.items() if k != "expressions"):
            raise Unsupported("ROLLUP, CUBE and GROUPING SETS", "dask", "dask-sql has none", "UNION ALL of groupings")
        if isinstance(node, (exp.Limit, exp.Offset)) and not isinstance(node.expression, exp.Literal):
            raise Unsupported(node.key.upper(), "dask", "it takes a number here")
    return tree


JOINS = ("", "INNER", "CROSS", "SEMI", "ANTI", "OUTER")

target = Target(
    name="dask",
    dialect="dasksql",
    passes=(
        drop_hints,
        refuse_unsteady,
        ordered_distinct,
        plain_limits,
        flat_sources,
        values_to_selects,
        united_columns,
        quantifiers_to_tests,
        exact_groups,
        sets_to_rows,
        explode_to_joins,
        refuse_lists,
        compounds_to_groups,
        split_selects,
        subqueries_to_joins,
        factor_or,
        unique_columns,
        hand_over,
        refuse_shapes,
    ),
    allowed=frozenset(
        {
            exp.Alias,
            exp.And,
            exp.Anonymous,
            exp.CTE,
            exp.Column,
            exp.Distinct,
            exp.EQ,
            exp.From,
            exp.Group,
            exp.Identifier,
            exp.Join,
            exp.Limit,
            exp.Literal,
            exp.Offset,
            exp.Order,
            exp.Ordered,
            exp.Select,
            exp.Subquery,
            exp.Table,
            exp.TableAlias,
            exp.Union,
            exp.Where,
            exp.Window,
            exp.With,
        }
    ),
    refused={
        exp.Rollup: ("dask-sql has none", "UNION ALL of groupings"),
        exp.Cube: ("dask-sql has none", "UNION ALL of groupings"),
        exp.GroupingSets: ("dask-sql has none", "UNION ALL of groupings"),
        exp.Exists: ("EXISTS becomes a join only where it is a condition of its own", "a condition joined by AND"),
        exp.In: ("IN over a query becomes a join only where it is a condition of its own", "a condition joined by AND"),
    },
)
