"""Steps with row functions: lifted where there is exact SQL, run as Python where there is none."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlglot import exp

from mdfsql import steps
from mdfsql.capture import Captured, capture
from mdfsql.catalog import PythonSource
from mdfsql.errors import BindError, CannotLift, NotLifted
from mdfsql.functions import FUNCTION
from mdfsql.lift import Unlifted, guess_types, lift_filter, lift_predicate, lift_row, lift_rows, lift_value
from mdfsql.relation import Alternative, Relation, column
from mdfsql.schema import FLOATS, INTEGERS, Schema, Type, data_type
from mdfsql.unlifted import cells, item_types, plain, reads, returned, row_types, settled, shape, snapshot, value_type

__all__ = ["Functions", "RowFunction", "filter_rows", "flat_map_rows", "map_batches", "map_rows"]

MODES = ("fallback", "warn", "error")

# Warnings are shown once for each text and place, as Python's own are within a module.
_shown: dict[Any, Any] = {}


class RowFunction:
    """A function that a step is given: its source, where that is found, and itself with its names as they are now.

    ``mode`` is what is done if it has no exact SQL: "fallback" runs it as Python, "warn" says so too, "error" raises.
    """

    def __init__(self, function: Callable[..., Any], step: str, mode: str = "warn", *, lift: bool = True) -> None:
        if mode not in MODES:
            raise BindError(f"on_unliftable= is one of {', '.join(MODES)}, not {mode!r}")
        if not callable(function):
            raise BindError(f"{step} needs a function that takes a row, not {type(function).__name__}")
        self.given, self.step, self.mode, self.lift = function, step, mode, lift
        self.function = snapshot(function)
        self.captured: Captured | None = None
        self.error: CannotLift | None = None
        try:
            self.captured = settled(capture(function))
        except CannotLift as error:
            self.error = error

    @property
    def place(self) -> str:
        """Where the function stands, for messages."""
        code = getattr(plain(self.given), "__code__", None)
        name = getattr(self.given, "__name__", type(self.given).__name__)
        return f"{self.step}: {name}" + (f" at {code.co_filename}:{code.co_firstlineno}" if code is not None else "")

    def source(self) -> Captured:
        """Return what was captured; CannotLift where nothing was."""
        if self.error is not None:
            raise self.error
        assert self.captured is not None
        return self.captured

    def refused(self, error: CannotLift) -> str:
        """Note that the function, or a part of it, runs as Python; CannotLift where it may or can not."""
        if error.mistake or (self.mode == "error" and self.lift):
            raise error
        if self.mode == "warn" and self.lift:
            self.warn(str(error), error)
        return error.reason if self.lift else "lift=False"

    def warn(self, why: str, error: CannotLift | None = None) -> None:
        """Warn that the function runs as Python, pointing at it."""
        code = getattr(plain(self.given), "__code__", None)
        filename, line = (code.co_filename, code.co_firstlineno) if code is not None else ("<unknown>", 1)
        if error is not None and error.filename and error.line:
            filename, line = error.filename, error.line
        message = f"{self.step}() runs a function as Python, which is right but slower: {why}"
        warnings.warn_explicit(NotLifted(message), NotLifted, filename, line, registry=_shown)

    def reads(self, schema: Schema) -> list[str]:
        """Return the columns that the function has to be given."""
        if self.captured is None or len(self.captured.rows) != 1:
            return list(schema)
        return reads(self.captured, list(schema))

    def untyped(self, error: CannotLift, names: Sequence[str]) -> CannotLift:
        """Return the error with what it takes to run the function as Python."""
        wanted = ", ".join(f"{name!r}: ..." for name in names) if names else "..."
        how = f"to run it as Python, give the types of what it computes: schema={{{wanted}}}"
        if not names:
            how += ", or annotate what it returns: a TypedDict or a dataclass"
        return error.advised(how)


# ---- a step through Python ---------------------------------------------------------------------------------------


def _through(
    relation: Relation,
    given: RowFunction,
    kind: str,
    outputs: Mapping[str, exp.Expr | Type],
    *,
    why: str,
    function: Any = None,
    read: Sequence[str] | None = None,
) -> Relation:
    """Return a relation whose outputs are expressions over the relation, or of a type: those the function computes.

    The rows keep their order.
    """
    from mdfsql.arrow import arrow_schema  # Arrow is loaded when something runs as Python
    from mdfsql.rowwise import Program

    read = given.reads(relation.schema) if read is None else read
    inner: dict[str, exp.Expr] = {}

    def carried(node: exp.Expr) -> int:
        """Return the position of an input column that holds an expression."""
        name = node.name if isinstance(node, exp.Column) else _unused("_lifted", [*relation.schema, *inner])
        inner.setdefault(name, node.copy())
        return list(inner).index(name)

    kept = {name: carried(node) for name, node in outputs.items() if isinstance(node, exp.Expr)}
    reading = tuple((carried(column(name)), name) for name in read)
    below, order = _keyed(relation)
    keys: list[exp.Ordered] = []
    hidden: dict[str, int] = {}
    for key in order:
        own = key.this.name
        at = carried(column(own))
        name = own
        if kept.get(own) != at:
            name = _unused("_key", [*outputs, *hidden])
            hidden[name] = at
        keys.append(exp.Ordered(this=column(name), desc=key.args.get("desc"), nulls_first=key.args.get("nulls_first")))
    if not inner:
        carried(column(next(iter(relation.schema))))  # a table of no columns would have no rows
    notes = tuple(
        line for name, node in outputs.items() if isinstance(node, exp.Expr) for line in noted(given.step, name, node)
    )
    if list(inner) != list(below.schema):
        below = steps.project(below, inner, notes)
    types = list(below.schema.values())
    schema = {name: types[kept[name]] if isinstance(node, exp.Expr) else node for name, node in outputs.items()}
    whole = Schema(schema | {name: types[at] for name, at in hidden.items()})
    program = Program(
        function=function if function is not None else given.function,
        kind=kind,
        reads=reading,
        outputs=tuple(kept.get(name, hidden.get(name)) for name in whole),
        schema=arrow_schema(whole),
        place=given.place,
    )
    computed = ", ".join(name for name in schema if name not in kept)
    note = (
        f"{given.place}: {computed + ' ' if computed else ''}by Python, reading {', '.join(read) or 'nothing'}: {why}"
    )
    source = PythonSource(schema=whole, relation=below, program=program, note=note)
    select = steps.wrap()
    if hidden:
        select.set("expressions", [column(name) for name in schema])
    if keys:
        select.set("order", exp.Order(expressions=keys))
    return Relation(select, {steps.INPUT: source}, schema=Schema(schema))


def _unused(prefix: str, taken: Iterable[str]) -> str:
    """Return a name for a hidden column, which no column has."""
    lowered = {name.lower() for name in taken}
    return next(name for name in map(f"{prefix}_{{}}".format, itertools.count()) if name not in lowered)


def _keyed(relation: Relation) -> tuple[Relation, list[exp.Ordered]]:
    """Return the relation with the keys of its order among its columns, and without the order: with those keys.

    It keeps its order, and gives no keys, where they cannot be had.
    """
    tree = relation.tree
    own = steps.key_names(relation)
    if None in own and (not isinstance(tree, exp.Select) or tree.args.get("distinct")):
        return relation, []
    taken = {*relation.schema, *(found.name for found in tree.find_all(exp.Column))}
    new: list[str | None] = []
    for name in own:
        new.append(None if name is not None else _unused("_key", taken))
        taken |= {new[-1] or ""}
    if any(new):
        relation = steps.keyed(relation, new)
    keys = [
        exp.Ordered(this=column(name or hidden or ""), desc=k.args.get("desc"), nulls_first=k.args.get("nulls_first"))
        for name, hidden, k in zip(own, new, tree.args["order"].expressions if own else (), strict=True)
    ]
    return steps.unordered(relation) if keys else relation, keys


def _columns(schema: Schema) -> dict[str, exp.Expr | Type]:
    return {name: column(name) for name in schema}


def _or_python(made: Relation, given: RowFunction, step: Callable[[Relation, str], Relation]) -> Relation:
    """Return a lifted step that an engine without exact SQL for it may run as Python."""
    reasons: list[str] = []

    def warn(why: str) -> None:
        reasons.append(why)
        if given.mode == "warn":
            given.warn(why)

    if given.mode != "error":
        made.alternative = Alternative(lambda parent: step(parent, reasons[-1]), warn)
    return made


def noted(step: str, name: str | None, node: exp.Expr) -> tuple[str, ...]:
    """Return the line of explain() for a function that became SQL; none for a column that is left as it was."""
    if isinstance(node, exp.Column) and node.name == name:
        return ()
    return (f"{step}: {f'{name} = ' if name else ''}{node.sql('duckdb')}",)


# ---- filter ------------------------------------------------------------------------------------------------------


def filter_rows(relation: Relation, given: RowFunction) -> Relation:
    """Keep the rows for which the function gives something true."""

    def as_python(parent: Relation, why: str) -> Relation:
        return _through(parent, given, "filter", _columns(parent.schema), why=why)

    try:
        node, present = lift_filter(given.source(), relation.schema, relation.present)
    except CannotLift as error:
        return as_python(relation, given.refused(error))
    if not given.lift:
        return as_python(relation, "lift=False")
    made = steps.filter_rows(relation, [node], noted("filter", None, node))
    made.present = relation.present | present
    return _or_python(made, given, as_python)


# ---- map ---------------------------------------------------------------------------------------------------------


def map_rows(
    relation: Relation, given: RowFunction, schema: object, sample: Callable[[], Mapping[str, Type]]
) -> Relation:
    """Compute each row anew; ``schema`` gives the types of columns, "sample" takes them from ``sample()``."""
    named = _named_types(schema)
    types = {**{n: t for n, t in (row_types(given.given) or {}).items() if t is not None}, **named}
    try:
        lifted = lift_row(given.source(), relation.schema, types, relation.present)
    except CannotLift as error:
        why = given.refused(error)
        return _map_whole(relation, given, why, error, types, named, sample if schema == "sample" else None)
    _check_names(lifted, named)
    gaps = {name: node for name, node in lifted.items() if isinstance(node, Unlifted)}
    if gaps:
        why = "; ".join(dict.fromkeys(given.refused(node.error) for node in gaps.values()))
        unknown = [n for n, node in gaps.items() if n not in types and node.type is None]
        if unknown and schema == "sample":
            types = {**sample(), **types}
        elif unknown:
            raise given.untyped(gaps[unknown[0]].error, unknown)
        outputs = {
            n: (types.get(n) or node.type or "") if isinstance(node, Unlifted) else _typed(n, node, named)
            for n, node in lifted.items()
        }
        _check_passed(relation, outputs, named)
        return _map_cells(relation, given, outputs, why)
    nodes = {name: _typed(name, node, named) for name, node in lifted.items() if not isinstance(node, Unlifted)}
    notes = tuple(line for name, node in nodes.items() for line in noted("map", name, node))
    made = steps.project(relation, nodes, notes)
    _check_types(made.schema, named)

    outputs = {n: node if isinstance(node, exp.Column) else made.schema[n] for n, node in nodes.items()}

    def as_python(parent: Relation, why: str) -> Relation:
        return _map_cells(parent, given, outputs, why)

    return _or_python(made, given, as_python) if given.lift else as_python(relation, "lift=False")


def _named_types(schema: object) -> dict[str, Type]:
    if schema is None or schema == "sample":
        return {}
    from mdfsql.arrow import given_schema  # as above

    return dict(given_schema(schema))


def _typed(name: str, node: exp.Expr, named: Mapping[str, Type]) -> exp.Expr:
    """Return a lifted column as the type that schema= names: a cast that raises where a value does not fit."""
    plain_cast = name in named and (named[name] in INTEGERS | FLOATS or named[name].startswith("DECIMAL"))
    return exp.Cast(this=node, to=data_type(named[name])) if plain_cast else node


def _check_names(names: Iterable[str], named: Mapping[str, Type]) -> None:
    if absent := named.keys() - set(names):
        raise BindError(f"schema= names {min(absent)!r}, which is no column of the result: {', '.join(names)}")


def _check_passed(relation: Relation, outputs: Mapping[str, exp.Expr | Type], named: Mapping[str, Type]) -> None:
    """Check the types that are given for columns which the function does not compute as Python."""
    nodes = {name: outputs[name].copy() for name in named if isinstance(outputs[name], exp.Expr)}  # type: ignore[union-attr]
    if nodes:
        _check_types(steps.project(relation, nodes).schema, {name: named[name] for name in nodes})


def _check_types(schema: Schema, named: Mapping[str, Type]) -> None:
    for name, type_ in named.items():
        if schema[name] != type_:
            raise BindError(f"schema= says that {name!r} is {type_}, but the function gives {schema[name]}")


def _map_cells(relation: Relation, given: RowFunction, outputs: Mapping[str, exp.Expr | Type], why: str) -> Relation:
    """Compute the outputs that are types by Python, each for itself where the function's text shows how."""
    captured = given.source()
    found = shape(captured, relation.schema)
    lifted = {n: node.copy() for n, node in outputs.items() if isinstance(node, exp.Expr)}
    if found is not None and found.apart:
        # What the function may change on the way, SQL would see as it was.
        lifted = {n: node for n, node in lifted.items() if found.changed & {c.name for c in node.find_all(exp.Column)}}
    types = steps.project(relation, lifted).schema if lifted else {}
    outputs = {n: types.get(n, node) for n, node in outputs.items()}
    if found is None or not found.apart:
        return _through(relation, given, "row", outputs, why=why)
    names = [name for name, node in outputs.items() if not isinstance(node, exp.Expr)]
    kind, function, read = cells(given.function, captured, list(relation.schema), names)
    return _through(relation, given, kind, outputs, why=why, function=function, read=read)


