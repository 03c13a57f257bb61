"""What changed since a commit: the ratios that are kept now beside those that were kept there."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping

from benchmarks.measure import ROOT, Result
from benchmarks.results import FOLDER, Recorded, load, parsed

__all__ = ["changes", "kept_at"]


def kept_at(commit: str) -> dict[str, Recorded]:
    """Return what was kept at a commit, by case."""
    folder = FOLDER.relative_to(ROOT).as_posix()
    listed = _git("ls-tree", "-r", "--name-only", commit, "--", folder).split()
    return {name.rpartition("/")[2].removesuffix(".jsonl"): parsed(_git("show", f"{commit}:{name}")) for name in listed}


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def changes(before: Mapping[str, Recorded], now: Mapping[str, Recorded]) -> Iterator[str]:
    """Yield a line for each figure whose rounds lie elsewhere: the quartiles of its ratio do not touch those before."""
    for case, kept in now.items():
        was = {result.key: result for result in before[case].results} if case in before else {}
        for result in kept.results:
            old = was.get(result.key)
            if old is not None and not _touch(old, result):
                better = "better" if result.ratio < old.ratio else "worse"
                yield f"{better:<6} {old.ratio:.3f} -> {result.ratio:.3f}  {case}: {result.what} / {result.peer}"


def _touch(one: Result, other: Result) -> bool:
    (low, high), (from_, to) = one.spread, other.spread
    return low <= to and from_ <= high


def show(commit: str) -> None:
    """Print what changed since a commit."""
    for line in changes(kept_at(commit), load()):
        print(line)
