"""`parksim validate` sets our figures beside published ones, and a wrong model shows."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from commands import Parksim
from parks import CONFIGS, HOUR_NS, MONDAY_NS, quickstart, world

from simulator.park import learning as park_learning
from simulator.park import stops
from simulator.park.buffer import Buffer
from simulator.park.packml import State
from simulator.scenario.climate import load_climate
from simulator.scenario.loader import load_scenario
from simulator.scenario.machine_type import Stop
from simulator.scenario.schema import Scenario
from simulator.signals import cooling, motor, vibration
from simulator.signals.almanac import month_of
from simulator.signals.noise import Noise
from simulator.signals.rain import Rain
from simulator.validate import climate, equipment, holding, learning, load_curve, production, reliability, survey
from simulator.validate.figures import Figure, compare, inform
from simulator.validate.observed import Observed, Outage, Tally, observe
from simulator.validate.published import published
from simulator.validate.table import table_text

DAYS = 2
HCMC = load_climate("ho-chi-minh-city")
THIRTY = np.arange(np.datetime64("1995-01-01"), np.datetime64("2025-01-01")).astype(np.int64)
MONTH = month_of(THIRTY)[0] % 12
TYPES = quickstart().types


@pytest.fixture
def parksim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Parksim:
    return Parksim(capsys, monkeypatch)


def silent(_: str) -> None:
    """Hear nothing."""


def some_days(days: int = DAYS) -> Observed:
    return observe(quickstart().scenario, TYPES, start_ns=MONDAY_NS, days=days, told=silent)


@pytest.fixture(scope="module")
def observed() -> Observed:
    """Two days of the quickstart."""
    return some_days()


def verdicts(figures: Iterable[Figure]) -> set[str]:
    return {figure.verdict for figure in figures}


def outside(figures: Iterable[Figure]) -> set[str]:
    return {figure.name for figure in figures if figure.verdict == "outside"}


# What a figure is.


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [(10.0, "within"), (11.4, "within"), (11.41, "outside"), (8.59, "outside"), (math.nan, "outside")],
)
def test_a_figure_is_judged_by_its_tolerance_and_four_standard_errors(ours: float, verdict: str) -> None:
    """10 with a tolerance of 1 and a standard error of .1 is accepted from 8.6 to 11.4; what is no number never is."""
    figure = compare("s", "n", ours=ours, published=10.0, unit="1", source="x", tolerance=1.0, standard_error=0.1)
    assert figure.verdict == verdict


def test_a_range_is_accepted_between_its_ends() -> None:
    """Tolerance goes below the low end and above the high one."""
    found = [
        compare("s", "n", ours=ours, published=(1.0, 2.0), unit="1", source="x", tolerance=0.5).verdict
        for ours in (0.4, 0.5, 1.5, 2.5, 2.6)
    ]
    assert found == ["outside", "within", "within", "within", "outside"]


@pytest.mark.parametrize(
    ("source", "tag"), [("a book [V]", "V"), ("x [V2], y", "V2"), ("z [E/M]", "E/M"), ("[9] w", "")]
)
def test_the_tag_is_that_of_the_source(source: str, tag: str) -> None:
    """Where a number was read stands in brackets."""
    assert inform("s", "n", ours=1.0, unit="1", source=source).tag == tag


# Formulas: right as they are, outside when they are wrong.


def test_motors_keep_to_their_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve figures within 1 %; with a constant loss share of .8 for .42 the efficiency at low load is outside."""
    known = published().motor
    assert verdicts(equipment.motors(known)) == {"within"}
    monkeypatch.setattr(motor, "CONSTANT_LOSS_SHARE", 0.8)
    assert "efficiency at 25% load" in outside(equipment.motors(known))


def test_wrong_reactive_power_is_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """With twice the reactive power at no load, power factor and current at a quarter load are outside."""
    monkeypatch.setattr(motor, "REACTIVE_IDLE", 2.0 * motor.REACTIVE_IDLE)
    found = outside(equipment.motors(published().motor))
    assert {"power factor at 25% load", "current per rated current at 25% load"} <= found


