"""Functions that have no exact SQL run as Python, alike on every engine."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import functools
import json
import math
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypedDict

import pytest

import mdfsql as mdf
from mdfsql.errors import BindError, CannotLift, DataError, NotLifted

pytestmark = pytest.mark.filterwarnings("ignore::mdfsql.errors.NotLifted")

ROWS: list[dict[str, Any]] = [
    {"id": 1, "v": 0.125, "s": "straße 7"},
    {"id": 2, "v": None, "s": "b"},
    {"id": 3, "v": 2.675, "s": None},
    {"id": 4, "v": math.nan, "s": ""},
    {"id": 5, "v": -math.inf, "s": "日本語"},
]


@pytest.fixture
def rows(engine: str) -> mdf.Dataset:
    return mdf.Dataset.from_items(ROWS)


def expected(function: Callable[[dict[str, Any]], Any]) -> list[dict[str, Any]]:
    """What Python gives, row by row."""
    return [function(dict(row)) for row in ROWS]


def with_poison(function: Callable[[dict[str, Any]], Any], name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The row with a column more: None where the function raises because of a None."""

    def made(row: dict[str, Any]) -> dict[str, Any]:
        try:
            return {**row, name: function(row)}
        except (TypeError, AttributeError):
            return {**row, name: None}

    return made


# --- filter -----------------------------------------------------------------------------------------------------------


def test_filter(rows: mdf.Dataset, check: Any) -> None:
    check(rows.filter(lambda r: r["s"].isprintable() and r["s"].casefold() != "b"), [ROWS[0], ROWS[3], ROWS[4]])


def test_filter_drops_where_none_is_the_reason(rows: mdf.Dataset, check: Any) -> None:
    check(rows.filter(lambda r: sorted(r["s"]) == ["b"]), [ROWS[1]])


def test_filter_between_lifted_steps(rows: mdf.Dataset, check: Any) -> None:
    found = (
        rows.filter(lambda r: r["id"] > 1)
        .filter(lambda r: "".join(reversed(r["s"] or "x")) == "x")
        .map(lambda r: {"n": r["id"] * 2})
        .filter("n < 100")
    )
    check(found, [{"n": 6}, {"n": 8}])


def test_a_result_that_is_no_bool_is_taken_for_its_truth(rows: mdf.Dataset, check: Any) -> None:
    check(rows.filter(lambda r: sorted(r["s"] or "")), [ROWS[0], ROWS[1], ROWS[4]])


NONES = [
    lambda r: int(r["s"], 36) > 0,
    lambda r: datetime.date.fromisoformat(r["s"]) > datetime.date.min,
    lambda r: "-".join(r["s"]) != "",
    lambda r: Decimal(r["s"]) > round(r["v"], 1),
    lambda r: all(x < 7 for x in sorted(r["l"])),
    lambda r: json.loads(r["s"]) > r["m"].quantize(Decimal(1)),
    lambda r: r["t"].timetuple().tm_year > len(bin(r["i"])),
]


def test_none_is_told_from_other_reasons(engine: str, check: Any) -> None:
    full = {"s": "2", "v": 1.0, "l": [1, 2], "m": Decimal("1.5"), "t": datetime.datetime(2020, 1, 1), "i": 3}
    schema = {"s": str, "v": float, "l": "BIGINT[]", "m": "DECIMAL(4,1)", "t": "TIMESTAMP", "i": int}
    ds = mdf.Dataset.from_items([{**full, name: None} for name in full], schema=schema)
    for function in NONES[3:]:
        check(ds.filter(function), [row for row in ds.collect() if _kept(function, row)])
    for function in NONES[:3]:
        check(ds.filter("s IS NULL").filter(function), [])


def _kept(function: Callable[[Any], Any], row: dict[str, Any]) -> bool:
    try:
        return bool(function(row))
    except TypeError:
        return False
    except AttributeError:
        return False


# --- map --------------------------------------------------------------------------------------------------------------


def test_one_column_falls_back_and_the_others_are_lifted(rows: mdf.Dataset, check: Any) -> None:
    made = rows.map(lambda r: {**r, "w": round(r["v"], 2), "double": r["id"] * 2, "t": r["s"].casefold()})
    assert list(made.schema.values()) == ["BIGINT", "DOUBLE", "VARCHAR", "DOUBLE", "BIGINT", "VARCHAR"]

    def python(row: dict[str, Any]) -> dict[str, Any]:
        row = with_poison(lambda r: round(r["v"], 2), "w")(row)
        row["double"] = row["id"] * 2
        return with_poison(lambda r: r["s"].casefold(), "t")(row)

    check(made, expected(python))
    notes = made.explain()
    assert "map: double =" in notes and "w, t by Python, reading v, s" in notes


