"""A row function as Python will run it: the columns it reads, those it computes, and its names as they are now."""

from __future__ import annotations

import ast
import copy
import dataclasses
import functools
import json
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import CellType, CodeType, FunctionType, MethodType, NoneType, UnionType
from typing import Any, TypeAlias

from mdfsql.capture import Captured, capture, closure
from mdfsql.errors import CannotLift
from mdfsql.schema import PYTHON_TYPES, Type

__all__ = ["Shape", "cells", "item_types", "plain", "reads", "returned", "row_types"]
__all__ += ["settled", "shape", "snapshot", "value_type"]

# With these a function can reach any name.
REACHING = frozenset({"eval", "exec", "globals", "locals", "vars"})

# With these a list of scalars is looked at, and neither changed nor kept.
LOOKING = frozenset(
    {all, any, bool, dict, enumerate, filter, frozenset, isinstance, json.dumps, len, list, map, max, min, repr}
    | {reversed, set, sorted, str, sum, tuple, zip}
)


# ---- what is read ------------------------------------------------------------------------------------------------


def reads(captured: Captured, columns: Iterable[str]) -> list[str]:
    """Return the columns that the function reads, by its text: all, where it uses the row as a whole."""
    found = _reads(captured, set())
    return [name for name in columns if found is None or name in found]


