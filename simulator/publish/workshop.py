"""The park in this process, whose messages are made window by window."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Batch
from simulator.clock import SECOND_NS, Clock
from simulator.park.census import Census
from simulator.park.world import World
from simulator.publish.consignment import Consignor
from simulator.publish.forwarding import Forwarding, forwarded
from simulator.publish.orders import Act, Begin, LookAt, Order, Orders, Pause, Resume, Speed
from simulator.publish.source import MOST_SKEW_MS, Ending, Glimpse, Shipping, Window, first_instant_ns
from simulator.results.snapshot import Latest, Readings
from simulator.scenario.machine_type import MachineType
from simulator.scenario.schema import Scenario
from simulator.wire.frames import Frames
from simulator.wire.json_blocks import JsonBlocks

__all__ = ["Workshop"]

LAG_NS = 3 * SECOND_NS // 2
"""How far behind the wall clock a run that starts now may start; the cut to the second is up to a second of it."""
BETWEEN_GLIMPSES_NS = SECOND_NS // 2
REMEMBERED = 16
"""Windows whose census is kept: those made ahead of the one that leaves, which are three or four, and some more."""


class Workshop:
    """The source in this process."""

    def __init__(
        self,
        scenario: Scenario,
        types: Mapping[str, MachineType],
        clock: Clock,
        *,
        stop: Callable[[], bool],
        orders: Orders | None,
    ) -> None:
        """Build the park and warm it up, which may take long; once ``stop`` says so it ends before its time.

        ``orders`` are those of who looks on; None: nobody may give any.
        """
        self._scenario = scenario
        self._clock = clock
        self._stop = stop
        self._orders = orders
        self._looked_at: NDArray[np.bool_] | None = None
        steerable = orders is not None
        self._world = World(scenario, types, first_instant_ns(scenario, clock), stop=stop, steerable=steerable)
        self._made = 0
        self._window_ns = 0
        self._is_paused = False
        self._looked_ns = -BETWEEN_GLIMPSES_NS
        self._censuses: deque[tuple[int, Census]] = deque(maxlen=REMEMBERED)
        self.catalog = self._world.catalog
        shown = self._world.sensors_of_systems()
        self._systems = Latest(shown, np.full(len(shown), np.nan))
        self._place_of = np.full(len(self.catalog), -1, dtype=np.int64)
        self._place_of[shown] = np.arange(len(shown))
        self.origin_ns = self._world.origin_ns
        traffic = self._world.traffic
        self.clocks_off_ms = None if traffic is None else traffic.clocks_off_ms()
        if self.clocks_off_ms is not None and steerable:
            early_ms, late_ms = self.clocks_off_ms
            self.clocks_off_ms = early_ms - MOST_SKEW_MS, late_ms + MOST_SKEW_MS
        self.catch_up()

    @property
    def start_ns(self) -> int:
        return self._world.start_ns

    def catch_up(self) -> None:
        """Let the park live on, unseen, so that its timestamps do not lag behind the wall clock for the whole run.

        Not for less than LAG_NS: a park that has lived on is not the one that the scenario gives for that start; the
        result tells its origin.
        """
        # living on takes time as well, though less each time
        while self._scenario.start == "now" and self._clock.now_ns() - self.start_ns >= LAG_NS and not self._stop():
            self._world.start_later(first_instant_ns(self._scenario, self._clock))

    def windows(self, shipping: Shipping) -> Iterator[Window]:
        frames = Frames([asset.topic for asset in self.catalog.assets], qos=shipping.qos, version=shipping.version)
        encoder = JsonBlocks(self.catalog, frames)
        consignor = Consignor(encoder, shipping.outlet_of, gateways=shipping.outlets)
        self._window_ns = shipping.window_ns
        batches = self._leaving(shipping, encoder)
        while (acts := self._obey()) is not None:
            batch = Batch.empty(self._world.now_ns) if self._is_paused else next(batches, None)
            if batch is None:
                return
            wanted = batch if shipping.sensors is None else batch.only(shipping.sensors)
            consignment, census = consignor.consign(wanted), self._world.census()
            self._made += 1
            self._censuses.append((self._made, census))
            if shipping.is_watched:
                self._take_down(batch)
            glimpse = self._glimpse(shipping, census, at_once=bool(acts))
            readings = self._looked_up(batch)
            yield Window(consignment, census.whole(), encoder.left_out, glimpse, acts=acts, readings=readings)

    def order(self, order: Order) -> None:
        assert self._orders is not None, "nobody may give orders"
        self._orders.give(order)

    def enough(self) -> None:
        if self._orders is not None:
            self._orders.close()

    def _obey(self) -> tuple[Act, ...] | None:
        """Do what has been ordered, in a pause after the next order; None once there is to be no other window."""
        if self._orders is None:
            return ()
        orders = self._orders.take(wait=self._is_paused)
        return None if orders is None else tuple(act for one in orders if (act := self._carry_out(one)) is not None)

    def _carry_out(self, order: Order) -> Act | None:
        """Carry out an order; None if it changes nothing."""
        now_ns = self._world.now_ns
        match order:
            case Begin(fault):
                self._world.begin(fault)
                return Act("fault", now_ns, fault=fault)
            case Pause() if not self._is_paused:
                self._is_paused = True
                self._world.change_pace(None)
                return Act("pause", now_ns)
            case Resume() if self._is_paused:
                self._is_paused = False
                return Act("resume", now_ns)
            case Speed(speed, window_ns):
                self._window_ns = window_ns
                self._world.change_pace(speed)
                return Act("speed", now_ns, speed=speed)
            case LookAt(assets):
                self._looked_at = np.isin(self.catalog.asset_of, assets) if assets else None
        return None

    def _take_down(self, batch: Batch) -> None:
        """Keep the last reading of each sensor of a system."""
        place = self._place_of[batch.sensor]
        mine = np.flatnonzero(place >= 0)
        # of a sensor the last one counts, and comes last
        self._systems.value[place[mine]] = batch.value[mine]

    def _looked_up(self, batch: Batch) -> Readings | None:
        """Return what is seen of a batch by those who look at single assets."""
        if self._looked_at is None or not len(batch):
            return None
        mine = self._looked_at[batch.sensor]
        return Readings(batch.time_ns[mine], batch.sensor[mine], batch.value[mine])

    def _glimpse(self, shipping: Shipping, census: Census, *, at_once: bool) -> Glimpse | None:
        now_ns = self._clock.monotonic_ns()
        is_due = now_ns - self._looked_ns >= BETWEEN_GLIMPSES_NS
        if not shipping.is_watched or not (is_due or at_once):
            return None
        self._looked_ns = now_ns
        systems = self._systems._replace(value=self._systems.value.copy())
        return Glimpse(self._world.states(), census.parts(), systems)

    def end(self, windows: int, until_ns: int) -> Ending:
        census = next((one for number, one in self._censuses if number == windows), None)
        faults, more = self._world.faults(until_ns)
        return Ending(None if census is None else census.everything(), faults, more)

    def _leaving(self, shipping: Shipping, encoder: JsonBlocks) -> Iterator[Batch]:
        """Yield batches as they leave: as they are born, unless gateways of the scenario relay them."""
        batches = self._world.batches(shipping.until_ns, lambda: self._window_ns)
        if self._world.traffic is None:
            return batches
        return forwarded(batches, Forwarding(self.catalog, self._world.traffic, encoder.carries))
