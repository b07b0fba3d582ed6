"""The quickstart with systems of its site and faults, and what was seen of it, for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from parks import CONFIGS, MONDAY_NS, SECOND_NS

from simulator.batch import Batch
from simulator.park.world import World
from simulator.scenario.loader import Loaded, load_scenario
from simulator.signals.timeline import Segment

MINUTE_NS = 60 * SECOND_NS
FACTORY = "wiring-devices"
AT = "vsip2a/utilities"


def site(folder: Path, *systems: str, faults: tuple[str, ...] = (), edit: tuple[str, str] | None = None) -> Loaded:
    """Load the quickstart with these entries of ``systems`` and ``faults``."""
    text = (CONFIGS / "quickstart.yaml").read_text(encoding="utf-8")
    assert text.count("messaging:\n") == 1
    entries = "".join(f"      - {one}\n" for one in systems)
    struck = "faults:\n" + "".join(f"  - {one}\n" for one in faults) if faults else ""
    text = text.replace("messaging:\n", f"    systems:\n{entries}\n{struck}\nmessaging:\n")
    if edit:
        assert edit[0] in text
        text = text.replace(*edit)
    file = folder / "supplied.yaml"
    file.write_text(text, encoding="utf-8")
    return load_scenario(file)


class Seen:
    """Some minutes of a site, from Monday 07:00."""

    def __init__(
        self, loaded: Loaded, *, minutes: int, window_ns: int = 5 * MINUTE_NS, start_ns: int = MONDAY_NS
    ) -> None:
        self.world = World(loaded.scenario, loaded.types, start_ns)
        self.segments: list[Segment] = []
        self.world.watch(self.segments.append)
        until_ns = start_ns + minutes * MINUTE_NS
        self.start_ns = start_ns
        self.batch = Batch.join(list(self.world.batches(until_ns, window_ns)))

    def of(self, machine: str, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return minutes since the start and values of a sensor of a machine or system."""
        (asset,) = [
            one for one in self.world.catalog.assets if one.topic.endswith(f"/{machine}") and one.kind != "truth"
        ]
        number = asset.first_sensor + [sensor.name for sensor in asset.sensors].index(name)
        rows = self.batch.sensor == number
        return (self.batch.time_ns[rows] - self.start_ns) / MINUTE_NS, self.batch.value[rows]

    def at(self, machine: str, name: str, minute: float) -> float:
        """Return what a sensor showed last at a minute."""
        minutes, values = self.of(machine, name)
        return float(values[np.searchsorted(minutes, minute, side="right") - 1])

    def states(self, asset: int) -> list[tuple[float, int]]:
        """Return when, in minutes, an asset came into which state."""
        return [((s.start_ns - self.start_ns) / MINUTE_NS, int(s.state)) for s in self.segments if s.asset == asset]

    def makers(self) -> list[int]:
        """Return the assets of the factory."""
        return [i for i, one in enumerate(self.world.park.measured.assets) if one.path[2] == FACTORY]

    def told(self, kind: str) -> list[tuple[str, float, float | None, str]]:
        """Return target, minutes of beginning and end, and cause of the faults of a kind."""
        faults, _ = self.world.faults(int(self.batch.until_ns))
        return [
            (
                one.target,
                (one.from_ns - self.start_ns) / MINUTE_NS,
                None if one.to_ns is None else (one.to_ns - self.start_ns) / MINUTE_NS,
                one.cause,
            )
            for one in faults
            if one.kind == kind
        ]
