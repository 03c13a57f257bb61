"""Python's operators on lifted values: comparisons, membership, arithmetic."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from sqlglot import exp

from mdfsql import lift_nodes as sql
from mdfsql.lift_constants import Raises, plain_member
from mdfsql.lift_values import (
    EXACT,
    INT64,
    Node,
    Refusal,
    Test,
    Value,
    by_cases,
    conjunction,
    constant,
    decided,
    disjunction,
    opposite,
    present,
    simple,
    strict,
    truth,
    union,
)

__all__ = ["arithmetic", "as_float", "compare", "contains", "minus", "none_test", "number"]

ORDERS: dict[type[ast.cmpop], type[exp.Expression]] = {
    ast.Lt: exp.LT,
    ast.LtE: exp.LTE,
    ast.Gt: exp.GT,
    ast.GtE: exp.GTE,
}

PYTHON: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}

# What Python orders and compares; bool counts as int.
COMPARABLE = frozenset(
    {"int", "float", "str", "bool", "decimal", "date", "timestamp", "timestamptz", "time", "timedelta"}
)
NUMBERS = frozenset({"int", "float", "bool"})
MAX_MEMBERS = 10_000


# --- comparisons ------------------------------------------------------------------------------------------------------


def compare(op: ast.cmpop, left: Value, right: Value) -> Test:
    """Return ``left op right``."""
    kind = type(op)
    if left.is_const and right.is_const:
        return decided(bool(folded(kind, left.const, right.const)))
    if kind in ORDERS:
        return _order(kind, left, right)
    if kind in (ast.Eq, ast.NotEq):
        test = _equal(left, right)
        return test if kind is ast.Eq else opposite(test)
    raise Refusal(f"{kind.__name__} is not lifted here")


def folded(kind: type[ast.AST], *constants: Any) -> Any:
    """Return what Python makes of constants; Refusal where it raises."""
    try:
        return PYTHON[kind](*constants)
    except Exception as error:
        raise Refusal(f"Python raises {type(error).__name__} here: {error}") from None


def _order(kind: type[ast.cmpop], left: Value, right: Value) -> Test:
    if "null" in (left.kind, right.kind):
        raise Raises("None has no order: Python raises on every row", 'test it with "is None"')
    if left.kind not in COMPARABLE or right.kind not in COMPARABLE:
        other = left if left.kind not in COMPARABLE else right
        raise Refusal(f"values of type {other.type} are not ordered by anything that both Python and SQL have")
    whole = _against_fraction(kind, left, right)
    if whole is not None:
        return whole
    left, right = _aligned(left, right, bools=True)
    cls = ORDERS[kind]
    result = sql.operation(cls, left.sql, right.sql)
    false = sql.negate(result)
    # NaN is greater than everything in SQL, and unordered in Python: only the greater side can go wrong.
    greater, lesser = (left, right) if kind in (ast.Gt, ast.GtE) else (right, left)
    if not _maybe_nan(greater):
        if _maybe_nan(lesser) and greater.kind == "float" and greater.is_const and math.isnan(greater.const):
            return _never(replace(lesser, poison=lesser.sources))
        return simple(result, left, right, false=false)
    nan = exp.IsNan(this=greater.sql)
    true = sql.both(result, sql.negate(nan))
    if left.raises or right.raises:
        # The comparison comes first, lest isnan() alone decide and an error go unseen.
        true = sql.case((result, sql.negate(nan)), (false, exp.false()))
        return simple(true, left, right)
    if lesser.none or lesser.poison:
        exact = sql.case((result, sql.negate(nan)), (false, exp.false()))
        false = sql.either(false, sql.both(nan, result))
    else:
        false, exact = sql.either(false, nan), true
    return replace(simple(true, left, right, false=false), exact=lambda: exact)


def _never(value: Value) -> Test:
    """Return the test that no value passes; Refusal where an error would be lost with it."""
    if value.poison or value.raises:
        raise Refusal("this may be an error, and is nothing else than false", "leave the test out")
    return decided(False)


def _maybe_nan(value: Value) -> bool:
    return value.kind == "float" and not (value.is_const and not math.isnan(value.const))


def _equal(left: Value, right: Value) -> Test:
    if left.type == "NULL" or right.type == "NULL":
        return none_test(left if right.type == "NULL" else right)
    if left.kind not in COMPARABLE or right.kind not in COMPARABLE:
        raise Refusal(f"== on {left.type} and {right.type} is not lifted")
    whole = _against_fraction(ast.Eq, left, right)
    if whole is not None:
        return whole
    left, right = _beside(left, right), _beside(right, left)
    # The plain columns, before any cast: what is known not to be None is known of them.
    nonnull = union([present(left) if not right.none else (), present(right) if not left.none else ()])
    left, right = _aligned(left, right, bools=left.kind != right.kind)
    if left.is_const:
        left, right = right, left
    equal = sql.operation(exp.EQ, left.sql, right.sql)
    nan_side = left if _maybe_nan(left) and _maybe_nan(right) else None
    if nan_side is None and right.kind == "float" and right.is_const and math.isnan(right.const):
        return _never(left)
    not_nan = None if nan_side is None else sql.negate(exp.IsNan(this=nan_side.sql))
    one_none = left.none != right.none
    if not left.none and not right.none:
        result = equal if not_nan is None else sql.both(equal, not_nan)
        if not_nan is not None and (left.raises or right.raises):
            # The comparison comes first, lest isnan() alone decide and an error go unseen.
            return simple(sql.case((equal, not_nan), (sql.negate(equal), exp.false())), left, right)
        if not_nan is not None and right.poison:
            # NaN on the left must not hide the error on the right.
            false = sql.either(sql.negate(equal), sql.both(sql.negate(not_nan), sql.not_null(right.sql)))
            test = simple(result, left, right, false=false)
            return replace(test, exact=lambda: by_cases(result, false))
        return simple(result, left, right)
    same = sql.operation(exp.NullSafeEQ, left.sql, right.sql)
    if not_nan is not None:
        both_numbers = sql.coalesce(not_nan, exp.true())
        ordered = left.raises or right.raises
        same = sql.case((same, both_numbers), default=exp.false()) if ordered else sql.both(same, both_numbers)
    true = equal if one_none and not_nan is None else same
    poison = left.poison | right.poison

    def exact() -> Node:
        if left.mixed or right.mixed:
            raise Refusal("a side of == may be None, or an error because something else is None")
        if not poison:
            return same
        ran = sql.both(*(sql.not_null(v.sql) for v in (left, right) if v.poison))
        return sql.case((ran, same))

    def positive() -> Node:
        # Plain equality is not true of NULL, whatever it stands for; the null-safe one is.
        return true if not poison or (one_none and not_nan is None) else exact()

    return Test(
        positive,
        lambda: sql.negate(exact()),
        exact,
        poison=poison,
        raises=left.raises or right.raises,
        risky=left.risky or right.risky,
        nonnull_true=nonnull,
        strict=left.strict | right.strict,
        uses=left.uses | right.uses,
    )


def _beside(value: Value, other: Value) -> Value:
    """Return a value as it is compared with another: with 0, its shorter form."""
    is_zero = other.is_const and other.kind == "int" and other.const == 0
    return replace(value, sql=value.zero) if is_zero and value.zero is not None else value


def none_test(value: Value) -> Test:
    """Return ``value is None``."""
    if value.type == "NULL":
        return decided(True)
    if value.kind == "match":
        return opposite(truth(value))
    if value.poison:
        raise Refusal(
            "this is an error where something in it is None, so it is never compared with None",
            "test the column itself, as in item['value'] is None",
        )
    if not value.none:
        return _never(value)
    test = simple(sql.is_null(value.sql), false=sql.not_null(value.sql))
    return replace(
        test,
        raises=value.raises,
        risky=value.risky,
        strict=value.strict,
        uses=value.uses,
        nonnull_false=present(value),
        none_of=value,
    )


def _aligned(left: Value, right: Value, bools: bool) -> tuple[Value, Value]:
    """Return both sides as SQL compares them by value, as Python does; Refusal where it would not."""
    kinds = {left.kind, right.kind}
    if kinds <= NUMBERS:
        if bools and "bool" in kinds:
            left, right = number(left), number(right)
        if left.kind != right.kind:
            return exact_float(left), exact_float(right)
        if left.type != right.type and "float" in kinds:
            return as_float(left), as_float(right)
        return left, right
    if "decimal" in kinds and kinds <= {"decimal", "int"}:
        _fitting(left, right)
    if len(kinds) == 1 or kinds == {"decimal", "int"}:
        return left, right
    hint = None
    if "decimal" in kinds:
        hint = "compare a Decimal with an int, or convert the column with SQL"
    elif "str" in kinds:
        hint = "convert one side, as in str(x)"
    raise Refusal(f"{left.name} and {right.name} are never equal, and have no order, in Python", hint)


def _fitting(*values: Value) -> None:
    """Refuse to compare Decimals that SQL brings to one type in which not all of their digits fit."""
    texts = [v.type[len("DECIMAL(") : -1] if v.kind == "decimal" else "20,0" for v in values]
    sizes = [tuple(map(int, text.split(","))) for text in texts]
    if max(p - s for p, s in sizes) + max(s for _, s in sizes) > 38:
        raise Refusal("Decimals with more than 38 digits in all are not compared exactly by SQL")


def _against_fraction(kind: type[ast.cmpop], left: Value, right: Value) -> Test | None:
    """Compare an int with a float constant exactly: a 64-bit integer is not always a DOUBLE."""
    if left.is_const and left.kind == "float" and right.kind in ("int", "bool"):
        turned = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}
        return _against_fraction(turned.get(kind, kind), right, left)
    if not (right.is_const and right.kind == "float" and left.kind in ("int", "bool")):
        return None
    bound: float = right.const
    if not math.isfinite(bound) or not -(2.0**62) < bound < 2.0**62:
        raise Refusal(f"an int against {bound} is not lifted", "compare with an int")
    if kind is ast.Eq:
        if bound != int(bound):
            raise Refusal(f"an int is never equal to {bound}")
        return compare(ast.Eq(), left, constant(int(bound)))
    # x > 1.5 is x > 1; x >= 1.5 is x >= 2.
    rounded = math.floor(bound) if kind in (ast.Gt, ast.LtE) else math.ceil(bound)
    return compare(kind(), left, constant(rounded))


# --- membership -------------------------------------------------------------------------------------------------------


def contains(value: Value, members: Any) -> Test:
    """Return ``value in members`` for a constant container."""
    if value.is_const:
        return decided(bool(folded(ast.In, value.const, members)))
    if isinstance(members, range) and members.step == 1:
        if value.kind != "int":
            raise Refusal("only an int is looked up in a range()")
        inside = conjunction(
            compare(ast.GtE(), value, constant(members.start)), compare(ast.Lt(), value, constant(members.stop))
        )
        return conjunction(opposite(none_test(value)), inside) if value.none else inside
    if not isinstance(members, (tuple, list, set, frozenset, dict, range)):
        raise Refusal(f"in {type(members).__name__} is not lifted", "use a tuple of constants")
    if len(members) > MAX_MEMBERS:
        raise Refusal(f"{len(members)} constants are too many for one query", "put them into a dataset and join")
    # The order of a set changes from run to run; the same function should give the same SQL.
    items = sorted(members, key=repr) if isinstance(members, (set, frozenset)) else list(members)
    with_none = any(m is None for m in items)
    constants = list({c.sql: c for c in _members(value, [m for m in items if m is not None])}.values())
    if not constants:
        found = decided(False)
        if value.poison or value.fails:
            raise Refusal("nothing is ever in this container")
    elif len(constants) == 1:
        found = compare(ast.Eq(), value, constants[0])
    else:
        if value.kind == "decimal":
            _fitting(value, *constants)
        aligned = [_aligned(value, c, bools=value.kind == "bool" or c.kind == "bool") for c in constants]
        listed = sql.within(aligned[0][0].sql, [c.sql for _, c in aligned])
        found = _in(value, listed)
    return disjunction(found, none_test(value)) if with_none else found


def _members(value: Value, items: Iterable[Any]) -> Iterable[Value]:
    for item in map(plain_member, items):
        member = constant(item)
        if member.kind == "float" and value.kind in ("int", "bool"):
            if not math.isfinite(item) or item != int(item):
                continue  # equal to no int
            member = constant(int(item))
        if member.kind == "float" and math.isnan(item):
            raise Refusal("nan in a container is found by identity, which SQL does not have")
        kinds = {member.kind, value.kind}
        if len(kinds) > 1 and not kinds <= NUMBERS and kinds != {"decimal", "int"}:
            raise Refusal(f"{item!r} is never equal to a {value.name}", "give constants of the column's type")
        yield member


def _in(value: Value, listed: Node) -> Test:
    if not value.none:
        return simple(listed, value)

    def exact() -> Node:
        if value.mixed:
            raise Refusal("this may be None, or an error because something else is None")
        return sql.coalesce(listed, exp.false())

    found = simple(listed, value)
    return replace(
        found, poison=value.poison, exact=exact, false=lambda: sql.negate(exact()), nonnull_false=frozenset()
    )


# --- arithmetic -------------------------------------------------------------------------------------------------------


def number(value: Value) -> Value:
    """Return a bool as the int that it is in arithmetic."""
    if value.kind != "bool":
        return value
    if value.is_const:
        return constant(int(value.const))
    return replace(value, sql=sql.cast(value.sql, "BIGINT"), type="BIGINT", test=None, natural=None)


def as_float(value: Value) -> Value:
    """Return ``float(value)`` of a number: the nearest DOUBLE."""
    if value.is_const:
        return constant(float(value.const))
    if value.type == "DOUBLE":
        return value
    # A cast keeps NULL: what is known of the column holds.
    node = sql.cast(value.sql, "DOUBLE")
    return replace(value, sql=node, type="DOUBLE", bounds=None, natural=None, test=None, zero=None)


def exact_float(value: Value) -> Value:
    """Return a number as a DOUBLE of the very same value; one past 2**53 fails the query."""
    if value.kind == "float":
        return as_float(value)
    low, high = value.bounds or INT64
    if low >= -EXACT and high <= EXACT:
        return as_float(value)
    if value.is_const:
        raise Refusal(f"{value.const} is no float, and SQL would compare it as one")
    limits = sql.either(
        sql.operation(exp.LT, value.sql, sql.literal(-EXACT, "BIGINT")),
        sql.operation(exp.GT, value.sql, sql.literal(EXACT, "BIGINT")),
    )
    failure = sql.error("an int beyond 2**53 meets a float: SQL would round it, Python would not")
    guard = sql.case((limits, failure), default=sql.cast(value.sql, "DOUBLE"))
    return replace(value, sql=guard, type="DOUBLE", bounds=None, natural=None, test=None, zero=None, risky=True)


def arithmetic(op: ast.operator, left: Value, right: Value) -> Value:
    """Return ``left op right``."""
    kind = type(op)
    if kind not in ARITHMETIC:
        raise Refusal(f"the operator {kind.__name__} is not lifted")
    if left.is_const and right.is_const:
        return constant(folded(kind, left.const, right.const))
    for side in (left, right):
        if side.type == "NULL":
            raise Raises("Python raises on every row: None has no arithmetic")
    if left.kind == right.kind == "str" and kind is ast.Add:
        return strict(sql.operation(exp.DPipe, left.sql, right.sql), "VARCHAR", left, right)
    if left.kind not in NUMBERS or right.kind not in NUMBERS:
        if "decimal" in (left.kind, right.kind):
            raise Refusal(f"Decimal arithmetic with a {left.name if right.kind == 'decimal' else right.name}")
        if "str" in (left.kind, right.kind) and kind is ast.Add:
            raise Raises(f"Python raises on every row: {left.name} + {right.name}", "use str(x) or an f-string")
        raise Refusal(f"{left.name} {SYMBOLS[kind]} {right.name} is not lifted")
    return ARITHMETIC[kind](kind, number(left), number(right))


SYMBOLS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
OPERATIONS: dict[type[ast.operator], type[exp.Expression]] = {ast.Add: exp.Add, ast.Sub: exp.Sub, ast.Mult: exp.Mul}


def _plain(kind: type[ast.operator], left: Value, right: Value) -> Value:
    if "float" in (left.kind, right.kind):
        left, right = as_float(left), as_float(right)
        return strict(sql.operation(OPERATIONS[kind], left.sql, right.sql), "DOUBLE", left, right)
    ends = [PYTHON[kind](a, b) for a in left.bounds or INT64 for b in right.bounds or INT64]
    return _whole(OPERATIONS[kind], left, right, (min(ends), max(ends)))


def _whole(cls: type[exp.Expression], left: Value, right: Value, bounds: tuple[int, int]) -> Value:
    """Return an integer operation in 64 bits, where Python's ints have as many as they need."""
    risky = bounds[0] < INT64[0] or bounds[1] > INT64[1]
    result = sql.operation(cls, *_wide(left, right))
    bounds = (max(bounds[0], INT64[0]), min(bounds[1], INT64[1]))
    return strict(result, "BIGINT", left, right, bounds=bounds, risky=risky)


