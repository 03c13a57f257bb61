"""Functions of text, at the edges where engines part."""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from mdfsql.lower.format_text import format_text, glob_pattern
from mdfsql.lower.rules import (
    call,
    case,
    cast,
    each,
    integer,
    is_null,
    kind,
    literal_text,
    null,
    number,
    of_kind,
    paren,
    raised,
    refuse,
    text,
    there,
)
from mdfsql.lower.text_encodings import in_bytes

__all__ = ["exact_text"]

# What concat() and || make text of.
VALUES = frozenset(
    {"int", "bool", "date", "decimal", "double", "float", "timestamp", "timestamptz", "list", "struct", "map"}
)

ASCII = r"\A[\x00-\x7F]*\z"


def exact_text(tree: exp.Expr) -> exp.Expr:
    """Positions of 0 or less, letters without one upper case partner, and backslashes mean what they do in DuckDB."""
    return each(tree, RULES)


def _text(node: exp.Expr, what: str) -> None:
    instead = "CAST it to VARCHAR" if kind(node) in ("int", "date", "bool", "decimal", "timestamp") else None
    of_kind(node, what, "text", "null", instead=instead)


def _plain(what: str, *names: str) -> Any:
    """Return a rule that only checks that the arguments are text."""

    def rule(node: Any) -> None:
        for name in names:
            if node.args.get(name) is not None:
                _text(node.args[name], what)

    return rule


def _ascii(value: exp.Expr) -> exp.Expr:
    return call("RLIKE", value, ASCII, type="BOOLEAN")


def _cased(name: str) -> Any:
    """Return a rule for upper or lower case."""

    def rule(node: Any) -> exp.Expr:
        _text(node.this, f"{name.lower()}()")
        return cased(name, node.this)

    return rule


def cased(name: str, value: exp.Expr) -> exp.Expr:
    """Return upper or lower case of text: at once where it is ASCII; other letters are refused when they are met."""
    if (constant := literal_text(value)) is not None and constant.isascii():
        return text(constant.upper() if name == "UPPER" else constant.lower())
    _safe_constant(value, f"{name.lower()}()")
    # Latin-1, Latin Extended-A, Greek and Cyrillic letters that have one partner each are shown to agree.
    good = call("RLIKE", value, SAFE_LETTERS, type="BOOLEAN")
    message = exp.Concat(
        expressions=[text(f"{name.lower()}(): engines disagree on a letter of '"), value.copy(), text("'")],
        safe=False,
        coalesce=False,
    )
    bad = exp.And(this=exp.Not(this=good), expression=there(value))
    return case((bad, raised(message)), default=call(name, value, type="VARCHAR"))


def _safe_constant(value: exp.Expr, what: str) -> None:
    """Refuse a constant that would be refused when it is met."""
    constant = literal_text(value)
    if constant is not None and not re.fullmatch(SAFE_LETTERS[2:-2], constant):
        refuse(f"{what} of {constant!r}", "engines disagree on a letter of it")


# ASCII; Latin-1 but for sharp s, micro and y with dots; Latin Extended-A but for dotted and dotless i, long s and two
# more; Greek and Cyrillic without accents and final sigma; CJK, kana and hangul, which have no case.
SAFE_LETTERS = (
    r"\A[\x00-\x7F\u00A0-\u00B4\u00B6-\u00DE\u00E0-\u00FE\u0100-\u012F\u0132-\u0148\u014A-\u0177\u0179-\u017E"
    r"\u0391-\u03A1\u03A4-\u03A9\u03B1-\u03C1\u03C4-\u03C9\u0410-\u044F\u0401\u0451\u2010-\u2027\u3000-\u30FF\u4E00-\u9FFF\uAC00-\uD7A3]*\z"
)


# Signs that Java keeps in two halves; Spark 3 takes a LIKE pattern apart between them.
WIDE = r"[^\u0000-\uFFFF]"


def _substring(node: Any) -> exp.Expr | None:
    _text(node.this, "substring()")
    start, length = node.args.get("start"), node.args.get("length")
    at, size = integer(start), integer(length)
    if kind(start) != "int" or (length is not None and kind(length) != "int"):
        refuse("substring() at a position that is no integer", "it is not shown to agree there")
    begin, shortest = _least(start), 0 if length is None else _least(length)
    if shortest is None or shortest < 0:
        return _either_way(node.this, start, length)
    # There, 0 stands for 1, and from the smallest INTEGER a sign is lost.
    if at == 0 and length is not None:
        return _sub(node.this, number(1), number(max(size - 1, 0)) if size is not None else _less(length, number(1)))
    if (at is not None and at > -(2**31)) or (begin is not None and begin > 0):
        return _sub(node.this, start, length)
    if length is not None:
        return _sub(node.this, start, _less(length, cast(paren(_is(start, 0)), "INTEGER")))
    return case((_is(start, -(2**31)), node.this), default=_sub(node.this, start, None))


