"""A cold store as it happens: the thermostat switches when a temperature is reached, which is computed, not polled."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simulator.park.arrivals import arrivals
from simulator.park.machine import Machine
from simulator.park.packml import State
from simulator.park.post import Post
from simulator.park.presence import Steps
from simulator.park.spread import exponential_ns
from simulator.park.stops import MS
from simulator.scenario.roles.cold import Cold
from simulator.signals.almanac import hours
from simulator.signals.course import Settling
from simulator.signals.device import Device, Figure, Track, TrackDevice
from simulator.signals.rhythm import Rhythm

__all__ = ["cold"]

Ints = NDArray[np.int64]


class ColdDevice(TrackDevice):
    """What a cold store shows; its compressor draws power while it runs."""

    draws: ClassVar[bool] = True
    figures: ClassVar[tuple[Figure, ...]] = (Figure("excursions", "1", 0, 1e6),)

    def __init__(self, tracks: dict[str, Track], role: Cold, inside_c: Settling) -> None:
        super().__init__(tracks)
        self._role = role
        self._inside_c = inside_c

    def values(self, shows: str, time_ns: Ints) -> NDArray[np.floating]:
        """Return the temperature inside, or what happened."""
        return self._inside_c.at(time_ns) if shows == "temperature" else super().values(shows, time_ns)

    def watts(self, minute_ns: Ints) -> Ints:
        """Return what compressor, fans and lights draw."""
        running = self.tracks["compressor"].at(minute_ns)
        power: Ints = np.rint(1000.0 * (self._role.base_kw + self._role.compressor_kw * running)).astype(np.int64)
        return power


class Room:
    """The room behind the door."""

    def __init__(self, post: Post, role: Cold) -> None:
        self._post = post
        self._role = role
        self._env = post.env
        self._inside_c = Settling(post.track, post.now_ns, 0.5 * (role.low + role.high))
        self.device = ColdDevice(post.quantities(Cold.SHOWS), role, self._inside_c)
        self._tracks = self.device.tracks
        self._works = False
        self._warm_since_ns: int | None = None
        self._serial = 0
        post.machine.watch(self._change)

    def _change(self, machine: Machine) -> None:
        self._works = machine.state is State.EXECUTE
        self.look()

    def look(self) -> None:
        """Switch the compressor, note excursions, and foresee when that is to be done again."""
        role, tracks, value = self._role, self._tracks, self._inside_c.value
        may_run = self._works and not tracks["defrosting"].value
        runs = bool(tracks["compressor"].value)
        runs = may_run and (value > role.low if runs else value >= role.high)
        tracks["compressor"].set(float(runs))
        self._judge(value)
        target, tau_ns = self._driven(runs=runs)
        self._inside_c.head_for(target, tau_ns=tau_ns)
        threshold = role.low if runs else role.high if may_run else None
        waits = [self._inside_c.until_ns(one) for one in (threshold, role.limit) if one is not None]
        self._serial += 1
        ahead = [wait for wait in waits if wait is not None]
        if ahead:
            # Up to the next whole millisecond: then it is surely reached.
            timeout = self._env.timeout(-(-min(ahead) // MS) * MS or MS, self._serial)
            assert timeout.callbacks is not None
            timeout.callbacks.append(self._ring)

    def _ring(self, event: Any) -> None:
        if event.value == self._serial:
            self.look()

    def _driven(self, *, runs: bool) -> tuple[float, int]:
        """Return where all that acts on it together drives it, and how fast: rates add up, and weigh their targets."""
        role = self._role
        pulls = [(role.outside, role.warming)]
        if self._tracks["door"].value:
            pulls.append((role.outside, role.door))
        if runs:
            pulls.append((role.coldest, role.cooling))
        rate = sum(1.0 / tau_ns for _, tau_ns in pulls)
        return sum(target / tau_ns for target, tau_ns in pulls) / rate, round(1.0 / rate)

    def _judge(self, value: float) -> None:
        now_ns = int(self._env.now)
        if value >= self._role.limit and self._warm_since_ns is None:
            self._warm_since_ns = now_ns
            self._tracks["excursions"].add(1)
        elif value < self._role.limit and self._warm_since_ns is not None:
            self._tracks["excursion_min"].add(60 * hours(now_ns - self._warm_since_ns))
            self._warm_since_ns = None

    def doors(self) -> Steps:
        """Let people go in and out."""
        role, sky = self._role, self._post.sky
        rhythm = Rhythm(role.openings, saturday=role.saturday, sunday=role.sunday, utc_offset_ns=sky.utc_offset_ns)
        highest = max(rate for _, rate in role.openings) * max(1.0, role.saturday, role.sunday)
        rng = self._post.stream("openings").epoch(0)
        stay = self._post.stream("open-for").epoch(0)
        for at_ns in arrivals(rhythm, highest_per_h=highest, rng=rng, from_ns=int(self._env.now)):
            yield self._env.timeout(at_ns - int(self._env.now))
            self._env.process(self._open(exponential_ns(stay, role.open_for)))

    def _open(self, open_ns: int) -> Steps:
        self._tracks["doors"].add(1)
        self._tracks["door"].add(1)
        self.look()
        yield self._env.timeout(open_ns)
        self._tracks["door"].add(-1)
        self.look()

    def defrosting(self) -> Steps:
        """Let the ice melt, again and again; the first time somewhere in the interval."""
        role = self._role
        share = self._post.stream("defrost").epoch(0).random()
        rest_ns = role.defrost_every - role.defrost
        yield self._env.timeout(max(round(share * rest_ns / MS), 1) * MS)
        while True:
            self._tracks["defrosting"].set(1)
            self.look()
            yield self._env.timeout(role.defrost)
            self._tracks["defrosting"].set(0)
            self.look()
            yield self._env.timeout(rest_ns)


def cold(post: Post) -> Device:
    """Build a cold store, with people at its doors."""
    role = post.spec.role
    assert isinstance(role, Cold)
    room = Room(post, role)
    post.env.process(room.doors())
    post.env.process(room.defrosting())
    return room.device
