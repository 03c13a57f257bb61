"""Spark SQL as Spark 4 means it: ANSI rules, a session in UTC, TIMESTAMP a moment in time."""

from __future__ import annotations

import re

from sqlglot import exp

from mdfsql.lower.exact_text import SAFE_LETTERS
from mdfsql.read.common import (
    BLANKS,
    COMMON,
    CONSTANTS,
    GUARDED_DIVISION,
    NUMBER,
    SPACE,
    array,
    cast_of_text,
    concat,
    dated,
    like,
    numbers_of_text,
    shifted,
    whole,
)
from mdfsql.read.meaning import Call, Dialect, build, kind, literal, meaning_of, meanings, written
from mdfsql.read.patterns import groups, java

__all__ = ["dialect"]

# The letters of which engines make the same, as this library writes them.
SAFE = re.sub(r"\\u([0-9A-F]{4})", r"\\x{\1}", SAFE_LETTERS)


def in_case(name: str, form: str) -> str:
    """Return the line of a function that changes the case of letters: it raises for those that engines disagree on."""
    message = f"error('{form}(): engines disagree on a letter of ' || $1)"
    return f"{name}(text) VARCHAR = CASE WHEN NOT regexp_matches($1, '{SAFE}') THEN {message} ELSE {form}($1) END"


