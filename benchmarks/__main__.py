"""Run the cases that are named, or all, and write the page: ``python -m benchmarks start compile_tpch``."""

from __future__ import annotations

import argparse
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from benchmarks import (
    changes,
    cluster,
    compile_peers,
    growth,
    in_out,
    lift,
    machine,
    page,
    peers,
    results,
    row_peers,
    rows,
    start,
    tpch,
    tpch_dask,
    verify,
    verify_peers,
)
from benchmarks import compile as compiling
from benchmarks.measure import Options, Result, Skipped

# In the order of the page.
CASES: dict[str, Callable[[Options], Iterator[Result]]] = {
    "start": start.start,
    "compile_tpcds": compiling.compile_tpcds,
    "compile_chains": compiling.compile_chains,
    "compile_tpch": compile_peers.compile_tpch,
    "compile_sql": compile_peers.compile_sql,
    "lift": lift.lift,
    "tpch": tpch.tpch,
    "tpch_spark": tpch.tpch_spark,
    "tpch_dask": tpch_dask.tpch_dask,
    "cluster": cluster.cluster,
    "lifted": rows.lifted,
    "peers": rows.peers,
    "row_packages": row_peers.row_packages,
    "packages": row_peers.packages,
    "fallback": rows.fallback,
    "in_out": in_out.in_out,
    "in_out_spark": in_out.in_out_spark,
    "in_out_dask": in_out.in_out_dask,
    "verify": verify.verify,
    "verify_large": verify.verify_large,
    "verify_peers": verify_peers.verify_peers,
    "growth_rows": growth.growth_rows,
    "growth_operations": growth.growth_operations,
    "growth_columns": growth.growth_columns,
    "growth_tables": growth.growth_tables,
}

# What runs no case.
COMMANDS: dict[str, tuple[Callable[[Options], None], str]] = {
    "page": (lambda _: page.rewrite(), "writes docs/benchmarks.md and its plots from the results that are kept"),
    "changes": (lambda options: changes.show(options.since), "prints which ratios have moved since the commit --since"),
    "peers-environment": (peers.install, "makes the environments that the peers run in"),
}


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    made = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Ratios to peers, measured in one run, kept and written to docs/benchmarks.md.",
    )
    commands = "; ".join(f"{name} {what}" for name, (_, what) in COMMANDS.items())
    made.add_argument(
        "cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; all if none is named; {commands}"
    )
    default = Options()
    made.add_argument(
        "--repeats", type=int, default=default.repeats, help="how often each side is measured (%(default)s)"
    )
    made.add_argument("--rows", type=int, default=default.rows, help="of what goes row by row (%(default)s)")
    made.add_argument("--scale", default=default.scale, help="the scale factor of TPC-H (%(default)s)")
    made.add_argument("--data", type=Path, default=default.data, help="where tables are kept, or are put (%(default)s)")
    made.add_argument("--peers", type=Path, help="where the peers' environments are, if not in the folder of --data")
    made.add_argument("--since", default="HEAD", help="what changes are from (%(default)s)")
    made.add_argument("--remark", default="", help="what is to be said of this run, as that the machine was busy")
    made.add_argument("--dry", action="store_true", help="only print: keep no results, write no page")
    return made


def line(result: Result) -> str:
    """Return what is printed of a result."""
    low, high = result.spread
    missed = "  missed" if result.missed else ""
    takes = page.amount(median(result.ours), result.unit)
    return f"{result.ratio:>8.3f} ({low:.3f} - {high:.3f})  {result.what}: {takes} / {result.peer}{missed}"


def main() -> None:
    """Print a line for each result as soon as it is there; keep the results of each case that ran to its end."""
    made = parser()
    given = vars(made.parse_args())
    cases, dry = given.pop("cases") or list(CASES), given.pop("dry")
    options = Options(**given)
    unknown = [case for case in cases if case not in CASES and case not in COMMANDS]
    if unknown:
        made.error(f"there is no case {', '.join(unknown)}; there are {', '.join([*CASES, *COMMANDS])}")
    for command in filter(COMMANDS.__contains__, cases):
        COMMANDS[command][0](options)
    cases = [case for case in cases if case in CASES]
    if not cases:
        return
    run, failed = machine.described(options), False
    for case in cases:
        print(f"{case}:", flush=True)
        found = []
        try:
            for result in CASES[case](options):
                found.append(result)
                print(line(result), flush=True)
        except Skipped as why:
            print(f"         not measured: {why}", flush=True)
            continue
        except Exception:  # the cases after it are measured all the same
            traceback.print_exc()
            failed = True
            continue
        if not dry:
            results.save(case, run, found)
    if not dry:
        page.rewrite()
    if failed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
