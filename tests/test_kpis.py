"""Key figures follow from what machines do: recomputed from readings, added up by level, told on their own topics."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from faulty import faults
from numpy.typing import NDArray
from parks import HOUR_NS, MONDAY_NS, SECOND_NS, factory_with, quickstart, readings
from scenario_texts import PARK, load, park, problems

from simulator.batch import Asset, Batch
from simulator.clock import RealClock
from simulator.park.packml import State
from simulator.park.roles import ROLES
from simulator.park.world import World
from simulator.plan import plan
from simulator.publish.gateways import gateways
from simulator.run.execute import execute
from simulator.run.options import Options
from simulator.scenario.loader import load_scenario
from simulator.scenario.schema import Kpis, Scenario, Shifts
from simulator.signals.device import Device, Figure
from simulator.signals.devices.load import LoadDevice
from simulator.wire.line_protocol import LineProtocol

MINUTE_NS = 60 * SECOND_NS
MIDNIGHT_NS = MONDAY_NS - 7 * HOUR_NS
"""Monday 00:00 in Binh Duong."""
SHOP = "binh-duong/vsip2a/wiring-devices"
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Told:
    """What a park shows in some time, by topic and field."""

    def __init__(self, world: World, *, until_ns: int, window_ns: int = 600 * SECOND_NS) -> None:
        self.world = world
        self.batch: Batch = readings(world, until_ns=until_ns, window_ns=window_ns)

    def asset(self, topic: str) -> Asset:
        return self.world.catalog.assets[self.world.catalog.by_topic[topic]]

    def of(self, topic: str, name: str) -> tuple[Ints, Floats]:
        asset = self.asset(topic)
        rows = self.batch.sensor == asset.first_sensor + [sensor.name for sensor in asset.sensors].index(name)
        return self.batch.time_ns[rows], self.batch.value[rows]

    def at(self, topic: str, time_ns: int) -> Mapping[str, float]:
        """Return all fields of the message of an instant."""
        asset = self.asset(topic)
        rows = self.batch.time_ns == time_ns
        rows &= (self.batch.sensor >= asset.first_sensor) & (
            self.batch.sensor < asset.first_sensor + len(asset.sensors)
        )
        names = [asset.sensors[number - asset.first_sensor].name for number in self.batch.sensor[rows].tolist()]
        return dict(zip(names, self.batch.value[rows].tolist(), strict=True))


def two_shifts() -> Scenario:
    """The quickstart's shop, closed from 22:00 to 06:00."""
    return factory_with(quickstart().scenario, shifts=Shifts(hours=("06:00-14:00", "14:00-22:00")))


@cache
def night() -> Told:
    """From Monday 20:00 to Tuesday 08:30, after an hour unseen."""
    scenario = two_shifts().model_copy(update={"warm_up": HOUR_NS})
    world = World(scenario, quickstart().types, MIDNIGHT_NS + 20 * HOUR_NS)
    return Told(world, until_ns=MIDNIGHT_NS + 32 * HOUR_NS + 30 * MINUTE_NS)


def groups(told: Told, levels: int) -> list[str]:
    """Topics of the key figures of all assets that have so many names above them."""
    return [a.topic for a in told.world.catalog.assets if a.kind == "kpi" and len(a.path) == levels + 1]


# What a figure is.


def test_pieces_and_energy_are_those_of_the_registers() -> None:
    """At each minute of Tuesday: what the counters of a press have risen since midnight, to the piece and the Wh."""
    told = night()
    topic = f"{SHOP}/moulding/press-3"
    at, good = told.of(f"{topic}/_kpi", "pieces_good")
    mine = at > MIDNIGHT_NS + 24 * HOUR_NS
    for name, counter, apart in (
        ("pieces_good", "good_count", 0),
        ("pieces_bad", "bad_count", 0),
        ("energy_kwh", "energy_kwh", 0.03),
    ):
        at, shown = told.of(f"{topic}/_kpi", name)
        counted_at, counted = told.of(topic, counter)
        # The last reading at or before an instant; a press that made a shot since then shows it at the next one.
        last = np.searchsorted(counted_at, at[mine], side="right") - 1
        before = counted[np.searchsorted(counted_at, MIDNIGHT_NS + 24 * HOUR_NS) - 1]
        following = counted[last + 1] - before
        assert (counted[last] - before <= shown[mine] + apart).all()
        assert (shown[mine] <= following + apart).all()
    assert good[-1] > 1_000


