"""Which functions each engine runs, and over which kinds of values: the table that queries are held against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from mdfsql.bind import reference_functions
from mdfsql.compile import target_of
from mdfsql.dialects.base import Target
from mdfsql.dialects.dask_sql import refuse_unsteady
from mdfsql.errors import Unsupported
from mdfsql.lower.list_names import list_names
from mdfsql.lower.shown_kinds import PLAIN, Shown

__all__ = ["Support", "functions", "operators"]


@dataclass(frozen=True)
class Support:
    """What one engine makes of one function: the kinds of values that each argument may be of, or why it is refused."""

    name: str
    engine: str
    arguments: tuple[str, ...] = ()
    refusal: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the engine runs the function."""
        return self.refusal is None

    def __str__(self) -> str:
        return self.refusal if self.refusal is not None else "yes" if not self.arguments else ", ".join(self.arguments)


def functions(engines: Iterable[str] = ("spark", "dask")) -> Iterator[Support]:
    """Yield what each engine makes of each function of the reference, by name; needs no engine to be installed.

    >>> print(*(f"{one.name}: {one}" for one in functions(["spark"]) if one.name in ("sqrt", "hash")), sep="\\n")
    hash: it is not shown to answer there as DuckDB does
    sqrt: decimal double float int
    """
    targets = {engine: target_of(engine) for engine in engines}
    for name in reference_functions():
        calls = _calls(name)
        if calls:
            yield from (_support(name, calls, target) for target in targets.values())


def operators(engine: str) -> Iterator[Support]:
    """Yield what an engine runs beside functions: operators and clauses, with the kinds of values in them."""
    names = {type_.key for type_ in vars(exp).values() if isinstance(type_, type) and issubclass(type_, exp.Func)}
    called = {call.key for name in reference_functions() for call in _calls(name)}
    for construct, parts in (target_of(engine).shown or {}).items():
        # The parts of a call by name alone are numbers.
        own = sorted((part for part in parts if part and not part.isdigit()), key=lambda part: part != "this")
        if own and construct not in called and (construct not in names or construct in OPERATORS):
            yield Support(OPERATORS.get(construct, construct), engine, tuple(parts[part] for part in own))


# Constructs by the names that readers know.
OPERATORS = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "intdiv": "//", "mod": "%", "neg": "- (sign)", "dpipe": "||",
    "eq": "=", "neq": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "nullsafeeq": "IS NOT DISTINCT FROM",
    "nullsafeneq": "IS DISTINCT FROM", "bitwiseand": "&", "bitwiseor": "|", "bitwisexor": "xor", "bitwisenot": "~",
    "bitwiseleftshift": "<<", "bitwiserightshift": ">>", "and": "AND", "or": "OR", "not": "NOT", "is": "IS", "in": "IN",
    "between": "BETWEEN", "like": "LIKE", "ilike": "ILIKE", "escape": "LIKE ... ESCAPE", "case": "CASE", "if": "WHEN",
    "ordered": "ORDER BY", "group": "GROUP BY", "distinct": "DISTINCT", "window": "PARTITION BY", "filter": "FILTER",
    "similarto": "SIMILAR TO",
}  # fmt: skip


def _calls(name: str) -> list[exp.Expr]:
    """Return calls of a function as the passes see them, with each number of arguments that it may have."""
    found = []
    for count in range(5):
        arguments = ", ".join(f"a{i}" for i in range(count))
        try:
            select = sqlglot.parse_one(f"SELECT {name}({arguments})", read="duckdb")
        except SqlglotError:
            continue
        node = select.expressions[0].unalias()
        if isinstance(node, (exp.Func, exp.Binary, exp.Unary)):
            found.append(list_names(node))
    return found


def _parts(node: exp.Expr, shown: Shown) -> dict[str, str]:
    """Return the shown parts of a call: they are numbered where it has no class of its own."""
    named = isinstance(node, exp.Anonymous)
    found = shown.get(node.name.lower() if named else node.key, {})
    return {part: kinds for part, kinds in found.items() if not part or part.isdigit() == named}


def _support(name: str, calls: list[exp.Expr], target: Target) -> Support:
    if target.shown is None:
        try:
            if refuse_unsteady in target.passes:
                refuse_unsteady(calls[0])
        except Unsupported as error:
            return Support(name, target.name, refusal=error.why)
        return Support(name, target.name)
    for node in calls:
        parts = _parts(node, target.shown)
        if parts:
            order = [part for part in (*getattr(node, "arg_types", {}), *sorted(parts)) if part in parts]
            return Support(name, target.name, tuple(parts[part] for part in dict.fromkeys(order)))
        if isinstance(node, PLAIN):
            return Support(name, target.name)
    why, _ = target.refused.get(type(calls[0]), ("it is not shown to answer there as DuckDB does", None))
    return Support(name, target.name, refusal=why)
