"""From functions to their source, in processes and sessions of their own too: proven, or refused."""

from __future__ import annotations

import ast
import functools
import importlib.util
import linecache
import os
import py_compile
import select
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import mdfsql as mdf
from mdfsql.capture import _command_line, capture
from mdfsql.errors import CannotLift

ROOT = Path(__file__).parent.parent
VERSION = sys.version_info[:2]


def module(path: Path, source: str) -> ModuleType:
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def source_of(function: Any) -> str:
    return ast.unparse(capture(function).node)


def test_lambdas_on_one_line_are_told_apart() -> None:
    a, b, c = lambda r: r["a"] > 1, lambda r: r["a"] > True, lambda r: lambda: r["a"] > 1
    assert source_of(a) == "lambda r: r['a'] > 1"
    assert source_of(b) == "lambda r: r['a'] > True"
    assert source_of(c) == "lambda r: lambda: r['a'] > 1"


def test_constants_that_compare_equal_are_told_apart() -> None:
    a, b, c, d = lambda r: 0, lambda r: 0.0, lambda r: -0.0, lambda r: False
    assert [source_of(f)[10:] for f in (a, b, c, d)] == ["0", "0.0", "-0.0", "False"]


def test_equal_lambdas_keep_their_own_closures() -> None:
    def make(n: int) -> Any:
        return lambda r: r["a"] > n

    assert [capture(f).closure for f in (make(1), make(2))] == [{"n": 1}, {"n": 2}]


def test_nested_decorated_and_multiline(tmp_path: Path) -> None:
    made = module(
        tmp_path / "nested.py",
        "def keep(f):\n    return f\n\n"
        "class Box:\n"
        "    @keep\n    @keep\n"
        "    def inner(r):\n        return r['a']\n\n"
        "    pick = [\n        lambda r: (\n            r['a']\n            + 1\n        ),\n"
        "        lambda r: r['b'],\n    ]\n",
    )
    assert capture(made.Box.inner).node.body[0].lineno == 8  # type: ignore[index]
    assert [source_of(f) for f in made.Box.pick] == ["lambda r: r['a'] + 1", "lambda r: r['b']"]


def test_edited_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "edited.py"
    made = module(path, "f = lambda r: r['a'] > 1\n")
    assert source_of(made.f) == "lambda r: r['a'] > 1"
    path.write_text("f = lambda r: r['a'] > 2\n", encoding="utf-8")
    os.utime(path, ns=(1, 1))
    with pytest.raises(CannotLift, match="edited after it was imported"):
        capture(made.f)
    path.write_text("def (\n", encoding="utf-8")
    with pytest.raises(CannotLift, match="does not compile"):
        capture(made.f)


def test_moved_lines_are_refused_and_not_mistaken(tmp_path: Path) -> None:
    path = tmp_path / "moved.py"
    made = module(path, "f = lambda r: r['a'] > 1\ng = lambda r: r['b'] > 1\n")
    path.write_text("g = lambda r: r['b'] > 1\nf = lambda r: r['a'] > 1\n", encoding="utf-8")
    os.utime(path, ns=(1, 1))
    with pytest.raises(CannotLift, match="edited"):
        capture(made.f)


def test_without_source() -> None:
    with pytest.raises(CannotLift, match=r"exec\(\) or eval\(\)"):
        capture(eval("lambda r: r['a']"))
    namespace: dict[str, Any] = {}
    exec(compile("f = lambda r: r['a']", "<made up>", "exec"), namespace)
    with pytest.raises(CannotLift, match="not to be found"):
        capture(namespace["f"])


def test_notebook_cells_are_found() -> None:
    cell, name = "x = 1\nf = lambda r: r['a'] + x\n", "<ipython-input-7-abc>"
    linecache.cache[name] = (len(cell), None, cell.splitlines(True), name)
    namespace: dict[str, Any] = {}
    exec(compile(cell, name, "exec"), namespace)
    assert source_of(namespace["f"]) == "lambda r: r['a'] + x"
    assert capture(namespace["f"]).lookup("x") == 1


# What a test's own process says about its functions.
SHOW = """
import ast
from mdfsql.capture import capture
from mdfsql.errors import CannotLift
def show(*functions):
    for f in functions:
        try:
            print(ast.unparse(capture(f).node))
        except CannotLift as error:
            print("REFUSED", str(error).replace(chr(10), " "))
"""