def test_availability_is_the_share_of_open_shifts_in_execute() -> None:
    """Recomputed from the changes of state of each machine, to the millisecond."""
    scenario = two_shifts().model_copy(update={"warm_up": 0})
    world = World(scenario, quickstart().types, MIDNIGHT_NS + 12 * HOUR_NS)
    changes: dict[int, list[tuple[int, int]]] = {asset: [] for asset in range(14)}
    world.watch(lambda segment: changes[segment.asset].append((segment.start_ns, segment.state)))
    told = Told(world, until_ns=MIDNIGHT_NS + 16 * HOUR_NS + MINUTE_NS)
    end_ns = MIDNIGHT_NS + 16 * HOUR_NS
    for asset, spans in changes.items():
        edges = [*(at for at, _ in spans if at < end_ns), end_ns]
        ran_ms = sum(
            (after - at) // 1_000_000
            for (at, state), after in zip(spans, edges[1:], strict=False)
            if state == State.EXECUTE
        )
        shown = told.at(f"{world.catalog.assets[asset].topic}/_kpi", end_ns)
        # The world began at noon.
        assert (shown["pbt_s"], shown["apt_s"]) == (4 * 3600, ran_ms / 1000)
        assert shown["availability"] == pytest.approx(ran_ms / 1000 / (4 * 3600), abs=5e-5)
        assert shown["oee"] == pytest.approx(
            shown["availability"] * shown["effectiveness"] * shown.get("quality", 0), abs=1.5e-4
        )


def test_a_machine_that_is_slow_is_not_effective() -> None:
    """Half the speed for an hour of two: effectiveness falls to about 3/4, and only that of this press."""
    slow = {"kind": "slow", "target": "vsip2a/wiring-devices/moulding/press-1", "at": "0s", "for": "1h", "factor": 2.0}
    scenario = quickstart().scenario.model_copy(update={"faults": faults(slow)})
    told = Told(World(scenario, quickstart().types, MONDAY_NS), until_ns=MONDAY_NS + 2 * HOUR_NS + MINUTE_NS)
    shown = [told.of(f"{SHOP}/moulding/press-{i}/_kpi", "effectiveness")[1] for i in (1, 2)]
    assert shown[0].min() < 0.9
    assert shown[1].min() == 1


def test_failures_and_repairs_are_counted_as_they_were_seen() -> None:
    """One breakdown of 20 minutes: one failure; down from Aborting to the end of Clearing; running time per failure."""
    broken = {"kind": "breakdown", "target": "vsip2a/wiring-devices/moulding/press-1", "at": "30m", "for": "20m"}
    scenario = quickstart().scenario.model_copy(update={"faults": faults(broken), "warm_up": 0})
    world = World(scenario, quickstart().types, MONDAY_NS)
    states: list[tuple[int, int]] = []
    world.watch(lambda segment: states.append((segment.start_ns, segment.state)) if segment.asset == 0 else None)
    told = Told(world, until_ns=MONDAY_NS + 2 * HOUR_NS + MINUTE_NS)
    shown = told.at(f"{SHOP}/moulding/press-1/_kpi", MONDAY_NS + 2 * HOUR_NS)
    assert shown["failures"] == 1
    down_ns = next(at for at, state in states if state == State.STOPPED and at > MONDAY_NS + 30 * MINUTE_NS)
    assert shown["mttr_min"] == pytest.approx((down_ns - MONDAY_NS) / MINUTE_NS - 30, abs=0.006)
    assert shown["mtbf_h"] == pytest.approx(shown["apt_s"] / 3600, abs=0.006)
    before = told.at(f"{SHOP}/moulding/press-1/_kpi", MONDAY_NS + 29 * MINUTE_NS)
    assert (before["failures"], "mtbf_h" in before, "mttr_min" in before) == (0, False, False)


# Days and levels.


def test_a_day_begins_and_ends_at_local_midnight() -> None:
    """At 24:00 Monday's figures are whole; a minute later Tuesday has none, and no availability before six."""
    told = night()
    last, first = (told.at(f"{SHOP}/_kpi", MIDNIGHT_NS + 24 * HOUR_NS + m * MINUTE_NS) for m in (0, 1))
    # The world began at 19:00: three hours of open shift for 14 machines.
    assert last["pbt_s"] == 3 * 3600 * 14
    assert last["pieces_good"] > 1_000
    assert (first["pieces_good"], first["pieces_bad"], first["pbt_s"], first["apt_s"]) == (0, 0, 0, 0)
    assert not {"availability", "effectiveness", "quality", "oee", "energy_wh_per_piece"} & first.keys()
    assert 0 < first["energy_kwh"] < 0.01 * last["energy_kwh"]
    assert first["oee_to_date"] == last["oee_to_date"]
    opened = told.at(f"{SHOP}/_kpi", MIDNIGHT_NS + 30 * HOUR_NS + MINUTE_NS)
    assert opened["pbt_s"] == 60 * 14
    assert {"availability", "oee"} <= opened.keys()


