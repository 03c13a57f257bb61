"""The engines under test: ``--engines duckdb,spark,dask`` chooses, and every choice that cannot run says so.

With ``-n 2`` one process has all tests whose names tell of Spark, another those of Dask: each engine is started once.
Of the thousands of cases that are much alike, marked ``many``, one in ``--every`` is run; ``--every 1`` runs all.
"""

from __future__ import annotations

import math
import os
import re
import zlib
from collections.abc import Iterator
from typing import Any, Protocol

import pytest

import mdfsql as mdf
from mdfsql.engines import NAMES
from tests.conformance import alike

# Thousands of small queries are over before Java's second compiler or a change of plan helps them.
os.environ.setdefault(
    "SPARK_SUBMIT_OPTS",
    "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=512m -Dspark.sql.adaptive.enabled=false",
)

MISSING = pytest.StashKey[dict[str, str]]()
BACKENDS = pytest.StashKey[dict[str, mdf.Backend]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engines", default=",".join(NAMES), help="engines to test, with commas between them")
    parser.addoption("--every", type=int, default=8, help="run one in so many of the cases marked `many` (%(default)s)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "many: one of many alike, of which one in --every is run")
    config.addinivalue_line("markers", "whole: of all cases marked `many` together, so that it is run with --every 1")
    config.stash[MISSING] = {}
    config.stash[BACKENDS] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    every = config.getoption("--every")
    if every < 1:
        raise pytest.UsageError(f"--every {every}: a whole number from 1 on is needed")

    def is_left(item: pytest.Item) -> bool:
        if item.get_closest_marker("whole"):
            return bool(every > 1)
        return bool(item.get_closest_marker("many") and zlib.crc32(item.name.encode()) % every)

    left = [item for item in items if is_left(item)]
    if left:
        config.hook.pytest_deselected(items=left)
        gone = set(left)
        items[:] = [item for item in items if item not in gone]


def selected(config: pytest.Config) -> list[str]:
    names = [name for name in config.getoption("--engines").split(",") if name]
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise pytest.UsageError(f"--engines: there is no engine {', '.join(unknown)}; there are {', '.join(NAMES)}")
    return names


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        metafunc.parametrize("engine", selected(metafunc.config), indirect=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class OneProcessForEachEngine(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            words = set(re.split(r"\W|_", nodeid))
            return next((name for name in ("spark", "dask") if name in words), nodeid.partition("::")[0])

    return OneProcessForEachEngine(config, log)


def open_backend(config: pytest.Config, name: str) -> mdf.Backend:
    """Return the one backend of the run for an engine; skips the test where the engine cannot be had, and notes why."""
    backends = config.stash[BACKENDS]
    if name not in selected(config):
        pytest.skip(f"{name} is not among --engines")
    if name in config.stash[MISSING]:
        pytest.skip(config.stash[MISSING][name])
    if name not in backends:
        backend = mdf.Backend(name)
        try:
            backend.engine  # noqa: B018 - opens it
        except mdf.errors.BackendError as error:
            config.stash[MISSING][name] = str(error)
            pytest.skip(str(error))
        backends[name] = backend
    return backends[name]


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """An engine's name, with its backend in force."""
    with mdf.set_backend(open_backend(request.config, request.param)) as backend:
        yield backend.name


@pytest.fixture
def spark(request: pytest.FixtureRequest) -> Iterator[mdf.Backend]:
    """Spark, in force, for what only it has."""
    with mdf.set_backend(open_backend(request.config, "spark")) as backend:
        yield backend


@pytest.fixture
def dask(request: pytest.FixtureRequest) -> Iterator[mdf.Backend]:
    """Dask, in force, for what only it has."""
    with mdf.set_backend(open_backend(request.config, "dask")) as backend:
        yield backend


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["missing"] = session.config.stash[MISSING]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[MISSING].update(getattr(node, "workeroutput", {}).get("missing", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for name, why in config.stash[MISSING].items():
        terminalreporter.write_line(f"NOT TESTED: {name}: {why}", red=True)
    if config.getoption("--every") > 1:
        terminalreporter.write_line(f"of the cases marked `many` one in {config.getoption('--every')}; all: --every 1")


def pytest_unconfigure(config: pytest.Config) -> None:
    for backend in config.stash.get(BACKENDS, {}).values():
        backend.close()


def order_key(row: dict[str, Any]) -> list[tuple[bool, str, str]]:
    return [(value is None, type(value).__name__, repr(value)) for value in row.values()]


class Check(Protocol):
    def __call__(self, dataset: mdf.Dataset, expected: list[dict[str, Any]], *, ordered: bool = False) -> None: ...


@pytest.fixture
def check() -> Check:
    """Run a dataset on the engine in force and compare rows, names and types with what is expected."""

    def run(dataset: mdf.Dataset, expected: list[dict[str, Any]], *, ordered: bool = False) -> None:
        got = dataset.collect()
        if not ordered:
            got, expected = sorted(got, key=order_key), sorted(expected, key=order_key)
        assert len(got) == len(expected) and all(map(alike, got, expected)), f"got {got}\nexpected {expected}"
        for row in got[:1]:
            assert list(row) == dataset.columns

    return run


@pytest.fixture
def people() -> mdf.Dataset:
    """A small table with gaps: NULL, NaN, an empty string, letters beyond ASCII."""
    return mdf.Dataset.from_items(PEOPLE)


PEOPLE: list[dict[str, Any]] = [
    {"id": 1, "name": "Ada", "team": "x", "score": 1.5},
    {"id": 2, "name": "Bo", "team": "y", "score": math.nan},
    {"id": 3, "name": "", "team": "x", "score": None},
    {"id": 4, "name": None, "team": None, "score": -2.0},
    {"id": 5, "name": "Zoë", "team": "y", "score": 8.25},
]
