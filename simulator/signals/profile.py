"""A value that follows a profile of set points over each cycle, with a first-order lag: the bath of a dyeing jet.

The set point P runs in straight lines between its points, and dT/dt = (P - T)/τ. On a line with slope r that begins
at p0 the solution is T = P - rτ + (T0 - p0 + rτ) e^(-t/τ); R(u) below is this solution from T = 0 at the start of a
cycle. The equation is linear, so what was there before decays by itself, and n whole cycles make a geometric sum. The
value after any number of cycles is therefore exact, and costs as much as the value after one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Outset", "follow", "response", "set_point", "table"]

NS = 1e-9
Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


def table(profiles: Sequence[Sequence[tuple[float, float]]]) -> tuple[Floats, Floats]:
    """Return the shares and the values of some profiles, float64[N, K] each; short ones repeat their last point."""
    most = max((len(points) for points in profiles), default=0)
    both = np.array([[*points, *[points[-1]] * (most - len(points))] for points in profiles]).reshape(-1, most, 2)
    return np.ascontiguousarray(both[..., 0]), np.ascontiguousarray(both[..., 1])


def set_point(share_done: Floats, *, share: Floats, value: Floats) -> Floats:
    """Return the set point P, float64[N], once so much of the cycle is done; on a jump, the one after it."""
    reached: Floats = value[:, 0].copy()
    for k in range(share.shape[1] - 1):
        since, width = share_done - share[:, k], share[:, k + 1] - share[:, k]
        part = np.divide(since, width, out=(since >= 0).astype(np.float64), where=width > 0)
        reached += np.clip(part, 0.0, 1.0) * (value[:, k + 1] - value[:, k])
    return reached


def response(into_s: Floats, *, cycle_s: Floats, share: Floats, value: Floats, tau_s: Floats) -> Floats:
    """Return R, float64[N]: where the value stands ``into_s`` after the start of a cycle that it began at 0.

    ``share``, ``value``: float64[N, K], the points of each profile; shares of the cycle rise from 0 to 1, and two
    equal ones make a jump. A profile with fewer points than K repeats its last. In front of K all that is given
    broadcasts to the shape of ``into_s``, which may have more axes than one.
    """
    reached: Floats = np.zeros(into_s.shape)
    for k in range(share.shape[-1] - 1):
        begin_s, width_s = share[..., k] * cycle_s, (share[..., k + 1] - share[..., k]) * cycle_s
        slope = np.divide(value[..., k + 1] - value[..., k], width_s, out=np.zeros(width_s.shape), where=width_s > 0)
        for_s = into_s - begin_s
        np.maximum(for_s, 0.0, out=for_s)
        np.minimum(for_s, width_s, out=for_s)
        behind = slope * tau_s
        reached -= value[..., k]
        reached += behind
        reached *= np.exp(-for_s / tau_s)
        for_s *= slope
        for_s += value[..., k]
        for_s -= behind
        reached += for_s
    return reached


class Outset(NamedTuple):
    """What a value takes along from an instant on, float64[N] each: worked out once for all later instants."""

    above: Floats
    """By how much it stands above R."""
    of_a_cycle: Floats
    """R at the end of a whole cycle."""

    @classmethod
    def of(cls, start: Floats, *, into_ns: Ints, cycle_ns: Ints, share: Floats, value: Floats, tau_s: Floats) -> Outset:
        """Return that of values that stand at ``start``, ``into_ns`` after a cycle's start."""
        cycle_s = cycle_ns * NS
        above = start - response(into_ns * NS, cycle_s=cycle_s, share=share, value=value, tau_s=tau_s)
        return cls(above, response(cycle_s, cycle_s=cycle_s, share=share, value=value, tau_s=tau_s))


def follow(
    outset: Outset, *, into_ns: Ints, elapsed_ns: Ints, cycle_ns: Ints, share: Floats, value: Floats, tau_s: Floats
) -> Floats:
    """Return the value, float64[N], ``elapsed_ns`` after its outset, which was ``into_ns`` after a cycle's start.

    Cycles follow each other without a pause. ``share`` and ``value`` as in ``response``.
    """
    cycle_s = cycle_ns * NS
    whole, rest_ns = np.divmod(into_ns + elapsed_ns, cycle_ns)
    shown = response(rest_ns * NS, cycle_s=cycle_s, share=share, value=value, tau_s=tau_s)
    later = whole > 0
    if not later.any():
        shown += outset.above * np.exp(-elapsed_ns * NS / tau_s)
        return shown
    # At the start of the last cycle: the first one's end, then whole - 1 more of them.
    decay = cycle_s / tau_s
    more = np.maximum(whole - 1, 0)
    first_end = outset.of_a_cycle + outset.above * np.exp(-(cycle_ns - into_ns) * NS / tau_s)
    carried = first_end * np.exp(-more * decay) + outset.of_a_cycle * np.expm1(-more * decay) / np.expm1(-decay)
    within_first = outset.above * np.exp(-elapsed_ns * NS / tau_s)
    shown += np.where(later, carried * np.exp(-rest_ns * NS / tau_s), within_first)
    return shown
