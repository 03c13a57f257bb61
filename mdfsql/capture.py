"""From a function object to the Python AST node that it was compiled from, proven by compiling the source again."""

from __future__ import annotations
import __future__

import ast
import bisect
import builtins
import enum
import functools
import gc
import inspect
import linecache
import operator
import os
import sys
import tokenize
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, FunctionType, MappingProxyType, MethodType
from typing import Any, TypeAlias

from mdfsql.errors import CannotLift

__all__ = ["Captured", "capture"]

Definition: TypeAlias = "ast.Lambda | ast.FunctionDef"

# Files whose trees are kept. A dozen modules make up most pipelines; the bound is for long-lived notebooks.
KEPT_FILES = 64

UNSUPPORTED_FLAGS = {
    inspect.CO_GENERATOR: "a generator function gives no value for a row",
    inspect.CO_COROUTINE: "an async function gives no value for a row",
    inspect.CO_ASYNC_GENERATOR: "an async function gives no value for a row",
}

# What "from __future__" leaves in a code object. A notebook hands it from cell to cell, and no body depends on it.
FUTURE_FLAGS = functools.reduce(
    operator.or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
)

SPECIAL_NAMES = {
    "<stdin>": "code typed into this REPL, or piped into Python, leaves no source behind",
    "<string>": "it was made by exec() or eval(), which leave no source behind",
}


@dataclass(frozen=True)
class Source:
    """The text of one file with its tree, and its code objects by (name, first line)."""

    text: str
    lines: tuple[str, ...]
    tree: ast.Module
    codes: Mapping[tuple[str, int], tuple[CodeType, ...]]
    filename: str


@dataclass(frozen=True)
class Captured:
    """A function's AST node, its source, and the values that its names stand for at the time of capture.

    ``arguments`` holds what a ``functools.partial`` and the defaults have bound; ``rows`` the parameters left open.
    """

    node: Definition
    source: Source
    code: CodeType
    rows: tuple[str, ...]
    arguments: Mapping[str, Any]
    closure: Mapping[str, Any]
    globals: Mapping[str, Any]

    @property
    def locals(self) -> frozenset[str]:
        """Names that are the function's own: its parameters and whatever its body assigns."""
        return frozenset((*self.code.co_varnames, *self.code.co_cellvars))

    def lookup(self, name: str) -> Any:
        """Return the value of a free, global or builtin name; NameError where there is none."""
        if name in self.closure:
            return self.closure[name]
        if name in self.code.co_freevars:
            raise NameError(f"{name} has no value yet")
        if name in self.globals:
            return self.globals[name]
        if hasattr(builtins, name):
            return getattr(builtins, name)
        raise NameError(f"{name} is not defined")

    def refuse(
        self, reason: str, node: ast.AST | None = None, suggestion: str | None = None, *, mistake: bool = False
    ) -> CannotLift:
        """Return the error that points at ``node`` in the source."""
        node = node if hasattr(node, "lineno") else self.node
        line: int = node.lineno  # type: ignore[union-attr]
        text = self.source.lines[line - 1] if line <= len(self.source.lines) else ""
        # Python counts UTF-8 bytes, people count characters.
        column = len(text.encode()[: node.col_offset].decode(errors="replace")) + 1  # type: ignore[union-attr]
        return CannotLift(
            reason,
            suggestion=suggestion,
            filename=self.source.filename,
            line=line,
            column=column,
            text=text,
            mistake=mistake,
        )


def capture(function: Callable[..., Any]) -> Captured:
    """Return the AST and the captured values of ``function``; CannotLift where the source is not proven to be its own.

    >>> found = capture(lambda item: item["value"] > 30)
    >>> ast.unparse(found.node), found.rows
    ("lambda item: item['value'] > 30", ('item',))
    """
    plain, positional, keywords = _unwrap(function)
    code = plain.__code__
    for flag, reason in UNSUPPORTED_FLAGS.items():
        if code.co_flags & flag:
            raise CannotLift(f"{_name(plain)} cannot be lifted: {reason}")
    source = _source(plain)
    node = _find(source, code)
    if node is None and code.co_filename in SPECIAL_NAMES:
        raise CannotLift(f"{_name(plain)} cannot be lifted: {SPECIAL_NAMES[code.co_filename]}")
    if node is None:
        raise CannotLift(
            f"the source of {_name(plain)} at {code.co_filename}:{code.co_firstlineno} is not what is running: "
            "the file was edited after it was imported, or its code was rewritten by a tool",
            suggestion="restart Python, so that what runs is what the file says",
        )
    rows, arguments = _bind(plain, positional, keywords)
    return Captured(node, source, code, rows, arguments, _closure(plain), MappingProxyType(plain.__globals__))


