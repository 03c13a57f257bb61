"""Every way in which a function comes about in a module: its source is found and proven, or refused with the reason."""

from __future__ import annotations

import ast
import linecache
import runpy
import sys
import threading
import zipfile
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdfsql.capture import capture
from mdfsql.errors import CannotLift

VERSION = sys.version_info[:2]


def load(path: Path, source: str | bytes) -> Any:
    """Import ``source`` from ``path``."""
    path.write_bytes(source if isinstance(source, bytes) else source.encode())
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def source_of(function: Any) -> str:
    return ast.unparse(capture(function).node)


# Modules, and what must be found for the functions in them.
MODULES: dict[str, tuple[str | bytes, dict[str, str]]] = {
    "decorated": (
        "import functools\n"
        "def keep(f): return f\n"
        "def plain(f):\n    def inner(r): return f(r)\n    return functools.wraps(f)(inner)\n"
        "@keep\n@keep\ndef a(r):\n    return r['a']\n"
        "@(\n    keep\n)\ndef b(r):\n    return r['b']\n"
        "@plain\ndef c(r):\n    return r['c']\n",
        {
            "a": "@keep\n@keep\ndef a(r):\n    return r['a']",
            "b": "@keep\ndef b(r):\n    return r['b']",
            # What is called is the inner one; what it stands for is a closure's value.
            "c": "def inner(r):\n    return f(r)",
        },
    ),
    "defaults": (
        "def f(r, pick=lambda r: r['a'], *, other=lambda r: r['b']): return pick(r)\n"
        "a, b, c = f, f.__defaults__[0], f.__kwdefaults__['other']\n",
        {"b": "lambda r: r['a']", "c": "lambda r: r['b']"},
    ),
    "classes": (
        "class Box:\n    class Inner:\n        f = lambda r: r['a']\n"
        "    @staticmethod\n    def g(r): return r['b']\n"
        "a, b = Box.Inner.f, Box.g\n",
        {"a": "lambda r: r['a']", "b": "@staticmethod\ndef g(r):\n    return r['b']"},
    ),
    "comprehensions": (
        "def make(): return [lambda r: r['a'] > n for n in (1, 2)]\n"
        "a, b = make()\n"
        "c, d = {k: (lambda r: r['b'] > n) for k, n in ((1, 2), (3, 4))}.values()\n"
        "e = lambda r: [x for x in r['a'] if x > 1]\n"
        "f = lambda r: {k: [y for y in v] for k, v in r.items()}\n"
        "(g,) = (lambda r: r[n] for n in 'x')\n",
        {
            "a": "lambda r: r['a'] > n",
            "b": "lambda r: r['a'] > n",
            "c": "lambda r: r['b'] > n",
            "d": "lambda r: r['b'] > n",
            "e": "lambda r: [x for x in r['a'] if x > 1]",
            "f": "lambda r: {k: [y for y in v] for k, v in r.items()}",
            "g": "lambda r: r[n]",
        },
    ),
    "nested": (
        "a = lambda r: (lambda r: (lambda r: r['a'])(r))(r)\n"
        "b = (lambda: lambda r: r['a'])()\n"
        "c = (lambda x: (lambda r: x, lambda r: r[x]))('k')[1]\n",
        {
            "a": "lambda r: (lambda r: (lambda r: r['a'])(r))(r)",
            "b": "lambda r: r['a']",
            "c": "lambda r: r[x]",
        },
    ),
    "chain": (
        "class Chain(list):\n"
        "    def then(self, f): return Chain([*self, f])\n"
        "made = (\n    Chain()\n    .then(lambda r: r['a'] > 1).then(lambda r: r['a'] > 2)\n"
        "    .then(\n        lambda r:\n        r['b']\n    )\n    .then(lambda r: (\n        r['c']\n    ))\n)\n"
        "a, b, c, d = made\n",
        {
            "a": "lambda r: r['a'] > 1",
            "b": "lambda r: r['a'] > 2",
            "c": "lambda r: r['b']",
            "d": "lambda r: r['c']",
        },
    ),
    "margin": (
        "def keep(*fs): return fs\n"
        "a, b = keep(\nlambda r: r['a'],\nlambda r: r['b'],\n)\n"
        "if not a:\n    pass\nelse:\n    c = lambda r: r['c']\n"
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    d = lambda r: r['d']\nfinally:\n    e = lambda r: r['e']\n"
        "text = '''\nf = lambda r: r['not me']\n'''; f = lambda r: r['f']\n"
        "class \\\nOdd: g = lambda r: r['g']\n"
        "g = Odd.g\n"
        "h = [\n'''\n''', lambda r: r['h']][1]; i = lambda r: r['i']\n",
        {name: f"lambda r: r['{name}']" for name in "abcdefghi"},
    ),
    "imports": (
        "import math, os.path as p\nfrom datetime import date\n"
        "try:\n    import json\nexcept ImportError:\n    json = None\n"
        "if True:\n    from decimal import (\n        Decimal,\n    )\n"
        "while True:\n    import re\n    break\n"
        "a = lambda r: math.floor(r['a'])\n"
        "b = lambda r: p.join(r['a'], 'x')\n"
        "c = lambda r: date.fromisoformat(r['a']) > date.today()\n"
        "d = lambda r: json.dumps(math.floor(r['a']))\n"
        "e = lambda r: Decimal.from_float(r['a'])\n"
        "f = lambda r: re.match('a', r['a'])\n"
        "def g(r):\n    import math\n    return math.floor(r['a'])\n"
        "def h(r):\n    return math.floor(r['a']) + here.x(1)\n",
        {
            "a": "lambda r: math.floor(r['a'])",
            "b": "lambda r: p.join(r['a'], 'x')",
            "c": "lambda r: date.fromisoformat(r['a']) > date.today()",
            "d": "lambda r: json.dumps(math.floor(r['a']))",
            "e": "lambda r: Decimal.from_float(r['a'])",
            "f": "lambda r: re.match('a', r['a'])",
            "g": "def g(r):\n    import math\n    return math.floor(r['a'])",
            "h": "def h(r):\n    return math.floor(r['a']) + here.x(1)",
        },
    ),
    "annotations": (
        "from __future__ import annotations\n"
        "def a(r: Nowhere) -> Nothing:\n    x: Never = r['a']\n    return x\n"
        "def outer():\n    def b(r: Nowhere):\n        def c(q: Nowhere): return q\n        return c(r)\n    return b\n"
        "b = outer()\n",
        {
            "a": "def a(r: Nowhere) -> Nothing:\n    x: Never = r['a']\n    return x",
            "b": "def b(r: Nowhere):\n\n    def c(q: Nowhere):\n        return q\n    return c(r)",
        },
    ),
    "match": (
        "def a(r):\n    match r['a']:\n        case 1 | 2: return 'x'\n        case {'k': v}: return v\n",
        {"a": "def a(r):\n    match r['a']:\n        case 1 | 2: return 'x'\n        case {'k': v}: return v"},
    ),
    "f-strings": (
        "a = lambda r: f\"{r['a']!r:>{3}}\"\n"
        "def keep(f): made.append(f); return f\n"
        "made = []\n"
        "text = f'''{1}{2}{3}{4}{5}\n{6}{keep(lambda r: r[1])}{keep(lambda r: r[2])}{7}{8}\n{keep(lambda r: r[3])}'''\n"
        "b, c, d = made\n",
        {
            "a": "lambda r: f\"{r['a']!r:>{3}}\"",
            "b": "lambda r: r[1]",
            "c": "lambda r: r[2]",
            "d": "lambda r: r[3]",
        },
    ),
    "tabs": (
        "if True:\n\tdef a(r):\n\t\tif r['a']:\n\t\t\treturn 1\n\t\treturn lambda q: 2\n",
        {"a": "def a(r):\n    if r['a']:\n        return 1\n    return lambda q: 2"},
    ),
    "form feeds": (
        "x = 1\n\x0c\ndef a(r):\n    return r['a']\n\x0cb = lambda r: r['b']\n"
        "y = 'p\x0cq\u2028r'; c = lambda r: 'p\x0cq\u2028r'\n",
        {"a": "def a(r):\n    return r['a']", "b": "lambda r: r['b']", "c": "lambda r: 'p\\x0cq\\u2028r'"},
    ),
    "CRLF": (
        b"a = lambda r: (\r\n    r['a']\r\n)\r\nb = lambda r: '''x\r\ny'''\r\ndef c(r):\r\n    return r['c']\r\n",
        {"a": "lambda r: r['a']", "b": "lambda r: 'x\\ny'", "c": "def c(r):\n    return r['c']"},
    ),
    "CR": (b"x = 1\ra = lambda r: r['a']\r", {"a": "lambda r: r['a']"}),
    "BOM": (b"\xef\xbb\xbfa = lambda r: r['\xc3\xa9']\n", {"a": "lambda r: r['é']"}),
    "latin-1": (b"# -*- coding: latin-1 -*-\na = lambda r: r['\xe9']\n", {"a": "lambda r: r['é']"}),
    "cookie on the second line": (
        b"#!/usr/bin/env python\n# vim: set fileencoding=cp1252 :\na = lambda r: r['\x80']\n",
        {"a": "lambda r: r['€']"},
    ),
    "long lines": (
        "made = [" + ", ".join(f"lambda r: r['a'] > {n}" for n in range(60)) + "]; a, b = made[0], made[59]\n"
        f"c = lambda r: r['a'] in ({', '.join(map(str, range(5000)))})\n",
        {"a": "lambda r: r['a'] > 0", "b": "lambda r: r['a'] > 59"},
    ),
    "no line at the end": (b"a = lambda r: r['a']", {"a": "lambda r: r['a']"}),
    "backslashes": (
        "a = \\\n    lambda r: \\\n    r['a']; b = \\\nlambda r: r['b']\n",
        {"a": "lambda r: r['a']", "b": "lambda r: r['b']"},
    ),
    "branches": (
        "a = lambda r: (\n    1 if r['a']\n    else 2\n), lambda r: (1 if r['a'] else 2)\na, b = a\n",
        {"a": "lambda r: 1 if r['a'] else 2", "b": "lambda r: 1 if r['a'] else 2"},
    ),
    "warnings": ("a = lambda r: r['a'] is '\\d'\n", {"a": "lambda r: r['a'] is '\\\\d'"}),
    "super": (
        "super = 1\nclass A:\n    def a(self): return super().x\na = A.a\n",
        {"a": "def a(self):\n    return super().x"},
    ),
}
NEWER: dict[str, tuple[str, dict[str, str]]] = {
    "type parameters": (
        "def a[T](r: T) -> T:\n    return r['a']\n"
        "class Box[T]:\n    b = lambda r: r['b']\n    def c[U](r: U): return r['c']\n"
        "b, c = Box.b, Box.c\ntype X = (lambda: int)()\n",
        {
            "a": "def a[T](r: T) -> T:\n    return r['a']",
            "b": "lambda r: r['b']",
            "c": "def c[U](r: U):\n    return r['c']",
        },
    ),
    "quotes in f-strings": (
        'a = lambda r: f"{r["a"]} {f"{r["b"]}"}"; b = f"{(lambda r: r["a"])}"\n',
        {"a": "lambda r: f'{r[\"a\"]} {f\"{r['b']}\"}'"},
    ),
}


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", [*MODULES, *NEWER])
def test_modules(name: str, tmp_path: Path) -> None:
    if name in NEWER and VERSION < (3, 12):
        pytest.skip("syntax of Python 3.12")
    source, wanted = (MODULES | NEWER)[name]
    made = load(tmp_path / "module.py", source)
    assert {n: ast.unparse(capture(getattr(made, n)).node) for n in wanted} == {
        n: ast.unparse(ast.parse(text).body[0]) for n, text in wanted.items()
    }


