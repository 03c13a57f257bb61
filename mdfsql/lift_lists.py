"""Lists: their elements, and what a comprehension or a function makes of each of them."""

from __future__ import annotations

import ast
import builtins
import functools
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlglot import exp

from mdfsql import lift_nodes as sql
from mdfsql.lift_methods import FUNCTIONS, length
from mdfsql.lift_operators import arithmetic, compare, number
from mdfsql.lift_parts import Result, Thought, elements, items, merged
from mdfsql.lift_values import (
    BOUNDS,
    ELEMENT,
    NEVER,
    SOMETIMES,
    Node,
    Refusal,
    Test,
    Value,
    by_cases,
    conjunction,
    constant,
    decided,
    finished,
    opposite,
    simple,
    strict,
    truth,
    union,
)
from mdfsql.schema import Type, canonical, data_type

if TYPE_CHECKING:
    from mdfsql.lift_function import Lifter

__all__ = ["Each", "comprehension", "consumed", "field_of", "holds", "is_list", "joined", "list_item", "list_slice"]

# What is compared by value alike in Python and in SQL, and is found by value in a list.
PLAIN = frozenset({"int", "str", "bool", "date"})
GENERATOR = "a generator is no value of a column"


def is_list(value: Any) -> bool:
    return isinstance(value, Value) and value.kind == "list"


def size(node: Node) -> Node:
    return exp.ArraySize(this=node)


def bracket(node: Node, place: Node) -> Node:
    simple_ = isinstance(node, (exp.Column, exp.Identifier, exp.ArrayFilter, exp.Transform))
    return exp.Bracket(this=node if simple_ else exp.Paren(this=node), expressions=[place])


def lambda_(name: str, body: Node) -> Node:
    """Return ``LAMBDA name : body``; Refusal where a column of that name would be hidden."""
    if any(found.name.lower() == name for found in body.find_all(exp.Column)):
        raise Refusal(f"a column is called {name}, as the elements of a list are in SQL", "rename the column")
    return exp.Lambda(this=body, expressions=[exp.to_identifier(name, quoted=True)])


def filtered(node: Node, name: str, body: Node) -> Node:
    return exp.ArrayFilter(this=node, expression=lambda_(name, body))


def none_of(node: Node) -> Node:
    """Return the condition that a list is empty."""
    return sql.operation(exp.EQ, size(node), sql.literal(0, "BIGINT"))


# --- each element -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Each:
    """Each element of a list for which ``kept`` is true, and what ``made`` gives for it."""

    over: Value
    name: str
    here: Lifter
    kept: Test
    made: ast.expr | None  # None: the element itself

    @property
    def value(self) -> Value:
        if self.made is None:
            return element(self.over, self.name)
        return self.here.value(self.made)

    def items(self, value: Value) -> Node:
        """Return the list of the values."""
        node = self.kept_items()
        result = finished(value)
        if isinstance(result, exp.Identifier) and result.name == self.name:
            return node
        return exp.Transform(this=node, expression=lambda_(self.name, result))

    def kept_items(self) -> Node:
        return self.over.sql if self.kept.const is True else filtered(self.over.sql, self.name, self.kept.true())

    def sound(self, value: Value, none: bool) -> Node | None:
        """Return the condition that no element is an error, as one that is None is with ``none``; None if none can."""
        wrong = bool(value.poison) or (none and value.none)
        if value.mixed and not none:
            raise Refusal("an element may be None, or an error because something else is None")
        if not wrong and not self.kept.poison:
            return None
        lost = sql.is_null(value.sql) if wrong else exp.false()
        if not self.kept.poison:
            return none_of(filtered(self.kept_items(), self.name, lost))
        # Where it may fail, AND could evaluate it for elements that are not kept.
        kept = self.kept.true()
        lost = sql.case((kept, lost), default=exp.false()) if value.fails else sql.both(kept, lost)
        lost = sql.either(sql.is_null(self.kept.exact()), lost)
        return none_of(filtered(self.over.sql, self.name, lost))

    def result(self, node: Node, type_: Type, value: Value, sound: Node | None, **more: Any) -> Value:
        """Return what is computed from all of the elements: an error where one of them is."""
        parts = (self.over, self.kept, value)
        return Value(
            node if sound is None else sql.case((sound, node)),
            type_,
            poison=self.over.sources | (NEVER if sound is None else SOMETIMES),
            raises=more.pop("raises", False) or any(p.raises for p in parts),
            risky=more.pop("risky", False) or any(p.risky for p in parts),
            strict=self.over.strict,
            uses=union(p.uses for p in parts),
            **more,
        )


