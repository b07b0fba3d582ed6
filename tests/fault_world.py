"""A network, a database and a disk in virtual time, which fail when a schedule says so, or in the middle of a call."""

from __future__ import annotations

import errno
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from brokers.blocks import Arrivals, arrived
from brokers.endpoint import Delivery
from simulator.batch import Catalog
from simulator.clock import SECOND_NS, FakeClock
from simulator.errors import StoreError
from simulator.ingest.store import Row
from simulator.ingest.stores.none import NoStore
from simulator.wire.line_protocol import LineProtocol, prefix

__all__ = ["CrashError", "Disk", "Network", "Schedule", "Store", "Trouble"]

KINDS = (
    "store away",
    "store busy",
    "store denies",
    "store hangs",
    "store lies",
    "store takes little",
    "network down",
    "disk full",
    "disk unreadable",
)


class CrashError(BaseException):
    """The bridge is killed at this instant. No Exception: nothing in the bridge may catch it."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault and when it is there, in virtual seconds."""

    kind: str
    from_s: float
    to_s: float


@dataclass
class Schedule:
    """What goes wrong and when, drawn from a seed."""

    clock: FakeClock
    troubles: Sequence[Trouble]
    crashes: set[int]
    """Numbers of calls from outside of the bridge in which it is killed."""
    calls: int = 0

    @classmethod
    def drawn(cls, dice: random.Random, clock: FakeClock, *, lasts_s: float, crashes: bool) -> Schedule:
        troubles = []
        for _ in range(dice.randint(0, 6)):
            begin = dice.uniform(0, lasts_s)
            troubles.append(Trouble(dice.choice(KINDS), begin, begin + dice.expovariate(1 / 10)))
        killed = {dice.randint(1, 400) for _ in range(dice.randint(1, 4))} if crashes else set()
        return cls(clock, troubles, killed)

    @property
    def ends_s(self) -> float:
        return max((trouble.to_s for trouble in self.troubles), default=0.0)

    def is_on(self, kind: str) -> bool:
        now_s = self.clock.monotonic_ns() / SECOND_NS
        return any(one.kind == kind and one.from_s <= now_s < one.to_s for one in self.troubles)

    def call(self) -> None:
        """Note a call of the bridge to the outside. Raises CrashError where the schedule says so."""
        self.calls += 1
        if self.calls in self.crashes:
            raise CrashError


class Network:
    """A broker that loses nothing, and the session of one lane with it, which breaks and comes back."""

    def __init__(self, schedule: Schedule, *, window: int) -> None:
        self._schedule = schedule
        self._window = window
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._sent: list[tuple[int, str, bytes]] = []
        """Number, topic and payload of what was handed out and not acknowledged, in order."""
        self._next = 0
        self._epoch = 0
        self._was_down = False

    def publish(self, topic: str, payload: bytes) -> None:
        self._waiting.append((topic, payload))

    def broken(self) -> None:
        """The connection has ended, or the bridge: what was not acknowledged comes again, first."""
        self._epoch += 1
        self._waiting.extendleft((topic, payload) for _, topic, payload in reversed(self._sent))
        self._sent.clear()

    @property
    def is_empty(self) -> bool:
        return not self._waiting and not self._sent

    def receive_block(self, *, limit: int, timeout_s: float) -> Arrivals:
        self._schedule.call()
        if not self.is_connected() or not self._waiting:
            self._schedule.clock.advance(round(timeout_s * SECOND_NS))
        if not self.is_connected():
            return Arrivals.none()
        room = min(limit, self._window - len(self._sent), len(self._waiting))
        found = []
        for _ in range(room):
            topic, payload = self._waiting.popleft()
            self._sent.append((self._next, topic, payload))
            found.append(Delivery(topic, payload, 1, self._epoch, self._next))
            self._next += 1
        return arrived(found)

    def acknowledge_block(self, arrivals: Arrivals, count: int) -> None:
        self._schedule.call()
        if not self.is_connected():
            return  # the session sends none over another connection
        mine = arrivals.epoch[:count] == self._epoch
        done = set(arrivals.mid[:count][mine].tolist())
        assert done <= {number for number, *_ in self._sent}, "what was never handed out is acknowledged"
        self._sent = [one for one in self._sent if one[0] not in done]

    def is_connected(self) -> bool:
        down = self._schedule.is_on("network down")
        if down and not self._was_down:
            self.broken()
        self._was_down = down
        return not down

    def subscribe(self, *patterns: str, qos: int) -> None:
        """The broker knows already."""