def test_several_in_the_same_line_of_a_module(tmp_path: Path) -> None:
    source = "made = [" + ", ".join(["lambda r: 1", "lambda r: True", "lambda r: 1.0", "lambda r: -0.0"] * 2) + "]"
    made = load(tmp_path / "many.py", source).made
    assert [source_of(f)[10:] for f in made] == ["1", "True", "1.0", "-0.0"] * 2


LAMBDAS = st.recursive(
    st.sampled_from(["r['a']", "r['a'] > 1", "r['a'] > True", "k", "1", "1.0", "(1, 2)", "'x' in r", "(r and k or 1)"]),
    lambda inner: st.one_of(
        inner.map(lambda body: f"keep(lambda r: {body})"),
        inner.map(lambda body: f"keep(lambda r:\n {body}\n)"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]} if r else\n{two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"[{two[0]}, {two[1]}]"),
        inner.map(lambda body: f"[keep(lambda r, k=k: {body}) for k in 'ab']"),
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(LAMBDAS, min_size=1, max_size=3), st.sampled_from(["{}", "def made():\n    return {}\nmade()"]))
def test_any_layout(bodies: list[str], layout: str) -> None:
    """Whichever of many look-alikes a function is, the node that is found compiles to its code."""
    text = layout.format("[" + ", ".join(f"keep(lambda r: {body})" for body in bodies) + "]")
    name, kept = "<any layout>", []

    def keep(function: Any) -> Any:
        kept.append(function)
        return function

    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec", dont_inherit=True), {"keep": keep, "k": 1})
    for function in list(kept):  # and what they define in turn
        function({"a": 5})
    lines = text.split("\n")
    for function in kept:
        node = capture(function).node
        # The text is cut out where the node stands, so that this uses nothing of what found it.
        assert node.end_lineno is not None
        cut = lines[node.lineno - 1 : node.end_lineno]
        cut[-1] = cut[-1][: node.end_col_offset]
        cut[0] = cut[0][node.col_offset :]
        alone = "\n".join(cut)
        alone = f"(lambda k, r: {alone})(1, 2)" if function.__code__.co_freevars else f"({alone})"
        again = eval(compile(alone, name, "eval", dont_inherit=True), {"keep": keep, "k": 1})
        assert again.__code__.co_code == function.__code__.co_code
        assert list(map(repr, plain(again))) == list(map(repr, plain(function)))