def element(over: Value, name: str) -> Value:
    """Return an element of a list, under the name that it has in SQL."""
    type_ = over.type.removesuffix("[]")
    identifier = exp.to_identifier(name, quoted=True)
    return Value(identifier, type_, none=True, bounds=BOUNDS.get(type_), column=(ELEMENT, name))


def spread(lifter: Lifter, node: ast.expr) -> Each | Thought:
    """Return the elements that ``node`` goes over; its value where that is no list of the row's."""
    if not isinstance(node, (ast.ListComp, ast.GeneratorExp)):
        value = lifter.expression(node)
        return whole(lifter, value) if is_list(value) else value
    return over_list(lifter, node) or lifter.expression(node)


def over_list(lifter: Lifter, node: ast.ListComp | ast.GeneratorExp) -> Each | None:
    """Return the elements that a comprehension goes over; None where that is no list of the row's."""
    first, *others = node.generators
    value = lifter.expression(first.iter)
    if not is_list(value):
        return None
    if others:
        raise Refusal("a comprehension over two lists is not lifted", "unfold one of them with explode() first")
    if first.is_async:
        raise Refusal("async is not lifted")
    return _each(lifter, value, first.target, first.ifs, node.elt)


def whole(lifter: Lifter, value: Any) -> Each:
    """Return all the elements of a list, as they are."""
    return _each(lifter, value, None, [], None)


def _each(lifter: Lifter, over: Any, target: ast.expr | None, ifs: list[ast.expr], made: ast.expr | None) -> Each:
    here = replace(lifter.at(frozenset()), elements=lifter.elements + 1)
    name = f"_x{here.elements}"
    if target is not None:
        here.bind(target, element(over, name), [])
    kept = decided(True)
    for condition in ifs:
        test = here.test(condition)
        kept = conjunction(kept, test)
        here = here.at(test.nonnull_true)
    return Each(over, name, here, kept, made)


def comprehension(lifter: Lifter, node: ast.ListComp | ast.GeneratorExp | ast.SetComp) -> Value | None:
    """Return the list that a comprehension over a list makes; None where it goes over something else."""
    if isinstance(node, ast.SetComp):
        if is_list(lifter.expression(node.generators[0].iter)):
            raise Refusal("a set of data is not lifted: SQL has no sets", "make a list")
        return None
    each = over_list(lifter, node)
    if each is not None and isinstance(node, ast.GeneratorExp):
        raise Refusal(GENERATOR, "write [...] for a list")
    return None if each is None else listed(each)


def listed(each: Each) -> Value:
    value = each.value
    if value.type == "NULL":
        raise Refusal("a list of None alone has no type")
    return each.result(each.items(value), f"{value.type}[]", value, each.sound(value, none=False))


# --- functions of a list ----------------------------------------------------------------------------------------------


def consumed(lifter: Lifter, called: Any, node: ast.Call) -> Result | None:
    """Return a call of a function that takes one iterable; None where that is for others to lift."""
    lift = OVER.get(called) if isinstance(called, Hashable) else None
    if lift is None or len(node.args) != 1:
        return None
    return lift(lifter, node.args[0], {k.arg: k.value for k in node.keywords})


Keywords: TypeAlias = "dict[str | None, ast.expr]"


def _no_keywords(keywords: Keywords) -> None:
    if keywords:
        raise Refusal("keyword arguments are not lifted here")


def _length(lifter: Lifter, node: ast.expr, keywords: Keywords) -> Result:
    _no_keywords(keywords)
    if isinstance(node, ast.GeneratorExp):
        raise Refusal("Python raises on every row: a generator has no length", "write [...] for a list")
    each = spread(lifter, node)
    if not isinstance(each, Each):
        return length(each)
    if each.made is None:
        return strict(size(each.over.sql), "BIGINT", each.over, bounds=(0, 2**32))
    value = each.value
    # What is computed for an element is not looked at, but it may be an error.
    counted = each.items(value) if value.fails else each.kept_items()
    return each.result(size(counted), "BIGINT", value, each.sound(value, none=False), bounds=(0, 2**32))


def _list(lifter: Lifter, node: ast.expr, keywords: Keywords) -> Result:
    _no_keywords(keywords)
    each = spread(lifter, node)
    return listed(each) if isinstance(each, Each) else items(elements(each))


