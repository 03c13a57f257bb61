"""What means the same in all dialects that are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from sqlglot import exp

from mdfsql.read.meaning import Call, Rule, build, kind, literal, wider, written

__all__ = [
    "ASCII_CASE",
    "BLANKS",
    "COMMON",
    "CONSTANTS",
    "DEVIATIONS",
    "SINGLE_SUMS",
    "GUARDED_DIVISION",
    "PATTERN",
    "DATES_OF_TEXT",
    "MOMENTS_OF_TEXT",
    "NUMBER",
    "numbers_of_text",
    "SPACE",
    "TIME",
    "cast_of_text",
    "WIDE_INTEGERS",
    "YEARS",
    "array",
    "concat",
    "date_trunc",
    "dated",
    "like",
    "moment_of",
    "moved_date",
    "null_if_any",
    "pattern_of",
    "refused",
    "replaced",
    "rlike",
    "shifted",
    "unlike_nan",
    "whole",
    "wide_fractions",
    "typed",
    "weeks_between",
]

# A line: name(kinds of the arguments) type [= form in the reference's dialect, where that is another].
# Operators: "=" and "<" stand for all comparisons, "item" for x[i], "cast:KIND" for CAST.
COMMON = """
=(same, same) BOOLEAN
<(same, same) BOOLEAN
not(bool) BOOLEAN
neg(number) $1
+(number, number) sum
-(number, number) sum
*(number, number) product
||(text, text) VARCHAR
coalesce(same...) wider
nullif(same, same) $1
abs(number) $1
length(text) BIGINT
row_number() BIGINT
rank() BIGINT
dense_rank() BIGINT
percent_rank() DOUBLE
cume_dist() DOUBLE
ntile(int!) BIGINT
lag(any) $1
lag(any, int!) $1
lag(same, int!, same) $1
lead(any) $1
lead(any, int!) $1
lead(same, int!, same) $1
first_value(any) $1
last_value(any) $1
nth_value(any, int!) $1
grouping(any) BIGINT
count(*) BIGINT
count(any) BIGINT
sum(int) BIGINT
sum(decimal) total
sum(real) DOUBLE
min(any) $1
max(any) $1
avg(real) DOUBLE
extract:year(day) BIGINT = year($1)
extract:quarter(day) BIGINT = quarter($1)
extract:month(day) BIGINT = month($1)
extract:day(day) BIGINT = day($1)
extract:hour(moment) BIGINT = hour($1)
extract:minute(moment) BIGINT = minute($1)
cast:bool(bool) $to
cast:int(int) $to
cast:int(null) $to
cast:decimal(int) $to
cast:real(int) $to
cast:real(decimal) $to
cast:real(real) $to
cast:text(text) $to
cast:text(int) $to
cast:text(date) $to
cast:date(date) $to
cast:date(timestamp) $to
cast:date(instant) $to = CAST(CAST($1 AS TIMESTAMP) AS DATE)
cast:timestamp(date) $to
cast:timestamp(timestamp) $to
cast:instant(instant) $to
"""

# Text that is the same value in every dialect; tried before what a dialect says of any text.
CONSTANTS = """
cast:bool(text!) constant
cast:date(text!) constant
cast:timestamp(text!) constant
cast:instant(text!) constant
cast:int(text!) constant
cast:decimal(text!) constant
cast:real(text!) constant
"""


def cast_of_text(to: str, pattern: str, what: str) -> str:
    """Return the line of a cast of text: what is not written plainly raises, so that it is never another value."""
    return rf"""
