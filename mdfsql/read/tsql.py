"""SQL Server's T-SQL with its settings as they are at first."""

from __future__ import annotations

from sqlglot import exp

from mdfsql.read.common import (
    BLANKS,
    COMMON,
    CONSTANTS,
    GUARDED_DIVISION,
    date_trunc,
    dated,
    numbers_of_text,
    refused,
    whole,
)
from mdfsql.read.meaning import Call, Dialect, build, kind, meanings, written
from mdfsql.read.texts import CASE, REVERSED, places
from mdfsql.read.times import part

__all__ = ["dialect"]

TABLE = rf"""
+(text, text) VARCHAR = $1 || $2
/(int, int) wider = $1 // $2
/(real, number) DOUBLE = {GUARDED_DIVISION.replace("$1 /", "CAST($1 AS DOUBLE) /")}
/(int, real) DOUBLE = {GUARDED_DIVISION}
/(number, number) refused = a quotient of decimals has digits of its own there: divide CAST(a AS float)
%(int, int) wider
concat(text...) VARCHAR
iif(bool, same, same) wider = CASE WHEN $1 THEN $2 ELSE $3 END
len(text) BIGINT = CASE WHEN regexp_matches($1, '[^\x00-\x{{FFFF}}]')
    THEN error('len() counts letters beyond 16 bits by a collation') ELSE length(rtrim($1, ' ')) END
ceiling(int) $1 = $1
floor(int) $1 = $1
ceiling(real) DOUBLE = ceil(CAST($1 AS DOUBLE))
floor(real) DOUBLE = floor(CAST($1 AS DOUBLE))
round(decimal, int!) $1
sign(int) BIGINT = CAST(sign($1) AS BIGINT)
square(number) DOUBLE = CAST($1 AS DOUBLE) * CAST($1 AS DOUBLE)
power(real, number) DOUBLE = CASE WHEN isfinite(CAST($1 AS DOUBLE)) AND NOT isfinite(power($1, $2))
    THEN error('power() is out of range') ELSE power(CAST($1 AS DOUBLE), CAST($2 AS DOUBLE)) END
sqrt(number) DOUBLE = CASE WHEN $1 < 0 THEN error('square root of a negative number') ELSE sqrt(CAST($1 AS DOUBLE)) END
replicate(text, int!) VARCHAR = repeat($1, $2)
space(int!) VARCHAR = repeat(' ', $1)
concat_ws(text, text...) VARCHAR
year/month/day(day) BIGINT
extract:dayofyear(day) BIGINT = dayofyear($1)
extract:second(moment) BIGINT = second($1)
extract:weekday(day) BIGINT = dayofweek($1) + 1
extract:iso_week(day) BIGINT = week($1)
extract:week(day) BIGINT = (dayofyear($1) - 1 + dayofweek(CAST(date_trunc('year', CAST($1 AS DATE)) AS DATE))) // 7 + 1
datefromparts(int, int, int) DATE = make_date($1, $2, $3)
eomonth(date) DATE = last_day($1)
eomonth(date, int) DATE = CAST(last_day($1 + to_months(CAST($2 AS INTEGER))) AS DATE)
string_agg(text, text!) VARCHAR
within:string_agg(text, text!) VARCHAR
avg(int) BIGINT = CAST(sum($1) AS BIGINT) // count($1)
avg(decimal) refused = an average of decimals has digits of its own there: avg(CAST(x AS float))
stdev(number) DOUBLE = stddev(CAST($1 AS DOUBLE))
stdevp(number) DOUBLE = stddev_pop(CAST($1 AS DOUBLE))
var(number) DOUBLE = var_samp(CAST($1 AS DOUBLE))
varp(number) DOUBLE = var_pop(CAST($1 AS DOUBLE))
count_big(any) BIGINT = count($1)
cast:bool(int) $to
cast:int(bool) $to
cast:int(real) $to = CAST(TRUNC(CAST($1 AS DOUBLE)) AS $to)
cast:int(decimal) $to = CAST(TRUNC($1) AS $to)
cast:decimal(decimal) $to
cast:text(decimal) $to
"""
UNITS = ("year", "quarter", "month", "day", "hour", "minute", "second")
OTHERS = {
    **dict.fromkeys(("yy", "yyyy"), "year"),
    **dict.fromkeys(("qq", "q"), "quarter"),
    **dict.fromkeys(("mm", "m"), "month"),
    **dict.fromkeys(("dd", "d"), "day"),
    **dict.fromkeys(("hh",), "hour"),
    **dict.fromkeys(("mi", "n"), "minute"),
    **dict.fromkeys(("ss", "s"), "second"),
}
PARTS = OTHERS | {
    **dict.fromkeys(("dy", "y", "dayofyear"), "dayofyear"),
    **dict.fromkeys(("dw", "w", "weekday"), "weekday"),
    **dict.fromkeys(("wk", "ww"), "week"),
    **dict.fromkeys(("isowk", "isoww", "iso_week"), "iso_week"),
}
# As a number of days is added, a day of the year or of the week is a day.
ADDED = OTHERS | {name: "day" for name, what in PARTS.items() if what in ("dayofyear", "weekday")}


