"""BigQuery's GoogleSQL, in UTC."""

from __future__ import annotations

from mdfsql.read.common import (
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
    typed,
    unlike_nan,
    wide_fractions,
)
from mdfsql.read.formats import LETTERS, formatted, parsed
from mdfsql.read.meaning import Dialect, meanings
from mdfsql.read.texts import CASE, REVERSED, padded, pieces, places, re2, re2_extract, re2_replace
from mdfsql.read.times import FIRST_DAYS, elapsed, last_day, moved_moment, weekly_diff, weekly_trunc

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
ieee_divide(real, real) DOUBLE = CAST($1 AS DOUBLE) / CAST($2 AS DOUBLE)
ieee_divide(number, number) DOUBLE = CAST($1 AS DOUBLE) / CAST($2 AS DOUBLE)
power/pow(number, number) DOUBLE = CASE WHEN $1 = 0 AND $2 < 0 THEN error('zero to a negative power')
    WHEN isfinite(CAST($1 AS DOUBLE)) AND isfinite(CAST($2 AS DOUBLE)) AND NOT isfinite(power($1, $2))
    THEN error('power() is out of range') ELSE power(CAST($1 AS DOUBLE), CAST($2 AS DOUBLE)) END
sqrt(int) DOUBLE = CASE WHEN $1 < 0 THEN error('square root of a negative number') ELSE sqrt($1) END
ln(number) DOUBLE = CASE WHEN $1 <= 0 THEN error('logarithm of zero or less') ELSE ln(CAST($1 AS DOUBLE)) END
log(number) DOUBLE = CASE WHEN $1 <= 0 THEN error('logarithm of zero or less') ELSE ln(CAST($1 AS DOUBLE)) END
log10(number) DOUBLE = CASE WHEN $1 <= 0 THEN error('logarithm of zero or less') ELSE log10(CAST($1 AS DOUBLE)) END
sign(int) BIGINT = CAST(sign($1) AS BIGINT)
+(date, int) DATE = $1 + CAST($2 AS INTEGER)
-(date, int) DATE = $1 - CAST($2 AS INTEGER)
if(bool, same, same) wider = CASE WHEN $1 THEN $2 ELSE $3 END
ifnull(same, same) wider = COALESCE($1, $2)
replace(text, text, text) VARCHAR
left(text, int!) VARCHAR
right(text, int!) VARCHAR
repeat(text, int!) VARCHAR
trim(text, text) VARCHAR
ltrim(text, text) VARCHAR
rtrim(text, text) VARCHAR
character_length(text) BIGINT = length($1)
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
extract:isoyear(day) BIGINT = isoyear($1)
extract:week(day) BIGINT = (dayofyear($1) + 6 - dayofweek($1)) // 7
extract:second(moment) BIGINT = second($1)
extract:date(day) DATE = CAST($1 AS DATE)
date(day) DATE = CAST(CAST($1 AS TIMESTAMP) AS DATE)
datetime(day) TIMESTAMP = CAST($1 AS TIMESTAMP)
timestamp(instant) TIMESTAMPTZ = $1
timestamp(timestamp) TIMESTAMPTZ = CAST($1 AS TIMESTAMPTZ)
timestamp(date) TIMESTAMPTZ = CAST($1 AS TIMESTAMPTZ)
timestamp_seconds(int) TIMESTAMPTZ = to_timestamp($1)
unix_seconds(instant) BIGINT = epoch_us(date_trunc('second', CAST($1 AS TIMESTAMP))) // 1000000
unix_micros(instant) BIGINT = epoch_us($1)
generate_array(int, int) BIGINT[] = generate_series($1, $2)
generate_array(int, int, int!) BIGINT[] = generate_series($1, $2, $3)
array_concat(list, list) $1 = CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN list_concat($1, $2) END
array_reverse(list) $1 = list_reverse($1)
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
bit_and/bit_or/bit_xor(int) BIGINT
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
# Weeks begin on Sunday there, where no day is named.
UNITS = ("year", "quarter", "month", "day")
WHOLE = {"F": "%Y-%m-%d", "T": "%H:%M:%S"}
HOURS = ("hour", "minute", "second")


dialect = Dialect(
    name="bigquery",
    table=meanings(CONSTANTS, TABLE, DEVIATIONS, TEXT, CASE, REVERSED, WIDE_INTEGERS, COMMON),
    rules={
        "=": unlike_nan,
        "<": unlike_nan,
        "like": like(escapes=True),
        "array": array,
        "concat": concat,
        **dict.fromkeys(("substring", "substr"), places(zero="first", below="end", beyond="first")),
        **dict.fromkeys(("lpad", "rpad"), padded),
        "split": pieces("string_split($1, $2)", "VARCHAR[]"),
        "regexp_contains": re2,
        **dict.fromkeys(("regexp_extract", "regexp_substr"), re2_extract),
        "regexp_replace": re2_replace,
        "greatest": null_if_any,
        "least": null_if_any,
        "+": shifted(days_stay=False),
        "-": shifted(days_stay=False),
        "date_diff": weekly_diff(dated("diff", UNITS, (2, 1, 0))),
        "datetime_diff": weekly_diff(dated("diff", (*UNITS, *HOURS), (2, 1, 0))),
        "timestamp_diff": elapsed((*HOURS, "day"), (2, 1, 0)),
        **dict.fromkeys(("timestamp_add", "timestamp_sub", "datetime_add", "datetime_sub"), moved_moment),
        "date_add": moved_date,
        "date_sub": moved_date,
        "date_trunc": weekly_trunc(date_trunc(UNITS, of_date="DATE", unit_at=1)),
        **dict.fromkeys(
            ("timestamp_trunc", "datetime_trunc"),
            weekly_trunc(date_trunc((*UNITS, *HOURS), of_date="TIMESTAMP", unit_at=1)),
        ),
        **dict.fromkeys(
            ("format_date", "format_datetime", "format_timestamp"),
            formatted({**LETTERS, **WHOLE}, value_at=1),
        ),
        "parse_date": parsed("DATE", 1, WHOLE),
        "parse_datetime": parsed("TIMESTAMP", 1, WHOLE),
        "parse_timestamp": parsed("TIMESTAMPTZ", 1, WHOLE),
        "last_day": last_day,
        "fraction": wide_fractions,
        "type": typed({"int": "BIGINT", "real": "DOUBLE"}),
    },
    reasons={
        "item:bare": "write OFFSET(i), from 0, or ORDINAL(i), from 1",
        "trim": "it takes other white space too",
        "array_agg": "it refuses NULL there, and keeps it in the reference",
        "any_value": "which row it takes is chance",
        "current_date": "it is not the same twice",
        "approx_count_distinct": "an estimate is not the same everywhere",
    },
    nan_equal=False,
    aliases=frozenset({"place", "group", "having", "qualify"}),
    decimal=(38, 9),
    nan_first=True,
    place_of_rows=0,
    without_nulls=frozenset({"array_agg"}),
    units=dict.fromkeys(("week", *FIRST_DAYS), "week"),
)
