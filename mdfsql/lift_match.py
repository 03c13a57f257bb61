"""match, as the if statements that say the same."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mdfsql.lift_values import Refusal

if TYPE_CHECKING:
    from mdfsql.lift_function import Lifter

__all__ = ["desugared"]

INSTEAD = "write it as if and elif"

REFUSED: dict[type[ast.pattern], str] = {
    ast.MatchClass: "a class in a pattern is not lifted: SQL's columns have types of their own",
    ast.MatchMapping: "a dict in a pattern is not lifted",
    ast.MatchStar: "a * in a pattern is not lifted",
}


@dataclass
class Pattern:
    """What a pattern asks of its subject, and the names that it binds."""

    tests: list[ast.expr] = field(default_factory=list)
    names: dict[str, ast.expr] = field(default_factory=dict)
    possible: bool = True


def desugared(lifter: Lifter, statement: ast.Match) -> list[ast.stmt]:
    """Return ``match`` as an assignment of its subject and nested ``if`` statements, each with its place."""
    # A name that no Python program can have.
    name = f"<subject {statement.lineno}:{statement.col_offset}>"
    subject, first = _stored(statement.subject, name)
    result: list[ast.stmt] = []
    for case in reversed(statement.cases):
        with lifter.placed(case.pattern):
            found = _read(case.pattern, subject)
            result = _branch(lifter, case, found, result)
    return [*first, *result]


def _stored(node: ast.expr, name: str) -> tuple[ast.expr, list[ast.stmt]]:
    """Return an expression for the subject, which is evaluated once, and the assignments that come first."""
    if isinstance(node, ast.Tuple) and not any(isinstance(e, ast.Starred) for e in node.elts):
        parts = [_stored(e, f"{name}.{i}") for i, e in enumerate(node.elts)]
        whole = ast.copy_location(ast.Tuple([p for p, _ in parts], ast.Load()), node)
        return whole, [s for _, statements in parts for s in statements]
    stored = ast.Assign([_at(ast.Name(name, ast.Store()), node)], node)
    return _at(ast.Name(name, ast.Load()), node), [_at(stored, node)]


def _at(made: Any, node: ast.AST) -> Any:
    return ast.copy_location(made, node)


def _read(pattern: ast.pattern, subject: ast.expr) -> Pattern:
    found = Pattern()
    _collect(pattern, subject, found)
    return found


def _collect(pattern: ast.pattern, subject: ast.expr, found: Pattern) -> None:
    if isinstance(pattern, ast.MatchValue):
        found.tests.append(_at(ast.Compare(subject, [ast.Eq()], [pattern.value]), pattern))
    elif isinstance(pattern, ast.MatchSingleton):
        value = _at(ast.Constant(pattern.value), pattern)
        found.tests.append(_at(ast.Compare(subject, [ast.Is()], [value]), pattern))
    elif isinstance(pattern, ast.MatchOr):
        ways = [_read(p, subject) for p in pattern.patterns]
        if any(way.names for way in ways):
            raise Refusal("a name bound within | is not lifted", INSTEAD)
        tests = [_all(way.tests, pattern) for way in ways if way.possible]
        found.possible = found.possible and bool(tests)
        found.tests.append(tests[0] if len(tests) == 1 else _at(ast.BoolOp(ast.Or(), tests), pattern))
    elif isinstance(pattern, ast.MatchAs):
        if pattern.pattern is not None:
            _collect(pattern.pattern, subject, found)
        if pattern.name is not None:
            found.names[pattern.name] = subject
    elif isinstance(pattern, ast.MatchSequence):
        if not isinstance(subject, ast.Tuple):
            raise Refusal("a sequence in a pattern is lifted where the subject is a tuple that is written out", INSTEAD)
        if any(isinstance(p, ast.MatchStar) for p in pattern.patterns):
            raise Refusal(REFUSED[ast.MatchStar], INSTEAD)
        if len(pattern.patterns) != len(subject.elts):
            found.possible = False
            return
        for inner, part in zip(pattern.patterns, subject.elts, strict=True):
            _collect(inner, part, found)
    else:
        raise Refusal(REFUSED.get(type(pattern), "this pattern is not lifted"), INSTEAD)


def _all(tests: Sequence[ast.expr], place: ast.AST) -> ast.expr:
    if not tests:
        made: ast.expr = _at(ast.Constant(True), place)
        return made
    return tests[0] if len(tests) == 1 else _at(ast.BoolOp(ast.And(), list(tests)), place)


def _branch(lifter: Lifter, case: ast.match_case, found: Pattern, rest: list[ast.stmt]) -> list[ast.stmt]:
    if not found.possible:
        return rest
    bound: list[ast.stmt] = [
        _at(ast.Assign([_at(ast.Name(name, ast.Store()), case.pattern)], value), case.pattern)
        for name, value in found.names.items()
    ]
    tests = list(found.tests)
    if case.guard is not None:
        if any(name in lifter.names for name in found.names):
            # Python binds them though the guard is false; what reads them later would see another value here.
            raise Refusal("a name that a pattern with a guard binds has a value already", "give it another name")
        tests.append(_Renamed(found.names).visit(_copied(case.guard)))
    if not tests:
        return [*bound, *case.body]
    return [_at(ast.If(_all(tests, case.pattern), [*bound, *case.body], rest), case.pattern)]


def _copied(node: ast.expr) -> Any:
    # Deep, since the tree is the one that the file's other functions are found in.
    if isinstance(node, ast.AST):
        made = type(node)(**{name: _copied(value) for name, value in ast.iter_fields(node)})
        return ast.copy_location(made, node)
    return [_copied(value) for value in node] if isinstance(node, list) else node


class _Renamed(ast.NodeTransformer):
    """Puts the subject in the place of the names that a pattern binds."""

    def __init__(self, names: dict[str, ast.expr]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        found = self.names.get(node.id)
        return node if found is None else ast.copy_location(_copied(found), node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        raise Refusal("a function made within a row function is not lifted", "define it outside")

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        if any(isinstance(n, ast.Name) and n.id in self.names for n in ast.walk(node.target)):
            raise Refusal("a name of the pattern is used for something else in its guard", "give it another name")
        self.generic_visit(node)
        return node
