"""Writing results to files: staged beside the target and put in place by renaming, so nothing is ever half there."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from mdfsql import result
from mdfsql.backend import Backend
from mdfsql.compile import Plan
from mdfsql.errors import DataError
from mdfsql.files import format_of, is_url

__all__ = ["write", "write_file"]

MODES = ("error", "overwrite", "append")


def write(where: Backend, plan: Plan, path: str, format: str, mode: str, partition_by: tuple[str, ...]) -> None:
    """Write a plan's rows; a path with the format's suffix is one file, any other a folder of files.

    Raises DataError for a target that exists (mode "error"), a file to append to, and a folder that is missing. A
    URL is handed to the engine, with the engine's own way to commit.
    """
    if mode not in MODES:
        raise DataError(f"there is no mode {mode!r}; the modes are {', '.join(MODES)}")
    if set(map(str.lower, partition_by)) >= {name.lower() for name in plan.schema}:
        raise DataError("partition_by names every column: none is left to write")
    if is_url(path):
        where.engine.write(plan, path, format, partition_by)
        return
    # A link stays one: what it points to is replaced.
    path = os.path.realpath(os.path.expanduser(path))
    one_file = format_of(path) == format and not partition_by
    exists = os.path.lexists(path)
    if exists and mode == "error":
        raise DataError(f"{path!r} exists; pass mode='overwrite' or mode='append'")
    if exists and not os.path.isfile(path) and not os.path.isdir(path):
        raise DataError(f"{path!r} is neither a file nor a folder")
    if mode == "append" and (one_file or os.path.isfile(path)):
        raise DataError(f"cannot append to the single file {path!r}; write to a folder (a path without a suffix)")
    if not os.path.isdir(os.path.dirname(path)):
        raise DataError(f"the folder {os.path.dirname(path)!r} does not exist")
    with staged(path) as stage:
        if one_file:
            write_file(where, plan, stage, format)
        else:
            write_folder(where, plan, stage, format, partition_by)
        if exists and mode == "append":
            _merge(stage, path)
        else:
            _swap(stage, path)


def write_file(where: Backend, plan: Plan, path: str, format: str) -> None:
    """Write a plan's rows to one local file; the bytes are made by DuckDB on every engine."""
    if where.name == "duckdb":
        where.engine.write(plan, path, format, ())
        return
    from mdfsql.engines.duckdb import write_stream  # the reference's writer, needed only for a file

    write_stream(result.reader(where.engine, plan), path, format)


def write_folder(where: Backend, plan: Plan, path: str, format: str, partition_by: tuple[str, ...]) -> None:
    """Write a plan's rows as a folder of files, by the engine itself."""
    if where.name == "duckdb" and not partition_by:
        os.mkdir(path)
        path = os.path.join(path, f"part-{uuid.uuid4().hex}.{format}")
    where.engine.write(plan, path, format, partition_by)


@contextmanager
def staged(path: str) -> Iterator[str]:
    """Give a name beside ``path`` to write to; whatever is left there afterwards is removed."""
    stage = os.path.join(os.path.dirname(path), f".{uuid.uuid4().hex}.{os.path.basename(path)}")
    try:
        yield stage
    finally:
        with suppress(FileNotFoundError):
            if os.path.isdir(stage):
                shutil.rmtree(stage)
            else:
                os.remove(stage)


def _swap(stage: str, path: str) -> None:
    if not os.path.isdir(path) and not os.path.isdir(stage):
        os.replace(stage, path)
        return
    # A folder cannot be replaced in one step: the old one steps aside and comes back if the new one does not arrive.
    aside = stage + ".old"
    if os.path.lexists(path):
        os.rename(path, aside)
    try:
        os.rename(stage, path)
    except BaseException:
        if os.path.lexists(aside):
            os.rename(aside, path)
        raise
    if os.path.isdir(aside):
        shutil.rmtree(aside)
    elif os.path.lexists(aside):
        os.remove(aside)


def _merge(stage: str, path: str) -> None:
    """Move the staged files into a folder under names of their own; on failure those already moved are taken back."""
    moved: list[str] = []
    try:
        for folder, _, files in os.walk(stage):
            target = os.path.join(path, os.path.relpath(folder, stage))
            for file in files:
                if file.startswith(("_", ".")):
                    continue
                os.makedirs(target, exist_ok=True)
                stem, dot, suffix = file.partition(".")
                new = os.path.join(target, f"{stem}-{uuid.uuid4().hex[:8]}{dot}{suffix}")
                os.rename(os.path.join(folder, file), new)
                moved.append(new)
    except BaseException:
        for new in moved:
            with suppress(FileNotFoundError):
                os.remove(new)
        raise
