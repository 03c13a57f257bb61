"""Lifted SQL: transcripts, joins, and refusals; test_fuzz.py has generated functions on generated rows."""

from __future__ import annotations

import functools
import itertools
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mdfsql import steps
from mdfsql.catalog import Source
from mdfsql.compile import compile_relation, target_of
from mdfsql.errors import CannotLift, Unsupported
from mdfsql.lift import lift_join, lift_predicate, lift_value
from mdfsql.relation import Relation
from mdfsql.schema import Schema
from tests.fuzz.cases import lift_columns, module
from tests.fuzz.oracle import python

SCHEMA = Schema(
    {
        "id": "BIGINT",
        "v": "BIGINT",
        "i": "INTEGER",
        "k": "TINYINT",
        "x": "DOUBLE",
        "y": "DOUBLE",
        "f": "FLOAT",
        "s": "VARCHAR",
        "t": "VARCHAR",
        "b": "BOOLEAN",
        "d": "DATE",
        "m": "DECIMAL(10,2)",
    }
)

# --- transcripts ------------------------------------------------------------------------------------------------------

IMPORTS = "import datetime\nimport math\nimport re\nfrom decimal import Decimal\n\n"
TRANSCRIPTS = Path(__file__).parent / "fixtures" / "lift" / "transcripts.txt"


LIFTS: dict[str, Callable[[Callable[..., Any], Schema], Any]] = {
    "filter": lift_predicate,
    "map": lift_columns,
    "value": lift_value,
}


# What the generated rows have, and columns of lists and structs.
WIDE = Schema({**SCHEMA, "xs": "BIGINT[]", "tags": "VARCHAR[]", "st": 'STRUCT("a" BIGINT)'})


ROWS = Relation(steps.wrap(), {steps.INPUT: Source(schema=WIDE)}, schema=WIDE)


def transcript(how: str, function: Callable[..., Any]) -> list[str]:
    """Return what a function becomes, a line for each engine; only the changed columns of a map are shown."""
    found = LIFTS[how](function, WIDE)
    if how == "filter":
        step = lambda: steps.filter_rows(ROWS, [found.copy()])  # noqa: E731
    else:
        made = found if isinstance(found, dict) else {"it": found}
        changed = {n: e for n, e in made.items() if e.sql() != f'"{n}"'} or made
        step = lambda: steps.project(ROWS, {n: e.copy() for n, e in changed.items()})  # noqa: E731
    lines: list[str] = []
    for engine in ("duckdb", "spark", "dask"):
        target = target_of(engine)
        try:
            tree = compile_relation(step(), target).tree
        except Unsupported as refused:
            lines.append(f"{engine}: refused: {refused.construct}: {refused.why}")
            continue
        nodes = [tree.args["where"].this] if how == "filter" else tree.selects
        for node in nodes:
            name = f"{node.alias_or_name} = " if how == "map" else ""
            sql = node.unalias().sql(target.dialect)
            lines.append(f"{engine}: {name}{re.sub(TABLE, '', sql)}")
    return lines


TABLE = re.compile(r"[`\"]_(?:t__)?0[`\"]\.")


def test_transcripts(tmp_path: Path) -> None:
    source = TRANSCRIPTS.read_text(encoding="utf-8")
    kept = [line for line in source.splitlines() if not line.startswith("    ")]
    cases = [line.split(None, 1) for line in kept if line and not line.startswith("#")]
    made = module(
        IMPORTS + "functions = [\n" + "".join(f"    lambda r: {body},\n" for _, body in cases) + "]\n", tmp_path
    )
    functions = iter(made.functions)
    lines = []
    for line in kept:
        lines.append(line)
        if line and not line.startswith("#"):
            lines += [f"    {sql}" for sql in transcript(line.split()[0], next(functions))]
    written = "\n".join(lines) + "\n"
    if os.environ.get("REWRITE_FIXTURES"):
        TRANSCRIPTS.write_text(written, encoding="utf-8")
    assert written == source


# --- joins ------------------------------------------------------------------------------------------------------------

KEYS = itertools.product([None, 0, 1, 2], [None, 0.5, math.nan])
LEFT = [{"id": i, "key": k, "x": x} for i, (k, x) in enumerate(KEYS)]


