"""Reading SQL text: sqlglot's parser, with errors that show the place and a bound on how deep a text nests."""

from __future__ import annotations

import itertools
import re

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError, TokenError
from sqlglot.tokens import TokenType

from mdfsql.errors import QueryError
from mdfsql.read.calls import MARK, marked

__all__ = ["read_text"]

# sqlglot's compiled parser calls itself for each level, and ends the process where the stack does.
MOST_NESTED = 1000
OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE})
CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END})


def _depth(text: str, dialect: str) -> int:
    """Return how deep a text nests; 0 for one too short to nest too deeply."""
    if len(text) <= 2 * MOST_NESTED:
        return 0
    depth = most = 0
    for token in sqlglot.tokenize(text, read=dialect):
        depth += (token.token_type in OPENING) - (token.token_type in CLOSING)
        most = max(most, depth)
    return most


def _check_intervals(text: str, dialect: str) -> None:
    """Refuse an INTERVAL of whose text sqlglot would keep one number and its unit, and drop an "ago" or a time."""
    if "interval" not in text.lower():
        return
    tokens = sqlglot.tokenize(text, read=dialect)
    for before, token in itertools.pairwise(tokens):
        if before.token_type != TokenType.INTERVAL or token.token_type != TokenType.STRING:
            continue
        kept = exp.INTERVAL_STRING_RE.findall(token.text)
        if len(kept) == 1 and not re.fullmatch(rf"\s*\+?(?:{exp.INTERVAL_STRING_RE.pattern})", token.text):
            reason = f"INTERVAL '{token.text}' is not read in full: write INTERVAL 1 DAY + INTERVAL 1 HOUR instead"
            raise QueryError(reason, sql=text, line=token.line, column=max(token.col - len(token.text) - 1, 1))


def read_text(text: str, dialect: str, plain_calls: bool = False) -> list[exp.Expr]:
    """Return the statements or expressions of a text; QueryError, with the line and a caret, where it does not read.

    With ``plain_calls`` a call is one of the function's own name, whatever the parser takes it for.

    >>> [tree.sql() for tree in read_text("SELECT 1; a + 1", "duckdb")]
    ['SELECT 1', 'a + 1']
    """
    try:
        if _depth(text, dialect) > MOST_NESTED:
            raise QueryError(f"the text is nested more than {MOST_NESTED} levels deep")
        _check_intervals(text, dialect)
        if not plain_calls:
            return [tree for tree in sqlglot.parse(text, read=dialect) if tree is not None]
        reader = sqlglot.Dialect.get_or_raise(dialect)
        trees = reader.parser().parse(marked(reader.tokenize(text), dialect), text)
        return [tree for tree in trees if tree is not None]
    except SqlglotError as error:
        raise syntax_error(error, text) from error
    except RecursionError as error:
        raise QueryError("the text is nested too deeply to be read") from error
    except ValueError as error:
        if "dialect" not in str(error).lower():
            raise
        raise QueryError(f"there is no dialect {dialect!r}: {error}") from error


def syntax_error(error: SqlglotError, text: str) -> QueryError:
    """Return a parser's error as ours, with the line and a caret."""
    first = (getattr(error, "errors", None) or [{}])[0]
    line, column = first.get("line"), first.get("col")
    if column is not None:
        # The parser counts to a token's last character; the caret belongs under its first.
        column = max(column - len(first.get("highlight") or " ") + 1, 1)
    reason = (first.get("description") or str(error).splitlines()[0]).rstrip(".")
    reason = re.sub(r"<Token .*?\btext: (.*?), line: .*>", r"\1", reason)
    if isinstance(error, TokenError):
        missing = re.match(r"Missing (\S+)", str(error.__context__ or ""))
        reason = f"{missing.group(1) if missing else 'a comment'} is opened and never closed"
        at = text.rfind(missing.group(1) if missing else "/*")
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return QueryError(f"syntax error: {reason.replace(MARK, '')}", sql=text, line=line, column=column)
