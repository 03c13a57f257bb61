"""Lists and match in row functions: CPython against every engine that lifts them, and refusals."""

# What others would write shorter is what is tested here.
# ruff: noqa: C400, C416, C419

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
import sqlglot

import mdfsql as mdf
from mdfsql.compile import compile_relation, target_of
from mdfsql.errors import CannotLift, EngineError, Unsupported
from mdfsql.lift import lift_predicate, lift_value
from mdfsql.schema import Schema

SCHEMA = Schema(
    {
        "id": "BIGINT",
        "v": "BIGINT",
        "s": "VARCHAR",
        "b": "BOOLEAN",
        "xs": "BIGINT[]",
        "ns": "INTEGER[]",
        "fs": "DOUBLE[]",
        "tags": "VARCHAR[]",
        "flags": "BOOLEAN[]",
        "days": "DATE[]",
        "st": 'STRUCT("a" BIGINT, "T" VARCHAR[])',
        "sts": 'STRUCT("n" VARCHAR, "k" BIGINT)[]',
    }
)
DAY = datetime.date(2024, 2, 29)
XS: list[list[int | None] | None] = [
    None, [], [None], [0], [5, None], [None, 5], [1, 2, 3], [3, 3, 1], [0, 0], [-1, 2**63 - 1], [2**63 - 1, 1],
    list(range(50)), [4, None, 7, None],
]  # fmt: skip
TAGS: list[list[str | None] | None] = [
    None, [], [None], [""], ["a", None], [None, "a"], ["x", "y", "x"], ["é", "日本", "b"], ["", ""], ["it's", ","],
    ["a"] * 40, ["None", "a,b"], ["Z", "a"],
]  # fmt: skip
FLOATS: list[list[float | None] | None] = [None, [], [None], [math.nan], [0.0, -0.0], [1.5, None], [math.inf, 2.5]]
FLAGS: list[list[bool | None] | None] = [None, [], [None], [True], [False, None], [True, False], [None, True]]
DAYS = [None, [], [None], [DAY], [DAY, datetime.date(1970, 1, 1)], [DAY, None]]
STRUCTS = [None, {"a": None, "T": None}, {"a": 1, "T": ["x", None]}, {"a": -5, "T": []}]
NESTED = [None, [], [None], [{"n": "a", "k": 1}], [{"n": None, "k": 7}, {"n": "b", "k": None}], [{"n": "", "k": 2}] * 3]


