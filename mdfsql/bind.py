"""The binder: DuckDB resolves a query against empty tables, for its exact names, types and error messages."""

from __future__ import annotations

import itertools
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from sqlglot import ErrorLevel, exp
from sqlglot.errors import UnsupportedError

from mdfsql.errors import BindError, DataError, QueryError
from mdfsql.schema import Schema, canonical, quote
from mdfsql.trees import fingerprint

if TYPE_CHECKING:
    import duckdb

__all__ = ["bind", "canonical_schema", "declared_tables", "describe_files", "expand", "scan"]

# Tables are made once for each schema; past this many the one not used for longest is dropped.
MOST_TABLES = 512

_lock = threading.RLock()
_tables: OrderedDict[Schema, str] = OrderedDict()
_numbers = itertools.count()

# What was bound, by the tree and the schemas of its tables; past this many what was not used for longest is dropped.
MOST_BOUND = 1024
_bound: OrderedDict[tuple[bytes, tuple[tuple[str, Schema], ...]], tuple[tuple[str, str], ...]] = OrderedDict()
_connection: duckdb.DuckDBPyConnection | None = None


def _reference() -> duckdb.DuckDBPyConnection:
    import duckdb  # the reference is loaded when the first query is bound, not with the package

    global _connection
    if _connection is None:
        _connection = duckdb.connect(":memory:", config={"threads": 1, "enable_external_access": False})
        _connection.execute("SET TimeZone = 'UTC'")
    return _connection


def _table(schema: Schema) -> str:
    """Return the name of an empty table of this schema."""
    name = _tables.get(schema)
    if name is None:
        name = f"empty_{next(_numbers)}"
        columns = ", ".join(f"{quote(column)} {type_}" for column, type_ in schema.items())
        _reference().execute(f"CREATE TABLE {name} ({columns})")
        _tables[schema] = name
        if len(_tables) > MOST_TABLES:
            _reference().execute(f"DROP TABLE {_tables.popitem(last=False)[1]}")
    _tables.move_to_end(schema)
    return name


def bind(tree: exp.Query, tables: Mapping[str, Schema], *, text: str | None = None) -> dict[str, str]:
    """Return the output columns of a query as DuckDB names and types them, types in DuckDB's own spelling.

    ``tables`` gives the schema of each table name in the tree; ``text`` is the SQL as the user wrote it, for the
    caret. Raises BindError with DuckDB's message ("Did you mean ...?") and for doubled output names.
    """
    import duckdb  # as above

    key = fingerprint(tree), tuple(tables.items())
    with _lock:
        try:
            found = _bound.get(key)
            if found is None:
                found = _bound[key] = _describe(_bindable_sql(tree, tables))
                if len(_bound) > MOST_BOUND:
                    _bound.popitem(last=False)
            _bound.move_to_end(key)
            return dict(found)
        except duckdb.Error as error:
            raise bind_error(error, text) from error
        except UnsupportedError as error:
            # What is left out of the text would silently be left out of the answer.
            reason = f"a part of the query cannot be written in the reference dialect: {error}"
            raise QueryError(reason, sql=text) from error
        except ValueError as error:
            raise BindError(str(error), sql=text) from error


def _bindable_sql(tree: exp.Query, tables: Mapping[str, Schema]) -> str:
    """Return the query's text over the empty tables; the tree is as it was when this returns."""
    # A hint never changes the answer, and the reference has none.
    hinted = [(select, select.args["hint"]) for select in tree.find_all(exp.Select) if select.args.get("hint")]
    renamed: list[tuple[exp.Table, exp.Expr, exp.Expr | None]] = []
    try:
        for table in tree.find_all(exp.Table):
            if isinstance(table.this, exp.Identifier) and not table.args.get("db") and table.name in tables:
                renamed.append((table, table.this, table.args.get("alias")))
        for select, _ in hinted:
            select.set("hint", None)
        for table, name, alias in renamed:
            if alias is None:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(name.name, quoted=True)))
            table.set("this", exp.to_identifier(_table(tables[name.name])))
        return tree.sql("duckdb", unsupported_level=ErrorLevel.RAISE)
    finally:
        for select, hint in hinted:
            select.set("hint", hint)
        # Renamed in place and back: a copy of the tree would cost more than the binding.
        for table, name, alias in renamed:
            table.set("this", name)
            table.set("alias", alias)


