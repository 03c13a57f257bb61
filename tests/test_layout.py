"""How the code is laid out: which module may import which, what is public, how long a file may be."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

import mdfsql
import metadataflow

ROOT = Path(__file__).parent.parent

# A module imports only from lines above its own, or from its own line. The folders at the top count as linked.
LAYERS = """
    version
    errors
    rowwise
    trees
    merge_layers needed
    schema
    read.calls
    reading
    literals
    arrow
    functions
    capture
    unlifted
    lift_nodes
    lift_constants
    lift_values
    lift_operators
    lift_parts
    lift_guess
    lift_arguments
    lift_dates lift_numbers lift_regex
    lift_text
    lift_methods
    lift_lists lift_match
    lift_calls
    lift_function
    lift_rows lift_columns
    lift
    bind
    catalog
    relation
    lower lower.*
    read.meaning
    read.patterns
    read.common
    read.*
    read.queries
    read
    spellings
    query
    dialects.base dialects.spark_shown
    dialects dialects.*
    resolve_columns resolve_names
    resolve
    compile
    engines.base
    engines
    engines.*
    backend
    result
    steps
    fallback
    files
    write
    display
    formats
    doctor
    verify.values verify.unequal
    verify.comparison
    verify.*
    verify.run
    dataset
    frontend
    check
    support
    verify
    mdfsql
    queries queries.*
    cli_options
    cli_running
    cli_verify
    cli
"""

# These know less than their line would let them.
ONLY: dict[str, set[str]] = {
    "lower*": {"sqlglot", "mdfsql.errors", "mdfsql.schema", "mdfsql.trees", "mdfsql.lower.*"},
    "dialects*": {"sqlglot", "mdfsql.errors", "mdfsql.schema", "mdfsql.lower.*", "mdfsql.dialects.*"},
    "read*": {"sqlglot", "mdfsql.errors", "mdfsql.lower.exact_text", "mdfsql.read.*"},
    # What judges two results and what shows it know no engine.
    **{
        f"verify.{name}": {"mdfsql.errors", "mdfsql.verify.*", "mdfsql.write", "pyarrow"}
        for name in ("values", "comparison", "tables", "pairs", "ties", "text", "html")
    },
    "queries": {"mdfsql"},
    "queries.*": {"mdfsql", "mdfsql.queries", "pyarrow"},
    # Beside the public names: rows in the order in which an engine gives them, files that appear when complete,
    # SQL for engines that are not there, and tables that are only declared.
    "cli": {
        *("mdfsql.bind", "mdfsql.check", "mdfsql.cli_*", "mdfsql.support"),
        *("mdfsql", "mdfsql.errors", "mdfsql.schema", "mdfsql.formats", "mdfsql.doctor", "mdfsql.result"),
        *("mdfsql.write", "mdfsql.files", "mdfsql.query", "mdfsql.compile", "sqlglot", "click", "rich", "pyarrow"),
    },
}

# Packages that are imported in few places, so that the others work without them.
PLACES: dict[str, set[str]] = {
    # On Dask, DuckDB computes each partition; verify counts equal rows with it.
    "duckdb": {"bind", "engines.duckdb", "engines.dask*", "verify.unequal"},
    "pyspark": {"engines.spark*"},
    "py4j": {"engines.spark*"},
    "dask": {"engines.dask*"},
    "dask_sql": {"engines.dask*"},
    "distributed": {"engines.dask*"},
    "pandas": {"dataset", "engines.spark*", "engines.dask*"},
    "polars": {"dataset"},
    "pyarrow": {"arrow", "rowwise", "verify.*", "dataset", "result", "cli", "engines.*", "queries.flights.make"},
    "click": {"cli*"},
    "rich": {"display", "cli"},
}

# Imported when an action wants them, though they stand on a line below: a comparison shows itself.
LAZY = {
    ("display", "dataset"),
    ("catalog", "relation"),
    ("verify.comparison", "verify.text"),
    ("verify.comparison", "verify.html"),
}

# Longer than 600 lines, and why.
LONG = {
    "mdfsql/dialects/spark_shown.py": "a table, written by a program",
    "mdfsql/dataset.py": "one class that people read from top to bottom: every operation and action stands there once",
    "mdfsql/cli.py": "one command line: each command stands there once, with its options and their help",
    "tests/test_lift_methods.py": "one oracle for every function that is lifted, on all engines",
}
LONGEST = 600


def sources() -> dict[str, Path]:
    """Return the modules of the package, by their names in it; links are followed."""
    found = {}
    folder = ROOT / "mdfsql"
    folders = [folder, *(path for path in folder.iterdir() if path.is_dir())]
    for path in sorted(path for top in folders for path in top.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "mdfsql"
        found[name] = path
    return found


SOURCES = sources()


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield what a module imports when it runs, within functions too."""
    for node in ast.iter_child_nodes(tree):
        if is_for_types(node):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "only absolute imports work in linked files"
            for alias in node.names:
                # "from mdfsql import steps" imports a module, "from mdfsql.errors import BindError" a name.
                whole = f"{node.module}.{alias.name}"
                yield whole if whole.removeprefix("mdfsql.") in SOURCES else str(node.module)
        else:
            yield from imports(node)


def lines() -> dict[str, int]:
    """Return the line that each module stands on."""
    patterns = [(pattern, number) for number, line in enumerate(LAYERS.split("\n")) for pattern in line.split()]
    exact = dict(patterns)
    return {
        name: exact[name] if name in exact else next((n for pattern, n in patterns if fnmatch(name, pattern)), -1)
        for name in SOURCES
    }


