"""Benchmarks print what they promise; how fast it was is nobody's test."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import Parksim
from parks import CONFIGS, MONDAY_NS, quickstart

from simulator.bench.against import Rival
from simulator.bench.generate import MINUTE_NS, TimedWorld, make
from simulator.bench.recording import Stream
from simulator.bench.rounds import Rate, in_turn, report
from simulator.errors import ScenarioError
from simulator.park.world import World
from simulator.wire.frames import Frames
from simulator.wire.json_blocks import JsonBlocks

KEYS = {
    "bench",
    "unit",
    "product",
    "raw",
    "ratio",
    "spread",
    "medians",
    "rounds",
    "cpu_cores",
    "cpu_model",
    "load_average",
    "versions",
    "settings",
}


@pytest.fixture
def parksim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Parksim:
    return Parksim(capsys, monkeypatch)


def test_generate_measures_product_and_yardstick_in_each_round(parksim: Parksim) -> None:
    """JSON on stdout with the keys of the contract; the ratio is the middle one of those of the rounds."""
    ended = parksim("bench", "generate", CONFIGS / "quickstart.yaml", "--rounds", 3, "--minutes", 1)
    told = json.loads(ended.out)
    assert ended.code == 0
    assert set(told) == KEYS | {"peak_mb"}
    ratios = sorted(one["product"]["per_s"] / one["raw"]["per_s"] for one in told["rounds"])
    assert told["ratio"] == ratios[1]


def test_the_share_of_simpy_and_the_memory_are_told(parksim: Parksim) -> None:
    """SimPy takes a part of the time, not all of it; the process holds at least NumPy, and is no giant."""
    told = json.loads(parksim("bench", "generate", CONFIGS / "quickstart.yaml", "--rounds", 1, "--minutes", 2).out)
    assert 0 < told["medians"]["product"]["simpy_share"] < 1
    assert 20 < told["peak_mb"] < 4_000


def test_what_a_timed_world_makes_is_what_a_world_makes() -> None:
    """Measuring changes nothing: the same number of readings and messages, and time in each part of the work."""
    park = quickstart()
    until_ns = MONDAY_NS + 3 * MINUTE_NS
    plain = list(World(park.scenario, park.types, MONDAY_NS).batches(until_ns, MINUTE_NS))
    timed = TimedWorld(park.scenario, park.types, MONDAY_NS)
    made = make(timed, minutes=3, encode=True)
    messages = sum(1 for batch in plain for _ in batch.messages(timed.catalog))
    assert (made.readings, made.messages) == (sum(map(len, plain)), messages)
    assert 0 < made.simpy_s < made.made_s


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [("--rounds", "0", "rounds"), ("--window", "soon", "--window"), ("--window", "0s", "--window must be longer")],
)
def test_what_cannot_be_measured_is_refused(parksim: Parksim, option: str, value: str, said: str) -> None:
    """Exit code 104, and the option is named."""
    ended = parksim("bench", "generate", CONFIGS / "quickstart.yaml", option, value)
    assert ended.code == 104
    assert said in ended.err


def test_contenders_take_turns_in_coming_first() -> None:
    """In each round another one begins, and all are measured."""
    order: list[str] = []

    def contender(name: str) -> Rate:
        order.append(name)
        return Rate(1.0)

    names = ("raw", "product", "against")
    found = in_turn(3, {name: lambda name=name: contender(name) for name in names}, lambda _: None)  # type: ignore[misc]
    assert order == ["raw", "product", "against", "product", "against", "raw", "against", "raw", "product"]
    assert [list(one) for one in found] == [list(names)] * 3


def test_medians_and_ratios_are_of_the_rounds() -> None:
    """The ratio is the median of ratios, which is not the ratio of medians; what else was seen has medians too."""
    rates = [(10.0, 5.0), (20.0, 20.0), (40.0, 10.0)]
    rounds: list[dict[str, dict[str, Any]]] = [
        {
            "raw": {"per_s": raw, "cores_busy": [0.5, 0.0]},
            "product": {"per_s": product, "lost": product, "cores_busy": [1.0, product]},
        }
        for raw, product in rates
    ]
    found = report("publish", "messages per second", rounds, {"qos": 0})
    assert (found["raw"], found["product"], found["ratio"]) == (20.0, 10.0, 0.5)
    assert found["spread"] == {"raw": [10.0, 40.0], "product": [5.0, 20.0], "ratio": [0.25, 1.0]}
    assert found["medians"] == {
        "raw": {"cores_busy": [0.5, 0.0]},
        "product": {"lost": 10.0, "cores_busy": [1.0, 10.0]},
    }
    assert found["settings"] == {"qos": 0}


def test_a_recording_holds_the_messages_of_the_park() -> None:
    """The packets of a recording are those that the encoder makes of the same windows, and their text the same."""
    park = quickstart()
    stream = Stream(park, qos=1, version=5)
    recording = stream.record(100)
    world = Stream(park, qos=1, version=5).world
    topics = [asset.topic for asset in world.catalog.assets]
    encoder = JsonBlocks(world.catalog, Frames(topics, qos=1, version=5))
    batch = next(world.batches(world.start_ns + MINUTE_NS, MINUTE_NS))
    block = encoder.block(batch).part(0, 100)
    assert recording.block.data.tobytes() == block.data.tobytes()
    packets = recording.packets()
    assert packets.identifier is not None
    # two bytes of identifier and one of properties stand before the payload
    assert (packets.identifier == block.payload - 3).all()


def test_a_rival_is_told_what_to_do_and_may_measure_itself(tmp_path: Path) -> None:
    """The environment says how many and where; the last line counts, and without it the clock does."""
    script = tmp_path / "rival.py"
    script.write_text(
        "import json, os\n"
        "assert os.environ['PARKSIM_BENCH'] == 'write' and os.environ['PARKSIM_NUMBER'] == '7'\n"
        "print('hello'); print(json.dumps({'per_s': 42}))\n"
    )
    assert Rival(f"{sys.executable} {script}").measure(7, {"BENCH": "write"}).per_s == 42
    script.write_text("print('no figure')")
    assert 0 < Rival(f"{sys.executable} {script}").measure(7, {"BENCH": "write"}).per_s < 7_000


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("'", "quote it"),
        ("", "give a command"),
        ("/nowhere/at-all", "cannot be started"),
        (f"{sys.executable} -c 'raise SystemExit(3)'", "exit code 3"),
    ],
)
def test_a_rival_that_fails_is_told(command: str, said: str) -> None:
    """Whatever is wrong with it is a mistake in the command, and says so."""
    with pytest.raises(ScenarioError, match=said):
        Rival(command).measure(1, {})


def test_a_rival_that_never_gets_ready_is_told() -> None:
    """One that ends without the word is not waited for."""
    with pytest.raises(ScenarioError, match="ready"):
        Rival(f"{sys.executable} -c pass").measure(1, {}, once_ready=lambda: None)