def _sum(lifter: Lifter, node: ast.expr, keywords: Keywords) -> Result:
    _no_keywords(keywords)
    each = spread(lifter, node)
    values: Sequence[Any] = [each.value] if isinstance(each, Each) else elements(each)
    if not all(isinstance(v, Value) and v.kind in ("int", "bool") for v in values):
        raise Refusal("sum() is lifted for ints: how floats are added changed with Python 3.12", "write the + out")
    if not isinstance(each, Each):
        return functools.reduce(functools.partial(arithmetic, ast.Add()), values, constant(0))
    value = number(values[0])
    made = each.items(value)
    total = sql.cast(exp.Anonymous(this="list_sum", expressions=[made]), "BIGINT")
    node_ = sql.case((none_of(each.kept_items()), sql.literal(0, "BIGINT")), default=total)
    return each.result(node_, "BIGINT", value, each.sound(value, none=True), risky=True, bounds=BOUNDS["BIGINT"])


def _extreme(name: str, cls: type[exp.Expression]) -> Callable[..., Result]:
    several = FUNCTIONS[getattr(builtins, name)]

    def extreme(lifter: Lifter, node: ast.expr, keywords: Keywords) -> Result:
        if keywords.keys() - {"default"}:
            raise Refusal(f"{name}() with {', '.join(f'{k}=' for k in keywords)} is not lifted")
        each = spread(lifter, node)
        if not isinstance(each, Each):
            if keywords:
                raise Refusal("keyword arguments are not lifted here")
            found = elements(each)
            # A call with one argument would go over that argument.
            return found[0] if len(found) == 1 else several(*found)
        value = each.value
        if value.kind not in PLAIN:
            raise Refusal(f"{name}() over a list of {value.name} is not lifted", "ints, strings, bools and dates are")
        if each.kept.poison and (value.none or keywords):
            raise Refusal("the condition of the comprehension may be an error because something is None")
        made, empty = each.items(value), none_of(each.kept_items())
        # One element alone is compared with nothing: it may be None.
        sound = each.sound(value, none=True)
        if sound is not None and value.none:
            if value.mixed:
                raise Refusal("an element may be None, or an error because something else is None")
            sound = sql.either(sound, sql.operation(exp.EQ, size(each.kept_items()), sql.literal(1, "BIGINT")))
        best: Node = cls(this=made)
        if "default" not in keywords:
            best = sql.case((empty, sql.error(f"{name}() arg is an empty sequence")), default=best)
        raises = "default" not in keywords
        result = each.result(best, value.type, value, sound, none=value.none, bounds=value.bounds, raises=raises)
        if "default" not in keywords:
            return result
        default = lifter.value(keywords["default"])
        if default.poison or default.fails or each.over.fails:
            raise Refusal("a default beside values that may be errors is not lifted")
        return merged(simple(empty, each.over), default, result)

    return extreme


def _some(every: bool) -> Callable[..., Result | None]:
    def some(lifter: Lifter, node: ast.expr, keywords: Keywords) -> Result | None:
        _no_keywords(keywords)
        each: Any
        if isinstance(node, ast.GeneratorExp):
            each = over_list(lifter, node)
            test = each and each.here.test(each.made)
        else:
            each = spread(lifter, node)
            if isinstance(each, Each) and each.made is not None:
                # A list is made first, whole; only a generator stops at the element that decides.
                each = whole(lifter, listed(each))
            test = isinstance(each, Each) and truth(each.value)
        if not isinstance(each, Each):
            return None
        return opposite(found(each, opposite(test))) if every else found(each, test)

    return some


def found(each: Each, test: Test) -> Test:
    """Return whether ``test`` is true of one of the elements, of which Python looks at no more than it needs."""
    over, name, test = each.over, each.name, conjunction(each.kept, test)
    if test.raises:
        raise Refusal("any() and all() stop at the element that decides; a later one that raises would fail in SQL")

    if not test.poison:

        def true() -> Node:
            hits = size(filtered(over.sql, name, test.true()))
            return sql.operation(exp.GT, hits, sql.literal(0, "BIGINT"))

        def false() -> Node:
            return none_of(filtered(over.sql, name, test.true()))

        exact = true
    else:

        def decisive() -> Node:
            codes = exp.Transform(this=over.sql, expression=lambda_(name, test.exact()))
            code = exp.to_identifier(name, quoted=True)
            return filtered(codes, name, sql.coalesce(code, exp.true()))

        def true() -> Node:
            # The first that is true or an error: TRUE or NULL.
            return bracket(decisive(), sql.literal(0, "BIGINT"))

        def false() -> Node:
            return none_of(decisive())

        def exact() -> Node:
            return by_cases(true(), false())

    column = frozenset({over.column}) if over.column else frozenset()
    return Test(
        true,
        false,
        exact,
        poison=over.sources | (SOMETIMES if test.poison else NEVER),
        raises=over.raises,
        risky=over.risky or test.risky,
        nonnull_true=column,
        nonnull_false=column,
        strict=over.strict,
        uses=over.uses | test.uses,
    )


