"""An audit: what must hold at every moment is looked at hour by hour, and what does not hold is counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Batch
from simulator.park.buffer import Buffer
from simulator.park.machine import Machine
from simulator.park.world import World

__all__ = ["Audit"]

Floats = NDArray[np.floating[Any]]


class Audit:
    """Follows the stocks, counters and feeders of a world from an instant on, which is when it is made.

    Stock is good pieces given less pieces taken, to the piece; a feeder counts what the registers behind it count, and
    its loss, but for the rounding of power to whole watts.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._users = users_of(world.park.machines)
        self.apart = 0
        """Pieces that appeared in buffers, or vanished from them, in all hours together."""
        self.outside = 0
        """How often a buffer held less than nothing or more than it can."""
        self.fallen = 0
        """How often a register of energy showed less than before, or a machine had fewer good or bad pieces."""
        self.astray_w = 0.0
        """The largest difference between a feeder and what is behind it with its loss, mean of a window."""
        self._last_kwh = np.zeros(len(world.park.machines))
        self._stock = self._counted()
        self._pieces = self._good_and_bad()
        self._feeders = world.feeders()
        self._at_ns = world.start_ns

    def look(self, batch: Batch) -> None:
        """Look at the world at the end of a window, and at the registers read in it."""
        for machine in self._world.park.machines:
            machine.settle()
        stock = self._counted()
        for buffer, (level, flown) in stock.items():
            before, had_flown = self._stock[buffer]
            self.apart += abs((level - before) - (flown - had_flown))
            self.outside += not 0 <= level <= buffer.capacity
        pieces = self._good_and_bad()
        self.fallen += int((pieces < self._pieces).sum())
        self._stock, self._pieces = stock, pieces
        self._registers(batch)
        feeders = self._world.feeders()
        lasted_ms = (batch.until_ns - self._at_ns) // 1_000_000
        for asset, (counted, behind, loss) in feeders.items():
            was_counted, had_behind, _ = self._feeders.get(asset, (0, 0, loss))
            astray = abs(counted - was_counted - (behind - had_behind) * (1.0 + loss))
            self.astray_w = max(self.astray_w, astray / lasted_ms)
        self._feeders, self._at_ns = feeders, batch.until_ns

    def _registers(self, batch: Batch) -> None:
        rows = np.flatnonzero(batch.sensor < len(self._last_kwh))
        rows = rows[np.argsort(batch.sensor[rows], kind="stable")]
        sensor, value = batch.sensor[rows], batch.value[rows]
        before = np.roll(value, 1)
        first = np.diff(sensor, prepend=-1) != 0
        before[first] = self._last_kwh[sensor[first]]
        self.fallen += int((value < before).sum())
        self._last_kwh[sensor] = value

    def _good_and_bad(self) -> NDArray[np.int64]:
        machines = self._world.park.machines
        return np.array([(one.good, one.processed - one.good) for one in machines], dtype=np.int64)

    def _counted(self) -> dict[Buffer, tuple[int, int]]:
        """Return the level of each buffer, and what has flown into it, lorries included, less what was taken."""
        return {
            buffer: (
                buffer.level,
                buffer.delivered + sum(one.good if gives else -one.cycles * pieces for one, pieces, gives in users),
            )
            for buffer, users in self._users.items()
        }


def users_of(machines: tuple[Machine, ...]) -> dict[Buffer, list[tuple[Machine, int, bool]]]:
    """Return who takes from each buffer or gives to it: machine, pieces per cycle, and whether it gives."""
    found: dict[Buffer, list[tuple[Machine, int, bool]]] = {}
    for machine, port in ports(machines):
        # A dock takes from a berth, which holds no pieces.
        if isinstance(port.buffer, Buffer):
            found.setdefault(port.buffer, []).append((machine, port.pieces, port.gives))
    return found


def ports(machines: tuple[Machine, ...]) -> Iterator[tuple[Machine, Any]]:
    for machine in machines:
        for port in machine.ports:
            yield machine, port
