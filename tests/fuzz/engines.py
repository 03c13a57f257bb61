"""Engines for many expressions at once: which of them each refuses, which rows make which fail, and the values."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import exp

import mdfsql as mdf
from mdfsql import result, steps
from mdfsql.catalog import ArrowSource
from mdfsql.compile import Plan, compile_relation, target_of
from mdfsql.errors import EngineError, Unsupported
from mdfsql.lift_nodes import case, literal, within
from mdfsql.relation import Relation, column
from tests.fuzz.cases import Case
from tests.fuzz.oracle import Failure
from tests.fuzz.rows import SCHEMA

__all__ = ["RUNNERS", "Runner", "opened"]

KEPT = "_kept"
SHARED = "spark.sql.subexpressionElimination.enabled"


def output(one: Case) -> exp.Expression:
    """Return a case as a column; a condition is TRUE, or NULL."""
    return case((one.node, exp.true())) if one.is_filter else one.node


class Runner:
    """An engine with one table; expressions run on it through compile, as a dataset's do."""

    def __init__(self, backend: mdf.Backend, table: pa.Table) -> None:
        self.engine = backend.engine
        self.target = target_of(backend.name)
        self.count = table.num_rows
        self.table = table
        source = ArrowSource(schema=SCHEMA, table=table, kind="fuzz")
        self.base = Relation(steps.wrap(), {steps.INPUT: source}, schema=SCHEMA)

    def plan(self, cases: Sequence[Case], skip: Sequence[set[int]] = ()) -> Plan:
        """Return the query with a column for each case, which is NULL on the rows of ``skip``."""
        outputs: dict[str, exp.Expression] = {"id": column("id")}
        for place, one in enumerate(cases):
            node = output(one).copy()
            if skip and skip[place]:
                node = case((_among(skip[place]), exp.null()), default=node)
            outputs[f"c{place}"] = node
        return compile_relation(steps.project(self.base, outputs), self.target)

    def refusal(self, one: Case) -> Unsupported | None:
        """Return why the engine refuses a case, if it does."""
        try:
            self.plan([one])
        except Unsupported as error:
            return error
        return None

    def refusals(self, cases: Sequence[Case]) -> list[Unsupported | None]:
        """Return why the engine refuses each case, None for those that it does not."""
        try:
            self.plan(cases)
        except Unsupported:
            return [self.refusal(one) for one in cases]
        return [None] * len(cases)

    def run(self, cases: Sequence[Case]) -> list[list[Any]]:
        """Return what each case gives on each row: a value, or a Failure."""
        return self.run_without(cases, self.raising(cases))

    def run_without(self, cases: Sequence[Case], skip: Sequence[set[int]]) -> list[list[Any]]:
        """Return what each case gives, a Failure on the rows to skip."""
        found: list[list[Any]] = [[Failure()] * self.count for _ in cases]
        for row in self.values(cases, skip):
            for place, value in enumerate(row[1:]):
                if row[0] not in skip[place]:
                    found[place][row[0]] = value
        filters = [place for place, one in enumerate(cases) if one.is_filter]
        kept = self.kept([cases[p] for p in filters], [skip[p] for p in filters])
        for place, ids in zip(filters, kept, strict=True):
            for row_id in range(self.count):
                if row_id not in skip[place]:
                    as_column, as_filter = found[place][row_id] is True, row_id in ids
                    found[place][row_id] = as_filter if as_column == as_filter else f"{as_filter=} {as_column=}"
        return found

    def values(self, cases: Sequence[Case], skip: Sequence[set[int]]) -> list[tuple[Any, ...]]:
        """Return a row for each row: its id, and the cases in order."""
        return list(result.rows(self.engine, self.plan(cases, skip)))

    def kept(self, filters: Sequence[Case], skip: Sequence[set[int]]) -> list[set[int]]:
        """Return the rows that each condition keeps in a WHERE."""
        found: list[set[int]] = [set() for _ in filters]
        whole: Relation | None = None
        for place, (one, rows) in enumerate(zip(filters, skip, strict=True)):
            node = one.node.copy()
            if rows:
                node = case((_among(rows), exp.false()), default=node)
            outputs = {"id": column("id"), KEPT: literal(place, "BIGINT")}
            part = steps.project(steps.filter_rows(self.base, [node]), outputs)
            whole = part if whole is None else steps.compound("union", whole, part, all=True)
        if whole is not None:
            for row_id, place in result.rows(self.engine, compile_relation(whole, self.target)):
                found[place].add(row_id)
        return found

    def raising(self, cases: Sequence[Case]) -> list[set[int]]:
        """Return the rows on which each case fails."""
        raise NotImplementedError

    def alone(self, one: Case, row_id: int) -> Any:
        """Return what a case gives on one row, without the others: a value, or a Failure with its message."""
        single = steps.filter_rows(self.base, [exp.EQ(this=column("id"), expression=literal(row_id, "BIGINT"))])
        relation = steps.project(single, {"c": output(one).copy()})
        try:
            ((value,),) = result.rows(self.engine, compile_relation(relation, self.target))
        except EngineError as error:
            return Failure(str(error))
        return value is True if one.is_filter else value