def rows() -> list[dict[str, Any]]:
    """Return rows in which every list meets a few values of the other columns."""
    found: list[dict[str, Any]] = []
    for i in range(len(XS) * 3):
        pools: dict[str, list[Any]] = {
            "xs": XS,
            "tags": TAGS,
            "fs": FLOATS,
            "flags": FLAGS,
            "days": DAYS,
            "st": STRUCTS,
            "sts": NESTED,
        }
        row: dict[str, Any] = {
            "id": i,
            "v": [None, 0, 1, 5, 2**63 - 1, -3, 2][(i * 5 + i // 13) % 7],
            "s": [None, "", "a", "x", "é"][(i + i // 13) % 5],
            "b": [True, None, False][(i + i // 13) % 3],
            **{name: pool[(i + i // 13 * k) % len(pool)] for k, (name, pool) in enumerate(pools.items())},
        }
        row["ns"] = None if row["xs"] is None else [n and n % 1000 for n in row["xs"]]
        found.append({name: row[name] for name in SCHEMA})
    return found


ROWS = rows()
BIG = 3
COLOR = SimpleNamespace(RED="x", GREEN="a")


def first_word(r: dict[str, Any]) -> Any:
    match r["s"]:
        case "a" | "x":
            return 1
        case "":
            return 2
        case None:
            return 3
        case other if len(other) > 5:
            return len(other)
    return 0


def dotted(r: dict[str, Any]) -> Any:
    match r["s"]:
        case COLOR.RED:
            word = "red"
        case COLOR.GREEN:
            word = "green"
        case other:
            word = f"not {other}"
    return word


def captured(r: dict[str, Any]) -> Any:
    match r["v"]:
        case 0:
            return "zero"
        case n if n > 1:
            return f"many {n}"
        case n:
            return f"other {n}"


def pairs(r: dict[str, Any]) -> Any:
    match (r["v"], r["s"]):
        case (0, _):
            return "none"
        case (_, "a"):
            return "a"
        case (5 | 1, word):
            return word
        case (_, None) | (None, _):
            return "gap"
        case (1, 2, 3):
            return "never"
        case (n, _) as both if both[1] == "x":
            return "x" + str(n)
    return "rest"


def truths(r: dict[str, Any]) -> Any:
    match r["b"]:
        case True:
            return "yes"
        case False:
            return "no"
        case None:
            return "unknown"


def nested_match(r: dict[str, Any]) -> Any:
    kind = 0
    match r["b"]:
        case True:
            match r["v"]:
                case 0 | 1:
                    kind = 1
                case _:
                    kind = 2
        case _:
            pass
    return kind


def unmatched(r: dict[str, Any]) -> Any:
    match r["v"] + 1:
        case 1:
            return "a"
        case 2:
            return "b"


def assigned(r: dict[str, Any]) -> Any:
    big = [x for x in r["xs"] if x > BIG]
    if not big:
        return 0
    return len(big) + big[0]


def guarded(r: dict[str, Any]) -> Any:
    if r["xs"] is None or len(r["xs"]) < 2:
        return None
    return r["xs"][0] if r["xs"][1] is None else r["xs"][1]


def bonus(x: int, by: int = 2) -> int:
    return x * by if x < 100 else x


# What every engine lifts.
EVERYWHERE: list[Callable[[dict[str, Any]], Any]] = [
    lambda r: len(r["xs"]),
    lambda r: len(r["tags"]) > 1,
    lambda r: 3 in r["xs"],
    lambda r: "a" in r["tags"],
    lambda r: "a" not in r["tags"],
    lambda r: r["tags"] is None,
    lambda r: r["tags"] is not None and "x" in r["tags"],
    lambda r: bool(r["xs"]),
    lambda r: not r["xs"],
    lambda r: 1 if r["tags"] else 2,
    lambda r: r["xs"][0],
    lambda r: r["xs"][-1],
    lambda r: r["tags"][1],
    lambda r: r["xs"][0] if r["xs"] else None,
    lambda r: "long" if r["xs"] and len(r["xs"]) > 2 else "short",
    lambda r: any(x > 3 for x in r["xs"]),
    lambda r: all(x > 0 for x in r["xs"]),
    lambda r: any(x == r["v"] for x in r["xs"]),
    lambda r: any(x is None for x in r["xs"]),
    lambda r: all(t != "x" for t in r["tags"]),
    lambda r: any(x > 3 for x in r["xs"] if x is not None),
    lambda r: any(t == r["s"] or r["v"] > 3 for t in r["tags"]),
    lambda r: not any(x > 3 for x in r["xs"]),
    lambda r: [x for x in r["xs"]],
    lambda r: [x for x in r["xs"] if x is not None],
    lambda r: [x for x in r["xs"] if x > 1],
    lambda r: [x is None or x > 2 for x in r["xs"]],
    lambda r: [len(t) for t in r["tags"]],
    lambda r: [t + "!" for t in r["tags"]],
    lambda r: [t for t in r["tags"] if t != r["s"]],
    lambda r: [0 if n is None else n * 2 for n in r["ns"]],
    lambda r: [n + r["v"] for n in r["ns"]],
    lambda r: sum(r["ns"]),
    lambda r: sum(r["xs"]),
    lambda r: sum(n * 2 for n in r["ns"] if n is not None),
    lambda r: sum(1 for x in r["xs"] if x is not None and x > 2),
    lambda r: sum(len(t) for t in r["tags"]),
    lambda r: max(r["xs"]),
    lambda r: max(["ab"]),
    lambda r: min(["ab"]) + max([r["s"]]),
    lambda r: min(r["tags"]),
    lambda r: max((len(t) for t in r["tags"]), default=0),
    lambda r: len([x for x in r["xs"] if x is not None]),
    lambda r: ",".join(r["tags"]),
    lambda r: ", ".join(t for t in r["tags"] if t is not None),
    lambda r: [bonus(n) for n in r["ns"] if n is not None],
    lambda r: r["st"]["a"],
    lambda r: r["st"]["a"] + 1,
    lambda r: [m["k"] for m in r["sts"] if m is not None],
    assigned,
    guarded,
    first_word,
    dotted,
    captured,
    pairs,
    truths,
    nested_match,
    unmatched,
]

# What is lifted, but not for every engine.
HERE: list[Callable[[dict[str, Any]], Any]] = [
    lambda r: r["v"] in r["xs"],
    lambda r: r["s"] in r["tags"],
    lambda r: None in r["xs"],
    lambda r: True in r["flags"],
    lambda r: r["xs"][:2],
    lambda r: r["xs"][1:],
    lambda r: r["tags"][1:3],
    lambda r: r["tags"][3:1],
    lambda r: r["xs"][2],
    lambda r: r["xs"][-2],
    lambda r: r["fs"][0],
    lambda r: any(x > 1 for x in r["fs"]),
    lambda r: [x * 2 for x in r["fs"] if x is not None],
    lambda r: all(r["flags"]),
    lambda r: any(r["flags"]),
    lambda r: any([x > 3 for x in r["xs"]]),
    lambda r: all([x > 3 for x in r["xs"] if x is not None]),
    lambda r: sum(r["flags"]),
    lambda r: sum(x > 1 for x in r["xs"]),
    lambda r: sum([x for x in r["xs"] if x is not None]),
    lambda r: sum(r["xs"]) + 1,
    lambda r: min(r["xs"]),
    lambda r: max(r["days"]),
    lambda r: min(r["flags"]),
    lambda r: max(r["tags"]),
    lambda r: max(x for x in r["xs"] if x is not None),
    lambda r: max((x for x in r["xs"] if x is not None), default=None),
    lambda r: max(r["xs"], default=-1),
    lambda r: max(x + 0 for x in r["xs"]),
    lambda r: min((t for t in r["tags"]), default="none"),
    lambda r: max(len(t) for t in r["tags"] if len(t) > 0),
    lambda r: [t.upper() for t in r["tags"]],
    lambda r: [f"{t}-{r['v']}" for t in r["tags"]],
    lambda r: [10 // x for x in r["ns"]],
    lambda r: [10 // x for x in r["ns"] if x],
    lambda r: [x for x in r["ns"] if 10 // x > 2],
    lambda r: [d.year for d in r["days"]],
    # What is not kept is not evaluated, though AND would.
    lambda r: [max(x for x in r["xs"] if x is not None) for t in r["tags"] if r["id"] < 0],
    lambda r: sum(min(r["xs"]) for t in r["tags"] if r["v"] > r["id"]),
    lambda r: [any(x == len(t) for t in r["tags"]) for x in r["xs"]],
    lambda r: [x in r["xs"] for x in r["ns"]],
    lambda r: [t for t in r["tags"] if r["v"] > 1],
    lambda r: [x for x in (r["xs"] or [])],
    lambda r: len(r["xs"] or ()),
    lambda r: any(x > 3 for x in (r["xs"] or [])) if r["v"] else False,
    lambda r: [x for x in (r["xs"] if r["xs"] is not None else [])],
    lambda r: [1 for x in r["xs"]],
    lambda r: [bool(x) for x in r["xs"]],
    lambda r: [x or r["v"] for x in r["xs"]],
    lambda r: [x and 1 for x in r["xs"] if x is None or x < 5],
    lambda r: len([x + 1 for x in r["xs"]]),
    lambda r: list(r["xs"]),
    lambda r: list(x + 1 for x in r["ns"]),
    lambda r: sum(r[c] for c in ("v", "id")),
    lambda r: max([r["v"], r["id"]]),
    lambda r: ",".join([r["s"], "x", r["s"]]),
    lambda r: r["st"]["T"],
    lambda r: len(r["st"]["T"]),
    lambda r: [t + "?" for t in r["st"]["T"]],
    lambda r: [m for m in r["sts"] if m["k"] > 1],
    lambda r: sum(m["k"] for m in r["sts"]),
    lambda r: [x for x in [y + 1 for y in r["ns"]] if x > 2],
    lambda r: any(x > 3 and t == "a" for x in r["xs"] for t in ("a",)) if False else 1,
    lambda r: bool(r["xs"]) and (r["xs"][0] == 3 or r["v"] == 5),
    lambda r: all(x > 3 for x in r["xs"]) or r["v"] == 5,
    lambda r: any(x > 3 for x in r["xs"]) and any(t == "a" for t in r["tags"]),
]
POISON = object()
ERROR = object()
LOUD = ("out of range", "Overflow in", "ARITHMETIC_OVERFLOW", "beyond")


def python(function: Callable[..., Any], row: dict[str, Any]) -> Any:
    try:
        return function(dict(row))
    except (TypeError, AttributeError):
        return POISON
    except (ZeroDivisionError, ValueError, IndexError):
        return ERROR


def agrees(expected: Any, found: Any) -> bool:
    """Return whether a cell is what the policy says; a tuple holds the message of an engine that failed."""
    if isinstance(found, tuple):
        return expected is ERROR or any(word in found[0] for word in LOUD)
    return repr(found) == repr(None if expected is POISON else expected)


def source_of(function: Callable[..., Any]) -> str:
    code = function.__code__
    return Path(__file__).read_text(encoding="utf-8").splitlines()[code.co_firstlineno - 1].strip()


@pytest.fixture(scope="module")
def table() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    columns = ", ".join(f'"{n}" {t}' for n, t in SCHEMA.items())
    connection.execute(f"CREATE TABLE rows ({columns})")
    connection.executemany(f"INSERT INTO rows VALUES ({', '.join('?' * len(SCHEMA))})", [[*r.values()] for r in ROWS])
    return connection


def answers(table: duckdb.DuckDBPyConnection, select: str, where: str = "TRUE") -> dict[int, Any]:
    query = f"SELECT id, {select} FROM rows WHERE {where}"
    try:
        return dict(table.execute(query).fetchall())
    except duckdb.Error:
        found: dict[int, Any] = {}
        for row in ROWS:
            one = (
                f"WITH one AS MATERIALIZED (FROM rows WHERE id = {row['id']}) {query.replace('FROM rows', 'FROM one')}"
            )
            try:
                found |= dict(table.execute(one).fetchall())
            except duckdb.Error as error:
                found[row["id"]] = (str(error),)
        return found


@pytest.mark.parametrize("function", EVERYWHERE + HERE, ids=source_of)
def test_agrees_with_python(function: Callable[..., Any], table: duckdb.DuckDBPyConnection) -> None:
    node = lift_value(function, SCHEMA)
    text = node.sql("duckdb")
    assert sqlglot.parse_one(text, read="duckdb") == node
    found = answers(table, f"{text} AS it")
    for row in ROWS:
        expected = python(function, row)
        assert agrees(expected, found[row["id"]]), (row, expected, found[row["id"]], text)


@pytest.mark.parametrize("function", EVERYWHERE + HERE, ids=source_of)
def test_filters_agree_with_python(function: Callable[..., Any], table: duckdb.DuckDBPyConnection) -> None:
    text = lift_predicate(function, SCHEMA).sql("duckdb")
    found = answers(table, "1 AS it", text)
    for row in ROWS:
        expected = python(function, row)
        if isinstance(got := found.get(row["id"]), tuple):
            assert agrees(expected, got), (row, expected, got, text)
        else:
            assert (got == 1) == (expected not in (POISON, ERROR) and bool(expected)), (row, expected, got, text)
            assert expected is not ERROR, (row, text)


# --- refusals ---------------------------------------------------------------------------------------------------------


def by_class(r: dict[str, Any]) -> Any:
    match r["v"]:
        case int():
            return 1
    return 2


def by_key(r: dict[str, Any]) -> Any:
    match r:
        case {"v": 1}:
            return 1
    return 2


def in_either(r: dict[str, Any]) -> Any:
    match (r["v"], r["id"]):
        case (1, n) | (n, 2):
            return n
    return 2


def rebound(r: dict[str, Any]) -> Any:
    n = 0
    match r["v"]:
        case n if n > 3:
            return 1
    return n


def as_true(r: dict[str, Any]) -> Any:
    match r["v"]:
        case True:
            return 1
    return 2


def looped(r: dict[str, Any]) -> Any:
    total = 0
    for x in r["xs"]:
        total += x
    return total


REFUSALS: list[tuple[Callable[..., Any], str, str]] = [
    (lambda r: sum(r["fs"]), "sum() is lifted for ints", "sum("),
    (lambda r: max(r["fs"]), "a list of float", "max("),
    (lambda r: 1.5 in r["fs"], "by identity", "1.5 in"),
    (lambda r: r["fs"][0] in (r["fs"] or []), "by identity", 'r["fs"][0] in'),
    (lambda r: r["xs"] == [1], "only scalar values", 'r["xs"] =='),
    (lambda r: r["xs"] == r["ns"], "== on BIGINT[] and INTEGER[]", 'r["xs"] =='),
    (lambda r: r["xs"] + r["xs"], "list + list", 'r["xs"] +'),
    (lambda r: sorted(r["xs"]), "sorted() is not lifted", "sorted("),
    (lambda r: [x for x, y in zip(r["xs"], r["ns"])], "calling zip is not lifted", "zip("),  # noqa: B905
    (lambda r: {x for x in r["xs"]}, "a set of data", "{x"),
    (lambda r: {str(x): x for x in r["xs"]}, "looped over", "{str"),
    (lambda r: (x for x in r["xs"]), "a generator", "(x"),
    (lambda r: [x + y for x in r["xs"] for y in r["ns"]], "two lists", "[x"),
    (lambda r: [(x, 1) for x in r["xs"]], "scalar", "(x, 1)"),
    (lambda r: [None for x in r["xs"]], "no type", "[None"),
    (lambda r: [e["n"] for e in r["sts"]], "may be None, or an error", '[e["n"]'),
    (lambda r: r["xs"][0] is None, "never compared with None", 'r["xs"][0]'),
    (lambda r: r["xs"][r["v"]], "constant int", 'r["xs"][r'),
    (lambda r: r["xs"][-2:], "from 0 up", 'r["xs"][-2'),
    (lambda r: r["xs"][::2], "without a step", 'r["xs"][::'),
    (lambda r: r["st"]["b"], "no field 'b'", 'r["st"]["b"]'),
    (lambda r: any(10 // x > 1 for x in r["ns"]), "stop at the element that decides", "any("),
    (lambda r: max(r["xs"], key=abs), "key=", "max("),
    (lambda r: ",".join(r["xs"]), "takes strings", '","'),
    (lambda r: len(x for x in r["xs"]), "a generator has no length", "len("),  # type: ignore[arg-type]
    (looped, "looped over", 'r["xs"]'),
    (by_class, "a class in a pattern", "int()"),
    (by_key, "a dict in a pattern", "{"),
    (in_either, "bound within |", "(1, n) |"),
    (rebound, "has a value already", "n if"),
    (as_true, "tells objects apart", "True"),
]


@pytest.mark.parametrize(("function", "reason", "place"), REFUSALS)
def test_refusals(function: Callable[..., Any], reason: str, place: str) -> None:
    with pytest.raises(CannotLift) as caught:
        lift_value(function, SCHEMA)
    error = caught.value
    assert reason in error.reason, error.reason
    assert error.text is not None and error.column is not None
    assert error.text[error.column - 1 :].startswith(place), error.text[error.column - 1 :]


def test_a_column_called_as_the_elements_are_is_not_hidden() -> None:
    schema = Schema({"_X1": "BIGINT", "xs": "BIGINT[]"})
    with pytest.raises(CannotLift, match="a column is called _x1"):
        lift_value(lambda r: [x + r["_X1"] for x in r["xs"]], schema)


# --- the other engines ------------------------------------------------------------------------------------------------

AT_ONCE = 16
# Past 62 bits engines fail loudly, each at a place of its own.
TAME = [row for row in ROWS if all(abs(n or 0) < 2**62 for n in [row["v"], *(row["xs"] or [])])]


def lifted_for(engine: str) -> list[Callable[[dict[str, Any]], Any]]:
    """Return the functions that the engine runs as SQL: those of EVERYWHERE, and others that no pass refuses."""
    found = []
    for function in EVERYWHERE + HERE:
        try:
            compile_relation(given(TAME).select("id", it=function)._relation, target_of(engine))
            found.append(function)
        except Unsupported:
            assert function not in EVERYWHERE, source_of(function)
    return found


def given(items: list[dict[str, Any]]) -> mdf.Dataset:
    return mdf.Dataset.from_items(items, schema=dict(SCHEMA))


def agree(functions: list[Callable[[dict[str, Any]], Any]], items: list[dict[str, Any]]) -> list[str]:
    """Return where the engine in force and Python differ."""
    outputs = {f"it{i}": function for i, function in enumerate(functions)}
    found = {row["id"]: row for row in given(items).select("id", **outputs).collect()}
    return [
        f"{source_of(function)}: {row}: {python(function, row)!r}, but {found[row['id']][name]!r}"
        for name, function in outputs.items()
        for row in items
        if not agrees(python(function, row), found[row["id"]][name])
    ]


def test_engines_agree_with_python(engine: str) -> None:
    functions = lifted_for(engine)
    raising = [f for f in functions if any(python(f, row) is ERROR for row in TAME)]
    plain = [f for f in functions if f not in raising]
    wrong = [w for at in range(0, len(plain), AT_ONCE) for w in agree(plain[at : at + AT_ONCE], TAME)]
    for function in raising:
        wrong += agree([function], [row for row in TAME if python(function, row) is not ERROR])
        # Of two rows, lest a planner evaluate the only one and go on.
        failing = [row for row in TAME if python(function, row) is ERROR][:2]
        with pytest.raises(EngineError):
            wrong.append(f"{source_of(function)}: {given(failing).select('id', it=function).collect()}")
    assert wrong == []


def test_filters_on_engines_agree_with_python(engine: str) -> None:
    for function in [
        lambda r: any(x > 3 for x in r["xs"]),
        lambda r: all(t != "x" for t in r["tags"]),
        lambda r: "a" in r["tags"] and len(r["xs"]) > 1,
        lambda r: not r["tags"],
        lambda r: max((len(t) for t in r["tags"]), default=0) > 1,
    ]:
        expected = [row["id"] for row in TAME if (it := python(function, row)) is not POISON and it]
        assert [row["id"] for row in given(TAME).filter(function).order_by("id").collect()] == expected
