"""BigQuery's GoogleSQL, in UTC."""

from __future__ import annotations

from mdfsql.read.common import (
    ASCII_CASE,
    COMMON,
    CONSTANTS,
    DEVIATIONS,
    GUARDED_DIVISION,
    WIDE_INTEGERS,
    array,
    cast_of_text,
    concat,
    date_trunc,
    dated,
    like,
    moved_date,
    null_if_any,
    shifted,
    substring,
    typed,
    unlike_nan,
    wide_fractions,
)
from mdfsql.read.meaning import Dialect, meanings

__all__ = ["dialect"]

TABLE = rf"""
/(decimal, number) refused = a quotient of NUMERIC has digits of its own there: divide CAST(a AS FLOAT64)
/(number, decimal) refused = a quotient of NUMERIC has digits of its own there: divide CAST(a AS FLOAT64)
/(number, number) DOUBLE = {GUARDED_DIVISION}
safe_divide(int, int) DOUBLE = CASE WHEN $2 = 0 THEN CAST(NULL AS DOUBLE) ELSE $1 / $2 END
safe_divide(real, int) DOUBLE = CASE WHEN $2 = 0 THEN CAST(NULL AS DOUBLE) ELSE $1 / $2 END
safe_divide(int, real) DOUBLE = CASE WHEN $2 = 0 THEN CAST(NULL AS DOUBLE) ELSE $1 / $2 END
safe_divide(real, real) DOUBLE = CASE WHEN $2 = 0 THEN CAST(NULL AS DOUBLE) ELSE $1 / $2 END
div(int, int) BIGINT = CAST($1 AS BIGINT) // $2
mod(int, int) wider = $1 % $2
+(date, int) DATE = $1 + CAST($2 AS INTEGER)
-(date, int) DATE = $1 - CAST($2 AS INTEGER)
if(bool, same, same) wider = CASE WHEN $1 THEN $2 ELSE $3 END
ifnull(same, same) wider = COALESCE($1, $2)
replace(text, text, text) VARCHAR
strpos(text, text) BIGINT = instr($1, $2)
char_length(text) BIGINT = length($1)
starts_with(text, text) BOOLEAN
ends_with(text, text) BOOLEAN = suffix($1, $2)
ceil(real) DOUBLE = ceil(CAST($1 AS DOUBLE))
ceil(int) DOUBLE = CAST($1 AS DOUBLE)
floor(real) DOUBLE = floor(CAST($1 AS DOUBLE))
floor(int) DOUBLE = CAST($1 AS DOUBLE)
round(real) DOUBLE = round(CAST($1 AS DOUBLE))
sqrt(real) DOUBLE = CASE WHEN $1 < 0 THEN error('square root of a negative number') ELSE sqrt($1) END
is_nan(real) BOOLEAN = isnan($1)
extract:dayofweek(day) BIGINT = dayofweek($1) + 1
extract:dayofyear(day) BIGINT = dayofyear($1)
extract:isoweek(day) BIGINT = week($1)
date(int, int, int) DATE = make_date($1, $2, $3)
last_day(date) DATE
array_length(list) BIGINT = len($1)
item:safe(list, int!) item$1 = list_extract($1, $2 + 1)
item(list, int!) item$1 = CASE WHEN $2 >= len($1) THEN error('no such item of the array')
    ELSE list_extract($1, $2 + 1) END
avg(int) DOUBLE
avg(decimal) refused = an average of NUMERIC has digits of its own there: avg(CAST(x AS FLOAT64))
countif(bool) BIGINT = count_if($1)
logical_and(bool) BOOLEAN = bool_and($1)
logical_or(bool) BOOLEAN = bool_or($1)
string_agg(text, text!) VARCHAR
cast:int(bool) $to
cast:bool(int) $to
cast:int(real) $to = CAST(round(CAST($1 AS DOUBLE)) AS $to)
cast:text(bool) $to
try_cast:int(int) $to = CAST($1 AS $to)
try_cast:int(text) $to = CASE WHEN regexp_full_match($1, '[+-]?[0-9]+') THEN TRY_CAST($1 AS BIGINT)
    WHEN regexp_matches($1, '0[xX]|[ \t\n\r]') THEN error('not a plain whole number: ' || $1) END
"""
TEXT = cast_of_text("int", "[+-]?[0-9]+", "plain whole number") + cast_of_text(
    "date", "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", "date"
)
# Weeks begin on Sunday there.
UNITS = ("year", "quarter", "month", "day")


dialect = Dialect(
    name="bigquery",
    table=meanings(CONSTANTS, TABLE, DEVIATIONS, TEXT, ASCII_CASE, WIDE_INTEGERS, COMMON),
    rules={
        "=": unlike_nan,
        "<": unlike_nan,
        "like": like(escapes=True),
        "array": array,
        "concat": concat,
        "substring": substring,
        "substr": substring,
        "greatest": null_if_any,
        "least": null_if_any,
        "+": shifted(days_stay=False),
        "-": shifted(days_stay=False),
        "date_diff": dated("diff", UNITS, (2, 1, 0)),
        "date_add": moved_date,
        "date_sub": moved_date,
        "date_trunc": date_trunc(UNITS, of_date="DATE", unit_at=1),
        "fraction": wide_fractions,
        "type": typed({"int": "BIGINT", "real": "DOUBLE"}),
    },
    reasons={
        "item:bare": "write OFFSET(i), from 0, or ORDINAL(i), from 1",
        "trim": "it takes other white space too",
        "array_agg": "it refuses NULL there, and keeps it in the reference",
        "any_value": "which row it takes is chance",
        "current_date": "it is not the same twice",
        "format_date": "its patterns are the dialect's own",
        "approx_count_distinct": "an estimate is not the same everywhere",
    },
    nan_equal=False,
    aliases=frozenset({"place", "group", "having", "qualify"}),
    decimal=(38, 9),
    nan_first=True,
)
