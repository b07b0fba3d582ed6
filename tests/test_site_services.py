"""All that serves a site, together: nothing depends on how time is cut; counts make names; mistakes have places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from parks import HOUR_NS, SECOND_NS, readings
from services import HALL, OFFICE, RECORDS, SHOP, WORKS, services

from simulator.batch import Batch
from simulator.errors import ScenarioError
from simulator.park.build import catalog_of
from simulator.park.world import World
from simulator.scenario.quantities import instant_ns

FAULTS = """\
  - {kind: breakdown, target: 'vsip2a/water/aeration-blower/blower-*', at: 2026-06-01T07:13:00+07:00, for: 40m}
  - {kind: breakdown, target: vsip2a/data/crah-unit/crah-2, at: 2026-06-01T07:05:00+07:00, for: 30m}
  - {kind: breakdown, target: vsip2a/data/server-rack/rack-4, at: 2026-06-01T07:07:00+07:00, for: 20m}
  - {kind: breakdown, target: vsip2a/utilities/feeder-22kv/feeder, at: 2026-06-01T07:20:00+07:00, for: 17m}
  - {kind: breakdown, target: vsip2a/water/authority-line/line, at: 2026-06-01T07:30:00+07:00, for: 11m}
"""
MINUTES = 75


class Morning:
    """A site with all of it, on a bad morning; analysers need care every few minutes."""

    def __init__(self, folder: Path) -> None:
        loaded = services(folder, HALL + WORKS + RECORDS + OFFICE, factories=SHOP, faults=FAULTS)
        plant: Any = loaded.types["wastewater-plant"]
        often = {"mtbf": HOUR_NS // 2, "calibrate_every": HOUR_NS // 3, "calibrate_for": 150 * SECOND_NS}
        care = plant.role.analysers.model_copy(update=often)
        self.scenario = loaded.scenario
        self.types = loaded.types | {
            plant.name: plant.model_copy(update={"role": plant.role.model_copy(update={"analysers": care})})
        }
        assert not isinstance(loaded.scenario.start, str)
        # Not on a whole minute.
        self.start_ns = instant_ns(loaded.scenario.start) + 11_273_000_000
        self.until_ns = self.start_ns + MINUTES * 60 * SECOND_NS
        self.whole = self.read(World(self.scenario, self.types, self.start_ns), 600 * SECOND_NS)

    def read(self, park: World, window_ns: int) -> Batch:
        """Return what is left of the morning."""
        return readings(park, until_ns=self.until_ns, window_ns=window_ns)


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Morning:
    return Morning(tmp_path_factory.mktemp("all"))


def same(one: Batch, other: Batch) -> bool:
    """Compare bit for bit."""
    return all(
        getattr(one, column).tobytes() == getattr(other, column).tobytes() for column in ("time_ns", "sensor", "value")
    )


@settings(deadline=None, max_examples=3)
@given(window_ms=st.integers(20_000, 3_600_000))
@example(window_ms=61_000)
def test_windows_do_not_change_what_services_show(morning: Morning, window_ms: int) -> None:
    """Windows from twenty seconds to an hour give the same bits, through failures of all kinds."""
    park = World(morning.scenario, morning.types, morning.start_ns)
    assert same(morning.read(park, window_ms * 1_000_000), morning.whole)


@settings(deadline=None, max_examples=3)
@given(later_ms=st.integers(1, (MINUTES - 5) * 60_000))
@example(later_ms=25 * 60_000)
def test_a_later_start_does_not_change_what_services_show(morning: Morning, later_ms: int) -> None:
    """A run that lives on unseen before its first reading shows the same bits from there on."""
    later_ns = morning.start_ns + later_ms * 1_000_000
    scenario = morning.scenario.model_copy(update={"warm_up": later_ms * 1_000_000})
    got = morning.read(World(scenario, morning.types, later_ns), 601 * SECOND_NS)
    rows = slice(int(np.searchsorted(morning.whole.time_ns, later_ns)), None)
    expected = Batch(morning.whole.time_ns[rows], morning.whole.sensor[rows], morning.whole.value[rows])
    assert same(got, expected)


@pytest.mark.parametrize(
    ("systems", "told"),
    [
        ("      - {name: rack, type: server-rack}\n", "'rack' stands in no data centre; name it in `serves` of one"),
        (
            "      - {name: a, type: office-building}\n      - {name: f, type: feeder-22kv, count: 2, serves: [a]}\n",
            "2 feeders cannot feed the same",
        ),
        (
            "      - {name: crah, type: crah-unit, count: 3}\n      - {name: crah-2, type: crah-unit}\n",
            "'crah-2' is the name of something else here already",
        ),
        (
            "      - {name: crah-2, type: crah-unit}\n      - {name: crah, type: crah-unit, count: 3}\n",
            "'crah-2' (made by the count) is the name of something else here already",
        ),
        ("      - {name: crah, type: crah-unit, count: 0}\n", "count"),
        ("      - {name: office, type: permit-office, serves: [office]}\n", "supply each other in a circle"),
        (
            "      - {name: rack, type: server-rack, serves: [crah]}\n      - {name: crah, type: crah-unit}\n",
            "a server-rack gives nothing to others",
        ),
    ],
)
def test_a_service_that_cannot_be_is_told_with_its_place(tmp_path: Path, systems: str, told: str) -> None:
    """File, line and column, and what would do."""
    with pytest.raises(ScenarioError) as refused:
        services(tmp_path, systems)
    assert told in str(refused.value)
    assert all("services.yaml:" in problem for problem in refused.value.problems)


def test_a_count_makes_as_many_systems(morning: Morning) -> None:
    """Thirty racks of seven sensors and a state, and each has a topic of its own."""
    assets = catalog_of(morning.scenario, morning.types).assets
    racks = [one for one in assets if one.kind == "server-rack"]
    assert [one.topic for one in racks[:2]] == [f"binh-duong/vsip2a/data/server-rack/rack-{i}" for i in (1, 2)]
    assert (len(racks), sum(len(one.sensors) for one in racks)) == (30, 240)