def _least(node: exp.Expr) -> int | None:
    """Return a number that an integer is never below, if one is to be seen."""
    if isinstance(node, exp.Paren):
        return _least(node.this)
    parts = [node.this, *node.expressions] if isinstance(node, exp.Greatest) else [node]
    return max((n for n in map(integer, parts) if n is not None), default=None)


def _is(node: exp.Expr, value: int) -> exp.Expr:
    return exp.EQ(this=paren(node), expression=number(value))


def _less(node: exp.Expr, by: exp.Expr) -> exp.Expr:
    return exp.Sub(this=paren(node), expression=by)


def _either_way(value: exp.Expr, start: exp.Expr, length: exp.Expr) -> exp.Expr:
    """Return the part of a text from a start of any sign, that goes back from there where its length is negative."""
    at = integer(start)
    # Counted from 0: from the end where it is negative.
    count = call("CHAR_LENGTH", value, type="BIGINT")
    first: exp.Expr
    if at is None:
        back = exp.LT(this=paren(start), expression=number(0))
        position = cast(start, "BIGINT")
        first = case(
            (back, exp.Add(this=count, expression=position)), default=exp.Sub(this=position, expression=number(1))
        )
    else:
        first = exp.Add(this=count, expression=number(at)) if at < 0 else number(at - 1)
    last = exp.Add(this=exp.Paren(this=first.copy()), expression=cast(length, "BIGINT"))
    ends = (call(name, first, last, type="BIGINT") for name in ("LEAST", "GREATEST"))
    low, high = (call("GREATEST", end, 0, type="BIGINT") for end in ends)
    size = call("GREATEST", exp.Sub(this=high, expression=low.copy()), 0, type="BIGINT")
    begin = cast(exp.Paren(this=exp.Add(this=low, expression=number(1))), "INTEGER")
    made = _sub(value, begin, cast(size, "INTEGER"))
    # GREATEST and LEAST pass over NULL.
    given = [part for part in (start, length) if integer(part) is None]
    absent = [is_null(part) for part in given]
    return case(*((test, null()) for test in absent), default=made) if absent else made


def _sub(value: exp.Expr, start: exp.Expr, length: exp.Expr | None) -> exp.Expr:
    return call("SUBSTRING", *([value, start] if length is None else [value, start, length]), type="VARCHAR")


def _end(name: str) -> Any:
    def rule(node: Any) -> exp.Expr:
        _text(node.this, f"{name.lower()}()")
        count = node.expression
        size = integer(count)
        if kind(count) != "int":
            refuse(f"{name.lower()}() of a number of letters that is no integer", "it is not shown to agree there")
        if size is not None and size >= 0:
            return call(name, node.this, count, type="VARCHAR")
        # A negative number says how many are left out at the other end.
        kept = exp.Add(this=call("CHAR_LENGTH", node.this, type="BIGINT"), expression=paren(cast(count, "BIGINT")))
        rest = call(name, node.this, cast(call("GREATEST", kept, 0, type="BIGINT"), "INTEGER"), type="VARCHAR")
        if size is not None:
            return rest
        negative = exp.LT(this=paren(count), expression=number(0))
        return case((negative, rest), default=call(name, node.this, _clamped(count, name), type="VARCHAR"))

    return rule


def _clamped(count: exp.Expr, name: str) -> exp.Expr:
    """Return a number of letters as an INTEGER: more than any text has is as good as the most that there can be."""
    if count.type is not None and count.type.this in (exp.DType.INT, exp.DType.SMALLINT, exp.DType.TINYINT):
        return cast(count, "INTEGER")
    more: exp.Expr = exp.GT(this=paren(count), expression=number(2**31 - 1))
    if name == "LEFT":
        # It raises where the number has more than 32 bits.
        more = exp.And(this=more, expression=exp.LT(this=paren(count), expression=number(2**32)))
    return case((more, number(2**31 - 1)), default=cast(count, "INTEGER"))


def _trim(node: Any) -> exp.Expr:
    _text(node.this, "trim()")
    what = node.expression
    if what is not None and not literal_text(what):
        refuse("trim() of letters that are no constant", "it is not shown to agree there")
    name = {"LEADING": "LTRIM", "TRAILING": "RTRIM"}.get((node.args.get("position") or "").upper(), "BTRIM")
    arguments = [node.this] if what is None else [node.this, what]
    if name != "BTRIM" and what is not None:
        arguments.reverse()  # Spark's order: what to trim, then the text.
    return call(name, *arguments, type="VARCHAR")


