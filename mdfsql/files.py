"""Files as sources: local paths, globs, lists and URLs, their schema settled once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mdfsql.backend import Backend
from mdfsql.bind import describe_files, expand
from mdfsql.catalog import FileSource
from mdfsql.errors import DataError

__all__ = ["file_source", "format_of"]

SUFFIXES = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".csv.gz": "csv",
    ".tsv.gz": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json.gz": "json",
    ".jsonl.gz": "json",
}


def format_of(path: str) -> str | None:
    """Return the format that a path's suffix tells, or None.

    >>> format_of("a/b.tsv.gz"), format_of("flights")
    ('csv', None)
    """
    lowered = path.lower()
    return next((format for suffix, format in SUFFIXES.items() if lowered.endswith(suffix)), None)


def is_url(path: str) -> bool:
    """Tell whether a path is a URL that only an engine reaches."""
    return re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+://", path) is not None


def file_source(
    format: str,
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    options: Mapping[str, Any],
    where: Backend,
) -> FileSource:
    """Return files as a source; a folder means the files of the format below it.

    The reference reads the schema of local files, the engine in force that of URLs. Raises DataError for no path, a
    path that is not there, and files that are not of the format.
    """
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not given:
        raise DataError(f"read_{format} got an empty list of paths")
    texts = tuple(_located(os.fspath(path), format) for path in given)
    if any(map(is_url, texts)):
        return FileSource(
            schema=where.engine.describe(format, texts), format=format, paths=texts, options=tuple(options.items())
        )
    files = tuple(expand(texts))
    for file in files:
        if os.path.getsize(file) == 0:
            raise DataError(f"the file {file!r} is empty")
    schema, own, settled = describe_files(format, files, options)
    return FileSource(
        schema=schema,
        format=format,
        paths=files,
        own=tuple(own.items()),
        hive=tuple(name for name in _hive_names(files) if name in schema),
        options=tuple(settled.items()),
    )


def _hive_names(files: Sequence[str]) -> list[str]:
    """Return the names in the ``name=value`` folders that stand in every path."""
    named = [[part.partition("=")[0] for part in file.split("/")[:-1] if "=" in part] for file in files]
    return named[0] if all(names == named[0] for names in named) else []


def _located(path: str, format: str) -> str:
    if is_url(path):
        return path
    path = os.path.abspath(os.path.expanduser(path))
    if os.path.isdir(path):
        return os.path.join(path, "**", f"*.{format}")
    if not any(c in path for c in "*?[") and not os.path.exists(path):
        raise DataError(f"no file {path!r}")
    return path
