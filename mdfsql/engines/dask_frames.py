"""Partitioned tables as Dask tasks: one DuckDB query over each partition, and exchanges of rows between partitions.

Partition-wise work is composed into one query; it becomes tasks when an exchange or the end needs its rows. Columns
are positional: every table calls them c0, c1, ...
"""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlglot import exp

from mdfsql.engines import dask_worker
from mdfsql.errors import Unsupported
from mdfsql.lower.rules import construct_name

__all__ = ["Frame", "Graph"]

Key: TypeAlias = Hashable

# Types that Arrow carries as another type: a partition's rows are cast back when they are read again.
RECAST = re.compile(r"HUGEINT|UUID|JSON|ENUM|BIGNUM|VARIANT")

# Types whose values do not come back from Arrow as they were.
CHANGED = re.compile(r"\b(TIME WITH TIME ZONE|BIT|UHUGEINT)\b")

UNTYPED = '"NULL"'

NUMBERS = re.compile(r"U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL")

T = exp.DataType.Type

# More samples give more even ranges for a sort.
SAMPLES = 64


# Types of keys by which rows are shown to meet, and to be ordered, over several partitions: tests/test_dask_keys.py.
KEYS = frozenset(
    {
        T.BOOLEAN, T.TINYINT, T.SMALLINT, T.INT, T.BIGINT, T.INT128, T.UTINYINT, T.USMALLINT, T.UINT, T.UBIGINT,
        T.FLOAT, T.DOUBLE, T.DECIMAL, T.TEXT, T.VARBINARY, T.DATE, T.TIME, T.TIMESTAMPNTZ, T.TIMESTAMPTZ, T.INTERVAL,
        T.UUID, T.ARRAY, T.STRUCT, T.MAP,
    }
)  # fmt: skip
# By the bytes of a sort key, 1 month is not 30 days, which it equals.
UNSORTED = frozenset({T.INTERVAL})

OFFSET = "OFFSET without LIMIT: all rows in one partition"
KEYLESS = "a join without equal keys of one type: one side beside each partition of the other"


@dataclass(frozen=True)
class Frame:
    """A table in partitions: partition i is ``query`` over the tables i0, i1, ..., which are ``inputs[0][i]``, ...

    ``types`` are DuckDB's own types of the columns. ``barrier`` are the tasks of the last exchange: once they are
    there, a partition can be computed without the others.
    """

    inputs: tuple[tuple[Key, ...], ...]
    query: exp.Select
    types: tuple[str, ...]
    barrier: tuple[Key, ...] = ()
    # Conditions that hold once the rows are there, for the frame that stands for the elements of a list.
    filters: tuple[exp.Expr, ...] = ()

    @property
    def partitions(self) -> int:
        """The number of partitions."""
        return len(self.inputs[0])


def col(number: int, table: str | None = None) -> exp.Column:
    """Return the column at a position."""
    return exp.column(f"c{number}", table)


def named(expressions: Sequence[exp.Expr]) -> list[exp.Expr]:
    """Return expressions as the columns c0, c1, ..."""
    return [exp.alias_(e, f"c{number}") for number, e in enumerate(expressions)]


def columns(count: int, table: str | None = None) -> list[exp.Expr]:
    """Return the first ``count`` columns."""
    return [col(number, table) for number in range(count)]


def type_node(text: str) -> exp.DataType:
    """Return one of DuckDB's own types as a node."""
    made = exp.DataType.build(text, dialect="duckdb", udt=True)
    for inner in list(made.find_all(exp.DataType)):
        if inner.this is exp.DataType.Type.NULL:
            # The type of a bare NULL has a name in quotes only.
            untyped = exp.DataType(this=exp.DataType.Type.USERDEFINED, kind=exp.to_identifier("NULL", quoted=True))
            if inner is made:
                return untyped
            inner.replace(untyped)
    return made


def cast(node: exp.Expr, text: str) -> exp.Expr:
    """Return a node cast to one of DuckDB's own types."""
    return exp.Cast(this=node, to=type_node(text))


def typed_nulls(types: Sequence[str]) -> exp.Select:
    """Return a query of one row of typed NULLs, which stands for a table while a query is only bound."""
    return exp.select(*named([cast(exp.Null(), t) for t in types]))