def plain(function: Any) -> list[object]:
    return [c for c in function.__code__.co_consts if not hasattr(c, "co_code")]


def test_a_loop_binds_late() -> None:
    made = []
    for n in (1, 2):
        made.append(lambda r: r["a"] > n)  # noqa: B023 - this is what it is about
    assert [capture(f).closure for f in made] == [{"n": 2}, {"n": 2}]


def test_names_of_a_class_are_refused(tmp_path: Path) -> None:
    made = load(
        tmp_path / "private.py",
        "__limit, _Box__limit = 1, 2\n"
        "class Box:\n    a = lambda r: r['a'] > __limit\n    b = lambda r: r.__x\n    c = lambda r: r['__c__']\n"
        "    d = lambda __r: __r\n"
        "    def e(self): return lambda r: dict(r, __x=1)\n"
        "    (f,) = [lambda r: __limit for x in 'a']\n"
        "e = lambda r: __limit\n"
        "def f():\n    def g(): return lambda r: dict(r, __x=1)\n    return g()\n",
    )
    for function in (made.Box.a, made.Box.b, made.Box.d, made.Box().e(), made.Box.f):
        with pytest.raises(CannotLift, match="private name of the class") as caught:
            capture(function)
        assert caught.value.line is not None and caught.value.column is not None
    assert source_of(made.Box.c) == "lambda r: r['__c__']"
    assert capture(made.e).lookup("__limit") == 1
    assert source_of(made.f()) == "lambda r: dict(r, __x=1)"


