"""What each engine finds here: packages, versions, Java; looked up without importing or starting any of them."""

from __future__ import annotations

from importlib import metadata
from typing import TypeAlias

__all__ = ["Finding", "findings"]

Finding: TypeAlias = tuple[str, str, str | None]
"""What was looked at, its state, and the problem with its remedy or None."""

# Engine -> the packages it needs, and the extra that installs them.
PACKAGES: dict[str, tuple[tuple[str, ...], str]] = {
    "duckdb": (("duckdb",), "mdfsql"),
    "dask": (("dask-sql", "dask", "distributed", "pandas"), "mdfsql[dask]"),
}

# These come out together: one of another age gives wrong answers.
SAME_VERSION = {"dask": "dask-sql", "distributed": "dask-sql"}


def findings(engine: str) -> list[Finding]:
    """Return what an engine would find here, with the problems."""
    if engine == "spark":
        from mdfsql.engines.spark_java import diagnose  # knows what Java and Spark want of each other

        return diagnose()
    packages, extra = PACKAGES[engine]
    return [_package(package, extra) for package in packages]


def _package(package: str, extra: str) -> Finding:
    own = _version(package)
    if own is None:
        return package, "missing", f"{package} is not installed; install it with: pip install '{extra}'"
    wanted = _version(SAME_VERSION[package]) if package in SAME_VERSION else None
    if wanted not in (None, own):
        return package, own, f"{SAME_VERSION[package]} {wanted} needs {package} {wanted}: pip install '{extra}'"
    return package, own, None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
