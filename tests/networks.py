"""The quickstart with a network, for tests: a ring of two links, a cell, and a gateway that carries the factory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from parks import CONFIGS, MONDAY_NS, readings
from plain_json import JsonEncoder, Message

from simulator.batch import Batch, Catalog
from simulator.park.world import World
from simulator.publish.forwarding import Forwarding, forwarded
from simulator.scenario.loader import Loaded, load_scenario
from simulator.scenario.roles.gateway import Gateway
from simulator.scenario.system_type import SystemType

MINUTE_NS = 60_000_000_000
NETWORK = (
    "{name: east, type: fibre-link, area: network}",
    "{name: west, type: fibre-link, area: network}",
    "{name: ring, type: fibre-ring, area: network, via: [east, west]}",
    "{name: gw, type: iot-gateway, area: network, serves: [wiring-devices], via: [ring]}",
)
GATEWAY = "vsip2a/network/iot-gateway/gw"
EAST, WEST = "vsip2a/network/fibre-link/east", "vsip2a/network/fibre-link/west"


def fault(kind: str, target: str, at: str, lasts: str, **parameters: object) -> str:
    """Return a fault as it is written in a scenario."""
    more = "".join(f", {key}: {value}" for key, value in parameters.items())
    return f"{{kind: {kind}, at: {at}, for: {lasts}, target: {target}{more}}}"


def text(*faults: str, systems: Sequence[str] = NETWORK) -> str:
    """Return the scenario as it is written."""
    lines = ["    systems:", *(f"      - {one}" for one in systems), ""]
    lines += ["faults:", *(f"  - {one}" for one in faults), ""] if faults else []
    plain = (CONFIGS / "quickstart.yaml").read_text(encoding="utf-8")
    plain = plain.replace("start: now ", "start: 2025-03-10T07:00:00+07:00 ")
    return plain.replace("messaging:\n", "\n".join([*lines, "messaging:\n"]))


def networked(folder: Path, *faults: str, systems: Sequence[str] = NETWORK, **role: object) -> Loaded:
    """Return the scenario as it is loaded, with keys of the role of its gateways changed."""
    file = folder / "networked.yaml"
    file.write_text(text(*faults, systems=systems))
    loaded = load_scenario(file)
    for name, spec in list(loaded.types.items()):
        if isinstance(spec, SystemType) and isinstance(spec.role, Gateway):
            loaded.types[name] = spec.model_copy(update={"role": spec.role.model_copy(update=role)})
    return loaded


class Shown:
    """What a park with a network shows from its start on."""

    def __init__(self, loaded: Loaded, *, minutes: float, window_ns: int = MINUTE_NS) -> None:
        self.world = World(loaded.scenario, loaded.types, MONDAY_NS)
        self.batch = readings(self.world, until_ns=MONDAY_NS + round(minutes * MINUTE_NS), window_ns=window_ns)

    def of(self, machine: str, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the minutes since the start and the values of a sensor."""
        rows = self.batch.sensor == number_of(self.world.catalog, machine, name)
        return (self.batch.time_ns[rows] - MONDAY_NS) / MINUTE_NS, self.batch.value[rows]


def number_of(catalog: Catalog, machine: str, name: str) -> int:
    (asset,) = [one for one in catalog.assets if one.path[-1] == machine]
    return asset.first_sensor + [sensor.name for sensor in asset.sensors].index(name)


class Sent:
    """What leaves of a park with a network."""

    def __init__(self, loaded: Loaded, *, minutes: float, window_ns: int = MINUTE_NS) -> None:
        self.world = World(loaded.scenario, loaded.types, MONDAY_NS)
        self.until_ns = MONDAY_NS + round(minutes * MINUTE_NS)
        encoder, batches = JsonEncoder(self.world.catalog), self.world.batches(self.until_ns, window_ns)
        assert self.world.traffic is not None
        forwarding = Forwarding(self.world.catalog, self.world.traffic, encoder.carries)
        self.batches: list[Batch] = list(forwarded(batches, forwarding))
        self.messages: list[Message] = [one for batch in self.batches for one in encoder.messages(batch)]

    def of(self, machine: str) -> list[Message]:
        """Return the messages of a machine, as they leave."""
        return [one for one in self.messages if one.topic.endswith(f"/{machine}")]

    def born(self) -> NDArray[np.int64]:
        """Return instant, asset, number and readings of every message that was measured."""
        return np.concatenate([b.relayed.born for b in self.batches if b.relayed is not None])

    def dropped(self) -> NDArray[np.int64]:
        """Return instant, asset and number of every message that was dropped."""
        return np.concatenate([b.relayed.dropped for b in self.batches if b.relayed is not None])


def plainly(loaded: Loaded, *, minutes: float) -> list[Message]:
    """Return the messages of a park as they are born."""
    world = World(loaded.scenario, loaded.types, MONDAY_NS)
    encoder = JsonEncoder(world.catalog)
    until_ns = MONDAY_NS + round(minutes * MINUTE_NS)
    return [one for batch in world.batches(until_ns, MINUTE_NS) for one in encoder.messages(batch)]
