"""Trino and Presto, a session in UTC."""

from __future__ import annotations

from mdfsql.read.common import (
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
    unlike_nan,
)
from mdfsql.read.formats import C_LETTERS, NUMBERED, formatted, parsed, spelled
from mdfsql.read.meaning import Dialect, meanings
from mdfsql.read.texts import CASE, REVERSED, padded, pieces, places
from mdfsql.read.times import elapsed

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
power/pow(number, number) DOUBLE = power(CAST($1 AS DOUBLE), CAST($2 AS DOUBLE))
sqrt(int) DOUBLE = CASE WHEN $1 < 0 THEN CAST('NaN' AS DOUBLE) ELSE sqrt($1) END
ln(number) DOUBLE = CASE WHEN $1 < 0 THEN CAST('NaN' AS DOUBLE) WHEN $1 = 0 THEN CAST('-inf' AS DOUBLE)
    ELSE ln(CAST($1 AS DOUBLE)) END
log10(number) DOUBLE = CASE WHEN $1 < 0 THEN CAST('NaN' AS DOUBLE) WHEN $1 = 0 THEN CAST('-inf' AS DOUBLE)
    ELSE log10(CAST($1 AS DOUBLE)) END
sign(int) $1 = CAST(sign($1) AS BIGINT)
bitwise_and(int, int) BIGINT = CAST($1 & $2 AS BIGINT)
bitwise_or(int, int) BIGINT = CAST($1 | $2 AS BIGINT)
bitwise_xor(int, int) BIGINT = CAST(xor($1, $2) AS BIGINT)
bitwise_not(int) BIGINT = CAST(~$1 AS BIGINT)
bitwise_and_agg(int) BIGINT = bit_and($1)
bitwise_or_agg(int) BIGINT = bit_or($1)
bitwise_xor_agg(int) BIGINT = bit_xor($1)
concat_ws(text, text...) VARCHAR
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
second(moment) BIGINT
week_of_year(day) BIGINT = week($1)
year_of_week/yow(day) BIGINT = isoyear($1)
extract:second(moment) BIGINT = second($1)
extract:week(day) BIGINT = week($1)
extract:day_of_week/extract:dow(day) BIGINT = isodow($1)
extract:day_of_year/extract:doy(day) BIGINT = dayofyear($1)
last_day_of_month(date) DATE = last_day($1)
from_unixtime(int) TIMESTAMPTZ = to_timestamp($1)
date(text!) DATE = CAST($1 AS DATE)
date(day) DATE = CAST(CAST($1 AS TIMESTAMP) AS DATE)
cardinality(list) BIGINT = len($1)
item(list, int!) item$1 = CASE WHEN $2 >= len($1) THEN error('no such item of the array')
    ELSE list_extract($1, $2 + 1) END
element_at(list, int!) item$1 = CASE WHEN $2 = 0 THEN error('places of an array begin at 1')
    ELSE list_extract($1, $2) END
contains(list, any) BOOLEAN = CASE WHEN $1 IS NULL OR $2 IS NULL THEN CAST(NULL AS BOOLEAN)
    WHEN list_contains($1, $2) THEN TRUE
    WHEN len(list_filter($1, lambda x: x IS NULL)) > 0 THEN CAST(NULL AS BOOLEAN) ELSE FALSE END
array_position(list, any) BIGINT = CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL
    THEN COALESCE(list_position($1, $2), 0) END
array_max(list) item$1 = CASE WHEN len(list_filter($1, lambda x: x IS NULL)) = 0 THEN list_max($1) END
array_min(list) item$1 = CASE WHEN len(list_filter($1, lambda x: x IS NULL)) = 0 THEN list_min($1) END
array_sort(list) $1 = list_sort($1, 'ASC', 'NULLS LAST')
reverse(list) $1 = list_reverse($1)
slice(list, int, int) $1 = CASE WHEN $2 = 0 OR $3 < 0 THEN error('places of an array begin at 1')
    WHEN $2 > 0 THEN list_slice($1, $2, $2 + $3 - 1)
    WHEN len($1) + $2 < 0 THEN list_slice($1, 1, 0)
    ELSE list_slice($1, len($1) + $2 + 1, len($1) + $2 + $3) END
sequence(int, int) BIGINT[] = CASE WHEN $1 > $2 THEN generate_series($1, $2, -1) ELSE generate_series($1, $2) END
within:listagg(text, text!) VARCHAR
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
        CASE,
        REVERSED,
        COMMON,
    ),
    rules={
        "=": unlike_nan,
        "<": unlike_nan,
        "like": like(escapes=False),
        "concat": concat,
        "replace": replaced,
        **dict.fromkeys(("substring", "substr"), places(zero="empty", below="end", beyond="empty")),
        **dict.fromkeys(("lpad", "rpad"), padded),
        "split": pieces("string_split($1, $2)", "VARCHAR[]"),
        "split_part": pieces("CASE WHEN $3 <= len(string_split($1, $2)) THEN split_part($1, $2, $3) END", "VARCHAR"),
        "date_format": formatted(C_LETTERS, value_at=0),
        "date_parse": parsed("TIMESTAMP", 0, C_LETTERS),
        "to_char": spelled({word.lower(): code for word, code in NUMBERED.items()}, any_case=False),
        "greatest": null_if_any,
        "least": null_if_any,
        "+": shifted(days_stay=True),
        "-": shifted(days_stay=True),
        # Whole units are counted there, of moments that are cut off after milliseconds.
        "date_diff": elapsed((*SHORT, "week"), (0, 1, 2), finest="milliseconds"),
        "date_add": dated("add", UNITS, (0, 1, 2)),
        "date_trunc": date_trunc(UNITS, of_date="DATE"),
    },
    reasons={
        "now": "it is not the same twice",
        "try": "which errors become NULL is not settled",
        "approx_distinct": "an estimate is not the same everywhere: count(DISTINCT x)",
    },
    nan_equal=False,
    aliases=frozenset({"place"}),
    decimal=(38, 0),
    of_seconds=3,
    digits_only=True,
    between=" ",
)
