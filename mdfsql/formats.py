"""Rows as text: values as every format writes them, and a writer for each format, streaming but for the table."""

from __future__ import annotations

import itertools
import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from sqlglot import exp

from mdfsql.schema import FLOATS, INTEGERS, Type, canonical, data_type

__all__ = ["MOST_ROWS", "WRITERS", "Cells", "Chunks", "format_for", "json_cells", "table", "text_cells"]

Chunks: TypeAlias = Iterable[Sequence[tuple[Any, ...]]]
"""Rows as they arrive: lists of tuples of Python values."""

Cells: TypeAlias = Callable[[Any], str]
"""Writes one value that is not None."""

T = exp.DataType.Type

# A table needs all its rows at once, for their widths: this many are shown unless the caller says how many.
MOST_ROWS = 1000

# Suffix -> format, for a file to write.
SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".md": "markdown",
    ".txt": "table",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
}


def format_for(path: str) -> str | None:
    """Return the format that a path's suffix tells, or None.

    >>> format_for("out.ndjson"), format_for("out.csv.gz")
    ('jsonl', None)
    """
    lowered = path.lower()
    return next((format for suffix, format in SUFFIXES.items() if lowered.endswith(suffix)), None)


# ---- values ------------------------------------------------------------------------------------------------------


def text_cells(type_: Type) -> Cells:
    """Return what writes a value of a type as text: numbers exactly, dates and times as ISO 8601 has them.

    >>> from decimal import Decimal
    >>> text_cells("DECIMAL(9,8)")(Decimal("0E-8")), text_cells("BIGINT[]")([1, None]), text_cells("BOOLEAN")(True)
    ('0.00000000', '[1,null]', 'true')
    """
    if type_ in TEXT:
        return TEXT[type_]
    return _decimal if _is_decimal(type_) else json_cells(type_)


def json_cells(type_: Type) -> Cells:
    """Return what writes a value of a type as JSON: decimals as numbers with all their digits; NaN is a string.

    >>> json_cells("STRUCT(a DOUBLE, b DATE)")({"a": math.nan, "b": None})
    '{"a":"NaN","b":null}'
    """
    return _json(data_type(type_))


def _json(dtype: exp.DataType) -> Cells:
    from json.encoder import encode_basestring as quoted  # json is imported when it is first written

    kind = dtype.this
    write: Cells
    if kind in (T.LIST, T.ARRAY):
        element = _nullable(_json(dtype.expressions[0]))
        return lambda value: f"[{','.join(map(element, value))}]"
    if kind == T.STRUCT:
        fields = [(f.name, quoted(f.name), _nullable(_json(f.args["kind"]))) for f in dtype.expressions]
        return lambda value: "{" + ",".join(f"{key}:{cell(value[name])}" for name, key, cell in fields) + "}"
    if kind == T.MAP:
        # A JSON key is a string whatever the type of the key.
        text, item = text_cells(canonical(dtype.expressions[0].sql("duckdb"))), _nullable(_json(dtype.expressions[1]))
        return lambda value: "{" + ",".join(f"{quoted(text(k))}:{item(v)}" for k, v in value.items()) + "}"
    if kind in WHOLE:
        return str
    if kind == T.BOOLEAN:
        return _boolean
    if kind == T.DECIMAL:
        return _decimal
    if kind in (T.DOUBLE, T.FLOAT):
        write = TEXT["FLOAT" if kind == T.FLOAT else "DOUBLE"]
        return lambda value: write(value) if math.isfinite(value) else f'"{write(value)}"'
    if kind in (T.TIMESTAMP, T.TIMESTAMPNTZ, T.TIMESTAMPTZ):
        return lambda value: f'"{str(value).replace(" ", "T", 1)}"'
    write = {T.VARBINARY: _blob, T.BLOB: _blob, T.INTERVAL: _interval}.get(kind, str)
    return lambda value: quoted(write(value))


def _nullable(cell: Cells, null: str = "null") -> Cells:
    return lambda value: null if value is None else cell(value)


WHOLE = frozenset({T.TINYINT, T.SMALLINT, T.INT, T.BIGINT})


def _then(write: Cells, change: Callable[[str], str]) -> Cells:
    return lambda value: change(write(value))


def _is_decimal(type_: Type) -> bool:
    return type_.startswith("DECIMAL") and type_.endswith(")")


