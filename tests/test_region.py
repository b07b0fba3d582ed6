"""A region: sites in three provinces, systems without factories, goods between sites, and no trace of windows."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from parks import CONFIGS, HOUR_NS, SECOND_NS
from regions import (
    GATE,
    HARBOUR,
    HEAD,
    MIDNIGHT_NS,
    NORTH,
    PLAIN,
    REGION,
    Shown,
    counted,
    loaded,
    midnight_world,
    muted,
)

from simulator.batch import Batch
from simulator.errors import ScenarioError
from simulator.park.world import World
from simulator.plan import plan
from simulator.scenario.loader import load_scenario, load_system_type, shipped_systems

HOURS = 6


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Six hours of the small region, from midnight."""
    return Shown(midnight_world(loaded(tmp_path_factory.mktemp("whole"), REGION)), HOURS, HOUR_NS)


def same(one: Batch, other: Batch) -> bool:
    """Compare bit for bit."""
    return all(
        getattr(one, column).tobytes() == getattr(other, column).tobytes() for column in ("time_ns", "sensor", "value")
    )


@pytest.mark.parametrize("window_s", [7, 61, 977])
def test_windows_leave_no_trace_in_a_region(tmp_path: Path, whole: Shown, window_s: int) -> None:
    """Half an hour of everything at once, and in pieces: the same bits."""
    until_ns = MIDNIGHT_NS + HOUR_NS // 2
    world = midnight_world(loaded(tmp_path, REGION))
    got = Batch.join(list(world.batches(until_ns, window_s * SECOND_NS)))
    rows = int(np.searchsorted(whole.batch.time_ns, until_ns))
    assert same(got, Batch(whole.batch.time_ns[:rows], whole.batch.sensor[:rows], whole.batch.value[:rows]))


