"""CSV files on Spark, read as the reference decided: every field as text first, then cast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql import types as st

from mdfsql.engines.spark_session import functions
from mdfsql.engines.spark_types import spark_type
from mdfsql.errors import Unsupported

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from mdfsql.catalog import FileSource

__all__ = ["java_format", "read_csv"]

# DuckDB's option -> Spark's. Options that hold no sign are written as NUL, which is Spark's "none".
SIGNS = {"delim": "sep", "sep": "sep", "quote": "quote", "escape": "escape", "comment": "comment"}

# Options that change nothing in how Spark has to read, or are dealt with below.
KNOWN = frozenset(SIGNS) | {
    "header",
    "skip",
    "columns",
    "dateformat",
    "timestampformat",
    "auto_detect",
    "new_line",
    "types",
    "nullstr",
}

# strftime's directives as Java patterns. A single letter takes one digit or two, as strptime does.
JAVA = {
    "%Y": "yyyy", "%m": "M", "%d": "d", "%H": "H", "%M": "m", "%S": "s", "%y": "yy", "%b": "MMM", "%B": "MMMM",
    "%I": "h", "%p": "a", "%f": "SSSSSS", "%-m": "M", "%-d": "d", "%-H": "H", "%-M": "m", "%-S": "s", "%j": "DDD",
    "%%": "'%'",
}  # fmt: skip


def java_format(format: str, what: str) -> str:
    """Return a strftime format as a Java pattern; Unsupported for a directive that has none.

    >>> java_format("%d/%m/%Y", "dateformat")
    "d'/'M'/'yyyy"
    """
    out, i = "", 0
    while i < len(format):
        directive = format[i : i + 3] if format[i : i + 2] == "%-" else format[i : i + 2]
        if format[i] != "%":
            text = format[i]
            while i + 1 < len(format) and format[i + 1] != "%":
                i += 1
                text += format[i]
            out += "'" + text.replace("'", "''") + "'"
            i += 1
        elif directive in JAVA:
            out += JAVA[directive]
            i += len(directive)
        else:
            raise Unsupported(f"{directive} in a CSV file's {what}", "spark", "Java's patterns have no such part")
    return out


def read_csv(session: Any, source: FileSource, paths: list[str]) -> DataFrame:
    """Return CSV files as a DataFrame of the source's columns."""
    options = dict(source.options)
    for name in options:
        if name not in KNOWN:
            raise Unsupported(f"read_csv's option {name!r}", "spark", "it is not shown to mean the same there")
    skip = int(options.get("skip") or 0)
    if skip:
        raise Unsupported(
            "skip= of a CSV file", "spark", "Spark's reader cannot skip lines", "remove the lines, or use Parquet"
        )
    settled = {SIGNS[name]: value or "\0" for name, value in options.items() if name in SIGNS}
    settled.setdefault("quote", '"')
    settled.setdefault("escape", settled["quote"])
    if settled["escape"] == "\0":
        settled["escape"] = settled["quote"]
    if len(str(options.get("delim", ","))) > 1:
        raise Unsupported("a delimiter of several signs in CSV", "spark", "it is not shown to mean the same there")
    names = list(options.get("columns") or source.schema)
    struct = st.StructType([st.StructField(name.lower(), st.StringType()) for name in names])
    reader = session.read.schema(struct).options(
        **settled,
        header="true" if options.get("header", True) else "false",
        enforceSchema="true",
        mode="FAILFAST",
        multiLine="true",
        nullValue="",
        # The reference takes a quoted empty field for NULL too.
        emptyValue="",
        ignoreLeadingWhiteSpace="false",
        ignoreTrailingWhiteSpace="false",
        maxCharsPerColumn="-1",
        encoding="UTF-8",
    )
    frame = reader.csv(paths)
    sf = functions(frame)
    columns = []
    given = options.get("nullstr")
    nulls = [value for value in ([given] if isinstance(given, str) else list(given or [])) if value]
    if nulls and isinstance(given, (list, tuple)) and "" in given:
        raise Unsupported("nullstr= of '' and others", "spark", "it is not shown to mean the same there")
    for name, wanted in source.schema.items():
        column = sf.col(f"`{name.lower().replace('`', '``')}`")
        if nulls:
            # Once NULL has a spelling, an empty field is empty text, and no number at all.
            empty = (
                sf.lit("")
                if wanted == "VARCHAR"
                else sf.raise_error(sf.lit(f"CSV: column {name!r} has an empty field"))
            )
            column = sf.when(column.isNull(), empty.cast("string")).when(~column.isin(nulls), column)
        if wanted == "DATE" and options.get("dateformat"):
            column = sf.to_date(column, java_format(str(options["dateformat"]), "dateformat"))
        elif wanted == "TIMESTAMP" and options.get("timestampformat"):
            column = sf.to_timestamp_ntz(
                column, sf.lit(java_format(str(options["timestampformat"]), "timestampformat"))
            )
        elif wanted != "VARCHAR":
            column = column.cast(spark_type(wanted))
        columns.append(column.alias(name.lower()))
    return frame.select(*columns)
