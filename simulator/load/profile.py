"""A profile: how many messages a second are due when, as one curve from wall time to simulated time.

The park speaks at its own rate, and is played faster or slower: a rate is a speed of simulated time. The curve is the
integral of the speed, laid out once before the first message; every due time is read from it, and lateness never adds
up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.clock import SECOND_NS, Curve
from simulator.scenario.load import Hold, Ramp, Replay, Stage, Step

__all__ = ["Profile", "Span", "profile_of"]

Floats = NDArray[np.float64]
GRID_S = 0.01
"""Between two points of a curve that bends. 100 a second."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stage in wall time, seconds since the beginning."""

    name: str
    kind: str
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class Profile:
    """Rates over wall time."""

    spans: tuple[Span, ...]
    at_s: Floats
    """float64[K]: instants, rising, seconds since the beginning."""
    due: Floats
    """float64[K]: messages due until each of them."""

    @property
    def duration_s(self) -> float:
        return float(self.at_s[-1])

    @property
    def messages(self) -> float:
        """How many are due in all."""
        return float(self.due[-1])

    def rate_at(self, wall_s: float) -> float:
        """Return messages a second that are due at an instant."""
        place = int(np.clip(np.searchsorted(self.at_s, wall_s, side="right"), 1, len(self.at_s) - 1))
        return float((self.due[place] - self.due[place - 1]) / (self.at_s[place] - self.at_s[place - 1]))

    def simulated_s(self, natural_per_s: float) -> float:
        """Return how much of the life of a park that speaks so often it takes, seconds."""
        return self.messages / natural_per_s

    def curve(self, natural_per_s: float, *, sim_start_ns: int, wall_start_ns: int) -> Curve:
        """Return when the simulated instants of a park that speaks so often are due."""
        sim_ns = sim_start_ns + np.rint(self.due / natural_per_s * SECOND_NS).astype(np.int64)
        return Curve(sim_ns, wall_start_ns + np.rint(self.at_s * SECOND_NS).astype(np.int64))


def profile_of(stages: Sequence[Stage], *, asset_per_s: float = 1.0) -> Profile:
    """Lay out stages one after the other; ``asset_per_s`` is what one asset says on average, messages a second."""
    spans: list[Span] = []
    instants, due = [np.zeros(1)], [np.zeros(1)]
    begun_s = begun = 0.0
    for number, stage in enumerate(stages):
        length_s = stage.duration / SECOND_NS
        at_s, count = laid_out(stage, length_s, asset_per_s)
        instants.append(begun_s + at_s)
        due.append(begun + count)
        spans.append(Span(stage.name or f"{stage.kind}-{number + 1}", stage.kind, begun_s, begun_s + length_s))
        begun_s, begun = begun_s + length_s, begun + float(count[-1])
    return Profile(tuple(spans), np.concatenate(instants), np.concatenate(due))


def laid_out(stage: Stage, length_s: float, asset_per_s: float) -> tuple[Floats, Floats]:
    """Return instants within a stage, after its beginning, and messages due until each since then."""
    if isinstance(stage, Hold):
        at_s = np.array([length_s])
        return at_s, stage.rate.per_s(asset_per_s) * at_s
    if isinstance(stage, Replay):
        return even(np.array([rate.per_s(asset_per_s) for rate in stage.rates]), length_s)
    least, most = stage.from_.per_s(asset_per_s), stage.to.per_s(asset_per_s)
    if isinstance(stage, Step):
        return even(np.linspace(least, most, stage.steps).astype(np.float64), length_s)
    points = max(2, round(length_s / GRID_S)) + 1
    at_s = np.linspace(0, length_s, points).astype(np.float64)[1:]
    if isinstance(stage, Ramp):
        return at_s, least * at_s + (most - least) * at_s**2 / (2 * length_s)
    mean, swing, turn = (least + most) / 2, (most - least) / 2, 2 * np.pi / (stage.period / 1e9)
    return at_s, mean * at_s - swing * np.sin(turn * at_s) / turn


def even(rates: Floats, length_s: float) -> tuple[Floats, Floats]:
    """Return the ends of steps of the same length, and messages due until each."""
    at_s = np.arange(1, len(rates) + 1, dtype=np.float64) * (length_s / len(rates))
    return at_s, np.cumsum(rates, dtype=np.float64) * (length_s / len(rates))
