"""Resolving: every column qualified, every node typed, and what the parser leaves ambiguous made plain."""

from __future__ import annotations

import functools
from collections.abc import Callable

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema

from mdfsql.catalog import Source
from mdfsql.errors import Unsupported
from mdfsql.lower.unnest_rows import plain_sources
from mdfsql.resolve_columns import expand_columns
from mdfsql.resolve_names import tell_apart
from mdfsql.schema import Schema, value_type
from mdfsql.spellings import plain_values

__all__ = ["resolve"]

DUCKDB = Dialect.get_or_raise("duckdb")


@functools.lru_cache(maxsize=4096)
def lowered(name: str) -> str:
    """Return a name as DuckDB compares it: in lower case, but for letters beyond ASCII."""
    return DUCKDB.normalize_identifier(exp.Identifier(this=name)).name


def _columns(schema: Schema) -> dict[str, exp.DataType]:
    return {lowered(name): value_type(text) for name, text in schema.items()}


def resolve(tree: exp.Expr, sources: tuple[Source, ...], engine: str) -> exp.Expr:
    """Return the tree with every column qualified, stars expanded, names in lower case, and types on its nodes."""
    # Normalised here, once: sqlglot would do it again for each column that it looks up.
    tables: dict[str, object] = {source.name: _columns(source.schema) for source in sources}
    schema = MappingSchema(tables, dialect=DUCKDB, normalize=False)
    plain_values(tree)
    there = {type(node) for node in tree.walk()}
    for prepare, classes in PREPARING:
        if not there.isdisjoint(classes):
            prepare(tree)
    if exp.Pivot in there and any(pivot.this for pivot in tree.find_all(exp.Pivot)):
        raise Unsupported(
            "PIVOT ON an expression", engine, "columns only can be told apart there", "a query that has it"
        )
    try:
        tell_apart(tree, sources)
        if not there.isdisjoint((exp.Columns, exp.Pivot)):
            expand_columns(tree, schema)
        merging = mark_merging(tree)
        tree = qualify(tree, schema=schema, dialect=DUCKDB, validate_qualify_columns=True)
        if merging:
            join_merged(tree)
        order_by_inputs(tree, schema)
        return annotate_types(tree, schema=schema, dialect=DUCKDB)
    except Unsupported as error:
        raise error.on(engine) from None
    except (SqlglotError, ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
        # DuckDB has bound this query: what cannot be resolved here is ours to learn, never to guess.
        raise Unsupported("this query", engine, f"its columns could not be resolved ({error})") from error


def plain_negations(tree: exp.Expr) -> None:
    """Write ``a NOT LIKE b`` and ``a IS NOT b``, which the parser keeps in a flag, as NOT: passes see one form only."""
    for node in list(tree.find_all(exp.Is, exp.Like, exp.ILike)):
        if node.args.get("negate"):
            node.set("negate", None)
            negated = exp.Not(this=exp.Paren(this=node.copy()))
            node.replace(negated)


def plain_comprehensions(tree: exp.Expr) -> None:
    """Write ``[f(x) for x in l if p(x)]`` with lambdas, in which x can be no column."""
    for node in list(tree.find_all(exp.Comprehension))[::-1]:
        holder, name = node.parent, node.expression.name
        if node.args.get("position") or not isinstance(holder, exp.Array) or len(holder.expressions) != 1:
            continue
        items, condition = node.args["iterator"].copy(), node.args.get("condition")
        for body in (node.this, condition):
            for found in list(body.find_all(exp.Column)) if body is not None else ():
                if found.name.lower() == name.lower() and not found.table:
                    found.replace(found.this.copy())
        if condition is not None:
            items = exp.ArrayFilter(this=items, expression=_lambda(node.args["condition"], node.expression))
        made = exp.Transform(this=items, expression=_lambda(node.this, node.expression))
        holder.replace(made)


def _lambda(body: exp.Expr, name: exp.Expr) -> exp.Lambda:
    return exp.Lambda(this=body.copy(), expressions=[name.copy()])


def keep_field_names(tree: exp.Expr) -> None:
    """Keep the names of a struct's fields from being written in lower case: they show in its text."""
    for node in tree.find_all(exp.PropertyEQ, exp.ColumnDef):
        node.this.meta["case_sensitive"] = True


def name_subqueries(tree: exp.Expr) -> None:
    """Name a query that SELECT lists without a name: only so can ``qualify`` find it by its position in ORDER BY."""
    for select in tree.find_all(exp.Select):
        if select.args.get("order") or select.args.get("group") or isinstance(select.parent, exp.SetOperation):
            for number, output in enumerate(select.expressions):
                if isinstance(output, exp.Subquery) and not output.alias:
                    # The name that it would get from ``qualify``.
                    output.replace(exp.Alias(this=output.copy(), alias=exp.to_identifier(f"_col_{number}")))


# What makes a tree plain, with the classes that it looks for. Each walks the whole tree, and most trees have none.
PREPARING: tuple[tuple[Callable[[exp.Expr], None], frozenset[type[exp.Expr]]], ...] = (
    (plain_negations, frozenset({exp.Is, exp.Like, exp.ILike})),
    (plain_sources, frozenset({exp.GenerateSeries, exp.Lateral, exp.Unnest})),
    (plain_comprehensions, frozenset({exp.Comprehension})),
    (keep_field_names, frozenset({exp.PropertyEQ, exp.ColumnDef})),
    (name_subqueries, frozenset({exp.Subquery})),
)

# Under this key a join keeps that it merges columns.
MERGES = "mdf_merges"


def mark_merging(tree: exp.Expr) -> bool:
    """Note which joins are USING or NATURAL, which ``qualify`` writes as ON; tell whether there is one."""
    found = [join for join in tree.find_all(exp.Join) if join.args.get("using") or join.method.upper() == "NATURAL"]
    for join in found:
        join.meta[MERGES] = True
    return bool(found)


def join_merged(tree: exp.Expr) -> None:
    """Let a second USING of a column read what the first one merged: after an outer join no side alone has it all."""
    for select in tree.find_all(exp.Select):
        merged: dict[str, list[exp.Expr]] = {}
        outer = False
        for join in select.args.get("joins") or ():
            on = join.args.get("on")
            if not join.meta.get(MERGES) or on is None:
                continue
            for equal in list(on.find_all(exp.EQ)):
                left, right = equal.this, equal.expression
                known = merged.setdefault(right.name, [left.copy()])
                if outer and len(known) > 1:
                    equal.set("this", exp.Coalesce(this=known[0].copy(), expressions=[k.copy() for k in known[1:]]))
                if not join.is_semi_or_anti_join:
                    known.append(right.copy())
            outer = outer or join.side.upper() in ("RIGHT", "FULL")


def order_by_inputs(tree: exp.Expr, schema: MappingSchema) -> None:
    """Qualify what an ORDER BY expression reads.

    In the reference a bare name in ORDER BY is an output column first, but inside an expression an input column
    first: ``SELECT -a AS a FROM t ORDER BY a + 1`` orders by the table's ``a``. Other engines take the output.
    """
    if all(isinstance(key.this, (exp.Column, exp.Literal)) for key in tree.find_all(exp.Ordered)):
        return  # as most are
    for scope in traverse_scope(tree):
        order = scope.expression.args.get("order") if isinstance(scope.expression, exp.Select) else None
        for key in order.expressions if order else ():
            if isinstance(key.this, exp.Column):
                continue
            for found in key.this.find_all(exp.Column):
                if found.table:
                    continue
                for name, (_, source) in scope.selected_sources.items():
                    names = schema.column_names(source) if isinstance(source, exp.Table) else _outputs(source)
                    if found.name in names:
                        found.set("table", exp.to_identifier(name, quoted=True))
                        break


def _outputs(scope: Scope) -> list[str]:
    query = scope.expression
    return query.named_selects if isinstance(query, exp.Query) else []