def test_only_what_is_read_goes_through_python() -> None:
    made = mdf.Dataset.from_items(ROWS).map(lambda r: {**r, "w": round(r["v"], 2)})
    (source,) = made._relation.python_sources()
    assert source.program.reads == ((1, "v"),)
    assert source.program.outputs == (0, 1, 2, None)


def parsed(row: dict[str, Any]) -> dict[str, Any]:
    try:
        number = int(row["s"].split()[-1])
    except (ValueError, IndexError):
        number = None
    return {**row, "n": number}


def test_try_in_a_function(rows: mdf.Dataset, check: Any) -> None:
    with pytest.raises(CannotLift) as caught:
        rows.map(parsed)
    assert "schema={'n': ...}" in (caught.value.suggestion or "")
    check(rows.map(parsed, schema={"n": int}), expected(with_poison(lambda r: parsed(r)["n"], "n")))


def returned_in_try(row: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"id": row["id"], "n": 10 // (row["id"] - 2)}
    except ZeroDivisionError:
        return {"id": row["id"], "n": -1}


def test_what_a_try_catches_stays_caught(rows: mdf.Dataset, check: Any) -> None:
    check(rows.map(returned_in_try, schema={"n": int}), expected(returned_in_try))


class Named(TypedDict):
    id: int
    name: str | None
    parts: list[str]


@dataclasses.dataclass
class Place:
    id: int
    at: datetime.date


def looped(row: dict[str, Any]) -> Named:
    made: dict[str, Any] = {}
    made["id"] = row["id"]
    made["name"] = row["s"] and row["s"].title()
    made["parts"] = sorted(set(row["s"] or ""))
    return made  # type: ignore[return-value]


def test_types_from_a_typed_dict(rows: mdf.Dataset, check: Any) -> None:
    made = rows.map(looped)
    assert made.schema == {"id": "BIGINT", "name": "VARCHAR", "parts": "VARCHAR[]"}
    check(made, expected(looped))


def placed(row: dict[str, Any]) -> Place:
    return Place(row["id"], datetime.date.fromordinal(row["id"]))


def test_types_and_rows_from_a_dataclass(rows: mdf.Dataset, check: Any) -> None:
    made = rows.map(placed)
    assert made.schema == {"id": "BIGINT", "at": "DATE"}
    check(made, expected(lambda r: dataclasses.asdict(placed(r))))


def test_types_from_a_sample(rows: mdf.Dataset, check: Any) -> None:
    function = lambda r: {"id": r["id"], "j": json.loads(json.dumps({"a": [r["id"]]}))}  # noqa: E731
    made = rows.map(function, schema="sample")
    assert made.schema == {"id": "BIGINT", "j": 'STRUCT("a" BIGINT[])'}
    check(made, expected(function))


def test_every_type_comes_back_as_it_went_in(engine: str, check: Any) -> None:
    row = {
        "b": True,
        "i": -(2**63),
        "x": -0.0,
        "s": "é\u0000"[:1],
        "y": b"\x00\xff",
        "d": datetime.date(1, 1, 1),
        "t": datetime.datetime(9999, 12, 31, 23, 59, 59, 999999),
        "z": datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC),
        "m": Decimal("-12345678901234567890.123456"),
        "l": [1, None, 3],
        "u": {"a": None, "b": ["x"]},
    }
    none = dict.fromkeys(row)
    schema = {
        "b": bool, "i": int, "x": float, "s": str, "y": bytes, "d": "DATE", "t": "TIMESTAMP", "z": "TIMESTAMPTZ",
        "m": "DECIMAL(26,6)", "l": "BIGINT[]", "u": "STRUCT(a DOUBLE, b VARCHAR[])",
    }  # fmt: skip
    ds = mdf.Dataset.from_items([row, none], schema=schema)
    same = ds.map(lambda r: dict(sorted(r.items(), key=lambda pair: list(r).index(pair[0]))), schema=schema)
    assert list(same._relation.python_sources())
    check(same, [row, none])
    (got,) = same.filter("b").collect()
    assert math.copysign(1, got["x"]) == -1 and got["z"].utcoffset() == datetime.timedelta(0)


