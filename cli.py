"""The command line: parses options, calls the public API, prints. Data goes to stdout, everything else to stderr."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

import click

import mdfsql
from mdfsql import cli_verify, errors, formats
from mdfsql.cli_options import ENGINES, QUIET, READING, RUNNING, SQL, read_utf8, text_of
from mdfsql.cli_running import (
    BROKEN_PIPE,
    FAILED,
    INTERRUPTED,
    REFUSED,
    TIMED_OUT,
    UNREACHABLE,
    Run,
    TimedOut,
    complain,
    dataset_of,
    engine_of,
    file_of,
    files,
    registered,
    rows_text,
    say,
    sink,
    stage_of,
)

if TYPE_CHECKING:
    from mdfsql.backend import Backend

__all__ = ["main"]

FORMATS = (*sorted(("table", *formats.WRITERS)), "parquet", "arrow")
TAKES_NULL = ("table", "csv", "tsv", "markdown")
TAKES_NO_HEADER = ("table", "csv", "tsv")

EPILOG = """\b
Exit codes: 0 done; 1 the query failed; 2 wrong usage; 3 the engine cannot be had;
4 timed out; 5 refused, as the engine is not shown to give the same answer;
130 interrupted."""


class Commands(click.Group):
    """A group whose commands end with one line about an error and its exit code, never with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; turn what it raises into a message and an exit code."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            complain(usage(error))
            ctx.exit(error.exit_code)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            # Whoever read has read enough. What is still in the buffer goes nowhere, without a complaint at exit.
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(BROKEN_PIPE)
        except KeyboardInterrupt:
            complain("interrupted")
            ctx.exit(INTERRUPTED)
        except Exception as error:
            if ctx.params.get("show"):
                raise
            complain(message(error))
            ctx.exit(exit_code(error))


def exit_code(error: Exception) -> int:
    """Return what the process ends with after an error."""
    if isinstance(error, errors.BackendError):
        return UNREACHABLE
    if isinstance(error, (errors.Unsupported, errors.CannotLift)):
        return REFUSED
    return TIMED_OUT if isinstance(error, TimedOut) else FAILED


def message(error: Exception) -> str:
    """Return what a person reads of an error."""
    if isinstance(error, (errors.MdfError, TimedOut)):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
    return f"{type(error).__name__}: {error}\n(this is a mistake in mdfsql; mdfsql --traceback shows where)"


def usage(error: click.UsageError) -> str:
    """Return what a person reads of a wrong command line."""
    lines = [error.format_message()]
    if isinstance(error, click.NoSuchOption) and error.option_name.startswith("--") and " " in error.option_name:
        lines.append("a query that begins with a comment goes after a -- of its own, or into --file")
    if error.ctx is not None:
        lines.append(f"{error.ctx.command_path} --help shows what there is")
    return "\n".join(lines)


def chunks_of(where: Backend, dataset: mdfsql.Dataset, run: Run, counted: list[int]) -> formats.Chunks:
    """Yield lists of rows as they arrive; adds their number to ``counted``."""
    from mdfsql import result

    _, plan = dataset.plan(where)
    run.engine = engine = where.engine
    run.check()
    own = engine.rows(plan)
    rows_of: Iterator[Any]
    if own is not None:
        rows_of = own
    else:
        rows_of = (
            list(zip(*(column.to_pylist(maps_as_pydicts="strict") for column in batch.columns), strict=True))
            for batch in result.batches(engine, plan)
        )
    for rows in rows_of:
        run.check()
        counted[0] += len(rows)
        yield rows


# ---- printing ----------------------------------------------------------------------------------------------------


def settle_format(format: str | None, output: str | None, null: str | None, header: bool) -> str:
    """Return the format to write, and refuse options that it has no use for."""
    if format is None and output is not None:
        format = formats.format_for(output)
        if format is None:
            raise click.UsageError(f"cannot tell the format of {output!r} by its suffix; give --format")
    elif format is None:
        format = "table" if sys.stdout.isatty() else "csv"
    if format == "parquet" and output is None:
        raise click.UsageError("parquet is written to a file: give --output")
    if format == "arrow" and output is None and sys.stdout.isatty():
        raise click.UsageError("arrow is not for a terminal: give --output, or pipe it")
    if null is not None and format not in TAKES_NULL:
        raise click.UsageError(f"--null has no meaning for {format}")
    if not header and format not in TAKES_NO_HEADER:
        raise click.UsageError(f"--no-header has no meaning for {format}")
    return format


