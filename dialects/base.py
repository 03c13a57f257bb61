"""What a target is: a dialect to write, passes in order, and the list of what it may run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlglot import exp

from mdfsql.errors import Unsupported
from mdfsql.lower.rules import construct_name, located
from mdfsql.lower.shown_kinds import Shown

__all__ = ["Pass", "Target", "check_allowed"]

Pass: TypeAlias = Callable[[exp.Expr], exp.Expr]
"""A rewrite of the whole tree. The first line of its docstring says why, and is what ``explain()`` shows."""


@dataclass(frozen=True)
class Target:
    """An engine's side of the contract.

    ``allowed`` holds the node classes that the engine is shown to answer as the reference does, once the passes
    have run; None allows all, for the reference itself. ``refused`` says why and what to write instead, by class.
    ``typed`` are the passes that give names and types, and ``shown`` the kinds of values over which each construct is
    shown to agree, as the tree stands after those; None asks for no such thing.
    ``resolve`` tells whether the tree is qualified and typed before the passes, ``inlines`` whether files are read
    where their names stand.
    """

    name: str
    dialect: str
    passes: tuple[Pass, ...] = ()
    typed: tuple[Pass, ...] = ()
    shown: Shown | None = None
    allowed: frozenset[type[exp.Expr]] | None = None
    refused: dict[type[exp.Expr], tuple[str, str | None]] = field(default_factory=dict)
    resolve: bool = True
    inlines: bool = False


def check_allowed(tree: exp.Expr, target: Target) -> None:
    """Raise Unsupported for the first node of the tree that is not on the target's list."""
    if target.allowed is None:
        return
    for node in tree.walk():
        if type(node) in target.allowed:
            continue
        why, instead = target.refused.get(type(node), (f"it is not shown to answer there as {REFERENCE} does", None))
        raise located(Unsupported(construct_name(node), target.name, why, instead), node)


REFERENCE = "DuckDB"
