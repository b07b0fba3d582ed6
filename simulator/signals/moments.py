"""The instants of a window at which assets speak by one sampling period, and what holds for each of them.

All sensors of an asset that share a period are read at the same instants. Whatever depends on the asset and the
instant alone, such as the segment in force or the load of the motor, is worked out here once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.signals.timeline import EXECUTE, Timeline

__all__ = ["Moments"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


class Moments:
    """A assets, K instants each.

    ``asset``: int64[A]; ``index``: int64[A, K], numbers of the instants since 1970 on the grid of the period;
    ``time_ns``: int64[A, K], rising. ``said``: bool[A, K], which of them lie in the window; None if all do.
    ``load(moments)`` works out the load of the motors.
    """

    def __init__(
        self,
        timeline: Timeline,
        asset: Ints,
        index: Ints,
        time_ns: Ints,
        *,
        period_ns: int,
        load: Callable[[Moments], Floats],
        said: NDArray[np.bool_] | None = None,
    ) -> None:
        self.timeline = timeline
        self.asset = asset
        self.index = index
        self.period_ns = period_ns
        self.time_ns = time_ns
        self.said = said
        self._load = load

    @property
    def since_phase_ns(self) -> Ints:
        """Time from the asset's phase of 1970 to the sample in force, int64[A, K]."""
        return self.index * self.period_ns

    @cached_property
    def segment(self) -> Ints:
        """The segment of the timeline in force, int64[A, K]."""
        return self.timeline.at_each(self.asset, self.time_ns)

    @cached_property
    def state(self) -> Ints:
        """PackML state, int64[A, K]."""
        return self.timeline.state[self.segment]

    @cached_property
    def power(self) -> Ints:
        """Where each asset has its power from, int64[A, K]."""
        return self.timeline.power[self.segment]

    @cached_property
    def elapsed_ns(self) -> Ints:
        """Time since the segment began, int64[A, K]."""
        return self.time_ns - self.timeline.start_ns[self.segment]

    @cached_property
    def cycles(self) -> Ints:
        """Cycles completed by each instant, int64[A, K]."""
        done = self._cycling[0]
        return self.timeline.cycles[self.segment] + np.where(self.state == EXECUTE, done, 0)

    @cached_property
    def share_done(self) -> Floats:
        """How much of a cycle would be done if the machine had run since the segment began, float64[A, K]."""
        share: Floats = self._cycling[1] / self.timeline.cycle_ns[self.segment]
        return share

    @cached_property
    def load(self) -> Floats:
        """Motor load as a share of rated shaft power, float64[A, K]."""
        return self._load(self)

    @cached_property
    def _cycling(self) -> tuple[Ints, Ints]:
        """Whole cycles since the segment began, and time into the one after them."""
        ran_ns = self.elapsed_ns + self.timeline.into_ns[self.segment]
        return np.divmod(ran_ns, self.timeline.cycle_ns[self.segment])
