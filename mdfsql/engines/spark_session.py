"""Spark sessions: the one that is handed over or made, and the copy of it that runs our queries under our settings."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

import pyspark
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession
from sqlglot import exp

from mdfsql.engines.spark_errors import CLOSED, clean, failures
from mdfsql.engines.spark_java import prepare
from mdfsql.errors import BackendError, Unsupported
from mdfsql.lower.rules import kind

__all__ = [
    "REMEMBERED",
    "SETTINGS",
    "acting",
    "check_alive",
    "check_decimals",
    "forget",
    "functions",
    "is_connect",
    "open_session",
    "private_copy",
    "properties",
    "release",
    "remembers",
]

# What decides an answer. Every query of ours runs with these, whatever the session that was handed over says.
SETTINGS: dict[str, str] = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "false",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    # Products of decimals keep their scale, as the reference's do; what does not fit raises.
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.mapKeyDedupPolicy": "EXCEPTION",
    "spark.sql.legacy.timeParserPolicy": "CORRECTED",
    "spark.sql.legacy.statisticalAggregate": "false",
    "spark.sql.legacy.sizeOfNull": "false",
    "spark.sql.legacy.setopsPrecedence.enabled": "false",
    "spark.sql.legacy.castComplexTypesToString.enabled": "false",
    "spark.sql.legacy.literal.pickMinimumPrecision": "true",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.parser.quotedRegexColumnNames": "false",
    "spark.sql.ansi.doubleQuotedIdentifiers": "false",
    "spark.sql.ansi.enforceReservedKeywords": "false",
    "spark.sql.groupByOrdinal": "true",
    "spark.sql.orderByOrdinal": "true",
    "spark.sql.crossJoin.enabled": "true",
    # Files: no calendar but the proleptic Gregorian one, no guesses.
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    "spark.sql.parquet.binaryAsString": "false",
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
    # A query of many layers takes the analyzer one round for each.
    "spark.sql.analyzer.maxIterations": "10000",
    "spark.sql.optimizer.maxIterations": "10000",
    # Arrow, out and in.
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "65536",
    "spark.sql.execution.arrow.localRelationThreshold": str(1 << 20),
}

# A session that we make ourselves: local, quiet, reachable from this machine only.
LOCAL: dict[str, str] = {
    "spark.app.name": "mdfsql",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "2g",
    # The engine holds back itself how much of a result comes at a time.
    "spark.driver.maxResultSize": "0",
    "spark.log.level": "ERROR",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "8",
    "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
    "spark.sql.catalogImplementation": "in-memory",
    # Spark's parser learns from each text, some 6 KB a state, and forgets nothing if it is not told to: by this from
    # 4.1 on, by ``forget`` before.
    "spark.sql.parser.manageParserCaches": "true",
    "spark.sql.parser.parserDfaCacheFlushThreshold": "50000",
    # Nobody looks at what was run before, for there is no UI.
    "spark.ui.retainedJobs": "100",
    "spark.ui.retainedStages": "100",
    "spark.sql.ui.retainedExecutions": "10",
}

# Letters of SQL after which an older parser is made to forget: it keeps one to two KB for each.
REMEMBERED = 200_000


def remembers(session: SparkSession) -> bool:
    """Tell whether a session's parser keeps what it learns as long as Java runs, as it does before Spark 4.1."""
    major, minor = (int(part) for part in session.version.split(".")[:2])
    return (major, minor) < (4, 1)


def forget(session: SparkSession) -> None:
    """Clear what Spark's parser has learnt from texts; queries that are parsed meanwhile only take longer."""
    session._jvm.org.apache.spark.sql.catalyst.parser.SqlBaseParser(None).getInterpreter().clearDFA()


_lock = threading.Lock()
# The session that mdfsql made, and how many engines use it: a process has one SparkContext only.
_made: SparkSession | None = None
_users = 0


def is_connect(session: Any) -> bool:
    """Tell whether a session speaks to a Spark Connect server."""
    return type(session).__module__.startswith("pyspark.sql.connect")


