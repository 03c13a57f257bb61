"""What a function's text is taken to say, against what the function does."""

from __future__ import annotations

import copy
import functools
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

import mdfsql as mdf
from mdfsql.errors import CannotLift

pytestmark = pytest.mark.filterwarnings("ignore::mdfsql.errors.NotLifted")

Row = dict[str, Any]

ROWS: list[Row] = [
    {"id": 1, "x": 5, "s": "abc", "tags": ["a", "b"], "v": None},
    {"id": 2, "x": 7, "s": "d1", "tags": ["c"], "v": 2.5},
]
ALL = {"id": int, "x": int, "s": str, "tags": "VARCHAR[]", "v": float}


@pytest.fixture
def rows(engine: str) -> mdf.Dataset:
    return mdf.Dataset.from_items(ROWS)


def python(function: Callable[[Row], Any]) -> list[Any]:
    return [function(copy.deepcopy(row)) for row in ROWS]


# --- the row, or a list in it, is changed on the way ------------------------------------------------------------------


def appended(row: Row) -> Row:
    row["tags"].append("q")
    return {**row, "n": len(row["tags"])}


def aliased(row: Row) -> Row:
    tags = row["tags"]
    tags.sort(reverse=True)
    return {**row, "n": tags[0].casefold()}


def two_ways(row: Row) -> Row:
    if row["x"] > 5:
        return {**row, "z": hex(row["x"])}
    return {"v": row["v"], "tags": row["tags"], "s": row["s"], "x": row["x"], "id": row["id"], "z": "n"}


def rebound(row: Row) -> Row:
    match {"id": 9, "x": 9, "s": "", "tags": [], "v": 1.0}:
        case {**row}:
            pass
    return {**row, "z": json.dumps(1)}


def assigned_late(row: Row) -> Row:
    y = "k"
    while not y:
        pass
    return {"a": (y := hex(row["x"])), "b": y.title()}


def evaluated(row: Row) -> Row:
    here = row["x"]
    return {"a": eval("here + 1"), "b": hex(here)}


@pytest.mark.parametrize(
    ("function", "schema"),
    [
        (appended, {"n": int}),
        (aliased, {"n": str}),
        (two_ways, {**ALL, "z": str}),
        (rebound, {**ALL, "z": str}),
        (assigned_late, {"a": str, "b": str}),
        (evaluated, {"a": int, "b": str}),
        (lambda r: {"a": r.pop("x"), "b": r.get("x", 0)}, {"a": int, "b": int}),
        (lambda r: {**r, "n": r["tags"].pop()}, {"n": str}),
        (lambda r: {"m": r["tags"].pop(), "n": len(r["tags"])}, {"m": str}),
        (lambda r: {"n": len(r["tags"]), "m": r["tags"].pop(), "k": len(r["tags"])}, {"m": str}),
        (lambda r: {"a": (y := hex(r["x"])), "b": y.title()}, {"a": str, "b": str}),
        (lambda r: dict(a=hex(r["x"]), **r), {"a": str}),
        (lambda r: {**r, "t": sorted(r["tags"] or []), "u": ",".join(r["tags"]).casefold()}, {"t": "VARCHAR[]"}),
    ],
)
def test_maps(rows: mdf.Dataset, check: Any, function: Callable[[Row], Row], schema: Any) -> None:
    made = rows.map(function, schema=schema)
    check(made, [{name: row[name] for name in made.columns} for row in python(function)])


def test_what_is_only_looked_at_does_not_go_through_python() -> None:
    function = lambda r: {**r, "t": max(r["tags"] or ["b"]) + json.dumps(r["tags"][0])}  # noqa: E731
    made = mdf.Dataset.from_items(ROWS).map(function, schema={"t": str})
    (source,) = made._relation.python_sources()
    assert source.program.outputs == (0, 1, 2, 3, 4, None)


def points(row: Row, more: int = 0) -> int:
    total = more
    while total < row["x"]:
        total += len(row["tags"])
    return total


