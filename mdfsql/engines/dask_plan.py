"""dask-sql's logical plan as frames: dask-sql reads and optimises the SQL, its operators are ours."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import sqlglot
from dask import config as dask_config
from dask_sql import Context
from dask_sql._datafusion_lib import (
    DaskSchema,
    DaskSQLContext,
    DaskSQLOptimizerConfig,
    DaskTable,
    DaskTypeMap,
    SqlTypeName,
)
from sqlglot import exp

from mdfsql.engines.dask_frames import Frame, Graph, col, columns
from mdfsql.lower.explode_to_joins import SPREAD

__all__ = ["Planner", "Scan"]

Scan: TypeAlias = Callable[[Graph, Sequence[str]], Frame]
"""Gives the frame of a source, with the named columns only."""

# dask-sql sees every value as text and every condition as a boolean: types are the business of the templates.
VALUE, CONDITION = DaskTypeMap(SqlTypeName.VARCHAR), DaskTypeMap(SqlTypeName.BOOLEAN)

FUNCTIONS = {
    "duckdb": (VALUE, False),
    "duckdb_is": (CONDITION, False),
    "duckdb_agg": (VALUE, True),
    SPREAD: (CONDITION, False),
}


# The columns of the table that stands for the elements of a list, as no other frame has them.
ELEMENT = ("element",)


class _Context(Context):
    """dask-sql's context, told of columns and functions without data behind them."""

    def __init__(self, tables: dict[str, Sequence[str]], arities: dict[str, set[int]]) -> None:
        # Not super().__init__: it sets up the root logger, and registers operators in tables that the process shares.
        self.schema_name = self.DEFAULT_SCHEMA_NAME
        options = ("dynamic_partition_pruning", "fact_dimension_ratio", "max_fact_tables", "preserve_user_order")
        config = DaskSQLOptimizerConfig(*(dask_config.get(f"sql.{o}") for o in (*options, "filter_selectivity")))
        self.context = DaskSQLContext(self.DEFAULT_CATALOG_NAME, self.schema_name, config)
        self._tables, self._arities = tables, arities

    def _prepare_schemas(self) -> list[DaskSchema]:
        schema = DaskSchema(self.schema_name)
        for name, names in self._tables.items():
            schema.add_table(DaskTable(self.schema_name, name, float("nan"), [(n, VALUE) for n in names], None))
        for name, (kind, aggregate) in FUNCTIONS.items():
            for arity in sorted(self._arities.get(name, ())):
                types = [VALUE.getDataType()] * arity
                schema.add_or_overload_function(name, types, kind.getDataType(), aggregate)
        return [schema]


