"""Dates and times mean the same wherever the machine stands."""

import os
import pathlib
import subprocess
import sys

SCRIPT = """
import datetime, sys
import mdfsql as mdf

if __name__ == "__main__":
    utc = datetime.timezone.utc
    rows = [
        {"id": 1, "t": datetime.datetime(2024, 3, 31, 2, 30, tzinfo=utc), "n": datetime.datetime(2024, 3, 31, 2, 30)},
        {"id": 2, "t": datetime.datetime(1900, 1, 1, tzinfo=utc), "n": datetime.datetime(1, 1, 1)},
        {"id": 3, "t": None, "n": None},
    ]
    query = '''
        SELECT id, CAST(t AS DATE) AS d, CAST(t AS TIMESTAMP) AS wall, extract(hour FROM t) AS h,
            CAST(n AS VARCHAR) AS s, date_trunc('day', t) AS day
        FROM s ORDER BY id'''
    with mdf.set_backend(sys.argv[1]):
        made = mdf.Dataset.from_items(rows)
        assert made.order_by("id").collect() == rows
        for row in mdf.sql(query, s=made).collect():
            print(*row.values(), sep="|")
"""

EXPECTED = """\
1|2024-03-31|2024-03-31 02:30:00|2|2024-03-31 02:30:00|2024-03-31 00:00:00+00:00
2|1900-01-01|1900-01-01 00:00:00|0|0001-01-01 00:00:00|1900-01-01 00:00:00+00:00
3|None|None|None|None|None
"""


def test_time_zone_of_the_machine(engine: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = {**os.environ, "TZ": "America/New_York"}
    command = [sys.executable, str(tmp_path / "script.py"), engine]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == EXPECTED
