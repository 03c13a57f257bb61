"""False alarms: ``python -m tests.alarms --engine spark`` verifies all that is known to have one answer.

These are the conformance cases, TPC-H and TPC-DS, each compared both ways: collected, and hashed by the engines.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mdfsql as mdf
from mdfsql import queries as package
from mdfsql.backend import Backend
from mdfsql.engines import NAMES
from mdfsql.errors import EngineError, MdfError, Unsupported
from mdfsql.relation import Relation
from mdfsql.verify.run import Options, verify_relation
from tests import tpcds
from tests.conformance import CHANCE, expressions, queries, relation
from tests.test_tpch import TABLES as TPCH
from tests.test_tpch import generated

# The module: an attribute of the package has its name.
RUN: Any = importlib.import_module("mdfsql.verify.run")


def cases() -> Iterator[tuple[str, Relation]]:
    """Yield the conformance cases that have an answer."""
    for case in [*expressions(), *queries()]:
        if case.expected == "same" and not CHANCE.search(case.query):
            yield f"{case.where}: {case.query}", relation(case.query)


def tpch(folder: Path) -> Iterator[tuple[str, Relation]]:
    """Yield the 22 queries of TPC-H."""
    generated(folder)
    tables: Any = {name: mdf.Dataset.read_parquet(folder / f"{name}.parquet") for name in TPCH}
    for number in range(1, 23):
        yield f"TPC-H Q{number}", mdf.sql(package.tpch(number), "duckdb", None, **tables)._relation


def tpcds99(folder: Path) -> Iterator[tuple[str, Relation]]:
    """Yield the 99 queries of TPC-DS."""
    tpcds.make(folder)
    tables: Any = {name: mdf.Dataset.read_parquet(folder / f"{name}.parquet") for name in tpcds.TABLES}
    for number in range(1, tpcds.COUNT + 1):
        yield (
            f"TPC-DS Q{number}",
            mdf.sql((folder / f"q{number:02}.sql").read_text(), "duckdb", None, **tables)._relation,
        )


def outcome(given: Relation, where: Backend, reference: Backend) -> tuple[str, str]:
    """Return what became of a case, and what is said of it."""
    try:
        found, _ = verify_relation(given, where, reference, Options())
    except Unsupported as error:
        return "refused", str(error)
    except EngineError as error:
        return "failed on both", str(error)
    except MdfError as error:
        return "not compared", str(error)
    if found.right.error:
        return "late", found.right.error
    collected = any("collected whole" in note for note in found.notes)
    return ("equal, collected whole" if collected else "equal") if found.equal else "alarm", str(found)


def main() -> int:
    """Run, show every alarm, and return 1 where there is one."""
    parser = argparse.ArgumentParser(prog="python -m tests.alarms", description=__doc__)
    parser.add_argument("--engine", choices=NAMES, default="spark")
    parser.add_argument("--every", type=int, default=1, help="one in so many of the cases")
    parser.add_argument("--way", choices=("collected", "hashed"), action="append", help="only this way to compare")
    options = parser.parse_args()
    where, reference = Backend(options.engine), Backend("duckdb", {"threads": 2})
    alarms = 0
    with tempfile.TemporaryDirectory() as place:
        folders = [Path(place, name) for name in ("tpch", "tpcds")]
        folders[0].mkdir()
        for way in options.way or ("collected", "hashed"):
            RUN.MOST_ROWS = 1_000_000 if way == "collected" else 0
            for name, given in (("cases", cases()), ("TPC-H", tpch(folders[0])), ("TPC-DS", tpcds99(folders[1]))):
                begun, count = time.monotonic(), Counter[str]()
                for number, (what, one) in enumerate(given):
                    if name == "cases" and number % options.every:
                        continue
                    became, said = outcome(one, where, reference)
                    count[became] += 1
                    if became in ("alarm", "late", "not compared"):
                        print(f"{became}: {what}\n{said}", flush=True)
                alarms += count["alarm"]
                print(f"{name}, {way}, {options.engine}: {dict(count)}, {time.monotonic() - begun:.0f} s", flush=True)
    where.close()
    return 1 if alarms else 0


if __name__ == "__main__":
    sys.exit(main())
