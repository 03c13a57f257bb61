"""From a relation to the SQL that a target is sent: resolve, run the target's passes, check its allow-list, write."""

from __future__ import annotations

import importlib
import inspect
from collections import OrderedDict
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.errors import UnsupportedError

from mdfsql.bind import scan
from mdfsql.catalog import CacheSource, FileSource, PythonSource, Source
from mdfsql.dialects.base import Pass, Target, check_allowed
from mdfsql.errors import Unsupported
from mdfsql.lower.rules import located
from mdfsql.lower.shapes import branches
from mdfsql.lower.shown_kinds import kind_name, unshown
from mdfsql.relation import Relation, same_type, with_alternatives
from mdfsql.schema import Schema, data_type
from mdfsql.trees import fingerprint, written

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
    """What an engine is handed: SQL in its dialect, the sources it reads, and the bound output schema.

    ``inlined`` are the names of those sources that the SQL reads by itself.
    """

    sql: str
    sources: tuple[Source, ...]
    schema: Schema
    tree: exp.Query
    inlined: frozenset[str] = frozenset()


def compile_relation(relation: Relation, target: Target) -> Plan:
    """Return the plan of a relation on a target; cached, so that a second action costs nothing.

    Raises Unsupported for what the target is not shown to answer as the reference does.
    """
    plan = relation.plans.get(target.name)
    if plan is None:
        plan = relation.plans[target.name] = _settled(relation, target)[1]
    return plan


def _settled(relation: Relation, target: Target) -> tuple[Relation, Plan]:
    """Return the relation as the target runs it, with its plan: what has no exact SQL there runs as Python."""
    try:
        return relation, _compile(relation, target)
    except Unsupported:
        instead = _with_python(relation, target)
        if instead is relation:
            raise
        return instead, _compile(instead, target)


def _with_python(relation: Relation, target: Target) -> Relation:
    """Return the relation with those row functions run as Python whose SQL the target refuses."""

    def refused(node: Relation) -> bool:
        assert node.origin is not None and node.alternative is not None
        # The step alone, over a table that is never read.
        table = Source(schema=node.origin.parent.schema)
        alone = node.origin.step(Relation(exp.select("*").from_("_0"), {"_0": table}, schema=table.schema))
        try:
            _compile(alone, target)
        except Unsupported as error:
            node.alternative.warn(f"{error.engine}: {error.reason}")
            return True
        return False

    return with_alternatives(relation, refused)


# What was lowered, by the tree and the target. A source's name is never used twice, so the tree alone says what it
# means; the sources themselves are not kept here, for they may hold large tables.
_lowered: OrderedDict[tuple[bytes, str], tuple[str, exp.Query, frozenset[str]]] = OrderedDict()
MOST_LOWERED = 512


def _compile(relation: Relation, target: Target) -> Plan:
    tree = relation.assemble()
    sources = tuple(relation.sources())
    for source in sources:
        if isinstance(source, (CacheSource, PythonSource)):
            compile_relation(source.relation, target)
    key = (fingerprint(tree), target.name)
    found = _lowered.get(key)
    if found is None:
        lowered = lower(tree, sources, target, relation.schema)
        if target.resolve and len(lowered.selects) != len(relation.schema):
            raise Unsupported("this query", target.name, "its output columns could not be resolved one by one")
        inlined = _inline_scans(lowered, sources) if target.inlines else frozenset()
        try:
            found = _lowered[key] = (written(lowered, target.dialect), lowered, inlined)
        except UnsupportedError as error:
            raise Unsupported("this query", target.name, f"a part of it has no form there ({error})") from error
        while len(_lowered) > MOST_LOWERED:
            _lowered.popitem(last=False)
    sql, lowered, inlined = found
    return Plan(sql=sql, sources=sources, schema=relation.schema, tree=lowered, inlined=inlined)


MOST_INLINED = 20  # paths: more would make the text long