TABLE = rf"""
/(int, int) DOUBLE = {GUARDED_DIVISION}
/(real, number) DOUBLE = {GUARDED_DIVISION.replace("$1 /", "CAST($1 AS DOUBLE) /")}
/(int, real) DOUBLE = {GUARDED_DIVISION.replace("/ $2", "/ CAST($2 AS DOUBLE)")}
/(number, number) refused = a quotient of decimals has digits of its own there: divide CAST(a AS DOUBLE)
div(int, int) BIGINT = CAST($1 AS BIGINT) // $2
%(int, int) wider
%(real, number) DOUBLE = CASE WHEN $2 = 0 AND $1 IS NOT NULL THEN error('division by zero')
    ELSE CAST($1 AS DOUBLE) % CAST($2 AS DOUBLE) END
mod(int, int) wider = $1 % $2
pmod(int, int) wider = CASE WHEN $1 % $2 < 0 THEN ($1 % $2 + $2) % $2 ELSE $1 % $2 END
+(date, int) DATE = CAST($1 AS DATE) + CAST($2 AS INTEGER)
+(int, date) DATE = $2 + CAST($1 AS INTEGER)
-(date, int) DATE = $1 - CAST($2 AS INTEGER)
-(day, day) refused = a difference of days is an interval there: write datediff(a, b)
+(moment, interval) $1
-(moment, interval) $1
ilike(text, text!) refused = which letters are the same but for their case is not the same in both

{in_case("upper", "upper")}
{in_case("ucase", "upper")}
{in_case("lower", "lower")}
{in_case("lcase", "lower")}
char_length(text) BIGINT = length($1)
character_length(text) BIGINT = length($1)
len(text) BIGINT = length($1)
instr(text, text) BIGINT
locate(text, text) BIGINT = instr($2, $1)
position(text, text) BIGINT = instr($1, $2)
startswith(text, text) BOOLEAN = starts_with($1, $2)
endswith(text, text) BOOLEAN = suffix($1, $2)
contains(text, text) BOOLEAN
left(text, int) VARCHAR = CASE WHEN $2 <= 0 THEN substring($1, 1, 0) ELSE left($1, $2) END
right(text, int) VARCHAR = CASE WHEN $2 <= 0 THEN substring($1, 1, 0) ELSE right($1, $2) END
repeat(text, int) VARCHAR
trim(text, text) VARCHAR
trim:leading(text) VARCHAR = ltrim($1, ' ')
trim:leading(text, text) VARCHAR = ltrim($1, $2)
trim:trailing(text) VARCHAR = rtrim($1, ' ')
trim:trailing(text, text) VARCHAR = rtrim($1, $2)
btrim(text) VARCHAR = trim($1, ' ')
btrim(text, text) VARCHAR = trim($1, $2)
ltrim(text, text) VARCHAR = ltrim($2, $1)
rtrim(text, text) VARCHAR = rtrim($2, $1)
split_part(text, text, int) VARCHAR = CASE WHEN $1 IS NULL OR $2 IS NULL THEN NULL
    WHEN $3 = 0 THEN error('split_part(): places of parts begin at 1')
    WHEN $2 = '' THEN CASE WHEN abs($3) = 1 THEN $1 WHEN $3 IS NOT NULL THEN '' END
    ELSE split_part($1, $2, $3) END
lpad(text, int) VARCHAR = lpad($1, $2, ' ')
rpad(text, int) VARCHAR = rpad($1, $2, ' ')
concat_ws(text, text...) VARCHAR
replace(text, text, text) VARCHAR
md5(text) VARCHAR

nvl(same, same) wider = COALESCE($1, $2)
ifnull(same, same) wider = COALESCE($1, $2)
nvl2(any, same, same) wider = CASE WHEN $1 IS NOT NULL THEN $2 ELSE $3 END
if(bool, same, same) wider = CASE WHEN $1 THEN $2 ELSE $3 END
iff(bool, same, same) wider = CASE WHEN $1 THEN $2 ELSE $3 END
greatest(same, same...) wider
least(same, same...) wider
isnull(any) BOOLEAN = $1 IS NULL
isnotnull(any) BOOLEAN = NOT $1 IS NULL
isnan(real) BOOLEAN = $1 IS NOT NULL AND isnan($1)
equal_null(same, same) BOOLEAN = $1 IS NOT DISTINCT FROM $2

ceil(int) BIGINT = CAST($1 AS BIGINT)
ceiling(int) BIGINT = CAST($1 AS BIGINT)
floor(int) BIGINT = CAST($1 AS BIGINT)
ceil(real) BIGINT = CAST(CEIL($1) AS BIGINT)
ceiling(real) BIGINT = CAST(CEIL($1) AS BIGINT)
floor(real) BIGINT = CAST(FLOOR($1) AS BIGINT)
round(int) $1
round(real) DOUBLE = ROUND(CAST($1 AS DOUBLE))
round(decimal, int!) $1
round(real, int!) refused = it rounds what the number looks like there: round a DECIMAL, or floor(x * 100 + 0.5) / 100
sqrt(number) DOUBLE = CASE WHEN $1 < 0 THEN CAST('NaN' AS DOUBLE) ELSE sqrt($1) END
exp(number) DOUBLE
ln(number) DOUBLE = CASE WHEN $1 <= 0 THEN CAST(NULL AS DOUBLE) ELSE ln($1) END
log(number) DOUBLE = CASE WHEN $1 <= 0 THEN CAST(NULL AS DOUBLE) ELSE ln($1) END
log10(number) DOUBLE = CASE WHEN $1 <= 0 THEN CAST(NULL AS DOUBLE) ELSE log10($1) END
log2(number) DOUBLE = CASE WHEN $1 <= 0 THEN CAST(NULL AS DOUBLE) ELSE log2($1) END
power/pow(number, number) DOUBLE = CASE WHEN $2 <> 0 AND isnan(CAST($2 AS DOUBLE)) THEN CAST('NaN' AS DOUBLE)
    WHEN abs($1) = 1 AND isinf(CAST($2 AS DOUBLE)) THEN CAST('NaN' AS DOUBLE)
    ELSE power(CAST($1 AS DOUBLE), CAST($2 AS DOUBLE)) END
rint(number) DOUBLE = round_even(CAST($1 AS DOUBLE), 0)
sin/cos/tan/asin/acos/atan/sinh/cosh/tanh/cbrt/degrees/radians(number) DOUBLE
pi() DOUBLE
&(int, int) wider
|(int, int) wider
^(int, int) wider
~(int) $1
sign(exact) DOUBLE = CAST(sign($1) AS DOUBLE)
signum(exact) DOUBLE = CAST(sign($1) AS DOUBLE)
sign/signum(real) DOUBLE = CASE WHEN $1 = 0 OR isnan($1) THEN CAST($1 AS DOUBLE) ELSE CAST(sign($1) AS DOUBLE) END

year(day) BIGINT
quarter(day) BIGINT
month(day) BIGINT
day(day) BIGINT
dayofmonth(day) BIGINT = day($1)
dayofyear(day) BIGINT
weekofyear(day) BIGINT = week($1)
extract:week(day) BIGINT = week($1)
dayofweek(day) BIGINT = dayofweek($1) + 1
weekday(day) BIGINT = isodow($1) - 1
hour(moment) BIGINT
minute(moment) BIGINT
second(moment) BIGINT
date(day) DATE = CAST($1 AS DATE)
to_date(day) DATE = CAST($1 AS DATE)
date_add(day, int) DATE = CAST($1 AS DATE) + CAST($2 AS INTEGER)
dateadd(day, int) DATE = CAST($1 AS DATE) + CAST($2 AS INTEGER)
date_sub(day, int) DATE = CAST($1 AS DATE) - CAST($2 AS INTEGER)
datediff(day, day) BIGINT = date_diff('day', CAST($2 AS DATE), CAST($1 AS DATE))
date_diff(day, day) BIGINT = date_diff('day', CAST($2 AS DATE), CAST($1 AS DATE))
last_day(date) DATE
add_months(date, int) DATE = CAST($1 + to_months(CAST($2 AS INTEGER)) AS DATE)
make_date(int, int, int) DATE

size(list) BIGINT = len($1)
cardinality(list) BIGINT = len($1)
array_size(list) BIGINT = len($1)
array_contains(list, any) BOOLEAN = CASE WHEN $1 IS NULL OR $2 IS NULL THEN CAST(NULL AS BOOLEAN)
    WHEN list_contains($1, $2) THEN TRUE
    WHEN len(list_filter($1, lambda x: x IS NULL)) > 0 THEN CAST(NULL AS BOOLEAN) ELSE FALSE END
item(list, int) item$1 = CASE WHEN $2 < 0 OR $2 >= len($1) THEN error('no such item of the array')
    ELSE list_extract($1, $2 + 1) END
element_at(list, int) item$1 = CASE WHEN $2 = 0 OR abs($2) > len($1) THEN error('no such item of the array')
    ELSE list_extract($1, $2) END
try_element_at(list, int) item$1 = CASE WHEN $2 = 0 THEN error('places of an array begin at 1')
    ELSE list_extract($1, $2) END
slice(list, int, int) $1 = CASE WHEN $2 = 0 OR $3 < 0 THEN error('places of an array begin at 1')
    WHEN $2 > 0 THEN list_slice($1, $2, $2 + $3 - 1)
    WHEN len($1) + $2 < 0 THEN list_slice($1, 1, 0)
    ELSE list_slice($1, len($1) + $2 + 1, len($1) + $2 + $3) END
array_sort(list) $1 = list_sort($1, 'ASC', 'NULLS LAST')
sort_array(list) $1 = list_sort($1, 'ASC', 'NULLS FIRST')
array_max(list) item$1 = list_max($1)
array_min(list) item$1 = list_min($1)
array_position(list, any) BIGINT = CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL
    THEN COALESCE(list_position($1, $2), 0) END
array_repeat(any, int) [$1] = CASE WHEN $2 IS NOT NULL THEN repeat([$1], CASE WHEN $2 > 0 THEN $2 ELSE 0 END) END
sequence(int, int) BIGINT[] = CASE WHEN $1 > $2 THEN generate_series($1, $2, -1) ELSE generate_series($1, $2) END
rows:range(int) BIGINT = range($1)
rows:range(int, int) BIGINT = range($1, $2)
raise_error(text) NULL = error($1)
unix_micros(instant) BIGINT = epoch_us($1)
get(list, int) item$1 = CASE WHEN $2 < 0 THEN NULL ELSE list_extract($1, $2 + 1) END
explode(list) item$1 = unnest($1)
transform(list, lambda) [$2] = list_transform($1, $2)
filter(list, lambda) $1 = list_filter($1, $2)

count_if(bool) BIGINT
sum(null) BIGINT
avg(int) DOUBLE
mean(int) DOUBLE = avg($1)
mean(real) DOUBLE = avg($1)
avg(decimal) refused = an average of decimals has digits of its own there: avg(CAST(x AS DOUBLE))
bool_and(bool) BOOLEAN
every(bool) BOOLEAN = bool_and($1)
bool_or(bool) BOOLEAN
some(bool) BOOLEAN = bool_or($1)
stddev(number) DOUBLE
stddev_samp(number) DOUBLE
stddev_pop(number) DOUBLE
std(number) DOUBLE = stddev($1)
variance(number) DOUBLE
var_samp(number) DOUBLE
var_pop(number) DOUBLE
median(int) DOUBLE
median(real) DOUBLE
collect_list(any) [$1] = COALESCE(list($1) FILTER (WHERE $1 IS NOT NULL), [])
array_agg(any) [$1] = COALESCE(list($1) FILTER (WHERE $1 IS NOT NULL), [])

cast:bool(int) $to
cast:int(bool) $to
cast:int(real) $to = CAST(TRUNC($1) AS $to)
cast:int(decimal) $to = CAST(TRUNC($1) AS $to)
cast:decimal(decimal) $to
cast:decimal(real) refused = it rounds what the number looks like there: round it otherwise first
cast:text(bool) $to
cast:text(decimal) $to
cast:text(real) refused = a float is written differently there: cast it to a DECIMAL first
cast:text(timestamp) $to
cast:text(instant) $to = CAST(CAST($1 AS TIMESTAMP) AS VARCHAR)
cast:timestamp(instant) $to
cast:instant(date) $to
cast:instant(timestamp) $to
cast:real(bool) $to
cast:bool(text) $to = CASE WHEN $1 IS NULL THEN NULL
    WHEN lower(trim($1, ' ')) IN ('true', 't', 'yes', 'y', '1') THEN TRUE
    WHEN lower(trim($1, ' ')) IN ('false', 'f', 'no', 'n', '0') THEN FALSE
    ELSE error('neither true nor false: ' || $1) END
try_cast:int(int) $to
try_cast:int(real) $to = TRY_CAST(TRUNC($1) AS $to)
try_cast:int(decimal) $to = TRY_CAST(TRUNC($1) AS $to)
try_cast:text(int) $to = CAST($1 AS VARCHAR)
try_cast:real(int) $to = CAST($1 AS $to)
try_divide(int, int) DOUBLE = CASE WHEN $2 = 0 THEN CAST(NULL AS DOUBLE) ELSE $1 / $2 END
try_divide(real, real) DOUBLE = CASE WHEN $2 = 0 THEN CAST(NULL AS DOUBLE) ELSE CAST($1 AS DOUBLE) / $2 END
"""

