"""Reading values: columns, constants, operators, comparisons and casts."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types

from mdfsql.read.meaning import Call, Dialect, Refused, build, kind, literal, meaning_of, wider, written
from mdfsql.read.scope import Outputs, Scope, check_parts

__all__ = ["UNITS", "Values"]

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
    exp.BitwiseAnd: "&",
    exp.BitwiseOr: "|",
    exp.BitwiseXor: "^",
    exp.BitwiseNot: "~",
}
COMPARED = ("=", "<")
MICROSECONDS = 6

UNITS = frozenset({"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"})


class Values:
    """A query as it is read: the dialect, and the tables that it names. Here are its values."""

    def __init__(self, dialect: Dialect, tables: Mapping[str, Outputs]) -> None:
        self.dialect, self.tables = dialect, tables

    def query(self, tree: exp.Expr, outer: Scope) -> Outputs:
        """Read a query and return its columns."""
        raise NotImplementedError

    def value(self, node: Any, scope: Scope) -> exp.Expr:
        """Read a value, put what it means in its place, and return that."""
        if node.meta.get("read"):
            return node
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

    def condition(self, clause: Any, scope: Scope, part: str = "this") -> None:
        """Read a condition: whether anything else is one, and which, differs."""
        read = self.value(clause.args[part], scope)
        read = self.truth(read)
        if kind(read) not in ("bool", "null") and not (kind(read) == "unknown" and isinstance(read, exp.Column)):
            raise Refused(read, f"{kind(read).upper()} is not a condition in every dialect")

    def read(self, node: Any, scope: Scope) -> exp.Expr:
        reader = getattr(self, READERS.get(type(node), ""), None)
        if reader is not None:
            return reader(node, scope)
        operator = OPERATORS.get(type(node))
        if isinstance(node, exp.EQ) and isinstance(node.expression, exp.Any):
            return self.any_(node, scope)
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
                self.plain(node, argument)
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

    def escape_(self, node: Any, scope: Scope) -> exp.Expr:
        """Read LIKE with the sign that makes % and _ plain: it stands before those and itself alone."""
        like, sign = node.this, literal(node.expression)
        pattern = literal(like.args["expression"]) if isinstance(like, exp.Like) else None
        if pattern is None or sign is None or len(sign) != 1 or sign in "%_":
            raise Refused(node, "ESCAPE is read after LIKE with a constant pattern, as one sign that is not % or _")
        rest = pattern.replace(sign * 2, "").replace(f"{sign}%", "").replace(f"{sign}_", "")
        if sign in rest:
            raise Refused(node, "the sign of ESCAPE stands before %, _ and itself only")
        value = self.value(like.this, scope)
        if "like" not in self.dialect.rules or kind(value) not in ("text", "null"):
            raise Refused(node, "ESCAPE is read for text only")
        # Whether LIKE is read, and which letters it tells apart, is asked without what has another meaning here.
        plain = exp.Like(this=value.copy(), expression=exp.Literal.string("a"))
        self.dialect.rules["like"](Call(plain, "like", [plain.this, plain.expression]))
        found = exp.Like(this=value.copy(), expression=exp.Literal.string(pattern))
        made: exp.Expr = exp.Escape(this=found, expression=exp.Literal.string(sign))
        for inner in made.walk():
            inner.meta["read"] = True
        made = exp.Paren(this=made)
        if like.args.get("negate"):
            made = exp.Not(this=made)
        made.type = build("BOOLEAN")
        return made

    def convert_(self, node: Any, scope: Scope) -> exp.Expr:
        """Read CONVERT(type, value) as the cast that it is without a style."""
        if node.args.get("style") or not isinstance(node.this, exp.DataType):
            raise Refused(node, "CONVERT is read with a type and without a style")
        made = exp.Cast(this=node.expression.copy(), to=node.this.copy(), safe=node.args.get("safe"))
        return self.cast_(made, scope)

    def any_(self, node: Any, scope: Scope) -> exp.Expr:
        """Read x = ANY (query or list)."""
        of = node.expression.this.unnest()
        if isinstance(of, exp.Query):
            made = exp.In(this=node.this.copy(), query=exp.Subquery(this=of.copy()))
            return self.in_(made, scope)
        return self.held(node, self.value(node.this, scope), self.value(node.expression.this, scope))

    def held(self, node: exp.Expr, value: exp.Expr, items: exp.Expr) -> exp.Expr:
        """Return whether a list holds a value."""
        if kind(items) != "list" or wider([value.type, items.type.expressions[0] if items.type else None]) is None:
            raise Refused(node, "ANY is read of a query, or of a list of values of the same kind")
        self.compares(node, value.type)
        self.unlike(node, value)
        return typed(HELD, [items, value], "BOOLEAN")

    def parameter(self, node: Any) -> exp.Expr:
        """Give a bound value its type: it is written in the reference's dialect."""
        if node.type is None or kind(node) == "unknown":
            node.type = annotate_types(node.copy(), dialect="duckdb").type
        node.meta["read"] = True
        return node

    def truth(self, read: exp.Expr) -> exp.Expr:
        """Return what a number is as a condition, where it is one."""
        if not self.dialect.numbers_are_true or kind(read) != "int":
            return read
        made = exp.NEQ(this=exp.Paren(this=read.copy()), expression=exp.Literal.number(0))
        made.type = build("BOOLEAN")
        for inner in made.walk():
            inner.meta["read"] = True
        read.replace(made)
        return made

    def connector(self, node: Any, scope: Scope) -> exp.Expr:
        for part in list(node.flatten(unnest=False)):
            read = self.truth(self.value(part, scope))
            if kind(read) not in ("bool", "null"):
                raise Refused(read, f"{node.key.upper()} of {kind(read).upper()} is not a condition in every dialect")
        node.type = build("BOOLEAN")
        return node

    def dated(self, arguments: list[exp.Expr]) -> None:
        """Make a text literal that is compared with a day or a moment one too."""
        for i, argument in enumerate(arguments):
            other = next((a for a in arguments if kind(a) in ("date", "timestamp", "instant")), None)
            text = literal(argument)
            if text is None or not text[:1].isdigit() or other is None or other.type is None:
                continue
            to = build("DATE") if kind(other) == "date" else other.type
            made = meaning_of(
                self.dialect,
                Call(exp.Cast(this=argument.copy(), to=to.copy()), f"cast:{kind(to)}", [argument.copy()]),
                to,
            )
            made.meta["read"] = True
            argument.replace(made)
            arguments[i] = made

    def compares(self, node: exp.Expr, dtype: exp.DataType | None) -> None:
        if self.dialect.sorts == "folded" and kind(dtype) == "text" and not node.meta.get("binary"):
            raise Refused(node, "text is compared by a collation there, which folds letters unless it is a binary one")

    def sorts(self, node: exp.Expr, dtype: exp.DataType | None) -> None:
        if kind(dtype) in ("list", "struct", "map"):
            raise Refused(node, "dialects put NULL inside a list or struct in other places")
        if self.dialect.sorts != "binary" and kind(dtype) == "text" and not node.meta.get("binary"):
            inner = node.this if isinstance(node, exp.Ordered) else node
            if not inner.meta.get("binary"):
                raise Refused(node, "the order of text depends on a collation there, and none that is binary is named")

    def column_(self, node: Any, scope: Scope) -> exp.Expr:
        name = node.name.lower()
        if not node.table and scope.is_alias(name):
            outside = scope.parent is not None and scope.parent.column(name, "")[0]
            if outside or not scope.sees_aliases:
                raise Refused(node, "the name of an output is not seen there: write what it stands for")
        found, dtype = scope.column(name, node.table.lower())
        if not found and not node.table and name in scope.sources:
            raise Refused(node, "a whole row as one value is not read")
        if not found and node.table:
            # A field of a struct is written like a column of a table.
            found, outer = scope.column(node.table.lower(), "")
            if found and kind(outer) == "struct" and outer is not None:
                dtype = next((f.args["kind"] for f in outer.expressions if f.name.lower() == node.name.lower()), None)
        node.type = dtype
        return node

    def literal_(self, node: Any, scope: Scope) -> exp.Expr:
        if isinstance(node, exp.ByteString) and not self.dialect.bytes_are_text:
            raise Refused(node, "bytes are not read")
        if isinstance(node, (exp.RawString, exp.ByteString, exp.National)):
            node = exp.Literal.string(str(node.this))
        if isinstance(node, exp.UnicodeString):
            node = exp.Literal.string(unescaped(node))
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
        rule = self.dialect.rules.get({"int": "whole", "decimal": "fraction", "real": "exponent"}.get(kind(node), ""))
        if rule is not None:
            return rule(Call(node, "number", [])) or node
        return node

    def boolean_(self, node: Any, scope: Scope) -> exp.Expr:
        node.type = build("BOOLEAN")
        return node

    def null_(self, node: Any, scope: Scope) -> exp.Expr:
        node.type = exp.DataType(this=T.NULL)
        return node

    def same_(self, node: Any, scope: Scope) -> exp.Expr:
        node.type = self.value(node.this, scope).type
        if node.this.meta.get("binary"):
            node.meta["binary"] = True
        return node

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

    def plain(self, node: exp.Expr, value: exp.Expr) -> None:
        if not self.dialect.nested_equal and kind(value) in ("list", "struct", "map"):
            raise Refused(node, "a NULL inside a list or struct is like another one or not in each dialect")

    def in_(self, node: Any, scope: Scope) -> exp.Expr:
        this = self.value(node.this, scope)
        if listed := node.args.get("unnest"):
            return self.held(node, this, self.value(listed.expressions[0], scope))
        left = this.expressions if isinstance(this, exp.Tuple) else [this]
        if query := node.args.get("query"):
            if self.dialect.in_forgets_null and (len(left) > 1 or not filters(node)):
                raise Refused(node, "NULL is not in a subquery there, except as a condition of WHERE: use EXISTS")
            rows = [[dtype for _, dtype in self.query(query, scope)]]
        else:
            items = [self.value(item, scope) for item in list(node.expressions)]
            self.dated([this, *items])
            rows = [[i.type for i in (row.expressions if len(left) > 1 else [row])] for row in node.expressions]
        for item in left:
            self.unlike(node, item)
            self.plain(node, item)
        for one, two in ((item.type, dtype) for row in rows for item, dtype in zip(left, row, strict=False)):
            self.compares(node, one)
            if wider([one, two]) is None:
                raise Refused(node, "values of such types are compared differently in dialects")
        if len(left) > 1 and not query and not self.dialect.rows_are_structs:
            # Here a row is a value, which NULL in it does not make unknown.
            return self.boolean_(same_rows(left, node.expressions), scope)
        return self.boolean_(node, scope)

    def tuple_(self, node: Any, scope: Scope) -> exp.Expr:
        for item in list(node.expressions):
            self.value(item, scope)
        return node

    def case_(self, node: Any, scope: Scope) -> exp.Expr:
        results = []
        subject = self.value(node.this, scope) if node.args.get("this") else None
        for branch in node.args["ifs"]:
            test = self.value(branch.this, scope)
            if subject is not None:
                self.compares(node, subject.type)
                self.unlike(node, subject)
                self.plain(node, subject)
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
        return node

    def subquery_(self, node: Any, scope: Scope) -> exp.Expr:
        outputs = self.query(node, scope)
        node.type = outputs[0][1] if outputs else None
        return node

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
        how = "try_cast:" if node.args.get("safe") else "cast:"
        if "type" in self.dialect.rules and isinstance(to, exp.DataType):
            to = self.dialect.rules["type"](Call(to, "type", []))
        if not isinstance(to, exp.DataType) or kind(to) == "unknown":
            raise Refused(node, f"the type {to.sql(self.dialect.name)} is not read")
        to = self.whole_type(node, value, to)
        if how == "cast:" and kind(to) == kind(value) == "list" and value.type is not None:
            one, two = (dtype.expressions[0] for dtype in (value.type, to))
            if one == two or (kind(one) == kind(two) and kind(one) in ("int", "text", "null")):
                items = exp.Cast(this=value.copy(), to=to.copy())
                items.type = to
                return items
        fresh = (exp.TryCast if how == "try_cast:" else exp.Cast)(this=value.copy(), to=to.copy())
        fresh.meta.update(node.meta)
        made = meaning_of(self.dialect, Call(fresh, how + kind(to), [fresh.this]), to)
        made.type = to
        return made

    def whole_type(self, node: exp.Expr, value: exp.Expr, to: exp.DataType) -> exp.DataType:
        """Return the type of a cast with what it leaves to the dialect; Refused where values would lose something."""
        if kind(to) in ("text", "real") and to.expressions:
            raise Refused(node, "what becomes of longer values differs: cast to a type without a length")
        if kind(to) == "decimal" and not to.expressions:
            if self.dialect.decimal is None or "." in (literal(value) or ""):
                raise Refused(node, "it keeps the digits that are there, or not: write how many, as in DECIMAL(18, 3)")
            return build(f"DECIMAL{self.dialect.decimal}")
        if kind(to) in ("timestamp", "instant"):
            kept = int(to.expressions[0].name) if to.expressions else self.dialect.of_seconds
            text = literal(value)
            parts = re.search(r"\.(\d+)", text or "")
            plain = (len(parts[1]) if parts else 0) <= kept if text else kind(value) in ("date", "null")
            if kept < MICROSECONDS and not plain:
                raise Refused(
                    node, f"seconds are rounded to {kept} digits there: name six digits of them, or cut them off"
                )
            return exp.DataType(this=to.this)
        return to

    def array_(self, node: Any, scope: Scope) -> exp.Expr:
        items = [self.value(item, scope) for item in list(node.expressions)]
        dtype = wider([item.type for item in items])
        if dtype is None:
            raise Refused(node, "its items are of types that dialects put together differently")
        if any(isinstance(item.unnest(), exp.Query) for item in items):
            raise Refused(node, "a query in it gives one item or all")
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
            if int(places[0].this) < offset:
                raise Refused(node, f"places are counted from {offset} there")
            places = [exp.Literal.number(int(places[0].this) - offset)]
            places[0].type = build("INTEGER")
        elif name == "item" and f"{name}:bare" in self.dialect.reasons:
            raise Refused(node, self.dialect.reasons["item:bare"])
        return meaning_of(self.dialect, Call(node, name, [base, *places]))

    def interval_(self, node: Any, scope: Scope) -> exp.Expr:
        unit, count = node.args.get("unit"), literal(node.this)
        word = unit.name.lower().removesuffix("s") if isinstance(unit, exp.Var) else ""
        if count is None and node.this is not None and word.upper() in UNITS:
            value = self.value(node.this, scope)
            if kind(value) == "int":
                made = written(f"to_{word}s(CAST($1 AS INTEGER))", [value])
                made.type = build("INTERVAL")
                made.meta["unit"] = word
                return made
        whole = count is not None and count.removeprefix("-").isdigit()
        if not whole or not isinstance(unit, exp.Var) or unit.name.upper().removesuffix("S") not in UNITS:
            raise Refused(node, "only an INTERVAL of a whole number of one unit is read")
        node.type = build("INTERVAL")
        return node


