"""From functions to their source: proven, or refused."""

from __future__ import annotations

import ast
import functools
import importlib.util
import linecache
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mdfsql.capture import capture
from mdfsql.errors import CannotLift

ROOT = Path(__file__).parent.parent


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


SCRIPT = """
from mdfsql.capture import capture
import ast
print(ast.unparse(capture(lambda r: r['a'] > 1).node))
"""


@pytest.mark.parametrize("how", [["-c", SCRIPT], ["-Bc", SCRIPT], ["-O", "-c", SCRIPT]])
def test_command_line(how: list[str]) -> None:
    done = subprocess.run([sys.executable, *how], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "lambda r: r['a'] > 1"


def test_standard_input() -> None:
    done = subprocess.run([sys.executable], input=SCRIPT, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "leaves no source behind" in done.stderr or done.stdout.strip() == "lambda r: r['a'] > 1"


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
