"""What queries are put together from, beside the expressions of the cases: aggregates, windows, joins, constants.

Over which kinds of values each is tried stands in the table of what is shown to agree: a construct's new kind there
is tried here without a line about it.
"""

from __future__ import annotations

import functools
import random
from collections import defaultdict
from typing import NamedTuple

from mdfsql.dialects.spark_shown import SHOWN
from mdfsql.lower.shown_kinds import kind_name
from mdfsql.schema import data_type
from tests.generator.templates import columns, kind_of, templates

__all__ = [
    "AGGREGATES",
    "COMMON",
    "COMPARED",
    "CONSTANTS",
    "DIRECTIONS",
    "FRAMES",
    "JOINS",
    "LEFT_ONLY",
    "LIST_OF",
    "OVER",
    "SAME",
    "SETS",
    "Form",
    "is_shown",
    "pick",
]

# Kinds that most of what is written has.
COMMON = ("int", "DOUBLE", "DECIMAL", "VARCHAR", "DATE", "TIMESTAMP", "BOOLEAN")


@functools.cache
def name_of(kind: str) -> str:
    """Return the name that the table of what is shown has for a kind of values."""
    return "int" if kind in ("int", "small") else "decimal" if kind == "DECIMAL" else kind_name(data_type(kind))


@functools.cache
def kinds() -> tuple[str, ...]:
    """Return the kinds of values that an expression can be made of."""
    made = {*templates(), *(kind_of(type_) for type_ in columns().values())}
    return tuple(sorted(kind for kind in made if "NULL" not in kind))


@functools.cache
def shown(construct: str, part: str) -> dict[str, list[str]]:
    """Return the kinds over which a construct is shown to agree, under their names in the table."""
    known, found = SHOWN[construct][part].split(), defaultdict(list)
    for kind in kinds():
        if name_of(kind) in known:
            found[name_of(kind)].append(kind)
    return dict(sorted(found.items()))


def is_shown(construct: str, part: str, kind: str) -> bool:
    """Tell whether a construct is shown to agree over a kind of values."""
    return name_of(kind) in SHOWN[construct][part].split()


def pick(rng: random.Random, construct: str, part: str = "this") -> str:
    """Return a kind over which a part of a construct is shown to agree: as often a common one as any."""
    by_name = shown(construct, part)
    common = [kind for kind in COMMON if name_of(kind) in by_name]
    return rng.choice(common) if common and rng.random() < 0.5 else rng.choice(by_name[rng.choice(list(by_name))])


class Form(NamedTuple):
    """An aggregate or a window's function with holes.

    ``x`` says what fills {x}: a construct of the table, over whose kinds it is tried, or one kind, or several.
    ``gives`` is the kind of its value, or SAME or LIST_OF what fills {x}. {y} is a
    small number, {id} what orders the rows, {one} what tells them apart.
    """

    text: str
    x: str | tuple[str, ...]
    gives: str


SAME, LIST_OF = "same", "list of"
PAIRS = "corr covar_pop covar_samp regr_avgx regr_avgy regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy"

