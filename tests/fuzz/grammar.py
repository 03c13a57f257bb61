"""The grammar of generated row functions: tables of templates. Adding a construct is adding a row.

In a template ``<int>`` stands for an expression of that type, ``<int.>`` for a column, a constant or a local, and
``<WORD>`` for one of the choices below. ``<x>`` is a name that is new, and ``<bool|int>`` a bool that may depend on it,
as an int. A template in a table that is written twice is drawn twice as often.
"""

from __future__ import annotations

import random
import re

__all__ = ["BLOCKS", "FORMS", "PRELUDE", "RESULTS", "Grammar"]

# Type -> columns, constants.
LEAVES: dict[str, tuple[str, list[str]]] = {
    "int": ("v i k", ["0", "1", "-1", "2", "3", "7", "30", "-7", "True", "LIMIT", "4611686018427387904"]),
    "float": ("x y f", ["0.0", "1.5", "-2.5", "0.1", "30.0", "1e16", "RATE", "0.30000000000000004"]),
    "str": ("s t", ["''", "'a'", "'é'", "'ab'", "WORD", "'x y '", "'🤦🏼'"]),
    "bool": ("b", ["True", "False"]),
    "truth": ("b", ["True", "False"]),
    "date": ("d e", ["DAY"]),
    "timestamp": ("u w", ["MOMENT"]),
    "zone": ("tz", ["NOON"]),
    "delta": ("", ["WEEK", "timedelta(0)", "timedelta(days=1)", "timedelta(hours=-1)", "timedelta(microseconds=7)"]),
    "decimal": ("m n", ["Decimal('1.50')", "PRICE", "Decimal('-7.25')"]),
    "digits": ("q", ["'12'", "' 7 '"]),
    "ints": ("vs ns", []),
    "strs": ("ss", []),
    "floats": ("fs", []),
    "flags": ("bs", []),
}

CHOICES: dict[str, list[str]] = {
    "ADD": ["+", "-", "*"],
    "FLOOR": ["//", "%"],
    "ORDER": ["<", "<=", ">", ">=", "==", "!="],
    "IS": ["is", "is not", "==", "!="],
    "IN": ["in", "not in"],
    "BEST": ["min", "max"],
    "INT": ["2", "3", "-3", "7"],
    "DIVISOR": ["2", "4", "0.5", "3", "100"],
    "START": ["", "0", "1", "2", "-1", "-2", "5"],
    "STOP": ["", "0", "1", "2", "-1", "4"],
    "INTS": ["(1, 2, 30)", "{0, 7}", "[None, 3]", "()", "range(0, 31)", "(1.0, 2.5)", "(True, 5)"],
    "STRS": ["('a', 'ab')", "('',)", "WORDS", "['é', None]"],
    "FLOATS": ["(0.0, 1.5)", "(0, 30)"],
    "DAYS": ["(DAY,)", "(DAY, None)"],
}

# For any type: what chooses between two values of it. <T> is the type.
CHOOSING = [
    "(<T> if <some> else <T>)",
    "(<T> or <T>)",
    "(<T> and <T>)",
    "(<T> if <some> else None)",
    "(<T> or None)",
]

