"""Reading a query of another dialect: every node is rewritten to what it means in the reference's dialect, or refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types

from mdfsql.read.calls import MARK
from mdfsql.read.meaning import Call, Dialect, Refused, build, kind, literal, meaning_of, unwrapped, wider

__all__ = ["Outputs", "read_query_tree"]

Outputs = list[tuple[str, "exp.DataType | None"]]
T = exp.DataType.Type

OPERATORS: dict[type[exp.Expr], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.IntDiv: "div",
    exp.Mod: "%",
    exp.EQ: "=",
    exp.NEQ: "=",
    exp.NullSafeEQ: "=",
    exp.NullSafeNEQ: "=",
    exp.LT: "<",
    exp.LTE: "<",
    exp.GT: "<",
    exp.GTE: "<",
    exp.And: "and",
    exp.Or: "and",
    exp.Like: "like",
    exp.ILike: "ilike",
    exp.RegexpLike: "rlike",
    exp.DPipe: "||",
    exp.Not: "not",
    exp.Neg: "neg",
}
COMPARED = ("=", "<")

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
        exp.Unnest: "expressions alias",
        exp.In: "this expressions query",
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

    def column(self, name: str, table: str) -> tuple[bool, exp.DataType | None]:
        """Return whether there is such a column, and its type."""
        for source, outputs in self.sources.items():
            if table and source != table:
                continue
            for column, dtype in outputs:
                if column.lower() == name:
                    return True, dtype
        if not table and name in self.aliases:
            return True, self.aliases[name]
        return self.parent.column(name, table) if self.parent else (False, None)


def read_query_tree(tree: exp.Query, dialect: Dialect, tables: Mapping[str, Mapping[str, str]]) -> exp.Query:
    """Rewrite a query in place; Refused for what has no meaning that is known. ``tables`` gives columns and types."""
    known = {name.lower(): [(c, build(t)) for c, t in schema.items()] for name, schema in tables.items()}
    Reading(dialect, known).query(tree, Scope())
    return tree


class Reading:
    """One query as it is read: the dialect, and the tables that it names."""

    def __init__(self, dialect: Dialect, tables: Mapping[str, Outputs]) -> None:
        self.dialect, self.tables = dialect, tables

    # ---- the shape of a query ------------------------------------------------------------------------------------

    def query(self, tree: exp.Expr, outer: Scope) -> Outputs:
        """Read a query and return its columns."""
        check_parts(tree)
        if isinstance(tree, exp.Subquery):
            return self.query(tree.this, outer)
        scope = Scope(outer)
        with_ = tree.args.get("with_")
        for cte in with_.expressions if with_ else ():
            check_parts(with_)
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
        self.ending(tree, scope)
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
        tree.set("hint", None)
        if from_ := tree.args.get("from_"):
            self.source(from_.this, scope)
        for lateral in tree.args.get("laterals") or ():
            self.lateral_view(tree, lateral, scope)
        tree.set("laterals", None)
        for join in tree.args.get("joins") or ():
            self.join(join, scope)
        inputs = {name.lower() for outputs in scope.sources.values() for name, _ in outputs}
        outputs: Outputs = []
        for projection in list(tree.expressions):
            outputs += self.projection(projection, scope)
        if where := tree.args.get("where"):
            self.value(where.this, scope)
        if group := tree.args.get("group"):
            self.group(group, scope)
            self.unambiguous(tree, [e for e in group.expressions if not isinstance(e, exp.Literal)], inputs)
        for part in ("having", "qualify"):
            if clause := tree.args.get(part):
                self.value(clause.this, scope)
                self.unambiguous(tree, [clause.this], inputs)
        for window in tree.args.get("windows") or ():
            self.window(window, scope)
        if distinct := tree.args.get("distinct"):
            check_parts(distinct)
            for key in distinct.args["on"].expressions if distinct.args.get("on") else ():
                self.value(key, scope)
            for _, dtype in outputs:
                self.compares(tree, dtype)
        self.ending(tree, scope)
        if order := tree.args.get("order"):
            self.unambiguous(tree, [o.this for o in order.expressions if not isinstance(o.this, exp.Column)], inputs)
        return outputs

    def unambiguous(self, tree: Any, places: Sequence[exp.Expr], inputs: set[str]) -> None:
        """Refuse a bare name that is both an input column and the name of another output: dialects choose differently."""
        renames = {
            p.alias.lower()
            for p in tree.expressions
            if isinstance(p, exp.Alias) and not (isinstance(p.this, exp.Column) and p.this.name.lower() == p.alias.lower())
        }
        for place in places:
            for column in place.find_all(exp.Column):
                if not column.table and column.name.lower() in renames & inputs:
                    raise Refused(
                        column, "it names both an input column and an output: write the table before it, or rename it"
                    )

    def ending(self, tree: Any, scope: Scope) -> None:
        """Read ORDER BY, LIMIT and OFFSET."""
        if order := tree.args.get("order"):
            self.order(order, scope)
        for part in ("limit", "offset"):
            if clause := tree.args.get(part):
                check_parts(clause)
                if options := clause.args.get("limit_options"):
                    check_parts(options)
                count = clause.args.get("count") or clause.args.get("expression")
                self.value(count, scope)
                if isinstance(clause, exp.Fetch):
                    tree.set(part, exp.Limit(expression=(clause.args.get("count") or exp.Literal.number(1)).copy()))

    def order(self, order: Any, scope: Scope) -> None:
        check_parts(order)
        for key in order.expressions:
            check_parts(key)
            self.value(key.this, scope)
            self.sorts(key, key.this.type)

    def group(self, group: Any, scope: Scope) -> None:
        check_parts(group)
        for part in ("expressions", "rollup", "cube", "grouping_sets"):
            for key in list(group.args.get(part) or ()):
                self.group_key(key, scope)

    def group_key(self, key: exp.Expr, scope: Scope) -> None:
        if isinstance(key, (exp.Tuple, exp.Rollup, exp.Cube, exp.GroupingSets)):
            for inner in list(key.expressions):
                self.group_key(inner, scope)
        else:
            read = self.value(key.unnest() if isinstance(key, exp.Paren) else key, scope)
            self.compares(read, read.type)

    # ---- where the rows come from --------------------------------------------------------------------------------

    def source(self, node: Any, scope: Scope) -> None:
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
        elif isinstance(node, exp.Subquery):
            outputs = self.query(node.this, scope)
        elif isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery) and not node.args.get("view"):
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
        if alias is None:
            raise Refused(node, "its column has another name in each dialect: name it, AS t(a)")
        if not alias.columns:
            alias.set("columns", [alias.this.copy()])
        return [("", made.type)]

    def unnest(self, node: Any, scope: Scope) -> Outputs:
        if len(node.expressions) != 1 or not node.args.get("alias"):
            raise Refused(node, "only one list is read there, and with an alias")
        item = self.value(node.expressions[0], scope)
        if kind(item) != "list":
            raise Refused(node, f"only a list is read there, not {kind(item).upper()}")
        alias = node.args["alias"]
        if not alias.this:
            alias.set("this", exp.to_identifier(f"_{alias.columns[0].name}", quoted=True))
        if kind(item.type.expressions[0]) == "struct":
            raise Refused(node, "dialects spread a list of structs differently")
        return [("", item.type.expressions[0])]

    def join(self, join: Any, scope: Scope) -> None:
        if join.meta.get("read"):
            return
        check_parts(join)
        if join.args.get("method") and join.method != "NATURAL":
            raise Refused(join, "that join is not read")
        self.source(join.this, scope)
        if on := join.args.get("on"):
            self.value(on, scope)
        for column in join.args.get("using") or ():
            _, dtype = scope.column(column.name.lower(), "")
            self.compares(join, dtype)

    def lateral_view(self, select: Any, lateral: Any, scope: Scope) -> None:
        """Make LATERAL VIEW [OUTER] explode(x) t AS a a join with UNNEST."""
        call, alias = lateral.this, lateral.args.get("alias")
        name = function_name(call)
        width = {"explode": 1, "posexplode": 2}.get(name.removesuffix("_outer"))
        if alias is None or len(alias.columns) != width:
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

    # ---- outputs -------------------------------------------------------------------------------------------------

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

    # ---- values --------------------------------------------------------------------------------------------------

    def value(self, node: Any, scope: Scope) -> exp.Expr:
        """Read a value, put what it means in its place, and return that."""
        if node.meta.get("read"):
            return node  # type: ignore[no-any-return]
        if node.meta.get("given"):
            return self.parameter(node)
        check_parts(node)
        made = self.read(node, scope)
        made.meta["read"] = True
        if made is not node:
            if made.type is None:
                made.type = node.type
            node.replace(made)
        return made

    def read(self, node: Any, scope: Scope) -> exp.Expr:
        reader = getattr(self, READERS.get(type(node), ""), None)
        if reader is not None:
            return reader(node, scope)  # type: ignore[no-any-return]
        operator = OPERATORS.get(type(node))
        if operator is None:
            raise Refused(node, "it is not shown to mean in the reference's dialect what it means in this one")
        if isinstance(node, exp.Connector):
            return self.connector(node, scope)
        arguments = [self.value(node.this, scope)]
        if not isinstance(node, exp.Unary):
            arguments.append(self.value(node.args["expression"], scope))
        if operator in COMPARED:
            self.dated(arguments)
            binary = next((a for a in arguments if a.meta.get("binary")), node)
            for argument in arguments:
                (self.compares if operator == "=" else self.sorts)(binary, argument.type)
        unknown = [k for k, v in node.args.items() if v and k not in ("this", "expression", "typed", "safe", "negate")]
        if unknown:
            raise Refused(node, f"with {unknown[0].upper()} it is not read")
        flags = {"typed": False, "safe": False} if isinstance(node, exp.Div) else {}
        fresh = type(node)(**{k: v for k, v in node.args.items() if k in ("this", "expression")}, **flags)
        fresh.meta.update(node.meta)
        operands = [fresh.this, *filter(None, [fresh.args.get("expression")])]
        made = meaning_of(self.dialect, Call(fresh, operator, operands))
        if not node.args.get("negate"):
            return made
        negated = exp.Not(this=exp.Paren(this=made.copy()))
        negated.type = build("BOOLEAN")
        return negated

    def parameter(self, node: Any) -> exp.Expr:
        """Give a bound value its type: it is written in the reference's dialect."""
        if node.type is None or kind(node) == "unknown":
            node.type = annotate_types(node.copy(), dialect="duckdb").type
        node.meta["read"] = True
        return node  # type: ignore[no-any-return]

    def connector(self, node: Any, scope: Scope) -> exp.Expr:
        for part in list(node.flatten(unnest=False)):
            read = self.value(part, scope)
            if kind(read) not in ("bool", "null"):
                raise Refused(read, f"{node.key.upper()} of {kind(read).upper()} is not a condition in every dialect")
        node.type = build("BOOLEAN")
        return node  # type: ignore[no-any-return]

    def dated(self, arguments: list[exp.Expr]) -> None:
        """Make a text literal that is compared with a day or a moment one too."""
        for i, argument in enumerate(arguments):
            other = next((a for a in arguments if kind(a) in ("date", "timestamp", "instant")), None)
            text = literal(argument)
            if text is None or not text[:1].isdigit() or other is None or other.type is None:
                continue
            to = build("DATE") if kind(other) == "date" else other.type
            made = meaning_of(self.dialect, Call(exp.Cast(this=argument.copy(), to=to.copy()), f"cast:{kind(to)}", [argument.copy()]), to)
            made.meta["read"] = True
            argument.replace(made)
            arguments[i] = made

    def compares(self, node: exp.Expr, dtype: exp.DataType | None) -> None:
        if self.dialect.sorts == "folded" and kind(dtype) == "text" and not node.meta.get("binary"):
            raise Refused(node, "text is compared by a collation there, which folds letters unless it is a binary one")

    def sorts(self, node: exp.Expr, dtype: exp.DataType | None) -> None:
        if self.dialect.sorts != "binary" and kind(dtype) == "text" and not node.meta.get("binary"):
            inner = node.this if isinstance(node, exp.Ordered) else node
            if not inner.meta.get("binary"):
                raise Refused(node, "the order of text depends on a collation there, and none that is binary is named")

    def column_(self, node: Any, scope: Scope) -> exp.Expr:
        found, dtype = scope.column(node.name.lower(), node.table.lower())
        if not found and node.table:
            # A field of a struct is written like a column of a table.
            found, outer = scope.column(node.table.lower(), "")
            if found and kind(outer) == "struct" and outer is not None:
                dtype = next((f.args["kind"] for f in outer.expressions if f.name.lower() == node.name.lower()), None)
        node.type = dtype
        return node  # type: ignore[no-any-return]

    def literal_(self, node: Any, scope: Scope) -> exp.Expr:
        if isinstance(node, (exp.RawString, exp.ByteString, exp.National)):
            node = exp.Literal.string(str(node.this))
        if node.is_string:
            node.type = build("VARCHAR")
        elif node.this.isdigit():
            if int(node.this) >= 2**63:
                raise Refused(node, "a whole number beyond 64 bits has another type in each dialect")
            node.type = build("INTEGER" if int(node.this) < 2**31 else "BIGINT")
        elif "e" in node.this.lower():
            node.type = build("DOUBLE")
        else:
            whole, _, part = node.this.partition(".")
            node.type = build(f"DECIMAL({max(len(whole) + len(part), 1)},{len(part)})")
        rule = self.dialect.rules.get({"decimal": "fraction", "real": "exponent"}.get(kind(node), ""))
        if rule is not None:
            return rule(Call(node, "number", [])) or node
        return node  # type: ignore[no-any-return]

    def boolean_(self, node: Any, scope: Scope) -> exp.Expr:
        node.type = build("BOOLEAN")
        return node  # type: ignore[no-any-return]

    def null_(self, node: Any, scope: Scope) -> exp.Expr:
        node.type = exp.DataType(this=T.NULL)
        return node  # type: ignore[no-any-return]

    def same_(self, node: Any, scope: Scope) -> exp.Expr:
        node.type = self.value(node.this, scope).type
        if node.this.meta.get("binary"):
            node.meta["binary"] = True
        return node  # type: ignore[no-any-return]

    def is_(self, node: Any, scope: Scope) -> exp.Expr:
        self.value(node.this, scope)
        if not isinstance(node.expression.unnest(), (exp.Null, exp.Boolean)):
            raise Refused(node, "only IS [NOT] NULL, TRUE and FALSE are read")
        if isinstance(node.expression, exp.Boolean) and kind(node.this) not in ("bool", "null"):
            raise Refused(node, f"{kind(node.this).upper()} is not true or false in every dialect")
        return self.boolean_(node, scope)

    def between_(self, node: Any, scope: Scope) -> exp.Expr:
        parts = [self.value(node.args[part], scope) for part in ("this", "low", "high")]
        self.dated(parts)
        if wider([p.type for p in (node.this, node.args["low"], node.args["high"])]) is None:
            raise Refused(node, "values of such types are compared differently in dialects")
        self.sorts(node, node.this.type)
        self.unlike(node, node.this)
        return self.boolean_(node, scope)

    def unlike(self, node: exp.Expr, value: exp.Expr) -> None:
        if not self.dialect.nan_equal and kind(value) == "real":
            raise Refused(node, "NaN is like nothing there, and like itself in the reference: write comparisons")

    def in_(self, node: Any, scope: Scope) -> exp.Expr:
        this = self.value(node.this, scope)
        if query := node.args.get("query"):
            types = [dtype for _, dtype in self.query(query, scope)]
            left = this.expressions if isinstance(this, exp.Tuple) else [this]
            pairs = list(zip([item.type for item in left], types, strict=False))
        else:
            items = [self.value(item, scope) for item in list(node.expressions)]
            self.dated([this, *items])
            pairs = [(this.type, item.type) for item in node.expressions] if not isinstance(this, exp.Tuple) else []
        self.unlike(node, this)
        for one, two in pairs:
            self.compares(node, one)
            if wider([one, two]) is None:
                raise Refused(node, "values of such types are compared differently in dialects")
        return self.boolean_(node, scope)

    def tuple_(self, node: Any, scope: Scope) -> exp.Expr:
        for item in list(node.expressions):
            self.value(item, scope)
        return node  # type: ignore[no-any-return]

    def case_(self, node: Any, scope: Scope) -> exp.Expr:
        results = []
        subject = self.value(node.this, scope) if node.args.get("this") else None
        for branch in node.args["ifs"]:
            test = self.value(branch.this, scope)
            if subject is not None:
                self.compares(node, subject.type)
                if wider([subject.type, test.type]) is None:
                    raise Refused(node, "values of such types are compared differently in dialects")
            elif kind(test) not in ("bool", "null"):
                raise Refused(test, f"{kind(test).upper()} is not a condition in every dialect")
            results.append(self.value(branch.args["true"], scope).type)
        if node.args.get("default"):
            results.append(self.value(node.args["default"], scope).type)
        node.type = wider(results)
        if node.type is None:
            raise Refused(node, "its branches are of types that dialects put together differently")
        return node  # type: ignore[no-any-return]

    def subquery_(self, node: Any, scope: Scope) -> exp.Expr:
        outputs = self.query(node, scope)
        node.type = outputs[0][1] if outputs else None
        return node  # type: ignore[no-any-return]

    def exists_(self, node: Any, scope: Scope) -> exp.Expr:
        self.query(node.this, scope)
        return self.boolean_(node, scope)

    def collate_(self, node: Any, scope: Scope) -> exp.Expr:
        name = node.expression.name.lower()
        if name not in self.dialect.collations:
            raise Refused(node, f"the collation {node.expression.name} is not that of the reference")
        made = self.value(node.this, scope).copy()
        made.meta["binary"] = True
        return made

    def cast_(self, node: Any, scope: Scope) -> exp.Expr:
        value = self.value(node.this, scope)
        to = node.args["to"]
        if node.args.get("format") or node.args.get("default"):
            raise Refused(node, "a cast with a format is not read")
        if kind(to) == "text" and to.expressions:
            raise Refused(node, "what becomes of longer text differs: cast to text without a length")
        how = "try_cast:" if node.args.get("safe") else "cast:"
        if "type" in self.dialect.rules and isinstance(to, exp.DataType):
            to = self.dialect.rules["type"](Call(to, "type", []))
        if not isinstance(to, exp.DataType) or kind(to) == "unknown":
            raise Refused(node, f"the type {to.sql(self.dialect.name)} is not read")
        fresh = (exp.TryCast if how == "try_cast:" else exp.Cast)(this=value.copy(), to=to.copy())
        fresh.meta.update(node.meta)
        made = meaning_of(self.dialect, Call(fresh, how + kind(to), [fresh.this]), to)
        made.type = to
        return made

    def array_(self, node: Any, scope: Scope) -> exp.Expr:
        items = [self.value(item, scope) for item in list(node.expressions)]
        dtype = wider([item.type for item in items])
        if dtype is None:
            raise Refused(node, "its items are of types that dialects put together differently")
        made = exp.Array(expressions=[item.copy() for item in items])
        made.type = exp.DataType(this=T.LIST, expressions=[dtype.copy()], nested=True)
        return made

    def bracket_(self, node: Any, scope: Scope) -> exp.Expr:
        base = self.value(node.this, scope)
        places = [self.value(place, scope) for place in list(node.expressions)]
        if len(places) != 1:
            raise Refused(node, "slices are not read")
        name = "item:safe" if node.args.get("safe") else "item"
        if (offset := node.args.get("offset")) is not None:
            if not isinstance(places[0], exp.Literal) or places[0].is_string:
                raise Refused(node, "it is read with a constant place")
            places = [exp.Literal.number(max(int(places[0].this) - offset, 0))]
            places[0].type = build("INTEGER")
        elif name == "item" and f"{name}:bare" in self.dialect.reasons:
            raise Refused(node, self.dialect.reasons["item:bare"])
        return meaning_of(self.dialect, Call(node, name, [base, *places]))

    def interval_(self, node: Any, scope: Scope) -> exp.Expr:
        unit, count = node.args.get("unit"), literal(node.this)
        whole = count is not None and count.removeprefix("-").isdigit()
        if not whole or not isinstance(unit, exp.Var) or unit.name.upper().removesuffix("S") not in UNITS:
            raise Refused(node, "only an INTERVAL of a whole number of one unit is read")
        node.type = build("INTERVAL")
        return node  # type: ignore[no-any-return]

    def special_(self, node: Any, scope: Scope) -> exp.Expr:
        """Read what has a syntax of its own as the call that it is."""
        name, parts = SPECIAL[type(node)]
        for part, value in node.args.items():
            if value and part not in parts:
                raise Refused(node, f"that form of {name}() is not read")
        given = [node.args[part] for part in parts if node.args.get(part)]
        if isinstance(node, exp.Extract):
            name, given = f"extract:{node.this.name.lower()}", [node.expression]
        for argument in given:
            self.value(argument, scope)
        given = [node.args[part].copy() for part in parts if node.args.get(part) and not isinstance(node, exp.Extract)]
        given = given or [node.expression.copy()]
        return self.called(node, name, given)

    def called(self, node: Any, name: str, arguments: list[exp.Expr]) -> exp.Expr:
        fresh = exp.Anonymous(this=name, expressions=arguments)
        fresh.meta.update(node.meta)
        return meaning_of(self.dialect, Call(fresh, name, list(fresh.expressions)))

    def anonymous_(self, node: Any, scope: Scope) -> exp.Expr:
        name = function_name(node)
        if name == "exists" and len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Query):
            made = exp.Exists(this=node.expressions[0].copy())
            self.query(made.this, scope)
            return self.boolean_(made, scope)
        for argument in list(node.expressions):
            if isinstance(argument, (exp.Distinct, exp.Order)):
                self.aggregated(argument, scope)
                if isinstance(argument, exp.Distinct) and len(argument.expressions) != 1:
                    raise Refused(node, "DISTINCT over several columns is not read")
            elif isinstance(argument, exp.Var) or (isinstance(argument, exp.Column) and self.is_unit(node, argument, scope)):
                argument.replace(exp.Literal.string(argument.name.lower()))
            elif isinstance(argument, exp.Lambda):
                self.lambda_(node, argument, scope)
            elif isinstance(argument, exp.Star):
                continue
            elif isinstance(argument, exp.Kwarg):
                raise Refused(node, "arguments by name are not read")
            else:
                self.value(argument, scope)
        arguments = list(node.expressions)
        for argument in arguments:
            if isinstance(argument, exp.Literal) and argument.type is None:
                argument.type = build("VARCHAR")
        if name in ("datediff", "date_diff"):
            self.dated(arguments)
        if name in ("min", "max") and arguments:
            self.unlike(node, unwrapped(arguments[0]))
            self.sorts(unwrapped(arguments[0]), unwrapped(arguments[0]).type)
        if any(isinstance(a, exp.Distinct) for a in arguments) or name in ("greatest", "least", "nullif"):
            for argument in arguments:
                (self.compares if name != "greatest" else self.sorts)(node, unwrapped(argument).type)
        node.set("this", name)
        return meaning_of(self.dialect, Call(node, name, arguments))

    def lambda_(self, node: exp.Expr, made: Any, scope: Scope) -> None:
        """Read a function of one item of the list that stands before it."""
        of = node.expressions[0].type
        if len(made.expressions) != 1 or kind(of) != "list" or not isinstance(of, exp.DataType):
            raise Refused(made, "only a function of one item, of the list before it, is read")
        name, item = made.expressions[0].name, of.expressions[0]
        for inner in made.this.find_all(exp.Identifier):
            if inner.name == name and not isinstance(inner.parent, (exp.Column, exp.Dot)):
                inner.type = item
                inner.meta["read"] = True
        made.type = self.value(made.this, scope).type

    def is_unit(self, node: Any, argument: Any, scope: Scope) -> bool:
        """Tell whether a bare word is a unit of time, as in datediff(day, a, b), and no column."""
        return (
            function_name(node).startswith(("date", "timestamp", "time", "last_day", "trunc"))
            and not argument.table
            and argument.name.upper() in UNITS
            and not scope.column(argument.name.lower(), "")[0]
        )

    def aggregated(self, argument: Any, scope: Scope) -> None:
        check_parts(argument)
        if isinstance(argument, exp.Distinct):
            for item in list(argument.expressions):
                self.value(item, scope)
        else:
            inner = argument.this
            self.aggregated(inner, scope) if isinstance(inner, (exp.Distinct, exp.Order)) else self.value(inner, scope)
            self.order(argument, scope)

    def filter_(self, node: Any, scope: Scope) -> exp.Expr:
        self.value(node.expression.this, scope)
        made = self.value(node.this, scope)
        if not isinstance(made, exp.Anonymous):
            raise Refused(node, f"FILTER is not read for {made.key.upper()}")
        return self.same_(node, scope)

    def nulls_(self, node: Any, scope: Scope) -> exp.Expr:
        if function_name(node.this) not in ORDERED:
            raise Refused(node, "it is read for functions of windows only")
        read = self.value(node.this, scope)
        if isinstance(read, exp.Anonymous):
            # The reference writes IGNORE NULLS for calls that the parser knows.
            made = ORDERED[read.name](**dict(zip(("this", "offset", "default"), read.expressions, strict=False)))
            made.type = read.type
            made.meta["read"] = True
            read.replace(made)
        return self.same_(node, scope)

    def window(self, node: Any, scope: Scope) -> exp.Expr:
        check_parts(node)
        for key in list(node.args.get("partition_by") or ()):
            read = self.value(key, scope)
            self.compares(read, read.type)
        if order := node.args.get("order"):
            self.order(order, scope)
        if spec := node.args.get("spec"):
            check_parts(spec)
            edges = [spec.args.get("start"), spec.args.get("end")]
            if spec.args["kind"] != "ROWS" and any(isinstance(edge, exp.Expr) for edge in edges):
                raise Refused(node, "only ROWS counts between other rows in every dialect")
            for edge in edges:
                if isinstance(edge, exp.Expr):
                    self.value(edge, scope)
        return node  # type: ignore[no-any-return]

    def window_(self, node: Any, scope: Scope) -> exp.Expr:
        inner = node.this
        while isinstance(inner, (exp.IgnoreNulls, exp.RespectNulls, exp.Filter)):
            inner = inner.this
        if not isinstance(inner, exp.Anonymous):
            raise Refused(node, "that is not a function of windows")
        name = function_name(inner)
        # The frame is named, so that a line can tell it from the function over a group.
        if f"{name}:over" in self.dialect.table or f"{name}:over" in self.dialect.reasons:
            framed = node.args.get("spec") or not node.args.get("order")
            if not framed:
                raise Refused(node, self.dialect.reasons.get(f"{name}:over", ""), construct=f"{name}()")
        self.window(node, scope)
        read = self.value(node.this, scope)
        core = read
        while isinstance(core, (exp.IgnoreNulls, exp.RespectNulls, exp.Filter)):
            core = core.this
        if not isinstance(core, (exp.Anonymous, *ORDERED.values())):
            raise Refused(node, f"{name}() OVER has no form of the same meaning", construct=f"{name}()")
        node.type = read.type
        return node  # type: ignore[no-any-return]