def isnull(call: Call) -> exp.Expr:
    """Return ISNULL(a, b), whose answer has the type of the first."""
    one, two = call.arguments if len(call.arguments) == 2 else (call.node, call.node)
    same = one.type is not None and (
        kind(one) == "null" or one.type == two.type or kind(one) == kind(two) == "text" or (whole(two) is not None)
    )
    if (
        not same
        or kind(one) == "unknown"
        or (whole(two) is not None and kind(one) not in ("int", "decimal", "real", "null"))
    ):
        call.refuse("it makes the second what the first is: write COALESCE, or give both one type")
    made = written("COALESCE($1, $2)", [one, two])
    made.type = two.type if kind(one) == "null" else one.type
    return made


def ends(call: Call) -> exp.Expr:
    """Return LEFT or RIGHT with a constant count, which is an error below zero there."""
    value, count = call.arguments if len(call.arguments) == 2 else (call.node, call.node)
    if kind(value) not in ("text", "null") or whole(count) is None:
        call.refuse("it is read for text and a constant count")
    made = written(f"{call.name}($1, $2)", [value, count])
    made.type = build("VARCHAR")
    return made


def type_of(call: Call) -> exp.Expr:
    """Return a type: one whose values are rounded there, as those of DATETIME are, is none that is known."""
    to = call.node
    if not isinstance(to, exp.DataType) or to.this in (exp.DType.DATETIME, exp.DType.SMALLDATETIME):
        return exp.DataType(this=exp.DType.UNKNOWN)
    long = [part.name.upper() for part in to.expressions] == ["MAX"]
    return build("TEXT") if long and to.this in (exp.DType.VARCHAR, exp.DType.NVARCHAR) else to


def long_number(call: Call) -> exp.Expr | None:
    """Refuse a whole number beyond 32 bits, which is a decimal there."""
    if call.node.type == build("BIGINT"):
        call.refuse("a whole number beyond 32 bits is a decimal there: write CAST('5000000000' AS bigint)")
    return None


def as_text(call: Call) -> exp.Expr | None:
    """Refuse a cast of what may be longer to VARCHAR, which is VARCHAR(30) there."""
    if call.node.args["to"].this == exp.DType.VARCHAR and kind(call.arguments[0]) in ("text", "decimal"):
        call.refuse("VARCHAR is cut after 30 letters there: write VARCHAR(MAX)")
    return None


COLLATION = "what letters are the same depends on a collation there, which folds their case as it is at first"

dialect: Dialect = Dialect(
    name="tsql",
    table=meanings(CONSTANTS, TABLE, BLANKS, numbers_of_text(" *"), CASE, REVERSED, COMMON),
    rules={
        "type": type_of,
        "whole": long_number,
        "cast:text": as_text,
        "isnull": isnull,
        "left": ends,
        "right": ends,
        "substring": places(zero="before", below="before"),
        **dict.fromkeys(("datediff", "datediff_big"), dated("diff", UNITS, (0, 1, 2), ADDED)),
        "dateadd": dated("add", UNITS, (0, 1, 2), ADDED),
        "datepart": part(lambda: dialect, PARTS),
        "datetrunc": date_trunc(UNITS, of_date="DATE", others=ADDED),
        **dict.fromkeys(("like", "replace", "charindex", "patindex"), refused(COLLATION)),
    },
    reasons={
        "getdate": "it is not the same twice",
        "newid": "it is not the same twice",
        "format": "its patterns are the dialect's own",
    },
    sorts="folded",
    aliases=frozenset(),
    decimal=(18, 0),
    units=PARTS,
)