def filters(node: exp.Expr) -> bool:
    """Tell whether a condition keeps or drops rows, so that NULL and FALSE are one: NOT may stand before it alone."""
    other = negated = False
    while isinstance(node.parent, (exp.Paren, exp.And, exp.Or, exp.Not)):
        node = node.parent
        if isinstance(node, exp.Not):
            if negated or other:
                return False
            negated = True
        elif isinstance(node, exp.Or):
            if negated:
                return False
            other = True
    return isinstance(node.parent, (exp.Where, exp.Having))


def unescaped(node: exp.Expr) -> str:
    """Return the value of U&'...', in which a backslash and four digits, or + and six, stand for a letter."""
    if node.args.get("escape"):
        raise Refused(node, "it is read with a backslash as its escape")
    parts = re.split(r"(\\\\|\\[0-9a-fA-F]{4}|\\\+[0-9a-fA-F]{6})", str(node.this))
    if any("\\" in part for part in parts[::2]):
        raise Refused(node, "a backslash in it stands before four digits, or + and six")
    escapes = [chr(int(part.strip("\\+"), 16)) if part != "\\\\" else "\\" for part in parts[1::2]]
    return "".join(part for pair in itertools.zip_longest(parts[::2], escapes, fillvalue="") for part in pair)


def same_rows(left: list[exp.Expr], rows: list[exp.Expr]) -> exp.Expr:
    """Return whether one of the rows is that of the left, item by item."""
    pairs = [
        [exp.EQ(this=a.copy(), expression=b.copy()) for a, b in zip(left, r.expressions, strict=True)] for r in rows
    ]
    made = exp.Paren(this=exp.or_(*(exp.and_(*row) for row in pairs)))
    for inner in made.walk():
        inner.meta["read"] = True
    return made