def test_figures_come_each_minute_and_all_at_once() -> None:
    """750 minutes, every topic at each full minute."""
    told = night()
    minutes = np.arange(MIDNIGHT_NS + 20 * HOUR_NS, MIDNIGHT_NS + 32 * HOUR_NS + 30 * MINUTE_NS, MINUTE_NS)
    for asset in told.world.catalog.assets:
        if asset.kind == "kpi":
            assert told.of(asset.topic, "pbt_s")[0].tolist() == minutes.tolist()


def test_levels_add_up() -> None:
    """Times, failures, bad pieces and energy of a level are the sums of the level below it."""
    told = night()
    machines, lines, factories, sites, parks = (groups(told, levels) for levels in (5, 4, 3, 2, 1))
    assert [len(one) for one in (machines, lines, factories, sites, parks)] == [14, 5, 1, 1, 1]
    for name in ("pbt_s", "apt_s", "failures", "pieces_bad", "energy_kwh"):
        levels = [
            sum(told.of(topic, name)[1] for topic in level) for level in (machines, lines, factories, sites, parks)
        ]
        for one in levels[1:]:
            assert one == pytest.approx(levels[0], abs=0.02)


def test_good_pieces_are_those_that_leave() -> None:
    """Of a line in series those of its last machine; of the shop those of its testers; of a parallel line all."""
    told = night()

    def good(topic: str) -> Floats:
        return told.of(f"{SHOP}{topic}/_kpi", "pieces_good")[1]

    testers = [good(f"/assembly-{i}/tester") for i in range(1, 5)]
    for i, one in enumerate(testers, 1):
        assert (good(f"/assembly-{i}") == one).all()
    assert (good("") == sum(testers)).all()
    assert (good("/moulding") == sum(good(f"/moulding/press-{i}") for i in range(1, 7))).all()
    assert good("")[-1] > 0


def test_oee_of_a_level_is_that_of_its_sums() -> None:
    """Availability x effectiveness x quality of the factory, from the times and pieces of its machines."""
    told = night()
    end_ns = MIDNIGHT_NS + 24 * HOUR_NS
    shown = [told.at(topic, end_ns) for topic in groups(told, 5)]
    made, busy = (sum(one[name] for one in shown) for name in ("apt_s", "pbt_s"))
    assert told.at(f"{SHOP}/_kpi", end_ns)["availability"] == pytest.approx(made / busy, abs=5e-5)


def test_levels_are_chosen_in_the_scenario() -> None:
    """Factories alone every five minutes; none at all; machines keep their numbers and readings in each case."""
    whole = Told(World(quickstart().scenario, quickstart().types, MONDAY_NS), until_ns=MONDAY_NS + 11 * MINUTE_NS)
    for kpis, topics, count in (
        (Kpis.model_validate({"every": "5m", "levels": ("factory",)}), [f"{SHOP}/_kpi"], 3),
        (Kpis(levels=()), [], 0),
    ):
        scenario = quickstart().scenario.model_copy(update={"kpis": kpis})
        told = Told(World(scenario, quickstart().types, MONDAY_NS), until_ns=MONDAY_NS + 11 * MINUTE_NS)
        assert [one.topic for one in told.world.catalog.assets if one.kind == "kpi"] == topics
        assert sum(len(told.of(topic, "pbt_s")[0]) for topic in topics) == count
        measured = len(told.world.park.measured)
        mine, theirs = told.batch.sensor < measured, whole.batch.sensor < measured
        assert told.batch.value[mine].tobytes() == whole.batch.value[theirs].tobytes()
        assert told.batch.time_ns[mine].tobytes() == whole.batch.time_ns[theirs].tobytes()


@pytest.mark.parametrize("window_s", [7, 61, 36_000])
def test_figures_do_not_depend_on_windows(window_s: int) -> None:
    """Three hours around midnight, after an hour unseen, in windows of other lengths: the same bits."""
    found = []
    for window_ns in (600 * SECOND_NS, window_s * SECOND_NS):
        scenario = two_shifts().model_copy(update={"warm_up": HOUR_NS})
        world = World(scenario, quickstart().types, MIDNIGHT_NS + 21 * HOUR_NS)
        batch = Told(world, until_ns=MIDNIGHT_NS + 25 * HOUR_NS, window_ns=window_ns).batch
        rows = batch.sensor >= len(world.park.measured)
        found.append((batch.time_ns[rows].tobytes(), batch.sensor[rows].tobytes(), batch.value[rows].tobytes()))
    assert found[0] == found[1]


