"""The commands that compare: verify, a query on two engines, and diff, two tables."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import click

import mdfsql
from mdfsql import errors
from mdfsql.backend import named
from mdfsql.cli_options import ENGINES, QUIET, READING, RUNNING, SQL, text_of
from mdfsql.cli_running import DIFFERENT, Run, dataset_of, engine_of, file_of, say, sink

if TYPE_CHECKING:
    from mdfsql.backend import Backend

__all__ = ["diff", "verified", "verify"]

Decorator: TypeAlias = Callable[[Callable[..., None]], Callable[..., None]]


def names(ctx: click.Context, option: click.Parameter, given: str | None) -> list[str]:
    """Return names that are written with commas between them."""
    return [name.strip() for name in given.split(",") if name.strip()] if given else []


def comparing(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that verify and diff share."""
    options: tuple[Decorator, ...] = (
        click.option(
            "--keys",
            metavar="NAMES",
            callback=names,
            help="Columns that tell which row is which, with commas between them. Without them, rows that agree in "
            "most columns are taken for one.",
        ),
        click.option(
            "--rtol", type=click.FloatRange(0, 1, max_open=True), default=1e-9, show_default=True,
            help="By which part of the larger one floats may differ.",
        ),
        click.option(
            "--atol", type=click.FloatRange(0), default=0.0, show_default=True,
            help="By how much floats may differ in any case.",
        ),
        click.option(
            "--limit", metavar="N", type=click.IntRange(0), default=10, show_default=True,
            help="So many differences of each kind are shown in a table.",
        ),
        click.option("--format", type=click.Choice(("table", "json", "html")), default=None,
                     help="Default: by the suffix of --output, else table."),
        click.option("-o", "--output", metavar="PATH", help="Write to a file, which appears when it is complete."),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


@click.command()
@SQL
@READING
@RUNNING
@click.option(
    "--against", type=click.Choice(ENGINES), default="duckdb", show_default=True, help="What it is compared with."
)
@comparing
@click.option(
    "--sample",
    metavar="SHARE",
    type=click.FloatRange(0, 1, min_open=True),
    help="Only a share of the rows of the tables, such as 0.01; the same rows on both engines.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed, other rows.")
@QUIET
def verify(
    sql: str | None,
    file: IO[bytes] | None,
    tables: dict[str, str],
    dialect: str,
    params: dict[str, Any],
    timeout: float | None,
    against: str,
    keys: list[str],
    rtol: float,
    atol: float,
    limit: int,
    format: str | None,
    output: str | None,
    sample: float | None,
    seed: int,
    quiet: bool,
    **engine: str | None,
) -> None:
    """Run a query on two engines and show where their answers differ.

    Ends with 0 where they are equal and with 1 where they differ. The order of rows counts where the query has an
    ORDER BY; which of the rows that tie a LIMIT keeps does not.
    """
    text = text_of(sql, file)
    settled = format_for(format, output)
    run = Run(timeout)

    def work() -> mdfsql.Comparison:
        with engine_of(engine) as where, dataset_of(text, dialect, params, tables) as dataset:
            other = where if against == where.name else mdfsql.Backend(against)
            run.engine = where.engine
            run.check()
            try:
                return dataset.verify(where, other, rtol, atol, keys, sample, seed)
            finally:
                if other is not where:
                    other.close()

    finish(run(work), settled, output, limit, quiet)


@click.command()
@click.argument("left", metavar="A")
@click.argument("right", metavar="B")
@RUNNING
@comparing
@click.option("--columns", metavar="NAMES", callback=names, help="Only these columns, with commas between them.")
@QUIET
def diff(
    left: str,
    right: str,
    timeout: float | None,
    keys: list[str],
    rtol: float,
    atol: float,
    limit: int,
    format: str | None,
    output: str | None,
    columns: list[str],
    quiet: bool,
    **engine: str | None,
) -> None:
    """Show where two tables differ.

    A and B are files, FORMAT:PATH as for --table, or tables that the engine itself has. Ends with 0 where they are
    equal and with 1 where they differ. The order of the rows does not count.
    """
    settled = format_for(format, output)
    run = Run(timeout)

    def work() -> mdfsql.Comparison:
        with engine_of(engine) as where:
            run.engine = where.engine
            run.check()
            given = [table_of(source) for source in (left, right)]
            shown = (os.path.basename(left), os.path.basename(right))
            return mdfsql.diff(
                given[0],
                given[1],
                engine=where,
                rtol=rtol,
                atol=atol,
                keys=keys,
                columns=columns or None,
                names=shown if len(set(shown)) == 2 else (left, right),
            )

    finish(run(work), settled, output, limit, quiet)


def table_of(source: str) -> Any:
    """Return a file, or a table that the engine in force has."""
    found = file_of(source)
    if found is not None:
        return found
    try:
        return mdfsql.table(source)
    except errors.BindError as error:
        raise errors.DataError(
            f"there is no file and no table {source!r}; a folder is FORMAT:PATH, such as parquet:{source}"
        ) from error


def format_for(format: str | None, output: str | None) -> str:
    """Return the format to write."""
    if format is None and output is not None:
        suffix = os.path.splitext(output)[1].lower()
        return {".html": "html", ".htm": "html", ".json": "json"}.get(suffix, "table")
    return format or "table"


def finish(found: mdfsql.Comparison, format: str, output: str | None, limit: int, quiet: bool) -> None:
    """Write a comparison, and end with what it found."""
    from mdfsql.verify import html, text  # loaded when there is something to show

    if format == "json":
        made = found.to_json()
    elif format == "html":
        made = html.page(found)
    else:
        made = text.text(found, limit)
    if output in ("-", "/dev/stdout"):
        output = None
    with sink(output) as file:
        file.write(made.encode() + b"\n")
    if output is not None or format != "table":
        say([text.headline(found)], quiet)
    if not found.equal:
        click.get_current_context().exit(DIFFERENT)


def verified(dataset: mdfsql.Dataset, where: Backend) -> tuple[mdfsql.Dataset, Backend]:
    """Return the rows that an engine gives, once DuckDB has given the same; VerificationError where it does not.

    Rows that were collected for this are not computed again.
    """
    from mdfsql.verify.run import Options, verify_relation  # loaded when there is something to verify

    reference = named("duckdb")
    found, table = verify_relation(dataset._relation, where, reference, Options())
    found.raise_for_difference()
    return (dataset, where) if table is None else (mdfsql.Dataset.from_arrow(table), reference)