def _map_whole(
    relation: Relation,
    given: RowFunction,
    why: str,
    error: CannotLift,
    types: dict[str, Type],
    named: Mapping[str, Type],
    sample: Callable[[], Mapping[str, Type]] | None,
) -> Relation:
    """Run a function of which nothing was lifted: columns that it passes on, by its text, do not go through it."""
    found = shape(given.captured, relation.schema) if given.captured is not None else None
    if sample is not None:
        types = {**sample(), **types}
    if found is None:
        if not types:
            raise given.untyped(error, ())
        return _through(relation, given, "row", types, why=why)
    assert given.captured is not None
    guesses = {name: guess_types(given.captured, relation.schema, values) for name, values in found.keys.items()}
    types = {name: type_ for name, type_ in guesses.items() if type_ is not None} | types
    unknown = [name for name, values in found.keys.items() if values and name not in types]
    if unknown:
        raise given.untyped(error, unknown)
    outputs: dict[str, exp.Expr | Type] = {
        n: types[n] if values else _typed(n, column(n), named) for n, values in found.keys.items()
    }
    _check_names(outputs, named)
    _check_passed(relation, outputs, named)
    return _map_cells(relation, given, outputs, why)


# ---- flat_map, batches -------------------------------------------------------------------------------------------


def flat_map_rows(relation: Relation, given: RowFunction, schema: object) -> Relation:
    """Give zero or more rows for each row; none, where Python would raise only because a value is None."""
    named = _named_types(schema)
    types = {n: t for n, t in (item_types(given.given) or {}).items() if t is not None} | named

    def as_python(parent: Relation, why: str) -> Relation:
        return _through(parent, given, "rows", types, why=why)

    try:
        rows = lift_rows(given.source(), relation.schema)
    except CannotLift as error:
        why = given.refused(error)
        if not types:
            raise given.untyped(error, ()) from None
        return as_python(relation, why)
    notes = [f"flat_map: {word} {node.sql('duckdb')}" for word, node in rows.conditions() if node is not None]
    columns = [line for name, node in rows.columns.items() for line in noted("flat_map", name, node)]
    made = steps.unnest_rows(relation, rows, (*notes, *columns))
    _check_types(made.schema, named)
    types = dict(made.schema)
    return _or_python(made, given, as_python) if given.lift else as_python(relation, "lift=False")


