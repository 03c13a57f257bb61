"""What the commands share: an engine that is opened and closed, tables that are there meanwhile, output, exit codes."""

from __future__ import annotations

import contextlib
import contextvars
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

import mdfsql
from mdfsql import errors, formats

if TYPE_CHECKING:
    from mdfsql.backend import Backend
    from mdfsql.engines.base import Engine

__all__ = [
    "Run",
    "TimedOut",
    "complain",
    "dataset_of",
    "engine_of",
    "file_of",
    "files",
    "registered",
    "rows_text",
    "say",
    "sink",
    "stage_of",
]

R = TypeVar("R")

# What the process ends with.
FAILED, UNREACHABLE, TIMED_OUT, REFUSED, BROKEN_PIPE, INTERRUPTED = 1, 3, 4, 5, 141, 130
DIFFERENT = 1  # what verify and diff found

# How long an engine may take to stop before the process ends without it.
GRACE_SECONDS = 3.0

# Option -> the engine that it belongs to.
ENGINE_OPTIONS = {"database": "duckdb", "master": "spark", "remote": "spark", "address": "dask"}


class TimedOut(Exception):
    """The time that --timeout gives is over."""


# ---- running -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def engine_of(options: dict[str, Any]) -> Iterator[Backend]:
    """Set the backend that the options name, and close it afterwards."""
    name = options["engine"]
    given = {option: options[option] for option in ENGINE_OPTIONS if options[option] is not None}
    for option in given:
        if ENGINE_OPTIONS[option] != name:
            raise click.UsageError(f"--{option} goes with --engine {ENGINE_OPTIONS[option]}, not with {name}")
    with mdfsql.set_backend(name, **given) as where:
        try:
            yield where
        finally:
            where.close()


@contextlib.contextmanager
def registered(tables: Mapping[str, Any]) -> Iterator[None]:
    """Have tables registered meanwhile."""
    try:
        for name, data in tables.items():
            mdfsql.register(name, data)
        yield
    finally:
        for name in {name.lower(): name for name in mdfsql.tables()}.keys() & {name.lower() for name in tables}:
            mdfsql.unregister(name)


@contextlib.contextmanager
def dataset_of(text: str, dialect: str, params: dict[str, Any], tables: dict[str, str]) -> Iterator[mdfsql.Dataset]:
    """Give a query as a dataset, its tables registered meanwhile."""
    with registered({name: files(path) for name, path in tables.items()}):
        yield mdfsql.sql(text, dialect, params)


def files(path: str) -> Any:
    """Return what FORMAT:PATH means as a dataset; a path alone as it stands."""
    format, colon, rest = path.partition(":")
    readers = {
        "parquet": mdfsql.Dataset.read_parquet,
        "csv": mdfsql.Dataset.read_csv,
        "json": mdfsql.Dataset.read_json,
    }
    real = rest if colon and format in readers else path
    if os.path.exists(real) and not os.path.isfile(real) and not os.path.isdir(real):
        # A file is read twice, for its schema and for its rows; a pipe would be empty the second time.
        raise errors.DataError(f"{real!r} is no regular file; save what it holds to a file first")
    if colon and format in readers:
        return readers[format](rest)
    if formats.format_for(path) is None and os.path.isdir(path):
        raise errors.DataError(f"{path!r} is a folder: write parquet:{path}, csv:{path} or json:{path}")
    return path


def file_of(source: str) -> Any:
    """Return what an argument names as a file, or None where it is SQL."""
    from mdfsql.files import format_of, is_url

    path = source.partition(":")[2] if source.startswith(("parquet:", "csv:", "json:")) else source
    if path == source and not os.path.exists(path):
        # A query may end in a file's name; a path that is not there has no blanks, or it would be asked for as one.
        looks_like_a_path = format_of(path) is not None and (is_url(path) or len(path.split()) == 1)
        return path if looks_like_a_path else None
    return files(source)


