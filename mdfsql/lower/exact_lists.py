"""Lists, structs and maps: every function of theirs is written with what Spark has, or refused."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.exact_structs import STRUCTS, has_key, packed
from mdfsql.lower.list_aggregates import LIST_AGGREGATES, spelled
from mdfsql.lower.list_functions import LISTS, Function, contains, items_of, joined_lists, sort, value_like
from mdfsql.lower.nested_values import order_key, present, size
from mdfsql.lower.rules import call, case, cast, each, kind, literal_text, null, number, paren, raised, refuse, text
from mdfsql.lower.value_types import common, same_type

__all__ = ["NESTED", "exact_lists"]

NESTED: dict[str, Function] = {**LISTS, **LIST_AGGREGATES, **STRUCTS}


def exact_lists(tree: exp.Expr) -> exp.Expr:
    """An index outside of a list gives NULL, and inside of lists NULL is a value that is greater than all others."""
    return each(tree, RULES)


def _named(node: Any) -> exp.Expr | None:
    if node.name == "list_reduce":
        return _reduce(node)
    found = NESTED.get(node.name)
    if found is None:
        return None
    if len(node.expressions) not in found.arity:
        refuse(f"{node.name}() with {len(node.expressions)} arguments", "that form is not shown to agree there")
    return found.rule(node)


def _contains(node: Any) -> exp.Expr | None:
    arguments = exp.Anonymous(this="list_contains", expressions=[node.this.copy(), node.expression.copy()])
    arguments.type = node.type
    found = kind(node.this)
    return contains(arguments) if found == "list" else has_key(arguments) if found == "map" else None


def _pipe(node: Any) -> exp.Expr | None:
    return joined_lists(node) if "list" in (kind(node.this), kind(node.expression)) else None


def _size(node: Any) -> exp.Expr:
    return cast(size(node.this), "BIGINT")


def _explode(node: Any) -> None:
    place = node.parent.parent if isinstance(node.parent, exp.Alias) else node.parent
    if not isinstance(place, exp.Select) or kind(node.this) != "list":
        refuse("unnest() inside of an expression, or of no list", "Spark unnests lists that stand alone", "a subquery")


def _array(node: Any) -> exp.Expr | None:
    if isinstance(node.parent, (exp.PercentileCont, exp.PercentileDisc, exp.Quantile)) and node.arg_key != "this":
        return None  # its shares, which are constants
    kinds = {kind(item) for item in node.expressions} - {"null"}
    if not kinds:
        if isinstance(node.parent, exp.Cast):
            # The engine's own cast makes any list of a list of nothing.
            node.parent.meta["exact"] = True
        return None
    queried = any(isinstance(item.unnest(), exp.Query) for item in node.expressions)
    if queried and not node.args.get("value_constructor"):
        refuse("ARRAY over a query", "it is not shown to agree there", "(SELECT list(x ORDER BY x) FROM ...)")
    both = common([item.type for item in node.expressions])
    if "double" in kinds and kinds <= {"int", "decimal", "double"}:
        kinds = {"double"}
    plain = all(kind(item) == "null" or same_type(item.type, both) for item in node.expressions)
    if both is None or len(kinds) != 1 or kinds == {"unknown"} or (kinds == {"decimal"} and not plain):
        refuse("a list of values of mixed types", "its type is not the same everywhere", "CAST the values")
    if plain:
        return None
    made = exp.Array(expressions=[_like(item, both) for item in node.expressions])
    made.type = node.type
    return made


def _like(item: exp.Expr, dtype: exp.DataType) -> exp.Expr:
    """Return an item as one of a type: a cast that exact_casts writes out."""
    if same_type(item.type, dtype):
        return item.copy()
    made = exp.Cast(this=item.copy(), to=dtype.copy())
    made.type = dtype
    return made


def _dot(node: Any) -> exp.Expr | None:
    if kind(node.this) == "map":
        arguments = [node.this.copy(), text(node.expression.name)]
        made = exp.Anonymous(this="array_extract", expressions=arguments)
        return STRUCTS["array_extract"].rule(made)
    if kind(node.this) != "struct":
        refuse("a field of what is no struct", "it is not shown to agree there")
    return None


# --- lambdas ----------------------------------------------------------------------------------------------------------


def _body(node: Any, made: Any) -> exp.Expr:
    """Return what a lambda computes of each element."""
    if not isinstance(made, exp.Lambda):
        refuse("this instead of a lambda", "it is not shown to agree there")
    if made.find(exp.Query, exp.AggFunc, exp.Window):
        refuse("a query or an aggregate within a lambda", "it is not shown to agree there")
    names = [parameter.name.lower() for parameter in made.expressions]
    if any(found.table.lower() in names for found in made.find_all(exp.Column)):
        refuse("a lambda whose parameter has a table's name", "its columns would be hidden there", "another name")
    body: exp.Expr = made.this
    return body


def _counted(node: Any) -> None:
    """Let the position that a lambda takes count from 1."""
    made = node.expression
    if len(made.expressions) == 1:
        return
    if len(made.expressions) != 2:
        refuse("a lambda of more than a value and its position", "it is not shown to agree there")
    name = made.expressions[1].name
    for found in list(made.this.find_all(exp.Identifier)):
        if found.name.lower() != name.lower() or not _is_variable(found, made):
            continue
        # Typed as an INT, it would overflow sooner than the reference's.
        place = exp.Add(this=cast(found, "BIGINT"), expression=number(1))
        place.type = place.this.type
        put = exp.Paren(this=place)
        put.type = place.type
        if found is made.this:
            made.set("this", put)
        else:
            found.replace(put)


def _is_variable(node: exp.Identifier, of: exp.Lambda) -> bool:
    """Tell whether a name stands for a parameter of this lambda, not of one inside of it."""
    parent = node.parent
    if isinstance(parent, (exp.Column, exp.Lambda)) and not (isinstance(parent, exp.Lambda) and node.arg_key == "this"):
        return False
    if isinstance(parent, exp.Dot) and node.arg_key == "expression":
        return False
    inner = node.find_ancestor(exp.Lambda)
    while inner is not None and inner is not of:
        if node.name.lower() in (parameter.name.lower() for parameter in inner.expressions):
            return False
        inner = inner.find_ancestor(exp.Lambda)
    return inner is of


def _transform(node: Any) -> None:
    items_of(node.this, "list_transform()")
    if kind(_body(node, node.expression)) in ("unknown", "null"):
        refuse("list_transform() to values of no known type", "it is not shown to agree there", "CAST the value")
    _counted(node)


def _filter(node: Any) -> None:
    items_of(node.this, "list_filter()")
    if kind(_body(node, node.expression)) != "bool":
        refuse("list_filter() by what is no BOOLEAN", "it is not shown to agree there", "compare it")
    _counted(node)


def _reduce(node: Any) -> exp.Expr:
    items, step, *start = node.expressions
    found = items_of(items, "list_reduce()")
    body = _body(node, step)
    if len(step.expressions) != 2:
        refuse("list_reduce() with a position", "Spark has none there", "list_zip() with range()")
    if not same_type(body.type, found):
        refuse("list_reduce() to another type than the values have", "the values are cast in another way", "CAST them")
    if start:
        first, rest = value_like(start[0], found, "list_reduce()"), items
    else:
        first = call("TRY_ELEMENT_AT", items, cast(number(1), "INTEGER"))
        length = call("GREATEST", size(items), cast(number(1), "INTEGER"))
        rest = call("SLICE", items, cast(number(2), "INTEGER"), length)
        rest.type = items.type
    name = found.sql("duckdb")
    made = exp.Anonymous(
        this="AGGREGATE",
        expressions=[
            rest.copy(),
            cast(first, name),
            exp.Lambda(this=cast(body, name), expressions=[p.copy() for p in step.expressions]),
        ],
    )
    made.type = found
    if start:
        return made
    none = exp.EQ(this=size(items), expression=number(0))
    return case((none, raised("cannot perform list_reduce on an empty list")), default=made)


# --- text and order ---------------------------------------------------------------------------------------------------


def _joined(node: Any) -> exp.Expr:
    separator = literal_text(node.expression)
    if separator is None:
        refuse("array_to_string() with a separator that is no constant", "it is not shown to agree there")
    values = spelled(node.this, "array_to_string()")
    made = call("ARRAY_JOIN", values, separator, type="VARCHAR")
    # Of NULL alone the reference makes NULL, of nothing ''.
    lost = exp.And(
        this=exp.GT(this=size(values), expression=number(0)),
        expression=exp.EQ(this=size(present(values)), expression=number(0)),
    )
    return case((lost, null()), default=made)


def _ordered(node: Any) -> None:
    if kind(node.this) in ("list", "struct"):
        node.set("this", order_key(node.this, node.this.type))


def _compared(node: Any) -> exp.Expr | None:
    if kind(node.this) not in ("list", "struct"):
        return None
    sides = [order_key(side, side.type) for side in (node.this, node.expression)]
    return type(node)(this=paren(sides[0]), expression=paren(sides[1]))


def _between(node: Any) -> exp.Expr | None:
    if kind(node.this) not in ("list", "struct"):
        return None
    parts = {part: order_key(node.args[part], node.args[part].type) for part in ("this", "low", "high")}
    return exp.Between(**parts)


# --- maps are no keys -------------------------------------------------------------------------------------------------


def _apart(what: str, *nodes: Any) -> None:
    for node in nodes:
        dtype = node.type
        if dtype is not None and any(part.this == exp.DataType.Type.MAP for part in dtype.find_all(exp.DataType)):
            refuse(f"{what} of a MAP", "not every Spark compares maps", "map_entries()")


def _select(node: Any) -> None:
    if node.args.get("distinct"):
        _apart("DISTINCT", *node.selects)
    if node.args.get("group"):
        _apart("GROUP BY", *node.args["group"].expressions)


def _set(node: Any) -> None:
    if node.args.get("distinct") or not isinstance(node, exp.Union):
        _apart(node.key.upper(), *node.left.selects, *node.right.selects)


RULES: dict[type[exp.Expr], Any] = {
    exp.Anonymous: _named,
    exp.Array: _array,
    exp.ArrayFilter: _filter,
    exp.ArraySize: _size,
    exp.ArraySort: sort,
    exp.ArrayToString: _joined,
    exp.Between: _between,
    exp.Contains: _contains,
    exp.DPipe: _pipe,
    exp.Distinct: lambda node: _apart("DISTINCT", *node.expressions),
    exp.Dot: _dot,
    exp.Except: _set,
    exp.Explode: _explode,
    exp.GT: _compared,
    exp.GTE: _compared,
    exp.Intersect: _set,
    exp.LT: _compared,
    exp.LTE: _compared,
    exp.Ordered: _ordered,
    exp.Select: _select,
    exp.Struct: packed,
    exp.Transform: _transform,
    exp.Union: _set,
    exp.Window: lambda node: _apart("PARTITION BY", *node.args.get("partition_by") or ()),
}