def _describe(sql: str) -> tuple[tuple[str, str], ...]:
    """Return the names and types of a query over the empty tables, each of which has one schema for good."""
    relation = _reference().sql(sql)
    if relation is None:
        raise ValueError("not a query: only SELECT and its kin give rows")
    names, types = relation.columns, [str(type_) for type_ in relation.types]
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise ValueError(f"output column {name!r} stands twice; give one another name with AS")
        seen.add(name.lower())
    return tuple(zip(names, types, strict=True))


def bind_error(error: duckdb.Error, text: str | None) -> BindError:
    """Return DuckDB's error as ours: its first sentences, and the position in the user's own text if it is there."""
    message = str(error)
    body, _, shown = message.partition("\n\nLINE ")
    reason = re.sub(r"^(Binder|Catalog|Parser|Conversion|Invalid Input|Not implemented) Error: ", "", body).strip()
    position = _position(text, shown, reason) if text else None
    line, column = position or (None, None)
    return BindError(reason, sql=text, line=line, column=column)


def _position(text: str, shown: str, reason: str) -> tuple[int, int] | None:
    """Find what DuckDB complains of in the user's text: the tree was rendered anew, so only a token can match."""
    lines = shown.splitlines()
    token = ""
    if len(lines) >= 2 and "^" in lines[1]:
        at = lines[1].index("^")
        match = re.match(r'"(?:[^"]|"")+"|\w+|\S', lines[0][at - len("LINE ") :] if at >= 5 else "")
        token = match.group().strip('"') if match else ""
    named = re.search(r'(?:column|function|Table|table) (?:with name )?"?([\w.]+)"?', reason)
    for candidate in filter(None, (token, named.group(1) if named else "")):
        found = re.search(rf"(?<!\w){re.escape(candidate)}(?!\w)", text, re.IGNORECASE)
        if found:
            before = text[: found.start()]
            return before.count("\n") + 1, found.start() - (before.rfind("\n") + 1) + 1
    return None


READERS = {"parquet": "read_parquet", "csv": "read_csv", "json": "read_json"}

# What sniff_csv decides, under the names of read_csv's options.
SNIFFED = {"Delimiter": "delim", "Quote": "quote", "Escape": "escape", "HasHeader": "header", "SkipRows": "skip"}
FORMATS = {"DateFormat": "dateformat", "TimestampFormat": "timestampformat"}


def describe_files(
    format: str, paths: Sequence[str], options: Mapping[str, Any]
) -> tuple[Schema, dict[str, str], dict[str, Any]]:
    """Return what the reference reads in files: the canonical schema, its own types, and the options it settled on.

    For CSV the dialect and the types are sniffed here once, so that every engine reads the same.
    Raises DataError for a file that is missing, empty or of another format.
    """
    import duckdb  # as above

    connection = duckdb.connect(":memory:", config={"threads": 1})
    try:
        settled = dict(options)
        if format == "csv":
            settled = _sniff(connection, list(paths), settled)
        relation = connection.sql(exp.select("*").from_(scan(format, paths, settled)).sql("duckdb"))
        own = dict(zip(relation.columns, [str(t) for t in relation.types], strict=True))
    except duckdb.Error as error:
        raise DataError(f"cannot read {format} {shown_paths(paths)}: {_sentence(error)[:400]}") from error
    finally:
        connection.close()
    return canonical_schema(own, f"{format} {shown_paths(paths)}"), own, settled


def canonical_schema(own: Mapping[str, str], what: str) -> Schema:
    """Return the schema of columns of the reference's own types; DataError for a type that no result may have."""
    try:
        return Schema({name: canonical(type_) for name, type_ in own.items()})
    except ValueError as error:
        raise DataError(f"{what}: {error}") from error