OVER: dict[Any, Callable[..., Result | None]] = {
    builtins.all: _some(every=True),
    builtins.any: _some(every=False),
    builtins.len: _length,
    builtins.list: _list,
    builtins.max: _extreme("max", exp.ArrayMax),
    builtins.min: _extreme("min", exp.ArrayMin),
    builtins.sum: _sum,
}


def joined(lifter: Lifter, separator: Value, node: ast.Call) -> Value:
    """Return ``separator.join(list)``."""
    if len(node.args) != 1 or node.keywords:
        raise Refusal("join() takes one argument")
    each = spread(lifter, node.args[0])
    parts: Sequence[Any] = [each.value] if isinstance(each, Each) else elements(each)
    if not all(isinstance(p, Value) and p.kind == "str" for p in parts):
        raise Refusal("join() takes strings", "convert each, as in str(x)")
    if not isinstance(each, Each):
        glued = [p for part in parts for p in (separator, part)][1:] or [constant("")]
        whole: Value = functools.reduce(functools.partial(arithmetic, ast.Add()), glued)
        # Python looks at the separator and at every part, also where nothing is put together.
        if len(parts) < 2 and not separator.is_const:
            raise Refusal("join() of less than two parts by what depends on the row is not lifted")
        looked = (separator, *parts)
        return whole if all(p.is_const for p in looked) else strict(whole.sql, "VARCHAR", *looked)
    if not separator.is_const:
        raise Refusal("the separator of join() must be a constant")
    value = parts[0]
    made = exp.ArrayToString(this=each.items(value), expression=separator.sql)
    return each.result(made, "VARCHAR", value, each.sound(value, none=True))


# --- one element, a part, a field -------------------------------------------------------------------------------------


def holds(of: Value, left: Value, lifter: Lifter) -> Test:
    """Return ``left in of``."""
    each = whole(lifter, of)
    member = each.value
    if "float" in (left.kind, member.kind):
        raise Refusal("in finds floats by identity, which SQL does not have", "write any(x == y for x in ...)")
    if left.kind == member.kind and left.kind in PLAIN and not left.none:
        return simple(exp.ArrayContains(this=of.sql, expression=left.sql), left, of)
    if left.poison or left.fails:
        raise Refusal("a value that may be an error is looked up in a list")
    return found(each, compare(ast.Eq(), left, member))


def list_item(of: Value, key: Value) -> Value:
    """Return ``of[key]``."""
    if not key.is_const or type(key.const) is not int:
        raise Refusal("the index of a list must be a constant int")
    at: int = key.const
    # The node counts from 0, and negative positions from -2, as the reference's parser has it.
    place = sql.literal(at, "BIGINT") if at >= 0 else sql.literal(at - 1, "BIGINT")
    node = bracket(of.sql, place)
    short = sql.operation(exp.LT, size(of.sql), sql.literal(at + 1 if at >= 0 else -at, "BIGINT"))
    type_ = of.type.removesuffix("[]")
    checked = sql.case((short, sql.error("list index out of range")), default=node)
    return strict(checked, type_, of, raises=True, none=True, bounds=BOUNDS.get(type_))


def list_slice(of: Value, start: Value | None, stop: Value | None) -> Value:
    """Return ``of[start:stop]`` for bounds from the front."""
    low, high = (None if end is None else end.const for end in (start, stop))
    if not all(end is None or (type(end) is int and end >= 0) for end in (low, high)):
        raise Refusal("the ends of a list's slice must be constants, from 0 up")
    ends = exp.Slice(
        this=sql.literal((low or 0) + 1, "BIGINT"),
        expression=None if high is None else sql.literal(high, "BIGINT"),
    )
    return strict(bracket(of.sql, ends), of.type, of)


def field_of(value: Value, key: Value) -> Value:
    """Return ``value[key]`` of a STRUCT, which is a dict in Python."""
    if not key.is_const:
        raise Refusal("which field is read must not depend on the row")
    types = {f.name: f.args["kind"] for f in data_type(value.type).expressions}
    if key.const not in types:
        raise Refusal(f"KeyError: there is no field {key.const!r}; there are {', '.join(types)}", mistake=True)
    type_ = canonical(types[key.const].sql("duckdb"))
    node = exp.StructExtract(this=value.sql, expression=exp.Literal.string(key.const))
    return strict(node, type_, value, none=True, bounds=BOUNDS.get(type_))