EXPRESSIONS: dict[str, list[str]] = {
    # A value of any type, for its truth.
    "some": [
        *("<int>", "<float>", "<str>", "<bool>", "<bool>", "<bool>", "<date.>", "<timestamp.>", "<truth>", "<truth>"),
        *("<delta>", "<ints>", "<strs>", "<match>", "<decimal.>"),
    ],
    "truth": ["(<some> and <some>)", "(<some> or <some>)", "(not <some>)", "(<some> if <some> else <some>)"],
    "number": ["<int>", "<float>"],
    "int": [
        "(<int> <ADD> <int>)",
        "(<int> <FLOOR> <INT>)",
        "(<int> <FLOOR> <int>)",
        "(-<int>)",
        "len(<str>)",
        "abs(<int>)",
        "<BEST>(<int>, <int>)",
        "int(<float>)",
        "int(<bool>)",
        "round(<float>)",
        "math.floor(<float>)",
        "math.ceil(<float>)",
        "r['d'].<FIELD>",
        "r['u'].<FIELD>",
        "TABLE.get(<str>, <int>)",
        "double(<int>)",
        "clamp(<int>, <int>)",
        "(<bool> <ADD> <int>)",
        "(+<int>)",
        "(-<bool>)",
        "int(<int>)",
        "round(<bool>)",
        "abs(<bool>)",
        "<BEST>(<int>, <int>, <int>)",
        "(TABLE['ab'] + <int>)",
        "stepped(<int>)",
        "<choice int>",
        # of text
        "<str>.find(<str>)",
        "<str>.find(<PART>)",
        "<str>.index(<PART>)",
        "<str>.count(<PART>)",
        "len(<str>.split(<SEP>))",
        "int(<digits>)",
        "int(str(<int>))",
        "int(<digits>.strip())",
        # of dates
        "<date>.<FIELD>",
        "<timestamp>.<CLOCK>",
        "<zone>.<CLOCK>",
        "<date>.<WEEK>()",
        "<timestamp>.<WEEK>()",
        "<delta>.<SPAN>",
        "(<delta> // <delta>)",
        # of numbers
        "(<int> ** <SMALL>)",
        "pow(<int>, 2)",
        "divmod(<int>, <INT>)[0]",
        "divmod(<int>, <int>)[1]",
        "math.trunc(<float>)",
        # of objects
        "CONFIG.scale(<int>)",
        "CONFIG.scale(<int>, by=<int>)",
        "Config.double(<int>)",
        "SLOTS.scaled(<int>)",
        "POINT.moved(<int>)",
        "(<int> <ADD> Level.HIGH.value)",
        "(POINT.x + <int>)",
        # of lists
        "len(<ints>)",
        "len(<strs>)",
        "sum(<ints>)",
        "sum(<flags>)",
        "sum(<int|int> for <x> in <ints>)",
        "sum(<int|int> for <x> in <ints> if <x> is not None)",
        "sum(1 for <x> in <strs> if <bool|str>)",
        "sum(len(<x>) for <x> in <strs>)",
        "<BEST>(<ints>)",
        "<BEST>(<ints>, default=<INT>)",
        "<BEST>((<int|int> for <x> in <ints> if <x> is not None), default=0)",
        "<BEST>((len(<x>) for <x> in <strs>), default=0)",
        "<ints>[<AT>]",
        "(<ints.>[<AT>] if <ints.> else <int>)",
        "r['st']['a']",
        "sum(<x>['k'] for <x> in r['sts'] if <x> is not None)",
    ],
    "float": [
        "(<float> <ADD> <number>)",
        "(<number> <ADD> <float>)",
        "(<number> / <number>)",
        "(<number> / <DIVISOR>)",
        "(-<float>)",
        "abs(<float>)",
        "float(<number>)",
        "float(<bool>)",
        "(<float> <ADD> <bool>)",
        "<BEST>(<float>, <float>)",
        "<choice float>",
        "math.<REAL>(<number>)",
        "math.<REAL>(<float.>)",
        "math.log(<number>, 3)",
        "math.pow(<number>, <POWER>)",
        "math.pow(<float>, <float>)",
        "math.atan2(<float>, <number>)",
        "math.fmod(<float>, <number>)",
        "math.fabs(<number>)",
        "(<float> ** <POWER>)",
        "(math.pi * <float>)",
        "<delta>.total_seconds()",
        "(<delta> / <delta>)",
        "float(<digits>)",
        "<floats>[<AT>]",
    ],
    "str": [
        "(<str> + <str>)",
        "<str>.<STRIP>()",
        "<str>.<STRIP>('ab')",
        "<str>.<STRIP>(None)",
        "<str>.<CASE>()",
        "<str>.replace(<OLD>, <str>)",
        "<str>[<START>:<STOP>]",
        "str(<int>)",
        "str(<bool>)",
        "str(<str>)",
        "str(<float>)",
        "str(<date>)",
        "str(<decimal>)",
        "f'''{<int.>}-{LIMIT}'''",
        "f'''{<bool.>}-{<str.>}'''",
        "f'''{<float.>}'''",
        "f'''{<float.>:<SPEC>}'''",
        "f'''{<int.>:<SPEC>}'''",
        "f'''{<str.>!s}{<date.>}'''",
        "<BEST>(<str>, <str>)",
        "named(<str>, <int>)",
        "<choice str>",
        "(<str> * <TIMES>)",
        "<str>[<AT>]",
        "<str>.removeprefix(<str>)",
        "<str>.removesuffix(<str>)",
        "<str>.removeprefix(<PART>)",
        "<str>.zfill(<WIDTH>)",
        "str(<int>).zfill(<WIDTH>)",
        "<str>.ljust(<WIDTH>)",
        "<str>.rjust(<WIDTH>, '*')",
        "<str>.split(<SEP>)[<AT>]",
        "<str>.partition(<SEP>)[<PLACE>]",
        "<str>.strip().split(',')[0].upper()",
        "','.join([<str>, <str>])",
        "''.join((<str>, 'x', <str>))",
        "','.join(<strs>)",
        "'-'.join(<str|str> for <x> in <strs> if <x> is not None)",
        "', '.join(str(<x>) for <x> in <ints>)",
        "<BEST>(<strs>)",
        "<strs>[<AT>]",
        "(<strs.>[<AT>] if <strs.> else <str>)",
        "r['st']['t']",
        "re.sub(<SUBBED>, 'X', <str>)",
        "PATTERN.sub('w', <str>)",
        "<match>.group()",
        "PATTERN.search(<str>).group(1)",
        "(PATTERN.search(<str.>).group('word') if PATTERN.search(<str.>) else 'none')",
        "first_word(<str>)",
        "(Color.RED.value + <str>)",
        "<date>.isoformat()",
        "<timestamp>.isoformat()",
        "<timestamp>.isoformat(' ')",
        "<zone>.isoformat()",
        "str(<timestamp>)",
        "<date>.strftime(<DAYTEXT>)",
        "<timestamp>.strftime(<FORMATS>)",
        "f'''{<date.>:%d.%m.%y}{<timestamp.>}'''",
    ],
    "date": [
        "<choice date>",
        "(<date> <PLUS> <delta>)",
        "(<date> <PLUS> <delta.>)",
        "(<delta> + <date>)",
        "<date>.replace(<STARTS>)",
        "<timestamp>.date()",
        "<zone>.date()",
        "<BEST>(<date>, <date>)",
    ],
    "timestamp": [
        "<choice timestamp>",
        "(<timestamp> <PLUS> <delta>)",
        "(<timestamp> <PLUS> <delta.>)",
        "<timestamp>.replace(<CUT>)",
        "<BEST>(<timestamp>, <timestamp>)",
    ],
    "zone": [
        "<choice zone>",
        "(<zone> <PLUS> <delta>)",
        "<zone>.replace(<CUT>)",
        "<BEST>(<zone>, <zone>)",
    ],
    "delta": [
        "(<date> - <date>)",
        "(<date> - DAY)",
        "(<timestamp> - <timestamp>)",
        "(<zone> - <zone>)",
        "timedelta(<UNIT>=<int>)",
        "timedelta(<UNIT>=r['k'])",
        "(<delta> <PLUS> <delta>)",
        "(<delta> * <INT>)",
        "<BEST>(<delta>, <delta>)",
        "<choice delta>",
    ],
    "decimal": [
        "(<decimal.> <ADD> <decimal.>)",
        "(<decimal.> <ADD> <int.>)",
        "(<int.> <ADD> <decimal.>)",
        "(<decimal.> * (1 - Decimal('0.05')))",
        "(r['m'] if <some> else PRICE)",
        "(r['m'] or Decimal('2.25'))",
    ],
    "match": ["re.<SEARCH>(<REGEX>, <str>)", "PATTERN.<SEARCH>(<str>)", "re.<SEARCH>(<REGEX>, <str.>)"],
    "ints": [
        "[<int|int> for <x> in <ints>]",
        "[<int|int> for <x> in <ints> if <x> is not None]",
        "[<x> for <x> in <ints> if <bool|int>]",
        "[<x> for <x> in <ints> if <x> is not None and <bool|int>]",
        "[<int|str> for <x> in <strs>]",
        "<ints>[<LOW>:<HIGH>]",
        "list(<ints>)",
        "(<ints.> if <ints.> is not None else [])",
        "(<ints.> or [])",
        "(<ints> if <some> else <ints.>)",
        "r['st']['xs']",
        "[<x>['k'] for <x> in r['sts'] if <x> is not None]",
    ],
    "strs": [
        "[<str|str> for <x> in <strs>]",
        "[<str|str> for <x> in <strs> if <x> is not None]",
        "[<x> for <x> in <strs> if <bool|str>]",
        "[<str|int> for <x> in <ints> if <x> is not None]",
        "[str(<x>) for <x> in <ints>]",
        "<strs>[<LOW>:<HIGH>]",
        "<str>.split(<SEP>)",
        "(<strs.> or [])",
        "(<strs> if <some> else <strs.>)",
    ],
    "floats": ["[<float|float> for <x> in <floats>]", "[<float|int> for <x> in <ints> if <x> is not None]"],
    "flags": ["[<bool|int> for <x> in <ints>]", "[<bool|str> for <x> in <strs> if <x> is not None]"],
    "bool": [
        "(<int> <ORDER> <int>)",
        "(<int> <ORDER> <int>)",
        "(<int> <ORDER> <float>)",
        "(<float> <ORDER> <float>)",
        "(<float> <ORDER> <int>)",
        "(<str> <ORDER> <str>)",
        "(<bool> <ORDER> <bool>)",
        "(<bool> <ORDER> <int>)",
        "(<bool.> <SAME> <YES>)",
        "(<int> <IN> (<int>, 1, <int.>))",
        "(<bool> <IN> <BOOLS>)",
        "(r[<LIST>] <IS> None)",
        "(<date> <ORDER> <date>)",
        "(<timestamp> <ORDER> <timestamp>)",
        "(<decimal> <ORDER> <decimal.>)",
        "(<decimal.> <ORDER> <int.>)",
        "(<decimal.> in (Decimal('1.5'), 30, None))",
        "(<zone> <ORDER> <zone>)",
        "(<delta> <ORDER> <delta>)",
        "(<delta> in (WEEK, timedelta(days=1)))",
        "<str>.<CLASS>()",
        "<match>",
        "(<match> <IS> None)",
        "bool(<match>)",
        "(not <match>)",
        "math.<FINITE>(<float>)",
        "(<float> < math.inf)",
        "CONFIG.keep(r)",
        "(<str> == Color.RED)",
        "(<str> in (Color.RED, Color.BLUE))",
        "(<str> == Shade.DARK)",
        "(<int> <ORDER> Level.HIGH)",
        "(<PART> in <str>.split(<SEP>))",
        "(<int> <IN> <ints>)",
        "(<str> <IN> <strs>)",
        "(<INT> <IN> <ints>)",
        "(<PART> <IN> <strs>)",
        "(None in <ints>)",
        "any(<bool|int> for <x> in <ints>)",
        "all(<bool|int> for <x> in <ints>)",
        "any(<bool|int> for <x> in <ints> if <x> is not None)",
        "all(<bool|str> for <x> in <strs>)",
        "any(<bool|str> for <x> in <strs> if <x> is not None)",
        "any(<x> > 1 for <x> in <floats>)",
        "any([<bool|int> for <x> in <ints>])",
        "<EVERY>(<flags>)",
        "(<ints> <IS> None)",
        "(<ints> and <bool>)",
        "(<ints.> is not None and len(<ints.>) > 1)",
        "(<int> <ORDER> <int> <ORDER> <int>)",
        "(<float> <ORDER> <float> <ORDER> <float>)",
        "(<str> <ORDER> <str> <ORDER> <str>)",
        "(<int.> <IS> None)",
        "(<float.> <IS> None)",
        "(<str.> <IS> None)",
        "(<date.> <IS> None)",
        "(<bool> <IS> None)",
        "(<int> <IS> None)",
        "(<str> <IS> None)",
        "(<bool> and <bool>)",
        "(<bool> or <bool>)",
        "(<bool> and <bool> and <bool>)",
        "(not <some>)",
        "(not <bool>)",
        "bool(<truth>)",
        "bool(<some>)",
        "<choice bool>",
        "(<int> <IN> <INTS>)",
        "(<str> <IN> <STRS>)",
        "(<float> <IN> <FLOATS>)",
        "(<date> <IN> <DAYS>)",
        "(<str> in <str>)",
        "<str>.<AFFIX>('a')",
        "<str>.<AFFIX>(('a', 'é'))",
        "<str>.<AFFIX>(<str>)",
        "math.isnan(<float>)",
        "is_big(<int>)",
        "any(<EACH> for c in ('v', 'i'))",
        "all(r[c] is not None for c in ('v', 's'))",
    ],
}