def write_rows(
    where: Backend, dataset: mdfsql.Dataset, run: Run, format: str, output: str | None, options: dict[str, Any]
) -> list[str]:
    """Run a dataset and write its rows; return what is to be said about it."""
    counted = [0]
    if format == "parquet":
        return write_parquet(where, dataset, run, output or "")
    if format == "arrow":
        write_arrow(where, dataset, run, output, counted)
    elif format == "table":
        return write_table(where, dataset, run, output, options)
    else:
        chunks = iter(chunks_of(where, dataset, run, counted))
        # The first rows are there before a byte is written: most queries that fail have failed by then.
        first = next(chunks, ())
        writer = formats.WRITERS[format](dataset.schema, itertools.chain([first], chunks), **options)
        with sink(output) as file:
            for text in writer:
                file.write(text.encode())
                # Rows go out as they arrive, however slowly that is.
                file.flush()
    return [f"{rows_text(counted[0])} in {output}"] if output else []


def write_parquet(where: Backend, dataset: mdfsql.Dataset, run: Run, output: str) -> list[str]:
    """Write a Parquet file, by the reference's writer on every engine."""
    from mdfsql.write import write_file

    _, plan = dataset.plan(where)
    run.engine = where.engine
    run.check()
    with stage_of(output) as stage:
        write_file(where, plan, stage, "parquet")
    return [f"written to {output}"]


def write_arrow(where: Backend, dataset: mdfsql.Dataset, run: Run, output: str | None, counted: list[int]) -> None:
    """Write Arrow's IPC format: its stream form to stdout, its file form, which can be mapped, to a file."""
    import pyarrow as pa

    run.engine = where.engine
    run.check()
    with dataset.to_reader(where) as reader, sink(output) as file:
        new = pa.ipc.new_stream if output is None else pa.ipc.new_file
        with new(file, reader.schema) as writer:
            for batch in reader:
                run.check()
                counted[0] += batch.num_rows
                writer.write_batch(batch)


def write_table(
    where: Backend, dataset: mdfsql.Dataset, run: Run, output: str | None, options: dict[str, Any]
) -> list[str]:
    """Write aligned columns, and say what of the rows and values is not shown."""
    most = options.pop("most")
    shown = dataset if most is None else dataset.limit(most + 1)
    rows = [row for chunk in chunks_of(where, shown, run, [0]) for row in chunk]
    more = most is not None and len(rows) > most
    width = None
    if output is None and sys.stdout.isatty():
        import shutil

        width = shutil.get_terminal_size().columns
    text, cut = formats.table(dataset.schema, [rows[:most]], width=width, **options)
    with sink(output) as file:
        file.write(text.encode())
    notes = [
        f"the first {rows_text(most)}; there are more: --limit shows so many, another --format all" if more else ""
    ]
    notes[0] = notes[0] or rows_text(len(rows))
    if cut:
        notes.append("values that end in … are cut to fit the terminal; another --format has them whole")
    return notes


# ---- commands ----------------------------------------------------------------------------------------------------


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(mdfsql.__version__, prog_name="mdfsql")
@click.option(
    "--traceback", "show", is_flag=True, envvar="MDFSQL_TRACEBACK", help="Show where in Python an error was raised."
)
def main(show: bool) -> None:
    """One query, on DuckDB, Spark or Dask, with the same answer or a clear refusal."""