def test_builtins_are_those_of_the_function() -> None:
    text, name = "f = lambda r: len(r)", "<own builtins>"
    linecache.cache[name] = (len(text), None, [text], name)
    namespace: dict[str, Any] = {"__builtins__": {"len": max}}
    exec(compile(text, name, "exec"), namespace)
    assert capture(namespace["f"]).lookup("len") is max
    with pytest.raises(NameError):
        capture(namespace["f"]).lookup("print")


def test_the_caret_counts_characters(tmp_path: Path) -> None:
    made = load(tmp_path / "wide.py", "\x0cé = '日本🤦🏼'; f = lambda r: r['é'] + r['b']\n")
    found = capture(made.f)
    error = found.refuse("no", found.node.body.right)  # type: ignore[union-attr]
    assert error.text is not None and error.column is not None
    assert error.text[error.column - 1 :] == "r['b']"


def test_edited_files(tmp_path: Path) -> None:
    path = tmp_path / "edited.py"
    before = "def a(r):\n    return r['a']\n\n\nb = lambda r: r['b']\n"
    for after, reason in [
        ("", "is not what is running"),
        ("def a(r):\n    return r['x']\n\n\nb = lambda q: q['b']\n", "is not what is running"),
        ("\n\n\n\n" + before, "is not what is running"),
        ("def a(r):\n    return (r['a']\n\n\nb = (\n", "does not compile any more"),
        (before.replace("'", "\0'"), "does not compile any more"),
        ("# -*- coding: nothing -*-\n" + before, "cannot be read"),
    ]:
        made = load(path, before)
        path.write_text(after)
        for function in (made.a, made.b):
            with pytest.raises(CannotLift, match=reason) as caught:
                capture(function)
            # The position is that of the function that runs: its line in the file as it was.
            assert (caught.value.filename, caught.value.line) == (str(path), function.__code__.co_firstlineno)
    # What was not touched is still what is running.
    made = load(path, before)
    path.write_text(before + "c = lambda r: (\n")
    assert source_of(made.a) == "def a(r):\n    return r['a']"


