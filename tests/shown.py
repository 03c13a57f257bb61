"""What the cases show: ``python -m tests.shown`` writes dialects/spark_shown.py from those that are not refused.

That Spark answers them as DuckDB does, or raises where the case says so, is for tests/test_spark_engine.py to see.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from sqlglot import exp

from mdfsql.dialects.spark import target
from mdfsql.lower.shown_kinds import constructs
from mdfsql.relation import Relation
from mdfsql.resolve import resolve
from tests.conformance import expressions, queries, relation

PLACE = Path(__file__).parent.parent / "dialects" / "spark_shown.py"

Triple = tuple[str, str, str]


def typed(given: Relation) -> exp.Expr:
    """Return a query's tree as it is when its constructs are held against what is shown."""
    tree: exp.Expr = resolve(given.assemble(), tuple(given.sources()), target.name)
    for pass_ in target.typed:
        tree = pass_(tree)
    return tree


def shown_by(tree: exp.Expr) -> set[Triple]:
    """Return the constructs of a tree, with the part of each and the kind of value in it."""
    return {found for node in tree.walk() for found in constructs(node)}


def text_of(triples: set[Triple]) -> str:
    """Return the module that holds the table."""
    table: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for construct, part, kind in triples:
        table[construct][part].add(kind)
    lines = [
        '"""Over which kinds of values each construct is shown to agree on Spark; made by tests.shown."""',
        "",
        "from __future__ import annotations",
        "",
        "from mdfsql.lower.shown_kinds import Shown",
        "",
        '__all__ = ["SHOWN"]',
        "",
        "SHOWN: Shown = {",
    ]
    for construct, parts in sorted(table.items()):
        lines.append(f'    "{construct}": {{')
        for part, kinds in sorted(parts.items()):
            # A constant may stand wherever a column may.
            told = sorted(kind for kind in kinds if not (kind.startswith("=") and kind[1:] in kinds))
            lines.append(f'        "{part}": "{" ".join(told)}",')
        lines.append("    },")
    return "\n".join([*lines, "}", ""])


def main() -> None:
    """Write the table."""
    triples: set[Triple] = set()
    for case in [*expressions(), *queries()]:
        if case.expected != "refused":
            triples |= shown_by(typed(relation(case.query)))
    PLACE.write_text(text_of(triples))


if __name__ == "__main__":
    main()