AGGREGATES: tuple[Form, ...] = (
    Form("count(*)", "count", "int"),
    Form("count_star()", "count", "int"),
    Form("count({x})", "count", "int"),
    Form("count(DISTINCT {x})", ("int", "DECIMAL", "VARCHAR", "DATE", "BOOLEAN"), "int"),
    Form("count(DISTINCT {x})", "distinct", "int"),
    Form("sum({x})", ("int", "BOOLEAN"), "HUGEINT"),
    Form("sum(DISTINCT {x})", ("int",), "HUGEINT"),
    Form("sum({x})", ("DOUBLE", "FLOAT"), "DOUBLE"),
    Form("sum({x})", ("DECIMAL",), "DECIMAL"),
    Form("avg({x})", "avg", "DOUBLE"),
    Form("min({x})", "min", SAME),
    Form("max({x})", "max", SAME),
    Form("min({x}, 3)", "min", LIST_OF),
    Form("max({x}, 2)", "max", LIST_OF),
    Form("bool_and({x})", "logicaland", "BOOLEAN"),
    Form("bool_or({x})", "logicalor", "BOOLEAN"),
    Form("count_if({x})", "countif", "int"),
    Form("bit_and({x})", "bitwiseandagg", "int"),
    Form("bit_or({x})", "bitwiseoragg", "int"),
    Form("bit_xor({x})", "bitwisexoragg", "int"),
    Form("stddev({x})", ("int",), "DOUBLE"),
    Form("stddev_pop({x})", ("int",), "DOUBLE"),
    Form("stddev_samp({x})", ("int",), "DOUBLE"),
    Form("var_samp({x})", ("int",), "DOUBLE"),
    Form("var_pop({x})", ("int",), "DOUBLE"),
    Form("sem({x})", ("int",), "DOUBLE"),
    Form("product({x})", ("small",), "DOUBLE"),
    Form("regr_count({x}, {y})", "regrcount", "int"),
    *(Form(f"{name}({{x}}, {{y}})", ("small",), "DOUBLE") for name in PAIRS.split()),
    Form("median({x})", ("int", "DOUBLE"), "DOUBLE"),
    Form("median({x})", ("BOOLEAN", "VARCHAR"), SAME),
    Form("median({x})", ("DATE", "TIMESTAMP"), "TIMESTAMP"),
    Form("quantile_cont({x}, 0.25)", ("int", "DOUBLE"), "DOUBLE"),
    Form("quantile_cont({x}, [0.1, 0.5])", ("int", "DOUBLE"), "DOUBLE[]"),
    Form("percentile_cont(0.3) WITHIN GROUP (ORDER BY {x})", ("int", "DOUBLE"), "DOUBLE"),
    Form("quantile_disc({x}, 0.4)", "percentiledisc", SAME),
    Form("quantile_disc({x}, [0, 0.5, 1])", "percentiledisc", LIST_OF),
    Form("string_agg({x}, ',' ORDER BY {id})", ("VARCHAR",), "VARCHAR"),
    Form("string_agg({x}, '-' ORDER BY {id})", "groupconcat", "VARCHAR"),
    Form("list({x} ORDER BY {id})", "arrayagg", LIST_OF),
    Form("list(DISTINCT {x} ORDER BY {x})", ("int", "VARCHAR", "DATE"), LIST_OF),
    Form("arg_min({x}, {one})", "argmin", SAME),
    Form("arg_max({x}, {one})", "argmax", SAME),
    Form("arg_max({x}, {one}, 2)", "argmax", LIST_OF),
    Form("first({x} ORDER BY {id})", "first", SAME),
    Form("last({x} ORDER BY {id})", "last", SAME),
    Form("any_value({x} ORDER BY {id})", "anyvalue", SAME),
)

