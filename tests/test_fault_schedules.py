"""The bridge keeps its laws under seeded schedules of faults; `make sim` runs many more of them."""

from __future__ import annotations

import pytest
from fault_schedules import run

EACH = 50


@pytest.mark.parametrize("first", range(0, 400, EACH))
def test_laws_hold_under_faults(first: int) -> None:
    """On network, database, disk and the bridge itself; a failure names its seed."""
    broken = [
        f"seed {found.seed}: {found.broken}" for seed in range(first, first + EACH) if (found := run(seed)).broken
    ]
    assert broken == []


def test_the_schedules_are_worth_their_time() -> None:
    """They hold faults, kills, and messages in spools, and a seed is the same again."""
    found = [run(seed) for seed in range(60)]
    assert sum(one.troubles for one in found) > 100
    assert sum(one.crashes for one in found) > 20
    assert sum(one.spooled > 0 for one in found) > 20
    assert found[7] == run(7)
