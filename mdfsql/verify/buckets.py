"""Results too large to collect: each engine hashes its rows by buckets, and only buckets that differ are fetched."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlglot import exp

from mdfsql import result, steps
from mdfsql.arrow import arrow_schema
from mdfsql.compile import compile_relation, target_of
from mdfsql.errors import EngineError, Unsupported
from mdfsql.functions import parse_expression
from mdfsql.relation import Relation, column
from mdfsql.schema import INTEGERS, value_type
from mdfsql.verify.tables import Aligned, Copies, Row, Rules, match, match_rows
from mdfsql.verify.values import has_float, is_float

if TYPE_CHECKING:
    from mdfsql.verify.run import Given

__all__ = ["Found", "Undecided", "by_buckets", "row_text"]

# Hexadecimal digits of a row's hash that name its bucket: 4,096 buckets, some 100 KB from each engine.
DIGITS = 3

# So many rows of differing buckets are fetched from each side at a time.
FETCHED = 500_000

# So many rows may be without a counterpart: more are not looked for.
MOST_ALONE = 100_000

# Types whose text is the same on every engine.
PLAIN = INTEGERS | {"BOOLEAN", "DATE", "TIME"}


class Undecided(Exception):
    """Too many rows differ by so little that only all of them together could tell."""


@dataclass
class Found:
    """What the buckets tell: the rows left over, how often each stands on both sides, and how many rows there are.

    Where one engine failed, ``errors`` has it, and the other's rows were counted.
    """

    rows: tuple[list[Row], list[Row]]
    copies: tuple[dict[Row, Copies], dict[Row, Copies]]
    counts: tuple[int | None, int | None]
    matched: int
    complete: bool
    notes: list[str]
    errors: tuple[EngineError | None, EngineError | None] = (None, None)


def by_buckets(left: Given, right: Given, aligned: Aligned, rules: Rules) -> Found:
    """Compare two results of any size in bounded memory, by the sums of the hashes of their rows in each bucket.

    Raises Unsupported, before anything runs, where an engine cannot write a column's canonical text, and Undecided.
    """
    aligned, notes = _hashable(left, right, aligned)
    sides = [_Rows(given, places, aligned, rules) for given, places in ((left, aligned.left), (right, aligned.right))]
    sums, errors = zip(*(_tried(side) for side in sides), strict=True)
    if errors[0] is not None and errors[1] is not None:
        raise errors[0]
    if any(errors):
        known = [None if error else sum(n for n, *_ in own.values()) for own, error in zip(sums, errors, strict=True)]
        return Found(([], []), ({}, {}), (known[0], known[1]), 0, True, [], errors)
    differ = sorted(bucket for bucket in sums[0].keys() | sums[1].keys() if sums[0].get(bucket) != sums[1].get(bucket))
    counts = (sum(n for n, *_ in sums[0].values()), sum(n for n, *_ in sums[1].values()))
    matched = sum(own[0] for bucket, own in sums[0].items() if sums[1].get(bucket) == own)
    found = Found(([], []), ({}, {}), counts, matched, True, notes)
    # A float at an edge of the rounding puts its row elsewhere; all else stays in its bucket.
    keyed = [type_ for name, type_ in zip(aligned.names, aligned.types, strict=True) if name in rules.keys]
    settled = not any(map(has_float, keyed if rules.keys else aligned.types))
    places = tuple(range(len(aligned.names)))
    plain = Aligned(aligned.names, aligned.types, places, places, True, ())
    looked = 0
    for some in _batches(differ, sums):
        tables = [side.rows_of(some) for side in sides]
        rest = match(tables[0], tables[1], plain, rules)
        found.matched += rest.matched
        for side in (0, 1):
            found.rows[side].extend(rest.rows[side].values())
            found.copies[side].update(rest.copies[side])
        looked += len(some)
        if looked < len(differ) and max(map(len, found.rows)) > MOST_ALONE:
            if not settled and counts[0] == counts[1]:
                raise Undecided(_undecided(left, right, len(found.rows[0])))
            found.complete = False
            break
    if found.rows[0] and found.rows[1] and not settled:
        alone = match_rows(found.rows, plain, rules)
        found.matched += len(found.rows[0]) - len(alone[0])
        found.rows = ([found.rows[0][n] for n in alone[0]], [found.rows[1][n] for n in alone[1]])
    same = 16**DIGITS - len(differ)
    found.notes.append(
        f"too large to collect: hashed by the engines, row by row; {same:,} of {16**DIGITS:,} buckets agree"
        + (f", {looked:,} were fetched and compared value by value" if looked else "")
        + ("" if found.complete else ", and the others, which differ too, were not: the counts are at least so many")
    )
    return found


def _tried(side: _Rows) -> tuple[dict[str, tuple[int, ...]], EngineError | None]:
    """Return a side's sums, or the error that its engine gave."""
    try:
        return side.sums(), None
    except EngineError as error:
        return {}, error


