"""Sources that only one engine reaches, brought to the other as Arrow."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from mdfsql import result
from mdfsql.arrow import arrow_schema
from mdfsql.backend import Backend, named
from mdfsql.catalog import ArrowSource, EngineSource, FileSource, Source
from mdfsql.compile import compile_relation, target_of
from mdfsql.errors import DataError
from mdfsql.files import is_url
from mdfsql.relation import Relation
from mdfsql.steps import INPUT, wrap
from mdfsql.verify.sources import over

__all__ = ["reachable"]

MOST_BYTES = 256 * 2**20


def reachable(
    relation: Relation, where: Backend, owners: Sequence[Backend], part: Callable[[Source], Relation | Source]
) -> Relation:
    """Return the query over sources that ``where`` reaches: those of another engine are read there, into memory.

    ``owners`` are the backends that are at hand; ``part`` gives what is read of a source. DataError where that is
    larger than 256 MB.
    """

    def brought(source: Source) -> Relation | Source:
        owner = _owner(source, where, owners)
        return part(source) if owner is None else _carried(source, part(source), owner, where)

    return over(relation, brought)


def _owner(source: Source, where: Backend, owners: Sequence[Backend]) -> Backend | None:
    """Return the backend that a source has to be read on, None where ``where`` reads it itself."""
    if isinstance(source, EngineSource):
        if source.engine == where.name:
            return None
        return next((own for own in owners if own.name == source.engine), None) or named(source.engine)
    if isinstance(source, FileSource) and any(map(is_url, source.paths)):
        # The engine in question knows its own URLs; the reference need not.
        other = owners[-1]
        return other if other.name != where.name else None
    return None


def _carried(source: Source, part: Relation | Source, owner: Backend, where: Backend) -> ArrowSource:
    relation = part if isinstance(part, Relation) else Relation(wrap(), {INPUT: part}, schema=part.schema)
    plan = compile_relation(relation, target_of(owner.name))
    batches, size = [], 0
    for batch in result.batches(owner.engine, plan):
        batches.append(batch)
        size += batch.nbytes
        if size > MOST_BYTES:
            what = getattr(source, "frame", None)
            name = what if isinstance(what, str) else ", ".join(getattr(source, "paths", ())) or "a frame"
            raise DataError(
                f"{name} is only on {owner.name}, and has more than the {MOST_BYTES >> 20} MB that are carried over to "
                f"{where.name}: filter it, or select fewer columns, before it is handed over; or put it in files that "
                "both engines reach; or verify a part of it with sample="
            )
    return ArrowSource(schema=source.schema, table=pa.Table.from_batches(batches, schema=arrow_schema(plan.schema)))