@main.command()
@SQL
@READING
@RUNNING
@click.option(
    "--format",
    type=click.Choice(FORMATS),
    help="Default: by the suffix of --output; else table on a terminal and csv elsewhere.",
)
@click.option("-o", "--output", metavar="PATH", help="Write to a file, which appears when it is complete.")
@click.option("--limit", metavar="N", type=click.IntRange(0), help="At most so many rows.")
@click.option(
    "--null", metavar="TEXT", help="What NULL is written as: nothing in csv and tsv, NULL in table and markdown."
)
@click.option("--no-header", "header", is_flag=True, flag_value=False, default=True, help="No line of column names.")
@click.option("--explain", is_flag=True, help="Do not run it: show how it would be run.")
@click.option(
    "--verify", "verified", is_flag=True, help="Print rows only where DuckDB gives the same; else the differences."
)
@QUIET
def query(
    sql: str | None,
    file: IO[bytes] | None,
    tables: dict[str, str],
    dialect: str,
    params: dict[str, Any],
    timeout: float | None,
    format: str | None,
    output: str | None,
    limit: int | None,
    null: str | None,
    header: bool,
    explain: bool,
    verified: bool,
    quiet: bool,
    **engine: str | None,
) -> None:
    """Run a query and print its rows.

    The query is SQL, --file's, or stdin. Tables are --table's, files (FROM 'flights.parquet'), or the engine's own.

    Values are written alike on every engine: decimals with all their digits, timestamps as 2024-01-31 12:00:00 (with T
    in JSON), nested values as JSON, bytes as \\xHH, and NaN, Infinity and -Infinity by these names, which in JSON are
    strings. A table shows 1000 rows unless --limit says how many; all other formats stream.
    """
    if output in ("-", "/dev/stdout"):
        output = None
    settled = "" if explain else settle_format(format, output, null, header)
    options: dict[str, Any] = {}
    if null is not None:
        options["null"] = null
    if settled in TAKES_NO_HEADER:
        options["header"] = header
    if settled == "table":
        options["most"] = formats.MOST_ROWS if limit is None else None
    text = text_of(sql, file)
    run = Run(timeout)

    def work() -> list[str]:
        with engine_of(engine) as where, dataset_of(text, dialect, params, tables) as dataset:
            whole = dataset if limit is None else dataset.limit(limit)
            if verified and not explain:
                run.engine = where.engine
                whole, where = cli_verify.verified(whole, where)
            if not explain:
                return write_rows(where, whole, run, settled, output, options)
            run.engine = where.engine
            click.echo(whole.explain(where))
            return []

    say(run(work), quiet)


@main.command()
@SQL
@READING
@RUNNING
def explain(
    sql: str | None,
    file: IO[bytes] | None,
    tables: dict[str, str],
    dialect: str,
    params: dict[str, Any],
    timeout: float | None,
    **engine: str | None,
) -> None:
    """Show how a query would be run.

    Its tree, the passes that change it, the SQL that is sent, and the engine's plan.
    """
    text = text_of(sql, file)
    run = Run(timeout)

    def work() -> str:
        with engine_of(engine) as where, dataset_of(text, dialect, params, tables) as dataset:
            run.engine = where.engine
            return dataset.explain(where)

    click.echo(run(work))


@main.command()
@SQL
@READING
@click.option("--to", metavar="NAME", required=True, help="An engine (duckdb, spark, dask) or a dialect of sqlglot's.")
@QUIET
def transpile(
    sql: str | None,
    file: IO[bytes] | None,
    tables: dict[str, str],
    dialect: str,
    params: dict[str, Any],
    to: str,
    quiet: bool,
) -> None:
    """Print the SQL that an engine would be sent.

    Nothing is run, and the engine need not be installed. For an engine the query is bound, rewritten and checked as
    when it runs, so its tables must be known: --table, or files named in it. Those that the text does not read by
    itself stand under the names that the engine is shown them by; a note says which is which.

    For another dialect the query is only written in it by sqlglot: no table need be known, and nothing is promised
    about its answer there.
    """
    text = text_of(sql, file)
    if to in ENGINES:
        with dataset_of(text, dialect, params, tables) as dataset:
            from mdfsql.compile import target_of

            _, plan = dataset.plan(to)
            click.echo(plan.tree.sql(target_of(to).dialect, pretty=True) + ";")
            named = [source for source in plan.sources if source.name not in plan.inlined]
            say([f"{source.name}: {', '.join(getattr(source, 'paths', ()))}" for source in named], quiet)
        return
    from sqlglot import Dialect, ErrorLevel
    from sqlglot.errors import UnsupportedError

    from mdfsql.query import bind_parameters, parse_query

    try:
        Dialect.get_or_raise(to)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--to'") from error
    tree = bind_parameters(parse_query(text, dialect), params, text)
    try:
        written = tree.sql(to, pretty=True, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise errors.Unsupported("this query", to, str(error)) from error
    click.echo(written + ";")
    say([f"{to} is no engine of mdfsql: its answer may differ"], quiet)


def engine_names(ctx: click.Context, option: click.Parameter, given: str) -> list[str]:
    """Return engines that are written with commas between them; usage error for one that there is not."""
    names = list(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))
    for name in names:
        if name not in ENGINES:
            raise click.BadParameter(f"there is no engine {name!r}; there are {', '.join(ENGINES)}", ctx, option)
    return names


