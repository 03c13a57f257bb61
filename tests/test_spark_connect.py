"""Spark through a Spark Connect server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import mdfsql as mdf


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of the installed pyspark, on loopback."""
    import pyspark

    home, port, folder = Path(pyspark.__file__).parent, free_port(), tmp_path_factory.mktemp("connect")
    options = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.ui.enabled": "false",
    }
    command = [str(home / "sbin" / "start-connect-server.sh"), "--master", "local[2]"]
    command += [part for option in options.items() for part in ("--conf", "=".join(option))]
    # In the foreground, and in a process group of its own, so that ending it ends Java too.
    environment = {**os.environ, "SPARK_HOME": str(home), "SPARK_NO_DAEMONIZE": "1", "SPARK_LOCAL_IP": "127.0.0.1"}
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, (folder / "log").read_text()[-3000:]
            time.sleep(0.5)
        yield f"sc://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def test_the_way_of_a_query(spark: mdf.Backend, server: str, tmp_path: Path) -> None:
    rows = [{"id": i, "v": i * 10 if i % 3 else None, "s": "abc"[i % 3]} for i in range(1000)]
    with mdf.set_backend("spark", remote=server) as backend:
        made = mdf.Dataset.from_items(rows)
        assert made.filter(lambda r: r["v"] > 9970).collect() == [{"id": 998, "v": 9980, "s": "c"}]
        totals = made.group_by("s").aggregate(n=mdf.count(), t=mdf.sum("v")).order_by("s")
        assert totals.collect() == totals.collect(engine=mdf.Backend("duckdb"))
        assert sum(batch.num_rows for batch in made.iter_batches()) == 1000
        cached = made.filter("id < 10").cache()
        assert cached.count() == cached.count() == 10
        made.write_parquet(tmp_path / "out")
        made.write_csv(tmp_path / "out.csv")
        assert mdf.Dataset.read_parquet(tmp_path / "out").count() == 1000
        assert mdf.Dataset.read_csv(tmp_path / "out.csv").filter("v IS NULL").count() == 334
        assert made.limit(1).to_spark().columns == ["id", "v", "s"]
        assert "spark's plan" in made.explain()
        with pytest.raises(mdf.errors.EngineError, match="cannot cast to BIGINT: 'a'"):
            made.cast(s="BIGINT").collect()
        odd = made.filter(lambda r: bin(r["id"]).endswith("1"), on_unliftable="fallback")
        assert odd.map(lambda r: {"t": hex(r["id"])}, on_unliftable="fallback").limit(2).collect() == [
            {"t": "0x1"},
            {"t": "0x3"},
        ]
        with pytest.raises(ZeroDivisionError) as caught:
            made.filter(lambda r: bin(1 // (r["id"] - 900)), on_unliftable="fallback").collect()
        assert "'id': 900" in caught.value.__notes__[0]
        backend.close()


def test_a_server_that_is_not_there(spark: mdf.Backend) -> None:
    with pytest.raises(mdf.errors.BackendError, match=r"no Spark Connect server answers at sc://127\.0\.0\.1:9"):
        mdf.Dataset.from_items([{"a": 1}]).on("spark", remote="sc://127.0.0.1:9").collect()