def _undecided(left: Given, right: Given, alone: int) -> str:
    return (
        f"{left.name} and {right.name}: {alone:,} rows have no counterpart in the buckets that were looked at, but "
        "floats at the edge of the tolerance may have put it in another; name the key columns with keys=, which keeps "
        "rows together, or raise rtol="
    )


def _hashable(left: Given, right: Given, aligned: Aligned) -> tuple[Aligned, list[str]]:
    """Return the columns of one type on both sides (any width of integer), and what is said of the others."""
    ours, theirs = list(left.relation.schema.values()), list(right.relation.schema.values())
    kept, notes = [], []
    for n, name in enumerate(aligned.names):
        one, two = ours[aligned.left[n]], theirs[aligned.right[n]]
        if one == two or {one, two} <= INTEGERS:
            kept.append(n)
        else:
            notes.append(f"the values of {name} are not compared: {one} and {two} have no common text")

    if not kept:
        raise Unsupported("a result without a column of one type", "verify", "there is nothing to hash")

    def pick(values: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(values[n] for n in kept)

    return Aligned(
        pick(aligned.names), pick(aligned.types), pick(aligned.left), pick(aligned.right), True, aligned.differences
    ), notes


def _batches(differ: Sequence[str], sums: Sequence[Mapping[str, tuple[int, ...]]]) -> Iterator[list[str]]:
    """Yield buckets together that hold no more rows than are fetched at a time; one at least."""
    some: list[str] = []
    rows = 0
    for bucket in differ:
        size = max(own[bucket][0] if bucket in own else 0 for own in sums)
        if some and rows + size > FETCHED:
            yield some
            some, rows = [], 0
        some.append(bucket)
        rows += size
    if some:
        yield some


class _Rows:
    """One side's rows under the names c0, c1, ..., each with its bucket and the digits of its hash."""

    def __init__(self, given: Given, places: Sequence[int], aligned: Aligned, rules: Rules) -> None:
        self._given = given
        names = list(given.relation.schema)
        own = [f"c{n}" for n in range(len(places))]
        types = dict(zip(own, (aligned.types[n] for n in range(len(places))), strict=True))
        plain = steps.project(
            steps.unordered(given.relation),
            {name: column(names[place]) for name, place in zip(own, places, strict=True)},
        )
        floats = {f"e{name}": _exponent(column(name)) for name, type_ in types.items() if is_float(type_)}
        if floats:
            # A layer of its own, so that no engine computes it once for every place where it is needed.
            plain = steps.project(plain, {**{name: column(name) for name in own}, **floats})
        keys = {name: types[name] for name, real in zip(own, aligned.names, strict=True) if real in rules.keys}
        outputs: dict[str, exp.Expr] = {name: column(name) for name in own}
        outputs["h"] = exp.MD5(this=row_text(types, rules))
        if keys:
            outputs["b"] = exp.MD5(this=row_text(keys, rules))
        hashed = steps.project(plain, outputs)
        bucket = _filled("substr(x, 1, n)", x=column("b" if keys else "h"), n=exp.Literal.number(DIGITS))
        # Sixty-four bits more: by chance alone, one bucket in 10**19 that differ would look the same.
        digits = _filled("substr(x, n, 16)", x=column("h"), n=exp.Literal.number(DIGITS + 1))
        self._all = steps.project(hashed, {**{name: column(name) for name in own}, "bucket": bucket, "digits": digits})
        parts: dict[str, exp.Expr] = {"n": _filled("count(*)")}
        for number in range(2):
            part = _filled(
                "sum(CAST('0x' || substr(x, n, 8) AS BIGINT))",
                x=column("digits"),
                n=exp.Literal.number(8 * number + 1),
            )
            parts[f"s{number}"] = part
        self._sums = steps.aggregate(self._all, {"bucket": column("bucket")}, parts)
        self._own = own
        self._target = target_of(given.where.name)
        compile_relation(self._sums, self._target)

    def sums(self) -> dict[str, tuple[int, ...]]:
        """Run, and return the number of rows and the sums of each bucket."""
        found = {}
        for batch in self._run(self._sums).to_batches():
            for bucket, *numbers in zip(*(column_.to_pylist() for column_ in batch.columns), strict=True):
                found[bucket] = tuple(numbers)
        return found

    def rows_of(self, buckets: Sequence[str]) -> pa.Table:
        """Run, and return the rows of some buckets."""
        wanted = exp.In(this=column("bucket"), expressions=[exp.Literal.string(bucket) for bucket in buckets])
        some = steps.filter_rows(self._all, [wanted])
        return self._run(steps.project(some, {name: column(name) for name in self._own}))

    def _run(self, relation: Relation) -> pa.Table:
        plan = compile_relation(relation, self._target)
        batches = list(result.batches(self._given.where.engine, plan))
        return pa.Table.from_batches(batches, schema=arrow_schema(plan.schema))


# ---- one text for a row, the same on every engine ----------------------------------------------------------------


@functools.cache
def _parsed(template: str) -> exp.Expr:
    return parse_expression(template)


def _filled(template: str, **nodes: exp.Expr) -> exp.Expr:
    """Return an expression with nodes in place of the columns of these names."""
    tree = _parsed(template).copy()

    def put(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column) and not node.table and node.name in nodes:
            return nodes[node.name].copy()
        return node

    return tree.transform(put)


def row_text(types: Mapping[str, str], rules: Rules) -> exp.Expr:
    """Return the text of a row: two rows with one text are the same to the tolerance.

    The columns are joined by commas; those whose texts could hold one begin with their lengths.
    """
    parts = []
    for name, type_ in types.items():
        text = _text(column(name), type_, rules, column(f"e{name}") if is_float(type_) else None)
        parts.append(_filled("coalesce(x, 'N')", x=text))
    return exp.ConcatWs(expressions=[exp.Literal.string(","), *parts], safe=True, coalesce=True)


def _text(node: exp.Expr, type_: str, rules: Rules, exponent: exp.Expr | None = None) -> exp.Expr:
    """Return the canonical text of a value, NULL for NULL."""
    if type_ == "VARCHAR":
        return _filled("CAST(length(x) AS VARCHAR) || ':' || x", x=node)
    if type_ in ("TIMESTAMP", "TIMESTAMPTZ"):
        return _filled("CAST(epoch_us(x) AS VARCHAR)", x=node)
    if type_ == "BLOB":
        return _filled("hex(x)", x=node)
    if is_float(type_):
        if exponent is not None:
            return _float_text(node, type_, rules, exponent)
        # Within a struct no layer can be put below that has the exponent: a list of one float can have it.
        return _filled("array_to_string(x, '')", x=_texts(exp.Array(expressions=[node.copy()]), type_, rules))
    if type_ in PLAIN or (type_.startswith("DECIMAL") and type_[-1] == ")"):
        return _filled("CAST(x AS VARCHAR)", x=node)
    dtype = value_type(type_)
    if type_.endswith("[]"):
        texts = _texts(node, type_[:-2], rules)
        # Not every engine takes a lambda inside of a lambda.
        if sum(1 for _ in texts.find_all(exp.Lambda)) == 1 + is_float(type_[:-2]):
            return _filled("'[' || array_to_string(x, ',') || ']'", x=texts)
    if dtype.this == exp.DType.STRUCT:
        fields = []
        for field in dtype.expressions:
            value = _filled("struct_extract(x, f)", x=node, f=exp.Literal.string(field.name))
            kind = _spelled(field)
            fields.append(_filled("coalesce(x, 'N')", x=_text(value, kind, rules)))
        joined = exp.ConcatWs(expressions=[exp.Literal.string(","), *fields], safe=True, coalesce=True)
        return _filled("CASE WHEN x IS NOT NULL THEN '(' || y || ')' END", x=node, y=joined)
    raise Unsupported(f"a column of type {type_}", "verify", "it has no text that is the same on every engine")


def _texts(items: exp.Expr, type_: str, rules: Rules) -> exp.Expr:
    """Return the list of the texts of a list's items, N for NULL."""
    if not is_float(type_):
        return _each(items, lambda item: _filled("coalesce(x, 'N')", x=_text(item, type_, rules)))
    pairs = _each(items, lambda item: _filled("{'x': x, 'e': e}", x=item, e=_exponent(item)))

    def text(pair: exp.Expr) -> exp.Expr:
        own, exponent = (_filled(f"struct_extract(p, '{name}')", p=pair) for name in ("x", "e"))
        return _filled("coalesce(x, 'N')", x=_float_text(own, type_, rules, exponent))

    return _each(pairs, text)


def _each(items: exp.Expr, function: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    # As the parser has it: what a lambda names is no column.
    item = exp.to_identifier("v")
    return exp.Transform(this=items, expression=exp.Lambda(this=function(item), expressions=[item.copy()]))


def _spelled(field: exp.Expr) -> str:
    from mdfsql.schema import canonical

    return canonical(field.args["kind"].sql("duckdb"))


def _exponent(node: exp.Expr) -> exp.Expr:
    """Return the power of two below a float, NULL where it has none."""
    return _filled(
        "CASE WHEN NOT isnan(x) AND NOT isinf(x) AND x <> 0 THEN least(floor(log2(abs(x))), CAST(1023 AS DOUBLE)) END",
        x=exp.Cast(this=node.copy(), to=exp.DataType.build("DOUBLE")),
    )


def _float_text(node: exp.Expr, type_: str, rules: Rules, exponent: exp.Expr) -> exp.Expr:
    """Return a float's text, one for all floats of a cell that is no wider than the tolerance.

    Cells are relative to the power of two below the number; where atol is more than rtol of that, they are absolute.
    """
    wide = exp.Cast(this=node.copy(), to=exp.DataType.build("DOUBLE")) if type_ == "FLOAT" else node
    # By as many bits as a float has, one more than after its point, cells hold one float each.
    bits = min(math.ceil(-math.log2(rules.rtol)), 53) if rules.rtol else 53
    near = _filled(
        "CAST(CAST(e AS BIGINT) AS VARCHAR) || '*' || CAST(CAST(round(x / pow(CAST(2 AS DOUBLE), e) * w) AS BIGINT)"
        " AS VARCHAR)",
        x=wide,
        e=exponent,
        w=exp.Cast(this=exp.Literal.number(2**bits), to=exp.DataType.build("DOUBLE")),
    )
    if rules.atol:
        size = exp.Cast(this=exp.Literal.string(repr(float(rules.atol))), to=exp.DataType.build("DOUBLE"))
        # Up to where the number of the cell is exact, and the tolerance the larger one.
        most = rules.atol * min(1 / rules.rtol if rules.rtol else math.inf, 2.0**51)
        edge = exp.Cast(this=exp.Literal.string(repr(most)), to=exp.DataType.build("DOUBLE"))
        near = _filled(
            "CASE WHEN abs(x) < m THEN 'a' || CAST(CAST(round(x / s) AS BIGINT) AS VARCHAR) ELSE y END",
            x=wide,
            m=edge,
            s=size,
            y=near,
        )
        zero = exp.Literal.string("a0")
    else:
        zero = exp.Literal.string("0")
    return _filled(
        "CASE WHEN x IS NULL THEN NULL WHEN isnan(x) THEN 'nan' WHEN isinf(x) AND x > 0 THEN 'inf' "
        "WHEN isinf(x) THEN '-inf' WHEN x = 0 THEN z ELSE y END",
        x=wide,
        y=near,
        z=zero,
    )