def _parents(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def _reads(captured: Captured, passed: set[int], within: tuple[Any, ...] = ()) -> dict[str, bool] | None:
    """Return the columns that are read, and whether nothing is done with them, if they are lists, but to look at them.

    None where the row is used as a whole, but for ``passed`` places and for functions that only read columns, too.
    ``within`` are the functions that are being looked into.
    """
    (row,) = captured.rows
    found: dict[str, bool] = {}
    parents = _parents(captured.node)
    for node in ast.walk(captured.node):
        if isinstance(node, ast.arg) and node.arg == row and parents[parents[node]] is not captured.node:
            return None  # another function's parameter of the same name
        if row in (getattr(node, name, None) for name in ("name", "rest", "asname")):
            return None  # bound to something else by a match, an import, an except or a def
        if not isinstance(node, ast.Name) or id(node) in passed:
            continue
        if node.id in REACHING:
            return None
        if node.id != row:
            continue
        key = _key(node, parents) if isinstance(node.ctx, ast.Load) else None
        here = _read_by(node, parents[node], captured, within) if key is None else {}
        if here is None:
            return None
        if key is not None:
            # In row.get("k") it is the call that gives the value.
            place = parents[node]
            here = {
                key: _is_looked_at(parents[place] if isinstance(place, ast.Attribute) else place, captured, parents)
            }
        for name, looked in here.items():
            found[name] = found.get(name, True) and looked
    return found


def _read_by(node: ast.Name, call: ast.AST, captured: Captured, within: tuple[Any, ...]) -> dict[str, bool] | None:
    """Return what a function reads that is given the row, as in ``helper(row)``; None where that is not known."""
    if not (isinstance(call, ast.Call) and node in call.args and isinstance(call.func, ast.Name)):
        return None
    place = call.args.index(node)
    try:
        called = captured.lookup(call.func.id)
        if call.func.id in captured.locals or not isinstance(called, FunctionType) or called in within:
            return None
        found = capture(called)
    except (CannotLift, NameError):
        return None
    if place >= found.code.co_argcount or any(isinstance(argument, ast.Starred) for argument in call.args):
        return None
    return _reads(dataclasses.replace(found, rows=(found.code.co_varnames[place],)), set(), (*within, called))


def _names_dict_otherwise(captured: Captured) -> bool:
    try:
        return "dict" in captured.locals or captured.lookup("dict") is not dict
    except NameError:
        return True


def _key(node: ast.Name, parents: Mapping[ast.AST, ast.AST]) -> str | None:
    """Return the key in ``row["key"]`` and ``row.get("key")``, where nothing else is done with the row."""
    parent = parents[node]
    key: ast.AST | None = None
    if isinstance(parent, ast.Subscript) and parent.value is node and isinstance(parent.ctx, ast.Load):
        key = parent.slice
    elif isinstance(parent, ast.Attribute) and parent.attr == "get":
        call = parents[parent]
        key = call.args[0] if isinstance(call, ast.Call) and call.func is parent and call.args else None
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None


def _is_looked_at(node: ast.AST, captured: Captured, parents: Mapping[ast.AST, ast.AST]) -> bool:
    """Tell whether nothing is done with a container of scalars but to look at it."""
    parent = parents[node]
    if isinstance(parent, (ast.IfExp, ast.If, ast.While)) and parent.test is node:
        return True
    if isinstance(parent, (ast.BoolOp, ast.IfExp)):
        return _is_looked_at(parent, captured, parents)
    if isinstance(parent, ast.Call) and node in parent.args:
        of = parent.func
        if isinstance(of, ast.Attribute) and isinstance(of.value, ast.Constant):
            return True  # ",".join(...)
        try:
            called = captured.lookup(of.id if isinstance(of, ast.Name) else of.value.id)  # type: ignore[attr-defined]
            called = called if isinstance(of, ast.Name) else getattr(called, of.attr)  # type: ignore[attr-defined]
            return called in LOOKING
        except (AttributeError, NameError, TypeError):
            return False
    if isinstance(parent, ast.Subscript):
        return isinstance(parent.ctx, ast.Load)
    looking = (ast.BinOp, ast.Compare, ast.comprehension, ast.For, ast.FormattedValue, ast.Starred, ast.UnaryOp)
    return isinstance(parent, looking)


# ---- what is returned --------------------------------------------------------------------------------------------


def _returns(body: Iterable[ast.AST], guarded: bool = False) -> Iterator[tuple[ast.Return, bool]]:
    """Yield the return statements of a function, not of those within it, and whether a try or a with is around them."""
    for node in body:
        if isinstance(node, ast.Return):
            yield node, guarded
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            yield from _returns(
                ast.iter_child_nodes(node), guarded or isinstance(node, (ast.Try, ast.With, ast.TryStar))
            )


def _leaves(node: ast.expr | None) -> Iterator[ast.expr | None]:
    if isinstance(node, ast.IfExp):
        yield from _leaves(node.body)
        yield from _leaves(node.orelse)
    else:
        yield node


def returned(captured: Captured) -> list[ast.expr]:
    """Return the expressions that a function may return, the branches of a conditional one by one."""
    return [found if found is not None else ast.Constant(None) for found in _returned(captured.node)]


def _returned(node: ast.Lambda | ast.FunctionDef) -> list[ast.expr | None]:
    if isinstance(node, ast.Lambda):
        return list(_leaves(node.body))
    return [leaf for found, _ in _returns(node.body) for leaf in _leaves(found.value)]


def _passed(returned: ast.expr | None, row: str) -> list[ast.Name]:
    """Return the places where a returned dict takes all of the row: ``{**row}``, ``row | ...``, ``dict(row)``."""
    if isinstance(returned, ast.Dict):
        parts = [value for key, value in zip(returned.keys, returned.values, strict=True) if key is None]
    elif isinstance(returned, ast.BinOp) and isinstance(returned.op, ast.BitOr):
        parts = [returned.left, returned.right]
    elif isinstance(returned, ast.Call) and isinstance(returned.func, ast.Name) and returned.func.id == "dict":
        parts = [*returned.args, *(k.value for k in returned.keywords if k.arg is None)]
    else:
        return []
    here = [part for part in parts if isinstance(part, ast.Name) and part.id == row]
    return here + [name for part in parts for name in _passed(part, row)]


Entries: TypeAlias = "list[tuple[str, ast.expr | None]]"


def _entries(returned: ast.expr | None, row: str, columns: Iterable[str]) -> Entries | None:
    """Return the keys of a dict that is written out, with their expressions: None for a column that is passed on.

    A later key takes the place of an earlier one.
    """
    if isinstance(returned, ast.Name) and returned.id == row:
        return [(name, None) for name in columns]
    parts: list[tuple[ast.expr | None, ast.expr]]  # a key, or None for all of a dict, and a value
    if isinstance(returned, ast.Dict):
        parts = list(zip(returned.keys, returned.values, strict=True))
    elif isinstance(returned, ast.BinOp) and isinstance(returned.op, ast.BitOr):
        parts = [(None, returned.left), (None, returned.right)]
    elif isinstance(returned, ast.Call) and isinstance(returned.func, ast.Name) and returned.func.id == "dict":
        if len(returned.args) > 1:
            return None
        parts = [(None, argument) for argument in returned.args]
        parts += [(ast.Constant(k.arg) if k.arg is not None else None, k.value) for k in returned.keywords]
    else:
        return None
    entries: Entries = []
    for key, value in parts:
        if key is None:
            inner = _entries(value, row, columns)
            if inner is None:
                return None
            entries += inner
        elif isinstance(key, ast.Constant) and isinstance(key.value, str):
            entries.append((key.value, value))
        else:
            return None
    if isinstance(returned, ast.Call):
        named = _entries(ast.Call(returned.func, [], returned.keywords), row, columns) if returned.args else entries
        if named is None or len(named) > len(dict(named)):
            return None  # dict() takes no keyword twice
    return entries


@dataclasses.dataclass(frozen=True)
class Shape:
    """The keys of the dict that a function returns, as far as its text tells, with the expressions for each.

    A key without an expression is a column that every way through the function passes on. ``changed`` are the columns
    whose values the function may change on the way. ``apart`` tells whether each key may be computed for itself.
    """

    keys: Mapping[str, tuple[ast.expr, ...]]
    changed: frozenset[str]
    apart: bool


def shape(captured: Captured, columns: Mapping[str, Type]) -> Shape | None:
    """Return the shape of a function's dict; None where its text does not tell."""
    (row,) = captured.rows
    if any(_is_bound_to_its_place(node) for node in ast.walk(captured.node)):
        return None
    if isinstance(captured.node, ast.FunctionDef) and _falls_through(captured.node.body):
        return None
    if _names_dict_otherwise(captured):
        return None
    results = _returned(captured.node)
    reading = _reads(captured, {id(name) for result in results for name in _passed(result, row)})
    if reading is None and any(_passed(r, row) or isinstance(r, ast.Name) for r in results):
        return None  # the row may have been changed on the way
    found = [_entries(result, row, columns) for result in results]
    if not found or any(entries is None for entries in found):
        return None
    ways = [dict(entries or ()) for entries in found]
    if any(list(way) != list(ways[0]) for way in ways):
        return None
    changed = frozenset(columns if reading is None else _changed(reading, columns))
    twice = any(len(entries or ()) > len(ways[0]) for entries in found)
    keys = {key: tuple(value for way in ways if (value := way[key]) is not None) for key in ways[0]}
    values = [value for one in keys.values() for value in one]
    lost = sum(value is not None for entries in found for _, value in entries or ()) > len(values)
    named = any(isinstance(node, ast.NamedExpr) for value in values for node in ast.walk(value))
    return Shape(keys, changed, not (lost or named or (twice and changed)))


def _changed(reading: Mapping[str, bool], columns: Mapping[str, Type]) -> Iterator[str]:
    """Yield the columns whose values may be changed: lists and the like that are not only looked at."""
    for name, looked in reading.items():
        depth = sum(columns.get(name, "").count(word) for word in ("[]", "STRUCT", "MAP"))
        if depth > 1 or (depth and not looked):
            yield name


def _is_bound_to_its_place(node: ast.AST) -> bool:
    """Tell whether a node means something else where it is moved to: outside of its class or function."""
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    mangled = name.startswith("__") and not name.endswith("__")
    return mangled or name == "super" or name in REACHING or isinstance(node, (ast.Global, ast.Nonlocal))


def _falls_through(body: Sequence[ast.stmt]) -> bool:
    """Tell whether the end of a function may be reached without a return."""
    last = body[-1]
    if isinstance(last, (ast.Return, ast.Raise)):
        return False
    if isinstance(last, ast.If):
        return not last.orelse or _falls_through(last.body) or _falls_through(last.orelse)
    if isinstance(last, ast.Try):
        blocks = [last.orelse or last.body, *(handler.body for handler in last.handlers)]
        return not (last.finalbody and not _falls_through(last.finalbody)) and any(map(_falls_through, blocks))
    if isinstance(last, ast.With):
        return True  # it may swallow an exception
    if isinstance(last, ast.Match):
        open_ = not any(isinstance(c.pattern, ast.MatchAs) and c.pattern.pattern is None for c in last.cases)
        return open_ or any(_falls_through(c.body) for c in last.cases)
    return True


# ---- the function to run -----------------------------------------------------------------------------------------


class _Cells(ast.NodeTransformer):
    """Makes a function return a tuple of functions, one for each of the named columns; for one column, its value."""

    def __init__(self, captured: Captured, columns: Sequence[str], names: Sequence[str]) -> None:
        self.row, self.columns, self.names = captured.rows[0], columns, names
        self.guarded: dict[int, bool] = {}

    def made(self, node: ast.FunctionDef | ast.Lambda) -> ast.FunctionDef | ast.Lambda:
        if isinstance(node, ast.Lambda):
            node.body = self.returned(node.body, eager=False)
        else:
            self.guarded = {id(found): guarded for found, guarded in _returns(node.body)}
            node.body = [self.visit(statement) for statement in node.body]
        return node

    def visit_Return(self, node: ast.Return) -> ast.Return:
        if id(node) in self.guarded and node.value is not None:
            node.value = self.returned(node.value, eager=self.guarded[id(node)])
        return node

    def returned(self, node: ast.expr, eager: bool) -> ast.expr:
        if isinstance(node, ast.IfExp):
            branches = self.returned(node.body, eager), self.returned(node.orelse, eager)
            return ast.copy_location(ast.IfExp(node.test, *branches), node)
        entries = _entries(node, self.row, self.columns)
        assert entries is not None
        values = dict(entries)
        if len(self.names) == 1:
            return self.value(values[self.names[0]], self.names[0])
        cells = [self.cell(node, self.value(values[name], name), eager) for name in self.names]
        return ast.copy_location(ast.Tuple(cells, ast.Load()), node)

    def value(self, node: ast.expr | None, name: str) -> ast.expr:
        return node or ast.Subscript(ast.Name(self.row, ast.Load()), ast.Constant(name), ast.Load())

    def cell(self, at: ast.expr, value: ast.expr, eager: bool) -> ast.expr:
        # What stands in a try is computed there, since what it raises may be caught there.
        defaults, body = ([value], ast.Name("value", ast.Load())) if eager else ([], value)
        arguments = ast.arguments([], [ast.arg("value")] if eager else [], None, [], [], None, defaults)
        return ast.copy_location(ast.Lambda(arguments, body), at)


def cells(
    function: Any, captured: Captured, columns: Sequence[str], names: Sequence[str]
) -> tuple[str, Any, list[str]]:
    """Return a program's kind and function that compute the named columns of the function's dicts, and what it reads.

    Each column is computed for itself, as it is in SQL: where one cannot be, the others still are.
    """
    made, read = _returning(function, captured, columns, names)
    return ("values", (made,), read) if len(names) == 1 else ("cells", made, read)


def _returning(
    function: Any, captured: Captured, columns: Sequence[str], names: Sequence[str]
) -> tuple[Callable[[Any], Any], list[str]]:
    """Return the function with its returned dicts made the value of a column, or functions for several columns."""
    node = _Cells(captured, columns, names).made(copy.deepcopy(captured.node))
    # Annotations and defaults would be evaluated anew; the values are known, and given by name.
    given = [found.arg for found in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    named = [ast.arg(name) for name in given if name not in captured.rows]
    node.args = ast.arguments([], [ast.arg(captured.rows[0])], None, named, [None] * len(named), None, [])
    if isinstance(node, ast.FunctionDef):
        node.decorator_list, node.returns = [], None
        body: ast.stmt = node
        name = node.name
    else:
        name = "made"
        body = ast.copy_location(ast.Assign([ast.Name(name, ast.Store())], node), node)
    code = compile(
        ast.fix_missing_locations(ast.Module([body], [])), captured.source.filename, "exec", dont_inherit=True
    )
    space: dict[str, Any] = {}
    exec(code, space)
    made = space.pop(name)
    own = plain(function)
    space |= {**own.__globals__, **closure(own)}
    read = reads(dataclasses.replace(captured, node=node), columns)
    return _filled(made, captured), read


def _filled(made: FunctionType, captured: Captured) -> Callable[[Any], Any]:
    """Return the function with what defaults, partial() and a method's own object have filled in."""
    places = made.__code__.co_varnames[: made.__code__.co_argcount]
    before = places[: places.index(captured.rows[0])]
    others = {name: value for name, value in captured.arguments.items() if name not in before}
    return functools.partial(made, *(captured.arguments[name] for name in before), **others)


def plain(function: Any) -> FunctionType:
    """Return the function that partial() was given, or that a method is."""
    while isinstance(function, (functools.partial, MethodType)):
        function = function.func if isinstance(function, functools.partial) else function.__func__
    return function


def snapshot(function: Any) -> Any:
    """Return the function with its names bound to the values that they have now, as far as it is a plain one."""
    if isinstance(function, functools.partial):
        keywords = {name: _kept(value) for name, value in function.keywords.items()}
        return functools.partial(snapshot(function.func), *map(_kept, function.args), **keywords)
    if isinstance(function, MethodType):
        return MethodType(snapshot(function.__func__), function.__self__)
    return _copied(function, {}) if isinstance(function, FunctionType) else function


def _copied(function: FunctionType, memo: dict[int, Any]) -> FunctionType:
    if id(function) in memo:
        return memo[id(function)]
    home = function.__globals__
    space: dict[str, Any] = {}
    own = tuple(CellType() for _ in function.__closure__ or ())
    defaults = tuple(map(_kept, function.__defaults__)) if function.__defaults__ else None
    made = FunctionType(function.__code__, space, function.__name__, defaults, own)
    made.__kwdefaults__ = {name: _kept(value) for name, value in (function.__kwdefaults__ or {}).items()}
    made.__qualname__, made.__module__ = function.__qualname__, function.__module__
    memo[id(function)] = made
    made.__dict__ |= {name: _kept(value, home, memo) for name, value in vars(function).items()}
    for name, value in _namespace(function.__code__, home).items():
        space[name] = _kept(value, home, memo)
    values = closure(function)
    for name, cell in zip(function.__code__.co_freevars, own, strict=True):
        if name in values:
            cell.cell_contents = _kept(values[name], home, memo)
    return made


def _kept(value: Any, home: dict[str, Any] | None = None, memo: dict[int, Any] | None = None) -> Any:
    memo = {} if memo is None else memo
    if isinstance(value, FunctionType) and value.__globals__ is home:
        return _copied(value, memo)
    if type(value) not in (list, dict, set):
        return value
    # What several functions share they still share.
    return memo.setdefault(id(value), copy.copy(value))


def settled(captured: Captured) -> Captured:
    """Return what was captured with the values that its parameters are bound to now."""
    return dataclasses.replace(captured, arguments={name: _kept(v) for name, v in captured.arguments.items()})


# What an import within a function looks at, and every call of a built-in.
ALWAYS = frozenset({"__builtins__", "__name__", "__package__", "__path__"})


def _namespace(code: CodeType, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the values that code may name."""
    names = set(_names(code))
    if names & REACHING:
        return dict(values)
    return {name: value for name, value in values.items() if name in names or name in ALWAYS}


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    yield from code.co_freevars
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _names(const)


# ---- types from annotations --------------------------------------------------------------------------------------


def _returned_hint(function: Any) -> Any:
    try:
        return typing.get_type_hints(plain(function)).get("return")
    except Exception:  # a name that is not defined, or no function at all
        return None


def _type(hint: Any) -> Type | None:
    """Return the column type of a type hint, or None."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, UnionType):
        rest = [a for a in arguments if a is not NoneType]
        return _type(rest[0]) if len(rest) == 1 else None
    if origin is typing.Annotated:
        return _type(arguments[0])
    if origin is list and arguments:
        inner = _type(arguments[0])
        return inner and f"{inner}[]"
    return PYTHON_TYPES.get(hint) if isinstance(hint, type) else None


def _fields(hint: Any) -> dict[str, Type | None] | None:
    if typing.is_typeddict(hint) or (isinstance(hint, type) and dataclasses.is_dataclass(hint)):
        return {name: _type(found) for name, found in typing.get_type_hints(hint).items()}
    return None


def value_type(function: Any) -> Type | None:
    """Return the type of the value that a function is annotated to return, or None.

    >>> def half(row) -> float | None: ...
    >>> value_type(half)
    'DOUBLE'
    """
    return _type(_returned_hint(function))


def row_types(function: Any) -> dict[str, Type | None] | None:
    """Return the column types by a function's annotation ``-> SomeTypedDict`` or ``-> SomeDataclass``, or None."""
    return _fields(_returned_hint(function))


def item_types(function: Any) -> dict[str, Type | None] | None:
    """Return the same for a function that is annotated to return a list or another iterable of them."""
    arguments = typing.get_args(_returned_hint(function))
    return _fields(arguments[0]) if arguments else None
