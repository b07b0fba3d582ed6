"""A network: cuts re-route and isolate, floods take room, and a gateway shows what waits in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from networks import EAST, GATEWAY, MINUTE_NS, NETWORK, WEST, Sent, Shown, fault, networked, number_of, text
from parks import MONDAY_NS, quickstart, readings
from scenario_texts import pointed

from simulator.errors import ScenarioError
from simulator.park.world import World
from simulator.scenario.loader import load_scenario

CUTS = (fault("breakdown", EAST, "2m", "10m"), fault("breakdown", WEST, "5m", "3m"))


def during(minutes: np.ndarray, low: float, high: float) -> np.ndarray:
    return (minutes > low) & (minutes < high)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Sixteen minutes with both cuts."""
    return Shown(networked(tmp_path_factory.mktemp("cut"), *CUTS), minutes=16)


def test_one_cut_leads_the_other_way_round_and_two_isolate(shown: Shown) -> None:
    """2 ms become 5, then nothing comes back; what is left of the ring is open as soon as one link is mended."""
    minutes, latency = shown.of("ring", "latency_ms")
    assert latency[minutes < 2].mean() == pytest.approx(2.1, abs=0.5)
    assert latency[during(minutes, 2.1, 5)].mean() == pytest.approx(5.1, abs=0.6)
    assert latency[during(minutes, 5.1, 8)].mean() == pytest.approx(1000, abs=1)
    assert latency[minutes > 13].mean() == pytest.approx(2.1, abs=0.5)
    minutes, connected = shown.of("gw", "connected")
    shut = minutes[connected == 0]
    assert (shut.min(), shut.max()) == pytest.approx((5.0, 8.1), abs=0.2)
    # A link that is mended clears, resets and starts before it carries again.
    assert len(shut) * 10 == pytest.approx(3 * 60 + 11, abs=15)
    minutes, loss = shown.of("ring", "loss_pct")
    assert loss[during(minutes, 5.2, 8)].min() > 99.9
    minutes, available = shown.of("gw", "availability_pct")
    assert available[-1] == pytest.approx(100 * (1 - (3 + 11 / 60) / (120 + minutes[-1])), abs=0.06)


def test_what_travels_counts_where_it_travels(tmp_path: Path, shown: Shown) -> None:
    """Each link shows the traffic of the gateway while it carries, and none before and after; bits as on the wire."""
    east, west = shown.of("east", "throughput_mbit_s"), shown.of("west", "throughput_mbit_s")
    assert east[1][during(east[0], 0.5, 2)].min() > 0
    assert east[1][during(east[0], 2.1, 12)].max() == 0
    assert west[1][during(west[0], 0.5, 2)].max() == 0
    assert west[1][during(west[0], 2.2, 5)].min() > 0
    assert east[1][east[0] > 13].min() > 0
    sent = Sent(networked(tmp_path), minutes=10)
    packets = sum(len(m.payload) + len(m.topic) + 7 for m in sent.messages if m.asset < 14 or m.topic.endswith("/gw"))
    minutes, calm = Shown(networked(tmp_path), minutes=10).of("gw", "throughput_mbit_s")
    assert 1e6 / 8 * calm[minutes > 0.1].mean() == pytest.approx(packets / 600, rel=0.08)


def test_a_gateway_may_fall_back_on_the_cell(tmp_path: Path) -> None:
    """With the ring isolated the second of its ways carries, with the cell's latency, and nothing waits."""
    systems = [*NETWORK[:3], "{name: cell, type: cell-5g, area: network}", NETWORK[3].replace("[ring]", "[ring, cell]")]
    shown = Shown(networked(tmp_path, *CUTS, systems=systems), minutes=14)
    minutes, latency = shown.of("gw", "latency_ms")
    assert latency[during(minutes, 5.1, 8)].mean() == pytest.approx(12.2, abs=1)
    assert shown.of("gw", "buffer_depth")[1].max() == 0
    minutes, power = shown.of("cell", "rsrp_dbm")
    assert power[minutes > 1].mean() == pytest.approx(-85, abs=6)


def test_a_cut_of_the_cable_more_than_doubles_the_way_to_singapore(tmp_path: Path) -> None:
    """RTT 35 ms becomes 90, and two fifths of the capacity are left."""
    cables = [f"{{name: {name}, type: submarine-cable, area: network}}" for name in ("near", "far")]
    abroad = "{name: abroad, type: international-link, area: network, via: [near, far]}"
    cut = fault("breakdown", "vsip2a/network/submarine-cable/near", "10m", "1h")
    shown = Shown(networked(tmp_path, cut, systems=[*cables, abroad]), minutes=30)
    minutes, rtt = shown.of("abroad", "rtt_ms")
    assert rtt[during(minutes, 1, 10)].mean() == pytest.approx(35, abs=1)
    assert rtt[minutes > 10.1].mean() == pytest.approx(90, abs=1)
    assert shown.of("abroad", "capacity_mbit_s")[1][[0, -1]].tolist() == [10000, 4000]