def test_pue_keeps_to_its_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within 1 %; with chillers of a COP of 4 for 6 all three are outside."""
    known = published().cooling
    assert verdicts(equipment.pue(known)) == {"within"}
    monkeypatch.setattr(cooling, "BEST_COP", 4.0)
    assert len(outside(equipment.pue(known))) == 3


def test_vibration_goes_from_good_to_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    """The press is judged, the smaller drives are told; a bearing that fails without a sign is outside."""
    known = published().vibration
    found = list(equipment.zones(TYPES.values(), known))
    assert {figure.name.partition(":")[0] for figure in found if figure.accepted} == {"injection-moulding"}
    assert verdicts(found) == {"within", "for information"}
    monkeypatch.setattr(vibration, "GROWTH", 0.5)
    assert outside(equipment.zones(TYPES.values(), known)) == {"injection-moulding: at failure, zone C or D"}


def test_noise_without_memory_is_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """White noise in the place of each AR(1) noise: all its autocorrelations are outside."""
    assert verdicts(equipment.noise(TYPES.values(), seed=1)) == {"within"}
    rng = np.random.default_rng(1)
    monkeypatch.setattr(Noise, "window", lambda self, first, last: rng.standard_normal((last - first, 256)))
    found = list(equipment.noise(TYPES.values(), seed=1))
    assert len(outside(found)) == len(found) == 4


# The weather.


def rain(source: Any) -> list[Figure]:
    return list(climate.rain("rain", HCMC, Rain(source, seed=2, site="a").storms(THIRTY).depth_mm, MONTH))


def test_rain_of_another_climate_is_outside() -> None:
    """All 24 figures of the climate itself are within; half as much rain again is outside in all wet months."""
    assert verdicts(rain(HCMC)) == {"within"}
    normals = HCMC.normals.model_copy(update={"rain_mm": tuple(1.5 * mm for mm in HCMC.normals.rain_mm)})
    wetter = outside(rain(HCMC.model_copy(update={"normals": normals})))
    assert {f"rain, {month}" for month in ("May", "Jun", "Jul", "Aug", "Sep", "Oct")} <= wetter
    assert "share of these 24 within 2 standard errors" in wetter
    assert not any(name.startswith("wet days") for name in wetter)


def test_too_many_wet_days_are_outside() -> None:
    """Four wet days more in each month are seen in all of them, but for one that has few."""
    normals = HCMC.normals.model_copy(update={"wet_days": tuple(4.0 + days for days in HCMC.normals.wet_days)})
    found = outside(rain(HCMC.model_copy(update={"normals": normals})))
    assert sum(name.startswith("wet days") for name in found) >= 11


def test_extremes_half_a_degree_off_are_outside() -> None:
    """Days that run from the normal lowest to the normal highest are within, and .6 degrees more are outside."""
    normals = HCMC.normals
    course = np.stack([np.array(normals.lowest_c)[MONTH], np.array(normals.highest_c)[MONTH]], axis=1)
    assert verdicts(climate.extremes("t", HCMC, course, MONTH)) == {"within"}
    assert len(outside(climate.extremes("t", HCMC, course + 0.6, MONTH))) == 24


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, "within"), (0.94, "outside"), (1.06, "outside")])
def test_the_sun_is_judged_by_its_year(factor: float, verdict: str) -> None:
    """1,581 kWh/m2 a year within 5 %."""
    (known,) = published().climates
    daily = np.full(len(THIRTY), factor * 1581.0 * 30 * 1000 / 24 / len(THIRTY))
    assert climate.sunshine("sun", known, daily).verdict == verdict


def test_dust_is_judged_by_level_scatter_and_range() -> None:
    """Lognormal days of 36.3 +- 13.7 are within; twice the level, no scatter and days beyond the range are outside."""
    (known,) = published().climates
    sigma = math.sqrt(math.log1p((13.7 / 36.3) ** 2))
    days = 36.3 * np.exp(sigma * np.random.default_rng(1).standard_normal((len(THIRTY), 1)) - sigma**2 / 2)
    names = ["PM2.5, mean", "PM2.5, standard deviation of days", "PM2.5, share of days from 10.4 to 110.8 ug/m3"]
    found = {
        what: [f.name for f in climate.dust("dust", HCMC, known, hourly) if f.verdict == "outside"]
        for what, hourly in {"as is": days, "doubled": 2 * days, "flat": days * 0 + 36.3, "thin": days * 0 + 10}.items()
    }
    assert found == {"as is": [], "doubled": names, "flat": names[1:2], "thin": names}


# What the park did.


def test_who_looks_does_not_change_the_park(observed: Observed) -> None:
    """Pieces of two days are those of the park with all its sensors; energy and OEE are within a point."""
    park = world()
    park.skip(observed.until_ns)
    tally = observed.tally
    for asset, machine in enumerate(park.park.machines):
        machine.settle()
        assert (tally.good[-1, asset], tally.processed[-1, asset]) == (machine.good, machine.processed)
    spent = (observed.register_kwh[-1] - observed.register_kwh[0]).sum()
    hours = (observed.quarter_ns[-1] - observed.quarter_ns[0]) / HOUR_NS
    energy_kwh = park.kpis()["energy_kwh"]
    assert energy_kwh is not None
    assert spent / hours == pytest.approx(energy_kwh / (24 * DAYS), rel=0.01)
    assert len(observed.quarter_ns) == 24 * 4 * DAYS - 1
    # The park's own OEE includes the warm-up.
    ours, _ = production.oee(observed.tally.of(observed.members(observed.factories[0])), supplied=False)
    assert ours == pytest.approx(park.kpis()["oee"], abs=0.01)


def test_stops_and_repairs_keep_to_their_laws(observed: Observed) -> None:
    """Two days: every figure is within or from too few stops; the jams of the indexers are judged in all four ways."""
    found = list(reliability.reliability(observed))
    assert outside(found) == set()
    jams = [f for f in found if f.section == "stops of device-assembly" and f.name.startswith("feeder-jam")]
    assert [figure.verdict for figure in jams] == ["within"] * 4
    assert {f.verdict for f in found if f.name.startswith("breakdown")} == {"for information"}


def test_stops_that_come_too_often_are_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lives that are half as long as stated: times between stops are outside, repairs are not."""
    fresh = stops.StopClock.__init__

    def short(self: Any, stop: Stop, stream: Any) -> None:
        fresh(self, stop, stream)
        self._scale_ns /= 2

    monkeypatch.setattr(stops.StopClock, "__init__", short)
    found = outside(reliability.reliability(some_days(1)))
    assert "feeder-jam: time between, on the working clock" in found
    assert not any("repair" in name or "logarithm" in name for name in found)


