"""Python's expressions and statements, one function at a time."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from mdfsql.capture import Captured
from mdfsql.lift_calls import call, called
from mdfsql.lift_constants import Raises
from mdfsql.lift_lists import comprehension, field_of, holds, is_list, list_item, list_slice
from mdfsql.lift_match import desugared
from mdfsql.lift_methods import METHODS, arithmetic, date_part, formatted, item_of, lookup, sliced, text
from mdfsql.lift_operators import compare, contains, minus
from mdfsql.lift_parts import (
    NEW_DICT,
    REFUSED,
    Binding,
    Result,
    Rows,
    Thought,
    Unbound,
    alone,
    as_columns,
    as_scalar,
    cell,
    computed,
    elements,
    flags,
    identical,
    items,
    merged,
    overwrite,
    remembered,
    returns,
    settled,
    settled_all,
    static_attribute,
    wrapped,
)
from mdfsql.lift_values import (
    UNKNOWN,
    Items,
    Key,
    Refusal,
    Row,
    Test,
    Thing,
    Value,
    branch,
    conjunction,
    constant,
    decided,
    disjunction,
    flag,
    known,
    marked,
    opposite,
    truth,
)

__all__ = ["Lifter"]

MAX_TURNS = 32  # of an unrolled loop


@dataclass
class Lifter:
    """Lifts one call of one function: its names, and what is known not to be None at the place it has come to."""

    captured: Captured
    names: dict[str, Thought]
    nonnull: frozenset[Key] = frozenset()
    depth: int = 0
    certain: bool = True  # every row comes here
    elements: int = 0  # of lists, which are gone through at this place

    def __post_init__(self) -> None:
        for name, value in self.captured.arguments.items():
            self.names.setdefault(name, wrapped(value))

    @property
    def body(self) -> ast.AST:
        node = self.captured.node
        return node.body if isinstance(node, ast.Lambda) else node

    def predicate(self) -> Test:
        """Return the function's result as a truth value."""
        result = self.run(Lifter.test)
        assert isinstance(result, Test)
        return result

    def result(self, finish: Finish | None = None) -> Thought:
        """Return the function's result, of which ``finish`` makes what it is."""
        result = self.run(finish or Lifter.expression)
        assert not isinstance(result, (Test, Rows))
        return result

    def run(self, finish: Finish) -> Result:
        node = self.captured.node
        if isinstance(node, ast.Lambda):
            return finish(self, node.body)
        return self.block(list(node.body), finish)

    @contextmanager
    def placed(self, node: ast.AST) -> Any:
        """Give a refusal the place of ``node``, unless a part of it has given its own."""
        try:
            yield
        except Refusal as refusal:
            mistake = refusal.mistake or (self.certain and isinstance(refusal, Raises))
            raise self.captured.refuse(refusal.reason, node, refusal.suggestion, mistake=mistake) from None
        except RecursionError:
            raise self.captured.refuse("this is nested too deeply", node) from None

    # --- statements ---------------------------------------------------------------------------------------------------

    def block(self, todo: list[ast.stmt | Binding], finish: Finish) -> Result:
        """Return what the statements return; what they compute on the way counts, used or not."""
        pending: list[Value] = []
        place: ast.AST = self.captured.node
        while todo:
            statement = todo.pop(0)
            place = statement.node if isinstance(statement, Binding) else statement
            if isinstance(statement, ast.Return):
                result = finish(self, statement.value or ast.copy_location(ast.Constant(None), statement))
                break
            if isinstance(statement, ast.If) and (returns(statement.body) or returns(statement.orelse)):
                result = self.parted(statement, todo, finish)
                break
            self.step(statement, todo, pending)
        else:
            result = finish(self, ast.copy_location(ast.Constant(None), place))
        with self.placed(place):
            for value in reversed(pending):
                result = settled(value, result)
        return result

    def parted(self, statement: ast.If, rest: list[ast.stmt | Binding], finish: Finish) -> Result:
        """Return the result of an ``if`` with a return in it: each way goes on to the end."""
        test = self.test(statement.test)
        if test.const is not None:
            return self.block([*(statement.body if test.const else statement.orelse), *rest], finish)
        yes = self.at(test.nonnull_true).block([*statement.body, *rest], finish)
        no = self.at(test.nonnull_false).block([*statement.orelse, *rest], finish)
        with self.placed(statement):
            return merged(test, yes, no)

    def at(self, nonnull: frozenset[Key]) -> Lifter:
        """Return a lifter for a branch, with names of its own."""
        return replace(self, names=dict(self.names), nonnull=self.nonnull | nonnull, certain=False)

    def step(self, statement: ast.stmt | Binding, todo: list[ast.stmt | Binding], pending: list[Value]) -> None:
        """Do one statement that does not return."""
        if isinstance(statement, Binding):
            self.bind(statement.target, statement.value, pending)
        elif isinstance(statement, ast.Assign):
            value = self.expression(statement.value)
            for target in statement.targets:
                value = self.bind(target, value, pending)
        elif isinstance(statement, ast.AnnAssign):
            if statement.value is not None:
                self.bind(statement.target, self.expression(statement.value), pending)
        elif isinstance(statement, ast.AugAssign):
            if not isinstance(statement.target, ast.Name):
                raise self.captured.refuse("changing a dict in place is not lifted", statement, NEW_DICT)
            old = ast.copy_location(ast.Name(statement.target.id, ast.Load()), statement.target)
            both = ast.copy_location(ast.BinOp(old, statement.op, statement.value), statement)
            if isinstance(self.expression(old), (Row, Items, Thing)):
                raise self.captured.refuse("changing a container in place is not lifted", statement, NEW_DICT)
            self.bind(statement.target, self.expression(both), pending)
        elif isinstance(statement, ast.If):
            self.fork(statement, pending)
        elif isinstance(statement, ast.For):
            todo[:0] = self.unrolled(statement)
        elif isinstance(statement, ast.Match):
            todo[:0] = desugared(self, statement)
        elif isinstance(statement, ast.Pass) or (
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        ):
            return
        else:
            reason, suggestion = REFUSED.get(
                type(statement), (f"a {type(statement).__name__} statement is not lifted", None)
            )
            raise self.captured.refuse(reason, statement, suggestion)

    def bind(self, target: ast.expr, value: Thought, pending: list[Value]) -> Thought:
        if isinstance(target, ast.Name):
            self.names[target.id] = value = remembered(value, pending)
            return value
        if isinstance(target, (ast.Tuple, ast.List)):
            with self.placed(target):
                parts = elements(value)
            if len(parts) != len(target.elts):
                raise self.captured.refuse(f"{len(parts)} values for {len(target.elts)} names", target)
            for part, inner in zip(parts, target.elts, strict=True):
                self.bind(inner, part, pending)
            return value
        raise self.captured.refuse("only plain names can be assigned to", target, NEW_DICT)

    def fork(self, statement: ast.If, pending: list[Value]) -> None:
        """Do an ``if`` without a return: the names that it assigns become choices."""
        test = self.test(statement.test)
        if test.const is not None:
            inner: list[ast.stmt | Binding] = [*(statement.body if test.const else statement.orelse)]
            while inner:
                self.step(inner.pop(0), inner, pending)
            return
        if test.poison or test.raises:
            with self.placed(statement.test):
                value = flag(test)
            value = marked(value)
            pending.append(value)
            test = replace(test, strict=test.strict | value.strict, uses=test.uses | value.uses)
        ways = []
        for body, nonnull in ((statement.body, test.nonnull_true), (statement.orelse, test.nonnull_false)):
            way = self.at(nonnull)
            computed: list[Value] = []
            inner = list(body)
            while inner:
                way.step(inner.pop(0), inner, computed)
            ways.append((way, computed))
        (yes, _), (no, _) = ways
        for way, computed in ways:
            # A name of one way alone is not kept after it.
            fresh = [v for n, v in way.names.items() if v is not self.names.get(n) and n in yes.names and n in no.names]
            for value in computed:
                if not any(value.mark in v.strict for v in fresh if isinstance(v, Value)):
                    raise self.captured.refuse("a value that may be an error is computed but not kept", statement)
        for name in dict.fromkeys((*yes.names, *no.names)):
            one, other = yes.names.get(name), no.names.get(name)
            if one is other:
                continue
            if one is None or other is None:
                self.names[name] = Thing(Unbound(name))
                continue
            with self.placed(statement):
                self.bind(ast.Name(name, ast.Store()), merged(test, one, other), pending)  # type: ignore[arg-type]

    def unrolled(self, statement: ast.For) -> list[ast.stmt | Binding]:
        if statement.orelse:
            raise self.captured.refuse("for ... else is not lifted", statement)
        with self.placed(statement.iter):
            items = elements(self.expression(statement.iter))
        if len(items) > MAX_TURNS:
            raise self.captured.refuse(f"a loop of {len(items)} turns is too long to unroll", statement.iter)
        turns: list[ast.stmt | Binding] = []
        for item in items:
            turns += [Binding(statement.target, item, statement), *statement.body]
        return turns

    # --- truth --------------------------------------------------------------------------------------------------------

    def test(self, node: ast.expr) -> Test:
        """Return whether Python finds ``node`` true."""
        with self.placed(node):
            if isinstance(node, ast.BoolOp):
                return self.junction(node)
            if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
                return opposite(self.test(node.operand))
            if isinstance(node, ast.Compare):
                return self.comparison(node)
            if isinstance(node, ast.IfExp):
                test = self.test(node.test)
                if test.const is not None:
                    return self.test(node.body if test.const else node.orelse)
                yes = self.at(test.nonnull_true).test(node.body)
                return branch(test, yes, self.at(test.nonnull_false).test(node.orelse))
            if isinstance(node, ast.Call):
                result = call(self, node, as_test=True)
                assert not isinstance(result, Rows)
                return result if isinstance(result, Test) else self.true_of(result)
            return self.true_of(self.expression(node))

    def true_of(self, result: Thought) -> Test:
        if isinstance(result, Value):
            return truth(result)
        if isinstance(result, Row):
            return settled_all(computed(result), decided(bool(result.columns)))
        if isinstance(result, Items):
            return settled_all(result.parts, decided(bool(result.parts)))
        return decided(bool(result.value))

    def junction(self, node: ast.BoolOp) -> Test:
        conjoined = isinstance(node.op, ast.And)
        result = self.test(node.values[0])
        for operand in node.values[1:]:
            if result.const is not None and result.const is not conjoined:
                return result
            here = self.at(result.nonnull_true if conjoined else result.nonnull_false)
            result = (conjunction if conjoined else disjunction)(result, here.test(operand))
        return result

    def comparison(self, node: ast.Compare) -> Test:
        left = self.expression(node.left)
        result: Test | None = None
        here = self
        for op, comparator in zip(node.ops, node.comparators, strict=True):
            right = here.expression(comparator)
            with here.placed(node):
                link = here.link(op, left, right)
            result = link if result is None else conjunction(result, link)
            if result.const is False:
                return result
            here, left = self.at(result.nonnull_true), right
            if isinstance(left, Value):
                left = known(left, here.nonnull)
        assert result is not None
        return result

    def link(self, op: ast.cmpop, left: Thought, right: Thought) -> Test:
        if isinstance(op, (ast.In, ast.NotIn)):
            found = self.membership(left, right)
            return found if isinstance(op, ast.In) else opposite(found)
        left, right = as_scalar(left), as_scalar(right)
        if not isinstance(left, Value) or not isinstance(right, Value):
            raise Refusal("only scalar values are compared", "compare the columns one by one")
        if isinstance(op, (ast.Is, ast.IsNot)):
            found = identical(left, right)
            return found if isinstance(op, ast.Is) else opposite(found)
        return compare(op, left, right)

    def membership(self, left: Thought, right: Thought) -> Test:
        if not isinstance(left, Value):
            raise Refusal("only scalar values are looked up with in")
        if isinstance(right, Row):
            if not left.is_const:
                raise Refusal("only a constant is looked up among the row's keys")
            return decided(left.const in right.columns)
        if isinstance(right, Thing):
            return contains(left, right.value)
        if isinstance(right, Items):
            tests = []
            for part in right.parts:
                if not isinstance(part, Value) or "float" in (part.kind, left.kind):
                    raise Refusal("in finds floats by identity, which SQL does not have", "write the == out")
                tests.append(compare(ast.Eq(), left, part))
            if any(t.poison or t.fails for t in tests):
                raise Refusal("in a container of computed values is not lifted", "write the == out")
            result = decided(False)
            for test in tests:
                result = disjunction(result, test)
            return result
        if is_list(right):
            return holds(right, left, self)
        return truth(METHODS["str"]["__contains__"](right, left))

    # --- expressions --------------------------------------------------------------------------------------------------

    def expression(self, node: ast.expr) -> Thought:
        """Return the value of ``node``."""
        lift = EXPRESSIONS.get(type(node))
        if lift is None:
            reason, suggestion = REFUSED.get(type(node), (f"{type(node).__name__} is not lifted", None))
            raise self.captured.refuse(reason, node, suggestion)
        with self.placed(node):
            result = lift(self, node)
            return known(result, self.nonnull) if isinstance(result, Value) else result

    def value(self, node: ast.expr) -> Value:
        """Return the value of ``node``, which must be a scalar."""
        result = self.expression(node)
        if not isinstance(result, Value):
            raise self.captured.refuse("a scalar value is wanted here", node)
        return result

    def name(self, node: ast.Name) -> Thought:
        if node.id in self.names:
            found = self.names[node.id]
            if isinstance(found, Thing) and isinstance(found.value, Unbound):
                raise Refusal(f"{node.id} is not assigned on every path", "assign it before the if")
            return found
        if node.id in self.captured.locals:
            raise Refusal(f"{node.id} is used before it is assigned")
        try:
            return wrapped(self.captured.lookup(node.id))
        except NameError as error:
            raise Refusal(str(error)) from None

    def chosen(self, node: ast.IfExp) -> Thought:
        test = self.test(node.test)
        if test.const is not None:
            return self.expression(node.body if test.const else node.orelse)
        yes = self.at(test.nonnull_true).expression(node.body)
        no = self.at(test.nonnull_false).expression(node.orelse)
        result = merged(test, yes, no)
        assert not isinstance(result, (Test, Rows))
        return result

    def logical(self, node: ast.BoolOp) -> Thought:
        """Return ``a or b``, ``a and b``: one of the operands, not a bool."""
        *firsts, last = node.values
        conjoined = isinstance(node.op, ast.And)
        head: ast.expr = firsts[0]
        if len(firsts) > 1:
            head = ast.copy_location(ast.BoolOp(node.op, firsts), node)
        left = self.expression(head)
        test = self.true_of(left)
        if test.const is not None:
            return self.expression(last) if test.const is conjoined else left
        right = self.at(test.nonnull_true if conjoined else test.nonnull_false).expression(last)
        if all(isinstance(v, Value) and v.type == "BOOLEAN" and not v.none for v in (left, right)):
            return flag((conjunction if conjoined else disjunction)(test, self.true_of(right)))
        if conjoined:
            return merged(test, right, left)  # type: ignore[return-value]
        if isinstance(left, Value):
            left = known(left, test.nonnull_true)
        return merged(test, left, right)  # type: ignore[return-value]

    def unary(self, node: ast.UnaryOp) -> Thought:
        if isinstance(node.op, ast.Not):
            return flag(self.test(node))
        value = self.value(node.operand)
        if isinstance(node.op, ast.USub):
            return minus(value)
        if isinstance(node.op, ast.UAdd):
            return minus(minus(value)) if value.is_const else arithmetic(ast.Add(), value, constant(0))
        raise Refusal("~ is not lifted", 'use "not"')

    def binary(self, node: ast.BinOp) -> Thought:
        left, right = self.expression(node.left), self.expression(node.right)
        if isinstance(left, Row) or isinstance(right, Row):
            if isinstance(node.op, ast.BitOr):
                columns = dict(as_columns(left))
                overwrite(columns, as_columns(right))
                return Row(columns)
            raise Refusal("a row takes part in no arithmetic", "name a column")
        if isinstance(node.op, (ast.BitAnd, ast.BitOr)):
            return flags(node.op, left, right)
        if isinstance(left, Value) and isinstance(right, Value):
            return arithmetic(node.op, left, right)
        raise Refusal("only scalar values take part in arithmetic")

    def subscript(self, node: ast.Subscript) -> Thought:
        of = self.expression(node.value)
        if isinstance(node.slice, ast.Slice):
            ends = [self.value(e) if e is not None else None for e in (node.slice.lower, node.slice.upper)]
            if node.slice.step is not None or not isinstance(of, Value):
                raise Refusal("only strings are sliced, and without a step")
            return list_slice(of, *ends) if is_list(of) else sliced(of, *ends)
        key = self.value(node.slice)
        if isinstance(of, Value) and of.kind in ("list", "struct"):
            return list_item(of, key) if of.kind == "list" else field_of(of, key)
        if isinstance(of, Row):
            return cell(of, key)
        if isinstance(of, Value):
            return item_of(of, key)
        if isinstance(of, Thing) and key.is_const:
            try:
                return wrapped(of.value[key.const])
            except Exception as error:
                raise Raises(f"Python raises {type(error).__name__} on every row: {error}") from None
        if isinstance(of, Thing) and isinstance(of.value, dict):
            return self.looked_up(of.value, key, None)
        if (
            isinstance(of, Items)
            and key.is_const
            and type(key.const) is int
            and -len(of.parts) <= key.const < len(of.parts)
        ):
            return alone(of.parts[key.const], of.parts)
        raise Refusal("only a row, a constant container or a slice of a string can stand before [ ]")

    def looked_up(self, table: Mapping[Any, Any], key: Value, default: Value | None) -> Value:
        return lookup(table, key, default, lambda k: compare(ast.Eq(), key, constant(k)))

    def attribute(self, node: ast.Attribute) -> Thought:
        of = self.expression(node.value)
        if isinstance(of, Row):
            raise Refusal(
                f"a row is a dict and has no attribute {node.attr}",
                f'write {ast.unparse(node.value)}["{node.attr}"]',
                mistake=True,
            )
        if isinstance(of, Value):
            return date_part(of, node.attr)
        if isinstance(of, Thing):
            return wrapped(static_attribute(of.value, node.attr))
        raise Refusal(f"the attribute {node.attr} is not lifted")

    def joined(self, node: ast.JoinedStr) -> Thought:
        parts = [self.value(part) for part in node.values]
        result = constant("")
        for part in parts:
            if not (part.is_const and part.const == ""):
                empty = result.is_const and result.const == ""
                result = part if empty else arithmetic(ast.Add(), result, part)
        return result

    def field(self, node: ast.FormattedValue) -> Thought:
        if node.conversion not in (-1, ord("s")):
            raise Refusal("!r and !a are not lifted")
        value = self.value(node.value)
        spec = self.value(node.format_spec) if node.format_spec is not None else constant("")
        if not spec.is_const:
            raise Refusal("a format that depends on the row is not lifted")
        return formatted(text(value) if node.conversion == ord("s") and spec.const else value, spec.const)

    def mapping(self, node: ast.Dict, value_of: Callable[[ast.expr], Value] | None = None) -> Thought:
        columns: dict[str, Value] = {}
        if node.keys and None not in node.keys and value_of is None:
            # A table of constants, {1: "one"}.
            pairs = [(self.expression(k), self.expression(v)) for k, v in zip(node.keys, node.values, strict=True) if k]
            plain = [(k.const, v.const) for k, v in pairs if isinstance(k, Value) and isinstance(v, Value)]
            if len(plain) == len(pairs) and all(k is not UNKNOWN and v is not UNKNOWN for k, v in plain):
                table = dict(plain)
                if any(type(k) is not str for k in table):
                    return Thing(table)
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                with self.placed(value):
                    overwrite(columns, as_columns(self.expression(value)))
                continue
            overwrite(columns, {self.key(key): (value_of or self.value)(value)})
        return Row(columns)

    def key(self, node: ast.expr) -> str:
        key = self.value(node)
        if not key.is_const or type(key.const) is not str:
            raise self.captured.refuse("a column's name must be a constant string", node)
        name: str = key.const
        return name

    def sequence(self, node: ast.Tuple | ast.List | ast.Set) -> Thought:
        return items(self.expression(e) for e in node.elts)

    def comprehension(self, node: ast.DictComp) -> Thought:
        columns: dict[str, Value] = {}
        for here in self.turns(node.generators):
            overwrite(columns, {here.key(node.key): here.value(node.value)})
        return Row(columns)

    def listed(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp) -> Thought:
        made = comprehension(self, node)
        return made if made is not None else items(here.expression(node.elt) for here in self.turns(node.generators))

    def turns(self, generators: Sequence[ast.comprehension]) -> Iterable[Lifter]:
        """Return a lifter for each turn of a comprehension over constants."""
        if not generators:
            return [self]
        first, *others = generators
        over = elements(self.expression(first.iter))
        if len(over) > MAX_TURNS * 8:
            raise Refusal(f"a comprehension over {len(over)} items is too long to unroll")
        found: list[Lifter] = []
        for item in over:
            here = self.at(frozenset())
            here.bind(first.target, item, [])
            tests = [here.test(t) for t in first.ifs]
            if any(t.const is None for t in tests):
                raise Refusal("which items a comprehension keeps must not depend on the row")
            if all(t.const for t in tests):
                found.extend(here.turns(others))
        return found


EXPRESSIONS: dict[type[ast.expr], Callable[[Lifter, Any], Thought]] = {
    ast.Attribute: Lifter.attribute,
    ast.BinOp: Lifter.binary,
    ast.BoolOp: Lifter.logical,
    ast.Call: called,
    ast.Compare: lambda lifter, node: flag(lifter.comparison(node)),
    ast.Constant: lambda lifter, node: constant(node.value),
    ast.Dict: Lifter.mapping,
    ast.DictComp: Lifter.comprehension,
    ast.FormattedValue: Lifter.field,
    ast.GeneratorExp: Lifter.listed,
    ast.IfExp: Lifter.chosen,
    ast.JoinedStr: Lifter.joined,
    ast.List: Lifter.sequence,
    ast.ListComp: Lifter.listed,
    ast.Name: Lifter.name,
    ast.Set: Lifter.sequence,
    ast.SetComp: Lifter.listed,
    ast.Subscript: Lifter.subscript,
    ast.Tuple: Lifter.sequence,
    ast.UnaryOp: Lifter.unary,
}

Finish: TypeAlias = "Callable[[Lifter, Any], Result]"
