"""Wastewater plants: blowers that fail show hours later, flow follows shifts and rain, analysers need care."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parks import HOUR_NS, SECOND_NS
from pydantic import ValidationError
from services import RECORDS, SHOP, WORKS, Seen, services, types_with

from simulator.scenario.climate import load_climate
from simulator.scenario.loader import Loaded
from simulator.scenario.machine_type import MachineType
from simulator.scenario.roles.wastewater import Analysers
from simulator.signals.sky import Sky
from simulator.signals.wastewater import Basin

MINUTE_NS = 60 * SECOND_NS
NEVER_NS = 10**17
BROKEN = "  - {kind: breakdown, target: 'vsip2a/water/aeration-blower/blower-*', at: 6h, for: 12h}\n"


def steady(loaded: Loaded, **changes: Any) -> dict[str, MachineType]:
    """Return the types with an influent that does not change, and analysers that neither err nor fail."""
    role: Any = loaded.types["wastewater-plant"]
    role = role.role
    care = {"mtbf": NEVER_NS, "calibrate_every": NEVER_NS, "scatter": 0.0, "ph_sigma": 0.0}
    even = {name: getattr(role, name).model_copy(update={"sigma_mg_l": 0.0}) for name in ("cod", "tss", "nh4_n")}
    return types_with(loaded, "wastewater-plant", analysers=role.analysers.model_copy(update=care), **(even | changes))


def starts_again(seen: Seen, machine: str, *, after_h: float) -> float:
    """Return when a machine is back in Execute, in hours."""
    at, state = seen.of(machine, "state")
    hours = seen.hours(at)
    return float(hours[(state == 6) & (hours > after_h)][0])


def test_a_blower_failure_shows_hours_later_and_goes_by(tmp_path: Path) -> None:
    """NH4-N follows the closed form: it breaks 9.9 mg/L, the permit's limit, after 8.64 h, and is well days later."""
    loaded = services(tmp_path, WORKS, faults=BROKEN)
    seen = Seen(loaded, steady(loaded), hours=96)
    at, shown = seen.of("works", "nh4_n_mg_l")
    # A blower at a time comes back: half of the air, then all of it.
    back = sorted(starts_again(seen, f"blower-{i}", after_h=18) for i in (1, 2))
    assert 18 < back[0] < back[1] < 18.1
    influent, removal = np.array([25.0]), np.array([0.82])
    basin = Basin.settled(seen.start_ns, influent_mg_l=influent, full_removal=removal)
    expected = np.empty(len(at))
    minute = at // MINUTE_NS * MINUTE_NS
    for hour, aeration in ((0.0, 1.0), (6.0, 0.0), (back[0], 0.5), (back[1], 1.0)):
        begins = seen.start_ns + round(hour * HOUR_NS)
        basin = basin.after(begins, aeration=aeration, influent_mg_l=influent)
        later = minute >= begins
        expected[later] = basin.effluent_at(minute[later])[:, 0]
    assert shown == pytest.approx(expected, abs=0.0051)
    hours = seen.hours(at)
    broken = hours[shown > 9.9]
    assert broken[0] == pytest.approx(6 + 8.64, abs=0.05)
    assert shown[-1] == pytest.approx(4.5, abs=0.1)
    oxygen_at, oxygen = seen.of("works", "do_mg_l")
    starved = (seen.hours(oxygen_at) > 9) & (seen.hours(oxygen_at) < 18)
    assert oxygen[starved].mean() < 0.2
    assert oxygen[seen.hours(oxygen_at) < 6].mean() == pytest.approx(2.0, abs=0.15)


