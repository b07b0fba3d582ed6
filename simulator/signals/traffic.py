"""The messages of a window as gateways see them: which asset speaks when, and how long the packet is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Catalog, message_starts
from simulator.signals.devices.gateway import GatewayDevice

__all__ = ["Traffic"]

Ints = NDArray[np.int64]


class Traffic:
    """Hands the messages of the park to the gateways that carry them.

    ``sensor_bytes`` says what a reading of each sensor adds to its message, ``asset_bytes`` what a packet of each asset
    has beside readings, int64 both.
    """

    def __init__(
        self, catalog: Catalog, gateways: Sequence[GatewayDevice], *, sensor_bytes: Ints, asset_bytes: Ints
    ) -> None:
        self.gateways = tuple(gateways)
        self.carrier: Ints = np.full(len(catalog.assets), -1, dtype=np.int64)
        """int64[assets]: which of the gateways carries each asset; -1 for those that send by themselves."""
        for place, gateway in enumerate(gateways):
            self.carrier[list(gateway.carried)] = place
        self._asset_of = catalog.asset_of
        self._sensor_bytes = sensor_bytes
        self._asset_bytes = asset_bytes

    def clocks_off_ms(self) -> tuple[int, int]:
        """Return by how many ms dates of messages are early and late at most, the first at most 0."""
        off = [gateway.transit.extremes_ms() for gateway in self.gateways]
        return math.floor(min((early for early, _ in off), default=0)), math.ceil(
            max((late for _, late in off), default=0)
        )

    def carry(self, time_ns: Ints, sensor: NDArray[np.integer[Any]]) -> None:
        """Take in the readings of the window, sorted by time, then sensor."""
        asset = self._asset_of[sensor]
        first = message_starts(time_ns, asset)
        size = np.add.reduceat(self._sensor_bytes[sensor], first) if len(first) else first
        size = size + self._asset_bytes[asset[first]]
        carrier = self.carrier[asset[first]]
        for place, gateway in enumerate(self.gateways):
            mine = np.flatnonzero(carrier == place)
            gateway.carry(time_ns[first[mine]], size[mine])
