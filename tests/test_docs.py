"""What the documents show is what happens: their Python and shell examples run, and print what stands below them.

A fenced ``python`` block runs after the blocks before it in its file, in a folder of its own from which ``queries/``
can be read. A ``text`` block that follows holds what it prints; the last line of an error is printed as Python prints
it, without the module. A ``sh`` block whose lines all begin with ``mdfsql`` runs likewise. In what is printed,
``...`` stands for anything.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import itertools
import linecache
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import mdfsql as mdf

ROOT = Path(__file__).parent.parent
FILES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NO_PRINT = frozenset({"", "text"})


@dataclass(frozen=True)
class Example:
    """A block that runs, the line it begins on, and what it prints."""

    language: str
    line: int
    source: str
    want: str

    @property
    def runs(self) -> bool:
        """Tell whether the block is one to run."""
        lines = self.source.splitlines()
        return self.language == "python" or (
            self.language == "sh" and all(line.startswith("mdfsql ") for line in lines)
        )


def examples(text: str) -> list[Example]:
    """Return the blocks of a document, each with the text block that follows it directly."""
    found = []
    blocks = list(FENCE.finditer(text))
    for block, after in itertools.pairwise([*blocks, None]):
        if block is None or block.group(1) in NO_PRINT:
            continue
        follows = after is not None and after.group(1) == "text" and not text[block.end() : after.start()].strip()
        want = after.group(2) if after is not None and follows else ""
        found.append(Example(block.group(1), text.count("\n", 0, block.start()) + 2, block.group(2), want))
    return found


def run_python(example: Example, name: str, namespace: dict[str, Any]) -> str:
    """Run a block and return what it prints."""
    # Row functions are read from their source, so the block has to be found where Python looks for files: under the
    # document's name, on the document's lines.
    source = "\n" * (example.line - 1) + example.source
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            exec(compile(source, name, "exec", dont_inherit=True), namespace)
        except mdf.errors.MdfError as error:
            print(f"{type(error).__name__}: {error}")
    return out.getvalue()


def run_shell(example: Example) -> str:
    """Run a block's commands and return what they print."""
    command = f'mdfsql() {{ {shlex.quote(sys.executable)} -m mdfsql.cli "$@"; }}\n{example.source}'
    env = {**os.environ, "COLUMNS": "120", "NO_COLOR": "1"}
    done = subprocess.run(command, shell=True, env=env, capture_output=True, text=True, check=False, timeout=120)
    # Notes for a person's eyes go to stderr; an error is what a command that fails has to show.
    return done.stdout if done.returncode == 0 else done.stdout + done.stderr


def plain(text: str) -> str:
    """Return text without the spaces at the ends of its lines, and without empty lines around it."""
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()).strip("\n") + "\n"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_examples_do_what_they_show(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    (tmp_path / "queries").symlink_to(ROOT / "queries")
    namespace: dict[str, Any] = {"__name__": "__main__"}
    checker = doctest.OutputChecker()
    wrong = []
    try:
        with mdf.set_backend("duckdb"):
            for example in filter(lambda e: e.runs, examples(path.read_text(encoding="utf-8"))):
                is_shell = example.language == "sh"
                got = plain(run_shell(example) if is_shell else run_python(example, path.name, namespace))
                if not checker.check_output(plain(example.want), got, doctest.ELLIPSIS):
                    wrong.append(f"{path.name}, line {example.line} printed\n{got}\nand not\n{plain(example.want)}")
    finally:
        for table in mdf.tables():
            mdf.unregister(table)
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (path.parent / link).exists(), f"{path.name} links to {link}"


def test_readme_has_two_commands_for_all_setup() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    setup = [e.source for e in examples(readme) if e.language == "sh" and not e.runs][:2]
    assert len(setup) == 2
    assert all(len(block.splitlines()) == 1 for block in setup)
    assert "mdfsql query" in setup[0] and "-c constraints.txt" in setup[1] and setup[1].endswith("/pytest -n 2\n")
