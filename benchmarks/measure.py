"""How things are timed: both sides in turn, several times over, so that what else the machine does hits both alike."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

__all__ = ["Options", "Result", "Skipped", "compare", "compare_all", "environment", "process", "timed", "total"]

ROOT = Path(__file__).parent.parent
PEERS = ("peers", "peers-sqlframe")  # their environments, each with a list of that name


class Skipped(Exception):
    """A case that cannot be measured here, and why."""


@dataclass(frozen=True)
class Options:
    """What a run is asked for: how often each side is measured, how large, and where data and peers are."""

    repeats: int = 5
    rows: int = 5_000_000
    scale: str = "1"
    data: Path = Path(tempfile.gettempdir(), "mdfsql-benchmarks")
    peers: Path | None = None
    remark: str = ""
    since: str = "HEAD"

    @property
    def peers_folder(self) -> Path:
        """Where the environments of the peers are."""
        return self.peers or self.data / "peers"

    def python_of(self, peers: str = "peers") -> str:
        """Return the Python of one of PEERS; Skipped where it was not made."""
        python = self.peers_folder / peers / "bin" / "python"
        if not python.exists():
            raise Skipped("the peers are not installed: python -m benchmarks peers-environment")
        return str(python)


@dataclass(frozen=True)
class Result:
    """What ours and a peer took for the same work, in pairs: the n-th of each was measured in the same round.

    ``key`` names it within its case for ever. ``aim`` is the ratio, ``limit`` what ours may take, at most. ``size`` is
    how large the work was, where a case measures growth. ``unit`` is seconds, or what else is compared. ``remark`` is
    what is to be said beside it, as what each side found.
    """

    key: str
    what: str
    peer: str
    ours: tuple[float, ...]
    others: tuple[float, ...]
    aim: float | None = None
    limit: float | None = None
    size: float | None = None
    unit: str = "s"
    remark: str = ""

    @property
    def ratios(self) -> list[float]:
        """Return how many times as long ours took, round by round."""
        return [own / other for own, other in zip(self.ours, self.others, strict=True)]

    @property
    def ratio(self) -> float:
        """Return the median of the ratios."""
        return median(self.ratios)

    @property
    def spread(self) -> tuple[float, float]:
        """Return the quartiles of the ratios: a half of all rounds lay between them."""
        if len(self.ratios) < 2:
            return self.ratio, self.ratio
        low, _, high = quantiles(self.ratios, n=4, method="inclusive")
        return low, high

    @property
    def missed(self) -> bool:
        """Tell whether an aim is missed."""
        too_slow = self.aim is not None and self.ratio > self.aim
        return too_slow or (self.limit is not None and median(self.ours) > self.limit)


def timed(function: Callable[[], object], times: int = 1, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the seconds that one call takes, the mean of some, without the garbage of the calls before it.

    ``time.process_time`` is the clock for what only computes, in one thread: other processes do not touch it.
    """
    gc.collect()
    gc.freeze()
    try:
        start = clock()
        made = [function() for _ in range(times)] if times > 1 else function()
        seconds = clock() - start
    finally:
        gc.unfreeze()
    # What was made is thrown away after the clock has stopped.
    del made
    return seconds / times


def compare_all(
    key: str,
    what: str,
    ours: Callable[[], float],
    peers: Mapping[str, Callable[[], float]],
    repeats: int,
    **more: Any,
) -> list[Result]:
    """Return ours beside each of the peers; all give seconds, measured in turn after one round that does not count.

    ``peers`` is by what each peer does; its key is ``key`` with the peer's place, where there are several.
    """
    sides = [ours, *peers.values()]
    seconds: list[list[float]] = [[] for _ in sides]
    for round_ in range(repeats + 1):
        # Who goes first changes, since the second finds the caches as the first has left them.
        for side, measure in sorted(enumerate(sides), reverse=bool(round_ % 2)):
            taken = measure()
            if round_:
                seconds[side].append(taken)
    keys = [key] if len(peers) == 1 else [f"{key}/{peer}" for peer in peers]
    return [
        Result(own_key, what, peer, tuple(seconds[0]), tuple(taken), **more)
        for own_key, peer, taken in zip(keys, peers, seconds[1:], strict=True)
    ]


def compare(
    key: str,
    what: str,
    peer: str,
    ours: Callable[[], float],
    other: Callable[[], float],
    repeats: int,
    **more: Any,
) -> Result:
    """Return ours beside one peer."""
    (result,) = compare_all(key, what, ours, {peer: other}, repeats, **more)
    return result


def total(key: str, what: str, peer: str, results: Sequence[Result], **more: Any) -> Result:
    """Return the sums of what was measured in as many rounds each."""
    ours, others = (
        tuple(map(sum, zip(*side, strict=True))) for side in ([r.ours for r in results], [r.others for r in results])
    )
    return Result(key, what, peer, ours, others, **more)


def environment() -> dict[str, str]:
    """Return the environment of a measured process: what it imports is compiled once and kept."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    cache = Path(tempfile.gettempdir(), f"mdfsql-benchmarks-{os.getuid()}", "bytecode")
    return env | {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(cache)}


def process(arguments: Sequence[str], program: str = sys.executable) -> Callable[[], float]:
    """Return a measure of a whole process, from its start to its end; of Python, unless another program is named."""
    env = environment()

    def run() -> float:
        start = time.perf_counter()
        done = subprocess.run([program, *arguments], env=env, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - start
        if done.returncode:
            raise Skipped(f"{program} {' '.join(arguments)}: {done.stderr}")
        return seconds

    return run
