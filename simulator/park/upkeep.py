"""Planned maintenance of one machine: when it is due, how long it can wait for a gap, and what it does.

A machine asks whenever it stands or is about to work, so nothing wakes for it. A job is done in closed time or while
the machine waits for parts; once it is overdue the machine stops for it. A bearing is replaced with a job, in half the
time that it takes after a failure, since the spare part lies ready [E].
"""

from __future__ import annotations

from simulator.park.stops import LONGEST_LIFE_NS, BearingLife, repair_ns, whole_ms
from simulator.scenario.machine_type import MachineType
from simulator.scenario.maturity import Maintenance
from simulator.scenario.sensor import VibrationModel
from simulator.signals.streams import Stream
from simulator.signals.vibration import ZONES_MM_S, wear_at

__all__ = ["Upkeep", "zone_c_wear"]

LARGE_KW = 300
PLANNED_SHARE = 0.5
"""Of the time that a bearing takes after it has failed."""
BEARINGS = {"usage", "condition", "predictive"}
"""What replaces bearings before they fail."""
LAST_SHARES = 0.1, 0.05
"""Of the warning time: what is left of a bearing's life when predictive maintenance replaces it, at the latest."""
UNMEASURED_WEAR = 0.8
"""Where a bearing without a vibration sensor is felt to be bad."""


class Upkeep:
    """The plan of one machine. Instants and times are nanoseconds.

    Methods take what a machine knows of itself: now, how long it ran so far, and how long its bearing has.
    """

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
        self._bearing = bearing if policy.kind in BEARINGS else None
        self._rng = stream.epoch(0)
        self._wear = zone_c_wear(spec)
        # The world begins in the middle of things: the last job was some time ago.
        self._since = now_ns if policy.kind == "calendar" else ran_ns
        self._since -= whole_ms(self._rng.random() * policy.every) if policy.every else 0
        if policy.kind == "usage" and bearing is not None:
            bearing.settle_in(self._replaced_at(bearing)[0])

    def is_due(self, now_ns: int, ran_ns: int, age_ns: int) -> bool:
        """Say whether there is something to be done."""
        return min(self._job_left_ns(now_ns, ran_ns)[0], self._bearing_left_ns(age_ns)[0]) <= 0

    def patience_ns(self, now_ns: int, ran_ns: int, age_ns: int) -> int:
        """Return how long the machine may run on until what is to be done can wait no longer; not at all: <= 0."""
        return min(self._job_left_ns(now_ns, ran_ns)[1], self._bearing_left_ns(age_ns)[1])

    def begin(self, now_ns: int, ran_ns: int, age_ns: int) -> int:
        """Do what is due, and return how long that takes."""
        work_ns = 0
        if self.policy.job is not None and self._job_left_ns(now_ns, ran_ns)[0] <= 0:
            self._since = now_ns if self.policy.kind == "calendar" else ran_ns
            work_ns += repair_ns(self._rng, self.policy.job)
            self.jobs += 1
        if self._bearing is not None and self._bearing_left_ns(age_ns)[0] <= 0:
            work_ns += whole_ms(self._bearing.replace() * PLANNED_SHARE)
            self.bearings += 1
        return work_ns

    def _job_left_ns(self, now_ns: int, ran_ns: int) -> tuple[int, int]:
        """Return the time until the next job is due, and until it is overdue."""
        every = self.policy.every
        if every is None:
            return LONGEST_LIFE_NS, LONGEST_LIFE_NS
        passed = (now_ns if self.policy.kind == "calendar" else ran_ns) - self._since
        return every - passed, every + whole_ms(every * self.policy.patience) - passed

    def _bearing_left_ns(self, age_ns: int) -> tuple[int, int]:
        """Return the running time until the bearing is to be replaced, and until it must be."""
        if self._bearing is None:
            return LONGEST_LIFE_NS, LONGEST_LIFE_NS
        due_ns, overdue_ns = self._replaced_at(self._bearing)
        return due_ns - age_ns, overdue_ns - age_ns

    def _replaced_at(self, life: BearingLife) -> tuple[int, int]:
        """Return the age at which a bearing is to be replaced, and that at which it must be."""
        one = life.bearing
        match self.policy.kind:
            case "usage":
                rated_ns = one.l10 / one.acceleration
                return whole_ms(rated_ns), whole_ms(rated_ns * (1.0 + self.policy.patience))
            case "condition":
                ages = (life.onset_ns + wear * one.warning for wear in (self._wear, (1.0 + self._wear) / 2.0))
            case _:
                ages = (life.life_ns - share * one.warning for share in LAST_SHARES)
        due_ns, overdue_ns = (whole_ms(max(age, 0)) for age in ages)
        return due_ns, overdue_ns


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
