"""Text in other alphabets and back: of URLs, of base 64, of hexadecimal and other digits."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.rules import call, case, cast, integer, is_null, null, number, of_kind, paren, raised, refuse

__all__ = ["ENCODINGS", "NAMED_ENCODINGS", "in_bytes"]


def in_bytes(value: exp.Expr) -> exp.Expr:
    """Return text with a letter for each byte, for what the reference counts in bytes."""
    return call("DECODE", cast(value, "BLOB"), "ISO-8859-1", type="VARCHAR")


def _replaced(value: exp.Expr, *pairs: tuple[str, str]) -> exp.Expr:
    for old, new in pairs:
        value = call("REPLACE", value, old, new, type="VARCHAR")
    return value


def _checked(test: exp.Expr, made: exp.Expr, message: str) -> exp.Expr:
    """Return what is made where a test holds, or is NULL; else it raises."""
    result = case((exp.Not(this=exp.Paren(this=test)), raised(message)), default=made)
    result.type = made.type
    return result


def _matches(value: exp.Expr, pattern: str) -> exp.Expr:
    return call("RLIKE", value, pattern, type="BOOLEAN")


def _whole_text(made: exp.Expr, what: str) -> exp.Expr:
    """Return decoded text, which the engine writes with a mark where its bytes are no text."""
    marked = call("CONTAINS", made, "\N{REPLACEMENT CHARACTER}", type="BOOLEAN")
    return _checked(exp.Not(this=marked), made, f"{what}: these bytes are no text, or have the mark of such")


def url_encoded(node: exp.Anonymous) -> exp.Expr:
    """Return text as it stands in a URL: a blank is %20, and only - . _ ~ stay as they are."""
    (value,) = node.expressions
    of_kind(value, "url_encode()", "text")
    return _replaced(call("URL_ENCODE", value), ("+", "%20"), ("*", "%2A"), ("%7E", "~"))


def url_decoded(node: exp.Anonymous) -> exp.Expr:
    """Return what text in a URL stands for; a % without two digits stays, a + is none of a form's blanks."""
    (value,) = node.expressions
    of_kind(value, "url_decode()", "text")
    kept = call("REGEXP_REPLACE", _replaced(value, ("+", "%2B")), "%(?![0-9A-Fa-f]{2})", "%25", type="VARCHAR")
    return _whole_text(call("URL_DECODE", kept, type="VARCHAR"), "url_decode()")


BASE_64 = r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"


def _from_base64(node: Any) -> exp.Expr:
    of_kind(node.this, "from_base64()", "text")
    made = call("UNBASE64", node.this, type="BLOB")
    return _checked(_matches(node.this, BASE_64), made, "from_base64(): this is no base 64")


def _unhex(node: Any) -> exp.Expr:
    of_kind(node.this, "unhex()", "text")
    return _checked(_matches(node.this, "^[0-9A-Fa-f]*$"), call("UNHEX", node.this, type="BLOB"), "unhex(): no digits")


def _decode(node: Any) -> exp.Expr:
    of_kind(node.this, "decode()", "blob")
    made = call("DECODE", node.this, "UTF-8", type="VARCHAR")
    exact = exp.EQ(this=call("HEX", cast(made, "BLOB"), type="VARCHAR"), expression=call("HEX", node.this))
    return _checked(exact, made, "decode(): these bytes are no text")


def to_base(node: exp.Anonymous) -> exp.Expr:
    """Return the digits of a number of 0 or more, at least so many."""
    value, radix, *least = node.expressions
    of_kind(value, "to_base()", "int")
    base, most = integer(radix), [integer(one) for one in least]
    if base is None or not 2 <= base <= 36 or None in most:
        refuse("to_base() of what is no constant base from 2 to 36", "it is not shown to agree there")
    made = call("CONV", cast(cast(value, "BIGINT"), "VARCHAR"), number(10), number(base), type="VARCHAR")
    if most and most[0]:
        longer = exp.LT(this=call("LENGTH", made, type="INTEGER"), expression=number(most[0]))
        made = case((longer, call("LPAD", made, number(most[0]), "0", type="VARCHAR")), default=made)
    below = exp.GTE(this=paren(value), expression=number(0))
    return _checked(below, made, "to_base(): the number is below 0")


def mismatches(node: exp.Anonymous) -> exp.Expr:
    """Return in how many bytes two texts of one length differ."""
    one, other = node.expressions
    for side in (one, other):
        of_kind(side, f"{node.name.lower()}()", "text")
    sizes = [call("OCTET_LENGTH", side, type="INTEGER") for side in (one, other)]
    alike = exp.And(
        this=exp.EQ(this=sizes[0], expression=sizes[1]), expression=exp.GT(this=sizes[0].copy(), expression=number(0))
    )
    place = exp.to_identifier("_i", quoted=True)
    letters = [call("SUBSTRING", in_bytes(side), place, number(1), type="VARCHAR") for side in (one, other)]
    differ = exp.Lambda(this=exp.NEQ(this=letters[0], expression=letters[1]), expressions=[place.copy()])
    places = call("SEQUENCE", cast(number(1), "INTEGER"), sizes[0])
    made = cast(call("SIZE", exp.Anonymous(this="FILTER", expressions=[places, differ])), "BIGINT")
    known = exp.Or(this=is_null(one), expression=is_null(other))
    return case((known, null()), (alike, made), default=raised(f"{node.name.lower()}(): texts of two lengths"))


ENCODINGS: dict[type[exp.Expr], Any] = {
    exp.FromBase64: _from_base64,
    exp.Unhex: _unhex,
    exp.Decode: _decode,
}
NAMED_ENCODINGS: dict[str, tuple[tuple[int, ...], Any]] = {
    "url_encode": ((1,), url_encoded),
    "url_decode": ((1,), url_decoded),
    "to_base": ((2, 3), to_base),
    "hamming": ((2,), mismatches),
    "mismatches": ((2,), mismatches),
}
