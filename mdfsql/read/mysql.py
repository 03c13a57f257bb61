"""MySQL 8 with its modes as they are at first."""

from __future__ import annotations

from sqlglot import exp

from mdfsql.read.common import (
    BLANKS,
    COMMON,
    CONSTANTS,
    SINGLE_SUMS,
    WIDE_INTEGERS,
    concat,
    moved_date,
    null_if_any,
    refused,
    typed,
)
from mdfsql.read.formats import C_LETTERS, formatted
from mdfsql.read.meaning import Call, Dialect, kind, meanings
from mdfsql.read.texts import CASE, REVERSED, padded, places
from mdfsql.read.times import elapsed, moved_moment

__all__ = ["dialect"]

TABLE = """
/(real, number) DOUBLE = CASE WHEN $2 = 0 THEN CAST(NULL AS DOUBLE) ELSE CAST($1 AS DOUBLE) / $2 END
/(int, real) DOUBLE = CASE WHEN $2 = 0 THEN CAST(NULL AS DOUBLE) ELSE $1 / CAST($2 AS DOUBLE) END
/(number, number) refused = a quotient has four more digits there: divide CAST(a AS DOUBLE)
div(int, int) BIGINT = CASE WHEN $2 = 0 THEN NULL ELSE CAST($1 AS BIGINT) // $2 END
%(int, int) wider = CASE WHEN $2 = 0 THEN NULL ELSE $1 % $2 END
mod(int, int) wider = CASE WHEN $2 = 0 THEN NULL ELSE $1 % $2 END
not(int) BOOLEAN = $1 = 0
isnull(any) BOOLEAN = $1 IS NULL
power/pow(number, number) DOUBLE = CASE WHEN isfinite(CAST($1 AS DOUBLE)) AND NOT isfinite(power($1, $2))
    THEN error('power() is out of range') ELSE power(CAST($1 AS DOUBLE), CAST($2 AS DOUBLE)) END
sqrt(number) DOUBLE = CASE WHEN $1 < 0 THEN CAST(NULL AS DOUBLE) ELSE sqrt(CAST($1 AS DOUBLE)) END
ln/log(number) DOUBLE = CASE WHEN $1 <= 0 THEN CAST(NULL AS DOUBLE) ELSE ln(CAST($1 AS DOUBLE)) END
log2(number) DOUBLE = CASE WHEN $1 <= 0 THEN CAST(NULL AS DOUBLE) ELSE log2(CAST($1 AS DOUBLE)) END
log10(number) DOUBLE = CASE WHEN $1 <= 0 THEN CAST(NULL AS DOUBLE) ELSE log10(CAST($1 AS DOUBLE)) END
sign(exact) BIGINT = CAST(sign($1) AS BIGINT)
left(text, int!) VARCHAR
right(text, int!) VARCHAR
repeat(text, int!) VARCHAR
space(int!) VARCHAR = repeat(' ', $1)
concat_ws(text, text...) VARCHAR
ifnull(same, same) wider = COALESCE($1, $2)
if(bool, same, same) wider = CASE WHEN $1 THEN $2 ELSE $3 END
length(text) BIGINT = strlen($1)
char_length(text) BIGINT = length($1)
character_length(text) BIGINT = length($1)
ceil(int) $1 = $1
ceiling(int) $1 = $1
floor(int) $1 = $1
ceil(real) DOUBLE = ceil(CAST($1 AS DOUBLE))
ceiling(real) DOUBLE = ceil(CAST($1 AS DOUBLE))
floor(real) DOUBLE = floor(CAST($1 AS DOUBLE))
round(decimal, int!) $1
year/month/day/quarter(day) BIGINT
dayofmonth(day) BIGINT = day($1)
dayofyear(day) BIGINT
dayofweek(day) BIGINT = dayofweek($1) + 1
weekday(day) BIGINT = isodow($1) - 1
hour(moment) BIGINT
minute(moment) BIGINT
second(moment) BIGINT
datediff(day, day) BIGINT = date_diff('day', CAST($2 AS DATE), CAST($1 AS DATE))
last_day(date) DATE
date(day) DATE = CAST(CAST($1 AS TIMESTAMP) AS DATE)
weekofyear(day) BIGINT = week($1)
extract:second(moment) BIGINT = second($1)
monthname(day) VARCHAR = strftime(CAST($1 AS TIMESTAMP), '%B')
dayname(day) VARCHAR = strftime(CAST($1 AS TIMESTAMP), '%A')
makedate(int, int!) DATE = CASE WHEN $2 > 0 THEN make_date($1, 1, 1) + CAST($2 AS INTEGER) - 1 END
avg(exact) refused = an average has four more digits there: avg(CAST(x AS DOUBLE))
std(real) DOUBLE = stddev_pop($1)
stddev(real) DOUBLE = stddev_pop($1)
stddev_pop(real) DOUBLE
stddev_samp(real) DOUBLE
variance(real) DOUBLE = var_pop($1)
var_pop(real) DOUBLE
var_samp(real) DOUBLE
cast:int(decimal) $to = CAST(round($1) AS $to)
cast:decimal(decimal) $to
cast:text(decimal) $to
"""


COLLATION = "what letters are the same depends on a collation there, which folds their case as it is at first"


def moved_day(call: Call) -> exp.Expr:
    """Return DATE_ADD or DATE_SUB of a date or a moment, and an INTERVAL."""
    moment = len(call.arguments) == 2 and kind(call.arguments[0]) in ("timestamp", "instant")
    return moved_moment(call) if moment else moved_date(call)


dialect = Dialect(
    name="mysql",
    table=meanings(CONSTANTS, TABLE, SINGLE_SUMS, BLANKS, CASE, REVERSED, WIDE_INTEGERS, COMMON),
    rules={
        "concat": concat,
        "greatest": null_if_any,
        "least": null_if_any,
        **dict.fromkeys(("substring", "substr", "mid"), places(zero="empty", below="end", beyond="empty")),
        **dict.fromkeys(("lpad", "rpad"), padded),
        "date_format": formatted(C_LETTERS, value_at=0),
        "timestampdiff": elapsed(("week", "day", "hour", "minute", "second"), (0, 1, 2)),
        **dict.fromkeys(("date_add", "date_sub"), moved_day),
        "type": typed({"int": "BIGINT", "instant": "TIMESTAMP"}),
        **dict.fromkeys(("like", "replace", "instr", "locate", "position"), refused(COLLATION)),
    },
    reasons={"rand": "it is not the same twice", "now": "it is not the same twice"},
    sorts="folded",
    aliases=frozenset({"place", "group", "having"}),
    decimal=(10, 0),
    of_seconds=0,
    numbers_are_true=True,
)
