"""Planned maintenance of one machine: when it is due, how long it can wait for a gap, and what it does.

A machine asks whenever it stands or is about to work, so nothing wakes for it. A job is done in closed time or while
the machine waits for parts; once it is overdue the machine stops for it. A bearing is replaced with a job, in half the
time that it takes after a failure, since the spare part lies ready [E].
"""

from __future__ import annotations

from simulator.park.stops import BearingLife, repair_ns, whole_ms
from simulator.scenario.machine_type import MachineType
from simulator.scenario.maturity import Maintenance
from simulator.scenario.sensor import VibrationModel
from simulator.signals.streams import Stream
from simulator.signals.vibration import ZONES_MM_S, wear_at

__all__ = ["Upkeep", "zone_c_wear"]

LARGE_KW = 300
PLANNED_SHARE = 0.5
"""Of the time that a bearing takes after it has failed."""
LAST_SHARE = {"due": 0.2, "overdue": 0.05}
"""Of the warning time: what is left of a bearing's life when predictive maintenance replaces it."""
UNMEASURED_WEAR = 0.8
"""Where a bearing without a vibration sensor is felt to be bad."""


class Upkeep:
    """The plan of one machine. Instants and times are nanoseconds."""

    def __init__(
        self,
        policy: Maintenance,
        spec: MachineType,
        bearing: BearingLife | None,
        stream: Stream,
        *,
        now_ns: int,
        ran_ns: int,
    ) -> None:
        """Begin to keep to a plan now, after the machine ran so long."""
        self.policy = policy
        self.jobs = 0
        self.bearings = 0
        self._bearing = bearing
        self._rng = stream.epoch(0)
        # The world begins in the middle of things: the last job was some time ago.
        self._since = now_ns if policy.kind == "calendar" else ran_ns
        self._since -= whole_ms(self._rng.random() * policy.every) if policy.every else 0
        self._ages = bearing_ages(policy, spec, bearing)
        if policy.kind == "usage" and bearing is not None:
            bearing.settle_in(self._ages[0])

    def is_due(self, now_ns: int, ran_ns: int, age_ns: int) -> bool:
        """Say whether there is something to be done: now, after it ran so long, with a bearing of that age."""
        return self._elapsed(now_ns, ran_ns) >= 1.0 or self._worn(age_ns, 0)

    def is_overdue(self, now_ns: int, ran_ns: int, age_ns: int) -> bool:
        """Say whether it can wait for a gap no longer."""
        return self._elapsed(now_ns, ran_ns) >= 1.0 + self.policy.patience or self._worn(age_ns, 1)

    def begin(self, now_ns: int, ran_ns: int, age_ns: int) -> int:
        """Do what is due, and return how long that takes."""
        work_ns = 0
        if self._elapsed(now_ns, ran_ns) >= 1.0 and self.policy.job is not None:
            self._since = now_ns if self.policy.kind == "calendar" else ran_ns
            work_ns += repair_ns(self._rng, self.policy.job)
            self.jobs += 1
        if self._worn(age_ns, 0) and self._bearing is not None:
            work_ns += whole_ms(self._bearing.replace() * PLANNED_SHARE)
            self.bearings += 1
        return work_ns

    def _elapsed(self, now_ns: int, ran_ns: int) -> float:
        """Return how much of the interval to the next job is over."""
        if self.policy.every is None:
            return 0.0
        return ((now_ns if self.policy.kind == "calendar" else ran_ns) - self._since) / self.policy.every

    def _worn(self, age_ns: int, which: int) -> bool:
        if self._bearing is None:
            return False
        match self.policy.kind:
            case "usage":
                return age_ns >= self._ages[which]
            case "condition" | "predictive":
                return age_ns >= self._bearing.onset_ns + self._ages[which]
        return False


def bearing_ages(policy: Maintenance, spec: MachineType, bearing: BearingLife | None) -> tuple[int, int]:
    """Return when a bearing is to be replaced and must be: its age, or the time since its defect first showed."""
    if bearing is None:
        return 0, 0
    one = bearing.bearing
    match policy.kind:
        case "usage":
            rated_ns = one.l10 / one.acceleration
            return whole_ms(rated_ns), whole_ms(rated_ns * (1.0 + policy.patience))
        case "condition":
            wear = zone_c_wear(spec)
            return whole_ms(wear * one.warning), whole_ms((wear + 1.0) / 2.0 * one.warning)
    due, overdue = (whole_ms((1.0 - LAST_SHARE[key]) * one.warning) for key in ("due", "overdue"))
    return due, overdue


def zone_c_wear(spec: MachineType) -> float:
    """Return how worn the bearing is, from 0 to 1, when the vibration of the machine at work comes to zone C.

    On a rigid foundation, unless a healthy machine would be in zone C there.
    """
    models = [sensor.model for sensor in spec.sensors if isinstance(sensor.model, VibrationModel)]
    if not models:
        return UNMEASURED_WEAR
    healthy = models[0].base * (0.6 + 0.4 * spec.motor.execute_load)
    size = "large" if spec.motor.rated_kw > LARGE_KW else "small"
    border = next((z for f in ("rigid", "flexible") if (z := ZONES_MM_S[size, f][1]) > healthy), healthy)
    return wear_at(border, healthy_mm_s=healthy)
