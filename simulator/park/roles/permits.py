"""A permit office: its queue, and what is told of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import Any, ClassVar

import simpy

from simulator.park.attendance import Attendance
from simulator.park.calendar import Calendar
from simulator.park.permits import Office, Paper
from simulator.park.post import Post
from simulator.scenario.roles.permits import PermitOffice
from simulator.signals.device import Device, Figure, TrackDevice

__all__ = ["permit_office"]

HOUR_NS = 3_600_000_000_000
RECENT = 100
"""Permits of which the share in time is told."""
MOST_MATURE = 5


def permit_office(post: Post) -> Device:
    """Build an office; while its system is out, no clerk begins anything new."""
    return Counter(post)


class Counter(TrackDevice):
    """What people at the counter see: the queue and its times."""

    figures: ClassVar[tuple[Figure, ...]] = (Figure("permits_in_time", "%", 0, 100.0),)

    def __init__(self, post: Post) -> None:
        role = post.spec.role
        assert isinstance(role, PermitOffice)
        super().__init__({name: post.track(100.0 if name == "permits_in_time" else 0.0) for name in role.SHOWS})
        self._post = post
        self._target_ns = role.target
        self._recent: deque[bool] = deque(maxlen=RECENT)
        self._done = 0
        self._calendar = Calendar(role.hours, post.scenario.timezone, origin_ns=post.now_ns())
        self._office = Office(
            post.env,
            self._calendar,
            between_ns=HOUR_NS / role.per_hour,
            work_ns=role.work * (1.0 + role.slower * (MOST_MATURE - role.maturity)),
            clerks=role.clerks,
            stream=post.stream,
            changed=self._changed,
        )
        system = Attendance([post.machine], lambda: self._office.resume() if system.at_work else self._office.pause())
        post.env.process(self._days())

    def _changed(self, paper: Paper, what: str) -> None:
        self.tracks["waiting"].set(self._office.waiting)
        self.tracks["in_hand"].set(self._office.in_hand)
        if what == "begun":
            self.tracks["waited"].set(paper.waited_ns / HOUR_NS)
        elif what == "done":
            in_time = paper.took_ns <= self._target_ns
            self._done += 1
            self._recent.append(in_time)
            self.tracks["processing"].set(paper.took_ns / HOUR_NS)
            self.tracks["done"].set(self._done)
            self.tracks["done_today"].add(1)
            self.tracks["permits_in_time"].set(100.0 * sum(self._recent) / len(self._recent))

    def _days(self) -> Generator[simpy.Event, Any, None]:
        """Count the permits of each day from nothing."""
        while True:
            yield self._post.env.timeout(self._until_midnight())
            self.tracks["done_today"].set(0.0)

    def _until_midnight(self) -> int:
        day_ns = 24 * HOUR_NS
        return day_ns - (self._post.now_ns() + self._post.sky.utc_offset_ns) % day_ns
