"""Reading a query of another dialect: every node becomes what it means in the reference's, or is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlglot import exp

from mdfsql.read.calls import MARK
from mdfsql.read.functions import Functions
from mdfsql.read.meaning import Call, Dialect, Refused, build, kind, meaning_of, wider
from mdfsql.read.scope import Outputs, Scope, check_parts, function_name, renamed

__all__ = ["read_query_tree"]


def read_query_tree(tree: exp.Query, dialect: Dialect, tables: Mapping[str, Mapping[str, str]]) -> exp.Query:
    """Rewrite a query in place; Refused for what has no meaning that is known. ``tables`` gives columns and types."""
    known: dict[str, Outputs] = {
        name.lower(): [(c, build(t)) for c, t in schema.items()] for name, schema in tables.items()
    }
    Reading(dialect, known).query(tree, Scope())
    return tree


class Reading(Functions):
    """A query as it is read: its shape."""

    def query(self, tree: exp.Expr, outer: Scope) -> Outputs:
        """Read a query and return its columns."""
        without_hints(tree)
        check_parts(tree)
        if isinstance(tree, exp.Subquery):
            return self.query(tree.this, outer)
        scope = Scope(outer)
        if with_ := tree.args.get("with_"):
            check_parts(with_)
            for cte in with_.expressions:
                check_parts(cte)
                self.cte(cte, scope, bool(with_.args.get("recursive")))
        if isinstance(tree, exp.SetOperation):
            return self.set_operation(tree, scope)
        if isinstance(tree, exp.Values):
            return self.values(tree, scope)
        if isinstance(tree, exp.Select):
            return self.select(tree, scope)
        raise Refused(tree, "only SELECT, VALUES and set operations are read")

    def cte(self, cte: exp.Expr, scope: Scope, recursive: bool) -> None:
        alias = cte.args["alias"]
        if recursive and isinstance(cte.this, exp.Union):
            first = Scope(scope)
            scope.ctes[cte.alias.lower()] = renamed(self.query(cte.this.left.copy(), first), alias)
        scope.ctes[cte.alias.lower()] = renamed(self.query(cte.this, scope), alias)

    def set_operation(self, tree: Any, scope: Scope) -> Outputs:
        left, right = self.query(tree.this, scope), self.query(tree.expression, scope)
        made: Outputs = []
        for (name, one), (_, two) in zip(left, right, strict=False):
            dtype = wider([one, two])
            if dtype is None:
                raise Refused(tree, f"its column {name!r} is of types that dialects put together differently")
            made.append((name, dtype))
            if not isinstance(tree, exp.Union) or tree.args.get("distinct"):
                self.compares(tree, dtype)
        scope.aliases = {name.lower(): dtype for name, dtype in made}
        self.ending(tree, scope, made)
        return made

    def values(self, tree: exp.Expr, scope: Scope) -> Outputs:
        rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in tree.expressions]
        for row in rows:
            for item in row:
                self.value(item, scope)
        rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in tree.expressions]
        made: Outputs = []
        for i in range(len(rows[0])):
            dtype = wider([row[i].type for row in rows if i < len(row)])
            if dtype is None:
                raise Refused(tree, f"its column {i + 1} is of types that dialects put together differently")
            made.append((f"col{i + 1 if self.dialect.name != 'trino' else i}", dtype))
        if not tree.args.get("alias") or not tree.args["alias"].columns:
            raise Refused(tree, "its columns have other names in each dialect: name them, AS t(a, b)")
        return renamed(made, tree.args["alias"])

    def select(self, tree: Any, scope: Scope) -> Outputs:
        if from_ := tree.args.get("from_"):
            self.source(from_.this, scope)
        for lateral in tree.args.get("laterals") or ():
            self.lateral_view(tree, lateral, scope)
        tree.set("laterals", None)
        for join in tree.args.get("joins") or ():
            self.join(join, scope)
        inputs = {name.lower() for outputs in scope.sources.values() for name, _ in outputs}
        outputs: Outputs = []
        scope.sees_aliases = "select" in self.dialect.aliases
        for projection in list(tree.expressions):
            outputs += self.projection(projection, scope)
        scope.sees_aliases = "where" in self.dialect.aliases
        if where := tree.args.get("where"):
            self.condition(where, scope)
        if group := tree.args.get("group"):
            scope.sees_aliases = "group" in self.dialect.aliases
            self.group(group, scope, outputs)
            self.unambiguous(tree, [e for e in group.expressions if not isinstance(e, exp.Literal)], inputs)
        for part in ("having", "qualify"):
            if clause := tree.args.get(part):
                scope.sees_aliases = part in self.dialect.aliases
                self.condition(clause, scope)
                self.unambiguous(tree, [clause.this], inputs)
        scope.sees_aliases = False
        for window in tree.args.get("windows") or ():
            self.window(window, scope)
        if distinct := tree.args.get("distinct"):
            check_parts(distinct)
            for key in distinct.args["on"].expressions if distinct.args.get("on") else ():
                self.value(key, scope)
            for _, dtype in outputs:
                self.compares(tree, dtype)
        self.ending(tree, scope, outputs)
        if order := tree.args.get("order"):
            self.unambiguous(tree, [o.this for o in order.expressions if not isinstance(o.this, exp.Column)], inputs)
        return outputs

    def unambiguous(self, tree: Any, places: Sequence[exp.Expr], inputs: set[str]) -> None:
        """Refuse a bare name of both an input column and another output: dialects choose differently."""
        renames = {
            p.alias.lower()
            for p in tree.expressions
            if isinstance(p, exp.Alias)
            and not (isinstance(p.this, exp.Column) and p.this.name.lower() == p.alias.lower())
        }
        for place in places:
            for column in place.find_all(exp.Column):
                if not column.table and column.name.lower() in renames & inputs:
                    raise Refused(
                        column, "it names both an input column and an output: write the table before it, or rename it"
                    )

    def ending(self, tree: Any, scope: Scope, outputs: Outputs) -> None:
        """Read ORDER BY, LIMIT and OFFSET."""
        scope.sees_aliases = True
        if order := tree.args.get("order"):
            self.order(order, scope)
            for key in order.expressions:
                # A bare name or a place is an output, whatever the inputs are called.
                name = key.this.name.lower() if isinstance(key.this, exp.Column) and not key.this.table else ""
                if (place := output_at(key.this, outputs)) is not None or name in scope.aliases:
                    dtype = place[1] if place else scope.aliases[name]
                    self.sorts(key, dtype)
                    if (
                        self.dialect.nan_first
                        and kind(dtype) == "real"
                        and (place or isinstance(tree, exp.SetOperation))
                    ):
                        raise Refused(key, "NaN comes first there: order by what the output is")
        scope.sees_aliases = False
        for part in ("limit", "offset"):
            if clause := tree.args.get(part):
                check_parts(clause)
                if options := clause.args.get("limit_options"):
                    check_parts(options)
                count = clause.args.get("count") or clause.args.get("expression") or exp.Literal.number(1)
                if count.parent is not None:
                    self.value(count, scope)
                if isinstance(clause, exp.Fetch):
                    tree.set(part, exp.Limit(expression=(clause.args.get("count") or exp.Literal.number(1)).copy()))

    def group(self, group: Any, scope: Scope, outputs: Outputs) -> None:
        check_parts(group)
        for part in ("expressions", "rollup", "cube", "grouping_sets"):
            for key in list(group.args.get(part) or ()):
                self.group_key(key, scope, outputs)

    def group_key(self, key: exp.Expr, scope: Scope, outputs: Outputs) -> None:
        if isinstance(key, (exp.Tuple, exp.Rollup, exp.Cube, exp.GroupingSets)):
            if not key.expressions and not isinstance(key, exp.Tuple):
                raise Refused(key, "WITH ROLLUP and WITH CUBE are not read: write GROUP BY ROLLUP (a, b)")
            for inner in list(key.expressions):
                self.group_key(inner, scope, outputs)
        else:
            read = self.value(key.unnest() if isinstance(key, exp.Paren) else key, scope)
            place = output_at(read, outputs)
            if place is not None and "place" not in self.dialect.aliases:
                raise Refused(key, "a place is not read there: write what stands at it")
            self.compares(read, place[1] if place else read.type)

    def source(self, node: Any, scope: Scope) -> None:
        without_hints(node)
        check_parts(node)
        alias = node.args.get("alias")
        if alias is not None:
            check_parts(alias)
        if isinstance(node, exp.Table):
            if not isinstance(node.this, exp.Identifier):
                outputs = self.table_function(node, scope)
            else:
                name = node.name.lower()
                outputs = scope.ctes[name] if name in scope.ctes else self.tables.get(name, [])
        elif isinstance(node, exp.Unnest):
            outputs = self.unnest(node, scope)
        elif isinstance(node, exp.Values):
            outputs = self.values(node, scope)
        elif isinstance(node, exp.Subquery) or (
            isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery) and not node.args.get("view")
        ):
            outputs = self.query(node.this, scope)
        else:
            raise Refused(node, "rows from it are not read")
        scope.sources[(node.alias_or_name or f" {len(scope.sources)}").lower()] = renamed(outputs, alias)
        for join in node.args.get("joins") or ():
            self.join(join, scope)

    def table_function(self, node: Any, scope: Scope) -> Outputs:
        """Read a function that gives rows of one column, which the alias names."""
        call = node.this
        if not isinstance(call, exp.Anonymous):
            raise Refused(node, "that function of rows is not read")
        arguments = [self.value(argument, scope) for argument in list(call.expressions)]
        made = meaning_of(self.dialect, Call(call, f"rows:{function_name(call)}", arguments))
        node.set("this", made)
        alias = node.args.get("alias")
        named = self.dialect.column_of_rows
        if alias is None and named:
            alias = exp.TableAlias(this=exp.to_identifier(function_name(call)))
            node.set("alias", alias)
        if alias is None:
            raise Refused(node, "its column has another name in each dialect: name it, AS t(a)")
        if not alias.columns:
            # The alias names the column too, or the rows alone.
            alias.set("columns", [exp.to_identifier(named) if named else alias.this.copy()])
        return [("", made.type)]

    def unnest(self, node: Any, scope: Scope) -> Outputs:
        if len(node.expressions) != 1 or not node.args.get("alias"):
            raise Refused(node, "only one list is read there, and with an alias")
        item = self.value(node.expressions[0], scope)
        if kind(item) != "list" or item.type is None:
            raise Refused(node, f"only a list is read there, not {kind(item).upper()}")
        alias = node.args["alias"]
        if not alias.this:
            alias.set("this", exp.to_identifier(f"_{alias.columns[0].name}", quoted=True))
        if kind(item.type.expressions[0]) == "struct":
            raise Refused(node, "dialects spread a list of structs differently")
        if node.args.get("offset"):
            return self.numbered(node, item)
        return [("", item.type.expressions[0])]

    def numbered(self, node: Any, item: Any) -> Outputs:
        """Read the items of a list with their places, which the dialect counts from 0 or 1."""
        alias, offset = node.args["alias"], node.args["offset"]
        names = [column.name for column in alias.columns] or [alias.name]
        if isinstance(offset, exp.Identifier):
            names.append(offset.name)
        elif self.dialect.place_of_rows == 0 and len(names) == 1:
            names.append("offset")
        if len(names) != 2:
            raise Refused(node, "it is read with a name for the items and one for their places")
        value, place = (exp.to_identifier(name, quoted=True) for name in names)
        rows = exp.Unnest(
            expressions=[item.copy()],
            alias=exp.TableAlias(this=exp.to_identifier("u"), columns=[value.copy()]),
            offset=exp.to_identifier("n"),
        )
        below = exp.Sub(this=exp.column("n", "u"), expression=exp.Literal.number(1 - self.dialect.place_of_rows))
        chosen = exp.select(exp.column(value.copy(), "u"), exp.alias_(below, place.copy())).from_(rows)
        named = exp.TableAlias(this=alias.this.copy())
        made: exp.Expr = exp.Subquery(this=chosen, alias=named)
        if not isinstance(node.parent, exp.From):
            made = exp.Lateral(this=exp.Subquery(this=chosen), alias=named)
        for inner in made.walk():
            inner.meta["read"] = True
        node.replace(made)
        return [(names[0], item.type.expressions[0]), (names[1], build("BIGINT"))]

    def join(self, join: Any, scope: Scope) -> None:
        if join.meta.get("read"):
            return
        without_hints(join)
        check_parts(join)
        if join.args.get("method") and join.method != "NATURAL":
            raise Refused(join, "that join is not read")
        self.source(join.this, scope)
        if join.args.get("on"):
            self.condition(join, scope, "on")
        for column in join.args.get("using") or ():
            _, dtype = scope.column(column.name.lower(), "")
            self.compares(join, dtype)

    def lateral_view(self, select: Any, lateral: Any, scope: Scope) -> None:
        """Make LATERAL VIEW [OUTER] explode(x) t AS a a join with UNNEST."""
        call, alias = lateral.this, lateral.args.get("alias")
        name = function_name(call)
        width = {"explode": 1, "posexplode": 2}.get(name.removesuffix("_outer"))
        if alias is None or alias.this is None or len(alias.columns) != width:
            raise Refused(lateral, "only LATERAL VIEW explode(list) t AS a, and posexplode with two names, are read")
        item = self.value(call.expressions[0], scope)
        if kind(item) != "list" or item.type is None:
            raise Refused(lateral, f"only lists are read there, not {kind(item).upper()}")
        outer = lateral.args.get("outer") or name.endswith("_outer")
        rows: exp.Expr = exp.Unnest(expressions=[item.copy()], alias=alias.copy())
        if width == 2:
            place, value = (exp.to_identifier(c.name, quoted=True) for c in alias.columns)
            numbered = exp.Unnest(
                expressions=[item.copy()],
                alias=exp.TableAlias(this=exp.to_identifier("u"), columns=[value]),
                offset=exp.to_identifier("n"),
            )
            below = exp.Sub(this=exp.column("n", "u"), expression=exp.Literal.number(1))
            chosen = exp.select(exp.alias_(below, place.copy()), exp.column(value.copy(), "u")).from_(numbered)
            rows = exp.Lateral(this=exp.Subquery(this=chosen), alias=exp.TableAlias(this=alias.this.copy()))
        join = exp.Join(this=rows, side="LEFT", on=exp.true()) if outer else exp.Join(this=rows, kind="CROSS")
        for inner in join.walk():
            inner.meta["read"] = True
        select.append("joins", join)
        types = [build("INTEGER"), item.type.expressions[0]][-width:]
        scope.sources[alias.name.lower()] = [(c.name, t) for c, t in zip(alias.columns, types, strict=True)]

    def projection(self, node: Any, scope: Scope) -> Outputs:
        if isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star)):
            star = node if isinstance(node, exp.Star) else node.this
            check_parts(star)
            left_out = {e.name.lower() for e in star.args.get("except_") or ()}
            table = node.table.lower() if isinstance(node, exp.Column) else ""
            return [
                column
                for source, outputs in scope.sources.items()
                if not table or source == table
                for column in outputs
                if column[0].lower() not in left_out
            ]
        if isinstance(node, exp.Alias):
            read = self.value(node.this, scope)
            scope.aliases.setdefault(node.alias.lower(), read.type)
            return [(node.alias, read.type)]
        name = node.output_name if isinstance(node, (exp.Column, exp.Dot)) else ""
        text = node.sql(self.dialect.name).replace(MARK.upper(), "").replace(MARK, "")
        read = self.value(node, scope)
        if not name:
            # The name that the reference gives would be that of the form.
            read.replace(exp.alias_(read.copy(), text, quoted=True, copy=False))
        return [(name or text, read.type)]


def without_hints(node: exp.Expr) -> None:
    """Drop what tells an engine how to go about it, and changes no answer."""
    for part in ("hint", "hints", "locks", "options"):
        if node.args.get(part):
            node.set(part, None)


def output_at(key: exp.Expr, outputs: Outputs) -> tuple[str, exp.DataType | None] | None:
    """Return the output whose place a whole number is, or None."""
    is_place = isinstance(key, exp.Literal) and not key.is_string and key.this.isdigit()
    return outputs[int(key.this) - 1] if is_place and 0 < int(key.this) <= len(outputs) else None
