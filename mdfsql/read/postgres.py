"""PostgreSQL, a session in UTC."""

from __future__ import annotations

from sqlglot import exp

from mdfsql.read.common import (
    ASCII_CASE,
    BLANKS,
    COMMON,
    CONSTANTS,
    DATES_OF_TEXT,
    DEVIATIONS,
    GUARDED_DIVISION,
    MOMENTS_OF_TEXT,
    SINGLE_SUMS,
    SPACE,
    date_trunc,
    like,
    numbers_of_text,
    refused,
    rlike,
    shifted,
    substring,
    whole,
)
from mdfsql.read.meaning import Call, Dialect, build, kind, literal, meanings, written

__all__ = ["dialect"]

TABLE = f"""
/(int, int) wider = $1 // $2
/(real, number) DOUBLE = {GUARDED_DIVISION.replace("$1 /", "CAST($1 AS DOUBLE) /")}
/(int, real) DOUBLE = {GUARDED_DIVISION}
/(number, number) refused = a quotient of NUMERIC has digits of its own there: divide CAST(a AS double precision)
%(int, int) wider
mod(int, int) wider = $1 % $2
div(int, int) refused = it gives NUMERIC there: write a / b
+(date, int) DATE = $1 + CAST($2 AS INTEGER)
-(date, int) DATE = $1 - CAST($2 AS INTEGER)
-(date, date) BIGINT
+(timestamp, interval) $1
-(timestamp, interval) $1
+(instant, interval) $1
-(instant, interval) $1
concat(text...) VARCHAR
concat_ws(text, text...) VARCHAR
replace(text, text, text) VARCHAR
char_length(text) BIGINT = length($1)
character_length(text) BIGINT = length($1)
strpos(text, text) BIGINT = instr($1, $2)
position(text, text) BIGINT = instr($1, $2)
left(text, int) VARCHAR
right(text, int) VARCHAR
btrim(text) VARCHAR = trim($1, ' ')
repeat(text, int) VARCHAR
starts_with(text, text) BOOLEAN
md5(text) VARCHAR
greatest(same, same...) wider
least(same, same...) wider
ceil(real) DOUBLE = ceil(CAST($1 AS DOUBLE))
ceiling(real) DOUBLE = ceil(CAST($1 AS DOUBLE))
floor(real) DOUBLE = floor(CAST($1 AS DOUBLE))
round(real) DOUBLE = round_even(CAST($1 AS DOUBLE), 0)
round(decimal, int!) $1
round(decimal) $1
trunc(real) DOUBLE = trunc(CAST($1 AS DOUBLE))
sqrt(real) DOUBLE = CASE WHEN $1 < 0 THEN error('square root of a negative number') ELSE sqrt(CAST($1 AS DOUBLE)) END
ln(real) DOUBLE = CASE WHEN $1 <= 0 THEN error('logarithm of zero or less') ELSE ln(CAST($1 AS DOUBLE)) END
log(real) DOUBLE = CASE WHEN $1 <= 0 THEN error('logarithm of zero or less') ELSE log10(CAST($1 AS DOUBLE)) END
extract:dow(day) DECIMAL(38,0) = dayofweek($1)
extract:isodow(day) DECIMAL(38,0) = isodow($1)
extract:doy(day) DECIMAL(38,0) = dayofyear($1)
extract:week(day) DECIMAL(38,0) = week($1)
make_date(int, int, int) DATE
cardinality(list) BIGINT = len($1)
item(list, int!) item$1 = list_extract($1, $2 + 1)
rows:generate_series(int, int) BIGINT = generate_series($1, $2)
extract:year(day) DECIMAL(38,0) = year($1)
extract:quarter(day) DECIMAL(38,0) = quarter($1)
extract:month(day) DECIMAL(38,0) = month($1)
extract:day(day) DECIMAL(38,0) = day($1)
extract:hour(moment) DECIMAL(38,0) = hour($1)
extract:minute(moment) DECIMAL(38,0) = minute($1)
sum(long) DECIMAL(38,0)
avg(exact) refused = an average is NUMERIC there, with digits of its own: avg(CAST(x AS double precision))
string_agg(text, text!) VARCHAR
array_agg(any) [$1]
bool_and(bool) BOOLEAN
bool_or(bool) BOOLEAN
every(bool) BOOLEAN = bool_and($1)
cast:bool(int) $to
cast:int(bool) $to
cast:int(real) $to = CAST(round_even(CAST($1 AS DOUBLE), 0) AS $to)
cast:int(decimal) $to = CAST(round($1) AS $to)
cast:decimal(decimal) $to
cast:text(bool) $to
cast:text(decimal) $to
cast:text(timestamp) $to
cast:timestamp(instant) $to
cast:instant(timestamp) $to
cast:instant(date) $to
"""


def split_part(call: Call) -> exp.Expr:
    value, by, place = call.arguments if len(call.arguments) == 3 else [call.node] * 3
    if kind(value) not in ("text", "null") or not literal(by) or not whole(place):
        call.refuse("it is read for text, a constant that is not empty, and a constant place from 1 on")
    made = written("split_part($1, $2, $3)", call.arguments)
    made.type = build("VARCHAR")
    return made


UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")

dialect = Dialect(
    name="postgres",
    table=meanings(
        CONSTANTS,
        TABLE,
        SINGLE_SUMS,
        DEVIATIONS,
        BLANKS,
        numbers_of_text(SPACE),
        DATES_OF_TEXT,
        MOMENTS_OF_TEXT,
        ASCII_CASE,
        COMMON,
    ),
    rules={
        "like": like(escapes=True),
        "rlike": rlike,
        "substring": substring,
        "substr": substring,
        "split_part": split_part,
        "+": shifted(days_stay=False),
        "-": shifted(days_stay=False),
        "date_trunc": date_trunc(UNITS, of_date="TIMESTAMPTZ"),
        "exponent": refused("a number with an exponent is NUMERIC there: cast it to double precision as text"),
    },
    reasons={
        "now": "it is not the same twice",
        "to_char": "its patterns are the dialect's own",
        "to_date": "its patterns are the dialect's own",
        "age": "intervals of months and days differ",
    },
    sorts="collated",
    collations=frozenset({"c", "posix", "ucs_basic"}),
    bytes_are_text=True,
    nested_equal=True,
)
