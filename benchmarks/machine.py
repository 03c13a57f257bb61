"""What a run is of: the machine, and the versions of all that is measured."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.measure import PEERS, Options, Skipped, environment

__all__ = ["described"]

# What is measured, or decides how fast it is.
OURS = ("mdfsql", "sqlglot", "sqlglotc", "duckdb", "pyarrow", "pandas", "polars", "pyspark", "dask", "dask-sql")
THEIRS = (
    *("ibis-framework", "sqlframe", "fugue", "narwhals", "datafusion", "datasets", "datacompy", "reladiff"),
    *("duckdb-cli", "sqlglot", "duckdb", "polars", "pandas"),
)


def described(options: Options) -> dict[str, Any]:
    """Return the machine and the versions as plain data."""
    run: dict[str, Any] = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": _memory(),
        "system": platform.system(),
        "python": platform.python_version(),
        "repeats": options.repeats,
        "versions": versions(OURS),
    }
    if options.remark:
        run["remark"] = options.remark
    with contextlib.suppress(Skipped):
        run["peers"] = {}
        for peers in PEERS:
            run["peers"] |= _peer_versions(options.python_of(peers))
    return run


def versions(names: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of those packages that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _peer_versions(python: str) -> dict[str, str]:
    code = "import json; from benchmarks.machine import THEIRS, versions; print(json.dumps(versions(THEIRS)))"
    done = subprocess.run([python, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    named = re.search(r"^model name\s*: (.*)$", info.read_text(), re.MULTILINE) if info.exists() else None
    return named.group(1).strip() if named else platform.processor() or platform.machine()


def _memory() -> int | None:
    if sys.platform == "win32":
        return None
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
