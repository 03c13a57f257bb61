"""The error tree: every error says what was wrong, where, on which engine, and what to do."""

from __future__ import annotations

__all__ = [
    "BackendError",
    "BindError",
    "CannotLift",
    "DataError",
    "EngineError",
    "MdfError",
    "NotLifted",
    "QueryError",
    "Unsupported",
    "VerificationError",
]


class MdfError(Exception):
    """The root of every error that mdfsql raises on purpose.

    >>> issubclass(Unsupported, MdfError)
    True
    """


def caret(text: str, line: int, column: int) -> str:
    """Return the 1-based ``line`` of ``text`` with a caret under its 1-based ``column``.

    >>> print(caret("SELECT nope", 1, 8))
    line 1, column 8:
      SELECT nope
             ^
    """
    lines = text.splitlines()
    shown = lines[line - 1] if 0 < line <= len(lines) else ""
    # Tabs are kept before the caret, so that it stands under its character in any terminal.
    pad = "".join("\t" if c == "\t" else " " for c in shown[: column - 1])
    return f"line {line}, column {column}:\n  {shown}\n  {pad}^"


class QueryError(MdfError):
    """SQL text that cannot be read: a syntax error, a parameter, or a statement that is no query.

    ``line`` and ``column`` are 1-based positions in the text as it was written, or None.
    """

    def __init__(
        self, reason: str, *, sql: str | None = None, line: int | None = None, column: int | None = None
    ) -> None:
        self.reason, self.sql, self.line, self.column = reason, sql, line, column
        where = f"\n{caret(sql, line, column)}" if sql and line and column else ""
        super().__init__(reason + where)


class BindError(QueryError):
    """A query that reads well but names what is not there, or puts types together that do not fit."""


class Unsupported(MdfError):
    """A construct that an engine is not shown to answer as the reference does; raised before anything runs.

    ``line`` and ``column`` are the 1-based position in ``sql``, the text that was written, or None where the construct
    was not written as text.

    >>> print(Unsupported("ASOF JOIN", "dask", "dask-sql has no such join", "join on a window instead"))
    dask: ASOF JOIN is refused: dask-sql has no such join; instead: join on a window instead
    """

    def __init__(
        self,
        construct: str,
        engine: str,
        why: str,
        instead: str | None = None,
        *,
        sql: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        self.construct, self.engine, self.why, self.instead = construct, engine, why, instead
        self.sql, self.line, self.column = sql, line, column
        remedy = f"; instead: {instead}" if instead else ""
        self.reason = f"{construct} is refused: {why}{remedy}"
        where = f"\n{caret(sql, line, column)}" if sql and line and column else ""
        super().__init__(f"{engine}: {self.reason}{where}")

    def on(self, engine: str) -> Unsupported:
        """Return the same refusal as that of an engine."""
        place = {"sql": self.sql, "line": self.line, "column": self.column}
        return Unsupported(self.construct, engine, self.why, self.instead, **place)  # type: ignore[arg-type]


class CannotLift(MdfError):
    """A Python function that has no exact SQL; points at the source with a caret.

    ``line`` and ``column`` are 1-based positions in ``filename``, or None where no source was found. ``mistake`` tells
    that the function is wrong, as where it reads a column that is not there: it cannot run as Python either.
    """

    def __init__(
        self,
        reason: str,
        *,
        suggestion: str | None = None,
        filename: str | None = None,
        line: int | None = None,
        column: int | None = None,
        text: str | None = None,
        mistake: bool = False,
    ) -> None:
        self.reason, self.suggestion, self.mistake = reason, suggestion, mistake
        self.filename, self.line, self.column, self.text = filename, line, column, text
        where = ""
        if line is not None and text is not None:
            place = caret("\n" * (line - 1) + text, line, column or 1)
            where = f"\n{filename}, {place}" if filename else f"\n{place}"
        lead = "" if (suggestion or "").startswith("did you mean") else "instead: "
        remedy = f"\n  {lead}{suggestion}" if suggestion else ""
        super().__init__(f"{reason}{where}{remedy}")

    def advised(self, how: str) -> CannotLift:
        """Return the same error with one more thing that can be done about it."""
        suggestion = "; ".join(filter(None, (self.suggestion, how)))
        place = {"filename": self.filename, "line": self.line, "column": self.column, "text": self.text}
        return CannotLift(self.reason, suggestion=suggestion, mistake=self.mistake, **place)  # type: ignore[arg-type]


class NotLifted(UserWarning):
    """A row function runs as Python, since it has no exact SQL: right, but slower.

    Shown once for each place; ``warnings.simplefilter("error", NotLifted)`` makes it an error.
    """


class DataError(MdfError):
    """Data that cannot be read, typed or written: names the column, the row or the file."""


class EngineError(MdfError):
    """A query that failed while an engine ran it: the root cause in one sentence.

    The engine's own exception is ``cause`` (and ``__cause__``).
    """

    def __init__(self, reason: str, *, engine: str, cause: BaseException | None = None) -> None:
        self.reason, self.engine, self.cause = reason, engine, cause
        super().__init__(f"{engine}: {reason}")
        self.__cause__ = cause


class BackendError(MdfError):
    """An engine that cannot be had: not installed, not reachable, closed, or set up wrongly."""


class VerificationError(MdfError):
    """Two results differ, or it cannot be told whether they do; ``comparison`` has what was found, where something was.

    >>> VerificationError("3 rows differ").comparison is None
    True
    """

    def __init__(self, reason: str, *, comparison: object = None) -> None:
        self.comparison = comparison
        super().__init__(reason)