def _is_number(type_: Type) -> bool:
    return type_ in INTEGERS or type_ in FLOATS or _is_decimal(type_)


def _decimal(value: Any) -> str:
    # str() would write a zero of eight places as 0E-8.
    return format(value, "f")


def _double(value: float) -> str:
    return repr(value) if math.isfinite(value) else _not_finite(value)


def _float(value: float) -> str:
    """Return the shortest text that reads back as the same 32-bit number."""
    import struct  # for a type that few results have

    if not math.isfinite(value):
        return _not_finite(value)
    for digits in range(6, 10):
        text = f"{value:.{digits}g}"
        if struct.pack("f", float(text)) == struct.pack("f", value):
            break
    return repr(float(text))


def _not_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _blob(value: bytes) -> str:
    """Return bytes as the reference writes them, which it also reads: printable ASCII, and \\xHH for the others."""
    return "".join(chr(b) if 32 <= b < 127 and b not in b"\\'\"" else f"\\x{b:02X}" for b in value)


def _interval(value: Any) -> str:
    """Return an interval (months, days, nanoseconds) as the reference writes and reads it.

    >>> _interval((14, 3, 4_500_000_000))
    '14 months 3 days 00:00:04.5'
    """
    months, days, nanoseconds = value
    parts = [f"{n} {unit}{'' if abs(n) == 1 else 's'}" for n, unit in ((months, "month"), (days, "day")) if n]
    if nanoseconds or not parts:
        seconds, micros = divmod(abs(nanoseconds) // 1000, 1_000_000)
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        fraction = f".{micros:06}".rstrip("0") if micros else ""
        parts.append(f"{'-' if nanoseconds < 0 else ''}{clock}{fraction}")
    return " ".join(parts)


TEXT: dict[Type, Cells] = {
    "BOOLEAN": _boolean,
    "TINYINT": str,
    "SMALLINT": str,
    "INTEGER": str,
    "BIGINT": str,
    "FLOAT": _float,
    "DOUBLE": _double,
    "VARCHAR": str,
    "BLOB": _blob,
    "DATE": str,
    "TIME": str,
    "TIMESTAMP": str,
    "TIMESTAMPTZ": str,
    "INTERVAL": _interval,
}


# Types whose text needs no quotes.
BARE = frozenset({"BOOLEAN", "DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ"}) | INTEGERS | FLOATS


# ---- formats that stream -----------------------------------------------------------------------------------------


def csv(schema: Mapping[str, Type], chunks: Chunks, *, null: str = "", header: bool = True) -> Iterator[str]:
    """Yield CSV: what NULL is written as stands bare, a string that looks like it in quotes."""
    return _separated(schema, chunks, ",", null, header)


def tsv(schema: Mapping[str, Type], chunks: Chunks, *, null: str = "", header: bool = True) -> Iterator[str]:
    """Yield CSV with tabs between the values; a value with a tab or a line's end stands in quotes."""
    return _separated(schema, chunks, "\t", null, header)


def _separated(schema: Mapping[str, Type], chunks: Chunks, comma: str, null: str, header: bool) -> Iterator[str]:
    special = re.compile(rf'[{comma}"\r\n]|\A(?:{re.escape(null)})?\Z')

    def quoted(text: str) -> str:
        return f'"{text.replace(chr(34), chr(34) * 2)}"' if special.search(text) else text

    cells = [_separated_cells(type_, quoted, null) for type_ in schema.values()]
    if header:
        yield comma.join(map(quoted, schema)) + "\n"
    for rows in chunks:
        if rows:
            yield "\n".join(map(comma.join, _texts(rows, cells, null))) + "\n"


def _separated_cells(type_: Type, quoted: Cells, null: str) -> Cells:
    if type_ == "VARCHAR":
        return quoted
    write = text_cells(type_)
    if type_ in BARE or _is_decimal(type_):
        # No number and no date holds a separator, but one may look like the text for NULL.
        return _then(write, quoted) if null else write
    return _then(write, quoted)


def _texts(rows: Sequence[tuple[Any, ...]], cells: Sequence[Cells], null: str) -> Iterator[tuple[str, ...]]:
    # Column by column is twice as fast as row by row: one function is called again and again.
    columns = [
        [null if value is None else cell(value) for value in column]
        for cell, column in zip(cells, zip(*rows, strict=True), strict=True)
    ]
    return zip(*columns, strict=True)


def jsonl(schema: Mapping[str, Type], chunks: Chunks) -> Iterator[str]:
    """Yield an object a line."""
    for rows in chunks:
        if rows:
            yield "\n".join(_objects(schema, rows)) + "\n"


def json(schema: Mapping[str, Type], chunks: Chunks) -> Iterator[str]:
    """Yield one array of objects, an object a line."""
    before = "[\n"
    for rows in chunks:
        if rows:
            yield before + ",\n".join(_objects(schema, rows))
            before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _objects(schema: Mapping[str, Type], rows: Sequence[tuple[Any, ...]]) -> Iterator[str]:
    from json.encoder import encode_basestring as quoted  # as above

    cells = [json_cells(type_) for type_ in schema.values()]
    keys = [quoted(name) + ":" for name in schema]
    for texts in _texts(rows, cells, "null"):
        yield "{" + ",".join(map(operator.add, keys, texts)) + "}"


def markdown(schema: Mapping[str, Type], chunks: Chunks, *, null: str = "NULL") -> Iterator[str]:
    """Yield a table for a Markdown page; numbers stand to the right."""

    def escaped(text: str) -> str:
        return re.sub(r"\r\n|\r|\n", "<br>", text.replace("\\", "\\\\").replace("|", "\\|"))

    cells = [_then(text_cells(type_), escaped) for type_ in schema.values()]
    yield f"| {' | '.join(map(escaped, schema))} |\n"
    yield f"| {' | '.join('---:' if _is_number(t) else '---' for t in schema.values())} |\n"
    for rows in chunks:
        if rows:
            yield "".join(f"| {' | '.join(texts)} |\n" for texts in _texts(rows, cells, escaped(null)))


# ---- the table ---------------------------------------------------------------------------------------------------

# Control signs could move the cursor or change the terminal; they are shown, never sent.
CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
}


