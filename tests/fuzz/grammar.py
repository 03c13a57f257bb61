"""The grammar of generated row functions: tables of templates. Adding a construct is adding a row.

In a template ``<int>`` stands for an expression of that type, ``<int.>`` for a column, a constant or a local, and
``<WORD>`` for one of the choices below. A template in a table that is written twice is drawn twice as often.
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
    "date": ("d", ["DAY"]),
    "timestamp": ("u", ["MOMENT"]),
    "decimal": ("m", ["30", "0", "-7"]),
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
    "some": ["<int>", "<float>", "<str>", "<bool>", "<bool>", "<date>", "<timestamp.>", "<truth>", "<truth>"],
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
    ],
    "date": ["<choice date>"],
    "timestamp": ["<choice timestamp>"],
    "decimal": ["r['m']"],
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
        "(<decimal> <ORDER> <decimal>)",
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
    "LIST": ["'vs'", "'ss'"],
    "EACH": ["r[c] is None", "r[c] == 0", "r[c] > 1"],
}

# What a map computes, and the types of locals.
RESULTS = ["int", "float", "str", "bool", "date", "timestamp"]
LOCALS = ["int", "int", "float", "str", "bool"]

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
    "<name> = None\nfor c in (<T.>, <T.>):\n    <name> = <name> or c",
]

PRELUDE = """import datetime
import math

LIMIT = 45
RATE = 0.75
WORD = "ab"
WORDS = frozenset(["a", "", "日本語"])
TABLE = {"a": 1, "ab": 2, "": 3}
DAY = datetime.date(2024, 2, 29)
MOMENT = datetime.datetime(2024, 2, 29, 23, 59, 59, 999999)


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

HOLE = re.compile(r"<(choice )?(\w+)(\.)?>")


class Grammar:
    """Draws well-typed expressions; ``names`` are the local variables so far, by type."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.names: dict[str, list[str]] = {}

    def leaf(self, type_: str) -> str:
        """Return a local, a column or a constant."""
        columns, constants = LEAVES[type_]
        kind = self.rng.random()
        if self.names.get(type_) and kind < 0.6:
            return self.rng.choice(self.names[type_])
        if self.rng.random() < 0.65:
            name = self.rng.choice(columns.split())
            return f"r[{name!r}]" if self.rng.random() < 0.9 else f"r.get({name!r})"
        return self.rng.choice(constants)

    def expression(self, type_: str, depth: int) -> str:
        """Return an expression of a type, of templates within templates."""
        if type_ in LEAVES and (depth <= 0 or self.rng.random() < 0.15):
            return self.leaf(type_)
        return self.filled(self.rng.choice(EXPRESSIONS[type_]), depth if type_ in ("some", "number") else depth - 1)

    def filled(self, template: str, depth: int) -> str:
        """Return a template with its holes filled."""

        def fill(hole: re.Match[str]) -> str:
            choosing, name, is_leaf = hole.groups()
            if choosing:
                return self.filled(self.rng.choice(CHOOSING).replace("<T>", f"<{name}>"), depth)
            if name in CHOICES:
                return self.rng.choice(CHOICES[name])
            return self.leaf(name) if is_leaf else self.expression(name, depth)

        return HOLE.sub(fill, template)

    def block(self, name: str) -> list[str]:
        """Return statements that assign ``name``; later expressions may use it."""
        type_ = self.rng.choice(LOCALS)
        template = self.rng.choice([b for b in BLOCKS if type_ != "bool" or "+=" not in b])
        template = template.replace("<name>", name).replace("<T>", f"<{type_}>").replace("<T.>", f"<{type_}.>")
        lines = self.filled(template, 2).split("\n")
        self.names.setdefault(type_, []).append(name)
        return lines
