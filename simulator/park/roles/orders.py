"""An order book as it happens: orders come in, loads fill the oldest of them, and dates are met or missed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import ClassVar

from simulator.park.freight import MADE, Lorry
from simulator.park.plant import Plant
from simulator.park.post import Post
from simulator.park.presence import Steps
from simulator.park.spread import exponential_ns
from simulator.park.stops import whole_ms
from simulator.scenario.roles.orders import Orders
from simulator.signals.almanac import HOUR_NS, hours
from simulator.signals.device import Device, Figure, TrackDevice

__all__ = ["orders"]

FIRST_LOADS = 0.5
"""How full the book is when the park begins: half."""


class OrdersDevice(TrackDevice):
    """What the order books of some factories show."""

    figures: ClassVar[tuple[Figure, ...]] = (
        Figure("on_time_pct", "%", 1, 100.0),
        Figure("lead_mean_h", "h", 1, 1e6),
    )


@dataclass(slots=True)
class Order:
    """One order. Instants are nanoseconds since the Unix epoch."""

    loads: int
    left: int
    came_ns: int
    due_ns: int


class Book:
    """The orders of one factory, the oldest first. Ordered loads are those delivered for orders and those open."""

    def __init__(self, post: Post, role: Orders, plant: Plant, device: OrdersDevice) -> None:
        self._post = post
        self._role = role
        self._plant = plant
        self._tracks = device.tracks
        self._open: deque[Order] = deque()
        self._stock = 0
        self._rng = post.stream("orders", plant.path[2]).epoch(0)
        pace = plant.pieces_per_h / plant.load * role.planned
        self._load_ns = HOUR_NS / pace
        """What a load takes, as planned."""
        # Loads are counted from the beginning; up to which stage, is known once all of the park is built.
        post.freight.follow(plant, MADE, lambda _: None)

    def live(self) -> Steps:
        """Begin with a book that has been kept for long, and let orders come."""
        env, now_ns = self._post.env, self._post.now_ns()
        while self.open_loads < FIRST_LOADS * self._role.book:
            # They came before: as much longer ago as they stand further in front.
            ago_ns = (FIRST_LOADS * self._role.book - self.open_loads) * self._load_ns
            self._take_on(self._drawn(), now_ns - whole_ms(ago_ns))
        self._post.freight.follow(self._plant, self._post.freight.furthest(self._plant), self._fill)
        while True:
            yield env.timeout(exponential_ns(self._rng, self._role.every))
            loads = self._drawn()
            if self.open_loads + loads > self._role.book:
                self._tracks["declined"].add(1)
            else:
                self._take_on(loads, self._post.now_ns())

    @property
    def open_loads(self) -> int:
        """Loads that are ordered and not there."""
        return sum(order.left for order in self._open)

    def _drawn(self) -> int:
        return int(self._rng.geometric(1.0 / self._role.loads))

    def _take_on(self, loads: int, came_ns: int) -> None:
        """Promise a date, and deliver at once what is in stock."""
        due_ns = self._post.now_ns() + whole_ms((self.open_loads + loads) * self._load_ns) + self._role.slack
        self._open.append(Order(loads, loads, came_ns, due_ns))
        self._tracks["open"].add(1)
        self._tracks["open_loads"].add(loads)
        self._tracks["ordered"].add(loads)
        while self._stock and self._open:
            self._stock -= 1
            self._tracks["stock_loads"].add(-1)
            self._give()

    def _fill(self, _: Lorry) -> None:
        """A load is there: for the oldest order, or into stock if there is none."""
        if self._open:
            self._give()
        else:
            self._stock += 1
            self._tracks["stock_loads"].add(1)

    def _give(self) -> None:
        order, tracks = self._open[0], self._tracks
        order.left -= 1
        tracks["open_loads"].add(-1)
        tracks["delivered"].add(1)
        if order.left:
            return
        self._open.popleft()
        now_ns = self._post.now_ns()
        lead_h = hours(now_ns - order.came_ns)
        tracks["open"].add(-1)
        tracks["done"].add(1)
        tracks["late"].add(float(now_ns > order.due_ns))
        tracks["on_time_pct"].set(100.0 * (1.0 - tracks["late"].value / tracks["done"].value))
        tracks["lead_h"].set(lead_h)
        tracks["lead_mean_h"].add((lead_h - tracks["lead_mean_h"].value) / tracks["done"].value)


def orders(post: Post) -> Device:
    """Build the order books of the factories that it serves."""
    role = post.spec.role
    assert isinstance(role, Orders)
    device = OrdersDevice(post.quantities(Orders.SHOWS, on_time_pct=100.0))
    for plant in post.tenants:
        post.env.process(Book(post, role, plant, device).live())
    return device