def test_deleted_files(tmp_path: Path) -> None:
    path = tmp_path / "deleted.py"
    made = load(path, "f = lambda r: r['a']\n")
    path.unlink()
    with pytest.raises(CannotLift, match=r"deleted\.py:1 cannot be lifted: its source is not to be found"):
        capture(made.f)
    made = load(path, "f = lambda r: r['a']\n")
    linecache.getlines(str(path))
    path.unlink()
    assert source_of(made.f) == "lambda r: r['a']"  # as a traceback would show it


def test_links_and_moves(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    load(tmp_path / "real" / "linked.py", "f = lambda r: r['a']\n")
    made = load(tmp_path / "link" / "linked.py", "f = lambda r: r['a']\n")
    assert source_of(made.f) == "lambda r: r['a']"


def test_zip_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as packed:
        packed.writestr("in_a_zip_file.py", "import math\nf = lambda r: math.floor(r['a'])\n")
    monkeypatch.syspath_prepend(str(tmp_path / "packed.zip"))
    import in_a_zip_file  # type: ignore[import-not-found]

    assert source_of(in_a_zip_file.f) == "lambda r: math.floor(r['a'])"


def test_runpy(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("import math\nf = lambda r: math.floor(r['a'])\n")
    assert source_of(runpy.run_path(str(tmp_path / "run.py"))["f"]) == "lambda r: math.floor(r['a'])"


def keep(*functions: Any, to: list[Any] | None = None) -> tuple[Any, ...]:
    if to is not None:
        to.extend(functions)
    return functions


def test_rewritten_assertions() -> None:
    """Pytest rewrites the assertions of this very file."""
    kept: list[Any] = []
    x = 5
    assert (lambda r: r > x)(6) and keep(lambda r: r["in an assert"] > x, to=kept)
    assert keep(lambda r: r["a"], lambda r: r["b"])[1]({"b": 1}) == 1
    assert source_of(kept[0]) == "lambda r: r['in an assert'] > x"
    assert source_of(lambda r: r["as an argument"] > x) == "lambda r: r['as an argument'] > x"
    assert [source_of(f) for f in keep(lambda r: r["a"], lambda r: r["b"])] == ["lambda r: r['a']", "lambda r: r['b']"]
    assert [y := lambda r: r["walrus"]] and source_of(y) == "lambda r: r['walrus']"

    def asserts(r: Any) -> Any:
        assert r["a"]
        return r["a"]

    with pytest.raises(CannotLift, match="rewritten by a tool"):
        capture(asserts)


def test_tracing() -> None:
    """Coverage and debuggers leave the code alone, whichever way they watch."""

    def row(r: Any) -> Any:
        return r["a"] if r["a"] else None

    before, wanted = sys.gettrace(), source_of(row)
    try:
        sys.settrace(lambda frame, event, argument: None)
        for _ in range(100):
            row({"a": 1})
        assert source_of(row) == wanted
    finally:
        sys.settrace(before)
    if VERSION < (3, 12):
        return
    monitoring = sys.monitoring  # type: ignore[attr-defined]
    monitoring.use_tool_id(4, "test")
    try:
        events = monitoring.events
        monitoring.register_callback(4, events.LINE, lambda *given: None)
        monitoring.set_events(4, events.LINE | events.INSTRUCTION | events.BRANCH | events.PY_START)
        row({"a": 1})
        assert source_of(row) == wanted
    finally:
        monitoring.set_events(4, 0)
        monitoring.free_tool_id(4)


def generated() -> Iterator[tuple[Any, str]]:
    import dataclasses
    from collections import namedtuple
    from functools import cache, partial, partialmethod

    @dataclasses.dataclass(frozen=True)
    class Point:
        x: int

        def __call__(self, r: Any) -> Any:
            return r[self.x]

    class Changing:
        def kept(self, r: Any) -> Any:
            return r["a"]

    yield Point.__eq__, r"<string>:\d+ cannot be lifted: it was made by exec\(\) or eval\(\)"
    yield namedtuple("Pair", "a b").__new__, r"<string>|its source is not to be found"
    yield Point(1), "Point .* is not a plain Python function"
    yield Changing().kept, "a method of an object that may change"
    yield cache(lambda r: r), "_lru_cache_wrapper .* is not a plain Python function"
    yield eval("lambda r: r['a']"), r"<string>:1 cannot be lifted: it was made by exec\(\) or eval\(\)"

    class Loud(partial):
        def __call__(self, r: Any) -> Any:
            return "loud"

    yield Loud(lambda r: r), "Loud .* is not a plain Python function"
    yield partialmethod(len), "is not a plain Python function"
    yield partial(lambda x, a, r: r, 1, a=2), "'a' filled by partial"


@pytest.mark.parametrize(("function", "reason"), list(generated()))
def test_what_has_no_source(function: Any, reason: str) -> None:
    with pytest.raises(CannotLift, match=reason):
        capture(function)


def test_exec_with_its_source_kept() -> None:
    text, name = "import math\nf = lambda r: math.floor(r['a'])\n", "<generated 1>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    namespace: dict[str, Any] = {}
    exec(compile(text, name, "exec"), namespace)
    assert source_of(namespace["f"]) == "lambda r: math.floor(r['a'])"


def test_threads(tmp_path: Path) -> None:
    source = "made = [" + ", ".join(f"lambda r: r['a'] > {n}" for n in range(40)) + "]"
    made = load(tmp_path / "threads.py", source).made
    wrong: list[str] = []

    def look() -> None:
        for n, function in enumerate(made):
            if source_of(function) != f"lambda r: r['a'] > {n}":
                wrong.append(source_of(function))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_no_warning_is_given_twice(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    made = load(tmp_path / "warned.py", "f = lambda r: r['a'] is 'x'\n")
    recwarn.clear()
    assert source_of(made.f) == "lambda r: r['a'] is 'x'"
    assert not recwarn.list