cast:{to}(text) $to = CASE WHEN $1 IS NULL OR regexp_full_match($1, '{pattern}') THEN CAST($1 AS $to)
    ELSE error('no {what}: ' || $1) END"""


SPACE = r"[ \t\n\r]*"
NUMBER = r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)"
TIME = "[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?"


def numbers_of_text(space: str) -> str:
    """Return the lines of casts of text to numbers, with what may stand around them."""
    return (
        cast_of_text("int", rf"{space}[+-]?[0-9]+{space}", "whole number")
        + cast_of_text("real", rf"{space}{NUMBER}([eE][+-]?[0-9]+)?{space}", "number")
        + cast_of_text("decimal", rf"{space}{NUMBER}{space}", "number")
    )


DATES_OF_TEXT = cast_of_text("date", "[0-9]{4}-[0-9]{2}-[0-9]{2}", "date")
MOMENTS_OF_TEXT = "".join(
    cast_of_text(to, f"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}( {TIME})?", "timestamp") for to in ("timestamp", "instant")
)

# Letters beyond ASCII are made upper and lower by other tables of letters everywhere.
ASCII_CASE = "".join(
    rf"""
{name}(text) VARCHAR = CASE WHEN regexp_matches($1, '[^\x00-\x7F]')
    THEN error('{name}() of letters beyond ASCII differs') ELSE {name}($1) END"""
    for name in ("upper", "lower")
)

BLANKS = """
trim(text) VARCHAR = trim($1, ' ')
ltrim(text) VARCHAR = ltrim($1, ' ')
rtrim(text) VARCHAR = rtrim($1, ' ')
"""

DEVIATIONS = """
stddev(real) DOUBLE
stddev_samp(real) DOUBLE
stddev_pop(real) DOUBLE
variance(real) DOUBLE
var_samp(real) DOUBLE
var_pop(real) DOUBLE
"""

SINGLE_SUMS = """
sum(single) refused = a sum of 32-bit floats is one of 32 bits there: sum a wider type
avg(single) refused = an average of 32-bit floats is one of 32 bits there: cast to a wider type
"""

YEARS = """
year/quarter/month/day/dayofyear(day) BIGINT
dayofmonth(day) BIGINT = day($1)
"""

# Whole numbers are of 64 bits at least, also those that are written out.
WIDE_INTEGERS = """
+(int, int) BIGINT = CAST($1 AS BIGINT) + CAST($2 AS BIGINT)
-(int, int) BIGINT = CAST($1 AS BIGINT) - CAST($2 AS BIGINT)
*(int, int) BIGINT = CAST($1 AS BIGINT) * CAST($2 AS BIGINT)
"""

# Division by zero is an error, which it is not in the reference.
GUARDED_DIVISION = "CASE WHEN $2 = 0 AND $1 IS NOT NULL THEN error('division by zero') ELSE $1 / $2 END"


def concat(call: Call) -> exp.Expr:
    """Return concat(): NULL where any argument is."""
    if not call.arguments or any(kind(a) not in ("text", "null") for a in call.arguments):
        call.refuse("it is read for text only: dialects write other values differently; cast them")
    made = call.arguments[0].copy()
    for argument in call.arguments[1:]:
        made = exp.DPipe(this=made, expression=argument.copy(), safe=True)
    made.type = build("VARCHAR")
    return made


def replaced(call: Call) -> exp.Expr:
    """Return replace() of a constant that is not empty: what stands before each letter is one in some dialects."""
    if (
        len(call.arguments) != 3
        or not literal(call.arguments[1])
        or {kind(a) for a in call.arguments} - {"text", "null"}
    ):
        call.refuse("it is read for text and a constant to replace, which is not empty")
    made = written("replace($1, $2, $3)", call.arguments)
    made.type = build("VARCHAR")
    return made


def whole(node: exp.Expr) -> int | None:
    """Return the value of a whole number that is written out, or None."""
    return int(node.this) if isinstance(node, exp.Literal) and not node.is_string and node.this.isdigit() else None


# Patterns that all libraries read alike: letters, classes and counts; no dot, $ or backslash.
PATTERN = re.compile(
    r"\^?(?:[A-Za-z0-9 _,;:/@#%&=<>!~'\"-]|\[[A-Za-z0-9 _]+(?:-[a-z0-9A-Z])?[A-Za-z0-9 _]*\]|[*+?|()])*"
)


def pattern_of(call: Call, node: exp.Expr) -> str:
    """Return a constant pattern that means the same everywhere."""
    text = literal(node)
    if text is None or not PATTERN.fullmatch(text) or re.search(r"[*+?]{2}|\(\?|\(\)|\|\||^\||\|$|\(\||\|\)", text):
        call.refuse("a pattern is read if it is a constant of letters, classes and counts, without . $ and \\")
    return text


def rlike(call: Call) -> exp.Expr:
    """Return whether a text holds a pattern."""
    if len(call.arguments) != 2 or kind(call.arguments[0]) not in ("text", "null"):
        call.refuse("it is read for text and a pattern")
    value, pattern = call.arguments
    made = written("regexp_matches($1, $2)", [value, exp.Literal.string(pattern_of(call, pattern))])
    made.type = build("BOOLEAN")
    return made


def null_if_any(call: Call) -> exp.Expr:
    """Return greatest() or least(), NULL where any argument is."""
    dtype = wider([a.type if kind(a) != "unknown" else None for a in call.arguments])
    if dtype is None or kind(dtype) == "real":
        call.refuse("it is read for whole numbers, decimals, text and days of one kind: NaN has no one place")
    known = exp.or_(*(exp.Is(this=a.copy(), expression=exp.null()) for a in call.arguments))
    made = exp.Case(
        ifs=[exp.If(this=known, true=exp.null())],
        default=exp.Anonymous(this=call.name, expressions=[a.copy() for a in call.arguments]),
    )
    made.type = dtype
    return made


def dated(
    form: str, units: Iterable[str], names: tuple[int, int, int], others: Mapping[str, str] | None = None
) -> Rule:
    """Return the rule of a function of a unit and two more arguments, at the places that ``names`` tells.

    ``others`` are further names of units.
    """

    def rule(call: Call) -> exp.Expr:
        if len(call.arguments) != 3:
            call.refuse("it is read with a unit and two more arguments")
        unit, one, two = (call.arguments[place] for place in names)
        known = (literal(unit) or "").lower()
        known = (others or {}).get(known, known)
        if known not in units:
            call.refuse(f"it is read for the units {', '.join(units)}")
        if form == "add":
            return moved(call, known, one, two)
        one, two = moment_of(one), moment_of(two)
        if not {kind(one), kind(two)} <= {"date", "timestamp", "instant"}:
            call.refuse("it is read for days and moments only")
        made = written(weeks_between(0) if known == "week" else f"date_diff('{known}', $1, $2)", [one, two])
        made.type = build("BIGINT")
        return made

    return rule


def moment_of(value: exp.Expr) -> exp.Expr:
    """Return a constant that is a plain day or moment as one: where a dialect takes days, it reads text as them."""
    text = literal(value)
    if text is None or not re.fullmatch(r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2}:\d{2}(\.\d{1,6})?)?", text):
        return value
    made = exp.Cast(this=exp.Literal.string(text), to=build("TIMESTAMP"))
    made.type = build("TIMESTAMP")
    return made


def weeks_between(later: int) -> str:
    """Return the form of how often a week begins between two days: on a Monday, or so many days before one.

    The reference counts weeks that are over.
    """
    first, second = (f"date_trunc('week', CAST(${place} AS DATE) + {later})" for place in (1, 2))
    return f"date_diff('day', CAST({first} AS DATE), CAST({second} AS DATE)) // 7"


def moved_date(call: Call) -> exp.Expr:
    """Return DATE_ADD or DATE_SUB of a date and an INTERVAL."""
    value, interval = call.arguments if len(call.arguments) == 2 else (call.node, call.node)
    if kind(value) != "date" or kind(interval) != "interval":
        call.refuse("it is read for a date and an INTERVAL")
    if has_hours(interval):
        call.refuse("a date has no hours")
    made = written(f"CAST($1 {'+' if call.name == 'date_add' else '-'} $2 AS DATE)", [value, interval])
    made.type = build("DATE")
    return made


def has_hours(interval: exp.Expr) -> bool:
    """Tell whether an INTERVAL of a single unit is shorter than a day, as one whose unit is not known may be."""
    unit = interval.args["unit"].name if isinstance(interval, exp.Interval) else interval.meta.get("unit", "second")
    return str(unit).upper().removesuffix("S") in ("HOUR", "MINUTE", "SECOND")


def moved(call: Call, unit: str, count: exp.Expr, value: exp.Expr) -> exp.Expr:
    """Return a day or moment moved by a count of units: a date stays one."""
    if kind(count) != "int" or kind(value) not in ("date", "timestamp", "instant"):
        call.refuse("it is read for a whole number, and a day or moment")
    if kind(value) == "date" and unit in ("hour", "minute", "second"):
        call.refuse("hours of a date make another type in each dialect: cast it first")
    form = f"$1 + to_{unit}s(CAST($2 AS INTEGER))"
    made = written(f"CAST({form} AS DATE)" if kind(value) == "date" else form, [value, count])
    made.type = value.type
    return made


def shifted(days_stay: bool) -> Rule:
    """Return the rule of + and - with an INTERVAL: whether a date that is moved by days is still one."""

    def rule(call: Call) -> exp.Expr | None:
        value, interval = call.arguments
        if kind(value) != "date" or kind(interval) != "interval":
            return None
        if not days_stay:
            made = written(f"$1 {call.name} $2", [value, interval])
            made.type = build("TIMESTAMP")
            return made
        if has_hours(interval):
            call.refuse("hours make a moment of a date there: cast it first")
        made = written(f"CAST($1 {call.name} $2 AS DATE)", [value, interval])
        made.type = build("DATE")
        return made

    return rule


def date_trunc(units: Iterable[str], of_date: str, unit_at: int = 0, others: Mapping[str, str] | None = None) -> Rule:
    """Return the rule of date_trunc(): which units, what else they are called, and the type that a date becomes."""

    def rule(call: Call) -> exp.Expr:
        if len(call.arguments) != 2:
            call.refuse("it is read with a unit and a day or moment")
        unit, value = call.arguments[unit_at], call.arguments[1 - unit_at]
        known = (literal(unit) or "").lower()
        known = (others or {}).get(known, known)
        if known not in units or kind(value) not in ("date", "timestamp", "instant"):
            call.refuse(f"it is read for the units {', '.join(units)} and a day or moment")
        if kind(value) == "date":
            if known in ("hour", "minute", "second") and of_date == "DATE":
                call.refuse("a date has no hours")
            made = written(f"CAST(date_trunc('{known}', $1) AS {of_date})", [value])
            made.type = build(of_date)
        else:
            made = written(f"date_trunc('{known}', $1)", [value])
            made.type = value.type
        return made

    return rule


def unlike_nan(call: Call) -> exp.Expr | None:
    """Return a comparison in which NaN is like nothing, not even itself."""
    if "real" not in [kind(a) for a in call.arguments]:
        return None
    if not {kind(a) for a in call.arguments} <= {"int", "decimal", "real", "null"}:
        return None
    if isinstance(call.node, (exp.NullSafeEQ, exp.NullSafeNEQ)):
        call.refuse("NaN is like itself or not in each dialect")
    nan = "isnan(CAST($1 AS DOUBLE)) OR isnan(CAST($2 AS DOUBLE))"
    signs: dict[type[exp.Expr], str] = {
        exp.EQ: "=",
        exp.NEQ: "<>",
        exp.LT: "<",
        exp.LTE: "<=",
        exp.GT: ">",
        exp.GTE: ">=",
    }
    sign = signs[type(call.node)]
    unlike = "TRUE" if sign == "<>" else "FALSE"
    made = written(
        f"CASE WHEN $1 IS NULL OR $2 IS NULL THEN NULL WHEN {nan} THEN {unlike} ELSE $1 {sign} $2 END", call.arguments
    )
    made.type = build("BOOLEAN")
    return made


def typed(kinds: Mapping[str, str]) -> Rule:
    """Return the rule of types: those of a kind that it names are all the same one."""

    def rule(call: Call) -> exp.Expr:
        name = kinds.get(kind(call.node))
        return build(name) if name else call.node

    return rule


def wide_fractions(call: Call) -> exp.Expr:
    """Return a number that is written with a point: a float."""
    made = exp.Cast(this=exp.Literal.string(call.node.name), to=build("DOUBLE"))
    made.type = build("DOUBLE")
    return made


def refused(why: str) -> Rule:
    """Return the rule that refuses."""

    def rule(call: Call) -> exp.Expr:
        call.refuse(why)

    return rule


def array(call: Call) -> exp.Expr:
    """Return a list of the arguments."""
    item = wider([a.type for a in call.arguments])
    if item is None or not call.arguments:
        call.refuse("its items are of types that dialects put together differently")
    if any(isinstance(a.unnest(), exp.Query) for a in call.arguments):
        call.refuse("a query in it gives one item or all")
    made = exp.Array(expressions=[a.copy() for a in call.arguments])
    made.type = exp.DataType(this=exp.DType.LIST, expressions=[item.copy()], nested=True)
    return made


def like(escapes: bool, classes: bool = False) -> Callable[[Call], exp.Expr]:
    """Return the rule of LIKE: whether a backslash escapes, and whether [a-z] stands for letters."""

    def rule(call: Call) -> exp.Expr:
        if not isinstance(call.node, exp.Like):
            call.refuse("it is read as an operator only")
        value, pattern = call.arguments
        if kind(value) not in ("text", "null"):
            call.refuse("it is read for text only")
        text = literal(pattern)
        if text is None:
            call.refuse("a pattern that is no constant may hold what escapes there")
        if classes and "[" in text:
            call.refuse("a pattern with [ stands for letters of a class there")
        made: exp.Expr = call.node
        if escapes and "\\" in text:
            if not re.fullmatch(r"(?:[^\\]|\\[\\%_])*", text):
                call.refuse("a backslash in a pattern escapes only %, _ and itself")
            made = exp.Escape(this=made, expression=exp.Literal.string("\\"))
        made.type = build("BOOLEAN")
        return made

    return rule
