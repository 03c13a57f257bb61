"""Snowflake with its parameters as they are at first, a session in UTC."""

from __future__ import annotations

from sqlglot import exp

from mdfsql.read.common import (
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
    typed,
)
from mdfsql.read.formats import NUMBERED, spelled
from mdfsql.read.meaning import Call, Dialect, meanings, wider
from mdfsql.read.texts import CASE, REVERSED, ilike, padded, pieces, places
from mdfsql.read.times import DATE_OF_PARTS, last_day, part

__all__ = ["dialect"]

TABLE = f"""
/(real, number) DOUBLE = {GUARDED_DIVISION.replace("$1 /", "CAST($1 AS DOUBLE) /")}
/(int, real) DOUBLE = {GUARDED_DIVISION}
/(number, number) refused = a quotient of NUMBER has digits of its own there: divide a::double
%(int, int) wider
mod(int, int) wider = $1 % $2
+(date, int) DATE = $1 + CAST($2 AS INTEGER)
+(int, date) DATE = $2 + CAST($1 AS INTEGER)
-(date, int) DATE = $1 - CAST($2 AS INTEGER)
-(date, date) BIGINT
div0(real, number) DOUBLE = CASE WHEN $2 = 0 THEN 0 * CAST($1 AS DOUBLE)
    ELSE CAST($1 AS DOUBLE) / CAST($2 AS DOUBLE) END
sign(exact) BIGINT = CAST(sign($1) AS BIGINT)
square(real) DOUBLE = CAST($1 AS DOUBLE) * CAST($1 AS DOUBLE)
nvl(same, same) wider = COALESCE($1, $2)
ifnull(same, same) wider = COALESCE($1, $2)
nvl2(any, same, same) wider = CASE WHEN $1 IS NOT NULL THEN $2 ELSE $3 END
iff(bool, same, same) wider = CASE WHEN $1 THEN $2 ELSE $3 END
zeroifnull(number) $1 = COALESCE($1, 0)
nullifzero(int) $1 = NULLIF($1, 0)
equal_null(same, same) BOOLEAN = $1 IS NOT DISTINCT FROM $2
len(text) BIGINT = length($1)
contains(text, text) BOOLEAN
charindex(text, text) BIGINT = instr($2, $1)
position(text, text) BIGINT = instr($1, $2)
left(text, int!) VARCHAR
right(text, int!) VARCHAR
repeat(text, int!) VARCHAR
ltrim(text, text) VARCHAR
rtrim(text, text) VARCHAR
trim(text, text) VARCHAR
to_varchar/to_char(int) VARCHAR = CAST($1 AS VARCHAR)
to_varchar/to_char(bool) VARCHAR = CAST($1 AS VARCHAR)
to_varchar/to_char(text) VARCHAR = $1
to_varchar/to_char(date) VARCHAR = CAST($1 AS VARCHAR)
to_date(day) DATE = CAST(CAST($1 AS TIMESTAMP) AS DATE)
date(day) DATE = CAST(CAST($1 AS TIMESTAMP) AS DATE)
to_timestamp(date) TIMESTAMP = CAST($1 AS TIMESTAMP)
to_timestamp(timestamp) TIMESTAMP = $1
to_timestamp(int) TIMESTAMP = CAST(to_timestamp($1) AS TIMESTAMP)
booland(bool, bool) BOOLEAN = $1 AND $2
boolor(bool, bool) BOOLEAN = $1 OR $2
boolnot(bool) BOOLEAN = NOT $1
boolxor(bool, bool) BOOLEAN = $1 <> $2
startswith(text, text) BOOLEAN = starts_with($1, $2)
endswith(text, text) BOOLEAN = suffix($1, $2)
ceil(int) $1 = $1
floor(int) $1 = $1
ceil(real) DOUBLE = ceil(CAST($1 AS DOUBLE))
floor(real) DOUBLE = floor(CAST($1 AS DOUBLE))
round(real) DOUBLE = round(CAST($1 AS DOUBLE))
round(decimal, int!) $1
second(moment) BIGINT
extract:second(moment) BIGINT = second($1)
extract:dayofyear(day) BIGINT = dayofyear($1)
# Weeks are those of ISO as long as the parameters are as they are at first; days of them are counted from Sunday, 0.
dayofweek(day) BIGINT
extract:dayofweek(day) BIGINT = dayofweek($1)
week/weekofyear/weekiso(day) BIGINT = week($1)
extract:week/extract:weekiso(day) BIGINT = week($1)
yearofweek/yearofweekiso(day) BIGINT = isoyear($1)
extract:yearofweek/extract:yearofweekiso(day) BIGINT = isoyear($1)
extract:epoch_second(day) BIGINT = epoch_us(date_trunc('second', CAST($1 AS TIMESTAMP))) // 1000000
date_from_parts/datefromparts(int, int, int) DATE = {DATE_OF_PARTS}
add_months(date, int) DATE = CAST(CASE WHEN $1 = last_day($1) THEN last_day($1 + to_months(CAST($2 AS INTEGER)))
    ELSE $1 + to_months(CAST($2 AS INTEGER)) END AS DATE)
monthname(day) VARCHAR = strftime(CAST($1 AS TIMESTAMP), '%b')
dayname(day) VARCHAR = strftime(CAST($1 AS TIMESTAMP), '%a')
extract:dayofweekiso(day) BIGINT = isodow($1)
dayofweekiso(day) BIGINT = isodow($1)
hour(moment) BIGINT
minute(moment) BIGINT
last_day(date) DATE
avg(exact) refused = an average of NUMBER has digits of its own there: avg(x::double)
count_if(bool) BIGINT
boolor_agg(bool) BOOLEAN = bool_or($1)
booland_agg(bool) BOOLEAN = bool_and($1)
boolxor_agg(bool) BOOLEAN = count_if($1) = 1
bitand_agg/bit_and_agg(int) BIGINT = bit_and($1)
bitor_agg/bit_or_agg(int) BIGINT = bit_or($1)
bitxor_agg/bit_xor_agg(int) BIGINT = bit_xor($1)
bitand(int, int) wider = $1 & $2
bitor(int, int) wider = $1 | $2
bitxor(int, int) wider = xor($1, $2)
bitnot(int) $1 = ~$1
within:listagg(text, text!) VARCHAR
listagg(text) VARCHAR = COALESCE(string_agg($1, ''), '')
listagg(text, text!) VARCHAR = COALESCE(string_agg($1, $2), '')
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
UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")
OTHERS = {
    **dict.fromkeys(("y", "yy", "yyy", "yyyy", "yr", "years", "yrs"), "year"),
    **dict.fromkeys(("q", "qtr", "qtrs", "quarters"), "quarter"),
    **dict.fromkeys(("mm", "mon", "mons", "months"), "month"),
    **dict.fromkeys(("w", "wk", "weekofyear", "woy", "wy"), "week"),
    **dict.fromkeys(("d", "dd", "days", "dayofmonth"), "day"),
    **dict.fromkeys(("h", "hh", "hr", "hours", "hrs"), "hour"),
    **dict.fromkeys(("m", "mi", "min", "minutes", "mins"), "minute"),
    **dict.fromkeys(("s", "sec", "seconds", "secs"), "second"),
}
WORDS = NUMBERED | {"MON": "%b", "MMMM": "%B", "DY": "%a", "AM": "%p", "PM": "%p", "FF3": "%g", "FF6": "%f"}
PARTS = OTHERS | {
    **{name: name for name in ("dayofweek", "dayofweekiso", "dayofyear", "weekiso", "yearofweek", "yearofweekiso")},
    **dict.fromkeys(("dow", "dw", "weekday"), "dayofweek"),
    **dict.fromkeys(("dayofweek_iso", "weekday_iso", "dow_iso", "dw_iso"), "dayofweekiso"),
    **dict.fromkeys(("doy", "dy", "yearday"), "dayofyear"),
    **dict.fromkeys(("week_iso", "weekofyeariso", "weekofyear_iso"), "weekiso"),
    **dict.fromkeys(("epoch", "epoch_second", "epoch_seconds"), "epoch_second"),
}


def decode(call: Call) -> exp.Expr:
    """Return the result beside the first value that the given one is, where NULL is like NULL."""
    if len(call.arguments) < 3:
        call.refuse("it is read with a value, and pairs of a value and a result")
    given, *rest = call.arguments
    default = rest.pop() if len(rest) % 2 else exp.null()
    values, results = rest[::2], rest[1::2]
    dtype = wider([r.type for r in (*results, *([default] if default.type else []))])
    if dtype is None or any(wider([given.type, v.type]) is None for v in values):
        call.refuse("its values and results are read if they are of the same kinds")
    made = exp.Case(
        ifs=[
            exp.If(this=exp.NullSafeEQ(this=given.copy(), expression=v.copy()), true=r.copy())
            for v, r in zip(values, results, strict=True)
        ],
        default=default.copy(),
    )
    made.type = dtype
    return made


FRAME = "without a frame it sees the whole partition there: write ROWS BETWEEN ..."

dialect: Dialect = Dialect(
    name="snowflake",
    table=meanings(
        CONSTANTS,
        TABLE,
        BLANKS,
        numbers_of_text(""),
        DATES_OF_TEXT,
        MOMENTS_OF_TEXT,
        YEARS,
        CASE,
        REVERSED,
        WIDE_INTEGERS,
        COMMON,
    ),
    rules={
        "like": like(escapes=False),
        "concat": concat,
        "replace": replaced,
        "ilike": ilike,
        **dict.fromkeys(("substring", "substr"), places(zero="first", below="end", beyond="empty")),
        **dict.fromkeys(("lpad", "rpad"), padded),
        "split_part": pieces("split_part($1, $2, $3)", "VARCHAR"),
        "decode": decode,
        "date_part": part(lambda: dialect, PARTS),
        **dict.fromkeys(("to_char", "to_varchar"), spelled(WORDS, any_case=True)),
        "last_day": last_day,
        "greatest": null_if_any,
        "least": null_if_any,
        **dict.fromkeys(("datediff", "timestampdiff", "timediff"), dated("diff", UNITS, (0, 1, 2), OTHERS)),
        **dict.fromkeys(("dateadd", "timestampadd", "timeadd"), dated("add", UNITS, (0, 1, 2), OTHERS)),
        "date_trunc": date_trunc(UNITS, of_date="DATE", others=OTHERS),
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
    units=PARTS,
)
