"""From a function object to the Python AST node that it was compiled from, proven by compiling the source again."""

from __future__ import annotations
import __future__

import ast
import bisect
import contextlib
import dataclasses
import enum
import functools
import gc
import inspect
import itertools
import linecache
import operator
import os
import re
import sys
import threading
import tokenize
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType, FunctionType, MappingProxyType, MethodType
from typing import Any, TypeAlias

from mdfsql.errors import CannotLift

__all__ = ["Captured", "capture", "closure"]

Definition: TypeAlias = "ast.Lambda | ast.FunctionDef"
Key: TypeAlias = tuple[str, int]  # a name and the line where its code starts
Fingerprint: TypeAlias = tuple[object, ...]

# Files whose trees are kept. A dozen modules make up most pipelines; the bound is for long-lived notebooks.
KEPT_FILES = 64

UNSUPPORTED_FLAGS = {
    inspect.CO_GENERATOR: "a generator function gives no value for a row",
    inspect.CO_COROUTINE: "an async function gives no value for a row",
    inspect.CO_ASYNC_GENERATOR: "an async function gives no value for a row",
}

# What "from __future__" leaves in a code object. A notebook hands it from cell to cell, and no body depends on it.
FUTURE_FLAGS = ~inspect.CO_NESTED & functools.reduce(
    operator.or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
)

SPECIAL_NAMES = {
    "<stdin>": "code typed into this REPL, or piped into Python, leaves no source behind",
    "<string>": "it was made by exec() or eval(), which leave no source behind",
    "<timed exec>": "%time and %%time leave no source behind",
    "<magic-timeit>": "%timeit and %%timeit leave no source behind",
}

PLACEHOLDER = getattr(functools, "Placeholder", object())  # from Python 3.14 on

# Lines that go on with the statement before them: what a statement of a module starts with stands at the margin.
CONTINUING = re.compile(r"[\s#)\]}]|$|(else|elif|except|finally)\b")
IMPORTING = ("import", "from", "try", "if")  # how statements start that may import

# An option of python that takes a value, among others in one argument: -c, -Ic, -Wignore, -X dev.
OPTION = re.compile(r"-(?!$)[^-cmWX]*([cmWX])?(.*)", re.DOTALL)

_lock = threading.RLock()  # of the sources that are kept, and of the line numbers of their trees


