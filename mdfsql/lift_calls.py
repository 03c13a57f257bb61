"""Calls in a row function: methods, the functions that have SQL, and other functions inlined."""

from __future__ import annotations

import ast
import builtins
import difflib
import inspect
import re
import sysconfig
from collections.abc import Callable, Hashable
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mdfsql.capture import Captured, capture
from mdfsql.errors import CannotLift
from mdfsql.lift_arguments import applied
from mdfsql.lift_constants import Raises
from mdfsql.lift_lists import consumed, joined
from mdfsql.lift_methods import FUNCTIONS, METHODS, PATTERNS
from mdfsql.lift_parts import (
    NEW_DICT,
    Result,
    Rows,
    Thought,
    alone,
    as_columns,
    cell,
    elements,
    items,
    overwrite,
    remembered,
    settled,
    wrapped,
)
from mdfsql.lift_values import (
    Items,
    Refusal,
    Row,
    Test,
    Thing,
    Value,
    conjunction,
    constant,
    decided,
    disjunction,
    flag,
)

if TYPE_CHECKING:
    from mdfsql.lift_function import Finish, Lifter

__all__ = ["call", "called", "dictcall", "inlined"]

MAX_DEPTH = 20  # of calls within calls

# Files of the standard library and of installed packages.
LIBRARIES = re.compile(rf"[\\/]site-packages[\\/]|^{re.escape(sysconfig.get_path('stdlib'))}|^<frozen ")


def called(lifter: Lifter, node: ast.Call) -> Thought:
    result = call(lifter, node, as_test=False)
    assert not isinstance(result, Rows)
    return flag(result) if isinstance(result, Test) else result


def call(lifter: Lifter, node: ast.Call, as_test: bool) -> Result:
    if isinstance(node.func, ast.Attribute):
        of = lifter.expression(node.func.value)
        if isinstance(of, Thing) and isinstance(of.value, re.Pattern) and node.func.attr in PATTERNS:
            arguments, keywords = _arguments(lifter, node)
            return applied(node.func.attr, PATTERNS[node.func.attr], (of, *arguments), keywords)
        if not isinstance(of, Thing) or type(of.value) in (dict, list, tuple, set, frozenset):
            return _method(lifter, of, node)
    function = lifter.expression(node.func)
    if not isinstance(function, Thing):
        raise Refusal("this is no function that is known when the query is made")
    if function.value is dict:
        return dictcall(lifter, node)
    made = consumed(lifter, function.value, node)
    if made is not None:
        return made
    lift = FUNCTIONS.get(function.value) if isinstance(function.value, Hashable) else None
    if lift is not None:
        if function.value in (any, all) and len(node.args) == 1 and not node.keywords:
            return _some(lifter, node.args[0], every=function.value is all)
        arguments, keywords = _arguments(lifter, node)
        return applied(getattr(function.value, "__name__", ""), lift, arguments, keywords)
    if isinstance(function.value, ModuleType) or inspect.isclass(function.value):
        raise Refusal(f"calling {ast.unparse(node.func)} is not lifted")
    name = getattr(function.value, "__name__", "")
    if function.value is not None and getattr(builtins, name, None) is function.value:
        raise Refusal(f"{name}() is not lifted")
    return inlined(lifter, function.value, node, type(lifter).test if as_test else type(lifter).expression)


def _arguments(lifter: Lifter, node: ast.Call) -> tuple[list[Any], dict[str, Any]]:
    if any(k.arg is None for k in node.keywords):
        raise Refusal("unpacking arguments with ** is not lifted")
    found = [lifter.expression(a) for a in node.args]
    return found, {str(k.arg): lifter.expression(k.value) for k in node.keywords}


def _positional(lifter: Lifter, node: ast.Call) -> list[Any]:
    if node.keywords:
        raise Refusal("keyword arguments are not lifted here")
    return _arguments(lifter, node)[0]


def _method(lifter: Lifter, of: Thought, node: ast.Call) -> Thought:
    assert isinstance(node.func, ast.Attribute)
    name = node.func.attr
    if isinstance(of, Row) and name == "get" and all(v.is_const for v in of.columns.values()):
        of = Thing({k: v.const for k, v in of.columns.items()})
    if isinstance(of, Row):
        return _row_method(lifter, of, name, _positional(lifter, node), node)
    if isinstance(of, Thing):
        return _thing_method(lifter, of.value, name, _positional(lifter, node))
    if isinstance(of, Value) and of.kind == "str" and name == "join":
        return joined(lifter, of, node)
    if isinstance(of, Value):
        lift = METHODS.get(of.kind, {}).get(name)
        if lift is None or name.startswith("_"):
            near = difflib.get_close_matches(name, METHODS.get(of.kind, {}), 1)
            raise Refusal(f"{of.name}.{name}() is not lifted", f"did you mean {near[0]}()?" if near else None)
        arguments, keywords = _arguments(lifter, node)
        return applied(name, lift, (of, *arguments), keywords)
    raise Refusal(f"the method {name}() is not lifted here")


