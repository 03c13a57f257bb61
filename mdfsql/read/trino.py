"""Trino and Presto, a session in UTC."""

from __future__ import annotations

from mdfsql.read.common import (
    ASCII_CASE,
    COMMON,
    CONSTANTS,
    DATES_OF_TEXT,
    DEVIATIONS,
    MOMENTS_OF_TEXT,
    SINGLE_SUMS,
    YEARS,
    concat,
    date_trunc,
    dated,
    like,
    null_if_any,
    numbers_of_text,
    replaced,
    shifted,
    substring,
    unlike_nan,
)
from mdfsql.read.meaning import Dialect, meanings

__all__ = ["dialect"]

TABLE = """
/(int, int) wider = $1 // $2
/(real, number) DOUBLE = CAST($1 AS DOUBLE) / CAST($2 AS DOUBLE)
/(int, real) DOUBLE = CAST($1 AS DOUBLE) / CAST($2 AS DOUBLE)
/(number, number) refused = a quotient of decimals has digits of its own there: divide CAST(a AS double)
%(int, int) wider
mod(int, int) wider = $1 % $2
+(moment, interval) $1
-(moment, interval) $1
strpos(text, text) BIGINT = instr($1, $2)
position(text, text) BIGINT = instr($1, $2)
starts_with(text, text) BOOLEAN
if(bool, same, same) wider = CASE WHEN $1 THEN $2 ELSE $3 END
if(bool, any) $2 = CASE WHEN $1 THEN $2 END
ceil(real) DOUBLE = ceil(CAST($1 AS DOUBLE))
ceiling(real) DOUBLE = ceil(CAST($1 AS DOUBLE))
floor(real) DOUBLE = floor(CAST($1 AS DOUBLE))
round(real) DOUBLE = round(CAST($1 AS DOUBLE))
round(decimal, int!) $1
sqrt(real) DOUBLE = CASE WHEN $1 < 0 THEN CAST('NaN' AS DOUBLE) ELSE sqrt(CAST($1 AS DOUBLE)) END
is_nan(real) BOOLEAN = isnan($1)
day_of_week(day) BIGINT = isodow($1)
dow(day) BIGINT = isodow($1)
day_of_year(day) BIGINT = dayofyear($1)
doy(day) BIGINT = dayofyear($1)
day_of_month(day) BIGINT = day($1)
week(day) BIGINT = week($1)
hour(moment) BIGINT
minute(moment) BIGINT
date(text!) DATE = CAST($1 AS DATE)
date(day) DATE = CAST(CAST($1 AS TIMESTAMP) AS DATE)
cardinality(list) BIGINT = len($1)
item(list, int!) item$1 = CASE WHEN $2 >= len($1) THEN error('no such item of the array')
    ELSE list_extract($1, $2 + 1) END
element_at(list, int!) item$1 = CASE WHEN $2 = 0 THEN error('places of an array begin at 1')
    ELSE list_extract($1, $2) END
transform(list, lambda) [$2] = list_transform($1, $2)
filter(list, lambda) $1 = list_filter($1, $2)
avg(int) DOUBLE
avg(decimal) refused = an average of decimals has digits of its own there: avg(CAST(x AS double))
count_if(bool) BIGINT
bool_and(bool) BOOLEAN
every(bool) BOOLEAN = bool_and($1)
bool_or(bool) BOOLEAN
array_agg(any) [$1]
cast:bool(int) $to
cast:int(bool) $to
cast:int(real) $to = CAST(round(CAST($1 AS DOUBLE)) AS $to)
cast:int(decimal) $to = CAST(round($1) AS $to)
cast:decimal(decimal) $to
cast:text(bool) $to
cast:text(decimal) $to
"""
UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")
SHORT = ("day", "hour", "minute", "second")

dialect = Dialect(
    name="trino",
    table=meanings(
        CONSTANTS,
        TABLE,
        SINGLE_SUMS,
        DEVIATIONS,
        numbers_of_text(""),
        DATES_OF_TEXT,
        MOMENTS_OF_TEXT,
        YEARS,
        ASCII_CASE,
        COMMON,
    ),
    rules={
        "=": unlike_nan,
        "<": unlike_nan,
        "like": like(escapes=False),
        "concat": concat,
        "replace": replaced,
        "substring": substring,
        "substr": substring,
        "greatest": null_if_any,
        "least": null_if_any,
        "+": shifted(days_stay=True),
        "-": shifted(days_stay=True),
        # Months and years count whole ones there, other units do so too, but agree with boundaries for dates alone.
        "date_diff": dated("diff", ("day",), (0, 1, 2)),
        "date_add": dated("add", UNITS, (0, 1, 2)),
        "date_trunc": date_trunc(UNITS, of_date="DATE"),
    },
    reasons={
        "now": "it is not the same twice",
        "try": "which errors become NULL is not settled",
        "approx_distinct": "an estimate is not the same everywhere: count(DISTINCT x)",
        "date_format": "its patterns are the dialect's own",
    },
    nan_equal=False,
    aliases=frozenset({"place"}),
    decimal=(38, 0),
    of_seconds=3,
)
