"""Random pipelines give what Python gives, step by step, whatever of them is lifted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fuzz import pipelines

pytestmark = pytest.mark.filterwarnings("ignore::mdfsql.errors.NotLifted")


@pytest.mark.parametrize("part", range(5))
def test_pipelines(engine: str, check: Any, tmp_path: Path, part: int) -> None:
    count = 1 if engine == "spark" else 6
    for seed in range(part * 1000, part * 1000 + count):
        for steps, dataset, rows, in_order in pipelines.make(seed, tmp_path):
            try:
                check(dataset, rows, ordered=in_order)
            except Exception as error:
                error.add_note(f"seed {seed}:\n{steps}")
                raise