def test_a_flood_takes_the_room_of_a_link(tmp_path: Path) -> None:
    """Offered 1.25 times what it carries, a gateway loses a fifth, is full, and has a queue in front of it."""
    shown = Shown(networked(tmp_path, fault("flood", GATEWAY, "5m", "5m", mbit_s=125)), minutes=15)
    for name, calm, flooded, tolerance in (
        ("loss_pct", 0.0, 20.0, 0.1),
        ("latency_ms", 2.3, 202.3, 1.0),
        ("jitter_ms", 0.12, 50, 0.2),
        ("throughput_mbit_s", 0.02, 100, 0.02),
    ):
        minutes, value = shown.of("gw", name)
        assert value[during(minutes, 5.1, 10)].mean() == pytest.approx(flooded, abs=tolerance), name
        assert value[(minutes < 5) | (minutes > 10.1)].mean() == pytest.approx(calm, abs=tolerance), name


@pytest.mark.parametrize("order", ["oldest_first", "newest_first"])
def test_the_depth_is_what_waits(tmp_path: Path, order: str) -> None:
    """At every sample of the buffer: born and not yet sent, counted from the messages that leave."""
    loaded = networked(tmp_path, *CUTS, flush_per_s=25, order=order)
    shown, sent = Shown(loaded, minutes=20), Sent(loaded, minutes=20)
    minutes, depth = shown.of("gw", "buffer_depth")
    at_ns = np.rint(minutes * MINUTE_NS).astype(np.int64) + MONDAY_NS
    traffic = sent.world.traffic
    assert traffic is not None
    carried = np.flatnonzero(traffic.carrier == 0)
    born = sent.born()
    born_ns = born[np.isin(born[:, 1], carried), 0]
    left_ns = np.sort([one.due_ns for one in sent.messages if one.asset in carried])
    waiting = np.searchsorted(born_ns, at_ns, side="right") - np.searchsorted(left_ns, at_ns, side="right")
    assert depth.tolist() == waiting.tolist()
    assert depth.max() > 3_000
    assert depth[-1] == 0


@pytest.mark.parametrize("window_s", [7, 1_200])
def test_windows_do_not_change_what_a_network_shows(tmp_path: Path, window_s: int) -> None:
    """Twenty minutes with cuts, a flood, a stuck depth and a silent press: the same bits in any windows."""
    stuck = fault("stuck", f"{GATEWAY}/buffer_depth", "6m", "1m")
    gap = fault("gap", '"vsip2a/wiring-devices/moulding/press-1/*"', "5m", "2m")
    loaded = networked(tmp_path, *CUTS, fault("flood", EAST, "1m", "30s", mbit_s=9000), stuck, gap, flush_per_s=25)
    found = [Shown(loaded, minutes=20, window_ns=s * 1_000_000_000).batch for s in (60, window_s)]
    for column in ("time_ns", "sensor", "value"):
        assert getattr(found[0], column).tobytes() == getattr(found[1], column).tobytes()


def test_a_stuck_depth_shows_the_last_true_one(tmp_path: Path, shown: Shown) -> None:
    """The last count before the fault is shown on and on, and the true one after it."""
    free = shown.of("gw", "buffer_depth")
    stuck = fault("stuck", f"{GATEWAY}/buffer_depth", "6m", "1m")
    minutes, depth = Shown(networked(tmp_path, *CUTS, stuck), minutes=16).of("gw", "buffer_depth")
    held = during(minutes, 6, 7)
    assert set(depth[held]) == {free[1][minutes <= 6][-1]}
    assert depth[~held].tolist() == free[1][~held].tolist()
    assert free[1][held][-1] > depth[held][-1] > 500


def test_a_silent_sensor_makes_no_message_that_could_wait(tmp_path: Path, shown: Shown) -> None:
    """With all sensors of the moulding hall silent the buffer fills more slowly."""
    gap = fault("gap", '"vsip2a/wiring-devices/moulding/*/*"', "1m", "20m")
    silent = Shown(networked(tmp_path, *CUTS, gap), minutes=8).of("gw", "buffer_depth")[1]
    assert 100 < silent[-1] < 0.7 * shown.of("gw", "buffer_depth")[1][len(silent) - 1]


