"""What is done to a run by hand can be saved as a scenario, whose run gives the same messages, bit for bit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from pydantic import TypeAdapter

from simulator.clock import SECOND_NS, FakeClock
from simulator.park.build import catalog_of
from simulator.publish.orders import Act, Begin, Order, Orders, Pause, Resume, Speed
from simulator.publish.source import Shipping
from simulator.publish.workshop import Workshop
from simulator.results.action import Action
from simulator.scenario.fault import Fault
from simulator.scenario.fault_catalogue import fault_kinds
from simulator.scenario.fitting import Fitting
from simulator.scenario.loader import Loaded, load_scenario
from simulator.scenario.quantities import instant_text
from simulator.scenario.repetition import repetition
from simulator.scenario.targets import struck_by

CONFIGS = Path(__file__).parent.parent / "configs"
FAULT: TypeAdapter[Fault] = TypeAdapter(Fault)
WINDOW_NS = 7_300_000_000
WINDOWS = 16
NUMBERS: dict[str, dict[str, float]] = {
    "slow": {"factor": 1.7},
    "drift": {"per_hour": 40.0},
    "spike": {"chance": 0.4, "height": 5.0},
    "offset": {"by": 3.0},
    "quantised": {"step": 7.0},
    "clock_skew": {"offset_ms": -2_500.0, "ppm": 100.0},
    "flood": {"mbit_s": 5_000.0},
    "duplicates": {"chance": 0.5},
    "reorder": {"chance": 0.5},
    "power_dip": {"depth": 0.6},
    "air_leak": {"m3_min": 30.0},
}
KINDS = [one["kind"] for one in fault_kinds()]
Messages = list[tuple[int, bytes]]


@cache
def bad_day() -> Loaded:
    """Return a park in which every kind of fault can befall something, and has much planned."""
    return load_scenario(CONFIGS / "bad-day.yaml")


def written(kind: str, *, lasts: str = "40s", nth: int = 0) -> dict[str, Any]:
    """Return a fault of a kind, as it is written, on the nth thing that it can befall."""
    loaded = bad_day()
    scenario = loaded.scenario
    fitting = Fitting(scenario, loaded.types)
    for target in ("*/*/*/*", "*/*/*/*/*"):
        everywhere = {"kind": kind, "target": target, "for": lasts, **NUMBERS.get(kind, {})}
        found = next(islice(struck_by(made(everywhere), scenario, fitting), nth, None), None)
        if found is not None:
            catalog = measured()
            asset = catalog.assets[catalog.by_topic["/".join((scenario.enterprise, *found.path))]]
            sensor = [asset.sensors[found.sensor].name] if found.sensor >= 0 else []
            return everywhere | {"target": "/".join([*found.path, *sensor])}
    raise AssertionError(kind)


@cache
def measured() -> Any:
    return catalog_of(bad_day().scenario, bad_day().types)


def made(fault: Mapping[str, Any]) -> Fault:
    return FAULT.validate_json(json.dumps({**fault, "at": "0s", "by_hand": True}), strict=True)


def workshop(loaded: Loaded, orders: Orders | None) -> Workshop:
    return Workshop(loaded.scenario, loaded.types, FakeClock(), stop=lambda: False, orders=orders)


def messages(
    source: Workshop, orders: Mapping[int, Sequence[Order]], acts: list[Act], window_ns: int
) -> Iterator[tuple[int, bytes]]:
    """Yield every message of some windows, as it goes out; before window n some orders are given."""
    lanes = np.zeros(len(source.catalog.assets), dtype=np.int64)
    until_ns = source.start_ns + WINDOWS * window_ns
    shipping = Shipping(qos=1, version=5, outlet_of=lanes, outlets=1, until_ns=until_ns, window_ns=window_ns)
    windows = source.windows(shipping)
    for number in range(10 * WINDOWS):
        for order in orders.get(number, ()):
            source.order(order)
        window = next(windows, None)
        if window is None:
            return
        acts += window.acts
        block = window.consignment.block
        data = block.data.tobytes()
        edges = block.start.tolist()
        for due_ns, low, high in zip(block.due_ns.tolist(), edges, edges[1:], strict=False):
            yield due_ns, data[low:high]


def repeated(text: str, tmp_path: Path, *, window_ns: int = WINDOW_NS) -> Messages:
    """Return the messages of a saved scenario, whose world nobody steers."""
    file = tmp_path / "again.yaml"
    file.write_text(text, encoding="utf-8")
    return list(messages(workshop(load_scenario(file), None), {}, [], window_ns))


def actions_of(acts: Sequence[Act], asked: Sequence[Mapping[str, Any]]) -> list[Action]:
    """Return what a result would tell."""
    waiting, zone, found = list(asked), ZoneInfo("Asia/Ho_Chi_Minh"), []
    for act in acts:
        at = instant_text(act.at_ns, zone)
        match act.what:
            case "fault":
                found.append(Action(at=at, do="fault", fault=dict(waiting.pop(0))))
            case "speed":
                found.append(Action(at=at, do="speed", speed=act.speed))
            case "pause":
                found.append(Action(at=at, do="pause", paused_s=1.25))
    return found


def lived(
    asked: Mapping[int, Sequence[Order | Mapping[str, Any]]],
    loaded: Loaded | None = None,
    *,
    window_ns: int = WINDOW_NS,
) -> tuple[Messages, str]:
    """Return the messages of a run that somebody steers, and the scenario that repeats it."""
    loaded = loaded or bad_day()
    source = workshop(loaded, Orders())
    faults = [one for each in asked.values() for one in each if isinstance(one, Mapping)]
    orders = {n: [Begin(made(one)) if isinstance(one, Mapping) else one for one in each] for n, each in asked.items()}
    acts: list[Act] = []
    found = list(messages(source, orders, acts, window_ns))
    text = repetition(
        loaded,
        actions_of(acts, faults),
        seed=loaded.scenario.seed,
        origin_ns=source.origin_ns,
        start_ns=source.start_ns,
        until_ns=source.start_ns + WINDOWS * window_ns,
        speed=1.0,
    )
    return found, text


def test_sensors_of_all_models_are_stuck_bit_for_bit(tmp_path: Path) -> None:
    """All that can be stuck, begun at no sample of most: each shows its next reading."""
    everywhere = {"kind": "stuck", "target": "*/*/*/*/*", "for": "1m"}
    found, text = lived({4: [everywhere]})
    assert repeated(text, tmp_path) == found


def test_a_fault_comes_before_all_else_of_its_instant(tmp_path: Path) -> None:
    """Begun at the instant at which another one ends: that was planned before the one and after the other."""
    press = {"kind": "stop", "target": "vsip2a/wiring-devices/moulding/press-1", "for": "30s"}
    planned = f"faults:\n  - {json.dumps({**press, 'at': '30s'})}\n"
    file = tmp_path / "planned.yaml"
    file.write_text((CONFIGS / "bad-day.yaml").read_text(encoding="utf-8").replace("faults:\n", planned))
    found, text = lived({6: [press]}, load_scenario(file), window_ns=10 * SECOND_NS)
    assert repeated(text, tmp_path, window_ns=10 * SECOND_NS) == found


@cache
def undisturbed() -> Messages:
    return lived({})[0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_begun_by_hand_is_repeated_bit_for_bit(kind: str, tmp_path: Path) -> None:
    """Each kind, twice on the same target so that both overlap: the messages are the same, and not those without it."""
    fault = written(kind)
    found, text = lived({3: [fault], 6: [fault]})
    assert found != undisturbed()
    assert repeated(text, tmp_path) == found


def test_everything_at_once_is_repeated_bit_for_bit(tmp_path: Path) -> None:
    """Faults of all kinds at one instant, a pause with faults in it, other speeds, another window."""
    first: list[Order | Mapping[str, Any]] = [
        written(kind, nth=1) if kind != "air_leak" else written(kind) for kind in KINDS
    ]
    paused: list[Order | Mapping[str, Any]] = [Pause(), written("stop", nth=2), Speed(20.0, 2_100_000_000)]
    found, text = lived({2: first, 5: paused, 6: [Resume()], 9: [Speed(3.0, WINDOW_NS), Pause(), Resume()]})
    assert repeated(text, tmp_path) == found