def python(
    *arguments: str, cwd: Path | None = None, env: dict[str, str] | None = None, piped: str | None = None
) -> str:
    """Return what a Python process of its own prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        input=piped,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert not done.returncode, done.stderr
    return done.stdout.strip()


def test_bytecode_only(tmp_path: Path) -> None:
    (tmp_path / "bare.py").write_text(f"{SHOW}\nshow(lambda r: r['a'])\n")
    py_compile.compile(str(tmp_path / "bare.py"), cfile=str(tmp_path / "bare.pyc"), doraise=True)
    (tmp_path / "bare.py").unlink()
    assert "its source is not to be found" in python("-c", "import bare", env={"PYTHONPATH": f"{tmp_path}:{ROOT}"})


SCRIPT = f"""{SHOW}
import math
show(lambda r: math.floor(r['a']), lambda r: r['b'])
def row(r):
    assert r['a']
    return __debug__ or r['b']
if __debug__: show(row)
else: show(row)
"""
ROW = "def row(r):\n    assert r['a']\n    return __debug__ or r['b']"
FOUND = f"lambda r: math.floor(r['a'])\nlambda r: r['b']\n{ROW}"


@pytest.mark.parametrize("options", [[], ["-O"], ["-OO"], ["-Xno_debug_ranges"], ["-Werror"], ["-I"]])
def test_scripts(options: list[str], tmp_path: Path) -> None:
    path = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    (tmp_path / "main.py").write_text(path + SCRIPT)
    assert python(*options, "main.py", cwd=tmp_path) == FOUND
    assert python(*options, "-c", path + SCRIPT) == FOUND
    if "-I" not in options:
        assert python(*options, "-m", "main", cwd=tmp_path, env={"PYTHONOPTIMIZE": "1"}) == FOUND


def test_a_script_that_changes_the_directory(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "main.py").write_text(f"import os; os.chdir('other')\n{SCRIPT}")
    (tmp_path / "other" / "main.py").write_text(SCRIPT)
    assert python("main.py", cwd=tmp_path) == FOUND
    assert python("-m", "main", cwd=tmp_path) == FOUND


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["-c", "code", "-c", "other"], "code"),
        (["-ccode", "x"], "code"),
        (["-Ic", "code"], "code"),
        (["-IBccode"], "code"),
        (["-W", "c", "-c", "code"], "code"),
        (["-Wc", "-c", "code"], "code"),
        (["-Xpycache_prefix=/c", "-X", "c", "-bbc", "code"], "code"),
        (["--check-hash-based-pycs", "always", "-c", "code"], "code"),
        (["script.py", "-c", "code"], ""),
        (["-m", "module", "-c", "code"], ""),
        (["-", "-c", "code"], ""),
        (["-c"], ""),
        ([], ""),
    ],
)
def test_code_on_the_command_line(arguments: list[str], code: str) -> None:
    assert _command_line(arguments) == code
    if code and "always" not in arguments:
        shown = python(*(a.replace("code", "import sys; print(sys.orig_argv[1:] and 'ran')") for a in arguments))
        assert shown == "ran"


def test_standard_input() -> None:
    assert "code typed into this REPL, or piped into Python, leaves no source behind" in python(piped=SCRIPT)


@pytest.mark.parametrize("basic", ["", "1"])
def test_the_repl(basic: str, tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    (tmp_path / "shown.py").write_text(SHOW)
    main, side = pty.openpty()
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}", "PYTHON_BASIC_REPL": basic, "TERM": "dumb"}
    with subprocess.Popen([sys.executable, "-q"], stdin=side, stdout=side, stderr=side, env=env) as running:
        os.close(side)
        os.write(main, b"import math; from shown import show\nshow(lambda r: math.floor(r['a'] + 1))\nexit()\n")
        shown = b""
        end = time.monotonic() + 60
        while time.monotonic() < end and select.select([main], [], [], 60)[0]:
            try:
                shown += os.read(main, 4096)
            except OSError:  # how a terminal ends
                break
        running.kill()
    os.close(main)
    wanted = "lambda r: math.floor(r['a'] + 1)" if VERSION >= (3, 13) else "REFUSED this lambda at <stdin>:1"
    assert any(line.startswith(wanted) for line in shown.decode().splitlines()), shown.decode()


CELLS: list[tuple[str, list[str]]] = [
    ("import math", []),
    ("show(lambda r: math.floor(r['a']) > 1)", ["lambda r: math.floor(r['a']) > 1"]),
    ("import math as m\nf = lambda r: m.floor(r['a'])\nshow(f)", ["lambda r: m.floor(r['a'])"]),
    ("import math as n; f = lambda r: n.floor(r['a']); show(f)", ["lambda r: n.floor(r['a'])"]),
    ("if f:\n    pass\nelse:\n    pass\nfor x in [1]: show(lambda r: x)", ["lambda r: x"]),
    ("f = lambda r: r['a'] > 1\nshow(f)", ["lambda r: r['a'] > 1"]),
    ("f = lambda r: r['a'] > 2\nshow(f)", ["lambda r: r['a'] > 2"]),
    ("from __future__ import annotations", []),
    ("def f(r: Nowhere):\n    def g(q: Nowhere): return q\n    return g(r)", []),
    ("show(f)", ["def f(r: Nowhere):", "", "    def g(q: Nowhere):", "        return q", "    return g(r)"]),
    ("async def go(f): return f\nshow(await go(lambda r: r['b']))", ["lambda r: r['b']"]),
    ("%%capture\nf = lambda r: r['c']", []),
    ("show(f)", ["lambda r: r['c']"]),
    ("%%time\nf = lambda r: r['d']", ["CPU", "Wall"]),
    ("show(f)", ["REFUSED this lambda at <timed exec>:1 cannot be lifted: %time and %%time leave no source behind"]),
    ("%timeit -n1 -r1 show(lambda r: r['d'])", ["REFUSED this lambda at <magic-timeit>:1 cannot be lifted"]),
]


def test_notebooks(tmp_path: Path) -> None:
    """Cells in a real IPython, in a process of its own: it changes the one that it runs in."""
    pytest.importorskip("IPython")
    (tmp_path / "shown.py").write_text(SHOW)
    (tmp_path / "cells.py").write_text(
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "from test_cells import CELLS\n"
        "for cell in ['from shown import show', *CELLS]:\n"
        "    print('#')\n"
        "    assert shell.run_cell(cell, store_history=True).success\n"
    )
    (tmp_path / "test_cells.py").write_text(f"CELLS = {[cell for cell, _ in CELLS]!r}\n")
    shown = python("cells.py", cwd=tmp_path, env={"IPYTHONDIR": str(tmp_path)})
    for (cell, wanted), found in zip(CELLS, shown.split("#")[2:], strict=True):
        lines = found.strip("\n").split("\n")
        assert [line[: len(w)] for line, w in zip(lines, wanted, strict=False)] == wanted, cell


def test_partial() -> None:
    def above(column: str, r: dict[str, Any], limit: int = 3, *, strict: bool = True) -> bool:
        return bool(r[column] > limit) and strict

    found = capture(functools.partial(functools.partial(above, "a"), limit=5))
    assert found.rows == ("r",)
    assert found.arguments == {"column": "a", "limit": 5, "strict": True}
    with pytest.raises(CannotLift, match="cannot take the argument 'nope'"):
        capture(functools.partial(above, nope=1))  # type: ignore[call-arg]


def generator(r: dict[str, Any]) -> Any:
    yield r


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (len, "not a plain Python function"),
        ("".join, "not a plain Python function"),
        (generator, "generator"),
        (lambda *rows: rows, r"\*args"),
        (lambda r, *, q: r, "keyword-only parameter 'q'"),
    ],
)
def test_refused(function: Any, reason: str) -> None:
    with pytest.raises(CannotLift, match=reason):
        capture(function)


def test_names() -> None:
    found = capture(lambda r: r[ROOT] + nowhere)  # type: ignore[name-defined]  # noqa: F821
    assert found.lookup("ROOT") is ROOT and found.lookup("len") is len
    with pytest.raises(NameError):
        found.lookup("nowhere")


def test_cost_in_a_long_file(tmp_path: Path) -> None:
    made = module(tmp_path / "long.py", "".join(f"f{n} = lambda item: item['a'] > {n}\n" for n in range(3000)))

    def seconds(function: Any) -> float:
        start = time.perf_counter()
        capture(function)
        return time.perf_counter() - start

    # Many times what it takes, for machines that are busy: this is about the index, not about the machine.
    assert seconds(made.f1500) < 5
    assert min(seconds(f) for f in (made.f10, made.f2900, made.f1501)) < 0.05

    # What the file needs besides: the module's imports, wherever they stand, do not make it parse the whole.
    text = "try:\n    import math\nexcept ImportError:\n    pass\n"
    text += "".join(f"f{n} = lambda item: math.floor(item['a']) > {n}\n" for n in range(3000))
    made = module(tmp_path / "imports.py", text)
    assert "tree" not in vars(capture(made.f1500).source)


def test_a_dataset_that_runs_again_lifts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = mdf.Dataset.from_items([{"a": 1}, {"a": 2}]).filter(lambda item: item["a"] > 1)
    assert dataset.to_arrow().to_pylist() == [{"a": 2}]
    monkeypatch.setattr("mdfsql.lift.capture", pytest.fail)
    assert dataset.to_arrow().to_pylist() == [{"a": 2}]
