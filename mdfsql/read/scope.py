"""The names that can be seen at one place of a query, and the parts of which a query is made."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.read.calls import MARK
from mdfsql.read.meaning import Refused

__all__ = ["Outputs", "Scope", "check_parts", "function_name", "renamed"]

Outputs = list[tuple[str, "exp.DataType | None"]]

# The parts that each construct of a query may have; any other part is refused.
PARTS: dict[type[exp.Expr], frozenset[str]] = {
    cls: frozenset(parts.split())
    for cls, parts in {
        exp.Select: "with_ expressions from_ joins laterals where group having windows qualify distinct order limit "
        "offset hint",
        exp.Union: "this expression distinct with_ order limit offset",
        exp.Intersect: "this expression distinct with_ order limit offset",
        exp.Except: "this expression distinct with_ order limit offset",
        exp.Subquery: "this alias",
        exp.Table: "this alias joins",
        exp.TableAlias: "this columns",
        exp.With: "expressions recursive",
        exp.CTE: "this alias",
        exp.Values: "expressions alias",
        exp.Join: "this side kind on using method",
        exp.Group: "expressions rollup cube grouping_sets all",
        exp.Rollup: "expressions",
        exp.Cube: "expressions",
        exp.GroupingSets: "expressions",
        exp.Distinct: "expressions on",
        exp.Ordered: "this desc nulls_first",
        exp.Order: "expressions this",
        exp.Limit: "expression",
        exp.Offset: "expression",
        exp.Fetch: "direction count limit_options",
        exp.LimitOptions: "rows",
        exp.Window: "this partition_by order spec alias over",
        exp.WindowSpec: "kind start start_side end end_side",
        exp.Unnest: "expressions alias offset",
        exp.In: "this expressions query unnest",
        exp.Case: "this ifs default",
        exp.Between: "this low high",
        exp.Column: "this table",
        exp.Star: "except_",
        exp.Anonymous: "this expressions",
        exp.Bracket: "this expressions offset safe",
    }.items()
}


class Scope:
    """The names that can be seen at one place of a query."""

    def __init__(self, parent: Scope | None = None) -> None:
        self.parent = parent
        self.ctes: dict[str, Outputs] = dict(parent.ctes) if parent else {}
        self.sources: dict[str, Outputs] = {}
        self.aliases: dict[str, exp.DataType | None] = {}
        # Whether names of outputs are seen where it is read now.
        self.sees_aliases = False

    def column(self, name: str, table: str) -> tuple[bool, exp.DataType | None]:
        """Return whether there is such a column, and its type."""
        for source, outputs in self.sources.items():
            if table and source != table:
                continue
            for column, dtype in outputs:
                if column.lower() == name:
                    return True, dtype
        if not table and name in self.aliases and self.sees_aliases:
            return True, self.aliases[name]
        return self.parent.column(name, table) if self.parent else (False, None)

    def is_alias(self, name: str) -> bool:
        """Tell whether a bare name is that of an output of the query, and of no input."""
        return name in self.aliases and not any(c.lower() == name for cs in self.sources.values() for c, _ in cs)


def function_name(node: exp.Expr) -> str:
    return str(node.this).removeprefix(MARK).lower() if isinstance(node, exp.Anonymous) else ""


def renamed(outputs: Outputs, alias: Any) -> Outputs:
    """Return the columns under the names that an alias gives them."""
    names = [column.name for column in alias.columns] if alias is not None else []
    return [(names[i] if i < len(names) else name, dtype) for i, (name, dtype) in enumerate(outputs)]


def check_parts(node: exp.Expr) -> None:
    known = PARTS.get(type(node))
    for part, value in node.args.items():
        if known is not None and value and part not in known:
            raise Refused(node, f"with {part.strip('_').upper()} it is not read")