@pytest.mark.parametrize(("count", "aeration"), [(2, 50.0), (3, 100.0)])
def test_a_spare_blower_is_worth_its_price(tmp_path: Path, count: int, aeration: float) -> None:
    """Two are needed: with one of two broken half of the air is missing, with one of three nothing is."""
    faults = "  - {kind: breakdown, target: vsip2a/water/aeration-blower/blower-1, at: 2h, for: 4h}\n"
    loaded = services(tmp_path, WORKS.replace("count: 2", f"count: {count}"), faults=faults)
    seen = Seen(loaded, loaded.types, hours=8)
    at, shown = seen.of("works", "aeration_pct")
    hours = seen.hours(at)
    assert set(shown[(hours > 2) & (hours < 6)]) == {aeration}
    assert set(shown[(hours < 2) | (hours > 6.1)]) == {100.0}


def test_the_plant_itself_lets_nothing_out_while_it_is_broken(tmp_path: Path) -> None:
    """No outflow, no air, no power, and analysers without a sample."""
    faults = "  - {kind: breakdown, target: vsip2a/water/wastewater-plant/works, at: 2h, for: 4h}\n"
    seen = Seen(loaded := services(tmp_path, WORKS, faults=faults), steady(loaded), hours=8)

    def within(name: str, low: float, high: float) -> set[float]:
        at, shown = seen.of("works", name)
        return set(shown[(seen.hours(at) > low) & (seen.hours(at) < high)].tolist())

    assert within("flow_out_m3_h", 2.02, 6) == {0.0}
    assert within("aeration_pct", 2, 6) == {0.0}
    assert within("power_kw", 2.02, 6) == {0.0}
    assert within("ph_status", 2, 6) == {2.0}
    assert within("ph_status", 6.1, 8) == {0.0}
    assert min(within("flow_out_m3_h", 6.1, 8)) > 300


def test_flow_follows_shifts_and_rain(tmp_path: Path) -> None:
    """8,000 m3 a day, a quarter more in the shifts of the tenants, up to 15 % more in the rain; pumps follow."""
    loaded = services(tmp_path, WORKS, factories=SHOP)
    press = loaded.types["stamping-press"]
    types = steady(loaded) | {press.name: press.model_copy(update={"sensors": press.sensors[:1]})}
    seen = Seen(loaded, types, hours=60)
    at, flow = seen.of("works", "flow_in_m3_h")
    minute = at // MINUTE_NS * MINUTE_NS
    sky = Sky(load_climate("ho-chi-minh-city"), seed=5, site="vsip2a")
    rain = np.minimum(sky.weather.at(minute).rain_mm_h / 20, 1)
    local_h = (minute / HOUR_NS + 7) % 24
    open_ = (local_h >= 6) & (local_h < 22)
    expected = 8000 / 24 * (1 + 0.25 * open_) * (1 + 0.15 * rain)
    # Flow meters scatter by a hundredth.
    assert flow / expected == pytest.approx(1.0, abs=0.06)
    assert (flow / expected).mean() == pytest.approx(1.0, abs=0.007)
    assert rain.max() > 0.2
    _, out = seen.of("works", "flow_out_m3_h")
    assert out[600:].sum() == pytest.approx(flow[600:].sum(), rel=0.02)
    assert np.ptp(out[600:]) < np.ptp(flow[600:])
    power_at, kw = seen.of("works", "power_kw")
    later = power_at > seen.start_ns + 2 * MINUTE_NS
    wanted = 60 + 0.25 * expected[np.searchsorted(minute, power_at[later], side="right") - 1]
    assert kw[later] == pytest.approx(wanted, abs=0.06)


def test_the_feeder_counts_pumps_and_blowers(tmp_path: Path) -> None:
    """Its register rises by 1.02 times what plant and blowers count, within 150 to 500 kW."""
    seen = Seen(loaded := services(tmp_path, WORKS, factories=SHOP), loaded.types, hours=12)
    at, kwh = seen.of("mains", "energy_kwh")
    inside = slice(60, -60)
    behind = sum(
        np.interp(at, *map(np.asarray, seen.of(name, "energy_kwh"))) for name in ("works", "blower-1", "blower-2")
    )
    rise = kwh[inside] - kwh[60]
    assert rise == pytest.approx(1.02 * (behind[inside] - behind[60]), abs=0.2)
    assert 150 < rise[-1] / (seen.hours(at[-61:-60])[0] - seen.hours(at[60:61])[0]) < 500


