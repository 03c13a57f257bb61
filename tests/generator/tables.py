"""Random tables: columns of the conformance cases' tables under other names, with their values drawn anew."""

from __future__ import annotations

import random
from typing import NamedTuple

import pyarrow as pa

from mdfsql.arrow import canonical_table, read_schema
from mdfsql.catalog import ArrowSource
from tests.generator.templates import base, columns, kind_of

__all__ = ["Column", "Table", "draw_table"]


class Column(NamedTuple):
    """A column, and the kind of its values."""

    name: str
    kind: str


class Table(NamedTuple):
    """A table whose rows are numbered by ``id``, with a key ``k`` and a group ``g``, both of which may be NULL."""

    name: str
    columns: tuple[Column, ...]
    source: ArrowSource


SIZES = (0, 1, 4, 12, 12, 25)
# Of these each table has a column, so that expressions find one.
ALWAYS = ("int", "DOUBLE", "DECIMAL", "VARCHAR", "DATE", "TIMESTAMP", "BOOLEAN")


def chosen(rng: random.Random) -> list[tuple[str, str]]:
    """Return columns of the cases' tables: one of each common kind, one each of a few others."""
    by_kind: dict[str, list[tuple[str, str]]] = {}
    for column, type_ in sorted(columns().items()):
        by_kind.setdefault(kind_of(type_), []).append(column)
    others = [kind for kind in by_kind if kind not in ALWAYS]
    return [rng.choice(by_kind[kind]) for kind in (*ALWAYS, *rng.sample(others, 4))]


def draw_table(rng: random.Random, name: str) -> Table:
    """Return a table of random columns and rows."""
    size = rng.choice(SIZES)
    data: dict[str, pa.Array] = {
        "id": pa.array(range(size), pa.int64()),
        "k": pa.array([rng.choice([None, *range(4)]) for _ in range(size)], pa.int64()),
        "g": pa.array([rng.choice([None, "a", "b", "B", ""]) for _ in range(size)], pa.string()),
    }
    made = [Column("id", "int"), Column("k", "int"), Column("g", "VARCHAR")]
    for number, (table, column) in enumerate(chosen(rng)):
        values = base().sql(f'SELECT "{column}" FROM "{table}" ORDER BY rowid').to_arrow_table()[0]
        places = [rng.randrange(len(values)) for _ in range(size)]
        data[f"c{number}"] = values.combine_chunks().take(pa.array(places, pa.int64()))
        made.append(Column(f"c{number}", kind_of(columns()[table, column])))
    whole = canonical_table(pa.table(data))
    return Table(name, tuple(made), ArrowSource(schema=read_schema(whole.schema), table=whole))