def _unwrap(function: Any) -> tuple[FunctionType, tuple[Any, ...], dict[str, Any]]:
    positional: tuple[Any, ...] = ()
    keywords: dict[str, Any] = {}
    while True:
        if isinstance(function, functools.partial):
            # The inner partial's arguments come first, the outer's keywords win: what calling it does.
            positional = (*function.args, *positional)
            keywords = {**function.keywords, **keywords}
            function = function.func
        elif isinstance(function, MethodType) and is_frozen(function.__self__):
            positional = (function.__self__, *positional)
            function = function.__func__
        else:
            break
    if isinstance(function, FunctionType):
        return function, positional, keywords
    if inspect.ismethod(function):
        raise CannotLift("a method of an object that may change", suggestion="make its class a dataclass(frozen=True)")
    kind = f"{type(function).__name__} {function!r:.60}"
    raise CannotLift(f"{kind} is not a plain Python function", suggestion="write a lambda or a def that takes the row")


def is_frozen(value: Any) -> bool:
    """Return whether the methods of ``value`` see the same attributes on every row."""
    parameters = getattr(type(value), "__dataclass_params__", None)
    named = isinstance(value, tuple) and hasattr(type(value), "_fields")
    return isinstance(value, (type, enum.Enum)) or named or (parameters is not None and parameters.frozen)


def _name(function: FunctionType) -> str:
    return "this lambda" if function.__name__ == "<lambda>" else f"{function.__name__}()"