def emptied(row: Row) -> int:
    found = 0
    while row["tags"]:
        row["tags"].pop()
        found += 1
    return found


def test_a_function_that_is_given_the_row_is_looked_into(rows: mdf.Dataset, check: Any) -> None:
    made = rows.map(lambda r: {**r, "p": points(r, 1), "n": round(r["v"], 1)}, schema={"p": int})
    (source,) = made._relation.python_sources()
    assert [name for _, name in source.program.reads] == ["x", "tags", "v"]
    check(made, [{**ROWS[0], "p": 5, "n": None}, {**ROWS[1], "p": 7, "n": 2.5}])
    check(rows.map(lambda r: {**r, "n": emptied(r)}, schema={"n": int}).select("tags"), [{"tags": []}, {"tags": []}])


@pytest.mark.parametrize(
    "function",
    [
        lambda r: {"x": int(r["s"], 10) // 1, **r},
        lambda r: {"y": hex(1 // (r["x"] - 5)), **r, "y": "k"},  # noqa: F601
    ],
)
def test_what_is_overwritten_still_raises(rows: mdf.Dataset, function: Callable[[Row], Row]) -> None:
    with pytest.raises((ValueError, ZeroDivisionError)):
        rows.map(function, schema={**ALL, "y": str} if "y" in python_names(function) else ALL).collect()


def python_names(function: Any) -> tuple[str, ...]:
    return tuple(name for const in function.__code__.co_consts for name in ([const] if isinstance(const, str) else []))


def test_a_keyword_of_dict_stands_once(engine: str) -> None:
    ds = mdf.Dataset.from_items(ROWS)
    with pytest.raises(CannotLift, match="given 'x' twice"):
        ds.map(lambda r: dict(**r, x=r["x"] + 1))

    def looped(row: Row) -> Row:
        while False:
            pass
        return dict(**row, x=1)

    with pytest.raises(TypeError):
        ds.map(looped, schema=ALL).collect()


def test_a_filter_may_give_the_row(rows: mdf.Dataset, check: Any) -> None:
    check(rows.filter(lambda r: r | {}, lift=False).select("id"), [{"id": 1}, {"id": 2}])


# --- names ------------------------------------------------------------------------------------------------------------

SEEN: dict[int, int] = {}


def noted(number: int) -> int:
    SEEN[number] = number * 2
    return number


def shared(row: Row) -> Row:
    noted(row["x"])
    return {"z": SEEN[row["x"]]}


def remembering(row: Row) -> Row:
    remembering.known.setdefault(row["x"], row["x"] + 1)  # type: ignore[attr-defined]
    return {"z": remembering.known[row["x"]]}  # type: ignore[attr-defined]


remembering.known = {}  # type: ignore[attr-defined]


def test_functions_share_what_they_shared(rows: mdf.Dataset, check: Any) -> None:
    check(rows.map(shared, schema={"z": int}), [{"z": 10}, {"z": 14}])
    check(rows.map(remembering, schema={"z": int}), [{"z": 6}, {"z": 8}])
    assert SEEN == {} and remembering.known == {}  # type: ignore[attr-defined]


FACTOR = 2


class Scale:
    def times(self, row: Row) -> Row:
        return {"z": float(row["x"] * FACTOR), "t": f"{row['x'] * FACTOR / 1:.1f}"}


def test_names_mean_the_same_when_it_is_an_engine_that_runs_python(rows: mdf.Dataset, check: Any) -> None:
    global FACTOR
    factors = [2]
    made = [
        rows.map(lambda r: {"t": f"{r['x'] * FACTOR * factors[0] / 4:.1f}"}),  # Spark has not the text of a float
        rows.map(Scale().times, schema={"z": float, "t": str}).select("t"),
        rows.map(functools.partial(lambda by, r: {"t": f"{r['x'] * sorted(by)[0] / 1:.1f}"}, factors)),
    ]
    FACTOR, factors[0] = 0, 0
    try:
        for dataset, texts in zip(made, (("5.0", "7.0"), ("10.0", "14.0"), ("10.0", "14.0")), strict=True):
            check(dataset, [{"t": text} for text in texts])
    finally:
        FACTOR = 2


# --- order ------------------------------------------------------------------------------------------------------------

SPREAD = [{"id": n * 7919 % 30011, "k": n % 4} for n in range(30011)]
TAIL: Callable[[Row], bool] = lambda r: hex(r["id"])[-1] != "z"  # noqa: E731


def text(row: Row) -> str:
    return hex(99999999 - row["id"]).title()


@pytest.mark.parametrize(
    "step",
    [
        lambda ds: ds.order_by(lambda r: -r["id"]).filter(TAIL),
        lambda ds: ds.order_by(mdf.expr("0 - id")).filter(TAIL).filter(TAIL),
        lambda ds: ds.order_by(text).filter(TAIL),
        lambda ds: ds.order_by(text).filter("k < 9").select("id").filter(TAIL),
        lambda ds: ds.order_by(mdf.expr("k % 1"), mdf.desc("id")).with_columns(id="id + 0").filter(TAIL),
        lambda ds: (
            ds.order_by(mdf.desc("id"))
            .map(lambda r: {"h": hex(r["id"]).title(), "k": r["k"]})
            .map(lambda r: {"id": int(r["h"], 16), "g": hex(r["k"])})
        ),
        lambda ds: ds.order_by("id", descending=True).select(i="id").map(lambda r: {"id": r["i"], "h": hex(r["i"])}),
        # Spark runs the filter below as Python, too.
        lambda ds: ds.filter(lambda r: str(r["id"] / 1) != "x").order_by(mdf.expr("-id")).filter(TAIL),
    ],
)
def test_an_order_is_kept_whatever_its_keys(engine: str, step: Callable[[mdf.Dataset], mdf.Dataset]) -> None:
    got = [row["id"] for row in step(mdf.Dataset.from_items(SPREAD)).collect()]
    assert got == list(range(30010, -1, -1))


def test_keys_of_an_order_are_never_seen(engine: str, check: Any) -> None:
    ds = mdf.Dataset.from_items(SPREAD[:3]).order_by(lambda r: -r["id"]).filter(TAIL)
    assert ds.columns == ["id", "k"]
    check(ds.sql("SELECT * FROM self"), SPREAD[:3])
    check(ds.union(ds).distinct(), SPREAD[:3])
    check(ds.limit(1), [{"id": 15838, "k": 2}])


# --- None -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda r: {"x": f"{r['v']}" + re.search("b", r["s"]).group()},  # type: ignore[union-attr]
        lambda r: {"x": str(r["v"] is None) + json.loads("null").casefold()},
        lambda r: {"x": str(r["v"]) + {"d1": "x"}.get(r["s"][:3] + "?").casefold()},  # type: ignore[union-attr]
    ],
)
def test_any_value_that_is_none_counts(rows: mdf.Dataset, function: Any) -> None:
    # As where such a function is lifted: the match that is not found has no group.
    found = rows.map(function, schema={"x": str}, lift=False).collect()
    assert any(row["x"] is None for row in found)


@pytest.mark.parametrize(
    "function",
    [
        lambda r: {"x": ascii((r["v"] or None) + 1)},  # type: ignore[operator]
        lambda r: {"x": ascii([None if r["v"] is None else 1][0] + 1)},  # type: ignore[operator]
        lambda r: {"x": ascii({2.5: 1}.get(r["v"]) + 1)},  # type: ignore[operator]
        lambda r: {"x": ",".join(sorted([str(r["v"] + 1)]))},
    ],
)
def test_an_error_about_a_none_of_the_row(rows: mdf.Dataset, function: Any) -> None:
    found = rows.map(lambda r: function(r) | {"id": r["id"]}, schema={"x": str, "id": int}, lift=False).collect()
    assert {row["id"]: row["x"] is None for row in found if row["id"]} in ({2: False}, {1: True, 2: False})
