"""Cold stores: the thermostat holds its band, doors and failures let warmth in, and excursions are counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from parks import HOUR_NS
from regions import HEAD, Shown, changed, loaded, midnight_world

from simulator.errors import ScenarioError
from simulator.scenario.loader import load_system_type, shipped_systems
from simulator.signals.course import Settling
from simulator.signals.device import Track

STORE = """\
  - name: chain
    province: dong-nai
    systems: [{name: cold, type: cold-store}, {name: freezer, type: freezer-store}]
"""
NEVER = ((0.0, 0.0), (24.0, 0.0))
LONG_NS = 400 * 24 * HOUR_NS


def store(folder: Path, hours: float, **changes: object) -> Shown:
    scenario = loaded(folder, HEAD + STORE)
    return Shown(
        midnight_world(scenario, changed(scenario.types, "cold-store", fails=False, **changes)), hours, HOUR_NS
    )


def test_a_closed_room_swings_between_its_two_temperatures(tmp_path: Path) -> None:
    """No doors, no ice: between 2.2 and 3.8 degrees, give or take the noise; cycles as long as the two exponentials.

    Up from 2.2 to 3.8 towards 31 with 14 h: 14 ln(28.8 / 27.2) h. Down towards the mean of both pulls, weighed with
    their rates.
    """
    one = store(tmp_path, 48, openings=NEVER, defrost_every=LONG_NS)
    at, air = one.of("cold", "air_c")
    hour = (at - one.world.start_ns) / HOUR_NS
    assert 2.2 - 0.3 < air[hour > 2].min() < air[hour > 2].max() < 3.8 + 0.3
    (runs,) = one.values("cold", "compressor")
    starts = hour[1:][np.diff(runs) > 0]
    up_h = 14 * np.log(28.8 / 27.2)
    rate = 1 / 14 + 1 / 1.5
    towards = (31 / 14 + -12 / 1.5) / rate
    down_h = np.log((3.8 - towards) / (2.2 - towards)) / rate
    # Instants are seen once a minute.
    assert np.diff(starts).mean() == pytest.approx(up_h + down_h, abs=0.01)
    assert runs[hour > 2].mean() == pytest.approx(down_h / (up_h + down_h), rel=0.05)


def test_doors_and_ice_make_it_warmer_and_dearer(tmp_path: Path) -> None:
    """With doors and defrosting the mean is warmer, and more energy is used; the shipped store stays below 8."""
    closed = store(tmp_path, 72, openings=NEVER, defrost_every=LONG_NS)
    busy = store(tmp_path, 72)
    assert busy.values("cold", "air_c")[0].mean() > closed.values("cold", "air_c")[0].mean()
    assert busy.values("cold", "energy_kwh")[0][-1] > 1.1 * closed.values("cold", "energy_kwh")[0][-1]
    assert busy.values("cold", "air_c")[0].max() < 8
    assert busy.values("cold", "excursion_count")[0][-1] == 0


def test_the_compressor_stands_while_ice_is_melted(tmp_path: Path) -> None:
    """Each eight hours for twenty minutes, in which it does not run."""
    one = store(tmp_path, 48)
    ice, runs = one.values("cold", "defrosting", "compressor")
    assert ((ice == 1) & (runs == 1)).sum() == 0
    assert ice.sum() / 20 == pytest.approx(6, abs=1.1)


def test_a_compressor_that_fails_is_an_excursion(tmp_path: Path) -> None:
    """Down from midnight to ten: it comes above 8 degrees once, for as long as readings show, and back by itself."""
    scenario = loaded(tmp_path, HEAD + STORE)
    world = midnight_world(scenario, changed(scenario.types, "cold-store", fails=False))
    world.park.machines[0].break_down(world.start_ns + 10 * HOUR_NS)
    one = Shown(world, 24, HOUR_NS)
    at, air = one.of("cold", "air_c")
    excursions, minutes, kw = one.values("cold", "excursion_count", "excursion_min", "power_kw")
    assert air[at > world.start_ns + 9.9 * HOUR_NS][0] > 12
    assert excursions[-1] == 1
    assert minutes[-1] == pytest.approx((air > 8).sum(), abs=3)
    assert air[-60:].max() < 5
    assert kw[at < world.start_ns + 10 * HOUR_NS].max() == 0


def test_a_settling_quantity_says_when_it_gets_there() -> None:
    """From 10 towards 0 with τ = 1 h: at 5 after ln 2 hours; never at 11, at 0 or below; and then it is there."""
    clock = [0]
    course = Settling(lambda initial: Track(lambda: clock[0], initial), lambda: clock[0], 10.0)
    course.head_for(0.0, tau_ns=HOUR_NS)
    after = course.until_ns(5.0)
    assert after is not None
    assert after / HOUR_NS == pytest.approx(np.log(2))
    assert [course.until_ns(value) for value in (11.0, 0.0, -1.0)] == [None] * 3
    clock[0] = after
    assert course.value == pytest.approx(5.0)
    assert course.at(np.array([0, after, 2 * after])) == pytest.approx([10, 5, 2.5])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("high: 3.8", "high: 2.0", "coldest, low, high, limit and outside must rise in this order"),
        ("defrost: 20m", "defrost: 9h", "defrost: must be shorter than `defrost_every`"),
        ("[0, 1], [5, 4]", "[0, 1], [5, -4]", "openings: -4 per hour at hour 5, but must be 0 to 1,000"),
        ("[0, 1], [5, 4]", "[1, 1], [5, 4]", "day: runs from hour 1 to 24"),
    ],
)
def test_a_store_that_cannot_be_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    """A band upside down, ice that melts all day, doors that close more often than they open."""
    text = shipped_systems()["cold-store"].read_text(encoding="utf-8")
    assert text.count(old) == 1
    file = tmp_path / "cold-store.yaml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"cold-store\.yaml:") as refused:
        load_system_type(file)
    assert told in str(refused.value)
