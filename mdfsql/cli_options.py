"""Options of the command line that several commands share, and what their texts mean."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import IO, Any, TypeAlias

import click

from mdfsql import errors

__all__ = ["ENGINES", "QUIET", "READING", "RUNNING", "SQL", "parameter", "read_utf8", "text_of"]

ENGINES = ("duckdb", "spark", "dask")

Decorator: TypeAlias = Callable[[Callable[..., None]], Callable[..., None]]


def together(*decorators: Decorator) -> Decorator:
    """Return several options as one decorator, in the order in which --help shows them."""

    def apply(function: Callable[..., None]) -> Callable[..., None]:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


def pairs(ctx: click.Context, option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """Return NAME=VALUE options as a dict; usage error for one without = and for a name given twice."""
    made: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE", ctx, option)
        if name in made:
            raise click.BadParameter(f"{name!r} is given twice", ctx, option)
        made[name] = value
    return made


def parameters(ctx: click.Context, option: click.Parameter, given: tuple[str, ...]) -> dict[str, Any]:
    """Return --param options as values: a JSON number, true, false, null or string; all else is text as it stands."""
    return {name: parameter(text) for name, text in pairs(ctx, option, given).items()}


def parameter(text: str) -> Any:
    """Return the value that a text stands for; a number means what it means in SQL.

    >>> parameter("3"), parameter("2.50"), parameter("1e3"), parameter("null"), parameter("2024-01-31")
    (3, Decimal('2.50'), 1000.0, None, '2024-01-31')
    """
    import decimal
    import json  # imported when there is a parameter

    def number(digits: str) -> Any:
        return float(digits) if "e" in digits.lower() else decimal.Decimal(digits)

    try:
        value = json.loads(text, parse_float=number, parse_constant=str)
    except ValueError:
        return text
    return text if isinstance(value, (list, dict)) else value


def known_dialect(ctx: click.Context, option: click.Parameter, given: str) -> str:
    """Return a dialect's name; usage error for one that sqlglot does not have."""
    from sqlglot import Dialect

    try:
        Dialect.get_or_raise(given)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, option) from error
    return given


SQL = together(
    click.argument("sql", required=False),
    click.option("-f", "--file", type=click.File("rb"), help="Read the query from a file; - is stdin."),
)
READING = together(
    click.option(
        "--table",
        "tables",
        metavar="NAME=PATH",
        multiple=True,
        callback=pairs,
        help="Call a file, a glob or a folder by a name. Where the suffix does not tell: NAME=parquet:PATH, "
        "csv:PATH or json:PATH. May be repeated.",
    ),
    click.option(
        "--dialect",
        "--from",
        metavar="NAME",
        default="duckdb",
        show_default=True,
        callback=known_dialect,
        help="The dialect that the query is written in, and means what it means there: duckdb, spark, postgres, "
        "snowflake, bigquery, trino, tsql or mysql.",
    ),
    click.option(
        "--param",
        "params",
        metavar="NAME=VALUE",
        multiple=True,
        callback=parameters,
        help="The value of $NAME in the query: a number, true, false, null, or text. "
        "2.50 is a DECIMAL and 1e3 a DOUBLE, as in SQL; '\"7\"' is text. May be repeated.",
    ),
)
RUNNING = together(
    click.option("--engine", type=click.Choice(ENGINES), default="duckdb", show_default=True, help="What runs it."),
    click.option(
        "--database",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False),
        help="duckdb: a database with tables of its own.",
    ),
    click.option("--master", metavar="URL", help="spark: the cluster, such as local[4] or spark://host:7077."),
    click.option("--remote", metavar="URL", help="spark: a Spark Connect server, such as sc://host:15002."),
    click.option("--address", metavar="URL", help="dask: the scheduler, such as tcp://host:8786."),
    click.option(
        "--timeout",
        metavar="SECONDS",
        type=click.FloatRange(0, min_open=True),
        help="Stop the query after so long, and exit with 4.",
    ),
)
QUIET = click.option("-q", "--quiet", is_flag=True, help="No notes on stderr, only errors.")


def text_of(sql: str | None, file: IO[bytes] | None) -> str:
    """Return the query: the argument, the file's, or what is piped in."""
    if sql is not None and file is not None:
        raise click.UsageError("give the query as an argument or with --file, not both")
    if sql is not None:
        return sql
    if file is None:
        if sys.stdin.isatty():
            raise click.UsageError("no query: give it as an argument, with --file, or on stdin")
        file = sys.stdin.buffer
    return read_utf8(file, "the query")


def read_utf8(file: IO[bytes], what: str) -> str:
    """Return the text of a file; QueryError for one that is not UTF-8."""
    try:
        return file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise errors.QueryError(f"{what} is not UTF-8 text: {error}") from error
