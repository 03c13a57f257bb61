"""Rows that one table has more often than another: found by DuckDB over Arrow, so that few become Python's objects."""

from __future__ import annotations

from contextlib import closing

import duckdb
import pyarrow as pa

__all__ = ["countable", "unequal"]


def countable(type_: str) -> bool:
    """Tell whether DuckDB counts the values of a canonical type as equal where they are the same.

    A month and thirty days are equal to it, and nothing else that is not the same.
    """
    return "INTERVAL" not in type_


def unequal(left: pa.Table, right: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Return of each table the rows that the other has less often: their numbers, of equal ones the last.

    The tables have the same columns. Beside each number (``n``) stands how often that row is in its own table
    (``here``) and in the other (``there``). NaN is equal to NaN, NULL to NULL, and -0.0 to 0.0.

    >>> one, two = pa.table({"x": ["a", "b", "b", None]}), pa.table({"x": [None, "b", "c"]})
    >>> unequal(one, two)[0].to_pylist()
    [{'n': 0, 'here': 1, 'there': 0}, {'n': 2, 'here': 2, 'there': 1}]
    """
    names = [f"c{place}" for place in range(left.num_columns)]
    columns = ", ".join(names)
    with closing(duckdb.connect(":memory:")) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, table in (("ours", left), ("theirs", right)):
            numbers = pa.array(range(table.num_rows), pa.int64())
            connection.register(name, table.rename_columns(names).append_column("n", numbers))
        connection.execute(COUNTS.format(columns=columns))
        same = " AND ".join(f"own.{name} IS NOT DISTINCT FROM counts.{name}" for name in names)
        own = ", ".join(f"own.{name}" for name in names)
        sides = ({"name": "ours", "here": "l", "there": "r"}, {"name": "theirs", "here": "r", "there": "l"})
        one, two = (connection.sql(LAST.format(same=same, own=own, **side)).to_arrow_table() for side in sides)
    return one, two


COUNTS = """
CREATE TEMP TABLE counts AS
SELECT {columns}, count(*) FILTER (is_ours) AS l, count(*) FILTER (NOT is_ours) AS r
FROM (SELECT *, true AS is_ours FROM ours UNION ALL SELECT *, false FROM theirs)
GROUP BY ALL HAVING l <> r
"""

LAST = """
SELECT n, {here} AS here, {there} AS there FROM {name} AS own JOIN counts ON {same} WHERE {here} > {there}
QUALIFY row_number() OVER (PARTITION BY {own} ORDER BY n) > {there} ORDER BY n
"""
