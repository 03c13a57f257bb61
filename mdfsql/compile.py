"""From a relation to the SQL that a target is sent: resolve, run the target's passes, check its allow-list, write."""

from __future__ import annotations

import importlib
import inspect
from collections import OrderedDict
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema

from mdfsql.catalog import Source
from mdfsql.dialects.base import Target, check_allowed
from mdfsql.errors import Unsupported
from mdfsql.relation import Relation
from mdfsql.schema import Schema

__all__ = ["Note", "Plan", "compile_relation", "target_of", "trace"]

TARGETS = {"duckdb": "duckdb", "spark": "spark", "dask": "dask_sql"}


def target_of(engine: str) -> Target:
    """Return the target of an engine's name; needs neither Java nor the engine's package."""
    module = importlib.import_module(f"mdfsql.dialects.{TARGETS[engine]}")
    target: Target = module.target
    return target


@dataclass(frozen=True)
class Note:
    """One pass that changed the tree, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class Plan:
    """What an engine is handed: SQL in its dialect, the sources it reads, and the bound output schema."""

    sql: str
    sources: tuple[Source, ...]
    schema: Schema
    tree: exp.Query


def compile_relation(relation: Relation, target: Target) -> Plan:
    """Return the plan of a relation on a target; cached, so that a second action costs nothing.

    Raises Unsupported for what the target is not shown to answer as the reference does.
    """
    plan = relation.plans.get(target.name)
    if plan is None:
        plan = relation.plans[target.name] = _compile(relation, target)
    return plan


# What was lowered, by the reference text and the target. A source's name is never used twice, so the text alone says
# what it means; the sources themselves are not kept here, for they may hold large tables.
_lowered: OrderedDict[tuple[str, str], tuple[str, exp.Query]] = OrderedDict()
MOST_LOWERED = 512


def _compile(relation: Relation, target: Target) -> Plan:
    tree = relation.assemble()
    sources = tuple(relation.sources())
    key = (tree.sql("duckdb"), target.name)
    found = _lowered.get(key)
    if found is None:
        lowered = lower(tree, sources, target)
        found = _lowered[key] = (lowered.sql(target.dialect), lowered)
        while len(_lowered) > MOST_LOWERED:
            _lowered.popitem(last=False)
    return Plan(sql=found[0], sources=sources, schema=relation.schema, tree=found[1])


def lower(tree: exp.Expr, sources: tuple[Source, ...], target: Target, notes: list[Note] | None = None) -> exp.Query:
    """Return the tree as the target is to run it; with ``notes``, each pass that changes something is noted."""
    if target.resolve:
        tree = resolve(tree, sources, target.name)
    for pass_ in target.passes:
        before = tree.sql("duckdb") if notes is not None else ""
        try:
            tree = pass_(tree)
        except Unsupported as error:
            # Passes are shared by targets, so that they know no engine's name.
            raise Unsupported(error.construct, target.name, error.why, error.instead) from None
        if notes is not None and tree.sql("duckdb") != before:
            notes.append(Note(pass_.__name__, (inspect.getdoc(pass_) or "").split("\n\n")[0].replace("\n", " ")))
    check_allowed(tree, target)
    if not isinstance(tree, exp.Query):
        raise TypeError(f"the passes of {target.name} gave no query")
    return tree


def trace(relation: Relation, target: Target) -> tuple[Plan, list[Note]]:
    """Compile anew and return the plan with a note for each pass that changed something."""
    notes: list[Note] = []
    lower(relation.assemble(), tuple(relation.sources()), target, notes)
    return compile_relation(relation, target), notes


def resolve(tree: exp.Expr, sources: tuple[Source, ...], engine: str) -> exp.Expr:
    """Return the tree with every column qualified, stars expanded, names in lower case, and types on its nodes."""
    schema = MappingSchema(dialect="duckdb")
    for source in sources:
        schema.add_table(exp.to_table(source.name), dict(source.schema), match_depth=False)
    plain_negations(tree)
    try:
        tree = qualify(tree, schema=schema, dialect="duckdb", validate_qualify_columns=True)
        order_by_inputs(tree, schema)
        return annotate_types(tree, schema=schema, dialect="duckdb")
    except SqlglotError as error:
        # DuckDB has bound this query: what cannot be resolved here is ours to learn, never to guess.
        raise Unsupported("this query", engine, f"its columns could not be resolved ({error})") from error


def plain_negations(tree: exp.Expr) -> None:
    """Write ``a NOT LIKE b`` and ``a IS NOT b``, which the parser keeps in a flag, as NOT: passes see one form only."""
    for node in list(tree.find_all(exp.Condition)):
        if node.args.get("negate"):
            node.set("negate", None)
            negated = exp.Not(this=exp.Paren(this=node.copy()))
            node.replace(negated)


def order_by_inputs(tree: exp.Expr, schema: MappingSchema) -> None:
    """Qualify what an ORDER BY expression reads.

    In the reference a bare name in ORDER BY is an output column first, but inside an expression an input column
    first: ``SELECT -a AS a FROM t ORDER BY a + 1`` orders by the table's ``a``. Other engines take the output.
    """
    for scope in traverse_scope(tree):
        order = scope.expression.args.get("order") if isinstance(scope.expression, exp.Select) else None
        for key in order.expressions if order else ():
            if isinstance(key.this, exp.Column):
                continue
            for found in key.this.find_all(exp.Column):
                if found.table:
                    continue
                for name, (_, source) in scope.selected_sources.items():
                    names = schema.column_names(source) if isinstance(source, exp.Table) else _outputs(source)
                    if found.name in names:
                        found.set("table", exp.to_identifier(name, quoted=True))
                        break


def _outputs(scope: Scope) -> list[str]:
    query = scope.expression
    return query.named_selects if isinstance(query, exp.Query) else []
