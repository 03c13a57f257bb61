"""Names of tables, told apart before columns are resolved: from columns, and from each other."""

from __future__ import annotations

from collections import Counter

from sqlglot import exp

from mdfsql.catalog import Source
from mdfsql.lower.rules import refuse
from mdfsql.lower.shapes import Names
from mdfsql.trees import nodes

__all__ = ["tell_apart"]


def tell_apart(tree: exp.Expr, sources: tuple[Source, ...]) -> None:
    """Give another name, in place, to a table that is called like a column, and to a common table like another one.

    ``t.a`` is taken for the field ``a`` of a column ``t`` by Spark where the table t stands further out, and by sqlglot
    where it does by two queries, or stands at the right of a SEMI or ANTI join. So does the reference, if the column is
    a struct of a query further in: what may be one is refused. Spark takes common tables of one name for one.
    """
    names, found = Names(tree, "_u"), nodes(tree)
    columns, structs = _columns(found, sources)
    for select in [node for node in found if isinstance(node, exp.Select)]:
        for source in _sources(select):
            name = source.alias_or_name.lower()
            if name in columns or name in structs:
                _rename_source(select, source, name, names, name in structs)
    ctes = [node for node in found if isinstance(node, exp.CTE)]
    counts = Counter(cte.alias.lower() for cte in ctes)
    # Inner ones first: what then still has the name means the one outside.
    for cte in reversed(ctes):
        name = cte.alias.lower()
        if counts[name] > 1:
            counts[name] -= 1
            _rename_cte(cte, name, names.new())


def _columns(found: list[exp.Expr], sources: tuple[Source, ...]) -> tuple[set[str], set[str]]:
    """Return the names of the columns of all tables and queries, and of those that are, or may be, structs."""
    given = [(name.lower(), type_) for source in sources for name, type_ in source.schema.items()]
    columns = {name for name, _ in given}
    structs = {name for name, type_ in given if "STRUCT" in type_}
    for node in reversed(found):
        if isinstance(node, exp.TableAlias):
            listed = {column.name.lower() for column in node.columns}
            columns |= listed
            structs |= listed
        elif isinstance(node, exp.Alias):
            columns.add(node.alias.lower())
            if not _is_plain(node.this, structs):
                structs.add(node.alias.lower())
    return columns, structs


# What gives no struct, whatever is in it.
PLAIN = (
    exp.Literal,
    exp.Boolean,
    exp.Null,
    exp.Predicate,
    exp.Connector,
    exp.Not,
    exp.Binary,
    exp.Neg,
    exp.Count,
    exp.Sum,
)


def _is_plain(node: exp.Expr, structs: set[str]) -> bool:
    if isinstance(node, exp.Column):
        return len(node.parts) < 3 and not {part.name.lower() for part in node.parts} & structs
    return isinstance(node, PLAIN) and not isinstance(node, exp.Dot)


def _sources(select: exp.Select) -> list[exp.Expr]:
    """Return what a SELECT reads from."""
    parts = [select.args.get("from_"), *(select.args.get("joins") or ())]
    return [part.this for part in parts if part is not None] + list(select.args.get("laterals") or ())


def _rename_source(select: exp.Select, source: exp.Expr, name: str, names: Names, struct: bool) -> None:
    """Rename a table of a SELECT where a query further in names it, or the join that has it as its right side."""
    join = source.parent
    aside = isinstance(join, exp.Join) and join.is_semi_or_anti_join
    found = [
        column
        for column in select.find_all(exp.Column)
        if len(column.parts) > 1 and column.parts[0].name.lower() == name and not _is_hidden(column, select, name)
    ]
    within = [column for column in found if column.find_ancestor(exp.Select) is not select]
    if within and struct:
        what = f"{within[0].sql('duckdb')}, of a table further out"
        refuse(what, f"a struct may be called {name} as well, and its field is meant then", "another name", within[0])
    if not within and not (aside and found):
        return
    made = names.new()
    alias = source.args.get("alias") or exp.TableAlias()
    alias.set("this", exp.to_identifier(made, quoted=True))
    source.set("alias", alias)
    for column in found:
        column.parts[0].replace(exp.to_identifier(made, quoted=True))


def _is_hidden(column: exp.Expr, select: exp.Select, name: str) -> bool:
    """Tell whether a query between a column and a SELECT has a table of its own by the name."""
    place = column.find_ancestor(exp.Select)
    while place is not None and place is not select:
        if any(source.alias_or_name.lower() == name for source in _sources(place)):
            return True
        place = place.find_ancestor(exp.Select)
    return False


def _rename_cte(cte: exp.CTE, name: str, made: str) -> None:
    """Rename a common table, and where it is read: by the query that it belongs to, and by the tables after it."""
    with_ = cte.parent
    query = with_.parent if with_ is not None else None
    if with_ is None or query is None:
        return
    earlier = with_.expressions[: with_.expressions.index(cte)]
    hidden = {
        id(node)
        for other in [*earlier, *([] if with_.args.get("recursive") else [cte])]
        for node in other.find_all(exp.Table)
    }
    for table in query.find_all(exp.Table):
        if table.name.lower() == name and not table.args.get("db") and id(table) not in hidden:
            alias = table.args.get("alias") or exp.TableAlias()
            if alias.args.get("this") is None:
                alias.set("this", table.this.copy())
            table.set("this", exp.to_identifier(made, quoted=True))
            table.set("alias", alias)
    cte.args["alias"].set("this", exp.to_identifier(made, quoted=True))