IMPORTS = {name: sorted(set(imports(ast.parse(path.read_text())))) for name, path in SOURCES.items()}
OWN = {
    name: [other.removeprefix("mdfsql.") for other in found if other.split(".")[0] == "mdfsql"]
    for name, found in IMPORTS.items()
}


def test_every_module_has_a_line() -> None:
    assert [name for name, line in lines().items() if line < 0] == []


@pytest.mark.parametrize("name", SOURCES)
def test_imports_run_one_way(name: str) -> None:
    line = lines()
    up = [other for other in OWN[name] if line[other] > line[name] and (name, other) not in LAZY]
    assert up == [], f"{name} imports what stands below it"


@pytest.mark.parametrize("name", [n for n in SOURCES if any(fnmatch(n, pattern) for pattern in ONLY)])
def test_some_know_little(name: str) -> None:
    allowed = next(known for pattern, known in ONLY.items() if fnmatch(name, pattern))
    standard = {"__future__", *sys.stdlib_module_names}
    unknown = [
        found
        for found in IMPORTS[name]
        if found.split(".")[0] not in standard
        and not any(fnmatch(found, known) for known in allowed)
        and not (found.split(".")[0] in allowed and not found.startswith("mdfsql"))
    ]
    assert unknown == []


@pytest.mark.parametrize("name", SOURCES)
def test_packages_are_imported_in_their_places(name: str) -> None:
    strays = [
        found
        for found in IMPORTS[name]
        for places in [PLACES.get(found.split(".")[0])]
        if places is not None and not any(fnmatch(name, place) for place in places)
    ]
    assert strays == []


@pytest.mark.parametrize("name", SOURCES)
def test_texts_are_written_in_a_dialect(name: str) -> None:
    # In sqlglot's own, a struct as DuckDB has it cannot be written.
    calls = (node for node in ast.walk(ast.parse(SOURCES[name].read_text())) if isinstance(node, ast.Call))
    methods = (call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "sql")
    bare = [call.lineno for call in methods if not call.args and not call.keywords]
    assert bare == [] or name == "functions"


def test_public_names() -> None:
    tree = ast.parse(SOURCES["mdfsql"].read_text())
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == set(mdfsql.__all__)
    assert sorted(mdfsql.__all__) == list(mdfsql.__all__)
    assert all(getattr(mdfsql, name).__doc__ for name in mdfsql.__all__ if name != "__version__")


def test_metadataflow_is_the_same() -> None:
    assert metadataflow.__all__ == mdfsql.__all__
    assert all(getattr(metadataflow, name) is getattr(mdfsql, name) for name in mdfsql.__all__)


def test_files_are_short() -> None:
    tests = {f"tests/{path.name}": path for path in (ROOT / "tests").glob("*.py")}
    named = {str(path.relative_to(ROOT)): path for path in SOURCES.values()} | tests
    long = {name for name, path in named.items() if len(path.read_text().splitlines()) > LONGEST}
    assert long - set(LONG) == set()
    assert set(LONG) - set(named) == set()


def engines_named(name: str) -> set[str]:
    """Return the engines that a module's code names, docstrings and comments aside; the reference does not count."""
    tree = ast.parse(SOURCES[name].read_text())
    bodies = [body for node in ast.walk(tree) if isinstance(body := getattr(node, "body", None), list) and body]
    docstrings = {id(body[0].value) for body in bodies if isinstance(body[0], ast.Expr)}
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]
    texts += [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    texts += [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    return set(re.findall(r"spark|dask", " ".join(texts).lower()))


def engines_of(name: str) -> set[str]:
    """Return the engines whose target uses a pass, by itself or through another."""
    users = {name}
    while found := {other for other, own in OWN.items() if users & set(own) and other.startswith("lower.")} - users:
        users |= found
    targets = {other for other, own in OWN.items() if users & set(own) and other.startswith("dialects.")}
    return {target.removeprefix("dialects.").removesuffix("_sql") for target in targets}


@pytest.mark.parametrize("name", [n for n in SOURCES if n.startswith(("lift", "steps", "relation", "query", "bind"))])
def test_no_engine_is_named_where_all_are_equal(name: str) -> None:
    assert engines_named(name) == set()


@pytest.mark.parametrize("name", [n for n in SOURCES if n.startswith("lower.")])
def test_a_pass_names_no_engine_but_its_own(name: str) -> None:
    engines = engines_of(name)
    assert engines, "no target uses it"
    assert engines_named(name) <= (engines if len(engines) == 1 else set())


def tracked() -> list[Path]:
    """Return the files under version control; those of the folders where there is none."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    return [ROOT / name for name in done.stdout.split("\0") if name]


# Written apart, so that this file passes its own test.
MACHINE = re.compile("|".join(["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "/Us" + "ers/"]))
HOSTS = re.compile("|".join(["pypi" + r"\.org", "python" + r"hosted\.", "ana" + r"conda\.org", "repo1?" + r"\.maven"]))


def test_no_machine_is_named() -> None:
    files = tracked()
    if not files:
        pytest.skip("not a checkout")
    found = []
    for path in files:
        if not path.is_file() or path.is_symlink() or path.name == "LICENSE" or path.suffix == ".parquet":
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if MACHINE.search(line) or HOSTS.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert found == []


def test_links_are_links() -> None:
    for name, target in {"dialects": "../dialects", "queries": "../queries", "cli.py": "../cli.py"}.items():
        link = ROOT / "mdfsql" / name
        assert link.is_symlink() and str(link.readlink()) == target
        assert link.exists()