def _row_method(lifter: Lifter, row: Row, name: str, arguments: list[Thought], node: ast.Call) -> Thought:
    if name == "get" and 1 <= len(arguments) <= 2 and isinstance(arguments[0], Value) and arguments[0].is_const:
        key = arguments[0].const
        if key in row.columns:
            return alone(cell(row, arguments[0]), arguments)
        return arguments[1] if len(arguments) == 2 else constant(None)
    if not arguments and name == "copy":
        return row
    if not arguments and name in ("keys", "values", "items"):
        keys = [constant(k) for k in row.columns]
        if name == "keys":
            return items(keys)
        if name == "values":
            return items(row.columns.values())
        return Items(tuple(Items((k, v)) for k, v in zip(keys, row.columns.values(), strict=True)))
    suggestion = NEW_DICT if name in ("update", "pop", "setdefault", "clear", "popitem") else None
    raise Refusal(f"{ast.unparse(node.func)}() is not lifted", suggestion)


def _thing_method(lifter: Lifter, thing: Any, name: str, arguments: list[Thought]) -> Thought:
    if isinstance(thing, dict) and name == "get" and 1 <= len(arguments) <= 2:
        key, *rest = arguments
        default = rest[0] if rest else constant(None)
        if isinstance(key, Value) and isinstance(default, Value):
            if key.is_const:
                return alone(wrapped(thing[key.const]), arguments) if key.const in thing else default
            return alone(lifter.looked_up(thing, key, default), [key, default])
    if isinstance(thing, dict) and name in ("keys", "values", "items") and not arguments:
        return wrapped(tuple(getattr(thing, name)()))
    raise Refusal(f"{type(thing).__name__}.{name}() is not lifted here")


def dictcall(lifter: Lifter, node: ast.Call, value_of: Callable[[ast.expr], Value] | None = None) -> Row:
    """Return ``dict(row, key=value)``."""
    columns: dict[str, Value] = {}
    for argument in node.args:
        overwrite(columns, as_columns(lifter.expression(argument)))
    named: dict[str, Value] = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            found = as_columns(lifter.expression(keyword.value))
        else:
            found = {keyword.arg: (value_of or lifter.value)(keyword.value)}
        if twice := named.keys() & found.keys():
            raise Raises(f"Python raises TypeError on every row: dict() is given {min(twice)!r} twice")
        named |= found
    overwrite(columns, named)
    return Row(columns)


def _some(lifter: Lifter, node: ast.expr, every: bool) -> Test:
    """Return ``any(...)`` or ``all(...)`` over parts that are known when the query is made."""
    if not isinstance(node, ast.GeneratorExp):
        tests = [lifter.true_of(p) for p in elements(lifter.expression(node))]
        if any(t.poison or t.fails for t in tests):
            raise Refusal("any() and all() over a list evaluate all of it first", "give them a generator")
    else:
        tests = [here.test(node.elt) for here in lifter.turns(node.generators)]
    result = decided(every)
    for test in tests:
        result = conjunction(result, test) if every else disjunction(result, test)
    return result


def inlined(lifter: Lifter, function: Any, node: ast.Call, finish: Finish) -> Result:
    """Return the result of a call to another pure function, whose own results are made by ``finish``."""
    if lifter.depth >= MAX_DEPTH:
        raise Refusal("the calls go too deep; is this a recursion?")
    name = getattr(function, "__qualname__", type(function).__name__)
    try:
        captured = capture(function)
    except CannotLift as error:
        # What stands in the way of the call is shown where the call is.
        raise Refusal(f"{name}() is not lifted: {error.reason}", error.suggestion, mistake=error.mistake) from None
    names, pending = _parameters(lifter, captured, function, node)
    inner = replace(lifter, captured=captured, names=names, depth=lifter.depth + 1)
    try:
        result = inner.run(finish)
    except CannotLift as error:
        if not error.filename or not LIBRARIES.search(error.filename):
            raise
        # Nobody can change a line of a library.
        raise Refusal(f"{name}() is not lifted: {error.reason}") from None
    for value in reversed(pending):
        result = settled(value, result)
    return result


def _parameters(
    lifter: Lifter, captured: Captured, function: Any, node: ast.Call
) -> tuple[dict[str, Thought], list[Value]]:
    if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords):
        raise Refusal("unpacking arguments with * or ** is not lifted")
    try:
        bound = inspect.signature(function).bind(*node.args, **{k.arg: k.value for k in node.keywords if k.arg})
    except (TypeError, ValueError) as error:
        raise Raises(f"Python raises on every row: {error}") from None
    names: dict[str, Thought] = {}
    pending: list[Value] = []
    for name, argument in bound.arguments.items():
        # What partial() has filled shows up here as itself; the rest are the call's own nodes.
        if isinstance(argument, ast.expr):
            names[name] = remembered(lifter.expression(argument), pending)
    return names, pending
