"""TPC-H Q1 built as a chain of operations and written as Spark SQL, against ibis doing the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.measure import Result, Skipped, environment

__all__ = ["build"]

HERE = Path(__file__).parent


def build(repeats: int, peer_python: str | None) -> Iterator[Result]:
    """Build and compile Q1: the first time in a process, with another constant each time, and the same again."""
    if peer_python is None:
        raise Skipped("ibis is measured in an environment of its own: --peer-python PATH names its Python")
    rounds: tuple[list[dict[str, float]], list[dict[str, float]]] = ([], [])
    for round_ in range(repeats + 1):
        found = run(sys.executable, "q1_mdfsql.py"), run(peer_python, "q1_ibis.py")
        if round_:  # the first compiles what is imported
            rounds[0].append(found[0])
            rounds[1].append(found[1])
    for key, what, target in (
        ("warm", "Q1 chain to Spark SQL / ibis, warm, another constant each time", 1 / 3),
        ("again", "the same, with the same constants again", 1 / 3),
        ("first", "Q1 chain to Spark SQL / ibis, the first in a process", None),
        ("start", "import and the first Q1 / ibis", None),
    ):
        ours, peer = ([measured[key] for measured in side] for side in rounds)
        yield Result(what, median(ours), median(peer), target)


def run(python: str, script: str) -> dict[str, float]:
    """Return what a script measured."""
    done = subprocess.run([python, str(HERE / script)], env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Skipped(f"{python} {script} failed: {done.stderr.strip().splitlines()[-1]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found
