"""Sites with data centres, treatment plants, reporters and offices, for tests of what they show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from parks import HOUR_NS, SECOND_NS, readings

from simulator.park.world import World
from simulator.scenario.loader import Loaded, load_scenario
from simulator.scenario.machine_type import MachineType
from simulator.scenario.quantities import instant_ns
from simulator.scenario.sensor import OutputModel

HEAD = """\
parksim: 1
name: services
seed: 5
start: 2026-06-01T07:00:00+07:00
{faults}
sites:
  - name: vsip2a
    province: binh-duong
    factories: {factories}
    systems:
"""
SHOP = """
      - name: brackets
        shifts: {hours: ["06:00-14:00", "14:00-22:00"]}
        lines: [{name: pressing, machines: [{name: press, type: stamping-press, count: 3}]}]"""
HALL = """\
      - {name: feeder, type: feeder-22kv, serves: [centre]}
      - {name: centre, type: data-centre, serves: [rack], area: data}
      - {name: rack, type: server-rack, count: 30, area: data}
      - {name: crah, type: crah-unit, count: 4, serves: [centre], area: data}
"""
WORKS = """\
      - {name: mains, type: feeder-22kv, serves: [works, blower]}
      - {name: works, type: wastewater-plant, area: water}
      - {name: blower, type: aeration-blower, count: 2, serves: [works], area: water}
"""
RECORDS = """\
      - {name: records, type: water-reporter, serves: [works], area: water}
      - {name: line, type: authority-line, serves: [records], area: water}
"""
OFFICE = "      - {name: permits, type: permit-office, area: government}\n"
Column = NDArray[np.int64]
Values = NDArray[np.float64]


def services(folder: Path, systems: str, *, factories: str = "[]", faults: str = "") -> Loaded:
    """Return a site with these systems as a user loads it."""
    file = folder / "services.yaml"
    listed = f"faults:\n{faults}" if faults else ""
    file.write_text(HEAD.format(factories=factories, faults=listed) + systems, encoding="utf-8")
    return load_scenario(file)


def types_with(loaded: Loaded, name: str, **changes: Any) -> dict[str, MachineType]:
    """Return the types of a scenario, with keys of one's role changed."""
    spec: Any = loaded.types[name]
    return loaded.types | {name: spec.model_copy(update={"role": spec.role.model_copy(update=changes)})}


def noiseless(types: dict[str, MachineType]) -> dict[str, MachineType]:
    """Return the types without the noise of sensors that show what a role gives."""
    changed: dict[str, MachineType] = {}
    for name, spec in types.items():
        quiet = {"noise": None}
        sensors = (s.model_copy(update=quiet if isinstance(s.model, OutputModel) else {}) for s in spec.sensors)
        changed[name] = spec.model_copy(update={"sensors": tuple(sensors)})
    return changed


class Seen:
    """What a site showed over some hours."""

    def __init__(self, loaded: Loaded, types: dict[str, MachineType], *, hours: float, window_s: int = 3600) -> None:
        assert not isinstance(loaded.scenario.start, str)
        self.start_ns = instant_ns(loaded.scenario.start)
        self.world = World(loaded.scenario, types, self.start_ns)
        self.until_ns = self.start_ns + round(hours * HOUR_NS)
        self.batch = readings(self.world, until_ns=self.until_ns, window_ns=window_s * SECOND_NS)

    def of(self, machine: str, name: str) -> tuple[Column, Values]:
        """Return instants and values of one sensor."""
        (asset,) = [one for one in self.world.catalog.assets if one.path[-1] == machine]
        number = asset.first_sensor + [sensor.name for sensor in asset.sensors].index(name)
        rows = self.batch.sensor == number
        return self.batch.time_ns[rows], self.batch.value[rows]

    def hours(self, time_ns: Column) -> Values:
        """Return hours since the start."""
        return (time_ns - self.start_ns) / HOUR_NS
