"""Topics are divided among the lanes of the bridge: each to one lane, about as much to each, with few filters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parks import world

from brokers.memory import matches
from simulator.batch import Asset, Catalog, Sensor
from simulator.ingest.districts import EVEN, MOST_FILTERS, districts

LANES = st.integers(1, 16)
LEVEL = st.sampled_from(["a", "ab", "b", "c", "press-1", "press-10", "_kpi", "_truth"])
PATHS = st.lists(LEVEL, max_size=5).map(lambda below: ("park", *below))
SENSORS = st.one_of(st.integers(1, 9), st.sampled_from([30, 400]))
"""Many small assets, and a large one here and there."""
SHARED_BY_ALL = Sensor("state", "1", decimals=0, low=0, high=17, period_ns=0)


def catalog_of(sensors: dict[tuple[str, ...], int]) -> Catalog:
    """Assets with these paths and numbers of sensors."""
    assets: list[Asset] = []
    first = 0
    for path, number in sensors.items():
        assets.append(Asset(path, "press", {}, first, (SHARED_BY_ALL,) * number, phase_ns=0))
        first += number
    return Catalog(tuple(assets))


def carried(catalog: Catalog, found: list[tuple[str, ...]]) -> list[int]:
    """How many sensors each lane has."""
    return [
        sum(len(asset.sensors) for asset in catalog.assets if any(matches(topic, asset.topic) for topic in topics))
        for topics in found
    ]


@given(st.dictionaries(PATHS, SENSORS, min_size=1, max_size=60), LANES)
def test_every_topic_belongs_to_one_filter_of_one_lane(sensors: dict[tuple[str, ...], int], lanes: int) -> None:
    """After the rules of MQTT no message comes twice and none is missed; there are as many lanes as have something."""
    catalog = catalog_of(sensors)
    found = districts(catalog, enterprise="park", lanes=lanes)
    filters = [topic for topics in found for topic in topics]
    assert [sum(matches(one, asset.topic) for one in filters) for asset in catalog.assets] == [1] * len(catalog.assets)
    assert len(found) == min(lanes, len(sensors))
    assert min(carried(catalog, found)) > 0


@given(st.dictionaries(PATHS, SENSORS, min_size=1, max_size=60), LANES)
def test_lanes_carry_about_as_many_sensors(sensors: dict[tuple[str, ...], int], lanes: int) -> None:
    """None has more than a tenth above its share, or than the share and one asset, which cannot be divided."""
    catalog = catalog_of(sensors)
    found = carried(catalog, districts(catalog, enterprise="park", lanes=lanes))
    share = len(catalog) / len(found)
    assert max(found) <= max(EVEN * share, share + max(sensors.values()))


@given(st.dictionaries(PATHS, SENSORS, min_size=1, max_size=60), LANES)
def test_the_order_of_the_catalogue_does_not_matter(sensors: dict[tuple[str, ...], int], lanes: int) -> None:
    """The same assets are divided in the same way."""
    forward, backward = (catalog_of(dict(one)) for one in (sensors.items(), reversed(sensors.items())))
    assert districts(forward, enterprise="park", lanes=lanes) == districts(backward, enterprise="park", lanes=lanes)


def test_one_lane_has_everything_of_the_enterprise() -> None:
    """Also what is not ours, so that it can be seen to be foreign; with one asset there is nothing to divide."""
    one = catalog_of({("park", "line", "press"): 4})
    two = catalog_of({("park", "line", "press"): 4, ("park", "_kpi"): 4})
    assert districts(one, enterprise="park", lanes=16) == [("park/#",)]
    assert districts(two, enterprise="park", lanes=1) == [("park/#",)]


def test_an_asset_above_others_has_a_filter_without_a_wildcard() -> None:
    """press/# would match press as well; so the press is asked for by its name once it is parted from its figures."""
    press = catalog_of({("park", "press"): 9, ("park", "press", "_kpi"): 5, ("park", "press", "_truth"): 3})
    assert districts(press, enterprise="park", lanes=2) == [
        ("park/press",),
        ("park/press/_kpi", "park/press/_truth"),
    ]


def test_the_quickstart_is_halved_with_eight_filters() -> None:
    """One lane has the presses, which are half of it, the other the assembly lines; nothing is divided further."""
    plant = "binh-duong/vsip2a/wiring-devices"
    assert districts(world().catalog, enterprise="binh-duong", lanes=2) == [
        ("binh-duong/_kpi", "binh-duong/vsip2a/_kpi", f"{plant}/_kpi", f"{plant}/moulding/#"),
        tuple(f"{plant}/assembly-{number}/#" for number in range(1, 5)),
    ]


def test_a_line_is_divided_rather_than_a_lane_left_without_work() -> None:
    """Fifteen equal lines are nearly even shares for sixteen lanes, but one lane would have nothing."""
    lines = catalog_of({("park", f"line-{line}", f"press-{n}"): 5 for line in range(15) for n in range(2)})
    assert len(districts(lines, enterprise="park", lanes=16)) == 16


@pytest.mark.parametrize(("machines", "is_divided"), [(MOST_FILTERS - 1, True), (MOST_FILTERS, False)])
def test_there_are_never_more_than_two_thousand_filters(machines: int, *, is_divided: bool) -> None:
    """A line of so many machines side by side stays with one lane, and everything is carried all the same."""
    line = {("park", "hall", "line", f"press-{number}"): 2 for number in range(machines)}
    catalog = catalog_of(line | {("park", "hall", "_kpi"): 2})
    found = districts(catalog, enterprise="park", lanes=3)
    assert sum(map(len, found)) == (MOST_FILTERS if is_divided else 2)
    if not is_divided:
        assert found == [("park/hall/line/#",), ("park/hall/_kpi",)]
