"""Copies, walks, texts and fingerprints of trees, which cost little."""

from __future__ import annotations

import hashlib
import marshal
from typing import Any

from sqlglot import ErrorLevel, exp

__all__ = ["copied", "fingerprint", "nodes", "written"]


def copied(tree: Any, outputs: list[exp.Expr] | None = None) -> Any:
    """Return a copy of a tree, whose nodes share their types with the old ones, with these of its outputs, or all.

    sqlglot's own copy makes every type anew, ten times the work; no pass changes a type in its place.
    """
    root = tree.__class__()
    pairs = [(tree, root)]
    while pairs:
        old, new = pairs.pop()
        new.comments = old.comments and list(old.comments)
        new._type = old._type
        new._meta = old._meta and dict(old._meta)
        for key, value in old.args.items():
            if isinstance(value, exp.Expr):
                made = value.__class__()
                made.parent, made.arg_key = new, key
                new.args[key] = made
                pairs.append((value, made))
            elif type(value) is list:
                values = new.args[key] = []
                if outputs is not None and old is tree and key == "expressions":
                    value = outputs
                for index, one in enumerate(value):
                    if isinstance(one, exp.Expr):
                        made = one.__class__()
                        made.parent, made.arg_key, made.index = new, key, index
                        pairs.append((one, made))
                        values.append(made)
                    else:
                        values.append(one)
            else:
                new.args[key] = value
    return root


def nodes(tree: exp.Expr) -> list[exp.Expr]:
    """Return the nodes of a tree, outer ones first, but not those within columns and types: they are most of all.

    >>> import sqlglot
    >>> [node.key for node in nodes(sqlglot.parse_one("SELECT t.a + 1 AS x"))]
    ['select', 'alias', 'add', 'identifier', 'column', 'literal']
    """
    found = [tree]
    append = found.append
    for node in found:
        if type(node) in LEAVES:
            continue
        for value in node.args.values():
            if type(value) is list:
                for one in value:
                    if type(one) not in PLAIN:
                        append(one)
            elif type(value) not in PLAIN:
                append(value)
    return found


LEAVES = frozenset({exp.Column, exp.DataType, exp.Identifier, exp.Literal})
# All that a node holds beside nodes; asking for the type is twice as fast as asking what it is an instance of.
PLAIN = frozenset({type(None), bool, str, int, float})


def fingerprint(tree: exp.Expr) -> bytes:
    """Return what two trees share that are the same in all their parts, other than types and comments.

    >>> import sqlglot
    >>> one, same, other = map(sqlglot.parse_one, ("SELECT a + 1", "select a+1", "SELECT a + '1'"))
    >>> fingerprint(one) == fingerprint(same), fingerprint(one) == fingerprint(other)
    (True, False)
    """
    parts: list[object] = []
    add = parts.append
    stack: list[exp.Expr] = [tree]
    while stack:
        node = stack.pop()
        add(node.key)
        for name, value in node.args.items():
            if not value:
                continue
            add(name)
            if type(value) is list:
                add(len(value))
                for one in value:
                    if type(one) in PLAIN:
                        add(one)
                    else:
                        stack.append(one)
            elif type(value) in PLAIN:
                add(value)
            elif isinstance(value, exp.Expr):
                stack.append(value)
            else:
                add(str(value))  # a member of an enum, such as a type's name
    # Without references to what it has written before, which are chance.
    return hashlib.sha256(marshal.dumps(parts, 2)).digest()


def written(tree: exp.Expr, dialect: str, unsupported_level: ErrorLevel = ErrorLevel.RAISE) -> str:
    """Return the text of a tree, which is left as it is; raises sqlglot's UnsupportedError as the level has it."""
    return copied(tree).sql(dialect, copy=False, unsupported_level=unsupported_level)
