"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import mdfsql
from mdfsql.engines import NAMES

MODULES = ["mdfsql", *sorted(found.name for found in pkgutil.walk_packages(mdfsql.__path__, "mdfsql."))]
OPTIONAL = tuple(f"mdfsql.engines.{name}" for name in NAMES)


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith(".make")])
def test_docstrings(name: str) -> None:
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        if not name.startswith(OPTIONAL) or (error.name or "mdfsql").startswith("mdfsql"):
            raise
        pytest.skip(f"{error.name} is not installed")
    before = mdfsql.tables()
    # Without the module's own __future__ imports, which a prompt does not have either.
    assert doctest.testmod(module, extraglobs={"annotations": None}).failed == 0
    assert mdfsql.tables() == before
