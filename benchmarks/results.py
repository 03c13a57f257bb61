"""What was measured, kept as JSON lines: a file a case, so that a case can be measured again alone.

The first line of a file is the run: the machine, the versions, the options. Each line after it is a Result.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Result

__all__ = ["FOLDER", "Recorded", "load", "parsed", "save"]

FOLDER = Path(__file__).parent / "results"
DIGITS = 4  # of a time that are kept: more is noise, and none would be read


@dataclass(frozen=True)
class Recorded:
    """The results of a case, and the run that they are of."""

    run: dict[str, Any]
    results: tuple[Result, ...]


def save(case: str, run: dict[str, Any], results: Iterable[Result], folder: Path = FOLDER) -> None:
    """Write a case's results in place of those that were there."""
    lines = [json.dumps({"run": run}), *(json.dumps(_plain(result)) for result in results)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{case}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def load(folder: Path = FOLDER) -> dict[str, Recorded]:
    """Return what is kept, by case."""
    return {path.stem: parsed(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.jsonl"))}


def _plain(result: Result) -> dict[str, Any]:
    """Return a result's fields that say something; times rounded."""
    fields = {
        field.name: getattr(result, field.name)
        for field in dataclasses.fields(result)
        if getattr(result, field.name) != field.default
    }
    for side in ("ours", "others"):
        fields[side] = [float(f"{taken:.{DIGITS}g}") for taken in fields[side]]
    return fields


def parsed(text: str) -> Recorded:
    """Return what the text of a file keeps."""
    first, *lines = (json.loads(line) for line in text.splitlines())
    return Recorded(
        first["run"],
        tuple(Result(**line | {"ours": tuple(line["ours"]), "others": tuple(line["others"])}) for line in lines),
    )
