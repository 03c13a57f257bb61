"""How things are timed: both sides in turn, several times over, so that what else the machine does hits both alike."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

__all__ = ["Result", "Skipped", "compare", "environment", "process", "timed"]

ROOT = Path(__file__).parent.parent


class Skipped(Exception):
    """A case that cannot be measured here, and why."""


@dataclass(frozen=True)
class Result:
    """Medians in seconds of ours and of the peer's, and the ratio that is aimed at, if any."""

    what: str
    ours: float
    peer: float
    target: float | None = None

    @property
    def ratio(self) -> float:
        """Return how many times as long ours takes."""
        return self.ours / self.peer


def timed(function: Callable[[], object]) -> float:
    """Return the seconds that one call takes, without the garbage of the calls before it."""
    gc.collect()
    start = time.perf_counter()
    made = function()
    seconds = time.perf_counter() - start
    # What was made is thrown away after the clock has stopped.
    del made
    return seconds


def compare(
    what: str, ours: Callable[[], float], peer: Callable[[], float], repeats: int, target: float | None = None
) -> Result:
    """Return the medians of both, which give seconds; measured in turn after one round that does not count."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for round_ in range(repeats + 1):
        # Who goes first changes, since the second finds the caches as the first has left them.
        for side, measure in sorted(enumerate((ours, peer)), reverse=bool(round_ % 2)):
            taken = measure()
            if round_:
                seconds[side].append(taken)
    return Result(what, median(seconds[0]), median(seconds[1]), target)


def environment() -> dict[str, str]:
    """Return the environment of a measured process: what it imports is compiled once and kept."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    cache = Path(tempfile.gettempdir(), f"mdfsql-benchmarks-{os.getuid()}", "bytecode")
    return env | {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(cache)}


def process(arguments: Sequence[str], python: str = sys.executable) -> Callable[[], float]:
    """Return a measure of a whole Python process, from its start to its end."""
    env = environment()

    def run() -> float:
        start = time.perf_counter()
        done = subprocess.run([python, *arguments], env=env, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - start
        if done.returncode:
            raise RuntimeError(f"{python} {arguments}: {done.stderr}")
        return seconds

    return run
