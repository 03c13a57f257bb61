"""Functions of text that engines have under other names, or count in other units."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mdfsql.lower.rules import call, case, cast, each, number, of_kind, paren, raised, text
from mdfsql.lower.text_encodings import ENCODINGS, in_bytes

__all__ = ["text_functions"]


def text_functions(tree: exp.Expr) -> exp.Expr:
    """Codes of letters, distances and encodings of text are counted as DuckDB counts them: by code point or by byte."""
    return each(tree, RULES)


def _text(node: exp.Expr, what: str, *more: str) -> exp.Expr:
    of_kind(node, what, "text", *more)
    return node


def _ascii(node: Any) -> exp.Expr:
    return call("ASCII", _text(node.this, "ascii()"), type="INTEGER")


def _unicode(node: Any) -> exp.Expr:
    value = _text(node.this, "unicode()")
    empty = exp.EQ(this=paren(value), expression=text(""))
    return case((empty, cast(number(-1), "INTEGER")), default=call("ASCII", value, type="INTEGER"))


def _chr(node: Any) -> exp.Expr:
    (code,) = node.expressions
    of_kind(code, "chr()", "int")
    beyond = exp.Or(
        this=exp.LT(this=paren(code), expression=number(0)),
        expression=exp.GT(this=paren(code), expression=number(0x10FFFF)),
    )
    half = exp.Between(this=paren(code), low=number(0xD800), high=number(0xDFFF))
    # Spark's chr() takes the code modulo 256.
    units = call("UNHEX", call("LPAD", call("HEX", cast(code, "BIGINT")), 8, "0"))
    made = call("DECODE", units, "UTF-32", type="VARCHAR")
    return case((exp.Or(this=beyond, expression=half), raised("chr(): this is no code point")), default=made)


def _translate(node: Any) -> exp.Expr:
    parts = [_text(node.args[name], "translate()") for name in ("this", "from_", "to")]
    return call("TRANSLATE", *parts, type="VARCHAR")


def _levenshtein(node: Any) -> exp.Expr:
    left, right = (_text(side, "levenshtein()") for side in (node.this, node.expression))
    return cast(call("LEVENSHTEIN", in_bytes(left), in_bytes(right), type="INTEGER"), "BIGINT")


def _hex(node: Any) -> exp.Expr:
    return call("HEX", _text(node.this, "hex()", "int", "blob"), type="VARCHAR")


def _encode(node: Any) -> exp.Expr:
    return cast(_text(node.this, "encode()"), "BLOB")


def _base64(node: Any) -> exp.Expr:
    value = node.this
    of_kind(value, "to_base64()", "blob", instead="to_base64(encode(x))")
    # Some Sparks break the text into lines.
    return call("REPLACE", call("BASE64", value, type="VARCHAR"), "\r\n", "", type="VARCHAR")


def _sha1(node: Any) -> exp.Expr:
    return call("SHA1", _text(node.this, "sha1()", "blob"), type="VARCHAR")


def _bits(node: Any) -> exp.Expr:
    return cast(call("BIT_LENGTH", _text(node.this, "bit_length()"), type="INTEGER"), "BIGINT")


RULES: dict[type[exp.Expr], Any] = {
    exp.Ascii: _ascii,
    exp.Unicode: _unicode,
    exp.Chr: _chr,
    exp.Translate: _translate,
    exp.Levenshtein: _levenshtein,
    exp.Hex: _hex,
    exp.Encode: _encode,
    exp.ToBase64: _base64,
    exp.SHA: _sha1,
    exp.BitLength: _bits,
    **ENCODINGS,
}