@main.command()
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(allow_dash=True))
@click.option(
    "--engines",
    metavar="NAMES",
    default="spark,dask",
    show_default=True,
    callback=engine_names,
    help="The engines to check for, with commas between them.",
)
@click.option(
    "--schema",
    "declared",
    metavar="FILE",
    type=click.File("rb"),
    help="CREATE TABLE statements, in DuckDB's dialect, of tables whose rows are not here.",
)
@READING
@click.option("--format", type=click.Choice(("text", "json")), default="text", show_default=True)
@QUIET
def check(
    paths: tuple[str, ...],
    engines: list[str],
    declared: IO[bytes] | None,
    tables: dict[str, str],
    dialect: str,
    params: dict[str, Any],
    format: str,
    quiet: bool,
) -> None:
    """Tell which engines would run the queries of files.

    For each query and engine: ok, or refused with the place, the reason and what to write instead. Nothing is run, and
    neither Java nor any engine but DuckDB need be installed. A file may hold several queries; - is stdin. Ends with 5
    if a query is refused, and with 1 if one does not read or bind; made for a CI job.
    """
    from mdfsql.bind import declared_tables
    from mdfsql.check import declared as without_rows
    from mdfsql.check import statements

    given: dict[str, Any] = {name: files(path) for name, path in tables.items()}
    if declared is not None:
        found = declared_tables(read_utf8(declared, "the schema"))
        given |= {name: without_rows(types) for name, types in found.items()}
    report: list[dict[str, Any]] = []
    with registered(given):
        for path in paths:
            with click.open_file(path, "rb") as file:
                text = read_utf8(file, path)
            for statement in list(statements(text, dialect)) or [text]:
                report += check_one(statement, engines, dialect, params, path)
    states = {row["status"] for row in report}
    if format == "json":
        import json

        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        for row in report:
            click.echo(row["text"])
    counts = {state: sum(row["status"] == state for row in report) for state in ("ok", "refused", "failed")}
    say([", ".join(f"{count} {state}" for state, count in counts.items())], quiet)
    if states & {"refused", "failed"}:
        click.get_current_context().exit(REFUSED if "refused" in states else FAILED)


def check_one(
    text: str, engines: list[str], dialect: str, params: dict[str, Any], path: str
) -> Iterator[dict[str, Any]]:
    """Yield the rows of the report for one statement: its engines', or one that tells why it is no query."""
    from mdfsql.query import parameters_of, parse_query

    start = text.count("\n", 0, len(text) - len(text.lstrip())) + 1

    def row(status: str, engine: str | None, said: Any, error: Any = None, **more: Any) -> dict[str, Any]:
        line, column = getattr(error, "line", None) or start, getattr(error, "column", None)
        place = {"file": path, "line": line, "column": column, "engine": engine, "status": status}
        return {**place, **more, "text": located(path, line, column, str(said))}

    try:
        # A file's queries share the parameters that are given; each has its own.
        own = {node.name for node in parameters_of(parse_query(text, dialect))}
        found = mdfsql.check(text, engines, dialect, {name: value for name, value in params.items() if name in own})
    except errors.MdfError as error:
        yield row("failed", None, error, error, reason=getattr(error, "reason", str(error)))
        return
    for finding in found:
        refusal = finding.refusal
        if refusal is None:
            yield row("ok", finding.engine, finding, passes=list(finding.passes))
        else:
            parts = {"construct": refusal.construct, "why": refusal.why, "instead": refusal.instead}
            yield row("refused", finding.engine, refusal, refusal, **parts)


def located(path: str, line: int, column: int | None, text: str) -> str:
    """Return a message that begins with its place, as editors and CI jobs find it, and does not say it again."""
    first, *rest = text.splitlines()
    shown = [line for line in rest if not line.startswith("line ")]
    return "\n".join([f"{path}:{line}:{f'{column}:' if column else ''} {first}", *shown])


