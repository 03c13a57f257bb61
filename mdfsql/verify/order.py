"""What the ORDER BY and LIMIT at the top of a query define: the order of its rows, and which rows there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from mdfsql.relation import Relation
from mdfsql.steps import key_names
from mdfsql.trees import copied

__all__ = ["Defined", "defined", "misplaced", "unlimited"]


@dataclass(frozen=True)
class Defined:
    """What a query defines of its rows' order: ``keys`` are output columns, the first of the ORDER BY.

    ``hidden`` tells that keys after these are no output columns, so that they cannot be seen in a result. ``limit``
    and ``offset`` are those at the top: None where there is none, -1 where it is no plain number. ``loose`` are the
    output columns whose elements stand in no defined order, each with the separator of its texts, None for lists.
    ``chance`` tells that the query asks for the moment, a random number or a sample.
    """

    keys: tuple[str, ...] = ()
    hidden: bool = False
    limit: int | None = None
    offset: int = 0
    inner_limit: bool = False
    loose: tuple[tuple[str, str | None], ...] = ()
    chance: bool = False

    @property
    def cuts(self) -> bool:
        """Whether rows are left out by their place."""
        return self.limit is not None or self.offset != 0

    @property
    def text(self) -> str:
        """What is said of it."""
        if not self.keys:
            return "no order is defined" if not self.hidden else "ordered by what is no output column: not compared"
        more = ", and then by what is no output column: compared as far as it is seen" if self.hidden else ""
        return f"by {', '.join(self.keys)}{more}"


def defined(relation: Relation) -> Defined:
    """Return what the top of a query defines of its order."""
    tree = relation.tree
    names: list[str] = []
    hidden = False
    found = key_names(relation)
    for name in found:
        if name is None:
            hidden = True
            break
        names.append(name)
    limit, offset = tree.args.get("limit"), tree.args.get("offset")
    whole = relation.assemble()
    inner = any(node.parent is not whole for node in whole.find_all(exp.Limit, exp.Offset))
    return Defined(
        keys=tuple(names),
        hidden=hidden,
        limit=None if limit is None else _number(limit),
        offset=0 if offset is None else _number(offset),
        inner_limit=inner,
        loose=tuple(_loose(relation)),
        chance=any(map(_is_chance, whole.find_all(exp.Func))) or whole.find(exp.TableSample) is not None,
    )


def _loose(relation: Relation) -> Iterator[tuple[str, str | None]]:
    """Yield the outputs that are ``list`` or ``string_agg`` without an order of their own."""
    selects = relation.tree.selects
    if len(selects) != len(relation.schema):
        return
    for name, output in zip(relation.schema, selects, strict=True):
        value = output.unalias()
        while isinstance(value, (exp.Filter, exp.IgnoreNulls)):
            value = value.this
        if not isinstance(value, (exp.ArrayAgg, exp.GroupConcat)) or value.find(exp.Order) is not None:
            continue
        separator = value.args.get("separator")
        if isinstance(value, exp.ArrayAgg):
            yield name, None
        elif separator is None or separator.is_string:
            yield name, "," if separator is None else separator.name


CHANCE = (exp.Rand, exp.Uuid, exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime)
CHANCE_NAMES = frozenset({"now", "get_current_timestamp", "transaction_timestamp", "gen_random_uuid", "random", "uuid"})


def _is_chance(node: exp.Expr) -> bool:
    return isinstance(node, CHANCE) or (isinstance(node, exp.Anonymous) and node.name.lower() in CHANCE_NAMES)


def _number(node: exp.Expr) -> int:
    """Return the number of a LIMIT or OFFSET, -1 for one that is computed or a percentage."""
    value = node.args.get("expression")
    return int(value.name) if isinstance(value, exp.Literal) and value.is_int else -1


def unlimited(relation: Relation) -> Relation:
    """Return all the rows that a LIMIT at the top chooses from, in any order."""
    tree = copied(relation.tree)
    # DISTINCT ON keeps the first row of each, which an ORDER BY chooses.
    for part in ("limit", "offset", *(() if tree.args.get("distinct") else ("order",))):
        tree.set(part, None)
    return Relation(tree, relation.inputs, schema=relation.schema, lifted=relation.lifted)


def misplaced(left: Sequence[Any], right: Sequence[Any], same: Callable[[Any, Any], bool]) -> tuple[int, int | None]:
    """Return at how many places two sequences of order keys differ, and the first of them.

    Rows with equal keys may stand in any order among themselves: their keys do not tell.

    >>> misplaced([1, 1, 2], [1, 2, 1], lambda a, b: a == b)
    (2, 1)
    """
    wrong = [place for place, (one, two) in enumerate(zip(left, right, strict=False)) if not same(one, two)]
    return len(wrong), wrong[0] if wrong else None
