"""A small region for tests: a plant with its logistics, a farm with a town, a port with a power plant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from parks import HOUR_NS, MONDAY_NS

from simulator.batch import Batch
from simulator.park.world import World
from simulator.scenario.loader import Loaded, load_scenario
from simulator.scenario.machine_type import MachineType
from simulator.scenario.system_type import SystemType
from simulator.signals.device import TrackDevice

__all__ = [
    "GATE",
    "HARBOUR",
    "HEAD",
    "NORTH",
    "PLAIN",
    "REGION",
    "Shown",
    "changed",
    "counted",
    "loaded",
    "midnight_world",
    "muted",
]

MIDNIGHT_NS = MONDAY_NS - 7 * HOUR_NS
"""Monday 00:00 in Binh Duong."""
HEAD = "parksim: 1\nname: small-region\nseed: 4\nsites:\n"
NORTH = """\
  - name: north
    province: binh-duong
    factories:
      - name: plant
        crew: 3
        buffers:
          - {name: granules, capacity: 1M, initial: 500k, fed_by: resin}
          - {name: parts, capacity: 40k, initial: 20k}
        lines:
          - name: moulding
            takes: {granules: 6}
            gives: parts
            machines: [{name: press, type: injection-moulding, count: 6}]
          - name: assembly
            takes: {parts: 3}
            machines: [{name: indexer, type: device-assembly, count: 4}]
    systems:
      - {name: resin, type: supplier, area: logistics}
      - {name: dock, type: loading-dock, count: 2, area: logistics}
      - {name: gate, type: gate, area: logistics, serves: [dock, plant]}
      - {name: agv, type: agv, count: 4, area: logistics}
      - {name: fleet, type: agv-dispatch, area: logistics, serves: [agv, plant]}
      - {name: book, type: order-book, area: logistics, serves: [plant]}
      - {name: node, type: edge-node, serves: [plant]}
      - {name: feeder, type: feeder-22kv, serves: [plant, fleet, dock]}
"""
GATE = "      - {name: gate, type: gate, area: logistics, serves: [dock, plant]}\n"
PLAIN = f"""\
  - name: north
    province: binh-duong
    factories:
      - name: plant
        crew: 3
        load: 80k
        buffers:
          - {{name: granules, capacity: 6M, initial: 5M, fed_by: resin}}
        lines:
          - name: moulding
            takes: {{granules: 6}}
            machines: [{{name: press, type: injection-moulding, count: 4}}]
    systems:
      - {{name: resin, type: supplier, area: logistics}}
      - {{name: dock, type: loading-dock, count: 2, area: logistics}}
{GATE}      - {{name: book, type: order-book, area: logistics, serves: [plant]}}
"""
"""A plant that is quickly simulated: presses, a supplier, a gate with docks, and an order book."""
EAST = """\
  - name: east
    province: dong-nai
    systems:
      - {name: house, type: greenhouse, area: farm}
      - {name: cold, type: cold-store, area: farm}
      - {name: it, type: it-park, area: city}
      - {name: shop, type: retail, area: city}
      - {name: air, type: city-station, area: city}
      - {name: road, type: traffic-counter, area: city}
      - {name: lamps, type: street-lighting, area: city}
"""
HARBOUR = """\
  - name: harbour
    province: ba-ria-vung-tau
    systems:
      - {name: port, type: container-port, area: port, serves: [north]}
      - {name: block, type: gas-power-plant, area: energy}
      - {name: feeder, type: feeder-22kv, serves: [port]}
"""
REGION = HEAD + NORTH + EAST + HARBOUR


def loaded(folder: Path, text: str) -> Loaded:
    """Load a scenario as a user does."""
    file = folder / "region.yaml"
    file.write_text(text, encoding="utf-8")
    return load_scenario(file)


def changed(types: dict[str, MachineType], name: str, *, fails: bool = True, **changes: Any) -> dict[str, MachineType]:
    """Return the types with keys of the role of one of them changed, and without its failures if it never fails."""
    spec = types[name]
    assert isinstance(spec, SystemType)
    assert spec.role is not None
    update: dict[str, Any] = {"role": spec.role.model_copy(update=changes)}
    return types | {name: spec.model_copy(update=update if fails else update | {"stops": ()})}


def midnight_world(scenario: Loaded, types: dict[str, MachineType] | None = None) -> World:
    """Return the world of a scenario from Monday, midnight."""
    return World(scenario.scenario, types or scenario.types, MIDNIGHT_NS)


def muted(scenario: Loaded, *keep: str) -> dict[str, MachineType]:
    """Return the types of a scenario; those not kept show their state once an hour, to save the time of reading."""

    def quiet(spec: MachineType) -> MachineType:
        state = next(sensor for sensor in spec.sensors if sensor.name == "state")
        return spec.model_copy(update={"sensors": (state.model_copy(update={"period": HOUR_NS}),)})

    return {name: spec if name in keep else quiet(spec) for name, spec in scenario.types.items()}


def counted(world: World, topic_end: str) -> dict[str, float]:
    """Return what the device of a system counts, as of now."""
    (number,) = [i for i, one in enumerate(world.park.measured.assets) if one.topic.endswith(f"/{topic_end}")]
    device = world.park.surroundings.devices[number]
    assert isinstance(device, TrackDevice)
    return {name: track.value for name, track in device.tracks.items()}


class Shown:
    """What a world shows for some hours, asset by asset."""

    def __init__(self, world: World, hours: float, window_ns: int = HOUR_NS // 4) -> None:
        self.world = world
        self.batch = Batch.join(list(world.batches(world.start_ns + int(hours * HOUR_NS), window_ns)))

    def of(self, topic_end: str, name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return instants and values of one sensor."""
        (asset,) = [one for one in self.world.catalog.assets if one.topic.endswith(f"/{topic_end}")]
        number = asset.first_sensor + [sensor.name for sensor in asset.sensors].index(name)
        rows = self.batch.sensor == number
        return self.batch.time_ns[rows], self.batch.value[rows]

    def values(self, topic_end: str, *names: str) -> list[NDArray[np.float64]]:
        """Return the values of some sensors."""
        return [self.of(topic_end, name)[1] for name in names]
