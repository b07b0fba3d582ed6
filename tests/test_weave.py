"""Readings of many sensors become one batch in order of time, then sensor, whoever speaks together."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulator.batch import Asset, Batch, Catalog, Sensor
from simulator.signals.weave import CHANGE, FIRST_PERIOD, Said, Weaver

MS = 1_000_000
FROM_NS, UNTIL_NS = 5_000 * MS, 5_100 * MS
GROUPS = (
    (FIRST_PERIOD, 2 * FIRST_PERIOD, FIRST_PERIOD | CHANGE, 2 * FIRST_PERIOD),
    (FIRST_PERIOD,),
    (2 * FIRST_PERIOD, 2 * FIRST_PERIOD),
)
"""Three assets, and the groups of their sensors: two periods, which interleave, and a state that also tells changes."""


def catalog() -> Catalog:
    assets: list[Asset] = []
    first = 0
    for number, groups in enumerate(GROUPS):
        specs = tuple(Sensor(f"s{i}", "1", 0, 0.0, 1e9, 0) for i in range(len(groups)))
        assets.append(Asset((f"a{number}",), "test", {}, first, specs, 0))
        first += len(specs)
    return Catalog(tuple(assets))


GROUP_OF = np.array([group for groups in GROUPS for group in groups])
ASSET_OF = np.asarray(catalog().asset_of, dtype=np.int64)
WEAVER = Weaver(catalog(), GROUP_OF)


def part(times_ms: dict[int, list[int]], group: int, **changes: Any) -> Said:
    """Return what one group of some assets says: the value of a reading is its time plus a thousandth per sensor."""
    asset = np.array(sorted(times_ms), dtype=np.int64)
    time_ns = FROM_NS + np.array([times_ms[a] for a in asset.tolist()], dtype=np.int64).reshape(len(asset), -1) * MS
    sensor = np.flatnonzero((GROUP_OF & group != 0) & np.isin(ASSET_OF, asset))
    place = np.searchsorted(asset, ASSET_OF[sensor])
    value = time_ns[place] / MS + sensor[:, None] / 1000
    return Said(time_ns, asset, np.full(len(asset), group), None, place, sensor, value)._replace(**changes)


def rows(batch: Batch) -> list[tuple[int, int, float]]:
    return list(zip(batch.time_ns.tolist(), batch.sensor.tolist(), batch.value.tolist(), strict=True))


def sorted_rows(*parts: Said) -> list[tuple[int, int, float]]:
    """Return what the parts hold, put in order the simple way; what is said twice is there once."""
    found = set()
    for said in parts:
        for i, (place, sensor) in enumerate(zip(said.place.tolist(), said.sensor.tolist(), strict=True)):
            for k in range(said.time_ns.shape[1]):
                spoken = said.spoken is None or bool(said.spoken[place, k])
                if spoken and (said.keep is None or bool(said.keep[i, k])):
                    found.add((int(said.time_ns[place, k]), sensor, float(said.value[i, k])))
    return sorted(found)


def woven(*parts: Said, weaver: Weaver = WEAVER) -> Batch:
    return weaver.weave(parts, from_ns=FROM_NS).batch([part.value for part in parts], until_ns=UNTIL_NS)


instants = st.lists(st.integers(0, 99), min_size=3, max_size=3, unique=True).map(sorted)


@given(
    fast=st.fixed_dictionaries({0: instants, 1: instants}),
    slow=st.fixed_dictionaries({0: instants, 2: instants}),
    changes=st.fixed_dictionaries({0: instants}),
    seed=st.integers(0, 1_000),
)
def test_it_is_what_sorting_would_give(
    fast: dict[int, list[int]], slow: dict[int, list[int]], changes: dict[int, list[int]], seed: int
) -> None:
    """Groups that meet at an instant, in any pattern, with instants that do not count and readings that are missing."""
    rng = np.random.default_rng(seed)
    one, other = part(fast, FIRST_PERIOD), part(slow, 2 * FIRST_PERIOD)
    one = one._replace(spoken=rng.random(one.time_ns.shape) < 0.7)
    other = other._replace(keep=rng.random(other.value.shape) < 0.7)
    third = part(changes, CHANGE)
    assert rows(woven(one, other, third)) == sorted_rows(one, other, third)


def test_what_is_said_twice_is_one_reading() -> None:
    """A state sensor that is due when the state changes speaks once."""
    tick, change = part({0: [10, 20]}, FIRST_PERIOD), part({0: [20]}, CHANGE)
    assert rows(woven(tick, change)) == rows(woven(tick))


def test_silence_is_an_empty_batch() -> None:
    """A window in which nobody speaks has its end all the same."""
    batch = woven(part({0: [], 1: []}, FIRST_PERIOD), part({0: []}, CHANGE))
    assert (len(batch), batch.until_ns) == (0, UNTIL_NS)


def test_patterns_are_forgotten_in_time() -> None:
    """More patterns than are kept change nothing: an asset of whose sensors ever others speak together."""
    groups: NDArray[np.int64] = np.array([FIRST_PERIOD << n for n in range(50)])
    only = Catalog((Asset(("a",), "test", {}, 0, tuple(Sensor(f"s{n}", "1", 0, 0, 1, 0) for n in range(50)), 0),))
    weaver = Weaver(only, groups, most_ranks=2_000)
    for seed in range(100):
        speak = np.flatnonzero(np.random.default_rng(seed).random(50) < 0.5)
        parts = [
            Said(
                np.array([[FROM_NS]]), np.array([0]), groups[[n]], None, np.array([0]), np.array([n]), np.array([[0.0]])
            )
            for n in speak.tolist()
        ]
        assert woven(*parts, weaver=weaver).sensor.tolist() == speak.tolist()