class Store(NoStore):
    """A database that keeps rows, in the order of their first write."""

    def __init__(self, catalog: Catalog, schedule: Schedule, dice: random.Random, *, bad: set[tuple[int, int]]) -> None:
        super().__init__(catalog)
        self.rows: dict[tuple[int, int], int] = {}
        """Asset and number of each row, and its milliseconds."""
        self.bad = bad
        self.lines: LineProtocol | None = None
        self._asset_of = {prefix(asset): number for number, asset in enumerate(catalog.assets)}
        self._schedule = schedule
        self._dice = dice

    def write(self, rows: Sequence[Row]) -> None:
        self._take([(row.asset, row.seq, row.time_ms) for row in rows])

    def write_lines(self, body: bytes) -> None:
        self._take([self._read(line) for line in body.decode().splitlines()])

    def _read(self, line: str) -> tuple[int, int, int]:
        """Read a line as the bridge writes it: series and number up to the i, fields, milliseconds."""
        head, seq = line.partition("i")[0], 0
        head, _, rest = line.partition("seq=")
        number, _, _ = rest.partition("i")
        seq = int(number)
        return self._asset_of[f"{head}seq="], seq, int(line.rpartition(" ")[2])

    def _take(self, rows: list[tuple[int, int, int]]) -> None:
        on = self._schedule.is_on
        self._schedule.call()
        if on("store away"):
            message = "nobody listens"
            raise StoreError(message, retryable=True)
        if on("store busy"):
            message = "slow down"
            raise StoreError(message, retryable=True, after_s=self._dice.choice([0.5, 7.0, 99_999.0]))
        if on("store denies"):
            message = "wrong token"
            raise StoreError(message, retryable=False)
        if on("store hangs"):
            self._schedule.clock.advance(30 * SECOND_NS)
            message = "no answer within 30 s"
            raise StoreError(message, retryable=True)
        if on("store takes little") and len(rows) > 3:
            message = "too large"
            raise StoreError(message, retryable=False, split=True)
        if any((asset, seq) in self.bad for asset, seq, _ in rows):
            message = "malformed line"
            raise StoreError(message, retryable=False, split=True)
        for asset, seq, time_ms in rows:
            self.rows.setdefault((asset, seq), time_ms)
        self._schedule.call()  # killed after the commit and before it knows
        if on("store lies") and self._dice.random() < 0.5:
            message = "the connection broke after the write"
            raise StoreError(message, retryable=True)


@dataclass
class Disk:
    """Files in memory that outlive the bridge."""

    schedule: Schedule
    dice: random.Random
    files: dict[str, bytearray] = field(default_factory=dict)

    def names(self) -> list[str]:
        return sorted(self.files)

    def append(self, name: str, data: bytes) -> None:
        file = self.files.get(name, bytearray())
        try:
            self.schedule.call()
        except CrashError:  # a torn end, or a whole write that nobody heard of
            self.files[name] = file + data[: self.dice.randint(0, len(data))]
            raise
        if self.schedule.is_on("disk full"):
            if self.dice.random() < 0.5:  # what fitted, and could not be cut off again
                self.files[name] = file + data[: self.dice.randint(0, len(data) - 1)]
            raise OSError(errno.ENOSPC, "No space left on device")
        self.files[name] = file + data
        self.schedule.call()

    def read(self, name: str, offset: int = 0, size: int = -1) -> bytes:
        self.schedule.call()
        if self.schedule.is_on("disk unreadable"):
            raise OSError(errno.EIO, "Input/output error")
        end = None if size < 0 else offset + size
        return bytes(self.files[name][offset:end])

    def size(self, name: str) -> int:
        return len(self.files[name])

    def remove(self, name: str) -> None:
        self.schedule.call()
        del self.files[name]