class Planner:
    """Plans one query: ``tables`` gives the columns and the scan of each table in it."""

    def __init__(self, tables: dict[str, tuple[Sequence[str], Scan]], tree: exp.Query) -> None:
        arities: dict[str, set[int]] = {}
        for call in tree.find_all(exp.Anonymous):
            arities.setdefault(call.name, set()).add(len(call.expressions))
        self._tables = tables
        self._context = _Context({name: names for name, (names, _) in tables.items()} | {SPREAD: ELEMENT}, arities)
        self._made: dict[str, Frame] = {}

    def explain(self, sql: str) -> str:
        """Return dask-sql's optimised plan as text."""
        _, text = self._context._get_ral(sql)
        return str(text)

    def frame(self, sql: str, graph: Graph) -> tuple[Frame, tuple[int | None, int]]:
        """Return the frame of a query, and the LIMIT and OFFSET that its reader is to apply, as it reads."""
        plan, _ = self._context._get_ral(sql)
        above = []
        node = plan
        while (kind := node.get_current_node_type()) in ("Projection", "SubqueryAlias"):
            above.append(node)
            (node,) = node.get_inputs()
        if kind != "Limit":
            return self._frame(plan, graph), (None, 0)
        (rows,) = node.get_inputs()
        frame = self._frame(rows, graph)
        for outer in reversed(above):
            frame = OPERATORS[outer.get_current_node_type()](self, outer, graph, [frame])
        return frame, _cut(node)

    def _frame(self, plan: Any, graph: Graph) -> Frame:
        # What stands in a plan twice, such as a CTE that is read twice, is computed once.
        text = plan.explain_original()
        frame = self._made.get(text)
        if frame is None:
            kind = plan.get_current_node_type()
            if kind not in OPERATORS:
                raise NotImplementedError(f"dask-sql planned a {kind}")
            inputs = [self._frame(child, graph) for child in plan.get_inputs()]
            frame = self._made[text] = OPERATORS[kind](self, plan, graph, inputs)
        return frame

    # ---- operators: each turns a plan's node and the frames below it into a frame ---------------------------------

    def _scan(self, plan: Any, graph: Graph, inputs: list[Frame]) -> Frame:
        scan = plan.table_scan()
        name = plan.getTable().getTableName()
        if name == SPREAD:
            # The elements of a list, which the join that reads them knows; their own conditions hold after it.
            return Frame(
                (), exp.select(), ELEMENT, filters=tuple(expression(rex, {0: col(0)}) for rex in scan.getFilters())
            )
        names, make = self._tables[name]
        outputs = list(scan.getTableScanProjects()) if scan.containsProjections() else list(names)
        filters = scan.getFilters()
        # A filter counts the columns of the whole table.
        used = {index for rex in filters for index in _indices(rex)} | {names.index(n) for n in outputs}
        read = [n for number, n in enumerate(names) if number in used]
        frame = make(graph, read)
        if not filters and read == outputs:
            return frame
        where = [expression(rex, {names.index(n): col(k) for k, n in enumerate(read)}) for rex in filters]
        return graph.select(frame, [col(read.index(n)) for n in outputs], exp.and_(*where) if where else None)

    def _project(self, plan: Any, graph: Graph, inputs: list[Frame]) -> Frame:
        (frame,) = inputs
        return graph.select(frame, [expression(rex, frame) for _, rex in plan.projection().getNamedProjects()])

    def _filter(self, plan: Any, graph: Graph, inputs: list[Frame]) -> Frame:
        (frame,) = inputs
        return graph.select(frame, columns(len(frame.types)), expression(plan.filter().getCondition(), frame))

    def _aggregate(self, plan: Any, graph: Graph, inputs: list[Frame]) -> Frame:
        (frame,) = inputs
        node = plan.aggregate()
        by = [expression(rex, frame) for rex in node.getGroupSets()]
        calls = [call(node.getArgs(rex), frame) for rex in node.getNamedAggCalls()]
        return graph.aggregate(frame, by, calls)

    def _distinct(self, plan: Any, graph: Graph, inputs: list[Frame]) -> Frame:
        return graph.distinct(inputs[0])

    def _window(self, plan: Any, graph: Graph, inputs: list[Frame]) -> Frame:
        (frame,) = inputs
        node = plan.window()
        return graph.window(frame, [call(node.getArgs(rex), frame) for rex in node.getGroups()])

    def _join(self, plan: Any, graph: Graph, inputs: list[Frame]) -> Frame:
        left, right = inputs
        if ELEMENT in (left.types, right.types):
            return self._spread(plan, graph, inputs)
        node = plan.join()
        kind = str(node.getJoinType()).removeprefix("LEFT") or "LEFT"
        condition = node.getCondition()
        width = len(left.types)
        sides = {n: col(n, "l") for n in range(width)} | {width + n: col(n, "r") for n in range(len(right.types))}
        keys = []
        for rex in _conjuncts(condition) if condition is not None else ():
            if _operator(rex) == "=":
                a, b = rex.getOperands()
                if any(n >= width for n in _indices(a)):
                    a, b = b, a
                if _within(a, range(width)) and _within(b, range(width, width + len(right.types))):
                    own = {n: col(n) for n in range(width)}
                    other = {width + n: col(n) for n in range(len(right.types))}
                    keys.append((expression(a, own), expression(b, other)))
        # A condition on one side alone may have been moved down to that side: then every pair that is left matches.
        on = expression(condition, sides) if condition is not None else exp.true()
        return graph.join(kind, left, right, on, keys)

    def _spread(self, plan: Any, graph: Graph, inputs: list[Frame]) -> Frame:
        """Return a row for each element of a list, beside the row that holds the list."""
        left, right = inputs
        parts = _conjuncts(plan.join().getCondition())
        calls = [rex for rex in parts if _operator(rex) == SPREAD]
        if left.types == ELEMENT or len(calls) != 1:
            raise NotImplementedError("dask-sql moved a join over UNNEST")
        value = expression(calls[0].getOperands()[0], left)
        frame = graph.spread(left, value)
        tests = [expression(rex, frame) for rex in parts if rex is not calls[0]]
        for test in right.filters:
            test = test.copy()
            for hole in list(test.find_all(exp.Column)):
                hole.replace(col(len(left.types)))
            tests.append(test)
        return graph.select(frame, columns(len(frame.types)), exp.and_(*tests)) if tests else frame

    def _cross(self, plan: Any, graph: Graph, inputs: list[Frame]) -> Frame:
        left, right = inputs
        return graph.join("CROSS", left, right, None, ())

    def _sort(self, plan: Any, graph: Graph, inputs: list[Frame]) -> Frame:
        (frame,) = inputs
        node = plan.sort()
        names = [field.getQualifiedName() for field in plan.getRowType().getFieldList()]
        by = [
            exp.Ordered(
                this=col(names.index(rex.column_name(plan))),
                desc=not rex.isSortAscending(),
                nulls_first=rex.isSortNullsFirst(),
            )
            for rex in node.getCollation()
        ]
        return graph.sort(frame, by, node.getNumRows())

    def _limit(self, plan: Any, graph: Graph, inputs: list[Frame]) -> Frame:
        return graph.limit(inputs[0], *_cut(plan))

    def _union(self, plan: Any, graph: Graph, inputs: list[Frame]) -> Frame:
        return graph.union(inputs)

    def _same(self, plan: Any, graph: Graph, inputs: list[Frame]) -> Frame:
        return inputs[0]


