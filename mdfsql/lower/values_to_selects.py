"""VALUES, as SELECTs."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from mdfsql.lower.shapes import Names

__all__ = ["raising_values_to_selects", "values_to_selects"]

# A longer list is no list that a person wrote; it belongs in a table.
MOST = 1000


def values_to_selects(tree: exp.Expr) -> exp.Expr:
    """VALUES becomes a UNION ALL of SELECTs of one row, since dask-sql cannot type the rows."""
    return _selects(tree, lambda values: True)


def raising_values_to_selects(tree: exp.Expr) -> exp.Expr:
    """VALUES in which something may raise becomes a UNION ALL: Spark takes only what it knows before it runs."""
    return _selects(tree, lambda values: any(call.name == "RAISE_ERROR" for call in values.find_all(exp.Anonymous)))


def _selects(tree: exp.Expr, wanted: Callable[[exp.Values], bool]) -> exp.Expr:
    names = Names(tree, "_v")
    for values in filter(wanted, list(tree.find_all(exp.Values))):
        rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in values.expressions]
        if len(rows) > MOST:
            continue
        alias = values.args.get("alias")
        columns = [c.name for c in alias.columns] if alias is not None and alias.columns else []
        columns = columns or [f"col{number}" for number in range(len(rows[0]))]
        selects: list[exp.Query] = [
            exp.Select(expressions=[exp.alias_(v.copy(), c, quoted=True) for v, c in zip(row, columns, strict=True)])
            for row in rows
        ]
        # As a tree of equal halves: a chain of a thousand is too deep.
        while len(selects) > 1:
            pairs = zip(selects[::2], selects[1::2], strict=False)
            joined: list[exp.Query] = [exp.Union(this=a, expression=b, distinct=False) for a, b in pairs]
            selects = joined + selects[len(joined) * 2 :]
        name = alias.name if alias is not None and alias.name else names.new()
        values.replace(exp.Subquery(this=selects[0], alias=exp.TableAlias(this=exp.to_identifier(name, quoted=True))))
    return tree