def declared_tables(ddl: str) -> dict[str, Schema]:
    """Return the tables that CREATE TABLE statements in the reference dialect declare.

    Raises QueryError for statements that fail, and DataError for a type that no result may have.

    >>> declared_tables("CREATE TABLE t (a INTEGER, b DECIMAL(10, 2) NOT NULL)")
    {'t': Schema(a INTEGER, b DECIMAL(10,2))}
    """
    import duckdb  # as above

    with duckdb.connect(":memory:", config={"enable_external_access": False}) as connection:
        try:
            connection.execute(ddl)
            rows = connection.execute(
                "SELECT table_name, column_name, data_type FROM duckdb_columns() "
                "WHERE NOT internal ORDER BY table_oid, column_index"
            ).fetchall()
        except duckdb.Error as error:
            raise QueryError(f"the tables cannot be declared: {' '.join(str(error).split())}") from error
    tables: dict[str, dict[str, str]] = {}
    for table, column, type_ in rows:
        tables.setdefault(table, {})[column] = type_
    return {table: canonical_schema(own, f"the table {table}") for table, own in tables.items()}


def reference_functions() -> list[str]:
    """Return the names of the functions of the reference, but for collations and those with __ in front."""
    names = (
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type IN ('scalar', 'aggregate', 'macro')"
    )
    rows = _reference().execute(f"{names} ORDER BY 1").fetchall()
    return [name for (name,) in rows if name.isidentifier() and not name.startswith(("__", "collate_"))]


def scan(format: str, paths: Sequence[str], options: Mapping[str, Any]) -> exp.Anonymous:
    """Return the table function ``read_FORMAT([paths], option=value, ...)`` of DuckDB's."""
    arguments: list[exp.Expr] = [exp.Array(expressions=[exp.Literal.string(path) for path in paths])]
    for name, value in options.items():
        arguments.append(exp.PropertyEQ(this=exp.to_identifier(name), expression=option_value(value)))
    return exp.Anonymous(this=READERS[format], expressions=arguments)


def option_value(value: Any) -> exp.Expr:
    """Return a reader's option as an expression: dicts become structs."""
    if isinstance(value, Mapping):
        pairs = [
            exp.PropertyEQ(this=exp.to_identifier(k, quoted=True), expression=option_value(v)) for k, v in value.items()
        ]
        return exp.Struct(expressions=pairs)
    return exp.convert(value)


def _sniff(connection: duckdb.DuckDBPyConnection, paths: list[str], options: dict[str, Any]) -> dict[str, Any]:
    call = exp.Anonymous(
        this="sniff_csv",
        expressions=[exp.Literal.string(paths[0])]
        + [exp.PropertyEQ(this=exp.to_identifier(k), expression=option_value(v)) for k, v in options.items()],
    )
    result = connection.sql(exp.select("*").from_(call).sql("duckdb"))
    row = dict(zip(result.columns, result.fetchall()[0], strict=True))
    settled = {option: row[key] for key, option in SNIFFED.items()}
    # "(empty)" is how the sniffer writes "none".
    settled = {k: "" if v == "(empty)" else v for k, v in settled.items()}
    if not settled["quote"] and len(paths) > 1:
        # Only the first file was sniffed: that it quotes nothing says nothing of the others.
        settled["quote"] = settled["escape"] = '"'
    settled |= {option: row[key] for key, option in FORMATS.items() if row.get(key)}
    settled["columns"] = {column["name"]: column["type"] for column in row["Columns"]}
    settled["auto_detect"] = False
    return settled | options


def expand(patterns: Sequence[str]) -> list[str]:
    """Return the local files that paths and globs name, each once; DataError for a pattern that names none."""
    found: dict[str, None] = {}
    import duckdb  # as above

    with closing(duckdb.connect(":memory:", config={"threads": 1})) as connection:
        for pattern in patterns:
            rows = connection.execute("SELECT file FROM glob(?) ORDER BY file", [pattern]).fetchall()
            if not rows:
                raise DataError(f"no file matches {pattern!r}")
            found |= dict.fromkeys(row[0] for row in rows)
    return list(found)


def shown_paths(paths: Sequence[str]) -> str:
    """Return a short text for a list of paths."""
    return repr(paths[0]) + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")


def _sentence(error: duckdb.Error) -> str:
    return " ".join(str(error).partition("\nLINE ")[0].split())