OPERATORS: dict[str, Callable[[Planner, Any, Graph, list[Frame]], Frame]] = {
    "TableScan": Planner._scan,
    "Projection": Planner._project,
    "Filter": Planner._filter,
    "Aggregate": Planner._aggregate,
    "Distinct": Planner._distinct,
    "Window": Planner._window,
    "Join": Planner._join,
    "CrossJoin": Planner._cross,
    "Sort": Planner._sort,
    "Limit": Planner._limit,
    "Union": Planner._union,
    "SubqueryAlias": Planner._same,
}


# ---- expressions of the plan -------------------------------------------------------------------------------------

BINARY = {"and": exp.And, "or": exp.Or, "=": exp.EQ, "!=": exp.NEQ, "is not distinct from": exp.NullSafeEQ}


def expression(rex: Any, inputs: Frame | dict[int, exp.Column]) -> exp.Expr:
    """Return an expression of the plan in DuckDB's dialect; ``inputs`` gives what stands for each input column."""
    kind = str(rex.getRexType()).rpartition(".")[2]
    if kind == "Reference":
        index = rex.getIndex()
        return inputs[index].copy() if isinstance(inputs, dict) else col(index)
    if kind == "Literal" and str(rex.getType()) == "Boolean":
        return exp.Boolean(this=bool(rex.getBoolValue()))
    operands = rex.getOperands()
    if kind == "Alias":
        return expression(operands[0], inputs)
    name = _operator(rex)
    if name in FUNCTIONS:
        return call(operands, inputs)
    values: list[exp.Expr] = [exp.Paren(this=expression(operand, inputs)) for operand in operands]
    if name in BINARY:
        return exp.Paren(this=functools.reduce(lambda a, b: BINARY[name](this=a, expression=b), values))
    if name in ("is null", "is not null"):
        test = exp.Paren(this=exp.Is(this=values[0], expression=exp.Null()))
        return test if name == "is null" else exp.Paren(this=exp.Not(this=test))
    if name == "not":
        return exp.Paren(this=exp.Not(this=values[0]))
    raise NotImplementedError(f"dask-sql planned the expression {rex}")


def call(arguments: Sequence[Any], inputs: Frame | dict[int, exp.Column]) -> exp.Expr:
    """Return a template with its arguments filled in: the first argument is the template's text."""
    body = template(arguments[0].getStringValue()).copy()
    values = [expression(argument, inputs) for argument in arguments[1:]]
    holes = [found for found in body.find_all(exp.Column) if re.fullmatch(r"\$\d+", found.name)]
    for hole in holes:
        value = values[int(hole.name[1:]) - 1].copy()
        value = value if isinstance(value, exp.Column) else exp.Paren(this=value)
        if hole is body:
            return value
        hole.replace(value)
    return body


@functools.lru_cache(maxsize=4096)
def template(text: str) -> exp.Expr:
    """Return a template's text as a tree."""
    return sqlglot.parse_one(text, read="duckdb")


def _cut(plan: Any) -> tuple[int | None, int]:
    """Return the count and the offset of a Limit."""
    node = plan.limit()
    # A limit of 0 was made a false condition by a pass: here 0 means that there is none.
    return node.getFetch().getUInt64Value() or None, node.getSkip().getUInt64Value() or 0


def _operator(rex: Any) -> str:
    return str(rex.getOperatorName()).lower() if str(rex.getRexType()) == "RexType.Call" else ""


def _conjuncts(rex: Any) -> list[Any]:
    return [c for o in rex.getOperands() for c in _conjuncts(o)] if _operator(rex) == "and" else [rex]


def _indices(rex: Any) -> set[int]:
    kind = str(rex.getRexType())
    if kind == "RexType.Reference":
        return {rex.getIndex()}
    return {n for o in rex.getOperands() for n in _indices(o)} if kind != "RexType.Literal" else set()


def _within(rex: Any, columns: range) -> bool:
    found = _indices(rex)
    return bool(found) and all(n in columns for n in found)