@main.command()
@click.argument("source", metavar="[FILE|SQL]", required=False)
@click.option("-f", "--file", type=click.File("rb"), help="Read the query from a file; - is stdin.")
@READING
@click.option(
    "--format",
    type=click.Choice(("tree", "json", "table")),
    default="tree",
    show_default=True,
    help="json is an object of column names and types.",
)
def schema(
    source: str | None,
    file: IO[bytes] | None,
    tables: dict[str, str],
    dialect: str,
    params: dict[str, Any],
    format: str,
) -> None:
    """Print the columns and types of a file or a query.

    No row is read. The argument is a file where there is one of the name or its suffix is a table's (.parquet, .csv,
    .json, ...), or FORMAT:PATH as for --table; otherwise it is SQL.
    """
    with contextlib.ExitStack() as stack:
        found = None if source is None or file is not None else file_of(source)
        if found is not None:
            if tables or params:
                raise click.UsageError("--table and --param go with a query, not with a file")
            types = mdfsql.register(FILE_TABLE, found).schema
            stack.callback(mdfsql.unregister, FILE_TABLE)
        else:
            types = stack.enter_context(dataset_of(text_of(source, file), dialect, params, tables)).schema
    if format == "tree":
        from mdfsql.schema import tree_text

        click.echo(tree_text(types))
    elif format == "json":
        import json

        click.echo(json.dumps(dict(types), indent=2, ensure_ascii=False))
    else:
        click.echo(formats.table({"column": "VARCHAR", "type": "VARCHAR"}, [list(types.items())])[0], nl=False)


FILE_TABLE = "the file"


@main.command()
@click.argument("names", metavar="[ENGINE]...", nargs=-1, type=click.Choice(ENGINES))
@click.option("--format", type=click.Choice(("table", "json")), default="table", show_default=True)
@click.option("--strict", is_flag=True, help="Exit with 3 where an engine has a problem.")
def engines(names: tuple[str, ...], format: str, strict: bool) -> None:
    """Show which engines can run here.

    For each, the packages and the Java that it finds, and what is wrong; starts none of them.
    """
    from mdfsql.doctor import findings

    found = {name: findings(name) for name in names or ENGINES}
    if format == "json":
        import json

        report = [
            {
                "engine": name,
                "ready": not any(f[2] for f in own),
                "findings": [{"what": what, "state": state, "problem": problem} for what, state, problem in own],
            }
            for name, own in found.items()
        ]
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        shape = dict.fromkeys(("engine", "what", "state", "problem"), "VARCHAR")
        rows = [(name, what, state, problem or "") for name, own in found.items() for what, state, problem in own]
        click.echo(formats.table(shape, [rows])[0], nl=False)
    if strict and any(problem for own in found.values() for _, _, problem in own):
        click.get_current_context().exit(UNREACHABLE)


@main.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option(
    "--engine", "engines", type=click.Choice(ENGINES), multiple=True, help="Only this one; may be given again."
)
@click.option("--format", type=click.Choice(("table", "json")), default="table", show_default=True)
def functions(names: tuple[str, ...], engines: tuple[str, ...], format: str) -> None:
    """Show which functions an engine runs.

    For each function of DuckDB, the kinds of values that its arguments are shown to agree over, or why it is refused.
    A kind that begins with = must be a constant.
    """
    from mdfsql import support

    wanted = {name.lower() for name in names}
    found = [one for one in support.functions(engines or ENGINES) if not wanted or one.name in wanted]
    if unknown := sorted(wanted - {one.name for one in found}):
        raise errors.QueryError(f"there is no function {unknown[0]!r}; mdfsql functions lists them all")
    if format == "json":
        import json

        report = [
            {"function": o.name, "engine": o.engine, "ok": o.ok, "arguments": list(o.arguments), "refusal": o.refusal}
            for o in found
        ]
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        rows = [
            (one.name, one.engine, "yes" if one.ok else "no", str(one) if one.arguments or not one.ok else "")
            for one in found
        ]
        shape = dict.fromkeys(("function", "engine", "runs", "arguments, or why not"), "VARCHAR")
        click.echo(formats.table(shape, [rows])[0], nl=False)


main.add_command(cli_verify.verify)
main.add_command(cli_verify.diff)


if __name__ == "__main__":
    main()
