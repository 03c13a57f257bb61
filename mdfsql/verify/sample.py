"""The same part of each source on every engine, chosen by a hash of key columns: rows that join stay together."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence

from sqlglot import exp

from mdfsql.catalog import ArrowSource, CacheSource, PythonSource, Source
from mdfsql.errors import BindError
from mdfsql.relation import Relation
from mdfsql.steps import INPUT, filter_rows, hash_text, own_name, wrap

__all__ = ["sampled"]

Key = tuple[Source, str]


Part = Callable[[Source], "Relation | Source"]


def sampled(relation: Relation, share: float, keys: Sequence[str], seed: int) -> tuple[Part, str]:
    """Return what gives the part of each source that a query is to read, and what is to be said about it.

    Sources that a query joins on a column are sampled by that column, and those that it joins to them by others stay
    whole; a source alone is sampled by ``keys`` where it has them, else by all columns. BindError where nothing can
    be sampled.
    """
    relations, sources = _below(relation)
    chosen = _chosen(relations, sources)
    if not chosen:
        chosen = {source: _own_keys(source, keys) for source in sources}
    bound = exp.Literal.string(f"{min(round(share * 2**32), 2**32 - 1):08x}")

    def part(source: Source) -> Relation | Source:
        if source not in chosen:
            return source
        text = hash_text(source.schema, chosen[source], seed)
        whole = Relation(wrap(), {INPUT: source}, schema=source.schema)
        return filter_rows(whole, [exp.LT(this=text, expression=bound.copy())])

    called = {source: _name(source, relations) for source in sources}
    parts = [f"{called[source]} by {', '.join(names) if names else 'all columns'}" for source, names in chosen.items()]
    whole = [called[source] for source in sources if source not in chosen]
    return part, _said(share, seed, parts, whole)


def _said(share: float, seed: int, parts: Sequence[str], whole: Sequence[str]) -> str:
    return (
        f"about {share:.4g} of the rows of {'; '.join(parts)} (a hash with seed {seed}: the same rows on both sides)"
        + (f"; whole: {', '.join(whole)}" if whole else "")
        + "; what the query makes of these rows is compared in full, and nothing is known of the others"
    )


def _name(source: Source, relations: Sequence[Relation]) -> str:
    """Return what a person calls a source: its file, its table, or its name in the query."""
    paths = getattr(source, "paths", ())
    if paths:
        return os.path.basename(paths[0]) + (" and others" if len(paths) > 1 else "")
    frame = getattr(source, "frame", None)
    if isinstance(frame, str):
        return frame
    for relation in relations:
        for table in relation.tree.find_all(exp.Table):
            given = relation.inputs.get(table.name)
            inner = list(given.inputs.values()) if isinstance(given, Relation) else [given]
            if inner == [source] and not table.alias.startswith("_") and table.alias:
                return table.alias
    return source.name


def _own_keys(source: Source, keys: Sequence[str]) -> list[str] | None:
    """Return the columns that a source which is joined to no other is sampled by; None for all."""
    try:
        return [own_name(name, source.schema) for name in keys] or None
    except BindError:
        return None


def _below(root: Relation) -> tuple[list[Relation], list[Source]]:
    """Return all relations and sources of a query, those below caches and functions too."""
    relations: list[Relation] = []
    sources: dict[Source, None] = {}
    seen: set[int] = set()
    stack: list[Relation | Source] = [root]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Relation):
            relations.append(node)
            stack.extend(reversed(list(node.inputs.values())))
        elif isinstance(node, (CacheSource, PythonSource)):
            stack.append(node.relation)
        else:
            sources[node] = None
    return relations, list(sources)


def _chosen(relations: Sequence[Relation], sources: Sequence[Source]) -> dict[Source, list[str] | None]:
    """Return the columns that the largest sources are joined on, one of each; none where none are joined."""
    if len(sources) < 2:
        return {}
    groups: dict[Key, set[Key]] = {}
    for relation in relations:
        for one, two in _equal(relation, sources):
            together = groups.get(one, {one}) | groups.get(two, {two})
            for key in together:
                groups[key] = together
    best: dict[Source, list[str] | None] = {}
    largest = (0, 0)
    for together in groups.values():
        found: dict[Source, list[str] | None] = {}
        for source in sources:
            names = sorted(name for own, name in together if own is source)
            if names and _hashes(source, names[0]):
                found[source] = names[:1]
        # What is large is what there is to be left out; a small table that is joined to it may stay whole.
        size = (sum(map(_size, found)), len(found))
        if len(found) > 1 and size > largest:
            best, largest = found, size
    return best


def _size(source: Source) -> int:
    """Return about how many bytes a source has, 0 where that is not known without running something."""
    if isinstance(source, ArrowSource):
        return int(source.table.nbytes)
    paths = getattr(source, "paths", ())
    return sum(os.path.getsize(path) for path in paths if os.path.isfile(path))


def _hashes(source: Source, name: str) -> bool:
    try:
        hash_text(source.schema, [name], 0)
    except BindError:
        return False
    return True


def _equal(relation: Relation, sources: Sequence[Source]) -> Iterator[tuple[Key, Key]]:
    """Yield the pairs of sources' columns that a layer joins on: ``a = b``, and USING."""
    for node in relation.tree.find_all(exp.EQ):
        if isinstance(node.this, exp.Column) and isinstance(node.expression, exp.Column):
            one, two = _key(node.this, relation, sources), _key(node.expression, relation, sources)
            if one is not None and two is not None and one[0] is not two[0]:
                yield one, two
    for join in relation.tree.find_all(exp.Join):
        for name in join.args.get("using") or ():
            found = [(source, own) for source in sources for own in source.schema if own.lower() == name.name.lower()]
            yield from itertools.pairwise(found)


def _key(node: exp.Column, relation: Relation, sources: Sequence[Source]) -> Key | None:
    """Return the source's column that a column stands for; None where it is not plain which one."""
    if node.table:
        for table in relation.tree.find_all(exp.Table):
            if table.alias_or_name.lower() == node.table.lower() and table.name in relation.inputs:
                given = relation.inputs[table.name]
                sources = [given] if isinstance(given, Source) else _below(given)[1]
                break
    found = [(source, own) for source in sources for own in source.schema if own.lower() == node.name.lower()]
    return found[0] if len(found) == 1 else None