def _inline_scans(tree: exp.Query, sources: tuple[Source, ...]) -> frozenset[str]:
    """Write files where their names stand, and return the names that stand nowhere any more.

    DuckDB filters within a scan what it does not filter within a view of one. The view has the columns that the files
    had when they were first looked at; a scan has those of now, so that it is read by their names alone.
    """
    files = {source.name: source for source in sources if isinstance(source, FileSource) and _is_plain(source)}
    left = set()
    for table in list(tree.find_all(exp.Table)):
        source = files.get(table.name)
        if source is None:
            continue
        if _by_name(table, source):
            table.set("this", scan(source.format, source.paths, dict(source.options)))
        else:
            left.add(source.name)
    return frozenset(files) - left


def _is_plain(source: FileSource) -> bool:
    """Tell whether a scan of the files gives the source's own types."""
    return len(source.paths) <= MOST_INLINED and all(same_type(own, source.schema[name]) for name, own in source.own)


def _by_name(table: exp.Table, source: Source) -> bool:
    """Tell whether a query reads of a table, and of nothing else, columns that it names."""
    select = table.parent.parent if isinstance(table.parent, exp.From) else None
    if not isinstance(select, exp.Select) or any(select.args.get(part) for part in ("joins", "laterals")):
        return False
    if any(value for part, value in table.args.items() if part not in ("this", "alias")) or select.find(exp.Columns):
        return False
    names = {name.lower() for name in source.schema}
    stars = (star for star in select.find_all(exp.Star) if not isinstance(star.parent, exp.Count))
    return next(stars, None) is None and all(found.name.lower() in names for found in select.find_all(exp.Column))


def lower(
    tree: exp.Expr, sources: tuple[Source, ...], target: Target, schema: Schema, notes: list[Note] | None = None
) -> exp.Query:
    """Return the tree as the target is to run it; with ``notes``, each pass that changes something is noted."""
    if target.resolve:
        from mdfsql.resolve import resolve  # sqlglot's optimizer is loaded for the targets that need it

        tree = resolve(tree, sources, target.name)
    tree = _passed(tree, target.typed, target, notes)
    if target.shown is not None and isinstance(tree, exp.Query):
        _check_types(tree, schema, target)
    # What a pass has to say about its own construct says more, so that this comes last.
    refusal = unshown(tree, target.shown) if target.shown is not None else None
    tree = _passed(tree, target.passes, target, notes)
    check_allowed(tree, target)
    if refusal is not None:
        raise refusal.on(target.name)
    if not isinstance(tree, exp.Query):
        raise TypeError(f"the passes of {target.name} gave no query")
    return tree


def _check_types(tree: exp.Query, schema: Schema, target: Target) -> None:
    """Refuse an output that the passes take for another type than the reference bound: they would get it wrong."""
    sides = list(branches(tree))
    for place, (name, bound) in enumerate(schema.items()):
        outputs = [side.selects[place] for side in sides if place < len(side.selects)]
        taken = {kind_name(output) for output in outputs}
        # Of several types on the sides of a UNION, a pass makes one.
        if len(taken) == 1 and taken.isdisjoint(("unknown", "null", kind_name(data_type(bound)))):
            why = f"its type is {bound} to the reference, and {taken.pop().upper()} to the rules there"
            raise located(Unsupported(f"the column {name!r}", target.name, why, "CAST it"), outputs[0])


def _passed(tree: exp.Expr, passes: tuple[Pass, ...], target: Target, notes: list[Note] | None) -> exp.Expr:
    for pass_ in passes:
        before = tree.sql("duckdb") if notes is not None else ""
        try:
            tree = pass_(tree)
        except Unsupported as error:
            # Passes are shared by targets, so that they know no engine's name.
            raise error.on(target.name) from None
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # A mistake of ours must not look like one of the query's, and nothing has run yet.
            raise Unsupported("this query", target.name, f"{pass_.__name__} failed on it ({error!r})") from error
        if notes is not None and tree.sql("duckdb") != before:
            notes.append(Note(pass_.__name__, (inspect.getdoc(pass_) or "").split("\n\n")[0].replace("\n", " ")))
    return tree


def trace(relation: Relation, target: Target) -> tuple[Relation, Plan, list[Note]]:
    """Compile anew and return the relation as it runs, its plan, and a note for each pass that changed something."""
    notes: list[Note] = []
    settled, plan = _settled(relation, target)
    lower(settled.assemble(), plan.sources, target, settled.schema, notes)
    return settled, plan, notes