@dataclass(frozen=True)
class Unit:
    """Statements that are compiled together, with what they define and the code it compiles to."""

    module: ast.Module
    nodes: Mapping[Key, Sequence[Definition]]
    codes: Mapping[Key, Sequence[CodeType]]
    alone: dict[Definition, Fingerprint | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """The text of one file, with the units that were compiled of it so far.

    ``starts`` are the lines with which statements of the module seem to start. It is a guess, which lets a part be
    parsed without the whole; where it is wrong, no code compares equal, and the whole file is compiled.
    """

    filename: str
    text: str
    lines: tuple[str, ...]
    starts: tuple[int, ...]
    units: dict[tuple[str, int, int], Unit | None] = field(default_factory=dict)

    @functools.cached_property
    def tree(self) -> ast.Module:
        """The whole file; SyntaxError where it does not parse."""
        return _parsed(self.text, self.filename)

    @functools.cached_property
    def imports(self) -> list[ast.stmt]:
        """The imports of the module, as far as they can be told without parsing all of it."""
        parts = (self.part(n) for n, start in enumerate(self.starts) if self.lines[start - 1].startswith(IMPORTING))
        tree = _parsed("".join(part for part in parts if " import " in f" {part}"), self.filename)
        return [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]

    def part(self, place: int) -> str:
        """Return the text of the ``place``-th statement, as far as it can be told without parsing."""
        end = self.starts[place + 1] - 1 if place + 1 < len(self.starts) else len(self.lines)
        return "".join(f"{line}\n" for line in self.lines[self.starts[place] - 1 : end])


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
    builtins: Mapping[str, Any]

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
        if name in self.builtins:
            return self.builtins[name]
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
            raise _refused(plain, reason)
    with _lock:
        source = _source(plain)
        node = _find(source, code, plain)
    if node is None and code.co_filename in SPECIAL_NAMES:
        raise _refused(plain, SPECIAL_NAMES[code.co_filename], "put the function into a file")
    if node is None:
        raise _refused(
            plain,
            "its source is not what is running: the file was edited after it was imported, or its code was rewritten "
            "by a tool",
            "restart Python, so that what runs is what the file says",
        )
    # Type checkers do not agree on whether a function has this attribute.
    builtins: Mapping[str, Any] = operator.attrgetter("__builtins__")(plain)
    globals_ = MappingProxyType(plain.__globals__)
    found = Captured(node, source, code, (), {}, closure(plain), globals_, builtins)
    _check_names(found)
    rows, arguments = _bind(found, plain, positional, keywords)
    return dataclasses.replace(found, rows=rows, arguments=arguments)


def _refused(function: FunctionType, reason: str, suggestion: str | None = None) -> CannotLift:
    """Return the error for a function whose source there is nothing to point at."""
    name, line = function.__code__.co_filename, function.__code__.co_firstlineno
    return CannotLift(
        f"{_name(function)} at {name}:{line} cannot be lifted: {reason}",
        suggestion=suggestion,
        filename=name,
        line=line,
    )


def _unwrap(function: Any) -> tuple[FunctionType, tuple[Any, ...], dict[str, Any]]:
    positional: tuple[Any, ...] = ()
    keywords: dict[str, Any] = {}
    while True:
        if type(function) is functools.partial:
            # The inner partial's arguments come first, the outer's keywords win: what calling it does.
            positional = (*function.args, *positional)
            keywords = {**function.keywords, **keywords}
            function = function.func
        elif isinstance(function, MethodType) and is_frozen(function.__self__):
            positional = (function.__self__, *positional)
            function = function.__func__
        else:
            break
    if any(value is PLACEHOLDER for value in positional):
        raise CannotLift("a partial() with a Placeholder is not lifted", suggestion="write a lambda")
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


def _check_names(found: Captured) -> None:
    """Refuse names that Python reads as others: __limit within a class is _Class__limit."""
    places = found.code.co_qualname.split(".")
    if all("<locals>" in pair for pair in itertools.pairwise(places)):  # not within a class
        return
    for node in ast.walk(found.node):
        for attribute in ("id", "attr", "arg", "name"):
            name = getattr(node, attribute, None)
            if isinstance(name, str) and name.startswith("__") and not name.endswith("__"):
                raise found.refuse(f"within a class, {name} is a private name of the class", node, "rename it")


def _bind(
    found: Captured, function: FunctionType, positional: tuple[Any, ...], keywords: Mapping[str, Any]
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the parameters left open for rows, and the values of the others."""
    code, name = function.__code__, _name(function)
    if code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
        raise found.refuse(f"{name} takes *args or **kwargs", suggestion="name the parameters, or drop the decorator")
    places = code.co_varnames[: code.co_argcount]
    named = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    arguments: dict[str, Any] = dict(function.__kwdefaults__ or {})
    defaults = function.__defaults__ or ()
    arguments.update(zip(places[len(places) - len(defaults) :], defaults, strict=True))
    if len(positional) > len(places):
        reason = f"{name} takes {len(places)} positional arguments, partial() gives more"
        raise found.refuse(reason, mistake=True)
    arguments.update(zip(places, positional, strict=False))
    unknown = [k for k in keywords if k not in places + named or k in places[: code.co_posonlyargcount]]
    twice = [k for k in keywords if k in places[: len(positional)]]
    if unknown or twice:
        reason = f"{name} cannot take the argument {(unknown + twice)[0]!r} that partial() gives it"
        raise found.refuse(reason, mistake=True)
    arguments.update(keywords)
    missing = [k for k in named if k not in arguments]
    if missing:
        raise found.refuse(f"{name} has no value for its keyword-only parameter {missing[0]!r}", mistake=True)
    rows = tuple(p for p in places if p not in arguments)
    # A row is given by position: a parameter after one that partial() filled by name could never be reached.
    reached = places[len(positional) :][: len(rows)]
    if any(p in keywords for p in reached):
        reason = f"{name} has its parameter {reached[0]!r} filled by partial(), where the row would go"
        raise found.refuse(reason, mistake=True)
    return rows, arguments


def closure(function: FunctionType) -> dict[str, Any]:
    """Return the values of a function's free names, as far as they are assigned."""
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
    # Lines end where Python ends them: not at a form feed, as they do for str.splitlines().
    text = read().replace("\r\n", "\n").replace("\r", "\n")
    lines = tuple(text.split("\n"))
    source = Source(filename, text, lines, tuple(_starts(lines)))
    while len(_sources) >= KEPT_FILES:
        _sources.pop(next(iter(_sources)))
    _sources[filename] = (stamp, source)
    return source


def _starts(lines: Sequence[str]) -> Iterator[int]:
    decorated = False
    for number, line in enumerate(lines, 1):
        if CONTINUING.match(line):
            continue
        if not decorated:
            yield number
        decorated = line.startswith("@")


def _locate(filename: str, function: FunctionType) -> tuple[object, Callable[[], str]]:
    """Return what tells one version of the text from another, and how to read it."""
    origin = function.__globals__.get("__file__")
    # A relative path does not survive os.chdir(); the module knows where it came from.
    paths = (filename, origin) if os.path.isabs(filename) else (origin, filename)
    for path in paths:
        if isinstance(path, str) and os.path.basename(path) == os.path.basename(filename) and os.path.isfile(path):
            status = os.stat(path)
            return (path, status.st_mtime_ns, status.st_size), functools.partial(_read, path, function)
    # IPython's cells, doctests, zip files and the newer REPL.
    text = "".join(linecache.getlines(filename, function.__globals__))
    if not text and filename == "<string>":
        text = _command_line(sys.orig_argv[1:])
    if not text:
        why = SPECIAL_NAMES.get(filename, "its source is not to be found")
        raise _refused(function, why, "put the function into a file")
    return text, lambda: text


def _read(path: str, function: FunctionType) -> str:
    try:
        with tokenize.open(path) as file:
            return file.read()
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise _refused(function, f"{path} cannot be read: {error}") from error


def _command_line(arguments: Sequence[str]) -> str:
    """Return the code given with -c to Python, whose own arguments these are."""
    rest = iter(arguments)
    for argument in rest:
        option = OPTION.fullmatch(argument)
        if argument.startswith("--check-hash-based-pycs"):
            next(rest, None)
        elif option is None or option[1] == "m":
            break
        elif option[1]:
            value = option[2] or next(rest, "")
            if option[1] == "c":
                return value
    return ""


def _find(source: Source, code: CodeType, function: FunctionType) -> Definition | None:
    """Return the one definition in ``source`` that compiles to ``code``; None where none does."""
    key, fingerprint = (code.co_name, code.co_firstlineno), _fingerprint(code)
    try:
        for unit in _units(source, code.co_firstlineno, code.co_flags & FUTURE_FLAGS):
            if unit is None or all(_fingerprint(c) != fingerprint for c in unit.codes.get(key, ())):
                continue
            nodes = unit.nodes.get(key, ())
            if len(nodes) == 1:
                return nodes[0]
            # Of several that compile alike, any will do: what they close over comes from the function object.
            for node in nodes:
                if node not in unit.alone:
                    unit.alone[node] = _compiled_alone(source, unit, node, code.co_flags & FUTURE_FLAGS)
                if unit.alone[node] == fingerprint:
                    return node
    except SyntaxError as error:
        raise _refused(
            function,
            f"{source.filename} does not compile any more: {error}",
            "restart Python, so that what runs is what the file says",
        ) from error
    return None


def _units(source: Source, line: int, flags: int) -> Iterator[Unit | None]:
    """Yield what may have been compiled together around ``line``, from a few lines to the whole file.

    That the code compares equal is the proof, whatever it was compiled with. From 3.12 on, ``module.call()`` compiles
    differently with and without the module's imports; a notebook and the REPL compile each statement by itself.
    """
    place = max(bisect.bisect_right(source.starts, line) - 1, 0)

    def part() -> list[ast.stmt]:
        return _parsed("\n" * (source.starts[place] - 1) + source.part(place), source.filename).body

    if source.starts:
        yield _unit(source, flags, ("part", place), part)
        yield _unit(source, flags, ("part with imports", place), lambda: [*source.imports, *part()])
    for n, one in enumerate(source.tree.body):
        if (_first_line(one) or 0) <= line <= (one.end_lineno or 0):
            yield _unit(source, flags, ("statement", n), functools.partial(list, [one]))
    yield _unit(source, flags, ("file", 0), lambda: source.tree.body)


def _unit(source: Source, flags: int, what: tuple[str, int], body: Callable[[], list[ast.stmt]]) -> Unit | None:
    """Return the unit that is kept, or make it; None where its statements do not compile by themselves."""
    key = (*what, flags)
    if key not in source.units:
        try:
            source.units[key] = _index(source, ast.Module(body(), []), flags)
        except SyntaxError:
            source.units[key] = None
    return source.units[key]


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Compile without garbage collection, and without the warnings that the first compilation gave already."""
    collecting = gc.isenabled()
    # A tree is made of thousands of objects that all stay: collecting garbage while it grows doubles the time.
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error)) from error
    finally:
        if collecting:
            gc.enable()


def _parsed(text: str, filename: str) -> ast.Module:
    with _undisturbed():
        return ast.parse(text, filename)


def _compiled(module: ast.Module, filename: str, flags: int) -> CodeType:
    # A notebook's cell may await; it changes nothing for the functions in it.
    flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    with _undisturbed():
        return compile(module, filename, "exec", flags, dont_inherit=True)


def _index(source: Source, module: ast.Module, flags: int) -> Unit:
    codes: dict[Key, list[CodeType]] = {}
    for code in _nested(_compiled(module, source.filename, flags)):
        codes.setdefault((code.co_name, code.co_firstlineno), []).append(code)
    nodes: dict[Key, list[Definition]] = {}
    stack: list[Any] = [module]
    while stack:  # as ast.walk(), in a third of the time
        node = stack.pop()
        if isinstance(node, (ast.Lambda, ast.FunctionDef)):
            nodes.setdefault((_node_name(node), _first_line(node) or 0), []).append(node)
        for value in node.__dict__.values():
            if isinstance(value, list):
                stack.extend(v for v in value if isinstance(v, ast.AST))
            elif isinstance(value, ast.AST) and value._fields:
                stack.append(value)
    return Unit(module, nodes, codes)


def _nested(code: CodeType) -> Iterator[CodeType]:
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield const
            yield from _nested(const)


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


def _first_line(node: ast.AST) -> int | None:
    # A decorated def starts, for its code object, at its first decorator.
    decorators = getattr(node, "decorator_list", None)
    return decorators[0].lineno if decorators else getattr(node, "lineno", None)


def _node_name(node: Definition) -> str:
    return node.name if isinstance(node, ast.FunctionDef) else "<lambda>"


def _compiled_alone(source: Source, unit: Unit, node: Definition, flags: int) -> Fingerprint | None:
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
        module = _compiled(unit.module, source.filename, flags)
    except SyntaxError:
        return None
    finally:
        for part, (start, end) in zip(inner, kept, strict=True):
            part.lineno, part.end_lineno = start, end
    name = _node_name(node)
    found = (c for c in _nested(module) if c.co_firstlineno == mark and c.co_name == name)
    # A definition comes before what is defined within it.
    return next((_fingerprint(c) for c in found), None)
