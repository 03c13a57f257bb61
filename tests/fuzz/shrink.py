"""A smaller function that shows the same mismatch."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from pathlib import Path

import mdfsql as mdf
from mdfsql.arrow import table_from_items
from mdfsql.errors import CannotLift, MdfError
from mdfsql.lift import lift_predicate, lift_value
from tests.fuzz.cases import Case, module
from tests.fuzz.grammar import PRELUDE
from tests.fuzz.rows import SCHEMA
from tests.fuzz.run import Mismatch, Tally, run_cases

__all__ = ["lifted", "shrunk"]

MOST_ROUNDS = 20
MOST_TRIED = 60  # in a round


def shrunk(mismatch: Mismatch, backend: mdf.Backend, folder: Path) -> Mismatch:
    """Return the mismatch of the smallest function found, on the same row, by leaving parts out again and again."""
    table = table_from_items([{**mismatch.row, "id": 0}], dict(SCHEMA))
    best = mismatch
    for _ in range(MOST_ROUNDS):
        texts = sorted({t for t in smaller(best.case.text) if 0 < len(t) < len(best.case.text)}, key=len)[:MOST_TRIED]
        found = [one for text in texts for one in lifted(text, mismatch.case.is_filter, folder)]
        tally = Tally()
        try:
            run_cases(backend, found, folder, table, tally)
        except (MdfError, ArithmeticError):
            break
        if not tally.mismatches:
            break
        best = min(tally.mismatches, key=lambda m: len(m.case.text))
    return best


def lifted(text: str, is_filter: bool, folder: Path) -> Iterator[Case]:
    """Yield the case of a function's text, if it is lifted."""
    try:
        (name,) = re.findall(r"^(?:def )?(\w+)", text, re.M)[:1]
        function = getattr(module(PRELUDE + text, folder), name)
        yield Case(
            "filter" if is_filter else "map",
            text,
            (lift_predicate if is_filter else lift_value)(function, SCHEMA),
            function,
        )
    except (CannotLift, SyntaxError):
        return


def smaller(text: str) -> Iterator[str]:
    """Yield the function with an expression replaced by a part of it, or without a statement."""
    tree = ast.parse(text)
    keys = {id(node.slice) for node in ast.walk(tree) if isinstance(node, ast.Subscript)}
    for place, node in enumerate(ast.walk(tree)):
        if isinstance(node, ast.expr) and not isinstance(node, ast.Lambda):
            for part in ast.walk(node):
                if isinstance(part, ast.expr) and part is not node and id(part) not in keys and not _inner(part):
                    yield _replaced(tree, place, part)
        if isinstance(node, (ast.FunctionDef, ast.If)):
            for at in range(len(node.body) - 1):
                made = copy.deepcopy(tree)
                del list(ast.walk(made))[place].body[at]  # type: ignore[attr-defined]
                yield ast.unparse(made) + "\n"


def _inner(node: ast.expr) -> bool:
    return isinstance(node, (ast.FormattedValue, ast.Slice, ast.Starred, ast.Lambda)) or (
        isinstance(node, ast.Name) and not (node.id == "r" or node.id.isupper())
    )


def _replaced(tree: ast.Module, place: int, part: ast.expr) -> str:
    made = copy.deepcopy(tree)
    old = list(ast.walk(made))[place]
    new = copy.deepcopy(part)
    for parent in ast.walk(made):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list):
                setattr(parent, name, [new if v is old else v for v in value])
    try:
        return ast.unparse(made) + "\n"
    except (AttributeError, ValueError):
        return ""
