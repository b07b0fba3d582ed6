"""Wastewater treatment: flow, what is removed, and an effluent that shows hours later what went wrong.

Removal follows aeration with a time constant of 6 h, and the effluent follows influent (1 - removal) with one of 12 h
(engineering defaults):

    dE/dt = (E∞ - E) / τ_E,   E∞ = E_full · aeration
    dC/dt = (influent · (1 - E) - C) / τ_C

Both are solved exactly while aeration and influent are constant, so a ``Basin`` is carried from one happening (a
blower fails, the influent changes) to the next, and any instant in between is read from it. Windows leave no trace as
long as ``after`` is asked for happenings only. Removal comes back at the pace at which it went.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Basin", "effluent_mg_l", "flow_m3_h", "removal"]

Floats = NDArray[np.floating[Any]]

HOUR_NS = 3_600_000_000_000
REMOVAL_TAU_H = 6.0
EFFLUENT_TAU_H = 12.0


def flow_m3_h(design_m3_day: Floats, *, shift: Floats, rain: Floats) -> Floats:
    """Return the inflow Qd (1 + .25 shift) (1 + .15 rain), with shift and rain from 0 (none) to 1 (full)."""
    flow: Floats = design_m3_day / 24.0 * (1.0 + 0.25 * shift) * (1.0 + 0.15 * rain)
    return flow


def removal(start: Floats, target: Floats, *, elapsed_h: Floats) -> Floats:
    """Return the share removed ``elapsed_h`` after ``start``: E∞ + (E0 - E∞) e^(-t/6 h)."""
    share: Floats = target + (start - target) * np.exp(-elapsed_h / REMOVAL_TAU_H)
    return share


def effluent_mg_l(
    start_mg_l: Floats,
    influent_mg_l: Floats,
    *,
    removal_start: Floats,
    removal_target: Floats,
    elapsed_h: Floats,
) -> Floats:
    """Return the effluent ``elapsed_h`` after it stood at ``start_mg_l``, while removal nears its target.

    With a = 1/12 h, b = 1/6 h, C∞ = influent (1 - E∞):
    C(t) = C∞ + (C0 - C∞) e^(-at) - a · influent · (E0 - E∞) (e^(-at) - e^(-bt)) / (b - a).
    """
    a, b = 1.0 / EFFLUENT_TAU_H, 1.0 / REMOVAL_TAU_H
    slow, fast = np.exp(-a * elapsed_h), np.exp(-b * elapsed_h)
    settled = influent_mg_l * (1.0 - removal_target)
    still_removed = a * influent_mg_l * (removal_start - removal_target) * (slow - fast) / (b - a)
    effluent: Floats = settled + (start_mg_l - settled) * slow - still_removed
    return effluent


@dataclass(frozen=True, slots=True)
class Basin:
    """The plant from one happening to the next, for P parameters such as COD, TSS and NH4-N.

    ``aeration`` is the share of blowers that work, 0 to 1; ``full_removal`` float64[P] what is removed when all do;
    ``influent_mg_l`` float64[P] what comes in; ``removal_start`` and ``start_mg_l`` float64[P] where things stood.
    """

    start_ns: int
    aeration: float
    influent_mg_l: Floats
    full_removal: Floats
    removal_start: Floats
    start_mg_l: Floats

    @classmethod
    def settled(cls, start_ns: int, *, influent_mg_l: Floats, full_removal: Floats) -> Basin:
        """Return a plant that has long run with all its blowers."""
        effluent = influent_mg_l * (1.0 - full_removal)
        return cls(start_ns, 1.0, influent_mg_l, full_removal, full_removal, effluent)

    def removal_at(self, time_ns: NDArray[np.int64]) -> Floats:
        """Return the share removed at instants at or after the start, float64[N, P]."""
        return removal(self.removal_start, self.full_removal * self.aeration, elapsed_h=self._elapsed_h(time_ns))

    def effluent_at(self, time_ns: NDArray[np.int64]) -> Floats:
        """Return the effluent in mg/L at instants at or after the start, float64[N, P]."""
        return effluent_mg_l(
            self.start_mg_l,
            self.influent_mg_l,
            removal_start=self.removal_start,
            removal_target=self.full_removal * self.aeration,
            elapsed_h=self._elapsed_h(time_ns),
        )

    def after(self, time_ns: int, *, aeration: float, influent_mg_l: Floats) -> Basin:
        """Return the plant from a happening on."""
        at = np.array([time_ns], dtype=np.int64)
        return Basin(
            time_ns, aeration, influent_mg_l, self.full_removal, self.removal_at(at)[0], self.effluent_at(at)[0]
        )

    def _elapsed_h(self, time_ns: NDArray[np.int64]) -> Floats:
        return ((time_ns - self.start_ns) / HOUR_NS)[:, np.newaxis]
