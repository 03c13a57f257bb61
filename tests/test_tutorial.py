"""The tutorial's scripts run as they stand."""

import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent / "tutorial"


def run(*command, cwd):
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, timeout=300, cwd=cwd)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_challenge(engine, tmp_path):
    output = run(HERE / "challenge.py", engine, cwd=tmp_path)
    assert output.splitlines()[:2] == ["root", " |-- id: long (nullable = true)"]
    assert output.endswith("ok\n")


def test_distributed_example_on_spark(spark, tmp_path):
    output = run(HERE / "distributed_example.py", cwd=tmp_path)
    assert " |-- is_large: boolean (nullable = true)" in output
    assert "{'id': 5, 'value': 50, 'category': 'B', 'is_large': True}" in output
    assert "{'category': 'A', 'total_value': 100}" in output
    assert "{'category': 'C', 'count': 1}" in output
    assert output.endswith("SparkSession stopped.\n")
