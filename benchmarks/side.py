"""Sides that run in a process of their own: a peer in the Python that has it, and ours beside it in the same way.

``with Side("ibis_chains", python) as ibis:`` starts one; ``ibis("again", 3)`` calls ``again(3)`` of
``benchmarks/sides/ibis_chains.py`` in it and gives what that returns, as plain data: seconds, as a rule, timed there.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
from types import TracebackType
from typing import Any

from benchmarks.measure import Skipped, environment

__all__ = ["Side"]


class Side:
    """A process that calls the functions of a module in ``benchmarks/sides``; Skipped where it cannot."""

    def __init__(self, name: str, python: str = sys.executable) -> None:
        self.name, self.python = name, python
        self._process = subprocess.Popen(
            [python, "-m", "benchmarks.side", name],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, function: str, *arguments: Any) -> Any:
        """Return what the function returns there."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps([function, arguments]) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended, as the answer tells
        answer = self._process.stdout.readline()
        if not answer:
            raise Skipped(f"{self.name} ended with {self._process.wait()}: see above")
        found = json.loads(answer)
        if "error" in found:
            raise Skipped(f"{self.name}: {found['error']}")
        return found["value"]

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> Side:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve(name: str) -> None:
    """Answer calls until there are no more."""
    # What is printed by others is no answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    module = importlib.import_module(f"benchmarks.sides.{name}")
    for line in sys.stdin:
        function, arguments = json.loads(line)
        try:
            found = {"value": getattr(module, function)(*arguments)}
        except Exception as error:
            found = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(found) + "\n")
        answers.flush()


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):  # who asked has gone
        serve(sys.argv[1])