# Whether a list holds a value: NULL where it may be the one that is not known.
HELD = """
CASE WHEN $1 IS NULL OR ($2 IS NULL AND len($1) > 0) THEN CAST(NULL AS BOOLEAN) WHEN $2 IS NULL THEN FALSE
WHEN list_contains($1, $2) THEN TRUE
WHEN len(list_filter($1, lambda x: x IS NULL)) > 0 THEN CAST(NULL AS BOOLEAN) ELSE FALSE END
"""


def typed(form: str, arguments: list[exp.Expr], dtype: str) -> exp.Expr:
    """Return a form with the arguments in their places, and its type."""
    made = written(form, arguments)
    made.type = build(dtype)
    return made


READERS: dict[type[exp.Expr], str] = {
    exp.Column: "column_",
    exp.Literal: "literal_",
    exp.RawString: "literal_",
    exp.ByteString: "literal_",
    exp.National: "literal_",
    exp.UnicodeString: "literal_",
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
    exp.Convert: "convert_",
    exp.Escape: "escape_",
    exp.Array: "array_",
    exp.Bracket: "bracket_",
    exp.Interval: "interval_",
    exp.Anonymous: "anonymous_",
    exp.Filter: "filter_",
    exp.WithinGroup: "within_",
    exp.IgnoreNulls: "nulls_",
    exp.RespectNulls: "nulls_",
    exp.Window: "window_",
    exp.Extract: "special_",
    exp.Trim: "special_",
    exp.Substring: "special_",
    exp.StrPosition: "special_",
}