def test_a_network_leaves_the_readings_of_machines_as_they_are(shown: Shown) -> None:
    """The factory shows the same bits with a network and with faults of it as without."""
    plain = quickstart()
    bare = readings(World(plain.scenario, plain.types, MONDAY_NS), until_ns=MONDAY_NS + 10 * MINUTE_NS)
    last = shown.world.catalog.assets[13]
    end = last.first_sensor + len(last.sensors)
    known = (shown.batch.sensor < end) & (shown.batch.time_ns < MONDAY_NS + 10 * MINUTE_NS)
    for column in ("time_ns", "sensor", "value"):
        assert getattr(shown.batch, column)[known].tobytes() == getattr(bare, column)[bare.sensor < end].tobytes()


MISTAKES = [
    (["{name: gw, type: iot-gateway, via: [§rings]}"], "'rings' is no system of this site"),
    (
        ["{name: gw, type: iot-gateway, via: [§roofs]}", "{name: roofs, type: pv-plant}"],
        "'roofs' is no link, so nothing",
    ),
    (["{name: gw, type: iot-gateway, via: [a, §a]}", "{name: a, type: cell-5g}"], "'a' is written twice; remove one"),
    (
        ["{name: roofs, type: pv-plant, via: §[a]}", "{name: a, type: cell-5g}"],
        "a pv-plant sends nothing on; only links",
    ),
    (
        [f"{{name: {a}, type: cell-5g, via: {b}}}" for a, b in (("a", "§[b]"), ("b", "[a]"))],
        "systems lead through each other in a circle",
    ),
    (
        [
            "{name: one, type: iot-gateway, serves: [wiring-devices]}",
            "{name: two, type: iot-gateway, serves: [§wiring-devices]}",
        ],
        "'wiring-devices' is supplied with data by 'one' already",
    ),
    (
        ["{name: one, type: iot-gateway, serves: [§two]}", "{name: two, type: iot-gateway}"],
        "'two' is a gateway, which sends what it says itself",
    ),
    (["{name: a, type: cell-5g, serves: §[wiring-devices]}"], "a cell-5g gives nothing to others"),
]


@pytest.mark.parametrize(("systems", "told"), MISTAKES, ids=[told for _, told in MISTAKES])
def test_a_network_that_cannot_be_is_told_with_its_place(tmp_path: Path, systems: list[str], told: str) -> None:
    """Ways through nothing, through what is no link, twice, in circles; what is carried twice: line and column."""
    written, place = pointed(text(systems=systems))
    file = tmp_path / "networked.yaml"
    file.write_text(written)
    with pytest.raises(ScenarioError) as refused:
        load_scenario(file)
    (problem,) = refused.value.problems
    assert f"networked.yaml:{place} " in problem
    assert told in problem


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (fault("clock_skew", f"§{EAST}", "1m", "1m", offset_ms=5), f"'{EAST}' is no gateway, and a clock_skew strikes"),
        (
            fault("flood", "§vsip2a/wiring-devices/moulding/press-1", "1m", "1m", mbit_s=5),
            "is no gateway or link, and a",
        ),
        (
            fault("duplicates", f"§{GATEWAY}/state", "1m", "1m", chance=0.1),
            "has 5 levels; a duplicates strikes a machine",
        ),
        (fault("reorder", GATEWAY, "1m", "1m", chance="§1.5"), "1.5 is too large, must be at most 1"),
    ],
)
def test_a_fault_of_a_network_that_cannot_be_is_told_with_its_place(tmp_path: Path, line: str, told: str) -> None:
    """A clock belongs to a gateway, a flood to what carries; chances are at most 1."""
    written, place = pointed(text(line))
    file = tmp_path / "networked.yaml"
    file.write_text(written)
    with pytest.raises(ScenarioError) as refused:
        load_scenario(file)
    (problem,) = refused.value.problems
    assert f"networked.yaml:{place} " in problem
    assert told in problem


def test_who_gives_power_to_a_gateway_may_speak_through_it(tmp_path: Path) -> None:
    """A feeder serves the gateway that sends its readings: no circle, for data flows the other way."""
    feeder = "{name: feeder, type: feeder-22kv, serves: [gw]}"
    gateway = "{name: gw, type: iot-gateway, serves: [feeder, wiring-devices]}"
    sent = Sent(
        networked(
            tmp_path, fault("breakdown", "vsip2a/utilities/iot-gateway/gw", "1m", "1m"), systems=[feeder, gateway]
        ),
        minutes=3,
    )
    late = [one for one in sent.of("feeder") if one.due_ns > one.time_ns]
    assert 80 < len(late) < 110
    assert number_of(sent.world.catalog, "feeder", "power_kw") > 0