def _length(node: Any) -> exp.Expr | None:
    if kind(node.this) == "list":
        return cast(call("SIZE", node.this), "BIGINT")
    _text(node.this, "length()")
    return call("CHAR_LENGTH", node.this, type="BIGINT")


def _reverse(node: Any) -> exp.Expr:
    _text(node.this, "reverse()")
    # The reference turns round graphemes, not code points: the same only for plain letters.
    _safe_constant(node.this, "reverse()")
    good = exp.Or(this=call("RLIKE", node.this, SAFE_LETTERS, type="BOOLEAN"), expression=is_null(node.this))
    message = raised("reverse(): engines disagree on a letter of the text")
    return case((good, call("REVERSE", node.this, type="VARCHAR")), default=message)


def _repeat(node: Any) -> exp.Expr | None:
    _text(node.this, "repeat()")
    return call("REPEAT", node.this, node.args["times"], type="VARCHAR")


def _pad(node: Any) -> exp.Expr:
    name = "LPAD" if node.args.get("is_left") else "RPAD"
    what, fill, size = f"{name.lower()}()", node.args.get("fill_pattern"), node.expression
    _text(node.this, what)
    _text(fill, what)
    if kind(size) != "int":
        refuse(f"{what} to a length that is no integer", "it is not shown to agree there")
    made = call(name, node.this, size if integer(size) is not None else cast(size, "INTEGER"), fill, type="VARCHAR")
    if literal_text(fill):
        return made
    longer = exp.GT(this=paren(size), expression=call("CHAR_LENGTH", node.this, type="BIGINT"))
    short = exp.And(this=exp.EQ(this=paren(fill), expression=text("")), expression=longer)
    return case((short, raised(f"{what}: nothing to fill with")), default=made)


def _replace(node: Any) -> exp.Expr:
    for name in ("this", "expression", "replacement"):
        _text(node.args[name], "replace()")
    return call("REPLACE", node.this, node.expression, node.args["replacement"], type="VARCHAR")


def _position(node: Any) -> exp.Expr:
    _text(node.this, "strpos()")
    _text(node.args["substr"], "strpos()")
    if node.args.get("position") or node.args.get("occurrence"):
        refuse("strpos() from a position", "it is not shown to agree there")
    return call("INSTR", node.this, node.args["substr"], type="BIGINT")


def _part(node: Any) -> exp.Expr:
    _text(node.this, "split_part()")
    delimiter, at = literal_text(node.args.get("delimiter")), integer(node.args.get("part_index"))
    if not delimiter or at is None or at == 0:
        refuse("split_part() with a delimiter or index that is no constant, or empty", "it is not shown to agree")
    return call("SPLIT_PART", node.this, node.args["delimiter"], node.args["part_index"], type="VARCHAR")


def _split(node: Any) -> exp.Expr:
    _text(node.this, "string_split()")
    delimiter = literal_text(node.expression)
    if delimiter == "":
        # One letter each, and the empty text stands for itself.
        place = exp.to_identifier("_i", quoted=True)
        letter = exp.Lambda(this=_sub(node.this, place, number(1)), expressions=[place.copy()])
        last = call("GREATEST", call("CHAR_LENGTH", node.this, type="INTEGER"), 1, type="INTEGER")
        made = exp.Anonymous(this="TRANSFORM", expressions=[call("SEQUENCE", 1, last), letter])
        made.type = exp.DataType.build("VARCHAR[]", dialect="duckdb")
        return case((is_null(node.this), null()), default=made)
    if delimiter is None or "\\E" in delimiter:
        refuse("string_split() by what is no constant", "it is not shown to agree there")
    return call("SPLIT", node.this, rf"\Q{delimiter}\E", type="VARCHAR[]")


def _concat(node: Any) -> exp.Expr:
    parts = []
    for part in node.expressions:
        if kind(part) == "null":
            continue
        if kind(part) == "list":
            refuse("concat() of lists", "it is not shown to agree there", "list_concat(a, b)")
        parts.append(exp.Coalesce(this=_as_text(part, "concat()"), expressions=[text("")]))
    # NULL counts as '' in the reference's concat(), unlike in ||.
    return call("CONCAT", *parts, type="VARCHAR") if parts else text("")


def _as_text(part: exp.Expr, what: str) -> exp.Expr:
    """Return a value as text, cast as a query would: for exact_casts to spell."""
    if kind(part) not in VALUES:
        _text(part, what)
        return part.copy()
    made = exp.Cast(this=part.copy(), to=exp.DataType.build("VARCHAR", dialect="duckdb"))
    made.type = made.to
    return made


