"""Dataset: a lazy, immutable pipeline over tables, built by operations and run by actions."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from mdfsql import result, steps
from mdfsql.backend import Backend, backend, named
from mdfsql.catalog import ArrowSource, CacheSource, EngineSource, Source
from mdfsql.compile import Plan, compile_relation, target_of
from mdfsql.errors import BindError, DataError
from mdfsql.files import file_source, format_of
from mdfsql.functions import Expr, Operand, holds_function, operand, ordered, parse_expression
from mdfsql.literals import fits, literal
from mdfsql.query import Resolver, read_query
from mdfsql.relation import Relation, column
from mdfsql.schema import Schema, check_names, data_type, tree_text, wanted_type

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from mdfsql.fallback import Functions
    from mdfsql.verify.comparison import Comparison

__all__ = ["Dataset", "GroupedDataset", "as_dataset"]

SAMPLED = 1_000  # rows whose results tell the types of a function's columns


class Dataset:
    """A table to be computed: operations return a new Dataset, actions run it on an engine.

    The engine is chosen when an action runs: ``engine=`` there, else ``on(...)``, else the ``set_backend`` in force
    where the dataset was made, else DuckDB. Steps that work row by row keep the order of an ``order_by`` before them.

    >>> ds = Dataset.from_items([{"id": 1, "v": 10}, {"id": 2, "v": 40}])
    >>> ds.filter("v > 30").collect()
    [{'id': 2, 'v': 40}]
    """

    __slots__ = ("_backend", "_relation")

    def __init__(self, relation: Relation, where: Backend | None = None) -> None:
        self._relation = relation
        self._backend = where or backend()

    # ---- making datasets -----------------------------------------------------------------------------------------

    @classmethod
    def from_items(cls, items: Iterable[Mapping[str, Any]], schema: object = None) -> Dataset:
        """Make a dataset of dicts: missing keys are None, ints and floats unite, dicts become STRUCT, lists LIST.

        ``schema`` maps column names to SQL or Python types, for all or some columns; a column that is only None
        needs it. Raises DataError for no rows without a schema, mixed types, rows that are not dicts.

        >>> Dataset.from_items([{"id": 1}, {"id": 2, "x": 0.5}]).schema
        Schema(id BIGINT, x DOUBLE)
        """
        from mdfsql.arrow import read_schema, table_from_items  # pyarrow is imported when Arrow is first wanted

        table = table_from_items(items, schema)
        return cls.of_source(ArrowSource(schema=read_schema(table.schema), table=table))

    @classmethod
    def from_arrow(cls, data: Any) -> Dataset:
        """Make a dataset of anything with ``__arrow_c_stream__``: Arrow, pandas, polars, DuckDB; read once."""
        from mdfsql.arrow import read_schema, table_from_stream  # as above

        table = table_from_stream(data)
        return cls.of_source(ArrowSource(schema=read_schema(table.schema), table=table, kind="arrow"))

    @classmethod
    def from_spark(cls, frame: Any) -> Dataset:
        """Make a dataset of a Spark DataFrame; it runs on Spark."""
        from mdfsql.engines import spark  # pyspark is imported when used

        return cls.of_source(EngineSource(schema=spark.schema_of(frame), engine="spark", frame=frame), "spark")

    @classmethod
    def from_dask(cls, frame: Any) -> Dataset:
        """Make a dataset of a Dask DataFrame; it runs on Dask."""
        from mdfsql.engines import dask  # dask is imported when used

        return cls.of_source(EngineSource(schema=dask.schema_of(frame), engine="dask", frame=frame), "dask")

    @classmethod
    def of_source(cls, source: Source, engine: str | None = None) -> Dataset:
        """Make a dataset of a source."""
        relation = Relation(steps.wrap(), {steps.INPUT: source}, schema=source.schema)
        return cls(relation, named(engine) if engine else None)

    @classmethod
    def read_parquet(cls, paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> Dataset:
        """Read Parquet files: a path, a glob, a folder, a list of these, or URLs that the engine reaches."""
        return cls._read("parquet", paths, {})

    @classmethod
    def read_csv(cls, paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], **options: Any) -> Dataset:
        """Read CSV files; dialect and types are settled once, by the reference, for every engine.

        ``options`` are DuckDB's read_csv options: ``delim=";"``, ``header=False``, ``nullstr="NA"``.
        """
        return cls._read("csv", paths, options)

    @classmethod
    def read_json(cls, paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> Dataset:
        """Read JSON files: one object a line, or one array of objects."""
        return cls._read("json", paths, {})

    @classmethod
    def _read(cls, format: str, paths: Any, options: Mapping[str, Any]) -> Dataset:
        return cls.of_source(file_source(format, paths, options, backend()))

    # ---- what it is ----------------------------------------------------------------------------------------------

    @property
    def schema(self) -> Schema:
        """Column names and types; known without running anything."""
        return self._relation.schema

    @property
    def columns(self) -> list[str]:
        """Column names."""
        return list(self.schema)

    @property
    def backend(self) -> Backend:
        """The backend that an action runs on if it names none."""
        return self._backend

    def on(self, name: str, **options: Any) -> Dataset:
        """Return the same dataset, to be run on another engine."""
        return Dataset(self._relation, Backend(name, options) if options else named(name))

    def _next(self, relation: Relation) -> Dataset:
        return Dataset(relation, self._backend)

    def _functions(
        self, step: str, given: Iterable[Any], known: Mapping[int, Any] | None = None
    ) -> Functions | steps.NoFunctions:
        """Return what resolves the row functions among a step's arguments."""
        if not any(map(holds_function, given)):
            return steps.NoFunctions(self._relation)
        from mdfsql.fallback import Functions  # what reads Python is loaded when there is a function to read

        return Functions(self._relation, step, known)

    # ---- rows ----------------------------------------------------------------------------------------------------

    def filter(
        self, *predicates: str | Expr | Callable[..., Any], on_unliftable: str = "warn", lift: bool = True
    ) -> Dataset:
        """Keep the rows for which every predicate is true: SQL text, an expression, or a row function.

        A row function means what it means in Python; where Python would raise only because a value is None, the row
        is dropped. A function without exact SQL runs as Python: ``on_unliftable`` is "warn", "fallback" (the same
        without the warning NotLifted) or "error" (raises CannotLift). ``lift=False`` runs it as Python in any case.

        >>> Dataset.from_items([{"v": 1}, {"v": None}]).filter("v IS NULL").count()
        1
        """
        dataset = self
        for given in predicates:
            if callable(given) and not isinstance(given, Expr):
                from mdfsql import fallback  # what reads Python is loaded when there is a function to read

                function = fallback.RowFunction(given, "filter", on_unliftable, lift=lift)
                dataset = self._next(fallback.filter_rows(dataset._relation, function))
            else:
                dataset = dataset._filtered(given)
        return dataset

    def _filtered(self, given: str | Expr) -> Dataset:
        def make(functions: Any) -> Relation:
            node = functions.resolve(_expression(given), predicate=True)
            return self._visible(steps.filter_rows(functions.relation, [node], functions.notes))

        return self._next(self._functions("filter", [given]).finish(make))

    def _visible(self, relation: Relation) -> Relation:
        """Return a relation without the hidden columns that Python computed for a step."""
        if list(relation.schema) == self.columns:
            return relation
        return steps.project(relation, {name: column(name) for name in self.schema})

    def map(
        self,
        function: Callable[..., Any],
        *,
        schema: object = None,
        on_unliftable: str = "warn",
        lift: bool = True,
    ) -> Dataset:
        """Compute each row anew: a function from a row to a dict, lifted to SQL.

        It means what it means in Python; where Python would raise only because a value is None, None is stored. A
        column without exact SQL is computed by Python, and the others are still lifted; ``on_unliftable`` and ``lift``
        are as for ``filter``.

        ``schema`` gives the types of columns, as for ``from_items``: of one that is only ever None, and of those that
        Python computes where neither the function's text nor its annotation (``-> SomeTypedDict`` or a dataclass)
        tells; "sample" takes them from the results for the first 1,000 rows, which runs the query so far. Raises
        CannotLift, pointing at the source, for a function that is wrong and for types that are not known; actions
        raise DataError for a result of another type, and what the function itself raises, with the row in a note.

        >>> ds = Dataset.from_items([{"v": 0.125}, {"v": None}])
        >>> ds.map(lambda row: {**row, "half": row["v"] / 2}).collect()
        [{'v': 0.125, 'half': 0.0625}, {'v': None, 'half': None}]
        >>> ds.map(lambda row: {"v": round(row["v"], 2)}, on_unliftable="fallback").collect()
        [{'v': 0.12}, {'v': None}]
        """
        from mdfsql import fallback  # what reads Python is loaded when there is a function to read

        given = fallback.RowFunction(function, "map", on_unliftable, lift=lift)
        return self._next(fallback.map_rows(self._relation, given, schema, lambda: self._sampled(given.function)))

    def _sampled(self, function: Callable[..., Any]) -> Schema:
        """Return the types of what a function gives for the first rows."""
        from mdfsql.arrow import read_schema, table_from_items  # as for from_items

        found = []
        for row in self.head(SAMPLED):
            with contextlib.suppress(TypeError, AttributeError):  # a None; the real run tells it from other errors
                found.append(function(row))
        return read_schema(table_from_items(found).schema)

    def map_batches(self, function: Callable[..., Any], schema: object = None) -> Dataset:
        """Compute Arrow batches anew: a function from a ``pyarrow.RecordBatch`` to a batch or a table, on any engine.

        ``schema`` gives the columns and types of the results, the same as before if it is left out; each result is
        checked against it. How the rows are cut into batches is the engine's affair.

        >>> import pyarrow.compute as pc
        >>> ds = Dataset.from_items([{"v": 1.5}, {"v": 2.5}])
        >>> ds.map_batches(lambda batch: batch.set_column(0, "v", pc.negate(batch["v"]))).collect()
        [{'v': -1.5}, {'v': -2.5}]
        """
        from mdfsql import fallback  # as above

        return self._next(fallback.map_batches(self._relation, function, schema))

    def flat_map(
        self,
        function: Callable[..., Any],
        *,
        schema: object = None,
        on_unliftable: str = "warn",
        lift: bool = True,
    ) -> Dataset:
        """Compute zero or more rows for each row: a function from a row to a list of dicts, lifted to SQL.

        Lifted are lists that are written out, and comprehensions over a LIST column; what else there is, generators
        too, runs as Python, with ``schema``, ``on_unliftable`` and ``lift`` as for ``map``: the types are given, or
        annotated as ``-> list[SomeTypedDict]``. Where Python would raise only because a value is None, the row gives
        no rows. The rows of one list stand in no promised order. Raises as ``map`` does.

        >>> ds = Dataset.from_items([{"id": 1, "tags": ["a", "x"]}, {"id": 2, "tags": None}])
        >>> ds.flat_map(lambda item: [{"id": item["id"], "tag": t} for t in item["tags"] if t != "x"]).collect()
        [{'id': 1, 'tag': 'a'}]
        """
        from mdfsql import fallback  # what reads Python is loaded when there is a function to read

        given = fallback.RowFunction(function, "flat_map", on_unliftable, lift=lift)
        return self._next(fallback.flat_map_rows(self._relation, given, schema))

    def select(self, *columns: Operand, **named_columns: Any) -> Dataset:
        """Keep or compute columns: names and expressions, and ``new=`` SQL text, expression or row function.

        >>> Dataset.from_items([{"a": 2, "b": 3}]).select("b", c="a * 10").collect()
        [{'b': 3, 'c': 20}]
        """

        def make(functions: Any) -> Relation:
            outputs: dict[str, exp.Expr] = {}
            for given in columns:
                node = column(self._own(given)) if isinstance(given, str) else functions.resolve(operand(given))
                name = node.alias_or_name
                if not name or (callable(given) and not isinstance(given, Expr)):
                    raise BindError(
                        f"the expression {node.sql('duckdb')} needs a name: .alias(...), or name=expression"
                    )
                if name in outputs:
                    raise BindError(f"output column {name!r} stands twice; give one another name")
                outputs[name] = node.unalias()
            made = _outputs(named_columns, functions)
            if twice := outputs.keys() & made.keys():
                raise BindError(f"output column {min(twice)!r} stands twice; give one another name")
            return steps.project(functions.relation, outputs | made, functions.notes)

        return self._next(self._functions("select", (*columns, *named_columns.values())).finish(make))

    def with_columns(self, **columns: Any) -> Dataset:
        """Add or replace columns: SQL text, expressions, row functions or plain values.

        >>> Dataset.from_items([{"a": 2}]).with_columns(b="a + 1", k=7).collect()
        [{'a': 2, 'b': 3, 'k': 7}]
        """

        def make(functions: Any) -> Relation:
            made = _outputs(columns, functions)
            replaced = {name.lower(): name for name in made}
            outputs = {name: made.get(replaced.get(name.lower(), ""), column(name)) for name in self.schema}
            own = {name.lower() for name in self.schema}
            outputs |= {name: node for name, node in made.items() if name.lower() not in own}
            return steps.project(functions.relation, outputs, functions.notes)

        return self._next(self._functions("with_columns", columns.values()).finish(make))

    def rename(self, columns: Mapping[str, str] | None = None, **named_columns: str) -> Dataset:
        """Rename columns: ``rename({"old": "new"})`` or ``rename(old="new")``."""
        new = {self._own(name): name_ for name, name_ in {**(columns or {}), **named_columns}.items()}
        names = [new.get(name, name) for name in self.schema]
        check_names(names)
        schema = Schema(dict(zip(names, self.schema.values(), strict=True)))
        outputs: dict[str, exp.Expr] = {new.get(name, name): column(name) for name in self.schema}
        return self._next(steps.project(self._relation, outputs, schema=schema))

    def drop(self, *columns: str) -> Dataset:
        """Leave columns out."""
        gone = {self._own(name) for name in columns}
        kept = {name: type_ for name, type_ in self.schema.items() if name not in gone}
        return self._next(steps.project(self._relation, {n: column(n) for n in kept}, schema=Schema(kept)))

    def cast(self, types: Mapping[str, str | type] | None = None, **named_types: str | type) -> Dataset:
        """Cast columns to other types; a value that does not fit raises when it runs.

        >>> Dataset.from_items([{"a": "2"}]).cast(a="INTEGER").schema
        Schema(a INTEGER)
        """
        wanted = {self._own(n): wanted_type(t) for n, t in {**(types or {}), **named_types}.items()}
        outputs: dict[str, exp.Expr] = {
            name: exp.Cast(this=column(name), to=data_type(wanted[name])) if name in wanted else column(name)
            for name in self.schema
        }
        return self._next(steps.project(self._relation, outputs))

    def fill_null(self, value: Any, columns: str | Sequence[str] | None = None) -> Dataset:
        """Put a value where there is NULL: in the named columns, or by ``{"column": value}``; NaN stays NaN.

        Without names, in every column whose type the value fits: a number in numbers, a string in strings.

        >>> Dataset.from_items([{"n": None, "s": None}], schema={"n": int, "s": str}).fill_null(0).collect()
        [{'n': 0, 's': None}]
        """
        if isinstance(value, Mapping):
            values = {self._own(name): v for name, v in value.items()}
        elif columns is not None:
            values = {self._own(name): value for name in _names(columns)}
        else:
            values = {name: value for name, type_ in self.schema.items() if fits(value, type_)}
        outputs: dict[str, exp.Expr] = {}
        for name, type_ in self.schema.items():
            outputs[name] = column(name)
            if name in values:
                if not fits(values[name], type_):
                    raise BindError(f"{values[name]!r} cannot stand in column {name!r}, which is {type_}")
                given = exp.Cast(this=literal(values[name]), to=data_type(type_))
                outputs[name] = exp.Coalesce(this=column(name), expressions=[given])
        return self._next(steps.project(self._relation, outputs, schema=self.schema))

    def drop_null(self, *columns: str) -> Dataset:
        """Drop the rows with NULL in any of the columns; without names, in any column at all."""
        names = [self._own(name) for name in columns] or self.columns
        present: list[exp.Expr] = [exp.Not(this=exp.Is(this=column(n), expression=exp.Null())) for n in names]
        return self._next(steps.filter_rows(self._relation, present))

    def distinct(self) -> Dataset:
        """Keep each different row once."""
        return self._next(steps.distinct(self._relation))

    def explode(self, name: str) -> Dataset:
        """Give each element of a LIST column a row of its own; empty and NULL lists give none."""
        own = self._own(name)
        if not self.schema[own].endswith("[]"):
            raise BindError(f"explode needs a LIST column, but {own!r} is {self.schema[own]}")
        outputs: dict[str, exp.Expr] = {n: exp.Explode(this=column(n)) if n == own else column(n) for n in self.schema}
        return self._next(steps.project(self._relation, outputs))

    # ---- order and parts -----------------------------------------------------------------------------------------

    def order_by(
        self, *keys: Operand, descending: bool | Sequence[bool] = False, nulls_first: bool | Sequence[bool] = False
    ) -> Dataset:
        """Put the rows in order: NULLs last unless ``nulls_first``, NaN after every number, strings by code point."""
        if not keys:
            raise BindError("order_by needs a key")
        down, first = _each(descending, len(keys), "descending"), _each(nulls_first, len(keys), "nulls_first")

        def make(functions: Any) -> Relation:
            nodes = []
            for key, desc_, nulls in zip(keys, down, first, strict=True):
                if isinstance(key, str):
                    key = Expr(column(self._own(key)))
                node = ordered(key)
                if not isinstance(key, Expr) or not isinstance(key.node, exp.Ordered):
                    node.set("desc", desc_)
                    node.set("nulls_first", nulls)
                node.set("this", functions.resolve(node.this))
                nodes.append(node)
            return self._visible(steps.order(functions.relation, nodes, functions.notes))

        return self._next(self._functions("order_by", keys).finish(make))

    def limit(self, count: int, offset: int = 0) -> Dataset:
        """Keep ``count`` rows after leaving out ``offset``; which ones is only defined after ``order_by``."""
        return self._next(steps.limit(self._relation, count, offset))

    def offset(self, count: int) -> Dataset:
        """Leave out the first ``count`` rows; which ones is only defined after ``order_by``."""
        return self._next(steps.limit(self._relation, None, count))

    def sample(self, fraction: float, *, seed: int = 0, key: str | Sequence[str] | None = None) -> Dataset:
        """Keep about a fraction of the rows, by a hash of ``key`` and ``seed``: the same rows on every engine.

        Without a key, all columns that are integers, strings, dates or booleans count; equal rows go together.
        """
        return self.split(fraction, seed=seed, key=key)[0]

    def split(self, *fractions: float, seed: int = 0, key: str | Sequence[str] | None = None) -> tuple[Dataset, ...]:
        """Split the rows by a hash of ``key``: one dataset for each fraction, and one for what is left over.

        >>> train, test = Dataset.from_items([{"id": i} for i in range(100)]).split(0.8)
        >>> train.count() + test.count()
        100
        """
        if not fractions or any(f < 0 for f in fractions) or sum(fractions) > 1 + 1e-9:
            raise DataError(f"fractions are 0 or more and sum to at most 1, not {fractions}")
        text = steps.hash_text(self.schema, _names(key) if key is not None else None, seed)
        parts, low = [], 0.0
        for fraction in fractions:
            parts.append(self._hashed(text, low, low + fraction))
            low += fraction
        return (*parts, self._hashed(text, low, 1.0))

    def _hashed(self, text: exp.Expr, low: float, high: float) -> Dataset:
        bounds: list[exp.Expr] = []
        for cls, at in ((exp.GTE, low), (exp.LT, high)):
            number = round(at * 2**32)
            if 0 < number < 2**32:
                # Hexadecimal digits in lower case sort as the numbers that they write.
                bounds.append(cls(this=text.copy(), expression=exp.Literal.string(f"{number:08x}")))
            elif (number <= 0) == (cls is exp.LT):
                bounds.append(exp.false())
        return self._next(steps.filter_rows(self._relation, bounds)) if bounds else self

    def shuffle(self, seed: int = 0, *, key: str | Sequence[str] | None = None) -> Dataset:
        """Put the rows in an order that depends on a hash of ``key`` and ``seed``: the same order on every engine."""
        text = steps.hash_text(self.schema, _names(key) if key is not None else None, seed)
        return self._next(steps.order(self._relation, [exp.Ordered(this=text, desc=False, nulls_first=False)]))

    def repartition(self, n: int, by: str | Sequence[str] = ()) -> Dataset:
        """Spread the rows over ``n`` partitions, by columns if named; a hint about layout, not about the answer."""
        if n < 1:
            raise DataError("repartition needs at least one partition")
        columns: list[exp.Expr] = [column(self._own(name)) for name in _names(by)]
        hint = exp.Anonymous(this="REPARTITION", expressions=[exp.Literal.number(n), *columns])
        return self._next(steps.hinted(self._relation, hint))

    def cache(self) -> Dataset:
        """Compute once, on each engine that it is used on, and keep the rows there while the dataset lives."""
        source = CacheSource(schema=self.schema, relation=self._relation)
        return self._next(Relation(steps.wrap(), {steps.INPUT: source}, schema=self.schema))

    # ---- several datasets ----------------------------------------------------------------------------------------

    def join(
        self,
        other: Dataset,
        on: str | Sequence[str] | Expr | Callable[..., Any] | None = None,
        how: str = "inner",
        *,
        suffixes: tuple[str, str] = ("", "_right"),
    ) -> Dataset:
        """Join with another dataset: ``how`` is inner, left, right, full, semi, anti or cross.

        ``on`` names key columns (kept once; NULL matches nothing, as in SQL), or is a two-row function
        ``lambda l, r: ...``, or an expression over ``expr('l.a = r.b')``. Other columns of one name get the suffixes.
        """
        condition: Any = on
        if isinstance(on, str):
            condition = [on]
        elif isinstance(on, Expr):
            condition = on.node.copy()
        elif on is not None and not callable(on):
            condition = list(on)
        return self._next(steps.join(self._relation, other._relation, condition, how, suffixes))

    def union(self, *others: Dataset, all: bool = True) -> Dataset:
        """Append other datasets, column by position; with ``all=False`` each different row stands once."""
        relation = self._relation
        for other in others:
            relation = steps.compound("union", relation, other._relation, all=all)
        return self._next(relation)

    def union_by_name(self, *others: Dataset, all: bool = True) -> Dataset:
        """Append other datasets, column by name; a column that one lacks is NULL there."""
        names = {n.lower(): n for ds in (*others[::-1], self) for n in ds.columns}
        order = dict.fromkeys(n.lower() for ds in (self, *others) for n in ds.columns)
        types = {n.lower(): t for ds in (*others[::-1], self) for n, t in ds.schema.items()}
        aligned = []
        for ds in (self, *others):
            own = {n.lower(): n for n in ds.columns}
            outputs: dict[str, exp.Expr] = {
                names[n]: column(own[n]) if n in own else exp.Cast(this=exp.Null(), to=data_type(types[n]))
                for n in order
            }
            aligned.append(ds._next(steps.project(ds._relation, outputs)))
        return aligned[0].union(*aligned[1:], all=all)

    def intersect(self, other: Dataset, *, all: bool = False) -> Dataset:
        """Keep the rows that the other dataset has too; NULLs are equal here, as in SQL."""
        return self._next(steps.compound("intersect", self._relation, other._relation, all=all))

    def except_(self, other: Dataset, *, all: bool = False) -> Dataset:
        """Keep the rows that the other dataset does not have; NULLs are equal here, as in SQL."""
        return self._next(steps.compound("except", self._relation, other._relation, all=all))

    def sql(self, query: str, *, dialect: str = "duckdb", params: Mapping[str, Any] | None = None) -> Dataset:
        """Run SQL in which this dataset is the table ``self``.

        >>> Dataset.from_items([{"a": 1}, {"a": 2}]).sql("SELECT max(a) AS m FROM self").collect()
        [{'m': 2}]
        """
        resolve: Resolver = lambda table: self._relation if table.name.lower() == "self" else None  # noqa: E731
        return self._next(read_query(query, resolve, dialect=dialect, params=params, known=["self"]))

    def group_by(self, *keys: Operand, **named_keys: Any) -> GroupedDataset:
        """Group by columns and expressions; ``name=`` SQL text, expression or row function gives a computed key."""
        functions = self._functions("group_by", (*keys, *named_keys.values()))
        grouped = GroupedDataset(self, keys, named_keys, getattr(functions, "known", {}))
        grouped._resolved(functions)  # so that a mistake raises here
        return grouped

    def aggregate(self, **outputs: Expr) -> Dataset:
        """Aggregate all rows to one.

        >>> from mdfsql.functions import sum
        >>> Dataset.from_items([{"v": 1}, {"v": 2}]).aggregate(total=sum("v")).collect()
        [{'total': 3}]
        """
        return GroupedDataset(self, (), {}, {}).aggregate(**outputs)

    def _own(self, name: str) -> str:
        return steps.own_name(name, self.schema)

    # ---- actions -------------------------------------------------------------------------------------------------

    def plan(self, engine: str | Backend | None = None) -> tuple[Backend, Plan]:
        """Return the backend that an action would use, and what it would be sent; runs nothing."""
        where = self._where(engine)
        return where, compile_relation(self._relation, target_of(where.name))

    def _where(self, engine: str | Backend | None) -> Backend:
        where = self._backend if engine is None else engine
        if isinstance(where, str):
            where = self._backend if where == self._backend.name else named(where)
        return where

    def collect(self, engine: str | Backend | None = None, *, verify: bool = False) -> list[dict[str, Any]]:
        """Run and return the rows as dicts; with ``verify``, raises VerificationError where DuckDB's answer differs."""
        if verify:
            from mdfsql.verify.run import Options, verified_rows  # loaded when there is something to verify

            return verified_rows(self._relation, self._where(engine), self._where("duckdb"), Options())
        return list(self.iter_rows(engine))

    def verify(
        self,
        engine: str | Backend | None = None,
        against: str | Backend = "duckdb",
        rtol: float = 1e-9,
        atol: float = 0.0,
        keys: str | Sequence[str] | None = None,
        sample: float | None = None,
        seed: int = 0,
    ) -> Comparison:
        """Run on an engine and on the reference, and return how their answers compare.

        Floats may differ by ``rtol`` of the larger one, or by ``atol``. ``keys`` are columns that tell which row is
        which; without them, rows that agree in most columns are taken for one. ``sample`` compares what the query
        makes of a share of the rows of its sources. Raises what a run raises where both sides fail, and
        VerificationError where it cannot be told whether they agree.

        >>> Dataset.from_items([{"v": 1}]).verify().equal
        True
        """
        from mdfsql.verify.run import Options, verify_relation  # as above

        options = Options(rtol, atol, _names(keys or ()), sample, seed)
        return verify_relation(self._relation, self._where(engine), self._where(against), options)[0]

    def iter_rows(self, engine: str | Backend | None = None) -> Iterator[dict[str, Any]]:
        """Run and stream the rows as dicts; memory stays flat."""
        where, plan = self.plan(engine)
        # All in C: a generator would cost as much again.
        return map(dict, map(zip, itertools.repeat(tuple(plan.schema)), result.rows(where.engine, plan)))

    def iter_batches(self, engine: str | Backend | None = None) -> Iterator[pa.RecordBatch]:
        """Run and stream Arrow record batches; memory stays flat."""
        where, plan = self.plan(engine)
        return result.batches(where.engine, plan)

    def to_reader(self, engine: str | Backend | None = None) -> pa.RecordBatchReader:
        """Run and return a streaming Arrow reader."""
        where, plan = self.plan(engine)
        return result.reader(where.engine, plan)

    def to_arrow(self, engine: str | Backend | None = None) -> pa.Table:
        """Run and return an Arrow table."""
        return self.to_reader(engine).read_all()

    def to_pandas(self, engine: str | Backend | None = None) -> pd.DataFrame:
        """Run and return a pandas DataFrame with Arrow-backed columns, in which NULL is not NaN."""
        import pandas as pd  # only when asked for

        return self.to_arrow(engine).to_pandas(types_mapper=pd.ArrowDtype)

    def to_polars(self, engine: str | Backend | None = None) -> pl.DataFrame:
        """Run and return a polars DataFrame."""
        import polars as pl  # only when asked for

        frame = pl.from_arrow(self.to_arrow(engine))
        assert isinstance(frame, pl.DataFrame)
        return frame

    def to_spark(self) -> Any:
        """Return a lazy Spark DataFrame; the dataset must run on Spark.

        Raises Unsupported before Spark 4 for arithmetic of DECIMALs, whose digits go by the session that runs it.
        """
        where, plan = self.plan("spark")
        return where.engine.frame(plan)

    def to_dask(self) -> Any:
        """Return a lazy Dask DataFrame; the dataset must run on Dask."""
        where, plan = self.plan("dask")
        return where.engine.frame(plan)

    def head(self, n: int = 5, engine: str | Backend | None = None) -> list[dict[str, Any]]:
        """Run and return the first rows as dicts."""
        return self.limit(n).collect(engine)

    def count(self, engine: str | Backend | None = None) -> int:
        """Run and return the number of rows."""
        counted = steps.aggregate(self._relation, {}, {"count": exp.Count(this=exp.Star(), big_int=True)})
        return int(self._next(counted).collect(engine)[0]["count"])

    def show(self, n: int = 20, engine: str | Backend | None = None) -> None:
        """Run and print the first rows as a table."""
        from mdfsql import display  # loaded when a person looks

        display.show(self.schema, self.head(n + 1, engine), n)

    def print_schema(self) -> None:
        """Print the schema as Spark prints its own."""
        print(tree_text(self.schema))

    def explain(self, engine: str | Backend | None = None) -> str:
        """Return the query, what was lifted, the passes that changed it, the SQL that is sent, the engine's plan."""
        from mdfsql import display  # as above

        where, _ = self.plan(engine)
        return display.explain(self._relation, where)

    def write_parquet(
        self,
        path: str | os.PathLike[str],
        *,
        mode: str = "error",
        partition_by: str | Sequence[str] = (),
        engine: str | Backend | None = None,
    ) -> None:
        """Run and write Parquet: one file where the path ends in ``.parquet``, else a folder of files.

        ``mode`` is error, overwrite or append (a folder only). A write that fails or is interrupted leaves what was
        there before.
        """
        self._write("parquet", path, mode, partition_by, engine)

    def write_csv(
        self,
        path: str | os.PathLike[str],
        *,
        mode: str = "error",
        partition_by: str | Sequence[str] = (),
        engine: str | Backend | None = None,
    ) -> None:
        """Run and write CSV with a header, as ``write_parquet`` does."""
        self._write("csv", path, mode, partition_by, engine)

    def write_json(
        self,
        path: str | os.PathLike[str],
        *,
        mode: str = "error",
        partition_by: str | Sequence[str] = (),
        engine: str | Backend | None = None,
    ) -> None:
        """Run and write JSON, one object a line, as ``write_parquet`` does."""
        self._write("json", path, mode, partition_by, engine)

    def _write(self, format: str, path: Any, mode: str, partition_by: str | Sequence[str], engine: Any) -> None:
        from mdfsql import write  # loaded when there is something to write

        by = tuple(self._own(name) for name in _names(partition_by))
        where, plan = self.plan(engine)
        write.write(where, plan, os.fspath(path), format, mode, by)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Run and hand the rows over as an Arrow C stream: ``pl.DataFrame(ds)``, ``pa.table(ds)``."""
        return self.to_reader().__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return f"<Dataset {', '.join(f'{n} {t}' for n, t in self.schema.items())}>"

    def _repr_html_(self) -> str:
        from mdfsql import display  # as above

        return display.html(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


class GroupedDataset:
    """A dataset with its grouping keys; ``count`` and ``aggregate`` make a Dataset of one row a group."""

    __slots__ = ("_dataset", "_keys", "_known", "_named_keys")

    def __init__(
        self, dataset: Dataset, keys: Sequence[Operand], named_keys: Mapping[str, Any], known: Mapping[int, Any]
    ) -> None:
        self._dataset, self._keys, self._named_keys, self._known = dataset, keys, named_keys, known

    def _resolved(self, functions: Any) -> dict[str, exp.Expr]:
        """Return the keys by name, without row functions."""
        made: dict[str, exp.Expr] = {}
        for key in self._keys:
            node = column(self._dataset._own(key)) if isinstance(key, str) else functions.resolve(operand(key))
            if not node.alias_or_name or (callable(key) and not isinstance(key, Expr)):
                raise BindError("a computed key needs a name: group_by(name=...)")
            made[node.alias_or_name] = node.unalias()
        return made | _outputs(self._named_keys, functions)

    def count(self) -> Dataset:
        """Count the rows of each group, in a column ``count``."""
        return self.aggregate(count=Expr(exp.Count(this=exp.Star(), big_int=True)))

    def aggregate(self, **outputs: Expr) -> Dataset:
        """Compute ``name=mdf.sum("column")`` and the like for each group.

        >>> from mdfsql.functions import sum
        >>> ds = Dataset.from_items([{"k": "a", "v": 1}, {"k": "a", "v": 2}])
        >>> ds.group_by("k").aggregate(total=sum("v")).collect()
        [{'k': 'a', 'total': 3}]
        """
        dataset = self._dataset
        given_keys = (*self._keys, *self._named_keys.values())
        for name, given in outputs.items():
            if not isinstance(given, (Expr, str)):
                raise BindError(f"{name}= needs an aggregate such as mdf.sum('column'), not {type(given).__name__}")
        if not outputs and not given_keys:
            raise BindError("aggregate needs an output: aggregate(total=mdf.sum('column'))")

        def make(functions: Any) -> Relation:
            keys = self._resolved(functions)
            if twice := keys.keys() & outputs.keys():
                raise BindError(f"output column {min(twice)!r} stands twice; give one another name")
            made = _outputs(outputs, functions)
            return steps.aggregate(functions.relation, keys, made, functions.notes)

        functions = dataset._functions("aggregate", (*given_keys, *outputs.values()), self._known)
        return dataset._next(functions.finish(make))


def as_dataset(data: Any) -> Dataset:
    """Return what a user hands over as a table: a Dataset, dicts, a path, an engine's frame, or an Arrow stream."""
    if isinstance(data, Dataset):
        return data
    if isinstance(data, (str, os.PathLike)):
        format = format_of(os.fspath(data))
        if format is None:
            raise DataError(
                f"cannot tell the format of {os.fspath(data)!r} by its suffix; use Dataset.read_parquet/csv/json"
            )
        return Dataset._read(format, data, {})
    if isinstance(data, (list, tuple)):
        return Dataset.from_items(data)
    module = type(data).__module__.partition(".")[0]
    if module == "pyspark":
        return Dataset.from_spark(data)
    if module in ("dask", "dask_expr"):
        return Dataset.from_dask(data)
    return Dataset.from_arrow(data)


def _names(given: str | Sequence[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _each(given: bool | Sequence[bool], count: int, what: str) -> list[bool]:
    if isinstance(given, bool):
        return [given] * count
    if len(given) != count:
        raise BindError(f"{what}= has {len(given)} values for {count} keys")
    return list(given)


def _expression(given: str | Expr) -> exp.Expr:
    return parse_expression(given) if isinstance(given, str) else operand(given)


def _outputs(given: Mapping[str, Any], functions: Any) -> dict[str, exp.Expr]:
    """Return named arguments as expressions: SQL text, expressions, functions, or plain values."""
    made = {}
    for name, value in given.items():
        if isinstance(value, (str, Expr)) or callable(value):
            node = parse_expression(value) if isinstance(value, str) else operand(value)
            made[name] = functions.resolve(node, name).unalias()
        else:
            made[name] = literal(value)
    return made