def test_repairs_that_take_too_long_are_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repairs of three times the stated length: so are they, and the effectiveness of presses while supplied."""
    monkeypatch.setattr(stops, "lognormal_ns", slow(stops.lognormal_ns))
    seen = some_days()
    found = outside(reliability.reliability(seen))
    assert "feeder-jam: time to repair" in found
    assert not any("time between" in name for name in found)
    assert "OEE of injection moulding while supplied" in outside(production.effectiveness(seen, published().oee))


def test_a_plant_that_makes_half_as_much_is_outside(observed: Observed) -> None:
    """71 % is an average plant and 36 % is none; presses at 77 % are as they should be, and at 39 % are not."""
    known = published().oee
    assert verdicts(production.effectiveness(observed, known)) == {"within"}
    half = replace(observed, tally=replace(observed.tally, ideal_ns=0.5 * observed.tally.ideal_ns))
    assert verdicts(production.effectiveness(half, known)) == {"outside"}


def slow(drawn: Any) -> Any:
    return lambda rng, mean_ns, *, cv: drawn(rng, 3 * mean_ns, cv=cv)


def test_lives_and_repairs_of_another_form_are_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regular jams for memoryless ones, and repairs that are all alike: the means are right and the scatter is not."""
    fresh = stops.StopClock.__init__

    def regular(self: Any, stop: Stop, stream: Any) -> None:
        fresh(self, stop.model_copy(update={"shape": 8.0}) if stop.name == "feeder-jam" else stop, stream)

    monkeypatch.setattr(stops.StopClock, "__init__", regular)
    monkeypatch.setattr(stops, "lognormal_ns", lambda rng, mean_ns, *, cv: stops.whole_ms(mean_ns))
    found = outside(reliability.reliability(some_days()))
    assert {"feeder-jam: times between, deviation per mean", "feeder-jam: deviation of the logarithm of it"} <= found
    assert not found & {"feeder-jam: time between, on the working clock", "feeder-jam: time to repair"}