def _pipe(node: Any) -> exp.Expr:
    return call("CONCAT", *(_as_text(part, "||") for part in (node.this, node.expression)), type="VARCHAR")


def _concat_ws(node: Any) -> exp.Expr:
    separator, *parts = node.expressions
    _text(separator, "concat_ws()")
    if any(kind(part) == "list" for part in parts):
        refuse("concat_ws() of lists", "it puts their items between", "array_to_string()")
    parts = [part if kind(part) == "null" else _as_text(part, "concat_ws()") for part in parts]
    return call("CONCAT_WS", separator, *parts, type="VARCHAR")


def _like(node: Any) -> exp.Expr | None:
    _text(node.this, "LIKE")
    _text(node.expression, "LIKE")
    subject, pattern = node.this, node.expression
    if isinstance(node, exp.ILike):
        subject, pattern = cased("LOWER", subject), cased("LOWER", pattern)
    if not isinstance(node.parent, exp.Escape):
        # A backslash escapes there, and is a sign like any other in the reference.
        constant = literal_text(pattern)
        if constant is None:
            pattern = call("REPLACE", pattern, "\\", "\\\\", type="VARCHAR")
        elif "\\" in constant:
            pattern = text(constant.replace("\\", "\\\\"))
    elif literal_text(node.expression) is None:
        refuse("LIKE ... ESCAPE of a pattern that is no constant", "it is not shown to agree there")
    made = exp.Like(this=paren(subject), expression=paren(pattern))
    made.type = node.type
    if (constant := literal_text(pattern)) is None:
        wide = call("RLIKE", pattern, WIDE, type="BOOLEAN")
        return case((wide, raised("LIKE: a pattern with a sign beyond 16 bits")), default=made)
    if any(ord(sign) > 0xFFFF for sign in constant):
        refuse("LIKE with a sign beyond 16 bits in the pattern", "Spark 3 never finds it", "contains()")
    return made


def _escape(node: Any) -> None:
    sign, pattern = literal_text(node.expression), literal_text(node.this.expression)
    if not sign or len(sign) != 1 or (pattern or "").endswith(sign):
        refuse("LIKE ... ESCAPE of this sign", "it is not shown to agree there")
    rest = (pattern or "").replace(sign * 2, "")
    if any(at >= 0 and rest[at + 1 : at + 2] not in ("%", "_") for at in _places(rest, sign)) or "\\" in (
        pattern or ""
    ):
        refuse("LIKE ... ESCAPE before a sign that needs none", "Spark takes it for a mistake")


def _places(value: str, sign: str) -> list[int]:
    return [i for i, c in enumerate(value) if c == sign]


def _glob(node: Any) -> exp.Expr:
    _text(node.this, "GLOB")
    pattern = literal_text(node.expression)
    if pattern is None:
        refuse("GLOB with a pattern that is no constant", "it must be known before it runs", "LIKE")
    # It counts bytes.
    return call("RLIKE", in_bytes(node.this), glob_pattern(pattern), type="BOOLEAN")


def _hash(name: str) -> Any:
    def rule(node: Any) -> exp.Expr:
        if kind(node.this) != "blob":
            _text(node.this, f"{name}()")
        if name == "sha256":
            if integer(node.args.get("length")) not in (None, 256):
                refuse("sha2() of another length than 256", "it is not shown to agree there")
            return call("SHA2", node.this, 256, type="VARCHAR")
        return call("MD5", node.this, type="VARCHAR")

    return rule


RULES: dict[type[exp.Expr], Any] = {
    exp.Upper: _cased("UPPER"),
    exp.Lower: _cased("LOWER"),
    exp.Substring: _substring,
    exp.Left: _end("LEFT"),
    exp.Right: _end("RIGHT"),
    exp.Trim: _trim,
    exp.Length: _length,
    exp.Reverse: _reverse,
    exp.Repeat: _repeat,
    exp.Pad: _pad,
    exp.Replace: _replace,
    exp.StrPosition: _position,
    exp.SplitPart: _part,
    exp.Split: _split,
    exp.Concat: _concat,
    exp.DPipe: _pipe,
    exp.ConcatWs: _concat_ws,
    exp.Like: _like,
    exp.ILike: _like,
    exp.Escape: _escape,
    exp.Contains: _plain("contains()", "this", "expression"),
    exp.StartsWith: _plain("starts_with()", "this", "expression"),
    exp.EndsWith: _plain("ends_with()", "this", "expression"),
    exp.Format: format_text,
    exp.Glob: _glob,
    exp.MD5: _hash("md5"),
    exp.SHA2: _hash("sha256"),
}
