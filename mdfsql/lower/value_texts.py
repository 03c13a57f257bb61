"""Values as text, in the reference's spelling."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from mdfsql.lower.nested_values import lambda_, named, over, variable
from mdfsql.lower.rules import call, case, cast, is_null, kind, null, number, paren, raised, refuse, text
from mdfsql.lower.value_types import element_type

__all__ = ["SPELLED", "value_text"]

TEXT = exp.DataType.build("VARCHAR")


def value_text(value: exp.Expr) -> exp.Expr:
    """Return a value as the text that the reference makes of it; what has none that is shown to agree is refused."""
    spell = SPELLED.get(kind(value))
    if spell is None:
        what = "AN UNTYPED VALUE" if kind(value) == "unknown" else kind(value).upper()
        refuse(f"{what} as text", "engines spell it each in its own way")
    return spell(value)


def _plain(value: exp.Expr) -> exp.Expr:
    return cast(value, "VARCHAR")


# ---- moments -----------------------------------------------------------------------------------------------------


def _moment(value: exp.Expr) -> exp.Expr:
    """Spell a moment: there, a year before the first has no era, and one of five digits a plus."""
    plain = cast(value, "VARCHAR")
    while isinstance(value, exp.Paren):
        value = value.this
    if isinstance(value, exp.Cast) and isinstance(value.this, exp.Literal):
        return plain
    year = call("YEAR", value, type="INTEGER")
    before = call("FORMAT_STRING", "%04d", exp.Sub(this=number(1), expression=year))
    parts = [before, call("DATE_FORMAT", value, "-MM-dd"), text(" (BC)")]
    if kind(value) != "date":
        parts += [text(" "), call("SUBSTRING_INDEX", plain, " ", -1)]
    return case(
        (exp.Between(this=year.copy(), low=number(1), high=number(9999)), plain),
        (exp.GT(this=year.copy(), expression=number(9999)), call("SUBSTRING", plain, 2, type="VARCHAR")),
        default=call("CONCAT", *parts, type="VARCHAR"),
    )


def _utc(value: exp.Expr) -> exp.Expr:
    return call("CONCAT", _moment(value), "+00", type="VARCHAR")


# ---- floats ------------------------------------------------------------------------------------------------------
# The reference writes the fewest digits that are read back as the same number.


def _size(value: exp.Expr) -> exp.Expr:
    return call("ABS", cast(value, "DOUBLE"), type="DOUBLE")


def _at_least(value: exp.Expr, other: float) -> exp.Expr:
    return exp.GTE(this=_size(value), expression=number(other))


def _below(value: exp.Expr, other: float) -> exp.Expr:
    return exp.LT(this=_size(value), expression=number(other))


def _within(value: exp.Expr, low: float, high: float) -> exp.Expr:
    return exp.And(this=_at_least(value, low), expression=_below(value, high))


def _rounded(value: exp.Expr, digits: int) -> exp.Expr:
    """Return a number with so many digits: 1.50e+00."""
    return call("FORMAT_STRING", f"%.{digits - 1}e", value, type="VARCHAR")


def _reads_back(digits: exp.Expr, value: exp.Expr, type_: str) -> exp.Expr:
    return exp.EQ(this=cast(digits, type_), expression=cast(value, type_))


def _shaped(digits: exp.Expr, value: exp.Expr) -> exp.Expr:
    """Return the digits as the reference writes them: with an exponent only beyond 16 places, and below 0.0001."""
    whole = cast(cast(digits, "DECIMAL(38,21)"), "VARCHAR")
    plain = call("REGEXP_REPLACE", whole, "([.][0-9]+?)0*$", "$1", type="VARCHAR")
    scaled = call("REGEXP_REPLACE", digits, "[.]?0*e", "e", type="VARCHAR")
    return case((_within(value, 1e-4, 1e16), plain), default=scaled)


def _ends(value: exp.Expr, least: float) -> list[tuple[exp.Expr, exp.Expr]]:
    """Return the branches for what is no plain number: zeros, the infinities, NaN, and numbers of few bits."""
    zero, infinite = number(0.0), number(float("inf"))
    signed = case((exp.GT(this=value.copy(), expression=zero), text("inf")), default=text("-inf"))
    nan = "the text of a NaN has a sign that does not show: CASE WHEN isnan(x) THEN 'nan' ELSE ... END"
    return [
        (is_null(value), null()),
        (exp.EQ(this=value.copy(), expression=zero.copy()), cast(value, "VARCHAR")),
        (exp.GT(this=value.copy(), expression=infinite), raised(nan)),
        (exp.EQ(this=_size(value), expression=infinite.copy()), signed),
        (_below(value, least), raised("a number so near to 0 has no text that all engines share")),
    ]


def _double(value: exp.Expr) -> exp.Expr:
    return named(value, _double_text, TEXT)


def _double_text(value: exp.Expr) -> exp.Expr:
    few, many, most = (_rounded(value, digits) for digits in (15, 16, 17))
    # Java's own digits are wrong in some places, and the reference's for some powers of 2.
    doubtful = exp.Or(this=exp.Paren(this=_within(value, 1.9e25, 3.9e25)), expression=_power_of_2(value))
    return case(
        *_ends(value, 2.2250738585072014e-308),
        (_reads_back(few, value, "DOUBLE"), _shaped(few, value)),
        (_within(value, 1e17, 2.0**63), _whole(value)),
        (doubtful, raised("the digits of this number are not the same on all engines: round it")),
        (_reads_back(many, value, "DOUBLE"), _shaped(many, value)),
        (_reads_back(most, value, "DOUBLE"), _shaped(most, value)),
        default=raised("this number has no text that all engines share"),
    )


def _whole(value: exp.Expr) -> exp.Expr:
    """Return the digits of a whole number of 18 or 19 digits, of which Java knows too many."""
    rounded = [call("ROUND", cast(value, "BIGINT"), -places, type="BIGINT") for places in (3, 2, 1)]
    chosen = case(*((_reads_back(r, value, "DOUBLE"), r) for r in rounded[:2]), default=rounded[2])
    digits = call("REGEXP_REPLACE", cast(chosen, "VARCHAR"), "^(-?[0-9])([0-9]*?)0*$", "$1.$2e+", type="VARCHAR")
    return call("CONCAT", digits, case((_below(value, 1e18), text("17")), default=text("18")), type="VARCHAR")


def _power_of_2(value: exp.Expr) -> exp.Expr:
    """Return the condition that a number very large or small is a power of 2."""
    power = call("POWER", number(2.0), call("RINT", call("LOG2", _size(value))), type="DOUBLE")
    same = exp.EQ(this=power, expression=_size(value))
    far = exp.Not(this=exp.Paren(this=_within(value, 1e-23, 1e24)))
    return exp.Paren(this=exp.And(this=far, expression=same))


def _float(value: exp.Expr) -> exp.Expr:
    return named(value, _float_text, TEXT)


def _float_text(value: exp.Expr) -> exp.Expr:
    tried = [_rounded(value, digits) for digits in (6, 7, 8, 9)]
    exact = _reads_back(tried[-1], value, "DOUBLE")
    # Where the nearest texts are equally near, the reference takes the digits of the DOUBLE.
    tie = exp.Paren(this=exp.Or(this=exact, expression=exp.Paren(this=_within(value, 2.0**23, 1e19))))
    message = "FLOAT as text: engines round its digits each in its own way; CAST it to DOUBLE"
    branches = []
    for digits in tried:
        other = exp.Not(this=_reads_back(digits, value, "DOUBLE"))
        doubtful = exp.Or(this=exp.Paren(this=exp.And(this=other, expression=tie)), expression=_power_of_2(value))
        made = case((doubtful, raised(message)), default=_shaped(digits, value))
        branches.append((_reads_back(digits, value, "FLOAT"), made))
    return case(*_ends(value, 1.17549435e-38), *branches, default=raised(message))


# ---- nested values -----------------------------------------------------------------------------------------------

# Text within a list or a struct stands in quotes where it could be taken for something else.
QUOTED = r"""^$|^[ \t\n\x0B\f\r]|[ \t\n\x0B\f\r]$|['"(),:=\[\]\\{}]|^(?i:null)$"""


def _part(value: exp.Expr) -> exp.Expr:
    """Return the text of a part of a nested value."""
    made = value_text(value)
    if kind(value) in ("text", "date", "timestamp", "timestamptz"):
        escaped = call("REGEXP_REPLACE", made, r"(['\\])", r"\\$1", type="VARCHAR")
        quoted = call("CONCAT", "'", escaped, "'", type="VARCHAR")
        made = case((call("RLIKE", made, QUOTED, type="BOOLEAN"), quoted), default=made)
    spelled = exp.Coalesce(this=made, expressions=[text("NULL")])
    spelled.type = made.type
    return spelled


def _list(value: exp.Expr) -> exp.Expr:
    parts = over("TRANSFORM", value, _part(variable(element_type(value))))
    return call("CONCAT", "[", call("ARRAY_JOIN", parts, ", "), "]", type="VARCHAR")


def _struct(value: exp.Expr) -> exp.Expr:
    parts: list[exp.Expr | str] = []
    assert value.type is not None
    for field in value.type.expressions:
        if not field.name:
            refuse("a STRUCT without names as text", "it is not shown to agree there")
        name = field.name.replace("\\", "\\\\").replace("'", "\\'")
        part = exp.Dot(this=paren(value), expression=exp.to_identifier(field.name, quoted=True))
        part.type = field.args["kind"]
        parts += [f"{', ' if parts else ''}'{name}': ", _part(part)]
    return case((is_null(value), null()), default=call("CONCAT", "{", *parts, "}", type="VARCHAR"))


def _map(value: exp.Expr) -> exp.Expr:
    assert value.type is not None
    pair = []
    for name, dtype in zip(("key", "value"), value.type.expressions, strict=True):
        part = exp.Dot(this=variable(None), expression=exp.to_identifier(name))
        part.type = dtype
        pair.append(_part(part))
    items = exp.Anonymous(
        this="TRANSFORM", expressions=[call("MAP_ENTRIES", value), lambda_(call("CONCAT", pair[0], "=", pair[1]))]
    )
    return call("CONCAT", "{", call("ARRAY_JOIN", items, ", "), "}", type="VARCHAR")


SPELLED: dict[str, Callable[[exp.Expr], exp.Expr]] = {
    **dict.fromkeys(("null", "text", "bool", "int", "decimal"), _plain),
    **dict.fromkeys(("date", "timestamp"), _moment),
    "timestamptz": _utc,
    "double": _double,
    "float": _float,
    "list": _list,
    "struct": _struct,
    "map": _map,
}