def _bind(
    function: FunctionType, positional: tuple[Any, ...], keywords: Mapping[str, Any]
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the parameters left open for rows, and the values of the others."""
    code = function.__code__
    if code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
        raise CannotLift(
            f"{_name(function)} takes *args or **kwargs", suggestion="name the parameters, or drop the decorator"
        )
    places = code.co_varnames[: code.co_argcount]
    named = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    arguments: dict[str, Any] = dict(function.__kwdefaults__ or {})
    defaults = function.__defaults__ or ()
    arguments.update(zip(places[len(places) - len(defaults) :], defaults, strict=True))
    if len(positional) > len(places):
        raise CannotLift(f"{_name(function)} takes {len(places)} positional arguments, partial() gives more")
    arguments.update(zip(places, positional, strict=False))
    unknown = [k for k in keywords if k not in places + named or k in places[: code.co_posonlyargcount]]
    twice = [k for k in keywords if k in places[: len(positional)]]
    if unknown or twice:
        raise CannotLift(f"{_name(function)} cannot take the argument {(unknown + twice)[0]!r} that partial() gives it")
    arguments.update(keywords)
    missing = [k for k in named if k not in arguments]
    if missing:
        raise CannotLift(f"{_name(function)} has no value for its keyword-only parameter {missing[0]!r}")
    # A row is given by position: a parameter after one that partial() filled by name could never be reached.
    rows = tuple(p for p in places if p not in arguments)
    if any(p in keywords for p in places[: len(rows)]):
        raise CannotLift(f"{_name(function)} has its first parameter filled by partial()")
    return rows, arguments


def _closure(function: FunctionType) -> dict[str, Any]:
    values = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            values[name] = cell.cell_contents
        except ValueError:  # an empty cell: the name is not assigned yet
            continue
    return values


_sources: dict[str, tuple[object, Source]] = {}


def _source(function: FunctionType) -> Source:
    filename = function.__code__.co_filename
    stamp, read = _locate(filename, function)
    kept = _sources.get(filename)
    if kept is not None and kept[0] == stamp:
        return kept[1]
    text = read()
    source = _index(text, filename, function)
    while len(_sources) >= KEPT_FILES:
        _sources.pop(next(iter(_sources)))
    _sources[filename] = (stamp, source)
    return source


def _locate(filename: str, function: FunctionType) -> tuple[object, Callable[[], str]]:
    """Return what tells one version of the text from another, and how to read it."""
    for path in (filename, function.__globals__.get("__file__")):
        # A relative path does not survive os.chdir(); the module knows where it came from.
        if path and os.path.basename(path) == os.path.basename(filename) and os.path.isfile(path):
            status = os.stat(path)
            return (path, status.st_mtime_ns, status.st_size), functools.partial(_read, path, function)
    # IPython's cells, doctests, zip files and the newer REPL.
    text = "".join(linecache.getlines(filename, function.__globals__))
    if not text and filename == "<string>":
        text = _command_line()
    if not text:
        why = SPECIAL_NAMES.get(filename, f"its source {filename} is not to be found")
        raise CannotLift(f"{_name(function)} cannot be lifted: {why}", suggestion="put the function into a file")
    return text, lambda: text


def _read(path: str, function: FunctionType) -> str:
    try:
        with tokenize.open(path) as file:
            return file.read()
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise CannotLift(f"{_name(function)} cannot be lifted: {path} cannot be read: {error}") from error


def _command_line() -> str:
    argv = sys.orig_argv
    for place, argument in enumerate(argv[1:], 1):
        if argument.startswith("-") and not argument.startswith("--") and argument.endswith("c"):
            return argv[place + 1] if place + 1 < len(argv) else ""
    return ""


def _index(text: str, filename: str, function: FunctionType) -> Source:
    collecting = gc.isenabled()
    # A tree is made of thousands of objects that all stay: collecting garbage while it grows doubles the time.
    gc.disable()
    try:
        tree = ast.parse(text, filename)
        module = compile(tree, filename, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise CannotLift(
            f"{_name(function)} cannot be lifted: {filename} does not compile any more: {error}",
            suggestion="restart Python, so that what runs is what the file says",
        ) from error
    finally:
        if collecting:
            gc.enable()
    codes: dict[tuple[str, int], tuple[CodeType, ...]] = {}
    for code in _nested(module):
        key = (code.co_name, code.co_firstlineno)
        codes[key] = (*codes.get(key, ()), code)
    return Source(text, tuple(text.splitlines()), tree, codes, filename)


def _nested(code: CodeType) -> Iterator[CodeType]:
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield const
            yield from _nested(const)


def _find(source: Source, code: CodeType) -> Definition | None:
    """Return the one definition in ``source`` that compiles to ``code``; None where none does."""
    fingerprint = _fingerprint(code)
    same = [c for c in source.codes.get((code.co_name, code.co_firstlineno), ()) if _fingerprint(c) == fingerprint]
    if not same:
        return None
    nodes = [n for n in _definitions(source.tree, code.co_firstlineno) if _node_name(n) == code.co_name]
    if len(nodes) > 1:
        # Of several that compile alike, any will do: what they close over comes from the function object.
        return next((n for n in nodes if _compiled_alone(source, n) == fingerprint), None)
    return nodes[0] if nodes else None


def _fingerprint(code: CodeType) -> tuple[object, ...]:
    """Return everything about ``code`` that decides what it does; its positions in the file do not."""
    return (
        code.co_name,
        code.co_code,
        tuple(_fingerprint(c) if isinstance(c, CodeType) else _exact(c) for c in code.co_consts),
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        code.co_flags & ~FUTURE_FLAGS,
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
        getattr(code, "co_exceptiontable", b""),
    )


def _exact(const: object) -> object:
    """Return a key that tells 1 from True and 1.0, and 0.0 from -0.0, which == does not."""
    if isinstance(const, tuple):
        return ("tuple", *map(_exact, const))
    if isinstance(const, frozenset):
        return ("frozenset", frozenset(map(_exact, const)))
    return (type(const).__name__, repr(const))


def _definitions(tree: ast.AST, line: int) -> Iterator[Definition]:
    """Yield the lambdas and defs whose code starts at ``line``."""
    for child in _children(tree, line):
        start = _first_line(child)
        # Nodes without a position (arguments, comprehensions) are looked into.
        if start is not None and not start <= line <= (getattr(child, "end_lineno", None) or start):
            continue
        if start == line and isinstance(child, (ast.Lambda, ast.FunctionDef)):
            yield child
        yield from _definitions(child, line)


def _children(node: ast.AST, line: int) -> Iterator[ast.AST]:
    for _, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            yield value
        elif (
            isinstance(value, list)
            and len(value) > 8
            and None not in value
            and all(_first_line(v) for v in (value[0], value[-1]))
        ):
            # Long lists stand in the order of the file: a bisection, lest each look-up walk the whole module.
            place = bisect.bisect_left(value, line, key=_line_key)
            yield from value[max(place - 1, 0) : bisect.bisect_right(value, line, key=_line_key)]
        elif isinstance(value, list):
            yield from (v for v in value if isinstance(v, ast.AST))


def _line_key(node: ast.AST | None) -> int:
    return (node and _first_line(node)) or 0


def _first_line(node: ast.AST) -> int | None:
    # A decorated def starts, for its code object, at its first decorator.
    decorators = getattr(node, "decorator_list", None)
    return decorators[0].lineno if decorators else getattr(node, "lineno", None)


def _node_name(node: Definition) -> str:
    return node.name if isinstance(node, ast.FunctionDef) else "<lambda>"


def _compiled_alone(source: Source, node: Definition) -> tuple[object, ...] | None:
    """Return the fingerprint of one of several definitions on a line, told apart by moving it to a line of its own."""
    # All of it moves: what stands on one line compiles differently when it is pulled apart.
    inner: list[Any] = [n for n in ast.walk(node) if hasattr(n, "lineno")]
    kept = [(n.lineno, n.end_lineno) for n in inner]
    offset = len(source.lines) + 10
    for part in inner:
        part.lineno += offset
        part.end_lineno = (part.end_lineno or part.lineno) + offset
    mark = _first_line(node)
    try:
        module = compile(source.tree, source.filename, "exec", dont_inherit=True)
    except ValueError:
        return None
    finally:
        for part, (start, end) in zip(inner, kept, strict=True):
            part.lineno, part.end_lineno = start, end
    name = _node_name(node)
    found = (c for c in _nested(module) if c.co_firstlineno == mark and c.co_name == name)
    # A definition comes before what is defined within it.
    return next((_fingerprint(c) for c in found), None)
