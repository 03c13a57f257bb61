"""Relations: the one tree of a query, kept as layers so that a pipeline shares what it was built from."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from mdfsql.bind import bind
from mdfsql.catalog import PythonSource, Source
from mdfsql.errors import BindError
from mdfsql.merge_layers import merge_layers
from mdfsql.needed import needed
from mdfsql.schema import Schema, canonical, data_type, read_type
from mdfsql.trees import copied

__all__ = ["Alternative", "Origin", "Relation", "all_of", "column", "identifier"]


def identifier(name: str) -> exp.Identifier:
    """Return a quoted identifier: any name is a good name."""
    return exp.Identifier(this=name, quoted=True)


def column(name: str, table: str | None = None) -> exp.Column:
    """Return a column reference, quoted.

    >>> column("a b", "t").sql("duckdb")
    '"t"."a b"'
    """
    return exp.Column(this=identifier(name), table=identifier(table) if table else None)


@dataclass(frozen=True)
class Origin:
    """The step that made a relation of another, which it may have been merged into: ``step(parent)`` makes it anew."""

    step: Callable[[Relation], Relation]
    parent: Relation


@dataclass(frozen=True)
class Alternative:
    """The same step with its row functions run as Python, for an engine that has no exact SQL for what they became.

    ``warn`` tells the user, with the engine's reason.
    """

    step: Callable[[Relation], Relation]
    warn: Callable[[str], None]


class Relation:
    """One layer of a query: a tree in the reference dialect whose tables are names of ``inputs``.

    An input is a Source or another relation. Building binds the layer alone, against the schemas of its inputs,
    so a mistake raises BindError where it was made. Immutable: an operation makes a new relation.
    """

    __slots__ = ("__weakref__", "alternative", "inputs", "lifted", "origin", "plans", "present", "schema", "tree")

    def __init__(
        self,
        tree: exp.Query,
        inputs: Mapping[str, Relation | Source],
        *,
        schema: Schema | None = None,
        text: str | None = None,
        lifted: tuple[str, ...] = (),
    ) -> None:
        self.inputs = dict(inputs)
        self.tree = tree
        self.lifted = lifted
        self.origin: Origin | None = None
        self.alternative: Alternative | None = None
        # Columns that are not NULL in any row, as far as a row function has seen to that.
        self.present: frozenset[str] = frozenset()
        # What compile made of this relation, by target.
        self.plans: dict[Any, Any] = {}
        self.schema = schema if schema is not None else self._bind(text)

    def _bind(self, text: str | None) -> Schema:
        own = bind(self.tree, {name: given.schema for name, given in self.inputs.items()}, text=text)
        try:
            schema = Schema({name: canonical(type_) for name, type_ in own.items()})
        except ValueError as error:
            raise BindError(f"{error}; cast it to one that every engine has", sql=text) from error
        widened = {name for name, type_ in own.items() if not same_type(type_, schema[name])}
        if widened:
            self.tree = cast_outputs(self.tree, schema, widened)
        return schema

    def sources(self) -> Iterator[Source]:
        """Yield each source that the whole query reads, once."""
        seen: set[int] = set()
        stack: list[Relation | Source] = [self]
        while stack:
            node = stack.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, Source):
                yield node
            else:
                stack.extend(node.inputs.values())

    def notes(self) -> Iterator[str]:
        """Yield what was lifted on the way, first step first."""
        for source in self.python_sources():
            yield from source.relation.notes()
        for node in _ordered(self):
            yield from node.lifted

    def python_sources(self) -> Iterator[PythonSource]:
        """Yield the functions that run as Python below this relation, not those below them."""
        return (source for source in self.sources() if isinstance(source, PythonSource))

    def python_notes(self) -> Iterator[str]:
        """Yield what runs as Python, first step first."""
        for source in self.python_sources():
            yield from source.relation.python_notes()
            yield source.note

    def assemble(self) -> exp.Query:
        """Return the whole query as one fresh tree over sources.

        A relation that is read once goes into the query that reads it where both make one, and stands as a subquery
        there else; one read more often becomes a CTE, and so does one with many others in it: what walks a tree by
        recursion, here and in the engines, has its limits.
        Columns that are not read are not listed.
        """
        order = _ordered(self, lambda node: map(_bare, node.inputs.values()))
        trees: dict[int, exp.Query] = {}
        wanted: dict[int, frozenset[str] | None] = {id(self): None}
        for node in reversed(order):
            outputs, read = needed(node.tree, wanted[id(node)], node.schema)
            trees[id(node)] = copied(node.tree, outputs)
            for below in map(_bare, node.inputs.values()):
                so_far = wanted.get(id(below), frozenset())
                wanted[id(below)] = None if read is None or so_far is None else so_far | read
        reads = {
            id(node): [(table, _bare(node.inputs[table.name])) for table in _inputs(trees[id(node)], node.inputs)]
            for node in order
        }
        uses = Counter(id(given) for found in reads.values() for _, given in found)
        built: dict[int, exp.Query] = {}
        depths: dict[int, int] = {}
        ctes: list[tuple[str, exp.Query]] = []
        names: dict[int, str] = {}
        for node in order:
            tree = trees[id(node)]
            unnamed = []
            for table, given in reads[id(node)]:
                named = table.args.get("alias") or exp.TableAlias()
                named.set("this", identifier(table.alias or table.name))
                table.set("alias", named)
                known = given.name if isinstance(given, Source) else names.get(id(given))
                if known is not None and not named.args.get("columns"):
                    table.set("this", identifier(known))
                else:
                    # Not every engine renames the columns of a table.
                    unnamed.append((table, given, built.pop(id(given)) if known is None else all_of(known)))
            depth = max([0, *(depths[id(given)] for _, given in reads[id(node)] if id(given) in names)])
            # The first table of the FROM before those that are joined to it are queries.
            for table, given, inner in sorted(unnamed, key=lambda found: not isinstance(found[0].parent, exp.From)):
                merged = merge_layers(tree, table, inner)
                if not merged:
                    _nest(table, inner)
                depth = max(depth, depths.get(id(given), 0) - merged)
            depths[id(node)] = 1 + depth
            deep = depths[id(node)] == MOST_NESTED and node is not self
            if uses[id(node)] > 1 or deep:
                depths[id(node)] = 0
                names[id(node)] = f"_shared_{len(ctes) + 1}"
                ctes.append((names[id(node)], tree))
            else:
                built[id(node)] = tree
        whole = built[id(self)]
        if ctes:
            own = whole.args.get("with_")
            made = [exp.CTE(this=q, alias=exp.TableAlias(this=identifier(n))) for n, q in ctes]
            recursive = bool(own and own.args.get("recursive"))
            whole.set("with_", exp.With(expressions=made + (own.expressions if own else []), recursive=recursive))
        return whole


MOST_NESTED = 20


def _nest(table: exp.Table, inner: exp.Query) -> None:
    """Put a query where a table stands."""
    subquery = exp.Subquery(this=inner, alias=table.args["alias"])
    for part in ("joins", "pivots", "sample"):
        if table.args.get(part):
            subquery.set(part, table.args[part])
    table.replace(subquery)


def _bare(given: Relation | Source) -> Relation | Source:
    """Return the source of which a relation is all rows and columns, and nothing else; or what was given.

    What a function gives may not be the same twice: read twice, it is to be computed once.
    """
    if not isinstance(given, Relation) or _filled(given.tree) != {"expressions", "from_"}:
        return given
    outputs, table = given.tree.expressions, given.tree.args["from_"].this
    everything = len(outputs) == 1 and isinstance(outputs[0], exp.Star) and not _filled(outputs[0])
    if not everything or not isinstance(table, exp.Table) or _filled(table) != {"this"}:
        return given
    source = given.inputs.get(table.name) if isinstance(table.this, exp.Identifier) else None
    return source if isinstance(source, Source) and not isinstance(source, PythonSource) else given


def _filled(node: exp.Expr) -> set[str]:
    return {part for part, value in node.args.items() if value}


def _ordered(
    root: Relation, below: Callable[[Relation], Iterable[Relation | Source]] = lambda node: node.inputs.values()
) -> list[Relation]:
    """Return the relations below and with ``root``, inputs first, each once; without recursion, as chains are long."""
    order: list[Relation] = []
    done: set[int] = set()
    stack: list[tuple[Relation, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if id(node) in done:
            continue
        if ready:
            done.add(id(node))
            order.append(node)
            continue
        stack.append((node, True))
        stack.extend((given, False) for given in below(node) if isinstance(given, Relation))
    return order


def with_alternatives(root: Relation, wanted: Callable[[Relation], bool]) -> Relation:
    """Return the relation with the alternatives of the steps for which they are ``wanted``; itself if of none."""

    def below(node: Relation) -> Iterable[Relation | Source]:
        return (node.origin.parent,) if node.origin is not None else node.inputs.values()

    done: dict[int, Relation] = {}
    for node in _ordered(root, below):
        if node.origin is None:
            inputs = {name: done.get(id(given), given) for name, given in node.inputs.items()}
            same = all(made is given for made, given in zip(inputs.values(), node.inputs.values(), strict=True))
            made = node if same else Relation(node.tree.copy(), inputs, schema=node.schema, lifted=node.lifted)
        else:
            parent = done[id(node.origin.parent)]
            if node.alternative is not None and wanted(node):
                made = node.alternative.step(parent)
            else:
                made = node if parent is node.origin.parent else node.origin.step(parent)
        done[id(node)] = made
    return done[id(root)]


def all_of(name: str) -> exp.Select:
    """Return ``SELECT * FROM`` a name."""
    return exp.Select(expressions=[exp.Star()], from_=exp.From(this=exp.Table(this=identifier(name))))


def _inputs(tree: exp.Expr, names: Container[str]) -> list[exp.Table]:
    """Return the tables of a tree that stand for inputs."""
    return [
        table
        for table in tree.find_all(exp.Table)
        if isinstance(table.this, exp.Identifier) and not table.args.get("db") and table.name in names
    ]


# Spellings of one type that DuckDB prints in more than one way.
SPELLINGS = {"TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ"}


@functools.cache
def same_type(own: str, wanted: str) -> bool:
    """Tell whether DuckDB's own type is the canonical one, so that no cast is needed."""
    if SPELLINGS.get(own, own) == wanted:
        return True
    built = read_type(own)
    for name in built.find_all(exp.Identifier):
        # Canonical types quote the names of all fields, DuckDB only of some.
        name.set("quoted", True)
    return data_type(wanted) == built


def cast_outputs(tree: exp.Query, schema: Schema, names: set[str]) -> exp.Query:
    """Return the query with the named output columns cast to their canonical types."""
    if isinstance(tree, exp.Select) and not tree.is_star and len(tree.selects) == len(schema):
        tree = tree.copy()
        for name, projection in zip(schema, list(tree.selects), strict=True):
            if name in names:
                value = projection.unalias()
                cast = exp.Cast(this=value.copy(), to=data_type(schema[name]))
                projection.replace(exp.alias_(cast, identifier(name), quoted=True))
        return tree
    inner = exp.Subquery(this=tree, alias=exp.TableAlias(this=identifier("q")))
    outputs = [
        exp.alias_(exp.Cast(this=column(name), to=data_type(type_)), identifier(name))
        if name in names
        else column(name)
        for name, type_ in schema.items()
    ]
    return exp.Select(expressions=outputs, from_=exp.From(this=inner))
