"""A supplier as it happens: stock is reviewed, orders go out, lorries come late or in time and fill buffers."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from simulator.park.buffer import Buffer
from simulator.park.plant import Plant
from simulator.park.post import Post
from simulator.park.presence import Presence, Steps
from simulator.park.stops import lognormal_ns
from simulator.scenario.roles.supplier import Supplier
from simulator.signals.almanac import hours
from simulator.signals.device import Device, Figure, TrackDevice

__all__ = ["supplier"]


class SupplierDevice(TrackDevice):
    """What a supplier shows: open orders, and how long the last one took."""

    figures: ClassVar[tuple[Figure, ...]] = (Figure("supply_on_time_pct", "%", 1, 100.0),)


class Account:
    """What one supplier delivers to the buffers of a site that it feeds."""

    def __init__(self, post: Post, role: Supplier) -> None:
        self._post = post
        self._role = role
        self._env = post.env
        self._presence = Presence(post.env, post.machine)
        tracks = post.quantities(Supplier.SHOWS, on_time_pct=100.0)
        self.device = SupplierDevice(tracks | {"supply_on_time_pct": tracks["on_time_pct"]})
        self._late = 0
        mine = {
            (factory.name, buffer.name)
            for factory in post.site.factories
            for buffer in factory.buffers
            if buffer.fed_by == post.system.name
        }
        for plant in post.plants:
            if plant.path[1] == post.site.name and plant.makes:
                for name, buffer in plant.buffers.items():
                    if (plant.path[2], name) in mine:
                        post.env.process(self._feed(plant, buffer))

    def _feed(self, plant: Plant, buffer: Buffer) -> Steps:
        """Review one buffer again and again."""
        rng = self._post.stream("lead", *plant.path[2:], buffer.name).epoch(0)
        under_way = 0
        review_ns = self._role.review
        offset_ns = self._post.sky.utc_offset_ns

        def arrived(pieces: int) -> None:
            nonlocal under_way
            under_way -= pieces
            buffer.deliver(pieces)

        while True:
            local_ns = int(self._env.now) + offset_ns
            yield self._env.timeout(review_ns - local_ns % review_ns)
            buffer.settle()
            missing = buffer.capacity - buffer.level - under_way
            if missing >= max(self._role.lot * buffer.capacity, 1):
                under_way += missing
                lead_ns = lognormal_ns(rng, self._role.lead, cv=self._role.cv)
                self._env.process(self._deliver(plant, missing, lead_ns, arrived))

    def _deliver(self, plant: Plant, pieces: int, lead_ns: int, arrived: Callable[[int], None]) -> Steps:
        """Follow one order: made ready, on the way, at the gate, at a dock."""
        tracks, ordered_ns = self.device.tracks, int(self._env.now)
        tracks["open"].add(1)
        yield from self._presence.work(lead_ns)
        # From here on it is no longer in the hands of the supplier.
        took_ns = int(self._env.now) - ordered_ns
        late_ns = max(took_ns - self._role.promised, 0)
        self._late += late_ns > 0

        def unloaded() -> None:
            tracks["open"].add(-1)
            tracks["deliveries"].add(1)
            tracks["supplied"].add(pieces)
            tracks["waiting_h"].set(hours(int(self._env.now) - ordered_ns - took_ns))
            arrived(pieces)

        tracks["lead_h"].set(hours(took_ns))
        tracks["delay_h"].set(hours(late_ns))
        tracks["dispatched"].add(1)
        tracks["on_time_pct"].set(100.0 * (1.0 - self._late / tracks["dispatched"].value))
        self._post.freight.bring(plant, unloaded)


def supplier(post: Post) -> Device:
    """Build a supplier of the buffers that name it."""
    role = post.spec.role
    assert isinstance(role, Supplier)
    return Account(post, role).device
