"""Relational steps: each takes a relation and returns the next, merged into one SELECT where the clauses allow."""

from __future__ import annotations

import dataclasses
import difflib
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from sqlglot import exp

from mdfsql.bind import bind
from mdfsql.errors import BindError, CannotLift, DataError
from mdfsql.relation import Origin, Relation, all_of, column, identifier
from mdfsql.schema import INTEGERS, Schema, data_type
from mdfsql.trees import copied

if TYPE_CHECKING:
    from mdfsql.lift_rows import Unnested

__all__ = [
    "NoFunctions",
    "aggregate",
    "compound",
    "distinct",
    "filter_rows",
    "hash_text",
    "hinted",
    "join",
    "key_names",
    "keyed",
    "kept_order",
    "limit",
    "order",
    "own_name",
    "project",
    "unnest_rows",
    "unordered",
    "wrap",
]

INPUT = "_0"

# What a SELECT of all columns may hold so that the next step can still go into it.
ROWS = frozenset({"expressions", "from_", "where", "order", "kind"})
CUT = ROWS | {"limit", "offset"}


Arguments = ParamSpec("Arguments")


# Steps that change no value of the rows that they keep.
KEEPING = ("filter_rows", "hinted", "limit", "order")


def _step(
    function: Callable[Concatenate[Relation, Arguments], Relation],
) -> Callable[Concatenate[Relation, Arguments], Relation]:
    """Let a step leave in the relation that it makes how to do the step again, upon another relation."""

    @functools.wraps(function)
    def step(relation: Relation, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Relation:
        made = function(relation, *args, **kwargs)
        if made is relation:
            return made  # nothing was to be done: it stays what another step made
        made.origin = Origin(lambda other: step(other, *map(_copied, args), **kwargs), relation)
        if function.__name__ in KEEPING:
            made.present = relation.present
        return made

    return step


def _copied(given: Any) -> Any:
    """Return an argument with its trees copied: those that it holds have become parts of a query."""
    if isinstance(given, exp.Expr):
        return copied(given)
    if dataclasses.is_dataclass(given) and not isinstance(given, type):
        return type(given)(*(_copied(getattr(given, field.name)) for field in dataclasses.fields(given)))
    if isinstance(given, dict):
        return {key: _copied(value) for key, value in given.items()}
    return [_copied(value) for value in given] if isinstance(given, list) else given


def _layer(relation: Relation, may_hold: frozenset[str]) -> tuple[exp.Select, dict[str, Any]]:
    """Return a SELECT * to go on with, and its inputs: the relation's own where it is plain enough, else a new one."""
    tree = relation.tree
    if isinstance(tree, exp.Select) and len(tree.expressions) == 1 and type(tree.expressions[0]) is exp.Star:
        held = {key for key, arg in tree.args.items() if arg}
        if held <= may_hold and list(relation.inputs) == [INPUT] and not _is_long(tree):
            return copied(tree), relation.inputs
    select = wrap()
    order_ = kept_order(relation)
    if order_ is not None:
        select.set("order", order_)
    return select, {INPUT: relation}


MOST_PREDICATES = 20  # each step is bound with the layer that it is merged into


def _is_long(select: exp.Select) -> bool:
    """Tell whether many predicates were merged already."""
    where = select.args.get("where")
    node = where.this if where is not None else None
    for _ in range(MOST_PREDICATES - 1):
        if not isinstance(node, exp.And):
            return False
        node = node.this
    return True


def wrap(name: str = INPUT) -> exp.Select:
    """Return ``SELECT * FROM`` the named input."""
    return all_of(name)


def kept_order(relation: Relation) -> exp.Order | None:
    """Return the order of a relation as keys over its output, so that the steps after it keep it.

    None where it has none, or where a key is no output column.
    """
    order_ = relation.tree.args.get("order")
    if order_ is None:
        return None
    keys = []
    for key, name in zip(order_.expressions, key_names(relation), strict=True):
        if name is None:
            return None
        keys.append(
            exp.Ordered(this=column(name, INPUT), desc=key.args.get("desc"), nulls_first=key.args.get("nulls_first"))
        )
    return exp.Order(expressions=keys)


def key_names(relation: Relation) -> list[str | None]:
    """Return which output column each key of the order is, None for one that is none."""
    outputs = {name.lower(): name for name in relation.schema}
    sources = {
        _bare(s.unalias()): s.alias_or_name
        for s in getattr(relation.tree, "selects", [])
        if not isinstance(s, exp.Star)
    }
    order_ = relation.tree.args.get("order")
    names: list[str | None] = []
    for key in order_.expressions if order_ is not None else ():
        this = key.this
        if isinstance(this, exp.Literal) and this.is_int and 0 < int(this.name) <= len(outputs):
            names.append(list(relation.schema)[int(this.name) - 1])
        elif not sources:
            names.append(outputs.get(this.name.lower()) if isinstance(this, exp.Column) else None)
        elif isinstance(this, exp.Column) and not this.table and this.name.lower() in outputs:
            names.append(outputs[this.name.lower()])
        else:
            names.append(sources.get(_bare(this)))
    return names


def _bare(node: exp.Expr) -> str:
    """Return the text of an expression without the name of the only input, which may be written or not."""
    return node.sql("duckdb").replace(f'"{INPUT}".', "")


class NoFunctions:
    """Stands for ``fallback.Functions`` in a step without row functions: nothing that reads Python is loaded."""

    notes: tuple[str, ...] = ()

    def __init__(self, relation: Relation) -> None:
        self.relation = relation

    def resolve(self, node: exp.Expr, name: str | None = None, *, predicate: bool = False) -> exp.Expr:
        """Return the expression as it is."""
        return node

    def finish(self, make: Callable[[Any], Relation]) -> Relation:
        """Return the step that ``make`` does."""
        return make(self)


@_step
def filter_rows(relation: Relation, predicates: Iterable[exp.Expr], lifted: tuple[str, ...] = ()) -> Relation:
    """Keep the rows for which every predicate is true."""
    select, inputs = _layer(relation, ROWS)
    for predicate in predicates:
        found = predicate.find(exp.Window, exp.AggFunc)
        if found is not None:
            what = "a window function" if isinstance(found, exp.Window) else "an aggregate"
            raise BindError(f"a filter cannot hold {what}: make it a column first, and filter on that")
        where = select.args.get("where")
        if where is None:
            select.set("where", exp.Where(this=predicate))
        elif _may_raise(predicate):
            # Engines test the parts of an AND in any order; inside CASE a row that was dropped raises nothing.
            branch = exp.If(this=where.this, true=predicate)
            where.set("this", exp.Case(ifs=[branch], default=exp.false()))
        else:
            where.set("this", exp.And(this=_paren(where.this), expression=_paren(predicate)))
    return Relation(select, inputs, lifted=_inherited(relation, inputs) + lifted)


def _may_raise(node: exp.Expr) -> bool:
    return any(call.name == "error" for call in node.find_all(exp.Anonymous))


def _paren(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node) if isinstance(node, exp.Or) else node


def _inherited(relation: Relation, inputs: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the notes of a layer that a step was merged into, which the new layer takes over."""
    return () if any(given is relation for given in inputs.values()) else relation.lifted


@_step
def project(
    relation: Relation, outputs: Mapping[str, exp.Expr], lifted: tuple[str, ...] = (), *, schema: Schema | None = None
) -> Relation:
    """Compute the named output columns."""
    if not outputs:
        raise BindError("no column is left: a dataset needs at least one")
    spread = any(node.find(exp.Window, exp.Unnest, exp.Explode) for node in outputs.values())
    select, inputs = _layer(relation, ROWS - {"order"} if spread else CUT)
    if select.args.get("order") is not None:
        # Qualified, so that a key is the input's column and not an output of the same name.
        for key in select.args["order"].expressions:
            for found in key.find_all(exp.Column):
                if not found.table:
                    found.set("table", identifier(INPUT))
    select.set("expressions", [_named(name, node) for name, node in outputs.items()])
    return Relation(select, inputs, lifted=_inherited(relation, inputs) + lifted, schema=schema)


@_step
def unnest_rows(relation: Relation, rows: Unnested, lifted: tuple[str, ...] = ()) -> Relation:
    """Compute several rows for each row."""
    if rows.sound is not None:
        relation = filter_rows(relation, [rows.sound])
    if rows.over is not None:
        outputs: dict[str, exp.Expr] = {name: column(name) for name in relation.schema}
        relation = project(relation, {**outputs, rows.element: exp.Explode(this=rows.over)})
    if rows.kept is not None:
        relation = filter_rows(relation, [rows.kept])
    return project(relation, rows.columns, lifted)


def _named(name: str, node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Column) and node.name == name:
        return node
    return exp.alias_(node, identifier(name))


@_step
def aggregate(
    relation: Relation, keys: Mapping[str, exp.Expr], outputs: Mapping[str, exp.Expr], lifted: tuple[str, ...] = ()
) -> Relation:
    """Group by the keys and compute one row a group; with no keys, one row."""
    select, inputs = _layer(relation, ROWS)
    select.set("order", None)
    projections = [_named(name, copied(node)) for name, node in keys.items()]
    select.set("expressions", projections + [_named(name, node) for name, node in outputs.items()])
    if keys:
        select.set("group", exp.Group(expressions=list(keys.values())))
    return Relation(select, inputs, lifted=_inherited(relation, inputs) + lifted)


@_step
def distinct(relation: Relation) -> Relation:
    """Keep each different row once."""
    select, inputs = _layer(relation, frozenset({"expressions", "from_", "where"}))
    select.set("order", None)
    select.set("distinct", exp.Distinct())
    return Relation(select, inputs, lifted=_inherited(relation, inputs))


@_step
def order(relation: Relation, keys: Sequence[exp.Ordered], lifted: tuple[str, ...] = ()) -> Relation:
    """Put the rows in order; a later order takes the place of an earlier one."""
    select, inputs = _layer(relation, ROWS)
    select.set("order", exp.Order(expressions=list(keys)))
    return Relation(select, inputs, lifted=_inherited(relation, inputs) + lifted)


@_step
def keyed(relation: Relation, names: Sequence[str | None]) -> Relation:
    """Add the keys of the order as columns: those that have a name here."""
    tree = copied(relation.tree)
    keys = tree.args["order"].expressions
    added = [exp.alias_(copied(k.this), identifier(n)) for k, n in zip(keys, names, strict=True) if n is not None]
    tree.set("expressions", [*tree.expressions, *added])
    return Relation(tree, relation.inputs, lifted=relation.lifted)


@_step
def unordered(relation: Relation) -> Relation:
    """Leave the order out, for who puts it back; where a LIMIT goes by it, it stays."""
    tree = relation.tree
    if tree.args.get("order") is None or tree.args.get("limit") or tree.args.get("offset"):
        return relation
    tree = copied(tree)
    tree.set("order", None)
    return Relation(tree, relation.inputs, schema=relation.schema, lifted=relation.lifted)


@_step
def limit(relation: Relation, count: int | None, offset: int = 0) -> Relation:
    """Keep ``count`` rows after leaving out ``offset``."""
    if (count is not None and count < 0) or offset < 0:
        raise DataError("a limit and an offset are 0 or more")
    tree = relation.tree
    if isinstance(tree, exp.Select) and not any(tree.args.get(k) for k in ("limit", "offset", "hint", "with_")):
        select, inputs = copied(tree), relation.inputs
    else:
        select, inputs = _layer(relation, frozenset())
    if count is not None:
        select.set("limit", exp.Limit(expression=exp.Literal.number(count)))
    if offset:
        select.set("offset", exp.Offset(expression=exp.Literal.number(offset)))
    return Relation(select, inputs, schema=relation.schema, lifted=_inherited(relation, inputs))


@_step
def hinted(relation: Relation, hint: exp.Expr) -> Relation:
    """Attach a hint about layout."""
    select = wrap()
    order_ = kept_order(relation)
    if order_ is not None:
        select.set("order", order_)
    select.set("hint", exp.Hint(expressions=[hint]))
    return Relation(select, {INPUT: relation}, schema=relation.schema)


JOINS = {
    "inner": {},
    "left": {"side": "LEFT"},
    "right": {"side": "RIGHT"},
    "full": {"side": "FULL"},
    "semi": {"kind": "SEMI"},
    "anti": {"kind": "ANTI"},
    "cross": {"kind": "CROSS"},
}


def join(
    left: Relation,
    right: Relation,
    on: Sequence[str] | exp.Expr | Callable[..., Any] | None,
    how: str,
    suffixes: tuple[str, str],
) -> Relation:
    """Join two relations, called ``l`` and ``r`` inside the layer."""
    if how not in JOINS:
        raise BindError(f"there is no join {how!r}; the joins are {', '.join(JOINS)}")
    if (on is None or on == []) != (how == "cross"):
        raise BindError("a cross join takes no on=" if how == "cross" else f"a join of kind {how} needs on=")
    keys: dict[str, str] = {}
    condition: exp.Expr | None = None
    if callable(on):
        from mdfsql.lift import lift_join  # as above

        try:
            condition = lift_join(on, left.schema, right.schema, "l", "r")
        except CannotLift as error:
            # As Python it would have to see every pair of rows.
            raise error if error.mistake else error.advised("join on columns, then filter() by the function") from None
    elif isinstance(on, exp.Expr):
        condition = on
    elif on is not None:
        for name in on:
            own = own_name(name, left.schema, "the left dataset")
            keys[own] = own_name(name, right.schema, "the right dataset")
        pairs = [exp.EQ(this=column(a, "l"), expression=column(b, "r")) for a, b in keys.items()]
        condition = exp.and_(*pairs, copy=False)
    sides = {"l": left.schema, "r": right.schema}
    listed = _join_columns(left.schema, right.schema, keys, how, suffixes)
    outputs = [_renamed(column(name, side), name, new) for side, name, new in listed]
    for place, name in enumerate(left.schema if how in ("right", "full") else ()):
        if name in keys:
            # The key of a row that only the right side has comes from there.
            both = exp.Coalesce(this=column(name, "l"), expressions=[column(keys[name], "r")])
            outputs[place] = exp.alias_(both, identifier(name))
    joining = exp.Join(this=exp.Table(this=identifier("r")), on=condition, **JOINS[how])
    select = exp.Select(expressions=outputs, from_=exp.From(this=exp.Table(this=identifier("l"))), joins=[joining])
    schema = None
    if how not in ("right", "full") and len({new.lower() for *_, new in listed}) == len(listed):
        # Nothing but the condition can be wrong, and that is bound alone: a chain of joins has ever more columns.
        schema = Schema({new: sides[side][name] for side, name, new in listed})
        if condition is not None:
            select.set("expressions", outputs[:1])
            bind(select, sides)
            select.set("expressions", outputs)
    return Relation(select, {"l": left, "r": right}, schema=schema)


def _join_columns(
    left: Schema, right: Schema, keys: Mapping[str, str], how: str, suffixes: tuple[str, str]
) -> list[tuple[str, str, str]]:
    """Return which columns a join lists: the side of each, its name there, and its name in the join."""
    if how in ("semi", "anti"):
        return [("l", name, name) for name in left]
    taken = {name.lower() for name in left if name not in keys}
    others = set(keys.values())
    rest = [name for name in right if name not in others]
    clash = taken & {name.lower() for name in rest} | {k.lower() for k in keys} & {n.lower() for n in rest}
    listed = [("l", name, name + suffixes[0] if name.lower() in clash and name not in keys else name) for name in left]
    return listed + [("r", name, name + suffixes[1] if name.lower() in clash else name) for name in rest]


def _renamed(node: exp.Column, name: str, new: str) -> exp.Expr:
    return node if new == name else exp.alias_(node, identifier(new))


COMPOUNDS = {"union": exp.Union, "intersect": exp.Intersect, "except": exp.Except}


def compound(kind: str, left: Relation, right: Relation, *, all: bool) -> Relation:
    """Combine two relations by position; where types differ, both sides are cast to what the reference unites."""
    if len(left.schema) != len(right.schema):
        raise BindError(
            f"{kind} needs the same number of columns: {len(left.schema)} ({', '.join(left.schema)}) "
            f"and {len(right.schema)} ({', '.join(right.schema)})"
        )
    inputs = {INPUT: left, "_1": right}
    if list(left.schema.values()) != list(right.schema.values()):
        united = Relation(_compound(kind, wrap(), wrap("_1"), all), inputs).schema
        cast_left, cast_right = _cast_side(INPUT, left.schema, united), _cast_side("_1", right.schema, united)
        return Relation(_compound(kind, cast_left, cast_right, all), inputs)
    return Relation(_compound(kind, wrap(), wrap("_1"), all), inputs)


def _compound(kind: str, left: exp.Select, right: exp.Select, all: bool) -> exp.Query:
    return COMPOUNDS[kind](this=left, expression=right, distinct=not all)


def _cast_side(name: str, own: Schema, united: Schema) -> exp.Select:
    outputs = [
        column(n) if own[n] == type_ else exp.alias_(exp.Cast(this=column(n), to=data_type(type_)), identifier(n))
        for n, type_ in zip(own, united.values(), strict=True)
    ]
    return exp.Select(expressions=outputs, from_=exp.From(this=exp.Table(this=identifier(name))))


# The text of these is the same on every engine; that of floats and timestamps is not.
HASHED = INTEGERS | {"VARCHAR", "DATE", "BOOLEAN"}


def hash_text(schema: Schema, key: Sequence[str] | None, seed: int) -> exp.Expr:
    """Return the md5 text of a row's key columns and a seed: 32 hexadecimal digits, the same on every engine.

    Without a key, all columns whose text is the same on every engine count.
    """
    names = [own_name(name, schema) for name in key] if key else [n for n, t in schema.items() if t in HASHED]
    bad = [f"{name} ({schema[name]})" for name in names if schema[name] not in HASHED]
    if bad or not names:
        what = f"cannot hash {', '.join(bad)}" if bad else "no column can be hashed"
        raise BindError(f"{what}: name key columns that are integers, strings, dates or booleans with key=")
    parts: list[exp.Expr] = [exp.Literal.string(f"{seed}")]
    for name in names:
        node: exp.Expr = column(name)
        if schema[name] != "VARCHAR":
            node = exp.Cast(this=node, to=data_type("VARCHAR"))
        # A prefix for values and none for NULL, so that NULL and '' differ.
        marked = exp.DPipe(this=exp.Literal.string("|"), expression=node, safe=False)
        parts.append(exp.Coalesce(this=marked, expressions=[exp.Literal.string("-")]))
    text = parts[0]
    for part in parts[1:]:
        text = exp.DPipe(this=text, expression=part, safe=False)
    return exp.MD5(this=text)


def own_name(name: str, schema: Schema, what: str = "the dataset") -> str:
    """Return a column's own spelling; BindError with the names that are near where there is no such column."""
    if name in schema:
        return name
    own = {n.lower(): n for n in schema}
    if isinstance(name, str) and name.lower() in own:
        return own[name.lower()]
    near = [own[n] for n in difflib.get_close_matches(str(name).lower(), list(own), 3)]
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it has {', '.join(schema)}"
    raise BindError(f"{what} has no column {name!r}; {hint}")