@pytest.mark.parametrize(
    "predicate",
    [
        lambda a, b: a["key"] == b["key"],
        lambda a, b: a["key"] is not None and a["key"] == b["key"],
        lambda a, b: a["key"] != b["key"],
        lambda a, b: a["x"] == b["x"],
        lambda a, b: a["key"] == b["key"] and a["x"] > b["x"],
        lambda a, b: a["key"] == b["key"] + 1,
        lambda a, b: not (a["key"] < b["key"]),
        lambda a, b: a["key"] == b["key"] or a["x"] < b["x"],
    ],
)
def test_join_agrees_with_python(predicate: Callable[..., Any]) -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE one (id BIGINT, key BIGINT, x DOUBLE)")
    connection.executemany("INSERT INTO one VALUES (?, ?, ?)", [list(row.values()) for row in LEFT])
    schema = Schema({"id": "BIGINT", "key": "BIGINT", "x": "DOUBLE"})
    condition = lift_join(predicate, schema, schema, "a", "b").sql("duckdb")
    query = f"SELECT a.id, b.id FROM one a JOIN one b ON {condition}"
    expected = {(a["id"], b["id"]) for a in LEFT for b in LEFT if python(predicate, a, b) is True}
    assert set(connection.execute(query).fetchall()) == expected


# --- assignments ---


def told_early(r: dict[str, Any]) -> Any:
    n = r["s"].startswith("a")  # an error for None, whether n is used or not
    if r["v"] == 1:
        return {"x": "one", "n": n}
    return {"x": "a" if n else "b", "n": n}


def test_an_assignment_counts_where_only_its_truth_is_used() -> None:
    found = lift_columns(told_early, SCHEMA)["x"].sql("duckdb")
    assert found.startswith("CASE WHEN NOT STARTS_WITH(\"s\", 'a') IS NULL THEN CASE WHEN \"v\" = 1 THEN 'one'")


# --- refusals ---------------------------------------------------------------------------------------------------------


def unused(r: dict[str, Any]) -> Any:
    n = r["v"] + 1  # noqa: F841
    return {**r, "y": 1}


def unused_items(r: dict[str, Any]) -> Any:
    n, m = 1, [r["v"] + 1]  # noqa: F841
    return {**r, "y": 1}


def lost(r: dict[str, Any]) -> Any:
    if r["b"]:
        n = r["v"] + 1  # noqa: F841
    return r["i"]


def caught(r: dict[str, Any]) -> Any:
    try:
        return r["v"] > 1
    except TypeError:
        return False


def changed(r: dict[str, Any]) -> Any:
    r["v"] = 1
    return r


def decided_by_an_error(r: dict[str, Any]) -> Any:
    if int(r["x"]):  # raises for NaN
        return {**r, "y": 1}
    return {**r, "y": 1}


def endless(r: dict[str, Any]) -> Any:
    return endless(r)


