"""The benchmarks' page and plots are what the results make; how it is measured is right."""

from __future__ import annotations

import doctest
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks import __main__ as main
from benchmarks import changes, page, plots
from benchmarks.machine import described
from benchmarks.measure import PEERS, Options, Result, Skipped, compare_all, total
from benchmarks.results import Recorded, load, save
from benchmarks.side import Side

HERE = Path(page.__file__).parent


def test_the_page_is_what_the_results_make() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.filled(text, load()) == text, "python -m benchmarks page"


def test_the_page_has_all_cases() -> None:
    named = [
        case
        for kind, cases in page.blocks(page.PAGE.read_text(encoding="utf-8"))
        if kind == "table"
        for case in cases.split()
    ]
    assert named == list(main.CASES)
    assert set(load()) <= set(main.CASES)


def test_the_plots_are_of_the_results() -> None:
    recorded = load()
    for case in plots.AXES.keys() & recorded.keys():
        drawn = (page.PAGE.parent / "plots" / f"{case}.svg").read_text(encoding="utf-8")
        assert plots.digest(recorded[case]) in drawn, "python -m benchmarks page"
        assert f"plots/{case}.svg" in page.PAGE.read_text(encoding="utf-8")


def test_keys_name_one_result() -> None:
    for case, kept in load().items():
        keys = [result.key for result in kept.results]
        assert len(keys) == len(set(keys)), case


def test_what_is_kept_is_what_was_measured(tmp_path: Path) -> None:
    results = [
        Result("a", "ours", "theirs", (0.5, 0.25), (1.0, 1.0), aim=0.4, remark="n"),
        Result("b", "ours", "theirs", (2.0,), (1.0,), limit=3.0, size=10.0, unit="MB"),
    ]
    save("case", described(Options(peers=tmp_path)), results, tmp_path)
    kept = load(tmp_path)["case"]
    assert list(kept.results) == results
    assert {"cores", "python", "versions"} <= set(kept.run)


def test_what_has_moved_is_told() -> None:
    def kept(*figures: tuple[str, tuple[float, ...]]) -> dict[str, Recorded]:
        results = (Result(key, "o", "p", ours, (1.0,) * len(ours)) for key, ours in figures)
        return {"case": Recorded({}, tuple(results))}

    before, now = kept(("a", (1.0, 1.1)), ("b", (1.0,))), kept(("a", (1.02, 1.1)), ("b", (0.5,)))
    assert list(changes.changes(before, now)) == ["better 1.000 -> 0.500  case: o / p"]


def test_ratios_are_of_the_same_round() -> None:
    result = Result("key", "ours", "theirs", (1.0, 2.0, 3.0), (1.0, 1.0, 6.0), aim=0.9)
    assert result.ratios == [1.0, 2.0, 0.5]
    assert (result.ratio, result.spread, result.missed) == (1.0, (0.75, 1.5), True)
    both = total("sum", "ours", "theirs", [result, result])
    assert (both.ours, both.others) == ((2.0, 4.0, 6.0), (2.0, 2.0, 12.0))


def test_sides_are_measured_in_turn() -> None:
    order = []

    def side(name: str) -> float:
        order.append(name)
        return 1.0

    found = compare_all("k", "o", lambda: side("o"), {"p": lambda: side("p"), "q": lambda: side("q")}, 2)
    assert "".join(order) == "opq" + "qpo" + "opq"
    assert [(result.key, len(result.ratios)) for result in found] == [("k/p", 2), ("k/q", 2)]


def test_a_side_answers_or_says_why_not() -> None:
    with Side("echo") as side:
        assert side("value", [1, "a"]) == [1, "a"]
        with pytest.raises(Skipped, match="echo: ValueError: no"):
            side("fails", "no")


def test_a_row_says_what_is_missed() -> None:
    result = Result("key", "ours", "theirs", (0.002, 0.002), (0.001, 0.001), aim=0.2, limit=0.0001, remark="all")
    assert page.row(result) == "2 ms | theirs (all) | 2.00 | 2.00 - 2.00 | 0.20 and 0.1 ms, **missed**"


@pytest.mark.parametrize("peers", PEERS)
def test_the_lists_of_peers_are_pinned(peers: str) -> None:
    lines = (HERE / f"{peers}.txt").read_text(encoding="utf-8").splitlines()
    assert all("==" in line for line in lines if not line.startswith("#"))


@pytest.mark.parametrize("module", [page, plots])
def test_examples_of_the_parts(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0