@pytest.mark.parametrize("shape", [0.7, 1.0, 2.0, 4.0])
def test_the_error_of_scatter_is_that_of_many_samples(shape: float) -> None:
    """Mean and spread of the deviation per mean over 2,000 samples of 400 Weibull lives: within 3 and 10 %."""
    lives = np.random.default_rng(3).weibull(shape, (2_000, 400))
    scatter = lives.std(axis=1, ddof=1) / lives.mean(axis=1)
    wanted, error = reliability.weibull_scatter(shape, 400)
    assert scatter.mean() == pytest.approx(wanted, rel=0.03)
    assert scatter.std() == pytest.approx(error, rel=0.10)


def test_waiting_for_the_crew_is_no_repair() -> None:
    """One repairer, three breakdowns at once: each repair counts from when he comes; operators wait for nobody."""
    minute = 60_000_000_000
    crewed = SimpleNamespace(name="b", by="crew")
    own = SimpleNamespace(name="o", by="operator")
    machines = [SimpleNamespace(spec=SimpleNamespace(stops=[crewed, own])) for _ in range(3)]
    assets = [SimpleNamespace(path=("e", "s", "f", "l", str(i))) for i in range(3)]
    outages = [
        Outage(0, 0, 10 * minute, 30 * minute),
        Outage(1, 0, 12 * minute, 45 * minute),
        Outage(2, 0, 13 * minute, 50 * minute),
        Outage(2, 1, 60 * minute, 62 * minute),
    ]
    at = {0: [11], 1: [13], 2: [14, 61]}
    rests = {0: [State.ABORTED], 1: [State.ABORTED], 2: [State.ABORTED, State.HELD]}
    area = SimpleNamespace(name="f", crew=1)
    seen: Any = SimpleNamespace(
        scenario=SimpleNamespace(enterprise="e", sites=[SimpleNamespace(name="s", areas=[area])]),
        catalog=SimpleNamespace(assets=assets),
        machines=machines,
        outages=outages,
        entered={i: (np.array(at[i]) * minute, np.array(rests[i])) for i in at},
        from_ns=0,
        until_ns=100 * minute,
    )
    assert [reliability.repairs(seen)[one] // minute for one in outages] == [19, 15, 5, 1]


def test_effectiveness_leaves_out_what_supply_does_not_bring() -> None:
    """Half of the open time in Execute, a quarter waiting: 50 % of all, two thirds of the time supplied."""
    rising = np.arange(4.0)
    tally = Tally(0.5 * rising, 0.25 * rising, 0.5 * rising, rising, rising, rising, rising)
    assert [production.oee(tally, supplied=supplied)[0] for supplied in (False, True)] == pytest.approx([0.5, 2 / 3])


def test_a_record_without_open_time_is_told_and_not_judged(observed: Observed) -> None:
    """A factory that was closed has no OEE, and is not outside."""
    closed = replace(observed, tally=replace(observed.tally, busy_ns=observed.tally.busy_ns * 0))
    found = list(production.effectiveness(closed, published().oee))
    assert verdicts(figure for figure in found if "moulding" not in figure.name) == {"for information"}


def test_yearly_output_is_that_of_the_real_plant() -> None:
    """Two days of the wiring-device plant make 53 and 13 million a year; with two thirds of the lines they do not."""
    loaded = load_scenario(CONFIGS / "wiring-devices.yaml")
    start = loaded.scenario.start
    assert start != "now"
    seen = observe(loaded.scenario, loaded.types, start_ns=int(start.timestamp()) * 10**9, days=2, told=silent)
    found = list(production.output(seen, published().output))
    assert [figure.verdict for figure in found] == ["within", "within"]
    assert all(figure.note == "4,800 open hours in 52 weeks" for figure in found)
    fewer = replace(seen, tally=replace(seen.tally, good=seen.tally.good * 2 / 3))
    assert verdicts(production.output(fewer, published().output)) == {"outside"}


def test_a_plant_without_a_published_output_has_no_such_figure(observed: Observed) -> None:
    """The quickstart's shop is no real plant."""
    assert list(production.output(observed, published().output)) == []


def curve_of(power: np.ndarray, *, kinds: Sequence[str], by_day: bool = True) -> dict[str, Figure]:
    """Return the figures of a plant that takes so much in each quarter of an hour, from a Monday's midnight on."""
    plant: Any = SimpleNamespace(
        path=("e", "s", "f"),
        machines=[SimpleNamespace(spec=SimpleNamespace(name=kind)) for kind in kinds],
        calendar=SimpleNamespace(is_by_day=by_day),
    )
    seen: Any = SimpleNamespace(
        factories=[plant],
        members=lambda one: [0],
        register_kwh=np.concatenate(([0.0], np.cumsum(power)))[:, None],
        quarter_ns=np.arange(len(power) + 1) * 900_000_000_000 + MONDAY_NS - 7 * HOUR_NS,
        scenario=SimpleNamespace(timezone="Asia/Ho_Chi_Minh"),
    )
    return {figure.name: figure for figure in load_curve.load_curves(seen, published().load_curve)}


def test_load_curves_are_told_beside_a_real_plant() -> None:
    """A curve over two weeks: the afternoons of working days, dead weekends; a week later it is the same."""
    place = np.arange(14 * 96)
    power = ((place // 48) % 2 == 1) & (place // 96 % 7 < 5)
    found = curve_of(power * 1.0, kinds=["sewing-line"])
    assert verdicts(found.values()) == {"for information"}
    assert found["weekend per weekday"].ours == 0
    assert found["mean load per highest load"].ours == pytest.approx(5 / 14)
    assert found["autocorrelation after a week"].ours == pytest.approx(1.0, abs=0.01)
    assert found["autocorrelation after 15 min"].ours > 0.9
    assert found["weekend per weekday"].published == 0.35
    assert "weekdays at 12:00 per 09:00" not in found


@pytest.mark.parametrize(
    ("kinds", "by_day", "weeks", "judged"),
    [(["cnc-mill"], True, 4, 7), (["cnc-mill"], True, 3, 0), (["cnc-mill"], False, 4, 0), (["filler"], True, 4, 0)],
)
def test_who_works_in_metal_by_day_is_judged_after_four_weeks(
    kinds: list[str], *, by_day: bool, weeks: int, judged: int
) -> None:
    """Seven statistics of such a plant, none of others: another trade, two shifts, too short a record."""
    found = curve_of(np.random.default_rng(1).random(weeks * 672), kinds=kinds, by_day=by_day)
    assert sum(figure.accepted is not None for figure in found.values()) == judged


def test_the_metalworking_shop_is_like_a_real_one() -> None:
    """A month: all seven statistics of the load curve within; without lunch the dip is outside, on Sundays more."""
    loaded = load_scenario(CONFIGS / "metalworking.yaml")

    def curve(scenario: Scenario, days: int) -> dict[str, Figure]:
        seen = observe(scenario, loaded.types, start_ns=MONDAY_NS - 7 * HOUR_NS, days=days, told=silent)
        return {figure.name: figure for figure in load_curve.load_curves(seen, published().load_curve)}

    found = curve(loaded.scenario, 30)
    assert outside(found.values()) == set()
    assert sum(figure.verdict == "within" for figure in found.values()) == 7
    shifts = loaded.scenario.sites[0].factories[0].shifts
    busier = shifts.model_copy(update={"breaks": None, "until": {}, "days": (*shifts.days, "sun")})
    factory = loaded.scenario.sites[0].factories[0].model_copy(update={"shifts": busier})
    site = loaded.scenario.sites[0].model_copy(update={"factories": (factory,)})
    wrong = outside(curve(loaded.scenario.model_copy(update={"sites": (site,)}), 28).values())
    assert {"weekend per weekday", "weekdays at 12:00 per 09:00"} <= wrong


# What must hold.


def test_the_laws_hold_in_the_quickstart(observed: Observed) -> None:
    """Two days, a buffer between six presses and four lines: all seven within."""
    found = list(holding.holding(observed))
    assert (len(found), verdicts(found)) == (7, {"within"})
    assert len(observed.outages) > 100


def test_pieces_from_nowhere_are_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Housings of which twenty are never taken out of the stock: all of them are told, and nothing else is."""
    take, spared = Buffer.take, list(range(20))

    def forgetful(self: Buffer, pieces: int) -> None:
        take(self, pieces - (1 if self.name == "housings" and spared and spared.pop() >= 0 else 0))

    monkeypatch.setattr(Buffer, "take", forgetful)
    fresh = quickstart().scenario.model_copy(update={"warm_up": 0})
    found = observe(fresh, TYPES, start_ns=MONDAY_NS, days=1, told=silent)
    assert found.audit.apart == 20
    assert outside(holding.holding(found)) == {"good pieces that appeared in buffers or vanished from them"}


def test_labels_and_states_are_audited(observed: Observed) -> None:
    """A breakdown whose label is lost, a way that PackML does not know, and more good pieces than pieces."""
    aborts = [
        (asset, at_ns)
        for asset, (entered_ns, state) in observed.entered.items()
        for at_ns in entered_ns[state == State.ABORTING].tolist()
        if at_ns > observed.from_ns
    ]
    assert aborts
    unlabelled = replace(observed, causes=observed.causes - {aborts[0]})
    assert outside(holding.holding(unlabelled)) == {"breakdowns without a label of the same instant"}
    jumps = {**observed.entered, 0: (np.array([0, 1]), np.array([int(State.STOPPED), int(State.EXECUTE)]))}
    assert "changes of state that PackML does not know" in outside(holding.holding(replace(observed, entered=jumps)))
    too_good = replace(observed.tally, good=observed.tally.processed + 1)
    assert outside(holding.holding(replace(observed, tally=too_good))) == {"pieces that are neither good nor bad"}


@pytest.mark.parametrize("name", ["quickstart", "vsip2a"])
def test_rain_of_shipped_scenarios_is_within_two_errors(name: str) -> None:
    """Rain and wet days of each month over thirty years, with the seed of the file."""
    scenario = load_scenario(CONFIGS / f"{name}.yaml").scenario
    source = Rain(HCMC, seed=scenario.seed, site=scenario.sites[0].name)
    *found, _ = climate.rain("rain", HCMC, source.storms(THIRTY).depth_mm, MONTH)
    apart = [abs(one.ours - one.published) / one.standard_error for one in found]
    assert len(apart) == 24
    assert max(apart) <= 2


def test_learning_keeps_to_wrights_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve times within 1 %; with repairs that are learnt at .95 for .85 all before the floor are outside."""
    known = published().learning
    assert verdicts(learning.wright(known)) == {"within"}
    monkeypatch.setattr(park_learning, "REPAIR_RATE", 0.95)
    assert len(outside(learning.wright(known))) == 4


# The command.


def test_the_quickstart_is_all_within(parksim: Parksim) -> None:
    """Exit code 0, JSON alone on stdout, progress on stderr, and the keys that others rely on."""
    code, out, err = parksim("validate", CONFIGS / "quickstart.yaml", "--days", DAYS, "--json")
    told = json.loads(out)
    assert [f for f in told["figures"] if f["verdict"] == "outside"] == []
    assert (code, told["exit_code"], told["verdict"], told["outside"]) == (0, 0, "pass", 0)
    assert (told["schema"], told["scenario"], told["seed"], told["days"]) == (
        "parksim.validation/1",
        "quickstart",
        2011,
        DAYS,
    )
    assert told["within"] + told["for_information"] == len(told["figures"])
    assert told["within"] > 100
    keys = {"section", "name", "ours", "published", "unit", "tolerance", "standard_error", "accepted", "verdict"}
    assert all(figure.keys() == keys | {"source", "tag", "note"} for figure in told["figures"])
    assert all(figure["source"] and figure["tag"] for figure in told["figures"])
    sections = {figure["section"] for figure in told["figures"]}
    assert {"effectiveness", "motors", "cooling", "vibration", "noise", "weather at vsip2a, 30 years"} <= sections
    assert err.splitlines() == ["simulated 1 of 2 days", "simulated 2 of 2 days", "thirty years of weather at vsip2a"]


@pytest.fixture
def no_weather(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out thirty years of weather, which take the longest."""
    monkeypatch.setattr(climate, "weather", lambda site, known, *, seed: iter(()))


@pytest.mark.usefixtures("no_weather")
def test_a_wrong_model_ends_in_99(parksim: Parksim, monkeypatch: pytest.MonkeyPatch) -> None:
    """A motor with a wrong loss share: exit code 99, and the table says which figure it is."""
    monkeypatch.setattr(motor, "CONSTANT_LOSS_SHARE", 0.8)
    code, out, _ = parksim("validate", CONFIGS / "quickstart.yaml", "--days", 1)
    assert code == 99
    (line,) = [line for line in out.splitlines() if "efficiency at 25% load" in line]
    assert line.split()[4:] == ["0.8409", "0.904", "0.895", "to", "0.913", "outside", line.split()[-1]]
    assert out.splitlines()[-1].startswith("FAIL")
    assert "\x1b" not in out


def test_a_scenario_that_cannot_be_used_ends_in_104(parksim: Parksim, tmp_path: Path) -> None:
    """A file that is not there, and no days at all."""
    assert parksim("validate", tmp_path / "none.yaml").code == 104
    assert parksim("validate", CONFIGS / "quickstart.yaml", "--days", 0).code == 104


@pytest.mark.usefixtures("no_weather")
def test_scheduled_faults_are_left_out_and_told(tmp_path: Path) -> None:
    """A press that is to stand all day changes no figure; JSON and table say that a fault was left out."""
    text = (CONFIGS / "quickstart.yaml").read_text(encoding="utf-8")
    fault = "faults:\n  - {kind: breakdown, target: vsip2a/wiring-devices/moulding/press-1, at: 1h, for: 20h}\n"
    file = tmp_path / "faulty.yaml"
    file.write_text(text + fault, encoding="utf-8")
    with_fault = survey.survey(load_scenario(file), days=1, told=silent)
    without = survey.survey(quickstart(), days=1, told=silent)
    assert with_fault.figures == without.figures
    assert (with_fault.as_json()["faults_left_out"], without.as_json()["faults_left_out"]) == (1, 0)
    assert "left out: the faults that the scenario schedules (1)" in table_text(with_fault, terminal=False)


def small(*figures: Figure) -> survey.Survey:
    return survey.Survey("a-park", 1, MONDAY_NS, 7, 0, figures)


def test_the_table_is_coloured_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No escape sequences in a pipe whatever FORCE_COLOR says, nor on a terminal with NO_COLOR."""
    found = small(compare("s", "n", ours=3.0, published=1.0, unit="h", source="x [V]"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b" in table_text(found, terminal=True)
    assert "\x1b" not in table_text(found, terminal=False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in table_text(found, terminal=True)


def test_a_line_of_the_table_is_never_cut_in_a_pipe() -> None:
    """A figure of 300 letters stands on one line, without blanks behind it."""
    lines = table_text(small(inform("s", "n" * 300, ours=1.0, unit="1", source="x")), terminal=False).splitlines()
    assert any("n" * 300 in line for line in lines)
    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize(("columns", "missing"), [("80", ["accepted", "note"]), ("120", ["note"]), ("200", [])])
def test_a_narrow_terminal_shows_fewer_columns(
    monkeypatch: pytest.MonkeyPatch, columns: str, missing: list[str]
) -> None:
    """What is left out stands in the JSON; figure, value and verdict are always there, and no line is too long."""
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("NO_COLOR", "1")
    found = small(compare("s", "a name of several words", ours=3.0, published=1.0, unit="h", source="x", note="why"))
    head, row = (table_text(found, terminal=True).splitlines()[i] for i in (1, 4))
    assert [title for title in ("ours", "accepted", "verdict", "note") if title not in head] == missing
    assert row.split()[:6] == ["a", "name", "of", "several", "words", "3"]
    assert "outside" in row
    assert len(row) <= int(columns)


def test_what_is_infinite_is_null_in_json() -> None:
    """An MTBF without a stop, and the open end of a zone."""
    figure = Figure("s", "n", math.inf, (2.8, math.inf), "h", "x", accepted=(2.8, math.inf))
    told = figure.as_json()
    assert (told["ours"], told["published"], told["accepted"]) == (None, [2.8, None], [2.8, None])
