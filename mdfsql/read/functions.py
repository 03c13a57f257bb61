"""Reading calls: functions, those with a syntax of their own, functions of items, aggregates and windows."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.read.meaning import Call, Refused, build, kind, meaning_of, unwrapped, wider, written
from mdfsql.read.scope import Scope, check_parts, function_name
from mdfsql.read.values import UNITS, Values

__all__ = ["Functions"]

ORDERED: dict[str, type[exp.Expr]] = {
    "lag": exp.Lag,
    "lead": exp.Lead,
    "first_value": exp.FirstValue,
    "last_value": exp.LastValue,
}

SPECIAL: dict[type[exp.Expr], tuple[str, tuple[str, ...]]] = {
    exp.Extract: ("extract", ("this", "expression")),
    exp.Trim: ("trim", ("this", "expression")),
    exp.Substring: ("substring", ("this", "start", "length")),
    exp.StrPosition: ("position", ("this", "substr")),
}


class Functions(Values):
    """A query as it is read: its calls."""

    def order(self, order: Any, scope: Scope) -> None:
        check_parts(order)
        for key in list(order.expressions):
            check_parts(key)
            read = self.value(key.this, scope)
            self.sorts(key, read.type)
            if self.dialect.nan_first and kind(read) == "real":
                self.nan_first(order, key)

    def nan_first(self, order: Any, key: Any) -> None:
        """Put NaN below all numbers: by a key of its own before the other."""
        place = written("CASE WHEN isnan($1) THEN 0 WHEN $1 IS NOT NULL THEN 1 END", [key.this])
        before = exp.Ordered(this=place, **{k: v for k, v in key.args.items() if k != "this"})
        order.expressions.insert(order.expressions.index(key), before)

    def special_(self, node: Any, scope: Scope) -> exp.Expr:
        """Read what has a syntax of its own as the call that it is."""
        name, parts = SPECIAL[type(node)]
        if isinstance(node, exp.Trim) and node.args.get("position"):
            side = node.args["position"].lower()
            name = name if side == "both" else f"trim:{side}"
            node.set("position", None)
        for part, value in node.args.items():
            if value and part not in (*parts, "clamp_position"):
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
        if name in self.dialect.without_nulls:
            self.dropped(node)
        for argument in list(node.expressions):
            if isinstance(argument, (exp.Distinct, exp.Order)):
                self.aggregated(argument, scope)
                if isinstance(argument, exp.Distinct) and len(argument.expressions) != 1:
                    raise Refused(node, "DISTINCT over several columns is not read")
            elif isinstance(argument, exp.Var) or (
                isinstance(argument, exp.Column) and self.is_unit(node, argument, scope)
            ):
                argument.replace(exp.Literal.string(argument.name.lower()))
            elif function_name(argument) in self.dialect.units:
                # A week that begins on a day, as WEEK(MONDAY).
                day = ", ".join(part.name.lower() for part in argument.expressions)
                argument.replace(exp.Literal.string(f"{function_name(argument)}({day})"))
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
        if name == "nullif" and arguments:
            self.unlike(node, arguments[0])
            self.plain(node, arguments[0])
        if name in ("lag", "lead") and len(arguments) == 3:
            value, _, default = arguments
            if wider([value.type, default.type]) != value.type:
                raise Refused(node, "what stands in for a missing row is made the type of the others here", name)
        if function_name(node) == f"{name}:ignore":
            return self.ignoring(node, name, arguments)
        node.set("this", name)
        return meaning_of(self.dialect, Call(node, name, arguments))

    def ignoring(self, node: Any, name: str, arguments: list[exp.Expr]) -> exp.Expr:
        """Return a list of the values that are there."""
        value = unwrapped(arguments[0])
        if len(arguments) != 1 or isinstance(arguments[0], exp.Distinct) or value.type is None:
            raise Refused(node, "IGNORE NULLS is read of one value, without DISTINCT", construct=f"{name}()")
        made: Any = exp.Filter(
            this=exp.Anonymous(this="array_agg", expressions=[arguments[0].copy()]),
            expression=exp.Where(this=exp.Not(this=exp.Is(this=exp.Paren(this=value.copy()), expression=exp.null()))),
        )
        made.type = exp.DataType(this=exp.DType.LIST, expressions=[value.type.copy()], nested=True)
        for inner in made.walk():
            inner.meta["read"] = True
        return made

    def dropped(self, node: Any) -> None:
        """Take IGNORE NULLS out of an aggregate's argument: its name says so then."""
        argument = node.expressions[0] if node.expressions else None
        inner = argument.this if isinstance(argument, exp.Order) else argument
        if isinstance(inner, exp.IgnoreNulls):
            inner.replace(inner.this.copy())
            node.set("this", f"{function_name(node)}:ignore")

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
            and (argument.name.upper() in UNITS or argument.name.lower() in self.dialect.units)
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
        self.condition(node.expression, scope)
        made = self.value(node.this, scope)
        if not isinstance(made, exp.Anonymous):
            raise Refused(node, f"FILTER is not read for {made.key.upper()}")
        return self.same_(node, scope)

    def within_(self, node: Any, scope: Scope) -> exp.Expr:
        """Read WITHIN GROUP (ORDER BY ...) of text that is put together, as ORDER BY in the call."""
        call, order = node.this, node.expression
        name = function_name(call)
        if f"within:{name}" not in self.dialect.table or not isinstance(order, exp.Order):
            raise Refused(node, "WITHIN GROUP is not shown to mean the same with it", construct=f"{name}()")
        value, *rest = call.expressions
        between = rest[0] if rest else exp.Literal.string("")
        ordered = exp.Order(this=between.copy(), expressions=[key.copy() for key in order.expressions])
        made = exp.Anonymous(this="string_agg", expressions=[value.copy(), ordered])
        node.set("this", made)
        self.aggregated(value, scope) if isinstance(value, exp.Distinct) else self.value(made.expressions[0], scope)
        self.aggregated(made.expressions[1], scope)
        made.meta.update(node.meta)
        return meaning_of(self.dialect, Call(made, f"within:{name}", list(made.expressions)))

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
        return node

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
        return node
