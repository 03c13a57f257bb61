"""What an engine does: take a plan, give Arrow batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from mdfsql.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from mdfsql.compile import Plan
    from mdfsql.rowwise import RowError
    from mdfsql.schema import Schema

__all__ = ["Engine", "users_error"]


class Engine(Protocol):
    """An engine that is up. Made once for each backend; safe to use from several threads.

    Every method that runs something raises EngineError with the root cause in a sentence, BackendError where the
    engine is gone (a closed session, a dead scheduler).
    """

    name: ClassVar[str]

    def batches(self, plan: Plan) -> Iterator[pa.RecordBatch]:
        """Run the plan and stream its rows; the batches are not yet conformed to the plan's schema."""
        ...

    def rows(self, plan: Plan) -> Iterator[list[tuple[Any, ...]]] | None:
        """Run the plan and stream lists of Python rows where the engine has a faster way than Arrow, else None."""
        ...

    def frame(self, plan: Plan) -> Any:
        """Return the plan as the engine's own lazy frame, with the bound names and types."""
        ...

    def write(self, plan: Plan, path: str, format: str, partition_by: tuple[str, ...]) -> None:
        """Write the rows in ``format`` ("parquet", "csv", "json") to ``path``, which does not exist yet.

        A local path is made by the caller's plan for it: nothing else writes there. A URL is the engine's own.
        """
        ...

    def explain(self, plan: Plan) -> str:
        """Return the engine's own plan as text, without running it."""
        ...

    def lookup(self, name: str) -> Schema | None:
        """Return the schema of a table that the engine itself has under this name, or None."""
        ...

    def describe(self, format: str, paths: tuple[str, ...]) -> Schema:
        """Return the schema of files at URLs that only this engine reaches."""
        ...

    def cancel(self) -> None:
        """Stop what runs now; the runs raise EngineError."""
        ...

    def close(self) -> None:
        """Release what the engine made itself: its session, its cluster, its tables. Never what it was handed."""
        ...


def users_error(error: RowError) -> BaseException:
    """Return what went wrong in a user's function: its own exception, or DataError for a result that does not fit."""
    found = error.original()
    if type(found).__name__ == "Misfit":  # by its name: a worker's class may be another copy
        return DataError("\n".join(filter(None, (str(found), error.note))))
    return found