def _wide(left: Value, right: Value) -> tuple[Node, Node]:
    """Return the operands with one of them a BIGINT, so that the reference computes in 64 bits."""
    if "BIGINT" in (left.natural or left.type, right.natural or right.type):
        return left.sql, right.sql
    if left.is_const:
        return left.sql, sql.cast(right.sql, "BIGINT")
    return sql.cast(left.sql, "BIGINT"), right.sql


def _guard_zero(divisor: Value, result: Value, message: str) -> Value:
    """Return ``result`` with an error where the divisor is 0, as Python has it."""
    low, high = divisor.bounds or INT64
    if divisor.is_const or (divisor.kind == "int" and (low > 0 or high < 0)):
        return result
    zero = sql.operation(exp.EQ, divisor.sql, sql.literal(0, "BIGINT"))
    return replace(result, sql=sql.case((zero, sql.error(message)), default=result.sql), raises=True)


def _divide(kind: type[ast.operator], left: Value, right: Value) -> Value:
    if right.is_const and right.const == 0:
        raise Raises("division by zero: Python raises on every row")
    if "float" in (left.kind, right.kind):
        left, right = as_float(left), as_float(right)
        message = "float division by zero"
    else:
        # Python rounds the exact quotient once; so does SQL as long as both ints are exact DOUBLEs.
        left, right = exact_float(left), exact_float(right)
        message = "division by zero"
    result = strict(sql.operation(exp.Div, left.sql, right.sql), "DOUBLE", left, right)
    return _guard_zero(right, result, message)


