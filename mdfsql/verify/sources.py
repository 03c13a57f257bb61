"""The same query over other sources."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from mdfsql.catalog import CacheSource, PythonSource, Source
from mdfsql.relation import Relation
from mdfsql.trees import copied

__all__ = ["over"]

Replace = Callable[[Source], "Relation | Source"]


def over(relation: Relation, replace: Replace) -> Relation:
    """Return a query with what ``replace`` gives in place of each of its sources; itself where all stay as they are."""
    return _Over(replace).relation(relation)


class _Over:
    def __init__(self, replace: Replace) -> None:
        self._replace = replace
        self._done: dict[int, Relation | Source] = {}
        # What has been looked at stays alive, so that no other object takes its id.
        self._seen: list[object] = []

    def relation(self, root: Relation) -> Relation:
        """Return a relation over the other sources; without recursion along a chain of steps, as chains are long."""
        stack: list[tuple[Relation, bool]] = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if id(node) in self._done:
                continue
            below = [node.origin.parent] if node.origin is not None else list(node.inputs.values())
            if not ready:
                stack.append((node, True))
                stack.extend((given, False) for given in below if isinstance(given, Relation))
                continue
            self._seen.append(node)
            self._done[id(node)] = self._made(node)
        made = self._done[id(root)]
        assert isinstance(made, Relation)
        return made

    def _made(self, node: Relation) -> Relation:
        if node.origin is not None:
            parent = self._done[id(node.origin.parent)]
            assert isinstance(parent, Relation)
            if parent is node.origin.parent and not self._changes(node):
                return node
            made = node.origin.step(parent)
        else:
            inputs = {name: self._input(given) for name, given in node.inputs.items()}
            if all(made is given for made, given in zip(inputs.values(), node.inputs.values(), strict=True)):
                return node
            made = Relation(copied(node.tree), inputs, schema=node.schema, lifted=node.lifted)
        made.alternative = node.alternative
        made.present = node.present
        return made

    def _changes(self, node: Relation) -> bool:
        """Tell whether a step itself reads sources beside its parent's, such as what a function gives."""
        return any(isinstance(given, Source) and self._input(given) is not given for given in node.inputs.values())

    def _input(self, given: Relation | Source) -> Relation | Source:
        if id(given) in self._done:
            return self._done[id(given)]
        self._seen.append(given)
        made: Relation | Source
        if isinstance(given, Relation):
            made = self.relation(given)
        elif isinstance(given, (CacheSource, PythonSource)):
            inner = self.relation(given.relation)
            made = given if inner is given.relation else dataclasses.replace(given, relation=inner)
        else:
            made = self._replace(given)
        self._done[id(given)] = made
        return made
