"""Snowflake with its parameters as they are at first, a session in UTC."""

from __future__ import annotations

from mdfsql.read.common import (
    ASCII_CASE,
    BLANKS,
    COMMON,
    CONSTANTS,
    DATES_OF_TEXT,
    GUARDED_DIVISION,
    MOMENTS_OF_TEXT,
    WIDE_INTEGERS,
    YEARS,
    concat,
    date_trunc,
    dated,
    like,
    null_if_any,
    numbers_of_text,
    refused,
    replaced,
    substring,
    typed,
)
from mdfsql.read.meaning import Dialect, meanings

__all__ = ["dialect"]

TABLE = f"""
/(real, number) DOUBLE = {GUARDED_DIVISION.replace("$1 /", "CAST($1 AS DOUBLE) /")}
/(int, real) DOUBLE = {GUARDED_DIVISION}
/(number, number) refused = a quotient of NUMBER has digits of its own there: divide a::double
%(int, int) wider
mod(int, int) wider = $1 % $2
nvl(same, same) wider = COALESCE($1, $2)
ifnull(same, same) wider = COALESCE($1, $2)
nvl2(any, same, same) wider = CASE WHEN $1 IS NOT NULL THEN $2 ELSE $3 END
iff(bool, same, same) wider = CASE WHEN $1 THEN $2 ELSE $3 END
zeroifnull(number) $1 = COALESCE($1, 0)
nullifzero(int) $1 = NULLIF($1, 0)
equal_null(same, same) BOOLEAN = $1 IS NOT DISTINCT FROM $2
len(text) BIGINT = length($1)
contains(text, text) BOOLEAN
startswith(text, text) BOOLEAN = starts_with($1, $2)
endswith(text, text) BOOLEAN = suffix($1, $2)
ceil(int) $1 = $1
floor(int) $1 = $1
ceil(real) DOUBLE = ceil(CAST($1 AS DOUBLE))
floor(real) DOUBLE = floor(CAST($1 AS DOUBLE))
round(real) DOUBLE = round(CAST($1 AS DOUBLE))
round(decimal, int!) $1
extract:dayofweekiso(day) BIGINT = isodow($1)
dayofweekiso(day) BIGINT = isodow($1)
hour(moment) BIGINT
minute(moment) BIGINT
last_day(date) DATE
avg(exact) refused = an average of NUMBER has digits of its own there: avg(x::double)
count_if(bool) BIGINT
boolor_agg(bool) BOOLEAN = bool_or($1)
booland_agg(bool) BOOLEAN = bool_and($1)
stddev(real) DOUBLE
stddev_samp(real) DOUBLE
stddev_pop(real) DOUBLE
last_value:over(any) BIGINT
nth_value:over(any) BIGINT
cast:bool(int) $to
cast:int(bool) $to
cast:int(real) $to = CAST(round(CAST($1 AS DOUBLE)) AS $to)
cast:int(decimal) $to = CAST(round($1) AS $to)
cast:decimal(decimal) $to
cast:text(bool) $to
cast:text(decimal) $to
"""
# Weeks begin as a parameter says.
UNITS = ("year", "quarter", "month", "day", "hour", "minute", "second")
FRAME = "without a frame it sees the whole partition there: write ROWS BETWEEN ..."

dialect = Dialect(
    name="snowflake",
    table=meanings(
        CONSTANTS,
        TABLE,
        BLANKS,
        numbers_of_text(""),
        DATES_OF_TEXT,
        MOMENTS_OF_TEXT,
        YEARS,
        ASCII_CASE,
        WIDE_INTEGERS,
        COMMON,
    ),
    rules={
        "like": like(escapes=False),
        "concat": concat,
        "replace": replaced,
        "substring": substring,
        "substr": substring,
        "greatest": null_if_any,
        "least": null_if_any,
        "datediff": dated("diff", UNITS, (0, 1, 2)),
        "dateadd": dated("add", UNITS, (0, 1, 2)),
        "date_trunc": date_trunc(UNITS, of_date="DATE"),
        "exponent": refused("a number with an exponent is of a type of its own there: write '1e3'::double"),
        "type": typed({"int": "BIGINT", "real": "DOUBLE"}),
    },
    reasons={
        "flatten": "values of VARIANT are not read",
        "array_construct": "values of VARIANT are not read",
        "array_agg": "values of VARIANT are not read",
        "last_value:over": FRAME,
        "nth_value:over": FRAME,
    },
    aliases=frozenset({"place", "select", "where", "group", "having", "qualify"}),
    decimal=(38, 0),
)