def test_analysers_fail_and_are_calibrated(tmp_path: Path) -> None:
    """Calibrated they show the standard, broken they stay where they were; the truth calls that stuck, from and to."""
    loaded = services(tmp_path, WORKS + RECORDS)
    role: Any = loaded.types["wastewater-plant"]
    care = role.role.analysers.model_copy(update={"mtbf": 30 * HOUR_NS, "calibrate_every": 24 * HOUR_NS})
    seen = Seen(loaded, types_with(loaded, "wastewater-plant", analysers=care), hours=96)
    names = {"cod": ("cod_mg_l", 100.0), "tss": ("tss_mg_l", 50.0), "nh4_n": ("nh4_n_mg_l", 5.0), "ph": ("ph", 7.0)}
    for short, (name, standard) in names.items():
        shown, status = seen.of("works", name)[1], seen.of("works", f"{short}_status")[1]
        # What is shown in a minute was found at its beginning.
        settled = (status[1:] == status[:-1]) & (np.diff(seen.of("works", name)[0]) == MINUTE_NS)
        calibrating = np.flatnonzero((status[1:] == 1) & settled) + 1
        assert 100 < len(calibrating) < 170
        assert set(shown[calibrating]) == {standard}
        broken = np.flatnonzero((status[1:] == 2) & settled) + 1
        assert (shown[broken] == shown[broken - 1]).all()
        working = (status[1:] == 0) & settled
        assert (np.diff(shown)[working] != 0).mean() > 0.5
    told, _ = seen.world.faults(seen.until_ns)
    stuck = [one for one in told if one.kind == "stuck" and one.cause == "by itself"]
    # Seven analysers for 96 h, each failing every 30 h and standing 2 h: 21 failures, give or take three deviations.
    assert 8 <= len(stuck) <= 35
    for fault in stuck:
        sensor = fault.target.rsplit("/", 1)[1]
        at, status = seen.of("works", re.sub("(_mg_l|_c|_m3_h)?$", "_status", sensor, count=1))
        during = (at >= fault.from_ns) & (at < (fault.to_ns or seen.until_ns))
        assert set(status[during]) <= {2.0}


def test_influent_has_its_mean_and_deviation(tmp_path: Path) -> None:
    """Over 100 days COD in the effluent is 350 (1 - .85) on average, within 4 %."""
    loaded = services(tmp_path, "      - {name: works, type: wastewater-plant, area: water}\n")
    types = steady(loaded, cod=loaded.types["wastewater-plant"].role.cod)  # type: ignore[attr-defined]
    sensors = tuple(
        one.model_copy(update={"period": 600 * SECOND_NS})
        for one in types["wastewater-plant"].sensors
        if one.name == "cod_mg_l"
    )
    types["wastewater-plant"] = types["wastewater-plant"].model_copy(update={"sensors": sensors})
    _, cod = Seen(loaded, types, hours=100 * 24, window_s=24 * 3600).of("works", "cod_mg_l")
    assert cod.mean() == pytest.approx(52.5, rel=0.04)
    # A 6 h correlation through a 12 h lag leaves sqrt(6 / 18) of the deviation.
    assert cod.std() == pytest.approx(60 * 0.15 * np.sqrt(6 / 18), rel=0.15)


def test_a_calibration_that_never_ends_is_refused() -> None:
    """It has to be over before it is due again."""
    with pytest.raises(ValidationError, match="calibrate_for must be less than calibrate_every"):
        Analysers.model_validate(
            {"mtbf": "500h", "repair": {"mean": "2h"}, "calibrate_every": "1h", "calibrate_for": "1h"}
        )
