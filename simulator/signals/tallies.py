"""Tallies: what every asset has done since the beginning of the world, at any instants of a window.

Times are counted in whole milliseconds, energy in whole watts times milliseconds: sums of integers are exact, in any
order and whatever the windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.machine_type import MachineType
from simulator.signals.gauge import Works
from simulator.signals.pieces import Pieces
from simulator.signals.timeline import EXECUTE, Timeline

__all__ = ["Done", "Tallies"]

Ints = NDArray[np.int64]
MS = 1_000_000
CLEARING, ABORTING, ABORTED = 1, 8, 9
"""PackML states in which a machine is down: it fails, waits for who mends it and is mended, is made ready again."""


class Done(NamedTuple):
    """What assets have done since the beginning of the world by some instants, int64[instants, assets] each."""

    producing_ms: Ints
    """In Execute."""
    ideal_ms: Ints
    """What the cycles would have taken at the rated pace; one under way counts as far as it has come."""
    down_ms: Ints
    """In Aborting, Aborted or Clearing."""
    failures: Ints
    """Entries into Aborting."""
    processed: Ints
    good: Ints
    spent_wms: Ints
    """W ms."""


class Tallies:
    """Carries the sums of every asset from window to window."""

    def __init__(self, works: Works, machines: Sequence[MachineType]) -> None:
        self._drives = works.drives
        self._network = works.network
        self._around = works.surroundings
        self._metered = [
            asset for asset, device in works.surroundings.devices.items() if device.draws and not device.feeds
        ]
        self._pieces = Pieces(works.books.each)
        self._rated_ms = np.array([machine.cycle // MS for machine in machines], dtype=np.int64)
        self._carried = np.zeros((3, len(machines)), dtype=np.int64)
        self._carried_failures = np.zeros(len(machines), dtype=np.int64)

    def advance(self, timeline: Timeline) -> None:
        """Take in a window; windows must follow each other from the beginning of the world."""
        asset, state, first = timeline.asset, timeline.state, timeline.first[:-1]
        self._timeline = timeline
        self._seen_from_ns = np.maximum(timeline.start_ns, timeline.from_ns)
        is_down = (state == CLEARING) | (state == ABORTING) | (state == ABORTED)
        watts = self._drives.mean_w(asset, state, timeline.power)
        self._rate = np.stack([state == EXECUTE, is_down, watts]).astype(np.int64)
        inside = self._rate * ((timeline.end_ns - self._seen_from_ns) // MS)
        before = np.cumsum(inside, axis=1) - inside
        self._at_start = self._carried[:, asset] + before - before[:, first[asset]]
        # The first segment of an asset is the one that it came with: a change within the window follows another.
        fails = np.zeros(len(asset), dtype=np.int64)
        fails[1:] = (state[1:] == ABORTING) & (state[:-1] != ABORTING) & (asset[1:] == asset[:-1])
        failed = np.cumsum(fails)
        self._failures = self._carried_failures[asset] + failed - failed[first[asset]]
        last = timeline.first[1:] - 1
        self._carried = self._at_start[:, last] + inside[:, last]
        self._carried_failures = self._failures[last]

    def feeders(self, at_ns: int) -> dict[int, tuple[int, int, float]]:
        """Return what each feeder has counted by an instant of the window, W ms, what is behind it, and its loss.

        Without those that panels or batteries feed into: what they give has no register.
        """
        when = np.array([at_ns])
        behind = self.at(when).spent_wms[0].copy()
        for asset, steps in self._network.steps.items():
            behind[asset] = steps.energy_wms(when).sum()
        return {
            feeder.asset: (int(behind[feeder.asset]), int(behind[list(feeder.serves)].sum()), feeder.loss)
            for feeder in self._around.feeders
            if not any(asset in self._around.panels_kw or self._feeds(asset) for asset in feeder.serves)
        }

    def _feeds(self, asset: int) -> bool:
        device = self._around.devices.get(asset)
        return device is not None and device.feeds

    def at(self, time_ns: Ints) -> Done:
        """Return what all assets have done by instants of the window taken in last, up to and with its end."""
        timeline, assets = self._timeline, len(self._rated_ms)
        asset = np.tile(np.arange(assets), len(time_ns))
        at_ns = np.repeat(time_ns, assets)
        segment = timeline.at(asset, at_ns)
        passed_ms = (at_ns - self._seen_from_ns[segment]) // MS
        producing, down, spent = self._at_start[:, segment] + self._rate[:, segment] * passed_ms
        cycles = timeline.cycles_at(segment, at_ns)
        cycle_ns, into_ns = timeline.cycle_ns[segment], timeline.into_ns[segment]
        runs = timeline.state[segment] == EXECUTE
        into_ns = np.where(runs, (at_ns - timeline.start_ns[segment] + into_ns) % cycle_ns, into_ns)
        rated_ms = self._rated_ms[asset]
        ideal = cycles * rated_ms + np.rint(into_ns / cycle_ns * rated_ms).astype(np.int64)
        good = self._pieces.good_before(asset, cycles)
        processed = cycles * self._pieces.per_cycle[asset]
        for one in self._metered:
            spent[one::assets] = self._network.steps[one].energy_wms(time_ns).sum(axis=1)
        columns = (producing, ideal, down, self._failures[segment], processed, good, spent)
        return Done(*(column.reshape(len(time_ns), assets) for column in columns))
