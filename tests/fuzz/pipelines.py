"""Random pipelines of steps with row functions, and what Python makes of them over lists of dicts."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

import mdfsql as mdf

__all__ = ["ITEMS", "SCHEMA", "make"]

Row = dict[str, Any]
Rows = list[Row]

SCHEMA = {"id": "BIGINT", "a b": "BIGINT", "x": "DOUBLE", "select": "VARCHAR", "tags": "VARCHAR[]"}

WORDS = ["", "a", "Ab", "straße", "7", "日本", "x y", None]


def _items() -> Rows:
    rng = random.Random(5)
    return [
        {
            "id": n,
            "a b": rng.choice([None, 0, 1, -3, 7, 10**12]),
            "x": rng.choice([None, 0.5, -1.25, 2.675, 1e300, 4.0]),
            "select": rng.choice(WORDS),
            "tags": rng.choice([None, [], ["b", "a"], ["c", None], ["a"]]),
        }
        for n in range(60)
    ]


ITEMS = _items()


# ---- the parts of functions: source text, the columns that it reads, and the type of its value -----------------------

SCALARS: list[tuple[str, str]] = [
    ('r["id"] * 2', "BIGINT"),
    ('r["a b"] + 1', "BIGINT"),
    ('r["a b"] // 3 if r["a b"] is not None else -1', "BIGINT"),
    ('len(r["select"] or "")', "BIGINT"),
    ('len(r["tags"])', "BIGINT"),
    ('r.get("x", 0.0)', "DOUBLE"),
    ('r["x"] / 4', "DOUBLE"),
    ('(r["select"] or "no") + "!"', "VARCHAR"),
    ('r["select"].strip()', "VARCHAR"),
    ('r["tags"][0] if r["tags"] else "none"', "VARCHAR"),
    ('r["a b"] is None or r["a b"] > 0', "BOOLEAN"),
    # These have no SQL.
    ('round(r["x"], 1)', "DOUBLE"),
    ('hex(r["a b"])', "VARCHAR"),
    ('r["select"].title()', "VARCHAR"),
    ('json.dumps([r["a b"], r["select"]])', "VARCHAR"),
    ('sorted(r["tags"] or [""], key=str)[-1]', "VARCHAR"),
    ('"".join(reversed(r["select"]))', "VARCHAR"),
    ('helper(r)', "BIGINT"),
    ('sum(ord(c) for c in r["select"] or "")', "BIGINT"),
    ('pow(r["id"], 2, 7)', "BIGINT"),
    ('bool(sorted(r["tags"], key=str))', "BOOLEAN"),
    ('grown(r["tags"])', "BIGINT"),
    ('r["tags"].pop() if r["tags"] else None', "VARCHAR"),
]  # fmt: skip

TESTS = [
    'r["id"] % 3 != 1',
    'r["x"] is not None and r["x"] > 0',
    'r["select"]',
    'r["a b"] == 7 or r["select"] in ("a", "7")',
    # These have no SQL.
    'hex(r["id"])[-1] in "02468ace"',
    'round(r["x"], 1) != 2.7',
    'r["select"].title() != "Ab"',
    'sorted(r["tags"])',
    "helper(r) % 2",
]

BODIES = [
    "def f(r):\n    return {dict}",
    "f = lambda r: {dict}",
    "def f(r):\n    try:\n        return {dict}\n    except ZeroDivisionError:\n        return {dict}",
    "def f(r):\n    if r['id'] % 2:\n        return {dict}\n    return {dict}",
    "f = lambda r: {dict} if r['id'] % 2 else {dict}",
    "def f(r, k=3):\n    n = 0\n    while n < k:\n        n += 1\n    return {dict}",
    "def f(r):\n    with contextlib.nullcontext():\n        return {dict}",
    "def f(r):\n    for n in (1, 2):\n        if n == 2:\n            return {dict}\n    return {dict}",
]

PRELUDE = """\
import contextlib
import json

def helper(row):
    total = 0
    while total < 3:
        total += row["id"] % 5 + 1
    return total + len(row["tags"] or ())

def grown(values):
    values.append("z")
    return len(values)

