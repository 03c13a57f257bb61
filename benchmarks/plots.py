"""Plots of how cost grows, as SVG: each case of growth one, ours and its peers against the size, with the slopes."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from statistics import linear_regression, median
from typing import Any

from benchmarks.results import Recorded

__all__ = ["digest", "draw", "series", "slope"]

# What each plot's axis of sizes is called; these cases have plots.
AXES = {
    "growth_rows": "rows",
    "growth_columns": "columns",
    "growth_operations": "operations",
    "growth_tables": "tables",
}

Points = list[tuple[float, float]]


def series(kept: Recorded) -> dict[str, Points]:
    """Return the medians by size of ours, and of each peer."""
    found: dict[str, dict[float, float]] = {}
    for result in kept.results:
        if result.size is not None:
            found.setdefault("mdfsql", {})[result.size] = median(result.ours)
            found.setdefault(result.peer, {})[result.size] = median(result.others)
    return {name: sorted(points.items()) for name, points in found.items()}


def slope(points: Points) -> float:
    """Return the power of the size with which the time grows: 1 where ten times the size takes ten times as long.

    >>> round(slope([(1, 2.0), (10, 20.0), (100, 200.0)]), 3)
    1.0
    """
    return linear_regression([math.log(size) for size, _ in points], [math.log(taken) for _, taken in points]).slope


def digest(kept: Recorded) -> str:
    """Return what tells whether a plot is of these results."""
    return hashlib.sha256(json.dumps(series(kept)).encode()).hexdigest()[:16]


def draw(recorded: Mapping[str, Recorded], folder: Path) -> None:
    """Draw those plots whose results have changed."""
    for case, axis in AXES.items():
        path = folder / f"{case}.svg"
        if case not in recorded or (path.exists() and digest(recorded[case]) in path.read_text(encoding="utf-8")):
            continue
        folder.mkdir(parents=True, exist_ok=True)
        _plot(recorded[case], axis, path)


def _plot(kept: Recorded, axis: str, path: Path) -> None:
    import matplotlib  # in an extra of its own: who only measures needs no plots

    matplotlib.use("svg")
    # Text stays text; ids are the same each time.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "mdfsql", "font.family": "sans-serif"})
    from matplotlib import pyplot

    figure: Any
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for name, points in series(kept).items():
        sizes, taken = zip(*points, strict=True)
        label = f"{name}: ~ size^{slope(points):.2f}" if len(points) > 1 else name
        axes.loglog(sizes, taken, marker="o", linewidth=2 if name == "mdfsql" else 1, label=label)
    axes.set_xlabel(axis)
    axes.set_ylabel("seconds")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None, "Description": digest(kept)})
    pyplot.close(figure)