def _integers(kind: type[ast.operator], left: Value, right: Value) -> None:
    if "float" in (left.kind, right.kind):
        raise Refusal(
            f"{SYMBOLS[kind]} on floats: Python corrects the remainder in ways that SQL does not",
            "use ints, or write the rounding out",
        )
    if right.is_const and right.const == 0:
        raise Raises("division by zero: Python raises on every row")


def _floor(kind: type[ast.operator], left: Value, right: Value) -> Value:
    _integers(kind, left, right)
    (low, high), (least, most) = left.bounds or INT64, right.bounds or INT64
    bounds = (min(low, -high - 1), max(high, -low + 1))
    result = _whole(exp.IntDiv, left, right, bounds)
    if low < 0 or least < 0:
        # SQL truncates; Python rounds down.
        off = sql.case((_inexact(left, right), sql.literal(1, "BIGINT")), default=sql.literal(0, "BIGINT"))
        result = replace(result, sql=sql.operation(exp.Sub, result.sql, off))
    result = replace(result, risky=left.risky or right.risky or (low == INT64[0] and least <= -1 <= most))
    return _guard_zero(right, result, "integer division or modulo by zero")


def _inexact(left: Value, right: Value) -> Node:
    """Return whether a division leaves a remainder of the other sign than the divisor's."""
    rest = sql.operation(exp.Mod, *_wide(left, right))
    zero = sql.literal(0, "BIGINT")
    least, most = right.bounds or INT64
    if least > 0:
        return sql.operation(exp.LT, rest, zero)
    if most < 0:
        return sql.operation(exp.GT, rest, zero)
    signs = sql.operation(exp.NEQ, sql.operation(exp.LT, left.sql, zero), sql.operation(exp.LT, right.sql, zero))
    return sql.both(sql.operation(exp.NEQ, rest, zero), signs)