class Run:
    """Work on an engine, in a thread of its own: so Ctrl-C and --timeout reach it while the engine computes."""

    def __init__(self, timeout: float | None) -> None:
        self.timeout = timeout
        self.engine: Engine | None = None
        self.stopping = threading.Event()
        self._done = threading.Event()
        self._result: Any = None
        self._error: BaseException | None = None

    def __call__(self, work: Callable[[], R]) -> R:
        """Return what ``work`` returns; TimedOut or KeyboardInterrupt once it has been stopped."""
        context = contextvars.copy_context()

        def target() -> None:
            try:
                self._result = context.run(work)
            except BaseException as error:
                # What its frames hold, such as an engine's cursor, goes now and not as the interpreter ends.
                traceback.clear_frames(error.__traceback__)
                self._error = error
            finally:
                self._done.set()

        threading.Thread(target=target, daemon=True).start()
        late = f"timed out after {self.timeout:g} seconds" if self.timeout else ""
        try:
            # Not join(): a KeyboardInterrupt in it marks a running thread as ended.
            self._done.wait(min(self.timeout, threading.TIMEOUT_MAX) if self.timeout else None)
        except KeyboardInterrupt:
            self._stop(INTERRUPTED, "interrupted")
            raise
        if not self._done.is_set():
            self._stop(TIMED_OUT, late)
            if self._error is not None:
                raise TimedOut(late)
        if self._error is not None:
            raise self._error
        return self._result

    def _stop(self, code: int, why: str) -> None:
        """Cancel the engine's runs until the work has ended; end the process if it does not."""
        self.stopping.set()
        try:
            for _ in range(int(GRACE_SECONDS / 0.1)):
                # The work may end, and its engine close, at any moment: then there is nothing to cancel.
                with contextlib.suppress(Exception):
                    if self.engine is not None:
                        self.engine.cancel()
                if self._done.wait(0.1):
                    return
        except KeyboardInterrupt:
            pass  # a second Ctrl-C: now
        complain(why)
        os._exit(code)

    def check(self) -> None:
        """Raise in the worker once it is to stop."""
        if self.stopping.is_set():
            raise errors.EngineError("stopped", engine="mdfsql")


# ---- printing ----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def sink(output: str | None) -> Iterator[IO[bytes]]:
    """Give what to write to: stdout, or a file that replaces ``output`` when all is written, or not at all."""
    if output is None:
        stream = sys.stdout.buffer
        yield stream
        stream.flush()
        return
    with stage_of(output) as stage, open(stage, "wb") as file:
        yield file


@contextlib.contextmanager
def stage_of(output: str) -> Iterator[str]:
    """Give a path to write to that then takes the place of ``output``; a device or a pipe is written to itself."""
    from mdfsql.write import staged

    if os.path.isdir(output):
        raise errors.DataError(f"{output!r} is a folder; --output names a file")
    if os.path.abspath(output).startswith(("/dev/", "/proc/")) or (
        os.path.exists(output) and not os.path.isfile(output)
    ):
        yield output
        return
    # A link stays, and what it points to is replaced.
    path = os.path.realpath(output)
    if not os.path.isdir(os.path.dirname(path)):
        raise errors.DataError(f"the folder {os.path.dirname(path)!r} does not exist")
    with staged(path) as stage:
        yield stage
        if os.path.exists(path):
            os.chmod(stage, os.stat(path).st_mode & 0o7777)
        os.replace(stage, path)


def rows_text(count: int) -> str:
    """Return a number of rows in words."""
    return f"{count:,} row{'' if count == 1 else 's'}"


def say(notes: list[str], quiet: bool) -> None:
    """Print notes to stderr."""
    if not quiet:
        for text in notes:
            click.echo(text, err=True)


def complain(text: str) -> None:
    """Print an error to stderr; in colour on a terminal, unless NO_COLOR is set."""
    coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    label = click.style("error:", fg="red", bold=True) if coloured else "error:"
    click.echo(f"{label} {text}", err=True, color=coloured)