ORDERED: dict[str, type[exp.Expr]] = {
    "lag": exp.Lag,
    "lead": exp.Lead,
    "first_value": exp.FirstValue,
    "last_value": exp.LastValue,
}
UNITS = frozenset({"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"})

READERS: dict[type[exp.Expr], str] = {
    exp.Column: "column_",
    exp.Literal: "literal_",
    exp.RawString: "literal_",
    exp.ByteString: "literal_",
    exp.National: "literal_",
    exp.Boolean: "boolean_",
    exp.Null: "null_",
    exp.Paren: "same_",
    exp.Alias: "same_",
    exp.Is: "is_",
    exp.Between: "between_",
    exp.In: "in_",
    exp.Tuple: "tuple_",
    exp.Case: "case_",
    exp.Subquery: "subquery_",
    exp.Select: "subquery_",
    exp.Exists: "exists_",
    exp.Collate: "collate_",
    exp.Cast: "cast_",
    exp.TryCast: "cast_",
    exp.Array: "array_",
    exp.Bracket: "bracket_",
    exp.Interval: "interval_",
    exp.Anonymous: "anonymous_",
    exp.Filter: "filter_",
    exp.IgnoreNulls: "nulls_",
    exp.RespectNulls: "nulls_",
    exp.Window: "window_",
    exp.Extract: "special_",
    exp.Trim: "special_",
    exp.Substring: "special_",
    exp.StrPosition: "special_",
}

SPECIAL: dict[type[exp.Expr], tuple[str, tuple[str, ...]]] = {
    exp.Extract: ("extract", ("this", "expression")),
    exp.Trim: ("trim", ("this", "expression")),
    exp.Substring: ("substring", ("this", "start", "length")),
    exp.StrPosition: ("position", ("this", "substr")),
}


def function_name(node: exp.Expr) -> str:
    return str(node.this).removeprefix(MARK).lower() if isinstance(node, exp.Anonymous) else ""


def renamed(outputs: Outputs, alias: Any) -> Outputs:
    """Return the columns under the names that an alias gives them."""
    names = [column.name for column in alias.columns] if alias is not None else []
    return [(names[i] if i < len(names) else name, dtype) for i, (name, dtype) in enumerate(outputs)]


def check_parts(node: exp.Expr) -> None:
    known = PARTS.get(type(node))
    for part, value in node.args.items() if known is not None else ():
        if value and part not in known:
            raise Refused(node, f"with {part.strip('_').upper()} it is not read")


def refuse(node: exp.Expr, why: str) -> NoReturn:
    raise Refused(node, why)