def functions(frame: Any) -> Any:
    """Return the module of functions that make columns for a frame: Spark Connect has its own."""
    if type(frame).__module__.startswith("pyspark.sql.connect"):
        from pyspark.sql.connect import functions as made  # its packages are there, for the frame is
    else:
        from pyspark.sql import functions as made
    return made


def check_alive(session: Any) -> None:
    """Raise BackendError for a session that was stopped."""
    if is_connect(session):
        if getattr(session, "is_stopped", False):
            raise BackendError(CLOSED)
        return
    context = session._sc
    try:
        stopped = context._jsc is None or context._jsc.sc().isStopped()
    except Exception as error:
        raise BackendError(CLOSED) from error
    if stopped:
        raise BackendError(CLOSED)


CONNECT_SECONDS = 10


def open_session(master: str | None, config: Mapping[str, Any] | None, remote: str | None) -> tuple[Any, bool]:
    """Return a session for the options, and whether mdfsql made it; BackendError where none can be had."""
    if remote is not None:
        return _remote(remote, config), True
    global _made, _users
    with _lock:
        context = SparkContext._active_spark_context
        if context is not None:
            if master is not None and context.master != master:
                raise BackendError(
                    f"spark: a Spark session with master {context.master!r} runs in this process already, and "
                    f"there can be only one; stop it first, or hand it over with spark_session="
                )
            with failures():
                session = SparkSession.builder.getOrCreate()
            ours = _made is not None and _made._sc is session._sc
            _users += ours
            return session, ours
        _made, _users = _start(master, config), 1
        return _made, True


def release(session: Any) -> None:
    """Stop a session that open_session made, once nobody uses it."""
    global _made, _users
    if is_connect(session):
        session.stop()
        return
    with _lock:
        _users -= 1
        if _users > 0 or _made is None:
            return
        stopping, _made = _made, None
    with contextlib.suppress(Exception):
        stopping.stop()


def _start(master: str | None, config: Mapping[str, Any] | None) -> SparkSession:
    options = {**LOCAL, **SETTINGS, "spark.master": master or "local[*]"}
    if master is not None and not master.startswith("local"):
        # A cluster's workers must find this driver.
        del options["spark.driver.host"], options["spark.driver.bindAddress"]
    options["spark.sql.warehouse.dir"] = os.path.join(tempfile.gettempdir(), f"mdfsql-warehouse-{os.getpid()}")
    options |= {key: _text(value) for key, value in (config or {}).items()}
    conf = SparkConf(loadDefaults=False).setAll(options.items())
    gateway = None
    if SparkContext._gateway is None:
        prepare()
        gateway = _gateway(conf)
    try:
        context = SparkContext(conf=conf, gateway=gateway)
    except Exception as error:
        raise BackendError(f"spark: no session could be started: {clean(str(error))}") from error
    with contextlib.suppress(Exception):
        context.setLogLevel(options["spark.log.level"])
    return SparkSession.builder.config(map=options).getOrCreate()


def _gateway(conf: SparkConf) -> Any:
    """Start Java with its chatter kept away from the user's terminal, to be shown only if it fails."""
    with tempfile.TemporaryFile() as log:
        try:
            return launch_gateway(conf, popen_kwargs={"stderr": log})
        except (PySparkException, RuntimeError, OSError) as error:
            log.seek(0)
            lines = [line for line in log.read().decode(errors="replace").splitlines() if line.strip()]
            told = next(
                (line for line in lines if "Error" in line or "Exception" in line), lines[0] if lines else str(error)
            )
            raise BackendError(
                f"spark: Java for Spark {pyspark.__version__} did not start: {told.strip()}; "
                "`mdfsql engines` shows what was found"
            ) from error


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _remote(remote: str, config: Mapping[str, Any] | None) -> Any:
    try:
        from pyspark.sql.connect.session import SparkSession as ConnectSession
    except ImportError as error:
        raise BackendError(
            f"spark: Spark Connect needs more packages ({clean(str(error))}); "
            f"install them with: pip install 'pyspark[connect]=={pyspark.__version__}'"
        ) from error
    address = urllib.parse.urlsplit(remote)
    try:
        # The client tries for minutes to reach an address where nobody listens.
        socket.create_connection((address.hostname or "localhost", address.port or 15002), CONNECT_SECONDS).close()
    except OSError as error:
        raise BackendError(f"spark: no Spark Connect server answers at {remote}: {error}") from error
    try:
        builder = ConnectSession.builder.remote(remote)
        for key, value in (config or {}).items():
            builder = builder.config(key, _text(value))
        session = builder.create()
        # Nothing is sent before it is needed: ask, so that a wrong address fails here.
        session.version  # noqa: B018
    except Exception as error:
        raise BackendError(f"spark: no Spark Connect server answers at {remote}: {clean(str(error))}") from error
    return session


