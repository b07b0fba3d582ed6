"""The people of one factory: who is on duty, how able they are, and what that does to machines.

Operators and menders are single people, each with a number of repetitions on Wright's curve and a share of schooling.
A week of work is a repetition for an operator, a repair for a mender. What is not practised on a day is forgotten by
that day's share; so is schooling, whether or not it is used. Once a day people leave, newcomers who know nothing take
their posts, cohorts go to their courses, and the machines get to feel what skill there is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.park import learning
from simulator.park.machine import Machine
from simulator.scenario.holidays import Tet
from simulator.scenario.people import People
from simulator.signals.device import Track
from simulator.signals.streams import Stream

__all__ = ["Folk", "Staff", "Workforce"]

Floats = NDArray[np.floating[Any]]
DAY_NS = 86_400_000_000_000
MINUTE_NS = 60_000_000_000
WEEK_DAYS = 6
"""Days of work in a week of experience."""
MONTH_DAYS = 30.4375
LEFT_DAYS = 30
LAST_REPAIRS = 20


class Folk:
    """People of one trade: repetitions and schooling of each, float64[N]."""

    def __init__(self, heads: int, skill: float, *, rate: float) -> None:
        self.rate = rate
        self._most = float(learning.repetitions(np.ones(1), rate=rate)[0])
        known = np.full(heads, min(skill / learning.ROUTINE_SHARE, 1.0))
        self.repetitions = learning.repetitions(known, rate=rate)
        above = max(skill - learning.ROUTINE_SHARE, 0.0) / (1.0 - learning.ROUTINE_SHARE)
        self.schooling: Floats = np.full(heads, above)

    def __len__(self) -> int:
        return len(self.repetitions)

    @property
    def skill(self) -> Floats:
        """Skill of each, in [0, 1]."""
        return learning.skill(learning.routine(self.repetitions, rate=self.rate), self.schooling)

    def practise(self, who: int | slice, repetitions: float) -> None:
        """Do it so many times more; what lies beyond the end of Wright's curve does not count."""
        self.repetitions[who] = np.minimum(self.repetitions[who] + repetitions, self._most)

    def forget(self, idle: NDArray[np.bool_], *, half_life_days: float) -> None:
        """Let a day pass: those who were idle lose routine, and all lose schooling."""
        left = learning.forgotten(self.repetitions, days=1, half_life_days=half_life_days, least=1.0)
        self.repetitions = np.where(idle, left, self.repetitions)
        self.schooling = learning.forgotten(self.schooling, days=1, half_life_days=half_life_days)

    def renew(self, who: NDArray[np.bool_]) -> None:
        """Put newcomers in the posts of those who leave."""
        self.repetitions[who] = 1.0
        self.schooling[who] = 0.0


@dataclass(frozen=True)
class Staff:
    """How many people a factory has."""

    heads: int
    teams: int
    crew: int
    """Posts of the repair crew in each team."""


