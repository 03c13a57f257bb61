"""Which engine runs an action: the default, and settings that hold for a process, a thread, a task or a block."""

from __future__ import annotations

import contextvars
import sys
import threading
from types import TracebackType
from typing import Any

from mdfsql.engines import NAMES, open_engine
from mdfsql.engines.base import Engine
from mdfsql.errors import BackendError

__all__ = ["Backend", "backend", "set_backend"]


class Backend:
    """An engine's name with the options to open it; it is opened when first used, once.

    >>> Backend("duckdb", {"threads": 1}).name
    'duckdb'
    """

    def __init__(self, name: str, options: dict[str, Any] | None = None) -> None:
        if name not in NAMES:
            raise BackendError(f"there is no engine {name!r}; the engines are {', '.join(NAMES)}")
        self.name = name
        self.options = dict(options or {})
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    @property
    def engine(self) -> Engine:
        """The engine, opened; BackendError where it cannot be had."""
        with self._lock:
            if self._engine is None:
                self._engine = open_engine(self.name, **self.options)
            return self._engine

    def close(self) -> None:
        """Release what the engine made itself; the next action opens it anew."""
        with self._lock:
            if self._engine is not None:
                self._engine.close()
                self._engine = None

    def __repr__(self) -> str:
        options = ", ".join(f"{key}={value!r}" for key, value in self.options.items())
        return f"<Backend {self.name}{': ' + options if options else ''}>"


_in_force: contextvars.ContextVar[Backend | None] = contextvars.ContextVar("mdfsql_backend", default=None)
_named: dict[str, Backend] = {"duckdb": Backend("duckdb")}
_process: Backend = _named["duckdb"]


def backend() -> Backend:
    """Return the backend in force here: this task's or thread's, else the process's, else DuckDB."""
    return _in_force.get() or _process


def named(name: str) -> Backend:
    """Return the backend in force if it has this name, else one for the name with no options, made once."""
    current = backend()
    if current.name == name:
        return current
    if name not in _named:
        _named.setdefault(name, Backend(name))
    return _named[name]


class set_backend:  # noqa: N801 - it is called like a function, and reads like one in a with statement
    """Choose the engine that runs datasets made from here on.

    ``set_backend("spark", spark_session=s)`` as a statement holds from there on: in the main thread for the whole
    process, in another thread or an asyncio task for that one. ``with set_backend(...) as backend:`` holds inside the
    block, for this thread or task only, and puts back what was before.

    Options: duckdb ``database=, threads=, memory_limit=``; spark ``spark_session=``, or ``master=, config=``, or
    ``remote="sc://..."``; dask ``client=`` or ``address=``. Raises BackendError for an unknown name; an engine that
    cannot be had raises when it is first used. A Backend may stand in place of a name, to use its engine again.

    >>> with set_backend("duckdb", threads=1) as inside:
    ...     backend() is inside
    True
    """

    def __init__(self, name: str | Backend, **options: Any) -> None:
        self.backend = name if isinstance(name, Backend) else Backend(name, options)
        self._entered = False
        self._shared = threading.current_thread() is threading.main_thread() and not _in_task()
        self._before = _in_force.get()
        _in_force.set(self.backend)

    def __enter__(self) -> Backend:
        self._entered = True
        _in_force.set(self.backend)
        return self.backend

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _in_force.set(self._before)

    def __del__(self) -> None:
        # A with statement keeps this object and enters it; a plain statement drops it at once, and only then may
        # other threads see the setting: so no thread ever sees one that is about to become a block's own.
        if not getattr(self, "_entered", True) and self._shared and self._before is None:
            global _process
            _process = self.backend
            if _in_force is not None and _in_force.get() is self.backend:
                _in_force.set(None)

    def __repr__(self) -> str:
        return f"<set_backend {self.backend.name}>"


def _in_task() -> bool:
    # Importing asyncio costs more than all of mdfsql; where nobody has imported it, no task can run.
    asyncio = sys.modules.get("asyncio")
    try:
        return asyncio is not None and asyncio.current_task() is not None
    except RuntimeError:
        return False