def _modulo(kind: type[ast.operator], left: Value, right: Value) -> Value:
    _integers(kind, left, right)
    (low, _), (least, most) = left.bounds or INT64, right.bounds or INT64
    size = max(abs(least), abs(most)) - 1
    result = _whole(exp.Mod, left, right, (0 if least > 0 else -size, 0 if most < 0 else size))
    if low < 0 or least < 0:
        rest = result.sql
        if least > 0 and most < 2**62:
            whole = sql.operation(exp.Mod, sql.operation(exp.Add, rest, right.sql), right.sql)
        else:
            # The remainder takes the divisor's sign.
            moved = sql.operation(exp.Add, rest, right.sql)
            whole = sql.case((_inexact(left, right), moved), default=rest)
        # Whichever sign it has, a remainder is 0 or it is not.
        result = replace(result, sql=whole, zero=rest if right.is_const else None)
    result = replace(result, risky=left.risky or right.risky or (low == INT64[0] and least <= -1 <= most))
    return _guard_zero(right, result, "integer division or modulo by zero")


ARITHMETIC: dict[type[ast.operator], Callable[[Any, Value, Value], Value]] = {
    ast.Add: _plain,
    ast.Sub: _plain,
    ast.Mult: _plain,
    ast.Div: _divide,
    ast.FloorDiv: _floor,
    ast.Mod: _modulo,
}


def minus(value: Value) -> Value:
    """Return ``-value``."""
    if value.is_const:
        return constant(folded(ast.USub, value.const))
    value = number(value)
    if value.kind == "float":
        return strict(sql.negative(as_float(value).sql), "DOUBLE", value)
    if value.kind != "int":
        raise Refusal(f"-{value.name} is not lifted")
    low, high = value.bounds or INT64
    node = value.sql if (value.natural or value.type) == "BIGINT" else sql.cast(value.sql, "BIGINT")
    return strict(sql.negative(node), "BIGINT", value, bounds=(-high, min(-low, INT64[1])), risky=low == INT64[0])