class Workforce:
    """The people of a factory, and the tracks that tell of them.

    ``track`` makes one; ``stream`` gives random numbers by name.
    """

    def __init__(
        self,
        people: People,
        staff: Staff,
        machines: Sequence[Machine],
        *,
        stream: Callable[..., Stream],
        track: Callable[[float], Track],
    ) -> None:
        self._people = people
        self._staff = staff
        self._machines = machines
        self._stream = stream
        menders = staff.crew * staff.teams
        self.operators = Folk(max(staff.heads - menders, 0), people.skill, rate=learning.WORK_RATES[people.work])
        self.menders = Folk(menders, people.skill, rate=learning.REPAIR_RATE)
        self._idle = np.ones(menders, dtype=bool)
        self._team = 0
        self._share = 1.0
        self._trainees = np.zeros(0, dtype=np.int64)
        self._back: date | None = None
        self._next_course_days = -1.0
        self._left: deque[tuple[date, int]] = deque()
        self._repairs: deque[int] = deque(maxlen=LAST_REPAIRS)
        self._spoils = 1.0
        names = ("heads_present", "team", "staffing_pct", "skill", "crew_skill", "mttr_min", "repairs", "left_30d_pct")
        self.tracks: Mapping[str, Track] = {
            "heads": track(float(staff.heads)),
            **{name: track(0.0) for name in (*names, "training_h")},
        }
        if people.training is not None:
            # Cohorts of different factories do not begin on one day.
            self._next_course_days = stream("training").epoch(0).random() * people.training.every / DAY_NS
        self._be_felt()

    # Menders, as the crew calls them.

    def begin(self, post: int) -> tuple[int, float]:
        """Return the mender at a post of the team on duty, and how many times as long as usual his repairs take."""
        who = self._team * self._staff.crew + post
        return who, learning.repair_factor(float(self.menders.skill[who]))

    def end(self, who: int, work_ns: int, *, planned: bool) -> None:
        """Learn from work that took so long; what was planned is no repair to be told of."""
        self.menders.practise(who, 1.0)
        self._idle[who] = False
        if planned:
            return
        self._repairs.append(work_ns)
        self.tracks["repairs"].add(1.0)
        self.tracks["mttr_min"].set(sum(self._repairs) / len(self._repairs) / MINUTE_NS)

    # Shifts.

    def come(self, team: int, share: float) -> None:
        """Have a team on duty, with a share of its posts filled."""
        self._team, self._share = team, share
        self.tracks["team"].set(team + 1)
        self.tracks["staffing_pct"].set(100.0 * share)
        here = (self._staff.heads - len(self._trainees)) / self._staff.teams
        self.tracks["heads_present"].set(round(here * share))

    def leave(self) -> None:
        """Have nobody on duty; who is called to a repair all the same is of the team that was."""
        for name in ("team", "staffing_pct", "heads_present"):
            self.tracks[name].set(0.0)

    # Days.

    def pass_day(self, day: date, *, worked: bool, tet: Tet | None) -> None:
        """Let a day end, on which the factory worked or did not."""
        people = self._people
        half_life_days = people.half_life / DAY_NS
        if worked:
            self.operators.practise(slice(None), 1.0 / WEEK_DAYS)
        self.operators.forget(np.full(len(self.operators), not worked), half_life_days=half_life_days)
        self.menders.forget(self._idle, half_life_days=half_life_days)
        self._idle[:] = True
        opens = tet is not None and tet.since_opening(day + timedelta(days=1)) == 0
        self._go_and_come(day, 1.0 if not opens or tet is None else 1.0 - tet.leave)
        self._train(day)
        self._be_felt()

    def _go_and_come(self, day: date, stays: float) -> None:
        """Let people leave, each with the chance of a day, and after Tet with that of those who do not return."""
        chance = 1.0 - (1.0 - self._people.turnover) ** (1.0 / MONTH_DAYS) * stays
        draws = self._stream("turnover").epoch(day.toordinal()).random(len(self.operators) + len(self.menders))
        goes = draws < chance
        self.operators.renew(goes[: len(self.operators)])
        self.menders.renew(goes[len(self.operators) :])
        self._left.append((day, int(goes.sum())))
        while self._left[0][0] <= day - timedelta(days=LEFT_DAYS):
            self._left.popleft()
        self.tracks["left_30d_pct"].set(100.0 * sum(count for _, count in self._left) / max(len(goes), 1))

    def _train(self, day: date) -> None:
        training = self._people.training
        if training is None:
            return
        if self._back is not None and day >= self._back:
            self._graduate(training.gain, training.hours)
        self._next_course_days -= 1.0
        if self._next_course_days <= 0.0 and self._back is None:
            self._next_course_days += training.every / DAY_NS
            everyone = np.concatenate((self.operators.skill, self.menders.skill))
            cohort = max(round(training.share * len(everyone)), 1)
            self._trainees = np.argsort(everyone, kind="stable")[:cohort]
            self._back = day + timedelta(days=round(training.lasts / DAY_NS))

    def _graduate(self, gain: float, hours: float) -> None:
        """Bring a cohort home; who has left meanwhile has sent his successor."""
        split = len(self.operators)
        mine = self._trainees[self._trainees < split], self._trainees[self._trainees >= split] - split
        for folk, who in zip((self.operators, self.menders), mine, strict=True):
            folk.schooling[who] += gain * (1.0 - folk.schooling[who])
        self.tracks["training_h"].add(hours * len(self._trainees))
        self._trainees, self._back = np.zeros(0, dtype=np.int64), None

    def _be_felt(self) -> None:
        """Publish skill, and let machines spoil and be set up as it has them."""
        everyone = np.concatenate((self.operators.skill, self.menders.skill))
        able = float((self.operators if len(self.operators) else self.menders).skill.mean())
        self.tracks["skill"].set(float(everyone.mean()))
        self.tracks["crew_skill"].set(float(self.menders.skill.mean()))
        spoils, sets_up = round(learning.defect_factor(able), 2), round(learning.set_up_factor(able), 2)
        for machine in self._machines:
            machine.set_up_factor = sets_up
            if spoils != self._spoils:
                machine.spoil(spoils)
        self._spoils = spoils
