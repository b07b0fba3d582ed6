"""A dispatcher as it happens: each box that a line finishes is a mission, for the free vehicle with most charge."""

from __future__ import annotations

from collections import deque
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from simulator.park.freight import Outflow
from simulator.park.machine import Machine
from simulator.park.plant import Plant
from simulator.park.post import Post
from simulator.park.roles.agv import CHARGING, DRIVING, SERVICED, Vehicle
from simulator.scenario.roles.dispatch import Dispatch
from simulator.signals.device import Device, Figure, Track, TrackDevice

__all__ = ["dispatch"]

Ints = NDArray[np.int64]
HOUR_NS = 3_600_000_000_000
AT_CHARGER = (CHARGING, SERVICED)


class DispatchDevice(TrackDevice):
    """What a dispatcher shows; its chargers draw power."""

    draws: ClassVar[bool] = True
    figures: ClassVar[tuple[Figure, ...]] = (Figure("waited_mean_s", "s", 1, 1e6),)

    def __init__(self, tracks: dict[str, Track], charging_kw: Track) -> None:
        super().__init__(tracks)
        self.charging_kw = charging_kw

    def watts(self, minute_ns: Ints) -> Ints:
        """Return what the chargers draw."""
        power: Ints = np.rint(1000.0 * self.charging_kw.at(minute_ns)).astype(np.int64)
        return power


class Fleet:
    """Vehicles, and the missions that wait for them."""

    def __init__(self, post: Post, role: Dispatch) -> None:
        self._post = post
        self._role = role
        found = [post.everywhere[asset] for asset in post.served if asset in post.everywhere]
        self._vehicles = [one for one in found if isinstance(one, Vehicle)]
        self._waiting: deque[int] = deque()
        self.device = DispatchDevice(post.quantities(Dispatch.SHOWS), post.track())
        for vehicle in self._vehicles:
            self._employ(vehicle)
        groups = [machines for plant in post.tenants for machines in lines_of(plant)]
        missions_h = role.missions_h * max(len(self._vehicles), 1) / max(len(groups), 1)
        for machines in groups:
            per_mission = pieces_per_h(machines) / missions_h
            Outflow(post.env, machines, max(round(per_mission), 1), self._ask)

    def _employ(self, vehicle: Vehicle) -> None:
        power_kw = vehicle.role.charge / 100.0 * vehicle.role.battery_kwh / self._role.efficiency
        tracks, charging_kw = self.device.tracks, self.device.charging_kw

        def told(before: int, now: int) -> None:
            tracks["driving"].add((now == DRIVING) - (before == DRIVING))
            change = (now in AT_CHARGER) - (before in AT_CHARGER)
            tracks["charging"].add(change)
            charging_kw.set(tracks["charging"].value * power_kw)
            self._assign()

        vehicle.employ(told)

    def _ask(self) -> None:
        """A box is full: somebody has to take it away."""
        self._waiting.append(self._post.now_ns())
        self._assign()

    def _assign(self) -> None:
        tracks = self.device.tracks
        free = [vehicle for vehicle in self._vehicles if vehicle.is_free]
        while self._waiting and free:
            best = max(free, key=lambda vehicle: vehicle.soc.value)
            free.remove(best)
            best.call()
            waited_s = (self._post.now_ns() - self._waiting.popleft()) * 1e-9
            tracks["missions"].add(1)
            tracks["waited_s"].set(waited_s)
            tracks["waited_mean_s"].add((waited_s - tracks["waited_mean_s"].value) / tracks["missions"].value)
        tracks["queue"].set(len(self._waiting))
        tracks["available"].set(len(free))


def lines_of(plant: Plant) -> list[list[Machine]]:
    """Return the machines at the ends of lines, together those that give to the same place."""
    grouped: dict[int, list[Machine]] = {}
    for machine in plant.ends:
        into = next((id(port.buffer) for port in machine.ports if port.gives), 0)
        grouped.setdefault(into, []).append(machine)
    return list(grouped.values())


def pieces_per_h(machines: list[Machine]) -> float:
    """Return what some machines make at full pace while they are in a shift."""
    return sum(one.spec.pieces * one.spec.first_pass_yield * HOUR_NS / one.spec.cycle for one in machines)


def dispatch(post: Post) -> Device:
    """Build a dispatcher of the vehicles and for the factories that it serves."""
    role = post.spec.role
    assert isinstance(role, Dispatch)
    return Fleet(post, role).device
