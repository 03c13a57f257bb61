"""The engines under test: ``--engines duckdb,spark,dask`` chooses, and every choice that cannot run says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import mdfsql as mdf
from mdfsql.engines import NAMES

MISSING = pytest.StashKey[dict[str, str]]()
BACKENDS = pytest.StashKey[dict[str, mdf.Backend]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engines", default=",".join(NAMES), help="engines to test, with commas between them")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[MISSING] = {}
    config.stash[BACKENDS] = {}


def selected(config: pytest.Config) -> list[str]:
    names = [name for name in config.getoption("--engines").split(",") if name]
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise pytest.UsageError(f"--engines: there is no engine {', '.join(unknown)}; there are {', '.join(NAMES)}")
    return names


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        metafunc.parametrize("engine", selected(metafunc.config), indirect=True)


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for name, why in config.stash[MISSING].items():
        terminalreporter.write_line(f"NOT TESTED: {name}: {why}", red=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    for backend in config.stash.get(BACKENDS, {}).values():
        backend.close()
