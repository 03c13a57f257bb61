"""What a person sees of a dataset: a table, a page of HTML, an explanation."""

from __future__ import annotations

import html as html_module
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mdfsql.backend import Backend
from mdfsql.catalog import ArrowSource
from mdfsql.compile import target_of, trace
from mdfsql.relation import Relation

if TYPE_CHECKING:
    from mdfsql.dataset import Dataset

__all__ = ["explain", "html", "show"]

HTML_ROWS = 10


def show(schema: Mapping[str, str], rows: Sequence[Mapping[str, Any]], n: int) -> None:
    """Print rows as a table with types under the names; says so where there are more than ``n``."""
    from rich import box  # rich is imported when something is shown
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, type_ in schema.items():
        numeric = type_.startswith("DECIMAL") or type_ in (
            "TINYINT",
            "SMALLINT",
            "INTEGER",
            "BIGINT",
            "FLOAT",
            "DOUBLE",
        )
        header = Text(name) + Text(f"\n{type_}", style="dim")
        table.add_column(header, justify="right" if numeric else "left", overflow="fold")
    for row in rows[:n]:
        table.add_row(*(Text("NULL", style="dim") if v is None else Text(str(v)) for v in row.values()))
    console = Console()
    console.print(table)
    if len(rows) > n:
        console.print(f"the first {n} rows; there are more", style="dim")


def html(dataset: Dataset) -> str:
    """Return the schema as HTML, with a few rows where they are at hand: never starts a job on an engine."""
    relation = dataset._relation
    source = next(iter(relation.inputs.values()), None)
    rows: list[Mapping[str, Any]] = []
    note = "not run; call .show() or .collect()"
    if isinstance(source, ArrowSource) and relation.schema is source.schema:
        rows = source.table.slice(0, HTML_ROWS).to_pylist()
        note = f"{len(rows)} of {source.table.num_rows:,} rows"
    escape = html_module.escape
    head = "".join(f"<th>{escape(n)}<br><small>{escape(t)}</small></th>" for n, t in dataset.schema.items())
    body = "".join(
        "<tr>" + "".join(f"<td>{'<i>NULL</i>' if v is None else escape(str(v))}</td>" for v in row.values()) + "</tr>"
        for row in rows
    )
    return (
        f"<div><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<small>Dataset on {escape(dataset.backend.name)}: {escape(note)}</small></div>"
    )


def explain(relation: Relation, where: Backend) -> str:
    """Return the sections of an explanation as text."""
    target = target_of(where.name)
    relation, plan, notes = trace(relation, target)
    parts = [("query (reference dialect)", relation.assemble().sql("duckdb", pretty=True))]
    for source in relation.python_sources():
        parts.append((f"rows for {source.name}", source.relation.assemble().sql("duckdb", pretty=True)))
    parts.append(("row functions, lifted", "\n".join(relation.notes()) or "none"))
    if unlifted := list(relation.python_notes()):
        parts.append(("row functions, run as Python", "\n".join(unlifted)))
    parts.append(
        (f"passes for {target.name}", "\n".join(f"{n.name}: {n.why}" for n in notes) or "none changed anything")
    )
    parts.append((f"sent to {target.name}", plan.tree.sql(target.dialect, pretty=True)))
    parts.append((f"{target.name}'s plan", where.engine.explain(plan).strip()))
    return "\n\n".join(f"-- {title}\n{text}" for title, text in parts)