DAY = "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
CLOCK = "([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?"
REAL = rf"{SPACE}({NUMBER}([eE][+-]?[0-9]+)?|(?i:[+-]?inf(inity)?|nan)){SPACE}"
TEXT = (
    cast_of_text("real", REAL, "number")
    + numbers_of_text(SPACE)
    + cast_of_text("date", DAY, "date")
    + "".join(cast_of_text(to, f"{DAY}([ T]{CLOCK})?", "timestamp") for to in ("timestamp", "instant"))
)
SUBSTRING = """
CASE
  WHEN $2 >= 1 THEN substring($1, $2, CASE WHEN $3 < 0 THEN 0 ELSE $3 END)
  WHEN $2 = 0 THEN substring($1, 1, CASE WHEN $3 < 0 THEN 0 ELSE $3 END)
  WHEN $2 >= -length($1) THEN substring($1, length($1) + $2 + 1, CASE WHEN $3 < 0 THEN 0 ELSE $3 END)
  WHEN $3 + length($1) + $2 < 0 THEN substring($1, 1, 0)
  ELSE substring($1, 1, $3 + length($1) + $2)
END
"""
REST = """
CASE WHEN $2 >= 1 THEN substring($1, $2) WHEN $2 >= -length($1) AND $2 < 0 THEN substring($1, length($1) + $2 + 1)
WHEN $2 IS NULL THEN NULL ELSE $1 END
"""