def map_batches(relation: Relation, function: Callable[..., Any], schema: object) -> Relation:
    """Compute Arrow batches anew, by a function from a record batch to a record batch or a table."""
    given = RowFunction(function, "map_batches", "fallback", lift=False)
    types = _named_types(schema) or dict(relation.schema)
    return _through(relation, given, "batches", types, why="it is given batches", read=list(relation.schema))


# ---- functions within expressions --------------------------------------------------------------------------------


class Functions:
    """Resolves the row functions within a step's expressions: to SQL, or to hidden columns that Python computes.

    ``relation`` is what the step is done on: the given one, with the hidden columns added.
    """

    def __init__(
        self, relation: Relation, step: str, known: Mapping[int, RowFunction] | None = None, forced: str = ""
    ) -> None:
        """Begin a step; ``forced`` says why all of its functions run as Python, ``known`` are functions met before."""
        self._step, self._forced = step, forced
        self.known = dict(known or {})
        self._given = self.relation = relation
        self.notes: tuple[str, ...] = ()

    def resolve(self, node: exp.Expr, name: str | None = None, *, predicate: bool = False) -> exp.Expr:
        """Return an expression without row functions."""
        found = [n for n in node.find_all(exp.Placeholder) if FUNCTION in n.meta]
        for placeholder in found:
            truth = isinstance(placeholder.parent, exp.Where) or (predicate and placeholder is node)
            made = self._made(placeholder.meta[FUNCTION], truth)
            if placeholder is node:
                node = made
            else:
                placeholder.replace(made)
        if found:
            self.notes += noted(self._step, name, node)
        return node

    def _made(self, function: Callable[..., Any], truth: bool) -> exp.Expr:
        given = self.known.get(id(function)) or RowFunction(function, self._step)
        self.known[id(function)] = given
        schema = self._given.schema
        try:
            lifted = (lift_predicate if truth else lift_value)(given.source(), schema, self._given.present)
        except CannotLift as error:
            type_ = "BOOLEAN" if truth else self._type(given, error)
            return self._hidden(given, type_, given.refused(error), truth)
        if not self._forced:
            return lifted
        type_ = steps.project(self._given, {"it": lifted}).schema["it"]
        return self._hidden(given, type_, self._forced, truth)

    def _type(self, given: RowFunction, error: CannotLift) -> Type:
        found = value_type(given.given)
        if found is None and given.captured is not None and not error.mistake:
            found = guess_types(given.captured, self._given.schema, returned(given.captured))
        if found is None:
            raise error.advised("to run it as Python, annotate what it returns, as in def f(row) -> float")
        return found

    def _hidden(self, given: RowFunction, type_: Type, why: str, truth: bool) -> exp.Expr:
        name = _unused("_python", self.relation.schema)
        outputs = {**_columns(self.relation.schema), name: type_}
        read = given.reads(self._given.schema)
        kind, run = ("truth", given.function) if truth else ("values", (given.function,))
        self.relation = _through(self.relation, given, kind, outputs, why=why, function=run, read=read)
        return column(name)

    def finish(self, make: Callable[[Functions], Relation]) -> Relation:
        """Return the step that ``make`` does; an engine without exact SQL for its functions may run them as Python."""
        made = make(self)
        if self.known and not self._forced:
            reasons: list[str] = []

            def warn(why: str) -> None:
                reasons.append(why)
                next(iter(self.known.values())).warn(why)

            def as_python(parent: Relation) -> Relation:
                return make(Functions(parent, self._step, self.known, reasons[-1]))

            made.alternative = Alternative(as_python, warn)
        return made
