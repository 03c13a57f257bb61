"""docs/benchmarks.md and its plots, as the results make them.

The page is written by hand but for what stands between ``<!-- table: CASES -->``, ``<!-- slopes: CASES -->`` or
``<!-- machine -->``, and ``<!-- end -->``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

from benchmarks import plots
from benchmarks.measure import ROOT, Result
from benchmarks.results import Recorded, load

__all__ = ["PAGE", "blocks", "filled", "rewrite"]

PAGE = ROOT / "docs" / "benchmarks.md"
BLOCK = re.compile(r"(<!-- (table|slopes|machine)(?:: ([\w ]+))? -->\n).*?(<!-- end -->)", re.DOTALL)


def rewrite(path: Path = PAGE) -> None:
    """Fill the page in, and draw the plots that have results."""
    recorded = load()
    path.write_text(filled(path.read_text(encoding="utf-8"), recorded), encoding="utf-8")
    plots.draw(recorded, path.parent / "plots")


def filled(text: str, recorded: Mapping[str, Recorded]) -> str:
    """Return the page with its generated parts as the results make them."""
    parts: dict[str, Callable[[str], str]] = {
        "table": lambda cases: table(cases.split(), recorded),
        "slopes": lambda cases: slopes(cases.split(), recorded),
        "machine": lambda _: machine(recorded),
    }
    return BLOCK.sub(lambda found: found[1] + parts[found[2]](found[3] or "") + found[4], text)


def blocks(text: str) -> list[tuple[str, str]]:
    """Return what the generated parts of a page are of: the kind, and the names of the cases."""
    return [(found[2], found[3] or "") for found in BLOCK.finditer(text)]


def table(cases: list[str], recorded: Mapping[str, Recorded]) -> str:
    """Return the rows of some cases; what was measured already is not said again."""
    lines = [
        "| Case | Ours | Takes | Peer | Ratio | Quartiles | Aim |",
        "| --- | --- | ---: | --- | ---: | ---: | ---: |",
    ]
    for case in cases:
        before = ("", "")
        if case not in recorded:
            lines.append(f"| `{case}` | not measured | | | | | |")
            continue
        for result in recorded[case].results:
            named = f"`{case}`" if before[0] != case else ""
            what = result.what if before != (case, result.what) else ""
            lines.append(f"| {named} | {what} | {row(result)} |")
            before = (case, result.what)
    return "\n".join(lines) + "\n"


def slopes(cases: list[str], recorded: Mapping[str, Recorded]) -> str:
    """Return with which power of the size the time of each side grows, in some cases."""
    lines = ["| Case | By | Time grows as |", "| --- | --- | --- |"]
    for case in cases:
        found = plots.series(recorded[case]) if case in recorded else {}
        powers = [f"{name}: size^{plots.slope(points):.2f}" for name, points in found.items() if len(points) > 1]
        lines.append(f"| `{case}` | {plots.AXES[case]} | {', '.join(powers) or 'not measured'} |")
    return "\n".join(lines) + "\n"


def row(result: Result) -> str:
    """Return the cells behind the first two: what ours takes, the peer, the ratio, its quartiles, and the aim."""
    low, high = result.spread
    peer = result.peer + (f" ({result.remark})" if result.remark else "")
    aims = [number(result.aim)] if result.aim is not None else []
    aims += [amount(result.limit, result.unit)] if result.limit is not None else []
    aim = " and ".join(aims) + (", **missed**" if result.missed else "")
    cells = [amount(median(result.ours), result.unit), peer, number(result.ratio)]
    return " | ".join([*cells, f"{number(low)} - {number(high)}", aim])


def number(ratio: float) -> str:
    """Return a ratio with the digits that say something.

    >>> number(1.0234), number(0.0421), number(0.000123), number(43.21)
    ('1.02', '0.042', '0.00012', '43')
    """
    if ratio >= 10:
        return f"{ratio:.0f}"
    return f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.{1 - math.floor(math.log10(ratio))}f}"


def amount(value: float, unit: str) -> str:
    """Return a time, or another amount, in a unit that suits it.

    >>> amount(1.5, "s"), amount(0.0123, "s"), amount(0.0000456, "s"), amount(123.4, "MB")
    ('1.5 s', '12 ms', '0.046 ms', '120 MB')
    """
    if unit == "s" and value < 1:
        value, unit = value * 1000, "ms"
    return f"{float(f'{value:.2g}'):,g} {unit}"


def machine(recorded: Mapping[str, Recorded]) -> str:
    """Return what each case was measured on: each machine with its versions once, and the runs on it."""
    machines: dict[str, dict[str, list[str]]] = {}
    for case, kept in recorded.items():
        run = kept.run
        packages, peers = (_listed(run.get(key, {})) for key in ("versions", "peers"))
        text = (
            f"{run['cores']} cores of {run['cpu']}, {run['memory_gib']} GiB, {run['system']}, Python {run['python']}; "
            f"{packages}" + (f"; the peers' own: {peers}" if peers else "")
        )
        remark = f", {run['remark']}" if "remark" in run else ""
        made = f"{run['date']}, {run['repeats']} rounds{remark}"
        machines.setdefault(text, {}).setdefault(made, []).append(f"`{case}`")
    lines = []
    for text, runs in machines.items():
        lines += [f"- {text}", *(f"    - {made}: {', '.join(cases)}" for made, cases in runs.items())]
    return "".join(f"{line}\n" for line in lines)


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
