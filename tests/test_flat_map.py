"""Dataset.flat_map: what Python gives for each row, on every engine."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

import pytest

import mdfsql as mdf
from mdfsql.errors import CannotLift, DataError, EngineError
from mdfsql.lift import lift_rows

ROWS: list[dict[str, Any]] = [
    {"id": 1, "a": 1, "b": 2, "s": "x", "tags": ["a", "x", "b"], "ns": [3, None, 5], "kv": [{"k": "p", "n": 1}]},
    {"id": 2, "a": None, "b": 5, "s": None, "tags": [], "ns": [], "kv": []},
    {"id": 3, "a": 7, "b": None, "s": "", "tags": None, "ns": None, "kv": None},
    {"id": 4, "a": 0, "b": 0, "s": "é", "tags": [None, "x", "y"], "ns": [0, 1], "kv": [{"k": None, "n": 2}, None]},
    {"id": 5, "a": -3, "b": 1, "s": "q", "tags": ["x"], "ns": [9, 9], "kv": [{"k": "q", "n": None}]},
]


def early(r: dict[str, Any]) -> Any:
    if r["tags"] is None:
        return []
    big = len(r["tags"]) > 2
    return [{"id": r["id"], "tag": t, "big": big} for t in r["tags"]]


def kinds(r: dict[str, Any]) -> Any:
    match r["a"]:
        case 0:
            return []
        case None:
            return [{"id": r["id"], "what": "none"}]
        case n if n > 5:
            return [{"id": r["id"], "what": "big"}, {"id": r["id"], "what": str(n)}]
    return [{"id": r["id"], "what": "small"}]


def label(r: dict[str, Any], tag: str) -> dict[str, Any]:
    return {"id": r["id"], "label": f"{r['s']}:{tag}"}


def numbers(r: dict[str, Any], name: str, least: int = 0) -> Any:
    if r[name] is None:
        return []
    return [{"id": r["id"], "n": n} for n in r[name] if n is not None and n > least]


FUNCTIONS: list[Callable[[dict[str, Any]], Any]] = [
    lambda r: [{"id": r["id"], "v": r["a"]}, {"id": r["id"], "v": r["b"]}],
    lambda r: [{"id": r["id"], "v": r["a"]}] if r["a"] is not None else [],
    lambda r: [{"id": r["id"], "v": r["a"]}] if r["a"] else [{"id": -1, "v": r["b"]}, {"id": -2, "v": 0}],
    lambda r: [{"id": r["id"], "name": c, "v": r[c]} for c in ("a", "b")],
    lambda r: [{"id": r["id"], "name": c, "v": r[c]} for c in ("a", "b") if r[c] is not None],
    lambda r: [{"id": r["id"], "tag": t} for t in r["tags"]],
    lambda r: [{"id": r["id"], "tag": t} for t in r["tags"] if t != "x"],
    lambda r: [{**r, "tag": t} for t in r["tags"]],
    lambda r: [{"id": r["id"], "n": n} for n in r["ns"] if n is not None and n > 1],
    lambda r: [{"id": r["id"], "n": n, "same": n in r["ns"]} for n in r["ns"]],
    lambda r: [{"id": r["id"], "t": t} for t in (r["tags"] if r["tags"] is not None else [])] if r["a"] else [],
    lambda r: [{"id": r["id"], "n": n} for n in [x + 1 for x in r["ns"] if x is not None]],
    lambda r: [{"id": r["id"], "k": e["k"], "n": e["n"]} for e in r["kv"] if e is not None],
    lambda r: [label(r, t) for t in r["tags"]],
    lambda r: ({"id": r["id"], "tag": t} for t in r["tags"]),
    lambda r: [{"id": r["id"], "n": 1}] + [{"id": r["id"], "n": 2}],  # noqa: RUF005
    lambda r: [{"id": r["id"]}],
    lambda r: numbers(r, "ns", least=1) if r["b"] else [],
    early,
    kinds,
]


def source_of(function: Callable[..., Any]) -> str:
    return Path(__file__).read_text(encoding="utf-8").splitlines()[function.__code__.co_firstlineno - 1].strip()


def expected(function: Callable[..., Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for row in ROWS:
        try:
            found += function(dict(row))
        except TypeError:
            continue
    return found


def test_flat_map(engine, check):
    dataset = mdf.Dataset.from_items(ROWS)
    for function in FUNCTIONS:
        check(dataset.flat_map(function), expected(function))


def test_rows_for_which_python_would_raise_because_of_a_none_give_none(engine, check):
    dataset = mdf.Dataset.from_items(ROWS)
    for function in (
        lambda r: [{"id": r["id"], "n": n * 2} for n in r["ns"]],
        lambda r: [{"id": r["id"], "n": n} for n in r["ns"] if n > 1],
        lambda r: [{"id": r["id"], "n": n + r["b"]} for n in r["ns"] if n is not None and n > r["a"]],
        lambda r: [{"id": r["id"], "n": r["a"] + 1}, {"id": r["id"], "n": r["b"]}],
        lambda r: [{"id": r["id"], "t": t + "!"} for t in r["tags"] if t != "x"],
        lambda r: [{"id": r["id"], "n": c} for c in (1, 2, 3) if c > r["a"]],
    ):
        made = dataset.flat_map(function)
        assert not list(made._relation.python_notes())
        check(made, expected(function))
        check(dataset.flat_map(function, lift=False, schema=made.schema), expected(function))


def parts(r: dict[str, Any]) -> Any:
    for place, part in enumerate(sorted(r["s"])):
        yield {"id": r["id"], "place": place, "part": part}


class Part(TypedDict):
    id: int
    part: str


def annotated(r: dict[str, Any]) -> list[Part]:
    return [{"id": part["id"], "part": part["part"]} for part in parts(r)]


def failing(r: dict[str, Any]) -> Any:
    yield {"id": r["id"] // (r["id"] - 3)}


@pytest.mark.filterwarnings("ignore::mdfsql.errors.NotLifted")
def test_what_has_no_sql_runs_as_python(engine, check):
    dataset = mdf.Dataset.from_items(ROWS)
    check(dataset.flat_map(parts, schema={"id": int, "place": int, "part": str}), expected(parts))
    check(dataset.flat_map(annotated), expected(annotated))
    with pytest.raises(CannotLift, match="give the types"):
        dataset.flat_map(parts)
    with pytest.raises(ZeroDivisionError) as caught:
        dataset.flat_map(failing, schema={"id": int}).collect()
    assert "'id': 3" in caught.value.__notes__[0]
    with pytest.raises(DataError, match="lacks 'x' and has also 'id'"):
        dataset.flat_map(parts, schema={"x": int, "place": int, "part": str}).collect()


def test_what_raises_raises(engine):
    dataset = mdf.Dataset.from_items(ROWS)
    with pytest.raises(EngineError):
        dataset.flat_map(lambda r: [{"n": 10 // n} for n in r["ns"]]).collect()


def test_rows_keep_the_order_of_the_keys(engine):
    dataset = mdf.Dataset.from_items(ROWS).order_by("id", descending=True)
    found = dataset.flat_map(lambda r: [{"id": r["id"], "n": n} for n in r["ns"]]).collect()
    assert [k for k, _ in itertools.groupby(found, lambda row: row["id"])] == [5, 4, 1]


def test_steps_go_on(engine, check):
    dataset = mdf.Dataset.from_items(ROWS).filter(lambda r: r["id"] != 5)
    made = dataset.flat_map(lambda r: [{"id": r["id"], "tag": t} for t in r["tags"] if t is not None])
    check(made.group_by("tag").count(), [{"tag": t, "count": n} for t, n in (("a", 1), ("b", 1), ("x", 2), ("y", 1))])
    check(made.filter(lambda r: r["tag"] == "x").map(lambda r: {"id": r["id"] + 1}), [{"id": 2}, {"id": 5}])


def test_explain_says_what_was_lifted(people):
    made = mdf.Dataset.from_items(ROWS).flat_map(lambda r: [{"t": t + "!"} for t in r["tags"] if t != "x"])
    text = made.explain("duckdb")
    assert 'flat_map: over "tags"' in text and "flat_map: where" in text and "flat_map: t = " in text


def nothing(r: dict[str, Any]) -> Any:
    if r["a"] is None:
        return None
    return [{"id": r["id"]}]


REFUSALS: list[tuple[Callable[..., Any], str, str]] = [
    (lambda r: {"id": r["id"]}, "needs a list of dicts", '{"id"'),
    (lambda r: [r["id"]], "needs a list of dicts", 'r["id"]'),
    (lambda r: r["tags"], "needs a list of dicts", 'r["tags"]'),
    (lambda r: [], "gives no row", "[]"),
    (lambda r: [{"a": 1}, {"b": 1}], "keys a, the other b", "[{"),
    (lambda r: [{"a": 1}, {"a": "x"}], "the column 'a'", "[{"),
    (lambda r: [{"t": t} for t in r["tags"] for n in r["ns"]], "two for", "[{"),
    (lambda r: [{"t": t} for t in r["tags"]] if r["b"] else [{"t": "x"}], "one branch goes over a list", "[{"),
    (lambda r: [{"t": t} for t in r["s"]], "looped over", "[{"),
    (lambda r: [{"t": t} for t in r["tags"] if 10 // r["a"] > 1], "may raise", "[{"),
    (lambda r: [{"t": None} for t in r["tags"]], "only ever None", "[{"),
    (nothing, "needs a list of dicts", "None"),
]


@pytest.mark.parametrize(("function", "reason", "place"), REFUSALS)
def test_refusals(function: Callable[..., Any], reason: str, place: str) -> None:
    with pytest.raises(CannotLift) as caught:
        lift_rows(function, mdf.Dataset.from_items(ROWS).schema)
    error = caught.value
    assert reason in error.reason
    assert error.text is not None and error.column is not None
    assert error.text[error.column - 1 :].startswith(place)


def test_the_element_gets_a_name_that_is_free():
    dataset = mdf.Dataset.from_items([{"element": 1, "ELEMENT_": 2, "xs": [1, 2]}])
    assert lift_rows(lambda r: [{"a": r["element"], "x": x} for x in r["xs"]], dataset.schema).element == "element__"
    made = dataset.flat_map(lambda r: [{"a": r["element"], "x": x} for x in r["xs"]])
    assert made.order_by("x").collect() == [{"a": 1, "x": 1}, {"a": 1, "x": 2}]
