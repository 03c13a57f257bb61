"""Function calls as they are written: what the parser takes a name for is right for one version of a dialect only."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

from sqlglot.dialects.dialect import Dialect
from sqlglot.tokens import Token, TokenType

__all__ = ["MARK", "marked"]

MARK = "call:"

# What has a syntax of its own between its parentheses.
KEPT = frozenset(
    {
        *("CAST", "TRY_CAST", "SAFE_CAST", "EXTRACT", "TRIM", "CONVERT", "STRUCT", "SUBSTRING", "POSITION", "UNNEST"),
        *("CASE", "AND", "OR", "XOR"),
    }
)
# After these a name with parentheses is a type or the name of something.
NAMING = frozenset({TokenType.ALIAS, TokenType.DCOLON, TokenType.WITH, TokenType.JOIN})
# Names of operators too, where a value stands before them.
INFIX = frozenset({"DIV", "MOD", "LIKE", "ILIKE", "RLIKE", "GLOB", "COLLATE"})
# A value ends with one of these.
ENDING = frozenset(
    {
        *(TokenType.VAR, TokenType.IDENTIFIER, TokenType.STRING, TokenType.NUMBER, TokenType.R_PAREN),
        *(TokenType.R_BRACKET, TokenType.END, TokenType.NULL, TokenType.TRUE, TokenType.FALSE, TokenType.PARAMETER),
    }
)
# Types that the parser takes for shorter ones.
TYPES = {"tsql": {"FLOAT": TokenType.DOUBLE}, "mysql": {"REAL": TokenType.DOUBLE}}


@functools.cache
def _functions(dialect: str) -> frozenset[str]:
    parser = type(Dialect.get_or_raise(dialect)).parser_class
    return frozenset({*parser.FUNCTIONS, *parser.FUNCTION_PARSERS}) - KEPT


def marked(tokens: Sequence[Token], dialect: str) -> list[Token]:
    """Return the tokens with each function's name marked, so that the parser reads a plain call of that name."""
    names = _functions(dialect)
    made = list(tokens)
    types = TYPES.get(dialect.lower(), {})
    for i, token in enumerate(tokens):
        if token.token_type == TokenType.FLOAT and token.text.upper() in types:
            kind = types[token.text.upper()]
            made[i] = Token(kind, token.text, token.line, token.col, token.start, token.end, [])
    for i, (token, after) in enumerate(itertools.pairwise(tokens)):
        name = token.text.upper()
        before = tokens[i - 1].token_type if i else None
        if (
            after.token_type == TokenType.L_PAREN
            and name in names
            and token.token_type not in (TokenType.STRING, TokenType.IDENTIFIER)
            and before not in NAMING
            # count(*) FILTER (WHERE ...) is no call.
            and not (token.token_type == TokenType.FILTER and before == TokenType.R_PAREN)
            and not (name in INFIX and follows_value(tokens, i))
        ):
            made[i] = Token(TokenType.VAR, MARK + token.text, token.line, token.col, token.start, token.end, [])
    return made


def follows_value(tokens: Sequence[Token], i: int) -> bool:
    """Tell whether a value, and perhaps NOT, stands before a token."""
    if i and tokens[i - 1].token_type == TokenType.NOT:
        i -= 1
    return i > 0 and tokens[i - 1].token_type in ENDING