class Graph:
    """Builds tasks and frames over them; one for each plan."""

    def __init__(self, *, spread_out: bool) -> None:
        """Begin a plan; ``spread_out`` tells that partitions lie on several machines."""
        self._spread_out = spread_out
        self.tasks: dict[Key, Any] = {}
        # What brings all rows of a table to one worker, or to each, which explain() says.
        self.gathered: list[str] = []
        self._numbers = itertools.count()
        self._token = uuid.uuid4().hex[:12]
        self._binder = dask_worker.connection().cursor()
        self._binder.execute("SET TimeZone = 'UTC'")

    def close(self) -> None:
        """Release the binder."""
        self._binder.close()

    # ---- building blocks ----------------------------------------------------------------------------------------

    def add(self, what: str, tasks: Sequence[Any]) -> tuple[Key, ...]:
        """Add one task a partition and return their keys."""
        name = f"mdfsql-{what}-{self._token}-{next(self._numbers)}"
        keys = tuple((name, number) for number in range(len(tasks)))
        self.tasks.update(zip(keys, tasks, strict=True))
        return keys

    def stored(self, keys: Sequence[Key], types: Sequence[str], barrier: Sequence[Key] = ()) -> Frame:
        """Return a frame whose partitions are tables that tasks give."""
        changed = next(filter(None, map(CHANGED.search, types)), None)
        if changed:
            why = "Arrow, which carries rows between partitions, has no such type"
            raise Unsupported(changed.group(), "dask", why, "a cast to another type")
        restored = [cast(col(n), t) if RECAST.search(t) else col(n) for n, t in enumerate(types)]
        return Frame((tuple(keys),), exp.select(*named(restored)).from_("i0"), tuple(types), tuple(barrier))

    def types(self, query: exp.Select, **tables: Sequence[str]) -> tuple[str, ...]:
        """Return the types of a query's columns over tables of these types; duckdb.Error where it does not bind."""
        bound = query.copy()
        for name, types in tables.items():
            bound = bound.with_(name, as_=typed_nulls(types), copy=False)
        return tuple(str(t) for t in self._binder.sql(bound.sql("duckdb")).types)

    def over(self, frame: Frame, query: exp.Select, types: Sequence[str]) -> Frame:
        """Return the frame with a query over ``q`` (its own rows) put on top."""
        whole = query.from_(frame.query.subquery("q"), copy=False)
        return Frame(frame.inputs, whole, tuple(types), frame.barrier)

    def keys(self, frame: Frame) -> tuple[Key, ...]:
        """Return tasks that give the frame's partitions."""
        sql = frame.query.sql("duckdb")
        return self.add("run", [(dask_worker.run, sql, *keys) for keys in zip(*frame.inputs, strict=True)])

    def settle(self, frame: Frame) -> Frame:
        """Return the frame with its pending query made tasks."""
        return self.stored(self.keys(frame), frame.types, frame.barrier)

    def gather(self, frame: Frame, why: str = "") -> Frame:
        """Return the frame as one partition, the partitions in their order; ``why``, where it may be a whole table."""
        if frame.partitions == 1:
            return frame
        if why:
            self.gathered.append(why)
        key = self.add("gather", [(dask_worker.concat, list(self.keys(frame)))])
        return self.stored(key, frame.types, key)

    def shuffle(self, frame: Frame, by: Sequence[exp.Expr], partitions: int) -> Frame:
        """Return the frame with rows of equal ``by`` (over ``q``) in one partition; rows keep their order in it."""
        number = exp.Mod(
            this=exp.Anonymous(this="hash", expressions=list(by)), expression=exp.Literal.number(partitions)
        )
        query = exp.select(*columns(len(frame.types)), exp.alias_(exp.cast(number, "int"), "part"))
        sql = self.over(frame, query, ()).query.sql("duckdb")
        parts = self.add(
            "split", [(dask_worker.split, sql, partitions, *keys) for keys in zip(*frame.inputs, strict=True)]
        )
        return self.stored(self._assembled(parts, partitions), frame.types, parts)

    def _assembled(self, parts: Sequence[Key], partitions: int) -> tuple[Key, ...]:
        """Return tasks that each put the pieces of one number together."""
        if not self._spread_out:
            return self.add("shuffle", [(dask_worker.assemble, n, list(parts)) for n in range(partitions)])
        # A task for each piece, so that only the piece travels.
        tasks = []
        for n in range(partitions):
            pieces = self.add("piece", [(dask_worker.piece, part, n) for part in parts])
            tasks.append((dask_worker.concat, list(pieces)))
        return self.add("shuffle", tasks)

    # ---- operators ----------------------------------------------------------------------------------------------

    def select(self, frame: Frame, outputs: Sequence[exp.Expr], where: exp.Expr | None = None) -> Frame:
        """Return computed columns of the rows for which ``where`` is true."""
        # A table of no columns would have no rows: what is only counted gets one.
        query = exp.select(*named(outputs or [exp.true()]))
        if where is not None:
            query.where(where, copy=False)
        return self.over(frame, query, self.types(query.from_("q"), q=frame.types))

    def spread(self, frame: Frame, value: exp.Expr) -> Frame:
        """Return each row once for each element of a list, the element as a column more."""
        element = exp.Anonymous(this="unnest", expressions=[value])
        return self.select(frame, [*columns(len(frame.types)), element])

    def aggregate(self, frame: Frame, by: Sequence[exp.Expr], aggregates: Sequence[exp.Expr]) -> Frame:
        """Return one row for each group, or one row where ``by`` is empty."""
        query = exp.select(*named([*by, *aggregates]))
        types = self.types(_grouped(query.from_("q"), len(by)), q=frame.types)
        if frame.partitions == 1:
            return self.over(frame, _grouped(query, len(by)), types)
        stages = [_stages(a, self, frame.types) for a in aggregates]
        if any(stage is None for stage in stages):
            keys = self.select(frame, [*columns(len(frame.types)), *by])
            width = len(frame.types)
            why = f"{_name(aggregates)} without GROUP BY: all rows in one partition"
            exchanged = self._exchange(keys, [col(width + n) for n in range(len(by))], why)
            return self.over(exchanged, _grouped(query, len(by)), types)
        # Each partition aggregates its own rows first, so that few rows are exchanged.
        first: list[exp.Expr] = []
        last: list[exp.Expr] = []
        for stage in stages:
            assert stage is not None
            start = len(by) + len(first)
            first += stage[0]
            last.append(stage[1](start))
        partial = exp.select(*named([*by, *first]))
        partial_types = self.types(_grouped(partial.from_("q"), len(by)), q=frame.types)
        rows = self.over(frame, _grouped(partial, len(by)), partial_types)
        exchanged = self._exchange(rows, columns(len(by)))
        final = [cast(e, t) for e, t in zip(last, types[len(by) :], strict=True)]
        return self.over(exchanged, _grouped(exp.select(*named([*columns(len(by)), *final])), len(by)), types)

    def _exchange(self, frame: Frame, by: Sequence[exp.Expr], why: str = "") -> Frame:
        """Return the frame with rows of equal keys in one partition: all, where there are no keys."""
        if not by:
            return self.gather(frame, why)
        other = self._unshown(frame, by)
        return self.gather(frame, f"{other} in one partition") if other else self.shuffle(frame, by, frame.partitions)

    def _unshown(self, frame: Frame, by: Sequence[exp.Expr], *, ordered: bool = False) -> str | None:
        """Return what to say of keys by which rows are not shown to meet, None where they are."""
        found = self.types(exp.select(*named([b.copy() for b in by])).from_("q"), q=frame.types)
        known = KEYS - UNSORTED if ordered else KEYS
        other = next((t for t in found if t != UNTYPED and not _is_key(t, known)), None)
        return other and f"a key of type {other}, which is not shown to agree over several: all rows"

    def distinct(self, frame: Frame) -> Frame:
        """Return each different row once."""
        return self.aggregate(frame, columns(len(frame.types)), [])

    def window(self, frame: Frame, windows: Sequence[exp.Expr]) -> Frame:
        """Return the rows with windows, all over the same partition keys, as columns more."""
        by = windows[0].args.get("partition_by") or []
        if frame.partitions > 1:
            why = f"{_name([windows[0].this])} OVER without PARTITION BY: all rows in one partition"
            frame = self._exchange(frame, [b.copy() for b in by], why)
        return self.select(frame, [*columns(len(frame.types)), *windows])

    def union(self, frames: Sequence[Frame]) -> Frame:
        """Return the rows of all frames, their columns in the types that DuckDB unites them in."""
        united: exp.Query = exp.select("*").from_("q0")
        for number in range(1, len(frames)):
            united = exp.union(united, exp.select("*").from_(f"q{number}"), distinct=False, copy=False)
        bound = exp.select("*").from_(united.subquery("u"))
        types = self.types(bound, **{f"q{n}": f.types for n, f in enumerate(frames)})
        keys: list[Key] = []
        barrier: list[Key] = []
        for frame in frames:
            if frame.types != types:
                frame = self.select(frame, [cast(col(n), t) for n, t in enumerate(types)])
            keys += self.keys(frame)
            barrier += frame.barrier
        return self.stored(keys, types, barrier)

    def limit(self, frame: Frame, count: int | None, offset: int) -> Frame:
        """Return ``count`` rows after the first ``offset``, in the order of the partitions."""

        def cut(of: Frame, rows: int | None, skip: int) -> Frame:
            query = exp.select(*columns(len(of.types)))
            if rows is not None:
                query.limit(rows, copy=False)
            if skip:
                query.offset(skip, copy=False)
            return self.over(of, query, of.types)

        if frame.partitions > 1:
            frame = self.gather(cut(frame, count + offset, 0)) if count is not None else self.gather(frame, OFFSET)
        return cut(frame, count, offset)

    def sort(self, frame: Frame, by: Sequence[exp.Ordered], fetch: int | None = None) -> Frame:
        """Return the rows in order, over all partitions; only the first ``fetch`` of them where that is given."""

        def ordered(of: Frame) -> Frame:
            query = exp.select(*columns(len(of.types))).order_by(*[b.copy() for b in by], copy=False)
            if fetch is not None:
                query.limit(fetch, copy=False)
            return self.over(of, query, of.types)

        if frame.partitions == 1:
            return ordered(frame)
        if fetch is not None:
            return ordered(self.gather(ordered(frame)))
        other = self._unshown(frame, [b.this for b in by], ordered=True)
        if other:
            return ordered(self.gather(frame, f"{other} in one partition"))
        rows = self.settle(frame)
        key = _sort_key(by)
        sample = exp.select(exp.alias_(key, "k")).from_(rows.query.subquery("q"))
        sample = sample.order_by("hash(k)").limit(SAMPLES)
        samples = self.add("sample", [(dask_worker.run, sample.sql("duckdb"), k) for k in rows.inputs[0]])
        split = self.over(rows, exp.select(*columns(len(rows.types)), exp.alias_(key.copy(), "k")), ())
        sql = split.query.sql("duckdb")
        parts = self.add("ranges", [(dask_worker.split_ranges, sql, list(samples), k) for k in rows.inputs[0]])
        return ordered(self.stored(self._assembled(parts, rows.partitions), frame.types, parts))

    def join(
        self, kind: str, left: Frame, right: Frame, on: exp.Expr | None, keys: Sequence[tuple[exp.Expr, exp.Expr]]
    ) -> Frame:
        """Return a join: ``on`` is the whole condition over the tables l and r, ``keys`` its equalities, side by side.

        Without keys whose types hash alike, one side is brought to every partition of the other, or both into one.
        """
        one_sided = kind in ("SEMI", "ANTI")
        outputs = columns(len(left.types), "l") + ([] if one_sided else columns(len(right.types), "r"))
        types = left.types if one_sided else (*left.types, *right.types)
        by = [pair for pair in (self._alike(left, right, *key) for key in keys) if pair is not None]
        if right.partitions == 1 and kind in ("INNER", "LEFT", "SEMI", "ANTI", "CROSS"):
            right = self._repeat(right, left.partitions)
        elif left.partitions == 1 and kind in ("INNER", "RIGHT", "CROSS"):
            left = self._repeat(left, right.partitions)
        elif by:
            count = max(left.partitions, right.partitions)
            left = self.shuffle(left, [a for a, _ in by], count)
            right = self.shuffle(right, [b for _, b in by], count)
        elif kind in ("INNER", "LEFT", "SEMI", "ANTI", "CROSS"):
            right = self._repeat(self.gather(right, KEYLESS), left.partitions)
        elif kind == "RIGHT":
            left = self._repeat(self.gather(left, KEYLESS), right.partitions)
        else:
            why = "FULL JOIN without equal keys of one type: both sides in one partition"
            left, right = self.gather(left, why), self.gather(right)
        query = exp.select(*named(outputs)).from_(left.query.subquery("l"))
        other = right.query.copy()
        for table in list(other.find_all(exp.Table)):
            table.set("this", exp.to_identifier(f"i{int(table.name[1:]) + len(left.inputs)}"))
        join = exp.Join(this=other.subquery("r", copy=False), on=on)
        join.set("side" if kind in ("LEFT", "RIGHT", "FULL") else "kind", kind)
        query.append("joins", join)
        return Frame(left.inputs + right.inputs, query, types, left.barrier + right.barrier)

    def _repeat(self, frame: Frame, partitions: int) -> Frame:
        """Return a frame of one partition that is read beside every partition of another."""
        if partitions == 1:
            return frame
        (key,) = self.keys(frame)
        return self.stored((key,) * partitions, frame.types, (*frame.barrier, key))

    def _alike(self, left: Frame, right: Frame, a: exp.Expr, b: exp.Expr) -> tuple[exp.Expr, exp.Expr] | None:
        """Return two keys over ``q`` that hash alike wherever they are equal, or None."""
        ours, theirs = (
            self.types(exp.select(exp.alias_(key.copy(), "k")).from_("q"), q=frame.types)[0]
            for key, frame in ((a, left), (b, right))
        )
        if not (_is_key(ours) and _is_key(theirs)):
            return None
        if ours == theirs:
            return a, b
        if re.fullmatch(r"U?(TINYINT|SMALLINT|INTEGER|BIGINT)|HUGEINT", ours) and re.fullmatch(
            r"U?(TINYINT|SMALLINT|INTEGER|BIGINT)|HUGEINT", theirs
        ):
            return exp.cast(a, "hugeint", dialect="duckdb"), exp.cast(b, "hugeint", dialect="duckdb")
        return None


