"""Where messages come from: a park that happens, and an encoder that writes what it says, window by window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Catalog
from simulator.clock import SECOND_NS, Clock
from simulator.park.world import FaultTold
from simulator.publish.consignment import Consignment
from simulator.publish.orders import Act, Order
from simulator.results.snapshot import Latest, Readings
from simulator.scenario.quantities import instant_ns
from simulator.scenario.schema import Scenario

__all__ = [
    "MOST_SKEW_MS",
    "Ending",
    "Glimpse",
    "Shipping",
    "Source",
    "Window",
    "first_instant_ns",
]

MOST_SKEW_MS = 120_000
"""By how much clocks of gateways may be off by hand, all such faults of one together."""


@dataclass(frozen=True)
class Shipping:
    """What the messages of a run are made for."""

    qos: int
    version: int
    """Of MQTT: 4 for 3.1.1, 5 for 5."""
    outlet_of: NDArray[np.int64]
    """int64[assets]: the number of the outlet of each asset."""
    outlets: int
    until_ns: int | None
    """The simulated instant before which the readings end; None goes on for ever."""
    window_ns: int
    sensors: NDArray[np.bool_] | None = None
    """bool[S]: those whose readings are sent; None: all."""
    is_watched: bool = False
    """Whether somebody looks at the machines, and may give orders."""


class Glimpse(NamedTuple):
    """What the machines of a park are doing."""

    states: bytes
    """PackML states: byte n is that of asset n of the catalogue; systems of sites come behind and have none."""
    parts: dict[str, Any]
    """OEE of factories and machine types, and the figures of each site, as in ``park`` of a result."""
    systems: Latest | None = None
    """What the systems of the sites show."""


class Window(NamedTuple):
    """Messages of a window, and where the park stands at its end."""

    consignment: Consignment
    park: dict[str, float | int | None]
    """The key figures of the park."""
    left_out: int
    """Readings so far that the wire cannot carry."""
    glimpse: Glimpse | None = None
    """The machines, for who looks on, about twice a second of wall time; None in between."""
    cpu_s: float = 0.0
    """CPU time so far of the process that makes them, if that is another one; its warm-up is left out."""
    acts: tuple[Act, ...] = ()
    """What was done by hand at its beginning. A window that ends with a pause is empty, and lasts no time."""
    readings: Readings | None = None
    """Those of the assets that somebody looks at."""


class Ending(NamedTuple):
    """What a park has to tell when it has been left."""

    park: dict[str, Any] | None
    """The figures of the park and its parts at the end of the last window that was asked for; None before the first."""
    faults: list[FaultTold]
    faults_not_listed: int


class Source(Protocol):
    """A park whose messages are made on demand."""

    catalog: Catalog
    origin_ns: int
    clocks_off_ms: tuple[int, int] | None
    """By how much gateways of the scenario date messages early and late at most; None where it has no gateways."""

    @property
    def start_ns(self) -> int:
        """The first instant whose readings are wanted."""

    def catch_up(self) -> None:
        """Where the scenario starts now, let the park live on to the now that it has become."""

    def windows(self, shipping: Shipping) -> Iterator[Window]:
        """Yield the messages of consecutive windows. Once only."""

    def order(self, order: Order) -> None:
        """Ask for something before the next window is made; from any thread. Not before the windows are."""

    def enough(self) -> None:
        """Ask for no more windows, from any thread."""

    def end(self, windows: int, until_ns: int) -> Ending:
        """Tell of a park that was left when so many windows had been asked for, at that simulated instant."""


def first_instant_ns(scenario: Scenario, clock: Clock) -> int:
    """Return the first simulated instant; ``now`` is the wall clock, cut to the second."""
    if scenario.start == "now":
        return clock.now_ns() // SECOND_NS * SECOND_NS
    return instant_ns(scenario.start)