# --- functions within expressions -------------------------------------------------------------------------------------


def test_functions_within_expressions(rows: mdf.Dataset, check: Any) -> None:
    fold = lambda r: (r["s"] or "").casefold()  # noqa: E731
    check(rows.select("id", t=fold), expected(lambda r: {"id": r["id"], "t": fold(r)}))
    check(rows.with_columns(s=fold, n=lambda r: r["id"] + 1), expected(lambda r: {**r, "s": fold(r), "n": r["id"] + 1}))
    check(
        rows.group_by(initial=lambda r: (r["s"] or "").casefold()[:1])
        .aggregate(
            n=mdf.count(),
            total=mdf.sum(lambda r: round(r["id"] / 3, 1)),
            odd=mdf.count().filter(lambda r: pow(r["id"], 1, 2)),
        )
        .order_by("initial"),
        [
            {"initial": "", "n": 2, "total": 2.3, "odd": 1},
            {"initial": "b", "n": 1, "total": 0.7, "odd": 0},
            {"initial": "s", "n": 1, "total": 0.3, "odd": 1},
            {"initial": "日", "n": 1, "total": 1.7, "odd": 1},
        ],
        ordered=True,
    )  # fmt: skip
    check(
        rows.order_by(lambda r: "".join(reversed(r["s"] or "")), descending=True).select("id"),
        [{"id": n} for n in range(1, 6)],
    )


def scored(row: dict[str, Any]) -> float:
    total = 0.0
    while total < row["id"]:
        total += 1.5
    return total


def test_the_annotation_of_a_function_gives_the_type_of_its_value(rows: mdf.Dataset, check: Any) -> None:
    check(rows.select(score=scored), expected(lambda r: {"score": scored(r)}))
    with pytest.raises(CannotLift, match="annotate what it returns"):
        rows.select(score=lambda r: json.loads(r["s"]))


# --- the order of rows, and their number ------------------------------------------------------------------------------


def test_an_order_is_kept(engine: str, check: Any) -> None:
    many = mdf.Dataset.from_items([{"id": n * 7919 % 1000, "k": n % 10} for n in range(1000)])
    found = many.order_by(mdf.desc("id")).map(lambda r: {"text": str(r["id"]).title()}).limit(3)
    check(found, [{"text": "999"}, {"text": "998"}, {"text": "997"}], ordered=True)
    first = many.order_by("k", mdf.desc("id")).limit(2).map(lambda r: {**r, "k": round(r["k"] + 0.25, 1)})
    check(first, [{"id": 990, "k": 0.2}, {"id": 980, "k": 0.2}], ordered=True)