CHOICES |= {
    "FIELD": ["year", "month", "day"],
    "STRIP": ["strip", "lstrip", "rstrip"],
    "CASE": ["upper", "lower"],
    "OLD": ["'a'", "'é'", "WORD"],
    "SPEC": [".2f", ".0f", ".3f"],
    "AFFIX": ["startswith", "endswith"],
    "SAME": ["is", "is not"],
    "YES": ["True", "False", "None"],
    "BOOLS": ["(True,)", "(True, None)", "(0, 1)"],
    "LIST": ["'vs'", "'ss'", "'st'", "'fs'"],
    "PART": ["'a'", "'ab'", "','", "'é'", "'🤦🏼'"],
    "SEP": ["','", "','", "'a'", "'ab'", "' '"],
    "AT": ["0", "0", "-1", "1", "-2"],
    "PLACE": ["0", "1", "2"],
    "LOW": ["", "0", "1", "2"],
    "HIGH": ["", "0", "1", "2"],
    "TIMES": ["0", "-1", "2", "3"],
    "WIDTH": ["0", "1", "3", "6"],
    "CLASS": ["isdigit", "isdecimal", "isnumeric", "isalpha", "isalnum", "isspace", "isascii"],
    "CLOCK": ["year", "month", "day", "hour", "minute", "second", "microsecond"],
    "WEEK": ["weekday", "isoweekday", "toordinal"],
    "SPAN": ["days", "seconds", "microseconds"],
    "UNIT": ["weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds"],
    "PLUS": ["+", "-"],
    "STARTS": ["day=1", "month=1, day=1"],
    "CUT": ["microsecond=0", "second=0, microsecond=0", "hour=0, minute=0, second=0, microsecond=0"],
    "DAYTEXT": ["'%Y-%m-%d'", "'%d.%m.%y'", "'%j 100%%'", "'%a %A %b %B'"],
    "FORMATS": ["'%H:%M:%S.%f'", "'%I:%M %p'", "'%Y%m%d'"],
    "SMALL": ["1", "2", "3"],
    "POWER": ["2", "3", "1.0", "0.5"],
    "REAL": [
        *("sqrt", "exp", "log", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh"),
        *("degrees", "radians", "cbrt"),
    ],
    "FINITE": ["isnan", "isinf", "isfinite"],
    "EVERY": ["any", "all"],
    "SEARCH": ["search", "match", "fullmatch"],
    "REGEX": [
        *(
            "'a'",
            "'^a'",
            "'b$'",
            r"r'b\Z'",
            "'a|ab$'",
            "'.*'",
            r"r'\d+'",
            r"r'^\w+$'",
            r"r'\s'",
            "'(?i)AB'",
            "'[^a-z]'",
        ),
        *("'a{2,}'", "'(a|b$)'", "'🤦'", r"r'^\S+$'", r"r'\W'", "'a.?b?'"),
    ],
    "SUBBED": ["'a'", "'a|ab'", "'^a'", r"r'\s+'", "'[^a-z]'", "'a+?'"],
    "EACH": ["r[c] is None", "r[c] == 0", "r[c] > 1"],
}

# What a map computes, and the types of locals.
RESULTS = [
    *("int", "int", "float", "float", "str", "str", "bool", "bool", "date", "timestamp"),
    *("zone", "decimal", "ints", "strs", "floats"),
]
ADDED = ("int", "float", "str")
LOCALS = ["int", "int", "float", "str", "bool", "ints", "strs", "date"]

# The dicts that a map gives; <columns> are what it computes.
FORMS: list[str] = [
    "{**r, <columns>}",
    "{**r, <columns>}",
    "r | {<columns>}",
    "{'id': r['id'], **{'one': 1}} | {<columns>}",
    "dict(r, **{<columns>})",
    "{**{k: c for k, c in r.items() if k != 'id'}, <columns>}",
]

# Statements that give <name> a value of type <T>.
BLOCKS: list[str] = [
    "<name> = <T>",
    "<name> = <T>",
    "<name> = other = <T>",
    "<name>, other = <T>, <T>",
    "if <some>:\n    <name> = <T>\nelif <some>:\n    <name> = <T>\nelse:\n    <name> = <T>",
    "if <some>:\n    <name> = <T>\nelse:\n    <name> = <T>",
    "<name> = <T.>\nif <some>:\n    <name> = <T>",
    "<name> = <T.>\n<name> += <T>",
    "match <int>:\n    case 0 | 1:\n        <name> = <T>\n    case other if other > 5:\n        <name> = <T>\n"
    "    case _:\n        <name> = <T>",
    "match <str>:\n    case 'a' | 'ab':\n        <name> = <T>\n    case None:\n        <name> = <T>\n"
    "    case other:\n        <name> = <T>",
    "match (<int.>, <str.>):\n    case (0, _):\n        <name> = <T>\n    case (1 | 2, 'a'):\n        <name> = <T>\n"
    "    case (other, None) if other > 1:\n        <name> = <T>\n    case _:\n        <name> = <T>",
    "<name> = <T>\nmatch <bool.>:\n    case True:\n        <name> = <T>\n    case None:\n        pass",
    "<name> = None\nfor c in (<T.>, <T.>):\n    <name> = <name> or c",
]

PRELUDE = """import datetime
import enum
import math
import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

LIMIT = 45
RATE = 0.75
WORD = "ab"
WORDS = frozenset(["a", "", "日本語"])
TABLE = {"a": 1, "ab": 2, "": 3}
DAY = datetime.date(2024, 2, 29)
MOMENT = datetime.datetime(2024, 2, 29, 23, 59, 59, 999999)
NOON = datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.timezone.utc)
WEEK = timedelta(days=7)
PRICE = Decimal("2.50")
PATTERN = re.compile(r"\\s*(?P<word>[a-z]+)(,)?")


@dataclass(frozen=True)
class Config:
    limit: int = 30
    column: str = "v"

    def keep(self, row):
        return row[self.column] > self.limit

    def scale(self, value, by=2):
        return value * by + self.limit

    @staticmethod
    def double(value):
        return value * 2


@dataclass(frozen=True, slots=True)
class Slots:
    factor: int

    def scaled(self, value):
        return value * self.factor


class Point(NamedTuple):
    x: int
    y: int

    def moved(self, value):
        return self.x + value


class Color(str, enum.Enum):
    RED = "red"
    BLUE = "blue"


class Shade(enum.StrEnum):
    DARK = "dark"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 7


CONFIG, SLOTS, POINT = Config(), Slots(4), Point(5, 6)


def first_word(text):
    found = PATTERN.match(text)
    if found is None:
        return "none"
    return found.group("word")


def double(n):
    return n * 2


def clamp(n, top):
    if n > top:
        return top
    return n


def stepped(n):
    total = 0
    for step in (1, 2, 3):
        if n > step:
            total += step
    return total


def named(text, n):
    if text is None:
        return "none"
    if n is not None and n > 1:
        return text + "s"
    elif text == "":
        return "empty"
    return text


def is_big(n, limit=LIMIT):
    return n > limit

"""

HOLE = re.compile(r"<(choice )?(\w+)(\.)?(?:\|(\w+))?>")


class Grammar:
    """Draws well-typed expressions; ``names`` are the local variables so far, by type."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.names: dict[str, list[str]] = {}
        self.count = 0  # of the names that templates have introduced

    def leaf(self, type_: str) -> str:
        """Return a local, a column or a constant."""
        columns, constants = LEAVES[type_]
        kind = self.rng.random()
        if self.names.get(type_) and kind < 0.6:
            return self.rng.choice(self.names[type_])
        if columns and (not constants or self.rng.random() < 0.65):
            name = self.rng.choice(columns.split())
            return f"r[{name!r}]" if self.rng.random() < 0.9 else f"r.get({name!r})"
        return self.rng.choice(constants)

    def expression(self, type_: str, depth: int) -> str:
        """Return an expression of a type, of templates within templates."""
        if type_ in LEAVES and (depth <= 0 or self.rng.random() < 0.15 or type_ not in EXPRESSIONS):
            return self.leaf(type_)
        return self.filled(self.rng.choice(EXPRESSIONS[type_]), depth if type_ in ("some", "number") else depth - 1)

    def filled(self, template: str, depth: int) -> str:
        """Return a template with its holes filled."""
        new = ""
        if "<x>" in template:
            self.count += 1
            new = f"x{self.count}"

        def fill(hole: re.Match[str]) -> str:
            choosing, name, is_leaf, given = hole.groups()
            if choosing:
                return self.filled(self.rng.choice(CHOOSING).replace("<T>", f"<{name}>"), depth)
            if name == "x":
                return new
            if name in CHOICES:
                return self.rng.choice(CHOICES[name])
            names = self.names
            if given:
                self.names = {**names, given: [*names.get(given, []), new, new]}
            made = self.leaf(name) if is_leaf else self.expression(name, depth)
            self.names = names
            return made

        return HOLE.sub(fill, template)

    def block(self, name: str) -> list[str]:
        """Return statements that assign ``name``; later expressions may use it."""
        type_ = self.rng.choice(LOCALS)
        template = self.rng.choice([b for b in BLOCKS if type_ in ADDED or "+=" not in b])
        template = template.replace("<name>", name).replace("<T>", f"<{type_}>").replace("<T.>", f"<{type_}.>")
        lines = self.filled(template, 2).split("\n")
        self.names.setdefault(type_, []).append(name)
        return lines