def substring(call: Call) -> exp.Expr:
    value, *places = call.arguments
    if kind(value) not in ("text", "null") or any(kind(p) not in ("int", "null") for p in places):
        call.refuse("it is read for text and whole numbers only")
    first = whole(places[0])
    if first is not None and all(whole(p) is not None for p in places):
        # Position 0 is the first letter there, as 1 is.
        plain = [exp.Literal.number(max(first, 1)), *(p.copy() for p in places[1:])]
        made: exp.Expr = exp.Anonymous(this="substring", expressions=[value.copy(), *plain])
    else:
        made = written(SUBSTRING if len(places) == 2 else REST, call.arguments)
    made.type = build("VARCHAR")
    return made


def padded(call: Call) -> exp.Expr:
    if len(call.arguments) == 3 and not literal(call.arguments[2]):
        call.refuse("it is read with a constant to fill with, which is not empty")
    value, width, *fill = call.arguments
    if kind(value) not in ("text", "null") or kind(width) != "int":
        call.refuse("it is read for text only")
    made = exp.Anonymous(this=call.name, expressions=[value, width, *(fill or [exp.Literal.string(" ")])])
    made.type = build("VARCHAR")
    return made


UNITS = {
    **dict.fromkeys(("year", "yyyy", "yy"), "year"),
    "quarter": "quarter",
    **dict.fromkeys(("month", "mon", "mm"), "month"),
    "week": "week",
}
SMALLER = {**dict.fromkeys(("day", "dd"), "day"), "hour": "hour", "minute": "minute", "second": "second"}