def _name(aggregates: Sequence[exp.Expr]) -> str:
    """Return what a reader calls an aggregate of several."""
    node: exp.Expr | None = aggregates[0] if aggregates else None
    while isinstance(node, (exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)):
        node = node.this
    return construct_name(node) if node is not None else "DISTINCT"


def _grouped(query: exp.Select, keys: int) -> exp.Select:
    if keys:
        query.set("group", exp.Group(expressions=[exp.Literal.number(n + 1) for n in range(keys)]))
    return query


def _is_key(text: str, known: frozenset[exp.DType] = KEYS) -> bool:
    """Tell whether a type is known, and all types in it."""
    return all(inner.this in known for inner in type_node(text).find_all(exp.DataType))


def _sort_key(by: Sequence[exp.Ordered]) -> exp.Expr:
    """Return the bytes whose order is the order wanted."""
    arguments: list[exp.Expr] = []
    for key in by:
        direction = "DESC" if key.args.get("desc") else "ASC"
        nulls = "NULLS FIRST" if key.args.get("nulls_first") else "NULLS LAST"
        arguments += [key.this.copy(), exp.Literal.string(f"{direction} {nulls}")]
    return exp.Anonymous(this="create_sort_key", expressions=arguments)


def _stages(aggregate: exp.Expr, graph: Graph, types: Sequence[str]) -> Any:
    """Return an aggregate as partial aggregates and what makes the whole of them, or None.

    The second is a function of the position of the first partial.
    """
    function = aggregate.this if isinstance(aggregate, exp.Filter) else aggregate

    def partial(node: exp.Expr) -> exp.Expr:
        if function is aggregate:
            return node
        return exp.Filter(this=node, expression=aggregate.expression.copy())

    argument = function.this
    if isinstance(argument, (exp.Distinct, exp.Order)) or any(
        function.args.get(part) for part in ("expressions", "expression", "count")
    ):
        return None
    if isinstance(function, exp.Count):
        return [partial(function.copy())], lambda n: exp.func("coalesce", exp.Sum(this=col(n)), exp.Literal.number(0))
    if isinstance(function, (exp.Min, exp.Max)):
        return [partial(function.copy())], lambda n: type(function)(this=col(n))
    if isinstance(function, (exp.LogicalAnd, exp.LogicalOr)):
        return [partial(function.copy())], lambda n: type(function)(this=col(n))
    if not isinstance(function, (exp.Sum, exp.Avg)):
        return None
    kind = graph.types(exp.select(exp.alias_(argument.copy(), "a")).from_("q"), q=types)[0]
    if not NUMBERS.match(kind):
        return None
    total = partial(exp.Sum(this=argument.copy()))
    if isinstance(function, exp.Sum):
        return [total], lambda n: exp.Sum(this=col(n))
    count = partial(exp.Count(this=argument.copy()))

    def mean(n: int) -> exp.Expr:
        double = exp.cast(exp.Sum(this=col(n)), "double")
        return exp.Div(this=double, expression=exp.func("nullif", exp.Sum(this=col(n + 1)), exp.Literal.number(0)))

    return [total, count], mean
