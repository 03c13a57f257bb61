"""PostgreSQL, a session in UTC."""

from __future__ import annotations

import re

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
    pattern_of,
    refused,
    rlike,
    shifted,
    whole,
)
from mdfsql.read.formats import NUMBERED, spelled
from mdfsql.read.meaning import Call, Dialect, build, kind, literal, meanings, written
from mdfsql.read.texts import REVERSED, ilike, padded, places
from mdfsql.read.times import part

__all__ = ["dialect"]

# What is no number there raises; NaN and infinity that are given stay.
POWER = """CASE WHEN $1 = 0 AND $2 < 0 THEN error('zero to a negative power')
    WHEN isfinite(CAST($1 AS DOUBLE)) AND isfinite(CAST($2 AS DOUBLE)) AND NOT isfinite(power($1, $2))
    THEN error('power() is out of range') ELSE power(CAST($1 AS DOUBLE), CAST($2 AS DOUBLE)) END"""
SIXTH = "CAST(CAST($1 AS DECIMAL(26,0)) * CAST(0.000001 AS DECIMAL(7,6)) AS DECIMAL(38,6))"
SECONDS = SIXTH.replace("$1", "date_part('microseconds', CAST($1 AS TIMESTAMP))")

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
-(timestamp, timestamp) INTERVAL
||(text, int) VARCHAR = $1 || CAST($2 AS VARCHAR)
||(int, text) VARCHAR = CAST($1 AS VARCHAR) || $2
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
sqrt(int) DOUBLE = CASE WHEN $1 < 0 THEN error('square root of a negative number') ELSE sqrt($1) END
power/pow(int, int) DOUBLE = {POWER}
power/pow(real, int) DOUBLE = {POWER}
power/pow(int, real) DOUBLE = {POWER}
power/pow(real, real) DOUBLE = {POWER}
sqrt(real) DOUBLE = CASE WHEN $1 < 0 THEN error('square root of a negative number') ELSE sqrt(CAST($1 AS DOUBLE)) END
ln(real) DOUBLE = CASE WHEN $1 <= 0 THEN error('logarithm of zero or less') ELSE ln(CAST($1 AS DOUBLE)) END
log(real) DOUBLE = CASE WHEN $1 <= 0 THEN error('logarithm of zero or less') ELSE log10(CAST($1 AS DOUBLE)) END
extract:dow(day) DECIMAL(38,0) = dayofweek($1)
extract:isodow(day) DECIMAL(38,0) = isodow($1)
extract:doy(day) DECIMAL(38,0) = dayofyear($1)
extract:week(day) DECIMAL(38,0) = week($1)
extract:isoyear(day) DECIMAL(38,0) = isoyear($1)
extract:second(moment) DECIMAL(38,6) = {SECONDS}
extract:milliseconds(moment) DECIMAL(38,3) = CAST({SECONDS} * 1000 AS DECIMAL(38,3))
extract:microseconds(moment) DECIMAL(38,0) = date_part('microseconds', CAST($1 AS TIMESTAMP))
extract:epoch(day) DECIMAL(38,6) = {SIXTH.replace("$1", "epoch_us(CAST($1 AS TIMESTAMP))")}
make_date(int, int, int) DATE
to_timestamp(int) TIMESTAMPTZ
ltrim(text, text) VARCHAR
rtrim(text, text) VARCHAR
btrim(text, text) VARCHAR = trim($1, $2)
array_length(list, int!) BIGINT = CASE WHEN $2 = 1 AND len($1) > 0 THEN len($1) END
array_position(list, any) BIGINT = list_position($1, $2)
generate_series(int, int) BIGINT = unnest(generate_series($1, $2))
cardinality(list) BIGINT = len($1)
item(list, int!) item$1 = list_extract($1, $2 + 1)
rows:generate_series(int, int) BIGINT = generate_series($1, $2)
rows:generate_series(int, int, int!) BIGINT = generate_series($1, $2, $3)
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


def regexp_replace(call: Call) -> exp.Expr:
    """Return a text with the first match replaced, or all: a pattern without | has one first match everywhere."""
    if len(call.arguments) not in (3, 4) or kind(call.arguments[0]) not in ("text", "null"):
        call.refuse("it is read for text, a pattern, a replacement and flags")
    value, pattern, by, *flags = call.arguments
    text, new, how = pattern_of(call, pattern), literal(by), literal(flags[0]) if flags else ""
    if new is None or "\\" in new or how not in ("", "g") or (how and re.search(r"[*?]", text)) or "|" in text:
        call.refuse("it is read with a constant without a backslash, the flag g or none, and a pattern without |")
    form = "regexp_replace($1, $2, $3" + (", 'g')" if how else ")")
    made = written(form, [value, exp.Literal.string(text), by])
    made.type = build("VARCHAR")
    return made


def string_to_array(call: Call) -> exp.Expr:
    """Return the parts of a text: of one that is empty there are none."""
    if len(call.arguments) != 2 or not literal(call.arguments[1]) or kind(call.arguments[0]) not in ("text", "null"):
        call.refuse("it is read for text and a constant that is not empty")
    form = "CASE WHEN $1 = '' THEN list_slice(string_split($1, $2), 1, 0) ELSE string_split($1, $2) END"
    made = written(form, call.arguments)
    made.type = build("VARCHAR[]")
    return made


def array_to_string(call: Call) -> exp.Expr:
    """Return the items of a list as one text, without those that are NULL."""
    items = call.arguments[0].type if len(call.arguments) == 2 else None
    if items is None or kind(items) != "list" or kind(items.expressions[0]) not in ("text", "int"):
        call.refuse("it is read for a list of text or whole numbers, and what stands between them")
    if not isinstance(call.arguments[1], exp.Literal):
        call.refuse("it is read with a constant between the items")
    made = written("array_to_string($1, $2)", call.arguments)
    made.type = build("VARCHAR")
    return made


UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")

dialect: Dialect = Dialect(
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
        REVERSED,
        COMMON,
    ),
    rules={
        "like": like(escapes=True),
        "rlike": rlike,
        "ilike": ilike,
        **dict.fromkeys(("substring", "substr"), places(zero="before", below="before")),
        **dict.fromkeys(("lpad", "rpad"), padded),
        "regexp_replace": regexp_replace,
        "string_to_array": string_to_array,
        "array_to_string": array_to_string,
        "to_char": spelled(NUMBERED | {"MS": "%g", "US": "%f"}, any_case=False),
        "date_part": part(lambda: dialect, {}, of="DOUBLE"),
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
