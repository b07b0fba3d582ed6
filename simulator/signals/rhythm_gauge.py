"""Sensors that follow the hours and the weather, with a lag that does not depend on how time is cut."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.sensor import RhythmModel
from simulator.signals.gauge import Placed, Samples, Works
from simulator.signals.rhythm import Rhythms, added, factor
from simulator.signals.timeline import EXECUTE, Timeline

__all__ = ["RhythmGauge"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
KNOT_NS = 300_000_000_000
"""What a lag follows runs in straight lines between knots of five minutes, counted from 1970."""


class RhythmGauge:
    """All sensors of model rhythm that share a period.

    A lagging value is the exact answer of a first-order lag to what it follows: between two knots, where that runs at
    the slope s from x0, it is y(t) = x(t) - τ s + (y0 - x0 + τ s) e^(-t/τ). Only its values at knots are carried on.
    """

    def __init__(self, placed: Sequence[Placed], works: Works) -> None:
        models: list[Any] = [p.spec.model for p in placed]
        self.models: list[RhythmModel] = models
        self.rhythms = Rhythms([(m.day, m.saturday, m.sunday) for m in models])
        around = works.surroundings
        self.site = np.array([around.site_of[p.asset] for p in placed], dtype=np.int64)
        self.skies = around.skies
        self.sees_weather = np.array([bool(m.times or m.plus) for m in models])
        self.tau_ns = np.array([m.tau or 0 for m in models], dtype=np.float64)
        self.lagging = np.flatnonzero(self.tau_ns > 0)
        self.column = np.cumsum(self.tau_ns > 0) - 1
        self.sigma = np.array([p.spec.noise.sigma if p.spec.noise else 0.0 for p in placed])
        self.relative = np.array([m.relative for m in models])
        self.off = np.array([np.nan if m.off is None else m.off for m in models])
        self.first_knot = 0
        self.target: Floats = np.empty((0, len(self.lagging)))
        """What is followed, at each knot that the window needs."""
        self.reached: Floats = np.empty((0, len(self.lagging)))

    def advance(self, timeline: Timeline) -> None:
        """Go on from knot to knot, as far as the next one after the window."""
        if not len(self.lagging):
            return
        before, after = timeline.from_ns // KNOT_NS, timeline.until_ns // KNOT_NS + 1
        known = self.first_knot + len(self.target)
        fresh = np.arange(known or before, after + 1)
        if not known:
            self.first_knot = before
        self._forget(before)
        if not len(fresh):
            return
        row = np.repeat(self.lagging, len(fresh))
        target = self.followed(row, np.tile(fresh * KNOT_NS, len(self.lagging))).reshape(len(self.lagging), -1).T
        # At the beginning of the world it has been where it stands for long.
        line = np.concatenate((self.target[-1:] if len(self.target) else target[:1], target))
        reached = [self.reached[-1] if len(self.reached) else target[0]]
        for one, other in pairwise(line):
            reached.append(after_knot(reached[-1], one, other, 1.0, self.tau_ns[self.lagging]))
        self.target = np.concatenate((self.target, target))
        self.reached = np.concatenate((self.reached, reached[1:]))

    def _forget(self, before: int) -> None:
        past = min(max(before - self.first_knot, 0), max(len(self.target) - 1, 0))
        self.target, self.reached = self.target[past:], self.reached[past:]
        self.first_knot += past

    def followed(self, row: Ints, time_ns: Ints) -> Floats:
        """Return what the hours and the weather say, for rows that rise and an instant each, float64[N]."""
        result = np.empty(len(row))
        site = self.site[row]
        for number in np.unique(site).tolist():
            mine = np.flatnonzero(site == number)
            sky = self.skies[number]
            result[mine] = self.rhythms.at(row[mine], time_ns[mine], utc_offset_ns=sky.utc_offset_ns)
            outside = mine[self.sees_weather[row[mine]]]
            if not len(outside):
                continue
            now, at = sky.at(time_ns[outside]), 0
            for one, group in groupby(row[outside].tolist()):
                rows = slice(at, at := at + len(list(group)))
                model = self.models[one]
                value = result[outside[rows]] * factor(model.times, now, rows)
                result[outside[rows]] = value + added(model.plus, now, rows)
        return result

    def values(self, samples: Samples, timeline: Timeline) -> Floats:
        instants = samples.time_ns.shape[1]
        row, time_ns = np.repeat(samples.row[:, 0], instants), samples.time_ns.ravel()
        value: Floats = np.empty(len(row))
        lags = self.tau_ns[row] > 0
        value[~lags] = self.followed(row[~lags], time_ns[~lags])
        knot, into = np.divmod(time_ns[lags], KNOT_NS)
        place, column = knot - self.first_knot, self.column[row[lags]]
        value[lags] = after_knot(
            self.reached[place, column],
            self.target[place, column],
            self.target[place + 1, column],
            into / KNOT_NS,
            self.tau_ns[row[lags]],
        )
        every = samples.row
        spread, value = self.sigma[every] * samples.noise, value.reshape(-1, instants)
        # Its mean over all noise is the value itself.
        scaled = value * np.exp(spread - 0.5 * self.sigma[every] ** 2)
        value = np.where(self.relative[every], scaled, value + spread)
        dark = ~np.isnan(self.off[every]) & (timeline.state[samples.segment] != EXECUTE)
        return np.where(dark, self.off[every], value)


def after_knot(start: Floats, one: Floats, other: Floats, share: Floats | float, tau_ns: Floats) -> Floats:
    """Return where a lag stands after a share of the way from one knot to the next."""
    behind = tau_ns / KNOT_NS * (other - one)
    value: Floats = one + share * (other - one) - behind + (start - one + behind) * np.exp(-share * KNOT_NS / tau_ns)
    return value