def trunc(call: Call) -> exp.Expr:
    value, *unit = call.arguments
    known = UNITS.get((literal(unit[0]) or "").lower()) if len(unit) == 1 else None
    if known is None or kind(value) not in ("date", "timestamp", "instant"):
        call.refuse("it is read for a day and a constant unit from a week to a year")
    made = written(f"CAST(date_trunc('{known}', $1) AS DATE)", [value])
    made.type = build("DATE")
    return made


def date_trunc(call: Call) -> exp.Expr:
    known = (UNITS | SMALLER).get((literal(call.arguments[0]) or "").lower()) if len(call.arguments) == 2 else None
    if known is None or kind(call.arguments[1]) not in ("date", "timestamp", "instant"):
        call.refuse("it is read for a constant unit from a second to a year, and a day or moment")
    made = written(f"date_trunc('{known}', CAST($1 AS TIMESTAMPTZ))", [call.arguments[1]])
    made.type = build("TIMESTAMPTZ")
    return made


def timestampadd(call: Call) -> exp.Expr:
    """Return a moment moved by a count of units: a date becomes a moment."""
    if len(call.arguments) == 3 and kind(call.arguments[2]) == "date":
        made = written("CAST($1 AS TIMESTAMPTZ)", call.arguments[2:])
        made.type = build("TIMESTAMPTZ")
        call = Call(call.node, call.name, [*call.arguments[:2], made])
    return dated("add", WHOLE_UNITS, (0, 1, 2))(call) or call.node


WHOLE_UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")


LETTERS = {
    "yyyy": "%Y",
    "yy": "%y",
    "MM": "%m",
    "dd": "%d",
    "HH": "%H",
    "hh": "%I",
    "mm": "%M",
    "ss": "%S",
    "SSSSSS": "%f",
    "SSS": "%g",
    "DDD": "%j",
    "MMM": "%b",
    "MMMM": "%B",
    "a": "%p",
    "E": "%a",
    "EEE": "%a",
    "EEEE": "%A",
}


def date_format(call: Call) -> exp.Expr:
    value, pattern = call.arguments if len(call.arguments) == 2 else (call.node, call.node)
    parts = re.findall(r"([A-Za-z])(\1*)|([^A-Za-z']+)|(')", literal(pattern) or "'")
    made_of = [
        LETTERS.get(first + more) if first else text.replace("%", "%%") or None for first, more, text, _ in parts
    ]
    if None in made_of or kind(value) not in ("date", "timestamp", "instant"):
        call.refuse(f"it is read for a day or moment and the letters {' '.join(LETTERS)}")
    shape = exp.Literal.string("".join(part or "" for part in made_of))
    made = written("strftime(CAST($1 AS TIMESTAMP), $2)", [value, shape])
    made.type = build("VARCHAR")
    return made


def to_date(call: Call) -> exp.Expr:
    value, *pattern = call.arguments
    if pattern and literal(pattern[0]) != "yyyy-MM-dd":
        call.refuse("it is read with the pattern yyyy-MM-dd only")
    if kind(value) not in ("text", "date", "timestamp", "instant") or (pattern and kind(value) != "text"):
        call.refuse("it is read for text and days only")
    digits = "{2}" if pattern else "{1,2}"
    made = (
        written(
            f"CASE WHEN $1 IS NULL OR regexp_full_match($1, '[0-9]{{4}}-[0-9]{digits}-[0-9]{digits}') "
            "THEN CAST($1 AS DATE) ELSE error('no date: ' || $1) END",
            [value],
        )
        if kind(value) == "text"
        else written("CAST($1 AS DATE)", [value])
    )
    made.type = build("DATE")
    return made


def pattern_of(call: Call, node: exp.Expr, *, to_the_end: bool = False) -> exp.Expr:
    text = literal(node)
    known = java(text, to_the_end=to_the_end) if text is not None else None
    if known is None:
        call.refuse("a pattern is read if it is a constant of letters, classes, groups and counts")
    return exp.Literal.string(known)


def rlike(call: Call) -> exp.Expr:
    """Return whether a text holds a pattern."""
    if len(call.arguments) != 2 or kind(call.arguments[0]) not in ("text", "null"):
        call.refuse("it is read for text and a pattern")
    value, pattern = call.arguments
    made = written("regexp_matches($1, $2)", [value, pattern_of(call, pattern, to_the_end=True)])
    made.type = build("BOOLEAN")
    return made


