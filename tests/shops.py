"""Small factories that tests describe in Python, with the machine types that come along or some of their own."""

from __future__ import annotations

from functools import cache
from typing import Any

from parks import HOUR_NS

from simulator.scenario.loader import load_machine_type, shipped_types
from simulator.scenario.machine_type import MachineType, Repair, Stop
from simulator.scenario.schema import Factory, Line, Machine, Scenario, Site

__all__ = ["breaker", "park_of", "shop", "side_by_side", "types"]


@cache
def types() -> dict[str, MachineType]:
    """Return all machine types that come along, by name."""
    return {name: load_machine_type(file) for name, file in shipped_types().items()}


def breaker(name: str = "breaker", **stop: Any) -> MachineType:
    """Return a mill with one reason to stop: by default a fault each hour, mended by the crew in 20 minutes."""
    given = {"mtbf": "1h", "repair": Repair(mean="20m", cv=0.5), "by": "crew", "becomes": "aborted"} | stop
    mill = types()["cnc-mill"]
    return mill.model_copy(update={"name": name, "stops": (Stop(name="it", **given),), "bearing": None})


def side_by_side(kind: str, count: int = 4) -> Line:
    """Return a line of machines of a type that work by themselves."""
    return Line(name=kind, machines=(Machine(name="one", type=kind, count=count),))


def shop(*lines: Line, name: str = "shop", **factory: Any) -> Factory:
    """Return a factory."""
    return Factory(name=name, lines=lines, **factory)


def park_of(*factories: Factory, adoption: Any = None, **scenario: Any) -> Scenario:
    """Return a scenario of one site with these factories."""
    site = Site(name="park", province="here", factories=factories, adoption=adoption)
    return Scenario(parksim=1, name="alone", sites=(site,), **scenario)


DAY_NS = 24 * HOUR_NS