def table(
    schema: Mapping[str, Type], chunks: Chunks, *, null: str = "NULL", header: bool = True, width: int | None = None
) -> tuple[str, bool]:
    """Return rows as aligned columns, and whether values were cut so that a line fits ``width``."""
    rows = list(itertools.chain.from_iterable(chunks))
    right = [_is_number(type_) for type_ in schema.values()]
    cells = [_then(text_cells(type_), _visible) for type_ in schema.values()]
    columns = list(zip(*_texts(rows, cells, null), strict=True)) if rows else [()] * len(cells)
    heads = [[_visible(name)] if header else [] for name in schema]
    widths = [
        max(map(_width, itertools.chain(head, column)), default=0) for head, column in zip(heads, columns, strict=True)
    ]
    fitted = _fit(widths, width) if width else widths
    made = []
    for column, head, wide, to_right in zip(columns, heads, fitted, right, strict=True):
        rule = ["-" * wide] if header else []
        made.append([*(_padded(t, wide, to_right) for t in head), *rule, *(_padded(t, wide, to_right) for t in column)])
    lines = ("  ".join(line).rstrip() for line in zip(*made, strict=True))
    return "".join(f"{line}\n" for line in lines), fitted != widths


def _visible(text: str) -> str:
    return text.translate(CONTROL)


def _fit(widths: list[int], width: int, least: int = 8) -> list[int]:
    """Return the widths with the widest made narrower until a line fits, or none is left to make narrower."""
    fitted = list(widths)
    while sum(fitted) + 2 * (len(fitted) - 1) > width:
        widest = max(fitted)
        if widest <= least:
            return fitted
        fitted[fitted.index(widest)] -= 1
    return fitted


def _padded(text: str, width: int, to_right: bool) -> str:
    room = width - _width(text)
    if room < 0:
        while _width(text) > width - 1:
            text = text[:-1]
        text += "…"
        room = width - _width(text)
    return " " * room + text if to_right else text + " " * room


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    import unicodedata  # for text that is not ASCII

    return sum(
        0
        if unicodedata.combining(c) or unicodedata.category(c) == "Cf"
        else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


WRITERS: dict[str, Callable[..., Iterator[str]]] = {
    "csv": csv,
    "tsv": tsv,
    "json": json,
    "jsonl": jsonl,
    "markdown": markdown,
}
