"""MySQL 8 with its modes as they are at first."""

from __future__ import annotations

from mdfsql.read.common import (
    ASCII_CASE,
    BLANKS,
    COMMON,
    CONSTANTS,
    SINGLE_SUMS,
    WIDE_INTEGERS,
    concat,
    moved_date,
    null_if_any,
    refused,
    substring,
    typed,
)
from mdfsql.read.meaning import Dialect, meanings

__all__ = ["dialect"]

TABLE = """
/(real, number) DOUBLE = CASE WHEN $2 = 0 THEN CAST(NULL AS DOUBLE) ELSE CAST($1 AS DOUBLE) / $2 END
/(int, real) DOUBLE = CASE WHEN $2 = 0 THEN CAST(NULL AS DOUBLE) ELSE $1 / CAST($2 AS DOUBLE) END
/(number, number) refused = a quotient has four more digits there: divide CAST(a AS DOUBLE)
div(int, int) BIGINT = CASE WHEN $2 = 0 THEN NULL ELSE CAST($1 AS BIGINT) // $2 END
%(int, int) wider = CASE WHEN $2 = 0 THEN NULL ELSE $1 % $2 END
mod(int, int) wider = CASE WHEN $2 = 0 THEN NULL ELSE $1 % $2 END
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

dialect = Dialect(
    name="mysql",
    table=meanings(CONSTANTS, TABLE, SINGLE_SUMS, BLANKS, ASCII_CASE, WIDE_INTEGERS, COMMON),
    rules={
        "concat": concat,
        "greatest": null_if_any,
        "least": null_if_any,
        "substring": substring,
        "substr": substring,
        "date_add": moved_date,
        "date_sub": moved_date,
        "type": typed({"int": "BIGINT", "instant": "TIMESTAMP"}),
        **dict.fromkeys(("like", "replace", "instr", "locate", "position"), refused(COLLATION)),
    },
    reasons={"rand": "it is not the same twice", "now": "it is not the same twice"},
    sorts="folded",
    aliases=frozenset({"place", "group", "having"}),
    decimal=(10, 0),
    of_seconds=0,
)