def regexp_extract(call: Call) -> exp.Expr:
    """Return what a group of the first match holds: the first group where none is named."""
    if len(call.arguments) not in (2, 3) or kind(call.arguments[0]) not in ("text", "null"):
        call.refuse("it is read for text, a pattern and a group")
    value, pattern, *group = call.arguments
    known, number = pattern_of(call, pattern), whole(group[0]) if group else 1
    if number is None or number > groups(known.name):
        call.refuse("it is read for a constant group that the pattern has")
    made = written("regexp_extract($1, $2, $3)", [value, known, exp.Literal.number(number)])
    made.type = build("VARCHAR")
    return made


def regexp_replace(call: Call) -> exp.Expr:
    if len(call.arguments) != 3 or kind(call.arguments[0]) not in ("text", "null"):
        call.refuse("it is read for text, a pattern and a replacement")
    value, pattern, by = call.arguments
    text = literal(by)
    known = pattern_of(call, pattern)
    if text is None or "$" in text or "\\" in text:
        call.refuse("a replacement is read if it is a constant without $ and \\")
    if re.search(r"[*?|]|\{0", known.name):
        call.refuse("patterns that may match nothing replace differently: it is read without * ? and |")
    made = written("regexp_replace($1, $2, $3, 'g')", [value, known, by])
    made.type = build("VARCHAR")
    return made


def split(call: Call) -> exp.Expr:
    text = literal(call.arguments[1]) if len(call.arguments) == 2 else None
    if not text or re.search(r"[\\.$^*+?()\[\]{}|]", text) or kind(call.arguments[0]) not in ("text", "null"):
        call.refuse("it splits by a pattern there: it is read for a constant that holds no signs of patterns")
    made = written("string_split($1, $2)", call.arguments)
    made.type = build("VARCHAR[]")
    return made


# Functions of days, whose text is cast to a date.
OF_DAYS = (
    *("year", "quarter", "month", "day", "dayofmonth", "dayofyear", "weekofyear", "dayofweek", "weekday"),
    *("date_add", "date_sub", "datediff", "date_diff", "last_day", "add_months"),
)


def _as_day(value: exp.Expr) -> exp.Expr:
    day = build("DATE")
    return meaning_of(dialect, Call(exp.Cast(this=value.copy(), to=day.copy()), "cast:date", [value]), day)


def of_days(call: Call) -> exp.Expr | None:
    if "text" not in [kind(a) for a in call.arguments]:
        return None
    given = [_as_day(a.copy()) if kind(a) == "text" else a.copy() for a in call.arguments]
    fresh = exp.Anonymous(this=call.name, expressions=given)
    fresh.meta.update(call.node.meta)
    return meaning_of(dialect, Call(fresh, call.name, list(fresh.expressions)))


CHANCE = "it is not the same twice"
ROW = "which row it takes is chance: take min() or max(), or first_value() OVER (ORDER BY ...)"

dialect = Dialect(
    name="spark",
    table=meanings(CONSTANTS, TABLE, BLANKS, TEXT, COMMON),
    rules={
        "+": shifted(days_stay=True),
        "-": shifted(days_stay=True),
        "array": array,
        "concat": concat,
        "like": like(escapes=True),
        "substring": substring,
        "substr": substring,
        "lpad": padded,
        "rpad": padded,
        "trunc": trunc,
        "timestampadd": timestampadd,
        "date_trunc": date_trunc,
        "date_format": date_format,
        "to_date": to_date,
        "rlike": rlike,
        "regexp": rlike,
        "regexp_like": rlike,
        "regexp_extract": regexp_extract,
        "regexp_replace": regexp_replace,
        **dict.fromkeys(OF_DAYS, of_days),
        "split": split,
    },
    reasons={
        **dict.fromkeys(("rand", "randn", "uuid", "now", "current_timestamp", "current_date", "shuffle"), CHANCE),
        **dict.fromkeys(("first", "last", "any_value", "first_value", "last_value"), ROW),
        "collect_set": "the order of its items is chance",
        "approx_count_distinct": "an estimate is not the same everywhere: count(DISTINCT x)",
        "percentile_approx": "an estimate is not the same everywhere",
    },
    column_of_rows="id",
    aliases=frozenset({"place", "select", "group", "having"}),
    decimal=(10, 0),
    nested_equal=True,
    rows_are_structs=True,
    in_forgets_null=True,
    digits_only=True,
)