def test_several_batches_and_partitions(engine: str) -> None:
    many = mdf.Dataset.from_items([{"id": n} for n in range(300_000)])
    made = many.filter(lambda r: bin(r["id"]).count("1") % 2 == 0).map(lambda r: {"n": r["id"] // 2})
    whole = made.aggregate(rows=mdf.count(), total=mdf.sum("n")).collect()
    kept = [n // 2 for n in range(300_000) if bin(n).count("1") % 2 == 0]
    assert whole == [{"rows": len(kept), "total": sum(kept)}]


def test_a_result_that_is_read_twice(rows: mdf.Dataset, check: Any) -> None:
    made = rows.map(lambda r: {"id": r["id"], "t": (r["s"] or "").casefold()})
    check(made.join(made, on="id").select("id", same="t = t_right"), [{"id": n, "same": True} for n in range(1, 6)])
    cached = made.cache()
    check(cached.union(cached).aggregate(n=mdf.count()), [{"n": 10}])


def test_no_rows(engine: str, check: Any) -> None:
    empty = mdf.Dataset.from_items([], schema={"id": int, "s": str})
    check(empty.map(lambda r: {**r, "t": r["s"].title()}), [])
    check(empty.filter(lambda r: r["s"].title()).aggregate(n=mdf.count()), [{"n": 0}])


def test_functions_upon_functions(rows: mdf.Dataset, check: Any) -> None:
    made = rows.map(lambda r: {**r, "t": (r["s"] or "").casefold()}).filter(lambda r: r["t"].isprintable())
    made = made.map(lambda r: {"id": r["id"], "u": sorted(r["t"])[-1] if r["t"] else ""}, schema={"u": str})
    check(made.filter("u <> ''"), [{"id": 1, "u": "t"}, {"id": 2, "u": "b"}, {"id": 5, "u": "語"}])


def refusing(why: str) -> float:
    raise TypeError(why)


# --- what goes wrong --------------------------------------------------------------------------------------------------


class Strange(Exception):
    """An exception of a user's own."""


def failing(row: dict[str, Any]) -> Any:
    if row["id"] == 3:
        raise Strange("not this one", row["id"])
    return row["id"]


def test_an_exception_comes_back_as_it_is(rows: mdf.Dataset) -> None:
    with pytest.raises(Strange) as caught:
        rows.filter(failing).collect()
    assert caught.value.args == ("not this one", 3)
    (note,) = caught.value.__notes__
    assert "'id': 3" in note and "filter: failing" in note and 'raise Strange("not this one", row["id"])' in note


@pytest.mark.parametrize(
    ("function", "kind", "row"),
    [
        (lambda r: {"x": round(1 / (r["id"] - 4), 2)}, ZeroDivisionError, "'id': 4"),
        (lambda r: {"x": round(float(r["s"] or "1"), 2)}, ValueError, "'s': 'straße 7'"),
        (lambda r: {"x": json.loads("{}")["b"] + round(r["id"], 2)}, KeyError, "'id': 1"),
        # A TypeError that is not about a None of the row.
        (lambda r: {"x": round(r["id"] + ("1" if r["id"] == 2 else 1.0), 2)}, TypeError, "'id': 2"),
        (lambda r: {"x": refusing("None of these will do") if r["id"] == 5 else 1.0}, TypeError, "'id': 5"),
        (lambda r: {"x": float(len(sorted(3)))}, TypeError, "{}"),  # type: ignore[call-overload]
    ],
)
def test_errors_of_functions(rows: mdf.Dataset, function: Any, kind: type[Exception], row: str) -> None:
    with pytest.raises(kind) as caught:
        rows.map(function, schema={"x": float}).collect()
    assert row in caught.value.__notes__[0]


def test_any_value_that_is_none_counts(rows: mdf.Dataset, check: Any) -> None:
    table: Any = {1: "one"}
    lifted = rows.select(x=lambda r: table.get(r["id"]) + "!")
    unlifted = rows.map(lambda r: {"x": (table.get(r["id"]) + "!").casefold()})
    wanted = [{"x": "one!"}, *[{"x": None}] * 4]
    check(lifted, wanted)
    check(unlifted, wanted)


@pytest.mark.parametrize(
    ("function", "schema", "reason"),
    [
        (lambda r: {"x": json.loads("1")}, {"x": float}, "column 'x' is double, this gives int: 1"),
        (lambda r: {"x": json.loads("true")}, {"x": int}, "column 'x' is int64, this gives bool: True"),
        (lambda r: {"x": json.loads('"a"')}, {"x": int}, "this gives str: 'a'"),
        (lambda r: {"x": pow(10, 30, 10**40)}, {"x": int}, "cannot hold 1" + "0" * 30),
        (lambda r: {"x": json.loads("[1, true]")}, {"x": "BIGINT[]"}, "this gives bool"),
        (lambda r: {"x": decimal.Decimal("1.23")}, {"x": "DECIMAL(4,1)"}, "cannot hold Decimal('1.23')"),
        (lambda r: json.loads('{"y": 1}'), {"x": int}, "lacks 'x' and has also 'y'"),
        (lambda r: json.loads("[1]"), {"x": int}, "gives list, where a dict is wanted"),
        (lambda r: {"x": datetime.datetime.fromisoformat("2024-01-01")}, {"x": "DATE"}, "this gives datetime"),
        (lambda r: {"x": datetime.datetime.fromisoformat("2024-01-01")}, {"x": "TIMESTAMPTZ"}, "a naive datetime"),
        (lambda r: {"x": datetime.time(1, tzinfo=datetime.UTC)}, {"x": "TIME"}, "a time with a time zone"),
    ],
)
def test_results_are_held_to_their_schema(
    rows: mdf.Dataset, engine: str, function: Any, schema: Any, reason: str
) -> None:
    # An engine may have no such type at all.
    with pytest.raises(mdf.errors.Unsupported if (schema, engine) == ({"x": "TIME"}, "spark") else DataError) as caught:
        rows.map(function, schema=schema, lift=False).collect()
    if caught.type is DataError:
        assert reason in str(caught.value) and "for the row {" in str(caught.value)


def test_a_query_below_that_fails_is_shown_as_itself(engine: str) -> None:
    ds = mdf.Dataset.from_items([{"id": 1}, {"id": 2**62}]).with_columns(id="id * 4")
    with pytest.raises(mdf.errors.EngineError, match=r"(?i)overflow|out of range"):
        ds.map(lambda r: {"t": hex(r["id"])}).collect()
    late = mdf.Dataset.from_items([{"id": n} for n in range(200_000)]).with_columns(x="id + 9223372036854600000")
    for made in (late, late.map(lambda r: {"t": hex(r["x"])})):
        with pytest.raises(mdf.errors.EngineError, match=r"(?i)overflow|out of range"):
            list(made.iter_batches())


# --- choices ----------------------------------------------------------------------------------------------------------


def test_modes() -> None:
    ds = mdf.Dataset.from_items(ROWS)
    fold = lambda r: r["s"].casefold() == "b"  # noqa: E731
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", NotLifted)
        ds.filter(fold)
        ds.filter(fold, on_unliftable="fallback")
    (warning,) = caught
    assert warning.category is NotLifted and warning.filename == __file__
    assert "str.casefold() is not lifted" in str(warning.message) and "^" in str(warning.message)
    with pytest.raises(CannotLift, match="casefold"):
        ds.filter(fold, on_unliftable="error")
    with pytest.raises(BindError, match="fallback, warn, error"):
        ds.filter(fold, on_unliftable="ignore")
    with warnings.catch_warnings():
        warnings.simplefilter("error", NotLifted)
        with pytest.raises(NotLifted):
            ds.filter(lambda r: r["s"].swapcase() == "B")


def test_a_warning_is_shown_once() -> None:
    ds = mdf.Dataset.from_items(ROWS)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default", NotLifted)
        for _ in range(3):
            ds.filter(lambda r: r["s"].casefold() == "x")
    assert len(caught) == 1


def test_lift_false(rows: mdf.Dataset, check: Any) -> None:
    made = rows.filter(lambda r: r["id"] > 2, lift=False).map(lambda r: {**r, "n": r["id"] * 2}, lift=False)
    assert len(list(made._relation.python_notes())) == 2
    check(made.select("id", "n"), [{"id": n, "n": 2 * n} for n in (3, 4, 5)])


def test_mistakes_are_not_run_as_python() -> None:
    ds = mdf.Dataset.from_items(ROWS)
    with pytest.raises(CannotLift, match="no column 'ss'"):
        ds.map(lambda r: {"x": r["ss"]})
    with pytest.raises(CannotLift, match="takes 2 arguments"):
        ds.filter(lambda a, b: True)
    with pytest.raises(CannotLift, match="needs a dict"):
        ds.map(lambda r: r["v"])
    with pytest.raises(BindError, match="no column of the result"):
        ds.map(lambda r: {"x": r["id"]}, schema={"y": int})
    with pytest.raises(BindError, match="'x' is VARCHAR, but the function gives BIGINT"):
        ds.map(lambda r: {"x": r["id"]}, schema={"x": str})
    with pytest.raises(BindError, match="'id' is VARCHAR, but the function gives BIGINT"):
        ds.map(lambda r: {**r, "x": hex(r["id"])}, schema={"id": str})
    with pytest.raises(BindError, match="'id' is VARCHAR, but the function gives BIGINT"):
        ds.map(lambda r: {**r, "x": hex(r["id"])}, schema={"id": str}, lift=False)
    with pytest.raises(BindError, match="no column of the result"):
        ds.map(parsed, schema={"n": int, "m": int})
    assert ds.map(parsed, schema={"n": int, "id": "INTEGER"}).schema["id"] == "INTEGER"
    with pytest.raises(BindError, match="takes a row, not int"):
        ds.map(3)  # type: ignore[arg-type]


def test_schema_gives_types_to_lifted_columns(rows: mdf.Dataset, check: Any) -> None:
    made = rows.map(lambda r: {"id": r["id"], "none": None}, schema={"id": "INTEGER", "none": "DATE"})
    assert made.schema == {"id": "INTEGER", "none": "DATE"} and not list(made._relation.python_notes())
    check(made, [{"id": n, "none": None} for n in range(1, 6)])


# --- functions of every kind ------------------------------------------------------------------------------------------


def keeps(row: dict[str, Any], least: int, *, most: int = 4) -> bool:
    return not sorted([row["id"] < least, row["id"] > most])[-1]


class Callable_:  # noqa: N801
    def __init__(self, least: int) -> None:
        self.least = least

    def __call__(self, row: dict[str, Any]) -> bool:
        return bool(row["id"] >= self.least)

    def method(self, row: dict[str, Any]) -> bool:
        return bool(row["id"] >= self.least)


def test_functions_of_every_kind(rows: mdf.Dataset, check: Any) -> None:
    space: dict[str, Any] = {}
    exec("def made(r): return r['id'] == 3", space)
    for function, ids in (
        (functools.partial(keeps, least=2), [2, 3, 4]),
        (Callable_(4), [4, 5]),
        (Callable_(4).method, [4, 5]),
        (space["made"], [3]),
    ):
        check(rows.filter(function).select("id"), [{"id": n} for n in ids])


@dataclasses.dataclass(frozen=True)
class Rounding:
    places: int

    def rounded(self, row: dict[str, Any], name: str = "v") -> dict[str, Any]:
        return {"id": row["id"], "v": round(row[name], self.places)}


def renamed(name: str, row: dict[str, Any], *, places: int = 2) -> dict[str, Any]:
    return {"id": row["id"], name: round(row["id"] / 7, places)}


def test_what_is_filled_in_stays_filled_in(rows: mdf.Dataset, check: Any) -> None:
    to_three = with_poison(lambda r: round(r["v"], 3), "v")
    made = rows.map(Rounding(3).rounded, schema={"v": float})
    check(made, expected(lambda r: {"id": r["id"], "v": to_three(r)["v"]}))
    partial = functools.partial(renamed, "w", places=1)
    check(rows.map(partial, schema={"id": int, "w": float}), expected(partial))
    partial = functools.partial(functools.partial(Rounding.rounded, Rounding(1)), name="id")
    check(rows.map(partial, schema={"v": int}), expected(partial))


LIMIT = 2


def above(row: dict[str, Any]) -> bool:
    return bool(helped(row) and sorted([row["id"], LIMIT])[-1] != LIMIT)


def helped(row: dict[str, Any]) -> bool:
    return bool(row["id"] < LIMIT + 3)


def test_names_mean_what_they_mean_at_the_call(rows: mdf.Dataset, check: Any) -> None:
    global LIMIT
    limits = [1, 2]
    made = rows.filter(above)
    inner = rows.filter(lambda r: r["id"] in sorted(limits))
    LIMIT = 0
    limits.append(3)
    try:
        check(made.select("id"), [{"id": 3}, {"id": 4}])
        check(inner.select("id"), [{"id": 1}, {"id": 2}])
    finally:
        LIMIT = 2


def test_a_function_may_change_its_row(rows: mdf.Dataset, check: Any) -> None:
    def changed(row: dict[str, Any]) -> dict[str, Any]:
        row["s"] = (row["s"] or "").casefold()
        row.pop("v")
        return row

    schema = {"id": int, "s": str}
    check(rows.map(changed, schema=schema), [changed(dict(row)) for row in ROWS])


# --- engines that lack what was lifted --------------------------------------------------------------------------------


def test_an_engine_without_the_sql_runs_the_function(rows: mdf.Dataset, check: Any, engine: str) -> None:
    # Math that Python raises from has no exact SQL on Spark.
    made = (
        rows.map(lambda r: {"id": r["id"], "root": math.exp(r["id"]), "n": r["id"] + 1})
        .filter(lambda r: math.log(r["id"]) < 1)
        .order_by("id")
        .limit(2)
    )
    check(made, [{"id": i, "root": math.exp(i), "n": i + 1} for i in (1, 2)], ordered=True)
    grouped = rows.group_by(power=lambda r: math.pow(r["id"], 2.0) < 5).count().order_by("power")
    few = sum(row["id"] ** 2 < 5 for row in ROWS)
    check(grouped, [{"power": False, "count": len(ROWS) - few}, {"power": True, "count": few}], ordered=True)
    lifted = "row functions, run as Python" not in made.explain()
    assert lifted == (engine in ("duckdb", "dask"))


def test_an_engine_that_lacks_it_says_so(rows: mdf.Dataset, engine: str) -> None:
    if engine != "spark":
        pytest.skip("it computes this as Python does")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", NotLifted)
        rows.map(lambda r: {"root": math.exp(r["id"])}).collect()
    assert any("spark:" in str(w.message) for w in caught)
    with pytest.raises(mdf.errors.Unsupported):
        rows.map(lambda r: {"root": math.exp(r["id"])}, on_unliftable="error").collect()
