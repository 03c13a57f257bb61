"""Merging layers: a chain of joins becomes one FROM and not a nest, and an order goes to the query that it orders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlglot import exp

from mdfsql.trees import copied, nodes

__all__ = ["merge_layers"]

# What the query over the joins may hold, and what the query of the joins may hold itself.
OVER = frozenset({"expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset", "distinct"})
JOINED = frozenset({"expressions", "from_", "joins", "where"})

# A FROM that is longer than this is begun anew: what engines plan and nest for each join has its limits.
MOST_JOINS = 20

# The same for an order, and what it orders.
ORDER = frozenset({"expressions", "from_", "order", "limit", "offset"})
ORDERED = frozenset({"expressions", "from_", "joins", "where", "group", "having"})

# In these a name may be none of the columns of the FROM.
OPAQUE = (exp.Query, exp.Lambda, exp.Columns, exp.Explode, exp.Unnest, exp.Pivot, exp.Star)


def merge_layers(over: exp.Query, table: exp.Table, below: exp.Query) -> bool:
    """Put a query in the place of a table that another query reads first, if both make one; tell whether they do.

    Both are in the reference dialect and bound. Only columns that stand for columns move, so that nothing is computed
    elsewhere, more often, or in another order.

    >>> from sqlglot import parse_one
    >>> below = parse_one('SELECT l."a", r."b" AS "c" FROM t AS l JOIN u AS r ON l."k" = r."k"')
    >>> over = parse_one('SELECT l."a", r."d" FROM "_" AS l JOIN v AS r ON l."c" = r."k"')
    >>> merge_layers(over, over.args["from_"].this, below), over.sql()
    (True, 'SELECT l."a", "r_2"."d" FROM t AS l JOIN u AS r ON l."k" = r."k" JOIN v AS "r_2" ON r."b" = "r_2"."k"')
    >>> below = parse_one('SELECT "k", count(*) AS "n" FROM t GROUP BY "k"')
    >>> over = parse_one('SELECT * FROM "_" AS l ORDER BY l."n"')
    >>> merge_layers(over, over.args["from_"].this, below), over.sql()
    (True, 'SELECT "k", COUNT(*) AS "n" FROM t GROUP BY "k" ORDER BY "n"')
    """
    if not isinstance(over, exp.Select) or not isinstance(below, exp.Select):
        return False
    first = over.args.get("from_")
    if first is None or first.this is not table or any(v for k, v in table.args.items() if k not in ("this", "alias")):
        return False
    held, own = ({part for part, value in query.args.items() if value} for query in (over, below))
    if "joins" in own and held <= OVER and own <= JOINED:
        return _joined(over, table.alias.lower(), below)
    return held <= ORDER and own <= ORDERED and _ordered(over, table.alias.lower(), below)


def _ordered(over: exp.Select, name: str, below: exp.Select) -> bool:
    """Put a query in the place of the table of that name, below its order."""
    if not _is_all(over) or below.is_star:
        return False
    outputs = {output.alias_or_name.lower(): output for output in below.expressions}
    order = over.args.get("order")
    keys = order.expressions if order is not None else ()
    for key in keys:
        # Of another table it is a field of a struct.
        if type(key.this) is not exp.Column or key.this.name.lower() not in outputs:
            return False
        if key.this.table.lower() not in ("", name) or not _is_simple(key.this):
            return False
    for key in keys:
        output = outputs[key.this.name.lower()]
        # A name is one of an output first, but not of one that is called after its column.
        key.set("this", copied(output) if type(output) is exp.Column else exp.Column(this=key.this.this))
    for part, value in below.args.items():
        if value:
            over.set(part, value)
    return True


def _joined(over: exp.Select, name: str, joined: exp.Select) -> bool:
    """Put joins in the place of the table of that name."""
    columns = _columns(joined) if _fit(over, joined) else None
    moved = _moved(over, name, columns) if columns is not None else None
    if moved is None:
        return False
    own = over.args.get("joins") or []
    names = _apart([join.this for join in own], _names(joined))
    for found, instead in moved:
        if instead is None:
            found.set("table", exp.to_identifier(names[found.table.lower()], quoted=True))
            continue
        made = copied(instead)
        made._meta = found._meta
        if found.parent is over and found.arg_key == "expressions" and made.name != found.name:
            made = exp.alias_(made, exp.to_identifier(found.name, quoted=True))
        found.replace(made)
    if over.is_star:
        over.set("expressions", joined.expressions)
    for join in own:
        alias = join.this.args["alias"]
        alias.set("this", exp.to_identifier(names[alias.name.lower()], quoted=True))
    over.set("from_", joined.args["from_"])
    over.set("joins", [*joined.args["joins"], *own])
    if joined.args.get("where") is not None:
        over.set("where", joined.args["where"])
    return True


def _fit(over: exp.Select, joined: exp.Select) -> bool:
    """Tell whether the joins and predicates of both mean one after the other what they mean apart."""
    own, joins = over.args.get("joins") or [], joined.args["joins"]
    # A row that a join adds or leaves out is another one before a WHERE than after it.
    if joined.args.get("where") is not None and (own or over.args.get("where") is not None):
        return False
    if len(joins) + len(own) > MOST_JOINS or not all(map(_is_plain, [*joins, *own])):
        return False
    if own and any(join.is_semi_or_anti_join or _is_comma(join) for join in joins):
        return False
    if not _is_named(joined.args["from_"].this):
        return False
    # A query or a function there may read what is before it.
    if not all(isinstance(join.this, exp.Table) and isinstance(join.this.this, exp.Identifier) for join in own):
        return False
    # What is read below without its table's name might be another table's above.
    tables = _names(joined)
    read = _all_columns([joined.args.get("where"), *(join.args.get("on") for join in joins)])
    return all(column is not None and column.table.lower() in tables for column in read)


def _is_all(select: exp.Select) -> bool:
    """Tell whether a query lists all columns, and nothing else."""
    outputs = select.expressions
    return len(outputs) == 1 and type(outputs[0]) is exp.Star and not any(outputs[0].args.values())


def _is_plain(join: exp.Join) -> bool:
    """Tell whether a join is one of a named table or query, by a condition or none."""
    usual = join.kind.upper() in ("", "INNER", "OUTER", "CROSS", "SEMI", "ANTI")
    return _is_named(join.this) and usual and not join.args.get("using") and not join.method


def _is_comma(join: exp.Join) -> bool:
    """Tell whether a table stands after a comma: the joins after it are its own."""
    return not any(join.args.get(part) for part in ("on", "kind", "side"))


def _is_named(source: exp.Expr) -> bool:
    named = isinstance(source, (exp.Table, exp.Subquery)) and source.args.get("alias") is not None
    return named and not any(source.args.get(part) for part in ("joins", "laterals", "pivots", "sample"))


def _sources(select: exp.Select) -> Iterator[exp.Expr]:
    yield select.args["from_"].this
    for join in select.args.get("joins") or ():
        yield join.this


def _names(select: exp.Select) -> set[str]:
    """Return the names of what a query reads from, in lower case."""
    return {source.alias_or_name.lower() for source in _sources(select)}


def _columns(joined: exp.Select) -> dict[str, exp.Column] | None:
    """Return what each output is a column of, by its name in lower case; None if one is computed, or a field."""
    tables = _names(joined)
    found: dict[str, exp.Column] = {}
    for output in joined.expressions:
        value = output.unalias()
        if type(value) is not exp.Column or not _is_simple(value) or value.table.lower() not in tables:
            return None
        found[output.alias_or_name.lower()] = value
    return found


def _moved(
    over: exp.Select, name: str, columns: dict[str, exp.Column]
) -> list[tuple[exp.Column, exp.Column | None]] | None:
    """Return each column of the query over the joins with what it stands for, None where it is of another table.

    None if that cannot be told of all of them: without a table, a name may be that of an output.
    """
    own, outputs = over.args.get("joins") or [], over.expressions
    everything = _is_all(over)
    if everything:
        if own:
            return None
    elif not all(isinstance(output, (exp.Alias, exp.Column)) for output in outputs):
        return None  # their names are made of their texts
    order = over.args.get("order")
    parts = [over.args.get(part) for part in ("where", "group", "having", "distinct")]
    parts += [order, *(join.args.get("on") for join in own), *(() if everything else outputs)]
    tables = {join.this.alias_or_name.lower() for join in own}
    names = {output.alias_or_name.lower() for output in outputs}
    renamed = {output.alias.lower() for output in outputs if isinstance(output, exp.Alias)}
    found: list[tuple[exp.Column, exp.Column | None]] = []
    for column in _all_columns(parts):
        if column is None:
            return None
        table, called = column.table.lower(), column.name.lower()
        if not table and isinstance(column.parent, exp.Ordered) and column.parent.parent is order and called in names:
            continue  # a key of ORDER BY is an output before it is a column
        if table in tables:
            found.append((column, None))
        elif called in columns and (table == name or not (table or own or called in renamed)):
            found.append((column, columns[called]))
        else:
            return None
    return found


def _all_columns(parts: Iterable[exp.Expr | None]) -> Iterator[exp.Column | None]:
    """Yield the columns that are read, and None for what might read others."""
    for part in parts:
        for node in nodes(part) if part is not None else ():
            if type(node) is exp.Column:
                yield node if _is_simple(node) else None
            elif isinstance(node, OPAQUE) and not isinstance(node.parent, exp.Count):
                yield None


def _is_simple(column: exp.Column) -> bool:
    """Tell whether a column has a name, and that of a table at most: with more it is a field of a struct."""
    get = column.args.get
    more = get("db") or get("catalog") or get("join_mark") or get("shadow")
    return not more and not isinstance(column.this, exp.Star)


def _apart(sources: list[exp.Expr], taken: set[str]) -> dict[str, str]:
    """Return names for the sources that no other has, by their own in lower case."""
    names: dict[str, str] = {}
    for source in sources:
        own = source.alias_or_name
        name, number = own, 1
        while name.lower() in taken:
            number += 1
            name = f"{own}_{number}"
        taken.add(name.lower())
        names[own.lower()] = name
    return names