REFUSALS: list[tuple[Callable[..., Any], Callable[..., Any], str, str, str]] = [
    # how, function, a part of the reason, a part of the suggestion, what stands at the caret
    (lift_predicate, lambda r: r["vv"] > 1, "no column 'vv'", "did you mean 'v'", 'r["vv"]'),
    (lift_predicate, lambda r: r.v > 1, "no attribute v", 'write r["v"]', "r.v"),
    (lift_predicate, lambda r: (r["v"] + 1) is None, "never compared with None", "item['value'] is None", "(r["),
    (lift_predicate, lambda r: (r["v"] ** 1) is None, "never compared with None", "", "(r["),
    (lift_predicate, lambda r: "".join([r["s"]]) is None, "never compared with None", "", '"".join'),
    (lift_predicate, lambda r: r["s"].join(["a"]) is None, "less than two parts", "", 'r["s"].join'),
    (
        lift_predicate,
        lambda r: str(r["v"]).index("a") is not None,
        "may be an error",
        "leave the test out",
        'str(r["v"]).index',
    ),
    (lift_predicate, lambda r: r["v"] > "1", "never equal", "str(x)", 'r["v"] > "1"'),
    (lift_predicate, lambda r: r["m"] > 1.5, "never equal", "", 'r["m"]'),
    (lift_predicate, lambda r: r["m"] / 2 > 1, "Decimal division", "", 'r["m"] / 2'),
    (lift_predicate, lambda r: r["x"] // 2 > 1, "on floats", "", 'r["x"] // 2'),
    (lift_predicate, lambda r: r["v"] // 0 > 1, "division by zero", "", 'r["v"] // 0'),
    (lift_predicate, lambda r: r["v"] + 2**64 > 1, "64 bits", "", "2**64"),
    (lift_predicate, lambda r: (r["v"] > 1) & (r["i"] > 1), "& and |", '"and"', '(r["v"] > 1) &'),
    (lift_predicate, lambda r: (n := r["v"]) > 1, ":=", "def", "n := "),  # noqa: F841
    (lift_predicate, lambda r: [c + "x" for c in r["s"]], "looped over", "constant tuple", "[c + "),
    (lift_predicate, lambda r: r["s"].title(), "title", "", 'r["s"].title'),
    (lift_predicate, lambda r: sorted(r["s"]), "sorted() is not lifted", "", "sorted("),
    (lift_predicate, lambda r: unknown_name > r["v"], "unknown_name is not defined", "", "unknown_name"),  # type: ignore[name-defined]  # noqa: F821
    (lift_predicate, lambda r: r["vv"] == "é", "no column 'vv'", "", 'r["vv"]'),
    (lift_predicate, caught, "try is not lifted", "test for the case", "try:"),
    (lift_predicate, endless, "too deep", "", "endless(r)"),
    (lift_columns, changed, "plain names", "new dict", 'r["v"] = 1'),
    (lift_columns, decided_by_an_error, "two equal rows", "leave the test out", "if int("),
    (lift_columns, unused, "computed but not used", "", "return"),
    (lift_columns, unused_items, "computed but not used", "", "return"),
    (lift_value, lost, "computed but not kept", "", "if"),
    (lift_columns, lambda r: r["v"], "needs a dict", "", 'r["v"]'),
    (lift_columns, lambda r: {**r, "n": None}, "only ever None", "schema=", ""),
    (lift_columns, lambda r: {**r, "n": 1 if r["b"] else 1.5}, "int, the other float", "0.0", "1 if"),
    (lift_columns, lambda r: {"a": 1} if r["b"] else {"b": 1}, "keys a, the other b", "same keys", '{"a"'),
    (lift_columns, lambda r: {r["s"]: 1}, "constant string", "", 'r["s"]'),
    (lift_columns, lambda r: {**r, "n": round(r["x"], 2)}, "binary fraction", ".2f", "round("),
    (lift_value, lambda r: r, "this gives a dict", "", "r"),
    (lift_value, lambda r, q: 1, "called with one row", "", "lambda"),
]


@pytest.mark.parametrize(("how", "function", "reason", "suggestion", "place"), REFUSALS)
def test_refusals(
    how: Callable[..., Any], function: Callable[..., Any], reason: str, suggestion: str, place: str
) -> None:
    with pytest.raises(CannotLift) as caught:
        how(function, SCHEMA)
    error = caught.value
    assert reason in error.reason, error.reason
    assert suggestion in (error.suggestion or "")
    assert error.filename == __file__
    assert error.line is not None and error.column is not None and error.text is not None
    assert error.text == Path(__file__).read_text(encoding="utf-8").splitlines()[error.line - 1]
    assert error.text[error.column - 1 :].startswith(place)


def test_refusal_points_with_a_caret() -> None:
    with pytest.raises(CannotLift) as caught:
        lift_predicate(lambda r: r["ss"] == "a", SCHEMA)
    reason, place, text, caret, remedy = str(caught.value).splitlines()
    assert reason == "KeyError: there is no column 'ss'"
    assert place.startswith(__file__) and text.index('r["ss"]') == caret.index("^")
    assert remedy == "  did you mean 's'"


# --- values at the time of the call -----------------------------------------------------------------------------------

LIMIT = 1


def test_names_mean_what_they_mean_when_lifted() -> None:
    global LIMIT
    function = lambda r: r["v"] > LIMIT  # noqa: E731
    assert lift_predicate(function, SCHEMA).sql("duckdb") == '"v" > 1'
    LIMIT = 2
    try:
        assert lift_predicate(function, SCHEMA).sql("duckdb") == '"v" > 2'
    finally:
        LIMIT = 1
    found = [lift_predicate(lambda r, n=n: r["v"] > n + LIMIT, SCHEMA).sql("duckdb") for n in (3, 4)]
    assert found == ['"v" > 4', '"v" > 5']


def above(r: dict[str, Any], column: str, limit: int = 10) -> bool:
    return r[column] > limit


def test_partial_and_defaults() -> None:
    assert lift_predicate(functools.partial(above, column="i"), SCHEMA).sql("duckdb") == '"i" > 10'
    both = functools.partial(functools.partial(above, column="i"), limit=3, column="v")
    assert lift_predicate(both, SCHEMA).sql("duckdb") == '"v" > 3'
