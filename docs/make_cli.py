"""Write docs/cli.md from the --help of every command; run it after a change to cli.py."""

from __future__ import annotations

from pathlib import Path

import click

from mdfsql.cli import main

PAGE = Path(__file__).with_name("cli.md")

HEAD = """\
# The command line

<!-- Written by docs/make_cli.py from the commands themselves; a test holds the two together. -->

    mdfsql query "SELECT carrier, count(*) AS n FROM 'flights.parquet' GROUP BY carrier ORDER BY n DESC"
    mdfsql query -f report.sql --table flights=flights.parquet --param year=2013 -o report.csv
    mdfsql query "SELECT * FROM t" --table t=parquet:lake/t --engine spark --master 'local[4]' --format jsonl | jq .
    mdfsql transpile "SELECT a FROM t QUALIFY row_number() OVER (ORDER BY b) = 1" --table t=t.parquet --to spark
    mdfsql schema flights.parquet
    mdfsql verify -f report.sql --table flights=flights.parquet --engine spark
    mdfsql diff before.parquet after.parquet --keys id -o found.html
    mdfsql engines

Data goes to stdout, and nothing else does; notes, row counts and errors go to stderr.

| Exit code | Meaning |
| ---: | --- |
| 0 | done |
| 1 | the query failed: its text, a name, a type, a file, or the engine as it ran it; verify and diff: a difference |
| 2 | wrong usage |
| 3 | the engine cannot be had: not installed, not reachable, set up wrongly |
| 4 | timed out; the engine's run was cancelled |
| 5 | refused: the engine is not shown to give the same answer |
| 130 | interrupted; the engine's run was cancelled |
| 141 | whoever read the output closed it, as in `mdfsql query ... \\| head -1` |

How values are written:

| Value | csv, tsv | table, markdown | json, jsonl |
| --- | --- | --- | --- |
| NULL | nothing, or `--null`; text that looks like it is quoted | `NULL`, or `--null` | `null` |
| the empty string | `""` | nothing | `""` |
| decimal | all its digits: `1.50` | `1.50` | a number with all its digits: `1.50` |
| NaN, infinities | `NaN`, `Infinity`, `-Infinity` | the same | the same as strings: JSON has no such numbers |
| timestamp | `2024-01-31 12:00:00` | the same | `"2024-01-31T12:00:00"` |
| timestamp with time zone | `2024-01-31 12:00:00+00:00`, in UTC | the same | `"2024-01-31T12:00:00+00:00"` |
| interval | `1 month 2 days 00:00:03.5` | the same | the same as a string |
| bytes | printable ASCII, and `\\xHH` | the same | the same as a string |
| list, struct, map | as JSON | as JSON | arrays and objects; the keys of a map become strings |

Text is UTF-8 with `\\n` at the end of a line. tsv is csv with tabs, quoted in the same way.
A table shows control characters as escapes. In a table on a terminal, values are cut to fit; a note says so.
arrow is Arrow's IPC stream on stdout and an IPC file with `--output`; parquet needs `--output`.
`--output -` is stdout.
"""


def page() -> str:
    """Return the text of docs/cli.md."""
    parts = [HEAD]
    group = main.make_context("mdfsql", [], resilient_parsing=True)
    parts.append(section("mdfsql", main, group))
    for name in main.list_commands(group):
        command = main.commands[name]
        parts.append(section(f"mdfsql {name}", command, click.Context(command, info_name=name, parent=group)))
    return "\n".join(parts)


def section(title: str, command: click.Command, context: click.Context) -> str:
    """Return the help of one command under its title."""
    # A fixed width: the page must not depend on the terminal that it is made in.
    formatter = click.HelpFormatter(width=100, max_width=100)
    command.format_help(context, formatter)
    return f"## {title}\n\n```text\n{formatter.getvalue().strip()}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