def private_copy(session: Any) -> Any:
    """Return a session that shares the cluster, the tables and the settings of ``session``, and has ours on top.

    What runs there neither sees nor changes the settings and views that the handed session goes on with.
    """
    check_alive(session)
    with failures():
        if is_connect(session):
            return session
        copy = SparkSession(session._sc, session._jsparkSession.cloneSession())
        conf = copy._jsparkSession.conf()
        for key, value in SETTINGS.items():
            if _current(conf, key) != value:
                conf.set(key, value)
        return copy


def properties(session: Any) -> Any:
    """Return what decides an answer as Java has it, for ``acting``."""
    made = session._jvm.java.util.Properties()
    for key, value in SETTINGS.items():
        made.setProperty(key, value)
    return made


@contextlib.contextmanager
def acting(session: Any, settings: Any) -> Iterator[None]:
    """Let a session, and its settings, be those of this thread in Java, and of the tasks that it starts.

    Some of Spark's expressions ask for the settings only when code is made of them, or in a task: before Spark 4, the
    product of two decimals would have other digits in a thread in which another session is active, or none.
    """
    jvm, context = session._jvm, session._sc._jsc.sc()
    named = getattr(SparkSession, "_get_j_spark_session_class", None)
    sessions = named(jvm) if named is not None else jvm.SparkSession
    active, before = sessions.getActiveSession(), context.getLocalProperties()
    own = before.clone()
    own.putAll(settings)
    sessions.setActiveSession(session._jsparkSession)
    context.setLocalProperties(own)
    try:
        yield
    finally:
        context.setLocalProperties(before)
        if active.isDefined():
            sessions.setActiveSession(active.get())
        else:
            sessions.clearActiveSession()


PRECISION_LOSS = "spark.sql.decimalOperations.allowPrecisionLoss"
ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod)


def check_decimals(tree: exp.Expr, session: Any) -> None:
    """Refuse arithmetic of DECIMALs in a frame of a session that would run it by settings of its own."""
    if int(session.version.split(".")[0]) >= 4 or _current(session._jsparkSession.conf(), PRECISION_LOSS) == "false":
        return
    for node in tree.find_all(*ARITHMETIC):
        operands = {kind(node.this), kind(node.expression)}
        # What a pass has left without a type may be a DECIMAL, unless the other operand makes a double of it.
        untyped = kind(node) == "unknown" and "unknown" in operands and "double" not in operands
        if untyped or "decimal" in operands or kind(node) == "decimal":
            why = "before Spark 4, the digits of the result go by the settings of the session that computes it"
            raise Unsupported(
                "arithmetic of DECIMALs in a DataFrame", "spark", why, f'conf.set("{PRECISION_LOSS}", "false") on it'
            )


def _current(conf: Any, key: str) -> str | None:
    """Return a setting's value, its default where it is not set, or None where this Spark does not know it."""
    try:
        value: str = conf.get(key)
        return value
    except Exception:  # which one, depends on the version
        return None


@contextlib.contextmanager
def connect_settings(session: Any, lock: threading.RLock) -> Iterator[None]:
    """Hold our settings in a Spark Connect session for a while, and put its own back."""
    with lock:
        before = {key: _current(session.conf, key) for key in SETTINGS}
        changed = [key for key, value in SETTINGS.items() if before[key] != value]
        try:
            for key in changed:
                session.conf.set(key, SETTINGS[key])
            yield
        finally:
            for key in changed:
                was = before[key]
                if was is None:
                    session.conf.unset(key)
                else:
                    session.conf.set(key, was)