"""


def _nothing(error: Exception) -> bool:
    return isinstance(error, (TypeError, AttributeError)) and "None" in str(error)


class Maker:
    """Makes one pipeline: the dataset, and the rows that Python gives for it, step by step."""

    def __init__(self, rng: random.Random, folder: Any, name: str) -> None:
        self.rng, self.path, self.count = rng, folder / f"{name}.py", 0
        self.steps: list[str] = []

    def function(self, source: str) -> Callable[[Row], Any]:
        """Return the function ``f`` that the source defines; each in a file of its own, so that its text is found."""
        path = self.path.with_name(f"{self.path.stem}_{self.count}.py")
        self.count += 1
        path.write_text(PRELUDE + source + "\n")
        space: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
        exec(compile(path.read_text(), str(path), "exec"), space)
        found: Callable[[Row], Any] = space["f"]
        self.steps.append(source)
        return found

    def parts(self, guarded: bool) -> list[tuple[str, str, str]]:
        """Return new columns: their names, source texts and types."""
        made = []
        for name in self.rng.sample(["n1", "n2", "x", "select", "_lifted_0", "_key_0"], self.rng.randint(1, 3)):
            text, type_ = self.rng.choice(SCALARS)
            if guarded:
                # Where one column raises there, so do all.
                text = f'({text}) if r["x"] is not None and r["select"] and r["tags"] and r["a b"] else None'
            made.append((name if SCHEMA.get(name, type_) == type_ else f"{name}_{type_[0].lower()}", text, type_))
        return made

    def map(self, ds: mdf.Dataset, rows: Rows) -> tuple[mdf.Dataset, Rows]:
        body = self.rng.choice(BODIES)
        keep = self.rng.random() < 0.8
        guarded = "try" in body or "with" in body
        parts = self.parts(guarded)
        changing = any("pop()" in text or "grown" in text for _, text, _ in parts)
        if changing and SCHEMA.keys() & {name for name, _, _ in parts}:
            parts = [(f"new_{n}", text, t) for n, text, t in parts]  # such a function runs as a whole
        if not keep:
            parts = [(n, f'r["{n}"]', t) for n, t in SCHEMA.items() if n not in {p[0] for p in parts}] + parts
        entries = [*(["**r"] if keep else []), *(f'"{n}": {text}' for n, text, _ in parts)]
        f = self.function(body.replace("{dict}", "{" + ", ".join(entries) + "}"))
        schema = {n: t for n, _, t in parts}
        if "with" in body or self.rng.random() < 0.5:  # after a with, Python may go on: the text does not tell the keys
            schema = {**SCHEMA, **schema}
        made = ds.map(f, schema=schema, lift=self.rng.random() < 0.8)
        # A column by itself, where it is None because of a None.
        single = {n: self.single(text) for n, text, _ in parts}
        return made, [self.mapped(f, single, row) for row in rows]

    def single(self, text: str) -> Callable[[Row], Any]:
        space: dict[str, Any] = {}
        exec(PRELUDE + f"f = lambda r: {text}", space)
        found: Callable[[Row], Any] = space["f"]
        return found

    def mapped(self, f: Callable[[Row], Row], single: dict[str, Any], row: Row) -> Row:
        """Return what Python gives; where it raises because of a None, each column that can be had."""
        try:
            return f(copy.deepcopy(row))
        except Exception as error:
            if not _nothing(error):
                raise
        here = copy.deepcopy(row)
        found: Row = dict(here)
        for name, function in single.items():
            try:
                found[name] = function(here)
            except Exception as error:
                if not _nothing(error):
                    raise
                found[name] = None
        return found


def each(function: Callable[[Row], Any], rows: Rows) -> Iterator[tuple[Row, Any]]:
    """Yield the rows with what a function gives; not those for which it raises because of a None."""
    for row in rows:
        try:
            found = function(copy.deepcopy(row))
            yield row, list(found) if isinstance(found, Iterator) else found
        except Exception as error:
            if not _nothing(error):
                raise


FLAT = """\
def f(r):
    for tag in sorted(r["tags"]) or ["-"]:
        yield {**r, "select": tag.title()}
"""

KINDS = ["filter", "map", "map", "order", "limit", "cache", "union", "join", "flat_map", "columns"]


def make(seed: int, folder: Any) -> Iterator[tuple[str, mdf.Dataset, Rows, bool]]:
    """Yield pipelines by a seed, longer and longer: their text, dataset and rows, and whether these are in order."""
    rng = random.Random(seed)
    maker = Maker(rng, folder, f"pipeline_{seed}")
    ds, rows, in_order = mdf.Dataset.from_items(ITEMS, schema=SCHEMA), copy.deepcopy(ITEMS), False
    for _ in range(rng.randint(2, 5)):
        kind = rng.choice(KINDS)
        if kind == "filter":
            f = maker.function(f"f = lambda r: {rng.choice(TESTS)}")
            ds = ds.filter(f, lift=rng.random() < 0.8)
            rows = [row for row, found in each(f, rows) if found]
        elif kind == "map":
            ds, rows = maker.map(ds, rows)
            ds, rows = ds.select(*SCHEMA), [{n: row[n] for n in SCHEMA} for row in rows]
        elif kind == "columns":
            f = maker.function('def f(r) -> str:\n    return hex(r["id"])')
            ds = ds.with_columns(t=f).drop("t")
        elif kind == "order":
            down, first = rng.random() < 0.5, rng.random() < 0.5
            f = maker.function('def f(r) -> str:\n    return (r["select"] or "").title()')
            ds = ds.order_by(
                f, "a b", mdf.desc("id"), descending=[down, False, True], nulls_first=[False, first, False]
            )
            rows = sorted(rows, key=lambda r: -r["id"])
            rows.sort(key=lambda r: ((r["a b"] is None) != first, r["a b"] or 0))
            rows.sort(key=lambda r: (r["select"] or "").title(), reverse=down)
            in_order = True
        elif kind == "limit" and in_order:
            ds, rows = ds.limit(20, 3), rows[3:23]
        elif kind == "cache":
            ds, in_order = ds.cache(), False
        elif kind == "union" and len(rows) < 200:
            ds, rows, in_order = ds.union(ds), rows + copy.deepcopy(rows), False
        elif kind == "join":
            ids = {row["id"] for row in rows}
            ds, in_order = ds.join(ds.select("id").distinct(), on="id", how="semi"), False
            rows = [row for row in rows if row["id"] in ids]
        elif kind == "flat_map":
            f = maker.function(FLAT)
            ds, in_order = ds.flat_map(f, schema=SCHEMA), False
            rows = [made for _, found in each(f, rows) for made in found]
        yield "\n".join(maker.steps), ds, rows, in_order