def _among(ids: set[int]) -> exp.Expression:
    return within(column("id"), [literal(i, "BIGINT") for i in sorted(ids)])


class DuckDBRunner(Runner):
    """DuckDB: TRY() tells which rows fail."""

    def raising(self, cases: Sequence[Case]) -> list[set[int]]:
        """Return the rows on which each case fails."""
        outputs = []
        for one in cases:
            node = exp.Paren(this=exp.Is(this=exp.Paren(this=output(one).copy()), expression=exp.null()))
            for found in list(node.find_all(exp.Anonymous)):
                if found.name == "error":
                    found.replace(_failing())
            outputs.append(exp.Anonymous(this="TRY", expressions=[node]))
        query = exp.select("id", *outputs).from_("fuzz")
        with duckdb.connect() as connection:
            connection.execute("SET threads = 1")
            connection.register("fuzz", self.table)
            # What two expressions share would be computed outside of TRY().
            connection.execute("SET disabled_optimizers = 'common_subexpressions'")
            rows = connection.execute(query.sql("duckdb")).fetchall()
            connection.execute("RESET disabled_optimizers")
            skip = [{row[0] for row in rows if row[place] is None} for place in range(1, len(cases) + 1)]
            return self.confirmed(connection, cases, skip)

    def confirmed(
        self, connection: duckdb.DuckDBPyConnection, cases: Sequence[Case], skip: list[set[int]]
    ) -> list[set[int]]:
        """Return ``skip``, with more rows for a case that fails on others: what is NULL within TRY() hides an error."""
        nodes = [output(one) for one in cases]
        if _runs(connection, nodes, skip):
            return skip
        everyone = set(range(self.count))
        for place, node in enumerate(nodes):
            if not _runs(connection, [node], [skip[place]]):
                skip[place] |= {i for i in everyone if not _runs(connection, [node], [everyone - {i}])}
        return skip


def _runs(connection: duckdb.DuckDBPyConnection, nodes: Sequence[exp.Expression], skip: Sequence[set[int]]) -> bool:
    """Tell whether expressions have values on all rows but those of ``skip``."""
    outputs = [
        exp.alias_(case((_among(rows), exp.null()), default=node.copy()) if rows else node, f"c{place}")
        for place, (node, rows) in enumerate(zip(nodes, skip, strict=True))
    ]
    try:
        connection.execute(exp.select(*outputs).from_("fuzz").sql("duckdb")).fetchall()
    except duckdb.Error:
        return False
    return True


def _failing() -> exp.Expression:
    """Return what fails as error() does, but within TRY(): a cast that depends on the row, of the type of NULL."""
    text = exp.DPipe(this=exp.Literal.string("no bool "), expression=exp.column("id"))
    cast = exp.Cast(this=text, to=exp.DataType.build("BOOLEAN"))
    return exp.Case(ifs=[exp.If(this=cast, true=exp.null())])


class DaskRunner(DuckDBRunner):
    """Dask: each partition is DuckDB's, so that the same rows fail."""


class SparkRunner(Runner):
    """Spark: its own expression for trying tells which rows fail; it has no SQL."""

    def raising(self, cases: Sequence[Case]) -> list[set[int]]:
        """Return the rows on which each case fails."""
        engine: Any = self.engine
        with engine._running():
            return self._raising(engine._frame(self.plan(cases)), len(cases))

    def _raising(self, frame: Any, count: int) -> list[set[int]]:
        from pyspark.sql import DataFrame

        session = frame.sparkSession
        jvm = session._jvm
        catalyst, columns = jvm.org.apache.spark.sql.catalyst.expressions, []
        plan = frame._jdf.queryExecution().analyzed()
        listed = plan.projectList()
        for place in range(listed.size()):
            node = listed.apply(place)
            node = node.child() if node.getClass().getSimpleName() == "Alias" else node
            tried = catalyst.TryEval(catalyst.IsNull(node)) if place else node
            columns.append(jvm.org.apache.spark.sql.classic.ExpressionUtils.column(tried))
        below = jvm.org.apache.spark.sql.classic.Dataset.ofRows(session._jsparkSession, plan.child())
        # What two expressions share would be computed outside of the trying.
        session.conf.set(SHARED, "false")
        try:
            rows = DataFrame(below.select(jvm.PythonUtils.toSeq(columns)), session).collect()
        finally:
            session.conf.unset(SHARED)
        return [{row[0] for row in rows if row[place] is None} for place in range(1, count + 1)]


RUNNERS: dict[str, type[Runner]] = {"duckdb": DuckDBRunner, "spark": SparkRunner, "dask": DaskRunner}


OPTIONS: dict[str, dict[str, Any]] = {
    "duckdb": {"threads": 1},
    # Queries of a hundred expressions, by the hundred.
    "spark": {
        "config": {"spark.driver.memory": "3g", "spark.sql.ui.retainedExecutions": 1, "spark.ui.retainedJobs": 1}
    },
}


@contextlib.contextmanager
def opened(name: str) -> Iterator[mdf.Backend]:
    """Open an engine for a run."""
    backend = mdf.Backend(name, OPTIONS.get(name))
    try:
        yield backend
    finally:
        backend.close()