def test_a_later_start_leaves_no_trace_in_a_region(tmp_path: Path, whole: Shown) -> None:
    """Five hours unseen, from the same origin, then a quarter of an hour: the same bits."""
    scenario = loaded(tmp_path, REGION)
    start_ns = MIDNIGHT_NS + 5 * HOUR_NS + 1_234_000_000
    late = World(scenario.scenario.model_copy(update={"warm_up": start_ns - MIDNIGHT_NS}), scenario.types, start_ns)
    got = Batch.join(list(late.batches(start_ns + HOUR_NS // 4, 613 * SECOND_NS)))
    rows = slice(*np.searchsorted(whole.batch.time_ns, [start_ns, start_ns + HOUR_NS // 4]).tolist())
    assert same(got, Batch(whole.batch.time_ns[rows], whole.batch.sensor[rows], whole.batch.value[rows]))


def test_something_happens_in_it(whole: Shown) -> None:
    """The comparison above compares something: lorries, missions, doors, waterings, vessels."""
    now = {name: counted(whole.world, name) for name in ("gate", "fleet", "cold", "port", "book")}
    assert now["gate"]["passed"] > 5
    assert now["fleet"]["missions"] > 20
    assert now["cold"]["doors"] > 3
    assert now["port"]["berthed"] + now["port"]["calls"] > 0
    assert now["book"]["ordered"] > 10


def test_sites_bear_their_provinces_and_may_have_no_factories(whole: Shown) -> None:
    """Each reading is tagged with its province; a site of systems alone shows them, and makes nothing."""
    provinces = {asset.path[1]: asset.tags["province"] for asset in whole.world.park.measured.assets}
    assert provinces == {"north": "binh-duong", "east": "dong-nai", "harbour": "ba-ria-vung-tau"}
    assert {plant.path[1] for plant in whole.world.park.plants if plant.makes} == {"north"}


def test_neighbours_do_not_change_what_a_site_shows(tmp_path: Path, whole: Shown) -> None:
    """The north alone shows the same bits as in the region; only what is delivered ends at its gate."""
    alone = Shown(midnight_world(loaded(tmp_path, HEAD + NORTH)), 1, HOUR_NS)
    last = alone.world.park.measured.assets[-1]
    known = last.first_sensor + len(last.sensors)
    (book,) = [asset for asset in alone.world.catalog.assets if asset.path[-1] == "book"]

    def own(batch: Batch) -> Batch:
        mine = (batch.sensor < known) & (batch.time_ns < MIDNIGHT_NS + HOUR_NS)
        mine &= (batch.sensor < book.first_sensor) | (batch.sensor >= book.first_sensor + len(book.sensors))
        return Batch(batch.time_ns[mine], batch.sensor[mine], batch.value[mine])

    assert same(own(alone.batch), own(whole.batch))


def test_goods_flow_from_site_to_site(tmp_path: Path) -> None:
    """Three days of two sites and the port of a third, which comes first in the file: what left both is at the port."""
    two = PLAIN + PLAIN.replace("name: north", "name: south").replace("binh-duong", "dong-nai")
    harbour = HARBOUR.replace("serves: [north]", "serves: [north, south]")
    scenario = loaded(tmp_path, HEAD + harbour + two)
    world = midnight_world(scenario, muted(scenario))
    world.skip(MIDNIGHT_NS + 72 * HOUR_NS)
    port = counted(world, "port")
    gone = sum(
        counted(world, f"{site}/logistics/gate/gate")["left"]
        - counted(world, f"{site}/logistics/supplier/resin")["deliveries"]
        for site in ("north", "south")
    )
    assert port["landed_teu"] + port["on_the_way_teu"] == 2 * gone > 0
    assert port["landed_teu"] == port["yard_teu"] + port["shipped_teu"]


MISTAKES = [
    ("fed_by: resin", "fed_by: rosin", "'rosin' is no supplier of this site; did you mean 'resin'?; known: resin"),
    ("fed_by: resin", "fed_by: gate", "'gate' is no supplier of this site; known: resin"),
    (
        "takes: {granules: 6}",
        "takes: {granules: 6}\n            gives: granules",
        "lines fill 'granules' already; remove this, or the `gives` that names it",
    ),
    (
        "type: supplier, area: logistics}",
        "type: supplier, area: logistics, serves: [plant]}",
        "buffers name their supplier, with `fed_by`; remove it",
    ),
    (GATE, GATE + GATE.replace("name: gate", "name: gate-2"), "'dock' is supplied with freight by 'gate' already"),
    ("serves: [north]", "serves: [nort]", "'nort' is no factory or system of this site"),
    ("serves: [north]", "serves: [block]", "'block' is no site; a container-port serves whole sites"),
    (
        "type: feeder-22kv, serves: [port]}",
        "type: feeder-22kv, serves: [north]}",
        "'north' is a site; a feeder-22kv serves factories and systems of its own",
    ),
    (
        "- {name: port,",
        "- {name: dry-port, type: container-port, serves: [north]}\n      - {name: port,",
        "'north' is supplied with shipping by 'dry-port' already",
    ),
    ("load: 80k", "load: 0", "load: 0 is too small"),
]


@pytest.mark.parametrize(("old", "new", "told"), MISTAKES, ids=[told for _, _, told in MISTAKES])
def test_a_mistake_in_a_region_is_told_with_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    """Suppliers that are none, goods from two sides, sites that do not exist or are served twice."""
    text = HEAD + PLAIN + HARBOUR
    assert text.count(old) == 1
    with pytest.raises(ScenarioError) as refused:
        loaded(tmp_path, text.replace(old, new))
    assert told in str(refused.value)
    assert "region.yaml:" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("gate", "longest: 4m", "longest: 1m", "longest: must not be shorter than `shortest`"),
        ("gate", "[0, 1], [5, 3]", "[0, -1], [5, 3]", "visitors: -1 per hour at hour 0"),
        ("loading-dock", "longest: 60m", "longest: 20m", "longest: must not be shorter"),
        ("agv", "enough: 80", "enough: 20", "enough(=20) must be more than low(=25)"),
        ("greenhouse", "drop: 9", "drop: 90", "drop(=90) must not be more than soil(=72)"),
        ("office-building", "[[0, 0.18]", "[[0, -0.18]", "share -0.18 at hour 0 must be at least 0"),
        ("edge-node", "coverage: 0.6", "coverage: 1.6", "coverage: 1.6 is too large"),
        ("order-book", "loads: 3", "loads: 0", "loads: 0 is too small"),
        ("container-port", "shows: yard_pct", "shows: yard_percent", "'yard_percent', but role 'port' gives"),
        ("supplier", "lead: 18h", "lead: 18", "18 has no unit"),
    ],
)
def test_a_system_type_that_cannot_be_is_refused(tmp_path: Path, name: str, old: str, new: str, told: str) -> None:
    """Each role says what is wrong with its numbers, with the place in the file."""
    text = shipped_systems()[name].read_text(encoding="utf-8")
    assert text.count(old) == 1
    file = tmp_path / f"{name}.yaml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ScenarioError) as refused:
        load_system_type(file)
    assert told in str(refused.value)
    assert f"{name}.yaml:" in str(refused.value)


def test_the_example_of_the_guide_has_no_mistake(tmp_path: Path) -> None:
    """Loaded with a head of its own: two sites, a dozen vehicles, and lorries that end at the port."""
    guide = (CONFIGS.parent / "docs" / "region.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```yaml\n(.*?)^```", guide, flags=re.DOTALL | re.MULTILINE)
    scenario = loaded(tmp_path, HEAD.replace("sites:\n", text))
    assert scenario.warnings == ()
    world = midnight_world(scenario, muted(scenario))
    world.skip(MIDNIGHT_NS + 24 * HOUR_NS)
    assert counted(world, "terminal")["landed_teu"] > 0
    assert counted(world, "fleet")["missions"] > 0


def test_the_region_is_as_large_as_it_says() -> None:
    """Three provinces, 30,000 sensors and more, a sixth of the tenants make furniture of wood; every port is served."""
    scenario = load_scenario(CONFIGS / "binh-duong.yaml")
    assert scenario.warnings == ()
    amounts = plan(scenario)
    assert amounts.sensors >= 30_000
    assert amounts.assets > 1_500
    sites = scenario.scenario.sites
    assert {site.province for site in sites} == {"binh-duong", "dong-nai", "ba-ria-vung-tau"}
    tenants = [factory for site in sites for factory in site.factories]
    wood = [one for one in tenants if any(buffer.name == "boards" for buffer in one.buffers)]
    assert 0.15 < len(wood) / len(tenants) < 0.25
    (port,) = [one for site in sites for one in site.systems if one.type == "container-port"]
    assert set(port.serves) == {site.name for site in sites if site.factories}
