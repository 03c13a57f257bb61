"""Spark's errors as ours: the root cause in one sentence, without a Java trace or a query plan."""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from collections.abc import Iterator
from typing import Any

from py4j.protocol import Py4JError, Py4JJavaError, Py4JNetworkError
from pyspark.errors import PySparkException

from mdfsql.engines.spark_rows import raised
from mdfsql.errors import BackendError, EngineError, MdfError

__all__ = ["CLOSED", "failures"]

CLOSED = "spark: the Spark session is closed or its Java process is gone; make a new session and set the backend again"

# What Spark and py4j say when the other side is not there any more.
GONE = re.compile(
    r"stopped SparkContext|SparkContext was shut down|SparkContext has been shutdown|SparkContext is stopped|"
    r"SparkSession is stopped|Answer from Java side is empty|Connection refused|error while obtaining a new connection|"
    r"'NoneType' object has no attribute '(sc|_jvm|_jsc|setCallSite|sql|cloneSession)'"
)

# Exceptions that only wrap what went wrong.
WRAPPERS = re.compile(
    r"org\.apache\.spark\.SparkException|java\.util\.concurrent\.ExecutionException|"
    r"java\.lang\.reflect\.InvocationTargetException|java\.lang\.RuntimeException"
)


_ours = threading.local()


def _not_ours(record: logging.LogRecord) -> bool:
    return not getattr(_ours, "depth", 0)


# pyspark 4 logs each exception with its whole Java trace as it is made. For a query of ours the error says it all.
with contextlib.suppress(ImportError):
    from pyspark.logger import PySparkLogger

    for _name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(_name).addFilter(_not_ours)


@contextlib.contextmanager
def failures() -> Iterator[None]:
    """Turn what Spark, py4j and sockets raise into EngineError, or BackendError where the session is gone."""
    _ours.depth = getattr(_ours, "depth", 0) + 1
    try:
        yield
    except MdfError:
        raise
    except (PySparkException, Py4JError, OSError, EOFError, AttributeError) as error:
        text = str(error)
        if (users := raised(text)) is not None:
            raise users from None
        if isinstance(error, (Py4JNetworkError, ConnectionError)) or GONE.search(text):
            raise BackendError(CLOSED) from error
        if isinstance(error, AttributeError):
            raise
        raise EngineError(sentence(error), engine="spark", cause=error) from error
    finally:
        _ours.depth -= 1


def sentence(error: BaseException) -> str:
    """Return the root cause of an error in one readable sentence."""
    origin = java_exception(error)
    texts = list(java_messages(origin)) if origin is not None else []
    text = next((t for t in reversed(texts) if t), "") or str(error)
    if "cancelled" in (whole := " ".join(texts) or str(error)) and re.search(
        r"Job \d+ cancelled|cancelled part of", whole
    ):
        return "the query was cancelled"
    return clean(text) or type(error).__name__


def java_exception(error: BaseException) -> Any:
    """Return the Java exception behind a Python one, or None."""
    if isinstance(error, Py4JJavaError):
        return error.java_exception
    return getattr(error, "_origin", None)


def java_messages(origin: Any) -> Iterator[str]:
    """Yield the messages of a Java exception and its causes, the outermost first."""
    for _ in range(20):
        if origin is None:
            return
        try:
            name, message = origin.getClass().getName(), origin.getMessage() or ""
            origin = origin.getCause()
        except (Py4JError, OSError, AttributeError):
            return
        found = re.search(r"(?:Lost task|most recent failure)[^\n]*?\): ([^\n]+)", message)
        if found:
            # The cause stayed on the executor; its first line stands in the driver's message.
            yield re.sub(r"^(?:[a-z]\w*\.)+\w+(?:Exception|Error): ", "", found.group(1))
        elif not (WRAPPERS.fullmatch(name) and origin is not None):
            yield message if message else name


def clean(text: str) -> str:
    """Return the first sentence of Spark's message, without its class, its SQLSTATE and its picture of the query.

    >>> clean("[DIVIDE_BY_ZERO] Division by zero. Use `try_divide`. SQLSTATE: 22012\\n== SQL ==\\nx")
    'Division by zero.'
    >>> clean("[USER_RAISED_EXCEPTION] no. 1.5 SQLSTATE: P0001")
    'no. 1.5'
    """
    raised = "USER_RAISED_EXCEPTION" in text
    text = re.split(r"\n\s*(?:==|at |\'|;|JVM stacktrace)|\nDriver stacktrace", text)[0]
    text = re.sub(r"^(?:[a-z]\w*\.)+\w+(?:Exception|Error): ", "", text.strip())
    text = re.sub(r"^\[[A-Z0-9_.]+\]\s*", "", text)
    text = re.sub(r"\s*SQLSTATE: \w+", "", text)
    # Remedies in terms of Spark's own settings and functions are of no use to who wrote no Spark.
    if not raised:
        text = re.split(r" (?:Use `|If necessary|To return NULL|If you )", text)[0]
    return " ".join(text.split())[:600]
