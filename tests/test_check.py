"""`parksim check` says what is wrong with a scenario, or what it amounts to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import Parksim, parksim
from parks import MONDAY_NS, SECOND_NS
from plain_json import JsonEncoder
from scenario_texts import PARK, load, park

from simulator.park.world import World
from simulator.plan import instants_per_s, plan
from simulator.scenario.loader import Loaded, load_scenario

CONFIGS = Path(__file__).parent.parent / "configs"
__all__ = ["parksim"]
NO_FIGURES = "kpis: {levels: []}\n"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The small park in a file."""
    file = tmp_path / "small.yaml"
    file.write_text(PARK)
    return file


def test_the_plan_is_printed_for_people(parksim: Parksim, small: Path) -> None:
    """Sizes, rates, connections and memory stand on lines of their own."""
    code, out, err = parksim("check", small)
    labels = [line.split()[0] for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert labels[:8] == ["scenario", "assets", "sensors", "messages", "readings", "traffic", "rows", "connections"]


def test_the_plan_is_printed_for_programs(parksim: Parksim, small: Path) -> None:
    """--json gives one object, with the keys that others rely on."""
    code, out, _ = parksim("check", small, "--json")
    planned = json.loads(out)
    assert (code, planned["assets"], planned["sensors"], planned["connections"]) == (0, 4, 12, 1)
    assert {"messages_per_s", "readings_per_s", "bytes_per_s"} <= planned.keys()


def test_mistakes_go_to_stderr_each_on_its_line(parksim: Parksim, tmp_path: Path) -> None:
    """Nothing is printed on stdout, and the exit code is 104."""
    file = tmp_path / "small.yaml"
    file.write_text(park(("crew: 2", "crew: 0"), ("capacity: 1k", "capacity: 0")))
    code, out, err = parksim("check", file)
    assert (code, out) == (104, "")
    assert err.splitlines() == [
        f"{file}:22:15 sites[0].factories[0].crew: 0 is too small, must be at least 1",
        f"{file}:25:37 sites[0].factories[0].buffers[0].capacity: 0 is too small, must be more than 0",
    ]


def test_a_warning_goes_to_stderr_and_does_not_fail(parksim: Parksim, tmp_path: Path) -> None:
    """What will run and is probably not meant is told beside the plan."""
    file = tmp_path / "small.yaml"
    file.write_text(park(("gives: parts\n", "between: 9\n"), ("capacity: 1k", "capacity: 1k, initial: 1k")))
    code, out, err = parksim("check", file, "--json")
    assert (code, len(json.loads(out)["warnings"])) == (0, 1)
    assert err.startswith(f"warning: {file}:25:13 sites[0].factories[0].buffers[0]: no line fills 'parts'")


def test_rates_follow_from_periods_and_cycles(tmp_path: Path) -> None:
    """Four machines: a 1 s grid that the 10 s sensor falls on, 0.1 cycles a second, 4 changes of state an hour."""
    planned = plan(load(tmp_path, PARK + NO_FIGURES))
    changes = 4 / 3600
    assert round(4 * (1 + 0.1 + changes), 3) == planned.messages_per_s
    assert round(4 * (1 + 0.1 + 0.1 + changes), 3) == planned.readings_per_s


def test_what_gateways_keep_is_among_the_memory(tmp_path: Path) -> None:
    """Two gateways with room for 100,000 each; without any the line is not there."""
    gateways = "".join(
        f"      - {{name: gw-{n}, type: iot-gateway, serves: [{who}]}}\n" for n, who in ((1, "plant"), (2, "air"))
    )
    air = "      - {name: air, type: weather-station}\n"
    kept = [
        cap for cap in plan(load(tmp_path, f"{PARK}    systems:\n{air}{gateways}")).caps if "gateways of" in cap.what
    ]
    assert [cap.messages for cap in kept] == [200_000]
    assert 15e6 < kept[0].bytes < 30e6
    assert not [cap for cap in plan(load(tmp_path, PARK)).caps if "gateways of" in cap.what]


def test_a_gateway_that_never_catches_up_is_warned_of(tmp_path: Path) -> None:
    """1,000 presses say 1,100 messages a second; the gateway sends 1,000 while it catches up."""
    text = park(("count: 3", "count: 1000"))
    loaded = load(tmp_path, f"{text}    systems:\n      - {{name: gw, type: iot-gateway, serves: [plant]}}\n")
    (warning,) = plan(loaded).warnings
    assert warning.startswith("north/gw: takes 1,10")
    assert "never catches up" in warning


def test_a_day_has_its_shifts_only(tmp_path: Path) -> None:
    """The grid goes on around the clock; cycles and stops happen in two of three shifts, less 2 minutes in 62."""
    planned = plan(load(tmp_path, PARK + NO_FIGURES))
    assert round(86_400 * 4 * (1 + (0.1 + 4 / 3600) * 2 / 3 * 60 / 62)) == planned.rows_per_day


def test_overrides_at_a_machine_count(tmp_path: Path) -> None:
    """A machine with half the cycle time speaks twice as often about its cycles."""
    slow, fast = (
        plan(load(tmp_path, park(("{name: packer, type: press}", f"{{name: packer, type: press, cycle: {cycle}}}"))))
        for cycle in ("10s", "5s")
    )
    assert fast.messages_per_s - slow.messages_per_s == pytest.approx(0.1)


def test_a_line_in_series_keeps_the_pace_of_its_slowest_machine(tmp_path: Path) -> None:
    """Behind a machine that needs 20 s the next one has as many cycles, though it could do more."""
    text = park(
        (
            "- {name: packer, type: press}",
            "- {name: slow, type: press, cycle: 20s}\n              - {name: b, type: press}",
        ),
        ("takes: {parts: 2}", "takes: {parts: 2}\n            flow: series"),
    )
    assert round(5 * (1 + 4 / 3600) + 3 * 0.1 + 2 * 0.05, 3) == plan(load(tmp_path, text + NO_FIGURES)).messages_per_s


@pytest.mark.parametrize(
    ("gateway_per", "connections"),
    [("site", 1), ("factory", 1), ("line", 3)],
)
def test_connections_are_those_of_the_gateways(tmp_path: Path, gateway_per: str, connections: int) -> None:
    """A line with a count is several lines."""
    text = park(("takes: {parts: 2}", "takes: {parts: 2}\n            count: 2"))
    text += f"messaging: {{gateway_per: {gateway_per}}}\n"
    assert connections == plan(load(tmp_path, text)).connections


@pytest.mark.parametrize(
    ("periods_s", "expected"),
    [
        ([], 0),
        ([1], 1),
        ([1, 10, 60], 1),
        ([2, 3], 4 / 6),
        ([4, 6], 1 / 4 + 1 / 6 - 1 / 12),
        ([2, 3, 5], 22 / 30),
        ([4, 6, 10], 1 / 4 + 1 / 6 + 1 / 10 - 1 / 12 - 1 / 20 - 1 / 30 + 1 / 60),
    ],
)
def test_grids_that_meet_are_counted_once(periods_s: list[int], expected: float) -> None:
    """Instants that several sensors share make one message."""
    assert expected == pytest.approx(instants_per_s([period * SECOND_NS for period in periods_s]))


def test_a_long_warm_up_is_a_warning(tmp_path: Path) -> None:
    """A park that would keep its user waiting for minutes says so before it starts."""
    text = park(("count: 3", "count: 1000"), ("mtbf: 1h", "mtbf: 1m"), ("sites:", "warm_up: 10d\nsites:"))
    (warning,) = plan(load(tmp_path, text)).warnings
    assert warning.startswith("warm_up: 10d of this park take about ")


def measured(loaded: Loaded, hours: int) -> tuple[float, float, float]:
    """Return messages, readings and payload bytes per second of the world itself."""
    span_s = hours * 3600
    world = World(loaded.scenario, loaded.types, MONDAY_NS)
    encoder = JsonEncoder(world.catalog)
    messages = readings = payload = 0
    for batch in world.batches(MONDAY_NS + span_s * SECOND_NS, 600 * SECOND_NS):
        for message in encoder.messages(batch):
            messages += 1
            readings += message.readings
            payload += len(message.payload)
    return messages / span_s, readings / span_s, payload / span_s


def test_the_plan_is_what_the_park_really_sends() -> None:
    """Over eight hours the quickstart sends what check says of a day within 3 %, and less than the rate at work."""
    loaded = load_scenario(CONFIGS / "quickstart.yaml")
    planned = plan(loaded)
    messages, readings, payload = measured(loaded, hours=8)
    assert planned.rows_per_day / 86_400 == pytest.approx(messages, rel=0.03)
    assert planned.readings_per_day / 86_400 == pytest.approx(readings, rel=0.03)
    at_work = (planned.messages_per_s, planned.readings_per_s, planned.payload_bytes_per_s)
    for promised, sent in zip(at_work, (messages, readings, payload), strict=True):
        assert 0.9 * promised < sent < promised