# Over a window: what may have a frame and a FILTER as an aggregate has, then what a row's place alone decides.
OVER: tuple[Form, ...] = (
    Form("count(*)", "count", "int"),
    Form("count({x})", "count", "int"),
    Form("count(DISTINCT {x})", ("int", "DECIMAL", "VARCHAR", "DATE", "TIMESTAMP", "BOOLEAN"), "int"),
    Form("sum({x})", ("int",), "HUGEINT"),
    Form("sum({x})", ("DECIMAL",), "DECIMAL"),
    Form("avg({x})", ("int", "DECIMAL"), "DOUBLE"),
    Form("min({x})", "min", SAME),
    Form("max({x})", "max", SAME),
    Form("bool_and({x})", "logicaland", "BOOLEAN"),
    Form("bool_or({x})", "logicalor", "BOOLEAN"),
    Form("count_if({x})", "countif", "int"),
    Form("first_value({x})", "firstvalue", SAME),
    Form("last_value({x})", "lastvalue", SAME),
    Form("nth_value({x}, 2)", "nthvalue", SAME),
    Form("first_value({x} IGNORE NULLS)", "firstvalue", SAME),
    Form("last_value({x} IGNORE NULLS)", "lastvalue", SAME),
    Form("row_number()", "count", "int"),
    Form("rank()", "count", "int"),
    Form("dense_rank()", "count", "int"),
    Form("percent_rank()", "count", "DOUBLE"),
    Form("cume_dist()", "count", "DOUBLE"),
    Form("ntile(3)", "count", "int"),
    Form("lag({x})", "lag", SAME),
    Form("lag({x}, 2)", "lag", SAME),
    Form("lag({x} IGNORE NULLS)", "lag", SAME),
    Form("lag({x}, 1, -5)", ("int",), SAME),
    Form("lead({x})", "lead", SAME),
    Form("lead({x}, 2)", "lead", SAME),
    Form("lead({x}, 1, 'none')", ("VARCHAR",), SAME),
)
FRAMES = (
    "",
    " ROWS BETWEEN 1 PRECEDING AND CURRENT ROW",
    " ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING",
    " ROWS BETWEEN 3 PRECEDING AND 2 PRECEDING",
    " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
    " ROWS BETWEEN CURRENT ROW AND 2 FOLLOWING",
    " RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
    " RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING",
    " RANGE BETWEEN 2 FOLLOWING AND UNBOUNDED FOLLOWING",
)
JOINS = ("JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", "SEMI JOIN", "ANTI JOIN")
LEFT_ONLY = ("SEMI JOIN", "ANTI JOIN")
SETS = ("UNION ALL", "UNION", "INTERSECT", "EXCEPT", "UNION ALL", "INTERSECT ALL", "EXCEPT ALL")
COMPARED = ("=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM")
DIRECTIONS = ("", " DESC", " NULLS FIRST", " DESC NULLS LAST", " ASC NULLS LAST", " DESC NULLS FIRST")
CONSTANTS = {
    "int": ("0", "1", "-3", "7", "NULL"),
    "small": ("0", "1", "2", "4", "-1"),
    "DOUBLE": ("0.5::DOUBLE", "-1e3", "'nan'::DOUBLE", "'-0.0'::DOUBLE"),
    "FLOAT": ("0.5::FLOAT", "'-inf'::FLOAT", "NULL::FLOAT"),
    "DECIMAL": ("1.25", "-0.50"),
    "VARCHAR": ("''", "'a'", "'é👍'", "'it''s'"),
    "BOOLEAN": ("true", "false", "NULL::BOOLEAN"),
    "DATE": ("DATE '2024-02-29'", "DATE '1969-12-31'"),
    "TIMESTAMP": ("TIMESTAMP '2023-12-31 23:59:59'", "TIMESTAMP '1960-02-29 12:00:00.000001'"),
    "TIMESTAMP WITH TIME ZONE": ("TIMESTAMPTZ '2024-03-10 23:30:00+00'",),
    "INTEGER[]": ("[1, NULL, 3]", "[]::INTEGER[]", "NULL::INTEGER[]"),
    "BIGINT[]": ("[3::BIGINT, -1]", "[]::BIGINT[]", "[NULL::BIGINT]"),
    "DOUBLE[]": ("[0.5::DOUBLE, 'nan'::DOUBLE, NULL]", "[]::DOUBLE[]"),
    "VARCHAR[]": ("['b', 'a', NULL]", "[]::VARCHAR[]", "['']"),
    "BOOLEAN[]": ("[true, NULL, false]", "[NULL::BOOLEAN]"),
    "DATE[]": ("[DATE '2024-02-29', NULL]", "NULL::DATE[]"),
    "BIGINT[][]": ("[[2::BIGINT, 1], NULL, []]",),
    "STRUCT(x BIGINT, y VARCHAR)": ("{'x': 1::BIGINT, 'y': 'b'}", "{'x': NULL::BIGINT, 'y': ''}"),
    "STRUCT(x BIGINT, y VARCHAR)[]": ("[{'x': 1::BIGINT, 'y': 'b'}, NULL]",),
    "MAP(VARCHAR, BIGINT)": ("MAP {'a': 1::BIGINT, 'b': NULL}",),
    # Types that a result may have and no CAST may name.
    "HUGEINT": ("0", "1"),
    "UBIGINT": ("0", "7"),
}