def test_several_days_in_one_window() -> None:
    """Two days and a half at once: each day has figures of its own."""
    kpis = Kpis.model_validate({"every": "6h", "levels": ("factory",)})
    scenario = two_shifts().model_copy(update={"kpis": kpis, "warm_up": 0})
    plain = {name: spec.model_copy(update={"sensors": spec.sensors[:1]}) for name, spec in quickstart().types.items()}
    start_ns = MIDNIGHT_NS
    whole = Told(World(scenario, plain, start_ns), until_ns=start_ns + 60 * HOUR_NS, window_ns=60 * HOUR_NS)
    at, busy = whole.of(f"{SHOP}/_kpi", "pbt_s")
    hours = dict(zip(((at - MIDNIGHT_NS) // HOUR_NS).tolist(), (busy / 14 / 3600).tolist(), strict=True))
    assert [hours[hour] for hour in (6, 12, 18, 24, 30, 36, 42, 48, 54)] == [0, 6, 12, 16, 0, 6, 12, 16, 0]


# On the wire, in the store, in the result.


def test_a_message_of_a_level_has_the_tags_of_it() -> None:
    """Measurement kpi; a line has no machine, a site no factory, and the park no tag at all."""
    catalog = night().world.catalog
    lines = LineProtocol(catalog)
    shown = {
        topic: lines.line(catalog.by_topic[topic], 1_000, 7, {"oee": 0.5, "failures": 2})
        for topic in (f"{SHOP}/moulding/_kpi", "binh-duong/vsip2a/_kpi", "binh-duong/_kpi")
    }
    assert list(shown.values()) == [
        "kpi,province=binh-duong,park=vsip2a,factory=wiring-devices,line=moulding seq=7i,oee=0.5,failures=2i 1000",
        "kpi,province=binh-duong,park=vsip2a seq=7i,oee=0.5,failures=2i 1000",
        "kpi seq=7i,oee=0.5,failures=2i 1000",
    ]


def test_the_store_and_the_result_have_them(tmp_path: Path) -> None:
    """Two minutes of a run: two rows a group, all written; OEE by factory and by type, figures of the site."""
    options = Options(
        seed=2011, speed=None, duration_ns=2 * MINUTE_NS, broker="memory", store=f"sqlite:{tmp_path}/k.db"
    )
    loaded = quickstart()
    result = execute(
        loaded, options, clock=RealClock(), stop=threading.Event(), on_open=lambda _: None, on_snapshot=lambda _: None
    )
    assert (result.exit_code, result.messages.unaccounted) == (0, 0)
    assert result.messages.written == result.simulated.rows_found
    with sqlite3.connect(tmp_path / "k.db") as db:
        rows = db.execute(
            "select topic, count(*), count(machine), count(line), count(factory), count(park) from kpi"
            " join assets on assets.id = kpi.asset where assets.kind = 'kpi' group by topic order by length(topic)"
        ).fetchall()
    db.close()
    assert len(rows) == 14 + 5 + 3
    assert rows[0] == ("binh-duong/_kpi", 2, 0, 0, 0, 0)
    assert rows[1] == ("binh-duong/vsip2a/_kpi", 2, 0, 0, 0, 2)
    assert {count for _, count, *_ in rows} == {2}
    assert result.park is not None
    assert result.park.oee.keys() == {"park", "vsip2a/wiring-devices"}
    assert result.park.oee_by_type.keys() == {"injection-moulding", "device-assembly", "device-test"}
    site = result.park.sites["vsip2a"]
    assert (site.oee, site.energy_kwh) == (result.park.oee["park"], result.park.energy_kwh)
    assert (site.pieces_good, site.failures, site.figures) == (result.park.pieces_good, result.park.failures, {})


def test_they_need_no_connections_of_their_own(tmp_path: Path) -> None:
    """Each goes through the first gateway of what it speaks for, whatever shares one."""
    catalog = World(load(tmp_path, PARK).scenario, load(tmp_path, PARK).types, MONDAY_NS).catalog
    for per, names in (
        ("site", ["binh-duong/north"]),
        ("factory", ["binh-duong/north/plant"]),
        ("line", ["binh-duong/north/plant/making", "binh-duong/north/plant/packing"]),
    ):
        found, gateway_of = gateways(catalog.assets, per)
        assert found == names
        through = {asset.topic: found[gateway] for asset, gateway in zip(catalog.assets, gateway_of, strict=True)}
        assert through["binh-duong/_kpi"] == through["binh-duong/north/plant/_kpi"] == names[0]
        assert through["binh-duong/north/plant/packing/packer/_kpi"] == names[-1]
        assert through["binh-duong/north/plant/packing/_kpi"] == names[-1]


def test_the_plan_counts_them(tmp_path: Path) -> None:
    """Four machines, two lines, a factory, a site and the park speak every 10 s: .9 messages a second more."""
    counted = plan(load(tmp_path, PARK + "kpis: {every: 10s}\n"))
    none = plan(load(tmp_path, PARK + "kpis: {levels: []}\n"))
    assert counted.messages_per_s - none.messages_per_s == pytest.approx(0.9, abs=1e-3)
    assert counted.readings_per_s - none.readings_per_s == pytest.approx(0.9 * 14, abs=1e-3)
    assert counted.payload_bytes_per_s > none.payload_bytes_per_s + 0.9 * 200
    assert (counted.assets, counted.sensors, counted.connections) == (none.assets, none.sensors, none.connections)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("kpis: {every: 100ms}", "kpis.every: '100ms' is too small, must be at least 1s"),
        ("kpis: {levels: [hall]}", "kpis.levels[0]: 'hall' is not allowed here"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, written: str, told: str) -> None:
    """More often than each second, and a level that is none."""
    (problem,) = problems(tmp_path, f"{PARK}{written}\n")
    assert problem.startswith(f"small.yaml:{PARK.count(chr(10)) + 1}:")
    assert told in problem


def test_a_machine_type_must_not_be_called_kpi(tmp_path: Path) -> None:
    """Its rows would mix with the figures."""
    text = park(("  - name: press\n", "  - name: kpi\n"), ("{name: press, type: press,", "{name: press, type: kpi,"))
    (problem,) = problems(tmp_path, text.replace("{name: packer, type: press}", "{name: packer, type: kpi}"))
    assert problem == (
        "small.yaml:4:11 machine_types[0].name: 'kpi' is what key figures are stored under; choose another name"
    )


# What systems add.


class Telling(LoadDevice):
    """An office that has a figure by day, for its site."""

    figures: ClassVar[tuple[Figure, ...]] = (Figure("seats_taken", "1", 3, 1.0),)

    def values(self, shows: str, time_ns: Ints) -> Any:
        if shows == "seats_taken":
            hour = (time_ns - MIDNIGHT_NS) / HOUR_NS % 24
            return np.where(hour >= 7.5, 0.5 + 0.001 * hour, np.nan)
        return super().values(shows, time_ns)


def test_a_device_adds_a_figure_to_its_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told with those of the site while it has a number; what the tower takes is energy of the site."""

    def telling(post: Any) -> Device:
        return Telling(post.spec.role, post.sky)

    monkeypatch.setitem(ROLES, "load", telling)
    text = (Path(quickstart().path)).read_text(encoding="utf-8")
    file = tmp_path / "added.yaml"
    file.write_text(text.replace("messaging:\n", "    systems: [{name: tower, type: office-building}]\nmessaging:\n"))
    loaded = load_scenario(file)
    world = World(loaded.scenario.model_copy(update={"warm_up": 0}), loaded.types, MONDAY_NS)
    told = Told(world, until_ns=MONDAY_NS + HOUR_NS + SECOND_NS)
    at, shown = told.of("binh-duong/vsip2a/_kpi", "seats_taken")
    assert at[0] == MONDAY_NS + 30 * MINUTE_NS
    assert shown == pytest.approx(0.5 + 0.001 * (at - MIDNIGHT_NS) / HOUR_NS, abs=5e-4)
    site = world.census().parts()["sites"]["vsip2a"]
    assert site["figures"] == {"seats_taken": pytest.approx(0.508, abs=1e-5)}
    assert "seats_taken" not in [sensor.name for sensor in told.asset(f"{SHOP}/_kpi").sensors]
    # Whatever the tower has taken by then belongs to the site and to none of its factories.
    tower = told.of("binh-duong/vsip2a/utilities/office-building/tower", "energy_kwh")[1][-1]
    end = MONDAY_NS + HOUR_NS
    energy = [told.at(topic, end)["energy_kwh"] for topic in ("binh-duong/vsip2a/_kpi", f"{SHOP}/_kpi")]
    assert energy[0] - energy[1] == pytest.approx(tower, rel=0.03)
    assert tower > 100
